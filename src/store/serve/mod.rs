//! HTTP served on the one runtime, for programs that block: a router, an address, limits, an orderly end.

mod route;
#[cfg(test)]
mod tests;

pub use route::{
    About, Answer, Asked, Caller, Endpoint, Handler, Head, JSON, Method, Parameter, Parts, Refuse,
    Reply, Sending, forbidden, timestamp,
};

use super::wait::runtime;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How long a server pauses when the machine gives it no connections.
const BREATH: Duration = Duration::from_millis(50);

/// The longest head of a request.
const HEAD: usize = 64 << 10;

/// Where and how to serve.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The name or address of the interface.
    pub host: String,
    /// The port; 0 for any.
    pub port: u16,
    /// The certificate and its key; `None` for plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// How many bytes a body may have.
    pub body: usize,
    /// How long a client may take for the head of a request, also for the next one on its connection.
    pub patience: Duration,
    /// How many connections there may be; more wait.
    pub connections: usize,
}

impl Listen {
    /// Plain HTTP with usual limits.
    pub fn at(host: &str, port: u16) -> Listen {
        Listen {
            host: host.to_owned(),
            port,
            tls: None,
            body: 16 << 20,
            patience: Duration::from_secs(30),
            connections: 256,
        }
    }
}

/// A running server; it ends when this goes.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    secure: bool,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Whether others than this machine can connect.
    pub fn is_public(&self) -> bool {
        !self.address.ip().to_canonical().is_loopback()
    }

    /// Its address as clients write it.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// Takes no more connections and requests; what has begun goes on.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }

    /// Whether everything that had begun is done. Comes only after [`Server::stop`].
    pub fn is_done(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The connections end with the task.
        self.task.abort();
    }
}

/// Who asks, as an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What belongs to all connections.
struct Frame {
    tls: Option<TlsAcceptor>,
    body: usize,
    patience: Duration,
}

/// Serves a router until the server is dropped. Handlers must not block: they give such work to [`super::Workers`], or
/// to a thread that answers through a channel. Errors: E0404 when the address cannot be had, E0403 for bad certificates.
pub fn serve(router: Router, listen: &Listen) -> Outcome<Server> {
    let tls = match &listen.tls {
        Some((certificate, key)) => {
            let mut config = server_tls(certificate, key)?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Some(TlsAcceptor::from(Arc::new(config)))
        }
        None => None,
    };
    let secure = tls.is_some();
    let bound = std::net::TcpListener::bind((listen.host.as_str(), listen.port))
        .and_then(|bound| bound.set_nonblocking(true).map(|()| bound))
        .and_then(|bound| bound.local_addr().map(|address| (bound, address)));
    let failed = |error: std::io::Error| {
        let (host, port) = (&listen.host, listen.port);
        let text = format!("{host}:{port} cannot be listened at: {error}");
        Diagnostic::new(Code::CannotWrite, text)
    };
    let (bound, address) = bound.map_err(failed)?;
    let runtime = runtime()?;
    let listener = {
        let _entered = runtime.enter();
        TcpListener::from_std(bound).map_err(failed)?
    };
    let frame = Arc::new(Frame {
        tls,
        body: listen.body,
        patience: listen.patience,
    });
    let (stop, stopped) = watch::channel(false);
    let room = Arc::new(Semaphore::new(listen.connections.max(1)));
    let task = runtime.spawn(accept(listener, router, frame, room, stopped));
    Ok(Server {
        address,
        secure,
        stop,
        task,
    })
}

/// TLS of a server with the files of its certificate and key. Errors: E0403.
pub fn server_tls(certificate: &std::path::Path, key: &std::path::Path) -> Outcome<ServerConfig> {
    let bad = |what: &str, path: &std::path::Path, error: &dyn std::fmt::Display| -> Fault {
        let text = format!("the {what} {} cannot be used: {error}", path.display());
        Diagnostic::new(Code::CannotRead, text)
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad("certificate", certificate, &error))?;
    if chain.is_empty() {
        return Err(bad("certificate", certificate, &"it holds none"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| bad("key", key, &error))?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, secret)
        })
        .map_err(|error| bad("certificate", certificate, &error))
}

async fn accept(
    listener: TcpListener,
    router: Router,
    frame: Arc<Frame>,
    room: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            // Fails only when the semaphore is closed, which nobody does.
            let place = room.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, came) = tokio::select! {
            biased;
            () = ended(&mut stopped) => break,
            next = next => next,
        };
        let Ok((stream, peer)) = came else {
            // Too many open files, say: that passes.
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // Answers are small; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let (router, frame, stopped) = (router.clone(), frame.clone(), stopped.clone());
        connections.spawn(async move {
            let _place = place;
            match frame.tls.clone() {
                None => talk(stream, peer, router, &frame, stopped).await,
                Some(tls) => {
                    let greeted = tokio::time::timeout(frame.patience, tls.accept(stream));
                    // A client that cannot speak TLS with us goes away.
                    if let Ok(Ok(stream)) = greeted.await {
                        talk(stream, peer, router, &frame, stopped).await;
                    }
                }
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until the server shall end.
async fn ended(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await.is_ok();
}

/// The requests of one connection.
async fn talk<T>(
    stream: T,
    peer: SocketAddr,
    router: Router,
    frame: &Frame,
    mut stopped: watch::Receiver<bool>,
) where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let most = frame.body;
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request.map(|body| Limited::new(body, most)))
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(frame.patience)
        .max_buf_size(HEAD);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // How a client goes away is its own matter.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = ended(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is longer than allowed.
    TooLong,
    /// It did not come in time.
    Late,
    /// The connection broke.
    Broken,
}

/// Reads a body as far as the frame and `most` allow, within `patience`.
pub async fn read_body(body: Body, most: usize, patience: Duration) -> Result<Vec<u8>, Unread> {
    if body.size_hint().lower() > most as u64 {
        return Err(Unread::TooLong);
    }
    let read = async {
        let mut body = body;
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match too_long(&error) {
                true => Unread::TooLong,
                false => Unread::Broken,
            })?;
            if let Some(data) = frame.data_ref() {
                if bytes.len() + data.len() > most {
                    return Err(Unread::TooLong);
                }
                bytes.extend_from_slice(data);
            }
        }
        Ok(bytes)
    };
    tokio::time::timeout(patience, read)
        .await
        .unwrap_or(Err(Unread::Late))
}

fn too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The digest of a token, for [`bears`].
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether a request bears one of the tokens, as `Authorization: Bearer TOKEN`. Digests are compared, each to its end,
/// so that the time tells nothing.
pub fn bears(headers: &HeaderMap, tokens: &[[u8; 32]]) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
    let given = digest(given.unwrap_or_default());
    let differ = |token: &[u8; 32]| {
        let pairs = token.iter().zip(&given);
        pairs.fold(0, |differ, (a, b)| differ | (a ^ b))
    };
    tokens.iter().filter(|token| differ(token) == 0).count() > 0
}
