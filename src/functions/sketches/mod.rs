//! Sketches: distinct counts and memberships in little memory.

mod bias;
mod bloom;
pub mod filter;
mod hllp;
pub mod hyperloglog;
pub mod murmur;

pub use bloom::Bloom;
pub use hllp::{Hllp, hash};

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    hllp::HLLP_INIT,
    hllp::HLLP_ADD,
    hllp::HLLP_CARDINALITY,
    hllp::HLLP_MERGE,
    bloom::BLOOM_INIT,
    bloom::BLOOM_ADD,
    bloom::BLOOM_EXISTS,
    bloom::BLOOM_MERGE,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
