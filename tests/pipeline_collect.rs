//! Pipelines that fill collections and ask them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use support::{Home, Ran};

/// The moment at which all this happens.
const NOW: &str = "2026-11-23T10:00:00Z";
const SECONDS: i64 = 1_795_428_000;

/// Runs a pipeline of steps over lines of JSON to the end.
fn over(home: &Home, lines: &[Json], steps: &str, more: &[&str]) -> Ran {
    let lines: Vec<String> = lines.iter().map(Json::to_string).collect();
    home.write("in/a.jsonl", lines.join("\n") + "\n");
    let file = format!(
        "pipelines:\n  p:\n    - {{name: input_file, tag: log, watch_path: in, path_pattern: 'in/*.jsonl'}}\n    - {{name: parser_json, match: log, key: log}}\n{steps}"
    );
    home.write("p.yaml", file);
    let arguments = [
        "--now", NOW, "pipeline", "run", "--once", "--stats", "p.yaml",
    ];
    home.run(&[&arguments, more].concat(), "")
}

fn eval(home: &Home, text: &str) -> String {
    let ran = home.run(&["--now", NOW, "eval", text], "").ended(0);
    ran.out().trim_end().to_owned()
}

/// The records of the lines that were printed.
fn printed(ran: &Ran) -> Vec<String> {
    let record = |line: &&str| line.split_once("]: ").unwrap().1.to_owned();
    ran.lines().iter().map(record).collect()
}

fn events() -> Vec<Json> {
    vec![
        json!({"t": SECONDS - 60, "user": "ada", "host": "hq", "n": 1}),
        json!({"t": SECONDS - 30, "user": "bob", "host": "hq", "n": 2}),
        json!({"t": SECONDS - 10, "user": "ada", "host": "hq", "n": 3}),
        // Older than what is there, and over already.
        json!({"t": SECONDS - 90, "user": "ada", "host": "hq", "n": 4}),
        json!({"t": SECONDS - 9000, "user": "eve", "host": "hq", "n": 5}),
        // No time, and no key.
        json!({"user": "eve", "host": "hq", "n": 6}),
        json!({"t": SECONDS, "user": ["eve"], "host": "hq", "n": 7}),
    ]
}

fn step(name: &str, rest: &str) -> String {
    format!(
        "    - {{name: {name}, match: log, collection: logins, expire_in: 1h, keys: [user, TO_UPPER(host)], time_key: t{rest}}}\n"
    )
}

fn checked(home: &Home) {
    assert_eq!(
        eval(home, "COLLECTION_GET('logins', 'ada', 'HQ')"),
        format!("{{eventdate={}, n=3, twice=6}}", (SECONDS - 10) * 1000)
    );
    let has = |user: &str| eval(home, &format!("COLLECTION_HAS('logins', '{user}', 'HQ')"));
    assert_eq!(
        [has("ada"), has("bob"), has("eve")],
        ["true", "true", "false"]
    );
}

#[test]
fn a_filter_notes_what_passes() {
    let home = Home::new();
    let steps = step("filter_collect", ", values: {n: n, twice: n * 2}")
        + "    - {name: output_stdout, match: log}\n";
    let ran = over(&home, &events(), &steps, &["--dead-letter", "dead"]).ended(0);
    assert_eq!(ran.lines().len(), 5);
    let counted = "in 7, bypass 0, do 7, out 5, dropped 0, failed 2, stored 3, older 1, expired 1";
    assert!(ran.err.contains(counted), "{}", ran.err);
    let dead = std::fs::read_to_string(home.path("dead")).unwrap();
    assert!(dead.contains("t is null, not a time"), "{dead}");
    assert!(dead.contains("a key is made of texts"), "{dead}");
    checked(&home);
}

#[test]
fn an_output_writes_the_same() {
    let home = Home::new();
    let steps = step(
        "output_redis",
        ", values: {n: n, twice: n * 2}, description: who was there",
    );
    let ran = over(&home, &events(), &steps, &[]).ended(0);
    assert!(
        ran.err.contains("stored 3, older 1, expired 1"),
        "{}",
        ran.err
    );
    checked(&home);
    // The time alone, under another name.
    let steps = step("output_redis", "").replace("logins", "seen");
    over(&home, &events(), &steps, &[]).ended(0);
    assert_eq!(
        eval(&home, "COLLECTION_GET('seen', 'bob', 'HQ')"),
        format!("{{eventdate={}}}", (SECONDS - 30) * 1000)
    );
}

#[test]
fn lookups_keep_and_add() {
    let home = Home::new();
    let steps = step("output_redis", ", values: [n]");
    over(&home, &events(), &steps, &[]).ended(0);
    let asked = [
        json!({"user": "ada", "host": "hq"}),
        json!({"user": "mallory", "host": "hq"}),
        json!({"user": "bob", "host": "HQ"}),
    ];
    let steps = |rest: &str| {
        format!(
            "    - {{name: filter_lookup, match: log, collection: logins, keys: [user, TO_UPPER(host)]{rest}}}\n    - {{name: output_stdout, match: log}}\n"
        )
    };
    let ran = over(&home, &asked, &steps(", keep: missing"), &[]).ended(0);
    assert_eq!(printed(&ran), ["{'user': 'mallory', 'host': 'hq'}"]);
    let ran = over(&home, &asked, &steps(", into: seen"), &[]).ended(0);
    assert_eq!(
        printed(&ran),
        [
            format!(
                "{{'user': 'ada', 'host': 'hq', 'seen': {{'eventdate': {}, 'n': '3'}}}}",
                (SECONDS - 10) * 1000
            ),
            "{'user': 'mallory', 'host': 'hq'}".to_owned(),
            format!(
                "{{'user': 'bob', 'host': 'HQ', 'seen': {{'eventdate': {}, 'n': '2'}}}}",
                (SECONDS - 30) * 1000
            ),
        ]
    );
    let ran = over(&home, &asked, &steps(", keep: found"), &[]).ended(0);
    assert_eq!(printed(&ran).len(), 2);
    // What is not there is no event that was not found.
    let wrong = steps(", keep: missing").replace("logins", "login");
    let ran = over(&home, &asked, &wrong, &["--dead-letter", "dead"]).ended(0);
    assert!(ran.lines().is_empty());
    let dead = std::fs::read_to_string(home.path("dead")).unwrap();
    assert!(dead.contains("there is no collection"), "{dead}");
}

#[test]
fn parameters_are_checked() {
    let home = Home::new();
    let wrong = |step: &str, wanted: &str| {
        home.write("p.yaml", format!("pipelines:\n  p:\n    - {step}\n"));
        let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
        assert!(
            ran.err.contains(wanted) || ran.out().contains(wanted),
            "{} {}",
            ran.err,
            ran.out()
        );
    };
    let all = "name: filter_collect, match: a, collection: c, expire_in: 1h";
    wrong(
        &format!("{{{all}, keys: []}}"),
        "a key has one part at least",
    );
    wrong(&format!("{{{all}, keys: 'a +'}}"), "E01");
    wrong(&format!("{{{all}, keys: a, values: {{b: 'c +'}}}}"), "E01");
    wrong(
        "{name: filter_collect, match: a, collection: ' ', expire_in: 1h, keys: a}",
        "a collection has a name",
    );
    wrong(
        "{name: output_redis, match: a, collection: c, expire_in: 0.1, keys: a}",
        "a second at least",
    );
    wrong(
        "{name: output_redis, match: a, collection: c, keys: a}",
        "lacks expire_in",
    );
    wrong(
        "{name: filter_lookup, match: a, collection: c, keys: a}",
        "does nothing so",
    );
    wrong(
        "{name: filter_lookup, match: a, collection: c, keys: [a, 'b +'], into: x}",
        "E01",
    );
}
