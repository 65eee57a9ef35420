//! Table lists: named tables whose rows rules read and write, a cell each.

use super::entities::{insert, next_number_of};
use super::sql::{Cell, Sql};
use super::{Page, Rules};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::json;
use crate::rule::lua::textual;
use crate::rule::model::{Entity, EntityKind};
use crate::store::Within;
use serde_json::{Map, Value as Json};

/// How many bytes the name of a table list, or a key in it, may have.
pub const LIST_KEY: usize = 1 << 10;
/// How many bytes the name of a column may have.
const COLUMN: usize = 256;
/// How many bytes the text of a cell may have.
const CELL: usize = 64 << 10;
/// How many cells a row may have.
const CELLS: i64 = 256;

/// Nesting of a cell.
const DEEPEST: usize = 128;

/// A row of a table list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListRow {
    /// Its key.
    pub key: String,
    /// Its cells by column, in the order in which they were written first.
    pub cells: Map<String, Json>,
    /// When it is gone, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// A number for a text, always the same (FNV-1a; Fowler, Noll and Vo).
fn hash(text: &str) -> i64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step).cast_signed()
}

fn fits(what: &str, text: &str, most: usize) -> Outcome<()> {
    let wrong = |why: String| {
        Err(Diagnostic::new(
            Code::ArgumentValue,
            format!("{what} of a table list {why}"),
        ))
    };
    if text.len() > most {
        return wrong(format!("has {} bytes; {most} are allowed", text.len()));
    }
    match text.contains('\0') {
        true => wrong("holds a NUL character".to_string()),
        false => Ok(()),
    }
}

fn too_many() -> Fault {
    let text = format!("a row of a table list may have {CELLS} cells at most");
    Diagnostic::new(Code::CollectionSize, text)
}

/// Whether no row can have this name, so that nothing needs to be asked.
fn impossible(texts: &[&str]) -> bool {
    texts
        .iter()
        .any(|text| text.len() > LIST_KEY || text.contains('\0'))
}

const LIVES: &str = "(r.until IS NULL OR r.until > $2)";

pub(super) fn rename(sql: &mut dyn Sql, before: &str, after: &str) -> Outcome<()> {
    clear(sql, after)?;
    for table in ["rule_cell", "rule_row"] {
        let statement = format!("UPDATE {table} SET list = $1 WHERE list = $2");
        sql.execute(&statement, &[after.into(), before.into()])?;
    }
    Ok(())
}

pub(super) fn clear(sql: &mut dyn Sql, list: &str) -> Outcome<()> {
    for table in ["rule_cell", "rule_row"] {
        sql.execute(
            &format!("DELETE FROM {table} WHERE list = $1"),
            &[list.into()],
        )?;
    }
    Ok(())
}

fn remove_row(sql: &mut dyn Sql, list: &str, key: &str) -> Outcome<bool> {
    let keys = [Cell::from(list), key.into()];
    sql.execute("DELETE FROM rule_cell WHERE list = $1 AND key = $2", &keys)?;
    Ok(sql.execute("DELETE FROM rule_row WHERE list = $1 AND key = $2", &keys)? > 0)
}

fn rows(found: Vec<super::sql::Row>) -> Outcome<Vec<ListRow>> {
    let mut rows: Vec<ListRow> = Vec::new();
    for mut row in found {
        let (key, until) = (row.text()?, row.maybe_int()?);
        if rows.last().is_none_or(|last| last.key != key) {
            rows.push(ListRow {
                key,
                cells: Map::new(),
                until,
            });
        }
        if let (Some(column), Some(last)) = (row.maybe_text()?, rows.last_mut()) {
            last.cells.insert(column, row.json()?);
        }
    }
    Ok(rows)
}

impl Rules {
    /// The row of a key in a table list.
    pub fn list_row(&self, list: &str, key: &str, within: Within<'_>) -> Outcome<Option<ListRow>> {
        if impossible(&[list, key]) {
            return Ok(None);
        }
        let statement = format!(
            "SELECT r.key, r.until, c.col, c.value FROM rule_row r
             LEFT JOIN rule_cell c ON c.list = r.list AND c.key = r.key
             WHERE r.list = $1 AND {LIVES} AND r.key = $3 ORDER BY c.place, c.col"
        );
        let keys = [Cell::from(list), within.now.into(), key.into()];
        let found = self.read(within, |sql| sql.query(&statement, &keys))?;
        Ok(rows(found)?.pop())
    }

    /// The key of a row of a table list with this text in a column: the first one by its bytes.
    pub fn list_search(
        &self,
        list: &str,
        column: &str,
        text: &str,
        within: Within<'_>,
    ) -> Outcome<Option<String>> {
        if impossible(&[list, column]) || text.contains('\0') {
            return Ok(None);
        }
        let statement = format!(
            "SELECT c.key FROM rule_cell c JOIN rule_row r ON r.list = c.list AND r.key = c.key
             WHERE c.list = $1 AND {LIVES} AND c.col = $3 AND c.hash = $4 AND c.text = $5 ORDER BY c.key LIMIT 1"
        );
        let keys = [
            Cell::from(list),
            within.now.into(),
            column.into(),
            hash(text).into(),
            text.into(),
        ];
        let found = self.read(within, |sql| sql.query(&statement, &keys))?;
        found
            .into_iter()
            .next()
            .map(|mut row| row.text())
            .transpose()
    }

    /// Writes a cell of a table list, which is made when there is none of this name; `id` would be its identifier.
    /// `text` is what the cell is searched by. With a lifetime (milliseconds) that of the row begins anew. E0204 for
    /// texts that are too long, E0304 when the row has too many cells.
    #[expect(clippy::too_many_arguments)]
    pub fn list_set(
        &self,
        list: &str,
        key: &str,
        column: &str,
        (value, text): (&Json, &str),
        lifetime: Option<i64>,
        id: &dyn Fn() -> String,
        within: Within<'_>,
    ) -> Outcome<()> {
        fits("the name", list, LIST_KEY)?;
        fits("a key", key, LIST_KEY)?;
        fits("a column", column, COLUMN)?;
        fits("a cell", text, CELL)?;
        let (value, now) = (value.to_string(), within.now);
        fits("a cell", &value, CELL * 2)?;
        let until = lifetime.map(|lifetime| now.saturating_add(lifetime));
        let known = self
            .entity_named(EntityKind::Table, list, within)?
            .is_some();
        let time = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default();
        let time = time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let entity = (!known).then(|| Entity {
            kind: EntityKind::Table,
            id: id(),
            created_at: time.clone(),
            updated_at: time,
            trace_id: String::new(),
            name: list.to_string(),
            description: String::new(),
            program: String::new(),
            columns: Json::Null,
        });
        let (list, key, column, text) = (
            list.to_string(),
            key.to_string(),
            column.to_string(),
            text.to_string(),
        );
        self.write(within, move |sql| {
            if let Some(entity) = &entity {
                insert(sql, entity, now)?;
            }
            let keys = [Cell::from(&list), (&key).into()];
            let statement = "SELECT until FROM rule_row WHERE list = $1 AND key = $2";
            let found = sql.query(statement, &keys)?.into_iter().next();
            let before = found.map(|mut row| row.maybe_int()).transpose()?;
            if before.flatten().is_some_and(|until| until <= now) {
                remove_row(sql, &list, &key)?;
            }
            sql.execute(
                "INSERT INTO rule_row (list, key, until) VALUES ($1, $2, $3)
                 ON CONFLICT (list, key) DO UPDATE SET until = COALESCE(excluded.until, rule_row.until)",
                &[keys[0].clone(), keys[1].clone(), until.into()],
            )?;
            let count = "SELECT COUNT(*) FROM rule_cell WHERE list = $1 AND key = $2 AND col <> $3";
            let others = [keys[0].clone(), keys[1].clone(), (&column).into()];
            if next_number_of(sql, count, &others)? >= CELLS {
                return Err(too_many());
            }
            let place = "SELECT COALESCE(MAX(place), 0) + 1 FROM rule_cell WHERE list = $1 AND key = $2";
            let place = next_number_of(sql, place, &keys)?;
            sql.execute(
                "INSERT INTO rule_cell (list, key, col, place, hash, text, value) VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (list, key, col) DO UPDATE
                 SET hash = excluded.hash, text = excluded.text, value = excluded.value",
                &[
                    keys[0].clone(),
                    keys[1].clone(),
                    (&column).into(),
                    place.into(),
                    hash(&text).into(),
                    (&text).into(),
                    (&value).into(),
                ],
            )?;
            Ok(())
        })
    }

    /// Writes whole rows of the table list with an identifier, in one step: cells that a row had before are gone. False
    /// when there is no such list. E0204 for texts that are too long, E0304 for rows with too many cells.
    pub fn list_put(&self, id: &str, rows: &[ListRow], within: Within<'_>) -> Outcome<bool> {
        let mut written = Vec::with_capacity(rows.len());
        for row in rows {
            fits("a key", &row.key, LIST_KEY)?;
            if row.cells.len() as i64 > CELLS {
                return Err(too_many());
            }
            let mut cells = Vec::with_capacity(row.cells.len());
            for (column, cell) in &row.cells {
                fits("a column", column, COLUMN)?;
                let text = textual(&json::from_json(cell, DEEPEST)?);
                let value = cell.to_string();
                fits("a cell", &text, CELL)?;
                fits("a cell", &value, CELL * 2)?;
                cells.push((column.clone(), text, value));
            }
            written.push((row.key.clone(), row.until, cells));
        }
        let id = id.to_string();
        self.write(within, move |sql| {
            let key = [Cell::from(EntityKind::Table.name()), (&id).into()];
            let statement = "SELECT name FROM rule_entity WHERE kind = $1 AND id = $2";
            let Some(mut found) = sql.query(statement, &key)?.into_iter().next() else {
                return Ok(false);
            };
            let list = found.text()?;
            for (key, until, cells) in &written {
                remove_row(sql, &list, key)?;
                let row = [Cell::from(&list), key.into(), (*until).into()];
                sql.execute(
                    "INSERT INTO rule_row (list, key, until) VALUES ($1, $2, $3)",
                    &row,
                )?;
                for (place, (column, text, value)) in (1i64..).zip(cells) {
                    sql.execute(
                        "INSERT INTO rule_cell (list, key, col, place, hash, text, value)
                         VALUES ($1, $2, $3, $4, $5, $6, $7)",
                        &[
                            (&list).into(),
                            key.into(),
                            column.into(),
                            place.into(),
                            hash(text).into(),
                            text.as_str().into(),
                            value.into(),
                        ],
                    )?;
                }
            }
            Ok(true)
        })
    }

    /// Removes a row of a table list; false when there was none.
    pub fn list_remove(&self, list: &str, key: &str, within: Within<'_>) -> Outcome<bool> {
        if impossible(&[list, key]) {
            return Ok(false);
        }
        let (list, key) = (list.to_string(), key.to_string());
        self.write(within, move |sql| remove_row(sql, &list, &key))
    }

    /// How many rows a table list has.
    pub fn list_count(&self, list: &str, within: Within<'_>) -> Outcome<i64> {
        if impossible(&[list]) {
            return Ok(0);
        }
        let statement = format!("SELECT COUNT(*) FROM rule_row r WHERE r.list = $1 AND {LIVES}");
        let keys = [Cell::from(list), within.now.into()];
        self.read(within, |sql| next_number_of(sql, &statement, &keys))
    }

    /// Removes all rows of a table list.
    pub fn list_clear(&self, list: &str, within: Within<'_>) -> Outcome<()> {
        if impossible(&[list]) {
            return Ok(());
        }
        let list = list.to_string();
        self.write(within, move |sql| clear(sql, &list))
    }

    /// Some rows of a table list, by their keys.
    pub fn list_rows(
        &self,
        list: &str,
        (offset, limit): (i64, i64),
        within: Within<'_>,
    ) -> Outcome<Page<ListRow>> {
        if impossible(&[list]) {
            let items = Vec::new();
            return Ok(Page { items, total: 0 });
        }
        let statement = format!(
            "SELECT r.key, r.until, c.col, c.value FROM (
                 SELECT r.list, r.key, r.until FROM rule_row r WHERE r.list = $1 AND {LIVES}
                 ORDER BY r.key LIMIT $3 OFFSET $4) r
             LEFT JOIN rule_cell c ON c.list = r.list AND c.key = r.key ORDER BY r.key, c.place, c.col"
        );
        let count = format!("SELECT COUNT(*) FROM rule_row r WHERE r.list = $1 AND {LIVES}");
        let keys = [
            Cell::from(list),
            within.now.into(),
            limit.max(0).into(),
            offset.max(0).into(),
        ];
        self.read(within, |sql| {
            let total = next_number_of(sql, &count, &keys[..2])?;
            let items = rows(sql.query(&statement, &keys)?)?;
            Ok(Page { items, total })
        })
    }

    /// Removes the rows of all table lists whose time is over, and says how many.
    pub fn lists_expire(&self, within: Within<'_>) -> Outcome<u64> {
        let now = within.now;
        self.write(within, move |sql| {
            sql.execute(
                "DELETE FROM rule_cell WHERE (list, key) IN (SELECT list, key FROM rule_row WHERE until <= $1)",
                &[now.into()],
            )?;
            sql.execute("DELETE FROM rule_row WHERE until <= $1", &[now.into()])
        })
    }
}
