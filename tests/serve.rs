//! `stellar serve` as clients see it: who is let in, what queries give, what is refused, what becomes of much, of slow and
//! of hostile clients, and of a server that ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Home, Talk};

/// Far above what anything here needs.
const PATIENCE: Duration = Duration::from_secs(120);

const CONFIG: &str = r#"
[sources.logins]
files = "logins.jsonl"
[sources.grows]
files = "grows.jsonl"
follow = true
[sources."siem.logtrust.web.activity"]
files = "logins.jsonl"
[sources.waits]
files = "pipe.jsonl"
[serve]
tokens = ["all the rights"]
jwt_secret = "what tokens are signed with"
[serve.keys.analyst]
key = "myapikey"
secret = "myapisecret"
domain = "self"
[serve.keys.reader]
token = "only reading"
domain = "other"
rights = "read"
"#;

/// A server in a folder of its own.
struct Server {
    home: Home,
    address: String,
    talk: Mutex<Talk>,
}

/// A head and a body.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl Server {
    fn start(more: &[&str]) -> Server {
        let home = Home::new();
        home.write("stellar.toml", CONFIG);
        let now = now();
        let rows = (0..20).map(|n| {
            let row = json!({"eventdate": now - 60_000 + n, "domain": format!("d{}", n % 2), "n": n, "username": "é,\"x"});
            format!("{row}\n")
        });
        home.write("logins.jsonl", rows.collect::<String>());
        home.write("grows.jsonl", "");
        Server::in_home(home, more)
    }

    fn in_home(home: Home, more: &[&str]) -> Server {
        let talk = home.talk(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
        let line = talk.hear();
        let address = line.strip_prefix("listening at http://").unwrap();
        Server {
            address: address.trim_end_matches('/').to_owned(),
            home,
            talk: Mutex::new(talk),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.connect();
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(head.as_bytes()).unwrap();
        answer(stream)
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[ALL], "")
    }

    /// Posts to `/search/query`.
    fn ask(&self, body: &Json) -> Answer {
        self.send("POST", "/search/query", &[ALL], &body.to_string())
    }

    /// How many requests are being answered, beside the one that asks.
    fn running(&self) -> usize {
        let metrics = self.get("/metrics").body;
        let mut lines = metrics.lines();
        let line = lines.find_map(|line| line.strip_prefix("stellar_http_requests_running "));
        line.unwrap().parse::<usize>().unwrap() - 1
    }

    #[track_caller]
    fn until_running(&self, count: usize) {
        wait_until(|| self.running() == count);
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.talk.lock().unwrap().id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

#[track_caller]
fn wait_until(mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < patience, "it never comes");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const ALL: (&str, &str) = ("Authorization", "Bearer all the rights");

fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Reads an answer to its end.
fn answer(stream: TcpStream) -> Answer {
    let mut reader = BufReader::new(stream);
    let (status, head) = read_head(&mut reader);
    let mut bytes = Vec::new();
    if head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked")
    {
        while let Some(part) = read_part(&mut reader) {
            bytes.extend(part);
        }
    } else {
        reader.read_to_end(&mut bytes).unwrap();
    }
    Answer {
        status,
        head,
        body: String::from_utf8(bytes).unwrap(),
    }
}

fn read_head(reader: &mut impl BufRead) -> (u16, String) {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        let read = reader.read_line(&mut line).unwrap();
        if read == 0 || line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let status = head
        .split(' ')
        .nth(1)
        .unwrap_or_else(|| panic!("no answer: {head:?}"));
    (status.parse().unwrap(), head)
}

/// The next chunk; `None` at the end.
fn read_part(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let length = usize::from_str_radix(line.trim(), 16).ok()?;
    let mut part = vec![0; length + 2];
    reader.read_exact(&mut part).unwrap();
    part.truncate(length);
    (length > 0).then_some(part)
}

fn hex(secret: &str, parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in parts {
        mac.update(part.as_bytes());
    }
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The headers of a signature.
fn signed(key: &str, secret: &str, body: &str, time: i64) -> [(&'static str, String); 3] {
    let time = time.to_string();
    let sign = hex(secret, &[key, body, &time]);
    [
        ("x-logtrust-apikey", key.to_owned()),
        ("x-logtrust-timestamp", time),
        ("x-logtrust-sign", sign),
    ]
}

/// A token with these claims.
fn jwt(secret: &str, head: &str, claims: &Json) -> String {
    let base = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let text = format!("{}.{}", base(head), base(&claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let sign = mac.finalize().into_bytes();
    format!("{text}.{}", data_encoding::BASE64URL_NOPAD.encode(&sign))
}

#[test]
fn who_is_let_in() {
    let server = Server::start(&[]);
    let query = json!({"query": "from logins select n", "limit": 1}).to_string();
    let signing = |key: &str, secret: &str, of: &str, time: i64| {
        let headers = signed(key, secret, of, time);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        server.send("POST", "/search/query", &headers, &query)
    };
    let good = signing("myapikey", "myapisecret", &query, now());
    assert_eq!(good.status, 200, "{good:?}");
    assert!(good.head.contains("x-request-id: "), "{good:?}");
    for (wrong, reason) in [
        (signing("myapikey", "wrong", &query, now()), "not valid"),
        (
            signing("another", "myapisecret", &query, now()),
            "not valid",
        ),
        (
            signing("myapikey", "myapisecret", "another body", now()),
            "not valid",
        ),
        (
            signing("myapikey", "myapisecret", &query, now() - 400_000),
            "five minutes",
        ),
        (
            signing("myapikey", "myapisecret", &query, now() + 400_000),
            "five minutes",
        ),
    ] {
        assert_eq!(wrong.status, 401, "{wrong:?}");
        assert!(
            wrong.json()["msg"].as_str().unwrap().contains(reason),
            "{wrong:?}"
        );
        assert!(
            wrong.head.to_ascii_lowercase().contains("www-authenticate"),
            "{wrong:?}"
        );
    }
    let later = now() / 1000 + 3600;
    let token = |claims: Json| {
        format!(
            "jwt {}",
            jwt(
                "what tokens are signed with",
                r#"{"alg":"HS256","typ":"JWT"}"#,
                &claims
            )
        )
    };
    let none = format!(
        "jwt {}",
        jwt("", r#"{"alg":"none"}"#, &json!({"exp": later}))
    );
    let foreign = format!(
        "jwt {}",
        jwt("other", r#"{"alg":"HS256"}"#, &json!({"exp": later}))
    );
    for (credentials, path, status) in [
        ("Bearer all the rights".to_owned(), "/admin/tasks", 200),
        ("bearer all the rights".to_owned(), "/search/jobs", 200),
        ("Bearer only reading".to_owned(), "/search/jobs", 200),
        ("Bearer only reading".to_owned(), "/admin/tasks", 403),
        ("Bearer only reading".to_owned(), "/search/job/stop/x", 403),
        (
            "Bearer only reading".to_owned(),
            "/search/job/remove/x",
            403,
        ),
        ("Bearer wrong".to_owned(), "/search/jobs", 401),
        ("Bearer ".to_owned(), "/search/jobs", 401),
        ("Basic YWxsOnRoZQ==".to_owned(), "/search/jobs", 401),
        ("nonsense".to_owned(), "/search/jobs", 401),
        (
            token(json!({"exp": later, "sub": "me"})),
            "/search/jobs",
            200,
        ),
        (
            token(json!({"exp": later, "sub": "me"})),
            "/admin/tasks",
            403,
        ),
        (
            token(json!({"exp": later, "rights": ["admin"]})),
            "/admin/tasks",
            200,
        ),
        (
            token(json!({"exp": later, "rights": ["everything"]})),
            "/search/jobs",
            401,
        ),
        (token(json!({"exp": later - 7200})), "/search/jobs", 401),
        (token(json!({"sub": "me"})), "/search/jobs", 401),
        (
            token(json!({"exp": later, "nbf": later})),
            "/search/jobs",
            401,
        ),
        (
            token(json!({"exp": later, "domain": "a\nb"})),
            "/search/jobs",
            401,
        ),
        (none, "/search/jobs", 401),
        (foreign, "/search/jobs", 401),
    ] {
        let answer = server.send("GET", path, &[("Authorization", &credentials)], "");
        assert_eq!(answer.status, status, "{credentials} {path}: {answer:?}");
        assert!(
            !answer.body.contains("signed with") || status == 200,
            "{answer:?}"
        );
    }
    let open = server.send("GET", "/health", &[], "").json();
    assert_eq!(open["status"], "ok");
    assert_eq!(server.send("GET", "/metrics", &[], "").status, 401);
    assert_eq!(server.send("GET", "/nothing", &[ALL], "").status, 404);
    assert_eq!(
        server.send("DELETE", "/search/query", &[ALL], "").status,
        405
    );
    // A task of one domain is nothing for another.
    let made = server.ask(&destination("from grows select *", "mine"));
    assert_eq!(made.json()["status"], 0, "{made:?}");
    let reader = [("Authorization", "Bearer only reading")];
    let seen = server.send("GET", "/search/jobs", &reader, "").json();
    assert_eq!(seen["object"], json!([]));
    let body = json!({"query": "from system.internal.serrea.task select friendlyName"}).to_string();
    let seen = server.send("POST", "/search/query", &reader, &body).json();
    assert_eq!(seen["object"], json!([]), "{seen}");
    let refused = server.send(
        "POST",
        "/search/query",
        &reader,
        &destination("from logins select *", "x").to_string(),
    );
    assert_eq!(refused.status, 403, "{refused:?}");
    // Who may only read changes nothing by a query, and learns nothing of the machine.
    for expression in [
        "EVENT_DELETE({'categories': ['Test']})",
        "MAP([1], x -> EVENT_INSERT({}))",
        "SYSTEM_ENV_GET('HOME')",
    ] {
        let query = format!("from logins select {expression} as a");
        let body = json!({"query": query}).to_string();
        let refused = server.send("POST", "/search/query", &reader, &body);
        assert_eq!(refused.status, 400, "{expression}: {refused:?}");
        assert!(
            refused
                .body
                .contains("is not for callers who may only read"),
            "{refused:?}"
        );
    }
    let body = json!({"query": "from logins select TO_UPPER(user) as a"}).to_string();
    let seen = server.send("POST", "/search/query", &reader, &body);
    assert_eq!(seen.status, 200, "{seen:?}");
}

fn destination(query: &str, name: &str) -> Json {
    json!({"query": query, "destination": {"type": "redis", "params": {
        "friendlyName": name, "expireIn": 3600, "keyFields": ["domain"]}}})
}

#[test]
fn public_addresses_need_credentials() {
    let home = Home::new();
    let ran = home.run(&["serve", "--listen", "0.0.0.0:0"], "").ended(2);
    assert!(ran.err.contains("is public"), "{}", ran.err);
    for (set, reason) in [
        ("serve.tls_cert=x.pem", "needs serve.tls_key"),
        ("serve.keys.a.key=x", "needs key and secret"),
        ("serve.keys.a.domain=x", "neither key and secret nor token"),
        ("serve.keys.a.rights=all", "some of read, write, run, admin"),
        ("serve.keys.a.sekret=x", "did you mean serve.keys.a.secret"),
        ("serve.tokens=''", "is empty"),
        ("serve.jwt_secret=${NOT_SET_HERE}", "NOT_SET_HERE"),
        ("serve.body=0", "at least 1"),
    ] {
        let ran = home.run(&["serve", "--listen", "127.0.0.1:0", "--set", set], "");
        assert_ne!(ran.code, Some(0), "{set}");
        assert!(ran.err.contains(reason), "{set}: {}", ran.err);
    }
    let wrong = home.run(&["serve", "--listen", "nowhere"], "").ended(2);
    assert!(wrong.err.contains("127.0.0.1:8650"), "{}", wrong.err);
}

#[test]
fn without_credentials_this_machine_alone_is_answered() {
    let home = Home::new();
    let server = Server::in_home(home, &[]);
    let with = |headers: &str| {
        let mut stream = server.connect();
        let text = format!("GET /search/jobs HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        answer(stream).status
    };
    assert_eq!(with("Host: localhost:8650\r\n"), 200);
    assert_eq!(with("Host: [::1]:8650\r\n"), 200);
    assert_eq!(
        with("Host: 127.0.0.1\r\nOrigin: http://localhost:3000\r\n"),
        200
    );
    // A page of another site, and a name that somebody let point here.
    assert_eq!(
        with("Host: localhost\r\nOrigin: https://evil.example\r\n"),
        401
    );
    assert_eq!(with("Host: evil.example\r\n"), 401);
    assert_eq!(with("Host: localhost.evil.example\r\n"), 401);
}

#[test]
fn rows_come_in_the_forms_of_devo() {
    let server = Server::start(&[]);
    let rows = |form: &str| {
        let query = "from logins select eventdate, domain, n, username, n > 0 as positive";
        json!({"query": query, "limit": 2, "offset": 1, "mode": {"type": form}, "from": "now()-1h", "to": "now()"})
    };
    let all = server.ask(&rows("json"));
    assert_eq!(all.status, 200);
    assert!(all.head.contains("application/json"), "{all:?}");
    let json = all.json();
    assert_eq!((&json["msg"], &json["status"]), (&json!(""), &json!(0)));
    assert!(
        json["cid"].is_string() && json["timestamp"].is_i64(),
        "{json}"
    );
    let first = json["object"][0].clone();
    assert_eq!((&first["n"], &first["domain"]), (&json!(1), &json!("d1")));
    assert_eq!(json["object"].as_array().unwrap().len(), 2);
    let compact = server.ask(&rows("json/compact")).json();
    let object = &compact["object"];
    assert_eq!(object["m"]["n"]["index"], 2);
    assert_eq!(
        object["metadata"][0],
        json!({"name": "eventdate", "type": "timestamp"})
    );
    assert_eq!(object["metadata"][4]["type"], "bool");
    assert_eq!(object["d"][1][2], 2);
    let simple = server.ask(&rows("json/simple")).body;
    let lines: Vec<Json> = simple
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((lines.len(), &lines[0]), (2, &first));
    let lines = server.ask(&rows("json/simple/compact")).body;
    let lines: Vec<Json> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["m"]["username"]["type"], "str");
    assert_eq!(lines[2]["d"][2], 2);
    let csv = server.ask(&rows("csv")).body;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "eventdate,domain,n,username,positive");
    assert!(lines[1].ends_with(",d1,1,\"é,\"\"x\",true"), "{csv}");
    let tsv = server.ask(&rows("tsv")).body;
    assert!(tsv.contains("\td1\t1\té,\"x\ttrue\n"), "{tsv}");
    // Dates as asked for.
    let dates = |more: Json| {
        let mut asked =
            json!({"query": "from logins select eventdate", "limit": 1, "mode": {"type": "csv"}});
        asked
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        server.ask(&asked).body.lines().nth(1).unwrap().to_owned()
    };
    let time = |form: &str, ahead: i64| {
        let millis = first["eventdate"].as_i64().unwrap() - 1 + ahead * 3_600_000;
        chrono::DateTime::from_timestamp_millis(millis)
            .unwrap()
            .format(form)
            .to_string()
    };
    assert_eq!(dates(json!({})), time("%Y-%m-%d %H:%M:%S%.3f", 0));
    assert_eq!(
        dates(json!({"timeZone": "GMT+5"})),
        time("%Y-%m-%d %H:%M:%S%.3f", 5)
    );
    assert_eq!(
        dates(json!({"dateFormat": "iso"})),
        time("%Y-%m-%dT%H:%M:%S%.3fZ", 0)
    );
    assert_eq!(
        dates(json!({"dateFormat": "iso", "timeZone": "GMT-3"})),
        time("%Y-%m-%dT%H:%M:%S%.3f-03:00", -3)
    );
    // What fails on single rows is told where there is room for it.
    let notes = server.ask(&json!({"query": "from logins where n + 'x' > 1 select n"}));
    assert_eq!(notes.status, 200);
    let none = server
        .ask(&json!({"query": "from logins select n", "limit": 0}))
        .json();
    assert_eq!(none["object"], json!([]));
    // The bound of a query with a group is that of its groups.
    let groups = server.ask(
        &json!({"query": "from logins group by domain select domain, count() as n", "limit": 1}),
    );
    assert_eq!(groups.json()["object"], json!([{"domain": "d0", "n": 10}]));
    // Saved queries have names.
    server
        .home
        .run(
            &["query", "save", "mine", "from logins select n limit 3"],
            "",
        )
        .ended(0);
    let saved = server.ask(&json!({"queryId": "mine"})).json();
    assert_eq!(saved["object"].as_array().map(Vec::len), Some(3), "{saved}");
    assert_eq!(server.ask(&json!({"queryId": "other"})).status, 400);
}

/// The request of the public example, word for word, and what comes of it.
#[test]
fn the_public_example_makes_a_task() {
    let server = Server::start(&[]);
    let body = r#"{"from": "yesterday()", "to": "now()", "mode": {"type": "json"}, "query": "from siem.logtrust.web.activity select * limit 10 pragma comment.id:\"python-sdk-app\" pragma comment.user:\"python-sdk-user\"", "destination": {"type": "redis", "params": {"friendlyName": "redis-rresino-154q", "description": "description of task", "expireIn": 30000, "keyFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}], "valueFields": [{"name": "domain", "type": "str"}, {"name": "username", "type": "str"}]}}}"#;
    let headers = signed("myapikey", "myapisecret", body, now());
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let made = server.send("POST", "/search/query", &headers, body);
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    assert_eq!(made["status"], 0);
    let base = made["object"]["redisKeyBase"].as_str().unwrap().to_owned();
    assert!(base.starts_with("self#") && base.len() == 5 + 32, "{base}");
    let id = made["object"]["id"].as_str().unwrap().to_owned();
    let job = |call: &str| server.get(&format!("/search/job/{call}{id}")).json();
    let mut task = Json::Null;
    wait_until(|| {
        task = job("")["object"].clone();
        task["status"] == "COMPLETED"
    });
    assert_eq!(task["friendlyName"], "redis-rresino-154q");
    assert_eq!(
        task["extra"]["keyFields"][0],
        json!({"name": "domain", "type": "str"})
    );
    assert_eq!(task["extra"]["redisKeyBase"], base.as_str());
    assert_eq!(task["error"], json!([]));
    for path in [
        "/search/jobs",
        "/search/jobs?type=redis&name=redis-r",
        "/search/jobs/redis/redis-r",
        "/admin/tasks",
    ] {
        let jobs = server.get(path).json();
        assert_eq!(jobs["object"][0]["id"], id.as_str(), "{path}: {jobs}");
    }
    let none = server.get("/search/jobs?type=donothing").json();
    assert_eq!(none["object"], json!([]));
    assert_eq!(job("stop/")["status"], 108);
    assert_eq!(job("start/")["status"], 101);
    assert_eq!(job("remove/")["object"]["status"], "REMOVED");
    for call in ["", "stop/", "start/", "remove/"] {
        let gone = server.get(&format!("/search/job/{call}{id}"));
        assert_eq!(gone.status, 200);
        // Clients take what begins with this word for a failure of their own.
        assert!(
            !gone.body[..15].to_ascii_lowercase().contains("error"),
            "{gone:?}"
        );
        assert_eq!(gone.json()["status"], 100);
    }
}

#[test]
fn hostile_bodies_are_refused_with_reasons() {
    let server = Server::start(&["--set", "serve.body=10000"]);
    let deep = format!("{{\"query\":{}", "[".repeat(5000));
    let wrong = |change: Json| {
        let mut asked = json!({"query": "from logins select *"});
        asked
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        asked.to_string()
    };
    for (body, reason) in [
        (String::new(), "no JSON"),
        ("nonsense".to_owned(), "no JSON"),
        ("[]".to_owned(), "no JSON object"),
        ("{}".to_owned(), "query is missing"),
        (deep, "no JSON"),
        ("{\"query\": \"from logins select *\"".to_owned(), "no JSON"),
        (json!({"query": ""}).to_string(), "query is empty"),
        (json!({"query": 5}).to_string(), "query wants a text"),
        (
            json!({"query": "from x", "queryId": "y"}).to_string(),
            "exclude each other",
        ),
        (
            json!({"query": "from nothing select *"}).to_string(),
            "there is no source nothing",
        ),
        (
            json!({"query": "from logins selekt *"}).to_string(),
            "line 1, column 13",
        ),
        (
            json!({"query": format!("from logins where {}1", "(".repeat(3000))}).to_string(),
            "",
        ),
        (wrong(json!({"limt": 1})), "did you mean limit"),
        (wrong(json!({"limit": -1})), "limit wants a whole number"),
        (wrong(json!({"limit": 1.5})), "limit wants a whole number"),
        (wrong(json!({"offset": "x"})), "offset wants a whole number"),
        (wrong(json!({"from": "soon"})), "from: "),
        (wrong(json!({"from": [1]})), "from wants a time"),
        (
            wrong(json!({"from": 200, "to": 100})),
            "from is later than to",
        ),
        (
            wrong(json!({"mode": {"type": "msgpack"}})),
            "there are json",
        ),
        (wrong(json!({"mode": 5})), "mode wants an object"),
        (wrong(json!({"timeZone": "Europe/Nowhere"})), "no time zone"),
        (wrong(json!({"timeUnit": "HOURS"})), "SECONDS, MILLISECONDS"),
        (wrong(json!({"dateFormat": "x"})), "default, sql, iso"),
        (wrong(json!({"keepAlive": {"type": "x"}})), "keepAlive.type"),
        (wrong(json!({"destination": 5})), "destination"),
        (
            wrong(json!({"destination": {"type": "tape", "params": {}}})),
            "tape",
        ),
        (wrong(json!({"destination": {"type": "redis"}})), "params"),
        (
            wrong(
                json!({"query": "from logins select eventdate, n", "destination": {"type": "redis", "params": {"friendlyName": "x", "expireIn": 5, "keyFields": ["nope"]}}}),
            ),
            "",
        ),
    ] {
        let answer = server.send("POST", "/search/query", &[ALL], &body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let json = answer.json();
        assert_eq!(json["status"], 1, "{body}: {json}");
        assert!(
            json["msg"].as_str().unwrap().contains(reason),
            "{body}: {json}"
        );
        assert!(
            json["cid"].is_string()
                && json["timestamp"].is_i64()
                && json["error"]["code"].is_string()
        );
    }
    let mut bytes = b"POST /search/query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer all the rights\r\nConnection: close\r\nContent-Length: 12\r\n\r\n".to_vec();
    bytes.extend(b"{\"query\":\"\xff\xfe");
    let mut stream = server.connect();
    stream.write_all(&bytes).unwrap();
    assert_eq!(answer(stream).status, 400);
    // Longer than allowed: announced, and not.
    let long = "x".repeat(20_000);
    assert_eq!(
        server.send("POST", "/search/query", &[ALL], &long).status,
        413
    );
    let mut stream = server.connect();
    let head = "POST /search/query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer all the rights\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..4 {
        // The server may have answered and gone.
        let _ = stream.write_all(format!("{:x}\r\n{}\r\n", 5000, "x".repeat(5000)).as_bytes());
    }
    assert_eq!(answer(stream).status, 413);
    let huge = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(200_000));
    let mut stream = server.connect();
    let _ = stream.write_all(huge.as_bytes());
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    assert!(
        text.is_empty() || text.starts_with(b"HTTP/1.1 4"),
        "{}",
        String::from_utf8_lossy(&text)
    );
    assert_eq!(server.send("GET", "/health", &[], "").status, 200);
}

#[test]
fn slow_clients_are_in_nobodys_way() {
    let server = Server::start(&["--set", "serve.threads=1", "--set", "serve.waiting=1"]);
    // Half a head, half a body: no thread waits for them.
    let half: Vec<TcpStream> = (0..40)
        .map(|n| {
            let mut stream = server.connect();
            let text = match n % 2 {
                0 => "GET /search/jo",
                _ => "POST /search/query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer all the rights\r\nContent-Length: 900\r\n\r\n{\"que",
            };
            stream.write_all(text.as_bytes()).unwrap();
            stream
        })
        .collect();
    server.until_running(20);
    for _ in 0..5 {
        assert_eq!(
            server
                .ask(&json!({"query": "from logins select n", "limit": 1}))
                .status,
            200
        );
    }
    drop(half);
    server.until_running(0);
}

#[test]
fn what_is_too_much_is_refused_until_there_is_room() {
    let server = Server::start(&["--set", "serve.threads=1", "--set", "serve.waiting=1"]);
    let pipe = server.home.path("pipe.jsonl");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let answer = server.ask(&json!({"query": "from waits select n"}));
                answers.lock().unwrap().push(answer);
            });
        }
        // One works, one may wait; the others hear at once that there is no room.
        wait_until(|| answers.lock().unwrap().len() >= 4);
        for answer in answers.lock().unwrap().iter() {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(
                answer.head.to_ascii_lowercase().contains("retry-after: 1"),
                "{answer:?}"
            );
        }
        // Who looks whether all is well does not wait.
        assert_eq!(server.send("GET", "/health", &[], "").status, 200);
        let feeding = scope.spawn(|| {
            while answers.lock().unwrap().len() < 6 {
                // Opens as soon as somebody reads.
                let row = format!("{{\"eventdate\":{},\"n\":7}}\n", now());
                let _ = std::fs::OpenOptions::new()
                    .write(true)
                    .open(&pipe)
                    .and_then(|mut pipe| pipe.write_all(row.as_bytes()));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        wait_until(|| answers.lock().unwrap().len() == 6);
        // The feeder may wait for a reader that does not come.
        let _ = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&pipe);
        feeding.join().unwrap();
    });
    let answers = answers.into_inner().unwrap();
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..=2).contains(&good), "{answers:?}");
}

#[test]
fn many_at_once() {
    let server = Server::start(&["--set", "serve.waiting=1000"]);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..24 {
            let (server, failures) = (&server, &failures);
            scope.spawn(move || {
                for round in 0..4 {
                    let query =
                        format!("from logins where n == {} select n", (number + round) % 20);
                    let answer =
                        server.ask(&json!({"query": query, "mode": {"type": "json/simple"}}));
                    if answer.body != format!("{{\"n\":{}}}\n", (number + round) % 20) {
                        failures.lock().unwrap().push(answer);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    let metrics = server.get("/metrics").body;
    let counted =
        "stellar_http_requests_total{method=\"POST\",path=\"/search/query\",status=\"200\"} 96";
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn what_takes_too_long_ends() {
    let server = Server::start(&["--set", "serve.time=200"]);
    let pipe = server.home.path("pipe.jsonl");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    // Nobody ever writes.
    let late = server.ask(&json!({"query": "from waits select n"}));
    assert_eq!(late.status, 504, "{late:?}");
    assert_eq!(late.json()["status"], 504);
    server.until_running(0);
    // Rows without an end.
    let endless = json!({"query": "from logins select n", "mode": {"type": "json/simple"}});
    let rows: String = (0..400_000)
        .map(|n| format!("{{\"eventdate\":{},\"n\":{n}}}\n", now()))
        .collect();
    server.home.write("logins.jsonl", rows.repeat(2));
    let cut = server.ask(&endless);
    let last = cut
        .body
        .trim_end()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    let told = cut.status == 504 || last.starts_with("[\"error\",504,") || last.contains("\"n\"");
    assert!(told, "{} {last}", cut.status);
    server.until_running(0);
}

/// A query that goes on for ever, its lines as they come.
struct Follower(BufReader<TcpStream>);

impl Follower {
    fn start(server: &Server, query: &str) -> Follower {
        let mut stream = server.connect();
        let body = json!({"query": query, "mode": {"type": "json/simple"}}).to_string();
        let text = format!(
            "POST /search/query HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer all the rights\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).unwrap();
        Follower(BufReader::new(stream))
    }

    /// The next part that is not only there to show that the server is.
    fn next(&mut self) -> Option<String> {
        loop {
            let part = String::from_utf8(read_part(&mut self.0)?).unwrap();
            if !part.trim().is_empty() {
                return Some(part);
            }
        }
    }
}

fn append(server: &Server, n: i64) {
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(server.home.path("grows.jsonl"))
        .unwrap();
    let row = json!({"eventdate": now(), "domain": "d", "n": n});
    file.write_all(format!("{row}\n").as_bytes()).unwrap();
}

#[test]
fn followed_rows_come_until_the_client_goes_or_the_server_ends() {
    let server = Server::start(&["--set", "serve.streams=1", "--set", "serve.grace=60000"]);
    append(&server, 1);
    let mut follower = Follower::start(&server, "from grows select n");
    assert_eq!(read_head(&mut follower.0).0, 200);
    assert_eq!(follower.next().unwrap(), "{\"n\":1}\n");
    append(&server, 2);
    assert_eq!(follower.next().unwrap(), "{\"n\":2}\n");
    // No more than configured.
    let full = Follower::start(&server, "from grows select n");
    let mut full = full.0;
    assert_eq!(read_head(&mut full).0, 503);
    // Who goes makes room.
    drop(follower);
    server.until_running(0);
    // Its thread may need a moment longer.
    let mut follower = None;
    wait_until(|| {
        let mut next = Follower::start(&server, "from grows where n > 1 select n");
        let good = read_head(&mut next.0).0 == 200;
        follower = good.then_some(next);
        good
    });
    let mut follower = follower.unwrap();
    assert_eq!(follower.next().unwrap(), "{\"n\":2}\n");
    server.signal("-TERM");
    // What has begun has an end, not a break.
    assert!(
        follower
            .next()
            .is_none_or(|last| last.starts_with("[\"error\",503,"))
    );
    assert_eq!(server.talk.lock().unwrap().end().0, Some(0));
    assert!(TcpStream::connect(&server.address).is_err());
}

#[test]
fn what_has_begun_is_finished_when_the_server_ends() {
    let server = Server::start(&["--set", "serve.grace=100000"]);
    let pipe = server.home.path("pipe.jsonl");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let (address, home) = (server.address.clone(), pipe.clone());
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.ask(&json!({"query": "from waits select n"})));
        server.until_running(1);
        server.signal("-INT");
        wait_until(|| TcpStream::connect(&address).is_err());
        let mut pipe = std::fs::OpenOptions::new().write(true).open(&home).unwrap();
        pipe.write_all(format!("{{\"eventdate\":{},\"n\":7}}\n", now()).as_bytes())
            .unwrap();
        drop(pipe);
        let answer = asking.join().unwrap();
        assert_eq!(
            (answer.status, &answer.json()["object"]),
            (200, &json!([{"n": 7}]))
        );
    });
    assert_eq!(server.talk.lock().unwrap().end().0, Some(0));
}

#[test]
fn tasks_go_on_after_a_kill() {
    let server = Server::start(&[]);
    append(&server, 1);
    let made = server
        .ask(&destination("from grows select *", "kept"))
        .json();
    let id = made["object"]["id"].as_str().unwrap().to_owned();
    let sent = |server: &Server, count: i64| {
        wait_until(|| {
            let task = server.get(&format!("/search/job/{id}")).json();
            task["object"]["status"] == "RUNNING"
                && task["object"]["eventGenerated"].as_i64() >= Some(count)
        });
    };
    sent(&server, 1);
    server.signal("-KILL");
    server.talk.lock().unwrap().end();
    append(&server, 2);
    let Server { home, .. } = server;
    let server = Server::in_home(home, &[]);
    append(&server, 3);
    sent(&server, 3);
    let here = server
        .home
        .run(&["eval", "COLLECTION_HAS('kept', 'd')"], "")
        .ended(0);
    assert_eq!(here.out(), "true\n");
}

#[test]
fn the_log_tells_requests_and_no_secrets() {
    let home = Home::new();
    home.write("stellar.toml", CONFIG);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let address = line
        .trim()
        .strip_prefix("listening at http://")
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let err = child.stderr.take().unwrap();
    let log = Arc::new(Mutex::new(String::new()));
    let own = log.clone();
    let reading = std::thread::spawn(move || {
        for line in BufReader::new(err).lines().map_while(Result::ok) {
            own.lock().unwrap().push_str(&(line + "\n"));
        }
    });
    let mut stream = TcpStream::connect(&address).unwrap();
    let text = "GET /search/jobs/%0a%1b[31m?token=hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer all the rights\r\n\r\n";
    stream.write_all(text.as_bytes()).unwrap();
    let id = answer(stream).json()["cid"].as_str().unwrap().to_owned();
    wait_until(|| log.lock().unwrap().contains(&id));
    let _ = child.kill();
    let _ = child.wait();
    reading.join().unwrap();
    let log = log.lock().unwrap();
    let line = log.lines().find(|line| line.contains(&id)).unwrap();
    assert!(
        line.contains("token GET") && line.contains(" 200 "),
        "{line}"
    );
    for secret in ["all the rights", "hidden", "myapisecret", "\u{1b}"] {
        assert!(!log.contains(secret), "{log}");
    }
}

/// The examples of the guide, against a server that is configured as it says.
#[test]
fn the_guide_is_right() {
    let guide = std::fs::read_to_string("docs/serve.md").unwrap();
    let block = |lang: &str| {
        let start = guide.find(&format!("```{lang}\n")).unwrap() + lang.len() + 4;
        let end = start + guide[start..].find("```").unwrap();
        guide[start..end].to_owned()
    };
    let home = Home::new();
    home.write("stellar.toml", block("toml"));
    let rows = ["example.com", "example.org"].map(|domain| {
        format!(
            "{}\n",
            json!({"eventdate": now() - 1000, "domain": domain, "username": "kim", "status": 200})
        )
    });
    home.write("logins.jsonl", rows.concat());
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    for (name, value) in [
        ("STELLAR_TOKEN", "t0ken"),
        ("DEVO_SECRET", "myapisecret"),
        ("JWT_SECRET", "s3cret"),
    ] {
        command.env(name, value);
    }
    let talk = Talk::new(command);
    let line = talk.hear();
    let address = line
        .strip_prefix("listening at ")
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let mut count = 0;
    let mut id = String::new();
    let mut rest = guide.as_str();
    while let Some(at) = rest.find("```sh\n") {
        rest = &rest[at + 6..];
        let end = rest.find("```").unwrap();
        let script = rest[..end]
            .replace("http://127.0.0.1:8650", &address)
            .replace("$ID", &id);
        rest = &rest[end + 3..];
        if !script.contains("curl") {
            continue;
        }
        count += 1;
        let mut shell = Command::new("timeout");
        shell.args([
            "120",
            "sh",
            "-ec",
            &script.replace("curl ", "curl -sS --fail "),
        ]);
        let ran = shell
            .env("STELLAR_TOKEN", "t0ken")
            .env("DEVO_SECRET", "myapisecret")
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(
            ran.status.success(),
            "{script}\n{out}\n{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        // What stands below it says what the answer has in it.
        if let Some(shown) = rest
            .strip_prefix("\n\n```json\n")
            .or_else(|| rest.strip_prefix("\n```json\n"))
        {
            let shown: Json = serde_json::from_str(&shown[..shown.find("```").unwrap()]).unwrap();
            let told: Json =
                serde_json::from_str(&out).unwrap_or_else(|_| panic!("{script}\n{out}"));
            assert!(within(&shown, &told), "{script}\n{shown}\n{told}");
            if let Some(made) = told["object"]["id"].as_str() {
                id = made.to_owned();
            }
        }
    }
    assert!(count >= 5, "{count} commands only");
    // All that can be asked for stands there.
    let routes = home
        .run(&["serve", "--routes", "--format", "jsonl"], "")
        .ended(0)
        .json();
    assert!(routes.len() >= 10);
    let rules = std::fs::read_to_string("docs/rules.md").unwrap();
    let kinds = [
        "/logmule_go_filters",
        "/logmule_go_modules",
        "/findings",
        "/tables",
    ];
    for route in routes {
        let path = route["path"].as_str().unwrap();
        let path = path.strip_prefix("/cruddy/v2").unwrap_or(path);
        let call = |path: &str| format!("`{} {path}`", route["method"].as_str().unwrap());
        let same = kinds.iter().find_map(|kind| path.strip_prefix(kind));
        let same = same.map(|rest| call(&format!("/KIND{rest}")));
        let known = [Some(call(path)), same];
        let mut known = known.iter().flatten();
        assert!(
            known.any(|text| guide.contains(text) || rules.contains(text)),
            "{path} is missing in docs/serve.md and docs/rules.md"
        );
    }
}

/// Whether an answer has the shape of the one shown; numbers of requests and times differ.
fn within(shown: &Json, told: &Json) -> bool {
    match (shown, told) {
        (Json::Object(shown), Json::Object(told)) => {
            let keys = [
                "cid",
                "timestamp",
                "id",
                "eventdate",
                "lastDatetime",
                "eventGenerated",
                "eventsSent",
            ];
            shown.iter().all(|(name, value)| {
                let found = told.get(name);
                found.is_some_and(|found| keys.contains(&name.as_str()) || within(value, found))
            })
        }
        (Json::Array(shown), Json::Array(told)) => {
            shown.len() == told.len() && shown.iter().zip(told).all(|(a, b)| within(a, b))
        }
        _ => shown == told,
    }
}
