//! Rules that come with the program, in `stdlib/rules/`.
//!
//! Each is a file of Lua as anybody would write it: comments that begin with `---` say what it finds, then come its
//! settings, one a line (`local NAME = value -- meaning`), then the rule. Beside it lie events that raise its alerts and
//! events that raise none.

use super::event::Event;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// A rule of the library.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub lua: &'static str,
    /// Events that raise its alerts, as JSON Lines.
    pub alert: &'static str,
    /// Events that raise none, as JSON Lines.
    pub quiet: &'static str,
}

/// A line of a rule that is meant to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The name of the variable.
    pub name: &'static str,
    /// The value as Lua writes it.
    pub value: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! library {
    ($($name:literal),* $(,)?) => {
        /// All of the library, by name.
        pub const LIBRARY: &[Entry] = &[$(Entry {
            name: $name,
            lua: include_str!(concat!("../../stdlib/rules/", $name, ".lua")),
            alert: include_str!(concat!("../../stdlib/rules/", $name, ".alert.jsonl")),
            quiet: include_str!(concat!("../../stdlib/rules/", $name, ".quiet.jsonl")),
        }),*];
    };
}

library! {
    "beaconing",
    "brute-force",
    "data-exfiltration",
    "first-seen",
    "impossible-travel",
    "password-spraying",
    "port-scan",
    "silence",
    "volume-spike",
}

/// The rule of the library with this name. Errors: E0204 with a suggestion.
pub fn find(name: &str) -> Outcome<Entry> {
    let found = LIBRARY.iter().find(|entry| entry.name == name);
    found.copied().ok_or_else(|| {
        let text = format!("the library has no rule {name}");
        let names: Vec<&str> = LIBRARY.iter().map(|entry| entry.name).collect();
        Diagnostic::new(Code::ArgumentValue, text).one_of(name, &names)
    })
}

impl Entry {
    /// The comments at the head of the rule, as Markdown.
    pub fn notes(&self) -> String {
        let lines = self.lua.lines().map_while(|line| line.strip_prefix("---"));
        let mut notes = String::new();
        for line in lines {
            let _ = writeln!(notes, "{}", line.strip_prefix(' ').unwrap_or(line));
        }
        notes
    }

    /// What the rule finds: the first paragraph of its notes, as one line.
    pub fn description(&self) -> String {
        let notes = self.notes();
        let first = notes.split("\n\n").next().unwrap_or_default();
        first.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What is meant to be changed, in order.
    pub fn settings(&self) -> Vec<Setting> {
        let setting = |line: &'static str| {
            let (name, rest) = line.strip_prefix("local ")?.split_once(" = ")?;
            let (value, meaning) = rest.split_once(" -- ")?;
            let capital = |b: u8| b.is_ascii_uppercase() || b == b'_';
            name.bytes().all(capital).then_some(Setting {
                name,
                value: value.trim(),
                meaning: meaning.trim(),
            })
        };
        self.lua.lines().filter_map(setting).collect()
    }

    /// Events that raise its alerts. Errors: a line that is none, which the tests rule out.
    pub fn alerting(&self) -> Outcome<Vec<Event>> {
        events(self.alert)
    }

    /// Events that raise no alerts. Errors: as [`Entry::alerting`].
    pub fn silent(&self) -> Outcome<Vec<Event>> {
        events(self.quiet)
    }

    /// The rule in the shape of the API, not active, with the alerting events as its test data.
    pub fn body(&self) -> Json {
        let events = self.alert.lines().map(serde_json::from_str::<Json>);
        let events: Vec<Json> = events.filter_map(Result::ok).collect();
        json!({
            "name": self.name, "description": self.notes().trim_end(), "lua": self.lua, "test_data": events,
            "settings": {}, "active": false, "reload": true, "finding_id": "", "is_retro": false, "is_system": false,
        })
    }
}

fn events(lines: &str) -> Outcome<Vec<Event>> {
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines.map(|line| Event::read(line.as_bytes())).collect()
}
