//! The pipeline of active rules: inputs, `filter_rule`, sinks.

use super::handing::{INPUT_ALERTS, OUTPUT_ALERTS};
use super::posted::INPUT_POSTED;
use super::source::INPUT_SOURCE;
use crate::config::{RuleConfig, SinkConfig};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, nearest};
use crate::engine::Engine;
use crate::eval::Value;
use crate::pipeline::config::{File, Pipeline, StepPlan, from_source};
use crate::pipeline::{ActionKind, Actions, Event, ParameterKind, Record, Time};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;

/// The name of the pipeline, under which rules keep their groups.
pub const NAME: &str = "serve";

/// The tag of what rules see.
const EVENT: &str = "event";

/// The tag of what they raise.
const ALERT: &str = "alert";

/// What `output_event` makes of an alert unless the sink says otherwise: an IDEA message that says what was raised by
/// which rule about which machine. What is no address stays away, since a message with it would be none.
const IDEA: &str = r#"
    time_key: time
    id: id
    message:
      Category: ["'Anomaly.Behaviour'"]
      Description: rule
      Note: "IS_EMPTY(text) ? null : text"
      ConnCount: "logs_total > 0 ? logs_total : null"
      Target:
        - IP4: ["IS_IP(asset_ip, 'IPV4') ? asset_ip : null"]
          IP6: ["IS_IP(asset_ip, 'IPV6') ? asset_ip : null"]
          Hostname: ["IS_EMPTY(asset_hostname) ? null : asset_hostname", "IS_EMPTY(asset_fqdn) ? null : asset_fqdn"]
          MAC: ["REGEXP_MATCH(asset_mac, '^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$') ? asset_mac : null"]
      Ref: "MAP(FILTER(mitre, t -> REGEXP_MATCH(t, '^T[0-9]{4}([.][0-9]{3})?$')), t -> JOIN(['https://attack.mitre.org/techniques', REGEXP_REPLACE(t, '[.]', '/')], '/'))"
      Node: [{Name: "'org.stellar.rule'", Type: ["'Correlation'"]}]
      _CESNET:
        EventClass: rule
        EventSeverity: "risk_level < 4 ? 'low' : (risk_level < 7 ? 'medium' : (risk_level < 9 ? 'high' : 'critical'))"
"#;

/// Where the events of the pipeline come from.
pub enum From<'a> {
    /// Sources that are followed, from a time on, and what clients post.
    Live(&'a [String], i64),
    /// A source, from one time to another.
    Past(&'a str, i64, i64),
}

/// The steps of one source of YAML.
fn steps(name: &str, text: String) -> Outcome<Vec<StepPlan>> {
    let mut actions: Vec<_> = Engine::actions().iter().collect();
    actions.extend([&INPUT_POSTED, &INPUT_SOURCE, &INPUT_ALERTS, &OUTPUT_ALERTS]);
    let source = Arc::new(Source::named(name, text));
    let file = from_source(&source, &Actions::new(&[&actions])).map_err(first)?;
    let pipelines = file.pipelines.into_iter();
    Ok(pipelines.flat_map(|pipeline| pipeline.steps).collect())
}

/// The first of some faults.
pub fn first(faults: Vec<Fault>) -> Fault {
    let fault = faults.into_iter().next();
    fault.unwrap_or_else(|| Diagnostic::new(Code::Internal, "no fault is told"))
}

/// One step as a file of pipelines. JSON is YAML, too; a blank behind a colon makes sure of that.
fn text<'p>(action: &str, parameters: impl Iterator<Item = (&'p str, Json)>, more: &str) -> String {
    let mut text = format!("pipelines:\n {NAME}:\n  - name: {}", json!(action));
    for (name, value) in parameters {
        text.push_str(&format!("\n    {}: {}", json!(name), spaced(&value)));
    }
    text.push_str(more);
    // No variables: braces are those of the values.
    text.push_str("\nvariables:\n");
    text
}

/// JSON with a blank behind each colon.
fn spaced(value: &Json) -> String {
    match value {
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(entries) => {
            let entry =
                |(name, value): (&String, &Json)| format!("{}: {}", json!(name), spaced(value));
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn made(action: &str, parameters: &[(&str, Json)]) -> Outcome<Vec<StepPlan>> {
    let parameters = parameters.iter();
    let parameters = parameters.map(|(name, value)| (*name, value.clone()));
    steps("rule", text(action, parameters, ""))
}

/// Where the alerts of the pipeline go.
pub enum To {
    /// Nowhere but to the results.
    Nowhere,
    /// To the queues of the sinks.
    Queues,
    /// To the sinks themselves, which end the pipeline when they fail.
    Sinks,
}

/// The pipeline; `rule` are the parameters of `filter_rule` but for its tags.
pub fn plan(from: &From<'_>, rule: &[(&str, Json)], config: &RuleConfig, to: &To) -> Outcome<File> {
    let mut all = Vec::new();
    match from {
        From::Live(sources, since) => {
            for source in *sources {
                let parameters = [
                    ("source", json!(source)),
                    ("tag", json!(EVENT)),
                    ("from", json!(since)),
                ];
                all.extend(made("input_source", &parameters)?);
            }
            all.extend(made("input_posted", &[("tag", json!(EVENT))])?);
        }
        From::Past(source, from, to) => {
            let parameters = [
                ("source", json!(source)),
                ("tag", json!(EVENT)),
                ("from", json!(from)),
                ("to", json!(to)),
            ];
            all.extend(made("input_source", &parameters)?);
        }
    }
    let own = [
        ("match", json!(EVENT)),
        ("tag", json!(ALERT)),
        ("pass", json!(false)),
    ];
    all.extend(made("filter_rule", &[&own, rule].concat())?);
    match to {
        To::Nowhere => {}
        To::Queues => all.extend(made("output_alerts", &[("match", json!(ALERT))])?),
        To::Sinks => {
            for (name, sink) in &config.sinks {
                all.extend(sink_steps(name, sink)?);
            }
        }
    }
    Ok(one(NAME.to_owned(), all))
}

fn one(id: String, steps: Vec<StepPlan>) -> File {
    File {
        pipelines: vec![Pipeline { id, steps }],
        ..File::default()
    }
}

/// The pipeline of a sink. Errors: why it is none.
pub fn sink_plan(name: &str, config: &RuleConfig) -> Outcome<File> {
    let sink = config
        .sinks
        .get(name)
        .ok_or_else(|| Diagnostic::new(Code::Configuration, format!("there is no sink {name}")))?;
    let mut steps = made("input_alerts", &[("sink", json!(name))])?;
    steps.extend(sink_steps(name, sink)?);
    Ok(one(format!("{NAME}/{name}"), steps))
}

/// An alert that waited as an event.
pub fn event_of(record: Record) -> Event {
    let time = record.get("time").and_then(Value::as_double);
    Event {
        tag: ALERT.into(),
        time: Time::of_millis(time.map_or(0, |time| time as i64)),
        record,
    }
}

/// The step of a sink. Errors: why it is none.
fn sink_steps(name: &str, sink: &SinkConfig) -> Outcome<Vec<StepPlan>> {
    let full = format!("rule.sinks.{name}");
    let actions = Engine::actions();
    let outputs = actions
        .iter()
        .filter(|spec| spec.kind == ActionKind::Output);
    let Some(spec) = outputs.clone().find(|spec| spec.name == sink.action) else {
        let text = format!("{full}: {} is no output of pipelines", sink.action);
        let names: Vec<&str> = outputs.map(|spec| spec.name).collect();
        let near = nearest(&sink.action, names.iter().copied());
        let fault = Diagnostic::new(Code::Configuration, text);
        return Err(match near {
            Some(_) => fault.did_you_mean(near),
            None => fault.help(format!("outputs are {}", names.join(", "))),
        });
    };
    let is_path = |name: &str| {
        let mut all = spec.parameters.iter();
        name == "path" || all.any(|p| p.name == name && p.kind == ParameterKind::Path)
    };
    let parameters = sink.parameters.iter().map(|(name, value)| {
        let path = value.as_str().filter(|_| is_path(name)).map(Path::new);
        // As everywhere in the configuration, paths start from its folder.
        let based = path.filter(|path| path.is_relative() && !path.starts_with("~"));
        let based = based.zip(sink.base.as_ref());
        let based = based.map(|(path, base)| json!(base.join(path).to_string_lossy()));
        (name.as_str(), based.unwrap_or_else(|| value.clone()))
    });
    let own = [("match", json!(ALERT))];
    let says = sink.parameters.contains_key("message");
    let more = match spec.name {
        "output_event" if !says => IDEA,
        _ => "",
    };
    // What the sink says itself is not said twice.
    let more: String = match more.is_empty() {
        true => String::new(),
        false => {
            let given = |line: &&str| {
                let key = line
                    .strip_prefix("    ")
                    .and_then(|line| line.split_once(':'));
                key.is_none_or(|(key, _)| !sink.parameters.contains_key(key))
            };
            let lines: Vec<&str> = more.lines().filter(given).collect();
            lines.join("\n")
        }
    };
    steps(
        &full,
        text(spec.name, own.into_iter().chain(parameters), &more),
    )
}
