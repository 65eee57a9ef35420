//! Until when a call may take.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A moment that a call must not outlast, or none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline.
    pub const NONE: Deadline = Deadline(None);

    /// `time` from now; a time beyond the clock's range means no deadline.
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(time))
    }

    /// At `moment`.
    pub fn at(moment: Instant) -> Deadline {
        Deadline(Some(moment))
    }

    /// The moment, if there is one.
    pub fn moment(self) -> Option<Instant> {
        self.0
    }

    /// Whether it has passed.
    pub fn passed(self) -> bool {
        self.0.is_some_and(|moment| moment <= Instant::now())
    }

    /// `time`, or what is left until the deadline if that is less.
    pub fn at_most(self, time: Duration) -> Duration {
        self.0.map_or(time, |moment| {
            time.min(moment.saturating_duration_since(Instant::now()))
        })
    }
}

impl From<Option<Instant>> for Deadline {
    fn from(moment: Option<Instant>) -> Deadline {
        Deadline(moment)
    }
}

/// How often waiting calls look at the cancel flag.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// E0307 once `cancel` is set, E0306 once `deadline` has passed.
pub fn proceed(deadline: Deadline, cancel: &AtomicBool) -> Outcome<()> {
    if cancel.load(Ordering::Relaxed) {
        return Err(interrupted());
    }
    if deadline.passed() {
        Err(timeout())
    } else {
        Ok(())
    }
}

pub(super) fn interrupted() -> Fault {
    Diagnostic::new(Code::Interrupted, "interrupted")
}

pub(super) fn timeout() -> Fault {
    Diagnostic::new(Code::Timeout, "this took longer than allowed")
}
