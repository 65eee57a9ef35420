//! Window selectors: a year of hours with holidays, long texts, explanations; and the rules of holidays.
//!
//! `cargo bench --bench window`
#![allow(clippy::expect_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Instant;
use stellar::engine::Engine;
use stellar::eval::java::date_format::{Locale, Zone};
use stellar::profile::holidays::{Edition, find};
use stellar::profile::window::{LONGEST, Setting, Window, explain, parse};

const YEAR: &str =
    "1 hour window every 1 hour from 365 days ago excluding holidays:us:ny:nyc, weekends";
/// 2017-12-26T12:00Z
const NOON: i64 = 1_514_289_600_000;

fn windows(criterion: &mut Criterion) {
    let call = format!("PROFILE_WINDOW('{YEAR}', {NOON}L)");
    // The first call of a process reads the rules of the world's holidays.
    let engine = Engine::bare();
    let start = Instant::now();
    let program = engine.compile(&call).expect("the call compiles");
    program.evaluate(&engine.context).expect("it evaluates");
    println!(
        "a year of hours, first call of the process: {:?}",
        start.elapsed()
    );

    let mut group = criterion.benchmark_group("window");
    group.bench_function("a year of hours, compiled", |bencher| {
        bencher.iter(|| program.evaluate(black_box(&engine.context)));
    });
    let (zone, locale) = (Zone::from_java_id("America/New_York"), Locale::default());
    let setting = Setting::new(NOON, &zone, &locale);
    let window = Window::compile(parse(YEAR).expect("a selector")).expect("it compiles");
    group.bench_function("a year of hours, numbers of periods", |bencher| {
        bencher.iter(|| window.periods(black_box(&setting), 900_000));
    });
    group.bench_function("parse and compile", |bencher| {
        bencher.iter(|| parse(black_box(YEAR)).and_then(Window::compile));
    });
    group.bench_function("explain", |bencher| {
        bencher.iter(|| explain(black_box(YEAR), &setting, 900_000, 100));
    });
    let mut long = YEAR.to_string();
    while long.len() + 22 < LONGEST {
        long.push_str(", date:2017/12/25");
    }
    group.bench_function("64 KiB of dates", |bencher| {
        bencher.iter(|| {
            let window = parse(black_box(&long)).and_then(Window::compile)?;
            window.periods(&setting, 900_000)
        });
    });
    let blanks = "from 1 hour ago ".repeat(LONGEST / 16);
    group.bench_function("64 KiB that are no selector", |bencher| {
        bencher.iter(|| parse(black_box(&blanks)).is_err());
    });
    let place = find(&["us", "ny", "nyc"]).expect("it is known").place;
    group.bench_function("holidays of a place and year", |bencher| {
        bencher.iter(|| place.holidays(Edition::Recorded, black_box(2017)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2)).warm_up_time(std::time::Duration::from_secs(1));
    targets = windows
}
criterion_main!(benches);
