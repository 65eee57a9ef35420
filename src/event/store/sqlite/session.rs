//! What is done inside of a transaction.

use super::find::Reader;
use super::{books, upkeep, write};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::event::query::{Aggregate, Group, Query, Timeline, Timelines};
use crate::event::store::{
    Cell, Extreme, Loaded, Relapsed, Session, Status, TableStatus, Threshold, Thresholded,
};
use crate::event::{Column, Record, Row};
use crate::store::{Deadline, Within, proceed};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How many rows are written at one time: more need more memory, fewer walk the file more often.
const BATCH: usize = 32_768;

/// A session on a connection.
pub(super) struct Local<'c> {
    conn: &'c Connection,
    now: i64,
    /// The transaction is begun here, and lasts.
    lasting: bool,
    deadline: Deadline,
    cancel: Arc<AtomicBool>,
}

impl<'c> Local<'c> {
    /// On a connection on which somebody else has begun a transaction.
    pub(super) fn new(conn: &'c Connection, within: Within<'_>) -> Local<'c> {
        Local {
            conn,
            now: within.now,
            lasting: false,
            deadline: within.deadline,
            cancel: within.cancel.clone(),
        }
    }

    /// On a connection where the first change begins a transaction.
    pub(super) fn lasting(conn: &'c Connection, within: Within<'_>) -> Local<'c> {
        Local {
            lasting: true,
            ..Local::new(conn, within)
        }
    }

    fn look<T>(&mut self, work: impl FnOnce(&Reader<'_>) -> Outcome<T>) -> Outcome<T> {
        // A look of several statements must see one state.
        let alone = self.lasting && self.conn.is_autocommit();
        if alone {
            self.conn.execute_batch("BEGIN")?;
        }
        let answer = Reader::new(self.conn).and_then(|reader| work(&reader));
        if alone && !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK")?;
        }
        self.in_time(answer)
    }

    fn change<T>(&mut self, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
        if !self.lasting {
            return work(self.conn);
        }
        if self.conn.is_autocommit() {
            self.conn.execute_batch("BEGIN IMMEDIATE")?;
        }
        // What fails takes back itself, and not what was done before.
        self.conn.execute_batch("SAVEPOINT call")?;
        let answer = work(self.conn);
        if answer.is_ok() {
            self.conn.execute_batch("RELEASE call")?;
        } else if !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK TO call; RELEASE call")?;
        }
        self.in_time(answer)
    }

    /// Whether long work may go on: a statement is ended from outside, what is done between two is not.
    fn go_on(&self) -> impl Fn() -> Outcome<()> + use<> {
        let (deadline, cancel) = (self.deadline, self.cancel.clone());
        move || proceed(deadline, &cancel)
    }

    /// As E0306 when the deadline is what ended a statement.
    fn in_time<T>(&self, answer: Outcome<T>) -> Outcome<T> {
        answer.map_err(|mut fault| {
            if fault.code == Code::Interrupted && self.deadline.passed() {
                fault.code = Code::Timeout;
                fault.message = "this took longer than allowed".into();
            }
            fault
        })
    }
}

impl Session for Local<'_> {
    fn insert(&mut self, row: &Row) -> Outcome<()> {
        let go_on = self.go_on();
        self.change(|conn| {
            let loaded = write::store(conn, std::slice::from_ref(row), &go_on)?;
            match loaded.refused.into_iter().next() {
                Some((_, fault)) => Err(fault),
                None if loaded.known > 0 => Err(Diagnostic::new(
                    Code::EventIntegrity,
                    format!("an event with the identifier {:?} is there already", row.id),
                )),
                None => Ok(()),
            }
        })
    }

    fn load(&mut self, rows: &[Row]) -> Outcome<Loaded> {
        let go_on = self.go_on();
        self.change(|conn| {
            // The identifiers are the one part of the file that is written all over.
            conn.pragma_update(None, "cache_size", -65_536)?;
            let mut loaded = Loaded::default();
            for (index, batch) in rows.chunks(BATCH).enumerate() {
                let mut part = write::store(conn, batch, &go_on)?;
                loaded.stored += part.stored;
                loaded.known += part.known;
                let moved = part.refused.drain(..);
                loaded
                    .refused
                    .extend(moved.map(|(at, fault)| (index * BATCH + at, fault)));
            }
            Ok(loaded)
        })
    }

    fn fetch(&mut self, id: &str, columns: &[Column]) -> Outcome<Option<Record>> {
        self.look(|reader| {
            let number = write::number_of(reader.conn, id)?;
            number
                .map(|number| reader.record(number, &columns.into()))
                .transpose()
        })
    }

    fn delete(&mut self, id: &str) -> Outcome<bool> {
        self.change(|conn| match write::number_of(conn, id)? {
            Some(number) => {
                let set = super::bits::Set::of(number);
                Ok(write::remove(conn, &set)? > 0)
            }
            None => Ok(false),
        })
    }

    fn count(&mut self, query: &Query) -> Outcome<u64> {
        query.check()?;
        self.look(|reader| Ok(reader.matching(&query.conditions)?.count()))
    }

    fn search(
        &mut self,
        query: &Query,
        columns: &[Column],
        take: &mut dyn FnMut(Record) -> Outcome<bool>,
    ) -> Outcome<()> {
        query.check()?;
        let columns = columns.into();
        self.look(|reader| {
            for number in reader.numbers(query)? {
                if !take(reader.record(number, &columns)?)? {
                    break;
                }
            }
            Ok(())
        })
    }

    fn delete_events(&mut self, query: &Query) -> Outcome<u64> {
        query.check()?;
        self.change(|conn| {
            let set = Reader::new(conn)?.matching(&query.conditions)?;
            if query.is_unlimited() {
                write::remove_all(conn)?;
                return Ok(set.count());
            }
            write::remove(conn, &set)
        })
    }

    fn timeline(&mut self, query: &Query, timeline: &Timeline) -> Outcome<Timelines> {
        query.check()?;
        timeline.check()?;
        self.look(|reader| reader.timeline(query, timeline))
    }

    fn aggregate(&mut self, query: &Query, aggregate: &Aggregate) -> Outcome<Vec<Group>> {
        query.check()?;
        aggregate.check()?;
        self.look(|reader| reader.aggregate(query, aggregate))
    }

    fn column_with(&mut self, column: Column, extreme: Extreme) -> Outcome<Option<Cell>> {
        self.look(|reader| reader.column_with(column, extreme))
    }

    fn distinct(&mut self, column: Column) -> Outcome<Vec<String>> {
        self.change(|conn| Reader::new(conn)?.distinct(column))
    }

    fn threshold_check(&mut self, key: &str, ttl: i64) -> Outcome<Option<Threshold>> {
        self.look(|reader| books::check(reader.conn, key, ttl))
    }

    fn threshold_set(&mut self, threshold: &Threshold) -> Outcome<()> {
        self.change(|conn| books::set(conn, threshold))
    }

    fn threshold_save(&mut self, thresholded: &Thresholded) -> Outcome<()> {
        self.change(|conn| books::save(conn, thresholded))
    }

    fn threshold_open(&mut self, threshold: &Threshold, now: i64) -> Outcome<Option<Threshold>> {
        self.change(|conn| {
            let held = books::check(conn, &threshold.id, now)?;
            if held.is_none() {
                books::set(conn, threshold)?;
            }
            Ok(held)
        })
    }

    fn threshold_note(&mut self, thresholded: &Thresholded) -> Outcome<()> {
        self.change(|conn| books::note(conn, thresholded).map(drop))
    }

    fn thresholds(&mut self) -> Outcome<Vec<Threshold>> {
        self.look(|reader| books::all(reader.conn))
    }

    fn thresholds_count(&mut self) -> Outcome<u64> {
        self.look(|reader| upkeep::rows(reader.conn, "SELECT count(*) FROM event_threshold"))
    }

    fn thresholds_clean(&mut self, ttl: i64) -> Outcome<u64> {
        self.table_cleanup("thresholds", "ttltime", ttl)
    }

    fn thresholded_count(&mut self) -> Outcome<u64> {
        self.look(|reader| upkeep::rows(reader.conn, "SELECT count(*) FROM event_thresholded"))
    }

    fn thresholded_clean(&mut self) -> Outcome<u64> {
        self.change(books::clean)
    }

    fn relapsed(
        &mut self,
        group: &str,
        severity: &str,
        ttl: i64,
        columns: &[Column],
    ) -> Outcome<Vec<Relapsed>> {
        self.look(|reader| books::relapsed(reader, (group, severity, ttl), columns))
    }

    fn table_cleanup(&mut self, table: &str, column: &str, ttl: i64) -> Outcome<u64> {
        self.change(|conn| upkeep::cleanup(conn, table, column, ttl))
    }

    fn watchdog(&mut self, seconds: i64) -> Outcome<bool> {
        let now = self.now.saturating_mul(1000);
        self.look(|reader| {
            let latest = reader.extreme_time(Column::StorageTime, true)?;
            let since = now.saturating_sub(seconds.saturating_mul(1_000_000));
            Ok(latest.is_some_and(|latest| latest > since))
        })
    }

    fn table_status(&mut self, table: &str, column: &str) -> Outcome<TableStatus> {
        self.look(|reader| upkeep::table_status(reader, table, column))
    }

    fn database_status(&mut self, brief: bool) -> Outcome<Status> {
        self.look(|reader| upkeep::status(reader, brief))
    }

    fn database_create(&mut self) -> Outcome<()> {
        self.change(upkeep::create_tables)
    }

    fn database_drop(&mut self) -> Outcome<()> {
        self.change(upkeep::drop_tables)
    }

    fn index_create(&mut self) -> Outcome<Vec<String>> {
        let go_on = self.go_on();
        self.change(|conn| upkeep::create_indexes(conn, &go_on))
    }

    fn index_drop(&mut self) -> Outcome<Vec<String>> {
        Ok(Vec::new())
    }
}
