//! Trying again: back-off with jitter, for everything that reconnects.

use super::deadline::{Deadline, TICK, proceed};
use crate::diagnostic::{Fault, Outcome};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that grow from 50 ms to 5 s, each drawn evenly between nothing and its bound ("full jitter").
#[derive(Debug, Clone)]
pub struct Backoff {
    state: u64,
    bound: Duration,
}

impl Backoff {
    /// Equal seeds give equal pauses.
    pub fn new(seed: u64) -> Backoff {
        // Xorshift never leaves zero; odd multipliers keep small seeds apart.
        Backoff {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            bound: FIRST,
        }
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let micros = u64::try_from(self.bound.as_micros()).unwrap_or(u64::MAX);
        self.bound = (self.bound * 2).min(LONGEST);
        // The high bits are the better ones.
        Duration::from_micros((self.state >> 16) % (micros + 1))
    }

    /// Begins with short pauses again, after a success.
    pub fn reset(&mut self) {
        self.bound = FIRST;
    }
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass: try again.
    Again,
    /// It will not pass: report it.
    GiveUp,
}

/// Calls `op` (with the number of the attempt, from 1) until it succeeds, `classify` gives up, or `deadline` passes;
/// then the last failure is the error, with a note of how often it was tried. E0307 when `cancel` is set in a pause,
/// E0306 or E0307 when nothing could be tried at all.
pub fn retry<T>(
    deadline: Deadline,
    cancel: &AtomicBool,
    backoff: &mut Backoff,
    classify: impl Fn(&Fault) -> Verdict,
    mut op: impl FnMut(u32) -> Outcome<T>,
) -> Outcome<T> {
    proceed(deadline, cancel)?;
    let begun = Instant::now();
    let mut attempt = 1;
    loop {
        let fault = match op(attempt) {
            Ok(value) => {
                backoff.reset();
                return Ok(value);
            }
            Err(fault) => fault,
        };
        if classify(&fault) == Verdict::GiveUp {
            return Err(fault);
        }
        sleep(backoff.pause(), deadline, cancel)?;
        if deadline.passed() {
            let times = if attempt == 1 {
                "once".to_string()
            } else {
                format!("{attempt} times")
            };
            let seconds = begun.elapsed().as_secs_f64();
            return Err(fault.note(format!("tried {times} in {seconds:.1} s")));
        }
        attempt += 1;
    }
}

/// Sleeps for `time`, or until the deadline; E0307 when `cancel` is set meanwhile.
pub fn sleep(time: Duration, deadline: Deadline, cancel: &AtomicBool) -> Outcome<()> {
    let end = Deadline::after(deadline.at_most(time));
    loop {
        proceed(Deadline::NONE, cancel)?;
        let left = end.at_most(TICK);
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::diagnostic::{Code, Diagnostic};

    static GO: AtomicBool = AtomicBool::new(false);

    fn down() -> Fault {
        Diagnostic::new(Code::ServerFailed, "down")
    }

    #[test]
    fn pauses_grow_and_repeat() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..200).map(|_| backoff.pause()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(3), pauses(3));
        assert_ne!(pauses(0), pauses(1));
        let long = pauses(3);
        assert!(long[0] <= FIRST && long[1] <= 2 * FIRST);
        assert!(long.iter().all(|p| *p <= LONGEST) && long[10..].iter().any(|p| *p > LONGEST / 2));
        let mean = long[10..].iter().sum::<Duration>() / 190;
        assert!(mean > LONGEST / 3 && mean < LONGEST * 2 / 3, "{mean:?}");
    }

    #[test]
    fn tries_until_it_works() {
        let op = |n| if n < 3 { Err(down()) } else { Ok(n) };
        let answer = retry(
            Deadline::NONE,
            &GO,
            &mut Backoff::new(1),
            |_| Verdict::Again,
            op,
        );
        assert_eq!(answer.unwrap(), 3);
    }

    #[test]
    fn stops_when_it_should() {
        let mut calls = 0;
        let mut op = |_| -> Outcome<()> {
            calls += 1;
            Err(down())
        };
        let fault = retry(
            Deadline::NONE,
            &GO,
            &mut Backoff::new(1),
            |_| Verdict::GiveUp,
            &mut op,
        )
        .unwrap_err();
        assert_eq!((fault.code, fault.notes.len()), (Code::ServerFailed, 0));
        let soon = Deadline::after(Duration::from_millis(120));
        let fault =
            retry(soon, &GO, &mut Backoff::new(1), |_| Verdict::Again, &mut op).unwrap_err();
        assert_eq!(fault.code, Code::ServerFailed);
        assert!(fault.notes[0].starts_with("tried "), "{:?}", fault.notes);
        assert!(calls > 1);
        let cancel = AtomicBool::new(true);
        let none = retry(
            Deadline::NONE,
            &cancel,
            &mut Backoff::new(1),
            |_| Verdict::Again,
            |_| Ok(()),
        );
        assert_eq!(none.unwrap_err().code, Code::Interrupted);
    }
}
