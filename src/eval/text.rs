//! Text forms of values, as Java prints them.

use super::java::numbers;
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Outcome, floor};
use smol_str::SmolStr;

/// Nesting beyond this prints as `…`; values made by one literal or one JSON text are never so deep.
const DEEPEST: usize = 512;

/// Writes text forms up to a number of bytes.
pub struct Writer {
    text: String,
    longest: usize,
}

impl Writer {
    /// A writer for at most `longest` bytes.
    pub fn new(longest: usize) -> Writer {
        Writer {
            text: String::new(),
            longest,
        }
    }

    /// Writes a piece of text. Errors: E0303.
    pub fn raw(&mut self, piece: &str) -> Outcome<()> {
        if let Err(fault) = check_length(self.text.len() + piece.len(), self.longest) {
            // What fits is for those who want the beginning only.
            let room = self.longest.saturating_sub(self.text.len());
            self.text.push_str(&piece[..floor(piece, room)]);
            return Err(fault);
        }
        self.text.push_str(piece);
        Ok(())
    }

    /// Writes a value's text form. Errors: E0303.
    pub fn value(&mut self, value: &Value) -> Outcome<()> {
        self.at(value, 0)
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.text
    }

    fn at(&mut self, value: &Value, depth: usize) -> Outcome<()> {
        if depth > DEEPEST {
            return self.raw("…");
        }
        match value {
            Value::List(list) => self.items(&list.items(), depth),
            Value::Set(set) => self.items(&set.items(), depth),
            Value::Map(map) => {
                self.raw("{")?;
                for (i, (key, value)) in map.entries().iter().enumerate() {
                    if i > 0 {
                        self.raw(", ")?;
                    }
                    self.at(key, depth + 1)?;
                    self.raw("=")?;
                    self.at(value, depth + 1)?;
                }
                self.raw("}")
            }
            Value::Text(text) => self.raw(text),
            Value::Lambda(lambda) => self.raw(lambda.source_text()),
            Value::Object(object) => self.raw(&object.text()),
            scalar => {
                push_scalar(scalar, &mut self.text);
                check_length(self.text.len(), self.longest)
            }
        }
    }

    fn items(&mut self, items: &[Value], depth: usize) -> Outcome<()> {
        self.raw("[")?;
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.raw(", ")?;
            }
            self.at(item, depth + 1)?;
        }
        self.raw("]")
    }
}

/// Fails when a text would have more than `longest` bytes.
#[inline]
pub fn check_length(length: usize, longest: usize) -> Outcome<()> {
    if length > longest {
        Err(too_long(longest))
    } else {
        Ok(())
    }
}

#[cold]
fn too_long(longest: usize) -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::StringLength,
        format!("the text would have more than {longest} bytes"),
    )
}

fn push_scalar(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(n) => numbers::push_signed(i64::from(*n), out),
        Value::Long(n) => numbers::push_signed(*n, out),
        Value::Big(n) => out.push_str(&n.to_string()),
        Value::Float(x) => numbers::float_text(*x, out),
        Value::Double(x) => numbers::double_text(*x, out),
        Value::Char(unit) => out.push(unit_to_char(*unit)),
        _ => {}
    }
}

/// A UTF-16 unit as a character; half a pair becomes U+FFFD.
pub fn unit_to_char(unit: u16) -> char {
    char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Longer text forms of collections are cut: parts that stand in many places make them endless.
const LONGEST: usize = 64 << 20;

/// The text form of a value; that of a collection is cut behind 64 MiB.
pub fn to_text(value: &Value) -> SmolStr {
    match value {
        Value::Text(text) => text.clone(),
        _ => {
            let mut writer = Writer::new(LONGEST);
            if writer.value(value).is_err() {
                writer.text.push('…');
            }
            SmolStr::from(writer.finish())
        }
    }
}

/// The beginning of a value's text form, about `longest` bytes of it, and whether that is all.
pub fn beginning(value: &Value, longest: usize) -> (String, bool) {
    let mut writer = Writer::new(longest);
    let whole = writer.value(value).is_ok();
    (writer.finish(), whole)
}

/// The text form of a value of at most `longest` bytes. Errors: E0303.
pub fn to_text_within(value: &Value, longest: usize) -> Outcome<SmolStr> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        _ => {
            let mut writer = Writer::new(longest);
            writer.value(value)?;
            Ok(SmolStr::from(writer.finish()))
        }
    }
}

/// The number of UTF-16 units of a text.
pub fn utf16_length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}
