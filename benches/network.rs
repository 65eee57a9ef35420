//! Evaluations a second of functions about addresses, domains and URLs, on one core, variables at hand.
//!
//! `cargo bench --bench network`
#![allow(clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::engine::Engine;
use stellar::eval::Value;

/// Expressions, each with the name under which it is reported and the value of its variable `x`.
const EXPRESSIONS: &[(&str, &str, &str)] = &[
    ("variable alone", "x", "192.168.17.77"),
    (
        "in subnet",
        "IN_SUBNET(x, '192.168.0.0/16')",
        "192.168.17.77",
    ),
    (
        "in one of four subnets",
        "IN_SUBNET(x, '10.0.0.0/8', '172.16.0.0/12', '127.0.0.0/8', '192.168.0.0/16')",
        "192.168.17.77",
    ),
    (
        "in IPv6 subnet",
        "IN_SUBNET(x, '2001:db8::/32')",
        "2001:db8:17::4d",
    ),
    ("scope", "IP_SCOPE(x)", "93.184.216.34"),
    ("is IP", "IS_IP(x)", "192.168.17.77"),
    (
        "remove subdomains",
        "DOMAIN_REMOVE_SUBDOMAINS(x)",
        "www.mail.example.co.uk",
    ),
    ("top-level domain", "DOMAIN_TO_TLD(x)", "www.example.com"),
    ("is domain", "IS_DOMAIN(x)", "www.mail.example.co.uk"),
    ("is e-mail", "IS_EMAIL(x)", "eve.adams@example.org"),
    (
        "is URL",
        "IS_URL(x)",
        "https://www.example.org:8443/a/b.php?x=1",
    ),
    (
        "host of URL",
        "URL_TO_HOST(x)",
        "https://www.example.org:8443/a/b.php?x=1",
    ),
    (
        "URL taken apart",
        "URL_PARSE(x)",
        "https://www.example.org:8443/a/b.php?x=1&y=2",
    ),
    ("look-alikes", "DOMAIN_TYPOSQUAT(x)", "example"),
];

fn expressions(criterion: &mut Criterion) {
    let engine = Engine::bare();
    let mut group = criterion.benchmark_group("network");
    group.throughput(Throughput::Elements(1));
    for (name, expression, x) in EXPRESSIONS {
        let program = engine.compile(expression).expect("the expression compiles");
        let slots = vec![Value::text(x)];
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

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2)).warm_up_time(std::time::Duration::from_secs(1));
    targets = expressions
}
criterion_main!(benches);
