//! Messages a second on one core: from JSON to the row of the table, with the bytes that are stored; and its parts.
//!
//! `cargo bench --bench event`
#![allow(clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::event::{Message, Options};

/// Messages of about 730 bytes each, as partners send them: keys in any order, no two alike.
fn messages() -> Vec<String> {
    let categories = [
        "Recon.Scanning",
        "Attempt.Login",
        "Availability.DDoS",
        "Abusive.Spam",
    ];
    let protocols = ["tcp", "UDP", "ssh", "Http"];
    let groups = [
        "abuse@example.org",
        "abuse@example.net",
        "security@example.com",
    ];
    (0..64usize)
        .map(|i| {
            let (day, second) = (1 + i % 28, i * 7 % 60);
            let one = |list: &[&str], at: usize| list[at % list.len()].to_string();
            format!(
                concat!(
                    r#"{{"Format": "IDEA0", "ID": "{id:08x}-0944-4e0c-9dfb-369bab13dfae", "#,
                    r#""DetectTime": "2026-01-{day:02}T21:05:{second:02}.597396Z", "Category": ["{category}", "Test"], "#,
                    r#""Description": "Several connections to closed ports ({i})", "#,
                    r#""EventTime": "2026-01-{day:02}T20:05:{second:02}+01:00", "ConnCount": {count}, "#,
                    r#""Source": [{{"IP4": ["195.{a}.3.{b}", "10.128.{a}.19-10.128.{a}.22"], "Port": [{port}, 22, 24571], "#,
                    r#""Proto": ["{protocol}", "telnet"], "Type": ["Botnet"]}}], "#,
                    r#""Target": [{{"IP6": ["2001:DB8:0:{a:x}::ff00:{b:x}"], "IP4": ["192.0.2.0/24"], "Port": [443], "Proto": ["dns"]}}], "#,
                    r#""Node": [{{"Name": "cz.example.sensor_{b}.flow", "Type": ["Statistical", "Flow"], "SW": ["Kippo", "Warden 3"], "AggrWin": "00:05:00"}}], "#,
                    r#""_CESNET": {{"StorageTime": "2026-01-{day:02}T22:39:{second:02}.618814Z", "EventClass": "Recon-Scanning", "#,
                    r#""EventSeverity": "low", "ResolvedAbuses": ["{group}"]}}}}"#
                ),
                id = i * 0x0123_4567 % 0xffff_ffff,
                day = day,
                second = second,
                category = one(&categories, i),
                i = i,
                count = i * 977,
                a = i * 3 % 256,
                b = i * 31 % 256,
                port = 1024 + i * 641 % 60_000,
                protocol = one(&protocols, i),
                group = one(&groups, i),
            )
        })
        .collect()
}

fn event(criterion: &mut Criterion) {
    let messages = messages();
    let size = messages.iter().map(String::len).sum::<usize>() / messages.len();
    let options = Options::default();
    let parsed: Vec<Message> = messages
        .iter()
        .map(|json| Message::parse(json.as_bytes(), &options).expect("it is valid"))
        .collect();
    let mut group = criterion.benchmark_group(format!("event, {size} bytes"));
    group.throughput(Throughput::Elements(messages.len() as u64));
    group.bench_function("message to row", |bencher| {
        bencher.iter(|| {
            for json in &messages {
                let message = Message::parse(black_box(json.as_bytes()), &options);
                let row = message.and_then(|message| message.to_row());
                black_box(row.expect("it is valid"));
            }
        });
    });
    group.bench_function("parse and check", |bencher| {
        bencher.iter(|| {
            for json in &messages {
                black_box(Message::parse(black_box(json.as_bytes()), &options).expect("valid"));
            }
        });
    });
    group.bench_function("stored bytes", |bencher| {
        bencher.iter(|| {
            for message in &parsed {
                black_box(message.to_json());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, event);
criterion_main!(benches);
