//! Hash sums of values and distances between them, and the fingerprints of flows and handshakes made from them.

mod algorithm;
mod charset;
mod checksum;
mod community_id;
mod digest;
mod ja3;
mod serialized;
mod tlsh;

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    digest::HASH,
    digest::GET_HASHES_AVAILABLE,
    tlsh::TLSH_DIST,
    checksum::HMAC,
    checksum::CRC32,
    community_id::COMMUNITY_ID,
    ja3::JA3,
    ja3::JA3S,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
