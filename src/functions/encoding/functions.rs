//! ENCODE, DECODE, IS_ENCODING.

use super::codec::{Encoding, SUPPORTED};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::collections::List;
use crate::eval::text::check_length;
use crate::eval::{Call, Prepared, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, default, example, fails, optional, required,
};
use smol_str::SmolStr;
use std::sync::Arc;

const ENCODING: Parameter = required(
    "encoding",
    Kind::Text,
    "one of GET_SUPPORTED_ENCODINGS() or BASE64URL, in any case",
);

const STRINGS: &str = "the string or the encoding is neither a string nor null";
const UNKNOWN: &str = "the encoding is unknown";

pub(super) const ENCODE: FunctionSpec = FunctionSpec {
    name: "ENCODE",
    family: Family::Hashing,
    summary: "Writes the UTF-8 bytes of a string in an encoding.",
    details: "BASE32, BASE32HEX and BASE64 are those of RFC 4648, with padding; HEX has small letters. BINARY writes eight \
              bits a byte, the last byte first. BASE64URL, with - and _ and no padding, is an addition to Metron's.",
    parameters: &[
        required("string", Kind::Text, "the string"),
        ENCODING,
        optional("ignored", Kind::Any, "has no meaning; Metron accepts it"),
    ],
    returns: "the code; null when the string or the encoding is null or empty",
    errors: &[STRINGS, UNKNOWN],
    examples: &[
        example("ENCODE('hello', 'BASE64')", "aGVsbG8="),
        example("ENCODE('hello', 'hex')", "68656c6c6f"),
        example("ENCODE('AB', 'BINARY')", "0100001001000001"),
        example("ENCODE('??>', 'BASE64URL')", "Pz8-"),
        example("ENCODE('', 'HEX')", "null"),
        fails("ENCODE('hello', 'BASE65')", "E0204"),
    ],
    see: &["DECODE", "IS_ENCODING", "GET_SUPPORTED_ENCODINGS"],
    words: &["base64", "base32", "hexadecimal", "bits"],
    strict: true,
    prepare: Some(|arguments, _context| ready(ENCODE.name, arguments)),
    run: encode,
    ..SPEC
};

pub(super) const DECODE: FunctionSpec = FunctionSpec {
    name: "DECODE",
    family: Family::Hashing,
    summary: "Reads a string that was written in an encoding.",
    details: "Characters that do not belong to base 32 or 64 are skipped, and reading ends at the first =; base 32 knows \
              capitals only, base 64 both + / and - _. HEX with an odd number of digits or another character, and BINARY \
              of blanks, give the string itself. Bytes that are not UTF-8 become U+FFFD.",
    parameters: &[
        required("string", Kind::Text, "the code"),
        ENCODING,
        default(
            "verify",
            Kind::Boolean,
            "whether a string for which IS_ENCODING is false stays as it is",
            "false",
        ),
    ],
    returns: "the string that was encoded, or the code itself; null when the code or the encoding is null or empty",
    errors: &[STRINGS, UNKNOWN, "verify is not a boolean"],
    examples: &[
        example("DECODE('aGVsbG8=', 'BASE64')", "hello"),
        example("DECODE('68656c6c6f', 'HEX')", "hello"),
        example("DECODE('not hex', 'HEX')", "not hex"),
        example("DECODE('nbswy3dp', 'BASE32') == ''", "true"),
        example("DECODE('nbswy3dp', 'BASE32', true)", "nbswy3dp"),
        fails("DECODE('aGVsbG8=', 'BASE65')", "E0204"),
    ],
    see: &["ENCODE", "IS_ENCODING", "GET_SUPPORTED_ENCODINGS"],
    words: &["base64", "base32", "hexadecimal", "bits", "powershell"],
    strict: true,
    prepare: Some(|arguments, _context| ready(DECODE.name, arguments)),
    run: decode,
    ..SPEC
};

pub(super) const IS_ENCODING: FunctionSpec = FunctionSpec {
    name: "IS_ENCODING",
    family: Family::Hashing,
    summary: "Tells whether a string may have been written in an encoding.",
    details: "Every character must belong to the alphabet; for base 32 and 64 also = and blanks may stand anywhere. \
              A short word often passes for BASE64 without being meant so.",
    parameters: &[required("string", Kind::Text, "the string"), ENCODING],
    returns: "true or false; false when the string or the encoding is null or empty",
    errors: &[STRINGS, UNKNOWN],
    examples: &[
        example("IS_ENCODING('aGVsbG8=', 'BASE64')", "true"),
        example("IS_ENCODING('aGVsbG8=', 'HEX')", "false"),
        example("IS_ENCODING('nbswy3dp', 'BASE32')", "false"),
        example("IS_ENCODING(null, 'HEX')", "false"),
        fails("IS_ENCODING('68', 'HEXX')", "E0204"),
    ],
    see: &["DECODE", "ENCODE", "GET_SUPPORTED_ENCODINGS"],
    words: &["base64", "detect", "valid"],
    prepare: Some(|arguments, _context| ready(IS_ENCODING.name, arguments)),
    run: is_encoding,
    ..SPEC
};

pub(super) const GET_SUPPORTED_ENCODINGS: FunctionSpec = FunctionSpec {
    name: "GET_SUPPORTED_ENCODINGS",
    family: Family::Hashing,
    summary: "Lists the encodings of ENCODE and DECODE.",
    details: "These are Metron's. BASE64URL is known as well.",
    returns: "the names, a list of strings",
    examples: &[
        example(
            "GET_SUPPORTED_ENCODINGS()",
            "[BASE32, BASE32HEX, BASE64, BINARY, HEX]",
        ),
        example("'HEX' in GET_SUPPORTED_ENCODINGS()", "true"),
    ],
    see: &["ENCODE", "DECODE", "IS_ENCODING"],
    words: &["base64", "base32", "supported"],
    run: |_| {
        let names = SUPPORTED
            .iter()
            .map(|(name, _)| Value::Text(SmolStr::new_static(name)));
        Ok(Value::List(List::array(names.collect())))
    },
    ..SPEC
};

/// The encoding of a literal name. Errors: E0204.
fn ready(function: &str, arguments: &[Option<&Value>]) -> Outcome<Option<Prepared>> {
    match arguments.get(1) {
        Some(Some(Value::Text(name))) if !name.is_empty() => match Encoding::named(name) {
            Some(encoding) => Ok(Some(Arc::new(encoding))),
            None => Err(unknown(function, name)),
        },
        _ => Ok(None),
    }
}

/// The first two arguments; `None` when one of them is null or empty. Errors: E0203, E0204.
fn text_and_encoding<'c>(call: &'c Call<'_, '_>) -> Outcome<Option<(&'c SmolStr, Encoding)>> {
    for index in [0, 1] {
        if !matches!(call.arg(index), Value::Text(_) | Value::Null) {
            return Err(call.wrong_type(index, "a string"));
        }
    }
    let (Value::Text(text), Value::Text(name)) = (call.arg(0), call.arg(1)) else {
        return Ok(None);
    };
    if text.is_empty() || name.is_empty() {
        return Ok(None);
    }
    let encoding = match call.prepared::<Encoding>() {
        Some(encoding) => *encoding,
        None => Encoding::named(name).ok_or_else(|| unknown(call.name, name))?,
    };
    Ok(Some((text, encoding)))
}

#[cold]
fn unknown(function: &str, name: &str) -> Fault {
    let fault = |what| {
        let message = format!("{function}: {what}");
        Diagnostic::new(Code::ArgumentValue, message).of_argument(1)
    };
    // The comparison with all names takes long for long texts.
    if name.len() > 40 {
        return fault("this is not the name of an encoding, such as BASE64".to_string());
    }
    let fault = fault(format!("{name:?} is not a known encoding"));
    let names = SUPPORTED.iter().map(|(name, _)| *name);
    match nearest(&name.to_uppercase(), names.chain(["BASE64URL"])) {
        Some(near) => fault.did_you_mean(Some(near)),
        None => fault.help("encodings are BASE32, BASE32HEX, BASE64, BASE64URL, BINARY and HEX"),
    }
}

fn encode(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some((text, encoding)) = text_and_encoding(call)? else {
        return Ok(Value::Null);
    };
    let length = encoding.encoded_length(text.len());
    check_length(length, call.context().limits.string)?;
    Ok(Value::string(encoding.encode(text.as_bytes())))
}

fn decode(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let given = call.count() > 2;
    if given && !matches!(call.arg(2), Value::Bool(_) | Value::Null) {
        return Err(call.wrong_type(2, "true or false"));
    }
    let Some((text, encoding)) = text_and_encoding(call)? else {
        return Ok(Value::Null);
    };
    let verify = match call.arg(2) {
        Value::Bool(verify) => *verify,
        // Metron takes null only where it does not get to look at it.
        _ if given => return Err(call.wrong_type(2, "true or false")),
        _ => false,
    };
    if verify && !encoding.accepts(text) {
        return Ok(Value::Text(text.clone()));
    }
    match encoding.decode(text) {
        Some(decoded) => {
            check_length(decoded.len(), call.context().limits.string)?;
            Ok(Value::string(decoded))
        }
        None => Ok(Value::Text(text.clone())),
    }
}

fn is_encoding(call: &mut Call<'_, '_>) -> Outcome<Value> {
    Ok(Value::Bool(match text_and_encoding(call)? {
        Some((text, encoding)) => encoding.accepts(text),
        None => false,
    }))
}
