//! Events a second through two profiles on one core: statistics by user, and a counter by address for a part of the
//! events. As values at hand, and as lines of JSON.
//!
//! `cargo bench --bench profiler`
#![allow(clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::sync::Arc;
use stellar::diagnostic::Source;
use stellar::engine::Engine;
use stellar::eval::{Context, Value};
use stellar::profile::definition::{Definitions, parse};
use stellar::profile::runner::{Keep, Profiler};

const DEFINITIONS: &str = r#"{
    "timestampField": "timestamp",
    "profiles": [
        {
            "profile": "bytes-by-user",
            "foreach": "user",
            "init": { "s": "STATS_INIT()" },
            "update": { "s": "STATS_ADD(s, bytes_in)" },
            "result": "s"
        },
        {
            "profile": "https-by-address",
            "foreach": "ip_src_addr",
            "onlyif": "protocol == 'HTTPS'",
            "init": { "count": "0" },
            "update": { "count": "count + 1" },
            "result": "count"
        }
    ]
}"#;

const EVENTS: u64 = 100_000;

/// Events of 1000 users and 5000 addresses, a third of them HTTPS.
fn events() -> Vec<String> {
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    (0..EVENTS)
        .map(|i| {
            let protocol = ["DNS", "HTTP", "HTTPS"][next(3) as usize];
            let address = next(5000);
            format!(
                r#"{{"ip_src_addr":"10.0.{}.{}","ip_dst_addr":"8.8.8.8","ip_src_port":{},"protocol":"{protocol}","length":{},"bytes_in":{},"user":"user-{}","timestamp":{},"source.type":"bro"}}"#,
                address / 250,
                address % 250,
                1024 + next(60_000),
                next(1500),
                next(100_000),
                next(1000),
                1_600_000_000_000 + i,
            )
        })
        .collect()
}

fn profiler(definitions: &Definitions, context: &Context) -> Profiler {
    Profiler::new(definitions, 900_000, Keep::default(), context).expect("good definitions")
}

fn run(criterion: &mut Criterion) {
    let context = Profiler::context(&Engine::bare().context);
    let definitions = parse(&Arc::new(Source::expression(DEFINITIONS))).expect("good definitions");
    let lines = events();
    let mut group = criterion.benchmark_group("profiler");
    group.throughput(Throughput::Elements(EVENTS));

    let mut running = profiler(&definitions, &context);
    let mut rows = Vec::new();
    for line in &lines {
        running
            .read(line.as_bytes(), &mut rows)
            .expect("good events");
    }
    group.bench_function("values at hand", |bencher| {
        bencher.iter(|| running.apply_rows(&rows, &context));
    });

    let mut running = profiler(&definitions, &context);
    group.bench_function("lines of JSON", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                running
                    .apply_line(line.as_bytes(), &context)
                    .expect("good events");
            }
        });
    });

    let mut running = profiler(&definitions, &context);
    let list = Value::from(lines.iter().map(Value::text).collect::<Vec<_>>());
    group.bench_function("a list of texts", |bencher| {
        bencher.iter(|| running.apply_value(&list, &context, &|| Ok(())));
    });
    group.throughput(Throughput::Elements(6000));
    group.bench_function("flush of 6000 entities", |bencher| {
        bencher.iter_batched(
            || {
                let mut running = profiler(&definitions, &context);
                running
                    .apply_value(&list, &context, &|| Ok(()))
                    .expect("good events");
                running
            },
            |mut running| running.flush(&context),
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(std::time::Duration::from_secs(4)).warm_up_time(std::time::Duration::from_secs(1));
    targets = run
}
criterion_main!(benches);
