//! Lists, maps, sets and multisets. They are shared by reference and changed in place.

mod lists;
mod maps;
mod multisets;
mod sets;

use super::spec::FunctionSpec;
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    lists::IS_EMPTY,
    lists::LENGTH,
    lists::LIST_ADD,
    maps::MAP_EXISTS,
    maps::MAP_GET,
    maps::MAP_PUT,
    maps::MAP_MERGE,
    sets::SET_INIT,
    sets::SET_ADD,
    sets::SET_REMOVE,
    sets::SET_MERGE,
    multisets::MULTISET_INIT,
    multisets::MULTISET_ADD,
    multisets::MULTISET_REMOVE,
    multisets::MULTISET_MERGE,
    multisets::MULTISET_TO_SET,
];

/// A copy of the element pointers of the list or set at `index`; `None` for null.
fn elements(call: &Call<'_, '_>, index: usize, expected: &str) -> Outcome<Option<Vec<Value>>> {
    match call.arg(index) {
        Value::Null => Ok(None),
        value => match items(value) {
            Some(items) => Ok(Some(items)),
            None => Err(call.wrong_type(index, expected)),
        },
    }
}

/// The elements of a list or set.
fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list.items()),
        Value::Set(set) => Some(set.items()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
