//! Several processes on one embedded file. The children are this very binary, started again for one test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use stellar::store::{Deadline, Room, Store};

static GO: AtomicBool = AtomicBool::new(false);
static ROOM: Room = Room {
    name: "row",
    migrations: &[
        "CREATE TABLE row_item (writer TEXT, number INTEGER, PRIMARY KEY (writer, number))",
        "CREATE TABLE row_once (only INTEGER PRIMARY KEY); INSERT INTO row_once VALUES (1)",
        "ALTER TABLE row_item ADD COLUMN more TEXT",
    ],
    expire: None,
};

fn start(task: &str, path: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("STELLAR_TEST_TASK", task)
        .env("STELLAR_TEST_PATH", path)
        .env("STELLAR_TEST_NAME", name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn store(path: &Path) -> Store {
    Store::new(path, &[&ROOM])
}

fn add(store: &Store, name: &str, number: i64) {
    let name = name.to_string();
    store
        .write(&ROOM, Deadline::NONE, &GO, move |conn| {
            Ok(conn.execute(
                "INSERT INTO row_item (writer, number) VALUES (?1, ?2)",
                (&name, number),
            )?)
        })
        .unwrap();
}

fn rows(store: &Store, name: &str) -> Vec<i64> {
    let sql = "SELECT number FROM row_item WHERE writer = ?1 ORDER BY 1";
    store
        .read(&ROOM, |conn| {
            let mut statement = conn.prepare(sql)?;
            let rows = statement
                .query_map([name], |row| row.get(0))?
                .collect::<Result<_, _>>();
            Ok(rows?)
        })
        .unwrap()
}

/// Not a test: what the children do.
#[test]
#[ignore = "runs only as a child of the other tests"]
fn child() {
    let Ok(task) = std::env::var("STELLAR_TEST_TASK") else {
        return;
    };
    let name = std::env::var("STELLAR_TEST_NAME").unwrap();
    let path = PathBuf::from(std::env::var("STELLAR_TEST_PATH").unwrap());
    let store = store(&path);
    match task.as_str() {
        "hundred" => (0..100).for_each(|n| add(&store, &name, n)),
        // Several threads, so that a kill hits shared transactions.
        "endless" => std::thread::scope(|scope| {
            for thread in 0..4 {
                let (store, name) = (store.clone(), format!("{name}-{thread}"));
                scope.spawn(move || {
                    for n in 0.. {
                        add(&store, &name, n);
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "ack {thread} {n}").unwrap();
                        out.flush().unwrap();
                    }
                });
            }
        }),
        other => panic!("no such task: {other}"),
    }
}

#[test]
fn processes_create_migrate_and_write_together() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/s.db");
        let children: Vec<Child> = ["a", "b", "c"]
            .iter()
            .map(|name| start("hundred", &path, name))
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
        let store = store(&path);
        for name in ["a", "b", "c"] {
            assert_eq!(rows(&store, name), (0..100).collect::<Vec<_>>());
        }
        let report = store.check().unwrap();
        assert_eq!(report.problems, [] as [String; 0]);
        assert_eq!(report.tables[2], ("row_once".to_string(), 1));
    }
}

#[test]
fn acknowledged_writes_survive_kill() {
    let rounds: u32 = std::env::var("STELLAR_KILL_ROUNDS").map_or(10, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let mut total = 0;
    for round in 0..rounds {
        let name = format!("round{round}");
        let mut child = start("endless", &path, &name);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            let mut last = [-1i64; 4];
            for line in lines.map_while(Result::ok) {
                // The first line may follow what the test harness says.
                let Some((_, ack)) = line.split_once("ack ") else {
                    continue;
                };
                let Some((thread, number)) = ack.split_once(' ') else {
                    continue;
                };
                last[thread.parse::<usize>().unwrap()] = number.parse().unwrap();
            }
            last
        });
        // The moment of death varies: opening, migrating, writing.
        std::thread::sleep(Duration::from_millis(20 + u64::from(round) * 37 % 200));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = reader.join().unwrap();
        let store = store(&path);
        for (thread, last) in last.iter().enumerate() {
            let found = rows(&store, &format!("{name}-{thread}"));
            assert_eq!(found, (0..found.len() as i64).collect::<Vec<_>>());
            // One more may have been stored than acknowledged, never one less.
            assert!(
                (last + 1..=last + 2).contains(&(found.len() as i64)),
                "{last} {}",
                found.len()
            );
            total += found.len();
        }
        assert_eq!(store.check().unwrap().problems, [] as [String; 0]);
    }
    println!("{total} rows in {rounds} rounds");
    assert!(total > 0);
}
