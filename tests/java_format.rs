//! Compares formatting, number text and number parsing with recorded answers of Java.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;

use num_bigint::BigInt;
use stellar::eval::java::formatter::{Arg, DateFields, Format, UtcDates};
use stellar::eval::java::numbers::{
    double_text, double_to_int, double_to_long, float_text, is_integer_locale, java_round,
    parse_double, parse_float, parse_int, parse_long,
};

/// Undoes the escapes of the table.
fn unescape(text: &str) -> String {
    let mut units = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        match chars.next() {
            Some('t') => units.push(9),
            Some('n') => units.push(10),
            Some('u') => {
                let hex: String = chars.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&hex, 16).unwrap());
            }
            _ => units.push(u16::from(b'\\')),
        }
    }
    String::from_utf16_lossy(&units)
}

fn double(hex: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(hex, 16).unwrap())
}

fn float(hex: &str) -> f32 {
    f32::from_bits(u32::from_str_radix(hex, 16).unwrap())
}

/// Storage for arguments that `Arg` only borrows.
struct Stored {
    kind: String,
    text: String,
    class: String,
    hash: i32,
    big: BigInt,
}

impl Stored {
    fn read(cell: &str) -> Stored {
        let (kind, value) = cell.split_once(':').unwrap_or((cell, ""));
        let mut stored = Stored {
            kind: kind.to_string(),
            text: unescape(value),
            class: String::new(),
            hash: 0,
            big: BigInt::default(),
        };
        if kind == "B" {
            stored.big = value.parse().unwrap();
        }
        if kind == "o" {
            let mut parts = value.splitn(3, '|');
            stored.class = parts.next().unwrap().to_string();
            stored.hash = parts.next().unwrap().parse().unwrap();
            stored.text = unescape(parts.next().unwrap());
        }
        stored
    }

    fn arg(&self) -> Arg<'_> {
        let text = self.text.as_str();
        match self.kind.as_str() {
            "n" => Arg::Null,
            "b" => Arg::Bool(text == "true"),
            "i" => Arg::Int(text.parse().unwrap()),
            "l" => Arg::Long(text.parse().unwrap()),
            "B" => Arg::BigInt(&self.big),
            "f" => Arg::Float(float(text)),
            "d" => Arg::Double(double(text)),
            "c" => Arg::Char(u16::from_str_radix(text, 16).unwrap()),
            "s" => Arg::Str(text),
            _ => Arg::Other {
                text,
                class: &self.class,
                hash: self.hash,
            },
        }
    }
}

/// Formats like a table row asks and gives the answer in the table's notation.
fn format_row(pattern: &str, cells: &[&str], zone: Option<&str>) -> String {
    let stored: Vec<Stored> = cells.iter().map(|cell| Stored::read(cell)).collect();
    let args: Vec<Arg> = stored.iter().map(Stored::arg).collect();
    let result = Format::compile(pattern).and_then(|format| match zone {
        None => format.apply(&args, &UtcDates, 100_000),
        Some(zone) => {
            let (offset, name) = zone.split_once('|').unwrap();
            let offset = offset.parse().unwrap();
            let dates = |millis| DateFields::at(millis, offset, name);
            format.apply(&args, &dates, 100_000)
        }
    });
    match result {
        Ok(text) => format!("={text}"),
        Err(error) => format!("!{}:{}", error.class, error.message),
    }
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".to_string(), |value| value.to_string())
}

/// Our answer for one row and Java's.
fn answer(row: &str) -> (String, String) {
    let cells: Vec<&str> = row.split('\t').collect();
    let input = unescape(cells[1]);
    let mut expected = cells[2].to_string();
    let ours = match cells[0] {
        "F" => {
            expected = unescape(&expected);
            format_row(&input, &cells[3..], None)
        }
        "Z" => {
            expected = unescape(cells[3]);
            format_row(&unescape(cells[2]), &cells[4..], Some(&input))
        }
        "D" => {
            let mut text = String::new();
            double_text(double(&input), &mut text);
            text
        }
        "G" => {
            let mut text = String::new();
            float_text(float(&input), &mut text);
            text
        }
        "P" => or_dash(parse_double(&input).map(|value| format!("{:x}", value.to_bits()))),
        "Q" => or_dash(parse_float(&input).map(|value| format!("{:x}", value.to_bits()))),
        "I" => or_dash(parse_int(&input)),
        "L" => or_dash(parse_long(&input)),
        "R" => {
            let value = double(&input);
            let (int, long) = (double_to_int(value), double_to_long(value));
            format!("{}|{int}|{long}", java_round(value))
        }
        _ => is_integer_locale(&input).to_string(),
    };
    (ours, expected)
}

/// Checks every row of a table and reports the first differences.
fn check_table(table: &str) -> usize {
    let mut report = String::new();
    let mut wrong = 0;
    for row in table.lines().filter(|row| !row.starts_with("//")) {
        let (ours, expected) = answer(row);
        if ours != expected {
            wrong += 1;
            if wrong <= 40 {
                writeln!(report, "{row}\n    ours {ours:?}").unwrap();
            }
        }
    }
    assert!(wrong == 0, "{wrong} rows differ from Java:\n{report}");
    table.lines().count()
}

#[test]
fn golden_rows_agree_with_java() {
    assert!(check_table(include_str!("java_format.tsv")) > 400);
}

#[test]
fn extra_tables_agree_with_java() {
    // Larger generated tables may be named here, separated by colons.
    let files = std::env::var("JAVA_TABLES").unwrap_or_default();
    for file in files.split(':').filter(|file| !file.is_empty()) {
        check_table(&std::fs::read_to_string(file).unwrap());
    }
}
