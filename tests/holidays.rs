//! Holidays against every line that jollyday 0.5.2 itself gave, and what has changed since.
#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use stellar::profile::day;
use stellar::profile::holidays::{Edition, find};

fn recorded(name: &str) -> String {
    let file = std::fs::File::open(format!("tests/conformance/profiler/{name}.tsv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// The holidays of a path in a year as the recorded lines have them.
fn line(path: &str, edition: Edition, year: i64) -> String {
    let parts: Vec<&str> = path.split(':').collect();
    let found = find(&parts).unwrap();
    assert_eq!(found.used, parts.len(), "{path}");
    let Ok(holidays) = found.place.holidays(edition, year) else {
        return "!".to_string();
    };
    let shown: Vec<String> = holidays
        .iter()
        .map(|holiday| {
            let (year, month, day) = day::date(holiday.day);
            let mark = if holiday.official { "" } else { "u" };
            format!("{year:04}-{month:02}-{day:02}{mark}")
        })
        .collect();
    shown.join(" ")
}

/// Compares a file of answers; the number of its lines.
fn compare(name: &str) -> usize {
    let text = recorded(name);
    let mut wrong = Vec::new();
    for record in text.lines() {
        let [path, year, days]: [&str; 3] =
            record.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let ours = line(path, Edition::Recorded, year.parse().unwrap());
        if ours != days {
            wrong.push(format!(
                "{path} {year}\n  is        {ours}\n  should be {days}"
            ));
        }
    }
    let first = &wrong[..wrong.len().min(10)];
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        first.join("\n")
    );
    text.lines().count()
}

#[test]
fn every_recorded_line() {
    assert_eq!(compare("holidays"), 11_846);
}

#[test]
fn years_far_away() {
    // From 1600 to 9999; an exclamation mark where jollyday fails, because the Islamic calendar is not known.
    assert_eq!(compare("holidays_far"), 1_980);
}
