//! What Metron's profiler printed and logged for one definition after the other, row by row.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stellar::config::FixedClock;
use stellar::diagnostic::Source;
use stellar::engine::Engine;
use stellar::eval::text::to_text;
use stellar::profile::client;
use stellar::profile::definition::{Role, parse};
use stellar::profile::runner::{Keep, Profiler};

/// The message of the recorded runs, where a row is not about another one.
const MESSAGE: &str = r#"{"ip":"10.0.0.1","ts":1502665200000,"n":5,"d":1.5,"b":true,"l":["x","y"],"o":{"k":1},"nul":null}"#;

/// Refused there, accepted here: a row of docs/differences.md.
const ACCEPTED: &[&str] = &["unknown field"];

struct Row {
    name: String,
    definitions: String,
    /// What was printed: counts, and the measurements of a flush; `None` for an error.
    printed: Vec<Option<(String, String)>>,
}

fn rows() -> Vec<Row> {
    let path = "tests/conformance/profiler/profiler_repl_outputs.txt";
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("-- ") {
            let at = [" {", " hello", " []"].iter().filter_map(|mark| {
                // Names of rows hold braces too.
                head.match_indices(mark).map(|(at, _)| at).find(|at| {
                    let rest = head[*at..].trim_start();
                    rest == "hello"
                        || rest == "[]"
                        || rest == "{}"
                        || rest.starts_with("{\"pro")
                        || rest.starts_with("{ /*")
                })
            });
            let at = at.min().unwrap();
            rows.push(Row {
                name: head[..at].to_string(),
                definitions: head[at + 1..].to_string(),
                printed: Vec::new(),
            });
        } else if let Some(printed) = line.strip_prefix("   ") {
            let pair = printed.split_once(" flush ");
            let pair = pair.map(|(counts, flushed)| (counts.to_string(), flushed.to_string()));
            assert!(pair.is_some() || printed.starts_with("!! "), "{line}");
            rows.last_mut().unwrap().printed.push(pair);
        } else if let Some(row) = rows.last_mut()
            && row.printed.is_empty()
        {
            // The definitions go on.
            row.definitions.push('\n');
            row.definitions.push_str(line);
        }
    }
    rows
}

/// The messages of a row: how many were applied is in the counts.
fn messages(row: &Row, before: usize, count: usize) -> Vec<String> {
    let plain = |ts: Json| json!({"ip": "a", "ts": ts}).to_string();
    if let Some(time) = row.name.strip_prefix("ts ") {
        return vec![plain(serde_json::from_str(time).unwrap())];
    }
    if row.name == "mixed late" {
        // An hour later comes first; what follows is late.
        let times = [
            1_502_665_200_000i64,
            1_502_668_800_000,
            1_502_665_200_000,
            1_502_665_200_000,
        ];
        return times[before..before + count]
            .iter()
            .map(|t| plain(json!(t)))
            .collect();
    }
    vec![MESSAGE.to_string(); count]
}

/// The parts of a text in braces, in a fixed order: the order of the measurements is free.
fn measurements(text: &str) -> BTreeSet<String> {
    let inner = text
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .unwrap();
    let parts = inner.split("}, {period=").map(|part| {
        part.trim_start_matches("{period=")
            .trim_end_matches('}')
            .to_string()
    });
    parts.filter(|part| !part.is_empty()).collect()
}

fn number(counts: &str, word: &str) -> usize {
    let (before, _) = counts.split_once(word).unwrap();
    before
        .trim_end()
        .rsplit([' ', '{'])
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

/// Who complained about which expression: role, text, profile, entity.
type Complaint = (String, String, String, Option<String>);

fn role(role: &Role) -> &'static str {
    match role {
        Role::OnlyIf | Role::ForEach => "route",
        Role::Init(_) => "init",
        Role::Update(_) => "update",
        Role::Result => "result/profile",
        Role::Triage(_) => "result/triage",
        Role::GroupBy(_) => "groupBy",
    }
}

/// Replays all rows; what differs, and all complaints.
fn replay() -> (Vec<String>, BTreeSet<Complaint>) {
    let mut engine = Engine::bare();
    engine.context.clock = Arc::new(FixedClock(1_502_665_200_000));
    let context = Profiler::context(&engine.context);
    let duration = client::period_duration(&context, None).unwrap();
    let mut differs = Vec::new();
    let mut complaints = BTreeSet::new();
    let rows = rows();
    assert!(rows.len() > 60, "{} rows", rows.len());
    for row in &rows {
        let source = Arc::new(Source::expression(row.definitions.as_str()));
        let definitions = match parse(&source) {
            Ok(definitions) => definitions,
            Err(_) => {
                if row.printed != [None] {
                    differs.push(format!("{}: the definitions are refused", row.name));
                }
                continue;
            }
        };
        if ACCEPTED.contains(&row.name.as_str()) {
            continue;
        }
        let mut profiler =
            Profiler::new(&definitions, duration, Keep::default(), &context).unwrap();
        for printed in &row.printed {
            let before = usize::try_from(profiler.counts().1).unwrap();
            let Some((counts, flushed)) = printed else {
                let applied = profiler.apply_line(MESSAGE.as_bytes(), &context);
                if applied.is_ok() || profiler.counts().1 != 0 {
                    differs.push(format!("{}: no error", row.name));
                }
                continue;
            };
            let count = number(counts, "messages(s)") - before;
            for message in messages(row, before, count) {
                profiler.apply_line(message.as_bytes(), &context).unwrap();
            }
            let (profiles, messages, routes) = profiler.counts();
            let found = format!(
                "Profiler{{{profiles} profile(s), {messages} messages(s), {routes} route(s)}}"
            );
            if found != *counts {
                differs.push(format!("{}: {found} instead of {counts}", row.name));
            }
            let found = profiler.flush(&context).unwrap();
            let found: Vec<String> = found
                .iter()
                .map(|f| to_text(&stellar::eval::Value::Map(f.measurement.to_map())).to_string())
                .collect();
            let found = format!("[{}]", found.join(", "));
            if measurements(&found) != measurements(flushed) {
                differs.push(format!("{}: {found} instead of {flushed}", row.name));
            }
        }
        for report in profiler.reports(None) {
            for trouble in report.troubles {
                complaints.insert((
                    role(&trouble.role).to_string(),
                    trouble.expression.to_string(),
                    report.profile.to_string(),
                    trouble.entity.map(|e| e.to_string()),
                ));
            }
        }
    }
    (differs, complaints)
}

#[test]
fn definitions_measure_what_they_measured_there() {
    let (differs, _) = replay();
    assert!(differs.is_empty(), "\n{}", differs.join("\n"));
}

#[test]
fn whatever_was_logged_there_is_counted_here() {
    let (_, complaints) = replay();
    let path = "tests/conformance/profiler/profiler_log_lines.txt";
    let text = std::fs::read_to_string(path).unwrap();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines() {
        let quoted = |key: &str| {
            let (_, rest) = line.split_once(&format!("{key}='"))?;
            Some(rest.split_once('\'')?.0.to_string())
        };
        let wanted: Complaint = if line.contains("DefaultMessageRouter") {
            let (_, rest) = line.split_once("expression=").unwrap();
            let expression = rest.strip_suffix('\'').unwrap();
            (
                "route".into(),
                expression.into(),
                quoted("profile").unwrap(),
                None,
            )
        } else if let Some((_, bad)) = line.split_once("Bad '") {
            let (kind, _) = bad.split_once('\'').unwrap();
            (
                kind.into(),
                quoted("expr").unwrap(),
                quoted("profile").unwrap(),
                quoted("entity"),
            )
        } else {
            // A result that is null: an empty expression here.
            assert!(line.contains("getResult()\" is null"), "{line}");
            (
                "result/profile".into(),
                String::new(),
                "x".into(),
                Some("10.0.0.1".into()),
            )
        };
        // A variable that holds all variables fails where it is set, not where it is used: docs/differences.md.
        let wanted = match wanted {
            (kind, x, profile, entity) if line.contains("error='null'") => {
                assert_eq!((kind.as_str(), x.as_str()), ("result/profile", "x"));
                ("update".into(), "_".into(), profile, entity)
            }
            other => other,
        };
        assert!(
            complaints.contains(&wanted),
            "{wanted:?}\n{line}\n{complaints:#?}"
        );
        *seen
            .entry(if wanted.0 == "route" {
                "route"
            } else {
                "build"
            })
            .or_default() += 1;
    }
    assert!(seen["route"] >= 7 && seen["build"] >= 10, "{seen:?}");
}

#[test]
fn calls_fail_or_answer_as_they_did_there() {
    let path = "tests/conformance/profiler/profiler_repl_outputs.txt";
    let text = std::fs::read_to_string(path).unwrap();
    let mut engine = Engine::bare();
    // The moment of the recording is not known; the counts hold at any that is not near the beginning of a period.
    engine.context.clock = Arc::new(FixedClock(1_502_665_200_000 + 400_001));
    let profiler = engine.evaluate("PROFILER_INIT('{}')").unwrap();
    engine.context.variables = Arc::new(Held(profiler));
    let mut count = 0;
    for line in text.lines() {
        let Some(row) = line
            .strip_prefix("arg: ")
            .or_else(|| line.strip_prefix("win: "))
        else {
            continue;
        };
        let (expression, wanted) = match (row.split_once(" !! "), row.split_once(" => ")) {
            (Some((expression, _)), _) => (expression, None),
            (None, Some((expression, answer))) => {
                (expression, Some(answer.rsplit_once(" (").unwrap().0))
            }
            _ => panic!("{row}"),
        };
        let found = engine
            .evaluate(expression)
            .ok()
            .map(|value| to_text(&value).to_string());
        assert_eq!(found.as_deref(), wanted, "{row}");
        count += 1;
    }
    assert!(count > 40, "{count} rows");
}

/// The variable p.
struct Held(stellar::eval::Value);

impl stellar::eval::Variables for Held {
    fn get(&self, name: &str) -> Option<stellar::eval::Value> {
        (name == "p").then(|| self.0.clone())
    }

    fn all(&self) -> Vec<(smol_str::SmolStr, stellar::eval::Value)> {
        vec![("p".into(), self.0.clone())]
    }
}
