//! Rules on one thread, each with its filters and its bounds.

use super::filter::{Filter, reading};
use super::identity::{Cause, Identity, Told};
use super::metrics::{FunctionMetrics, Metrics};
use super::pace::{Pace, Rate};
use super::ready::{Ready, positive};
use crate::diagnostic::Outcome;
use crate::eval::collections::Map;
use crate::eval::{Context, Value};
use crate::rule::alert::Alert;
use crate::rule::event::{Event, weight};
use crate::rule::identifier;
use crate::rule::lua::{Note, NoteKind, Options, Running, Saved};
use crate::rule::model::Entity;
use crate::rule::store::Happened;
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// How many notes of a rule are handed over with a batch; the rest is counted.
const NOTES: usize = 1000;
/// How many bytes they have together.
const NOTE_BYTES: usize = 1 << 20;

/// How many alerts of a rule one batch may have; what is above is dropped.
const ALERTS: usize = 10_000;
/// How many bytes the alerts of all rules of a lane may take in one batch, without the events in them: each rule may
/// have its part, or [`OWN_BYTES`] where that is more.
const ALERT_BYTES: usize = 128 << 20;
/// How many bytes of alerts each rule may have in a batch.
const OWN_BYTES: usize = 4 << 20;

/// An alert on its way.
#[derive(Debug, Clone)]
pub struct Raised {
    /// The place of the event in its batch; the number of events for what came with the end of the batch.
    pub event: usize,
    /// The identifier of the rule.
    pub rule: SmolStr,
    /// What it is about.
    pub finding: Option<Arc<Entity>>,
    /// The identifier under which it is kept.
    pub id: String,
    /// Whether it says that the rule is suspended.
    pub notice: bool,
    /// Whether the rule is in the store.
    pub stored: bool,
    /// The alert.
    pub alert: Alert,
}

impl Raised {
    /// The alert as a map, with `id`, `rule_id`, `finding_id`, `finding` (its name) and `notice` beside.
    pub fn to_map(&self) -> Map {
        let map = self.alert.to_map();
        let finding = self.finding.as_ref();
        let text = |text: Option<&String>| text.map_or(Value::Null, Value::text);
        for (name, value) in [
            ("id", Value::text(&self.id)),
            ("rule_id", Value::Text(self.rule.clone())),
            ("finding_id", text(finding.map(|finding| &finding.id))),
            ("finding", text(finding.map(|finding| &finding.name))),
            ("notice", Value::Bool(self.notice)),
        ] {
            // A fresh map of far fewer fields than any limit.
            let _ = map.put(Value::text(name), value, usize::MAX);
        }
        map
    }
}

/// What a rule said, or what was said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The identifier of the rule.
    pub rule: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// What there is to say.
    pub note: Note,
}

/// What happened since the last report.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What was said.
    pub said: Vec<Said>,
    /// How much there was no room for.
    pub lost: u64,
    /// What is to be added to what the store counts, by rule.
    pub happened: Vec<(SmolStr, Happened)>,
}

/// A filter, which several rules may have, and what it says of the event at hand.
struct Shared {
    filter: Filter,
    answer: Option<Result<bool, String>>,
}

struct Slot {
    ready: Arc<Ready>,
    running: Running,
    /// Places among the filters of the lane.
    filters: Vec<usize>,
    rate: Option<Rate>,
    /// How many more alerts are let through.
    left: Option<u64>,
    metrics: Metrics,
    /// Errors of filters, which the rule's own counters do not have.
    unfiltered: u64,
    /// Errors and stops that were told to the store.
    told: u64,
    happened: Happened,
    said: Vec<Said>,
    bytes: usize,
    lost: u64,
    /// How many alerts the batch has, and how many bytes they take.
    batch: (usize, usize),
    /// How many bytes they may take.
    room: usize,
    /// Events fed when the groups were saved last.
    saved: Option<u64>,
    identity: Identity,
}

/// Rules on one thread.
pub struct Lane {
    context: Context,
    options: Options,
    pace: Pace,
    /// Who runs it: what two of them raise is not the same.
    runner: SmolStr,
    slots: Vec<Slot>,
    filters: Vec<Shared>,
}

impl Lane {
    /// A lane without rules; `options` is how they are loaded.
    pub fn new(context: &Context, options: Options, pace: Pace) -> Lane {
        Lane {
            context: reading(context),
            options,
            pace,
            runner: SmolStr::default(),
            slots: Vec::new(),
            filters: Vec::new(),
        }
    }

    /// The same for a runner, whose alerts have identifiers of their own.
    pub fn of(self, runner: SmolStr) -> Lane {
        Lane { runner, ..self }
    }

    /// Loads a rule, in place of an earlier form of it, whose groups it takes over as far as they are made in the same
    /// way. Errors: those of loading; the earlier form runs on then.
    pub fn take(&mut self, ready: Arc<Ready>) -> Outcome<()> {
        let mut running = ready.load(self.options.clone())?;
        let place = self.slots.iter().position(|slot| slot.ready.id == ready.id);
        let before = place.and_then(|place| self.slots.get(place));
        let mut warning = None;
        if let Some(before) = before {
            let kept = before.running.save();
            if let Err(fault) = kept.and_then(|saved| running.restore(&saved)) {
                warning = Some(fault.message.clone());
            }
        }
        let now = (self.options.now)();
        let mut texts = vec![ready.written.lua.as_str()];
        texts.extend(ready.modules.iter().map(|module| module.text.as_str()));
        let mut identity = Identity::new(&self.runner, &ready.id, &texts);
        if let Some(before) = before {
            identity.remember(&before.identity.told());
        }
        let mut slot = Slot {
            metrics: Metrics {
                id: ready.id.to_string(),
                name: ready.name().to_string(),
                loaded: now,
                loads: 1 + before.map_or(0, |before| before.metrics.loads),
                ..Metrics::default()
            },
            filters: Vec::new(),
            rate: positive(ready.settings.max_alerts_per_second).map(Rate::new),
            left: positive(ready.settings.max_alerts),
            unfiltered: 0,
            told: 0,
            happened: Happened {
                running_at: Some(rfc3339(now)),
                ..Happened::default()
            },
            said: Vec::new(),
            bytes: 0,
            lost: 0,
            batch: (0, 0),
            room: OWN_BYTES,
            saved: None,
            identity,
            running,
            ready,
        };
        if let Some(text) = warning {
            slot.warn(text);
        }
        match place.and_then(|place| self.slots.get_mut(place)) {
            Some(before) => {
                std::mem::swap(before, &mut slot);
                // What was not told yet of the earlier form.
                slot.settle();
                before.happened.results += slot.happened.results;
                before.happened.errors += slot.happened.errors;
                before.said.splice(0..0, slot.said);
                before.lost += slot.lost;
            }
            None => self.slots.push(slot),
        }
        self.share_filters();
        Ok(())
    }

    /// Ends a rule; what happened to it since the last report.
    pub fn remove(&mut self, id: &str) -> Option<Happened> {
        let place = self.slots.iter().position(|slot| slot.ready.id == id)?;
        let mut slot = self.slots.remove(place);
        slot.settle();
        self.share_filters();
        Some(slot.happened)
    }

    /// The identifiers of the rules, in their order.
    pub fn rules(&self) -> impl Iterator<Item = &SmolStr> {
        self.slots.iter().map(|slot| &slot.ready.id)
    }

    fn slot(&mut self, id: &str) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.ready.id == id)
    }

    /// Filters with the same text are asked once for an event.
    fn share_filters(&mut self) {
        self.filters.clear();
        let room = (ALERT_BYTES / self.slots.len().max(1)).max(OWN_BYTES);
        self.slots.iter_mut().for_each(|slot| slot.room = room);
        for slot in &mut self.slots {
            slot.filters.clear();
            for filter in &slot.ready.filters {
                let mut known = self.filters.iter();
                let place = known.position(|one| one.filter.expression() == filter.expression());
                let place = place.unwrap_or_else(|| {
                    self.filters.push(Shared {
                        filter: filter.clone(),
                        answer: None,
                    });
                    self.filters.len() - 1
                });
                slot.filters.push(place);
            }
        }
    }

    /// Gives an event to all rules; `at` is its place in the batch. What fails is counted and said.
    pub fn event(&mut self, at: usize, event: &Event, raised: &mut Vec<Raised>) {
        self.filters.iter_mut().for_each(|one| one.answer = None);
        for slot in &mut self.slots {
            if slot.metrics.suspended.is_some() {
                continue;
            }
            if !slot.filters.is_empty() && !slot.passes(event, &mut self.filters, &self.context) {
                continue;
            }
            slot.metrics.events += 1;
            let alerts = slot.running.event(event);
            if !alerts.is_empty() {
                slot.let_through(at, Some(event), alerts, self.pace, &self.options, raised);
            }
        }
    }

    /// Ends a batch of events: groups that wait for it call their rules.
    pub fn end_batch(&mut self, at: usize, raised: &mut Vec<Raised>) {
        for slot in &mut self.slots {
            let alerts = slot.running.end_batch();
            if !alerts.is_empty() {
                slot.let_through(at, None, alerts, self.pace, &self.options, raised);
            }
            if slot.batch.1 > slot.room || slot.batch.0 > ALERTS {
                slot.warn("it raises too many alerts at once: some are dropped".to_string());
            }
            slot.batch = (0, 0);
            slot.gather_notes();
        }
    }

    /// What happened since the last report.
    pub(super) fn report(&mut self) -> Report {
        let mut report = Report::default();
        for slot in &mut self.slots {
            slot.gather_notes();
            slot.settle();
            report.said.append(&mut slot.said);
            slot.bytes = 0;
            report.lost += std::mem::take(&mut slot.lost);
            if slot.happened != Happened::default() {
                let happened = std::mem::take(&mut slot.happened);
                report.happened.push((slot.ready.id.clone(), happened));
            }
        }
        report
    }

    /// What the rules said since the last time, and how much there was no room for.
    pub fn notes(&mut self) -> (Vec<Said>, u64) {
        let report = self.report();
        (report.said, report.lost)
    }

    /// What the rules did since they were loaded.
    pub fn metrics(&self) -> Vec<Metrics> {
        self.slots.iter().map(Slot::measured).collect()
    }

    /// The groups of each rule, by its identifier; with `changed` only of those that were fed since the last time.
    /// Rules whose groups cannot be written are left out and said.
    pub fn save(&mut self, changed: bool) -> Vec<(SmolStr, Saved)> {
        let mut all = Vec::new();
        for slot in &mut self.slots {
            let groupers = slot.running.groupers();
            let fed = groupers.iter().map(|(_, c, ..)| c.fed).sum();
            if groupers.is_empty() || (changed && slot.saved == Some(fed)) {
                continue;
            }
            match slot.running.save() {
                Ok(saved) => {
                    slot.saved = Some(fed);
                    all.push((slot.ready.id.clone(), saved));
                }
                Err(fault) => slot.warn(fault.message.clone()),
            }
        }
        all
    }

    /// What the rules remember of the events that raised alerts, by their identifiers.
    pub(super) fn told(&self) -> Vec<(SmolStr, Told)> {
        let slots = self.slots.iter();
        let told = slots.map(|slot| (slot.ready.id.clone(), slot.identity.told()));
        told.filter(|(_, told)| !told.is_empty()).collect()
    }

    /// Gives a rule back what it remembered, if it is there.
    pub(super) fn remember(&mut self, id: &str, told: &[(u64, u32)]) {
        if let Some(slot) = self.slot(id) {
            slot.identity.remember(told);
        }
    }

    /// Gives a rule its groups back; false when there is no such rule. Errors: E0605.
    pub fn restore(&mut self, id: &str, saved: &Saved) -> Outcome<bool> {
        match self.slot(id) {
            Some(slot) => slot.running.restore(saved).map(|_| true),
            None => Ok(false),
        }
    }
}

impl Slot {
    /// Whether all filters let the event through.
    fn passes(&mut self, event: &Event, filters: &mut [Shared], context: &Context) -> bool {
        for at in 0..self.filters.len() {
            let shared = self.filters.get(at).and_then(|at| filters.get_mut(*at));
            let Some(shared) = shared else { continue };
            let answer = shared.answer.get_or_insert_with(|| {
                let answer = shared.filter.holds(event, context);
                answer.map_err(|fault| fault.message.clone())
            });
            match answer {
                Ok(true) => {}
                Ok(false) => {
                    self.metrics.filtered += 1;
                    return false;
                }
                Err(why) => {
                    self.unfiltered += 1;
                    let entry = format_smolstr!("filter {}", shared.filter.name());
                    let text = why.clone();
                    self.say(Note {
                        kind: NoteKind::Error,
                        entry,
                        line: None,
                        text,
                    });
                    return false;
                }
            }
        }
        true
    }

    /// Lets alerts through as far as the settings allow.
    #[cold]
    fn let_through(
        &mut self,
        at: usize,
        event: Option<&Event>,
        alerts: Vec<Alert>,
        pace: Pace,
        options: &Options,
        raised: &mut Vec<Raised>,
    ) {
        let cause = event.map(|event| self.cause(event, &alerts, options));
        let count = alerts.len();
        let suspended = self.running.suspended().map(str::to_string);
        // The last one says so.
        let notice = suspended.as_ref().map(|_| alerts.len().saturating_sub(1));
        for (number, alert) in alerts.into_iter().enumerate() {
            // What came with the end of a batch is told apart by what it says.
            let id = match &cause {
                Some(cause) => cause.identifier(number),
                None => {
                    let moment = (!alert.own_time).then(options.now.as_ref());
                    self.identity.cause(&alert.to_map(), moment).identifier(0)
                }
            };
            if Some(number) == notice {
                self.raise((at, id), alert, true, raised);
                continue;
            }
            let time = match pace {
                Pace::Events => alert.time,
                Pace::Machine => (options.now)(),
            };
            let room = self.left != Some(0) && self.has_room(&alert);
            if !room || !self.rate.as_mut().is_none_or(|rate| rate.take(time)) {
                self.metrics.dropped += 1;
                continue;
            }
            self.left = self.left.map(|left| left - 1);
            self.raise((at, id), alert, false, raised);
        }
        self.metrics.suspended = suspended;
        if self.left == Some(0) && self.metrics.suspended.is_none() {
            let most = positive(self.ready.settings.max_alerts).unwrap_or_default();
            let why = format!(
                "the rule {} is suspended: it raised its max_alerts of {most}",
                self.ready.name()
            );
            self.running.suspend(why.clone());
            for (more, alert) in self.running.raised().into_iter().enumerate() {
                let id = match &cause {
                    Some(cause) => cause.identifier(count + more),
                    None => identifier(),
                };
                self.raise((at, id), alert, true, raised);
            }
            self.metrics.suspended = Some(why);
        }
    }

    /// What the alerts of an event come from. One without a time of its own may come again later, and is another then.
    fn cause(&mut self, event: &Event, alerts: &[Alert], options: &Options) -> Cause {
        let timed = alerts.first().is_some_and(|alert| alert.own_time);
        let moment = (!timed).then(options.now.as_ref());
        self.identity.cause(event.map(), moment)
    }

    /// Whether the batch takes one more alert of the rule.
    fn has_room(&mut self, alert: &Alert) -> bool {
        let texts = [&alert.text, &alert.template].map(|text| text.len());
        let own = texts.iter().sum::<usize>() + weight(&alert.meta, 0);
        let (alerts, bytes) = &mut self.batch;
        *alerts += 1;
        *bytes += 1024 + own + alert.logs.len() * size_of::<Map>();
        *alerts <= ALERTS && *bytes <= self.room
    }

    fn raise(
        &mut self,
        (event, id): (usize, String),
        alert: Alert,
        notice: bool,
        raised: &mut Vec<Raised>,
    ) {
        self.metrics.alerts += u64::from(!notice);
        self.happened.results += 1;
        raised.push(Raised {
            event,
            rule: self.ready.id.clone(),
            finding: self.ready.finding.clone(),
            id,
            notice,
            stored: self.ready.rule.is_some(),
            alert,
        });
    }

    fn warn(&mut self, text: String) {
        self.say(Note {
            kind: NoteKind::Warning,
            entry: SmolStr::new_static("load"),
            line: None,
            text,
        });
    }

    fn say(&mut self, note: Note) {
        if self.said.len() >= NOTES || self.bytes + note.text.len() > NOTE_BYTES {
            self.lost += 1;
            return;
        }
        self.bytes += note.text.len();
        self.said.push(Said {
            rule: self.ready.id.clone(),
            name: self.ready.name().clone(),
            note,
        });
    }

    fn gather_notes(&mut self) {
        let (notes, lost) = self.running.notes();
        self.lost += lost;
        notes.into_iter().for_each(|note| self.say(note));
    }

    /// Counts what failed since the last time.
    fn settle(&mut self) {
        let counters = self.running.counters();
        let failed = counters.iter().map(|one| one.errors + one.stops);
        let failed = failed.sum::<u64>() + self.unfiltered;
        let more = failed.saturating_sub(self.told);
        self.told = failed;
        self.happened.errors += i64::try_from(more).unwrap_or(i64::MAX);
    }

    fn measured(&self) -> Metrics {
        let mut metrics = self.metrics.clone();
        metrics.errors = self.unfiltered;
        for one in self.running.counters() {
            metrics.errors += one.errors;
            metrics.stops += one.stops;
            if self.ready.settings.function_metrics {
                metrics.functions.push(FunctionMetrics {
                    name: one.name.to_string(),
                    calls: one.calls,
                    errors: one.errors,
                    stops: one.stops,
                    total: one.total,
                    longest: one.longest,
                });
            }
        }
        let mut memory = self.running.memory();
        for (_, counters, groups, bytes) in self.running.groupers() {
            metrics.groups += groups as u64;
            metrics.evicted += counters.evicted_groups + counters.evicted_events;
            metrics.late += counters.late;
            memory += bytes;
        }
        metrics.memory = memory as u64;
        metrics
    }
}

/// A time as the API writes it.
pub(super) fn rfc3339(millis: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}
