//! What running rules offer over HTTP: events are posted to them, and rules are run over the past.

use super::posted::Posted;
use super::retro::{Past, run};
use crate::config::{Right, parse_now};
use crate::diagnostic::{Code, Fault};
use crate::engine::Engine;
use crate::rule::http::refuse;
use crate::rule::model::{Reason, Refusal, read_body};
use crate::rule::store::Rules;
use crate::store::Within;
use crate::store::serve::{About, Answer, Asked, Endpoint, Method, Parameter, Reply};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// So much of what rules say is told in an answer.
const TOLD: usize = 20;

const BAD: (u16, &str, Option<&str>) = (400, "The body is wrong.", Some("Refusal"));

/// Descriptions of calls.
const EVENTS: About = About {
    tag: "rules",
    parameters: &[],
    body: Some("Events"),
    body_required: true,
    answers: &[
        (
            200,
            "The rules and the sinks have the events.",
            Some("Taken"),
        ),
        BAD,
    ],
    refusal: Some("Refusal"),
    schemas: Some(schemas),
};
/// See [`EVENTS`].
const RETRO: About = About {
    parameters: &[Parameter {
        name: "id",
        kind: "string",
        what: "The identifier.",
    }],
    body: Some("Past"),
    answers: &[
        (200, "What the rule did.", Some("PastDone")),
        BAD,
        (404, "There is no such rule.", Some("Refusal")),
    ],
    ..EVENTS
};

/// What the names mean.
fn schemas() -> Json {
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let time = |about: &str| json!({"type": ["string", "integer"], "description": about});
    let flag = |about: &str| json!({"type": "boolean", "description": about});
    let event = json!({"type": "object"});
    json!({
        "Events": {
            "description": "An event, a list of events, or events one behind the other, also as JSON Lines.",
            "oneOf": [event, {"type": "array", "items": event}],
        },
        "Taken": {
            "type": "object", "required": ["events"],
            "properties": {"events": count("How many events were taken.")},
        },
        "Past": {
            "type": "object", "required": ["from"],
            "properties": {
                "from": time("From when on: ISO 8601, or milliseconds since 1970."),
                "to": time("Until before when; now unless given."),
                "sinks": flag("Whether alerts go to the sinks, too; false unless given."),
                "results": flag("Whether alerts become results of the rule; true unless given."),
                "trace_id": {"type": "string", "description": "What the action of a user is known by."},
            },
        },
        "PastDone": {
            "type": "object", "required": ["events", "alerts", "failed_calls", "said"],
            "properties": {
                "events": count("Messages that the rule saw."),
                "alerts": count("Alerts that it raised."),
                "failed_calls": count("Calls that failed or were stopped."),
                "said": {
                    "type": "array", "items": {"type": "string"},
                    "description": "The first things that there was to say.",
                },
            },
        },
    })
}

/// What running rules offer.
pub fn endpoints(engine: &Engine) -> Vec<Endpoint> {
    let mut all = Vec::new();
    for path in [
        "/logmule_go_rules/events",
        "/cruddy/v2/logmule_go_rules/events",
    ] {
        let posted = engine.context.services.get::<Posted>().unwrap_or_default();
        let about =
            "Gives events to all active rules; answers when the rules and the sinks have them.";
        let take = move |asked: &Asked| Reply::Whole(posted.take(asked));
        all.push(Endpoint::new(Method::Post, path, Right::Run, about, take).about(EVENTS));
    }
    for path in [
        "/logmule_go_rules/{id}/retro",
        "/cruddy/v2/logmule_go_rules/{id}/retro",
    ] {
        let own = engine.clone();
        let about = "Runs a rule over the messages of the event store; its alerts become results.";
        let past = move |asked: &Asked| retro(asked, &own);
        all.push(Endpoint::new(Method::Post, path, Right::Run, about, past).about(RETRO));
    }
    for endpoint in &mut all {
        endpoint.refuse = refuse;
    }
    all
}

fn refused(refusal: &Refusal) -> Reply {
    Reply::Whole(Answer::json(refusal.status(), &refusal.to_json()))
}

/// Runs a rule over the past, for as long as that takes and the client listens.
fn retro(asked: &Asked, engine: &Engine) -> Reply {
    let past = match read_body(&asked.body).and_then(|body| past(&body, asked, engine)) {
        Ok(past) => past,
        Err(refusal) => return refused(&refusal),
    };
    let within = Within {
        now: engine.context.clock.now(),
        deadline: asked.deadline,
        cancel: &asked.cancel,
    };
    let id = asked.parameter("id").to_owned();
    let rules = engine.context.services.get::<Rules>();
    let found = rules.map(|rules| rules.rule(&id, within)).transpose();
    match found {
        Ok(Some(Some(_))) => {}
        Ok(_) => return refused(&Refusal::Missing("there is no such rule".to_owned())),
        Err(fault) => return failed(asked, &fault),
    }
    let (engine, caller) = (engine.clone(), asked.caller.name.clone());
    Reply::Endless(Box::new(move |asked| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let ear = told.clone();
        let say = move |text: &str| {
            let mut told = ear.lock();
            if told.len() < TOLD {
                told.push(text.to_owned());
            }
        };
        let done = run(&engine, &past, &asked.cancel, Arc::new(say));
        if asked.cancel.load(Ordering::Relaxed) {
            let text = "the server ends; what was found so far is kept";
            return Reply::Whole(refuse(503, &asked.id, text).with("retry-after", "1"));
        }
        let done = match done {
            Ok(done) => done,
            Err(fault) => return failed(asked, &fault),
        };
        tracing::info!(target: "stellar::serve", "{} {caller} ran the rule {id:?} over the past", asked.id);
        let said = told.lock().clone();
        let body = json!({
            "events": done.events, "alerts": done.alerts, "failed_calls": done.failed, "said": said,
        });
        Reply::Whole(Answer::json(200, &body))
    }))
}

/// What stands in the body.
fn past(body: &Map<String, Json>, asked: &Asked, engine: &Engine) -> Result<Past, Refusal> {
    let mut wrong = Vec::new();
    let mut past = Past {
        rules: vec![asked.parameter("id").to_owned()],
        from: i64::MAX,
        to: engine.context.clock.now(),
        source: None,
        sinks: false,
        results: true,
    };
    for (name, value) in body {
        let time = || time(value, engine);
        let mut refuse = |reason: String| wrong.push(Reason::new(name.as_str(), reason));
        match (name.as_str(), value) {
            ("from", _) => match time() {
                Ok(time) => past.from = time,
                Err(reason) => refuse(reason),
            },
            ("to", Json::Null) => {}
            ("to", _) => match time() {
                Ok(time) => past.to = time,
                Err(reason) => refuse(reason),
            },
            ("sinks", Json::Bool(flag)) => past.sinks = *flag,
            ("results", Json::Bool(flag)) => past.results = *flag,
            ("sinks" | "results", _) => refuse("must be true or false".to_owned()),
            ("trace_id", Json::String(_)) => {}
            _ => refuse("means nothing here: there are from, to, sinks and results".to_owned()),
        }
    }
    if wrong.is_empty() && past.from >= past.to {
        let reason = match past.from {
            i64::MAX => "must be given: a time in ISO 8601, or milliseconds",
            _ => "must be before to, which is now unless it is given",
        };
        wrong.push(Reason::new("from", reason));
    }
    match wrong.is_empty() {
        true => Ok(past),
        false => Err(Refusal::Bad(wrong)),
    }
}

fn time(value: &Json, engine: &Engine) -> Result<i64, String> {
    let parsed = match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => {
            let zone = &engine.context.zone;
            parse_now(text, |at| zone.offset_millis(at)).ok()
        }
        _ => None,
    };
    parsed.ok_or_else(|| "must be a time in ISO 8601, or milliseconds".to_owned())
}

fn failed(asked: &Asked, fault: &Fault) -> Reply {
    let refuse = |status, text: &str| Reply::Whole(refuse(status, &asked.id, text));
    match fault.code {
        Code::Timeout => refuse(504, "this took longer than allowed"),
        Code::Interrupted => refuse(503, "the server ends; try again"),
        // The rule, or a sink: what was configured or stored can be put right.
        Code::BadRule | Code::BadPipeline | Code::Configuration => refuse(400, &fault.message),
        _ => {
            tracing::error!(target: "stellar::serve", "{}: {}", asked.id, fault.message);
            refuse(500, "")
        }
    }
}
