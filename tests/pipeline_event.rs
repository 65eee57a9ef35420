//! Pipelines with expressions, profiles, thresholds and the event store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::time::Duration;
use support::{Dice, Home, Ran};

/// Runs a pipeline of steps over lines of JSON to the end.
fn over(home: &Home, lines: &[Json], steps: &str, more: &[&str]) -> Ran {
    let lines: Vec<String> = lines.iter().map(Json::to_string).collect();
    home.write("in/a.jsonl", lines.join("\n") + "\n");
    let file = format!(
        "pipelines:\n  p:\n    - {{name: input_file, tag: log, watch_path: in, path_pattern: 'in/*.jsonl'}}\n    - {{name: parser_json, match: log, key: log}}\n{steps}"
    );
    home.write("p.yaml", file);
    let arguments = ["pipeline", "run", "--once", "--stats", "p.yaml"];
    home.run(&[&arguments, more].concat(), "")
}

/// The printed events without their times.
fn printed(ran: &Ran) -> Vec<String> {
    let plain = |line: &&str| {
        let (tag, rest) = line.split_once('[').unwrap();
        format!("{tag} {}", rest.split_once("]: ").unwrap().1)
    };
    ran.lines().iter().map(plain).collect()
}

#[test]
fn expressions_keep_set_and_make_events() {
    let home = Home::new();
    let steps = r#"
    - name: filter_stellar
      match: log
      vars: {limit: 2}
      expr: n >= limit
      set: {twice: n * 2, more: twice + 1, city: geo.city, kind: "'x'", level: 3, all: LENGTH(_)}
    - {name: output_stdout, match: log}
    - name: filter_stellar
      match: log
      record: "MAP(l, x -> {'item': x, 'n': n})"
      tag: "JOIN(['item', item], '.')"
    - {name: output_stdout, match: 'item*'}
"#;
    let lines = [
        json!({"n": 1}),
        json!({"n": 2, "l": ["a", "b"], "geo": {"city": "Praha"}}),
        json!({"n": 3, "l": [], "level": 1}),
        json!({"n": 4, "l": [5]}),
        json!({"n": "four"}),
    ];
    let ran = over(&home, &lines, steps, &[]).ended(0);
    // Each output writes by itself.
    assert_eq!(
        printed(&ran),
        [
            "log {'n': 2, 'l': ['a', 'b'], 'geo': {'city': 'Praha'}, 'twice': 4, 'more': 5, 'city': 'Praha', 'kind': 'x', 'level': 3, 'all': 8}",
            "log {'n': 3, 'l': [], 'level': 3, 'twice': 6, 'more': 7, 'city': None, 'kind': 'x', 'all': 7}",
            "log {'n': 4, 'l': [5], 'twice': 8, 'more': 9, 'city': None, 'kind': 'x', 'level': 3, 'all': 7}",
            "item.a {'item': 'a', 'n': 2}",
            "item.b {'item': 'b', 'n': 2}",
            "item.5 {'item': 5, 'n': 4}",
        ]
    );
    assert!(ran.err.contains("E0208"), "{}", ran.err);
    assert!(
        ran.err
            .contains("step 3, filter_stellar: in 5, bypass 0, do 5, out 3, dropped 1, failed 1")
    );
}

#[test]
fn an_event_that_fails_is_a_dead_letter_as_it_came() {
    let home = Home::new();
    let steps = "    - {name: filter_stellar, match: log, set: {a: 1, b: 2, c: n + l, n: null}}\n";
    let lines = [json!({"n": 1, "a": 7, "l": [1]}), json!({"n": 1, "l": 1})];
    over(&home, &lines, steps, &["--dead-letter", "dead"]).ended(0);
    let dead = std::fs::read_to_string(home.path("dead")).unwrap();
    let dead: Vec<Json> = dead
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["record"], lines[0]);
    let reason = dead[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("c: "), "{reason}");
}

#[test]
fn what_an_expression_changes_is_changed_in_one_event_only() {
    let home = Home::new();
    home.write(
        "p.yaml",
        "pipelines:\n  p:\n    - {name: input_dummy, tag: log, repeat: 3, data: {l: [1]}}\n    - {name: filter_stellar, match: log, set: {n: \"LENGTH(LIST_ADD(l, 2))\"}}\n    - {name: output_stdout, match: log}\n",
    );
    let ran = home.run(&["pipeline", "run", "--once", "p.yaml"], "");
    for line in printed(&ran.ended(0)) {
        assert_eq!(line, "log {'l': [1], 'n': 2}");
    }
}

#[test]
fn faults_of_expressions_have_their_places() {
    let home = Home::new();
    let steps = "    - {name: filter_stellar, match: log, expr: a >= }\n    - {name: filter_stellar, match: log, set: {b: 'NO_SUCH(a)', c: [1]}}\n    - name: filter_stellar\n      match: log\n      record: |\n        {'a': 1,\n         'b': TO_UPER(a)}\n    - {name: filter_stellar, match: log}\n    - {name: filter_profile, match: log, definition: {profile: p, foreach: a b, result: 1}}\n    - {name: filter_profile, match: log, definition: {profile: p, foreach: a}}\n    - {name: filter_threshold, match: log, key: a, threshold: 5, relapse: 9}\n    - {name: output_event, match: log, message: {Category: ['Recon.']}}\n";
    let ran = over(&home, &[], steps, &[]).ended(1);
    for said in [
        "p.yaml:5:52",
        "p.yaml:6:52",
        "did you mean TO_UPPER?",
        "line 2, column 7 of the expression",
        "does nothing without expr, set, record or tag",
        "foreach of p",
        "result",
        "relapse part must not be longer",
        "p.yaml:15:",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
}

const PROFILE: &str = "
    - name: filter_profile
      match: log
      time_key: t
      period: 1m
      lag: 10s
      tag: m
      definition: {profile: logins, foreach: user, init: {count: 0}, update: {count: count + 1}, result: count}
    - {name: output_stdout, match: m}
";

const MINUTE: i64 = 1_700_000_040;

fn login(second: i64, user: &str) -> Json {
    json!({"t": MINUTE + second, "user": user})
}

/// Entity, start in minutes, and value of the printed measurements.
fn measured(ran: &Ran) -> Vec<String> {
    let part = |line: &str, from: &str, to: &str| {
        let rest = line.split_once(from).unwrap().1;
        rest.split_once(to).unwrap().0.to_owned()
    };
    let one = |line: &String| {
        let start: i64 = part(line, "'start': ", ",").parse().unwrap();
        let minute = (start / 1000 - MINUTE) / 60;
        let (entity, value) = (part(line, "'entity': '", "'"), part(line, "'value': ", "}"));
        format!("{minute} {entity} {value}")
    };
    printed(ran).iter().map(one).collect()
}

#[test]
fn profiles_are_measured_by_the_time_of_the_events() {
    let home = Home::new();
    let lines = [
        login(0, "a"),
        login(5, "b"),
        login(59, "a"),
        login(61, "a"),
        login(58, "b"),
        login(70, "a"),
        login(30, "late"),
        json!({"user": "timeless"}),
        login(9_000_000_000, "ahead"),
        login(150, "a"),
    ];
    let ran = over(&home, &lines, PROFILE, &[]).ended(0);
    assert_eq!(
        measured(&ran),
        ["0 a 2", "0 b 2", "1 a 2", "2 a 1", "150000000 ahead 1"]
    );
    assert!(ran.err.contains("measured 5, late 1"), "{}", ran.err);
    assert!(
        ran.err
            .contains("the event has no t, which should be its time"),
        "{}",
        ran.err
    );
    let stored = home.run(&["profile", "list"], "").ended(0);
    assert!(
        stored
            .out()
            .contains("\"profile\":\"logins\",\"duration\":60000,\"series\":3")
    );
}

#[test]
fn open_periods_go_on_after_a_stop() {
    for state in ["state.json", "store"] {
        let home = Home::new();
        let run =
            |lines: &[Json], steps: &str| over(&home, lines, steps, &["--state", state]).ended(0);
        assert!(measured(&run(&[login(0, "a"), login(1, "b")], PROFILE)).is_empty());
        let second = run(&[login(2, "a"), login(71, "b")], PROFILE);
        assert_eq!(measured(&second), ["0 a 2", "0 b 1"]);
        // What comes for a closed period is late in the next run, too.
        let third = run(&[login(3, "a"), login(140, "b")], PROFILE);
        assert_eq!(measured(&third), ["1 b 1"]);
        assert!(third.err.contains("late 1"), "{}", third.err);
        let other = PROFILE.replace("result: count", "result: count + 100");
        let changed = run(&[login(141, "b"), login(200, "b")], &other);
        assert!(changed.err.contains("begins anew"), "{}", changed.err);
        assert_eq!(measured(&changed), ["2 b 101"]);
    }
}

#[test]
fn entities_have_a_bound_and_sketches_survive() {
    let home = Home::new();
    let steps = PROFILE
        .replace("tag: m", "tag: m\n      entities: 2\n      store: false")
        .replace("{count: 0}", "{s: 'HLLP_INIT(5, 6)'}")
        .replace("{count: count + 1}", "{s: 'HLLP_ADD(s, t)'}")
        .replace("result: count", "result: HLLP_CARDINALITY(s)");
    let run = |lines: &[Json]| over(&home, lines, &steps, &["--state", "s.json"]).ended(0);
    let first = run(&[login(0, "a"), login(1, "b"), login(2, "c"), login(3, "a")]);
    assert!(first.err.contains("keys 2, evicted 1"), "{}", first.err);
    let second = run(&[login(3, "a"), login(4, "a"), login(100, "a")]);
    assert_eq!(measured(&second), ["0 a 3", "0 b 1"]);
    let stored = home.run(&["profile", "list"], "").ended(0);
    assert_eq!(stored.out(), "");
}

const THRESHOLD: &str = "
    - {name: filter_threshold, match: log, key: '[k, j]', threshold: 100, relapse: 20, count_key: held}
    - {name: output_stdout, match: log}
";

#[test]
fn repeats_are_held_back_and_relapses_come_later() {
    let home = Home::new();
    let at = |second: i64| json!({"t": MINUTE + second, "k": "a"});
    let run = |seconds: &[i64]| {
        let lines: Vec<Json> = seconds.iter().map(|second| at(*second)).collect();
        let more = ["--clock", "event:t", "--state", "s.json"];
        let ran = over(&home, &lines, THRESHOLD, &more).ended(0);
        let part = |line: &String| {
            let (_, rest) = line.split_once("'t': ").unwrap();
            let (t, rest) = rest.split_once(',').unwrap();
            let held = rest.split_once("'held': ").unwrap().1.trim_end_matches('}');
            format!("{} {held}", t.parse::<i64>().unwrap() - MINUTE)
        };
        printed(&ran).iter().map(part).collect::<Vec<String>>()
    };
    assert_eq!(run(&[0, 5, 50, 85, 99]), ["0 0"]);
    // The window that ended at 100 had a relapse, so that a new one began at 101.
    assert_eq!(run(&[101, 150]), ["99 3"]);
    assert_eq!(run(&[260, 400]), ["260 0", "400 0"]);
}

const IDEA: &str = "
    - name: output_event
      match: log
      time_key: t
      message:
        Category: [\"'Recon.Scanning'\"]
        Source: [{IP4: [ip]}]
        Description: what
";

#[test]
fn the_same_event_is_stored_once() {
    let home = Home::new();
    let lines = [
        json!({"t": MINUTE, "ip": "192.0.2.1", "what": "scan"}),
        json!({"t": MINUTE, "ip": "nonsense"}),
        json!({"t": MINUTE + 1, "ip": null}),
    ];
    let ran = over(&home, &lines, IDEA, &[]).ended(0);
    assert!(ran.err.contains("failed 1, stored 2"), "{}", ran.err);
    assert!(
        ran.err
            .contains("Source[0].IP4[0]: \"nonsense\" is no IPv4 address"),
        "{}",
        ran.err
    );
    // Events that come again are read at another time.
    for later in ["2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z"] {
        let ran = over(&home, &lines, IDEA, &["--now", later]).ended(0);
        assert!(ran.err.contains("failed 1, known 2"), "{}", ran.err);
    }
    let found = home.run(&["event", "search"], "").ended(0).json();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["DetectTime"], "2023-11-14T22:14:00Z");
    assert_eq!(found[0]["Description"], "scan");
    assert_eq!(found[1].get("Source"), None, "what is empty is left out");
    // Another step makes other messages of the same events.
    let other = IDEA.replace("Description: what", "Description: \"'other'\"");
    let ran = over(&home, &lines, &other, &[]).ended(0);
    assert!(ran.err.contains("stored 2"), "{}", ran.err);
}

#[test]
fn an_identifier_of_ones_own_is_for_one_message() {
    let home = Home::new();
    let own = IDEA.replace("time_key: t", "time_key: t\n      id: t");
    let line = |what: &str| [json!({"t": MINUTE, "ip": "192.0.2.1", "what": what})];
    let at = |now: &'static str| ["--now", now];
    let ran = over(&home, &line("scan"), &own, &at("2030-01-01T00:00:00Z")).ended(0);
    assert!(ran.err.contains("stored 1"), "{}", ran.err);
    let ran = over(&home, &line("scan"), &own, &at("2030-01-01T00:00:01Z")).ended(0);
    assert!(ran.err.contains("known 1"), "{}", ran.err);
    let ran = over(&home, &line("worm"), &own, &at("2030-01-01T00:00:02Z")).ended(0);
    assert!(ran.err.contains("failed 1"), "{}", ran.err);
    assert!(
        ran.err.contains("its message is another one"),
        "{}",
        ran.err
    );
}

#[test]
fn a_record_may_be_the_message() {
    let home = Home::new();
    let text = std::fs::read_to_string("examples/data/idea.jsonl").unwrap();
    let lines: Vec<Json> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let steps = "    - {name: output_event, match: log}\n";
    over(&home, &lines, steps, &[]).ended(0);
    let found = home.run(&["event", "search"], "").ended(0).json();
    let ids = |all: &[Json]| {
        let mut ids: Vec<String> = all.iter().map(|m| m["ID"].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&found), ids(&lines));
}

#[test]
fn every_message_is_stored_once_whenever_the_program_is_killed() {
    let home = Home::new();
    let (files, each) = (12, 400);
    for file in 0..files {
        let line = |n: i32| {
            json!({"t": MINUTE, "ip": "192.0.2.1", "what": format!("{file} {n}")}).to_string()
        };
        let lines: Vec<String> = (0..each).map(line).collect();
        home.write(&format!("in/{file:02}.jsonl"), lines.join("\n") + "\n");
    }
    let file = format!(
        "pipelines:\n  p:\n    - {{name: input_file, tag: log, watch_path: in, path_pattern: 'in/*.jsonl', remove: true}}\n    - {{name: parser_json, match: log, key: log}}\n{IDEA}"
    );
    home.write("p.yaml", file);
    let mut dice = Dice(0x5eed);
    let mut unfinished = 0;
    let left = || std::fs::read_dir(home.path("in")).unwrap().count();
    for _ in 0..8 {
        let talk = home.talk(&["pipeline", "run", "p.yaml"]);
        std::thread::sleep(Duration::from_millis(20 + dice.roll(400) as u64));
        unfinished += usize::from(left() > 0);
        // Dropping it kills it without a warning.
        drop(talk);
    }
    assert!(unfinished > 0, "it was never killed at work");
    home.run(&["pipeline", "run", "--once", "p.yaml"], "")
        .ended(0);
    assert_eq!(left(), 0);
    let found = home
        .run(&["event", "search", "--limit", "100000"], "")
        .ended(0)
        .json();
    let mut seen: Vec<String> = found.iter().map(|m| m["Description"].to_string()).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(
        (found.len(), seen.len()),
        (files * each as usize, files * each as usize)
    );
}
