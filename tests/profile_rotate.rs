//! `stellar profile apply --follow` over files that are renamed, copied, emptied and compressed meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::time::{Duration, Instant};
use support::{Home, Talk};

/// The beginning of a period of a quarter of an hour.
const START: i64 = 1_502_665_200_000;

const PROFILE: &str = r#"{
    "timestampField": "ts",
    "profiles": [{ "profile": "events", "foreach": "user", "init": { "n": "0" }, "update": { "n": "n + 1" },
                   "result": "n" }]
}"#;

/// Events at these minutes.
fn events(minutes: &[i64]) -> String {
    let event = |minute: &i64| {
        let time = START + minute * 60_000;
        format!("{{\"ts\": {time}, \"user\": \"eve\"}}\n")
    };
    minutes.iter().map(event).collect()
}

/// One event of the first period and five of the second; the last one closes the first period.
const FIRST: &[i64] = &[1, 16, 17, 18, 19, 26];

/// Three more of the second period, and one that closes it.
const MORE: &[i64] = &[20, 21, 22, 41];

fn home() -> Home {
    let home = Home::new();
    home.write("p.json", PROFILE);
    home.write("app.log", events(FIRST));
    home
}

fn follow(home: &Home, file: &str) -> Talk {
    home.talk(&[
        "profile", "apply", "-c", "p.json", "--follow", "--lag", "10m", file,
    ])
}

/// What was counted in a period, as soon as it is measured.
#[track_caller]
fn counted(home: &Home, period: usize) -> i64 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let rows = home.run(&["profile", "get", "events", "eve"], "").json();
        if let Some(row) = rows.get(period) {
            return row["value"].as_i64().unwrap();
        }
        assert!(Instant::now() < deadline, "{rows:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A home where the first period is measured, the second has begun, and the follower was killed or told to stop.
fn begun(killed: bool) -> Home {
    let home = home();
    let mut talk = follow(&home, "app.log");
    assert_eq!(counted(&home, 0), 1);
    if !killed {
        talk.interrupt();
        assert_eq!(talk.end().0, Some(0));
    }
    home
}

/// What the second period comes to in the end.
#[track_caller]
fn second(home: &Home) -> i64 {
    let mut talk = follow(home, "app.log");
    let counted = counted(home, 1);
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
    counted
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_file_that_was_renamed_while_nobody_read_is_read_to_its_end() {
    for killed in [true, false] {
        let home = begun(killed);
        std::fs::rename(home.path("app.log"), home.path("app.log.1")).unwrap();
        home.write("app.log", events(MORE));
        assert_eq!(second(&home), 8, "{killed}");
    }
}

#[test]
fn files_that_came_and_went_between_are_read_in_their_order() {
    let home = begun(false);
    std::fs::rename(home.path("app.log"), home.path("app.log.2")).unwrap();
    home.write("app.log.1", events(&[20, 21]));
    home.write("app.log.0.json", events(&[20, 21]));
    home.write("app.log", events(&[22, 41]));
    assert_eq!(second(&home), 8);
}

#[test]
fn a_compressed_file_is_found_by_what_it_holds() {
    let home = begun(false);
    let text = std::fs::read(home.path("app.log")).unwrap();
    std::fs::remove_file(home.path("app.log")).unwrap();
    home.write("app.log.1.gz", packed(&text));
    home.write("app.log", events(MORE));
    assert_eq!(second(&home), 8);
}

#[test]
fn a_file_that_was_emptied_is_another_one_and_its_copy_is_found() {
    for copied in [true, false] {
        let home = begun(false);
        if copied {
            std::fs::copy(home.path("app.log"), home.path("app.log.1")).unwrap();
        }
        // Longer than what was read, in the same inode.
        home.write("app.log", events(&[20, 21, 22, 23, 24, 25, 26, 27, 41]));
        assert_eq!(second(&home), if copied { 13 } else { 8 });
    }
}

#[test]
fn a_file_that_is_emptied_and_written_anew_under_way_is_another_one() {
    let home = home();
    let mut talk = follow(&home, "app.log");
    assert_eq!(counted(&home, 0), 1);
    let longer = events(&[20, 21, 22, 23, 24, 25, 26, 27, 41]);
    std::fs::copy(home.path("app.log"), home.path("app.log.1")).unwrap();
    home.write("app.log", longer);
    assert_eq!(counted(&home, 1), 13);
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn what_is_written_to_a_renamed_file_for_a_moment_counts() {
    let home = home();
    let mut old = std::fs::OpenOptions::new();
    let mut old = old.append(true).open(home.path("app.log")).unwrap();
    let mut talk = follow(&home, "app.log");
    assert_eq!(counted(&home, 0), 1);
    std::fs::rename(home.path("app.log"), home.path("app.log.1")).unwrap();
    home.write("app.log", events(&[22, 41]));
    std::thread::sleep(Duration::from_millis(300));
    old.write_all(events(&[20, 21]).as_bytes()).unwrap();
    assert_eq!(counted(&home, 1), 8);
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
}

#[test]
fn what_is_lost_is_said() {
    let home = begun(false);
    std::fs::remove_file(home.path("app.log")).unwrap();
    home.write("app.log", events(MORE));
    let mut command = home.command(&[
        "profile", "apply", "-c", "p.json", "--follow", "--lag", "10m", "app.log",
    ]);
    let child = command
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(counted(&home, 1), 3);
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(sent.unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.contains("app.log is another file than"), "{told}");
}

#[test]
fn two_followers_do_not_share_a_place() {
    let home = home();
    let talk = follow(&home, "app.log");
    assert_eq!(counted(&home, 0), 1);
    home.write("other.log", events(&[2]));
    let refused = home.run(
        &["profile", "apply", "-c", "p.json", "--follow", "other.log"],
        "",
    );
    assert!(refused.err.contains("E0603"), "{}", refused.err);
    assert!(
        refused.err.contains("another process follows"),
        "{}",
        refused.err
    );
    drop(talk);
    // Who follows another file leaves the place of this one alone.
    let mut other = follow(&home, "other.log");
    std::thread::sleep(Duration::from_millis(500));
    other.interrupt();
    assert_eq!(other.end().0, Some(0));
    std::fs::rename(home.path("app.log"), home.path("app.log.1")).unwrap();
    home.write("app.log", events(MORE));
    assert_eq!(second(&home), 8);
    let files = |pattern: &str| {
        let pattern = home.path("data").join(pattern);
        glob::glob(pattern.to_str().unwrap()).unwrap().count()
    };
    assert!(files("**/*.db") > 0);
    assert_eq!(files("**/*.lock"), 0);
}

#[test]
fn an_event_of_the_far_future_is_left_out_and_told() {
    let home = home();
    let future = format!("{{\"ts\": {}, \"user\": \"eve\"}}\n", 4_102_444_800_000_i64);
    let input = events(&[1]) + &future + &events(&[2]);
    let ran = home
        .run(&["profile", "apply", "-c", "p.json", "--follow"], input)
        .ended(0);
    assert!(
        ran.err
            .contains("1 event too far ahead of the clock left out"),
        "{}",
        ran.err
    );
    let rows = home.run(&["profile", "get", "events", "eve"], "").json();
    let values: Vec<&serde_json::Value> = rows.iter().map(|row| &row["value"]).collect();
    assert_eq!(values, [2]);
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let home = home();
    let ran = home
        .run(
            &[
                "profile",
                "apply",
                "-c",
                "p.json",
                "app.log",
                "app.log",
                "./app.log",
            ],
            "",
        )
        .ended(0);
    assert!(
        ran.err.contains("app.log is named twice and read once"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("./app.log is the same file as app.log and read once"),
        "{}",
        ran.err
    );
    assert_eq!((counted(&home, 0), counted(&home, 1)), (1, 5));
}
