//! Alerts that wait for a sink, in the embedded file, so that a crash does not lose them.

use crate::diagnostic::Outcome;
use crate::store::{Deadline, Room, Store};
use rusqlite::params;
use std::sync::Arc;
use std::time::Duration;

/// The tables of alerts that wait.
pub static SINK: Room = Room {
    name: "sink",
    migrations: &[
        "CREATE TABLE sink_alert (sink TEXT NOT NULL, number INTEGER NOT NULL, alert BLOB NOT NULL,
            PRIMARY KEY (sink, number)) STRICT, WITHOUT ROWID",
    ],
    expire: None,
};

/// How long the file may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The alerts that wait for one sink, by their numbers.
pub struct Spool {
    store: Store,
    sink: String,
}

impl Spool {
    /// That of a sink.
    pub fn of(store: &Store, sink: &str) -> Spool {
        Spool {
            store: store.clone(),
            sink: sink.to_owned(),
        }
    }

    /// What waits. Errors: E0601 to E0603.
    pub fn read(&self) -> Outcome<Vec<(u64, Vec<u8>)>> {
        self.store.read(&SINK, |conn| {
            let sql = "SELECT number, alert FROM sink_alert WHERE sink = ?1 ORDER BY number";
            let mut statement = conn.prepare(sql)?;
            let rows = statement.query_map([&self.sink], |row| {
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Keeps alerts. Errors: E0601 to E0603.
    pub fn keep(&self, alerts: Vec<(u64, Vec<u8>)>) -> Outcome<()> {
        let sink = self.sink.clone();
        let deadline = Deadline::after(PATIENCE);
        self.store
            .write(&SINK, deadline, &Arc::default(), move |conn| {
                let sql =
                    "INSERT OR REPLACE INTO sink_alert (sink, number, alert) VALUES (?1, ?2, ?3)";
                let mut insert = conn.prepare_cached(sql)?;
                for (number, alert) in &alerts {
                    insert.execute(params![sink, number.cast_signed(), alert])?;
                }
                Ok(())
            })
    }

    /// Forgets those before a number. Errors: E0601 to E0603.
    pub fn forget(&self, before: u64) -> Outcome<()> {
        let (sink, before) = (self.sink.clone(), before.cast_signed());
        let deadline = Deadline::after(PATIENCE);
        self.store
            .write(&SINK, deadline, &Arc::default(), move |conn| {
                let sql = "DELETE FROM sink_alert WHERE sink = ?1 AND number < ?2";
                conn.execute(sql, params![sink, before])?;
                Ok(())
            })
    }
}
