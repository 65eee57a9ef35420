//! `string.format` as gopher-lua has it: Go's `Sprintf`, with numbers as its verbs want them.

use super::shared::Shared;
use super::values::{from_lua, number_text, textual};
use crate::rule::format::{Arg, Output, printf};
use mlua::{Lua, LuaString, Result, Value as LuaValue, Variadic};
use std::borrow::Cow;

/// The longest text that is made.
const LONGEST: usize = 1 << 20;

/// `string.format(text, …)`. Errors: no text; a result that is too long.
pub(super) fn format(lua: &Lua, shared: &Shared, args: &Variadic<LuaValue>) -> Result<LuaString> {
    shared.check()?;
    let Some(LuaValue::String(text)) = args.first() else {
        return Err(mlua::Error::runtime("format needs a text"));
    };
    let mut text = text.as_bytes().to_vec();
    let values = args.get(1..).unwrap_or_default();
    let mut ready = Vec::with_capacity(values.len());
    for at in verbs(&text) {
        let (Some(value), Some(verb)) = (values.get(ready.len()), text.get_mut(at)) else {
            break;
        };
        ready.push(argument(value, verb)?);
    }
    let mut out = Output::new(LONGEST);
    printf(&mut out, &text, &ready);
    if out.is_over() {
        return Err(mlua::Error::runtime(format!(
            "format makes texts of {LONGEST} bytes at most"
        )));
    }
    lua.create_string(out.finish())
}

/// The places of the letters that take an argument each.
fn verbs(text: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(percent) = memchr::memchr(b'%', text.get(at..).unwrap_or_default()) {
        at += percent + 1;
        while let Some(b) = text.get(at)
            && b"+-# 0123456789.*".contains(b)
        {
            if *b == b'*' {
                found.push(at);
            }
            at += 1;
        }
        if text.get(at).is_some_and(|b| *b != b'%') {
            found.push(at);
        }
        at += 1;
    }
    found
}

/// A value as its verb wants it; the verb becomes one that Go has.
fn argument(value: &LuaValue, verb: &mut u8) -> Result<Arg<'static>> {
    let number = match value {
        LuaValue::Number(x) => *x,
        LuaValue::Integer(n) => *n as f64,
        LuaValue::String(text) => {
            let bytes = text.as_bytes().to_vec();
            if matches!(verb, b'd' | b'i') {
                // A text that is a number is printed as it is, any other as 0.
                let number = text.to_str().is_ok_and(|t| t.trim().parse::<f64>().is_ok());
                *verb = if number { b's' } else { b'd' };
                if !number {
                    return Ok(Arg::Int(0));
                }
            }
            return Ok(Arg::Text(Cow::Owned(bytes)));
        }
        LuaValue::Nil => return Ok(Arg::Text(Cow::Borrowed(b"nil"))),
        LuaValue::Table(_) | LuaValue::Function(_) | LuaValue::Thread(_) => {
            return Ok(Arg::Text(Cow::Owned(value.to_string()?.into_bytes())));
        }
        other => {
            let text = textual(&from_lua(other)?);
            return Ok(Arg::Text(Cow::Owned(text.as_bytes().to_vec())));
        }
    };
    Ok(match *verb {
        b'q' | b's' => Arg::Text(Cow::Owned(number_text(number).into_bytes())),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => Arg::Float(number),
        b'i' => {
            *verb = b'd';
            Arg::Int(number as i64)
        }
        b'b' | b'c' | b'd' | b'o' | b'x' | b'X' | b'U' | b'*' => Arg::Int(number as i64),
        _ if number.fract() == 0.0 && number.abs() < 9.2e18 => Arg::Int(number as i64),
        _ => Arg::Float(number),
    })
}
