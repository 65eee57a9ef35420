//! The limits of a call, and how it is told that one is reached.

use super::Limits;
use super::places::Place;
use super::timer;
use nix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::fmt;
use std::time::Duration;

/// Why a call was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Time,
    Memory,
    Alerts,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stop::Time => "the call took longer than it may",
            Stop::Memory => "the call took more memory than it may",
            Stop::Alerts => "the call raised more alerts than it may",
        })
    }
}

impl std::error::Error for Stop {}

/// The limits of the call that runs.
pub(super) struct Guard {
    limits: Limits,
    /// When the call is to be looked at, by the clock of [`timer`].
    until: Cell<u64>,
    /// How long the call may take.
    time: Cell<Duration>,
    began: Cell<u64>,
    /// The processor's time of this thread, and when it was read.
    processor: Cell<Duration>,
    read: Cell<u64>,
    stopped: Cell<Option<Stop>>,
    /// The line of the rule that was stopped.
    place: Cell<Option<Place>>,
    running: Cell<bool>,
    alerts: Cell<usize>,
    /// How long table lists took.
    waited: Cell<Duration>,
}

/// How long table lists may take in one call.
const WAITED: Duration = Duration::from_secs(1);

impl Guard {
    pub fn new(limits: Limits) -> Guard {
        Guard {
            limits,
            until: Cell::new(0),
            time: Cell::new(limits.time),
            began: Cell::new(0),
            processor: Cell::new(Duration::ZERO),
            read: Cell::new(u64::MAX),
            stopped: Cell::new(None),
            place: Cell::new(None),
            running: Cell::new(false),
            alerts: Cell::new(0),
            waited: Cell::new(Duration::ZERO),
        }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A call begins that may take `time`.
    #[inline]
    pub fn begin(&self, time: Duration) {
        let now = timer::millis();
        if self.read.get() != now {
            self.read.set(now);
            self.processor.set(processor());
        }
        self.began.set(now);
        self.time.set(time);
        // The clock may be late by its step when it is read here.
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.until.set(now.saturating_add(time));
        self.stopped.set(None);
        self.place.set(None);
        self.alerts.set(0);
        self.waited.set(Duration::ZERO);
        self.running.set(true);
    }

    /// Whether the call may ask table lists, which it may wait for.
    pub fn may_wait(&self) -> bool {
        self.waited.get() < WAITED
    }

    /// Table lists took so long.
    pub fn waited(&self, time: Duration) {
        self.waited.set(self.waited.get().saturating_add(time));
    }

    /// The call is over; why it was stopped, if it was.
    #[inline]
    pub fn end(&self) -> Option<Stop> {
        self.running.set(false);
        self.stopped.get()
    }

    /// Notes that the call is to be stopped.
    pub fn stop(&self, why: Stop) -> Stop {
        let why = self.stopped.get().unwrap_or(why);
        self.stopped.set(Some(why));
        why
    }

    /// Notes where the call was stopped; later places are those of what caught the first stop.
    pub fn stopped_at(&self, place: Option<Place>) {
        self.place.set(self.place.get().or(place));
    }

    /// Where the call was stopped, as far as that is known.
    pub fn place(&self) -> Option<Place> {
        self.place.get()
    }

    /// One more alert of the call. Errors: too many.
    pub fn alert(&self) -> Result<(), Stop> {
        let alerts = self.alerts.get() + 1;
        self.alerts.set(alerts);
        match alerts > self.limits.alerts {
            true => Err(self.stop(Stop::Alerts)),
            false => Ok(()),
        }
    }

    /// Whether the call may go on. Errors: why not.
    #[inline]
    pub fn check(&self) -> Result<(), Stop> {
        if let Some(why) = self.stopped.get() {
            return match self.running.get() {
                true => Err(why),
                false => Ok(()),
            };
        }
        match timer::millis() < self.until.get() {
            true => Ok(()),
            false => self.late(),
        }
    }

    /// The time is over by the clock; a thread that had to wait for a processor gets a little more.
    #[cold]
    fn late(&self) -> Result<(), Stop> {
        if !self.running.get() {
            return Ok(());
        }
        let now = timer::millis();
        let used = processor().saturating_sub(self.processor.get());
        if used < self.time.get() / 2 {
            self.until.set(now + 2);
            return Ok(());
        }
        Err(self.stop(Stop::Time))
    }
}

/// The processor's time of this thread.
fn processor() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
