//! Events to where they wait: which profiles take one, for which entity, in which period.

use super::held::{Held, SHARDS};
use super::row::{put, put_number, put_text};
use super::{Batch, Odd, Tally};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::json::bad_json;
use crate::eval::text::to_text;
use crate::eval::{Context, Value};
use crate::input::{self, Chunk, Header, Line, Problem, Worker, lines};
use crate::profile::period::Period;
use crate::profile::runner::{Reader, Row, nameless, note, time, unless_interrupted};
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// So many bad lines of a chunk are told; the rest is counted.
const TOLD: usize = 10;

/// The hash by which entities are split; the same in all threads.
pub fn hash(entity: &str) -> u64 {
    ahash::RandomState::with_seeds(1, 2, 3, 4).hash_one(entity)
}

/// Reads events and finds out where they go.
pub struct Routing<'b> {
    batch: &'b Batch,
    reader: Reader,
    pub tallies: Vec<Tally>,
    pub context: Context,
    pub odd: Odd,
    /// Memory to work in.
    rows: Vec<Value>,
    slots: Vec<Value>,
}

/// Why an event is not taken.
pub enum Refused {
    Bad(Fault),
    /// The whole work must end.
    End(Fault),
}

/// Where an event goes.
pub struct Route<'r> {
    /// The number of the plan.
    pub plan: usize,
    pub entity: &'r SmolStr,
    pub period: i64,
    pub message: Row<'r>,
}

impl<'b> Routing<'b> {
    pub fn new(batch: &'b Batch) -> Routing<'b> {
        Routing {
            batch,
            reader: Reader::new(batch.plans.fields.clone(), batch.context.limits.depth),
            tallies: Tally::of(&batch.plans),
            context: batch.context.clone(),
            odd: Odd::default(),
            rows: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Reads an event; when `admit` takes it for its time, `each` gets every route and says whether it
    /// is taken. Gives its time.
    #[inline]
    pub fn event(
        &mut self,
        line: &[u8],
        header: Option<&Arc<Header>>,
        turn: (i64, u64),
        admit: impl FnOnce(i64) -> bool,
        mut each: impl FnMut(Route<'_>) -> Outcome<bool>,
    ) -> Result<i64, Refused> {
        let Batch { plans, setting, .. } = self.batch;
        self.rows.clear();
        if line.len() > self.context.limits.line {
            return Err(Refused::Bad(too_long(self.context.limits.line)));
        }
        match header {
            None => self
                .reader
                .line(line, &mut self.rows)
                .map_err(|bad| Refused::Bad(bad_json(Code::BadLine, &bad)))?,
            Some(header) => self
                .reader
                .table_row(header, line, &mut self.rows)
                .map_err(Refused::Bad)?,
        }
        let message = Row::new(&self.rows);
        let Some(at) = time(message.get(plans.time)) else {
            return Err(Refused::Bad(timeless(message.get(plans.time))));
        };
        if !admit(at) {
            return Ok(at);
        }
        self.odd.see(at);
        let period = Period::of(at, setting.duration).number;
        for index in &plans.order {
            let (Some(plan), Some(tally)) = (plans.plans.get(*index), self.tallies.get_mut(*index))
            else {
                continue;
            };
            let wanted = plan.wants(message, &mut self.slots, &self.context);
            let entity = match wanted {
                Ok(false) => continue,
                Ok(true) => plan.entity(message, &mut self.slots, &self.context),
                Err(failed) => Err(failed),
            };
            let entity = match entity {
                Ok(entity) if entity.is_empty() => Err((plan.number_of_foreach(), nameless(plan))),
                other => other,
            };
            let entity = match entity {
                Ok(entity) => entity,
                Err(failed) => {
                    let failed = unless_interrupted(failed).map_err(Refused::End)?;
                    note(&mut tally.troubles, plan, failed, None, turn);
                    continue;
                }
            };
            let route = Route {
                plan: *index,
                entity: &entity,
                period,
                message,
            };
            let taken = each(route).map_err(|fault| match fault.code {
                Code::Interrupted => Refused::End(fault),
                _ => Refused::Bad(fault),
            })?;
            tally.routes += u64::from(taken);
        }
        Ok(at)
    }
}

/// One of the threads that read archives. What it has read goes home when it ends.
pub struct Router<'b> {
    batch: &'b Batch,
    routing: Routing<'b>,
    held: Held,
    home: &'b Mutex<Option<Held>>,
    /// Why a temporary file could not be written.
    fault: &'b Mutex<Option<Fault>>,
    taken: u64,
    outside: u64,
}

impl<'b> Router<'b> {
    /// One that keeps so many bytes in memory.
    pub fn new(
        batch: &'b Batch,
        memory: usize,
        home: &'b Mutex<Option<Held>>,
        fault: &'b Mutex<Option<Fault>>,
    ) -> Router<'b> {
        Router {
            batch,
            routing: Routing::new(batch),
            held: Held::new(memory, &batch.setting.folder),
            home,
            fault,
            taken: 0,
            outside: 0,
        }
    }

    /// Reads an event and keeps what profiles need of it; `false` for one that lies outside.
    fn event(&mut self, chunk: &Chunk, line: Line<'_>) -> Result<bool, Refused> {
        let Batch { plans, setting, .. } = self.batch;
        let held = &mut self.held;
        let mut inside = false;
        let admit = |at: i64| {
            let early = setting.begin.is_some_and(|begin| at < begin);
            inside = !early && setting.end.is_none_or(|end| at <= end);
            inside
        };
        let keep = |route: Route<'_>| {
            let shard = (hash(route.entity) >> 32) as usize % SHARDS;
            held.event((route.period, shard), chunk.number, |out| {
                put_number(route.plan as u64, out);
                put_text(route.entity, out);
                let Some((fields, whole)) = plans.needs.get(route.plan) else {
                    return Ok(());
                };
                for field in fields {
                    put(route.message.get(*field), out)?;
                }
                if let (true, Some(map)) = (*whole, route.message.whole()) {
                    put(&Value::Map(map.clone()), out)?;
                }
                Ok(())
            })?;
            Ok(true)
        };
        let turn = (chunk.number as i64, line.before);
        let header = chunk.header.as_ref();
        self.routing.event(line.text, header, turn, admit, keep)?;
        Ok(inside)
    }
}

impl Worker for Router<'_> {
    fn work(
        &mut self,
        chunk: &Chunk,
        batch: &mut input::Batch,
        _pass_on: &mut dyn FnMut(&mut input::Batch) -> bool,
    ) {
        let trouble = |batch: &mut input::Batch, line, fault| {
            batch.totals.bad += 1;
            if batch.problems.len() < TOLD {
                batch.problems.push(Problem { line, fault });
            }
            batch.stop |= self.batch.setting.strict;
        };
        if chunk.too_long {
            batch.totals.read += 1;
            let fault = too_long(self.routing.context.limits.line);
            trouble(batch, chunk.lines_before + 1, fault);
            return;
        }
        for line in lines(chunk) {
            if batch.stop || self.routing.context.cancel.load(Ordering::Relaxed) {
                batch.stop = true;
                break;
            }
            batch.totals.read += 1;
            match self.event(chunk, line) {
                Ok(true) => {
                    self.taken += 1;
                    batch.totals.kept += 1;
                }
                Ok(false) => self.outside += 1,
                Err(Refused::Bad(fault)) => trouble(batch, line.before + 1, fault),
                Err(Refused::End(fault)) => {
                    self.fault.lock().get_or_insert(fault);
                    batch.stop = true;
                }
            }
        }
        if let Err(fault) = self.held.bound() {
            self.fault.lock().get_or_insert(fault);
            batch.stop = true;
        }
    }
}

impl Drop for Router<'_> {
    fn drop(&mut self) {
        let folder = &self.batch.setting.folder;
        *self.home.lock() = Some(std::mem::replace(&mut self.held, Held::new(0, folder)));
        self.batch.count(std::mem::take(&mut self.routing.tallies));
        self.batch.odd.add(self.routing.odd);
        self.batch.taken.fetch_add(self.taken, Ordering::Relaxed);
        self.batch
            .outside
            .fetch_add(self.outside, Ordering::Relaxed);
    }
}

#[cold]
pub fn too_long(limit: usize) -> Fault {
    let message = format!("the line has more than {limit} bytes");
    Diagnostic::new(Code::LineLength, message)
}

#[cold]
fn timeless(value: &Value) -> Fault {
    let message = match value {
        Value::Null => "the event has no time".to_string(),
        Value::Text(text) if text.chars().count() <= 40 => {
            format!("the time of the event is the string '{text}'")
        }
        other if other.is_number() => format!("the time of the event is {}", to_text(other)),
        other => format!("the time of the event is {}", other.kind_in_words()),
    };
    Diagnostic::new(Code::BadLine, message)
        .help("it must be milliseconds since 1970, in the field that timestampField names")
}
