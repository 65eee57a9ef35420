//! Table lists: named tables of rows with named cells, which rules read and write.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use ahash::HashMap;
use indexmap::IndexMap;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::time::Duration;

/// The cells of a row by their columns.
pub type Row = Vec<(SmolStr, Value)>;

/// Where table lists live. A table that does not exist is empty, and is made by the first cell written.
/// Times are milliseconds since 1970; a row is gone when its time to live is over.
pub trait Tables: Send + Sync {
    /// The row of a key. Errors: the store's.
    fn row(&self, table: &str, key: &str, now: i64) -> Outcome<Option<Row>>;

    /// The cell of a key in a column. Errors: the store's.
    fn cell(&self, table: &str, key: &str, column: &str, now: i64) -> Outcome<Option<Value>> {
        let row = self.row(table, key, now)?;
        Ok(row.and_then(|row| row.into_iter().find(|(c, _)| c == column).map(|(_, v)| v)))
    }

    /// The key of some row that has this text in this column. Errors: the store's.
    fn search(&self, table: &str, column: &str, text: &str, now: i64) -> Outcome<Option<SmolStr>>;

    /// Writes one cell; `lifetime` begins anew for the row where it is given. Errors: the store's, E0304.
    fn set(
        &self,
        table: &str,
        key: &str,
        column: &str,
        value: Value,
        lifetime: Option<Duration>,
        now: i64,
    ) -> Outcome<()>;

    /// Takes a row away; whether there was one. Errors: the store's.
    fn remove(&self, table: &str, key: &str) -> Outcome<bool>;

    /// How many rows there are. Errors: the store's.
    fn count(&self, table: &str, now: i64) -> Outcome<usize>;

    /// Takes all rows away. Errors: the store's.
    fn truncate(&self, table: &str) -> Outcome<()>;
}

/// How many rows all tables in memory may have together.
pub const ROWS: usize = 1_000_000;
/// How many cells a row may have.
pub const CELLS: usize = 256;
/// How many bytes the text of a key or a cell may have.
pub const CELL: usize = 64 << 10;

/// Table lists in memory.
#[derive(Default)]
pub struct MemoryTables(Mutex<HashMap<SmolStr, Table>>);

type Table = IndexMap<SmolStr, Cells, ahash::RandomState>;

#[derive(Default, Clone)]
struct Cells {
    row: Row,
    /// When the row is gone.
    until: Option<i64>,
}

impl Cells {
    fn lives(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Tables for MemoryTables {
    fn row(&self, table: &str, key: &str, now: i64) -> Outcome<Option<Row>> {
        let tables = self.0.lock();
        let found = tables.get(table).and_then(|t| t.get(key));
        Ok(found.filter(|r| r.lives(now)).map(|r| r.row.clone()))
    }

    fn cell(&self, table: &str, key: &str, column: &str, now: i64) -> Outcome<Option<Value>> {
        let tables = self.0.lock();
        let found = tables.get(table).and_then(|t| t.get(key));
        let found = found.filter(|r| r.lives(now));
        Ok(found.and_then(|r| {
            r.row
                .iter()
                .find(|(c, _)| c == column)
                .map(|(_, v)| v.clone())
        }))
    }

    fn search(&self, table: &str, column: &str, text: &str, now: i64) -> Outcome<Option<SmolStr>> {
        let tables = self.0.lock();
        let Some(table) = tables.get(table) else {
            return Ok(None);
        };
        let has = |cells: &Cells| {
            let cell = cells.row.iter().find(|(c, _)| c == column);
            cell.is_some_and(|(_, value)| match value {
                Value::Text(cell) => cell == text,
                other => super::lua::textual(other) == text,
            })
        };
        let found = table.iter().find(|(_, r)| r.lives(now) && has(r));
        Ok(found.map(|(key, _)| key.clone()))
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
        let text = value.as_text().map_or(0, str::len);
        if text.max(key.len()).max(column.len()).max(table.len()) > CELL {
            return Err(too_large("text of a table list", CELL, "bytes"));
        }
        let mut tables = self.0.lock();
        let rows: usize = tables.values().map(Table::len).sum();
        if rows >= ROWS && tables.get(table).is_none_or(|t| !t.contains_key(key)) {
            for table in tables.values_mut() {
                table.retain(|_, cells| cells.lives(now));
            }
            if tables.values().map(Table::len).sum::<usize>() >= ROWS {
                return Err(too_large("set of table lists in memory", ROWS, "rows"));
            }
        }
        let table = tables.entry(SmolStr::new(table)).or_default();
        let cells = table.entry(SmolStr::new(key)).or_default();
        if !cells.lives(now) {
            *cells = Cells::default();
        }
        let full = cells.row.len() >= CELLS;
        match cells.row.iter_mut().find(|(c, _)| c == column) {
            Some((_, cell)) => *cell = value,
            None if full => return Err(too_large("row of a table list", CELLS, "cells")),
            None => cells.row.push((SmolStr::new(column), value)),
        }
        if let Some(lifetime) = lifetime {
            let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
            cells.until = Some(now.saturating_add(lifetime));
        }
        Ok(())
    }

    fn remove(&self, table: &str, key: &str) -> Outcome<bool> {
        let mut tables = self.0.lock();
        let removed = tables.get_mut(table).and_then(|t| t.swap_remove(key));
        Ok(removed.is_some())
    }

    fn count(&self, table: &str, now: i64) -> Outcome<usize> {
        let tables = self.0.lock();
        Ok(tables
            .get(table)
            .map_or(0, |t| t.values().filter(|r| r.lives(now)).count()))
    }

    fn truncate(&self, table: &str) -> Outcome<()> {
        if let Some(table) = self.0.lock().get_mut(table) {
            table.clear();
        }
        Ok(())
    }
}

#[cold]
fn too_large(what: &str, most: usize, unit: &str) -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::CollectionSize,
        format!("a {what} may have {most} {unit} at most"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_cell_by_cell_and_end_with_their_time() {
        let tables = MemoryTables::default();
        let minute = Some(Duration::from_secs(60));
        assert_eq!(tables.count("t", 0).unwrap(), 0);
        tables.set("t", "k", "a", 1.into(), minute, 0).unwrap();
        tables.set("t", "k", "b", "x".into(), None, 10).unwrap();
        tables.set("t", "other", "a", "1".into(), None, 10).unwrap();
        assert_eq!(tables.row("t", "k", 59_999).unwrap().unwrap().len(), 2);
        assert_eq!(tables.search("t", "a", "1", 0).unwrap().unwrap(), "k");
        assert_eq!(
            tables.search("t", "a", "1", 60_000).unwrap().unwrap(),
            "other"
        );
        assert!(tables.cell("t", "k", "a", 60_000).unwrap().is_none());
        assert_eq!(tables.count("t", 60_000).unwrap(), 1);
        tables.set("t", "k", "c", 3.into(), None, 60_000).unwrap();
        assert_eq!(tables.row("t", "k", 60_000).unwrap().unwrap().len(), 1);
        assert!(tables.remove("t", "k").unwrap() && !tables.remove("t", "k").unwrap());
        tables.truncate("t").unwrap();
        assert_eq!(tables.count("t", 0).unwrap(), 0);
        assert!(
            tables
                .set("t", &"k".repeat(CELL + 1), "c", 3.into(), None, 0)
                .is_err()
        );
    }
}
