//! Rows that are gathered by buckets of time and by keys.

use super::aggregate::{Kind, State};
use crate::eval::Value;
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// So many bytes the open groups of a query may take, as far as that is known: keys, texts and sketches.
pub const MEMORY: usize = 1 << 30;

/// What a group takes besides its keys and values.
const GROUP: usize = 150;

/// The groups of one bucket by their keys, in the order in which they came up.
pub type Bucket = IndexMap<Box<[Value]>, Box<[State]>, ahash::RandomState>;

/// All groups that have not been told.
pub struct Groups {
    buckets: BTreeMap<i64, Bucket>,
    /// How many bytes they take.
    bytes: usize,
    /// Groups before this time have been told.
    pub told: i64,
    /// The keys of the row at hand.
    pub keys: Vec<Value>,
}

impl Groups {
    /// No groups.
    pub fn new() -> Groups {
        Groups {
            buckets: BTreeMap::new(),
            bytes: 0,
            told: i64::MIN,
            keys: Vec::new(),
        }
    }

    /// The states of the group of a bucket with the keys at hand, made when it is not there. `None` when there is no room.
    pub fn states(
        &mut self,
        bucket: i64,
        kinds: impl ExactSizeIterator<Item = Kind>,
    ) -> Option<&mut [State]> {
        let groups = self.buckets.entry(bucket).or_default();
        let at = match groups.get_index_of(self.keys.as_slice()) {
            Some(at) => at,
            None => {
                let states = kinds.map(Kind::start).collect::<Box<[State]>>();
                self.bytes += GROUP
                    + self.keys.iter().map(weight).sum::<usize>()
                    + std::mem::size_of_val(&*states);
                if self.bytes > MEMORY {
                    return None;
                }
                let keys = self.keys.clone().into_boxed_slice();
                groups.insert_full(keys, states).0
            }
        };
        groups.get_index_mut(at).map(|(_, states)| states.as_mut())
    }

    /// Notes that the states of a group have grown; `false` when there is no room for that.
    pub fn grown(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.bytes <= MEMORY
    }

    /// The earliest bucket.
    pub fn first(&self) -> Option<i64> {
        self.buckets.keys().next().copied()
    }

    /// Takes out the earliest bucket.
    pub fn take(&mut self) -> Option<(i64, Bucket)> {
        let (bucket, groups) = self.buckets.pop_first()?;
        let taken = groups.iter().map(|(keys, states)| {
            let keys = keys.iter().map(weight).sum::<usize>();
            let states: usize = states.iter().map(|state| 40 + state.weight()).sum();
            GROUP + keys + states
        });
        self.bytes = match self.buckets.is_empty() {
            true => 0,
            false => self.bytes.saturating_sub(taken.sum()),
        };
        Some((bucket, groups))
    }
}

/// What a value takes, roughly.
pub fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => 24 + text.len(),
        Value::List(list) => 24 * list.len() + 64,
        Value::Map(map) => 64 * map.len() + 64,
        _ => 24,
    }
}
