//! Events a second: single actions on one core, and what the engine costs besides.
//!
//! `cargo bench --bench pipeline`. The memory that filter_frequency takes for each key is printed first.
#![allow(clippy::expect_used, clippy::panic)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use stellar::config::SystemClock;
use stellar::diagnostic::Source;
use stellar::engine::Engine;
use stellar::eval::Value;
use stellar::pipeline::engine::{DeadLetters, Memory, Options, Runner, build};
use stellar::pipeline::step::{Kept, Now, Step};
use stellar::pipeline::{Build, Event, Parameters, Record, Time, config, yaml};

const KEYS: usize = 100_000;

/// The step of one action in YAML.
fn step(text: &str) -> Step {
    let source = Arc::new(Source::expression(text));
    let node = yaml::read(&source, yaml::Limits::default());
    let node = node.expect("good YAML").expect("a document");
    let yaml::Kind::Map(entries) = &node.kind else {
        panic!("{text} is no map");
    };
    let name = node.get("name").and_then(yaml::Node::as_text);
    let actions = Engine::actions();
    let spec = actions.get(name.expect("a name")).expect("an action");
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    let given = Parameters::check(spec, entries, node.span, &mut faults, &mut warnings);
    assert!(faults.is_empty(), "{faults:?}");
    let engine = Engine::bare();
    let context = &engine.context;
    let made = (spec.make)(
        &given,
        &Build {
            context,
            pipeline: "bench",
        },
    );
    made.expect("a step")
}

fn event(fields: &[(&str, Value)]) -> Event {
    let mut record = Record::with_capacity(fields.len());
    for (name, value) in fields {
        record.set(*name, value.clone());
    }
    Event {
        tag: "log".into(),
        time: Time::Whole(0),
        record,
    }
}

/// What the process holds in memory, in bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0usize) * 4096
}

fn frequency() -> Box<dyn Kept> {
    let text = "{name: filter_frequency, match: log, tag: alert, alert: {}, query_key: ip, num_events: 1000, timeframe: 60}";
    match step(text) {
        Step::Kept(kept) => kept,
        _ => panic!("filter_frequency remembers"),
    }
}

fn filters(criterion: &mut Criterion) {
    let events: Vec<Event> = (0..KEYS)
        .map(|n| {
            let ip = format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
            event(&[("ip", Value::text(ip)), ("n", Value::Int(1))])
        })
        .collect();
    // Keys in an order that no cache foresees.
    let order: Vec<usize> = (0..KEYS).map(|n| n * 48_271 % KEYS).collect();
    let mut more = Vec::new();
    let mut run = |filter: &mut Box<dyn Kept>, events: &mut [Event], second: i64| {
        for at in &order {
            let now = Now(second * 1000);
            black_box(filter.apply(&mut events[*at], now, &mut more)).expect("a good event");
        }
        more.clear();
    };
    let mut events = events;
    // All of them stay: memory that one gives back would be missing in the figure of the next.
    let mut filters = Vec::new();
    for seconds in [1, 10, 60] {
        let before = resident();
        let mut filter = frequency();
        (0..seconds).for_each(|second| run(&mut filter, &mut events, second));
        let grown = resident().saturating_sub(before) / KEYS;
        println!("filter_frequency: {KEYS} keys with {seconds} seconds each: {grown} bytes a key");
        filters.push(filter);
    }
    drop(filters);
    let mut group = criterion.benchmark_group("actions");
    group.throughput(Throughput::Elements(KEYS as u64));
    let (mut filter, mut second) = (frequency(), 0);
    group.bench_function("filter_frequency, 100,000 keys", |bencher| {
        bencher.iter(|| {
            second += 1;
            run(&mut filter, &mut events, second);
        });
    });
    let json = r#"{"time": 1607608082, "host": "fw-3.example.org", "src": "192.0.2.77", "port": 443, "msg": "connection from outside refused"}"#;
    for (name, text, events) in [
        (
            "parser_json",
            "{name: parser_json, match: log, key: log}",
            vec![event(&[("log", Value::text(json))]); 1000],
        ),
        (
            "filter_rename",
            "{name: filter_rename, match: log, keys: {a: b}}",
            vec![event(&[("a", Value::Int(1)), ("c", Value::Int(2))]); 1000],
        ),
    ] {
        let Step::Pure(pure) = step(text) else {
            panic!("{name} knows one event at a time");
        };
        group.throughput(Throughput::Elements(1000));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || events.clone(),
                |events| {
                    for event in events {
                        let done = pure.apply(event, Now(0), &mut more);
                        black_box(done).expect("a good event");
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// Events of input_dummy through the whole engine.
fn engine(criterion: &mut Criterion) {
    const ROUNDS: usize = 200;
    let data = vec!["{a: 1, c: 2}"; 1000].join(", ");
    let input = format!("{{name: input_dummy, tag: log, data: [{data}], repeat: {ROUNDS}}}");
    let folder = tempfile::tempdir().expect("a folder");
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements((1000 * ROUNDS) as u64));
    group.sample_size(10);
    for (name, step) in [
        (
            "a step that knows one event",
            "{name: filter_rename, match: log, keys: {a: b}}",
        ),
        (
            "a step that remembers",
            "{name: filter_frequency, match: log, tag: alert, alert: {}, num_events: 1000000000, timeframe: 60}",
        ),
    ] {
        let path = folder.path().join("p.yaml");
        let text = format!("pipelines:\n  p:\n    - {input}\n    - {step}\n");
        std::fs::write(&path, text).expect("a file");
        let file = config::load(&path, &Engine::actions()).expect("a good file");
        let context = Engine::bare().context;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let pipelines = build(&file, &context).expect("good steps");
                let options = Options {
                    once: true,
                    threads: 2,
                    event_clock: None,
                    clock: Arc::new(SystemClock),
                    stop: Arc::default(),
                    memory: Memory::None,
                    checkpoint: Duration::from_secs(1),
                    dead: DeadLetters::new(None, |_| ()).expect("dead letters"),
                    complain: std::sync::Arc::new(|fault| panic!("{fault}")),
                    say: Arc::new(|_| ()),
                };
                let runner = Runner::new(pipelines, options, &|_| ()).expect("a runner");
                let report = runner.run();
                assert!(report.faults.is_empty());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, filters, engine);
criterion_main!(benches);
