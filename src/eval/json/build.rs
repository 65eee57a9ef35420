//! JSON texts to values.

use super::parse::{self, After, BadJson, Builder, Field};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::{Entries, List, Map, MapKind};
use crate::eval::value::Value;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::Arc;

/// Builds values: lists of the kind that grows, maps that keep their order. Whole numbers are as short as they can be,
/// or all of 64 bits when `LONG`.
struct Values<const LONG: bool>;

impl<const LONG: bool> Builder for Values<LONG> {
    type Value = Value;
    type List = Vec<Value>;
    type Map = Entries;

    fn null(&mut self) -> Value {
        Value::Null
    }

    fn boolean(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn int(&mut self, value: i32) -> Value {
        if LONG {
            Value::Long(i64::from(value))
        } else {
            Value::Int(value)
        }
    }

    fn long(&mut self, value: i64) -> Value {
        Value::Long(value)
    }

    fn big(&mut self, digits: &str) -> Value {
        big(digits)
    }

    fn double(&mut self, value: f64) -> Value {
        Value::Double(value)
    }

    fn string(&mut self, text: Cow<'_, str>) -> Value {
        Value::Text(SmolStr::new(text))
    }

    fn list(&mut self) -> Vec<Value> {
        Vec::new()
    }

    fn push(&mut self, list: &mut Vec<Value>, value: Value) {
        list.push(value);
    }

    fn end_list(&mut self, list: Vec<Value>) -> Value {
        Value::List(List::array(list))
    }

    fn map(&mut self) -> Entries {
        // Most objects of events have this many members or fewer; growing step by step costs more than the memory.
        Entries::with_capacity_and_hasher(16, Default::default())
    }

    fn insert(&mut self, map: &mut Entries, key: Cow<'_, str>, value: Value) {
        map.insert(Value::Text(SmolStr::new(key)), value);
    }

    fn end_map(&mut self, map: Entries) -> Value {
        Value::Map(Map::new(MapKind::Ordered, map))
    }
}

fn big(digits: &str) -> Value {
    digits
        .parse()
        .map_or(Value::Double(f64::NAN), |n| Value::Big(Arc::new(n)))
}

/// The value of a JSON text of any kind. Errors: what is wrong and at which byte.
pub fn read(text: &str, depth: usize) -> Result<Value, BadJson> {
    parse::parse(text, depth, After::Blanks, &mut Values::<false>).map(|(value, _)| value)
}

/// The same with every whole number of 64 bits.
pub fn read_of_longs(text: &str, depth: usize) -> Result<Value, BadJson> {
    parse::parse(text, depth, After::Blanks, &mut Values::<true>).map(|(value, _)| value)
}

/// The value at the start of a text; what follows a complete object or array is not looked at.
pub fn read_prefix(text: &str, depth: usize) -> Result<Value, BadJson> {
    parse::parse(text, depth, After::Anything, &mut Values::<false>).map(|(value, _)| value)
}

/// The value at the start of a text, and the place behind it, where a complete object or array ends.
pub fn read_next(text: &str, depth: usize) -> Result<(Value, usize), BadJson> {
    parse::parse(text, depth, After::Anything, &mut Values::<false>)
}

/// The map that an event's line is. Errors: what is wrong and at which byte.
pub fn read_event(line: &[u8]) -> Result<Map, BadJson> {
    map(parse::parse_event(line, &mut Values::<false>)?)
}

/// The same with every whole number of 64 bits.
pub fn read_event_of_longs(line: &[u8]) -> Result<Map, BadJson> {
    map(parse::parse_event(line, &mut Values::<true>)?)
}

fn map(value: Value) -> Result<Map, BadJson> {
    match value {
        Value::Map(map) => Ok(map),
        _ => Err(BadJson {
            offset: 0,
            kind: parse::BadKind::NotAnObject,
        }),
    }
}

/// The value of a field that an extractor found; null when it is missing.
#[inline]
pub fn field_value(field: &Field<'_>, depth: usize) -> Value {
    match field {
        Field::Missing | Field::Null => Value::Null,
        Field::Bool(b) => Value::Bool(*b),
        Field::Int(n) => Value::Int(*n),
        Field::Long(n) => Value::Long(*n),
        Field::Big(digits) => big(digits),
        Field::Double(x) => Value::Double(*x),
        Field::Str(text) => Value::Text(SmolStr::new(text)),
        // It has been checked already, so it can be read.
        Field::Raw(text) => read(text, depth).unwrap_or(Value::Null),
    }
}

/// The same with every whole number of 64 bits.
#[inline]
pub fn field_value_of_longs(field: &Field<'_>, depth: usize) -> Value {
    match field {
        Field::Int(n) => Value::Long(i64::from(*n)),
        Field::Raw(text) => read_of_longs(text, depth).unwrap_or(Value::Null),
        other => field_value(other, depth),
    }
}

/// The diagnostic for a text that is no good JSON, with the place when the text is a source of its own.
pub fn bad_json(code: Code, bad: &BadJson) -> Fault {
    Diagnostic::new(
        code,
        format!("{} (at byte {})", bad.kind.message(), bad.offset + 1),
    )
}

/// The entries of an object given as text. Errors: E0401.
pub fn read_object(text: &str, depth: usize) -> Outcome<Map> {
    match read(text, depth) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(other) => {
            let message = format!("a JSON object was expected, not {}", other.kind_in_words());
            Err(Diagnostic::new(Code::BadLine, message))
        }
        Err(bad) => Err(bad_json(Code::BadLine, &bad)),
    }
}
