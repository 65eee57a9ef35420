//! Looking after the embedded file: check, backup, compact, expire.

use super::fault::{cannot_open, located};
use super::{Deadline, Store, file, rooms};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What `stellar store check` tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The file.
    pub path: PathBuf,
    /// Whether it exists; if not, the rest is empty.
    pub exists: bool,
    /// What is wrong, a sentence each; empty when all is well.
    pub problems: Vec<String>,
    /// The rooms in the file, by name.
    pub rooms: Vec<RoomVersion>,
    /// Tables and their rows, by name.
    pub tables: Vec<(String, u64)>,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of the log that are not yet in the file.
    pub log_bytes: u64,
    /// Bytes in the file that nothing uses; compacting gives them back.
    pub free_bytes: u64,
}

/// A room in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomVersion {
    /// Its name.
    pub room: String,
    /// The version of its tables.
    pub found: u64,
    /// The version that this program knows; `None` when it does not know the room.
    pub known: Option<u64>,
}

/// Bytes of the file before and after compacting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Before, the log included.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// How many steps of SQLite pass between two looks at the flag that ends an examination.
const STEPS: i32 = 10_000;

/// One part of the examination.
type Step = fn(&Store, &Connection, &mut Report) -> Outcome<()>;

impl Store {
    /// Examines the file: structure, references, versions, sizes, rows. Damage is reported, not raised;
    /// E0601 when the file is not ours or cannot be opened.
    pub fn check(&self) -> Outcome<Report> {
        self.examine(true, &Arc::default())
    }

    /// What the file holds, or when `whole` also whether it is sound. `cancel` ends it; the report lacks something then.
    /// Errors as [`Store::check`].
    pub fn examine(&self, whole: bool, cancel: &Arc<AtomicBool>) -> Outcome<Report> {
        let path = self.path();
        let mut report = Report {
            path: path.to_path_buf(),
            ..Report::default()
        };
        if file::identity(path)?.is_none() {
            return Ok(report);
        }
        report.exists = true;
        (report.bytes, report.log_bytes) = sizes(path);
        let mut conn = match file::open_reader(path) {
            Ok(conn) => conn,
            Err(fault) if fault.code == Code::StoreFailed => {
                report.problems.push(fault.message);
                return Ok(report);
            }
            Err(fault) => return Err(fault),
        };
        let cancel = cancel.clone();
        conn.progress_handler(STEPS, Some(move || cancel.load(Ordering::Relaxed)))?;
        // In a damaged file every step can fail; the others still have something to tell.
        let steps: [Step; 5] = [integrity, references, versions, free, rows];
        let first = if whole { 0 } else { 2 };
        for step in steps.into_iter().skip(first) {
            if let Err(fault) = step(self, &conn, &mut report) {
                let message = located(fault, path).message;
                if !report.problems.contains(&message) {
                    report.problems.push(message);
                }
            }
        }
        Ok(report)
    }

    /// Copies the file as it is at this moment to `to`, which must not exist. Others may go on writing.
    /// E0404 when `to` exists or cannot be written, E0601 when there is nothing to copy, E0603.
    pub fn backup(&self, to: &Path) -> Outcome<()> {
        let path = self.path();
        if file::identity(path)?.is_none() {
            return Err(cannot_open(
                path,
                "does not exist yet: there is nothing to copy",
            ));
        }
        let from = file::open_reader(path)?;
        let unwritable = |why: &dyn std::fmt::Display| {
            Diagnostic::new(
                Code::CannotWrite,
                format!("cannot write {}: {why}", to.display()),
            )
        };
        file::new_file(to).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                unwritable(&"it exists").help("choose another name")
            }
            _ => unwritable(&error),
        })?;
        copy(&from, to).map_err(|fault| {
            // A half-written copy must not be taken for a backup.
            let _ = std::fs::remove_file(to);
            located(fault, to)
        })?;
        let folder = to
            .parent()
            .filter(|f| !f.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let synced = std::fs::File::open(to).and_then(|f| f.sync_all());
        synced
            .and_then(|()| std::fs::File::open(folder)?.sync_all())
            .map_err(|error| unwritable(&error))
    }

    /// Writes the file anew without unused space and empties the log. Writers wait meanwhile. E0603.
    pub fn compact(&self) -> Outcome<Compacted> {
        let path = self.path();
        if file::identity(path)?.is_none() {
            return Ok(Compacted::default());
        }
        let total = || {
            let (file, log) = sizes(path);
            file + log
        };
        let before = total();
        let work = Box::new(|conn: &Connection| {
            conn.execute_batch("VACUUM")?;
            // Readers may keep the log from being emptied, which is no fault.
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(conn.execute_batch("PRAGMA optimize")?)
        });
        self.writer()?
            .submit(None, Deadline::NONE, &AtomicBool::new(false), work)?;
        Ok(Compacted {
            before,
            after: total(),
        })
    }

    /// Lets every room delete what has outlived its time at `now` (milliseconds), in short transactions.
    /// Gives the rows deleted, by room. Errors as [`Store::write`].
    pub fn expire(
        &self,
        now: i64,
        deadline: Deadline,
        cancel: &Arc<AtomicBool>,
    ) -> Outcome<Vec<(&'static str, usize)>> {
        let mut deleted = Vec::new();
        for room in &self.0.rooms {
            let Some(expire) = room.expire else { continue };
            let mut total = 0;
            // Without a file there is nothing to delete, and deleting must not make one.
            while file::identity(self.path())?.is_some() {
                match self.write(room, deadline, cancel, move |conn| expire(conn, now))? {
                    0 => break,
                    rows => total += rows,
                }
            }
            deleted.push((room.name, total));
        }
        Ok(deleted)
    }
}

fn sizes(path: &Path) -> (u64, u64) {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |data| data.len());
    let mut log = path.as_os_str().to_os_string();
    log.push("-wal");
    (bytes(path), bytes(Path::new(&log)))
}

fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

fn integrity(_: &Store, conn: &Connection, report: &mut Report) -> Outcome<()> {
    let mut statement = conn.prepare("PRAGMA integrity_check")?;
    for row in statement.query_map([], |row| row.get::<_, String>(0))? {
        let row = row?;
        if row != "ok" {
            report.problems.push(row);
        }
    }
    Ok(())
}

fn references(_: &Store, conn: &Connection, report: &mut Report) -> Outcome<()> {
    let sql = "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2";
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!(
            "{} rows of {table} point to rows of {parent} that do not exist",
            count(row, 2)?
        ))
    })?;
    for row in rows {
        report.problems.push(row?);
    }
    Ok(())
}

fn versions(store: &Store, conn: &Connection, report: &mut Report) -> Outcome<()> {
    if !rooms::has_meta(conn)? {
        return Ok(());
    }
    let mut statement = conn.prepare("SELECT room, version FROM meta ORDER BY room")?;
    for row in statement.query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))? {
        let (room, found): (String, u64) = row?;
        let known = store
            .0
            .rooms
            .iter()
            .find(|known| known.name == room)
            .map(|known| known.migrations.len() as u64);
        if known.is_some_and(|known| found > known) {
            report
                .problems
                .push(format!("the {room} tables are of a newer program"));
        }
        report.rooms.push(RoomVersion { room, found, known });
    }
    Ok(())
}

fn free(_: &Store, conn: &Connection, report: &mut Report) -> Outcome<()> {
    let number = |name: &str| conn.pragma_query_value(None, name, |row| count(row, 0));
    report.free_bytes = number("freelist_count")? * number("page_size")?;
    Ok(())
}

fn rows(_: &Store, conn: &Connection, report: &mut Report) -> Outcome<()> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1";
    let mut statement = conn.prepare(sql)?;
    let names = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    for name in names {
        let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        report
            .tables
            .push((name, conn.query_row(&sql, [], |row| count(row, 0))?));
    }
    Ok(())
}

/// Copies in one step, which is one snapshot; steps would begin anew whenever another process writes.
fn copy(from: &Connection, to: &Path) -> Outcome<()> {
    let mut target = Connection::open_with_flags(to, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let backup = Backup::new(from, &mut target)?;
    for _ in 0..1000 {
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    Err(Diagnostic::new(
        Code::StoreFailed,
        format!("{} was busy for too long", to.display()),
    ))
}
