//! The formats of dates and times, in the order in which they are tried.

use super::Instant;
use super::strptime::{Parts, Token, compile, matches};
use crate::eval::java::date_format::Zone;
use chrono::{Datelike, NaiveDate, TimeDelta};
use std::sync::LazyLock;

/// Whole formats that come first.
const WHOLE: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S%Z",
    "%a %b %d %H:%M:%S %Y",
];

/// Dates, each with every time of [`TIMES`] behind it or alone.
const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%d %m %Y",
    "%d-%m-%Y",
    "%d/%m/%Y",
    "%d/%m %Y",
    "%d.%m.%Y",
    "%d. %m. %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d. %b %Y",
    "%d. %B %Y",
    "%b %d %Y",
    "%b %o %Y",
    "%b %d, %Y",
    "%b %o, %Y",
    "%B %d %Y",
    "%B %o %Y",
    "%B %d, %Y",
    "%B %o, %Y",
    "%d %m %y",
    "%d-%m-%y",
    "%d/%m/%y",
    "%d/%m-%y",
    "%d.%m.%y",
    "%d. %m. %y",
    "%d %b %y",
    "%d %B %y",
    "%d. %b %y",
    "%d. %B %y",
    "%b %o %y",
    "%B %o %y",
];

const TIMES: &[&str] = &[
    "%H:%M:%S %z",
    "%H:%M:%S %Z",
    "%H:%M:%S",
    "%H:%M %z",
    "%H:%M %Z",
    "%H:%M",
    "%I:%M:%S %p %z",
    "%I:%M:%S %p %Z",
    "%I:%M:%S %p",
    "%I:%M %p %z",
    "%I:%M %p %Z",
    "%I:%M %p",
];

struct Compiled {
    whole: Vec<Vec<Token>>,
    dates: Vec<Vec<Token>>,
    times: Vec<Vec<Token>>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let all = |formats: &[&str]| formats.iter().map(|format| compile(format)).collect();
    Compiled {
        whole: all(WHOLE),
        dates: all(DATES),
        times: all(TIMES),
    }
});

/// Whether nothing is left.
fn ends(rest: &str) -> bool {
    rest.is_empty()
}

/// Reads a text in lower case by the first format that fits.
pub fn parse(text: &str, today: NaiveDate) -> Option<Parts> {
    let formats = &*COMPILED;
    for format in &formats.whole {
        let found = matches(format, text, Parts::default(), &ends);
        if let Some((parts, _)) = found.filter(|(parts, _)| parts.date().is_some()) {
            return Some(parts);
        }
    }
    let time = |rest: &str, parts: &Parts| {
        let mut all = formats.times.iter();
        all.find_map(|format| Some(matches(format, rest, parts.clone(), &ends)?.0))
    };
    let blank = |rest: &str| rest.is_empty() || rest.starts_with(char::is_whitespace);
    for format in &formats.dates {
        let Some((parts, rest)) = matches(format, text, Parts::default(), &blank) else {
            continue;
        };
        if parts.date().is_none() {
            continue;
        }
        if rest.is_empty() {
            return Some(parts);
        }
        if let Some(parts) = time(rest.trim_start(), &parts) {
            return Some(parts);
        }
    }
    let of_today = Parts {
        year: today.year(),
        month: today.month(),
        day: today.day(),
        ..Parts::default()
    };
    time(text, &of_today)
}

impl Parts {
    fn date(&self) -> Option<NaiveDate> {
        // Python knows no year 0.
        NaiveDate::from_ymd_opt(self.year, self.month, self.day).filter(|_| self.year > 0)
    }

    /// The moment that is meant. `None` when it is beyond all dates.
    pub fn instant(&self, zone: &Zone) -> Option<Instant> {
        let hour = match self.afternoon {
            None => self.hour,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        let seconds = i64::from(hour * 3600 + self.minute * 60 + self.second);
        let midnight = self.date()?.and_hms_opt(0, 0, 0)?;
        let moment = midnight.checked_add_signed(TimeDelta::try_seconds(seconds)?)?;
        Some(match self.east {
            None => super::local(moment, zone),
            Some(east) => Instant {
                seconds: moment.and_utc().timestamp() - i64::from(east),
                nanos: 0,
            },
        })
    }
}
