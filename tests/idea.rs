//! IDEA messages against recorded answers: Mentat's rows of generated events, and what the Python library behind
//! Mentat 2.4 makes of generated messages (`tests/idea.jsonl.gz`: the message, the stored bytes and the row, or that
//! it is refused; without what docs/differences.md lists). Besides, what holds for any message.
#![allow(clippy::unwrap_used, clippy::panic)]

use flate2::read::MultiGzDecoder;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use stellar::diagnostic::Code;
use stellar::event::{Ids, Message, Options, Range, Row};

fn lines(path: &str) -> impl Iterator<Item = String> {
    let file = std::fs::File::open(path).unwrap();
    BufReader::new(MultiGzDecoder::new(file))
        .lines()
        .map(Result::unwrap)
}

/// Options for messages of Mentat's newer line.
fn newer() -> Options {
    Options {
        private_key: "_Mentat".into(),
        ..Options::default()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The row as the recorded answers have it.
fn as_json(row: &Row) -> Json {
    let ips = |ranges: &[Range]| {
        let one = |range: &Range| {
            let bits = if range.is_v4() { "32" } else { "128" };
            json!([range.low().to_string(), range.high().to_string(), bits])
        };
        Json::Array(ranges.iter().map(one).collect())
    };
    json!({
        "id": row.id, "detecttime": row.detecttime, "category": row.category, "description": row.description,
        "source_ip": ips(&row.source_ip), "target_ip": ips(&row.target_ip),
        "source_port": row.source_port, "target_port": row.target_port,
        "source_type": row.source_type, "target_type": row.target_type, "protocol": row.protocol,
        "node_name": row.node_name, "node_type": row.node_type, "storagetime": row.storagetime,
        "resolvedabuses": row.resolvedabuses, "eventclass": row.eventclass, "eventseverity": row.eventseverity,
        "inspectionerrors": row.inspectionerrors,
    })
}

#[test]
fn generated_messages_are_what_pythons_library_makes_of_them() {
    let (mut taken, mut refused, mut rowless) = (0, 0, 0);
    for line in lines("tests/idea.jsonl.gz") {
        let case: Json = serde_json::from_str(&line).unwrap();
        let input = case["in"].as_str().unwrap();
        let message = Message::parse(input.as_bytes(), &Options::default());
        let Some(stored) = case["json"].as_str() else {
            refused += 1;
            let fault = message.expect_err(input);
            assert_eq!(fault.code, Code::BadMessage, "{input}");
            continue;
        };
        let message = message.unwrap_or_else(|fault| panic!("{input}: {}", fault.message));
        assert_eq!(text(message.to_json()), stored, "{input}");
        match (message.to_row(), &case["row"]) {
            (Ok(row), recorded @ Json::Object(_)) => {
                taken += 1;
                assert_eq!(&as_json(&row), recorded, "{input}");
                assert_eq!(row.event, Some(stored.as_bytes().to_vec()));
            }
            (Err(_), Json::Null) => rowless += 1,
            (row, recorded) => panic!("{input}: {row:?}, recorded {recorded}"),
        }
    }
    assert!(
        taken > 500 && refused > 300 && rowless > 20,
        "{taken} {refused} {rowless}"
    );
}

/// The elements of an array as PostgreSQL prints it.
fn elements(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    let mut elements = Vec::new();
    let mut rest = inner.chars().peekable();
    while rest.peek().is_some() {
        let mut element = String::new();
        let quoted = rest.next_if_eq(&'"').is_some();
        while let Some(c) = rest.next() {
            match c {
                '"' if quoted => {
                    rest.next();
                    break;
                }
                ',' if !quoted => break,
                '\\' => element.extend(rest.next()),
                c => element.push(c),
            }
        }
        elements.push(element);
    }
    elements
}

/// The addresses of ranges, as ranges that do not touch.
fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort();
    let mut merged: Vec<Range> = Vec::new();
    for range in ranges {
        match (merged.last_mut(), range) {
            (Some(Range::V4(_, high)), Range::V4(low, top)) if low <= high.saturating_add(1) => {
                *high = top.max(*high);
            }
            (Some(Range::V6(_, high)), Range::V6(low, top)) if low <= high.saturating_add(1) => {
                *high = top.max(*high);
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// A time as PostgreSQL prints it.
fn printed(microseconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(microseconds).unwrap();
    let text = time.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[test]
fn events_are_the_rows_that_mentat_made_of_them() {
    let events: BTreeMap<String, String> = lines("tests/conformance/mentat/events.jsonl.gz")
        .map(|line| {
            let message = Message::parse(line.as_bytes(), &newer()).unwrap();
            let row = message.to_row().unwrap();
            assert!(row.storable().is_ok(), "{line}");
            (row.id, line)
        })
        .collect();
    assert_eq!(events.len(), 20_000);
    let mut rows = 0;
    for line in lines("tests/conformance/mentat/rows.jsonl.gz") {
        let recorded: Json = serde_json::from_str(&line).unwrap();
        let column = |name: &str| recorded[name].as_str();
        let list = |name: &str| elements(column(name).unwrap());
        let id = column("id").unwrap();
        let message = Message::parse(events[id].as_bytes(), &newer()).unwrap();
        let row = message.to_row().unwrap();
        rows += 1;
        assert_eq!(row.id, id);
        assert_eq!(Some(printed(row.detecttime).as_str()), column("detecttime"));
        assert_eq!(
            row.storagetime.map(printed).as_deref(),
            column("storagetime")
        );
        assert_eq!(row.description.as_deref(), column("description"));
        assert_eq!(row.eventclass.as_deref(), column("eventclass"));
        assert_eq!(row.eventseverity.as_deref(), column("eventseverity"));
        assert_eq!(row.category, list("category"));
        assert_eq!(row.source_type, list("source_type"));
        assert_eq!(row.target_type, list("target_type"));
        assert_eq!(row.protocol, list("protocol"));
        assert_eq!(row.node_name, list("node_name"));
        assert_eq!(row.node_type, list("node_type"));
        assert_eq!(row.resolvedabuses, list("resolvedabuses"));
        assert_eq!(row.inspectionerrors, list("inspectionerrors"));
        let ports = |ports: &[i64]| ports.iter().map(i64::to_string).collect::<Vec<_>>();
        assert_eq!(ports(&row.source_port), list("source_port"));
        assert_eq!(ports(&row.target_port), list("target_port"));
        for (ours, name) in [(row.source_ip, "source_ip"), (row.target_ip, "target_ip")] {
            let recorded = list(name)
                .iter()
                .map(|text| Range::parse(text).unwrap())
                .collect();
            assert_eq!(merged(ours), merged(recorded), "{id} {name}");
        }
        let stored = column("event_json_text")
            .unwrap()
            .replace("\"_Mentat\":", "\"_CESNET\":");
        assert_eq!(text(message.to_json()), stored);
    }
    assert_eq!(rows, 400);
}

/// JSON of any kind, now and then with a key of the format, as text.
fn any_json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_string()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|x| json!(x).to_string()),
        "[0-9]{1,40}".prop_map(|digits| format!("1{digits}")),
        ".{0,8}".prop_map(|text| json!(text).to_string()),
        "(\\\\ud[89c][0-9a-f]{2}|a|\\\\n){0,4}".prop_map(|text| format!("\"{text}\"")),
        "[0-9a-f:./-]{0,12}".prop_map(|text| json!(text).to_string()),
        Just("\"2026-01-01T00:00:00.5+01:00\"".to_string()),
        Just("\"10.0.0.1/8\"".to_string()),
        Just("NaN".to_string()),
    ];
    let keys = [
        "ID",
        "Format",
        "DetectTime",
        "Category",
        "Description",
        "Source",
        "Target",
        "Node",
        "Attach",
        "IP4",
        "IP6",
        "Port",
        "Proto",
        "Type",
        "Name",
        "AggrWin",
        "ASN",
        "_CESNET",
        "StorageTime",
        "ResolvedAbuses",
        "Confidence",
        "Note",
        "Spoofed",
        "Size",
        "x",
        "\\ud800",
        "é",
    ];
    scalar.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((prop::sample::select(keys.to_vec()), inner), 0..6).prop_map(
                |members| {
                    let members = members
                        .iter()
                        .map(|(key, value)| format!("\"{key}\":{value}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }
            ),
        ]
    })
}

fn seeded() -> Options {
    Options {
        ids: Arc::new(Ids::seeded(1)),
        ..Options::default()
    }
}

/// Whatever is taken is stored as bytes that mean the same; nothing panics.
fn holds(input: &[u8]) -> Result<bool, TestCaseError> {
    let Ok(message) = Message::parse(input, &seeded()) else {
        return Ok(false);
    };
    let stored = message.to_json();
    prop_assert!(stored.is_ascii());
    let again = Message::parse(&stored, &seeded()).map_err(|fault| {
        TestCaseError::fail(format!(
            "{}: {}",
            String::from_utf8_lossy(&stored),
            fault.message
        ))
    })?;
    prop_assert_eq!(&again, &message);
    prop_assert_eq!(
        format!("{:?}", again.to_row()),
        format!("{:?}", message.to_row())
    );
    let keys: Vec<String> = message
        .root()
        .members()
        .map(|(key, _)| key.into_owned())
        .collect();
    prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    message.to_value();
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_json_is_refused_or_kept(input in any_json()) {
        holds(input.as_bytes())?;
    }

    #[test]
    fn unknown_members_are_kept(value in any_json()) {
        let input = format!("{{\"ID\":\"e1\",\"unknown\":{value},\"_x\":[{value}]}}");
        prop_assert!(holds(input.as_bytes())?, "{}", input);
    }

    #[test]
    fn any_bytes_are_refused_or_kept(input in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&input)?;
    }

    #[test]
    fn a_damaged_message_is_refused_or_kept(at in 0usize..700, byte in any::<u8>(), cut in 0usize..3) {
        let whole = concat!(
            r#"{"Format": "IDEA0", "ID": "a-1", "DetectTime": "2026-01-12T21:05:02.4Z", "Category": ["Attempt.Exploit", "Test"], "#,
            r#""Description": "100 \u0025 \ud83d\ude00", "CreateTime": 1768251904.4, "ConnCount": 86435, "Confidence": 1e-1, "#,
            r#""Source": [{"IP4": ["212.32.1.208/8", "1.2.3.4-1.2.3.5"], "IP6": ["::ffff:1.2.3.4"], "Port": [22, "80"], "Proto": ["Http", 6]}], "#,
            r#""Node": [{"Name": "org.example.warden_client", "SW": ["back\\slash"], "AggrWin": "1D00:05:00.5"}], "#,
            r#""_CESNET": {"StorageTime": "2026-01-12T21:33:35.400001Z", "EventClass": "X", "ResolvedAbuses": []}}"#,
        );
        let mut bytes = whole.as_bytes().to_vec();
        let at = at.min(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, [byte]);
        holds(&bytes)?;
    }
}
