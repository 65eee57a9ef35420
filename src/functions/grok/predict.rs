//! Suggestions, as java-grok makes them.

use super::patterns::{common, expand_common};
use super::{Grok, bad, compiled};
use crate::diagnostic::Outcome;
use crate::eval::java::regex::{JavaRegex, RegexLimits, cached};
use crate::eval::text::{check_length, utf16_length};
use crate::eval::{Call, Value};
use std::sync::{Arc, OnceLock};

/// Patterns that are simpler than this fit too much.
const LEAST_COMPLEXITY: usize = 20;

/// The bundled patterns that are tried, in order. Java-grok means to sort them by complexity, but its
/// comparison never says "less", so that they stay in the order of their names.
fn tried() -> Outcome<&'static [(&'static str, Grok)]> {
    static TRIED: OnceLock<Vec<(&'static str, Grok)>> = OnceLock::new();
    if let Some(tried) = TRIED.get() {
        return Ok(tried);
    }
    let mut names: Vec<_> = common()
        .iter()
        .filter(|(_, pattern)| complex(pattern))
        .collect();
    names.sort();
    let mut made = Vec::with_capacity(names.len());
    for (name, _) in names {
        if let Ok(expanded) = expand_common(name) {
            made.push((*name, compiled(&expanded)?));
        }
    }
    Ok(TRIED.get_or_init(|| made))
}

/// Whether a pattern is complex enough, counted as the group that it becomes.
fn complex(pattern: &str) -> bool {
    let group = "(?<name0>)".len() + utf16_length(pattern) + pattern.matches('|').count();
    // A name inside stands for a group of its own, which is long enough.
    pattern.contains("%{") || group >= LEAST_COMPLEXITY
}

fn regex(pattern: &str) -> Outcome<Arc<JavaRegex>> {
    cached(pattern, &RegexLimits::default()).map_err(|error| bad(&error))
}

pub(super) fn predict(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let text = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::Text(text) => text,
        _ => return Err(call.wrong_type(0, "a string")),
    };
    if text.chars().all(char::is_whitespace) {
        return Ok(Value::Text(text.clone()));
    }
    let (edge, named) = (regex(".\\b.")?, regex("%\\{[^}+]\\}")?);
    let find = |regex: &JavaRegex, part: &str| regex.find(part).map_err(|error| bad(&error));
    let longest = call.context().limits.string;
    let mut suggestion = text.to_string();
    for (name, grok) in tried()? {
        call.step()?;
        call.context().check_cancelled()?;
        let groups = grok.regex.find_groups(text).map_err(|error| bad(&error))?;
        let Some(part) = groups.as_ref().and_then(|groups| groups.text(0, text)) else {
            continue;
        };
        // Single words, and what looks like a pattern itself, are left alone.
        if !find(&edge, part)? || find(&named, part)? {
            continue;
        }
        let times = suggestion.matches(part).count();
        check_length(suggestion.len() + times * (name.len() + 3), longest)?;
        suggestion = suggestion.replace(part, &format!("%{{{name}}}"));
    }
    Ok(Value::string(suggestion))
}
