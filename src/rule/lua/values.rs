//! Values of ours as values of Lua, and back.

use super::logline::LuaEvent;
use crate::eval::Value;
use crate::eval::collections::{Entries, List, Map, MapKind};
use mlua::{Lua, Result, Table, Value as LuaValue};
use smol_str::{SmolStr, ToSmolStr};

/// How deep tables of a rule are read.
const DEEPEST: usize = 32;
/// How many values one table of a rule may hold to be read, all levels together.
const MOST: usize = 100_000;

/// The text of a value as rules see it: whole numbers without a point, `true` and `false`, nothing for null; the
/// elements of a list joined by commas, and JSON for a map.
pub fn textual(value: &Value) -> SmolStr {
    match value {
        Value::Null => SmolStr::default(),
        Value::Text(text) => text.clone(),
        Value::Int(n) => n.to_smolstr(),
        Value::Long(n) => n.to_smolstr(),
        Value::Big(n) => n.to_smolstr(),
        Value::Double(x) => SmolStr::from(number_text(*x)),
        Value::Float(x) => SmolStr::from(number_text(f64::from(*x))),
        Value::Bool(true) => SmolStr::new_static("true"),
        Value::Bool(false) => SmolStr::new_static("false"),
        Value::List(list) => {
            let texts: Vec<SmolStr> = list.items().iter().map(textual).collect();
            SmolStr::from(texts.join(","))
        }
        Value::Map(_) | Value::Set(_) => crate::eval::json::to_json(value)
            .map_or_else(|_| SmolStr::default(), |json| json.to_smolstr()),
        other => crate::eval::text::to_text(other),
    }
}

/// A number as Go prints it: whole ones of 64 bits without a point, exponents from 1e21 on and below 1e-4.
pub(super) fn number_text(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 9.2e18 {
        return format!("{}", x as i64);
    }
    if x.is_nan() {
        return "NaN".to_string();
    }
    if x.is_infinite() {
        return if x > 0.0 { "+Inf" } else { "-Inf" }.to_string();
    }
    if (1e-4..1e21).contains(&x.abs()) {
        return format!("{x}");
    }
    let text = format!("{x:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}e{sign}{power:0>2}")
}

/// A value for Lua; lists and maps are copied into tables.
pub(super) fn to_lua(lua: &Lua, value: &Value) -> Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(b) => LuaValue::Boolean(*b),
        Value::Text(text) => LuaValue::String(lua.create_string(text.as_bytes())?),
        Value::Int(n) => LuaValue::Number(f64::from(*n)),
        Value::Long(n) => LuaValue::Number(*n as f64),
        Value::Double(x) => LuaValue::Number(*x),
        Value::Float(x) => LuaValue::Number(f64::from(*x)),
        Value::List(list) => {
            let items = list.items();
            let table = lua.create_table_with_capacity(items.len().min(MOST), 0)?;
            for (at, item) in (1i64..).zip(&items) {
                table.raw_set(at, to_lua(lua, item)?)?;
            }
            LuaValue::Table(table)
        }
        Value::Map(map) => LuaValue::Table(map_to_lua(lua, map)?),
        Value::Big(_) => LuaValue::Number(value.as_double().unwrap_or(f64::NAN)),
        other => LuaValue::String(lua.create_string(textual(other).as_bytes())?),
    })
}

/// A map as a table.
pub(super) fn map_to_lua(lua: &Lua, map: &Map) -> Result<Table> {
    let table = lua.create_table()?;
    for (key, value) in map.entries() {
        table.raw_set(textual(&key).as_str(), to_lua(lua, &value)?)?;
    }
    Ok(table)
}

/// A text of Lua as one of ours; bytes that are no UTF-8 become U+FFFD.
pub(super) fn text_of(text: &mlua::LuaString) -> SmolStr {
    let bytes = text.as_bytes();
    match simdutf8::basic::from_utf8(&bytes) {
        Ok(text) => SmolStr::new(text),
        Err(_) => SmolStr::from(String::from_utf8_lossy(&bytes)),
    }
}

/// A number of Lua as the shortest of ours.
pub(super) fn number_of(x: f64) -> Value {
    if x.fract() != 0.0 || x.abs() > 9_007_199_254_740_992.0 {
        return Value::Double(x);
    }
    let n = x as i64;
    i32::try_from(n).map_or(Value::Long(n), Value::Int)
}

/// A value of Lua as one of ours. Errors: tables that are too deep or too large.
pub(super) fn from_lua(value: &LuaValue) -> Result<Value> {
    let mut room = MOST;
    read(value, 0, &mut room)
}

fn read(value: &LuaValue, depth: usize, room: &mut usize) -> Result<Value> {
    let left = room.checked_sub(1);
    *room =
        left.ok_or_else(|| mlua::Error::runtime(format!("a table of more than {MOST} values")))?;
    Ok(match value {
        LuaValue::Nil => Value::Null,
        LuaValue::Boolean(b) => Value::Bool(*b),
        LuaValue::Integer(n) => number_of(*n as f64),
        LuaValue::Number(x) => number_of(*x),
        LuaValue::String(text) => Value::Text(text_of(text)),
        LuaValue::Table(table) => {
            if depth >= DEEPEST {
                let message = format!("a table that is nested more than {DEEPEST} levels deep");
                return Err(mlua::Error::runtime(message));
            }
            read_table(table, depth, room)?
        }
        LuaValue::UserData(data) => match data.borrow::<LuaEvent>() {
            Ok(event) => Value::Map(event.own().map().clone()),
            Err(_) => Value::Text(SmolStr::new(value.type_name())),
        },
        other => Value::Text(SmolStr::new(other.type_name())),
    })
}

/// A table is a list when its keys are 1, 2, 3 …, also when it has none.
fn read_table(table: &Table, depth: usize, room: &mut usize) -> Result<Value> {
    let mut items = Vec::new();
    let mut entries = Entries::default();
    for pair in table.pairs::<LuaValue, LuaValue>() {
        let (key, value) = pair?;
        let value = read(&value, depth + 1, room)?;
        let next = (items.len() + 1) as f64;
        match key {
            LuaValue::Number(n) if n == next && entries.is_empty() => items.push(value),
            LuaValue::Integer(n) if n as f64 == next && entries.is_empty() => items.push(value),
            key => {
                for (at, item) in (1i64..).zip(items.drain(..)) {
                    entries.insert(Value::string(at.to_string()), item);
                }
                entries.insert(Value::Text(textual(&read(&key, DEEPEST, room)?)), value);
            }
        }
    }
    if entries.is_empty() {
        return Ok(Value::List(List::array(items)));
    }
    Ok(Value::Map(Map::new(MapKind::Ordered, entries)))
}

/// What a function that wants a text takes for one; `None` for nil.
pub(super) fn loose_text(value: &LuaValue) -> Result<Option<SmolStr>> {
    Ok(match value {
        LuaValue::Nil => None,
        LuaValue::String(text) => Some(text_of(text)),
        other => Some(textual(&from_lua(other)?)),
    })
}
