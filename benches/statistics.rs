//! Values a second that statistics take in, and what reading and merging them costs, on one core.
//!
//! `cargo bench --bench statistics`
#![allow(clippy::expect_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::engine::Engine;
use stellar::eval::Value;

/// How many values are added at a time.
const VALUES: usize = 1_000_000;

/// Numbers that look like sizes of responses: many small ones, few large ones, in no order.
fn numbers() -> Vec<Value> {
    let mut state = 88_172_645_463_325_252u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let share = (state >> 11) as f64 / (1u64 << 53) as f64;
        Value::Double((-(1.0 - share).ln() * 4_000.0).round())
    };
    std::iter::repeat_with(next).take(VALUES).collect()
}

fn run(engine: &Engine, expression: &str, variables: &[Value]) -> Value {
    let program = engine.compile(expression).expect("the expression compiles");
    program
        .run(&engine.context, variables)
        .expect("the expression evaluates")
}

fn statistics(criterion: &mut Criterion) {
    let engine = Engine::bare();
    let list = Value::from(numbers());
    let mut group = criterion.benchmark_group("add");
    group.throughput(Throughput::Elements(VALUES as u64));
    for (name, expression) in [
        ("a list", "STATS_ADD(null, list)"),
        (
            "one by one",
            "REDUCE(list, (s, x) -> STATS_ADD(s, x), STATS_INIT())",
        ),
        (
            "one by one to a window of 1000",
            "REDUCE(list, (s, x) -> STATS_ADD(s, x), STATS_INIT(1000))",
        ),
        ("a list to a sampler", "SAMPLE_ADD(null, list)"),
        (
            "the same without statistics",
            "REDUCE(list, (s, x) -> ABS(x), 0)",
        ),
    ] {
        let program = engine.compile(expression).expect("the expression compiles");
        let slots = std::slice::from_ref(&list);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                program
                    .run(&engine.context, black_box(slots))
                    .expect("the expression evaluates")
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("use");
    let full = run(
        &engine,
        "STATS_ADD(null, list)",
        std::slice::from_ref(&list),
    );
    let many = Value::from(vec![full.clone(); 96]);
    for (name, expression, value) in [
        ("STATS_PERCENTILE", "STATS_PERCENTILE(s, 99)", &full),
        ("STATS_SD", "STATS_SD(s)", &full),
        ("STATS_ZSCORE", "STATS_ZSCORE(s, 17)", &full),
        ("STATS_BIN", "STATS_BIN(s, 17, 'DECILE')", &full),
        ("STATS_MERGE of 96", "STATS_MERGE(s)", &many),
    ] {
        let program = engine.compile(expression).expect("the expression compiles");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                program
                    .run(&engine.context, black_box(std::slice::from_ref(value)))
                    .expect("the expression evaluates")
            });
        });
    }
    let state = "OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), list)";
    let program = engine.compile(state).expect("the expression compiles");
    let thousand = Value::from(numbers()[..1000].to_vec());
    group.throughput(Throughput::Elements(1000));
    group.bench_function("OUTLIER_MAD_ADD", |bencher| {
        bencher.iter_batched(
            || thousand.clone(),
            |list| program.run(&engine.context, &[list]),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(std::time::Duration::from_secs(2)).warm_up_time(std::time::Duration::from_secs(1));
    targets = statistics
}
criterion_main!(benches);
