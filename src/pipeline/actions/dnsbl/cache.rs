//! What is known of addresses, for a time.

use ahash::AHashMap;
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use std::collections::VecDeque;

/// The most addresses that are kept.
const MOST: usize = 1_000_000;

/// How long a failure counts: seconds.
const FAILURE: i64 = 5;

/// What is known of an address.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// The share of lists that have it, and those lists.
    Listed(f64, Vec<SmolStr>),
    /// It could not be found out.
    Failed(String),
}

/// Answers by address, the oldest first.
#[derive(Default)]
pub struct Cache {
    known: AHashMap<SmolStr, (Known, i64)>,
    order: VecDeque<(SmolStr, i64)>,
    evicted: u64,
}

impl Cache {
    /// What is known of an address and not older than `timeout` seconds.
    pub fn get(&self, address: &str, now: i64, timeout: i64) -> Option<&Known> {
        let (known, set) = self.known.get(address)?;
        let life = match known {
            Known::Listed(..) => timeout,
            Known::Failed(_) => timeout.min(FAILURE),
        };
        (set.saturating_add(life) > now).then_some(known)
    }

    /// Keeps an answer.
    pub fn set(&mut self, address: &str, known: Known, now: i64) {
        let address = SmolStr::new(address);
        self.order.push_back((address.clone(), now));
        self.known.insert(address, (known, now));
        while self.known.len() > MOST {
            self.drop_first();
            self.evicted += 1;
        }
    }

    fn drop_first(&mut self) {
        if let Some((address, set)) = self.order.pop_front()
            && self.known.get(&address).is_some_and(|(_, s)| *s == set)
        {
            self.known.remove(&address);
        }
    }

    /// Forgets what is too old.
    pub fn expire(&mut self, now: i64, timeout: i64) {
        while self
            .order
            .front()
            .is_some_and(|(_, set)| set.saturating_add(timeout) <= now)
        {
            self.drop_first();
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// In feedoo's form.
    pub fn save(&self) -> Json {
        let (mut data, mut times) = (Map::new(), Map::new());
        for (address, (known, set)) in &self.known {
            if let Known::Listed(score, domains) = known {
                let domains: Vec<&str> = domains.iter().map(SmolStr::as_str).collect();
                let entry = json!({"percent_score": score, "domains": domains});
                data.insert(address.to_string(), entry);
                times.insert(address.to_string(), json!(set));
            }
        }
        json!({"data": data, "key_timeout": times})
    }

    /// Takes up what [`Cache::save`] gave, or feedoo wrote.
    pub fn load(state: &Json) -> Result<Cache, String> {
        let data = state.get("data").and_then(Json::as_object);
        let mut cache = Cache::default();
        let mut all = Vec::new();
        for (address, entry) in data.ok_or("it holds no `data`")? {
            let odd = || format!("what it says of {address} is odd");
            let set = state
                .get("key_timeout")
                .and_then(|times| times.get(address));
            let score = entry.get("percent_score").and_then(Json::as_f64);
            let domains = entry.get("domains").and_then(Json::as_array);
            let domains = domains.ok_or_else(odd)?.iter();
            let domains = domains.filter_map(Json::as_str).map(SmolStr::new).collect();
            let known = Known::Listed(score.ok_or_else(odd)?, domains);
            all.push((set.and_then(Json::as_i64).unwrap_or(0), address, known));
        }
        all.sort_by_key(|(set, ..)| *set);
        for (set, address, known) in all {
            cache.set(address, known, set);
        }
        Ok(cache)
    }
}
