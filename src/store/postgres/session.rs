//! One connection in use: statements, transactions, bulk loads.

use super::pool::Lease;
use super::{Answer, Failure, Kind, Patience};
use crate::store::{Deadline, wait};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::pin::pin;
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
    pub client: Client,
    pub tls: MakeRustlsConnect,
    statements: HashMap<String, Statement>,
}

impl Link {
    pub fn new(client: Client, tls: MakeRustlsConnect) -> Link {
        Link {
            client,
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
    open: bool,
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
        patience: Patience<'_>,
    ) -> Answer<Vec<Row>> {
        self.ask(sql, patience, async |client, statement| {
            Ok(client.query(statement, parameters).await?)
        })
    }

    /// Gives the rows of a statement to `take`, one by one as they come.
    pub fn each(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        patience: Patience<'_>,
        mut take: impl FnMut(&Row) -> Answer<()>,
    ) -> Answer<()> {
        let finished = self.ask(sql, patience, async |client, statement| {
            let parameters = parameters.iter().copied();
            let mut rows = pin!(client.query_raw(statement, parameters).await?);
            while let Some(row) = rows.as_mut().next().await {
                if let Err(failure) = take(&row?) {
                    return Ok(Err(failure));
                }
            }
            Ok(Ok(()))
        })?;
        if finished.is_err() {
            // Rows that nobody takes are still on their way.
            self.stop();
        }
        finished
    }

    /// Runs a statement that gives no rows: how many it changed.
    pub fn execute(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        patience: Patience<'_>,
    ) -> Answer<u64> {
        self.ask(sql, patience, async |client, statement| {
            Ok(client.execute(statement, parameters).await?)
        })
    }

    /// Runs statements that stand in the program, without parameters; more than one may stand in a text.
    pub fn batch(&mut self, sql: &'static str, patience: Patience<'_>) -> Answer<()> {
        self.run(patience, async |link| {
            Ok(link.client.batch_execute(sql).await?)
        })
    }

    /// The types of the columns that a statement gives.
    pub fn types(&mut self, sql: &str, patience: Patience<'_>) -> Answer<Vec<Type>> {
        self.ask(sql, patience, async |_, statement| {
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
        patience: Patience<'_>,
    ) -> Answer<u64> {
        self.ask(sql, patience, async |client, statement| {
            let sink = client.copy_in(statement).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, types));
            for row in rows {
                writer.as_mut().write(&row).await?;
            }
            Ok(writer.finish().await?)
        })
    }

    /// Opens a transaction.
    pub fn begin(&mut self, patience: Patience<'_>) -> Answer<()> {
        self.batch("BEGIN", patience)?;
        self.open = true;
        Ok(())
    }

    /// Keeps what was done since [`Session::begin`].
    pub fn commit(&mut self, patience: Patience<'_>) -> Answer<()> {
        self.batch("COMMIT", patience)?;
        self.open = false;
        Ok(())
    }

    /// Takes it back.
    pub fn rollback(&mut self, patience: Patience<'_>) -> Answer<()> {
        self.batch("ROLLBACK", patience)?;
        self.open = false;
        Ok(())
    }

    fn ask<T>(
        &mut self,
        sql: &str,
        patience: Patience<'_>,
        work: impl AsyncFnOnce(&Client, &Statement) -> Answer<T>,
    ) -> Answer<T> {
        let answer = self.run(patience, async |link| {
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
        patience: Patience<'_>,
        work: impl AsyncFnOnce(&mut Link) -> Answer<T>,
    ) -> Answer<T> {
        let Some(link) = self.lease.link.as_mut().filter(|_| !self.spoiled) else {
            return Err(Failure::new(Kind::Connection, "the connection is closed"));
        };
        match wait(work(link), patience.deadline, patience.cancel) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => {
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
