//! The event store as its users see it: a service that commits by itself, and a cursor that does not.

use super::query::{Aggregate, Bound, Condition, Group, Kind, Order, Query, Timeline, Timelines};
use super::store::{
    Cell, EventStore, Extreme, Loaded, Relapsed, Session, Status, TableStatus, Threshold,
    Thresholded, Transaction,
};
use super::{COLUMNS, Column, ColumnKind, Record, Row};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::Within;
use parking_lot::{Mutex, RwLock};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// The event store. Every call is a transaction of its own: committed after success, rolled back after failure, and
/// done once more after a lost connection. Times are microseconds since 1970.
#[derive(Clone)]
pub struct Events(Arc<dyn EventStore>);

impl Events {
    /// Events in this store.
    pub fn new(store: Arc<dyn EventStore>) -> Events {
        Events(store)
    }

    /// What the store is and where.
    pub fn place(&self) -> String {
        self.0.place()
    }

    /// Closes connections that are kept; the next call opens new ones.
    pub fn close(&self) {
        self.0.close();
    }

    /// A cursor: several calls in one transaction.
    pub fn cursor(&self, within: Within<'_>) -> Outcome<Cursor> {
        Ok(Cursor(self.0.begin(within)?))
    }

    /// The SQL that a query means, with its arguments as literals.
    pub fn mogrify(&self, query: &Query, kind: Kind<'_>) -> String {
        query.sql(kind).mogrify()
    }

    /// Several calls that look, in one snapshot.
    pub fn read<T>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut dyn Session) -> Outcome<T>,
    ) -> Outcome<T> {
        let mut answer = None;
        self.0.read(within, &mut |session| {
            answer = Some(work(session)?);
            Ok(())
        })?;
        answer.ok_or_else(unanswered)
    }

    /// Several calls that change something, in one transaction. The work may be done more than once, each time on a
    /// state in which it has not happened.
    pub fn write<T: Send + 'static>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut dyn Session) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        let work = move |session: &mut dyn Session| {
            *filled.lock() = Some(work(session)?);
            Ok(())
        };
        self.0.write(within, Box::new(work))?;
        let answer = slot.lock().take();
        answer.ok_or_else(unanswered)
    }

    /// As [`Events::write`] for what only removes: where there is nothing, nothing is created for it.
    fn reduce<T: Send + Default + 'static>(
        &self,
        within: Within<'_>,
        work: impl FnMut(&mut dyn Session) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        match self.0.is_there(within)? {
            true => self.write(within, work),
            false => Ok(T::default()),
        }
    }

    /// Stores an event. E0608 when its identifier is there already.
    pub fn insert(&self, row: Row, within: Within<'_>) -> Outcome<()> {
        self.write(within, move |session| session.insert(&row))
    }

    /// Stores many events; those that cannot be stored are left out and reported.
    pub fn load(&self, rows: Vec<Row>, within: Within<'_>) -> Outcome<Loaded> {
        self.write(within, move |session| session.load(&rows))
    }

    /// The whole event of an identifier.
    pub fn fetch(&self, id: &str, within: Within<'_>) -> Outcome<Option<Record>> {
        self.read(within, |session| session.fetch(id, COLUMNS))
    }

    /// Removes the event of an identifier; false when there is none.
    pub fn delete(&self, id: &str, within: Within<'_>) -> Outcome<bool> {
        let id = id.to_string();
        self.reduce(within, move |session| session.delete(&id))
    }

    /// How many events a query finds, whatever its limit.
    pub fn count(&self, query: &Query, within: Within<'_>) -> Outcome<u64> {
        self.read(within, |session| session.count(query))
    }

    /// Columns of the events that a query finds, in its order, collected. [`Events::each`] collects nothing.
    pub fn search(
        &self,
        query: &Query,
        columns: &[Column],
        within: Within<'_>,
    ) -> Outcome<Vec<Record>> {
        self.read(within, |session| {
            let mut found = Vec::new();
            session.search(query, columns, &mut |record| {
                found.push(record);
                Ok(true)
            })?;
            Ok(found)
        })
    }

    /// Calls `take` with columns of the events that a query finds, in its order, until it gives false.
    pub fn each(
        &self,
        query: &Query,
        columns: &[Column],
        within: Within<'_>,
        mut take: impl FnMut(Record) -> Outcome<bool>,
    ) -> Outcome<()> {
        self.read(within, |session| session.search(query, columns, &mut take))
    }

    /// Removes the events that a query finds, whatever its limit, and says how many. A query without conditions
    /// removes all.
    pub fn delete_events(&self, query: &Query, within: Within<'_>) -> Outcome<u64> {
        query.check()?;
        let query = query.clone();
        self.reduce(within, move |session| session.delete_events(&query))
    }

    /// Counts the events of a query by time.
    pub fn timeline(
        &self,
        query: &Query,
        timeline: &Timeline,
        within: Within<'_>,
    ) -> Outcome<Timelines> {
        self.read(within, |session| session.timeline(query, timeline))
    }

    /// Counts the events of a query by the values of a column, the most frequent first.
    pub fn aggregate(
        &self,
        query: &Query,
        aggregate: &Aggregate,
        within: Within<'_>,
    ) -> Outcome<Vec<Group>> {
        self.read(within, |session| session.aggregate(query, aggregate))
    }

    /// The smallest or largest value of a column.
    pub fn column_with(
        &self,
        column: Column,
        extreme: Extreme,
        within: Within<'_>,
    ) -> Outcome<Option<Cell>> {
        self.read(within, |session| session.column_with(column, extreme))
    }

    /// The smallest or largest value of a column among the events of a query. E0606 for the column `event`.
    pub fn column_of(
        &self,
        query: &Query,
        column: Column,
        extreme: Extreme,
        within: Within<'_>,
    ) -> Outcome<Option<Cell>> {
        if query.is_unlimited() && query.limit.is_none() || column.kind() == ColumnKind::Bytes {
            return self.column_with(column, extreme, within);
        }
        let mut query = query.clone();
        if column.kind() == ColumnKind::Time && query.limit.is_none() {
            query.limit = Some(1);
            query.order = Some(Order {
                column,
                descending: extreme == Extreme::Max,
            });
        }
        let mut best: Option<Cell> = None;
        self.each(&query, &[column], within, |record| {
            if let Some(cell) = super::shape::cell(&record.row, column) {
                let better = match (&best, extreme) {
                    (None, _) => true,
                    (Some(best), Extreme::Min) => cell < *best,
                    (Some(best), Extreme::Max) => cell > *best,
                };
                if better {
                    best = Some(cell);
                }
            }
            Ok(true)
        })?;
        Ok(best)
    }

    /// From when to before when the events of a query lie in a time column: as its conditions say, else as the events
    /// are. `None` when there are none.
    pub fn span(
        &self,
        query: &Query,
        column: Column,
        within: Within<'_>,
    ) -> Outcome<Option<(i64, i64)>> {
        let (mut from, mut to): (Option<i64>, Option<i64>) = (None, None);
        for condition in &query.conditions {
            if let Condition::Time {
                column: tested,
                bound,
                at,
            } = condition
                && *tested == column
            {
                let after = at.saturating_add(1);
                match bound {
                    Bound::From => from = Some(from.map_or(*at, |from| from.max(*at))),
                    Bound::To => to = Some(to.map_or(after, |to| to.min(after))),
                    Bound::Before => to = Some(to.map_or(*at, |to| to.min(*at))),
                }
            }
        }
        let seen = |extreme| -> Outcome<Option<i64>> {
            match self.column_of(query, column, extreme, within)? {
                Some(Cell::Time(at)) => Ok(Some(at)),
                _ => Ok(None),
            }
        };
        if from.is_none() {
            from = seen(Extreme::Min)?;
        }
        if to.is_none() {
            to = seen(Extreme::Max)?.map(|at| at.saturating_add(1));
        }
        Ok(from.zip(to))
    }

    /// All values that a column has had, sorted.
    pub fn distinct(&self, column: Column, within: Within<'_>) -> Outcome<Vec<String>> {
        super::store::enumerated(column)?;
        self.reduce(within, move |session| session.distinct(column))
    }

    /// The threshold of a key, unless it ended before `ttl`.
    pub fn threshold_check(
        &self,
        key: &str,
        ttl: i64,
        within: Within<'_>,
    ) -> Outcome<Option<Threshold>> {
        self.read(within, |session| session.threshold_check(key, ttl))
    }

    /// Stores a threshold; one of the same key is replaced.
    pub fn threshold_set(&self, threshold: Threshold, within: Within<'_>) -> Outcome<()> {
        self.write(within, move |session| session.threshold_set(&threshold))
    }

    /// Notes an event that was held back. E0608 when it is noted already for that key.
    pub fn threshold_save(&self, thresholded: Thresholded, within: Within<'_>) -> Outcome<()> {
        self.write(within, move |session| session.threshold_save(&thresholded))
    }

    /// All thresholds, by key.
    pub fn thresholds(&self, within: Within<'_>) -> Outcome<Vec<Threshold>> {
        self.read(within, |session| session.thresholds())
    }

    /// How many thresholds there are.
    pub fn thresholds_count(&self, within: Within<'_>) -> Outcome<u64> {
        self.read(within, |session| session.thresholds_count())
    }

    /// Removes thresholds that ended before `ttl` and says how many.
    pub fn thresholds_clean(&self, ttl: i64, within: Within<'_>) -> Outcome<u64> {
        self.reduce(within, move |session| session.thresholds_clean(ttl))
    }

    /// How many notes of events held back there are.
    pub fn thresholded_count(&self, within: Within<'_>) -> Outcome<u64> {
        self.read(within, |session| session.thresholded_count())
    }

    /// Removes notes without a threshold, and notes from before the relapse part of theirs; says how many.
    pub fn thresholded_clean(&self, within: Within<'_>) -> Outcome<u64> {
        self.reduce(within, |session| session.thresholded_clean())
    }

    /// The events of a group and a severity that were held back in the relapse part of a window that has ended.
    pub fn relapsed(
        &self,
        group: &str,
        severity: &str,
        ttl: i64,
        within: Within<'_>,
    ) -> Outcome<Vec<Relapsed>> {
        self.read(within, |session| {
            session.relapsed(group, severity, ttl, COLUMNS)
        })
    }

    /// Removes the rows of a table whose time in a column is before `ttl` and says how many.
    pub fn table_cleanup(
        &self,
        table: &str,
        column: &str,
        ttl: i64,
        within: Within<'_>,
    ) -> Outcome<u64> {
        let (table, column) = (table.to_string(), column.to_string());
        self.reduce(within, move |session| {
            session.table_cleanup(&table, &column, ttl)
        })
    }

    /// Whether an event was stored less than so many seconds ago.
    pub fn watchdog(&self, seconds: i64, within: Within<'_>) -> Outcome<bool> {
        self.read(within, |session| session.watchdog(seconds))
    }

    /// The size and the age of a table, and the reach of the times in a column.
    pub fn table_status(
        &self,
        table: &str,
        column: &str,
        within: Within<'_>,
    ) -> Outcome<TableStatus> {
        self.read(within, |session| session.table_status(table, column))
    }

    /// The status of all tables; unless `brief`, the settings of the database, too.
    pub fn database_status(&self, brief: bool, within: Within<'_>) -> Outcome<Status> {
        self.read(within, |session| session.database_status(brief))
    }

    /// Creates the tables that are missing.
    pub fn database_create(&self, within: Within<'_>) -> Outcome<()> {
        self.write(within, |session| session.database_create())
    }

    /// Removes the tables with all that is in them.
    pub fn database_drop(&self, within: Within<'_>) -> Outcome<()> {
        self.reduce(within, |session| session.database_drop())
    }

    /// Creates the indexes that are missing; their names.
    pub fn index_create(&self, within: Within<'_>) -> Outcome<Vec<String>> {
        self.write(within, |session| session.index_create())
    }

    /// Removes the indexes that can be removed; their names.
    pub fn index_drop(&self, within: Within<'_>) -> Outcome<Vec<String>> {
        self.reduce(within, |session| session.index_drop())
    }
}

fn unanswered() -> crate::diagnostic::Fault {
    Diagnostic::new(Code::Internal, "the event store gave no answer")
}

/// A transaction over several calls: what is changed stays only after a commit. Dropped, it is rolled back.
pub struct Cursor(Box<dyn Transaction>);

impl Cursor {
    /// Everything that can be done, for calls that must keep to `within`.
    pub fn session(&mut self, within: Within<'_>) -> Outcome<Box<dyn Session + '_>> {
        self.0.session(within)
    }

    /// Makes permanent what was done since the last commit.
    pub fn commit(&mut self, within: Within<'_>) -> Outcome<()> {
        self.0.commit(within)
    }

    /// Takes back what was done since the last commit.
    pub fn rollback(&mut self, within: Within<'_>) -> Outcome<()> {
        self.0.rollback(within)
    }

    /// Ends it; what was not committed is taken back.
    pub fn close(self) {}
}

/// What opens a store from the settings of Mentat's core configuration.
pub type Open = Box<dyn Fn(&Map<String, Json>) -> Outcome<Events> + Send + Sync>;

/// Opens the event store of a Mentat core configuration when it is first asked for, and keeps it.
pub struct Manager {
    settings: Map<String, Json>,
    open: Option<Open>,
    service: Mutex<Option<Events>>,
}

impl Manager {
    /// Takes the settings at `__core__database.eventstorage` of `core`; those at the same place of `updates` replace
    /// them one by one. Nothing is opened. E0501 when `core` has no such settings.
    pub fn new(core: &Json, updates: Option<&Json>, open: Open) -> Outcome<Manager> {
        let place = |json: &Json| -> Option<Map<String, Json>> {
            let settings = json.get("__core__database")?.get("eventstorage")?;
            settings.as_object().cloned()
        };
        let mut settings = place(core).ok_or_else(|| {
            Diagnostic::new(
                Code::Configuration,
                "the core configuration has no settings at __core__database.eventstorage",
            )
        })?;
        settings.extend(updates.and_then(place).unwrap_or_default());
        Ok(Manager {
            settings,
            open: Some(open),
            service: Mutex::default(),
        })
    }

    /// A manager of a store that is there already.
    pub fn of(service: Events) -> Manager {
        Manager {
            settings: Map::new(),
            open: None,
            service: Mutex::new(Some(service)),
        }
    }

    /// The settings that the store is opened with.
    pub fn settings(&self) -> &Map<String, Json> {
        &self.settings
    }

    /// The store, always the same one until it is closed.
    pub fn service(&self) -> Outcome<Events> {
        let mut service = self.service.lock();
        if let Some(service) = service.as_ref() {
            return Ok(service.clone());
        }
        let Some(open) = &self.open else {
            return Err(Diagnostic::new(
                Code::EventStorage,
                "the event store was closed",
            ));
        };
        Ok(service.insert(open(&self.settings)?).clone())
    }

    /// Closes the store; the next call opens it again.
    pub fn close(&self) {
        if let Some(service) = self.service.lock().take() {
            service.close();
        }
    }
}

/// The manager that everybody asks, which can be replaced.
#[derive(Default)]
pub struct Managed(RwLock<Option<Arc<Manager>>>);

impl Managed {
    /// Puts a manager in place of the one that is there.
    pub fn set(&self, manager: Manager) {
        *self.0.write() = Some(Arc::new(manager));
    }

    /// The manager. E0606 before there is one.
    pub fn manager(&self) -> Outcome<Arc<Manager>> {
        let manager = self.0.read().clone();
        manager.ok_or_else(|| Diagnostic::new(Code::EventStorage, "no event store is configured"))
    }

    /// The manager's store.
    pub fn service(&self) -> Outcome<Events> {
        self.manager()?.service()
    }

    /// Closes the manager's store, if there is one.
    pub fn close(&self) {
        if let Some(manager) = self.0.read().as_ref() {
            manager.close();
        }
    }
}
