//! Tables of databases as sources of rows.

mod postgres;
mod sqlite;

pub use postgres::PostgresRows;
pub use sqlite::SqliteRows;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::Context;
use crate::input::{Column, EVENTDATE};
use crate::store::Within;

/// A table as it is configured.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name, perhaps with its schema.
    pub name: String,
    /// The column with the time of a row.
    pub time: String,
    /// Whether more rows will come.
    pub grows: bool,
    /// By how many milliseconds rows may be written later than their time.
    pub lag: i64,
}

impl Table {
    /// The columns besides the time of a row, which has a name of its own.
    fn columns(&self, found: Vec<(String, &'static str)>) -> Outcome<Vec<Column>> {
        if !found.iter().any(|(name, _)| *name == self.time) {
            let near = nearest(&self.time, found.iter().map(|(name, _)| name.as_str()));
            let message = format!("the table {} has no column {}", self.name, self.time);
            return Err(Diagnostic::new(Code::BadQuery, message).did_you_mean(near));
        }
        let own = found.iter().filter(|(name, _)| name != EVENTDATE);
        Ok(own.map(|(name, kind)| Column::new(name, kind)).collect())
    }

    /// E0410 for a table that is not there.
    fn missing<'n>(&self, others: impl Iterator<Item = &'n str>) -> Fault {
        let near = nearest(&self.name, others);
        let message = format!("there is no table {}", self.name);
        Diagnostic::new(Code::BadQuery, message).did_you_mean(near)
    }
}

/// A name in a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A condition on a column of numbers, which are seconds or milliseconds, for a range in milliseconds.
fn numbers(column: &str, from: i64, to: i64) -> String {
    // Beyond this a number is one of milliseconds.
    const BORDER: i64 = 100_000_000_000;
    let (first, last) = (from.div_euclid(1000), to.div_euclid(1000).saturating_add(1));
    let (first, last) = (first.max(-BORDER), last.min(BORDER));
    format!(
        "(({column} >= {first} AND {column} <= {last}) OR ({column} >= {from} AND {column} < {to} AND ({column} >= {BORDER} OR {column} <= -{BORDER})))"
    )
}

/// Within the time that a query has.
fn within(context: &Context) -> Within<'_> {
    Within {
        deadline: context.deadline.into(),
        ..Within::context(context)
    }
}
