//! `input_forward`

use crate::config::{Secret, Secretive};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::pipeline::forward::{
    Answers, Block, Body, Gate, Next, Parts, Server, Serving, acceptor, check, read, unpack,
};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const INPUT_FORWARD: ActionSpec = ActionSpec {
    name: "input_forward",
    kind: ActionKind::Input,
    summary: "Receives events from Fluentd, Fluent Bit and the clients of their forward protocol.",
    details: "All modes are taken: message, forward, packed and compressed; JSON, too. A chunk is acknowledged once all outputs have durably taken its events. Texts that are not UTF-8 are bytes. A message that cannot be read ends its connection, with a note; an entry that is no event is a dead letter. Heartbeats over UDP are answered on the same port. With `--once` it ends when clients have been there and have gone.",
    parameters: &[
        ParameterSpec::optional(
            "host",
            ParameterKind::Text,
            "127.0.0.1",
            "the address to listen at; 0.0.0.0 for all",
        ),
        ParameterSpec::optional("port", ParameterKind::Whole, "24224", "the port"),
        ParameterSpec::optional(
            "heartbeat",
            ParameterKind::Choice(&["udp", "none"]),
            "udp",
            "whether packets of UDP are answered, by which clients see that the server is there",
        ),
        ParameterSpec::optional(
            "tls_enable",
            ParameterKind::Flag,
            "false",
            "whether connections are secret; wants `crt_file` and `key_file`",
        ),
        ParameterSpec::optional(
            "crt_file",
            ParameterKind::Path,
            "",
            "the certificate with its chain, in PEM",
        )
        .also(&["tls_cert"]),
        ParameterSpec::optional(
            "key_file",
            ParameterKind::Path,
            "",
            "its private key, in PEM",
        )
        .also(&["tls_key"]),
        ParameterSpec::optional(
            "shared_key",
            ParameterKind::Text,
            "",
            "the key that clients must know; `${NAME}` and `${file:PATH}` are taken from the environment and from files",
        ),
        ParameterSpec::optional(
            "users",
            ParameterKind::Any,
            "",
            "a map of names to passwords, one of which a client must know besides the key",
        ),
        ParameterSpec::optional(
            "server_hostname",
            ParameterKind::Text,
            "",
            "the name that the server says in the greeting",
        )
        .also(&["self_hostname"]),
        ParameterSpec::optional(
            "buffer_size",
            ParameterKind::Whole,
            "32768",
            "how many bytes are read at once; a message may be longer",
        ),
        ParameterSpec::optional(
            "queue_size",
            ParameterKind::Whole,
            "1000",
            "how many reads may wait for the pipeline, but never more than 64; connections are not read meanwhile",
        ),
        ParameterSpec::optional(
            "chunk_size_limit",
            ParameterKind::Whole,
            "67108864",
            "the longest message in bytes, packed and unpacked",
        ),
        ParameterSpec::optional(
            "memory_limit",
            ParameterKind::Whole,
            "268435456",
            "how many bytes all connections together may hold of long messages that are not whole",
        ),
        ParameterSpec::optional(
            "max_connections",
            ParameterKind::Whole,
            "4096",
            "how many connections there may be",
        ),
    ],
    examples: &[
        "- name: input_forward\n  port: 24224",
        "- name: input_forward\n  host: 0.0.0.0\n  shared_key: ${FORWARD_KEY}\n  tls_enable: true\n  crt_file: server.pem\n  key_file: server.key",
    ],
    make,
};

/// How long an idle input sleeps at most before it looks whether it shall end.
const LOOK: Duration = Duration::from_millis(50);

/// What has been received when the program shall end is taken in for so long.
const LAST: Duration = Duration::from_millis(700);

/// How many reads wait at most: at the end all of them are still taken in.
const WAITING: usize = 64;

struct Forward {
    pipeline: String,
    serving: Serving,
}

/// A secret with its references replaced. Errors name the parameter, never a value.
pub fn secret(parameters: &Parameters, name: &str, text: &str) -> Outcome<Secret> {
    let resolved = Secretive::new(text).resolve();
    resolved.map_err(|fault| parameters.fault(name, fault.message.clone()))
}

/// A port.
pub fn port(parameters: &Parameters, least: i64) -> Outcome<u16> {
    let given = parameters.whole("port").unwrap_or(24224);
    match u16::try_from(given) {
        Ok(port) if given >= least => Ok(port),
        _ => Err(parameters.fault("port", format!("port is {least} to 65535, not {given}"))),
    }
}

fn size(parameters: &Parameters, name: &str, usual: usize) -> Outcome<usize> {
    match parameters.whole(name) {
        None => Ok(usual),
        Some(given) => match usize::try_from(given) {
            Ok(given) if given > 0 => Ok(given),
            _ => Err(parameters.fault(name, format!("{name} is 1 or more, not {given}"))),
        },
    }
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let tls = match parameters.flag("tls_enable").unwrap_or(false) {
        true => {
            let file = |name: &str| {
                parameters
                    .path(name)
                    .ok_or_else(|| parameters.fault("tls_enable", format!("TLS needs {name}")))
            };
            let made = acceptor(&file("crt_file")?, &file("key_file")?);
            Some(made.map_err(|reason| parameters.fault("crt_file", reason))?)
        }
        false => {
            if let Some(name) = ["crt_file", "key_file"].iter().find(|n| parameters.has(n)) {
                let text = format!("{name} has no effect without tls_enable: true");
                return Err(parameters.fault(name, text));
            }
            None
        }
    };
    let users = match parameters.value("users") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Map(map)) => {
            let mut users = Vec::new();
            for (name, password) in map.entries() {
                let (Some(name), Some(password)) = (name.as_text(), password.as_text()) else {
                    let text = "names and passwords of users are texts";
                    return Err(parameters.fault("users", text));
                };
                users.push((name.to_owned(), secret(parameters, "users", password)?));
            }
            users
        }
        // What stands there may be a password.
        Some(_) => return Err(parameters.fault("users", "users is a map of names to passwords")),
    };
    let gate = match parameters.text("shared_key").filter(|key| !key.is_empty()) {
        Some(key) => Some(Gate {
            hostname: parameters.text_or("server_hostname", "").into(),
            key: secret(parameters, "shared_key", &key)?,
            users,
        }),
        None if users.is_empty() => None,
        None => {
            let fault = parameters.fault("users", "users need a shared_key, too");
            return Err(fault.help("the protocol asks for passwords only besides the key"));
        }
    };
    let read = size(parameters, "buffer_size", 32 << 10)?;
    let serving = Serving {
        host: parameters.text_or("host", "127.0.0.1").into(),
        port: port(parameters, 0)?,
        heartbeat: parameters.text_or("heartbeat", "udp") == "udp",
        tls,
        gate,
        read: read.clamp(4 << 10, 1 << 20),
        queue: size(parameters, "queue_size", 1000)?.min(WAITING),
        message: size(parameters, "chunk_size_limit", 64 << 20)?.clamp(1 << 10, 1 << 30),
        memory: size(parameters, "memory_limit", 256 << 20)?,
        connections: size(parameters, "max_connections", 4096)?,
    };
    let pipeline = build.pipeline.to_owned();
    Ok(Step::Input(Box::new(Forward { pipeline, serving })))
}

impl Forward {
    /// Says where it listens, and who else can send and hear.
    fn greet(&self, server: &Server, feed: &Feed) {
        let (pipeline, address) = (&self.pipeline, server.address);
        feed.say(&format!(
            "pipeline {pipeline}: input_forward listens at {address}"
        ));
        let open = self.serving.gate.is_none() && self.serving.tls.is_none();
        if open && !address.ip().to_canonical().is_loopback() {
            feed.say(&format!(
                "pipeline {pipeline}: everybody who reaches {address} can send events and read what others send: set shared_key and TLS, or host: 127.0.0.1"
            ));
        }
    }
}

impl Input for Forward {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        let mut server = Server::start(self.serving.clone())?;
        self.greet(&server, feed);
        let mut intake = Intake {
            feed,
            most: self.serving.message,
            parts: Parts::new(seconds(feed)),
            answers: Answers::default(),
        };
        let mut ending: Option<Instant> = None;
        loop {
            let patience = match intake.is_empty() {
                true => LOOK,
                false => Duration::ZERO,
            };
            let going_on = match server.next(patience)? {
                Next::Block(block) => intake.take(block),
                Next::Nothing => intake.pass_on(),
                Next::Ended => {
                    intake.pass_on();
                    false
                }
            };
            if !going_on {
                return Ok(());
            }
            match ending {
                None if feed.stopped() || feed.once() && server.deserted() => {
                    server.stop();
                    ending = Some(Instant::now());
                }
                Some(since) if since.elapsed() >= LAST => {
                    intake.pass_on();
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

fn seconds(feed: &Feed) -> i64 {
    feed.time().millis().div_euclid(1000)
}

/// What has come in and goes into the pipeline next.
struct Intake<'a> {
    feed: &'a Feed,
    most: usize,
    parts: Parts,
    answers: Answers,
}

impl Intake<'_> {
    fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.answers.is_empty()
    }

    /// Takes messages; false when the pipeline has ended.
    fn take(&mut self, block: Block) -> bool {
        let bytes = Arc::new(block.bytes);
        let mut begin = 0;
        for end in block.ends {
            let message = begin..end;
            begin = end;
            let Some(slice) = bytes.get(message.clone()) else {
                continue;
            };
            match self.message(&bytes, message.start, slice, &block.peer) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(reason) => block.peer.refuse(&reason),
            }
        }
        true
    }

    /// Takes one message. Errors: why it cannot be read; nothing of it is taken then.
    fn message(
        &mut self,
        bytes: &Arc<Vec<u8>>,
        at: usize,
        slice: &[u8],
        peer: &Arc<crate::pipeline::forward::Peer>,
    ) -> Result<bool, String> {
        let Some(message) = read(slice)? else {
            return Ok(true);
        };
        match message.body {
            Body::One(range) => {
                check(slice.get(range.clone()).unwrap_or_default())?;
                let range = at + range.start..at + range.end;
                self.parts.one(&message.tag, bytes, range);
            }
            Body::Entries(range) => {
                let inner = slice.get(range.clone()).unwrap_or_default();
                let unpacked;
                let (whole, mut range) = match message.gzip {
                    true => {
                        unpacked = Arc::new(unpack(inner, self.most)?);
                        (&unpacked, 0..unpacked.len())
                    }
                    false => (bytes, at + range.start..at + range.end),
                };
                check(whole.get(range.clone()).unwrap_or_default())?;
                while !range.is_empty() {
                    range.start = self.parts.entries(&message.tag, whole, range.clone());
                    if !range.is_empty() && !self.pass_on() {
                        return Ok(false);
                    }
                }
            }
        }
        if let Some(chunk) = message.chunk {
            self.answers.add(peer, chunk);
        }
        match self.parts.full() {
            true => Ok(self.pass_on()),
            false => Ok(true),
        }
    }

    /// Gives the pipeline what there is; waits while that is full.
    fn pass_on(&mut self) -> bool {
        if self.is_empty() {
            return true;
        }
        let parts = std::mem::replace(&mut self.parts, Parts::new(seconds(self.feed)));
        let answers = std::mem::take(&mut self.answers);
        let token: Option<Arc<dyn Token>> = match answers.is_empty() {
            true => None,
            false => Some(Arc::new(answers)),
        };
        self.feed.packed(Box::new(parts), token)
    }
}

/// The fault of a parameter that needs another one.
pub fn needs(parameters: &Parameters, name: &str, other: &str) -> Fault {
    match parameters.has(name) {
        true => parameters.fault(name, format!("{name} has no effect without {other}")),
        false => Diagnostic::new(Code::BadPipeline, format!("{other} is needed")),
    }
}
