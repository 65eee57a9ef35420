//! The one way to PostgreSQL: connections, statements, transactions, trying again.
//!
//! ```no_run
//! # use stellar::store::postgres::{Answer, Patience, Pool};
//! # use stellar::{config::Secretive, store::Deadline};
//! # use std::{sync::atomic::AtomicBool, time::Duration};
//! let address = Secretive::new("postgres://hunter:${DB_PASSWORD}@db.example.com/mentat?sslmode=verify-full");
//! let pool = Pool::new(&address)?;
//! let cancel = AtomicBool::new(false);
//! let patience = Patience::new(Deadline::after(Duration::from_secs(5)), &cancel);
//! let found: Answer<i64> = pool.run(patience, |session, _attempt| {
//!     let rows = session.query("SELECT count(*) FROM events WHERE id = $1", &[&"a"], patience)?;
//!     rows.first().map_or(Ok(0), |row| Ok(row.try_get(0)?))
//! });
//! # Ok::<(), stellar::diagnostic::Fault>(())
//! ```
//! Every statement is prepared, once a connection; values travel as parameters, never as text of a statement.

mod failure;
mod pool;
mod session;
mod settings;
mod tls;
mod types;

pub use failure::{Answer, Failure, Kind, Report};
pub use pool::Pool;
pub use session::Session;
pub use settings::Settings;
pub use tokio_postgres::Row;
pub use tokio_postgres::types as sql;
pub use types::{Micros, identifier};

use super::Deadline;
use std::sync::atomic::AtomicBool;

/// How long a call may take, and what ends it at once.
#[derive(Debug, Clone, Copy)]
pub struct Patience<'a> {
    /// When it must have ended.
    pub deadline: Deadline,
    /// Set to end it.
    pub cancel: &'a AtomicBool,
}

impl<'a> Patience<'a> {
    /// Until `deadline`, or until `cancel` is set.
    pub fn new(deadline: Deadline, cancel: &'a AtomicBool) -> Patience<'a> {
        Patience { deadline, cancel }
    }
}

#[cfg(test)]
mod tests;
