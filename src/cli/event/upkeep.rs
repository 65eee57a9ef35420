//! `stellar event init`, `drop`, `index`, `status`, `cleanup` and `watchdog`.

use super::Desk;
use super::args::IndexCommand;
use super::asked::time_or_age;
use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::event::shape::time_text;
use crate::event::store::{Configured, TableStatus, pretty_size};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// The database, when events are in one.
fn server(desk: &Desk) -> Option<Arc<Configured>> {
    let engine = &desk.engine;
    engine.config.store.event.as_ref()?;
    engine.context.services.get::<Configured>()
}

/// Creates what is missing.
pub fn init(desk: &Desk) -> Outcome<bool> {
    desk.events.database_create(desk.within())?;
    let created = desk.events.index_create(desk.within())?;
    output::line(&format!("{}: the tables are there", desk.events.place()))?;
    if !created.is_empty() {
        output::line(&format!("indexes created: {}", created.join(", ")))?;
    }
    Ok(true)
}

/// Removes the tables.
pub fn drop_all(desk: &Desk, all: bool) -> Outcome<bool> {
    if !all {
        let message = format!(
            "this removes all events and thresholds in {}",
            desk.events.place()
        );
        return Err(
            Diagnostic::new(Code::Usage, message).help("--all says that this is what is meant")
        );
    }
    desk.events.database_drop(desk.within())?;
    output::line(&format!("{}: the tables are removed", desk.events.place()))?;
    Ok(true)
}

/// Creates or removes the indexes.
pub fn index(desk: &Desk, command: &IndexCommand) -> Outcome<bool> {
    let (names, done) = match command {
        IndexCommand::Create { addresses } => {
            let server = match addresses {
                true => Some(server(desk).ok_or_else(|| {
                    let message =
                        "events are in the embedded file, which has its index of addresses already";
                    Diagnostic::new(Code::Usage, message)
                })?),
                false => None,
            };
            let mut names = desk.events.index_create(desk.within())?;
            if let Some(server) = server {
                server.postgres()?.address_index_create(desk.within())?;
                names.push("events_stellar_addresses_idx".to_string());
            }
            (names, "created")
        }
        IndexCommand::Drop => (desk.events.index_drop(desk.within())?, "removed"),
    };
    output::line(&match names.is_empty() {
        true => format!("no index {done}"),
        false => format!("indexes {done}: {}", names.join(", ")),
    })?;
    Ok(true)
}

fn table_row(status: &TableStatus) -> Json {
    json!({
        "table_name": status.table_name, "row_estimate": status.row_estimate,
        "total_bytes": status.total_bytes, "index_bytes": status.index_bytes,
        "toast_bytes": status.toast_bytes, "table_bytes": status.table_bytes,
        "total_bytes_str": pretty_size(status.total_bytes), "index_bytes_str": pretty_size(status.index_bytes),
        "toast_bytes_str": pretty_size(status.toast_bytes), "table_bytes_str": pretty_size(status.table_bytes),
        "dt_oldest": status.dt_oldest.map(time_text), "dt_newest": status.dt_newest.map(time_text),
    })
}

/// Shows the tables, or the settings of the database.
pub fn status(desk: &Desk, settings: bool, format: Option<ListFormat>) -> Outcome<bool> {
    let format = ListFormat::or_usual(format);
    let status = desk.events.database_status(!settings, desk.within())?;
    if settings {
        let settings = status.settings.iter();
        let rows = settings.map(|(name, value)| json!({"name": name, "value": value}));
        output::table(format, &["name", "value"], rows.collect())?;
        return Ok(true);
    }
    let columns = [
        "table_name",
        "row_estimate",
        "total_bytes_str",
        "table_bytes_str",
        "index_bytes_str",
        "dt_oldest",
        "dt_newest",
    ];
    let rows = status.tables.values().map(table_row).collect();
    output::table(format, &columns, rows)?;
    Ok(true)
}

/// The usual time column of a table.
fn time_column(table: &str) -> &'static str {
    match table {
        "events" => "cesnet_storagetime",
        "events_thresholded" => "createtime",
        "thresholds" => "ttltime",
        _ => "last_seen",
    }
}

/// Removes the rows of a table from before a time.
pub fn cleanup(desk: &Desk, table: &str, column: Option<&str>, before: &str) -> Outcome<bool> {
    let column = column.unwrap_or_else(|| time_column(table));
    let before = time_or_age(desk, before)?;
    let events = &desk.events;
    let removed = events.table_cleanup(table, column, before, desk.within())?;
    let s = if removed == 1 { "" } else { "s" };
    output::line(&format!(
        "{removed} row{s} of {table} with {column} before {} removed",
        time_text(before)
    ))?;
    Ok(true)
}

/// Whether anything was stored lately.
pub fn watchdog(desk: &Desk, seconds: i64) -> Outcome<bool> {
    let fresh = desk.events.watchdog(seconds, desk.within())?;
    let what = if fresh { "an" } else { "no" };
    output::line(&format!("{what} event was stored in the last {seconds} s"))?;
    Ok(fresh)
}
