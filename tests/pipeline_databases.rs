//! SQLite in and out, and block lists over DNS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::Home;

const OUT: &str = "    - {name: output_sqlite, match: log, table_template: 'log-{s}_%Y', time_key: t, fields: {t: INTEGER, line: text, raw: BLOB}, filename: o.db}\n";

fn file(data: &str, output: &str) -> String {
    format!("pipelines:\n  p:\n    - {{name: input_dummy, tag: log, data: {data}}}\n{output}")
}

fn once(home: &Home, name: &str, more: &[&str]) -> support::Ran {
    let mut arguments = vec!["pipeline", "run", "--once", name];
    arguments.extend(more);
    home.run(&arguments, "").ended(0)
}

fn rows(conn: &Connection, table: &str) -> Vec<String> {
    let sql =
        format!("SELECT quote(t) || ' ' || quote(line) || ' ' || quote(raw) FROM \"{table}\"");
    let mut statement = conn.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn rows_are_written_as_feedoo_writes_them() {
    let home = Home::new();
    home.write(
        "p.yaml",
        file(
            "[{t: 1607618046, line: a, s: x, raw: !!binary aGk=}, {t: 1607618046.9, line: null, raw: '', s: 'we\"ird; drop --'}, {t: 3, s: x}, {t: 4, line: [1, x], raw: 5, s: ../x, z: 1}]",
            OUT,
        ),
    );
    // A table that lacks a column gets it.
    let conn = Connection::open(home.path("o.db")).unwrap();
    conn.execute_batch("CREATE TABLE \"log-x_2020\" (t INTEGER, line TEXT)")
        .unwrap();
    once(&home, "p.yaml", &[]);
    assert_eq!(rows(&conn, "log-x_2020"), ["1607618046 'a' X'6869'"]);
    assert_eq!(
        rows(&conn, "log-we\"\"ird; drop --_2020"),
        ["1607618046.9 'None' ''"]
    );
    assert_eq!(rows(&conn, "log-___x_1970"), ["4 '[1, ''x'']' '5'"]);
}

#[test]
fn a_locked_database_is_waited_for() {
    let home = Home::new();
    home.write("p.yaml", file("[{t: 1, line: a, raw: b, s: x}]", OUT));
    let mut conn = Connection::open(home.path("o.db")).unwrap();
    let lock = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)
        .unwrap();
    let waits = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let started = Instant::now();
            once(&home, "p.yaml", &[]);
            started.elapsed()
        });
        std::thread::sleep(Duration::from_millis(3500));
        lock.rollback().unwrap();
        run.join().unwrap()
    });
    assert!(waits >= Duration::from_secs(3), "{waits:?}");
    assert_eq!(rows(&conn, "log-x_1970"), ["1 'a' 'b'"]);
}

#[test]
fn rows_that_come_again_after_a_crash_are_there_once() {
    let home = Home::new();
    let run = |data: &str| {
        home.write("p.yaml", file(data, OUT));
        once(&home, "p.yaml", &["--state", "s.json"]);
        let conn = Connection::open(home.path("o.db")).unwrap();
        rows(&conn, "log-x_1970")
    };
    let row = |t: u8| format!("{{t: {t}, line: {t}, raw: r, s: x}}");
    assert_eq!(run(&format!("[{}]", row(1))), ["1 '1' 'r'"]);
    // What a crash leaves: rows behind the last saved state.
    let conn = Connection::open(home.path("o.db")).unwrap();
    conn.execute_batch("INSERT INTO \"log-x_1970\" VALUES (2, '2', 'r')")
        .unwrap();
    let again = run(&format!("[{0}, {0}, {1}]", row(2), row(3)));
    assert_eq!(again, ["1 '1' 'r'", "2 '2' 'r'", "2 '2' 'r'", "3 '3' 'r'"]);
}

#[test]
fn faults_of_parameters_have_places() {
    let home = Home::new();
    home.write("p.yaml", file("{t: 1}", &OUT.replace("INTEGER", "INTEGR")));
    let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
    assert!(ran.err.contains("did you mean INTEGER?"), "{}", ran.err);
    assert!(ran.err.contains("p.yaml:4:"), "{}", ran.err);
}

fn source(home: &Home, rows: u32) {
    let conn = Connection::open(home.path("src.db")).unwrap();
    conn.execute_batch(&format!(
        "CREATE TABLE \"log a\"\"b\" (\"the time\" REAL, line TEXT, blob BLOB); CREATE TABLE log_b (\"the time\" INTEGER PRIMARY KEY, line TEXT, blob BLOB) WITHOUT ROWID; WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) INSERT INTO \"log a\"\"b\" SELECT {rows} - n + 0.5, 'l' || ({rows} - n), x'00' FROM n; INSERT INTO log_b VALUES (9999999, NULL, 2.5)"
    ))
    .unwrap();
}

fn reader(more: &str) -> String {
    format!(
        "pipelines:\n  p:\n    - {{name: input_sqlite, tag: log, table_name_match: 'log*', filename: src.db, fields: {{line: TEXT, the time: FLOAT, blob: BLOB}}, time_key: the time, reload_position: true{more}}}\n    - {{name: output_archive, match: log, time_key: the time, path_template: out.json}}\n"
    )
}

#[test]
fn all_rows_come_in_order_and_go_when_they_are_taken() {
    let home = Home::new();
    source(&home, 2500);
    home.write(
        "p.yaml",
        reader(", remove: true").replace(", blob: BLOB", ""),
    );
    once(&home, "p.yaml", &["--state", "s.json"]);
    let text = std::fs::read_to_string(home.path("out.json")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2501);
    assert_eq!(lines[1700], "{\"line\": \"l1700\", \"the time\": 1700.5}");
    assert_eq!(lines[2500], "{\"line\": null, \"the time\": 9999999}");
    let conn = Connection::open(home.path("src.db")).unwrap();
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables: u32 = conn.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn a_kill_loses_no_row_and_doubles_none() {
    let home = Home::new();
    source(&home, 60_000);
    let file = reader("").replace(", blob: BLOB", "");
    let sqlite = "    - {name: output_sqlite, match: log, table_template: all, fields: {line: TEXT, the time: REAL}, filename: o.db}\n";
    let lines: Vec<&str> = file.lines().collect();
    home.write("p.yaml", format!("{}\n{sqlite}", lines[..3].join("\n")));
    let arguments = ["pipeline", "run", "--once", "p.yaml", "--state", "s.json"];
    for pause in [150, 400, 700, 1100] {
        let mut child = home.command(&arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        // It may have ended.
        let _ = child.kill();
        child.wait().unwrap();
    }
    home.run(&arguments, "").ended(0);
    let conn = Connection::open(home.path("o.db")).unwrap();
    let counted = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!(
        counted("SELECT count(DISTINCT \"the time\") FROM \"all\""),
        60_001
    );
    assert_eq!(counted("SELECT count(*) FROM \"all\""), 60_001);
}

#[test]
fn a_missing_column_is_a_fault() {
    let home = Home::new();
    source(&home, 5);
    home.write("p.yaml", reader("").replace("line: TEXT", "lin: TEXT"));
    let ran = home
        .run(&["pipeline", "run", "--once", "p.yaml"], "")
        .ended(1);
    assert!(ran.err.contains("has no column lin"), "{}", ran.err);
}

/// A name server with a list; names that begin with 66 are not answered, those with 77 fail.
struct Names {
    port: u16,
    asked: Arc<AtomicUsize>,
    names: Arc<Mutex<BTreeMap<String, usize>>>,
}

fn names(listed: &'static [&'static str]) -> Names {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let names = Names {
        port: socket.local_addr().unwrap().port(),
        asked: Arc::default(),
        names: Arc::default(),
    };
    let (asked, seen) = (names.asked.clone(), names.names.clone());
    std::thread::spawn(move || {
        let mut waiting: Vec<(Instant, Vec<u8>, std::net::SocketAddr)> = Vec::new();
        socket
            .set_read_timeout(Some(Duration::from_millis(2)))
            .unwrap();
        let mut buffer = [0; 512];
        loop {
            if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                asked.fetch_add(1, Ordering::SeqCst);
                let mut message = buffer[..length].to_vec();
                let mut name = String::new();
                let mut at = 12;
                while message[at] > 0 {
                    let end = at + 1 + message[at] as usize;
                    name += std::str::from_utf8(&message[at + 1..end]).unwrap();
                    name.push('.');
                    at = end;
                }
                *seen.lock().unwrap().entry(name.clone()).or_default() += 1;
                message[2] |= 0x80;
                if name.starts_with("66.") {
                    continue;
                } else if name.starts_with("77.") {
                    message[3] = 2;
                } else if listed.contains(&name.as_str()) {
                    message[7] = 1;
                    message.extend_from_slice(&[
                        0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 2,
                    ]);
                } else {
                    message[3] = 3;
                }
                // Each answer takes its time.
                waiting.push((Instant::now() + Duration::from_millis(50), message, from));
            }
            waiting.retain(|(at, message, from)| {
                let due = *at <= Instant::now();
                if due {
                    socket.send_to(message, from).unwrap();
                }
                !due
            });
        }
    });
    names
}

fn dnsbl(data: &str, port: u16) -> String {
    format!(
        "pipelines:\n  p:\n    - {{name: input_dummy, tag: t, data: {data}}}\n    - {{name: filter_dnsbl, match: t, tag: bl, key: ip, threshold_percent: 50, domains: [a.example, b.example], alert: {{title: x}}, servers: '127.0.0.1:{port}', lookup_timeout: 0.5, db_path: c.json}}\n    - {{name: output_stdout, match: '*'}}\n"
    )
}

fn records(ran: &support::Ran) -> Vec<String> {
    let stamp = regex::Regex::new("'timestamp': [0-9]+").unwrap();
    let lines = ran.lines();
    let records = lines.iter().map(|line| {
        let (tag, record) = (
            line.split('[').next().unwrap(),
            line.split_once(": ").unwrap().1,
        );
        format!("{tag} {}", stamp.replace(record, "'timestamp': T"))
    });
    records.collect()
}

#[test]
fn addresses_are_looked_up_on_all_lists() {
    let server = names(&[
        "4.3.2.1.a.example.",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.b.example.",
    ]);
    let home = Home::new();
    let data = "[{ip: 1.2.3.4}, {ip: 5.6.7.8}, {ip: '2001:db8::1'}, {ip: 9.9.9.77}, {ip: 9.9.9.66}, {ip: 5}, {ip: none}, {ip: 1.2.3.4, n: 2}]";
    home.write("p.yaml", dnsbl(data, server.port));
    let started = Instant::now();
    let ran = once(&home, "p.yaml", &[]);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    let alert = |ip: &str, list: &str| {
        format!(
            "bl {{'title': 'x', 'timestamp': T, 'key': 'ip', 'value': '{ip}', 'domains': '{list}'}}"
        )
    };
    assert_eq!(
        records(&ran),
        [
            "t {'ip': '1.2.3.4'}".to_owned(),
            alert("1.2.3.4", "a.example"),
            "t {'ip': '5.6.7.8'}".to_owned(),
            "t {'ip': '2001:db8::1'}".to_owned(),
            alert("2001:db8::1", "b.example"),
            "t {'ip': 'none'}".to_owned(),
            "t {'ip': '1.2.3.4', 'n': 2}".to_owned(),
            alert("1.2.3.4", "a.example"),
        ]
    );
    for part in [
        "9.9.9.77 cannot be looked up: b.example: the name server failed",
        "9.9.9.66 cannot be looked up: b.example: no answer within 0.5 s",
        "ip is an integer, not an address",
    ] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
    // Known addresses are not asked again, also by the next run; the unanswered one was tried thrice.
    assert_eq!(server.names.lock().unwrap()["4.3.2.1.a.example."], 1);
    assert!(server.names.lock().unwrap()["66.9.9.9.a.example."] >= 2);
    let before = server.asked.load(Ordering::SeqCst);
    home.write(
        "p.yaml",
        dnsbl("[{ip: 1.2.3.4}, {ip: 5.6.7.8}]", server.port),
    );
    assert_eq!(once(&home, "p.yaml", &[]).lines().len(), 3);
    assert_eq!(server.asked.load(Ordering::SeqCst), before);
}

#[test]
fn many_addresses_are_asked_at_once_and_events_keep_their_order() {
    let server = names(&[]);
    let home = Home::new();
    let data: Vec<String> = (0..300)
        .map(|n| format!("{{ip: 10.0.{}.{}}}", n / 200, n % 200 % 60))
        .collect();
    home.write(
        "p.yaml",
        dnsbl(&format!("[{}]", data.join(", ")), server.port),
    );
    let started = Instant::now();
    let ran = once(&home, "p.yaml", &[]);
    // One after the other they would take 12 seconds.
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let wanted: Vec<String> = data
        .iter()
        .map(|d| format!("t {}", d.replace("ip: ", "'ip': '").replace('}', "'}")))
        .collect();
    assert_eq!(records(&ran), wanted);
}
