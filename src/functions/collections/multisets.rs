//! Multisets: ordered maps from elements to how often they came.

use super::elements;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{Elements, Entries, Map, MapKind, Set, check_size};
use crate::eval::{Call, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, repeated,
};

const CHANGED: Parameter = optional(
    "multiset",
    Kind::Map,
    "the multiset to change, or null for a new one",
);

pub(super) const MULTISET_INIT: FunctionSpec = FunctionSpec {
    name: "MULTISET_INIT",
    family: Family::Collections,
    summary: "Makes a multiset, which counts how often each element occurs, empty or from a list.",
    details: "A multiset is a map from elements to counts, so MAP_GET reads a count. \
        Elements keep the order in which they first appear; null is counted here, though MULTISET_ADD skips it.",
    parameters: &[optional(
        "elements",
        Kind::List,
        "a list or set of the first elements, or null",
    )],
    returns: "a new map from elements to integers",
    errors: &["the argument is neither a list, a set nor null"],
    examples: &[
        example("MULTISET_INIT(['a', 'b', 'a'])", "{a=2, b=1}"),
        example("MULTISET_INIT()", "{}"),
        fails("MULTISET_INIT('aab')", "E0203"),
    ],
    see: &["MULTISET_ADD", "MULTISET_MERGE", "MULTISET_TO_SET"],
    words: &["bag", "histogram", "frequency", "count", "tally"],
    run: |call| {
        let mut counts = Entries::default();
        for item in elements(call, 0, "a list or a set")?.unwrap_or_default() {
            call.step()?;
            if let Value::Int(count) = counts.entry(item).or_insert(Value::Int(0)) {
                *count = count.wrapping_add(1);
            }
        }
        Ok(Value::Map(Map::new(MapKind::Ordered, counts)))
    },
    ..SPEC
};

pub(super) const MULTISET_ADD: FunctionSpec = FunctionSpec {
    name: "MULTISET_ADD",
    family: Family::Collections,
    summary: "Counts elements once more in a multiset, in place.",
    details: "The multiset itself is changed: a variable that holds it sees the counts. null is skipped. \
        A map written in braces is not a multiset: begin with MULTISET_INIT or null.",
    parameters: &[CHANGED, repeated("elements", Kind::Any, "what to count")],
    returns: "the same multiset, or the new one; null without arguments",
    errors: &[
        "the first argument is neither a multiset nor null",
        "the element has a value in the map that is not an integer",
        "the multiset would get into itself",
        "the multiset would become larger than [limits] collection allows",
    ],
    examples: &[
        example("MULTISET_ADD(MULTISET_INIT(['a']), 'a', 'b')", "{a=2, b=1}"),
        example("MULTISET_ADD(null, 'a')", "{a=1}"),
        fails("MULTISET_ADD({}, 'a')", "E0203"),
    ],
    see: &["MULTISET_INIT", "MULTISET_REMOVE", "MULTISET_MERGE"],
    words: &["bag", "histogram", "frequency", "increment", "tally"],
    pure: false,
    borrows: false,
    run: |call| {
        change(call, |map, element, count, limit| {
            let count = count.unwrap_or(0).wrapping_add(1);
            map.put(element, Value::Int(count), limit)
        })
    },
    ..SPEC
};

pub(super) const MULTISET_REMOVE: FunctionSpec = FunctionSpec {
    name: "MULTISET_REMOVE",
    family: Family::Collections,
    summary: "Counts elements once less in a multiset, in place.",
    details: "The multiset itself is changed: a variable that holds it sees the counts. An element whose count was 1 goes. \
        null and elements that are not there are skipped.",
    parameters: &[
        CHANGED,
        repeated("elements", Kind::Any, "what to count less"),
    ],
    returns: "the same multiset, or the new one; null without arguments",
    errors: &[
        "the first argument is neither a multiset nor null",
        "the element has a value in the map that is not an integer",
    ],
    examples: &[
        example(
            "MULTISET_REMOVE(MULTISET_INIT(['a', 'a', 'b']), 'a', 'b')",
            "{a=1}",
        ),
        example("MULTISET_REMOVE(MULTISET_INIT(['a']), 'x')", "{a=1}"),
        example("MULTISET_REMOVE(null, 'a')", "{}"),
    ],
    see: &["MULTISET_ADD", "MULTISET_INIT"],
    words: &["bag", "decrement", "delete", "subtract"],
    pure: false,
    borrows: false,
    run: |call| {
        change(call, |map, element, count, limit| match count {
            None => Ok(()),
            Some(1) => map.change(|entries| {
                entries.shift_remove(&element);
            }),
            Some(count) => map.put(element, Value::Int(count.wrapping_sub(1)), limit),
        })
    },
    ..SPEC
};

pub(super) const MULTISET_MERGE: FunctionSpec = FunctionSpec {
    name: "MULTISET_MERGE",
    family: Family::Collections,
    summary: "Makes one multiset of several by adding up their counts.",
    details: "The argument is one list that holds the multisets; null in place of one is skipped. \
        Maps written in braces may be among them. The multisets stay as they are.",
    parameters: &[optional("multisets", Kind::List, "a list of multisets")],
    returns: "a new multiset; null without arguments",
    errors: &[
        "the argument is neither a list nor a set",
        "an element is neither a map nor null",
        "a count is not an integer",
        "the result would become larger than [limits] collection allows",
    ],
    examples: &[
        example(
            "MULTISET_MERGE([MULTISET_INIT(['a', 'b']), MULTISET_INIT(['a'])])",
            "{a=2, b=1}",
        ),
        example("MULTISET_MERGE([{'a': 3}, null])", "{a=3}"),
        fails("MULTISET_MERGE(null)", "E0203"),
    ],
    see: &["MULTISET_ADD", "MULTISET_INIT", "SET_MERGE", "MAP_MERGE"],
    words: &["bag", "sum", "union", "combine", "histogram"],
    run: multiset_merge,
    ..SPEC
};

pub(super) const MULTISET_TO_SET: FunctionSpec = FunctionSpec {
    name: "MULTISET_TO_SET",
    family: Family::Collections,
    summary: "Makes a set of the elements of a multiset, without their counts.",
    details: "Any map will do: its keys become the set. With two or more arguments the set is empty.",
    parameters: &[optional("multiset", Kind::Map, "the multiset, or null")],
    returns: "a new set; an empty one for null; null without arguments",
    errors: &["the only argument is neither a map nor null"],
    examples: &[
        example("MULTISET_TO_SET(MULTISET_INIT(['a', 'b', 'a']))", "[a, b]"),
        example("MULTISET_TO_SET({'k': 'v'})", "[k]"),
        example("MULTISET_TO_SET(null)", "[]"),
        fails("MULTISET_TO_SET(['a'])", "E0203"),
    ],
    see: &["MULTISET_INIT", "SET_INIT"],
    words: &["keys", "distinct", "unique"],
    run: |call| {
        let keys = match call.arg(0) {
            Value::Null if call.count() == 0 => return Ok(Value::Null),
            _ if call.count() > 1 => Elements::default(),
            Value::Null => Elements::default(),
            Value::Map(map) => map.with(|entries| entries.keys().cloned().collect()),
            _ => return Err(call.wrong_type(0, "a multiset")),
        };
        Ok(Value::Set(Set::new(keys)))
    },
    ..SPEC
};

/// Applies `change` to the multiset and the present count of each further argument that is not null.
fn change(
    call: &mut Call<'_, '_>,
    change: fn(&Map, Value, Option<i32>, usize) -> Outcome<()>,
) -> Outcome<Value> {
    let map = match call.arg(0) {
        Value::Null if call.count() == 0 => return Ok(Value::Null),
        Value::Null => Map::empty(MapKind::Ordered),
        Value::Map(map) => map.clone(),
        _ => return Err(not_a_multiset(call)),
    };
    match map.kind() {
        MapKind::Ordered => {}
        MapKind::Hash => {
            let help = "a map written in braces is none; begin with MULTISET_INIT() or null";
            return Err(not_a_multiset(call).help(help));
        }
        MapKind::View => {
            let fault = Diagnostic::new(Code::Immutable, "_ cannot be changed");
            return Err(fault.of_argument(0));
        }
    }
    let limit = call.context().limits.collection;
    for index in 1..call.count() {
        let element = call.take(index);
        if element.is_null() {
            continue;
        }
        let count = match map.get(&element) {
            None | Some(Value::Null) => None,
            Some(Value::Int(count)) => Some(count),
            Some(other) => {
                let found = other.kind_in_words();
                let message = format!("the count of this element is {found}, not an integer");
                return Err(call.wrong_value(index, message));
            }
        };
        change(&map, element, count, limit).map_err(|fault| fault.of_argument(index))?;
    }
    Ok(Value::Map(map))
}

fn not_a_multiset(call: &Call<'_, '_>) -> crate::diagnostic::Fault {
    call.wrong_type(0, "a multiset (MULTISET_INIT makes one)")
}

fn multiset_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.count() == 0 {
        return Ok(Value::Null);
    }
    let expected = "a list of multisets";
    let Some(maps) = elements(call, 0, expected)? else {
        return Err(call.wrong_type(0, expected));
    };
    let limit = call.context().limits.collection;
    let mut merged = Entries::default();
    for (position, map) in maps.iter().enumerate() {
        let entries = match map {
            Value::Null => continue,
            Value::Map(map) => map.entries(),
            other => {
                let found = other.kind_in_words();
                let message = format!(
                    "element {} of the list is {found}, not a multiset",
                    position + 1
                );
                return Err(call.wrong_value(0, message));
            }
        };
        for (key, count) in entries {
            call.step()?;
            let Value::Int(count) = count else {
                let found = count.kind_in_words();
                let message = format!(
                    "a count in element {} of the list is {found}, not an integer",
                    position + 1
                );
                return Err(call.wrong_value(0, message));
            };
            if let Value::Int(sum) = merged.entry(key).or_insert(Value::Int(0)) {
                *sum = sum.wrapping_add(count);
            }
        }
        check_size(merged.len(), limit)?;
    }
    Ok(Value::Map(Map::new(MapKind::Ordered, merged)))
}
