//! Encodings of texts: base 16, 32 and 64, bits, and domain names in Unicode.

mod codec;
mod domains;
mod functions;

use crate::functions::spec::FunctionSpec;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    functions::ENCODE,
    functions::DECODE,
    functions::IS_ENCODING,
    functions::GET_SUPPORTED_ENCODINGS,
    domains::DOMAIN_TO_ASCII,
    domains::DOMAIN_TO_UNICODE,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
