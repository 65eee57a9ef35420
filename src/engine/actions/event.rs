//! `output_event`

use crate::diagnostic::{Code, Fault, Outcome};
use crate::eval::Value;
use crate::eval::collections::{Map, MapKind};
use crate::eval::json::read_event;
use crate::event::{Events, Message, Options, Row};
use crate::input::moment;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::expression::{Expression, World, field};
use crate::pipeline::python;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Now, Render, Sink, Step};
use crate::pipeline::template::Template;
use crate::store::Within;
use chrono::DateTime;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub const OUTPUT_EVENT: ActionSpec = ActionSpec {
    name: "output_event",
    kind: ActionKind::Output,
    summary: "Stores events as IDEA messages in the event store.",
    details: "The message is the record itself, or what `message` makes of it: a template in YAML in which every text is an expression, and what is null or empty is left out. Then `stellar event search` finds it, in the embedded file or in PostgreSQL, as `store.event` says.\n\nA message without `DetectTime` gets the time in `time_key`, or that of the event; `CreateTime` that of the event. One without `ID` gets one made of the event's tag and record (or of the value of `id`), so that the same event has the same identifier: what comes again after a crash is known already, and each message is stored once. Two events that are alike in all fields are one message; filters that put the time of the clock into alerts make others after a crash, so give `id` or run them with `--clock event:FIELD`.\n\nMessages that are no IDEA go to the dead letters, with the path of what is wrong. Messages are stored together, each batch in one transaction; while the store cannot be reached the pipeline waits, for `patience` at most, and ends then with an error, and after the next start what was not stored comes again.",
    parameters: &[
        ParameterSpec::optional(
            "message",
            ParameterKind::Any,
            "the record",
            "the template of the message, or the expression of the whole message",
        ),
        ParameterSpec::optional(
            "id",
            ParameterKind::Expression,
            "the tag and the record",
            "the expression of what makes the message one of its own",
        ),
        ParameterSpec::optional(
            "time_key",
            ParameterKind::Text,
            "the time of the event",
            "the field with the time at which it was detected: seconds, milliseconds or ISO 8601",
        ),
        ParameterSpec::optional(
            "patience",
            ParameterKind::Seconds,
            "1m",
            "how long the pipeline waits for a store that cannot be reached",
        ),
    ],
    examples: &[
        "- name: output_event\n  match: idea",
        "- name: output_event\n  match: alert\n  time_key: timestamp\n  message:\n    Category: [\"'Attempt.Login'\"]\n    Description: \"FORMAT('%s failed logins', value)\"\n    Source: [{IP4: [source_ip]}]\n    Node: [{Name: \"'org.example.logins'\", Type: [\"'Log'\"]}]",
    ],
    make,
};

/// So many messages are stored at once.
const ROWS: usize = 5_000;

/// So many bytes of messages wait at most.
const BYTES: usize = 16 << 20;

/// So long the store is waited for when the program shall end.
const LAST: Duration = Duration::from_secs(3);

struct Messages {
    world: World,
    template: Option<Template>,
    id: Option<Expression>,
    /// What tells the messages of this step from those of others.
    seed: String,
    time_key: Option<SmolStr>,
    options: Options,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let context = build.context;
    let world = World::new(context);
    let template = parameters.raw("message");
    let template = template
        .map(|node| Template::new(node, &[], &world))
        .transpose()?;
    let id = parameters.raw("id");
    let id = id
        .map(|node| Expression::new(node, &[], &world))
        .transpose()?;
    let Some(events) = context.services.get::<Events>() else {
        return Err(parameters.fault("match", "there is no event store in this program"));
    };
    let mut seed = Vec::new();
    if let Some(value) = parameters.value("message") {
        crate::eval::json::write_json(&value, &mut seed)?;
    }
    let patience = parameters.seconds("patience");
    Ok(Step::Output(
        Arc::new(Messages {
            world: world.clone(),
            template,
            id,
            seed: String::from_utf8(seed).unwrap_or_default(),
            time_key: parameters.text("time_key"),
            options: Options::default(),
        }),
        Box::new(Shelf {
            events,
            world,
            patience: patience.unwrap_or(Duration::from_secs(60)),
            stop: Arc::default(),
            rows: Vec::new(),
            derived: Vec::new(),
            bytes: 0,
            stored: 0,
            known: 0,
            refused: Vec::new(),
        }),
    ))
}

impl Messages {
    /// The message of an event. Errors: why it is none, with the path of what is wrong.
    fn message(&self, event: &Event) -> Result<(Origin, Message), String> {
        // Rendering knows no other moment than the event's.
        let context = self.world.at(Now(event.time.millis()));
        let made = match &self.template {
            None => Value::Map(Map::new(
                MapKind::Ordered,
                event.record.iter().cloned().collect(),
            )),
            Some(template) => template.fill(&event.record, context)?.unwrap_or_default(),
        };
        let Value::Map(made) = made else {
            let found = made.kind_in_words();
            return Err(format!("the message is {found}, not a map"));
        };
        let mut entries: crate::eval::collections::Entries = made.entries().into_iter().collect();
        let lacks = |name: &str| made.get_text(name).is_none_or(|value| value.is_null());
        let mut add = |name: &'static str, value: Value| {
            entries.insert(Value::Text(SmolStr::new_static(name)), value);
        };
        let origin = match lacks("ID") && self.id.is_none() {
            true => Origin::Record,
            false => Origin::Given,
        };
        if lacks("ID") {
            add("ID", Value::string(self.identifier(event)?));
        }
        if lacks("DetectTime") {
            add("DetectTime", Value::string(self.detected(event)?));
        }
        if lacks("CreateTime") {
            add("CreateTime", Value::string(instant(event.time)?));
        }
        let message = Value::Map(Map::new(MapKind::Ordered, entries));
        let message = Message::from_value(&message, &self.options).map_err(|fault| why(&fault))?;
        Ok((origin, message))
    }

    /// When the event was detected, in words.
    fn detected(&self, event: &Event) -> Result<String, String> {
        let Some(name) = &self.time_key else {
            return instant(event.time);
        };
        let value = field(&event.record, name).unwrap_or_default();
        let millis = moment(&value)
            .ok_or_else(|| format!("{name} is {}, not a time", value.kind_in_words()))?;
        written(millis.saturating_mul(1000))
    }

    /// The same identifier for the same event: a UUID of version 8 (RFC 9562) out of a hash.
    fn identifier(&self, event: &Event) -> Result<String, String> {
        let mut hash = Sha256::new();
        let mut text = Vec::with_capacity(256);
        match &self.id {
            Some(id) => {
                let context = self.world.at(Now(event.time.millis()));
                match id.run(&event.record, context)? {
                    Value::Null => return Err("id is null: it tells nothing apart".to_owned()),
                    value => python::write_json(std::iter::once(&(Value::Null, value)), &mut text),
                }
            }
            None => python::write_json(event.record.iter(), &mut text),
        }
        for part in [self.seed.as_bytes(), event.tag.as_bytes(), &text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let bits = digest
            .iter()
            .take(16)
            .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
        let bits = bits & !(0xf << 76) | 8 << 76;
        let bits = bits & !(3 << 62) | 2 << 62;
        let mut hex = format!("{bits:032x}");
        for place in [20, 16, 12, 8] {
            hex.insert(place, '-');
        }
        Ok(hex)
    }
}

/// The time of an event in words.
fn instant(time: Time) -> Result<String, String> {
    let micros = match time {
        Time::Whole(seconds) => seconds.saturating_mul(1_000_000),
        Time::Fraction(seconds) => (seconds * 1e6).round() as i64,
    };
    written(micros)
}

fn written(micros: i64) -> Result<String, String> {
    let moment = DateTime::from_timestamp_micros(micros);
    let moment = moment.ok_or("the time lies beyond all years")?;
    Ok(moment.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())
}

/// What is wrong with a message, in one line.
fn why(fault: &Fault) -> String {
    fault
        .notes
        .iter()
        .fold(fault.message.clone(), |mut all, note| {
            all.push_str("; ");
            all.push_str(note);
            all
        })
}

impl Render for Messages {
    fn render(&self, event: &Event, _: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        let (origin, message) = self.message(event)?;
        // What the table cannot keep is known before it is too late.
        message.to_row().map_err(|fault| why(&fault))?;
        out.push(origin as u8);
        message.write_json(out);
        out.push(b'\n');
        Ok(())
    }
}

/// Where the identifier of a message comes from; stands before the message until it is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Origin {
    /// The whole record: another message of this identifier is made of the same event, at another time.
    Record = b'=',
    /// Somebody who may give it to another message, too.
    Given = b'+',
}

/// Messages on their way into the store.
struct Shelf {
    events: Arc<Events>,
    world: World,
    patience: Duration,
    /// Set when the pipelines shall end.
    stop: Arc<AtomicBool>,
    rows: Vec<Row>,
    /// Of each of them whether the identifier is made of the record.
    derived: Vec<bool>,
    bytes: usize,
    stored: u64,
    known: u64,
    /// Messages that the store refuses, with the reasons.
    refused: Vec<(Event, String)>,
}

impl Shelf {
    /// Stores what waits. Errors: those of the store, after some patience.
    fn store(&mut self) -> Outcome<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let derived = std::mem::take(&mut self.derived);
        self.bytes = 0;
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        let loaded = loop {
            let within = Within::context(self.world.context());
            let late = || {
                let stops = self.stop.load(Ordering::Relaxed);
                let patience = match stops {
                    true => self.patience.min(LAST),
                    false => self.patience,
                };
                began.elapsed() + pause > patience
            };
            match self.events.load(rows.clone(), within) {
                Ok(loaded) => break loaded,
                Err(fault) if fault.code == Code::Interrupted || late() => return Err(fault),
                Err(fault) => {
                    tracing::warn!("output_event waits for the store: {}", fault.message);
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        };
        self.stored += loaded.stored;
        self.known += loaded.known;
        for (at, fault) in loaded.refused {
            if fault.code == Code::EventIntegrity && derived.get(at) == Some(&true) {
                self.known += 1;
                continue;
            }
            let message = rows.get(at).and_then(|row| row.event.as_deref());
            let record = message.and_then(|json| read_event(json).ok());
            let record = record.map(|map| map.entries().into_iter().collect());
            let event = Event {
                tag: SmolStr::default(),
                time: Time::Whole(self.world.context().clock.now().div_euclid(1000)),
                record: record.unwrap_or_default(),
            };
            self.refused.push((event, fault.message.clone()));
        }
        Ok(())
    }
}

impl Sink for Shelf {
    fn refused(&mut self) -> Vec<(Event, String)> {
        std::mem::take(&mut self.refused)
    }

    fn until(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = stop.clone();
    }

    fn write(&mut self, _: &str, bytes: &[u8], _: usize) -> Outcome<()> {
        let now = self.world.context().clock.now();
        let options = Options {
            storage_time: Some(now.saturating_mul(1000)),
            ..Options::default()
        };
        for line in bytes.split(|byte| *byte == b'\n') {
            let Some((origin, line)) = line.split_first() else {
                continue;
            };
            self.rows.push(Message::parse(line, &options)?.to_row()?);
            self.derived.push(*origin == Origin::Record as u8);
            self.bytes += line.len();
            if self.rows.len() >= ROWS || self.bytes >= BYTES {
                self.store()?;
            }
        }
        Ok(())
    }

    fn tick(&mut self, _: Now, _: bool) -> Outcome<()> {
        self.store()
    }

    fn flush(&mut self, _: bool) -> Outcome<()> {
        self.store()
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        vec![("stored", self.stored), ("known", self.known)]
    }
}
