//! Table lists of a trial: what lies in the store is read, what the rule writes stays with the trial.

use super::tables::{MemoryTables, Row, Tables};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use ahash::HashMap;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

/// Table lists over others, which they never change.
pub struct Overlay {
    under: Arc<dyn Tables>,
    over: MemoryTables,
    changed: Mutex<HashMap<SmolStr, Changed>>,
}

/// What was changed of a table list.
#[derive(Default)]
struct Changed {
    /// Rows that are not to be looked for below, and whether they lie there.
    rows: HashMap<SmolStr, bool>,
    /// Whether nothing is to be looked for below.
    all: bool,
}

impl Overlay {
    /// Over these table lists.
    pub fn new(under: Arc<dyn Tables>) -> Overlay {
        Overlay {
            under,
            over: MemoryTables::default(),
            changed: Mutex::default(),
        }
    }

    fn is_changed(&self, table: &str, key: &str) -> bool {
        let changed = self.changed.lock();
        let found = changed.get(table);
        found.is_some_and(|changed| changed.all || changed.rows.contains_key(key))
    }

    /// Takes a row from below, so that it can be changed.
    fn own(&self, table: &str, key: &str, now: i64) -> Outcome<()> {
        if self.is_changed(table, key) {
            return Ok(());
        }
        let row = self.under.row(table, key, now)?;
        let mut changed = self.changed.lock();
        let rows = &mut changed.entry(SmolStr::new(table)).or_default().rows;
        rows.insert(SmolStr::new(key), row.is_some());
        drop(changed);
        for (column, value) in row.into_iter().flatten() {
            self.over.set(table, key, &column, value, None, now)?;
        }
        Ok(())
    }
}

impl Tables for Overlay {
    fn row(&self, table: &str, key: &str, now: i64) -> Outcome<Option<Row>> {
        match self.is_changed(table, key) {
            true => self.over.row(table, key, now),
            false => self.under.row(table, key, now),
        }
    }

    fn search(&self, table: &str, column: &str, text: &str, now: i64) -> Outcome<Option<SmolStr>> {
        if let Some(key) = self.over.search(table, column, text, now)? {
            return Ok(Some(key));
        }
        if self.changed.lock().get(table).is_some_and(|one| one.all) {
            return Ok(None);
        }
        let found = self.under.search(table, column, text, now)?;
        Ok(found.filter(|key| !self.is_changed(table, key)))
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
        self.own(table, key, now)?;
        self.over.set(table, key, column, value, lifetime, now)
    }

    fn remove(&self, table: &str, key: &str) -> Outcome<bool> {
        let there = match self.is_changed(table, key) {
            true => false,
            false => {
                let there = self.under.row(table, key, i64::MIN)?.is_some();
                let mut changed = self.changed.lock();
                let rows = &mut changed.entry(SmolStr::new(table)).or_default().rows;
                rows.insert(SmolStr::new(key), there);
                there
            }
        };
        Ok(self.over.remove(table, key)? || there)
    }

    fn count(&self, table: &str, now: i64) -> Outcome<usize> {
        let own = self.over.count(table, now)?;
        let hidden = match self.changed.lock().get(table) {
            Some(changed) if changed.all => return Ok(own),
            Some(changed) => changed.rows.values().filter(|there| **there).count(),
            None => 0,
        };
        let below = self.under.count(table, now)?;
        Ok(own + below.saturating_sub(hidden))
    }

    fn truncate(&self, table: &str) -> Outcome<()> {
        let changed = Changed {
            all: true,
            ..Changed::default()
        };
        self.changed.lock().insert(SmolStr::new(table), changed);
        self.over.truncate(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trial_writes_stays_with_it() {
        let under = Arc::new(MemoryTables::default());
        let set = |tables: &dyn Tables, key: &str, value: &str| {
            tables.set("t", key, "c", value.into(), None, 0).unwrap();
        };
        set(&*under, "a", "1");
        set(&*under, "b", "2");
        let trial = Overlay::new(under.clone());
        assert_eq!(trial.count("t", 0).unwrap(), 2);
        assert_eq!(trial.search("t", "c", "2", 0).unwrap().unwrap(), "b");
        set(&trial, "a", "3");
        trial.set("t", "a", "d", 4.into(), None, 0).unwrap();
        set(&trial, "n", "5");
        assert_eq!(trial.count("t", 0).unwrap(), 3);
        assert_eq!(trial.row("t", "a", 0).unwrap().unwrap().len(), 2);
        assert!(trial.search("t", "c", "1", 0).unwrap().is_none());
        assert!(trial.remove("t", "b").unwrap() && !trial.remove("t", "b").unwrap());
        assert!(trial.remove("t", "n").unwrap());
        assert_eq!(trial.count("t", 0).unwrap(), 1);
        assert!(trial.cell("t", "b", "c", 0).unwrap().is_none());
        trial.truncate("t").unwrap();
        assert_eq!(trial.count("t", 0).unwrap(), 0);
        assert!(trial.row("t", "a", 0).unwrap().is_none());
        set(&trial, "z", "1");
        assert_eq!(trial.count("t", 0).unwrap(), 1);
        assert_eq!(under.count("t", 0).unwrap(), 2);
        assert_eq!(
            under.cell("t", "a", "c", 0).unwrap().unwrap().as_text(),
            Some("1")
        );
    }
}
