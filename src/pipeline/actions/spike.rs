//! `filter_spike`

use super::alert::{ALERT, Alert, DB_PATH, QUERY_KEY, TAG, TIMEFRAME};
use super::change::whole_seconds;
use super::keyed::{Keyed, key_of};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Step};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::collections::VecDeque;

pub const FILTER_SPIKE: ActionSpec = ActionSpec {
    name: "filter_spike",
    kind: ActionKind::Filter,
    summary: "Makes an alert when there are many times more or fewer events than in the time before.",
    details: "Two windows slide with every event: the last `timeframe` and the one before it. With `field_value` the means of a field are compared instead of the numbers of events; events without the field count as 0, and a number that is not finite makes a dead letter. The windows end with the newest event of the key; an event that is older than both counts for nothing (`late` in `--stats`). The alert has `timestamp`, `spike_height` (the ratio of the windows), `spike_type` and the fields of `alert`, which win.",
    parameters: &[
        TAG,
        ALERT,
        ParameterSpec::required(
            "spike_height",
            ParameterKind::Number,
            "from this ratio on there is an alert",
        ),
        ParameterSpec::required(
            "spike_type",
            ParameterKind::Choice(&["up", "down", "both"]),
            "which direction matters",
        ),
        TIMEFRAME,
        QUERY_KEY,
        ParameterSpec::optional(
            "field_value",
            ParameterKind::Text,
            "",
            "the field whose means are compared",
        ),
        ParameterSpec::optional(
            "threshold_ref",
            ParameterKind::Whole,
            "10",
            "how many events the window before must have",
        ),
        ParameterSpec::optional(
            "threshold_cur",
            ParameterKind::Whole,
            "10",
            "how many events the last window must have",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: filter_spike\n  match: my_log\n  tag: temperature_alert\n  alert: {title: The temperature rises too quickly, priority: 1}\n  spike_height: 2\n  spike_type: up\n  field_value: temperature\n  timeframe: 60",
    ],
    make,
};

/// Numbers and sums by second.
#[derive(Default)]
struct Sums {
    seconds: VecDeque<(i64, u64, f64)>,
    count: u64,
    sum: f64,
}

impl Sums {
    fn add(&mut self, second: i64, number: u64, value: f64) {
        self.count += number;
        self.sum += value;
        let place = self.seconds.partition_point(|(s, ..)| *s <= second);
        let before = place.checked_sub(1);
        match before.and_then(|before| self.seconds.get_mut(before)) {
            Some((known, count, sum)) if *known == second => {
                *count += number;
                *sum += value;
            }
            _ => self.seconds.insert(place, (second, number, value)),
        }
    }

    fn pop_until(&mut self, until: i64) -> Option<(i64, u64, f64)> {
        let &(second, count, sum) = self.seconds.front()?;
        if second > until {
            return None;
        }
        self.seconds.pop_front();
        self.count -= count;
        self.sum -= sum;
        if self.seconds.is_empty() {
            // Differences of sums never come back to nothing by themselves.
            self.sum = 0.0;
        }
        Some((second, count, sum))
    }

    fn save(&self) -> Json {
        json!(self.seconds)
    }

    fn load(saved: &Json) -> Option<Sums> {
        let mut sums = Sums::default();
        for entry in saved.as_array()? {
            let (second, count) = (entry.get(0)?.as_i64()?, entry.get(1)?.as_u64()?);
            sums.add(second, count, entry.get(2)?.as_f64()?);
        }
        Some(sums)
    }
}

#[derive(Default)]
struct Windows {
    current: Sums,
    reference: Sums,
}

struct Spike {
    alert: Alert,
    height: f64,
    up: bool,
    down: bool,
    timeframe: i64,
    query: Option<SmolStr>,
    field: Option<SmolStr>,
    least_reference: u64,
    least_current: u64,
    windows: Keyed<Windows>,
    /// How many events were too old to count.
    late: u64,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let kind = parameters.text_or("spike_type", "both");
    let least = |name: &str| {
        let number = parameters.whole(name).unwrap_or(10);
        u64::try_from(number).unwrap_or(0)
    };
    Ok(Step::Kept(Box::new(Spike {
        alert: Alert::of(parameters),
        height: parameters.number("spike_height").unwrap_or(1.0),
        up: kind != "down",
        down: kind != "up",
        timeframe: parameters.seconds("timeframe").map_or(1, whole_seconds),
        query: parameters.text("query_key"),
        field: parameters.text("field_value"),
        least_reference: least("threshold_ref"),
        least_current: least("threshold_cur"),
        windows: Keyed::with_most(build.common().keys),
        late: 0,
    })))
}

/// The number in a field; a missing one is 0.
fn number(record: &Record, field: &SmolStr) -> Result<f64, String> {
    let number = match record.get(field) {
        None => 0.0,
        Some(Value::Bool(truth)) => f64::from(u8::from(*truth)),
        Some(Value::Int(n)) => f64::from(*n),
        Some(Value::Long(n)) => *n as f64,
        Some(Value::Double(n)) => *n,
        Some(other) => {
            let found = other.kind_in_words();
            return Err(format!("{field} is {found}, not a number"));
        }
    };
    match number.is_finite() {
        true => Ok(number),
        false => Err(format!("{field} is {number}, which has no mean")),
    }
}

impl Kept for Spike {
    fn apply(&mut self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let Some(key) = key_of(&event.record, self.query.as_ref())? else {
            return Ok(Flow::Pass);
        };
        let value = match &self.field {
            Some(field) => number(&event.record, field)?,
            None => 0.0,
        };
        let second = now.seconds();
        let Windows { current, reference } = self.windows.entry(key, second);
        // The windows end with the newest event, also when others come after it.
        let newest = current
            .seconds
            .back()
            .map_or(second, |(s, ..)| second.max(*s));
        if second > newest - self.timeframe {
            current.add(second, 1, value);
        } else if second > newest - 2 * self.timeframe {
            reference.add(second, 1, value);
        } else {
            self.late += 1;
            return Ok(Flow::Pass);
        }
        while let Some((second, count, sum)) = current.pop_until(newest - self.timeframe) {
            reference.add(second, count, sum);
        }
        while reference.pop_until(newest - 2 * self.timeframe).is_some() {}
        if current.count < self.least_current || reference.count < self.least_reference {
            return Ok(Flow::Pass);
        }
        let (now_level, before) = match self.field {
            Some(_) => (
                current.sum / current.count as f64,
                reference.sum / reference.count as f64,
            ),
            None => (current.count as f64, reference.count as f64),
        };
        if before == 0.0 || before.is_nan() || now_level.is_nan() {
            return Ok(Flow::Pass);
        }
        let ratio = now_level / before;
        let kind = if self.up && ratio >= self.height {
            "up"
        } else if self.down && ratio != 0.0 && 1.0 / ratio >= self.height {
            "down"
        } else {
            return Ok(Flow::Pass);
        };
        let own = [
            ("spike_height", Value::Double(ratio)),
            ("spike_type", Value::text(kind)),
        ];
        more.push(self.alert.below(now, own));
        Ok(Flow::Pass)
    }

    fn tick(&mut self, now: Now, _: &mut Vec<Event>) -> Result<(), String> {
        let now = now.seconds();
        self.windows
            .expire(now - 2 * self.timeframe, now, self.timeframe / 2);
        Ok(())
    }

    fn save(&self) -> Option<Json> {
        let one = |w: &Windows| json!([w.current.save(), w.reference.save()]);
        Some(self.windows.save(one))
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.windows.load(state, |saved| {
            Some(Windows {
                current: Sums::load(saved.get(0)?)?,
                reference: Sums::load(saved.get(1)?)?,
            })
        })
    }

    fn others(&self) -> Vec<(&'static str, u64)> {
        vec![("late", self.late)]
    }

    fn size(&self) -> usize {
        self.windows.len()
    }

    fn evicted(&self) -> u64 {
        self.windows.evicted()
    }
}
