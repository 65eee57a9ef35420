//! Events in PostgreSQL, in the tables of Mentat's 2.4 line.

mod address;
mod load;
mod rows;
mod schema;
mod session;
mod upkeep;

use super::{Change, EventStore, Look, Session, Transaction};
use crate::config::Secretive;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::Within;
use crate::store::postgres::{self as pg, Answer, Failure, Kind, Pool};
use address::Known;
use parking_lot::Mutex;
use session::Tables;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// A table that does not exist.
const NO_TABLE: &str = "42P01";
/// A type that does not exist.
const NO_TYPE: &str = "42704";

/// Events in a database of PostgreSQL with the extension ip4r. Cheap to clone; nothing is connected before it is used.
#[derive(Debug, Clone)]
pub struct Postgres(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    /// Whether the database has the index of addresses.
    addresses: Mutex<Known>,
}

impl Postgres {
    /// A store at an address such as `postgres://user:${NAME}@host/database`. E0501.
    pub fn new(address: &Secretive) -> Outcome<Postgres> {
        Ok(Postgres(Arc::new(Inner {
            pool: Pool::new(address)?,
            addresses: Mutex::default(),
        })))
    }

    /// Creates the index of addresses, which is not part of Mentat's tables: searches by address find their events in
    /// milliseconds among millions. The database keeps it right, whoever writes. E0606.
    pub fn address_index_create(&self, within: Within<'_>) -> Outcome<()> {
        self.alone(within, address::create)
    }

    /// Removes the index of addresses. E0606.
    pub fn address_index_drop(&self, within: Within<'_>) -> Outcome<()> {
        self.alone(within, address::drop_all)
    }

    /// What is there: whether the database answers, has the extension ip4r, and has the tables. E0606.
    pub fn examine(&self, within: Within<'_>) -> Outcome<Health> {
        let looked = self.0.pool.reading(within, |session, _| {
            let started = Instant::now();
            session.query("SELECT 1", &[], within)?;
            let latency = started.elapsed();
            let sql = "SELECT current_setting('server_version'), \
                       (SELECT extversion FROM pg_extension WHERE extname = 'ip4r')";
            let found = session.query(sql, &[], within)?;
            let mut missing = Vec::new();
            for (table, _) in schema::TABLES {
                let sql = "SELECT 1 WHERE to_regclass(quote_ident($1)) IS NOT NULL";
                if session.query(sql, &[table], within)?.is_empty() {
                    missing.push((*table).to_string());
                }
            }
            let (version, ip4r) = match found.first() {
                Some(row) => (row.try_get(0)?, row.try_get(1)?),
                None => (String::new(), None),
            };
            Ok(Health {
                latency,
                version,
                ip4r,
                tables: schema::TABLES.len(),
                missing,
            })
        });
        looked.map_err(worded)
    }

    fn alone(
        &self,
        within: Within<'_>,
        work: fn(&mut pg::Session, Within<'_>) -> Answer<()>,
    ) -> Outcome<()> {
        let answer = self
            .0
            .pool
            .transaction(within, |session, _| work(session, within));
        *self.0.addresses.lock() = Known::default();
        answer.map_err(worded)
    }

    /// Runs `work` in a transaction; on the way out its fault has the kind that says whether to try again.
    fn run(
        &self,
        within: Within<'_>,
        reading: bool,
        work: &mut dyn FnMut(&mut dyn Session) -> Outcome<()>,
    ) -> Result<(), Ended> {
        let mut missing = false;
        let mut attempt_once = |session: &mut pg::Session, attempt: u32| {
            let mut tables = Tables::new(session, &self.0, within, attempt);
            let done = work(&mut tables);
            let (kind, no_table, given) = (tables.trouble, tables.no_table, tables.given);
            missing |= no_table;
            done.map_err(|fault| match kind {
                // What was handed out cannot be taken back.
                Some(Kind::Connection | Kind::Conflict | Kind::Stale) if given => {
                    Failure::Fault(fault)
                }
                Some(kind) => Failure::Worded(kind, fault),
                None => Failure::Fault(fault),
            })
        };
        let answer = match reading {
            true => self.0.pool.reading(within, &mut attempt_once),
            false => self.0.pool.transaction(within, &mut attempt_once),
        };
        answer.map_err(|failure| match missing {
            true => Ended::NoTable(worded(failure)),
            false => Ended::Failed(worded(failure)),
        })
    }
}

/// How a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How long it took to answer.
    pub latency: Duration,
    /// The version of the server.
    pub version: String,
    /// The version of the extension ip4r, if it is there.
    pub ip4r: Option<String>,
    /// How many tables there should be.
    pub tables: usize,
    /// Those that are missing.
    pub missing: Vec<String>,
}

/// Why work did not succeed.
enum Ended {
    /// A table is missing.
    NoTable(Fault),
    /// Anything else.
    Failed(Fault),
}

impl From<Ended> for Fault {
    fn from(ended: Ended) -> Fault {
        match ended {
            Ended::NoTable(fault) | Ended::Failed(fault) => fault,
        }
    }
}

impl EventStore for Postgres {
    fn place(&self) -> String {
        format!("PostgreSQL at {}", self.0.pool.shown())
    }

    /// Whoever names a database expects it to be there: where tables are missing that is said, or mended.
    fn is_there(&self, _: Within<'_>) -> Outcome<bool> {
        Ok(true)
    }

    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()> {
        Ok(self.run(within, true, work)?)
    }

    fn write(&self, within: Within<'_>, mut work: Change) -> Outcome<()> {
        match self.run(within, false, &mut *work) {
            Err(Ended::NoTable(_)) => {
                self.run(within, false, &mut |session| session.database_create())?;
                Ok(self.run(within, false, &mut *work)?)
            }
            answer => Ok(answer?),
        }
    }

    fn begin(&self, within: Within<'_>) -> Outcome<Box<dyn Transaction>> {
        Ok(Box::new(Held {
            store: self.0.clone(),
            session: None,
            cancel: within.cancel.clone(),
        }))
    }

    fn close(&self) {
        self.0.pool.close();
    }
}

/// A transaction over several calls, on one connection.
struct Held {
    store: Arc<Inner>,
    session: Option<pg::Session>,
    /// What ends the calls that are made through the last answer.
    cancel: Arc<AtomicBool>,
}

impl Transaction for Held {
    fn session(&mut self, within: Within<'_>) -> Outcome<Box<dyn Session + '_>> {
        // On a connection that was lost every call fails until the caller has noticed, by commit or roll-back.
        let open = self.session.take().filter(pg::Session::in_transaction);
        let session = match open {
            Some(session) => session,
            None => self.store.pool.begun(within).map_err(worded)?,
        };
        let session = self.session.insert(session);
        self.cancel = within.cancel.clone();
        let within = Within {
            now: within.now,
            deadline: within.deadline,
            cancel: &self.cancel,
        };
        Ok(Box::new(Tables::new(session, &self.store, within, 1)))
    }

    fn commit(&mut self, within: Within<'_>) -> Outcome<()> {
        self.end(|session| session.commit(within))
    }

    fn rollback(&mut self, within: Within<'_>) -> Outcome<()> {
        self.end(|session| match session.usable() {
            true => session.rollback(within),
            // The server has done so itself.
            false => Ok(()),
        })
    }
}

impl Held {
    fn end(&mut self, how: impl FnOnce(&mut pg::Session) -> Answer<()>) -> Outcome<()> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let answer = how(session);
        // The next transaction may have another connection.
        self.session = None;
        answer.map_err(worded)
    }
}

/// A failure in the words of the event store.
fn worded(failure: Failure) -> Fault {
    let state = failure.state().to_string();
    let kind = failure.kind();
    let fault = failure.into_fault(|kind| match kind {
        Kind::Data => Code::EventData,
        Kind::Integrity => Code::EventIntegrity,
        _ => Code::EventStorage,
    });
    match (state.as_str(), kind) {
        (NO_TABLE, _) => fault.help("`stellar event init` creates the tables"),
        (NO_TYPE, _) if fault.message.contains("iprange") => without_extension(fault),
        (_, Some(Kind::Refused)) => {
            fault.help("check the name, the password and the database in the address")
        }
        _ => fault,
    }
}

/// What is to be done where there are no ranges of addresses.
fn without_extension(fault: Fault) -> Fault {
    Diagnostic::new(
        Code::EventStorage,
        "the database lacks the extension ip4r, which brings ranges of addresses",
    )
    .note(fault.message)
    .help(
        "an administrator of the database installs it (on Debian the package postgresql-VERSION-ip4r) and runs \
         CREATE EXTENSION ip4r in this database",
    )
}
