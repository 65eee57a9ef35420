//! The choices among readings that a rule or a caller may make.

use super::bad;
use crate::diagnostic::{Outcome, nearest};
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::rule::grouper::{Scope, When};
use crate::rule::lua::{Escapes, Module, Options, textual};
use serde_json::Value as Json;
use std::time::Duration;

/// What there is to choose, and what each may be.
const CHOICES: [(&str, &str); 7] = [
    ("when", "feed or batch"),
    ("clear", "group or all"),
    ("escapes", "repair or drop"),
    ("time_ms", "a number above 0"),
    ("memory_mb", "a number above 0"),
    ("metrics", "true or false"),
    ("modules", "a map of names to texts"),
];

/// Options with the choices of a map: `when` (`feed`, `batch`), `clear` (`group`, `all`), `escapes` (`repair`, `drop`),
/// `time_ms`, `memory_mb`, `metrics`, `modules` (a map of names to texts). Errors: E0413.
pub fn choose(mut options: Options, choices: &Value) -> Outcome<Options> {
    let map = match choices {
        Value::Null => return Ok(options),
        Value::Map(map) => map,
        _ => return Err(bad("options: must be a map")),
    };
    for (key, value) in map.entries() {
        let key = textual(&key);
        if !set(&mut options, &key, &value) {
            return Err(bad(format!("options.{key}: {}", expected(&key))));
        }
    }
    Ok(options)
}

/// What is wrong with the choices in the settings of a rule: the name of each, and why.
pub fn wrong_choices(choices: &Json) -> Vec<(String, String)> {
    let map = match choices {
        Json::Null => return Vec::new(),
        Json::Object(map) => map,
        _ => return vec![(String::new(), "must be an object".to_owned())],
    };
    let mut options = Options::default();
    let wrong = map.iter().filter(|(key, value)| {
        let value = crate::eval::json::from_json(value, DEEPEST);
        !value.is_ok_and(|value| set(&mut options, key, &value))
    });
    let wrong = wrong.map(|(key, _)| (key.clone(), expected(key)));
    wrong.collect()
}

/// How deep a choice may nest.
const DEEPEST: usize = 128;

/// What a choice may be.
fn expected(key: &str) -> String {
    if let Some((_, what)) = CHOICES.iter().find(|(name, _)| *name == key) {
        return format!("must be {what}");
    }
    let names = CHOICES.map(|(name, _)| name);
    match nearest(key, names) {
        Some(near) => format!("there is no such option; did you mean {near}?"),
        None => format!("there is no such option; there are {}", names.join(", ")),
    }
}

/// Makes one choice; false when it means nothing.
fn set(options: &mut Options, key: &str, value: &Value) -> bool {
    let number = value.as_double().filter(|n| n.is_finite() && *n > 0.0);
    match (key, value.as_text(), number) {
        ("when", Some("feed"), _) => options.when = When::EveryFeed,
        ("when", Some("batch"), _) => options.when = When::AfterBatch,
        ("clear", Some("group"), _) => options.clear = Scope::Group,
        ("clear", Some("all"), _) => options.clear = Scope::All,
        ("escapes", Some("repair"), _) => options.escapes = Escapes::Repair,
        ("escapes", Some("drop"), _) => options.escapes = Escapes::Drop,
        ("time_ms", _, Some(n)) => {
            options.limits.time = Duration::from_secs_f64((n / 1000.0).min(60.0));
        }
        ("memory_mb", _, Some(n)) => options.limits = options.limits.of_rule_memory(n as usize),
        ("metrics", ..) => match value {
            Value::Bool(metrics) => options.metrics = *metrics,
            _ => return false,
        },
        ("modules", ..) => match value {
            Value::Map(modules) => options.modules.extend(named(modules)),
            _ => return false,
        },
        _ => return false,
    }
    true
}

/// Modules by their names.
fn named(modules: &Map) -> Vec<Module> {
    let modules = modules.entries().into_iter();
    let modules = modules.map(|(name, text)| Module {
        name: textual(&name),
        text: textual(&text).to_string(),
    });
    modules.collect()
}
