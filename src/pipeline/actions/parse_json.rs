//! `parser_json`

use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::json::number_value;
use crate::eval::json::parse::{After, Builder, parse};
use crate::pipeline::event::Event;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Now, Pure, Step};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::Arc;

pub const PARSER_JSON: ActionSpec = ActionSpec {
    name: "parser_json",
    kind: ActionKind::Parser,
    summary: "Reads a field as JSON.",
    details: "Events without the field and those whose field is no JSON end here. With `merge` and `add` the JSON must be an object.",
    parameters: &[
        ParameterSpec::required("key", ParameterKind::Text, "the field to read"),
        MODE,
    ],
    examples: &["- name: parser_json\n  match: my_log\n  key: json_log\n  mode: add"],
    make,
};

/// How what was read gets into the record.
pub const MODE: ParameterSpec = ParameterSpec::optional(
    "mode",
    ParameterKind::Choice(&["merge", "add", "tree"]),
    "merge",
    "`merge`: new fields instead of the one that was read; `add`: besides it; `tree`: a map in its place",
);

/// See [`MODE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Merge,
    Add,
    Tree,
}

impl Mode {
    pub fn of(parameters: &Parameters) -> Mode {
        match parameters.text("mode").as_deref() {
            Some("add") => Mode::Add,
            Some("tree") => Mode::Tree,
            _ => Mode::Merge,
        }
    }

    /// Puts fields that were read from the field `key` into a record.
    pub fn put(self, record: &mut Record, key: &SmolStr, fields: Record) {
        match self {
            Mode::Tree => {
                let entries = fields.into_iter().collect();
                record.set(key.clone(), Value::Map(Map::new(MapKind::Ordered, entries)));
                return;
            }
            Mode::Merge if record.len() == 1 => {
                // The field that is read was the only one.
                *record = fields;
                return;
            }
            Mode::Merge => {
                record.remove(key);
            }
            Mode::Add => {}
        }
        for (name, value) in fields {
            record.set_value(name, value);
        }
    }
}

/// As many digits as Python takes at most: the time grows with the square.
const DIGITS: usize = 4300;

/// How deep JSON may nest.
const DEPTH: usize = 500;

struct ParseJson {
    key: SmolStr,
    mode: Mode,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Pure(Arc::new(ParseJson {
        key: parameters.text_or("key", ""),
        mode: Mode::of(parameters),
    })))
}

impl Pure for ParseJson {
    fn apply(&self, event: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        let text = match event.record.get(&self.key) {
            None | Some(Value::Null) => return Ok(Flow::Drop),
            Some(Value::Text(text)) => text,
            Some(other) => {
                let found = other.kind_in_words();
                return Err(format!("{} is {found}, not a text", self.key));
            }
        };
        let Some((value, fields)) = read_strictly(text)? else {
            return Ok(Flow::Drop);
        };
        match (fields, self.mode) {
            (Some(fields), mode) => mode.put(&mut event.record, &self.key, fields),
            (None, Mode::Tree) => event.record.set(self.key.clone(), value),
            (None, _) => {
                let found = value.kind_in_words();
                return Err(format!(
                    "the JSON in {} is {found}, not an object",
                    self.key
                ));
            }
        }
        Ok(Flow::Pass)
    }
}

/// Stands for a NaN while a text is read: a text that nobody has, with a character that Unicode never assigns.
const NAN: &str = "\u{fffd}NaN\u{fffd}\u{fffe}";

/// What was read: a value, or the fields of an object.
type Read = (Value, Option<Record>);

/// The value of a text, or the fields when it is an object.
pub fn read(text: &str) -> Option<Read> {
    read_strictly(text).ok().flatten()
}

/// The same; nothing when it is no JSON. Errors: it is, but takes too long.
fn read_strictly(text: &str) -> Result<Option<Read>, String> {
    let mut build = Fields::default();
    let read = parse(text, DEPTH, After::Blanks, &mut build);
    let value = match read {
        Ok((value, _)) => value,
        Err(_) if text.contains("NaN") || text.contains("Infinity") => {
            build = Fields {
                lax: true,
                ..Fields::default()
            };
            let strict = lax(text);
            match parse(&strict, DEPTH, After::Blanks, &mut build) {
                Ok((value, _)) => value,
                Err(_) => return Ok(None),
            }
        }
        Err(_) => return Ok(None),
    };
    match build.long {
        Some(digits) => Err(format!("a number has {digits} digits, more than {DIGITS}")),
        None => Ok(Some((value, build.root))),
    }
}

/// JSON with Python's `NaN`, `Infinity` and `-Infinity` as strict JSON that [`Fields`] reads back.
fn lax(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut quoted = false;
    while let Some(at) = rest.find(['"', '\\', 'N', 'I']) {
        let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(head);
        let escaped = quoted && tail.starts_with('\\');
        let taken = if !quoted && tail.starts_with("NaN") {
            out.push('"');
            out.push_str(NAN);
            out.push('"');
            3
        } else if !quoted && tail.starts_with("Infinity") {
            out.push_str("1e999");
            8
        } else {
            quoted ^= tail.starts_with('"');
            let length: usize = tail
                .chars()
                .take(if escaped { 2 } else { 1 })
                .map(char::len_utf8)
                .sum();
            out.push_str(tail.get(..length).unwrap_or_default());
            length
        };
        rest = tail.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Builds values, and keeps the fields of the outermost object.
#[derive(Default)]
struct Fields {
    depth: usize,
    root: Option<Record>,
    lax: bool,
    /// How many digits a number has that has too many.
    long: Option<usize>,
}

impl Builder for Fields {
    type Value = Value;
    type List = Vec<Value>;
    type Map = Record;

    fn null(&mut self) -> Value {
        Value::Null
    }

    fn boolean(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn int(&mut self, value: i32) -> Value {
        Value::Int(value)
    }

    fn long(&mut self, value: i64) -> Value {
        Value::Long(value)
    }

    fn big(&mut self, digits: &str) -> Value {
        if digits.len() > DIGITS {
            self.long = Some(digits.len());
            return Value::Null;
        }
        number_value(digits)
    }

    fn double(&mut self, value: f64) -> Value {
        Value::Double(value)
    }

    fn string(&mut self, text: Cow<'_, str>) -> Value {
        if self.lax && text == NAN {
            return Value::Double(f64::NAN);
        }
        Value::Text(SmolStr::new(text))
    }

    fn list(&mut self) -> Vec<Value> {
        self.depth += 1;
        Vec::new()
    }

    fn push(&mut self, list: &mut Vec<Value>, value: Value) {
        list.push(value);
    }

    fn end_list(&mut self, list: Vec<Value>) -> Value {
        self.depth -= 1;
        Value::List(List::array(list))
    }

    fn map(&mut self) -> Record {
        self.depth += 1;
        Record::with_capacity(8)
    }

    fn insert(&mut self, map: &mut Record, key: Cow<'_, str>, value: Value) {
        map.set(key, value);
    }

    fn end_map(&mut self, map: Record) -> Value {
        self.depth -= 1;
        if self.depth == 0 {
            self.root = Some(map);
            return Value::Null;
        }
        Value::Map(Map::new(MapKind::Ordered, map.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::python::write_record;

    fn repr(text: &str) -> String {
        let Some((_, Some(fields))) = read(text) else {
            return "no object".to_owned();
        };
        let mut out = String::new();
        write_record(&fields, &mut out);
        out
    }

    #[test]
    fn reads_what_python_reads() {
        for (text, expected) in [
            (r#"{"a": {"b": [1, {}]}, "a": 2}"#, "{'a': 2}"),
            (
                r#" {"n": NaN, "i": [Infinity, -Infinity], "t": "NaN \" Infinity"} "#,
                "{'n': nan, 'i': [inf, -inf], 't': 'NaN \" Infinity'}",
            ),
            (
                r#"{"big": 123456789012345678901234567890, "e": 1e3}"#,
                "{'big': 123456789012345678901234567890, 'e': 1000.0}",
            ),
            ("[1]", "no object"),
            ("{} x", "no object"),
            ("{'a': 1}", "no object"),
        ] {
            assert_eq!(repr(text), expected, "{text}");
        }
        let long = |digits: usize| read_strictly(&format!("[{}]", "7".repeat(digits)));
        assert!(matches!(long(4300), Ok(Some(_))));
        assert!(long(3_000_000).is_err());
    }
}
