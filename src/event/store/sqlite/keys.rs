//! The keys under which an event is found.
//!
//! A key is the column, a mark and the value: a text, a port, or a node of the tree of addresses. The tree has a level
//! for each byte of an address: a node is a prefix of whole bytes, and an entry below it is a stretch of the byte that
//! follows. Every range is a few such stretches (an address or a network is one), and two ranges overlap when a
//! stretch of one is equal to, above or below a stretch of the other, which is a look-up for each level.

use super::codec::Wanted;
use crate::event::{Column, ColumnKind, PHYSICAL, Range, Row};
use ahash::{HashSet, HashSetExt};
use sha2::{Digest, Sha256};
use std::hash::Hash;

/// All events that are there.
pub(super) const LIVE: &[u8] = &[0];

/// Marks an event with any value in the column (null and an empty list are none).
const PRESENT: u8 = 0;
/// Marks a value.
const VALUE: u8 = 1;
/// Marks the digest of a text too long for a key.
const DIGEST: u8 = 2;
/// Marks events of which the keys do not tell how often which value is there: values twice, texts too long.
const UNEVEN: u8 = 3;
/// Mark nodes of the trees of addresses.
const NODE: [u8; 2] = [4, 6];
/// Mark nodes of one level under which all that lies deeper is noted, too, so that wide searches are cheap.
const SUMMARY: [u8; 2] = [14, 16];
/// The levels of those.
const SUMMARY_LEVEL: [usize; 2] = [1, 5];

/// The longest text that is a key.
const LONGEST: usize = 96;

/// Called with a key, and for a node with the stretch below it.
type TakeKey<'t> = dyn FnMut(&[u8], Option<(u8, u8)>) + 't;

fn tag(column: Column) -> u8 {
    column as u8 + 1
}

pub(super) fn present(column: Column) -> Vec<u8> {
    vec![tag(column), PRESENT]
}

pub(super) fn uneven(column: Column) -> Vec<u8> {
    vec![tag(column), UNEVEN]
}

/// Whether the values of a column are keys.
pub(super) fn has_values(column: Column) -> bool {
    matches!(
        column.kind(),
        ColumnKind::Texts | ColumnKind::Ints | ColumnKind::Text
    ) && column != Column::Id
}

/// The first and the last key of the values of a column.
pub(super) fn values(column: Column) -> (Vec<u8>, Vec<u8>) {
    (vec![tag(column), VALUE], vec![tag(column), VALUE + 1])
}

pub(super) fn text(column: Column, text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + text.len().min(LONGEST));
    push_text(&mut key, column, text);
    key
}

fn push_text(key: &mut Vec<u8>, column: Column, text: &str) {
    key.push(tag(column));
    if text.len() <= LONGEST {
        key.push(VALUE);
        key.extend_from_slice(text.as_bytes());
    } else {
        key.push(DIGEST);
        key.extend_from_slice(&Sha256::digest(text.as_bytes()));
    }
}

pub(super) fn port(column: Column, port: i64) -> Vec<u8> {
    let mut key = vec![tag(column), VALUE];
    key.extend_from_slice(&port.to_be_bytes());
    key
}

/// The value of a key between those of [`values`].
pub(super) fn value_of(column: Column, key: &[u8]) -> Option<String> {
    let value = key.get(2..)?;
    match column.kind() {
        ColumnKind::Ints => Some(i64::from_be_bytes(*value.first_chunk()?).to_string()),
        _ => String::from_utf8(value.to_vec()).ok(),
    }
}

/// Calls `take` with every key of a row.
pub(super) fn each(row: &Row, take: &mut TakeKey<'_>) {
    let mut key = Vec::with_capacity(LONGEST + 2);
    take(LIVE, None);
    for &column in PHYSICAL {
        let count = match column {
            Column::SourcePort | Column::TargetPort => {
                let ports = match column {
                    Column::SourcePort => &row.source_port,
                    _ => &row.target_port,
                };
                for port in ports {
                    key.clear();
                    key.extend([tag(column), VALUE]);
                    key.extend_from_slice(&port.to_be_bytes());
                    take(&key, None);
                }
                if has_twice(ports) {
                    take(&[tag(column), UNEVEN], None);
                }
                ports.len()
            }
            Column::SourceIp | Column::TargetIp => {
                let ranges = match column {
                    Column::SourceIp => &row.source_ip,
                    _ => &row.target_ip,
                };
                for range in ranges {
                    stored(column, *range, &mut key, take);
                }
                ranges.len()
            }
            Column::Id | Column::DetectTime | Column::StorageTime | Column::Event => 0,
            _ => {
                let texts = row.texts(column);
                for text in texts {
                    key.clear();
                    push_text(&mut key, column, text);
                    take(&key, None);
                }
                if has_twice(texts) || texts.iter().any(|text| text.len() > LONGEST) {
                    take(&[tag(column), UNEVEN], None);
                }
                texts.len()
            }
        };
        if count > 0 {
            take(&[tag(column), PRESENT], None);
        }
    }
}

/// The columns that [`each`] looks at.
pub(super) fn columns() -> Wanted {
    Wanted::of(PHYSICAL)
}

/// Up to so many items are compared each with each, which needs no memory.
const FEW: usize = 16;

fn has_twice<T: Eq + Hash>(items: &[T]) -> bool {
    if items.len() > FEW {
        let mut seen = HashSet::with_capacity(items.len());
        return !items.iter().all(|item| seen.insert(item));
    }
    let mut behind = items.iter();
    while let Some(item) = behind.next() {
        if behind.as_slice().contains(item) {
            return true;
        }
    }
    false
}

/// The bytes of both ends of a range, and which tree it belongs to.
fn ends(range: Range) -> ([u8; 16], [u8; 16], usize, usize) {
    let (mut low, mut high) = ([0; 16], [0; 16]);
    match range {
        Range::V4(a, b) => {
            low[..4].copy_from_slice(&a.to_be_bytes());
            high[..4].copy_from_slice(&b.to_be_bytes());
            (low, high, 4, 0)
        }
        Range::V6(a, b) => (a.to_be_bytes(), b.to_be_bytes(), 16, 1),
    }
}

fn stored(column: Column, range: Range, key: &mut Vec<u8>, take: &mut TakeKey<'_>) {
    let (low, high, length, tree) = ends(range);
    let mut summed: Option<([u8; 16], u8)> = None;
    stretches(
        &low[..length],
        &high[..length],
        0,
        &mut |prefix, from, to| {
            key.clear();
            key.extend([tag(column), NODE[tree], prefix.len() as u8]);
            key.extend_from_slice(prefix);
            take(key, Some((from, to)));
            let level = SUMMARY_LEVEL[tree];
            if let (Some(above), Some(digit)) = (prefix.get(..level), prefix.get(level)) {
                let mut place = [0; 16];
                place[..level].copy_from_slice(above);
                // The stretches of one range follow each other, so that doubles do, too.
                if summed != Some((place, *digit)) {
                    summed = Some((place, *digit));
                    key.clear();
                    key.extend([tag(column), SUMMARY[tree]]);
                    key.extend_from_slice(above);
                    take(key, Some((*digit, *digit)));
                }
            }
        },
    );
}

/// The stretches that make up a range, each with the prefix it hangs below. All bytes before `level` are equal.
fn stretches(low: &[u8], high: &[u8], level: usize, take: &mut dyn FnMut(&[u8], u8, u8)) {
    let (Some(&from), Some(&to)) = (low.get(level), high.get(level)) else {
        return;
    };
    let prefix = low.get(..level).unwrap_or_default();
    let whole_low = low.iter().skip(level + 1).all(|byte| *byte == 0);
    let whole_high = high.iter().skip(level + 1).all(|byte| *byte == 0xff);
    if from == to {
        if whole_low && whole_high {
            take(prefix, from, to);
        } else {
            stretches(low, high, level + 1, take);
        }
        return;
    }
    // Now `from < to`, so neither end can leave the byte's range.
    let (mut first, mut last) = (from, to);
    if !whole_low {
        let mut end = [0xff; 16];
        end[..=level].copy_from_slice(&low[..=level]);
        stretches(low, &end[..low.len()], level + 1, take);
        first += 1;
    }
    let mut rest = None;
    if !whole_high {
        let mut begin = [0; 16];
        begin[..=level].copy_from_slice(&high[..=level]);
        rest = Some(begin);
        last -= 1;
    }
    if first <= last {
        take(prefix, first, last);
    }
    if let Some(begin) = rest {
        stretches(&begin[..high.len()], high, level + 1, take);
    }
}

/// Where to look for ranges that overlap one: keys from a first to a last one, and which stretches count there.
#[derive(Debug)]
pub(super) struct Look {
    pub first: Vec<u8>,
    pub last: Vec<u8>,
    pub from: u8,
    pub to: u8,
}

pub(super) fn overlapping(column: Column, range: Range) -> Vec<Look> {
    let (low, high, length, tree) = ends(range);
    let mut looks = Vec::new();
    let node = |level: usize, prefix: &[u8]| {
        let mut key = vec![tag(column), NODE[tree], level as u8];
        key.extend_from_slice(prefix);
        key
    };
    let summary = |prefix: &[u8]| {
        let mut key = vec![tag(column), SUMMARY[tree]];
        key.extend_from_slice(prefix);
        key
    };
    // A prefix made as long as `level` asks for, with the smallest or largest bytes.
    let filled = |prefix: &[u8], digit: u8, level: usize, with: u8| {
        let mut bytes = prefix.to_vec();
        bytes.push(digit);
        bytes.resize(level, with);
        bytes
    };
    stretches(
        &low[..length],
        &high[..length],
        0,
        &mut |prefix, from, to| {
            let own = prefix.len();
            // Above: their stretch must hold our byte at that level.
            for (level, digit) in prefix.iter().enumerate() {
                let key = node(level, prefix.get(..level).unwrap_or_default());
                looks.push(Look {
                    first: key.clone(),
                    last: key,
                    from: *digit,
                    to: *digit,
                });
            }
            let key = node(own, prefix);
            looks.push(Look {
                first: key.clone(),
                last: key,
                from,
                to,
            });
            // Below: all of them. What lies below the summary's level is found there.
            let summed = SUMMARY_LEVEL[tree];
            let deepest = if own <= summed { summed } else { length - 1 };
            for level in own + 1..=deepest {
                looks.push(Look {
                    first: node(level, &filled(prefix, from, level, 0)),
                    last: node(level, &filled(prefix, to, level, 0xff)),
                    from: 0,
                    to: 0xff,
                });
            }
            if own < summed {
                looks.push(Look {
                    first: summary(&filled(prefix, from, summed, 0)),
                    last: summary(&filled(prefix, to, summed, 0xff)),
                    from: 0,
                    to: 0xff,
                });
            } else if own == summed {
                let key = summary(prefix);
                looks.push(Look {
                    first: key.clone(),
                    last: key,
                    from,
                    to,
                });
            }
        },
    );
    looks
}
