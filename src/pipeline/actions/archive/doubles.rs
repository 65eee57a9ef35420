//! Lines that were written after the last saved state and come again after a crash.

use ahash::AHashMap;
use serde_json::{Map, Value as Json, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The lengths of so many files are kept.
const FILES: usize = 10_000;

/// The lengths of files, and the lines behind the saved lengths.
#[derive(Default)]
pub struct Doubles {
    lengths: AHashMap<String, u64>,
    order: VecDeque<String>,
    /// When the state was saved that was taken up.
    saved: Option<SystemTime>,
    /// The lengths that the taken-up state knew, until a file is looked at.
    known: AHashMap<String, u64>,
    /// The lines of each file that may come again, and how often.
    lines: AHashMap<String, AHashMap<Vec<u8>, usize>>,
}

impl Doubles {
    /// Whether lines may come again.
    pub fn any(&self) -> bool {
        self.saved.is_some()
    }

    /// Notes how long a file is.
    pub fn written(&mut self, path: &str, length: u64) {
        match self.lengths.get_mut(path) {
            Some(known) => *known = length,
            None => {
                self.order.push_back(path.to_owned());
                self.lengths.insert(path.to_owned(), length);
            }
        }
        while self.order.len() > FILES {
            if let Some(oldest) = self.order.pop_front() {
                self.lengths.remove(&oldest);
            }
        }
    }

    /// No line comes again any more: what is equal from now on is new.
    pub fn forget(&mut self) {
        self.saved = None;
        self.known = AHashMap::new();
        self.lines = AHashMap::new();
    }

    /// Appends those of `bytes`' lines that are not in the file yet.
    pub fn take_new(&mut self, path: &str, bytes: &[u8], out: &mut Vec<u8>) {
        if !self.lines.contains_key(path) {
            let lines = self.behind(path).unwrap_or_default();
            self.lines.insert(path.to_owned(), lines);
        }
        let Some(lines) = self.lines.get_mut(path) else {
            return;
        };
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            match lines.get_mut(line) {
                Some(left) if *left > 0 => *left -= 1,
                _ => out.extend_from_slice(line),
            }
        }
    }

    /// The lines of a file behind its saved length; all of them when it was made since.
    fn behind(&self, path: &str) -> std::io::Result<AHashMap<Vec<u8>, usize>> {
        let mut file = std::fs::File::open(path)?;
        let changed = file.metadata()?.modified()?;
        let from = match self.known.get(path) {
            Some(length) => *length,
            None if self.saved.is_some_and(|saved| changed >= saved) => 0,
            None => return Ok(AHashMap::new()),
        };
        file.seek(SeekFrom::Start(from))?;
        let mut lines = AHashMap::new();
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            *lines.entry(std::mem::take(&mut line)).or_insert(0) += 1;
        }
        Ok(lines)
    }

    pub fn save(&self) -> Json {
        let lengths = self
            .lengths
            .iter()
            .map(|(path, length)| (path.clone(), json!(length)));
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(0));
        // `data` and `key_timeout` are what feedoo looks for.
        json!({
            "data": {},
            "key_timeout": {},
            "lengths": Json::Object(lengths.collect::<Map<_, _>>()),
            "saved": now,
        })
    }

    pub fn load(&mut self, state: &Json) -> Result<(), String> {
        let Some(lengths) = state.get("lengths").and_then(Json::as_object) else {
            return Ok(());
        };
        for (path, length) in lengths {
            let length = length.as_u64().ok_or("a length is odd")?;
            self.known.insert(path.clone(), length);
            self.written(path, length);
        }
        let saved = state.get("saved").and_then(Json::as_u64).unwrap_or(0);
        // File systems round their times.
        let saved = UNIX_EPOCH + Duration::from_millis(saved.saturating_sub(2000));
        self.saved = Some(saved);
        Ok(())
    }
}
