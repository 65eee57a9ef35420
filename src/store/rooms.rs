//! Rooms: who owns which tables of the embedded file, and in which version.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// A part of the program that keeps tables in the embedded file. Their names begin with the room's.
#[derive(Debug)]
pub struct Room {
    /// The name in the table `meta`.
    pub name: &'static str,
    /// SQL that makes each version from the one before; the version is their number.
    pub migrations: &'static [&'static str],
    /// Deletes some of what has outlived its time at the given moment (milliseconds) and gives the number of rows;
    /// called again until that is 0, so that no transaction is long.
    pub expire: Option<fn(&Connection, i64) -> Outcome<usize>>,
}

/// How a room's tables in a file compare to the program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// There are none.
    Absent,
    /// They are older.
    Older,
    /// They are as the program wants them.
    Ready,
}

/// Finds out how `room` stands. E0602 when the file was written by a newer program.
pub(super) fn standing(conn: &Connection, room: &Room, path: &Path) -> Outcome<Standing> {
    let wanted = room.migrations.len();
    match version(conn, room)? {
        0 => Ok(Standing::Absent),
        found if found < wanted => Ok(Standing::Older),
        found if found == wanted => Ok(Standing::Ready),
        found => Err(Diagnostic::new(
            Code::StoreVersion,
            format!(
                "{} has version {found} of its {} tables; this program knows version {wanted}",
                path.display(),
                room.name
            ),
        )
        .help("use the newer program, or another file: --set store.path=FILE")),
    }
}

fn version(conn: &Connection, room: &Room) -> Outcome<usize> {
    let look = || -> rusqlite::Result<Option<i64>> {
        let mut statement = conn.prepare_cached("SELECT version FROM meta WHERE room = ?1")?;
        statement
            .query_row([room.name], |row| row.get(0))
            .optional()
    };
    let found = match look() {
        Ok(found) => found,
        Err(_) if !has_meta(conn)? => None,
        // Another process may have made the tables just now.
        Err(_) => look()?,
    };
    Ok(found.map_or(0, |version| usize::try_from(version).unwrap_or(usize::MAX)))
}

pub(super) fn has_meta(conn: &Connection) -> Outcome<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta')";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

/// Brings the room's tables to the program's version, inside the transaction that the caller holds.
pub(super) fn migrate(conn: &Connection, room: &Room, path: &Path) -> Outcome<()> {
    if standing(conn, room, path)? == Standing::Ready || room.migrations.is_empty() {
        return Ok(());
    }
    conn.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT",
    )?;
    for step in &room.migrations[version(conn, room)?..] {
        conn.execute_batch(step)?;
    }
    conn.execute(
        "INSERT INTO meta (room, version) VALUES (?1, ?2)
         ON CONFLICT (room) DO UPDATE SET version = excluded.version",
        (room.name, room.migrations.len() as i64),
    )?;
    Ok(())
}
