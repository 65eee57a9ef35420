//! Where followers of growing inputs stand: in the embedded file, whatever holds the measurements.

use super::Within;
use crate::diagnostic::Outcome;
use crate::store::{Room, Store};
use rusqlite::{Connection, OptionalExtension, params};

/// Where it is kept in the embedded file.
pub static FOLLOW: Room = Room {
    name: "follow",
    migrations: &["CREATE TABLE follow_mark (name TEXT PRIMARY KEY, mark TEXT NOT NULL) STRICT"],
    expire: None,
};

/// Where a follower stands.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Which follower.
    pub name: String,
    /// Its place, as it wrote it itself.
    pub text: String,
}

/// The marks of followers.
pub struct Marks(Store);

impl Marks {
    /// Marks in this file, which must know the room [`FOLLOW`].
    pub fn new(store: &Store) -> Marks {
        Marks(store.clone())
    }

    /// The mark of that name.
    pub fn read(&self, name: &str, within: Within<'_>) -> Outcome<Option<String>> {
        let Within {
            deadline, cancel, ..
        } = within;
        self.0.read_within(&FOLLOW, deadline, cancel, |conn| {
            let mut statement = conn.prepare("SELECT mark FROM follow_mark WHERE name = ?1")?;
            Ok(statement.query_row([name], |row| row.get(0)).optional()?)
        })
    }

    /// Sets a mark.
    pub fn write(&self, mark: &Mark, within: Within<'_>) -> Outcome<()> {
        let Within {
            deadline, cancel, ..
        } = within;
        let mark = mark.clone();
        self.0
            .write(&FOLLOW, deadline, cancel, move |conn| put(conn, &mark))
    }
}

/// Sets a mark within a transaction of somebody else; the table must be there.
pub(super) fn put(conn: &Connection, mark: &Mark) -> Outcome<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO follow_mark (name, mark) VALUES (?1, ?2)")?
        .execute(params![mark.name, mark.text])?;
    Ok(())
}
