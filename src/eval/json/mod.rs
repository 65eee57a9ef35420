//! Values as JSON and from JSON: the plain form, and the typed form that loses nothing.

mod build;
pub mod parse;
mod write;

pub use build::{
    bad_json, field_value, field_value_of_longs, read, read_event, read_event_of_longs, read_next,
    read_object, read_of_longs, read_prefix,
};
pub use write::{write_json, write_text};

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{Entries, List, Map, MapKind};
use crate::eval::text::{to_text, unit_to_char};
use crate::eval::value::Value;
use num_bigint::BigInt;
use serde_json::{Map as JsonMap, Number, Value as Json, json};
use std::sync::Arc;

/// Nesting that JSON output goes down to.
const DEEPEST: usize = 512;

/// Plain JSON: floats with a fraction or exponent, NaN and the infinities as strings, sets as arrays,
/// maps as objects whose keys are the keys' texts, objects their own JSON or their text.
///
/// Errors: E0302 for values nested deeper than 512 levels, E0303 beyond 64 MiB.
pub fn to_json(value: &Value) -> Outcome<Json> {
    plain(value, 0, &mut Room::default())
}

/// How much JSON may still be made; parts that stand in many places would make it endless.
struct Room(usize);

impl Default for Room {
    fn default() -> Room {
        Room(LONGEST)
    }
}

impl Room {
    /// Takes room for a value. Errors: E0302, E0303.
    fn take(&mut self, value: &Value, depth: usize) -> Outcome<()> {
        if depth > DEEPEST {
            return Err(too_deep());
        }
        let text = value.as_text().map_or(0, str::len);
        self.0 = self.0.checked_sub(16 + text).ok_or_else(too_long)?;
        Ok(())
    }
}

/// How long the JSON of one value may be.
const LONGEST: usize = 64 << 20;

#[cold]
fn too_long() -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::StringLength,
        format!("the JSON would have more than {LONGEST} bytes"),
    )
}

fn too_deep() -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::Nesting,
        format!("the value nests more than {DEEPEST} levels deep"),
    )
}

/// An array of elements. A loop, since iterators would take a lot of stack at each level.
fn all(
    items: Vec<Value>,
    depth: usize,
    room: &mut Room,
    one: fn(&Value, usize, &mut Room) -> Outcome<Json>,
) -> Outcome<Json> {
    let mut array = Vec::with_capacity(items.len());
    for item in &items {
        array.push(one(item, depth + 1, room)?);
    }
    Ok(Json::Array(array))
}

fn plain(value: &Value, depth: usize, room: &mut Room) -> Outcome<Json> {
    room.take(value, depth)?;
    match value {
        Value::List(list) => all(list.items(), depth, room, plain),
        Value::Set(set) => all(set.items(), depth, room, plain),
        Value::Map(map) => plain_map(map, depth, room),
        scalar => Ok(plain_scalar(scalar)),
    }
}

fn plain_map(map: &Map, depth: usize, room: &mut Room) -> Outcome<Json> {
    let mut object = JsonMap::new();
    for (key, value) in map.entries() {
        let value = plain(&value, depth + 1, room)?;
        object.insert(to_text(&key).to_string(), value);
    }
    Ok(Json::Object(object))
}

/// A value that holds no others. Apart, so that each level of a deep value takes little stack.
#[inline(never)]
fn plain_scalar(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => json!(n),
        Value::Long(n) => json!(n),
        Value::Big(n) => number(&n.to_string()),
        Value::Float(x) if x.is_finite() => number(&to_text(value)),
        Value::Double(x) if x.is_finite() => number(&to_text(value)),
        Value::Char(unit) => Json::String(unit_to_char(*unit).to_string()),
        Value::Text(text) => Json::String(text.to_string()),
        Value::Object(object) => object.json().unwrap_or_else(|| Json::String(object.text())),
        other => Json::String(to_text(other).to_string()),
    }
}

/// A number with exactly these digits.
fn number(text: &str) -> Json {
    text.parse::<Number>()
        .map_or_else(|_| Json::String(text.to_string()), Json::Number)
}

/// The typed form: `{"type": …, "value": …}`, doubles and floats as their text, a map as a list of pairs.
///
/// Errors: E0302 for values nested deeper than 512 levels, E0303 beyond 64 MiB.
pub fn to_typed(value: &Value) -> Outcome<Json> {
    typed(value, 0, &mut Room::default())
}

fn typed(value: &Value, depth: usize, room: &mut Room) -> Outcome<Json> {
    room.take(value, depth)?;
    let inner = match value {
        Value::List(list) => all(list.items(), depth, room, typed)?,
        Value::Set(set) => all(set.items(), depth, room, typed)?,
        Value::Map(map) => typed_pairs(map, depth, room)?,
        scalar => return Ok(typed_scalar(scalar)),
    };
    Ok(with_type(value, inner))
}

fn typed_pairs(map: &Map, depth: usize, room: &mut Room) -> Outcome<Json> {
    let mut pairs = Vec::new();
    for (key, value) in map.entries() {
        let key = typed(&key, depth + 1, room)?;
        let value = typed(&value, depth + 1, room)?;
        pairs.push(Json::Array(vec![key, value]));
    }
    Ok(Json::Array(pairs))
}

#[inline(never)]
fn typed_scalar(value: &Value) -> Json {
    let inner = match value {
        Value::Null => return json!({"type": "null"}),
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => json!(n),
        Value::Long(n) => json!(n),
        Value::Big(n) => number(&n.to_string()),
        Value::Object(object) => object.json().unwrap_or_else(|| Json::String(object.text())),
        other => Json::String(to_text(other).to_string()),
    };
    with_type(value, inner)
}

#[inline(never)]
fn with_type(value: &Value, inner: Json) -> Json {
    json!({"type": value.type_name(), "value": inner})
}

/// A value from parsed JSON: whole numbers become Integer, Long or big integer by their size, others Double;
/// maps keep their order.
///
/// Errors: E0302 for JSON nested deeper than `depth` levels.
pub fn from_json(json: &Json, depth: usize) -> Outcome<Value> {
    let deeper = || match depth.checked_sub(1) {
        Some(rest) => Ok(rest),
        None => Err(Diagnostic::new(Code::Nesting, "the JSON nests too deep")),
    };
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => number_value(&n.to_string()),
        Json::String(text) => Value::text(text),
        Json::Array(items) => {
            let depth = deeper()?;
            let items: Outcome<Vec<Value>> =
                items.iter().map(|item| from_json(item, depth)).collect();
            Value::List(List::array(items?))
        }
        Json::Object(object) => {
            let depth = deeper()?;
            let mut entries = Entries::default();
            for (key, item) in object {
                entries.insert(Value::text(key), from_json(item, depth)?);
            }
            Value::Map(Map::new(MapKind::Ordered, entries))
        }
    })
}

/// The value of a JSON number's text.
pub fn number_value(text: &str) -> Value {
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        if let Ok(n) = text.parse::<i32>() {
            return Value::Int(n);
        }
        if let Ok(n) = text.parse::<i64>() {
            return Value::Long(n);
        }
        if let Ok(n) = text.parse::<BigInt>() {
            return Value::Big(Arc::new(n));
        }
    }
    Value::Double(text.parse().unwrap_or(f64::NAN))
}
