//! Reading the fields of a body, with all that is wrong at once.

use super::body::kind;
use super::{Reason, Refusal};
use chrono::DateTime;
use serde_json::{Map, Value as Json};

/// How many bytes the texts of a rule have at most: identifiers and names, descriptions, programs.
pub const NAME: usize = 1 << 10;
/// See [`NAME`].
pub const PROSE: usize = 256 << 10;
/// See [`NAME`].
pub const CODE: usize = 1 << 20;

/// What becomes of a field that is missing or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The request is refused.
    Refused,
    /// It has no value.
    Allowed,
}

/// The fields of an object and what is wrong with them.
pub struct Fields<'a> {
    map: &'a Map<String, Json>,
    prefix: String,
    /// What is wrong so far.
    pub reasons: Vec<Reason>,
}

impl<'a> Fields<'a> {
    /// The fields of an object at `prefix` (empty for the body itself).
    pub fn new(map: &'a Map<String, Json>, prefix: &str) -> Fields<'a> {
        Fields {
            map,
            prefix: prefix.to_string(),
            reasons: Vec::new(),
        }
    }

    /// Notes what is wrong with a field.
    pub fn wrong(&mut self, name: &str, reason: impl Into<String>) {
        let path = match self.prefix.as_str() {
            "" => name.to_string(),
            prefix => format!("{prefix}.{name}"),
        };
        self.reasons.push(Reason::new(path, reason));
    }

    /// A field that is there and not null.
    pub fn get(&mut self, name: &str, absent: Absent) -> Option<&'a Json> {
        match self.map.get(name) {
            None if absent == Absent::Refused => {
                self.wrong(name, "is required");
                None
            }
            Some(Json::Null) if absent == Absent::Refused => {
                self.wrong(name, "is required and must not be null");
                None
            }
            None | Some(Json::Null) => None,
            Some(value) => Some(value),
        }
    }

    /// A text of at most so many bytes.
    pub fn text(&mut self, name: &str, absent: Absent, most: usize) -> Option<String> {
        match self.get(name, absent)? {
            Json::String(text) if text.len() <= most => Some(text.clone()),
            Json::String(text) => {
                self.wrong(
                    name,
                    format!("has {} bytes; {most} are allowed", text.len()),
                );
                None
            }
            other => self.not(name, "a text", other),
        }
    }

    /// A text with something in it.
    pub fn name(&mut self, name: &str, absent: Absent) -> Option<String> {
        let text = self.text(name, absent, NAME)?;
        if text.trim().is_empty() {
            self.wrong(name, "must not be empty");
            return None;
        }
        Some(text)
    }

    /// A date and time as RFC 3339 writes them, kept as it was written.
    pub fn time(&mut self, name: &str, absent: Absent) -> Option<String> {
        let text = self.text(name, absent, NAME)?;
        if let Err(error) = DateTime::parse_from_rfc3339(&text) {
            let shown: String = text.chars().take(40).collect();
            self.wrong(
                name,
                format!("must be a date and time such as 2023-12-20T00:00:01.652259Z, not {shown:?}: {error}"),
            );
            return None;
        }
        Some(text)
    }

    /// True or false.
    pub fn boolean(&mut self, name: &str, absent: Absent) -> Option<bool> {
        match self.get(name, absent)? {
            Json::Bool(value) => Some(*value),
            other => self.not(name, "a boolean", other),
        }
    }

    /// A whole number that is not negative.
    pub fn count(&mut self, name: &str, absent: Absent) -> Option<i64> {
        match self.get(name, absent)? {
            Json::Number(number) => match number.as_i64() {
                Some(count) if count >= 0 => Some(count),
                _ => {
                    let shown: String = number.to_string().chars().take(40).collect();
                    self.wrong(
                        name,
                        format!("must be a whole number from 0 to {}, not {shown}", i64::MAX),
                    );
                    None
                }
            },
            other => self.not(name, "a whole number", other),
        }
    }

    /// An object.
    pub fn object(&mut self, name: &str, absent: Absent) -> Option<&'a Map<String, Json>> {
        match self.get(name, absent)? {
            Json::Object(map) => Some(map),
            other => self.not(name, "an object", other),
        }
    }

    /// A list.
    pub fn list(&mut self, name: &str, absent: Absent) -> Option<&'a Vec<Json>> {
        match self.get(name, absent)? {
            Json::Array(list) => Some(list),
            other => self.not(name, "a list", other),
        }
    }

    /// Ends: all reasons together, if there are any.
    pub fn end(self) -> Result<(), Refusal> {
        match self.reasons.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Bad(self.reasons)),
        }
    }

    fn not<T>(&mut self, name: &str, wanted: &str, found: &Json) -> Option<T> {
        self.wrong(name, format!("must be {wanted}, not {}", kind(found)));
        None
    }
}
