//! Whatever stands in definitions and messages, nothing panics.

use super::Bench;
use crate::eval::Value;
use proptest::prelude::*;

/// Expressions, good and bad, over fields that may be there.
fn expression() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "s",
        "_",
        "_.a",
        "a.b",
        "''",
        "null",
        "1",
        "a + 1",
        "s + a",
        "NOSUCH(a)",
        "1 / 0",
        "(",
        "[a, s]",
        "{'k': s}",
        "STATS_ADD(s, a)",
        "MAP_PUT('k', _, s)",
        "LIST_ADD(s, s)",
        "exists(a)",
        "result",
        "start",
        "SET_ADD(s, a)",
        "a.b.c",
        "LENGTH(_)",
        "TO_STRING(_)",
    ])
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "-3.5",
        "null",
        "true",
        "\"x\"",
        "\"\"",
        "12345678901",
        "123456789012345678901234567890",
        "1e999",
    ])
    .prop_map(str::to_string);
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(
                (
                    prop::sample::select(vec!["a", "b", "s", "a.b", "ts", "ip"]),
                    inner
                ),
                0..4
            )
            .prop_map(|m| format!(
                "{{{}}}",
                m.iter()
                    .map(|(k, v)| format!("\"{k}\":{v}"))
                    .collect::<Vec<_>>()
                    .join(",")
            )),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_makes_a_profiler_panic(
        expressions in prop::collection::vec(expression(), 8),
        messages in prop::collection::vec(json(), 0..12),
        event_time in any::<bool>(),
    ) {
        let e = |i: usize| expressions.get(i).copied().unwrap_or_default();
        let time = if event_time { r#","timestampField":"ts""# } else { "" };
        let text = format!(
            r#"{{"profiles":[{{"profile":"x","foreach":"{}","onlyif":"{}","init":{{"s":"{}"}},"update":{{"s":"{}","a":"{}"}},"groupBy":["{}"],"result":{{"profile":"{}","triage":{{"t":"{}"}}}}}}]{time}}}"#,
            e(0), e(1), e(2), e(3), e(4), e(5), e(6), e(7),
        );
        let mut bench = Bench::new(&text);
        for message in &messages {
            let value = Value::text(message);
            let _ = bench.profiler.apply_value(&value, &bench.context, &|| Ok(()));
        }
        let before = bench.profiler.counts();
        prop_assert!(before.2 <= before.1);
        let flushed = bench.flush();
        prop_assert!(flushed.iter().all(|f| !f.measurement.value.is_null() && !f.measurement.entity.is_empty()));
        prop_assert!(bench.flush().is_empty());
    }
}
