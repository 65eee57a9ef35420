//! Collections in a real Redis: what every store must do, what only this one does, and what redis-cli sees of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use stellar::collect::key::{Base, Field, Key, Kind};
use stellar::collect::store::{BOOK, CollectionStore, Redis};
use stellar::config::Secretive;
use stellar::diagnostic::Code;
use stellar::eval::Value;
use stellar::store::{Deadline, Within};
use support::collections::{HOUR, about, at, entry, get, key, real_now, suite, with};
use support::redis::{Server, cli};
use support::{Home, live};

fn main() {
    live::run(
        "STELLAR_TEST_REDIS",
        &[
            ("it does what every store does", every),
            ("redis-cli sees what is written down", outside),
            ("the example of the documentation", documented),
            ("look-ups of the program", program),
            ("scripts may be forgotten", scripts),
            ("values of other programs are errors", foreign),
            ("a restart in the middle loses nothing", restart),
            ("a server that is away is an error", away),
            ("a server that never was there is one at once", never),
            ("a server that says nothing is one, too", silent),
            ("a call ends when it is told to", cancelled),
        ],
    );
    live::run(
        "STELLAR_TEST_REDIS_TLS",
        &[("TLS, password, database", secret)],
    );
}

fn open(address: &str) -> Redis {
    Redis::new(&Secretive::new(address))
}

/// A domain that no other test has.
fn domain() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("t{}-{next}[*?\\]", std::process::id())
}

fn every(server: &str) {
    suite(&|| (Arc::new(open(server)), domain()));
}

fn outside(server: &str) {
    let (store, domain) = (open(server), domain());
    let now = real_now();
    let mut logins = about(&domain, "logins");
    let base = logins.base();
    logins.value_fields.clear();
    at(now, |w| store.describe(&logins, w));
    let plain = entry(&key(&base, &["alice", "hq"]), now);
    let rich = with(
        &key(&base, &["bob"]),
        now,
        &[
            ("count", Value::Int(7)),
            ("none", Value::Null),
            ("city", Value::text("Zürich")),
        ],
    );
    at(now, |w| store.put(&[plain.clone(), rich.clone()], w));
    let cli = |arguments: &[&str]| cli(server, arguments);
    let (plain, rich) = (plain.key.to_string(), rich.key.to_string());
    assert_eq!(cli(&["type", &plain]), "string");
    assert_eq!(cli(&["get", &plain]), now.to_string());
    assert_eq!(cli(&["pexpiretime", &plain]), (now + HOUR).to_string());
    assert_eq!(cli(&["type", &rich]), "hash");
    assert_eq!(cli(&["hget", &rich, "eventdate"]), now.to_string());
    assert_eq!(cli(&["hget", &rich, "count"]), "7");
    assert_eq!(cli(&["--raw", "hget", &rich, "city"]), "Zürich");
    assert_eq!(cli(&["hlen", &rich]), "3");
    assert_eq!(cli(&["pexpiretime", &rich]), (now + HOUR).to_string());
    let kept: serde_json::Value =
        serde_json::from_str(&cli(&["--raw", "hget", BOOK, base.as_str()])).unwrap();
    assert_eq!(kept["friendlyName"], "logins");
    // What another program stores is found.
    let other = key(&base, &["carol", "hq"]);
    cli(&["set", &other.to_string(), "5", "px", "600000"]);
    let until = at(now, |w| store.has(std::slice::from_ref(&other), w));
    let until = until[0].unwrap();
    assert!(
        (now + 540_000..now + 660_000).contains(&until),
        "{}",
        until - now
    );
    // Without an end, too.
    cli(&["persist", &other.to_string()]);
    assert_eq!(
        at(now, |w| store.has(std::slice::from_ref(&other), w)),
        [Some(i64::MAX)]
    );
    let found = get(&store, &[other])[0].clone().unwrap();
    assert_eq!((found.date, found.expires), (5, None));
    at(now, |w| store.remove(&base, w));
    assert_eq!(cli(&["exists", &plain, &rich]), "0");
    assert_eq!(cli(&["hexists", BOOK, base.as_str()]), "0");
}

/// A fenced block of the page.
fn block(kind: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/collections.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("```{kind}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_string()
}

fn documented(server: &str) {
    let store = open(server);
    let text = |text: &str| Value::text(text);
    let mut logins = about("self", "logins");
    logins.value_fields = vec![Field::new("city", Kind::Any)];
    let base = logins.base();
    let now = real_now();
    at(now, |w| store.remove(&base, w));
    at(now, |w| store.describe(&logins, w));
    let k = Key::of(&base, &[text("alice"), text("hq")]).unwrap();
    let mut alice = with(&k, 1_795_392_000_123, &[("city", text("Brno"))]);
    alice.expires = alice.date + 315_360_000_000;
    at(now, |w| store.put(&[alice], w));
    let home = Home::new();
    let mut script = "export LC_ALL=C\n".to_string();
    let mut expected = Vec::new();
    for line in block("redis").lines() {
        match line.strip_prefix("$ ") {
            Some(command) => {
                script.push_str(&format!("echo '$'\n{command}\n"));
                expected.push("$".to_string());
            }
            None => expected.push(line.to_string()),
        }
    }
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_stellar"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(home.path(""))
        .env("HOME", home.path(""))
        .env("PATH", path)
        .env("REDIS", server)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{errors}");
    // In another language, with values of all types.
    let python = block("python")
        + "print(key('self', 'logins', None, True, False, -5, 2**40, 5.0, -0.0, 0.5, 1e300, float('nan'), 'é'))\n";
    let output = std::process::Command::new("python3")
        .args(["-c", &python])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        Value::Int(-5),
        Value::Long(1 << 40),
        Value::Double(5.0),
        Value::Double(-0.0),
        Value::Double(0.5),
        Value::Double(1e300),
        Value::Double(f64::NAN),
        text("é"),
    ];
    let all = Key::of(&base, &values).unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [k.to_string(), all.to_string()]
    );
    at(now, |w| store.remove(&base, w));
}

/// The whole program: filters, maps, pipelines, doctor.
fn program(server: &str) {
    let store = open(server);
    let domain = format!("p{}", std::process::id());
    let mut seen = about(&domain, "seen");
    seen.key_fields = vec![Field::new("user", Kind::Any)];
    let base = seen.base();
    let now = real_now();
    at(now, |w| store.describe(&seen, w));
    let users: Vec<String> = (0..10_000).map(|n| format!("user{n}")).collect();
    let entries: Vec<_> = users
        .iter()
        .step_by(3)
        .enumerate()
        .map(|(n, user)| {
            with(
                &key(&base, &[user]),
                now,
                &[("count", Value::Int(n as i32))],
            )
        })
        .collect();
    at(now, |w| store.put(&entries, w));
    let home = Home::new();
    let lines: Vec<String> = users
        .iter()
        .map(|user| format!("{{\"user\":\"{user}\"}}"))
        .collect();
    let input = lines.join("\n") + "\n";
    home.write(
        "stellar.toml",
        format!("[store]\ncollection = {server:?}\n[collect]\ndomain = {domain:?}\n"),
    );
    let run = |arguments: &[&str], input: &str| home.run(arguments, input);
    let kept: Vec<&str> = lines.iter().step_by(3).map(String::as_str).collect();
    let ran = run(&["filter", "COLLECTION_HAS('seen', user)"], &input).ended(0);
    assert_eq!(ran.lines(), kept);
    let limited = run(&["filter", "--limit", "7", "CCHAS('seen', user)"], &input).ended(0);
    assert_eq!(limited.lines(), kept[..7]);
    let ran = run(&["map", "COLLECTION_GET('seen', user, 'count')"], &input).ended(0);
    for (n, line) in ran.lines().iter().enumerate() {
        let expected = if n % 3 == 0 {
            (n / 3).to_string()
        } else {
            "null".to_string()
        };
        assert_eq!(*line, expected);
    }
    let doctor = run(&["doctor", "--format", "table"], "");
    assert!(
        doctor
            .out()
            .contains(&format!("collection store: Redis at {server} answers in")),
        "{}",
        doctor.out()
    );
    let ran = run(&["filter", "COLLECTION_HAS('seem', user)"], &lines[0]).ended(1);
    assert!(ran.err.contains("did you mean \"seen\"?"), "{}", ran.err);
    // Pipelines, too.
    home.write("in/users.log", &input);
    home.write(
        "p.yaml",
        "pipelines:\n  p:\n    - {name: input_file, tag: l, watch_path: in, path_pattern: 'in/*.log'}\n    \
         - {name: parser_json, match: l, key: log}\n    \
         - {name: filter_stellar, match: l, expr: \"COLLECTION_HAS('seen', user)\", set: {n: \"COLLECTION_GET('seen', user, 'count')\"}}\n    \
         - {name: output_stdout, match: l}\n",
    );
    let ran = run(&["pipeline", "run", "--once", "p.yaml"], "").ended(0);
    let numbers = ran
        .lines()
        .into_iter()
        .filter_map(|line| line.split("'n': ").nth(1));
    let numbers = numbers.filter_map(|rest| rest.trim_end_matches('}').parse().ok());
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..kept.len()), "{}", ran.out());
    at(now, |w| store.remove(&base, w));
    // Gone is gone, and who looks is told.
    let ran = run(&["eval", "CCHAS('seen', 'user0')"], "").ended(1);
    assert!(
        ran.err.contains("there is no collection \"seen\""),
        "{}",
        ran.err
    );
}

fn scripts(server: &str) {
    let store = open(server);
    let base = Base::new(&domain(), "scripts");
    let now = real_now();
    for round in 0..3 {
        cli(server, &["script", "flush"]);
        let entries: Vec<_> = (0..3000)
            .map(|n| entry(&key(&base, &[&n.to_string()]), now + round))
            .collect();
        let written = at(now, |w| store.put(&entries, w));
        assert_eq!((written.stored, written.older), (3000, 0));
    }
    assert_eq!(at(now, |w| store.remove(&base, w)), 3000);
}

fn foreign(server: &str) {
    let store = open(server);
    let base = Base::new(&domain(), "foreign");
    let now = real_now();
    let within = |call: &dyn Fn(Within<'_>) -> Code| at(now, |w| Ok(call(w)));
    let k = key(&base, &["x"]);
    cli(server, &["set", &k.to_string(), "no date"]);
    let code = within(&|w| store.get(std::slice::from_ref(&k), w).unwrap_err().code);
    assert_eq!(code, Code::DamagedValue);
    cli(server, &["del", &k.to_string()]);
    cli(server, &["rpush", &k.to_string(), "a", "list"]);
    for entry in [entry(&k, now), with(&k, now, &[])] {
        let code = within(&|w| store.put(std::slice::from_ref(&entry), w).unwrap_err().code);
        assert_eq!(code, Code::ServerFailed);
    }
    // The connection is as good as before.
    at(now, |w| store.reach(w));
    assert_eq!(at(now, |w| store.remove(&base, w)), 1);
}

fn restart(_: &str) {
    let mut server = Server::start();
    let store = Arc::new(open(&server.address()));
    let base = Base::new("self", "restart");
    let life = at(0, |w| store.incarnation(w));
    assert_eq!(life.len(), 40);
    let now = real_now();
    let (done, writing) = (Arc::new(AtomicU32::new(0)), store.clone());
    let (count, keys) = (done.clone(), base.clone());
    let writer = std::thread::spawn(move || {
        for round in 0..60 {
            let entries: Vec<_> = (0..50)
                .map(|n| entry(&key(&keys, &[&format!("{round}/{n}")]), now))
                .collect();
            at(now, |w| writing.put(&entries, w));
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    // In the middle, twice.
    for seen in [10, 30] {
        while done.load(Ordering::Relaxed) < seen && !writer.is_finished() {
            std::thread::yield_now();
        }
        server.kill();
        server.again();
    }
    writer.join().unwrap();
    assert_eq!(at(now, |w| store.count(&base, w)), 3000);
    let after = at(0, |w| store.incarnation(w));
    assert_ne!(life, after);
    // Somebody who only looks sees it, too, whatever the server has forgotten.
    server.kill();
    server.forget();
    server.again();
    assert_ne!(after, at(0, |w| store.incarnation(w)));
    assert_eq!(at(now, |w| store.count(&base, w)), 0);
}

fn away(_: &str) {
    let mut server = Server::start();
    let store = open(&server.address());
    let keys = [key(&Base::new("self", "away"), &["x"])];
    at(0, |w| store.put(&[entry(&keys[0], real_now())], w));
    server.kill();
    let cancel = Arc::new(AtomicBool::new(false));
    let within = Within {
        now: 0,
        deadline: Deadline::after(Duration::from_millis(300)),
        cancel: &cancel,
    };
    let fault = store.has(&keys, within).unwrap_err();
    assert!(
        matches!(fault.code, Code::ServerFailed | Code::Timeout),
        "{fault:?}"
    );
    server.again();
    assert!(at(0, |w| store.has(&keys, w))[0].is_some());
}

fn never(_: &str) {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let store = open(&format!("redis://:hunter2@127.0.0.1:{port}"));
    let fault = at(0, |w| Ok(store.reach(w).unwrap_err()));
    assert_eq!(fault.code, Code::ServerFailed);
    let text = format!("{fault:?}");
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    assert!(
        !text.contains("hunter2") && !store.place().contains("hunter2"),
        "{text}"
    );
}

fn silent(_: &str) {
    // Connections are taken, and nothing is said.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let store = open(&format!("redis://{}", listener.local_addr().unwrap()));
    let cancel = Arc::new(AtomicBool::new(false));
    let within = Within {
        now: 0,
        deadline: Deadline::after(Duration::from_millis(200)),
        cancel: &cancel,
    };
    assert_eq!(store.reach(within).unwrap_err().code, Code::Timeout);
}

fn cancelled(_: &str) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let store = open(&format!("redis://{}", listener.local_addr().unwrap()));
    let cancel = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let within = Within {
                now: 0,
                deadline: Deadline::NONE,
                cancel: &cancel,
            };
            store.reach(within).unwrap_err().code
        });
        let _connection = listener.accept().unwrap();
        cancel.store(true, Ordering::Relaxed);
        assert_eq!(waiting.join().unwrap(), Code::Interrupted);
    });
    // Long before it would have given up by itself.
    assert!(started.elapsed() < Duration::from_secs(9));
}

fn secret(server: &str) {
    suite(&|| (Arc::new(open(server)), domain()));
    let base = Base::new(&domain(), "secret");
    let k = key(&base, &["x"]);
    let now = real_now();
    at(now, |w| open(server).put(&[entry(&k, now)], w));
    // It lies in the database of the address.
    assert_eq!(cli(server, &["get", &k.to_string()]), now.to_string());
    let elsewhere = server.replace("/3?", "/4?");
    assert_eq!(cli(&elsewhere, &["exists", &k.to_string()]), "0");
    at(now, |w| open(server).remove(&base, w));
    let (user, rest) = server.split_once('@').unwrap();
    let wrong = |address: String, says: &str| {
        let fault = at(now, |w| Ok(open(&address).reach(w).unwrap_err()));
        assert_eq!(fault.code, Code::ServerFailed);
        let text = format!("{fault:?}");
        assert!(text.contains(says), "{text}");
        let password = user.rsplit(':').next().unwrap();
        assert!(
            !text.contains(password) && !text.contains("hunter2"),
            "{text}"
        );
    };
    wrong(format!("rediss://default:hunter2@{rest}"), "WRONGPASS");
    wrong(format!("rediss://{rest}"), "NOAUTH");
    wrong(server.replace("/3?", "/999?"), "out of range");
    // Nobody vouches for it.
    let (address, _) = server.split_once('?').unwrap();
    wrong(address.to_string(), "certificate");
    // The name must be its own.
    wrong(server.replace("@localhost:", "@127.0.0.1:"), "certificate");
    // Without TLS nobody is understood.
    let plain = format!("redis://{}", address.split_once("://").unwrap().1);
    let fault = at(now, |w| Ok(open(&plain).reach(w).unwrap_err()));
    assert_eq!(fault.code, Code::ServerFailed);
}
