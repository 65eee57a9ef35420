//! RethinkDB against a small server in memory, which a real driver may drive too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::process::Command;
use std::sync::atomic::Ordering;
use support::Home;
use support::rethink::{PASSWORD, Rethink};

fn output(port: u16, more: &str) -> String {
    format!(
        "pipelines:\n  p:\n    - {{name: input_dummy, tag: log, data: [{{timestamp: 1607618046, n: 1, id: a}}, {{timestamp: 1607704446.5, n: 2}}, {{timestamp: 1607618047, n: 3, id: a}}, {{n: 4}}, {{timestamp: 1607618048, n: [5, {{x: null}}]}}]}}\n    - {{name: output_rethinkdb, match: log, time_key: timestamp, table_template: 'log.%Y%m%d', ip: 127.0.0.1, port: {port}, password: {PASSWORD}{more}}}\n"
    )
}

fn input(port: u16, more: &str) -> String {
    format!(
        "pipelines:\n  p:\n    - {{name: input_rethinkdb, tag: log, table_name_match: 'log_*', ip: 127.0.0.1, port: {port}, password: {PASSWORD}, timestamp_index: timestamp, window: 1, reload_position: true{more}}}\n    - {{name: output_stdout, match: '*'}}\n"
    )
}

#[test]
fn documents_are_inserted_and_read_again() {
    let server = Rethink::start();
    let home = Home::new();
    home.write("out.yaml", output(server.port, ""));
    let run = |file: &str| home.run(&["pipeline", "run", "--once", file], "").ended(0);
    let ran = run("out.yaml");
    assert!(
        ran.err.contains("there is no field timestamp"),
        "{}",
        ran.err
    );
    let first = server.table("log_20201210").unwrap();
    assert_eq!(first.indexes, ["timestamp"]);
    // The later document with the same key took the place of the first.
    let numbers: Vec<_> = first.documents.values().map(|d| d["n"].clone()).collect();
    assert!(numbers.contains(&json!(3)) && numbers.contains(&json!([5, {"x": null}])));
    assert_eq!(first.documents.len(), 2);
    let second = server.table("log_20201211").unwrap();
    let document = second.documents.values().next().unwrap();
    assert_eq!(document["id"].as_str().unwrap().len(), 36);
    // All of it comes out in order, without keys.
    home.write("in.yaml", input(server.port, ", db_path: pos.json"));
    let ran = run("in.yaml");
    let lines: Vec<&str> = ran.lines();
    let records: Vec<&str> = lines
        .iter()
        .map(|l| l.split_once(": ").unwrap().1)
        .collect();
    assert_eq!(
        records,
        [
            "{'timestamp': 1607618047, 'n': 3}",
            "{'timestamp': 1607618048, 'n': [5, {'x': None}]}",
            "{'timestamp': 1607704446.5, 'n': 2}",
        ]
    );
    // The place survives.
    assert_eq!(run("in.yaml").out(), "");
    // With remove all of it goes, tables too.
    home.write("gone.yaml", input(server.port, ", remove: true"));
    assert_eq!(run("gone.yaml").lines().len(), 3);
    assert!(server.table("log_20201210").is_none());
    assert!(server.table("log_20201211").is_none());
}

#[test]
fn a_lost_connection_is_made_again_and_doubles_nothing() {
    let server = Rethink::start();
    let home = Home::new();
    let data = "repeat: 40, data: [{timestamp: 1607618046}, {timestamp: 1607618046}]";
    home.write(
        "out.yaml",
        format!(
            "pipelines:\n  p:\n    - {{name: input_dummy, tag: log, {data}}}\n    - {{name: output_rethinkdb, match: log, timestamp_index: timestamp, database_name: test, table_template: log_x, ip: 127.0.0.1, port: {}, password: {PASSWORD}, buffer_size: 7}}\n",
            server.port
        ),
    );
    server.cut.store(12, Ordering::SeqCst);
    let ran = home
        .run(&["pipeline", "run", "--once", "out.yaml"], "")
        .ended(0);
    assert!(
        server.connections.load(Ordering::SeqCst) >= 2,
        "{}",
        ran.err
    );
    assert_eq!(server.table("log_x").unwrap().documents.len(), 80);
    // Reading goes over many parts, and behind a cut where it was.
    server
        .databases
        .lock()
        .unwrap()
        .get_mut("test")
        .unwrap()
        .get_mut("log_x")
        .unwrap()
        .indexes = vec!["timestamp".to_owned()];
    home.write("in.yaml", input(server.port, ""));
    server.cut.store(9, Ordering::SeqCst);
    let ran = home
        .run(&["pipeline", "run", "--once", "in.yaml"], "")
        .ended(0);
    assert_eq!(ran.lines().len(), 80);
}

#[test]
fn faults_of_the_server_are_told_without_the_password() {
    let server = Rethink::start();
    let home = Home::new();
    home.write(
        "out.yaml",
        output(server.port, "").replace(PASSWORD, "wr0ng-one"),
    );
    let ran = home
        .run(&["pipeline", "run", "--once", "out.yaml"], "")
        .ended(1);
    assert!(ran.err.contains("Wrong password"), "{}", ran.err);
    assert!(!ran.err.contains("wr0ng-one"), "{}", ran.err);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    home.write("out.yaml", output(port, ", wait_connection: 1"));
    let ran = home
        .run(&["pipeline", "run", "--once", "out.yaml"], "")
        .ended(1);
    assert!(
        ran.err
            .contains(&format!("RethinkDB at 127.0.0.1:{port}: ")),
        "{}",
        ran.err
    );
}

/// The server of these tests is honest: the driver of its makers works with it.
#[test]
fn the_real_driver_drives_the_server() {
    let home = Home::new();
    let python = home.path("venv/bin/python");
    let has = |command: &mut Command| command.output().is_ok_and(|o| o.status.success());
    let python = match std::env::var_os("RETHINKDB_PYTHON") {
        Some(python) => python.into(),
        None if has(Command::new("python3")
            .args(["-m", "venv"])
            .arg(home.path("venv")))
            && has(Command::new(&python).args([
                "-m",
                "pip",
                "-q",
                "install",
                "rethinkdb==2.4.10.post1",
                "setuptools",
            ])) =>
        {
            python
        }
        None => {
            eprintln!(
                "skipped: the_real_driver_drives_the_server needs python3 and rethinkdb 2.4.10 from PyPI"
            );
            return;
        }
    };
    let server = Rethink::start();
    let script = r#"
import sys
from rethinkdb import RethinkDB
r = RethinkDB()
c = r.connect(host="127.0.0.1", port=int(sys.argv[1]), user="admin", password=sys.argv[2])
assert "test" in r.db_list().run(c)
r.table_create("log_d").run(c)
t = r.table("log_d")
t.index_create("timestamp").run(c)
t.index_wait("timestamp").run(c)
done = t.insert([{"timestamp": 1600000000 + n, "n": n, "l": [n]} for n in range(10)]).run(c)
assert done["inserted"] == 10, done
got = [d["n"] for d in t.between(1600000002, 1600000009, index="timestamp").order_by(index="timestamp").run(c)]
assert got == list(range(2, 9)), got
assert t.count().run(c) == 10
try:
    r.table("none").count().run(c)
    assert False
except r.errors.ReqlRuntimeError as e:
    assert "does not exist" in str(e)
try:
    r.connect(host="127.0.0.1", port=int(sys.argv[1]), user="admin", password="x")
    assert False
except r.errors.ReqlAuthError:
    pass
print("driven")
"#;
    let ran = Command::new(python)
        .args(["-c", script, &server.port.to_string(), PASSWORD])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "driven\n", "{err}");
    // What the driver wrote is read.
    home.write("in.yaml", input(server.port, ""));
    let ran = home
        .run(&["pipeline", "run", "--once", "in.yaml"], "")
        .ended(0);
    assert_eq!(ran.lines().len(), 10);
    assert!(
        ran.lines()[3].ends_with("{'timestamp': 1600000003, 'n': 3, 'l': [3]}"),
        "{}",
        ran.out()
    );
}
