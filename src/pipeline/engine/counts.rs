//! Counters of each step and tag.

use ahash::AHashMap;
use smol_str::SmolStr;

/// What is counted, in the order of [`Tally`]: the last two are not feedoo's.
pub const COLUMNS: [&str; 6] = ["in", "bypass", "do", "out", "dropped", "failed"];

/// Received.
pub(super) const IN: usize = 0;
/// Passed by, since the tag is another.
pub(super) const BYPASS: usize = 1;
/// Processed.
pub(super) const DO: usize = 2;
/// Sent on; the last step sends nothing on.
pub(super) const OUT: usize = 3;
/// Ended here.
pub(super) const DROPPED: usize = 4;
/// Gone to the dead letters.
pub(super) const FAILED: usize = 5;

/// The numbers of one step and tag.
pub type Tally = [u64; 6];

/// From so many tags on they are looked up in an index.
const LARGE: usize = 8;

/// Tags beyond so many are counted together.
const TAGS: usize = 1000;

/// What is counted for the tags beyond [`TAGS`].
const OTHERS: &str = "(others)";

/// The counters of one step.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    tags: Vec<(SmolStr, Tally)>,
    last: usize,
    index: AHashMap<SmolStr, usize>,
}

impl Counts {
    /// Counts one of a column.
    pub(super) fn one(&mut self, tag: &SmolStr, column: usize) {
        self.add(tag, column, 1);
    }

    /// Counts some of a column.
    pub(super) fn add(&mut self, tag: &SmolStr, column: usize, number: u64) {
        let place = match self.tags.get(self.last) {
            Some((known, _)) if known == tag => self.last,
            _ => self.place(tag),
        };
        self.last = place;
        let cell = self
            .tags
            .get_mut(place)
            .and_then(|(_, tally)| tally.get_mut(column));
        if let Some(cell) = cell {
            *cell += number;
        }
    }

    fn place(&mut self, tag: &SmolStr) -> usize {
        let known = match self.tags.len() > LARGE {
            true => self.index.get(tag).copied(),
            false => self.tags.iter().position(|(known, _)| known == tag),
        };
        if let Some(place) = known {
            return place;
        }
        let place = self.tags.len();
        if place >= TAGS && tag != OTHERS {
            return self.place(&OTHERS.into());
        }
        self.tags.push((tag.clone(), [0; 6]));
        if place >= LARGE {
            if self.index.is_empty() {
                let all = self.tags.iter().enumerate();
                self.index = all.map(|(place, (tag, _))| (tag.clone(), place)).collect();
            }
            self.index.insert(tag.clone(), place);
        }
        place
    }

    /// Adds what another has counted.
    pub(super) fn merge(&mut self, other: &Counts) {
        for (tag, tally) in &other.tags {
            for (column, number) in tally.iter().enumerate().filter(|(_, n)| **n > 0) {
                self.add(tag, column, *number);
            }
        }
    }

    /// The numbers by tag.
    pub fn iter(&self) -> impl Iterator<Item = &(SmolStr, Tally)> {
        self.tags.iter()
    }

    /// The numbers of all tags together.
    pub fn sum(&self) -> Tally {
        let mut sum = [0; 6];
        for (_, tally) in &self.tags {
            for (total, number) in sum.iter_mut().zip(tally) {
                *total += number;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_tags_are_counted_and_bounded() {
        let mut counts = Counts::default();
        for round in 0..2 {
            for n in 0..1500 {
                counts.one(&format!("tag {n}").into(), IN);
                assert!(counts.tags.len() <= TAGS + 1, "{round}");
            }
        }
        let of = |tag: &str| {
            let found = counts.iter().find(|(known, _)| known == tag);
            found.map(|(_, tally)| tally[IN])
        };
        assert_eq!(of("tag 5"), Some(2));
        assert_eq!(of("tag 999"), Some(2));
        assert_eq!(of(OTHERS), Some(1000));
        assert_eq!(counts.sum()[IN], 3000);
        let mut other = Counts::default();
        other.merge(&counts);
        assert_eq!(other.sum(), counts.sum());
    }
}
