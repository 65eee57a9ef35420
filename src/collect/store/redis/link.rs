//! One connection: requests go out in windows, two of them at a time, and answers come back in order.

use super::address::Address;
use super::failure::Failure;
use crate::store::{Deadline, Within, authorities, proceed, wait};
use ::redis::{Cmd, Parser, Value};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);

/// How long a server may be silent while an answer is due.
const SILENT: Duration = Duration::from_secs(10);

/// How often a waiting call looks whether it has to end.
const TICK: Duration = Duration::from_millis(20);

/// How many requests go out together.
const WINDOW: usize = 512;

/// A connection that is logged in.
pub(super) struct Link {
    stream: Stream,
    parser: Parser,
    /// Bytes that go out next.
    out: Vec<u8>,
    /// `host:port` of the other end.
    pub place: String,
    /// The process at the other end.
    pub process: String,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buf),
            Stream::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(buf),
            Stream::Tls(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// A stream that waits in short steps, so that a call ends when it has to.
struct Patient<'a> {
    stream: &'a mut Stream,
    within: Within<'a>,
    /// Why the call had to end.
    ended: &'a mut Option<Failure>,
}

impl Patient<'_> {
    fn step<T>(&mut self, mut op: impl FnMut(&mut Stream) -> io::Result<T>) -> io::Result<T> {
        let mut since = None;
        loop {
            match op(self.stream) {
                Err(error) if waits(&error) => {}
                other => return other,
            }
            if let Err(fault) = proceed(self.within.deadline, self.within.cancel) {
                *self.ended = Some(Failure::Fault(fault));
                return Err(io::Error::other("the call has to end"));
            }
            if since.get_or_insert_with(Instant::now).elapsed() > SILENT {
                let seconds = SILENT.as_secs();
                let silent = format!("it has been silent for {seconds} seconds");
                return Err(io::Error::new(io::ErrorKind::TimedOut, silent));
            }
        }
    }
}

/// Whether it says only that nothing happened in one step.
fn waits(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::TimedOut
    )
}

impl Read for Patient<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.step(|stream| stream.read(buf))
    }
}

impl Link {
    /// Connects and logs in.
    pub fn open(address: &Address, within: Within<'_>) -> Result<Link, Failure> {
        let place = address.place();
        let deadline = Deadline::after(within.deadline.at_most(CONNECT));
        let target = (address.host.clone(), address.port);
        let connecting = async move {
            let stream = tokio::net::TcpStream::connect(target).await?;
            stream.into_std()
        };
        let stream = match wait(connecting, deadline, within.cancel) {
            Ok(stream) => stream,
            Err(fault) => {
                // The time for connecting is not that of the call.
                proceed(within.deadline, within.cancel)?;
                return match deadline.passed() {
                    true => Err(Failure::Lost(format!(
                        "{place} does not answer in {CONNECT:?}"
                    ))),
                    false => Err(fault.into()),
                };
            }
        };
        let prepared = stream.and_then(|stream| {
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(TICK))?;
            stream.set_write_timeout(Some(TICK))?;
            Ok(stream)
        });
        let stream =
            prepared.map_err(|error| Failure::Lost(format!("{place} does not answer: {error}")))?;
        let stream = match address.tls {
            true => Stream::Tls(Box::new(secure(address, stream)?)),
            false => Stream::Plain(stream),
        };
        let mut link = Link {
            stream,
            parser: Parser::new(),
            out: Vec::new(),
            place: place.clone(),
            process: String::new(),
        };
        link.log_in(address, within)
            .map_err(|failure| failure.at(&place))?;
        Ok(link)
    }

    fn log_in(&mut self, address: &Address, within: Within<'_>) -> Result<(), Failure> {
        if let Some(password) = &address.password {
            let mut auth = ::redis::cmd("AUTH");
            if let Some(user) = &address.user {
                auth.arg(user);
            }
            self.ask(auth.arg(password), within)?;
        }
        if address.database != 0 {
            let mut select = ::redis::cmd("SELECT");
            self.ask(select.arg(address.database), within)?;
        }
        let info = match self.ask(::redis::cmd("INFO").arg("server"), within) {
            Ok(info) => ::redis::from_redis_value(info).unwrap_or_default(),
            // Who may not ask is not told.
            Err(Failure::Refused(why)) if why.starts_with("NOPERM") => String::new(),
            Err(failure) => return Err(failure),
        };
        let mut lines = info.lines();
        let process = lines.find_map(|line| line.strip_prefix("run_id:"));
        self.process = process.unwrap_or_default().trim().to_string();
        Ok(())
    }

    /// One request.
    pub fn ask(&mut self, request: &Cmd, within: Within<'_>) -> Result<Value, Failure> {
        request.write_packed_command(&mut self.out);
        self.send(within)?;
        let answer = self.receive(within)?;
        match answer {
            Value::ServerError(error) => Err(Failure::server(&error)),
            answer => Ok(answer),
        }
    }

    /// Many requests: `request` writes the one of a number, `take` gets its answer, which may be an error of the server.
    pub fn each(
        &mut self,
        many: usize,
        within: Within<'_>,
        mut request: impl FnMut(usize, &mut Vec<u8>),
        mut take: impl FnMut(usize, Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut sent, mut received) = (0, 0);
        while received < many {
            // While the server works on one window, the next is on its way.
            while sent < many && sent < received + 2 * WINDOW {
                let end = many.min(sent + WINDOW);
                for n in sent..end {
                    request(n, &mut self.out);
                }
                self.send(within)?;
                sent = end;
            }
            let end = sent.min(received + WINDOW);
            for n in received..end {
                let answer = self.receive(within)?;
                take(n, answer)?;
            }
            received = end;
            proceed(within.deadline, within.cancel)?;
        }
        Ok(())
    }

    fn send(&mut self, within: Within<'_>) -> Result<(), Failure> {
        let mut ended = None;
        let mut patient = Patient {
            stream: &mut self.stream,
            within,
            ended: &mut ended,
        };
        let mut rest = self.out.as_slice();
        let sent = loop {
            if rest.is_empty() {
                break patient.step(|stream| stream.flush());
            }
            match patient.step(|stream| stream.write(rest)) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                Err(error) => break Err(error),
            }
        };
        self.out.clear();
        sent.map_err(|error| ended.unwrap_or_else(|| Failure::Lost(error.to_string())))
    }

    fn receive(&mut self, within: Within<'_>) -> Result<Value, Failure> {
        let mut ended = None;
        let patient = Patient {
            stream: &mut self.stream,
            within,
            ended: &mut ended,
        };
        self.parser
            .parse_value(patient)
            .map_err(|error| ended.unwrap_or_else(|| Failure::Lost(error.to_string())))
    }
}

/// The same connection, secret, with a server that has proven its name.
fn secure(
    address: &Address,
    stream: TcpStream,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Failure> {
    let place = address.place();
    let fails = |why: String| Failure::Refused(format!("TLS with {place}: {why}"));
    let roots = authorities(address.authorities.as_deref()).map_err(fails)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| fails(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(address.host.clone()).map_err(|e| fails(e.to_string()))?;
    let session =
        ClientConnection::new(Arc::new(config), name).map_err(|e| fails(e.to_string()))?;
    Ok(StreamOwned::new(session, stream))
}
