//! Texts that a cell prints, sent in larger pieces, and no more than anybody reads.

use super::channels::Out;
use jupyter_protocol::{JupyterMessage, StreamContent};
use std::time::{Duration, Instant};

/// How many bytes are sent together.
const PIECE: usize = 64 << 10;
/// How long a text waits for others.
const WAIT: Duration = Duration::from_millis(50);
/// How many lines a cell prints at most.
pub const LINES: usize = 10_000;
/// How many bytes a cell prints at most.
pub const BYTES: usize = 4 << 20;

/// The standard output of a cell.
pub struct Stream<'a> {
    out: &'a Out,
    parent: &'a JupyterMessage,
    waiting: String,
    sent: Instant,
    lines: usize,
    bytes: usize,
    lost: u64,
}

impl<'a> Stream<'a> {
    /// Nothing is printed yet.
    pub fn new(out: &'a Out, parent: &'a JupyterMessage) -> Stream<'a> {
        Stream {
            out,
            parent,
            waiting: String::new(),
            sent: Instant::now(),
            lines: 0,
            bytes: 0,
            lost: 0,
        }
    }

    /// Prints a line.
    pub fn line(&mut self, text: &str) {
        let lines = 1 + memchr::memchr_iter(b'\n', text.as_bytes()).count();
        if self.lines >= LINES || self.bytes + text.len() > BYTES {
            self.lost += lines as u64;
            return;
        }
        self.lines += lines;
        self.bytes += text.len() + 1;
        self.waiting.push_str(text);
        self.waiting.push('\n');
        if self.waiting.len() >= PIECE || self.sent.elapsed() >= WAIT {
            self.flush();
        }
    }

    /// Sends what waits.
    pub fn flush(&mut self) {
        self.sent = Instant::now();
        if !self.waiting.is_empty() {
            let text = std::mem::take(&mut self.waiting);
            self.out.publish(StreamContent::stdout(&text), self.parent);
        }
    }

    /// Prints what is to be told beside results, at once.
    pub fn note(&mut self, text: &str) {
        self.flush();
        let text = format!("{text}\n");
        self.out.publish(StreamContent::stderr(&text), self.parent);
    }

    /// Sends the rest and says what was left out.
    pub fn end(mut self) {
        self.flush();
        if self.lost > 0 {
            let lost = self.lost;
            self.note(&format!(
                "note: {lost} more lines are not shown; a cell prints {LINES} lines or {} MiB at most. %save writes \
                 a result to a file.",
                BYTES >> 20
            ));
        }
    }
}
