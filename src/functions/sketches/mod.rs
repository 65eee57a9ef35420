//! Sketches: distinct counts and memberships in little memory.

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[];
