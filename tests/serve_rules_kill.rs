//! Killing a server under load: no rule whose creation was answered is lost, and no group is older than the last saving,
//! which comes every `rule.save`; what a source gives again after a crash raises the same alerts, which are kept once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::serving::{Server, lines, put, send, store, wait_until, within};
use support::{Dice, Home};

/// Keeps what it sees, and tells the highest number when it is asked.
const KEEPS: &str = r#"
function on_logline(line) seen:feed(line) end
function on_grouped(grouped)
    local lines = grouped.aggregatedData.loglines
    if lines[#lines]:get("probe") then
        local most = 0
        for _, one in ipairs(lines) do
            local n = tonumber(one:gets("n")) or 0
            if n > most then most = n end
        end
        alert({template = tostring(most)})
        seen:clear()
    end
end
seen = grouper.new({"user"}, {}, "@timestamp", "1h", on_grouped)
"#;

const CONFIG: &str =
    "[rule]\nsave = \"300ms\"\n[rule.sinks.file]\naction = \"output_file\"\npath = \"alerts\"\n";

fn event(n: u64, probe: bool) -> String {
    let event = json!({"user": "u", "n": n, "probe": probe.then_some(true), "@timestamp": "2026-01-01T10:00:00Z"});
    format!("{event}\n")
}

/// Ends the others, also when a check fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn rounds() -> usize {
    let rounds = std::env::var("STELLAR_KILL_ROUNDS").ok();
    rounds.and_then(|text| text.parse().ok()).unwrap_or(3)
}

#[test]
fn a_killed_server_loses_no_rule_and_no_saved_group() {
    let mut home = Home::new();
    home.write("stellar.toml", CONFIG);
    put(&home, "keeps", "keeps", KEEPS, json!({}));
    let mut dice = Dice(0x5eed);
    let mut made = Vec::new();
    for round in 0..rounds() {
        home = killed(home, round, &mut dice, &mut made);
        let server = Server::start(home, &[]);
        let (rules, cancel) = (store(&server.home), Arc::default());
        for id in &made {
            let rule = rules.rule(id, within(&cancel)).unwrap();
            assert!(rule.is_some(), "round {round}: the rule {id} is lost");
        }
        home = server.end();
    }
}

/// A server under load that is killed, and one after it that is asked what it knows.
fn killed(home: Home, round: usize, dice: &mut Dice, made: &mut Vec<String>) -> Home {
    let server = Server::start(home, &[]);
    let (end, taken, created) = (
        AtomicBool::new(false),
        AtomicU64::new(0),
        Mutex::new(Vec::new()),
    );
    let address = server.address.clone();
    let (home, known) = std::thread::scope(|scope| {
        let _ends = Ends(&end);
        scope.spawn(|| {
            let mut n = 0;
            while !end.load(Ordering::Relaxed) {
                let body: String = (1..=20).map(|more| event(n + more, false)).collect();
                let path = "/logmule_go_rules/events";
                match send(&address, "POST", path, &[], body.as_bytes()) {
                    Ok(answer) if answer.status == 200 => {
                        n += 20;
                        taken.store(n, Ordering::SeqCst);
                    }
                    _ => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        scope.spawn(|| {
            let mut number = 0;
            while !end.load(Ordering::Relaxed) {
                // A store of thousands of rules would be another test.
                if created.lock().unwrap().len() >= 100 {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
                number += 1;
                let id = format!("r{round}-{number}");
                let mut body = support::rules::body(&id, &id);
                body["lua"] = json!("function on_logline(e) end");
                body["active"] = json!(number % 10 == 0);
                body["settings"] = json!({});
                let path = "/cruddy/v2/logmule_go_rules/create";
                match send(&address, "POST", path, &[], body.to_string().as_bytes()) {
                    Ok(answer) if answer.status == 201 => created.lock().unwrap().push(id),
                    _ => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        wait_until(|| taken.load(Ordering::SeqCst) > 0 && !created.lock().unwrap().is_empty());
        let known = taken.load(Ordering::SeqCst);
        // The first saving from now on may have begun before; the second has begun after.
        let rules = store(&server.home);
        let cancel = Arc::default();
        let saved = || {
            rules
                .state("keeps", "groups:serve", within(&cancel))
                .unwrap()
                .map(|(at, _)| at)
        };
        for _ in 0..2 {
            let before = saved();
            wait_until(|| saved() != before);
        }
        std::thread::sleep(Duration::from_millis(dice.roll(50) as u64));
        (server.kill(), known)
    });
    made.extend(created.into_inner().unwrap());
    let server = Server::start(home, &[]);
    let answer = server.post(&event(0, true));
    assert_eq!(answer.status, 200, "round {round}: {answer:?}");
    let told = lines(&server.home, "alerts");
    let most = told.last().unwrap()["text"].as_str().unwrap().to_owned();
    let most: u64 = most.parse().unwrap();
    assert!(most >= known, "round {round}: {most} is less than {known}");
    assert_eq!(told.len(), round + 1);
    server.end()
}

/// Alerts of all lines of a source; two lines that are alike are two.
const EACH: &str = "function on_logline(e) alert({template = e:gets('n'), logs = {e}}) end";

const SOURCE: &str = r#"
[rule]
sources = ["logins"]
since = "20000d"
[rule.sinks.store]
action = "output_event"
[sources.logins]
files = "logins.jsonl"
time = "@timestamp"
follow = true
"#;

#[test]
fn what_comes_again_after_a_crash_is_kept_once() {
    let mut home = Home::new();
    home.write("stellar.toml", SOURCE);
    put(&home, "each", "each", EACH, json!({}));
    let mut dice = Dice(0xa1e7);
    let written = AtomicU64::new(0);
    let write = |home: &Home| {
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(home.path("logins.jsonl"))
            .unwrap();
        for _ in 0..50 {
            let n = written.fetch_add(1, Ordering::SeqCst);
            let second = n / 100 % 60;
            let event = json!({"n": n, "@timestamp": format!("2026-01-01T{:02}:{:02}:{second:02}Z", n / 360_000, n / 6000 % 60)});
            write!(file, "{event}\n{event}\n").unwrap();
        }
    };
    let stored = |home: &Home| {
        let found = home
            .run(&["event", "search", "--format", "jsonl"], "")
            .ended(0)
            .json();
        let mut notes = BTreeMap::<u64, usize>::new();
        for idea in found {
            let n = idea["Note"].as_str().unwrap().parse().unwrap();
            *notes.entry(n).or_default() += 1;
        }
        notes
    };
    for _ in 0..rounds() {
        let server = Server::start(home, &[]);
        let before = stored(&server.home).len();
        // Some of what is read is stored when the server is killed, and mostly not all of it.
        for _ in 0..=dice.roll(4) {
            write(&server.home);
        }
        wait_until(|| stored(&server.home).len() > before);
        write(&server.home);
        std::thread::sleep(Duration::from_millis(dice.roll(30) as u64));
        home = server.kill();
    }
    let server = Server::start(home, &[]);
    let all = written.load(Ordering::SeqCst);
    wait_until(|| {
        stored(&server.home).len() as u64 == all && stored(&server.home).values().all(|n| *n == 2)
    });
    let home = server.end();
    let notes = stored(&home);
    assert!(notes.values().all(|times| *times == 2), "{notes:?}");
    // Results are written before places are.
    let cancel = Arc::default();
    let results = store(&home)
        .results("each", (0, 100_000), within(&cancel))
        .unwrap();
    let mut texts = BTreeMap::<&str, usize>::new();
    for one in &results.items {
        *texts
            .entry(one.alert["text"].as_str().unwrap())
            .or_default() += 1;
    }
    assert_eq!(texts.len() as u64, all);
    assert!(texts.values().all(|times| *times == 2), "{texts:?}");
}
