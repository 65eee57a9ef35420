//! Rules in the embedded file.

use super::sql::{Cell, Change, Look, Row, RuleStore, Sql};
use crate::diagnostic::Outcome;
use crate::store::{Room, Store, Within};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

/// Where rules lie in the embedded file.
pub static RULE: Room = Room {
    name: "rule",
    migrations: &["
        CREATE TABLE rule (
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, number INTEGER NOT NULL, active INTEGER NOT NULL,
            is_retro INTEGER NOT NULL, is_system INTEGER NOT NULL, folded TEXT NOT NULL, revision INTEGER NOT NULL,
            results INTEGER NOT NULL, errors INTEGER NOT NULL, is_error INTEGER NOT NULL, running_at TEXT NOT NULL,
            body TEXT NOT NULL) STRICT;
        CREATE INDEX rule_number ON rule (number);
        CREATE TABLE rule_entity (
            kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, folded TEXT NOT NULL,
            revision INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (kind, id), UNIQUE (kind, name)) STRICT;
        CREATE TABLE rule_link (
            rule TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, place INTEGER NOT NULL,
            PRIMARY KEY (rule, kind, target)) STRICT, WITHOUT ROWID;
        CREATE INDEX rule_link_target ON rule_link (kind, target);
        CREATE TABLE rule_result (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, rule TEXT, at INTEGER NOT NULL,
            alert TEXT NOT NULL) STRICT;
        CREATE INDEX rule_result_rule ON rule_result (rule, number);
        CREATE TABLE rule_row (
            list TEXT NOT NULL, key TEXT NOT NULL, until INTEGER, PRIMARY KEY (list, key)) STRICT, WITHOUT ROWID;
        CREATE TABLE rule_cell (
            list TEXT NOT NULL, key TEXT NOT NULL, col TEXT NOT NULL, place INTEGER NOT NULL, hash INTEGER NOT NULL,
            text TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (list, key, col)) STRICT;
        CREATE INDEX rule_cell_hash ON rule_cell (list, col, hash);
        CREATE TABLE rule_state (
            rule TEXT NOT NULL, part TEXT NOT NULL, saved INTEGER NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (rule, part)) STRICT"],
    expire: Some(expire),
};

/// Removes rows of table lists whose time is over.
fn expire(conn: &Connection, now: i64) -> Outcome<usize> {
    let cells = "DELETE FROM rule_cell WHERE (list, key) IN (
        SELECT list, key FROM rule_row WHERE until <= ?1 ORDER BY list, key LIMIT 1000)";
    let rows = "DELETE FROM rule_row WHERE (list, key) IN (
        SELECT list, key FROM rule_row WHERE until <= ?1 ORDER BY list, key LIMIT 1000)";
    conn.execute(cells, [now])?;
    Ok(conn.execute(rows, [now])?)
}

/// Rules in the embedded file.
pub struct Embedded(Store);

impl Embedded {
    /// Rules in this file, which must know the room [`RULE`].
    pub fn new(store: &Store) -> Embedded {
        Embedded(store.clone())
    }
}

impl RuleStore for Embedded {
    fn place(&self) -> String {
        format!("the embedded file {}", self.0.path().display())
    }

    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()> {
        self.0
            .read_within(&RULE, within.deadline, within.cancel, |conn| {
                work(&mut Local(conn))
            })
    }

    fn write(&self, within: Within<'_>, mut work: Change) -> Outcome<()> {
        self.0
            .write(&RULE, within.deadline, within.cancel, move |conn| {
                work(&mut Local(conn))
            })
    }

    fn close(&self) {}
}

/// A connection of the embedded file.
struct Local<'c>(&'c Connection);

impl Sql for Local<'_> {
    fn query(&mut self, sql: &str, parameters: &[Cell]) -> Outcome<Vec<Row>> {
        let mut statement = self.0.prepare_cached(&sql.replace('$', "?"))?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(parameters))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let cells = (0..columns).map(|column| {
                Ok(match row.get::<_, Value>(column)? {
                    Value::Null => Cell::Null,
                    Value::Integer(value) => Cell::Int(value),
                    Value::Text(value) => Cell::Text(value),
                    Value::Blob(value) => Cell::Bytes(value),
                    Value::Real(_) => return Err(super::sql::odd()),
                })
            });
            all.push(Row::new(cells.collect::<Outcome<Vec<Cell>>>()?));
        }
        Ok(all)
    }

    fn execute(&mut self, sql: &str, parameters: &[Cell]) -> Outcome<u64> {
        let mut statement = self.0.prepare_cached(&sql.replace('$', "?"))?;
        Ok(statement.execute(params_from_iter(parameters))? as u64)
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Int(value) => ValueRef::Integer(*value),
            Cell::Text(value) => ValueRef::Text(value.as_bytes()),
            Cell::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}
