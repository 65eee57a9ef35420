//! Texts: what the engine adds to the functions of Lua, and those of Lua that need a limit or know more letters.

use super::logline::utf8;
use super::shared::Shared;
use mlua::{Function, Lua, LuaString, MultiValue, Result, Table, Value as LuaValue};
use std::borrow::Cow;
use std::rc::Rc;

/// The longest text that a regular expression is looked for in.
pub(super) const SEARCHED: usize = 1 << 20;

/// Puts our functions over those of Luau's `string`.
pub(super) fn add(lua: &Lua, string: &Table, shared: &Rc<Shared>) -> Result<()> {
    let own = shared.clone();
    string.raw_set(
        "search",
        lua.create_function(move |_, args| search(&own, args))?,
    )?;
    string.raw_set("contains", lua.create_function(contains)?)?;
    let own = shared.clone();
    let format = lua.create_function(move |lua, args| super::format::format(lua, &own, &args))?;
    string.raw_set("format", format)?;
    let case = |map: fn(&[u8]) -> Cow<'_, [u8]>, name: &'static str| {
        lua.create_function(move |lua, text: LuaValue| {
            let bytes = text_argument(&text, name)?.as_bytes();
            if let Cow::Owned(new) = map(&bytes) {
                return lua.create_string(new).map(LuaValue::String);
            }
            Ok(text)
        })
    };
    string.raw_set("lower", case(lower, "lower")?)?;
    string.raw_set("upper", case(upper, "upper")?)?;
    let rep: Function = string.raw_get("rep")?;
    let rep = lua.create_function(move |_, (text, count): (LuaValue, LuaValue)| {
        // Nothing repeated is nothing, and needs no time.
        match &text {
            LuaValue::String(empty) if empty.as_bytes().is_empty() => Ok(text),
            _ => rep.call((text, count)),
        }
    })?;
    string.raw_set("rep", rep)?;
    let find: Function = string.raw_get("find")?;
    string.raw_set(
        "find",
        lua.create_function(move |_, args| self::find(&find, args))?,
    )
}

/// A text, or a number as one. Errors: neither.
fn text_argument<'v>(value: &'v LuaValue, function: &str) -> Result<Cow<'v, LuaString>> {
    match value {
        LuaValue::String(text) => Ok(Cow::Borrowed(text)),
        other => {
            let kind = match other {
                LuaValue::Nil => "nil",
                other => other.type_name(),
            };
            Err(mlua::Error::runtime(format!(
                "{function} needs a text, not {kind}"
            )))
        }
    }
}

/// `search(text, expression)`: whether the expression fits anywhere.
pub(super) fn search(shared: &Shared, (text, pattern): (LuaValue, LuaValue)) -> Result<bool> {
    let text = match &text {
        LuaValue::Nil => return Ok(false),
        LuaValue::Number(_) | LuaValue::Integer(_) => {
            let text = super::values::loose_text(&text)?.unwrap_or_default();
            let pattern = text_argument(&pattern, "search")?;
            return shared.search(text.as_bytes(), &utf8(&pattern, "the expression")?);
        }
        text => text_argument(text, "search")?,
    };
    let pattern = text_argument(&pattern, "search")?;
    let bytes = text.as_bytes();
    if bytes.len() > SEARCHED {
        return Err(mlua::Error::runtime(format!(
            "search takes texts of {SEARCHED} bytes at most; this one has {}",
            bytes.len()
        )));
    }
    let pattern = pattern.to_str();
    let pattern = pattern.map_err(|_| mlua::Error::runtime("the expression is no valid UTF-8"))?;
    shared.search(&bytes, &pattern)
}

/// `text:contains(part)`
fn contains(_: &Lua, (text, part): (LuaValue, LuaValue)) -> Result<bool> {
    let (text, part) = (
        text_argument(&text, "contains")?,
        text_argument(&part, "contains")?,
    );
    Ok(memchr::memmem::find(&text.as_bytes(), &part.as_bytes()).is_some())
}

/// `text:find(pattern, from, plain)`: what is plain is looked for in time that grows with the length alone.
fn find(lua_find: &Function, args: MultiValue) -> Result<MultiValue> {
    let place = |n: Option<&LuaValue>| match n {
        None | Some(LuaValue::Nil) => Some(1.0),
        Some(LuaValue::Number(n)) => Some(*n),
        Some(LuaValue::Integer(n)) => Some(*n as f64),
        _ => None,
    };
    let special = |b: &u8| b"^$*+?.([%-".contains(b);
    if let (Some(LuaValue::String(text)), Some(LuaValue::String(part)), Some(from)) =
        (args.front(), args.get(1), place(args.get(2)))
    {
        let plain = matches!(args.get(3), Some(v) if !matches!(v, LuaValue::Nil | LuaValue::Boolean(false)));
        let (text, part) = (text.as_bytes(), part.as_bytes());
        if plain || !part.iter().any(special) {
            let length = text.len() as f64;
            let from = if from < 0.0 {
                (length + from).max(0.0)
            } else {
                (from - 1.0).max(0.0)
            };
            let from = from.min(length) as usize;
            let found = text
                .get(from..)
                .and_then(|t| memchr::memmem::find(t, &part));
            return Ok(match found {
                Some(at) => MultiValue::from_iter([
                    LuaValue::Number((from + at + 1) as f64),
                    LuaValue::Number((from + at + part.len()) as f64),
                ]),
                None => MultiValue::from_iter([LuaValue::Nil]),
            });
        }
    }
    lua_find.call(args)
}

/// Small letters, as Go makes them: each character by itself.
pub(super) fn lower(text: &[u8]) -> Cow<'_, [u8]> {
    mapped(
        text,
        u8::is_ascii_uppercase,
        |text| text.make_ascii_lowercase(),
        |c| {
            let mut small = c.to_lowercase();
            match (small.next(), small.next()) {
                (Some(one), None) => one,
                // The only letter whose small form has two characters: İ.
                _ => 'i',
            }
        },
    )
}

/// Capital letters, as Go makes them: each character by itself.
pub(super) fn upper(text: &[u8]) -> Cow<'_, [u8]> {
    mapped(
        text,
        u8::is_ascii_lowercase,
        |text| text.make_ascii_uppercase(),
        |c| {
            let mut capital = c.to_uppercase();
            match (capital.next(), capital.next()) {
                (Some(one), None) => one,
                _ => single_capital(c),
            }
        },
    )
}

/// The capital of a letter whose full capital has several characters: that of Greek letters with an iota below.
fn single_capital(c: char) -> char {
    let at = u32::from(c);
    let capital = match at {
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => at + 8,
        0x1fb3 | 0x1fc3 | 0x1ff3 => at + 9,
        _ => at,
    };
    char::from_u32(capital).unwrap_or(c)
}

fn mapped(
    text: &[u8],
    changes: fn(&u8) -> bool,
    ascii: fn(&mut [u8]),
    map: fn(char) -> char,
) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        if !text.iter().any(changes) {
            return Cow::Borrowed(text);
        }
        let mut new = text.to_vec();
        ascii(&mut new);
        return Cow::Owned(new);
    }
    let mut new = String::with_capacity(text.len());
    let mut bytes = Vec::new();
    for chunk in text.utf8_chunks() {
        new.extend(chunk.valid().chars().map(map));
        if !chunk.invalid().is_empty() {
            bytes.extend_from_slice(new.as_bytes());
            bytes.extend_from_slice(chunk.invalid());
            new.clear();
        }
    }
    if bytes.is_empty() {
        return Cow::Owned(new.into_bytes());
    }
    bytes.extend_from_slice(new.as_bytes());
    Cow::Owned(bytes)
}
