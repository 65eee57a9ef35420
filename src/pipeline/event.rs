//! What flows through a pipeline.

use super::record::Record;
use smol_str::SmolStr;

/// A record with a tag and a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What actions match on.
    pub tag: SmolStr,
    /// When it was made, or what the client says.
    pub time: Time,
    /// The fields.
    pub record: Record,
}

/// Seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Time {
    /// Whole seconds: the clock of an input.
    Whole(i64),
    /// With a fraction: what forward clients send.
    Fraction(f64),
}

impl Time {
    /// Milliseconds; with a fraction only where there is one.
    pub fn of_millis(millis: i64) -> Time {
        match millis.rem_euclid(1000) {
            0 => Time::Whole(millis.div_euclid(1000)),
            _ => Time::Fraction(millis as f64 / 1000.0),
        }
    }

    /// The seconds.
    pub fn seconds(self) -> f64 {
        match self {
            Time::Whole(seconds) => seconds as f64,
            Time::Fraction(seconds) => seconds,
        }
    }

    /// The milliseconds; a fraction of one is cut.
    pub fn millis(self) -> i64 {
        match self {
            Time::Whole(seconds) => seconds.saturating_mul(1000),
            Time::Fraction(seconds) => (seconds * 1000.0) as i64,
        }
    }
}
