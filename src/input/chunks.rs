//! Cuts inputs into chunks of whole lines, with bounded memory.

use super::open::{Format, Input, cannot_read};
use super::table::{Header, record_length};
use crate::diagnostic::{Fault, Outcome};
use memchr::{memchr, memchr_iter, memrchr};
use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// How many bytes a chunk has at most, but for a longer line.
const CHUNK: usize = 1 << 20;

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
    /// Lines that are too long to be held: the number within the input of each. Their bytes are gone.
    pub too_long: Vec<u64>,
    /// Whether nothing more was there at once.
    pub live: bool,
    /// Whether this is the first chunk of a table, whose header lines the output may want.
    pub header_text: Option<Vec<u8>>,
}

/// Reads chunk after chunk of all inputs.
pub struct ChunkReader {
    inputs: VecDeque<(usize, Input)>,
    format: Option<Format>,
    current: Option<Open>,
    longest: usize,
    number: u64,
    /// Bytes read so far, before unpacking.
    pub taken: Arc<AtomicU64>,
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
    /// The rest of a line that is too long is being thrown away.
    skipping: bool,
}

impl ChunkReader {
    /// A reader of `inputs`, in `format` unless their names tell it; lines longer than `longest` bytes are left out.
    pub fn new(inputs: &[Input], format: Option<Format>, longest: usize) -> ChunkReader {
        ChunkReader {
            inputs: inputs.iter().cloned().enumerate().collect(),
            format,
            current: None,
            longest,
            number: 0,
            taken: Arc::default(),
        }
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
                    reader: input.open(self.taken.clone())?,
                    carry: Vec::new(),
                    lines: 0,
                    format: self.format.unwrap_or_else(|| input.format()),
                    header: None,
                    at_start: true,
                    skipping: false,
                });
                continue;
            };
            buffer.clear();
            match open.fill(&mut buffer, self.longest) {
                Ok(Filled::End) => self.current = None,
                Ok(Filled::Lines { too_long }) => {
                    let header_text = match open.start(&mut buffer) {
                        Ok(text) => text,
                        Err(fault) => {
                            self.current = None;
                            return Err(fault);
                        }
                    };
                    let lines = open.count(&buffer) + too_long.len() as u64;
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
                        too_long,
                        live: open.live,
                        header_text,
                    };
                    open.lines += header_lines + lines;
                    self.number += 1;
                    return Ok(Some(chunk));
                }
                Err(fault) => {
                    self.current = None;
                    return Err(fault);
                }
            }
        }
    }
}

enum Filled {
    Lines { too_long: Vec<u64> },
    End,
}

impl Open {
    /// Fills `buffer` with whole lines.
    fn fill(&mut self, buffer: &mut Vec<u8>, longest: usize) -> Result<Filled, Fault> {
        let mut too_long = Vec::new();
        buffer.append(&mut self.carry);
        let mut quoted_to = 0;
        let mut quotes = false;
        loop {
            let start = buffer.len();
            let want = if self.live {
                1 << 16
            } else {
                CHUNK.saturating_sub(start).max(1 << 16)
            };
            let mut limited = (&mut self.reader).take(want as u64);
            let read = if self.live {
                buffer.resize(start + want, 0);
                let read = retry(|| limited.read(&mut buffer[start..]));
                buffer.truncate(start + *read.as_ref().unwrap_or(&0));
                read
            } else {
                limited.read_to_end(buffer)
            };
            let read = read.map_err(|error| cannot_read(&self.name, &error))?;
            if read == 0 {
                // The last line may lack its line end.
                if self.skipping {
                    buffer.clear();
                    self.skipping = false;
                }
                let end = buffer.is_empty() && too_long.is_empty();
                return Ok(if end {
                    Filled::End
                } else {
                    Filled::Lines { too_long }
                });
            }
            if self.skipping {
                match memchr(b'\n', buffer) {
                    Some(at) => {
                        buffer.drain(..=at);
                        self.skipping = false;
                    }
                    None => {
                        buffer.clear();
                        continue;
                    }
                }
            }
            let last = match self.format {
                Format::Csv => last_record_end(buffer, &mut quoted_to, &mut quotes),
                _ => memrchr(b'\n', buffer),
            };
            if let Some(at) = last {
                self.carry.extend_from_slice(&buffer[at + 1..]);
                buffer.truncate(at + 1);
                return Ok(Filled::Lines { too_long });
            }
            if buffer.len() > longest {
                too_long.push(self.lines);
                buffer.clear();
                (quoted_to, quotes) = (0, false);
                self.skipping = true;
                self.at_start = false;
            }
        }
    }

    /// Takes what stands before the first event: a byte-order mark, the header of a table.
    fn start(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Fault> {
        if !std::mem::take(&mut self.at_start) {
            return Ok(None);
        }
        if buffer.starts_with(b"\xef\xbb\xbf") {
            buffer.drain(..3);
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

/// The last line end outside of quotation marks; a buffer begins outside of them.
fn last_record_end(buffer: &[u8], from: &mut usize, quotes: &mut bool) -> Option<usize> {
    let mut last = None;
    for at in memchr::memchr2_iter(b'"', b'\n', &buffer[*from..]) {
        let at = *from + at;
        if buffer[at] == b'"' {
            *quotes = !*quotes;
        } else if !*quotes {
            last = Some(at);
        }
    }
    *from = buffer.len();
    last
}

/// The lines of a chunk that hold something, each with the number of lines before it in its input.
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
    type Item = (u64, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        loop {
            let rest = self
                .chunk
                .bytes
                .get(self.at..)
                .filter(|rest| !rest.is_empty())?;
            let (line, taken) = match &self.chunk.header {
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
            let number = self.number;
            self.number += 1;
            // A quoted cell may run over several lines.
            if self.chunk.header.is_some() {
                self.number += memchr_iter(b'\n', line).count() as u64;
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let skip = match &self.chunk.header {
                Some(header) => line.is_empty() || header.is_comment(line),
                None => line.trim_ascii().is_empty(),
            };
            if !skip {
                return Some((number, line));
            }
        }
    }
}
