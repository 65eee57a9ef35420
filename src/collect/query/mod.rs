//! Queries in the style of Devo's LINQ: rows of a source through conditions, columns and groups.

mod aggregate;
mod function;
mod groups;
mod layout;
mod parse;
mod plan;
mod run;
mod saved;
mod time;
pub mod tree;

pub use function::FUNCTIONS;
pub use parse::{WORDS, parse};
pub use plan::{Query, aggregate_names};
pub use run::{Range, Row, TakeRow, Totals};
pub use saved::{SAVED, Saved, SavedQuery};
pub use time::time;

#[cfg(test)]
mod tests;
