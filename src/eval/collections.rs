//! Lists, maps and sets: mutable and shared by reference, safe to send to another thread.
//!
//! A walk takes a copy of the element pointers first, so that a change during the walk is not seen by it.
//! Nothing can be put into itself, and dropping a deep nest does not recurse.

use super::compare;
use super::lambda::Lambda;
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use indexmap::{Equivalent, IndexMap, IndexSet};
use parking_lot::RwLock;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Hashing of map keys and set elements.
pub type Hashing = ahash::RandomState;

/// The entries of a map, in insertion order.
pub type Entries = IndexMap<Value, Value, Hashing>;

/// The elements of a set, in insertion order.
pub type Elements = IndexSet<Value, Hashing>;

/// Which Java list this is; it matters only for what functions accept and for stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// From a literal.
    Linked,
    /// From JSON and functions.
    Array,
}

/// Which Java map this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// From a literal, or MAP_PUT on null.
    Hash,
    /// From JSON, MULTISET_*, MAP_MERGE.
    Ordered,
    /// The view of all variables, `_`: it cannot be changed.
    View,
}

#[derive(Debug)]
struct Cell<T: Bury> {
    content: RwLock<T>,
}

/// What a dying collection hands over instead of dropping it in place; the rest stays where it is.
trait Bury {
    /// Whether there is anything to hand over.
    fn holds_deep(&self) -> bool;
    fn bury(&mut self, grave: &mut Vec<Value>);
}

impl Bury for (ListKind, Vec<Value>) {
    fn holds_deep(&self) -> bool {
        self.1.iter().any(is_deep)
    }

    fn bury(&mut self, grave: &mut Vec<Value>) {
        grave.extend(self.1.iter_mut().filter(|v| is_deep(v)).map(std::mem::take));
    }
}

impl Bury for (MapKind, Entries, Option<i32>) {
    fn holds_deep(&self) -> bool {
        self.1.iter().any(|(k, v)| is_deep(k) || is_deep(v))
    }

    fn bury(&mut self, grave: &mut Vec<Value>) {
        if self.1.keys().any(is_deep) {
            let parts = self.1.drain(..).flat_map(|(k, v)| [k, v]);
            grave.extend(parts.filter(is_deep));
        } else {
            grave.extend(
                self.1
                    .values_mut()
                    .filter(|v| is_deep(v))
                    .map(std::mem::take),
            );
        }
    }
}

impl Bury for Elements {
    fn holds_deep(&self) -> bool {
        self.iter().any(is_deep)
    }

    fn bury(&mut self, grave: &mut Vec<Value>) {
        grave.extend(self.drain(..).filter(is_deep));
    }
}

impl Bury for Box<[Value]> {
    fn holds_deep(&self) -> bool {
        self.iter().any(is_deep)
    }

    fn bury(&mut self, grave: &mut Vec<Value>) {
        grave.extend(self.iter_mut().filter(|v| is_deep(v)).map(std::mem::take));
    }
}

/// Whether dropping the value may drop others, which may drop others …
fn is_deep(value: &Value) -> bool {
    may_hold(value) || matches!(value, Value::Lambda(_))
}

thread_local! {
    /// Collections waiting to be dropped by the outermost drop of this thread.
    static GRAVE: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

impl<T: Bury> Drop for Cell<T> {
    fn drop(&mut self) {
        let content = self.content.get_mut();
        if content.holds_deep() {
            bury(content);
        }
    }
}

/// What a lambda has captured may be a lambda that has captured a lambda …
impl Drop for Lambda {
    fn drop(&mut self) {
        if self.captured.holds_deep() {
            bury(&mut self.captured);
        }
    }
}

/// Drops what `dying` holds without recursion.
fn bury(dying: &mut impl Bury) {
    let outermost = GRAVE.try_with(|grave| {
        let mut grave = grave.borrow_mut();
        let outermost = grave.is_none();
        dying.bury(grave.get_or_insert_with(Vec::new));
        outermost
    });
    if outermost != Ok(true) {
        return;
    }
    while let Ok(Some(next)) =
        GRAVE.try_with(|grave| grave.borrow_mut().as_mut().and_then(Vec::pop))
    {
        drop(next);
    }
    let _ = GRAVE.try_with(|grave| grave.borrow_mut().take());
}

/// A list.
#[derive(Clone, Debug)]
pub struct List(Arc<Cell<(ListKind, Vec<Value>)>>);

/// A map.
#[derive(Clone, Debug)]
pub struct Map(Arc<Cell<(MapKind, Entries, Option<i32>)>>);

/// A set with insertion order.
#[derive(Clone, Debug)]
pub struct Set(Arc<Cell<Elements>>);

/// Looks up a string key without making a value of it.
struct TextKey<'a>(&'a str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        compare::hash_text(self.0, state);
    }
}

impl Equivalent<Value> for TextKey<'_> {
    fn equivalent(&self, key: &Value) -> bool {
        matches!(key, Value::Text(text) if text == self.0)
    }
}

/// Up to so many entries are compared one by one, which is sooner done than hashing.
const FEW: usize = 8;

/// The value of a string key.
#[inline]
fn text_entry<'e>(entries: &'e Entries, key: &str) -> Option<&'e Value> {
    if entries.len() > FEW {
        return entries.get(&TextKey(key));
    }
    let found = entries.iter().find(|(k, _)| TextKey(key).equivalent(k));
    found.map(|(_, value)| value)
}

fn into_itself(what: &str) -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::SelfContaining,
        format!("a {what} cannot be put into itself"),
    )
}

/// Fails when a collection would grow beyond `limit` elements.
pub fn check_size(length: usize, limit: usize) -> Outcome<()> {
    if length > limit {
        let message = format!("the collection would have more than {limit} elements");
        return Err(Diagnostic::new(Code::CollectionSize, message));
    }
    Ok(())
}

impl List {
    /// A list of the kind that literals make.
    pub fn linked(items: Vec<Value>) -> List {
        List::new(ListKind::Linked, items)
    }

    /// A list of the kind that JSON and functions make.
    pub fn array(items: Vec<Value>) -> List {
        List::new(ListKind::Array, items)
    }

    /// A list of the given kind.
    pub fn new(kind: ListKind, items: Vec<Value>) -> List {
        List(Arc::new(Cell {
            content: RwLock::new((kind, items)),
        }))
    }

    /// Its kind.
    pub fn kind(&self) -> ListKind {
        self.0.content.read().0
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.0.content.read().1.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.content.read().1.get(index).cloned()
    }

    /// A copy of the element pointers, for a walk.
    pub fn items(&self) -> Vec<Value> {
        self.0.content.read().1.clone()
    }

    /// Calls `look` with the elements in place; it must not change any collection.
    pub fn with<R>(&self, look: impl FnOnce(&[Value]) -> R) -> R {
        look(&self.0.content.read().1)
    }

    /// Appends in place. Errors: E0214 into itself, E0304 beyond `limit`.
    pub fn push(&self, value: Value, limit: usize) -> Outcome<()> {
        if contains(&value, &|v| matches!(v, Value::List(l) if l.same(self))) {
            return Err(into_itself("list"));
        }
        check_size(self.len() + 1, limit)?;
        self.0.content.write().1.push(value);
        Ok(())
    }

    /// Puts a value in place of the element at `index`, if there is one. Errors: E0214 into itself.
    pub fn replace(&self, index: usize, value: Value) -> Outcome<()> {
        if contains(&value, &|v| matches!(v, Value::List(l) if l.same(self))) {
            return Err(into_itself("list"));
        }
        if let Some(place) = self.0.content.write().1.get_mut(index) {
            *place = value;
        }
        Ok(())
    }

    /// Whether both are one and the same list.
    pub fn same(&self, other: &List) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Map {
    /// A map of the given kind.
    pub fn new(kind: MapKind, entries: Entries) -> Map {
        Map(Arc::new(Cell {
            content: RwLock::new((kind, entries, None)),
        }))
    }

    /// A map that carries a number which no walk shows; copies of its entries are without it.
    pub fn with_unseen(kind: MapKind, entries: Entries, number: i32) -> Map {
        Map(Arc::new(Cell {
            content: RwLock::new((kind, entries, Some(number))),
        }))
    }

    /// The number that [`Map::with_unseen`] has put there.
    pub fn unseen(&self) -> Option<i32> {
        self.0.content.read().2
    }

    /// An empty map of the given kind.
    pub fn empty(kind: MapKind) -> Map {
        Map::new(kind, Entries::default())
    }

    /// An ordered map with string keys.
    pub fn of_texts<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Map {
        Map::new(
            MapKind::Ordered,
            entries
                .into_iter()
                .map(|(k, v)| (Value::text(k), v))
                .collect(),
        )
    }

    /// Its kind.
    pub fn kind(&self) -> MapKind {
        self.0.content.read().0
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.0.content.read().1.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of `key`.
    pub fn get(&self, key: &Value) -> Option<Value> {
        self.0.content.read().1.get(key).cloned()
    }

    /// The value of a string key.
    pub fn get_text(&self, key: &str) -> Option<Value> {
        text_entry(&self.0.content.read().1, key).cloned()
    }

    /// What `look` makes of the value of a string key, in place; it must not change any collection.
    #[inline]
    pub fn look<R>(&self, key: &str, look: impl FnOnce(&Value) -> R) -> Option<R> {
        text_entry(&self.0.content.read().1, key).map(look)
    }

    /// Whether `key` is present.
    pub fn has(&self, key: &Value) -> bool {
        self.0.content.read().1.contains_key(key)
    }

    /// A copy of the entry pointers, for a walk.
    pub fn entries(&self) -> Vec<(Value, Value)> {
        self.0
            .content
            .read()
            .1
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Calls `look` with the entries in place; it must not change any collection.
    pub fn with<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        look(&self.0.content.read().1)
    }

    /// Puts an entry in place. Errors: E0214 into itself, E0215 for `_`, E0304 beyond `limit`.
    pub fn put(&self, key: Value, value: Value, limit: usize) -> Outcome<()> {
        let myself = |v: &Value| matches!(v, Value::Map(m) if Arc::ptr_eq(&m.0, &self.0));
        if contains(&key, &myself) || contains(&value, &myself) {
            return Err(into_itself("map"));
        }
        if !self.has(&key) {
            check_size(self.len() + 1, limit)?;
        }
        self.change(|entries| {
            entries.insert(key, value);
        })
    }

    /// Changes the entries in place; what is put in must not hold this map. Errors: E0215 for `_`.
    pub fn change<R>(&self, change: impl FnOnce(&mut Entries) -> R) -> Outcome<R> {
        let mut content = self.0.content.write();
        if content.0 == MapKind::View {
            return Err(Diagnostic::new(Code::Immutable, "_ cannot be changed"));
        }
        Ok(change(&mut content.1))
    }

    /// The same map, from now on one that cannot be changed.
    pub fn as_view(&self) -> Map {
        self.0.content.write().0 = MapKind::View;
        self.clone()
    }

    /// Whether both are one and the same map.
    pub fn same(&self, other: &Map) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Set {
    /// A set of these elements.
    pub fn new(elements: Elements) -> Set {
        Set(Arc::new(Cell {
            content: RwLock::new(elements),
        }))
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.0.content.read().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `value` is in it.
    pub fn has(&self, value: &Value) -> bool {
        self.0.content.read().contains(value)
    }

    /// A copy of the element pointers, for a walk.
    pub fn items(&self) -> Vec<Value> {
        self.0.content.read().iter().cloned().collect()
    }

    /// Calls `look` with the elements in place; it must not change any collection.
    pub fn with<R>(&self, look: impl FnOnce(&Elements) -> R) -> R {
        look(&self.0.content.read())
    }

    /// Adds in place. Errors: E0214 into itself, E0304 beyond `limit`.
    pub fn add(&self, value: Value, limit: usize) -> Outcome<()> {
        if contains(&value, &|v| matches!(v, Value::Set(s) if s.same(self))) {
            return Err(into_itself("set"));
        }
        if !self.has(&value) {
            check_size(self.len() + 1, limit)?;
        }
        self.0.content.write().insert(value);
        Ok(())
    }

    /// Removes in place.
    pub fn remove(&self, value: &Value) {
        // Looked for before the set is locked: the value may be, or hold, the set itself.
        let at = self.0.content.read().get_index_of(value);
        if let Some(at) = at {
            self.0.content.write().shift_remove_index(at);
        }
    }

    /// Whether both are one and the same set.
    pub fn same(&self, other: &Set) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// So many parts of a value are walked before it is worth remembering which ones have been seen.
pub(super) const FEW_PARTS: usize = 1024;

/// Where a collection or an object lives; 0 for everything else.
pub fn address(value: &Value) -> usize {
    match value {
        Value::List(list) => Arc::as_ptr(&list.0).addr(),
        Value::Map(map) => Arc::as_ptr(&map.0).addr(),
        Value::Set(set) => Arc::as_ptr(&set.0).addr(),
        Value::Object(object) => Arc::as_ptr(object).addr(),
        _ => 0,
    }
}

/// Whether the value is of a kind that can hold others.
fn may_hold(value: &Value) -> bool {
    value.is_collection() || matches!(value, Value::Object(_))
}

/// Whether `value` is or holds, at any depth, something that `test` finds.
fn contains(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    if !may_hold(value) {
        return false;
    }
    let mut waiting = vec![value.clone()];
    // A part that stands in many places is looked at once: `[s, s]` in `[s, s]` in … has 2^n places.
    let mut seen: ahash::HashSet<usize> = ahash::HashSet::default();
    let mut looked = 0usize;
    while let Some(next) = waiting.pop() {
        if test(&next) {
            return true;
        }
        looked += 1;
        if looked > FEW_PARTS && !seen.insert(address(&next)) {
            continue;
        }
        match &next {
            Value::List(list) => {
                list.with(|items| waiting.extend(items.iter().filter(|v| may_hold(v)).cloned()))
            }
            Value::Set(set) => {
                set.with(|items| waiting.extend(items.iter().filter(|v| may_hold(v)).cloned()))
            }
            Value::Map(map) => map.with(|entries| {
                waiting.extend(
                    entries
                        .iter()
                        .flat_map(|(k, v)| [k, v])
                        .filter(|v| may_hold(v))
                        .cloned(),
                );
            }),
            Value::Object(object) => {
                waiting.extend(object.kept().cloned().map(Value::List));
            }
            _ => {}
        }
    }
    false
}
