//! HASH beside the bare library, and its relatives.
//!
//! `cargo bench --bench hashing`
#![allow(clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use stellar::engine::Engine;
use stellar::eval::Value;

fn hashing(criterion: &mut Criterion) {
    let engine = Engine::bare();
    for (size, name) in [(100, "100 B"), (64 << 10, "64 KiB")] {
        let text: String = "GET /index.html?id=0123456789 "
            .chars()
            .cycle()
            .take(size)
            .collect();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function("the bare sha2 crate", |bencher| {
            bencher.iter(|| Sha256::digest(black_box(text.as_bytes())));
        });
        for expression in [
            "HASH(text, 'SHA-256')",
            "HASH(text, 'MD5')",
            "HASH(text, 'SHA-1')",
            "HASH(text, 'TLSH')",
            "HMAC(text, 'SHA-256', 'key')",
            "CRC32(text)",
            "ENCODE(text, 'BASE64')",
            "DECODE(code, 'BASE64')",
        ] {
            let program = engine.compile(expression).expect("the expression compiles");
            let slots: Vec<Value> = program
                .variables
                .iter()
                .map(|name| match name.as_str() {
                    "code" => Value::text(BASE64.encode(text.as_bytes())),
                    _ => Value::text(&text),
                })
                .collect();
            group.bench_function(expression, |bencher| {
                bencher.iter(|| {
                    program
                        .run(&engine.context, black_box(&slots))
                        .expect("the expression evaluates")
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2)).warm_up_time(std::time::Duration::from_secs(1));
    targets = hashing
}
criterion_main!(benches);
