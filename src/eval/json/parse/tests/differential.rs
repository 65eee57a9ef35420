//! Random events and their mutations: serde_json, the parser and the reader of fields must agree on every one.

use super::super::{Extractor, Field, parse_event};
use super::{Random, Value, Values, lookup, value_of, whole};

const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "a.b",
    "b.c",
    "a.b.c",
    "",
    ".",
    "\\u0061",
    "a\\u002eb",
    "é",
    "status",
    "protocol",
    "a long key here",
    "exactly8",
    "exactly8+",
];

const NAMES: &[&str] = &[
    "a",
    "b",
    "a.b",
    "a.b.c",
    "b.c",
    "",
    ".",
    "c.a",
    "é",
    "status",
    "protocol",
    "a long key here",
    "exactly8",
    "b.b.b.b",
    "c.a.b",
    "a",
    "exactly8+",
    "none",
];

const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-12",
    "4294967296",
    "99999999999999999999",
    "1.5",
    "-0.0",
    "1e5",
    "2E-7",
    "1e999",
    "\"\"",
    "\"x\"",
    "\"\\u0041\\n\"",
    "\"caf\u{e9} \u{1f600}\"",
    "\"\\\\\"",
    "\"\\ud83d\\ude00\"",
    "\"a text of more than sixteen bytes\"",
];

fn value(random: &mut Random, depth: usize, out: &mut String) {
    match random.below(if depth > 4 { 6 } else { 9 }) {
        0..=5 => out.push_str(random.pick(SCALARS)),
        6 => {
            out.push('[');
            for n in 0..random.below(4) {
                if n > 0 {
                    out.push_str(random.pick(&[",", ", ", " ,\t"]));
                }
                value(random, depth + 1, out);
            }
            out.push(']');
        }
        _ => object(random, depth + 1, out),
    }
}

fn object(random: &mut Random, depth: usize, out: &mut String) {
    out.push_str(random.pick(&["{", "{", "{ ", "{\r\n"]));
    for n in 0..random.below(if depth == 0 { 7 } else { 4 }) {
        if n > 0 {
            out.push_str(random.pick(&[",", ",", ", ", "\n,"]));
        }
        out.push('"');
        out.push_str(random.pick(KEYS));
        out.push_str(random.pick(&["\":", "\":", "\": ", "\" :\t"]));
        value(random, depth, out);
    }
    out.push_str(random.pick(&["}", "}", " }"]));
}

fn mutate(random: &mut Random, line: &mut Vec<u8>) {
    const BYTES: &[u8] = b"\"\\{}[]:,0123456789-+.eEutfn \t\n\r\x00\x1f\x7f\x80\xc3\xa9\xff/'ax";
    for _ in 0..1 + random.below(3) {
        let place = random.below(line.len() + 1);
        match random.below(8) {
            0 => line.truncate(place),
            1 => line.insert(place, random.pick(BYTES)),
            2 => line.insert(place, random.next() as u8),
            3 if place < line.len() => line[place] = random.pick(BYTES),
            4 if place < line.len() => line[place] ^= 1 << random.below(8),
            5 if place < line.len() => {
                line.remove(place);
            }
            6 => {
                let piece: Vec<u8> = line
                    .iter()
                    .skip(place)
                    .take(random.below(12))
                    .copied()
                    .collect();
                let to = random.below(line.len() + 1);
                line.splice(to..to, piece);
            }
            7 if place + 1 < line.len() => line.swap(place, place + 1),
            _ => {}
        }
    }
}

/// A value of serde_json by our rules.
fn theirs(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            let text = number.to_string();
            if text.contains(['.', 'e', 'E']) {
                Value::Double(text.parse().unwrap())
            } else if let Ok(int) = text.parse() {
                Value::Int(int)
            } else if let Ok(long) = text.parse() {
                Value::Long(long)
            } else {
                Value::Big(text)
            }
        }
        serde_json::Value::String(text) => Value::Str(text.clone()),
        serde_json::Value::Array(list) => Value::List(list.iter().map(theirs).collect()),
        serde_json::Value::Object(map) => Value::Map(
            map.iter()
                .map(|(key, value)| (key.clone(), theirs(value)))
                .collect(),
        ),
    }
}

/// Compares all readers on one line: whether it is good.
fn compare(extractor: &mut Extractor, line: &[u8]) -> bool {
    let shown = || String::from_utf8_lossy(line).into_owned();
    let text = std::str::from_utf8(line);
    let strict = text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    if let Ok(text) = text {
        assert_eq!(whole(text).is_ok(), strict, "{:?}", shown());
    }
    let object = line.trim_ascii_start().first() == Some(&b'{');
    let tree = parse_event(line, &mut Values);
    assert_eq!(tree.is_ok(), strict && object, "{:?}: {tree:?}", shown());
    let mut out = [const { Field::Missing }; NAMES.len()];
    let read = extractor.extract(line, &mut out);
    assert_eq!(read.err(), tree.as_ref().err().copied(), "{:?}", shown());
    let Ok(tree) = tree else { return false };
    for (name, field) in NAMES.iter().zip(&out) {
        assert_eq!(
            value_of(field).as_ref(),
            lookup(&tree, name),
            "{name} in {:?}",
            shown()
        );
    }
    match serde_json::from_slice::<serde_json::Value>(line) {
        Ok(value) => assert_eq!(theirs(&value), tree, "{:?}", shown()),
        // Here serde_json is stricter than the rules: half a pair of surrogates is U+FFFD for us.
        Err(fault) => assert!(
            fault.to_string().contains("surrogate") || fault.to_string().contains("hex escape"),
            "{fault} {:?}",
            shown()
        ),
    }
    true
}

#[test]
fn events_and_their_mutations() {
    let (good, bad) = run(20_240_501, 30_000);
    assert!(good > 30_000 && bad > 100_000, "{good} {bad}");
}

#[test]
#[ignore = "takes a while; for changes to the scanner"]
fn ten_million_mutations() {
    for seed in 1..=10 {
        run(seed, 100_000);
    }
}

/// Compares on `rounds` random events and ten mutations of each: how many of those are good and bad.
fn run(seed: u64, rounds: usize) -> (usize, usize) {
    let mut random = Random(seed);
    let mut extractor = Extractor::new(NAMES);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..rounds {
        let mut text = String::new();
        object(&mut random, 0, &mut text);
        assert!(compare(&mut extractor, text.as_bytes()), "{text}");
        for _ in 0..10 {
            let mut line = text.clone().into_bytes();
            mutate(&mut random, &mut line);
            if compare(&mut extractor, &line) {
                good += 1;
            } else {
                bad += 1;
            }
        }
    }
    (good, bad)
}
