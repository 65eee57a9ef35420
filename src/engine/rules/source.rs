//! `input_source`: the events of a source of the configuration.

use crate::diagnostic::{Code, Outcome};
use crate::eval::{Context, Value};
use crate::input::{Catalogue, Rows, Source, Wish};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use crate::pipeline::{Event, Record, Time};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

/// Only for pipelines that the program makes: what is read of where is theirs to say.
pub const INPUT_SOURCE: ActionSpec = ActionSpec {
    name: "input_source",
    kind: ActionKind::Input,
    summary: "Feeds the rows of a source of the configuration.",
    details: "",
    parameters: &[
        ParameterSpec::required("source", ParameterKind::Text, "the name of the source"),
        ParameterSpec::required("tag", ParameterKind::Text, "the tag of the events"),
        ParameterSpec::optional(
            "from",
            ParameterKind::Whole,
            "",
            "rows from this time on, in milliseconds",
        ),
        ParameterSpec::optional(
            "to",
            ParameterKind::Whole,
            "",
            "rows before this time, in milliseconds",
        ),
    ],
    examples: &[],
    make,
};

/// A source that fails is asked again after so long, then after twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// It is asked again at least this often.
const LONGEST: Duration = Duration::from_secs(60);

/// By so many milliseconds an event may be ahead of the clock; one that is further does not count for the place.
const AHEAD: i64 = 60_000;

/// Where rules look for the time of an event; rows without it get their own time there.
const STAMP: &str = "@timestamp";

/// A time as events write it.
fn written(millis: i64) -> Value {
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    Value::string(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

struct Following {
    name: SmolStr,
    source: Arc<dyn Source>,
    tag: SmolStr,
    context: Context,
    to: i64,
    place: Place,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let name = parameters.text_or("source", "");
    let sources = build.context.services.get::<Catalogue>();
    let Some(source) = sources.as_ref().and_then(|all| all.get(&name)) else {
        let fault = parameters.fault("source", format!("no source is named {name}"));
        let names = sources
            .iter()
            .flat_map(|all| all.iter().map(|(name, _)| name.as_str()));
        return Err(fault.did_you_mean(crate::diagnostic::nearest(&name, names)));
    };
    let common = build.common();
    if !common.once && !source.grows() {
        let text = format!("the source {name} does not grow: nothing comes to be followed");
        return Err(parameters
            .fault("source", text)
            .help("write follow = true in its section"));
    }
    let mut context = build.context.clone();
    context.cancel = common.stop.clone();
    context.deadline = None;
    Ok(Step::Input(Box::new(Following {
        name,
        source,
        tag: parameters.text_or("tag", ""),
        context,
        to: parameters.whole("to").unwrap_or(i64::MAX),
        place: Place {
            time: parameters.whole("from").unwrap_or(i64::MIN),
            count: 0,
        },
    })))
}

/// How far a source has been read: the latest time, and how many rows of that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    time: i64,
    count: u64,
}

impl Place {
    fn add(&mut self, time: i64) {
        match time.cmp(&self.time) {
            std::cmp::Ordering::Greater => *self = Place { time, count: 1 },
            std::cmp::Ordering::Equal => self.count += 1,
            std::cmp::Ordering::Less => {}
        }
    }
}

impl Token for Place {
    fn position(&self) -> Option<Json> {
        Some(json!({"time": self.time, "count": self.count}))
    }
}

impl Following {
    /// Reads from the place on, until the end or until the pipeline ends.
    fn read(&mut self, feed: &Feed) -> Outcome<()> {
        let names = [SmolStr::new_static("_")];
        let from = self.place;
        let wish = Wish {
            names: &names,
            from: from.time,
            to: self.to,
            follow: !feed.once(),
        };
        // Those of the latest time come once more.
        let mut known = from.count;
        let (place, tag, clock) = (&mut self.place, &self.tag, &self.context.clock);
        let mut take = |rows: Rows| {
            if feed.stopped() {
                return Ok(false);
            }
            let latest = clock.now().saturating_add(AHEAD);
            let mut events = Vec::with_capacity(rows.times.len());
            for (time, value) in rows.times.into_iter().zip(rows.values) {
                if known > 0 && time == from.time {
                    known -= 1;
                    continue;
                }
                if time <= latest {
                    place.add(time);
                }
                let Value::Map(map) = value else { continue };
                let mut record: Record = map.entries().into_iter().collect();
                if record.get(STAMP).is_none() {
                    record.set(STAMP, written(time));
                }
                events.push(Event {
                    tag: tag.clone(),
                    time: Time::Fraction(time as f64 / 1000.0),
                    record,
                });
            }
            for reason in rows.bad {
                let event = feed.event(tag, Record::default());
                if !feed.bad(event, reason, None) {
                    return Ok(false);
                }
            }
            Ok(events.is_empty() || feed.events(events, Some(Arc::new(*place))))
        };
        self.source.read(&wish, &self.context, &mut take)
    }
}

impl Input for Following {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        let mut pause = PAUSE;
        loop {
            let before = self.place;
            let read = self.read(feed);
            let fault = match read {
                Ok(()) => return Ok(()),
                Err(_) if feed.stopped() => return Ok(()),
                Err(fault) if feed.once() || fault.code == Code::Internal => return Err(fault),
                Err(fault) => fault,
            };
            if self.place != before {
                pause = PAUSE;
            }
            feed.note(&format!(
                "the source {}: {}; it is read again in {} s",
                self.name,
                fault.message,
                pause.as_secs()
            ));
            if !feed.pause(pause) {
                return Ok(());
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    fn load(&mut self, position: &Json) -> Result<(), String> {
        let time = position.get("time").and_then(Json::as_i64);
        let count = position.get("count").and_then(Json::as_u64);
        match time.zip(count) {
            Some((time, count)) => {
                self.place = Place { time, count };
                Ok(())
            }
            None => Err("it is no place in a source".to_owned()),
        }
    }
}
