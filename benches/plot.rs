//! A picture of a year of quarter hours with its band, which is meant to take 50 ms.
#![allow(clippy::expect_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::diagnostic::Drawing;
use stellar::eval::java::date_format::Zone;
use stellar::profile::plot::band::{History, WIDTH};
use stellar::profile::plot::{Axis, Figure, Panel, Point, svg, text};

const QUARTER: i64 = 900_000;

/// 2026-11-02, in UTC.
const END: i64 = 1_793_577_600_000;

/// A year of a profile.
fn year() -> Figure {
    let zone = Zone::from_name_strict("Europe/Prague").expect("a zone");
    let point = |number: i64| Point {
        start: END - number * QUARTER,
        end: END - (number - 1) * QUARTER,
        value: Some(((number * 7919) % 1000) as f64),
        band: None,
    };
    Figure {
        title: "profile logins".to_string(),
        expression: None,
        axis: Axis::Time {
            zone,
            period: Some(QUARTER),
        },
        panels: vec![Panel {
            name: String::new(),
            points: (1..=35_040).rev().map(point).collect(),
            unfit: 0,
        }],
        same_scale: false,
        width: Some(WIDTH),
    }
}

/// Looks up for each period what is usual.
fn with_band(figure: &mut Figure) {
    let Axis::Time { zone, .. } = figure.axis.clone() else {
        return;
    };
    for panel in &mut figure.panels {
        let known = panel.points.iter();
        let known = known.filter_map(|point| Some((point.start, point.value?)));
        let mut history = History::new(known, &zone, WIDTH);
        for point in &mut panel.points {
            point.band = history.expected(point.start, &zone);
        }
    }
}

fn drawing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a year of quarter hours");
    let plain = year();
    group.bench_function("band, terminal and SVG", |bench| {
        bench.iter(|| {
            let mut figure = plain.clone();
            with_band(&mut figure);
            black_box(figure.page(text::Size::default()));
            black_box(figure.svg(svg::Size::default()));
        });
    });
    let mut figure = plain.clone();
    with_band(&mut figure);
    group.bench_function("terminal", |bench| {
        bench.iter(|| black_box(figure.page(text::Size::default())));
    });
    group.bench_function("SVG", |bench| {
        bench.iter(|| black_box(figure.svg(svg::Size::default())));
    });
    group.finish();
}

criterion_group!(benches, drawing);
criterion_main!(benches);
