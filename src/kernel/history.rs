//! The cells of this session, and of earlier ones.

use crate::config::mask_text;
use jupyter_protocol::{HistoryEntry, HistoryReply, HistoryRequest};
use rustyline::history::{FileHistory, History as _, SearchDirection};
use std::path::PathBuf;
use std::thread::JoinHandle;

/// How many cells are kept.
const CELLS: usize = 10_000;

/// How many bytes a cell may have that is kept.
const LONGEST: usize = 64 << 10;

/// The number of all earlier sessions.
const EARLIER: usize = 0;
/// The number of this session.
const OWN: usize = 1;

/// The cells so far.
pub struct History {
    /// A long file takes a while, for which nobody who starts a kernel needs to wait.
    reading: Option<JoinHandle<Read>>,
    read: Read,
    own: Vec<(usize, String)>,
}

/// The cells of earlier sessions.
#[derive(Default)]
struct Read {
    cells: Vec<String>,
    file: Option<(FileHistory, PathBuf)>,
}

impl Read {
    /// One that cannot be read is as none.
    fn file(path: PathBuf) -> Read {
        let mut file = FileHistory::new();
        let _ = file.set_max_len(CELLS);
        if let Some(folder) = path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = file.load(&path);
        let mut cells = Vec::new();
        for at in 0..file.len() {
            if let Ok(Some(found)) = file.get(at, SearchDirection::Forward) {
                cells.push(found.entry.to_string());
            }
        }
        let file = Some((file, path));
        Read { cells, file }
    }
}

impl History {
    /// Begins to read the file of earlier cells, which the shell uses too.
    pub fn open(path: Option<PathBuf>) -> History {
        let (mut reading, mut read) = (None, Read::default());
        if let Some(path) = path {
            let own = path.clone();
            let thread = std::thread::Builder::new().name("stellar-history".to_string());
            match thread.spawn(move || Read::file(own)) {
                Ok(thread) => reading = Some(thread),
                Err(_) => read = Read::file(path),
            }
        }
        History {
            reading,
            read,
            own: Vec::new(),
        }
    }

    /// The earlier cells, when they have been read.
    fn earlier(&mut self) -> &mut Read {
        if let Some(reading) = self.reading.take() {
            self.read = reading.join().unwrap_or_default();
        }
        &mut self.read
    }

    /// Keeps a cell; secrets are masked.
    pub fn add(&mut self, number: usize, code: &str) {
        if code.len() > LONGEST || code.trim().is_empty() {
            return;
        }
        let code = mask_text(code);
        if let Some((file, path)) = &mut self.earlier().file
            && file.add(&code).unwrap_or(false)
        {
            // A full disk is no reason to stop.
            let _ = file.append(path);
        }
        if self.own.len() >= CELLS {
            self.own.remove(0);
        }
        self.own.push((number, code));
    }

    /// Cells as a front end asks for them.
    pub fn answer(&mut self, request: &HistoryRequest) -> HistoryReply {
        self.earlier();
        let earlier = self.read.cells.iter().enumerate();
        let earlier = earlier.map(|(at, code)| (EARLIER, at + 1, code));
        let own = self.own.iter().map(|(number, code)| (OWN, *number, code));
        let all: Vec<(usize, usize, &String)> = earlier.chain(own).collect();
        let (found, output) = match request {
            HistoryRequest::Tail { n, output, .. } => (last(all, *n), *output),
            HistoryRequest::Search {
                pattern,
                unique,
                n,
                output,
                ..
            } => {
                let glob = glob::Pattern::new(pattern).ok();
                let fits = |code: &str| match &glob {
                    Some(glob) => glob.matches(code),
                    None => code.contains(pattern.as_str()),
                };
                let mut found: Vec<_> = all.into_iter().filter(|(.., code)| fits(code)).collect();
                if *unique {
                    let mut seen = std::collections::HashSet::new();
                    found.reverse();
                    found.retain(|(.., code)| seen.insert(*code));
                    found.reverse();
                }
                (last(found, *n), *output)
            }
            HistoryRequest::Range {
                session,
                start,
                stop,
                output,
                ..
            } => {
                // 0 and this session's number are this one.
                let wanted = usize::try_from(session.unwrap_or(0)).unwrap_or(0).max(OWN);
                let (start, stop) = (i64::from(*start), i64::from(*stop));
                let inside = |number: usize| {
                    let number = i64::try_from(number).unwrap_or(i64::MAX);
                    number >= start && (stop <= 0 || number < stop)
                };
                let found = all
                    .into_iter()
                    .filter(|(session, number, _)| *session == wanted && inside(*number));
                (found.collect(), *output)
            }
        };
        let entries = found.into_iter().map(|(session, number, code)| {
            let code = code.clone();
            match output {
                true => HistoryEntry::InputOutput(session, number, (code, String::new())),
                false => HistoryEntry::Input(session, number, code),
            }
        });
        HistoryReply::new(entries.collect())
    }
}

fn last<T>(mut all: Vec<T>, count: i32) -> Vec<T> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let first = all.len().saturating_sub(count);
    all.split_off(first)
}
