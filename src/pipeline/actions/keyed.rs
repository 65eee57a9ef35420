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
        // What a flood of keys took is given back.
        let number = self.held.len();
        if self.held.capacity() > 4 * number + 1024 {
            self.held.shrink_to(2 * number);
        }
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
        let mut typed = Vec::new();
        for (key, (held, used)) in &self.held {
            let name = key.text().to_string();
            let kind = match key {
                Key::Text(_) => None,
                Key::Null => Some("null"),
                Key::Whole(_) => Some("number"),
                Key::Other(_) => Some("other"),
            };
            if let Some(kind) = kind {
                // 5 and "5" have one name: the key that is no text goes to a list of its own.
                let text = Key::Text(SmolStr::new(&name));
                if self.held.contains_key(&text) || types.contains_key(&name) {
                    typed.push(json!([kind, name, value(held), used]));
                    continue;
                }
                types.insert(name.clone(), json!(kind));
            }
            data.insert(name.clone(), value(held));
            times.insert(name, json!(used));
        }
        let mut state = json!({"data": data, "key_timeout": times});
        if let (Json::Object(state), false) = (&mut state, types.is_empty()) {
            state.insert("key_type".to_owned(), Json::Object(types));
        }
        if let (Json::Object(state), false) = (&mut state, typed.is_empty()) {
            state.insert("typed".to_owned(), Json::Array(typed));
        }
        state
    }

    /// Takes up what [`Keyed::save`] gave, or feedoo wrote: all of it but odd keys, which count as thrown out.
    pub fn load(&mut self, state: &Json, value: impl Fn(&Json) -> Option<T>) -> Result<(), String> {
        let data = state.get("data").and_then(Json::as_object);
        let data = data.ok_or("it holds no `data`")?;
        let mut held = AHashMap::with_capacity(data.len().min(self.most));
        let mut odd = 0;
        let key = |kind: Option<&str>, name: &str| match kind {
            Some("null") => Key::Null,
            Some("number") => name.parse().map_or(Key::Text(name.into()), Key::Whole),
            Some("other") => Key::Other(name.into()),
            _ => Key::Text(name.into()),
        };
        let mut take = |key: Key, saved: &Json, used: i64| match value(saved) {
            Some(value) if held.len() < self.most => {
                held.insert(key, (value, used));
            }
            _ => odd += 1,
        };
        for (name, saved) in data {
            let of = |part: &str| state.get(part).and_then(|part| part.get(name));
            let used = of("key_timeout").and_then(Json::as_i64).unwrap_or(0);
            take(
                key(of("key_type").and_then(Json::as_str), name),
                saved,
                used,
            );
        }
        let typed = state.get("typed").and_then(Json::as_array);
        for row in typed.into_iter().flatten() {
            let text = |at: usize| row.get(at).and_then(Json::as_str);
            let used = row.get(3).and_then(Json::as_i64).unwrap_or(0);
            let saved = row.get(2).unwrap_or(&Json::Null);
            take(key(text(0), text(1).unwrap_or_default()), saved, used);
        }
        self.held = held;
        self.evicted += odd;
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
        for n in 0..100_000 {
            *again.entry(Key::Whole(n), 20) += 1;
        }
        again.expire(30, 40, 1);
        assert!(again.held.capacity() < 5000);
        assert!(again.load(&json!([]), read).is_err());
    }

    #[test]
    fn keys_that_look_alike_stay_apart_and_odd_ones_hurt_nobody() {
        let mut keyed: Keyed<u8> = Keyed::default();
        *keyed.entry(Key::Whole(5), 1) = 1;
        *keyed.entry(Key::Text("5".into()), 2) = 2;
        *keyed.entry(Key::Other("5".into()), 3) = 3;
        *keyed.entry(Key::Text("odd".into()), 4) = 200;
        let state = keyed.save(|n| json!(n));
        let mut again: Keyed<u8> = Keyed::default();
        *again.entry(Key::Text("old".into()), 1) = 1;
        let few = |n: &Json| n.as_u64().map(|n| n as u8).filter(|n| *n < 100);
        again.load(&state, few).unwrap();
        assert_eq!(again.get(&Key::Whole(5)), Some(&1));
        assert_eq!(again.get(&Key::Text("5".into())), Some(&2));
        assert_eq!(again.get(&Key::Other("5".into())), Some(&3));
        assert_eq!((again.len(), again.evicted()), (3, 1));
    }
}
