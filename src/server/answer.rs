//! From a request of HTTP to its answer: who asks, the body, a thread that works on it, the way of the answer back.

use super::access::{Access, Known, Stranger};
use super::metrics::Metrics;
use crate::diagnostic::Outcome;
use crate::store::serve::{
    Answer, Asked, Caller, Endpoint, Head, Parts, Peer, Refuse, Reply, Unread, forbidden, read_body,
};
use crate::store::{Deadline, Workers};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A part that says that the answer still comes is sent so often.
const IDLE: Duration = Duration::from_secs(10);

/// Beyond its deadline a worker has so long to say that it was too slow.
const EXCUSE: Duration = Duration::from_secs(5);

/// What clients are told to wait when there is no thread for them, in seconds.
const RETRY_AFTER: &str = "1";

/// So much of a body that nobody wants is read, so that its sender hears why.
const DRAIN: usize = 8 << 20;

/// What all requests share.
pub struct Desk {
    pub access: Access,
    pub workers: Workers,
    pub streams: Workers,
    pub metrics: Arc<Metrics>,
    /// Room for bodies, in KiB.
    pub memory: Arc<Semaphore>,
    /// How many bytes a body may have.
    pub most: usize,
    /// How long an answer may take.
    pub time: Duration,
    /// The cancel flags of what is being worked on, and whether it would never end by itself.
    pub running: Mutex<HashMap<u64, (Arc<AtomicBool>, bool)>>,
    pub next: AtomicU64,
    /// How refusals look below a first part of paths, where no endpoint is.
    pub manners: HashMap<&'static str, Refuse>,
}

impl Desk {
    /// How a refusal looks at a path that no endpoint has.
    fn manner(&self, path: &str) -> Refuse {
        let found = self.manners.get(first_part(path));
        found.copied().unwrap_or(Answer::refuse)
    }

    /// Ends what would never end by itself, or with `all` everything.
    pub fn cancel(&self, all: bool) {
        for (cancel, endless) in self.running.lock().values() {
            if all || *endless {
                cancel.store(true, Ordering::SeqCst);
            }
        }
    }
}

/// The first part of a path.
pub fn first_part(path: &str) -> &str {
    let rest = path.strip_prefix('/').unwrap_or(path);
    rest.split('/').next().unwrap_or_default()
}

/// A request that is being answered: its line in the log and its place in the counters come when this goes.
struct Visit {
    desk: Arc<Desk>,
    number: u64,
    id: SmolStr,
    peer: Option<SocketAddr>,
    caller: SmolStr,
    method: &'static str,
    /// As declared; for the counters.
    route: &'static str,
    /// As asked; for the log.
    path: String,
    status: u16,
    bytes: u64,
    began: Instant,
    cancel: Arc<AtomicBool>,
    /// Room for the body.
    memory: Option<OwnedSemaphorePermit>,
    refuse: Refuse,
}

impl Visit {
    fn refusal(&self, status: u16, text: &str) -> Answer {
        (self.refuse)(status, &self.id, text)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // Nobody listens any more.
        self.cancel.store(true, Ordering::SeqCst);
        self.desk.running.lock().remove(&self.number);
        let metrics = &self.desk.metrics;
        metrics.running.fetch_sub(1, Ordering::Relaxed);
        let time = self.began.elapsed();
        metrics.count(self.method, self.route, self.status, time, self.bytes);
        let peer = self.peer.map_or(String::new(), |peer| peer.to_string());
        let millis = time.as_millis();
        tracing::info!(
            target: "stellar::serve",
            "{} {peer} {} {} {:?} {} {} bytes {millis} ms",
            self.id, self.caller, self.method, self.path, self.status, self.bytes,
        );
    }
}

/// The longest path that is logged.
const SHOWN: usize = 200;

/// A number for a request, as nobody can guess the next one.
fn number() -> SmolStr {
    let mut bytes = [0; 6];
    // Without chance the numbers are worse, nothing else.
    let _ = getrandom::fill(&mut bytes);
    SmolStr::new(data_encoding::HEXLOWER.encode(&bytes))
}

fn visit(
    desk: &Arc<Desk>,
    method: &'static str,
    route: &'static str,
    refuse: Refuse,
    parts: &request::Parts,
) -> Visit {
    let number_here = desk.next.fetch_add(1, Ordering::Relaxed);
    let cancel = Arc::new(AtomicBool::new(false));
    desk.metrics.running.fetch_add(1, Ordering::Relaxed);
    let mut running = desk.running.lock();
    running.insert(number_here, (cancel.clone(), false));
    drop(running);
    Visit {
        desk: desk.clone(),
        number: number_here,
        id: number(),
        peer: parts.extensions.get::<Peer>().map(|peer| peer.0),
        caller: SmolStr::new_static("-"),
        method,
        route,
        path: parts.uri.path().chars().take(SHOWN).collect(),
        status: 0,
        bytes: 0,
        began: Instant::now(),
        cancel,
        memory: None,
        refuse,
    }
}

/// Answers what no endpoint is for.
pub async fn unknown(desk: Arc<Desk>, request: Request<Body>, status: u16) -> Response {
    let (parts, _) = request.into_parts();
    let method = match parts.method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        _ => "other",
    };
    let refuse = desk.manner(parts.uri.path());
    let visit = visit(&desk, method, "other", refuse, &parts);
    let text = match status {
        405 => "this address does not take this method",
        _ => "there is nothing at this address",
    };
    let answer = visit.refusal(status, text);
    whole(visit, answer)
}

/// Answers a request to an endpoint.
pub async fn answer(desk: Arc<Desk>, endpoint: Endpoint, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let (method, refuse) = (endpoint.method.name(), endpoint.refuse);
    let mut visit = visit(&desk, method, endpoint.path, refuse, &parts);
    let (caller, body) = match admit(&mut visit, &endpoint, &parts.headers, body).await {
        Ok(admitted) => admitted,
        Err(refusal) => return whole(visit, refusal),
    };
    let parameters = RawPathParams::from_request_parts(&mut parts, &()).await;
    let parameters = parameters.map_or(Vec::new(), |found| {
        let pairs = found.iter();
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    });
    let query = parts.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes());
    let (sender, head) = oneshot::channel();
    let asked = Asked {
        id: visit.id.clone(),
        caller,
        parameters,
        query: query
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
        kind: text_of(&parts.headers, header::CONTENT_TYPE).to_owned(),
        body,
        deadline: match desk.time.is_zero() {
            true => Deadline::NONE,
            false => Deadline::after(desk.time),
        },
        cancel: visit.cancel.clone(),
        refuse,
        head: Mutex::new(Some(sender)),
    };
    if endpoint.light {
        return match (endpoint.answer)(&asked) {
            Reply::Whole(answer) => whole(visit, answer),
            _ => faulty(visit),
        };
    }
    work(visit, asked, endpoint, head).await
}

/// Has a thread work on it and passes on what that says.
async fn work(
    visit: Visit,
    asked: Asked,
    endpoint: Endpoint,
    head: oneshot::Receiver<Head>,
) -> Response {
    let desk = visit.desk.clone();
    let latest = asked.deadline.moment().map(|moment| moment + EXCUSE);
    let (id, caller, cancel) = (asked.id.clone(), asked.caller.clone(), asked.cancel.clone());
    let threads = desk.workers.clone();
    let job = async move {
        let work = move || {
            let reply = (endpoint.answer)(&asked);
            asked.reply(reply);
        };
        threads.run(work).await
    };
    let go_on = match first(&visit, job, head, latest).await {
        Ok(Head::Endless(work)) => work,
        begun => return pass_on(visit, begun, latest),
    };
    if let Some((_, endless)) = desk.running.lock().get_mut(&visit.number) {
        *endless = true;
    }
    let (sender, head) = oneshot::channel();
    let endless = Asked {
        id,
        caller,
        parameters: Vec::new(),
        query: Vec::new(),
        kind: String::new(),
        body: Vec::new(),
        deadline: Deadline::NONE,
        cancel,
        refuse: visit.refuse,
        head: Mutex::new(Some(sender)),
    };
    let threads = desk.streams.clone();
    let job = async move {
        let work = move || {
            let reply = go_on(&endless);
            endless.reply(reply);
        };
        threads.run(work).await
    };
    let begun = first(&visit, job, head, None).await;
    pass_on(visit, begun, None)
}

fn pass_on(visit: Visit, begun: Result<Head, Answer>, latest: Option<Instant>) -> Response {
    match begun {
        Err(answer) | Ok(Head::Whole(answer)) => whole(visit, answer),
        Ok(Head::Parts(parts)) => streamed(visit, parts, latest),
        Ok(Head::Endless(_)) => faulty(visit),
    }
}

fn faulty(visit: Visit) -> Response {
    let refusal = visit.refusal(500, "the program has a fault");
    whole(visit, refusal)
}

/// The beginning of the answer of a job; the job goes on when there is more of it.
async fn first(
    visit: &Visit,
    job: impl Future<Output = Option<Outcome<()>>> + Send + 'static,
    head: oneshot::Receiver<Head>,
    latest: Option<Instant>,
) -> Result<Head, Answer> {
    let id = visit.id.clone();
    let (full, refused) = oneshot::channel();
    tokio::spawn(async move {
        let ended = job.await;
        // Who has the head of the answer does not ask how the job ended.
        let _ = full.send(ended);
    });
    let late = async {
        match latest {
            Some(moment) => tokio::time::sleep_until(moment.into()).await,
            None => std::future::pending().await,
        }
    };
    let head = tokio::select! {
        head = head => head.ok(),
        () = late => return Err(visit.refusal(504, "this took longer than allowed")),
    };
    if let Some(head) = head {
        return Ok(head);
    }
    match refused.await {
        Ok(None) => {
            let text = "there is too much to do; try again";
            Err(visit.refusal(503, text).with("retry-after", RETRY_AFTER))
        }
        ended => {
            if let Ok(Some(Err(fault))) = ended {
                tracing::error!(target: "stellar::serve", "{id}: {}", fault.message);
            }
            Err(visit.refusal(500, "the program has a fault"))
        }
    }
}

/// Who asks, and the body. Errors: the refusal.
async fn admit(
    visit: &mut Visit,
    endpoint: &Endpoint,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Caller, Vec<u8>), Answer> {
    let desk = visit.desk.clone();
    let Some(right) = endpoint.right else {
        let nobody = Caller {
            name: visit.caller.clone(),
            domain: SmolStr::default(),
            rights: Default::default(),
        };
        return Ok((nobody, Vec::new()));
    };
    let known = match desk.access.recognise(headers) {
        Ok(Known::Signed(signed)) if !signed.is_known() => signed.check(&[]).map(Known::Caller),
        known => known,
    };
    let known = match known {
        Ok(known) => known,
        Err(stranger) => {
            drain(body).await;
            return Err(unauthorised(visit, &stranger));
        }
    };
    if let Known::Caller(caller) = &known {
        visit.caller = caller.name.clone();
        if !caller.rights.has(right) {
            drain(body).await;
            return Err(forbidden(visit.refuse, &visit.id, caller, right));
        }
    }
    let body = read(visit, headers, body).await?;
    let caller = match known {
        Known::Caller(caller) => caller,
        Known::Signed(signed) => {
            let caller = signed.check(&body);
            caller.map_err(|stranger| unauthorised(visit, &stranger))?
        }
    };
    visit.caller = caller.name.clone();
    if !caller.rights.has(right) {
        return Err(forbidden(visit.refuse, &visit.id, &caller, right));
    }
    Ok((caller, body))
}

fn unauthorised(visit: &Visit, stranger: &Stranger) -> Answer {
    visit
        .refusal(401, &stranger.0)
        .with("www-authenticate", "Bearer")
}

/// The body of a request.
async fn read(visit: &mut Visit, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Answer> {
    let desk = visit.desk.clone();
    let (most, refuse, id) = (desk.most, visit.refuse, visit.id.clone());
    let too_long = || {
        let text = format!("a body has at most {most} bytes");
        refuse(413, &id, &text).with("connection", "close")
    };
    let announced = text_of(headers, header::CONTENT_LENGTH).parse::<usize>();
    let chunked = headers.contains_key(header::TRANSFER_ENCODING);
    let expected = match announced {
        Ok(announced) => announced,
        Err(_) if chunked => most,
        Err(_) => 0,
    };
    if expected > most {
        drain(body).await;
        return Err(too_long());
    }
    let aside = u32::try_from(expected.div_ceil(1024)).unwrap_or(u32::MAX);
    visit.memory = desk.memory.clone().try_acquire_many_owned(aside).ok();
    if visit.memory.is_none() {
        drain(body).await;
        let text = "there is no room for the body; try again";
        return Err(visit.refusal(503, text).with("retry-after", RETRY_AFTER));
    }
    let read = read_body(body, most, PATIENCE).await;
    read.map_err(|unread| match unread {
        Unread::TooLong => too_long(),
        Unread::Late => refuse(408, &id, "the body came too slowly"),
        Unread::Broken => refuse(400, &id, "the body broke off"),
    })
}

/// Reads a body for nothing, within bounds: a connection that is closed over what was not read loses the answer.
async fn drain(body: Body) {
    let _ = read_body(body, DRAIN, Duration::from_secs(2)).await;
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// Sends a whole answer.
fn whole(mut visit: Visit, answer: Answer) -> Response {
    visit.status = answer.status;
    visit.bytes = answer.body.len() as u64;
    let mut response = Response::new(Body::from(answer.body));
    head(&visit, &mut response, answer.kind);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Status, content type, number.
fn head(visit: &Visit, response: &mut Response, kind: &'static str) {
    let bad = StatusCode::INTERNAL_SERVER_ERROR;
    *response.status_mut() = StatusCode::from_u16(visit.status).unwrap_or(bad);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // What browsers would guess from a body is nobody's intention.
    let sniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, sniff);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&visit.id) {
        headers.insert("x-request-id", id);
    }
}

/// Sends an answer as its parts come, until `latest`.
fn streamed(mut visit: Visit, parts: Parts, latest: Option<Instant>) -> Response {
    let Parts {
        status,
        kind,
        idle,
        parts,
    } = parts;
    visit.status = status;
    let mut response = Response::new(Body::empty());
    head(&visit, &mut response, kind);
    let bytes = stream::unfold(Some((parts, visit, idle)), move |state| async move {
        let (mut parts, mut visit, idle) = state?;
        let next = match idle.is_empty() {
            true => parts.recv().await,
            false => match tokio::time::timeout(IDLE, parts.recv()).await {
                Ok(part) => part,
                Err(_) if latest.is_some_and(|latest| latest < Instant::now()) => {
                    // The connection breaks, so that nobody takes this for the end.
                    return Some((Err(std::io::Error::other("too late")), None));
                }
                Err(_) => Some(idle.clone()),
            },
        };
        let part = next?;
        visit.bytes += part.len() as u64;
        Some((Ok(Bytes::from(part)), Some((parts, visit, idle))))
    });
    *response.body_mut() = Body::from_stream(bytes);
    response
}
