//! Collections in the embedded file: what every store must do, and what only this one does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use stellar::collect::key::Base;
use stellar::collect::store::CollectionStore;
use stellar::collect::{COLLECT, Embedded};
use stellar::store::Store;
use support::collections::{HOUR, at, entry, key, real_now, suite};
use tempfile::TempDir;

#[test]
fn it_does_what_every_store_does() {
    let folder = TempDir::new().unwrap();
    suite(&|| {
        let store = Store::new(&folder.path().join("stellar.db"), &[&COLLECT]);
        (Arc::new(Embedded::new(&store)), "self".to_string())
    });
}

#[test]
fn nothing_is_made_by_looking() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stellar.db");
    let store = Embedded::new(&Store::new(&path, &[&COLLECT]));
    let base = Base::new("self", "none");
    at(0, |w| store.has(&[key(&base, &["x"])], w));
    at(0, |w| store.about(&base, w));
    at(0, |w| store.list(w));
    at(0, |w| store.remove(&base, w));
    assert!(!path.exists());
}

#[test]
fn the_clock_is_that_of_the_caller() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::new(&Store::new(&folder.path().join("s"), &[&COLLECT]));
    let k = [key(&Base::new("self", "c"), &["x"])];
    at(1000, |w| store.put(&[entry(&k[0], 1000)], w));
    assert_eq!(at(1000, |w| store.has(&k, w)), [Some(1000 + HOUR)]);
    assert_eq!(at(999 + HOUR, |w| store.has(&k, w)), [Some(1000 + HOUR)]);
    assert_eq!(at(1000 + HOUR, |w| store.has(&k, w)), [None]);
}

#[test]
fn what_is_over_leaves_the_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stellar.db");
    let file = Store::new(&path, &[&COLLECT]);
    let store = Embedded::new(&file);
    let base = Base::new("self", "c");
    let now = real_now();
    let rows = || {
        let conn = rusqlite::Connection::open(&path).unwrap();
        let sql = "SELECT count(*) FROM collect_entry";
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let some = |from: i32, date: i64| {
        let range = from..from + 1000;
        range
            .map(move |n| (n.to_string(), date))
            .collect::<Vec<_>>()
    };
    let put = |many: &[(String, i64)], now: i64| {
        let entries: Vec<_> = many
            .iter()
            .map(|(t, date)| entry(&key(&base, &[t]), *date))
            .collect();
        at(now, |w| store.put(&entries, w));
    };
    put(&some(0, now), now);
    assert_eq!(rows(), 1000);
    // As collections go on, what is over is removed bit by bit: never much more stays than is due.
    for round in 1..20 {
        put(
            &some(round * 1000, now + i64::from(round) * HOUR),
            now + i64::from(round) * HOUR,
        );
    }
    assert!(rows() <= 3000, "{} rows", rows());
    // And all of it by the upkeep of the file.
    at(now + 30 * HOUR, |w| {
        file.expire(w.now, w.deadline, w.cancel)
    });
    assert_eq!(rows(), 0);
}
