//! A server in a folder of its own, and rules in its store.
#![allow(dead_code)]

use super::rules::{body, read};
use super::{Home, Talk};
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use stellar::rule::model::Relations;
use stellar::rule::store::{Embedded, RULE, Rules};
use stellar::store::{Deadline, Store, Within};

/// Far above what anything here needs.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A server that runs.
pub struct Server {
    pub home: Home,
    pub address: String,
    pub talk: Talk,
}

/// A head and a body.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// Sends a request to an address.
pub fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let broken = || std::io::Error::other("no answer");
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .ok_or_else(broken)?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

impl Server {
    pub fn start(home: Home, more: &[&str]) -> Server {
        let talk = home.talk(&[&["serve", "--listen", "127.0.0.1:0", "--quiet"], more].concat());
        let line = talk.hear();
        let address = line.strip_prefix("listening at http://").unwrap();
        Server {
            address: address.trim_end_matches('/').to_owned(),
            home,
            talk,
        }
    }

    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        send(&self.address, method, path, headers, body.as_bytes()).unwrap()
    }

    /// Posts events to the rules.
    #[track_caller]
    pub fn post(&self, events: &str) -> Answer {
        self.send("POST", "/cruddy/v2/logmule_go_rules/events", &[], events)
    }

    /// A counter of a rule, by its name and that of the rule.
    pub fn metric(&self, name: &str, rule: &str) -> Option<f64> {
        let metrics = self.send("GET", "/metrics", &[], "").body;
        let mut lines = metrics.lines();
        let label = format!("name=\"{rule}\"");
        let line =
            lines.find(|line| line.starts_with(&format!("{name}{{")) && line.contains(&label))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Ends it as a service manager does.
    pub fn end(mut self) -> Home {
        let sent = Command::new("kill")
            .args(["-TERM", &self.talk.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert_eq!(self.talk.end().0, Some(0));
        self.home
    }

    /// Kills it.
    pub fn kill(mut self) -> Home {
        let sent = Command::new("kill")
            .args(["-KILL", &self.talk.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        self.talk.end();
        self.home
    }
}

#[track_caller]
pub fn wait_until(mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < patience, "this never comes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The JSON Lines of a file.
#[track_caller]
pub fn lines(home: &Home, name: &str) -> Vec<Json> {
    let text = std::fs::read_to_string(home.path(name)).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The store of a home.
pub fn store(home: &Home) -> Rules {
    let store = Store::new(&home.path("data/stellar/stellar.db"), &[&RULE]);
    Rules::new(Arc::new(Embedded::new(&store)))
}

pub fn within(cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now: 1_767_225_600_000,
        deadline: Deadline::after(Duration::from_secs(60)),
        cancel,
    }
}

/// Puts a rule into the store of a home.
pub fn put(home: &Home, id: &str, name: &str, lua: &str, change: Json) {
    let mut body = body(id, name);
    body["lua"] = json!(lua);
    body["settings"] = json!({});
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    let (rule, _) = read(body);
    let cancel = Arc::default();
    let created = store(home).create(&rule, &Relations::default(), within(&cancel));
    created.unwrap().unwrap();
}

/// Gives a rule of the store another text.
pub fn change(home: &Home, id: &str, lua: &str) {
    let cancel = Arc::default();
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        i64::try_from(since.unwrap().as_millis()).unwrap()
    };
    let within = Within {
        now: now(),
        ..within(&cancel)
    };
    let changed = store(home).update(
        id,
        &|rule| {
            let mut rule = rule.clone();
            rule.lua = lua.to_owned();
            Ok((rule, Relations::default()))
        },
        within,
    );
    changed.unwrap().unwrap();
}
