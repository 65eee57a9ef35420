//! Python's equality, and values as keys of tables.

use super::repr;
use crate::eval::Value;
use num_bigint::BigInt;
use smol_str::SmolStr;

/// Whether two values are equal in Python: numbers and booleans by value, whatever their types.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Null, Value::Null) => true,
        (Value::List(a), Value::List(b)) => {
            a.same(b)
                || a.len() == b.len() && a.items().iter().zip(&b.items()).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.same(b)
                || a.len() == b.len()
                    && a.entries()
                        .iter()
                        .all(|(key, value)| b.get(key).is_some_and(|other| equal(value, &other)))
        }
        (Value::Object(a), Value::Object(b)) => a.equals(b.as_ref()),
        _ => match (Number::of(a), Number::of(b)) {
            (Some(a), Some(b)) => a.equals(&b),
            _ => false,
        },
    }
}

enum Number {
    Whole(BigInt),
    Double(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Number> {
        Some(match value {
            Value::Bool(truth) => Number::Whole(u8::from(*truth).into()),
            Value::Int(n) => Number::Whole((*n).into()),
            Value::Long(n) => Number::Whole((*n).into()),
            Value::Big(n) => Number::Whole(n.as_ref().clone()),
            Value::Float(n) => Number::Double((*n).into()),
            Value::Double(n) => Number::Double(*n),
            _ => return None,
        })
    }

    fn equals(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Whole(a), Number::Whole(b)) => a == b,
            (Number::Double(a), Number::Double(b)) => a == b,
            (Number::Whole(n), Number::Double(d)) | (Number::Double(d), Number::Whole(n)) => {
                whole(*d).is_some_and(|d| d == *n)
            }
        }
    }
}

/// The whole number that a float is.
fn whole(d: f64) -> Option<BigInt> {
    if d.fract() != 0.0 || !d.is_finite() {
        return None;
    }
    // Without an exponent, all digits are written.
    format!("{d:.0}").parse().ok()
}

/// A value as the key of a table: equal values have equal keys, and different ones different keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// `None`.
    Null,
    /// A text.
    Text(SmolStr),
    /// A number or boolean that is whole.
    Whole(i64),
    /// Everything else that may be a key, by its `repr`.
    Other(SmolStr),
}

impl Key {
    /// The key of a value; `None` for lists and maps, which cannot be keys.
    pub fn of(value: &Value) -> Option<Key> {
        Some(match value {
            Value::Null => Key::Null,
            Value::Text(text) => Key::Text(text.clone()),
            Value::Bool(truth) => Key::Whole((*truth).into()),
            Value::Int(n) => Key::Whole((*n).into()),
            Value::Long(n) => Key::Whole(*n),
            Value::List(_) | Value::Map(_) | Value::Set(_) => return None,
            Value::Double(d) => match whole(*d) {
                Some(n) => {
                    i64::try_from(&n).map_or_else(|_| Key::Other(n.to_string().into()), Key::Whole)
                }
                None => Key::Other(repr::float(*d).into()),
            },
            other => {
                let mut text = String::new();
                repr::write_repr(other, &mut text);
                Key::Other(text.into())
            }
        })
    }

    /// Its text, as it stands in saved states.
    pub fn text(&self) -> SmolStr {
        match self {
            Key::Null => "None".into(),
            Key::Text(text) | Key::Other(text) => text.clone(),
            Key::Whole(n) => n.to_string().into(),
        }
    }
}
