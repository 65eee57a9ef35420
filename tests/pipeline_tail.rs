//! input_tail through every kind of rotation, and output_file with its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};
use support::{Home, Talk};

const PATIENCE: Duration = Duration::from_secs(60);

/// A pipeline that follows `path` and prints lines with their files.
fn tail(path: &str, more: &str) -> String {
    format!(
        "pipelines:\n  p:\n    - {{name: input_tail, tag: l, path: '{path}', path_key: f, db_path: state.json{more}}}\n    - {{name: output_file, match: l, path: out.jsonl, timeout_flush: 0}}\n"
    )
}

/// What has been written: lines with their files.
fn rows(home: &Home) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(home.path("out.jsonl")).unwrap_or_default();
    let row = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((
            json["log"].as_str()?.to_owned(),
            json["f"].as_str()?.to_owned(),
        ))
    };
    text.lines().filter_map(row).collect()
}

fn logs(home: &Home) -> Vec<String> {
    rows(home).into_iter().map(|(log, _)| log).collect()
}

#[track_caller]
fn until(home: &Home, expected: &[&str]) {
    let started = Instant::now();
    while logs(home) != expected {
        let found = logs(home);
        assert!(
            started.elapsed() < PATIENCE,
            "{found:?} is not {expected:?}"
        );
        assert!(
            found.len() <= expected.len(),
            "{found:?} is more than {expected:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn gzip(from: &Path, to: &Path) {
    let target = std::fs::File::create(to).unwrap();
    let mut packer = flate2::write::GzEncoder::new(target, flate2::Compression::fast());
    packer.write_all(&std::fs::read(from).unwrap()).unwrap();
    packer.finish().unwrap();
}

fn once(home: &Home) {
    let ran = home
        .run(&["pipeline", "run", "--once", "p.yaml"], "")
        .ended(0);
    assert_eq!(ran.err, "");
}

fn start(home: &Home) -> Talk {
    home.talk(&["pipeline", "run", "p.yaml"])
}

fn stop(mut talk: Talk) {
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn a_growing_file_is_followed_through_renaming_and_emptying() {
    let home = Home::new();
    home.write("p.yaml", tail("a.log", ""));
    let a = home.write("a.log", "1\n2\nhal");
    let talk = start(&home);
    until(&home, &["1", "2"]);
    append(&a, "f\n3\n");
    until(&home, &["1", "2", "half", "3"]);
    // Renamed, with what comes late, and the new one at once.
    std::fs::rename(&a, home.path("a.log.1")).unwrap();
    append(&a, "5\n");
    append(&home.path("a.log.1"), "4\n");
    let started = Instant::now();
    while logs(&home).len() < 6 {
        assert!(started.elapsed() < PATIENCE, "{:?}", logs(&home));
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut found = logs(&home).split_off(4);
    found.sort();
    assert_eq!(found, ["4", "5"]);
    // Copied and emptied.
    std::fs::copy(&a, home.path("a.log.2")).unwrap();
    append(&home.path("a.log.2"), "6 only in the copy\n");
    std::fs::write(&a, "7\n").unwrap();
    let started = Instant::now();
    while logs(&home).len() < 8 {
        assert!(started.elapsed() < PATIENCE, "{:?}", logs(&home));
        std::thread::sleep(Duration::from_millis(20));
    }
    stop(talk);
    assert_eq!(logs(&home).last().unwrap(), "7");
}

#[test]
fn a_start_goes_on_where_the_last_run_ended() {
    let home = Home::new();
    home.write("p.yaml", tail("a.log*", ""));
    let a = home.write("a.log", "1\n2\n");
    once(&home);
    once(&home);
    until(&home, &["1", "2"]);
    append(&a, "3\n");
    once(&home);
    until(&home, &["1", "2", "3"]);
    // Renamed between the runs, with lines that were not read.
    append(&a, "4\n");
    std::fs::rename(&a, home.path("a.log.1")).unwrap();
    append(&a, "5\n");
    once(&home);
    until(&home, &["1", "2", "3", "4", "5"]);
    let state = std::fs::read_to_string(home.path("state.json")).unwrap();
    assert!(!state.contains("\"done\""), "{state}");
    // Compressed between the runs, and the name of yesterday given to another.
    append(&a, "6\n");
    gzip(&a, &home.path("a.log.2.gz"));
    std::fs::remove_file(&a).unwrap();
    append(&a, "7\n");
    once(&home);
    let mut found = logs(&home).split_off(5);
    found.sort();
    assert_eq!(found, ["6", "7"]);
    once(&home);
    assert_eq!(logs(&home).len(), 7);
}

#[test]
fn what_rotation_took_out_of_the_pattern_is_finished() {
    for packed in [false, true] {
        let home = Home::new();
        home.write("p.yaml", tail("in/a.log", ""));
        let a = home.write("in/a.log", "1\n2\n");
        once(&home);
        append(&a, "3\nlast");
        match packed {
            true => gzip(&a, &home.path("in/a.log-20260714.gz")),
            false => drop(std::fs::copy(&a, home.path("in/a.log-20260714")).unwrap()),
        }
        // Another one's rotated file is left alone.
        home.write("in/b.log.1", "x\ny\nz\n");
        std::fs::write(&a, "4\n").unwrap();
        once(&home);
        let mut found = logs(&home);
        found.sort();
        assert_eq!(found, ["1", "2", "3", "4", "last"], "{packed}");
    }
}

#[test]
fn a_copy_is_not_read_twice_but_a_file_that_begins_alike_is_read() {
    let home = Home::new();
    home.write("p.yaml", tail("a.log*", ""));
    let a = home.write("a.log", "1\n2\n");
    let talk = start(&home);
    until(&home, &["1", "2"]);
    std::fs::copy(&a, home.path("a.log.1")).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    until(&home, &["1", "2"]);
    append(&home.path("a.log.1"), "no copy\n");
    until(&home, &["1", "2", "1", "2", "no copy"]);
    stop(talk);
}

#[test]
fn the_end_is_where_a_first_start_may_begin() {
    let home = Home::new();
    home.write("p.yaml", tail("*.log", ", from: end"));
    let a = home.write("a.log", "1\n2\nbegun");
    once(&home);
    let found = logs(&home);
    assert_eq!(found, ["begun"]);
    append(&a, "3\n");
    home.write("b.log", "4\n");
    once(&home);
    let mut found = logs(&home);
    found.sort();
    assert_eq!(found, ["3", "4", "begun"]);
}

#[test]
fn bad_lines_are_dead_letters_and_nothing_behind_them_is_lost() {
    let home = Home::new();
    home.write("p.yaml", tail("a.log", ""));
    let mut bytes = b"1\n\xff\xfe\n2\n".to_vec();
    bytes.extend_from_slice(&[b'x'; 5000]);
    bytes.extend_from_slice(b"\n3\n");
    home.write("a.log", bytes);
    home.write("gone.log", "");
    let arguments = [
        "--set",
        "limits.line=4096",
        "pipeline",
        "run",
        "--once",
        "p.yaml",
        "--dead-letter",
        "d.jsonl",
    ];
    home.run(&arguments, "").ended(0);
    assert_eq!(logs(&home), ["1", "2", "3"]);
    let dead = std::fs::read_to_string(home.path("d.jsonl")).unwrap();
    let dead: Vec<&str> = dead.lines().collect();
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert!(dead[0].contains("the line is not UTF-8"), "{dead:?}");
    assert!(
        dead[1].contains("the line has 5001 bytes, more than limits.line = 4096"),
        "{dead:?}"
    );
    assert!(dead[1].contains("a.log"), "{dead:?}");
}

#[test]
fn a_thousand_files_are_followed() {
    let home = Home::new();
    home.write("p.yaml", tail("in/**/*.log", ", exclude: '**/no*'"));
    for n in 0..1000 {
        home.write(&format!("in/{}/{n}.log", n % 7), format!("{n} a\n"));
    }
    home.write("in/no.log", "no\n");
    let talk = start(&home);
    let wait = |count: usize| {
        let started = Instant::now();
        while rows(&home).len() < count {
            assert!(started.elapsed() < PATIENCE, "{}", rows(&home).len());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait(1000);
    for n in 0..1000 {
        append(
            &home.path(&format!("in/{}/{n}.log", n % 7)),
            &format!("{n} b\n"),
        );
    }
    home.write("in/new/x.log", "x\n");
    wait(2001);
    stop(talk);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (log, file) in rows(&home) {
        assert!(log == "x" || file.ends_with(&format!("/{}.log", log.split(' ').next().unwrap())));
        *counts.entry(log).or_default() += 1;
    }
    assert_eq!(counts.len(), 2001);
    assert!(counts.values().all(|count| *count == 1));
}

#[test]
fn files_are_rotated_compressed_and_kept() {
    for (compress, suffix) in [("none", ""), ("gzip", ".gz"), ("zstd", ".zst")] {
        let home = Home::new();
        home.write(
            "p.yaml",
            format!("pipelines:\n  p:\n    - {{name: input_dummy, tag: l, data: {{a: é, n: 1}}}}\n    - {{name: output_file, match: l, path: 'out/x.jsonl', with_tag: tag, with_time: time, max_size: 1, compress: {compress}, keep: 2}}\n"),
        );
        for _ in 0..5 {
            once(&home);
        }
        let mut names: Vec<String> = std::fs::read_dir(home.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert!(names.len() == 2 || names.len() == 3, "{names:?}");
        let old = names.iter().filter(|name| *name != "x.jsonl");
        for name in old {
            assert!(
                name.ends_with(suffix) && name.starts_with("x.jsonl.20"),
                "{names:?}"
            );
            let input = stellar::input::Input::File(home.path("out").join(name));
            let mut text = String::new();
            let mut reader = input.open(Default::default(), Vec::new()).unwrap();
            reader.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("{\"tag\":\"l\",\"time\":1"), "{text}");
            assert!(text.ends_with(",\"a\":\"é\",\"n\":1}\n"), "{text}");
        }
    }
}

#[test]
fn keys_that_do_nothing_are_refused() {
    let home = Home::new();
    for (more, said) in [
        ("keep: 3", "keep does nothing without max_size"),
        ("max_size: 3 apples", "no unit of size"),
        ("max_size: 3, keep: 0", "at least one file is kept"),
    ] {
        home.write(
            "p.yaml",
            format!("pipelines:\n  p:\n    - {{name: input_dummy, tag: l, data: {{}}}}\n    - {{name: output_file, match: l, path: x, {more}}}\n"),
        );
        let ran = home.run(&["pipeline", "check", "p.yaml"], "").ended(1);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}
