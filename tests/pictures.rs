//! Pictures beside plots: time lines, bars, histograms, trees and shares, and how the shell and the commands give them.
//! `UPDATE=1 cargo test --test pictures` writes the pictures anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use proptest::prelude::*;
use regex::Regex;
use std::path::Path;
use std::sync::LazyLock;
use stellar::drawing::Size;
use stellar::drawing::bars::{Bars, Kind};
use stellar::drawing::shares::{Share, Shares};
use stellar::drawing::spans::{Lane, Spans, Stretches};
use stellar::drawing::svg::escaped;
use stellar::drawing::tree::{Became, Node, Tree};
use stellar::eval::java::date_format::Zone;
use stellar::functions::statistics::object::Figures;
use stellar::functions::statistics::{Statistics, online::Online, window::Window};
use support::Home;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-11-02, a Monday, in UTC.
const MONDAY: i64 = 1_793_577_600_000;

/// A text that wants to be more than a text.
const HOSTILE: &str =
    "</text><script>alert(1)</script> \"a\" & 'b' \u{1b}[31m \u{202e}gnp\u{0}\u{fffe} ž 漢字";

fn zone(name: &str) -> Zone {
    Zone::from_name_strict(name).unwrap()
}

fn bars(kinds: &[&str], steps: usize) -> Bars {
    let count = |kind: usize, step: usize| match (kind * 31 + step * 7919) % 23 {
        n if n < 4 => 0.0,
        n => (n + 3 * kind) as f64,
    };
    let kinds = kinds.iter().enumerate().map(|(index, name)| Kind {
        name: name.to_string(),
        counts: (0..steps).map(|step| count(index, step)).collect(),
    });
    Bars {
        title: "Events".to_string(),
        unit: "events".to_string(),
        zone: zone("Europe/Prague"),
        starts: (0..steps as i64).map(|step| MONDAY + step * HOUR).collect(),
        end: MONDAY + steps as i64 * HOUR,
        kinds: kinds.collect(),
    }
}

fn spans(title: &str, days: i64) -> Spans {
    let (start, end) = (MONDAY - days * DAY, MONDAY);
    let mut lanes = Vec::new();
    for (class, name, length) in [("c0", "windows", 2 * HOUR), ("out", title, HOUR / 2)] {
        let mut stretches = Stretches::on(start, end);
        for day in 0..days {
            stretches.push(start + day * DAY, start + day * DAY + length);
        }
        let name = name.to_string();
        lanes.push(Lane {
            name,
            class,
            stretches,
        });
    }
    Spans {
        title: title.to_string(),
        words: vec![format!("{title} ").repeat(12)],
        start,
        end,
        zone: zone("Europe/Prague"),
        now: Some(MONDAY - HOUR),
        lanes,
        notes: vec![title.to_string()],
    }
}

fn statistics(values: impl IntoIterator<Item = f64>, window: Option<usize>) -> Statistics {
    let figures = match window {
        None => Figures::Online(Online::default()),
        Some(size) => Figures::Window(Window::new(size)),
    };
    let statistics = Statistics::new(figures);
    for value in values {
        let _ = statistics.figures().add(value);
    }
    statistics
}

/// Values like waiting times: many short ones, few long ones.
fn waits() -> impl Iterator<Item = f64> {
    (1..2_000).map(|i| -40.0 * (1.0 - f64::from((i * 7919) % 2_000) / 2_000.0).ln())
}

fn histogram(statistics: &Statistics) -> String {
    let drawn = statistics.histogram().unwrap();
    drawn.svg(Size::default())
}

fn tree(label: &str) -> Tree {
    let node = |depth, code: &str, became, count| Node {
        depth,
        code: code.to_string(),
        became,
        count,
    };
    let value = |text: &str, kind: &str| Became::Value {
        text: text.to_string(),
        kind: kind.to_string(),
    };
    Tree {
        title: label.to_string(),
        below: "gives true".to_string(),
        nodes: vec![
            node(
                0,
                "LENGTH(MAP(names, n -> TO_UPPER(n))) > 2 or FOO",
                value("true", "Boolean"),
                1,
            ),
            node(
                1,
                "LENGTH(MAP(names, n -> TO_UPPER(n))) > 2",
                value("true", "Boolean"),
                1,
            ),
            node(
                2,
                "MAP(names, n -> TO_UPPER(n))",
                value("[A, B, C]", "List"),
                1,
            ),
            node(3, label, value(label, "List"), 3),
            node(3, "TO_UPPER(n)", Became::Failed, 4),
            node(1, "FOO", Became::Unused, 0),
        ],
    }
}

fn shares(label: &str) -> Shares {
    let share = |code: &str, share, words: &str| Share {
        code: code.to_string(),
        share,
        words: words.to_string(),
    };
    Shares {
        title: label.to_string(),
        below: "evaluated in 10 ms".to_string(),
        shares: vec![
            share("REGEXP_MATCH(line, '.*x')", 0.82, "8 ms in 1000 times"),
            share(label, 0.1, "1 ms"),
            share("x", 0.000_1, "10 ns"),
        ],
        more: 3,
    }
}

/// All pictures.
fn gallery() -> Vec<(&'static str, String)> {
    let size = Size::default();
    let names = ["Recon.Scanning", "Attempt.Login", "Malware"];
    let many: Vec<String> = (0..12).map(|n| format!("category {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let narrow = Size {
        width: 420,
        height: Some(90),
    };
    vec![
        ("bars", bars(&[""], 48).svg(size)),
        ("bars-kinds", bars(&names, 72).svg(size)),
        ("bars-many-kinds", bars(&many, 24).svg(size)),
        ("bars-crowded", bars(&names, 5_000).svg(size)),
        ("bars-one", bars(&[""], 1).svg(size)),
        ("bars-hostile", bars(&[HOSTILE, "b"], 5).svg(narrow)),
        ("spans", spans("2 hour window every 1 day", 14).svg(size)),
        ("spans-hostile", spans(HOSTILE, 3).svg(narrow)),
        ("histogram", histogram(&statistics(waits(), None))),
        (
            "histogram-window",
            histogram(&statistics(waits().take(50), Some(50))),
        ),
        ("histogram-one", histogram(&statistics([7.0], None))),
        (
            "histogram-far",
            histogram(&statistics(
                (0..500).map(|i| f64::from(i % 50)).chain([1e9]),
                None,
            )),
        ),
        ("tree", tree("names").svg(size)),
        ("tree-hostile", tree(HOSTILE).svg(narrow)),
        ("shares", shares("MAP(names, n -> n)").svg(size)),
        ("shares-hostile", shares(HOSTILE).svg(narrow)),
    ]
}

#[test]
fn pictures_are_as_they_were() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty());
    let mut complaints = Vec::new();
    for (name, found) in gallery() {
        let path = Path::new("tests/golden/pictures").join(format!("{name}.svg"));
        if update {
            std::fs::create_dir_all("tests/golden/pictures").unwrap();
            std::fs::write(&path, &found).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != found {
            complaints.push(format!("{name} differs:\n{found}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

static TAGS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"<(/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(/?)>"#).unwrap());

/// The attributes that hold numbers.
static NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#" (?:x|y|d|cx|cy|width|height|viewBox)="([^"]*)""#).unwrap());

/// Whether a picture is XML whose elements are closed, and holds nothing that runs or that is no number.
fn check(picture: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut count = 0;
    for tag in TAGS.captures_iter(picture) {
        count += 1;
        let (end, name, alone) = (&tag[1], tag.get(2).unwrap().as_str(), &tag[4]);
        if name == "script" {
            return Err("a script".into());
        }
        match (end, alone) {
            ("/", _) if open.pop() != Some(name) => return Err(format!("</{name}>")),
            ("/", _) | (_, "/") => {}
            _ => open.push(name),
        }
    }
    let numbers = NUMBERS
        .captures_iter(picture)
        .map(|found| found[1].to_string());
    let odd = numbers.filter(|text| text.contains("NaN") || text.contains("inf"));
    let odd: Vec<String> = odd.collect();
    let control = |c: char| {
        c != '\n'
            && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{fffe}' | '\u{ffff}'))
    };
    match () {
        () if !open.is_empty() => Err(format!("{open:?} is open")),
        () if picture.matches('<').count() != count => Err("a < that opens nothing".into()),
        () if !odd.is_empty() => Err(format!("{odd:?}")),
        () if picture.contains(control) => {
            Err("a character that XML or a reader does not bear".into())
        }
        () if !picture.contains("<title ") || !picture.contains("<desc ") => Err("no title".into()),
        () if picture.contains("href") || picture.contains("url(") => {
            Err("something from elsewhere".into())
        }
        () => Ok(()),
    }
}

#[test]
fn pictures_are_well_formed_and_harmless() {
    for (name, picture) in gallery() {
        check(&picture).unwrap_or_else(|wrong| panic!("{name}: {wrong}\n{picture}"));
    }
    let broken = "<svg><title a=\"b\">x</title><desc >";
    assert!(check(broken).is_err() && check("<svg>NaN</svg>").is_err());
}

#[test]
fn labels_stay_texts() {
    assert_eq!(
        escaped("<a href=\"x\">&\n"),
        "&lt;a href=&quot;x&quot;&gt;&amp; "
    );
    assert_eq!(escaped("\u{0}\u{1b}\u{202e}\u{ffff}"), "\u{fffd}".repeat(4));
    assert_eq!(escaped("žluť 漢字 🦀"), "žluť 漢字 🦀");
}

#[test]
fn gaps_stay_gaps_and_neighbours_are_told_apart() {
    let drawn = |picture: &str| picture.matches("<rect class=\"c0\"").count();
    let line = |stretches: &[(i64, i64)]| {
        let mut found = Stretches::on(0, 100 * DAY);
        stretches
            .iter()
            .for_each(|(start, end)| found.push(*start, *end));
        let spans = Spans {
            title: "x".to_string(),
            words: Vec::new(),
            start: 0,
            end: 100 * DAY,
            zone: zone("UTC"),
            now: None,
            lanes: vec![Lane {
                name: "x".to_string(),
                class: "c0",
                stretches: found,
            }],
            notes: Vec::new(),
        };
        drawn(&spans.svg(Size::default()))
    };
    assert_eq!(line(&[]), 0);
    assert_eq!(line(&[(0, DAY), (2 * DAY, 3 * DAY), (3 * DAY, 4 * DAY)]), 3);
    // A million periods without gaps are few rectangles.
    let all: Vec<(i64, i64)> = (0..1_000_000).map(|i| (i * 8640, (i + 1) * 8640)).collect();
    assert!((1..=2).contains(&line(&all)), "{}", line(&all));
    // A gap in them is seen.
    let gap: Vec<(i64, i64)> = all
        .into_iter()
        .filter(|(start, _)| !(40 * DAY..50 * DAY).contains(start))
        .collect();
    assert!((2..=4).contains(&line(&gap)), "{}", line(&gap));
}

#[test]
fn counts_are_where_they_belong() {
    // Bars of a window are counted, so that their sum is the number of values.
    let drawn = statistics([1.0, 1.0, 2.0, 3.0, 9.0, f64::NAN], Some(10))
        .histogram()
        .unwrap();
    assert_eq!(drawn.counts.iter().sum::<f64>(), 5.0);
    assert_eq!(drawn.counts[0], 2.0);
    assert!(!drawn.reckoned);
    // Those of a sketch are reckoned, and are nearly right.
    let drawn = statistics((0..4_000).map(f64::from), None)
        .histogram()
        .unwrap();
    assert!(drawn.reckoned);
    assert!((drawn.counts.iter().sum::<f64>() - 4_000.0).abs() < 1.0);
    assert!(
        drawn
            .counts
            .iter()
            .all(|count| (count - 100.0).abs() < 15.0),
        "{:?}",
        drawn.counts
    );
    // A value far away is told, and does not make a needle of the others.
    let drawn = statistics(
        (0..5_000).map(|i| f64::from(i % 50)).chain([1e9]),
        Some(6_000),
    )
    .histogram()
    .unwrap();
    assert!(drawn.high < 1_000.0, "{}", drawn.high);
    assert_eq!(drawn.notes, ["1 value lies above 137"]);
    assert!(statistics([], None).histogram().is_none());
    assert!(statistics([f64::NAN], Some(3)).histogram().is_none());
    // What has no colour of its own is summed up.
    let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let many = bars(&names, 10);
    let sum = |kinds: &[Kind]| kinds.iter().flat_map(|kind| &kind.counts).sum::<f64>();
    assert_eq!(many.told().len(), 8);
    assert_eq!(many.told()[7].name, "13 others");
    assert_eq!(sum(&many.told()), sum(&many.kinds));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn anything_can_be_drawn(
        values in prop::collection::vec(any::<f64>(), 0..40),
        label in any::<String>(),
        start in any::<i64>(),
        step in 1i64..10_000_000_000,
        width in 0usize..2_000,
        height in prop::option::of(0usize..500),
    ) {
        let size = Size { width, height };
        let start = start / 4;
        let starts: Vec<i64> = (0..values.len() as i64).map(|i| start + i * step).collect();
        let counts: Vec<f64> = values.iter().map(|v| if v.is_finite() { v.abs().min(1e15) } else { 0.0 }).collect();
        let drawn = Bars {
            title: label.clone(),
            unit: "events".to_string(),
            zone: zone("Europe/Prague"),
            end: start + starts.len() as i64 * step,
            starts,
            kinds: vec![Kind { name: label.clone(), counts: counts.clone() }, Kind { name: String::new(), counts }],
        };
        let mut pictures = vec![drawn.svg(size), tree(&label).svg(size), shares(&label).svg(size)];
        let mut stretches = Stretches::on(start, start + step);
        stretches.push(start, start + step);
        let spans = Spans { start, end: start + step, lanes: vec![Lane { name: label.clone(), class: "c1", stretches }], ..spans(&label, 1) };
        pictures.push(spans.svg(size));
        for window in [None, Some(7)] {
            pictures.extend(statistics(values.clone(), window).histogram().map(|drawn| drawn.svg(size)));
        }
        for picture in pictures {
            let checked = check(&picture);
            prop_assert!(checked.is_ok(), "{checked:?}\n{picture}");
        }
    }
}

const NOW: [&str; 4] = ["--tz", "Europe/Prague", "--now", "2026-11-02T12:00:00Z"];

#[test]
fn the_shell_saves_what_was_shown_last() {
    let home = Home::new();
    let script = "%window '1 hour window every 24 hours from 14 days ago excluding weekends'\n\
        %save window.svg\n\
        PROFILE_FIXED(3, 'HOURS')\n\
        %save periods.svg\n\
        %explain 1 + LENGTH('abc')\n\
        %save explain.svg\n\
        %cost LENGTH(TO_UPPER('abc'))\n\
        %save cost.svg\n\
        s := STATS_ADD(STATS_INIT(), [1, 2, 3, 4, 100])\n\
        %save statistics.svg\n\
        %save again.svg s\n\
        %plot [1, 2, 3]\n\
        %save plot.svg\n";
    home.run(&NOW, script).ended(0);
    let read = |name: &str| std::fs::read_to_string(home.path(name)).unwrap();
    let window = read("window.svg");
    assert!(
        window.contains(">10 windows<") && window.contains(">4 left out<"),
        "{window}"
    );
    assert!(
        window.contains(">now<") && window.contains("Europe/Prague"),
        "{window}"
    );
    let periods = read("periods.svg");
    assert!(
        periods.contains("12 periods of 15 minutes")
            || periods.contains("13 periods of 15 minutes"),
        "{periods}"
    );
    let explain = read("explain.svg");
    assert!(
        explain.contains(">1 + LENGTH(")
            && explain.contains(">gives 4<")
            && explain.contains(">Integer<"),
        "{explain}"
    );
    let cost = read("cost.svg");
    assert!(
        cost.contains(">TO_UPPER(") && cost.contains(" %</text>"),
        "{cost}"
    );
    let statistics = read("statistics.svg");
    assert!(
        statistics.contains("5 values from 1 to 100, mean 22"),
        "{statistics}"
    );
    assert_eq!(statistics, read("again.svg"));
    assert!(read("plot.svg").contains("3 values"));
    for name in ["window", "periods", "explain", "cost", "statistics", "plot"] {
        check(&read(&format!("{name}.svg"))).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
    }
    let ran = home.run(&NOW, "1 + 1\n%save none.svg\n").ended(1);
    assert!(
        ran.err
            .contains("an .svg file holds a picture, and this is an integer"),
        "{}",
        ran.err
    );
    let ran = home
        .run(&NOW, "%plot [1, 2]\nx := 3\n%save none.svg\n")
        .ended(1);
    assert!(ran.err.contains("holds a picture"), "{}", ran.err);
}

#[test]
fn timelines_of_events_are_bars() {
    let home = Home::new();
    let event = |id: usize, minute: usize, category: &str| {
        let (hour, minute) = (8 + minute / 60, minute % 60);
        format!(
            "EVENT_INSERT({{'ID': 'e{id}', 'DetectTime': '2026-10-30T{hour:02}:{minute:02}:00Z', 'Category': ['{category}']}})\n"
        )
    };
    let mut script = String::new();
    for id in 0..12 {
        let category = if id % 3 == 0 {
            "Test"
        } else {
            "Recon.Scanning"
        };
        script += &event(id, id * 17, category);
    }
    home.run(&NOW, &*script).ended(0);
    let timeline = |more: &[&str]| home.run(&[&["event", "timeline"], &NOW[..], more].concat(), "");
    let ran = timeline(&["--step", "1h", "--by", "category", "--svg", "t.svg"]).ended(0);
    assert_eq!((ran.out(), ran.err.as_str()), ("", ""));
    let picture = std::fs::read_to_string(home.path("t.svg")).unwrap();
    check(&picture).unwrap();
    // Prague is an hour ahead of UTC then.
    assert!(
        picture.contains("Events by category · steps of 1 hour · Europe/Prague"),
        "{picture}"
    );
    assert!(
        picture.contains("Fri 2026-10-30 09:00 to Fri 2026-10-30 13:00 · 12 events"),
        "{picture}"
    );
    assert!(
        picture.contains(">Recon.Scanning<") && picture.contains(" · Test: 2</title>"),
        "{picture}"
    );
    let ran = timeline(&["--svg", "-"]).ended(0);
    assert!(ran.out().starts_with("<svg "), "{}", ran.out());
    let ran = timeline(&["--svg", "none.svg", "--from", "2030-01-01"]);
    assert!(!home.path("none.svg").exists(), "{}", ran.err);
    timeline(&["--svg", "-", "--format", "csv"]).ended(2);

    let ran = home.run(&NOW, "%plot EVENT_TIMELINE({}, '1h', 'category')\n%save plot.svg\nEVENT_TIMELINE({}, '1h')\n%save value.svg\n");
    let ran = ran.ended(0);
    assert!(
        ran.out().contains("\nRecon.Scanning  4 periods\n"),
        "{}",
        ran.out()
    );
    let plot = std::fs::read_to_string(home.path("plot.svg")).unwrap();
    assert!(
        plot.contains("class=\"c1\"") && plot.contains("EVENT_TIMELINE("),
        "{plot}"
    );
    let value = std::fs::read_to_string(home.path("value.svg")).unwrap();
    assert!(value.contains("12 events"), "{value}");
}
