//! Pictures beside plots: time lines, bars, histograms, trees and shares, and how the shell and the commands give them.
//! `UPDATE=1 cargo test --test pictures` writes the pictures anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/pictures.rs"]
mod checks;
mod support;

use checks::check;
use proptest::prelude::*;
use std::path::Path;
use stellar::diagnostic::Picture;
use stellar::drawing::bars::{Bars, Kind};
use stellar::drawing::counts::Counts;
use stellar::drawing::histogram::Histogram;
use stellar::drawing::shares::{Share, Shares};
use stellar::drawing::spans::{Lane, Spans, Stretches};
use stellar::drawing::svg::escaped;
use stellar::drawing::tree::{Became, Node, Tree};
use stellar::drawing::{Drawing, Room, Size, Theme};
use stellar::eval::java::date_format::Zone;
use stellar::functions::statistics::object::Figures;
use stellar::functions::statistics::{Statistics, histogram_of, online::Online, window::Window};
use support::Home;
use unicode_width::UnicodeWidthStr;

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
    let share = |code: &str, share, time: &str, count| Share {
        code: code.to_string(),
        share,
        time: time.to_string(),
        count,
    };
    Shares {
        title: label.to_string(),
        time: "10 ms".to_string(),
        below: "3 calls and steps of loops".to_string(),
        shares: vec![
            share("REGEXP_MATCH(line, '.*x')", 0.82, "8 ms", 1000),
            share(label, 0.1, "1 ms", 1),
            share("x", 0.000_1, "10 ns", 1),
        ],
        more: 3,
    }
}

fn counts(rows: impl IntoIterator<Item = (String, f64)>) -> Counts {
    Counts {
        title: "{'a': 1}".to_string(),
        rows: rows.into_iter().collect(),
        left_out: 0,
    }
}

fn named(rows: &[(&str, f64)]) -> Counts {
    counts(rows.iter().map(|(name, value)| (name.to_string(), *value)))
}

/// One line of stretches, each so long and so far from the next.
fn every(count: i64, length: i64, apart: i64) -> Spans {
    let (start, end) = (MONDAY, MONDAY + count * apart);
    let mut stretches = Stretches::on(start, end);
    for number in 0..count {
        stretches.push(start + number * apart, start + number * apart + length);
    }
    Spans {
        title: format!("{count} periods"),
        words: vec!["numbers 1 to 9".to_string()],
        start,
        end,
        now: None,
        lanes: vec![Lane {
            name: "periods".to_string(),
            class: "c2",
            stretches,
        }],
        notes: Vec::new(),
        ..spans("x", 1)
    }
}

/// Two hundred lines.
fn lanes() -> Spans {
    let mut many = spans("an address with a long name, longer than there is room", 2);
    let lane = |number: usize| {
        let mut lane = many.lanes[number % 2].clone();
        lane.name = format!("{} {number}", lane.name);
        lane
    };
    many.lanes = (0..200).map(lane).collect();
    many
}

fn histogram(statistics: &Statistics) -> Histogram {
    statistics.histogram().unwrap()
}

const NARROW: Size = Size {
    width: 420,
    height: Some(90),
    theme: Theme::Auto,
};

/// All pictures.
fn gallery() -> Vec<(&'static str, Picture)> {
    let names = ["Recon.Scanning", "Attempt.Login", "Malware"];
    let many: Vec<String> = (0..12).map(|n| format!("category {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let far = (0..500).map(|i| f64::from(i % 50)).chain([1e9]);
    let dice = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0];
    let tail = (1..3_000).map(|i| 1.0 / f64::from(i).powi(3) * 1e12);
    vec![
        ("bars", Picture::new(bars(&[""], 48))),
        ("bars-kinds", Picture::new(bars(&names, 72))),
        ("bars-many-kinds", Picture::new(bars(&many, 24))),
        ("bars-crowded", Picture::new(bars(&names, 5_000))),
        ("bars-one", Picture::new(bars(&[""], 1))),
        ("bars-hostile", Picture::new(bars(&[HOSTILE, "b"], 5))),
        (
            "spans",
            Picture::new(spans("2 hour window every 1 day", 14)),
        ),
        ("spans-hostile", Picture::new(spans(HOSTILE, 3))),
        ("spans-years", Picture::new(every(30, 200 * DAY, 365 * DAY))),
        ("spans-seconds", Picture::new(every(12, 400, 1_000))),
        ("spans-lanes", Picture::new(lanes())),
        (
            "histogram",
            Picture::new(histogram(&statistics(waits(), None))),
        ),
        (
            "histogram-window",
            Picture::new(histogram(&statistics(waits().take(50), Some(50)))),
        ),
        (
            "histogram-one",
            Picture::new(histogram(&statistics([7.0], None))),
        ),
        (
            "histogram-whole",
            Picture::new(histogram_of(&dice).unwrap()),
        ),
        (
            "histogram-equal",
            Picture::new(histogram_of(&[0.25; 9]).unwrap()),
        ),
        (
            "histogram-tail",
            Picture::new(histogram(&statistics(tail, None))),
        ),
        (
            "histogram-huge",
            Picture::new(histogram_of(&[-1e300, 1e-300, 1e300, 1e299]).unwrap()),
        ),
        (
            "histogram-far",
            Picture::new(histogram(&statistics(far, None))),
        ),
        ("tree", Picture::new(tree("names"))),
        ("tree-hostile", Picture::new(tree(HOSTILE))),
        ("shares", Picture::new(shares("MAP(names, n -> n)"))),
        ("shares-hostile", Picture::new(shares(HOSTILE))),
        (
            "counts",
            Picture::new(named(&[
                ("Test", 12.0),
                ("Recon.Scanning", 40.0),
                ("none", 0.0),
                ("few", 0.25),
            ])),
        ),
        (
            "counts-signs",
            Picture::new(named(&[
                ("up", 3.0),
                ("down", -7.5),
                (HOSTILE, 1.0),
                ("žluť 漢字", -0.001),
            ])),
        ),
        (
            "counts-huge",
            Picture::new(named(&[("a", f64::MAX), ("b", f64::MIN), ("c", 1e-300)])),
        ),
        (
            "counts-many",
            Picture::new(counts(
                (0..200).map(|n| (format!("10.0.0.{n}"), f64::from(n * 7919 % 211))),
            )),
        ),
    ]
}

#[test]
fn pictures_are_as_they_were() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty());
    let mut complaints = Vec::new();
    let mut golden = |name: String, found: String| {
        let path = Path::new("tests/golden/pictures").join(&name);
        if update {
            std::fs::create_dir_all("tests/golden/pictures").unwrap();
            std::fs::write(&path, &found).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != found {
            complaints.push(format!("{name} differs:\n{found}"));
        }
    };
    for (name, picture) in gallery() {
        let size = if name.ends_with("hostile") {
            NARROW
        } else {
            Size::default()
        };
        golden(format!("{name}.svg"), picture.svg(size));
        for (width, ascii, ending) in [
            (80, false, "txt"),
            (60, false, "60.txt"),
            (120, false, "120.txt"),
            (80, true, "ascii.txt"),
        ] {
            // Other widths of some only: they are alike.
            if ending != "txt" && name.contains('-') {
                continue;
            }
            let room = Room {
                width,
                ascii,
                height: None,
            };
            golden(
                format!("{name}.{ending}"),
                picture.page(room).plain() + "\n",
            );
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn pictures_in_a_terminal_keep_to_their_room() {
    for (name, picture) in gallery() {
        for (width, ascii) in [
            (40, false),
            (60, true),
            (80, false),
            (80, true),
            (120, false),
        ] {
            let room = Room {
                width,
                ascii,
                height: None,
            };
            let page = picture.page(room).plain();
            // What lists parts and their times is text, and broken by those who print it.
            let table = name.starts_with("tree") || name.starts_with("shares");
            for line in page.lines().skip(2).filter(|_| !table) {
                assert!(line.width() <= width, "{name} in {width}:\n{page}");
            }
            if ascii && !name.contains("hostile") && !name.contains("signs") {
                assert!(page.is_ascii(), "{name}:\n{page}");
            }
        }
    }
}

#[test]
fn pictures_are_well_formed_and_harmless() {
    let widths = [320, 420, 860, 1_600];
    for (name, drawn) in gallery() {
        for width in widths {
            for theme in [Theme::Auto, Theme::Light, Theme::Dark] {
                let picture = drawn.svg(Size {
                    width,
                    height: None,
                    theme,
                });
                check(&picture)
                    .unwrap_or_else(|wrong| panic!("{name} of {width}: {wrong}\n{picture}"));
                let asks = picture.contains("prefers-color-scheme");
                assert_eq!(asks, theme == Theme::Auto, "{name}");
            }
        }
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
    assert_eq!(many.told(8).len(), 8);
    assert_eq!(many.told(8)[7].name, "13 others");
    assert_eq!(sum(&many.told(8)), sum(&many.kinds));
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
        let size = Size { width, height, ..Size::default() };
        let start = start / 4;
        let starts: Vec<i64> = (0..values.len() as i64).map(|i| start + i * step).collect();
        let amounts: Vec<f64> = values.iter().map(|v| if v.is_finite() { v.abs().min(1e15) } else { 0.0 }).collect();
        let drawn = Bars {
            title: label.clone(),
            unit: "events".to_string(),
            zone: zone("Europe/Prague"),
            end: start + starts.len() as i64 * step,
            starts,
            kinds: vec![Kind { name: label.clone(), counts: amounts.clone() }, Kind { name: String::new(), counts: amounts }],
        };
        let rows = values.iter().filter(|v| v.is_finite()).map(|v| (label.clone(), *v));
        let rows = counts(rows);
        let mut pictures = vec![drawn.svg(size), tree(&label).svg(size), shares(&label).svg(size), rows.svg(size)];
        let room = Room { width, height, ascii: width % 2 == 0 };
        for drawn in [&drawn as &dyn Drawing, &tree(&label), &shares(&label), &rows] {
            prop_assert!(!drawn.page(room).plain().contains("NaN"));
        }
        let mut stretches = Stretches::on(start, start + step);
        stretches.push(start, start + step);
        let spans = Spans { start, end: start + step, lanes: vec![Lane { name: label.clone(), class: "c1", stretches }], ..spans(&label, 1) };
        pictures.push(spans.svg(size));
        let _ = spans.page(room);
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

/// The pictures of the manual are made by what the manual says.
#[test]
fn the_manual_shows_what_is_drawn() {
    let home = Home::new();
    let mut script = String::new();
    let categories = ["Recon.Scanning", "Attempt.Login", "Malware"];
    for id in 0..240u32 {
        let hour = 8 + (id * 7919 % 61 + id * 104_729 % 53) / 2;
        let category = categories[(id * id % 11 % 3) as usize];
        script += &format!(
            "EVENT_INSERT({{'ID': 'e{id}', 'DetectTime': '2026-10-{:02}T{:02}:{:02}:00Z', 'Category': ['{category}']}})\n",
            29 + hour / 24,
            hour % 24,
            id % 60
        );
    }
    script += "%plot EVENT_TIMELINE({}, '1h', 'category') --svg timeline.svg\n\
        %window '1 hour window every 24 hours from 14 days ago excluding weekends'\n\
        %save window.svg\n\
        s := STATS_ADD(STATS_INIT(), [12, 3, 18, 25, 7, 31, 9, 14, 22, 5, 11, 48, 16, 8, 13, 27, 19, 6, 10, 64])\n\
        %save statistics.svg s\n\
        %explain LENGTH(SPLIT('www.example.com', '.')) > 2 and not(IS_EMPTY('x'))\n\
        %save explain.svg\n";
    home.run(&NOW, &*script).ended(0);
    let update = std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty());
    for name in [
        "timeline.svg",
        "window.svg",
        "statistics.svg",
        "explain.svg",
    ] {
        let drawn = std::fs::read_to_string(home.path(name)).unwrap();
        check(&drawn).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        let path = Path::new("docs/images").join(name);
        if update {
            std::fs::create_dir_all("docs/images").unwrap();
            std::fs::write(&path, &drawn).unwrap();
        }
        let shown = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            shown == drawn,
            "{} is not what is drawn now",
            path.display()
        );
    }
}

#[test]
fn sizes_and_themes_mean_the_same_everywhere() {
    let home = Home::new();
    let script = "%plot {'a': 1, 'b': 2} --svg a.svg --width 400 --theme dark\n\
        p := %plot {'a': 1, 'b': 2}\n\
        %save b.svg --width 400 --theme=dark p\n\
        %plot {'a': 1, 'b': 2} --svg -\n";
    let ran = home.run(&NOW, script).ended(0);
    let read = |name: &str| std::fs::read_to_string(home.path(name)).unwrap();
    let drawn = read("a.svg");
    check(&drawn).unwrap();
    assert!(
        drawn.contains("class=\"stellar-dark\" width=\"400\""),
        "{drawn}"
    );
    // The title is the expression in one, and in the other, too, for the picture is the same.
    assert_eq!(drawn, read("b.svg"));
    assert!(
        ran.out().contains("\n<svg ") && ran.out().contains("</svg>"),
        "{}",
        ran.out()
    );
    for (wrong, said) in [
        ("%plot [1] --theme drak", "did you mean dark"),
        (
            "%plot [1] --width x",
            "behind --width stands a number, not x",
        ),
        ("%save c.svg --theme", "--theme lacks its value"),
        ("%save c.svg --widht 3 [1]", "did you mean --width"),
        ("%plot nothing.yaml", "nothing.yaml cannot be read"),
        ("%plot {'a': 'b'}", "the values are no numbers"),
        ("%plot {'a': null}", "no value is a finite number"),
        ("%plot [null] --histogram", "no value is a finite number"),
    ] {
        let ran = home.run(&NOW, format!("{wrong}\n")).ended(1);
        assert!(ran.err.contains(said), "{wrong}: {}", ran.err);
        assert!(!home.path("c.svg").exists());
    }
    // The terminal's pictures are ASCII where the locale asks for it.
    home.write(
        "a.stellar",
        "%plot [1, 2, 3]\n%plot {'a': 1}\n%explain 1 + 1\n",
    );
    let drawn = |name: &str, value: &str| {
        let mut command = home.command(&["run", "a.stellar"]);
        let done = command.env(name, value).output().unwrap();
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(drawn("LC_ALL", "C").is_ascii() && drawn("TERM", "dumb").is_ascii());
    assert!(drawn("LANG", "en_US.UTF-8").contains('⠤'));
}

#[test]
fn steps_that_are_left_out_are_empty_bars() {
    let home = Home::new();
    let step = |hour: i64| {
        let from = MONDAY + hour * HOUR;
        format!("{{'from': {from}L, 'count': {}}}", hour + 1)
    };
    let steps = [0, 1, 2, 5].map(step).join(", ");
    let ran = home
        .run(&NOW, format!("%plot [{steps}] --height 3 --width 40\n"))
        .ended(0);
    let lowest = ran
        .out()
        .lines()
        .rev()
        .find(|line| line.contains('█'))
        .unwrap();
    let lowest: Vec<char> = lowest
        .chars()
        .skip_while(|c| !"│┤".contains(*c))
        .skip(1)
        .collect();
    let there: Vec<bool> = lowest.chunks(6).map(|bar| bar[0] != ' ').collect();
    assert_eq!(
        there,
        [true, true, true, false, false, true],
        "{}",
        ran.out()
    );
    assert!(ran.out().contains("12 events"), "{}", ran.out());
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
    timeline(&["--plot", "--format", "csv"]).ended(2);
    timeline(&["--svg", "-", "--theme", "blue"]).ended(2);
    let ran = timeline(&["--step", "1h", "--plot", "--width", "60"]).ended(0);
    assert!(
        ran.out().contains("12 events\n") && ran.out().contains('█'),
        "{}",
        ran.out()
    );
    let ran = timeline(&["--step", "1h", "--ascii"]).ended(0);
    assert!(
        ran.out().contains('#') && !ran.out().contains('█'),
        "{}",
        ran.out()
    );
    let ran = timeline(&["--svg", "-", "--theme", "light", "--width", "500"]).ended(0);
    assert!(
        ran.out().contains("class=\"stellar-light\" width=\"500\""),
        "{}",
        ran.out()
    );

    let ran = home.run(&NOW, "%plot EVENT_TIMELINE({}, '1h', 'category')\n%save plot.svg\nEVENT_TIMELINE({}, '1h')\n%save value.svg\n");
    let ran = ran.ended(0);
    assert!(ran.out().contains("\nRecon.Scanning  8\n"), "{}", ran.out());
    let plot = std::fs::read_to_string(home.path("plot.svg")).unwrap();
    assert!(
        plot.contains("class=\"c1\"") && plot.contains("EVENT_TIMELINE("),
        "{plot}"
    );
    let value = std::fs::read_to_string(home.path("value.svg")).unwrap();
    assert!(value.contains("12 events"), "{value}");
}
