//! Measurements: what a profile found out about an entity in a period.

use super::period::Period;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::convert::{to_long, to_string};
use smol_str::SmolStr;

/// What a profile found out about an entity in a period.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// The name of the profile.
    pub profile: SmolStr,
    /// What it is about, such as an address.
    pub entity: SmolStr,
    /// The values of the profile's `groupBy`; they are stored by their texts.
    pub groups: Vec<Value>,
    /// When.
    pub period: Period,
    /// The value of its `result`.
    pub value: Value,
    /// After how many days it may be forgotten; `None`: never.
    pub expires: Option<i64>,
}

impl Measurement {
    /// The map that PROFILER_FLUSH gives, in the order in which Metron prints it. It has no entry for `expires`, as in
    /// Metron, but carries it unseen, so that what is written from it is forgotten in time.
    pub fn to_map(&self) -> Map {
        let Period { number, duration } = self.period;
        let period = [
            ("duration", duration),
            ("period", number),
            ("start", self.period.start()),
            ("end", self.period.end()),
        ];
        let period = period.map(|(name, n)| (Value::text(name), Value::Long(n)));
        let entries = [
            (
                "period",
                Value::Map(Map::new(MapKind::Hash, period.into_iter().collect())),
            ),
            ("profile", Value::Text(self.profile.clone())),
            ("groups", Value::List(List::array(self.groups.clone()))),
            ("value", self.value.clone()),
            ("entity", Value::Text(self.entity.clone())),
        ];
        let entries = entries
            .into_iter()
            .map(|(name, value)| (Value::text(name), value));
        match self.expires {
            None => Map::new(MapKind::Hash, entries.collect()),
            Some(days) => {
                // Beyond 32 bits it is millions of years, one way or the other.
                let near = days.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
                Map::with_unseen(MapKind::Hash, entries.collect(), near as i32)
            }
        }
    }

    /// The measurement of such a map. Errors: E0204 saying which entry is missing or wrong.
    pub fn from_map(map: &Map) -> Outcome<Measurement> {
        let text = |name: &str| {
            let value = map.get_text(name).as_ref().and_then(to_string);
            value.ok_or_else(|| lacks(name, "a text"))
        };
        let Some(Value::Map(period)) = map.get_text("period") else {
            return Err(lacks(
                "period",
                "a map with the entries period and duration",
            ));
        };
        let whole = |name: &str| period.get_text(name).as_ref().and_then(to_long);
        let number = whole("period").filter(|n| *n >= 0);
        let duration = whole("duration").filter(|n| *n > 0);
        let (Some(number), Some(duration)) = (number, duration) else {
            return Err(lacks(
                "period",
                "a map whose period is a number from 0 and whose duration is a number of milliseconds",
            ));
        };
        let groups = match map.get_text("groups") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(list)) => list.items(),
            Some(_) => return Err(lacks("groups", "a list")),
        };
        let expires = match map.get_text("expires") {
            None => map.unseen().map(i64::from),
            Some(Value::Null) => None,
            Some(days) => Some(to_long(&days).ok_or_else(|| lacks("expires", "a number of days"))?),
        };
        Ok(Measurement {
            profile: text("profile")?,
            entity: text("entity")?,
            groups,
            period: Period { number, duration },
            value: map
                .get_text("value")
                .ok_or_else(|| lacks("value", "what was measured"))?,
            expires,
        })
    }
}

fn lacks(entry: &str, wanted: &str) -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::ArgumentValue,
        format!("a measurement needs the entry {entry}: {wanted}"),
    )
    .help("PROFILER_FLUSH gives such maps: {period={duration=.., period=..}, profile=.., groups=[], value=.., entity=..}")
}
