#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::held::{Held, SHARDS, tasks};
use super::row::{Take, copy, put, put_number, put_text};
use super::{Fieldful, Stream};
use crate::diagnostic::Source;
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::json::{read, to_typed};

#[test]
fn values_come_back_as_they_were() {
    let mut values: Vec<Value> = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e999",
        "123456789012345678901234567890",
        "\"\"",
        "\"short\"",
        "[1, [2.5, null], {\"a\": \"b\"}]",
        "{\"z\": 1, \"a\": {\"b\": []}}",
    ]
    .map(|text| read(text, 100).unwrap())
    .into();
    values.extend([Value::Long(i64::MIN), Value::Long(i64::MAX), Value::Int(7)]);
    // Around the lengths at which texts are written otherwise.
    values
        .extend([246, 247, 248, 300].map(|n| Value::text("ä".repeat(n / 2) + &"x".repeat(n % 2))));
    let mut bytes = Vec::new();
    for value in &values {
        put(value, &mut bytes).unwrap();
    }
    put_text("entity", &mut bytes);
    put_number(u64::MAX, &mut bytes);
    let mut take = Take(&bytes);
    for value in &values {
        let back = take.value().expect("a value");
        assert_eq!(to_typed(&back).unwrap(), to_typed(value).unwrap());
    }
    assert_eq!(take.text(), Some("entity"));
    assert_eq!(take.number(), Some(u64::MAX));
    assert!(take.0.is_empty() && take.value().is_none());
    // What is cut short is nothing, wherever it is cut.
    for end in 0..bytes.len() {
        let mut take = Take(&bytes[..end]);
        let whole = values.iter().all(|_| take.value().is_some());
        assert!(!whole || take.text().is_none() || take.number().is_none());
    }
}

#[test]
fn a_view_stays_a_view_and_copies_share_nothing() {
    let Value::Map(map) = read("{\"a\": [1]}", 100).unwrap() else {
        panic!("a map");
    };
    let mut bytes = Vec::new();
    put(&Value::Map(map.as_view()), &mut bytes).unwrap();
    let Some(Value::Map(back)) = Take(&bytes).value() else {
        panic!("a map");
    };
    assert_eq!(back.kind(), MapKind::View);
    let list = List::array(vec![Value::Long(1)]);
    let Value::List(other) = copy(&Value::List(list.clone())).unwrap() else {
        panic!("a list");
    };
    other.push(Value::Null, 10).unwrap();
    assert_eq!((list.len(), other.len()), (1, 2));
}

#[test]
fn what_waits_comes_back_by_period_and_in_the_order_of_the_chunks() {
    let folder = tempfile::tempdir().unwrap();
    for limit in [0, 3000, usize::MAX] {
        let mut held = [
            Held::new(limit, folder.path()),
            Held::new(limit, folder.path()),
        ];
        // Two threads take turns, not regularly.
        for chunk in 0..200u64 {
            let thread = usize::from(chunk % 3 == 0);
            for n in 0..7 {
                let place = ((chunk % 5) as i64 - 2, n % 3);
                let write = |out: &mut Vec<u8>| {
                    put_number(chunk, out);
                    put_number(n as u64, out);
                    Ok(())
                };
                held[thread].event(place, chunk, write).unwrap();
            }
            held[thread].bound().unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let (files, tasks) = tasks(held.into());
        assert_eq!(files.len(), if limit == usize::MAX { 0 } else { 2 });
        assert_eq!(tasks.len(), 5 * 3);
        assert!(tasks.is_sorted_by_key(|task| task.period) && SHARDS > 3);
        let mut count = 0;
        for task in tasks {
            let period = task.period;
            let mut before = None;
            task.groups(&files, &mut |chunk, bytes| {
                let mut take = Take(bytes);
                while !take.0.is_empty() {
                    let event = (take.number().unwrap(), take.number().unwrap());
                    assert_eq!((event.0, (event.0 % 5) as i64 - 2), (chunk, period));
                    assert!(before < Some(event), "{before:?} {event:?}");
                    before = Some(event);
                    count += 1;
                }
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(count, 200 * 7);
    }
}

/// A record without fields.
struct Empty;

impl Fieldful for Empty {
    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn whole(&self) -> Map {
        Map::new(MapKind::Ordered, Default::default())
    }
}

#[test]
fn streams_count_periods_as_archives_do() {
    let text = r#"{"profiles": [{"profile": "p", "foreach": "'e'", "result": "1"}]}"#;
    let source = std::sync::Arc::new(Source::expression(text));
    let definitions = crate::profile::definition::parse(&source).unwrap();
    let mut stream = Stream::new(&definitions, 1000, 10, &Engine::bare().context).unwrap();
    // Metron divides as Java does, towards zero.
    for time in [-1001, -1, 999, 1000] {
        stream.apply(&Empty, time).unwrap();
    }
    let measured = stream.end().unwrap();
    let numbers: Vec<i64> = measured.iter().map(|m| m.period.number).collect();
    assert_eq!(numbers, [-1, 0, 1]);
}
