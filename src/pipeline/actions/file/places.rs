//! How far files have been read.

use crate::pipeline::actions::watch::{Stamp, stamp};
use crate::pipeline::step::Token;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many files are remembered.
const MOST: usize = 100_000;

/// A file as it was when it was opened, and up to where it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub stamp: Stamp,
    pub at: u64,
}

impl Place {
    /// Whether the file was read to its end.
    pub fn done(&self) -> bool {
        self.at == self.stamp.length
    }
}

/// The places of files: up to where they have been fed, and up to where they have been taken.
#[derive(Debug, Default)]
pub struct Places {
    fed: HashMap<PathBuf, (Place, u64)>,
    taken: HashMap<PathBuf, (Place, u64)>,
    on_the_way: VecDeque<(u64, PathBuf, Place)>,
    number: u64,
}

fn remember(all: &mut HashMap<PathBuf, (Place, u64)>, path: PathBuf, place: Place, number: u64) {
    if all.len() >= MOST && !all.contains_key(&path) {
        // Those that are not there any more go first, then those that were read longest ago.
        all.retain(|path, _| path.exists());
        let mut numbers: Vec<u64> = all.values().map(|(_, number)| *number).collect();
        let tenth = numbers.len() / 10;
        if all.len() > MOST - MOST / 10 && !numbers.is_empty() {
            let (_, limit, _) = numbers.select_nth_unstable(tenth);
            let limit = *limit;
            all.retain(|_, (_, number)| *number > limit);
        }
    }
    all.insert(path, (place, number));
}

impl Places {
    /// Up to where a file was fed.
    pub fn of(&self, path: &Path) -> Option<Place> {
        self.fed.get(path).map(|(place, _)| *place)
    }

    /// Notes how far a file was fed; the number of the note is for tokens.
    pub fn feed(&mut self, path: &Path, place: Place, keeps: bool) -> u64 {
        self.number += 1;
        if keeps {
            let note = (self.number, path.to_owned(), place);
            self.on_the_way.push_back(note);
        }
        remember(&mut self.fed, path.to_owned(), place, self.number);
        self.number
    }

    fn take(&mut self, until: u64) {
        while self.on_the_way.front().is_some_and(|(n, ..)| *n <= until) {
            if let Some((number, path, place)) = self.on_the_way.pop_front() {
                remember(&mut self.taken, path, place, number);
            }
        }
    }

    /// Forgets a file that has gone.
    fn forget(&mut self, path: &Path, seen: Stamp) {
        for all in [&mut self.fed, &mut self.taken] {
            if all.get(path).is_some_and(|(place, _)| place.stamp == seen) {
                all.remove(path);
            }
        }
    }

    /// Forgets all files but these.
    pub fn only(&mut self, found: &[PathBuf]) {
        for all in [&mut self.fed, &mut self.taken] {
            all.retain(|path, _| found.binary_search(path).is_ok());
        }
    }

    fn save(&self) -> Json {
        let mut rows: Vec<_> = self.taken.iter().collect();
        rows.sort_by_key(|(_, (_, number))| *number);
        let row = |(path, (place, _)): &(&PathBuf, &(Place, u64))| {
            let name = match path.to_str() {
                Some(text) => json!(text),
                None => json!(path.as_os_str().as_bytes()),
            };
            let Stamp {
                inode,
                seconds,
                nanos,
                length,
            } = place.stamp;
            json!([name, inode, seconds, nanos, length, place.at])
        };
        json!({"files": rows.iter().map(row).collect::<Vec<Json>>()})
    }

    /// Takes up what was saved.
    pub fn load(&mut self, state: &Json) -> Result<(), String> {
        let rows = state.get("files").and_then(Json::as_array);
        let mut loaded = Places::default();
        for row in rows.ok_or("it holds no `files`")? {
            let (path, place) = read(row).ok_or("the place of a file is odd")?;
            loaded.number += 1;
            loaded.fed.insert(path, (place, loaded.number));
        }
        loaded.taken = loaded.fed.clone();
        *self = loaded;
        Ok(())
    }
}

fn read(row: &Json) -> Option<(PathBuf, Place)> {
    let path = match row.get(0)? {
        Json::String(text) => PathBuf::from(text),
        Json::Array(bytes) => {
            let byte = |byte: &Json| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
            let bytes = bytes.iter().map(byte).collect::<Option<Vec<u8>>>()?;
            PathBuf::from(OsString::from_vec(bytes))
        }
        _ => return None,
    };
    let number = |at: usize| row.get(at).and_then(Json::as_u64);
    let stamp = Stamp {
        inode: number(1)?,
        seconds: row.get(2)?.as_i64()?,
        nanos: row.get(3)?.as_i64()?,
        length: number(4)?,
    };
    let at = number(5)?;
    Some((path, Place { stamp, at }))
}

/// A part of a file that was fed.
pub struct Part {
    pub places: Arc<Mutex<Places>>,
    pub number: u64,
    /// The file, when it is to be removed with this part.
    pub remove: Option<(PathBuf, Stamp)>,
}

impl Token for Part {
    fn position(&self) -> Option<Json> {
        let mut places = self.places.lock();
        places.take(self.number);
        Some(places.save())
    }

    fn acknowledge(&self) {
        let Some((path, read)) = &self.remove else {
            return;
        };
        // What was written since then comes again when its writer closes it.
        if stamp(path) == Some(*read) {
            // Somebody else may have been quicker.
            let _ = std::fs::remove_file(path);
            self.places.lock().forget(path, *read);
        }
    }
}
