//! JA3 and JA3S: fingerprints of TLS clients and servers by what their first message offers
//! (J. Althouse, J. Atkinson, J. Atkins, "TLS Fingerprinting with JA3 and JA3S", 2019).

use super::algorithm::{Algorithm, hex};
use crate::diagnostic::{Fault, Outcome};
use crate::eval::text::check_length;
use crate::eval::{Call, Value, convert};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, required,
};
use std::fmt::Write;

const VERSION: Parameter = required(
    "version",
    Kind::Integer,
    "the version of the message, such as 771 for TLS 1.2",
);

const NUMBERS: &str = "the version or an element is not a number between 0 and 65535";

pub(super) const JA3: FunctionSpec = FunctionSpec {
    name: "JA3",
    family: Family::Hashing,
    summary: "Computes the JA3 of a TLS client from the parts of its first message.",
    details: "The MD5 of the five fields in decimal, elements joined by - and fields by a comma. The values that GREASE \
              (RFC 8701) mixes in at random are left out. Each part is a list of numbers, or one text such as \
              '47-53-5'; null and the empty list give an empty field.",
    parameters: &[
        VERSION,
        required(
            "ciphers",
            Kind::Iterable,
            "the cipher suites, in their order",
        ),
        required(
            "extensions",
            Kind::Iterable,
            "the types of the extensions, in their order",
        ),
        required("curves", Kind::Iterable, "the supported groups"),
        required(
            "formats",
            Kind::Iterable,
            "the formats of points of elliptic curves",
        ),
    ],
    returns: "the fingerprint, 32 hexadecimal digits; null when the version is null",
    errors: &[NUMBERS],
    examples: &[
        example(
            "JA3(769, '47-53-5-10-49161-49162-49171-49172-50-56-19-4', [0, 10, 11], [23, 24, 25], [0])",
            "ada70206e40642a3e4461f35503241d5",
        ),
        example(
            "JA3(769, [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], [], [], [])",
            "de350869b8c85de67a350c8d186f11e6",
        ),
        example(
            "JA3(769, [2570, 4], [], [], []) == JA3(769, [4], null, null, null)",
            "true",
        ),
        fails("JA3(769, ['x'], [], [], [])", "E0204"),
    ],
    see: &["JA3S", "HASH", "COMMUNITY_ID"],
    words: &["tls", "ssl", "fingerprint", "client hello", "GREASE"],
    run: |call| fingerprint(call, 5),
    ..SPEC
};

pub(super) const JA3S: FunctionSpec = FunctionSpec {
    name: "JA3S",
    family: Family::Hashing,
    summary: "Computes the JA3S of a TLS server from the parts of its first message.",
    details: "The MD5 of the three fields in decimal, extensions joined by - and fields by a comma.",
    parameters: &[
        VERSION,
        required(
            "cipher",
            Kind::Integer,
            "the cipher suite that the server chose",
        ),
        required(
            "extensions",
            Kind::Iterable,
            "the types of the extensions, in their order",
        ),
    ],
    returns: "the fingerprint, 32 hexadecimal digits; null when the version is null",
    errors: &[NUMBERS],
    examples: &[
        example(
            "JA3S(769, 47, [65281, 0, 11, 35, 5, 16])",
            "836ce314215654b5b1f85f97c73e506f",
        ),
        example("JA3S(null, 47, [])", "null"),
        fails("JA3S(769, 47, [70000])", "E0204"),
    ],
    see: &["JA3", "HASH"],
    words: &["tls", "ssl", "fingerprint", "server hello"],
    run: |call| fingerprint(call, 3),
    ..SPEC
};

/// The MD5 of the first `count` arguments.
fn fingerprint(call: &mut Call<'_, '_>, count: usize) -> Outcome<Value> {
    if call.arg(0).is_null() {
        return Ok(Value::Null);
    }
    let mut text = String::new();
    for index in 0..count {
        if index > 0 {
            text.push(',');
        }
        field(call, index, &mut text)?;
    }
    Ok(Value::Text(hex(&Algorithm::Md5.digest(text.as_bytes()))))
}

fn field(call: &Call<'_, '_>, index: usize, text: &mut String) -> Outcome<()> {
    let items = match call.arg(index) {
        Value::Null => return Ok(()),
        Value::Text(list) if list.is_empty() => return Ok(()),
        Value::Text(list) => {
            let mut parts = list.split('-');
            return join(call, index, text, || parts.next().map(Value::text));
        }
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        value => vec![value.clone()],
    };
    let mut items = items.into_iter();
    join(call, index, text, || items.next())
}

fn join(
    call: &Call<'_, '_>,
    index: usize,
    text: &mut String,
    mut next: impl FnMut() -> Option<Value>,
) -> Outcome<()> {
    let mut behind_another = false;
    while let Some(item) = next() {
        call.step()?;
        let Some(number) = convert::to_int(&item).and_then(|n| u16::try_from(n).ok()) else {
            return Err(no_number(call, index));
        };
        // GREASE: 0x0a0a, 0x1a1a, … 0xfafa.
        if number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff {
            continue;
        }
        if behind_another {
            text.push('-');
        }
        behind_another = true;
        check_length(text.len() + 5, call.context().limits.string)?;
        // Writing to a string does not fail.
        let _ = write!(text, "{number}");
    }
    Ok(())
}

#[cold]
fn no_number(call: &Call<'_, '_>, index: usize) -> Fault {
    call.wrong_value(index, "expects whole numbers between 0 and 65535")
}
