//! `filter_change`

use super::alert::{ALERT, Alert, DB_PATH, TAG};
use super::keyed::Keyed;
use crate::diagnostic::Outcome;
use crate::eval::{Value, json};
use crate::pipeline::event::Event;
use crate::pipeline::python::{self, Key};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Step};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::time::Duration;

pub const FILTER_CHANGE: ActionSpec = ActionSpec {
    name: "filter_change",
    kind: ActionKind::Filter,
    summary: "Makes an alert when a field of the events with the same key changes.",
    details: "The first value of a key is only remembered. Values are compared as in Python: 1, 1.0 and true are equal. The alert has the fields of `alert` and `timestamp`, `query_key`, `old_value` and `new_value`.",
    parameters: &[
        TAG,
        ALERT,
        ParameterSpec::required(
            "compare_key",
            ParameterKind::Text,
            "the field that is watched",
        ),
        ParameterSpec::required(
            "query_key",
            ParameterKind::Text,
            "the field by whose value events belong together",
        ),
        ParameterSpec::optional(
            "ignore_null",
            ParameterKind::Flag,
            "true",
            "whether a missing value is passed over; else it is a value too",
        ),
        ParameterSpec::optional(
            "timeout",
            ParameterKind::Seconds,
            "never",
            "after this time without events a key is forgotten",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: filter_change\n  match: my_log\n  tag: my_alert\n  alert: {title: The hostname changes its status, priority: 2}\n  compare_key: status\n  query_key: hostname",
    ],
    make,
};

#[derive(Default)]
struct Last(Option<Value>);

struct Change {
    alert: Alert,
    compare: SmolStr,
    query: SmolStr,
    ignore_null: bool,
    timeout: Option<i64>,
    last: Keyed<Last>,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let timeout = parameters.seconds("timeout");
    Ok(Step::Kept(Box::new(Change {
        alert: Alert::of(parameters),
        compare: parameters.text_or("compare_key", ""),
        query: parameters.text_or("query_key", ""),
        ignore_null: parameters.flag("ignore_null").unwrap_or(true),
        timeout: timeout.filter(|time| !time.is_zero()).map(whole_seconds),
        last: Keyed::with_most(build.common().keys),
    })))
}

/// Whole seconds, at least one.
pub fn whole_seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX).max(1)
}

impl Kept for Change {
    fn apply(&mut self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let Some(query) = event.record.get(&self.query) else {
            return Ok(Flow::Pass);
        };
        let Some(key) = Key::of(query) else {
            let found = query.kind_in_words();
            return Err(format!("{} is {found}, which cannot be a key", self.query));
        };
        let value = event.record.get(&self.compare).cloned().unwrap_or_default();
        if self.ignore_null && matches!(value, Value::Null) {
            return Ok(Flow::Pass);
        }
        let query = query.clone();
        let last = self.last.entry(key, now.seconds());
        let Some(old) = &mut last.0 else {
            last.0 = Some(value);
            return Ok(Flow::Pass);
        };
        if !python::equal(old, &value) {
            let old = std::mem::replace(old, value.clone());
            let own = [
                ("query_key", query),
                ("old_value", old),
                ("new_value", value),
            ];
            more.push(self.alert.above(now, own));
        }
        Ok(Flow::Pass)
    }

    fn tick(&mut self, now: Now, _: &mut Vec<Event>) -> Result<(), String> {
        if let Some(timeout) = self.timeout {
            let now = now.seconds();
            self.last.expire(now - timeout, now, timeout / 10);
        }
        Ok(())
    }

    fn save(&self) -> Option<Json> {
        Some(self.last.save(|last| {
            let value = last.0.as_ref().map(json::to_json);
            value.and_then(Result::ok).unwrap_or_default()
        }))
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.last
            .load(state, |saved| Some(Last(json::from_json(saved, 200).ok())))
    }

    fn size(&self) -> usize {
        self.last.len()
    }

    fn evicted(&self) -> u64 {
        self.last.evicted()
    }
}
