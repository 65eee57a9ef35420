//! Collections: queries whose results are kept for look-ups.

pub mod query;
pub mod sources;

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[query::FUNCTIONS];
