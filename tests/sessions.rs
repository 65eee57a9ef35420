//! Transcripts of Metron's shell: a session here prints the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value as Json;
use std::collections::BTreeSet;
use stellar::diagnostic::Outcome;
use stellar::engine::Engine;
use stellar::eval::Value;
use stellar::eval::json::{to_json, to_typed};
use stellar::eval::text::to_text;
use stellar::shell::{Session, Shown};

/// The names of all sessions.
fn all() -> Vec<String> {
    let text = include_str!("conformance/stellar/sessions.jsonl");
    let sessions = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    sessions
        .map(|session| session["name"].as_str().unwrap().to_string())
        .collect()
}

fn transcript(name: &str) -> Vec<Json> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/conformance/stellar/sessions.jsonl"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let session = found.find(|session| session["name"] == name).unwrap();
    session["steps"].as_array().unwrap().clone()
}

/// The parts of `a = 1 via …, b = …` or `{a=1, b=2}`, whose order is free.
fn parts(text: &str) -> BTreeSet<String> {
    let text = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .unwrap_or(text);
    let (mut parts, mut part, mut depth) = (BTreeSet::new(), String::new(), 0);
    for c in text.chars() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.insert(std::mem::take(&mut part).trim().to_string());
        } else {
            part.push(c);
        }
    }
    parts.insert(part.trim().to_string());
    parts
}

/// What the shell prints for one line; lines without a statement print nothing.
fn printed(shown: &Outcome<Vec<Shown>>) -> Option<String> {
    let shown = shown.as_ref().ok()?;
    let prints: Vec<String> = shown.iter().filter_map(Shown::print).collect();
    Some(prints.join("\n"))
}

/// Whether a value is the recorded one: sets in any order, doubles nearly, those that come from sketches roughly.
fn same(value: &Value, recorded: &Json) -> bool {
    let inner = &recorded["value"];
    match recorded["type"].as_str().unwrap() {
        "Set" => {
            let Value::Set(set) = value else { return false };
            let recorded = inner.as_array().unwrap();
            let has = |item: &Json| set.items().iter().any(|value| same(value, item));
            set.len() == recorded.len() && recorded.iter().all(has)
        }
        "List" => {
            let Value::List(list) = value else {
                return false;
            };
            let recorded = inner.as_array().unwrap();
            let items = list.items();
            items.len() == recorded.len() && items.iter().zip(recorded).all(|(v, r)| same(v, r))
        }
        "Map" => {
            let Value::Map(map) = value else { return false };
            let recorded = inner.as_array().unwrap();
            let has = |pair: &Json| {
                let mut entries = map.entries().into_iter();
                entries.any(|(k, v)| same(&k, &pair[0]) && same(&v, &pair[1]))
            };
            map.len() == recorded.len() && recorded.iter().all(has)
        }
        "Double" => {
            let Value::Double(x) = value else {
                return false;
            };
            let expected: f64 = match inner.as_str() {
                Some(text) => text.parse().unwrap(),
                None => inner.as_f64().unwrap(),
            };
            (x - expected).abs() <= 1e-12 * expected.abs() || x.to_bits() == expected.to_bits()
        }
        _ => to_typed(value).unwrap() == *recorded,
    }
}

/// Whether a list of maps holds these measurements, in any order, and no others.
fn same_measurements(value: &Value, recorded: &[Json], what: &str) {
    let Value::List(list) = value else {
        panic!("{what}: no list")
    };
    let maps = list.items();
    assert_eq!(maps.len(), recorded.len(), "{what}: {value:?}");
    for one in recorded {
        let plain = |name: &str| one[name].clone();
        let found = maps.iter().any(|map| {
            let Value::Map(map) = map else { return false };
            let get = |name: &str| map.get_text(name).unwrap();
            let keys: Vec<_> = map.entries().iter().map(|(k, _)| to_text(k)).collect();
            keys == ["period", "profile", "groups", "value", "entity"]
                && ["profile", "entity", "groups", "period"]
                    .iter()
                    .all(|name| to_json(&get(name)).unwrap() == plain(name))
                && same(&get("value"), &one["value"])
        });
        assert!(found, "{what}: {one} is not in {value:?}");
    }
}

fn replay(name: &str) -> usize {
    let session = Session::new(&Engine::bare());
    let steps = transcript(name);
    for step in &steps {
        let line = step["in"].as_str().unwrap();
        let shown = session.run_text(line);
        let what = format!("{name}: {line}");
        if step["error"] == true {
            assert!(shown.is_err(), "{what} is an error");
            continue;
        }
        if let Err(fault) = &shown {
            panic!("{what}: {fault}");
        }
        let print = printed(&shown).unwrap();
        if line.starts_with("%functions") {
            let ours: BTreeSet<&str> = print.split(", ").collect();
            let theirs = step["print"]
                .as_str()
                .unwrap()
                .split(", ")
                .filter(|name| !name.is_empty());
            for name in theirs {
                assert!(ours.contains(name), "{what}: {name} is missing");
            }
        } else if let Some(expected) = step["measurements"].as_array() {
            let Some(Shown::Value(value)) = shown.as_ref().unwrap().last() else {
                panic!("{what} gives no value");
            };
            same_measurements(value, expected, &what);
        } else if let Some(expected) = step["print_unordered"].as_str() {
            assert_eq!(parts(&print), parts(expected), "{what}");
        } else {
            assert_eq!(print, step["print"].as_str().unwrap(), "{what}");
        }
        if step["null"] == true {
            let last = shown.as_ref().unwrap().last();
            assert!(
                last.is_some_and(|s| s.print().is_none()),
                "{what} gives null"
            );
        }
    }
    steps.len()
}

#[test]
fn every_session_prints_the_same() {
    let names = all();
    assert_eq!(names.len(), 27);
    for name in names {
        let steps = replay(&name);
        match name.as_str() {
            // Variables; globals and functions; values and their texts.
            "session-25" => assert_eq!(steps, 28),
            "session-26" => assert_eq!(steps, 11),
            "session-27" => assert_eq!(steps, 39),
            _ => assert!(steps > 8, "{name}"),
        }
    }
}
