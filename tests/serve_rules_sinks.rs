//! Sinks of the rules of a server, each with a queue of its own: one that refuses, one that hangs and one that is away
//! hold back neither the rules nor the others, and get their alerts when they are well again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use support::serving::{Server, lines, put, wait_until};
use support::{Home, http};

const EACH: &str = "function on_logline(e) alert({template = e:gets('n'), logs = {e}, meta = {n = e:get('n')}}) end";

const FILE: &str = "[rule.sinks.file]\naction = \"output_file\"\npath = \"alerts\"\n";

fn event(n: u64) -> String {
    format!(
        "{}\n",
        json!({"n": n, "@timestamp": "2026-01-01T10:00:00.5Z"})
    )
}

/// A home whose rule alerts at each event, with sinks besides the file.
fn home(sinks: &str) -> Home {
    let home = Home::new();
    home.write("stellar.toml", format!("{FILE}{sinks}"));
    put(&home, "1", "each", EACH, json!({}));
    home
}

fn texts(home: &Home) -> Vec<String> {
    let alerts = lines(home, "alerts");
    let text = |alert: &Json| alert["text"].as_str().unwrap().to_owned();
    alerts.iter().map(text).collect()
}

/// A gauge or counter of a sink.
fn gauge(server: &Server, name: &str, sink: &str) -> f64 {
    let page = server.send("GET", "/metrics", &[], "").body;
    let start = format!("stellar_rule_sink_{name}{{sink=\"{sink}\"}} ");
    let value = page.lines().find_map(|line| line.strip_prefix(&start));
    value
        .unwrap_or_else(|| panic!("no {start} in {page}"))
        .parse()
        .unwrap()
}

/// Alerts that a server was posted, by identifier.
fn posted(server: &http::Server) -> Vec<Json> {
    let bodies = server.seen().into_iter().map(|seen| seen.body);
    let lines: Vec<String> = bodies
        .flat_map(|body| body.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const WELL: u8 = 0;
const BUSY: u8 = 1;
const SILENT: u8 = 2;
const REFUSES: u8 = 3;

/// A server that answers as it is told.
fn answering(how: &Arc<AtomicU8>) -> http::Server {
    let how = how.clone();
    http::Server::start(move |_, stream| match how.load(Ordering::SeqCst) {
        WELL => stream
            .write_all(&http::answer("204 No Content", ""))
            .is_ok(),
        BUSY => stream
            .write_all(&http::answer("503 Service Unavailable", ""))
            .is_ok(),
        REFUSES => stream
            .write_all(&http::answer("400 Bad Request", "no"))
            .is_ok(),
        _ => {
            // Until the other side has had enough.
            while how.load(Ordering::SeqCst) == SILENT {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            false
        }
    })
}

#[test]
fn a_sink_that_ends_again_and_again_harms_only_itself() {
    let how = Arc::new(AtomicU8::new(BUSY));
    let soc = answering(&how);
    let home = home(&format!(
        "[rule.sinks.soc]\naction = \"output_http\"\nurl = \"{}\"\ngive_up = \"100ms\"\n",
        soc.url("/in")
    ));
    let server = Server::start(home, &[]);
    for n in 0..20 {
        let answer = server.post(&event(n));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(texts(&server.home).len() as u64, n + 1);
    }
    assert_eq!(gauge(&server, "behind", "soc"), 1.0);
    assert_eq!(gauge(&server, "waiting", "soc"), 20.0);
    assert_eq!(gauge(&server, "behind", "file"), 0.0);
    assert_eq!(gauge(&server, "taken_total", "file"), 20.0);
    wait_until(|| server.metric("stellar_rule_alerts_total", "each") == Some(20.0));
    // Well again, it gets all of them, in their order.
    let before = soc.seen().len();
    how.store(WELL, Ordering::SeqCst);
    wait_until(|| gauge(&server, "waiting", "soc") == 0.0);
    assert_eq!(gauge(&server, "behind", "soc"), 0.0);
    let given: Vec<Json> = posted(&soc);
    let last: Vec<&Json> = given
        .iter()
        .rev()
        .take(20)
        .rev()
        .map(|one| &one["text"])
        .collect();
    let wanted: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(last, wanted.iter().collect::<Vec<_>>());
    assert!(soc.seen().len() > before);
    // And is waited for.
    assert_eq!(server.post(&event(99)).status, 200);
    assert_eq!(posted(&soc).last().unwrap()["text"], "99");
}

#[test]
fn what_waits_outlives_a_crash_and_comes_with_the_same_identifiers() {
    let how = Arc::new(AtomicU8::new(BUSY));
    let soc = answering(&how);
    let mut home = home(&format!(
        "[rule.sinks.soc]\naction = \"output_http\"\nurl = \"{}\"\ngive_up = \"100ms\"\n",
        soc.url("/in")
    ));
    for round in 0..3 {
        let server = Server::start(home, &[]);
        for n in 0..5 {
            assert_eq!(server.post(&event(round * 5 + n)).status, 200);
        }
        home = match round {
            1 => server.end(),
            _ => server.kill(),
        };
    }
    how.store(WELL, Ordering::SeqCst);
    let first = soc.seen().len();
    let server = Server::start(home, &[]);
    wait_until(|| gauge(&server, "taken_total", "soc") == 15.0);
    let bodies: Vec<String> = soc
        .seen()
        .into_iter()
        .skip(first)
        .map(|seen| seen.body)
        .collect();
    let given: Vec<Json> = bodies
        .iter()
        .flat_map(|body| body.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let numbers: Vec<u64> = given
        .iter()
        .map(|one| one["meta"]["n"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (0..15).collect::<Vec<_>>());
    // The file got the very same alerts.
    assert_eq!(given, lines(&server.home, "alerts"));
    let ids: BTreeSet<&str> = given
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 15);
    // They wait no more.
    let server = Server::start(server.kill(), &[]);
    assert_eq!(gauge(&server, "waiting", "soc"), 0.0);
}

#[test]
fn a_sink_that_is_silent_is_left_behind() {
    let how = Arc::new(AtomicU8::new(SILENT));
    let soc = answering(&how);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = free.local_addr().unwrap().port();
    drop(free);
    let home = home(&format!(
        "[rule.sinks.soc]\naction = \"output_http\"\nurl = \"{}\"\n[rule.sinks.away]\naction = \"output_forward\"\nhost = \"127.0.0.1\"\nport = {nobody}\n",
        soc.url("/in")
    ));
    let server = Server::start(home, &[]);
    for n in 0..10 {
        assert_eq!(server.post(&event(n)).status, 200);
    }
    assert_eq!(texts(&server.home).len(), 10);
    for sink in ["soc", "away"] {
        assert_eq!(gauge(&server, "behind", sink), 1.0, "{sink}");
        assert_eq!(gauge(&server, "waiting", sink), 10.0, "{sink}");
    }
    how.store(WELL, Ordering::SeqCst);
    wait_until(|| gauge(&server, "waiting", "soc") == 0.0);
    assert_eq!(gauge(&server, "waiting", "away"), 10.0);
    // A pipeline with a real server of the protocol takes them.
    server.home.write(
        "p.yaml",
        format!("pipelines:\n  p:\n    - {{name: input_forward, port: {nobody}}}\n    - {{name: output_stdout, match: '*'}}\n"),
    );
    let taking = server.home.talk(&["pipeline", "run", "p.yaml"]);
    wait_until(|| gauge(&server, "waiting", "away") == 0.0);
    let heard: String = (0..10).map(|_| taking.hear()).collect();
    for n in 0..10 {
        assert!(
            heard.contains(&format!("\"text\": \"{n}\""))
                || heard.contains(&format!("'text': '{n}'")),
            "{heard}"
        );
    }
    // A server ends although sinks do not answer.
    how.store(SILENT, Ordering::SeqCst);
    assert_eq!(server.post(&event(10)).status, 200);
    let home = server.end();
    assert_eq!(texts(&home).len(), 11);
}

#[test]
fn what_a_sink_refuses_is_a_dead_letter_and_nothing_waits() {
    let how = Arc::new(AtomicU8::new(REFUSES));
    let soc = answering(&how);
    let home = home(&format!(
        "[rule.sinks.soc]\naction = \"output_http\"\nurl = \"{}\"\n[pipeline]\ndead_letter = \"dead\"\n",
        soc.url("/in")
    ));
    let server = Server::start(home, &[]);
    assert_eq!(server.post(&[event(1), event(2)].concat()).status, 200);
    assert_eq!(texts(&server.home), ["1", "2"]);
    assert_eq!(gauge(&server, "waiting", "soc"), 0.0);
    let dead = lines(&server.home, "dead");
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert_eq!(dead[0]["pipeline"], "serve/soc");
    assert_eq!(dead[0]["record"]["text"], "1");
}

/// Families are told once, and each sink has the counters of its pipeline.
#[test]
fn the_metrics_of_all_sinks_are_one_page() {
    let home = home("[rule.sinks.more]\naction = \"output_file\"\npath = \"more\"\n");
    let server = Server::start(home, &[]);
    assert_eq!(server.post(&event(1)).status, 200);
    let page = server.send("GET", "/metrics", &[], "").body;
    let mut types: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("# TYPE "))
        .collect();
    let count = types.len();
    types.sort();
    types.dedup();
    assert_eq!(types.len(), count);
    for pipeline in ["serve", "serve/file", "serve/more"] {
        let up = format!("stellar_pipeline_up{{pipeline=\"{pipeline}\"}} 1");
        assert!(page.contains(&up), "{page}");
    }
}
