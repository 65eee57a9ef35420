//! The file itself: creating it, opening it, telling whether it is ours.

use super::fault::{cannot_open, located};
use super::rooms::has_meta;
use crate::diagnostic::Outcome;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// "Stlr" in the header of every file of ours.
pub(super) const APPLICATION_ID: i32 = 0x5374_6c72;

/// How long a call waits for other processes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which file a path names: device and number.
pub(super) type Identity = (u64, u64);

/// The file at `path`, or `None` when there is none. E0601 when it cannot be told.
pub(super) fn identity(path: &Path) -> Outcome<Option<Identity>> {
    match std::fs::metadata(path) {
        Ok(data) => Ok(Some((data.dev(), data.ino()))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(cannot_open(
            path,
            format_args!("cannot be reached: {error}"),
        )),
    }
}

/// Makes an empty file that only the user may read, and the folders above it, unless they exist.
pub(super) fn create(path: &Path) -> Outcome<()> {
    let failed =
        |error: std::io::Error| cannot_open(path, format_args!("cannot be created: {error}"));
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    match new_file(path) {
        // The entry in the folder must survive a power cut like what is written later.
        Ok(_) => File::open(folder)
            .and_then(|f| f.sync_all())
            .map_err(failed),
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// A new empty file with mode 0600; an existing one is an error.
pub(super) fn new_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Opens an existing file for writing. E0601 when it is not ours.
pub(super) fn open_writer(path: &Path) -> Outcome<Connection> {
    open(path, &|conn| {
        // A file that is not ours must not be changed, so this comes first.
        ours(conn, path)?;
        write_ahead(conn)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "fullfsync", true)?;
        Ok(conn.pragma_update(None, "foreign_keys", true)?)
    })
}

/// Opens an existing file for reading; nothing can be written through it. E0601 when it is not ours.
pub(super) fn open_reader(path: &Path) -> Outcome<Connection> {
    open(path, &|conn| {
        ours(conn, path)?;
        Ok(conn.pragma_update(None, "query_only", true)?)
    })
}

fn open(path: &Path, prepare: &dyn Fn(&Connection) -> Outcome<()>) -> Outcome<Connection> {
    // Reading needs the right to write too: the first reader may have to finish what a killed process left.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = || -> Outcome<Connection> {
        let mut conn = Connection::open_with_flags(path, flags)?;
        be_patient(&mut conn)?;
        conn.set_prepared_statement_cache_capacity(64);
        conn.pragma_update(None, "trusted_schema", false)?;
        prepare(&conn)?;
        Ok(conn)
    };
    opened().map_err(|fault| located(fault, path))
}

/// Waits in short steps: with SQLite's own growing pauses a busy neighbour can keep us out for the whole time.
fn be_patient(conn: &mut Connection) -> Outcome<()> {
    let mut since = Instant::now();
    conn.busy_handler(Some(move |tries: i32| {
        if tries == 0 {
            since = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(if tries < 10 { 1 } else { 3 }));
        since.elapsed() < PATIENCE
    }))?;
    Ok(())
}

/// Switches to write-ahead logging. SQLite does not wait for others here by itself.
fn write_ahead(conn: &Connection) -> Outcome<()> {
    let since = Instant::now();
    loop {
        match conn
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        {
            Ok(_) => return Ok(()),
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && since.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// E0601 unless the file is ours or empty.
fn ours(conn: &Connection, path: &Path) -> Outcome<()> {
    let look = || -> rusqlite::Result<bool> {
        // One snapshot for both questions: between them another process could make the file ours.
        let snapshot = conn.unchecked_transaction()?;
        let id: i32 = snapshot.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)";
        let empty: bool = snapshot.query_row(sql, [], |row| row.get(0))?;
        Ok(id == APPLICATION_ID || (id == 0 && empty))
    };
    match look() {
        Ok(true) => Ok(()),
        Err(error) if error.sqlite_error_code() != Some(ErrorCode::NotADatabase) => {
            Err(error.into())
        }
        _ => Err(cannot_open(path, "belongs to another program")
            .help("set [store] path to another file; this one was not touched")),
    }
}

/// Marks a new file as ours, inside the first transaction.
pub(super) fn mark(conn: &Connection) -> Outcome<()> {
    if !has_meta(conn)? {
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    Ok(())
}
