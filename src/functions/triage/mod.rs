//! Scores of alerts by rules.

mod config;
mod engine;
#[cfg(test)]
mod tests;

use super::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, required,
};
use super::tables::draw_within;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{Entries, List, Map};
use crate::eval::json::{bad_json, read, to_json};
use crate::eval::text::{check_length, to_text};
use crate::eval::{Call, Value};
use config::{Aggregator, Rule, TriageConfig};
use engine::{Ready, Triage};
use smol_str::SmolStr;
use std::sync::Arc;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[INIT, SCORE, CONFIG, ADD, REMOVE, SET_AGGREGATOR, PRINT];

const CHANGED: Parameter = required(
    "config",
    Kind::Any,
    "the configuration as JSON text, or an engine of THREAT_TRIAGE_INIT, which is changed",
);
const ENGINE: Parameter = required(
    "engine",
    Kind::Object("ThreatTriage"),
    "an engine of THREAT_TRIAGE_INIT",
);
const NO_CONFIG: &str =
    "the configuration is no JSON object, or holds a key, a rule or an aggregator that cannot be";
const NO_PARSE: &str = "the condition, the score or the reason of a rule does not parse";
const NEW_CONFIG: &str = "the changed configuration as JSON text";

const INIT: FunctionSpec = FunctionSpec {
    name: "THREAT_TRIAGE_INIT",
    family: Family::Triage,
    summary: "Makes a threat triage engine, which scores messages by rules.",
    details: "The configuration is that of a sensor's enrichment in Metron: the rules stand in threatIntel, triageConfig, \
        riskLevelRules. A rule has a condition (rule) and a score, both expressions over the fields of the message, and may have \
        a name, a comment and a reason, the latter an expression too. The expressions are compiled once.",
    parameters: &[optional(
        "config",
        Kind::Text,
        "the configuration as JSON text; an empty one unless given",
    )],
    returns: "an engine",
    errors: &["the argument is no string", NO_CONFIG, NO_PARSE],
    examples: &[
        example(
            "THREAT_TRIAGE_INIT()",
            "ThreatTriage{rules=0, aggregator=MAX}",
        ),
        example(
            "THREAT_TRIAGE_INIT(THREAT_TRIAGE_ADD('{}', {'rule': 'port == 22', 'score': 10}))",
            "ThreatTriage{rules=1, aggregator=MAX}",
        ),
        fails("THREAT_TRIAGE_INIT('rules')", "E0216"),
    ],
    see: &["THREAT_TRIAGE_SCORE", "THREAT_TRIAGE_ADD"],
    words: &["alert", "risk", "rules", "priority"],
    pure: false,
    run: |call| {
        let config = match call.arg(0) {
            Value::Text(text) => config_of(call, text)?,
            _ if call.count() == 0 => TriageConfig::default(),
            _ => return Err(call.wrong_type(0, "the configuration as JSON text")),
        };
        let ready = Ready::new(config, call.context())?;
        Ok(Value::Object(Arc::new(Triage::new(ready))))
    },
    ..SPEC
};

const SCORE: FunctionSpec = FunctionSpec {
    name: "THREAT_TRIAGE_SCORE",
    family: Family::Triage,
    summary: "Scores a message by the rules of an engine.",
    details: "Whole numbers of a JSON text are longs for the rules, as in Metron. MAX is at least 0; a negative score makes the whole \
        -Infinity, unless the configuration of the aggregator says {\"negativeValuesTrump\": false}. An empty condition is always met.",
    parameters: &[
        required(
            "message",
            Kind::Any,
            "the message, a JSON object as text or a map such as _",
        ),
        ENGINE,
    ],
    returns: "a map with the score (a double), the rules that were met (a list of maps with name, rule, score, reason and comment, \
        where there are these) and the name of the aggregator",
    errors: &[
        "the message is neither a JSON object nor a map",
        "the second argument is no engine",
        "a condition gives neither true nor false, a score no number",
        "an expression of a rule fails; the error names the rule",
    ],
    examples: &[
        example(
            "MAP_GET('score', THREAT_TRIAGE_SCORE('{\"port\": 22}', THREAT_TRIAGE_INIT(THREAT_TRIAGE_ADD('{}', {'rule': 'port == 22', 'score': 10}))))",
            "10.0",
        ),
        example(
            "THREAT_TRIAGE_SCORE({}, THREAT_TRIAGE_INIT())",
            "{score=0.0, rules=[], aggregator=MAX}",
        ),
        fails(
            "THREAT_TRIAGE_SCORE('port 22', THREAT_TRIAGE_INIT())",
            "E0216",
        ),
        fails("THREAT_TRIAGE_SCORE('{}', null)", "E0203"),
    ],
    see: &["THREAT_TRIAGE_INIT", "THREAT_TRIAGE_SET_AGGREGATOR"],
    words: &["alert", "risk", "priority", "evaluate"],
    pure: false,
    run: score,
    ..SPEC
};

const CONFIG: FunctionSpec = FunctionSpec {
    name: "THREAT_TRIAGE_CONFIG",
    family: Family::Triage,
    summary: "Gives the configuration of a threat triage engine.",
    parameters: &[ENGINE],
    returns: "JSON text",
    errors: &["the argument is no engine"],
    examples: &[
        example(
            "MAP_GET('configuration', TO_JSON_MAP(THREAT_TRIAGE_CONFIG(THREAT_TRIAGE_INIT())))",
            "{}",
        ),
        fails("THREAT_TRIAGE_CONFIG(null)", "E0203"),
    ],
    see: &["THREAT_TRIAGE_INIT", "THREAT_TRIAGE_PRINT"],
    words: &["export", "save", "json"],
    pure: false,
    run: |call| {
        let Some(triage) = call.arg(0).as_object::<Triage>() else {
            return Err(call.wrong_type(0, "a threat triage engine"));
        };
        written(call, &triage.ready())
    },
    ..SPEC
};

const ADD: FunctionSpec = FunctionSpec {
    name: "THREAT_TRIAGE_ADD",
    family: Family::Triage,
    summary: "Adds rules to a threat triage configuration or engine.",
    details: "Maps without rule or score are passed over, and so is a rule whose condition is there already.",
    parameters: &[
        CHANGED,
        required(
            "triage_rules",
            Kind::Any,
            "a map with the keys rule and score, and perhaps name, comment and reason; or a list of such maps",
        ),
    ],
    returns: NEW_CONFIG,
    errors: &[
        "the second argument is neither a map nor a list of maps",
        "the score is neither a number nor a string, or another part is no string",
        NO_CONFIG,
        NO_PARSE,
    ],
    examples: &[
        example(
            "THREAT_TRIAGE_PRINT(THREAT_TRIAGE_ADD('{}', {'rule': 'port == 22', 'score': 10}))",
            "╔══════╤═════════╤═════════════╤═══════╤════════╗\n║ Name │ Comment │ Triage Rule │ Score │ Reason ║\n\
             ╠══════╪═════════╪═════════════╪═══════╪════════╣\n║      │         │ port == 22  │ 10    │        ║\n\
             ╚══════╧═════════╧═════════════╧═══════╧════════╝\nAggregation: MAX",
        ),
        example(
            "THREAT_TRIAGE_INIT(THREAT_TRIAGE_ADD('{}', {'rule': 'true'}))",
            "ThreatTriage{rules=0, aggregator=MAX}",
        ),
        fails("THREAT_TRIAGE_ADD('{}', 'port == 22')", "E0203"),
        fails(
            "THREAT_TRIAGE_ADD('{}', {'rule': 'port = 22', 'score': 1})",
            "E0204",
        ),
    ],
    see: &["THREAT_TRIAGE_REMOVE", "THREAT_TRIAGE_PRINT"],
    words: &["rule", "configuration"],
    pure: false,
    run: add,
    ..SPEC
};

const REMOVE: FunctionSpec = FunctionSpec {
    name: "THREAT_TRIAGE_REMOVE",
    family: Family::Triage,
    summary: "Removes rules from a threat triage configuration or engine.",
    parameters: &[
        CHANGED,
        required(
            "rules",
            Kind::List,
            "a list of names or conditions; null removes nothing",
        ),
    ],
    returns: NEW_CONFIG,
    errors: &["the second argument is no list", NO_CONFIG, NO_PARSE],
    examples: &[
        example(
            "THREAT_TRIAGE_INIT(THREAT_TRIAGE_REMOVE(THREAT_TRIAGE_ADD('{}', {'rule': 'true', 'score': 1}), ['true']))",
            "ThreatTriage{rules=0, aggregator=MAX}",
        ),
        fails("THREAT_TRIAGE_REMOVE('{}', 'true')", "E0203"),
    ],
    see: &["THREAT_TRIAGE_ADD"],
    words: &["rule", "delete", "configuration"],
    pure: false,
    run: remove,
    ..SPEC
};

const SET_AGGREGATOR: FunctionSpec = FunctionSpec {
    name: "THREAT_TRIAGE_SET_AGGREGATOR",
    family: Family::Triage,
    summary: "Sets how a threat triage configuration or engine makes one score of many.",
    parameters: &[
        CHANGED,
        required(
            "aggregator",
            Kind::Text,
            "'MIN', 'MAX', 'MEAN', 'SUM' or 'POSITIVE_MEAN'",
        ),
        optional(
            "aggregator_config",
            Kind::Map,
            "a map; {'negativeValuesTrump': false} counts negative scores like others",
        ),
    ],
    returns: NEW_CONFIG,
    errors: &[
        "there is no such aggregator",
        "the third argument is neither a map nor null",
        NO_CONFIG,
        NO_PARSE,
    ],
    examples: &[
        example(
            "THREAT_TRIAGE_INIT(THREAT_TRIAGE_SET_AGGREGATOR('{}', 'SUM'))",
            "ThreatTriage{rules=0, aggregator=SUM}",
        ),
        fails("THREAT_TRIAGE_SET_AGGREGATOR('{}', 'MEDIAN')", "E0204"),
    ],
    see: &["THREAT_TRIAGE_SCORE"],
    words: &["mean", "maximum", "sum", "configuration"],
    pure: false,
    run: set_aggregator,
    ..SPEC
};

const PRINT: FunctionSpec = FunctionSpec {
    name: "THREAT_TRIAGE_PRINT",
    family: Family::Triage,
    summary: "Draws the rules of a threat triage configuration or engine as a table.",
    parameters: &[required(
        "config",
        Kind::Any,
        "the configuration as JSON text, or an engine of THREAT_TRIAGE_INIT",
    )],
    returns: "the table as text, with the aggregator below it when there are rules",
    errors: &[
        "the argument is neither a string nor an engine",
        NO_CONFIG,
        NO_PARSE,
    ],
    examples: &[
        example(
            "THREAT_TRIAGE_PRINT('{}')",
            "╔══════╤═════════╤═════════════╤═══════╤════════╗\n║ Name │ Comment │ Triage Rule │ Score │ Reason ║\n\
             ╠══════╧═════════╧═════════════╧═══════╧════════╣\n║ (empty)                                       ║\n\
             ╚═══════════════════════════════════════════════╝\n",
        ),
        fails("THREAT_TRIAGE_PRINT(null)", "E0203"),
    ],
    see: &["THREAT_TRIAGE_CONFIG", "THREAT_TRIAGE_ADD"],
    words: &["rule", "show", "list"],
    pure: false,
    run: print,
    ..SPEC
};

fn config_of(call: &Call<'_, '_>, text: &str) -> Outcome<TriageConfig> {
    let read = TriageConfig::read(text, call.context().limits.depth);
    read.map_err(|fault| fault.of_argument(0))
}

/// The configuration that the first argument is or has, with its rules compiled.
fn given(call: &Call<'_, '_>) -> Outcome<Arc<Ready>> {
    if let Some(triage) = call.arg(0).as_object::<Triage>() {
        return Ok(triage.ready());
    }
    match call.arg(0) {
        Value::Text(text) => Ready::new(config_of(call, text)?, call.context()).map(Arc::new),
        _ => Err(call.wrong_type(
            0,
            "the configuration as JSON text, or a threat triage engine",
        )),
    }
}

/// Gives the first argument this configuration if it is an engine, and the text in any case.
fn change(call: &Call<'_, '_>, config: TriageConfig) -> Outcome<Value> {
    let ready = Ready::new(config, call.context())?;
    let text = written(call, &ready)?;
    if let Some(triage) = call.arg(0).as_object::<Triage>() {
        triage.replace(ready);
    }
    Ok(text)
}

fn written(call: &Call<'_, '_>, ready: &Ready) -> Outcome<Value> {
    let text = ready.config.write();
    check_length(text.len(), call.context().limits.string)?;
    Ok(Value::string(text))
}

fn score(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let message = match call.arg(0) {
        Value::Map(map) => map.clone(),
        Value::Text(text) => match read(text, call.context().limits.depth) {
            Ok(Value::Map(map)) => long_map(&map),
            Ok(other) => {
                let message = format!(
                    "the message must be a JSON object, not {}",
                    other.kind_in_words()
                );
                return Err(Diagnostic::new(Code::NotJson, message).of_argument(0));
            }
            Err(bad) => {
                let mut fault = bad_json(Code::NotJson, &bad).of_argument(0);
                fault.message = format!("the message is no JSON: {}", fault.message);
                return Err(fault);
            }
        },
        _ => return Err(call.wrong_type(0, "a message as JSON text or as a map")),
    };
    match call.arg(1).as_object::<Triage>() {
        Some(triage) => triage.ready().score(message, call),
        None => Err(call.wrong_type(1, "a threat triage engine")),
    }
}

/// The value with whole numbers as longs: so does the parser that Metron reads messages with.
fn long(value: Value) -> Value {
    match value {
        Value::Int(number) => Value::Long(number.into()),
        Value::List(list) => Value::List(List::array(list.items().into_iter().map(long).collect())),
        Value::Map(map) => Value::Map(long_map(&map)),
        other => other,
    }
}

fn long_map(map: &Map) -> Map {
    let entries: Entries = map
        .entries()
        .into_iter()
        .map(|(key, value)| (key, long(value)))
        .collect();
    Map::new(map.kind(), entries)
}

fn add(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let mut config = given(call)?.config.clone();
    let rules = match call.arg(1) {
        rule @ Value::Map(_) => vec![rule.clone()],
        Value::List(list) => list.items(),
        _ => return Err(call.wrong_type(1, "a rule as a map, or a list of them")),
    };
    for rule in &rules {
        call.step()?;
        match rule {
            Value::Null => {}
            Value::Map(map) => {
                if let Some(rule) = rule_of(call, map)? {
                    config.add(rule);
                }
            }
            other => {
                let message = format!("a rule must be a map, not {}", other.kind_in_words());
                return Err(call.wrong_value(1, message));
            }
        }
    }
    change(call, config)
}

/// The rule that a map describes; `None` when it lacks what a rule needs.
fn rule_of(call: &Call<'_, '_>, map: &Map) -> Outcome<Option<Rule>> {
    let (Some(rule), Some(score)) = (map.get_text("rule"), map.get_text("score")) else {
        return Ok(None);
    };
    let string = |key: &str, value: Value| match value {
        Value::Text(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        other => {
            let message = format!(
                "the {key} of a rule must be a string, not {}",
                other.kind_in_words()
            );
            Err(call.wrong_value(1, message))
        }
    };
    let text = |key: &str| string(key, map.get_text(key).unwrap_or_default());
    let score: SmolStr = match score {
        number if number.is_number() => to_text(&number),
        Value::Text(text) => text,
        other => {
            let found = other.kind_in_words();
            let message =
                format!("the score of a rule must be a number or an expression, not {found}");
            return Err(call.wrong_value(1, message));
        }
    };
    let Some(rule) = string("rule", rule)? else {
        return Err(call.wrong_value(1, "a rule needs both a rule and a score"));
    };
    Ok(Some(Rule {
        name: text("name")?,
        comment: text("comment")?,
        rule,
        score,
        reason: text("reason")?,
    }))
}

fn remove(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let mut config = given(call)?.config.clone();
    let gone = match call.arg(1) {
        Value::Null => Vec::new(),
        Value::List(list) => list.items(),
        _ => return Err(call.wrong_type(1, "a list of names or conditions")),
    };
    let gone: std::collections::HashSet<&str> = gone.iter().filter_map(Value::as_text).collect();
    let meant = |rule: &Rule| {
        gone.contains(rule.rule.as_str())
            || rule
                .name
                .as_ref()
                .is_some_and(|name| gone.contains(name.as_str()))
    };
    config.rules.retain(|rule| !meant(rule));
    change(call, config)
}

fn set_aggregator(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let mut config = given(call)?.config.clone();
    let Some(name) = call.arg(1).as_text() else {
        return Err(call.wrong_type(1, "the name of an aggregator"));
    };
    config.aggregator = Aggregator::named(name).map_err(|fault| fault.of_argument(1))?;
    if call.count() > 2 {
        config.aggregation = match call.arg(2) {
            Value::Null => serde_json::Map::new(),
            map @ Value::Map(_) => match to_json(map)? {
                serde_json::Value::Object(members) => members,
                _ => serde_json::Map::new(),
            },
            _ => return Err(call.wrong_type(2, "a map")),
        };
    }
    change(call, config)
}

fn print(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let ready = given(call)?;
    let text = |text: &Option<SmolStr>| text.as_ref().map(ToString::to_string).unwrap_or_default();
    let row = |rule: &Rule| {
        vec![
            text(&rule.name),
            text(&rule.comment),
            rule.rule.to_string(),
            rule.score.to_string(),
            text(&rule.reason),
        ]
    };
    let rows: Vec<Vec<String>> = ready.config.rules.iter().map(row).collect();
    let columns = ["Name", "Comment", "Triage Rule", "Score", "Reason"];
    let mut table = draw_within(&columns, &rows, call.context().limits.string)?;
    if !rows.is_empty() {
        table.push_str("Aggregation: ");
        table.push_str(ready.config.aggregator.name());
    }
    Ok(Value::string(table))
}
