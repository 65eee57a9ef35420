//! Profiles on messages: which profiles a message belongs to, what they keep of it, and what a flush makes of that.
//!
//! An expression that fails never hinders another profile or message: it is counted, and [`Profiler::reports`] tells.

mod builder;
mod expression;
mod message;
mod plan;
#[cfg(test)]
mod tests;

pub(in crate::profile) use builder::{Builder, time, unless_interrupted};
pub use builder::{Flushed, OF_MEASUREMENT};
pub(in crate::profile) use message::{Fields, Reader, Row};
pub use plan::Trouble;
pub(in crate::profile) use plan::{Plan, nameless, note, troubles};

use super::definition::Definitions;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::json::bad_json;
use crate::eval::{Context, NoVariables, Value};
use plan::Worker;
use smol_str::SmolStr;
use std::sync::Arc;

/// How long entities are kept that get no messages, and how many at once. What is not kept waits for
/// [`Profiler::flush_expired`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Milliseconds; `None` keeps them for ever.
    pub idle: Option<i64>,
    /// How many entities all profiles may have together.
    pub entities: Option<usize>,
}

/// What a profile did so far.
#[derive(Debug, Clone)]
pub struct ProfileReport {
    /// Its name.
    pub profile: SmolStr,
    /// What its definition says about merging partial states.
    pub mergeable: Option<bool>,
    /// The messages that it looked at.
    pub messages: u64,
    /// Those that it took.
    pub routes: u64,
    /// The entities that it knows now.
    pub entities: usize,
    /// The expressions that failed.
    pub troubles: Vec<Trouble>,
}

/// A running profiler.
pub struct Profiler {
    /// What works: profiles that are equal share a worker, and apply each message once each.
    workers: Vec<Worker>,
    /// The worker of each profile.
    order: Vec<usize>,
    reader: Reader,
    /// The place of the time in a row.
    time: Option<usize>,
    duration: i64,
    keep: Keep,
    messages: u64,
    routes: u64,
    /// Memory to work in.
    slots: Vec<Value>,
    rows: Vec<Value>,
}

impl Profiler {
    /// Compiles definitions, for periods of so many milliseconds (at least 1).
    ///
    /// Malformed expressions fail when they are reached, as in Metron; [`super::definition::check`] finds them before.
    /// Errors: E0204 when entities are kept for less than a period.
    pub fn new(
        definitions: &Definitions,
        duration: i64,
        keep: Keep,
        context: &Context,
    ) -> Outcome<Profiler> {
        if let Some(idle) = keep.idle.filter(|idle| *idle < duration) {
            let message = format!(
                "entities are kept for {idle} ms, which is less than a period of {duration} ms: their measurements would be lost"
            );
            return Err(Diagnostic::new(Code::ArgumentValue, message));
        }
        let mut fields = Fields::default();
        let time = definitions.timestamp_field.as_deref();
        let time = time.map(|field| fields.place(field));
        let mut workers: Vec<Worker> = Vec::new();
        let mut order = Vec::new();
        for definition in &definitions.profiles {
            let known = workers
                .iter()
                .position(|w| w.plan.definition.same(definition));
            order.push(known.unwrap_or(workers.len()));
            if known.is_none() {
                workers.push(Worker::new(definition, &mut fields, context));
            }
        }
        Ok(Profiler {
            workers,
            order,
            reader: Reader::new(fields, context.limits.depth),
            time,
            duration: duration.max(1),
            keep,
            messages: 0,
            routes: 0,
            slots: Vec::new(),
            rows: Vec::new(),
        })
    }

    /// How many profiles, messages and routes there were.
    pub fn counts(&self) -> (usize, u64, u64) {
        (self.order.len(), self.messages, self.routes)
    }

    /// The world that expressions of profiles see: no variables but those of the profile and the message.
    pub fn context(context: &Context) -> Context {
        context.with_variables(Arc::new(NoVariables))
    }

    /// Applies a message given as one line of JSON. Errors: E0401 for a line that is not an event, E0204 for an
    /// entity without a name, E0307.
    pub fn apply_line(&mut self, line: &[u8], context: &Context) -> Outcome<()> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        let read = self.reader.line(line, &mut rows);
        let done = match read {
            Ok(()) => self.apply_row(&rows, context),
            Err(bad) => Err(bad_json(Code::BadLine, &bad)),
        };
        self.rows = rows;
        done
    }

    /// Applies what PROFILER_APPLY takes; all of it is read before anything is applied, and `step` is called for
    /// every message. Errors: E0203 for what is no message, E0216, E0204 for an entity without a name, those of `step`.
    pub fn apply_value(
        &mut self,
        value: &Value,
        context: &Context,
        step: &dyn Fn() -> Outcome<()>,
    ) -> Outcome<()> {
        let mut rows = Vec::new();
        let count = self.reader.value(value, &mut rows, step)?;
        self.each_row(&rows, count, context, step)
    }

    /// Appends what a line holds of the fields that the profiles name, for [`Profiler::apply_rows`]. Errors: E0401.
    pub fn read(&mut self, line: &[u8], rows: &mut Vec<Value>) -> Outcome<()> {
        let read = self.reader.line(line, rows);
        read.map_err(|bad| bad_json(Code::BadLine, &bad))
    }

    /// Applies messages that [`Profiler::read`] has read. Errors: E0204 for an entity without a name, E0307.
    pub fn apply_rows(&mut self, rows: &[Value], context: &Context) -> Outcome<()> {
        // Without a field there is nothing in a row by which it could be counted.
        let count = rows.len().checked_div(self.reader.width()).unwrap_or(0);
        self.each_row(rows, count, context, &|| context.check_cancelled())
    }

    fn each_row(
        &mut self,
        rows: &[Value],
        count: usize,
        context: &Context,
        step: &dyn Fn() -> Outcome<()>,
    ) -> Outcome<()> {
        let width = self.reader.width();
        for i in 0..count {
            step()?;
            let row = rows.get(i * width..(i + 1) * width).unwrap_or_default();
            self.apply_row(row, context)?;
        }
        Ok(())
    }

    fn apply_row(&mut self, row: &[Value], context: &Context) -> Outcome<()> {
        let message = Row::new(row);
        let now = match (self.time, self.keep.idle) {
            (Some(_), None) => 0,
            _ => context.clock.now(),
        };
        let time = match self.time {
            Some(field) => builder::time(message.get(field)),
            None => Some(now),
        };
        let used = (now, self.messages + 1);
        let mut routes = 0;
        for index in &self.order {
            if let Some(worker) = self.workers.get_mut(*index) {
                let taken = worker.apply(message, time, used, &mut self.slots, context)?;
                routes += u64::from(taken);
            }
        }
        self.messages += 1;
        self.routes += routes;
        if let Some(most) = self.keep.entities {
            self.keep_at_most(most);
        }
        Ok(())
    }

    /// The measurements of all entities that had messages since the last flush, by profile and in the order in which
    /// the entities came. Variables stay as they are until `init` sets them anew. Errors: E0307.
    pub fn flush(&mut self, context: &Context) -> Outcome<Vec<Flushed>> {
        self.expire(context.clock.now());
        let mut out = Vec::new();
        for worker in &mut self.workers {
            worker.flush(self.duration, &mut self.slots, context, &mut out)?;
        }
        Ok(out)
    }

    /// The measurements of entities that were idle for too long, which are forgotten with this. Errors: E0307.
    pub fn flush_expired(&mut self, context: &Context) -> Outcome<Vec<Flushed>> {
        self.expire(context.clock.now());
        let mut out = Vec::new();
        for worker in &mut self.workers {
            worker.flush_expired(self.duration, &mut self.slots, context, &mut out)?;
        }
        Ok(out)
    }

    fn expire(&mut self, now: i64) {
        let Some(idle) = self.keep.idle else {
            return;
        };
        let before = now.saturating_sub(idle);
        for worker in &mut self.workers {
            worker.expire(|builder| builder.touched < before);
            worker.forget(before.saturating_sub(idle));
        }
    }

    /// Beyond that number those that were idle the longest expire, an eighth of all at once.
    fn keep_at_most(&mut self, most: usize) {
        let count: usize = self.workers.iter().map(|w| w.active.len()).sum();
        if count <= most {
            return;
        }
        let builders = self.workers.iter().flat_map(|w| w.active.values());
        let mut turns: Vec<u64> = builders.map(|b| b.turn).collect();
        let oldest = (count - most).max(count / 8).min(count - 1);
        let (_, limit, _) = turns.select_nth_unstable(oldest);
        let limit = *limit;
        for worker in &mut self.workers {
            worker.expire(|builder| builder.turn < limit);
        }
    }

    /// What each profile did so far, or the one of that name.
    pub fn reports(&self, name: Option<&str>) -> Vec<ProfileReport> {
        let all = self
            .order
            .iter()
            .filter_map(|index| self.workers.get(*index));
        let named = all.filter(|w| name.is_none_or(|name| w.plan.definition.profile == name));
        let report = |worker: &Worker| ProfileReport {
            profile: worker.plan.definition.profile.clone(),
            mergeable: worker.plan.definition.mergeable,
            messages: self.messages,
            routes: worker.routes,
            entities: worker.active.len(),
            troubles: worker
                .troubles
                .iter()
                .filter(|t| t.count > 0)
                .cloned()
                .collect(),
        };
        named.map(report).collect()
    }
}
