//! The program and the real Mentat 2.4.0 on one database: each reads and finds what the other wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use stellar::event::store::EventStore;
use stellar::event::{COLUMNS, Message, Options};
use support::postgres::{Own, within};

fn main() {
    let variable = match std::env::var("STELLAR_TEST_POSTGRES") {
        Ok(_) => "STELLAR_TEST_MENTAT",
        Err(_) => "STELLAR_TEST_POSTGRES",
    };
    support::live::run(
        variable,
        &[
            (
                "mentat_finds_what_the_program_wrote",
                mentat_finds_what_the_program_wrote,
            ),
            (
                "the_program_finds_what_mentat_wrote",
                the_program_finds_what_mentat_wrote,
            ),
            (
                "mentat_goes_on_beside_the_index_of_addresses",
                mentat_goes_on_beside_the_index_of_addresses,
            ),
        ],
    );
}

/// Runs Mentat on a database.
struct Mentat<'a> {
    command: &'a str,
    address: &'a str,
}

impl Mentat<'_> {
    #[track_caller]
    fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new(self.command)
            .args(arguments)
            .env("MENTAT_DATABASE", self.address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn ids(&self, parameters: &Json) -> Vec<String> {
        let found = self.run(&["search", &parameters.to_string()], "");
        let id = |line: &str| {
            let message: Json = serde_json::from_str(line).unwrap();
            message["ID"].as_str().unwrap().to_string()
        };
        let mut ids: Vec<String> = found.lines().map(id).collect();
        ids.sort_unstable();
        ids
    }
}

fn own(server: &str) -> Own {
    // What the runner gives is Mentat's command.
    assert!(server.ends_with("run"), "{server}");
    Own::empty(&std::env::var("STELLAR_TEST_POSTGRES").unwrap())
}

fn message(id: &str, source: &str, storage: &str) -> Json {
    json!({
        "Format": "IDEA0", "ID": id, "DetectTime": "2026-01-02T03:04:05.678901Z", "Category": ["Recon.Scanning"],
        "Description": "žluťoučký kůň", "ConnCount": 17, "Confidence": 1,
        "Node": [{"Name": "org.example.probe", "Type": ["Relay"], "SW": ["Probe"]}],
        "Source": [{"IP4": [source, "10.1.0.0/16"], "IP6": ["2001:db8::/32", "2001:db8::5"], "Port": [443, 22],
            "Proto": ["TCP"], "Type": ["Botnet"]}],
        "Target": [{"IP4": ["192.0.2.7-192.0.2.3"], "Proto": ["ssh"]}],
        "_CESNET": {"StorageTime": storage, "ResolvedAbuses": ["abuse@example.org"], "EventClass": "Recon",
            "EventSeverity": "LOW", "InspectionErrors": ["odd"]},
    })
}

/// Searches that find both messages, one, or none.
fn searches() -> Vec<(Json, &'static [&'static str])> {
    vec![
        (json!({}), &["one", "two"]),
        (json!({"source_addrs": ["192.0.2.0/25"]}), &["one"]),
        (
            json!({"host_addrs": ["198.51.100.77", "203.0.113.1"]}),
            &["two"],
        ),
        (
            json!({"source_addrs": ["10.1.255.0-10.2.0.0"], "target_addrs": ["192.0.2.5"]}),
            &["one", "two"],
        ),
        (
            json!({"source_addrs": ["2001:db8:ffff::/48"]}),
            &["one", "two"],
        ),
        (json!({"source_addrs": ["203.0.113.0/24"]}), &[]),
        (
            json!({"source_ports": [22], "protocols": ["ssh"], "categories": ["Recon.Scanning"]}),
            &["one", "two"],
        ),
        (
            json!({"classes": ["recon"], "severities": ["low"], "detectors": ["org.example.probe"]}),
            &["one", "two"],
        ),
        (
            json!({"groups": ["__ANY__"], "inspection_errs": ["__EMPTY__"]}),
            &[],
        ),
        (
            json!({"description": "žluťoučký kůň", "st_from": "2026-01-02T04:00:00"}),
            &["two"],
        ),
        (json!({"dt_from": "2026-01-02T03:04:06"}), &[]),
    ]
}

fn both() -> [Json; 2] {
    [
        message("one", "192.0.2.1", "2026-01-02T03:30:00Z"),
        message("two", "198.51.100.77", "2026-01-02T04:30:00Z"),
    ]
}

#[track_caller]
fn found_alike(own: &Own, mentat: &Mentat<'_>) {
    for (parameters, expected) in searches() {
        assert_eq!(own.ids(&parameters), expected, "{parameters}");
        assert_eq!(mentat.ids(&parameters), expected, "{parameters}");
        let counted = mentat.run(&["count", &parameters.to_string()], "");
        assert_eq!(counted.trim(), expected.len().to_string(), "{parameters}");
        assert_eq!(
            own.count(&parameters),
            expected.len() as u64,
            "{parameters}"
        );
    }
}

fn mentat_finds_what_the_program_wrote(command: &str) {
    let own = own(command);
    let mentat = Mentat {
        command,
        address: &own.address,
    };
    own.write(|session| {
        session.database_create()?;
        session.index_create().map(drop)
    });
    let [one, two] = both().map(|json| Message::from_json(&json, &Options::default()).unwrap());
    own.insert(&one.to_row().unwrap()).unwrap();
    assert_eq!(own.load(&[two.to_row().unwrap()]).stored, 1);
    for message in [&one, &two] {
        let fetched = mentat.run(&["fetch", message.id()], "");
        let stored: Json = serde_json::from_slice(&message.to_json()).unwrap();
        assert_eq!(serde_json::from_str::<Json>(&fetched).unwrap(), stored);
    }
    found_alike(&own, &mentat);
    assert_eq!(
        mentat.run(&["distinct", "protocol"], "").trim(),
        r#"["ssh", "tcp"]"#
    );
}

fn the_program_finds_what_mentat_wrote(command: &str) {
    let own = own(command);
    let mentat = Mentat {
        command,
        address: &own.address,
    };
    // Mentat makes the tables, too: nothing is missing and nothing is changed.
    mentat.run(&["create"], "");
    own.write(|session| {
        session.database_create()?;
        assert_eq!(session.index_create()?, Vec::<String>::new());
        Ok(())
    });
    let lines: Vec<String> = both().iter().map(Json::to_string).collect();
    mentat.run(&["insert"], &lines.join("\n"));
    for json in both() {
        let message = Message::from_json(&json, &Options::default()).unwrap();
        let found = own
            .read(|session| session.fetch(message.id(), COLUMNS))
            .unwrap();
        // To the byte what the program would have written.
        assert_eq!(found.row, message.to_row().unwrap());
    }
    found_alike(&own, &mentat);
    mentat.run(&["distinct", "category"], "");
    own.write(|session| {
        let column = stellar::event::store::column_named("category")?;
        assert_eq!(session.distinct(column)?, ["Recon.Scanning"]);
        Ok(())
    });
}

fn mentat_goes_on_beside_the_index_of_addresses(command: &str) {
    let own = own(command);
    let mentat = Mentat {
        command,
        address: &own.address,
    };
    mentat.run(&["create"], "");
    own.store
        .address_index_create(within(&Arc::default()))
        .unwrap();
    let lines: Vec<String> = both().iter().map(Json::to_string).collect();
    mentat.run(&["insert"], &lines.join("\n"));
    found_alike(&own, &mentat);
    assert!(own.store.place().starts_with("PostgreSQL at "));
}
