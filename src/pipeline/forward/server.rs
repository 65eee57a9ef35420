//! The server: takes connections and gives whole messages, as bytes, to one thread.
//!
//! Tasks of the program's one runtime rather than threads: a thousand connections that mostly wait cost little, and TLS
//! is the same code. The tasks only find where messages end; reading them is left to the threads of the pipeline.

use super::connection::{GONE, Peer, serve};
use super::handshake::Gate;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::{Deadline, wait};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, UdpSocket, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;

/// Memory is counted in pieces of this size.
pub(super) const UNIT: usize = 1024;

/// So many answers may be waited for at the end.
const FAREWELL: Duration = Duration::from_millis(300);

/// After a failed accept.
const PAUSE: Duration = Duration::from_millis(100);

/// How a server serves.
#[derive(Clone)]
pub struct Serving {
    /// Where it listens.
    pub host: String,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// Whether packets of UDP on the same port are answered.
    pub heartbeat: bool,
    /// TLS, if any.
    pub tls: Option<TlsAcceptor>,
    /// What is asked of clients, if anything.
    pub gate: Option<Gate>,
    /// How much is read at once, at most.
    pub read: usize,
    /// How many reads may wait for the pipeline.
    pub queue: usize,
    /// The longest message in bytes.
    pub message: usize,
    /// How many bytes all connections together may hold of messages that are not whole.
    pub memory: usize,
    /// How many connections there may be.
    pub connections: usize,
}

/// Whole messages of one connection.
pub struct Block {
    /// The messages, one behind the other.
    pub bytes: Vec<u8>,
    /// Where each of them ends.
    pub ends: Vec<usize>,
    /// Who sent them.
    pub peer: Arc<Peer>,
    /// The memory that they take.
    pub(super) _room: Option<OwnedSemaphorePermit>,
}

/// What comes of waiting.
pub enum Next {
    /// Messages.
    Block(Block),
    /// None for now.
    Nothing,
    /// There will be no more.
    Ended,
}

/// What all tasks of a server share.
pub(super) struct Common {
    pub serving: Serving,
    pub memory: Arc<Semaphore>,
    pub open: AtomicUsize,
    pub met: AtomicBool,
    pub ending: AtomicBool,
    /// Answers that are not written yet.
    pub answers: AtomicUsize,
}

impl Common {
    /// Waits for the last answers, when the program is about to end.
    pub fn farewell(&self) {
        let begin = Instant::now();
        while self.ending.load(Ordering::SeqCst)
            && self.answers.load(Ordering::SeqCst) > 0
            && begin.elapsed() < FAREWELL
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    blocks: mpsc::Receiver<Block>,
    stop: watch::Sender<bool>,
    common: Arc<Common>,
    never: AtomicBool,
}

impl Server {
    /// Begins to listen. Errors: E0604 when that is not possible.
    pub fn start(mut serving: Serving) -> Outcome<Server> {
        more_files(serving.connections);
        // A message that is not whole must have room.
        serving.memory = serving.memory.max(2 * serving.message).min(1 << 40);
        let (host, port) = (serving.host.clone(), serving.port);
        let never = AtomicBool::new(false);
        let begin = async move {
            let found = lookup_host((serving.host.as_str(), serving.port)).await?;
            let mut found: Vec<SocketAddr> = found.collect();
            // `localhost` is the address that feedoo takes for it.
            found.sort_by_key(|address| matches!(address.ip(), IpAddr::V6(_)));
            let place = found
                .first()
                .copied()
                .ok_or_else(|| std::io::Error::other("the name has no address"))?;
            let listener = TcpListener::bind(place).await?;
            let address = listener.local_addr()?;
            let heart = match serving.heartbeat {
                true => Some(UdpSocket::bind(address).await?),
                false => None,
            };
            let (sender, blocks) = mpsc::channel(serving.queue.max(1));
            let (stop, stopped) = watch::channel(false);
            let units = (serving.memory / UNIT).min(Semaphore::MAX_PERMITS);
            let common = Arc::new(Common {
                serving,
                memory: Arc::new(Semaphore::new(units)),
                open: AtomicUsize::new(0),
                met: AtomicBool::new(false),
                ending: AtomicBool::new(false),
                answers: AtomicUsize::new(0),
            });
            if let Some(heart) = heart {
                tokio::spawn(answer(heart, stopped.clone()));
            }
            tokio::spawn(accept(listener, sender, stopped, common.clone()));
            Ok(Server {
                address,
                blocks,
                stop,
                common,
                never: AtomicBool::new(false),
            })
        };
        let started: std::io::Result<Server> = wait(begin, Deadline::NONE, &never)?;
        started.map_err(|error| {
            let text = format!("nothing can be received at {host}:{port}: {error}");
            Diagnostic::new(Code::ServerFailed, text)
        })
    }

    /// The next messages, at once when there are some. Errors: a fault of the program.
    pub fn next(&mut self, patience: Duration) -> Outcome<Next> {
        match self.blocks.try_recv() {
            Ok(block) => return Ok(Next::Block(block)),
            Err(mpsc::error::TryRecvError::Disconnected) => return Ok(Next::Ended),
            Err(mpsc::error::TryRecvError::Empty) if patience.is_zero() => {
                return Ok(Next::Nothing);
            }
            Err(mpsc::error::TryRecvError::Empty) => {}
        }
        let blocks = &mut self.blocks;
        let next = async { tokio::time::timeout(patience, blocks.recv()).await };
        Ok(match wait(next, Deadline::NONE, &self.never)? {
            Ok(Some(block)) => Next::Block(block),
            Ok(None) => Next::Ended,
            Err(_) => Next::Nothing,
        })
    }

    /// Takes no more connections, and ends those that there are.
    pub fn stop(&self) {
        self.common.ending.store(true, Ordering::SeqCst);
        self.stop.send_replace(true);
    }

    /// Whether clients have been there and have gone.
    pub fn deserted(&self) -> bool {
        self.common.met.load(Ordering::SeqCst) && self.common.open.load(Ordering::SeqCst) == 0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Lets this process hold as many connections as it may, where the usual limit is low.
fn more_files(connections: usize) {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let wanted = connections as u64 + 256;
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < wanted
    {
        // Without it, connections beyond the limit wait.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard);
    }
}

/// Answers heartbeats, as Fluentd does.
async fn answer(heart: UdpSocket, mut stopped: watch::Receiver<bool>) {
    let mut packet = [0; 512];
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            received = heart.recv_from(&mut packet) => match received {
                // Whoever has gone needs no answer.
                Ok((_, from)) => drop(heart.send_to(&[0], from).await),
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
        }
    }
}

async fn accept(
    listener: TcpListener,
    blocks: mpsc::Sender<Block>,
    mut stopped: watch::Receiver<bool>,
    common: Arc<Common>,
) {
    let mut full = false;
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let open = common.open.fetch_add(1, Ordering::SeqCst);
                common.met.store(true, Ordering::SeqCst);
                let guard = Open(common.clone());
                if open >= common.serving.connections {
                    if !full {
                        let most = common.serving.connections;
                        tracing::warn!(
                            "input_forward: more than {most} connections; {address} is turned away"
                        );
                    }
                    full = true;
                    continue;
                }
                full = false;
                let (blocks, stopped) = (blocks.clone(), stopped.clone());
                tokio::spawn(async move {
                    let common = &guard.0;
                    if let Err(reason) = serve(stream, address, blocks, stopped, common).await
                        && reason != GONE
                    {
                        tracing::warn!(
                            "input_forward: the connection of {address} is closed: {reason}"
                        );
                    }
                });
            }
            Err(error) => {
                if !full {
                    tracing::warn!("input_forward: no connection can be taken: {error}");
                }
                full = true;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Counts a connection for as long as it is there.
struct Open(Arc<Common>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}
