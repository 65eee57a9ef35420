//! Collections of one's own: what comes in shared, so that changes of it are seen nowhere else.

use super::Value;
use super::collections::{List, Map, Set};

/// Deeper than this collections are not copied; JSON is read no deeper.
const DEEPEST: usize = 512;

/// Makes the collections of a value, and those in them, collections that nobody else has.
pub fn own(value: &mut Value) {
    own_at(value, 0);
}

fn own_at(value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let owned = |item: &Value| {
        let mut item = item.clone();
        own_at(&mut item, depth + 1);
        item
    };
    match value {
        Value::List(list) => {
            let items = list.with(|items| items.iter().map(owned).collect());
            *value = Value::List(List::new(list.kind(), items));
        }
        Value::Map(map) => {
            let entries = map.entries().into_iter();
            let entries = entries.map(|(key, value)| (key, owned(&value))).collect();
            *value = Value::Map(Map::new(map.kind(), entries));
        }
        Value::Set(set) => *value = Value::Set(Set::new(set.items().into_iter().collect())),
        _ => {}
    }
}
