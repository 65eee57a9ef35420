//! Bytes to values.

use super::bytes::Input;
use super::classes::{self, Class, Kind, Number};
use super::{DEEPEST, damaged};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use crate::eval::collections::{Elements, Entries, List, ListKind, Map, MapKind, Set};
use num_bigint::BigInt;
use smol_str::SmolStr;
use std::sync::Arc;

/// A number of more bytes has no use and takes long to print.
const LONGEST_NUMBER: usize = 1 << 16;

/// So many comparisons with collections that are keys are made at most.
const MOST_COMPARISONS: u64 = 1 << 30;

/// Reads one value.
pub struct Reader<'a> {
    /// Where it reads.
    pub(super) input: Input<'a>,
    /// Names of classes in the order in which they came.
    names: Vec<(SmolStr, Class)>,
    /// Everything that can be referred to, in the order in which it began.
    parts: Vec<Part>,
    depth: usize,
    comparisons: u64,
}

/// Something that can be referred to.
#[derive(Clone)]
pub(super) enum Part {
    /// It has begun and not ended.
    Open,
    /// A value.
    Value(Value),
    /// A constant of an enumeration, by its place, and objects without content.
    Constant(u32),
    /// An array of integers within a sketch.
    Ints(Arc<[i32]>),
    /// Something else within a sketch.
    Inner,
}

/// What stands before the bytes of an object.
pub(super) enum Reference {
    /// Nothing is there.
    Null,
    /// It follows and has this number.
    New(usize),
    /// It came before.
    Known(Part),
}

impl<'a> Reader<'a> {
    /// Reads `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader {
            input: Input::new(bytes),
            names: Vec::new(),
            parts: Vec::new(),
            depth: 0,
            comparisons: 0,
        }
    }

    /// The next class and object.
    pub fn value(&mut self) -> Outcome<Value> {
        let at = self.input.offset();
        let Some(class) = self.class()? else {
            return Ok(Value::Null);
        };
        if let Some(number) = wrapper(class) {
            return self.number(number);
        }
        match self.reference()? {
            Reference::Known(Part::Value(value)) => Ok(value),
            Reference::Known(Part::Open) => Err(damaged(at, "a collection cannot hold itself")),
            Reference::New(number) => {
                if self.depth >= DEEPEST {
                    let message = format!(
                        "the stored value nests deeper than {DEEPEST} levels (at byte {at})"
                    );
                    return Err(Diagnostic::new(Code::Nesting, message));
                }
                self.depth += 1;
                let value = self.body(class, at)?;
                self.depth -= 1;
                self.close(number, Part::Value(value.clone()));
                Ok(value)
            }
            _ => Err(damaged(at, "it refers to something that is no value")),
        }
    }

    /// The next class; `None` stands for null.
    pub(super) fn class(&mut self) -> Outcome<Option<Class>> {
        let at = self.input.offset();
        match self.input.varint()? {
            0 => Ok(None),
            1 => {
                let place = self.input.varint()? as usize;
                if let Some((_, class)) = self.names.get(place) {
                    return Ok(Some(*class));
                }
                if place != self.names.len() {
                    let message = format!(
                        "class name {place} comes before class name {}",
                        self.names.len()
                    );
                    return Err(damaged(at, message));
                }
                let name = self.input.text()?;
                let name = name.ok_or_else(|| damaged(at, "a class has no name"))?;
                let class = classes::named(&name, place);
                self.names.push((name, class));
                Ok(Some(class))
            }
            number => match classes::numbered(number) {
                Some(class) => Ok(Some(class)),
                None => Err(damaged(at, format!("no class has the number {number}"))),
            },
        }
    }

    /// What stands before an object.
    pub(super) fn reference(&mut self) -> Outcome<Reference> {
        let at = self.input.offset();
        match self.input.varint()? {
            0 => Ok(Reference::Null),
            1 => {
                self.parts.push(Part::Open);
                Ok(Reference::New(self.parts.len() - 1))
            }
            n => match self.parts.get(n as usize - 2) {
                Some(part) => Ok(Reference::Known(part.clone())),
                None => {
                    let message =
                        format!("it refers to part {}, which does not come before", n - 2);
                    Err(damaged(at, message))
                }
            },
        }
    }

    /// Keeps what a number stands for.
    pub(super) fn close(&mut self, number: usize, part: Part) {
        if let Some(place) = self.parts.get_mut(number) {
            *place = part;
        }
    }

    /// The name of a class that came by name.
    pub(super) fn name(&self, place: usize) -> Option<&str> {
        self.names.get(place).map(|(name, _)| name.as_str())
    }

    fn body(&mut self, class: Class, at: usize) -> Outcome<Value> {
        Ok(match class {
            Class::Text => {
                let text = self.input.text()?;
                Value::Text(text.ok_or_else(|| damaged(at, "a text is missing"))?)
            }
            Class::Elements(kind) => {
                let count = self.input.count(1)?;
                self.elements(kind, count)?
            }
            Class::SortedElements => {
                self.natural_order()?;
                let count = self.input.count(1)?;
                self.elements(Kind::Set, count)?
            }
            Class::Entries(kind) => self.entries(kind)?,
            Class::SortedEntries => {
                self.natural_order()?;
                self.entries(Kind::Ordered)?
            }
            Class::AsList => {
                let count = self.input.count(1)?;
                self.class()?;
                self.elements(Kind::Array, count)?
            }
            Class::Empty(kind) => empty(kind),
            Class::Single(Kind::Ordered) => {
                let (key, value) = (self.value()?, self.value()?);
                Value::Map(Map::new(
                    MapKind::Ordered,
                    Entries::from_iter([(key, value)]),
                ))
            }
            Class::Single(kind) => self.elements(kind, 1)?,
            Class::Wrapped => {
                self.input.varint()?;
                self.value()?
            }
            Class::ImmutableMap => match self.reference()? {
                Reference::New(number) => {
                    let map = self.entries(Kind::Ordered)?;
                    self.close(number, Part::Value(map.clone()));
                    map
                }
                Reference::Known(Part::Value(map)) => map,
                _ => return Err(damaged(at, "a map has no entries")),
            },
            Class::Big => {
                let bytes = self.whole_number(at)?;
                Value::Big(Arc::new(BigInt::from_signed_bytes_be(bytes)))
            }
            Class::Decimal => {
                let digits = BigInt::from_signed_bytes_be(self.whole_number(at)?);
                let scale = i64::from(self.input.int()?);
                let number: Result<f64, _> = format!("{digits}e{}", -scale).parse();
                Value::Double(number.map_err(|_| damaged(at, "a number is malformed"))?)
            }
            Class::Date => Value::Long(self.input.varlong()?.cast_signed()),
            Class::Numbers(number) => {
                let count = self.input.count_or_null(1)?.unwrap_or(0);
                let items = (0..count).map(|_| self.number(number));
                Value::List(List::array(items.collect::<Outcome<_>>()?))
            }
            Class::Boxed(number) => {
                let count = self.input.count_or_null(1)?.unwrap_or(0);
                let items = (0..count).map(|_| match self.input.varint()? {
                    0 => Ok(Value::Null),
                    _ => self.number(number),
                });
                Value::List(List::array(items.collect::<Outcome<_>>()?))
            }
            Class::Texts => self.texts(at)?,
            Class::Objects => {
                let count = self.input.count_or_null(1)?.unwrap_or(0);
                self.elements(Kind::Array, count)?
            }
            Class::Hllp => self.hllp()?,
            Class::Bloom => self.bloom()?,
            Class::Online => self.online()?,
            Class::Windowed => self.windowed()?,
            Class::Outlier => self.outlier()?,
            Class::Sampler => self.sampler()?,
            other => {
                let name = match other {
                    Class::Other(place) => self.name(place),
                    _ => None,
                };
                let message = match name {
                    Some(name) => format!("objects of class {name} have no counterpart here"),
                    None => "a part of an object stands where a value should be".into(),
                };
                return Err(damaged(at, message));
            }
        })
    }

    /// One element of an array, or what a wrapper holds.
    fn number(&mut self, number: Number) -> Outcome<Value> {
        Ok(match number {
            Number::Bool => Value::Bool(self.input.byte()? == 1),
            Number::Byte => Value::Int(i32::from(self.input.byte()?.cast_signed())),
            Number::Char => Value::Char(u16::from_be_bytes(self.input.array()?)),
            Number::Short => Value::Int(i32::from(i16::from_be_bytes(self.input.array()?))),
            Number::Int => Value::Int(self.input.int()?),
            Number::Long => Value::Long(self.input.long()?),
            Number::Float => Value::Float(f32::from_be_bytes(self.input.array()?)),
            Number::Double => Value::Double(self.input.double()?),
        })
    }

    /// The bytes of a whole number of any size.
    fn whole_number(&mut self, at: usize) -> Outcome<&'a [u8]> {
        let count = self.input.count_or_null(1)?;
        match count.ok_or_else(|| damaged(at, "a number is missing"))? {
            count @ ..=LONGEST_NUMBER => self.input.take(count),
            count => Err(damaged(
                at,
                format!("a number of {count} bytes is too large"),
            )),
        }
    }

    /// A sorted collection must be in its natural order: what else sorts it is code.
    fn natural_order(&mut self) -> Outcome<()> {
        let at = self.input.offset();
        match self.class()? {
            None => Ok(()),
            Some(_) => Err(damaged(at, "a collection is sorted by an object of Java")),
        }
    }

    fn elements(&mut self, kind: Kind, count: usize) -> Outcome<Value> {
        match kind {
            Kind::Linked | Kind::Array => {
                let items = (0..count).map(|_| self.value());
                let items = items.collect::<Outcome<Vec<Value>>>()?;
                Ok(Value::List(List::new(list_kind(kind), items)))
            }
            _ => {
                let mut elements = Elements::default();
                for _ in 0..count {
                    let element = self.value()?;
                    self.check_key(&element, elements.len())?;
                    elements.insert(element);
                }
                Ok(Value::Set(Set::new(elements)))
            }
        }
    }

    fn entries(&mut self, kind: Kind) -> Outcome<Value> {
        let mut entries = Entries::default();
        for _ in 0..self.input.count(2)? {
            let key = self.value()?;
            self.check_key(&key, entries.len())?;
            let value = self.value()?;
            entries.insert(key, value);
        }
        Ok(Value::Map(Map::new(map_kind(kind), entries)))
    }

    /// Collections as keys may all have to be compared with each other.
    fn check_key(&mut self, key: &Value, others: usize) -> Outcome<()> {
        if key.is_collection() {
            self.comparisons += others as u64;
            if self.comparisons > MOST_COMPARISONS {
                let at = self.input.offset();
                return Err(damaged(at, "too many collections are keys"));
            }
        }
        Ok(())
    }

    fn texts(&mut self, at: usize) -> Outcome<Value> {
        let count = self.input.count_or_null(1)?.unwrap_or(0);
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(match self.reference()? {
                Reference::Null => Value::Null,
                Reference::Known(Part::Value(text)) => text,
                Reference::New(number) => {
                    let text = self.body(Class::Text, at)?;
                    self.close(number, Part::Value(text.clone()));
                    text
                }
                Reference::Known(_) => return Err(damaged(at, "a text is no text")),
            });
        }
        Ok(Value::List(List::array(items)))
    }
}

/// Numbers and booleans are never referred to.
fn wrapper(class: Class) -> Option<Number> {
    Some(match class {
        Class::Int => Number::Int,
        Class::Float => Number::Float,
        Class::Bool => Number::Bool,
        Class::Byte => Number::Byte,
        Class::Char => Number::Char,
        Class::Short => Number::Short,
        Class::Long => Number::Long,
        Class::Double => Number::Double,
        _ => return None,
    })
}

fn list_kind(kind: Kind) -> ListKind {
    match kind {
        Kind::Linked => ListKind::Linked,
        _ => ListKind::Array,
    }
}

fn map_kind(kind: Kind) -> MapKind {
    match kind {
        Kind::Hash => MapKind::Hash,
        _ => MapKind::Ordered,
    }
}

fn empty(kind: Kind) -> Value {
    match kind {
        Kind::Linked | Kind::Array => Value::List(List::new(list_kind(kind), Vec::new())),
        Kind::Set => Value::Set(Set::new(Elements::default())),
        Kind::Hash | Kind::Ordered => Value::Map(Map::empty(map_kind(kind))),
    }
}
