//! The functions and constants that rules find.

use super::alerts;
use super::logline::{Path, event_of, get_raw, with_text, write_field};
use super::shared::{NoteKind, Shared};
use super::strings;
use super::values::{from_lua, loose_text, textual};
use mlua::{Lua, Result, Table, Value as LuaValue, Variadic};
use std::cmp::Ordering;
use std::rc::Rc;

/// Flags of `compare`.
const EQ: u32 = 1;
const NE: u32 = 2;
const GT: u32 = 4;
const GE: u32 = 8;
const LT: u32 = 16;
const LE: u32 = 32;
const IGNORE_CASE: u32 = 64;

/// The constants by their names.
const CONSTANTS: &[(&str, u32)] = &[
    ("EQ", EQ),
    ("NE", NE),
    ("NEQ", NE),
    ("GT", GT),
    ("GE", GE),
    ("GTE", GE),
    ("LT", LT),
    ("LE", LE),
    ("LTE", LE),
    ("IGNORE_CASE", IGNORE_CASE),
];

/// Puts everything into the table of globals.
pub(super) fn add(lua: &Lua, globals: &Table, shared: &Rc<Shared>) -> Result<()> {
    for (name, flag) in CONSTANTS {
        globals.raw_set(*name, f64::from(*flag))?;
    }
    for name in ["log", "print"] {
        let shared = shared.clone();
        let log = move |_: &Lua, values: Variadic<LuaValue>| {
            let texts: Result<Vec<String>> = values.iter().map(shown).collect();
            shared.note(NoteKind::Log, None, texts?.join("\t"));
            Ok(())
        };
        globals.raw_set(name, lua.create_function(log)?)?;
    }
    let own = shared.clone();
    let alert = move |_: &Lua, fields: LuaValue| alerts::raise(&own, &fields);
    globals.raw_set("alert", lua.create_function(alert)?)?;
    globals.raw_set("set_field_value", lua.create_function(set_field_value)?)?;
    globals.raw_set("get_field_value", lua.create_function(get_field_value)?)?;
    globals.raw_set("get_fields_value", lua.create_function(get_fields_value)?)?;
    globals.raw_set("compare", lua.create_function(compare)?)?;
    globals.raw_set("substr", lua.create_function(substr)?)?;
    let own = shared.clone();
    let contains = move |_: &Lua, args: (LuaValue, LuaValue, LuaValue)| contains(&own, args);
    globals.raw_set("contains", lua.create_function(contains)?)?;
    let own = shared.clone();
    let search = move |_: &Lua, args| strings::search(&own, args);
    globals.raw_set("search", lua.create_function(search)?)
}

/// A value as `print` shows it.
fn shown(value: &LuaValue) -> Result<String> {
    Ok(match value {
        LuaValue::Nil => "nil".to_string(),
        LuaValue::UserData(data) if data.is::<super::logline::LuaEvent>() => {
            textual(&from_lua(value)?).to_string()
        }
        LuaValue::String(text) => text.to_string_lossy(),
        LuaValue::Number(_) | LuaValue::Integer(_) | LuaValue::Boolean(_) => {
            textual(&from_lua(value)?).to_string()
        }
        other => other.to_string()?,
    })
}

fn set_field_value(_: &Lua, (event, path, value): (LuaValue, Path, LuaValue)) -> Result<()> {
    write_field(&*event_of(&event, "set_field_value")?, &path, &value)
}

fn get_field_value(
    lua: &Lua,
    (event, path, default): (LuaValue, Path, LuaValue),
) -> Result<LuaValue> {
    get_raw(lua, &*event_of(&event, "get_field_value")?, &path, default)
}

fn get_fields_value(lua: &Lua, (event, paths): (LuaValue, Table)) -> Result<Table> {
    let event = event_of(&event, "get_fields_value")?;
    let values = lua.create_table()?;
    for (at, path) in (1i64..).zip(paths.sequence_values::<Path>()) {
        values.raw_set(at, get_raw(lua, &event, &path?, LuaValue::Nil)?)?;
    }
    Ok(values)
}

/// What an operator asks, as a flag; 0 for none.
fn operator(text: &[u8]) -> u32 {
    match text {
        b"==" | b"=" | b"eq" | b"EQ" => EQ,
        b"!=" | b"~=" | b"<>" | b"ne" | b"NE" => NE,
        b">" | b"gt" | b"GT" => GT,
        b">=" | b"ge" | b"GE" => GE,
        b"<" | b"lt" | b"LT" => LT,
        b"<=" | b"le" | b"LE" => LE,
        _ => 0,
    }
}

/// Whether `compare` knows an operator.
pub fn is_operator(text: &str) -> bool {
    operator(text.as_bytes()) != 0
}

/// `compare(a, op, b)`.
fn compare(_: &Lua, (a, op, b): (LuaValue, LuaValue, LuaValue)) -> Result<bool> {
    let flags = match &op {
        LuaValue::Number(n) => *n as u32,
        LuaValue::Integer(n) => u32::try_from(*n).unwrap_or(0),
        LuaValue::String(text) => operator(&text.as_bytes()),
        _ => 0,
    };
    if flags & (EQ | NE | GT | GE | LT | LE) == 0 {
        let op = loose_text(&op)?.unwrap_or_else(|| "nil".into());
        return Err(mlua::Error::runtime(format!(
            "compare knows ==, ~=, !=, <, <=, >, >= and EQ, NE, LT, LE, GT, GE with IGNORE_CASE, not {op}"
        )));
    }
    let order = order(&a, &b, flags & IGNORE_CASE != 0, flags & (EQ | NE) != 0)?;
    let holds = |flag: u32, of: fn(Ordering) -> bool| flags & flag != 0 && order.is_some_and(of);
    Ok(holds(EQ, Ordering::is_eq)
        || (flags & NE != 0 && order != Some(Ordering::Equal))
        || holds(GT, Ordering::is_gt)
        || holds(GE, Ordering::is_ge)
        || holds(LT, Ordering::is_lt)
        || holds(LE, Ordering::is_le))
}

/// The order of two values: of numbers, and of texts that are numbers where the other is a number or an order is asked
/// for, by value; of others by their texts. `None` where only one is nil.
fn order(a: &LuaValue, b: &LuaValue, fold: bool, equality: bool) -> Result<Option<Ordering>> {
    match (a.is_nil(), b.is_nil()) {
        (true, true) => return Ok(Some(Ordering::Equal)),
        (false, false) => {}
        _ => return Ok(None),
    }
    let one = |v: &LuaValue| matches!(v, LuaValue::Number(_) | LuaValue::Integer(_));
    if one(a) || one(b) || !equality {
        let number = |v: &LuaValue| match v {
            LuaValue::Number(x) => Some(*x),
            LuaValue::Integer(n) => Some(*n as f64),
            LuaValue::String(text) => text.to_str().ok()?.trim().parse::<f64>().ok(),
            _ => None,
        };
        if let (Some(a), Some(b)) = (number(a), number(b)) {
            return Ok(a.partial_cmp(&b));
        }
    }
    let text = |v: &LuaValue| -> Result<Vec<u8>> {
        let text = with_text(v, |text| match fold {
            true => strings::lower(text).into_owned(),
            false => text.to_vec(),
        })?;
        Ok(text.unwrap_or_default())
    };
    Ok(Some(text(a)?.cmp(&text(b)?)))
}

/// Where one text is to stand in the other.
#[derive(Clone, Copy)]
enum Mode {
    Equal,
    Within,
    First,
    Last,
}

fn mode(value: &LuaValue, function: &str, absent: Mode) -> Result<Mode> {
    let Some(text) = loose_text(value)? else {
        return Ok(absent);
    };
    named_mode(&text, absent).ok_or_else(|| {
        mlua::Error::runtime(format!(
            "{function} knows the modes sub, prefix and suffix, not {text}"
        ))
    })
}

fn named_mode(text: &str, absent: Mode) -> Option<Mode> {
    Some(match text {
        "" => absent,
        "eq" | "equal" | "exact" => Mode::Equal,
        "sub" | "substr" => Mode::Within,
        "pref" | "prefix" => Mode::First,
        "suff" | "suffix" | "suf" => Mode::Last,
        _ => return None,
    })
}

/// Whether `contains` and `substr` know a mode.
pub fn is_mode(text: &str) -> bool {
    named_mode(text, Mode::Equal).is_some()
}

fn stands(mode: Mode, part: &[u8], text: &[u8]) -> bool {
    match mode {
        Mode::Equal => part == text,
        Mode::Within => memchr::memmem::find(text, part).is_some(),
        Mode::First => text.starts_with(part),
        Mode::Last => text.ends_with(part),
    }
}

/// `contains(list, text, mode)`: whether some element is the text, or stands in it.
fn contains(shared: &Shared, (list, text, how): (LuaValue, LuaValue, LuaValue)) -> Result<bool> {
    let how = mode(&how, "contains", Mode::Equal)?;
    let found = with_text(&text, |text| match &list {
        LuaValue::Table(table) => {
            for (at, element) in table.sequence_values::<LuaValue>().enumerate() {
                if at % 256 == 255 {
                    shared.check()?;
                }
                if with_text(&element?, |part| stands(how, part, text))? == Some(true) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        // A text is searched itself.
        LuaValue::String(whole) => Ok(stands(Mode::Within, text, &whole.as_bytes())),
        _ => Ok(false),
    })?;
    found.unwrap_or(Ok(false))
}

/// `substr(text, part, mode)`: whether the part stands in the text.
fn substr(_: &Lua, (text, part, how): (LuaValue, LuaValue, LuaValue)) -> Result<bool> {
    let how = mode(&how, "substr", Mode::Within)?;
    let found = with_text(&text, |text| {
        with_text(&part, |part| stands(how, part, text))
    })?;
    Ok(found.transpose()?.flatten() == Some(true))
}
