//! Events by expressions: the same ones each time, as many and as fast as wanted, and on after a stop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Home, Ran};

const RUN: [&str; 3] = ["pipeline", "run", "p.yaml"];

const OUT: &str = "    - {name: output_file, match: '*', path: out.jsonl}\n";

/// Writes a pipeline of a generator with these parameters and an output into a file.
fn put(home: &Home, parameters: &str) {
    let yaml = format!(
        "pipelines:\n  p:\n    - name: input_generator\n      tag: g\n{}\n{OUT}",
        parameters
            .lines()
            .map(|line| format!("      {line}\n"))
            .collect::<String>()
    );
    home.write("p.yaml", yaml);
}

fn once(home: &Home, parameters: &str, more: &[&str]) -> Ran {
    put(home, parameters);
    home.run(&[&RUN[..], &["--once"], more].concat(), "")
}

fn made(home: &Home) -> Vec<Json> {
    let text = std::fs::read_to_string(home.path("out.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The records of a run that goes well.
fn records(parameters: &str, more: &[&str]) -> Vec<Json> {
    let home = Home::new();
    let ran = once(&home, parameters, more).ended(0);
    assert_eq!(ran.err, "");
    made(&home)
}

const CHANCE: &str = "count: 4000
seed: 5
start: 2026-11-16T00:00:00Z
step: 250ms
pick:
  user: [alice, bob, carol]
  status: {200: 8, 404: 1.5, 500: 0.5, 302: 0}
record:
  n: n
  at: time
  user: user
  status: status
  one: random
  two: random
  also: one
  deep: {list: [n + 1, \"null\", {even: n == 2 * (n / 2)}], none: \"null\", number: 7}
  odd: \"if n > 2 * (n / 2) then 'yes' else null\"";

#[test]
fn every_run_makes_the_same_events_on_any_number_of_threads() {
    let first = records(CHANCE, &[]);
    assert_eq!(first.len(), 4000);
    assert_eq!(first, records(CHANCE, &["--threads", "1"]));
    for (n, record) in first.iter().enumerate() {
        assert_eq!(record["n"], n);
        assert_eq!(record["at"], 1_794_787_200_000u64 + n as u64 * 250);
        assert_eq!(record["one"], record["also"]);
        let deep = json!({"list": [n + 1, {"even": n % 2 == 0}], "number": 7});
        assert_eq!(record["deep"], deep);
        assert_eq!(record.get("odd").is_some(), n % 2 == 1);
    }
    // Another seed makes others; a field more leaves the rest as it is.
    let other = records(&CHANCE.replace("seed: 5", "seed: 6"), &[]);
    let more = records(
        &CHANCE.replace("record:\n", "record:\n  zero: random\n"),
        &[],
    );
    let same = |a: &[Json], b: &[Json], name: &str| {
        a.iter().zip(b).filter(|(a, b)| a[name] == b[name]).count()
    };
    assert_eq!(same(&first, &other, "one"), 0);
    assert!(same(&first, &other, "user") < 2000);
    for name in ["one", "two", "user", "status"] {
        assert_eq!(same(&first, &more, name), 4000, "{name}");
    }
}

#[test]
fn chance_is_fair() {
    let all = records(CHANCE, &[]);
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    let (mut low, mut both) = (0, 0);
    for record in &all {
        for name in ["user", "status"] {
            let value = record[name].to_string();
            *counts
                .entry(value.trim_matches('"').to_owned())
                .or_default() += 1;
        }
        let (one, two) = (
            record["one"].as_f64().unwrap(),
            record["two"].as_f64().unwrap(),
        );
        assert!((0.0..1.0).contains(&one) && (0.0..1.0).contains(&two));
        low += i32::from(one < 0.25);
        both += i32::from(one < 0.5 && two < 0.5);
    }
    // More than five standard deviations from what is expected would be no chance.
    let about = |found: i32, share: f64| {
        let expected = 4000.0 * share;
        let spread = (expected * (1.0 - share)).sqrt();
        assert!(
            (f64::from(found) - expected).abs() < 5.0 * spread,
            "{found} instead of {expected}"
        );
    };
    for user in ["alice", "bob", "carol"] {
        about(counts[user], 1.0 / 3.0);
    }
    about(counts["200"], 0.8);
    about(counts["404"], 0.15);
    about(counts["500"], 0.05);
    assert!(!counts.contains_key("302"));
    about(low, 0.25);
    about(both, 0.25);
}

#[test]
fn a_record_may_be_an_expression() {
    let all = records(
        "count: 4\nvars: {names: [a, b]}\nrecord: \"if n == 1 then null else if n == 2 then [{'k': 1}, {'k': 2}] else {'k': n, 'name': GET(names, n - 2 * (n / 2))}\"",
        &[],
    );
    assert_eq!(
        all,
        [
            json!({"k": 0, "name": "a"}),
            json!({"k": 1}),
            json!({"k": 2}),
            json!({"k": 3, "name": "b"})
        ]
    );
}

#[test]
fn expressions_see_the_time_of_their_event() {
    let all = records(
        "count: 3\nstart: 2026-11-16\nstep: 1d\nrecord: {day: \"DATE_FORMAT('yyyy-MM-dd', time, 'UTC')\", late: \"MAP([n], x -> x + time)\"}",
        &[],
    );
    let days: Vec<&Json> = all.iter().map(|record| &record["day"]).collect();
    assert_eq!(days, ["2026-11-16", "2026-11-17", "2026-11-18"]);
}

#[test]
fn what_cannot_be_made_is_a_dead_letter_and_the_rest_comes() {
    for field in [
        "1 / (n - 10 * (n / 10) - 3)",
        "LENGTH(SYSTEM_ENV_GET('HOME')) / (n - 10 * (n / 10) - 3)",
    ] {
        let home = Home::new();
        let parameters = format!("count: 2500\nrecord: {{n: n, bad: \"{field}\"}}");
        once(&home, &parameters, &["--dead-letter", "dead"]).ended(0);
        let all = made(&home);
        assert_eq!(all.len(), 2250);
        assert!(
            all.windows(2)
                .all(|w| w[0]["n"].as_u64() < w[1]["n"].as_u64())
        );
        let dead = std::fs::read_to_string(home.path("dead")).unwrap();
        assert_eq!(dead.lines().count(), 250);
        let letter: Json = serde_json::from_str(dead.lines().next().unwrap()).unwrap();
        assert_eq!(letter["record"]["n"], 3, "{letter}");
    }
}

#[test]
fn events_come_at_their_rate() {
    let home = Home::new();
    let began = Instant::now();
    once(&home, "count: 60\nrate: 40\nrecord: {n: n}", &[]).ended(0);
    let took = began.elapsed();
    assert_eq!(made(&home).len(), 60);
    // The last one is due after 1.475 seconds.
    assert!(took > Duration::from_millis(1475), "{took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    // The slowest rates neither wait for ever nor fail.
    for rate in ["1e-300", "1.0e+300", "0.00001"] {
        put(&home, &format!("rate: {rate}\nrecord: {{n: n}}"));
        let mut child = home
            .command(&RUN)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let pid = nix::unistd::Pid::from_raw(child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(child.wait().unwrap().success(), "{rate}");
    }
}

/// The numbers that a run wrote before it was ended.
fn interrupted(home: &Home, signal: nix::sys::signal::Signal) {
    let mut child = home
        .command(&[&RUN[..], &["--state", "s.json"]].concat())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let before = made(home).len();
    let patience = Instant::now() + Duration::from_secs(60);
    let saved = std::fs::read(home.path("s.json")).unwrap_or_default();
    // Until something more is there, and a place was saved.
    while std::fs::read(home.path("s.json")).unwrap_or_default() == saved
        || std::fs::metadata(home.path("out.jsonl")).map_or(0, |m| m.len()) <= before as u64
    {
        assert!(Instant::now() < patience, "nothing happens");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(700));
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, signal).unwrap();
    child.wait().unwrap();
}

#[test]
fn after_a_stop_and_after_a_crash_it_goes_on_with_the_same_events() {
    use nix::sys::signal::Signal;
    let parameters = "count: 3000\nrate: 700\nseed: 3\nrecord: {n: n, chance: random}";
    let whole = records(&parameters.replace("rate: 700\n", ""), &[]);
    let home = Home::new();
    put(&home, parameters);
    interrupted(&home, Signal::SIGTERM);
    let after_stop = made(&home).len();
    assert!(after_stop > 0 && after_stop < 3000, "{after_stop}");
    interrupted(&home, Signal::SIGKILL);
    once(&home, parameters, &["--state", "s.json"]).ended(0);
    assert_eq!(made(&home), whole);
    // All numbers are there: nothing more comes.
    once(&home, parameters, &["--state", "s.json"]).ended(0);
    assert_eq!(made(&home).len(), 3000);
}

#[test]
fn once_needs_a_count() {
    let home = Home::new();
    let began = Instant::now();
    let ran = once(&home, "record: {n: n}", &[]).ended(1);
    assert!(
        ran.err.contains("input_generator has no count"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("p.yaml:3"), "{}", ran.err);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(made(&home).is_empty());
    // Without --once there may be none.
    home.run(&["pipeline", "check", "p.yaml"], "").ended(0);
}

#[test]
fn bad_parameters_are_faults_with_their_place() {
    let home = Home::new();
    let cases = [
        ("record: {n: n}\ncount: 0", "count is 1 or more, not 0"),
        ("record: {n: n}\ncount: many", "count is a whole number"),
        ("record: {n: n}\nrate: 0", "above 0, not 0"),
        ("record: {n: n}\nrate: -1", "above 0, not -1"),
        ("record: {n: n}\nrate: .nan", "rate is a number, not NaN"),
        ("record: {n: n}\nstep: 5", "step has no start"),
        ("record: {n: n}\nstart: soon", "start is a time"),
        ("record: {n: n}\nstart: [1]", "start is a time"),
        ("record: {n: n}\nseed: x", "seed is a whole number"),
        ("count: 1", "input_generator lacks record"),
        ("record: [1]", "an expression is a text, not a list"),
        ("record: 5", "an expression is a text"),
        ("record: {n: 'n +'}", "p.yaml:5:23"),
        ("record: {n: NO_SUCH(n)}", "NO_SUCH"),
        (
            "pick: {user: [a]}\nrecord: {x: usr}",
            "nothing here is named usr",
        ),
        ("record: {x: m.y}", "there are n, random, time"),
        (
            "record: {x: later, later: n}",
            "nothing here is named later",
        ),
        ("record: {x: [{y: [z]}]}", "nothing here is named z"),
        (
            "pick: {user: []}\nrecord: {x: user}",
            "there is nothing to pick",
        ),
        (
            "pick: {user: {a: 0}}\nrecord: {x: user}",
            "there is nothing to pick",
        ),
        (
            "pick: {user: {a: -1}}\nrecord: {x: user}",
            "a weight is a number from 0 on",
        ),
        (
            "pick: {user: {a: b}}\nrecord: {x: user}",
            "a weight is a number from 0 on",
        ),
        (
            "pick: {user: bob}\nrecord: {x: user}",
            "a list or a map with weights",
        ),
        ("pick: {n: [1]}\nrecord: {x: n}", "n is there already"),
        (
            "pick: {a: [1]}\nvars: {a: 1}\nrecord: {x: a}",
            "a is there already",
        ),
        ("pick: {1: [1]}\nrecord: {x: n}", "a name is a text"),
    ];
    for (parameters, expected) in cases {
        put(&home, parameters);
        let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
        assert!(ran.err.contains(expected), "{parameters}\n{}", ran.err);
        assert!(ran.err.contains("p.yaml:"), "{parameters}\n{}", ran.err);
    }
    for good in [
        "pick: {user: [{name: a}]}\nrecord: {x: user.name, all: _}",
        "record: {x: \"MAP([1], y -> y + n)\", 'a b': 1}",
    ] {
        put(&home, good);
        home.run(&["pipeline", "check", "p.yaml"], "").ended(0);
    }
}
