//! Questions to the event store: which events are meant, in what order, how many.

mod groups;
mod read;
mod sql;
mod time;

pub use groups::{Aggregate, Group, Line, REST, Timeline, Timelines, UNKNOWN};
pub use sql::{Argument, Kind, Statement};
pub use time::parse_time;

use super::{COLUMNS, Column, Range};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use std::fmt;

/// The value of a parameter that asks for rows where the column is empty.
pub const EMPTY: &str = "__EMPTY__";

/// The value of a parameter that asks for rows where the column is not empty.
pub const ANY: &str = "__ANY__";

/// What is asked of the table `events`. Made from parameters by [`Query::from_json`] and [`Query::from_value`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// What all events asked for have in common, in the order of the SQL.
    pub conditions: Vec<Condition>,
    /// By what they are sorted; without, the order is left to the store.
    pub order: Option<Order>,
    /// How many at most. A negative number is refused by [`Query::check`].
    pub limit: Option<i64>,
    /// How many are left out at the beginning.
    pub offset: i64,
    /// Parameters that have no effect, a sentence each.
    pub notes: Vec<String>,
}

/// One thing that events asked for have in common.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A time column is at or on one side of an instant.
    Time {
        /// The column.
        column: Column,
        /// On which side.
        bound: Bound,
        /// The instant, in microseconds.
        at: i64,
    },
    /// One of these address columns overlaps one of these ranges.
    Addresses {
        /// The columns.
        columns: &'static [Column],
        /// The ranges.
        wanted: Vec<Address>,
    },
    /// One of these columns has one of these ports.
    Ports {
        /// The columns.
        columns: &'static [Column],
        /// The ports.
        wanted: Vec<i64>,
    },
    /// One of these columns of kind `Texts` passes a test.
    Texts {
        /// The columns.
        columns: &'static [Column],
        /// The test.
        test: Test,
        /// Whether those that fail it are meant.
        not: bool,
    },
    /// A column of kind `Text` passes a test. With `not` and [`Test::Among`], null does not pass, as in SQL.
    Text {
        /// The column.
        column: Column,
        /// The test.
        test: Test,
        /// Whether those that fail it are meant.
        not: bool,
    },
    /// The description is this text.
    Description(String),
}

/// The side of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At it or later.
    From,
    /// At it or earlier.
    To,
    /// Earlier only.
    Before,
}

/// What the texts of a column are tested for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// There are none; in a column of kind `Text`: null or the empty text.
    Empty,
    /// There are some.
    Any,
    /// One of these is among them.
    Among(Vec<String>),
}

/// A range as it was written, which may be no range at all: only who runs the query minds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The text.
    pub text: String,
    /// What the database reads in it.
    pub range: Option<Range>,
}

impl Address {
    /// Reads an address, a network or a range as ip4r does.
    pub fn new(text: impl Into<String>) -> Address {
        let text = text.into();
        Address {
            range: Range::parse_strict(&text),
            text,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How the answer is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The time column.
    pub column: Column,
    /// Latest first.
    pub descending: bool,
}

impl Query {
    /// All events.
    pub fn all() -> Query {
        Query::default()
    }

    /// Whether it selects every event, which a deletion should be asked about twice.
    pub fn is_unlimited(&self) -> bool {
        self.conditions.is_empty()
    }

    /// E0204 for what should not be used to choose what is removed: a query of all events, parameters without effect.
    pub fn check_removal(&self) -> Outcome<()> {
        let bad = |message: String| Diagnostic::new(Code::ArgumentValue, message);
        if let Some(note) = self.notes.first() {
            return Err(bad(format!("nothing is removed, as {note}")));
        }
        if self.limit.is_some() {
            let message = "nothing is removed, as limit and page have no effect on that";
            return Err(bad(message.into()));
        }
        match self.is_unlimited() {
            true => Err(
                bad("this asks for every event, and nothing was removed".into())
                    .help("`stellar event delete --all` removes all events"),
            ),
            false => Ok(()),
        }
    }

    /// E0607 for what the database would refuse: a text that is no address, a port beyond 32 bits, a NUL, a negative
    /// limit. Stores call this before they run a query.
    pub fn check(&self) -> Outcome<()> {
        for condition in &self.conditions {
            condition.check()?;
        }
        if let Some(limit) = self.limit.filter(|limit| *limit < 0) {
            return Err(data(format!(
                "limit must not be negative, and it is {limit}"
            )));
        }
        Ok(())
    }

    /// The ranges of an address condition; E0607 when one is none.
    pub fn ranges(wanted: &[Address]) -> Outcome<Vec<Range>> {
        wanted
            .iter()
            .map(|address| address.range.ok_or_else(|| no_address(&address.text)))
            .collect()
    }
}

impl Condition {
    fn check(&self) -> Outcome<()> {
        match self {
            Condition::Addresses { wanted, .. } => Query::ranges(wanted).map(drop),
            Condition::Ports { wanted, .. } => {
                match wanted.iter().find(|port| i32::try_from(**port).is_err()) {
                    Some(port) => Err(data(format!("port {port} is out of range for 32 bits"))),
                    None => Ok(()),
                }
            }
            Condition::Texts { test, .. } | Condition::Text { test, .. } => match test {
                Test::Among(texts) => texts.iter().try_for_each(|text| no_nul(text)),
                _ => Ok(()),
            },
            Condition::Description(text) => no_nul(text),
            Condition::Time { .. } => Ok(()),
        }
    }
}

fn data(message: String) -> Fault {
    Diagnostic::new(Code::EventData, message)
}

/// E0606 about a column, with why it will not do.
fn no_column(name: &str, why: &str) -> Fault {
    Diagnostic::new(Code::EventStorage, format!("column {name}: {why}"))
}

/// E0606 for a column that the table does not have.
pub(in crate::event) fn unknown_column(name: &str) -> Fault {
    let near = nearest(name, COLUMNS.iter().map(|column| column.name()));
    Diagnostic::new(
        Code::EventStorage,
        format!("the table events has no column {name:?}"),
    )
    .did_you_mean(near)
}

fn no_nul(text: &str) -> Outcome<()> {
    match text.contains('\0') {
        true => Err(data(format!(
            "{text:?} holds a NUL character, which no column can hold"
        ))),
        false => Ok(()),
    }
}

fn no_address(text: &str) -> Fault {
    let fault = data(format!(
        "{text:?} is no address, network or range of addresses"
    ));
    match Range::parse(text) {
        // The one case in which reading loosely helps: bits behind the prefix.
        Some(network) => fault.help(format!("the network is {network}")),
        None => {
            fault.help("write 192.0.2.1, 192.0.2.0/24, 192.0.2.10-192.0.2.20 or the same with IPv6")
        }
    }
}

#[cfg(test)]
mod tests;
