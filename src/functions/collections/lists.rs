//! Sizes, and adding to a list.

use crate::diagnostic::Outcome;
use crate::eval::text::utf16_length;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, optional};

pub(super) const IS_EMPTY: FunctionSpec = FunctionSpec {
    name: "IS_EMPTY",
    family: Family::Collections,
    summary: "Says whether a list, set, map or string has nothing in it.",
    details: "null counts as empty, and so does no argument at all. Numbers and booleans are never empty, not even 0.",
    parameters: &[optional(
        "input",
        Kind::Any,
        "a list, a set, a map, a string, or anything else",
    )],
    returns: "true or false",
    examples: &[
        example("IS_EMPTY([])", "true"),
        example("IS_EMPTY('a')", "false"),
        example("IS_EMPTY(null)", "true"),
        example("IS_EMPTY(0)", "false"),
    ],
    see: &["LENGTH"],
    words: &["blank", "missing", "nothing"],
    run: |call| {
        Ok(Value::Bool(match call.arg(0) {
            Value::Null => true,
            value => size(value) == Some(0),
        }))
    },
    ..SPEC
};

pub(super) const LENGTH: FunctionSpec = FunctionSpec {
    name: "LENGTH",
    family: Family::Collections,
    summary: "Counts the elements of a list or set, the entries of a map, or the characters of a string.",
    details: "Characters are counted as UTF-16 units, so most emoji count as two. \
        null, numbers and booleans have the length 0; LENGTH(TO_STRING(x)) counts their digits.",
    parameters: &[optional(
        "input",
        Kind::Any,
        "a list, a set, a map, a string, or anything else",
    )],
    returns: "an integer",
    examples: &[
        example("LENGTH([1, 2, 3])", "3"),
        example("LENGTH('hello')", "5"),
        example("LENGTH({'a': 1})", "1"),
        example("LENGTH(null)", "0"),
        example("LENGTH(12345)", "0"),
    ],
    see: &["IS_EMPTY", "COUNT_MATCHES"],
    words: &["size", "count", "cardinality"],
    run: |call| {
        let size = size(call.arg(0)).unwrap_or(0);
        Ok(Value::Int(i32::try_from(size).unwrap_or(i32::MAX)))
    },
    ..SPEC
};

pub(super) const LIST_ADD: FunctionSpec = FunctionSpec {
    name: "LIST_ADD",
    family: Family::Collections,
    summary: "Appends an element to a list, in place.",
    details: "The list itself is changed: a variable that holds it sees the new element. null can be appended. \
        A first argument that is not a list, null among them, comes back unchanged.",
    parameters: &[
        optional("list", Kind::List, "the list to append to"),
        optional("element", Kind::Any, "what to append"),
    ],
    returns: "the same list; null without arguments",
    errors: &[
        "the list would get into itself",
        "the list would become larger than [limits] collection allows",
    ],
    examples: &[
        example("LIST_ADD([1, 2], 3)", "[1, 2, 3]"),
        example("LIST_ADD([1], null)", "[1, null]"),
        example("LIST_ADD([1])", "[1]"),
        example("LIST_ADD('abc', 'd')", "abc"),
    ],
    see: &["SET_ADD", "MAP_PUT", "GET_LAST"],
    words: &["append", "push", "insert"],
    pure: false,
    borrows: false,
    run: list_add,
    ..SPEC
};

/// The size of what has one.
fn size(value: &Value) -> Option<usize> {
    Some(match value {
        Value::Text(text) => utf16_length(text),
        Value::List(list) => list.len(),
        Value::Set(set) => set.len(),
        Value::Map(map) => map.len(),
        _ => return None,
    })
}

fn list_add(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.count() > 1
        && let Value::List(list) = call.arg(0).clone()
    {
        let limit = call.context().limits.collection;
        let element = call.take(1);
        list.push(element, limit)
            .map_err(|fault| fault.of_argument(1))?;
    }
    Ok(call.take(0))
}
