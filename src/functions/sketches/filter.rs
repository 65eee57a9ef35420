//! A Bloom filter: whether an item was added, with false alarms but without misses.
//!
//! Sizes, hashes and bits are those of Guava's BloomFilter with its default strategy
//! (A. Kirsch, M. Mitzenmacher: "Less Hashing, Same Performance", over the 128-bit Murmur3).

use super::murmur;

/// A Bloom filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    words: Vec<u64>,
    hashes: u32,
}

/// How many bits and hashes a filter needs for `expected` items and a share `rate` of false alarms.
pub fn plan(expected: u32, rate: f64) -> (u64, u32) {
    let expected = expected.max(1);
    let ln2 = std::f64::consts::LN_2;
    let bits = (-f64::from(expected) * rate.ln() / (ln2 * ln2)) as u64;
    // Whole bits an item, as there.
    let per_item = bits / u64::from(expected);
    let hashes = (per_item as f64 * ln2).round().max(1.0);
    (bits, hashes as u32)
}

impl Filter {
    /// An empty filter.
    pub fn new(bits: u64, hashes: u32) -> Filter {
        Filter {
            words: vec![0; bits.div_ceil(64) as usize],
            hashes,
        }
    }

    /// A filter of stored parts. `None` when there is no bit, or no or too many hashes.
    pub fn of_parts(words: Vec<u64>, hashes: u32) -> Option<Filter> {
        (!words.is_empty() && (1..=255).contains(&hashes)).then_some(Filter { words, hashes })
    }

    /// Its bits, 64 a word.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many bits an item sets.
    pub fn hashes(&self) -> u32 {
        self.hashes
    }

    /// How many bits it has.
    pub fn bits(&self) -> u64 {
        self.words.len() as u64 * 64
    }

    /// How many bits are set.
    pub fn set_bits(&self) -> u64 {
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    /// How many items were added, about: from the share of bits that are set.
    pub fn items(&self) -> i64 {
        let bits = self.bits() as f64;
        let free = bits - self.set_bits() as f64;
        (bits / f64::from(self.hashes) * (bits / free).ln()).round() as i64
    }

    /// Adds an item by its bytes.
    pub fn add(&mut self, item: &[u8]) {
        for (word, bit) in places(item, self.words.len(), self.hashes) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether an item may have been added.
    pub fn has(&self, item: &[u8]) -> bool {
        places(item, self.words.len(), self.hashes)
            .all(|(word, bit)| self.words.get(word).is_some_and(|w| w & bit != 0))
    }

    /// Adds all items of a filter of the same size. `None` when the sizes differ.
    pub fn merge(&mut self, other: &Filter) -> Option<()> {
        if self.words.len() != other.words.len() || self.hashes != other.hashes {
            return None;
        }
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
        Some(())
    }
}

/// The words and bits of an item.
fn places(item: &[u8], words: usize, hashes: u32) -> impl Iterator<Item = (usize, u64)> + use<> {
    let (first, second) = murmur::hash128(item);
    let bits = (words as u64 * 64).max(1);
    (0..u64::from(hashes)).map(move |i| {
        let hash = first.wrapping_add(i.wrapping_mul(second));
        let bit = (hash & i64::MAX as u64) % bits;
        ((bit / 64) as usize, 1 << (bit % 64))
    })
}
