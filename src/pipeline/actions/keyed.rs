//! What filters keep for each key, with a bound, and its form in files.

use crate::eval::Value;
use crate::pipeline::python::Key;
use crate::pipeline::record::Record;
use ahash::AHashMap;
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;

/// The most keys that are kept.
const KEYS: usize = 1_000_000;

/// Values by key, each with the second when it was used last.
pub struct Keyed<T> {
    held: AHashMap<Key, (T, i64)>,
    most: usize,
    evicted: u64,
    /// When old keys were looked for last.
    swept: i64,
}

impl<T> Default for Keyed<T> {
    fn default() -> Keyed<T> {
        Keyed::with_most(KEYS)
    }
}

impl<T> Keyed<T> {
    /// Nothing yet, and never more than so many keys.
    pub fn with_most(most: usize) -> Keyed<T> {
        Keyed {
            held: AHashMap::new(),
            most,
            evicted: 0,
            swept: i64::MIN,
        }
    }

    /// What is held for a key.
    #[cfg(test)]
    pub fn get(&self, key: &Key) -> Option<&T> {
        self.held.get(key).map(|(value, _)| value)
    }

    /// What is held for a key, made if need be; it counts as used now.
    pub fn entry(&mut self, key: Key, now: i64) -> &mut T
    where
        T: Default,
    {
        if self.held.len() >= self.most && !self.held.contains_key(&key) {
            self.evict();
        }
        let (value, used) = self.held.entry(key).or_insert_with(|| (T::default(), now));
        *used = (*used).max(now);
        value
    }

    /// Throws out the tenth that has not been used longest.
    fn evict(&mut self) {
        let mut times: Vec<i64> = self.held.values().map(|(_, used)| *used).collect();
        let tenth = times.len() / 10;
        if times.is_empty() {
            return;
        }
        let (_, &mut limit, _) = times.select_nth_unstable(tenth);
        let before = self.held.len();
        let mut left = tenth + 1;
        self.held.retain(|_, (_, used)| {
            let goes = *used <= limit && left > 0;
            left -= usize::from(goes);
            !goes
        });
        self.evicted += (before - self.held.len()) as u64;
    }

    /// Forgets keys that were used last at `before` or earlier; looks for them at most every `every` seconds.
    pub fn expire(&mut self, before: i64, now: i64, every: i64) {
        if self.swept.saturating_add(every.max(1)) > now {
            return;
        }
        self.swept = now;
        self.held.retain(|_, (_, used)| *used > before);
    }

    /// Keeps what `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &mut T, i64) -> bool) {
        self.held
            .retain(|key, (value, used)| keep(key, value, *used));
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// How many keys were thrown out because there were too many.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// In feedoo's form: `data` and `key_timeout` by key; `key_type` besides for keys that are no texts.
    pub fn save(&self, value: impl Fn(&T) -> Json) -> Json {
        let (mut data, mut times, mut types) = (Map::new(), Map::new(), Map::new());
        for (key, (held, used)) in &self.held {
            let name = key.text().to_string();
            let kind = match key {
                Key::Text(_) => None,
                Key::Null => Some("null"),
                Key::Whole(_) => Some("number"),
                Key::Other(_) => Some("other"),
            };
            if let Some(kind) = kind {
                types.insert(name.clone(), json!(kind));
            }
            data.insert(name.clone(), value(held));
            times.insert(name, json!(used));
        }
        let mut state = json!({"data": data, "key_timeout": times});
        if let (Json::Object(state), false) = (&mut state, types.is_empty()) {
            state.insert("key_type".to_owned(), Json::Object(types));
        }
        state
    }

    /// Takes up what [`Keyed::save`] gave, or feedoo wrote.
    pub fn load(&mut self, state: &Json, value: impl Fn(&Json) -> Option<T>) -> Result<(), String> {
        let data = state.get("data").and_then(Json::as_object);
        let data = data.ok_or("it holds no `data`")?;
        for (name, saved) in data {
            let of = |part: &str| state.get(part).and_then(|part| part.get(name));
            let used = of("key_timeout").and_then(Json::as_i64).unwrap_or(0);
            let text = SmolStr::new(name);
            let key = match of("key_type").and_then(Json::as_str) {
                Some("null") => Key::Null,
                Some("number") => name.parse().map_or(Key::Text(text), Key::Whole),
                Some("other") => Key::Other(text),
                _ => Key::Text(text),
            };
            let value = value(saved).ok_or_else(|| format!("the state of {name} is odd"))?;
            self.held.insert(key, (value, used));
        }
        Ok(())
    }
}

/// The key of an event: what the field holds, or one key for all when no field is named. `None` when the event has no
/// key. Errors: a value that cannot be a key.
pub fn key_of(record: &Record, query_key: Option<&SmolStr>) -> Result<Option<Key>, String> {
    let Some(name) = query_key else {
        return Ok(Some(Key::Text(SmolStr::default())));
    };
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match Key::of(value) {
            Some(key) => Ok(Some(key)),
            None => Err(format!(
                "{name} is {}, which cannot be a key",
                value.kind_in_words()
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_go_first() {
        let mut keyed: Keyed<u8> = Keyed::with_most(100);
        for n in 0..250 {
            *keyed.entry(Key::Whole(n), n) += 1;
            assert!(keyed.len() <= 100);
        }
        assert!(keyed.get(&Key::Whole(249)).is_some());
        assert!(keyed.get(&Key::Whole(10)).is_none());
        assert_eq!(keyed.evicted() as usize + keyed.len(), 250);
    }

    #[test]
    fn keys_keep_their_types_over_a_stop() {
        let mut keyed: Keyed<u8> = Keyed::default();
        *keyed.entry(Key::Whole(5), 1) = 7;
        *keyed.entry(Key::Null, 2) = 8;
        *keyed.entry(Key::Text("x".into()), 3) = 9;
        let state = keyed.save(|n| json!(n));
        let mut again: Keyed<u8> = Keyed::default();
        let read = |n: &Json| n.as_u64().map(|n| n as u8);
        again.load(&state, read).unwrap();
        assert_eq!(again.get(&Key::Whole(5)), Some(&7));
        assert_eq!(again.get(&Key::Null), Some(&8));
        assert_eq!(again.get(&Key::Text("x".into())), Some(&9));
        again.expire(2, 10, 1);
        assert_eq!(again.len(), 1);
        assert!(again.load(&json!([]), read).is_err());
    }
}
