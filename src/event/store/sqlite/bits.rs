//! Sets of events: which positions of which blocks.

use std::collections::BTreeMap;

/// How many events make a block.
pub(super) const BLOCK: i64 = 1024;

/// The events of a block, a bit each.
pub(super) type Bits = [u64; 16];

/// No events.
pub(super) const NONE: Bits = [0; 16];

/// The bytes of [`Bits`]. A list of positions is always shorter.
pub(super) const DENSE: usize = 128;

/// Events by their block.
#[derive(Debug, Clone, Default)]
pub(super) struct Set(pub BTreeMap<i64, Bits>);

pub(super) fn set_bit(bits: &mut Bits, position: u16) {
    if let Some(word) = bits.get_mut(usize::from(position >> 6)) {
        *word |= 1 << (position & 63);
    }
}

pub(super) fn has_bit(bits: &Bits, position: u16) -> bool {
    bits.get(usize::from(position >> 6))
        .is_some_and(|word| word >> (position & 63) & 1 == 1)
}

pub(super) fn is_empty(bits: &Bits) -> bool {
    bits.iter().all(|word| *word == 0)
}

pub(super) fn count(bits: &Bits) -> u64 {
    bits.iter().map(|word| u64::from(word.count_ones())).sum()
}

pub(super) fn both(a: &Bits, b: &Bits) -> Bits {
    std::array::from_fn(|i| a[i] & b[i])
}

pub(super) fn without(a: &Bits, b: &Bits) -> Bits {
    std::array::from_fn(|i| a[i] & !b[i])
}

/// The positions of the bits that are set, ascending.
pub(super) fn positions(bits: &Bits) -> impl Iterator<Item = u16> + '_ {
    (0u16..).zip(bits).flat_map(|(index, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let bit = left.trailing_zeros();
            // Clearing the lowest bit of 0 would be an overflow.
            (left != 0).then(|| {
                left &= left - 1;
                index * 64 + bit as u16
            })
        })
    })
}

/// Reads a posting: positions of two bytes each, or [`Bits`].
pub(super) fn read_posting(data: &[u8], into: &mut Bits) {
    if data.len() == DENSE {
        let (words, _) = data.as_chunks::<8>();
        for (word, bytes) in into.iter_mut().zip(words) {
            *word |= u64::from_le_bytes(*bytes);
        }
    } else {
        let (pairs, _) = data.as_chunks::<2>();
        for pair in pairs {
            set_bit(into, u16::from_le_bytes(*pair));
        }
    }
}

/// Writes a posting in the shorter form.
pub(super) fn write_posting(bits: &Bits) -> Vec<u8> {
    if count(bits) * 2 < DENSE as u64 {
        positions(bits).flat_map(u16::to_le_bytes).collect()
    } else {
        bits.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

impl Set {
    /// One event.
    pub(super) fn of(number: i64) -> Set {
        let mut bits = NONE;
        set_bit(&mut bits, number.rem_euclid(BLOCK) as u16);
        Set(BTreeMap::from([(number.div_euclid(BLOCK), bits)]))
    }

    pub(super) fn add(&mut self, block: i64, bits: &Bits) {
        let own = self.0.entry(block).or_insert(NONE);
        for (word, other) in own.iter_mut().zip(bits) {
            *word |= other;
        }
    }

    /// Keeps what is in `other`, too.
    pub(super) fn keep(&mut self, other: &Set) {
        self.0.retain(|block, bits| {
            let Some(other) = other.0.get(block) else {
                return false;
            };
            *bits = both(bits, other);
            !is_empty(bits)
        });
    }

    /// Drops what is in `other`.
    pub(super) fn drop(&mut self, other: &Set) {
        self.0.retain(|block, bits| {
            if let Some(other) = other.0.get(block) {
                *bits = without(bits, other);
            }
            !is_empty(bits)
        });
    }

    pub(super) fn count(&self) -> u64 {
        self.0.values().map(count).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers of its events, ascending.
    pub(super) fn numbers(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().flat_map(|(block, bits)| {
            positions(bits).map(move |position| block * BLOCK + i64::from(position))
        })
    }
}
