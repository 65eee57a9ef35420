//! Values while a template runs.

use crate::eval::Value;
use crate::rule::format::Arg;
use smol_str::SmolStr;
use std::borrow::Cow;

/// A value. What is missing is not nil: a missing field of a missing field is missing, one of nil is an error.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Missing,
    Nil,
    Bool(bool),
    Int(i64),
    Byte(u8),
    Float(f64),
    Text(SmolStr),
    /// A list, a set or a map.
    Value(Value),
}

impl From<Value> for Item {
    fn from(value: Value) -> Item {
        match value {
            Value::Null => Item::Nil,
            Value::Bool(truth) => Item::Bool(truth),
            Value::Text(text) => Item::Text(text),
            Value::List(_) | Value::Set(_) | Value::Map(_) => Item::Value(value),
            other => match other.as_double() {
                Some(number) => Item::Float(number),
                None => Item::Text(crate::eval::text::to_text(&other)),
            },
        }
    }
}

impl Item {
    /// What a pipeline makes of it: nil comes out of it missing.
    pub fn out_of_pipe(self) -> Item {
        match self {
            Item::Nil => Item::Missing,
            other => other,
        }
    }

    /// Whether `if` takes it for true.
    pub fn truth(&self) -> bool {
        match self {
            Item::Missing | Item::Nil => false,
            Item::Bool(truth) => *truth,
            Item::Int(number) => *number != 0,
            Item::Byte(number) => *number != 0,
            Item::Float(number) => *number != 0.0,
            Item::Text(text) => !text.is_empty(),
            Item::Value(_) => self.length() != Some(0),
        }
    }

    /// How many bytes a text has, and how many elements a collection.
    pub fn length(&self) -> Option<usize> {
        match self {
            Item::Text(text) => Some(text.len()),
            Item::Value(Value::List(list)) => Some(list.len()),
            Item::Value(Value::Set(set)) => Some(set.len()),
            Item::Value(Value::Map(map)) => Some(map.len()),
            _ => None,
        }
    }

    /// The elements of a list or set.
    pub fn elements(&self) -> Option<Vec<Value>> {
        match self {
            Item::Value(Value::List(list)) => Some(list.items()),
            Item::Value(Value::Set(set)) => Some(set.items()),
            _ => None,
        }
    }

    /// For printing.
    pub fn arg(&self) -> Arg<'_> {
        match self {
            Item::Missing | Item::Nil => Arg::Nil,
            Item::Bool(truth) => Arg::Bool(*truth),
            Item::Int(number) => Arg::Int(*number),
            Item::Byte(number) => Arg::Byte(*number),
            Item::Float(number) => Arg::Float(*number),
            Item::Text(text) => Arg::Text(Cow::Borrowed(text.as_bytes())),
            Item::Value(value) => Arg::Value(value.clone()),
        }
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Item::Missing => "a missing value",
            Item::Nil => "nil",
            Item::Bool(_) => "a boolean",
            Item::Int(_) | Item::Byte(_) | Item::Float(_) => "a number",
            Item::Text(_) => "a text",
            Item::Value(Value::Map(_)) => "a map",
            Item::Value(_) => "a list",
        }
    }
}
