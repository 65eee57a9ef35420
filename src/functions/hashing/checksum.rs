//! HMAC and CRC-32.

use super::algorithm::hex;
use super::digest::{algorithm, prepared};
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};

pub(super) const HMAC: FunctionSpec = FunctionSpec {
    name: "HMAC",
    family: Family::Hashing,
    summary: "Computes the keyed digest of a text, which nobody can make without the key.",
    details: "HMAC as in RFC 2104 and FIPS 198-1. Good for pseudonyms: equal texts give equal digests, and without the \
              key nobody can try out names. Text and key are taken as UTF-8.",
    parameters: &[
        required("text", Kind::Text, "what to hash"),
        required(
            "type",
            Kind::Text,
            "the algorithm, one of GET_HASHES_AVAILABLE() except TLSH",
        ),
        required("key", Kind::Text, "the key"),
    ],
    returns: "the digest in small hexadecimal digits; null when an argument is null",
    errors: &[
        "the text or the key is neither a string nor null",
        "the type is not one of GET_HASHES_AVAILABLE(), or is TLSH",
    ],
    examples: &[
        example(
            "HMAC('what do ya want for nothing?', 'SHA-256', 'Jefe')",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        example(
            "HMAC('what do ya want for nothing?', 'md5', 'Jefe')",
            "750c783e6ab0b503eaa86e310a5db738",
        ),
        example("HMAC(null, 'md5', 'key')", "null"),
        fails("HMAC('text', 'TLSH', 'key')", "E0204"),
    ],
    see: &["HASH", "GET_HASHES_AVAILABLE"],
    words: &[
        "keyed",
        "authentication",
        "pseudonym",
        "anonymise",
        "secret",
    ],
    prepare: Some(|arguments, _context| prepared(HMAC.name, arguments)),
    run: hmac,
    ..SPEC
};

pub(super) const CRC32: FunctionSpec = FunctionSpec {
    name: "CRC32",
    family: Family::Hashing,
    summary: "Computes the CRC-32 checksum of a text.",
    details: "The checksum of zip, gzip and Ethernet (ISO 3309), of the UTF-8 bytes. It finds transmission errors and \
              spreads keys over buckets; it protects from nobody.",
    parameters: &[required("text", Kind::Text, "the text")],
    returns: "the checksum, a long between 0 and 4294967295; null for null",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example("CRC32('123456789')", "3421780262"),
        example("CRC32('')", "0"),
        example("CRC32(null)", "null"),
        fails("CRC32(5)", "E0203"),
    ],
    see: &["HASH"],
    words: &["checksum", "gzip", "zip", "bucket"],
    run: |call| match call.arg(0) {
        Value::Null => Ok(Value::Null),
        Value::Text(text) => Ok(Value::Long(i64::from(crc32fast::hash(text.as_bytes())))),
        _ => Err(call.wrong_type(0, "a string")),
    },
    ..SPEC
};

fn hmac(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let algorithm = algorithm(call)?;
    for index in [0, 2] {
        if !matches!(call.arg(index), Value::Text(_) | Value::Null) {
            return Err(call.wrong_type(index, "a string"));
        }
    }
    let (Some(algorithm), Value::Text(text), Value::Text(key)) =
        (algorithm, call.arg(0), call.arg(2))
    else {
        return Ok(Value::Null);
    };
    match algorithm.authenticate(key.as_bytes(), text.as_bytes()) {
        Some(sum) => Ok(Value::Text(hex(&sum))),
        None => Err(call.wrong_value(1, "TLSH takes no key")),
    }
}
