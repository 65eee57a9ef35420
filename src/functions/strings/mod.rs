//! Texts, and access to the elements of lists.

mod affixes;
mod case;
mod cut;
mod elements;
mod format;
mod fuzzy;
mod measure;
mod pad;
mod pieces;
mod similarity;

use super::spec::FunctionSpec;
use crate::diagnostic::Outcome;
use crate::eval::text::{check_length, to_text_within};
use crate::eval::{Call, Value};
use smol_str::{SmolStr, SmolStrBuilder};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    case::TO_LOWER,
    case::TO_UPPER,
    case::TO_STRING,
    case::TRIM,
    affixes::STARTS_WITH,
    affixes::ENDS_WITH,
    affixes::PREPEND_IF_MISSING,
    affixes::APPEND_IF_MISSING,
    cut::SUBSTRING,
    cut::CHOMP,
    cut::CHOP,
    pieces::JOIN,
    pieces::SPLIT,
    elements::GET_FIRST,
    elements::GET_LAST,
    elements::GET,
    pad::FILL_LEFT,
    pad::FILL_RIGHT,
    measure::STRING_ENTROPY,
    measure::COUNT_MATCHES,
    format::FORMAT,
    fuzzy::FUZZY_SCORE,
    fuzzy::FUZZY_LANGS,
    similarity::LEVENSHTEIN,
    similarity::JARO_WINKLER,
];

/// What a string parameter expects, for error messages.
const A_STRING: &str = "a string";

/// The string at `index`, `None` for null. Errors: E0203 for anything else.
fn string_or_null<'c>(call: &'c Call<'_, '_>, index: usize) -> Outcome<Option<&'c SmolStr>> {
    match call.arg(index) {
        Value::Text(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        _ => Err(call.wrong_type(index, A_STRING)),
    }
}

/// The text form of the argument at `index`, `None` for null. Errors: E0303.
fn text_form(call: &Call<'_, '_>, index: usize) -> Outcome<Option<SmolStr>> {
    match call.arg(index) {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(text.clone())),
        value => to_text_within(value, call.context().limits.string).map(Some),
    }
}

/// The pieces one after the other; short texts without touching the heap. Errors: E0303.
fn concatenated(call: &Call<'_, '_>, pieces: &[&str]) -> Outcome<Value> {
    let length = pieces.iter().map(|piece| piece.len()).sum();
    check_length(length, call.context().limits.string)?;
    let mut text = SmolStrBuilder::with_capacity(length);
    for piece in pieces {
        text.push_str(piece);
    }
    Ok(Value::Text(text.finish()))
}

#[cfg(test)]
mod tests;
