//! Statistics over many numbers, in constant memory or over a window.

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[];
