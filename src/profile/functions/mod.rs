//! The profiler's functions in the language.

mod periods;
mod run;

pub use periods::{explain_window, lint_window};
pub use run::Keeper;

use crate::functions::spec::FunctionSpec;

/// Which periods are meant.
pub use periods::FUNCTIONS as PERIODS;
/// Profiles on messages.
pub use run::FUNCTIONS as RUN;

/// The functions of this room.
pub const FUNCTIONS: &[&[FunctionSpec]] = &[PERIODS, RUN];
