//! Events in the embedded file: what every store must do, and what only this one does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use chrono::{DateTime, Utc};
use regex::{Captures, Regex};
use serde_json::json;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use stellar::diagnostic::Code;
use stellar::event::query::{Kind, Query, parse_time};
use stellar::event::service::{Managed, Manager};
use stellar::event::{COLUMNS, Column, EVENT, Embedded, Events, Row};
use stellar::store::{Deadline, Store};
use support::events::{at, questions, small, suite};
use tempfile::TempDir;

#[test]
fn it_does_what_every_store_must_do() {
    let folder = TempDir::new().unwrap();
    let count = Cell::new(0);
    suite(|| {
        count.set(count.get() + 1);
        let file = Store::new(
            &folder.path().join(format!("{}.db", count.get())),
            &[&EVENT],
        );
        Events::new(Arc::new(Embedded::new(&file)))
    });
}

/// SQL without what may differ: casts of ranges, and times with a zone, which are written in UTC here.
fn plain(sql: &str) -> String {
    let sql = sql.replace("::iprange", "");
    let zoned = Regex::new(r"'([^']*)'::timestamptz").unwrap();
    let in_utc = |found: &Captures<'_>| {
        let at = DateTime::<Utc>::from_timestamp_micros(parse_time(&found[1]).unwrap()).unwrap();
        format!("'{}'::timestamp", at.format("%Y-%m-%dT%H:%M:%S"))
    };
    zoned.replace_all(&sql, in_utc).into_owned()
}

#[test]
fn recorded_queries_become_the_recorded_sql() {
    let mut wrong = Vec::new();
    for question in questions() {
        let query = Query::from_json(&question["parameters"]).unwrap();
        for (key, kind) in [
            ("sql_select", Kind::Select(COLUMNS)),
            ("sql_count", Kind::Count),
            ("sql_delete", Kind::Delete),
        ] {
            let found = plain(&query.sql(kind).mogrify());
            let wanted = plain(question[key].as_str().unwrap());
            if found != wanted {
                wrong.push(format!("{found}\n{wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

fn own() -> (TempDir, Store, Events) {
    let folder = TempDir::new().unwrap();
    let file = Store::new(&folder.path().join("s.db"), &[&EVENT]);
    let events = Events::new(Arc::new(Embedded::new(&file)));
    (folder, file, events)
}

#[test]
fn reading_and_removing_make_no_file() {
    let (_folder, file, events) = own();
    let cancel = Arc::default();
    let within = at(&cancel);
    let all = Query::all();
    assert_eq!(events.count(&all, within).unwrap(), 0);
    assert_eq!(events.search(&all, COLUMNS, within).unwrap(), []);
    assert!(events.fetch("a", within).unwrap().is_none());
    assert_eq!(events.delete_events(&all, within).unwrap(), 0);
    assert!(!events.delete("a", within).unwrap());
    assert_eq!(events.distinct(Column::Category, within).unwrap(), [""; 0]);
    assert_eq!(events.thresholds_clean(0, within).unwrap(), 0);
    assert_eq!(events.thresholded_clean(within).unwrap(), 0);
    assert!(!events.watchdog(5, within).unwrap());
    assert_eq!(
        events.database_status(true, within).unwrap().tables.len(),
        13
    );
    events.database_drop(within).unwrap();
    assert!(!file.path().exists());
    events.database_create(within).unwrap();
    assert!(file.path().exists());
}

#[test]
fn what_leads_to_events_can_be_made_anew() {
    let (_folder, file, events) = own();
    let cancel = Arc::default();
    let within = at(&cancel);
    let rows: Vec<Row> = (0..3000)
        .map(|number| {
            small(&format!("e{number}"), |row| {
                row.detecttime += number;
                row.source_port = vec![number % 7];
            })
        })
        .collect();
    events.load(rows, within).unwrap();
    let gone = Query::from_json(&json!({"source_ports": [3]})).unwrap();
    events.delete_events(&gone, within).unwrap();
    assert_eq!(events.index_create(within).unwrap(), [""; 0]);
    file.write(&EVENT, Deadline::NONE, &AtomicBool::new(false), |conn| {
        Ok(conn.execute_batch("DELETE FROM event_posting; DELETE FROM event_time")?)
    })
    .unwrap();
    assert!(!events.index_create(within).unwrap().is_empty());
    let newest = json!({"source_ports": [5, 3], "sortby": "detecttime.desc", "limit": 3});
    let newest = Query::from_json(&newest).unwrap();
    assert_eq!(events.count(&newest, within).unwrap(), 428);
    let found = events.search(&newest, &[Column::Id], within).unwrap();
    let found: Vec<&str> = found.iter().map(|record| record.row.id.as_str()).collect();
    assert_eq!(found, ["e2994", "e2987", "e2980"]);
    assert_eq!(file.check().unwrap().problems, [""; 0]);
}

#[test]
fn a_damaged_event_is_an_error() {
    let (_folder, file, events) = own();
    let cancel = Arc::default();
    let within = at(&cancel);
    events.insert(small("a", |_| ()), within).unwrap();
    file.write(&EVENT, Deadline::NONE, &AtomicBool::new(false), |conn| {
        Ok(conn.execute_batch("UPDATE event_row SET row = x'ff', event = x''")?)
    })
    .unwrap();
    let fault = events.search(&Query::all(), COLUMNS, within).unwrap_err();
    assert_eq!(fault.code, Code::DamagedValue);
}

#[test]
fn a_manager_opens_what_the_core_configuration_names() {
    let core = json!({"__core__database": {"eventstorage": {"dbname": "mentat", "port": 5432}}});
    let updates = json!({"__core__database": {"eventstorage": {"port": 1}}, "other": 5});
    let opened = Arc::new(AtomicUsize::new(0));
    let manager = |updates: Option<&serde_json::Value>| {
        let opened = opened.clone();
        let open = move |_: &serde_json::Map<String, serde_json::Value>| {
            opened.fetch_add(1, Ordering::SeqCst);
            Ok(own().2)
        };
        Manager::new(&core, updates, Box::new(open)).unwrap()
    };
    assert_eq!(manager(None).settings()["port"], 5432);
    let updated = manager(Some(&updates));
    assert_eq!(
        json!(updated.settings()),
        json!({"dbname": "mentat", "port": 1})
    );
    assert_eq!(core["__core__database"]["eventstorage"]["port"], 5432);
    assert_eq!(opened.load(Ordering::SeqCst), 0);
    updated.service().unwrap();
    updated.service().unwrap();
    assert_eq!(opened.load(Ordering::SeqCst), 1);
    updated.close();
    updated.service().unwrap();
    assert_eq!(opened.load(Ordering::SeqCst), 2);

    let managed = Managed::default();
    assert_eq!(managed.service().err().unwrap().code, Code::EventStorage);
    managed.set(manager(None));
    managed.service().unwrap();
    managed.set(Manager::of(own().2));
    managed.service().unwrap();
    assert_eq!(opened.load(Ordering::SeqCst), 3);
    managed.close();
    assert!(managed.service().is_err());
    let none = Manager::new(
        &json!({"__core__database": {}}),
        None,
        Box::new(|_| Ok(own().2)),
    );
    assert_eq!(none.err().unwrap().code, Code::Configuration);
}
