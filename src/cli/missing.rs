//! Periods without a measurement among those with one.

use crate::profile::period::{Period, push_instant};
use serde_json::{Value as Json, json};

/// What becomes of periods without a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// They are left out.
    LeftOut,
    /// Neighbours share a row that says how many they are.
    Together,
    /// Each has a row with null.
    Each,
}

/// The rows of periods with their values. Where nothing was measured at all there are no rows.
pub fn with_gaps(found: impl Iterator<Item = (Period, Option<Json>)>, gaps: Gaps) -> Vec<Json> {
    let mut rows = Vec::new();
    let mut any = false;
    // The first and the last period of the gap at hand, and how many it has.
    let mut gap: Option<(Period, Period, usize)> = None;
    for (period, value) in found {
        any |= value.is_some();
        if value.is_none() && gaps == Gaps::LeftOut {
            continue;
        }
        if value.is_none() && gaps == Gaps::Together {
            gap = match gap {
                Some((first, last, count)) if last.end() == period.start() => {
                    Some((first, period, count + 1))
                }
                other => {
                    rows.extend(other.map(marked));
                    Some((period, period, 1))
                }
            };
            continue;
        }
        rows.extend(gap.take().map(marked));
        rows.push(json!({
            "from": instant(period.start()), "to": instant(period.end()),
            "period": period.number, "duration": period.duration, "value": value,
        }));
    }
    rows.extend(gap.map(marked));
    if any { rows } else { Vec::new() }
}

fn marked((first, last, count): (Period, Period, usize)) -> Json {
    let value = match count {
        1 => "–".to_string(),
        count => format!("– {count} periods"),
    };
    json!({
        "from": instant(first.start()), "to": instant(last.end()), "value": value,
        "period": null, "duration": null,
    })
}

/// An instant as Java prints it.
pub fn instant(millis: i64) -> String {
    let mut text = String::new();
    push_instant(&mut text, millis);
    text
}
