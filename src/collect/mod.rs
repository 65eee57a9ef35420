//! Collections: queries whose results are kept for look-ups.

pub mod entry;
pub mod key;
pub mod query;
mod service;
pub mod sources;
pub mod store;

pub use service::Collections;
pub use store::{COLLECT, Embedded};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[query::FUNCTIONS];
