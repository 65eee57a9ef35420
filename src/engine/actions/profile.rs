//! `filter_profile`

use crate::diagnostic::{Diagnostic, Fault, Outcome, Source};
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::{Context, Value};
use crate::functions::kryo;
use crate::input::moment;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::expression::{World, field, whole};
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Step};
use crate::profile::batch::{Fieldful, Stream, Taken};
use crate::profile::definition::{self, Definitions};
use crate::profile::measurement::Measurement;
use crate::profile::store::{Place, Within};
use crate::profile::{Profiles, client};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::sync::Arc;

pub const FILTER_PROFILE: ActionSpec = ActionSpec {
    name: "filter_profile",
    kind: ActionKind::Filter,
    summary: "Applies profiles to the events: what each entity did in each period is measured when the period closes.",
    details: "Events pass unchanged. The definitions are those of `stellar profile apply`: inline in `definition` (one profile, a list of them, or all with `timestampField`) or in `definition_file`. Measurements go to the profile store, where PROFILE_GET and `stellar profile` find them, and with `tag` they become events besides, behind the event that closed the period: `profile`, `entity`, `groups`, `period` (its number), `start` and `end` (milliseconds) and `value`.\n\nThe time of an event is in `time_key` (seconds, milliseconds or ISO 8601), else in the `timestampField` of the definitions (milliseconds), else it is the pipeline's. A period closes when the latest time less `lag` has passed its end; an event more than an hour ahead of the clock closes nothing. Events of closed periods are counted as late and not measured. Expressions of a profile that fail are counted; they hinder nothing else. An event without a time goes to the dead letters.\n\nOpen periods are part of the state: with `db_path` or `--state` they go on after a stop or a crash. Without, they are measured at the end of `--once`. A measurement that is made again after a crash replaces itself in the store.",
    parameters: &[
        ParameterSpec::optional("definition", ParameterKind::Any, "", "the profiles"),
        ParameterSpec::optional(
            "definition_file",
            ParameterKind::Path,
            "",
            "the JSON file with the profiles",
        ),
        ParameterSpec::optional(
            "tag",
            ParameterKind::Text,
            "",
            "the tag of the measurements as events; without it there are none",
        ),
        ParameterSpec::optional(
            "store",
            ParameterKind::Flag,
            "true",
            "whether measurements are stored",
        ),
        ParameterSpec::optional(
            "period",
            ParameterKind::Seconds,
            "profiler.client.period.duration, else 15m",
            "how long periods are",
        ),
        ParameterSpec::optional(
            "time_key",
            ParameterKind::Text,
            "timestampField of the definitions, else the pipeline's time",
            "the field with the time of an event",
        ),
        ParameterSpec::optional(
            "lag",
            ParameterKind::Seconds,
            "1m where a field has the time, else 0",
            "by how much events may come too late",
        ),
        ParameterSpec::optional(
            "entities",
            ParameterKind::Whole,
            "1000000",
            "how many entities all open periods may have together; events of further ones are not measured but counted as evicted",
        ),
        ParameterSpec::optional(
            "db_path",
            ParameterKind::Path,
            "",
            "a file that keeps the open periods over a stop",
        ),
    ],
    examples: &[
        "- name: filter_profile\n  match: login\n  time_key: timestamp\n  period: 1h\n  tag: logins_per_hour\n  definition:\n    profile: logins\n    foreach: user\n    init: {count: 0}\n    update: {count: count + 1}\n    result: count",
        "- name: filter_profile\n  match: web\n  definition_file: profiler.json",
    ],
    make,
};

/// An event so far ahead of the clock does not move the watermark.
const AHEAD: i64 = 3_600_000;

/// So many entities are kept unless the file says otherwise.
const ENTITIES: usize = 1_000_000;

/// So many measurements are stored at once.
const TOGETHER: usize = 4096;

/// Bytes that no store takes for one value.
const LONGEST: usize = 256 << 20;

/// Where the time of an event is.
enum Clock {
    /// In a field, in any form.
    Field(SmolStr),
    /// In a field, in milliseconds.
    Millis(SmolStr),
    /// The pipeline's.
    Pipeline,
}

/// Where measurements go.
struct Shelf {
    profiles: Arc<Profiles>,
    place: Place,
}

struct Profile {
    stream: Stream,
    clock: Clock,
    lag: i64,
    latest: i64,
    tag: Option<SmolStr>,
    shelf: Option<Shelf>,
    world: World,
    /// What could not be stored yet.
    unstored: Vec<Measurement>,
    measurements: u64,
    /// Measurements whose values cannot be stored.
    unfit: u64,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let context = build.context;
    let definitions = definitions(parameters, context)?;
    let millis = |name: &str| {
        let time = parameters.seconds(name)?;
        i64::try_from(time.as_millis()).ok()
    };
    let duration = match millis("period") {
        Some(0) => return Err(parameters.fault("period", "a period has a length")),
        Some(millis) => millis,
        None => client::period_duration(context, None)?,
    };
    let clock = match (parameters.text("time_key"), &definitions.timestamp_field) {
        (Some(name), _) => Clock::Field(name),
        (None, Some(name)) => Clock::Millis(name.clone()),
        (None, None) => Clock::Pipeline,
    };
    let usual = match clock {
        Clock::Pipeline => 0,
        _ => 60_000,
    };
    let most = match parameters.whole("entities") {
        None => ENTITIES,
        Some(most) => usize::try_from(most)
            .ok()
            .filter(|most| *most > 0)
            .ok_or_else(|| parameters.fault("entities", "entities is 1 or more"))?,
    };
    let tag = parameters.text("tag");
    let shelf = match parameters.flag("store") {
        Some(false) => None,
        _ => {
            let profiles = context.services.get::<Profiles>().ok_or_else(|| {
                parameters.fault("store", "there is no profile store in this program")
            })?;
            let place = client::place(context, None)?;
            Some(Shelf { profiles, place })
        }
    };
    if shelf.is_none() && tag.is_none() {
        return Err(parameters.fault(
            "store",
            "measurements go nowhere: give a tag, or store them",
        ));
    }
    let world = World::new(context);
    Ok(Step::Kept(Box::new(Profile {
        stream: Stream::new(&definitions, duration, most, world.context())?,
        clock,
        lag: millis("lag").unwrap_or(usual),
        latest: i64::MIN,
        tag,
        shelf,
        world,
        unstored: Vec::new(),
        measurements: 0,
        unfit: 0,
    })))
}

/// The definitions of the profiles, inline or in a file. Errors: everything that is wrong with them counts.
fn definitions(parameters: &Parameters, context: &Context) -> Outcome<Definitions> {
    let source = match (
        parameters.value("definition"),
        parameters.path("definition_file"),
    ) {
        (Some(value), None) => {
            let value = as_definitions(value)
                .ok_or_else(|| parameters.fault("definition", "a profile is a map"))?;
            let mut json = Vec::new();
            crate::eval::json::write_json(&value, &mut json)?;
            Source::expression(String::from_utf8(json).unwrap_or_default())
        }
        (None, Some(path)) => {
            let text = crate::input::read_text(&path)
                .map_err(|fault| parameters.fault("definition_file", fault.message))?;
            Source::named(path.display().to_string(), text)
        }
        _ => {
            return Err(parameters.fault(
                "definition",
                "exactly one of definition and definition_file is to be given",
            ));
        }
    };
    let inline = parameters.has("definition");
    let source = Arc::new(source);
    let said = |fault: Fault| match inline {
        // Its place is one in a text that nobody has seen.
        true => {
            let mut here = parameters.fault("definition", fault.message);
            here.notes = fault.notes;
            match fault.help {
                Some(help) => here.help(help),
                None => here,
            }
        }
        false => fault,
    };
    let parsed = definition::parse(&source).map_err(|faults| said(definition::first(faults)))?;
    // A malformed expression would fail again and again.
    let faults: Vec<Fault> = definition::check(&source, context);
    match faults.is_empty() {
        true => Ok(parsed),
        false => Err(said(definition::first(faults))),
    }
}

/// What stands in YAML in the form of the JSON file.
fn as_definitions(value: Value) -> Option<Value> {
    let wrapped = |profiles: Vec<Value>| {
        let profiles = profiles.into_iter().map(|one| with_texts(one, 0)).collect();
        let entries = [("profiles", Value::List(List::array(profiles)))];
        Value::Map(ordered(entries))
    };
    match value {
        Value::List(list) => Some(wrapped(list.items())),
        Value::Map(map) => match map.get_text("profiles") {
            Some(Value::List(list)) => {
                let Value::Map(all) = wrapped(list.items()) else {
                    return None;
                };
                let others = map.entries().into_iter();
                let others = others.filter(|(name, _)| name.as_text() != Some("profiles"));
                let entries = all.entries().into_iter().chain(others).collect();
                Some(Value::Map(Map::new(MapKind::Ordered, entries)))
            }
            Some(_) => Some(Value::Map(map)),
            None => Some(wrapped(vec![Value::Map(map)])),
        },
        _ => None,
    }
}

fn ordered<const N: usize>(entries: [(&str, Value); N]) -> Map {
    let entries = entries.into_iter();
    let entries = entries.map(|(name, value)| (Value::text(name), value));
    Map::new(MapKind::Ordered, entries.collect())
}

/// In YAML `count: 0` is a number; as an expression it is a text.
fn with_texts(value: Value, level: usize) -> Value {
    match value {
        Value::Map(map) if level < 2 => {
            let entry = |(name, value): (Value, Value)| {
                let plain = matches!(name.as_text(), Some("expires" | "mergeable")) && level == 0;
                match plain {
                    true => (name, value),
                    false => (name, with_texts(value, level + 1)),
                }
            };
            let entries = map.entries().into_iter().map(entry).collect();
            Value::Map(Map::new(MapKind::Ordered, entries))
        }
        Value::List(list) => {
            let items = list.items().into_iter();
            let items = items.map(|item| with_texts(item, level + 1)).collect();
            Value::List(List::array(items))
        }
        Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Bool(_) => {
            Value::text(crate::eval::text::to_text(&value))
        }
        other => other,
    }
}

/// The fields of an event.
struct Fields<'a>(&'a Record);

impl Fieldful for Fields<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        field(self.0, name)
    }

    fn whole(&self) -> Map {
        whole(self.0)
    }
}

impl Profile {
    /// The time of an event in milliseconds. Errors: it has none.
    fn time(&self, event: &Event, now: Now) -> Result<i64, String> {
        let (name, read): (_, fn(&Value) -> Option<i64>) = match &self.clock {
            Clock::Pipeline => return Ok(now.0),
            Clock::Field(name) => (name, moment),
            Clock::Millis(name) => (name, Stream::time),
        };
        let value = field(&event.record, name).unwrap_or_default();
        read(&value).ok_or_else(|| match value {
            Value::Null => format!("the event has no {name}, which should be its time"),
            other => format!("{name} is {}, not a time", other.kind_in_words()),
        })
    }

    /// Moves the watermark, and takes what was measured.
    fn advance(&mut self, watermark: i64, more: &mut Vec<Event>) -> Result<(), String> {
        if !self.stream.is_due(watermark) {
            return Ok(());
        }
        let measured = self.stream.advance(watermark);
        let measured = measured.map_err(|fault| fault.message)?;
        self.take(measured, more);
        Ok(())
    }

    /// Stores measurements and makes events of them.
    fn take(&mut self, measured: Vec<Measurement>, more: &mut Vec<Event>) {
        self.measurements += measured.len() as u64;
        if let Some(tag) = &self.tag {
            more.extend(measured.iter().map(|one| as_event(tag, one)));
        }
        if self.shelf.is_some() {
            self.unstored.extend(measured);
            // A store that fails is noticed at the next tick, before anything is saved.
            let _ = self.store();
        }
    }

    /// Stores what waits. Errors: those of the store; everything waits on then.
    fn store(&mut self) -> Outcome<()> {
        let Some(shelf) = self.shelf.as_ref().filter(|_| !self.unstored.is_empty()) else {
            return Ok(());
        };
        let within = Within::context(self.world.context());
        let write = |all: &[Measurement]| {
            let mut parts = all.chunks(TOGETHER);
            parts.try_for_each(|some| shelf.profiles.write(&shelf.place, some, within))
        };
        let mut done = write(&self.unstored);
        if done.is_err() {
            let before = self.unstored.len();
            self.unstored
                .retain(|one| kryo::write(&one.value, LONGEST).is_ok());
            let unfit = before - self.unstored.len();
            if unfit > 0 {
                self.unfit += unfit as u64;
                done = write(&self.unstored);
            }
        }
        done?;
        self.unstored.clear();
        Ok(())
    }
}

/// A measurement as an event.
fn as_event(tag: &SmolStr, one: &Measurement) -> Event {
    let period = one.period;
    let fields = [
        ("profile", Value::Text(one.profile.clone())),
        ("entity", Value::Text(one.entity.clone())),
        ("groups", Value::List(List::array(one.groups.clone()))),
        ("period", Value::Long(period.number)),
        ("start", Value::Long(period.start())),
        ("end", Value::Long(period.end())),
        ("value", one.value.clone()),
    ];
    let mut record = Record::with_capacity(fields.len());
    for (name, value) in fields {
        record.set(name, value);
    }
    Event {
        tag: tag.clone(),
        time: Time::Whole(period.end().div_euclid(1000)),
        record,
    }
}

impl Kept for Profile {
    fn apply(&mut self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let time = self.time(event, now)?;
        self.world.at(now);
        let taken = self.stream.apply(&Fields(&event.record), time);
        match taken.map_err(|fault| fault.message)? {
            Taken::Late => return Ok(Flow::Pass),
            Taken::By(_) => {}
        }
        if time > self.latest {
            let clock = match self.clock {
                Clock::Pipeline => time,
                _ => now.0,
            };
            if time <= clock.saturating_add(AHEAD.max(self.lag)) {
                self.latest = time;
                self.advance(time.saturating_sub(self.lag), more)?;
            }
        }
        Ok(Flow::Pass)
    }

    fn tick(&mut self, now: Now, more: &mut Vec<Event>) -> Result<(), String> {
        match self.clock {
            Clock::Pipeline => self.advance(now.0.saturating_sub(self.lag), more),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Outcome<()> {
        self.store()
            .map_err(|fault: Box<Diagnostic>| fault.note("filter_profile stores measurements"))
    }

    fn end(&mut self, now: Now, saved: bool, more: &mut Vec<Event>) {
        if saved {
            return;
        }
        self.world.at(now);
        match self.stream.end() {
            Ok(measured) => self.take(measured, more),
            Err(fault) => tracing::warn!("filter_profile: {}", fault.message),
        }
    }

    fn save(&self) -> Option<Json> {
        Some(self.stream.save())
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.stream.load(state)
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("measured", self.measurements),
            ("late", self.stream.late()),
            ("errors", self.stream.failed() + self.unfit),
        ]
    }

    fn size(&self) -> usize {
        self.stream.entities()
    }

    fn evicted(&self) -> u64 {
        self.stream.refused()
    }
}
