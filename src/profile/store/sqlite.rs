//! Measurements in the embedded file.
//!
//! A source is a profile in one place with one length of periods; a series is an entity with its groups in a source;
//! measurements of a series lie side by side. The name of a series is its entity and its groups in one text, as in
//! Metron's row keys, with the length of the entity beside it: what Metron takes for the same row is one look-up.

use super::explain::explain;
use super::{
    Filter, Place, ProfileStore, Query, Reason, Series, StoredProfile, Within, group_text,
};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::text::to_text;
use crate::functions::kryo;
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
            texts TEXT, UNIQUE (source, name, entity)) STRICT;
        CREATE TABLE profile_measurement (
            series INTEGER NOT NULL, period INTEGER NOT NULL, value BLOB NOT NULL, expires INTEGER,
            PRIMARY KEY (series, period)) STRICT, WITHOUT ROWID;
        CREATE INDEX profile_expires ON profile_measurement (expires) WHERE expires IS NOT NULL"],
    expire: Some(expire),
};

/// The most bytes of one value.
const LONGEST: usize = 256 << 20;

/// How many rows one transaction removes at most when they have outlived their time.
const REMOVED: i64 = 10_000;

/// Periods with at most so many others between them are read in one go: those cost less than another search.
const GAP: i64 = 32;

const DAY: i64 = 86_400_000;

/// Measurements in the embedded file.
pub struct Embedded(Store);

impl Embedded {
    /// Measurements in this file, which must know the room [`PROFILE`].
    pub fn new(store: &Store) -> Embedded {
        Embedded(store.clone())
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
        let mut sources: Vec<(SmolStr, i64)> = Vec::new();
        let mut known: HashMap<(SmolStr, i64), usize> = HashMap::new();
        let mut rows = Vec::with_capacity(measurements.len());
        for measurement in measurements {
            let source = (measurement.profile.clone(), measurement.period.duration);
            let index = *known.entry(source.clone()).or_insert_with(|| {
                sources.push(source);
                sources.len() - 1
            });
            let value = kryo::write(&measurement.value, LONGEST).map_err(|fault| {
                fault.note(format!(
                    "it is what profile {} found out about {}",
                    measurement.profile, measurement.entity
                ))
            })?;
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
            put(conn, &place, &sources, &rows)
        })
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
                    series: series.unsigned_abs(),
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
                    if let Some((first, last)) = reach(conn, named.id, within.now)? {
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
                let mut ids = Vec::new();
                each_series(conn, &filter, source.id, &mut |named| {
                    ids.push(named.id);
                    Ok(true)
                })?;
                for id in ids {
                    removed += conn
                        .prepare_cached("DELETE FROM profile_measurement WHERE series = ?1")?
                        .execute([id])?;
                    conn.prepare_cached("DELETE FROM profile_series WHERE id = ?1")?
                        .execute([id])?;
                }
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
    let mut find = conn.prepare_cached(
        "SELECT id FROM profile_series WHERE source = ?1 AND name = ?2 AND entity = ?3",
    )?;
    let mut add = conn.prepare_cached(
        "INSERT INTO profile_series (source, name, entity, texts) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut store = conn.prepare_cached(
        "INSERT OR REPLACE INTO profile_measurement (series, period, value, expires) VALUES (?1, ?2, ?3, ?4)",
    )?;
    // Rows of one series stand together.
    let mut last: Option<(usize, &str, i64, i64)> = None;
    for row in rows {
        let series = match last {
            Some((source, name, entity, id))
                if (source, name, entity) == (row.source, row.name.as_str(), row.entity) =>
            {
                id
            }
            _ => {
                let source = ids.get(row.source).copied().unwrap_or_default();
                let known = find
                    .query_row(params![source, row.name, row.entity], |row| row.get(0))
                    .optional()?;
                match known {
                    Some(id) => id,
                    None => add.insert(params![source, row.name, row.entity, row.texts])?,
                }
            }
        };
        last = Some((row.source, &row.name, row.entity, series));
        store.execute(params![series, row.period, row.value, row.expires])?;
    }
    Ok(())
}

/// The series that may answer a query in one length of periods: the one that is meant first, then those whose
/// profile, entity and groups are the same text.
fn answering(conn: &Connection, query: &Query, all: &[Source], duration: i64) -> Outcome<Vec<i64>> {
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
            found.push((!meant, id));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, id)| id).collect())
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
        "SELECT period, value FROM profile_measurement
         WHERE series = ?1 AND period BETWEEN ?2 AND ?3 AND (expires IS NULL OR expires >= ?4) ORDER BY period",
    )?;
    for (duration, mut wanted) in by_duration {
        wanted.sort_unstable();
        for series in answering(conn, query, &all, duration)? {
            for run in wanted.chunk_by(|a, b| b.0.saturating_sub(a.0) <= GAP) {
                let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else {
                    continue;
                };
                let mut rows = statement.query(params![series, first, last, now])?;
                let mut left = run;
                while let Some(row) = rows.next()? {
                    let number: i64 = row.get(0)?;
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

fn value(bytes: &[u8], query: &Query, number: i64) -> Outcome<Value> {
    kryo::read(bytes).map_err(|fault| {
        fault.note(format!(
            "it is what profile {} found out about {} in period {number}",
            query.profile, query.entity
        ))
    })
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
pub(super) fn reach(conn: &Connection, series: i64, now: i64) -> Outcome<Option<(i64, i64)>> {
    let mut ends = [None, None];
    let orders = [
        "SELECT period FROM profile_measurement WHERE series = ?1 AND (expires IS NULL OR expires >= ?2)
         ORDER BY period LIMIT 1",
        "SELECT period FROM profile_measurement WHERE series = ?1 AND (expires IS NULL OR expires >= ?2)
         ORDER BY period DESC LIMIT 1",
    ];
    for (end, sql) in ends.iter_mut().zip(orders) {
        *end = conn
            .prepare_cached(sql)?
            .query_row([series, now], |row| row.get(0))
            .optional()?;
    }
    let [first, last] = ends;
    Ok(first.zip(last))
}

/// Removes some of what has outlived its time, and series that are empty then.
fn expire(conn: &Connection, now: i64) -> Outcome<usize> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM profile_measurement WHERE (series, period) IN
         (SELECT series, period FROM profile_measurement WHERE expires < ?1 LIMIT ?2) RETURNING series",
    )?;
    let mut touched = BTreeSet::new();
    let mut removed = 0;
    for series in statement.query_map([now, REMOVED], |row| row.get::<_, i64>(0))? {
        touched.insert(series?);
        removed += 1;
    }
    let mut emptied = 0;
    let mut statement = conn.prepare_cached(
        "DELETE FROM profile_series WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM profile_measurement WHERE series = ?1)",
    )?;
    for series in touched {
        emptied += statement.execute([series])?;
    }
    if emptied > 0 {
        drop_sources(conn)?;
    }
    Ok(removed)
}

fn drop_sources(conn: &Connection) -> Outcome<()> {
    let sql = "DELETE FROM profile_source
               WHERE NOT EXISTS (SELECT 1 FROM profile_series WHERE source = profile_source.id)";
    conn.execute(sql, [])?;
    Ok(())
}
