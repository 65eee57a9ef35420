//! What a system offers over HTTP: plain blocking functions from what was asked to an answer. Who may ask, limits and
//! threads are the server's.

use crate::config::{Right, Rights};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::{Deadline, wait};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot};

/// The content type of JSON.
pub const JSON: &str = "application/json";

/// A client that takes no more of an answer for so long is given up, where nothing else limits it.
const SLOW: Duration = Duration::from_secs(60);

/// So long a client may take for the last part.
const LAST: Duration = Duration::from_secs(4);

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// One thing that can be asked for.
#[derive(Clone)]
pub struct Endpoint {
    /// How.
    pub method: Method,
    /// Where; `{name}` stands for a part that [`Asked::parameter`] gives.
    pub path: &'static str,
    /// What a caller must be allowed; nothing when anybody may ask.
    pub right: Option<Right>,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Does it, on a thread that may block.
    pub answer: Handler,
    /// Whether it never blocks and so needs no thread.
    pub light: bool,
    /// What the server's own refusals look like here.
    pub refuse: Refuse,
    /// What a request needs and what comes back.
    pub about: About,
}

/// Answers what was asked.
pub type Handler = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// A refusal from a status of HTTP, the number of the request and a message.
pub type Refuse = fn(u16, &str, &str) -> Answer;

/// What a request needs and what comes back, as OpenAPI tells it. Schemas are named; `schemas` has what the names mean.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// What belongs together; empty for the rest.
    pub tag: &'static str,
    /// What may stand in the path and behind the question mark.
    pub parameters: &'static [Parameter],
    /// The schema of the body.
    pub body: Option<&'static str>,
    /// Whether there must be a body.
    pub body_required: bool,
    /// Answers: the status, what it means, and the schema of the body, if there is a body of JSON.
    pub answers: &'static [(u16, &'static str, Option<&'static str>)],
    /// The schema of refusals; that of the server unless another is named.
    pub refusal: Option<&'static str>,
    /// The schemas that are named here.
    pub schemas: Option<fn() -> Json>,
}

/// What may stand in a path or behind the question mark.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The type, as JSON Schema names it.
    pub kind: &'static str,
    /// What it is.
    pub what: &'static str,
}

impl Endpoint {
    /// An endpoint.
    pub fn new(
        method: Method,
        path: &'static str,
        right: Right,
        summary: &'static str,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Endpoint {
        Endpoint {
            method,
            path,
            right: Some(right),
            summary,
            answer: Arc::new(answer),
            light: false,
            refuse: Answer::refuse,
            about: About::default(),
        }
    }

    /// With a description of what it needs and gives.
    pub fn about(mut self, about: About) -> Endpoint {
        self.about = about;
        self
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As configured; for the log.
    pub name: SmolStr,
    /// Whose tasks these are.
    pub domain: SmolStr,
    /// What may be done.
    pub rights: Rights,
}

/// What an endpoint gives.
pub enum Reply {
    /// All of it.
    Whole(Answer),
    /// It was sent with [`Asked::begin`].
    Sent,
    /// What takes as long as the client listens; it is done on a thread of its own, without a deadline.
    Endless(Box<dyn FnOnce(&Asked) -> Reply + Send>),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The content type.
    pub kind: &'static str,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// JSON.
    pub fn json(status: u16, body: &Json) -> Answer {
        Answer {
            status,
            kind: JSON,
            headers: Vec::new(),
            body: format!("{body}\n").into_bytes(),
        }
    }

    /// A refusal in the form of the server: a message, the status of HTTP, the request's number and the time.
    pub fn refuse(status: u16, id: &str, message: &str) -> Answer {
        let body = json!({"msg": message, "status": status, "cid": id, "timestamp": timestamp()});
        Answer::json(status, &body)
    }

    /// With one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Whole(answer)
    }
}

/// The time of the machine in milliseconds since 1970, as answers tell it.
pub fn timestamp() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// The beginning of an answer on its way to the client.
pub enum Head {
    /// All of it.
    Whole(Answer),
    /// Its body comes in parts.
    Parts(Parts),
    /// This goes on elsewhere.
    Endless(Box<dyn FnOnce(&Asked) -> Reply + Send>),
}

/// An answer whose body comes in parts.
pub struct Parts {
    /// The status of HTTP.
    pub status: u16,
    /// The content type.
    pub kind: &'static str,
    /// What is sent while no part comes.
    pub idle: Vec<u8>,
    /// The parts.
    pub parts: mpsc::Receiver<Vec<u8>>,
}

/// A request.
pub struct Asked {
    /// Its number, which stands in the answer and in the log.
    pub id: SmolStr,
    /// Who asks.
    pub caller: Caller,
    /// The parts of the path that the endpoint leaves open.
    pub parameters: Vec<(String, String)>,
    /// What stands behind the question mark.
    pub query: Vec<(String, String)>,
    /// The header `Content-Type`.
    pub kind: String,
    /// The body.
    pub body: Vec<u8>,
    /// When the answer must be there.
    pub deadline: Deadline,
    /// Set when nobody waits for the answer any more.
    pub cancel: Arc<AtomicBool>,
    /// What a refusal looks like.
    pub refuse: Refuse,
    /// Where the answer goes.
    pub head: Mutex<Option<oneshot::Sender<Head>>>,
}

/// So many parts of an answer wait for a slow client.
const PARTS: usize = 4;

impl Asked {
    /// A part of the path.
    pub fn parameter(&self, name: &str) -> &str {
        value_of(&self.parameters, name).unwrap_or_default()
    }

    /// A value behind the question mark.
    pub fn value(&self, name: &str) -> Option<&str> {
        value_of(&self.query, name)
    }

    /// Whether the caller may do something.
    pub fn may(&self, right: Right) -> bool {
        self.caller.rights.has(right)
    }

    /// The refusal of what the caller may not do.
    pub fn forbidden(&self, right: Right) -> Answer {
        forbidden(self.refuse, &self.id, &self.caller, right)
    }

    /// Begins an answer that comes in parts; `idle` is sent now and then while no part comes, and must do no harm
    /// between two of them. Errors: E0307 when nobody listens.
    pub fn begin(&self, status: u16, kind: &'static str, idle: Vec<u8>) -> Outcome<Sending<'_>> {
        let (sender, parts) = mpsc::channel(PARTS);
        let head = self.head.lock().take();
        let parts = Parts {
            status,
            kind,
            idle,
            parts,
        };
        let sent = head.map(|head| head.send(Head::Parts(parts)));
        match sent {
            Some(Ok(())) => Ok(Sending {
                sender,
                asked: self,
            }),
            _ => Err(gone()),
        }
    }

    /// Sends a whole answer.
    pub fn reply(&self, reply: Reply) {
        let head = match reply {
            Reply::Whole(answer) => Head::Whole(answer),
            Reply::Endless(work) => Head::Endless(work),
            Reply::Sent => return,
        };
        if let Some(sender) = self.head.lock().take() {
            // Nobody waits any more when the client has gone.
            let _ = sender.send(head);
        }
    }
}

/// The refusal of what somebody may not do.
pub fn forbidden(refuse: Refuse, id: &str, caller: &Caller, right: Right) -> Answer {
    let (name, right) = (&caller.name, right.name());
    refuse(403, id, &format!("{name} may not {right}"))
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

fn gone() -> crate::diagnostic::Fault {
    Diagnostic::new(Code::Interrupted, "nobody waits for the answer any more")
}

/// An answer on its way, part by part.
pub struct Sending<'a> {
    sender: mpsc::Sender<Vec<u8>>,
    asked: &'a Asked,
}

impl Sending<'_> {
    /// Sends a part and waits while the client is behind. Errors: E0306 when it is too slow, E0307 when it is gone.
    pub fn send(&self, part: Vec<u8>) -> Outcome<()> {
        let deadline = match self.asked.deadline.moment() {
            None => Deadline::after(SLOW),
            Some(moment) => Deadline::at(moment),
        };
        wait(self.sender.send(part), deadline, &self.asked.cancel)?.map_err(|_| gone())
    }

    /// Sends the last part, also when the time is over or the server ends. Errors: as [`Sending::send`].
    pub fn end(self, part: Vec<u8>) -> Outcome<()> {
        let go = AtomicBool::new(false);
        wait(self.sender.send(part), Deadline::after(LAST), &go)?.map_err(|_| gone())
    }
}
