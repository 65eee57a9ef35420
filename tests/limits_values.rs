//! No value and no evaluation crashes or hangs the program: sizes, deep values, steps, time, cancelling.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use stellar::diagnostic::{Fault, Kind};
use stellar::engine::Engine;
use stellar::eval::Value;
use stellar::eval::json::{to_json, to_typed, write_json};
use stellar::eval::text::to_text;
use support::Home;

/// Runs on a thread with a stack of 8 MiB, as the program's, and on one of 2 MiB.
fn on_both_stacks(work: impl Fn() + Send + Sync) {
    // The small one first: the system may lend out a large stack once more.
    for stack in [2 << 20, 8 << 20] {
        on_stack(stack, &work);
    }
}

fn on_stack<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(bytes);
        builder.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn evaluate(text: &str) -> Result<Value, Fault> {
    Engine::bare().evaluate(text)
}

fn refused(text: &str) -> Fault {
    match evaluate(text) {
        Ok(value) => panic!("{text:.200} gives {:.200}", to_text(&value)),
        Err(fault) => fault,
    }
}

fn shown(text: &str) -> String {
    match evaluate(text) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => panic!("{text:.200}: {fault}"),
    }
}

/// A list of so many elements.
fn list_of(elements: usize) -> String {
    format!(
        "SPLIT(REGEXP_REPLACE(FILL_LEFT('', 'x', {}), 'x', 'x,'), ',')",
        elements - 1
    )
}

#[test]
fn what_would_make_a_string_or_a_list_too_large_is_an_error() {
    for (text, code) in [
        ("FILL_LEFT('x', 'y', 2000000000)", "E0303"),
        (
            "REDUCE([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24], (s, x) -> s + s, 'ab')",
            "E0303",
        ),
        ("FORMAT('%2000000000d', 1)", "E0303"),
    ] {
        let fault = refused(text);
        assert_eq!(
            (fault.code.name(), fault.kind()),
            (code, Kind::Limit),
            "{text}"
        );
    }
    let mut engine = Engine::bare();
    engine.context.limits.collection = 1000;
    let fault = engine
        .evaluate(&format!("LENGTH({})", list_of(1001)))
        .unwrap_err();
    assert_eq!(fault.code.name(), "E0304");
    assert!(
        engine
            .evaluate(&format!("LENGTH({})", list_of(1000)))
            .is_ok()
    );
}

/// What nests a value as deep as a list is long.
const DEEP: [&str; 5] = ["[s]", "{'a' : s}", "{s : 1}", "SET_INIT([s])", "[y -> s]"];

#[test]
fn values_nested_a_million_deep_are_dropped_printed_and_compared() {
    on_both_stacks(|| {
        let million = format!("REDUCE({}, (s, x) -> [s], 1)", list_of(900_000));
        assert!(!shown(&million).is_empty());
        let list = list_of(20_000);
        for nest in DEEP {
            let deep = format!("REDUCE({list}, (s, x) -> {nest}, 1)");
            assert!(!shown(&deep).is_empty(), "{nest}");
            assert_eq!(shown(&format!("LENGTH({deep})")), "1", "{nest}");
        }
        for nest in &DEEP[..4] {
            let deep = format!("REDUCE({list}, (s, x) -> {nest}, 1)");
            // Beyond a depth two values count as different.
            assert_eq!(shown(&format!("{deep} == {deep}")), "false", "{nest}");
            assert_eq!(shown(&format!("LENGTH({{{deep} : 1}})")), "1", "{nest}");
            assert_eq!(shown(&format!("{deep} in [{deep}]")), "false", "{nest}");
        }
        let value = evaluate(&format!("REDUCE({list}, (s, x) -> [s], 1)")).unwrap();
        let json = to_json(&value).unwrap_err();
        assert_eq!(json.code.name(), "E0302");
        let typed = to_typed(&value).unwrap_err();
        assert_eq!(typed.code.name(), "E0302");
    });
}

#[test]
fn lambdas_that_hold_lambdas_a_million_deep_are_dropped() {
    on_both_stacks(|| {
        assert_eq!(
            shown(&format!(
                "REDUCE({}, (s, x) -> (y -> s), 1)",
                list_of(900_000)
            )),
            "y -> s"
        );
    });
}

#[test]
fn a_part_that_stands_in_many_places_does_not_make_work_without_end() {
    let doubled = format!("REDUCE({}, (s, x) -> [s, s], [1])", list_of(100));
    let mapped = format!(
        "REDUCE({}, (s, x) -> {{'a' : s, 'b' : s}}, [1])",
        list_of(100)
    );
    for many in [&doubled, &mapped] {
        assert_eq!(shown(&format!("{many} == {many}")), "true");
        assert_eq!(shown(&format!("LENGTH(LIST_ADD([], {many}))")), "1");
        assert_eq!(shown(&format!("LENGTH({{{many} : 1}})")), "1");
        assert_eq!(refused(&format!("TO_STRING({many})")).code.name(), "E0303");
        let value = evaluate(many).unwrap();
        assert_eq!(to_json(&value).unwrap_err().code.name(), "E0303");
        let mut out = Vec::new();
        let written = write_json(&value, &mut out);
        assert_eq!(written.unwrap_err().code.name(), "E0303");
    }
    let wide = "[s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s]";
    let wide = format!("REDUCE({}, (s, x) -> {wide}, [1])", list_of(9));
    assert_eq!(shown(&format!("LENGTH({{{wide} : 1}})")), "1");
}

#[test]
fn a_set_of_many_maps_is_made_soon() {
    let started = Instant::now();
    let maps = format!("MAP({}, x -> {{'a' : x, 'b' : LENGTH(x)}})", list_of(10));
    assert_eq!(shown(&format!("LENGTH(SET_INIT({maps}))")), "2");
    let entries: Vec<String> = (0..2_000).map(|i| format!("{{'a' : {i}}}")).collect();
    let set = format!("LENGTH(SET_INIT([{}]))", entries.join(","));
    assert_eq!(shown(&set), "2000");
    let reordered = "{{'a' : 1, 'b' : 2}, {'b' : 2, 'a' : 1}}";
    assert!(evaluate(reordered).is_err());
    assert_eq!(
        shown("LENGTH(SET_INIT([{'a' : 1, 'b' : 2}, {'b' : 2, 'a' : 1}]))"),
        "1"
    );
    assert_eq!(
        shown("LENGTH(SET_INIT([SET_INIT([1, 2]), SET_INIT([2, 1])]))"),
        "1"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn calls_without_end_are_an_error() {
    let home = Home::new();
    let ran = home
        .run(&[], "f := x -> MAP([1], f)\nMAP([1], f)\n")
        .ended(1);
    assert!(ran.err.starts_with("error[E0302]"), "{}", ran.err);
    let ran = home
        .run(&[], "def f(x) := g(x)\ndef g(x) := f(x)\nf(1)\n")
        .ended(1);
    assert!(ran.err.starts_with("error[E0212]"), "{}", ran.err);
    let ran = home
        .run(&[], "def f(x) := MAP([1], y -> f(y))\nf(1)\n")
        .ended(1);
    assert!(ran.err.starts_with("error[E0212]"), "{}", ran.err);
    let ran = home
        .run(
            &[],
            "a := x -> MAP([1], b)\nb := x -> MAP([1], a)\nMAP([1], a)\n",
        )
        .ended(1);
    assert!(ran.err.starts_with("error[E0302]"), "{}", ran.err);
    // Deep bodies that call each other need the most stack.
    let (open, close) = ("[".repeat(200), "]".repeat(200));
    let script = format!("f := x -> {open}MAP([1], f){close}\nMAP([1], f)\n");
    let ran = home.run(&[], script).ended(1);
    assert!(ran.err.starts_with("error[E0302]"), "{}", ran.err);
}

#[test]
fn patterns_that_backtrack_without_end_answer_or_err() {
    for pattern in [
        "(a+)+$",
        "(a|aa)+$",
        "(.*)*x",
        "(?=(a+))a*b\\\\1",
        "(a*)*b",
        "(x+x+)+y",
        "((a+)+)+$",
    ] {
        let started = Instant::now();
        let text = format!("REGEXP_MATCH(FILL_RIGHT('', 'a', 100000) + '!', '{pattern}')");
        match evaluate(&text) {
            Ok(value) => assert!(matches!(value, Value::Bool(_)), "{pattern}"),
            Err(fault) => assert!(fault.span.is_some(), "{pattern}: {fault}"),
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{pattern}");
    }
}

#[test]
fn deep_json_is_refused() {
    for (open, function) in [
        ("[", "TO_JSON_LIST"),
        ("{\\\"a\\\":", "TO_JSON_MAP"),
        ("[", "TO_JSON_OBJECT"),
    ] {
        let text = format!("{function}(\"{}\")", open.repeat(8_000));
        assert_eq!(refused(&text).code.name(), "E0302", "{function}");
    }
    let text = "TO_JSON_LIST(FILL_LEFT('', '[', 1000000))";
    assert_eq!(refused(text).code.name(), "E0302");
}

/// Would run for minutes.
fn endless() -> [String; 4] {
    let list = list_of(3_000);
    [
        format!("MAP({list}, x -> MAP({list}, y -> MAP({list}, z -> z)))"),
        format!(
            "REDUCE({list}, (s, x) -> REDUCE({list}, (t, y) -> REDUCE({list}, (u, z) -> u, 1), 1), 1)"
        ),
        format!(
            "FILTER({list}, x -> LENGTH(FILTER({list}, y -> LENGTH(FILTER({list}, z -> false)) > 0)) > 0)"
        ),
        format!(
            "REDUCE({}, (s, x) -> FILL_LEFT(x, 'y', 1000000), 1)",
            list_of(900_000)
        ),
    ]
}

#[test]
fn the_cancel_flag_stops_an_evaluation_soon() {
    for text in endless() {
        let engine = Engine::bare();
        let flag = engine.context.cancel.clone();
        let (fault, set) = std::thread::scope(|scope| {
            let setter = scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                flag.store(true, Ordering::SeqCst);
                Instant::now()
            });
            let fault = engine
                .evaluate(&text)
                .map(|v| to_text(&v).len())
                .unwrap_err();
            (fault, setter.join().unwrap())
        });
        let late = set.elapsed();
        println!(
            "{late:?} for {}…",
            text.chars().take(12).collect::<String>()
        );
        assert_eq!((fault.code.name(), fault.kind()), ("E0307", Kind::Limit));
        // The goal is 100 ms.
        assert!(late < Duration::from_secs(60), "{late:?} for {text}");
    }
}

#[test]
fn the_limits_of_steps_and_time_stop_an_evaluation() {
    for text in &endless()[..3] {
        let mut engine = Engine::bare();
        engine.context.limits.steps = 50_000;
        let fault = engine
            .evaluate(text)
            .map(|v| to_text(&v).len())
            .unwrap_err();
        assert_eq!((fault.code.name(), fault.kind()), ("E0305", Kind::Limit));

        let mut engine = Engine::bare();
        engine.context.limits.time = Duration::from_millis(200);
        let started = Instant::now();
        let fault = engine
            .evaluate(text)
            .map(|v| to_text(&v).len())
            .unwrap_err();
        assert_eq!((fault.code.name(), fault.kind()), ("E0306", Kind::Limit));
        assert!(started.elapsed() < Duration::from_secs(60));

        let mut engine = Engine::bare();
        engine.context.deadline = Some(Instant::now() + Duration::from_millis(200));
        let fault = engine
            .evaluate(text)
            .map(|v| to_text(&v).len())
            .unwrap_err();
        assert_eq!(fault.code.name(), "E0306");
    }
}

#[test]
fn collections_may_be_looked_for_in_themselves() {
    // Looking for a set in itself while it is locked would wait forever.
    assert_eq!(
        shown("REDUCE([SET_INIT([1, 2])], (n, s) -> SET_REMOVE(s, s), 0)"),
        "[1, 2]"
    );
    assert_eq!(
        shown("REDUCE([SET_INIT([1, 2])], (n, s) -> SET_REMOVE(s, [s]), 0)"),
        "[1, 2]"
    );
    refused("REDUCE([STATS_INIT()], (n, s) -> STATS_ADD(s, s), 0)");
    refused("REDUCE([STATS_INIT()], (n, s) -> STATS_ADD(s, [[s]]), 0)");
}
