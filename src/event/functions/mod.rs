//! The event store's functions in the language.

mod change;
mod count;
mod find;
mod helper;
mod threshold;

use super::query::{Query, parse_time};
use super::shape::{column, column_value};
use super::store::Relapsed;
use super::{Column, Events, Message, Record};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::{List, Map};
use crate::eval::convert::to_long;
use crate::eval::{Call, Notes, Value};
use crate::functions::spec::FunctionSpec;
use std::sync::Arc;

/// The functions of this room.
pub const FUNCTIONS: &[&[FunctionSpec]] = &[
    change::FUNCTIONS,
    find::FUNCTIONS,
    count::FUNCTIONS,
    threshold::FUNCTIONS,
    helper::FUNCTIONS,
];

/// What the documentation of parameters says.
const PARAMETERS: &str = "what is asked: a map with Mentat's names, such as source_addrs, \
    categories, dt_from, sortby, limit; null for all events";

/// What can go wrong in every function.
const UNREACHABLE: &str = "the event store cannot be reached";
const WRONG_PARAMETERS: &str =
    "the parameters are no map, or one of them has a wrong type or value";

/// The service of a call. Errors: E0217.
fn service(call: &Call<'_, '_>) -> Outcome<Arc<Events>> {
    call.context().services.get::<Events>().ok_or_else(|| {
        Diagnostic::new(
            Code::NotAvailable,
            format!("{} needs a store, and there is none", call.name),
        )
    })
}

/// Now, in microseconds.
fn now(call: &Call<'_, '_>) -> i64 {
    call.context().clock.now().saturating_mul(1000)
}

/// The query in an argument; what has no effect is said.
fn query(call: &Call<'_, '_>, index: usize) -> Outcome<Query> {
    let query = match call.arg(index) {
        Value::Null => Query::default(),
        map @ Value::Map(_) => Query::from_value(map).map_err(|fault| about(call, fault, index))?,
        _ => return Err(call.wrong_type(index, "a map of parameters")),
    };
    let notes = call.context().services.get::<Notes>();
    for note in &query.notes {
        match &notes {
            Some(notes) => notes.say(format!("{}: {note}", call.name)),
            // Where nobody shows notes this must be told all the same.
            None => tracing::warn!("{}: {note}", call.name),
        }
    }
    query.check().map_err(|fault| about(call, fault, index))?;
    Ok(query)
}

/// A fault of an argument.
fn about(call: &Call<'_, '_>, mut fault: Fault, index: usize) -> Fault {
    if !fault.message.starts_with(call.name) {
        fault.message = format!("{}: {}", call.name, fault.message);
    }
    fault.of_argument(index)
}

/// The text in an argument that must be one.
fn text(call: &Call<'_, '_>, index: usize) -> Outcome<String> {
    match call.arg(index) {
        Value::Text(text) => Ok(text.to_string()),
        _ => Err(call.wrong_type(index, "a string")),
    }
}

/// The column that an argument names.
fn named_column(call: &Call<'_, '_>, index: usize) -> Outcome<Column> {
    column(&text(call, index)?).map_err(|fault| about(call, fault, index))
}

/// The time in an argument, in microseconds: milliseconds or ISO text; now when it is null.
fn time(call: &Call<'_, '_>, index: usize) -> Outcome<i64> {
    let wrong = || call.wrong_type(index, "a time in milliseconds or as ISO text");
    match call.arg(index) {
        Value::Null => Ok(now(call)),
        Value::Text(text) => parse_time(text).ok_or_else(|| {
            call.wrong_value(index, format!("{text:?} is no time"))
                .help("write 2026-01-10T08:00:00Z, or milliseconds since 1970")
        }),
        number @ (Value::Int(_) | Value::Long(_)) => to_long(number)
            .and_then(|millis| millis.checked_mul(1000))
            .ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// How the events of an answer look.
enum Shape {
    /// The whole messages.
    Messages,
    /// Messages made of the columns.
    Ghosts,
    /// Maps of these columns.
    Columns(Vec<Column>),
}

impl Shape {
    /// What an argument asks for: null, 'ghost', the name of a column, a list of names.
    fn of(call: &Call<'_, '_>, index: usize) -> Outcome<Shape> {
        let names = match call.arg(index) {
            Value::Null => return Ok(Shape::Messages),
            Value::Text(word) if word == "ghost" => return Ok(Shape::Ghosts),
            name @ Value::Text(_) => vec![name.clone()],
            Value::List(list) => list.items(),
            _ => return Err(call.wrong_type(index, "a list of names of columns, or 'ghost'")),
        };
        let mut columns = Vec::with_capacity(names.len());
        for name in &names {
            let Value::Text(name) = name else {
                let fault = call.wrong_type(index, "a list of names of columns, or 'ghost'");
                return Err(fault.note(format!("it holds {}", name.kind_in_words())));
            };
            columns.push(column(name).map_err(|fault| about(call, fault, index))?);
        }
        if columns.is_empty() {
            return Err(call.wrong_value(index, "the list of columns is empty"));
        }
        Ok(Shape::Columns(columns))
    }

    /// The columns that must be read for it.
    fn columns(&self) -> &[Column] {
        match self {
            Shape::Messages | Shape::Ghosts => super::COLUMNS,
            Shape::Columns(columns) => columns,
        }
    }

    /// An event in this shape.
    fn value(&self, record: &Record) -> Outcome<Value> {
        match self {
            Shape::Columns(columns) => {
                let mut entries = Vec::with_capacity(columns.len());
                for column in columns {
                    entries.push((column.name(), column_value(&record.row, *column)?));
                }
                Ok(Value::Map(Map::of_texts(entries)))
            }
            shape => {
                let ghost = matches!(shape, Shape::Ghosts);
                Ok(super::shape::message(record, ghost)?.to_value())
            }
        }
    }
}

/// A relapsed event as a map.
fn relapsed_value(relapsed: &Relapsed, shape: &Shape) -> Outcome<Value> {
    Ok(Value::Map(Map::of_texts([
        ("id", Value::text(&relapsed.record.row.id)),
        ("keyids", texts(&relapsed.keys)),
        ("event", shape.value(&relapsed.record)?),
    ])))
}

/// A list of texts.
fn texts(items: &[String]) -> Value {
    Value::List(List::array(items.iter().map(Value::text).collect()))
}

/// The message in a value: a map, or JSON text.
fn message(
    call: &Call<'_, '_>,
    value: &Value,
    index: usize,
    options: &super::Options,
) -> Outcome<Message> {
    let read = match value {
        Value::Text(json) => Message::parse(json.as_bytes(), options),
        map @ Value::Map(_) => Message::from_value(map, options),
        _ => return Err(call.wrong_type(index, "a message as a map or as JSON text")),
    };
    read.map_err(|fault| about(call, fault, index))
}
