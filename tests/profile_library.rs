//! The profiles of `stdlib/profiles/`: each is sound, measures what it says of `tests/golden/library/NAME.jsonl`, and
//! is asked for as its own notes say. What comes out stands in `NAME.out`; `UPDATE=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use stellar::config::{Config, FixedClock, Options, Surroundings};
use stellar::diagnostic::{Source, plain};
use stellar::engine::{Engine, Overrides};
use stellar::functions::lints::Known;
use stellar::profile::definition;
use stellar::profile::library::{LIBRARY, joined};
use stellar::profile::merge::Merge;
use stellar::shell::Session;

const QUARTER: i64 = 900_000;

fn engine(folder: &Path, now: i64) -> Engine {
    let around = Surroundings::default();
    let options = Options {
        set: vec![format!("store.path={}", folder.join("s.db").display())],
        ..Options::default()
    };
    let config = Config::load(&options, &around).unwrap();
    let overrides = Overrides {
        tz: Some("UTC".to_string()),
        ..Overrides::default()
    };
    let mut engine = Engine::new(config, &around, &overrides).unwrap();
    engine.context.clock = Arc::new(FixedClock(now));
    engine
}

fn said(session: &Session, text: &str) -> String {
    match session.run_text(text) {
        Ok(shown) => shown.iter().filter_map(|s| s.print()).collect(),
        Err(fault) => panic!("{text}\n{}", plain(&fault)),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What a profile measures of events, period by period, and what its notes' expressions give at the last event.
fn measured(name: &str) -> String {
    let events = std::fs::read_to_string(format!("tests/golden/library/{name}.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let time = |event: &serde_json::Value| event["timestamp"].as_i64().unwrap();
    let last = events.last().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let session = Session::new(&engine(folder.path(), time(last)));
    let mut output = String::new();
    said(
        &session,
        &format!("p := PROFILER_INIT(PROFILER_LIBRARY('{name}'))"),
    );
    for period in events.chunk_by(|a, b| time(a) / QUARTER == time(b) / QUARTER) {
        for event in period {
            said(
                &session,
                &format!("PROFILER_APPLY({}, p)", quoted(&event.to_string())),
            );
        }
        said(&session, "f := PROFILER_FLUSH(p, {'store': true})");
        let count: usize = said(&session, "LENGTH(f)").parse().unwrap();
        for i in 0..count {
            output.push_str(&said(&session, &format!("GET(f, {i})")));
            output.push('\n');
        }
    }
    let report = said(&session, "%profiler p");
    assert!(!report.contains('×'), "{report}");
    for (field, value) in last.as_object().unwrap() {
        let literal = match value {
            serde_json::Value::String(text) => quoted(text),
            other => format!("{other}L"),
        };
        said(&session, &format!("{field} := {literal}"));
    }
    let entry = LIBRARY.iter().find(|entry| entry.name == name).unwrap();
    let notes = entry.notes();
    let asked: Vec<&str> = notes
        .lines()
        .filter_map(|l| l.strip_prefix("    "))
        .collect();
    assert!(!asked.is_empty(), "{name} says nowhere how to ask for it");
    for expression in asked {
        let _ = writeln!(output, "> {expression}\n{}", said(&session, expression));
    }
    output
}

#[test]
fn profiles_measure_what_they_say() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty());
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in glob::glob("stdlib/profiles/*.json").unwrap() {
        let file = file.unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let entry = LIBRARY.iter().find(|entry| entry.name == name);
        assert!(
            entry.is_some_and(|e| e.text == std::fs::read_to_string(&file).unwrap()),
            "{name}"
        );
        let found = measured(name);
        let expected = format!("tests/golden/library/{name}.out");
        if update {
            std::fs::write(&expected, &found).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != found {
            complaints.push(format!("{expected} differs:\n{found}"));
        }
        count += 1;
    }
    assert_eq!(count, LIBRARY.len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn profiles_are_sound() {
    let engine = Engine::bare();
    for entry in LIBRARY {
        let source = Arc::new(Source::named(entry.name, entry.text));
        let mut faults = definition::check(&source, &engine.context);
        faults.extend(definition::lint(
            &source,
            &engine.context,
            &Known::default(),
        ));
        let faults: Vec<String> = faults.iter().map(|fault| plain(fault)).collect();
        assert!(faults.is_empty(), "{}\n{}", entry.name, faults.join("\n"));
        let definitions = entry.definitions().unwrap();
        let [profile] = definitions.profiles.as_slice() else {
            panic!("{} holds several profiles", entry.name)
        };
        assert_eq!(profile.profile, entry.name);
        assert_eq!(definitions.timestamp_field.as_deref(), Some("timestamp"));
        assert!(!entry.description().is_empty());
        assert!(entry.json().starts_with('{'), "{}", entry.name);
        // They say of themselves whether late messages can be merged, and say it rightly.
        let merges = Merge::of(profile, &engine.context).is_ok();
        assert_eq!(profile.mergeable, Some(merges), "{}", entry.name);
    }
}

#[test]
fn several_are_joined_into_one_file() {
    let engine = Engine::bare();
    let all: Vec<_> = LIBRARY.iter().map(|entry| entry.name.into()).collect();
    let text = joined(&all, &[], &engine.context).unwrap();
    let source = Arc::new(Source::expression(text.as_str()));
    let read = definition::parse(&source).unwrap();
    assert_eq!(read.profiles.len(), LIBRARY.len());
    // Twice the same is once.
    let twice = joined(
        &["beaconing".into(), "beaconing".into()],
        &[],
        &engine.context,
    )
    .unwrap();
    assert_eq!(twice.matches("\"profile\"").count(), 1);
}

#[test]
fn fields_are_renamed_and_variables_are_not() {
    let engine = Engine::bare();
    let rename = |names: &[&str], fields: &[(&str, &str)]| {
        let names: Vec<_> = names.iter().map(|name| (*name).into()).collect();
        let fields: Vec<_> = fields
            .iter()
            .map(|(a, b)| ((*a).into(), (*b).into()))
            .collect();
        joined(&names, &fields, &engine.context)
    };
    let text = rename(
        &["beaconing"],
        &[
            ("ip_src_addr", "id.orig_h"),
            ("timestamp", "ts"),
            ("ip_dst_addr", "id.resp_h"),
        ],
    )
    .unwrap();
    for part in [
        r#""foreach": "id.orig_h + ' ' + id.resp_h""#,
        r#""onlyif": "exists(id.orig_h) and exists(id.resp_h)""#,
        r#""pauses": "if exists(last) then STATS_ADD(pauses, ts - last) else pauses""#,
        r#""last": "ts""#,
        r#""timestampField": "ts""#,
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(!text.contains("ip_"), "{text}");
    // Variables of the profile are its own.
    let fault = rename(&["beaconing"], &[("pauses", "x")]).unwrap_err();
    assert!(
        fault
            .message
            .contains("none of these profiles reads a field pauses")
    );
    assert!(fault.help.unwrap().contains("ip_dst_addr"));
    for bad in ["a b", "", "1", "if", "f(x)", "a\"", "x + 1", "null"] {
        assert!(
            rename(&["beaconing"], &[("timestamp", bad)]).is_err(),
            "{bad}"
        );
    }
    let fault = rename(&["beconing"], &[]).unwrap_err();
    assert_eq!(fault.help.as_deref(), Some("did you mean beaconing?"));
}
