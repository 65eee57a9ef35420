//! What `input_rethinkdb` and `output_rethinkdb` share: parameters, and a connection that comes back.

mod input;
mod output;

pub use input::INPUT_RETHINKDB;
pub use output::OUTPUT_RETHINKDB;

use crate::diagnostic::{Code, Diagnostic, Fault};
use crate::pipeline::rethink::{Connection, Error, Settings};
use crate::pipeline::spec::{ParameterKind, ParameterSpec, Parameters};
use crate::store::Backoff;
use std::time::{Duration, Instant};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(60);

const IP: ParameterSpec = ParameterSpec::optional(
    "ip",
    ParameterKind::Text,
    "localhost",
    "the name or address of the server",
);

const PORT: ParameterSpec =
    ParameterSpec::optional("port", ParameterKind::Whole, "28015", "its port");

const WAIT: ParameterSpec = ParameterSpec::optional(
    "wait_connection",
    ParameterKind::Seconds,
    "30",
    "how long a server that does not answer is tried again",
);

const USER: ParameterSpec =
    ParameterSpec::optional("user", ParameterKind::Text, "admin", "the user");

const PASSWORD: ParameterSpec =
    ParameterSpec::optional("password", ParameterKind::Text, "", "the user's password");

/// A server, connected when it is needed.
struct Server {
    settings: Settings,
    patience: Duration,
    connection: Option<Connection>,
}

impl Server {
    fn of(parameters: &Parameters) -> Result<Server, Fault> {
        let port = parameters.whole("port").unwrap_or(28015);
        let port = u16::try_from(port)
            .map_err(|_| parameters.fault("port", format!("{port} is no port")))?;
        let patience = parameters.seconds("wait_connection");
        Ok(Server {
            settings: Settings {
                host: parameters.text_or("ip", "localhost").into(),
                port,
                user: parameters.text_or("user", "admin").into(),
                password: parameters.text_or("password", "").into(),
                timeout: ANSWER,
            },
            patience: patience.unwrap_or(Duration::from_secs(30)),
            connection: None,
        })
    }

    fn connected(&mut self) -> Result<&mut Connection, Error> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(Connection::open(&self.settings)?)),
        }
    }

    /// Does something, with a new connection when the old one is lost, for as long as `go_on` holds and the patience
    /// lasts. Errors: what happened last.
    fn with<T>(
        &mut self,
        code: Code,
        go_on: &dyn Fn() -> bool,
        mut work: impl FnMut(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        let mut backoff = Backoff::new(u64::from(self.settings.port));
        let mut lost_at = None;
        loop {
            let error = match self.connected().and_then(&mut work) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            // A new connection knows nothing of half an answer.
            self.connection = None;
            let lost = matches!(error, Error::Lost(_));
            let since: &mut Instant = lost_at.get_or_insert_with(Instant::now);
            if !lost || since.elapsed() >= self.patience || !go_on() {
                let Settings { host, port, .. } = &self.settings;
                let text = format!("RethinkDB at {host}:{port}: {error}");
                return Err(Diagnostic::new(code, text));
            }
            std::thread::sleep(backoff.pause().min(self.patience / 4));
        }
    }
}
