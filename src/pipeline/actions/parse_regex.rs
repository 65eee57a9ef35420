//! `parser_regex`

use super::parse_json::{MODE, Mode};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Now, Pure, Step};
use fancy_regex::{Regex, RegexBuilder};
use smol_str::SmolStr;
use std::sync::Arc;

pub const PARSER_REGEX: ActionSpec = ActionSpec {
    name: "parser_regex",
    kind: ActionKind::Parser,
    summary: "Reads a field by a regular expression whose named groups become fields.",
    details: "The expression is Python's and is matched at the start of the field. Events without the field and those that do not match end here; a group that takes no part gives `None`.",
    parameters: &[
        ParameterSpec::required("key", ParameterKind::Text, "the field to read"),
        ParameterSpec::required(
            "regex",
            ParameterKind::Text,
            "the expression, with groups such as `(?P<name>...)`",
        ),
        MODE,
    ],
    examples: &[
        "- name: parser_regex\n  match: my_log\n  key: line\n  regex: '(?P<user>\\w+) from (?P<source>\\S+)'",
    ],
    make,
};

/// How often an expression that must try its ways one after the other may go back.
const STEPS: usize = 1_000_000;

struct ParseRegex {
    key: SmolStr,
    regex: Way,
    names: Vec<(SmolStr, usize)>,
    mode: Mode,
}

/// How an expression is run.
enum Way {
    /// In linear time.
    Linear(regex::Regex),
    /// With looking around or back references.
    Trying(Box<Regex>),
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let text = parameters.text_or("regex", "");
    let (regex, names) = compile(&text).map_err(|error| {
        parameters.fault("regex", format!("this is no regular expression: {error}"))
    })?;
    Ok(Step::Pure(Arc::new(ParseRegex {
        key: parameters.text_or("key", ""),
        regex,
        names,
        mode: Mode::of(parameters),
    })))
}

/// Compiles an expression of Python's that begins where the text does.
fn compile(text: &str) -> Result<(Way, Vec<(SmolStr, usize)>), String> {
    let text = with_end(text);
    let once = |found: (Way, Vec<(SmolStr, usize)>)| match twice(&found.1) {
        Some(name) => Err(format!("two groups have the name {name}")),
        None => Ok(found),
    };
    let mut patterns = vec![format!(r"\A(?:{text})")];
    if text.contains('#') {
        // A comment at the end would take the parenthesis with it.
        patterns.push(format!("\\A(?:{text}\n)"));
    }
    if let Some(regex) = patterns.iter().find_map(|p| regex::Regex::new(p).ok()) {
        let names = named(regex.capture_names());
        return once((Way::Linear(regex), names));
    }
    let mut first = None;
    for pattern in &patterns {
        match RegexBuilder::new(pattern).backtrack_limit(STEPS).build() {
            Ok(regex) => {
                let names = named(regex.capture_names());
                return once((Way::Trying(Box::new(regex)), names));
            }
            Err(error) => first = first.or(Some(error.to_string())),
        }
    }
    // Without what stands around it the places are those of the file.
    let own = Regex::new(&text).err().map(|error| error.to_string());
    Err(own.or(first).unwrap_or_default())
}

/// A name that two groups have, which Python refuses.
fn twice(names: &[(SmolStr, usize)]) -> Option<&SmolStr> {
    let mut seen = std::collections::HashSet::new();
    let mut names = names.iter().map(|(name, _)| name);
    names.find(|name| !seen.insert(*name))
}

/// Python's `\Z` is the very end, which is `\z` here; `\\Z` is a backslash before a Z.
fn with_end(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == '\\' {
            out.extend(chars.next().map(|c| if c == 'Z' { 'z' } else { c }));
        }
    }
    out
}

fn named<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Vec<(SmolStr, usize)> {
    let names = names.enumerate();
    names
        .filter_map(|(number, name)| Some((name?.into(), number)))
        .collect()
}

impl Pure for ParseRegex {
    fn apply(&self, event: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        let text = match event.record.get(&self.key) {
            None => return Ok(Flow::Drop),
            Some(Value::Text(text)) => text,
            Some(other) => {
                let found = other.kind_in_words();
                return Err(format!("{} is {found}, not a text", self.key));
            }
        };
        let mut fields = Record::with_capacity(self.names.len());
        let mut take = |get: &dyn Fn(usize) -> Option<SmolStr>| {
            for (name, number) in &self.names {
                fields.set(name.clone(), get(*number).map_or(Value::Null, Value::Text));
            }
        };
        match &self.regex {
            Way::Linear(regex) => match regex.captures(text) {
                Some(found) => take(&|n| found.get(n).map(|m| m.as_str().into())),
                None => return Ok(Flow::Drop),
            },
            Way::Trying(regex) => match regex.captures(text.as_str()) {
                Ok(Some(found)) => take(&|n| found.get(n).map(|m| m.as_str().into())),
                Ok(None) => return Ok(Flow::Drop),
                Err(error) => return Err(format!("the regular expression: {error}")),
            },
        }
        self.mode.put(&mut event.record, &self.key, fields);
        Ok(Flow::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_keep_their_meaning() {
        assert_eq!(with_end(r"a\Z"), r"a\z");
        assert_eq!(with_end(r"C:\\Zone\\\Z"), r"C:\\Zone\\\z");
        for (pattern, text, matches) in [
            (r"(?P<a>C:\\Zone)", r"C:\Zone", true),
            (r"(?P<a>C:\\Zone)", r"C:\zone", false),
            ("(?x) (?P<a>b) # the end", "b", true),
            ("(?x) (?P<a>b)(?!c) # the end", "b", true),
            ("(?x) (?P<a>b)(?!c) # the end", "bc", false),
            ("(?P<a>#b)", "#b", true),
            (r"b\Z", "b\n", false),
        ] {
            let found = match compile(pattern).ok().unwrap().0 {
                Way::Linear(regex) => regex.is_match(text),
                Way::Trying(regex) => regex.is_match(text).unwrap(),
            };
            assert_eq!(found, matches, "{pattern} on {text:?}");
        }
        assert!(compile("(").is_err());
        assert!(compile("(#").is_err());
        let error = |pattern| compile(pattern).err().unwrap();
        assert!(
            error("(?P<a>[x)").contains("position 9"),
            "{}",
            error("(?P<a>[x)")
        );
        assert!(error("(?P<a>x)|(?P<a>y)(?!z)").contains("name"));
        assert!(error("(?P<a>x)|(?P<a>y)").contains("name"));
    }
}
