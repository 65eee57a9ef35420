//! A rule over some events, and what it did.

mod choices;
mod follow;

pub use choices::{choose, wrong_choices};
pub use follow::{EVENTS, Group};

use super::active::{Filter, reading};
use super::alert::Alert;
use super::event::Event;
use super::lua::{Counters, Note, NoteKind, Options, Running};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::{List, Map};
use crate::eval::{Context, Value};
use follow::Follow;
use smol_str::SmolStr;

/// How many alerts a trial keeps.
pub const ALERTS: usize = 100_000;
/// How many bytes of what a rule says in its alerts, and in its notes, a trial keeps.
pub const BYTES: usize = 64 << 20;

/// A rule as somebody wrote it down.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its name.
    pub name: SmolStr,
    /// Its text.
    pub lua: String,
    /// Events to try it with.
    pub test_data: Vec<Event>,
    /// What its settings grant it, in MiB.
    pub memory: Option<usize>,
    /// Its own choices among readings; see [`choose`].
    pub options: Value,
}

/// How deep the weight of a value is looked at.
const DEEPEST: usize = 64;

fn bad(message: impl Into<String>) -> Fault {
    Diagnostic::new(Code::BadRule, message)
}

impl Written {
    /// A rule that is its text.
    pub fn text(name: &str, lua: impl Into<String>) -> Written {
        Written {
            name: SmolStr::new(name),
            lua: lua.into(),
            test_data: Vec::new(),
            memory: None,
            options: Value::Null,
        }
    }

    /// A rule in the shape of the API. Errors: E0413 with the path.
    pub fn map(map: &Map) -> Outcome<Written> {
        let lua = match map.get_text("lua") {
            Some(Value::Text(lua)) if !lua.is_empty() => lua,
            Some(Value::Text(_) | Value::Null) | None => {
                return Err(bad("lua: the rule has no text"));
            }
            Some(_) => return Err(bad("lua: must be a text")),
        };
        let name = match map.get_text("name") {
            Some(Value::Text(name)) => name,
            _ => SmolStr::new_static("rule"),
        };
        let settings = match map.get_text("settings") {
            Some(Value::List(list)) => list.get(0),
            other => other,
        };
        let memory = match &settings {
            Some(Value::Map(settings)) => settings.get_text("max_rule_memory_mb"),
            _ => None,
        };
        let memory = memory.and_then(|m| m.as_double()).filter(|m| *m >= 1.0);
        let test_data = match map.get_text("test_data") {
            None | Some(Value::Null) => Vec::new(),
            Some(data) => {
                events_of(&data).map_err(|at| bad(format!("test_data{at}: must be an event")))?
            }
        };
        Ok(Written {
            name,
            lua: lua.to_string(),
            test_data,
            memory: memory.map(|m| m as usize),
            options: map.get_text("options").unwrap_or_default(),
        })
    }

    /// Loads the rule. Errors: those of its text and of its options.
    pub fn load(&self, options: Options) -> Outcome<Running> {
        let mut options = choose(options, &self.options)?;
        if let Some(memory) = self.memory {
            options.limits = options.limits.of_rule_memory(memory);
        }
        Running::load(
            &self.lua,
            Options {
                name: self.name.clone(),
                ..options
            },
        )
    }
}

/// The events that a value is: one map, or a list of maps. Errors: the place of what is none.
pub fn events_of(value: &Value) -> Result<Vec<Event>, String> {
    match value {
        Value::Map(map) => Ok(vec![Event::new(map.clone())]),
        Value::List(list) => {
            let items = list.items().into_iter().enumerate();
            let event = |(at, item)| match item {
                Value::Map(map) => Ok(Event::new(map)),
                _ => Err(format!("[{at}]")),
            };
            items.map(event).collect()
        }
        _ => Err(String::new()),
    }
}

/// What a rule did with events.
#[derive(Debug, Default)]
pub struct Trial {
    /// How many events it was given.
    pub events: usize,
    /// What it raised, with the number of the event, from 0; what came with the end of the batch has the last one.
    pub alerts: Vec<(usize, Alert)>,
    /// What it said and what was said about it, likewise.
    pub notes: Vec<(usize, Note)>,
    /// What its functions did.
    pub counters: Vec<Counters>,
    /// Events that a filter kept away, by their numbers, and which one did.
    pub filtered: Vec<(usize, SmolStr)>,
    /// What the groups became, with the number of the event, as far as they are followed.
    pub changes: Vec<(usize, Group)>,
    /// The groups that are left, if they were followed.
    pub left: Vec<Group>,
    /// Its groupers: the function, events fed, groups that are left, events that came too late.
    pub groups: Vec<(SmolStr, u64, usize, u64)>,
    /// Why it was suspended, if it was.
    pub suspended: Option<String>,
    /// What alerts and notes take.
    said: [usize; 2],
}

/// Runs a rule over events; `step` is asked before each whether to go on. Errors: those of loading, of `step`, E0304.
pub fn trial(
    running: &mut Running,
    events: &[Event],
    step: impl FnMut() -> Outcome<()>,
) -> Outcome<Trial> {
    filtered(running, events, None, step)
}

/// Filters, and the world that they see.
pub type Filters<'a> = (&'a [Filter], &'a Context);

/// The same behind filters. Groups are followed when there are at most [`EVENTS`] events.
pub fn filtered(
    running: &mut Running,
    events: &[Event],
    filters: Option<Filters<'_>>,
    mut step: impl FnMut() -> Outcome<()>,
) -> Outcome<Trial> {
    let mut trial = Trial {
        events: events.len(),
        ..Trial::default()
    };
    let mut follow = (events.len() <= EVENTS).then(Follow::default);
    let context = filters.map(|(_, context)| reading(context));
    trial.take(running, 0, Vec::new())?;
    for (at, event) in events.iter().enumerate() {
        step()?;
        if let (Some((filters, _)), Some(context)) = (filters, &context)
            && !trial.passes(at, event, filters, context)
        {
            continue;
        }
        let raised = running.event(event);
        trial.take(running, at, raised)?;
        trial.follow(&mut follow, running, at)?;
    }
    let raised = running.end_batch();
    let last = events.len().saturating_sub(1);
    trial.take(running, last, raised)?;
    trial.follow(&mut follow, running, last)?;
    if let Some(follow) = follow.filter(|follow| !follow.is_tired()) {
        trial.left = follow.left();
    }
    trial.counters = running.counters();
    let groupers = running.groupers().into_iter();
    trial.groups = groupers
        .map(|(name, c, groups, _)| (name, c.fed, groups, c.late))
        .collect();
    trial.suspended = running.suspended().map(str::to_string);
    Ok(trial)
}

impl Trial {
    /// Whether all filters let an event through; one that fails does not, and that is noted.
    fn passes(&mut self, at: usize, event: &Event, filters: &[Filter], context: &Context) -> bool {
        for filter in filters {
            match filter.holds(event, context) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(fault) => self.notes.push((
                    at,
                    Note {
                        kind: NoteKind::Error,
                        entry: smol_str::format_smolstr!("filter {}", filter.name()),
                        line: None,
                        text: fault.message.clone(),
                    },
                )),
            }
            self.filtered.push((at, filter.name().clone()));
            return false;
        }
        true
    }

    fn follow(&mut self, follow: &mut Option<Follow>, running: &Running, at: usize) -> Outcome<()> {
        if let Some(follow) = follow {
            let changes = follow.changes(running)?;
            self.changes
                .extend(changes.into_iter().map(|one| (at, one)));
        }
        Ok(())
    }

    fn take(&mut self, running: &mut Running, at: usize, raised: Vec<Alert>) -> Outcome<()> {
        if self.alerts.len() + raised.len() > ALERTS {
            return Err(Diagnostic::new(
                Code::CollectionSize,
                format!(
                    "the rule {} raises more than {ALERTS} alerts",
                    running.name()
                ),
            ));
        }
        let [alerts, said] = &mut self.said;
        for alert in &raised {
            let meta = super::event::weight(&alert.meta, DEEPEST);
            *alerts += alert.text.len() + alert.template.len() + meta;
        }
        if *alerts > BYTES {
            let name = running.name();
            let message = format!("the alerts of the rule {name} have more than {BYTES} bytes");
            return Err(Diagnostic::new(Code::CollectionSize, message));
        }
        self.alerts
            .extend(raised.into_iter().map(|alert| (at, alert)));
        let (notes, _) = running.notes();
        let room = ALERTS.saturating_sub(self.notes.len());
        for note in notes.into_iter().take(room) {
            *said += note.text.len();
            if *said > BYTES {
                break;
            }
            self.notes.push((at, note));
        }
        Ok(())
    }

    /// What went wrong: errors and stops.
    pub fn faults(&self) -> impl Iterator<Item = &(usize, Note)> {
        self.notes
            .iter()
            .filter(|(_, note)| matches!(note.kind, NoteKind::Error | NoteKind::Stop))
    }

    /// The report as a map: events, filtered, alerts, logs, errors, warnings, calls, groups, changes, left, suspended.
    pub fn to_map(&self) -> Map {
        let count = |n: u64| i32::try_from(n).map_or(Value::Long(n as i64), Value::Int);
        let alerts = self.alerts.iter().map(|(at, alert)| {
            let map = alert.to_map();
            // A fresh map of far fewer fields than any limit.
            let _ = map.put(Value::text("event"), count(*at as u64), usize::MAX);
            Value::Map(map)
        });
        let notes = |kinds: &[NoteKind]| {
            let notes = self
                .notes
                .iter()
                .filter(|(_, note)| kinds.contains(&note.kind));
            let notes = notes.map(|(at, note)| {
                let line = note.line.map_or(Value::Null, |line| count(u64::from(line)));
                Value::Map(Map::of_texts([
                    ("event", count(*at as u64)),
                    ("function", Value::Text(note.entry.clone())),
                    ("line", line),
                    ("text", Value::text(&note.text)),
                ]))
            });
            Value::List(List::array(notes.collect()))
        };
        let calls = self.counters.iter().map(|one| {
            Value::Map(Map::of_texts([
                ("function", Value::Text(one.name.clone())),
                ("calls", count(one.calls)),
                ("errors", count(one.errors)),
                ("stops", count(one.stops)),
            ]))
        });
        let groups = self.groups.iter().map(|(name, fed, left, late)| {
            Value::Map(Map::of_texts([
                ("function", Value::Text(name.clone())),
                ("fed", count(*fed)),
                ("groups", count(*left as u64)),
                ("late", count(*late)),
            ]))
        });
        let filtered = self.filtered.iter().map(|(at, name)| {
            let name = Value::Text(name.clone());
            Value::Map(Map::of_texts([
                ("event", count(*at as u64)),
                ("filter", name),
            ]))
        });
        let changes = self.changes.iter().map(|(at, group)| {
            let map = group.to_map();
            let _ = map.put(Value::text("event"), count(*at as u64), usize::MAX);
            Value::Map(map)
        });
        let left = self.left.iter().map(|group| Value::Map(group.to_map()));
        let suspended = self.suspended.as_ref().map_or(Value::Null, Value::text);
        Map::of_texts([
            ("events", count(self.events as u64)),
            ("filtered", Value::List(List::array(filtered.collect()))),
            ("alerts", Value::List(List::array(alerts.collect()))),
            ("logs", notes(&[NoteKind::Log])),
            ("errors", notes(&[NoteKind::Error, NoteKind::Stop])),
            ("warnings", notes(&[NoteKind::Warning])),
            ("calls", Value::List(List::array(calls.collect()))),
            ("groups", Value::List(List::array(groups.collect()))),
            ("changes", Value::List(List::array(changes.collect()))),
            ("left", Value::List(List::array(left.collect()))),
            ("suspended", suspended),
        ])
    }
}
