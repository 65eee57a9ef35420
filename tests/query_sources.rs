//! Queries over what the program keeps itself, and what completion knows of sources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::io::Write;
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

/// Logins of a file, those that failed with another tag; and an output, which queries leave alone.
const PIPELINE: &str = "
pipelines:
  p:
    - {name: input_tail, path: logins.jsonl, tag: login}
    - {name: parser_json, match: login, key: log}
    - {name: filter_frequency, match: login, tag: often, alert: {kind: often}, query_key: user, num_events: 2, timeframe: 60, db_path: state.json}
    - {name: output_archive, match: '*', time_key: t, path_template: out.json}
";

#[test]
fn the_events_of_a_tag_are_rows() {
    let home = Home::new();
    home.write("p.yaml", PIPELINE);
    let line = |n: i64| {
        format!(
            "{{\"t\": {}, \"user\": \"u{}\"}}\n",
            1_700_000_000 + n,
            n % 3
        )
    };
    home.write("logins.jsonl", (0..3000).map(line).collect::<String>());
    home.write(
        "stellar.toml",
        "[sources.logins]\npipeline = \"p.yaml\"\ntag = \"login\"\ntime = \"t\"\nlag = \"0s\"\n\
         [sources.alerts]\npipeline = \"p.yaml\"\ntag = \"of*\"\nfollow = true\n",
    );
    let ask = |text: &str| home.run(&["query", text], "").ended(0).json();
    let found =
        ask("from logins group every 10m by user select user, eventdate, count() as n limit 2");
    assert_eq!(
        found,
        [
            json!({"user": "u0", "eventdate": 1_699_999_800_000i64, "n": 134}),
            json!({"user": "u1", "eventdate": 1_699_999_800_000i64, "n": 133})
        ]
    );
    // A part is enough, and the pipelines end.
    assert_eq!(
        ask("from logins where user == 'u1' select t limit 1"),
        [json!({"t": 1_700_000_001})]
    );
    let alerts = ask("from alerts select kind, user limit 2");
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert_eq!(alerts[0]["kind"], "often");
    assert!(!home.path("out.json").exists() && !home.path("state.json").exists());
    // Following goes on with what comes.
    let talk = home.talk(&[
        "query",
        "--follow",
        "from logins where user == 'u9' select user, t",
    ]);
    let mut logins = std::fs::File::options()
        .append(true)
        .open(home.path("logins.jsonl"))
        .unwrap();
    logins
        .write_all("{\"t\": 1700009999, \"user\": \"u9\"}\n".as_bytes())
        .unwrap();
    assert_eq!(talk.hear(), "{\"user\":\"u9\",\"t\":1700009999}");
    drop(talk);
    // What is wrong with the file is told with its place.
    home.write(
        "p.yaml",
        PIPELINE.replace("filter_frequency", "filter_frequenzy"),
    );
    let ran = home.run(&["query", "from logins select *"], "").ended(1);
    assert!(
        ran.err.contains("filter_frequency") && ran.err.contains("p.yaml"),
        "{}",
        ran.err
    );
    home.write("stellar.toml", "[sources.x]\npipeline = \"p.yaml\"\n");
    let ran = home.run(&["query", "from x select *"], "").ended(2);
    assert!(ran.err.contains("needs both pipeline"), "{}", ran.err);
}

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
    // Collections and tasks are named where functions want their names.
    let store = stellar::store::Store::new(&home.path("c.db"), &[&stellar::collect::COLLECT]);
    let kept = Arc::new(stellar::collect::Embedded::new(&store));
    let collections = stellar::collect::Collections::new(kept, "self");
    let about = stellar::collect::entry::About {
        name: "logins".into(),
        domain: "self".into(),
        description: "".into(),
        expire_in: 60,
        key_fields: Vec::new(),
        value_fields: Vec::new(),
    };
    let within = stellar::store::Within::context(&engine.context);
    collections.describe(&about, within).unwrap();
    engine.context.services.add(Arc::new(collections));
    let session = Session::new(&engine);
    let offered = |text: &str| -> Vec<String> {
        let found = complete(&session, text, text.len());
        found.candidates.into_iter().map(|c| c.text).collect()
    };
    assert_eq!(offered("COLLECTION_HAS('"), ["logins'"]);
    assert_eq!(offered("1 + CCGET('log"), ["logins'"]);
    assert!(offered("QUERY('from nowhere where event").contains(&"eventdate".to_owned()));
}
