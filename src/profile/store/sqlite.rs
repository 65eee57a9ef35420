//! Measurements in the embedded file.
//!
//! A source is a profile in one place with one length of periods; a series is an entity with its groups in a source.
//! The name of a series is its entity and its groups in one text, as in Metron's row keys, with the length of the
//! entity beside it: what Metron takes for the same row is one look-up. Periods come in blocks of 16: measurements lie
//! by source, block and series, so that a flush writes into one stretch of the file however long the history is, and a
//! thousand periods of a series are some sixty stretches.

use super::explain::explain;
use super::spool;
use super::upkeep::{drop_sources, expire, shrink};
use super::{
    DAY, Filter, Mark, Place, ProfileStore, Query, Reason, Series, StoredProfile, Within, bytes,
    group_text, value,
};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::text::to_text;
use crate::profile::measurement::Measurement;
use crate::profile::period::Period;
use crate::store::{Room, Store};
use rusqlite::{Connection, OptionalExtension, params};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where measurements lie in the embedded file.
pub static PROFILE: Room = Room {
    name: "profile",
    migrations: &["
        CREATE TABLE profile_source (
            id INTEGER PRIMARY KEY, source TEXT NOT NULL, family TEXT NOT NULL, divisor INTEGER NOT NULL,
            profile TEXT NOT NULL, duration INTEGER NOT NULL,
            UNIQUE (source, family, divisor, profile, duration)) STRICT;
        CREATE TABLE profile_series (
            id INTEGER PRIMARY KEY, source INTEGER NOT NULL, name TEXT NOT NULL, entity INTEGER NOT NULL,
            texts TEXT, first INTEGER NOT NULL, last INTEGER NOT NULL, UNIQUE (source, name, entity)) STRICT;
        CREATE TABLE profile_block (
            source INTEGER NOT NULL, block INTEGER NOT NULL, expires INTEGER,
            PRIMARY KEY (source, block)) STRICT, WITHOUT ROWID;
        CREATE TABLE profile_measurement (
            source INTEGER NOT NULL, block INTEGER NOT NULL, series INTEGER NOT NULL, slot INTEGER NOT NULL,
            value BLOB NOT NULL, expires INTEGER, PRIMARY KEY (source, block, series, slot)) STRICT, WITHOUT ROWID",
        spool::TABLES],
    expire: Some(expire),
};

/// How many periods make a block: many make reading fast, few make writing fast.
const BLOCK: i64 = 16;

/// Measurements in the embedded file.
pub struct Embedded(Store);

impl Embedded {
    /// Measurements in this file, which must know the room [`PROFILE`].
    pub fn new(store: &Store) -> Embedded {
        Embedded(store.clone())
    }

    fn store(
        &self,
        place: &Place,
        measurements: &[Measurement],
        mark: Option<Mark>,
        within: Within<'_>,
    ) -> Outcome<()> {
        let mut sources: Vec<(SmolStr, i64)> = Vec::new();
        let mut known: HashMap<(SmolStr, i64), usize> = HashMap::new();
        let mut rows = Vec::with_capacity(measurements.len());
        for measurement in measurements {
            let source = (measurement.profile.clone(), measurement.period.duration);
            let index = *known.entry(source.clone()).or_insert_with(|| {
                sources.push(source);
                sources.len() - 1
            });
            let value = bytes(measurement)?;
            let mut name = measurement.entity.to_string();
            name.push_str(&group_text(&measurement.groups));
            rows.push(Row {
                source: index,
                name,
                entity: length(&measurement.entity),
                texts: texts(&measurement.groups),
                period: measurement.period.number,
                value,
                expires: measurement
                    .expires
                    .map(|days| within.now.saturating_add(days.saturating_mul(DAY))),
            });
        }
        // In the order of the index the file is walked once; of equal keys the last stays the last.
        rows.sort_by(|a, b| (a.source, &a.name, a.entity).cmp(&(b.source, &b.name, b.entity)));
        let place = place.clone();
        let Within {
            deadline, cancel, ..
        } = within;
        self.0.write(&PROFILE, deadline, cancel, move |conn| {
            put(conn, &place, &sources, &rows)?;
            mark.as_ref()
                .map_or(Ok(()), |mark| super::follow::put(conn, mark))
        })
    }

    fn look<T>(
        &self,
        within: Within<'_>,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        let Within {
            deadline, cancel, ..
        } = within;
        self.0.read_within(&PROFILE, deadline, cancel, work)
    }
}

/// A profile in one place with one length of periods.
pub(super) struct Source {
    pub id: i64,
    pub place: Place,
    pub profile: SmolStr,
    pub duration: i64,
}

/// All sources, by place, name and length of periods.
pub(super) fn sources(conn: &Connection) -> Outcome<Vec<Source>> {
    let sql = "SELECT id, source, family, divisor, profile, duration FROM profile_source ORDER BY 2, 3, 4, 5, 6";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let text = |column| -> rusqlite::Result<SmolStr> {
            Ok(SmolStr::new(row.get_ref(column)?.as_str()?))
        };
        Ok(Source {
            id: row.get(0)?,
            place: Place {
                table: text(1)?,
                family: text(2)?,
                divisor: row.get(3)?,
            },
            profile: text(4)?,
            duration: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The texts of groups as they are kept beside a series; `None` for no groups.
fn texts(groups: &[Value]) -> Option<String> {
    let texts: Vec<String> = groups.iter().map(|g| to_text(g).to_string()).collect();
    (!texts.is_empty()).then(|| serde_json::json!(texts).to_string())
}

/// A measurement as it goes into the file.
struct Row {
    source: usize,
    name: String,
    entity: i64,
    texts: Option<String>,
    period: i64,
    value: Vec<u8>,
    expires: Option<i64>,
}

impl ProfileStore for Embedded {
    fn write(
        &self,
        place: &Place,
        measurements: &[Measurement],
        within: Within<'_>,
    ) -> Outcome<()> {
        if measurements.is_empty() {
            return Ok(());
        }
        self.store(place, measurements, None, within)
    }

    fn write_with_mark(
        &self,
        place: &Place,
        measurements: &[Measurement],
        mark: &Mark,
        within: Within<'_>,
    ) -> Outcome<bool> {
        self.store(place, measurements, Some(mark.clone()), within)?;
        Ok(true)
    }

    fn read(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Option<Value>>> {
        if query.periods.is_empty() {
            return Ok(Vec::new());
        }
        self.look(within, |conn| read(conn, query, within.now))
    }

    fn profiles(&self, filter: &Filter, within: Within<'_>) -> Outcome<Vec<StoredProfile>> {
        self.look(within, |conn| {
            let mut found = Vec::new();
            let mut statement =
                conn.prepare_cached("SELECT count(*) FROM profile_series WHERE source = ?1")?;
            for source in sources(conn)?.into_iter().filter(|s| wanted(filter, s)) {
                let series: i64 = statement.query_row([source.id], |row| row.get(0))?;
                found.push(StoredProfile {
                    place: source.place,
                    profile: source.profile,
                    duration: source.duration,
                    series: Some(series.unsigned_abs()),
                });
            }
            Ok(found)
        })
    }

    fn list(&self, filter: &Filter, most: usize, within: Within<'_>) -> Outcome<Vec<Series>> {
        self.look(within, |conn| {
            let mut found = Vec::new();
            for source in sources(conn)?.into_iter().filter(|s| wanted(filter, s)) {
                each_series(conn, filter, source.id, &mut |named| {
                    let period = |number| Period {
                        number,
                        duration: source.duration,
                    };
                    if let Some((first, last)) = reach(conn, source.id, named.id, within.now)? {
                        found.push(Series {
                            place: source.place.clone(),
                            profile: source.profile.clone(),
                            entity: named.entity,
                            groups: named.groups,
                            first: period(first),
                            last: period(last),
                        });
                    }
                    Ok(found.len() < most)
                })?;
                if found.len() >= most {
                    break;
                }
            }
            Ok(found)
        })
    }

    fn delete(&self, filter: &Filter, within: Within<'_>) -> Outcome<usize> {
        // Without a file there is nothing to remove, and removing must not make one.
        if self.look(within, |conn| Ok(sources(conn)?.is_empty()))? {
            return Ok(0);
        }
        let filter = filter.clone();
        let Within {
            deadline, cancel, ..
        } = within;
        self.0.write(&PROFILE, deadline, cancel, move |conn| {
            let mut removed = 0;
            for source in sources(conn)?.into_iter().filter(|s| wanted(&filter, s)) {
                if filter.entity.is_none() && filter.groups.is_none() {
                    removed += conn.execute(
                        "DELETE FROM profile_measurement WHERE source = ?1",
                        [source.id],
                    )?;
                    conn.execute("DELETE FROM profile_series WHERE source = ?1", [source.id])?;
                    continue;
                }
                let mut touched = BTreeSet::new();
                each_series(conn, &filter, source.id, &mut |named| {
                    touched.insert(named.id);
                    Ok(true)
                })?;
                for series in &touched {
                    removed += conn
                        .prepare_cached(
                            "DELETE FROM profile_measurement WHERE source = ?1 AND series = ?2
                             AND block IN (SELECT block FROM profile_block WHERE source = ?1)",
                        )?
                        .execute([source.id, *series])?;
                }
                shrink(conn, source.id, &touched)?;
            }
            drop_sources(conn)?;
            Ok(removed)
        })
    }

    fn explain_empty(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Reason>> {
        self.look(within, |conn| explain(conn, query, within.now))
    }
}

/// The bytes of a text, as a number of SQLite.
fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// Whether a source may hold what a filter asks for.
fn wanted(filter: &Filter, source: &Source) -> bool {
    filter
        .place
        .as_ref()
        .is_none_or(|place| *place == source.place)
        && filter
            .profile
            .as_ref()
            .is_none_or(|name| *name == source.profile)
}

fn put(conn: &Connection, place: &Place, sources: &[(SmolStr, i64)], rows: &[Row]) -> Outcome<()> {
    let mut ids = Vec::with_capacity(sources.len());
    for (profile, duration) in sources {
        let key = params![
            place.table.as_str(),
            place.family.as_str(),
            place.divisor,
            profile.as_str(),
            duration
        ];
        conn.prepare_cached(
            "INSERT INTO profile_source (source, family, divisor, profile, duration) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
        )?
        .execute(key)?;
        let id: i64 = conn
            .prepare_cached(
                "SELECT id FROM profile_source
                 WHERE source = ?1 AND family = ?2 AND divisor = ?3 AND profile = ?4 AND duration = ?5",
            )?
            .query_row(key, |row| row.get(0))?;
        ids.push(id);
    }
    // What goes where, and how soon something of a block expires.
    let mut places = Vec::with_capacity(rows.len());
    let mut blocks: BTreeMap<(i64, i64), Option<i64>> = BTreeMap::new();
    // Rows of one series stand together.
    let same = |a: &Row, b: &Row| (a.source, &a.name, a.entity) == (b.source, &b.name, b.entity);
    for rows in rows.chunk_by(same) {
        let Some(head) = rows.first() else { continue };
        let source = ids.get(head.source).copied().unwrap_or_default();
        let series = series(conn, source, head, rows)?;
        for row in rows {
            let block = row.period.div_euclid(BLOCK);
            places.push((source, block, series, row));
            let soonest = blocks.entry((source, block)).or_default();
            *soonest = match (*soonest, row.expires) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    let mut note = conn.prepare_cached(
        "INSERT INTO profile_block (source, block, expires) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE
         SET expires = min(coalesce(expires, excluded.expires), coalesce(excluded.expires, expires))",
    )?;
    for ((source, block), soonest) in blocks {
        note.execute(params![source, block, soonest])?;
    }
    // In the order of the file, and of equal keys the last is still the last.
    places.sort_by_key(|(source, block, series, _)| (*source, *block, *series));
    let mut store = conn.prepare_cached(
        "INSERT OR REPLACE INTO profile_measurement (source, block, series, slot, value, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (source, block, series, row) in places {
        let slot = row.period.rem_euclid(BLOCK);
        store.execute(params![source, block, series, slot, row.value, row.expires])?;
    }
    Ok(())
}

/// The number of the series of some rows, which is made when there is none.
fn series(conn: &Connection, source: i64, head: &Row, rows: &[Row]) -> Outcome<i64> {
    let blocks = || rows.iter().map(|row| row.period.div_euclid(BLOCK));
    let first = blocks().min().unwrap_or_default();
    let last = blocks().max().unwrap_or_default();
    let known: Option<(i64, i64, i64)> = conn
        .prepare_cached(
            "SELECT id, first, last FROM profile_series WHERE source = ?1 AND name = ?2 AND entity = ?3",
        )?
        .query_row(params![source, head.name, head.entity], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    match known {
        Some((id, begin, end)) => {
            if first < begin || last > end {
                conn.prepare_cached("UPDATE profile_series SET first = ?2, last = ?3 WHERE id = ?1")?
                    .execute([id, first.min(begin), last.max(end)])?;
            }
            Ok(id)
        }
        None => Ok(conn
            .prepare_cached(
                "INSERT INTO profile_series (source, name, entity, texts, first, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .insert(params![source, head.name, head.entity, head.texts, first, last])?),
    }
}

/// The series that may answer a query in one length of periods: the one that is meant first, then those whose
/// profile, entity and groups are the same text.
fn answering(
    conn: &Connection,
    query: &Query,
    all: &[Source],
    duration: i64,
) -> Outcome<Vec<(i64, i64)>> {
    let groups = group_text(&query.groups);
    let whole = format!("{}{}{groups}", query.profile, query.entity);
    let mut statement = conn
        .prepare_cached("SELECT id, entity FROM profile_series WHERE source = ?1 AND name = ?2")?;
    let mut found = Vec::new();
    let here = |s: &&Source| s.duration == duration && s.place == query.place;
    for source in all.iter().filter(here) {
        let Some(name) = whole.strip_prefix(source.profile.as_str()) else {
            continue;
        };
        let rows = statement.query_map(params![source.id, name], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        for row in rows {
            let (id, entity): (i64, i64) = row?;
            let meant = source.profile == query.profile && entity == length(&query.entity);
            found.push((!meant, source.id, id));
        }
    }
    found.sort_unstable();
    Ok(found
        .into_iter()
        .map(|(_, source, id)| (source, id))
        .collect())
}

/// The value of every period of a query, in its order.
pub(super) fn read(conn: &Connection, query: &Query, now: i64) -> Outcome<Vec<Option<Value>>> {
    let mut answer: Vec<Option<Value>> = vec![None; query.periods.len()];
    let mut by_duration: BTreeMap<i64, Vec<(i64, usize)>> = BTreeMap::new();
    for (index, period) in query.periods.iter().enumerate() {
        by_duration
            .entry(period.duration)
            .or_default()
            .push((period.number, index));
    }
    let all = sources(conn)?;
    let mut statement = conn.prepare_cached(
        "SELECT slot, value FROM profile_measurement
         WHERE source = ?1 AND block = ?2 AND series = ?3 AND slot BETWEEN ?4 AND ?5
         AND (expires IS NULL OR expires >= ?6) ORDER BY slot",
    )?;
    for (duration, mut wanted) in by_duration {
        wanted.sort_unstable();
        for (source, series) in answering(conn, query, &all, duration)? {
            for run in wanted.chunk_by(|a, b| a.0.div_euclid(BLOCK) == b.0.div_euclid(BLOCK)) {
                let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else {
                    continue;
                };
                let block = first.div_euclid(BLOCK);
                let (low, high) = (first.rem_euclid(BLOCK), last.rem_euclid(BLOCK));
                let mut rows = statement.query([source, block, series, low, high, now])?;
                let mut left = run;
                while let Some(row) = rows.next()? {
                    let number = block * BLOCK + row.get::<_, i64>(0)?;
                    let passed = left.partition_point(|(wanted, _)| *wanted < number);
                    left = left.get(passed..).unwrap_or_default();
                    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                    // Asked for twice it is made twice, for a change of one must not be a change of the other.
                    for (_, index) in left.iter().take_while(|(wanted, _)| *wanted == number) {
                        if let Some(slot) = answer.get_mut(*index)
                            && slot.is_none()
                        {
                            *slot = Some(value(bytes, query, number)?);
                        }
                    }
                }
            }
        }
    }
    Ok(answer)
}

/// A series with its names.
pub(super) struct Named {
    pub id: i64,
    pub entity: SmolStr,
    pub groups: Vec<SmolStr>,
}

/// Calls `take` with the series of a source that a filter asks for, by name, until it gives false.
pub(super) fn each_series(
    conn: &Connection,
    filter: &Filter,
    source: i64,
    take: &mut dyn FnMut(Named) -> Outcome<bool>,
) -> Outcome<()> {
    let groups = filter.groups.as_deref().map(group_text);
    let start = filter.entity.as_deref().unwrap_or("");
    let mut statement = conn.prepare_cached(
        "SELECT id, name, entity, texts FROM profile_series WHERE source = ?1 AND name >= ?2 ORDER BY name, entity",
    )?;
    let mut rows = statement.query(params![source, start])?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        if !name.starts_with(start) {
            break;
        }
        let length = usize::try_from(row.get::<_, i64>(2)?).unwrap_or(usize::MAX);
        let (Some(entity), Some(rest)) = (name.get(..length), name.get(length..)) else {
            continue;
        };
        let other = filter
            .entity
            .as_deref()
            .is_some_and(|wanted| wanted != entity);
        if other || groups.as_deref().is_some_and(|wanted| wanted != rest) {
            continue;
        }
        let texts: Option<String> = row.get(3)?;
        let named = Named {
            id: row.get(0)?,
            entity: SmolStr::new(entity),
            groups: texts
                .and_then(|texts| serde_json::from_str::<Vec<String>>(&texts).ok())
                .map(|texts| texts.into_iter().map(SmolStr::from).collect())
                .unwrap_or_default(),
        };
        if !take(named)? {
            break;
        }
    }
    Ok(())
}

/// The first and the last period of a series that has a measurement now.
pub(super) fn reach(
    conn: &Connection,
    source: i64,
    series: i64,
    now: i64,
) -> Outcome<Option<(i64, i64)>> {
    let mut ends = [None, None];
    for (end, order) in ends.iter_mut().zip(["ASC", "DESC"]) {
        let sql = format!(
            "SELECT b.block * {BLOCK} + (
                 SELECT slot FROM profile_measurement WHERE source = ?1 AND block = b.block AND series = ?2
                 AND (expires IS NULL OR expires >= ?3) ORDER BY slot {order} LIMIT 1) AS period
             FROM profile_series s CROSS JOIN profile_block b
             WHERE s.id = ?2 AND b.source = ?1 AND b.block BETWEEN s.first AND s.last AND period IS NOT NULL
             ORDER BY b.block {order} LIMIT 1"
        );
        *end = conn
            .prepare_cached(&sql)?
            .query_row([source, series, now], |row| row.get(0))
            .optional()?;
    }
    let [first, last] = ends;
    Ok(first.zip(last))
}
