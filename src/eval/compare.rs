//! Equality, order and hashing, as Java and Metron define them.

use super::arithmetic::{Promoted, promote};
use super::collections::{FEW_PARTS, address};
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

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
                || nested(left, right, || {
                    a.with(|a| {
                        b.with(|b| a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y)))
                    })
                })
        }
        (Value::Set(a), Value::Set(b)) => {
            a.same(b)
                || nested(left, right, || {
                    a.with(|a| b.with(|b| a.len() == b.len() && a.iter().all(|x| b.contains(x))))
                })
        }
        (Value::Map(a), Value::Map(b)) => {
            a.same(b)
                || nested(left, right, || {
                    a.with(|a| {
                        b.with(|b| {
                            a.len() == b.len()
                                && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
                        })
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

/// The comparison that is going on in this thread; elements of sets and keys of maps come back to [`same`].
#[derive(Default)]
struct Walk {
    depth: usize,
    looked: usize,
    /// Pairs that are equal: parts that stand in many places are compared once.
    equal: ahash::HashSet<(usize, usize)>,
}

/// So many pairs are remembered at a time.
const MOST_PAIRS: usize = 1 << 16;

thread_local! {
    static WALK: RefCell<Walk> = RefCell::default();
}

/// Compares the parts of two collections.
fn nested(left: &Value, right: &Value, compare: impl FnOnce() -> bool) -> bool {
    let pair = (address(left), address(right));
    let known = WALK.with_borrow_mut(|walk| {
        if walk.depth > DEEPEST {
            return Some(false);
        }
        if walk.looked > FEW_PARTS && walk.equal.contains(&pair) {
            return Some(true);
        }
        walk.depth += 1;
        walk.looked += 1;
        None
    });
    if let Some(known) = known {
        return known;
    }
    let equal = compare();
    WALK.with_borrow_mut(|walk| {
        walk.depth -= 1;
        if walk.depth == 0 {
            walk.looked = 0;
            walk.equal.clear();
        } else if equal && walk.looked > FEW_PARTS {
            if walk.equal.len() >= MOST_PAIRS {
                walk.equal.clear();
            }
            walk.equal.insert(pair);
        }
    });
    equal
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
        hash_at(self, state, 0, &mut 64);
    }
}

/// Hashes with at most `left` parts looked at: what lies behind them does not decide a bucket.
fn hash_at<H: Hasher>(value: &Value, state: &mut H, depth: usize, left: &mut usize) {
    if depth > 8 || *left == 0 {
        return;
    }
    *left -= 1;
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
                .for_each(|item| hash_at(item, state, depth + 1, left));
        }),
        // The order of entries must not matter: their own hashes are added up.
        Value::Set(set) => set.with(|elements| {
            state.write_u8(10);
            let parts = |hasher: &mut _, element: &Value| hash_at(element, hasher, 8, &mut 1);
            hash_unordered(elements.iter(), elements.len(), depth, parts, state);
        }),
        Value::Map(map) => map.with(|entries| {
            state.write_u8(11);
            let parts = |hasher: &mut _, (key, value): (&Value, &Value)| {
                hash_at(key, hasher, 8, &mut 1);
                hash_at(value, hasher, 8, &mut 1);
            };
            hash_unordered(entries.iter(), entries.len(), depth, parts, state);
        }),
        Value::Lambda(lambda) => state.write_usize(Arc::as_ptr(lambda).addr()),
        Value::Object(object) => object.type_name().hash(state),
    }
}

/// Hashes the parts of a small set or map by their own value, of a large or deep one by their number alone.
fn hash_unordered<H: Hasher, T>(
    parts: impl Iterator<Item = T>,
    length: usize,
    depth: usize,
    hash: impl Fn(&mut ahash::AHasher, T),
    state: &mut H,
) {
    static HASHING: LazyLock<ahash::RandomState> = LazyLock::new(ahash::RandomState::new);
    state.write_usize(length);
    if length > 64 || depth > 1 {
        return;
    }
    let sum = parts.fold(0u64, |sum, part| {
        let mut hasher = HASHING.build_hasher();
        hash(&mut hasher, part);
        sum.wrapping_add(hasher.finish())
    });
    state.write_u64(sum);
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
