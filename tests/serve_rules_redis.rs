//! A real Redis as a sink of rules, which goes away and comes back, beside others that go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::redis::{self, cli};
use support::serving::{Server, lines, put, wait_until};
use support::{Home, live};

fn main() {
    live::run(
        "STELLAR_TEST_REDIS",
        &[("a Redis that is killed gets what waited for it", away)],
    );
}

const CONFIG: &str = r#"
[rule.sinks.file]
action = "output_file"
path = "alerts"
[rule.sinks.seen]
action = "output_redis"
collection = "alerts"
expire_in = "100000d"
keys = "text"
values = ["id"]
patience = "200ms"
"#;

const EACH: &str = "function on_logline(e) alert({template = e:gets('n'), logs = {e}}) end";

fn away(_: &str) {
    let mut redis = redis::Server::start();
    let address = redis.address();
    let home = Home::new();
    home.write(
        "stellar.toml",
        format!("[store]\ncollection = \"{address}\"\n{CONFIG}"),
    );
    put(&home, "1", "each", EACH, json!({}));
    let server = Server::start(home, &[]);
    let post = |n: u64| {
        let event = json!({"n": n, "@timestamp": "2026-01-01T10:00:00Z"});
        assert_eq!(server.post(&format!("{event}\n")).status, 200);
        assert_eq!(lines(&server.home, "alerts").len() as u64, n + 1);
    };
    let entries = || {
        cli(&address, &["--scan", "--pattern", "*#*"])
            .lines()
            .count()
    };
    post(0);
    assert_eq!(entries(), 1);
    redis.kill();
    (1..8).for_each(post);
    redis.again();
    wait_until(|| entries() == 8);
    post(8);
    wait_until(|| entries() == 9);
    // What the entries say are the identifiers of the alerts.
    let keys = cli(&address, &["--scan", "--pattern", "*#*"]);
    let mut found: Vec<String> = keys
        .lines()
        .map(|key| cli(&address, &["hget", key, "id"]))
        .collect();
    let alerts = lines(&server.home, "alerts");
    let mut wanted: Vec<&str> = alerts
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}
