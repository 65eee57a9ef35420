//! What a server does not take waits in the embedded file: without any server, with one that hangs, and with one that is
//! something else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stellar::config::Secretive;
use stellar::diagnostic::Code;
use stellar::eval::Value;
use stellar::profile::PROFILE;
use stellar::profile::store::{Filter, Place, ProfileStore, Spool, Spooled, Within};
use stellar::store::{Deadline, Store};
use support::Home;
use support::hbase::{Gate, Peer, killed_in_the_middle};
use support::profiles::{NOW, QUARTER, at, measurement, query};
use tempfile::TempDir;

/// Nothing listens there.
const NOBODY: &str = "hbase://127.0.0.1:1";

fn file(folder: &TempDir) -> Store {
    Store::new(&folder.path().join("s.db"), &[&PROFILE])
}

fn spooled(folder: &TempDir, address: &str) -> Spooled {
    Spooled::new(&Secretive::new(address), &file(folder), QUARTER)
}

#[test]
fn what_cannot_be_written_waits_in_order() {
    let folder = TempDir::new().unwrap();
    let store = spooled(&folder, NOBODY);
    let cancel = Arc::default();
    let place = Place::default();
    for number in 0..5 {
        let rows = [
            measurement("p", "e", number, Value::Int(1)),
            measurement("p", "e", 0, Value::Int(7)),
        ];
        store
            .write(&place, &rows, at(NOW + number, &cancel))
            .unwrap();
    }
    let told = store.notices().join("");
    assert!(told.contains("10 measurements wait in the spool"), "{told}");
    assert!(told.contains("127.0.0.1:1: "), "{told}");
    assert!(store.notices().is_empty());
    let spool = store.spool().unwrap();
    assert_eq!((spool.count, spool.oldest), (10, Some(NOW)));
    let (why, _) = spool.fault.unwrap();
    assert!(why.contains("does not answer"), "{why}");
    // Another handle sees the same, and nothing gets lost in trying.
    let drained = spooled(&folder, NOBODY).drain(at(NOW, &cancel)).unwrap();
    assert_eq!(
        (drained.written, drained.fault.unwrap().code),
        (0, Code::ServerFailed)
    );
    assert_eq!(Spool::of(&file(&folder)).unwrap().count, 10);
    // What is not there is not read, and the fault says that something waits.
    let fault = store
        .read(&query("p", "e", [0]), at(NOW, &cancel))
        .unwrap_err();
    assert_eq!(fault.code, Code::ServerFailed);
    assert!(
        fault
            .notes
            .iter()
            .any(|note| note.contains("wait in the spool")),
        "{fault:?}"
    );
    // Removing would not remove what waits.
    let filter = Filter {
        profile: Some("p".into()),
        entity: Some("e".into()),
        ..Filter::default()
    };
    let fault = store.delete(&filter, at(NOW, &cancel)).unwrap_err();
    assert!(
        fault
            .notes
            .iter()
            .any(|note| note.contains("nothing was removed")),
        "{fault:?}"
    );
    assert_eq!(store.spool().unwrap().count, 10);
}

#[test]
fn a_run_of_writes_does_not_wait_for_each() {
    let folder = TempDir::new().unwrap();
    let store = spooled(&folder, NOBODY);
    let cancel = Arc::default();
    let started = Instant::now();
    for number in 0..200 {
        let rows = [measurement("p", "e", number, Value::Int(1))];
        store
            .write(&Place::default(), &rows, at(NOW, &cancel))
            .unwrap();
    }
    // Three seconds for the first one, and for some of the others.
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(store.spool().unwrap().count, 200);
}

#[test]
fn values_that_cannot_be_stored_do_not_wait() {
    let folder = TempDir::new().unwrap();
    let store = spooled(&folder, NOBODY);
    let lambda = stellar::engine::Engine::bare().evaluate("x -> x").unwrap();
    let rows = [
        measurement("p", "e", 1, Value::Int(1)),
        measurement("p", "e", 2, lambda),
    ];
    let fault = store
        .write(&Place::default(), &rows, at(NOW, &Arc::default()))
        .unwrap_err();
    assert_eq!(fault.code, Code::ArgumentType);
    assert_eq!(store.spool().unwrap(), Spool::default());
    // Neither does anything when the address is none.
    let store = spooled(&folder, "hbase://a/b");
    let rows = [measurement("p", "e", 1, Value::Int(1))];
    let fault = store
        .write(&Place::default(), &rows, at(NOW, &Arc::default()))
        .unwrap_err();
    assert_eq!(fault.code, Code::Configuration);
    assert_eq!(store.spool().unwrap(), Spool::default());
}

/// A server that accepts connections, says something, and keeps them open.
fn listener(says: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(says);
            open.push(stream);
        }
    });
    port
}

#[test]
fn a_server_that_hangs_is_left_when_it_is_time() {
    let folder = TempDir::new().unwrap();
    let store = spooled(&folder, &format!("hbase://127.0.0.1:{}", listener(b"")));
    let cancel = Arc::new(AtomicBool::new(false));
    let soon = |time| Within {
        deadline: Deadline::after(Duration::from_millis(time)),
        ..at(NOW, &cancel)
    };
    let started = Instant::now();
    let fault = store.read(&query("p", "e", [1]), soon(300)).unwrap_err();
    assert_eq!(fault.code, Code::Timeout);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            cancel.store(true, Ordering::SeqCst);
        });
        let fault = store
            .read(&query("p", "e", [1]), at(NOW, &cancel))
            .unwrap_err();
        assert_eq!(fault.code, Code::Interrupted);
    });
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    cancel.store(false, Ordering::SeqCst);
    // A write that has begun keeps what it was given, and says that it was stopped.
    let rows = [measurement("p", "e", 1, Value::Int(1))];
    let fault = store
        .write(&Place::default(), &rows, soon(300))
        .unwrap_err();
    assert_eq!(fault.code, Code::Timeout);
    assert!(
        fault
            .notes
            .iter()
            .any(|note| note.contains("1 measurement waits")),
        "{fault:?}"
    );
    assert_eq!(store.spool().unwrap().count, 1);
}

#[test]
fn what_is_no_thrift_server_is_told() {
    let answers: [&[u8]; 5] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        // Lengths that cannot be: of the name of the call, of a list, of a text, of a frame.
        b"\x80\x01\x00\x02\xff\xff\xff\xff",
        b"\x80\x01\x00\x02\x00\x00\x00\x12getRowsWithColumns\x00\x00\x00\x01\x0f\x00\x00\x0c\x7f\xff\xff\xff",
        b"\x80\x01\x00\x02\x00\x00\x00\x12getRowsWithColumns\x00\x00\x00\x01\x0f\x00\x00\x0c\xff\xff\xff\xff",
        b"\x80\x01\x00\x02\x7f\xff\xff\xff",
    ];
    for says in answers {
        for framed in ["false", "true"] {
            let folder = TempDir::new().unwrap();
            let port = listener(says);
            let address = format!("hbase://127.0.0.1:{port}?framed={framed}&timeout=1");
            let store = spooled(&folder, &address);
            let fault = store
                .read(&query("p", "e", [1]), at(NOW, &Arc::default()))
                .unwrap_err();
            assert_eq!(fault.code, Code::ServerFailed, "{fault:?}");
        }
    }
}

/// Writes one measurement after the other and says which ones it was told are kept.
#[test]
#[ignore = "started by another test"]
fn child() {
    let file = Store::new(
        std::path::Path::new(&std::env::var("STELLAR_TEST_PATH").unwrap()),
        &[&PROFILE],
    );
    let store = Spooled::new(&Secretive::new(NOBODY), &file, QUARTER);
    let cancel = Arc::default();
    for number in 0.. {
        let rows = [measurement("p", "e", number, Value::Long(number))];
        store
            .write(&Place::default(), &rows, at(NOW, &cancel))
            .unwrap();
        println!("kept {number}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn a_killed_process_loses_nothing_that_it_kept() {
    let rounds = std::env::var("STELLAR_KILL_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3);
    for round in 0..rounds {
        let folder = TempDir::new().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env("STELLAR_TEST_PATH", folder.path().join("s.db"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let mut kept = 0;
        while kept < 10 + round {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0);
            kept += u64::from(line.contains("kept"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let kept = kept + rest.lines().filter(|line| line.contains("kept")).count() as u64;
        let found = Spool::of(&file(&folder)).unwrap().count;
        // The last one may have been kept and not yet been told.
        assert!(found == kept || found == kept + 1, "{found} of {kept}");
        assert!(file(&folder).check().unwrap().problems.is_empty());
    }
}

const COUNTING: &str = r#"{ "timestampField": "ts", "profiles": [
    { "profile": "p", "foreach": "who", "init": { "n": "0" }, "update": { "n": "n + 1" }, "result": "n" } ] }"#;

fn event(minute: i64, who: &str) -> String {
    let time = 1_502_665_200_000 + minute * 60_000;
    format!("{{\"ts\": {time}, \"who\": \"{who}\"}}\n")
}

#[test]
fn a_follower_says_when_a_server_goes_and_when_it_is_back() {
    let home = Home::new();
    home.write("p.json", COUNTING);
    let peer = Peer::new();
    let gate = Gate::to(&peer.address);
    let server = format!("store.profile=hbase://127.0.0.1:{}", gate.port);
    let apply = [
        "--set", &server, "profile", "apply", "-c", "p.json", "--follow", "--lag", "0s", "-",
    ];
    let said = home.path("said");
    let mut child = home
        .command(&apply)
        .stderr(std::fs::File::create(&said).unwrap())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let (mut minute, started) = (0, Instant::now());
    // Each event ends the period of the one before.
    let mut until = |gone: bool, text: &str| {
        gate.set(!gone);
        while !std::fs::read_to_string(&said).unwrap().contains(text) {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "it does not say {text}"
            );
            input.write_all(event(minute, "a").as_bytes()).unwrap();
            minute += 15;
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until(true, "wait");
    until(
        false,
        "note: measurements are stored again, and nothing waits\n",
    );
    drop(input);
    assert!(child.wait().unwrap().success());
    // All of them are there, those that waited, too; and what was said was said once.
    assert_eq!(peer.rows("profiler").len() as i64, minute / 15);
    let said = std::fs::read_to_string(&said).unwrap();
    assert_eq!(said.matches("in the spool").count(), 1, "{said}");
    assert_eq!(said.matches("stored again").count(), 1, "{said}");
}

#[test]
fn apply_says_what_waits() {
    let home = Home::new();
    home.write("p.json", COUNTING);
    let events = event(0, "a") + &event(1, "b") + &event(16, "a");
    home.write("e.jsonl", &events);
    let apply = [
        "--set",
        "store.profile=hbase://127.0.0.1:1",
        "profile",
        "apply",
        "-c",
        "p.json",
    ];
    let ran = home.run(&[&apply[..], &["e.jsonl"]].concat(), "").ended(0);
    let told = "note: 3 measurements wait in the spool of the embedded file (HBase's Thrift server does not answer";
    assert_eq!(ran.err.matches(told).count(), 1, "{}", ran.err);
    // A follower says so at once, and how much it was at its end.
    let follow = [&apply[..], &["--follow", "--lag", "0s", "-"]].concat();
    let ran = home.run(&follow, events + &event(60, "a")).ended(0);
    assert_eq!(
        ran.err
            .matches("in the spool of the embedded file (")
            .count(),
        1,
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("note: 7 measurements wait in the spool; "),
        "{}",
        ran.err
    );
}

#[test]
fn apply_that_was_killed_and_run_again_is_as_run_once_whether_the_server_is_there_or_not() {
    let rounds = std::env::var("STELLAR_KILL_ROUNDS").map_or(10, |n| n.parse().unwrap());
    let peer = Peer::new();
    let rows = |table: &str| peer.rows(table);
    killed_in_the_middle(&peer.address, "t", rounds, &|_| (), &rows);
}

#[test]
fn the_commands_tell_what_waits() {
    let home = Home::new();
    let server = "store.profile=hbase://127.0.0.1:1";
    let put = "PROFILE_PUT([{'profile': 'p', 'entity': 'e', 'period': {'period': 5, 'duration': 900000}, 'value': 3}])";
    home.run(&["--set", server, "eval", put], "").ended(0);
    let ran = home.run(&["--set", server], format!("{put}\n")).ended(0);
    assert!(
        ran.err.contains("1 measurement waits in the spool"),
        "{}",
        ran.err
    );
    let rows = home
        .run(&["profile", "spool", "--format", "jsonl"], "")
        .ended(0)
        .json();
    assert_eq!(rows[0]["measurements"], 2);
    assert!(
        rows[0]["error"].as_str().unwrap().contains("127.0.0.1:1"),
        "{rows:?}"
    );
    let ran = home
        .run(&["--set", server, "doctor", "--format", "table"], "")
        .ended(1);
    assert!(
        ran.out()
            .contains("profile store: HBase's Thrift server does not answer"),
        "{}",
        ran.out()
    );
    assert!(
        ran.out().contains("spool: 2 measurements, the oldest of "),
        "{}",
        ran.out()
    );
    let ran = home
        .run(&["--set", server, "profile", "spool", "flush"], "")
        .ended(1);
    assert!(
        ran.err.contains("2 measurements still waiting"),
        "{}",
        ran.err
    );
    // What waits is told also when no server is configured any more; there is none to write to.
    let ran = home.run(&["doctor", "--format", "table"], "").ended(0);
    assert!(ran.out().contains("spool: 2 measurements"), "{}", ran.out());
    for command in [
        &["profile", "spool", "flush"][..],
        &["profile", "create-table"],
    ] {
        let ran = home.run(command, "").ended(1);
        assert!(
            ran.err.contains("measurements are in the embedded file"),
            "{}",
            ran.err
        );
    }
}
