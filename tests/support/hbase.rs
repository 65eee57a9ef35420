//! What stands in for HBase's Thrift server where there is none, what makes a server come and go, and rounds in which
//! `stellar profile apply` is killed while it writes to one.
#![allow(dead_code)]

use super::{Dice, Home};
use hbase_thrift::hbase::BatchMutation;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stellar::profile::PROFILE;
use stellar::profile::store::Spool;
use stellar::store::Store;
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TInputProtocol, TMessageIdentifier, TMessageType,
    TOutputProtocol, TStructIdentifier, TType,
};
use thrift::transport::{TBufferedReadTransport, TBufferedWriteTransport, TIoChannel, TTcpChannel};

/// The rows of a table with the bytes of their values.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A server of Thrift 1 that takes rows and keeps them in memory; nothing else.
pub struct Peer {
    pub address: String,
    tables: Arc<Mutex<BTreeMap<Vec<u8>, Rows>>>,
}

impl Peer {
    pub fn new() -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let tables: Arc<Mutex<BTreeMap<Vec<u8>, Rows>>> = Arc::default();
        let kept = tables.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, kept) = (stream.unwrap(), kept.clone());
                // A connection that breaks ends its thread.
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Peer { address, tables }
    }

    pub fn rows(&self, table: &str) -> Rows {
        let tables = self.tables.lock();
        tables.get(table.as_bytes()).cloned().unwrap_or_default()
    }
}

fn serve(stream: TcpStream, tables: &Mutex<BTreeMap<Vec<u8>, Rows>>) -> thrift::Result<()> {
    let (read, write) = TTcpChannel::with_stream(stream).split()?;
    let mut input = TBinaryInputProtocol::new(TBufferedReadTransport::new(read), true);
    let mut output = TBinaryOutputProtocol::new(TBufferedWriteTransport::new(write), true);
    loop {
        let call = input.read_message_begin()?;
        assert_eq!(call.name, "mutateRows", "the only call that it knows");
        let (mut table, mut rows) = (Vec::new(), Vec::new());
        input.read_struct_begin()?;
        loop {
            let field = input.read_field_begin()?;
            match (field.field_type, field.id) {
                (TType::Stop, _) => break,
                (_, Some(1)) => table = input.read_bytes()?,
                (_, Some(2)) => {
                    for _ in 0..input.read_list_begin()?.size {
                        rows.push(BatchMutation::read_from_in_protocol(&mut input)?);
                    }
                    input.read_list_end()?;
                }
                (other, _) => input.skip(other)?,
            }
            input.read_field_end()?;
        }
        input.read_struct_end()?;
        input.read_message_end()?;
        let mut tables = tables.lock();
        let kept = tables.entry(table).or_default();
        for row in rows {
            for change in row.mutations.unwrap_or_default() {
                let (key, value) = (row.row.clone().unwrap(), change.value.unwrap());
                kept.insert(key, value);
            }
        }
        drop(tables);
        let reply = TMessageIdentifier::new(call.name, TMessageType::Reply, call.sequence_number);
        output.write_message_begin(&reply)?;
        output.write_struct_begin(&TStructIdentifier::new("result"))?;
        output.write_field_stop()?;
        output.write_struct_end()?;
        output.write_message_end()?;
        output.flush()?;
    }
}

/// A way to a server that can be closed: what is on its way then is cut off.
pub struct Gate {
    pub port: u16,
    open: Arc<AtomicBool>,
    passed: Arc<AtomicU64>,
}

impl Gate {
    pub fn to(server: &str) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Gate {
            port: listener.local_addr().unwrap().port(),
            open: Arc::new(AtomicBool::new(true)),
            passed: Arc::default(),
        };
        let (server, open, passed) = (server.to_string(), gate.open.clone(), gate.passed.clone());
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                if !open.load(Ordering::Relaxed) {
                    continue;
                }
                let far = TcpStream::connect(&server).unwrap();
                for (from, to, count) in [(&near, &far, true), (&far, &near, false)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (open, passed) = (open.clone(), passed.clone());
                    std::thread::spawn(move || pass(from, to, &open, count.then_some(&*passed)));
                }
            }
        });
        gate
    }

    pub fn set(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// How many bytes went to the server.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, open: &AtomicBool, passed: Option<&AtomicU64>) {
    from.set_read_timeout(Some(Duration::from_millis(10)))
        .unwrap();
    let mut buffer = vec![0; 1 << 14];
    while open.load(Ordering::Relaxed) {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => break,
        };
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        if let Some(passed) = passed {
            passed.fetch_add(count as u64, Ordering::Relaxed);
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

const DEFINITIONS: &str = r#"{
    "timestampField": "ts",
    "profiles": [
        { "profile": "events", "foreach": "user", "init": { "n": "0" }, "update": { "n": "n + 1" }, "result": "n" },
        { "profile": "bytes", "foreach": "user", "init": { "s": "STATS_INIT()" },
          "update": { "s": "STATS_ADD(s, bytes)" }, "result": "s" }
    ]
}"#;

/// Entities and periods; of each two measurements, of which some thousand are written at a time.
const USERS: i64 = 1_500;
const PERIODS: i64 = 8;

/// How the server behaves while `profile apply` is killed, one round after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// It is away, and comes back for the last run.
    Away,
    /// It comes and goes.
    Flickers,
    /// It is there, and is away in the last run.
    There,
    /// It goes in the middle of each killed run.
    Leaves,
}

/// Runs `profile apply` to the end once, and in each round kills it twice in the middle of its writing before it may
/// end: the tables are the same. `rows` gives those of a table, which `make` has made.
pub fn killed_in_the_middle(
    server: &str,
    name: &str,
    rounds: u64,
    make: &dyn Fn(&str),
    rows: &(dyn Fn(&str) -> Rows + Sync),
) {
    let home = Home::new();
    home.write("p.json", DEFINITIONS);
    let mut events = String::new();
    for number in 0..USERS * PERIODS * 2 {
        let (user, period) = (number % USERS, number / USERS % PERIODS);
        let time = 1_502_665_200_000 + period * 900_000 + number % 900_000;
        let bytes = number * 7919 % 1000;
        let _ = writeln!(
            events,
            r#"{{"ts": {time}, "user": "u{user}", "bytes": {bytes}}}"#
        );
    }
    home.write("e.jsonl", events);
    let clean = format!("{name}_clean");
    make(&clean);
    let gate = Gate::to(server);
    let run = Run::new(&home, &gate, &clean);
    run.ends();
    let wanted = rows(&clean);
    assert_eq!(wanted.len() as i64, USERS * PERIODS * 2);
    let all = gate.passed();
    for round in 0..rounds {
        make(&format!("{name}_{round}"));
    }
    let one = |round: u64| {
        let table = format!("{name}_{round}");
        let mode = [Mode::Away, Mode::Flickers, Mode::There, Mode::Leaves][round as usize % 4];
        let gate = Gate::to(server);
        let run = Run::new(&home, &gate, &table);
        let mut dice = Dice(round * 7 + 3);
        for _ in 0..2 {
            run.is_killed(mode, all, dice.roll(55) as f64 / 100.0 + 0.05, &mut dice);
        }
        gate.set(mode != Mode::There);
        let said = run.ends();
        if mode == Mode::There {
            let told = format!("{} measurements wait in the spool", wanted.len());
            assert!(said.contains(&told), "{said}");
        }
        gate.set(true);
        run.flushes();
        let found = rows(&table);
        assert_eq!(found.len(), wanted.len(), "round {round}, {mode:?}");
        assert!(found == wanted, "round {round}, {mode:?}");
        assert!(run.file.check().unwrap().problems.is_empty());
    };
    // They mostly wait.
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    match next.fetch_add(1, Ordering::Relaxed) {
                        round if round < rounds => one(round),
                        _ => return,
                    }
                }
            });
        }
    });
}

/// `profile apply` into a table, with an embedded file of its own.
struct Run<'h> {
    home: &'h Home,
    gate: &'h Gate,
    settings: Vec<String>,
    file: Store,
}

impl<'h> Run<'h> {
    fn new(home: &'h Home, gate: &'h Gate, table: &str) -> Run<'h> {
        let path = home.path(&format!("{table}.db"));
        let settings = [
            format!("store.path={}", path.display()),
            format!("store.profile=hbase://127.0.0.1:{}", gate.port),
            format!("globals.\"profiler.client.hbase.table\"={table}"),
        ];
        Run {
            home,
            gate,
            settings: settings.into(),
            file: Store::new(Path::new(&path), &[&PROFILE]),
        }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let settings = self.settings.iter().flat_map(|s| ["--set", s.as_str()]);
        let all: Vec<&str> = settings.chain(arguments.iter().copied()).collect();
        self.home.command(&all)
    }

    fn apply(&self) -> std::process::Command {
        self.command(&[
            "profile",
            "apply",
            "-c",
            "p.json",
            "--threads",
            "2",
            "e.jsonl",
        ])
    }

    /// Lets it end, and gives what it says.
    fn ends(&self) -> String {
        let output = self.apply().output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }

    fn waiting(&self) -> u64 {
        Spool::of(&self.file).unwrap().count
    }

    /// Kills it when it has written a part of what it has to write, to the server or into the spool.
    fn is_killed(&self, mode: Mode, all: u64, part: f64, dice: &mut Dice) {
        self.gate.set(mode != Mode::Away);
        let (waited, passed) = (self.waiting(), self.gate.passed());
        let mut command = self.apply();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let (mut open, mut turn) = (true, Instant::now());
        loop {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "{mode:?} {part}"
            );
            let spooled = self.waiting().saturating_sub(waited);
            let sent = (self.gate.passed() - passed) as f64 / all as f64;
            let enough = match mode {
                Mode::Away => spooled as f64 >= part * (USERS * PERIODS) as f64,
                Mode::Flickers | Mode::There => sent >= part,
                Mode::Leaves => {
                    self.gate.set(sent < part / 2.0);
                    spooled > 0
                }
            };
            if enough {
                break;
            }
            if mode == Mode::Flickers
                && turn.elapsed() > Duration::from_millis(dice.roll(60) as u64)
            {
                open = !open;
                self.gate.set(open);
                turn = Instant::now();
            }
            assert!(
                child.try_wait().unwrap().is_none(),
                "it has ended: {mode:?} {part}"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        let alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(alive, "it has ended before it was killed: {mode:?} {part}");
    }

    /// Writes what waits.
    fn flushes(&self) {
        let output = self
            .command(&["profile", "spool", "flush"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert_eq!(self.waiting(), 0);
    }
}
