//! The client: chunks of events to one of several servers, held until it has acknowledged them.

use super::connection::{Stream, read_one};
use super::handshake::{Pass, random};
use super::pack::{Frame, Reach, Reader, Token};
use super::write;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::{Backoff, Deadline, wait};
use flate2::Compression;
use flate2::write::GzEncoder;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// So many chunks may be on the way before the first is acknowledged.
const WINDOW: usize = 16;

/// How often a thread that waits looks whether it shall end.
const LOOK: Duration = Duration::from_millis(20);

/// How a client sends.
#[derive(Clone)]
pub struct Sending {
    /// Hosts and ports; the next one is tried when one fails.
    pub servers: Vec<(String, u16)>,
    /// TLS, if any.
    pub tls: Option<TlsConnector>,
    /// The name that the server must prove; its host unless given.
    pub server_name: Option<String>,
    /// What servers ask for, if anything.
    pub pass: Option<Pass>,
    /// Whether the server must acknowledge what it has taken.
    pub ack: bool,
    /// Whether chunks are compressed.
    pub gzip: bool,
    /// How many bytes may be held.
    pub buffer: usize,
    /// How long connecting and greeting may take.
    pub connect: Duration,
    /// How long an acknowledgement may take.
    pub answer: Duration,
    /// How long is waited for acknowledgements once the program shall end.
    pub goodbye: Duration,
}

/// Some events of one tag on their way.
struct Chunk {
    id: String,
    message: Arc<Vec<u8>>,
    events: usize,
    sent: Instant,
}

#[derive(Default)]
struct State {
    /// Not sent on this connection.
    waiting: VecDeque<Chunk>,
    /// Sent and not acknowledged.
    sent: VecDeque<Chunk>,
    bytes: usize,
    /// What is wrong, for as long as it is.
    trouble: Option<String>,
    closed: bool,
}

impl State {
    fn events(&self) -> usize {
        let chunks = self.waiting.iter().chain(&self.sent);
        chunks.map(|chunk| chunk.events).sum()
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_empty()
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// For threads: something was taken.
    taken: Condvar,
    /// For the task: something is to be sent, or it shall end.
    wake: Notify,
}

impl Shared {
    /// Whether there is nothing to send; None when the client has gone.
    fn idle(&self) -> Option<bool> {
        let state = self.state.lock();
        (!state.closed).then(|| state.is_empty())
    }

    /// A connection has ended; whether because something failed. None when the client has gone.
    fn ended(&self, talked: Result<(), String>, host: &str, port: u16) -> Option<bool> {
        let mut state = self.state.lock();
        // What was not acknowledged comes again, before the rest.
        while let Some(chunk) = state.sent.pop_back() {
            state.waiting.push_front(chunk);
        }
        if state.closed {
            return None;
        }
        let Err(reason) = talked else {
            return Some(false);
        };
        let trouble = format!("{host}:{port}: {reason}");
        if state.trouble.is_none() {
            tracing::warn!("output_forward: {trouble}; trying again");
        }
        state.trouble = Some(trouble);
        Some(true)
    }
}

/// A client; a task of the runtime sends for it.
pub struct Client {
    sending: Arc<Sending>,
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    /// Since when the program shall end.
    ending: Option<Instant>,
    started: bool,
}

impl Client {
    /// A client that connects once it has something to send.
    pub fn new(sending: Sending) -> Client {
        Client {
            sending: Arc::new(sending),
            shared: Arc::default(),
            stop: Arc::default(),
            ending: None,
            started: false,
        }
    }

    /// Waits give up some time after this flag is set.
    pub fn until(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = stop.clone();
    }

    /// Sends entries, `count` of them; waits while too much is held. Errors: E0604 when the program ends meanwhile.
    pub fn send(&mut self, tag: &str, entries: &[u8], count: usize) -> Outcome<()> {
        let (id, message) = self.message(tag, entries, count)?;
        if !self.started {
            self.started = true;
            let (sending, shared) = (self.sending.clone(), self.shared.clone());
            let seed = Instant::now();
            let spawn = async move {
                let seed = seed.elapsed().as_nanos() as u64 ^ u64::from(std::process::id());
                tokio::spawn(deliver(sending, shared, Backoff::new(seed)));
            };
            wait(spawn, Deadline::NONE, &AtomicBool::new(false))?;
        }
        let most = self.sending.buffer;
        self.wait_until(|state| state.bytes < most)?;
        let mut state = self.shared.state.lock();
        state.bytes += message.len();
        state.waiting.push_back(Chunk {
            id,
            message: Arc::new(message),
            events: count,
            sent: Instant::now(),
        });
        drop(state);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Waits until everything has been taken. Errors: E0604 when the program ends meanwhile.
    pub fn flush(&mut self) -> Outcome<()> {
        self.wait_until(State::is_empty)
    }

    /// How many events have not been taken.
    pub fn held(&self) -> usize {
        self.shared.state.lock().events()
    }

    fn wait_until(&mut self, good: impl Fn(&State) -> bool) -> Outcome<()> {
        let mut state = self.shared.state.lock();
        while !good(&state) {
            if self.stop.load(Ordering::Relaxed) {
                let since = *self.ending.get_or_insert_with(Instant::now);
                if since.elapsed() >= self.sending.goodbye {
                    return Err(self.lost(&state));
                }
            }
            self.shared.taken.wait_for(&mut state, LOOK);
        }
        Ok(())
    }

    fn lost(&self, state: &State) -> Fault {
        let servers = self.sending.servers.iter();
        let servers: Vec<String> = servers
            .map(|(host, port)| format!("{host}:{port}"))
            .collect();
        let events = state.events();
        let text = format!("{} has not taken {events} events", servers.join(", "));
        let fault = Diagnostic::new(Code::ServerFailed, text);
        match &state.trouble {
            Some(trouble) => fault.note(trouble.clone()),
            None => fault,
        }
    }

    /// The message with the entries, and the name under which it is acknowledged.
    fn message(&self, tag: &str, entries: &[u8], count: usize) -> Outcome<(String, Vec<u8>)> {
        let internal = |reason: String| Diagnostic::new(Code::Internal, reason);
        let id = match self.sending.ack {
            true => data_encoding::BASE64.encode(&random(16).map_err(internal)?),
            false => String::new(),
        };
        let packed;
        let body = match self.sending.gzip {
            true => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(4));
                let written = encoder.write_all(entries).and_then(|()| encoder.finish());
                packed = written.map_err(|error| internal(error.to_string()))?;
                &packed
            }
            false => entries,
        };
        let mut out = Vec::with_capacity(body.len() + tag.len() + 96);
        write::list(3, &mut out);
        write::text(tag.as_bytes(), &mut out);
        write::binary(body, &mut out);
        write::map(
            1 + usize::from(self.sending.ack) + usize::from(self.sending.gzip),
            &mut out,
        );
        write::text(b"size", &mut out);
        write::uint(count as u64, &mut out);
        if self.sending.ack {
            write::text(b"chunk", &mut out);
            write::text(id.as_bytes(), &mut out);
        }
        if self.sending.gzip {
            write::text(b"compressed", &mut out);
            write::text(b"gzip", &mut out);
        }
        Ok((id, out))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.wake.notify_one();
    }
}

/// Sends what is to be sent for as long as the client is there.
async fn deliver(sending: Arc<Sending>, shared: Arc<Shared>, mut backoff: Backoff) {
    let mut at = 0;
    loop {
        loop {
            match shared.idle() {
                Some(true) => shared.wake.notified().await,
                Some(false) => break,
                None => return,
            }
        }
        let Some((host, port)) = sending.servers.get(at) else {
            return;
        };
        let talked = async {
            let opened = timeout(sending.connect, open(&sending, host, *port)).await;
            let stream = opened.unwrap_or_else(|_| Err("connecting takes too long".to_owned()))?;
            talk(&sending, &shared, &mut backoff, stream).await
        };
        let talked = talked.await;
        match shared.ended(talked, host, *port) {
            Some(true) => {}
            Some(false) => continue,
            None => return,
        }
        at = (at + 1) % sending.servers.len().max(1);
        // All of them are tried before the pause.
        if at == 0 {
            sleep(backoff.pause()).await;
        }
    }
}

async fn open(sending: &Sending, host: &str, port: u16) -> Result<Box<dyn Stream>, String> {
    let stream = TcpStream::connect((host, port)).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let mut stream: Box<dyn Stream> = match &sending.tls {
        Some(tls) => {
            let name = sending.server_name.as_deref().unwrap_or(host);
            let server = ServerName::try_from(name.to_owned())
                .map_err(|_| format!("{name} is no name of a server"))?;
            let secret = tls.connect(server, stream).await;
            Box::new(secret.map_err(|error| format!("TLS failed: {error}"))?)
        }
        None => Box::new(stream),
    };
    if let Some(pass) = &sending.pass {
        let helo = read_one(&mut stream).await?;
        let (ping, proof) = pass.ping(&helo)?;
        let sent = async {
            stream.write_all(&ping).await?;
            stream.flush().await
        };
        sent.await.map_err(|error| error.to_string())?;
        let pong = read_one(&mut stream).await?;
        pass.admit(&proof, &pong)?;
    }
    Ok(stream)
}

/// Sends and hears over one connection, until the server ends it while nothing is on the way. Errors: what broke it.
async fn talk(
    sending: &Sending,
    shared: &Shared,
    backoff: &mut Backoff,
    stream: Box<dyn Stream>,
) -> Result<(), String> {
    let (mut reader, mut writer) = split(stream);
    let mut heard: Vec<u8> = Vec::with_capacity(1024);
    loop {
        let next = {
            let mut state = shared.state.lock();
            if state.closed {
                return Ok(());
            }
            match state.sent.len() < WINDOW {
                true => state.waiting.pop_front().map(|mut chunk| {
                    chunk.sent = Instant::now();
                    let message = chunk.message.clone();
                    state.sent.push_back(chunk);
                    message
                }),
                false => None,
            }
        };
        if let Some(message) = next {
            let write = async {
                writer.write_all(&message).await?;
                writer.flush().await
            };
            match timeout(sending.answer, write).await {
                Ok(written) => written.map_err(|error| error.to_string())?,
                Err(_) => return Err("it takes no more".to_owned()),
            }
            if !sending.ack {
                // Nobody will say more of it.
                took(shared, None);
                backoff.reset();
            }
            continue;
        }
        let oldest = shared.state.lock().sent.front().map(|chunk| chunk.sent);
        let late = async {
            match oldest {
                Some(sent) => sleep_until((sent + sending.answer).into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = reader.read_buf(&mut heard) => {
                if read.map_err(|error| error.to_string())? == 0 {
                    return match oldest {
                        Some(_) => Err("it has closed the connection".to_owned()),
                        None => Ok(()),
                    };
                }
                let mut begin = 0;
                loop {
                    let rest = heard.get(begin..).unwrap_or_default();
                    match Frame::at(0).advance(rest, 100) {
                        Ok(Reach::End(end)) => {
                            if let Some(id) = acknowledged(rest) {
                                took(shared, Some(id));
                                backoff.reset();
                            }
                            begin += end;
                        }
                        Ok(Reach::More(wanted)) if wanted < 1 << 16 => break,
                        _ => return Err("it answers what is none of this protocol".to_owned()),
                    }
                }
                heard.drain(..begin);
            }
            () = shared.wake.notified() => {}
            () = late => {
                let seconds = sending.answer.as_secs_f64();
                return Err(format!("it does not acknowledge within {seconds} seconds"));
            }
        }
    }
}

/// The name of the chunk that was acknowledged.
fn acknowledged(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    let Ok(Token::Map(1..)) = reader.token() else {
        return None;
    };
    match (reader.token(), reader.token()) {
        (Ok(Token::Text(b"ack")), Ok(Token::Text(id) | Token::Binary(id))) => Some(id),
        _ => None,
    }
}

/// The server has taken a chunk: the one of that name, or the last one sent.
fn took(shared: &Shared, id: Option<&[u8]>) {
    let mut state = shared.state.lock();
    let place = match id {
        Some(id) => state
            .sent
            .iter()
            .position(|chunk| chunk.id.as_bytes() == id),
        None => state.sent.len().checked_sub(1),
    };
    if let Some(chunk) = place.and_then(|place| state.sent.remove(place)) {
        state.bytes -= chunk.message.len();
        if let Some(trouble) = state.trouble.take() {
            tracing::warn!("output_forward: it works again after {trouble}");
        }
        shared.taken.notify_all();
    }
}
