//! Runs the program in a folder of its own: nothing outside of it is read or written.
#![allow(dead_code)]

pub mod api;
pub mod cells;
pub mod collections;
pub mod events;
pub mod generator;
pub mod hbase;
pub mod http;
pub mod live;
pub mod mmdb;
pub mod openapi;
pub mod postgres;
pub mod profiles;
pub mod redis;
pub mod rethink;
pub mod rules;
pub mod serving;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No run may take longer; far above what any needs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A home folder that is also the working folder.
pub struct Home(TempDir);

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub bytes: Vec<u8>,
    pub err: String,
}

impl Ran {
    /// Standard output as text.
    pub fn out(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("the output is UTF-8")
    }

    /// The lines of standard output.
    pub fn lines(&self) -> Vec<&str> {
        self.out().lines().collect()
    }

    /// The lines of standard output as JSON.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line: &&str| serde_json::from_str(line).expect("a line of JSON");
        self.lines().iter().map(parse).collect()
    }

    /// Makes sure that the run ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Ran {
        assert_eq!(
            self.code,
            Some(code),
            "{}\n{}",
            self.err,
            String::from_utf8_lossy(&self.bytes)
        );
        self
    }
}

impl Home {
    pub fn new() -> Home {
        Home(TempDir::new().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        std::fs::write(&path, bytes).expect("a written file");
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
        command
            .env_clear()
            .current_dir(self.0.path())
            .args(arguments);
        command.env("HOME", self.0.path());
        command.env("XDG_DATA_HOME", self.path("data"));
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs to the end with `input` on standard input.
    pub fn run(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        finish(self.command(arguments), input.as_ref())
    }

    /// Starts a run to talk with.
    pub fn talk(&self, arguments: &[&str]) -> Talk {
        Talk::new(self.command(arguments))
    }
}

/// Whether a process catches SIGINT, as far as the system tells.
fn hears_interrupts(id: &str) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) else {
        return true;
    };
    let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_none_or(|mask| mask & 2 != 0)
}

fn finish(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.spawn().expect("the program starts");
    let stdin = child.stdin.take();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (bytes, err) = std::thread::scope(|scope| {
        scope.spawn(move || {
            // The program may end before it has read everything.
            let _ = stdin.map(|mut stdin| stdin.write_all(input));
        });
        let err = scope.spawn(move || read_all(err));
        (read_all(out), err.join().expect("a reader"))
    });
    let code = wait(&mut child).code();
    let err = String::from_utf8_lossy(&err).into_owned();
    Ran { code, bytes, err }
}

fn read_all(from: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        from.read_to_end(&mut bytes)
            .expect("the output can be read");
    }
    bytes
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    panic!("the program does not end");
}

/// A running program whose lines are read one by one.
pub struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Talk {
    pub fn new(mut command: Command) -> Talk {
        let mut child = command
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.take();
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Talk {
            child,
            stdin,
            lines,
        }
    }

    pub fn say(&mut self, text: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("an open pipe");
        stdin.write_all(text.as_ref()).expect("the program reads");
        stdin.flush().expect("the program reads");
    }

    /// The next line, as soon as it comes.
    #[track_caller]
    pub fn hear(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of output")
    }

    /// Whether nothing comes for a while.
    pub fn is_silent(&self, time: Duration) -> bool {
        self.lines.recv_timeout(time).is_err()
    }

    pub fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What Ctrl-C sends, once the program listens to it: one that has hardly begun would just be killed.
    pub fn interrupt(&self) {
        let id = self.child.id().to_string();
        let started = Instant::now();
        while !hears_interrupts(&id) && started.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for the end: the exit code and how long it took.
    pub fn end(&mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        let status = wait(&mut self.child);
        (status.code(), started.elapsed())
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Numbers that look random and are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}
