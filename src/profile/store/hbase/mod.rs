//! Measurements in HBase, through its Thrift 1 server, in the rows of Metron's profiler.
//!
//! A row holds one measurement: its key says salt, profile, entity, groups and period one behind the other, its one
//! cell (`family:value`) holds the value as Kryo writes it. What a row does not say is where the name of the profile
//! ends and how long its periods are; `scan.rs` says what can be told all the same.

mod address;
mod pool;
mod scan;
mod table;
mod wire;

pub use address::Address;
pub use table::{Health, Made};

use super::{Place, Query, Within, group_text, value};
use crate::config::Secretive;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::profile::row_key::row_key;
use crate::store::proceed;
use hbase_thrift::hbase::{BatchMutation, Mutation, THbaseSyncClient};
use parking_lot::Mutex;
use pool::Pool;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Rows that one call writes, and reads. More make nothing faster; fewer to read are shared by more connections.
const ROWS: usize = 1_000;
const READ: usize = 250;

/// Bytes of one call at most, unless a single row has more: servers with frames refuse more than 2 MiB.
const BYTES: usize = 1 << 20;

/// Connections that one write or one read may use at a time.
const LANES: usize = 4;

/// For how long reading and writing are tried again.
const READING: Duration = Duration::from_secs(5);
const WRITING: Duration = Duration::from_secs(3);

/// Beyond so many milliseconds a time to live means for ever; HBase would count over the end of its numbers.
const FOREVER: i64 = i64::MAX / 4;

/// A measurement as HBase keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The row.
    pub key: Vec<u8>,
    /// The bytes of the value.
    pub value: Vec<u8>,
    /// For how many milliseconds from now it is kept; `None`: for ever.
    pub lives: Option<i64>,
}

/// HBase behind its Thrift servers.
pub struct Hbase {
    pool: Pool,
    /// The length of periods in milliseconds that is configured: rows do not say it.
    duration: i64,
}

/// The column as Thrift names it.
fn column(place: &Place) -> Vec<u8> {
    format!("{}:value", place.family).into_bytes()
}

/// The key of a row. Errors: E0204 for a divisor of 0.
pub(super) fn key(
    place: &Place,
    profile: &str,
    entity: &str,
    groups: &str,
    period: i64,
) -> Outcome<Vec<u8>> {
    row_key(place.divisor, profile, entity, groups, period)
        .ok_or_else(|| Diagnostic::new(Code::ArgumentValue, "the salt divisor is 0"))
}

/// Runs `work` on every item, several at a time; the first error ends it.
fn in_lanes<I: Sync>(items: &[I], work: impl Fn(&I) -> Outcome<()> + Sync) -> Outcome<()> {
    let lanes = items.len().min(LANES);
    if lanes < 2 {
        return items.iter().try_for_each(work);
    }
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None::<Fault>));
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while failed.lock().is_none()
                    && let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if let Err(fault) = work(item) {
                        let _ = failed.lock().get_or_insert(fault);
                    }
                }
            });
        }
    });
    failed.into_inner().map_or(Ok(()), Err)
}

/// Cuts into pieces of so many items, and of so many bytes unless one has more, in order.
fn pieces<T>(items: &[T], most: usize, size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut found, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, item) in items.iter().enumerate() {
        let more = size(item);
        if at > from && (at - from == most || bytes + more > BYTES) {
            found.extend(items.get(from..at));
            (from, bytes) = (at, 0);
        }
        bytes += more;
    }
    if from < items.len() {
        found.extend(items.get(from..));
    }
    found
}

impl Hbase {
    /// The servers at an address; nothing is opened before it is used. Periods are taken to be of this length.
    pub fn new(address: &Secretive, duration: i64) -> Hbase {
        Hbase {
            pool: Pool::new(address),
            duration,
        }
    }

    /// Writes cells; of those with one key the last. A call that fails may have written some of them: writing them
    /// again writes the same cells.
    pub fn put(&self, place: &Place, cells: &[Cell], within: Within<'_>) -> Outcome<()> {
        // HBase gives two changes of one row in one call the same time, and does not say which of them wins.
        let mut last: HashMap<&[u8], usize> = HashMap::with_capacity(cells.len());
        for (at, cell) in cells.iter().enumerate() {
            last.insert(&cell.key, at);
        }
        // The time to live belongs to a call as a whole.
        let mut by_life: BTreeMap<Option<i64>, Vec<&Cell>> = BTreeMap::new();
        for (at, cell) in cells.iter().enumerate() {
            if last.get(cell.key.as_slice()) == Some(&at) {
                let lives = cell.lives.filter(|millis| *millis < FOREVER);
                by_life
                    .entry(lives.map(|millis| millis.max(1)))
                    .or_default()
                    .push(cell);
            }
        }
        let column = column(place);
        let mut calls = Vec::new();
        for (lives, cells) in &mut by_life {
            // Neighbours of the table go together.
            cells.sort_by(|a, b| a.key.cmp(&b.key));
            let size = |cell: &&Cell| cell.key.len() + cell.value.len() + 64;
            calls.extend(
                pieces(cells, ROWS, size)
                    .into_iter()
                    .map(|piece| (*lives, piece)),
            );
        }
        in_lanes(&calls, |(lives, piece)| {
            let attributes: BTreeMap<Vec<u8>, Vec<u8>> = lives
                .iter()
                .map(|millis| (b"_ttl".to_vec(), millis.to_be_bytes().to_vec()))
                .collect();
            let change = |value: &[u8]| Mutation::new(false, column.clone(), value.to_vec(), None);
            self.pool.call(within, WRITING, |client| {
                let rows = piece
                    .iter()
                    .map(|cell| BatchMutation::new(cell.key.clone(), vec![change(&cell.value)]));
                client.mutate_rows(
                    place.table.as_bytes().to_vec(),
                    rows.collect(),
                    attributes.clone(),
                )
            })
        })
    }

    /// The bytes of those rows that are there, by key.
    fn cells(
        &self,
        place: &Place,
        keys: &[Vec<u8>],
        within: Within<'_>,
    ) -> Outcome<HashMap<Vec<u8>, Vec<u8>>> {
        let column = column(place);
        let found = Mutex::new(HashMap::with_capacity(keys.len()));
        in_lanes(&pieces(keys, READ, Vec::len), |piece| {
            let rows = self.pool.call(within, READING, |client| {
                client.get_rows_with_columns(
                    place.table.as_bytes().to_vec(),
                    piece.to_vec(),
                    vec![column.clone()],
                    BTreeMap::new(),
                )
            })?;
            // Rows that are not there are left out, so that only the key says which is which.
            let mut found = found.lock();
            for row in rows {
                let cell = row.columns.and_then(|mut columns| columns.remove(&column));
                if let (Some(key), Some(value)) = (row.row, cell.and_then(|cell| cell.value)) {
                    found.insert(key, value);
                }
            }
            Ok(())
        })?;
        Ok(found.into_inner())
    }

    /// The value of every period of a query, in its order; `newer` may know better what a row holds: `Some(None)` says
    /// nothing.
    pub(super) fn read(
        &self,
        query: &Query,
        newer: &HashMap<Vec<u8>, Option<Vec<u8>>>,
        within: Within<'_>,
    ) -> Outcome<Vec<Option<Value>>> {
        proceed(within.deadline, within.cancel)?;
        let groups = group_text(&query.groups);
        let keys = query
            .periods
            .iter()
            .map(|period| {
                key(
                    &query.place,
                    &query.profile,
                    &query.entity,
                    &groups,
                    period.number,
                )
            })
            .collect::<Outcome<Vec<_>>>()?;
        let mut wanted: Vec<Vec<u8>> = keys.clone();
        wanted.sort_unstable();
        wanted.dedup();
        let found = self.cells(&query.place, &wanted, within)?;
        let answer = query.periods.iter().zip(&keys).map(|(period, key)| {
            let bytes = match newer.get(key) {
                Some(newer) => newer.as_ref(),
                None => found.get(key),
            };
            bytes
                .map(|bytes| value(bytes, query, period.number))
                .transpose()
        });
        answer.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pieces_keep_the_order_and_the_limits() {
        let items: Vec<usize> = (0..2_500).collect();
        let lengths = |size: usize| {
            pieces(&items, 1_000, |_| size)
                .iter()
                .map(|p| p.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(lengths(1), [1_000, 1_000, 500]);
        assert_eq!(lengths(BYTES / 2).len(), 1_250);
        assert_eq!(lengths(BYTES + 1).len(), 2_500);
        assert_eq!(pieces(&items, 1_000, |_| BYTES / 700).concat(), items);
        assert!(pieces(&items[..0], 1_000, |_| 1).is_empty());
    }

    #[test]
    fn lanes_do_all_or_say_what_failed() {
        let items: Vec<usize> = (0..100).collect();
        let sum = AtomicUsize::new(0);
        in_lanes(&items, |n| {
            sum.fetch_add(*n, Ordering::Relaxed);
            Ok(())
        })
        .unwrap();
        assert_eq!(sum.into_inner(), 4950);
        let fault = in_lanes(&items, |n| match n {
            50 => Err(Diagnostic::new(Code::ServerFailed, "fifty")),
            _ => Ok(()),
        });
        assert_eq!(fault.unwrap_err().message, "fifty");
    }
}
