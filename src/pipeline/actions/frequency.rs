//! `filter_frequency`, and windows of counts

use super::alert::{ALERT, Alert, DB_PATH, QUERY_KEY, TAG, TIMEFRAME};
use super::change::whole_seconds;
use super::keyed::{Keyed, key_of};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Kept, Now, Step, whole};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::collections::VecDeque;

pub const FILTER_FREQUENCY: ActionSpec = ActionSpec {
    name: "filter_frequency",
    kind: ActionKind::Filter,
    summary: "Makes an alert when there are so many events within a time.",
    details: "The window slides with every event: what is as old as `timeframe` is out. An event that comes late counts those up to its own time; one that is older than the window of the newest event of its key counts for nothing (`late` in `--stats`). Every further event makes an alert again. The alert has `timestamp`, `num_events` (how many there are), `timeframe` and the fields of `alert`, which win.",
    parameters: &[
        TAG,
        ALERT,
        ParameterSpec::required(
            "num_events",
            ParameterKind::Whole,
            "from so many events on there is an alert",
        ),
        TIMEFRAME,
        QUERY_KEY,
        DB_PATH,
    ],
    examples: &[
        "- name: filter_frequency\n  match: my_log\n  tag: my_alert\n  alert: {title: The hostname changes its status too often, priority: 1}\n  query_key: hostname\n  num_events: 10\n  timeframe: 60",
    ],
    make,
};

/// How many events there were in which second: 24 bytes, and 16 more a second once there are several.
#[derive(Debug, Default)]
pub struct Window {
    total: u64,
    /// The only second, or the first of several; it counts when `total` is not 0.
    first: i64,
    /// All seconds in their order, the first included; only when there are several.
    #[expect(clippy::box_collection, reason = "most keys have one second only")]
    seconds: Option<Box<VecDeque<(i64, u64)>>>,
}

impl Window {
    /// Adds an event; one that comes late is put in its place.
    pub fn add(&mut self, second: i64, number: u64) {
        if number == 0 {
            return;
        }
        let known = self.total;
        self.total += number;
        if known == 0 {
            self.first = second;
            return;
        }
        let seconds = match &mut self.seconds {
            None if self.first == second => return,
            None => {
                let mut seconds = Box::new(VecDeque::with_capacity(2));
                seconds.push_back((self.first, known));
                self.seconds.insert(seconds)
            }
            Some(seconds) => seconds,
        };
        let place = seconds.partition_point(|(s, _)| *s <= second);
        match place
            .checked_sub(1)
            .and_then(|before| seconds.get_mut(before))
        {
            Some((known, count)) if *known == second => *count += number,
            _ => seconds.insert(place, (second, number)),
        }
        self.first = seconds.front().map_or(second, |(first, _)| *first);
    }

    /// Takes out what happened at `until` or before, the oldest first.
    pub fn drop_until(&mut self, until: i64, mut gone: impl FnMut(i64, u64)) {
        if self.total == 0 || self.first > until {
            return;
        }
        let Some(seconds) = &mut self.seconds else {
            gone(self.first, std::mem::take(&mut self.total));
            return;
        };
        while let Some(&(second, count)) = seconds.front() {
            self.first = second;
            if second > until {
                break;
            }
            seconds.pop_front();
            self.total -= count;
            gone(second, count);
        }
        if seconds.len() <= 1 {
            self.seconds = None;
        } else if seconds.capacity() > 4 * seconds.len() + 8 {
            // A burst does not hold memory for ever.
            seconds.shrink_to(2 * seconds.len());
        }
    }

    /// The newest second.
    pub fn newest(&self) -> Option<i64> {
        match &self.seconds {
            Some(seconds) => seconds.back().map(|(second, _)| *second),
            None => (self.total > 0).then_some(self.first),
        }
    }

    /// How many events there were until a second, itself included.
    pub fn until(&self, second: i64) -> u64 {
        match &self.seconds {
            Some(seconds) => {
                let place = seconds.partition_point(|(s, _)| *s <= second);
                match place * 2 <= seconds.len() {
                    true => seconds.range(..place).map(|(_, count)| count).sum(),
                    false => {
                        self.total - seconds.range(place..).map(|(_, count)| count).sum::<u64>()
                    }
                }
            }
            None if self.first <= second => self.total,
            None => 0,
        }
    }

    /// How many events there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// As JSON: pairs of second and count.
    pub fn save(&self) -> Json {
        match &self.seconds {
            Some(seconds) => json!(seconds),
            None if self.total > 0 => json!([[self.first, self.total]]),
            None => json!([]),
        }
    }

    /// From JSON.
    pub fn load(saved: &Json) -> Option<Window> {
        let mut window = Window::default();
        for pair in saved.as_array()? {
            window.add(pair.get(0)?.as_i64()?, pair.get(1)?.as_u64()?);
        }
        Some(window)
    }
}

struct Frequency {
    alert: Alert,
    most: u64,
    timeframe: i64,
    /// As the file has it, for the alert.
    shown: Value,
    query: Option<SmolStr>,
    windows: Keyed<Window>,
    /// How many events were too old to count.
    late: u64,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let timeframe = parameters.seconds("timeframe").map_or(1, whole_seconds);
    Ok(Step::Kept(Box::new(Frequency {
        alert: Alert::of(parameters),
        most: parameters
            .whole("num_events")
            .map_or(1, |n| u64::try_from(n).unwrap_or(0)),
        timeframe,
        shown: shown_timeframe(parameters, timeframe),
        query: parameters.text("query_key"),
        windows: Keyed::with_most(build.common().keys),
        late: 0,
    })))
}

/// The timeframe as the file has it, when it has a number.
pub fn shown_timeframe(parameters: &Parameters, timeframe: i64) -> Value {
    let given = parameters.value("timeframe");
    given
        .filter(|value| !matches!(value, Value::Text(_)))
        .unwrap_or_else(|| whole(timeframe))
}

impl Kept for Frequency {
    fn apply(&mut self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let Some(key) = key_of(&event.record, self.query.as_ref())? else {
            return Ok(Flow::Pass);
        };
        let second = now.seconds();
        let window = self.windows.entry(key, second);
        // Events need not come in order: those before the window of the newest one count for nothing, others with those
        // before them.
        let newest = window.newest().map_or(second, |newest| newest.max(second));
        if second <= newest - self.timeframe {
            self.late += 1;
            return Ok(Flow::Pass);
        }
        window.add(second, 1);
        window.drop_until(newest - self.timeframe, |_, _| {});
        let total = match second == newest {
            true => window.total(),
            false => window.until(second),
        };
        if total >= self.most {
            let number = i64::try_from(total).unwrap_or(i64::MAX);
            let own = [
                ("num_events", whole(number)),
                ("timeframe", self.shown.clone()),
            ];
            more.push(self.alert.below(now, own));
        }
        Ok(Flow::Pass)
    }

    fn tick(&mut self, now: Now, _: &mut Vec<Event>) -> Result<(), String> {
        let now = now.seconds();
        self.windows
            .expire(now - self.timeframe, now, self.timeframe / 2);
        Ok(())
    }

    fn save(&self) -> Option<Json> {
        Some(self.windows.save(Window::save))
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.windows.load(state, Window::load)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The same by the plainest means.
    #[derive(Default)]
    struct Plain(BTreeMap<i64, u64>);

    #[test]
    fn windows_hold_what_they_should() {
        let mut dice: u64 = 7;
        let mut roll = |below: u64| {
            dice = dice
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (dice >> 33) % below
        };
        for _ in 0..300 {
            let (mut window, mut plain) = (Window::default(), Plain::default());
            for round in 0..60_i64 {
                let second = round / 3 + roll(7) as i64 - 3;
                let number = roll(3);
                window.add(second, number);
                if number > 0 {
                    *plain.0.entry(second).or_default() += number;
                }
                let until = round / 3 - roll(12) as i64;
                let mut gone = Vec::new();
                window.drop_until(until, |second, count| gone.push((second, count)));
                let rest = plain.0.split_off(&(until + 1));
                let expected: Vec<(i64, u64)> =
                    std::mem::replace(&mut plain.0, rest).into_iter().collect();
                assert_eq!(gone, expected);
                assert_eq!(window.total(), plain.0.values().sum::<u64>());
                let saved = window.save();
                let held: Vec<(i64, u64)> = plain.0.iter().map(|(s, n)| (*s, *n)).collect();
                assert_eq!(saved, json!(held));
                assert_eq!(Window::load(&saved).unwrap().save(), saved);
            }
        }
        assert_eq!(size_of::<Window>(), 24);
    }
}
