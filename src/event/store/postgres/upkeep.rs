//! Tables, indexes, their sizes, and removing what is old.

use super::schema::{CREATE, DROP, INDEXES, TABLES};
use super::session::Tables;
use super::{Known, address};
use crate::config::mask_text;
use crate::diagnostic::Outcome;
use crate::event::store::{Status, TableStatus};
use crate::store::postgres::{Answer, Failure, Kind, Micros, Row as Found, identifier};

/// Creates the tables that are missing.
pub(super) fn create(tables: &mut Tables<'_>) -> Outcome<()> {
    for sql in CREATE {
        batch(tables, sql)?;
    }
    Ok(())
}

/// Removes the tables, and what belongs to the index of addresses.
pub(super) fn drop_all(tables: &mut Tables<'_>) -> Outcome<()> {
    let within = tables.within;
    let gone = address::drop_all(tables.session, within);
    gone.map_err(|failure| tables.fault(failure))?;
    *tables.store.addresses.lock() = Known::default();
    batch(tables, DROP)
}

fn batch(tables: &mut Tables<'_>, sql: &'static str) -> Outcome<()> {
    let answer = tables.session.batch(sql, tables.within);
    answer.map_err(|failure| tables.fault(failure))
}

/// Creates the indexes that are missing; their names.
pub(super) fn index_create(tables: &mut Tables<'_>) -> Outcome<Vec<String>> {
    let mut created = Vec::new();
    for index in INDEXES {
        if !has_index(tables, index.name)? {
            batch(tables, index.create)?;
            created.push(index.name.to_string());
        }
    }
    Ok(created)
}

/// Removes the indexes; the names of those that were there.
pub(super) fn index_drop(tables: &mut Tables<'_>) -> Outcome<Vec<String>> {
    let mut dropped = Vec::new();
    for index in INDEXES {
        if has_index(tables, index.name)? {
            batch(tables, index.drop)?;
            dropped.push(index.name.to_string());
        }
    }
    if has_index(tables, address::INDEX)? {
        let within = tables.within;
        let gone = address::drop_all(tables.session, within);
        gone.map_err(|failure| tables.fault(failure))?;
        *tables.store.addresses.lock() = Known::default();
        dropped.push(address::INDEX.to_string());
    }
    Ok(dropped)
}

fn has_index(tables: &mut Tables<'_>, name: &str) -> Outcome<bool> {
    Ok(!tables
        .query(
            "SELECT 1 WHERE to_regclass(quote_ident($1)) IS NOT NULL",
            &[&name],
        )?
        .is_empty())
}

/// Removes the rows whose time in a column is before `ttl`.
pub(super) fn cleanup(
    tables: &mut Tables<'_>,
    table: &str,
    column: &str,
    ttl: i64,
) -> Outcome<u64> {
    let (table, column) = named(tables, table, column)?;
    let sql = format!("DELETE FROM {table} WHERE {column} < $1::timestamp");
    tables.execute(&sql, &[&Micros(ttl)])
}

/// The names of a table and its column as they stand in a statement, written by the server, which has them both.
fn named(tables: &mut Tables<'_>, table: &str, column: &str) -> Outcome<(String, String)> {
    let sql = "SELECT attname IS NOT NULL FROM (SELECT to_regclass(quote_ident($1)) AS table) AS named \
               LEFT JOIN pg_attribute ON attrelid = named.table AND attname = $2 AND attnum > 0 \
               AND NOT attisdropped WHERE named.table IS NOT NULL";
    let rows = tables.query(sql, &[&table, &column])?;
    let there = rows
        .first()
        .map(|row| row.try_get::<_, bool>(0))
        .transpose();
    let missing = match there.map_err(|error| tables.fault(error.into()))? {
        Some(true) => None,
        Some(false) => Some(format!(
            "column {column:?} of the table {table:?} does not exist"
        )),
        None => Some(format!("relation {table:?} does not exist")),
    };
    if let Some(message) = missing {
        return Err(tables.fault(Failure::new(Kind::Other, message)));
    }
    let within = tables.within;
    let quoted = |name: &str, tables: &mut Tables<'_>| {
        let quoted = identifier(tables.session, name, within);
        quoted.map_err(|failure| tables.fault(failure))
    };
    Ok((quoted(table, tables)?, quoted(column, tables)?))
}

/// The size of a table and the reach of its times.
pub(super) fn table_status(
    tables: &mut Tables<'_>,
    table: &str,
    column: &str,
) -> Outcome<TableStatus> {
    let (quoted, time) = named(tables, table, column)?;
    let sizes = "SELECT reltuples::bigint, pg_total_relation_size(oid), pg_indexes_size(oid), \
                 COALESCE(pg_total_relation_size(NULLIF(reltoastrelid, 0)), 0) \
                 FROM pg_class WHERE oid = to_regclass(quote_ident($1))";
    let sizes = tables.query(sizes, &[&table])?;
    let times = tables.query(
        &format!("SELECT min({time}), max({time}) FROM {quoted}"),
        &[],
    )?;
    let read = |sizes: &Found, times: &Found| -> Answer<TableStatus> {
        let bytes = |at: usize| -> Answer<u64> {
            Ok(u64::try_from(sizes.try_get::<_, i64>(at)?).unwrap_or(0))
        };
        let (total, indexes, toast) = (bytes(1)?, bytes(2)?, bytes(3)?);
        Ok(TableStatus {
            table_name: table.to_string(),
            row_estimate: sizes.try_get(0)?,
            total_bytes: total,
            index_bytes: indexes,
            toast_bytes: toast,
            table_bytes: total.saturating_sub(indexes).saturating_sub(toast),
            dt_oldest: times.try_get::<_, Option<Micros>>(0)?.map(|at| at.0),
            dt_newest: times.try_get::<_, Option<Micros>>(1)?.map(|at| at.0),
        })
    };
    let status = match (sizes.first(), times.first()) {
        (Some(sizes), Some(times)) => read(sizes, times),
        _ => Err(Failure::new(
            Kind::Other,
            format!("relation {table:?} does not exist"),
        )),
    };
    status.map_err(|failure| tables.fault(failure))
}

/// The status of all tables and, unless `brief`, the settings of the server.
pub(super) fn database_status(tables: &mut Tables<'_>, brief: bool) -> Outcome<Status> {
    let mut status = Status::default();
    for (table, column) in TABLES {
        let found = table_status(tables, table, column)?;
        status.tables.insert((*table).to_string(), found);
    }
    if !brief {
        for row in tables.query("SELECT name, COALESCE(setting, '') FROM pg_settings", &[])? {
            let pair = row
                .try_get(0)
                .and_then(|name| Ok((name, row.try_get::<_, String>(1)?)));
            let (name, value): (String, String) =
                pair.map_err(|error| tables.fault(error.into()))?;
            // How a replica reaches its master may hold a password.
            status.settings.insert(name, mask_text(&value));
        }
    }
    Ok(status)
}
