//! Reading JSON field by field, with the path of everything that is wrong.

use super::{Found, MAX_PARTS};
use crate::diagnostic::nearest;
use serde_json::{Map, Value as Json};

/// How many problems are told.
const PROBLEMS: usize = 50;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub wrong: Vec<Found>,
    pub notes: Vec<Found>,
    /// The table lists that the rule uses, by their names.
    pub stores: Vec<String>,
}

/// An object and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Fields<'j> {
    map: &'j Map<String, Json>,
    place: String,
}

impl<'j> Fields<'j> {
    /// A field, null or not.
    pub fn get(&self, name: &str) -> Option<&'j Json> {
        self.map.get(name)
    }

    /// All fields.
    pub fn all(&self) -> impl Iterator<Item = (&'j String, &'j Json)> {
        self.map.iter()
    }

    /// Where a field stands.
    pub fn path(&self, name: &str) -> String {
        let plain = |c: char| c.is_alphanumeric() || c == '_';
        match (self.place.as_str(), name.chars().all(plain)) {
            ("", _) => name.to_string(),
            (place, true) => format!("{place}.{name}"),
            (place, false) => format!("{place}[{name:?}]"),
        }
    }
}

/// A value in few words.
pub(super) fn shown(json: &Json) -> String {
    match json {
        Json::Null => "null".to_string(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) if text.chars().count() <= 40 => format!("{text:?}"),
        Json::String(_) => "a long text".to_string(),
        Json::Array(_) => "a list".to_string(),
        Json::Object(_) => "an object".to_string(),
    }
}

impl Reader {
    /// Notes a problem.
    pub fn wrong(&mut self, path: &str, reason: impl Into<String>) {
        if self.wrong.len() < PROBLEMS {
            self.wrong.push(Found {
                path: path.to_string(),
                reason: reason.into(),
            });
        }
    }

    /// Notes something worth knowing.
    pub fn note(&mut self, path: &str, reason: impl Into<String>) {
        if self.notes.len() < PROBLEMS {
            self.notes.push(Found {
                path: path.to_string(),
                reason: reason.into(),
            });
        }
    }

    /// The variable of a table list.
    pub fn store(&mut self, name: &str) -> String {
        let known = self.stores.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.stores.push(name.to_string());
            self.stores.len() - 1
        });
        format!("store{}", place + 1)
    }

    fn wanted(&mut self, path: &str, wanted: &str, found: &Json) {
        self.wrong(path, format!("must be {wanted}, not {}", shown(found)));
    }

    /// An object.
    pub fn object<'j>(&mut self, json: &'j Json, path: &str) -> Option<Fields<'j>> {
        match json {
            Json::Object(map) => Some(Fields {
                map,
                place: path.to_string(),
            }),
            other => {
                self.wanted(path, "an object", other);
                None
            }
        }
    }

    /// Complains about fields that nobody knows.
    pub fn only(&mut self, fields: &Fields<'_>, known: &[&str]) {
        for (name, _) in fields.all() {
            if !known.contains(&name.as_str()) {
                let near = nearest(name, known.iter().copied());
                let hint = near.map(|near| format!("; did you mean {near}?"));
                let reason = format!("is not known{}", hint.unwrap_or_default());
                self.wrong(&fields.path(name), reason);
            }
        }
    }

    /// A text; nothing when it is missing or null.
    pub fn text(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        match fields.get(name)? {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => {
                self.wanted(&fields.path(name), "a text", other);
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub fn needed(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        let before = self.wrong.len();
        let text = self.text(fields, name).filter(|text| !text.is_empty());
        if text.is_none() && self.wrong.len() == before {
            self.wrong(&fields.path(name), "is missing or empty");
        }
        text
    }

    /// A boolean; nothing when it is missing or null.
    pub fn boolean(&mut self, fields: &Fields<'_>, name: &str) -> Option<bool> {
        match fields.get(name)? {
            Json::Null => None,
            Json::Bool(truth) => Some(*truth),
            other => {
                self.wanted(&fields.path(name), "true or false", other);
                None
            }
        }
    }

    /// A whole number within bounds; nothing when it is missing or null.
    pub fn whole(&mut self, fields: &Fields<'_>, name: &str, least: i64, most: i64) -> Option<i64> {
        let json = fields.get(name).filter(|json| !json.is_null())?;
        match json.as_i64() {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let wanted = format!("a whole number from {least} to {most}");
                self.wanted(&fields.path(name), &wanted, json);
                None
            }
        }
    }

    /// A list with its place; empty when it is missing or null.
    pub fn list<'j>(&mut self, fields: &Fields<'j>, name: &str) -> Vec<(&'j Json, String)> {
        let path = fields.path(name);
        match fields.get(name) {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(items)) if items.len() > MAX_PARTS => {
                self.wrong(&path, format!("has more than {MAX_PARTS} elements"));
                Vec::new()
            }
            Some(Json::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(i, item)| (item, format!("{path}[{i}]")))
                .collect(),
            Some(other) => {
                self.wanted(&path, "a list", other);
                Vec::new()
            }
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, fields: &Fields<'_>, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for (item, path) in self.list(fields, name) {
            match item {
                Json::String(text) => texts.push(text.clone()),
                other => self.wanted(&path, "a text", other),
            }
        }
        texts
    }
}
