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

/// The chunks of a block.
const CHUNKS: i64 = BLOCK / CHUNK;

pub(super) fn which(column: Column) -> usize {
    match column {
        Column::StorageTime => STORAGE,
        _ => DETECT,
    }
}

/// Called with block, key and data of a posting.
type TakePosting<'t> = dyn FnMut(i64, &[u8], &[u8]) -> Outcome<()> + 't;

/// Called with the number of a chunk, its lowest and highest times, and a set's bits there.
type TakeBound<'t> = dyn FnMut(i64, [i64; 2], [i64; 2], &mut [u64; 2]) -> Outcome<()> + 't;

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
        take: &mut TakePosting<'_>,
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
                        None => {
                            set.0.clear();
                            return Ok(());
                        }
                    },
                }
            }
        }
        let mut look = self
            .conn
            .prepare_cached("SELECT times FROM event_time WHERE chunk = ?1")?;
        self.each_bound(set, &mut |chunk, lows, highs, bits| {
            let outside = (0..2).any(|which| {
                let (first, last) = allowed[which];
                lows[which] > last || highs[which] < first
            });
            let inside = (0..2).all(|which| {
                let (first, last) = allowed[which];
                lows[which] >= first && highs[which] <= last
            });
            if outside {
                *bits = [0; 2];
            } else if !inside {
                let mut rows = look.query([chunk])?;
                let found = rows.next()?.ok_or_else(damaged)?;
                let times = found.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
                let mut kept = [0; 2];
                for position in chunk_positions(bits) {
                    let within = (0..2).all(|which| {
                        let (first, last) = allowed[which];
                        time_in(times, position, which)
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

    /// Calls `take` with the chunks of a set that hold anything, their bounds, and the set's bits there, which may be
    /// changed.
    fn each_bound(&self, set: &mut Set, take: &mut TakeBound<'_>) -> Outcome<()> {
        const COLUMNS: &str =
            "SELECT chunk, detect_low, storage_low, detect_high, storage_high FROM event_bound";
        let mut take = |row: &rusqlite::Row<'_>, block: i64, bits: &mut Bits| -> Outcome<()> {
            let chunk: i64 = row.get(0)?;
            let index = usize::try_from(chunk - block * CHUNKS).unwrap_or(usize::MAX);
            let (words, _) = bits.as_chunks_mut::<2>();
            match words.get_mut(index).filter(|words| **words != [0; 2]) {
                Some(words) => {
                    let lows = [row.get(1)?, row.get(2)?];
                    take(chunk, lows, [row.get(3)?, row.get(4)?], words)
                }
                None => Ok(()),
            }
        };
        // One walk over all is cheaper than a look for each block, unless there are few.
        if set.0.len() as i64 * 4 > self.segments * SEGMENT / BLOCK {
            let mut statement = self
                .conn
                .prepare_cached(&format!("{COLUMNS} ORDER BY chunk"))?;
            let mut rows = statement.query([])?;
            let mut blocks = set.0.iter_mut().peekable();
            while let Some(row) = rows.next()? {
                let block = row.get::<_, i64>(0)?.div_euclid(CHUNKS);
                while blocks.next_if(|(next, _)| **next < block).is_some() {}
                if let Some((next, bits)) = blocks.peek_mut()
                    && **next == block
                {
                    take(row, block, bits)?;
                }
            }
            return Ok(());
        }
        let sql = format!("{COLUMNS} WHERE chunk BETWEEN ?1 AND ?2");
        let mut statement = self.conn.prepare_cached(&sql)?;
        for (block, bits) in &mut set.0 {
            let first = block * CHUNKS;
            let mut rows = statement.query([first, first + CHUNKS - 1])?;
            while let Some(row) = rows.next()? {
                take(row, *block, bits)?;
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
        let mut look = self
            .conn
            .prepare_cached("SELECT times FROM event_time WHERE chunk = ?1")?;
        for (block, bits) in &set.0 {
            for (chunk, words) in (block * CHUNKS..).zip(bits.as_chunks::<2>().0) {
                if *words == [0; 2] {
                    continue;
                }
                let mut rows = look.query([chunk])?;
                let found = rows.next()?.ok_or_else(damaged)?;
                let times = found.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
                for position in chunk_positions(words) {
                    let time = time_in(times, position, which).ok_or_else(damaged)?;
                    take(chunk * CHUNK + i64::from(position), time);
                }
            }
        }
        Ok(())
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
        // When most of them are wanted, all are sorted.
        let most = limit.map(|limit| offset.saturating_add(limit) as u64);
        let partly = most.is_some_and(|most| set.count() / 2 > most);
        let mut found: Vec<(i64, i64)> = match limit.filter(|_| partly) {
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
            (DETECT, true) => {
                "SELECT chunk, detect_high FROM event_bound ORDER BY detect_high DESC"
            }
            (DETECT, false) => "SELECT chunk, detect_low FROM event_bound ORDER BY detect_low",
            (_, true) => "SELECT chunk, storage_high FROM event_bound ORDER BY storage_high DESC",
            (_, false) => "SELECT chunk, storage_low FROM event_bound ORDER BY storage_low",
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
            let block = number.div_euclid(CHUNKS);
            let index = number.rem_euclid(CHUNKS) as usize;
            let words = set
                .0
                .get(&block)
                .and_then(|bits| bits.as_chunks::<2>().0.get(index));
            let Some(words) = words.filter(|words| **words != [0; 2]) else {
                continue;
            };
            let mut found = look.query([number])?;
            let Some(found) = found.next()? else { continue };
            let times = found.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            for position in chunk_positions(words) {
                let time = time_in(times, position, which).ok_or_else(damaged)?;
                let entry = (sign(time), sign(number * CHUNK + i64::from(position)));
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

/// One of the two times of an event among those of its chunk.
fn time_in(times: &[u8], position: u16, which: usize) -> Option<i64> {
    let at = usize::from(position) * TIMES + which * 8;
    Some(i64::from_le_bytes(*times.get(at..)?.first_chunk()?))
}

/// The positions of the bits that are set.
fn chunk_positions(words: &[u64; 2]) -> impl Iterator<Item = u16> + use<> {
    let mut bits = NONE;
    bits[0] = words[0];
    bits[1] = words[1];
    let all: smallvec::SmallVec<[u16; 128]> = bits::positions(&bits).collect();
    all.into_iter()
}
