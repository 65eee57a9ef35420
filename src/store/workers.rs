//! Threads for blocking work of handlers that must not block.

use super::fault::panicked;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crossbeam_channel::{Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Builder;
use tokio::sync::oneshot;

/// The stack of a thread; expressions may nest deep.
const STACK: usize = 8 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// Some threads with a bounded queue. They end when this goes and the queue is done.
#[derive(Clone)]
pub struct Workers(Sender<Job>);

impl Workers {
    /// Starts `threads` threads, for which `waiting` jobs may wait. Errors: E0901 when no thread can be had.
    pub fn start(name: &str, threads: usize, waiting: usize) -> Outcome<Workers> {
        let (sender, jobs) = bounded::<Job>(waiting);
        for _ in 0..threads.max(1) {
            let jobs = jobs.clone();
            let work = move || jobs.into_iter().for_each(|job| job());
            let builder = Builder::new().name(name.to_owned()).stack_size(STACK);
            builder.spawn(work).map_err(|error| {
                Diagnostic::new(Code::Internal, format!("no thread can be started: {error}"))
            })?;
        }
        Ok(Workers(sender))
    }

    /// Does `work` on one of the threads; `None` when the queue is full. Errors: E0901 when `work` panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<Outcome<T>> {
        let (answer, done) = oneshot::channel();
        let job = move || {
            let result = catch_unwind(AssertUnwindSafe(work));
            // Nobody waits any more when the client has gone.
            let _ = answer.send(result.map_err(|payload| panicked(payload.as_ref())));
        };
        self.0.try_send(Box::new(job)).ok()?;
        let gone = |_| Err(Diagnostic::new(Code::Internal, "a job was not done"));
        Some(done.await.unwrap_or_else(gone))
    }
}
