//! `filter_flatline`

use super::alert::{ALERT, Alert, DB_PATH, QUERY_KEY, TAG, TIMEFRAME};
use super::change::whole_seconds;
use super::frequency::Window;
use super::keyed::{Keyed, key_of};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::python::Key;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Step, whole};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;

pub const FILTER_FLATLINE: ActionSpec = ActionSpec {
    name: "filter_flatline",
    kind: ActionKind::Filter,
    summary: "Makes an alert when there are too few events within a time.",
    details: "Every key is tested at the end of each `timeframe`, for the first time one `timeframe` after the start. With `forget_keys` a silent key gives one alert and is forgotten until its next event; without, one every `timeframe`. Without `query_key` there is an alert also when no event ever came. The alert has `timestamp`, `number_of_event`, `query_key` and the fields of `alert`, which win.",
    parameters: &[
        TAG,
        ALERT,
        ParameterSpec::required(
            "threshold",
            ParameterKind::Number,
            "with fewer events there is an alert",
        ),
        TIMEFRAME,
        QUERY_KEY.also(&["field_value"]),
        ParameterSpec::optional(
            "forget_keys",
            ParameterKind::Flag,
            "true",
            "whether a key without any event is forgotten after its alert",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: filter_flatline\n  match: my_log\n  tag: heartbeat_down\n  alert: {title: No more heartbeat!, priority: 3}\n  threshold: 1\n  query_key: source\n  timeframe: 60",
    ],
    make,
};

/// How many tests at most are made up for when time jumps.
const BEHIND: i64 = 100;

struct Flatline {
    alert: Alert,
    threshold: f64,
    timeframe: i64,
    query: Option<SmolStr>,
    forget: bool,
    windows: Keyed<Window>,
    /// When all keys are tested again.
    next: Option<i64>,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Kept(Box::new(Flatline {
        alert: Alert::of(parameters),
        threshold: parameters.number("threshold").unwrap_or(0.0),
        timeframe: parameters.seconds("timeframe").map_or(1, whole_seconds),
        query: parameters.text("query_key"),
        forget: parameters.flag("forget_keys").unwrap_or(true),
        windows: Keyed::with_most(build.common().keys),
        next: None,
    })))
}

impl Flatline {
    /// Tests all keys as they stand at `second`.
    fn test(&mut self, second: i64, more: &mut Vec<Event>) {
        let until = second - self.timeframe;
        if self.query.is_none() {
            // Also when no event ever came.
            let all = Key::Text(SmolStr::default());
            self.windows.entry(all, i64::MIN);
        }
        let (alert, threshold) = (&self.alert, self.threshold);
        let forget = self.forget && self.query.is_some();
        let mut found: Vec<(SmolStr, Event)> = Vec::new();
        self.windows.retain(|key, window, _| {
            window.drop_until(until, |_, _| {});
            let total = window.total();
            if (total as f64) < threshold {
                let number = i64::try_from(total).unwrap_or(i64::MAX);
                let query = match key {
                    Key::Text(text) if text.is_empty() => Value::text(""),
                    Key::Whole(n) => whole(*n),
                    Key::Null => Value::Null,
                    other => Value::Text(other.text()),
                };
                let own = [("number_of_event", whole(number)), ("query_key", query)];
                found.push((key.text(), alert.below(Now(second * 1000), own)));
            }
            !(forget && total == 0)
        });
        // The table has no order of its own.
        found.sort_by(|a, b| a.0.cmp(&b.0));
        more.extend(found.into_iter().map(|(_, event)| event));
    }
}

impl Kept for Flatline {
    fn apply(&mut self, event: &mut Event, now: Now, _: &mut Vec<Event>) -> Done {
        let Some(key) = key_of(&event.record, self.query.as_ref())? else {
            return Ok(Flow::Pass);
        };
        let second = now.seconds();
        if self.next.is_none() {
            self.next = Some(second + self.timeframe);
        }
        let window = self.windows.entry(key, second);
        window.add(second, 1);
        window.drop_until(second - self.timeframe, |_, _| {});
        Ok(Flow::Pass)
    }

    fn tick(&mut self, now: Now, more: &mut Vec<Event>) -> Result<(), String> {
        let second = now.seconds();
        let mut next = match self.next {
            Some(next) => next,
            None => {
                self.next = Some(second + self.timeframe);
                return Ok(());
            }
        };
        let behind = (second - next).max(0) / self.timeframe;
        if behind > BEHIND {
            next += (behind - BEHIND) * self.timeframe;
        }
        while next <= second {
            self.test(next, more);
            next += self.timeframe;
        }
        self.next = Some(next);
        Ok(())
    }

    fn save(&self) -> Option<Json> {
        let mut state = self.windows.save(Window::save);
        if let (Json::Object(state), Some(next)) = (&mut state, self.next) {
            state.insert("next".to_owned(), json!(next));
        }
        Some(state)
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        // The time while the program stood still is no silence, so the next test is not taken over.
        self.windows.load(state, Window::load)
    }

    fn size(&self) -> usize {
        self.windows.len()
    }

    fn evicted(&self) -> u64 {
        self.windows.evicted()
    }
}
