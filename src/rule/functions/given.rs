//! The rule that a function is given: a name of the store, a file, Lua, or a map.

use crate::diagnostic::{Fault, Outcome};
use crate::eval::collections::Map;
use crate::eval::{Call, Value, json};
use crate::rule::active::{Ready, find_rule, options};
use crate::rule::bundle::{self, Bundle, Given};
use crate::rule::lua::{Escapes, Options, reads_as_lua};
use crate::rule::model::{Relation, Rule};
use crate::rule::overlay::{Overlay, WRITTEN};
use crate::rule::store::Rules;
use crate::rule::trial::Written;
use crate::store::Within;
use crate::world::read_file;
use std::path::Path;
use std::sync::Arc;

/// What a rule is, for the pages of functions.
pub const RULE: &str = "a rule of the store by its name or identifier, a file (.lua, .json), the text of the rule, or a map in the \
    shape of the API with lua, name and settings";

/// What a text is.
pub enum Text {
    /// A rule of the store.
    Stored(Box<Rule>),
    /// What lies in a file, and its name without the ending.
    File(String, String),
    /// Lua.
    Lua,
}

/// An error with the name of the function.
pub fn about(call: &Call<'_, '_>, mut fault: Fault) -> Fault {
    fault.message = format!("{}: {}", call.name, fault.message);
    fault
}

/// What a text is. Errors: E0413 for a name that no rule has, E0217 for a file that may not be read, E0403.
pub fn text(call: &Call<'_, '_>, text: &str) -> Outcome<Text> {
    if text.trim().is_empty() || text.contains('\n') {
        return Ok(Text::Lua);
    }
    let lua = reads_as_lua(text, Escapes::Repair);
    let rules = call.context().services.get::<Rules>();
    if let Some(rules) = &rules {
        match stored(rules, text, Within::call(call)) {
            Ok(Some(rule)) => return Ok(Text::Stored(Box::new(rule))),
            Ok(None) => {}
            // Lua needs no store.
            Err(_) if lua => {}
            Err(fault) => return Err(fault),
        }
    }
    if lua {
        return Ok(Text::Lua);
    }
    let path = Path::new(text);
    let ending = path.extension().and_then(|ending| ending.to_str());
    if ending.is_some_and(|e| e.eq_ignore_ascii_case("lua") || e.eq_ignore_ascii_case("json")) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(Text::File(read_file(call, 0, text)?, stem.into_owned()));
    }
    let Some(rules) = rules else {
        return Ok(Text::Lua);
    };
    match find_rule(&rules, text, call.context()) {
        Ok(rule) => Ok(Text::Stored(Box::new(rule))),
        Err(fault) => {
            let near = fault
                .help
                .as_ref()
                .is_some_and(|h| h.starts_with("did you mean"));
            match !near && text.contains(['=', '(', '{']) {
                // Its own error says more.
                true => Ok(Text::Lua),
                false => Err(about(call, fault)),
            }
        }
    }
}

fn stored(rules: &Rules, name: &str, within: Within<'_>) -> Outcome<Option<Rule>> {
    match rules.rule_named(name, within)? {
        Some(rule) => Ok(Some(rule)),
        None => rules.rule(name, within),
    }
}

/// The rule in the first argument, and how it is run unless the options say otherwise. Errors: those of the rule.
pub fn ready(call: &Call<'_, '_>) -> Outcome<(Ready, Options)> {
    let clock = call.context().clock.clone();
    let alone = Options {
        now: Arc::new(move || clock.now()),
        ..Options::default()
    };
    let written = |written| (Ready::written(written, Default::default()), alone.clone());
    match call.arg(0) {
        Value::Text(given) => match text(call, given.as_str())? {
            Text::Lua => Ok(written(Written::text("rule", given.as_str()))),
            Text::Stored(rule) => {
                let Some(rules) = call.context().services.get::<Rules>() else {
                    return Ok(written(Written::text("rule", rule.lua)));
                };
                let ready = Ready::of(&rules, *rule, call.context());
                Ok((ready.map_err(|fault| about(call, fault))?, in_store(call)))
            }
            Text::File(text, name) => {
                let given = Given {
                    name,
                    ..Given::default()
                };
                let mut read = bundle::read(&text, &given, call.context())
                    .map_err(|fault| about(call, fault))?;
                match (read.pop(), read.is_empty()) {
                    (Some(bundle), true) => Ok((whole(call, bundle)?, in_store(call))),
                    _ => Err(call.wrong_value(0, "the file must hold one rule")),
                }
            }
        },
        Value::Map(map) if is_whole(map) => {
            let text = json::to_json(&Value::Map(map.clone()))?.to_string();
            let given = Given {
                name: "rule".to_string(),
                ..Given::default()
            };
            let read = bundle::read(&text, &given, call.context());
            match read.map_err(|fault| about(call, fault))?.pop() {
                Some(bundle) => Ok((whole(call, bundle)?, alone)),
                None => Err(call.wrong_type(0, "a rule")),
            }
        }
        Value::Map(map) => {
            let rule = Written::map(map).map_err(|fault| about(call, fault))?;
            Ok(written(rule))
        }
        _ => Err(call.wrong_type(0, "the name of a rule, its text, or a map")),
    }
}

/// Table lists are those of the store; what a rule writes to them stays with the call.
fn in_store(call: &Call<'_, '_>) -> Options {
    let mut options = options(call.context());
    options.tables = Arc::new(Overlay::new(options.tables, WRITTEN));
    options
}

fn whole(call: &Call<'_, '_>, bundle: Bundle) -> Outcome<Ready> {
    let made = Ready::whole(
        bundle.rule,
        bundle.filters,
        bundle.modules,
        bundle.finding,
        call.context(),
    );
    made.map_err(|fault| about(call, fault))
}

/// Whether a map has more than a text and settings: filters, modules, or what the visual constructor drew.
fn is_whole(map: &Map) -> bool {
    let there = |name: &str| map.get_text(name).is_some_and(|value| !value.is_null());
    let mut relations = [Relation::Filters, Relation::Modules].into_iter();
    relations.any(|relation| there(relation.field()))
        || (there("frontend_data") && map.get_text("lua").is_none_or(|lua| lua.is_null()))
}
