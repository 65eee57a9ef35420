use super::hyperloglog::{Form, HyperLogLog};
use super::{Hllp, hash, murmur};
use crate::engine::Engine;
use crate::eval::text::to_text;
use crate::eval::{Value, Variables};
use smol_str::SmolStr;
use std::sync::Arc;

struct One(Value);

impl Variables for One {
    fn get(&self, name: &str) -> Option<Value> {
        (name == "v").then(|| self.0.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        vec![("v".into(), self.0.clone())]
    }
}

/// An engine whose variable `v` is what this expression makes.
fn engine(expression: &str) -> Engine {
    let mut engine = Engine::bare();
    let value = engine.evaluate(expression).unwrap();
    engine.context.variables = Arc::new(One(value));
    engine
}

fn text(engine: &Engine, expression: &str) -> String {
    to_text(&engine.evaluate(expression).unwrap()).to_string()
}

fn code(engine: &Engine, expression: &str) -> &'static str {
    engine
        .evaluate(expression)
        .map_or_else(|fault| fault.code.name(), |value| panic!("{value:?}"))
}

#[test]
fn hashes_are_those_of_the_real_libraries() {
    let hash64 = |text: &str| murmur::hash64(text.as_bytes()).cast_signed();
    assert_eq!(hash64("abc"), -3_600_451_775_755_102_027);
    assert_eq!(hash64("1"), -6_739_554_300_740_862_253);
    // The values of Guava's own tests.
    assert_eq!(murmur::hash128(b"").0, 0);
    assert_eq!(
        murmur::hash128(b"abc"),
        (0xb496_3f3f_3fad_7867, 0x3ba2_7441_26ca_2d52)
    );
    assert_eq!(
        murmur::hash128(b"The quick brown fox jumps over the lazy dog").0,
        0xe34b_bc7b_bc07_1b6c
    );
}

#[test]
fn numbers_are_hashed_by_their_text() {
    for n in [0, 7, -1, 1_234_567_890, i64::MIN, i64::MAX] {
        let text = hash(&Value::text(n.to_string()), 100).unwrap();
        assert_eq!(hash(&Value::Long(n), 100).unwrap(), text, "{n}");
    }
    let same = hash(&Value::Int(-12), 100).unwrap();
    assert_eq!(hash(&Value::text("-12"), 100).unwrap(), same);
    assert_eq!(hash(&Value::Null, 100).unwrap(), 0);
}

#[test]
fn counts_are_those_of_stream_lib() {
    let mut sketch = HyperLogLog::new(14, 25).unwrap();
    let mut added = 0;
    let mut errors = Vec::new();
    for (items, counted) in [
        (1000, 1000),
        (10_000, 10_001),
        (20_000, 19_853),
        (100_000, 99_571),
        (200_000, 199_988),
        (500_000, 502_764),
        (1_000_000, 1_013_205),
    ] {
        while added < items {
            sketch.add(hash(&Value::Int(added), 100).unwrap());
            added += 1;
        }
        assert_eq!(sketch.cardinality(), counted);
        errors.push((counted as f64 / f64::from(items) - 1.0).powi(2));
    }
    assert!(matches!(sketch.form(), Form::Normal(_)));
    // The standard error promised for 2^14 registers is 0.81 percent.
    let error = (errors.iter().sum::<f64>() / errors.len() as f64).sqrt();
    assert!(error < 0.0081, "{error}");
}

#[test]
fn adding_is_seen_through_variables() {
    let hllp = engine("HLLP_INIT()");
    assert_eq!(
        text(&hllp, "HLLP_ADD(v, ['a', null, 'a'])"),
        "HLLP{cardinality=2}"
    );
    // What stands behind the second argument is ignored.
    text(&hllp, "HLLP_ADD(v, SET_INIT(['x', 'y']), 'z')");
    assert_eq!(text(&hllp, "HLLP_CARDINALITY(v)"), "3");
    let bloom = engine("BLOOM_INIT()");
    text(&bloom, "BLOOM_ADD(v, 1, null, ['a'])");
    for (item, there) in [
        ("1", "true"),
        ("1L", "false"),
        ("'1'", "false"),
        ("['a']", "true"),
        ("'a'", "false"),
    ] {
        assert_eq!(
            text(&bloom, &format!("BLOOM_EXISTS(v, {item})")),
            there,
            "{item}"
        );
    }
}

#[test]
fn printing_changes_nothing() {
    let engine = engine("HLLP_ADD(null, 'a')");
    let value = engine.evaluate("v").unwrap();
    let before = value.as_object::<Hllp>().unwrap().0.lock().clone();
    assert_eq!(to_text(&value), "HLLP{cardinality=1}");
    assert_eq!(*value.as_object::<Hllp>().unwrap().0.lock(), before);
}

#[test]
fn sketches_with_the_same_content_are_equal() {
    let engine = Engine::bare();
    let makes = |what: &str| format!("{what} == {what}");
    assert_eq!(text(&engine, &makes("HLLP_ADD(null, ['a', 'b'])")), "true");
    assert_eq!(
        text(&engine, &makes("BLOOM_ADD(BLOOM_INIT(), 'a')")),
        "true"
    );
    assert_eq!(
        text(&engine, "HLLP_ADD(null, 'a') == HLLP_ADD(null, 'b')"),
        "false"
    );
    assert_eq!(text(&engine, "HLLP_INIT(5) == HLLP_INIT(5, 6)"), "false");
}

#[test]
fn merging_follows_metron() {
    let hllp = engine("HLLP_ADD(null, ['a', 'b'])");
    // One sketch is given back itself, several make a new one.
    text(&hllp, "HLLP_ADD(HLLP_MERGE([v]), 'c')");
    assert_eq!(text(&hllp, "HLLP_CARDINALITY(v)"), "3");
    text(&hllp, "HLLP_ADD(HLLP_MERGE([v, v]), 'd')");
    assert_eq!(text(&hllp, "HLLP_CARDINALITY(v)"), "3");
    let mixed = "HLLP_CARDINALITY(HLLP_MERGE([v, HLLP_ADD(HLLP_INIT(14), ['c', 'd'])]))";
    assert_eq!(text(&hllp, mixed), "4");
    assert_eq!(text(&hllp, "HLLP_MERGE(null)"), "null");
    assert_eq!(code(&hllp, "HLLP_MERGE([v, null])"), "E0203");
    assert_eq!(code(&hllp, "HLLP_MERGE([v], [v])"), "E0202");

    let bloom = engine("BLOOM_ADD(BLOOM_INIT(), 'a')");
    // The first filter takes the others in; what is none is passed over.
    text(
        &bloom,
        "BLOOM_MERGE([1, v, null, BLOOM_ADD(BLOOM_INIT(), 'b')])",
    );
    assert_eq!(text(&bloom, "BLOOM_EXISTS(v, 'b')"), "true");
    assert_eq!(code(&bloom, "BLOOM_MERGE([v, v])"), "E0204");
    assert_eq!(text(&bloom, "BLOOM_MERGE(v)"), "null");
}

#[test]
fn impossible_arguments_are_refused() {
    let engine = Engine::bare();
    for (expression, expected) in [
        ("HLLP_INIT(null)", "E0203"),
        ("HLLP_INIT(14, 'x')", "E0203"),
        ("HLLP_INIT(14, 13)", "E0204"),
        ("HLLP_INIT(14, 33)", "E0204"),
        ("HLLP_INIT(14, -1)", "E0204"),
        ("HLLP_INIT(30)", "E0304"),
        ("HLLP_INIT(40)", "E0304"),
        ("HLLP_INIT(31, 32)", "E0304"),
        ("HLLP_ADD([], 1)", "E0203"),
        ("BLOOM_INIT(-1)", "E0204"),
        ("BLOOM_INIT(1, 0.9)", "E0204"),
        ("BLOOM_INIT(10, 0)", "E0204"),
        ("BLOOM_INIT(10, null)", "E0203"),
        ("BLOOM_INIT(2000000000, 0.0001)", "E0304"),
        ("BLOOM_ADD(BLOOM_INIT(), x -> x)", "E0203"),
        ("BLOOM_EXISTS(null, 1)", "E0203"),
    ] {
        assert_eq!(code(&engine, expression), expected, "{expression}");
    }
    assert_eq!(text(&engine, "BLOOM_ADD(null)"), "null");
    assert_eq!(text(&engine, "BLOOM_EXISTS()"), "false");
    assert_eq!(text(&engine, "HLLP_CARDINALITY(HLLP_INIT(), 1)"), "0");
}
