//! Tables: their names, sizes and ages, what is too old, what is missing.

use super::EVENT;
use super::find::Reader;
use super::write;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::event::query::{Bound, Condition};
use crate::event::store::{ENUMERATED, Status, TableStatus, column_named};
use crate::event::{Column, ColumnKind};
use rusqlite::{Connection, params};

/// A number that SQL counts.
pub(super) fn rows(conn: &Connection, sql: &str) -> Outcome<u64> {
    let count: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// A table by the name that Mentat gives it, with a column of times.
enum Table {
    Events(Column),
    /// Table and column as they are in the file.
    Book(&'static str, &'static str),
    Enum(Column),
}

fn unknown(table: &str, column: &str) -> Fault {
    Diagnostic::new(
        Code::EventStorage,
        format!("the table {table} has no column {column:?} with times"),
    )
}

fn table(table: &str, column: &str) -> Outcome<Table> {
    let one_of = |file: &'static str, known: &[&'static str]| {
        let found = known.iter().find(|known| **known == column);
        found
            .map(|column| Table::Book(file, column))
            .ok_or_else(|| unknown(table, column))
    };
    match table {
        "events" => match column_named(column)? {
            column if column.kind() == ColumnKind::Time => Ok(Table::Events(column)),
            _ => Err(unknown(table, column)),
        },
        "thresholds" => one_of(
            "event_threshold",
            &["thresholdtime", "relapsetime", "ttltime"],
        ),
        "events_thresholded" => one_of("event_thresholded", &["createtime"]),
        _ => {
            let listed = ENUMERATED
                .iter()
                .find(|listed| table.strip_prefix("enum_") == Some(listed.name()));
            match listed {
                Some(listed) if column == "last_seen" => Ok(Table::Enum(*listed)),
                Some(_) => Err(unknown(table, column)),
                None => {
                    let names = names();
                    let near = nearest(table, names.iter().map(String::as_str));
                    Err(
                        Diagnostic::new(Code::EventStorage, format!("there is no table {table:?}"))
                            .did_you_mean(near),
                    )
                }
            }
        }
    }
}

fn names() -> Vec<String> {
    ["events", "events_thresholded", "thresholds"]
        .map(String::from)
        .into_iter()
        .chain(
            ENUMERATED
                .iter()
                .map(|column| format!("enum_{}", column.name())),
        )
        .collect()
}

pub(super) fn cleanup(conn: &Connection, name: &str, column: &str, ttl: i64) -> Outcome<u64> {
    let removed = match table(name, column)? {
        Table::Events(column) => {
            let condition = Condition::Time {
                column,
                bound: Bound::Before,
                at: ttl,
            };
            let set = Reader::new(conn)?.matching(&[condition])?;
            return write::remove(conn, &set);
        }
        // Both names are this program's own.
        Table::Book(file, column) => {
            conn.execute(&format!("DELETE FROM {file} WHERE {column} < ?1"), [ttl])?
        }
        Table::Enum(column) => conn.execute(
            "DELETE FROM event_enum WHERE name = ?1 AND last_seen < ?2",
            params![column.name(), ttl],
        )?,
    };
    Ok(removed as u64)
}

fn bytes(conn: &Connection, name: &str) -> Outcome<u64> {
    let sql = "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name = ?1";
    let bytes: i64 = conn
        .prepare_cached(sql)?
        .query_row([name], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

pub(super) fn table_status(reader: &Reader<'_>, name: &str, column: &str) -> Outcome<TableStatus> {
    let conn = reader.conn;
    let mut status = TableStatus {
        table_name: name.to_string(),
        ..TableStatus::default()
    };
    let (own, indexes): (&str, &[&str]) = match table(name, column)? {
        Table::Events(column) => {
            status.row_estimate = reader.live()?.count() as i64;
            status.dt_oldest = reader.extreme_time(column, false)?;
            status.dt_newest = reader.extreme_time(column, true)?;
            let indexes = &[
                "event_id",
                "event_posting",
                "event_time",
                "event_bound",
                "event_bound_detect_low",
                "event_bound_detect_high",
                "event_bound_storage_low",
                "event_bound_storage_high",
            ];
            ("event_row", indexes)
        }
        Table::Book(file, column) => {
            let sql = format!("SELECT count(*), min({column}), max({column}) FROM {file}");
            (status.row_estimate, status.dt_oldest, status.dt_newest) =
                conn.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            match file {
                "event_threshold" => (file, &[]),
                _ => (
                    file,
                    &["event_thresholded_combined", "event_thresholded_keyid"],
                ),
            }
        }
        Table::Enum(column) => {
            let sql =
                "SELECT count(*), min(last_seen), max(last_seen) FROM event_enum WHERE name = ?1";
            (status.row_estimate, status.dt_oldest, status.dt_newest) =
                conn.query_row(sql, [column.name()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
            // All lists lie in one table.
            ("event_enum", &["event_enum_last_seen"])
        }
    };
    status.table_bytes = bytes(conn, own)?;
    for index in indexes {
        status.index_bytes += bytes(conn, index)?;
    }
    status.total_bytes = status.table_bytes + status.index_bytes;
    Ok(status)
}

pub(super) fn status(reader: &Reader<'_>, brief: bool) -> Outcome<Status> {
    let mut status = Status::default();
    for name in names() {
        let column = match name.as_str() {
            "events" => Column::StorageTime.name(),
            "events_thresholded" => "createtime",
            "thresholds" => "ttltime",
            _ => "last_seen",
        };
        let table = table_status(reader, &name, column)?;
        status.tables.insert(name, table);
    }
    if !brief {
        for name in [
            "application_id",
            "auto_vacuum",
            "cache_size",
            "encoding",
            "freelist_count",
            "journal_mode",
            "page_count",
            "page_size",
            "synchronous",
        ] {
            let value: rusqlite::types::Value =
                reader
                    .conn
                    .pragma_query_value(None, name, |row| row.get(0))?;
            let value = match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                _ => continue,
            };
            status.settings.insert(name.to_string(), value);
        }
        let version = rusqlite::version().to_string();
        status.settings.insert("sqlite_version".into(), version);
    }
    Ok(status)
}

/// Removes the tables and the note of their version.
pub(super) fn drop_tables(conn: &Connection) -> Outcome<()> {
    Ok(conn.execute_batch(
        "DROP TABLE IF EXISTS event_row; DROP TABLE IF EXISTS event_id; DROP TABLE IF EXISTS event_posting;
         DROP TABLE IF EXISTS event_time; DROP TABLE IF EXISTS event_bound; DROP TABLE IF EXISTS event_enum; DROP TABLE IF EXISTS event_threshold;
         DROP TABLE IF EXISTS event_thresholded; DELETE FROM meta WHERE room = 'event'",
    )?)
}

/// Creates the tables again that were removed in the same transaction.
pub(super) fn create_tables(conn: &Connection) -> Outcome<()> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'event_row')";
    if conn.query_row(sql, [], |row| row.get(0))? {
        return Ok(());
    }
    for step in EVENT.migrations {
        conn.execute_batch(step)?;
    }
    conn.execute(
        "INSERT OR REPLACE INTO meta (room, version) VALUES (?1, ?2)",
        params![EVENT.name, EVENT.migrations.len() as i64],
    )?;
    Ok(())
}

/// Makes everything that leads to events anew when something of it is missing.
pub(super) fn create_indexes(
    conn: &Connection,
    proceed: &write::Proceed<'_>,
) -> Outcome<Vec<String>> {
    let events = rows(conn, "SELECT count(*) FROM event_row")?;
    let found = rows(conn, "SELECT count(*) FROM event_id")?;
    let live = Reader::new(conn)?.live()?.count();
    if events == found && events == live {
        return Ok(Vec::new());
    }
    conn.execute_batch(
        "DELETE FROM event_id; DELETE FROM event_time; DELETE FROM event_bound; DELETE FROM event_posting",
    )?;
    write::index_all(conn, proceed)?;
    Ok(["event_bound", "event_id", "event_posting", "event_time"]
        .map(String::from)
        .into())
}
