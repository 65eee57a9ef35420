//! Entries in the embedded file.
//!
//! An entry lies by the number of its collection and the hash of its key. What is over is not seen any more, and goes
//! bit by bit: each write looks at a few entries behind those that the last one looked at.

use super::{About, Base, CollectionStore, Entry, Found, Key, Within, Written};
use crate::collect::key::text_of;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::{Room, Store};
use rusqlite::{Connection, OptionalExtension, params};
use smol_str::SmolStr;
use std::collections::HashMap;

/// Where collections lie in the embedded file.
pub static COLLECT: Room = Room {
    name: "collect",
    migrations: &["
        CREATE TABLE collect_collection (
            id INTEGER PRIMARY KEY, base TEXT NOT NULL UNIQUE, about TEXT, swept BLOB NOT NULL) STRICT;
        CREATE TABLE collect_entry (
            collection INTEGER NOT NULL, hash BLOB NOT NULL, date INTEGER NOT NULL, expires INTEGER NOT NULL,
            fields BLOB, PRIMARY KEY (collection, hash)) STRICT, WITHOUT ROWID"],
    expire: Some(expire),
};

/// Keys that are looked at together.
const CHUNK: usize = 1000;

/// How many entries are looked at for each one that is written, to see whether their time is over.
const SWEEP: usize = 2;

/// How many rows one step of an upkeep removes.
const STEP: usize = 10_000;

/// Collections in the embedded file.
pub struct Embedded(Store);

impl Embedded {
    /// Collections in this file, which must know the room [`COLLECT`].
    pub fn new(store: &Store) -> Embedded {
        Embedded(store.clone())
    }

    fn look<T>(
        &self,
        within: Within<'_>,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        self.0
            .read_within(&COLLECT, within.deadline, within.cancel, work)
    }

    fn change<T: Send + 'static>(
        &self,
        within: Within<'_>,
        work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        self.0.write(&COLLECT, within.deadline, within.cancel, work)
    }
}

/// An entry as it goes into the file.
struct Row {
    /// The number of its base in a list.
    base: usize,
    hash: [u8; 16],
    date: i64,
    expires: i64,
    fields: Option<Vec<u8>>,
}

impl CollectionStore for Embedded {
    fn place(&self) -> String {
        format!("the embedded file {}", self.0.path().display())
    }

    fn describe(&self, about: &About, within: Within<'_>) -> Outcome<()> {
        let (base, json) = (about.base(), about.json().to_string());
        self.change(within, move |conn| {
            let id = made(conn, base.as_str())?;
            conn.execute(
                "UPDATE collect_collection SET about = ?2 WHERE id = ?1",
                params![id, json],
            )?;
            Ok(())
        })
    }

    fn about(&self, base: &Base, within: Within<'_>) -> Outcome<Option<About>> {
        let sql = "SELECT about FROM collect_collection WHERE base = ?1 AND about IS NOT NULL";
        let json: Option<String> = self.look(within, |conn| {
            let mut statement = conn.prepare_cached(sql)?;
            let found = statement.query_row([base.as_str()], |row| row.get(0));
            Ok(found.optional()?)
        })?;
        json.map(|json| About::read(&json)).transpose()
    }

    fn list(&self, within: Within<'_>) -> Outcome<Vec<About>> {
        let sql = "SELECT about FROM collect_collection WHERE about IS NOT NULL";
        let all: Vec<String> = self.look(within, |conn| {
            let mut statement = conn.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        let all: Outcome<Vec<About>> = all.iter().map(|json| About::read(json)).collect();
        let mut all = all?;
        all.sort_by(|a, b| (&a.domain, &a.name).cmp(&(&b.domain, &b.name)));
        Ok(all)
    }

    fn put(&self, entries: &[Entry], within: Within<'_>) -> Outcome<Written> {
        let now = within.now;
        let mut written = Written::default();
        let mut bases: Vec<Base> = Vec::new();
        let mut known: HashMap<&Base, usize> = HashMap::new();
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.expires <= now {
                written.expired += 1;
                continue;
            }
            let base = *known.entry(&entry.key.base).or_insert_with(|| {
                bases.push(entry.key.base.clone());
                bases.len() - 1
            });
            rows.push(Row {
                base,
                hash: entry.key.hash,
                date: entry.date,
                expires: entry.expires,
                fields: packed(entry)?,
            });
        }
        if rows.is_empty() {
            return Ok(written);
        }
        // In the order of the file it is walked once; of equal keys and dates the last stays the last.
        rows.sort_by_key(|row| (row.base, row.hash));
        let (stored, older) = self.change(within, move |conn| {
            let mut counts = (0, 0);
            for rows in rows.chunk_by(|a, b| a.base == b.base) {
                let base = rows.first().and_then(|row| bases.get(row.base));
                let Some(base) = base else { continue };
                let id = made(conn, base.as_str())?;
                let (stored, older) = put(conn, id, rows, now)?;
                counts = (counts.0 + stored, counts.1 + older);
                sweep(conn, id, rows.len().saturating_mul(SWEEP), now)?;
            }
            Ok(counts)
        })?;
        written.stored += stored;
        written.older += older;
        Ok(written)
    }

    fn has(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<i64>>> {
        let sql = "SELECT expires FROM collect_entry WHERE collection = ?1 AND hash = ?2 AND expires > ?3";
        self.each(keys, within, sql, |row| row.get(0))
    }

    fn get(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<Found>>> {
        let sql = "SELECT date, expires, fields FROM collect_entry
                   WHERE collection = ?1 AND hash = ?2 AND expires > ?3";
        let found = self.each(keys, within, sql, |row| {
            let fields: Option<Vec<u8>> = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, fields))
        })?;
        let found = found.into_iter().map(|found| {
            let Some((date, expires, fields)) = found else {
                return Ok(None);
            };
            let fields = fields.as_deref().map(unpacked).transpose()?;
            Ok(Some(Found {
                date,
                expires: Some(expires),
                fields,
            }))
        });
        found.collect()
    }

    fn count(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        let sql = "SELECT count(*) FROM collect_entry WHERE expires > ?2
                   AND collection = (SELECT id FROM collect_collection WHERE base = ?1)";
        let count: i64 = self.look(within, |conn| {
            Ok(conn.query_row(sql, params![base.as_str(), within.now], |row| row.get(0))?)
        })?;
        Ok(count.unsigned_abs())
    }

    fn remove(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        // Without a collection there is nothing to remove, and removing must not make a file.
        if self
            .look(within, |conn| number(conn, base.as_str()))?
            .is_none()
        {
            return Ok(0);
        }
        let now = within.now;
        let base = base.clone();
        let count: i64 = self.change(within, move |conn| {
            let Some(id) = number(conn, base.as_str())? else {
                return Ok(0);
            };
            let sql = "SELECT count(*) FROM collect_entry WHERE collection = ?1 AND expires > ?2";
            let count = conn.query_row(sql, [id, now], |row| row.get(0))?;
            conn.execute("DELETE FROM collect_entry WHERE collection = ?1", [id])?;
            conn.execute("DELETE FROM collect_collection WHERE id = ?1", [id])?;
            Ok(count)
        })?;
        Ok(count.unsigned_abs())
    }

    fn now(&self, within: Within<'_>) -> i64 {
        within.now
    }

    fn incarnation(&self, _: Within<'_>) -> Outcome<SmolStr> {
        // What was acknowledged is in the file.
        Ok(SmolStr::new_static("embedded"))
    }

    fn reach(&self, within: Within<'_>) -> Outcome<()> {
        self.look(within, |_| Ok(()))
    }
}

impl Embedded {
    /// What one statement finds about each key.
    fn each<T>(
        &self,
        keys: &[Key],
        within: Within<'_>,
        sql: &str,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Vec<Option<T>>> {
        let mut found = Vec::with_capacity(keys.len());
        // Between two chunks others may write, and the end of the time is noticed.
        for keys in keys.chunks(CHUNK) {
            self.look(within, |conn| {
                let mut numbers: HashMap<&Base, Option<i64>> = HashMap::new();
                let mut statement = conn.prepare_cached(sql)?;
                for key in keys {
                    let id = match numbers.get(&key.base) {
                        Some(id) => *id,
                        None => {
                            let id = number(conn, key.base.as_str())?;
                            numbers.insert(&key.base, id);
                            id
                        }
                    };
                    let Some(id) = id else {
                        found.push(None);
                        continue;
                    };
                    let row = statement.query_row(params![id, key.hash, within.now], &read);
                    found.push(row.optional()?);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}

/// The number of a collection.
fn number(conn: &Connection, base: &str) -> Outcome<Option<i64>> {
    let mut statement = conn.prepare_cached("SELECT id FROM collect_collection WHERE base = ?1")?;
    Ok(statement.query_row([base], |row| row.get(0)).optional()?)
}

/// The number of a collection, which is made when there is none.
fn made(conn: &Connection, base: &str) -> Outcome<i64> {
    if let Some(id) = number(conn, base)? {
        return Ok(id);
    }
    conn.execute(
        "INSERT INTO collect_collection (base, swept) VALUES (?1, x'')",
        [base],
    )?;
    Ok(conn.last_insert_rowid())
}

/// Stores rows of a collection; how many were stored, and how many were older than what is there.
fn put(conn: &Connection, id: i64, rows: &[Row], now: i64) -> Outcome<(u64, u64)> {
    // What is over counts for nothing, even if its date is later.
    let mut statement = conn.prepare_cached(
        "INSERT INTO collect_entry (collection, hash, date, expires, fields) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET date = excluded.date, expires = excluded.expires, fields = excluded.fields
         WHERE excluded.date >= date OR expires <= ?6",
    )?;
    let (mut stored, mut older) = (0, 0);
    for row in rows {
        let changed = statement.execute(params![
            id,
            row.hash,
            row.date,
            row.expires,
            row.fields,
            now
        ])?;
        *(if changed == 0 {
            &mut older
        } else {
            &mut stored
        }) += 1;
    }
    Ok((stored, older))
}

/// Looks at so many entries of a collection, behind those that were looked at last, and removes what is over.
fn sweep(conn: &Connection, id: i64, many: usize, now: i64) -> Outcome<()> {
    let from: Vec<u8> = conn
        .prepare_cached("SELECT swept FROM collect_collection WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    let many = i64::try_from(many).unwrap_or(i64::MAX);
    let to: Option<Vec<u8>> = conn
        .prepare_cached(
            "SELECT hash FROM collect_entry WHERE collection = ?1 AND hash > ?2 ORDER BY hash LIMIT 1 OFFSET ?3",
        )?
        .query_row(params![id, from, many], |row| row.get(0))
        .optional()?;
    conn.prepare_cached(
        "DELETE FROM collect_entry WHERE collection = ?1 AND hash > ?2 AND (?3 IS NULL OR hash <= ?3) AND expires <= ?4",
    )?
    .execute(params![id, from, to, now])?;
    // Behind the last one it begins anew.
    conn.prepare_cached("UPDATE collect_collection SET swept = ?2 WHERE id = ?1")?
        .execute(params![id, to.unwrap_or_default()])?;
    Ok(())
}

/// Removes some of what is over.
fn expire(conn: &Connection, now: i64) -> Outcome<usize> {
    let sql = "DELETE FROM collect_entry WHERE (collection, hash) IN
               (SELECT collection, hash FROM collect_entry WHERE expires <= ?1 LIMIT ?2)";
    let step = i64::try_from(STEP).unwrap_or(i64::MAX);
    Ok(conn.execute(sql, [now, step])?)
}

/// The values of an entry: names and texts in turn, as a JSON list.
fn packed(entry: &Entry) -> Outcome<Option<Vec<u8>>> {
    let Some(fields) = &entry.fields else {
        return Ok(None);
    };
    let mut texts = Vec::with_capacity(fields.len() * 2);
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        texts.push(name.clone());
        texts.push(text_of(value));
    }
    let texts: Vec<&str> = texts.iter().map(SmolStr::as_str).collect();
    let packed = serde_json::to_vec(&texts).map_err(|error| {
        Diagnostic::new(Code::Internal, format!("values cannot be stored: {error}"))
    })?;
    Ok(Some(packed))
}

fn unpacked(bytes: &[u8]) -> Outcome<Vec<(SmolStr, SmolStr)>> {
    let texts: Vec<String> = serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("the values of an entry cannot be read: {error}");
        Diagnostic::new(Code::DamagedValue, message)
    })?;
    let pairs = texts.chunks_exact(2);
    let pair = |pair: &[String]| match pair {
        [name, text] => Some((SmolStr::new(name), SmolStr::new(text))),
        _ => None,
    };
    Ok(pairs.filter_map(pair).collect())
}
