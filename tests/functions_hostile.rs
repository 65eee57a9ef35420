//! Every function with arguments of every kind, fitting or not, too few and too many: it answers, or gives an error
//! that names the function, the argument and what was expected. Nothing panics and nothing runs without end.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stellar::config::FixedClock;
use stellar::diagnostic::{Code, Fault};
use stellar::engine::Engine;
use stellar::eval::{Value, call_builtin};
use stellar::functions::spec::FunctionSpec;

/// Small values of every kind.
const SMALL: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "2147483647",
    "-9223372036854775807L",
    "1.5",
    "NaN",
    "1.0e308 * 10",
    "2f",
    "''",
    "'a'",
    "'é日本😀'",
    "'10.0.0.1'",
    "'2001:db8::1/32'",
    "'https://user@example.co.uk:8080/a?b=c#d'",
    "'yyyy-MM-dd'",
    "'%s %d %-5x'",
    "'(a+)+$'",
    "'{\"a\": [1, null]}'",
    "'\\n\\t'",
    "[]",
    "[1, 'b', null, 2.5]",
    "[[1, 2], ['x']]",
    "{}",
    "{'a': 1, 'b': {'c': null}}",
    "SET_INIT([1, 'x'])",
    "MULTISET_INIT(['x', 'x'])",
    "x -> x",
    "(a, b) -> a",
    "() -> 1",
    "GET_FIRST(MAP('c', x -> x))",
    "STATS_ADD(STATS_INIT(), [1, 2, 3])",
    "STATS_INIT(2)",
    "HLLP_ADD(HLLP_INIT(), 'a')",
    "BLOOM_ADD(BLOOM_INIT(), 'a')",
    "SAMPLE_INIT(3)",
    "OUTLIER_MAD_STATE_MERGE([])",
    "PROFILE_FIXED(1, 'HOURS')",
    "GET_FIRST(PROFILE_FIXED(1, 'HOURS'))",
];

/// No call of such values takes longer, by far; one that hangs is told from one on a busy machine.
const SLOW: Duration = Duration::from_secs(60);

fn engine() -> Engine {
    let mut engine = Engine::bare();
    engine.context.clock = Arc::new(FixedClock(1_793_664_000_000));
    engine.context.limits.time = Duration::from_secs(10);
    engine.context.limits.string = 4 << 20;
    engine.context.limits.collection = 100_000;
    engine
}

/// What is wrong with an error, if anything is.
fn complaint(spec: &FunctionSpec, fault: &Fault) -> Option<String> {
    let said = &fault.message;
    let about_arguments = matches!(
        fault.code,
        Code::ArgumentCount | Code::ArgumentType | Code::ArgumentValue
    );
    // What a lambda given as an argument does wrong is said by the function it calls.
    if about_arguments && !said.contains(spec.name) && fault.span.is_none() {
        return Some(format!("does not name the function: {said}"));
    }
    if fault.code == Code::ArgumentType && fault.argument.is_none() && fault.span.is_none() {
        return Some(format!("does not say which argument: {said}"));
    }
    if matches!(fault.code, Code::Internal | Code::Timeout) {
        return Some(format!("{}: {said}", fault.code.name()));
    }
    (said.is_empty() || said.ends_with('.')).then(|| format!("is no sentence: {said:?}"))
}

struct Trial<'a> {
    engine: &'a Engine,
    complaints: BTreeMap<String, String>,
    calls: usize,
    errors: usize,
}

impl Trial<'_> {
    fn call(&mut self, spec: &FunctionSpec, arguments: &[(&str, Value)]) {
        self.calls += 1;
        let values: Vec<Value> = arguments.iter().map(|(_, value)| value.clone()).collect();
        let count = values.len();
        let least = spec.builtin().least;
        if count < least {
            return;
        }
        let context = &self.engine.context;
        let builtin = spec.builtin();
        let started = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| call_builtin(&builtin, values, context)));
        let wrong = match result {
            Err(_) => Some("panics".to_string()),
            Ok(Err(fault)) => {
                self.errors += 1;
                complaint(spec, &fault)
            }
            Ok(Ok(value)) => {
                // Whatever comes out can be shown.
                drop(stellar::eval::text::to_text(&value));
                drop(stellar::eval::json::to_json(&value));
                None
            }
        };
        let slow = started.elapsed() > SLOW;
        let wrong = wrong.or_else(|| slow.then(|| format!("takes {:?}", started.elapsed())));
        if let Some(wrong) = wrong {
            let texts: Vec<&str> = arguments.iter().map(|(text, _)| *text).collect();
            let call = format!("{}({})", spec.name, texts.join(", "));
            let key = format!("{}: {}", spec.name, &wrong[..wrong.len().min(40)]);
            self.complaints
                .entry(key)
                .or_insert_with(|| format!("{call} {wrong}"));
        }
    }
}

#[test]
fn every_function_answers_or_says_what_it_wants() {
    let engine = engine();
    let value = |text: &str| engine.evaluate(text).unwrap();
    let mut huge = BTreeMap::new();
    huge.insert("huge text", Value::string("long é ".repeat(20_000)));
    huge.insert("huge number text", Value::string("9".repeat(50_000)));
    let many: Vec<Value> = (0..20_000).map(Value::Int).collect();
    huge.insert("huge list", Value::from(many));
    let mut trial = Trial {
        engine: &engine,
        complaints: BTreeMap::new(),
        calls: 0,
        errors: 0,
    };
    // Objects are changed in place, so each function gets its own.
    let mut seed = 1u64;
    let mut random = move |below: usize| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for spec in engine.registry.specs() {
        let small: Vec<(&str, Value)> = SMALL.iter().map(|text| (*text, value(text))).collect();
        trial.call(spec, &[]);
        let one = small
            .iter()
            .cloned()
            .chain(huge.iter().map(|(t, v)| (*t, v.clone())));
        for argument in one {
            trial.call(spec, &[argument]);
        }
        for a in &small {
            for b in &small {
                trial.call(spec, &[a.clone(), b.clone()]);
            }
        }
        for count in 3..=spec.parameters.len().min(5) + 2 {
            for _ in 0..200 {
                let chosen: Vec<_> = (0..count)
                    .map(|_| small[random(small.len())].clone())
                    .collect();
                trial.call(spec, &chosen);
            }
        }
    }
    println!("{} calls, {} errors", trial.calls, trial.errors);
    assert!(trial.errors > trial.calls / 20, "hardly any call fails");
    let complaints: Vec<String> = trial.complaints.into_values().collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn too_few_arguments_are_named_with_their_number() {
    let engine = engine();
    for spec in engine.registry.specs() {
        let least = spec.builtin().least;
        for given in 0..least {
            let arguments = vec!["null"; given].join(", ");
            let fault = engine
                .evaluate(&format!("{}({arguments})", spec.name))
                .unwrap_err();
            assert_eq!(
                fault.code,
                Code::ArgumentCount,
                "{}: {}",
                spec.name,
                fault.message
            );
            assert!(fault.message.contains(spec.name), "{}", fault.message);
            assert!(fault.span.is_some(), "{} has no place", spec.name);
        }
    }
}
