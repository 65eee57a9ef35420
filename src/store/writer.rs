//! The one thread of this process that writes.
//!
//! Writes that wait together share one transaction and so one synchronisation of the disk. Each runs in its own
//! savepoint, so that one that fails takes back only itself, and each is acknowledged after the commit.

use super::deadline::{Deadline, TICK, interrupted, proceed, timeout};
use super::fault::{located, panicked};
use super::file::{self, Identity};
use super::rooms::{self, Room};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

/// Writes that may wait before callers have to.
const QUEUE: usize = 1024;
/// Writes that share one transaction at most.
const GROUP: usize = 256;
/// How long a transaction is kept open for more of them.
const GATHER: Duration = Duration::from_millis(50);

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const ABANDONED: u8 = 2;

/// What the caller and the writer know of each other.
#[derive(Default)]
struct Ticket {
    phase: AtomicU8,
    stop: AtomicBool,
}

impl Ticket {
    fn move_on(&self, to: u8) -> bool {
        self.phase
            .compare_exchange(QUEUED, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// A piece of work on the writer's connection. It may run twice, when others spoil the shared transaction.
type Work = Box<dyn FnMut(&Connection) -> Outcome<()> + Send>;

struct Job {
    /// `None`: the work stands alone, outside any transaction.
    room: Option<&'static Room>,
    work: Work,
    ticket: Arc<Ticket>,
    answer: Sender<Outcome<()>>,
}

/// The thread, seen from the outside.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl Writer {
    /// Starts the thread; the file is opened, and created, by the first write.
    pub(super) fn start(path: PathBuf) -> Outcome<Writer> {
        let (jobs, queue) = bounded(QUEUE);
        let thread = std::thread::Builder::new()
            .name("stellar-store".to_string())
            .stack_size(8 << 20)
            .spawn(move || Desk { path, open: None }.serve(&queue))
            .map_err(|error| {
                Diagnostic::new(
                    Code::Internal,
                    format!("cannot start the writing thread: {error}"),
                )
            })?;
        Ok(Writer {
            jobs: Some(jobs),
            id: thread.thread().id(),
            thread: Some(thread),
        })
    }

    /// Hands in `work` and waits until it is committed. After E0306 and E0307 nothing of it is stored.
    pub(super) fn submit(
        &self,
        room: Option<&'static Room>,
        deadline: Deadline,
        cancel: &AtomicBool,
        work: Work,
    ) -> Outcome<()> {
        if std::thread::current().id() == self.id {
            return Err(Diagnostic::new(
                Code::Internal,
                "a write waits for another write",
            ));
        }
        let ticket = Arc::new(Ticket::default());
        let (answer, answered) = bounded(1);
        let mut job = Job {
            room,
            work,
            ticket: ticket.clone(),
            answer,
        };
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        loop {
            proceed(deadline, cancel)?;
            match jobs.send_timeout(job, deadline.at_most(TICK)) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(back)) => job = back,
                Err(SendTimeoutError::Disconnected(_)) => return Err(gone()),
            }
        }
        let mut reason: Option<Fault> = None;
        loop {
            match answered.recv_timeout(TICK) {
                // A statement that we stopped reports only that it was stopped.
                Ok(Err(fault)) if fault.code == Code::Interrupted => {
                    return Err(reason.unwrap_or(fault));
                }
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if reason.is_none()
                && let Err(fault) = proceed(deadline, cancel)
            {
                if ticket.move_on(ABANDONED) {
                    return Err(fault);
                }
                // It runs already: stop it, and wait to learn whether it was stopped or committed.
                ticket.stop.store(true, Ordering::Release);
                reason = Some(fault);
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && std::thread::current().id() != self.id
        {
            // The thread closes the file tidily. If it panicked, its callers know already.
            let _ = thread.join();
        }
    }
}

fn gone() -> Fault {
    Diagnostic::new(Code::Internal, "the writing thread has ended")
}

/// The thread, seen from the inside.
struct Desk {
    path: PathBuf,
    open: Option<(Identity, Connection)>,
}

impl Desk {
    fn serve(mut self, queue: &Receiver<Job>) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| queue.recv().ok()) {
            next = match job.room {
                Some(_) => self.group(job, queue),
                None => {
                    self.alone(job);
                    None
                }
            };
        }
    }

    /// The open file. It is made when missing, and opened anew when another has taken its place.
    fn connection(&mut self) -> Outcome<&mut Connection> {
        let found = file::identity(&self.path)?;
        if self
            .open
            .as_ref()
            .is_some_and(|(known, _)| Some(*known) != found)
        {
            self.open = None;
        }
        if found.is_none() {
            file::create(&self.path)?;
        }
        let opened = match self.open.take() {
            Some(opened) => opened,
            None => {
                let conn = file::open_writer(&self.path)?;
                let Some(identity) = file::identity(&self.path)? else {
                    return Err(super::fault::cannot_open(
                        &self.path,
                        "vanished while it was opened",
                    ));
                };
                (identity, conn)
            }
        };
        Ok(&mut self.open.insert(opened).1)
    }

    /// Runs `first` and what else waits in one transaction; gives back a job that does not fit into one.
    fn group(&mut self, first: Job, queue: &Receiver<Job>) -> Option<Job> {
        let path = self.path.clone();
        let begun = self.connection().and_then(|conn| {
            begin(conn)?;
            Ok(conn)
        });
        let conn = match begun {
            Ok(conn) => conn,
            Err(fault) => return self.refuse(first, queue, &located(fault, &path)),
        };
        let since = Instant::now();
        let mut done: Vec<Job> = Vec::new();
        let mut left = None;
        let mut next = Some(first);
        let mut spoilt = false;
        while let Some(mut job) = next.take() {
            if job.room.is_none() {
                left = Some(job);
                break;
            }
            if job.ticket.move_on(RUNNING) {
                match run(conn, &mut job, &path) {
                    Ok(()) => done.push(job),
                    Err(fault) => job.reply(Err(fault)),
                }
                // Some failures (a full disk, an interruption) take back the whole transaction.
                spoilt = conn.is_autocommit();
            }
            if !spoilt && done.len() < GROUP && since.elapsed() < GATHER {
                next = queue.try_recv().ok();
            }
        }
        let committed = if spoilt {
            Err(interrupted())
        } else {
            end(conn)
        };
        match committed {
            Ok(()) => done.iter().for_each(|job| job.reply(Ok(()))),
            // Each for itself, so that only the one at fault fails.
            Err(_) if spoilt || done.len() > 1 => done.into_iter().for_each(|job| self.single(job)),
            Err(fault) => done
                .iter()
                .for_each(|job| job.reply(Err(located(fault.clone(), &path)))),
        }
        left
    }

    /// Runs a job again in a transaction of its own.
    fn single(&mut self, mut job: Job) {
        let path = self.path.clone();
        let answer = self.connection().and_then(|conn| {
            begin(conn)?;
            match run(conn, &mut job, &path) {
                Ok(()) => end(conn),
                Err(fault) => {
                    roll_back(conn);
                    Err(fault)
                }
            }
        });
        job.reply(answer.map_err(|fault| located(fault, &path)));
    }

    /// Runs work that cannot be part of a transaction.
    fn alone(&mut self, mut job: Job) {
        if job.ticket.move_on(RUNNING) {
            let path = self.path.clone();
            let answer = self.connection().and_then(|conn| watched(conn, &mut job));
            job.reply(answer.map_err(|fault| located(fault, &path)));
        }
    }

    /// Tells everyone who waits, so that they do not wait for the same failure one after another.
    fn refuse(&mut self, first: Job, queue: &Receiver<Job>, fault: &Fault) -> Option<Job> {
        self.open = None;
        let mut next = Some(first);
        while let Some(job) = next {
            if job.room.is_none() {
                return Some(job);
            }
            job.reply(Err(fault.clone()));
            next = queue.try_recv().ok();
        }
        None
    }
}

impl Job {
    fn reply(&self, answer: Outcome<()>) {
        // A caller that gave up does not listen any more.
        let _ = self.answer.try_send(answer);
    }
}

fn begin(conn: &Connection) -> Outcome<()> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    file::mark(conn).inspect_err(|_| roll_back(conn))
}

fn end(conn: &Connection) -> Outcome<()> {
    conn.execute_batch("COMMIT").map_err(|error| {
        roll_back(conn);
        error.into()
    })
}

fn roll_back(conn: &Connection) {
    if !conn.is_autocommit() {
        // It fails only when SQLite has rolled back already.
        let _ = conn.execute_batch("ROLLBACK");
    }
}

/// Migrates the job's room and runs the job, both in one savepoint.
fn run(conn: &mut Connection, job: &mut Job, path: &Path) -> Outcome<()> {
    conn.execute_batch("SAVEPOINT job")?;
    let migrated = job
        .room
        .map_or(Ok(()), |room| rooms::migrate(conn, room, path));
    let answer = migrated.and_then(|()| watched(conn, job));
    if answer.is_ok() {
        conn.execute_batch("RELEASE job")?;
    } else if !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK TO job; RELEASE job")?;
    }
    answer.map_err(|fault| located(fault, path))
}

/// Runs the job's work; its statements end when the caller wants it to stop.
fn watched(conn: &mut Connection, job: &mut Job) -> Outcome<()> {
    let ticket = job.ticket.clone();
    conn.progress_handler(1000, Some(move || ticket.stop.load(Ordering::Acquire)))?;
    let answer = catch_unwind(AssertUnwindSafe(|| (job.work)(conn)));
    conn.progress_handler(0, None::<fn() -> bool>)?;
    answer.unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}

/// As [`timeout`] when the deadline is what ended a read.
pub(super) fn ended(fault: Fault, deadline: Deadline, cancel: &AtomicBool) -> Fault {
    let late =
        fault.code == Code::Interrupted && deadline.passed() && !cancel.load(Ordering::Relaxed);
    if late { timeout() } else { fault }
}
