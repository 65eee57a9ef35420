//! Evaluations a second of single expressions, on one core, variables at hand.
//!
//! `cargo bench --bench expressions`
#![allow(clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::engine::Engine;
use stellar::eval::Value;

/// The expressions of the goals, and some more; each with the name under which it is reported.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("arithmetic", "bytes_in + bytes_out * 2"),
    (
        "conditional",
        "if status >= 400 and protocol in ['HTTP','HTTPS'] then 'bad' else 'ok'",
    ),
    ("strings", "TO_UPPER(SUBSTRING(user, 0, 4))"),
    (
        "match",
        "match{ status < 300 => 'ok', status < 500 => 'client', default => 'server' }",
    ),
    (
        "regex",
        "REGEXP_MATCH(host, '[a-z]+\\\\.example\\\\.(com|org)')",
    ),
    (
        "date",
        "TO_EPOCH_TIMESTAMP(date, 'yyyy-MM-dd HH:mm:ss', 'UTC')",
    ),
    (
        "map-filter-reduce",
        "REDUCE(FILTER(MAP(list, x -> x * 2), x -> x > 4), (a, b) -> a + b, 0)",
    ),
    ("library", "PERCENT(bytes_in, bytes_out)"),
];

fn value(name: &str) -> Value {
    match name {
        "bytes_in" => Value::Int(1_234),
        "bytes_out" => Value::Int(56_789),
        "status" => Value::Int(404),
        "protocol" => Value::text("HTTPS"),
        "user" => Value::text("eve.adams"),
        "host" => Value::text("mail.example.org"),
        "date" => Value::text("2026-11-02 10:11:12"),
        "list" => Value::from((1..=10).map(Value::Int).collect::<Vec<_>>()),
        _ => Value::Null,
    }
}

fn expressions(criterion: &mut Criterion) {
    let engine = Engine::bare();
    let mut group = criterion.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(1));
    for (name, expression) in EXPRESSIONS {
        let program = engine.compile(expression).expect("the expression compiles");
        let slots: Vec<Value> = program.variables.iter().map(|name| value(name)).collect();
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                program
                    .run(&engine.context, black_box(&slots))
                    .expect("the expression evaluates")
            });
        });
    }
    group.finish();
}

fn parsing(criterion: &mut Criterion) {
    let engine = Engine::bare();
    let mut group = criterion.benchmark_group("compile");
    let long = vec!["(a + 1) * f([b, 'text'], {'k': x -> x})"; 1_500].join(" + ");
    let chain = "if a == 1 then 'x' else ".repeat(2_700) + "'z'";
    let ternaries = "a ? ".repeat(16_000);
    let lambdas = "x -> ".repeat(13_000);
    let quotes = "'\\\\'".repeat(16_000);
    for (name, text) in [
        ("typical", EXPRESSIONS[1].1),
        ("64 KiB of terms", &long),
        ("64 KiB of else-ifs", &chain),
        ("64 KiB of open ternaries", &ternaries),
        ("64 KiB of open lambdas", &lambdas),
        ("64 KiB of strings", &quotes),
    ] {
        assert!(text.len() <= 65_536, "{name}: {}", text.len());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| engine.compile(black_box(text)).is_ok())
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2)).warm_up_time(std::time::Duration::from_secs(1));
    targets = expressions, parsing
}
criterion_main!(benches);
