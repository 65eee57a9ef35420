//! Compares what rules take over from Go with what Go answered, written down below `tests/rules`.
#![allow(clippy::unwrap_used, clippy::panic)]

use stellar::rule::layout::Layout;
use stellar::rule::{duration, regexp};

fn decode(field: &str) -> Vec<u8> {
    let bytes = field.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            out.push(u8::from_str_radix(&field[i + 1..i + 3], 16).unwrap());
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    out
}

fn text(field: &str) -> String {
    String::from_utf8(decode(field)).unwrap()
}

/// Compares every line of a table with what `answer` makes of its fields, which ends in what Go answered.
#[track_caller]
fn compare(table: &str, least: usize, answer: impl Fn(&[&str]) -> String) {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (last, given) = fields.split_last().unwrap();
        rows += 1;
        let got = answer(given);
        if got != text(last) {
            wrong.push(format!("{line}: {got}"));
        }
    }
    assert!(rows > least, "{rows} rows only");
    let shown = wrong
        .iter()
        .take(60)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        wrong.is_empty(),
        "{} of {rows} differ:\n{shown}",
        wrong.len()
    );
}

#[test]
fn regular_expressions() {
    compare(
        include_str!("rules/regexp.tsv"),
        5000,
        |row| match regexp::compile(&text(row[0])) {
            Err(_) => "error".to_string(),
            Ok(regexp) => match regexp.find(&decode(row[1])) {
                Some(found) => format!("{}:{}", found.start, found.end),
                None => "none".to_string(),
            },
        },
    );
}

#[test]
fn durations() {
    compare(
        include_str!("rules/duration.tsv"),
        500,
        |row| match duration::parse(&text(row[0])) {
            Err(_) => {
                assert_eq!(row[1], "error", "{row:?}");
                String::new()
            }
            Ok(length) => {
                assert_eq!(row[1], length.to_string(), "{row:?}");
                duration::text(length)
            }
        },
    );
}

#[test]
fn times() {
    compare(include_str!("rules/time.tsv"), 2000, |row| {
        let layout = match Layout::new(&text(row[0])) {
            Ok(layout) => layout,
            Err(fault) => return fault.message,
        };
        match layout.read(&text(row[1])) {
            Ok(moment) => format!("{}.{:09}", moment.seconds, moment.nanos),
            Err(_) => "error".to_string(),
        }
    });
}
