//! Lines that were written after the last saved state and come again after a crash.

use ahash::{AHashMap, AHashSet};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The lengths of so many files are kept.
const FILES: usize = 10_000;

/// File systems round their times.
const ROUNDED: Duration = Duration::from_secs(2);

/// After this time without work nothing comes again any more.
const QUIET: Duration = Duration::from_secs(5);

/// After this time nothing comes again in any case.
const ENOUGH: Duration = Duration::from_secs(300);

/// The length of a file, and what tells it: 0 when that is not known.
type Length = (u64, u64);

/// Tells a file from others that had its inode before: the one that was rotated, compressed and removed.
pub fn told(there: &Metadata) -> u64 {
    let made = there.created().ok();
    let made = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    let made = made.map_or(0, |made| u64::try_from(made.as_nanos()).unwrap_or(0));
    (there.ino() ^ made.rotate_left(32)).max(1)
}

/// A part of a file: where it begins and ends.
type Part = (u64, u64);

/// What a state knew of a file.
struct Known {
    length: Length,
    /// Parts before the length whose lines had not come again yet.
    waiting: Vec<Part>,
    /// How long the file was at the start.
    start: u64,
}

/// What stands behind the saved length of a file, and what waited before it.
#[derive(Default)]
struct Behind {
    /// The lines that may come again, and where they stand.
    lines: AHashMap<Vec<u8>, Vec<u64>>,
    left: usize,
    length: Length,
    /// The length without a line that was cut short.
    found: Option<Length>,
}

/// What stands behind the saved lengths of files, by device and inode: several steps may write one file, and each line
/// was written by one of them.
static BEHIND: Mutex<BTreeMap<(u64, u64), WeakBehind>> = Mutex::new(BTreeMap::new());

type WeakBehind = Weak<Mutex<Behind>>;

/// The lengths of files that were written.
#[derive(Default)]
struct Lengths {
    by_path: AHashMap<String, Length>,
    order: VecDeque<String>,
    /// Those that have changed since the last save.
    changed: Vec<String>,
    /// Those of which lines have come again since then.
    again: AHashSet<String>,
}

impl Behind {
    /// Where the lines stand that have not come again yet.
    fn waiting(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self
            .lines
            .iter()
            .flat_map(|(line, places)| places.iter().map(|at| (*at, *at + line.len() as u64)))
            .collect();
        parts.sort_unstable();
        parts.dedup_by(|next, before| {
            let follows = before.1 == next.0;
            if follows {
                before.1 = next.1;
            }
            follows
        });
        parts
    }
}

impl Lengths {
    fn set(&mut self, path: &str, length: Length) {
        match self.by_path.get_mut(path) {
            Some(known) => *known = length,
            None => {
                self.order.push_back(path.to_owned());
                self.by_path.insert(path.to_owned(), length);
            }
        }
        while self.order.len() > FILES {
            if let Some(oldest) = self.order.pop_front() {
                self.by_path.remove(&oldest);
            }
        }
    }
}

/// The lengths of files, and the lines behind the saved lengths.
#[derive(Default)]
pub struct Doubles {
    lengths: Mutex<Lengths>,
    /// When the state was saved that was taken up.
    saved: Option<SystemTime>,
    /// What the taken-up state knew.
    known: AHashMap<String, Known>,
    behind: AHashMap<String, Arc<Mutex<Behind>>>,
    /// When the state was taken up, and when something came last.
    since: Option<(Instant, Instant)>,
    /// Whether nothing comes again after this run.
    clean: bool,
}

impl Doubles {
    /// Whether lines may come again.
    pub fn any(&self) -> bool {
        self.saved.is_some()
    }

    /// Whether lines of a file may come again, also after one more crash.
    pub fn waits_for(&mut self, path: &str) -> bool {
        self.any() && {
            self.look(path);
            self.pending(path)
        } || self.lengths.get_mut().again.contains(path)
    }

    fn pending(&self, path: &str) -> bool {
        let behind = self.behind.get(path);
        behind.is_some_and(|behind| behind.lock().left > 0)
    }

    /// Notes how long a file is.
    pub fn written(&mut self, path: &str, length: Length) {
        let lengths = self.lengths.get_mut();
        lengths.set(path, length);
        lengths.changed.push(path.to_owned());
    }

    /// The length that a file had when it was written last.
    pub fn length(&mut self, path: &str) -> Option<u64> {
        let known = self.lengths.get_mut().by_path.get(path);
        known.map(|(length, _)| *length)
    }

    /// The run ends, and all that was written is saved.
    pub fn end(&mut self) {
        self.clean = true;
    }

    /// Time passes: when there has been no work for a while, what is equal is new.
    pub fn tick(&mut self, idle: bool) {
        let over = self.since.is_some_and(|(since, last)| {
            idle && last.elapsed() >= QUIET && last > since || since.elapsed() >= ENOUGH
        });
        if over {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.saved = None;
        self.since = None;
        self.known = AHashMap::new();
        self.behind = AHashMap::new();
        BEHIND.lock().retain(|_, behind| behind.strong_count() > 0);
    }

    fn look(&mut self, path: &str) {
        if !self.behind.contains_key(path) {
            let behind = self.behind(path).unwrap_or_default();
            if let Some((length, inode)) = behind.lock().found {
                self.lengths.get_mut().set(path, (length, inode));
            }
            self.behind.insert(path.to_owned(), behind);
        }
    }

    /// Appends those of `bytes`' lines that are not in the file yet.
    pub fn take_new(&mut self, path: &str, bytes: &[u8], out: &mut Vec<u8>) {
        if let Some((_, last)) = &mut self.since {
            *last = Instant::now();
        }
        self.look(path);
        let Some(behind) = self.behind.get(path).cloned() else {
            return;
        };
        let mut behind = behind.lock();
        if behind.left == 0 {
            return out.extend_from_slice(bytes);
        }
        self.lengths.get_mut().again.insert(path.to_owned());
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            match behind.lines.get_mut(line).and_then(Vec::pop) {
                Some(_) => behind.left -= 1,
                None => out.extend_from_slice(line),
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
    fn behind(&self, path: &str) -> std::io::Result<Arc<Mutex<Behind>>> {
        let file = File::open(path)?;
        let there = file.metadata()?;
        let mut all = BEHIND.lock();
        let id = (there.dev(), told(&there));
        if let Some(known) = all.get(&id).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let read = Arc::new(Mutex::new(self.read(path, file, &there)?));
        all.insert(id, Arc::downgrade(&read));
        Ok(read)
    }

    fn read(&self, path: &str, mut file: File, there: &Metadata) -> std::io::Result<Behind> {
        // Where it is not known when a file was made, a line may rather be there twice than be lost.
        let made = there.created().ok().zip(self.saved);
        let mut parts = match self.known.get(path) {
            Some(known) if known.length.1 == 0 || known.length.1 == told(there) => {
                let mut parts = known.waiting.clone();
                parts.push((known.length.0, known.start.min(there.len())));
                parts
            }
            // The file is a new one, also when another one stood in its place.
            _ if made.is_some_and(|(made, saved)| made >= saved) => vec![(0, there.len())],
            _ => return Ok(Behind::default()),
        };
        // What comes first is at the end, where it is taken from.
        parts.reverse();
        let mut behind = Behind {
            length: (there.len(), told(there)),
            ..Behind::default()
        };
        let mut line = Vec::new();
        while let Some((from, until)) = parts.pop() {
            file.seek(SeekFrom::Start(from))?;
            let mut reader = BufReader::new((&file).take(until.saturating_sub(from)));
            let mut at = from;
            while reader.read_until(b'\n', &mut line)? > 0 {
                let end = at + line.len() as u64;
                if !line.ends_with(b"\n") {
                    // The crash cut it short: it comes again as a whole.
                    if end == there.len() {
                        behind.length.0 = at;
                        File::options().write(true).open(path)?.set_len(at)?;
                        behind.found = Some(behind.length);
                    }
                    line.clear();
                    break;
                }
                let places = behind.lines.entry(std::mem::take(&mut line)).or_default();
                places.push(at);
                behind.left += 1;
                at = end;
            }
        }
        Ok(behind)
    }

    /// The parts of a file whose lines have not come again yet.
    fn waiting(&self, path: &str) -> Vec<Part> {
        match (self.behind.get(path), self.known.get(path)) {
            (Some(behind), _) => behind.lock().waiting(),
            (None, Some(known)) => known.waiting.clone(),
            (None, None) => Vec::new(),
        }
    }

    pub fn save(&self) -> Json {
        let mut lengths = self.lengths.lock();
        // Other steps may have written behind what this one has written, and all have written for this save.
        lengths.again.clear();
        let mut changed = std::mem::take(&mut lengths.changed);
        // Lines that have come again stand before the length from now on, those that wait are kept apart.
        changed.extend(self.behind.keys().cloned());
        for path in changed {
            if let Ok(there) = std::fs::metadata(&path)
                && let Some(length) = lengths.by_path.get_mut(&path)
            {
                *length = (there.len(), told(&there));
            }
        }
        let lengths = lengths.by_path.iter().map(|(path, length)| {
            let json = match self.waiting(path) {
                waiting if waiting.is_empty() => json!([length.0, length.1]),
                waiting => json!([length.0, length.1, waiting]),
            };
            (path.clone(), json)
        });
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
            "clean": self.clean,
        })
    }

    pub fn load(&mut self, state: &Json) -> Result<(), String> {
        let Some(lengths) = state.get("lengths").and_then(Json::as_object) else {
            return Ok(());
        };
        for (path, length) in lengths {
            // What tells it stands beside it since rotated files are known.
            let number = |at: usize| length.get(at).and_then(Json::as_u64);
            let waiting = length.get(2).and_then(Json::as_array);
            let waiting = waiting.into_iter().flatten().map(|part| {
                let end = |at: usize| part.get(at).and_then(Json::as_u64);
                end(0).zip(end(1)).ok_or("a part of a file is odd")
            });
            let waiting = waiting.collect::<Result<Vec<Part>, _>>()?;
            let length = match length.as_u64() {
                Some(length) => (length, 0),
                None => (
                    number(0).ok_or("a length is odd")?,
                    number(1).ok_or("what tells a file is odd")?,
                ),
            };
            let start = std::fs::metadata(path).map_or(0, |there| there.len());
            let known = Known {
                length,
                waiting,
                start,
            };
            self.known.insert(path.clone(), known);
            self.lengths.get_mut().set(path, length);
        }
        if state.get("clean").and_then(Json::as_bool) == Some(true) {
            self.forget();
            return Ok(());
        }
        let saved = state.get("saved").and_then(Json::as_u64).unwrap_or(0);
        let saved = UNIX_EPOCH + Duration::from_millis(saved);
        self.saved = Some(saved.checked_sub(ROUNDED).unwrap_or(UNIX_EPOCH));
        let now = Instant::now();
        self.since = Some((now, now));
        Ok(())
    }
}

impl Drop for Doubles {
    fn drop(&mut self) {
        self.forget();
    }
}
