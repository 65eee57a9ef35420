//! The event store: security events as IDEA messages, their rows in Mentat's table `events`, and where these are kept.

mod functions;
mod message;
pub mod query;
mod range;
mod row;
pub mod service;
pub mod shape;
mod source;
pub mod store;
pub mod thresholding;
pub mod timeline;

pub use message::{Address, Ids, Item, Message, Options, PRIVATE_KEY};
pub use range::Range;
pub use row::{COLUMNS, Column, ColumnKind, PHYSICAL, Record, Row};
pub use service::{Cursor, Events};
pub use source::EventRows;
pub use store::{EVENT, Embedded};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = functions::FUNCTIONS;

#[cfg(test)]
mod tests;
