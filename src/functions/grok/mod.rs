//! Patterns with names, as Logstash has them.

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[];
