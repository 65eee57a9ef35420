//! Files that grow as a source of rows: all that match, through rotation, and those that come later.
//!
//! A file is known by its device and inode, and a copy of one by how it begins. What is there at the start is read the
//! file with the earliest time first, so that rows of several files come about in order.

mod file;

use super::growing::Growing;
use super::open::{Format, Input, cannot_read, inputs};
use super::place::{HEAD, Id, Trace, id};
use super::rotated::{Opened, find, is_packed, related};
use super::rows::Maker;
use super::source::{Rows, Take};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Context;
use ahash::AHashSet;
use crossbeam_channel::bounded;
use file::{Followed, From, PIECE, Piece, filled};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many pieces of a file are read before others have their turn.
const PIECES: usize = 4;

/// How often files are looked at for more.
const LOOK: Duration = Duration::from_millis(50);

/// How often it is told that nothing comes.
const TELL: Duration = Duration::from_millis(200);

/// How often there is a look for other files.
const SCAN: Duration = Duration::from_secs(1);

/// A file that was renamed is read until nothing has come for so long: who writes may go on for a moment.
const QUIET: Duration = Duration::from_secs(1);

/// A file to which nothing was added for so long is closed until it has changed.
const IDLE: Duration = Duration::from_secs(10);

/// So many files are followed at most.
const FILES: usize = 10_000;

/// Of so many files that are gone it is kept how they began.
const PAST: usize = 100;

/// Reads rows of files for ever. Errors: E0403 where nothing matches and for what cannot be read, E0408, E0306, E0307, and those
/// of `take`.
pub fn follow(
    patterns: &[PathBuf],
    format: Option<Format>,
    maker: &mut Maker<'_>,
    context: &Context,
    take: Take<'_>,
) -> Outcome<()> {
    let mut all = All {
        patterns,
        format,
        longest: context.limits.line,
        files: Vec::new(),
        copies: AHashSet::new(),
        past: VecDeque::new(),
        barred: AHashSet::new(),
        problems: Vec::new(),
        stop: Arc::default(),
        cancel: context.cancel.clone(),
    };
    all.scan(true)?;
    let mut scanned = Instant::now();
    let mut told = Instant::now();
    loop {
        all.go_on(context)?;
        if scanned.elapsed() >= SCAN {
            all.scan(false)?;
            scanned = Instant::now();
        }
        let Some(busy) = all.round(maker, take)? else {
            return Ok(());
        };
        if all.files.is_empty() && all.lasting().is_none() {
            return Ok(());
        }
        if busy {
            continue;
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            let bad = std::mem::take(&mut all.problems);
            let rows = Rows {
                bad,
                ..Rows::default()
            };
            if !take(rows)? {
                return Ok(());
            }
        }
        std::thread::sleep(LOOK);
    }
}

struct All<'p> {
    patterns: &'p [PathBuf],
    format: Option<Format>,
    longest: usize,
    files: Vec<Followed>,
    /// What is not read: copies of what was, and packed files that were read.
    copies: AHashSet<Id>,
    /// How files began that are gone, with their paths.
    past: VecDeque<(PathBuf, Vec<u8>)>,
    /// Files that cannot be read, and what has not been said of them.
    barred: AHashSet<PathBuf>,
    problems: Vec<String>,
    stop: Arc<AtomicBool>,
    cancel: Arc<AtomicBool>,
}

impl Drop for All<'_> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl All<'_> {
    fn go_on(&self, context: &Context) -> Outcome<()> {
        context.check_cancelled()?;
        match context.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Diagnostic::new(
                Code::Timeout,
                "the time is up, and the files are followed for ever",
            )),
            _ => Ok(()),
        }
    }

    /// A path or pattern by which files may come, in contrast to standard input.
    fn lasting(&self) -> Option<&PathBuf> {
        let mut patterns = self.patterns.iter();
        patterns.find(|path| path.as_os_str() != "-" && !is_stream(path))
    }

    /// Looks for files that were not there before, and for those that are gone.
    fn scan(&mut self, first: bool) -> Outcome<()> {
        let mut found = Vec::new();
        for pattern in self.patterns {
            match inputs(std::slice::from_ref(pattern)) {
                Ok(more) => found.extend(more),
                Err(fault) if first => return Err(fault),
                // For a moment there may be no file.
                Err(_) => {}
            }
        }
        if self.patterns.is_empty() {
            found.push(Input::Standard);
        }
        let mut seen = AHashSet::new();
        for input in found {
            let path = match &input {
                Input::File(path) if !input.is_live() => path.clone(),
                _ if first => {
                    let piped = self.piped(&input)?;
                    self.files.push(piped);
                    continue;
                }
                _ => continue,
            };
            let Ok(there) = std::fs::metadata(&path) else {
                continue;
            };
            let own = id(&there);
            if !seen.insert(own) || self.copies.contains(&own) {
                continue;
            }
            match self.files.iter_mut().find(|file| file.id == Some(own)) {
                Some(file) => {
                    file.path = path;
                    file.left = false;
                    if matches!(file.from, From::Closed) && there.len() != file.trace.at() {
                        file.from = From::Plain(opened(&file.path)?);
                    }
                }
                None => match self.add(&path, own) {
                    Err(fault) if !first => {
                        if self.barred.insert(path) {
                            self.problems.push(fault.message.clone());
                        }
                    }
                    added => added?,
                },
            }
        }
        self.copies.retain(|copy| seen.contains(copy));
        for file in &mut self.files {
            if file.id.is_some_and(|own| !seen.contains(&own)) && !file.left {
                file.left = true;
                // What was written just before it was renamed.
                if let (From::Closed, Some(own)) = (&file.from, file.id) {
                    let rest = find(&file.trace.place(&file.path, own), &|id| id != own);
                    if let Some(Opened::Plain(rest)) = rest.map(|rest| rest.opened) {
                        file.from = From::Plain(rest);
                    }
                }
            }
        }
        Ok(())
    }

    /// Follows a file, too, unless it is a copy of one that is followed.
    fn add(&mut self, path: &Path, own: Id) -> Outcome<()> {
        let file = match File::open(path) {
            // It is gone again.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            _ => opened(path)?,
        };
        let failed = |error: io::Error| cannot_read(&path.display().to_string(), &error);
        let mut head = vec![0; HEAD];
        let mut from = match is_packed(&file) {
            true => {
                let input = Input::File(path.to_owned());
                From::Packed(input.open(Arc::default(), Vec::new())?)
            }
            false => From::Plain(file),
        };
        let length = match &mut from {
            From::Packed(unpacked) => match filled(unpacked, &mut head) {
                Ok(length) => length,
                // It is being compressed.
                Err(_) if self.files.iter().any(|file| related(path, &file.path)) => return Ok(()),
                Err(error) => return Err(failed(error)),
            },
            From::Plain(file) => file.read_at(&mut head, 0).map_err(failed)?,
            _ => 0,
        };
        head.truncate(length);
        match self.copied(path, &head) {
            Some(true) => {
                self.copies.insert(own);
                return Ok(());
            }
            Some(false) => return Ok(()),
            None => {}
        }
        if self.files.len() >= FILES {
            let message = format!("more than {FILES} files match, and so many cannot be followed");
            return Err(Diagnostic::new(Code::CannotRead, message));
        }
        if let From::Packed(rest) = from {
            from = From::Packed(Box::new(io::Cursor::new(head.clone()).chain(rest)));
        }
        let mut new = self.followed(Input::File(path.to_owned()), Some(own), from);
        new.head = head;
        self.files.push(new);
        Ok(())
    }

    /// Whether a file that begins like this is a copy of one that is known; `Some(false)` when that cannot be told yet.
    fn copied(&self, path: &Path, head: &[u8]) -> Option<bool> {
        let known = self.files.iter().map(|file| (&file.path, &file.head));
        let known = known.chain(self.past.iter().map(|(path, head)| (path, head)));
        let mut undecided = None;
        for (_, begin) in known.filter(|(other, begin)| !begin.is_empty() && related(path, other)) {
            if begin == head {
                return Some(true);
            }
            // Of a copy that is being made the rest will come.
            if begin.starts_with(head) {
                undecided = Some(false);
            }
        }
        undecided
    }

    fn followed(&self, input: Input, id: Option<Id>, from: From) -> Followed {
        Followed {
            format: self.format.unwrap_or_else(|| input.format()),
            path: match input {
                Input::File(path) => path,
                Input::Standard => PathBuf::from("standard input"),
            },
            id,
            from,
            lines: Growing::new(self.longest, 0),
            trace: Trace::default(),
            head: Vec::new(),
            header: None,
            pending: Vec::new(),
            fresh: true,
            number: 0,
            latest: None,
            caught: false,
            quiet: Instant::now(),
            left: false,
            ended: false,
        }
    }

    /// A thread waits for what may arrive slowly.
    fn piped(&self, input: &Input) -> Outcome<Followed> {
        let stops = vec![self.stop.clone(), self.cancel.clone()];
        let failed = |error: io::Error| cannot_read(&input.name(), &error);
        let (sender, pieces) = bounded(2);
        let own = input.clone();
        let read = move || {
            let mut reader = match own.open(Arc::default(), stops) {
                Ok(reader) => reader,
                Err(fault) => {
                    let _ = sender.send(Err(io::Error::other(fault.message)));
                    return;
                }
            };
            loop {
                let mut piece = vec![0; PIECE];
                let read = reader.read(&mut piece);
                let ends = !matches!(read, Ok(1..));
                let piece = read.map(|read| {
                    piece.truncate(read);
                    piece
                });
                if sender.send(piece).is_err() || ends {
                    return;
                }
            }
        };
        let builder = std::thread::Builder::new().name("follow".into());
        builder.spawn(read).map_err(failed)?;
        Ok(self.followed(input.clone(), None, From::Piped(pieces)))
    }

    /// Reads some of what is there: while not everything was read once, of the file with the earliest time. Whether there was
    /// something; nothing when no more is wanted.
    fn round(&mut self, maker: &mut Maker<'_>, take: Take<'_>) -> Outcome<Option<bool>> {
        let behind = |files: &[Followed]| {
            let waiting = files.iter().enumerate().filter(|(_, file)| !file.caught);
            waiting
                .map(|(number, file)| (file.latest.unwrap_or(i64::MIN), number))
                .min()
        };
        if let Some((time, number)) = behind(&self.files) {
            return match self.read(number, Some(time), maker, take)? {
                Some(_) => Ok(Some(true)),
                None => Ok(None),
            };
        }
        let mut busy = false;
        for number in 0..self.files.len() {
            match self.read(number, None, maker, take)? {
                Some(more) => busy |= more,
                None => return Ok(None),
            }
        }
        for file in &mut self.files {
            let rests = file.quiet.elapsed();
            if matches!(file.from, From::Plain(_)) && rests >= IDLE && !file.lines.waits() {
                file.from = From::Closed;
            }
        }
        // What has ended is not followed any more.
        for file in self.files.extract_if(.., |file| file.ended) {
            self.past.push_back((file.path, file.head));
            if let (From::Packed(_), Some(own)) = (&file.from, file.id) {
                self.copies.insert(own);
            }
        }
        while self.past.len() > PAST {
            self.past.pop_front();
        }
        Ok(Some(busy))
    }

    /// Reads some pieces of a file; whether there was something, nothing when no more is wanted.
    fn read(
        &mut self,
        number: usize,
        behind: Option<i64>,
        maker: &mut Maker<'_>,
        take: Take<'_>,
    ) -> Outcome<Option<bool>> {
        let longest = self.longest;
        let copies = &mut self.copies;
        let Some(file) = self.files.get_mut(number).filter(|file| !file.ended) else {
            return Ok(Some(false));
        };
        let mut some = false;
        for _ in 0..PIECES {
            let name = file.path.display().to_string();
            let read = file.piece().map_err(|error| cannot_read(&name, &error))?;
            match read {
                Piece::Bytes(bytes) => {
                    some = true;
                    file.quiet = Instant::now();
                    if !file.take(&bytes, behind, maker, take)? {
                        return Ok(None);
                    }
                }
                Piece::Nothing => {
                    file.caught = true;
                    if file.left && file.quiet.elapsed() >= QUIET && !file.end(maker, take)? {
                        return Ok(None);
                    }
                    break;
                }
                Piece::End => {
                    file.caught = true;
                    if !file.end(maker, take)? {
                        return Ok(None);
                    }
                    break;
                }
                Piece::Emptied => {
                    some = true;
                    let place = file.id.map(|own| file.trace.place(&file.path, own));
                    let rest = place.and_then(|place| find(&place, &|id| id == place.id));
                    if let Some(rest) = rest {
                        copies.insert(rest.id);
                        if !file.rest(rest.opened, maker, take)? {
                            return Ok(None);
                        }
                    }
                    if !file.end(maker, take)? {
                        return Ok(None);
                    }
                    self.past
                        .push_back((file.path.clone(), std::mem::take(&mut file.head)));
                    file.restart(longest);
                }
            }
        }
        Ok(Some(some))
    }
}

fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| !there.is_file())
}

fn opened(path: &Path) -> Outcome<File> {
    File::open(path).map_err(|error| cannot_read(&path.display().to_string(), &error))
}
