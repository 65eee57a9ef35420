//! Queries in the style of Devo's LINQ: rows of a source through conditions, columns and groups.

mod aggregate;
mod groups;
mod layout;
mod parse;
mod plan;
mod run;
mod time;
pub mod tree;

pub use parse::parse;
pub use plan::{Query, aggregate_names};
pub use run::{Range, Row, TakeRow, Totals};
pub use time::time;

#[cfg(test)]
mod tests;
