//! What every store of events must do, whatever is behind it.
#![allow(dead_code)]

use super::Dice;
use flate2::read::GzDecoder;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stellar::diagnostic::{Code, Fault, Outcome};
use stellar::event::query::{
    Aggregate, Bound, Condition, Query, REST, Test, Timeline, UNKNOWN, parse_time,
};
use stellar::event::store::{Cell, Extreme, Threshold, Thresholded};
use stellar::event::{COLUMNS, Column, ColumnKind, Events, Message, Options, Range, Record, Row};
use stellar::store::{Deadline, Within};

/// 2026-02-10, in milliseconds.
pub const NOW: i64 = 1_770_681_600_000;

pub fn at(cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now: NOW,
        deadline: Deadline::NONE,
        cancel,
    }
}

/// Microseconds of a time.
#[track_caller]
pub fn time(text: &str) -> i64 {
    parse_time(text).unwrap()
}

#[track_caller]
pub fn query(parameters: Json) -> Query {
    Query::from_json(&parameters).unwrap()
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    items
        .into_iter()
        .collect::<BTreeSet<T>>()
        .into_iter()
        .collect()
}

/// The 20,000 recorded messages.
pub fn recorded() -> Vec<Row> {
    let file = File::open("tests/conformance/mentat/events.jsonl.gz").unwrap();
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    // They are of a later version, which calls the private part otherwise.
    let options = Options {
        private_key: "_Mentat".into(),
        ..Options::default()
    };
    let read = |line: String| {
        let message = Message::parse(line.as_bytes(), &options).unwrap();
        message.to_row().unwrap()
    };
    lines.map(|line| read(line.unwrap())).collect()
}

/// The recorded queries.
pub fn questions() -> Vec<Json> {
    let text = std::fs::read_to_string("tests/conformance/mentat/queries.jsonl").unwrap();
    let questions: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(questions.len() >= 62);
    questions
}

/// A small row.
pub fn small(id: &str, change: impl FnOnce(&mut Row)) -> Row {
    let mut row = Row {
        id: id.into(),
        detecttime: time("2026-01-01"),
        category: vec!["Test".into()],
        node_name: vec!["org.example.a".into()],
        storagetime: Some(time("2026-01-01T00:00:01")),
        event: Some(br#"{"Format": "IDEA0"}"#.to_vec()),
        ..Row::default()
    };
    change(&mut row);
    row
}

fn ids(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.row.id.clone()).collect()
}

fn found(store: &Events, parameters: Json) -> String {
    let cancel = Arc::default();
    let records = store
        .search(&query(parameters), &[Column::Id], at(&cancel))
        .unwrap();
    sorted(ids(&records)).join(" ")
}

fn code<T: std::fmt::Debug>(answer: Outcome<T>) -> Code {
    answer.unwrap_err().code
}

/// All of it. `fresh` gives an empty store each time, with its tables.
pub fn suite(fresh: impl Fn() -> Events) {
    what_is_stored_comes_back(&fresh());
    what_breaks_a_rule_is_refused(&fresh());
    loads_tell_what_they_leave_out(&fresh());
    what_is_there_already_is_known_when_its_message_is_the_same(&fresh());
    conditions_mean_what_sql_means(&fresh());
    thresholds_are_kept(&fresh());
    held_back_events_relapse(&fresh());
    columns_have_ends_and_values(&fresh());
    tables_are_cleaned_and_described(&fresh());
    times_are_counted(&fresh());
    cursors_commit_and_roll_back(&fresh());
    writes_are_whole(&fresh());
    calls_end_when_they_must(&fresh());
    whatever_is_asked_is_answered(&fresh());
    recorded_queries_agree(&fresh());
}

fn full(id: &str) -> Row {
    small(id, |row| {
        row.category = vec!["B".into(), "A".into(), "B".into()];
        row.description = Some("' and \" and \\ é 😀".into());
        row.source_ip = ["10.0.0.5/24", "10.0.0.9-10.0.0.1", "::1", "2001:db8::/32"]
            .map(|text| Range::parse(text).unwrap())
            .into();
        row.target_ip = vec![Range::V4(0, u32::MAX)];
        row.source_port = vec![-1, 0, 65_535, i64::from(i32::MAX)];
        row.target_port = vec![22];
        row.source_type = vec!["Phishing".into()];
        row.target_type = vec!["{a,b}".into(), "NULL".into(), String::new()];
        row.protocol = vec!["tcp".into()];
        row.node_type = vec!["Honeypot".into()];
        row.resolvedabuses = vec!["abuse@example.org".into()];
        row.eventclass = Some(String::new());
        row.eventseverity = Some("low".into());
        row.inspectionerrors = vec!["x".repeat(5000)];
        row.detecttime = time("2026-01-01T00:00:00.000001");
        row.event = Some(vec![0, 255, 1]);
    })
}

fn what_is_stored_comes_back(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let bare = small("bare", |row| row.event = None);
    for row in [full("full"), bare] {
        store.insert(row.clone(), within).unwrap();
        let record = store.fetch(&row.id, within).unwrap().unwrap();
        assert_eq!(record.row, row);
        assert_eq!(record.columns[..], *COLUMNS);
    }
    assert!(store.fetch("missing", within).unwrap().is_none());
    // Only what was asked for is filled.
    let columns = [Column::EventSeverity, Column::Id];
    let records = store
        .search(&query(json!({"severities": ["low"]})), &columns, within)
        .unwrap();
    assert_eq!(ids(&records), ["full"]);
    assert_eq!(records[0].columns[..], columns);
    assert_eq!(records[0].row.eventseverity.as_deref(), Some("low"));
    assert!(records[0].row.category.is_empty() && records[0].row.event.is_none());

    assert!(store.delete("full", within).unwrap());
    assert!(!store.delete("full", within).unwrap());
    assert!(store.fetch("full", within).unwrap().is_none());
    assert_eq!(found(store, json!({"source_addrs": ["10.0.0.1"]})), "");
    assert_eq!(found(store, json!({})), "bare");
    store.insert(full("full"), within).unwrap();
    assert_eq!(found(store, json!({"source_addrs": ["10.0.0.1"]})), "full");
    assert_eq!(store.delete_events(&Query::all(), within).unwrap(), 2);
    assert_eq!(store.count(&Query::all(), within).unwrap(), 0);
}

fn what_breaks_a_rule_is_refused(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    store.insert(small("a", |_| ()), within).unwrap();
    let insert = |row: Row| code(store.insert(row, within));
    assert_eq!(insert(small("a", |_| ())), Code::EventIntegrity);
    assert_eq!(
        insert(small("b", |r| r.storagetime = None)),
        Code::EventIntegrity
    );
    assert_eq!(
        insert(small("b", |r| r.description = Some("a\0".into()))),
        Code::EventData
    );
    assert_eq!(
        insert(small("b", |r| r.category = vec!["\0".into()])),
        Code::EventData
    );
    assert_eq!(
        insert(small("b", |r| r.source_port = vec![1 << 31])),
        Code::EventData
    );
    store
        .insert(small("b", |r| r.source_port = vec![-5]), within)
        .unwrap();
    store
        .insert(small("c", |r| r.category = Vec::new()), within)
        .unwrap();
    store
        .insert(small("d", |r| r.node_name = Vec::new()), within)
        .unwrap();
    assert_eq!(found(store, json!({})), "a b c d");

    let count = |parameters: Json| code(store.count(&query(parameters), within));
    for address in [
        "example.com",
        ".example.com",
        "192.168.1.5/24",
        "",
        "1.2.3",
        "1.2.3.4/33",
        "x' OR 1=1 --",
    ] {
        assert_eq!(
            count(json!({"source_addrs": ["10.0.0.1", address]})),
            Code::EventData,
            "{address}"
        );
    }
    assert_eq!(
        count(json!({"host_ports": [22, 2_147_483_648_i64]})),
        Code::EventData
    );
    assert_eq!(count(json!({"limit": -1})), Code::EventData);
    assert_eq!(count(json!({"categories": ["a\0"]})), Code::EventData);
    assert_eq!(count(json!({"description": "a\0"})), Code::EventData);
    let bad = query(json!({"target_addrs": ["nowhere"]}));
    assert_eq!(code(store.search(&bad, COLUMNS, within)), Code::EventData);
    assert_eq!(code(store.delete_events(&bad, within)), Code::EventData);
    // After an error everything goes on.
    assert_eq!(found(store, json!({})), "a b c d");
}

fn loads_tell_what_they_leave_out(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    store.insert(small("old", |_| ()), within).unwrap();
    let rows = vec![
        small("n1", |_| ()),
        small("old", |_| ()),
        small("n2", |r| r.target_port = vec![i64::MAX]),
        small("n3", |r| r.storagetime = None),
        small("n1", |_| ()),
        small("n4", |_| ()),
    ];
    let loaded = store.load(rows.clone(), within).unwrap();
    // One was there before, the other one stands twice in the load.
    assert_eq!((loaded.stored, loaded.known), (2, 2));
    let refused: Vec<(usize, Code)> = loaded
        .refused
        .iter()
        .map(|(at, fault)| (*at, fault.code))
        .collect();
    assert_eq!(refused, [(2, Code::EventData), (3, Code::EventIntegrity)]);
    assert_eq!(found(store, json!({})), "n1 n4 old");
    // A load can be run again.
    let loaded = store.load(rows, within).unwrap();
    assert_eq!(
        (loaded.stored, loaded.known, loaded.refused.len()),
        (0, 4, 2)
    );
    assert_eq!(store.load(Vec::new(), within).unwrap().stored, 0);
    assert_eq!(found(store, json!({})), "n1 n4 old");
}

fn what_is_there_already_is_known_when_its_message_is_the_same(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let row = |index: usize, description: &str, stored: Option<&str>, now: &str| {
        let private = stored.map_or(String::new(), |time| {
            format!(r#", "_CESNET": {{"StorageTime": "{time}"}}"#)
        });
        let json = format!(
            r#"{{"ID": "e{index}", "DetectTime": "2026-01-01T00:00:00Z", "Category": ["Test"],
                "Description": "{description}"{private}}}"#
        );
        let options = Options {
            storage_time: Some(time(now)),
            ..Options::default()
        };
        let message = Message::parse(json.as_bytes(), &options).unwrap();
        message.to_row().unwrap()
    };
    let (monday, tuesday) = ("2026-01-05", "2026-01-06");
    let half = (0..50).map(|i| row(i * 2, "as it was", None, monday));
    assert_eq!(store.load(half.collect(), within).unwrap().stored, 50);
    // The same file with the other half, a day later: when something was stored says nothing about the event.
    let mut whole: Vec<Row> = (0..100)
        .map(|i| row(i, "as it was", None, tuesday))
        .collect();
    let loaded = store.load(whole.clone(), within).unwrap();
    assert_eq!((loaded.stored, loaded.known), (50, 50));
    assert!(loaded.refused.is_empty());
    let times = |id: &str| store.fetch(id, within).unwrap().unwrap();
    assert_eq!(times("e2").row.storagetime, Some(time(monday)));
    assert_eq!(times("e3").row.storagetime, Some(time(tuesday)));
    // Another message under an identifier that is taken is no event that is known.
    whole[4] = row(4, "another one", None, tuesday);
    whole[5] = row(5, "as it was", Some("2026-01-01T00:00:00Z"), tuesday);
    whole.push(row(100, "one", None, tuesday));
    whole.push(row(100, "one", None, tuesday));
    whole.push(row(100, "two", None, tuesday));
    let loaded = store.load(whole, within).unwrap();
    assert_eq!((loaded.stored, loaded.known), (1, 100));
    let refused: Vec<_> = loaded.refused.iter().map(|(at, f)| (*at, f.code)).collect();
    assert_eq!(
        refused,
        [(4, Code::EventIntegrity), (102, Code::EventIntegrity)]
    );
    let said = &loaded.refused[0].1.message;
    assert!(
        said.contains("\"e4\"") && said.contains("another one"),
        "{said}"
    );
    assert_eq!(store.count(&query(json!({})), within).unwrap(), 101);
}

fn conditions_mean_what_sql_means(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let addresses = |row: &mut Row, source: &[&str], target: &[&str]| {
        let read = |texts: &[&str]| texts.iter().map(|t| Range::parse(t).unwrap()).collect();
        row.source_ip = read(source);
        row.target_ip = read(target);
    };
    for row in [
        small("net", |r| {
            addresses(r, &["10.1.0.0/16"], &["2001:db8::/32"])
        }),
        small("one", |r| {
            addresses(r, &["10.1.2.3", "192.0.2.200"], &["2001:db8::5"])
        }),
        small("span", |r| {
            addresses(r, &["10.1.2.250-10.1.4.5"], &["::ffff:1.2.3.4"])
        }),
        small("all", |r| addresses(r, &["0.0.0.0/0"], &["::/0"])),
    ] {
        store.insert(row, within).unwrap();
    }
    for (id, class) in [("null", None), ("empty", Some("")), ("class", Some("c"))] {
        let row = small(id, |row| {
            row.eventclass = class.map(Into::into);
            row.category = vec!["C".into()];
        });
        store.insert(row, within).unwrap();
    }
    let source = |text: &str| found(store, json!({"source_addrs": [text]}));
    assert_eq!(source("10.1.2.3"), "all net one");
    assert_eq!(source("10.1.2.0/24"), "all net one span");
    assert_eq!(source("10.1.3.0/24"), "all net span");
    assert_eq!(source("10.1.4.6-10.1.4.9"), "all net");
    assert_eq!(source("10.1.4.9-10.1.4.5"), "all net span");
    assert_eq!(source("10.0.0.0/8"), "all net one span");
    assert_eq!(source("192.0.0.0-192.0.3.0"), "all one");
    assert_eq!(source("11.0.0.0/8"), "all");
    assert_eq!(source("::/0"), "");
    let target = |text: &str| found(store, json!({"target_addrs": [text]}));
    assert_eq!(target("2001:db8::5"), "all net one");
    assert_eq!(target("2001:db8::/48"), "all net one");
    assert_eq!(target("2001:db8:1::/48"), "all net");
    assert_eq!(target("2001::/16"), "all net one");
    assert_eq!(target("::ffff:0:0/96"), "all span");
    assert_eq!(target("1.2.3.4"), "");
    assert_eq!(
        found(
            store,
            json!({"host_addrs": ["192.0.2.200", "::ffff:1.2.3.4"]})
        ),
        "all one span"
    );
    assert_eq!(
        found(
            store,
            json!({"source_addrs": ["10.1.2.3"], "target_addrs": ["2001:db8:5::"]})
        ),
        "all net"
    );

    let classes = |classes: Json, not: bool| {
        let parameters = json!({"classes": classes, "not_classes": not, "categories": ["C"]});
        found(store, parameters)
    };
    assert_eq!(classes(json!(["__EMPTY__"]), false), "empty null");
    assert_eq!(classes(json!(["__EMPTY__"]), true), "class");
    assert_eq!(classes(json!(["__ANY__", "c"]), false), "class");
    assert_eq!(classes(json!(["__ANY__"]), true), "empty null");
    assert_eq!(classes(json!(["c"]), false), "class");
    // Null is neither among them nor not.
    assert_eq!(classes(json!(["c"]), true), "empty");
    assert_eq!(classes(json!([""]), false), "empty");
    assert_eq!(classes(json!([""]), true), "class");
}

fn thresholds_are_kept(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let threshold = |relapse: &str| Threshold {
        id: "k'1".into(),
        thresholdtime: time("2026-02-01T01:00:00"),
        relapsetime: time(relapse),
        ttltime: time("2026-02-03"),
    };
    let check = |key: &str, ttl: &str| store.threshold_check(key, time(ttl), within).unwrap();
    assert_eq!(check("k'1", "2026-01-01"), None);
    store
        .threshold_set(threshold("2026-02-01"), within)
        .unwrap();
    store
        .threshold_set(threshold("2026-02-02"), within)
        .unwrap();
    assert_eq!(check("k'1", "2026-02-03"), Some(threshold("2026-02-02")));
    assert_eq!(check("k'1", "2026-02-03T00:00:00.000001"), None);
    assert_eq!(check("k'", "2026-02-03"), None);
    assert_eq!(store.thresholds(within).unwrap(), [threshold("2026-02-02")]);
    assert_eq!(store.thresholds_count(within).unwrap(), 1);
    assert_eq!(
        store.thresholds_clean(time("2026-02-03"), within).unwrap(),
        0
    );
    assert_eq!(
        store
            .thresholds_clean(time("2026-02-03T00:00:01"), within)
            .unwrap(),
        1
    );
    assert_eq!(store.thresholds(within).unwrap(), []);
    let nul = Threshold {
        id: "a\0".into(),
        ..threshold("2026-02-01")
    };
    assert_eq!(code(store.threshold_set(nul, within)), Code::EventData);
}

fn noted(event: &str, key: &str, created: &str) -> Thresholded {
    Thresholded {
        eventid: event.into(),
        keyid: key.into(),
        groupname: "abuse@example.org".into(),
        eventseverity: "low".into(),
        createtime: time(created),
    }
}

fn held_back_events_relapse(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    for id in ["e1", "e2", "e3", "e4"] {
        store.insert(small(id, |_| ()), within).unwrap();
    }
    for (key, ttl) in [("k1", "2026-02-03"), ("k2", "2026-02-09")] {
        let threshold = Threshold {
            id: key.into(),
            thresholdtime: time("2026-02-01T01:00:00"),
            relapsetime: time("2026-02-02"),
            ttltime: time(ttl),
        };
        store.threshold_set(threshold, within).unwrap();
    }
    for note in [
        noted("e1", "k1", "2026-02-02T12:00:00"),
        noted("e1", "k2", "2026-02-02T12:00:00"),
        noted("e2", "k1", "2026-02-02"),
        noted("e3", "k1", "2026-02-01T23:59:59.999999"),
        noted("e4", "k2", "2026-02-02T12:00:00"),
        noted("gone", "k1", "2026-02-02T12:00:00"),
        noted("e4", "orphan", "2026-02-02T12:00:00"),
    ] {
        store.threshold_save(note, within).unwrap();
    }
    let again = store.threshold_save(noted("e1", "k1", "2026-02-05"), within);
    assert_eq!(code(again), Code::EventIntegrity);
    let relapsed = |group: &str, severity: &str, ttl: &str| -> String {
        let found = store.relapsed(group, severity, time(ttl), within).unwrap();
        let told = found
            .iter()
            .map(|one| format!("{}:{}", one.record.row.id, one.keys.join("+")));
        sorted(told).join(" ")
    };
    let group = "abuse@example.org";
    assert_eq!(relapsed(group, "low", "2026-02-02T23:59:59"), "");
    assert_eq!(relapsed(group, "low", "2026-02-03"), "e1:k1 e2:k1");
    assert_eq!(relapsed(group, "low", "2026-02-09"), "e1:k1+k2 e2:k1 e4:k2");
    assert_eq!(relapsed(group, "high", "2026-02-09"), "");
    assert_eq!(relapsed("nobody", "low", "2026-02-09"), "");
    assert_eq!(store.thresholded_count(within).unwrap(), 7);
    // The orphan, and the one from before the relapse part.
    assert_eq!(store.thresholded_clean(within).unwrap(), 2);
    assert_eq!(store.thresholded_clean(within).unwrap(), 0);
    assert_eq!(
        store.thresholds_clean(time("2026-02-04"), within).unwrap(),
        1
    );
    assert_eq!(store.thresholded_clean(within).unwrap(), 3);
    assert_eq!(store.thresholded_count(within).unwrap(), 2);
}

fn columns_have_ends_and_values(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let with = |column, extreme| store.column_with(column, extreme, within).unwrap();
    assert_eq!(with(Column::StorageTime, Extreme::Max), None);
    assert_eq!(store.distinct(Column::Category, within).unwrap(), [""; 0]);
    assert!(!store.watchdog(i64::MAX, within).unwrap());
    for (index, (category, severity)) in [
        ("B", Some("low")),
        ("a", None),
        ("B", Some("high")),
        ("É", Some("low")),
    ]
    .into_iter()
    .enumerate()
    {
        let row = small(&format!("e{index}"), |row| {
            row.category = vec![category.into(), category.into()];
            row.eventseverity = severity.map(Into::into);
            row.detecttime += index as i64;
            row.storagetime = Some(NOW * 1000 - 10_000_000 + index as i64);
            row.source_port = vec![index as i64, 80];
        });
        store.insert(row, within).unwrap();
    }
    let start = time("2026-01-01");
    assert_eq!(
        with(Column::DetectTime, Extreme::Min),
        Some(Cell::Time(start))
    );
    assert_eq!(
        with(Column::DetectTime, Extreme::Max),
        Some(Cell::Time(start + 3))
    );
    assert_eq!(
        with(Column::Id, Extreme::Max),
        Some(Cell::Text("e3".into()))
    );
    assert_eq!(
        with(Column::SourcePort, Extreme::Min),
        Some(Cell::Ints(vec![0, 80]))
    );
    assert_eq!(with(Column::Description, Extreme::Min), None);
    assert_eq!(
        code(store.column_with(Column::Event, Extreme::Min, within)),
        Code::EventStorage
    );
    assert_eq!(
        store.distinct(Column::Category, within).unwrap(),
        ["B", "a", "É"]
    );
    assert_eq!(
        store.distinct(Column::EventSeverity, within).unwrap(),
        ["high", "low"]
    );
    assert_eq!(store.distinct(Column::Protocol, within).unwrap(), [""; 0]);
    assert_eq!(
        code(store.distinct(Column::Description, within)),
        Code::EventStorage
    );
    // Values stay when their events go.
    assert_eq!(
        store
            .delete_events(&query(json!({"categories": ["a", "É"]})), within)
            .unwrap(),
        2
    );
    assert_eq!(
        store.distinct(Column::Category, within).unwrap(),
        ["B", "a", "É"]
    );
    assert_eq!(
        with(Column::DetectTime, Extreme::Max),
        Some(Cell::Time(start + 2))
    );
    // Stored ten seconds ago, but for two microseconds.
    assert!(store.watchdog(10, within).unwrap());
    assert!(!store.watchdog(9, within).unwrap());
    assert_eq!(
        store
            .aggregate(
                &Query::all(),
                &Aggregate {
                    column: Column::Category,
                    limit: None
                },
                within
            )
            .unwrap()[0]
            .count,
        4
    );
}

fn tables_are_cleaned_and_described(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let clean = |table: &str, column: &str, ttl: &str| {
        store.table_cleanup(table, column, time(ttl), within)
    };
    for day in 1..=5 {
        let row = small(&format!("e{day}"), |row| {
            row.detecttime = time(&format!("2026-01-0{day}"));
            row.storagetime = Some(time(&format!("2026-01-0{day}T01:00:00")));
        });
        store.insert(row, within).unwrap();
        let created = format!("2026-01-0{day}");
        store
            .threshold_save(noted(&format!("e{day}"), "k", &created), within)
            .unwrap();
    }
    assert_eq!(store.distinct(Column::Category, within).unwrap(), ["Test"]);
    assert_eq!(clean("events", "detecttime", "2026-01-02").unwrap(), 1);
    assert_eq!(
        clean("events", "cesnet_storagetime", "2026-01-03").unwrap(),
        1
    );
    assert_eq!(found(store, json!({})), "e3 e4 e5");
    assert_eq!(
        clean("events_thresholded", "createtime", "2026-01-03").unwrap(),
        2
    );
    assert_eq!(clean("thresholds", "ttltime", "2026-01-03").unwrap(), 0);
    for (table, column) in [
        ("nope", "x"),
        ("events", "nope"),
        ("events", "id"),
        ("enum_description", "last_seen"),
        ("enum_category", "data"),
        ("events; DROP TABLE events", "detecttime"),
        ("events\" WHERE \"", "detecttime"),
    ] {
        assert_eq!(
            code(clean(table, column, "2030-01-01")),
            Code::EventStorage,
            "{table} {column}"
        );
    }
    let status = store.database_status(true, within).unwrap();
    assert_eq!(status.tables.len(), 13);
    assert!(status.settings.is_empty());
    let events = &status.tables["events"];
    assert_eq!(events.dt_oldest, Some(time("2026-01-03T01:00:00")));
    assert_eq!(events.dt_newest, Some(time("2026-01-05T01:00:00")));
    assert!(
        events.table_bytes > 0 && events.index_bytes > 0,
        "{events:?}"
    );
    assert_eq!(
        events.total_bytes,
        events.table_bytes + events.index_bytes + events.toast_bytes
    );
    assert!(
        !store
            .database_status(false, within)
            .unwrap()
            .settings
            .is_empty()
    );
    let thresholded = store
        .table_status("events_thresholded", "createtime", within)
        .unwrap();
    assert_eq!(thresholded.dt_oldest, Some(time("2026-01-03")));
    assert_eq!(
        code(store.table_status("nope", "x", within)),
        Code::EventStorage
    );
    assert_eq!(
        clean("enum_category", "last_seen", "2026-02-01").unwrap(),
        1
    );

    store.index_create(within).unwrap();
    store.index_drop(within).unwrap();
    assert_eq!(found(store, json!({"categories": ["Test"]})), "e3 e4 e5");
    store.index_create(within).unwrap();
    store.database_create(within).unwrap();
    assert_eq!(found(store, json!({"categories": ["Test"]})), "e3 e4 e5");
    store.database_drop(within).unwrap();
    store.database_drop(within).unwrap();
    store.database_create(within).unwrap();
    assert_eq!(found(store, json!({})), "");
    store.insert(small("new", |_| ()), within).unwrap();
    assert_eq!(found(store, json!({})), "new");
}

fn times_are_counted(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let rows = [
        ("00:00:10", vec!["a", "b"], Some("low")),
        ("00:29:59.999999", vec!["a"], None),
        ("00:30:00", vec!["a", "a"], Some("low")),
        ("01:10:00", vec![], Some("high")),
        ("02:00:00", vec!["c"], Some("low")),
    ];
    for (index, (clock, protocols, severity)) in rows.into_iter().enumerate() {
        let row = small(&format!("e{index}"), |row| {
            row.detecttime = time(&format!("2026-01-01T{clock}"));
            row.protocol = protocols.into_iter().map(Into::into).collect();
            row.eventseverity = severity.map(Into::into);
            row.source_ip = vec![Range::V4(1, 1)];
        });
        store.insert(row, within).unwrap();
    }
    let timeline = |by, top| Timeline {
        column: Column::DetectTime,
        from: time("2026-01-01T00:10:00"),
        to: time("2026-01-01T02:00:00"),
        step: 1_800_000_000,
        by,
        top,
    };
    let told = |timeline: &Timeline| {
        let answer = store.timeline(&Query::all(), timeline, within).unwrap();
        let lines = answer.lines.iter().map(|line| {
            let counts: Vec<String> = line.counts.iter().map(u64::to_string).collect();
            format!(
                "{}={} {}",
                line.value.as_deref().unwrap_or("*"),
                line.total,
                counts.join(",")
            )
        });
        (
            lines.collect::<Vec<_>>().join("; "),
            answer.events,
            answer.starts.len(),
        )
    };
    let whole = |timeline: &Timeline| told(timeline).0;
    // The first bucket is short; the last end is not part of it.
    assert_eq!(told(&timeline(None, None)), ("*=3 1,1,1,0".into(), 3, 4));
    assert_eq!(
        whole(&timeline(Some(Column::Protocol), None)),
        "a=3 1,2,0,0"
    );
    assert_eq!(
        whole(&timeline(Some(Column::EventSeverity), None)),
        format!("{UNKNOWN}=1 1,0,0,0; high=1 0,0,1,0; low=1 0,1,0,0")
    );
    assert_eq!(
        whole(&timeline(Some(Column::EventSeverity), Some(1))),
        format!("{UNKNOWN}=1 1,0,0,0; {REST}=2 0,1,1,0")
    );
    let aggregate = |column, limit, parameters: Json| {
        let aggregate = Aggregate { column, limit };
        let groups = store
            .aggregate(&query(parameters), &aggregate, within)
            .unwrap();
        let told = groups
            .iter()
            .map(|group| format!("{}={}", group.value, group.count));
        told.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(aggregate(Column::Protocol, None, json!({})), "a=4 b=1 c=1");
    assert_eq!(
        aggregate(Column::Protocol, Some(2), json!({"severities": ["low"]})),
        "a=3 b=1"
    );
    assert_eq!(
        aggregate(Column::EventSeverity, None, json!({})),
        format!("low=3 {UNKNOWN}=1 high=1")
    );
    assert_eq!(aggregate(Column::SourceIp, None, json!({})), "0.0.0.1=5");
    assert_eq!(
        aggregate(Column::Description, None, json!({})),
        format!("{UNKNOWN}=5")
    );
    let refused = |timeline: Timeline| code(store.timeline(&Query::all(), &timeline, within));
    assert_eq!(
        refused(Timeline {
            step: 0,
            ..timeline(None, None)
        }),
        Code::EventData
    );
    assert_eq!(
        refused(Timeline {
            step: 1,
            ..timeline(None, None)
        }),
        Code::EventData
    );
    assert_eq!(
        refused(Timeline {
            column: Column::Id,
            ..timeline(None, None)
        }),
        Code::EventStorage
    );
    let event = Aggregate {
        column: Column::Event,
        limit: None,
    };
    assert_eq!(
        code(store.aggregate(&Query::all(), &event, within)),
        Code::EventStorage
    );
}

fn cursors_commit_and_roll_back(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let mut cursor = store.cursor(within).unwrap();
    let insert = |cursor: &mut stellar::event::Cursor, id: &str| {
        cursor.session(within).unwrap().insert(&small(id, |_| ()))
    };
    insert(&mut cursor, "a").unwrap();
    assert_eq!(
        cursor
            .session(within)
            .unwrap()
            .count(&Query::all())
            .unwrap(),
        1
    );
    // Nobody else sees it yet.
    assert_eq!(found(store, json!({})), "");
    cursor.rollback(within).unwrap();
    assert_eq!(
        cursor
            .session(within)
            .unwrap()
            .count(&Query::all())
            .unwrap(),
        0
    );
    insert(&mut cursor, "b").unwrap();
    cursor.commit(within).unwrap();
    assert_eq!(found(store, json!({})), "b");
    // What others commit is seen by the next call.
    store.insert(small("c", |_| ()), within).unwrap();
    assert_eq!(
        cursor
            .session(within)
            .unwrap()
            .count(&Query::all())
            .unwrap(),
        2
    );
    // A failed call takes nothing with it but itself, once rolled back.
    assert_eq!(code(insert(&mut cursor, "b")), Code::EventIntegrity);
    cursor.rollback(within).unwrap();
    insert(&mut cursor, "d").unwrap();
    cursor.commit(within).unwrap();
    insert(&mut cursor, "e").unwrap();
    cursor.close();
    assert_eq!(found(store, json!({})), "b c d");
}

fn writes_are_whole(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let answer = store.write(within, |session| {
        session.insert(&small("a", |_| ()))?;
        session.insert(&small("b", |_| ()))?;
        session.insert(&small("a", |_| ()))
    });
    assert_eq!(code(answer), Code::EventIntegrity);
    assert_eq!(found(store, json!({})), "");
    let both = store.write(within, |session| {
        session.insert(&small("a", |_| ()))?;
        session.insert(&small("b", |_| ()))?;
        session.count(&Query::all())
    });
    assert_eq!(both.unwrap(), 2);
    // A search ends when its taker wants, and gives its error.
    let mut seen = 0;
    store
        .each(&Query::all(), COLUMNS, within, |_| {
            seen += 1;
            Ok(false)
        })
        .unwrap();
    assert_eq!(seen, 1);
    let failed = store.each(&Query::all(), COLUMNS, within, |_| {
        Err(stellar::diagnostic::Diagnostic::new(
            Code::BadLine,
            "enough",
        ))
    });
    assert_eq!(code(failed), Code::BadLine);
    assert_eq!(found(store, json!({})), "a b");
}

fn calls_end_when_they_must(store: &Events) {
    let cancel = Arc::new(AtomicBool::new(true));
    let within = at(&cancel);
    assert_eq!(
        code(store.insert(small("a", |_| ()), within)),
        Code::Interrupted
    );
    assert_eq!(code(store.count(&Query::all(), within)), Code::Interrupted);
    cancel.store(false, Ordering::SeqCst);
    let late = Within {
        deadline: Deadline::after(Duration::ZERO),
        ..at(&cancel)
    };
    assert_eq!(code(store.insert(small("a", |_| ()), late)), Code::Timeout);
    assert_eq!(code(store.count(&Query::all(), late)), Code::Timeout);
    assert_eq!(
        code(store.search(&Query::all(), COLUMNS, late)),
        Code::Timeout
    );
    let mut cursor = store.cursor(at(&cancel)).unwrap();
    let ended = match cursor.session(late) {
        Ok(mut session) => session
            .insert(&small("a", |_| ()))
            .map_err(|fault| fault.code),
        Err(fault) => Err(fault.code),
    };
    assert_eq!(ended, Err(Code::Timeout));
    drop(cursor);
    assert_eq!(found(store, json!({})), "");
}

/// Texts that are not what they seem.
const HOSTILE: &[&str] = &[
    "",
    "'",
    "''",
    "\"",
    "\\",
    "%",
    "_",
    "a' OR '1'='1",
    "'; DROP TABLE events; --",
    "$1",
    "{}",
    "{a,b}",
    "NULL",
    "null",
    "__EMPTY__",
    "__ANY__",
    "a",
    "b",
    "A",
    "a,b",
    "a b\n\t",
    "é😀\u{200b}",
    "${jndi:ldap://x}",
    "/* */",
];

fn text(dice: &mut Dice) -> String {
    match dice.roll(40) {
        0 => "x".repeat(95 + dice.roll(4)),
        1 => "%".repeat(20_000),
        n => HOSTILE[n % HOSTILE.len()].to_string(),
    }
}

fn some_texts(dice: &mut Dice) -> Vec<String> {
    (0..dice.roll(4)).map(|_| text(dice)).collect()
}

/// A range that often meets others.
fn range(dice: &mut Dice) -> Range {
    let v6 = dice.roll(3) == 0;
    let near = |dice: &mut Dice| -> u32 {
        let bytes = [
            10 + dice.roll(2),
            dice.roll(3),
            [0, 1, 255, dice.roll(256)][dice.roll(4)],
            [0, 7, 255, dice.roll(256)][dice.roll(4)],
        ];
        bytes.iter().fold(0, |all, byte| all << 8 | *byte as u32)
    };
    if v6 {
        let base = 0x2001_0db8_u128 << 96;
        let part = |dice: &mut Dice| base | u128::from(near(dice)) << [0, 40, 64, 80][dice.roll(4)];
        let one = part(dice);
        match dice.roll(4) {
            0 => Range::v6(one, part(dice)),
            1 => Range::net6(one, [0, 16, 32, 47, 48, 64, 100, 127][dice.roll(8)]).unwrap(),
            _ => Range::v6(one, one),
        }
    } else {
        let one = near(dice);
        match dice.roll(4) {
            0 => Range::v4(one, near(dice)),
            1 => Range::net4(one, [0, 8, 15, 16, 17, 23, 24, 25, 31][dice.roll(9)]).unwrap(),
            _ => Range::v4(one, one),
        }
    }
}

fn random_row(dice: &mut Dice, number: usize) -> Row {
    let start = time("2026-01-01");
    let option = |dice: &mut Dice| (dice.roll(3) > 0).then(|| text(dice));
    Row {
        id: format!("e{number:05}"),
        detecttime: start + dice.roll(50) as i64 * 1_000_000,
        storagetime: Some(start + dice.roll(50) as i64 * 1_000_000),
        category: some_texts(dice),
        description: option(dice),
        source_ip: (0..dice.roll(3)).map(|_| range(dice)).collect(),
        target_ip: (0..dice.roll(3)).map(|_| range(dice)).collect(),
        source_port: (0..dice.roll(3)).map(|_| dice.roll(5) as i64 - 1).collect(),
        target_port: (0..dice.roll(3)).map(|_| dice.roll(5) as i64 - 1).collect(),
        source_type: some_texts(dice),
        target_type: some_texts(dice),
        protocol: some_texts(dice),
        node_name: some_texts(dice),
        node_type: some_texts(dice),
        resolvedabuses: some_texts(dice),
        eventclass: option(dice),
        eventseverity: option(dice),
        inspectionerrors: some_texts(dice),
        event: Some(text(dice).into_bytes()),
    }
}

fn random_query(dice: &mut Dice) -> Json {
    let mut parameters = json!({});
    let names = [
        "protocols",
        "categories",
        "classes",
        "severities",
        "detectors",
        "detector_types",
        "groups",
        "inspection_errs",
        "host_types",
        "source_types",
        "target_types",
    ];
    for _ in 0..1 + dice.roll(3) {
        match dice.roll(8) {
            0 => {
                let name = ["host_addrs", "source_addrs", "target_addrs"][dice.roll(3)];
                let wanted: Vec<String> = (0..1 + dice.roll(2))
                    .map(|_| range(dice).to_string())
                    .collect();
                parameters[name] = json!(wanted);
            }
            1 => {
                let name = ["host_ports", "source_ports", "target_ports"][dice.roll(3)];
                parameters[name] = json!([dice.roll(5) as i64 - 1]);
            }
            2 => {
                let name = ["dt_from", "dt_to", "st_from", "st_to"][dice.roll(4)];
                parameters[name] = json!(time("2026-01-01") / 1000 + dice.roll(50) as i64 * 1000);
            }
            3 => parameters["description"] = json!(text(dice)),
            _ => {
                let name = names[dice.roll(names.len())];
                let mut wanted = some_texts(dice);
                // The two words are tested with lists of their own.
                if dice.roll(3) > 0 {
                    wanted.retain(|text| !text.starts_with("__"));
                }
                parameters[name] = json!(wanted);
                if dice.roll(3) == 0 {
                    parameters[format!("not_{name}")] = json!(true);
                }
            }
        }
    }
    if dice.roll(2) == 0 {
        let direction = ["asc", "desc"][dice.roll(2)];
        parameters["sortby"] = json!(format!(
            "{}.{direction}",
            ["detecttime", "storagetime"][dice.roll(2)]
        ));
    }
    if dice.roll(3) == 0 {
        parameters["limit"] = json!(1 + dice.roll(30));
        parameters["page"] = json!(dice.roll(4));
    }
    parameters
}

/// Whether a row fulfils a condition, said as plainly as possible. `None` is SQL's null.
fn fulfils(row: &Row, condition: &Condition) -> bool {
    let times = |column: &Column| match column {
        Column::DetectTime => row.detecttime,
        _ => row.storagetime.unwrap(),
    };
    match condition {
        Condition::Time { column, bound, at } => match bound {
            Bound::From => times(column) >= *at,
            Bound::To => times(column) <= *at,
            Bound::Before => times(column) < *at,
        },
        Condition::Addresses { columns, wanted } => columns.iter().any(|column| {
            let own = if *column == Column::SourceIp {
                &row.source_ip
            } else {
                &row.target_ip
            };
            wanted
                .iter()
                .any(|wanted| own.iter().any(|own| own.overlaps(wanted.range.unwrap())))
        }),
        Condition::Ports { columns, wanted } => columns.iter().any(|column| {
            let own = if *column == Column::SourcePort {
                &row.source_port
            } else {
                &row.target_port
            };
            wanted.iter().any(|port| own.contains(port))
        }),
        Condition::Texts { columns, test, not } => {
            let passes = columns.iter().any(|column| {
                let own = row.texts(*column);
                match test {
                    Test::Empty => own.is_empty(),
                    Test::Any => !own.is_empty(),
                    Test::Among(texts) => texts.iter().any(|text| own.contains(text)),
                }
            });
            passes != *not
        }
        Condition::Text { column, test, not } => {
            let own = row.texts(*column).first();
            match test {
                Test::Empty => own.is_none_or(|own| own.is_empty()) != *not,
                Test::Any => own.is_some_and(|own| !own.is_empty()) != *not,
                Test::Among(texts) => own.is_some_and(|own| texts.contains(own) != *not),
            }
        }
        Condition::Description(text) => row.description.as_ref() == Some(text),
    }
}

fn sort_key(row: &Row, query: &Query) -> i64 {
    query.order.map_or(0, |order| {
        let time = if order.column == Column::DetectTime {
            row.detecttime
        } else {
            row.storagetime.unwrap()
        };
        if order.descending { -time } else { time }
    })
}

/// Random events, random questions, hostile texts everywhere: the answers are those of a plain look at every row.
fn whatever_is_asked_is_answered(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let mut dice = Dice(0x5eed);
    let mut rows: Vec<Row> = (0..3000)
        .map(|number| random_row(&mut dice, number))
        .collect();
    // Some one by one, the rest in loads of any size.
    let mut rest = &rows[..];
    while !rest.is_empty() {
        let (part, left) = rest.split_at((dice.roll(900)).min(rest.len()));
        rest = left;
        assert_eq!(
            store.load(part.to_vec(), within).unwrap().stored,
            part.len() as u64
        );
        if let Some((one, left)) = rest.split_first() {
            store.insert(one.clone(), within).unwrap();
            rest = left;
        }
    }
    for round in 0..600 {
        let parameters = random_query(&mut dice);
        let asked = query(parameters.clone());
        let matching: Vec<&Row> = rows
            .iter()
            .filter(|row| {
                asked
                    .conditions
                    .iter()
                    .all(|condition| fulfils(row, condition))
            })
            .collect();
        assert_eq!(
            store.count(&asked, within).unwrap(),
            matching.len() as u64,
            "{parameters}"
        );
        let records = store.search(&asked, COLUMNS, within).unwrap();
        let limit = asked.limit.map_or(usize::MAX, |limit| limit as usize);
        let wanted = matching
            .len()
            .saturating_sub(asked.offset as usize)
            .min(limit);
        assert_eq!(records.len(), wanted, "{parameters}");
        let by_id: BTreeMap<&str, &Row> =
            matching.iter().map(|row| (row.id.as_str(), *row)).collect();
        assert_eq!(sorted(ids(&records)).len(), records.len());
        for record in &records {
            assert_eq!(
                Some(&&record.row),
                by_id.get(record.row.id.as_str()),
                "{parameters}"
            );
        }
        // The order among equal times is free, the times are not.
        let mut keys: Vec<i64> = matching.iter().map(|row| sort_key(row, &asked)).collect();
        keys.sort_unstable();
        let keys: Vec<i64> = keys
            .into_iter()
            .skip(asked.offset as usize)
            .take(limit)
            .collect();
        let found: Vec<i64> = records
            .iter()
            .map(|record| sort_key(&record.row, &asked))
            .collect();
        assert_eq!(found, keys, "{parameters}");
        if round % 20 == 0 {
            counted_by_values(store, &asked, &matching, &mut dice);
        }
        if round % 40 == 39 && matching.len() < rows.len() / 4 {
            let gone: BTreeSet<String> = matching.iter().map(|row| row.id.clone()).collect();
            assert_eq!(
                store.delete_events(&asked, within).unwrap(),
                gone.len() as u64,
                "{parameters}"
            );
            rows.retain(|row| !gone.contains(&row.id));
            assert_eq!(
                store.count(&Query::all(), within).unwrap(),
                rows.len() as u64
            );
        }
        if round % 50 == 49 {
            let column = [Column::DetectTime, Column::StorageTime][round / 50 % 2];
            let times = rows.iter().map(|row| {
                if column == Column::DetectTime {
                    row.detecttime
                } else {
                    row.storagetime.unwrap()
                }
            });
            let latest = store.column_with(column, Extreme::Max, within).unwrap();
            assert_eq!(latest, times.max().map(Cell::Time));
        }
    }
    assert!(rows.len() < 3000);
    // Hostile identifiers.
    for text in HOSTILE.iter().filter(|text| !text.is_empty()) {
        assert!(store.fetch(text, within).unwrap().is_none());
        assert!(!store.delete(text, within).unwrap());
        store.insert(small(text, |_| ()), within).unwrap();
        assert_eq!(store.fetch(text, within).unwrap().unwrap().row.id, *text);
        assert!(store.threshold_check(text, 0, within).unwrap().is_none());
        assert_eq!(
            store.relapsed(text, text, i64::MAX / 2, within).unwrap(),
            []
        );
    }
    for text in HOSTILE.iter().filter(|text| !text.is_empty()) {
        assert!(store.delete(text, within).unwrap());
    }
    let mut left: Vec<String> = Vec::new();
    store
        .each(&Query::all(), &[Column::Id], within, |record| {
            left.push(record.row.id);
            Ok(true)
        })
        .unwrap();
    assert_eq!(sorted(left), sorted(rows.iter().map(|row| row.id.clone())));
}

fn counted_by_values(store: &Events, asked: &Query, matching: &[&Row], dice: &mut Dice) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let columns: Vec<Column> = COLUMNS
        .iter()
        .copied()
        .filter(|column| !matches!(column.kind(), ColumnKind::Time | ColumnKind::Bytes))
        .collect();
    let column = columns[dice.roll(columns.len())];
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for row in matching {
        let values: Vec<String> = match column {
            Column::SourceIp => row.source_ip.iter().map(Range::to_string).collect(),
            Column::TargetIp => row.target_ip.iter().map(Range::to_string).collect(),
            Column::SourcePort => row.source_port.iter().map(i64::to_string).collect(),
            Column::TargetPort => row.target_port.iter().map(i64::to_string).collect(),
            _ if column.kind() == ColumnKind::Text => {
                vec![row.texts(column).first().cloned().unwrap_or(UNKNOWN.into())]
            }
            _ => row.texts(column).to_vec(),
        };
        for value in values {
            *wanted.entry(value).or_default() += 1;
        }
    }
    let groups = store
        .aggregate(
            asked,
            &Aggregate {
                column,
                limit: None,
            },
            within,
        )
        .unwrap();
    let found: BTreeMap<String, u64> = groups
        .into_iter()
        .map(|group| (group.value, group.count))
        .collect();
    assert_eq!(found, wanted, "{column:?} of {asked:?}");
    let timeline = Timeline {
        column: Column::DetectTime,
        from: time("2026-01-01T00:00:05"),
        to: time("2026-01-01T00:00:45"),
        step: 7_000_000,
        by: Some(column),
        top: None,
    };
    let lines = store.timeline(asked, &timeline, within).unwrap();
    let inside = |row: &&&Row| (timeline.from..timeline.to).contains(&row.detecttime);
    assert_eq!(lines.events, matching.iter().filter(inside).count() as u64);
    let plain = Timeline {
        by: None,
        ..timeline
    };
    let plain = store.timeline(asked, &plain, within).unwrap();
    for (index, start) in plain.starts.iter().enumerate() {
        let end = plain.starts.get(index + 1).copied().unwrap_or(timeline.to);
        let there = matching
            .iter()
            .filter(|row| (*start..end).contains(&row.detecttime))
            .count();
        assert_eq!(plain.lines[0].counts[index], there as u64);
    }
}

/// The recorded queries on the recorded messages.
pub fn recorded_queries_agree(store: &Events) {
    let cancel = Arc::default();
    let within = at(&cancel);
    let rows = recorded();
    for part in rows.chunks(7000) {
        let loaded = store.load(part.to_vec(), within).unwrap();
        assert_eq!(
            loaded.stored,
            part.len() as u64,
            "{:?}",
            loaded.refused.first()
        );
    }
    let mut wrong = Vec::new();
    for question in questions() {
        if let Err(why) = agrees(store, &question, within) {
            wrong.push(format!(
                "{} {}: {why}",
                question["n"], question["parameters"]
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn agrees(store: &Events, question: &Json, within: Within<'_>) -> Result<(), String> {
    let told = |fault: Fault| fault.message;
    let asked = Query::from_json(&question["parameters"]).map_err(told)?;
    let count = store.count(&asked, within);
    if question["error"].is_string() {
        return match count {
            Err(fault) if fault.code == Code::EventData => Ok(()),
            other => Err(format!("{other:?} instead of {}", question["error"])),
        };
    }
    let count = count.map_err(told)?;
    if json!(count) != question["count_events"] {
        return Err(format!("{count} instead of {}", question["count_events"]));
    }
    let records = store.search(&asked, &[Column::Id], within).map_err(told)?;
    if json!(records.len()) != question["search_count"] {
        return Err(format!(
            "{} found instead of {}",
            records.len(),
            question["search_count"]
        ));
    }
    let mut found = ids(&records);
    if let Some(order) = question["ids_in_order_first50"].as_array() {
        let first: Vec<Json> = found.iter().take(50).map(|id| json!(id)).collect();
        if first != *order {
            return Err(format!("the order is {first:?}"));
        }
    }
    found.sort();
    found.truncate(50);
    match json!(found) == question["ids_sorted_first50"] {
        true => Ok(()),
        false => Err(format!("found {found:?}")),
    }
}

/// Texts that would do harm if they were pasted into a query.
pub const HOSTILE_ARGUMENTS: &[&str] = &[
    "'",
    "''",
    "\"",
    "\\",
    "\\'; DROP TABLE events; --",
    "'; DELETE FROM events; --",
    "' OR '1'='1",
    "%",
    "_",
    "$1",
    "{}",
    "{\"a\",\"b\"}",
    "NULL",
    "/* */",
    "\u{202e}é\u{1f600}",
    "a\nb\tc",
];
