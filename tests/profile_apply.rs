//! stellar profile apply: archives to measurements, whatever the order, the threads, the memory, and what gets killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use stellar::config::FixedClock;
use stellar::diagnostic::{Fault, Source};
use stellar::engine::Engine;
use stellar::eval::Context;
use stellar::input::{ChunkReader, Input};
use stellar::profile::batch::{Batch, Following, Late, Setting};
use stellar::profile::definition::{Definitions, parse};
use stellar::profile::measurement::Measurement;
use stellar::profile::period::Period;
use stellar::profile::runner::{Keep, Profiler};
use stellar::profile::store::{Marks, Place, ProfileStore};
use stellar::profile::{Embedded, FOLLOW, PROFILE};
use stellar::store::Store;
use support::Home;
use support::cells::{Cells, Silent, cells, within};

/// A quarter of an hour.
const DURATION: i64 = 900_000;

/// The beginning of period 1669628.
const START: i64 = 1_502_665_200_000;

const DEFINITIONS: &str = r#"{
    "timestampField": "ts",
    "profiles": [
        { "profile": "bytes", "foreach": "user", "init": { "s": "STATS_INIT()" },
          "update": { "s": "STATS_ADD(s, bytes)" }, "result": "s", "expires": 30 },
        { "profile": "https", "foreach": "addr", "onlyif": "protocol == 'HTTPS'", "init": { "n": "0" },
          "update": { "n": "n + 1" }, "result": "n" },
        { "profile": "order", "foreach": "user", "init": { "l": "[]" }, "update": { "l": "LIST_ADD(l, bytes)" },
          "groupBy": ["DAY_OF_WEEK()", "LENGTH(l) > 2"], "result": "JOIN(l, ',')" },
        { "profile": "whole", "foreach": "user", "update": { "last": "LENGTH(_)", "tags": "tags" },
          "result": "[last, tags, start]" },
        { "profile": "closing", "foreach": "protocol", "result": "[DAY_OF_YEAR(), NOW()]" }
    ]
}"#;

fn definitions(text: &str) -> Definitions {
    parse(&Arc::new(Source::expression(text))).expect("good definitions")
}

fn context() -> Context {
    Engine::bare().context.clone()
}

fn store(path: &Path) -> Embedded {
    Embedded::new(&Store::new(path, &[&PROFILE]))
}

/// What the shell's profiler measures when each period has a profiler of its own.
fn by_the_shell(lines: &[String], folder: &Path) -> Cells {
    let definitions = definitions(DEFINITIONS);
    let mut context = Profiler::context(&context());
    let mut periods: BTreeMap<i64, Profiler> = BTreeMap::new();
    for line in lines {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        let Some(time) = event["ts"].as_i64() else {
            continue;
        };
        let profiler = periods.entry(time / DURATION).or_insert_with(|| {
            Profiler::new(&definitions, DURATION, Keep::default(), &context).unwrap()
        });
        profiler.apply_line(line.as_bytes(), &context).unwrap();
    }
    let store = store(&folder.join("shell.db"));
    let go = Arc::default();
    for (number, mut profiler) in periods {
        let period = Period {
            number,
            duration: DURATION,
        };
        context.clock = Arc::new(FixedClock(period.end()));
        let flushed = profiler.flush(&context).unwrap();
        // Where every update has failed the shell, as Metron, knows no time and says period 0.
        let measured = flushed.into_iter().map(|f| Measurement {
            period,
            ..f.measurement
        });
        let measured: Vec<_> = measured.collect();
        store
            .write(&Place::default(), &measured, within(&go))
            .unwrap();
    }
    cells(&store)
}

fn setting(folder: &Path) -> Setting {
    Setting {
        duration: DURATION,
        place: Place::default(),
        begin: None,
        end: None,
        threads: 1,
        memory: 0,
        folder: folder.to_path_buf(),
        strict: false,
    }
}

/// What a batch measures, with the lines dealt out to so many files.
fn by_batch(lines: &[String], folder: &Path, files: usize, threads: usize, memory: usize) -> Cells {
    let inputs: Vec<Input> = lines
        .chunks(lines.len().div_ceil(files).max(1))
        .enumerate()
        .map(|(i, lines)| {
            let path = folder.join(format!("{i}.jsonl"));
            std::fs::write(&path, lines.join("\n")).unwrap();
            Input::File(path)
        })
        .collect();
    let setting = Setting {
        threads,
        memory,
        ..setting(folder)
    };
    let mut batch = Batch::new(&definitions(DEFINITIONS), setting, &context()).unwrap();
    batch
        .read(ChunkReader::new(&inputs, None, 1 << 20), &mut Silent)
        .unwrap();
    let store = store(&folder.join("batch.db"));
    batch.write(&store, &|_, _| {}).unwrap();
    cells(&store)
}

/// What a follower measures of a file, started anew after every so many lines have been written.
fn by_follower(lines: &[String], folder: &Path, runs: usize, expected: &Cells) -> Cells {
    let path = folder.join("growing.jsonl");
    std::fs::write(&path, "").unwrap();
    let file = Store::new(&folder.join("follow.db"), &[&PROFILE, &FOLLOW]);
    let (store, marks) = (Embedded::new(&file), Marks::new(&file));
    let following = Following {
        lag: 2 * DURATION,
        idle: Duration::from_secs(60),
        late: Late::Drop,
        name: "test".into(),
    };
    // The last event closes all periods.
    let last = format!("{{\"ts\": {}, \"user\": \"\"}}", START + 50 * DURATION);
    let all: Vec<&String> = lines.iter().chain([&last]).collect();
    let parts = all.chunks(all.len().div_ceil(runs));
    let count = parts.len();
    for (part, written) in parts.enumerate() {
        let mut out = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        for line in written {
            writeln!(out, "{line}").unwrap();
        }
        let context = context();
        let batch = Batch::new(&definitions(DEFINITIONS), setting(folder), &context).unwrap();
        std::thread::scope(|scope| {
            let cancel = context.cancel.clone();
            let inputs = [Input::File(path.clone())];
            let (batch, following, store, marks) = (&batch, &following, &store, &marks);
            let run = move || {
                let mut hear = |_: usize, _: u64, _: &Fault| true;
                batch
                    .follow(&inputs, following, store, marks, &mut hear, &mut |_| {})
                    .unwrap()
            };
            let running = scope.spawn(run);
            std::thread::sleep(Duration::from_millis(150));
            // The last run has the time that it needs.
            let started = Instant::now();
            while part + 1 == count && started.elapsed() < Duration::from_secs(60) {
                if cells(store) == *expected {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            cancel.store(true, Ordering::Relaxed);
            running.join().unwrap();
        });
    }
    cells(&store)
}

fn event() -> impl Strategy<Value = String> {
    let time = (0..6 * DURATION).prop_map(|t| (START + t).to_string());
    let time =
        prop_oneof![20 => time, 1 => Just("null".to_string()), 1 => Just("\"then\"".to_string())];
    let bytes = prop_oneof![
        4 => any::<u16>().prop_map(|n| n.to_string()),
        2 => any::<i64>().prop_map(|n| n.to_string()),
        2 => any::<f32>().prop_filter("JSON", |x| x.is_finite()).prop_map(|x| format!("{x:?}")),
        1 => Just("18446744073709551617".to_string()),
        1 => Just("null".to_string()),
        1 => Just("\"many\"".to_string()),
    ];
    let user = prop_oneof![6 => "[a-e]", 1 => "[à-ü]{30}", 1 => Just(String::new())];
    let protocol = prop_oneof![Just("HTTP"), Just("HTTPS"), Just("DNS")];
    let tags = prop_oneof![
        Just("null"),
        Just("[1, 2.5, \"x\", {\"a\": [true, null]}]"),
        Just("{\"b\": {\"c\": 5}, \"a\": []}"),
    ];
    let good = (time, bytes, user, protocol, tags, 0..4u8).prop_map(
        |(time, bytes, user, protocol, tags, address)| {
            format!(
                r#"{{"ts": {time}, "user": "{user}", "addr": "10.0.0.{address}", "protocol": "{protocol}", "bytes": {bytes}, "tags": {tags}}}"#
            )
        },
    );
    prop_oneof![30 => good, 1 => Just("no event".to_string()), 1 => Just(String::new())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, max_shrink_iters: 24, ..ProptestConfig::default() })]

    #[test]
    fn followed_with_interruptions_as_the_shell(
        mut lines in prop::collection::vec(event(), 0..300),
        runs in 1..5usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let time = |line: &String| {
            let event = serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
            event["ts"].as_i64().map_or(0, |ts| ts / (2 * DURATION))
        };
        // Never later than the lag allows.
        lines.sort_by_key(time);
        lines.retain(|line| !line.contains("\"user\": \"\""));
        let expected = by_the_shell(&lines, folder.path());
        prop_assert_eq!(&expected, &by_follower(&lines, folder.path(), runs, &expected));
    }

    #[test]
    fn as_the_shell_whatever_the_order_threads_and_memory(
        lines in prop::collection::vec(event(), 0..400),
        files in 1..30usize,
        threads in 1..5usize,
        memory in prop_oneof![Just(0usize), 1000..20_000usize, Just(1 << 30)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        // The shell refuses entities without a name, which the batch only counts.
        let named = |line: &&String| !line.contains("\"user\": \"\"");
        let for_shell: Vec<String> = lines.iter().filter(named).cloned().collect();
        let expected = by_the_shell(&for_shell, folder.path());
        prop_assert_eq!(&expected, &by_batch(&for_shell, folder.path(), files, threads, memory));
    }
}

const SIMPLE: &str = r#"{
    "timestampField": "ts",
    "profiles": [{ "profile": "events", "foreach": "user", "init": { "n": "0" }, "update": { "n": "n + 1" },
                   "result": "n" }]
}"#;

/// What `profile get` shows of an entity.
fn got(home: &Home, profile: &str, entity: &str) -> Vec<serde_json::Value> {
    home.run(&["profile", "get", profile, entity], "").json()
}

#[test]
fn files_in_any_order_give_a_measurement_for_each_entity_and_period() {
    let home = Home::new();
    home.write("p.json", SIMPLE);
    let at = |minutes: i64, user: &str| {
        format!(
            "{{\"ts\": {}, \"user\": \"{user}\"}}\n",
            START + minutes * 60_000
        )
    };
    home.write(
        "2.jsonl",
        [at(20, "eve"), at(1, "eve"), at(2, "bob")].concat(),
    );
    home.write("1.jsonl", [at(16, "eve"), at(0, "eve")].concat());
    home.write("3.csv", format!("user,ts\neve,{}\n", START + 14 * 60_000));
    let command = [
        "profile", "apply", "-c", "p.json", "2.jsonl", "1.jsonl", "3.csv",
    ];
    let ran = home.run(&command, "").ended(0);
    assert_eq!(
        ran.json(),
        [
            json!({"profile": "events", "messages": 6, "routes": 6, "entities": 2, "measurements": 3, "errors": 0})
        ]
    );
    assert_eq!(ran.err, "");
    let eve = got(&home, "events", "eve");
    assert_eq!(
        eve,
        [
            json!({"from": "2017-08-13T23:00:00Z", "to": "2017-08-13T23:15:00Z", "period": 1_669_628,
                "duration": DURATION, "value": 3}),
            json!({"from": "2017-08-13T23:15:00Z", "to": "2017-08-13T23:30:00Z", "period": 1_669_629,
                "duration": DURATION, "value": 2}),
        ]
    );
    // The same again changes nothing; the place comes from the client's settings.
    home.run(&command, "").ended(0);
    assert_eq!(got(&home, "events", "eve"), eve);
    let hours = [
        "--set",
        "globals.\"profiler.client.period.duration.units\"=\"HOURS\"",
    ];
    let other = [&hours[..], &command[..]].concat();
    home.run(&other, "").ended(0);
    let hours = [&hours[..], &["profile", "get", "events", "eve"]].concat();
    let long = home.run(&hours, "").ended(0).json();
    assert!(
        long.iter()
            .any(|row| row["value"] == 5 && row["duration"] == 15 * 3_600_000),
        "{long:?}"
    );
    // Bounds are instants, and both belong to what is wanted.
    let home = Home::new();
    home.write("p.json", SIMPLE);
    let events = [at(20, "eve"), at(1, "eve"), at(2, "eve"), at(3, "eve")].concat();
    let bounds = [
        "--begin",
        "2017-08-13T23:01:00Z",
        "--end",
        "2017-08-13T23:02:00Z",
        "--stats",
    ];
    let ran = home
        .run(&[&command[..4], &bounds].concat(), events)
        .ended(0);
    assert!(
        ran.err
            .contains("read 4, taken 2, bad 0, outside 2, measurements 1,"),
        "{}",
        ran.err
    );
    assert_eq!(got(&home, "events", "eve")[0]["value"], 2);
}

#[test]
fn bad_events_are_shown_and_counted() {
    let home = Home::new();
    home.write("p.json", SIMPLE);
    let good = format!("{{\"ts\": {START}, \"user\": \"eve\"}}\n");
    let bad = "{\"user\": \"eve\"}\n{\"user\": \"eve\", \"ts\": \"then\"}\n{\n".to_string()
        + &"[]\n".repeat(9);
    home.write("e.jsonl", good.clone() + &bad + &good);
    let command = ["profile", "apply", "-c", "p.json", "e.jsonl"];
    let ran = home.run(&command, "").ended(1);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(lines.len(), 11, "{}", ran.err);
    assert!(
        lines[0].starts_with("e.jsonl:2: E0401 the event has no time"),
        "{}",
        ran.err
    );
    assert!(
        lines[1].starts_with("e.jsonl:3: E0401 the time of the event is the string 'then'"),
        "{}",
        ran.err
    );
    assert_eq!(lines[10], "… and 2 more bad or failed lines");
    assert_eq!(got(&home, "events", "eve")[0]["value"], 2);
    // A strict run stores nothing.
    let home = Home::new();
    home.write("p.json", SIMPLE);
    home.write("e.jsonl", good.clone() + &bad + &good);
    let ran = home
        .run(&[&command[..], &["--strict"]].concat(), "")
        .ended(1);
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
    assert_eq!(got(&home, "events", "eve"), [] as [serde_json::Value; 0]);
}

#[test]
fn what_fails_in_a_profile_is_told_and_hinders_no_other() {
    let home = Home::new();
    let failing = r#"{ "profile": "failing", "foreach": "user", "init": { "n": "0" },
        "update": { "n": "STATS_ADD(n, 1)", "f": "x -> x" }, "result": "n" },
        { "profile": "lambda", "foreach": "user", "init": { "n": "x -> x" }, "result": "n" },"#;
    let definitions = SIMPLE.replace("\"profiles\": [", &format!("\"profiles\": [{failing}"));
    home.write("p.json", definitions);
    let events = format!("{{\"ts\": {START}, \"user\": \"eve\"}}\n").repeat(3)
        + &format!("{{\"ts\": {START}, \"user\": \"\"}}\n");
    let ran = home
        .run(
            &["profile", "apply", "-c", "p.json", "--memory", "0"],
            events,
        )
        .ended(1);
    let rows = ran.json();
    assert_eq!(rows[2]["measurements"], 1, "{rows:?}");
    assert_eq!(rows[2]["errors"], 1, "{rows:?}");
    assert_eq!(rows[1]["measurements"], 0, "{rows:?}");
    assert!(
        ran.err
            .contains("profile failing: update of n failed 3×: STATS_ADD"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("(entity eve)"), "{}", ran.err);
    assert!(
        ran.err
            .contains("profile lambda: result failed 1×: n: E0203"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("profile events: foreach failed 1×: user"),
        "{}",
        ran.err
    );
    assert_eq!(got(&home, "events", "eve")[0]["value"], 3);
}

#[test]
fn definitions_must_name_a_time_and_a_profile() {
    let home = Home::new();
    for (text, words) in [
        (
            "{\"profiles\": [{\"profile\": \"p\", \"foreach\": \"a\", \"result\": \"1\"}]}",
            "timestampField",
        ),
        (
            "{\"timestampField\": \"ts\", \"profiles\": []}",
            "no profiles",
        ),
        (
            "{\"timestampField\": \"ts\", \"profiles\": [{\"profile\": \"p\"}]}",
            "foreach",
        ),
    ] {
        home.write("p.json", text);
        let ran = home.run(&["profile", "apply", "-c", "p.json"], "").ended(1);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    let ran = home
        .run(&["profile", "apply", "-c", "none.json"], "")
        .ended(1);
    assert!(ran.err.contains("none.json"), "{}", ran.err);
    home.write("p.json", SIMPLE);
    home.run(
        &["profile", "apply", "-c", "p.json", "--memory", "much"],
        "",
    )
    .ended(2);
    home.run(&["profile", "apply", "-c", "p.json", "--begin", "soon"], "")
        .ended(2);
}

/// Files of events of many users and periods.
fn archive(home: &Home) -> Vec<String> {
    let names: Vec<String> = (0..8).map(|i| format!("{i}.jsonl")).collect();
    for (i, name) in names.iter().enumerate() {
        let line = |n: usize| {
            let time = START + (n * 7919 + i * 31) as i64 % (8 * DURATION);
            let (user, address) = (n % 60, n % 17);
            format!(
                "{{\"ts\": {time}, \"user\": \"user-{user}\", \"addr\": \"10.0.0.{address}\", \"protocol\": \"HTTPS\", \
                 \"bytes\": {}, \"tags\": null}}\n",
                n * 17 % 1000
            )
        };
        home.write(name, (0..1500).map(line).collect::<String>());
    }
    names
}

#[test]
fn what_was_killed_and_run_again_is_as_run_once() {
    let rounds: u64 = std::env::var("STELLAR_KILL_ROUNDS").map_or(10, |n| n.parse().unwrap());
    let home = Home::new();
    home.write("p.json", DEFINITIONS);
    let names = archive(&home);
    let arguments = |database: &str, memory: &'static str| {
        let path = format!("store.path=\"{}\"", home.path(database).display());
        let mut all = vec!["--set".to_string(), path];
        all.extend(["profile", "apply", "-c", "p.json", "--memory", memory].map(String::from));
        all.extend(names.iter().cloned());
        all
    };
    let run = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        home.command(&arguments)
    };
    let started = Instant::now();
    assert!(
        run(&arguments("clean.db", "256MiB"))
            .output()
            .unwrap()
            .status
            .success()
    );
    let whole = started.elapsed();
    let clean = cells(&store(&home.path("clean.db")));
    assert!(clean.len() > 1000, "{}", clean.len());
    for round in 0..rounds {
        let name = format!("{round}.db");
        let arguments = arguments(&name, if round % 2 == 0 { "256MiB" } else { "100KiB" });
        for part in 1..3 {
            // The moment of death varies: reading, measuring, storing.
            let mut life = whole.mul_f64(((round * 37 + part * 11) % 100) as f64 / 100.0);
            loop {
                let mut child = run(&arguments).spawn().unwrap();
                std::thread::sleep(life);
                let alive = child.try_wait().unwrap().is_none();
                child.kill().unwrap();
                child.wait().unwrap();
                if alive {
                    break;
                }
                // It was faster than the clean run: again from the beginning, and sooner.
                life /= 2;
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(home.path(&format!("{name}{end}")));
                }
            }
        }
        assert!(run(&arguments).output().unwrap().status.success());
        assert!(cells(&store(&home.path(&name))) == clean, "round {round}");
        // Nothing is left lying about.
        let left = std::fs::read_dir(home.path("")).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(".tmp")
        });
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn an_interrupted_run_ends_and_stores_nothing() {
    let home = Home::new();
    home.write("p.json", SIMPLE);
    let mut talk = home.talk(&["profile", "apply", "-c", "p.json", "-"]);
    talk.say(format!("{{\"ts\": {START}, \"user\": \"eve\"}}\n"));
    std::thread::sleep(Duration::from_millis(300));
    talk.interrupt();
    assert_eq!(talk.end().0, Some(1));
    assert_eq!(got(&home, "events", "eve"), [] as [serde_json::Value; 0]);
}

#[test]
fn a_stream_is_measured_as_its_periods_end() {
    let home = Home::new();
    home.write("p.json", SIMPLE);
    let at = |minutes: i64| {
        format!(
            "{{\"ts\": {}, \"user\": \"eve\"}}\n",
            START + minutes * 60_000
        )
    };
    // The second event of the first period comes within the lag, the last one does not.
    let events = [at(1), at(15), at(2), at(16), at(3), at(32)].concat();
    let ran = home
        .run(
            &["profile", "apply", "-c", "p.json", "--follow", "--stats"],
            events,
        )
        .ended(0);
    assert!(
        ran.err
            .contains("read 6, taken 5, bad 0, outside 0, measurements 3,"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("1 event came too late"), "{}", ran.err);
    let values: Vec<_> = got(&home, "events", "eve")
        .iter()
        .map(|row| row["value"].clone())
        .collect();
    assert_eq!(values, [json!(2), json!(2), json!(1)]);
    let table = home.write("t.csv", "a,b\n");
    home.run(
        &[
            "profile",
            "apply",
            "-c",
            "p.json",
            "--follow",
            table.to_str().unwrap(),
        ],
        "",
    )
    .ended(1);
    home.run(&["profile", "apply", "-c", "p.json", "--lag", "1m"], "")
        .ended(2);
}

#[test]
fn files_are_followed_and_gone_on_with() {
    let home = Home::new();
    home.write("p.json", SIMPLE);
    let at = |minutes: i64| {
        format!(
            "{{\"ts\": {}, \"user\": \"eve\"}}\n",
            START + minutes * 60_000
        )
    };
    let path = home.write("e.jsonl", at(1));
    let command = [
        "profile", "apply", "-c", "p.json", "--follow", "--lag", "1s", "e.jsonl",
    ];
    let append = |text: String| {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let value = |period: usize| {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let rows = got(&home, "events", "eve");
            if let Some(row) = rows.get(period) {
                return row["value"].clone();
            }
            assert!(Instant::now() < deadline, "{rows:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let mut talk = home.talk(&command);
    std::thread::sleep(Duration::from_millis(300));
    append(at(2) + &at(16));
    assert_eq!(value(0), 2);
    // A kill loses nothing, and the event of the open period is not counted twice.
    drop(talk);
    append(at(17) + &at(3));
    talk = home.talk(&command);
    append(at(18) + &at(31));
    assert_eq!(value(1), 3);
    assert_eq!(value(0), 2);
    // A new file in the place of the old one is read from its beginning.
    std::fs::rename(&path, home.path("old.jsonl")).unwrap();
    std::fs::write(&path, at(32) + &at(46)).unwrap();
    assert_eq!(value(2), 2);
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}
