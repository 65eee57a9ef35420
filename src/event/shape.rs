//! Columns as JSON and as values of the language, and the names by which users call them.

use super::message::written_time;
use super::store::{Cell, column_named};
use super::{Column, ColumnKind, Message, Record, Row};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::collections::List;
use crate::eval::json::from_json;
use serde_json::{Value as Json, json};

/// How deep a stored message may nest.
const DEPTH: usize = 512;

/// The column of a name, with or without the prefix `cesnet_`. E0606 for unknown names.
pub fn column(name: &str) -> Outcome<Column> {
    let prefixed = || Column::named(&format!("cesnet_{name}"));
    match Column::named(name).or_else(prefixed) {
        Some(column) => Ok(column),
        None => column_named(name),
    }
}

/// A time as text, `2026-01-10T08:00:00Z`; beyond the years of four digits the number of microseconds.
pub fn time_text(micros: i64) -> String {
    written_time(micros).unwrap_or_else(|| micros.to_string())
}

/// A time in milliseconds, as the language has them.
pub fn time_value(micros: i64) -> Value {
    Value::Long(micros.div_euclid(1000))
}

/// A count, as small as it can be.
pub fn count_value(count: u64) -> Value {
    match i32::try_from(count) {
        Ok(count) => Value::Int(count),
        Err(_) => Value::Long(i64::try_from(count).unwrap_or(i64::MAX)),
    }
}

/// The value of a column; `None` for null and for the column `event`.
pub fn cell(row: &Row, column: Column) -> Option<Cell> {
    Some(match column {
        Column::DetectTime => Cell::Time(row.detecttime),
        Column::StorageTime => Cell::Time(row.storagetime?),
        Column::SourceIp => Cell::Ranges(row.source_ip.clone()),
        Column::TargetIp => Cell::Ranges(row.target_ip.clone()),
        Column::SourcePort => Cell::Ints(row.source_port.clone()),
        Column::TargetPort => Cell::Ints(row.target_port.clone()),
        _ => match column.kind() {
            ColumnKind::Bytes => return None,
            ColumnKind::Text => Cell::Text(row.texts(column).first()?.clone()),
            _ => Cell::Texts(row.texts(column).to_vec()),
        },
    })
}

/// A cell as JSON, times as texts.
pub fn cell_json(cell: &Cell) -> Json {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Time(at) => json!(time_text(*at)),
        Cell::Texts(texts) => json!(texts),
        Cell::Ranges(ranges) => ranges
            .iter()
            .map(|range| json!(range.to_string()))
            .collect(),
        Cell::Ints(ints) => json!(ints),
    }
}

/// A cell as a value of the language, times in milliseconds.
pub fn cell_value(cell: &Cell) -> Value {
    let list = |items: Vec<Value>| Value::List(List::array(items));
    match cell {
        Cell::Text(text) => Value::text(text),
        Cell::Time(at) => time_value(*at),
        Cell::Texts(texts) => list(texts.iter().map(Value::text).collect()),
        Cell::Ranges(ranges) => list(
            ranges
                .iter()
                .map(|range| Value::text(range.to_string()))
                .collect(),
        ),
        Cell::Ints(ints) => list(
            ints.iter()
                .map(|int| i32::try_from(*int).map_or(Value::Long(*int), Value::Int))
                .collect(),
        ),
    }
}

/// The stored message as JSON; its text where it is none, null where there is nothing.
fn stored(row: &Row) -> Json {
    let Some(bytes) = &row.event else {
        return Json::Null;
    };
    serde_json::from_slice(bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(bytes)))
}

/// A column as JSON.
pub fn column_json(row: &Row, column: Column) -> Json {
    match column {
        Column::Event => stored(row),
        column => cell(row, column).map_or(Json::Null, |cell| cell_json(&cell)),
    }
}

/// A column as a value of the language.
pub fn column_value(row: &Row, column: Column) -> Outcome<Value> {
    match column {
        Column::Event => from_json(&stored(row), DEPTH),
        column => Ok(cell(row, column).map_or(Value::Null, |cell| cell_value(&cell))),
    }
}

/// The message of a record: the stored one, else what its columns tell. Errors: E0609 for what is no message.
pub fn message(record: &Record, ghost: bool) -> Outcome<Message> {
    match ghost || record.row.event.is_none() {
        true => Message::ghost(record),
        false => Message::from_record(record),
    }
}
