//! `str.format`: texts with fields in braces.

mod number;

use super::repr;
use crate::eval::Value;
use smol_str::SmolStr;
use std::borrow::Cow;

/// What stands for a name that has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The text `{name}`, as for variables of a pipeline file.
    Kept,
    /// An error, as in templates of paths.
    Error,
}

/// A compiled text with fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: SmolStr,
    /// The keys and numbers in brackets behind the name.
    inside: Vec<SmolStr>,
    conversion: Option<char>,
    spec: Template,
}

impl Template {
    /// Compiles a text. Errors: why it is no template (a lone brace, a field without a name, an attribute).
    pub fn new(text: &str) -> Result<Template, String> {
        Template::read(text, 0)
    }

    fn read(text: &str, depth: usize) -> Result<Template, String> {
        if depth > 2 {
            return Err("fields nest too deep".to_owned());
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
            plain.push_str(head);
            if let Some(behind) = tail.strip_prefix("{{") {
                plain.push('{');
                rest = behind;
            } else if let Some(behind) = tail.strip_prefix("}}") {
                plain.push('}');
                rest = behind;
            } else if let Some(inside) = tail.strip_prefix('{') {
                let end = close(inside).ok_or("a `{` is not closed; write `{{` for a brace")?;
                let (field, behind) = inside.split_at_checked(end).unwrap_or((inside, ""));
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Field(Field::read(field, depth)?));
                rest = behind.get(1..).unwrap_or_default();
            } else {
                return Err("a `}` closes nothing; write `}}` for a brace".to_owned());
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template(pieces))
    }

    /// Whether no field is in it.
    pub fn is_plain(&self) -> bool {
        !self.0.iter().any(|piece| matches!(piece, Piece::Field(_)))
    }

    /// The names of the fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &SmolStr> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Field(field) => Some(&field.name),
            Piece::Text(_) => None,
        })
    }

    /// The text with all fields filled in. Errors: a missing name, an index or a format that does not fit.
    pub fn fill(
        &self,
        missing: Missing,
        value: impl Fn(&str) -> Option<Value> + Copy,
    ) -> Result<String, String> {
        let filled = self.fill_within(usize::MAX, missing, value)?;
        Ok(filled.unwrap_or_default())
    }

    /// As [`Template::fill`]; nothing when the text would have more than `most` bytes.
    pub fn fill_within(
        &self,
        most: usize,
        missing: Missing,
        value: impl Fn(&str) -> Option<Value> + Copy,
    ) -> Result<Option<String>, String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(field) => field.fill(missing, value, &mut out)?,
            }
            if out.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(out))
    }
}

/// Where the brace that is open here closes.
fn close(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut bracket = false;
    for (at, c) in text.char_indices() {
        match c {
            '[' if depth == 0 => bracket = true,
            ']' => bracket = false,
            _ if bracket => {}
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

impl Field {
    fn read(text: &str, depth: usize) -> Result<Field, String> {
        let bracket_end = text.find(']').map_or(0, |at| at + 1);
        let mark = |from: usize| text.get(from..)?.find(['!', ':']).map(|at| at + from);
        let first = text.find(['[', '!', ':']);
        let end = match first {
            Some(at) if text.get(at..).is_some_and(|t| t.starts_with('[')) => {
                mark(bracket_end.max(at))
            }
            other => other,
        };
        let (path, rest) = match end {
            Some(at) => text.split_at_checked(at).unwrap_or((text, "")),
            None => (text, ""),
        };
        let (conversion, spec) = match rest.strip_prefix('!') {
            Some(rest) => {
                let mut chars = rest.chars();
                let kind = chars.next().filter(|c| matches!(c, 'r' | 's' | 'a'));
                let kind = kind.ok_or("behind `!` stands r, s or a")?;
                let spec = match chars.as_str() {
                    "" => "",
                    other => other
                        .strip_prefix(':')
                        .ok_or("behind `!r` stands `:` or nothing")?,
                };
                (Some(kind), spec)
            }
            None => (None, rest.strip_prefix(':').unwrap_or("")),
        };
        let mut parts = path.split('[');
        let name = parts.next().unwrap_or_default();
        if name.is_empty() || name.bytes().all(|b| b.is_ascii_digit()) {
            return Err("a field needs a name".to_owned());
        }
        if let Some((_, attribute)) = name.split_once('.') {
            return Err(format!("values have no attribute {attribute}"));
        }
        let inside = parts.map(|part| {
            let key = part.strip_suffix(']').filter(|key| !key.is_empty());
            key.map(SmolStr::new)
                .ok_or("a bracket is not closed, or empty")
        });
        Ok(Field {
            name: name.into(),
            inside: inside.collect::<Result<_, _>>()?,
            conversion,
            spec: Template::read(spec, depth + 1)?,
        })
    }

    fn fill(
        &self,
        missing: Missing,
        look: impl Fn(&str) -> Option<Value> + Copy,
        out: &mut String,
    ) -> Result<(), String> {
        let mut value = match look(&self.name) {
            Some(value) => value,
            None if missing == Missing::Kept => Value::string(format!("{{{}}}", self.name)),
            None => return Err(format!("there is no field {}", self.name)),
        };
        for key in &self.inside {
            value = item(&value, key).ok_or_else(|| format!("{} has no item {key}", self.name))?;
        }
        let value = match self.conversion {
            None => value,
            Some('s') => Value::text(repr::text(&value)),
            Some(kind) => {
                let mut text = String::new();
                repr::write_repr(&value, &mut text);
                Value::string(if kind == 'a' { ascii(&text) } else { text })
            }
        };
        let spec = self.spec.fill(missing, look)?;
        if spec.is_empty() {
            out.push_str(&repr::text(&value));
            return Ok(());
        }
        out.push_str(&number::formatted(&value, &spec)?);
        Ok(())
    }
}

fn item(value: &Value, key: &str) -> Option<Value> {
    match value {
        Value::List(list) => list.get(key.parse().ok()?),
        Value::Map(map) => match key.parse::<i32>() {
            Ok(number) => map.get(&Value::Int(number)),
            Err(_) => map.get_text(key),
        },
        Value::Text(text) => {
            let c = text.chars().nth(key.parse().ok()?)?;
            Some(Value::string(c.to_string()))
        }
        _ => None,
    }
}

fn ascii(text: &str) -> String {
    let escaped = text.chars().map(|c| match u32::from(c) {
        ..=0x7f => Cow::Owned(c.to_string()),
        n @ ..=0xff => Cow::Owned(format!("\\x{n:02x}")),
        n @ ..=0xffff => Cow::Owned(format!("\\u{n:04x}")),
        n => Cow::Owned(format!("\\U{n:08x}")),
    });
    escaped.collect::<Vec<Cow<'_, str>>>().concat()
}
