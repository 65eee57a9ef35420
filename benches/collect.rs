//! How fast collections are written and looked up: in the embedded file, and in a real Redis where
//! `STELLAR_TEST_REDIS` names one, with redis-benchmark on the same script beside it.
//!
//! `cargo bench --bench collect`; `ENTRIES=100000` for fewer.
#![allow(clippy::expect_used)]

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use stellar::collect::entry::{About, Entry};
use stellar::collect::key::{Base, Field, Key, Kind};
use stellar::collect::store::{CollectionStore, Redis, STORE};
use stellar::collect::{COLLECT, Embedded};
use stellar::config::Secretive;
use stellar::eval::Value;
use stellar::store::{Deadline, Store, Within};
use tempfile::TempDir;

/// Entries of one call.
const BATCH: usize = 10_000;

fn main() {
    let entries = std::env::var("ENTRIES").ok();
    let entries = entries.and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("stellar.db");
    let file = Store::new(&path, &[&COLLECT]);
    let own = format!("store.path={}", path.display());
    run("embedded", &Embedded::new(&file), &own, entries, &folder);
    let Some(server) = std::env::var("STELLAR_TEST_REDIS")
        .ok()
        .filter(|s| !s.is_empty())
    else {
        println!("redis: skipped, STELLAR_TEST_REDIS names no server");
        return;
    };
    let store = Redis::new(&Secretive::new(&server));
    let set = format!("store.collection={server}");
    run("redis", &store, &set, entries, &folder);
    beside(&server, entries);
}

fn within<T>(call: impl FnOnce(Within<'_>) -> T) -> T {
    let cancel = Arc::new(AtomicBool::new(false));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    call(Within {
        now: now.expect("a time").as_millis() as i64,
        deadline: Deadline::NONE,
        cancel: &cancel,
    })
}

fn rate(what: &str, many: usize, since: Instant) {
    let rate = many as f64 / since.elapsed().as_secs_f64();
    println!("{what:<48} {:>9.0}/s", rate);
}

fn user(n: usize) -> String {
    format!("user-{:07}", n.wrapping_mul(7_654_321) % 10_000_000)
}

fn run(name: &str, store: &dyn CollectionStore, set: &str, entries: usize, folder: &TempDir) {
    let about = About {
        name: "bench".into(),
        domain: "self".into(),
        description: "".into(),
        expire_in: 3600,
        key_fields: vec![Field::new("user", Kind::Any)],
        value_fields: vec![Field::new("city", Kind::Any)],
    };
    let base = about.base();
    within(|w| store.remove(&base, w)).expect("an empty collection");
    within(|w| store.describe(&about, w)).expect("a description");
    let now = within(|w| w.now);
    let make = |n: usize, values: bool| Entry {
        key: Key::of(&base, &[Value::string(user(n))]).expect("a key"),
        date: now + n as i64 % 1000,
        expires: now + 3_600_000,
        fields: values.then(|| vec![("city".into(), Value::text("Brno"))]),
    };
    for (what, values) in [
        ("written", false),
        ("written again", false),
        ("with values", true),
    ] {
        let since = Instant::now();
        let mut batch = Vec::with_capacity(BATCH);
        for n in 0..entries {
            batch.push(make(n, values));
            if batch.len() == BATCH || n + 1 == entries {
                within(|w| store.put(&batch, w)).expect("written entries");
                batch.clear();
            }
        }
        rate(&format!("{name}: {what}"), entries, since);
    }
    let keys: Vec<Key> = (0..entries).map(|n| make(n, false).key).collect();
    let since = Instant::now();
    for keys in keys.chunks(BATCH) {
        within(|w| store.has(keys, w)).expect("answers");
    }
    rate(&format!("{name}: asked for presence"), entries, since);
    let since = Instant::now();
    for keys in keys.chunks(BATCH) {
        within(|w| store.get(keys, w)).expect("answers");
    }
    rate(&format!("{name}: asked for values"), entries, since);
    // The whole program, on lines of JSON; half of the users are there.
    let filter = |what: &str, users: usize| {
        let mut lines = String::new();
        for n in 0..entries {
            let n = (n % users) * 2;
            let _ = writeln!(
                lines,
                "{{\"eventdate\":{now},\"user\":\"{}\",\"action\":\"login\",\"bytes\":{n}}}",
                user(n)
            );
        }
        let path = folder.path().join("events.jsonl");
        std::fs::write(&path, lines).expect("a file");
        let since = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_stellar"))
            .args([
                "filter",
                "COLLECTION_HAS('bench', user)",
                "--count",
                "--set",
                set,
            ])
            .arg(&path)
            .env("HOME", folder.path())
            .output()
            .expect("the program");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        rate(&format!("{name}: filter, {what}"), entries, since);
    };
    filter("all users differ", entries);
    filter("1000 users", 1000);
    within(|w| store.remove(&base, w)).expect("a removed collection");
}

/// What redis-benchmark reaches with the same script, as many requests on the way, and one connection.
fn beside(server: &str, entries: usize) {
    let cli = |program: &str, arguments: &[&str]| {
        let address = server.trim_start_matches("redis://");
        let (host, port) = address.rsplit_once(':').expect("host:port");
        let mut command = Command::new(program);
        command.args(["-h", host, "-p", port.trim_end_matches('/')]);
        let output = command.args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let Ok(sha) = cli("redis-cli", &["script", "load", STORE]) else {
        println!("redis-benchmark: skipped, it is not installed");
        return;
    };
    let base = Base::new("self", "beside");
    let key = format!("{base}#00000000000000000000__rand_int__");
    let (date, expires) = within(|w| (w.now.to_string(), (w.now + 60_000).to_string()));
    let many = entries.to_string();
    let arguments = [
        "-q", "-c", "1", "-P", "512", "-r", "10000000", "-n", &many, "evalsha", &sha, "1", &key,
        &date, &expires,
    ];
    if let Ok(said) = cli("redis-benchmark", &arguments) {
        let last = said
            .rsplit(['\r', '\n'])
            .find(|line| line.contains("per second"));
        let rate = last.and_then(|line| line.rsplit_once(": "));
        let rate = rate.map_or(said.as_str(), |(_, rate)| rate);
        println!("redis-benchmark, the same script: {rate}");
    }
}
