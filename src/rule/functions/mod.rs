//! RULE_EVAL and RULE_TEST; RULE_LOAD and RULES beside them.

mod given;
mod store;

pub use store::FUNCTIONS as STORED;

use super::alert::Alert;
use super::trial::{Trial, choose, events_of, filtered};
use crate::diagnostic::Outcome;
use crate::eval::collections::List;
use crate::eval::{Call, Notes, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use given::{RULE, about, ready};

/// The functions of this room.
pub const FUNCTIONS: &[FunctionSpec] = &[RULE_EVAL, RULE_TEST];

const OPTIONS: &str = "a map of choices: when (feed, batch), clear (group, all), escapes (repair, drop), time_ms, \
    memory_mb, modules (names to texts)";

const RULE_EVAL: FunctionSpec = FunctionSpec {
    name: "RULE_EVAL",
    family: Family::Rules,
    summary: "Runs a correlation rule in Lua over events and returns what it raises.",
    details: "A text with a line feed is Lua. Another one is the rule of the store that has it as its name or identifier; else Lua, when it \
        reads as Lua; else a file, when it ends in .lua or .json, which must lie below a folder that functions.files allows. A rule of the \
        store comes with its filters, modules and table lists, a file with what it holds. The rule begins with empty groups at each call, and \
        what it writes to table lists stays with the call. What fails in it is counted and said, and does not end the function; a rule that \
        cannot be loaded does.",
    parameters: &[
        required("rule", Kind::Any, RULE),
        required(
            "events",
            Kind::Any,
            "an event as a map, or a list of events in order",
        ),
        default("options", Kind::Map, OPTIONS, "null"),
    ],
    returns: "the list of alerts as maps",
    errors: &[
        "no rule has this name, or the rule cannot be loaded",
        "functions.files does not allow the file",
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
        fails("RULE_EVAL('no such rule', {})", "E0413"),
        fails("RULE_EVAL('/etc/rule.lua', {})", "E0217"),
    ],
    see: &["RULE_TEST", "RULE_LOAD", "RULES"],
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
    details: "The report is a map: events, filtered (by which filter), alerts, logs, errors, warnings, calls, groups, changes (what a group \
        became, event by event), left (the groups at the end), suspended. Changes are told of trials with at most 1000 events.",
    parameters: &[
        required("rule", Kind::Any, RULE),
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
    see: &["RULE_EVAL", "RULE_LOAD"],
    words: &["correlation", "try", "debug", "Lua"],
    pure: false,
    strict: true,
    run: test,
    ..SPEC
};

fn run(call: &Call<'_, '_>, events: &Value, choices: &Value) -> Outcome<Trial> {
    let (ready, options) = ready(call)?;
    let events = match events {
        Value::Null => ready.written.test_data.clone(),
        events => {
            let wrong = |_| call.wrong_type(1, "an event or a list of events");
            events_of(events).map_err(wrong)?
        }
    };
    let options = choose(options, choices).map_err(|fault| about(call, fault))?;
    let mut running = ready.load(options)?;
    let filters = Some((ready.filters.as_slice(), call.context()));
    filtered(&mut running, &events, filters, || call.step())
}

fn eval(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.arg(1).is_null() {
        return Err(call.wrong_type(1, "an event or a list of events"));
    }
    let done = run(call, call.arg(1), call.arg(2))?;
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
    let done = run(call, &Value::Null, call.arg(1))?;
    Ok(Value::Map(done.to_map()))
}
