//! What a text begins and ends with.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, optional, required};
use super::{concatenated, string_or_null};
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};

pub(super) const STARTS_WITH: FunctionSpec = FunctionSpec {
    name: "STARTS_WITH",
    summary: "Tells whether a string begins with another.",
    details: "Capitals and small letters differ. Every string begins with the empty one.",
    parameters: &[
        required("string", Kind::Text, "the string to look at"),
        required("prefix", Kind::Text, "what it should begin with"),
    ],
    returns: "true or false; false when either is null",
    errors: &["either argument is neither a string nor null"],
    examples: &[
        example("STARTS_WITH('10.0.0.1', '10.')", "true"),
        example("STARTS_WITH('Root', 'root')", "false"),
        example("STARTS_WITH('abc', '')", "true"),
        example("STARTS_WITH(null, 'a')", "false"),
        fails("STARTS_WITH(10, '1')", "E0203"),
    ],
    see: &["ENDS_WITH", "PREPEND_IF_MISSING", "REGEXP_MATCH"],
    words: &["begins", "prefix"],
    run: |call| affixed(call, |text, prefix| text.starts_with(prefix)),
    ..SPEC
};

pub(super) const ENDS_WITH: FunctionSpec = FunctionSpec {
    name: "ENDS_WITH",
    summary: "Tells whether a string ends with another.",
    details: "Capitals and small letters differ. Every string ends with the empty one.",
    parameters: &[
        required("string", Kind::Text, "the string to look at"),
        required("suffix", Kind::Text, "what it should end with"),
    ],
    returns: "true or false; false when either is null",
    errors: &["either argument is neither a string nor null"],
    examples: &[
        example("ENDS_WITH('evil.example.org', '.org')", "true"),
        example("ENDS_WITH('a.EXE', '.exe')", "false"),
        example("ENDS_WITH(null, null)", "false"),
        fails("ENDS_WITH('port 22', 22)", "E0203"),
    ],
    see: &["STARTS_WITH", "APPEND_IF_MISSING", "REGEXP_MATCH"],
    words: &["suffix", "extension", "tail"],
    run: |call| affixed(call, |text, suffix| text.ends_with(suffix)),
    ..SPEC
};

pub(super) const PREPEND_IF_MISSING: FunctionSpec = FunctionSpec {
    name: "PREPEND_IF_MISSING",
    summary: "Puts a prefix before a string unless the string begins with it already.",
    details: "An empty or null prefix changes nothing. An empty string as alternative changes nothing either, \
              since every string begins with it.",
    parameters: &[
        required("string", Kind::Text, "the string to complete"),
        required("prefix", Kind::Text, "what it must begin with"),
        optional(
            "alternative",
            Kind::Text,
            "another prefix that is just as good",
        ),
    ],
    returns: "the string with the prefix, or null for null",
    errors: &[
        "an argument is neither a string nor null",
        "there are fewer than two or more than three arguments",
    ],
    examples: &[
        example(
            "PREPEND_IF_MISSING('example.org', 'http://')",
            "http://example.org",
        ),
        example(
            "PREPEND_IF_MISSING('http://example.org', 'http://')",
            "http://example.org",
        ),
        example(
            "PREPEND_IF_MISSING('https://example.org', 'http://', 'https://')",
            "https://example.org",
        ),
        example("PREPEND_IF_MISSING(null, 'a')", "null"),
        fails("PREPEND_IF_MISSING('a', 1)", "E0203"),
    ],
    see: &["APPEND_IF_MISSING", "STARTS_WITH", "FILL_LEFT"],
    words: &["add prefix", "ensure"],
    strict: true,
    run: |call| completed(call, Side::Start),
    ..SPEC
};

pub(super) const APPEND_IF_MISSING: FunctionSpec = FunctionSpec {
    name: "APPEND_IF_MISSING",
    summary: "Puts a suffix behind a string unless the string ends with it already.",
    details: "An empty or null suffix changes nothing. An empty string as alternative changes nothing either, \
              since every string ends with it.",
    parameters: &[
        required("string", Kind::Text, "the string to complete"),
        required("suffix", Kind::Text, "what it must end with"),
        optional(
            "alternative",
            Kind::Text,
            "another suffix that is just as good",
        ),
    ],
    returns: "the string with the suffix, or null for null",
    errors: &[
        "an argument is neither a string nor null",
        "there are fewer than two or more than three arguments",
    ],
    examples: &[
        example("APPEND_IF_MISSING('example', '.com')", "example.com"),
        example("APPEND_IF_MISSING('example.com', '.com')", "example.com"),
        example(
            "APPEND_IF_MISSING('example.org', '.com', '.org')",
            "example.org",
        ),
        example("APPEND_IF_MISSING('', 'xyz', null)", "xyz"),
        fails("APPEND_IF_MISSING('a', 'b', 'c', 'd')", "E0202"),
    ],
    see: &["PREPEND_IF_MISSING", "ENDS_WITH", "FILL_RIGHT"],
    words: &["add suffix", "ensure"],
    strict: true,
    run: |call| completed(call, Side::End),
    ..SPEC
};

fn affixed(call: &mut Call<'_, '_>, test: fn(&str, &str) -> bool) -> Outcome<Value> {
    let (text, affix) = (string_or_null(call, 0)?, string_or_null(call, 1)?);
    Ok(Value::Bool(match (text, affix) {
        (Some(text), Some(affix)) => test(text, affix),
        _ => false,
    }))
}

/// Which end of a string is meant.
#[derive(Clone, Copy)]
enum Side {
    Start,
    End,
}

fn completed(call: &mut Call<'_, '_>, side: Side) -> Outcome<Value> {
    let (text, affix) = (string_or_null(call, 0)?, string_or_null(call, 1)?);
    let alternative = string_or_null(call, 2)?;
    let Some(text) = text else {
        return Ok(Value::Null);
    };
    let has = |affix: &str| match side {
        Side::Start => text.starts_with(affix),
        Side::End => text.ends_with(affix),
    };
    match affix {
        Some(affix) if !affix.is_empty() && !has(affix) && !alternative.is_some_and(|a| has(a)) => {
            match side {
                Side::Start => concatenated(call, &[affix, text]),
                Side::End => concatenated(call, &[text, affix]),
            }
        }
        _ => Ok(Value::Text(text.clone())),
    }
}
