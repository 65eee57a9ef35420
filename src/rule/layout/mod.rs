//! Times as Go reads them: a layout is an example of the time Mon Jan 2 15:04:05 MST 2006, given as such or by name.
//!
//! The rules are those of `time.Parse` with UTC as the local zone: abbreviations of zones all count as UTC, a fraction
//! may follow the seconds even if the layout has none, what the layout leaves out is the first of its kind, and
//! without a year (as in the `Stamp` layouts) it is the year 0.

mod element;
mod read;

use self::element::{Piece, pieces};
use self::read::Reading;
use crate::diagnostic::{Code, Diagnostic, Outcome, nearest};

/// Layouts that have names, as package time writes them.
pub const NAMED: &[(&str, &str)] = &[
    ("RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"),
    ("RFC3339", "2006-01-02T15:04:05Z07:00"),
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RubyDate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("Kitchen", "3:04PM"),
    ("Stamp", "Jan _2 15:04:05"),
    ("StampMilli", "Jan _2 15:04:05.000"),
    ("StampMicro", "Jan _2 15:04:05.000000"),
    ("StampNano", "Jan _2 15:04:05.000000000"),
    ("DateTime", "2006-01-02 15:04:05"),
    ("DateOnly", "2006-01-02"),
    ("TimeOnly", "15:04:05"),
];

/// Layouts that are numbers since 1970, with how many make a second.
const COUNTED: &[(&str, i64)] = &[
    ("Unix", 1),
    ("UnixMilli", 1_000),
    ("UnixMicro", 1_000_000),
    ("UnixNano", 1_000_000_000),
];

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds of the second.
    pub nanos: u32,
}

impl Moment {
    /// Milliseconds since 1970, cut off.
    pub fn millis(self) -> i64 {
        self.seconds
            .saturating_mul(1000)
            .saturating_add(i64::from(self.nanos / 1_000_000))
    }

    /// Nanoseconds since 1970; before 1677 and after 2262 the nearest number that 64 bits hold.
    pub fn nanos(self) -> i64 {
        let exact = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos);
        i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
    }
}

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// RFC 3339, with or without a fraction, has a short way.
    Rfc3339(Vec<Piece>),
    Pieces(Vec<Piece>),
    Counted(i64),
}

impl Layout {
    /// A layout by its name, or as an example; the empty text is `RFC3339Nano`.
    pub fn new(text: &str) -> Outcome<Layout> {
        let text = if text.is_empty() { "RFC3339Nano" } else { text };
        if let Some((_, scale)) = COUNTED.iter().find(|(name, _)| *name == text) {
            let form = Form::Counted(*scale);
            return Ok(Layout {
                text: text.to_string(),
                form,
            });
        }
        let named = NAMED.iter().find(|(name, _)| *name == text);
        let example = named.map_or(text, |(_, example)| *example);
        let pieces = pieces(example);
        let names = NAMED.iter().map(|(name, _)| *name);
        let near = nearest(text, names.chain(COUNTED.iter().map(|(name, _)| *name)));
        // A misspelt name may hold an element by chance: RFC333 holds hours.
        let word = text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_alphanumeric());
        if pieces.len() < 2 || (named.is_none() && word && near.is_some()) {
            let message = format!("{text:?} is no layout of a time");
            return Err(Diagnostic::new(Code::BadDatePattern, message)
                .help("write the time Mon Jan 2 15:04:05 2006 the way your times look, or a name such as RFC3339")
                .did_you_mean(near));
        }
        let short = NAMED.iter().take(2).any(|(_, rfc3339)| *rfc3339 == example);
        Ok(Layout {
            text: text.to_string(),
            form: match short {
                true => Form::Rfc3339(pieces),
                false => Form::Pieces(pieces),
            },
        })
    }

    /// The path and the layout of a field of time as groupers have it: `path[,layout]`.
    pub fn of_field(text: &str) -> Outcome<(&str, Layout)> {
        let (path, layout) = text.split_once(',').unwrap_or((text, ""));
        Ok((path, Layout::new(layout)?))
    }

    /// The layout as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads a time; otherwise says what is wrong with it.
    pub fn read(&self, text: &str) -> Result<Moment, &'static str> {
        match &self.form {
            Form::Rfc3339(pieces) => match rfc3339(text.as_bytes()) {
                Some(moment) => Ok(moment),
                None => Reading::default().read(pieces, text.as_bytes()),
            },
            Form::Pieces(pieces) => Reading::default().read(pieces, text.as_bytes()),
            Form::Counted(scale) => counted(text, *scale),
        }
    }
}

/// A whole or fractional number of parts of a second.
fn counted(text: &str, scale: i64) -> Result<Moment, &'static str> {
    if let Ok(number) = text.parse::<i64>() {
        let nanos = number.rem_euclid(scale) * (1_000_000_000 / scale);
        return Ok(Moment {
            seconds: number.div_euclid(scale),
            nanos: u32::try_from(nanos).unwrap_or(0),
        });
    }
    let number: f64 = text.parse().map_err(|_| "no number")?;
    let nanos = (number * (1_000_000_000 / scale) as f64).round();
    if !nanos.is_finite() || nanos.abs() > i64::MAX as f64 {
        return Err("out of range");
    }
    counted(&format!("{nanos}"), 1_000_000_000)
}

/// The usual form, read without a layout; `None` leaves the decision to the long way.
fn rfc3339(text: &[u8]) -> Option<Moment> {
    let (date, rest) = text.split_at_checked(19)?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = *date
    else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let good = (1..=12).contains(&month)
        && (1..=days_in(month, year)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !good {
        return None;
    }
    let (nanos, zone) = match rest {
        [b'.', digit, ..] if digit.is_ascii_digit() => {
            let digits = rest
                .get(1..)?
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count();
            (fraction(rest.get(1..=digits)?)?, rest.get(digits + 1..)?)
        }
        _ => (0, rest),
    };
    let offset = match *zone {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = (hours * 60 + minutes) * 60;
            if sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Moment {
        seconds: seconds - offset,
        nanos,
    })
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let good = tens.is_ascii_digit() && ones.is_ascii_digit();
    good.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Nanoseconds from decimal digits; what lies below is cut off.
fn fraction(digits: &[u8]) -> Option<u32> {
    let mut value = 0;
    for place in 0..9 {
        let digit = digits.get(place).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(digit - b'0');
    }
    Some(value)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a date of the Gregorian calendar, after Howard Hinnant's "chrono-compatible low-level date algorithms".
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
