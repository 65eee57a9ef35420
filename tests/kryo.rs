//! Compares stored bytes with those of the real classes, and feeds the reader damaged ones.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::Value as Json;
use std::sync::Arc;
use stellar::diagnostic::Code;
use stellar::engine::Engine;
use stellar::eval::collections::{Elements, Entries, List, ListKind, Map, MapKind, Set};
use stellar::eval::text::to_text;
use stellar::eval::{Value, Variables};
use stellar::functions::kryo;
use stellar::functions::sketches::filter::{self, Filter};
use stellar::functions::sketches::hyperloglog::HyperLogLog;
use stellar::functions::sketches::{self, Bloom, Hllp};

const LONGEST: usize = 1 << 26;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

fn read(digits: &str) -> Value {
    kryo::read(&unhex(digits)).unwrap_or_else(|fault| panic!("{}: {digits}", fault.message))
}

fn written(value: &Value) -> String {
    hex(&kryo::write(value, LONGEST).unwrap())
}

/// Long bytes by a checksum.
fn short(digits: String) -> String {
    match digits.len() {
        ..=400 => digits,
        _ => format!("sum:{}", checksum(&digits)),
    }
}

fn checksum(text: &str) -> String {
    let sum = text.bytes().fold(7u64, |sum, byte| {
        sum.wrapping_mul(1_000_003).wrapping_add(u64::from(byte))
    });
    format!("{sum:x}")
}

/// Classes without a kind of their own, and the one they become.
const NEAREST: &[(&str, &str)] = &[
    ("java.lang.Short", "Integer"),
    ("java.lang.Byte", "Integer"),
    ("java.util.Arrays$ArrayList", "List"),
    ("java.util.Collections$EmptyList", "List"),
    ("java.util.Collections$SingletonList", "List"),
    ("java.util.Collections$UnmodifiableRandomAccessList", "List"),
    ("java.util.TreeMap", "Map"),
    ("java.util.HashSet", "Set"),
    ("java.math.BigDecimal", "Double"),
    ("java.util.Date", "Long"),
    ("[B", "List"),
    ("[I", "List"),
    ("[Ljava.lang.Object;", "List"),
    ("[Ljava.lang.String;", "List"),
    ("com.google.common.collect.SingletonImmutableList", "List"),
    ("com.google.common.collect.SingletonImmutableBiMap", "Map"),
];

#[test]
fn recorded_values_come_back_byte_for_byte() {
    let table = std::fs::read_to_string("tests/conformance/profiler/kryo_values.txt").unwrap();
    let mut exact = 0;
    for line in table.lines() {
        let (front, back) = line.rsplit_once("<-").unwrap();
        let (_, digits) = front.rsplit_once(']').unwrap();
        let digits = digits.replace(' ', "");
        let value = read(&digits);
        let (text, class) = back.trim().rsplit_once(' ').unwrap_or(("", back.trim()));
        match NEAREST.iter().find(|(known, _)| *known == class) {
            Some((_, kind)) => assert_eq!(value.type_name(), *kind, "{line}"),
            None => {
                assert_eq!(written(&value), digits, "{line}");
                exact += 1;
            }
        }
        let array = class.starts_with('[') || class == "java.util.Date";
        if !array && !line.contains("NUL") && class != "null" {
            assert_eq!(to_text(&value).trim(), text.trim(), "{line}");
        }
    }
    assert_eq!(exact, 62);
}

#[test]
fn values_that_java_wrote_come_back_byte_for_byte() {
    let table = include_str!("java_kryo.tsv");
    let rows: Vec<&str> = table.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(rows.len(), 250);
    for digits in rows {
        assert_eq!(written(&read(digits)), digits);
    }
}

/// The variables of a recorded expression, and `s`.
struct Named(Vec<(smol_str::SmolStr, Value)>);

impl Variables for Named {
    fn get(&self, name: &str) -> Option<Value> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    }

    fn all(&self) -> Vec<(smol_str::SmolStr, Value)> {
        self.0.clone()
    }
}

fn evaluate(engine: &Engine, expression: &str, s: Value) -> Value {
    let big = (0..1000).map(|i| Value::Int((i * 7919) % 1000));
    let huge = (0..20_000).map(|i| Value::Double(f64::from((i * 7919) % 20_011) / 7.0));
    let variables = vec![
        ("s".into(), s),
        ("big".into(), Value::from(big.collect::<Vec<_>>())),
        ("huge".into(), Value::from(huge.collect::<Vec<_>>())),
    ];
    let context = engine.context.with_variables(Arc::new(Named(variables)));
    let source = Arc::new(stellar::diagnostic::Source::expression(expression));
    let program = stellar::eval::compile(&source, &context).unwrap();
    program.evaluate(&context).unwrap()
}

#[test]
fn recorded_objects_answer_as_they_did() {
    let engine = Engine::bare();
    let table = std::fs::read_to_string("tests/conformance/profiler/kryo_objects.jsonl").unwrap();
    for line in table.lines() {
        let row: Json = serde_json::from_str(line).unwrap();
        let (expression, digits) = (row["expr"].as_str().unwrap(), row["hex"].as_str().unwrap());
        let value = read(digits);
        let again = written(&value);
        // Where a window begins in its array is not kept.
        let slid = expression.contains("STATS_INIT(4)");
        assert_eq!(again == digits, !slid, "{expression}");
        let back = read(&again);
        for (question, answer) in row.as_object().unwrap() {
            if !question.ends_with(')') {
                continue;
            }
            let expected: f64 = answer.as_str().unwrap().parse().unwrap();
            for value in [&value, &back] {
                let found = evaluate(&engine, question, value.clone());
                let found: f64 = to_text(&found).parse().unwrap();
                let near = (found - expected).abs() <= 1e-12 * expected.abs();
                let same = near || (found.is_nan() && expected.is_nan());
                assert!(same, "{expression}: {question} is {found}, was {expected}");
            }
        }
        // A digest is built in another way; everything else is stored as there from the start.
        let digest = ["STATS", "OUTLIER"].iter().any(|w| expression.contains(w));
        if !digest {
            let made = evaluate(&engine, expression, Value::Null);
            assert_eq!(written(&made), digits, "{expression}");
        }
    }
}

fn hllp_row(row: &[&str]) -> Vec<String> {
    let number = |i: usize| row[i].parse::<i32>().unwrap();
    let hash = |item: Value| sketches::hash(&item, 100).unwrap();
    let mut first = HyperLogLog::new(number(0), number(1)).unwrap();
    let mut second = first.clone();
    let mut merged = first.clone();
    for i in 0..number(2) {
        first.add(hash(Value::Int(number(3) + i)));
        if i % 3 == 0 {
            first.add(hash(Value::text(format!("x{}", i % 100))));
        }
        second.add(hash(Value::text(format!("g{i}é"))));
    }
    let stored = written(&Hllp::value(first.clone()));
    let mut restored = read(&stored);
    let copy = restored.as_object::<Hllp>().unwrap().0.lock().clone();
    assert_eq!(copy, first);
    restored = Hllp::value(copy);
    assert_eq!(written(&restored), stored);
    let cardinality = first.cardinality();
    merged.merge(&mut first).unwrap();
    merged.merge(&mut second).unwrap();
    vec![
        cardinality.to_string(),
        merged.cardinality().to_string(),
        short(stored),
    ]
}

fn bloom_row(row: &[&str]) -> Vec<String> {
    let (expected, rate) = (
        row[0].parse::<u32>().unwrap(),
        row[1].parse::<f32>().unwrap(),
    );
    let (bits, hashes) = filter::plan(expected, f64::from(rate));
    let mut filter = Filter::new(bits, hashes);
    let bytes = |value: Value| {
        let mut bytes = Vec::new();
        kryo::append(&value, LONGEST, &mut bytes).unwrap();
        bytes
    };
    for i in 0..expected.min(300).cast_signed() + 3 {
        filter.add(&bytes(match i % 4 {
            0 => Value::Int(i),
            1 => Value::text(format!("s{i}")),
            2 => Value::Double(f64::from(i) * 1.5),
            _ => Value::List(List::linked(vec![
                Value::Int(i),
                Value::text(format!("t{i}")),
            ])),
        }));
    }
    let known = |i| filter.has(&bytes(Value::text(format!("q{i}"))));
    let answers: String = (0..2000)
        .map(|i| if known(i) { '1' } else { '0' })
        .collect();
    let stored = written(&Bloom::value(filter));
    assert_eq!(written(&read(&stored)), stored);
    vec![
        answers.matches('1').count().to_string(),
        checksum(&answers),
        short(stored),
    ]
}

#[test]
fn sketches_agree_with_java_to_the_bit() {
    let mut rows = 0;
    for line in include_str!("java_sketches.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (found, expected) = match fields[..] {
            ["hllp", ref row @ ..] => (hllp_row(row), &row[4..]),
            ["bloom", ref row @ ..] => (bloom_row(row), &row[2..]),
            _ => continue,
        };
        assert_eq!(found, expected, "{}", &fields[..5].join(" "));
        rows += 1;
    }
    assert!(rows > 300, "{rows} rows");
}

#[test]
fn shared_parts_stay_shared() {
    let inner = Value::from(vec![Value::Int(1)]);
    let long = Value::text("a text that is too long to be kept in place");
    let list = Value::from(vec![inner.clone(), long.clone(), inner, long]);
    let back = kryo::read(&kryo::write(&list, LONGEST).unwrap()).unwrap();
    let Value::List(items) = &back else {
        panic!("{back:?}")
    };
    let items = items.items();
    let (Value::List(a), Value::List(b)) = (&items[0], &items[2]) else {
        panic!("{back:?}")
    };
    assert!(a.same(b));
    assert_eq!(written(&back), written(&list));
}

#[test]
fn fresh_short_texts_are_not_one() {
    let list = Value::from(vec![Value::text("ab"), Value::text("ab")]);
    let mut fresh = Vec::new();
    kryo::append(&list, LONGEST, &mut fresh).unwrap();
    assert!(hex(&fresh).ends_with("02030161e2030161e2"));
    assert!(written(&list).ends_with("02030161e20303"));
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let engine = Engine::bare();
    let lambda = engine.evaluate("x -> x").unwrap();
    let list = Value::from(vec![lambda]);
    assert_eq!(
        kryo::write(&list, LONGEST).unwrap_err().code,
        Code::ArgumentType
    );
    let mut deep = Value::Null;
    for _ in 0..300 {
        deep = Value::from(vec![deep]);
    }
    assert_eq!(kryo::write(&deep, LONGEST).unwrap_err().code, Code::Nesting);
    let long = Value::text("x".repeat(1000));
    assert_eq!(
        kryo::write(&long, 999).unwrap_err().code,
        Code::StringLength
    );
}

const ARRAY_LIST: &str = "01006a6176612e7574696c2e41727261794c6973f401";

#[test]
fn damaged_bytes_say_where() {
    for (digits, message) in [
        ("", "ends too early (at byte 0)"),
        ("0a4008", "ends too early (at byte 3)"),
        ("0c00", "refers to something that is no value (at byte 0)"),
        ("0b", "no class has the number 11 (at byte 0)"),
        (
            "0309",
            "refers to part 7, which does not come before (at byte 1)",
        ),
        ("030161", "a text has no end (at byte 2)"),
        ("0301fffffffff7", "characters cannot follow (at byte 2)"),
        ("030182ff", "this begins no character (at byte 3)"),
        ("0107", "class name 7 comes before class name 0 (at byte 0)"),
        (
            "01006a6176612e6c616e672e5468726561e401",
            "class java.lang.Thread",
        ),
        (
            &format!("{ARRAY_LIST}ffffffff0f"),
            "4294967295 parts cannot follow",
        ),
        (&format!("{ARRAY_LIST}01010002"), "cannot hold itself"),
    ] {
        let fault = kryo::read(&unhex(digits)).unwrap_err();
        assert_eq!(fault.code, Code::DamagedValue, "{digits}");
        assert!(fault.message.contains(message), "{}", fault.message);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let mut bytes = unhex(ARRAY_LIST);
    bytes.push(1);
    for _ in 0..100_000 {
        bytes.extend([1, 0, 1, 1]);
    }
    let fault = kryo::read(&bytes).unwrap_err();
    assert_eq!(fault.code, Code::Nesting);
}

#[test]
fn every_cut_and_every_changed_byte_is_survived() {
    let table = std::fs::read_to_string("tests/conformance/profiler/kryo_objects.jsonl").unwrap();
    for line in table.lines().filter(|line| line.len() < 8000) {
        let row: Json = serde_json::from_str(line).unwrap();
        let bytes = unhex(row["hex"].as_str().unwrap());
        for end in 0..bytes.len() {
            assert!(kryo::read(&bytes[..end]).is_err());
        }
        for i in 0..bytes.len() {
            for bit in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[i] ^= bit;
                if let Ok(value) = kryo::read(&changed) {
                    let _ = to_text(&value);
                    let _ = kryo::write(&value, LONGEST);
                }
            }
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::Long),
        any::<f32>().prop_map(Value::Float),
        any::<f64>().prop_map(Value::Double),
        any::<u16>().prop_map(Value::Char),
        any::<i128>().prop_map(|n| Value::Big(Arc::new(n.into()))),
        "\\PC{0,80}".prop_map(Value::string),
        "[a-z]{60,70}".prop_map(Value::string),
    ];
    leaf.prop_recursive(5, 200, 20, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..20);
        let pairs = prop::collection::vec((inner.clone(), inner), 0..20);
        prop_oneof![
            (items.clone(), any::<bool>()).prop_map(|(items, linked)| {
                let kind = if linked {
                    ListKind::Linked
                } else {
                    ListKind::Array
                };
                Value::List(List::new(kind, items))
            }),
            items.prop_map(|items| Value::Set(Set::new(Elements::from_iter(items)))),
            (pairs, any::<bool>()).prop_map(|(pairs, hash)| {
                let kind = if hash {
                    MapKind::Hash
                } else {
                    MapKind::Ordered
                };
                Value::Map(Map::new(kind, Entries::from_iter(pairs)))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn values_come_back_equal(value in values()) {
        let bytes = kryo::write(&value, LONGEST).unwrap();
        let back = kryo::read(&bytes).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(kryo::write(&back, LONGEST).unwrap(), bytes);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(fault) = kryo::read(&bytes) {
            let known = matches!(fault.code, Code::DamagedValue | Code::Nesting);
            prop_assert!(known && fault.message.contains("at byte"));
        }
    }

    #[test]
    fn bytes_that_begin_well_are_survived(bytes in prop::collection::vec(0u8..20, 0..300)) {
        let _ = kryo::read(&bytes);
        let mut list = unhex(ARRAY_LIST);
        list.extend(&bytes);
        let _ = kryo::read(&list);
    }
}
