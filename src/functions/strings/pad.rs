//! Texts brought to a length.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, required};
use super::{A_STRING, concatenated, text_form};
use crate::diagnostic::Outcome;
use crate::eval::convert::to_int;
use crate::eval::text::{check_length, to_text, utf16_length};
use crate::eval::{Call, Value};

pub(super) const FILL_LEFT: FunctionSpec = FunctionSpec {
    name: "FILL_LEFT",
    summary: "Puts a character before a text until it has the length wanted.",
    details: "Only the first character of the fill counts. A text that is long enough stays as it is; nothing is cut.",
    parameters: &[
        required("input", Kind::Any, "the value whose text is filled"),
        required("fill", Kind::Text, "the character to put before it"),
        required("length", Kind::Integer, "the length wanted"),
    ],
    returns: "the text, or null for null",
    errors: &[
        "the fill is null or empty",
        "the length is null or not a whole number",
        "the text would be longer than allowed",
    ],
    examples: &[
        example("FILL_LEFT(7, '0', 3)", "007"),
        example("FILL_LEFT('x', 'ab', 3)", "aax"),
        example("FILL_LEFT('12345', '0', 3)", "12345"),
        example("FILL_LEFT(null, '0', 3)", "null"),
        fails("FILL_LEFT('x', '', 3)", "E0204"),
        fails("FILL_LEFT('x', 'y', 2000000000)", "E0303"),
    ],
    see: &["FILL_RIGHT", "FORMAT", "PREPEND_IF_MISSING"],
    words: &["pad", "padding", "leading zeros", "align right", "lpad"],
    run: |call| filled(call, true),
    ..SPEC
};

pub(super) const FILL_RIGHT: FunctionSpec = FunctionSpec {
    name: "FILL_RIGHT",
    summary: "Puts a character behind a text until it has the length wanted.",
    details: "Only the first character of the fill counts. A text that is long enough stays as it is; nothing is cut.",
    parameters: &[
        required("input", Kind::Any, "the value whose text is filled"),
        required("fill", Kind::Text, "the character to put behind it"),
        required("length", Kind::Integer, "the length wanted"),
    ],
    returns: "the text, or null for null",
    errors: &[
        "the fill is null or empty",
        "the length is null or not a whole number",
        "the text would be longer than allowed",
    ],
    examples: &[
        example("FILL_RIGHT('ab', '.', 5)", "ab..."),
        example("FILL_RIGHT('abc', '.', '4')", "abc."),
        example("FILL_RIGHT('abcdef', '.', 5)", "abcdef"),
        fails("FILL_RIGHT('a', null, 5)", "E0203"),
        fails("FILL_RIGHT('a', '.', 'many')", "E0204"),
    ],
    see: &["FILL_LEFT", "FORMAT", "APPEND_IF_MISSING"],
    words: &["pad", "padding", "trailing", "align left", "rpad"],
    run: |call| filled(call, false),
    ..SPEC
};

fn filled(call: &mut Call<'_, '_>, left: bool) -> Outcome<Value> {
    let Some(text) = text_form(call, 0)? else {
        return Ok(Value::Null);
    };
    let length = call.arg(2);
    if length.is_null() {
        return Err(call.wrong_type(2, "a whole number"));
    }
    let Some(fill) = text_form(call, 1)? else {
        return Err(call.wrong_type(1, A_STRING));
    };
    let Some(fill) = fill.chars().next() else {
        return Err(call.wrong_value(1, "the fill is empty, it takes one character"));
    };
    let Some(wanted) = to_int(length) else {
        let message = format!("{} is no whole number of 32 bits", shortened(length));
        return Err(call.wrong_value(2, message));
    };
    let missing = usize::try_from(wanted)
        .unwrap_or(0)
        .saturating_sub(utf16_length(&text));
    if missing == 0 {
        return Ok(Value::Text(text));
    }
    // The first unit of a pair is half a character.
    let fill = if fill.len_utf16() > 1 {
        char::REPLACEMENT_CHARACTER
    } else {
        fill
    };
    let size = missing.saturating_mul(fill.len_utf8());
    check_length(
        size.saturating_add(text.len()),
        call.context().limits.string,
    )?;
    let mut stack = [0u8; 32];
    if fill.is_ascii() && size <= stack.len() {
        stack.fill(u8::try_from(fill).unwrap_or(b'?'));
        let filling = stack.get(..size).and_then(|b| std::str::from_utf8(b).ok());
        return joined(call, &text, filling.unwrap_or_default(), left);
    }
    let mut buffer = [0; 4];
    let filling = fill.encode_utf8(&mut buffer).repeat(missing);
    joined(call, &text, &filling, left)
}

fn joined(call: &Call<'_, '_>, text: &str, filling: &str, left: bool) -> Outcome<Value> {
    let pieces = if left {
        [filling, text]
    } else {
        [text, filling]
    };
    concatenated(call, &pieces)
}

/// The text of a value for a message.
fn shortened(value: &Value) -> String {
    let text = to_text(value);
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
