//! Periods: time cut into pieces of equal length, counted from 1970.

use super::day;
use crate::diagnostic::{Code, Diagnostic, Fault};
use crate::eval::Object;
use std::any::Any;
use std::fmt::Write as _;

/// A period, as PROFILE_FIXED and PROFILE_WINDOW give them and PROFILE_GET takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    /// Its number: the milliseconds since 1970 at its beginning, divided by its length.
    pub number: i64,
    /// Its length in milliseconds.
    pub duration: i64,
}

impl Period {
    /// The name of its type.
    pub const TYPE: &str = "ProfilePeriod";

    /// The period of a moment in milliseconds since 1970, counted as Metron does: what lies just before 1970 is in
    /// number 0, too.
    pub fn of(time: i64, duration: i64) -> Period {
        let number = time / duration.max(1);
        Period { number, duration }
    }

    /// Where it begins, in milliseconds since 1970.
    pub fn start(self) -> i64 {
        self.number.saturating_mul(self.duration)
    }

    /// Where it ends.
    pub fn end(self) -> i64 {
        self.start().saturating_add(self.duration)
    }
}

impl Object for Period {
    fn type_name(&self) -> &'static str {
        Period::TYPE
    }

    fn text(&self) -> String {
        let mut text = format!(
            "ProfilePeriod{{period={}, durationMillis={}, startTime=",
            self.number, self.duration
        );
        push_instant(&mut text, self.start());
        text.push_str(", endTime=");
        push_instant(&mut text, self.end());
        text.push('}');
        text
    }

    fn json(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({"period": self.number, "duration": self.duration}))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Period>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Appends an instant as Java's `Instant` prints it: `2017-08-13T23:00:00Z`.
pub fn push_instant(out: &mut String, millis: i64) {
    let (year, month, day) = day::date(millis.div_euclid(day::DAY));
    let clock = millis.rem_euclid(day::DAY);
    let sign = match year {
        10_000.. => "+",
        ..0 => "-",
        _ => "",
    };
    let (hour, minute, second) = (clock / 3_600_000, clock / 60_000 % 60, clock / 1_000 % 60);
    let year = year.unsigned_abs();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    );
    if clock % 1_000 != 0 {
        let _ = write!(out, ".{:03}", clock % 1_000);
    }
    out.push('Z');
}

/// The fault of a walk over periods that comes to a number below zero.
pub fn negative(number: i64) -> Fault {
    Diagnostic::new(
        Code::ArgumentValue,
        format!("there are no periods before 1970, and the span reaches back to period {number}"),
    )
}
