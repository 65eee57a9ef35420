//! Sets: each element once, in the order in which they came.

use super::{elements, items};
use crate::diagnostic::Outcome;
use crate::eval::collections::{Elements, Set, check_size};
use crate::eval::{Call, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, repeated,
};

const CHANGED: Parameter = optional("set", Kind::Set, "the set to change, or null for a new one");

pub(super) const SET_INIT: FunctionSpec = FunctionSpec {
    name: "SET_INIT",
    family: Family::Collections,
    summary: "Makes a set, empty or of the elements of a list.",
    details: "Elements keep the order in which they first appear. Types matter: 1, 1L and 1.0 are three elements. \
        null is an element like any other here, though SET_ADD skips it. \
        With two or more arguments the set is empty: pass one list instead.",
    parameters: &[optional(
        "elements",
        Kind::List,
        "a list or set of the first elements, or null",
    )],
    returns: "a new set",
    errors: &["the only argument is neither a list, a set nor null"],
    examples: &[
        example("SET_INIT([3, 1, 3])", "[3, 1]"),
        example("SET_INIT()", "[]"),
        example("SET_INIT([1, 1L, '1'])", "[1, 1, 1]"),
        fails("SET_INIT('abc')", "E0203"),
    ],
    see: &["SET_ADD", "SET_REMOVE", "SET_MERGE", "MULTISET_TO_SET"],
    words: &["distinct", "unique", "deduplicate"],
    run: |call| {
        let mut set = Elements::default();
        if call.count() == 1
            && let Some(items) = elements(call, 0, "a list or a set")?
        {
            for item in items {
                call.step()?;
                set.insert(item);
            }
        }
        Ok(Value::Set(Set::new(set)))
    },
    ..SPEC
};

pub(super) const SET_ADD: FunctionSpec = FunctionSpec {
    name: "SET_ADD",
    family: Family::Collections,
    summary: "Adds elements to a set, in place.",
    details: "The set itself is changed: a variable that holds it sees the elements. null is skipped. \
        Each argument is one element, so a list is added as a list; SET_MERGE adds what is in it.",
    parameters: &[CHANGED, repeated("elements", Kind::Any, "what to add")],
    returns: "the same set, or the new one; null without arguments",
    errors: &[
        "the first argument is neither a set nor null",
        "the set would get into itself",
        "the set would become larger than [limits] collection allows",
    ],
    examples: &[
        example("SET_ADD(SET_INIT(['a']), 'b', 'a')", "[a, b]"),
        example("SET_ADD(null, 1)", "[1]"),
        example("SET_ADD(SET_INIT(), [1, 2])", "[[1, 2]]"),
        fails("SET_ADD(['a'], 'b')", "E0203"),
    ],
    see: &["SET_INIT", "SET_REMOVE", "SET_MERGE"],
    words: &["insert", "append"],
    pure: false,
    borrows: false,
    run: |call| change(call, Set::add),
    ..SPEC
};

pub(super) const SET_REMOVE: FunctionSpec = FunctionSpec {
    name: "SET_REMOVE",
    family: Family::Collections,
    summary: "Removes elements from a set, in place.",
    details: "The set itself is changed: a variable that holds it no longer sees the elements. \
        null and elements that are not there are skipped. Types matter: removing 1 leaves 1L and '1'.",
    parameters: &[CHANGED, repeated("elements", Kind::Any, "what to remove")],
    returns: "the same set, or the new one; null without arguments",
    errors: &["the first argument is neither a set nor null"],
    examples: &[
        example("SET_REMOVE(SET_INIT(['a', 'b']), 'a')", "[b]"),
        example("SET_REMOVE(SET_INIT([1]), '1', 2)", "[1]"),
        example("SET_REMOVE(null, 1)", "[]"),
    ],
    see: &["SET_ADD", "SET_INIT"],
    words: &["delete", "subtract", "difference"],
    pure: false,
    borrows: false,
    run: |call| {
        change(call, |set, element, _| {
            set.remove(&element);
            Ok(())
        })
    },
    ..SPEC
};

pub(super) const SET_MERGE: FunctionSpec = FunctionSpec {
    name: "SET_MERGE",
    family: Family::Collections,
    summary: "Makes one set of the elements of several sets or lists.",
    details: "The argument is one list that holds the sets; null in place of a set is skipped. The sets stay as they are.",
    parameters: &[optional(
        "sets",
        Kind::List,
        "a list of sets or lists, or null",
    )],
    returns: "a new set; an empty one for null; null without arguments",
    errors: &[
        "the argument is neither a list, a set nor null",
        "an element is neither a list, a set nor null",
        "the result would become larger than [limits] collection allows",
    ],
    examples: &[
        example("SET_MERGE([SET_INIT([1, 2]), [2, 3], null])", "[1, 2, 3]"),
        example("SET_MERGE(null)", "[]"),
        fails("SET_MERGE([1, 2])", "E0204"),
    ],
    see: &["SET_ADD", "SET_INIT", "MAP_MERGE", "MULTISET_MERGE"],
    words: &["union", "combine", "join"],
    run: set_merge,
    ..SPEC
};

/// Applies `change` to the set for each further argument that is not null.
fn change(
    call: &mut Call<'_, '_>,
    change: fn(&Set, Value, usize) -> Outcome<()>,
) -> Outcome<Value> {
    let set = match call.arg(0) {
        Value::Null if call.count() == 0 => return Ok(Value::Null),
        Value::Null => Set::new(Elements::default()),
        Value::Set(set) => set.clone(),
        _ => return Err(call.wrong_type(0, "a set (SET_INIT makes one)")),
    };
    let limit = call.context().limits.collection;
    for index in 1..call.count() {
        let element = call.take(index);
        if !element.is_null() {
            change(&set, element, limit).map_err(|fault| fault.of_argument(index))?;
        }
    }
    Ok(Value::Set(set))
}

fn set_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.count() == 0 {
        return Ok(Value::Null);
    }
    let sets = elements(call, 0, "a list of sets")?.unwrap_or_default();
    let limit = call.context().limits.collection;
    let mut merged = Elements::default();
    for (position, set) in sets.iter().enumerate() {
        if set.is_null() {
            continue;
        }
        let Some(items) = items(set) else {
            let found = set.kind_in_words();
            let message = format!("element {} of the list is {found}, not a set", position + 1);
            return Err(call.wrong_value(0, message));
        };
        for item in items {
            call.step()?;
            merged.insert(item);
        }
        check_size(merged.len(), limit)?;
    }
    Ok(Value::Set(Set::new(merged)))
}
