//! The embedded file, the one Tokio runtime and what is served on it, and trying again.

mod authorities;
mod deadline;
mod fault;
mod file;
mod lock;
pub mod postgres;
mod reach;
mod retry;
mod rooms;
pub mod serve;
mod upkeep;
mod wait;
mod within;
mod workers;
mod writer;

pub use authorities::authorities;
pub use deadline::{Deadline, proceed};
pub use lock::Lock;
pub use reach::{Reached, in_words, reach};
pub use retry::{Backoff, Verdict, retry, sleep};
pub use rooms::Room;
pub use upkeep::{Compacted, Report, RoomVersion};
pub use wait::{background, wait};
pub use within::Within;
pub use workers::Workers;

use crate::diagnostic::{Code, Diagnostic, Outcome};
use fault::{located, panicked};
use file::Identity;
use parking_lot::Mutex;
use rooms::Standing;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use writer::Writer;

/// Read connections that are kept for the next read.
const KEPT: usize = 4;

/// A handle of the embedded file. Cheap to clone; nothing is opened before it is used.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    rooms: Vec<&'static Room>,
    writer: Mutex<Option<Arc<Writer>>>,
    readers: Mutex<Vec<(Identity, Connection)>>,
    /// Empty databases in memory, for reads while there is no file.
    blanks: Mutex<Vec<Connection>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.0.path).finish()
    }
}

impl Store {
    /// A store at `path` with the tables of `rooms`. Touches no file.
    pub fn new(path: &Path, rooms: &[&'static Room]) -> Store {
        // An absolute path survives a change of folder, and never means one of SQLite's special names.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        Store(Arc::new(Inner {
            path,
            rooms: rooms.to_vec(),
            writer: Mutex::default(),
            readers: Mutex::default(),
            blanks: Mutex::default(),
        }))
    }

    /// Where the file lies or would lie.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The path of a lock beside the file; `name` must be fit for a file name.
    pub fn lock_path(&self, name: &str) -> PathBuf {
        let mut file = self.0.path.file_name().unwrap_or_default().to_os_string();
        file.push(format!("-{name}.lock"));
        self.0.path.with_file_name(file)
    }

    /// Runs `work` on the writing thread and gives its result once that is committed; creates the file if need be.
    /// A failing `work` takes back all it did. It may run more than once, so it must have no effects but on the file,
    /// and it must neither begin nor end transactions.
    /// E0306 and E0307 (nothing is stored then), E0601 to E0603, E0901 when `work` panics.
    pub fn write<T: Send + 'static>(
        &self,
        room: &'static Room,
        deadline: Deadline,
        cancel: &AtomicBool,
        mut work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        self.known(room)?;
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        let work = Box::new(move |conn: &Connection| {
            *filled.lock() = Some(work(conn)?);
            Ok(())
        });
        self.writer()?.submit(Some(room), deadline, cancel, work)?;
        let result = slot.lock().take();
        result.ok_or_else(|| Diagnostic::new(Code::Internal, "a write gave no result"))
    }

    /// Runs `work` on a read connection, in one snapshot. Without a file, or without the room's tables in it, `work`
    /// sees empty tables and no file is made. E0601 to E0603, E0901 when `work` panics.
    pub fn read<T>(
        &self,
        room: &'static Room,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        self.read_within(room, Deadline::NONE, &Arc::default(), work)
    }

    /// As [`Store::read`], and statements end with E0306 or E0307 when `deadline` passes or `cancel` is set.
    pub fn read_within<T>(
        &self,
        room: &'static Room,
        deadline: Deadline,
        cancel: &Arc<AtomicBool>,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        self.known(room)?;
        deadline::proceed(deadline, cancel)?;
        let path = &self.0.path;
        let mut answer = self.read_file(room, deadline, cancel, |conn| {
            limited(conn, deadline, cancel, work)
        });
        if let Ok(Err(work)) = answer {
            answer = self.read_blank(work).map(Ok);
        }
        let answer = answer
            .and_then(|a| a.map_err(|_| Diagnostic::new(Code::Internal, "a read was not run")));
        answer.map_err(|fault| located(writer::ended(fault, deadline, cancel), path))
    }

    /// A connection of the caller's own, for a transaction that goes on over several calls. Creates the file and the
    /// room's tables if need be. Everything else that writes waits, for some seconds, while it holds a change.
    pub fn connect(
        &self,
        room: &'static Room,
        deadline: Deadline,
        cancel: &AtomicBool,
    ) -> Outcome<Connection> {
        self.write(room, deadline, cancel, |_| Ok(()))?;
        file::open_writer(&self.0.path)
    }

    /// Runs `work` on the file, or gives it back when the file holds nothing of the room.
    fn read_file<T, W: FnOnce(&mut Connection) -> Outcome<T>>(
        &self,
        room: &'static Room,
        deadline: Deadline,
        cancel: &AtomicBool,
        work: W,
    ) -> Outcome<Result<T, W>> {
        let path = &self.0.path;
        // A second round follows a migration.
        for _ in 0..2 {
            let Some((identity, mut conn)) = self.reader()? else {
                return Ok(Err(work));
            };
            conn.execute_batch("BEGIN")
                .map_err(|e| located(e.into(), path))?;
            let standing = rooms::standing(&conn, room, path)?;
            if standing == Standing::Older {
                drop(conn);
                self.writer()?
                    .submit(Some(room), deadline, cancel, Box::new(|_| Ok(())))?;
                continue;
            }
            let answer = match standing {
                Standing::Ready => Ok(guarded(&mut conn, work)),
                _ => Err(work),
            };
            // A connection on which anything failed is not used again.
            if conn.execute_batch("ROLLBACK").is_ok() && !matches!(answer, Ok(Err(_))) {
                let mut readers = self.0.readers.lock();
                if readers.len() < KEPT {
                    readers.push((identity, conn));
                }
            }
            return match answer {
                Ok(answer) => answer.map(Ok),
                Err(work) => Ok(Err(work)),
            };
        }
        Err(Diagnostic::new(
            Code::StoreFailed,
            format!("{} changes its version all the time", path.display()),
        ))
    }

    /// A connection to the file as it is now; `None` when there is no file.
    fn reader(&self) -> Outcome<Option<(Identity, Connection)>> {
        let Some(identity) = file::identity(&self.0.path)? else {
            return Ok(None);
        };
        let mut readers = self.0.readers.lock();
        readers.retain(|(known, _)| *known == identity);
        let kept = readers.pop();
        drop(readers);
        match kept {
            Some(kept) => Ok(Some(kept)),
            None => Ok(Some((identity, file::open_reader(&self.0.path)?))),
        }
    }

    fn read_blank<T>(&self, work: impl FnOnce(&mut Connection) -> Outcome<T>) -> Outcome<T> {
        let kept = self.0.blanks.lock().pop();
        let mut conn = match kept {
            Some(conn) => conn,
            None => {
                let conn = Connection::open_in_memory()?;
                for room in &self.0.rooms {
                    rooms::migrate(&conn, room, &self.0.path)?;
                }
                conn.pragma_update(None, "query_only", true)?;
                conn
            }
        };
        let answer = guarded(&mut conn, work);
        let mut blanks = self.0.blanks.lock();
        if answer.is_ok() && blanks.len() < KEPT {
            blanks.push(conn);
        }
        answer
    }

    fn known(&self, room: &'static Room) -> Outcome<()> {
        if self.0.rooms.iter().any(|known| std::ptr::eq(*known, room)) {
            return Ok(());
        }
        Err(Diagnostic::new(
            Code::Internal,
            format!("the room {} was not given to the store", room.name),
        ))
    }

    fn writer(&self) -> Outcome<Arc<Writer>> {
        let mut writer = self.0.writer.lock();
        if let Some(writer) = writer.as_ref() {
            return Ok(writer.clone());
        }
        let started = Arc::new(Writer::start(self.0.path.clone())?);
        *writer = Some(started.clone());
        Ok(started)
    }
}

/// Runs `work`; a panic becomes E0901.
fn guarded<T>(
    conn: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Outcome<T>,
) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(|| work(conn)))
        .unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}

/// Runs `work` with statements that end when they must.
fn limited<T>(
    conn: &mut Connection,
    deadline: Deadline,
    cancel: &Arc<AtomicBool>,
    work: impl FnOnce(&Connection) -> Outcome<T>,
) -> Outcome<T> {
    let flag = cancel.clone();
    conn.progress_handler(
        1000,
        Some(move || flag.load(Ordering::Relaxed) || deadline.passed()),
    )?;
    let answer = work(conn);
    conn.progress_handler(0, None::<fn() -> bool>)?;
    answer
}
