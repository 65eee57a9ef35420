//! Numbers as gopher-lua reads them.

use mlua::{Lua, Result, Value as LuaValue};

/// `tonumber(value, base)`: whole numbers of 64 bits in a base, with a point those of Go; nil for everything else. With
/// a base given, a `0x` before the digits is not taken.
pub(super) fn tonumber(_: &Lua, (value, base): (LuaValue, LuaValue)) -> Result<Option<f64>> {
    let text = match &value {
        LuaValue::Number(n) => return Ok(Some(*n)),
        LuaValue::Integer(n) => return Ok(Some(*n as f64)),
        LuaValue::String(text) => text,
        _ => return Ok(None),
    };
    let given = match base {
        LuaValue::Nil => None,
        LuaValue::Number(n) => Some(n),
        LuaValue::Integer(n) => Some(n as f64),
        _ => {
            return Err(mlua::Error::runtime(
                "the base of tonumber must be a number",
            ));
        }
    };
    let given = match given {
        Some(base) if !(2.0..=36.0).contains(&base) => return Ok(None),
        other => other.map(|base| base as u32),
    };
    let Ok(text) = text.to_str() else {
        return Ok(None);
    };
    let text = text.trim_matches([' ', '\n', '\t']);
    if text.contains('.') {
        return Ok(float(text));
    }
    let hexadecimal = text
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    let (base, digits) = match given {
        None if hexadecimal => (16, text.get(2..).unwrap_or_default()),
        given => (given.unwrap_or(10), text),
    };
    Ok(i64::from_str_radix(digits, base).ok().map(|n| n as f64))
}

/// A text with a point as Go's `ParseFloat` reads it, without its forms for hexadecimal numbers.
fn float(text: &str) -> Option<f64> {
    let plain = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
    if !text.bytes().all(plain) {
        return None;
    }
    text.parse().ok().filter(|x: &f64| x.is_finite())
}
