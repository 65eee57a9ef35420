//! The profiler: what is usual, by entity and period of time.

pub mod batch;
pub mod client;
pub mod definition;
mod functions;
pub mod holidays;
pub mod library;
pub mod measurement;
pub mod merge;
pub mod period;
pub mod plot;
pub mod row_key;
pub mod runner;
mod source;
pub mod store;
pub mod window;

pub use crate::eval::java::day;
pub use functions::{draw_window, explain_window, lint_window, reports};
pub use source::ProfileRows;
pub use store::{Embedded, FOLLOW, PROFILE, Profiles};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = functions::FUNCTIONS;
