//! Moments and lengths in words, and changes of clocks.

use crate::eval::java::date_format::Zone;
use crate::eval::java::day::{self, WEEKDAYS};

/// A day as `2017-12-25`.
pub fn iso(number: i64) -> String {
    let (year, month, date) = day::date(number);
    format!("{year:04}-{month:02}-{date:02}")
}

/// A moment by the clock of a zone.
pub fn moment(at: i64, zone: &Zone, with_offset: bool) -> String {
    let wall = day::wall(at, zone);
    let number = wall.div_euclid(day::DAY);
    let name = WEEKDAYS.get(usize::from(day::weekday(number))).copied();
    let name = name.and_then(|name| name.get(..3)).unwrap_or("");
    let mut text = format!("{name} {} {}", iso(number), clock(wall));
    if with_offset {
        text += &offset(at, zone);
    }
    text
}

/// The clock of a moment of [`day::wall`]: `14:05`, with seconds where there are any.
pub fn clock(wall: i64) -> String {
    let rest = wall.rem_euclid(day::DAY);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let mut text = format!("{hour:02}:{minute:02}");
    if rest % 60_000 != 0 {
        text += &format!(":{second:02}");
    }
    if rest % 1_000 != 0 {
        text += &format!(".{:03}", rest % 1_000);
    }
    text
}

/// ` -05:00`
fn offset(at: i64, zone: &Zone) -> String {
    let minutes = zone.offset_millis(at) / 60_000;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!(" {sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A length in the largest units that fit: `1 day 2 hours`.
pub fn length(millis: i64) -> String {
    let mut rest = millis;
    let mut parts = Vec::new();
    for (unit, name) in [
        (day::DAY, "day"),
        (3_600_000, "hour"),
        (60_000, "minute"),
        (1_000, "second"),
        (1, "millisecond"),
    ] {
        let count = rest / unit;
        rest %= unit;
        if count != 0 {
            parts.push(format!(
                "{count} {name}{}",
                if count == 1 { "" } else { "s" }
            ));
        }
    }
    match parts.is_empty() {
        true => "no time".to_string(),
        false => parts.join(" "),
    }
}

/// A change of clocks.
pub struct Change {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// By how much clocks go forward, in milliseconds.
    pub by: i64,
}

/// Longer spans are not searched for changes of clocks.
const SEARCHED: i64 = 100 * 366 * day::DAY;

/// The changes of clocks within a span.
pub fn clock_changes(start: i64, end: i64, zone: &Zone) -> Vec<Change> {
    let start = start.max(0);
    let mut changes = Vec::new();
    if end.saturating_sub(start) > SEARCHED {
        return changes;
    }
    let offset = |at: i64| i64::from(zone.offset_millis(at));
    let mut at = start;
    while at < end {
        let next = at.saturating_add(day::DAY).min(end);
        let by = offset(next) - offset(at);
        if by != 0 {
            let (mut low, mut high) = (at, next);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(middle) == offset(at) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            changes.push(Change { at: high, by });
        }
        at = next;
    }
    changes
}
