//! Values to bytes.

use super::DEEPEST;
use super::bytes::{put_int, put_long, put_text, put_varint};
use super::classes;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::eval::collections::{ListKind, Map, MapKind, address};
use crate::eval::hash_code::{Known, hash_table};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Writes one value.
pub struct Writer<'o> {
    /// What was written.
    pub(super) out: &'o mut Vec<u8>,
    longest: usize,
    end: usize,
    /// Names of classes in the order in which they came.
    names: Vec<&'static str>,
    /// Numbers of what can be referred to.
    numbers: HashMap<Identity, u32, ahash::RandomState>,
    /// How many parts have a number.
    count: u32,
    depth: usize,
    share_short: bool,
    hashes: Known,
}

/// What makes a part one and the same.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    /// Where it lives.
    Address(usize),
    /// A text that lives nowhere else.
    Short(SmolStr),
    /// Something of which Java has one only.
    Constant(Constant),
}

/// What Java has one only of, among the parts of sketches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Constant {
    /// The sparse form of HyperLogLog++.
    Sparse,
    /// Its normal form.
    Normal,
    /// Its empty sparse set.
    EmptySet,
    /// The serialiser of items of Bloom filters.
    Serializer,
    /// The strategy of Bloom filters.
    Strategy,
    /// How the array of a window grows: by factors.
    Expansion,
    /// How percentiles of a window are estimated: as commons-math always did.
    Estimation,
    /// What becomes of NaN there: it is left out.
    NanStrategy,
}

impl<'o> Writer<'o> {
    /// Appends at most `longest` bytes to `out`.
    pub fn new(out: &'o mut Vec<u8>, longest: usize, share_short: bool) -> Writer<'o> {
        let end = out.len().saturating_add(longest);
        Writer {
            out,
            longest,
            end,
            names: Vec::new(),
            numbers: HashMap::default(),
            count: 0,
            depth: 0,
            share_short,
            hashes: Known::default(),
        }
    }

    /// Writes class and object.
    pub fn value(&mut self, value: &Value) -> Outcome<()> {
        match value {
            Value::Null => self.out.push(0),
            Value::Int(n) => {
                self.out.push(0x02);
                put_int(*n, self.out);
            }
            Value::Text(text) => self.text(text)?,
            Value::Float(x) => {
                self.out.push(0x04);
                self.out.extend(x.to_be_bytes());
            }
            Value::Bool(b) => self.out.extend([0x05, u8::from(*b)]),
            Value::Char(unit) => {
                self.out.push(0x07);
                self.out.extend(unit.to_be_bytes());
            }
            Value::Long(n) => {
                self.out.push(0x09);
                put_long(*n, self.out);
            }
            Value::Double(x) => {
                self.out.push(0x0a);
                self.out.extend(x.to_be_bytes());
            }
            Value::Big(n) => {
                self.class(classes::BIG_INTEGER);
                if self.begin(Identity::Address(Arc::as_ptr(n).addr())) {
                    let bytes = n.to_signed_bytes_be();
                    put_varint(bytes.len() as u32 + 1, self.out);
                    self.out.extend(bytes);
                }
            }
            Value::List(list) => {
                self.class(match list.kind() {
                    ListKind::Linked => classes::LINKED_LIST,
                    ListKind::Array => classes::ARRAY_LIST,
                });
                if self.begin(Identity::Address(address(value))) {
                    self.elements(&list.items())?;
                }
            }
            Value::Set(set) => {
                self.class(classes::LINKED_HASH_SET);
                if self.begin(Identity::Address(address(value))) {
                    self.elements(&set.items())?;
                }
            }
            Value::Map(map) => {
                self.class(match map.kind() {
                    MapKind::Hash => classes::HASH_MAP,
                    MapKind::Ordered | MapKind::View => classes::LINKED_HASH_MAP,
                });
                if self.begin(Identity::Address(address(value))) {
                    self.entries(map)?;
                }
            }
            Value::Lambda(_) => return Err(not_storable(value)),
            Value::Object(object) => {
                if !self.object(object)? {
                    return Err(not_storable(value));
                }
            }
        }
        if self.out.len() > self.end {
            return Err(self.too_long());
        }
        Ok(())
    }

    fn text(&mut self, text: &SmolStr) -> Outcome<()> {
        self.out.push(0x03);
        if text.len() > self.end.saturating_sub(self.out.len()) {
            return Err(self.too_long());
        }
        let new = match text.is_heap_allocated() {
            true => self.begin(Identity::Address(text.as_ptr().addr())),
            // A lone text needs no memory of it.
            false if self.depth == 0 || !self.share_short => {
                self.count += 1;
                self.out.push(1);
                true
            }
            false => self.begin(Identity::Short(text.clone())),
        };
        if new {
            put_text(text, self.out);
        }
        Ok(())
    }

    #[cold]
    fn too_long(&self) -> Fault {
        let message = format!(
            "the stored value would have more than {} bytes",
            self.longest
        );
        Diagnostic::new(Code::StringLength, message)
    }

    pub(super) fn elements(&mut self, items: &[Value]) -> Outcome<()> {
        put_varint(items.len() as u32, self.out);
        self.deeper()?;
        for item in items {
            self.value(item)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn entries(&mut self, map: &Map) -> Outcome<()> {
        let entries = map.entries();
        put_varint(entries.len() as u32, self.out);
        self.deeper()?;
        let order = match map.kind() {
            MapKind::Hash => hash_table(entries.iter().map(|(key, _)| key), &mut self.hashes).order,
            _ => (0..entries.len()).collect(),
        };
        for (key, value) in order.iter().filter_map(|i| entries.get(*i)) {
            self.value(key)?;
            self.value(value)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn deeper(&mut self) -> Outcome<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let message =
                format!("the value nests deeper than {DEEPEST} levels and cannot be stored");
            return Err(Diagnostic::new(Code::Nesting, message));
        }
        Ok(())
    }

    /// Writes the class of an object: its name the first time, then the number of the name.
    pub(super) fn class(&mut self, name: &'static str) {
        self.out.push(1);
        match self.names.iter().position(|known| *known == name) {
            Some(number) => put_varint(number as u32, self.out),
            None => {
                put_varint(self.names.len() as u32, self.out);
                put_text(name, self.out);
                self.names.push(name);
            }
        }
    }

    /// Begins an object: whether its bytes must follow.
    fn begin(&mut self, identity: Identity) -> bool {
        match self.numbers.entry(identity) {
            Entry::Occupied(number) => {
                put_varint(number.get().wrapping_add(2), self.out);
                false
            }
            Entry::Vacant(place) => {
                place.insert(self.count);
                self.count += 1;
                self.out.push(1);
                true
            }
        }
    }

    /// Begins an object that lives at an address.
    pub(super) fn begin_at(&mut self, address: usize) -> bool {
        self.begin(Identity::Address(address))
    }

    /// Begins something that Java has one only of.
    fn begin_constant(&mut self, constant: Constant) -> bool {
        self.begin(Identity::Constant(constant))
    }

    /// Writes a constant of an enumeration.
    pub(super) fn constant(&mut self, constant: Constant) {
        if self.begin_constant(constant) {
            // Null would be 0, so the first constant is 1.
            self.out.push(match constant {
                Constant::Sparse | Constant::Expansion | Constant::Estimation => 1,
                Constant::Normal | Constant::Strategy => 2,
                Constant::NanStrategy => 3,
                // Objects without fields, and an empty array, whose length is 0 plus 1.
                Constant::EmptySet => 1,
                Constant::Serializer => return,
            });
        }
    }

    /// Begins a part that nothing else refers to.
    pub(super) fn begin_inner(&mut self) {
        self.count += 1;
        self.out.push(1);
    }
}

#[cold]
fn not_storable(value: &Value) -> Fault {
    let message = format!("{} cannot be stored", value.kind_in_words());
    Diagnostic::new(Code::ArgumentType, message)
}
