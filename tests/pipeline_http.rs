//! Pipelines over HTTP: events that are posted to and by the program, counters, metrics, the table on the terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::http::{Server, answer};
use support::{Home, Ran};

/// A run goes on until it is interrupted.
struct Running {
    child: Child,
    notes: Receiver<String>,
}

impl Running {
    fn start(home: &Home, arguments: &[&str]) -> Running {
        let arguments = [&["pipeline", "run", "p.yaml"], arguments].concat();
        let mut child = home.command(&arguments).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        let (sender, notes) = channel();
        std::thread::spawn(move || {
            err.lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Running { child, notes }
    }

    /// The next note that holds a text.
    #[track_caller]
    fn note(&self, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.notes.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(_) => panic!("no note says {text:?}"),
            }
        }
    }

    /// Where the input listens.
    #[track_caller]
    fn port(&self) -> u16 {
        let note = self.note("input_http listens at http");
        let port = note.trim_end_matches('/').rsplit(':').next().unwrap();
        port.parse().unwrap()
    }

    /// Sends SIGINT and waits for the end: the code and standard output.
    fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap();
        assert!(sent.success());
        let mut out = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        (self.child.wait().unwrap().code(), out)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer: code, head, body.
#[derive(Debug)]
struct Answer {
    code: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

fn ask(port: u16, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    ask_on(stream, method, path, headers, body)
}

fn ask_on(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Answer {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A server that refuses need not read.
    let _ = stream.write_all(body);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{text:?}"));
    Answer {
        code: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

fn post(port: u16, path: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    ask(port, "POST", path, headers, body.as_ref())
}

/// Archives what is posted.
const ARCHIVE: &str = "
pipelines:
  p:
    - {name: input_http, port: 0, MORE}
    - {name: output_archive, match: '*', time_key: t, path_template: 'out-%Y.json'}
";

#[test]
fn what_is_answered_is_on_the_disk() {
    let home = Home::new();
    home.write("p.yaml", ARCHIVE.replace(", MORE", ", max_body: 100000"));
    let run = Running::start(&home, &[]);
    let port = run.port();
    let written = || std::fs::read_to_string(home.path("out-1970.json")).unwrap_or_default();
    let gzip = {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(b"{\"t\": 4}\n{\"t\": 5}\n").unwrap();
        out.finish().unwrap()
    };
    let zstd = zstd::encode_all(&b"[{\"t\": 6}]"[..], 3).unwrap();
    for (headers, body, lines) in [
        ("", &b"{\"t\": 1}"[..], 1),
        (
            "Content-Type: application/json\r\n",
            b"[{\"t\": 2}, {\"t\": 3}]",
            3,
        ),
        (
            "Content-Encoding: gzip\r\nContent-Type: application/x-ndjson\r\n",
            &gzip,
            5,
        ),
        ("Content-Encoding: zstd\r\n", &zstd, 6),
        ("", b" ", 6),
    ] {
        let answer = post(port, "/log", headers, body);
        assert_eq!(answer.code, 200, "{answer:?}");
        assert_eq!(written().lines().count(), lines, "{answer:?}");
    }
    // Nothing of a bad request is taken.
    let bomb = zstd::encode_all(vec![b' '; 10_000_000].as_slice(), 3).unwrap();
    for (path, headers, body, code, error) in [
        (
            "/log",
            "",
            &b"{\"t\": 7}\n{\"t\": x}"[..],
            400,
            "line\":2,\"column\":7",
        ),
        (
            "/log",
            "",
            b"[{\"t\": 7}, 8]",
            400,
            "element 2 of the array",
        ),
        ("/log", "", b"\xff", 400, "not UTF-8"),
        (
            "/log",
            "Content-Encoding: gzip\r\n",
            b"{\"t\": 7}",
            400,
            "cannot be unpacked",
        ),
        ("/log", "Content-Encoding: zstd\r\n", &bomb, 413, "100000"),
        (
            "/log",
            "Content-Encoding: br\r\n",
            b"{}",
            415,
            "gzip or zstd",
        ),
        ("/", "", b"{\"t\": 7}", 404, "/TAG"),
        ("/log", "", &[b' '; 200_000], 413, "100000"),
    ] {
        let answer = post(port, path, headers, body);
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(answer.body.contains(error), "{answer:?}");
        assert!(answer.json()["error"].is_string());
    }
    let get = ask(port, "GET", "/log", "", b"");
    assert!(
        get.code == 405 && get.head.contains("allow: post"),
        "{get:?}"
    );
    assert_eq!(run.stop().0, Some(0));
    assert_eq!(written().lines().count(), 6);
}

#[test]
fn paths_are_tags_and_texts_are_lines() {
    let home = Home::new();
    home.write("p.yaml", "pipelines:\n  p:\n    - {name: input_http, port: 0, wait: false}\n    - {name: output_stdout, match: '*'}\n");
    let run = Running::start(&home, &["--once"]);
    let port = run.port();
    let sent = post(
        port,
        "/web%20log/x",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "é\nb\n",
    );
    assert_eq!((sent.code, sent.json()), (202, json!({"events": 2})));
    let mut run = run;
    let mut out = String::new();
    // It ends by itself when nothing comes.
    run.child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(
        lines[0].starts_with("web log/x[") && lines[0].ends_with("]: {'log': 'é'}"),
        "{out}"
    );
}

#[test]
fn tokens_and_certificates_are_wanted() {
    let home = Home::new();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    home.write("cert.pem", cert.pem());
    home.write("key.pem", signing_key.serialize_pem());
    home.write("token", "hunter2\n");
    let more = "tag: log, token: ['${file:token}', other], tls_cert: cert.pem, tls_key: key.pem";
    home.write("p.yaml", ARCHIVE.replace("MORE", more));
    let run = Running::start(&home, &[]);
    let port = run.port();
    // A program of ours as the client.
    let out = "pipelines:\n  p:\n    - {name: input_dummy, tag: a, data: [{t: 1}, {t: 2}]}\n    - {name: output_http, match: a, url: 'https://localhost:PORT/', tls_ca: cert.pem, token: TOKEN, gzip: true, tag_key: tag}\n";
    let send = |token: &str| {
        let text = out
            .replace("PORT", &port.to_string())
            .replace("TOKEN", token);
        home.write("send.yaml", text);
        home.run(&["pipeline", "run", "--once", "send.yaml"], "")
            .ended(0)
    };
    send("other");
    send("'${file:token}'");
    let refused = send("wrong").err;
    assert!(
        refused.contains("401 Unauthorized: {\"error\":\"a valid token is needed\"}"),
        "{refused}"
    );
    let written = std::fs::read_to_string(home.path("out-1970.json")).unwrap();
    assert_eq!(
        written,
        "{\"t\": 1, \"tag\": \"a\"}\n{\"t\": 2, \"tag\": \"a\"}\n".repeat(2)
    );
    assert_eq!(run.stop().0, Some(0));
    // A client that does not know the authority does not send.
    home.write(
        "p.yaml",
        ARCHIVE.replace("MORE", "token: a, tls_cert: cert.pem"),
    );
    let ran = home.run(&["pipeline", "run", "p.yaml"], "").ended(1);
    assert!(ran.err.contains("tls_cert needs tls_key"), "{}", ran.err);
}

#[test]
fn a_public_address_and_a_taken_port_are_told() {
    let home = Home::new();
    home.write("p.yaml", ARCHIVE.replace("MORE", "host: 0.0.0.0"));
    let run = Running::start(&home, &[]);
    let note = run.note("without token and TLS");
    assert!(note.contains("public address"), "{note}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    home.write(
        "q.yaml",
        ARCHIVE.replace("port: 0, MORE", &format!("port: {port}")),
    );
    let ran = home
        .run(&["pipeline", "run", "--once", "q.yaml"], "")
        .ended(1);
    assert!(ran.err.contains("cannot be listened at"), "{}", ran.err);
}

#[test]
fn a_full_pipeline_says_so_and_loses_nothing() {
    let home = Home::new();
    // A server that answers nobody until a client was refused.
    let refused = Arc::new(AtomicBool::new(false));
    let open = refused.clone();
    let shut = Server::start(move |_, stream| {
        let end = Instant::now() + Duration::from_secs(60);
        while !open.load(Ordering::SeqCst) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        stream.write_all(&answer("200 OK", "")).is_ok()
    });
    let text = format!(
        "pipelines:\n  p:\n    - {{name: input_http, port: 0, tag: log}}\n    - {{name: output_http, match: log, url: '{}', batch: 1}}\n",
        shut.url("/")
    );
    home.write("p.yaml", text);
    let run = Running::start(&home, &["--threads", "1"]);
    let port = run.port();
    let taken: Vec<usize> = std::thread::scope(|scope| {
        let mut clients = Vec::new();
        while !refused.load(Ordering::SeqCst) && clients.len() < 2000 {
            let (n, refused) = (clients.len(), refused.clone());
            clients.push(scope.spawn(move || {
                let answer = post(port, "/", "", json!({"n": n}).to_string());
                if answer.code == 503 {
                    assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
                    refused.store(true, Ordering::SeqCst);
                    return None;
                }
                assert_eq!(answer.code, 200, "{answer:?}");
                Some(n)
            }));
            std::thread::sleep(Duration::from_millis(1));
        }
        let answers = clients.into_iter().map(|client| client.join().unwrap());
        answers.flatten().collect()
    });
    assert!(refused.load(Ordering::SeqCst), "nothing was refused");
    assert!(taken.len() >= 64, "{taken:?}");
    let seen: BTreeSet<String> = shut.seen().into_iter().map(|seen| seen.body).collect();
    for n in &taken {
        assert!(seen.contains(&format!("{{\"n\":{n}}}\n")), "{n}: {seen:?}");
    }
}

fn sends(url: &str, more: &str, events: usize) -> String {
    let data: Vec<String> = (0..events).map(|n| format!("{{n: {n}}}")).collect();
    format!(
        "pipelines:\n  p:\n    - {{name: input_dummy, tag: log, data: [{}]}}\n    - {{name: output_http, match: log, url: '{url}', {more}}}\n",
        data.join(", ")
    )
}

fn run_once(home: &Home, more: &[&str]) -> Ran {
    home.run(
        &[&["pipeline", "run", "--once", "p.yaml"], more].concat(),
        "",
    )
}

#[test]
fn batches_are_posted_once_after_failures_that_pass() {
    let home = Home::new();
    let asked = AtomicUsize::new(0);
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen_at = times.clone();
    let server = Server::start(move |_, stream| {
        seen_at.lock().unwrap().push(Instant::now());
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => stream.write_all(&answer("500 Internal Server Error", "")).is_ok(),
            1 => stream
                .write_all(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
                .is_ok(),
            // Gone without a word.
            2 => false,
            _ => stream.write_all(&answer("204 No Content", "")).is_ok(),
        }
    });
    let more = "batch: 2, format: array, headers: {X-Key: '${KEY}'}, time_key: time";
    home.write("p.yaml", sends(&server.url("/in?x=1"), more, 5));
    let mut command = home.command(&[
        "--now",
        "1970-01-01T00:00:09Z",
        "pipeline",
        "run",
        "--once",
        "p.yaml",
    ]);
    let ran = command
        .env("KEY", "hunter2")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success(), "{err}");
    assert!(
        err.contains("500 Internal Server Error; it is tried again"),
        "{err}"
    );
    assert!(err.contains("again") && !err.contains("hunter2"), "{err}");
    let seen = server.seen();
    let bodies: Vec<&str> = seen.iter().map(|seen| seen.body.as_str()).collect();
    let first = "[{\"n\":0,\"time\":9},{\"n\":1,\"time\":9}]";
    assert_eq!(bodies[..4], [first; 4]);
    assert_eq!(
        bodies[4..],
        [
            "[{\"n\":2,\"time\":9},{\"n\":3,\"time\":9}]",
            "[{\"n\":4,\"time\":9}]"
        ]
    );
    assert!(seen.iter().all(|seen| seen.header("x-key") == "hunter2"
        && seen.header("content-type") == "application/json"
        && seen.target() == "/in?x=1"));
    let times = times.lock().unwrap();
    assert!(
        times[2] - times[1] >= Duration::from_millis(990),
        "{times:?}"
    );
}

#[test]
fn what_is_refused_is_a_dead_letter() {
    let home = Home::new();
    // Too long for more than one event; the third is bad.
    let server = Server::start(|seen, stream| {
        let reply = match (seen.body.lines().count(), seen.body.contains("\"n\":2")) {
            (2.., _) => answer("413 Payload Too Large", "too much"),
            (_, true) => answer("422 Unprocessable Entity", "no such n\nsecond line"),
            _ => answer("201 Created", ""),
        };
        stream.write_all(&reply).is_ok()
    });
    home.write("p.yaml", sends(&server.url("/"), "batch: 5", 5));
    run_once(&home, &["--dead-letter", "dead.jsonl"]).ended(0);
    let dead = std::fs::read_to_string(home.path("dead.jsonl")).unwrap();
    let dead: Vec<Json> = dead
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["record"], json!({"n": 2}));
    assert_eq!(dead[0]["tag"], json!("log"));
    let reason = dead[0]["reason"].as_str().unwrap();
    assert_eq!(
        reason,
        "the server answers 422 Unprocessable Entity: no such n"
    );
    let taken: BTreeSet<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert!(
        [0, 1, 3, 4]
            .iter()
            .all(|n| taken.contains(&format!("{{\"n\":{n}}}\n")))
    );
}

#[test]
fn a_server_that_is_away_ends_the_run_when_asked_to() {
    let home = Home::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:hunter2@{}/", closed.local_addr().unwrap());
    drop(closed);
    home.write("p.yaml", sends(&url, "give_up: 1", 3));
    let ran = run_once(&home, &[]).ended(1);
    assert!(
        ran.err
            .contains("cannot post 3 events to http://user:****@127.0.0.1"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("E0604"), "{}", ran.err);
    for (more, error) in [
        ("url: 'ftp://x/'", "neither an http nor an https"),
        (
            "url: 'http://x/', headers: {'a b': hunter2}",
            "the header a b",
        ),
        (
            "url: 'http://x/', token: '${NOT_THERE}'",
            "NOT_THERE is not set",
        ),
        ("url: 'http://x/', batch: 0", "batch is between 1 and"),
    ] {
        let text = format!(
            "pipelines:\n  p:\n    - {{name: input_dummy, tag: log, data: {{}}}}\n    - {{name: output_http, match: log, {more}}}\n"
        );
        home.write("p.yaml", text);
        let ran = run_once(&home, &[]).ended(1);
        assert!(
            ran.err.contains(error) && !ran.err.contains("hunter2"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn two_programs_hand_on_what_a_crash_interrupts() {
    let home = Home::new();
    home.write("p.yaml", ARCHIVE.replace("MORE", "tag: log"));
    let receiver = Running::start(&home, &[]);
    let port = receiver.port();
    drop(receiver);
    // The sender waits for its server.
    let url = format!("http://127.0.0.1:{port}/");
    home.write(
        "send.yaml",
        sends(&url, "batch: 100", 1000).replace("n: ", "t: "),
    );
    let sender = std::thread::scope(|scope| {
        let sender = scope.spawn(|| home.run(&["pipeline", "run", "--once", "send.yaml"], ""));
        std::thread::sleep(Duration::from_millis(500));
        home.write(
            "p.yaml",
            ARCHIVE.replace("port: 0, MORE", &format!("port: {port}, tag: log")),
        );
        let _receiver = Running::start(&home, &[]);
        sender.join().unwrap()
    });
    let sender = sender.ended(0);
    assert!(sender.err.contains("reaches"), "{}", sender.err);
    let written = std::fs::read_to_string(home.path("out-1970.json")).unwrap();
    let lines: BTreeSet<&str> = written.lines().collect();
    assert_eq!((lines.len(), written.lines().count()), (1000, 1000));
}

#[test]
fn the_example_of_the_manual_works() {
    let manual = std::fs::read_to_string("docs/pipelines.md").unwrap();
    let part = manual.split("## Over HTTP").nth(1).unwrap();
    let block = |kind: &str| {
        let block = part.split(&format!("```{kind}\n")).nth(1).unwrap();
        block.split("```").next().unwrap().to_owned()
    };
    let home = Home::new();
    home.write("p.yaml", block("yaml").replace("port: 9880", "port: 0"));
    let run = Running::start(&home, &[]);
    let port = run.port();
    let call = block("sh").replace(":9880", &format!(":{port}"));
    let (method, rest) = call.trim().split_once(" '").unwrap();
    assert_eq!(method, "curl --data-binary");
    let (body, url) = rest.split_once("' http://127.0.0.1").unwrap();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = post(
        port,
        url.split_once('/')
            .map(|(_, tag)| format!("/{tag}"))
            .unwrap()
            .as_str(),
        kind,
        body,
    );
    assert_eq!((answer.code, answer.json()), (200, json!({"events": 1})));
    let written = std::fs::read_to_string(home.path("archive/fw-2020-12-10.json")).unwrap();
    assert_eq!(written.lines().count(), 1);
    assert_eq!(run.stop().0, Some(0));
}

/// Reads a page of metrics as strictly as the format is meant: family by family, every sample once.
fn metrics(page: &str, open: bool) -> BTreeMap<String, f64> {
    let name = regex::Regex::new("^[a-zA-Z_:][a-zA-Z0-9_:]*$").unwrap();
    let sample = regex::Regex::new(
        r#"^([a-zA-Z_:][a-zA-Z0-9_:]*)\{([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*")*)\} ([0-9.eE+-]+)$"#,
    )
    .unwrap();
    assert!(page.ends_with('\n'));
    let mut lines = page.lines().peekable();
    let (mut families, mut samples) = (BTreeSet::new(), BTreeMap::new());
    while let Some(help) = lines.next() {
        if open && help == "# EOF" {
            assert_eq!(lines.next(), None);
            return samples;
        }
        let (family, text) = help
            .strip_prefix("# HELP ")
            .unwrap()
            .split_once(' ')
            .unwrap();
        assert!(name.is_match(family) && !text.is_empty());
        assert!(families.insert(family.to_owned()), "{family} comes twice");
        let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
        let kind = kind.strip_prefix(family).unwrap().trim();
        let expected = match (kind, open) {
            ("gauge", _) => family.to_owned(),
            ("counter", true) => format!("{family}_total"),
            ("counter", false) => family.to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            kind == "counter",
            expected.ends_with("_total"),
            "{expected}"
        );
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let parts = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(parts[1], expected);
            let number: f64 = parts[3].parse().unwrap();
            assert!(number >= 0.0, "{line}");
            let labels = parts[0].rsplit_once(' ').unwrap().0.to_owned();
            assert!(
                samples.insert(labels, number).is_none(),
                "{line} comes twice"
            );
        }
    }
    assert!(!open, "no # EOF");
    samples
}

#[test]
fn counters_are_metrics() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let text = format!(
        "states: {{port: {port}}}\npipelines:\n  'p \"1\\':\n    - {{name: input_http, port: 0}}\n    - {{name: parser_json, match: 'log*', key: log}}\n    - {{name: filter_frequency, match: '*', tag: alert, alert: {{}}, query_key: n, num_events: 2, timeframe: 60}}\n    - {{name: output_archive, match: '*', time_key: t, path_template: 'out-%Y.json'}}\n"
    );
    home.write("p.yaml", text);
    let run = Running::start(&home, &["--dead-letter", "dead"]);
    let input = run.port();
    let kind = "Content-Type: text/plain\r\n";
    let lines = "{\"n\": 1, \"t\": 1}\n{\"n\": 1, \"t\": 2}\n{\"n\": 2, \"t\": 3}\nno json\n[1]\n";
    assert_eq!(post(input, "/log%22%5C%C3%A9", kind, lines).code, 200);
    let page = ask(port, "GET", "/metrics", "", b"");
    assert_eq!(page.code, 200);
    assert!(
        page.head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        page.head
    );
    let samples = metrics(&page.body, false);
    let of = |name: &str, step: usize, action: &str, tag: &str| {
        let tag = if tag.is_empty() {
            String::new()
        } else {
            format!(",tag=\"{tag}\"")
        };
        let key = format!(
            "stellar_pipeline_{name}{{pipeline=\"p \\\"1\\\\\",step=\"{step}\",action=\"{action}\"{tag}}}"
        );
        samples.get(&key).copied()
    };
    let log = "log\\\"\\\\é";
    assert_eq!(
        of("events_out_total", 1, "input_http", log),
        Some(5.0),
        "{}",
        page.body
    );
    assert_eq!(of("events_in_total", 2, "parser_json", log), Some(5.0));
    assert_eq!(of("events_dropped_total", 2, "parser_json", log), Some(1.0));
    assert_eq!(of("events_failed_total", 2, "parser_json", log), Some(1.0));
    assert_eq!(
        of("events_out_total", 3, "filter_frequency", "alert"),
        Some(1.0)
    );
    assert_eq!(of("state_keys", 3, "filter_frequency", ""), Some(2.0));
    assert_eq!(
        of("state_evicted_total", 3, "filter_frequency", ""),
        Some(0.0)
    );
    assert_eq!(of("input_lag_seconds", 1, "input_http", ""), Some(0.0));
    assert!(
        samples
            .keys()
            .any(|key| key.starts_with("stellar_pipeline_checkpoint_age_seconds"))
    );
    assert_eq!(
        samples.get("stellar_pipeline_up{pipeline=\"p \\\"1\\\\\"}"),
        Some(&1.0)
    );
    let open = ask(
        port,
        "GET",
        "/metrics",
        "Accept: application/openmetrics-text; version=1.0.0\r\n",
        b"",
    );
    assert!(
        open.head
            .contains("content-type: application/openmetrics-text; version=1.0.0")
    );
    let again = metrics(&open.body, true);
    assert_eq!(again.len(), samples.len());
    let health = ask(port, "GET", "/health", "", b"");
    assert_eq!(
        (health.code, health.json()["status"].clone()),
        (200, json!("ok"))
    );
    assert_eq!(health.json()["pipelines"]["p \"1\\"], json!("running"));
    let states = ask(port, "GET", "/", "", b"").json();
    assert_eq!(
        states["pipelines"]["p \"1\\"][1]["name"],
        json!("ParserJson")
    );
    assert_eq!(ask(port, "GET", "/other", "", b"").code, 404);
    assert_eq!(run.stop().0, Some(0));
}

#[test]
fn health_tells_of_a_pipeline_that_ended_with_an_error() {
    let home = Home::new();
    let free = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let [port, away] = free.map(|free| free.local_addr().unwrap().port());
    let bad = sends(&format!("http://127.0.0.1:{away}/"), "give_up: 1", 1);
    let good =
        "\n  q:\n    - {name: input_http, port: 0}\n    - {name: output_stdout, match: '*'}\n";
    home.write("p.yaml", format!("states: {{port: {port}}}\n{bad}{good}"));
    let run = Running::start(&home, &[]);
    run.note("cannot post 1 events");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let health = ask(port, "GET", "/health", "", b"");
        if health.code == 503 {
            let expected =
                json!({"status": "failed", "pipelines": {"p": "failed", "q": "running"}});
            assert_eq!(health.json(), expected);
            break;
        }
        assert!(Instant::now() < deadline, "{health:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(run.stop().0, Some(1));
}

#[test]
fn the_configuration_says_how_pipelines_run() {
    let home = Home::new();
    let text = "pipelines:\n  p:\n    - {name: input_dummy, tag: log, data: [{k: a}, {k: b}, {k: c}]}\n    - {name: filter_frequency, match: log, tag: al, alert: {}, query_key: k, num_events: 2, timeframe: 3600}\n    - {name: parser_json, match: log, key: k}\n    - {name: output_stdout, match: al}\n";
    home.write("p.yaml", text.replace("k: c", "k: [c]"));
    let config = "[pipeline]\nstate = \"store\"\ndead_letter = \"letters.jsonl\"\nthreads = 1\nkeys = 1000\ncheckpoint = \"200ms\"\n";
    home.write("stellar.toml", config);
    let run = || {
        let arguments = [
            "--config",
            "stellar.toml",
            "pipeline",
            "run",
            "--once",
            "p.yaml",
        ];
        home.run(&arguments, "").ended(0).lines().len()
    };
    assert_eq!((run(), run()), (0, 2));
    let letters = std::fs::read_to_string(home.path("letters.jsonl")).unwrap();
    assert_eq!(letters.lines().count(), 2, "{letters}");
    let doctor = home
        .run(
            &["--config", "stellar.toml", "doctor", "--format", "table"],
            "",
        )
        .ended(0);
    assert!(
        doctor.out().contains("state of the pipeline p of "),
        "{}",
        doctor.out()
    );
    assert!(
        doctor.out().contains("pipeline.checkpoint"),
        "{}",
        doctor.out()
    );
    home.write("stellar.toml", "[pipeline]\ncheckpoints = 1\n");
    let ran = home.run(&["--config", "stellar.toml", "doctor"], "");
    assert!(ran.ended(2).err.contains("pipeline.checkpoint"));
    home.write("stellar.toml", "");
    // Windows are bounded, and what goes is counted.
    let data: Vec<String> = (0..2000).map(|n| format!("{{k: {n}}}")).collect();
    home.write(
        "p.yaml",
        text.replace("{k: a}, {k: b}, {k: c}", &data.join(", ")),
    );
    let ran = home.run(
        &[
            "--set",
            "pipeline.keys=500",
            "pipeline",
            "run",
            "--once",
            "--stats",
            "p.yaml",
        ],
        "",
    );
    let err = ran.ended(0).err;
    let found = regex::Regex::new(r"keys (\d+), evicted (\d+)")
        .unwrap()
        .captures(&err)
        .unwrap();
    let numbers = [1, 2].map(|n| found[n].parse::<usize>().unwrap());
    assert!(
        numbers[0] <= 500 && numbers[0] + numbers[1] == 2000,
        "{err}"
    );
}

#[test]
fn counters_stand_on_the_terminal_and_leave_it_clean() {
    let home = Home::new();
    let text = "pipelines:\n  p:\n    - {name: input_http, port: 0, tag: log}\n    - {name: parser_json, match: log, key: x}\n    - {name: output_archive, match: log, time_key: t, path_template: 'out-%Y.json'}\n";
    home.write("p.yaml", text);
    let size = PtySize {
        rows: 24,
        cols: 100,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stellar"));
    command.args(["pipeline", "run", "p.yaml"]);
    command.cwd(home.path("."));
    command.env_clear();
    command.env("HOME", home.path("."));
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let screen = Arc::new(Mutex::new(vt100::Parser::new(24, 100, 0)));
    let (mut reader, shown) = (pair.master.try_clone_reader().unwrap(), screen.clone());
    let reading = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            shown.lock().unwrap().process(&bytes[..count]);
        }
    });
    let rows = || -> Vec<String> {
        let parser = screen.lock().unwrap();
        let rows = parser
            .screen()
            .rows(0, 100)
            .map(|row| row.trim_end().to_owned());
        rows.collect()
    };
    let wait = |what: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let rows = rows();
            if let Some(row) = rows.iter().find(|row| row.contains(what)) {
                return row.clone();
            }
            assert!(Instant::now() < deadline, "{what} does not come: {rows:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let note = wait("listens at");
    let port: u16 = note
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    wait("per second");
    let events = json!([{"t": 1, "x": "{\"a\": 1}"}, {"t": 2, "x": "no"}, {"t": 3, "x": 5}]);
    assert_eq!(post(port, "/", "", events.to_string()).code, 200);
    let row = wait("parser_json      3");
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(
        words[..7],
        ["parser_json", "3", "3", "1", "1", "1", "0"],
        "{row}"
    );
    // The note of the event that failed stands above the table, which is there once.
    let before = rows();
    let at = |text: &str| before.iter().position(|row| row.contains(text));
    assert!(
        at("cannot take an event").unwrap() < at("per second").unwrap(),
        "{before:#?}"
    );
    assert_eq!(
        before
            .iter()
            .filter(|row| row.contains("per second"))
            .count(),
        1,
        "{before:#?}"
    );
    let mut keys = pair.master.take_writer().unwrap();
    keys.write_all(b"\x03").unwrap();
    assert!(child.wait().unwrap().success());
    drop((keys, pair.master));
    let _ = reading.join();
    let after = rows();
    let left: Vec<&String> = after.iter().filter(|row| !row.is_empty()).collect();
    assert!(
        left.iter().all(|row| row.starts_with("note: ")),
        "{after:#?}"
    );
    assert_eq!(left.len(), 2, "{after:#?}");
    assert!(!screen.lock().unwrap().screen().hide_cursor());
}
