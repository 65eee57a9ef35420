//! What a query costs a row, on one core: groups over rows that are in memory, and over JSON Lines.
//!
//! `cargo bench --bench query`; `EVENTS=20000` for fewer.
#![allow(clippy::expect_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use stellar::collect::query::{Query, Range};
use stellar::diagnostic::Outcome;
use stellar::engine::Engine;
use stellar::eval::{Context, Value};
use stellar::input::{Catalogue, Column, Columns, FileRows, Rows, Source, TOGETHER, Take, Wish};

/// When the first event was, in milliseconds.
const START: i64 = 1_767_225_600_000;

/// Ten events a second of 500 users on 20 domains.
fn user(number: i64) -> String {
    format!("user-{:03}", (number * 7919) % 500)
}

fn domain(number: i64) -> String {
    format!("d{}.example.org", (number * 104_729) % 20)
}

/// Rows that are there already.
struct Memory(Vec<(i64, [Value; 3])>);

impl Source for Memory {
    fn about(&self) -> String {
        "memory".to_owned()
    }

    fn columns(&self, _: &Context) -> Outcome<Columns> {
        Ok(Columns::Fixed(vec![
            Column::new("domain", "str"),
            Column::new("user", "str"),
            Column::new("bytes", "int4"),
        ]))
    }

    fn read(&self, _: &Wish<'_>, _: &Context, take: Take<'_>) -> Outcome<()> {
        for part in self.0.chunks(TOGETHER) {
            let rows = Rows {
                times: part.iter().map(|(time, _)| *time).collect(),
                values: part.iter().flat_map(|(_, row)| row.clone()).collect(),
                ..Rows::default()
            };
            if !take(rows)? {
                break;
            }
        }
        Ok(())
    }
}

fn queries(criterion: &mut Criterion) {
    let events = std::env::var("EVENTS").ok().and_then(|n| n.parse().ok());
    let events: i64 = events.unwrap_or(200_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web.jsonl");
    let mut text = String::new();
    let mut rows = Vec::new();
    for number in 0..events {
        let time = START + number * 100;
        let (domain, user, bytes) = (domain(number), user(number), number % 5000);
        let _ = writeln!(
            text,
            "{{\"timestamp\": {time}, \"domain\": \"{domain}\", \"user\": \"{user}\", \"method\": \"GET\", \"url\": \"/a/b/{number}.html\", \"status\": {}, \"bytes\": {bytes}, \"agent\": \"Mozilla/5.0 (X11; Linux x86_64)\"}}",
            if number % 20 == 0 { 404 } else { 200 }
        );
        let bytes = Value::Int(bytes as i32);
        rows.push((time, [Value::string(domain), Value::string(user), bytes]));
    }
    std::fs::write(&path, text).expect("a file");
    let mut context = Engine::bare().context;
    let mut catalogue = Catalogue::default();
    catalogue.add("memory", Arc::new(Memory(rows)));
    catalogue.add("file", Arc::new(FileRows::new(vec![path], None, None)));
    context.services.add(Arc::new(catalogue));
    let mut group = criterion.benchmark_group("query");
    group.throughput(Throughput::Elements(events.unsigned_abs()));
    group.sample_size(10);
    for (name, clauses) in [
        ("group", "group every 5m by domain, user"),
        (
            "aggregates",
            "group every 5m by domain select domain, count() as n, sum(bytes) as b, max(bytes) as m",
        ),
        (
            "distinct",
            "group every 5m by domain select countdistinct(user) as n",
        ),
        (
            "where",
            "where bytes > 4000 and ENDS_WITH(domain, 'org') select user, bytes * 8 as bits",
        ),
        ("all", "select *"),
    ] {
        for from in ["memory", "file"] {
            let query = Query::compile(&format!("from {from} {clauses}"), &context);
            let query = query.expect("a query");
            group.bench_function(format!("{name}/{from}"), |bench| {
                bench.iter_batched(
                    || (),
                    |()| {
                        let ran = query.run(
                            Range::all(),
                            &context,
                            &mut |row| {
                                black_box(row.values());
                                Ok(true)
                            },
                            &mut |_| Ok(()),
                        );
                        let totals = ran.expect("rows");
                        assert_eq!(totals.read, events.unsigned_abs());
                        totals
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, queries);
criterion_main!(benches);
