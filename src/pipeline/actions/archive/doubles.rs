//! Lines that were written after the last saved state and come again after a crash.

use ahash::AHashMap;
use serde_json::{Map, Value as Json, json};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The lengths of so many files are kept.
const FILES: usize = 10_000;

/// File systems round their times.
const ROUNDED: Duration = Duration::from_secs(2);

/// After this time without work nothing comes again any more.
const QUIET: Duration = Duration::from_secs(5);

/// After this time nothing comes again in any case.
const ENOUGH: Duration = Duration::from_secs(300);

/// The length of a file, and its inode: 0 when it is not known.
type Length = (u64, u64);

/// What stands behind the saved length of a file.
#[derive(Default)]
struct Behind {
    /// The lines that may come again, and how often.
    lines: AHashMap<Vec<u8>, usize>,
    left: usize,
    length: Length,
}

/// The lengths of files, and the lines behind the saved lengths.
#[derive(Default)]
pub struct Doubles {
    lengths: AHashMap<String, Length>,
    order: VecDeque<String>,
    /// When the state was saved that was taken up.
    saved: Option<SystemTime>,
    /// The lengths that the taken-up state knew, until a file is looked at.
    known: AHashMap<String, Length>,
    behind: AHashMap<String, Behind>,
    /// When the state was taken up, and when something came last.
    since: Option<(Instant, Instant)>,
}

impl Doubles {
    /// Whether lines may come again.
    pub fn any(&self) -> bool {
        self.saved.is_some()
    }

    /// Whether lines of a file may come again.
    pub fn waits_for(&mut self, path: &str) -> bool {
        self.any() && {
            self.look(path);
            self.behind.get(path).is_some_and(|behind| behind.left > 0)
        }
    }

    /// Notes how long a file is.
    pub fn written(&mut self, path: &str, length: Length) {
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

    /// Time passes: when there has been no work for a while, what is equal is new.
    pub fn tick(&mut self, idle: bool) {
        let over = self.since.is_some_and(|(since, last)| {
            idle && last.elapsed() >= QUIET && last > since || since.elapsed() >= ENOUGH
        });
        if over {
            self.saved = None;
            self.since = None;
            self.known = AHashMap::new();
            self.behind = AHashMap::new();
        }
    }

    fn look(&mut self, path: &str) {
        if !self.behind.contains_key(path) {
            let behind = self.behind(path).unwrap_or_default();
            self.behind.insert(path.to_owned(), behind);
        }
    }

    /// Appends those of `bytes`' lines that are not in the file yet.
    pub fn take_new(&mut self, path: &str, bytes: &[u8], out: &mut Vec<u8>) {
        if let Some((_, last)) = &mut self.since {
            *last = Instant::now();
        }
        self.look(path);
        let Some(behind) = self.behind.get_mut(path) else {
            return;
        };
        if behind.left == 0 {
            return out.extend_from_slice(bytes);
        }
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            match behind.lines.get_mut(line) {
                Some(times) if *times > 0 => {
                    *times -= 1;
                    behind.left -= 1;
                }
                _ => out.extend_from_slice(line),
            }
        }
        if behind.left == 0 {
            // All of them have come, so the next state need not know of them.
            let length = behind.length;
            behind.lines = AHashMap::new();
            self.written(path, length);
        }
    }

    /// The lines of a file behind its saved length; all of them when it was made since.
    fn behind(&self, path: &str) -> std::io::Result<Behind> {
        let mut file = File::open(path)?;
        let there = file.metadata()?;
        let changed = there.modified()?;
        let from = match self.known.get(path) {
            Some((length, inode)) if *inode == 0 || *inode == there.ino() => *length,
            // Another one stands in its place.
            Some(_) => 0,
            None if self.saved.is_some_and(|saved| changed >= saved) => 0,
            None => return Ok(Behind::default()),
        };
        file.seek(SeekFrom::Start(from))?;
        let mut behind = Behind {
            length: (there.len(), there.ino()),
            ..Behind::default()
        };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if !line.ends_with(b"\n") {
                // The crash cut it short: it comes again as a whole.
                behind.length.0 = there.len() - line.len() as u64;
                File::options()
                    .write(true)
                    .open(path)?
                    .set_len(behind.length.0)?;
                break;
            }
            *behind.lines.entry(std::mem::take(&mut line)).or_insert(0) += 1;
            behind.left += 1;
        }
        Ok(behind)
    }

    pub fn save(&self) -> Json {
        let lengths = self
            .lengths
            .iter()
            .map(|(path, length)| (path.clone(), json!([length.0, length.1])));
        // As long as lines may come again, what was made since then counts as made since.
        let saved = self.saved.map(|saved| saved + ROUNDED);
        let now = saved
            .unwrap_or_else(SystemTime::now)
            .duration_since(UNIX_EPOCH);
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
            // An inode stands beside it since rotated files are known.
            let number = |at: usize| length.get(at).and_then(Json::as_u64);
            let length = match length.as_u64() {
                Some(length) => (length, 0),
                None => (
                    number(0).ok_or("a length is odd")?,
                    number(1).ok_or("an inode is odd")?,
                ),
            };
            self.known.insert(path.clone(), length);
            self.written(path, length);
        }
        let saved = state.get("saved").and_then(Json::as_u64).unwrap_or(0);
        let saved = UNIX_EPOCH + Duration::from_millis(saved);
        self.saved = Some(saved.checked_sub(ROUNDED).unwrap_or(UNIX_EPOCH));
        let now = Instant::now();
        self.since = Some((now, now));
        Ok(())
    }
}
