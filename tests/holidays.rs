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

/// Days that only one edition has, as `+2021-06-19` (current) and `-2024-04-26` (recorded).
fn difference(path: &str, year: i64) -> String {
    let (recorded, current) = (
        line(path, Edition::Recorded, year),
        line(path, Edition::Current, year),
    );
    let only = |a: &str, b: &str, sign: char| -> Vec<String> {
        let b: Vec<&str> = b.split(' ').collect();
        let days = a.split(' ').filter(|day| !b.contains(day));
        days.map(|day| format!("{sign}{day}")).collect()
    };
    let mut days = only(&current, &recorded, '+');
    days.extend(only(&recorded, &current, '-'));
    days.join(" ")
}

#[test]
fn what_has_changed_since() {
    for (path, year, expected) in [
        ("us", 2020, "+2020-01-20 +2020-02-17 +2020-10-12"),
        (
            "us",
            2021,
            "+2021-01-18 +2021-02-15 +2021-06-19 +2021-10-11",
        ),
        ("us:ny:nyc", 2024, "+2024-06-19"),
        ("nyse", 2022, "+2022-06-20"),
        ("nyse", 2025, "+2025-01-09 +2025-06-19"),
        ("dk", 2023, ""),
        ("dk", 2024, "-2024-04-26"),
        ("ie", 2022, "+2022-03-18"),
        ("ie", 2023, "+2023-02-06"),
        // The first of February is a Friday.
        ("ie", 2030, "+2030-02-01"),
        ("gb", 2020, "+2020-05-08 -2020-05-04"),
        (
            "gb:en",
            2022,
            "+2022-06-02 +2022-06-03 +2022-09-19 -2022-05-30",
        ),
        ("gb", 2024, ""),
        (
            "hr",
            2020,
            "+2020-05-30 +2020-11-18 -2020-06-25 -2020-10-08",
        ),
        (
            "jp",
            2019,
            "+2019-04-30 +2019-05-01 +2019-05-02 +2019-08-11 +2019-10-22 -2019-12-23",
        ),
        (
            "jp",
            2020,
            "+2020-02-23 +2020-07-23 +2020-07-24 +2020-08-10 -2020-07-20 -2020-10-12 -2020-12-23",
        ),
        ("mx", 2024, "+2024-10-01 -2024-12-02"),
        ("mx", 2030, "+2030-10-01 -2030-12-02"),
        ("sk", 2025, "-2025-09-01 -2025-11-17"),
        (
            "ua",
            2024,
            "+2024-05-08 +2024-07-15 +2024-10-01 +2024-12-25 -2024-01-07 -2024-05-02 -2024-05-09",
        ),
        ("de:th", 2018, ""),
        ("de:th", 2019, "+2019-09-20"),
        ("fr", 2026, ""),
    ] {
        assert_eq!(difference(path, year), expected, "{path} {year}");
    }
}

#[test]
fn nothing_changes_before_the_recorded_edition_was_made() {
    let federal = ["us"];
    for path in [
        "al", "au", "br", "ca", "de", "dk", "gb", "hr", "ie", "it", "jp", "ro", "sk", "za",
    ] {
        for year in [1950, 1990, 2010, 2015] {
            assert_eq!(difference(path, year), "", "{path} {year}");
        }
    }
    // What the recorded edition leaves to the states has been law for all of them much longer.
    assert_eq!(difference(federal[0], 1970), "");
    assert_eq!(difference(federal[0], 1971), "+1971-02-15 +1971-10-11");
}

#[test]
fn paths() {
    let path = |parts: &[&str]| find(parts).map(|found| (found.place.path(), found.used));
    assert_eq!(path(&["US"]), Some(("us", 1)));
    assert_eq!(path(&["United_States"]), Some(("us", 1)));
    assert_eq!(path(&["us", "NY"]), Some(("us:ny", 2)));
    assert_eq!(path(&["us", "ny", "nyc", "zz"]), Some(("us:ny:nyc", 3)));
    assert_eq!(path(&["us", "nyc"]), Some(("us:ny:nyc", 2)));
    assert_eq!(path(&["us", "zz", "nyc"]), Some(("us", 1)));
    assert_eq!(path(&["de", "mu"]), Some(("de", 1)));
    assert_eq!(path(&["pt", "abt"]), Some(("pt:abt", 2)));
    assert_eq!(path(&["target"]), Some(("target", 1)));
    assert_eq!(path(&["nsye_euronext"]), Some(("nsye_euronext", 1)));
    for unknown in [&["uk"] as &[&str], &[""], &["zz"], &["us:ny"], &[]] {
        assert_eq!(path(unknown), None, "{unknown:?}");
    }
    let place = find(&["us", "ny", "nyc"]).unwrap().place;
    assert_eq!(place.title(), "New York City, New York, United States");
}

#[test]
fn suggestions() {
    let country = |word: &str| stellar::profile::holidays::suggest_country(word);
    assert_eq!(country("uk").as_deref(), Some("gb"));
    assert_eq!(country("Scotland").as_deref(), Some("gb:sc"));
    assert_eq!(country("Germny").as_deref(), Some("de"));
    assert_eq!(country("slovakia").as_deref(), Some("sk"));
    assert_eq!(country("qqqqqqqq"), None);
    let part = |path: &str, part: &str| find(&[path]).unwrap().place.suggest(part);
    assert_eq!(part("de", "bavaria"), Some("de:by"));
    assert_eq!(part("de", "mu"), Some("de:by:mu"));
    assert_eq!(part("us", "new_york"), Some("us:ny"));
    assert_eq!(part("fr", "qqqq"), None);
}
