//! Window selectors: recorded intervals, explanations, and what no text may do.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use std::cell::Cell;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use stellar::config::parse_now;
use stellar::diagnostic::{Code, Diagnostic};
use stellar::eval::java::date_format::{Locale, Zone};
use stellar::profile::holidays::Edition;
use stellar::profile::period::push_instant;
use stellar::profile::window::{Interval, LONGEST, Setting, Window, explain, parse, window};

const QUARTER: i64 = 900_000;
/// 2017-12-26T12:00Z
const NOON: i64 = 1_514_289_600_000;

fn compile(text: &str) -> Window {
    Window::compile(parse(text).unwrap()).unwrap()
}

fn fault(text: &str) -> Box<Diagnostic> {
    match window(text) {
        Ok(_) => panic!("{text} is a selector"),
        Err(fault) => fault,
    }
}

fn utc<R>(now: i64, work: impl FnOnce(&Setting<'_>) -> R) -> R {
    let (zone, locale) = (Zone::utc(), Locale::default());
    work(&Setting::new(now, &zone, &locale))
}

fn intervals(text: &str, now: i64) -> Vec<Interval> {
    utc(now, |setting| compile(text).intervals(setting).unwrap())
}

fn periods(text: &str, now: i64) -> Vec<i64> {
    utc(now, |setting| {
        compile(text).periods(setting, QUARTER).unwrap()
    })
}

/// An instant as the recorded lines have it.
fn minute(millis: i64) -> String {
    let mut text = String::new();
    push_instant(&mut text, millis);
    text[..16].replace('-', "/").replace('T', " ")
}

/// Selectors that the original refuses and this program takes, with the number of their intervals.
const ACCEPTED: &[(&str, usize)] = &[
    ("1 HOUR WINDOW", 1),
    ("1 Hour", 1),
    ("1 hour window from 2 hours ago", 1),
    ("Starting From 1 day", 1),
    (
        "1 hour window every 24 hours from 7 days ago including current day of the week",
        1,
    ),
    (
        "1 hour window every 24 hours from 14 days ago including current day of week",
        2,
    ),
    (
        "1 hour window every 24 hours starting from 14 days ago including the current day of the week excluding weekends, holidays:us",
        2,
    ),
    ("1 Days", 1),
];

#[test]
fn recorded_intervals() {
    let text = std::fs::read_to_string("tests/conformance/profiler/windows.txt").unwrap();
    let mut seen = 0;
    for line in text.lines() {
        let (selector, rest) = line.strip_prefix('[').unwrap().split_once("] ").unwrap();
        seen += 1;
        let accepted = ACCEPTED.iter().find(|(text, _)| *text == selector);
        if rest.starts_with("!!") || rest.contains("null window") {
            match accepted {
                Some((_, count)) => assert_eq!(intervals(selector, NOON).len(), *count, "{line}"),
                None => assert!(window(selector).is_err(), "{line}"),
            }
            continue;
        }
        assert!(accepted.is_none(), "{line}");
        let mut shown = rest.trim_start_matches("-> ").split(' ');
        let count: usize = shown.next().unwrap().parse().unwrap();
        let ours = intervals(selector, NOON);
        assert_eq!(ours.len(), count, "{line}");
        let mut expected = format!("-> {count}");
        let (start, end) = compile(selector).bounds(NOON);
        // The recorded year of the only span before 1970 has no sign.
        let start = if start < 0 {
            "0721/02/06 12:00".to_string()
        } else {
            minute(start)
        };
        let _ = write!(expected, " start={start} end={}", minute(end));
        for interval in ours.iter().take(4) {
            let _ = write!(
                expected,
                " {}..{}",
                minute(interval.start),
                minute(interval.end)
            );
        }
        assert_eq!(expected, rest.trim_end_matches(" ..."), "{line}");
    }
    assert!(seen > 60);
    for (selector, _) in ACCEPTED {
        assert!(text.contains(&format!("[{selector}]")), "{selector}");
    }
}

#[test]
fn examples_of_the_public_documentation() {
    for (selector, count) in [
        ("from 1 hour ago", 1),
        ("from 1 hour ago to 30 minutes ago", 1),
        ("2 hours", 1),
        ("30 minute window every 1 hour from 2 hours ago", 2),
        (
            "30 minute window every 1 hour from 2 hours ago to 30 minutes ago",
            2,
        ),
        (
            "1 hour window every 24 hours from 56 days ago including current day of the week",
            8,
        ),
        (
            "1 hour window every 24 hours from 56 days ago including tuesdays",
            8,
        ),
        (
            "30 minute window every 24 hours from 14 days ago including tuesdays",
            2,
        ),
        (
            "30 minute window every 24 hours from 14 days ago excluding weekends, holidays:us",
            9,
        ),
        (
            "30 minute window every 24 hours from 7 days ago including saturdays excluding weekends",
            0,
        ),
    ] {
        assert_eq!(intervals(selector, NOON).len(), count, "{selector}");
    }
    assert_eq!(
        intervals("from 1 hour ago to 30 minutes ago", NOON),
        intervals("from 30 minutes ago to 1 hour ago", NOON)
    );
}

#[test]
fn a_sunday_of_23_hours_is_jumped_over() {
    let zone = Zone::from_java_id("America/New_York");
    let locale = Locale::default();
    // Wednesday 2017-03-15 00:15 in New York.
    let setting = Setting::new(1_489_551_300_000, &zone, &locale);
    let all = compile("30 minute window every 24 hours from 7 days ago");
    assert_eq!(all.intervals(&setting).unwrap().len(), 7);
    let some = compile("30 minute window every 24 hours from 7 days ago excluding weekends");
    assert_eq!(some.intervals(&setting).unwrap().len(), 6);
}

#[test]
fn periods_at_the_edges() {
    // At an exact quarter both ends count.
    assert_eq!(periods("1 hour", 1_502_665_200_000).len(), 5);
    assert_eq!(periods("1 hour", 1_502_665_200_001).len(), 4);
    assert_eq!(periods("1 minute", 1_502_665_260_000), [1_669_628]);
    assert!(periods("1 minute", 1_502_665_261_000).is_empty());
    assert_eq!(
        periods(
            "15 minute window every 30 minutes from 1 hour ago",
            1_502_665_200_000
        ),
        [1_669_624, 1_669_625, 1_669_626, 1_669_627]
    );
    assert_eq!(
        periods("from 1 hour ago to 1 hour ago", 1_502_665_200_000).len(),
        1
    );
}

#[test]
fn spans_from_before_1970() {
    for (now, number) in [
        (0, Some(-3)),
        (1_800_000, Some(-1)),
        (-1, Some(-3)),
        (2_700_001, None),
        (3_599_999, None),
    ] {
        let found = utc(now, |setting| compile("1 hour").periods(setting, QUARTER));
        match (found, number) {
            (Ok(list), None) => assert!(list.is_empty()),
            (Err(fault), Some(number)) => {
                assert_eq!(fault.code, Code::ArgumentValue);
                assert!(
                    fault.message.ends_with(&format!("period {number}")),
                    "{}",
                    fault.message
                );
            }
            (found, _) => panic!("{now}: {found:?}"),
        }
    }
}

#[test]
fn huge_numbers() {
    for text in [
        "9223372036854775807 days",
        "9223372036854775807 seconds window every 9223372036854775807 days from 9223372036854775807 hours ago",
        "1 second window every 9223372036854775807 days from 1 hour ago",
        "from 9223372036854775807 days ago to 9223372036854775807 days ago",
    ] {
        for now in [i64::MIN, -1, 0, NOON, i64::MAX] {
            utc(now, |setting| {
                let window = compile(text);
                let found = window.intervals(setting).unwrap();
                assert!(found.len() <= 1, "{text}");
                let _ = window.periods(setting, QUARTER);
                let _ = window.periods(setting, i64::MAX);
                assert!(
                    explain(text, setting, QUARTER, 80).is_ok()
                        || window.periods(setting, QUARTER).is_err()
                );
            });
        }
    }
    assert_eq!(fault("9223372036854775808 hours").code, Code::BadWindow);
}

#[test]
fn years_far_away() {
    // The calendar repeats every 400 years, up to the end of what 64 bits can count.
    let cycle = 146_097 * 86_400_000i64;
    let text = "1 hour window every 24 hours from 400 days ago including holidays:us, mondays";
    let near: Vec<i64> = intervals(text, NOON)
        .iter()
        .map(|i| i.start - NOON)
        .collect();
    assert_eq!(near.len(), 57 + 7);
    let now = NOON + cycle * ((i64::MAX - NOON) / cycle);
    let far: Vec<i64> = intervals(text, now).iter().map(|i| i.start - now).collect();
    assert_eq!(near, far);
    let fault = utc(now, |setting| {
        compile("1 hour window every 24 hours from 7 days ago including holidays:ba")
            .intervals(setting)
    });
    assert!(fault.unwrap_err().message.contains("1883 to 2173"));
}

#[test]
fn work_is_counted_and_stopped() {
    let (zone, locale) = (Zone::utc(), Locale::default());
    let steps = Cell::new(0u32);
    let step = || {
        steps.set(steps.get() + 1);
        match steps.get() > 1000 {
            true => Err(Diagnostic::new(Code::Steps, "stopped")),
            false => Ok(()),
        }
    };
    let setting = Setting {
        step: &step,
        ..Setting::new(NOON, &zone, &locale)
    };
    let none =
        compile("1 second window every 1 second from 17000 days ago excluding weekdays, weekends");
    assert_eq!(none.intervals(&setting).unwrap_err().code, Code::Steps);
    steps.set(0);
    let one = compile("from 17000 days ago");
    assert_eq!(one.periods(&setting, 1).unwrap_err().code, Code::Steps);
    let setting = Setting {
        most: 10,
        ..Setting::new(NOON, &zone, &locale)
    };
    let many = compile("1 second window every 1 second from 1 hour ago");
    assert_eq!(
        many.intervals(&setting).unwrap_err().code,
        Code::CollectionSize
    );
    assert_eq!(
        many.periods(&setting, 1000).unwrap_err().code,
        Code::CollectionSize
    );
    assert_eq!(many.periods(&setting, 3_600_000).unwrap().len(), 2);
}

#[test]
fn long_selectors_take_little_time() {
    let long = |begin: &str, part: &str| {
        let mut text = begin.to_string();
        while text.len() + part.len() < LONGEST {
            text.push_str(part);
        }
        text
    };
    let list = "1 hour window every 24 hours from 14 days ago excluding mondays";
    for text in [
        long(list, ", tuesdays"),
        long(list, ":a"),
        long(list, " 1"),
        long(list, ", date:2017/12/25"),
        long(list, ", holidays:us:ny:nyc"),
        long(list, ", holidays:pt:zzzzz"),
        long("", "1 hour window every "),
        long("", "from 1 hour ago "),
        long("", "starting "),
        long("", "the current day of the "),
        long("1 hour including ", "the current day of the week "),
        long("", " "),
        long("1", "0"),
        long("1 hour excluding mondays ", "excluding mondays "),
        long("1 hour ", "é"),
        long("", "("),
    ] {
        let start = Instant::now();
        let _ = window(&text).map(|window| utc(NOON, |setting| window.periods(setting, QUARTER)));
        // What is not linear would take hours.
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{} {:?}",
            &text[..80],
            start.elapsed()
        );
    }
    let fault = fault(&long(list, ", tuesdays tuesdays").repeat(2));
    assert_eq!(fault.code, Code::ExpressionLength);
}

#[test]
fn holidays_need_a_country() {
    let zone = Zone::utc();
    let window = compile("1 day including holidays");
    let locale = Locale::parse("en").unwrap();
    let fault = window
        .intervals(&Setting::new(NOON, &zone, &locale))
        .unwrap_err();
    assert!(fault.message.contains("needs a country"), "{fault}");
    assert_eq!(fault.position().unwrap().column, 17);
    let locale = Locale::parse("en_ZW").unwrap();
    assert!(
        window
            .intervals(&Setting::new(NOON, &zone, &locale))
            .is_err()
    );
    // 2017-12-26 is a holiday in Germany, and none in the United States.
    for (tag, count) in [("de_DE", 1), ("en_US", 0)] {
        let locale = Locale::parse(tag).unwrap();
        let setting = Setting::new(NOON + 86_400_000, &zone, &locale);
        assert_eq!(window.intervals(&setting).unwrap().len(), count, "{tag}");
    }
}

#[test]
fn dates_are_read_as_java_reads_them() {
    let count = |date: &str| {
        intervals(
            &format!("1 hour window every 24 hours from 14 days ago including {date}"),
            NOON,
        )
        .len()
    };
    assert_eq!(count("date:2017/12/25"), 1);
    assert_eq!(count("date:20171225:yyyyMMdd"), 1);
    assert_eq!(count("date:25.Dec.17:dd.MMM.yy"), 1);
    // Days and months roll over, and what follows is ignored.
    assert_eq!(count("date:2016/24/25"), 1);
    assert_eq!(count("date:2017/12/25/99"), 1);
    // A number without a colon loses its first digit: the pattern is 2, the date 1970-01-01.
    assert_eq!(count("date:2017/12/25 12"), 0);
    assert_eq!(
        fault("1 hour including date:2017/12/25 5").code,
        Code::BadWindow
    );
    assert_eq!(
        fault("1 hour including date:2017/12/25:qq").code,
        Code::BadDatePattern
    );
}

#[test]
fn explanations() {
    let cases = std::fs::read_to_string("tests/golden/window/explain.cases").unwrap();
    let locale = Locale::default();
    let mut text = String::new();
    for case in cases.lines().filter(|line| !line.starts_with('#')) {
        let [now, zone, minutes, edition, selector]: [&str; 5] =
            case.splitn(5, "; ").collect::<Vec<_>>().try_into().unwrap();
        let zone = Zone::from_name_strict(zone).unwrap();
        let setting = Setting {
            edition: Edition::parse(edition).unwrap(),
            ..Setting::new(parse_now(now, |_| 0).unwrap(), &zone, &locale)
        };
        let duration = minutes.parse::<i64>().unwrap() * 60_000;
        let shown = match explain(selector, &setting, duration, 100) {
            Ok(shown) => shown,
            Err(fault) => format!("{fault}\n"),
        };
        let _ = writeln!(text, "{shown}{}", "=".repeat(100));
    }
    golden("explain", &text);
}

#[test]
fn complaints() {
    let mut text = String::new();
    for selector in [
        "",
        "1 week",
        "2 months",
        "30 min",
        "1.5 hours",
        "5",
        "01 hour",
        "-1 hours",
        "last 2 hours",
        "an hour",
        "foo",
        "1 hour, 2",
        "1 hour;",
        "1 hour windw",
        "1 hour window from",
        "from now",
        "from yesterday",
        "1 hour window every 24 hours",
        "1 hour window every 24 hours including mondays",
        "every 5 minutes",
        "starting  from 1 day",
        "1 hour excluding mondays including tuesdays",
        "from 1 hour ago including mondays",
        "1 hour including mondys",
        "1 hour including tuesday weekends",
        "1 hour including tuesdays and weekends",
        "1 hour including mondays, ",
        "1 hour including dates:2017/12/25",
        "1 hour including date",
        "1 hour including date: 2017/12/25",
        "1 hour including date:foo",
        "1 hour including date:2017/12/25:qq",
        "1 hour including holidays:uk",
        "1 hour including holidays:Germny",
        "1 hour including holidays 5",
        "99999999999999999999 hours",
        "1 hour window every 24 hours from 14 days ago including this  day of week",
        "één uur",
    ] {
        let _ = writeln!(text, "{}\n", fault(selector));
    }
    golden("complaints", &text);
}

fn golden(name: &str, text: &str) {
    let path = format!("tests/golden/window/{name}.out");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "{path} differs; UPDATE=1 rewrites it\n{text}"
    );
}

/// Texts that are nearly selectors.
fn scraps() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "1",
        "15",
        "007",
        "99999999999999999999",
        "hour",
        "minutes",
        "DAYS",
        "second(s)",
        "week",
        "window",
        "Windows",
        "every",
        "for every",
        "from",
        "starting from",
        "ago",
        "to",
        "until",
        "including",
        "excludes",
        "mondays",
        "weekends",
        "holidays",
        ":us",
        ":ny",
        ":nyc",
        ":zz",
        "date",
        ":2017/12/25",
        ":yyyyMMdd",
        ":''",
        ",",
        ":",
        " ",
        "this day of week",
        "the current day of the week",
        "é",
        "\u{0}",
        "\n",
        "('",
        "５",
    ]);
    prop::collection::vec(words, 0..12).prop_map(|words| words.join(" "))
}

fn amount() -> impl Strategy<Value = String> {
    (
        1u32..200,
        prop::sample::select(vec!["seconds", "minutes", "hours", "days"]),
    )
        .prop_map(|(number, unit)| format!("{number} {unit}"))
}

fn days(word: &'static str) -> impl Strategy<Value = String> {
    let day = prop::sample::select(vec![
        "mondays",
        "weekends",
        "weekdays",
        "this day of week",
        "holidays:us",
        "holidays:jp",
        "holidays:ba:fd",
        "date:2017/12/25",
        "holidays",
    ]);
    prop::collection::vec(day, 0..3).prop_map(move |days| match days.is_empty() {
        true => String::new(),
        false => format!(" {word} {}", days.join(", ")),
    })
}

fn selectors() -> impl Strategy<Value = String> {
    (
        amount(),
        amount(),
        amount(),
        amount(),
        days("including"),
        days("excluding"),
        0..4,
    )
        .prop_map(
            |(width, every, from, to, include, exclude, form)| match form {
                0 => format!("{width}{include}{exclude}"),
                1 => format!("{width} window every {every} from {from} ago{include}{exclude}"),
                2 => format!(
                    "{width} window every {every} from {from} ago to {to} ago{include}{exclude}"
                ),
                _ => format!("from {from} ago to {to} ago"),
            },
        )
}

/// The periods by the original's way: each period of the span is looked for in the intervals.
fn periods_one_by_one(window: &Window, setting: &Setting<'_>, duration: i64) -> Vec<i64> {
    let intervals = window.intervals(setting).unwrap();
    let (start, end) = window.bounds(setting.now);
    (start / duration..=end / duration)
        .filter(|number| {
            let begins = number * duration;
            let holds = |interval: &Interval| (interval.start..=interval.end).contains(&begins);
            begins <= end && intervals.iter().any(holds)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", scraps in scraps(), now in any::<i64>()) {
        for text in [text, scraps] {
            match window(&text) {
                Ok(window) => utc(now, |setting| {
                    let setting = Setting { most: 1000, ..*setting };
                    let _ = window.periods(&setting, QUARTER);
                    let _ = window.lints(&setting);
                    let _ = explain(&text, &setting, QUARTER, 80);
                }),
                Err(fault) => {
                    let span = fault.span.unwrap();
                    prop_assert!(span.start <= span.end && span.end <= text.len());
                    prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
                    prop_assert!(!fault.to_string().is_empty());
                }
            }
        }
    }

    #[test]
    fn intervals_are_in_order_and_within_their_span(
        text in selectors(),
        now in 1_400_000_000_000i64..1_900_000_000_000,
        zone in prop::sample::select(vec!["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    ) {
        let (zone, locale) = (Zone::from_java_id(zone), Locale::default());
        let setting = Setting { most: 20_000, ..Setting::new(now, &zone, &locale) };
        let window = compile(&text);
        let Ok(found) = window.intervals(&setting) else {
            return Ok(());
        };
        let (start, end) = window.bounds(now);
        prop_assert!(found.iter().all(|i| i.start >= start && i.end <= end && i.start <= i.end));
        prop_assert!(found.windows(2).all(|pair| pair[0].start < pair[1].start));
        let selector = &window.selector;
        if let (Some(width), Some(every)) = (selector.width, selector.every) {
            prop_assert!(found.iter().all(|i| i.end - i.start == width.millis()));
            prop_assert!(found.iter().all(|i| (i.start - start) % every.millis() == 0));
            if width.millis() <= every.millis() {
                prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
            }
        } else {
            prop_assert!(found.len() <= 1);
        }
        let excluded = text.split(" excluding").next().unwrap();
        let setting = Setting { most: 2_000_000, ..setting };
        if let Ok(more) = compile(excluded).intervals(&setting) {
            let mut more = more.iter();
            prop_assert!(found.iter().all(|interval| more.any(|other| other == interval)));
        }
    }

    #[test]
    fn periods_are_those_that_begin_in_an_interval(
        text in selectors(),
        now in 1_400_000_000_000i64..1_900_000_000_000,
        minutes in 1i64..3000,
    ) {
        utc(now, |setting| {
            let setting = Setting { most: 20_000, ..*setting };
            let window = compile(&text);
            let duration = minutes * 60_000;
            // The slow way is quadratic.
            if window.intervals(&setting).is_ok_and(|found| found.len() < 500) {
                let ours = window.periods(&setting, duration);
                if let Ok(ours) = ours {
                    prop_assert_eq!(ours, periods_one_by_one(&window, &setting, duration));
                }
            }
            Ok(())
        })?;
    }
}
