//! Cuts inputs into chunks of whole lines, with bounded memory.

use super::open::{Format, Input, cannot_read};
use super::table::{Header, Quotes, record_length};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use memchr::{memchr, memchr_iter, memrchr};
use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// How many bytes a chunk has at most, but for a longer line.
const CHUNK: usize = 1 << 20;

/// The byte-order mark.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whole lines of one input.
pub struct Chunk {
    /// Its number, from 0.
    pub number: u64,
    /// Which input it is from.
    pub input: usize,
    /// The lines.
    pub bytes: Vec<u8>,
    /// The names of columns, when the input is a table.
    pub header: Option<Arc<Header>>,
    /// How many lines of the input stand before it.
    pub lines_before: u64,
    /// How many lines it has.
    pub lines: u64,
    /// Whether it stands for one line that is too long to be held; the bytes are gone, or a part of it.
    pub too_long: bool,
    /// Whether the next chunk is the next part of the same line.
    pub goes_on: bool,
    /// Whether nothing more was there at once.
    pub live: bool,
    /// Whether this is the first chunk of a table, whose header lines the output may want.
    pub header_text: Option<Vec<u8>>,
}

impl Chunk {
    /// What to say of a table that begins here; see [`Header::note`].
    pub fn note(&self) -> Option<String> {
        self.header_text.as_ref()?;
        self.header.as_ref()?.note()
    }
}

/// Reads chunk after chunk of all inputs.
pub struct ChunkReader {
    inputs: VecDeque<(usize, Input)>,
    format: Option<Format>,
    current: Option<Open>,
    longest: usize,
    in_parts: bool,
    number: u64,
    /// Bytes read so far, before unpacking.
    pub taken: Arc<AtomicU64>,
    /// Set when nothing more is wanted: what arrives slowly is not waited for then.
    pub stop: Arc<AtomicBool>,
    cancel: Arc<AtomicBool>,
}

struct Open {
    input: usize,
    name: String,
    live: bool,
    reader: Box<dyn Read + Send>,
    /// The unfinished line at the end of the last chunk.
    carry: Vec<u8>,
    lines: u64,
    format: Format,
    header: Option<Arc<Header>>,
    at_start: bool,
    /// Whether a part of a line has been given, and not its end.
    in_line: bool,
    /// Why nothing more can be read, once what was read before has been passed on.
    failed: Option<Fault>,
}

impl ChunkReader {
    /// A reader of `inputs`, in `format` unless their names tell it; lines longer than `longest` bytes are left out.
    pub fn new(inputs: &[Input], format: Option<Format>, longest: usize) -> ChunkReader {
        ChunkReader {
            inputs: inputs.iter().cloned().enumerate().collect(),
            format,
            current: None,
            longest,
            in_parts: false,
            number: 0,
            taken: Arc::default(),
            stop: Arc::default(),
            cancel: Arc::default(),
        }
    }

    /// The same reader, which does not wait for anything once `cancel` is set.
    pub fn cancelled_by(mut self, cancel: &Arc<AtomicBool>) -> ChunkReader {
        self.cancel = cancel.clone();
        self
    }

    /// The same reader, which gives lines that are too long part by part. They end with the line; quotation marks of
    /// tables do not count.
    pub fn in_parts(mut self) -> ChunkReader {
        self.in_parts = true;
        self
    }

    /// The next chunk, in `buffer`'s memory; `None` at the end of the last input.
    ///
    /// Errors: E0403, E0407, E0408; the rest of that input is not read then.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> Outcome<Option<Chunk>> {
        loop {
            let Some(open) = &mut self.current else {
                let Some((index, input)) = self.inputs.pop_front() else {
                    return Ok(None);
                };
                self.current = Some(Open {
                    input: index,
                    name: input.name(),
                    live: input.is_live(),
                    reader: input.open(
                        self.taken.clone(),
                        vec![self.stop.clone(), self.cancel.clone()],
                    )?,
                    carry: Vec::new(),
                    lines: 0,
                    format: self.format.unwrap_or_else(|| input.format()),
                    header: None,
                    at_start: true,
                    in_line: false,
                    failed: None,
                });
                continue;
            };
            buffer.clear();
            let too_long = match open.fill(&mut buffer, self.longest, self.in_parts) {
                Ok(Filled::End) => {
                    self.current = None;
                    continue;
                }
                Ok(Filled::Lines) => None,
                Ok(Filled::TooLong { lines }) => Some(lines),
                Err(fault) => {
                    self.current = None;
                    return Err(fault);
                }
            };
            let started = match too_long {
                None => open.start(&mut buffer),
                Some(_) => open.start_without_header(),
            };
            let header_text = match started {
                Ok(text) => text,
                Err(fault) => {
                    self.current = None;
                    return Err(fault);
                }
            };
            let lines = too_long.unwrap_or_else(|| open.count(&buffer));
            let header_lines = header_text
                .as_ref()
                .map_or(0, |t| memchr_iter(b'\n', t).count() as u64);
            let chunk = Chunk {
                number: self.number,
                input: open.input,
                bytes: buffer,
                header: open.header.clone(),
                lines_before: open.lines + header_lines,
                lines,
                too_long: too_long.is_some(),
                goes_on: open.in_line,
                live: open.live,
                header_text,
            };
            open.lines += header_lines + lines;
            self.number += 1;
            return Ok(Some(chunk));
        }
    }
}

enum Filled {
    Lines,
    /// A line that is too long, a record of so many lines, or a part of a line, of which the last one counts.
    TooLong {
        lines: u64,
    },
    End,
}

impl Open {
    /// Fills `buffer` with whole lines.
    fn fill(
        &mut self,
        buffer: &mut Vec<u8>,
        longest: usize,
        in_parts: bool,
    ) -> Result<Filled, Fault> {
        if let Some(fault) = self.failed.take() {
            return Err(fault);
        }
        if self.in_line {
            return Ok(self.next_part(buffer));
        }
        buffer.append(&mut self.carry);
        let mut quotes = Quotes::default();
        let mut looked = 0;
        // The end of the last whole line.
        let mut whole = None;
        loop {
            let read = self.read(buffer);
            let last = match self.format {
                Format::Csv => quotes.last_record_end(buffer, looked),
                _ => memrchr(b'\n', buffer.get(looked..).unwrap_or_default()).map(|at| looked + at),
            };
            whole = last.map(|at| at + 1).or(whole);
            looked = buffer.len();
            match (read, whole) {
                // The last line may lack its line end.
                (Ok(0), _) if buffer.is_empty() => return Ok(Filled::End),
                (Ok(0), _) => return Ok(Filled::Lines),
                (Ok(_), Some(end)) if self.is_in_header(&buffer[..end], longest) => {}
                (Ok(_), Some(end)) => {
                    self.carry.extend_from_slice(&buffer[end..]);
                    buffer.truncate(end);
                    return Ok(Filled::Lines);
                }
                (Ok(_), None) if buffer.len() > longest && in_parts => {
                    self.in_line = true;
                    return Ok(Filled::TooLong { lines: 0 });
                }
                (Ok(_), None) if buffer.len() > longest => return Ok(self.skip_line(buffer)),
                (Ok(_), None) => {}
                // What was read before the damage is good.
                (Err(fault), Some(end)) => {
                    buffer.truncate(end);
                    self.failed = Some(fault);
                    return Ok(Filled::Lines);
                }
                (Err(fault), None) => return Err(fault),
            }
        }
    }

    /// Reads more to the end of `buffer`; 0 bytes at the end of the input.
    fn read(&mut self, buffer: &mut Vec<u8>) -> Result<usize, Fault> {
        let start = buffer.len();
        let want = if self.live {
            1 << 16
        } else {
            CHUNK.saturating_sub(start).max(1 << 16)
        };
        let read = if self.live {
            buffer.resize(start + want, 0);
            let read = retry(|| self.reader.read(&mut buffer[start..]));
            buffer.truncate(start + *read.as_ref().unwrap_or(&0));
            read
        } else {
            (&mut self.reader).take(want as u64).read_to_end(buffer)
        };
        read.map_err(|error| cannot_read(&self.name, &error))
    }

    /// Reads more of a line that is given part by part.
    fn next_part(&mut self, buffer: &mut Vec<u8>) -> Filled {
        match self.read(buffer) {
            Ok(0) => self.in_line = false,
            Ok(_) => {
                if let Some(at) = memchr(b'\n', buffer) {
                    self.carry.extend_from_slice(&buffer[at + 1..]);
                    buffer.truncate(at);
                    self.in_line = false;
                }
            }
            Err(fault) => {
                self.failed = Some(fault);
                self.in_line = false;
            }
        }
        Filled::TooLong {
            lines: u64::from(!self.in_line),
        }
    }

    /// Throws away the line that has begun in `buffer`.
    fn skip_line(&mut self, buffer: &mut Vec<u8>) -> Filled {
        let mut lines = 1;
        loop {
            lines += memchr_iter(b'\n', buffer).count() as u64;
            buffer.clear();
            match self.read(buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(fault) => {
                    self.failed = Some(fault);
                    break;
                }
            }
            if let Some(at) = memchr(b'\n', buffer) {
                self.carry.extend_from_slice(&buffer[at + 1..]);
                break;
            }
        }
        buffer.clear();
        Filled::TooLong { lines }
    }

    /// Whether these are the first lines of a Zeek log and its header may go on.
    fn is_in_header(&self, bytes: &[u8], longest: usize) -> bool {
        if !self.at_start || bytes.len() > longest {
            return false;
        }
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        (self.format == Format::Zeek || bytes.starts_with(b"#separator"))
            && bytes
                .split_inclusive(|b| *b == b'\n')
                .all(|line| line.starts_with(b"#"))
    }

    /// A line that is too long stands where the header should.
    fn start_without_header(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        if std::mem::take(&mut self.at_start) && self.format != Format::JsonLines {
            return Err(Diagnostic::new(
                Code::BadTable,
                format!("{}: the line of names is too long", self.name),
            ));
        }
        Ok(None)
    }

    /// Takes what stands before the first event: a byte-order mark, the header of a table.
    fn start(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Fault> {
        if !std::mem::take(&mut self.at_start) {
            return Ok(None);
        }
        if buffer.starts_with(BOM) {
            buffer.drain(..BOM.len());
        }
        if buffer.starts_with(b"#separator") {
            self.format = Format::Zeek;
        }
        if self.format == Format::JsonLines {
            return Ok(None);
        }
        let (header, length) = Header::read(self.format, buffer, &self.name)?;
        self.header = Some(Arc::new(header));
        let rest = buffer.split_off(length);
        Ok(Some(std::mem::replace(buffer, rest)))
    }

    fn count(&self, buffer: &[u8]) -> u64 {
        let ends = memchr_iter(b'\n', buffer).count() as u64;
        ends + u64::from(buffer.last().is_some_and(|b| *b != b'\n'))
    }
}

fn retry(mut read: impl FnMut() -> std::io::Result<usize>) -> std::io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// One line, or one row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// How many lines of the input stand before it.
    pub before: u64,
    /// Its text without the line end.
    pub text: &'a [u8],
    /// The same with the carriage return in front of the line end, if there is one.
    pub whole: &'a [u8],
}

/// The lines of a chunk that hold something.
pub fn lines(chunk: &Chunk) -> Lines<'_> {
    Lines {
        chunk,
        at: 0,
        number: chunk.lines_before,
    }
}

/// The iterator behind [`lines`].
pub struct Lines<'a> {
    chunk: &'a Chunk,
    at: usize,
    number: u64,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline]
    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let rest = self
                .chunk
                .bytes
                .get(self.at..)
                .filter(|rest| !rest.is_empty())?;
            let (whole, taken) = match &self.chunk.header {
                Some(header) => {
                    let taken = record_length(header, rest);
                    (
                        rest[..taken].strip_suffix(b"\n").unwrap_or(&rest[..taken]),
                        taken,
                    )
                }
                None => match memchr(b'\n', rest) {
                    Some(end) => (&rest[..end], end + 1),
                    None => (rest, rest.len()),
                },
            };
            self.at += taken;
            let before = self.number;
            self.number += 1;
            // A quoted cell may run over several lines.
            if self.chunk.header.is_some() {
                self.number += memchr_iter(b'\n', whole).count() as u64;
            }
            let text = whole.strip_suffix(b"\r").unwrap_or(whole);
            let skip = match &self.chunk.header {
                Some(header) => text.is_empty() || header.is_comment(text),
                None => text.trim_ascii().is_empty(),
            };
            if !skip {
                return Some(Line {
                    before,
                    text,
                    whole,
                });
            }
        }
    }
}
