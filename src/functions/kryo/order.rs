//! The order in which Java walks a `HashMap`.

use crate::eval::Value;
use crate::eval::collections::address;
use std::collections::HashMap;

/// Hashes of collections that have been looked at, by their address.
pub type Known = HashMap<usize, i32, ahash::RandomState>;

/// A table has at least so many buckets.
const SMALLEST: usize = 16;

/// Longer chains make a small table grow.
const LONGEST_CHAIN: u8 = 8;

/// Tables of this size do not grow for a long chain.
const LARGE: usize = 64;

/// The positions of `keys` in the order in which a `HashMap` walks them that was filled in this order: by bucket.
///
/// Nine keys in one bucket become a tree, whose root goes first; only keys made to collide do that, and their order is
/// left as it is.
pub fn bucket_order<'a>(keys: impl Iterator<Item = &'a Value>, known: &mut Known) -> Vec<usize> {
    let hashes: Vec<u32> = keys
        .map(|key| {
            let hash = java_hash(key, known, 0).cast_unsigned();
            hash ^ (hash >> 16)
        })
        .collect();
    let mut buckets = SMALLEST;
    let mut chains = vec![0u8; buckets];
    let bucket = |hash: &u32, buckets: usize| *hash as usize & (buckets - 1);
    for (i, hash) in hashes.iter().enumerate() {
        let mut long_chain = false;
        if let Some(chain) = chains.get_mut(bucket(hash, buckets)) {
            *chain = chain.saturating_add(1);
            long_chain = *chain > LONGEST_CHAIN;
        }
        let before = buckets;
        if long_chain && buckets < LARGE {
            buckets *= 2;
        }
        if i + 1 > buckets * 3 / 4 {
            buckets *= 2;
        }
        if buckets > before {
            chains = vec![0; buckets];
            for hash in hashes.iter().take(i + 1) {
                if let Some(chain) = chains.get_mut(bucket(hash, buckets)) {
                    *chain = chain.saturating_add(1);
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..hashes.len()).collect();
    // The sort is stable: a chain keeps its order.
    order.sort_by_key(|i| hashes.get(*i).map_or(0, |hash| bucket(hash, buckets)));
    order
}

/// Java's `hashCode` of a value. What has none of its own there counts as 0.
fn java_hash(value: &Value, known: &mut Known, depth: usize) -> i32 {
    let address = address(value);
    if depth > super::DEEPEST {
        return 0;
    }
    if address != 0
        && let Some(hash) = known.get(&address)
    {
        return *hash;
    }
    let mut inner = |value: &Value| java_hash(value, known, depth + 1);
    let hash = match value {
        Value::Null | Value::Lambda(_) | Value::Object(_) => 0,
        Value::Bool(b) => 1237 - 6 * i32::from(*b),
        Value::Int(n) => *n,
        Value::Long(n) => fold_long(n.cast_unsigned()),
        Value::Float(x) if x.is_nan() => 0x7fc0_0000,
        Value::Float(x) => x.to_bits().cast_signed(),
        Value::Double(x) if x.is_nan() => fold_long(0x7ff8_0000_0000_0000),
        Value::Double(x) => fold_long(x.to_bits()),
        Value::Char(c) => i32::from(*c),
        Value::Text(text) => text.encode_utf16().fold(0i32, |hash, unit| {
            hash.wrapping_mul(31).wrapping_add(i32::from(unit))
        }),
        Value::Big(n) => {
            let (sign, digits) = n.to_u32_digits();
            let hash = digits.iter().rev().fold(0i32, |hash, digit| {
                hash.wrapping_mul(31).wrapping_add(digit.cast_signed())
            });
            match sign {
                num_bigint::Sign::Minus => hash.wrapping_neg(),
                _ => hash,
            }
        }
        Value::List(list) => list.items().iter().fold(1i32, |hash, item| {
            hash.wrapping_mul(31).wrapping_add(inner(item))
        }),
        Value::Set(set) => set
            .items()
            .iter()
            .fold(0i32, |hash, item| hash.wrapping_add(inner(item))),
        Value::Map(map) => map.entries().iter().fold(0i32, |hash, (key, value)| {
            hash.wrapping_add(inner(key) ^ inner(value))
        }),
    };
    if address != 0 {
        known.insert(address, hash);
    }
    hash
}

fn fold_long(bits: u64) -> i32 {
    ((bits ^ (bits >> 32)) as u32).cast_signed()
}
