//! Where something went wrong: a line of the rule, or of one of its modules.

use super::Module;
use crate::diagnostic::{Source, Span};

/// A line of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of the modules, from 0; none for the rule itself.
    pub module: Option<usize>,
    /// The line, from 1.
    pub line: u32,
}

/// What the text of the rule is called in Lua.
const RULE: &str = "rule";
/// What the texts of modules are called there, with a number behind.
const MODULE: &str = "module ";

/// What a text is called in Lua.
pub(super) fn chunk(module: Option<usize>) -> String {
    match module {
        None => format!("={RULE}"),
        Some(number) => format!("={MODULE}{number}"),
    }
}

impl Place {
    /// A line of the text with this name; none when it is neither the rule's nor a module's.
    pub fn of(chunk: &str, line: u32) -> Option<Place> {
        let module = match chunk.strip_prefix('=').unwrap_or(chunk) {
            RULE => None,
            other => Some(other.strip_prefix(MODULE)?.parse().ok()?),
        };
        Some(Place { module, line })
    }

    /// The line of the rule, if it is one, and what is said; of a module the words have its name and line.
    pub fn told(self, text: String, modules: &[Module]) -> (Option<u32>, String) {
        let Some(module) = self.module else {
            return (Some(self.line), text);
        };
        let name = modules
            .get(module)
            .map_or("", |module| module.name.as_str());
        (None, format!("module {name}, line {}: {text}", self.line))
    }
}

/// The place and the words of an error.
pub(super) fn told(error: &mlua::Error) -> (Option<Place>, String) {
    match error {
        mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => {
            let first = text.split("\nstack traceback:").next().unwrap_or(text);
            let (place, message) = placed(first);
            (
                place.or_else(|| first_place(text)),
                message.trim().to_string(),
            )
        }
        mlua::Error::CallbackError { traceback, cause } => {
            let (place, message) = told(cause);
            (place.or_else(|| first_place(traceback)), message)
        }
        mlua::Error::BadArgument { cause, .. } => told(cause),
        mlua::Error::WithContext { cause, .. } => told(cause),
        other => (None, other.to_string()),
    }
}

/// `rule:12: text` in its parts.
fn placed(text: &str) -> (Option<Place>, &str) {
    let mut parts = text.splitn(3, ':');
    let (chunk, line, rest) = (parts.next(), parts.next(), parts.next());
    let line = line.and_then(|line| line.parse().ok());
    let place = chunk
        .zip(line)
        .and_then(|(chunk, line)| Place::of(chunk, line));
    match (place, rest) {
        (Some(place), Some(rest)) => (Some(place), rest),
        _ => (None, text),
    }
}

/// The first line of the rule or of a module that a traceback names.
fn first_place(traceback: &str) -> Option<Place> {
    traceback.lines().find_map(|line| {
        let (chunk, rest) = line.trim().split_once(':')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        Place::of(chunk, rest.get(..digits)?.parse().ok()?)
    })
}

/// The place of a line without the blanks around it.
pub(super) fn line_span(text: &Source, number: u32) -> Option<Span> {
    let number = usize::try_from(number).ok()?.checked_sub(1)?;
    let mut start = 0;
    for line in text.text.split_inclusive('\n').take(number) {
        start += line.len();
    }
    let line = text.text.get(start..)?.lines().next()?;
    let blank = line.len() - line.trim_start().len();
    Some(Span::new(
        start + blank,
        start + line.trim_end().len().max(blank),
    ))
}
