//! Maps.

use super::elements;
use crate::diagnostic::Outcome;
use crate::eval::collections::{Entries, Map, MapKind, check_size};
use crate::eval::{Call, Value};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, example, fails, optional, required,
};

pub(super) const MAP_EXISTS: FunctionSpec = FunctionSpec {
    name: "MAP_EXISTS",
    family: Family::Collections,
    summary: "Says whether a map has a key, whatever its value.",
    details: "A key counts as present even when its value is null. Types matter: 1, 1L and '1' are three keys. \
        A null key, and anything that is not a map, give false.",
    parameters: &[
        optional("key", Kind::Any, "the key to look for"),
        optional("map", Kind::Map, "the map to look in"),
    ],
    returns: "true or false",
    examples: &[
        example("MAP_EXISTS('a', {'a': null})", "true"),
        example("MAP_EXISTS(1, {'1': 'x'})", "false"),
        example("MAP_EXISTS('a', null)", "false"),
    ],
    see: &["MAP_GET"],
    words: &["contains", "has key", "lookup"],
    run: |call| {
        Ok(Value::Bool(match (call.arg(0), call.arg(1)) {
            (Value::Null, _) => false,
            (key, Value::Map(map)) => map.has(key),
            _ => false,
        }))
    },
    ..SPEC
};

pub(super) const MAP_GET: FunctionSpec = FunctionSpec {
    name: "MAP_GET",
    family: Family::Collections,
    summary: "Looks up the value of a key in a map.",
    details: "The default stands in for a missing key, for a value that is null, for a null key and for a null map. \
        Types matter: 1, 1L and '1' are three keys.",
    parameters: &[
        required("key", Kind::Any, "the key to look for"),
        required("map", Kind::Map, "the map to look in"),
        optional("default", Kind::Any, "what to give when there is no value"),
    ],
    returns: "the value, else the default, else null",
    errors: &["the second argument is neither a map nor null (unless the key is null)"],
    examples: &[
        example("MAP_GET('a', {'a': 1})", "1"),
        example("MAP_GET('b', {'a': 1}, 0)", "0"),
        example("MAP_GET('b', {'a': 1})", "null"),
        example("MAP_GET('a', null, 'none')", "none"),
        fails("MAP_GET('a', ['a'])", "E0203"),
    ],
    see: &["MAP_EXISTS", "MAP_PUT", "GET"],
    words: &["lookup", "dictionary", "field", "fallback"],
    // The value found may be a collection that others see too.
    borrows: false,
    run: map_get,
    ..SPEC
};

pub(super) const MAP_PUT: FunctionSpec = FunctionSpec {
    name: "MAP_PUT",
    family: Family::Collections,
    summary: "Puts a value into a map under a key, in place.",
    details: "The map itself is changed: a variable that holds it sees the entry. An earlier value of the key is replaced. \
        Key and value may be null. In place of a null map a new one is made.",
    parameters: &[
        required("key", Kind::Any, "the key"),
        required("value", Kind::Any, "the value"),
        required("map", Kind::Map, "the map to put it into, or null"),
    ],
    returns: "the same map, or the new one",
    errors: &[
        "the third argument is neither a map nor null",
        "the map is _, which cannot be changed",
        "the map would get into itself",
        "the map would become larger than [limits] collection allows",
    ],
    examples: &[
        example("MAP_PUT('b', 2, {'a': 1})", "{a=1, b=2}"),
        example("MAP_PUT('a', 2, {'a': 1})", "{a=2}"),
        example("MAP_PUT('a', 1, null)", "{a=1}"),
        fails("MAP_PUT('a', 1, [])", "E0203"),
    ],
    see: &["MAP_GET", "MAP_MERGE"],
    words: &["set", "insert", "update", "assign", "dictionary"],
    pure: false,
    borrows: false,
    run: map_put,
    ..SPEC
};

pub(super) const MAP_MERGE: FunctionSpec = FunctionSpec {
    name: "MAP_MERGE",
    family: Family::Collections,
    summary: "Makes one map of the entries of several.",
    details: "Where maps share a key the later one wins; null in place of a map is skipped. \
        A list of exactly one element is not copied: that element itself comes back, whatever it is, \
        so that a later change shows in both.",
    parameters: &[optional(
        "maps",
        Kind::List,
        "a list or set of maps, or null",
    )],
    returns: "a new map; an empty one for null; null without arguments",
    errors: &[
        "the argument is neither a list, a set nor null",
        "an element is neither a map nor null",
        "the result would become larger than [limits] collection allows",
    ],
    examples: &[
        example("MAP_MERGE([{'a': 1}, {'a': 2, 'b': 3}])", "{a=2, b=3}"),
        example("MAP_MERGE([{'a': 1}, null])", "{a=1}"),
        example("MAP_MERGE(null)", "{}"),
        fails("MAP_MERGE({'a': 1})", "E0203"),
    ],
    see: &["MAP_PUT", "SET_MERGE", "MULTISET_MERGE"],
    words: &["join", "union", "combine", "copy", "dictionary"],
    borrows: false,
    run: map_merge,
    ..SPEC
};

fn map_get(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let found = match (call.arg(0), call.arg(1)) {
        (Value::Null, _) | (_, Value::Null) => None,
        (key, Value::Map(map)) => map.get(key),
        _ => return Err(call.wrong_type(1, "a map")),
    };
    Ok(match found {
        None | Some(Value::Null) => call.take(2),
        Some(value) => value,
    })
}

fn map_put(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let map = match call.arg(2) {
        Value::Null => Map::empty(MapKind::Hash),
        Value::Map(map) => map.clone(),
        _ => return Err(call.wrong_type(2, "a map")),
    };
    let (key, value) = (call.take(0), call.take(1));
    map.put(key, value, call.context().limits.collection)
        .map_err(|fault| fault.of_argument(2))?;
    Ok(Value::Map(map))
}

fn map_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.count() == 0 {
        return Ok(Value::Null);
    }
    let maps = elements(call, 0, "a list of maps")?.unwrap_or_default();
    if let [only] = maps.as_slice() {
        return Ok(only.clone());
    }
    let limit = call.context().limits.collection;
    let mut merged = Entries::default();
    for (position, map) in maps.iter().enumerate() {
        let entries = match map {
            Value::Null => continue,
            Value::Map(map) => map.entries(),
            other => {
                let found = other.kind_in_words();
                let message = format!("element {} of the list is {found}, not a map", position + 1);
                return Err(call.wrong_value(0, message));
            }
        };
        for (key, value) in entries {
            call.step()?;
            merged.insert(key, value);
        }
        check_size(merged.len(), limit)?;
    }
    Ok(Value::Map(Map::new(MapKind::Ordered, merged)))
}
