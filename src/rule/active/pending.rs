//! What waits to be written to the store of rules: bounded, whatever the store does.

use super::lane::Raised;
use crate::eval::Value;
use crate::eval::collections::List;
use crate::eval::json::to_json;
use crate::rule::alert::Alert;
use crate::rule::event::weight;
use crate::rule::store::{Happened, NewResult};
use ahash::AHashMap;
use parking_lot::{Condvar, Mutex};
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many bytes the alerts that wait may take; what comes then is counted and lost.
pub const WAITING: usize = 64 << 20;
/// How many bytes the saved groups that wait may take.
pub const STATES: usize = 256 << 20;
/// How many bytes the events of a stored alert may take; the later ones are left out.
pub const RESULT: usize = 4 << 20;

/// What waits, for the lanes that put it there and the one that stores it.
#[derive(Default)]
pub(super) struct Pending {
    held: Mutex<Held>,
    wake: Condvar,
    /// Told when alerts are stored, or cannot be.
    settled: Condvar,
}

/// What waits.
#[derive(Default)]
pub(super) struct Held {
    results: VecDeque<(usize, NewResult)>,
    bytes: usize,
    /// How many were stored, or given up.
    done: u64,
    /// Somebody waits for them to be stored.
    hurry: bool,
    /// Whether the store does not answer.
    away: bool,
    /// How many alerts found no room, since that was said last.
    pub lost: u64,
    /// By rule.
    pub happened: AHashMap<SmolStr, Happened>,
    /// Saved groups, by rule: the latest.
    states: AHashMap<SmolStr, Vec<u8>>,
    /// What is to be told to those who run the rules.
    pub told: Vec<String>,
    closed: bool,
}

/// How much is told at most before somebody listens.
const TOLD: usize = 100;

impl Held {
    /// The first results, at most so many.
    pub fn results(&self, most: usize) -> Vec<NewResult> {
        let first = self.results.iter().take(most);
        first.map(|(_, result)| result.clone()).collect()
    }

    /// How many results wait.
    pub fn waiting(&self) -> usize {
        self.results.len()
    }

    /// Takes saved groups, in place of earlier ones; false when there is no room.
    pub fn keep_state(&mut self, rule: SmolStr, data: Vec<u8>) -> bool {
        self.states.remove(&rule);
        let bytes: usize = self.states.values().map(Vec::len).sum();
        let room = bytes + data.len() <= STATES;
        if room {
            self.states.insert(rule, data);
        }
        room
    }

    /// Saved groups that are to be stored next.
    pub fn state(&mut self) -> Option<(SmolStr, Vec<u8>)> {
        let rule = self.states.keys().next()?.clone();
        self.states.remove_entry(&rule)
    }

    /// Saved groups that could not be stored, unless there are later ones.
    pub fn put_back(&mut self, rule: SmolStr, data: Vec<u8>) {
        self.states.entry(rule).or_insert(data);
    }

    /// Adds to what happened to a rule.
    pub fn add(&mut self, rule: &SmolStr, more: Happened) {
        join(self.happened.entry(rule.clone()).or_default(), more);
    }

    /// Adds what happened to a rule before all that is known here.
    pub fn add_before(&mut self, rule: &SmolStr, before: Happened) {
        let happened = self.happened.entry(rule.clone()).or_default();
        let after = std::mem::replace(happened, before);
        join(happened, after);
    }
}

/// Adds what happened later.
fn join(happened: &mut Happened, more: Happened) {
    happened.results += more.results;
    happened.errors += more.errors;
    if more.running_at.is_some() {
        happened.running_at = more.running_at;
    }
}

impl Pending {
    /// Takes alerts of rules that are in the store.
    pub fn results(&self, raised: &[Raised], now: i64) {
        for one in raised.iter().filter(|one| one.stored) {
            if self.held.lock().bytes > WAITING {
                self.held.lock().lost += 1;
                continue;
            }
            let (bytes, result) = result(one, now);
            let mut held = self.held.lock();
            held.bytes += bytes;
            held.results.push_back((bytes, result));
        }
    }

    /// Works on what waits.
    pub fn with<T>(&self, work: impl FnOnce(&mut Held) -> T) -> T {
        work(&mut self.held.lock())
    }

    /// The first results are stored, or given up.
    pub fn done(&self, count: usize) {
        let mut held = self.held.lock();
        let count = count.min(held.results.len());
        let bytes: usize = held.results.drain(..count).map(|(bytes, _)| bytes).sum();
        held.bytes = held.bytes.saturating_sub(bytes);
        held.done += count as u64;
        self.settled.notify_all();
    }

    /// Whether the store does not answer: nobody waits for it then.
    pub fn away(&self, away: bool) {
        self.held.lock().away = away;
        self.settled.notify_all();
    }

    /// Waits until the alerts that wait now are stored, for some time at most.
    pub fn settle(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut held = self.held.lock();
        let end = held.done + held.results.len() as u64;
        while held.done < end && !held.away && !held.closed {
            held.hurry = true;
            self.wake.notify_all();
            if self.settled.wait_until(&mut held, until).timed_out() {
                break;
            }
        }
    }

    /// Says something to those who run the rules.
    pub fn tell(&self, text: String) {
        let mut held = self.held.lock();
        if held.told.len() < TOLD {
            held.told.push(text);
        }
    }

    /// Nothing more will come.
    pub fn close(&self) {
        self.held.lock().closed = true;
        self.wake.notify_all();
        self.settled.notify_all();
    }

    /// Waits some time, or until somebody waits for what waits, or nothing more will come; whether that is so.
    pub fn wait(&self, time: Duration) -> bool {
        let mut held = self.held.lock();
        if !held.closed && !held.hurry {
            self.wake.wait_for(&mut held, time);
        }
        held.hurry = false;
        held.closed
    }
}

/// An alert as it is stored, and about how many bytes it takes.
fn result(raised: &Raised, now: i64) -> (usize, NewResult) {
    let map = raised.to_map();
    let mut bytes = 0;
    let logs = raised.alert.logs.iter();
    let kept: Vec<Value> = logs
        .map(|log| Value::Map(log.clone()))
        .take_while(|log| {
            bytes += weight(log, 0);
            bytes <= RESULT
        })
        .collect();
    if kept.len() < raised.alert.logs.len() {
        // A field that is there already.
        let _ = map.put(
            Value::text("logs"),
            Value::List(List::array(kept)),
            usize::MAX,
        );
    }
    let bytes = weight(&Value::Map(map.clone()), 0);
    let alert = to_json(&Value::Map(map)).or_else(|_| {
        // Something in its events is no JSON.
        let mut bare = raised.clone();
        bare.alert = Alert {
            logs: Vec::new(),
            meta: Value::Null,
            ..bare.alert
        };
        to_json(&Value::Map(bare.to_map()))
    });
    let result = NewResult {
        id: raised.id.clone(),
        rule: Some(raised.rule.to_string()),
        at: now,
        alert: alert.unwrap_or_default(),
    };
    (bytes, result)
}
