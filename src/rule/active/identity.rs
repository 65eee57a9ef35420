//! Identifiers of alerts: the same when the same events come again after a crash.

use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::json::write_json;
use crate::rule::identifier::uuid;
use ahash::AHashMap;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// How many events that raised alerts a rule remembers, to tell equal ones that come later apart from them.
pub const KNOWN: usize = 256;

/// How often events that raised alerts came, the oldest first.
pub(super) type Told = Vec<(u64, u32)>;

/// What the identifiers of the alerts of one rule are made of.
pub(super) struct Identity {
    /// Who runs the rule, which one it is, and what it says.
    base: Sha256,
    times: AHashMap<u64, u32>,
    order: VecDeque<u64>,
}

/// An event that raises alerts, or else an alert that no event raised.
pub(super) struct Cause(Sha256);

impl Identity {
    pub fn new(runner: &str, rule: &str, texts: &[&str]) -> Identity {
        let mut base = Sha256::new();
        for text in [runner, rule].iter().chain(texts) {
            // With the length, so that no two ways to cut a text are the same.
            base.update((text.len() as u64).to_be_bytes());
            base.update(text.as_bytes());
        }
        Identity {
            base,
            times: AHashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// What alerts come from; `moment` where the map says no time, so that what it says may be said again later.
    pub fn cause(&mut self, map: &Map, moment: Option<i64>) -> Cause {
        let mut cause = self.base.clone();
        let value = Value::Map(map.clone());
        let mut text = Vec::with_capacity(512);
        match write_json(&value, &mut text) {
            Ok(()) => cause.update(text),
            // Something in it is no JSON.
            Err(_) => cause.update(format!("{value:?}")),
        }
        cause.update(moment.map_or([0xff; 8], i64::to_be_bytes));
        let digest = cause.clone().finalize();
        let mut first = [0; 8];
        first.copy_from_slice(digest.get(..8).unwrap_or(&[0; 8]));
        cause.update(self.count(u64::from_be_bytes(first), 1).to_be_bytes());
        Cause(cause)
    }

    /// How often this was counted before.
    fn count(&mut self, what: u64, more: u32) -> u32 {
        if let Some(times) = self.times.get_mut(&what) {
            let before = *times;
            *times = times.saturating_add(more);
            return before;
        }
        if self.order.len() >= KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.times.remove(&oldest);
        }
        self.order.push_back(what);
        self.times.insert(what, more);
        0
    }

    /// What is to be remembered over a stop.
    pub fn told(&self) -> Told {
        let times = |what: &u64| self.times.get(what).map(|times| (*what, *times));
        self.order.iter().filter_map(times).collect()
    }

    /// Takes up what was remembered.
    pub fn remember(&mut self, told: &[(u64, u32)]) {
        for (what, times) in told {
            self.count(*what, *times);
        }
    }
}

impl Cause {
    /// The identifier of its alert with this number.
    pub fn identifier(&self, number: usize) -> String {
        let mut hash = self.0.clone();
        hash.update((number as u64).to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(hash.finalize().get(..16).unwrap_or(&[0; 16]));
        // Version 8: made in a way of its own.
        uuid(u128::from_be_bytes(bytes), 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> Map {
        crate::eval::json::read_event(text.as_bytes()).unwrap()
    }

    fn identity() -> Identity {
        Identity::new("serve", "r", &["lua"])
    }

    fn next(identity: &mut Identity, text: &str) -> String {
        identity.cause(&map(text), None).identifier(0)
    }

    #[test]
    fn what_comes_again_after_a_crash_has_the_same_identifier() {
        let mut all = identity();
        let first: Vec<String> = (0..3).map(|_| next(&mut all, r#"{"a":1}"#)).collect();
        assert_ne!(first[0], first[1]);
        assert_ne!(first[1], first[2]);
        // From the beginning, and from where the second one was remembered.
        assert_eq!(next(&mut identity(), r#"{"a":1}"#), first[0]);
        let mut some = identity();
        next(&mut some, r#"{"a":1}"#);
        next(&mut some, r#"{"a":1}"#);
        let mut again = identity();
        again.remember(&some.told());
        assert_eq!(next(&mut again, r#"{"a":1}"#), first[2]);
    }

    #[test]
    fn what_differs_has_another_one() {
        let mut all = vec![
            Identity::new("x", "r", &["lua"])
                .cause(&map(r#"{"a":1}"#), None)
                .identifier(0),
            Identity::new("serve", "s", &["lua"])
                .cause(&map(r#"{"a":1}"#), None)
                .identifier(0),
            Identity::new("serve", "r", &["luau"])
                .cause(&map(r#"{"a":1}"#), None)
                .identifier(0),
            identity().cause(&map(r#"{"a":1}"#), Some(5)).identifier(0),
            identity().cause(&map(r#"{"a":1}"#), Some(6)).identifier(0),
            identity().cause(&map(r#"{"a":1}"#), None).identifier(0),
            identity().cause(&map(r#"{"a":1}"#), None).identifier(1),
            identity().cause(&map(r#"{"a":2}"#), None).identifier(0),
        ];
        for id in &all {
            assert_eq!((id.len(), &id[14..15]), (36, "8"), "{id}");
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut identity = identity();
        for n in 0..3 * KNOWN {
            next(&mut identity, &format!(r#"{{"a":{n}}}"#));
        }
        assert_eq!(identity.told().len(), KNOWN);
        assert_eq!(identity.times.len(), KNOWN);
    }
}
