//! `stellar serve`: the HTTP frame around what the systems offer. Routes are theirs; who may ask, limits, threads, the
//! log and the counters are here.

mod access;
mod answer;
mod metrics;
mod openapi;
mod token;

use crate::config::{Config, Right};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::Workers;
use crate::store::serve::{About, Answer, Asked, Endpoint, Handler, Listen, Method, Reply, serve};
use access::Access;
use answer::Desk;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::{MethodFilter, MethodRouter, on};
use metrics::Metrics;
use parking_lot::Mutex;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a client may take for the head of a request.
const PATIENCE: Duration = Duration::from_secs(15);

/// The least memory for bodies on their way.
const MEMORY: usize = 64 << 20;

/// How often a server that ends looks whether it is done.
const TICK: Duration = Duration::from_millis(10);

/// What is cancelled has so long to end by itself.
const CANCELLED: Duration = Duration::from_secs(5);

/// A running server.
pub struct Serving {
    server: crate::store::serve::Server,
    desk: Arc<Desk>,
    grace: Duration,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Serves endpoints as configured. `path` replaces references in the paths of certificates.
///
/// Errors: E0501 for a public address without credentials and other settings that do not fit; E0503; E0403 for bad
/// certificates; E0404 when the address cannot be had.
pub fn start(
    config: &Config,
    listen: &str,
    endpoints: Vec<Endpoint>,
    path: &dyn Fn(&Path) -> Outcome<std::path::PathBuf>,
) -> Outcome<Serving> {
    let access = Access::new(config)?;
    let settings = &config.serve;
    let (host, port) = host_and_port(listen)?;
    let mut frame = Listen::at(&host, port);
    frame.body = settings.body;
    frame.connections = settings.connections;
    frame.patience = PATIENCE;
    frame.tls = match (&settings.tls_cert, &settings.tls_key) {
        (Some(certificate), Some(key)) => Some((path(certificate)?, path(key)?)),
        (None, None) => None,
        (Some(_), None) => return Err(wrong("serve.tls_cert needs serve.tls_key")),
        (None, Some(_)) => return Err(wrong("serve.tls_key needs serve.tls_cert")),
    };
    let open = access.is_open();
    if open && !is_local(&host, port) {
        let text = format!("{listen} is public, and nobody is named who may use the API");
        return Err(wrong(&text).help(
            "write tokens, jwt_secret or [serve.keys.NAME] in [serve], or listen at 127.0.0.1",
        ));
    }
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let threads = settings.threads.unwrap_or((2 * cores).max(4));
    let memory = MEMORY.max(4 * settings.body) >> 10;
    let metrics = Arc::new(Metrics::new());
    let manners = endpoints.iter();
    let manners = manners.map(|one| (answer::first_part(one.path), one.refuse));
    let manners = manners.collect();
    let desk = Arc::new(Desk {
        access,
        workers: Workers::start("serve", threads, settings.waiting)?,
        // None waits: those before it may never end.
        streams: Workers::start("stream", settings.streams, 0)?,
        metrics: metrics.clone(),
        memory: Arc::new(Semaphore::new(memory)),
        most: settings.body,
        time: settings.time,
        running: Mutex::default(),
        next: AtomicU64::new(0),
        manners,
    });
    let endpoints = with_own(endpoints, metrics);
    let server = serve(router(&desk, endpoints.into_iter()), &frame)?;
    let mut notes = Vec::new();
    if open {
        notes
            .push("no tokens are configured: every program of this machine is answered".to_owned());
    } else if server.is_public() && frame.tls.is_none() {
        notes.push(format!(
            "{} is public and without TLS: tokens and data can be read on the way",
            server.url()
        ));
    }
    Ok(Serving {
        server,
        desk,
        grace: settings.grace,
        notes,
    })
}

impl Serving {
    /// Adds what a system counts to `/metrics`.
    pub fn counts(&self, more: impl Fn() -> String + Send + Sync + 'static) {
        self.desk.metrics.more.lock().push(Box::new(more));
    }

    /// Its address as clients write it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Ends: no more requests are taken, those that have begun get their time, then they are cancelled. `hurry` makes
    /// that sooner.
    pub fn end(self, hurry: &AtomicBool) {
        self.server.stop();
        self.desk.cancel(false);
        self.until_done(self.grace, hurry);
        self.desk.cancel(true);
        self.until_done(CANCELLED, hurry);
    }

    fn until_done(&self, time: Duration, hurry: &AtomicBool) {
        let end = Instant::now() + time;
        while !self.server.is_done() && Instant::now() < end && !hurry.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
    }
}

/// What every server offers, before what the systems do.
fn with_own(others: Vec<Endpoint>, metrics: Arc<Metrics>) -> Vec<Endpoint> {
    let health = |_: &Asked| {
        let version = env!("CARGO_PKG_VERSION");
        let body = serde_json::json!({"status": "ok", "version": version});
        Reply::Whole(Answer::json(200, &body))
    };
    let counters = move |_: &Asked| {
        Reply::Whole(Answer {
            status: 200,
            kind: "text/plain; version=0.0.4; charset=utf-8",
            headers: Vec::new(),
            body: metrics.text().into_bytes(),
        })
    };
    let mut all = vec![
        light(
            "/health",
            None,
            "Says that the server answers.",
            Arc::new(health),
        ),
        light(
            "/metrics",
            Some(Right::Read),
            "What the server counts, in Prometheus' form.",
            Arc::new(counters),
        ),
    ];
    let document = Arc::new(OnceLock::<Answer>::new());
    let filled = document.clone();
    all.push(light(
        "/openapi.json",
        None,
        "Describes all of this as OpenAPI does.",
        Arc::new(move |asked: &Asked| {
            let missing = || Answer::refuse(500, &asked.id, "there is no description");
            Reply::Whole(document.get().cloned().unwrap_or_else(missing))
        }),
    ));
    all.extend(others);
    // It describes itself as well.
    let _ = filled.set(Answer::json(200, &openapi::document(&all)));
    all
}

/// What never blocks.
fn light(
    path: &'static str,
    right: Option<Right>,
    summary: &'static str,
    answer: Handler,
) -> Endpoint {
    Endpoint {
        method: Method::Get,
        path,
        right,
        summary,
        answer,
        light: true,
        refuse: Answer::refuse,
        about: About::default(),
    }
}

/// All that is served besides what the systems offer, and that, for lists.
pub fn all_endpoints(others: Vec<Endpoint>) -> Vec<Endpoint> {
    with_own(others, Arc::new(Metrics::new()))
}

fn router(desk: &Arc<Desk>, endpoints: impl Iterator<Item = Endpoint>) -> Router {
    let mut router = Router::new();
    for endpoint in endpoints {
        let method = match endpoint.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Put => MethodFilter::PUT,
            Method::Delete => MethodFilter::DELETE,
        };
        let (path, desk) = (endpoint.path, desk.clone());
        let handler = move |request: Request<Body>| answer::answer(desk, endpoint, request);
        let route: MethodRouter = on(method, handler);
        router = router.route(path, route);
    }
    let (nothing, other) = (desk.clone(), desk.clone());
    router
        .fallback(move |request: Request<Body>| answer::unknown(nothing, request, 404))
        .method_not_allowed_fallback(move |request: Request<Body>| {
            answer::unknown(other, request, 405)
        })
}

fn host_and_port(listen: &str) -> Outcome<(String, u16)> {
    let parsed = listen.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), port.parse().ok()?))
    });
    parsed.filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
        wrong(&format!(
            "serve.listen wants an address and a port, not {listen:?}"
        ))
        .help("write 127.0.0.1:8650, or 0.0.0.0:8650 for all interfaces")
    })
}

/// Whether only this machine can connect there.
fn is_local(host: &str, port: u16) -> bool {
    let found = (host, port).to_socket_addrs();
    found.is_ok_and(|mut all| all.all(|address| address.ip().to_canonical().is_loopback()))
}

fn wrong(text: &str) -> Fault {
    Diagnostic::new(Code::Configuration, text)
}
