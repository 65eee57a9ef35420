//! Work on chunks over the cores, results in the order of the input.

use super::chunks::{Chunk, ChunkReader};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Results that may wait for an earlier one, for each worker.
const AHEAD: usize = 4;

/// Output of a chunk beyond so many bytes is passed on in parts, so that memory stays bounded.
pub const PART: usize = 4 << 20;

/// What a worker makes of a chunk.
#[derive(Default)]
pub struct Batch {
    /// What goes to the output.
    pub output: Vec<u8>,
    /// Where each kept event ends; filled only when a limit wants it.
    pub ends: Vec<End>,
    /// What was counted.
    pub totals: Totals,
    /// Lines that are bad or failed, in order: the first ones, the rest is only counted.
    pub problems: Vec<Problem>,
    /// Whether nothing behind this batch shall be read.
    pub stop: bool,
    /// Whether the output should be passed on at once.
    pub flush: bool,
    /// Which input it is from.
    pub input: usize,
}

/// The end of a kept event.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// Where it ends in the output of the batch.
    pub output: usize,
    /// What the batch had counted by then.
    pub totals: Totals,
}

/// A line that is no event, or on which the expression failed.
pub struct Problem {
    /// The number of the line in its input, from 1.
    pub line: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// Counts over all inputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events read, bad lines among them.
    pub read: u64,
    /// Events kept.
    pub kept: u64,
    /// Lines that are no events.
    pub bad: u64,
    /// Events on which the expression failed.
    pub failed: u64,
}

impl Totals {
    /// Adds another count.
    pub fn add(&mut self, other: Totals) {
        self.read += other.read;
        self.kept += other.kept;
        self.bad += other.bad;
        self.failed += other.failed;
    }
}

/// Works on chunks; each thread has one.
pub trait Worker: Send {
    /// Makes a batch of a chunk; `batch` is empty but keeps the memory of an earlier one. A batch that grows beyond
    /// [`PART`] bytes goes to `pass_on`, which empties it, and says `false` when nothing more is wanted.
    fn work(
        &mut self,
        chunk: &Chunk,
        batch: &mut Batch,
        pass_on: &mut dyn FnMut(&mut Batch) -> bool,
    );
}

/// Takes batches in order.
pub trait Finish: Send {
    /// Takes one batch; `false` when nothing more is wanted.
    fn finish(&mut self, batch: &Batch) -> Outcome<bool>;
    /// An input that could not be read to its end.
    fn unreadable(&mut self, fault: Fault) -> Outcome<bool>;
}

enum Done {
    Batch(Batch),
    Unreadable(Fault),
}

struct Line<'f> {
    next: u64,
    waiting: BTreeMap<u64, Done>,
    finish: &'f mut dyn Finish,
    fault: Option<Fault>,
    /// Memory to use again.
    spare: Vec<Batch>,
}

struct Shared<'f> {
    reader: Mutex<(ChunkReader, u64)>,
    /// Memory of chunks to use again. The reader is locked while it waits for input, so this has a lock of its own.
    buffers: Mutex<Vec<Vec<u8>>>,
    line: Mutex<Line<'f>>,
    moved: Condvar,
    stop: Arc<AtomicBool>,
}

/// Reads all chunks, works on them with `workers` (one thread each), and hands the batches to `finish` in order.
///
/// Errors: what `finish` fails with; E0307 when `cancel` is set.
pub fn process<W: Worker>(
    reader: ChunkReader,
    workers: Vec<W>,
    finish: &mut dyn Finish,
    cancel: &AtomicBool,
) -> Outcome<()> {
    let ahead = (workers.len() * AHEAD) as u64;
    let stop = reader.stop.clone();
    let shared = Shared {
        reader: Mutex::new((reader, 0)),
        buffers: Mutex::default(),
        line: Mutex::new(Line {
            next: 0,
            waiting: BTreeMap::new(),
            finish,
            fault: None,
            spare: Vec::new(),
        }),
        moved: Condvar::new(),
        stop,
    };
    let panicked = std::thread::scope(|scope| {
        let threads: Vec<_> = workers
            .into_iter()
            .map(|worker| {
                let shared = &shared;
                let builder = std::thread::Builder::new()
                    .name("events".into())
                    .stack_size(8 << 20);
                builder.spawn_scoped(scope, move || run(shared, worker, cancel, ahead))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.map_or(true, |t| t.join().is_err()))
            .fold(false, |any, failed| any | failed)
    });
    let line = shared.line.into_inner();
    if let Some(fault) = line.fault {
        return Err(fault);
    }
    if panicked {
        return Err(Diagnostic::new(
            Code::Internal,
            "a worker ended unexpectedly",
        ));
    }
    if cancel.load(Ordering::Relaxed) {
        return Err(Diagnostic::new(Code::Interrupted, "interrupted"));
    }
    Ok(())
}

/// Stops all workers when one of them is torn down by a panic.
struct Guard<'s, 'f>(&'s Shared<'f>);

impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop.store(true, Ordering::SeqCst);
            self.0.moved.notify_all();
        }
    }
}

fn run<W: Worker>(shared: &Shared<'_>, mut worker: W, cancel: &AtomicBool, ahead: u64) {
    let _guard = Guard(shared);
    loop {
        if shared.stop.load(Ordering::SeqCst) || cancel.load(Ordering::Relaxed) {
            shared.moved.notify_all();
            return;
        }
        let (number, chunk) = {
            let mut reader = shared.reader.lock();
            let buffer = shared.buffers.lock().pop().unwrap_or_default();
            let chunk = reader.0.next(buffer);
            // Input that was not waited for to its end is not passed on: its last line is cut.
            if shared.stop.load(Ordering::SeqCst) || cancel.load(Ordering::Relaxed) {
                shared.moved.notify_all();
                return;
            }
            let chunk = match chunk {
                Ok(None) => return,
                Ok(Some(chunk)) => Ok(chunk),
                Err(fault) => Err(fault),
            };
            let number = reader.1;
            reader.1 += 1;
            (number, chunk)
        };
        let done = match chunk {
            Ok(chunk) => {
                let mut batch = shared.line.lock().spare.pop().unwrap_or_default();
                batch.input = chunk.input;
                batch.flush = chunk.live;
                worker.work(&chunk, &mut batch, &mut |batch| {
                    pass_on(shared, number, batch, cancel)
                });
                let mut buffers = shared.buffers.lock();
                // Memory of an outsized line is given back.
                if buffers.len() < 8 && chunk.bytes.capacity() <= 4 << 20 {
                    buffers.push(chunk.bytes);
                }
                Done::Batch(batch)
            }
            Err(fault) => Done::Unreadable(fault),
        };
        hand_over(shared, number, done, cancel, ahead);
    }
}

fn hand_over(shared: &Shared<'_>, number: u64, done: Done, cancel: &AtomicBool, ahead: u64) {
    let mut line = shared.line.lock();
    while number >= line.next + ahead {
        if shared.stop.load(Ordering::SeqCst) || cancel.load(Ordering::Relaxed) {
            return;
        }
        shared
            .moved
            .wait_for(&mut line, std::time::Duration::from_millis(50));
    }
    line.waiting.insert(number, done);
    loop {
        let next = line.next;
        let Some(done) = line.waiting.remove(&next) else {
            break;
        };
        line.next += 1;
        if shared.stop.load(Ordering::SeqCst) {
            continue;
        }
        let more = match done {
            Done::Batch(mut batch) => {
                let more = line.finish.finish(&batch).map(|more| more && !batch.stop);
                if batch.output.capacity() <= 2 * PART {
                    batch.clear();
                    line.spare.push(batch);
                }
                more
            }
            Done::Unreadable(fault) => line.finish.unreadable(fault),
        };
        line.go_on(more, &shared.stop);
    }
    drop(line);
    shared.moved.notify_all();
}

/// Finishes a part of chunk `number` when its turn has come; `false` when nothing more is wanted.
fn pass_on(shared: &Shared<'_>, number: u64, batch: &mut Batch, cancel: &AtomicBool) -> bool {
    let mut line = shared.line.lock();
    // The chunk whose turn it is is always in some worker's hands, so this ends.
    while line.next != number {
        if shared.stop.load(Ordering::SeqCst) || cancel.load(Ordering::Relaxed) {
            return false;
        }
        shared
            .moved
            .wait_for(&mut line, std::time::Duration::from_millis(50));
    }
    if shared.stop.load(Ordering::SeqCst) {
        return false;
    }
    let more = line.finish.finish(batch).map(|more| more && !batch.stop);
    batch.clear();
    line.go_on(more, &shared.stop)
}

impl Line<'_> {
    /// Takes what finishing a batch said; `false` when nothing more is wanted.
    fn go_on(&mut self, more: Outcome<bool>, stop: &AtomicBool) -> bool {
        let more = more.unwrap_or_else(|fault| {
            self.fault.get_or_insert(fault);
            false
        });
        if !more {
            stop.store(true, Ordering::SeqCst);
        }
        more
    }
}

impl Batch {
    /// Empties it, but keeps its memory and what it belongs to.
    fn clear(&mut self) {
        self.output.clear();
        self.ends.clear();
        self.problems.clear();
        self.totals = Totals::default();
        self.stop = false;
    }
}
