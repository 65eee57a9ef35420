//! Clocks: the system's, a fixed one, and one that follows the times of events.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Clock;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The time of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        let millis = |d: std::time::Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        }
    }
}

/// A time in milliseconds that does not run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedClock(pub i64);

impl Clock for FixedClock {
    fn now(&self) -> i64 {
        self.0
    }
}

/// The largest event time seen so far; it never goes back.
#[derive(Debug)]
pub struct EventClock(AtomicI64);

impl EventClock {
    /// A clock that shows `start` (milliseconds) until a later event is seen.
    pub fn new(start: i64) -> EventClock {
        EventClock(AtomicI64::new(start))
    }

    /// Moves the clock on to `time` (milliseconds); an earlier time changes nothing.
    pub fn see(&self, time: i64) {
        self.0.fetch_max(time, Ordering::AcqRel);
    }
}

impl Clock for EventClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Reads what `--now` accepts: milliseconds since 1970, or an ISO 8601 date with an optional time and offset.
/// A time without an offset is local: `ahead` gives the milliseconds that local time is ahead of UTC at an instant
/// (`|at| zone.offset_millis(at)`). Of a time that occurs twice the earlier one is meant.
/// E0504 for anything else, and for times that the zone skips.
pub fn parse_now(text: &str, ahead: impl Fn(i64) -> i32) -> Outcome<i64> {
    let text = text.trim();
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(millis);
    }
    if let Some(time) = with_offset(text) {
        return Ok(time.timestamp_millis());
    }
    let Some(local) = without_offset(text) else {
        return Err(Diagnostic::new(
            Code::Usage,
            format!("{text:?} is neither milliseconds nor an ISO 8601 time"),
        )
        .help("write 1502665200000, 2017-08-13, 2017-08-13T23:00:00 or 2017-08-13T23:00:00Z"));
    };
    let local = local.and_utc().timestamp_millis();
    // Zones change their offset less than once in two days, so one of these two is the right one.
    [local - DAY, local + DAY]
        .map(|near| (local - i64::from(ahead(near)), ahead(near)))
        .into_iter()
        .filter(|(instant, offset)| ahead(*instant) == *offset)
        .map(|(instant, _)| instant)
        .min()
        .ok_or_else(|| {
            Diagnostic::new(
                Code::Usage,
                format!("the time {text} does not exist in this zone: its clocks skip it"),
            )
            .help("add an offset, such as Z or +01:00")
        })
}

const DAY: i64 = 24 * 3600 * 1000;

fn with_offset(text: &str) -> Option<DateTime<chrono::FixedOffset>> {
    // chrono wants minutes in every offset; ISO 8601 allows hours alone.
    let whole_hours = text.len() > 3
        && text.is_ascii()
        && text.contains(':')
        && matches!(text.as_bytes()[text.len() - 3], b'+' | b'-')
        && text[text.len() - 2..].bytes().all(|b| b.is_ascii_digit());
    let padded;
    let text = if whole_hours {
        padded = format!("{text}00");
        &padded
    } else {
        text
    };
    const FORMS: [&str; 4] = [
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f%#z",
        "%Y-%m-%dT%H:%M%#z",
        "%Y-%m-%d %H:%M%#z",
    ];
    FORMS
        .iter()
        .find_map(|form| DateTime::parse_from_str(text, form).ok())
}

fn without_offset(text: &str) -> Option<NaiveDateTime> {
    const FORMS: [&str; 4] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(|| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()
                .map(|day| day.and_time(NaiveTime::MIN))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chrono::{Offset, TimeZone};

    fn utc(_: i64) -> i32 {
        0
    }

    fn prague(millis: i64) -> i32 {
        let at = DateTime::from_timestamp_millis(millis).unwrap().naive_utc();
        let offset = chrono_tz::Europe::Prague.offset_from_utc_datetime(&at);
        offset.fix().local_minus_utc() * 1000
    }

    #[test]
    fn now_in_every_form() {
        let zone = prague;
        for (text, millis) in [
            ("1502665200000", 1_502_665_200_000),
            ("-5", -5),
            ("2017-08-13T23:00:00Z", 1_502_665_200_000),
            ("2017-08-13T23:00:00.250Z", 1_502_665_200_250),
            ("2017-08-14T01:00:00+02:00", 1_502_665_200_000),
            ("2017-08-14T01:00+0200", 1_502_665_200_000),
            ("2017-08-14 01:00:00+02", 1_502_665_200_000),
            ("2017-08-14T01:00:00", 1_502_665_200_000),
            ("2017-08-14 01:00", 1_502_665_200_000),
            ("2017-08-14", 1_502_661_600_000),
            // The hour that comes twice: the earlier one.
            ("2017-10-29T02:30", 1_509_237_000_000),
        ] {
            assert_eq!(parse_now(text, zone).unwrap(), millis, "{text}");
        }
        assert_eq!(parse_now("1970-01-02", utc).unwrap(), 86_400_000);
    }

    #[test]
    fn now_that_is_none() {
        for text in [
            "",
            "yesterday",
            "2017-13-01",
            "2017-08-13T25:00",
            "13.8.2017",
            "2017-08-13T",
            "12:00-02",
        ] {
            let fault = parse_now(text, utc).unwrap_err();
            assert_eq!(fault.code, Code::Usage, "{text}");
        }
        let gap = parse_now("2017-03-26T02:30", prague).unwrap_err();
        assert!(gap.message.contains("skip"), "{}", gap.message);
    }

    #[test]
    fn event_clock_never_goes_back() {
        let clock = EventClock::new(10);
        clock.see(30);
        clock.see(20);
        assert_eq!(clock.now(), 30);
        assert_eq!(FixedClock(7).now(), 7);
        assert!(SystemClock.now() > 1_600_000_000_000);
    }
}
