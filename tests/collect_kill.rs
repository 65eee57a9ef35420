//! Killing a task at random points: a new start leads to the content that one run would have given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use stellar::collect::Collections;
use stellar::collect::key::{Base, Key};
use stellar::config::{Config, Options, Surroundings};
use stellar::engine::{Engine, Overrides};
use stellar::eval::Value;
use stellar::store::Within;
use support::{Dice, Home};

/// No wait takes longer; far above what any needs.
const PATIENCE: Duration = Duration::from_secs(120);

fn now() -> i64 {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(time.unwrap().as_millis()).unwrap()
}

/// A killed run, also when a check fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(home: &Home) -> Running {
    let mut command = home.command(&["collect", "run", "task.json"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

fn show(home: &Home) -> Json {
    let ran = home.run(&["collect", "show", "t"], "");
    serde_json::from_str(ran.out()).unwrap_or(Json::Null)
}

/// The collection as it is: for each key the date and the value.
struct Content {
    engine: Engine,
    base: Base,
}

impl Content {
    fn new(home: &Home, name: &str) -> Content {
        let options = Options {
            set: vec![format!("store.path={}", home.path("stellar.db").display())],
            ..Options::default()
        };
        let around = Surroundings::default();
        let config = Config::load(&options, &around).unwrap();
        let engine = Engine::new(config, &around, &Overrides::default()).unwrap();
        let base = Base::new("self", name);
        Content { engine, base }
    }

    fn of(&self, keys: &[String]) -> BTreeMap<String, (i64, String)> {
        let context = &self.engine.context;
        let collections = context.services.get::<Collections>().unwrap();
        let asked: Vec<Key> = keys
            .iter()
            .map(|key| Key::of(&self.base, &[Value::text(key)]).unwrap())
            .collect();
        let within = Within::context(context);
        let found = collections.store().get(&asked, within).unwrap();
        let mut content = BTreeMap::new();
        for (key, found) in keys.iter().zip(found) {
            if let Some(found) = found {
                let fields = found.fields.unwrap();
                content.insert(key.clone(), (found.date, fields[0].1.to_string()));
            }
        }
        content
    }
}

fn task(home: &Home, query: &str) {
    home.write(
        "stellar.toml",
        "[store]\npath = \"stellar.db\"\n[sources.s]\nfiles = \"s.jsonl\"\n\
         [sources.live]\nfiles = \"live.jsonl\"\nfollow = true\nlag = \"1s\"\n",
    );
    let params =
        json!({"friendlyName": "t", "expireIn": 86400, "keyFields": ["k"], "valueFields": ["n"]});
    let task = json!({"query": query, "destination": {"type": "redis", "params": params}});
    home.write("task.json", task.to_string());
}

fn line(date: i64, key: &str, n: usize) -> String {
    format!("{}\n", json!({"eventdate": date, "k": key, "n": n}))
}

#[test]
fn a_file_that_was_read_half() {
    let home = Home::new();
    task(&home, "from s select *");
    let mut dice = Dice(now().unsigned_abs() | 1);
    println!("begins with {}", dice.0);
    // In no order of time, so that the last date says little about what has come.
    let from = now() - 3_600_000;
    let keys: Vec<String> = (0..2_000).map(|n| format!("key {n}")).collect();
    let mut wanted = BTreeMap::new();
    let mut text = String::new();
    for n in 0..60_000_i64 {
        let key = &keys[dice.roll(keys.len())];
        let date = from + (n * 7919) % 60_000;
        text += &line(date, key, n as usize);
        let known = wanted
            .entry(key.clone())
            .or_insert((i64::MIN, String::new()));
        if date > known.0 {
            *known = (date, n.to_string());
        }
    }
    home.write("s.jsonl", text);
    let content = Content::new(&home, "t");
    let mut half = 0;
    for _ in 0..4 {
        let running = run(&home);
        let began = Instant::now();
        while content.of(&keys).is_empty() {
            assert!(began.elapsed() < PATIENCE, "no entry comes");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(dice.roll(100) as u64));
        drop(running);
        half += usize::from(show(&home)["status"] == "PAUSED");
    }
    assert!(half > 0, "no run was killed before its end");
    // The last may have come to its end all the same.
    if show(&home)["status"] != "COMPLETED" {
        home.run(&["collect", "run", "task.json"], "").ended(0);
    }
    assert_eq!(show(&home)["status"], "COMPLETED");
    assert!(content.of(&keys) == wanted, "the content differs");
}

#[test]
fn a_file_that_grows() {
    let home = Home::new();
    task(&home, "from live select *");
    home.write("live.jsonl", "");
    let mut dice = Dice(now().unsigned_abs() | 1);
    println!("begins with {}", dice.0);
    let end = AtomicBool::new(false);
    let keys: Vec<String> = (0..300).map(|n| format!("key {n}")).collect();
    let content = Content::new(&home, "t");
    let (seed, path) = (dice.roll(1 << 30) as u64 | 1, home.path("live.jsonl"));
    let wanted = std::thread::scope(|scope| {
        let (end, keys) = (&end, &keys);
        let writer = scope.spawn(move || {
            let mut dice = Dice(seed);
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            let mut wanted = BTreeMap::new();
            let mut last = 0;
            for n in 0.. {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                // No two of one date, so that it is clear which is the last.
                last = now().max(last + 1);
                let key = &keys[dice.roll(keys.len())];
                file.write_all(line(last, key, n).as_bytes()).unwrap();
                wanted.insert(key.clone(), (last, n.to_string()));
                std::thread::sleep(Duration::from_micros(dice.roll(2000) as u64));
            }
            wanted
        });
        // Ends the writer, also when a check fails.
        struct Ends<'a>(&'a AtomicBool);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let ends = Ends(end);
        for _ in 0..4 {
            let running = run(&home);
            let before = content.of(keys);
            let began = Instant::now();
            while content.of(keys) == before {
                assert!(began.elapsed() < PATIENCE, "nothing comes");
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(dice.roll(700) as u64));
            drop(running);
            assert_eq!(show(&home)["status"], "PAUSED");
        }
        drop(ends);
        writer.join().unwrap()
    });
    let running = run(&home);
    let began = Instant::now();
    while content.of(&keys) != wanted {
        assert!(began.elapsed() < PATIENCE, "the content differs");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(running);
}

#[test]
fn groups_that_were_open() {
    let home = Home::new();
    let query = "from live group every 1m by k every 1m select eventdate, k, count() as n";
    task(&home, query);
    let minute = now() / 60_000 * 60_000 - 10 * 60_000;
    let keys: Vec<String> = (0..50).map(|n| format!("key {n}")).collect();
    let mut wanted = BTreeMap::new();
    let mut text = String::new();
    // Nine minutes with all keys; the last row ends the ninth.
    for at in 0..9 * 60 {
        for (n, key) in keys.iter().enumerate() {
            if (at + n) % 7 != 0 {
                text += &line(minute + at as i64 * 1000, key, n);
            }
        }
    }
    for (n, key) in keys.iter().enumerate() {
        let rows = (8 * 60..9 * 60).filter(|at| (at + n) % 7 != 0).count();
        wanted.insert(key.clone(), (minute + 8 * 60_000, rows.to_string()));
    }
    text += &line(minute + 9 * 60_000 + 5000, "end", 0);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let content = Content::new(&home, "t");
    let mut dice = Dice(now().unsigned_abs() | 1);
    println!("begins with {}", dice.0);
    // Piece by piece, each run killed somewhere.
    let mut from = 0;
    while from < lines.len() {
        let to = (from + 1 + dice.roll(lines.len() / 3)).min(lines.len());
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(home.path("live.jsonl"))
            .unwrap();
        file.write_all(lines[from..to].concat().as_bytes()).unwrap();
        from = to;
        let running = run(&home);
        let began = Instant::now();
        while show(&home)["status"] != "RUNNING" {
            assert!(began.elapsed() < PATIENCE, "it does not run");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(dice.roll(900) as u64));
        drop(running);
    }
    let running = run(&home);
    let began = Instant::now();
    while content.of(&keys) != wanted {
        assert!(began.elapsed() < PATIENCE, "{:?}", content.of(&keys));
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(running);
}
