//! Parts of texts. Positions count UTF-16 units; half of a pair becomes U+FFFD.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, optional, required};
use super::{concatenated, string_or_null};
use crate::diagnostic::{Fault, Outcome};
use crate::eval::java::numbers::double_to_int;
use crate::eval::text::{to_text, utf16_length};
use crate::eval::{Call, Value};
use smol_str::SmolStr;

pub(super) const SUBSTRING: FunctionSpec = FunctionSpec {
    name: "SUBSTRING",
    summary: "Cuts a part out of a string.",
    details: "Positions count from 0; the end is the first position that is left out. Fractions are cut off. \
              Unlike in many languages a position beyond the string is an error, except in the empty string, \
              whose part is always empty. Characters beyond U+FFFF (most emoji) count as two.",
    parameters: &[
        required("input", Kind::Text, "the string to cut from"),
        required("start", Kind::Number, "the first position of the part"),
        optional(
            "end",
            Kind::Number,
            "the position just behind the part; the end of the string if left out or null",
        ),
    ],
    returns: "the part, or null when the string or the start is null",
    errors: &[
        "the input is neither a string nor null",
        "a position is not a number",
        "a position lies outside of the string, or the end before the start",
    ],
    examples: &[
        example("SUBSTRING('metron', 0, 3)", "met"),
        example("SUBSTRING('metron', 3)", "ron"),
        example("SUBSTRING('metron', 6) == ''", "true"),
        example("SUBSTRING(null, 1)", "null"),
        example("SUBSTRING('', 4) == ''", "true"),
        fails("SUBSTRING('abc', 5)", "E0204"),
        fails("SUBSTRING(12345, 1)", "E0203"),
    ],
    see: &["CHOP", "SPLIT", "REGEXP_GROUP_VAL", "LENGTH"],
    words: &["slice", "mid", "left", "right", "substr"],
    run: substring,
    ..SPEC
};

pub(super) const CHOMP: FunctionSpec = FunctionSpec {
    name: "CHOMP",
    summary: "Takes one line end off the end of a string.",
    details: "A line end is \\r\\n, \\n or \\r. Only one is removed.",
    parameters: &[required("string", Kind::Text, "the string")],
    returns: "the string without it, or null for null",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example("CHOMP('abc\\r\\n')", "abc"),
        example("CHOMP('abc')", "abc"),
        example("CHOMP('abc\\n\\n') == 'abc\\n'", "true"),
        example("CHOMP(null)", "null"),
        fails("CHOMP(5)", "E0203"),
    ],
    see: &["CHOP", "TRIM"],
    words: &["newline", "line ending"],
    run: |call| cut_behind(call, |text| text.len() - line_end(text)),
    ..SPEC
};

pub(super) const CHOP: FunctionSpec = FunctionSpec {
    name: "CHOP",
    summary: "Takes the last character off a string.",
    details: "A closing \\r\\n counts as one character.",
    parameters: &[required("string", Kind::Text, "the string")],
    returns: "the string without it, or null for null",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example("CHOP('example.org.')", "example.org"),
        example("CHOP('abc\\r\\n')", "abc"),
        example("CHOP('') == ''", "true"),
        example("CHOP(null)", "null"),
        fails("CHOP(['a'])", "E0203"),
    ],
    see: &["CHOMP", "SUBSTRING"],
    words: &["drop last", "trailing character"],
    run: chop,
    ..SPEC
};

fn substring(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let text = string_or_null(call, 0)?;
    let start = position(call, 1)?;
    let end = position(call, 2)?;
    let (Some(text), Some(start)) = (text, start) else {
        return Ok(Value::Null);
    };
    if text.is_empty() {
        return Ok(Value::Text(SmolStr::default()));
    }
    let place = |number: i32| usize::try_from(number).ok();
    let cut = match (place(start), end.map(place)) {
        (Some(start), None) => tail(text, start),
        (Some(start), Some(Some(end))) => part(text, start, end),
        _ => None,
    };
    match cut {
        Some(Cut { low, middle, high }) if low || high => {
            let half = |is: bool| if is { "\u{fffd}" } else { "" };
            concatenated(call, &[half(low), middle, half(high)])
        }
        Some(Cut { middle, .. }) if middle.len() == text.len() => Ok(Value::Text(text.clone())),
        Some(Cut { middle, .. }) => Ok(Value::text(middle)),
        None => Err(outside(call, text, start, end)),
    }
}

/// A position argument, cut to a whole number. Errors: E0203.
#[inline]
fn position(call: &Call<'_, '_>, index: usize) -> Outcome<Option<i32>> {
    match call.arg(index) {
        Value::Int(n) => Ok(Some(*n)),
        Value::Null => Ok(None),
        // Beyond 32 bits a position lies outside of any string.
        Value::Long(n) => Ok(Some(i32::try_from(*n).unwrap_or(-1))),
        Value::Big(_) => Ok(Some(-1)),
        other => match other.as_double() {
            Some(x) => Ok(Some(double_to_int(x))),
            None => Err(call.wrong_type(index, "a number")),
        },
    }
}

/// A part of a text: what lies in it whole, and whether the cuts went through pairs before and behind that.
struct Cut<'t> {
    low: bool,
    middle: &'t str,
    high: bool,
}

fn whole(middle: &str) -> Cut<'_> {
    Cut {
        low: false,
        middle,
        high: false,
    }
}

/// From unit `start` to the end; `None` when there is no such unit.
fn tail(text: &str, start: usize) -> Option<Cut<'_>> {
    if text.as_bytes().get(..start)?.is_ascii() {
        return text.get(start..).map(whole);
    }
    let (at, inside) = offset(text, start)?;
    Some(Cut {
        low: inside,
        middle: text.get(at..)?,
        high: false,
    })
}

/// From unit `start` to before unit `end`; `None` when there are no such units.
fn part(text: &str, start: usize, end: usize) -> Option<Cut<'_>> {
    if text.as_bytes().get(..end)?.is_ascii() {
        return text.get(start..end).map(whole);
    }
    if start > end {
        return None;
    }
    let ((from, low), (to, high)) = (offset(text, start)?, offset(text, end)?);
    if start == end {
        return Some(whole(""));
    }
    // The end lies inside of the pair that is just behind `to`'s beginning.
    let to = if high { to - 4 } else { to };
    Some(Cut {
        low,
        middle: text.get(from..to)?,
        high,
    })
}

/// The byte behind `units` units, and whether that cut a pair, which is then counted whole.
fn offset(text: &str, units: usize) -> Option<(usize, bool)> {
    let mut left = units;
    for (at, c) in text.char_indices() {
        match (left, c.len_utf16()) {
            (0, _) => return Some((at, false)),
            (1, 2) => return Some((at + 4, true)),
            (_, width) => left -= width,
        }
    }
    (left == 0).then_some((text.len(), false))
}

#[cold]
fn outside(call: &Call<'_, '_>, text: &str, start: i32, end: Option<i32>) -> Fault {
    let length = utf16_length(text);
    let beyond = |n: i32| usize::try_from(n).map_or(true, |n| n > length);
    let has = match length {
        1 => "which has 1 character".to_string(),
        n => format!("which has {n} characters"),
    };
    if beyond(start) {
        let given = to_text(call.arg(1));
        let message = format!("the start {given} lies outside of the string, {has}");
        return call.wrong_value(1, message);
    }
    match end {
        Some(end) if !beyond(end) => {
            call.wrong_value(2, format!("the end {end} lies before the start {start}"))
        }
        _ => {
            let given = to_text(call.arg(2));
            let message = format!("the end {given} lies outside of the string, {has}");
            call.wrong_value(2, message)
        }
    }
}

/// Keeps as many bytes of the first argument as `keep` says.
fn cut_behind(call: &mut Call<'_, '_>, keep: fn(&str) -> usize) -> Outcome<Value> {
    let Some(text) = string_or_null(call, 0)? else {
        return Ok(Value::Null);
    };
    match text.get(..keep(text)) {
        Some(kept) if kept.len() < text.len() => Ok(Value::text(kept)),
        _ => Ok(Value::Text(text.clone())),
    }
}

/// The number of bytes of the line end at the end.
fn line_end(text: &str) -> usize {
    if text.ends_with("\r\n") {
        2
    } else {
        usize::from(text.ends_with(['\n', '\r']))
    }
}

fn chop(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(text) = string_or_null(call, 0)? else {
        return Ok(Value::Null);
    };
    if let Some(rest) = text.strip_suffix("\r\n") {
        return Ok(Value::text(rest));
    }
    let mut characters = text.chars();
    match characters.next_back() {
        // Half of the pair stays.
        Some(c) if c.len_utf16() == 2 => concatenated(call, &[characters.as_str(), "\u{fffd}"]),
        _ => Ok(Value::text(characters.as_str())),
    }
}
