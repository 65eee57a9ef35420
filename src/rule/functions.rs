//! RULE_EVAL and RULE_TEST.

use super::alert::Alert;
use super::lua::Options;
use super::trial::{Trial, Written, choose, events_of, trial};
use crate::diagnostic::{Fault, Outcome};
use crate::eval::collections::List;
use crate::eval::{Call, Notes, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use smol_str::SmolStr;

/// The functions of this room.
pub const FUNCTIONS: &[FunctionSpec] = &[RULE_EVAL, RULE_TEST];

const OPTIONS: &str = "a map of choices: when (feed, batch), clear (group, all), escapes (repair, drop), time_ms, \
    memory_mb, modules (names to texts)";

const RULE_EVAL: FunctionSpec = FunctionSpec {
    name: "RULE_EVAL",
    family: Family::Rules,
    summary: "Runs a correlation rule in Lua over events and returns what it raises.",
    details: "The rule begins with empty groups and empty table lists at each call. What fails in it is counted and said, and \
        does not end the function; a rule that cannot be loaded does.",
    parameters: &[
        required(
            "rule",
            Kind::Any,
            "the text of the rule, or a map in the shape of the API with lua, name and settings",
        ),
        required(
            "events",
            Kind::Any,
            "an event as a map, or a list of events in order",
        ),
        default("options", Kind::Map, OPTIONS, "null"),
    ],
    returns: "the list of alerts as maps",
    errors: &[
        "the rule cannot be loaded",
        "the events are no maps",
        "an option means nothing",
    ],
    examples: &[
        example(
            "MAP(RULE_EVAL('function on_logline(e) if e:gets(\"id\") == \"4688\" then alert({template = \"started\"}) end end', \
             [{'id': 4688}, {'id': '1'}]), a -> MAP_GET('text', a))",
            "[started]",
        ),
        example("RULE_EVAL('function on_logline(e) end', {})", "[]"),
        fails("RULE_EVAL('x = = 1', {})", "E0101"),
        fails("RULE_EVAL('error(1)', {})", "E0413"),
        fails("RULE_EVAL('', 7)", "E0203"),
        fails("RULE_EVAL(7, {})", "E0203"),
    ],
    see: &["RULE_TEST"],
    words: &[
        "correlation",
        "detection",
        "Lua",
        "LogMule",
        "alert",
        "sigma",
    ],
    pure: false,
    strict: true,
    run: eval,
    ..SPEC
};

const RULE_TEST: FunctionSpec = FunctionSpec {
    name: "RULE_TEST",
    family: Family::Rules,
    summary: "Runs a correlation rule over its own test_data and says what it did.",
    details: "The report is a map: events, alerts, logs, errors, warnings, calls, groups, suspended.",
    parameters: &[
        required(
            "rule",
            Kind::Any,
            "a map in the shape of the API with lua and test_data; or the text of the rule, which has no events",
        ),
        default("options", Kind::Map, OPTIONS, "null"),
    ],
    returns: "the report as a map",
    errors: &["the rule cannot be loaded", "an option means nothing"],
    examples: &[
        example(
            "MAP_GET('events', RULE_TEST({'lua': 'function on_logline(e) end', 'test_data': [{}, {}]}))",
            "2",
        ),
        example(
            "MAP(MAP_GET('logs', RULE_TEST('log(\"loaded\")')), note -> MAP_GET('text', note))",
            "[loaded]",
        ),
        fails("RULE_TEST({'name': 'empty'})", "E0413"),
        fails("RULE_TEST('', {'when': 'never'})", "E0413"),
    ],
    see: &["RULE_EVAL"],
    words: &["correlation", "try", "debug", "Lua"],
    pure: false,
    strict: true,
    run: test,
    ..SPEC
};

/// The rule in the first argument.
fn written(call: &Call<'_, '_>) -> Outcome<Written> {
    match call.arg(0) {
        Value::Text(lua) => Ok(Written::text("rule", lua.as_str())),
        Value::Map(map) => Written::map(map).map_err(|fault| about(call, fault)),
        _ => Err(call.wrong_type(0, "the text of a rule or a map")),
    }
}

fn about(call: &Call<'_, '_>, mut fault: Fault) -> Fault {
    fault.message = format!("{}: {}", call.name, fault.message);
    fault
}

fn run(call: &Call<'_, '_>, rule: &Written, events: &Value, choices: &Value) -> Outcome<Trial> {
    let events = match events {
        Value::Null => rule.test_data.clone(),
        events => {
            let wrong = |_| call.wrong_type(1, "an event or a list of events");
            events_of(events).map_err(wrong)?
        }
    };
    let clock = call.context().clock.clone();
    let options = Options {
        name: SmolStr::new_static("rule"),
        now: std::sync::Arc::new(move || clock.now()),
        ..Options::default()
    };
    let options = choose(options, choices).map_err(|fault| about(call, fault))?;
    let mut running = rule.load(options)?;
    trial(&mut running, &events, || call.step())
}

fn eval(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let rule = written(call)?;
    if call.arg(1).is_null() {
        return Err(call.wrong_type(1, "an event or a list of events"));
    }
    let done = run(call, &rule, call.arg(1), call.arg(2))?;
    if let Some(notes) = call.context().services.get::<Notes>() {
        for (_, note) in done.faults() {
            let line = note
                .line
                .map_or_else(String::new, |line| format!(", line {line}"));
            notes.say(format!("{}{line}: {}", note.entry, note.text));
        }
    }
    let alerts = done.alerts.iter().map(|(_, alert)| Alert::to_map(alert));
    Ok(Value::List(List::array(alerts.map(Value::Map).collect())))
}

fn test(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let rule = written(call)?;
    let done = run(call, &rule, &Value::Null, call.arg(1))?;
    Ok(Value::Map(done.to_map()))
}
