//! `2 hours ago`, `in 3 days`, `yesterday`

use super::Instant;
use chrono::{DateTime, Months, TimeDelta, Utc};

/// Reads a text in lower case that refers to now.
pub fn parse(text: &str, now: i64) -> Option<Instant> {
    match text {
        "today" | "now" | "this week" | "this month" | "this day" => {
            return Some(Instant::of_millis(now));
        }
        "yesterday" | "yester day" => {
            return Some(Instant::of_millis(now.checked_sub(86_400_000)?));
        }
        _ => {}
    }
    let moment = DateTime::from_timestamp(now.div_euclid(1000), 0)?;
    let found = match text {
        "yesteryear" | "yester year" => by_months(moment, 12, false)?,
        _ => {
            let padded = format!(" {text} ");
            let future = padded.contains(" in ");
            if !future && !padded.contains(" ago ") {
                return None;
            }
            counted(&padded, moment, future)?
        }
    };
    Some(Instant {
        seconds: found.timestamp(),
        nanos: 0,
    })
}

fn by_months(moment: DateTime<Utc>, months: u32, future: bool) -> Option<DateTime<Utc>> {
    match future {
        true => moment.checked_add_months(Months::new(months)),
        false => moment.checked_sub_months(Months::new(months)),
    }
}

/// Goes by all units that the text counts; `None` when it counts none, or leads beyond all dates.
fn counted(text: &str, mut moment: DateTime<Utc>, future: bool) -> Option<DateTime<Utc>> {
    let mut any = false;
    for (unit, months) in [("year", 12), ("month", 1)] {
        if let Some(count) = count(text, unit) {
            let months = u32::try_from(count?).ok()?.checked_mul(months)?;
            moment = by_months(moment, months, future)?;
            any = true;
        }
    }
    let units = [
        ("week", 604_800),
        ("day", 86_400),
        ("hour", 3600),
        ("minute", 60),
        ("second", 1),
    ];
    let mut seconds: i64 = 0;
    for (unit, length) in units {
        if let Some(count) = count(text, unit) {
            seconds = seconds.checked_add(count?.checked_mul(length)?)?;
            any = true;
        }
    }
    let seconds = if future { seconds } else { -seconds };
    let moment = moment.checked_add_signed(TimeDelta::try_seconds(seconds)?)?;
    any.then_some(moment)
}

/// How many of a unit the text says: the first number before its name, or one for `a` and `an`. The inner `None` is a
/// number that is too large.
fn count(text: &str, unit: &str) -> Option<Option<i64>> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices(unit) {
        let head = text.get(..at)?;
        let Some(head) = head.strip_suffix(' ') else {
            continue;
        };
        let digits = bytes.get(..head.len())?;
        let digits = digits.iter().rev().take_while(|b| b.is_ascii_digit());
        let from = head.len() - digits.count();
        if from < head.len() {
            return Some(head.get(from..)?.parse().ok());
        }
        if head.ends_with(" a") || head.ends_with(" an") {
            return Some(Some(1));
        }
    }
    None
}
