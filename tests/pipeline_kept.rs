//! What pipelines keep: archives that are whole, windows that are right, states that are not lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::BufRead;
use std::process::Stdio;
use std::time::Duration;
use support::{Home, Ran};

const ONCE: [&str; 4] = ["pipeline", "run", "--once", "p.yaml"];

fn once(home: &Home, steps: &str, more: &[&str]) -> Ran {
    home.write("p.yaml", format!("pipelines:\n  p:\n{steps}"));
    home.run(&[&ONCE[..], more].concat(), "")
}

fn read(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path(name)).unwrap_or_default()
}

const ARCHIVE: &str =
    "    - {name: output_archive, match: '*', time_key: t, path_template: 'out/{s}'}\n";

#[test]
fn a_path_that_cannot_be_concerns_its_events_only() {
    let home = Home::new();
    let long = "x".repeat(300);
    home.write("out/file", "");
    std::fs::create_dir(home.path("out/folder")).unwrap();
    let data = format!(
        "[{{t: 1, s: good}}, {{t: 1, s: {long}}}, {{t: 1, s: ''}}, {{t: 1, s: folder}}, {{t: 1, s: better}}]"
    );
    let steps = format!(
        "    - {{name: input_dummy, tag: x, data: {data}}}\n{ARCHIVE}    - {{name: output_archive, match: '*', time_key: t, path_template: 'out/file/{{s}}/x'}}\n"
    );
    let ran = once(&home, &steps, &["--dead-letter", "dead", "--stats"]).ended(0);
    assert_eq!(read(&home, "out/good"), "{\"t\": 1, \"s\": \"good\"}\n");
    assert!(home.path("out/better").exists() && home.path("out/_").exists());
    let dead = read(&home, "dead");
    // Two of the first step; the second one has those that came to it.
    assert_eq!(dead.lines().count(), 2 + 4, "{dead}");
    for line in dead.lines() {
        let letter: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(letter["record"]["t"], 1, "{line}");
    }
    assert!(ran.err.contains("failed 4"), "{}", ran.err);
}

#[test]
fn an_output_that_fails_does_not_take_the_others_with_it() {
    let home = Home::new();
    let steps = "    - {name: input_dummy, tag: x, data: {t: 1, s: a}}\n    - {name: output_archive, match: '*', time_key: t, path_template: out/first}\n    - {name: output_archive, match: '*', time_key: t, buffer_size: 0, path_template: /proc/nothing/x}\n    - {name: output_archive, match: '*', time_key: t, path_template: out/last}\n";
    let ran = once(&home, steps, &[]).ended(1);
    assert!(
        ran.err.contains("/proc/nothing/x cannot be written"),
        "{}",
        ran.err
    );
    assert_eq!(read(&home, "out/first").lines().count(), 1);
}

#[test]
fn a_full_disk_leaves_whole_lines_and_everything_comes_again() {
    let home = Home::new();
    let line = |n| {
        format!(
            "{{\"t\": 1, \"n\": {n}, \"more\": \"{}\"}}\n",
            "z".repeat(100)
        )
    };
    home.write("in/a.log", (0..2000).map(line).collect::<String>());
    let steps = "    - {name: input_file, tag: x, watch_path: in, path_pattern: in/*.log}\n    - {name: parser_json, match: x, key: log}\n    - {name: output_archive, match: '*', time_key: t, path_template: out}\n";
    home.write("p.yaml", format!("pipelines:\n  p:\n{steps}"));
    let program = env!("CARGO_BIN_EXE_stellar");
    // A file may have so many blocks; the signal about that is not for us.
    let shell = format!(
        "trap '' XFSZ; ulimit -f 100; exec {program} pipeline run --once p.yaml --state s.json"
    );
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", &shell])
        .current_dir(home.path(""))
        .env("HOME", home.path(""));
    let ran = command.output().unwrap();
    assert_eq!(
        ran.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let left = read(&home, "out");
    assert!(left.is_empty() || left.ends_with('\n'));
    once(&home, steps, &["--state", "s.json"]).ended(0);
    let found: Vec<u64> = read(&home, "out")
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["n"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert!(found.iter().copied().eq(0..2000), "{}", found.len());
}

#[test]
fn a_line_without_an_end_is_not_gone_on_with() {
    let home = Home::new();
    home.write("out/a", "{\"half");
    let steps = format!("    - {{name: input_dummy, tag: x, data: {{t: 1, s: a}}}}\n{ARCHIVE}");
    once(&home, &steps, &[]).ended(0);
    assert_eq!(read(&home, "out/a"), "{\"half\n{\"t\": 1, \"s\": \"a\"}\n");
}

#[test]
fn two_steps_may_write_one_file() {
    let home = Home::new();
    let steps = "    - {name: input_dummy, tag: a, data: {t: 1}}\n    - {name: input_dummy, tag: b, data: {t: 1}}\n    - {name: output_archive, match: a, time_key: t, path_template: out}\n    - {name: output_archive, match: b, time_key: t, path_template: out}\n";
    for runs in 1..4 {
        once(&home, steps, &["--state", "s.json"]).ended(0);
        assert_eq!(read(&home, "out").lines().count(), 2 * runs);
    }
    // A crash after the lines of two more events each; they come again.
    let state = read(&home, "s.json").replace("\"clean\":true", "\"clean\":false");
    home.write("s.json", state);
    let twice = "{\"t\": 1}\n".repeat(2);
    home.write("out", read(&home, "out") + &twice);
    let more = steps.replace("data: {t: 1}", "data: [{t: 1}, {t: 1}]");
    once(&home, &more, &["--state", "s.json"]).ended(0);
    assert_eq!(read(&home, "out").lines().count(), 6 + 4);
}

fn windows(events: &str, filter: &str) -> String {
    format!(
        "    - {{name: input_dummy, tag: x, data: {events}}}\n    - {{name: {filter}, match: x, tag: al, alert: {{}}, timeframe: 10}}\n    - {{name: output_stdout, match: al}}\n"
    )
}

#[test]
fn events_that_come_newest_first_make_no_false_alerts() {
    let home = Home::new();
    let events: Vec<String> = (901..=1000).rev().map(|t| format!("{{t: {t}}}")).collect();
    let clock = ["--clock", "event:t", "--stats"];
    let steps =
        |events: &[String], filter: &str| windows(&format!("[{}]", events.join(", ")), filter);
    let frequency = "filter_frequency, num_events: 11";
    let ran = once(&home, &steps(&events, frequency), &clock).ended(0);
    assert_eq!(ran.out(), "");
    assert!(ran.err.contains("late 90"), "{}", ran.err);
    // A little out of order they count, each with those before it.
    let mixed: Vec<String> = [10, 12, 11, 13].map(|t| format!("{{t: {t}}}")).to_vec();
    let ran = once(
        &home,
        &steps(&mixed, "filter_frequency, num_events: 3"),
        &clock,
    )
    .ended(0);
    assert_eq!(ran.lines().len(), 1, "{}", ran.out());
    assert!(ran.out().contains("'num_events': 4"), "{}", ran.out());
    let spike =
        "filter_spike, spike_height: 2, spike_type: both, threshold_ref: 1, threshold_cur: 1";
    let ran = once(&home, &steps(&events, spike), &clock).ended(0);
    assert!(ran.err.contains("late 80"), "{}", ran.err);
}

#[test]
fn an_event_from_far_ahead_does_not_end_the_windows_of_others() {
    let home = Home::new();
    let steps = windows(
        "[{t: 1000}, {t: 99999999999}, {t: 1001}]",
        "filter_frequency, num_events: 2",
    );
    let ran = once(
        &home,
        &steps,
        &["--clock", "event:t", "--dead-letter", "dead"],
    )
    .ended(0);
    assert_eq!(ran.lines().len(), 1, "{}", ran.out());
    assert!(read(&home, "dead").contains("ahead of the clock"));
}

#[test]
fn numbers_that_are_none_do_not_spoil_a_state() {
    let home = Home::new();
    let data = "[{v: .nan, k: bad}, {v: .inf, k: bad}, {v: 1.5, k: good}]";
    let steps = windows(
        data,
        "filter_spike, spike_height: 2, spike_type: up, query_key: k, field_value: v, db_path: state.json",
    );
    for _ in 0..2 {
        let ran = once(&home, &steps, &["--dead-letter", "dead"]).ended(0);
        assert_eq!(ran.err, "");
    }
    assert_eq!(read(&home, "dead").lines().count(), 4);
    assert!(read(&home, "state.json").contains("good"));
}

const COUNTED: &str = "    - {name: input_dummy, tag: x, data: {k: a}}\n    - {name: filter_frequency, match: x, tag: al, alert: {}, num_events: 3, timeframe: 3600}\n    - {name: output_stdout, match: al}\n";

#[test]
fn a_state_finds_its_step_at_another_place_and_others_are_told() {
    let home = Home::new();
    let state = ["--state", "s.json"];
    let run = |steps: &str| {
        let ran = once(&home, steps, &state).ended(0);
        (ran.lines().len(), ran.err)
    };
    assert_eq!(run(COUNTED).0, 0);
    let moved = COUNTED.replacen(
        "    - {name: filter",
        "    - {name: filter_remove_keys, match: x, keys: [z]}\n    - {name: filter",
        1,
    );
    let (lines, said) = run(&moved);
    assert!(
        said.contains("1 filter_frequency is taken up by 2 filter_frequency"),
        "{said}"
    );
    assert_eq!(lines, 0);
    assert_eq!(run(&moved), (1, String::new()));
    let (_, said) = run("    - {name: input_dummy, tag: x, data: {k: a}}\n");
    assert!(
        said.contains("2 filter_frequency in p is not taken up"),
        "{said}"
    );
}

#[test]
fn the_newer_state_counts() {
    let home = Home::new();
    let steps = COUNTED.replace("timeframe: 3600", "timeframe: 3600, db_path: own.json");
    once(&home, &steps, &["--state", "s.json"]).ended(0);
    once(&home, &steps, &[]).ended(0);
    let ran = once(&home, &steps, &["--state", "s.json"]).ended(0);
    assert_eq!(ran.lines().len(), 1, "{}", ran.err);
}

#[test]
fn states_belong_to_one_step_of_one_run() {
    let home = Home::new();
    let twice = "    - {name: input_dummy, tag: x, data: {k: a}}\n    - {name: filter_frequency, match: x, tag: a, alert: {}, num_events: 8, timeframe: 6, db_path: d.json}\n    - {name: filter_change, match: x, tag: a, alert: {}, query_key: k, compare_key: k, db_path: ./d.json}\n";
    let ran = once(&home, twice, &[]).ended(1);
    assert!(
        ran.err.contains("is the db_path of another step"),
        "{}",
        ran.err
    );
    home.write(
        "inc/a.yaml",
        "- {name: input_dummy, tag: x, data: {k: b}}\n",
    );
    home.write("p.yaml", "include: inc/*.yaml\npipelines:\n  inc/a.yaml:\n    - {name: input_dummy, tag: x, data: {k: b}}\n");
    let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
    assert!(
        ran.err.contains("two pipelines with the name inc/a.yaml"),
        "{}",
        ran.err
    );
    home.write("p.yaml", "pipelines:\n  p:\n    - {name: input_dummy, repeat: 0, tag: x, data: {k: b}}\n    - {name: output_stdout, match: x}\n");
    let talk = home.talk(&["pipeline", "run", "p.yaml", "--state", "s.json"]);
    talk.hear();
    let ran = once(&home, COUNTED, &["--state", "s.json"]).ended(1);
    assert!(
        ran.err.contains("s.json is used by another run"),
        "{}",
        ran.err
    );
    drop(talk);
    home.write("q.yaml", "pipelines:\n  p:\n    - {name: input_dummy, repeat: 0, tag: x, data: {k: b}}\n    - {name: output_stdout, match: x}\n");
    let talk = home.talk(&["pipeline", "run", "q.yaml", "--state", "store"]);
    talk.hear();
    let run = ["pipeline", "run", "--once", "./q.yaml", "--state", "store"];
    let ran = home.run(&run, "").ended(1);
    assert!(ran.err.contains("are used by another run"), "{}", ran.err);
}

#[test]
fn all_faults_of_a_file_are_shown() {
    let home = Home::new();
    let ran = once(
        &home,
        "    - {name: input_dummy, tag: x, data: 5}\n    - {name: parser_regex, match: x, key: log, regex: '(('}\n    - {name: output_stdout, match: x, foo: 1}\n",
        &[],
    );
    let err = ran.ended(1).err;
    for part in [
        "data is a map",
        "no regular expression",
        "has no parameter foo",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn a_reader_that_goes_ends_the_run_well() {
    let home = Home::new();
    home.write("p.yaml", "pipelines:\n  p:\n    - {name: input_dummy, repeat: 0, tag: x, data: {t: 1}}\n    - {name: output_stdout, match: x}\n");
    let mut command = home.command(&["pipeline", "run", "p.yaml"]);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    drop(out);
    for _ in 0..500 {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("it does not end");
}

#[test]
fn tags_do_not_steer_the_terminal() {
    let home = Home::new();
    let steps = "    - {name: input_dummy, tag: \"\\e[2Jx\", data: {a: 1}}\n    - {name: output_archive, match: '*', time_key: t, path_template: x}\n";
    let ran = once(&home, steps, &[]).ended(0);
    assert!(ran.err.contains("cannot take an event"), "{}", ran.err);
    assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
}

#[test]
fn threads_have_a_bound() {
    let home = Home::new();
    for number in ["0", "100000", "18446744073709551615"] {
        let ran = once(&home, COUNTED, &["--threads", number]).ended(2);
        assert!(ran.err.contains("1..=1024"), "{}", ran.err);
    }
}
