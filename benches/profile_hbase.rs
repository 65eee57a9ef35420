//! What reading and writing measurements in HBase costs. Needs a server:
//!
//! `STELLAR_TEST_HBASE=127.0.0.1:9090 cargo bench --bench profile_hbase`
#![allow(clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stellar::config::Secretive;
use stellar::eval::Value;
use stellar::profile::PROFILE;
use stellar::profile::measurement::Measurement;
use stellar::profile::period::Period;
use stellar::profile::store::{Place, ProfileStore, Query, Spooled, Within};
use stellar::store::{Deadline, Store};
use tempfile::TempDir;

/// The measurements of one flush, each of another entity.
const FLUSH: i64 = 50_000;

/// The periods of one PROFILE_GET.
const PERIODS: i64 = 1_000;

/// A month of quarters of an hour.
const MONTH: i64 = 2_976;

/// How many entities are read at a time, and how many once, when `STELLAR_BENCH_MONTH` is set: they are three million rows.
const ENTITIES: i64 = 20;
const THOUSAND: i64 = 1_000;

const QUARTER: i64 = 900_000;

fn within(cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now: 0,
        deadline: Deadline::NONE,
        cancel,
    }
}

fn measurement(profile: &str, entity: i64, number: i64) -> Measurement {
    let entity = format!(
        "10.{}.{}.{}",
        entity >> 16,
        (entity >> 8) & 255,
        entity & 255
    );
    Measurement {
        profile: profile.into(),
        entity: entity.into(),
        groups: Vec::new(),
        period: Period {
            number,
            duration: QUARTER,
        },
        value: Value::Long(number),
        expires: None,
    }
}

/// How much memory this process has had at most, where the system says so.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("an unknown amount").trim().to_string()
}

fn hbase(c: &mut Criterion) {
    let Ok(server) = std::env::var("STELLAR_TEST_HBASE") else {
        eprintln!("skipped: STELLAR_TEST_HBASE names no server");
        return;
    };
    let cancel = Arc::default();
    let within = within(&cancel);
    let folder = TempDir::new().expect("a folder");
    let file = Store::new(&folder.path().join("s.db"), &[&PROFILE]);
    let store = Spooled::new(&Secretive::new(format!("hbase://{server}")), &file, QUARTER);
    let place = Place {
        table: "bench".into(),
        ..Place::default()
    };
    store.create_table(&place, within).expect("a table");
    let mut group = c.benchmark_group("hbase");
    group.sample_size(10);

    let rows: Vec<Measurement> = (0..FLUSH)
        .map(|n| measurement("flush", n, 1_669_628))
        .collect();
    group.throughput(Throughput::Elements(FLUSH as u64));
    group.bench_function("flush of 50,000", |b| {
        b.iter(|| store.write(&place, &rows, within).expect("written"));
    });

    let thousand = std::env::var_os("STELLAR_BENCH_MONTH").is_some();
    for entity in 0..if thousand { THOUSAND } else { ENTITIES } {
        let rows: Vec<Measurement> = (0..MONTH)
            .map(|n| measurement("month", entity, 1_669_628 + n))
            .collect();
        store.write(&place, &rows, within).expect("written");
    }
    let query = |entity: i64, count: i64| {
        let Measurement {
            profile,
            entity,
            period,
            ..
        } = measurement("month", entity, 1_669_628);
        Query {
            place: place.clone(),
            profile,
            entity,
            groups: Vec::new(),
            periods: (0..count)
                .map(|n| Period {
                    number: period.number + n,
                    ..period
                })
                .collect(),
        }
    };
    let read = |entity, count| {
        let found = store.read(&query(entity, count), within).expect("read");
        assert_eq!(found.iter().flatten().count() as i64, count);
        found
    };
    group.throughput(Throughput::Elements(PERIODS as u64));
    group.bench_function("PROFILE_GET of 1,000", |b| {
        b.iter(|| black_box(read(3, PERIODS)))
    });
    group.throughput(Throughput::Elements((MONTH * ENTITIES) as u64));
    group.bench_function("a month of 20 entities", |b| {
        b.iter(|| (0..ENTITIES).for_each(|entity| drop(black_box(read(entity, MONTH)))));
    });
    group.finish();
    if thousand {
        // As a loop over the entities does it: one after the other, and none is kept.
        let started = std::time::Instant::now();
        for entity in 0..THOUSAND {
            drop(black_box(read(entity, MONTH)));
            if (entity + 1) % 250 == 0 {
                let (seconds, rows) = (started.elapsed().as_secs_f64(), (entity + 1) * MONTH);
                println!(
                    "{} entities, {rows} measurements: {seconds:.1} s, {:.0}/s, at most {} of memory",
                    entity + 1,
                    rows as f64 / seconds,
                    memory()
                );
            }
        }
    }
    // A spool would have been quicker, and measured something else.
    assert_eq!(store.spool().expect("a spool").count, 0);
}

criterion_group!(benches, hbase);
criterion_main!(benches);
