//! The profiler: what is usual, by entity and period of time.

pub mod client;
pub mod day;
mod functions;
pub mod holidays;
pub mod period;
pub mod window;

pub use functions::{explain_window, lint_window};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[functions::FUNCTIONS];
