//! RULE_LOAD and RULES.

use super::given::{Text, about, text};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::List;
use crate::eval::{Call, Notes, Value, json};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, default, example, fails, optional, required,
};
use crate::rule::bundle::{self, Given, summary};
use crate::rule::check;
use crate::rule::lua::Options;
use crate::rule::store::{Rules, Search};
use crate::store::Within;
use serde_json::Value as Json;
use std::sync::Arc;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[RULE_LOAD, RULES];

const UNREACHABLE: &str = "the store of rules cannot be used";

const RULE_LOAD: FunctionSpec = FunctionSpec {
    name: "RULE_LOAD",
    guarded: true,
    family: Family::Rules,
    summary: "Stores a correlation rule, so that RULE_EVAL, servers and pipelines know it by its name.",
    details: "What is missing is usual: not active, without filters, no settings. Fields are those of the API (name, description, active, \
        settings, test_data and so on), with filters (a list of Stellar expressions), modules (a map of names to Lua), and replace: true, \
        which changes a rule that has this name already; what is not given stays. The rule is loaded once before it is stored.",
    parameters: &[
        required(
            "rule",
            Kind::Any,
            "the text of the rule, a file (.lua, .json), or a map in the shape of the API",
        ),
        default(
            "fields",
            Kind::Map,
            "fields that count before those of the rule",
            "null",
        ),
    ],
    returns: "the identifier of the rule",
    errors: &[
        "the rule, a filter or a module cannot be loaded",
        "a field is wrong, or the rule has no name",
        "the name is taken, and replace does not say true",
        "it is a rule of the system",
        UNREACHABLE,
    ],
    examples: &[
        example(
            "RULE_LOAD('function on_logline(e) alert{template = \"seen\"} end', {'id': 'r-1', 'name': 'seen', 'replace': true})",
            "r-1",
        ),
        example(
            "RULE_LOAD({'id': 'r-2', 'name': 'quiet', 'lua': 'function on_logline(e) end'}, {'replace': true, 'filters': ['severity > 3']})",
            "r-2",
        ),
        fails("RULE_LOAD('function on_logline(e) end')", "E0413"),
        fails("RULE_LOAD({'name': 'broken', 'lua': 'x = = 1'})", "E0101"),
        fails("RULE_LOAD({'name': 'typed', 'active': 'yes'})", "E0413"),
        fails("RULE_LOAD(7)", "E0203"),
    ],
    see: &["RULES", "RULE_EVAL", "RULE_TEST"],
    words: &["correlation", "save", "create", "add", "deploy", "LogMule"],
    pure: false,
    strict: true,
    run: load,
    ..SPEC
};

const RULES: FunctionSpec = FunctionSpec {
    name: "RULES",
    family: Family::Rules,
    summary: "Lists the correlation rules of the store.",
    details: "",
    parameters: &[optional(
        "text",
        Kind::Text,
        "a part of the name, the description or the identifier, in any case; all rules when it is missing",
    )],
    returns: "a list of maps with id, name, active, retro, system, alerts, errors, errors_since_start, filters, modules, finding, started, \
        updated, description; in the order in which the rules were stored",
    errors: &[UNREACHABLE],
    examples: &[
        example("RULES('no rule has this name')", "[]"),
        example("MAP(RULES('nor this'), r -> MAP_GET('name', r))", "[]"),
        fails("RULES(7)", "E0203"),
    ],
    see: &["RULE_LOAD", "RULE_EVAL"],
    words: &["correlation", "list", "detections", "LogMule"],
    pure: false,
    strict: true,
    run: list,
    ..SPEC
};

/// The store of rules. Errors: E0217.
fn rules(call: &Call<'_, '_>) -> Outcome<Arc<Rules>> {
    let rules = call.context().services.get::<Rules>();
    rules.ok_or_else(|| Diagnostic::new(Code::NotAvailable, "there is no store of rules"))
}

/// What the second argument says: fields, filters, modules, and whether to replace.
fn fields(call: &Call<'_, '_>) -> Outcome<(Given, bool)> {
    let mut given = Given::default();
    let fields = match call.arg(1) {
        Value::Null => return Ok((given, false)),
        Value::Map(map) => json::to_json(&Value::Map(map.clone()))?,
        _ => return Err(call.wrong_type(1, "a map")),
    };
    let Json::Object(mut fields) = fields else {
        return Ok((given, false));
    };
    let replace = match fields.remove("replace") {
        None | Some(Json::Null) => false,
        Some(Json::Bool(replace)) => replace,
        Some(_) => return Err(call.wrong_value(1, "replace must be true or false")),
    };
    let texts = |value: &Json| value.as_str().map(str::to_string);
    match fields.remove("filters") {
        None | Some(Json::Null) => {}
        Some(Json::Array(all)) if all.iter().all(Json::is_string) => {
            given.filters = all.iter().filter_map(texts).collect();
        }
        Some(_) => return Err(call.wrong_value(1, "filters must be a list of expressions")),
    }
    match fields.remove("modules") {
        None | Some(Json::Null) => {}
        Some(Json::Object(all)) if all.values().all(Json::is_string) => {
            let all = all.iter();
            given.modules = all
                .filter_map(|(name, lua)| Some((name.clone(), texts(lua)?)))
                .collect();
        }
        Some(_) => return Err(call.wrong_value(1, "modules must be a map of names to texts")),
    }
    given.fields = fields;
    Ok((given, replace))
}

fn load(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let rules = rules(call)?;
    let (mut given, replace) = fields(call)?;
    let text = match call.arg(0) {
        Value::Text(lua) => match text(call, lua.as_str()) {
            Ok(Text::File(text, stem)) => {
                given.name = stem;
                text
            }
            Ok(Text::Stored(rule)) => {
                let message = format!("{}: {} is in the store already", call.name, rule.name);
                return Err(Diagnostic::new(Code::BadRule, message));
            }
            Ok(Text::Lua) => lua.to_string(),
            Err(fault) => return Err(fault),
        },
        Value::Map(map) => json::to_json(&Value::Map(map.clone()))?.to_string(),
        _ => return Err(call.wrong_type(0, "the text of a rule, a file, or a map")),
    };
    let context = call.context();
    let read = bundle::read(&text, &given, context).map_err(|fault| about(call, fault))?;
    let [one] = read.as_slice() else {
        return Err(call.wrong_value(0, "there must be one rule"));
    };
    let clock = context.clock.clone();
    let options = Options {
        now: Arc::new(move || clock.now()),
        ..Options::default()
    };
    check::load(one, options, context)?;
    // Who may do that is asked where somebody is known: by the API and at the command line.
    let known = rules.rule_named(&one.rule.name, Within::call(call))?;
    if one.rule.is_system || known.is_some_and(|known| known.is_system) {
        let message = format!("{}: {} is a rule of the system", call.name, one.rule.name);
        return Err(Diagnostic::new(Code::BadRule, message)
            .help("stellar rule add and the API, with the right admin, change those"));
    }
    if let Some(notes) = context.services.get::<Notes>() {
        one.notes.iter().for_each(|note| notes.say(note.clone()));
    }
    match one.store(&rules, replace, context)? {
        Ok(stored) => Ok(Value::text(&stored.rule().id)),
        Err(refusal) => {
            let message = format!("{}: {}: {refusal}", call.name, one.rule.name);
            Err(Diagnostic::new(Code::BadRule, message))
        }
    }
}

fn list(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let text = match call.arg(0) {
        Value::Null => String::new(),
        Value::Text(text) => text.to_string(),
        _ => return Err(call.wrong_type(0, "a text")),
    };
    let rules = rules(call)?;
    let search = Search {
        text,
        ..Search::default()
    };
    let within = Within::call(call);
    let page = rules.rules(&search, within)?;
    let mut all = Vec::with_capacity(page.items.len());
    for rule in &page.items {
        call.step()?;
        let depth = call.context().limits.depth;
        all.push(json::from_json(&summary(&rules, rule, within)?, depth)?);
    }
    Ok(Value::List(List::array(all)))
}
