//! Collections: queries whose results are kept for look-ups.

pub mod entry;
pub mod http;
pub mod key;
pub mod query;
mod service;
pub mod sources;
pub mod store;
pub mod task;

pub use service::Collections;
pub use store::{COLLECT, Embedded};
pub use task::{TASK, Tasks};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[query::FUNCTIONS, task::FUNCTIONS];
