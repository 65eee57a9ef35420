//! Table lists of a store that may be away: a stream of events does not wait for it again and again.

use crate::diagnostic::{Code, Fault, Outcome};
use crate::eval::Value;
use crate::rule::tables::{Row, Tables};
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For how long nobody asks after the first failure; twice as long after each more.
const FIRST: Duration = Duration::from_millis(500);
/// For how long at most.
const LONGEST: Duration = Duration::from_secs(30);

/// Table lists; while their store is away, calls fail at once.
pub struct PatientTables {
    tables: Arc<dyn Tables>,
    away: Mutex<Option<Away>>,
}

struct Away {
    fault: Fault,
    until: Instant,
    pause: Duration,
}

impl PatientTables {
    /// These tables.
    pub fn new(tables: Arc<dyn Tables>) -> PatientTables {
        PatientTables {
            tables,
            away: Mutex::default(),
        }
    }

    fn ask<T>(&self, work: impl FnOnce(&dyn Tables) -> Outcome<T>) -> Outcome<T> {
        if let Some(away) = self.away.lock().as_ref()
            && Instant::now() < away.until
        {
            return Err(away.fault.clone());
        }
        let answer = work(&*self.tables);
        match &answer {
            Err(fault) if is_away(fault) => {
                let mut away = self.away.lock();
                let pause = away.as_ref().map_or(FIRST, |a| (a.pause * 2).min(LONGEST));
                *away = Some(Away {
                    fault: fault.clone(),
                    until: Instant::now() + pause,
                    pause,
                });
            }
            Err(_) => {}
            Ok(_) => *self.away.lock() = None,
        }
        answer
    }
}

/// Whether a failure is the store's, not the question's.
pub(super) fn is_away(fault: &Fault) -> bool {
    matches!(
        fault.code,
        Code::ServerFailed | Code::StoreFailed | Code::StoreOpen | Code::Timeout
    )
}

impl Tables for PatientTables {
    fn row(&self, table: &str, key: &str, now: i64) -> Outcome<Option<Row>> {
        self.ask(|tables| tables.row(table, key, now))
    }

    fn cell(&self, table: &str, key: &str, column: &str, now: i64) -> Outcome<Option<Value>> {
        self.ask(|tables| tables.cell(table, key, column, now))
    }

    fn search(&self, table: &str, column: &str, text: &str, now: i64) -> Outcome<Option<SmolStr>> {
        self.ask(|tables| tables.search(table, column, text, now))
    }

    fn set(
        &self,
        table: &str,
        key: &str,
        column: &str,
        value: Value,
        lifetime: Option<Duration>,
        now: i64,
    ) -> Outcome<()> {
        self.ask(|tables| tables.set(table, key, column, value, lifetime, now))
    }

    fn remove(&self, table: &str, key: &str) -> Outcome<bool> {
        self.ask(|tables| tables.remove(table, key))
    }

    fn count(&self, table: &str, now: i64) -> Outcome<usize> {
        self.ask(|tables| tables.count(table, now))
    }

    fn truncate(&self, table: &str) -> Outcome<()> {
        self.ask(|tables| tables.truncate(table))
    }
}
