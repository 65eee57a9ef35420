//! A bounded cache of compiled patterns for the whole process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::{JavaRegex, RegexError, RegexLimits};

/// Patterns kept.
const ENTRIES: usize = 512;

struct Entry {
    limits: RegexLimits,
    made: Result<Arc<JavaRegex>, RegexError>,
    used: AtomicU64,
}

#[derive(Default)]
struct Cache {
    entries: RwLock<HashMap<Box<str>, Entry>>,
    clock: AtomicU64,
}

/// Compiles a pattern or gives the result of an earlier call, errors included.
pub fn cached(pattern: &str, limits: &RegexLimits) -> Result<Arc<JavaRegex>, RegexError> {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    CACHE.get_or_init(Cache::default).get(pattern, limits)
}

impl Cache {
    fn get(&self, pattern: &str, limits: &RegexLimits) -> Result<Arc<JavaRegex>, RegexError> {
        {
            // A panic elsewhere cannot leave the map half changed.
            let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = entries.get(pattern)
                && entry.limits == *limits
            {
                // Only inserting moves the clock, so hits do not fight over it.
                let now = self.clock.load(Ordering::Relaxed);
                if entry.used.load(Ordering::Relaxed) != now {
                    entry.used.store(now, Ordering::Relaxed);
                }
                return entry.made.clone();
            }
        }
        let made = JavaRegex::compile(pattern, limits).map(Arc::new);
        // An over-long pattern is refused quickly and not worth its memory.
        if pattern.len() > limits.max_pattern_bytes {
            return made;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES && !entries.contains_key(pattern) {
            let age = |e: &Entry| e.used.load(Ordering::Relaxed);
            let oldest = entries.iter().min_by_key(|(_, e)| age(e));
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                entries.remove(&key);
            }
        }
        let now = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = Entry {
            limits: *limits,
            made: made.clone(),
            used: AtomicU64::new(now),
        };
        entries.insert(pattern.into(), entry);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_used_and_stays_bounded() {
        let cache = Cache::default();
        let limits = RegexLimits::default();
        let first = cache.get("a+", &limits).unwrap();
        for i in 0..2000 {
            cache.get(&format!("x{i}"), &limits).unwrap();
            assert!(Arc::ptr_eq(&first, &cache.get("a+", &limits).unwrap()));
        }
        assert_eq!(cache.entries.read().unwrap().len(), ENTRIES);
        let error = cache.get("(", &limits).unwrap_err();
        assert_eq!(error, cache.get("(", &limits).unwrap_err());
        let mut other = limits;
        other.backtrack_limit = 5;
        assert!(!Arc::ptr_eq(&first, &cache.get("a+", &other).unwrap()));
    }
}
