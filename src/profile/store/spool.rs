//! The spool: measurements that a server did not take wait in the embedded file until it does.
//!
//! They stand in the order in which they were written. What lies beside them is who was written to the server at all:
//! the server's rows do not name their profiles.

use super::hbase::Cell;
use super::{DAY, PROFILE, Place, StoredProfile, Within};
use crate::diagnostic::{Fault, Outcome};
use crate::store::{Deadline, Store};
use rusqlite::{Connection, OptionalExtension, Row, params};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The tables of the spool, in the room of the profiler.
pub(super) const TABLES: &str = "
    CREATE TABLE profile_spool (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, family TEXT NOT NULL, divisor INTEGER NOT NULL,
        key BLOB NOT NULL, value BLOB NOT NULL, days INTEGER, written INTEGER NOT NULL) STRICT;
    CREATE INDEX profile_spool_key ON profile_spool (key, source, family);
    CREATE TABLE profile_spool_fault (
        id INTEGER PRIMARY KEY CHECK (id = 1), message TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE TABLE profile_remote (
        source TEXT NOT NULL, family TEXT NOT NULL, divisor INTEGER NOT NULL, profile TEXT NOT NULL,
        duration INTEGER NOT NULL, PRIMARY KEY (source, family, divisor, profile, duration)) STRICT, WITHOUT ROWID";

/// How long keeping measurements may take: a call that has to end must not lose them.
const PATIENCE: Duration = Duration::from_secs(30);

/// A measurement on its way to a server.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    /// After how many days it may be forgotten, from `written` on.
    pub days: Option<i64>,
    /// When it was written, in milliseconds since 1970.
    pub written: i64,
}

impl Waiting {
    /// The cell that a server is to keep, `now`; `None` when it has outlived its time while it waited.
    pub fn cell(&self, now: i64) -> Option<Cell> {
        let all = self.days.map(|days| days.saturating_mul(DAY));
        let waited = now.saturating_sub(self.written).max(0);
        let lives = all.map(|all| all.saturating_sub(waited));
        // What is written without having waited replaces what was there, however short it lives.
        let gone = waited > 0 && lives.is_some_and(|lives| lives <= 0);
        (!gone).then(|| Cell {
            key: self.key.clone(),
            value: self.value.clone(),
            lives,
        })
    }
}

/// What waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spool {
    /// How many measurements.
    pub count: u64,
    /// When the oldest of them was written, in milliseconds since 1970.
    pub oldest: Option<i64>,
    /// Why they could not be stored when it was last tried, and when that was.
    pub fault: Option<(String, i64)>,
}

impl Spool {
    /// What waits in an embedded file.
    pub fn of(store: &Store) -> Outcome<Spool> {
        store.read(&PROFILE, |conn| {
            let count: i64 =
                conn.query_row("SELECT count(*) FROM profile_spool", [], |row| row.get(0))?;
            let oldest = conn.query_row("SELECT min(written) FROM profile_spool", [], |row| {
                row.get(0)
            })?;
            let fault = conn
                .query_row("SELECT message, at FROM profile_spool_fault", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            Ok(Spool {
                count: count.unsigned_abs(),
                oldest,
                fault,
            })
        })
    }
}

/// Writes, whatever the call around it has to keep to.
fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    store.write(&PROFILE, Deadline::after(PATIENCE), &Arc::default(), work)
}

/// Keeps measurements, behind those that wait already.
pub(super) fn keep(
    store: &Store,
    place: &Place,
    rows: Vec<Waiting>,
    why: &Fault,
    now: i64,
) -> Outcome<()> {
    let (place, why) = (place.clone(), why.message.clone());
    write(store, move |conn| {
        let mut insert = conn.prepare_cached(
            "INSERT INTO profile_spool (source, family, divisor, key, value, days, written)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let (table, family) = (place.table.as_str(), place.family.as_str());
        for row in &rows {
            insert.execute(params![
                table,
                family,
                place.divisor,
                row.key,
                row.value,
                row.days,
                row.written
            ])?;
        }
        note(conn, &why, now)
    })
}

fn note(conn: &Connection, why: &str, now: i64) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO profile_spool_fault (id, message, at) VALUES (1, ?1, ?2)";
    conn.prepare_cached(sql)?.execute(params![why, now])?;
    Ok(())
}

/// Remembers why what waits could not be stored.
pub(super) fn blame(store: &Store, why: &Fault, now: i64) -> Outcome<()> {
    let why = why.message.clone();
    write(store, move |conn| note(conn, &why, now))
}

/// Whether anything waits.
pub(super) fn any(store: &Store) -> Outcome<bool> {
    store.read(&PROFILE, |conn| {
        let sql = "SELECT EXISTS (SELECT 1 FROM profile_spool)";
        Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    })
}

fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    let text =
        |column| -> rusqlite::Result<SmolStr> { Ok(SmolStr::new(row.get_ref(column)?.as_str()?)) };
    Ok(Place {
        table: text(0)?,
        family: text(1)?,
        divisor: row.get(2)?,
    })
}

/// The places for which something waits.
pub(super) fn places(store: &Store) -> Outcome<Vec<Place>> {
    store.read(&PROFILE, |conn| {
        let sql = "SELECT DISTINCT source, family, divisor FROM profile_spool ORDER BY 1, 2, 3";
        let mut statement = conn.prepare(sql)?;
        Ok(statement.query_map([], place)?.collect::<Result<_, _>>()?)
    })
}

/// What waits longest for a place, at most so much, and the number up to which that is.
pub(super) fn first(store: &Store, place: &Place, most: usize) -> Outcome<(Vec<Waiting>, i64)> {
    store.read(&PROFILE, |conn| {
        let mut statement = conn.prepare_cached(
            "SELECT key, value, days, written, id FROM profile_spool
             WHERE source = ?1 AND family = ?2 AND divisor = ?3 ORDER BY id LIMIT ?4",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![
            place.table.as_str(),
            place.family.as_str(),
            place.divisor,
            most
        ])?;
        let (mut found, mut last) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            found.push(Waiting {
                key: row.get(0)?,
                value: row.get(1)?,
                days: row.get(2)?,
                written: row.get(3)?,
            });
            last = row.get(4)?;
        }
        Ok((found, last))
    })
}

/// Forgets what waited for a place up to a number: the server has it.
pub(super) fn done(store: &Store, place: &Place, last: i64) -> Outcome<()> {
    let place = place.clone();
    write(store, move |conn| {
        let sql = "DELETE FROM profile_spool WHERE source = ?1 AND family = ?2 AND divisor = ?3 AND id <= ?4";
        conn.prepare_cached(sql)?.execute(params![
            place.table.as_str(),
            place.family.as_str(),
            place.divisor,
            last
        ])?;
        let nothing =
            "DELETE FROM profile_spool_fault WHERE NOT EXISTS (SELECT 1 FROM profile_spool)";
        conn.prepare_cached(nothing)?.execute([])?;
        Ok(())
    })
}

/// The latest of what waits for these rows; `None` for one that has outlived its time.
pub(super) fn newer(
    store: &Store,
    place: &Place,
    keys: &[Vec<u8>],
    within: Within<'_>,
) -> Outcome<HashMap<Vec<u8>, Option<Vec<u8>>>> {
    store.read_within(&PROFILE, within.deadline, within.cancel, |conn| {
        let mut found = HashMap::new();
        let mut statement = conn.prepare_cached(
            "SELECT value, days, written FROM profile_spool
             WHERE key = ?1 AND source = ?2 AND family = ?3 ORDER BY id DESC LIMIT 1",
        )?;
        for key in keys {
            let waiting = statement
                .query_row(
                    params![key, place.table.as_str(), place.family.as_str()],
                    |row| {
                        Ok(Waiting {
                            key: key.clone(),
                            value: row.get(0)?,
                            days: row.get(1)?,
                            written: row.get(2)?,
                        })
                    },
                )
                .optional()?;
            if let Some(waiting) = waiting {
                let ended = waiting.days.is_some_and(|days| {
                    waiting.written.saturating_add(days.saturating_mul(DAY)) < within.now
                });
                found.insert(waiting.key, (!ended).then_some(waiting.value));
            }
        }
        Ok(found)
    })
}

/// Remembers that profiles were written to a server, each with the length of its periods.
pub(super) fn remember(store: &Store, place: &Place, profiles: Vec<(SmolStr, i64)>) -> Outcome<()> {
    let place = place.clone();
    write(store, move |conn| {
        let sql = "INSERT OR IGNORE INTO profile_remote VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = conn.prepare_cached(sql)?;
        for (profile, duration) in &profiles {
            let (table, family) = (place.table.as_str(), place.family.as_str());
            insert.execute(params![
                table,
                family,
                place.divisor,
                profile.as_str(),
                duration
            ])?;
        }
        Ok(())
    })
}

/// The profiles that were written to a server from here.
pub(super) fn remembered(store: &Store, within: Within<'_>) -> Outcome<Vec<StoredProfile>> {
    store.read_within(&PROFILE, within.deadline, within.cancel, |conn| {
        let sql = "SELECT source, family, divisor, profile, duration FROM profile_remote ORDER BY 1, 2, 3, 4, 5";
        let mut statement = conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(StoredProfile {
                place: place(row)?,
                profile: SmolStr::new(row.get_ref(3)?.as_str()?),
                duration: row.get(4)?,
                series: None,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
}
