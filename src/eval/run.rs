//! What one evaluation uses up: steps, time, depth of calls.

use super::context::Context;
use super::trace::Trace;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use smol_str::SmolStr;
use std::cell::{Cell, RefCell};
use std::time::Instant;

/// The clock is looked at once in so many steps.
const STEPS_BETWEEN_CHECKS: u64 = 256;

/// The cancel flag alone, which costs little, is looked at more often: a step may take milliseconds.
const STEPS_BETWEEN_LOOKS: u64 = 16;

/// How deep calls of lambdas and definitions may nest, counted in levels of their bodies.
const CALL_LEVELS: usize = 512;

/// What one evaluation has used up so far.
pub(super) struct Run<'a> {
    pub context: &'a Context,
    steps: Cell<u64>,
    started: Cell<Option<Instant>>,
    levels: Cell<usize>,
    /// Definitions that are being evaluated.
    pub calls: RefCell<Vec<SmolStr>>,
    /// What is noted about the parts of a traced program.
    pub trace: Option<Trace>,
}

impl<'a> Run<'a> {
    /// A fresh count.
    pub fn new(context: &'a Context) -> Run<'a> {
        Run {
            context,
            steps: Cell::new(0),
            started: Cell::new(None),
            levels: Cell::new(0),
            calls: RefCell::new(Vec::new()),
            trace: None,
        }
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Counts a step. Errors: E0305, E0306, E0307.
    #[inline]
    pub fn step(&self) -> Outcome<()> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps.is_multiple_of(STEPS_BETWEEN_LOOKS) {
            self.check(steps)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn check(&self, steps: u64) -> Outcome<()> {
        let context = self.context;
        context.check_cancelled()?;
        if !steps.is_multiple_of(STEPS_BETWEEN_CHECKS) {
            return Ok(());
        }
        let limits = &context.limits;
        if steps > limits.steps {
            let message = format!("the evaluation took more than {} steps", limits.steps);
            return Err(Diagnostic::new(Code::Steps, message));
        }
        let now = Instant::now();
        let started = self.started.get().unwrap_or_else(|| {
            self.started.set(Some(now));
            now
        });
        let late = !limits.time.is_zero() && now.duration_since(started) > limits.time;
        if late || context.deadline.is_some_and(|d| now > d) {
            return Err(Diagnostic::new(
                Code::Timeout,
                "the evaluation took too long",
            ));
        }
        Ok(())
    }

    /// Runs `work` with `levels` more levels in use. Errors: E0302.
    pub fn nested<T>(&self, levels: usize, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let before = self.levels.get();
        let after = before + levels + 1;
        if after > CALL_LEVELS {
            return Err(Diagnostic::new(
                Code::Nesting,
                "calls of lambdas and definitions nest too deep",
            ));
        }
        self.levels.set(after);
        let result = work();
        self.levels.set(before);
        result
    }
}
