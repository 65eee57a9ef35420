//! The way of alerts to one sink: a queue of its own, so that a sink that fails holds back no other.

use super::spool::Spool;
use crate::diagnostic::{Fault, Outcome};
use crate::eval::Value;
use crate::eval::collections::{Map, MapKind};
use crate::eval::json::{read_event, write_json};
use crate::pipeline::{Event, Record};
use crate::rule::event::weight;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many bytes of alerts wait for a sink at most; what comes then is dropped and counted.
pub const ROOM: usize = 64 << 20;

/// How long the rules wait for a sink. One that takes longer is behind: nobody waits for it until it has taken all.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How often a sink that is behind is said to drop alerts.
const SAID: Duration = Duration::from_secs(60);

/// The alerts that one sink has not taken yet.
pub struct Queue {
    /// The name of the sink.
    pub name: String,
    spool: Spool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The oldest first; the first one has the number `taken`.
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// How many the sink has taken, which is the number of the next one that it is to take.
    taken: u64,
    /// How many of those that wait the sink was given.
    given: usize,
    /// How many of those that wait are in the spool.
    kept: usize,
    behind: bool,
    sent: u64,
    dropped: u64,
    /// How many of those were said, and when.
    said: (u64, Option<Instant>),
}

struct Waiting {
    bytes: usize,
    event: Event,
}

/// How a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many alerts wait.
    pub waiting: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// How many the sink has taken.
    pub sent: u64,
    /// How many found no room.
    pub dropped: u64,
    /// Whether the sink fails or is too slow.
    pub behind: bool,
}

impl State {
    fn end(&self) -> u64 {
        self.taken + self.waiting.len() as u64
    }

    fn push(&mut self, event: Event) {
        let bytes = size(&event);
        self.bytes += bytes;
        self.waiting.push_back(Waiting { bytes, event });
    }
}

/// About how many bytes an event takes.
fn size(event: &Event) -> usize {
    let fields = event.record.iter();
    let fields = fields.map(|(name, value)| 24 + weight(name, 0) + weight(value, 0));
    128 + fields.sum::<usize>()
}

impl Queue {
    /// That of a sink, with what waited at the last end; `read` makes an event of an alert. Errors: those of the spool.
    pub fn open(name: &str, spool: Spool, read: impl Fn(Record) -> Event) -> Outcome<Queue> {
        let mut state = State::default();
        let rows = spool.read()?;
        state.taken = rows.first().map_or(0, |(number, _)| *number);
        let maps = rows.iter().filter_map(|(_, alert)| read_event(alert).ok());
        for map in maps {
            state.push(read(map.entries().into_iter().collect()));
        }
        state.kept = state.waiting.len();
        if state.kept < rows.len() {
            // What is no alert any more leaves a gap: they are kept anew.
            spool.forget(i64::MAX.unsigned_abs())?;
            state.kept = 0;
        }
        state.behind = !state.waiting.is_empty();
        Ok(Queue {
            name: name.to_owned(),
            spool,
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    /// Takes an alert. While there is no room it waits for a sink that is not behind; else the alert is dropped.
    pub fn put(&self, event: &Event) {
        let size = size(event);
        let mut state = self.state.lock();
        let (mut taken, mut until) = (state.taken, Instant::now() + PATIENCE);
        while !state.waiting.is_empty() && state.bytes + size > ROOM {
            if state.behind {
                state.dropped += 1;
                return;
            }
            let late = self.changed.wait_until(&mut state, until).timed_out();
            if state.taken > taken {
                (taken, until) = (state.taken, Instant::now() + PATIENCE);
            } else if late {
                state.behind = true;
            }
        }
        state.push(event.clone());
        self.changed.notify_all();
    }

    /// Waits until the sink has taken all that waits now; after `until` it is behind. Whether that is new.
    pub fn wait(&self, until: Instant) -> bool {
        let mut state = self.state.lock();
        let end = state.end();
        while !state.behind && state.taken < end {
            if self.changed.wait_until(&mut state, until).timed_out() && state.taken < end {
                state.behind = true;
                return true;
            }
        }
        false
    }

    /// The sink has failed: nobody waits for it until it has taken all. Whether that is new.
    pub fn failed(&self) -> bool {
        let mut state = self.state.lock();
        let new = !std::mem::replace(&mut state.behind, true);
        self.changed.notify_all();
        new
    }

    /// Puts what waits for a sink that is behind where a crash does not lose it. Errors: those of the spool.
    pub fn keep(&self) -> Outcome<()> {
        let (alerts, kept) = {
            let state = self.state.lock();
            if !state.behind {
                return Ok(());
            }
            let first = state.taken + state.kept as u64;
            let new = (first..).zip(state.waiting.iter().skip(state.kept));
            let alerts = new.map(|(number, one)| (number, one.event.record.clone()));
            (alerts.collect::<Vec<_>>(), state.end())
        };
        if alerts.is_empty() {
            return Ok(());
        }
        let alerts = alerts.into_iter();
        let alerts = alerts.map(|(number, record)| (number, written(&record)));
        self.spool.keep(alerts.collect())?;
        let mut state = self.state.lock();
        state.kept = usize::try_from(kept.saturating_sub(state.taken)).unwrap_or(0);
        let taken = state.taken;
        drop(state);
        // What was taken meanwhile.
        self.spool.forget(taken)
    }

    /// The sink begins: everything that waits is given to it, again if need be.
    pub fn begin(&self) {
        self.state.lock().given = 0;
    }

    /// The next alerts, and how many the sink has when it has taken them; waits some time for them.
    pub fn next(&self, most: usize, time: Duration) -> Option<(Vec<Event>, u64)> {
        let mut state = self.state.lock();
        if state.given >= state.waiting.len() {
            self.changed.wait_for(&mut state, time);
        }
        let new = state.waiting.iter().skip(state.given).take(most);
        let events: Vec<Event> = new.map(|one| one.event.clone()).collect();
        state.given += events.len();
        let end = state.taken + state.given as u64;
        (!events.is_empty()).then_some((events, end))
    }

    /// The sink has taken all before a number. Whether it was behind and is no more. Errors: those of the spool.
    pub fn taken(&self, end: u64) -> Outcome<bool> {
        let mut state = self.state.lock();
        let mut kept = 0;
        while state.taken < end {
            let Some(one) = state.waiting.pop_front() else {
                break;
            };
            state.bytes = state.bytes.saturating_sub(one.bytes);
            state.taken += 1;
            state.sent += 1;
            state.given = state.given.saturating_sub(1);
            kept += usize::from(state.kept > 0);
            state.kept = state.kept.saturating_sub(1);
        }
        let caught_up = state.behind && state.waiting.is_empty();
        if caught_up {
            state.behind = false;
        }
        let taken = state.taken;
        self.changed.notify_all();
        drop(state);
        if kept > 0 {
            self.spool.forget(taken)?;
        }
        Ok(caught_up)
    }

    /// How many alerts were dropped since that was said last, when it is time to say it.
    pub fn lost(&self) -> Option<u64> {
        let mut state = self.state.lock();
        let (said, when) = state.said;
        let due = when.is_none_or(|when| when.elapsed() >= SAID);
        if state.dropped == said || !due {
            return None;
        }
        state.said = (state.dropped, Some(Instant::now()));
        Some(state.dropped - said)
    }

    /// How it is.
    pub fn standing(&self) -> Standing {
        let state = self.state.lock();
        Standing {
            waiting: state.waiting.len() as u64,
            bytes: state.bytes as u64,
            sent: state.sent,
            dropped: state.dropped,
            behind: state.behind,
        }
    }
}

/// An alert as JSON, without the fields in which something is none.
fn written(record: &Record) -> Vec<u8> {
    let map = |fields| Value::Map(Map::new(MapKind::Ordered, fields));
    let mut text = Vec::new();
    if write_json(&map(record.iter().cloned().collect()), &mut text).is_err() {
        text.clear();
        let good = record.iter().filter(|(_, value)| {
            let mut field = Vec::new();
            write_json(value, &mut field).is_ok()
        });
        // Each of its fields is.
        let _ = write_json(&map(good.cloned().collect()), &mut text);
    }
    text
}

/// What is said of a fault of the spool.
pub fn not_kept(name: &str, fault: &Fault) -> String {
    format!(
        "the alerts that wait for the sink {name} are not kept: {}",
        fault.message
    )
}

#[cfg(test)]
mod tests {
    use super::super::plan::event_of;
    use super::super::spool::SINK;
    use super::*;
    use crate::store::Store;

    fn event(number: i32, bytes: usize) -> Event {
        let mut record = Record::default();
        record.set("n", Value::Int(number));
        record.set("text", Value::text("x".repeat(bytes)));
        event_of(record)
    }

    fn open(store: &Store) -> Queue {
        Queue::open("soc", Spool::of(store, "soc"), event_of).unwrap()
    }

    fn numbers(events: &[Event]) -> Vec<f64> {
        let number = |event: &Event| event.record.get("n").unwrap().as_double().unwrap();
        events.iter().map(number).collect()
    }

    #[test]
    fn a_queue_is_bounded_and_what_waits_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("stellar.db"), &[&SINK]);
        let queue = open(&store);
        assert!(queue.failed() && !queue.failed());
        for number in 0..8 {
            queue.put(&event(number, ROOM / 7));
        }
        // Two found no room.
        let standing = queue.standing();
        assert_eq!((standing.waiting, standing.dropped), (6, 2));
        assert!(standing.bytes <= ROOM as u64);
        assert_eq!((queue.lost(), queue.lost()), (Some(2), None));
        queue.keep().unwrap();
        let (events, end) = queue.next(4, Duration::ZERO).unwrap();
        assert_eq!((numbers(&events), end), (vec![0.0, 1.0, 2.0, 3.0], 4));
        assert!(!queue.taken(2).unwrap());
        // After a crash what was not taken comes again, before what is new.
        drop(queue);
        let queue = open(&store);
        queue.put(&event(8, 10));
        queue.keep().unwrap();
        queue.keep().unwrap();
        let queue = open(&store);
        let (events, end) = queue.next(100, Duration::ZERO).unwrap();
        assert_eq!(numbers(&events), [2.0, 3.0, 4.0, 5.0, 8.0]);
        assert!(queue.next(100, Duration::ZERO).is_none());
        // A sink that begins anew gets them again.
        queue.begin();
        assert_eq!(queue.next(100, Duration::ZERO).unwrap().1, end);
        assert!(!queue.wait(Instant::now()), "nobody waits for it");
        assert!(queue.taken(end).unwrap());
        assert_eq!(open(&store).standing().waiting, 0);
        // Now it is waited for again.
        queue.put(&event(9, 10));
        assert!(queue.wait(Instant::now()));
        assert!(queue.standing().behind);
    }

    #[test]
    fn what_is_no_alert_any_more_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("stellar.db"), &[&SINK]);
        let rows = [(4, &b"{\"n\": 4}"[..]), (5, b"trash"), (6, b"{\"n\": 6}")];
        let rows = rows.map(|(number, text)| (number, text.to_vec()));
        Spool::of(&store, "soc").keep(rows.to_vec()).unwrap();
        Spool::of(&store, "other").keep(rows.to_vec()).unwrap();
        let queue = open(&store);
        queue.keep().unwrap();
        assert_eq!(Spool::of(&store, "soc").read().unwrap().len(), 2);
        let queue = open(&store);
        let (events, end) = queue.next(9, Duration::ZERO).unwrap();
        assert_eq!((numbers(&events), end), (vec![4.0, 6.0], 6));
        queue.taken(end).unwrap();
        assert!(Spool::of(&store, "soc").read().unwrap().is_empty());
        assert_eq!(Spool::of(&store, "other").read().unwrap().len(), 3);
    }
}
