//! Queries over what the program keeps itself, and what completion knows of sources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use stellar::collect::query::Saved;
use stellar::engine::Engine;
use stellar::eval::Context;
use stellar::input::{Catalogue, Column, Columns, FileRows, Source, Take, Wish};
use stellar::shell::Session;
use stellar::shell::complete::complete;
use support::{Home, Talk};

const PROFILE: &str = r#"{
    "timestampField": "ts",
    "profiles": [{ "profile": "hits", "foreach": "user", "init": { "n": "0" }, "update": { "n": "n + 1" }, "result": "n" }]
}"#;

#[test]
fn measurements_are_rows() {
    let home = Home::new();
    home.write("p.json", PROFILE);
    let event = |user: &str, minute: i64| {
        let time = 1_502_665_200_000i64 + minute * 60_000;
        format!("{{\"ts\": {time}, \"user\": \"{user}\"}}\n")
    };
    let events = [("ann", 1), ("ann", 2), ("bob", 3), ("ann", 16), ("ann", 31)];
    let text: String = events
        .iter()
        .map(|(user, minute)| event(user, *minute))
        .collect();
    home.write("app.log", text);
    home.run(&["profile", "apply", "-c", "p.json", "app.log"], "")
        .ended(0);
    for source in ["profile", "profile.hits"] {
        let text = format!(
            "from {source} where value >= 1 select eventdate, profile, entity, value, duration"
        );
        let mut found = home.run(&["query", &text], "").ended(0).json();
        found.sort_by_key(|row| (row["entity"].to_string(), row["eventdate"].as_i64()));
        let row = |entity, start: i64, value| serde_json::json!({"eventdate": 1_502_665_200_000i64 + start * 900_000, "profile": "hits", "entity": entity, "value": value, "duration": 900_000});
        assert_eq!(
            found,
            [
                row("ann", 0, 2),
                row("ann", 1, 1),
                row("ann", 2, 1),
                row("bob", 0, 1)
            ]
        );
    }
    // The beginning of a period counts.
    let text = "from profile.hits group by entity select entity, sum(value) as n";
    let ran = home.run(
        &[
            "query",
            text,
            "--from",
            "1502665200001",
            "--to",
            "1502667000000",
        ],
        "",
    );
    assert_eq!(ran.ended(0).lines(), [r#"{"entity":"ann","n":1}"#]);
    let ran = home.run(&["query", "from profile.hit"], "").ended(1);
    assert!(
        ran.err.contains("did you mean profile.hits?"),
        "{}",
        ran.err
    );
}

#[test]
fn stored_events_are_rows_and_are_followed() {
    let home = Home::new();
    let load = |id: &str, minute: u32| {
        let event = format!(
            "{{\"ID\": \"{id}\", \"DetectTime\": \"2026-01-10T08:{minute:02}:00Z\", \"Category\": [\"Test\"]}}\n"
        );
        home.run(&["event", "load", "-"], event).ended(0);
    };
    load("e1", 0);
    load("e2", 3);
    let talk = home.talk(&["query", "from events select id, category", "--follow"]);
    let hears = |talk: &Talk, id: &str| {
        assert_eq!(
            talk.hear(),
            format!("{{\"id\":\"{id}\",\"category\":[\"Test\"]}}")
        );
    };
    hears(&talk, "e1");
    hears(&talk, "e2");
    // Detected before the others, and stored later.
    load("e0", 1);
    hears(&talk, "e0");
    let text = "from events select eventdate, id limit 1";
    let ran = home.run(&["query", text, "--from", "2026-01-10T08:02:00Z"], "");
    assert_eq!(
        ran.ended(0).lines(),
        [r#"{"eventdate":1768032180000,"id":"e2"}"#]
    );
}

/// A source that only has columns.
struct Bare;

impl Source for Bare {
    fn about(&self) -> String {
        String::new()
    }

    fn columns(&self, _: &Context) -> stellar::diagnostic::Outcome<Columns> {
        Ok(Columns::Fixed(vec![Column::new("username", "str")]))
    }

    fn read(&self, _: &Wish<'_>, _: &Context, take: Take<'_>) -> stellar::diagnostic::Outcome<()> {
        take(Default::default()).map(drop)
    }
}

#[test]
fn completion_knows_sources_and_columns() {
    let home = Home::new();
    let path = home.write(
        "web.jsonl",
        "{\"eventdate\": 1, \"uri\": \"/\", \"user\": \"u\"}\n",
    );
    let mut engine = Engine::bare();
    let mut catalogue = Catalogue::default();
    catalogue.add("web", Arc::new(FileRows::new(vec![path], None, None)));
    catalogue.add("siem.logins", Arc::new(Bare));
    engine.context.services.add(Arc::new(catalogue));
    let store = stellar::store::Store::new(&home.path("s.db"), &[&stellar::collect::query::SAVED]);
    let saved = Saved::new(&store);
    let within = stellar::store::Within::context(&engine.context);
    saved.save("busy", "from web", false, within).unwrap();
    engine.context.services.add(Arc::new(saved));
    let session = Session::new(&engine);
    let offered = |text: &str| -> Vec<String> {
        let found = complete(&session, text, text.len());
        found.candidates.into_iter().map(|c| c.text).collect()
    };
    assert_eq!(offered("QUERY('"), ["busy", "from "]);
    assert_eq!(offered("x := QUERY('from "), ["siem.logins ", "web "]);
    assert_eq!(offered("QUERY('from siem.l"), ["siem.logins "]);
    assert_eq!(offered("QUERY('from web where u"), ["uri", "user"]);
    assert_eq!(offered("QUERY('from siem.logins select us"), ["username"]);
    assert_eq!(offered("QUERY('from web gr"), ["group "]);
    assert_eq!(
        offered("QUERY('from web group by user select countd"),
        ["countdistinct("]
    );
    assert!(offered("QUERY('from web where TO_UP").contains(&"TO_UPPER(".to_owned()));
    assert!(offered("QUERY('from nowhere where event").contains(&"eventdate".to_owned()));
}
