//! Events as rules see them: one parsed event for all rules, and what one rule wrote on it.

use crate::diagnostic::{Code, Outcome};
use crate::eval::Value;
use crate::eval::collections::{Entries, List, Map, MapKind};
use crate::eval::json::{bad_json, read_event};
use smol_str::SmolStr;
use std::sync::{Arc, OnceLock};

/// How many fields one rule may write on one event, and how long a list becomes by writing.
const FIELDS: usize = 10_000;

/// A parsed event, shared by all rules, which nobody changes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Event(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    map: Map,
    weight: OnceLock<usize>,
}

impl Event {
    /// The event that a map is.
    pub fn new(map: Map) -> Event {
        Event(Arc::new(Parsed {
            map,
            weight: OnceLock::new(),
        }))
    }

    /// Reads a line of JSON. Errors: E0401 with what is wrong and where.
    pub fn read(line: &[u8]) -> Outcome<Event> {
        let map = read_event(line).map_err(|bad| bad_json(Code::BadLine, &bad))?;
        Ok(Event::new(map))
    }

    /// Its fields.
    pub fn map(&self) -> &Map {
        &self.0.map
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        *self.0.weight.get_or_init(|| weight_of_map(self.map(), 0))
    }
}

/// One event in the hands of one rule: what the rule writes on it only this rule sees. Cheap to clone; clones share
/// what is written.
#[derive(Clone, Debug)]
pub struct Logline(Arc<View>);

#[derive(Debug)]
struct View {
    base: Event,
    /// The fields after the first writing.
    own: OnceLock<Map>,
}

impl Logline {
    /// The event with nothing written yet.
    pub fn new(event: Event) -> Logline {
        Logline(Arc::new(View {
            base: event,
            own: OnceLock::new(),
        }))
    }

    /// The fields as the rule sees them.
    pub fn map(&self) -> &Map {
        self.0.own.get().unwrap_or_else(|| self.0.base.map())
    }

    /// Whether the rule has written on it.
    pub fn is_changed(&self) -> bool {
        self.0.own.get().is_some()
    }

    /// Whether both are one event in the hands of one rule.
    pub fn same(&self, other: &Logline) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        self.0.base.weight() + 64
    }

    /// The value at a path; `None` when it is absent or null.
    pub fn get(&self, path: &str) -> Option<Value> {
        get(self.map(), path)
    }

    /// Writes a field, or takes it away where `value` is null. Errors: E0304.
    pub fn set(&self, path: &str, value: Value) -> Outcome<()> {
        let own = self.0.own.get_or_init(|| copy(self.0.base.map()));
        write_into(own, path, value)
    }
}

/// The value at a path: a name is looked up verbatim first, then what stands before the first point must be a map or a
/// list, in which the rest is looked up by the same rule; a number is a place in a list, counted from 0.
#[inline]
pub fn get(map: &Map, path: &str) -> Option<Value> {
    let found = walk(map, path)?;
    (!found.is_null()).then_some(found)
}

/// A path that is looked up often.
#[derive(Debug)]
pub struct Way {
    path: SmolStr,
    /// The names between its points.
    names: Vec<SmolStr>,
}

impl Way {
    /// The way along a path.
    pub fn new(path: &str) -> Way {
        Way {
            path: SmolStr::new(path),
            names: path.split('.').map(SmolStr::new).collect(),
        }
    }

    /// The value at the path, as [`get`] finds it.
    #[inline]
    pub fn value(&self, map: &Map) -> Option<Value> {
        let found = straight(map, &self.names).or_else(|| walk(map, &self.path))?;
        (!found.is_null()).then_some(found)
    }
}

/// The value where every name is that of a map in a map.
fn straight(map: &Map, names: &[SmolStr]) -> Option<Value> {
    let (first, rest) = names.split_first()?;
    map.look(first, |value| match value {
        value if rest.is_empty() => Some(value.clone()),
        Value::Map(inner) => straight(inner, rest),
        _ => None,
    })?
}

fn walk(map: &Map, path: &str) -> Option<Value> {
    let (first, rest) = match memchr::memchr(b'.', path.as_bytes()) {
        None => return map.get_text(path),
        Some(at) => (&path[..at], &path[at + 1..]),
    };
    match map.get_text(first) {
        Some(Value::Map(inner)) => walk(&inner, rest).or_else(|| map.get_text(path)),
        Some(Value::List(list)) => walk_list(&list, rest).or_else(|| map.get_text(path)),
        _ => map.get_text(path).or_else(|| walk_joined(map, path, rest)),
    }
}

/// A key that holds points itself before the path goes on: `{"a.b": {"c": 1}}` and `a.b.c`.
#[cold]
fn walk_joined(map: &Map, path: &str, rest: &str) -> Option<Value> {
    let mut from = path.len() - rest.len();
    while let Some(at) = memchr::memchr(b'.', path.as_bytes().get(from..)?) {
        let (first, rest) = (path.get(..from + at)?, path.get(from + at + 1..)?);
        match map.get_text(first) {
            Some(Value::Map(inner)) => return walk(&inner, rest),
            Some(Value::List(list)) => return walk_list(&list, rest),
            _ => from += at + 1,
        }
    }
    None
}

fn walk_list(list: &List, path: &str) -> Option<Value> {
    let (first, rest) = match path.split_once('.') {
        None => (path, None),
        Some((first, rest)) => (first, Some(rest)),
    };
    let item = list.get(first.parse().ok()?)?;
    match (item, rest) {
        (item, None) => Some(item),
        (Value::Map(inner), Some(rest)) => walk(&inner, rest),
        (Value::List(inner), Some(rest)) => walk_list(&inner, rest),
        _ => None,
    }
}

fn copy(map: &Map) -> Map {
    Map::new(MapKind::Ordered, map.with(Entries::clone))
}

/// Writes below `map`, which is the rule's own; maps and lists on the way are copied, since others may share them.
fn write_into(map: &Map, path: &str, value: Value) -> Outcome<()> {
    let Some((first, rest)) = path.split_once('.') else {
        return put(map, path, value);
    };
    if map.get_text(path).is_some() {
        return put(map, path, value);
    }
    let inner = match map.get_text(first) {
        Some(Value::Map(inner)) => copy(&inner),
        Some(Value::List(list)) => {
            if let Some(list) = written(&list, rest, &value)? {
                return put(map, first, Value::List(list));
            }
            Map::empty(MapKind::Ordered)
        }
        _ if value.is_null() => return Ok(()),
        _ => Map::empty(MapKind::Ordered),
    };
    write_into(&inner, rest, value)?;
    put(map, first, Value::Map(inner))
}

/// A list with one element written; `None` where the path is no place in it.
fn written(list: &List, path: &str, value: &Value) -> Outcome<Option<List>> {
    let (first, rest) = match path.split_once('.') {
        None => (path, None),
        Some((first, rest)) => (first, Some(rest)),
    };
    let mut items = list.items();
    let Some(at) = first.parse().ok().filter(|at: &usize| *at <= items.len()) else {
        return Ok(None);
    };
    let new = match rest {
        None => value.clone(),
        Some(rest) => {
            let inner = match items.get(at) {
                Some(Value::Map(inner)) => copy(inner),
                _ => Map::empty(MapKind::Ordered),
            };
            write_into(&inner, rest, value.clone())?;
            Value::Map(inner)
        }
    };
    match items.get_mut(at) {
        Some(item) => *item = new,
        None => items.push(new),
    }
    Ok(Some(List::array(items)))
}

fn put(map: &Map, key: &str, value: Value) -> Outcome<()> {
    if value.is_null() {
        return map.change(|entries| {
            entries.shift_remove(&Value::text(key));
        });
    }
    map.put(Value::Text(SmolStr::new(key)), value, FIELDS)
}

/// How deep the estimate of memory goes.
const DEEP: usize = 64;

fn weight_of_map(map: &Map, depth: usize) -> usize {
    map.with(|entries| {
        let parts = entries
            .iter()
            .map(|(key, value)| 24 + weight(key, depth) + weight(value, depth));
        160 + parts.sum::<usize>()
    })
}

/// About how many bytes a value takes.
pub fn weight(value: &Value, depth: usize) -> usize {
    if depth > DEEP {
        return 24;
    }
    match value {
        Value::Text(text) if text.len() > 23 => 48 + text.len(),
        Value::List(list) => {
            72 + list.with(|items| items.iter().map(|v| weight(v, depth + 1)).sum::<usize>())
        }
        Value::Map(map) => weight_of_map(map, depth + 1),
        _ => 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Logline {
        Logline::new(Event::read(text.as_bytes()).unwrap())
    }

    #[test]
    fn paths_go_through_maps_lists_and_names_with_points() {
        let line = event(
            r#"{"a":{"b":{"c":1}},"a.x":2,"l":[{"k":3},[4,5]],"d.e":{"f":6},"n":null,"a.b.z":{"y":7}}"#,
        );
        let get = |path: &str| line.get(path).map(|v| format!("{v:?}"));
        assert_eq!(get("a.b.c").as_deref(), Some("Integer(1)"));
        assert_eq!(get("a.x").as_deref(), Some("Integer(2)"));
        assert_eq!(get("l.0.k").as_deref(), Some("Integer(3)"));
        assert_eq!(get("l.1.1").as_deref(), Some("Integer(5)"));
        assert_eq!(get("d.e.f").as_deref(), Some("Integer(6)"));
        for absent in ["n", "a.b.c.d", "l.2", "l.x", "l.-1", "", ".", "a.", "a..b"] {
            assert_eq!(get(absent), None, "{absent}");
        }
    }

    #[test]
    fn what_one_rule_writes_no_other_sees() {
        let shared = Event::read(br#"{"a":{"b":1,"c":2},"l":[1]}"#).unwrap();
        let one = Logline::new(shared.clone());
        let other = Logline::new(shared);
        let clone = one.clone();
        one.set("a.b", Value::from(9)).unwrap();
        one.set("x.y.z", Value::from("new")).unwrap();
        one.set("l.1", Value::from(2)).unwrap();
        one.set("a.c", Value::Null).unwrap();
        assert_eq!(format!("{:?}", clone.get("a.b").unwrap()), "Integer(9)");
        assert_eq!(format!("{:?}", clone.get("x.y.z").unwrap()), "String(new)");
        assert_eq!(format!("{:?}", clone.get("l").unwrap()), "List([1, 2])");
        assert!(clone.get("a.c").is_none());
        assert_eq!(format!("{:?}", other.get("a.b").unwrap()), "Integer(1)");
        assert_eq!(format!("{:?}", other.get("a.c").unwrap()), "Integer(2)");
        assert!(other.get("x").is_none());
        assert!(one.same(&clone) && !one.same(&other));
    }

    #[test]
    fn writing_over_a_text_makes_a_map() {
        let line = event(r#"{"a":"text"}"#);
        line.set("a.b", Value::from(1)).unwrap();
        assert_eq!(format!("{:?}", line.get("a.b").unwrap()), "Integer(1)");
        line.set("q.r", Value::Null).unwrap();
        assert!(line.get("q").is_none());
    }
}
