//! The interactive shell on a terminal: keys from `tests/golden/shell/*.keys`, screens beside them in `.out`.
//! `UPDATE=1 cargo test --test shell_screens` rewrites the screens.
//!
//! A line of a `.keys` file is a step:
//! - `size COLUMNS LINES`, `env NAME=VALUE`, `file NAME TEXT` (with `\n`) before the first start
//! - `start` begins a shell; a later one begins another in the same home
//! - `type TEXT`; `key NAME` (tab, up, ctrl-c, …); `enter` waits for the next prompt, as `prompt` does; `newline` does not
//! - `wait TEXT` until the screen shows it; `pause` half a second; `end` waits until the shell has ended
//! - `screen` compares what stands on the screen, `colors` the line of the cursor with its escapes
#![allow(clippy::unwrap_used, clippy::panic)]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A screen that does not come within this time will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing may change before a screen counts as finished, when goldens are made.
const QUIET: Duration = Duration::from_millis(1500);

struct Terminal {
    home: TempDir,
    size: PtySize,
    env: Vec<(String, String)>,
    running: Option<Running>,
}

struct Running {
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn start(&mut self) {
        let pair = native_pty_system().openpty(self.size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stellar"));
        command.cwd(self.home.path());
        command.env_clear();
        command.env("HOME", self.home.path());
        command.env("PATH", std::env::var("PATH").unwrap());
        command.env("TERM", "xterm-256color");
        for (name, value) in &self.env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(self.size.rows, self.size.cols, 0);
        let screen = Arc::new(Mutex::new(parser));
        let (mut reader, shown) = (pair.master.try_clone_reader().unwrap(), screen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..count]);
            }
        });
        self.running = Some(Running {
            screen,
            keys: pair.master.take_writer().unwrap(),
            child,
            _master: pair.master,
        });
    }

    fn running(&mut self) -> &mut Running {
        match &mut self.running {
            Some(running) => running,
            None => panic!("no shell was started"),
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        let keys = &mut self.running().keys;
        keys.write_all(bytes).unwrap();
        keys.flush().unwrap();
    }

    /// What stands on the screen, without blanks at the ends of lines and without empty lines at its end.
    fn screen(&mut self) -> String {
        let parser = self.running().screen.lock().unwrap();
        let (_, columns) = parser.screen().size();
        let rows = parser.screen().rows(0, columns);
        let rows: Vec<String> = rows.map(|row| row.trim_end().to_string()).collect();
        format!("{}\n", rows.join("\n").trim_end())
    }

    /// The line of the cursor.
    fn line(&mut self) -> String {
        let parser = self.running().screen.lock().unwrap();
        let (row, _) = parser.screen().cursor_position();
        let (_, columns) = parser.screen().size();
        parser.screen().rows(0, columns).nth(row.into()).unwrap()
    }

    fn colors(&mut self) -> String {
        let parser = self.running().screen.lock().unwrap();
        let (row, _) = parser.screen().cursor_position();
        let (_, columns) = parser.screen().size();
        let bytes = parser.screen().rows_formatted(0, columns).nth(row.into());
        let text = String::from_utf8(bytes.unwrap()).unwrap();
        format!("{}\n", text.trim_end().replace('\x1b', "\\e"))
    }

    /// Waits until `look` gives something.
    fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&mut Terminal) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if started.elapsed() > PATIENCE {
                let screen = self.screen();
                panic!("{what} does not come:\n{screen}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What `look` gives once it is as expected, or else when nothing changes any more.
    fn settled(&mut self, expected: Option<&str>, look: fn(&mut Terminal) -> String) -> String {
        let (mut last, mut since) = (look(self), Instant::now());
        loop {
            if expected == Some(last.as_str()) {
                return last;
            }
            let patience = if expected.is_some() { 4 * QUIET } else { QUIET };
            if since.elapsed() > patience {
                return last;
            }
            std::thread::sleep(Duration::from_millis(5));
            let now = look(self);
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
    }
}

fn key(name: &str) -> &'static [u8] {
    match name {
        "tab" => b"\t",
        "up" => b"\x1b[A",
        "right" => b"\x1b[C",
        "left" => b"\x1b[D",
        "home" => b"\x01",
        "ctrl-c" => b"\x03",
        "ctrl-d" => b"\x04",
        "ctrl-l" => b"\x0c",
        "ctrl-r" => b"\x12",
        other => panic!("no key {other}"),
    }
}

/// Plays a case; gives the screens, each behind a line that says what it is.
fn play(case: &Path, expected: Option<&str>) -> String {
    let mut terminal = Terminal {
        home: TempDir::new().unwrap(),
        size: PtySize {
            rows: 24,
            cols: 80,
            ..PtySize::default()
        },
        env: Vec::new(),
        running: None,
    };
    let mut wanted = expected.map(|text| text.split("----\n").skip(1));
    let mut out = String::new();
    let text = fs::read_to_string(case).unwrap();
    for step in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = step.split_once(' ').unwrap_or((step, ""));
        match name {
            "size" => {
                let (columns, lines) = rest.split_once(' ').unwrap();
                terminal.size.cols = columns.parse().unwrap();
                terminal.size.rows = lines.parse().unwrap();
            }
            "env" => {
                let (name, value) = rest.split_once('=').unwrap();
                terminal.env.push((name.to_string(), value.to_string()));
            }
            "file" => {
                let (name, text) = rest.split_once(' ').unwrap();
                let path = terminal.home.path().join(name);
                fs::write(path, text.replace("\\n", "\n")).unwrap();
            }
            "start" => {
                terminal.start();
                terminal.wait("the prompt", |t| at_prompt(t).then_some(()));
            }
            "type" => terminal.send(rest.as_bytes()),
            "key" => terminal.send(key(rest)),
            "newline" => terminal.send(b"\r"),
            "enter" => {
                // What was typed must stand there first, or its prompt would pass for the next one.
                terminal.wait("the typed text", |t| (!at_prompt(t)).then_some(()));
                terminal.send(b"\r");
                terminal.wait("the next prompt", |t| at_prompt(t).then_some(()));
            }
            "wait" => terminal.wait(rest, |t| t.screen().contains(rest).then_some(())),
            "prompt" => terminal.wait("the prompt", |t| at_prompt(t).then_some(())),
            "pause" => std::thread::sleep(Duration::from_millis(500)),
            "end" => {
                terminal.wait("the end", |t| t.running().child.try_wait().unwrap());
            }
            "screen" | "colors" => {
                let expected = wanted.as_mut().map(|all| all.next().unwrap_or(""));
                let look = if name == "screen" {
                    Terminal::screen
                } else {
                    Terminal::colors
                };
                out.push_str("----\n");
                out.push_str(&terminal.settled(expected, look));
            }
            "" => {}
            other => panic!("{}: no step {other}", case.display()),
        }
    }
    if let Some(running) = &mut terminal.running {
        let _ = running.child.kill();
    }
    out
}

/// Whether the cursor stands behind a prompt with nothing typed.
fn at_prompt(terminal: &mut Terminal) -> bool {
    terminal.line().trim_end().ends_with(">>>")
}

#[test]
fn screens_are_as_recorded() {
    let mut cases: Vec<PathBuf> = glob::glob("tests/golden/shell/*.keys")
        .unwrap()
        .map(Result::unwrap)
        .collect();
    cases.sort();
    assert!(cases.len() > 5, "{} cases only", cases.len());
    let update = std::env::var_os("UPDATE").is_some();
    let only = std::env::var("CASE").unwrap_or_default();
    cases.retain(|case| case.to_str().unwrap().contains(&only));
    let mut failures = Vec::new();
    for case in cases {
        let file = case.with_extension("out");
        let expected = fs::read_to_string(&file).unwrap_or_default();
        let found = play(&case, (!update).then_some(expected.as_str()));
        if update {
            fs::write(&file, &found).unwrap();
        } else if found != expected {
            failures.push(format!(
                "{}:\n{found}\nexpected\n{expected}",
                case.display()
            ));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
