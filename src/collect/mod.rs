//! Collections: queries whose results are kept for look-ups.

pub mod entry;
mod functions;
pub mod http;
pub mod key;
pub mod lookup;
pub mod query;
pub mod sources;
pub mod store;
pub mod task;

pub use lookup::Collections;
pub use store::{COLLECT, Embedded, Redis};
pub use task::{TASK, Tasks};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[functions::FUNCTIONS, query::FUNCTIONS, task::FUNCTIONS];
