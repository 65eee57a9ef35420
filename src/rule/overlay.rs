//! Table lists for a trial: what the store has is read, what the rule writes stays with the trial.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use crate::rule::event::weight;
use crate::rule::tables::{MemoryTables, Row, Tables};
use ahash::AHashMap;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

/// How many bytes a trial for somebody else may write.
pub const WRITTEN: usize = 32 << 20;
/// How deep the weight of a value is looked at.
const DEEPEST: usize = 64;

/// What was written to a list.
#[derive(Default)]
struct Changed {
    /// Whether what is below does not count any more.
    cleared: bool,
    /// The keys that stand above, and whether they stand below as well.
    rows: AHashMap<SmolStr, bool>,
}

/// Table lists above others, which are only read.
pub struct Overlay {
    below: Arc<dyn Tables>,
    above: MemoryTables,
    changed: Mutex<(AHashMap<SmolStr, Changed>, usize)>,
    /// How many bytes may be written.
    most: usize,
}

impl Overlay {
    /// Lists that begin as those of `below`; `most` bytes may be written to them.
    pub fn new(below: Arc<dyn Tables>, most: usize) -> Overlay {
        Overlay {
            below,
            above: MemoryTables::default(),
            changed: Mutex::default(),
            most,
        }
    }

    /// Whether a row is not to be looked for below.
    fn hides(&self, table: &str, key: &str) -> bool {
        let changed = self.changed.lock();
        let list = changed.0.get(table);
        list.is_some_and(|list| list.cleared || list.rows.contains_key(key))
    }

    /// Has a row stand above from now on, with the cells that it had; whether it was below.
    fn lift(&self, table: &str, key: &str, now: i64) -> Outcome<bool> {
        let mut changed = self.changed.lock();
        let (lists, _) = &mut *changed;
        let list = lists.entry(SmolStr::new(table)).or_default();
        if let Some(was) = list.rows.get(key) {
            return Ok(*was);
        }
        let row = match list.cleared {
            true => None,
            false => self.below.row(table, key, now)?,
        };
        let was = row.is_some();
        for (column, value) in row.unwrap_or_default() {
            self.above.set(table, key, &column, value, None, now)?;
        }
        list.rows.insert(SmolStr::new(key), was);
        Ok(was)
    }
}

impl Tables for Overlay {
    fn row(&self, table: &str, key: &str, now: i64) -> Outcome<Option<Row>> {
        match self.hides(table, key) {
            true => self.above.row(table, key, now),
            false => self.below.row(table, key, now),
        }
    }

    fn search(&self, table: &str, column: &str, text: &str, now: i64) -> Outcome<Option<SmolStr>> {
        if let Some(key) = self.above.search(table, column, text, now)? {
            return Ok(Some(key));
        }
        let changed = self.changed.lock();
        if changed.0.get(table).is_some_and(|list| list.cleared) {
            return Ok(None);
        }
        drop(changed);
        let found = self.below.search(table, column, text, now)?;
        Ok(found.filter(|key| !self.hides(table, key)))
    }

    fn set(
        &self,
        table: &str,
        key: &str,
        column: &str,
        value: Value,
        lifetime: Option<Duration>,
        now: i64,
    ) -> Outcome<()> {
        self.lift(table, key, now)?;
        let written = &mut self.changed.lock().1;
        *written += table.len() + key.len() + column.len() + weight(&value, DEEPEST);
        if *written > self.most {
            let text = format!(
                "a trial may write {} bytes to table lists at most",
                self.most
            );
            return Err(Diagnostic::new(Code::CollectionSize, text));
        }
        self.above.set(table, key, column, value, lifetime, now)
    }

    fn remove(&self, table: &str, key: &str) -> Outcome<bool> {
        self.lift(table, key, 0)?;
        self.above.remove(table, key)
    }

    fn count(&self, table: &str, now: i64) -> Outcome<usize> {
        let above = self.above.count(table, now)?;
        let changed = self.changed.lock();
        let twice = match changed.0.get(table) {
            Some(list) if list.cleared => return Ok(above),
            Some(list) => list.rows.values().filter(|was| **was).count(),
            None => 0,
        };
        drop(changed);
        Ok(above + self.below.count(table, now)?.saturating_sub(twice))
    }

    fn truncate(&self, table: &str) -> Outcome<()> {
        self.above.truncate(table)?;
        let mut changed = self.changed.lock();
        let list = Changed {
            cleared: true,
            rows: AHashMap::default(),
        };
        changed.0.insert(SmolStr::new(table), list);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stays_above() {
        let below = Arc::new(MemoryTables::default());
        for key in ["a", "b", "c"] {
            below.set("t", key, "x", key.into(), None, 0).unwrap();
        }
        let over = Overlay::new(below.clone(), WRITTEN);
        assert_eq!(over.count("t", 0).unwrap(), 3);
        over.set("t", "a", "y", 1.into(), None, 0).unwrap();
        over.set("t", "d", "x", "d".into(), None, 0).unwrap();
        assert!(over.remove("t", "b").unwrap());
        assert!(!over.remove("t", "b").unwrap());
        assert!(!over.remove("t", "nowhere").unwrap());
        assert_eq!(over.count("t", 0).unwrap(), 3);
        assert_eq!(over.row("t", "a", 0).unwrap().unwrap().len(), 2);
        assert!(over.row("t", "b", 0).unwrap().is_none());
        assert!(over.search("t", "x", "b", 0).unwrap().is_none());
        for key in ["a", "c", "d"] {
            assert_eq!(over.search("t", "x", key, 0).unwrap().unwrap(), key);
        }
        over.truncate("t").unwrap();
        assert_eq!(over.count("t", 0).unwrap(), 0);
        assert!(over.row("t", "c", 0).unwrap().is_none());
        assert!(over.search("t", "x", "c", 0).unwrap().is_none());
        over.set("t", "c", "z", 1.into(), None, 0).unwrap();
        assert_eq!(over.row("t", "c", 0).unwrap().unwrap().len(), 1);
        assert_eq!(below.count("t", 0).unwrap(), 3);
        assert_eq!(below.row("t", "a", 0).unwrap().unwrap().len(), 1);
    }

    #[test]
    fn what_is_written_has_a_bound() {
        let over = Overlay::new(Arc::new(MemoryTables::default()), WRITTEN);
        let text = Value::text("x".repeat(60_000));
        let mut keys = 0..10_000;
        let full = keys.find(|key| {
            over.set("t", &key.to_string(), "c", text.clone(), None, 0)
                .is_err()
        });
        assert!(full.is_some_and(|key| key < 600));
    }
}
