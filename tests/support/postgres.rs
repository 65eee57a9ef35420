//! A schema of a test's own in the database of the tests, with a store of events in it.
#![allow(dead_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use stellar::config::Secretive;
use stellar::diagnostic::Outcome;
use stellar::event::query::Query;
use stellar::event::store::{Change, EventStore, Loaded, Postgres, Session};
use stellar::event::{COLUMNS, Row};
use stellar::store::postgres::Pool;
use stellar::store::{Deadline, Within};

/// A schema of its own in the server's database, removed at the end.
pub struct Own {
    pub server: String,
    pub schema: String,
    /// Where the schema is.
    pub address: String,
    pub store: Postgres,
    pub pool: Pool,
}

impl Own {
    pub fn new(server: &str) -> Own {
        let own = Own::empty(server);
        own.write(|session| session.database_create());
        own
    }

    /// Without tables.
    pub fn empty(server: &str) -> Own {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let schema = format!(
            "t{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        run(server, &format!("CREATE SCHEMA {schema}"));
        let address =
            format!("{server}?options=-csearch_path%3D{schema}%2Cpublic&application_name={schema}");
        let secretive = Secretive::new(&address);
        Own {
            server: server.to_string(),
            store: Postgres::new(&secretive).unwrap(),
            pool: Pool::new(&secretive).unwrap(),
            schema,
            address,
        }
    }

    #[track_caller]
    pub fn write(&self, work: impl FnMut(&mut dyn Session) -> Outcome<()> + Send + 'static) {
        self.try_write(work).unwrap();
    }

    pub fn try_write(
        &self,
        work: impl FnMut(&mut dyn Session) -> Outcome<()> + Send + 'static,
    ) -> Outcome<()> {
        let work: Change = Box::new(work);
        self.store.write(within(&Arc::default()), work)
    }

    #[track_caller]
    pub fn read<T>(&self, mut work: impl FnMut(&mut dyn Session) -> Outcome<T>) -> T {
        let mut answer = None;
        let reading = |session: &mut dyn Session| {
            answer = Some(work(session)?);
            Ok(())
        };
        let mut reading = reading;
        self.store
            .read(within(&Arc::default()), &mut reading)
            .unwrap();
        answer.unwrap()
    }

    pub fn load(&self, rows: &[Row]) -> Loaded {
        let (rows, loaded) = (rows.to_vec(), Arc::new(parking_lot::Mutex::new(None)));
        let filled = loaded.clone();
        self.write(move |session| {
            *filled.lock() = Some(session.load(&rows)?);
            Ok(())
        });
        loaded.lock().take().unwrap()
    }

    pub fn insert(&self, row: &Row) -> Outcome<()> {
        let row = row.clone();
        self.try_write(move |session| session.insert(&row))
    }

    pub fn count(&self, parameters: &serde_json::Value) -> u64 {
        let query = Query::from_json(parameters).unwrap();
        self.read(|session| session.count(&query))
    }

    pub fn ids(&self, parameters: &serde_json::Value) -> Vec<String> {
        let query = Query::from_json(parameters).unwrap();
        let mut ids = self.read(|session| {
            let mut ids = Vec::new();
            session.search(&query, &COLUMNS[..1], &mut |record| {
                ids.push(record.row.id);
                Ok(true)
            })?;
            Ok(ids)
        });
        ids.sort_unstable();
        ids
    }

    /// Ends all connections of the store, and says how many there were.
    pub fn break_connections(&self) -> i64 {
        ask(
            &self.server,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1",
            &self.schema,
        )
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.store.close();
        self.break_connections();
        run(
            &self.server,
            &format!("DROP SCHEMA {} CASCADE", self.schema),
        );
    }
}

pub fn within(cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now: 1_767_225_600_000,
        deadline: Deadline::after(Duration::from_secs(120)),
        cancel,
    }
}

/// Runs a statement of the test's own.
pub fn run(server: &str, sql: &str) {
    let pool = Pool::new(&Secretive::new(server)).unwrap();
    let cancel = Arc::default();
    pool.run(within(&cancel), |session, _| {
        session.execute(sql, &[], within(&cancel))
    })
    .unwrap();
}

/// The number that a statement gives for a text.
pub fn ask(server: &str, sql: &str, text: &str) -> i64 {
    let pool = Pool::new(&Secretive::new(server)).unwrap();
    let cancel = Arc::default();
    pool.run(within(&cancel), |session, _| {
        let rows = session.query(sql, &[&text], within(&cancel))?;
        Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
    })
    .unwrap()
}
