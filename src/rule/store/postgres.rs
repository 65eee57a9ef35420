//! Rules in PostgreSQL.

use super::sql::{Cell, Change, Look, Row, RuleStore, Sql, odd};
use crate::config::Secretive;
use crate::diagnostic::{Code, Fault, Outcome};
use crate::store::Within;
use crate::store::postgres::sql::private::BytesMut;
use crate::store::postgres::sql::{IsNull, ToSql, Type, to_sql_checked};
use crate::store::postgres::{Failure, Kind, Parameter, Pool, Session};
use parking_lot::Mutex;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

/// A table that does not exist.
const NO_TABLE: &str = "42P01";
/// What the user of the database may not do.
const NO_RIGHT: &str = "42501";

/// The tables; texts are compared by their bytes, as in the embedded file.
const TABLES: &str = r#"
    CREATE TABLE IF NOT EXISTS rule (
        id text COLLATE "C" PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, number bigint NOT NULL,
        active bigint NOT NULL, is_retro bigint NOT NULL, is_system bigint NOT NULL, folded text COLLATE "C" NOT NULL,
        revision bigint NOT NULL, results bigint NOT NULL, errors bigint NOT NULL, is_error bigint NOT NULL,
        running_at text NOT NULL, body text NOT NULL);
    CREATE INDEX IF NOT EXISTS rule_number ON rule (number);
    CREATE TABLE IF NOT EXISTS rule_entity (
        kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
        number bigint NOT NULL, folded text COLLATE "C" NOT NULL, revision bigint NOT NULL, body text NOT NULL,
        PRIMARY KEY (kind, id), UNIQUE (kind, name));
    CREATE TABLE IF NOT EXISTS rule_link (
        rule text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, target text COLLATE "C" NOT NULL,
        place bigint NOT NULL, PRIMARY KEY (rule, kind, target));
    CREATE INDEX IF NOT EXISTS rule_link_target ON rule_link (kind, target);
    CREATE TABLE IF NOT EXISTS rule_result (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE,
        rule text COLLATE "C", at bigint NOT NULL, alert text NOT NULL);
    CREATE INDEX IF NOT EXISTS rule_result_rule ON rule_result (rule, number);
    CREATE TABLE IF NOT EXISTS rule_row (
        list text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, until bigint, PRIMARY KEY (list, key));
    CREATE TABLE IF NOT EXISTS rule_cell (
        list text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, col text COLLATE "C" NOT NULL,
        place bigint NOT NULL, hash bigint NOT NULL, text text COLLATE "C" NOT NULL, value text NOT NULL,
        PRIMARY KEY (list, key, col));
    CREATE INDEX IF NOT EXISTS rule_cell_hash ON rule_cell (list, col, hash);
    CREATE TABLE IF NOT EXISTS rule_state (
        rule text COLLATE "C" NOT NULL, part text COLLATE "C" NOT NULL, saved bigint NOT NULL, data bytea NOT NULL,
        PRIMARY KEY (rule, part));
"#;

/// Who creates tables keeps others from doing so at the same time.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7596553794337862002)";

/// Rules in a database of PostgreSQL, at an address that nobody looks at before it is used.
pub struct Postgres {
    address: Secretive,
    opened: Mutex<Option<Pool>>,
    /// Whether the tables were there once.
    ready: AtomicBool,
}

impl Postgres {
    /// A store at an address such as `postgres://user:${NAME}@host/database`.
    pub fn new(address: &Secretive) -> Postgres {
        Postgres {
            address: address.clone(),
            opened: Mutex::default(),
            ready: AtomicBool::new(false),
        }
    }

    fn pool(&self) -> Outcome<Pool> {
        let mut opened = self.opened.lock();
        if let Some(pool) = opened.as_ref() {
            return Ok(pool.clone());
        }
        Ok(opened.insert(Pool::new(&self.address)?).clone())
    }

    /// Creates the tables unless they are there.
    fn prepare(&self, within: Within<'_>) -> Outcome<()> {
        if self.ready.load(Ordering::Relaxed) {
            return Ok(());
        }
        let made = self.pool()?.transaction(within, |session, _| {
            session.batch(LOCK, within)?;
            session.batch(TABLES, within)
        });
        made.map_err(worded)?;
        self.ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Runs `work` in a transaction; what it says of a missing table.
    fn run(
        &self,
        within: Within<'_>,
        reading: bool,
        work: &mut dyn FnMut(&mut dyn Sql) -> Outcome<()>,
    ) -> (Outcome<()>, bool) {
        let pool = match self.pool() {
            Ok(pool) => pool,
            Err(fault) => return (Err(fault), false),
        };
        let mut missing = false;
        // What was read where tables are missing: the server has given up that transaction.
        let mut read = None;
        let mut once = |session: &mut Session, _: u32| {
            let mut remote = Remote {
                session,
                within,
                failed: None,
                reading,
                no_table: false,
            };
            let done = work(&mut remote);
            missing = remote.no_table;
            let kind = remote.failed;
            done.map_err(|fault| match kind {
                Some(kind) => Failure::Worded(kind, fault),
                None => Failure::Fault(fault),
            })?;
            if reading && missing {
                read = Some(());
                return Err(Failure::Fault(odd()));
            }
            Ok(())
        };
        let answer = match reading {
            true => pool.reading(within, &mut once),
            false => pool.transaction(within, &mut once),
        };
        match read {
            Some(()) => (Ok(()), true),
            None => (answer.map_err(worded), missing),
        }
    }
}

impl RuleStore for Postgres {
    fn place(&self) -> String {
        match self.pool() {
            Ok(pool) => format!("PostgreSQL at {}", pool.shown()),
            Err(_) => format!(
                "PostgreSQL at {}",
                crate::config::mask_text(self.address.raw())
            ),
        }
    }

    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()> {
        self.run(within, true, work).0
    }

    fn write(&self, within: Within<'_>, mut work: Change) -> Outcome<()> {
        self.prepare(within)?;
        match self.run(within, false, &mut *work) {
            // Somebody dropped the tables.
            (Err(_), true) => {
                self.ready.store(false, Ordering::Relaxed);
                self.prepare(within)?;
                self.run(within, false, &mut *work).0
            }
            (answer, _) => answer,
        }
    }

    fn close(&self) {
        if let Some(pool) = self.opened.lock().as_ref() {
            pool.close();
        }
    }
}

/// A connection to the server.
struct Remote<'s> {
    session: &'s mut Session,
    within: Within<'s>,
    /// What sort of failure a statement had.
    failed: Option<Kind>,
    reading: bool,
    /// A table was missing. For one who reads, all of them are empty then.
    no_table: bool,
}

impl Remote<'_> {
    fn fault(&mut self, failure: Failure) -> Fault {
        self.no_table |= failure.state() == NO_TABLE;
        self.failed = match failure.kind() {
            // Somebody stored the same name at the same moment: the next attempt sees it.
            Some(Kind::Integrity) => Some(Kind::Conflict),
            kind => kind,
        };
        worded(failure)
    }
}

impl Sql for Remote<'_> {
    fn query(&mut self, sql: &str, parameters: &[Cell]) -> Outcome<Vec<Row>> {
        if self.no_table && self.reading {
            return Ok(Vec::new());
        }
        let sent: Vec<Parameter<'_>> = parameters
            .iter()
            .map(|cell| cell as Parameter<'_>)
            .collect();
        let rows = match self.session.query(sql, &sent, self.within) {
            Ok(rows) => rows,
            Err(failure) if self.reading && failure.state() == NO_TABLE => {
                self.no_table = true;
                return Ok(Vec::new());
            }
            Err(failure) => return Err(self.fault(failure)),
        };
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let mut cells = Vec::with_capacity(row.len());
            for (at, column) in row.columns().iter().enumerate() {
                let wrong = |_| odd();
                let cell = match *column.type_() {
                    Type::INT8 => row
                        .try_get::<_, Option<i64>>(at)
                        .map_err(wrong)?
                        .map(Cell::Int),
                    Type::BYTEA => row
                        .try_get::<_, Option<Vec<u8>>>(at)
                        .map_err(wrong)?
                        .map(Cell::Bytes),
                    _ => row
                        .try_get::<_, Option<String>>(at)
                        .map_err(wrong)?
                        .map(Cell::Text),
                };
                cells.push(cell.unwrap_or(Cell::Null));
            }
            all.push(Row::new(cells));
        }
        Ok(all)
    }

    fn execute(&mut self, sql: &str, parameters: &[Cell]) -> Outcome<u64> {
        let sent: Vec<Parameter<'_>> = parameters
            .iter()
            .map(|cell| cell as Parameter<'_>)
            .collect();
        let done = self.session.execute(sql, &sent, self.within);
        done.map_err(|failure| self.fault(failure))
    }
}

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(value) => value.to_sql(kind, out),
            Cell::Text(value) => value.as_str().to_sql(kind, out),
            Cell::Bytes(value) => value.as_slice().to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// A failure in the words of the store of rules.
fn worded(failure: Failure) -> Fault {
    let kind = failure.kind();
    let state = failure.state().to_string();
    let fault = failure.into_fault(|_| Code::ServerFailed);
    match kind {
        Some(Kind::Refused) => {
            fault.help("check the name, the password and the database in the address")
        }
        _ if state == NO_RIGHT => fault.help(
            "the tables of rules are created at the first write: the user needs the right to do so",
        ),
        _ => fault,
    }
}
