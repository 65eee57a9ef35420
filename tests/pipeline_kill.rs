//! Killing a pipeline at random points: every line of a growing, rotating file comes out exactly once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use support::Home;

const FILE: &str = "pipelines:
  p:
    - {name: input_tail, tag: l, path: in/app.log*}
    - {name: parser_json, match: l, key: log}
    - {name: output_archive, match: l, time_key: t, path_template: 'archive/{k}-%Y.json', timeout_flush: 1}
    - {name: output_file, match: l, path: 'file/{k}.jsonl', max_size: 200KiB, compress: gzip, timeout_flush: 100ms}
";

/// A step of a small generator: every run has moments of its own, and says how it began.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Ends the writer, also when a check fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes numbered lines, in pieces that need not be whole lines, and rotates the file.
fn write(folder: &Path, end: &AtomicBool, written: &AtomicU64, mut seed: u64) {
    let path = folder.join("app.log");
    let open = || {
        std::fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap()
    };
    let (mut file, mut rotated, mut number) = (open(), Vec::new(), 0u64);
    while !end.load(Ordering::Relaxed) {
        let mut bytes = Vec::new();
        for _ in 0..random(&mut seed) % 300 + 1 {
            let k = ["a", "b", "c"][(number % 3) as usize];
            writeln!(bytes, "{{\"t\": 1, \"k\": \"{k}\", \"n\": {number}}}").unwrap();
            number += 1;
        }
        let (first, second) = bytes.split_at(random(&mut seed) as usize % bytes.len());
        file.write_all(first).unwrap();
        std::thread::sleep(Duration::from_millis(random(&mut seed) % 5));
        file.write_all(second).unwrap();
        written.store(number, Ordering::SeqCst);
        if random(&mut seed).is_multiple_of(20) {
            let aside = folder.join(format!("app.log.{}", rotated.len() + 1));
            std::fs::rename(&path, &aside).unwrap();
            file = open();
            rotated.push(aside);
        } else if random(&mut seed).is_multiple_of(40) {
            // As `copytruncate` does.
            let aside = folder.join(format!("app.log.{}", rotated.len() + 1));
            std::fs::copy(&path, &aside).unwrap();
            file.set_len(0).unwrap();
            rotated.push(aside);
        }
        // Later one of the old ones is compressed, as logrotate does.
        if rotated.len() > 2 && random(&mut seed).is_multiple_of(40) {
            let old = rotated.len() - 3;
            pack(&rotated[old]);
        }
        std::thread::sleep(Duration::from_millis(random(&mut seed) % 4));
    }
}

fn pack(path: &Path) {
    let Ok(bytes) = std::fs::read(path) else {
        return;
    };
    let packed = PathBuf::from(format!("{}.gz", path.display()));
    let mut packer = flate2::write::GzEncoder::new(
        std::fs::File::create(packed).unwrap(),
        flate2::Compression::fast(),
    );
    packer.write_all(&bytes).unwrap();
    packer.finish().unwrap();
    std::fs::remove_file(path).unwrap();
}

/// The files of a folder; the plain one of a pair goes when the compressed one is whole.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let packed = |path: &PathBuf| PathBuf::from(format!("{}.gz", path.display()));
    let whole = all
        .iter()
        .filter(|path| !path.to_string_lossy().ends_with(".part"));
    whole
        .filter(|path| !all.contains(&packed(path)))
        .cloned()
        .collect()
}

/// How often each number stands in the files of a folder.
fn numbers(folder: &Path) -> BTreeMap<u64, usize> {
    let mut found = BTreeMap::new();
    for path in files(folder) {
        let mut text = String::new();
        let input = stellar::input::Input::File(path.clone());
        let mut reader = input.open(Default::default(), Vec::new()).unwrap();
        reader.read_to_string(&mut text).unwrap();
        for line in text.lines() {
            let json: serde_json::Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()));
            *found.entry(json["n"].as_u64().unwrap()).or_default() += 1;
        }
    }
    found
}

fn bytes(folder: &Path) -> u64 {
    let lengths = files(folder)
        .into_iter()
        .map(|path| std::fs::metadata(path).map_or(0, |m| m.len()));
    lengths.sum()
}

fn start(home: &Home) -> Child {
    let mut command = home.command(&["pipeline", "run", "p.yaml", "--state", "state.json"]);
    let err = std::fs::File::options()
        .create(true)
        .append(true)
        .open(home.path("err"))
        .unwrap();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(err);
    command.spawn().unwrap()
}

#[test]
fn every_line_comes_out_once_however_often_the_program_is_killed() {
    let rounds = std::env::var("STELLAR_KILL_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10);
    let mut seed = std::process::id().into();
    println!("seed {seed}");
    let home = Home::new();
    home.write("p.yaml", FILE);
    std::fs::create_dir(home.path("in")).unwrap();
    let (end, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let (folder, own) = (home.path("in"), random(&mut seed));
    std::thread::scope(|scope| {
        let ends = Ends(&end);
        let writer = scope.spawn(|| write(&folder, &end, &written, own));
        for round in 0..rounds {
            let before = bytes(&home.path("archive")) + bytes(&home.path("file"));
            let mut child = start(&home);
            // In the middle of work: something of this round has come out.
            let mut waited = 0;
            while bytes(&home.path("archive")) + bytes(&home.path("file")) == before {
                assert!(
                    child.try_wait().unwrap().is_none(),
                    "it has ended by itself"
                );
                assert!(waited < 6000, "round {round}: nothing comes out");
                waited += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(random(&mut seed) % 2500));
            assert!(
                child.try_wait().unwrap().is_none(),
                "it has ended by itself"
            );
            let so_far = written.load(Ordering::SeqCst);
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!writer.is_finished() && so_far > 0);
            std::thread::sleep(Duration::from_millis(random(&mut seed) % 300));
        }
        drop(ends);
        writer.join().unwrap();
    });
    let ran = home
        .run(
            &[
                "pipeline",
                "run",
                "--once",
                "p.yaml",
                "--state",
                "state.json",
            ],
            "",
        )
        .ended(0);
    assert_eq!(ran.err, "");
    let lines = written.load(Ordering::SeqCst);
    assert!(lines > 1000 * rounds, "{lines}");
    for folder in ["archive", "file"] {
        let found = numbers(&home.path(folder));
        let lost: Vec<u64> = (0..lines).filter(|n| !found.contains_key(n)).collect();
        let doubled: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
        let some = |count: usize| count.min(10);
        assert!(
            lost.is_empty() && doubled.is_empty(),
            "{folder}: of {lines} lines {} are lost ({:?}), {} doubled ({:?})",
            lost.len(),
            &lost[..some(lost.len())],
            doubled.len(),
            &doubled[..some(doubled.len())]
        );
        assert_eq!(found.len() as u64, lines, "{folder}");
    }
    assert!(files(&home.path("file")).len() > 3, "nothing was rotated");
    let said = std::fs::read_to_string(home.path("err")).unwrap();
    assert_eq!(said, "");
}
