//! Connections to the Thrift servers: kept for the next call, made anew when they break, to each server in turn.

use super::address::Address;
use super::wire::{Careful, Incoming, Outgoing, Watch, Wire};
use crate::config::Secretive;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::profile::store::Within;
use crate::store::{Backoff, Deadline, Verdict, proceed, retry, wait};
use hbase_thrift::hbase::{AlreadyExists, HbaseSyncClient, IOError, IllegalArgument};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use thrift::protocol::TBinaryOutputProtocol;

/// How long one server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// Idle connections that are kept.
const KEPT: usize = 8;

/// What speaks to a server.
pub type Client = HbaseSyncClient<Careful, TBinaryOutputProtocol<Outgoing>>;

struct Connection {
    client: Client,
    watch: Arc<Watch>,
    place: String,
    address: Arc<Address>,
}

/// Connections to the servers of one address.
pub struct Pool {
    address: Secretive,
    idle: Mutex<Vec<Connection>>,
    /// Which server answered last.
    server: AtomicUsize,
}

impl Pool {
    /// No connection yet.
    pub fn new(address: &Secretive) -> Pool {
        Pool {
            address: address.clone(),
            idle: Mutex::default(),
            server: AtomicUsize::new(0),
        }
    }

    /// The address as configured, for other programs' sake read at each use. Errors: E0501, E0503.
    pub fn address(&self) -> Outcome<Address> {
        Address::parse(self.address.resolve()?.expose())
    }

    /// Asks a server; a call that may succeed later is made again until `patience` has passed, on a new connection and
    /// perhaps on another server. So `ask` must do no harm when it is done twice.
    /// Errors: E0604, E0306, E0307, E0501, E0503.
    pub fn call<T>(
        &self,
        within: Within<'_>,
        patience: Duration,
        mut ask: impl FnMut(&mut Client) -> thrift::Result<T>,
    ) -> Outcome<T> {
        let lasting = AtomicBool::new(false);
        let seed = u64::from(std::process::id()) ^ within.now.unsigned_abs();
        let last = match within.deadline.moment() {
            Some(moment) => Deadline::at(moment.min(std::time::Instant::now() + patience)),
            None => Deadline::after(patience),
        };
        proceed(within.deadline, within.cancel)?;
        let answer = retry(
            last,
            within.cancel,
            &mut Backoff::new(seed),
            |_| match lasting.load(Ordering::Relaxed) {
                true => Verdict::GiveUp,
                false => Verdict::Again,
            },
            |_| {
                let fail = |fault: Fault, last: bool| {
                    lasting.store(last, Ordering::Relaxed);
                    fault
                };
                let mut connection = match self.idle.lock().pop() {
                    Some(connection) => connection,
                    None => self.connect(within).map_err(|fault| {
                        let passing = fault.code == Code::ServerFailed;
                        fail(fault, !passing)
                    })?,
                };
                connection.watch.set(within.deadline, within.cancel);
                let error = match ask(&mut connection.client) {
                    Ok(answer) => {
                        self.keep(connection);
                        return Ok(answer);
                    }
                    Err(error) => error,
                };
                let (fault, last, usable) = explain(error, &connection);
                if usable {
                    self.keep(connection);
                } else {
                    // What is idle is as old, and broken the same way. The next server is the one to ask.
                    self.idle.lock().clear();
                    let _ = self.server.fetch_add(1, Ordering::Relaxed);
                }
                // The socket does not say why it stopped.
                proceed(within.deadline, within.cancel).map_err(|fault| fail(fault, true))?;
                Err(fail(fault, last))
            },
        );
        answer.map_err(|fault| {
            proceed(within.deadline, within.cancel)
                .err()
                .unwrap_or(fault)
        })
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }

    /// A connection to the first server that accepts one, beginning with the one that answered last.
    fn connect(&self, within: Within<'_>) -> Outcome<Connection> {
        let address = Arc::new(self.address()?);
        let mut refused = Vec::new();
        let count = address.servers.len();
        let first = self.server.load(Ordering::Relaxed);
        for turn in 0..count {
            let number = first.wrapping_add(turn) % count;
            let Some((host, port)) = address.servers.get(number) else {
                continue;
            };
            let place = if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            };
            match open(host, *port, &place, &address, within) {
                Ok(connection) => {
                    self.server.store(number, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(reason) => {
                    proceed(within.deadline, within.cancel)?;
                    refused.push(format!("{place}: {reason}"));
                }
            }
        }
        let message = format!(
            "HBase's Thrift server does not answer ({})",
            refused.join("; ")
        );
        Err(Diagnostic::new(Code::ServerFailed, message)
            .help("see that `hbase thrift start` runs there, and look at store.profile"))
    }
}

fn open(
    host: &str,
    port: u16,
    place: &str,
    address: &Arc<Address>,
    within: Within<'_>,
) -> Result<Connection, String> {
    let text = |error: std::io::Error| error.to_string();
    let patience = Deadline::after(within.deadline.at_most(CONNECT));
    let connecting = tokio::net::TcpStream::connect((host, port));
    let stream = match wait(connecting, patience, within.cancel) {
        Ok(stream) => stream
            .and_then(tokio::net::TcpStream::into_std)
            .map_err(text)?,
        Err(fault) if fault.code == Code::Timeout => {
            return Err("it accepts no connection".to_string());
        }
        Err(fault) => return Err(fault.message.clone()),
    };
    stream.set_nonblocking(false).map_err(text)?;
    let watch = Arc::<Watch>::default();
    let (reading, writing) = Wire::both(stream, &watch, address.timeout).map_err(text)?;
    let outgoing = TBinaryOutputProtocol::new(Outgoing::new(writing, address.framed), true);
    Ok(Connection {
        client: Client::new(
            Careful::new(Incoming::new(reading, address.framed)),
            outgoing,
        ),
        watch,
        place: place.to_string(),
        address: address.clone(),
    })
}

/// An error in words, whether it will last, and whether the connection can still be used.
fn explain(error: thrift::Error, connection: &Connection) -> (Fault, bool, bool) {
    let place = &connection.place;
    let fault = |message: String| Diagnostic::new(Code::ServerFailed, message);
    match error {
        thrift::Error::User(error) => {
            let (said, passing) = match (
                error.downcast_ref::<IOError>(),
                error.downcast_ref::<IllegalArgument>(),
                error.downcast_ref::<AlreadyExists>(),
            ) {
                (Some(error), _, _) => (error.message.clone(), true),
                (_, Some(error), _) => (error.message.clone(), false),
                (_, _, Some(error)) => (error.message.clone(), false),
                _ => (None, false),
            };
            let said = said.unwrap_or_else(|| error.to_string());
            let (fault, known) = of_java(&said, place);
            (fault, known || !passing, true)
        }
        thrift::Error::Application(error) => {
            let message = format!(
                "HBase at {place} refuses the call: {}",
                first_line(&error.message)
            );
            let help =
                "the Thrift 1 server is needed (`hbase thrift start`), not the one of Thrift 2";
            (fault(message).help(help), true, false)
        }
        thrift::Error::Protocol(error) => {
            let message = format!(
                "what listens at {place} does not speak Thrift 1 as expected: {}",
                error.message
            );
            let help = match connection.address.framed {
                true => "without framed=true in store.profile messages go without frames, as usual",
                false => {
                    "a server that was started with -framed needs framed=true at the end of store.profile"
                }
            };
            (fault(message).help(help), true, false)
        }
        thrift::Error::Transport(error) => {
            let said = match error.message.as_str() {
                "failed to fill whole buffer" | "end of file" => "it closed the connection",
                said => said,
            };
            let mut fault = fault(format!(
                "HBase's Thrift server at {place} does not answer: {said}"
            ));
            if !connection.address.framed {
                fault = fault.help("a server that was started with -framed needs framed=true at the end of store.profile");
            }
            (fault, false, false)
        }
    }
}

/// An exception of HBase in words, and whether it is one that only people can mend.
fn of_java(said: &str, place: &str) -> (Fault, bool) {
    let fault = |message: String| Diagnostic::new(Code::ServerFailed, message);
    let create = "`stellar profile create-table` makes the table; it is named by profiler.client.hbase.table and .column.family";
    if let Some(table) = missing_table(said) {
        return (
            fault(format!("HBase at {place} has no table {table}")).help(create),
            true,
        );
    }
    let family = |line: &&str| {
        line.contains("NoSuchColumnFamilyException") || line.contains("Column family ")
    };
    if let Some(line) = said.lines().find(family) {
        let message = format!("HBase at {place}: the table has no such column family");
        return (fault(message).help(create).note(first_line(line)), true);
    }
    if said.contains("AccessDeniedException") {
        return (
            fault(format!(
                "HBase at {place} denies access: {}",
                first_line(said)
            )),
            true,
        );
    }
    (
        fault(format!("HBase at {place} failed: {}", first_line(said))),
        false,
    )
}

/// The table that an exception misses.
fn missing_table(said: &str) -> Option<&str> {
    let line = said.lines().next()?;
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if line.contains("TableNotFoundException") {
        return line
            .rsplit(": ")
            .next()
            .map(|name| name.trim_end_matches(['.', ',']));
    }
    // Of many changes HBase tells what each kind of failure says, and of this kind that is the name alone.
    let (_, rest) = line
        .split_once(" action: ")
        .or_else(|| line.split_once(" actions: "))?;
    let (name, _) = rest.split_once(": ")?;
    (name.chars().all(in_name) && !name.ends_with("Exception")).then_some(name)
}

/// The first line of an exception: the rest is where it came from.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    line.chars().take(300).collect()
}
