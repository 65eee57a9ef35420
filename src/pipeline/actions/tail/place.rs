//! Where the reading of a file stands, and what tells the file again.

use crate::pipeline::step::Token;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many bytes at the beginning tell a file.
pub const HEAD: usize = 1024;

/// So many bytes before the place.
pub const FOOT: usize = 64;

/// Device and inode.
pub type Id = (u64, u64);

/// The device and inode of what was found.
pub fn id(found: &std::fs::Metadata) -> Id {
    (found.dev(), found.ino())
}

/// Where the next line of a file begins, and what stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    pub id: Id,
    /// Unpacked bytes, where a file is compressed.
    pub at: u64,
    pub head: Mark,
    pub foot: Mark,
    /// Whether nothing more is to come.
    pub done: bool,
    /// Whether the file is not there any more, so that another one may have its inode.
    pub gone: bool,
}

/// The length and a hash of some bytes: what stands in logs is not to stand in states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    pub length: usize,
    hash: u64,
}

impl Mark {
    pub fn of(bytes: &[u8]) -> Mark {
        if bytes.is_empty() {
            return Mark::default();
        }
        let digest = Sha256::digest(bytes);
        let hash = digest
            .iter()
            .take(8)
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        let length = bytes.len();
        Mark { length, hash }
    }

    fn json(self) -> Json {
        json!([self.length, format!("{:016x}", self.hash)])
    }

    fn read(json: &Json, most: usize) -> Option<Mark> {
        let length = usize::try_from(json.get(0)?.as_u64()?).ok()?;
        let hash = u64::from_str_radix(json.get(1)?.as_str()?, 16).ok()?;
        (length <= most).then_some(Mark { length, hash })
    }
}

impl Place {
    /// The beginning of a file.
    pub fn start(path: &Path, id: Id) -> Place {
        Place {
            path: path.to_owned(),
            id,
            at: 0,
            head: Mark::default(),
            foot: Mark::default(),
            done: false,
            gone: false,
        }
    }

    /// Under what it is kept: of those that are gone, several may have had one inode.
    fn key(&self) -> Key {
        let own = self.head.hash ^ self.foot.hash.rotate_left(1) ^ self.at;
        (self.id, if self.gone { own.max(1) } else { 0 })
    }

    /// Whether an open file has what stands before the place.
    pub fn fits(&self, file: &File) -> io::Result<bool> {
        let read = |mark: Mark, at: u64| -> io::Result<bool> {
            let mut bytes = vec![0; mark.length];
            match file.read_exact_at(&mut bytes, at) {
                Ok(()) => Ok(Mark::of(&bytes) == mark),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
                Err(error) => Err(error),
            }
        };
        if file.metadata()?.len() < self.at {
            return Ok(false);
        }
        let foot = self.at.saturating_sub(self.foot.length as u64);
        Ok(read(self.head, 0)? && read(self.foot, foot)?)
    }

    /// As [`Place::fits`], for what is unpacked on the way; it stands at the place then.
    pub fn fits_packed(&self, unpacked: &mut dyn Read) -> io::Result<bool> {
        let mut taken = 0;
        let mut skip = |to: u64, unpacked: &mut dyn Read| -> io::Result<bool> {
            let wanted = to.saturating_sub(taken);
            let skipped = io::copy(&mut unpacked.take(wanted), &mut io::sink())?;
            taken += skipped;
            Ok(skipped == wanted)
        };
        let mut head = vec![0; self.head.length];
        if !full(unpacked, &mut head)? || Mark::of(&head) != self.head {
            return Ok(false);
        }
        let foot = self.at.saturating_sub(self.foot.length as u64);
        if foot < head.len() as u64 {
            // The two overlap: what is left of the foot comes from the head.
            let mut bytes = head.get(foot as usize..).unwrap_or_default().to_vec();
            let known = bytes.len().min(self.foot.length);
            bytes.resize(self.foot.length, 0);
            let rest = bytes.get_mut(known..).unwrap_or_default();
            return Ok(full(unpacked, rest)? && Mark::of(&bytes) == self.foot);
        }
        if !skip(foot - head.len() as u64, unpacked)? {
            return Ok(false);
        }
        let mut bytes = vec![0; self.foot.length];
        Ok(full(unpacked, &mut bytes)? && Mark::of(&bytes) == self.foot)
    }

    fn json(&self) -> Json {
        let mut json = json!({
            "path": self.path.display().to_string(), "device": self.id.0, "inode": self.id.1,
            "at": self.at, "head": self.head.json(), "foot": self.foot.json(),
        });
        for (name, set) in [("done", self.done), ("gone", self.gone)] {
            if let (true, Some(fields)) = (set, json.as_object_mut()) {
                fields.insert(name.to_owned(), Json::Bool(true));
            }
        }
        json
    }

    fn read(json: &Json) -> Option<Place> {
        Some(Place {
            path: json["path"].as_str()?.into(),
            id: (json["device"].as_u64()?, json["inode"].as_u64()?),
            at: json["at"].as_u64()?,
            head: Mark::read(&json["head"], HEAD)?,
            foot: Mark::read(&json["foot"], FOOT)?,
            done: json["done"] == true,
            gone: json["gone"] == true,
        })
    }
}

/// Fills a buffer; false when there is less.
fn full(from: &mut dyn Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

type Key = (Id, u64);

/// What became of a place.
enum Change {
    At(Place),
    /// The file is gone.
    Went(Place),
    Forgotten(Key),
}

/// The places of all files as the outputs have taken them, and what was fed since.
#[derive(Default)]
pub struct Places {
    taken: BTreeMap<Key, Place>,
    fed: VecDeque<(u64, Change)>,
    number: u64,
}

impl Places {
    /// Notes a place that counts when what is fed with the answer has been taken.
    pub fn fed(shared: &Arc<Mutex<Places>>, place: Place) -> Arc<dyn Token> {
        Places::change(shared, Change::At(place))
    }

    /// Notes that a file is not there any more.
    pub fn went(shared: &Arc<Mutex<Places>>, place: Place) -> Arc<dyn Token> {
        Places::change(shared, Change::Went(place))
    }

    /// Notes that a file that is gone is forgotten.
    pub fn forget(shared: &Arc<Mutex<Places>>, place: &Place) {
        let _ = Places::change(shared, Change::Forgotten(place.key()));
    }

    fn change(shared: &Arc<Mutex<Places>>, change: Change) -> Arc<dyn Token> {
        let mut places = shared.lock();
        places.number += 1;
        let number = places.number;
        places.fed.push_back((number, change));
        Arc::new(Fed {
            number,
            places: shared.clone(),
        })
    }

    fn take(&mut self, number: u64) {
        while self.fed.front().is_some_and(|(own, _)| *own <= number) {
            match self.fed.pop_front() {
                Some((_, Change::At(place))) => {
                    self.taken.insert(place.key(), place);
                }
                Some((_, Change::Went(place))) => {
                    // Another one may have its inode by now.
                    let own = (place.id, 0);
                    if self
                        .taken
                        .get(&own)
                        .is_some_and(|known| known.head == place.head || known.at == 0)
                    {
                        self.taken.remove(&own);
                    }
                    self.taken.insert(place.key(), place);
                }
                Some((_, Change::Forgotten(key))) => {
                    self.taken.remove(&key);
                }
                None => {}
            }
        }
    }

    /// What a state says. Errors: why it is none.
    pub fn load(&mut self, state: &Json) -> Result<Vec<Place>, String> {
        let files = state.get("files").and_then(Json::as_array);
        let files = files.ok_or("it has no places of files")?;
        let read = |json: &Json| Place::read(json).ok_or("the place of a file is odd".to_owned());
        let places = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        self.taken = places
            .iter()
            .map(|place| (place.key(), place.clone()))
            .collect();
        Ok(places)
    }
}

struct Fed {
    number: u64,
    places: Arc<Mutex<Places>>,
}

impl Token for Fed {
    fn position(&self) -> Option<Json> {
        let mut places = self.places.lock();
        places.take(self.number);
        let files: Vec<Json> = places.taken.values().map(Place::json).collect();
        Some(json!({"files": files}))
    }

    fn acknowledge(&self) {
        // Where nothing is saved, nobody asked for the position.
        self.places.lock().take(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn place(text: &[u8], at: usize) -> Place {
        Place {
            at: at as u64,
            head: Mark::of(&text[..at.min(HEAD)]),
            foot: Mark::of(&text[at - at.min(FOOT)..at]),
            ..Place::start(Path::new("x"), (1, 2))
        }
    }

    #[test]
    fn a_file_is_told_by_what_stands_before_the_place() {
        let text: Vec<u8> = (0..5000u32).flat_map(|n| n.to_be_bytes()).collect();
        for at in [0, 1, 63, 64, 65, 1000, 1024, 1050, 1088, 2000, 20_000] {
            let place = place(&text, at);
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&text).unwrap();
            assert!(place.fits(&file).unwrap(), "{at}");
            let mut rest = &text[..];
            assert!(place.fits_packed(&mut rest).unwrap(), "{at}");
            assert_eq!(rest.len(), text.len() - at, "{at}");
            if at == 0 {
                continue;
            }
            for wrong in [0, at - 1] {
                let mut other = text.clone();
                other[wrong] ^= 1;
                assert!(!place.fits_packed(&mut &other[..]).unwrap(), "{at} {wrong}");
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&other).unwrap();
                assert!(!place.fits(&file).unwrap(), "{at} {wrong}");
            }
            assert!(!place.fits_packed(&mut &text[..at - 1]).unwrap());
        }
    }

    #[test]
    fn places_count_when_they_were_taken() {
        let shared = Arc::new(Mutex::new(Places::default()));
        let at = |at| Place {
            at,
            ..Place::start(Path::new("x"), (1, 2))
        };
        let first = Places::fed(&shared, at(5));
        let second = Places::fed(&shared, at(9));
        let saved = first.position().unwrap();
        assert_eq!(saved["files"][0]["at"], 5);
        assert_eq!(second.position().unwrap()["files"][0]["at"], 9);
        // An old token does not turn back.
        assert_eq!(first.position().unwrap()["files"][0]["at"], 9);
        let mut again = Places::default();
        assert_eq!(again.load(&saved).unwrap(), [at(5)]);
        assert!(again.load(&json!({"files": [{"path": 5}]})).is_err());
    }
}
