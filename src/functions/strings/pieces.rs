//! Texts made from lists, and lists made from texts.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, required};
use super::{A_STRING, string_or_null, text_form};
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, check_size};
use crate::eval::text::{check_length, to_text_within};
use crate::eval::{Call, Value};
use smol_str::SmolStrBuilder;

pub(super) const JOIN: FunctionSpec = FunctionSpec {
    name: "JOIN",
    summary: "Makes one text of the elements of a list or set, with a separator between them.",
    details: "Null elements are left out, separator and all.",
    parameters: &[
        required("items", Kind::Iterable, "a list or set"),
        required(
            "separator",
            Kind::Text,
            "what stands between two elements; may be empty",
        ),
    ],
    returns: "the text",
    errors: &[
        "the first argument is neither a list nor a set",
        "the separator is not a string",
        "the text would be longer than allowed",
    ],
    examples: &[
        example("JOIN(['tcp', 443], '/')", "tcp/443"),
        example("JOIN(['a', null, 'b'], ', ')", "a, b"),
        example("JOIN([], ',') == ''", "true"),
        fails("JOIN(['a'], null)", "E0203"),
        fails("JOIN('abc', ',')", "E0203"),
    ],
    see: &["SPLIT", "FORMAT", "TO_STRING"],
    words: &["concatenate", "concat", "implode", "delimiter"],
    run: join,
    ..SPEC
};

pub(super) const SPLIT: FunctionSpec = FunctionSpec {
    name: "SPLIT",
    summary: "Cuts a text at every occurrence of a separator.",
    details: "The separator is a plain text, not a pattern. Empty parts are kept, \
              and the empty text has one part, which is empty.",
    parameters: &[
        required("input", Kind::Any, "the value whose text is cut"),
        required("separator", Kind::Text, "where to cut; not empty"),
    ],
    returns: "the list of parts; an empty list for null",
    errors: &[
        "the separator is not a string, or is empty",
        "there would be more parts than allowed",
    ],
    examples: &[
        example("SPLIT('a,b,c', ',')", "[a, b, c]"),
        example("SPLIT(',a,,b,', ',')", "[, a, , b, ]"),
        example("SPLIT(10.5, '.')", "[10, 5]"),
        example("SPLIT(null, ',')", "[]"),
        fails("SPLIT('abc', '')", "E0204"),
        fails("SPLIT('abc', null)", "E0203"),
    ],
    see: &["JOIN", "GET", "SUBSTRING", "REGEXP_GROUP_VAL"],
    words: &["tokenize", "explode", "delimiter", "fields", "csv"],
    run: split,
    ..SPEC
};

fn join(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let limit = call.context().limits.string;
    let Value::Text(separator) = call.arg(1) else {
        let first = matches!(call.arg(0), Value::List(_) | Value::Set(_));
        return Err(if first {
            call.wrong_type(1, A_STRING)
        } else {
            call.wrong_type(0, "a list or a set")
        });
    };
    let mut joined = Joined {
        text: SmolStrBuilder::new(),
        separator,
        limit,
        begun: false,
    };
    match call.arg(0) {
        Value::List(list) => list.with(|items| items.iter().try_for_each(|v| joined.add(v)))?,
        Value::Set(set) => set.with(|items| items.iter().try_for_each(|v| joined.add(v)))?,
        _ => return Err(call.wrong_type(0, "a list or a set")),
    }
    Ok(Value::Text(joined.text.finish()))
}

/// A text that grows by elements.
struct Joined<'s> {
    text: SmolStrBuilder,
    separator: &'s str,
    limit: usize,
    begun: bool,
}

impl Joined<'_> {
    fn add(&mut self, item: &Value) -> Outcome<()> {
        if item.is_null() {
            return Ok(());
        }
        if self.begun {
            self.push(self.separator)?;
        }
        self.begun = true;
        match item {
            Value::Text(text) => self.push(text),
            other => {
                let text = to_text_within(other, self.limit)?;
                self.push(&text)
            }
        }
    }

    fn push(&mut self, piece: &str) -> Outcome<()> {
        check_length(self.text.len().saturating_add(piece.len()), self.limit)?;
        self.text.push_str(piece);
        Ok(())
    }
}

fn split(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(text) = text_form(call, 0)? else {
        return Ok(Value::List(List::array(Vec::new())));
    };
    let Some(separator) = string_or_null(call, 1)? else {
        return Err(call.wrong_type(1, A_STRING));
    };
    if separator.is_empty() {
        return Err(call.wrong_value(1, "the separator must not be empty"));
    }
    let limit = call.context().limits.collection;
    let mut characters = separator.chars();
    let parts = match (characters.next(), characters.next()) {
        // Faster than the search for a longer text.
        (Some(c), None) => collected(text.split(c), limit)?,
        _ => collected(text.split(separator.as_str()), limit)?,
    };
    Ok(Value::List(List::array(parts)))
}

fn collected<'t>(parts: impl Iterator<Item = &'t str>, limit: usize) -> Outcome<Vec<Value>> {
    let mut values = Vec::new();
    for part in parts {
        check_size(values.len() + 1, limit)?;
        values.push(Value::text(part));
    }
    Ok(values)
}
