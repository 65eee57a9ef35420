//! Items a second that sketches take in, what their answers cost, and values a second to and from stored bytes, on one core.
//!
//! `cargo bench --bench sketches`
#![allow(clippy::expect_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::engine::Engine;
use stellar::eval::Value;
use stellar::functions::kryo;
use stellar::functions::sketches::{Hllp, hash, hyperloglog::HyperLogLog};

/// How many items are added at a time.
const ITEMS: i32 = 1_000_000;

const LONGEST: usize = 1 << 26;

fn numbers() -> Vec<Value> {
    (0..ITEMS).map(Value::Int).collect()
}

fn texts() -> Vec<Value> {
    (0..ITEMS)
        .map(|i| Value::string(format!("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255)))
        .collect()
}

/// Few different items, so that a sketch stays in its sparse form.
fn few() -> Vec<Value> {
    (0..ITEMS).map(|i| Value::Int(i % 5_000)).collect()
}

fn run(engine: &Engine, expression: &str, variables: &[Value]) -> Value {
    let program = engine.compile(expression).expect("the expression compiles");
    program
        .run(&engine.context, variables)
        .expect("the expression evaluates")
}

fn add(criterion: &mut Criterion) {
    let engine = Engine::bare();
    let mut group = criterion.benchmark_group("add");
    group.throughput(Throughput::Elements(ITEMS as u64));
    for (items, values) in [("numbers", numbers()), ("texts", texts()), ("few", few())] {
        group.bench_function(format!("the sketch itself, {items}"), |bencher| {
            bencher.iter(|| {
                let mut sketch = HyperLogLog::new(14, 25).expect("the precisions are good");
                for value in &values {
                    sketch.add(hash(black_box(value), 100).expect("the text is short"));
                }
                sketch
            });
        });
        let list = Value::from(values);
        for (name, expression) in [
            ("HLLP_ADD of a list", "HLLP_ADD(null, list)"),
            (
                "HLLP_ADD one by one",
                "REDUCE(list, (s, x) -> HLLP_ADD(s, x), HLLP_INIT())",
            ),
            (
                "BLOOM_ADD one by one",
                "REDUCE(list, (b, x) -> BLOOM_ADD(b, x), BLOOM_INIT(1000000))",
            ),
        ] {
            group.bench_function(format!("{name}, {items}"), |bencher| {
                let list = std::slice::from_ref(&list);
                bencher.iter(|| run(&engine, expression, black_box(list)));
            });
        }
    }
    group.finish();
}

fn answers(criterion: &mut Criterion) {
    let engine = Engine::bare();
    let mut group = criterion.benchmark_group("answer");
    for (name, expression) in [
        (
            "cardinality of the sparse form",
            "HLLP_ADD(HLLP_INIT(), few)",
        ),
        (
            "cardinality of the normal form",
            "HLLP_ADD(HLLP_INIT(), list)",
        ),
    ] {
        let sketch = match name.contains("sparse") {
            true => run(&engine, expression, &[Value::from(few())]),
            false => run(&engine, expression, &[Value::from(numbers())]),
        };
        group.bench_function(name, |bencher| {
            let sketch = sketch.as_object::<Hllp>().expect("it is a sketch");
            bencher.iter(|| sketch.0.lock().cardinality());
        });
    }
    let filter = run(
        &engine,
        "REDUCE(list, (b, x) -> BLOOM_ADD(b, x), BLOOM_INIT())",
        &[Value::from(
            (0..100_000).map(Value::Int).collect::<Vec<_>>(),
        )],
    );
    let program = engine
        .compile("BLOOM_EXISTS(bloom, x)")
        .expect("the expression compiles");
    let variables = [filter, Value::text("10.1.2.3")];
    group.bench_function("BLOOM_EXISTS", |bencher| {
        bencher.iter(|| program.run(&engine.context, black_box(&variables)));
    });
    group.finish();
}

fn stored(criterion: &mut Criterion) {
    let engine = Engine::bare();
    let mut group = criterion.benchmark_group("stored");
    for (name, expression) in [
        ("a number", "42"),
        ("a text", "'10.1.2.3'"),
        (
            "a list of 1000 texts",
            "MAP(list, x -> FORMAT('host-%d', x))",
        ),
        (
            "a multiset of 1000 texts",
            "MULTISET_INIT(MAP(list, x -> FORMAT('host-%d', x)))",
        ),
        ("statistics of 1000", "STATS_ADD(null, list)"),
        ("a sparse sketch of 1000", "HLLP_ADD(null, list)"),
        ("a normal sketch", "HLLP_ADD(HLLP_INIT(14), list)"),
        (
            "a filter for 10000",
            "BLOOM_ADD(BLOOM_INIT(10000), 'a', 'b')",
        ),
    ] {
        let list: Vec<Value> = (0..1000).map(Value::Int).collect();
        let value = run(&engine, expression, &[Value::from(list)]);
        let bytes = kryo::write(&value, LONGEST).expect("it can be stored");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("write {name}"), |bencher| {
            bencher.iter(|| kryo::write(black_box(&value), LONGEST));
        });
        group.bench_function(format!("read {name}"), |bencher| {
            bencher.iter_batched(
                || (),
                |()| kryo::read(black_box(&bytes)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(std::time::Duration::from_secs(2)).warm_up_time(std::time::Duration::from_secs(1));
    targets = add, answers, stored
}
criterion_main!(benches);
