//! Tasks that write to a Redis that is killed and comes back, and that are killed themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};
use support::live::run;
use support::redis::{Server, cli};
use support::{Dice, Home};

/// No wait takes longer; far above what any needs.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    run(
        "STELLAR_TEST_REDIS",
        &[
            (
                "a Redis that forgets all in the middle of a task",
                forgetful,
            ),
            ("a Redis that is away when a task begins", away),
            ("a task that is killed again and again", killed),
        ],
    );
}

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

fn task(home: &Home, server: &Server, source: &str) -> Running {
    home.write(
        "stellar.toml",
        format!(
            "[store]\npath = \"stellar.db\"\ncollection = \"{}\"\n[sources.s]\nfiles = \"s.jsonl\"\n\
             [sources.live]\nfiles = \"s.jsonl\"\nfollow = true\nlag = \"1s\"\n",
            server.address()
        ),
    );
    let params = json!({"friendlyName": "redis-001", "expireIn": 86400, "keyFields": ["k"]});
    let query = format!("from {source} select *");
    let task = json!({"query": query, "destination": {"type": "redis", "params": params}});
    home.write("task.json", task.to_string());
    again(home)
}

fn again(home: &Home) -> Running {
    let mut command = home.command(&["collect", "run", "task.json"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

fn lines(count: i64) -> String {
    let from = now() - 600_000;
    let line = |n: i64| format!("{}\n", json!({"eventdate": from + n, "k": format!("k{n}")}));
    (0..count).map(line).collect()
}

fn show(home: &Home) -> Json {
    let ran = home.run(&["collect", "show", "redis-001"], "");
    serde_json::from_str(ran.out()).unwrap_or(Json::Null)
}

/// How many entries there are, as another program sees them.
fn entries(server: &Server) -> usize {
    let pattern = "self#affa6b69ce8e06a43b6cc4e206798326#*";
    let found = cli(&server.address(), &["--scan", "--pattern", pattern]);
    found.lines().count()
}

#[track_caller]
fn until(what: &str, wanted: impl Fn() -> bool) {
    let began = Instant::now();
    while !wanted() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn forgetful(_: &str) {
    let home = Home::new();
    home.write("s.jsonl", lines(3000));
    let mut server = Server::start();
    let _running = task(&home, &server, "live");
    until("all comes", || entries(&server) == 3000);
    server.kill();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(home.path("s.jsonl"))
        .unwrap();
    let more = json!({"eventdate": now(), "k": "one more"});
    std::io::Write::write_all(&mut file, format!("{more}\n").as_bytes()).unwrap();
    until("it is missed", || show(&home)["status"] == "RECONNECTING");
    server.forget();
    server.again();
    until("all comes again", || entries(&server) == 3001);
    until("it runs", || show(&home)["status"] == "RUNNING");
    let errors = show(&home)["error"].to_string();
    assert!(errors.contains("E0604"), "{errors}");
    // Another program finds an entry, its date and how long it lasts.
    let digest = "printf 's8:one more' | md5sum | cut -c 1-32";
    let digest = std::process::Command::new("sh")
        .args(["-c", digest])
        .output();
    let digest = String::from_utf8(digest.unwrap().stdout).unwrap();
    let key = format!("self#affa6b69ce8e06a43b6cc4e206798326#{}", digest.trim());
    let date = more["eventdate"].as_i64().unwrap();
    assert_eq!(cli(&server.address(), &["get", &key]), date.to_string());
    assert_eq!(
        cli(&server.address(), &["pexpiretime", &key]),
        (date + 86_400_000).to_string()
    );
    // Forgotten while nobody looked.
    home.run(&["collect", "stop", "redis-001"], "").ended(0);
    server.kill();
    server.forget();
    server.again();
    let _running = again(&home);
    until("all comes once more", || entries(&server) == 3001);
}

fn away(_: &str) {
    let home = Home::new();
    home.write("s.jsonl", lines(500));
    let mut server = Server::start();
    server.kill();
    let mut running = task(&home, &server, "s");
    until("it is missed", || show(&home)["status"] == "RECONNECTING");
    server.again();
    assert!(running.0.wait().unwrap().code().is_some());
    assert_eq!(show(&home)["status"], "COMPLETED");
    assert_eq!(entries(&server), 500);
}

fn killed(_: &str) {
    let home = Home::new();
    home.write("s.jsonl", lines(60_000));
    let server = Server::start();
    let mut dice = Dice(now().unsigned_abs() | 1);
    println!("begins with {}", dice.0);
    drop(task(&home, &server, "s"));
    for _ in 0..4 {
        let before = show(&home)["status"] == "COMPLETED";
        let running = again(&home);
        if !before {
            until("something comes", || entries(&server) > 0);
        }
        std::thread::sleep(Duration::from_millis(dice.roll(150) as u64));
        drop(running);
    }
    if show(&home)["status"] != "COMPLETED" {
        home.run(&["collect", "run", "task.json"], "").ended(0);
    }
    assert_eq!(entries(&server), 60_000);
}
