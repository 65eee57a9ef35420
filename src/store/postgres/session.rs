//! One connection in use: statements, transactions, bulk loads.

use super::pool::Lease;
use super::{Answer, Failure, Kind};
use crate::store::{Deadline, Within, wait};
use futures_util::StreamExt;
use futures_util::future::join;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 256;
/// For telling the server that a statement is not wanted any more.
const CANCELLING: Duration = Duration::from_secs(1);

/// A parameter of a statement.
pub type Parameter<'a> = &'a (dyn ToSql + Sync);

/// A connection and what was prepared on it.
pub(super) struct Link {
    pub client: Arc<Client>,
    pub tls: MakeRustlsConnect,
    statements: HashMap<String, Statement>,
}

impl Link {
    pub fn new(client: Client, tls: MakeRustlsConnect) -> Link {
        Link {
            client: Arc::new(client),
            tls,
            statements: HashMap::new(),
        }
    }

    /// The statement, prepared now or before.
    async fn statement(&mut self, sql: &str) -> Result<Statement, Error> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.client.prepare(sql).await?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_string(), prepared.clone());
        Ok(prepared)
    }
}

/// A connection in use. It goes back to its pool when dropped; with a transaction open, or after a statement that did
/// not end, it is closed instead, and the server takes back what was not committed.
pub struct Session {
    lease: Lease,
    /// A transaction is open.
    open: bool,
    /// What opens it travels with its first statement.
    beginning: Option<&'static str>,
    /// It changes nothing.
    reading: bool,
    /// A statement failed in it, so that the server keeps nothing of it.
    failed: bool,
    /// Nothing more can be said on the connection.
    spoiled: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.open || self.spoiled {
            self.lease.link = None;
        }
    }
}

impl Session {
    pub(super) fn new(lease: Lease) -> Session {
        Session {
            lease,
            open: false,
            beginning: None,
            reading: false,
            failed: false,
            spoiled: false,
        }
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.open
    }

    /// Whether the connection can still be used.
    pub fn usable(&self) -> bool {
        !self.spoiled
            && self
                .lease
                .link
                .as_ref()
                .is_some_and(|l| !l.client.is_closed())
    }

    /// All rows that a statement gives.
    pub fn query(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        within: Within<'_>,
    ) -> Answer<Vec<Row>> {
        self.ask(sql, within, async |client, statement| {
            Ok(client.query(statement, parameters).await?)
        })
    }

    /// Gives the rows of a statement to `take`, one by one as they come, until it gives false or fails.
    pub fn each(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        within: Within<'_>,
        mut take: impl FnMut(&Row) -> Answer<bool>,
    ) -> Answer<()> {
        let reading = self.reading;
        let (taken, finished) = self.ask(sql, within, async |client, statement| {
            let parameters = parameters.iter().copied();
            let mut rows = pin!(client.query_raw(statement, parameters).await?);
            let mut taken = Ok(true);
            while let Some(row) = rows.as_mut().next().await {
                let row = row?;
                if matches!(taken, Ok(true)) {
                    taken = take(&row);
                } else if reading {
                    return Ok((taken, false));
                }
            }
            Ok((taken, true))
        })?;
        if !finished {
            // Where nothing can be lost, the rest need not be waited for.
            self.stop();
        }
        taken.map(drop)
    }

    /// Runs a statement that gives no rows: how many it changed.
    pub fn execute(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        within: Within<'_>,
    ) -> Answer<u64> {
        self.ask(sql, within, async |client, statement| {
            Ok(client.execute(statement, parameters).await?)
        })
    }

    /// Runs statements that stand in the program, without parameters; more than one may stand in a text.
    pub fn batch(&mut self, sql: &'static str, within: Within<'_>) -> Answer<()> {
        self.run(within, async |link| {
            Ok(link.client.batch_execute(sql).await?)
        })
    }

    /// The types of the columns that a statement gives.
    pub fn types(&mut self, sql: &str, within: Within<'_>) -> Answer<Vec<Type>> {
        self.ask(sql, within, async |_, statement| {
            Ok(statement
                .columns()
                .iter()
                .map(|c| c.type_().clone())
                .collect())
        })
    }

    /// Sends rows in binary to `COPY … FROM STDIN (FORMAT binary)`: how many there were. `types` are the columns'.
    pub fn copy<'r>(
        &mut self,
        sql: &str,
        types: &[Type],
        rows: impl IntoIterator<Item = Vec<Parameter<'r>>>,
        within: Within<'_>,
    ) -> Answer<u64> {
        self.ask(sql, within, async |client, statement| {
            let sink = client.copy_in(statement).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, types));
            for row in rows {
                writer.as_mut().write(&row).await?;
            }
            Ok(writer.finish().await?)
        })
    }

    /// Opens a transaction.
    pub fn begin(&mut self) {
        self.open_with("BEGIN", false);
    }

    /// Opens a transaction that sees one state of the database and changes nothing.
    pub fn begin_reading(&mut self) {
        self.open_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", true);
    }

    fn open_with(&mut self, sql: &'static str, reading: bool) {
        self.open = true;
        self.reading = reading;
        self.failed = false;
        self.beginning = Some(sql);
    }

    /// Keeps what was done since the transaction was opened. When a statement failed in it there is nothing to keep,
    /// which is an error, not a silent roll-back.
    pub fn commit(&mut self, within: Within<'_>) -> Answer<()> {
        if self.failed {
            self.rollback(within)?;
            let message = "the transaction was rolled back because a statement in it had failed";
            return Err(Failure::new(Kind::Other, message));
        }
        self.close("COMMIT", within)
    }

    /// Takes it back.
    pub fn rollback(&mut self, within: Within<'_>) -> Answer<()> {
        self.close("ROLLBACK", within)
    }

    fn close(&mut self, sql: &'static str, within: Within<'_>) -> Answer<()> {
        // Where nothing was said the server knows of no transaction.
        if self.open && self.beginning.take().is_none() {
            self.batch(sql, within)?;
        }
        self.open = false;
        self.failed = false;
        Ok(())
    }

    /// Runs `work` so that its failure takes back nothing but what it did itself. Only in a transaction.
    pub fn guarded<T>(
        &mut self,
        within: Within<'_>,
        work: impl FnOnce(&mut Session) -> Answer<T>,
    ) -> Answer<T> {
        self.batch("SAVEPOINT stellar", within)?;
        match work(self) {
            Ok(value) => {
                self.batch("RELEASE SAVEPOINT stellar", within)?;
                Ok(value)
            }
            Err(failure) => {
                if self.usable() {
                    let sql = "ROLLBACK TO SAVEPOINT stellar; RELEASE SAVEPOINT stellar";
                    self.batch(sql, within)?;
                    self.failed = false;
                }
                Err(failure)
            }
        }
    }

    fn ask<T>(
        &mut self,
        sql: &str,
        within: Within<'_>,
        work: impl AsyncFnOnce(&Client, &Statement) -> Answer<T>,
    ) -> Answer<T> {
        let answer = self.run(within, async |link| {
            let statement = link.statement(sql).await?;
            work(&link.client, &statement).await
        });
        if answer
            .as_ref()
            .is_err_and(|f| f.kind() == Some(Kind::Stale))
            && let Some(link) = &mut self.lease.link
        {
            link.statements.remove(sql);
        }
        answer
    }

    fn run<T>(
        &mut self,
        within: Within<'_>,
        work: impl AsyncFnOnce(&mut Link) -> Answer<T>,
    ) -> Answer<T> {
        let Some(link) = self.lease.link.as_mut().filter(|_| !self.spoiled) else {
            return Err(Failure::new(Kind::Connection, "the connection is closed"));
        };
        let begin = self.beginning.take();
        let client = link.client.clone();
        let both = async {
            let Some(begin) = begin else {
                return work(link).await;
            };
            // One way to the server and back for both.
            let (begun, answer) = join(client.batch_execute(begin), work(link)).await;
            begun?;
            answer
        };
        match wait(both, within.deadline, within.cancel) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => {
                self.failed = self.open;
                self.spoiled |= failure.kind() == Some(Kind::Connection);
                Err(failure)
            }
            Err(fault) => {
                self.stop();
                Err(fault.into())
            }
        }
    }

    /// Ends the running statement on the server, and the use of this connection.
    fn stop(&mut self) {
        self.spoiled = true;
        if let Some(link) = &self.lease.link {
            let cancel = link.client.cancel_token();
            let asking = cancel.cancel_query(link.tls.clone());
            // Not being able to say so changes nothing: the connection is closed next.
            let _ = wait(asking, Deadline::after(CANCELLING), &AtomicBool::new(false));
        }
    }
}
