//! Compares what rules take over from Go with what Go answered, written down below `tests/rules`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::borrow::Cow;
use stellar::eval::json;
use stellar::rule::format::{Arg, Output, printf};
use stellar::rule::layout::Layout;
use stellar::rule::template::{Limits, Template};
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
fn compare(table: &str, least: usize, answer: impl Fn(&[&str]) -> Vec<u8>) {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (last, given) = fields.split_last().unwrap();
        rows += 1;
        let got = answer(given);
        if got != decode(last) {
            wrong.push(format!("{line}: {}", String::from_utf8_lossy(&got)));
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
            Err(_) => b"error".to_vec(),
            Ok(regexp) => match regexp.find(&decode(row[1])) {
                Some(found) => format!("{}:{}", found.start, found.end).into_bytes(),
                None => b"none".to_vec(),
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
                Vec::new()
            }
            Ok(length) => {
                assert_eq!(row[1], length.to_string(), "{row:?}");
                duration::text(length).into_bytes()
            }
        },
    );
}

#[test]
fn times() {
    compare(include_str!("rules/time.tsv"), 2000, |row| {
        let layout = match Layout::new(&text(row[0])) {
            Ok(layout) => layout,
            Err(fault) => return fault.message.into_bytes(),
        };
        match layout.read(&text(row[1])) {
            Ok(moment) => format!("{}.{:09}", moment.seconds, moment.nanos).into_bytes(),
            Err(_) => b"error".to_vec(),
        }
    });
}

/// An operand by its kind and text.
fn operand(spec: &[u8]) -> Arg<'static> {
    let (kind, text) = spec.split_first().unwrap();
    let word = || String::from_utf8(text.to_vec()).unwrap();
    match kind {
        b'i' => Arg::Int(word().parse().unwrap()),
        b'f' => Arg::Float(word().parse().unwrap()),
        b's' => Arg::Text(Cow::Owned(text.to_vec())),
        b'b' => Arg::Bool(text == b"true"),
        b'j' => Arg::of(json::read(&word(), 100).unwrap()),
        _ => Arg::Nil,
    }
}

#[test]
fn formats() {
    compare(include_str!("rules/format.tsv"), 5000, |row| {
        let operands = decode(row[1]);
        let operands: Vec<Arg<'_>> = operands
            .split(|byte| *byte == 0x1F)
            .filter(|spec| !spec.is_empty())
            .map(operand)
            .collect();
        let mut out = Output::new(4 << 20);
        printf(&mut out, &decode(row[0]), &operands);
        out.finish()
    });
}

/// What Go refuses and this program does: numbers of two kinds compared, and whole numbers of events as indexes.
const ALLOWED: &[&str] = &[
    "incompatible types for comparison: float64 and int",
    "incompatible types for comparison: int and float64",
    "incompatible types for comparison: float64 and uint8",
    "incompatible types for comparison: uint8 and float64",
    "with type float64",
];

#[test]
fn templates() {
    let table = include_str!("rules/template.tsv");
    let (data, table) = table
        .split_once('\n')
        .and_then(|(_, rest)| rest.split_once('\n'))
        .unwrap();
    let data = text(data.split('\t').nth(1).unwrap());
    let data = json::read(&data, 100).unwrap();
    let lenient = table
        .lines()
        .filter(|line| ALLOWED.iter().any(|allowed| line.contains(allowed)))
        .count();
    assert!(lenient > 10 && lenient < 300, "{lenient}");
    let table: Vec<&str> = table
        .lines()
        .filter(|line| !ALLOWED.iter().any(|allowed| line.contains(allowed)))
        .map(|line| match line.find("\t!") {
            // What exactly is wrong, each program says in its own words.
            Some(end) => &line[..end + 2],
            None => line,
        })
        .collect();
    compare(&table.join("\n"), 3500, |row| {
        let template = match Template::parse(&text(row[0])) {
            Ok(template) => template,
            Err(_) => return b"!".to_vec(),
        };
        match template.render(&data, &Limits::default()) {
            Ok(text) => format!("={text}").into_bytes(),
            Err(_) => b"!".to_vec(),
        }
    });
}
