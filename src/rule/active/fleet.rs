//! Many rules over a stream of events: lanes on threads of their own, and one thread for the store.

use super::keeper::Keeper;
use super::lane::{Raised, Said};
use super::metrics::Metrics;
use super::pace::Pace;
use super::ready::{self, Ready};
use super::worker::{Board, Job, Memories, States, Worker};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Context;
use crate::rule::event::Event;
use crate::rule::lua::{Options, Saved};
use ahash::AHashMap;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use parking_lot::{Mutex, RwLock};
use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json, json};
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many batches are on their way at most.
pub const WAITING: usize = 4;
/// How often who waits looks whether all shall stop.
const LOOK: Duration = Duration::from_millis(50);
/// How long results are waited for before states are saved.
const SETTLE: Duration = Duration::from_secs(2);
/// The stack of a thread that runs rules.
const STACK: usize = 8 << 20;

/// Which rules run.
#[derive(Debug, Clone)]
pub enum Which {
    /// All active rules of the store but those for the past; changes are taken over.
    Active,
    /// These, in this order, as they are now.
    Given(Vec<Ready>),
}

/// Who keeps the groups of the rules over a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nobody, or the owner of the fleet, by [`Fleet::save`] and [`Fleet::load`].
    #[default]
    Owner,
    /// The store of rules: saved every now and then, restored when a rule is loaded.
    Store,
}

/// How a fleet runs.
#[derive(Debug, Clone)]
pub struct Manner {
    /// What it is called in the store: `serve`, the name of a pipeline.
    pub runner: SmolStr,
    /// How many threads run rules; 0 means one for each processor.
    pub threads: usize,
    /// Whose seconds `max_alerts_per_second` means.
    pub pace: Pace,
    /// How often it is looked for changed rules.
    pub reload: Duration,
    /// How often groups are saved.
    pub save: Duration,
    /// Who keeps the groups.
    pub keep: Keep,
    /// Whether alerts are kept in the store.
    pub results: bool,
    /// Whether the store counts alerts and errors, and knows when rules were started and what they did.
    pub counts: bool,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner {
            runner: SmolStr::new_static("rules"),
            threads: 0,
            pace: Pace::default(),
            reload: Duration::from_secs(2),
            save: Duration::from_secs(30),
            keep: Keep::default(),
            results: true,
            counts: true,
        }
    }
}

/// What became of a batch of events.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// How many events there were.
    pub events: usize,
    /// What was raised, in the order of the events, then of the rules.
    pub raised: Vec<Raised>,
    /// What the rules said and what was said about them.
    pub said: Vec<Said>,
    /// How much of that there was no room for.
    pub lost: u64,
    /// What is to be said about the store.
    pub told: Vec<String>,
}

struct LaneEnd {
    jobs: Sender<Job>,
    answers: Receiver<Outcomes>,
    thread: Option<JoinHandle<()>>,
}

/// Batches on their way.
#[derive(Default)]
struct Way {
    sent: usize,
    /// Those whose outcomes are there.
    done: VecDeque<Outcomes>,
}

/// The place of each rule among all.
pub(super) type Order = Arc<RwLock<AHashMap<SmolStr, usize>>>;

/// Rules over a stream. It may be shared between threads; batches keep their order when one thread sends them.
pub struct Fleet {
    lanes: Mutex<Vec<LaneEnd>>,
    way: Mutex<Way>,
    order: Order,
    pub(super) board: Board,
    keeper: Mutex<Option<JoinHandle<()>>>,
    ended: Arc<AtomicBool>,
    cancel: Arc<AtomicBool>,
    keep: Keep,
}

impl Fleet {
    /// Loads the rules and starts their threads. Errors: the store's; with [`Which::Given`] those of a rule that cannot
    /// be loaded. An active rule of the store that cannot be loaded is said and counted.
    pub fn start(context: &Context, which: Which, manner: Manner) -> Outcome<Fleet> {
        Fleet::with(context, which, manner, ready::options(context))
    }

    /// The same with other table lists, limits or choices. Errors: the same.
    pub fn with(
        context: &Context,
        which: Which,
        manner: Manner,
        options: Options,
    ) -> Outcome<Fleet> {
        let board = Board::default();
        let order = Order::default();
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match manner.threads {
            0 => cores(),
            n => n.min(MOST),
        };
        let threads = match &which {
            Which::Active => threads,
            Which::Given(rules) => threads.clamp(1, rules.len().max(1)),
        };
        let mut lanes = Vec::with_capacity(threads);
        for number in 0..threads {
            let (jobs, given) = bounded(WAITING);
            let (answers, answer) = unbounded();
            let (context, options) = (context.clone(), options.clone());
            let (manner, board) = (manner.clone(), board.clone());
            let work = move || Worker::new(context, options, manner, board).run(&given, &answers);
            lanes.push(LaneEnd {
                jobs,
                answers: answer,
                thread: Some(spawn(&format!("rules-{number}"), work)?),
            });
        }
        let ends = lanes.iter().map(|lane| lane.jobs.clone()).collect();
        let fleet = Fleet {
            lanes: Mutex::new(lanes),
            way: Mutex::default(),
            order: order.clone(),
            board: board.clone(),
            keeper: Mutex::default(),
            ended: Arc::default(),
            cancel: context.cancel.clone(),
            keep: manner.keep,
        };
        let ended = fleet.ended.clone();
        let mut keeper = Keeper::new(context, &which, manner, board, order, ends, ended);
        match which {
            Which::Active => keeper.look(true)?,
            Which::Given(rules) => keeper.give(rules)?,
        }
        if keeper.has_work() {
            let thread = spawn("rules-store", move || keeper.run())?;
            *fleet.keeper.lock() = Some(thread);
        }
        Ok(fleet)
    }

    /// Gives the rules a batch of events; waits when too many are on their way. Errors: E0307, E0901.
    pub fn send(&self, events: Vec<Event>) -> Outcome<()> {
        let mut way = self.way.lock();
        let lanes = self.lanes.lock();
        if lanes.is_empty() {
            return Err(gone());
        }
        while way.sent >= WAITING {
            let outcomes = self.collect(&lanes)?;
            way.sent -= 1;
            way.done.push_back(outcomes);
        }
        let events = Arc::new(events);
        for lane in lanes.iter() {
            lane.jobs
                .send(Job::Batch(events.clone()))
                .map_err(|_| gone())?;
        }
        way.sent += 1;
        Ok(())
    }

    /// What became of the oldest batch that was sent; waits for it. None when none is on its way. Errors: E0307, E0901.
    pub fn receive(&self) -> Outcome<Option<Outcomes>> {
        let mut way = self.way.lock();
        if let Some(done) = way.done.pop_front() {
            return Ok(Some(done));
        }
        if way.sent == 0 {
            return Ok(None);
        }
        let lanes = self.lanes.lock();
        let outcomes = self.collect(&lanes)?;
        way.sent -= 1;
        Ok(Some(outcomes))
    }

    /// What became of the oldest batch, if that is known already. Errors: E0901.
    pub fn done(&self) -> Outcome<Option<Outcomes>> {
        let way = self.way.lock();
        let lanes = self.lanes.lock();
        let there = !way.done.is_empty()
            || (way.sent > 0 && lanes.iter().all(|lane| !lane.answers.is_empty()));
        drop((lanes, way));
        match there {
            true => self.receive(),
            false => Ok(None),
        }
    }

    /// How many batches are on their way.
    pub fn waiting(&self) -> usize {
        let way = self.way.lock();
        way.sent + way.done.len()
    }

    /// Gives the rules events and waits for what becomes of them. What was sent before must have been received.
    pub fn run(&self, events: Vec<Event>) -> Outcome<Outcomes> {
        self.send(events)?;
        Ok(self.receive()?.unwrap_or_default())
    }

    /// The outcomes of the oldest batch from all lanes.
    fn collect(&self, lanes: &[LaneEnd]) -> Outcome<Outcomes> {
        let mut all = Outcomes::default();
        for lane in lanes {
            let one = self.wait(&lane.answers)?;
            all.events = one.events;
            all.raised.extend(one.raised);
            all.said.extend(one.said);
            all.lost += one.lost;
        }
        let order = self.order.read();
        let place = |rule: &SmolStr| order.get(rule).copied().unwrap_or(usize::MAX);
        all.raised
            .sort_by_cached_key(|one| (one.event, place(&one.rule)));
        all.said.sort_by_cached_key(|one| place(&one.rule));
        all.told = self.told();
        Ok(all)
    }

    fn wait<T>(&self, answers: &Receiver<T>) -> Outcome<T> {
        loop {
            match answers.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
                Err(RecvTimeoutError::Timeout) if self.cancel.load(Ordering::Relaxed) => {
                    return Err(Diagnostic::new(Code::Interrupted, "interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// What is to be said about the store since the last time.
    pub fn told(&self) -> Vec<String> {
        self.board
            .pending
            .with(|held| std::mem::take(&mut held.told))
    }

    /// What the rules did since they were loaded, in their order; those that could not be loaded are among them.
    pub fn metrics(&self) -> Vec<Metrics> {
        let order = self.order.read();
        let mut all: Vec<(usize, Metrics)> = self
            .board
            .all()
            .into_iter()
            .map(|(id, one)| (order.get(&id).copied().unwrap_or(usize::MAX), one))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
        all.into_iter().map(|(_, one)| one).collect()
    }

    /// What rules have to keep, after all batches that were sent: what they remember of the events that raised alerts,
    /// and their groups unless the store has them. Results are stored before, as far as the store answers. Errors: E0307,
    /// E0901.
    pub fn save(&self) -> Outcome<Json> {
        self.board.pending.settle(SETTLE);
        let groups = self.keep == Keep::Owner;
        let lanes = self.lanes.lock();
        let mut waits = Vec::new();
        for lane in lanes.iter() {
            let (answer, given) = bounded(1);
            let job = Job::Save(groups, answer);
            lane.jobs.send(job).map_err(|_| gone())?;
            waits.push(given);
        }
        let (mut rules, mut told) = (JsonMap::new(), JsonMap::new());
        for given in waits {
            let (states, memories) = self.wait(&given)?;
            let states = states.into_iter();
            rules.extend(states.map(|(id, saved)| (id.to_string(), json!(saved.groupers))));
            let memories = memories.into_iter();
            told.extend(memories.map(|(id, times)| (id.to_string(), json!(times))));
        }
        let mut saved = json!({"told": told});
        if groups {
            saved["rules"] = Json::Object(rules);
        }
        Ok(saved)
    }

    /// Gives rules what [`Fleet::save`] wrote; how many rules have their groups. Errors: E0605, E0307, E0901.
    pub fn load(&self, saved: &Json) -> Outcome<usize> {
        let rules = saved.get("rules").and_then(Json::as_object);
        let states = rules.into_iter().flatten();
        let states = states.map(|(id, groupers)| {
            let texts = groupers.as_array().into_iter().flatten();
            let texts = texts.filter_map(|text| text.as_str().map(str::to_string));
            let groupers = texts.collect();
            (SmolStr::new(id), Saved { groupers })
        });
        let states: States = states.collect();
        let told = saved.get("told").and_then(Json::as_object);
        let told = told.into_iter().flatten().filter_map(|(id, times)| {
            let times = Deserialize::deserialize(times).ok()?;
            Some((SmolStr::new(id), times))
        });
        let told: Arc<Memories> = Arc::new(told.collect());
        let lanes = self.lanes.lock();
        let mut found = 0;
        for lane in lanes.iter() {
            let (answer, given) = bounded(1);
            let job = Job::Load(states.clone(), told.clone(), answer);
            lane.jobs.send(job).map_err(|_| gone())?;
            found += self.wait(&given)??;
        }
        Ok(found)
    }

    /// Ends the threads, after all that was sent, and stores what is to be stored, as far as the store takes it within
    /// some seconds. What is to be said about that.
    pub fn end(&self) -> Vec<String> {
        self.ended.store(true, Ordering::Relaxed);
        let mut lanes = std::mem::take(&mut *self.lanes.lock());
        for lane in &lanes {
            let _ = lane.jobs.send(Job::End);
        }
        for lane in &mut lanes {
            if let Some(thread) = lane.thread.take() {
                let _ = thread.join();
            }
        }
        self.board.pending.close();
        if let Some(thread) = self.keeper.lock().take() {
            let _ = thread.join();
        }
        self.told()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.end();
    }
}

/// How many threads are started at most.
const MOST: usize = 256;

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Outcome<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_string())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| Diagnostic::new(Code::Internal, format!("no thread: {error}")))
}

#[cold]
pub(super) fn gone() -> Fault {
    Diagnostic::new(Code::Internal, "a thread that runs rules is gone")
}
