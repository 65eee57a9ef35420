//! Active rules in `stellar serve`: what clients post and what sources bring, sinks, changes while they run, bounds, and
//! what is wrong in the configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::io::Write;
use std::sync::Arc;
use support::Home;
use support::serving::{Server, change, lines, put, store, wait_until, within};

/// Alerts at the third event of a user.
const THIRD: &str = r#"
function on_logline(line) seen:feed(line) end
function on_grouped(grouped)
    if grouped.aggregatedData.aggregated.total >= 3 then
        alert({template = "{{.Meta.user}}", risk_level = 8, asset_ip = "192.0.2.7", asset_hostname = "srv1", asset_mac = "none",
               logs = grouped.aggregatedData.loglines, mitre = {"T1110.003", "x"}, meta = {user = grouped.aggregatedData.loglines[1]:gets("user")}})
        seen:clear()
    end
end
seen = grouper.new({"user"}, {}, "@timestamp", "10m", on_grouped)
"#;

/// Alerts at every event.
fn every(text: &str) -> String {
    format!("function on_logline(line) alert({{template = '{text} ' .. line:gets('user')}}) end")
}

fn event(user: &str, second: u32) -> String {
    let time = format!("2026-01-01T10:00:{second:02}Z");
    format!("{}\n", json!({"user": user, "@timestamp": time}))
}

const FILE: &str = "[rule]\nreload = \"50ms\"\n[rule.sinks.file]\naction = \"output_file\"\npath = \"out/alerts\"\n";

fn texts(home: &Home) -> Vec<String> {
    let alerts = lines(home, "out/alerts");
    alerts
        .iter()
        .map(|alert| alert["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn posted_events_reach_rules_and_alerts_the_sinks_before_the_answer() {
    let home = Home::new();
    home.write("stellar.toml", format!("{FILE}[rule.sinks.store]\naction = \"output_event\"\n[rule.sinks.own]\naction = \"output_event\"\nid = \"id + 'own'\"\n[rule.sinks.own.message]\nCategory = [\"'Test'\"]\nDescription = \"FORMAT('%s!', text)\"\n"));
    put(&home, "1", "third", THIRD, json!({}));
    let server = Server::start(home, &[]);
    let answer = server.post(&[event("eve", 1), event("bob", 2), event("eve", 3)].concat());
    assert_eq!((answer.status, answer.json()), (200, json!({"events": 3})));
    assert_eq!(texts(&server.home), Vec::<String>::new());
    // An array is taken, too; the groups are those of the request before.
    let body = format!("[{}]", event("eve", 4));
    let answer = server.post(&body);
    assert_eq!((answer.status, answer.json()), (200, json!({"events": 1})));
    assert_eq!(texts(&server.home), ["eve"]);
    let found = server.home.run(&["event", "search"], "").ended(0).json();
    assert_eq!(found.len(), 2, "{found:?}");
    let idea = found
        .iter()
        .find(|idea| idea["Description"] == "third")
        .unwrap();
    assert_eq!(idea["Category"], json!(["Anomaly.Behaviour"]));
    assert_eq!(idea["Note"], "eve");
    assert_eq!(
        idea["Target"],
        json!([{"IP4": ["192.0.2.7"], "Hostname": ["srv1"]}])
    );
    assert_eq!(
        idea["Ref"],
        json!(["https://attack.mitre.org/techniques/T1110/003"])
    );
    assert_eq!(idea["DetectTime"], "2026-01-01T10:00:04Z");
    assert!(
        found.iter().any(|idea| idea["Description"] == "eve!"),
        "{found:?}"
    );
    wait_until(|| server.metric("stellar_rule_events_total", "third") == Some(4.0));
    assert_eq!(
        server.metric("stellar_rule_alerts_total", "third"),
        Some(1.0)
    );
    let home = server.end();
    let cancel = Arc::default();
    let results = store(&home).results("1", (0, 10), within(&cancel)).unwrap();
    assert_eq!(results.total, 1);
    assert_eq!(
        store(&home)
            .rule("1", within(&cancel))
            .unwrap()
            .unwrap()
            .stats
            .result_count,
        1
    );
    // Groups outlive the server: two more of bob.
    let server = Server::start(home, &[]);
    server.post(&[event("bob", 5), event("bob", 6)].concat());
    assert_eq!(texts(&server.home), ["eve", "bob"]);
}

#[test]
fn what_is_no_event_is_refused_with_its_place() {
    let home = Home::new();
    home.write("stellar.toml", "[serve]\ntokens = [\"all\"]\nbody = 1000\n[serve.keys.reader]\ntoken = \"reads\"\nrights = \"read\"\n");
    let server = Server::start(home, &[]);
    let path = "/logmule_go_rules/events";
    let ask = |token: &str, body: &str| {
        server.send(
            "POST",
            path,
            &[("Authorization", &format!("Bearer {token}"))],
            body,
        )
    };
    let answer = ask("all", "{\"a\": 1}\n{\"b\": x}");
    assert_eq!(answer.status, 400);
    let reason = &answer.json()["extra"]["fields"][0]["reason"];
    assert!(reason.as_str().unwrap().contains("line 2"), "{reason}");
    for body in ["5", "[1]", "{", "\u{0}", "{\"a\": 1} trash"] {
        assert_eq!(ask("all", body).status, 400, "{body}");
    }
    assert_eq!(ask("all", "").json(), json!({"events": 0}));
    assert_eq!(ask("all", "[]").json(), json!({"events": 0}));
    assert_eq!(ask("reads", "{}").status, 403);
    assert_eq!(ask("nobody", "{}").status, 401);
    assert_eq!(ask("all", &"[1]".repeat(1000)).status, 413);
    assert_eq!(ask("all", "{}").status, 200);
}

#[test]
fn without_rules_nothing_is_taken() {
    let home = Home::new();
    put(&home, "1", "every", &every("x"), json!({}));
    let server = Server::start(home, &["--no-rules"]);
    let answer = server.post("{}");
    assert_eq!(answer.status, 503);
    assert!(
        answer.head.to_lowercase().contains("retry-after: "),
        "{answer:?}"
    );
}

#[test]
fn a_second_server_waits_until_the_first_ends() {
    let home = Home::new();
    home.write("stellar.toml", FILE);
    put(&home, "1", "every", &every("x"), json!({}));
    let first = Server::start(home, &[]);
    assert_eq!(first.post(&event("a", 1)).status, 200);
    let talk = first
        .home
        .talk(&["serve", "--listen", "127.0.0.1:0", "--quiet"]);
    let line = talk.hear();
    let address = line
        .strip_prefix("listening at http://")
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let post = || {
        support::serving::send(
            &address,
            "POST",
            "/logmule_go_rules/events",
            &[],
            event("b", 2).as_bytes(),
        )
        .unwrap()
    };
    assert_eq!(post().status, 503);
    let home = first.end();
    wait_until(|| post().status == 200);
    assert_eq!(texts(&home), ["x a", "x b"]);
}

#[test]
fn sources_are_followed_and_gone_on_with() {
    let home = Home::new();
    home.write("stellar.toml", "[rule]\nsources = [\"logins\"]\nsince = \"20000d\"\n[rule.sinks.file]\naction = \"output_file\"\npath = \"out/alerts\"\n[sources.logins]\nfiles = \"logins.jsonl\"\ntime = \"@timestamp\"\nfollow = true\n");
    put(&home, "1", "every", &every("x"), json!({}));
    home.write(
        "logins.jsonl",
        [event("a", 1), event("b", 2), event("b2", 2)].concat(),
    );
    let server = Server::start(home, &[]);
    wait_until(|| texts(&server.home).len() == 3);
    let add = |home: &Home, line: &str| {
        let mut file = std::fs::File::options()
            .append(true)
            .open(home.path("logins.jsonl"))
            .unwrap();
        file.write_all(line.as_bytes()).unwrap();
    };
    add(&server.home, &event("c", 3));
    wait_until(|| texts(&server.home).len() == 4);
    let home = server.end();
    add(&home, &event("c2", 3));
    add(&home, &event("d", 4));
    let server = Server::start(home, &[]);
    wait_until(|| texts(&server.home).len() >= 6);
    assert_eq!(
        texts(&server.home),
        ["x a", "x b", "x b2", "x c", "x c2", "x d"]
    );
}

#[test]
fn changed_and_new_rules_are_taken_over_and_others_keep_their_groups() {
    let home = Home::new();
    home.write("stellar.toml", FILE);
    put(&home, "1", "third", THIRD, json!({}));
    put(&home, "2", "every", &every("old"), json!({}));
    let server = Server::start(home, &[]);
    server.post(&[event("a", 1), event("a", 2)].concat());
    assert_eq!(texts(&server.home), ["old a", "old a"]);
    change(&server.home, "2", &every("new"));
    put(&server.home, "3", "more", &every("more"), json!({}));
    wait_until(|| {
        server.post(&event("other", 1));
        let texts = texts(&server.home);
        texts.iter().any(|text| text == "new other")
            && texts.iter().any(|text| text == "more other")
    });
    server.post(&event("a", 3));
    let all = texts(&server.home);
    let last: Vec<&str> = all.iter().rev().take(3).rev().map(String::as_str).collect();
    assert_eq!(last, ["a", "new a", "more a"]);
    let cancel = Arc::default();
    assert!(
        store(&server.home)
            .set_active("2", false, within(&cancel))
            .unwrap()
    );
    wait_until(|| {
        server
            .metric("stellar_rule_events_total", "every")
            .is_none()
    });
    server.post(&event("b", 4));
    assert_eq!(texts(&server.home).last().unwrap(), "more b");
}

#[test]
fn a_rule_above_its_bound_is_suspended_with_a_notice() {
    let home = Home::new();
    home.write("stellar.toml", FILE);
    put(
        &home,
        "1",
        "loud",
        &every("x"),
        json!({"settings": {"max_alerts": 2, "function_metrics": true}}),
    );
    put(
        &home,
        "2",
        "bad",
        "function on_logline(e) local x = nil; return x.y end",
        json!({}),
    );
    put(&home, "3", "unreadable", "x = = 1", json!({}));
    let server = Server::start(home, &[]);
    let answer = server.post(&(0..5).map(|n| event("a", n)).collect::<String>());
    assert_eq!(answer.status, 200);
    let alerts = lines(&server.home, "out/alerts");
    let notices: Vec<&Json> = alerts.iter().map(|alert| &alert["notice"]).collect();
    assert_eq!(notices, [false, false, true]);
    wait_until(|| server.metric("stellar_rule_suspended", "loud") == Some(1.0));
    wait_until(|| server.metric("stellar_rule_errors_total", "bad") == Some(5.0));
    assert_eq!(
        server.metric("stellar_rule_faulty", "unreadable"),
        Some(1.0)
    );
    assert!(
        server
            .metric("stellar_rule_function_calls_total", "loud")
            .unwrap()
            >= 2.0
    );
    // A server that ends keeps what was counted.
    let home = server.end();
    let cancel = Arc::default();
    let rule = |id| store(&home).rule(id, within(&cancel)).unwrap().unwrap();
    assert_eq!(rule("2").stats.error_count, 5);
    assert_eq!(rule("2").is_error, 5);
}

#[test]
fn what_is_configured_wrongly_is_told_at_the_start() {
    for (config, expected) in [
        (
            "[rule]\nsources = [\"nothing\"]\n",
            "no source is named nothing",
        ),
        (
            "[rule]\nsources = [\"still\"]\n[sources.still]\nfiles = \"x.jsonl\"\n",
            "follow = true",
        ),
        ("[rule.sinks.a]\naction = \"output_fiel\"\n", "output_file"),
        ("[rule.sinks.a]\naction = \"output_file\"\n", "lacks path"),
        (
            "[rule.sinks.a]\naction = \"output_file\"\npath = \"x\"\npth = 1\n",
            "no parameter pth",
        ),
        (
            "[rule.sinks.a]\naction = \"output_event\"\nmessage = \"NO(\"\n",
            "rule.sinks.a",
        ),
        (
            "[rule.sinks.a]\npath = \"x\"\n",
            "rule.sinks.a needs action",
        ),
        (
            "[rule.sinks.a]\naction = \"output_file\"\nmatch = \"x\"\npath = \"x\"\n",
            "match has no meaning",
        ),
        ("[rule]\nsink = 1\n", "unknown configuration key rule.sink"),
        ("[rule]\nthreads = 1000\n", "between 1 and 256"),
    ] {
        let home = Home::new();
        home.write("stellar.toml", config);
        let ran = home.run(&["serve", "--listen", "127.0.0.1:0"], "");
        assert_ne!(ran.code, Some(0), "{config}");
        assert!(ran.err.contains(expected), "{config}: {}", ran.err);
    }
}

fn message(id: &str, second: u32) -> String {
    let message = json!({
        "Format": "IDEA0", "ID": id, "DetectTime": format!("2026-01-01T10:00:{second:02}Z"), "Category": ["Test"],
        "Source": [{"IP4": ["192.0.2.7"]}],
    });
    format!("{message}\n")
}

/// Alerts at the third message of an address; says the order.
const PAST: &str = r#"
function on_logline(line) seen:feed(line) end
function on_grouped(grouped)
    local lines = grouped.aggregatedData.loglines
    if grouped.aggregatedData.aggregated.total >= 3 then
        alert({template = lines[1]:gets("ID") .. lines[2]:gets("ID") .. lines[3]:gets("ID")})
        seen:clear()
    end
end
seen = grouper.new({"Source.0.IP4.0"}, {}, "DetectTime", "10m", on_grouped)
"#;

#[test]
fn rules_run_over_the_messages_of_the_event_store() {
    let home = Home::new();
    home.write("stellar.toml", FILE);
    put(&home, "1", "past", PAST, json!({"is_retro": true}));
    // Stored in another order than they happened.
    let messages = [
        message("c", 3),
        message("a", 1),
        message("late", 40),
        message("b", 2),
    ]
    .concat();
    home.run(&["event", "load", "-"], messages).ended(0);
    let retro = |more: &[&str]| {
        home.run(
            &[
                &["rule", "retro", "past", "--from", "2026-01-01T00:00:00Z"],
                more,
            ]
            .concat(),
            "",
        )
    };
    let ran = retro(&["--to", "2026-01-01T10:00:30Z", "--no-results"]).ended(0);
    assert_eq!(ran.out(), "3 events, 1 alerts, 0 failed calls\n");
    let cancel = Arc::default();
    let results = || store(&home).results("1", (0, 10), within(&cancel)).unwrap();
    assert_eq!(results().total, 0);
    let ran = retro(&["--sinks"]).ended(0);
    assert_eq!(ran.out(), "4 events, 1 alerts, 0 failed calls\n");
    assert_eq!(texts(&home), ["abc"]);
    assert_eq!(results().total, 1);
    let alert = &results().items[0].alert;
    assert_eq!(alert["text"], "abc");
    // The time is that of the message.
    assert_eq!(alert["time"], 1_767_261_603_000_i64);
    // Mistakes are told.
    let ran = home.run(
        &["rule", "retro", "passt", "--from", "2026-01-01T00:00:00Z"],
        "",
    );
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("did you mean past?"), "{}", ran.err);
    assert_eq!(retro(&["--to", "2025-01-01"]).code, Some(2));
    let ran = retro(&["--source", "nothing"]);
    assert!(
        ran.err.contains("no source is named nothing"),
        "{}",
        ran.err
    );
    // The same over HTTP.
    let server = Server::start(home, &[]);
    let ask = |id: &str, body: &str| {
        server.send(
            "POST",
            &format!("/cruddy/v2/logmule_go_rules/{id}/retro"),
            &[],
            body,
        )
    };
    let answer = ask("1", r#"{"from": "2026-01-01T00:00:00Z", "sinks": true}"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.json(),
        json!({"events": 4, "alerts": 1, "failed_calls": 0, "said": []})
    );
    assert_eq!(texts(&server.home), ["abc", "abc"]);
    assert_eq!(ask("2", r#"{"from": 0}"#).status, 404);
    for body in [
        "",
        "[]",
        "{}",
        r#"{"from": "soon"}"#,
        r#"{"from": 5, "to": 4}"#,
        r#"{"from": 5, "sinks": 1}"#,
        r#"{"from": 5, "form": 1}"#,
    ] {
        assert_eq!(ask("1", body).status, 400, "{body}");
    }
    // It is not among those that run over the stream.
    server.post(&event("a", 1));
    assert_eq!(server.metric("stellar_rule_events_total", "past"), None);
}
