//! Periods to measurements: each part of a period by itself, on fresh variables, and into the store.

use super::held::{Task, cut_short};
use super::late::variables;
use super::route::hash;
use super::row::Take;
use super::{Batch, COUNTED, Tally};
use crate::config::FixedClock;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::{Context, Value};
use crate::functions::kryo;
use crate::profile::measurement::Measurement;
use crate::profile::period::Period;
use crate::profile::runner::{Builder, Reader, Row, note, unless_interrupted};
use crate::profile::store::{Mark, Marks, ProfileStore, State, Within};
use indexmap::IndexMap;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// So many measurements are stored at once.
const TOGETHER: usize = 4096;

/// Bytes that no store takes for one value.
pub const LONGEST: usize = 256 << 20;

/// Works on all parts with the threads of the setting. Errors: the first one.
pub fn all(
    batch: &Batch,
    files: &[File],
    tasks: Vec<Task>,
    store: &dyn ProfileStore,
    step: &(dyn Fn(usize, usize) + Sync),
) -> Outcome<()> {
    let count = tasks.len();
    let tasks = Mutex::new(VecDeque::from(tasks));
    let done = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let failed: Mutex<Option<Fault>> = Mutex::new(None);
    let work = || {
        let mut closer = Closer::new(batch, files, store);
        let mut go = || -> Outcome<()> {
            loop {
                let task = tasks.lock().pop_front();
                let (Some(task), false) = (task, stop.load(Ordering::Relaxed)) else {
                    return Ok(());
                };
                closer.part(task)?;
                step(done.fetch_add(1, Ordering::Relaxed) + 1, count);
            }
        };
        let outcome = go().and_then(|()| closer.store());
        if let Err(fault) = outcome {
            stop.store(true, Ordering::Relaxed);
            failed.lock().get_or_insert(fault);
        }
        batch.count(closer.tallies);
    };
    let panicked = std::thread::scope(|scope| {
        let thread = |_| {
            let builder = std::thread::Builder::new().name("periods".into());
            builder.stack_size(8 << 20).spawn_scoped(scope, work)
        };
        let threads: Vec<_> = (0..batch.setting.threads.max(1)).map(thread).collect();
        let join = |thread: std::io::Result<std::thread::ScopedJoinHandle<'_, ()>>| {
            thread.map_or(true, |t| t.join().is_err())
        };
        threads
            .into_iter()
            .map(join)
            .fold(false, |any, bad| any | bad)
    });
    match failed.into_inner() {
        Some(fault) => Err(fault),
        None if panicked => Err(Diagnostic::new(
            Code::Internal,
            "a worker ended unexpectedly",
        )),
        None => Ok(()),
    }
}

/// The entities of each plan.
pub type Entities = Vec<IndexMap<SmolStr, Builder, ahash::RandomState>>;

/// Works on one part after the other; each thread has one.
pub struct Closer<'b> {
    batch: &'b Batch,
    files: &'b [File],
    store: &'b dyn ProfileStore,
    /// What sees the time of the run, and of periods at their ends.
    context: Context,
    at_end: Context,
    /// The entities of the part.
    pub entities: Entities,
    /// A row for each plan: what it does not read stays null.
    pub rows: Vec<Vec<Value>>,
    slots: Vec<Value>,
    pub tallies: Vec<Tally>,
    /// The number under which the variables of each plan are kept; none are when this is empty.
    pub keepers: Vec<Option<i64>>,
    /// Those that wait for the store.
    pub states: Vec<State>,
    /// What waits for the store, with the plan of each.
    measured: Vec<Measurement>,
    plans: Vec<usize>,
}

impl<'b> Closer<'b> {
    /// One that reads temporary files and writes into a store.
    pub fn new(batch: &'b Batch, files: &'b [File], store: &'b dyn ProfileStore) -> Closer<'b> {
        let plans = &batch.plans;
        let reader = Reader::new(plans.fields.clone(), batch.context.limits.depth);
        let row = vec![Value::Null; reader.width()];
        Closer {
            batch,
            files,
            store,
            context: batch.context.clone(),
            at_end: batch.context.clone(),
            entities: plans.plans.iter().map(|_| IndexMap::default()).collect(),
            rows: plans.plans.iter().map(|_| row.clone()).collect(),
            slots: Vec::new(),
            tallies: Tally::of(plans),
            keepers: Vec::new(),
            states: Vec::new(),
            measured: Vec::new(),
            plans: Vec::new(),
        }
    }

    /// Applies the events of a part and measures its entities.
    fn part(&mut self, task: Task) -> Outcome<()> {
        let period = Period {
            number: task.period,
            duration: self.batch.setting.duration,
        };
        let files = self.files;
        task.groups(files, &mut |chunk, bytes| self.group(period, chunk, bytes))?;
        self.measure(period)
    }

    fn group(&mut self, period: Period, chunk: u64, bytes: &[u8]) -> Outcome<()> {
        self.context.check_cancelled()?;
        let mut take = Take(bytes);
        while !take.0.is_empty() {
            self.event(period, chunk, &mut take)
                .ok_or_else(cut_short)??;
        }
        Ok(())
    }

    /// Applies one event. `None` when its bytes are damaged.
    #[inline]
    fn event(&mut self, period: Period, chunk: u64, take: &mut Take<'_>) -> Option<Outcome<()>> {
        let plans = &self.batch.plans;
        let index = usize::try_from(take.number()?).ok()?;
        let (fields, whole) = plans.needs.get(index)?;
        let entity = take.text()?;
        let row = self.rows.get_mut(index)?;
        for field in fields {
            *row.get_mut(*field)? = take.value()?;
        }
        if *whole {
            *row.last_mut()? = take.value()?;
        }
        self.apply(period, chunk, index, entity)
    }

    /// Applies the row of a plan to an entity. `None` when there is no such plan.
    #[inline]
    pub fn apply(
        &mut self,
        period: Period,
        chunk: u64,
        index: usize,
        entity: &str,
    ) -> Option<Outcome<()>> {
        let plan = self.batch.plans.plans.get(index)?;
        let row = self.rows.get(index)?;
        let entities = self.entities.get_mut(index)?;
        let builder = match entities.get_mut(entity) {
            Some(builder) => builder,
            None => entities
                .entry(SmolStr::new(entity))
                .or_insert_with(|| Builder::new(plan.names.len())),
        };
        let (row, slots) = (Row::new(row), &mut self.slots);
        if let Err(failed) = builder.apply(plan, row, 0, slots, &self.context) {
            let failed = match unless_interrupted(failed) {
                Ok(failed) => failed,
                Err(fault) => return Some(Err(fault)),
            };
            let turn = (period.number, chunk);
            let troubles = &mut self.tallies.get_mut(index)?.troubles;
            note(troubles, plan, failed, Some(&SmolStr::new(entity)), turn);
        }
        Some(Ok(()))
    }

    /// Applies the row of a plan to an entity that is kept elsewhere, and says that it was taken.
    pub fn apply_to(
        &mut self,
        entities: &mut Entities,
        period: Period,
        place: u64,
        index: usize,
        entity: &str,
    ) -> Outcome<bool> {
        std::mem::swap(entities, &mut self.entities);
        let applied = self.apply(period, place, index, entity);
        std::mem::swap(entities, &mut self.entities);
        applied.unwrap_or(Ok(())).map(|()| true)
    }

    /// Makes the measurements of the entities at hand, which are forgotten.
    pub fn measure(&mut self, period: Period) -> Outcome<()> {
        self.at_end.clock = Arc::new(FixedClock(period.end()));
        let plans = self.batch.plans.plans.iter().zip(&mut self.entities);
        for ((index, (plan, entities)), tally) in plans.enumerate().zip(&mut self.tallies) {
            for (entity, builder) in entities.drain(..) {
                if tally.entities.len() < COUNTED {
                    tally.entities.insert(hash(&entity));
                }
                // When init has failed for every event there is nothing to measure.
                if !builder.is_initialised() {
                    continue;
                }
                // Before `result`, which may change what it sees.
                if let Some(profile) = self.keepers.get(index).copied().flatten() {
                    self.states.push(State {
                        profile,
                        period: period.number,
                        entity: entity.clone(),
                        bytes: variables(&builder),
                    });
                }
                match builder.measure(plan, &entity, period, &mut self.slots, &self.at_end) {
                    Ok(flushed) => {
                        self.measured.push(flushed.measurement);
                        self.plans.push(index);
                    }
                    Err(failed) => {
                        let failed = unless_interrupted(failed)?;
                        let turn = (period.number, u64::MAX);
                        note(&mut tally.troubles, plan, failed, Some(&entity), turn);
                    }
                }
            }
        }
        if self.measured.len() >= TOGETHER {
            self.store()?;
        }
        Ok(())
    }

    /// Stores what has been measured.
    fn store(&mut self) -> Outcome<()> {
        self.store_with(None)
    }

    /// Stores what has been measured, and where a follower stands.
    pub fn store_with(&mut self, mark: Option<(&Marks, &Mark)>) -> Outcome<()> {
        let mut measured = std::mem::take(&mut self.measured);
        let mut plans = std::mem::take(&mut self.plans);
        if let Err(fault) = self.put(&measured, mark) {
            if !self.leave_out_bad(&mut measured, &mut plans)? {
                return Err(fault);
            }
            self.put(&measured, mark)?;
        }
        for plan in plans {
            if let Some(tally) = self.tallies.get_mut(plan) {
                tally.measurements += 1;
            }
        }
        Ok(())
    }

    fn put(&self, measured: &[Measurement], mark: Option<(&Marks, &Mark)>) -> Outcome<()> {
        let within = Within::context(&self.context);
        let place = &self.batch.setting.place;
        let Some((marks, mark)) = mark else {
            let mut batches = measured.chunks(TOGETHER);
            return batches.try_for_each(|some| self.store.write(place, some, within));
        };
        // Where measurements lie elsewhere the mark follows them: what is between is measured again, with the same result.
        let whole = measured.len() - measured.len() % TOGETHER;
        let (front, last) = measured.split_at(whole);
        let mut batches = front.chunks(TOGETHER);
        batches.try_for_each(|some| self.store.write(place, some, within))?;
        if self.store.write_with_mark(place, last, mark, within)? {
            return Ok(());
        }
        self.store.write(place, last, within)?;
        marks.write(mark, within)
    }

    /// Leaves out measurements of which the values cannot be stored, such as lambdas; `true` when there were any.
    fn leave_out_bad(
        &mut self,
        measured: &mut Vec<Measurement>,
        plans: &mut Vec<usize>,
    ) -> Outcome<bool> {
        let before = measured.len();
        let all = std::mem::take(measured)
            .into_iter()
            .zip(std::mem::take(plans));
        for (measurement, index) in all {
            self.context.check_cancelled()?;
            match kryo::write(&measurement.value, LONGEST) {
                Ok(_) => {
                    measured.push(measurement);
                    plans.push(index);
                }
                Err(fault) => {
                    let plan = self.batch.plans.plans.get(index);
                    if let (Some(plan), Some(tally)) = (plan, self.tallies.get_mut(index)) {
                        let failed = (plan.number_of_result(), fault);
                        let turn = (measurement.period.number, u64::MAX);
                        let entity = Some(&measurement.entity);
                        note(&mut tally.troubles, plan, failed, entity, turn);
                    }
                }
            }
        }
        Ok(measured.len() < before)
    }
}
