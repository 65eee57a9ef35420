//! The shell while somebody types: completion, hints and colours with many names about.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::engine::Engine;
use stellar::eval::Value;
use stellar::shell::Session;
use stellar::shell::complete::complete;
use stellar::shell::editor::{highlight, hint};

fn typing(criterion: &mut Criterion) {
    let session = Session::new(&Engine::bare());
    session.load((0..10_000).map(|n| (format!("variable_{n}").into(), Value::Int(n))));
    for n in 0..300 {
        let defined = session.run_text(&format!("def FUNCTION_{n}(a) := a + {n}"));
        assert!(defined.is_ok());
    }
    let mut group = criterion.benchmark_group("10,000 variables, 300 functions");
    for (name, text) in [
        ("complete one", "LENGTH(variable_9999"),
        ("complete all", "LENGTH(variable_"),
        ("complete a function", "LENGTH(FUNCTION_2"),
        ("complete nothing typed", "LENGTH("),
    ] {
        group.bench_function(name, |bench| {
            bench.iter(|| complete(&session, black_box(text), text.len()));
        });
    }
    let long =
        "x := FILTER([1, 2, 3], e -> SUBSTRING('abc', e) == 'b') and LENGTH(variable_1".repeat(10);
    group.bench_function("hint and colours", |bench| {
        bench.iter(|| {
            black_box(hint(&session, &long));
            black_box(highlight(&session, &long, Some(long.len())));
        });
    });
    group.finish();
}

criterion_group!(benches, typing);
criterion_main!(benches);
