//! One file that is followed.

use super::places::Places;
use crate::eval::Value;
use crate::input::Opened;
use crate::input::{FOOT, HEAD, Id, Mark, Place};
use crate::input::{Growing, Whole};
use crate::pipeline::record::Record;
use crate::pipeline::step::Feed;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// How much is read at a time.
const PIECE: usize = 256 << 10;

/// So many pieces of a file are read before others have their turn.
const PIECES: usize = 4;

/// What all files of an input share.
pub struct Common {
    pub tag: SmolStr,
    pub path_key: Option<SmolStr>,
    pub longest: usize,
    pub places: Arc<Mutex<Places>>,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// Compressed: read once.
    Packed,
    /// A copy of another file, which is read instead.
    Shadow(Id),
}

/// What came of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pumped {
    /// There was nothing, or there is nothing more.
    Empty,
    /// There may be more.
    More,
    /// The pipeline has ended.
    Ended,
}

/// A file that is followed.
pub struct Follow {
    pub place: Place,
    pub kind: Kind,
    pub opened: Option<Opened>,
    pub lines: Growing,
    /// The first bytes, until there are enough of them, and the last ones before the place.
    head: Vec<u8>,
    foot: Vec<u8>,
    /// Length and time when it was looked at last.
    pub stamp: Option<(u64, Option<SystemTime>)>,
    /// Since when it is rotated, or has last grown after that.
    pub rotated: Option<Instant>,
    /// Whether its path leads to something else now.
    pub departed: bool,
    /// Under which name its rest is read, when that is not its own.
    pub rest: Option<(Id, std::path::PathBuf)>,
    /// In which round it was found last.
    pub seen: u64,
}

impl Follow {
    pub fn new(common: &Common, place: Place, kind: Kind) -> Follow {
        Follow {
            lines: Growing::new(common.longest, place.at),
            place,
            kind,
            opened: None,
            head: Vec::new(),
            foot: Vec::new(),
            stamp: None,
            rotated: None,
            departed: false,
            rest: None,
            seen: 0,
        }
    }

    /// From the beginning, as another file.
    pub fn restart(&mut self, common: &Common) {
        let path = self.place.path.clone();
        self.place = Place::start(&path, self.place.id);
        self.lines = Growing::new(common.longest, 0);
        (self.head, self.foot) = (Vec::new(), Vec::new());
        self.stamp = None;
    }

    /// Learns what stands before the place, of which only hashes are known after a start.
    pub fn learn(&mut self, file: &File) -> io::Result<()> {
        let (length, at) = (self.place.head.length, self.place.at);
        if self.head.len() < length && length < HEAD {
            self.head = vec![0; length];
            file.read_exact_at(&mut self.head, 0)?;
        }
        if self.foot.is_empty() && self.place.foot.length > 0 {
            self.foot = vec![0; self.place.foot.length];
            file.read_exact_at(&mut self.foot, at - self.place.foot.length as u64)?;
        }
        Ok(())
    }

    /// Goes on reading `from`, which stands at [`Growing::end`] when it is packed.
    pub fn pump(&mut self, from: &mut Opened, common: &Common, feed: &Feed) -> io::Result<Pumped> {
        let mut piece = vec![0; PIECE];
        for _ in 0..PIECES {
            if feed.stopped() {
                return Ok(Pumped::Ended);
            }
            let read = match from {
                Opened::Plain(file) => file.read_at(&mut piece, self.lines.end()),
                Opened::Packed(unpacked) => unpacked.read(&mut piece),
            };
            let read = match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                return Ok(Pumped::Empty);
            }
            if !self.take(piece.get(..read), common, feed) {
                return Ok(Pumped::Ended);
            }
        }
        Ok(Pumped::More)
    }

    /// The unfinished last line is one.
    pub fn last(&mut self, common: &Common, feed: &Feed) -> bool {
        self.take(None, common, feed)
    }

    fn take(&mut self, bytes: Option<&[u8]>, common: &Common, feed: &Feed) -> bool {
        let mut lines = std::mem::replace(&mut self.lines, Growing::new(0, 0));
        let mut give = |whole: Whole| self.give(whole, common, feed);
        let alive = match bytes {
            Some(bytes) => lines.take(bytes, &mut give),
            None => lines.last(&mut give),
        };
        self.lines = lines;
        alive
    }

    fn give(&mut self, whole: Whole, common: &Common, feed: &Feed) -> bool {
        let path = || SmolStr::new(self.place.path.to_string_lossy());
        let also = common.path_key.clone().map(|key| (key, path()));
        match whole {
            Whole::Lines(at, bytes) => {
                self.pass(at, at + bytes.len() as u64, &bytes, true);
                let token = Places::fed(&common.places, self.place.clone());
                feed.lines_with(&common.tag, bytes, also, Some(token))
            }
            Whole::TooLong { at, end, start } => {
                self.pass(at, end, &start, false);
                let token = Places::fed(&common.places, self.place.clone());
                let mut record = Record::with_capacity(2);
                let text = String::from_utf8_lossy(&start).into_owned();
                record.set("log", Value::string(text));
                if let Some((key, path)) = also {
                    record.set(key, Value::Text(path));
                }
                let reason = format!(
                    "the line has {} bytes, more than limits.line = {}; only its start is kept",
                    end - at,
                    common.longest
                );
                feed.bad(feed.event(&common.tag, record), reason, Some(token))
            }
        }
    }

    /// Moves the place behind bytes, of which all are there or the first ones.
    fn pass(&mut self, at: u64, end: u64, bytes: &[u8], all: bool) {
        if self.head.len() < HEAD && self.head.len() as u64 == at {
            let more = bytes.get(..bytes.len().min(HEAD - self.head.len()));
            self.head.extend_from_slice(more.unwrap_or_default());
            self.place.head = Mark::of(&self.head);
        }
        if !all {
            self.foot.clear();
        } else if bytes.len() >= FOOT {
            self.foot.clear();
            let last = bytes.get(bytes.len() - FOOT..);
            self.foot.extend_from_slice(last.unwrap_or_default());
        } else {
            self.foot.extend_from_slice(bytes);
            let surplus = self.foot.len().saturating_sub(FOOT);
            self.foot.drain(..surplus);
        }
        self.place.foot = Mark::of(&self.foot);
        self.place.at = end;
    }

    /// Says what is wrong with the file, as a dead letter.
    pub fn complain(&self, reason: &str, common: &Common, feed: &Feed) -> bool {
        let mut record = Record::with_capacity(1);
        let key = common.path_key.clone().unwrap_or("path".into());
        let path = self.place.path.display().to_string();
        record.set(key, Value::string(path.clone()));
        let text = format!("{path} cannot be read: {reason}");
        feed.bad(feed.event(&common.tag, record), text, None)
    }
}

/// Behind the last line end of a file, where `from: end` begins.
pub fn end_of(file: &File, length: u64) -> u64 {
    let from = length.saturating_sub(64 << 10);
    let mut bytes = vec![0; (length - from) as usize];
    if file.read_exact_at(&mut bytes, from).is_err() {
        return length;
    }
    memchr::memrchr(b'\n', &bytes).map_or(length, |end| from + end as u64 + 1)
}

/// A place at the end of a file, with what tells the file.
pub fn place_at_end(path: &Path, id: Id, file: &File, length: u64) -> io::Result<Place> {
    let at = end_of(file, length);
    let mark = |from: u64, length: u64| -> io::Result<Mark> {
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, from)?;
        Ok(Mark::of(&bytes))
    };
    let (head, foot) = (at.min(HEAD as u64), at.min(FOOT as u64));
    Ok(Place {
        at,
        head: mark(0, head)?,
        foot: mark(at - foot, foot)?,
        ..Place::start(path, id)
    })
}
