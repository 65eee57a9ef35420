//! The event store: security events as IDEA messages, their rows in Mentat's table `events`, and where these are kept.

mod range;
mod row;

pub use range::Range;
pub use row::{COLUMNS, Column, ColumnKind, PHYSICAL, Record, Row};

#[cfg(test)]
mod tests;
