//! input_file: what is read once, what is removed, what cannot be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::Home;

const PATIENCE: Duration = Duration::from_secs(60);

const ONCE: [&str; 4] = ["pipeline", "run", "--once", "p.yaml"];

/// A pipeline that prints the lines of files.
fn lines(more: &str) -> String {
    format!(
        "pipelines:\n  p:\n    - {{name: input_file, tag: l, watch_path: in, path_pattern: 'in/**/*.log'{more}}}\n    - {{name: output_stdout, match: '*'}}\n"
    )
}

#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(name: &str, id: u32) {
    let sent = Command::new("kill").args([name, &id.to_string()]).status();
    assert!(sent.unwrap().success());
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn what_was_written_since_it_was_read_is_not_removed() {
    let home = Home::new();
    // The lines of b.log wait for a reader of the output, and so does the checkpoint.
    home.write("in/a.log", "first\n");
    let many = format!("{}\n", "y".repeat(100)).repeat(40_000);
    home.write("in/b.log", many);
    home.write("p.yaml", lines(", remove: true"));
    let mut command = home.command(&["pipeline", "run", "p.yaml"]);
    command.stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    home.write("in/a.log", "second\n");
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("'second'") {
        line.clear();
        let read = std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        assert!(read > 0, "the second line comes");
    }
    until("the files go", || {
        !home.path("in/a.log").exists() && !home.path("in/b.log").exists()
    });
    signal("-TERM", child.id());
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

const COUNTED: &str = "pipelines:\n  p:\n    - {name: input_file, tag: x, watch_path: in, path_pattern: in/*.log}\n    - {name: parser_json, match: x, key: log}\n    - {name: output_archive, match: x, time_key: t, path_template: out/log.json}\n";

fn numbers(home: &Home) -> Vec<u64> {
    let text = std::fs::read_to_string(home.path("out/log.json")).unwrap_or_default();
    let number = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).expect("a whole line");
        json["n"].as_u64().unwrap()
    };
    text.lines().map(number).collect()
}

/// Stops a run in the middle of a file with a signal, again and again, and lets the last one finish.
fn stopped_by(name: &str) {
    const LINES: u64 = 200_000;
    let home = Home::new();
    let line = |n| {
        format!(
            "{{\"t\": 1, \"n\": {n}, \"more\": \"{}\"}}\n",
            "z".repeat(50)
        )
    };
    home.write("in/a.log", (0..LINES).map(line).collect::<String>());
    home.write(
        "in/b.log",
        (LINES..LINES + 10).map(line).collect::<String>(),
    );
    home.write("p.yaml", COUNTED);
    let arguments = ["pipeline", "run", "p.yaml", "--state", "s.json"];
    let mut most = 0;
    for wait in [300, 900, 1500] {
        let mut command = home.command(&arguments);
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        signal(name, child.id());
        child.wait().unwrap();
        if name == "-TERM" {
            most = most.max(numbers(&home).len());
        }
    }
    home.run(&[&ONCE[..], &["--state", "s.json"]].concat(), "")
        .ended(0);
    let found = numbers(&home);
    assert_eq!(found.len() as u64, LINES + 10, "after {most}");
    assert!(found.iter().copied().eq(0..LINES + 10));
}

#[test]
fn a_clean_stop_doubles_nothing() {
    stopped_by("-TERM");
}

#[test]
fn a_crash_doubles_nothing_in_an_archive() {
    stopped_by("-KILL");
}

#[test]
fn files_that_were_read_are_not_read_again_but_when_they_have_changed() {
    let home = Home::new();
    home.write("in/a.log", "one\n");
    home.write("in/sub/b.log", "two\n");
    home.write("p.yaml", lines(", db_path: place.json"));
    let run = || {
        let ran = home.run(&ONCE, "").ended(0);
        let text = |line: &&str| line.split('\'').nth(3).unwrap().to_owned();
        ran.lines().iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(run(), ["one", "two"]);
    assert!(run().is_empty());
    home.write("in/a.log", "one\nthree\n");
    assert_eq!(run(), ["one", "three"]);
    home.write("in/sub/c.log", "four");
    assert_eq!(run(), ["four"]);
    assert!(run().is_empty());
}

#[test]
fn names_need_not_be_text() {
    let home = Home::new();
    home.write("in/a.log", "one\n");
    let odd = home.path("in").join(OsStr::from_bytes(b"b\xff.log"));
    std::fs::write(&odd, "two\n").unwrap();
    home.write("p.yaml", lines(", remove: true, db_path: place.json"));
    let ran = home.run(&ONCE, "").ended(0);
    assert_eq!(ran.lines().len(), 2, "{}", ran.err);
    assert!(!odd.exists());
}

#[test]
fn nobody_is_waited_for_who_does_not_write() {
    let home = Home::new();
    home.write("in/b.log", "one\n");
    fifo(&home.path("in/a.log"));
    home.write("p.yaml", lines(""));
    assert_eq!(home.run(&ONCE, "").ended(0).lines().len(), 1);
    let mut talk = home.talk(&["pipeline", "run", "p.yaml"]);
    assert!(talk.hear().contains("'one'"));
    fifo(&home.path("in/c.log"));
    home.write("in/d.log", "two\n");
    assert!(talk.hear().contains("'two'"));
    talk.interrupt();
    let (code, time) = talk.end();
    assert_eq!(code, Some(0));
    assert!(time < Duration::from_secs(20));
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_goes_on() {
    let home = Home::new();
    home.write("in/a.log", "one\n");
    // A link that leads to itself cannot be read by anybody.
    std::os::unix::fs::symlink("b.log", home.path("in/b.log")).unwrap();
    home.write("in/c.log", "two\n");
    home.write("p.yaml", lines(""));
    assert_eq!(home.run(&ONCE, "").ended(0).lines().len(), 2);
    // Reading the memory of a process at its beginning is refused, though it can be opened.
    std::os::unix::fs::symlink("/proc/self/mem", home.path("in/d.log")).unwrap();
    home.write("in/e.log", "three\n");
    let ran = home.run(&ONCE, "").ended(1);
    assert_eq!(ran.lines().len(), 3, "{}", ran.err);
    assert!(ran.err.contains("in/d.log cannot be read"), "{}", ran.err);
}

#[test]
fn pipelines_whose_inputs_have_all_failed_end() {
    let home = Home::new();
    home.write("p.yaml", lines(""));
    let ran = home.run(&["pipeline", "run", "p.yaml"], "").ended(1);
    assert!(ran.err.contains("in cannot be read"), "{}", ran.err);
}

#[test]
fn long_lines_take_time_in_proportion_and_end_in_the_dead_letters() {
    let home = Home::new();
    let mut file = std::fs::File::create(home.write("in/a.log", "")).unwrap();
    for piece in [
        "short\r",
        "é",
        &"é".repeat(40 << 20),
        "\r\nlast\r\n",
        &"é".repeat(9 << 20),
    ] {
        file.write_all(piece.as_bytes()).unwrap();
    }
    drop(file);
    home.write("p.yaml", lines(""));
    let started = Instant::now();
    let ran = home
        .run(&[&ONCE[..], &["--dead-letter", "dead"]].concat(), "")
        .ended(0);
    assert!(started.elapsed() < Duration::from_secs(10));
    let found: Vec<&str> = ran
        .lines()
        .iter()
        .map(|line| line.split('\'').nth(3).unwrap())
        .collect();
    assert_eq!(found, ["short", "last"]);
    let dead = std::fs::read_to_string(home.path("dead")).unwrap();
    assert_eq!(dead.lines().count(), 2);
    for letter in dead.lines() {
        let letter: serde_json::Value = serde_json::from_str(letter).unwrap();
        assert!(letter["reason"].as_str().unwrap().contains("limits.line"));
        assert_eq!(letter["record"]["log"], "é".repeat(500));
    }
}

#[test]
fn a_pattern_that_nothing_below_the_folder_can_match_is_a_fault() {
    let home = Home::new();
    let file = lines("").replace("'in/**/*.log'", "/elsewhere/*.log");
    home.write("p.yaml", file);
    let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
    assert!(
        ran.err.contains("can match /elsewhere/*.log"),
        "{}",
        ran.err
    );
    // Relative or not does not matter.
    let absolute = home.path("in").display().to_string();
    home.write(
        "p.yaml",
        lines("").replace("watch_path: in", &format!("watch_path: {absolute}")),
    );
    home.write("in/a.log", "");
    let mut talk = home.talk(&["pipeline", "run", "p.yaml"]);
    std::thread::sleep(Duration::from_millis(300));
    home.write("in/a.log", "one\n");
    assert!(talk.hear().contains("'one'"));
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn what_the_system_could_not_tell_is_looked_for() {
    let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events");
    let limit: usize = limit.map_or(16384, |text| text.trim().parse().unwrap());
    let many = limit / 2 + 500;
    let home = Home::new();
    std::fs::create_dir(home.path("in")).unwrap();
    home.write("p.yaml", lines(", remove: true"));
    let mut command = home.command(&["pipeline", "run", "p.yaml"]);
    command.stdout(std::fs::File::create(home.path("out")).unwrap());
    let mut child = command.spawn().unwrap();
    home.write("in/first.log", "first\n");
    until("the first comes", || {
        let out = std::fs::read_to_string(home.path("out")).unwrap();
        out.contains("'first'")
    });
    signal("-STOP", child.id());
    for n in 0..many {
        std::fs::write(home.path(&format!("in/{n}.log")), format!("{n}\n")).unwrap();
    }
    signal("-CONT", child.id());
    until("all come", || {
        let out = std::fs::read_to_string(home.path("out")).unwrap();
        out.lines().count() == many + 1
    });
    signal("-TERM", child.id());
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("more was written"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
