//! The thresholding cache and the events that were held back.

use super::codec::Wanted;
use super::find::Reader;
use super::write::number_of;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::event::Column;
use crate::event::store::{Relapsed, Threshold, Thresholded};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn threshold(row: &Row<'_>) -> rusqlite::Result<Threshold> {
    Ok(Threshold {
        id: row.get(0)?,
        thresholdtime: row.get(1)?,
        relapsetime: row.get(2)?,
        ttltime: row.get(3)?,
    })
}

const THRESHOLD: &str = "SELECT id, thresholdtime, relapsetime, ttltime FROM event_threshold";

pub(super) fn check(conn: &Connection, key: &str, ttl: i64) -> Outcome<Option<Threshold>> {
    let mut statement =
        conn.prepare_cached(&format!("{THRESHOLD} WHERE id = ?1 AND ttltime >= ?2"))?;
    Ok(statement
        .query_row(params![key, ttl], threshold)
        .optional()?)
}

pub(super) fn all(conn: &Connection) -> Outcome<Vec<Threshold>> {
    let mut statement = conn.prepare_cached(&format!("{THRESHOLD} ORDER BY id"))?;
    Ok(statement
        .query_map([], threshold)?
        .collect::<Result<_, _>>()?)
}

pub(super) fn set(conn: &Connection, threshold: &Threshold) -> Outcome<()> {
    no_nul("the key of a threshold", &threshold.id)?;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO event_threshold (id, thresholdtime, relapsetime, ttltime) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        threshold.id,
        threshold.thresholdtime,
        threshold.relapsetime,
        threshold.ttltime
    ])?;
    Ok(())
}

/// Notes an event that was held back; false when it is noted already.
pub(super) fn note(conn: &Connection, one: &Thresholded) -> Outcome<bool> {
    for (what, text) in [
        ("the identifier of an event", &one.eventid),
        ("the key of a threshold", &one.keyid),
        ("the name of a group", &one.groupname),
        ("a severity", &one.eventseverity),
    ] {
        no_nul(what, text)?;
    }
    let stored = conn
        .prepare_cached(
            "INSERT INTO event_thresholded (eventid, keyid, groupname, eventseverity, createtime)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            one.eventid,
            one.keyid,
            one.groupname,
            one.eventseverity,
            one.createtime
        ])?;
    Ok(stored > 0)
}

pub(super) fn save(conn: &Connection, one: &Thresholded) -> Outcome<()> {
    if !note(conn, one)? {
        return Err(Diagnostic::new(
            Code::EventIntegrity,
            format!(
                "event {:?} is noted for the threshold {:?} already",
                one.eventid, one.keyid
            ),
        ));
    }
    Ok(())
}

fn no_nul(what: &str, text: &str) -> Outcome<()> {
    match text.contains('\0') {
        true => Err(Diagnostic::new(
            Code::EventData,
            format!("{what} holds a NUL character: {text:?}"),
        )),
        false => Ok(()),
    }
}

/// Removes notes without a threshold, and those from before its relapse part.
pub(super) fn clean(conn: &Connection) -> Outcome<u64> {
    let removed = conn.execute(
        "DELETE FROM event_thresholded WHERE NOT EXISTS (
             SELECT 1 FROM event_threshold t
             WHERE t.id = event_thresholded.keyid AND event_thresholded.createtime >= t.relapsetime)",
        [],
    )?;
    Ok(removed as u64)
}

pub(super) fn relapsed(
    reader: &Reader<'_>,
    (group, severity, ttl): (&str, &str, i64),
    columns: &[Column],
) -> Outcome<Vec<Relapsed>> {
    let mut statement = reader.conn.prepare_cached(
        "SELECT n.eventid, n.keyid FROM event_thresholded n JOIN event_threshold t ON t.id = n.keyid
         WHERE n.groupname = ?1 AND n.eventseverity = ?2 AND n.createtime >= t.relapsetime AND t.ttltime <= ?3",
    )?;
    let rows = statement.query_map(params![group, severity, ttl], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let (event, key) = row?;
        keys.entry(event).or_default().insert(key);
    }
    let mut found = Vec::new();
    for (event, keys) in keys {
        // An event may have been deleted since.
        if let Some(number) = number_of(reader.conn, &event)? {
            found.push((number, keys));
        }
    }
    found.sort_unstable();
    let columns: Arc<[Column]> = columns.into();
    let wanted = Wanted::of(&columns);
    let relapsed = found.into_iter().map(|(number, keys)| {
        let record = crate::event::Record {
            columns: columns.clone(),
            row: reader.row(number, wanted)?,
        };
        Ok(Relapsed {
            record,
            keys: keys.into_iter().collect(),
        })
    });
    relapsed.collect()
}
