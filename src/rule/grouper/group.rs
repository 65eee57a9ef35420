//! One group: its events in order of time, and what differs among them.

use ahash::AHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// How many different values are looked through one by one; more are kept in a table.
const FEW: usize = 8;
/// What a group takes beside its events: the slot, the entry of its key, and what allocations waste.
pub(super) const GROUP_BYTES: usize = 288;
/// What an event takes in a group beside itself.
const EVENT_BYTES: usize = 64;

/// An event in a group.
#[derive(Debug, Clone)]
pub(super) struct Entry<E> {
    pub time: i64,
    pub unique: SmolStr,
    pub weight: u32,
    pub event: E,
}

impl<E> Entry<E> {
    pub fn bytes(&self) -> usize {
        EVENT_BYTES + self.weight as usize
    }
}

/// How often each value is there.
#[derive(Debug)]
enum Distinct {
    Few(SmallVec<[(SmolStr, u32); 1]>),
    Many(Box<AHashMap<SmolStr, u32>>),
}

impl Distinct {
    fn len(&self) -> usize {
        match self {
            Distinct::Few(values) => values.len(),
            Distinct::Many(values) => values.len(),
        }
    }

    /// Adds a value; one that is known is given back, so that equal texts share their memory.
    fn add(&mut self, value: &SmolStr) -> Option<SmolStr> {
        match self {
            Distinct::Few(values) => {
                if let Some((known, count)) = values.iter_mut().find(|(known, _)| known == value) {
                    *count += 1;
                    return Some(known.clone());
                }
                values.push((value.clone(), 1));
                if values.len() > FEW {
                    *self = Distinct::Many(Box::new(values.drain(..).collect()));
                }
                None
            }
            Distinct::Many(values) => match values.get_key_value(value.as_str()) {
                Some((known, _)) => {
                    let known = known.clone();
                    *values.entry(known.clone()).or_default() += 1;
                    Some(known)
                }
                None => {
                    values.insert(value.clone(), 1);
                    None
                }
            },
        }
    }

    fn remove(&mut self, value: &SmolStr) {
        match self {
            Distinct::Few(values) => {
                if let Some(at) = values.iter().position(|(known, _)| known == value)
                    && let Some((_, count)) = values.get_mut(at)
                {
                    *count -= 1;
                    if *count == 0 {
                        values.swap_remove(at);
                    }
                }
            }
            Distinct::Many(values) => {
                if let Some(count) = values.get_mut(value) {
                    *count -= 1;
                    if *count == 0 {
                        values.remove(value);
                    }
                }
            }
        }
    }
}

/// The events of one key that lie within the window, the oldest first.
#[derive(Debug)]
pub struct Group<E> {
    pub(super) key: SmolStr,
    pub(super) entries: VecDeque<Entry<E>>,
    distinct: Distinct,
    /// What its events take.
    pub(super) bytes: usize,
    /// How many events in a row came too late for it.
    pub(super) late: u8,
    /// It waits for the end of the batch.
    pub(super) waits: bool,
}

impl<E> Group<E> {
    pub(super) fn new(key: SmolStr) -> Group<E> {
        Group {
            key,
            // Most groups never hold more.
            entries: VecDeque::with_capacity(1),
            distinct: Distinct::Few(SmallVec::new()),
            bytes: 0,
            late: 0,
            waits: false,
        }
    }

    /// How many events there are.
    pub fn total(&self) -> usize {
        self.entries.len()
    }

    /// How many different values of the aggregated fields they have.
    pub fn unique(&self) -> usize {
        self.distinct.len()
    }

    /// The events, the oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &E> + ExactSizeIterator {
        self.entries.iter().map(|entry| &entry.event)
    }

    /// The event at a position, from 0.
    pub fn event(&self, at: usize) -> Option<&E> {
        self.entries.get(at).map(|entry| &entry.event)
    }

    /// The values of the fields that it is grouped by.
    pub fn key(&self) -> Vec<&str> {
        super::key_parts(&self.key)
    }

    /// The time of its latest event.
    pub fn newest(&self) -> Option<i64> {
        self.entries.back().map(|entry| entry.time)
    }

    /// Puts an event at its place: behind those of the same time that `tie` does not put behind it.
    pub(super) fn insert(&mut self, mut entry: Entry<E>, tie: fn(&E, &E) -> Ordering) {
        if let Some(shared) = self.distinct.add(&entry.unique) {
            entry.unique = shared;
        }
        self.bytes += entry.bytes();
        let behind = |other: &Entry<E>| {
            let order = other.time.cmp(&entry.time);
            order.then_with(|| tie(&other.event, &entry.event)) != Ordering::Greater
        };
        // Events come in order nearly always.
        let at = match self.entries.back() {
            Some(last) if !behind(last) => self.entries.partition_point(behind),
            _ => self.entries.len(),
        };
        self.entries.insert(at, entry);
    }

    /// Removes the oldest event.
    pub(super) fn pop(&mut self) -> Option<Entry<E>> {
        let entry = self.entries.pop_front()?;
        self.forget(&entry);
        Some(entry)
    }

    /// Removes the events for which `of` is true. What they took is given back.
    pub(super) fn remove(&mut self, of: impl Fn(&E) -> bool) -> usize {
        let bytes = self.bytes;
        for entry in std::mem::take(&mut self.entries) {
            match of(&entry.event) {
                true => self.forget(&entry),
                false => self.entries.push_back(entry),
            }
        }
        bytes - self.bytes
    }

    /// Removes the events from before a time. What they took is given back.
    pub(super) fn expire(&mut self, before: i64) -> usize {
        let bytes = self.bytes;
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.time < before)
        {
            self.pop();
        }
        // A burst must not hold its memory for as long as the group lives.
        if self.entries.capacity() > 64 && self.entries.len() < self.entries.capacity() / 4 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
        bytes - self.bytes
    }

    fn forget(&mut self, entry: &Entry<E>) {
        self.bytes -= entry.bytes();
        self.distinct.remove(&entry.unique);
    }
}
