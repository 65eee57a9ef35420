//! Table lists of the store, as rules use them: what was read a moment ago is not asked for again.

use super::Rules;
use super::lists::ListRow;
use crate::diagnostic::Outcome;
use crate::eval::{Value, json};
use crate::rule::lua::textual;
use crate::rule::tables::{Row, Tables};
use crate::store::{Deadline, Within};
use ahash::AHashMap;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// For how long an answer stands, unless this process changes the list itself: so late rules see what others write.
const STANDS: Duration = Duration::from_secs(1);
/// How many answers are kept of each kind.
const KEPT: usize = 50_000;
/// How long a store may take for one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Nesting of a cell.
const DEEPEST: usize = 128;

/// Table lists in the store of rules.
pub struct StoredTables {
    rules: Rules,
    cancel: Arc<AtomicBool>,
    id: Box<dyn Fn() -> String + Send + Sync>,
    kept: Mutex<Kept>,
}

/// A row and when it is gone.
type Found = Option<(Row, Option<i64>)>;

/// The key of a row with some text.
struct Key {
    asked: Instant,
    /// The time that it was asked for, which decides what lives.
    now: i64,
    /// The last change of the list before.
    change: u64,
    key: Option<SmolStr>,
}

/// What was read lately.
#[derive(Default)]
struct Kept {
    rows: AHashMap<(SmolStr, SmolStr), (Instant, Found)>,
    /// By list, column and text.
    keys: AHashMap<(SmolStr, SmolStr, SmolStr), Key>,
    /// The number of the last change that this process made to each list.
    changes: AHashMap<SmolStr, u64>,
    /// The number that stands for the lists that are not among them.
    others: u64,
    change: u64,
}

impl Kept {
    fn changed(&mut self, table: &str) {
        // Numbers are never used again, also after all were forgotten.
        self.change += 1;
        if self.changes.len() >= KEPT {
            self.rows.clear();
            self.keys.clear();
            self.changes.clear();
            self.others = self.change;
        }
        self.changes.insert(SmolStr::new(table), self.change);
    }

    fn changes(&self, table: &str) -> u64 {
        self.changes.get(table).copied().unwrap_or(self.others)
    }
}

impl StoredTables {
    /// The table lists of this store. `cancel` ends what waits for it; `id` makes identifiers for new lists.
    pub fn new(
        rules: &Rules,
        cancel: &Arc<AtomicBool>,
        id: impl Fn() -> String + Send + Sync + 'static,
    ) -> StoredTables {
        StoredTables {
            rules: rules.clone(),
            cancel: cancel.clone(),
            id: Box::new(id),
            kept: Mutex::default(),
        }
    }

    fn within(&self, now: i64) -> Within<'_> {
        Within {
            now,
            deadline: Deadline::after(PATIENCE),
            cancel: &self.cancel,
        }
    }
}

/// The row as rules see it.
fn values(row: ListRow) -> Outcome<(Row, Option<i64>)> {
    let cells = row.cells.iter();
    let cells = cells.map(|(column, cell)| Ok((column.into(), json::from_json(cell, DEEPEST)?)));
    Ok((cells.collect::<Outcome<Row>>()?, row.until))
}

impl Tables for StoredTables {
    fn row(&self, table: &str, key: &str, now: i64) -> Outcome<Option<Row>> {
        let place = (SmolStr::new(table), SmolStr::new(key));
        let lives = |found: &Found| {
            let found = found.as_ref();
            let found = found.filter(|(_, until)| until.is_none_or(|until| now < until));
            found.map(|(row, _)| row.clone())
        };
        let changes = {
            let kept = self.kept.lock();
            if let Some((asked, found)) = kept.rows.get(&place)
                && asked.elapsed() < STANDS
            {
                return Ok(lives(found));
            }
            kept.changes(table)
        };
        let asked = Instant::now();
        let found = self.rules.list_row(table, key, self.within(now))?;
        let found = found.map(values).transpose()?;
        let row = lives(&found);
        let mut kept = self.kept.lock();
        if kept.rows.len() >= KEPT {
            kept.rows.clear();
        }
        // What somebody wrote meanwhile is newer.
        if kept.changes(table) == changes {
            kept.rows.insert(place, (asked, found));
        }
        Ok(row)
    }

    fn search(&self, table: &str, column: &str, text: &str, now: i64) -> Outcome<Option<SmolStr>> {
        let place = (
            SmolStr::new(table),
            SmolStr::new(column),
            SmolStr::new(text),
        );
        let changes = {
            let kept = self.kept.lock();
            let changes = kept.changes(table);
            if let Some(known) = kept.keys.get(&place)
                && known.asked.elapsed() < STANDS
                && (known.now, known.change) == (now, changes)
            {
                return Ok(known.key.clone());
            }
            changes
        };
        let asked = Instant::now();
        let found = self
            .rules
            .list_search(table, column, text, self.within(now))?;
        let found = found.map(SmolStr::from);
        let mut kept = self.kept.lock();
        if kept.keys.len() >= KEPT {
            kept.keys.clear();
        }
        let known = Key {
            asked,
            now,
            change: changes,
            key: found.clone(),
        };
        kept.keys.insert(place, known);
        Ok(found)
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
        let text = textual(&value);
        let value = json::to_json(&value)?;
        let lifetime = lifetime.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        let cell = (&value, text.as_str());
        let done = self.rules.list_set(
            table,
            key,
            column,
            cell,
            lifetime,
            &self.id,
            self.within(now),
        );
        let mut kept = self.kept.lock();
        kept.rows.remove(&(SmolStr::new(table), SmolStr::new(key)));
        kept.changed(table);
        done
    }

    fn remove(&self, table: &str, key: &str) -> Outcome<bool> {
        let removed = self.rules.list_remove(table, key, self.within(0));
        let mut kept = self.kept.lock();
        kept.rows.remove(&(SmolStr::new(table), SmolStr::new(key)));
        kept.changed(table);
        removed
    }

    fn count(&self, table: &str, now: i64) -> Outcome<usize> {
        let count = self.rules.list_count(table, self.within(now))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    fn truncate(&self, table: &str) -> Outcome<()> {
        let done = self.rules.list_clear(table, self.within(0));
        let mut kept = self.kept.lock();
        kept.rows.retain(|(list, _), _| list != table);
        kept.changed(table);
        done
    }
}
