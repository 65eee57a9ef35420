//! What feedoo printed for files of pipelines, and what this program prints for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use regex::Regex;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{Home, Ran};

const CASES: &str = "tests/conformance/feedoo";

/// Cases that run to their end with `--once` and print what feedoo printed.
const ONCE: &[&str] = &["c01", "c02", "c04", "c07", "c08", "c11", "c12", "c15"];

/// Cases with tests of their own below.
const OWN: &[&str] = &[
    "c05", "c10", "c13", "c16", "c17", "c19", "c20", "c21", "c23", "c24", "c26", "c27",
];

/// Cases of the forward protocol, which have tests in `pipeline_forward` and `pipeline_forward_clients`.
const FORWARD: &[&str] = &["c22", "c25"];

fn folder(case: &str) -> PathBuf {
    let found = std::fs::read_dir(CASES).unwrap().map(|e| e.unwrap().path());
    let mut found = found.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(case)
    });
    found.next().expect("a case")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A folder with the case, ready to be run.
fn home(case: &str) -> Home {
    let home = Home::new();
    copy(&folder(case), &home.path("."));
    shell(&home, "[ ! -f setup.sh ] || . ./setup.sh");
    home
}

fn shell(home: &Home, script: &str) {
    let mut shell = Command::new("sh");
    let ran = shell.current_dir(home.path(".")).args(["-c", script]);
    assert!(ran.status().unwrap().success(), "{script}");
}

/// Times are not the same twice.
fn masked(text: &str) -> String {
    let tag = Regex::new(r"(?m)^([^\[\n]*)\[[0-9.]+\]").unwrap();
    let field = Regex::new(r"'timestamp': [0-9]+").unwrap();
    let text = tag.replace_all(text, "$1[T]");
    field.replace_all(&text, "'timestamp': T").into_owned()
}

fn expected(case: &str) -> String {
    masked(&std::fs::read_to_string(folder(case).join("expected.stdout")).unwrap())
}

/// Where two pipelines print, only the order within each counts; they have tags of their own.
fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_by_key(|line| line.split('[').next().map(str::to_owned));
    lines
}

fn once(home: &Home) -> Ran {
    home.run(&["pipeline", "run", "--once", "pipeline.yaml"], "")
}

/// Runs a case beside a script, and ends it as a service manager does.
fn beside(home: &Home, script: &str) -> String {
    let out = File::create(home.path("out")).unwrap();
    let mut command = home.command(&["pipeline", "run", "pipeline.yaml"]);
    command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    shell(home, script);
    shell(home, &format!("kill -TERM {}", child.id()));
    assert!(child.wait().unwrap().success());
    std::fs::read_to_string(home.path("out")).unwrap()
}

#[test]
fn every_case_is_run_or_has_a_reason() {
    let exceptions = std::fs::read_to_string(format!("{CASES}/exceptions.toml")).unwrap();
    let exceptions: toml::Table = exceptions.parse().unwrap();
    let mut cases = 0;
    for entry in std::fs::read_dir(CASES).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        cases += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        let short = &name[..3];
        let entry = exceptions.get(name);
        if let Some(action) = entry.and_then(|entry| entry.get("later")) {
            let action = action.as_str().unwrap();
            let listed = Home::new().run(&["pipeline", "list", "--format", "ids"], "");
            let known = listed.ended(0);
            let known = known.lines().contains(&action);
            assert!(!known, "{action} is there: {name} is to be run");
            continue;
        }
        assert!(
            [ONCE, OWN, FORWARD].concat().contains(&short),
            "{name} is not run"
        );
        if let Some(entry) = entry {
            assert!(entry["reason"].as_str().unwrap().len() > 20, "{name}");
        }
    }
    assert_eq!(cases, 22);
}

#[test]
fn prints_what_feedoo_prints() {
    for case in ONCE {
        let home = home(case);
        let ran = once(&home).ended(0);
        let (printed, expected) = (masked(ran.out()), expected(case));
        if *case == "c15" {
            assert_eq!(sorted(&printed), sorted(&expected), "{case}");
        } else {
            assert_eq!(printed, expected, "{case}\n{}", ran.err);
        }
    }
    let home = home("c15");
    once(&home).ended(0);
    assert_eq!(
        std::fs::read_to_string(home.path("nodir-1970.json")).unwrap(),
        "{\"ts\": 1, \"m\": \"nodir\"}\n"
    );
}

#[test]
fn the_last_values_are_saved_in_feedoos_form() {
    let home = home("c07");
    once(&home).ended(0);
    let state: serde_json::Value =
        serde_json::from_slice(&std::fs::read(home.path("state.json")).unwrap()).unwrap();
    assert_eq!(
        state["data"],
        serde_json::json!({"foo.bar": [1], "other": "off"})
    );
    assert!(state["key_timeout"]["other"].is_i64());
    // The second run knows them: `on` is a change now.
    let again = once(&home).ended(0);
    assert!(
        masked(again.out()).contains("'old_value': [1], 'query_key': 'foo.bar', 'new_value': 'on'"),
        "{}",
        again.out()
    );
}

#[test]
fn one_bad_event_stops_nothing() {
    let home = home("c05");
    let ran = once(&home).ended(0);
    assert_eq!(
        masked(ran.out()),
        "t[T]: {'n': 1, 'ok': 1}\nt[T]: {'n': 3, 'ok': 3}\n"
    );
    assert!(
        ran.err.contains("the JSON in value is a list"),
        "{}",
        ran.err
    );
    let arguments = [
        "pipeline",
        "run",
        "--once",
        "pipeline.yaml",
        "--dead-letter",
        "dead",
    ];
    assert_eq!(home.run(&arguments, "").ended(0).err, "");
    let letter: serde_json::Value =
        serde_json::from_slice(&std::fs::read(home.path("dead")).unwrap()).unwrap();
    assert_eq!(letter["action"], "parser_json");
    assert_eq!(letter["record"]["n"], 2);
    assert_eq!(
        letter["reason"],
        "the JSON in value is a list, not an object"
    );
}

#[test]
fn dates_are_read() {
    let ran = once(&home("c16")).ended(0);
    // Whole seconds are integers, and offsets count.
    let recorded = expected("c16").replace(".0}", "}").replace(
        "{'n': 4, 'date': 1607675413}",
        "{'n': 4, 'date': 1607668213}",
    );
    let by_pipeline = |text: &str| {
        let (dated, others): (Vec<String>, Vec<String>) = text
            .lines()
            .map(str::to_owned)
            .partition(|line| line.contains("Friday"));
        (dated, others)
    };
    assert_eq!(by_pipeline(&masked(ran.out())), by_pipeline(&recorded));
}

#[test]
fn rows_are_read_and_removed() {
    for (case, more) in [
        ("c19", &[][..]),
        (
            "c21",
            &[
                "'f1', 'timestamp': 1607704500.5",
                "'f2', 'timestamp': 1607704502.2",
            ],
        ),
    ] {
        let home = home(case);
        let ran = once(&home).ended(0);
        // As without remove, where feedoo does not fail.
        let recorded = std::fs::read_to_string(folder("c23").join("expected.stdout")).unwrap();
        let known = recorded
            .lines()
            .take(9)
            .map(|line| line.split_once(": ").unwrap().1.to_owned());
        let more = more.iter().map(|rest| format!("{{'line': {rest}}}"));
        let wanted: Vec<String> = known.chain(more).collect();
        let lines = ran.lines();
        let lines: Vec<&str> = lines
            .iter()
            .map(|line| line.split_once(": ").unwrap().1)
            .collect();
        assert_eq!(lines, wanted, "{case}");
        shell(
            &home,
            "python3 -c \"import sqlite3; assert [n for n, in sqlite3.connect('src.db').execute('select name from sqlite_schema')] == ['other']\"",
        );
    }
}

#[test]
fn rows_are_read_as_their_time_comes() {
    let home = home("c23");
    let script = std::fs::read_to_string(folder("c23").join("during.sh")).unwrap();
    let script = script.replace("sleep 3;", "sleep 1;");
    let stamp = Regex::new("'timestamp': [0-9]+").unwrap();
    let fixed = |text: &str| {
        stamp
            .replace_all(&masked(text), "'timestamp': T")
            .into_owned()
    };
    assert_eq!(fixed(&beside(&home, &script)), fixed(&expected("c23")));
}

#[test]
fn the_examples_of_the_documentation_run() {
    let home = home("c24");
    let ran = once(&home).ended(0);
    assert_eq!(masked(ran.out()), "date[T]: {'date': 1607675413}\n");
    assert!(
        ran.err.contains("field_value is called query_key now"),
        "{}",
        ran.err
    );
}

#[test]
fn silence_is_told() {
    let home = home("c10");
    let out = masked(&beside(&home, "sleep 3.5"));
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("log[T]: {'log': '1'}"));
    assert_eq!(lines.next(), Some("log[T]: {'log': '2'}"));
    let alert = lines.next().expect("an alert");
    assert!(
        alert.starts_with("down[T]: {'timestamp': T, 'number_of_event': "),
        "{alert}"
    );
    assert!(
        alert.ends_with("'query_key': '', 'title': 'No more heartbeat'}"),
        "{alert}"
    );
}

#[test]
fn files_are_read_when_they_have_been_written() {
    let home = home("c13");
    let script = std::fs::read_to_string(folder("c13").join("during.sh")).unwrap();
    let sleep = Regex::new("sleep [0-9.]+").unwrap();
    let script = sleep.replace_all(&script, "sleep 0.8");
    assert_eq!(masked(&beside(&home, &script)), expected("c13"));
    assert!(!home.path("in2/f1").exists());
    assert!(!home.path("in2/f2").exists());
}

#[test]
fn variables_and_included_files() {
    let home = home("c17");
    let ran = once(&home).ended(0);
    let method = Regex::new("<built-in method [^>]*>").unwrap();
    let expected = expected("c17");
    let expected = method.replace(&expected, "{who.upper}");
    assert_eq!(sorted(&masked(ran.out())), sorted(&masked(&expected)));
}

#[test]
fn a_file_with_faults_is_not_started() {
    let home = home("c20");
    let ran = once(&home).ended(1);
    assert_eq!(ran.out(), "");
    for part in [
        "no action is named input_dumy",
        "did you mean input_dummy?",
        "input_dummy has no parameter bogus",
        "input_dummy lacks tag",
        "spike_type is up, down or both, not \"sideways\"",
        "pipeline.yaml:10:86",
    ] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
    let checked = home.run(&["pipeline", "check", "pipeline.yaml"], "");
    assert_eq!(checked.ended(1).err, ran.err);
}

#[test]
fn counters_are_served() {
    let home = home("c26");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let file = std::fs::read_to_string(home.path("pipeline.yaml")).unwrap();
    home.write("pipeline.yaml", file.replace("5555", &port.to_string()));
    let talk = home.talk(&["pipeline", "run", "pipeline.yaml"]);
    let line = talk.hear();
    assert!(masked(&line).starts_with("al[T]: {'timestamp': T, 'num_events': 2"));
    // Counters follow within a tenth of a second.
    std::thread::sleep(Duration::from_millis(500));
    let get = |path: &str| {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = get("/");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut states: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(states["timestamp"].take().is_f64());
    let recorded = std::fs::read_to_string(folder("c26").join("states.out")).unwrap();
    let from = recorded.find("\n{").unwrap();
    let until = recorded.find("\n}").unwrap() + 2;
    let mut recorded: serde_json::Value = serde_json::from_str(&recorded[from..until]).unwrap();
    recorded["timestamp"].take();
    assert_eq!(states, recorded);
    assert!(get("/x").starts_with("HTTP/1.1 404 "));
}

#[test]
fn windows_slide_by_the_time_of_the_events() {
    let home = Home::new();
    home.write(
        "p.yaml",
        "pipelines:\n  p:\n    - {name: input_dummy, tag: log, data: [{t: 100}, {t: 101}, {t: 103}, {t: 104}, {t: 105}, {t: 106}, {t: 120}]}\n    - {name: filter_frequency, match: log, tag: al, alert: {}, num_events: 3, timeframe: 3}\n    - {name: output_stdout, match: al}\n",
    );
    let arguments = ["pipeline", "run", "--once", "p.yaml", "--clock", "event:t"];
    let ran = home.run(&arguments, "").ended(0);
    // In the window of 105 are 103, 104 and 105; the one as old as the timeframe is out.
    let times: Vec<&str> = ran.lines();
    assert_eq!(
        times,
        [
            "al[105]: {'timestamp': 105, 'num_events': 3, 'timeframe': 3}",
            "al[106]: {'timestamp': 106, 'num_events': 3, 'timeframe': 3}",
        ]
    );
}
