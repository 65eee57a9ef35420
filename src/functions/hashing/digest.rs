//! HASH: digests of values.

use super::algorithm::{ALGORITHMS, Algorithm, hex, unsupported};
use super::charset::Charset;
use super::{serialized, tlsh};
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, Map};
use crate::eval::{Call, Context, Prepared, Value, convert};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, example, fails, optional, required,
};
use smol_str::SmolStr;
use std::sync::Arc;

pub(super) const HASH: FunctionSpec = FunctionSpec {
    name: "HASH",
    family: Family::Hashing,
    summary: "Computes the digest of a value, or its TLSH, which is alike for similar data.",
    details: "A string is hashed by its UTF-8 bytes, unless the configuration names another charset; any other value by \
              the bytes of its Java serialization, as Metron does, so 1, 1L, 1.0 and '1' have four digests. Null gives zeros. \
              The configuration of TLSH: bucketSize 128 or 256, checksumBytes 1 or 3, force (false asks for 256 bytes \
              instead of 50), and hashes, a number or a list of numbers of bits: then a map comes out, with \
              bins into which similar data fall. MD2, MD5 and SHA-1 are broken: good for looking things up, not for proof.",
    parameters: &[
        required("value", Kind::Any, "what to hash"),
        required(
            "type",
            Kind::Text,
            "the algorithm, one of GET_HASHES_AVAILABLE(), in any case",
        ),
        optional(
            "config",
            Kind::Map,
            "charset for digests; bucketSize, checksumBytes, force and hashes for TLSH",
        ),
    ],
    returns: "the digest in small hexadecimal digits; for TLSH capital ones, null for too little or too uniform data, or \
              a map; null when the type is null, and for lambdas and objects of functions",
    errors: &[
        "the type is neither null nor one of GET_HASHES_AVAILABLE()",
        "the charset is unknown",
        "a collection holds a lambda or an object of a function",
        "a number in the configuration of TLSH does not read as one",
    ],
    examples: &[
        example("HASH('hello', 'md5')", "5d41402abc4b2a76b9719d911017c592"),
        example(
            "HASH('hello', 'SHA-1')",
            "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
        ),
        example("HASH(null, 'md5')", "00000000000000000000000000000000"),
        example("HASH(5, 'md5')", "ce4be10c948828d74af398c6a1cbd05f"),
        example(
            "HASH('hello', 'md5', {'charset': 'ISO-8859-1'})",
            "5d41402abc4b2a76b9719d911017c592",
        ),
        example("HASH('too short', 'TLSH')", "null"),
        fails("HASH('hello', 'sha256')", "E0204"),
        fails("HASH('hello')", "E0202"),
    ],
    see: &["GET_HASHES_AVAILABLE", "TLSH_DIST", "HMAC", "CRC32"],
    words: &[
        "checksum",
        "fingerprint",
        "sha1",
        "sha256",
        "sha512",
        "sha3",
        "locality",
        "fuzzy hash",
        "anonymise",
        "pseudonym",
    ],
    prepare: Some(ready),
    run: hash,
    ..SPEC
};

pub(super) const GET_HASHES_AVAILABLE: FunctionSpec = FunctionSpec {
    name: "GET_HASHES_AVAILABLE",
    family: Family::Hashing,
    summary: "Lists the algorithms that HASH knows.",
    details: "The names are Java's. HASH takes them in any case, and SHA for SHA-1.",
    returns: "the names, a list of strings",
    errors: &["there is an argument"],
    examples: &[
        example("'SHA-256' in GET_HASHES_AVAILABLE()", "true"),
        example("'TLSH' in GET_HASHES_AVAILABLE()", "true"),
        example("'CRC32' in GET_HASHES_AVAILABLE()", "false"),
        fails("GET_HASHES_AVAILABLE(1)", "E0202"),
    ],
    see: &["HASH"],
    words: &["digest", "supported", "algorithms"],
    strict: true,
    run: |_| {
        let names = ALGORITHMS
            .iter()
            .map(|(name, _)| Value::Text(SmolStr::new_static(name)));
        Ok(Value::List(List::array(names.collect())))
    },
    ..SPEC
};

fn ready(arguments: &[Option<&Value>], _context: &Context) -> Outcome<Option<Prepared>> {
    prepared(HASH.name, arguments)
}

/// The algorithm of the second argument, when it is a literal. Errors: E0204.
pub(super) fn prepared(name: &str, arguments: &[Option<&Value>]) -> Outcome<Option<Prepared>> {
    match arguments.get(1) {
        Some(Some(Value::Text(text))) => match Algorithm::named(text) {
            Some(algorithm) => Ok(Some(Arc::new(algorithm))),
            None => Err(unsupported(name, text)),
        },
        _ => Ok(None),
    }
}

/// The algorithm that the second argument names; `None` for null. Errors: E0203, E0204.
pub(super) fn algorithm(call: &Call<'_, '_>) -> Outcome<Option<Algorithm>> {
    if let Some(algorithm) = call.prepared::<Algorithm>() {
        return Ok(Some(*algorithm));
    }
    match call.arg(1) {
        Value::Null => Ok(None),
        Value::Text(name) => match Algorithm::named(name) {
            Some(algorithm) => Ok(Some(algorithm)),
            None => Err(unsupported(call.name, name)),
        },
        _ => Err(call.wrong_type(1, "the name of an algorithm")),
    }
}

fn hash(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(algorithm) = algorithm(call)? else {
        return Ok(Value::Null);
    };
    let config = match call.arg(2) {
        Value::Map(config) if !config.is_empty() => Some(config),
        _ => None,
    };
    if algorithm == Algorithm::Tlsh {
        return tlsh::hash(call, config);
    }
    let charset = match config {
        Some(config) => charset(call, config)?,
        None => Charset::Utf8,
    };
    let sum = match call.arg(0) {
        Value::Null => {
            let zeros = [b'0'; 128];
            let zeros = zeros.get(..2 * algorithm.length()).unwrap_or_default();
            return Ok(Value::text(std::str::from_utf8(zeros).unwrap_or_default()));
        }
        Value::Text(text) => algorithm.digest(&charset.encode(text)),
        value => match serialized::bytes(call, value)? {
            Some(bytes) => algorithm.digest(&bytes),
            None => return Ok(Value::Null),
        },
    };
    Ok(Value::Text(charset.decode(hex(&sum))))
}

/// The charset that a configuration names. Errors: E0204 for one that is unknown.
fn charset(call: &Call<'_, '_>, config: &Map) -> Outcome<Charset> {
    let name = config
        .get_text("charset")
        .and_then(|name| convert::to_string(&name));
    match name {
        None => Ok(Charset::Utf8),
        Some(name) => Charset::named(&name).ok_or_else(|| {
            let short: String = name.chars().take(40).collect();
            call.wrong_value(2, format!("{short:?} is not a known charset"))
                .help("names are Java's: UTF-8, UTF-16LE, ISO-8859-1, windows-1252, …")
        }),
    }
}
