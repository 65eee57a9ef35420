//! stellar event on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::Home;
use support::events::HOSTILE_ARGUMENTS;
use support::postgres::Own;

const NOW: &str = "2026-01-12T00:00:00Z";

fn main() {
    support::live::run(
        "STELLAR_TEST_POSTGRES",
        &[(
            "commands_do_the_same_on_postgresql",
            commands_do_the_same_on_postgresql,
        )],
    );
}

fn commands_do_the_same_on_postgresql(server: &str) {
    let own = Own::empty(server);
    let home = Home::new();
    home.write(
        "idea.jsonl",
        std::fs::read("examples/data/idea.jsonl").unwrap(),
    );
    let setting = format!("store.event={}", own.address);
    let on_server = |arguments: &[&str], input: &str| {
        let all = [&["event", "--now", NOW, "--set", &setting], arguments].concat();
        home.run(&all, input)
    };
    let early = on_server(&["count"], "").ended(1);
    assert!(early.err.contains("stellar event init"), "{}", early.err);
    let doctor = ["doctor", "--format", "table", "--set", &setting];
    let sick = home.run(&doctor, "").ended(1);
    assert!(sick.out().contains("there are no tables"), "{}", sick.out());
    // A load creates what is missing.
    let loaded = on_server(&["load", "idea.jsonl"], "").ended(0);
    assert!(
        loaded.out().starts_with("8 events loaded"),
        "{}",
        loaded.out()
    );
    let again = on_server(&["load", "idea.jsonl"], "").ended(0);
    assert!(
        again.out().starts_with("0 events loaded, 8 known"),
        "{}",
        again.out()
    );
    let init = on_server(&["init"], "").ended(0);
    assert!(init.out().contains("events_combined_idx"), "{}", init.out());
    on_server(&["index", "create", "--addresses"], "").ended(0);
    let well = home.run(&doctor, "").ended(0);
    assert!(
        well.out().contains("the tables are there"),
        "{}",
        well.out()
    );
    let network = r#"{"source_addrs": ["192.0.2.0/24"], "sortby": "detecttime.asc"}"#;
    let found = on_server(&["search", "--format", "ids", "--where", network], "").ended(0);
    assert_eq!(
        found.lines(),
        ["scan-1", "scan-2", "scan-3", "spam-1", "test-1"]
    );
    let mut lines = String::new();
    for (index, text) in HOSTILE_ARGUMENTS.iter().enumerate() {
        let message = json!({
            "ID": format!("h{index}"), "DetectTime": 1, "Category": ["Test"], "Description": text,
            "_CESNET": {"ResolvedAbuses": [text]},
        });
        lines.push_str(&format!("{message}\n"));
    }
    on_server(&["load", "-"], &lines).ended(0);
    for (index, text) in HOSTILE_ARGUMENTS.iter().enumerate() {
        for parameters in [json!({"description": text}), json!({"groups": [text]})] {
            let search = [
                "search",
                "--format",
                "ids",
                "--where",
                &parameters.to_string(),
            ];
            let found = on_server(&search, "").ended(0);
            assert_eq!(found.lines(), [format!("h{index}")], "{parameters}");
        }
    }
    let all = format!("{}\n", 8 + HOSTILE_ARGUMENTS.len());
    assert_eq!(on_server(&["count"], "").ended(0).out(), all);
    let apply = ["threshold", "apply", "--group", "g", "--severity", "low"];
    let lines = std::fs::read_to_string("examples/data/idea.jsonl").unwrap();
    let verdicts = on_server(&apply, &lines).ended(0).json();
    let verdicts: Vec<&str> = verdicts
        .iter()
        .map(|row| row["verdict"].as_str().unwrap())
        .collect();
    let held = verdicts
        .iter()
        .filter(|verdict| **verdict == "suppress")
        .count();
    assert_eq!((verdicts.len(), held), (8, 2), "{verdicts:?}");
    let value = home.run(
        &[
            "eval",
            "--set",
            &setting,
            "EVENT_COUNT({'target_ports': [443]})",
        ],
        "",
    );
    assert_eq!(value.ended(0).out(), "1\n");
    on_server(&["drop", "--all"], "").ended(0);
}
