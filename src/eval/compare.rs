//! Equality, order and hashing, as Java and Metron define them.

use super::arithmetic::{Promoted, promote};
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Beyond this depth two nested values count as different and hash alike, so that no walk overflows the stack.
const DEEPEST: usize = 512;

/// `==` of the language: null only equals null, numbers compare after promotion, everything else as [`same`].
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        _ if left.is_number() && right.is_number() => match promote(left, right) {
            Some(Promoted::Int(a, b)) => a == b,
            Some(Promoted::Long(a, b)) => a == b,
            Some(Promoted::Float(a, b)) => a == b,
            Some(Promoted::Double(a, b)) => a == b,
            None => false,
        },
        _ => same(left, right),
    }
}

/// Java's `equals`: strict about types, element by element; NaN equals itself, -0.0 is not 0.0.
pub fn same(left: &Value, right: &Value) -> bool {
    same_at(left, right, 0)
}

fn same_at(left: &Value, right: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Long(a), Value::Long(b)) => a == b,
        (Value::Big(a), Value::Big(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => float_bits(*a) == float_bits(*b),
        (Value::Double(a), Value::Double(b)) => double_bits(*a) == double_bits(*b),
        (Value::Char(a), Value::Char(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.same(b)
                || a.with(|a| {
                    b.with(|b| {
                        a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same_at(x, y, depth + 1))
                    })
                })
        }
        (Value::Set(a), Value::Set(b)) => {
            a.same(b)
                || a.with(|a| b.with(|b| a.len() == b.len() && a.iter().all(|x| b.contains(x))))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.same(b)
                || a.with(|a| {
                    b.with(|b| {
                        a.len() == b.len()
                            && a.iter()
                                .all(|(k, v)| b.get(k).is_some_and(|w| same_at(v, w, depth + 1)))
                    })
                })
        }
        (Value::Lambda(a), Value::Lambda(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => {
            std::ptr::addr_eq(Arc::as_ptr(a), Arc::as_ptr(b)) || a.equals(b.as_ref())
        }
        _ => false,
    }
}

/// All NaNs are one value, as in Java's `floatToIntBits`.
fn float_bits(x: f32) -> u32 {
    if x.is_nan() {
        f32::NAN.to_bits()
    } else {
        x.to_bits()
    }
}

fn double_bits(x: f64) -> u64 {
    if x.is_nan() {
        f64::NAN.to_bits()
    } else {
        x.to_bits()
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        same(self, other)
    }
}

impl Eq for Value {}

/// The hash of a string value; string keys are looked up with it.
pub fn hash_text<H: Hasher>(text: &str, state: &mut H) {
    state.write_u8(8);
    state.write(text.as_bytes());
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_at(self, state, 0);
    }
}

fn hash_at<H: Hasher>(value: &Value, state: &mut H, depth: usize) {
    if depth > 8 {
        // Deep parts do not decide a bucket.
        return;
    }
    match value {
        Value::Null => state.write_u8(0),
        Value::Bool(b) => state.write_u8(1 + u8::from(*b)),
        Value::Int(n) => {
            state.write_u8(3);
            state.write_i32(*n);
        }
        Value::Long(n) => {
            state.write_u8(4);
            state.write_i64(*n);
        }
        Value::Big(n) => n.hash(state),
        Value::Float(x) => {
            state.write_u8(5);
            state.write_u32(float_bits(*x));
        }
        Value::Double(x) => {
            state.write_u8(6);
            state.write_u64(double_bits(*x));
        }
        Value::Char(c) => {
            state.write_u8(7);
            state.write_u16(*c);
        }
        Value::Text(text) => hash_text(text, state),
        Value::List(list) => list.with(|items| {
            state.write_u8(9);
            state.write_usize(items.len());
            items
                .iter()
                .take(16)
                .for_each(|item| hash_at(item, state, depth + 1));
        }),
        // The order of entries must not matter, so only their number counts.
        Value::Set(set) => {
            state.write_u8(10);
            state.write_usize(set.len());
        }
        Value::Map(map) => {
            state.write_u8(11);
            state.write_usize(map.len());
        }
        Value::Lambda(lambda) => state.write_usize(Arc::as_ptr(lambda).addr()),
        Value::Object(object) => object.type_name().hash(state),
    }
}

/// The order of two values for `<` and its like: `None` when either is null or NaN is involved.
///
/// Errors: E0208 for values without an order.
pub fn order(left: &Value, right: &Value) -> Outcome<Option<Ordering>> {
    Ok(match (left, right) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(a), Value::Text(b)) => Some(text_order(a, b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Char(a), Value::Char(b)) => Some(a.cmp(b)),
        _ => match promote(left, right) {
            Some(Promoted::Int(a, b)) => Some(a.cmp(&b)),
            Some(Promoted::Long(a, b)) => Some(a.cmp(&b)),
            Some(Promoted::Float(a, b)) => a.partial_cmp(&b),
            Some(Promoted::Double(a, b)) => a.partial_cmp(&b),
            None => {
                let message = format!(
                    "{} and {} have no order",
                    left.kind_in_words(),
                    right.kind_in_words()
                );
                return Err(Diagnostic::new(Code::NotComparable, message));
            }
        },
    })
}

/// Strings in the order of their UTF-16 units.
pub fn text_order(a: &str, b: &str) -> Ordering {
    let differs = a.bytes().zip(b.bytes()).find(|(x, y)| x != y);
    match differs {
        None => a.len().cmp(&b.len()),
        // Surrogate pairs (four bytes, from 0xF0) sort before U+E000 and up (from 0xEE).
        Some((x, y)) if x >= 0xf0 && (0xee..0xf0).contains(&y) => Ordering::Less,
        Some((x, y)) if y >= 0xf0 && (0xee..0xf0).contains(&x) => Ordering::Greater,
        Some((x, y)) => x.cmp(&y),
    }
}
