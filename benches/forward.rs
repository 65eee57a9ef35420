//! The forward protocol: what decoding takes on one core, and the whole way from clients that wait for acknowledgements
//! through `input_forward` to `output_archive`.
//!
//! usage: cargo bench --bench forward [-- EVENTS]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stellar::eval::Value;
use stellar::pipeline::forward::{Body, Parts, check, entry, read};
use stellar::pipeline::step::Packed;
use stellar::pipeline::{Event, Record, Time};

/// Events in a chunk.
const CHUNK: usize = 5000;

/// Clients at the same time, and chunks that each has on the way.
const CLIENTS: usize = 2;
const WINDOW: usize = 4;

/// The five fields of the other benchmarks of pipelines, about 127 bytes as JSON.
fn event(n: usize) -> Event {
    let mut record = Record::default();
    record.set("timestamp", Value::Int(1_607_618_046 + (n / 1000) as i32));
    record.set("source", Value::text(format!("source{}", n % 3)));
    record.set(
        "ip",
        Value::text(format!("10.0.{}.{}", n / 250 % 250, n % 250)),
    );
    record.set("status", Value::Int(200));
    record.set(
        "message",
        Value::text(format!("GET /index.html request number {n:08}")),
    );
    Event {
        tag: "web".into(),
        time: Time::Fraction(1_607_618_046.5),
        record,
    }
}

/// A chunk of packed events that asks for an acknowledgement.
fn chunk(from: usize) -> Vec<u8> {
    let mut entries = Vec::new();
    for n in from..from + CHUNK {
        entry(&event(n), &mut entries).unwrap();
    }
    let mut out = vec![0x93, 0xa3];
    out.extend(b"web");
    out.push(0xc6);
    out.extend((entries.len() as u32).to_be_bytes());
    out.extend(&entries);
    out.extend([0x81, 0xa5]);
    out.extend(b"chunk");
    out.push(0xa8);
    out.extend(format!("{from:08}").as_bytes());
    out
}

/// The processor time of this process and of those that it waited for.
fn processor(who: UsageWho) -> f64 {
    let usage = getrusage(who).unwrap();
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    micros as f64 / 1e6
}

fn decode() {
    let bytes = Arc::new(chunk(0));
    let mut best = f64::MAX;
    let (mut framing, mut count) = (f64::MAX, 0);
    for _ in 0..200 {
        let begin = Instant::now();
        let message = read(&bytes).unwrap().unwrap();
        let Body::Entries(mut range) = message.body else {
            panic!("packed events");
        };
        check(&bytes[range.clone()]).unwrap();
        let mut pieces = Vec::new();
        while !range.is_empty() {
            let mut parts = Parts::new(0);
            range.start = parts.entries(&message.tag, &bytes, range.clone());
            pieces.push(parts);
        }
        framing = framing.min(begin.elapsed().as_secs_f64());
        count = 0;
        let begin = Instant::now();
        for parts in &pieces {
            parts.unpack(&mut |made| {
                black_box(made.is_ok());
                count += 1;
            });
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let rate = |seconds: f64| count as f64 / seconds / 1e6;
    println!(
        "one core, {} bytes an event: {:.2} million events/s decoded, {:.1} million/s checked and cut",
        bytes.len() / CHUNK,
        rate(best),
        rate(framing)
    );
}

fn client(port: u16, chunks: &[Vec<u8>], rounds: usize) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = [0; 14];
    let mut open = 0;
    for round in 0..rounds {
        if open == WINDOW {
            stream.read_exact(&mut answer).unwrap();
            open -= 1;
        }
        stream.write_all(&chunks[round % chunks.len()]).unwrap();
        open += 1;
    }
    for _ in 0..open {
        stream.read_exact(&mut answer).unwrap();
    }
}

fn whole(events: usize) {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let path = folder.path().join("p.yaml");
    let archive = folder.path().join("{source}.json");
    let yaml = format!(
        "pipelines:\n  p:\n    - {{name: input_forward, port: {port}}}\n    - {{name: output_archive, match: '*', time_key: timestamp, path_template: '{}'}}\n",
        archive.display()
    );
    std::fs::write(&path, yaml).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_stellar"))
        .args(["pipeline", "run", "--once"])
        .arg(&path)
        .env("HOME", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let chunks: Vec<Vec<u8>> = (0..20).map(|n| chunk(n * CHUNK)).collect();
    // A look whether it listens would count as a client: with --once the program ends when the last one has gone.
    std::thread::sleep(Duration::from_millis(500));
    let rounds = events / CHUNK / CLIENTS;
    let own = processor(UsageWho::RUSAGE_SELF);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| client(port, &chunks, rounds));
        }
    });
    let took = begin.elapsed().as_secs_f64();
    let own = processor(UsageWho::RUSAGE_SELF) - own;
    assert!(program.wait().unwrap().success());
    let used = processor(UsageWho::RUSAGE_CHILDREN);
    let sent = rounds * CHUNK * CLIENTS;
    let lines: usize = (0..3)
        .map(|n| std::fs::read(folder.path().join(format!("source{n}.json"))).unwrap())
        .map(|bytes| bytes.iter().filter(|&&byte| byte == b'\n').count())
        .sum();
    assert_eq!(lines, sent);
    println!(
        "whole way, {sent} events, all acknowledged: {took:.2} s, {:.0} events/s; processor time {:.2} µs an event (clients {:.2})",
        sent as f64 / took,
        used / sent as f64 * 1e6,
        own / sent as f64 * 1e6
    );
}

fn main() {
    let events = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load.trim());
    decode();
    whole(events.unwrap_or(1_000_000));
}
