//! Java's `hashCode` of values, and the order in which Java walks a `HashMap`.

use super::collections::address;
use super::java::formatter::{
    java_big_hash, java_double_hash, java_float_hash, java_long_hash, java_string_hash,
};
use super::text::to_text;
use super::value::Value;
use std::collections::HashMap;

/// Hashes of collections that have been looked at, by their address.
pub type Known = HashMap<usize, i32, ahash::RandomState>;

/// Deeper parts do not matter for a hash, and no walk may overflow the stack.
const DEEPEST: usize = 256;

/// The table of a `HashMap`.
pub struct Table {
    /// How many buckets it has.
    pub buckets: usize,
    /// The positions of the keys in the order in which they are walked.
    pub order: Vec<usize>,
}

/// A table has at least so many buckets.
const SMALLEST: usize = 16;

/// Longer chains make a small table grow.
const LONGEST_CHAIN: u8 = 8;

/// Tables of this size do not grow for a long chain.
const LARGE: usize = 64;

/// The table of a `HashMap` that was filled with `keys` in this order; it is walked by bucket.
///
/// Nine keys in one bucket become a tree, whose root goes first; only keys made to collide do that, and their order is
/// left as it is.
pub fn hash_table<'a>(keys: impl Iterator<Item = &'a Value>, known: &mut Known) -> Table {
    let hashes: Vec<u32> = keys
        .map(|key| {
            let hash = hash_code(key, known).cast_unsigned();
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
    Table { buckets, order }
}

/// Java's `hashCode` of a value; of lambdas and objects, where Java's is arbitrary, the hash of their text.
pub fn hash_code(value: &Value, known: &mut Known) -> i32 {
    within(value, known, 0)
}

fn within(value: &Value, known: &mut Known, depth: usize) -> i32 {
    if depth > DEEPEST {
        return 0;
    }
    let address = address(value);
    if address != 0
        && let Some(hash) = known.get(&address)
    {
        return *hash;
    }
    let mut inner = |value: &Value| within(value, known, depth + 1);
    let hash = match value {
        Value::Null => 0,
        Value::Bool(true) => 1231,
        Value::Bool(false) => 1237,
        Value::Int(n) => *n,
        Value::Long(n) => java_long_hash(*n),
        Value::Big(n) => java_big_hash(n),
        Value::Float(x) => java_float_hash(*x),
        Value::Double(x) => java_double_hash(*x),
        Value::Char(unit) => i32::from(*unit),
        Value::Text(text) => java_string_hash(text),
        Value::List(list) => list.items().iter().fold(1i32, |hash, item| {
            hash.wrapping_mul(31).wrapping_add(inner(item))
        }),
        Value::Set(set) => {
            let items = set.items();
            items
                .iter()
                .fold(0i32, |hash, item| hash.wrapping_add(inner(item)))
        }
        Value::Map(map) => map.entries().iter().fold(0i32, |hash, (key, value)| {
            hash.wrapping_add(inner(key) ^ inner(value))
        }),
        other => java_string_hash(&to_text(other)),
    };
    if address != 0 {
        known.insert(address, hash);
    }
    hash
}
