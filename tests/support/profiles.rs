//! What every store of measurements must do, whatever is behind it.
#![allow(dead_code)]

use super::Dice;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stellar::diagnostic::Code;
use stellar::engine::Engine;
use stellar::eval::Value;
use stellar::eval::collections::List;
use stellar::eval::text::to_text;
use stellar::profile::measurement::Measurement;
use stellar::profile::period::Period;
use stellar::profile::store::{Place, ProfileStore, Query, Within};
use stellar::store::Deadline;

/// The length of the periods of these tests.
pub const QUARTER: i64 = 900_000;
/// A moment.
pub const NOW: i64 = 1_700_000_000_000;
const DAY: i64 = 86_400_000;

pub fn period(number: i64) -> Period {
    Period {
        number,
        duration: QUARTER,
    }
}

pub fn measurement(
    profile: &str,
    entity: &str,
    number: i64,
    value: impl Into<Value>,
) -> Measurement {
    Measurement {
        profile: profile.into(),
        entity: entity.into(),
        groups: Vec::new(),
        period: period(number),
        value: value.into(),
        expires: None,
    }
}

pub fn grouped(mut measurement: Measurement, groups: &[Value]) -> Measurement {
    measurement.groups = groups.to_vec();
    measurement
}

pub fn query(profile: &str, entity: &str, numbers: impl IntoIterator<Item = i64>) -> Query {
    Query {
        profile: profile.into(),
        entity: entity.into(),
        periods: numbers.into_iter().map(period).collect(),
        ..Query::default()
    }
}

/// A call at a moment without an end.
pub fn at(now: i64, cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now,
        deadline: Deadline::NONE,
        cancel,
    }
}

fn texts(found: Vec<Option<Value>>) -> Vec<String> {
    let text = |value: Option<Value>| value.map_or("-".to_string(), |v| to_text(&v).to_string());
    found.into_iter().map(text).collect()
}

/// Everything that a store must do. `fresh` gives an empty store, or an empty part of one, each time.
pub fn suite<S: ProfileStore>(fresh: impl Fn() -> S) {
    values_come_in_the_order_of_the_periods(&fresh());
    only_the_texts_of_groups_count(&fresh());
    parts_of_a_row_have_no_separators(&fresh());
    places_are_apart(&fresh());
    every_kind_of_value_comes_back(&fresh());
    a_failed_write_leaves_nothing(&fresh());
    calls_end_when_they_must(&fresh());
    whatever_is_written_is_read(&fresh());
}

fn values_come_in_the_order_of_the_periods(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let place = Place::default();
    assert!(texts(store.read(&query("pg", "e1", [1, 2]), within).unwrap()) == ["-", "-"]);
    store.write(&place, &[], within).unwrap();
    let written: Vec<Measurement> = [(10, 103), (12, 101), (13, 100), (900, 7)]
        .into_iter()
        .map(|(number, value)| measurement("pg", "e1", number, Value::Int(value)))
        .collect();
    store.write(&place, &written, within).unwrap();
    let read = |numbers: &[i64]| {
        texts(
            store
                .read(&query("pg", "e1", numbers.iter().copied()), within)
                .unwrap(),
        )
    };
    assert_eq!(read(&[9, 10, 11, 12, 13]), ["-", "103", "-", "101", "100"]);
    assert_eq!(read(&[13, 12, 10]), ["100", "101", "103"]);
    assert_eq!(read(&[12, 12, 900, 12]), ["101", "101", "7", "101"]);
    assert_eq!(read(&[]), Vec::<String>::new());
    assert_eq!(read(&[i64::MAX, 0, -1, i64::MIN]), ["-"; 4]);
    // The same once more, and of two in one write the last.
    let again = [
        measurement("pg", "e1", 10, Value::Int(5)),
        measurement("pg", "e1", 12, Value::Int(6)),
        measurement("pg", "e1", 12, Value::Int(8)),
    ];
    store.write(&place, &again, within).unwrap();
    assert_eq!(read(&[10, 12, 13]), ["5", "8", "100"]);
    assert_eq!(
        texts(store.read(&query("pg", "e2", [10]), within).unwrap()),
        ["-"]
    );
    assert_eq!(
        texts(store.read(&query("px", "e1", [10]), within).unwrap()),
        ["-"]
    );
}

fn only_the_texts_of_groups_count(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let groups = [Value::text("weekends"), Value::Int(3)];
    let written = [
        grouped(measurement("pg", "e1", 10, Value::text("w")), &groups),
        measurement("pg", "e1", 10, Value::text("none")),
    ];
    store.write(&Place::default(), &written, within).unwrap();
    let read = |groups: &[Value]| {
        let mut query = query("pg", "e1", [10]);
        query.groups = groups.to_vec();
        texts(store.read(&query, within).unwrap()).join(" ")
    };
    assert_eq!(read(&groups), "w");
    assert_eq!(read(&[Value::text("weekends"), Value::text("3")]), "w");
    assert_eq!(read(&[Value::text("weekends3")]), "w");
    assert_eq!(read(&[Value::text("weekends")]), "-");
    assert_eq!(read(&[]), "none");
    let odd = [
        Value::Double(8080.0),
        Value::Bool(true),
        Value::Null,
        Value::List(List::linked(vec![Value::Int(1), Value::Int(2)])),
    ];
    let written = grouped(measurement("pg", "e1", 10, Value::Int(1)), &odd);
    store.write(&Place::default(), &[written], within).unwrap();
    assert_eq!(read(&[Value::text("8080.0truenull[1, 2]")]), "1");
}

fn parts_of_a_row_have_no_separators(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let written = [measurement("pg", "e1", 10, Value::Int(103))];
    store.write(&Place::default(), &written, within).unwrap();
    let read = |profile: &str, entity: &str| {
        texts(store.read(&query(profile, entity, [10]), within).unwrap()).join(" ")
    };
    assert_eq!(read("p", "ge1"), "103");
    assert_eq!(read("pge", "1"), "103");
    assert_eq!(read("p", "e1"), "-");
}

fn places_are_apart(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let place = Place::default();
    let written = [measurement("pg", "e1", 1_669_628, Value::Int(1))];
    store.write(&place, &written, within).unwrap();
    let read = |place: Place| {
        let mut query = query("pg", "e1", [1_669_628]);
        query.place = place;
        texts(store.read(&query, within).unwrap()).join(" ")
    };
    assert_eq!(read(place.clone()), "1");
    assert_eq!(
        read(Place {
            divisor: 7,
            ..place
        }),
        "-"
    );
}

fn every_kind_of_value_comes_back(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let engine = Engine::bare();
    let expressions = [
        "1",
        "-1L",
        "2.5",
        "1.5F",
        "true",
        "'é€😀'",
        "''",
        "[1, 'a', 1]",
        "{'a' : null, 'b' : [1]}",
        "STATS_ADD(STATS_INIT(), 1, 2, 3)",
        "HLLP_ADD(null, 'a')",
        "null",
    ];
    let values: Vec<Value> = expressions
        .map(|text| engine.evaluate(text).unwrap())
        .into();
    let written: Vec<Measurement> = (0..)
        .zip(&values)
        .map(|(number, value)| measurement("kinds", "e", number, value.clone()))
        .collect();
    store.write(&Place::default(), &written, within).unwrap();
    let read = store
        .read(&query("kinds", "e", 0..values.len() as i64), within)
        .unwrap();
    for ((found, value), expression) in read.into_iter().zip(&values).zip(expressions) {
        let found = found.unwrap();
        assert_eq!(found.type_name(), value.type_name(), "{expression}");
        assert_eq!(to_text(&found), to_text(value), "{expression}");
    }
    // What is read twice is not one and the same.
    let twice = store.read(&query("kinds", "e", [7, 7]), within).unwrap();
    let [Some(Value::List(a)), Some(Value::List(b))] = &twice[..] else {
        panic!("{twice:?}")
    };
    a.push(Value::Int(9), 100).unwrap();
    assert_eq!((a.len(), b.len()), (4, 3));
}

/// What stores must do that keep to the time of their callers; a server has a clock of its own.
pub fn what_expires_is_gone(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let mut short = measurement("ex", "e", 1, Value::Int(1));
    short.expires = Some(2);
    let mut past = measurement("ex", "e", 2, Value::Int(2));
    past.expires = Some(-1);
    let mut endless = measurement("ex", "e", 3, Value::Int(3));
    endless.expires = Some(i64::MAX);
    let kept = measurement("ex", "e", 4, Value::Int(4));
    store
        .write(
            &Place::default(),
            &[short, past, endless, kept],
            at(NOW, &cancel),
        )
        .unwrap();
    let read = |now| {
        texts(
            store
                .read(&query("ex", "e", 1..5), at(now, &cancel))
                .unwrap(),
        )
        .join(" ")
    };
    assert_eq!(read(NOW), "1 - 3 4");
    assert_eq!(read(NOW + 2 * DAY), "1 - 3 4");
    assert_eq!(read(NOW + 2 * DAY + 1), "- - 3 4");
    assert_eq!(read(NOW + 10_000 * DAY), "- - 3 4");
    // Written anew without an end it stays.
    let anew = measurement("ex", "e", 1, Value::Int(5));
    store
        .write(&Place::default(), &[anew], at(NOW + 3 * DAY, &cancel))
        .unwrap();
    assert_eq!(read(NOW + 9 * DAY), "5 - 3 4");
}

fn a_failed_write_leaves_nothing(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let lambda = Engine::bare().evaluate("x -> x").unwrap();
    let written = [
        measurement("bad", "e", 1, Value::Int(1)),
        measurement("bad", "e", 2, lambda),
    ];
    let fault = store
        .write(&Place::default(), &written, within)
        .unwrap_err();
    assert_eq!(fault.code, Code::ArgumentType);
    assert!(format!("{fault:?}").contains("profile bad"), "{fault:?}");
    assert_eq!(
        texts(store.read(&query("bad", "e", [1]), within).unwrap()),
        ["-"]
    );
}

fn calls_end_when_they_must(store: &impl ProfileStore) {
    let cancel = Arc::new(AtomicBool::new(true));
    let written = [measurement("end", "e", 1, Value::Int(1))];
    let place = Place::default();
    let code = |fault: stellar::diagnostic::Fault| fault.code;
    let cancelled = at(NOW, &cancel);
    assert_eq!(
        code(store.write(&place, &written, cancelled).unwrap_err()),
        Code::Interrupted
    );
    assert_eq!(
        code(store.read(&query("end", "e", [1]), cancelled).unwrap_err()),
        Code::Interrupted
    );
    cancel.store(false, Ordering::SeqCst);
    let late = Within {
        deadline: Deadline::after(Duration::ZERO),
        ..at(NOW, &cancel)
    };
    assert_eq!(
        code(store.write(&place, &written, late).unwrap_err()),
        Code::Timeout
    );
    assert_eq!(
        code(store.read(&query("end", "e", [1]), late).unwrap_err()),
        Code::Timeout
    );
    assert_eq!(
        texts(
            store
                .read(&query("end", "e", [1]), at(NOW, &cancel))
                .unwrap()
        ),
        ["-"]
    );
}

/// Any measurements, any order of periods, any duplicates, against a table in memory.
fn whatever_is_written_is_read(store: &impl ProfileStore) {
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let mut dice = Dice(0x5eed);
    let mut model: HashMap<(String, i64), i32> = HashMap::new();
    let profiles = ["a", "ab", "é", "x y"];
    let entities = ["1", "10.0.0.1", "b1", "\u{1f600}", "a\nb", "\0"];
    let groups = ["", "g", "1", "weekends"];
    for round in 0..30 {
        let mut batch = Vec::new();
        for _ in 0..dice.roll(80) {
            let (p, e, g) = (
                dice.pick(&profiles),
                dice.pick(&entities),
                dice.pick(&groups),
            );
            let far = if dice.roll(4) == 0 { 1000 } else { 1 };
            let number = dice.roll(60) as i64 * far;
            let value = dice.roll(1_000_000) as i32;
            let mut one = measurement(p, e, number, Value::Int(value));
            if !g.is_empty() {
                one.groups = vec![Value::text(g)];
            }
            // Only the last of those that share a row counts, which rows of one name must not test here.
            model.insert((format!("{p}|{e}|{g}"), number), value);
            batch.push(one);
        }
        store.write(&Place::default(), &batch, within).unwrap();
        for _ in 0..10 {
            let (p, e, g) = (
                dice.pick(&profiles),
                dice.pick(&entities),
                dice.pick(&groups),
            );
            // "a" + "b1" and "ab" + "1" are one row where nothing separates them.
            let shared = |p: &str, e: &str| (p == "a" && e == "b1") || (p == "ab" && e == "1");
            if shared(p, e) {
                continue;
            }
            let numbers: Vec<i64> = (0..dice.roll(100))
                .map(|_| dice.roll(70) as i64 * if dice.roll(4) == 0 { 1000 } else { 1 })
                .collect();
            let mut query = query(p, e, numbers.iter().copied());
            if !g.is_empty() {
                query.groups = vec![Value::text(g)];
            }
            let found = texts(store.read(&query, within).unwrap());
            let wanted = numbers.iter().map(|n| {
                let known = model.get(&(format!("{p}|{e}|{g}"), *n));
                known.map_or("-".to_string(), i32::to_string)
            });
            assert_eq!(
                found,
                wanted.collect::<Vec<_>>(),
                "round {round}: {p} {e} {g} {numbers:?}"
            );
        }
    }
}
