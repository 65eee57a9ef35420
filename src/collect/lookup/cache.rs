//! What was found lately, in bounded memory.

use crate::collect::entry::Found;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Parts with a lock of their own.
const PARTS: usize = 16;

/// How much a half of a part holds: 1 for an entry, and 1 more for each 64 bytes of its values. In all, that is some
/// 50 MB.
const HALF: usize = 16_384;

/// How long it is believed that a key is there, unless it expires sooner.
pub const THERE: Duration = Duration::from_secs(60);

/// How long it is believed that a key is not there, and what its values are.
pub const BRIEF: Duration = Duration::from_secs(1);

/// A collection by its number, and the hash of a key.
pub(super) type Name = (u32, [u8; 16]);

/// What is asked about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Want {
    /// Whether it is there.
    Presence,
    /// What is known about it.
    Entry,
}

/// What is known about a key.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It is not there.
    Gone,
    /// It is there until then, by the clock of the store.
    There(i64),
    /// It is there, with this.
    Entry(Arc<Found>),
}

impl Answer {
    /// Whether the key is there.
    pub fn is_there(&self) -> bool {
        !matches!(self, Answer::Gone)
    }

    fn until(&self) -> i64 {
        match self {
            Answer::Gone => i64::MAX,
            Answer::There(until) => *until,
            Answer::Entry(found) => found.expires.unwrap_or(i64::MAX),
        }
    }

    fn weight(&self) -> usize {
        let Answer::Entry(found) = self else { return 1 };
        let fields = found.fields.as_deref().unwrap_or_default();
        let bytes: usize = fields.iter().map(|(n, t)| n.len() + t.len() + 48).sum();
        1 + bytes / 64
    }

    fn believed(&self) -> Duration {
        match self {
            Answer::There(_) => THERE,
            Answer::Gone | Answer::Entry(_) => BRIEF,
        }
    }
}

struct Slot {
    answer: Answer,
    good: Instant,
}

/// Two halves: when the newer one is full, the older one goes.
#[derive(Default)]
struct Part {
    newer: HashMap<Name, Slot, ahash::RandomState>,
    older: HashMap<Name, Slot, ahash::RandomState>,
    weight: usize,
}

/// Answers by their keys.
pub(super) struct Cache(Vec<Mutex<Part>>);

impl Default for Cache {
    fn default() -> Cache {
        Cache((0..PARTS).map(|_| Mutex::default()).collect())
    }
}

impl Cache {
    fn part(&self, name: &Name) -> Option<&Mutex<Part>> {
        // The hash is as good as chance.
        self.0.get(usize::from(name.1[0]) % PARTS)
    }

    /// What is known, at these moments of this machine and of the store.
    pub fn get(&self, name: &Name, want: Want, moment: Instant, now: i64) -> Option<Answer> {
        let part = self.part(name)?.lock();
        let slot = part.newer.get(name).or_else(|| part.older.get(name))?;
        // What has expired may have come again.
        if slot.good <= moment || slot.answer.until() <= now {
            return None;
        }
        match (want, &slot.answer) {
            (Want::Entry, Answer::There(_)) => None,
            (_, answer) => Some(answer.clone()),
        }
    }

    /// Keeps an answer for some time.
    pub fn put(&self, name: Name, answer: &Answer, moment: Instant) {
        let Some(part) = self.part(&name) else { return };
        let mut part = part.lock();
        let weight = answer.weight();
        if part.weight + weight > HALF {
            part.older = std::mem::take(&mut part.newer);
            part.weight = 0;
        }
        part.weight += weight;
        let slot = Slot {
            answer: answer.clone(),
            good: moment + answer.believed(),
        };
        part.newer.insert(name, slot);
    }

    /// Forgets a key.
    pub fn remove(&self, name: &Name) {
        let Some(part) = self.part(name) else { return };
        let mut part = part.lock();
        part.newer.remove(name);
        part.older.remove(name);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        let part = |part: &Mutex<Part>| {
            let part = part.lock();
            part.newer.len() + part.older.len()
        };
        self.0.iter().map(part).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: u32) -> Name {
        let mut hash = [0; 16];
        hash[..4].copy_from_slice(&n.to_le_bytes());
        (1, hash)
    }

    #[test]
    fn answers_are_believed_for_their_time() {
        let cache = Cache::default();
        let begin = Instant::now();
        let get = |n, want, after: Duration, now| {
            let found = cache.get(&name(n), want, begin + after, now);
            found.map(|answer| answer.is_there())
        };
        let zero = Duration::ZERO;
        assert_eq!(get(1, Want::Presence, zero, 0), None);
        cache.put(name(1), &Answer::There(1000), begin);
        assert_eq!(get(1, Want::Presence, zero, 999), Some(true));
        assert_eq!(get(1, Want::Presence, zero, 1000), None);
        assert_eq!(get(1, Want::Presence, THERE, 0), None);
        assert_eq!(get(1, Want::Entry, zero, 0), None);
        cache.put(name(2), &Answer::Gone, begin);
        assert_eq!(get(2, Want::Presence, zero, 0), Some(false));
        assert_eq!(get(2, Want::Entry, zero, 0), Some(false));
        assert_eq!(get(2, Want::Presence, BRIEF, 0), None);
        let found = Found {
            date: 1,
            expires: Some(1000),
            fields: None,
        };
        cache.put(name(3), &Answer::Entry(Arc::new(found)), begin);
        assert_eq!(get(3, Want::Presence, zero, 999), Some(true));
        assert_eq!(get(3, Want::Entry, zero, 999), Some(true));
        assert_eq!(get(3, Want::Entry, zero, 1000), None);
        assert_eq!(get(3, Want::Entry, BRIEF, 0), None);
        cache.remove(&name(3));
        assert_eq!(get(3, Want::Entry, zero, 0), None);
    }

    #[test]
    fn memory_is_bounded() {
        let cache = Cache::default();
        let begin = Instant::now();
        let many = u32::try_from(3 * HALF * PARTS).unwrap_or_default();
        for n in 0..many {
            cache.put(name(n), &Answer::Gone, begin);
        }
        assert!(cache.len() <= 2 * HALF * PARTS);
        assert!(
            cache
                .get(&name(many - 1), Want::Presence, begin, 0)
                .is_some()
        );
        assert!(cache.get(&name(0), Want::Presence, begin, 0).is_none());
        let found = Found {
            date: 1,
            expires: None,
            fields: Some(vec![("a".into(), "x".repeat(1 << 20).into())]),
        };
        let large = Answer::Entry(Arc::new(found));
        for n in 0..1000 {
            cache.put(name(n), &large, begin);
        }
        // A mebibyte fills a half by itself.
        let kept = (0..1000).filter(|n| cache.get(&name(*n), Want::Entry, begin, 0).is_some());
        assert!(kept.count() <= 2 * PARTS);
    }
}
