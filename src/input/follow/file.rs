//! One file that is followed: its bytes as they come, its lines, its header.

use super::super::chunks::{BOM, Chunk};
use super::super::growing::{Growing, Whole};
use super::super::open::{Format, cannot_read};
use super::super::place::{HEAD, Id, Trace};
use super::super::rotated::Opened;
use super::super::rows::Maker;
use super::super::source::Take;
use super::super::table::Header;
use crate::diagnostic::Outcome;
use crossbeam_channel::{Receiver, TryRecvError};
use memchr::memchr_iter;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// How much is read at a time.
pub const PIECE: usize = 256 << 10;

/// Where the bytes of a file come from.
pub enum From {
    Plain(File),
    /// Nothing was added for some time.
    Closed,
    /// Unpacked on the way, or read once: what comes first, and the rest.
    Packed(Box<dyn Read + Send>),
    /// What has no place: standard input, pipes.
    Piped(Receiver<io::Result<Vec<u8>>>),
}

/// A file that is followed.
pub struct Followed {
    pub path: PathBuf,
    /// None for standard input.
    pub id: Option<Id>,
    pub from: From,
    pub lines: Growing,
    pub trace: Trace,
    /// How it begins.
    pub head: Vec<u8>,
    pub format: Format,
    pub header: Option<Arc<Header>>,
    /// The lines of a header that goes on.
    pub pending: Vec<u8>,
    /// Whether nothing of it has been read as rows.
    pub fresh: bool,
    pub number: u64,
    /// The time of its latest row.
    pub latest: Option<i64>,
    /// Whether all that was there has been read.
    pub caught: bool,
    /// Since when nothing was added.
    pub quiet: Instant,
    /// Whether its path leads to something else.
    pub left: bool,
    pub ended: bool,
}

/// Reads until the buffer is full or there is no more.
pub fn filled(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// What a look at a file has found.
pub enum Piece {
    Bytes(Vec<u8>),
    /// For the moment.
    Nothing,
    /// For ever.
    End,
    /// It was emptied, or something else is in it.
    Emptied,
}

impl Followed {
    pub fn piece(&mut self) -> io::Result<Piece> {
        match &mut self.from {
            From::Closed => Ok(Piece::Nothing),
            From::Plain(file) => {
                let at = self.lines.end();
                let length = file.metadata()?.len();
                if length < at || length > at && at > 0 && !self.trace.fits(file) {
                    return Ok(Piece::Emptied);
                }
                if length == at {
                    return Ok(Piece::Nothing);
                }
                let mut piece = vec![0; PIECE.min(usize::try_from(length - at).unwrap_or(PIECE))];
                loop {
                    match file.read_at(&mut piece, at) {
                        Ok(0) => return Ok(Piece::Nothing),
                        Ok(read) => {
                            piece.truncate(read);
                            return Ok(Piece::Bytes(piece));
                        }
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            From::Packed(unpacked) => {
                let mut piece = vec![0; PIECE];
                let read = filled(unpacked, &mut piece)?;
                piece.truncate(read);
                Ok(match read {
                    0 => Piece::End,
                    _ => Piece::Bytes(piece),
                })
            }
            From::Piped(pieces) => match pieces.try_recv() {
                Ok(Ok(piece)) if piece.is_empty() => Ok(Piece::End),
                Ok(piece) => piece.map(Piece::Bytes),
                Err(TryRecvError::Empty) => Ok(Piece::Nothing),
                Err(TryRecvError::Disconnected) => Ok(Piece::End),
            },
        }
    }

    /// From the beginning, as another file.
    pub fn restart(&mut self, longest: usize) {
        self.lines = Growing::new(longest, 0);
        self.trace = Trace::default();
        self.header = None;
        self.pending.clear();
        (self.fresh, self.ended, self.number) = (true, false, 0);
    }

    /// Takes what was read; `false` when nothing more is wanted.
    pub fn take(
        &mut self,
        bytes: &[u8],
        behind: Option<i64>,
        maker: &mut Maker<'_>,
        take: Take<'_>,
    ) -> Outcome<bool> {
        if self.head.len() < HEAD && self.head.len() as u64 == self.trace.at() {
            let more = bytes.get(..bytes.len().min(HEAD - self.head.len()));
            self.head.extend_from_slice(more.unwrap_or_default());
        }
        self.trace.pass(bytes);
        let mut whole = Vec::new();
        self.lines.take(bytes, &mut |lines| {
            whole.push(lines);
            true
        });
        self.give(whole, behind, maker, take)
    }

    /// Takes what another file has of this one.
    pub fn rest(
        &mut self,
        mut opened: Opened,
        maker: &mut Maker<'_>,
        take: Take<'_>,
    ) -> Outcome<bool> {
        let name = self.path.display().to_string();
        let failed = |error: io::Error| cannot_read(&name, &error);
        let mut piece = vec![0; PIECE];
        loop {
            let read = match &mut opened {
                Opened::Plain(file) => file.read_at(&mut piece, self.lines.end()),
                Opened::Packed(unpacked) => filled(unpacked, &mut piece),
            };
            let read = read.map_err(failed)?;
            if read == 0 {
                return Ok(true);
            }
            let bytes = piece.get(..read).unwrap_or_default();
            if !self.take(bytes, None, maker, take)? {
                return Ok(false);
            }
        }
    }

    /// What stands behind the last line end is a line when nothing can follow it.
    pub fn end(&mut self, maker: &mut Maker<'_>, take: Take<'_>) -> Outcome<bool> {
        self.ended = true;
        let mut whole = Vec::new();
        self.lines.last(&mut |lines| {
            whole.push(lines);
            true
        });
        self.give(whole, None, maker, take)
    }

    fn give(
        &mut self,
        whole: Vec<Whole>,
        behind: Option<i64>,
        maker: &mut Maker<'_>,
        take: Take<'_>,
    ) -> Outcome<bool> {
        for whole in whole {
            let (bytes, too_long) = match whole {
                Whole::Lines(_, bytes) => (bytes, false),
                Whole::TooLong { start, .. } => (start, true),
            };
            let ends = memchr_iter(b'\n', &bytes).count() as u64;
            let lines = match too_long {
                true => 1,
                false => ends + u64::from(bytes.last().is_some_and(|last| *last != b'\n')),
            };
            let before = self.number;
            self.number += lines;
            let Some((bytes, before)) = self.behind_header(bytes, before, too_long)? else {
                continue;
            };
            let chunk = Chunk {
                number: 0,
                input: 0,
                bytes,
                header: self.header.clone(),
                lines_before: before,
                lines,
                too_long,
                goes_on: false,
                live: true,
                header_text: None,
            };
            maker.latest = self.latest;
            let wanted = maker.rows(&chunk, &self.path.display().to_string(), behind, take)?;
            self.latest = maker.latest;
            if !wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What stands behind the byte-order mark and the header, with the number of lines before it.
    fn behind_header(
        &mut self,
        mut bytes: Vec<u8>,
        before: u64,
        too_long: bool,
    ) -> Outcome<Option<(Vec<u8>, u64)>> {
        if std::mem::take(&mut self.fresh) {
            if bytes.starts_with(BOM) {
                bytes.drain(..BOM.len());
            }
            if bytes.starts_with(b"#separator") {
                self.format = Format::Zeek;
            }
        }
        if self.format == Format::JsonLines || self.header.is_some() || too_long {
            return Ok(Some((bytes, before)));
        }
        let waited = memchr_iter(b'\n', &self.pending).count() as u64;
        let mut all = std::mem::take(&mut self.pending);
        all.append(&mut bytes);
        let goes_on = |line: &[u8]| line.starts_with(b"#");
        if self.format == Format::Zeek
            && all.len() <= HEAD * 64
            && all.split_inclusive(|b| *b == b'\n').all(goes_on)
        {
            self.pending = all;
            return Ok(None);
        }
        let (header, length) = Header::read(self.format, &all, &self.path.display().to_string())?;
        self.header = Some(Arc::new(header));
        let rest = all.split_off(length);
        let taken = memchr_iter(b'\n', &all).count() as u64;
        Ok(Some((rest, (before + taken).saturating_sub(waited))))
    }
}
