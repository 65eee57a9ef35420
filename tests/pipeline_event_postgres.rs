//! Pipelines into the event store in a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::time::Duration;
use support::postgres::Own;
use support::{Dice, Home};

fn main() {
    support::live::run(
        "STELLAR_TEST_POSTGRES",
        &[
            (
                "every_message_is_stored_once_whenever_the_program_is_killed",
                every_message_is_stored_once_whenever_the_program_is_killed,
            ),
            (
                "a_connection_that_breaks_loses_nothing",
                a_connection_that_breaks_loses_nothing,
            ),
        ],
    );
}

const FILES: usize = 10;
const EACH: usize = 300;

/// Files of lines, and a pipeline that removes them when their messages are stored.
fn prepared(own: &Own) -> Home {
    let home = Home::new();
    for file in 0..FILES {
        let line = |n| json!({"t": 1_700_000_000, "what": format!("{file} {n}")}).to_string();
        let lines: Vec<String> = (0..EACH).map(line).collect();
        home.write(&format!("in/{file:02}.jsonl"), lines.join("\n") + "\n");
    }
    home.write(
        "p.yaml",
        "pipelines:\n  p:\n    - {name: input_file, tag: log, watch_path: in, path_pattern: 'in/*.jsonl', remove: true}\n    - {name: parser_json, match: log, key: log}\n    - {name: output_event, match: log, time_key: t, message: {Category: [\"'Test'\"], Description: what}}\n",
    );
    home.write(
        "stellar.toml",
        format!("[store]\nevent = {:?}\n", own.address),
    );
    home
}

fn left(home: &Home) -> usize {
    std::fs::read_dir(home.path("in")).unwrap().count()
}

fn every_message_is_stored_once_whenever_the_program_is_killed(server: &str) {
    let own = Own::empty(server);
    let home = prepared(&own);
    let mut dice = Dice(0x5eed);
    let mut unfinished = 0;
    for _ in 0..8 {
        let talk = home.talk(&["pipeline", "run", "p.yaml"]);
        std::thread::sleep(Duration::from_millis(20 + dice.roll(500) as u64));
        unfinished += usize::from(left(&home) > 0);
        // Dropping it kills it without a warning.
        drop(talk);
    }
    assert!(unfinished > 0, "it was never killed at work");
    let run = ["pipeline", "run", "--once", "p.yaml"];
    home.run(&run, "").ended(0);
    assert_eq!(left(&home), 0);
    assert_eq!(own.count(&json!({})), (FILES * EACH) as u64);
}

fn a_connection_that_breaks_loses_nothing(server: &str) {
    let own = Own::new(server);
    let home = prepared(&own);
    let mut talk = home.talk(&["pipeline", "run", "p.yaml"]);
    for _ in 0..20 {
        own.break_connections();
        std::thread::sleep(Duration::from_millis(20));
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while left(&home) > 0 && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
    assert_eq!(own.count(&json!({})), (FILES * EACH) as u64);
}
