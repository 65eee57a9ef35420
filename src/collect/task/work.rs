//! The thread of a task: from its query to its collection, again when something was away.

use super::kept::{Changed, Kept, Progress, Task};
use super::request::Destination;
use super::sink::Sink;
use super::status::Move;
use crate::collect::Collections;
use crate::collect::query::{Query, Range};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, brief};
use crate::eval::collections::Map;
use crate::eval::{Context, Notes};
use crate::store::{Backoff, Deadline, Lock, Within};
use chrono::DateTime;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many errors are remembered, the latest.
const ERRORS: usize = 10;

/// So long a call of a store may take before it counts as away.
const CALL: Duration = Duration::from_secs(10);

/// How often a pause looks whether it shall end.
const TICK: Duration = Duration::from_millis(20);

/// How often a task looks whether somebody else has stopped it.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// What a thread is told from outside.
#[derive(Debug, Default)]
pub struct Order {
    /// Ends what it does.
    pub cancel: Arc<AtomicBool>,
    pausing: AtomicBool,
}

impl Order {
    /// Ends the thread; what the task's status is then has been said already.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::SeqCst);
    }

    /// Ends the thread and leaves the task to be gone on with; `false` when it was told so before.
    pub fn pause(&self) -> bool {
        let first = !self.pausing.swap(true, Ordering::SeqCst);
        self.cancel();
        first
    }
}

/// A task on its thread.
pub struct Work {
    pub kept: Kept,
    pub collections: Arc<Collections>,
    /// Its own cancel flag, and no variables.
    pub context: Context,
    /// The events it was given instead of a query.
    pub events: Option<Vec<Map>>,
    pub order: Arc<Order>,
    pub notes: Option<Arc<Notes>>,
    pub task: Task,
    /// No other process has it.
    pub lock: Lock,
}

/// Whether an error may pass.
pub(super) fn passes(fault: &Fault) -> bool {
    matches!(
        fault.code,
        Code::ServerFailed | Code::Timeout | Code::StoreFailed | Code::StoreOpen
    )
}

impl Work {
    /// Runs it to its end.
    pub fn run(mut self) {
        match self.begin() {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => return self.ended(Err(fault)),
        }
        let mut reached = Progress {
            origin: self.task.origin,
            last: self.task.last,
            read: self.task.read,
            kept: self.task.kept,
            errors: std::mem::take(&mut self.task.errors),
            store: self.task.store.clone(),
        };
        let result = self.go(&mut reached);
        // What is known last; the status says why it ended.
        let saved = self.save(&reached);
        if let Err(fault) = saved {
            tracing::warn!("the collection task {}: {}", self.name(), fault.message);
        }
        if let Err(fault) = &result
            && fault.code != Code::Interrupted
        {
            note_error(&mut reached, self.context.clock.now(), &brief(fault));
            let _ = self.save(&reached);
        }
        self.ended(result);
    }

    fn name(&self) -> &str {
        &self.task.definition.name
    }

    /// Begins a round; `false` when it is not wanted any more.
    fn begin(&mut self) -> Outcome<bool> {
        let changed = self.change(Move::Begin)?;
        let Changed::Yes(task) = changed else {
            return Ok(false);
        };
        self.task = *task;
        Ok(true)
    }

    fn go(&mut self, reached: &mut Progress) -> Outcome<()> {
        let mut backoff = Backoff::new(self.task.created.unsigned_abs());
        let events = self.events.take();
        let mut away = false;
        loop {
            let result = self.once(events.as_deref(), reached, &mut backoff, away);
            match result {
                Err(fault) if passes(&fault) => {
                    away = true;
                    self.lost(reached, &fault)?;
                    self.sleep(backoff.pause())?;
                }
                ended => return ended,
            }
        }
    }

    /// Reads from the origin to the end.
    fn once(
        &self,
        events: Option<&[Map]>,
        reached: &mut Progress,
        backoff: &mut Backoff,
        away: bool,
    ) -> Outcome<()> {
        if let Some(about) = self.task.about() {
            self.call(|within| self.collections.describe(&about, within))?;
            let store = self.store()?;
            if reached.store != store {
                // What is not over yet is stored again.
                if !reached.store.is_empty() {
                    reached.origin = i64::MIN;
                }
                reached.store = store;
            }
        }
        // Rows whose life is over would not be stored.
        let now = self.context.clock.now();
        let definition = &self.task.definition;
        let from = match definition.destination {
            Destination::Redis => reached.origin.max(now.saturating_sub(definition.life())),
            Destination::DoNothing => reached.origin,
        };
        let Some(events) = events else {
            let query = Query::compile(&self.task.query, &self.context)?;
            let range = Range {
                from,
                to: i64::MAX,
                follow: query.grows(),
            };
            let sink = Sink::new(self, reached, backoff, Some(&query), away);
            return sink.query(&query, range);
        };
        Sink::new(self, reached, backoff, None, away).events(events)
    }

    /// Which life of the store this is.
    fn store(&self) -> Outcome<SmolStr> {
        self.call(|within| self.collections.incarnation(within))
    }

    /// Makes sure that the store is the one that was written to all the time. E0604 when it has begun anew, since it may
    /// have lost what it was given.
    pub(super) fn same_store(&self, reached: &Progress) -> Outcome<()> {
        if self.task.definition.destination == Destination::Redis && self.store()? != reached.store
        {
            let place = self.collections.place();
            let message = format!("{place} has begun anew, so that all is stored again");
            return Err(Diagnostic::new(Code::ServerFailed, message));
        }
        Ok(())
    }

    /// Calls a store for a bounded time. Errors: of the store, and E0307 when the task shall end.
    pub(super) fn call<T>(&self, work: impl FnOnce(Within<'_>) -> Outcome<T>) -> Outcome<T> {
        work(Within {
            now: self.context.clock.now(),
            deadline: Deadline::after(CALL),
            cancel: &self.order.cancel,
        })
    }

    /// Something cannot be reached: that is kept and said.
    pub(super) fn lost(&self, reached: &mut Progress, fault: &Fault) -> Outcome<()> {
        self.context.check_cancelled()?;
        let text = brief(fault);
        let known = reached
            .errors
            .last()
            .is_some_and(|last| last.ends_with(&text));
        if !known {
            note_error(reached, self.context.clock.now(), &text);
            self.say(&format!("tries again: {text}"));
        }
        // The embedded file may be what is away; the task goes on in memory then.
        match self.change(Move::Lose).and_then(|_| self.save(reached)) {
            Ok(false) => Err(unwanted()),
            Ok(true) => Ok(()),
            Err(fault) if fault.code == Code::Interrupted => Err(fault),
            Err(fault) => {
                tracing::warn!("the collection task {}: {}", self.name(), fault.message);
                Ok(())
            }
        }
    }

    /// What was away is back.
    pub(super) fn regained(&self) -> Outcome<()> {
        self.change(Move::Regain).map(drop)
    }

    fn say(&self, text: &str) {
        let text = format!("the collection task {} {text}", self.name());
        match &self.notes {
            Some(notes) => notes.say(text),
            None => tracing::warn!("{text}"),
        }
    }

    /// Sleeps, and ends with E0307 when the task shall end.
    pub(super) fn sleep(&self, time: Duration) -> Outcome<()> {
        let began = Instant::now();
        let mut looked = began;
        while began.elapsed() < time {
            self.context.check_cancelled()?;
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.wanted()?;
            }
            std::thread::sleep(TICK.min(time));
        }
        // Pauses may be shorter than the time between two looks.
        self.wanted()
    }

    /// E0307 when another process has stopped or removed the task.
    pub(super) fn wanted(&self) -> Outcome<()> {
        let (id, round) = (&self.task.id, self.task.round);
        match self.call(|within| self.kept.wanted(id, round, within)) {
            Ok(false) => Err(unwanted()),
            Err(fault) if fault.code == Code::Interrupted => Err(fault),
            _ => Ok(()),
        }
    }

    fn change(&self, made: Move) -> Outcome<Changed> {
        let round = Some(self.task.round);
        // Also when it has been told to end.
        self.calmly(|within| self.kept.change(&self.task.id, round, made, within))
    }

    /// Keeps what was reached; `false` when the task is not wanted any more.
    pub(super) fn save(&self, reached: &Progress) -> Outcome<bool> {
        let (id, round) = (&self.task.id, self.task.round);
        self.calmly(|within| self.kept.progress(id, round, reached, within))
    }

    pub(super) fn calmly<T>(&self, work: impl FnOnce(Within<'_>) -> Outcome<T>) -> Outcome<T> {
        let cancel = Arc::default();
        work(Within {
            now: self.context.clock.now(),
            deadline: Deadline::after(CALL),
            cancel: &cancel,
        })
    }

    /// Keeps and says how it ended.
    fn ended(self, result: Outcome<()>) {
        let (made, said) = match &result {
            Ok(()) => (Move::Complete, None),
            Err(fault) if fault.code != Code::Interrupted => (Move::Fail, Some(brief(fault))),
            Err(_) if self.order.pausing.load(Ordering::SeqCst) => (Move::Pause, None),
            // Whoever stopped it has said so already.
            Err(_) => return,
        };
        if let Err(fault) = self.change(made) {
            tracing::warn!("the collection task {}: {}", self.name(), fault.message);
        }
        if let Some(text) = said {
            self.say(&format!("has stopped: {text}"));
        }
        // Only now may another process begin.
        drop(self.lock);
    }
}

fn unwanted() -> Fault {
    Diagnostic::new(Code::Interrupted, "the task was stopped")
}

/// Adds an error with its time; the oldest go.
pub(super) fn note_error(reached: &mut Progress, now: i64, text: &str) {
    let time = DateTime::from_timestamp_millis(now).unwrap_or_default();
    let time = time.format("%Y-%m-%dT%H:%M:%SZ");
    reached.errors.push(format!("{time} {text}"));
    let more = reached.errors.len().saturating_sub(ERRORS);
    reached.errors.drain(..more);
}
