//! `filter_threshold`

use crate::diagnostic::Outcome;
use crate::eval::text::to_text;
use crate::eval::{Value, json};
use crate::event::store::Threshold;
use crate::event::thresholding::Timing;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::expression::{Expression, World};
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Step, whole};
use ahash::AHashMap;
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use std::collections::BTreeSet;

pub const FILTER_THRESHOLD: ActionSpec = ActionSpec {
    name: "filter_threshold",
    kind: ActionKind::Filter,
    summary: "Passes the first event of a kind and holds back the next ones for a time.",
    details: "The kind of an event is the value of the expression `key`; an event for which that is null passes. The first event of a key passes and begins a window; those that come while it lasts are dropped. Its last part, `relapse`, is for trouble that goes on although it was reported: the latest event of that part passes when the window has ended, and begins the next window. This is what Mentat's reporter does, and `stellar event threshold` after it, here for events on their way. `count_key` names a field that says how many were held back since the one before.\n\nAt most a million keys are kept; beyond that the windows go that end first.",
    parameters: &[
        ParameterSpec::required(
            "key",
            ParameterKind::Expression,
            "the expression of what the event is about",
        ),
        ParameterSpec::required(
            "threshold",
            ParameterKind::Seconds,
            "how long a window lasts",
        ),
        ParameterSpec::optional(
            "relapse",
            ParameterKind::Seconds,
            "0",
            "how long the last part of a window is in which events count as a relapse",
        ),
        ParameterSpec::optional(
            "count_key",
            ParameterKind::Text,
            "",
            "the field for the number of events that were held back",
        ),
        ParameterSpec::optional(
            "db_path",
            ParameterKind::Path,
            "",
            "a file that keeps the windows over a stop",
        ),
    ],
    examples: &[
        "- name: filter_threshold\n  match: alert\n  key: \"[title, source_ip]\"\n  threshold: 1d\n  relapse: 12h",
    ],
    make,
};

/// The most keys that are kept.
const KEYS: usize = 1_000_000;

/// A window of a key, in milliseconds.
struct Window {
    relapse: i64,
    end: i64,
    /// How many were held back in it.
    held: u64,
    /// The latest of its last part.
    last: Option<Event>,
}

struct Thresholds {
    world: World,
    key: Expression,
    timing: Timing,
    count_key: Option<SmolStr>,
    windows: AHashMap<SmolStr, Window>,
    /// When windows end.
    ends: BTreeSet<(i64, SmolStr)>,
    evicted: u64,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let millis = |name: &str| {
        let time = parameters.seconds(name).unwrap_or_default();
        i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
    };
    let timing = Timing {
        window: millis("threshold"),
        relapse: millis("relapse"),
    };
    if timing.window == 0 {
        return Err(parameters.fault("threshold", "a window has a length"));
    }
    timing
        .threshold("", 0)
        .map_err(|fault| parameters.fault("relapse", fault.message))?;
    let world = World::new(build.context);
    let Some(node) = parameters.raw("key") else {
        return Err(parameters.fault("key", "filter_threshold needs a key"));
    };
    Ok(Step::Kept(Box::new(Thresholds {
        key: Expression::new(node, &[], &world)?,
        world,
        timing,
        count_key: parameters.text("count_key"),
        windows: AHashMap::new(),
        ends: BTreeSet::new(),
        evicted: 0,
    })))
}

impl Thresholds {
    /// Begins a window. Errors: it would end beyond all years.
    fn begin(&mut self, key: &SmolStr, now: i64) -> Result<(), String> {
        let threshold = self.timing.threshold(key, now);
        let Threshold {
            relapsetime,
            ttltime,
            ..
        } = threshold.map_err(|fault| fault.message)?;
        while self.windows.len() >= KEYS {
            let Some((_, first)) = self.ends.pop_first() else {
                break;
            };
            self.windows.remove(&first);
            self.evicted += 1;
        }
        let window = Window {
            relapse: relapsetime,
            end: ttltime,
            held: 0,
            last: None,
        };
        self.ends.insert((window.end, key.clone()));
        self.windows.insert(key.clone(), window);
        Ok(())
    }

    fn count(&self, event: &mut Event, held: u64) {
        if let Some(name) = &self.count_key {
            let held = i64::try_from(held).unwrap_or(i64::MAX);
            event.record.set(name.clone(), whole(held));
        }
    }

    /// Ends the windows that are over, with their relapses.
    fn expire(&mut self, now: i64, more: &mut Vec<Event>) -> Result<(), String> {
        // A window holds up to the moment of its end.
        while self.ends.first().is_some_and(|(end, _)| *end < now) {
            let Some((_, key)) = self.ends.pop_first() else {
                break;
            };
            let Some(window) = self.windows.remove(&key) else {
                continue;
            };
            if let Some(mut last) = window.last {
                self.count(&mut last, window.held.saturating_sub(1));
                self.begin(&key, now)?;
                more.push(last);
            }
        }
        Ok(())
    }
}

impl Kept for Thresholds {
    fn apply(&mut self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let key = match self.key.run(&event.record, self.world.at(now))? {
            Value::Null => return Ok(Flow::Pass),
            Value::Text(text) => text,
            other => to_text(&other),
        };
        let now = now.0;
        let over = self.windows.get(&key).is_some_and(|w| w.end < now);
        if over {
            self.expire(now, more)?;
        }
        let Some(window) = self.windows.get_mut(&key) else {
            self.begin(&key, now)?;
            self.count(event, 0);
            return Ok(Flow::Pass);
        };
        window.held += 1;
        if window.relapse < window.end && now >= window.relapse {
            window.last = Some(event.clone());
        }
        Ok(Flow::Drop)
    }

    fn tick(&mut self, now: Now, more: &mut Vec<Event>) -> Result<(), String> {
        self.expire(now.0, more)
    }

    fn save(&self) -> Option<Json> {
        let window = |(key, window): (&SmolStr, &Window)| {
            let last = window.last.as_ref().map(|event| {
                let fields = event.record.iter().map(|(name, value)| {
                    json!([json::to_json(name).ok(), json::to_json(value).ok()])
                });
                let time = match event.time {
                    Time::Whole(seconds) => json!(seconds),
                    Time::Fraction(seconds) => json!(seconds),
                };
                json!({"tag": event.tag.as_str(), "time": time, "record": fields.collect::<Vec<_>>()})
            });
            let saved = json!({
                "relapse": window.relapse, "end": window.end, "held": window.held, "last": last,
            });
            (key.to_string(), saved)
        };
        let windows: Map<String, Json> = self.windows.iter().map(window).collect();
        Some(json!({"windows": windows}))
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        let saved = state.get("windows").and_then(Json::as_object);
        let saved = saved.ok_or("it holds no `windows`")?;
        let mut windows = AHashMap::with_capacity(saved.len());
        for (key, saved) in saved {
            let window = read(saved).ok_or_else(|| format!("the window of {key} is odd"))?;
            windows.insert(SmolStr::new(key), window);
        }
        self.ends = windows
            .iter()
            .map(|(key, window)| (window.end, key.clone()))
            .collect();
        self.windows = windows;
        Ok(())
    }

    fn size(&self) -> usize {
        self.windows.len()
    }

    fn evicted(&self) -> u64 {
        self.evicted
    }
}

/// A window as it was saved.
fn read(saved: &Json) -> Option<Window> {
    let whole = |name: &str| saved.get(name).and_then(Json::as_i64);
    let last = match saved.get("last") {
        None | Some(Json::Null) => None,
        Some(event) => Some(read_event(event)?),
    };
    Some(Window {
        relapse: whole("relapse")?,
        end: whole("end")?,
        held: u64::try_from(whole("held")?).ok()?,
        last,
    })
}

fn read_event(saved: &Json) -> Option<Event> {
    let time = saved.get("time")?;
    let mut record = Record::default();
    for field in saved.get("record")?.as_array()? {
        let value = |index: usize| json::from_json(field.get(index)?, 200).ok();
        record.set_value(value(0)?, value(1)?);
    }
    Some(Event {
        tag: saved.get("tag")?.as_str()?.into(),
        time: match time.as_i64() {
            Some(seconds) => Time::Whole(seconds),
            None => Time::Fraction(time.as_f64()?),
        },
        record,
    })
}
