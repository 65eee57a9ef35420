//! Lints: each says what it says about its own example, and nothing about what is right; their places and changes
//! are sound whatever they look at.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::Value as Json;
use std::sync::Arc;
use stellar::diagnostic::{Allowed, CODES, Code, Fault, Fix, Source, Span, brief};
use stellar::engine::Engine;
use stellar::functions::lints::{Known, Types, of_script, of_tree};
use stellar::syntax::{Expr, ExprKind, ParseLimits, Said, Statement, alike, parse, statements};

/// What is said about one expression.
fn said_of(engine: &Engine, expression: &str, known: &Known) -> Vec<Fault> {
    let source = Arc::new(Source::expression(expression));
    match parse(&source, ParseLimits::default()) {
        Ok(Some(tree)) => {
            let found = of_tree(&tree, &source, &[], &engine.context, known);
            sound(expression, &tree, &found);
            found
        }
        _ => Vec::new(),
    }
}

fn names(found: &[Fault]) -> Vec<&'static str> {
    found
        .iter()
        .filter_map(|fault| Some(fault.code.info().lint?.name))
        .collect()
}

fn script(engine: &Engine, text: &str) -> Vec<Fault> {
    let source = Source::named("script", text);
    let read: Vec<(Statement, Option<Said>)> = statements(&source)
        .into_iter()
        .map(|statement| {
            let said = statement.read(ParseLimits::default()).ok();
            (statement, said)
        })
        .collect();
    let allowed = Allowed::default();
    of_script(&source, &read, &engine.context, &Known::default(), &allowed)
}

/// The expression without any parentheses that only group.
fn ungrouped(expr: &Expr) -> Expr {
    let mut expr = expr.inner().clone();
    let boxed = |part: &mut Box<Expr>| **part = ungrouped(part);
    let pairs = |pairs: &mut Vec<(Expr, Expr)>| {
        for (a, b) in pairs {
            *a = ungrouped(a);
            *b = ungrouped(b);
        }
    };
    match &mut expr.kind {
        ExprKind::Negate(x) | ExprKind::Not(x) | ExprKind::Group(x) => boxed(x),
        ExprKind::Arithmetic(first, rest) => {
            boxed(first);
            rest.iter_mut().for_each(|(_, x)| *x = ungrouped(x));
        }
        ExprKind::Comparison(first, rest) => {
            boxed(first);
            rest.iter_mut().for_each(|(_, x)| *x = ungrouped(x));
        }
        ExprKind::Logic(items, _) | ExprKind::List(items) => {
            items.iter_mut().for_each(|x| *x = ungrouped(x));
        }
        ExprKind::Call {
            arguments: items, ..
        } => items.iter_mut().for_each(|x| *x = ungrouped(x)),
        ExprKind::In {
            item, container, ..
        } => {
            boxed(item);
            boxed(container);
        }
        ExprKind::Conditional {
            branches,
            otherwise,
            ..
        } => {
            pairs(branches);
            boxed(otherwise);
        }
        ExprKind::Match { clauses, default } => {
            pairs(clauses);
            boxed(default);
        }
        ExprKind::Map(entries) => pairs(entries),
        ExprKind::Lambda { body, .. } => boxed(body),
        _ => {}
    }
    // Chains are flat: a grouped right side of `and` and `or`, or a grouped left side of an operator, is the same.
    match expr.kind {
        ExprKind::Logic(mut operands, mut operators) => {
            while let Some(ExprKind::Logic(..)) = operands.last().map(|last| &last.kind) {
                if let Some(ExprKind::Logic(more, between)) = operands.pop().map(|last| last.kind) {
                    operands.extend(more);
                    operators.extend(between);
                }
            }
            expr.kind = ExprKind::Logic(operands, operators);
        }
        ExprKind::Comparison(first, rest) => {
            expr.kind = match first.kind {
                ExprKind::Comparison(inner, mut begin) => {
                    begin.extend(rest);
                    ExprKind::Comparison(inner, begin)
                }
                _ => ExprKind::Comparison(first, rest),
            };
        }
        kind => expr.kind = kind,
    }
    expr
}

/// Lints whose changes are parentheses.
const PARENTHESES: &[Code] = &[
    Code::MixedLogic,
    Code::MultiplyFirst,
    Code::ComparisonChain,
    Code::InSwallows,
    Code::NotOperand,
];

/// Places lie inside of the text and at whole characters; changed texts can be read, and mean the same where promised.
fn sound(text: &str, tree: &Expr, found: &[Fault]) {
    for fault in found {
        let inside = |span: Span| text.get(span.start..span.end).is_some();
        assert!(fault.code.info().lint.is_some(), "{text}: {fault}");
        assert!(inside(fault.span.unwrap()), "{text}: {fault}");
        assert!(
            fault.related.iter().all(|l| inside(l.span)),
            "{text}: {fault}"
        );
        assert!(!fault.message.ends_with('.'), "{}", fault.message);
        let Some(fix) = &fault.fix else { continue };
        assert!(
            fix.edits.iter().all(|(span, _)| inside(*span)),
            "{text}: {fault}"
        );
        let changed = fix.applied(text, Span::new(0, text.len()));
        assert_ne!(changed, text, "{fault}");
        let source = Arc::new(Source::expression(changed.as_str()));
        let limits = ParseLimits {
            depth: 2 * ParseLimits::default().depth,
            ..ParseLimits::default()
        };
        let again = match parse(&source, limits) {
            Ok(Some(again)) => again,
            other => panic!("{text} becomes {changed}: {other:?}"),
        };
        if PARENTHESES.contains(&fault.code) {
            assert!(fix.keeps_meaning);
            let (before, after) = (ungrouped(tree), ungrouped(&again));
            assert!(alike(&before, &after), "{text} becomes {changed}");
        }
    }
}

#[test]
fn every_lint_speaks_about_its_example() {
    let engine = Engine::bare();
    for info in CODES.iter().filter(|info| info.lint.is_some()) {
        if info.example.is_empty() {
            continue;
        }
        let found = said_of(&engine, info.example, &Known::default());
        let codes: Vec<&str> = found.iter().map(|f| f.code.name()).collect();
        assert_eq!(codes, [info.name], "{}: {found:?}", info.example);
    }
}

#[test]
fn examples_of_errors_have_no_precedence_surprises() {
    let engine = Engine::bare();
    for info in CODES.iter().filter(|info| info.lint.is_none()) {
        let found = said_of(&engine, info.example, &Known::default());
        assert!(
            !found.iter().any(|f| f.code.name() < "L0109"),
            "{}: {found:?}",
            info.example
        );
    }
}

#[test]
fn scripts_that_come_along_are_clean() {
    let engine = Engine::bare();
    let patterns = ["stdlib/*.stellar", "examples/*/*.stellar"];
    for path in patterns.iter().flat_map(|p| glob::glob(p).unwrap()) {
        let path = path.unwrap();
        let found = script(&engine, &std::fs::read_to_string(&path).unwrap());
        let texts: Vec<String> = found.iter().map(|f| f.to_string()).collect();
        assert!(texts.is_empty(), "{}: {texts:#?}", path.display());
    }
}

/// All expressions of the conformance files.
fn corpus() -> Vec<String> {
    let mut all = Vec::new();
    for path in glob::glob("tests/conformance/stellar/*.jsonl").unwrap() {
        for line in std::fs::read_to_string(path.unwrap()).unwrap().lines() {
            let row: Json = serde_json::from_str(line).unwrap();
            all.extend(row["expr"].as_str().map(str::to_string));
        }
    }
    all
}

#[test]
fn findings_about_recorded_expressions_are_sound() {
    let engine = Engine::bare();
    let show = std::env::var_os("SHOW").is_some();
    let all = corpus();
    assert!(all.len() > 2000);
    for expression in all {
        let found = said_of(&engine, &expression, &Known::default());
        if show {
            for fault in &found {
                println!("{expression}\n    {}", brief(fault));
            }
        }
    }
}

#[test]
fn ten_thousand_statements_are_looked_at_quickly() {
    let engine = Engine::bare();
    let all = corpus();
    let text: String = all
        .iter()
        .filter(|e| !e.contains('\n') && !e.contains(":="))
        .cycle()
        .take(10_000)
        .flat_map(|e| [e.as_str(), "\n"])
        .collect();
    let start = std::time::Instant::now();
    let found = script(&engine, &text);
    let took = start.elapsed();
    println!("{} findings in {took:?}", found.len());
    // What is out of proportion takes for ever; machines may be busy.
    assert!(took.as_secs() < 60, "{took:?}");
}

#[test]
fn fields_of_events_are_known() {
    let engine = Engine::bare();
    let mut known = Known::default();
    let fields = [
        ("src_ip", Types::TEXT),
        ("dst_port", Types::INT),
        ("http", Types::MAP),
    ];
    known.fields = Some(fields.into_iter().map(|(n, t)| (n.into(), t)).collect());
    known.variables.insert("limit".into(), Types::LONG);
    let say = |text: &str| names(&said_of(&engine, text, &known));
    assert_eq!(say("src_ipp == 'a'"), ["unknown-field"]);
    assert_eq!(say("dst_port == '443'"), ["unlike-types"]);
    assert_eq!(say("limit in [1]"), ["unlike-in"]);
    for good in [
        "src_ip == 'a'",
        "dst_port == 443L",
        "http.method == 'GET'",
        "limit == 1",
        "MAP([1], x -> x)",
        "_",
        "exists(src_ipp)",
    ] {
        assert!(say(good).is_empty(), "{good}: {:?}", say(good));
    }
    let found = said_of(&engine, "src_ipp", &known);
    assert_eq!(found[0].help.as_deref(), Some("did you mean src_ip?"));
    assert_eq!(found[0].fix, Some(Fix::replace(Span::new(0, 7), "src_ip")));
    assert!(names(&said_of(&engine, "anything", &Known::default())).is_empty());
}

#[test]
fn a_definition_of_that_name_is_not_the_built_in() {
    let engine = Engine::bare();
    let text = "def STATS_PERCENTILE(s, p) := p\nSTATS_PERCENTILE(x, 0.5)";
    for statement in statements(&Source::named("script", text)) {
        let defined = stellar::functions::library::define(&statement, &engine.context).unwrap();
        if let Some(definition) = defined {
            // Where the function is built in, it cannot be defined, and the lint is right.
            if engine.registry.define(definition, &engine.context).is_err() {
                return;
            }
        }
    }
    assert!(script(&engine, text).is_empty());
}

/// Random texts that are often expressions.
fn expression() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "x.y",
        "1",
        "2L",
        "0.5",
        "1f",
        "'é'",
        "'10.0.0.1/8'",
        "'yyyy-mm-dd'",
        "null",
        "true",
        "NaN",
        "TO_LOWER(a)",
        "MONTH(b)",
        "LENGTH(",
        "IN_SUBNET(a, '10.0.0.1/8')",
        "REGEXP_MATCH(a, 'b')",
        "[1, 2]",
        "{'a' : 1, 'a' : 2}",
        "FILTER('ab', q -> q == 'a')",
        "MAP(",
        "FORMAT('%s', 1, 2)",
        "DATE_FORMAT('mm', 1)",
    ]);
    let operator = prop::sample::select(vec![
        " and ", " or ", " == ", " != ", " < ", " >= ", " in ", " not in ", " + ", " - ", " * ",
        " / ", "\n/ ", " ? ", " : ", ", ", "->",
    ]);
    let around = prop::sample::select(vec![
        "", "", "(", "not(", "not ", "-", "[", ")", "]", "if ", "match{",
    ]);
    prop::collection::vec((around, piece, operator), 1..10).prop_map(|parts| {
        let mut text = String::new();
        let mut open = Vec::new();
        let mut last = "";
        for (around, piece, operator) in &parts {
            match *around {
                ")" | "]" => {}
                "[" => open.push(']'),
                "(" | "not(" => open.push(')'),
                _ => {}
            }
            text.push_str(if matches!(*around, ")" | "]") {
                ""
            } else {
                around
            });
            text.push_str(piece);
            if piece.ends_with('(') && !piece.contains(')') {
                open.push(')');
                text.push('d');
            }
            if matches!(*around, ")" | "]") {
                text.extend(open.pop());
            }
            text.push_str(operator);
            last = operator;
        }
        text.truncate(text.len() - last.len());
        text.extend(open.into_iter().rev());
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_expressions_have_sound_findings(text in expression()) {
        let engine = engine();
        said_of(engine, &text, &Known::default());
    }

    #[test]
    fn random_scripts_do_no_harm(text in "([a-c] := [a-c]|# ?stellar: ?allow\\([a-z,é-]*\\)?|[a-z ()'=&é/#:\n-]){0,60}") {
        for fault in script(engine(), &text) {
            let source = fault.source.clone().unwrap();
            let span = fault.span.unwrap();
            prop_assert!(source.text.get(span.start..span.end).is_some(), "{text}");
        }
    }
}

/// Short comparisons, of which many can never hold.
fn comparison() -> impl Strategy<Value = String> {
    let piece = || {
        prop::sample::select(vec![
            "a",
            "b",
            "c",
            "1",
            "1L",
            "2.0",
            "3f",
            "'a'",
            "'B'",
            "null",
            "true",
            "NaN",
            "[1]",
            "[1L, 'a']",
            "['B']",
            "{'a' : 1}",
            "TO_LOWER(a)",
            "TO_UPPER(b)",
            "TRIM(TO_LOWER(c))",
            "MONTH(a)",
            "LENGTH(b)",
            "ABS(c)",
            "TO_LONG(a)",
            "TO_INTEGER(b)",
            "TO_STRING(c)",
            "(a + 1)",
            "(b + 'a')",
            "(1 + c)",
            "-a",
            "SPLIT(a, ',')",
            "(a == b)",
            "[MONTH(a)]",
            "12",
            "-1",
            "TO_FLOAT(a)",
            "ROUND(b)",
            "MAP('ab', q -> q)",
            "(if a == 1 then 'a' else 2)",
            "FILTER('aB', q -> q == 'a')",
            "MAX([a, 1])",
            "SET_INIT([1])",
            "MAP_GET('a', {'a' : b}, 1)",
        ])
    };
    let operator = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "in", "not in"]);
    let simple = (piece(), operator, piece()).prop_map(|(a, op, b)| format!("{a} {op} {b}"));
    let name = prop::sample::select(vec!["a", "b"]);
    let order = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let literal = prop::sample::select(vec![
        "1", "2", "1.0", "'a'", "'B'", "null", "3L", "true", "2f",
    ]);
    let part = (name, order, literal).prop_map(|(a, op, b)| format!("{a} {op} {b}"));
    let word = prop::sample::select(vec![" and ", " or "]);
    let joined =
        (prop::collection::vec(part, 2..4), word).prop_map(|(parts, word)| parts.join(word));
    prop_oneof![simple, joined]
}

/// Variables from values of every kind.
struct Some3([stellar::eval::Value; 3]);

impl stellar::eval::Variables for Some3 {
    fn get(&self, name: &str) -> Option<stellar::eval::Value> {
        let index = ["a", "b", "c"].iter().position(|n| *n == name)?;
        Some(self.0[index].clone())
    }

    fn all(&self) -> Vec<(smol_str::SmolStr, stellar::eval::Value)> {
        Vec::new()
    }
}

/// Values that variables may have.
fn values(engine: &Engine) -> Vec<stellar::eval::Value> {
    [
        "null",
        "1",
        "2",
        "12",
        "-1",
        "1L",
        "3L",
        "1.0",
        "2.0",
        "2.5",
        "1f",
        "NaN",
        "'a'",
        "'B'",
        "'b'",
        "''",
        "'12'",
        "true",
        "false",
        "[]",
        "[1]",
        "['a']",
        "{'a' : 1}",
        "SET_INIT([1])",
        "GET_FIRST(MAP('a', x -> x))",
        "x -> x",
    ]
    .iter()
    .map(|text| engine.evaluate(text).unwrap())
    .collect()
}

static VALUES: std::sync::OnceLock<Vec<stellar::eval::Value>> = std::sync::OnceLock::new();

/// Codes whose messages promise what comes out.
const PROMISES: &[Code] = &[
    Code::UnlikeEqual,
    Code::UnlikeOrder,
    Code::UnlikeIn,
    Code::NullOrder,
    Code::NanComparison,
    Code::OutOfRange,
    Code::LetterCase,
    Code::Contradiction,
    Code::AlwaysHolds,
    Code::SelfComparison,
    Code::AlwaysFails,
];

/// What a finding promises about the whole expression: never true, never false, or an error.
fn promise(fault: &Fault) -> Option<(bool, bool)> {
    let message = &fault.message;
    let is = |part: &str| message.contains(part);
    if !PROMISES.contains(&fault.code) {
        None
    } else if fault.code == Code::AlwaysFails {
        Some((true, true))
    } else if is("never hold") || fault.code == Code::UnlikeOrder {
        Some((true, false))
    } else if is("always holds") {
        Some((false, true))
    } else {
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_said_to_never_hold_never_holds(text in comparison(), seed in any::<u64>()) {
        let engine = engine();
        let found = said_of(engine, &text, &Known::default());
        let values = VALUES.get_or_init(|| values(engine));
        let mut at = seed;
        for _ in 0..if found.is_empty() { 0 } else { 20 } {
            let mut next = || {
                at = at.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                values[(at >> 33) as usize % values.len()].clone()
            };
            let variables = [next(), next(), next()];
            let shown = format!("{text} with {variables:?}");
            let context = engine.context.with_variables(Arc::new(Some3(variables)));
            let source = Arc::new(Source::expression(text.as_str()));
            let result = stellar::eval::compile(&source, &context).unwrap().evaluate(&context);
            for (fault, (never_true, never_false)) in found.iter().filter_map(|f| Some((f, promise(f)?))) {
                // What is said about a part does not show at the top, but for these.
                let shows = matches!(fault.code, Code::Contradiction | Code::AlwaysHolds | Code::LetterCase);
                if !shows && fault.span != Some(Span::new(0, text.len())) {
                    continue;
                }
                match &result {
                    Ok(stellar::eval::Value::Bool(true)) => prop_assert!(!never_true, "{shown}: {fault}"),
                    Ok(stellar::eval::Value::Bool(false)) => prop_assert!(!never_false, "{shown}: {fault}"),
                    _ => {}
                }
            }
        }
    }
}

fn engine() -> &'static Engine {
    static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();
    ENGINE.get_or_init(Engine::bare)
}
