//! Events in the embedded file.
//!
//! Events are numbered as they come. A *block* is 1024 of them; a *posting* tells for a key (a value of a column, a
//! node of the tree of addresses) which events of a block have it, as positions or as a bitmap. A condition is the
//! union of some postings, a query a few operations on bitmaps, and counting looks at no event at all. The times of 128
//! events lie together in a *chunk* whose bounds lie apart, so that the latest are found without a look at most. Postings
//! lie by *segment* (65,536 events) before their key, so that loading writes into one stretch of the file however many
//! events there are.

mod bits;
mod books;
mod codec;
mod count;
mod find;
mod keys;
mod session;
mod upkeep;
mod write;

#[cfg(test)]
mod tests;

use super::{Change, EventStore, Look, Session, Transaction};
use crate::diagnostic::Outcome;
use crate::store::{Room, Store, Within};
use rusqlite::Connection;
use session::Local;
use std::sync::atomic::Ordering;

/// Where events lie in the embedded file.
pub static EVENT: Room = Room {
    name: "event",
    migrations: &["
        CREATE TABLE event_row (seq INTEGER PRIMARY KEY, row BLOB NOT NULL, event BLOB) STRICT;
        CREATE TABLE event_id (
            hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (hash, seq)) STRICT, WITHOUT ROWID;
        CREATE TABLE event_posting (
            segment INTEGER NOT NULL, key BLOB NOT NULL, block INTEGER NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (segment, key, block)) STRICT, WITHOUT ROWID;
        CREATE TABLE event_time (chunk INTEGER PRIMARY KEY, times BLOB NOT NULL) STRICT;
        CREATE TABLE event_bound (
            chunk INTEGER PRIMARY KEY, detect_low INTEGER NOT NULL, detect_high INTEGER NOT NULL,
            storage_low INTEGER NOT NULL, storage_high INTEGER NOT NULL) STRICT;
        CREATE INDEX event_bound_detect_low ON event_bound (detect_low);
        CREATE INDEX event_bound_detect_high ON event_bound (detect_high);
        CREATE INDEX event_bound_storage_low ON event_bound (storage_low);
        CREATE INDEX event_bound_storage_high ON event_bound (storage_high);
        CREATE TABLE event_enum (
            name TEXT NOT NULL, value TEXT NOT NULL, last_seen INTEGER NOT NULL,
            PRIMARY KEY (name, value)) STRICT, WITHOUT ROWID;
        CREATE INDEX event_enum_last_seen ON event_enum (name, last_seen);
        CREATE TABLE event_threshold (
            id TEXT PRIMARY KEY, thresholdtime INTEGER NOT NULL, relapsetime INTEGER NOT NULL,
            ttltime INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE event_thresholded (
            eventid TEXT NOT NULL, keyid TEXT NOT NULL, groupname TEXT NOT NULL, eventseverity TEXT NOT NULL,
            createtime INTEGER NOT NULL, PRIMARY KEY (eventid, keyid)) STRICT, WITHOUT ROWID;
        CREATE INDEX event_thresholded_combined ON event_thresholded (groupname, eventseverity);
        CREATE INDEX event_thresholded_keyid ON event_thresholded (keyid)"],
    expire: None,
};

/// Events in the embedded file.
pub struct Embedded(Store);

impl Embedded {
    /// Events in this file, which must know the room [`EVENT`].
    pub fn new(store: &Store) -> Embedded {
        Embedded(store.clone())
    }
}

impl EventStore for Embedded {
    fn place(&self) -> String {
        format!("the embedded file {}", self.0.path().display())
    }

    fn is_there(&self, _: Within<'_>) -> Outcome<bool> {
        Ok(self.0.path().exists())
    }

    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()> {
        self.0
            .read_within(&EVENT, within.deadline, within.cancel, |conn| {
                // Events are read from all over the file.
                conn.pragma_update(None, "cache_size", -32_768)?;
                work(&mut Local::new(conn, within))
            })
    }

    fn write(&self, within: Within<'_>, mut work: Change) -> Outcome<()> {
        let (now, deadline, cancel) = (within.now, within.deadline, within.cancel.clone());
        self.0.write(&EVENT, deadline, within.cancel, move |conn| {
            let cancel = &cancel;
            work(&mut Local::new(
                conn,
                Within {
                    now,
                    deadline,
                    cancel,
                },
            ))
        })
    }

    fn begin(&self, within: Within<'_>) -> Outcome<Box<dyn Transaction>> {
        let conn = self.0.connect(&EVENT, within.deadline, within.cancel)?;
        Ok(Box::new(Own(conn)))
    }

    fn close(&self) {}
}

/// A transaction on a connection of its own. Until it changes something every call sees what others have committed;
/// from then on nobody else can write.
struct Own(Connection);

impl Transaction for Own {
    fn session(&mut self, within: Within<'_>) -> Outcome<Box<dyn Session + '_>> {
        let Within {
            deadline, cancel, ..
        } = within;
        crate::store::proceed(deadline, cancel)?;
        let flag = cancel.clone();
        self.0.progress_handler(
            1000,
            Some(move || flag.load(Ordering::Relaxed) || deadline.passed()),
        )?;
        Ok(Box::new(Local::lasting(&self.0, within)))
    }

    fn commit(&mut self, within: Within<'_>) -> Outcome<()> {
        crate::store::proceed(within.deadline, within.cancel)?;
        if !self.0.is_autocommit() {
            self.0.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    fn rollback(&mut self, _: Within<'_>) -> Outcome<()> {
        if !self.0.is_autocommit() {
            self.0.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}
