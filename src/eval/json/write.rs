//! Values as plain JSON text, written straight into a buffer.

use super::DEEPEST;
use crate::diagnostic::Outcome;
use crate::eval::java::numbers;
use crate::eval::text::{to_text, unit_to_char};
use crate::eval::value::Value;

/// Appends a value as plain JSON, by the same rules as [`super::to_json`].
///
/// Errors: E0302 for values nested deeper than 512 levels, E0303 beyond 64 MiB.
pub fn write_json(value: &Value, out: &mut Vec<u8>) -> Outcome<()> {
    let end = out.len().saturating_add(super::LONGEST);
    write(value, out, 0, end)
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize, end: usize) -> Outcome<()> {
    if depth > DEEPEST {
        return Err(super::too_deep());
    }
    if out.len() > end {
        return Err(super::too_long());
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(n) => write_whole(i64::from(*n), out),
        Value::Long(n) => write_whole(*n, out),
        Value::Double(x) if x.is_finite() => {
            write_number(out, |text| numbers::double_text(*x, text))
        }
        Value::Float(x) if x.is_finite() => write_number(out, |text| numbers::float_text(*x, text)),
        Value::Text(text) => write_text(text, out),
        Value::Char(unit) => write_text(unit_to_char(*unit).encode_utf8(&mut [0; 4]), out),
        Value::List(list) => write_items(&list.items(), out, depth, end)?,
        Value::Set(set) => write_items(&set.items(), out, depth, end)?,
        Value::Map(map) => {
            out.push(b'{');
            for (i, (key, value)) in map.entries().iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_text(&to_text(key), out);
                out.push(b':');
                write(value, out, depth + 1, end)?;
            }
            out.push(b'}');
        }
        Value::Big(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Float(_) | Value::Double(_) | Value::Lambda(_) => write_text(&to_text(value), out),
        Value::Object(object) => match object.json() {
            Some(json) => out.extend_from_slice(json.to_string().as_bytes()),
            None => write_text(&object.text(), out),
        },
    }
    Ok(())
}

fn write_items(items: &[Value], out: &mut Vec<u8>, depth: usize, end: usize) -> Outcome<()> {
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out, depth + 1, end)?;
    }
    out.push(b']');
    Ok(())
}

fn write_whole(n: i64, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{n}"));
}

fn write_number(out: &mut Vec<u8>, push: impl FnOnce(&mut String)) {
    let mut text = String::new();
    push(&mut text);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a JSON string with its quotation marks.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        if escape.is_empty() {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        } else {
            out.extend_from_slice(escape);
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}
