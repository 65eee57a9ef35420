//! stellar event, on the embedded store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use support::events::HOSTILE_ARGUMENTS;
use support::{Home, Ran};

const NOW: &str = "2026-01-12T00:00:00Z";

fn event(home: &Home, arguments: &[&str]) -> Ran {
    let all = [&["event", "--now", NOW], arguments].concat();
    home.run(&all, "")
}

/// The examples, loaded.
fn with_events() -> Home {
    let home = Home::new();
    let data = std::fs::read("examples/data/idea.jsonl").unwrap();
    home.write("idea.jsonl", data);
    let loaded = event(&home, &["load", "idea.jsonl"]).ended(0);
    assert_eq!(
        loaded.out(),
        "8 events loaded, 0 known already, 0 rejected\n"
    );
    home
}

fn count(home: &Home) -> String {
    event(home, &["count"]).ended(0).out().trim().to_string()
}

#[test]
fn events_are_loaded_once_and_found() {
    let home = with_events();
    let again = event(&home, &["load", "idea.jsonl"]).ended(0);
    assert_eq!(
        again.out(),
        "0 events loaded, 8 known already, 0 rejected\n"
    );
    assert_eq!(count(&home), "8");
    let network = r#"{"source_addrs": ["192.0.2.0/24"], "categories": ["Recon.Scanning"]}"#;
    let found = event(&home, &["search", "--where", network, "--format", "ids"]).ended(0);
    assert_eq!(found.lines(), ["scan-1", "scan-2", "scan-3"]);
    // A map of the language means the same.
    let map = "{'source_addrs': ['192.0.2.0/24'], 'categories': ['Recon.Scanning']}";
    let found = event(&home, &["count", "--where", map]).ended(0);
    assert_eq!(found.out(), "3\n");
    // Messages come as they were stored.
    let messages = event(&home, &["get", "ddos-1"]).ended(0).json();
    assert_eq!(messages[0]["DetectTime"], "2026-01-11T02:00:00.250000Z");
    assert_eq!(messages[0]["_CESNET"]["EventSeverity"], "high");
    let newest = [
        "search",
        "--sort",
        "detecttime.desc",
        "--limit",
        "2",
        "--page",
        "2",
        "--format",
        "ids",
    ];
    assert_eq!(
        event(&home, &newest).ended(0).lines(),
        ["spam-1", "login-2"]
    );
}

#[test]
fn events_are_shown_as_asked() {
    let home = with_events();
    let only = r#"{"severities": ["high"]}"#;
    let show = |more: &[&str]| {
        let all = [&["search", "--where", only], more].concat();
        event(&home, &all).ended(0)
    };
    let columns = "id,detecttime,source_ip,target_port,storagetime,description";
    assert_eq!(
        show(&["--columns", columns]).json(),
        [json!({
            "id": "ddos-1", "detecttime": "2026-01-11T02:00:00.250000Z", "source_ip": ["203.0.113.5", "203.0.113.9"],
            "target_port": [443], "cesnet_storagetime": "2026-01-11T02:00:00.250000Z", "description": "SYN flood",
        })]
    );
    assert_eq!(
        show(&["--columns", "id,source_ip", "--format", "csv"]).out(),
        "id,source_ip\nddos-1,\"203.0.113.5, 203.0.113.9\"\n"
    );
    assert_eq!(
        show(&["--columns", "id,category", "--format", "text"]).out(),
        "ddos-1\tAvailability.DDoS\n"
    );
    let ghost = show(&["--ghost"]).json();
    assert_eq!(
        ghost[0]["Source"][0]["IP4"],
        json!(["203.0.113.5", "203.0.113.9"])
    );
    let all: Json =
        serde_json::from_str(event(&home, &["search", "--format", "json"]).out()).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 8);
    let none = [
        "search",
        "--where",
        r#"{"ID": 1, "classes": ["x"]}"#,
        "--format",
        "json",
    ];
    let none = event(&home, &none).ended(0);
    assert_eq!(none.out(), "[]\n");
    assert!(none.err.contains("note: ID has no effect"), "{}", none.err);
    let table = show(&["--format", "table"]);
    assert!(table.out().contains("┆ SYN flood"), "{}", table.out());
}

#[test]
fn what_cannot_be_stored_is_rejected_unchanged() {
    let home = Home::new();
    let good = r#"{"ID": "good", "DetectTime": "2026-01-10T08:00:00Z", "Category": ["Test"]}"#;
    let bad = [
        r#"{"ID": "b1", "DetectTime": "2026-01-10T08:00:00Z", "Category": ["Test"], "Source": [{"IP4": ["192.0.2.1", "x"]}]}"#,
        "not json \u{e9}\r",
        r#"  {"ID": "b3", "Category": ["Test"]}"#,
        r#"{"ID": "b4", "DetectTime": 1, "Category": ["Test"], "Target": [{"Port": [4294967296]}]}"#,
    ];
    home.write("a.jsonl", format!("{good}\n{}\n", bad.join("\n")));
    let loaded = event(&home, &["load", "a.jsonl"]).ended(1);
    assert_eq!(
        loaded.out(),
        "1 event loaded, 0 known already, 4 rejected (a.jsonl.rejected)\n"
    );
    let kept = std::fs::read_to_string(home.path("a.jsonl.rejected")).unwrap();
    let mut lines: Vec<&str> = kept.split_terminator('\n').collect();
    // Those that only the store refuses come behind.
    lines.sort_unstable();
    let mut wanted = bad.to_vec();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert!(
        loaded.err.contains("a.jsonl:2: E0609 Source[0].IP4[1]"),
        "{}",
        loaded.err
    );
    assert!(loaded.err.contains("a.jsonl:5: E0607"), "{}", loaded.err);
    // Again: the same file, not a longer one.
    event(&home, &["load", "a.jsonl"]).ended(1);
    let again = std::fs::read_to_string(home.path("a.jsonl.rejected")).unwrap();
    assert_eq!(again.len(), kept.len());
    // An input that was corrected leaves none, and what others have written stays.
    home.write("a.jsonl", format!("{good}\n"));
    home.write("b.rejected", "mine");
    event(&home, &["load", "a.jsonl"]).ended(0);
    assert!(!home.path("a.jsonl.rejected").exists());
    assert!(home.path("b.rejected").exists());
    // A file that is named twice is read once.
    let ran = event(&home, &["load", "a.jsonl", "a.jsonl", "./a.jsonl"]).ended(0);
    assert_eq!(ran.out(), "0 events loaded, 1 known already, 0 rejected\n");
    assert!(
        ran.err.contains("a.jsonl is named twice and read once"),
        "{}",
        ran.err
    );
    // A file that is named grows.
    let from_pipe = ["event", "load", "--reject", "r.jsonl"];
    home.run(&from_pipe, "no\n").ended(1);
    let ran = home.run(&from_pipe, format!("nor this\n{good}\n")).ended(1);
    assert_eq!(
        ran.out(),
        "0 events loaded, 1 known already, 1 rejected (r.jsonl)\n"
    );
    let kept = std::fs::read_to_string(home.path("r.jsonl")).unwrap();
    assert_eq!(kept, "no\nnor this\n");
    let own = event(&home, &["load", "a.jsonl", "--reject", "./a.jsonl"]).ended(2);
    assert!(
        own.err
            .contains("is read, so nothing can be rejected into it")
    );
    // A file that is missing does not keep the others from being read.
    let ran = event(&home, &["load", "nope.jsonl"]).ended(1);
    assert!(ran.err.contains("nope.jsonl"), "{}", ran.err);
}

#[test]
fn lines_that_are_too_long_are_rejected_unchanged() {
    let home = Home::new();
    let good = r#"{"ID": "good", "DetectTime": "2026-01-10T08:00:00Z", "Category": ["Test"]}"#;
    // The first is as long as a chunk of lines, the next ones need many, and the last one has no end.
    let long = |mark: char, length: usize| mark.to_string().repeat(length);
    let bad = [
        long('a', 5_000),
        long('b', 3 << 20),
        format!("{}\r", long('c', (7 << 20) + 1)),
        long('d', 2 << 20),
    ];
    let [a, b, c, d] = &bad;
    let file = format!(
        "{good}\n{a}\n{b}\n\n{c}\n{}\n{d}",
        good.replace("good", "other")
    );
    let limit = ["--set", "limits.line=4096", "event", "load"];
    for pipe in [false, true] {
        home.write("a.jsonl", &file);
        let ran = match pipe {
            false => home.run(&[&limit[..], &["a.jsonl"]].concat(), ""),
            true => home.run(&[&limit[..], &["--reject", "r.jsonl"]].concat(), &file),
        };
        let ran = ran.ended(1);
        let (kept, name) = match pipe {
            false => ("a.jsonl.rejected", "a.jsonl"),
            true => ("r.jsonl", "standard input"),
        };
        let (loaded, known) = if pipe { (0, 2) } else { (2, 0) };
        let told = format!("{loaded} events loaded, {known} known already, 4 rejected ({kept})\n");
        assert_eq!(ran.out(), told);
        let kept = std::fs::read(home.path(kept)).unwrap();
        let wanted = format!("{}\n", bad.join("\n"));
        assert!(kept == wanted.as_bytes(), "{} bytes", kept.len());
        for line in [2, 3, 5, 7] {
            let told = format!("{name}:{line}: E0405 the line has more than 4096 bytes");
            assert!(ran.err.contains(&told), "{}", ran.err);
        }
    }
}

#[test]
fn private_parts_of_later_versions_are_read() {
    let home = Home::new();
    let line = r#"{"ID": "m", "DetectTime": 1, "Category": ["Test"], "_Mentat": {"EventSeverity": "high"}}"#;
    let load = ["event", "load", "--private-key", "_Mentat", "-"];
    home.run(&load, line).ended(0);
    let found = event(&home, &["count", "--where", r#"{"severities": ["high"]}"#]).ended(0);
    assert_eq!(found.out(), "1\n");
}

#[test]
fn nothing_is_removed_by_mistake() {
    let home = with_events();
    let refused: &[&[&str]] = &[
        &["delete"],
        &["delete", "--where", "{}"],
        &["delete", "--where", r#"{"source_adrs": ["192.0.2.1"]}"#],
        &[
            "delete",
            "--where",
            r#"{"source_adrs": ["192.0.2.1"], "categories": ["Test"]}"#,
        ],
        &[
            "delete",
            "--where",
            r#"{"categories": ["Test"], "limit": 1}"#,
        ],
        &["delete", "--where", r#"{"categories": ["Test"]}"#, "--all"],
        &["delete", "--where", r#"["Test"]"#],
        &["delete", "--where", "nope"],
        &["drop"],
    ];
    for arguments in refused {
        event(&home, arguments).ended(2);
        assert_eq!(count(&home), "8", "{arguments:?}");
    }
    let ran = event(&home, &["delete", "--where", r#"{"categories": ["Test"]}"#]).ended(0);
    assert_eq!(ran.out(), "1 event removed\n");
    let ran = event(&home, &["delete", "scan-1", "nope"]).ended(1);
    assert_eq!(ran.out(), "1 event removed\n");
    assert_eq!(ran.err, "note: there is no event nope\n");
    assert_eq!(count(&home), "6");
    let ran = event(&home, &["delete", "--all"]).ended(0);
    assert_eq!(ran.out(), "6 events removed\n");
    event(&home, &["drop", "--all"]).ended(0);
    assert_eq!(count(&home), "0");
}

#[test]
fn a_store_that_is_not_there_is_empty_and_not_created() {
    let home = Home::new();
    assert_eq!(count(&home), "0");
    assert_eq!(event(&home, &["search"]).ended(0).out(), "");
    event(&home, &["get", "x"]).ended(1);
    event(&home, &["watchdog", "60"]).ended(1);
    assert_eq!(
        event(&home, &["delete", "--all"]).ended(0).out(),
        "0 events removed\n"
    );
    assert!(!home.path("data").exists());
    for _ in 0..2 {
        let ran = event(&home, &["init"]).ended(0);
        assert!(ran.out().contains("the embedded file"), "{}", ran.out());
    }
    let ran = event(&home, &["index", "create", "--addresses"]).ended(2);
    assert!(ran.err.contains("embedded file"), "{}", ran.err);
}

#[test]
fn events_are_counted_by_value_and_by_time() {
    let home = with_events();
    let top = event(&home, &["aggregate", "severity", "--top", "1"]).ended(2);
    assert!(top.err.contains("did you mean"), "{}", top.err);
    let top = event(&home, &["aggregate", "eventseverity", "--top", "1"]).ended(0);
    assert_eq!(top.json(), [json!({"value": "low", "count": 4})]);
    let ports = event(
        &home,
        &["aggregate", "target_port", "--top", "1", "--format", "csv"],
    );
    assert_eq!(ports.ended(0).out(), "value,count\n22,4\n");
    let line = [
        "timeline",
        "--step",
        "12h",
        "--where",
        r#"{"dt_from": "2026-01-10"}"#,
    ];
    assert_eq!(
        event(&home, &line).ended(0).json(),
        [
            json!({"from": "2026-01-10T00:00:00Z", "count": 5}),
            json!({"from": "2026-01-10T12:00:00Z", "count": 0}),
            json!({"from": "2026-01-11T00:00:00Z", "count": 3}),
        ]
    );
    let by = event(&home, &["timeline", "--step", "1d", "--by", "severity"]).ended(2);
    assert!(by.err.contains("cesnet_eventseverity"), "{}", by.err);
    let by = [
        "timeline",
        "--step",
        "1d",
        "--by",
        "eventseverity",
        "--top",
        "1",
        "--format",
        "csv",
    ];
    assert_eq!(
        event(&home, &by).ended(0).lines(),
        [
            "from,value,count",
            "2026-01-10T08:00:12Z,low,3",
            "2026-01-10T08:00:12Z,__REST__,2",
            "2026-01-11T00:00:00Z,low,1",
            "2026-01-11T00:00:00Z,__REST__,2",
        ]
    );
    let usual = event(&home, &["timeline", "--format", "csv"]).ended(0);
    assert!((20..=51).contains(&usual.lines().len()), "{}", usual.out());
    let values = event(&home, &["distinct", "protocol", "--format", "ids"]).ended(0);
    assert_eq!(values.lines(), ["tcp"]);
}

#[test]
fn upkeep_says_what_it_does() {
    let home = with_events();
    let status = event(&home, &["status"]).ended(0).json();
    let events = status
        .iter()
        .find(|row| row["table_name"] == "events")
        .unwrap();
    assert_eq!(events["dt_oldest"], "2026-01-10T08:00:12Z");
    assert_eq!(events["row_estimate"], 8);
    let ran = event(&home, &["watchdog", "86400"]).ended(0);
    assert_eq!(ran.out(), "an event was stored in the last 86400 s\n");
    event(&home, &["watchdog", "60"]).ended(1);
    let ran = event(&home, &["cleanup", "--before", "1d"]).ended(0);
    assert_eq!(
        ran.out(),
        "5 rows of events with cesnet_storagetime before 2026-01-11T00:00:00Z removed\n"
    );
    assert_eq!(count(&home), "3");
    let ran = event(&home, &["cleanup", "nowhere", "--before", "1d"]).ended(1);
    assert!(ran.err.contains("E0606"), "{}", ran.err);
    event(&home, &["cleanup", "--before", "lately"]).ended(2);
}

#[test]
fn the_books_of_thresholds_are_kept() {
    let home = with_events();
    let at = |now: &str, arguments: &[&str], input: &str| {
        let all = [&["event", "--now", now], arguments].concat();
        home.run(&all, input)
    };
    let messages = std::fs::read_to_string("examples/data/idea.jsonl").unwrap();
    let of = |id: &str| {
        messages
            .lines()
            .find(|line| line.contains(&format!("\"{id}\"")))
            .unwrap()
    };
    let apply = |now: &str, id: &str| {
        let ran = at(
            now,
            &["threshold", "apply", "--group", "abuse@example.org"],
            of(id),
        )
        .ended(0);
        ran.json()[0]["verdict"].as_str().unwrap().to_string()
    };
    assert_eq!(apply("2026-01-10T12:00:00Z", "scan-1"), "report");
    assert_eq!(apply("2026-01-10T13:00:00Z", "scan-2"), "suppress");
    // Another source and another class are news.
    assert_eq!(apply("2026-01-10T13:00:00Z", "scan-3"), "report");
    assert_eq!(apply("2026-01-10T13:00:00Z", "login-1"), "report");
    // In the last two of six days it is a relapse.
    assert_eq!(apply("2026-01-14T11:59:59Z", "scan-2"), "suppress");
    assert_eq!(apply("2026-01-15T12:00:00Z", "scan-1"), "relapse");
    let relapsed = [
        "relapsed",
        "--group",
        "abuse@example.org",
        "--severity",
        "low",
    ];
    assert_eq!(at("2026-01-16T11:00:00Z", &relapsed, "").ended(0).out(), "");
    let ended = at("2026-01-16T12:00:00Z", &relapsed, "").ended(0).json();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["id"], "scan-1");
    assert_eq!(ended[0]["keyids"], json!(["recon-scanning+++192.0.2.7"]));
    assert_eq!(ended[0]["event"]["ID"], "scan-1");
    let renewed = [&relapsed[..], &["--renew", "--columns", "id"]].concat();
    let rows = at("2026-01-17T00:00:00Z", &renewed, "").ended(0).json();
    assert_eq!(
        rows,
        [json!({"id": "scan-1", "keyids": ["recon-scanning+++192.0.2.7"]})]
    );
    assert_eq!(at("2026-01-17T00:00:00Z", &relapsed, "").ended(0).out(), "");
    assert_eq!(apply("2026-01-17T01:00:00Z", "scan-2"), "suppress");
    let check = ["threshold", "check", "recon-scanning+++192.0.2.7"];
    let held = at("2026-01-17T01:00:00Z", &check, "").ended(0).json();
    assert_eq!(held[0]["thresholdtime"], "2026-01-17T00:00:00Z");
    assert_eq!(held[0]["ttltime"], "2026-01-23T00:00:00Z");
    at("2026-01-24T00:00:00Z", &check, "").ended(1);
    let set = ["threshold", "set", "k", "--ttl", "2026-02-01T00:00:00Z"];
    at(NOW, &set, "").ended(0);
    let save = [
        "threshold",
        "save",
        "e",
        "k",
        "--group",
        "g",
        "--severity",
        "low",
    ];
    at(NOW, &save, "").ended(0);
    let twice = at(NOW, &save, "").ended(1);
    assert!(twice.err.contains("E0608"), "{}", twice.err);
    let list = at(NOW, &["threshold", "list", "--format", "ids"], "").ended(0);
    assert!(list.lines().contains(&"k"), "{}", list.out());
    let cleaned = at("2026-03-01T00:00:00Z", &["threshold", "clean"], "").ended(0);
    assert!(
        cleaned.out().starts_with("5 thresholds and "),
        "{}",
        cleaned.out()
    );
    // What is impossible is said before anything is read.
    let apply = |more: &[&'static str]| {
        let always = ["threshold", "apply", "--group", "g", "--severity"];
        [&always, more].concat()
    };
    let long = apply(&["low", "--window", "1d", "--relapse", "2d"]);
    at(NOW, &long, of("scan-1")).ended(2);
    at(NOW, &apply(&["terrible"]), of("scan-1")).ended(2);
    let own = apply(&["terrible", "--window", "1h"]);
    let ran = at(NOW, &own, "{\"Category\": [\"Test\"]}\nno\n").ended(1);
    assert_eq!(ran.json()[0]["verdict"], "report");
    assert_eq!(ran.json()[0]["sources"], json!({"": "report"}));
}

/// A message about so many sources.
fn message(id: &str, sources: u32) -> String {
    let addresses: Vec<String> = (0..sources)
        .map(|n| format!("10.{}.{}.7", n >> 8, n & 255))
        .collect();
    let message = json!({
        "Format": "IDEA0", "ID": id, "DetectTime": "2026-01-10T08:00:00Z", "Category": ["Recon.Scanning"],
        "Source": [{"IP4": addresses}],
    });
    format!("{message}\n")
}

const APPLY: &[&str] = &[
    "event",
    "--now",
    NOW,
    "threshold",
    "apply",
    "--group",
    "g",
    "--severity",
    "low",
];

#[test]
fn verdicts_about_many_sources_and_in_all_formats_agree() {
    let input = [message("a", 2000), message("b", 1000), message("a", 2001)].concat();
    for format in ["jsonl", "json", "csv", "text", "table"] {
        let home = Home::new();
        let apply = [APPLY, &["--format", format, "m.jsonl"]].concat();
        home.write("m.jsonl", &input);
        let ran = home.run(&apply, "").ended(0);
        let verdicts: Vec<&str> = ran
            .out()
            .split(|c: char| !c.is_ascii_alphabetic())
            .collect();
        let count = |verdict: &str| verdicts.iter().filter(|word| **word == verdict).count();
        // Of each event and of each of its sources.
        assert_eq!(
            (count("report"), count("suppress")),
            (1 + 2000 + 1 + 1, 1 + 1000 + 2000),
            "{format}"
        );
        if format == "json" {
            let rows: Vec<Json> = serde_json::from_str(ran.out()).unwrap();
            assert_eq!(rows.len(), 3);
        }
        let status = event(
            &home,
            &["threshold", "clean", "--now", "2027-01-01T00:00:00Z"],
        )
        .ended(0);
        assert_eq!(
            status.out(),
            "2001 thresholds and 3000 held-back events removed\n",
            "{format}"
        );
    }
}

#[test]
fn a_verdict_that_nobody_has_seen_does_not_count() {
    let home = Home::new();
    for format in ["jsonl", "csv", "json"] {
        let mut command = home.command(&[APPLY, &["--format", format]].concat());
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, message("a", 2).as_bytes()).unwrap();
        drop(input);
        child.wait().unwrap();
    }
    let ran = home.run(APPLY, message("a", 2)).ended(0);
    assert_eq!(ran.json()[0]["verdict"], "report");
    let ran = home.run(APPLY, message("a", 2)).ended(0);
    assert_eq!(ran.json()[0]["verdict"], "suppress");
}

#[test]
fn verdicts_about_a_pipe_come_at_once() {
    let home = Home::new();
    let mut talk = home.talk(&[APPLY, &["--format", "csv"]].concat());
    talk.say(message("a", 1));
    assert_eq!(talk.hear(), "id,verdict,severity,sources");
    assert!(talk.hear().starts_with("a,report,low,"));
    talk.say(message("b", 1));
    assert!(talk.hear().starts_with("b,suppress,low,"));
    // What was said before Ctrl-C counts.
    talk.interrupt();
    talk.end();
    let ran = home.run(APPLY, message("c", 1)).ended(0);
    assert_eq!(ran.json()[0]["verdict"], "suppress");
}

#[test]
fn a_store_that_fails_ends_the_verdicts() {
    let home = Home::new();
    event(&home, &["init"]).ended(0);
    let pattern = home.path("data/**/*.db");
    let mut files = glob::glob(pattern.to_str().unwrap()).unwrap();
    let path = files.next().unwrap().unwrap();
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ran = home
        .run(APPLY, [message("a", 1), message("b", 2)].concat())
        .ended(1);
    assert_eq!(ran.err.matches("E0603").count(), 1, "{}", ran.err);
    assert!(!ran.err.contains("standard input"), "{}", ran.err);
}

#[test]
fn a_malformed_query_is_wrong_use() {
    let home = Home::new();
    for text in [
        "{",
        "",
        "  ",
        "[]",
        "x",
        r#"{"groups": ["\ud800"]}"#,
        "1 +",
        "NO_SUCH()",
    ] {
        let ran = event(&home, &["count", "--where", text]).ended(2);
        assert!(ran.err.contains("E0504"), "{text}: {}", ran.err);
        assert!(ran.err.contains("--where: "), "{text}: {}", ran.err);
    }
    let ran = event(&home, &["count", "--where", ""]).ended(2);
    assert!(ran.err.contains("there are no parameters"), "{}", ran.err);
}

#[test]
fn hostile_texts_are_texts() {
    let home = with_events();
    let mut lines = String::new();
    for (index, text) in HOSTILE_ARGUMENTS.iter().enumerate() {
        let message = json!({
            "ID": format!("h{index}"), "DetectTime": "2026-01-11T04:00:00Z", "Category": ["Test"], "Description": text,
            "_CESNET": {"ResolvedAbuses": [text], "EventSeverity": text},
        });
        lines.push_str(&format!("{message}\n"));
    }
    home.run(&["event", "load", "-"], lines).ended(0);
    let all = (8 + HOSTILE_ARGUMENTS.len()).to_string();
    for (index, text) in HOSTILE_ARGUMENTS.iter().enumerate() {
        for parameters in [json!({"description": text}), json!({"groups": [text]})] {
            let parameters = parameters.to_string();
            let search = ["search", "--format", "ids", "--where", &parameters];
            let found = event(&home, &search).ended(0);
            assert_eq!(found.lines(), [format!("h{index}")], "{parameters}");
        }
        let sql = [
            "sql",
            "--columns",
            "id",
            "--where",
            &json!({"description": text}).to_string(),
        ];
        let literal = text.replace('\'', "''");
        let written = format!("SELECT \"id\" FROM events WHERE \"description\" = '{literal}'\n");
        assert_eq!(event(&home, &sql).ended(0).out(), written);
        for name in [
            "categories",
            "detectors",
            "not_such",
            "classes",
            "inspection_errs",
            "source_types",
        ] {
            let parameters = json!({name: [text], "limit": 5}).to_string();
            let ran = event(
                &home,
                &["search", "--format", "ids", "--where", &parameters],
            )
            .ended(0);
            assert!(ran.lines().len() <= 5);
        }
        for parameters in [
            json!({"source_addrs": [text]}),
            json!({"source_ports": [text]}),
            json!({"dt_from": text}),
            json!({"limit": text}),
        ] {
            let ran = event(&home, &["count", "--where", &parameters.to_string()]);
            assert!(matches!(ran.code, Some(1 | 2)), "{parameters}: {ran:?}");
            assert!(ran.err.starts_with("error[E0"), "{}", ran.err);
        }
        for arguments in [
            vec!["distinct", text],
            vec!["aggregate", text],
            vec!["cleanup", "--before", "1d", text],
            vec!["search", "--sort", text, "--columns", text],
            vec!["get", text],
        ] {
            let ran = event(&home, &arguments);
            assert!(matches!(ran.code, Some(1 | 2)), "{arguments:?}: {ran:?}");
        }
        assert_eq!(count(&home), all, "{text:?}");
    }
    let nul = event(&home, &["count", "--where", r#"{"groups": ["a\u0000b"]}"#]).ended(1);
    assert!(nul.err.contains("E0607"), "{}", nul.err);
}
