//! Hash sums of values and distances between them.

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[];
