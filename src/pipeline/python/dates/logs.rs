//! Dates as programs write them into their logs, which chronyk does not know.

use super::strptime::{Parts, Token, compile, matches};
use super::{Instant, nanos};
use crate::eval::java::date_format::Zone;
use std::sync::LazyLock;

/// Whole formats; those without a year are of the latest year that fits.
const FORMATS: &[&str] = &[
    // Web servers: the common log format.
    "%d/%b/%Y:%H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S",
    // syslog; Cisco writes the year, too.
    "%b %d %H:%M:%S",
    "%b %d %Y %H:%M:%S",
    // Error logs of nginx and of Apache, the latter with microseconds.
    "%Y/%m/%d %H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
    // Snort and Suricata, with microseconds.
    "%m/%d/%Y-%H:%M:%S",
    "%m/%d/%y-%H:%M:%S",
    // ISO 8601 in short.
    "%Y%m%dT%H%M%S%z",
    "%Y%m%dT%H%M%S%Z",
    "%Y%m%dT%H%M%S",
];

static COMPILED: LazyLock<Vec<Vec<Token>>> =
    LazyLock::new(|| FORMATS.iter().map(|format| compile(format)).collect());

/// A log may be so much ahead of the clock.
const AHEAD: i64 = 86_400;

/// Reads a text in lower case.
pub fn parse(text: &str, now: i64, zone: &Zone) -> Option<Instant> {
    // Where nothing stands between them numbers have two digits: 0830 is not 8:03:00.
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if text.as_bytes().get(8) == Some(&b't') && !text.get(9..15).is_some_and(digits) {
        return None;
    }
    let (text, nanos) = without_fraction(text);
    let ends = |rest: &str| rest.is_empty();
    let mut all = COMPILED.iter();
    let found = all.find_map(|format| matches(format, &text, Parts::default(), &ends));
    let (parts, _) = found?;
    let instant = match parts.year {
        0 => of_late(parts, now, zone),
        _ => parts.instant(zone),
    }?;
    Some(Instant { nanos, ..instant })
}

/// Takes the digits behind the seconds of a time away.
fn without_fraction(text: &str) -> (String, u32) {
    let whole = || (text.to_owned(), 0);
    let Some((before, after)) = text.split_once(['.', ',']) else {
        return whole();
    };
    let end = after.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = after.split_at(end.unwrap_or(after.len()));
    let of_time = before.bytes().rev().nth(2) == Some(b':');
    match nanos(digits).filter(|_| of_time) {
        Some(nanos) => (format!("{before}{rest}"), nanos),
        None => whole(),
    }
}

/// What is meant without a year: the latest such day that is not to come.
fn of_late(parts: Parts, now: i64, zone: &Zone) -> Option<Instant> {
    let this = super::today(now, zone);
    let this = chrono::Datelike::year(&this);
    // The 29th of February may be eight years ago.
    (0..10).find_map(|ago| {
        let year = this + 1 - ago;
        let parts = Parts {
            year,
            ..parts.clone()
        };
        let instant = parts.instant(zone)?;
        (instant.seconds <= now.div_euclid(1000) + AHEAD).then_some(instant)
    })
}
