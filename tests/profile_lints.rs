//! What `stellar check` and the shell say about profiles and about the calls that ask for them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use stellar::config::FixedClock;
use stellar::diagnostic::{Code, Fault, Source, plain};
use stellar::engine::Engine;
use stellar::functions::lints::{Known, Types, of_tree};
use stellar::profile::definition;
use stellar::shell::Session;
use stellar::syntax::{ParseLimits, parse, statements};

/// 2026-11-02T12:15Z, a Monday.
const NOW: i64 = 1_793_621_700_000;

fn engine() -> Engine {
    let mut engine = Engine::bare();
    engine.context.clock = Arc::new(FixedClock(NOW));
    engine
}

/// What lints say about one expression: the code's name, the place, the message with the help.
fn said(expression: &str) -> Vec<String> {
    let engine = engine();
    let source = Arc::new(Source::expression(expression));
    let tree = parse(&source, ParseLimits::default()).unwrap().unwrap();
    let found = of_tree(&tree, &source, &[], &engine.context, &Known::default());
    found.iter().map(line).collect()
}

fn line(fault: &Fault) -> String {
    let source = fault.source.as_ref().unwrap();
    let span = fault.span.unwrap();
    let help = fault.help.as_deref().map(|help| format!("; {help}"));
    format!(
        "{} at {}: {}{}",
        fault.code.info().lint.unwrap().name,
        &source.text[span.start..span.end],
        fault.message,
        help.unwrap_or_default()
    )
}

/// What is said about a definition whose profile has these fields.
fn about(fields: &str, known: &Known) -> Vec<String> {
    let text = format!(r#"{{"profiles": [{{"profile": "p", "foreach": "ip", {fields}}}]}}"#);
    let source = Arc::new(Source::named("p.json", text));
    let found = definition::lint(&source, &engine().context, known);
    found.iter().map(line).collect()
}

#[test]
fn overrides_that_do_nothing() {
    for (expression, wanted) in [
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duratoin': 1})",
            "unknown-option at 'profiler.client.period.duratoin': PROFILE_FIXED passes over the override profiler.client.period.duratoin; did you mean profiler.client.period.duration?",
        ),
        (
            "PROFILE_FIXED(1, 'HOURS', {'profiler.client.salt.divisor': 1})",
            "unknown-option at 'profiler.client.salt.divisor': PROFILE_FIXED passes over the override profiler.client.salt.divisor; it knows profiler.client.period.duration and profiler.client.period.duration.units",
        ),
        (
            "PROFILE_WINDOW('1 hour', {'zzz': 1})",
            "unknown-option at 'zzz': PROFILE_WINDOW passes over the override zzz; it knows profiler.client.period.duration, profiler.client.period.duration.units and profiler.holidays.edition",
        ),
        (
            "PROFILE_WINDOW('1 hour', now, {'zzz': 1})",
            "unknown-option at 'zzz': PROFILE_WINDOW passes over the override zzz; it knows profiler.client.period.duration, profiler.client.period.duration.units and profiler.holidays.edition",
        ),
        (
            "PROFILE_GET('p', 'e', w, [], {'hbase.provider.impl': 'com.example.Tables'})",
            "ignored-argument at 'hbase.provider.impl': hbase.provider.impl has no effect: no Java class opens tables here",
        ),
        (
            "PROFILE_GET('p', 'e', w, [], {'profiler.client.period.duration': 1})",
            "unknown-option at 'profiler.client.period.duration': PROFILE_GET passes over the override profiler.client.period.duration; the periods have their length already: write it into PROFILE_FIXED or PROFILE_WINDOW",
        ),
        (
            "PROFILE_GET('p', 'e', w, [], {'profiler.default.valeu': 1})",
            "unknown-option at 'profiler.default.valeu': PROFILE_GET passes over the override profiler.default.valeu; did you mean profiler.default.value?",
        ),
        (
            "PROFILE_PUT(m, {'profiler.default.value': 1})",
            "unknown-option at 'profiler.default.value': PROFILE_PUT passes over the override profiler.default.value; it knows profiler.client.hbase.table, profiler.client.hbase.column.family and profiler.client.salt.divisor",
        ),
    ] {
        assert_eq!(said(expression), [wanted], "{expression}");
    }
    for good in [
        "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration': 1, 'profiler.client.period.duration.units': 'HOURS'})",
        "PROFILE_WINDOW('1 hour', {'profiler.holidays.edition': 'current'})",
        "PROFILE_GET('p', 'e', w, [], {'profiler.default.value': 0, 'profiler.client.salt.divisor': 7, 'profiler.client.hbase.table': 't'})",
        "PROFILE_FIXED(1, 'HOURS', settings)",
        "PROFILE_FIXED(1, 'HOURS', {key: 1})",
        "PROFILE_PUT(m, {'profiler.client.hbase.table': 't'})",
    ] {
        assert_eq!(said(good), Vec::<String>::new(), "{good}");
    }
    // In the old form the length of the periods counts.
    let old = "PROFILE_GET('p', 'e', 1, 'HOURS', [], {'profiler.client.period.duration': 1})";
    assert!(said(old).iter().all(|said| !said.contains("passes over")));
}

#[test]
fn selectors_that_hardly_mean_what_they_say() {
    for (expression, wanted) in [
        (
            "PROFILE_WINDOW('1 day excluding holidays:us:nyx', 1502665200000L)",
            "window-selector at :nyx: us knows no nyx: holidays:us:nyx means the holidays of United States; did you mean holidays:us:ny?",
        ),
        (
            "PROFILE_WINDOW('1 day including holidays:hu:budapest', 1502665200000L)",
            "window-selector at :budapest: hu knows no budapest: holidays:hu:budapest means the holidays of Hungary; it has no parts",
        ),
        (
            "PROFILE_WINDOW('3 hours window every 1 hour from 1 hour ago')",
            "window-selector at 3 hours: a window of 3 hours does not fit in the last 1 hour: there is none",
        ),
        (
            "PROFILE_WINDOW('1 day including date:2017/13/25')",
            "window-selector at :2017/13/25: 2017/13/25 is read as 2018-01-25; days and months roll over, and what follows the form is ignored",
        ),
    ] {
        assert_eq!(said(expression), [wanted], "{expression}");
    }
    // With an escape in it the whole text is the place.
    let escaped = said("PROFILE_WINDOW('1 day\\nexcluding holidays:us:nyx', 1502665200000L)");
    assert!(
        escaped[0].starts_with("window-selector at '1 day\\nexcl"),
        "{escaped:?}"
    );
    for good in [
        "PROFILE_WINDOW('1 hour window every 24 hours from 14 days ago excluding weekends, holidays:us:ny:nyc', 1502665200000L)",
        "PROFILE_WINDOW(selector)",
        // An error, and said as such.
        "PROFILE_WINDOW('1 week')",
    ] {
        assert_eq!(said(good), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn editions_of_holidays_that_differ() {
    let year = "PROFILE_WINDOW('1 hour window every 1 day from 360 days ago excluding holidays:us'";
    let found = said(&format!("{year})"));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("holiday-editions at holidays:us: "),
        "{found:?}"
    );
    assert!(found[0].contains("2026-06-19 Juneteenth"), "{found:?}");
    assert!(
        found[0].contains("the recorded edition is used"),
        "{found:?}"
    );
    let current = said(&format!(
        "{year}, {{'profiler.holidays.edition': 'current'}})"
    ));
    assert!(
        current[0].contains("the current edition is used"),
        "{current:?}"
    );
    // The moment that counts as now is looked at.
    let past = said(&format!("{year}, 1262304000000L)"));
    assert!(
        past[0].contains("2009-") && !past[0].contains("2026-"),
        "{past:?}"
    );
    let hungary = "PROFILE_WINDOW('1 day excluding holidays:hu', 1262304000000L)";
    assert_eq!(said(hungary), Vec::<String>::new());
}

#[test]
fn results_see_no_messages() {
    let none = Known::default();
    assert_eq!(
        about(r#""update": {"ipd": "ip"}, "result": "ip""#, &none),
        [
            "unseen-name at ip: ip is no variable of the profile, so it is null here; did you mean ipd?"
        ]
    );
    assert_eq!(
        about(
            r#""update": {"n": "1"}, "result": {"profile": "n", "triage": {"t": "MAX([n, length])"}}, "groupBy": ["start", "hour"]"#,
            &none
        ),
        [
            "unseen-name at length: length is no variable of the profile, so it is null here; keep it in update: \"length\": \"length\"",
            "unseen-name at hour: hour is no variable of the profile, so it is null here; keep it in update: \"hour\": \"hour\"",
        ]
    );
    for good in [
        r#""update": {"m": "_"}, "result": "m.x""#,
        r#""init": {"m": "{}"}, "result": "MAP([1, 2], x -> x + LENGTH(m))""#,
        r#""update": {"m": "1"}, "result": "LENGTH(_)", "groupBy": ["profile", "entity", "start", "end", "duration", "result", "m"]"#,
    ] {
        assert_eq!(about(good, &none), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn variables_that_go_on() {
    let none = Known::default();
    assert_eq!(
        about(r#""update": {"n": "n + 1"}, "result": "n""#, &none),
        [
            "never-reset at n: n is never set anew: after a flush it goes on from its last value; write n into init, unless that is meant"
        ]
    );
    for good in [
        r#""init": {"n": "0"}, "update": {"n": "n + 1"}, "result": "n""#,
        r#""update": {"last": "ts"}, "result": "last""#,
    ] {
        assert_eq!(about(good, &none), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn mergeable_must_be_true() {
    let none = Known::default();
    let with = |mark: &str, update: &str| {
        about(
            &format!(
                r#""init": {{"n": "0"}}, "update": {{"n": "{update}"}}, "result": "n", "mergeable": {mark}"#
            ),
            &none,
        )
    };
    assert_eq!(with("true", "n + 1"), Vec::<String>::new());
    assert_eq!(with("false", "size"), Vec::<String>::new());
    assert_eq!(
        with("true", "size"),
        ["not-mergeable at true: p is marked mergeable, but n holds what the last message gave"]
    );
}

#[test]
fn names_and_days() {
    let text = r#"{"profiles": [
        {"profile": "p", "foreach": "ip", "result": "1", "expires": 0},
        {"profile": "p", "foreach": "user", "result": "1", "expires": 1},
        {"profile": "p", "foreach": "ip", "result": "1", "expires": 0, "description": "d"}]}"#;
    let source = Arc::new(Source::named("p.json", text));
    let found = definition::lint(&source, &engine().context, &Known::default());
    let found: Vec<String> = found.iter().map(line).collect();
    assert_eq!(
        found,
        [
            "expires-at-once at 0: measurements that expire after 0 days are never found",
            "same-profile at \"p\": there is a profile p already; their measurements replace each other in the store: give it a name of its own",
            "same-profile at \"p\": the profile p stands here twice; both share their variables, and every message counts twice: remove one",
            "expires-at-once at 0: measurements that expire after 0 days are never found",
        ]
    );
}

#[test]
fn expressions_of_profiles_are_linted_like_others() {
    let known = Known {
        fields: Some(
            [("ip".into(), Types::TEXT), ("bytes".into(), Types::LONG)]
                .into_iter()
                .collect(),
        ),
        ..Known::default()
    };
    let text = r#"{"profiles": [{"profile": "p", "foreach": "ip", "onlyif": "a \"x\" and b"}]}"#;
    let source = Arc::new(Source::named("p.json", text));
    // What cannot be read is no business of lints.
    assert!(definition::lint(&source, &engine().context, &known).is_empty());
    let found = about(
        r#""onlyif": "ip == 'a' and bytes > 1 or ip == \"b\"", "init": {"n": "0"}, "update": {"n": "n + byts"}, "result": "8 / n * 2""#,
        &known,
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with(r#"mixed-and-or at ip == 'a' and bytes > 1 or ip == \"b\""#),
        "{found:?}"
    );
    assert!(found[1].starts_with("unknown-field at byts: "), "{found:?}");
    assert!(
        found[2].starts_with("multiply-before-divide at 8 / n * 2"),
        "{found:?}"
    );
}

#[test]
fn check_shows_lints_of_profiles_and_can_be_told_not_to() {
    let folder = tempfile::tempdir().unwrap();
    let text = "{\"profiles\": [{\"profile\": \"p\", \"foreach\": \"ip\",\n \"update\": {\"n\": \"n + 1\"},\n \"result\": \"ip\"}]}\n";
    std::fs::write(folder.path().join("p.json"), text).unwrap();
    let check = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stellar"))
            .args([&["check", "--format", "jsonl"], arguments].concat())
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let rows = String::from_utf8(output.stdout).unwrap();
        let rows: Vec<serde_json::Value> = rows
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        (output.status.code().unwrap(), rows)
    };
    let (code, rows) = check(&["p.json"]);
    assert_eq!(code, 0);
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row["lint"].as_str().unwrap(), row["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(found, [("never-reset", 2), ("unseen-name", 3)]);
    assert_eq!(rows[0]["file"], "p.json");
    assert_eq!(check(&["--deny-warnings", "p.json"]).0, 1);
    let (code, rows) = check(&["--deny-warnings", "--allow", "unseen-name", "p.json"]);
    assert_eq!((code, rows.len()), (0, 1));
}

#[test]
fn the_shell_says_it_once() {
    let session = Session::new(&engine());
    session.listen();
    let typed = |text: &str| {
        let statements = statements(&Source::expression(text));
        let statement = statements.first().unwrap();
        let remarks = session.remarks(statement);
        session
            .run(statement)
            .unwrap_or_else(|fault| panic!("{}", plain(&fault)));
        (remarks, session.notes())
    };
    let (remarks, notes) = typed("PROFILE_FIXED(1, 'HOURS', {'zzz': 1})");
    assert_eq!((remarks.len(), remarks[0].code), (1, Code::UnknownOption));
    assert_eq!(notes, Vec::<String>::new());
    // What no lint can see is said when it happens.
    typed("settings := {'yyy': 1}");
    let (remarks, notes) = typed("PROFILE_FIXED(1, 'HOURS', settings)");
    assert!(remarks.is_empty());
    assert!(
        notes.len() == 1 && notes[0].contains("override yyy"),
        "{notes:?}"
    );
}

#[test]
fn the_shell_says_which_expressions_of_a_profile_will_fail() {
    let session = Session::new(&engine());
    session.listen();
    let definitions = r#"{"profiles": [{"profile": "p", "foreach": "TO_UPER(ip)", "update": {"n": "1 +"}, "result": "n"}]}"#;
    session
        .run_text(&format!("p := PROFILER_INIT('{definitions}')"))
        .unwrap();
    assert_eq!(
        session.notes(),
        [
            "the foreach of profile p will fail: there is no function TO_UPER; did you mean TO_UPPER?",
            "the update of n of profile p will fail: unexpected end of the expression",
        ]
    );
}
