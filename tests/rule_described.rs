//! Rules that were described for the platform whose rules run here, and others of their kind: `tests/rules/described/`
//! holds each as NAME.lua, with NAME.json beside it. That has `cases`: events, and the alerts that are expected of them
//! in the order in which they come, as far as they are told; `feed` and `batch` in place of `alerts` where the two ways
//! in which groups call a rule differ. Fields of events are written with dots and `at` in seconds; `common` stands in all.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use chrono::{DateTime, Duration, SecondsFormat};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use stellar::eval::Value;
use stellar::eval::json::{from_json, to_json};
use stellar::rule::event::Event;
use stellar::rule::grouper::When;
use stellar::rule::lua::{Options, Running};
use stellar::rule::tables::{MemoryTables, Tables};
use stellar::rule::trial::{Trial, Written, trial};

const START: &str = "2024-05-01T10:00:00Z";

/// A time, so many seconds after the start.
fn time(seconds: f64) -> String {
    let start = DateTime::parse_from_rfc3339(START).unwrap();
    let time = start + Duration::milliseconds((seconds * 1000.0) as i64);
    time.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Puts `value` at a path of names divided by dots; a name in front of `@` stays whole.
fn put(object: &mut Map<String, Json>, path: &str, value: &Json) {
    match path.split_once('.') {
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| json!({}));
            put(inner.as_object_mut().unwrap(), rest, value);
        }
        None => {
            object.insert(path.to_string(), value.clone());
        }
    }
}

/// The event that a line of a case describes; a null takes a common field away.
fn event(common: &Json, line: &Json) -> Event {
    let mut flat = common.as_object().cloned().unwrap_or_default();
    flat.extend(line.as_object().unwrap().clone());
    let mut object = Map::new();
    for (path, value) in flat.iter().filter(|(_, value)| !value.is_null()) {
        match path.as_str() {
            "at" => put(
                &mut object,
                "@timestamp",
                &json!(time(value.as_f64().unwrap())),
            ),
            path => put(&mut object, path, value),
        }
    }
    match from_json(&Json::Object(object), 100).unwrap() {
        Value::Map(map) => Event::new(map),
        _ => panic!("no event"),
    }
}

fn tables(rows: &Json) -> MemoryTables {
    let tables = MemoryTables::default();
    for (table, rows) in rows.as_object().into_iter().flatten() {
        for (key, cells) in rows.as_object().unwrap() {
            for (column, value) in cells.as_object().unwrap() {
                let value = from_json(value, 4).unwrap();
                tables.set(table, key, column, value, None, 0).unwrap();
            }
        }
    }
    tables
}

fn run(lua: &str, name: &str, common: &Json, case: &Json, when: When) -> Trial {
    let events = case["events"].as_array().unwrap().iter();
    let events: Vec<Event> = events.map(|line| event(common, line)).collect();
    let options = Options {
        when,
        tables: Arc::new(tables(&case["storage"])),
        ..Options::default()
    };
    let mut running = Written::text(name, lua).load(options).unwrap();
    trial(&mut running, &events, || Ok(())).unwrap()
}

/// What differs from what is expected, which may leave fields out. Texts between slashes need to be found only.
fn differs(path: &str, expected: &Json, found: &Json, out: &mut Vec<String>) {
    match (expected, found) {
        (Json::Object(expected), Json::Object(found)) => {
            for (name, value) in expected {
                let found = found.get(name).unwrap_or(&Json::Null);
                differs(&format!("{path}.{name}"), value, found, out);
            }
        }
        (Json::String(part), Json::String(text))
            if part.len() > 2 && part.starts_with('/') && part.ends_with('/') =>
        {
            let part = &part[1..part.len() - 1];
            // Once, and no second time.
            if text.matches(part).count() != 1 {
                out.push(format!("{path}: {part:?} is not once in {text:?}"));
            }
        }
        (Json::Number(a), Json::Number(b)) if a.as_f64() == b.as_f64() => {}
        // The number of elements in place of them.
        (Json::Number(n), Json::Array(list)) if n.as_u64() == Some(list.len() as u64) => {}
        (expected, found) if expected == found => {}
        (expected, found) => out.push(format!("{path}: {found} and not {expected}")),
    }
}

fn complaints(case: &Json, way: &str, done: &Trial) -> Vec<String> {
    let mut out = Vec::new();
    let expected = match &case[way] {
        Json::Null => &case["alerts"],
        own => own,
    };
    let none = Vec::new();
    let expected = expected.as_array().unwrap_or(&none);
    if expected.len() != done.alerts.len() {
        let texts: Vec<&str> = done.alerts.iter().map(|(_, a)| a.text.as_str()).collect();
        out.push(format!(
            "{} alerts and not {}: {texts:?}",
            texts.len(),
            expected.len()
        ));
    }
    for (number, (expected, (at, alert))) in expected.iter().zip(&done.alerts).enumerate() {
        let mut found = to_json(&Value::Map(alert.to_map())).unwrap();
        // The event that raised it counts from 1; after a batch it is the last.
        found["event"] = json!(if way == "batch" {
            expected["event"].as_u64().unwrap_or(0)
        } else {
            *at as u64 + 1
        });
        differs(&format!("alert {}", number + 1), expected, &found, &mut out);
    }
    let faults = done.faults().count() as u64;
    let tolerated = case["errors"].as_u64().or(case["errors"][way].as_u64());
    let tolerated = tolerated.unwrap_or(0);
    if faults != tolerated {
        let notes: Vec<String> = done
            .faults()
            .map(|(at, n)| format!("event {}, line {:?}: {}", at + 1, n.line, n.text))
            .collect();
        out.push(format!(
            "{faults} errors and not {tolerated}: {}",
            notes.join("; ")
        ));
    }
    if let Some(reason) = &done.suspended {
        out.push(format!("suspended: {reason}"));
    }
    out
}

/// Every rule with the name of its file, and its cases.
fn rules() -> Vec<(String, String, Json)> {
    let only = std::env::var("ONLY").unwrap_or_default();
    let files = glob::glob("tests/rules/described/*.lua").unwrap();
    let rule = |file: std::path::PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap().to_string();
        let lua = std::fs::read_to_string(&file).unwrap();
        let cases = std::fs::read_to_string(file.with_extension("json")).unwrap();
        let cases =
            serde_json::from_str(&cases).unwrap_or_else(|error| panic!("{name}.json: {error}"));
        (name, lua, cases)
    };
    let all = files.map(|file| rule(file.unwrap()));
    all.filter(|(name, ..)| name.contains(&only)).collect()
}

/// What a rule raises when it is ended after every event, as texts; `each` may change the rule in between.
fn stepwise(
    (name, lua, cases): &(String, String, Json),
    case: &Json,
    when: When,
    mut each: impl FnMut(Running, &dyn Fn() -> Running) -> Running,
) -> Vec<String> {
    let options = Options {
        when,
        tables: Arc::new(tables(&case["storage"])),
        ..Options::default()
    };
    let load = || {
        Written::text(name, lua.as_str())
            .load(options.clone())
            .unwrap()
    };
    let mut running = load();
    let mut raised = Vec::new();
    for line in case["events"].as_array().unwrap() {
        raised.extend(running.event(&event(&cases["common"], line)));
        raised.extend(running.end_batch());
        running = each(running, &load);
    }
    raised
        .iter()
        .map(|alert| {
            format!(
                "{} {} of {} {:?}",
                alert.text,
                alert.logs.len(),
                alert.logs_total,
                alert.meta
            )
        })
        .collect()
}

#[test]
fn a_batch_of_one_event_is_like_every_feed() {
    for rule in rules() {
        for case in rule.2["cases"].as_array().unwrap() {
            let fed = stepwise(&rule, case, When::EveryFeed, |running, _| running);
            let ended = stepwise(&rule, case, When::AfterBatch, |running, _| running);
            assert_eq!(fed, ended, "{}, {}", rule.0, case["case"]);
        }
    }
}

#[test]
fn a_rule_that_is_loaded_anew_after_every_event_goes_on_with_its_groups() {
    // These keep something in variables, which are not saved.
    let forgetful = ["new-service", "secret-files"];
    for rule in rules()
        .iter()
        .filter(|(name, ..)| !forgetful.contains(&name.as_str()))
    {
        for case in rule.2["cases"].as_array().unwrap() {
            for when in [When::EveryFeed, When::AfterBatch] {
                let straight = stepwise(rule, case, when, |running, _| running);
                let broken = stepwise(rule, case, when, |running, load| {
                    let saved = running.save().unwrap();
                    let mut anew = load();
                    assert_eq!(anew.restore(&saved).unwrap(), saved.groupers.len());
                    anew
                });
                assert_eq!(straight, broken, "{}, {}", rule.0, case["case"]);
            }
        }
    }
}

#[test]
fn described_rules_alert_and_stay_silent_as_told() {
    let mut wrong = Vec::new();
    let rules = rules();
    for (name, lua, cases) in &rules {
        let list = cases["cases"].as_array().unwrap();
        let alerts = |case: &&Json| case["alerts"].as_array().is_some_and(|a| !a.is_empty());
        assert!(
            list.iter().any(|case| alerts(&case)) && list.iter().any(|case| !alerts(&case)),
            "{name}"
        );
        for case in list {
            for (way, when) in [("feed", When::EveryFeed), ("batch", When::AfterBatch)] {
                let done = run(lua, name, &cases["common"], case, when);
                for complaint in complaints(case, way, &done) {
                    wrong.push(format!("{name}, {} ({way}): {complaint}", case["case"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(rules.len() >= 17 || std::env::var_os("ONLY").is_some());
}
