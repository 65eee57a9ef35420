//! Putting events into the file and taking them out.

use super::bits::{self, BLOCK, Bits, NONE, Set};
use super::codec::{decode, encode, pack};
use super::find::{DETECT, Reader, STORAGE};
use super::keys;
use crate::diagnostic::Outcome;
use crate::event::store::Loaded;
use crate::event::{Column, Row};
use ahash::HashMap;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// How many events make a chunk of times.
pub(super) const CHUNK: i64 = 128;

/// How many events make a segment. What is written at one time then lies close together in the file, however many
/// events there are, and a search looks into each segment.
pub(super) const SEGMENT: i64 = 65_536;

/// The bytes of the two times of an event.
pub(super) const TIMES: usize = 16;

/// What of an identifier lies in the index.
pub(super) fn hash(id: &str) -> i64 {
    let digest = Sha256::digest(id.as_bytes());
    digest
        .first_chunk()
        .map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// The number of the event of an identifier.
pub(super) fn number_of(conn: &Connection, id: &str) -> Outcome<Option<i64>> {
    let mut statement = conn.prepare_cached("SELECT seq FROM event_id WHERE hash = ?1")?;
    let mut rows = statement.query([hash(id)])?;
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        if Reader::new(conn)?.id(number)? == id {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Says by an error that the work has to end.
pub(super) type Proceed<'p> = dyn Fn() -> Outcome<()> + 'p;

/// Stores rows; those that cannot be stored are left out.
pub(super) fn store(conn: &Connection, rows: &[Row], proceed: &Proceed<'_>) -> Outcome<Loaded> {
    let mut loaded = Loaded::default();
    let mut fresh: Vec<(i64, &Row)> = Vec::with_capacity(rows.len());
    let mut seen: HashMap<&str, &Row> = HashMap::default();
    for (index, row) in rows.iter().enumerate() {
        proceed()?;
        if let Err(fault) = row.storable() {
            loaded.refused.push((index, fault));
        } else if let Some(first) = seen.get(row.id.as_str()) {
            loaded.again(index, row, first.event.as_deref());
        } else if let Some(number) = number_of(conn, &row.id)? {
            let there = Reader::new(conn)?.record(number, &[Column::Event].into())?;
            loaded.again(index, row, there.row.event.as_deref());
        } else {
            seen.insert(&row.id, row);
            fresh.push((hash(&row.id), row));
        }
    }
    if fresh.is_empty() {
        return Ok(loaded);
    }
    let first: i64 = conn
        .prepare_cached("SELECT coalesce(max(seq) + 1, 0) FROM event_row")?
        .query_row([], |row| row.get(0))?;
    let mut put_row =
        conn.prepare_cached("INSERT INTO event_row (seq, row, event) VALUES (?1, ?2, ?3)")?;
    let mut ids = Vec::with_capacity(fresh.len());
    for (number, (hash, row)) in (first..).zip(&fresh) {
        proceed()?;
        let event = row.event.as_deref().map(pack).transpose()?;
        put_row.execute(params![number, encode(row), event])?;
        ids.push((*hash, number));
    }
    let rows: Vec<&Row> = fresh.into_iter().map(|(_, row)| row).collect();
    put_ids(conn, ids)?;
    put_times(conn, first, &rows)?;
    put_postings(conn, first, &rows, proceed)?;
    loaded.stored = rows.len() as u64;
    Ok(loaded)
}

/// Makes everything that leads to events for all rows that are there.
pub(super) fn index_all(conn: &Connection, proceed: &Proceed<'_>) -> Outcome<()> {
    let mut statement = conn.prepare("SELECT seq, row FROM event_row ORDER BY seq")?;
    let mut found = statement.query([])?;
    // Rows whose numbers follow each other without a gap.
    let mut first = 0;
    let mut rows: Vec<Row> = Vec::new();
    let put = |first: i64, rows: &mut Vec<Row>| -> Outcome<()> {
        let ids = (first..)
            .zip(rows.iter())
            .map(|(number, row)| (hash(&row.id), number));
        put_ids(conn, ids.collect())?;
        let all: Vec<&Row> = rows.iter().collect();
        put_times(conn, first, &all)?;
        put_postings(conn, first, &all, proceed)?;
        rows.clear();
        Ok(())
    };
    while let Some(row) = found.next()? {
        let number: i64 = row.get(0)?;
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if number != first + rows.len() as i64 || rows.len() as i64 >= SEGMENT {
            put(first, &mut rows)?;
            first = number;
        }
        rows.push(decode(bytes, keys::columns())?);
    }
    put(first, &mut rows)
}

fn put_ids(conn: &Connection, mut ids: Vec<(i64, i64)>) -> Outcome<()> {
    ids.sort_unstable();
    let mut put = conn.prepare_cached("INSERT INTO event_id (hash, seq) VALUES (?1, ?2)")?;
    for (hash, number) in ids {
        put.execute([hash, number])?;
    }
    Ok(())
}

/// Notes the times of rows whose numbers begin with `first`.
fn put_times(conn: &Connection, first: i64, rows: &[&Row]) -> Outcome<()> {
    let mut chunks: BTreeMap<i64, Vec<(usize, i64, i64)>> = BTreeMap::new();
    for (number, row) in (first..).zip(rows) {
        let times = (
            number.rem_euclid(CHUNK) as usize,
            row.detecttime,
            row.storagetime.unwrap_or_default(),
        );
        chunks
            .entry(number.div_euclid(CHUNK))
            .or_default()
            .push(times);
    }
    let mut bounds = conn.prepare_cached(
        "SELECT detect_low, detect_high, storage_low, storage_high FROM event_bound WHERE chunk = ?1",
    )?;
    let mut known = conn.prepare_cached("SELECT times FROM event_time WHERE chunk = ?1")?;
    let mut put_bounds = conn.prepare_cached(
        "INSERT OR REPLACE INTO event_bound (chunk, detect_low, detect_high, storage_low, storage_high)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut put =
        conn.prepare_cached("INSERT OR REPLACE INTO event_time (chunk, times) VALUES (?1, ?2)")?;
    for (chunk, times) in chunks {
        let found = bounds.query_row([chunk], |row| {
            Ok(([row.get(0)?, row.get(2)?], [row.get(1)?, row.get(3)?]))
        });
        let (mut lows, mut highs) = found.optional()?.unwrap_or(([i64::MAX; 2], [i64::MIN; 2]));
        let found = known.query_row([chunk], |row| row.get(0)).optional()?;
        let mut bytes: Vec<u8> = found.unwrap_or_default();
        for (position, detect, storage) in times {
            let at = position * TIMES;
            if bytes.len() < at + TIMES {
                bytes.resize(at + TIMES, 0);
            }
            for (which, time) in [(DETECT, detect), (STORAGE, storage)] {
                lows[which] = lows[which].min(time);
                highs[which] = highs[which].max(time);
                let at = at + which * 8;
                if let Some(place) = bytes.get_mut(at..at + 8) {
                    place.copy_from_slice(&time.to_le_bytes());
                }
            }
        }
        put.execute(params![chunk, bytes])?;
        put_bounds.execute(params![
            chunk,
            lows[DETECT],
            highs[DETECT],
            lows[STORAGE],
            highs[STORAGE]
        ])?;
    }
    Ok(())
}

/// Entries of one key: the position, and the stretch of a node above it.
type Entries = SmallVec<[u32; 4]>;

/// Whether a key is a node of a tree of addresses.
pub(super) fn is_node(key: &[u8]) -> bool {
    key.get(1).is_some_and(|mark| *mark > 3)
}

fn put_postings(
    conn: &Connection,
    first: i64,
    rows: &[&Row],
    proceed: &Proceed<'_>,
) -> Outcome<()> {
    let mut all: Vec<(i64, Box<[u8]>, Entries)> = Vec::new();
    let mut block = first.div_euclid(BLOCK);
    let mut of_block: HashMap<Box<[u8]>, Entries> = HashMap::default();
    let mut drain = |block: i64, of_block: &mut HashMap<Box<[u8]>, Entries>| {
        all.extend(of_block.drain().map(|(key, entries)| (block, key, entries)));
    };
    for (number, row) in (first..).zip(rows) {
        proceed()?;
        if number.div_euclid(BLOCK) != block {
            drain(block, &mut of_block);
            block = number.div_euclid(BLOCK);
        }
        let position = number.rem_euclid(BLOCK) as u32;
        keys::each(row, &mut |key, stretch| {
            let (from, to) = stretch.unwrap_or_default();
            let entry = position | u32::from(from) << 16 | u32::from(to) << 24;
            match of_block.get_mut(key) {
                Some(entries) => entries.push(entry),
                None => {
                    of_block.insert(key.into(), SmallVec::from_slice(&[entry]));
                }
            }
        });
    }
    drain(block, &mut of_block);
    // In the order of the table, so that the file is walked once.
    let segment = |block: i64| block.div_euclid(SEGMENT / BLOCK);
    all.sort_unstable_by(|a, b| (segment(a.0), &a.1, a.0).cmp(&(segment(b.0), &b.1, b.0)));
    let mut known = conn.prepare_cached(FIND)?;
    let mut put = conn.prepare_cached(
        "INSERT OR REPLACE INTO event_posting (segment, key, block, data) VALUES (?1, ?2, ?3, ?4)",
    )?;
    // Only the first block can hold events already.
    let begun = (first.rem_euclid(BLOCK) != 0).then(|| first.div_euclid(BLOCK));
    let mut data = Vec::new();
    for (block, key, entries) in all {
        proceed()?;
        let segment = segment(block);
        data.clear();
        if begun == Some(block) {
            let found: Option<Vec<u8>> = known
                .query_row(params![segment, key, block], |row| row.get(0))
                .optional()?;
            data = found.unwrap_or_default();
        }
        if is_node(&key) {
            data.extend(entries.iter().flat_map(|entry| entry.to_le_bytes()));
        } else {
            let mut bits = NONE;
            bits::read_posting(&data, &mut bits);
            entries
                .iter()
                .for_each(|entry| bits::set_bit(&mut bits, *entry as u16));
            data = bits::write_posting(&bits);
        }
        put.execute(params![segment, key, block, data])?;
    }
    Ok(())
}

const FIND: &str = "SELECT data FROM event_posting WHERE segment = ?1 AND key = ?2 AND block = ?3";

/// Removes events with everything that leads to them.
pub(super) fn remove(conn: &Connection, set: &Set) -> Outcome<u64> {
    let mut removed = 0;
    for (block, gone) in &set.0 {
        removed += remove_block(conn, *block, gone)?;
    }
    Ok(removed)
}

fn remove_block(conn: &Connection, block: i64, gone: &Bits) -> Outcome<u64> {
    let segment = block.div_euclid(SEGMENT / BLOCK);
    let mut touched: BTreeMap<Box<[u8]>, Bits> = BTreeMap::new();
    let mut look = conn.prepare_cached("SELECT row FROM event_row WHERE seq = ?1")?;
    let mut drop_row = conn.prepare_cached("DELETE FROM event_row WHERE seq = ?1")?;
    let mut drop_id = conn.prepare_cached("DELETE FROM event_id WHERE hash = ?1 AND seq = ?2")?;
    let mut removed = 0;
    for position in bits::positions(gone) {
        let number = block * BLOCK + i64::from(position);
        let row: Vec<u8> = look.query_row([number], |row| row.get(0))?;
        let row = decode(&row, keys::columns())?;
        keys::each(&row, &mut |key, _| match touched.get_mut(key) {
            Some(bits) => bits::set_bit(bits, position),
            None => {
                let mut bits = NONE;
                bits::set_bit(&mut bits, position);
                touched.insert(key.into(), bits);
            }
        });
        drop_id.execute([hash(&row.id), number])?;
        removed += drop_row.execute([number])? as u64;
    }
    let mut find = conn.prepare_cached(FIND)?;
    let mut put = conn.prepare_cached(
        "UPDATE event_posting SET data = ?4 WHERE segment = ?1 AND key = ?2 AND block = ?3",
    )?;
    let mut forget = conn.prepare_cached(
        "DELETE FROM event_posting WHERE segment = ?1 AND key = ?2 AND block = ?3",
    )?;
    let mut live = NONE;
    for (key, gone) in touched {
        let data: Vec<u8> = find.query_row(params![segment, key, block], |row| row.get(0))?;
        let left = if is_node(&key) {
            let (entries, _) = data.as_chunks::<4>();
            let kept =
                |entry: &&[u8; 4]| !bits::has_bit(&gone, u16::from_le_bytes([entry[0], entry[1]]));
            entries.iter().filter(kept).flatten().copied().collect()
        } else {
            let mut bits = NONE;
            bits::read_posting(&data, &mut bits);
            let left = bits::without(&bits, &gone);
            if *key == *keys::LIVE {
                live = left;
            }
            bits::write_posting(&left)
        };
        if left.is_empty() {
            forget.execute(params![segment, key, block])?;
        } else {
            put.execute(params![segment, key, block, left])?;
        }
    }
    // Chunks of which nothing lives; the bounds of the others stay wide, which costs only time.
    let mut drop_times = conn.prepare_cached("DELETE FROM event_time WHERE chunk = ?1")?;
    let mut drop_bounds = conn.prepare_cached("DELETE FROM event_bound WHERE chunk = ?1")?;
    let words = (CHUNK / 64) as usize;
    for (chunk, words) in (block * BLOCK / CHUNK..).zip(live.chunks(words)) {
        if words.iter().all(|word| *word == 0) {
            drop_times.execute([chunk])?;
            drop_bounds.execute([chunk])?;
        }
    }
    Ok(removed)
}

/// Removes all events.
pub(super) fn remove_all(conn: &Connection) -> Outcome<()> {
    Ok(conn.execute_batch(
        "DELETE FROM event_row; DELETE FROM event_id; DELETE FROM event_time; DELETE FROM event_bound;
         DELETE FROM event_posting",
    )?)
}
