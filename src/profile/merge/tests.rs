use super::*;
use crate::diagnostic::Source;
use crate::engine::Engine;
use crate::eval::text::to_text;
use crate::profile::definition::parse;

struct Bench {
    engine: Engine,
    definition: Arc<Definition>,
}

/// A profile with these variables, set in `init` and `update`.
fn bench(init: &str, update: &str, result: &str) -> Bench {
    let text = format!(
        r#"{{"profiles": [{{"profile": "p", "foreach": "ip", "init": {{{init}}}, "update": {{{update}}}, "result": "{result}"}}]}}"#
    );
    let definitions = parse(&Arc::new(Source::expression(text))).unwrap();
    Bench {
        engine: Engine::bare(),
        definition: definitions.profiles[0].clone(),
    }
}

impl Bench {
    fn merge(&self) -> Result<Merge, Vec<Reason>> {
        Merge::of(&self.definition, &self.engine.context)
    }

    /// Two states of one variable, given by expressions, joined.
    fn joined(&self, left: &str, right: &str) -> String {
        let merge = self.merge().unwrap_or_else(|reasons| panic!("{reasons:?}"));
        let value = |text: &str| self.engine.evaluate(text).unwrap();
        let (left, right) = ([value(left)], [value(right)]);
        let before = (to_text(&left[0]), to_text(&right[0]));
        let joined = merge.states(&left, &right, &self.engine.context).unwrap();
        // Neither side is changed.
        assert_eq!((to_text(&left[0]), to_text(&right[0])), before);
        assert_eq!(joined.len(), 1);
        to_text(&joined[0]).to_string()
    }

    fn reasons(&self) -> Vec<String> {
        match self.merge() {
            Ok(_) => Vec::new(),
            Err(reasons) => reasons.iter().map(ToString::to_string).collect(),
        }
    }
}

#[test]
fn what_grows_in_any_order_is_joined() {
    for (init, update, left, right, joined) in [
        ("0", "n + 1", "3", "4", "7"),
        ("0", "bytes + n", "3L", "4L", "7"),
        ("10", "n + 1", "13", "14", "17"),
        ("0.0", "n - lost", "-1.5", "-2.5", "-4.0"),
        ("0", "if ok then n + 1 else n", "1", "1", "2"),
        ("0", "ok ? n + 1 : null", "1", "1", "2"),
        (
            "0",
            "match{ ok => n + 1, bad => n + 2, default => n }",
            "1",
            "2",
            "3",
        ),
        ("0", "MAX([n, size])", "3", "9", "9"),
        ("99", "MIN([size, n])", "3", "9", "3"),
        ("false", "n or admin", "true", "false", "true"),
        ("true", "n and small", "true", "false", "false"),
        (
            "false",
            "if admin then true else n",
            "false",
            "true",
            "true",
        ),
        (
            "'none'",
            "if admin then 'some' else n",
            "'some'",
            "'none'",
            "some",
        ),
        ("", "'seen'", "'seen'", "'seen'", "seen"),
        (
            "STATS_INIT()",
            "STATS_ADD(n, size)",
            "STATS_ADD(null, 1, 2)",
            "STATS_ADD(null, 6)",
            "Statistics{count=3, mean=3.0}",
        ),
        (
            "STATS_INIT()",
            "STATS_MERGE([n, part])",
            "STATS_ADD(null, 1)",
            "STATS_ADD(null, 3)",
            "Statistics{count=2, mean=2.0}",
        ),
        (
            "HLLP_INIT()",
            "HLLP_ADD(n, host)",
            "HLLP_ADD(null, ['a', 'b'])",
            "HLLP_ADD(null, ['b', 'c'])",
            "HLLP{cardinality=3}",
        ),
        (
            "OUTLIER_MAD_STATE_MERGE([])",
            "OUTLIER_MAD_ADD(n, size)",
            "OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), [1, 2])",
            "OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), 3)",
            "MedianAbsoluteDeviation{count=3, median=2.0, mad=1.0}",
        ),
        (
            "SET_INIT()",
            "SET_ADD(n, host)",
            "SET_INIT(['a'])",
            "SET_INIT(['a', 'b'])",
            "[a, b]",
        ),
        (
            "MULTISET_INIT()",
            "MULTISET_ADD(n, port)",
            "MULTISET_INIT(['a', 'b'])",
            "MULTISET_INIT(['a'])",
            "{a=2, b=1}",
        ),
    ] {
        let init = match init {
            "" => String::new(),
            text => format!(r#""n": "{text}""#),
        };
        let bench = bench(&init, &format!(r#""n": "{update}""#), "n");
        assert_eq!(bench.joined(left, right), joined, "{init} {update}");
        // What one side has not got comes from the other.
        assert_eq!(
            bench.joined("null", right),
            bench.joined(right, "null"),
            "{init} {update}"
        );
    }
}

#[test]
fn bloom_filters_and_samples_are_joined() {
    let bloom = bench(
        r#""n": "BLOOM_INIT()""#,
        r#""n": "BLOOM_ADD(n, host)""#,
        "n",
    );
    let merge = bloom
        .merge()
        .unwrap_or_else(|reasons| panic!("{reasons:?}"));
    let value = |text: &str| bloom.engine.evaluate(text).unwrap();
    let left = value("BLOOM_ADD(BLOOM_INIT(), 'a')");
    let right = value("BLOOM_ADD(BLOOM_INIT(), 'b')");
    let joined = merge
        .values(left.clone(), right, &bloom.engine.context)
        .unwrap()
        .unwrap();
    let has = |filter: &Value, text: &str| {
        let call = bloom
            .engine
            .registry
            .spec("BLOOM_EXISTS")
            .unwrap()
            .builtin();
        let found = crate::eval::call_builtin(
            &call,
            vec![filter.clone(), Value::text(text)],
            &bloom.engine.context,
        );
        to_text(&found.unwrap()).to_string()
    };
    assert_eq!(
        [has(&joined, "a"), has(&joined, "b"), has(&joined, "c")],
        ["true", "true", "false"]
    );
    assert_eq!(has(&left, "b"), "false");
    let sample = bench(
        r#""n": "SAMPLE_INIT(10)""#,
        r#""n": "SAMPLE_ADD(n, host)""#,
        "n",
    );
    let text = sample.joined(
        "SAMPLE_ADD(SAMPLE_INIT(10), 'a')",
        "SAMPLE_ADD(SAMPLE_INIT(10), 'b')",
    );
    assert!(text.contains("=2"), "{text}");
}

#[test]
fn sketches_that_do_not_fit_are_an_error() {
    let bench = bench(r#""n": "HLLP_INIT(6)""#, r#""n": "HLLP_ADD(n, host)""#, "n");
    let merge = bench
        .merge()
        .unwrap_or_else(|reasons| panic!("{reasons:?}"));
    let text = bench.engine.evaluate("'no sketch'").unwrap();
    let sketch = bench.engine.evaluate("HLLP_INIT(6)").unwrap();
    assert!(merge.values(sketch, text, &bench.engine.context).is_err());
}

#[test]
fn states_of_several_variables_keep_their_order() {
    let bench = bench(
        r#""n": "0", "most": "0""#,
        r#""most": "MAX([most, size])", "n": "n + 1""#,
        "most / n",
    );
    let merge = bench
        .merge()
        .unwrap_or_else(|reasons| panic!("{reasons:?}"));
    assert_eq!(bench.definition.variables(), ["n", "most"]);
    let (left, right) = (
        [Value::Int(2), Value::Int(7)],
        [Value::Int(1), Value::Int(9)],
    );
    let joined = merge.states(&left, &right, &bench.engine.context).unwrap();
    assert_eq!(joined.iter().map(to_text).collect::<Vec<_>>(), ["3", "9"]);
    // The result is no variable, so that values do not tell the states.
    let values = merge
        .values(Value::Int(3), Value::Int(9), &bench.engine.context)
        .unwrap();
    assert!(values.is_none());
}

#[test]
fn what_cannot_be_joined_says_why() {
    for (init, update, reason) in [
        ("", "n + 1", "n holds what earlier periods left in it"),
        (
            "",
            "STATS_ADD(n, size)",
            "n holds what earlier periods left in it",
        ),
        ("0", "size", "n holds what the last message gave"),
        (
            "size",
            "n + 1",
            "n begins with something of the first message",
        ),
        (
            "STATS_INIT(50)",
            "STATS_ADD(n, size)",
            "n does not begin as STATS_INIT()",
        ),
        (
            "{'a': 1}",
            "MULTISET_ADD(n, size)",
            "n does not begin as MULTISET_INIT()",
        ),
        (
            "1",
            "n * size",
            "nothing is known about how two values of n are joined",
        ),
        (
            "0",
            "size - n",
            "nothing is known about how two values of n are joined",
        ),
        (
            "0",
            "n + n",
            "nothing is known about how two values of n are joined",
        ),
        (
            "0",
            "if n > 3 then n else n + 1",
            "nothing is known about how two values of n are joined",
        ),
        (
            "0",
            "if ok then n + 1 else MAX([n, 3])",
            "nothing is known about how two values of n are joined",
        ),
        (
            "false",
            "n or a and b",
            "nothing is known about how two values of n are joined",
        ),
        (
            "[]",
            "LIST_ADD(n, size)",
            "nothing is known about how two values of n are joined",
        ),
        ("0", "n +", "n is set by an expression that cannot be read"),
    ] {
        let init = match init {
            "" => String::new(),
            text => format!(r#""n": "{text}""#),
        };
        let bench = bench(&init, &format!(r#""n": "{update}""#), "n");
        assert_eq!(bench.reasons(), [reason], "{init} {update}");
    }
    for (update, reason) in [
        ("n + LENGTH(_)", "n is built on all variables"),
        ("n + m.part", "n is built on m"),
        ("n + _.m", "n is built on m"),
        (
            "n + n.part",
            "nothing is known about how two values of n are joined",
        ),
    ] {
        let bench = bench(r#""n": "0", "m": "0""#, &format!(r#""n": "{update}""#), "n");
        assert_eq!(bench.reasons(), [reason], "{update}");
    }
    let text = bench(r#""n": "''""#, r#""n": "n + host""#, "n");
    assert_eq!(text.reasons(), ["n does not begin as a number"]);
    let two = bench(
        r#""a": "0", "b": "0""#,
        r#""a": "a + 1", "b": "a + b""#,
        "b",
    );
    assert_eq!(two.reasons(), ["b is built on a"]);
    let first = bench(r#""a": "host""#, "", "a");
    assert_eq!(
        first.reasons(),
        ["a begins with something of the first message"]
    );
    assert_eq!(bench("", "", "1").reasons(), Vec::<String>::new());
}
