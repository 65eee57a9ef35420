//! What is done with the tables inside of a transaction.

use super::rows::{Outgoing, arguments, names, record};
use super::{Inner, Known, NO_TABLE, address, upkeep, worded};
use crate::diagnostic::{Fault, Outcome};
use crate::event::query::{Aggregate, Group, Kind as Sort, Query, Statement, Timeline, Timelines};
use crate::event::store::{
    Cell, Extreme, Loaded, Relapsed, Session, Status, TableStatus, Threshold, Thresholded,
    enumerated,
};
use crate::event::{Column, ColumnKind, PHYSICAL, Range, Record, Row};
use crate::store::Within;
use crate::store::postgres::{self as pg, Answer, Failure, Kind, Micros, Parameter, Row as Found};
use std::sync::{Arc, LazyLock};

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=PHYSICAL.len()).map(|n| format!("${n}")).collect();
    format!(
        "INSERT INTO events ({}) VALUES ({})",
        names(PHYSICAL),
        places.join(", ")
    )
});

/// The tables through one connection.
pub(super) struct Tables<'a> {
    pub session: &'a mut pg::Session,
    pub store: &'a Inner,
    pub within: Within<'a>,
    /// Which attempt this is, from 1: what an earlier one did may have been done.
    pub attempt: u32,
    /// What went wrong last.
    pub trouble: Option<Kind>,
    /// A table was missing.
    pub no_table: bool,
    /// Something was handed out already.
    pub given: bool,
}

impl<'a> Tables<'a> {
    pub fn new(
        session: &'a mut pg::Session,
        store: &'a Inner,
        within: Within<'a>,
        attempt: u32,
    ) -> Tables<'a> {
        Tables {
            session,
            store,
            within,
            attempt,
            trouble: None,
            no_table: false,
            given: false,
        }
    }

    /// The fault of a failure; what it was is kept for who tries again.
    pub fn fault(&mut self, failure: Failure) -> Fault {
        self.trouble = failure.kind();
        self.no_table = failure.state() == NO_TABLE;
        if address::is_gone(&failure) {
            // Somebody took the index away; the next attempt looks again.
            self.trouble = Some(Kind::Stale);
            *self.store.addresses.lock() = Known::default();
        }
        worded(failure)
    }

    pub fn query(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Outcome<Vec<Found>> {
        let answer = self.session.query(sql, parameters, self.within);
        answer.map_err(|failure| self.fault(failure))
    }

    pub fn execute(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Outcome<u64> {
        let answer = self.session.execute(sql, parameters, self.within);
        answer.map_err(|failure| self.fault(failure))
    }

    /// The value in the first column of the only row.
    fn number(&mut self, sql: &str) -> Outcome<u64> {
        let rows = self.query(sql, &[])?;
        let number = rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0));
        self.got(number.map(|number| u64::try_from(number).unwrap_or(0)))
    }

    /// A value read from a row.
    fn got<T>(&mut self, value: Result<T, impl Into<Failure>>) -> Outcome<T> {
        value.map_err(|error| self.fault(error.into()))
    }

    /// The SQL of a query, with the help of the index of addresses where there is one, and its arguments.
    fn asked(
        &mut self,
        query: &Query,
        sort: Sort<'_>,
    ) -> Outcome<(String, Statement, Vec<Vec<Range>>)> {
        query.check()?;
        let statement = query.sql(sort);
        let mut text = statement.text();
        let wanted = address::wanted(query)?;
        if wanted.is_empty() {
            return Ok((text, statement, Vec::new()));
        }
        let there = address::is_there(self.store, self.session, self.within);
        if !there.map_err(|failure| self.fault(failure))? {
            return Ok((text, statement, Vec::new()));
        }
        let (filter, ranges) = address::filter(wanted, statement.arguments.len());
        // A query for addresses has conditions, and none before them holds these words.
        text = text.replacen(" WHERE ", &format!(" WHERE {filter} AND "), 1);
        Ok((text, statement, ranges))
    }

    fn answer(&mut self, query: &Query, sort: Sort<'_>) -> Outcome<Vec<Found>> {
        let (text, statement, ranges) = self.asked(query, sort)?;
        let arguments = arguments(&statement.arguments)?;
        self.query(&text, &parameters(&arguments, &ranges))
    }

    /// Counts by buckets of time: number of the bucket, value, count.
    fn buckets(
        &mut self,
        query: &Query,
        timeline: &Timeline,
    ) -> Outcome<Vec<(usize, Option<String>, u64)>> {
        let rows = self.answer(query, Sort::Timeline(timeline))?;
        let read = |row: &Found| -> Answer<(usize, Option<String>, u64)> {
            let bucket: i32 = row.try_get(0)?;
            let (value, count): (Option<String>, i64) = match timeline.by {
                Some(_) => (row.try_get(1)?, row.try_get(2)?),
                None => (None, row.try_get(1)?),
            };
            let bucket = usize::try_from(bucket).unwrap_or(usize::MAX);
            Ok((bucket, value, u64::try_from(count).unwrap_or(0)))
        };
        let buckets: Answer<Vec<_>> = rows.iter().map(read).collect();
        self.got(buckets)
    }
}

fn parameters<'p>(
    arguments: &'p [Box<dyn pg::sql::ToSql + Sync>],
    ranges: &'p [Vec<Range>],
) -> Vec<Parameter<'p>> {
    let arguments = arguments.iter().map(|argument| &**argument);
    arguments
        .chain(ranges.iter().map(|ranges| ranges as Parameter<'p>))
        .collect()
}

fn threshold(row: &Found) -> Answer<Threshold> {
    Ok(Threshold {
        id: row.try_get(0)?,
        thresholdtime: row.try_get::<_, Micros>(1)?.0,
        relapsetime: row.try_get::<_, Micros>(2)?.0,
        ttltime: row.try_get::<_, Micros>(3)?.0,
    })
}

impl Session for Tables<'_> {
    fn insert(&mut self, row: &Row) -> Outcome<()> {
        row.storable()?;
        let outgoing = Outgoing::new(row);
        let values = outgoing.values();
        if self.attempt == 1 {
            return self.execute(&INSERT, &values).map(drop);
        }
        // The attempt before may have stored it just before the connection was lost.
        let within = self.within;
        let stored = self.session.guarded(within, |session| {
            session.execute(&INSERT, &values, within).map(drop)
        });
        match stored {
            Err(failure) if failure.kind() == Some(Kind::Integrity) => {
                let sql = "SELECT 1 FROM events WHERE id = $1 AND event IS NOT DISTINCT FROM $2";
                match self.query(sql, &[&row.id, &row.event])?.is_empty() {
                    true => Err(self.fault(failure)),
                    false => Ok(()),
                }
            }
            stored => self.got(stored),
        }
    }

    fn load(&mut self, rows: &[Row]) -> Outcome<Loaded> {
        super::load::load(self, rows)
    }

    fn fetch(&mut self, id: &str, columns: &[Column]) -> Outcome<Option<Record>> {
        let sql = format!("SELECT {} FROM events WHERE id = $1", names(columns));
        let rows = self.query(&sql, &[&id])?;
        let record = rows
            .first()
            .map(|row| record(row, &columns.into()))
            .transpose();
        self.got(record)
    }

    fn delete(&mut self, id: &str) -> Outcome<bool> {
        Ok(self.execute("DELETE FROM events WHERE id = $1", &[&id])? > 0)
    }

    fn count(&mut self, query: &Query) -> Outcome<u64> {
        let rows = self.answer(query, Sort::Count)?;
        let count = rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0));
        self.got(count.map(|count| u64::try_from(count).unwrap_or(0)))
    }

    fn search(
        &mut self,
        query: &Query,
        columns: &[Column],
        take: &mut dyn FnMut(Record) -> Outcome<bool>,
    ) -> Outcome<()> {
        let (text, statement, ranges) = self.asked(query, Sort::Select(columns))?;
        let arguments = arguments(&statement.arguments)?;
        let columns: Arc<[Column]> = columns.into();
        let given = &mut self.given;
        let parameters = parameters(&arguments, &ranges);
        let answer = self.session.each(&text, &parameters, self.within, |row| {
            *given = true;
            Ok(take(record(row, &columns)?)?)
        });
        self.got(answer)
    }

    fn delete_events(&mut self, query: &Query) -> Outcome<u64> {
        let (text, statement, ranges) = self.asked(query, Sort::Delete)?;
        let arguments = arguments(&statement.arguments)?;
        self.execute(&text, &parameters(&arguments, &ranges))
    }

    fn timeline(&mut self, query: &Query, timeline: &Timeline) -> Outcome<Timelines> {
        timeline.check()?;
        let counted = self.buckets(query, timeline)?;
        // An event with two values counts for both, but is one event.
        let events = match timeline.by {
            Some(_) => {
                let plain = Timeline {
                    by: None,
                    ..*timeline
                };
                self.buckets(query, &plain)?
                    .iter()
                    .map(|(_, _, count)| count)
                    .sum()
            }
            None => counted.iter().map(|(_, _, count)| count).sum(),
        };
        Ok(timeline.arrange(counted, events))
    }

    fn aggregate(&mut self, query: &Query, aggregate: &Aggregate) -> Outcome<Vec<Group>> {
        aggregate.check()?;
        let rows = self.answer(query, Sort::Aggregate(*aggregate))?;
        let read = |row: &Found| -> Answer<Group> {
            let count: i64 = row.try_get(1)?;
            Ok(Group {
                value: row.try_get(0)?,
                count: u64::try_from(count).unwrap_or(0),
            })
        };
        let groups: Answer<Vec<Group>> = rows.iter().map(read).collect();
        self.got(groups)
    }

    fn column_with(&mut self, column: Column, extreme: Extreme) -> Outcome<Option<Cell>> {
        let function = match extreme {
            Extreme::Min => "min",
            Extreme::Max => "max",
        };
        // Texts by their bytes, whatever the database's own order is.
        let order = match column.kind() {
            ColumnKind::Text | ColumnKind::Texts => " COLLATE \"C\"",
            _ => "",
        };
        let sql = format!(
            "SELECT {function}(\"{}\"{order}) FROM events",
            column.name()
        );
        let rows = self.query(&sql, &[])?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let read = || -> Answer<Option<Cell>> {
            Ok(match column.kind() {
                ColumnKind::Text | ColumnKind::Bytes => {
                    row.try_get::<_, Option<String>>(0)?.map(Cell::Text)
                }
                ColumnKind::Time => row
                    .try_get::<_, Option<Micros>>(0)?
                    .map(|at| Cell::Time(at.0)),
                ColumnKind::Texts => row.try_get::<_, Option<Vec<String>>>(0)?.map(Cell::Texts),
                ColumnKind::Ranges => row.try_get::<_, Option<Vec<Range>>>(0)?.map(Cell::Ranges),
                ColumnKind::Ints => row
                    .try_get::<_, Option<Vec<i32>>>(0)?
                    .map(|ints| Cell::Ints(ints.into_iter().map(i64::from).collect())),
            })
        };
        let cell = read();
        self.got(cell)
    }

    fn distinct(&mut self, column: Column) -> Outcome<Vec<String>> {
        let name = column.name();
        enumerated(column)?;
        let values = match column.kind() {
            ColumnKind::Texts => format!("unnest(\"{name}\")"),
            _ => format!("\"{name}\""),
        };
        // In one order, so that two that do this at the same time do not lock each other out.
        let update = format!(
            "INSERT INTO enum_{name} (data, last_seen) \
             SELECT data, max(seen) FROM (\
                 SELECT {values} AS data, cesnet_storagetime AS seen FROM events \
                 WHERE cesnet_storagetime >= COALESCE(\
                     (SELECT max(last_seen) FROM enum_{name}), (SELECT min(cesnet_storagetime) FROM events))\
             ) AS found WHERE data IS NOT NULL GROUP BY data ORDER BY data \
             ON CONFLICT (data) DO UPDATE SET last_seen = excluded.last_seen"
        );
        self.execute(&update, &[])?;
        let rows = self.query(
            &format!("SELECT data FROM enum_{name} ORDER BY data COLLATE \"C\""),
            &[],
        )?;
        let values: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        self.got(values)
    }

    fn threshold_check(&mut self, key: &str, ttl: i64) -> Outcome<Option<Threshold>> {
        let sql = "SELECT id, thresholdtime, relapsetime, ttltime FROM thresholds WHERE id = $1 AND ttltime >= $2";
        let rows = self.query(sql, &[&key, &Micros(ttl)])?;
        let found = rows.first().map(threshold).transpose();
        self.got(found)
    }

    fn threshold_set(&mut self, threshold: &Threshold) -> Outcome<()> {
        let sql = "INSERT INTO thresholds (id, thresholdtime, relapsetime, ttltime) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (id) DO UPDATE SET thresholdtime = excluded.thresholdtime, \
                   relapsetime = excluded.relapsetime, ttltime = excluded.ttltime";
        let times = [
            threshold.thresholdtime,
            threshold.relapsetime,
            threshold.ttltime,
        ]
        .map(Micros);
        self.execute(sql, &[&threshold.id, &times[0], &times[1], &times[2]])
            .map(drop)
    }

    fn threshold_save(&mut self, saved: &Thresholded) -> Outcome<()> {
        let insert = "INSERT INTO events_thresholded (eventid, keyid, groupname, eventseverity, createtime) \
                      VALUES ($1, $2, $3, $4, $5)";
        // The attempt before may have noted it just before the connection was lost.
        let again = "INSERT INTO events_thresholded AS t (eventid, keyid, groupname, eventseverity, createtime) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (eventid, keyid) DO UPDATE SET createtime = $5 \
                     WHERE (t.groupname, t.eventseverity, t.createtime) = ($3, $4, $5)";
        let createtime = Micros(saved.createtime);
        let values: [Parameter<'_>; 5] = [
            &saved.eventid,
            &saved.keyid,
            &saved.groupname,
            &saved.eventseverity,
            &createtime,
        ];
        if self.attempt > 1 && self.execute(again, &values)? == 1 {
            return Ok(());
        }
        self.execute(insert, &values).map(drop)
    }

    fn threshold_open(&mut self, threshold: &Threshold, now: i64) -> Outcome<Option<Threshold>> {
        let sql = "INSERT INTO thresholds AS t (id, thresholdtime, relapsetime, ttltime) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (id) DO UPDATE SET thresholdtime = excluded.thresholdtime, \
                   relapsetime = excluded.relapsetime, ttltime = excluded.ttltime WHERE t.ttltime < $5";
        let times = [
            threshold.thresholdtime,
            threshold.relapsetime,
            threshold.ttltime,
            now,
        ]
        .map(Micros);
        let values: [Parameter<'_>; 5] =
            [&threshold.id, &times[0], &times[1], &times[2], &times[3]];
        match self.execute(sql, &values)? {
            0 => self.threshold_check(&threshold.id, now),
            _ => Ok(None),
        }
    }

    fn threshold_note(&mut self, noted: &Thresholded) -> Outcome<()> {
        let sql = "INSERT INTO events_thresholded (eventid, keyid, groupname, eventseverity, createtime) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let createtime = Micros(noted.createtime);
        let values: [Parameter<'_>; 5] = [
            &noted.eventid,
            &noted.keyid,
            &noted.groupname,
            &noted.eventseverity,
            &createtime,
        ];
        self.execute(sql, &values).map(drop)
    }

    fn thresholds(&mut self) -> Outcome<Vec<Threshold>> {
        let sql = "SELECT id, thresholdtime, relapsetime, ttltime FROM thresholds ORDER BY id COLLATE \"C\"";
        let rows = self.query(sql, &[])?;
        let all: Answer<Vec<Threshold>> = rows.iter().map(threshold).collect();
        self.got(all)
    }

    fn thresholds_count(&mut self) -> Outcome<u64> {
        self.number("SELECT count(*) FROM thresholds")
    }

    fn thresholds_clean(&mut self, ttl: i64) -> Outcome<u64> {
        self.execute("DELETE FROM thresholds WHERE ttltime < $1", &[&Micros(ttl)])
    }

    fn thresholded_count(&mut self) -> Outcome<u64> {
        self.number("SELECT count(*) FROM events_thresholded")
    }

    fn thresholded_clean(&mut self) -> Outcome<u64> {
        let sql = "DELETE FROM events_thresholded AS noted WHERE NOT EXISTS (\
                   SELECT 1 FROM thresholds WHERE id = noted.keyid AND relapsetime <= noted.createtime)";
        self.execute(sql, &[])
    }

    fn relapsed(
        &mut self,
        group: &str,
        severity: &str,
        ttl: i64,
        columns: &[Column],
    ) -> Outcome<Vec<Relapsed>> {
        let sql = format!(
            "SELECT {}{}keys FROM events INNER JOIN (\
                 SELECT eventid, array_agg(DISTINCT keyid) AS keys FROM events_thresholded \
                 INNER JOIN thresholds ON thresholds.id = keyid \
                 WHERE groupname = $1 AND eventseverity = $2 AND createtime >= relapsetime AND ttltime <= $3 \
                 GROUP BY eventid\
             ) AS noted ON eventid = id ORDER BY id COLLATE \"C\"",
            names(columns),
            if columns.is_empty() { "" } else { ", " },
        );
        let rows = self.query(&sql, &[&group, &severity, &Micros(ttl)])?;
        let columns: Arc<[Column]> = columns.into();
        let read = |row: &Found| -> Answer<Relapsed> {
            let mut keys: Vec<String> = row.try_get(columns.len())?;
            keys.sort_unstable();
            let record = record(row, &columns)?;
            Ok(Relapsed { record, keys })
        };
        let all: Answer<Vec<Relapsed>> = rows.iter().map(read).collect();
        self.got(all)
    }

    fn table_cleanup(&mut self, table: &str, column: &str, ttl: i64) -> Outcome<u64> {
        upkeep::cleanup(self, table, column, ttl)
    }

    fn watchdog(&mut self, seconds: i64) -> Outcome<bool> {
        let rows = self.query("SELECT max(cesnet_storagetime) FROM events", &[])?;
        let newest = rows
            .first()
            .map_or(Ok(None), |row| row.try_get::<_, Option<Micros>>(0));
        let newest = self.got(newest)?;
        let bound = i128::from(self.within.now) * 1_000 - i128::from(seconds) * 1_000_000;
        Ok(newest.is_some_and(|newest| i128::from(newest.0) > bound))
    }

    fn table_status(&mut self, table: &str, column: &str) -> Outcome<TableStatus> {
        upkeep::table_status(self, table, column)
    }

    fn database_status(&mut self, brief: bool) -> Outcome<Status> {
        upkeep::database_status(self, brief)
    }

    fn database_create(&mut self) -> Outcome<()> {
        upkeep::create(self)
    }

    fn database_drop(&mut self) -> Outcome<()> {
        upkeep::drop_all(self)
    }

    fn index_create(&mut self) -> Outcome<Vec<String>> {
        upkeep::index_create(self)
    }

    fn index_drop(&mut self) -> Outcome<Vec<String>> {
        upkeep::index_drop(self)
    }
}
