//! The committing thread of a pipeline: everything that has an order.

use super::checkpoint::{self, Memory};
use super::counts::{Counts, FAILED, OUT};
use super::dead::DeadLetters;
use super::run::{LivePipeline, Timing};
use super::walk::{Hands, walk};
use super::worker::{Finished, Item};
use super::{Own, Shared, Stage};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::pipeline::event::Event;
use crate::pipeline::step::{Done, Flow, Kept, Load, Now, Render, Token};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often steps are told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// What saving may take of the time: one part in so many.
const SHARE: u32 = 20;

pub(super) struct Committer<'a> {
    pub id: String,
    pub stages: &'a [Stage],
    pub own: Vec<Own>,
    pub db_paths: Vec<Option<PathBuf>>,
    pub timing: &'a Timing,
    pub dead: &'a DeadLetters,
    pub memory: &'a Memory,
    /// How often states are saved at most.
    pub every: Duration,
    pub live: &'a LivePipeline,
    pub stop: &'a AtomicBool,
    /// How many batches are on the way.
    pub waiting: Arc<AtomicU64>,
    /// How many bytes are.
    pub load: Arc<Load>,
    /// How many inputs there are, and how many of them have ended with an error.
    pub inputs: usize,
    pub failed: Arc<AtomicUsize>,
    pub once: bool,
    /// Counted since the last merge.
    pub counts: Vec<Counts>,
    /// How far the time of the events has come.
    pub event_time: Option<Now>,
    /// What ended the pipeline.
    pub fatal: Option<Fault>,
    pub tokens: Vec<(usize, Arc<dyn Token>)>,
    /// The last saved place of each input.
    pub places: BTreeMap<usize, Json>,
    pub changed: bool,
}

impl Committer<'_> {
    /// Takes batches in their order until there are no more. Errors: what ended the pipeline.
    pub fn run(mut self, finished: Receiver<Finished>, room: Receiver<()>) -> Outcome<()> {
        let ran = self.work(finished, room);
        if ran.is_err() {
            // What the others hold is written; as nothing is saved, it comes again. The first error is the one to tell.
            let _ = self.flush(true);
            self.merge();
        }
        ran
    }

    fn work(&mut self, finished: Receiver<Finished>, room: Receiver<()>) -> Outcome<()> {
        let keeps = self.memory.keeps() || self.db_paths.iter().any(Option::is_some);
        let mut early: BTreeMap<u64, Finished> = BTreeMap::new();
        let mut next = 0;
        let mut ticked = Instant::now();
        let (mut saved, mut took) = (Instant::now(), Duration::ZERO);
        let mut fed = true;
        self.tick(false)?;
        if keeps {
            // What a crash in the first second leaves is known then, too.
            self.checkpoint()?;
        }
        while self.fatal.is_none() {
            let rest = TICK.saturating_sub(ticked.elapsed());
            if fed {
                match finished.recv_timeout(rest) {
                    Ok(batch) => {
                        early.insert(batch.number, batch);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => fed = false,
                }
            } else if self.once || self.stop.load(Ordering::Relaxed) || self.nothing_comes() {
                break;
            } else {
                std::thread::sleep(rest.min(Duration::from_millis(20)));
            }
            let mut worked = false;
            while let Some(batch) = early.remove(&next) {
                let (input, sent, size) = (batch.input, batch.sent, batch.size);
                self.commit(batch)?;
                self.load.done(size);
                self.live.lags.lock().insert(input, sent.elapsed());
                next += 1;
                worked = true;
                let _ = room.try_recv();
                self.waiting.fetch_sub(1, Ordering::SeqCst);
            }
            let idle = early.is_empty() && self.waiting.load(Ordering::SeqCst) == 0;
            if ticked.elapsed() >= TICK || worked && idle {
                ticked = Instant::now();
                self.tick(idle)?;
            }
            let urgent = || self.tokens.iter().any(|(_, token)| token.urgent());
            let due = saved.elapsed() >= self.every.max(took * SHARE) || idle && urgent();
            if due && (keeps && self.changed || !self.tokens.is_empty()) {
                let started = Instant::now();
                self.checkpoint()?;
                (saved, took) = (Instant::now(), started.elapsed());
            }
        }
        if self.fatal.is_none() && self.once && !self.stop.load(Ordering::Relaxed) {
            self.end();
        }
        match self.fatal.take() {
            Some(fault) => Err(fault),
            None => {
                for own in &mut self.own {
                    if let Own::Sink(sink) = own {
                        sink.end();
                    }
                }
                let written = match keeps || !self.tokens.is_empty() {
                    true => self.checkpoint(),
                    false => {
                        self.drain();
                        self.flush(false)
                    }
                };
                // Outputs count while they write.
                self.merge();
                written
            }
        }
    }

    /// Whether every input has ended with an error.
    fn nothing_comes(&self) -> bool {
        self.inputs > 0 && self.failed.load(Ordering::SeqCst) == self.inputs
    }

    fn commit(&mut self, batch: Finished) -> Outcome<()> {
        if batch.broken {
            let text = format!("a step of the pipeline {} has a fault", self.id);
            return Err(Diagnostic::new(Code::Internal, text));
        }
        self.changed = true;
        let mut from = 0;
        for item in batch.items {
            match item {
                Item::Event { at, event } => {
                    if let Some(reason) = self.timing.too_far(&event) {
                        if let Some(counts) = self.counts.get_mut(at) {
                            counts.one(&event.tag, FAILED);
                        }
                        self.fail(at, event, reason);
                        continue;
                    }
                    let now = self.advance(&event);
                    walk(self.stages, self, at, event, now);
                }
                Item::Failed { at, event, reason } => self.fail(at, event, reason),
                Item::Bytes {
                    at,
                    route,
                    length,
                    count,
                } => {
                    let bytes = batch.bytes.get(from..from + length).unwrap_or_default();
                    from += length;
                    if let Some(Own::Sink(sink)) = self.own.get_mut(at) {
                        sink.write(&route, bytes, count)?;
                    }
                    self.refused(at);
                }
            }
            if let Some(fault) = self.fatal.take() {
                return Err(fault);
            }
        }
        for group in &batch.groups {
            if let Some(Own::Sink(sink)) = self.own.get_mut(group.at) {
                sink.write(&group.route, &group.bytes, group.count)?;
            }
            self.refused(group.at);
        }
        if let Some(fault) = self.fatal.take() {
            return Err(fault);
        }
        for (own, counts) in self.counts.iter_mut().zip(&batch.counts) {
            own.merge(counts);
        }
        if let Some(token) = batch.token {
            self.tokens.push((batch.input, token));
        }
        Ok(())
    }

    /// The moment of an event; when the time of the events goes on by a second, the steps are told first.
    fn advance(&mut self, event: &Event) -> Now {
        let Some(own) = self.timing.of(event) else {
            return self.event_time.unwrap_or_else(|| self.timing.now());
        };
        let known = self.event_time;
        if known.is_none_or(|known| own.seconds() > known.seconds()) {
            self.event_time = Some(own);
            if known.is_some() {
                self.tick_kept(own);
            }
        }
        own
    }

    fn tick(&mut self, idle: bool) -> Outcome<()> {
        let now = self.timing.now();
        if self.timing.by_clock() {
            self.tick_kept(now);
        }
        self.drain();
        for own in &mut self.own {
            match own {
                Own::Sink(sink) => sink.tick(now, idle)?,
                Own::Kept(kept) => kept.flush()?,
                Own::None => {}
            }
        }
        self.all_refused();
        if idle {
            self.dead.flush(false)?;
            let mut lags = self.live.lags.lock();
            lags.values_mut().for_each(|lag| *lag = Duration::ZERO);
        }
        self.merge();
        match self.fatal.take() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    fn tick_kept(&mut self, now: Now) {
        self.each_kept(now, |kept, more| kept.tick(now, more));
    }

    /// Takes what steps work out beside the events.
    fn drain(&mut self) {
        let now = self.event_time.unwrap_or_else(|| self.timing.now());
        self.each_kept(now, |kept, more| kept.drain(now, more));
    }

    fn each_kept(
        &mut self,
        now: Now,
        mut ask: impl FnMut(&mut dyn Kept, &mut Vec<Event>) -> Result<(), String>,
    ) {
        for at in 0..self.own.len() {
            let Some(Own::Kept(kept)) = self.own.get_mut(at) else {
                continue;
            };
            let mut more = Vec::new();
            let done = ask(kept.as_mut(), &mut more);
            self.add(at, more, now);
            if let Err(reason) = done {
                let name = self.stages.get(at).map_or("", |stage| stage.name);
                self.fatal = Some(Diagnostic::new(
                    Code::Internal,
                    format!("{name} of the pipeline {}: {reason}", self.id),
                ));
            }
        }
    }

    /// Leads events that a step has made by itself through those below it.
    fn add(&mut self, at: usize, more: Vec<Event>, now: Now) {
        self.changed |= !more.is_empty();
        for event in more {
            if let Some(counts) = self
                .counts
                .get_mut(at)
                .filter(|_| at + 1 < self.stages.len())
            {
                counts.one(&event.tag, OUT);
            }
            walk(self.stages, self, at + 1, event, now);
        }
    }

    /// Tells the steps, from the first on, that no more events will come.
    fn end(&mut self) {
        let now = self.event_time.unwrap_or_else(|| self.timing.now());
        for at in 0..self.own.len() {
            let db_path = self.db_paths.get(at).is_some_and(Option::is_some);
            let saved = self.memory.keeps() || db_path;
            if let Some(Own::Kept(kept)) = self.own.get_mut(at) {
                let mut more = Vec::new();
                kept.end(now, saved, &mut more);
                self.add(at, more, now);
            }
        }
    }

    /// Passes on what was counted.
    fn merge(&mut self) {
        let mut live = self.live.counts.lock();
        for (total, counts) in live.iter_mut().zip(&mut self.counts) {
            total.merge(&std::mem::take(counts));
        }
        let mut sizes = self.live.sizes.lock();
        for ((size, own), stage) in sizes.iter_mut().zip(&self.own).zip(self.stages) {
            match (own, &stage.shared) {
                (Own::Kept(kept), _) => *size = (kept.size(), kept.evicted()),
                (_, Shared::Pure(pure)) => *size = (pure.size(), pure.evicted()),
                _ => {}
            }
        }
        let mut others = self.live.others.lock();
        for (others, own) in others.iter_mut().zip(&self.own) {
            match own {
                Own::Kept(kept) => *others = kept.others(),
                Own::Sink(sink) => *others = sink.others(),
                Own::None => {}
            }
            others.retain(|(_, count)| *count > 0);
        }
    }

    fn flush(&mut self, durably: bool) -> Outcome<()> {
        // One that fails does not keep the others from writing.
        let mut flushed = Ok(());
        for own in &mut self.own {
            let one = match own {
                Own::Sink(sink) => sink.flush(durably),
                Own::Kept(kept) => kept.flush(),
                Own::None => Ok(()),
            };
            flushed = flushed.and(one);
        }
        self.all_refused();
        if let Some(fault) = self.fatal.take() {
            flushed = flushed.and(Err(fault));
        }
        flushed.and(self.dead.flush(durably))
    }

    /// Takes what an output will never write to the dead letters.
    fn refused(&mut self, at: usize) {
        let Some(Own::Sink(sink)) = self.own.get_mut(at) else {
            return;
        };
        for (event, reason) in sink.refused() {
            if let Some(counts) = self.counts.get_mut(at) {
                counts.one(&event.tag, FAILED);
            }
            self.fail(at, event, reason);
        }
    }

    fn all_refused(&mut self) {
        (0..self.own.len()).for_each(|at| self.refused(at));
    }

    /// Outputs first, then states and places, then the answers: what is answered is never lost.
    fn checkpoint(&mut self) -> Outcome<()> {
        self.drain();
        self.flush(true)?;
        // The last one of each input knows what those before it knew.
        let last: BTreeMap<usize, &Arc<dyn Token>> = self
            .tokens
            .iter()
            .map(|(input, token)| (*input, token))
            .collect();
        for (input, token) in last {
            if let Some(place) = token.position() {
                self.places.insert(input, place);
            }
        }
        let mut states: Vec<(usize, Json)> = Vec::new();
        for (at, own) in self.own.iter().enumerate() {
            // A large state is not even made where nothing keeps it.
            if !self.memory.keeps() && self.db_paths.get(at).is_none_or(Option::is_none) {
                continue;
            }
            let state = match own {
                Own::Kept(kept) => kept.save(),
                Own::Sink(sink) => sink.save(),
                Own::None => match self.stages.get(at).map(|stage| &stage.shared) {
                    Some(Shared::Pure(pure)) => pure.save(),
                    _ => self.places.get(&at).cloned(),
                },
            };
            states.extend(state.map(|state| (at, state)));
        }
        let names: Vec<&'static str> = self.stages.iter().map(|stage| stage.name).collect();
        checkpoint::save(&self.id, &names, states, &self.db_paths, self.memory)?;
        for (_, token) in self.tokens.drain(..) {
            token.acknowledge();
        }
        self.changed = false;
        *self.live.saved.lock() = Instant::now();
        Ok(())
    }
}

impl Hands for Committer<'_> {
    fn counts(&mut self, at: usize) -> Option<&mut Counts> {
        self.counts.get_mut(at)
    }

    fn keep(&mut self, at: usize, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        match self.own.get_mut(at) {
            Some(Own::Kept(kept)) => kept.apply(event, now, more),
            _ => Ok(Flow::Pass),
        }
    }

    fn write(&mut self, at: usize, render: &dyn Render, event: &Event) -> Result<(), String> {
        let (mut route, mut bytes) = (String::new(), Vec::with_capacity(256));
        render.render(event, &mut route, &mut bytes)?;
        if let Some(Own::Sink(sink)) = self.own.get_mut(at)
            && let Err(fault) = sink.write(&route, &bytes, 1)
        {
            self.fatal.get_or_insert(fault);
        }
        Ok(())
    }

    fn fail(&mut self, at: usize, event: Event, reason: String) {
        let name = self.stages.get(at).map_or("", |stage| stage.name);
        if let Err(fault) = self.dead.take(&self.id, name, &event, &reason) {
            self.fatal.get_or_insert(fault);
        }
    }

    fn moment(&mut self, event: &Event, now: Now) -> Now {
        self.timing.of(event).or(self.event_time).unwrap_or(now)
    }
}
