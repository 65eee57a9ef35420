//! `json.dumps` with its usual settings: blanks behind commas and colons, ASCII only, NaN and Infinity by name.

use super::repr;
use crate::eval::Value;
use std::io::Write;

/// Appends the fields as one JSON object. What Python would refuse (dates, bytes, objects) becomes its text.
pub fn write_json<'a>(fields: impl IntoIterator<Item = &'a (Value, Value)>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (number, (key, value)) in fields.into_iter().enumerate() {
        if number > 0 {
            out.extend_from_slice(b", ");
        }
        write_entry(key, value, out);
    }
    out.push(b'}');
}

fn write_entry(key: &Value, value: &Value, out: &mut Vec<u8>) {
    match key {
        Value::Null => out.extend_from_slice(b"\"null\""),
        Value::Bool(true) => out.extend_from_slice(b"\"true\""),
        Value::Bool(false) => out.extend_from_slice(b"\"false\""),
        key => write_json_text(&repr::text(key), out),
    }
    out.extend_from_slice(b": ");
    write_value(value, out);
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = match value {
        Value::Null => out.write_all(b"null"),
        Value::Bool(true) => out.write_all(b"true"),
        Value::Bool(false) => out.write_all(b"false"),
        Value::Int(n) => out.write_all(itoa::Buffer::new().format(*n).as_bytes()),
        Value::Long(n) => out.write_all(itoa::Buffer::new().format(*n).as_bytes()),
        Value::Big(n) => write!(out, "{n}"),
        Value::Float(n) => write_float(f64::from(*n), out),
        Value::Double(n) => write_float(*n, out),
        Value::List(list) => {
            out.push(b'[');
            list.with(|items| {
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        out.extend_from_slice(b", ");
                    }
                    write_value(item, out);
                }
            });
            out.write_all(b"]")
        }
        Value::Map(map) => {
            out.push(b'{');
            for (number, (key, value)) in map.entries().iter().enumerate() {
                if number > 0 {
                    out.extend_from_slice(b", ");
                }
                write_entry(key, value, out);
            }
            out.write_all(b"}")
        }
        other => {
            write_json_text(&repr::text(other), out);
            Ok(())
        }
    };
}

fn write_float(n: f64, out: &mut Vec<u8>) -> std::io::Result<()> {
    if n.is_nan() {
        return out.write_all(b"NaN");
    }
    if n.is_infinite() {
        return out.write_all(if n > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
    out.write_all(repr::float(n).as_bytes())
}

/// Appends a text in quotation marks; everything but printable ASCII is escaped.
pub fn write_json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let plain = |b: u8| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\';
    let mut rest = text;
    while let Some(end) = rest.bytes().position(|b| !plain(b)) {
        let (good, other) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.extend_from_slice(good.as_bytes());
        let mut chars = other.chars();
        if let Some(c) = chars.next() {
            escape(c, out);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

fn escape(c: char, out: &mut Vec<u8>) {
    let _ = match c {
        '"' => out.write_all(b"\\\""),
        '\\' => out.write_all(b"\\\\"),
        '\n' => out.write_all(b"\\n"),
        '\r' => out.write_all(b"\\r"),
        '\t' => out.write_all(b"\\t"),
        '\x08' => out.write_all(b"\\b"),
        '\x0c' => out.write_all(b"\\f"),
        c => {
            let mut units = [0; 2];
            c.encode_utf16(&mut units)
                .iter()
                .try_for_each(|unit| write!(out, "\\u{unit:04x}"))
        }
    };
}
