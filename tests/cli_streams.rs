//! `stellar map` and `stellar filter` as streams: order, threads, limits of lines, slow and closed pipes, interrupts; and
//! the fast path against the whole event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;
use support::{Dice, Home, Ran};

#[test]
fn a_line_beyond_the_limit_is_bad_wherever_it_stands() {
    let home = Home::new();
    let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(5_000));
    let longest = format!("{{\"a\":\"{}\"}}\n", "x".repeat(3_000_000));
    let text = format!(
        "{longest}{{\"a\":1}}\nbad\n{long}{{\"a\":2}}\n{longest}{longest}{long}{{\"a\":3}}\n{longest}"
    );
    home.write("in.jsonl", &text);
    for (arguments, input) in [(&["in.jsonl"][..], ""), (&[], text.as_str())] {
        home.write("limit.toml", "[limits]\nline = 4000\n");
        let ran = home
            .run(
                &[
                    &["map", "a", "--stats", "--config", "limit.toml"],
                    arguments,
                ]
                .concat(),
                input,
            )
            .ended(1);
        assert_eq!(ran.out(), "1\n2\n3\n");
        let lines: Vec<&str> = ran
            .err
            .lines()
            .filter_map(|l| {
                l.split_once(": E")
                    .map(|(place, _)| place.rsplit_once(':').unwrap().1)
            })
            .collect();
        assert_eq!(lines, ["1", "3", "4", "6", "7", "8", "10"], "{}", ran.err);
        assert_eq!(ran.err.matches("E0405").count(), 6, "{}", ran.err);
        assert!(
            ran.err.contains("read 10, kept 3, bad 7, failed 0"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn order_and_bytes_are_kept_over_many_chunks_and_threads() {
    let home = Home::new();
    let mut dice = Dice(0xfeed_5eed);
    let (mut text, mut expected, mut numbers) = (String::new(), String::new(), String::new());
    let mut i = 0;
    while text.len() < 21 << 20 {
        let filler = "é".repeat(dice.roll(200)) + &"x".repeat(dice.roll(300));
        let line = format!(
            "{{\"i\":{i},  \"filler\":\"{filler}\",\"k\":{}}}\n",
            dice.roll(3)
        );
        if line.contains("\"k\":1") {
            expected.push_str(&line);
        }
        numbers.push_str(&format!("{i}\n"));
        text.push_str(&line);
        i += 1;
    }
    home.write("in.jsonl", &text);
    for threads in ["1", "2", "5"] {
        let ran = home
            .run(&["filter", "k == 1", "in.jsonl", "--threads", threads], "")
            .ended(0);
        assert!(
            ran.out() == expected,
            "{threads} threads change the output of filter"
        );
        let ran = home
            .run(&["map", "i", "--threads", threads], &text)
            .ended(0);
        assert!(
            ran.out() == numbers,
            "{threads} threads change the output of map"
        );
    }
}

#[test]
fn output_goes_to_a_file_but_never_to_an_input() {
    let home = Home::new();
    home.write("in.jsonl", "{\"a\":1}\n{\"a\":2}\n");
    let ran = home
        .run(&["filter", "a == 1", "in.jsonl", "-o", "out.jsonl"], "")
        .ended(0);
    assert_eq!(ran.out(), "");
    assert_eq!(
        std::fs::read_to_string(home.path("out.jsonl")).unwrap(),
        "{\"a\":1}\n"
    );
    for own in ["in.jsonl", "./in.jsonl"] {
        let ran = home
            .run(&["filter", "a == 1", "in.jsonl", "-o", own], "")
            .ended(2);
        assert!(ran.err.contains("in.jsonl"), "{}", ran.err);
    }
    assert_eq!(
        std::fs::read_to_string(home.path("in.jsonl")).unwrap(),
        "{\"a\":1}\n{\"a\":2}\n"
    );
    let ran = home
        .run(&["filter", "true", "in.jsonl", "-o", "missing/out"], "")
        .ended(1);
    assert!(ran.err.contains("missing/out"), "{}", ran.err);
    if std::path::Path::new("/dev/full").exists() {
        let ran = home
            .run(&["filter", "true", "in.jsonl", "-o", "/dev/full"], "")
            .ended(1);
        assert!(ran.err.contains("cannot be written"), "{}", ran.err);
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let home = Home::new();
    home.write("in.jsonl", "{\"a\":1}\n".repeat(500_000));
    for arguments in [
        &["filter", "true", "in.jsonl"][..],
        &["map", "_", "in.jsonl", "--threads", "2"],
    ] {
        let mut child = home
            .command(arguments)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = [0; 8];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut first)
            .unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        assert_eq!(
            (child.wait().unwrap().code(), err.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_arrives_slowly_is_passed_on_at_once() {
    let home = Home::new();
    // Long enough work that all threads have asked for more input before it is done.
    let work =
        "LENGTH(MAP(SPLIT(REGEXP_REPLACE(FILL_LEFT('', 'x', 1000), 'x', 'x,'), ','), x -> a)) > 0";
    for threads in ["1", "2", "4"] {
        let mut talk = home.talk(&["filter", work, "--threads", threads]);
        for i in 0..5 {
            let line = format!("{{\"a\":{i}}}");
            talk.say(format!("{line}\n"));
            assert_eq!(talk.hear(), line, "{threads} threads");
        }
        talk.say("{\"a\":");
        assert!(talk.is_silent(Duration::from_millis(100)));
        talk.say("9}");
        talk.hang_up();
        assert_eq!(talk.hear(), "{\"a\":9}");
        assert_eq!(talk.end().0, Some(0));
    }
}

#[test]
fn a_limit_ends_the_run_although_the_pipe_stays_open() {
    let home = Home::new();
    for threads in ["1", "2", "4"] {
        let mut talk = home.talk(&["map", "a", "--limit", "2", "--threads", threads]);
        talk.say("{\"a\":1}\n");
        assert_eq!(talk.hear(), "1");
        talk.say("{\"a\":2}\n");
        assert_eq!(talk.hear(), "2");
        assert_eq!(talk.end().0, Some(0));
    }
}

#[test]
fn an_interrupt_ends_a_run_at_work_and_at_rest() {
    let home = Home::new();
    let mut talk = home.talk(&["map", "a", "--threads", "2"]);
    talk.say("{\"a\":1}\n");
    assert_eq!(talk.hear(), "1");
    talk.interrupt();
    let (code, time) = talk.end();
    assert_eq!(code, Some(1));
    assert!(time < Duration::from_secs(60), "{time:?}");

    home.write("in.jsonl", "{\"a\":1}\n".repeat(200_000));
    let work =
        "LENGTH(MAP(SPLIT(REGEXP_REPLACE(FILL_LEFT('', 'x', 100), 'x', 'x,'), ','), x -> a)) > 0";
    let mut talk = home.talk(&["filter", work, "in.jsonl", "--threads", "2"]);
    std::thread::sleep(Duration::from_millis(500));
    talk.interrupt();
    let (code, time) = talk.end();
    assert_eq!(code, Some(1));
    assert!(time < Duration::from_secs(60), "{time:?}");
}

/// A random JSON value; `loose` ones may be damaged.
fn random_value(dice: &mut Dice, depth: usize) -> String {
    let numbers = [
        "0",
        "-1",
        "2147483648",
        "-2147483649",
        "99999999999999999999",
        "1.5",
        "-0.0",
        "1e3",
        "1E-5",
        "1e999",
        "0.1e1",
    ];
    let texts = [
        "",
        "a",
        "b.c",
        "é",
        "😀",
        "\\u0041",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\n",
        "\\\\",
        "\\\"",
        "x y",
        "\\/",
        "{\\\"a\\\":1}",
    ];
    match dice.roll(if depth == 0 { 6 } else { 9 }) {
        0 => "null".into(),
        1 => dice.pick(&["true", "false"]).into(),
        2 | 3 => dice.pick(&numbers).into(),
        4 | 5 => format!("\"{}\"", dice.pick(&texts)),
        6 => {
            let items: Vec<String> = (0..dice.roll(4))
                .map(|_| random_value(dice, depth - 1))
                .collect();
            format!("[{}]", items.join(dice.pick(&[",", " , "])))
        }
        _ => random_event(dice, depth - 1),
    }
}

fn random_event(dice: &mut Dice, depth: usize) -> String {
    let keys = [
        "a",
        "b",
        "c",
        "a.b",
        "b.c",
        "a.b.c",
        "\\u0061",
        "é",
        "",
        "z",
        "long key with blanks",
    ];
    let entries: Vec<String> = (0..dice.roll(7))
        .map(|_| {
            let key = dice.pick(&keys);
            let colon = dice.pick(&[":", " : ", ": "]);
            format!("\"{key}\"{colon}{}", random_value(dice, depth))
        })
        .collect();
    format!("{{{}}}", entries.join(dice.pick(&[",", ", "])))
}

#[test]
fn the_fast_path_and_the_whole_event_give_the_same_answers() {
    let home = Home::new();
    let mut dice = Dice(0x0dd5_eed5);
    let mut text = Vec::new();
    for _ in 0..20_000 {
        let mut line = random_event(&mut dice, 3).into_bytes();
        // Every fourth line is damaged somewhere, perhaps where it does not matter.
        if dice.roll(4) == 0 {
            let at = dice.roll(line.len());
            match dice.roll(3) {
                0 => line[at] = [b'"', b'{', b'}', b',', b'x', 0, 0xff, b'\\', b'9'][dice.roll(9)],
                1 => line.truncate(at),
                _ => line.insert(at, [b'"', b'{', b']', b' ', b'\t', b'1'][dice.roll(6)]),
            }
        }
        line.retain(|b| *b != b'\n');
        text.extend(line);
        text.push(b'\n');
    }
    home.write("in.jsonl", &text);
    let fast = "[a, b, c, a.b, b.c, a.b.c, z, a.b.c.z, exists(a)]";
    let whole = "[a, b, c, a.b, b.c, a.b.c, z, a.b.c.z, exists(a), LENGTH(_)]";
    let taken = "[MAP_GET('a', _), MAP_GET('b', _), MAP_GET('c', _), null, null, null, MAP_GET('z', _), null, null]";
    let [fast, whole, taken] =
        [fast, whole, taken].map(|e| home.run(&["map", e, "in.jsonl", "--stats"], "").ended(1));
    let counts = |ran: &Ran| {
        let stats = ran.err.lines().find(|l| l.starts_with("read ")).unwrap();
        stats.rsplit_once(',').unwrap().0.to_string()
    };
    assert!(counts(&fast).contains("failed 0"));
    assert_eq!(
        (counts(&fast), counts(&fast)),
        (counts(&whole), counts(&taken))
    );
    let problems = |ran: &Ran| {
        ran.err
            .lines()
            .filter(|l| l.starts_with("in.jsonl:"))
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(problems(&fast), problems(&whole));
    let (fast, whole, taken) = (fast.json(), whole.json(), taken.json());
    assert_eq!((fast.len(), fast.len()), (whole.len(), taken.len()));
    assert!(fast.len() > 12_000, "{}", fast.len());
    for ((fast, whole), taken) in fast.iter().zip(&whole).zip(&taken) {
        let items = |json: &Json| json.as_array().unwrap().clone();
        assert_eq!(items(fast)[..9], items(whole)[..9]);
        // A name with nothing to walk is the key of that name.
        for i in [0, 1, 2, 6] {
            assert_eq!(items(fast)[i], items(taken)[i], "{fast} {taken}");
        }
    }
    assert_ne!(fast[0], json!(null));
}

#[test]
fn output_far_larger_than_the_input_takes_little_memory_and_keeps_its_order() {
    let home = Home::new();
    let lines = 4_000;
    let text: String = (0..lines).map(|i| format!("{{\"a\":{i}}}\n")).collect();
    home.write("in.jsonl", text);
    let mut child = home
        .command(&[
            "map",
            "--raw",
            "FILL_RIGHT(TO_STRING(a), ' ', 50000)",
            "in.jsonl",
            "--threads",
            "3",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut line = vec![0; 50_001];
    for i in 0..lines {
        // Two lines before the end the process has made nearly all of its output.
        if i == lines - 2 {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let peak = status
                .lines()
                .find_map(|l| l.strip_prefix("VmHWM:"))
                .unwrap();
            let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
            assert!(kilobytes < 64 << 10, "{kilobytes} kB for 200 MB of output");
        }
        out.read_exact(&mut line).unwrap();
        let number = std::str::from_utf8(&line).unwrap().trim_end();
        assert_eq!(number, i.to_string());
    }
    assert!(child.wait().unwrap().success());
}
