//! Elements of lists by their place.

use super::super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};
use crate::diagnostic::Outcome;
use crate::eval::collections::List;
use crate::eval::{Call, Value};

pub(super) const GET_FIRST: FunctionSpec = FunctionSpec {
    name: "GET_FIRST",
    family: Family::Collections,
    summary: "Gives the first element of a list.",
    parameters: &[required("list", Kind::List, "the list")],
    returns: "the element, or null when the list is empty",
    errors: &["the argument is not a list; null and sets are no lists"],
    examples: &[
        example("GET_FIRST(['a', 'b'])", "a"),
        example("GET_FIRST([])", "null"),
        example("GET_FIRST(SPLIT('www.example.org', '.'))", "www"),
        fails("GET_FIRST(null)", "E0203"),
    ],
    see: &["GET_LAST", "GET", "SPLIT"],
    words: &["head", "index", "element"],
    run: |call| Ok(list(call)?.get(0).unwrap_or_default()),
    ..SPEC
};

pub(super) const GET_LAST: FunctionSpec = FunctionSpec {
    name: "GET_LAST",
    family: Family::Collections,
    summary: "Gives the last element of a list.",
    parameters: &[required("list", Kind::List, "the list")],
    returns: "the element, or null when the list is empty",
    errors: &["the argument is not a list; null and sets are no lists"],
    examples: &[
        example("GET_LAST(['a', 'b'])", "b"),
        example("GET_LAST([])", "null"),
        example("GET_LAST(SPLIT('/var/log/syslog', '/'))", "syslog"),
        fails("GET_LAST('abc')", "E0203"),
    ],
    see: &["GET_FIRST", "GET", "SPLIT"],
    words: &["tail", "index", "element"],
    run: |call| {
        Ok(list(call)?
            .with(|items| items.last().cloned())
            .unwrap_or_default())
    },
    ..SPEC
};

pub(super) const GET: FunctionSpec = FunctionSpec {
    name: "GET",
    family: Family::Collections,
    summary: "Gives the element of a list at a place.",
    details: "Places count from 0. A place behind the end gives null, a negative one is an error. \
              The index must be an integer: a long such as 1L is refused.",
    parameters: &[
        required("list", Kind::List, "the list"),
        required("index", Kind::Integer, "the place, counted from 0"),
    ],
    returns: "the element, or null when the list is not that long",
    errors: &[
        "the first argument is not a list; null and sets are no lists",
        "the index is not an integer, or is negative",
    ],
    examples: &[
        example("GET(['a', 'b', 'c'], 1)", "b"),
        example("GET(['a'], 5)", "null"),
        fails("GET(['a'], -1)", "E0204"),
        fails("GET(['a'], 0L)", "E0203"),
        fails("GET(null, 0)", "E0203"),
    ],
    see: &["GET_FIRST", "GET_LAST", "MAP_GET", "TO_INTEGER"],
    words: &["nth", "index", "element", "at"],
    run: get,
    ..SPEC
};

/// The list that is the first argument. Errors: E0203.
fn list<'c>(call: &'c Call<'_, '_>) -> Outcome<&'c List> {
    match call.arg(0) {
        Value::List(list) => Ok(list),
        _ => Err(call.wrong_type(0, "a list")),
    }
}

fn get(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let list = list(call)?;
    let index = match call.arg(1) {
        Value::Int(n) => *n,
        Value::Long(_) => {
            let fault = call.wrong_type(1, "an integer");
            return Err(fault.help("TO_INTEGER makes an integer of a long"));
        }
        _ => return Err(call.wrong_type(1, "an integer")),
    };
    match usize::try_from(index) {
        Ok(index) => Ok(list.get(index).unwrap_or_default()),
        Err(_) => Err(call.wrong_value(1, format!("the index {index} is negative"))),
    }
}
