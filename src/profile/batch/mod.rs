//! Profiles over whole archives, by the time of the events: one measurement for each profile, entity and period.
//!
//! Files are read on all cores. What a profile needs of an event is kept by period and by a part of the entities, first
//! in memory and then in sorted runs of temporary files. When everything is read, every period is worked on as
//! if there were no other: its events in the order of the input, on fresh variables.

mod close;
mod follow;
mod held;
mod late;
mod place;
mod route;
mod row;
mod stream;
mod tail;
#[cfg(test)]
mod tests;

pub use follow::{Followed, Following};
pub use late::Late;
pub use stream::{Fieldful, Stream, Taken};

use super::definition::Definitions;
use super::runner::{Fields, Plan, ProfileReport, Trouble, troubles};
use super::store::{Place, ProfileStore};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Context;
use crate::input::{ChunkReader, Finish, process};
use held::Held;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a batch works.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The length of periods in milliseconds.
    pub duration: i64,
    /// Where measurements are written.
    pub place: Place,
    /// Events before this instant are left out.
    pub begin: Option<i64>,
    /// Events after this instant are left out.
    pub end: Option<i64>,
    /// How many threads work.
    pub threads: usize,
    /// So many bytes of events wait in memory; what is more goes to temporary files.
    pub memory: usize,
    /// Where temporary files are made.
    pub folder: PathBuf,
    /// Whether the first bad event ends the work.
    pub strict: bool,
}

/// What a profile did.
#[derive(Debug, Clone)]
pub struct BatchReport {
    /// Its messages, routes, entities and what failed. Entities are counted up to [`COUNTED`].
    pub report: ProfileReport,
    /// The measurements that it gave.
    pub measurements: u64,
}

/// Entities of a profile are told apart up to so many.
pub const COUNTED: usize = 1_000_000;

/// What profiles want, compiled.
struct Plans {
    /// Profiles that are equal share one, and apply each event once each.
    plans: Vec<Plan>,
    /// What `init` and `update` of each read: fields in order, and whether the whole event.
    needs: Vec<(Vec<usize>, bool)>,
    /// The plan of each profile.
    order: Vec<usize>,
    fields: Fields,
    /// The place of the time in a row.
    time: usize,
}

impl Plans {
    fn new(definitions: &Definitions, context: &Context) -> Outcome<Plans> {
        let Some(time) = &definitions.timestamp_field else {
            let message = "the definitions name no timestampField, and archives are profiled by the time of their events";
            return Err(Diagnostic::new(Code::BadProfile, message)
                .help("add \"timestampField\": \"timestamp\" beside \"profiles\""));
        };
        if definitions.profiles.is_empty() {
            return Err(Diagnostic::new(
                Code::BadProfile,
                "there are no profiles in the definitions",
            ));
        }
        let mut fields = Fields::default();
        let time = fields.place(time);
        let mut plans: Vec<Plan> = Vec::new();
        let mut order = Vec::new();
        for definition in &definitions.profiles {
            let known = plans.iter().position(|p| p.definition.same(definition));
            order.push(known.unwrap_or(plans.len()));
            if known.is_none() {
                plans.push(Plan::new(definition, &mut fields, context));
            }
        }
        Ok(Plans {
            needs: plans.iter().map(Plan::reads).collect(),
            plans,
            order,
            fields,
            time,
        })
    }
}

/// What a plan did, for reports.
struct Tally {
    routes: u64,
    measurements: u64,
    entities: HashSet<u64>,
    troubles: Vec<Trouble>,
}

impl Tally {
    fn of(plans: &Plans) -> Vec<Tally> {
        let none = |plan: &Plan| Tally {
            routes: 0,
            measurements: 0,
            entities: HashSet::new(),
            troubles: troubles(&plan.definition),
        };
        plans.plans.iter().map(none).collect()
    }

    fn add(&mut self, other: Tally) {
        self.routes += other.routes;
        self.measurements += other.measurements;
        if self.entities.is_empty() {
            self.entities = other.entities;
        } else {
            let room = COUNTED.saturating_sub(self.entities.len());
            self.entities.extend(other.entities.into_iter().take(room));
        }
        for (mine, theirs) in self.troubles.iter_mut().zip(other.troubles) {
            mine.count += theirs.count;
            if theirs.last.is_some() && (mine.last.is_none() || mine.turn <= theirs.turn) {
                mine.last = theirs.last;
                mine.entity = theirs.entity;
                mine.turn = theirs.turn;
            }
        }
    }
}

/// How many events have a time that a clock hardly gave, which is one in another unit most of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Odd {
    /// Before 1980: seconds that count as milliseconds are times of 1970.
    pub early: u64,
    /// After 2200, where micro- and nanoseconds lie.
    pub far: u64,
}

/// 1980 and 2200 in milliseconds.
const USUAL: std::ops::Range<i64> = 315_532_800_000..7_258_118_400_000;

impl Odd {
    fn see(&mut self, at: i64) {
        self.early += u64::from(at < USUAL.start);
        self.far += u64::from(at >= USUAL.end);
    }
}

/// What threads have counted of them.
#[derive(Default)]
struct Odds {
    early: AtomicU64,
    far: AtomicU64,
}

impl Odds {
    fn add(&self, odd: Odd) {
        self.early.fetch_add(odd.early, Ordering::Relaxed);
        self.far.fetch_add(odd.far, Ordering::Relaxed);
    }
}

/// Profiles at work on an archive: first [`Batch::read`], then [`Batch::write`].
pub struct Batch {
    plans: Plans,
    setting: Setting,
    context: Context,
    held: Vec<Held>,
    tallies: Mutex<Vec<Tally>>,
    taken: AtomicU64,
    outside: AtomicU64,
    odd: Odds,
}

impl Batch {
    /// Compiles definitions. Malformed expressions fail when they are reached, as in Metron.
    ///
    /// Errors: E0222 without a field of time and without profiles.
    pub fn new(definitions: &Definitions, setting: Setting, context: &Context) -> Outcome<Batch> {
        let context = super::runner::Profiler::context(context);
        let plans = Plans::new(definitions, &context)?;
        Ok(Batch {
            tallies: Mutex::new(Tally::of(&plans)),
            plans,
            setting,
            context,
            held: Vec::new(),
            taken: AtomicU64::new(0),
            outside: AtomicU64::new(0),
            odd: Odds::default(),
        })
    }

    /// Reads all events. `finish` hears of bad ones, chunk by chunk in the order of the input.
    ///
    /// Errors: E0404 when a temporary file cannot be written, E0307, those of `finish`.
    pub fn read(&mut self, reader: ChunkReader, finish: &mut dyn Finish) -> Outcome<()> {
        let threads = self.setting.threads.max(1);
        let share = self.setting.memory / threads;
        let homes: Vec<Mutex<Option<Held>>> = (0..threads).map(|_| Mutex::new(None)).collect();
        let fault = Mutex::new(None);
        let batch = &*self;
        let workers = homes
            .iter()
            .map(|home| route::Router::new(batch, share, home, &fault))
            .collect();
        let done = process(reader, workers, finish, &self.context.cancel);
        if let Some(fault) = fault.into_inner() {
            return Err(fault);
        }
        done?;
        self.held
            .extend(homes.into_iter().filter_map(Mutex::into_inner));
        Ok(())
    }

    /// Makes and stores all measurements; `step` is told how many parts of the work are done, and of how many.
    ///
    /// Errors: those of the store, E0403 when a temporary file cannot be read, E0307.
    pub fn write(
        &mut self,
        store: &dyn ProfileStore,
        step: &(dyn Fn(usize, usize) + Sync),
    ) -> Outcome<()> {
        let held = std::mem::take(&mut self.held);
        let (files, tasks) = held::tasks(held);
        close::all(self, &files, tasks, store, step)
    }

    /// How many events were taken, and how many lay outside of the time that was asked for.
    pub fn counts(&self) -> (u64, u64) {
        (
            self.taken.load(Ordering::Relaxed),
            self.outside.load(Ordering::Relaxed),
        )
    }

    /// How many of the events that were taken have times that are hardly meant.
    pub fn odd(&self) -> Odd {
        Odd {
            early: self.odd.early.load(Ordering::Relaxed),
            far: self.odd.far.load(Ordering::Relaxed),
        }
    }

    /// What each profile did, in the order of the definitions.
    pub fn reports(&self) -> Vec<BatchReport> {
        let tallies = self.tallies.lock();
        let (messages, _) = self.counts();
        let report = |index: &usize| {
            let (plan, tally) = self.plans.plans.get(*index).zip(tallies.get(*index))?;
            Some(BatchReport {
                report: ProfileReport {
                    profile: plan.definition.profile.clone(),
                    mergeable: plan.definition.mergeable,
                    messages,
                    routes: tally.routes,
                    entities: tally.entities.len(),
                    troubles: tally
                        .troubles
                        .iter()
                        .filter(|t| t.count > 0)
                        .cloned()
                        .collect(),
                },
                measurements: tally.measurements,
            })
        };
        self.plans.order.iter().filter_map(report).collect()
    }

    /// Adds what a thread has counted.
    fn count(&self, tallies: Vec<Tally>) {
        for (all, one) in self.tallies.lock().iter_mut().zip(tallies) {
            all.add(one);
        }
    }
}
