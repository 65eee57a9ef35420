//! The one way to PostgreSQL: connections, statements, transactions, trying again.
//!
//! ```no_run
//! # use stellar::store::postgres::{Answer, Pool};
//! # use stellar::{config::Secretive, store::{Deadline, Within}};
//! # use std::{sync::Arc, time::Duration};
//! let address = Secretive::new("postgres://hunter:${DB_PASSWORD}@db.example.com/mentat?sslmode=verify-full");
//! let pool = Pool::new(&address)?;
//! let (deadline, cancel) = (Deadline::after(Duration::from_secs(5)), Arc::default());
//! let within = Within { now: 0, deadline, cancel: &cancel };
//! let found: Answer<i64> = pool.run(within, |session, _attempt| {
//!     let rows = session.query("SELECT count(*) FROM events WHERE id = $1", &[&"a"], within)?;
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
pub use session::{Parameter, Session};
pub use settings::{Settings, put_in};
pub use tokio_postgres::Row;
pub use tokio_postgres::types as sql;
pub use types::{Micros, identifier};
