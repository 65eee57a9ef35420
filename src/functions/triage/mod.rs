//! Scores of alerts by rules.

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[];
