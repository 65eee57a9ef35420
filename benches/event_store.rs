//! What loading, searching and counting events in the embedded file costs, with a million of them.
//!
//! `cargo bench --bench event_store`; `EVENTS=20000` for fewer.
#![allow(clippy::expect_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use flate2::read::GzDecoder;
use serde_json::{Value as Json, json};
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stellar::event::query::{Aggregate, Query, Timeline};
use stellar::event::{COLUMNS, Column, EVENT, Embedded, Events, Message, Options, Range, Row};
use stellar::store::{Deadline, Store, Within};
use tempfile::TempDir;

/// Events of one load.
const LOAD: usize = 25_000;

/// The recorded messages, which are not part of the package.
fn recorded() -> Vec<Row> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/conformance/mentat/events.jsonl.gz"
    );
    let lines = BufReader::new(GzDecoder::new(File::open(path).expect("the messages"))).lines();
    let options = Options {
        private_key: "_Mentat".into(),
        ..Options::default()
    };
    let read = |line: String| {
        let message = Message::parse(line.as_bytes(), &options).expect("a message");
        message.to_row().expect("a row")
    };
    lines.map(|line| read(line.expect("a line"))).collect()
}

fn mixed(mut number: u64) -> u64 {
    number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5ca1_ab1e;
    number ^= number >> 29;
    number = number.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number ^ number >> 32
}

/// The event of a number: a recorded one with another identifier, in the order of time but for some minutes; one
/// address in two is any of 10.0.0.0/8.
fn event(rows: &[Row], number: u64) -> Row {
    let mut row = rows[number as usize % rows.len()].clone();
    let (one, two) = (mixed(number), mixed(!number));
    row.id = format!("{one:016x}-{two:016x}");
    row.detecttime = 1_767_225_600_000_000 + number as i64 * 2_592_000 + (one % 600_000_000) as i64;
    row.storagetime = Some(row.detecttime + (two % 60_000_000) as i64);
    for (index, range) in row
        .source_ip
        .iter_mut()
        .chain(&mut row.target_ip)
        .enumerate()
    {
        let dice = mixed(one ^ index as u64) as u32;
        if let (Range::V4(..), true) = (*range, dice & 1 == 0) {
            let address = 10 << 24 | (dice >> 8);
            *range = Range::V4(address, address);
        }
    }
    row
}

fn within(cancel: &Arc<std::sync::atomic::AtomicBool>) -> Within<'_> {
    Within {
        now: 0,
        deadline: Deadline::NONE,
        cancel,
    }
}

fn open(folder: &TempDir) -> Events {
    let file = Store::new(&folder.path().join("s.db"), &[&EVENT]);
    Events::new(Arc::new(Embedded::new(&file)))
}

fn a_million(criterion: &mut Criterion) {
    let count: usize = std::env::var("EVENTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let rows = recorded();
    let folder = TempDir::new().expect("a folder");
    let events = open(&folder);
    let cancel = Arc::default();
    let within = within(&cancel);
    let mut taken = Duration::ZERO;
    let mut last = Duration::ZERO;
    for first in (0..count).step_by(LOAD) {
        let end = (first + LOAD).min(count);
        let batch: Vec<Row> = (first..end)
            .map(|number| event(&rows, number as u64))
            .collect();
        let begun = Instant::now();
        let loaded = events.load(batch, within).expect("loaded");
        last = begun.elapsed();
        taken += last;
        assert_eq!(loaded.stored, (end - first) as u64);
    }
    let size = std::fs::metadata(folder.path().join("s.db"))
        .expect("the file")
        .len();
    println!(
        "load of {count} events: {:.0} events/s, the last {LOAD}: {:.0} events/s; {} MB",
        count as f64 / taken.as_secs_f64(),
        LOAD as f64 / last.as_secs_f64(),
        size >> 20
    );
    let begun = Instant::now();
    for number in 0..200 {
        let row = event(&rows, (count + number) as u64);
        events.insert(row, within).expect("inserted");
    }
    println!(
        "insert with a commit each: {:.0} events/s",
        200.0 / begun.elapsed().as_secs_f64()
    );

    let mut group = criterion.benchmark_group("search");
    group.sample_size(20);
    let newest = |mut parameters: Json| {
        parameters["sortby"] = json!("detecttime.desc");
        parameters["limit"] = json!(100);
        Query::from_json(&parameters).expect("a query")
    };
    let time =
        json!({"categories": ["Recon.Scanning"], "dt_from": "2026-01-05", "dt_to": "2026-01-12"});
    for (name, parameters) in [
        ("newest 100", json!({})),
        (
            "newest 100 of a /24 with few",
            json!({"source_addrs": ["10.77.5.0/24"]}),
        ),
        (
            "newest 100 of a /24 with many",
            json!({"source_addrs": ["192.168.1.0/24"]}),
        ),
        (
            "newest 100 of a /8",
            json!({"source_addrs": ["10.0.0.0/8"]}),
        ),
        (
            "newest 100 of an IPv6 /48",
            json!({"host_addrs": ["2001:db8:1::/48"]}),
        ),
        (
            "newest 100 of a category",
            json!({"categories": ["Recon.Scanning"]}),
        ),
        ("newest 100 of a category and a week", time.clone()),
        (
            "newest 100 of many conditions",
            json!({
            "dt_from": "2026-01-05", "dt_to": "2026-01-25", "source_addrs": ["10.0.0.0/8"], "target_ports": [22],
            "protocols": ["tcp", "ssh"], "groups": ["abuse@cesnet.cz"], "severities": ["low"], "not_severities": true}),
        ),
    ] {
        let query = newest(parameters);
        let found = events.search(&query, COLUMNS, within).expect("found");
        println!("{name}: {}", found.len());
        group.bench_function(name, |b| {
            b.iter(|| black_box(events.search(&query, COLUMNS, within).expect("found")));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("count");
    group.sample_size(20);
    for (name, parameters) in [
        ("all", json!({})),
        ("a /24 with few", json!({"source_addrs": ["10.77.5.0/24"]})),
        (
            "a /24 with many",
            json!({"source_addrs": ["192.168.1.0/24"]}),
        ),
        ("a /8", json!({"source_addrs": ["10.0.0.0/8"]})),
        ("a category", json!({"categories": ["Recon.Scanning"]})),
        ("a category and a week", time),
        (
            "not a category",
            json!({"categories": ["Recon.Scanning"], "not_categories": true}),
        ),
        (
            "a week",
            json!({"dt_from": "2026-01-05T00:00:01", "dt_to": "2026-01-12T00:00:02"}),
        ),
    ] {
        let query = Query::from_json(&parameters).expect("a query");
        println!("{name}: {}", events.count(&query, within).expect("counted"));
        group.bench_function(name, |b| {
            b.iter(|| black_box(events.count(&query, within).expect("counted")));
        });
    }
    let all = Query::all();
    let timeline = Timeline {
        column: Column::DetectTime,
        from: 1_767_225_600_000_000,
        to: 1_769_817_600_000_000,
        step: 86_400_000_000,
        by: None,
        top: None,
    };
    group.bench_function("by day", |b| {
        b.iter(|| black_box(events.timeline(&all, &timeline, within).expect("counted")));
    });
    for column in [Column::Category, Column::TargetPort] {
        let aggregate = Aggregate {
            column,
            limit: Some(10),
        };
        group.bench_function(format!("by {}", column.name()), |b| {
            b.iter(|| black_box(events.aggregate(&all, &aggregate, within).expect("counted")));
        });
    }
    group.finish();
}

criterion_group!(benches, a_million);
criterion_main!(benches);
