//! What reading and writing measurements in the embedded file costs.
//!
//! `cargo bench --bench profile_store`
#![allow(clippy::expect_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stellar::config::{Config, Options, Surroundings};
use stellar::engine::Engine;
use stellar::eval::Value;
use stellar::profile::Profiles;
use stellar::profile::measurement::Measurement;
use stellar::profile::period::Period;
use stellar::profile::store::{Place, Query, Within};
use stellar::store::Deadline;
use tempfile::TempDir;

/// The measurements of one flush, each of another entity.
const FLUSH: i64 = 50_000;

/// The periods of one PROFILE_GET.
const PERIODS: i64 = 1_000;

const QUARTER: i64 = 900_000;

fn within(cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now: 0,
        deadline: Deadline::NONE,
        cancel,
    }
}

fn engine(folder: &TempDir) -> Engine {
    let around = Surroundings {
        named: None,
        config_home: Some(folder.path().join("config")),
        data_home: Some(folder.path().join("data")),
        home: Some(folder.path().to_path_buf()),
        folder: folder.path().to_path_buf(),
        ..Surroundings::of_process()
    };
    let config = Config::load(&Options::default(), &around).expect("a configuration");
    Engine::new(config, &around, &Default::default()).expect("an engine")
}

fn profiles(engine: &Engine) -> Arc<Profiles> {
    engine.context.services.get().expect("a store")
}

fn fresh() -> (TempDir, Engine) {
    let folder = TempDir::new().expect("a folder");
    let engine = engine(&folder);
    (folder, engine)
}

fn measurement(entity: i64, number: i64, value: Value) -> Measurement {
    let entity = format!(
        "10.{}.{}.{}",
        entity >> 16,
        (entity >> 8) & 255,
        entity & 255
    );
    Measurement {
        profile: "bytes_out".into(),
        entity: entity.into(),
        groups: Vec::new(),
        period: Period {
            number,
            duration: QUARTER,
        },
        value,
        expires: None,
    }
}

fn flush(number: i64) -> Vec<Measurement> {
    (0..FLUSH)
        .map(|entity| measurement(entity, number, Value::Long(entity * number)))
        .collect()
}

fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flush");
    group.sample_size(10);
    group.throughput(Throughput::Elements(FLUSH as u64));
    let cancel = Arc::default();
    let batch = flush(1);
    group.bench_function("into an empty file", |b| {
        b.iter_batched(
            fresh,
            |(folder, engine)| {
                let written = profiles(&engine).write(&Place::default(), &batch, within(&cancel));
                written.expect("written");
                (folder, engine)
            },
            BatchSize::PerIteration,
        );
    });
    for days in [None, Some(30)] {
        let (_folder, engine) = fresh();
        let profiles = profiles(&engine);
        let mut number = 0;
        let name = match days {
            None => "of entities that are there",
            Some(_) => "of entities that are there, to expire",
        };
        let next = |number: i64| {
            let mut batch = flush(number);
            batch.iter_mut().for_each(|one| one.expires = days);
            batch
        };
        for _ in 0..20 {
            number += 1;
            let written = profiles.write(&Place::default(), &next(number), within(&cancel));
            written.expect("written");
        }
        group.bench_function(name, |b| {
            b.iter_batched(
                || {
                    number += 1;
                    next(number)
                },
                |batch| {
                    let written = profiles.write(&Place::default(), &batch, within(&cancel));
                    written.expect("written");
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let (_folder, engine) = fresh();
    let profiles = profiles(&engine);
    let cancel = Arc::default();
    let sketch = engine
        .evaluate("STATS_ADD(STATS_INIT(), 1, 2, 3, 4, 5)")
        .expect("a value");
    // A week and a half among a hundred entities; for one of them with statistics too.
    let now = engine.context.clock.now() / QUARTER;
    for entity in 0..100 {
        let long = (0..PERIODS).map(|n| measurement(entity, now - n, Value::Long(n)));
        let statistics = (0..PERIODS).map(|n| Measurement {
            profile: "spread".into(),
            ..measurement(entity, now - n, sketch.clone())
        });
        let batch: Vec<Measurement> = long.chain(statistics).collect();
        let written = profiles.write(&Place::default(), &batch, within(&cancel));
        written.expect("written");
    }
    let query = |profile: &str, step: i64| Query {
        profile: profile.into(),
        entity: "10.0.0.7".into(),
        periods: (0..PERIODS)
            .step_by(step as usize)
            .map(|n| Period {
                number: now - PERIODS + 1 + n,
                duration: QUARTER,
            })
            .collect(),
        ..Query::default()
    };
    let mut group = criterion.benchmark_group("read");
    for (name, query) in [
        ("1,000 periods of numbers", query("bytes_out", 1)),
        ("1,000 periods of statistics", query("spread", 1)),
        ("11 periods, one a day", query("bytes_out", 96)),
        ("1 period", query("bytes_out", PERIODS)),
    ] {
        let found = profiles.read(&query, within(&cancel)).expect("read");
        assert!(found.iter().all(Option::is_some), "{name}");
        group.bench_function(name, |b| {
            b.iter(|| black_box(profiles.read(&query, within(&cancel)).expect("read")));
        });
    }
    let get = "PROFILE_GET('bytes_out', '10.0.0.7', PROFILE_FIXED(14985, 'MINUTES'))";
    let program = engine.compile(get).expect("the expression compiles");
    group.bench_function("PROFILE_GET of 1,000 periods", |b| {
        b.iter(|| black_box(program.evaluate(&engine.context).expect("a value")));
    });
    let mut unknown = query("bytes_out", 1);
    unknown.entity = "10.0.0.777".into();
    group.bench_function("why nothing is found", |b| {
        b.iter(|| {
            black_box(
                profiles
                    .explain_empty(&unknown, within(&cancel))
                    .expect("told"),
            )
        });
    });
    group.finish();
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
