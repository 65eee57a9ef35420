//! Rows that were written after the last saved state and come again after a crash.

use super::output::{Cell, Fields};
use super::quoted;
use ahash::AHashMap;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde_json::{Map, Value as Json, json};

/// What stands behind the last saved rows.
#[derive(Default)]
pub(super) struct Again {
    /// The last row of each table when the state was saved; `None` when nothing comes again.
    saved: Option<AHashMap<String, i64>>,
    /// How often each row stands behind it, by table.
    rows: AHashMap<String, AHashMap<Vec<u8>, usize>>,
    /// What was taken out in a transaction that may fail.
    taken: Vec<(String, Vec<u8>)>,
}

/// The last row of a table; 0 when it has no numbers.
pub(super) fn last_row(conn: &Connection, table: &str) -> rusqlite::Result<i64> {
    let sql = format!("SELECT max(_rowid_) FROM {}", quoted(table));
    let Ok(mut statement) = conn.prepare(&sql) else {
        return Ok(0);
    };
    let last: Option<Option<i64>> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(last.flatten().unwrap_or(0))
}

/// The last rows of all tables.
pub(super) fn last_rows(conn: &Connection) -> rusqlite::Result<AHashMap<String, i64>> {
    let mut names = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?;
    names
        .map(|name| {
            let name = name?;
            let last = last_row(conn, &name)?;
            Ok((name, last))
        })
        .collect()
}

impl Again {
    /// Whether rows may come again.
    pub fn any(&self) -> bool {
        self.saved.is_some()
    }

    /// In a form that feedoo takes for an empty state. While rows may come again, the last saved row of their table
    /// stays.
    pub fn save(&self, known: &AHashMap<String, i64>) -> Json {
        let done = |table: &String| self.rows.get(table).is_some_and(|left| left.is_empty());
        let last = |(table, last): (&String, &i64)| {
            let last = match &self.saved {
                Some(saved) if !done(table) => *saved.get(table)?,
                _ => *last,
            };
            Some((table.clone(), json!(last)))
        };
        let rows: Map<String, Json> = known.iter().filter_map(last).collect();
        json!({"data": {}, "key_timeout": {}, "rows": rows})
    }

    pub fn load(state: &Json) -> Result<Again, String> {
        let Some(saved) = state.get("rows").and_then(Json::as_object) else {
            return Ok(Again::default());
        };
        let mut rows = AHashMap::new();
        for (name, last) in saved {
            rows.insert(name.clone(), last.as_i64().ok_or("a row is odd")?);
        }
        Ok(Again {
            saved: Some(rows),
            ..Again::default()
        })
    }

    /// Reads what stands behind the saved last row of a table; all of it when the table was made since.
    pub fn look(
        &mut self,
        conn: &Connection,
        table: &str,
        fields: &Fields,
    ) -> rusqlite::Result<()> {
        let Some(saved) = &self.saved else {
            return Ok(());
        };
        if self.rows.contains_key(table) {
            return Ok(());
        }
        let from = saved.get(table).copied().unwrap_or(0);
        let columns = fields.iter().map(|(name, _)| format!("t.{}", quoted(name)));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {columns} FROM {} AS t WHERE t._rowid_ > ?1",
            quoted(table)
        );
        let mut found = AHashMap::new();
        if let Ok(mut statement) = conn.prepare(&sql) {
            let mut rows = statement.query([from])?;
            while let Some(row) = rows.next()? {
                *found.entry(key(row, fields.len())?).or_insert(0) += 1;
            }
        }
        // As SQLite will store the rows that come, so they can be compared.
        let kinds = fields
            .iter()
            .map(|(name, kind)| format!("{} {kind}", quoted(name)));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        conn.execute_batch(&format!(
            "CREATE TEMP TABLE IF NOT EXISTS stellar_form ({kinds})"
        ))?;
        self.rows.insert(table.to_owned(), found);
        Ok(())
    }

    /// Whether a row stands there already; then it is taken out here.
    pub fn is_there(
        &mut self,
        conn: &Connection,
        table: &str,
        fields: &Fields,
        row: &[Cell],
    ) -> rusqlite::Result<bool> {
        let Some(known) = self.rows.get_mut(table).filter(|known| !known.is_empty()) else {
            return Ok(false);
        };
        let marks = vec!["?"; fields.len()].join(", ");
        conn.prepare_cached("DELETE FROM temp.stellar_form")?
            .execute([])?;
        conn.prepare_cached(&format!("INSERT INTO temp.stellar_form VALUES ({marks})"))?
            .execute(params_from_iter(row))?;
        let stored = conn
            .prepare_cached("SELECT * FROM temp.stellar_form")?
            .query_row([], |row| key(row, fields.len()))?;
        let Some(left) = known.get_mut(&stored) else {
            return Ok(false);
        };
        *left -= 1;
        if *left == 0 {
            known.remove(&stored);
        }
        self.taken.push((table.to_owned(), stored));
        Ok(true)
    }

    /// The transaction is done.
    pub fn settled(&mut self) {
        self.taken.clear();
    }

    /// The transaction failed.
    pub fn undo(&mut self) {
        for (table, row) in self.taken.drain(..) {
            let rows = self.rows.entry(table).or_default();
            *rows.entry(row).or_insert(0) += 1;
        }
    }
}

/// A row as bytes that are equal when the rows are.
fn key(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Vec<u8>> {
    let mut key = Vec::new();
    for at in 0..columns {
        let (mark, bytes) = match row.get::<_, Sql>(at)? {
            Sql::Null => (0, Vec::new()),
            Sql::Integer(n) => (1, n.to_le_bytes().to_vec()),
            Sql::Real(n) => (2, n.to_bits().to_le_bytes().to_vec()),
            Sql::Text(text) => (3, text.into_bytes()),
            Sql::Blob(bytes) => (4, bytes),
        };
        key.push(mark);
        key.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        key.extend_from_slice(&bytes);
    }
    Ok(key)
}
