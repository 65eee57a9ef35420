//! Dates as people write them, read as Python's `chronyk` reads them, and better where that is wrong.
//!
//! The order of the attempts and of the formats is that of chronyk 1.0.1; the documentation of pipelines lists what
//! differs.

mod formats;
mod logs;
mod relative;
mod strptime;
#[cfg(test)]
mod tests;

use crate::eval::java::date_format::Zone;
use chrono::{NaiveDate, NaiveDateTime, Timelike};

/// A moment: seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    /// The whole seconds, rounded down.
    pub seconds: i64,
    /// What is above them.
    pub nanos: u32,
}

impl Instant {
    /// A moment in milliseconds.
    pub fn of_millis(millis: i64) -> Instant {
        Instant {
            seconds: millis.div_euclid(1000),
            nanos: u32::try_from(millis.rem_euclid(1000)).unwrap_or(0) * 1_000_000,
        }
    }
}

/// What a text without an offset means in a zone. In the hour that summer time leaves out, the offset before it counts.
pub fn local(moment: NaiveDateTime, zone: &Zone) -> Instant {
    let naive = moment.and_utc();
    let millis = naive.timestamp_millis();
    let offset = |at: i64| i64::from(zone.offset_millis(at));
    let (before, after) = (offset(millis - 86_400_000), offset(millis + 86_400_000));
    let fits = [before, after]
        .into_iter()
        .find(|o| offset(millis - o) == *o);
    let offset = fits.unwrap_or(before);
    Instant {
        seconds: (millis - offset).div_euclid(1000),
        nanos: naive.nanosecond() % 1_000_000_000,
    }
}

/// Reads a text; `now` in milliseconds is what relative texts and bare times refer to. `None` when it is no date.
pub fn parse_date(text: &str, now: i64, zone: &Zone) -> Option<Instant> {
    let lower = text.to_lowercase();
    let lower = lower.trim().replace(". ", " ");
    if let Some(found) = relative::parse(&lower, now) {
        return Some(found);
    }
    if let Some(parts) = formats::parse(&lower, today(now, zone)) {
        return parts.instant(zone);
    }
    let text = text.trim();
    if let Ok(moment) = chrono::DateTime::parse_from_rfc2822(text) {
        return Some(Instant {
            seconds: moment.timestamp(),
            nanos: 0,
        });
    }
    let iso = iso(&lower, zone).or_else(|| seconds(text));
    iso.or_else(|| logs::parse(&lower, now, zone))
}

/// The day of a moment in a zone.
fn today(now: i64, zone: &Zone) -> NaiveDate {
    let there = now.saturating_add(i64::from(zone.offset_millis(now)));
    chrono::DateTime::from_timestamp_millis(there)
        .unwrap_or_default()
        .date_naive()
}

/// ISO 8601 with what chronyk does not know: fractions of a second, a blank before the time or the offset, `Z` behind it.
fn iso(lower: &str, zone: &Zone) -> Option<Instant> {
    let (date, rest) = lower.split_at_checked(10)?;
    if !date.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return None;
    }
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let rest = rest.strip_prefix(['t', ' '])?;
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '.' | ','));
    let (time, offset) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    let (time, fraction) = match time.split_once(['.', ',']) {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (time, None),
    };
    let pattern = match (time.len(), fraction) {
        (8, _) => "%H:%M:%S",
        (5, None) => "%H:%M",
        _ => return None,
    };
    let time = chrono::NaiveTime::parse_from_str(time, pattern).ok()?;
    let nanos = match fraction {
        None => 0,
        Some(digits) => nanos(digits)?,
    };
    let moment = date.and_time(time.with_nanosecond(nanos)?);
    match offset.trim_start() {
        "" if offset.is_empty() => Some(local(moment, zone)),
        offset => {
            let (east, rest) = strptime::offset(offset)?;
            rest.is_empty().then(|| Instant {
                seconds: moment.and_utc().timestamp() - i64::from(east),
                nanos,
            })
        }
    }
}

/// Seconds since 1970 in digits, too many for `%Y%m%d`, with or without a fraction.
fn seconds(text: &str) -> Option<Instant> {
    let (text, nanos) = match text.split_once('.') {
        Some((text, fraction)) => (text, nanos(fraction)?),
        None => (text, 0),
    };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if !digits || !(9..=11).contains(&text.len()) {
        return None;
    }
    Some(Instant {
        seconds: text.parse().ok()?,
        nanos,
    })
}

/// The nanoseconds of the digits behind a point; what is smaller is left out.
fn nanos(digits: &str) -> Option<u32> {
    let whole = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let nine: String = digits.chars().chain("00000000".chars()).take(9).collect();
    nine.parse().ok().filter(|_| whole)
}
