//! Which events a query means, and in what order.

use super::bits::{self, BLOCK, Bits, NONE, Set};
use super::codec::{Wanted, damaged, decode, unpack};
use super::keys::{self, Look};
use super::write::{CHUNK, SEGMENT, TIMES};
use crate::diagnostic::Outcome;
use crate::event::query::{Bound, Condition, Order, Query, Test};
use crate::event::{Column, Record, Row};
use rusqlite::{Connection, params};
use std::collections::BinaryHeap;
use std::sync::Arc;

/// The detection time among the two times of an event.
pub(super) const DETECT: usize = 0;
/// The storage time among them.
pub(super) const STORAGE: usize = 1;

/// So many events are sorted at once rather than found in the order of time.
const FEW: u64 = 2000;

pub(super) fn which(column: Column) -> usize {
    match column {
        Column::StorageTime => STORAGE,
        _ => DETECT,
    }
}

/// Reads events.
pub(super) struct Reader<'c> {
    pub(super) conn: &'c Connection,
    /// The number of segments.
    segments: i64,
}

impl<'c> Reader<'c> {
    pub(super) fn new(conn: &'c Connection) -> Outcome<Reader<'c>> {
        let last: i64 = conn
            .prepare_cached("SELECT coalesce(max(seq), -1) FROM event_row")?
            .query_row([], |row| row.get(0))?;
        Ok(Reader {
            conn,
            segments: last.div_euclid(SEGMENT) + 1,
        })
    }

    /// All events.
    pub(super) fn live(&self) -> Outcome<Set> {
        self.posting(keys::LIVE)
    }

    /// The events of one key that is no node.
    pub(super) fn posting(&self, key: &[u8]) -> Outcome<Set> {
        let mut set = Set::default();
        self.add_posting(key, &mut set)?;
        Ok(set)
    }

    fn add_posting(&self, key: &[u8], set: &mut Set) -> Outcome<()> {
        self.postings(key, key, &mut |block, _, data| {
            let mut found = NONE;
            bits::read_posting(data, &mut found);
            set.add(block, &found);
            Ok(())
        })
    }

    /// Calls `take` with block, key and data of all postings from a first to a last key.
    pub(super) fn postings(
        &self,
        first: &[u8],
        last: &[u8],
        take: &mut dyn FnMut(i64, &[u8], &[u8]) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT block, key, data FROM event_posting WHERE segment = ?1 AND key BETWEEN ?2 AND ?3",
        )?;
        for segment in 0..self.segments {
            let mut rows = statement.query(params![segment, first, last])?;
            while let Some(row) = rows.next()? {
                let blob =
                    |index| -> rusqlite::Result<&[u8]> { Ok(row.get_ref(index)?.as_blob()?) };
                take(row.get(0)?, blob(1)?, blob(2)?)?;
            }
        }
        Ok(())
    }

    fn add_nodes(&self, look: &Look, set: &mut Set) -> Outcome<()> {
        self.postings(&look.first, &look.last, &mut |block, _, data| {
            let mut found = NONE;
            let (entries, _) = data.as_chunks::<4>();
            for [low, high, from, to] in entries {
                if *from <= look.to && look.from <= *to {
                    bits::set_bit(&mut found, u16::from_le_bytes([*low, *high]));
                }
            }
            if !bits::is_empty(&found) {
                set.add(block, &found);
            }
            Ok(())
        })
    }

    /// The events that a query means, whatever its order and limit.
    pub(super) fn matching(&self, conditions: &[Condition]) -> Outcome<Set> {
        let mut found: Option<Set> = None;
        let mut excluded = Vec::new();
        let mut times = Vec::new();
        for condition in conditions {
            if let Condition::Time { column, bound, at } = condition {
                times.push((which(*column), *bound, *at));
                continue;
            }
            let (set, not) = self.fulfilling(condition)?;
            if not {
                excluded.push(set);
                continue;
            }
            found = Some(match found {
                None => set,
                Some(mut found) => {
                    found.keep(&set);
                    found
                }
            });
            if found.as_ref().is_some_and(Set::is_empty) {
                return Ok(Set::default());
            }
        }
        let mut found = match found {
            Some(found) => found,
            None => self.live()?,
        };
        excluded.iter().for_each(|set| found.drop(set));
        if !times.is_empty() {
            self.keep_times(&mut found, &times)?;
        }
        Ok(found)
    }

    /// The events that fulfil a condition, or (with true) those that do not.
    fn fulfilling(&self, condition: &Condition) -> Outcome<(Set, bool)> {
        let mut set = Set::default();
        match condition {
            // Times are looked at after all others.
            Condition::Time { .. } => {}
            Condition::Addresses { columns, wanted } => {
                for range in Query::ranges(wanted)? {
                    for column in *columns {
                        for look in keys::overlapping(*column, range) {
                            self.add_nodes(&look, &mut set)?;
                        }
                    }
                }
            }
            Condition::Ports { columns, wanted } => {
                for port in wanted {
                    for column in *columns {
                        self.add_posting(&keys::port(*column, *port), &mut set)?;
                    }
                }
            }
            Condition::Texts { columns, test, not } => {
                match test {
                    Test::Among(texts) => {
                        for column in *columns {
                            for text in texts {
                                self.add_posting(&keys::text(*column, text), &mut set)?;
                            }
                        }
                    }
                    Test::Any => {
                        for column in *columns {
                            self.add_posting(&keys::present(*column), &mut set)?;
                        }
                    }
                    Test::Empty => {
                        // One of them is empty unless all have something.
                        for (index, column) in columns.iter().enumerate() {
                            let present = self.posting(&keys::present(*column))?;
                            match index {
                                0 => set = present,
                                _ => set.keep(&present),
                            }
                        }
                        return Ok((set, !*not));
                    }
                }
                return Ok((set, *not));
            }
            Condition::Text { column, test, not } => match test {
                Test::Among(texts) => {
                    for text in texts {
                        self.add_posting(&keys::text(*column, text), &mut set)?;
                    }
                    if *not {
                        // Null is neither among them nor not.
                        let mut others = self.posting(&keys::present(*column))?;
                        others.drop(&set);
                        set = others;
                    }
                }
                Test::Any | Test::Empty => {
                    set = self.posting(&keys::present(*column))?;
                    set.drop(&self.posting(&keys::text(*column, ""))?);
                    return Ok((set, *not != (*test == Test::Empty)));
                }
            },
            Condition::Description(text) => {
                self.add_posting(&keys::text(Column::Description, text), &mut set)?;
            }
        }
        Ok((set, false))
    }

    /// Drops events whose times are not within the bounds.
    fn keep_times(&self, set: &mut Set, bounds: &[(usize, Bound, i64)]) -> Outcome<()> {
        // The earliest and the latest time that is allowed, both inclusive.
        let mut allowed = [(i64::MIN, i64::MAX); 2];
        for (which, bound, at) in bounds {
            if let Some((first, last)) = allowed.get_mut(*which) {
                match bound {
                    Bound::From => *first = (*first).max(*at),
                    Bound::To => *last = (*last).min(*at),
                    Bound::Before => match at.checked_sub(1) {
                        Some(before) => *last = (*last).min(before),
                        None => return Ok(set.0.clear()),
                    },
                }
            }
        }
        self.each_chunk(set, &mut |chunk, bits| {
            let outside = (0..2).any(|which| {
                let (first, last) = allowed[which];
                chunk.lows[which] > last || chunk.highs[which] < first
            });
            let inside = (0..2).all(|which| {
                let (first, last) = allowed[which];
                chunk.lows[which] >= first && chunk.highs[which] <= last
            });
            if outside {
                *bits = [0; 2];
            } else if !inside {
                let mut kept = [0; 2];
                for position in chunk_positions(bits) {
                    let within = (0..2).all(|which| {
                        let (first, last) = allowed[which];
                        chunk
                            .time(position, which)
                            .is_some_and(|time| (first..=last).contains(&time))
                    });
                    if within {
                        kept[usize::from(position >> 6)] |= 1 << (position & 63);
                    }
                }
                *bits = kept;
            }
            Ok(())
        })?;
        set.0.retain(|_, bits| !bits::is_empty(bits));
        Ok(())
    }

    /// Calls `take` with the chunks of a set that hold anything, and its bits there, which may be changed.
    pub(super) fn each_chunk(
        &self,
        set: &mut Set,
        take: &mut dyn FnMut(&Chunk<'_>, &mut [u64; 2]) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT detect_low, detect_high, storage_low, storage_high, times, chunk FROM event_time
             WHERE chunk BETWEEN ?1 AND ?2",
        )?;
        for (block, bits) in &mut set.0 {
            let first = block * BLOCK / CHUNK;
            let filled = |bits: &Bits, index: usize| {
                bits.as_chunks::<2>()
                    .0
                    .get(index)
                    .is_some_and(|words| *words != [0; 2])
            };
            let chunks = (BLOCK / CHUNK) as usize;
            let Some(low) = (0..chunks).find(|index| filled(bits, *index)) else {
                continue;
            };
            let high = (0..chunks)
                .rfind(|index| filled(bits, *index))
                .unwrap_or(low);
            let mut rows = statement.query([first + low as i64, first + high as i64])?;
            while let Some(row) = rows.next()? {
                let index = usize::try_from(row.get::<_, i64>(5)? - first).unwrap_or(usize::MAX);
                let (words, _) = bits.as_chunks_mut::<2>();
                let Some(words) = words.get_mut(index).filter(|words| **words != [0; 2]) else {
                    continue;
                };
                let chunk = Chunk {
                    first: (first + index as i64) * CHUNK,
                    lows: [row.get(0)?, row.get(2)?],
                    highs: [row.get(1)?, row.get(3)?],
                    times: row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?,
                };
                take(&chunk, words)?;
            }
        }
        Ok(())
    }

    /// Calls `take` with number and time of every event of a set, by number.
    pub(super) fn each_time(
        &self,
        set: &Set,
        column: Column,
        take: &mut dyn FnMut(i64, i64),
    ) -> Outcome<()> {
        let which = which(column);
        // Nothing is changed, but the walk over chunks could.
        self.each_chunk(&mut set.clone(), &mut |chunk, bits| {
            for position in chunk_positions(bits) {
                let time = chunk.time(position, which).ok_or_else(damaged)?;
                take(chunk.first + i64::from(position), time);
            }
            Ok(())
        })
    }

    /// The numbers of the events of a set in an order, without the first `offset`, at most `limit`.
    pub(super) fn sorted(
        &self,
        set: &Set,
        order: Order,
        offset: usize,
        limit: Option<usize>,
    ) -> Outcome<Vec<i64>> {
        let sign = |time: i64| if order.descending { !time } else { time };
        // `!` turns the order of numbers round, and among equal times that of the events.
        let few = set.count() <= FEW;
        let mut found: Vec<(i64, i64)> = match limit.filter(|_| !few) {
            None => {
                let mut all = Vec::new();
                self.each_time(set, order.column, &mut |number, time| {
                    all.push((sign(time), sign(number)));
                })?;
                all
            }
            Some(limit) => self.first(set, order, offset.saturating_add(limit))?,
        };
        found.sort_unstable();
        let numbers = found
            .into_iter()
            .skip(offset)
            .take(limit.unwrap_or(usize::MAX));
        Ok(numbers.map(|(_, number)| sign(number)).collect())
    }

    /// The first `most` events of a set in an order, as time and number (both with all bits turned round when the
    /// order is descending).
    fn first(&self, set: &Set, order: Order, most: usize) -> Outcome<Vec<(i64, i64)>> {
        if most == 0 || set.is_empty() {
            return Ok(Vec::new());
        }
        let which = which(order.column);
        let sign = |time: i64| if order.descending { !time } else { time };
        let sql = match (which, order.descending) {
            (DETECT, true) => "SELECT chunk, detect_high FROM event_time ORDER BY detect_high DESC",
            (DETECT, false) => "SELECT chunk, detect_low FROM event_time ORDER BY detect_low",
            (_, true) => "SELECT chunk, storage_high FROM event_time ORDER BY storage_high DESC",
            (_, false) => "SELECT chunk, storage_low FROM event_time ORDER BY storage_low",
        };
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut look = self
            .conn
            .prepare_cached("SELECT times FROM event_time WHERE chunk = ?1")?;
        let mut rows = statement.query([])?;
        // The worst of the best is on top.
        let mut best: BinaryHeap<(i64, i64)> = BinaryHeap::new();
        while let Some(row) = rows.next()? {
            let (number, end): (i64, i64) = (row.get(0)?, row.get(1)?);
            if best.len() >= most && best.peek().is_some_and(|(worst, _)| sign(end) > *worst) {
                break;
            }
            let block = number.div_euclid(BLOCK / CHUNK);
            let index = number.rem_euclid(BLOCK / CHUNK) as usize;
            let words = set
                .0
                .get(&block)
                .and_then(|bits| bits.as_chunks::<2>().0.get(index));
            let Some(words) = words.filter(|words| **words != [0; 2]) else {
                continue;
            };
            let mut found = look.query([number])?;
            let Some(found) = found.next()? else { continue };
            let chunk = Chunk {
                first: number * CHUNK,
                lows: [0; 2],
                highs: [0; 2],
                times: found.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?,
            };
            for position in chunk_positions(words) {
                let time = chunk.time(position, which).ok_or_else(damaged)?;
                let entry = (sign(time), sign(chunk.first + i64::from(position)));
                if best.len() < most {
                    best.push(entry);
                } else if let Some(mut worst) = best.peek_mut()
                    && entry < *worst
                {
                    *worst = entry;
                }
            }
        }
        Ok(best.into_vec())
    }

    /// The numbers of the events that a query gives, in its order.
    pub(super) fn numbers(&self, query: &Query) -> Outcome<Vec<i64>> {
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = query
            .limit
            .map(|limit| usize::try_from(limit).unwrap_or_default());
        let set = self.matching(&query.conditions)?;
        match query.order {
            Some(order) => self.sorted(&set, order, offset, limit),
            None => {
                let numbers = set.numbers().skip(offset);
                Ok(numbers.take(limit.unwrap_or(usize::MAX)).collect())
            }
        }
    }

    /// Columns of the event of a number.
    pub(super) fn record(&self, number: i64, columns: &Arc<[Column]>) -> Outcome<Record> {
        Ok(Record {
            row: self.row(number, Wanted::of(columns))?,
            columns: columns.clone(),
        })
    }

    /// Some columns of the event of a number.
    pub(super) fn row(&self, number: i64, wanted: Wanted) -> Outcome<Row> {
        let whole = wanted.has(Column::Event);
        let mut statement = self.conn.prepare_cached(match whole {
            true => "SELECT row, event FROM event_row WHERE seq = ?1",
            false => "SELECT row FROM event_row WHERE seq = ?1",
        })?;
        let mut rows = statement.query([number])?;
        let found = rows.next()?.ok_or_else(damaged)?;
        let bytes = found.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let mut row = decode(bytes, wanted)?;
        if whole {
            let event = found
                .get_ref(1)?
                .as_blob_or_null()
                .map_err(rusqlite::Error::from)?;
            row.event = event.map(unpack).transpose()?;
        }
        Ok(row)
    }

    /// The identifier of the event of a number.
    pub(super) fn id(&self, number: i64) -> Outcome<String> {
        Ok(self.row(number, Wanted::of(&[Column::Id]))?.id)
    }

    /// The earliest or latest time of all events.
    pub(super) fn extreme_time(&self, column: Column, latest: bool) -> Outcome<Option<i64>> {
        let order = Order {
            column,
            descending: latest,
        };
        let first = self.first(&self.live()?, order, 1)?;
        let sign = |time: i64| if latest { !time } else { time };
        Ok(first.first().map(|(time, _)| sign(*time)))
    }
}

/// The times of the events of a chunk.
pub(super) struct Chunk<'a> {
    /// The number of its first event.
    pub first: i64,
    lows: [i64; 2],
    highs: [i64; 2],
    times: &'a [u8],
}

impl Chunk<'_> {
    /// One of the two times of an event.
    pub(super) fn time(&self, position: u16, which: usize) -> Option<i64> {
        let at = usize::from(position) * TIMES + which * 8;
        Some(i64::from_le_bytes(*self.times.get(at..)?.first_chunk()?))
    }
}

/// The positions of the bits that are set.
pub(super) fn chunk_positions(words: &[u64; 2]) -> impl Iterator<Item = u16> + use<> {
    let mut bits = NONE;
    bits[0] = words[0];
    bits[1] = words[1];
    let all: smallvec::SmallVec<[u16; 128]> = bits::positions(&bits).collect();
    all.into_iter()
}
