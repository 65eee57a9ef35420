//! What a profile needs of an event, as bytes: values come back as they were, each time as new ones.

use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::collections::{Map, MapKind};
use crate::functions::kryo;
use smol_str::SmolStr;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const LONG: u8 = 3;
const DOUBLE: u8 = 4;
const TEXT: u8 = 5;
/// As the profiler's store has it.
const OTHER: u8 = 6;
/// A map that cannot be changed.
const VIEW: u8 = 7;
/// A text of so many bytes more than this.
const SHORT: u8 = 8;

/// Appends a number, small ones in few bytes.
pub fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a text.
pub fn put_text(text: &str, out: &mut Vec<u8>) {
    put_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a value of an event. Errors: E0302 for one that nests too deeply.
#[inline]
pub fn put(value: &Value, out: &mut Vec<u8>) -> Outcome<()> {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Long(n) => {
            out.push(LONG);
            put_number((n << 1 ^ n >> 63) as u64, out);
        }
        Value::Double(x) => {
            out.push(DOUBLE);
            out.extend_from_slice(&x.to_le_bytes());
        }
        Value::Text(text) => {
            match u8::try_from(text.len())
                .ok()
                .and_then(|n| n.checked_add(SHORT))
            {
                Some(tag) => out.push(tag),
                None => {
                    out.push(TEXT);
                    put_number(text.len() as u64, out);
                }
            }
            out.extend_from_slice(text.as_bytes());
        }
        Value::Map(map) if map.kind() == MapKind::View => {
            let plain = Map::new(MapKind::Ordered, map.entries().into_iter().collect());
            put_other(VIEW, &Value::Map(plain), out)?;
        }
        other => put_other(OTHER, other, out)?,
    }
    Ok(())
}

#[cold]
fn put_other(tag: u8, value: &Value, out: &mut Vec<u8>) -> Outcome<()> {
    let bytes = kryo::write(value, usize::MAX)?;
    out.push(tag);
    put_number(bytes.len() as u64, out);
    out.extend(bytes);
    Ok(())
}

/// A value that shares nothing with another one that can be changed.
pub fn copy(value: &Value) -> Outcome<Value> {
    match value {
        Value::List(_) | Value::Map(_) | Value::Set(_) | Value::Object(_) => {
            let mut bytes = Vec::new();
            put(value, &mut bytes)?;
            Take(&bytes).value().ok_or_else(super::held::cut_short)
        }
        plain => Ok(plain.clone()),
    }
}

/// Takes back what was put, from the front on. `None` stands for bytes that nobody has put there.
pub struct Take<'a>(pub &'a [u8]);

impl<'a> Take<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    /// A number.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A text.
    #[inline]
    pub fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    /// A value.
    #[inline]
    pub fn value(&mut self) -> Option<Value> {
        let text = |bytes| Some(Value::Text(SmolStr::new(std::str::from_utf8(bytes).ok()?)));
        Some(match self.byte()? {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            LONG => {
                let n = self.number()?;
                Value::Long((n >> 1) as i64 ^ -((n & 1) as i64))
            }
            DOUBLE => Value::Double(f64::from_le_bytes(self.bytes(8)?.try_into().ok()?)),
            TEXT => {
                let length = usize::try_from(self.number()?).ok()?;
                text(self.bytes(length)?)?
            }
            tag @ (OTHER | VIEW) => {
                let length = usize::try_from(self.number()?).ok()?;
                match kryo::read(self.bytes(length)?).ok()? {
                    Value::Map(map) if tag == VIEW => Value::Map(map.as_view()),
                    other => other,
                }
            }
            short => text(self.bytes(usize::from(short - SHORT))?)?,
        })
    }
}
