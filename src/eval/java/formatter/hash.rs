//! Java hash codes of the argument types.

use num_bigint::{BigInt, Sign};

use super::Arg;

/// `String.hashCode`: a base-31 polynomial over the UTF-16 units.
pub fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

/// `Long.hashCode`: the upper half folded onto the lower.
pub fn java_long_hash(value: i64) -> i32 {
    (value ^ (value >> 32)) as i32
}

/// `Double.hashCode`: the long hash of the bits, with one NaN.
pub fn java_double_hash(value: f64) -> i32 {
    let value = if value.is_nan() { f64::NAN } else { value };
    java_long_hash(value.to_bits() as i64)
}

/// `Float.hashCode`: the bits, with one NaN.
pub fn java_float_hash(value: f32) -> i32 {
    let value = if value.is_nan() { f32::NAN } else { value };
    value.to_bits() as i32
}

/// The hash code of an argument; `None` for null.
pub(super) fn of(arg: &Arg<'_>) -> Option<i32> {
    Some(match arg {
        Arg::Null => return None,
        Arg::Bool(true) => 1231,
        Arg::Bool(false) => 1237,
        Arg::Int(value) => *value,
        Arg::Long(value) => java_long_hash(*value),
        Arg::BigInt(value) => java_big_hash(value),
        Arg::Float(value) => java_float_hash(*value),
        Arg::Double(value) => java_double_hash(*value),
        Arg::Char(unit) => i32::from(*unit),
        Arg::Str(text) => java_string_hash(text),
        Arg::Other { hash, .. } => *hash,
    })
}

/// `BigInteger.hashCode`: base 31 over the 32-bit words from the top, times the sign.
pub fn java_big_hash(value: &BigInt) -> i32 {
    let hash = value.iter_u32_digits().rev().fold(0i32, |hash, word| {
        hash.wrapping_mul(31).wrapping_add(word as i32)
    });
    match value.sign() {
        Sign::Minus => hash.wrapping_neg(),
        _ => hash,
    }
}
