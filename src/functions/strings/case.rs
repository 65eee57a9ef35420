//! Capitals and small letters, the text of a value, blanks around it.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, required};
use super::text_form;
use crate::diagnostic::Outcome;
use crate::eval::text::{check_length, to_text_within};
use crate::eval::{Call, Value};
use smol_str::{SmolStr, StrExt};

pub(super) const TO_LOWER: FunctionSpec = FunctionSpec {
    name: "TO_LOWER",
    summary: "Turns the text of a value into small letters.",
    details: "Works on letters of all scripts. A value that is not a string is turned into its text first.",
    parameters: &[required(
        "input",
        Kind::Any,
        "the value whose text is wanted",
    )],
    returns: "the text in small letters, or null for null",
    examples: &[
        example("TO_LOWER('GET /Index.HTML')", "get /index.html"),
        example("TO_LOWER(['A', true])", "[a, true]"),
        example("TO_LOWER('ΟΔΟΣ')", "οδος"),
        example("TO_LOWER(null)", "null"),
    ],
    see: &["TO_UPPER", "TRIM"],
    words: &["lowercase", "downcase", "case-insensitive", "normalise"],
    run: |call| recased(call, lower),
    ..SPEC
};

pub(super) const TO_UPPER: FunctionSpec = FunctionSpec {
    name: "TO_UPPER",
    summary: "Turns the text of a value into capitals.",
    details: "Works on letters of all scripts; a text can become longer, as ß becomes SS. \
              A value that is not a string is turned into its text first.",
    parameters: &[required(
        "input",
        Kind::Any,
        "the value whose text is wanted",
    )],
    returns: "the text in capitals, or null for null",
    examples: &[
        example("TO_UPPER('abc')", "ABC"),
        example("TO_UPPER(true)", "TRUE"),
        example("TO_UPPER('straße')", "STRASSE"),
        example("TO_UPPER(null)", "null"),
    ],
    see: &["TO_LOWER", "TRIM"],
    words: &["uppercase", "upcase", "capitalise"],
    run: |call| recased(call, upper),
    ..SPEC
};

pub(super) const TO_STRING: FunctionSpec = FunctionSpec {
    name: "TO_STRING",
    summary: "Gives the text of any value.",
    details: "Lists print as [1, 2], maps as {a=1}; a double always shows a fraction or an exponent.",
    parameters: &[required(
        "input",
        Kind::Any,
        "the value whose text is wanted",
    )],
    returns: "the text, or null for null",
    examples: &[
        example("TO_STRING(42)", "42"),
        example("TO_STRING(3.0)", "3.0"),
        example("TO_STRING([1, 'a', null])", "[1, a, null]"),
        example("TO_STRING({'a': 1})", "{a=1}"),
        example("TO_STRING(null) == null", "true"),
    ],
    see: &["FORMAT", "JOIN", "TO_INTEGER", "TO_JSON_OBJECT"],
    words: &["convert", "print", "stringify"],
    run: |call| Ok(text_form(call, 0)?.map_or(Value::Null, Value::Text)),
    ..SPEC
};

pub(super) const TRIM: FunctionSpec = FunctionSpec {
    name: "TRIM",
    summary: "Takes blanks, line ends and control characters off both ends of a text.",
    details: "Removes characters up to U+0020, and nothing beyond: a no-break space stays. \
              A value that is not a string is turned into its text first.",
    parameters: &[required(
        "input",
        Kind::Any,
        "the value whose text is wanted",
    )],
    returns: "the text without them, or null for null",
    examples: &[
        example("TRIM('  root ')", "root"),
        example("TRIM(' a b ') == 'a b'", "true"),
        example("TRIM('\\t\\n') == ''", "true"),
        example("TRIM(null)", "null"),
    ],
    see: &["CHOMP", "TO_LOWER"],
    words: &["whitespace", "strip", "spaces"],
    run: |call| {
        Ok(text_form(call, 0)?.map_or(Value::Null, |text| {
            let trimmed = text.trim_matches(|c| c <= ' ');
            if trimmed.len() == text.len() {
                Value::Text(text)
            } else {
                Value::text(trimmed)
            }
        }))
    },
    ..SPEC
};

/// Changes the case of the first argument's text.
#[inline]
fn recased(call: &Call<'_, '_>, change: impl Fn(&SmolStr) -> SmolStr) -> Outcome<Value> {
    let limit = call.context().limits.string;
    let changed = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::Text(text) => change(text),
        other => change(&to_text_within(other, limit)?),
    };
    check_length(changed.len(), limit)?;
    Ok(Value::Text(changed))
}

/// Whether a text holds nothing but ASCII, and whether any byte of it passes `test`; one walk for both.
#[inline]
fn looked_at(text: &str, test: fn(&u8) -> bool) -> (bool, bool) {
    let (mut all, mut found) = (0, false);
    for byte in text.as_bytes() {
        all |= byte;
        found |= test(byte);
    }
    (all.is_ascii(), found)
}

fn lower(text: &SmolStr) -> SmolStr {
    match looked_at(text, u8::is_ascii_uppercase) {
        (true, false) => text.clone(),
        (true, true) => text.to_ascii_lowercase_smolstr(),
        (false, _) => SmolStr::from(text.to_lowercase()),
    }
}

fn upper(text: &SmolStr) -> SmolStr {
    match looked_at(text, u8::is_ascii_lowercase) {
        (true, false) => text.clone(),
        (true, true) => text.to_ascii_uppercase_smolstr(),
        (false, _) => SmolStr::from(text.to_uppercase()),
    }
}
