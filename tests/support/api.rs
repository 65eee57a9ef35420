//! A server with the API of rules, and a client that reads nothing but statuses and bodies.

use super::openapi::Described;
use super::{Home, Talk};
use serde_json::Value as Json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Far above what anything needs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who may do everything; who may read, write and run; who may read.
pub const ADMIN: &str = "all the rights";
pub const WRITER: &str = "writing";
pub const READER: &str = "only reading";
pub const RUNNER: &str = "only running";

const CONFIG: &str = r#"
[serve]
tokens = ["all the rights"]
[serve.keys.writer]
token = "writing"
[serve.keys.reader]
token = "only reading"
rights = ["read"]
[serve.keys.runner]
token = "only running"
rights = ["run"]
"#;

/// A server in a folder of its own.
pub struct Api {
    pub home: Home,
    pub address: String,
    /// The server ends with it.
    pub talk: std::sync::Mutex<Option<Talk>>,
    /// What it says of itself; every answer is held against it.
    pub described: Described,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Told {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Told {
    /// The body as JSON, which has this status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Json {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert!(self.head.contains("application/json"), "{}", self.head);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The refusal, in the shape of the API.
    #[track_caller]
    pub fn refused(&self, status: u16) -> Json {
        let body = self.ok(status);
        assert!(
            body["error"].as_str().is_some_and(|e| !e.is_empty()),
            "{body}"
        );
        assert_eq!(body["error_code"], status, "{body}");
        body["extra"].clone()
    }

    /// The paths of fields that are refused with 400; each has a reason.
    #[track_caller]
    pub fn bad(&self) -> Vec<String> {
        let extra = self.refused(400);
        let fields = extra["fields"]
            .as_array()
            .unwrap_or_else(|| panic!("{extra}"));
        assert!(!fields.is_empty());
        let path = |field: &Json| {
            assert!(!field["reason"].as_str().unwrap().is_empty(), "{field}");
            field["path"].as_str().unwrap().to_owned()
        };
        fields.iter().map(path).collect()
    }

    /// All reasons in one text.
    #[track_caller]
    pub fn reasons(&self) -> String {
        self.refused(self.status).to_string()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Api {
    pub fn start(more: &[&str]) -> Api {
        Api::with(Home::new(), "", more)
    }

    /// With more of a configuration.
    pub fn with(home: Home, config: &str, more: &[&str]) -> Api {
        home.write("stellar.toml", format!("{config}{CONFIG}"));
        let talk = home.talk(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
        let line = talk.hear();
        let address = line.strip_prefix("listening at http://").unwrap();
        let mut api = Api::at(home, address.trim_end_matches('/'));
        api.talk = std::sync::Mutex::new(Some(talk));
        api
    }

    /// A server that runs already.
    pub fn at(home: Home, address: &str) -> Api {
        let mut api = Api {
            address: address.to_owned(),
            home,
            talk: std::sync::Mutex::new(None),
            described: Described(Json::Null),
        };
        api.described.0 = api.send_only("GET", "/openapi.json", "", b"").ok(200);
        api
    }

    /// Sends a request; `headers` end with line ends.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Told {
        let told = self.send_only(method, path, headers, body);
        self.described
            .check(method, path, body, told.status, &told.body);
        told
    }

    fn send_only(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Told {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = match method {
            "GET" if body.is_empty() => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}{length}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A server may answer before it has read everything.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer to {method} {path}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Told {
            status,
            head,
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// As somebody.
    #[track_caller]
    pub fn by(&self, token: &str, method: &str, path: &str, body: &Json) -> Told {
        let headers =
            format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let body = match body {
            Json::Null => String::new(),
            body => body.to_string(),
        };
        self.send(method, path, &headers, body.as_bytes())
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Told {
        self.by(ADMIN, "GET", path, &Json::Null)
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Json) -> Told {
        self.by(ADMIN, "POST", path, body)
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Told {
        self.by(ADMIN, "DELETE", path, &Json::Null)
    }

    /// Posts bytes as they are.
    #[track_caller]
    pub fn raw(&self, path: &str, body: &[u8]) -> Told {
        self.send(
            "POST",
            path,
            &format!("Authorization: Bearer {ADMIN}\r\n"),
            body,
        )
    }

    /// How many things a list has.
    #[track_caller]
    pub fn count(&self, path: &str) -> i64 {
        self.get(path).ok(200)["total"].as_i64().unwrap()
    }
}
