//! Events that wait: by period and by a part of the entities, in memory, and beyond a bound in sorted runs on disk.
//!
//! Within a part they stand in groups, one for each chunk of the input, so that the parts of all threads
//! and runs are put together in the order of the input again.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Into so many parts the entities of a period are split. More make states smaller, and runs coarser.
pub const SHARDS: usize = 16;

/// The number of a chunk and the length of what follows.
const HEAD: usize = 12;

/// A group that has grown beyond this is followed by another one of the same chunk.
const LARGE: usize = 1 << 30;

/// So much of a run is read at a time.
const PIECE: usize = 1 << 16;

/// Events of a part that wait in memory.
#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    /// The chunk of the last group.
    chunk: u64,
    /// Where that begins.
    start: usize,
}

/// A stretch of a run.
struct Stretch {
    period: i64,
    shard: usize,
    at: u64,
    length: u64,
}

/// What one thread holds.
pub struct Held {
    periods: HashMap<i64, Box<[Part; SHARDS]>, ahash::RandomState>,
    /// The bytes in memory, and how many there may be.
    used: usize,
    limit: usize,
    folder: PathBuf,
    file: Option<File>,
    end: u64,
    stretches: Vec<Stretch>,
}

impl Held {
    /// Nothing yet; beyond `limit` bytes files are made in `folder`.
    pub fn new(limit: usize, folder: &Path) -> Held {
        Held {
            periods: HashMap::default(),
            used: 0,
            limit,
            folder: folder.to_path_buf(),
            file: None,
            end: 0,
            stretches: Vec::new(),
        }
    }

    /// Appends an event, which `write` turns into bytes, to a part. Chunks come in the order of their numbers.
    #[inline]
    pub fn event(
        &mut self,
        (period, shard): (i64, usize),
        chunk: u64,
        write: impl FnOnce(&mut Vec<u8>) -> Outcome<()>,
    ) -> Outcome<()> {
        let parts = self.periods.entry(period).or_insert_with(|| {
            self.used += size_of::<[Part; SHARDS]>() + 64;
            Box::default()
        });
        let Some(part) = parts.get_mut(shard % SHARDS) else {
            return Ok(());
        };
        let room = part.bytes.capacity();
        if part.bytes.is_empty() || part.chunk != chunk || part.bytes.len() - part.start > LARGE {
            part.chunk = chunk;
            part.start = part.bytes.len();
            part.bytes.extend_from_slice(&chunk.to_le_bytes());
            part.bytes.extend_from_slice(&[0; HEAD - 8]);
        }
        let before = part.bytes.len();
        let written = write(&mut part.bytes);
        if written.is_err() {
            part.bytes.truncate(before);
        }
        let length = (part.bytes.len() - part.start - HEAD) as u32;
        let place = part.start + HEAD - 4..part.start + HEAD;
        if let Some(place) = part.bytes.get_mut(place) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        self.used += part.bytes.capacity() - room;
        written
    }

    /// Writes a run when there is too much in memory. Errors: E0404.
    pub fn bound(&mut self) -> Outcome<()> {
        if self.used <= self.limit {
            return Ok(());
        }
        self.spill().map_err(|error| {
            let message = format!(
                "a temporary file in {} cannot be written: {error}",
                self.folder.display()
            );
            Diagnostic::new(Code::CannotWrite, message)
                .help("TMPDIR names another folder, and --memory keeps more in memory")
        })
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut periods: Vec<_> = std::mem::take(&mut self.periods).into_iter().collect();
        periods.sort_unstable_by_key(|(period, _)| *period);
        self.used = 0;
        let file = match self.file.take() {
            Some(file) => file,
            // It has no name, so that it vanishes with the program however that ends; nobody else can read it.
            None => tempfile::tempfile_in(&self.folder)?,
        };
        let mut out = BufWriter::with_capacity(1 << 18, &file);
        for (period, parts) in periods {
            for (shard, part) in parts.iter().enumerate() {
                if part.bytes.is_empty() {
                    continue;
                }
                out.write_all(&part.bytes)?;
                let length = part.bytes.len() as u64;
                self.stretches.push(Stretch {
                    period,
                    shard,
                    at: self.end,
                    length,
                });
                self.end += length;
            }
        }
        out.flush()?;
        drop(out);
        self.file = Some(file);
        Ok(())
    }
}

/// Where events of a part lie.
enum Source {
    Memory(Vec<u8>),
    /// The number of a file, the place in it, and the length.
    File(usize, u64, u64),
}

/// A part of a period: all events of some of its entities.
pub struct Task {
    /// The period.
    pub period: i64,
    sources: Vec<Source>,
}

/// All parts by period, with the files they need.
pub fn tasks(held: Vec<Held>) -> (Vec<File>, Vec<Task>) {
    let mut files = Vec::new();
    let mut parts: BTreeMap<(i64, usize), Vec<Source>> = BTreeMap::new();
    for mut one in held {
        if let Some(file) = one.file.take() {
            for Stretch {
                period,
                shard,
                at,
                length,
            } in std::mem::take(&mut one.stretches)
            {
                let source = Source::File(files.len(), at, length);
                parts.entry((period, shard)).or_default().push(source);
            }
            files.push(file);
        }
        // Behind the runs of the same thread, for it is later.
        for (period, shards) in one.periods {
            for (shard, part) in (*shards).into_iter().enumerate() {
                if !part.bytes.is_empty() {
                    let source = Source::Memory(part.bytes);
                    parts.entry((period, shard)).or_default().push(source);
                }
            }
        }
    }
    let task = |((period, _), sources)| Task { period, sources };
    (files, parts.into_iter().map(task).collect())
}

impl Task {
    /// Calls `take` with the chunk and the bytes of every group, in the order of the input.
    ///
    /// Errors: E0403 when a temporary file cannot be read, those of `take`.
    pub fn groups(
        self,
        files: &[File],
        take: &mut dyn FnMut(u64, &[u8]) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut cursors = Vec::with_capacity(self.sources.len());
        let mut heads = BinaryHeap::with_capacity(self.sources.len());
        for source in self.sources {
            let mut cursor = Cursor::new(source, files);
            if let Some(chunk) = cursor.head()? {
                heads.push(Reverse((chunk, cursors.len())));
                cursors.push(cursor);
            }
        }
        while let Some(Reverse((chunk, index))) = heads.pop() {
            let Some(cursor) = cursors.get_mut(index) else {
                continue;
            };
            take(chunk, cursor.group())?;
            match cursor.next()? {
                Some(chunk) => heads.push(Reverse((chunk, index))),
                // What was read is not needed any more.
                None => cursor.buffer = Vec::new(),
            }
        }
        Ok(())
    }
}

/// A place in a source.
struct Cursor<'f> {
    buffer: Vec<u8>,
    /// Where the group begins behind its head, and its length.
    start: usize,
    length: usize,
    /// What has not been read yet: from where, and how much.
    file: Option<&'f File>,
    at: u64,
    left: u64,
}

impl Cursor<'_> {
    fn new(source: Source, files: &[File]) -> Cursor<'_> {
        let (buffer, file, at, left) = match source {
            Source::Memory(bytes) => (bytes, None, 0, 0),
            Source::File(number, at, length) => (Vec::new(), files.get(number), at, length),
        };
        Cursor {
            buffer,
            start: 0,
            length: 0,
            file,
            at,
            left,
        }
    }

    fn group(&self) -> &[u8] {
        let group = self.start..self.start + self.length;
        self.buffer.get(group).unwrap_or_default()
    }

    fn next(&mut self) -> Outcome<Option<u64>> {
        self.start += self.length;
        self.head()
    }

    /// The chunk of the group that begins here; `None` at the end.
    fn head(&mut self) -> Outcome<Option<u64>> {
        if self.start >= self.buffer.len() && self.left == 0 {
            return Ok(None);
        }
        self.have(HEAD)?;
        let head = self.buffer.get(self.start..self.start + HEAD);
        let parts = head.and_then(|head| head.split_first_chunk::<8>());
        let Some((chunk, length)) = parts else {
            return Err(cut_short());
        };
        let Ok(length) = <[u8; 4]>::try_from(length) else {
            return Err(cut_short());
        };
        let chunk = u64::from_le_bytes(*chunk);
        self.start += HEAD;
        self.length = u32::from_le_bytes(length) as usize;
        let length = self.length;
        self.have(length)?;
        Ok(Some(chunk))
    }

    /// Reads until so many bytes are at hand. Errors: E0403.
    fn have(&mut self, wanted: usize) -> Outcome<()> {
        if self.buffer.len() - self.start >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let missing = wanted.saturating_sub(self.buffer.len());
        let read = missing
            .max(PIECE)
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let (Some(file), true) = (self.file, read >= missing) else {
            return Err(cut_short());
        };
        let before = self.buffer.len();
        self.buffer.resize(before + read, 0);
        let room = self.buffer.get_mut(before..).unwrap_or_default();
        file.read_exact_at(room, self.at)
            .map_err(|error| unreadable(&error))?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(())
    }
}

#[cold]
fn unreadable(error: &io::Error) -> Fault {
    let message = format!("a temporary file cannot be read: {error}");
    Diagnostic::new(Code::CannotRead, message)
}

/// What was written is not there any more.
#[cold]
pub fn cut_short() -> Fault {
    unreadable(&io::ErrorKind::UnexpectedEof.into())
}
