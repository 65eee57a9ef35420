//! Tests of the scanner, the reader of fields and the parser against one another and against serde_json.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cases;
mod differential;
mod fields;
mod limits;
mod strings;

use super::{After, BadJson, Builder, Field, parse};
use std::borrow::Cow;

/// A value with everything that the rules distinguish.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Big(String),
    Double(f64),
    Str(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

struct Values;

impl Builder for Values {
    type Value = Value;
    type List = Vec<Value>;
    type Map = Vec<(String, Value)>;
    fn null(&mut self) -> Value {
        Value::Null
    }
    fn boolean(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }
    fn int(&mut self, value: i32) -> Value {
        Value::Int(value)
    }
    fn long(&mut self, value: i64) -> Value {
        Value::Long(value)
    }
    fn big(&mut self, digits: &str) -> Value {
        Value::Big(digits.to_owned())
    }
    fn double(&mut self, value: f64) -> Value {
        Value::Double(value)
    }
    fn string(&mut self, text: Cow<'_, str>) -> Value {
        Value::Str(text.into_owned())
    }
    fn list(&mut self) -> Vec<Value> {
        Vec::new()
    }
    fn push(&mut self, list: &mut Vec<Value>, value: Value) {
        list.push(value);
    }
    fn end_list(&mut self, list: Vec<Value>) -> Value {
        Value::List(list)
    }
    fn map(&mut self) -> Vec<(String, Value)> {
        Vec::new()
    }
    fn insert(&mut self, map: &mut Vec<(String, Value)>, key: Cow<'_, str>, value: Value) {
        match map.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => map.push((key.into_owned(), value)),
        }
    }
    fn end_map(&mut self, map: Vec<(String, Value)>) -> Value {
        Value::Map(map)
    }
}

/// The value of a whole text.
fn whole(text: &str) -> Result<Value, BadJson> {
    parse(text, 256, After::Blanks, &mut Values).map(|(value, _)| value)
}

/// The rule of names, written down a second time: on a tree.
fn lookup<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Map(map) = value else { return None };
    let key = |key: &str| {
        map.iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    };
    key(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        lookup(key(first)?, rest)
    })
}

/// A field as a value; `Raw` is parsed.
fn value_of(field: &Field<'_>) -> Option<Value> {
    Some(match field {
        Field::Missing => return None,
        Field::Null => Value::Null,
        Field::Bool(value) => Value::Bool(*value),
        Field::Int(value) => Value::Int(*value),
        Field::Long(value) => Value::Long(*value),
        Field::Big(digits) => Value::Big((*digits).to_owned()),
        Field::Double(value) => Value::Double(*value),
        Field::Str(text) => Value::Str(text.to_string()),
        Field::Raw(text) => whole(text).expect("a raw field is checked text"),
    })
}

/// A small generator of random numbers, the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
