//! Where followers of growing inputs stand, and the variables of periods that they have closed: in the embedded file,
//! whatever holds the measurements.

use super::Within;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::{Lock, Room, Store};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::sync::Arc;

/// Where it is kept in the embedded file.
pub static FOLLOW: Room = Room {
    name: "follow",
    migrations: &[
        "CREATE TABLE follow_mark (name TEXT PRIMARY KEY, mark TEXT NOT NULL) STRICT",
        "CREATE TABLE follow_profile (
            id INTEGER PRIMARY KEY, follower TEXT NOT NULL, definition TEXT NOT NULL, since INTEGER NOT NULL,
            used INTEGER NOT NULL, UNIQUE (follower, definition)) STRICT;
         CREATE TABLE follow_state (
            profile INTEGER NOT NULL, period INTEGER NOT NULL, entity TEXT NOT NULL, state BLOB,
            PRIMARY KEY (profile, period, entity)) STRICT, WITHOUT ROWID",
    ],
    expire: Some(expire),
};

/// The states of followers that have not been started for so long are forgotten.
const UNUSED: i64 = 30 * super::DAY;

/// How many rows one transaction removes at most when they have outlived their time.
const REMOVED: usize = 10_000;

/// Where a follower stands.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Which follower.
    pub name: String,
    /// Its place, as it wrote it itself; `None` leaves that as it is.
    pub text: Option<String>,
    /// States that are kept from now on.
    pub states: Arc<Vec<State>>,
    /// What becomes of the older ones.
    pub passed: Vec<Passed>,
}

/// The variables of an entity in a period, when that was closed.
#[derive(Debug, Clone)]
pub struct State {
    /// The number that [`Marks::keep`] gave.
    pub profile: i64,
    /// The number of the period.
    pub period: i64,
    /// What it is about.
    pub entity: SmolStr,
    /// The variables, as the follower wrote them; `None` for what cannot be written.
    pub bytes: Option<Vec<u8>>,
}

/// From when on the states of a profile are kept.
#[derive(Debug, Clone, Copy)]
pub struct Passed {
    /// The number that [`Marks::keep`] gave.
    pub profile: i64,
    /// The number of the first period that is kept.
    pub first: i64,
    /// The states of periods that end after this instant are complete.
    pub since: i64,
    /// Now.
    pub now: i64,
}

/// A profile of which states are kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeper {
    /// Its number.
    pub profile: i64,
    /// The states of periods that end after this instant are complete.
    pub since: i64,
}

/// The marks of followers.
pub struct Marks(Store);

impl Marks {
    /// Marks in this file, which must know the room [`FOLLOW`].
    pub fn new(store: &Store) -> Marks {
        Marks(store.clone())
    }

    /// Keeps others from following under that name, until it is dropped. Errors: E0603 while somebody does.
    pub fn lock(&self, name: &str) -> Outcome<Lock> {
        let digest = Sha256::digest(name.as_bytes());
        let digest: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
        let path = self.0.lock_path(&format!("follow-{digest}"));
        Lock::take(&path)?.ok_or_else(|| {
            let message = "another process follows with these definitions and settings; the two would overwrite \
                           each other's measurements";
            Diagnostic::new(Code::StoreFailed, message)
                .help("give all files to one of them, or copy the definitions and rename their profiles")
                .note(format!("it holds {}", path.display()))
        })
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

    /// Sets a mark, with the states that belong to it.
    pub fn write(&self, mark: &Mark, within: Within<'_>) -> Outcome<()> {
        let Within {
            deadline, cancel, ..
        } = within;
        let mark = mark.clone();
        self.0
            .write(&FOLLOW, deadline, cancel, move |conn| put(conn, &mark))
    }

    /// Keeps the states of these definitions of a follower, and forgets those of all others. Those that are new are
    /// complete for periods that end after `from`.
    pub fn keep(
        &self,
        name: &str,
        definitions: &[String],
        from: i64,
        within: Within<'_>,
    ) -> Outcome<Vec<Keeper>> {
        let Within {
            deadline,
            cancel,
            now,
        } = within;
        let (name, definitions) = (name.to_string(), definitions.to_vec());
        self.0.write(&FOLLOW, deadline, cancel, move |conn| {
            let mut find =
                conn.prepare_cached("SELECT id, definition FROM follow_profile WHERE follower = ?1")?;
            let known = find
                .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<Vec<(i64, String)>, _>>()?;
            for (id, _) in known.iter().filter(|(_, d)| !definitions.contains(d)) {
                conn.execute("DELETE FROM follow_state WHERE profile = ?1", [id])?;
                conn.execute("DELETE FROM follow_profile WHERE id = ?1", [id])?;
            }
            let mut keepers = Vec::with_capacity(definitions.len());
            for definition in &definitions {
                let sql = "INSERT INTO follow_profile (follower, definition, since, used) VALUES (?1, ?2, ?3, ?4)
                           ON CONFLICT DO UPDATE SET used = excluded.used RETURNING id, since";
                let keeper = |row: &rusqlite::Row<'_>| {
                    let (profile, since) = (row.get(0)?, row.get(1)?);
                    Ok(Keeper { profile, since })
                };
                let mut insert = conn.prepare_cached(sql)?;
                keepers.push(insert.query_row(params![name, definition, from, now], keeper)?);
            }
            Ok(keepers)
        })
    }

    /// What is kept of an entity in a period: `None` when nothing was there, `Some(None)` when it could not be written.
    #[allow(clippy::option_option)]
    pub fn state(
        &self,
        profile: i64,
        period: i64,
        entity: &str,
        within: Within<'_>,
    ) -> Outcome<Option<Option<Vec<u8>>>> {
        let Within {
            deadline, cancel, ..
        } = within;
        self.0.read_within(&FOLLOW, deadline, cancel, |conn| {
            let sql =
                "SELECT state FROM follow_state WHERE profile = ?1 AND period = ?2 AND entity = ?3";
            let mut statement = conn.prepare_cached(sql)?;
            let found = statement.query_row(params![profile, period, entity], |row| row.get(0));
            Ok(found.optional()?)
        })
    }
}

/// Sets a mark within a transaction of somebody else; the tables must be there.
pub(super) fn put(conn: &Connection, mark: &Mark) -> Outcome<()> {
    if let Some(text) = &mark.text {
        conn.prepare_cached("INSERT OR REPLACE INTO follow_mark (name, mark) VALUES (?1, ?2)")?
            .execute(params![mark.name, text])?;
    }
    let mut keep = conn.prepare_cached(
        "INSERT OR REPLACE INTO follow_state (profile, period, entity, state) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for state in mark.states.iter() {
        let State {
            profile,
            period,
            entity,
            bytes,
        } = state;
        keep.execute(params![profile, period, entity.as_str(), bytes])?;
    }
    for passed in &mark.passed {
        conn.prepare_cached("DELETE FROM follow_state WHERE profile = ?1 AND period < ?2")?
            .execute([passed.profile, passed.first])?;
        conn.prepare_cached("UPDATE follow_profile SET since = ?2, used = ?3 WHERE id = ?1")?
            .execute([passed.profile, passed.since, passed.now])?;
    }
    Ok(())
}

/// Removes some of the states of followers that nobody has started for long.
fn expire(conn: &Connection, now: i64) -> Outcome<usize> {
    let removed = conn
        .prepare_cached(
            "DELETE FROM follow_state WHERE (profile, period, entity) IN
             (SELECT profile, period, entity FROM follow_state WHERE profile IN
              (SELECT id FROM follow_profile WHERE used < ?1) LIMIT ?2)",
        )?
        .execute([now.saturating_sub(UNUSED), REMOVED as i64])?;
    // Without its states a profile is as one that is new.
    conn.prepare_cached(
        "DELETE FROM follow_profile WHERE used < ?1
         AND NOT EXISTS (SELECT 1 FROM follow_state WHERE profile = id)",
    )?
    .execute([now.saturating_sub(UNUSED)])?;
    Ok(removed)
}
