//! The thread that looks for changed rules and writes what rules did to the store.

use super::fleet::{Keep, Manner, Order, Which, gone};
use super::metrics::{Metrics, part};
use super::patient::is_away;
use super::ready::Ready;
use super::worker::{Board, Job, located, unpack};
use crate::diagnostic::Outcome;
use crate::eval::Context;
use crate::rule::lua::Saved;
use crate::rule::store::{Happened, Rules, Watched};
use crate::store::{Backoff, Deadline, Within};
use ahash::AHashMap;
use crossbeam_channel::{Sender, bounded};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often is written what waits.
const WRITE: Duration = Duration::from_millis(250);
/// How often counts and metrics are written.
const COUNT: Duration = Duration::from_secs(2);
/// How many alerts are stored at once.
const TOGETHER: usize = 256;
/// How long the store may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long after a rule's end it is looked whether it was removed.
const SWEEP: Duration = Duration::from_secs(5);
/// How long it is tried at the end.
const LAST: Duration = Duration::from_secs(5);

/// A rule that was looked at.
struct Known {
    revision: i64,
    parts: i64,
    /// The lane that runs it; none for rules over the past.
    lane: Option<usize>,
}

/// What the thread of the store knows.
pub(super) struct Keeper {
    rules: Option<Arc<Rules>>,
    context: Context,
    manner: Manner,
    watching: bool,
    board: Board,
    order: Order,
    lanes: Vec<Sender<Job>>,
    /// How many rules each lane has.
    load: Vec<usize>,
    known: AHashMap<SmolStr, Known>,
    /// The metrics that the store has.
    shown: AHashMap<SmolStr, Metrics>,
    cancel: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    /// Since when the store does not answer.
    away: Option<Instant>,
    backoff: Backoff,
    /// When it is asked again.
    again: Instant,
    /// When counts were written last.
    counted: Instant,
    /// Rules that are run no more, and since when.
    leaving: Vec<(SmolStr, Instant)>,
}

impl Keeper {
    pub fn new(
        context: &Context,
        which: &Which,
        manner: Manner,
        board: Board,
        order: Order,
        lanes: Vec<Sender<Job>>,
        ended: Arc<AtomicBool>,
    ) -> Keeper {
        Keeper {
            rules: context.services.get::<Rules>(),
            context: context.clone(),
            manner,
            watching: matches!(which, Which::Active),
            board,
            order,
            load: vec![0; lanes.len()],
            lanes,
            known: AHashMap::default(),
            shown: AHashMap::default(),
            cancel: Arc::default(),
            ended,
            away: None,
            backoff: Backoff::new(1),
            again: Instant::now(),
            counted: Instant::now(),
            leaving: Vec::new(),
        }
    }

    /// Whether there is anything to do for the thread.
    pub fn has_work(&self) -> bool {
        let stored = self.watching || !self.known.is_empty();
        let writes = self.manner.results || self.manner.counts;
        self.rules.is_some()
            && stored
            && (self.watching || writes || self.manner.keep == Keep::Store)
    }

    /// Gives the lanes rules that do not change; one of the store that stands twice runs once. Errors: those of a rule
    /// that cannot be loaded.
    pub fn give(&mut self, rules: Vec<Ready>) -> Outcome<()> {
        let mut waits = Vec::new();
        for (place, mut ready) in rules.into_iter().enumerate() {
            if ready.rule.is_some() && self.known.contains_key(&ready.id) {
                continue;
            }
            let mut order = self.order.write();
            let name = ready.id.clone();
            let mut number = 1;
            while order.contains_key(&ready.id) {
                // Files may have the same name.
                number += 1;
                ready.id = format_smolstr!("{name} ({number})");
            }
            order.insert(ready.id.clone(), place);
            drop(order);
            let lane = self.lightest();
            if ready.rule.is_some() {
                let known = Known {
                    revision: 0,
                    parts: 0,
                    lane: Some(lane),
                };
                self.known.insert(ready.id.clone(), known);
            }
            let saved = self.saved(&ready);
            let (answer, given) = bounded(1);
            self.hand(
                lane,
                Job::Take(Box::new((Arc::new(ready), saved)), Some(answer)),
            )?;
            waits.push(given);
        }
        waits
            .iter()
            .try_for_each(|given| given.recv().map_err(|_| gone())?)
    }

    /// The lane with the fewest rules, which gets one more.
    fn lightest(&mut self) -> usize {
        let lanes = self.load.iter().enumerate();
        let lane = lanes.min_by_key(|(_, rules)| **rules).map_or(0, |(n, _)| n);
        if let Some(rules) = self.load.get_mut(lane) {
            *rules += 1;
        }
        lane
    }

    fn hand(&self, lane: usize, job: Job) -> Outcome<()> {
        let lane = self.lanes.get(lane).ok_or_else(gone)?;
        lane.send(job).map_err(|_| gone())
    }

    /// The groups of a rule that is not running yet, as they were saved.
    fn saved(&self, ready: &Ready) -> Option<Saved> {
        if self.manner.keep != Keep::Store || ready.rule.is_none() {
            return None;
        }
        let state = self.rules.as_ref()?;
        let state = state.state(&ready.id, &groups(&self.manner.runner), self.within());
        let found = state.and_then(|found| found.map(|(_, data)| unpack(&data)).transpose());
        found.unwrap_or_else(|fault| {
            let text = format!("{}: {}", ready.name(), fault.message);
            self.board.pending.tell(text);
            None
        })
    }

    fn within(&self) -> Within<'_> {
        Within {
            now: self.context.clock.now(),
            deadline: Deadline::after(PATIENCE),
            cancel: &self.cancel,
        }
    }

    /// Looks for changed rules and hands them to their lanes; waits for the first ones. Errors: the store's.
    pub fn look(&mut self, first: bool) -> Outcome<()> {
        let Some(rules) = self.rules.clone() else {
            return Ok(());
        };
        let watched = rules.watch(self.within())?;
        let mut waits = Vec::new();
        for one in &watched {
            let known = self.known.get(one.id.as_str());
            if known.is_some_and(|k| (k.revision, k.parts) == (one.revision, one.parts)) {
                continue;
            }
            if let Some(job) = self.ready(&rules, one)? {
                let (answer, given) = bounded(1);
                let lane = self.lane(one);
                self.hand(lane, Job::Take(Box::new(job), first.then_some(answer)))?;
                waits.push(given);
            }
        }
        let places = watched.iter().enumerate();
        let order = places.map(|(place, one)| (SmolStr::new(&one.id), place));
        let order: AHashMap<SmolStr, usize> = order.collect();
        let absent = |id: &&SmolStr| !order.contains_key(*id);
        let absent: Vec<SmolStr> = self.known.keys().filter(absent).cloned().collect();
        for id in absent {
            self.end_rule(&id)?;
            self.known.remove(&id);
            self.shown.remove(&id);
            self.leaving.push((id, Instant::now()));
        }
        *self.order.write() = order;
        if first {
            // What cannot be loaded was said and counted.
            waits.iter().for_each(|given| drop(given.recv()));
        }
        Ok(())
    }

    /// The lane of a rule that is to be loaded.
    fn lane(&mut self, one: &Watched) -> usize {
        let known = self.known.get(one.id.as_str());
        let lane = known.and_then(|known| known.lane);
        let lane = lane.unwrap_or_else(|| self.lightest());
        let known = Known {
            revision: one.revision,
            parts: one.parts,
            lane: Some(lane),
        };
        self.known.insert(SmolStr::new(&one.id), known);
        lane
    }

    /// A rule that is new or has changed, if it can be run, with its saved groups if it does not run yet.
    fn ready(
        &mut self,
        rules: &Rules,
        one: &Watched,
    ) -> Outcome<Option<(Arc<Ready>, Option<Saved>)>> {
        let Some(rule) = rules.rule(&one.id, self.within())? else {
            return Ok(None);
        };
        let id = SmolStr::new(&one.id);
        let lane = self.known.get(&id).and_then(|known| known.lane);
        let mut known = Known {
            revision: one.revision,
            parts: one.parts,
            lane,
        };
        if rule.is_retro {
            self.end_rule(&id)?;
            known.lane = None;
            self.known.insert(id, known);
            return Ok(None);
        }
        let mut context = self.context.clone();
        context.cancel = self.cancel.clone();
        context.deadline = Deadline::after(PATIENCE).moment();
        let name = rule.name.clone();
        match Ready::of(rules, rule, &context) {
            Ok(mut ready) => {
                ready.written.test_data = Vec::new();
                let runs = self.board.metrics.lock().contains_key(&id);
                let saved = match runs {
                    true => None,
                    false => self.saved(&ready),
                };
                Ok(Some((Arc::new(ready), saved)))
            }
            Err(fault) if is_away(&fault) => Err(fault),
            // An earlier form of it runs on.
            Err(fault) => {
                let text = located(&fault);
                self.board.pending.tell(text.clone());
                self.board.fault(&id, &name, text);
                self.known.insert(id, known);
                Ok(None)
            }
        }
    }

    /// Has a lane run a rule no more.
    fn end_rule(&mut self, id: &SmolStr) -> Outcome<()> {
        self.board.faults.lock().remove(id);
        let Some(lane) = self.known.get(id).and_then(|known| known.lane) else {
            return Ok(());
        };
        if let Some(rules) = self.load.get_mut(lane) {
            *rules = rules.saturating_sub(1);
        }
        self.hand(lane, Job::Remove(id.clone()))
    }

    /// Looks and writes until nothing more will come.
    pub fn run(mut self) {
        let mut looked = Instant::now();
        while !self.board.pending.wait(WRITE) {
            let ended = self.ended.load(Ordering::Relaxed);
            if self.again > Instant::now() {
                continue;
            }
            let mut done = Ok(());
            if self.watching && !ended && looked.elapsed() >= self.manner.reload {
                looked = Instant::now();
                done = self.look(false);
                if self.ended.load(Ordering::Relaxed) {
                    // The lanes may be gone already.
                    done = Ok(());
                }
            }
            let done = done.and_then(|()| self.write(false));
            self.settle(done);
        }
        let until = Instant::now() + LAST;
        loop {
            let done = self.write(true);
            if done.is_ok() {
                self.settle(done);
                break;
            }
            self.settle(done);
            if Instant::now() >= until {
                break;
            }
            std::thread::sleep(self.backoff.pause().min(LAST / 20));
        }
        let (results, lost) = self
            .board
            .pending
            .with(|held| (held.waiting() as u64, std::mem::take(&mut held.lost)));
        if results + lost > 0 {
            let text = format!("{} alerts could not be stored", results + lost);
            self.board.pending.tell(text);
        }
    }

    /// Says when the store stops answering, and when it answers again.
    fn settle(&mut self, done: Outcome<()>) {
        match done {
            Ok(()) => {
                self.backoff.reset();
                self.board.pending.away(false);
                if self.away.take().is_some() {
                    let lost = self
                        .board
                        .pending
                        .with(|held| std::mem::take(&mut held.lost));
                    let lost = match lost {
                        0 => String::new(),
                        lost => format!("; {lost} alerts found no room and were not stored"),
                    };
                    let text = format!("the store of rules answers again{lost}");
                    self.board.pending.tell(text);
                }
            }
            Err(fault) => {
                self.again = Instant::now() + self.backoff.pause();
                self.board.pending.away(true);
                if self.away.is_none() {
                    self.away = Some(Instant::now());
                    let text = format!(
                        "the store of rules does not answer; rules run on, alerts wait: {}",
                        fault.message
                    );
                    self.board.pending.tell(text);
                }
            }
        }
    }

    /// Writes what waits. Errors: the store's; what is not written waits on then.
    fn write(&mut self, last: bool) -> Outcome<()> {
        let Some(rules) = self.rules.clone() else {
            return Ok(());
        };
        while self.write_results(&rules)? {}
        self.write_states(&rules)?;
        if self.counted.elapsed() < COUNT && !last {
            return Ok(());
        }
        self.counted = Instant::now();
        self.write_counts(&rules)?;
        self.sweep(&rules, last)
    }

    /// Stores some alerts; whether there are more.
    fn write_results(&mut self, rules: &Rules) -> Outcome<bool> {
        let pending = self.board.pending.clone();
        let results = pending.with(|held| held.results(TOGETHER));
        let count = results.len();
        if count == 0 {
            return Ok(false);
        }
        match rules.add_results(results.clone(), self.within()) {
            Ok(_) => pending.done(count),
            Err(fault) if is_away(&fault) => return Err(fault),
            // One of them cannot be stored; that must not keep back the others.
            Err(_) => {
                for result in results {
                    let (id, rule) = (result.id.clone(), result.rule.clone());
                    if let Err(fault) = rules.add_results(vec![result], self.within()) {
                        if is_away(&fault) {
                            return Err(fault);
                        }
                        let rule = rule.unwrap_or_default();
                        let why = &fault.message;
                        let text = format!("the alert {id} of rule {rule} is not stored: {why}");
                        pending.tell(text);
                    }
                    pending.done(1);
                }
            }
        }
        Ok(pending.with(|held| held.waiting()) > 0)
    }

    /// Stores groups.
    fn write_states(&mut self, rules: &Rules) -> Outcome<()> {
        let pending = self.board.pending.clone();
        let part = groups(&self.manner.runner);
        while let Some((id, data)) = pending.with(|held| held.state()) {
            let state = (id.to_string(), part.clone(), data.clone());
            let stored = rules.save_states(vec![state], self.within());
            if let Err(fault) = stored {
                if is_away(&fault) {
                    pending.with(|held| held.put_back(id, data));
                    return Err(fault);
                }
                let text = format!("the groups of rule {id} are not saved: {}", fault.message);
                pending.tell(text);
            }
        }
        Ok(())
    }

    /// Adds to what the store counts, and stores metrics that have changed.
    fn write_counts(&mut self, rules: &Rules) -> Outcome<()> {
        let pending = self.board.pending.clone();
        let happened = pending.with(|held| std::mem::take(&mut held.happened));
        if !self.manner.counts {
            return Ok(());
        }
        let all: Vec<(String, Happened)> = happened
            .iter()
            .map(|(id, happened)| (id.to_string(), happened.clone()))
            .collect();
        if let Err(fault) = rules.note_all(all, self.within()) {
            pending.with(|held| {
                for (id, before) in happened {
                    held.add_before(&id, before);
                }
            });
            return Err(fault);
        }
        let all = self.board.all().into_iter();
        let known = all.filter(|(id, _)| self.known.contains_key(id));
        let changed = known.filter(|(id, one)| self.shown.get(id) != Some(one));
        let metrics: Vec<Metrics> = changed.map(|(_, one)| one).collect();
        let part = part(&self.manner.runner);
        let mut states = Vec::with_capacity(metrics.len());
        for one in &metrics {
            // Texts and numbers always have a form.
            let data = serde_json::to_vec(one).unwrap_or_default();
            states.push((one.id.clone(), part.clone(), data));
        }
        rules.save_states(states, self.within())?;
        for one in metrics {
            self.shown.insert(SmolStr::new(&one.id), one);
        }
        Ok(())
    }

    /// Takes away what was written for rules that were removed meanwhile.
    fn sweep(&mut self, rules: &Rules, last: bool) -> Outcome<()> {
        let (now, known) = (Instant::now(), &self.known);
        let due = |at: &Instant| last || now.duration_since(*at) >= SWEEP;
        let mut kept = Vec::new();
        for (id, at) in std::mem::take(&mut self.leaving) {
            if !due(&at) {
                kept.push((id, at));
            } else if !known.contains_key(&id) {
                rules.sweep(&id, self.within())?;
            }
        }
        self.leaving = kept;
        Ok(())
    }
}

/// The part of a rule's state in the store that holds its groups.
fn groups(runner: &str) -> String {
    format!("groups:{runner}")
}
