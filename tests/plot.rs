//! Pictures of profiles: what is drawn, in characters and as SVG, and how the numbers behind it come about.
//! `UPDATE=1 cargo test --test plot` writes the pictures anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/pictures.rs"]
mod checks;
mod support;

use proptest::prelude::*;
use std::path::Path;
use std::time::{Duration, Instant};
use stellar::diagnostic::Drawing;
use stellar::eval::java::date_format::Zone;
use stellar::profile::plot::band::{History, LEAST_WEEKS, WIDTH, median};
use stellar::profile::plot::scale::Scale;
use stellar::profile::plot::series::{marks, strokes};
use stellar::profile::plot::time::ticks;
use stellar::profile::plot::{Axis, Band, Figure, Panel, Point, svg, text};
use support::Home;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// 2026-11-02, a Monday, in UTC.
const MONDAY: i64 = 1_793_577_600_000;

fn zone(name: &str) -> Zone {
    Zone::from_name_strict(name).unwrap()
}

/// Periods of this length from `start` on; NaN is a gap.
fn points(start: i64, length: i64, values: impl IntoIterator<Item = f64>) -> Vec<Point> {
    let point = |(number, value): (i64, f64)| Point {
        start: start + number * length,
        end: start + (number + 1) * length,
        value: value.is_finite().then_some(value),
        band: None,
    };
    (0..).zip(values).map(point).collect()
}

fn panel(name: &str, points: Vec<Point>) -> Panel {
    Panel {
        name: name.to_string(),
        points,
        unfit: 0,
    }
}

fn figure(zone: Zone, length: i64, panels: Vec<Panel>) -> Figure {
    Figure {
        title: "profile logins".to_string(),
        expression: None,
        axis: Axis::Time {
            zone,
            period: Some(length),
        },
        panels,
        same_scale: false,
        width: None,
    }
}

/// Adds what was expected, as the reader of the store does.
fn with_band(mut figure: Figure) -> Figure {
    let Axis::Time { zone, .. } = figure.axis.clone() else {
        return figure;
    };
    figure.width = Some(WIDTH);
    for panel in &mut figure.panels {
        let known = panel
            .points
            .iter()
            .filter_map(|p| Some((p.start, p.value?)));
        let mut history = History::new(known, &zone, WIDTH);
        for point in &mut panel.points {
            point.band = history.expected(point.start, &zone);
        }
    }
    figure
}

/// Weeks of hours that are busy by day, a little different from each other.
fn weeks(count: i64) -> Vec<f64> {
    let value = |hour: i64| {
        let (day, clock) = (hour / 24 % 7, hour % 24);
        let busy = if day < 5 && (8..18).contains(&clock) {
            60
        } else {
            6
        };
        (busy + (hour * 7919 % 11) - 5) as f64
    };
    (0..count * 7 * 24).map(value).collect()
}

/// All pictures.
fn gallery() -> Vec<(&'static str, Figure)> {
    let utc = || zone("UTC");
    let waves = |n: i64| (0..n).map(|i| ((i % 12) as f64 - 6.0).abs() * 10.0);
    let gaps = waves(48).enumerate().map(|(i, v)| match i {
        5 | 17..=22 | 24 => f64::NAN,
        _ => v,
    });
    let spoilt = weeks(5).into_iter().enumerate().map(|(i, v)| match i {
        790 => 58.0,
        800..=806 => f64::NAN,
        _ => v,
    });
    let mut last = with_band(figure(
        utc(),
        HOUR,
        vec![panel("", points(MONDAY, HOUR, spoilt))],
    ));
    last.panels[0].points.drain(..4 * 7 * 24);
    let numbers = Figure {
        axis: Axis::Number,
        title: "[3, 1, 4, 1, 5]".to_string(),
        ..figure(
            utc(),
            1,
            vec![panel("", points(1, 1, [3.0, 1.0, 4.0, 1.0, 5.0]))],
        )
    };
    let mut odd = figure(
        utc(),
        HOUR,
        vec![panel("", points(MONDAY, HOUR, [1.0, f64::NAN, 2.5]))],
    );
    odd.panels[0].unfit = 1;
    let one = |values: Vec<f64>| figure(utc(), HOUR, vec![panel("", points(MONDAY, HOUR, values))]);
    let prague = zone("Europe/Prague");
    // 2026-03-28 and 2026-10-24, from noon to noon, over the nights in which clocks change.
    let spring = points(1_774_695_600_000, HOUR, waves(24));
    let autumn = points(1_792_836_000_000, HOUR, waves(24));
    let three = ["10.0.0.1", "a <b> & \"c\"", "žluť"];
    let three = three.iter().zip(1..).map(|(name, times)| {
        panel(
            name,
            points(
                MONDAY,
                15 * 60_000,
                waves(96).map(move |v| v * f64::from(times)),
            ),
        )
    });
    let same = Figure {
        same_scale: true,
        ..figure(utc(), 15 * 60_000, three.clone().collect())
    };
    vec![
        (
            "gaps",
            figure(utc(), HOUR, vec![panel("", points(MONDAY, HOUR, gaps))]),
        ),
        ("band", last),
        (
            "spring",
            figure(prague.clone(), HOUR, vec![panel("", spring)]),
        ),
        ("autumn", figure(prague, HOUR, vec![panel("", autumn)])),
        ("point", one(vec![42.0])),
        ("constant", one(vec![7.0; 20])),
        ("zeros", one(vec![0.0; 20])),
        (
            "negative",
            one((0..40).map(|i| -5.0 - (i % 7) as f64 * 0.25).collect()),
        ),
        (
            "both-signs",
            one((0..40).map(|i| ((i % 9) - 4) as f64).collect()),
        ),
        ("huge", one(vec![f64::MIN, 0.0, f64::MAX, 1e300, -1e307])),
        ("tiny", one(vec![1e-300, 3e-300, 2e-300])),
        (
            "large",
            one((0..30)
                .map(|i| 1_250_000.0 + f64::from(i) * 40_000.0)
                .collect()),
        ),
        ("not-finite", odd),
        ("three", figure(utc(), 15 * 60_000, three.collect())),
        ("same-scale", same),
        ("numbers", numbers),
    ]
}

fn golden(name: &str, found: &str) -> Option<String> {
    let path = Path::new("tests/golden/plot").join(name);
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        std::fs::create_dir_all("tests/golden/plot").unwrap();
        std::fs::write(&path, found).unwrap();
        return None;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    (wanted != found).then(|| format!("{name} differs:\n{found}"))
}

#[test]
fn pictures_are_as_they_were() {
    let mut complaints = Vec::new();
    for (name, figure) in gallery() {
        let size = text::Size::default();
        let page = figure.page(size).plain();
        complaints.extend(golden(&format!("{name}.txt"), &format!("{page}\n")));
        let ascii = figure
            .page(text::Size {
                ascii: true,
                ..size
            })
            .plain();
        if figure.panels.iter().all(|panel| panel.name.is_ascii()) {
            assert!(ascii.is_ascii(), "{ascii}");
        }
        for line in page.lines().chain(ascii.lines()) {
            let width = line.chars().count();
            assert!(width <= 80 || line.starts_with("band: "), "{width}: {line}");
        }
        complaints.extend(golden(
            &format!("{name}.svg"),
            &figure.svg(svg::Size::default()),
        ));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// One picture of the manual is of the gallery.
#[test]
fn the_manual_shows_what_is_drawn() {
    let gallery = gallery();
    let (_, figure) = gallery.iter().find(|(name, _)| *name == "band").unwrap();
    let drawn = figure.svg(svg::Size::default());
    let path = Path::new("docs/images/profile.svg");
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        std::fs::create_dir_all("docs/images").unwrap();
        std::fs::write(path, &drawn).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap_or_default() == drawn);
}

#[test]
fn svg_is_well_formed_and_says_what_it_shows() {
    for (name, figure) in gallery() {
        for (width, height) in [(320, Some(60)), (500, Some(90)), (860, None), (2_000, None)] {
            let picture = figure.svg(svg::Size {
                width,
                height,
                ..svg::Size::default()
            });
            checks::check(&picture)
                .unwrap_or_else(|wrong| panic!("{name} of {width}: {wrong}\n{picture}"));
        }
    }
}

#[test]
fn a_million_points_are_a_small_picture_that_keeps_its_extremes() {
    let odd = |i: i64| match i {
        // Every other one is missing in the second half.
        i if i > 500_000 && i % 2 == 0 => f64::NAN,
        123_456 => 5_000.0,
        777_777 => -3_000.0,
        i => (i % 100) as f64,
    };
    let values = (0..1_000_000).map(odd);
    let mut drawn = figure(
        zone("UTC"),
        60_000,
        vec![panel("", points(MONDAY, 60_000, values))],
    );
    let size = svg::Size::default();
    let scale = &drawn.scales(5)[0];
    assert!(scale.low <= -3_000.0 && scale.high >= 5_000.0);
    let svg = drawn.svg(size);
    assert!(svg.len() < 100_000, "{}", svg.len());
    let lines = svg.matches("class=\"line\"").count();
    assert!(lines < 3, "{lines}");
    let top = |value: f64| {
        let place = scale.place(value);
        format!(" {:.1}", 84.0 + (1.0 - place) * 240.0)
    };
    assert!(
        svg.contains(&top(5_000.0)) && svg.contains(&top(-3_000.0)),
        "{svg}"
    );
    assert!(drawn.page(text::Size::default()).plain().len() < 10_000);
    // A gap that can be seen is one.
    drawn.panels[0].points.drain(200_000..300_000);
    assert!(drawn.svg(size).matches("class=\"line\"").count() > lines);
}

#[test]
fn gaps_part_the_line_and_a_point_alone_is_a_dot() {
    let place = |at: f64| (at - MONDAY as f64) / (6 * HOUR) as f64;
    let values = [1.0, 2.0, f64::NAN, 3.0, f64::NAN, 4.0];
    let mut all = points(MONDAY, HOUR, values);
    let found: Vec<usize> = strokes(&all, place, 100).iter().map(Vec::len).collect();
    assert_eq!(found, [2, 1, 1]);
    // A period that is not there at all is a gap too.
    all.remove(1);
    let found: Vec<usize> = strokes(&all, place, 100).iter().map(Vec::len).collect();
    assert_eq!(found, [1, 1, 1]);
}

#[test]
fn the_band_is_of_the_same_weekday_and_hour_of_earlier_weeks() {
    let zone = zone("Europe/Prague");
    // 2026-10-05 08:00 in Prague; clocks go back on the 25th.
    let first = 1_791_180_000_000;
    let at = |week: i64| first + week * WEEK + if week >= 3 { HOUR } else { 0 };
    let measured = [(0, 10.0), (1, 20.0), (2, 12.0), (3, 11.0), (4, 500.0)];
    let mut history = History::new(
        measured.map(|(week, v)| (at(week), v)).into_iter(),
        &zone,
        2.0,
    );
    for week in 0..LEAST_WEEKS as i64 {
        assert_eq!(history.expected(at(week), &zone), None, "{week}");
    }
    let band = history.expected(at(3), &zone).unwrap();
    assert_eq!(band.median, 12.0);
    // The deviations are 2, 8 and 0.
    assert!(
        (band.high - (12.0 + 2.0 * 1.482_602 * 2.0)).abs() < 1e-4,
        "{band:?}"
    );
    assert!(
        (band.low - (12.0 - 2.0 * 1.482_602 * 2.0)).abs() < 1e-4,
        "{band:?}"
    );
    let band = history.expected(at(4), &zone).unwrap();
    assert_eq!(band.median, 11.5);
    assert!(band.leaves_out(500.0) && !band.leaves_out(12.0));
    // The hour by the clock counts, not the hours between.
    assert_eq!(history.expected(at(3) - HOUR, &zone), None);
    // One week without a measurement does not matter, and what is never negative is not expected to be.
    let sparse = [(0, 5.0), (2, 0.0), (4, 9.0)];
    let mut history = History::new(
        sparse.map(|(week, v)| (at(week), v)).into_iter(),
        &zone,
        9.0,
    );
    let band = history.expected(at(5), &zone).unwrap();
    assert_eq!((band.low, band.median), (0.0, 5.0));
}

#[test]
fn few_equal_values_do_not_make_the_next_one_odd() {
    let zone = zone("UTC");
    let known = (0..4).map(|week| (MONDAY + week * WEEK, 10.0));
    let mut history = History::new(known, &zone, WIDTH);
    let band = history.expected(MONDAY + 4 * WEEK, &zone).unwrap();
    assert!(!band.leaves_out(11.0) && band.leaves_out(20.0), "{band:?}");
    // Hours beside that scatter tell more.
    let beside = (0..4).flat_map(|week| {
        let at = MONDAY + week * WEEK;
        [(at, 10.0), (at + HOUR, (week * 30) as f64)]
    });
    let mut history = History::new(beside, &zone, WIDTH);
    let wider = history.expected(MONDAY + 4 * WEEK, &zone).unwrap();
    assert!(wider.high > band.high, "{wider:?}");
}

#[test]
fn of_a_crowd_the_farthest_point_is_marked() {
    let band = Some(Band {
        low: 0.0,
        median: 1.0,
        high: 2.0,
    });
    let mut all = points(MONDAY, HOUR, [1.0, 3.0, 9.0, 4.0, 1.0]);
    all.iter_mut().for_each(|point| point.band = band);
    let place = |at: f64| (at - MONDAY as f64) / (5 * HOUR) as f64;
    let values = |columns| -> Vec<f64> {
        marks(&all, place, columns)
            .iter()
            .filter_map(|p| p.value)
            .collect()
    };
    assert_eq!(values(5), [3.0, 9.0, 4.0]);
    assert_eq!(values(1), [9.0]);
}

#[test]
fn ticks_follow_the_clocks() {
    let zone = zone("Europe/Prague");
    let labels = |start: i64, end: i64, room: usize| -> Vec<String> {
        ticks(start, end, room, &zone)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    };
    // 2026-10-25: three o'clock is two o'clock once more.
    let midnight = 1_792_879_200_000;
    assert_eq!(
        labels(midnight, midnight + 5 * HOUR, 80),
        ["Sun 25 Oct", "01:00", "02:00", "02:00", "03:00", "04:00"]
    );
    // 2026-03-29: there is no two o'clock.
    let midnight = 1_774_738_800_000;
    assert_eq!(
        labels(midnight, midnight + 4 * HOUR, 80),
        ["Sun 29 Mar", "01:00", "03:00", "04:00", "05:00"]
    );
    // Days of 23 hours are days.
    let days = ticks(midnight - DAY, midnight + 3 * DAY - HOUR, 80, &zone);
    let begins: Vec<i64> = days
        .iter()
        .filter(|tick| tick.begins)
        .map(|tick| tick.at)
        .collect();
    assert_eq!(
        begins,
        [
            midnight - DAY,
            midnight,
            midnight + DAY - HOUR,
            midnight + 2 * DAY - HOUR,
            midnight + 3 * DAY - HOUR
        ]
    );
    assert_eq!(
        labels(MONDAY - HOUR, MONDAY + 28 * DAY, 60),
        ["2 Nov", "9 Nov", "16 Nov", "23 Nov", "30 Nov"]
    );
    assert_eq!(
        labels(MONDAY, MONDAY + 365 * DAY, 60)
            .first()
            .map(String::as_str),
        Some("Jan 2027")
    );
}

proptest! {
    #[test]
    fn axes_of_values_hold_them(a in any::<f64>(), b in any::<f64>(), steps in 1usize..20, whole in any::<bool>()) {
        prop_assume!(a.is_finite() && b.is_finite());
        let (low, high) = (a.min(b), a.max(b));
        let scale = Scale::new(low, high, steps, whole);
        prop_assert!(scale.low <= low && high <= scale.high, "{scale:?}");
        prop_assert!(scale.low < scale.high && scale.low.is_finite() && scale.high.is_finite(), "{scale:?}");
        prop_assert!(scale.ticks.windows(2).all(|two| two[0] < two[1]), "{scale:?}");
        prop_assert!(scale.ticks.iter().all(|tick| (scale.low..=scale.high).contains(tick)), "{scale:?}");
        prop_assert!(scale.ticks.len() <= 2 * steps + 3, "{scale:?}");
        prop_assert!(!scale.ticks.is_empty());
        let labels: Vec<String> = scale.ticks.iter().map(|tick| scale.label(*tick)).collect();
        prop_assert!(labels.iter().all(|label| label.len() <= 24), "{labels:?}");
        let (bottom, top) = (scale.place(low), scale.place(high));
        prop_assert!((0.0..=1.0).contains(&bottom) && bottom <= top && top <= 1.0);
    }

    #[test]
    fn usual_axes_have_labels_that_differ(low in -1_000_000i64..1_000_000, size in 1i64..1_000_000, steps in 2usize..12) {
        let (low, high) = (low as f64 / 8.0, (low + size) as f64 / 8.0);
        let scale = Scale::new(low, high, steps, false);
        let labels: std::collections::BTreeSet<String> = scale.ticks.iter().map(|tick| scale.label(*tick)).collect();
        prop_assert_eq!(labels.len(), scale.ticks.len());
        prop_assert!(scale.ticks.len() >= 2);
        for tick in &scale.ticks {
            let label = scale.label(*tick);
            let (number, unit) = match label.strip_suffix('k') {
                Some(number) => (number, 1000.0),
                None => match label.strip_suffix('M') {
                    Some(number) => (number, 1e6),
                    None => (label.as_str(), 1.0),
                },
            };
            let shown = number.parse::<f64>().unwrap() * unit;
            prop_assert!((shown - tick).abs() <= 1e-6 * tick.abs().max(1.0), "{tick} is shown as {label}");
        }
    }

    #[test]
    fn axes_of_time_are_in_order(start in 0i64..4_000_000_000_000, length in 1i64..3_000_000_000_000, room in 0usize..300) {
        let zones = ["UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
        let zone = zone(zones[(start % 5) as usize]);
        let found = ticks(start, start + length, room, &zone);
        prop_assert!(found.windows(2).all(|two| two[0].at < two[1].at), "{found:?}");
        prop_assert!(found.iter().all(|tick| (start..=start + length).contains(&tick.at)));
        prop_assert!(found.len() <= room / 6 + 3, "{} ticks", found.len());
        // Labels have room beside one another; where an hour is shown twice or a month is short, a little less.
        let column = |at: i64| (at - start) as f64 / length as f64 * room as f64;
        for two in found.windows(2) {
            let wide = (two[0].label.len() + two[1].label.len()) as f64 / 2.0;
            let apart = column(two[1].at) - column(two[0].at);
            prop_assert!(apart >= 0.7 * wide, "{apart}: {:?}", two);
        }
    }

    #[test]
    fn medians_are_in_the_middle(mut values in prop::collection::vec(-1e9f64..1e9, 1..40)) {
        let found = median(&mut values.clone());
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let wanted = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
        prop_assert!((found - wanted).abs() <= 1e-6);
    }

    #[test]
    fn thinned_lines_keep_their_ends_and_extremes(values in prop::collection::vec(-1e6f64..1e6, 1..3000), columns in 1usize..60) {
        let all = points(MONDAY, HOUR, values.iter().copied());
        let whole = (values.len() as i64 * HOUR) as f64;
        let found = strokes(&all, |at| (at - MONDAY as f64) / whole, columns);
        prop_assert_eq!(found.len(), 1);
        let stroke = &found[0];
        prop_assert!(stroke.windows(2).all(|two| two[0].0 < two[1].0));
        prop_assert_eq!(stroke[0].1, values[0]);
        prop_assert_eq!(stroke[stroke.len() - 1].1, values[values.len() - 1]);
        let most = |of: &mut dyn Iterator<Item = f64>| of.max_by(f64::total_cmp).unwrap();
        prop_assert_eq!(most(&mut stroke.iter().map(|v| v.1)), most(&mut values.iter().copied()));
        prop_assert_eq!(most(&mut stroke.iter().map(|v| -v.1)), most(&mut values.iter().map(|v| -v)));
        prop_assert!(stroke.len() <= values.len().min(4 * columns.max(values.len().div_ceil(4))));
    }

    #[test]
    fn anything_can_be_drawn(values in prop::collection::vec(any::<f64>(), 1..60), start in any::<i64>(), length in 1i64..1_000_000_000_000) {
        let start = start / 4;
        let drawn = with_band(figure(zone("UTC"), length, vec![panel("x", points(start, length, values))]));
        for width in [320, 860] {
            let picture = drawn.svg(svg::Size { width, ..svg::Size::default() });
            let checked = checks::check(&picture);
            prop_assert!(checked.is_ok(), "{checked:?}\n{picture}");
        }
        prop_assert!(!drawn.page(text::Size::default()).plain().is_empty());
    }
}

#[test]
fn a_year_of_quarter_hours_is_drawn_as_few_lines() {
    let value = |i: i64| ((i * 7919) % 1000) as f64;
    let started = Instant::now();
    let year = points(MONDAY - 365 * DAY, 15 * 60_000, (0..35_040).map(value));
    let figure = with_band(figure(
        zone("Europe/Prague"),
        15 * 60_000,
        vec![panel("", year)],
    ));
    let (page, picture) = (
        figure.page(text::Size::default()),
        figure.svg(svg::Size::default()),
    );
    // The whole year is there, and there are no more lines than the picture has columns.
    assert!(page.plain().contains("35040 periods"), "{}", page.plain());
    assert!(picture.contains("35040 periods") && picture.ends_with("</svg>\n"));
    assert!(picture.len() < 200_000, "{} bytes", picture.len());
    // How fast it is, `cargo bench --bench plot` measures.
    assert!(started.elapsed() < Duration::from_secs(60));
}

const NOW: &str = "2026-11-09T00:00:00Z";

/// Three weeks and a half of a profile of hours, with a gap; and one of statistics.
fn with_profiles() -> Home {
    let home = Home::new();
    let put = |profile: &str, entity: &str, period: i64, value: &str| {
        format!(
            "PROFILE_PUT({{'profile': '{profile}', 'entity': '{entity}', 'value': {value}, \
             'period': {{'duration': 3600000, 'period': {period}}}}})\n"
        )
    };
    let first = MONDAY / HOUR - 21 * 24;
    let mut script = String::new();
    for hour in (0..588).filter(|hour| !(530..540).contains(hour)) {
        let value = if hour == 560 { 90 } else { 5 + hour % 3 };
        script += &put("logins", "alice", first + hour, &value.to_string());
    }
    script += &put("logins", "bob", first + 580, "0.5");
    script += &put(
        "sizes",
        "alice",
        first + 580,
        "STATS_ADD(STATS_INIT(), [1, 2, 6])",
    );
    script += &put("names", "alice", first + 580, "'x'");
    home.run(&HOURS, script).ended(0);
    home
}

const HOURS: [&str; 8] = [
    "--tz",
    "UTC",
    "--set",
    "globals.\"profiler.client.period.duration\"=1",
    "--set",
    "globals.\"profiler.client.period.duration.units\"=HOURS",
    "--now",
    NOW,
];

fn plot(home: &Home, more: &[&str]) -> support::Ran {
    home.run(&[&["profile", "plot"], &HOURS[..], more].concat(), "")
}

#[test]
fn the_command_draws_what_is_stored() {
    let home = with_profiles();
    let ran = plot(&home, &["logins", "alice", "--begin", "2026-11-02"]).ended(0);
    let lines = ran.lines();
    assert_eq!(lines[0], "profile logins · alice · periods of 1 hour · UTC");
    assert_eq!(lines[1], "Mon 2026-11-02 00:00 to Thu 2026-11-05 12:00");
    assert_eq!(lines[2], "84 periods, 10 missing, 1 outside of the band");
    let marked = lines.iter().filter(|line| line.starts_with('●'));
    let marked: Vec<&&str> = marked.collect();
    assert_eq!(marked.len(), 1, "{}", ran.out());
    assert!(
        marked[0].starts_with("● Wed 2026-11-04 08:00: 90, expected "),
        "{}",
        ran.out()
    );
    assert!(!ran.out().contains('\u{1b}'), "no colours into a pipe");
    let ran = plot(&home, &["logins", "alice", "--color", "always"]).ended(0);
    assert!(ran.out().contains("\u{1b}["));
    let ran = plot(
        &home,
        &[
            "logins",
            "alice",
            "--ascii",
            "--no-band",
            "--width",
            "60",
            "--height",
            "4",
        ],
    )
    .ended(0);
    assert!(
        ran.out().is_ascii() && !ran.out().contains("band"),
        "{}",
        ran.out()
    );
    assert_eq!(ran.lines().len(), 3 + 4 + 2, "{}", ran.out());

    let ran = plot(
        &home,
        &[
            "logins",
            "alice",
            "bob",
            "--svg",
            "p.svg",
            "--window",
            "from 5 days ago",
        ],
    )
    .ended(0);
    assert_eq!((ran.out(), ran.err.as_str()), ("", ""));
    let picture = std::fs::read_to_string(home.path("p.svg")).unwrap();
    assert!(
        picture.starts_with("<svg ") && picture.contains(">bob</text>"),
        "{picture}"
    );
    let ran = plot(&home, &["logins", "alice", "--svg", "-"]).ended(0);
    assert!(ran.out().starts_with("<svg ") && ran.out().ends_with("</svg>\n"));
}

#[test]
fn the_command_says_why_there_is_no_picture() {
    let home = with_profiles();
    let ran = plot(&home, &["logins", "eve"]).ended(1);
    assert_eq!(ran.out(), "");
    assert_eq!(
        ran.err,
        "note: nothing was found of eve: profile logins has nothing about 'eve'; there are, for instance, alice, bob\n"
    );
    let ran = plot(&home, &["login", "alice"]).ended(1);
    assert_eq!(
        ran.err,
        "note: nothing was found of alice: there is no profile login; did you mean logins?\n"
    );
    let ran = plot(
        &home,
        &[
            "logins",
            "alice",
            "--begin",
            "2020-01-01",
            "--end",
            "2020-01-02",
        ],
    )
    .ended(1);
    assert!(
        ran.err
            .contains("it was measured at times from 2026-10-12T00:00:00Z"),
        "{}",
        ran.err
    );
    let ran = plot(&home, &["logins", "alice", "eve"]).ended(0);
    assert!(
        ran.err.contains("nothing was found of eve") && ran.out().contains("alice"),
        "{}",
        ran.err
    );

    let ran = plot(&home, &["sizes", "alice"]).ended(1);
    assert!(
        ran.err.contains("E0203") && ran.err.contains("there is a Statistics object"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("help: make numbers of them: --expr 'STATS_MEAN(value)'"),
        "{}",
        ran.err
    );
    let ran = plot(&home, &["sizes", "alice", "--expr", "STATS_MEAN(value)"]).ended(0);
    assert!(ran.out().contains("STATS_MEAN(value)"), "{}", ran.out());
    let ran = plot(&home, &["names", "alice", "--expr", "TO_UPPER(value)"]).ended(1);
    assert!(
        ran.err.contains("TO_UPPER(value) gives a string"),
        "{}",
        ran.err
    );
    let ran = plot(&home, &["names", "alice", "--expr", "0.0 / LENGTH([])"]).ended(1);
    assert!(
        ran.err.contains("no value of alice is a finite number"),
        "{}",
        ran.err
    );
    plot(&home, &["sizes", "alice", "--expr", "STATS_MEAN("]).ended(1);
    plot(&home, &["logins", "alice", "--band=0"]).ended(1);
    plot(&home, &["logins"]).ended(2);
    // Periods of another length are shown, and that is said.
    let ran = home
        .run(&["profile", "plot", "logins", "alice", "--now", NOW], "")
        .ended(0);
    assert!(
        ran.out().contains("periods of 1 hour") && ran.err.contains("says 15 minutes"),
        "{}",
        ran.err
    );
}

#[test]
fn tables_mark_what_is_missing() {
    let home = with_profiles();
    let get = |more: &[&str]| {
        let all = [&["profile", "get", "logins", "alice"], &HOURS[..], more].concat();
        home.run(&all, "").ended(0).out().to_string()
    };
    let table = get(&["--format", "table"]);
    let row = table.lines().find(|line| line.contains("– 10 periods"));
    let cells: Vec<&str> = row.unwrap().split(['│', '┆']).map(str::trim).collect();
    assert_eq!(
        cells.get(1..4).unwrap(),
        [
            "2026-11-03T02:00:00Z",
            "2026-11-03T12:00:00Z",
            "– 10 periods"
        ]
    );
    assert_eq!(get(&["--format", "jsonl"]).lines().count(), 578);
    let each = get(&["--format", "jsonl", "--missing"]);
    assert_eq!(each.lines().count(), 588);
    assert_eq!(
        each.lines()
            .filter(|line| line.contains("\"value\":null"))
            .count(),
        10
    );
}

#[test]
fn the_shell_draws_profiles_and_lists() {
    let home = with_profiles();
    let say = |script: &str| {
        let ran = home.run(&HOURS, script).ended(0);
        ran.out().to_string()
    };
    let drawn = say("%plot logins alice --begin 2026-11-02 --height 5\n");
    assert!(
        drawn.starts_with("profile logins · alice · periods of 1 hour · UTC\n"),
        "{drawn}"
    );
    let drawn = say("x := [3, 1, null, 4]\n%plot x --width 50\n");
    assert!(drawn.contains("x\n4 values, 1 missing\n"), "{drawn}");
    let drawn = say("%plot PROFILE_VERBOSE('logins', 'alice', PROFILE_FIXED(5, 'DAYS'))\n");
    assert!(
        drawn.starts_with("profile logins · periods of 1 hour · UTC"),
        "{drawn}"
    );
    let drawn = say("%plot {'a': [1, 2], 'b': [2, 1]}\n");
    assert!(
        drawn.contains("\na  2 values\n") && drawn.contains("\nb  2 values\n"),
        "{drawn}"
    );
    let drawn = say("p := %plot sizes alice --expr 'STATS_MEAN(value)'\nTO_STRING(p)\n");
    assert!(
        drawn.contains("Figure{profile sizes · alice, series=1, values=1, outside=0}"),
        "{drawn}"
    );
    let wrote = say("%plot [1, 2, 3] --svg list.svg\n");
    assert_eq!(wrote, "wrote [1, 2, 3] to list.svg\n");
    assert!(
        std::fs::read_to_string(home.path("list.svg"))
            .unwrap()
            .starts_with("<svg ")
    );

    let fails = |line: &str| home.run(&HOURS, line).ended(1).err;
    assert!(fails("%plot ['x']\n").contains("there is a string"));
    assert!(fails("%plot []\n").contains("there is nothing to draw"));
    assert!(fails("%plot\n").contains("%plot lacks"));
    assert!(fails("%plot [1] --widht 3\n").contains("did you mean --width?"));
    assert!(fails("%plot [1] --width x\n").contains("stands a number"));
    assert!(fails("%plot [1] --window x\n").contains("--window is for profiles"));
    let err = fails("%plot 1 + FOO(2)\n");
    assert!(
        err.contains("E0201") && err.contains("1 | %plot 1 + FOO(2)"),
        "{err}"
    );
    let ran = home.run(&HOURS, "%plot logins eve\n").ended(0);
    assert!(ran.err.contains("nothing was found of eve"), "{}", ran.err);
    let table = "%mode table\nPROFILE_VERBOSE('logins', 'alice', PROFILE_FIXED(7, 'DAYS'))\n";
    let rows = home.run(&HOURS, table).ended(0);
    assert!(rows.out().contains('–'), "{}", rows.out());
}
