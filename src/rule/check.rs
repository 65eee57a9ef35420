//! What is wrong with a rule, as far as that can be told without events.

use super::active::Filter;
use super::bundle::Bundle;
use super::constructor;
use super::lua::{Literal, NoteKind, Options, Purpose, Running, is_mode, is_operator, look};
use super::model::Settings;
use super::{regexp, template};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span, nearest};
use crate::eval::Context;
use serde_json::Value as Json;
use std::sync::Arc;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What will go wrong.
    pub errors: Vec<Fault>,
    /// What is hardly meant: words, with the line of the rule where it is known.
    pub warnings: Vec<(Option<u32>, String)>,
}

/// Functions that a call may have been meant for.
const FUNCTIONS: [&str; 27] = [
    "log",
    "print",
    "alert",
    "set_field_value",
    "get_field_value",
    "get_fields_value",
    "compare",
    "contains",
    "substr",
    "search",
    "require",
    "assert",
    "error",
    "ipairs",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
];

/// Checks a rule: its filters, modules, text, and what its text gives to functions; and what the visual constructor
/// drew. `name` is what its text is called.
pub fn check(bundle: &Bundle, name: &str, options: Options, context: &Context) -> Findings {
    let mut found = Findings::default();
    for filter in &bundle.filters {
        let compiled = Filter::compile(&filter.name, &filter.program, context);
        found.errors.extend(compiled.err());
    }
    for module in &bundle.modules {
        texts(&module.program, &module.name, &options, &mut found);
    }
    let rule = &bundle.rule;
    texts(&rule.lua, name, &options, &mut found);
    // What is wrong with filters was told.
    let mut unfiltered = bundle.clone();
    unfiltered.filters.clear();
    match load(&unfiltered, options.clone(), context) {
        Ok(mut running) => {
            for note in running.notes().0 {
                if note.kind == NoteKind::Warning {
                    found.warnings.push((note.line, note.text));
                }
            }
            unknown(&running, &rule.lua, &options, &mut found);
        }
        Err(fault) => {
            let same = |known: &Fault| known.message == fault.message && known.span == fault.span;
            if !found.errors.iter().any(same) {
                found.errors.push(named(fault, &rule.lua, name));
            }
        }
    }
    if !rule.frontend_data.is_null() {
        drawing(&rule.frontend_data, &rule.settings(), name, &mut found);
    }
    found.warnings.sort_by_key(|(line, _)| *line);
    found
}

/// Loads a rule with empty table lists. Errors: those of its filters, its modules and its text.
pub fn load(bundle: &Bundle, options: Options, context: &Context) -> Outcome<Running> {
    let ready = super::active::Ready::whole(
        bundle.rule.clone(),
        bundle.filters.clone(),
        bundle.modules.clone(),
        bundle.finding.clone(),
        context,
    )?;
    ready.load(options)
}

/// An error of the rule's text with the name of that text.
fn named(mut fault: Fault, text: &str, name: &str) -> Fault {
    if fault
        .source
        .as_ref()
        .is_some_and(|source| source.text == text)
    {
        fault.source = Some(Arc::new(Source::named(name, text)));
    }
    fault
}

/// Checks the texts that functions are given.
fn texts(text: &str, name: &str, options: &Options, found: &mut Findings) {
    // What is no Lua is told when it is loaded.
    let Ok(seen) = look(text, options.escapes) else {
        return;
    };
    let source = Arc::new(Source::named(name, text));
    for literal in &seen.literals {
        if let Some(fault) = wrong(literal) {
            found.errors.push(fault.in_source(&source));
        }
    }
}

/// What is wrong with a text, at its place in the rule.
fn wrong(literal: &Literal) -> Option<Fault> {
    let value = literal.value.as_str();
    let whole = Span::new(0, value.len());
    let at = |code, span: Option<Span>, message: String| {
        Diagnostic::at(code, literal.place(span.unwrap_or(whole)), message)
    };
    let inner = match literal.purpose {
        Purpose::Expression => regexp::compile(value).err()?,
        Purpose::Template => template::Template::parse(value).err()?,
        Purpose::Mode if is_mode(value) => return None,
        Purpose::Mode => {
            let message = format!("the modes are sub, prefix and suffix, not {value:?}");
            return Some(at(Code::BadRule, None, message));
        }
        Purpose::Operator if is_operator(value) => return None,
        Purpose::Operator => {
            let message = format!("compare knows ==, ~=, !=, <, <=, > and >=, not {value:?}");
            return Some(at(Code::BadRule, None, message));
        }
    };
    let mut fault = at(inner.code, inner.span, inner.message.clone());
    fault.help = inner.help.clone();
    Some(fault)
}

/// Functions that nothing makes.
fn unknown(running: &Running, text: &str, options: &Options, found: &mut Findings) {
    let Ok(seen) = look(text, options.escapes) else {
        return;
    };
    let source = Source::named("", text);
    for (name, span) in seen.called {
        if running.defines(&name) {
            continue;
        }
        let mut words = format!("nothing makes the function {name}, which is called here");
        if let Some(near) = nearest(&name, FUNCTIONS) {
            words += &format!("; did you mean {near}?");
        }
        let line = u32::try_from(source.position(span.start).line).ok();
        found.warnings.push((line, words));
    }
}

/// Checks what the visual constructor drew.
fn drawing(data: &Json, settings: &Settings, name: &str, found: &mut Findings) {
    let path = |path: &str| match path {
        "" => format!("{name}: frontend_data"),
        path => format!("{name}: frontend_data.{path}"),
    };
    match constructor::compile(data) {
        Ok(drawn) => found.warnings.extend(
            drawn
                .notes
                .iter()
                .map(|note| (None, format!("{}: {}", path(&note.path), note.reason))),
        ),
        Err(wrong) if settings.is_constructor => {
            found.errors.extend(wrong.iter().map(|one| {
                let message = format!("{}: {}", path(&one.path), one.reason);
                Diagnostic::new(Code::BadRule, message)
            }));
        }
        // Nothing is made of it, and the Lua is what counts.
        Err(wrong) => found.warnings.extend(
            wrong
                .iter()
                .map(|one| (None, format!("{}: {}", path(&one.path), one.reason))),
        ),
    }
}
