//! `repr` and `str` of values, as Python 3 writes them.

use crate::eval::Value;
use crate::pipeline::Record;
use crate::pipeline::yaml::{Bytes, Date, Moment};
use chrono::{Datelike, NaiveDateTime, Offset, Timelike};
use regex::Regex;
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

/// The characters that Python escapes: those of Unicode's categories "other" and "separator", but for the blank.
static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[[\p{C}\p{Z}]--[ ]]").ok());

/// Writes a record as Python prints a dictionary.
pub fn write_record(record: &Record, out: &mut String) {
    write_map(record.iter(), out);
}

fn write_map<'a>(entries: impl Iterator<Item = &'a (Value, Value)>, out: &mut String) {
    out.push('{');
    for (number, (key, value)) in entries.enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        write_repr(key, out);
        out.push_str(": ");
        write_repr(value, out);
    }
    out.push('}');
}

/// Writes a value as Python's `repr` does.
pub fn write_repr(value: &Value, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Null => out.write_str("None"),
        Value::Bool(true) => out.write_str("True"),
        Value::Bool(false) => out.write_str("False"),
        Value::Int(n) => write!(out, "{n}"),
        Value::Long(n) => write!(out, "{n}"),
        Value::Big(n) => write!(out, "{n}"),
        Value::Float(n) => out.write_str(&float(f64::from(*n))),
        Value::Double(n) => out.write_str(&float(*n)),
        Value::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Value::List(list) => {
            out.push('[');
            list.with(|items| {
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        out.push_str(", ");
                    }
                    write_repr(item, out);
                }
            });
            out.write_char(']')
        }
        Value::Map(map) => {
            out.push('{');
            for (number, (key, value)) in map.entries().iter().enumerate() {
                if number > 0 {
                    out.push_str(", ");
                }
                write_repr(key, out);
                out.push_str(": ");
                write_repr(value, out);
            }
            out.write_char('}')
        }
        other => {
            if let Some(date) = other.as_object::<Date>() {
                let d = date.0;
                write!(
                    out,
                    "datetime.date({}, {}, {})",
                    d.year(),
                    d.month(),
                    d.day()
                )
            } else if let Some(moment) = other.as_object::<Moment>() {
                write_moment(moment, out);
                Ok(())
            } else if let Some(bytes) = other.as_object::<Bytes>() {
                write_bytes(&bytes.0, out);
                Ok(())
            } else {
                write_text(&crate::eval::text::to_text(other), out);
                Ok(())
            }
        }
    };
}

/// A float: the shortest digits that read back as the same number, with an exponent from 16 digits on and below 0.0001.
pub fn float(n: f64) -> String {
    if n.is_nan() {
        return "nan".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{n:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{n}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn write_text(text: &str, out: &mut String) {
    let double = text.contains('\'') && !text.contains('"');
    let quote = if double { '"' } else { '\'' };
    out.push(quote);
    let plain = |b: u8| (0x20..0x7f).contains(&b) && b != b'\\' && b != quote as u8;
    if text.bytes().all(plain) {
        out.push_str(text);
    } else {
        escape(text, quote, out);
    }
    out.push(quote);
}

fn escape(text: &str, quote: char, out: &mut String) {
    let hidden = |c: char| {
        let mut buffer = [0; 4];
        let text: &str = c.encode_utf8(&mut buffer);
        HIDDEN.as_ref().is_some_and(|regex| regex.is_match(text))
    };
    // One search tells whether single characters need a look at all.
    let rich = !text.is_ascii() && HIDDEN.as_ref().is_some_and(|regex| regex.is_match(text));
    for c in text.chars() {
        let _ = match c {
            '\\' => out.write_str("\\\\"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            c if c == quote => write!(out, "\\{c}"),
            '\0'..='\x1f' | '\x7f' => write!(out, "\\x{:02x}", u32::from(c)),
            c if c.is_ascii() || !rich || !hidden(c) => out.write_char(c),
            c => match u32::from(c) {
                n @ ..=0xff => write!(out, "\\x{n:02x}"),
                n @ ..=0xffff => write!(out, "\\u{n:04x}"),
                n => write!(out, "\\U{n:08x}"),
            },
        };
    }
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    let double = bytes.contains(&b'\'') && !bytes.contains(&b'"');
    let quote = if double { b'"' } else { b'\'' };
    out.push('b');
    out.push(char::from(quote));
    for &byte in bytes {
        let _ = match byte {
            b'\\' => out.write_str("\\\\"),
            b'\n' => out.write_str("\\n"),
            b'\r' => out.write_str("\\r"),
            b'\t' => out.write_str("\\t"),
            b if b == quote => write!(out, "\\{}", char::from(b)),
            0x20..0x7f => out.write_char(char::from(byte)),
            b => write!(out, "\\x{b:02x}"),
        };
    }
    out.push(char::from(quote));
}

fn write_moment(moment: &Moment, out: &mut String) {
    let (local, zone) = match moment {
        Moment::Local(local) => (*local, None),
        Moment::Zoned(zoned) => (
            zoned.naive_local(),
            Some(zoned.offset().fix().local_minus_utc()),
        ),
    };
    write_local(local, out);
    let _ = match zone {
        None => Ok(()),
        Some(0) => out.write_str(", tzinfo=datetime.timezone.utc"),
        Some(seconds) => {
            out.push_str(", tzinfo=datetime.timezone(datetime.timedelta(");
            if seconds < 0 {
                out.push_str("days=-1, ");
            }
            write!(out, "seconds={}))", seconds.rem_euclid(86_400))
        }
    };
    out.push(')');
}

fn write_local(t: NaiveDateTime, out: &mut String) {
    let (year, month, day) = (t.year(), t.month(), t.day());
    let _ = write!(
        out,
        "datetime.datetime({year}, {month}, {day}, {}, {}",
        t.hour(),
        t.minute()
    );
    let micros = t.nanosecond() / 1000;
    if t.second() != 0 || micros != 0 {
        let _ = write!(out, ", {}", t.second());
    }
    if micros != 0 {
        let _ = write!(out, ", {micros}");
    }
}

/// A value as Python's `str` gives it: texts are themselves, everything else mostly its `repr`.
pub fn text(value: &Value) -> Cow<'_, str> {
    if let Value::Text(text) = value {
        return Cow::Borrowed(text);
    }
    if let Some(date) = value.as_object::<Date>() {
        return Cow::Owned(date.0.to_string());
    }
    let micros = |t: &NaiveDateTime| if t.nanosecond() == 0 { "" } else { "%.6f" };
    let out = match value.as_object::<Moment>() {
        Some(Moment::Local(t)) => t
            .format(&format!("%Y-%m-%d %H:%M:%S{}", micros(t)))
            .to_string(),
        Some(Moment::Zoned(t)) => {
            let micros = micros(&t.naive_local());
            t.format(&format!("%Y-%m-%d %H:%M:%S{micros}%:z"))
                .to_string()
        }
        None => {
            let mut out = String::new();
            write_repr(value, &mut out);
            out
        }
    };
    Cow::Owned(out)
}
