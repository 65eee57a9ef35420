//! `output_http`

use super::http_in::number;
use crate::config::resolve;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use crate::eval::json::{read_next, write_json, write_text};
use crate::pipeline::event::{Event, Time};
use crate::pipeline::python;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Now, Render, Sink, Step};
use crate::store::Backoff;
use crate::world::{Poster, Reply};
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use smol_str::SmolStr;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub const OUTPUT_HTTP: ActionSpec = ActionSpec {
    name: "output_http",
    kind: ActionKind::Output,
    summary: "Posts events to a server, some at a time, as JSON.",
    details: "A batch is posted when it is full, after `interval`, and at a checkpoint. While the server cannot be reached or answers 408, 429 or 5xx the batch is posted again, with growing pauses or after the time in `Retry-After`, and the pipeline waits. What the server refuses with another code goes to the dead letters with the first line of its answer; a batch that is too long for it (413) is halved. After a 2xx nothing is posted again in the same run; after a crash, or when an answer was lost, a batch may come twice. Events go on to the next step.",
    parameters: &[
        ParameterSpec::required(
            "url",
            ParameterKind::Text,
            "an http or https address; `${NAME}` and `${file:PATH}` are replaced, here and in `headers` and `token`",
        ),
        ParameterSpec::optional(
            "headers",
            ParameterKind::Map,
            "",
            "headers of every request",
        ),
        ParameterSpec::optional(
            "token",
            ParameterKind::Text,
            "",
            "is sent as `Authorization: Bearer`",
        ),
        ParameterSpec::optional(
            "format",
            ParameterKind::Choice(&["lines", "array"]),
            "lines",
            "`lines`: JSON Lines; `array`: an array of objects",
        ),
        ParameterSpec::optional(
            "tag_key",
            ParameterKind::Text,
            "",
            "the field for the tag of the event, if it shall have one",
        ),
        ParameterSpec::optional(
            "time_key",
            ParameterKind::Text,
            "",
            "the field for the time of the event, if it shall have one",
        ),
        ParameterSpec::optional(
            "batch",
            ParameterKind::Whole,
            "1000",
            "how many events are posted at once; a mebibyte is always enough",
        ),
        ParameterSpec::optional(
            "interval",
            ParameterKind::Seconds,
            "1",
            "how long events wait for others",
        ),
        ParameterSpec::optional(
            "gzip",
            ParameterKind::Flag,
            "false",
            "whether bodies are packed",
        ),
        ParameterSpec::optional(
            "timeout",
            ParameterKind::Seconds,
            "10",
            "how long the server may take to answer",
        ),
        ParameterSpec::optional(
            "give_up",
            ParameterKind::Seconds,
            "never",
            "after how long without success the pipeline ends with an error",
        ),
        ParameterSpec::optional(
            "tls_ca",
            ParameterKind::Path,
            "those that this machine trusts",
            "the file of the authorities that vouch for the server, in PEM",
        ),
    ],
    examples: &[
        "- name: output_http\n  match: alert\n  url: https://alerts.example.org/api\n  headers: {X-Sensor: fw-3}\n  format: array",
        "- name: output_http\n  match: \"*\"\n  url: http://127.0.0.1:9880/\n  tag_key: tag\n  gzip: true\n  batch: 500",
    ],
    make,
};

/// From so many bytes on a batch is full.
const FULL: usize = 1 << 20;

/// How long a server may still fail when the program shall end.
const FAREWELL: Duration = Duration::from_secs(5);

/// The longest pause that a server may ask for.
const LONGEST: Duration = Duration::from_secs(300);

/// How deep the JSON of a refused event may nest.
const DEPTH: usize = 512;

struct Lines {
    tag_key: Option<SmolStr>,
    time_key: Option<SmolStr>,
}

/// An event on its way: the JSON, and what a dead letter needs besides.
struct Held {
    tag: SmolStr,
    time: Time,
    json: Vec<u8>,
}

struct Http {
    pipeline: String,
    poster: Poster,
    array: bool,
    gzip: bool,
    most: usize,
    interval: Duration,
    give_up: Option<Duration>,
    backoff: Backoff,
    stop: Arc<AtomicBool>,
    say: Arc<dyn Fn(&str) + Send + Sync>,
    held: Vec<Held>,
    bytes: usize,
    since: Option<Instant>,
    refused: Vec<(Event, String)>,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let mut headers = HeaderMap::new();
    let gzip = parameters.flag("gzip").unwrap_or(false);
    let array = parameters.text("format").as_deref() == Some("array");
    let kind = if array {
        "application/json"
    } else {
        "application/x-ndjson"
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in parameters.map("headers") {
        let (name, value) = (python::text(&name), python::text(&value));
        let secret = resolve(&value)?;
        let known = HeaderName::from_bytes(name.as_bytes());
        let text = HeaderValue::from_str(secret.expose());
        let (Ok(known), Ok(mut text)) = (known, text) else {
            // The value may be a secret.
            let text = format!("the header {name} has a wrong name or value");
            return Err(parameters.fault("headers", text));
        };
        text.set_sensitive(true);
        headers.insert(known, text);
    }
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(token) = parameters.text("token") {
        let secret = resolve(&token)?;
        let value = HeaderValue::from_str(&format!("Bearer {}", secret.expose().trim()));
        let mut value = value.map_err(|_| {
            parameters.fault("token", "the token has characters that no header may")
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let timeout = parameters
        .seconds("timeout")
        .filter(|time| !time.is_zero())
        .unwrap_or(Duration::from_secs(10));
    let url = resolve(&parameters.text_or("url", ""))?;
    let poster = Poster::new(url.expose(), headers, timeout, parameters.path("tls_ca"))
        .map_err(|reason| parameters.fault("url", reason))?;
    let common = build.common();
    let seed = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(1, |time| u64::from(time.subsec_nanos()));
    let sink = Http {
        pipeline: build.pipeline.to_owned(),
        poster,
        array,
        gzip,
        most: number(parameters, "batch", 1000, 1, 1_000_000)?,
        interval: parameters
            .seconds("interval")
            .unwrap_or(Duration::from_secs(1)),
        give_up: parameters.seconds("give_up").filter(|time| !time.is_zero()),
        backoff: Backoff::new(seed),
        stop: common.stop.clone(),
        say: common.say.clone(),
        held: Vec::new(),
        bytes: 0,
        since: None,
        refused: Vec::new(),
    };
    let render = Lines {
        tag_key: parameters.text("tag_key"),
        time_key: parameters.text("time_key"),
    };
    Ok(Step::Output(Arc::new(render), Box::new(sink)))
}

impl Render for Lines {
    /// For each event: the length of its tag, the length of its JSON, its time, its tag, its JSON.
    fn render(&self, event: &Event, _: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        let (whole, bits) = match event.time {
            Time::Whole(seconds) => (1, seconds.to_le_bytes()),
            Time::Fraction(seconds) => (0, seconds.to_le_bytes()),
        };
        let length = |length: usize| u32::try_from(length).map_err(|_| "it is too long".to_owned());
        out.extend_from_slice(&length(event.tag.len())?.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.push(whole);
        out.extend_from_slice(&bits);
        out.extend_from_slice(event.tag.as_bytes());
        let from = out.len();
        self.json(event, out)?;
        let json = length(out.len() - from)?.to_le_bytes();
        if let Some(place) = out.get_mut(start + 4..start + 8) {
            place.copy_from_slice(&json);
        }
        Ok(())
    }

    fn by_route(&self) -> bool {
        false
    }
}

impl Lines {
    fn json(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), String> {
        let time = match event.time {
            Time::Whole(seconds) => Value::Long(seconds),
            Time::Fraction(seconds) => Value::Double(seconds),
        };
        let own = [
            (self.tag_key.as_ref(), Value::Text(event.tag.clone())),
            (self.time_key.as_ref(), time),
        ];
        let is_own = |name: &str| {
            own.iter()
                .any(|(key, _)| key.is_some_and(|key| key == name))
        };
        let mut comma = false;
        let mut field = |name: &str, value: &Value| {
            out.push(if comma { b',' } else { b'{' });
            comma = true;
            write_text(name, out);
            out.push(b':');
            write_json(value, out).map_err(|fault| fault.message)
        };
        for (key, value) in event.record.iter() {
            match key {
                Value::Text(name) if is_own(name) => {}
                Value::Text(name) => field(name, value)?,
                other => field(&python::text(other), value)?,
            }
        }
        for (key, value) in &own {
            if let Some(key) = key {
                field(key, value)?;
            }
        }
        if !comma {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(())
    }
}

impl Sink for Http {
    fn write(&mut self, _: &str, bytes: &[u8], _: usize) -> Outcome<()> {
        let mut rest = bytes;
        while let Some((held, behind)) = Held::read(rest) {
            rest = behind;
            self.bytes += held.json.len();
            self.held.push(held);
            self.since.get_or_insert_with(Instant::now);
            if self.held.len() >= self.most || self.bytes >= FULL {
                self.send()?;
            }
        }
        Ok(())
    }

    fn tick(&mut self, _: Now, _: bool) -> Outcome<()> {
        match self.since {
            Some(since) if since.elapsed() >= self.interval => self.send(),
            _ => Ok(()),
        }
    }

    fn flush(&mut self, _: bool) -> Outcome<()> {
        self.send()
    }

    fn refused(&mut self) -> Vec<(Event, String)> {
        std::mem::take(&mut self.refused)
    }
}

impl Held {
    /// What [`Lines::render`] wrote, and what is behind it.
    fn read(bytes: &[u8]) -> Option<(Held, &[u8])> {
        let (tag, rest) = bytes.split_first_chunk::<4>()?;
        let (json, rest) = rest.split_first_chunk::<4>()?;
        let (&[whole], rest) = rest.split_first_chunk::<1>()?;
        let (bits, rest) = rest.split_first_chunk::<8>()?;
        let length = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).ok();
        let (tag, rest) = rest.split_at_checked(length(tag)?)?;
        let (json, rest) = rest.split_at_checked(length(json)?)?;
        let held = Held {
            tag: SmolStr::new(String::from_utf8_lossy(tag)),
            time: match whole {
                1 => Time::Whole(i64::from_le_bytes(*bits)),
                _ => Time::Fraction(f64::from_le_bytes(*bits)),
            },
            json: json.to_vec(),
        };
        Some((held, rest))
    }

    /// The event, for the dead letters.
    fn event(self) -> Event {
        let text = String::from_utf8_lossy(&self.json);
        let record: Record = match read_next(&text, DEPTH) {
            Ok((Value::Map(map), _)) => map.entries().into_iter().collect(),
            _ => Record::default(),
        };
        Event {
            tag: self.tag,
            time: self.time,
            record,
        }
    }
}

impl Http {
    /// Posts all that is held. Errors: E0604 when the server does not answer for too long.
    fn send(&mut self) -> Outcome<()> {
        self.since = None;
        self.bytes = 0;
        let mut batches = vec![std::mem::take(&mut self.held)];
        while let Some(batch) = batches.pop() {
            if batch.is_empty() {
                continue;
            }
            let reply = self.deliver(&batch)?;
            let status = reply.status;
            if status.is_success() {
                continue;
            }
            if status.as_u16() == 413 && batch.len() > 1 {
                let mut first = batch;
                let second = first.split_off(first.len() / 2);
                batches.push(second);
                batches.push(first);
                continue;
            }
            let reason = match reply.line.as_str() {
                "" => format!("the server answers {status}"),
                line => format!("the server answers {status}: {line}"),
            };
            let refused = batch.into_iter().map(|held| (held.event(), reason.clone()));
            self.refused.extend(refused);
        }
        Ok(())
    }

    /// Posts a batch until there is an answer that counts.
    fn deliver(&mut self, batch: &[Held]) -> Outcome<Reply> {
        let body = hyper::body::Bytes::from(self.body(batch)?);
        let started = Instant::now();
        let mut told = false;
        let mut stopped = None;
        loop {
            // The flag that ends the program does not end a request: it gets its time.
            let reply = self.poster.post(body.clone(), &AtomicBool::new(false))?;
            let (reason, wanted) = match reply {
                Ok(reply) if !passes(&reply) => {
                    self.backoff.reset();
                    if told {
                        (self.say)(&format!(
                            "pipeline {}: output_http reaches {} again",
                            self.pipeline,
                            self.poster.shown()
                        ));
                    }
                    return Ok(reply);
                }
                Ok(reply) => (format!("it answers {}", reply.status), reply.retry_after),
                Err(reason) => (reason, None),
            };
            if !told {
                told = true;
                (self.say)(&format!(
                    "pipeline {}: output_http cannot post to {}: {reason}; it is tried again",
                    self.pipeline,
                    self.poster.shown()
                ));
            }
            let pause = wanted
                .map_or(Duration::ZERO, |wanted| wanted.min(LONGEST))
                .max(self.backoff.pause());
            let end = Instant::now() + pause;
            loop {
                if self.stop.load(Ordering::Relaxed) {
                    stopped.get_or_insert_with(Instant::now);
                }
                let late = self.give_up.is_some_and(|most| started.elapsed() >= most)
                    || stopped.is_some_and(|since: Instant| since.elapsed() >= FAREWELL);
                if late {
                    return Err(self.failed(batch.len(), &reason));
                }
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                std::thread::sleep(left.min(Duration::from_millis(20)));
            }
        }
    }

    fn failed(&self, events: usize, reason: &str) -> crate::diagnostic::Fault {
        let text = format!(
            "output_http of the pipeline {} cannot post {events} events to {}: {reason}",
            self.pipeline,
            self.poster.shown()
        );
        Diagnostic::new(Code::ServerFailed, text)
            .help("inputs that keep their place give these events again at the next start")
    }

    fn body(&self, batch: &[Held]) -> Outcome<Vec<u8>> {
        let length = batch.iter().map(|held| held.json.len() + 1).sum::<usize>();
        let mut body = Vec::with_capacity(length + 2);
        for (number, held) in batch.iter().enumerate() {
            if self.array {
                body.push(if number == 0 { b'[' } else { b',' });
            }
            body.extend_from_slice(&held.json);
            if !self.array {
                body.push(b'\n');
            }
        }
        if self.array {
            body.push(b']');
        }
        if !self.gzip {
            return Ok(body);
        }
        let mut packed = GzEncoder::new(Vec::with_capacity(length / 4), Compression::fast());
        packed
            .write_all(&body)
            .and_then(|()| packed.finish())
            .map_err(|error| {
                Diagnostic::new(Code::Internal, format!("a body cannot be packed: {error}"))
            })
    }
}

/// Whether a refusal may pass.
fn passes(reply: &Reply) -> bool {
    matches!(reply.status.as_u16(), 408 | 429 | 500..=599)
}
