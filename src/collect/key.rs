//! How entries of collections are named: everywhere the same, so that other programs can look them up.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::text::to_text;
use crate::eval::{Value, json};
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use num_bigint::BigInt;
use smallvec::SmallVec;
use smol_str::{SmolStr, format_smolstr};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Doubles from here on are no 64-bit numbers.
const BEYOND_LONG: f64 = 9_223_372_036_854_775_808.0;

/// What all keys of a collection begin with: Devo's `redisKeyBase`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Base(Arc<str>);

impl Base {
    /// The base of a collection: its domain, `#`, and the MD5 of domain, `#` and name in hexadecimal digits.
    pub fn new(domain: &str, name: &str) -> Base {
        let mut digest = Md5::new();
        digest.update(domain);
        digest.update("#");
        digest.update(name);
        let digest = HEXLOWER.encode(&digest.finalize());
        Base(format!("{domain}#{digest}").into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of an entry: the base of its collection, and the MD5 of its key fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The collection.
    pub base: Base,
    /// The MD5 over the encoded key fields.
    pub hash: [u8; 16],
}

impl Key {
    /// The key of some values, one for each key field, in the order of the fields.
    ///
    /// Each value counts as its type (`n` null, `b` boolean, `i` whole number, `f` other number, `s` text), the number
    /// of its bytes in decimal digits, `:`, and its bytes: the texts `alice` and `hq` are `s5:alices2:hq`. Numbers that
    /// `==` calls equal have one key: what is whole and fits 64 bits counts as its decimal digits, whatever its type, and
    /// so do big integers; any other number as the 16 hexadecimal digits of its 64 IEEE 754 bits.
    ///
    /// E0203 for values that are none of these.
    pub fn of<'v>(base: &Base, values: impl IntoIterator<Item = &'v Value>) -> Outcome<Key> {
        let mut text: SmallVec<[u8; 128]> = SmallVec::new();
        for value in values {
            encode(value, &mut text)?;
        }
        Ok(Key {
            base: base.clone(),
            hash: Md5::digest(&text).into(),
        })
    }

    /// The key as a server knows it: the base, `#`, and the hash in 32 hexadecimal digits.
    pub fn write(&self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        out.extend_from_slice(self.base.as_str().as_bytes());
        out.push(b'#');
        for byte in self.hash {
            out.extend([byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]));
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.base, HEXLOWER.encode(&self.hash))
    }
}

fn encode(value: &Value, out: &mut SmallVec<[u8; 128]>) -> Outcome<()> {
    let mut part = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(itoa::Buffer::new().format(bytes.len()).as_bytes());
        out.push(b':');
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Null => part(b'n', b""),
        Value::Bool(true) => part(b'b', b"true"),
        Value::Bool(false) => part(b'b', b"false"),
        Value::Int(n) => part(b'i', itoa::Buffer::new().format(*n).as_bytes()),
        Value::Long(n) => part(b'i', itoa::Buffer::new().format(*n).as_bytes()),
        Value::Big(n) => part(b'i', n.to_string().as_bytes()),
        Value::Float(n) => match whole(f64::from(*n)) {
            Some(n) => part(b'i', itoa::Buffer::new().format(n).as_bytes()),
            None => part(b'f', bits(f64::from(*n)).as_bytes()),
        },
        Value::Double(n) => match whole(*n) {
            Some(n) => part(b'i', itoa::Buffer::new().format(n).as_bytes()),
            None => part(b'f', bits(*n).as_bytes()),
        },
        Value::Text(text) => part(b's', text.as_bytes()),
        Value::Char(_) => part(b's', to_text(value).as_bytes()),
        _ => {
            let found = value.kind_in_words();
            let message =
                format!("a key is made of texts, numbers, booleans and null, not of {found}");
            return Err(Diagnostic::new(Code::ArgumentType, message));
        }
    }
    Ok(())
}

/// The number, if it is whole and fits 64 bits.
fn whole(n: f64) -> Option<i64> {
    // The bound itself is not a 64-bit number; the cast is exact below it.
    (n.fract() == 0.0 && (-BEYOND_LONG..BEYOND_LONG).contains(&n)).then_some(n as i64)
}

fn bits(n: f64) -> SmolStr {
    // All that are no number are one.
    let n = if n.is_nan() { f64::NAN } else { n };
    format_smolstr!("{:016x}", n.to_bits())
}

/// What a field is meant to be, in the words of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// What comes: keys keep the type of the value, values are texts.
    #[default]
    Any,
    /// `str`
    Text,
    /// `int4`, `int8`
    Whole,
    /// `float8`
    Number,
    /// `bool`
    Boolean,
    /// `ip`
    Address,
    /// `timestamp`: milliseconds since 1970.
    Timestamp,
    /// `json`: lists, maps, and anything else as JSON.
    Json,
}

/// Kinds by the names that may be written for them; the first of each is the one shown.
const KINDS: &[(&str, Kind)] = &[
    ("", Kind::Any),
    ("any", Kind::Any),
    ("str", Kind::Text),
    ("string", Kind::Text),
    ("text", Kind::Text),
    ("int8", Kind::Whole),
    ("int4", Kind::Whole),
    ("int", Kind::Whole),
    ("integer", Kind::Whole),
    ("long", Kind::Whole),
    ("float8", Kind::Number),
    ("float4", Kind::Number),
    ("float", Kind::Number),
    ("double", Kind::Number),
    ("bool", Kind::Boolean),
    ("boolean", Kind::Boolean),
    ("ip", Kind::Address),
    ("ip4", Kind::Address),
    ("ip6", Kind::Address),
    ("timestamp", Kind::Timestamp),
    ("json", Kind::Json),
    ("list", Kind::Json),
    ("map", Kind::Json),
];

impl Kind {
    /// The kind of a name such as `str`, `int8`, `float8`, `bool`, `ip`, `timestamp`, `json`.
    pub fn named(name: &str) -> Option<Kind> {
        let mut kinds = KINDS.iter();
        kinds
            .find(|(word, _)| word.eq_ignore_ascii_case(name))
            .map(|(_, kind)| *kind)
    }

    /// The name that is shown; empty for [`Kind::Any`].
    pub fn name(self) -> &'static str {
        let mut kinds = KINDS.iter();
        kinds
            .find(|(_, kind)| *kind == self)
            .map_or("", |(word, _)| word)
    }

    /// The names that may be written.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS
            .iter()
            .map(|(word, _)| *word)
            .filter(|w| !w.is_empty())
    }

    /// A value as one of this kind. What cannot be one stays what it is, and so does null.
    pub fn of(self, value: &Value) -> Value {
        self.convert(value).unwrap_or_else(|| value.clone())
    }

    fn convert(self, value: &Value) -> Option<Value> {
        if value.is_null() {
            return None;
        }
        match self {
            Kind::Any | Kind::Json => None,
            Kind::Text => value
                .as_text()
                .is_none()
                .then(|| Value::Text(text_of(value))),
            Kind::Whole | Kind::Timestamp => match value {
                Value::Text(text) => whole_of(text.trim()),
                Value::Float(_) | Value::Double(_) => whole(value.as_double()?).map(Value::Long),
                _ => None,
            },
            Kind::Number => match value {
                Value::Text(text) => text.trim().parse().ok().map(Value::Double),
                Value::Double(_) => None,
                _ => value.as_double().map(Value::Double),
            },
            Kind::Boolean => match value.as_text()? {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            Kind::Address => {
                let address: IpAddr = value.as_text()?.trim().parse().ok()?;
                Some(Value::Text(format_smolstr!("{}", address.to_canonical())))
            }
        }
    }

    /// What a stored text means.
    pub fn read(self, text: &SmolStr) -> Value {
        let value = Value::Text(text.clone());
        if self != Kind::Json {
            return self.of(&value);
        }
        let read = serde_json::from_str(text).ok();
        read.and_then(|tree| json::from_json(&tree, DEEPEST).ok())
            .unwrap_or(value)
    }
}

/// The nesting that stored JSON may have.
const DEEPEST: usize = 256;

fn whole_of(text: &str) -> Option<Value> {
    if let Ok(n) = text.parse() {
        return Some(Value::Long(n));
    }
    let n: BigInt = text.parse().ok()?;
    Some(Value::Big(Arc::new(n)))
}

/// The text of a value as it is stored: texts as they are, numbers in digits, lists and maps as JSON.
pub fn text_of(value: &Value) -> SmolStr {
    match value {
        Value::Text(text) => text.clone(),
        Value::Null => SmolStr::default(),
        Value::Int(n) => format_smolstr!("{n}"),
        Value::Long(n) => format_smolstr!("{n}"),
        Value::List(_) | Value::Map(_) | Value::Set(_) => {
            let mut out = Vec::new();
            match json::write_json(value, &mut out) {
                Ok(()) => SmolStr::from(String::from_utf8_lossy(&out)),
                Err(_) => to_text(value),
            }
        }
        _ => to_text(value),
    }
}

/// A field of keys or values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column it comes from.
    pub name: SmolStr,
    /// What it is meant to be.
    pub kind: Kind,
}

impl Field {
    /// A field.
    pub fn new(name: impl Into<SmolStr>, kind: Kind) -> Field {
        Field {
            name: name.into(),
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_make_what_they_can() {
        let made = |kind: &str, value: Value| {
            let value = Kind::named(kind).map(|kind| kind.of(&value));
            value.map(|value| format!("{value:?}")).unwrap_or_default()
        };
        let text = |text: &str| Value::text(text);
        assert_eq!(made("str", Value::Int(443)), "String(443)");
        assert_eq!(made("STR", Value::Bool(true)), "String(true)");
        assert_eq!(made("str", Value::Null), "Null(null)");
        assert_eq!(made("int8", text(" 443 ")), "Long(443)");
        assert_eq!(made("int", text("443.5")), "String(443.5)");
        assert_eq!(made("int", Value::Double(443.0)), "Long(443)");
        assert_eq!(made("int", Value::Double(443.5)), "Double(443.5)");
        let big = "123456789012345678901234567890";
        assert_eq!(made("long", text(big)), format!("BigInteger({big})"));
        assert_eq!(
            made("timestamp", text("1795392000123")),
            "Long(1795392000123)"
        );
        assert_eq!(made("float8", text("0.5")), "Double(0.5)");
        assert_eq!(made("double", Value::Int(2)), "Double(2.0)");
        assert_eq!(made("double", text("many")), "String(many)");
        assert_eq!(made("bool", text("true")), "Boolean(true)");
        assert_eq!(made("bool", text("yes")), "String(yes)");
        assert_eq!(made("ip", text("2001:DB8::0:1")), "String(2001:db8::1)");
        assert_eq!(made("ip", text("::ffff:192.0.2.1")), "String(192.0.2.1)");
        assert_eq!(made("ip", text("nowhere")), "String(nowhere)");
        assert_eq!(made("json", Value::Int(1)), "Integer(1)");
        assert_eq!(made("", Value::Int(1)), "Integer(1)");
        assert_eq!(Kind::named("colour"), None);
    }

    #[test]
    fn texts_are_read_as_their_kinds_say() {
        let read = |kind: Kind, text: &str| format!("{:?}", kind.read(&text.into()));
        assert_eq!(read(Kind::Any, "7"), "String(7)");
        assert_eq!(read(Kind::Whole, "7"), "Long(7)");
        assert_eq!(read(Kind::Number, "1.0E10"), "Double(1.0E10)");
        assert_eq!(read(Kind::Json, "[1, \"a\"]"), "List([1, a])");
        assert_eq!(read(Kind::Json, "no JSON"), "String(no JSON)");
        assert_eq!(read(Kind::Boolean, "false"), "Boolean(false)");
    }
}
