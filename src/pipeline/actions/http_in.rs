//! `input_http`

use super::http_body::{BadBody, Content, Packing, records, unpack};
use crate::config::resolve;
use crate::diagnostic::Outcome;
use crate::pipeline::event::Event;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use crate::store::Workers;
use crate::store::serve::{Listen, Server, Unread, bears, digest, read_body, serve};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

pub const INPUT_HTTP: ActionSpec = ActionSpec {
    name: "input_http",
    kind: ActionKind::Input,
    summary: "Takes events that are posted over HTTP.",
    details: "The body is JSON (objects, or arrays of objects, one behind the other), JSON Lines (`application/x-ndjson`) or lines of text (`text/plain`), plain or packed with gzip or zstd (`Content-Encoding`). A request is taken as a whole or not at all: 400 names the place of the first fault in the body. 200 means that the outputs have durably taken the events; a client that gets no answer sends them again. 503 with `Retry-After` means that the pipeline is full. With `--once` the input ends when nothing has come for two seconds.",
    parameters: &[
        ParameterSpec::optional(
            "tag",
            ParameterKind::Text,
            "the path of the request",
            "the tag of all events, which are posted to `/`; without it, those posted to `/TAG` have the tag TAG",
        ),
        ParameterSpec::optional(
            "host",
            ParameterKind::Text,
            "127.0.0.1",
            "the name or address to listen at",
        ),
        ParameterSpec::optional(
            "port",
            ParameterKind::Whole,
            "9880",
            "the port to listen at; 0 for any, which is said",
        ),
        ParameterSpec::optional(
            "token",
            ParameterKind::Texts,
            "",
            "who sends `Authorization: Bearer` with one of these is let in; `${NAME}` and `${file:PATH}` are replaced",
        ),
        ParameterSpec::optional(
            "tls_cert",
            ParameterKind::Path,
            "",
            "the file of the certificate, in PEM",
        ),
        ParameterSpec::optional(
            "tls_key",
            ParameterKind::Path,
            "",
            "the file of its key, in PEM",
        ),
        ParameterSpec::optional(
            "wait",
            ParameterKind::Flag,
            "true",
            "whether the answer waits for the outputs; otherwise it is 202, at once",
        ),
        ParameterSpec::optional(
            "max_body",
            ParameterKind::Whole,
            "16777216",
            "how many bytes a body may have, unpacked; 413 beyond",
        ),
        ParameterSpec::optional(
            "connections",
            ParameterKind::Whole,
            "256",
            "how many connections there may be; more wait",
        ),
    ],
    examples: &[
        "- name: input_http\n  port: 9880\n  tag: my_log",
        "- name: input_http\n  host: 0.0.0.0\n  token: a long text that nobody can guess\n  tls_cert: server.pem\n  tls_key: server.key",
    ],
    make,
};

/// How many requests wait for the pipeline before others are refused.
const QUEUE: usize = 64;

/// Requests are fed together up to so many events.
const TOGETHER: usize = 2000;

/// The least memory for bodies on their way.
const MEMORY: usize = 256 << 20;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// With `--once`: how long it may be quiet.
const QUIET: Duration = Duration::from_secs(2);

/// How long requests that have begun may take when the input ends.
const FAREWELL: Duration = Duration::from_secs(10);

/// The longest tag in a path.
const TAG: usize = 256;

/// What clients are told to wait when the pipeline is full, in seconds.
const RETRY_AFTER: &str = "1";

struct Http {
    listen: Listen,
    tag: Option<SmolStr>,
    tokens: Vec<[u8; 32]>,
    wait: bool,
    pipeline: String,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let mut listen = Listen::at(
        &parameters.text_or("host", "127.0.0.1"),
        number(parameters, "port", 9880, 0, u16::MAX)?,
    );
    listen.body = number(parameters, "max_body", 16 << 20, 1, 1 << 30)?;
    listen.connections = number(parameters, "connections", 256, 1, 1 << 16)?;
    listen.tls = match (parameters.path("tls_cert"), parameters.path("tls_key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(parameters.fault("tls_cert", "tls_cert needs tls_key")),
        (None, Some(_)) => return Err(parameters.fault("tls_key", "tls_key needs tls_cert")),
    };
    let mut tokens = Vec::new();
    for token in parameters.texts("token") {
        let secret = resolve(&token)?;
        if secret.expose().trim().is_empty() {
            return Err(parameters.fault("token", "a token is not empty"));
        }
        tokens.push(digest(secret.expose().trim()));
    }
    Ok(Step::Input(Box::new(Http {
        listen,
        tag: parameters.text("tag"),
        tokens,
        wait: parameters.flag("wait").unwrap_or(true),
        pipeline: build.pipeline.to_owned(),
    })))
}

/// A whole number between two others.
pub(super) fn number<T>(
    parameters: &Parameters,
    name: &str,
    usual: T,
    least: T,
    most: T,
) -> Outcome<T>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    let Some(given) = parameters.whole(name) else {
        return Ok(usual);
    };
    match T::try_from(given) {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => {
            let text = format!("{name} is between {least} and {most}, not {given}");
            Err(parameters.fault(name, text))
        }
    }
}

/// What a request brought.
struct Posted {
    tag: SmolStr,
    records: Vec<Record>,
    /// Answers; without it nobody waits.
    taken: Option<oneshot::Sender<()>>,
    memory: OwnedSemaphorePermit,
}

/// What the handlers of all requests share.
struct Desk {
    tag: Option<SmolStr>,
    tokens: Vec<[u8; 32]>,
    wait: bool,
    most: usize,
    posted: Sender<Posted>,
    /// In KiB.
    memory: Arc<Semaphore>,
    workers: Workers,
    /// Set when a request has come.
    busy: AtomicBool,
}

impl Input for Http {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        let (sender, posted) = bounded(QUEUE);
        let memory = MEMORY.max(4 * self.listen.body) >> 10;
        let desk = Arc::new(Desk {
            tag: self.tag.clone(),
            tokens: self.tokens.clone(),
            wait: self.wait,
            most: self.listen.body,
            posted: sender,
            memory: Arc::new(Semaphore::new(memory)),
            workers: Workers::start("http", 2, QUEUE)?,
            busy: AtomicBool::new(false),
        });
        let router = Router::new().fallback(answer).with_state(desk.clone());
        let server = serve(router, &self.listen)?;
        self.greet(&server, feed);
        let mut last = Instant::now();
        while !feed.stopped() {
            match posted.recv_timeout(Duration::from_millis(50)) {
                Ok(first) => {
                    if !take(first, &posted, feed) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if desk.busy.swap(false, Ordering::Relaxed) {
                last = Instant::now();
            } else if feed.once() && last.elapsed() >= QUIET {
                break;
            }
        }
        server.stop();
        let end = Instant::now() + FAREWELL;
        while !server.is_done() && Instant::now() < end {
            if let Ok(first) = posted.recv_timeout(Duration::from_millis(10))
                && !take(first, &posted, feed)
            {
                break;
            }
        }
        Ok(())
    }
}

impl Http {
    /// Says where it listens, and who else can hear.
    fn greet(&self, server: &Server, feed: &Feed) {
        let (pipeline, url) = (&self.pipeline, server.url());
        feed.say(&format!("pipeline {pipeline}: input_http listens at {url}"));
        let secure = self.listen.tls.is_some();
        let open = match (self.tokens.is_empty(), secure) {
            (false, true) => return,
            (true, true) => "without token: everybody who reaches it can post events",
            (false, false) => "without TLS: tokens and events can be read on the way",
            (true, false) => "without token and TLS: everybody who reaches it can post events",
        };
        if server.is_public() {
            feed.say(&format!(
                "pipeline {pipeline}: input_http listens at a public address {open}"
            ));
        }
    }
}

/// Feeds a request, and others that wait behind it. False when the pipeline has ended.
fn take(first: Posted, posted: &Receiver<Posted>, feed: &Feed) -> bool {
    let mut taken = Taken::default();
    let mut events = Vec::with_capacity(first.records.len());
    let mut next = Some(first);
    while let Some(one) = next {
        let (tag, records) = (one.tag, one.records);
        events.extend(records.into_iter().map(|record| Event {
            tag: tag.clone(),
            time: feed.time(),
            record,
        }));
        taken.answers.get_mut().extend(one.taken);
        taken.memory.get_mut().push(one.memory);
        next = match events.len() < TOGETHER {
            true => posted.try_recv().ok(),
            false => None,
        };
    }
    taken.urgent = !taken.answers.get_mut().is_empty();
    feed.events(events, Some(Arc::new(taken)))
}

/// The clients that wait; those of events that are lost find their channel closed.
#[derive(Default)]
struct Taken {
    answers: Mutex<Vec<oneshot::Sender<()>>>,
    memory: Mutex<Vec<OwnedSemaphorePermit>>,
    urgent: bool,
}

impl Token for Taken {
    fn acknowledge(&self) {
        self.memory.lock().clear();
        for answer in self.answers.lock().drain(..) {
            // A client may have gone.
            let _ = answer.send(());
        }
    }

    fn urgent(&self) -> bool {
        self.urgent
    }
}

/// The answer to any request.
async fn answer(State(desk): State<Arc<Desk>>, request: Request<Body>) -> Response {
    desk.busy.store(true, Ordering::Relaxed);
    match desk.take(request).await {
        Ok(response) | Err(response) => response,
    }
}

impl Desk {
    async fn take(&self, request: Request<Body>) -> Result<Response, Response> {
        let (head, body) = request.into_parts();
        if !self.tokens.is_empty() && !bears(&head.headers, &self.tokens) {
            let mut response = refuse(StatusCode::UNAUTHORIZED, "a valid token is needed");
            let challenge = header::HeaderValue::from_static("Bearer");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
            return Err(response);
        }
        let tag = self.tag_of(head.uri.path());
        let tag = tag.map_err(|reason| refuse(StatusCode::NOT_FOUND, reason))?;
        if head.method != Method::POST {
            let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, "events are posted");
            let allowed = header::HeaderValue::from_static("POST");
            response.headers_mut().insert(header::ALLOW, allowed);
            return Err(response);
        }
        let packing = Packing::of(text_of(&head.headers, header::CONTENT_ENCODING));
        let Some(packing) = packing else {
            let text = "bodies are plain, or packed with gzip or zstd";
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        };
        let content = Content::of(text_of(&head.headers, header::CONTENT_TYPE));
        let (records, memory) = self.read(&head.headers, body, packing, content).await?;
        let count = records.len();
        if count == 0 {
            return Ok(done(StatusCode::OK, 0));
        }
        let (sender, taken) = oneshot::channel();
        let posted = Posted {
            tag,
            records,
            taken: self.wait.then_some(sender),
            memory,
        };
        self.posted.try_send(posted).map_err(|_| full())?;
        if !self.wait {
            return Ok(done(StatusCode::ACCEPTED, count));
        }
        match taken.await {
            Ok(()) => Ok(done(StatusCode::OK, count)),
            Err(_) => Err(full()),
        }
    }

    /// The tag that a path means. Errors: why it means none.
    fn tag_of(&self, path: &str) -> Result<SmolStr, &'static str> {
        let name = path.trim_start_matches('/').trim_end_matches('/');
        if let Some(tag) = &self.tag {
            return match name.is_empty() {
                true => Ok(tag.clone()),
                false => Err("events are posted to /"),
            };
        }
        let name = percent_encoding::percent_decode_str(name).decode_utf8();
        match name {
            Ok(name)
                if !name.is_empty() && name.len() <= TAG && !name.chars().any(char::is_control) =>
            {
                Ok(SmolStr::new(name))
            }
            _ => Err("events are posted to /TAG, where TAG is their tag"),
        }
    }

    /// The events of a body, with the memory that was set aside for them.
    async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        packing: Packing,
        content: Content,
    ) -> Result<(Vec<Record>, OwnedSemaphorePermit), Response> {
        let most = self.most;
        let announced = text_of(headers, header::CONTENT_LENGTH).parse::<usize>();
        let expected = announced.unwrap_or(most);
        if expected > most {
            return Err(too_long(most));
        }
        let aside = |bytes: usize| {
            let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
            self.memory.clone().try_acquire_many_owned(kib).ok()
        };
        let mut memory = aside(expected).ok_or_else(full)?;
        let bytes = read_body(body, most, PATIENCE)
            .await
            .map_err(|unread| match unread {
                Unread::TooLong => too_long(most),
                Unread::Late => refuse(StatusCode::REQUEST_TIMEOUT, "the body came too slowly"),
                Unread::Broken => refuse(StatusCode::BAD_REQUEST, "the body broke off"),
            })?;
        let all = self.memory.clone();
        let work = move || {
            let grow = |more: usize| {
                let kib = u32::try_from(more.div_ceil(1024)).unwrap_or(u32::MAX);
                let more = all.clone().try_acquire_many_owned(kib);
                more.map(|more| memory.merge(more)).is_ok()
            };
            let bytes = unpack(bytes, packing, most, grow)?;
            records(&bytes, content).map(|records| (records, memory))
        };
        match self.workers.run(work).await {
            None => Err(full()),
            Some(Ok(Ok(read))) => Ok(read),
            Some(Ok(Err(BadBody::TooLong))) => Err(too_long(most)),
            Some(Ok(Err(BadBody::Full))) => Err(full()),
            Some(Ok(Err(BadBody::Wrong(reason, place)))) => {
                let mut body = json!({"error": reason});
                if let (Json::Object(body), Some((line, column))) = (&mut body, place) {
                    body.insert("line".to_owned(), json!(line));
                    body.insert("column".to_owned(), json!(column));
                }
                Err(shown(StatusCode::BAD_REQUEST, &body))
            }
            Some(Err(fault)) => {
                tracing::error!("input_http: {}", fault.message);
                let text = "the program has a fault";
                Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, text))
            }
        }
    }
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn shown(code: StatusCode, body: &Json) -> Response {
    let head = [(header::CONTENT_TYPE, "application/json")];
    (code, head, format!("{body}\n")).into_response()
}

fn done(code: StatusCode, events: usize) -> Response {
    shown(code, &json!({"events": events}))
}

fn refuse(code: StatusCode, reason: &str) -> Response {
    shown(code, &json!({"error": reason}))
}

fn too_long(most: usize) -> Response {
    let text = format!("a body has at most {most} bytes");
    refuse(StatusCode::PAYLOAD_TOO_LARGE, &text)
}

fn full() -> Response {
    let text = "the pipeline is full; try again";
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, text);
    let headers = response.headers_mut();
    let after = header::HeaderValue::from_static(RETRY_AFTER);
    headers.insert(header::RETRY_AFTER, after);
    response
}
