//! `output_forward`

use super::forward_in::{needs, port, secret};
use crate::diagnostic::Outcome;
use crate::pipeline::event::Event;
use crate::pipeline::forward::{Client, Pass, Sending, connector, entry};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Now, Render, Sink, Step};
use ahash::AHashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub const OUTPUT_FORWARD: ActionSpec = ActionSpec {
    name: "output_forward",
    kind: ActionKind::Output,
    summary: "Sends events to Fluentd, Fluent Bit or another pipeline with their forward protocol.",
    details: "Events go in packed messages, one tag in each. While no server is there they are held up to `buffer_limit`; beyond that, and at a checkpoint, the pipeline waits. After a failure the next server is tried, and everything that was not acknowledged is sent again, so a server may see events twice. Events go on to the next step.",
    parameters: &[
        ParameterSpec::optional("host", ParameterKind::Text, "127.0.0.1", "the server"),
        ParameterSpec::optional("port", ParameterKind::Whole, "24224", "its port"),
        ParameterSpec::optional(
            "servers",
            ParameterKind::Texts,
            "",
            "servers as HOST or HOST:PORT instead of `host`; the next one is tried when one fails",
        ),
        ParameterSpec::optional(
            "require_ack",
            ParameterKind::Flag,
            "true",
            "whether events count as sent only when the server has acknowledged them",
        ),
        ParameterSpec::optional(
            "compress",
            ParameterKind::Choice(&["none", "gzip"]),
            "none",
            "whether messages are compressed",
        ),
        ParameterSpec::optional(
            "shared_key",
            ParameterKind::Text,
            "",
            "the key that the server knows, too; `${NAME}` and `${file:PATH}` are taken from the environment and from files",
        ),
        ParameterSpec::optional(
            "username",
            ParameterKind::Text,
            "",
            "the name, for servers that ask for one",
        ),
        ParameterSpec::optional("password", ParameterKind::Text, "", "its password"),
        ParameterSpec::optional(
            "self_hostname",
            ParameterKind::Text,
            "the name of this machine",
            "the name that this client says in the greeting",
        ),
        ParameterSpec::optional(
            "tls",
            ParameterKind::Flag,
            "false",
            "whether connections are secret",
        ),
        ParameterSpec::optional(
            "ca_file",
            ParameterKind::Path,
            "those that this machine trusts",
            "the certificates of the authorities that are trusted, in PEM",
        ),
        ParameterSpec::optional(
            "server_name",
            ParameterKind::Text,
            "the host",
            "the name that the server's certificate must have",
        ),
        ParameterSpec::optional(
            "chunk_size",
            ParameterKind::Whole,
            "262144",
            "how many bytes go into one message",
        ),
        ParameterSpec::optional(
            "buffer_limit",
            ParameterKind::Whole,
            "67108864",
            "how many bytes are held",
        ),
        ParameterSpec::optional(
            "connect_timeout",
            ParameterKind::Seconds,
            "10",
            "how long connecting and the greeting may take",
        ),
        ParameterSpec::optional(
            "ack_timeout",
            ParameterKind::Seconds,
            "60",
            "how long an acknowledgement may take",
        ),
        ParameterSpec::optional(
            "stop_timeout",
            ParameterKind::Seconds,
            "5",
            "how long is waited for the server when the program shall end; what it has not taken by then is lost, or read again by inputs that keep their place",
        ),
    ],
    examples: &[
        "- name: output_forward\n  match: '*'\n  host: collector.example.com",
        "- name: output_forward\n  match: 'alert.*'\n  servers: [one.example.com, 'two.example.com:24225']\n  compress: gzip\n  shared_key: ${FORWARD_KEY}\n  tls: true",
    ],
    make,
};

struct Entries;

/// What is held for one tag.
#[derive(Default)]
struct Held {
    entries: Vec<u8>,
    count: usize,
}

struct Forward {
    client: Client,
    held: AHashMap<String, Held>,
    bytes: usize,
    chunk: usize,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let usual = port(parameters, 1)?;
    let mut servers = Vec::new();
    for server in parameters.texts("servers") {
        let bad = || parameters.fault("servers", format!("{server} is no HOST or HOST:PORT"));
        let plain = server.matches(':').count() != 1;
        let (host, port) = match server
            .rsplit_once(':')
            .filter(|_| !plain || server.contains(']'))
        {
            Some((host, port)) if !port.ends_with(']') => {
                let port: u16 = port.parse().map_err(|_| bad())?;
                (host, port)
            }
            _ => (server.as_str(), usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || port == 0 {
            return Err(bad());
        }
        servers.push((host.to_owned(), port));
    }
    if servers.is_empty() {
        let host = parameters.text_or("host", "127.0.0.1");
        servers.push((host.into(), usual));
    } else if parameters.has("host") {
        return Err(parameters.fault("host", "host has no effect beside servers"));
    }
    let user = match (parameters.text("username"), parameters.text("password")) {
        (Some(name), Some(password)) => {
            Some((name.into(), secret(parameters, "password", &password)?))
        }
        (Some(_), None) => return Err(needs(parameters, "username", "password")),
        (None, Some(_)) => return Err(needs(parameters, "password", "username")),
        (None, None) => None,
    };
    let pass = match parameters.text("shared_key").filter(|key| !key.is_empty()) {
        Some(key) => Some(Pass {
            hostname: parameters
                .text("self_hostname")
                .map_or_else(hostname, String::from),
            key: secret(parameters, "shared_key", &key)?,
            user,
        }),
        None => {
            if let Some(name) = ["username", "self_hostname"]
                .iter()
                .find(|n| parameters.has(n))
            {
                return Err(needs(parameters, name, "shared_key"));
            }
            None
        }
    };
    let tls = match parameters.flag("tls").unwrap_or(false) {
        true => {
            let made = connector(parameters.path("ca_file").as_deref());
            Some(made.map_err(|reason| parameters.fault("ca_file", reason))?)
        }
        false => {
            if let Some(name) = ["ca_file", "server_name"]
                .iter()
                .find(|n| parameters.has(n))
            {
                return Err(needs(parameters, name, "tls: true"));
            }
            None
        }
    };
    let bytes = |name: &str, usual: usize| match parameters.whole(name) {
        None => Ok(usual),
        Some(given) => usize::try_from(given)
            .ok()
            .filter(|n| (1..=1 << 30).contains(n))
            .ok_or_else(|| {
                let text = format!("{name} is 1 to {}, not {given}", 1 << 30);
                parameters.fault(name, text)
            }),
    };
    let seconds = |name: &str, usual: u64| {
        let given = parameters.seconds(name);
        // Beyond a year nothing is waited for.
        given.map_or(Duration::from_secs(usual), |time| {
            time.min(Duration::from_secs(365 * 86_400))
        })
    };
    let sending = Sending {
        servers,
        tls,
        server_name: parameters.text("server_name").map(String::from),
        pass,
        ack: parameters.flag("require_ack").unwrap_or(true),
        gzip: parameters.text_or("compress", "none") == "gzip",
        buffer: bytes("buffer_limit", 64 << 20)?,
        connect: seconds("connect_timeout", 10),
        answer: seconds("ack_timeout", 60),
        goodbye: seconds("stop_timeout", 5),
    };
    Ok(Step::Output(
        Arc::new(Entries),
        Box::new(Forward {
            client: Client::new(sending),
            held: AHashMap::new(),
            bytes: 0,
            chunk: bytes("chunk_size", 256 << 10)?,
        }),
    ))
}

/// The name of this machine.
fn hostname() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "stellar".to_owned())
}

impl Render for Entries {
    fn render(&self, event: &Event, route: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        route.push_str(&event.tag);
        entry(event, out)
    }
}

impl Forward {
    fn send_all(&mut self) -> Outcome<()> {
        self.bytes = 0;
        for (tag, held) in self.held.drain() {
            self.client.send(&tag, &held.entries, held.count)?;
        }
        Ok(())
    }
}

impl Sink for Forward {
    fn write(&mut self, route: &str, bytes: &[u8], count: usize) -> Outcome<()> {
        if !self.held.contains_key(route) {
            self.held.insert(route.to_owned(), Held::default());
        }
        let Some(held) = self.held.get_mut(route) else {
            return Ok(());
        };
        held.entries.extend_from_slice(bytes);
        held.count += count;
        self.bytes += bytes.len();
        if held.entries.len() >= self.chunk {
            self.bytes -= held.entries.len();
            let sent = self.client.send(route, &held.entries, held.count);
            held.entries.clear();
            held.count = 0;
            self.held.remove(route);
            sent?;
        }
        // Many tags with little each.
        match self.bytes >= 4 * self.chunk {
            true => self.send_all(),
            false => Ok(()),
        }
    }

    fn tick(&mut self, _: Now, _: bool) -> Outcome<()> {
        self.send_all()
    }

    fn flush(&mut self, _: bool) -> Outcome<()> {
        self.send_all()?;
        self.client.flush()
    }

    fn until(&mut self, stop: &Arc<AtomicBool>) {
        self.client.until(stop);
    }
}
