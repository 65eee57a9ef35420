//! Where the reading of a file stands, and what tells the file again.

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

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
    /// Its path.
    pub path: PathBuf,
    /// Its device and inode.
    pub id: Id,
    /// Where the next line begins. Unpacked bytes, where a file is compressed.
    pub at: u64,
    /// What stands at the beginning.
    pub head: Mark,
    /// What stands before the place.
    pub foot: Mark,
    /// Whether nothing more is to come.
    pub done: bool,
    /// Whether the file is not there any more, so that another one may have its inode.
    pub gone: bool,
}

/// The length and a hash of some bytes: what stands in logs is not to stand in states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// How many bytes they are.
    pub length: usize,
    /// Their hash.
    pub hash: u64,
}

impl Mark {
    /// The mark of bytes.
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

    /// As JSON, for [`Place::read`].
    pub fn json(&self) -> Json {
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

    /// A place from JSON.
    pub fn read(json: &Json) -> Option<Place> {
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

/// What was read of a file, as far as it tells the file again.
#[derive(Debug, Default)]
pub struct Trace {
    head: Vec<u8>,
    /// What an earlier run has read at the beginning.
    known: Option<Mark>,
    foot: Vec<u8>,
    at: u64,
}

impl Trace {
    /// From a place on.
    pub fn from(head: Option<Mark>, at: u64) -> Trace {
        Trace {
            known: head.filter(|_| at > 0),
            at,
            ..Trace::default()
        }
    }

    /// Up to where was read.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Takes what was read.
    pub fn pass(&mut self, bytes: &[u8]) {
        if self.head.len() < HEAD && self.head.len() as u64 == self.at {
            let more = bytes.get(..bytes.len().min(HEAD - self.head.len()));
            self.head.extend_from_slice(more.unwrap_or_default());
        }
        self.at += bytes.len() as u64;
        match bytes.len().checked_sub(FOOT) {
            Some(from) => {
                self.foot.clear();
                self.foot
                    .extend_from_slice(bytes.get(from..).unwrap_or_default());
            }
            None => {
                self.foot.extend_from_slice(bytes);
                let surplus = self.foot.len().saturating_sub(FOOT);
                self.foot.drain(..surplus);
            }
        }
    }

    /// Goes on behind what nobody has seen.
    pub fn skip(&mut self, to: u64) {
        self.at = to;
        self.foot.clear();
    }

    /// The place that was reached.
    pub fn place(&self, path: &Path, id: Id) -> Place {
        Place {
            at: self.at,
            head: self.known.unwrap_or_else(|| Mark::of(&self.head)),
            foot: Mark::of(&self.foot),
            ..Place::start(path, id)
        }
    }

    /// Whether what was read last still stands in a file.
    pub fn fits(&self, file: &File) -> bool {
        let mut bytes = vec![0; self.foot.len()];
        let from = self.at.saturating_sub(bytes.len() as u64);
        file.read_exact_at(&mut bytes, from).is_ok() && bytes == self.foot
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
    fn what_was_read_tells_the_file_however_it_came() {
        let text: Vec<u8> = (0..1000u32).flat_map(|n| n.to_be_bytes()).collect();
        for piece in [1, 7, 64, 65, 1000, 1024, 2000] {
            let mut trace = Trace::default();
            for bytes in text.chunks(piece) {
                trace.pass(bytes);
                let at = trace.at() as usize;
                assert_eq!(trace.place(Path::new("x"), (1, 2)), place(&text, at));
            }
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&text).unwrap();
            assert!(trace.fits(&file), "{piece}");
            file.write_all_at(b"x", text.len() as u64 - 1).unwrap();
            assert!(!trace.fits(&file), "{piece}");
        }
        let mut trace = Trace::from(Some(Mark::of(b"head")), 10);
        trace.pass(b"foot");
        let place = trace.place(Path::new("x"), (1, 2));
        assert_eq!((place.at, place.head), (14, Mark::of(b"head")));
        assert_eq!(place.foot, Mark::of(b"foot"));
        trace.skip(100);
        assert_eq!(trace.place(Path::new("x"), (1, 2)).foot, Mark::default());
    }
}
