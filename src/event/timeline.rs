//! Events over time as a picture.

use super::query::Timelines;
use super::shape::time_value;
use crate::drawing::bars::{Bars, Kind};
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::convert::to_long;
use crate::eval::java::date_format::Zone;
use crate::eval::text::to_text;
use indexmap::IndexMap;
use smol_str::SmolStr;

/// The picture of a timeline with steps of this many microseconds.
pub fn drawn(answer: &Timelines, step: i64, title: String, zone: &Zone) -> Bars {
    let millis = |at: &i64| to_long(&time_value(*at)).unwrap_or(0);
    let starts: Vec<i64> = answer.starts.iter().map(millis).collect();
    let kinds = answer.lines.iter().map(|line| Kind {
        name: line.value.clone().unwrap_or_default(),
        counts: line.counts.iter().map(|count| *count as f64).collect(),
    });
    Bars {
        title,
        unit: "events".to_string(),
        zone: zone.clone(),
        end: end(&starts, step / 1000),
        kinds: kinds.collect(),
        starts,
    }
}

/// Where the last step ends: all but the first begin at a multiple of their length.
fn end(starts: &[i64], step: i64) -> i64 {
    let last = starts.last().copied().unwrap_or(0);
    let step = step.max(1);
    let begin = last.div_euclid(step).saturating_mul(step);
    begin.saturating_add(step)
}

/// How many counts a picture may hold: steps times kinds.
const COUNTS: usize = 2_000_000;

/// The picture of what EVENT_TIMELINE gives: a list of maps with `from` and `count`, or with `from` and `values`; `None`
/// for other values.
pub fn of_value(value: &Value, zone: &Zone) -> Option<Bars> {
    let Value::List(list) = value else {
        return None;
    };
    let items = list.items();
    let mut starts: Vec<i64> = Vec::with_capacity(items.len());
    let mut kinds: IndexMap<SmolStr, Vec<f64>> = IndexMap::new();
    for item in &items {
        let Value::Map(map) = item else { return None };
        let start = whole(map).filter(|start| starts.last().is_none_or(|last| last < start))?;
        let counts: Vec<(SmolStr, f64)> = match (map.get_text("count"), map.get_text("values")) {
            (Some(count), None) => vec![(SmolStr::default(), number(&count)?)],
            (None, Some(Value::Map(values))) => {
                let entries = values.entries().into_iter();
                let entries = entries.map(|(name, count)| Some((to_text(&name), number(&count)?)));
                entries.collect::<Option<_>>()?
            }
            _ => return None,
        };
        for (name, count) in counts {
            let kind = kinds.entry(name).or_default();
            kind.resize(starts.len(), 0.0);
            kind.push(count);
        }
        starts.push(start);
        if kinds.len().saturating_mul(starts.len()) > COUNTS {
            return None;
        }
    }
    // One step alone does not say how long it is, and the first one may be shorter.
    let long: Vec<i64> = starts
        .windows(2)
        .filter_map(|pair| match pair {
            [one, next] => next.checked_sub(*one),
            _ => None,
        })
        .collect();
    let step = *match long.as_slice() {
        [only] => only,
        [_, others @ ..] => others.iter().min()?,
        [] => return None,
    };
    let starts = filled(starts, step, &mut kinds)?;
    let mut kinds: Vec<Kind> = kinds
        .into_iter()
        .map(|(name, mut counts)| {
            counts.resize(starts.len(), 0.0);
            let name = name.to_string();
            Kind { name, counts }
        })
        .collect();
    let total = |kind: &Kind| kind.counts.iter().sum::<f64>();
    kinds.sort_by(|a, b| total(b).total_cmp(&total(a)));
    Some(Bars {
        title: "Events".to_string(),
        unit: "events".to_string(),
        zone: zone.clone(),
        end: starts.last()?.saturating_add(step),
        starts,
        kinds,
    })
}

/// The steps with those that somebody has left out, in which nothing is counted.
fn filled(
    starts: Vec<i64>,
    step: i64,
    kinds: &mut IndexMap<SmolStr, Vec<f64>>,
) -> Option<Vec<i64>> {
    let missing = |one: i64, next: i64| match next.saturating_sub(one) {
        gap if gap > step && gap % step == 0 => gap / step - 1,
        _ => 0,
    };
    let mut all: Vec<i64> = Vec::with_capacity(starts.len());
    // Where each step stands now.
    let mut places = Vec::with_capacity(starts.len());
    for start in starts {
        if let Some(last) = all.last().copied() {
            let missing = missing(last, start);
            if (all.len() as i64).saturating_add(missing) > (COUNTS / kinds.len().max(1)) as i64 {
                return None;
            }
            all.extend((1..=missing).map(|number| last + number * step));
        }
        places.push(all.len());
        all.push(start);
    }
    if places.len() == all.len() {
        return Some(all);
    }
    for counts in kinds.values_mut() {
        let mut spread = vec![0.0; all.len()];
        for (place, count) in places.iter().zip(counts.iter()) {
            if let Some(slot) = spread.get_mut(*place) {
                *slot = *count;
            }
        }
        *counts = spread;
    }
    Some(all)
}

/// The beginning of a step, in a map that holds that and one more thing.
fn whole(map: &Map) -> Option<i64> {
    match map.get_text("from") {
        Some(from @ (Value::Long(_) | Value::Int(_))) if map.len() == 2 => to_long(&from),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = value.as_double()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}
