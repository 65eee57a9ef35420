//! The tree of a selector: what its words say, with their places.

use crate::diagnostic::{Source, Span};
use std::sync::Arc;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// second
    Second,
    /// minute
    Minute,
    /// hour
    Hour,
    /// day, always 24 hours
    Day,
}

impl Unit {
    /// Its milliseconds.
    pub fn millis(self) -> i64 {
        match self {
            Unit::Second => 1_000,
            Unit::Minute => 60_000,
            Unit::Hour => 3_600_000,
            Unit::Day => 86_400_000,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Second => "second",
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
        }
    }
}

/// A length of time, such as `30 minutes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub number: i64,
    /// Of what.
    pub unit: Unit,
    /// Where it stands.
    pub span: Span,
}

impl Amount {
    /// Its milliseconds; beyond 64 bits the largest number, as Java's `TimeUnit` has it.
    pub fn millis(self) -> i64 {
        self.number.saturating_mul(self.unit.millis())
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.number == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.number, self.unit.name())
    }
}

/// `from … to …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Behind `from`.
    pub from: Amount,
    /// Behind `to`.
    pub to: Option<Amount>,
}

/// What a specifier asks of the day on which a window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// A day of the week; Monday is 0.
    Weekday(u8),
    /// Monday to Friday.
    Weekdays,
    /// Saturday or Sunday.
    Weekend,
    /// The weekday of now.
    ThisDay,
    /// A holiday; its arguments say where.
    Holidays,
    /// One date.
    Date,
}

/// An argument of a specifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// What counts of it: without the colon, or, when there was none, without its first digit.
    pub text: String,
    /// Whether it was a number without a colon.
    pub bare: bool,
    /// Where it stands.
    pub span: Span,
}

/// One specifier of an include or exclude list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specifier {
    /// What it asks.
    pub day: Day,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// Where it stands.
    pub span: Span,
}

/// A selector as it was written.
#[derive(Debug, Clone)]
pub struct Selector {
    /// Its text.
    pub source: Arc<Source>,
    /// The width of a window; `None` when one window fills the whole reach.
    pub width: Option<Amount>,
    /// From the beginning of one window to that of the next.
    pub every: Option<Amount>,
    /// Where windows may lie; `None` means the width up to now.
    pub reach: Option<Reach>,
    /// One of these must hold, if there are any.
    pub include: Vec<Specifier>,
    /// None of these may hold.
    pub exclude: Vec<Specifier>,
}

impl Selector {
    /// The text of a place.
    pub fn text(&self, span: Span) -> &str {
        let span = self.source.clamp(span);
        self.source.text.get(span.start..span.end).unwrap_or("")
    }
}
