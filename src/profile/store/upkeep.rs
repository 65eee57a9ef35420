//! Looking after the tables of the embedded file: what has expired, what is empty.

use crate::diagnostic::Outcome;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// How many rows one transaction removes at most when they have outlived their time.
const REMOVED: usize = 10_000;

/// Removes some of what has outlived its time, and series that are empty then.
pub(super) fn expire(conn: &Connection, now: i64) -> Outcome<usize> {
    let mut find =
        conn.prepare_cached("SELECT source, block FROM profile_block WHERE expires < ?1")?;
    let mut remove = conn.prepare_cached(
        "DELETE FROM profile_measurement WHERE source = ?1 AND block = ?2 AND (series, slot) IN
         (SELECT series, slot FROM profile_measurement WHERE source = ?1 AND block = ?2 AND expires < ?3 LIMIT ?4)
         RETURNING series",
    )?;
    let blocks = find
        .query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(i64, i64)>, _>>()?;
    let mut removed = 0;
    for (source, block) in blocks {
        let mut touched = BTreeSet::new();
        let rows = remove.query_map(params![source, block, now, REMOVED as i64], |row| {
            row.get(0)
        })?;
        for series in rows {
            touched.insert(series?);
            removed += 1;
        }
        shrink(conn, source, &touched)?;
        if removed >= REMOVED {
            break;
        }
        // The rest of the block lives on; without any it is forgotten.
        conn.prepare_cached(
            "UPDATE profile_block SET expires =
             (SELECT min(expires) FROM profile_measurement WHERE source = ?1 AND block = ?2)
             WHERE source = ?1 AND block = ?2",
        )?
        .execute([source, block])?;
        conn.prepare_cached(
            "DELETE FROM profile_block WHERE source = ?1 AND block = ?2
             AND NOT EXISTS (SELECT 1 FROM profile_measurement WHERE source = ?1 AND block = ?2)",
        )?
        .execute([source, block])?;
    }
    if removed > 0 {
        drop_sources(conn)?;
    }
    Ok(removed)
}

/// Lets series begin where their first measurement is now, and forgets those that have none.
pub(super) fn shrink(conn: &Connection, source: i64, touched: &BTreeSet<i64>) -> Outcome<()> {
    let mut begin = conn.prepare_cached(
        "SELECT b.block FROM profile_series s CROSS JOIN profile_block b
         WHERE s.id = ?2 AND b.source = ?1 AND b.block BETWEEN s.first AND s.last
         AND EXISTS (SELECT 1 FROM profile_measurement WHERE source = ?1 AND block = b.block AND series = ?2)
         ORDER BY b.block LIMIT 1",
    )?;
    let mut keep =
        conn.prepare_cached("UPDATE profile_series SET first = ?2 WHERE id = ?1 AND first < ?2")?;
    let mut forget = conn.prepare_cached("DELETE FROM profile_series WHERE id = ?1")?;
    for series in touched {
        let first: Option<i64> = begin
            .query_row([source, *series], |row| row.get(0))
            .optional()?;
        match first {
            Some(block) => keep.execute([*series, block])?,
            None => forget.execute([*series])?,
        };
    }
    Ok(())
}

/// Forgets sources without series.
pub(super) fn drop_sources(conn: &Connection) -> Outcome<()> {
    conn.execute_batch(
        "DELETE FROM profile_source
         WHERE NOT EXISTS (SELECT 1 FROM profile_series WHERE source = profile_source.id);
         DELETE FROM profile_block WHERE source NOT IN (SELECT id FROM profile_source)",
    )?;
    Ok(())
}
