//! Running a rule over posted events: what it did, and nothing of it is kept.

use super::job::{Done, Job};
use super::page::Query;
use super::rules::missing;
use super::shape::{Denied, bad, good, unless_given};
use crate::diagnostic::{Code, Fault};
use crate::eval::{Value, json};
use crate::rule::active::{Ready, options};
use crate::rule::event::Event;
use crate::rule::model::{Reason, Refusal, read_json};
use crate::rule::overlay::{Overlay, WRITTEN};
use crate::rule::trial::{Trial, choose, trial};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// How deep choices may nest.
const DEEPEST: usize = 128;
/// So long one call of a rule may take, whatever the caller wishes.
const CALL: Duration = Duration::from_secs(5);
/// How many errors of filters are told.
const TOLD: usize = 20;

/// What was posted.
#[derive(Default)]
struct Posted {
    /// `None`: those of the rule itself.
    events: Option<Vec<Event>>,
    options: Value,
}

/// Reads the body: nothing, a list of events, or an object with `events` and `options`.
fn posted(job: &mut Job<'_>) -> Result<Posted, Denied> {
    if job.asked.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Posted::default());
    }
    let map = match read_json(&job.asked.body)? {
        Json::Array(events) => {
            let mut map = Map::new();
            map.insert("events".to_string(), Json::Array(events));
            map
        }
        Json::Object(map) => map,
        _ => {
            let text = "must be a list of events, or an object with events";
            return Err(Refusal::bad("", text).into());
        }
    };
    let mut posted = Posted::default();
    let mut wrong = Vec::new();
    for (name, value) in map {
        match (name.as_str(), value) {
            ("events" | "options", Json::Null) => {}
            ("events", Json::Array(list)) => posted.events = Some(events(&list, &mut wrong)),
            ("events", _) => wrong.push(Reason::new("events", "must be a list of objects")),
            ("options", value @ Json::Object(_)) => {
                posted.options = json::from_json(&value, DEEPEST)?;
            }
            ("options", _) => wrong.push(Reason::new("options", "must be an object")),
            ("trace_id", Json::String(trace)) => job.trace = trace,
            (name, _) => {
                let name: String = name.chars().take(100).collect();
                let text = "means nothing here: there are events and options";
                wrong.push(Reason::new(name, text));
            }
        }
    }
    match wrong.is_empty() {
        true => Ok(posted),
        false => Err(Refusal::Bad(wrong).into()),
    }
}

fn events(list: &[Json], wrong: &mut Vec<Reason>) -> Vec<Event> {
    let mut events = Vec::with_capacity(list.len());
    for (index, one) in list.iter().enumerate() {
        let event = one.is_object().then(|| one.to_string());
        match event.map(|text| Event::read(text.as_bytes())) {
            Some(Ok(event)) => events.push(event),
            Some(Err(fault)) => wrong.push(Reason::new(format!("events.{index}"), &fault.message)),
            None => wrong.push(Reason::new(format!("events.{index}"), "must be an object")),
        }
    }
    events
}

/// Whose fault it is that a rule cannot be loaded.
fn unloaded(path: &str, fault: Fault) -> Denied {
    match fault.code {
        Code::StoreFailed
        | Code::StoreOpen
        | Code::ServerFailed
        | Code::Timeout
        | Code::Interrupted
        | Code::Internal => fault.into(),
        _ => bad(path, &fault),
    }
}

/// Runs a rule and tells what it did.
pub fn run(job: &mut Job<'_>) -> Done {
    Query::new(job, &[]).end()?;
    let id = job.asked.parameter("id");
    let rule = job.rules.rule(id, job.within())?;
    let rule = rule.ok_or_else(|| missing(id))?;
    let posted = posted(job)?;
    let context = job.context();
    let ready = Ready::of(&job.rules, rule, &context);
    let ready = ready.map_err(|fault| unloaded("logmule_go_filters", fault))?;
    let mut options = options(&context);
    options.tables = Arc::new(Overlay::new(options.tables, WRITTEN));
    let mut options = choose(options, &posted.options).map_err(|fault| bad("options", &fault))?;
    options.limits.time = options.limits.time.min(CALL);
    let running = ready.load(options);
    let mut running = running.map_err(|fault| unloaded("lua", fault))?;
    let given = posted
        .events
        .unwrap_or_else(|| ready.written.test_data.clone());
    let count = given.len();
    let (mut places, mut events, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for (place, event) in given.into_iter().enumerate() {
        job.go_on()?;
        match ready.passes(&event, &context) {
            Ok(true) => {
                places.push(place);
                events.push(event);
            }
            Ok(false) => {}
            Err(fault) => {
                if failed.len() < TOLD {
                    failed.push(json!({"event": place, "text": fault.message}));
                }
            }
        }
    }
    let done = trial(&mut running, &events, || job.go_on());
    let mut done = done.map_err(|fault| unless_given("events", fault))?;
    placed(&mut done, &places);
    let report = json::to_json(&Value::Map(done.to_map()));
    let mut report = report.map_err(|fault| unless_given("events", fault))?;
    report["events"] = json!(count);
    report["filtered"] = json!(count - events.len());
    report["filter_errors"] = Json::Array(failed);
    Ok(good(200, &report))
}

/// Numbers of events count all that were given.
fn placed(trial: &mut Trial, places: &[usize]) {
    let place = |at: &mut usize| *at = places.get(*at).copied().unwrap_or(*at);
    for (at, _) in &mut trial.alerts {
        place(at);
    }
    for (at, _) in &mut trial.notes {
        place(at);
    }
}
