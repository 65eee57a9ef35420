//! Java's serialization of values, which HASH digests when a value is no text.
//!
//! The stream is that of the "Java Object Serialization Specification", version 5, as Java 17 writes the classes
//! that Metron's values have.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::{ListKind, MapKind, address};
use crate::eval::hash_code::{Known as Hashes, Table, hash_table};
use crate::eval::text::check_length;
use crate::eval::{Call, Value};
use ahash::AHashMap;
use num_bigint::{BigInt, Sign};

/// Marks of the stream.
const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;
const LONG_STRING: u8 = 0x7c;

/// The number of the first handle.
const FIRST_HANDLE: u32 = 0x7e_0000;

/// A class writes its fields and nothing else …
const PLAIN: u8 = 2;
/// … or more, by a method of its own.
const WRITES: u8 = 3;

/// Deeper values are refused.
const DEEPEST: usize = 512;

struct Class {
    name: &'static str,
    version: u64,
    flags: u8,
    fields: &'static [(u8, &'static str)],
    parent: Option<&'static Class>,
}

const fn class(name: &'static str, version: u64, flags: u8) -> Class {
    Class {
        name,
        version,
        flags,
        fields: &[],
        parent: None,
    }
}

static NUMBER: Class = class("java.lang.Number", 0x86ac_951d_0b94_e08b, PLAIN);
static INTEGER: Class = Class {
    fields: &[(b'I', "value")],
    parent: Some(&NUMBER),
    ..class("java.lang.Integer", 0x12e2_a0a4_f781_8738, PLAIN)
};
static LONG: Class = Class {
    fields: &[(b'J', "value")],
    parent: Some(&NUMBER),
    ..class("java.lang.Long", 0x3b8b_e490_cc8f_23df, PLAIN)
};
static FLOAT: Class = Class {
    fields: &[(b'F', "value")],
    parent: Some(&NUMBER),
    ..class("java.lang.Float", 0xdaed_c9a2_db3c_f0ec, PLAIN)
};
static DOUBLE: Class = Class {
    fields: &[(b'D', "value")],
    parent: Some(&NUMBER),
    ..class("java.lang.Double", 0x80b3_c24a_296b_fb04, PLAIN)
};
static BOOLEAN: Class = Class {
    fields: &[(b'Z', "value")],
    ..class("java.lang.Boolean", 0xcd20_7280_d59c_faee, PLAIN)
};
static CHARACTER: Class = Class {
    fields: &[(b'C', "value")],
    ..class("java.lang.Character", 0x348b_47d9_6b1a_2678, PLAIN)
};
static BIG_INTEGER: Class = Class {
    fields: &[
        (b'I', "bitCount"),
        (b'I', "bitLength"),
        (b'I', "firstNonzeroByteNum"),
        (b'I', "lowestSetBit"),
        (b'I', "signum"),
        (b'[', "magnitude"),
    ],
    parent: Some(&NUMBER),
    ..class("java.math.BigInteger", 0x8cfc_9f1f_a93b_fb1d, WRITES)
};
static BYTES: Class = class("[B", 0xacf3_17f8_0608_54e0, PLAIN);
static LINKED_LIST: Class = class("java.util.LinkedList", 0x0c29_535d_4a60_8822, WRITES);
static ARRAY_LIST: Class = Class {
    fields: &[(b'I', "size")],
    ..class("java.util.ArrayList", 0x7881_d21d_99c7_619d, WRITES)
};
static HASH_MAP: Class = Class {
    fields: &[(b'F', "loadFactor"), (b'I', "threshold")],
    ..class("java.util.HashMap", 0x0507_dac1_c316_60d1, WRITES)
};
static LINKED_HASH_MAP: Class = Class {
    fields: &[(b'Z', "accessOrder")],
    parent: Some(&HASH_MAP),
    ..class("java.util.LinkedHashMap", 0x34c0_4e5c_106c_c0fb, PLAIN)
};
static HASH_SET: Class = class("java.util.HashSet", 0xba44_8595_96b8_b734, WRITES);
static LINKED_HASH_SET: Class = Class {
    parent: Some(&HASH_SET),
    ..class("java.util.LinkedHashSet", 0xd86c_d75a_95dd_2a1e, PLAIN)
};

/// The bytes of a value; `None` for lambdas and objects of functions, which Java cannot serialize.
///
/// Errors: E0204 for those inside of a collection, E0302, E0303, and those of steps.
pub(super) fn bytes(call: &Call<'_, '_>, value: &Value) -> Outcome<Option<Vec<u8>>> {
    if matches!(value, Value::Lambda(_) | Value::Object(_)) {
        return Ok(None);
    }
    let mut stream = Stream {
        call,
        out: vec![0xac, 0xed, 0, 5],
        handles: AHashMap::new(),
        hashes: Hashes::default(),
        next: FIRST_HANDLE,
    };
    stream.value(value, 0)?;
    Ok(Some(stream.out))
}

/// What stands in the stream already and is only pointed to when it comes again.
#[derive(PartialEq, Eq, Hash)]
enum Known {
    Class(&'static str),
    /// The text of a field's type.
    FieldType,
    Collection(usize),
    /// Java keeps one object of each boolean, small number and ASCII character.
    Cached(&'static str, i64),
}

struct Stream<'s, 'c, 'm> {
    call: &'s Call<'c, 'm>,
    out: Vec<u8>,
    handles: AHashMap<Known, u32>,
    hashes: Hashes,
    next: u32,
}

impl Stream<'_, '_, '_> {
    fn int(&mut self, n: usize) {
        // Limits keep collections far smaller.
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        self.out.extend_from_slice(&n.to_be_bytes());
    }

    /// Gives the next handle to what is written now.
    fn handle(&mut self, known: Option<Known>) {
        if let Some(known) = known {
            self.handles.insert(known, self.next);
        }
        self.next += 1;
    }

    /// Points to what has been written before; false when it has not.
    fn points_to(&mut self, known: &Known) -> bool {
        let Some(handle) = self.handles.get(known) else {
            return false;
        };
        self.out.push(REFERENCE);
        self.out.extend_from_slice(&handle.to_be_bytes());
        true
    }

    /// A class with those it extends.
    fn class(&mut self, class: &'static Class) {
        if self.points_to(&Known::Class(class.name)) {
            return;
        }
        self.out.push(CLASS);
        self.short_text(class.name);
        self.out.extend_from_slice(&class.version.to_be_bytes());
        self.handle(Some(Known::Class(class.name)));
        self.out.push(class.flags);
        self.out.extend_from_slice(&[0, class.fields.len() as u8]);
        for (kind, name) in class.fields {
            self.out.push(*kind);
            self.short_text(name);
            if *kind == b'[' && !self.points_to(&Known::FieldType) {
                self.out.push(STRING);
                self.short_text(BYTES.name);
                self.handle(Some(Known::FieldType));
            }
        }
        self.out.push(END);
        match class.parent {
            Some(parent) => self.class(parent),
            None => self.out.push(NULL),
        }
    }

    /// A name with its length.
    fn short_text(&mut self, text: &str) {
        self.out.extend_from_slice(&[0, text.len() as u8]);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// The beginning of an object.
    fn object(&mut self, class: &'static Class, known: Option<Known>) {
        self.out.push(OBJECT);
        self.class(class);
        self.handle(known);
    }

    /// An object that is one number; `small` when Java keeps one object for all equal ones.
    fn boxed(&mut self, class: &'static Class, bytes: &[u8], small: Option<i64>) {
        let known = small.map(|n| Known::Cached(class.name, n));
        if known.as_ref().is_some_and(|known| self.points_to(known)) {
            return;
        }
        self.object(class, known);
        self.out.extend_from_slice(bytes);
    }

    /// A text in Java's modified UTF-8: surrogates one by one, and no zero byte.
    fn text(&mut self, text: &str) {
        let mut bytes = Vec::with_capacity(text.len());
        for unit in text.encode_utf16() {
            let low = |shift: u16| 0x80 | (unit >> shift & 0x3f) as u8;
            match unit {
                1..0x80 => bytes.push(unit as u8),
                0 | 0x80..0x800 => bytes.extend([0xc0 | (unit >> 6) as u8, low(0)]),
                _ => bytes.extend([0xe0 | (unit >> 12) as u8, low(6), low(0)]),
            }
        }
        match u16::try_from(bytes.len()) {
            Ok(length) => {
                self.out.push(STRING);
                self.out.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => {
                self.out.push(LONG_STRING);
                let length = bytes.len() as u64;
                self.out.extend_from_slice(&length.to_be_bytes());
            }
        }
        self.out.extend(bytes);
        self.handle(None);
    }

    fn value(&mut self, value: &Value, depth: usize) -> Outcome<()> {
        self.call.step()?;
        check_length(self.out.len(), self.call.context().limits.string)?;
        if depth > DEEPEST {
            let message = format!("HASH: the value nests more than {DEEPEST} levels deep");
            return Err(Diagnostic::new(Code::Nesting, message).of_argument(0));
        }
        let small = |n: i64| (-128..128).contains(&n).then_some(n);
        match value {
            Value::Null => self.out.push(NULL),
            Value::Bool(b) => self.boxed(&BOOLEAN, &[u8::from(*b)], Some(i64::from(*b))),
            Value::Int(n) => self.boxed(&INTEGER, &n.to_be_bytes(), small(i64::from(*n))),
            Value::Long(n) => self.boxed(&LONG, &n.to_be_bytes(), small(*n)),
            Value::Float(x) if x.is_nan() => self.boxed(&FLOAT, &f32::NAN.to_be_bytes(), None),
            Value::Float(x) => self.boxed(&FLOAT, &x.to_be_bytes(), None),
            Value::Double(x) if x.is_nan() => self.boxed(&DOUBLE, &f64::NAN.to_be_bytes(), None),
            Value::Double(x) => self.boxed(&DOUBLE, &x.to_be_bytes(), None),
            Value::Char(unit) => {
                let ascii = (*unit < 128).then_some(i64::from(*unit));
                self.boxed(&CHARACTER, &unit.to_be_bytes(), ascii);
            }
            Value::Big(n) => self.big(n),
            Value::Text(text) => self.text(text),
            Value::List(_) | Value::Map(_) | Value::Set(_) => self.collection(value, depth)?,
            Value::Lambda(_) | Value::Object(_) => return Err(self.refused(value)),
        }
        Ok(())
    }

    #[cold]
    fn refused(&self, value: &Value) -> Fault {
        let what = value.kind_in_words();
        self.call
            .wrong_value(0, format!("{what} in a collection has no bytes to hash"))
            .help("hash its text: TO_STRING(…)")
    }

    fn big(&mut self, n: &BigInt) {
        let (sign, magnitude) = n.to_bytes_be();
        self.object(&BIG_INTEGER, None);
        // Fields that only old versions of Java read have fixed values.
        for field in [-1i32, -1, -2, -2] {
            self.out.extend_from_slice(&field.to_be_bytes());
        }
        let sign = match sign {
            Sign::Minus => -1i32,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        };
        self.out.extend_from_slice(&sign.to_be_bytes());
        self.out.push(ARRAY);
        self.class(&BYTES);
        self.handle(None);
        let magnitude = if sign == 0 { Vec::new() } else { magnitude };
        self.int(magnitude.len());
        self.out.extend(magnitude);
        self.out.push(END);
    }

    fn collection(&mut self, value: &Value, depth: usize) -> Outcome<()> {
        let class = match value {
            Value::List(list) => match list.kind() {
                ListKind::Linked => &LINKED_LIST,
                ListKind::Array => &ARRAY_LIST,
            },
            Value::Map(map) => match map.kind() {
                MapKind::Hash => &HASH_MAP,
                MapKind::Ordered | MapKind::View => &LINKED_HASH_MAP,
            },
            Value::Set(_) => &LINKED_HASH_SET,
            _ => return Ok(()),
        };
        let known = Known::Collection(address(value));
        if self.points_to(&known) {
            return Ok(());
        }
        self.object(class, Some(known));
        match value {
            Value::List(list) => {
                let items = list.items();
                if list.kind() == ListKind::Array {
                    self.int(items.len());
                }
                self.out.extend([BLOCK, 4]);
                self.int(items.len());
                for item in &items {
                    self.value(item, depth + 1)?;
                }
            }
            Value::Set(set) => {
                let items = set.items();
                self.out.extend([BLOCK, 12]);
                let table = hash_table(items.iter(), &mut self.hashes);
                self.int(table.buckets);
                self.out.extend_from_slice(&0.75f32.to_be_bytes());
                self.int(items.len());
                for item in &items {
                    self.value(item, depth + 1)?;
                }
            }
            Value::Map(map) => {
                let entries = map.entries();
                let keys = entries.iter().map(|(key, _)| key);
                let Table { buckets, order } = hash_table(keys, &mut self.hashes);
                self.out.extend_from_slice(&0.75f32.to_be_bytes());
                self.int(if entries.is_empty() {
                    0
                } else {
                    buckets / 4 * 3
                });
                self.out.extend([BLOCK, 8]);
                self.int(buckets);
                self.int(entries.len());
                let by_bucket = map.kind() == MapKind::Hash;
                for (index, place) in order.iter().enumerate() {
                    let place = if by_bucket { *place } else { index };
                    if let Some((key, value)) = entries.get(place) {
                        self.value(key, depth + 1)?;
                        self.value(value, depth + 1)?;
                    }
                }
                if map.kind() != MapKind::Hash {
                    // Behind the part of the parent: not ordered by access.
                    self.out.extend([END, 0]);
                    return Ok(());
                }
            }
            _ => {}
        }
        self.out.push(END);
        Ok(())
    }
}
