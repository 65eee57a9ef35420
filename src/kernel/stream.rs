//! What a cell shows beside its result: printed texts in larger pieces, notes and pictures at once, and no more of them
//! than anybody reads.

use super::channels::Out;
use crate::diagnostic::{Outcome, floor};
use crate::store::background;
use jupyter_protocol::{DisplayData, JupyterMessage, Media, MediaType, StreamContent};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How many bytes are sent together.
const PIECE: usize = 64 << 10;
/// How long a text waits for others.
const WAIT: Duration = Duration::from_millis(50);
/// How many lines a cell prints at most.
pub const LINES: usize = 10_000;
/// How many bytes a cell prints at most.
pub const BYTES: usize = 4 << 20;
/// How many notes a cell shows at most.
const NOTES: usize = 1_000;
/// How many bytes of one note are shown.
const NOTE: usize = 16 << 10;
/// How many pages and pictures a cell shows at most.
const DISPLAYS: usize = 500;
/// How many bytes of them.
const DISPLAYED: usize = 64 << 20;
/// How many notes that come while no cell runs are kept for the next one.
const KEPT: usize = 10;

/// The way from a cell to what is below it. Cheap to clone; every thread may use it.
#[derive(Clone)]
pub struct Stream(Arc<Shared>);

struct Shared {
    out: Out,
    state: Mutex<State>,
    /// Told when a text begins to wait.
    waits: Arc<Notify>,
}

struct State {
    /// The cell that runs.
    cell: Option<Cell>,
    /// Notes that came while none did.
    between: Vec<String>,
}

struct Cell {
    request: JupyterMessage,
    silent: bool,
    waiting: String,
    sent: Instant,
    lines: usize,
    bytes: usize,
    notes: usize,
    displays: usize,
    displayed: usize,
    lost_lines: u64,
    lost_notes: u64,
    lost_displays: u64,
}

impl Stream {
    /// No cell runs yet.
    pub fn new(out: &Out) -> Outcome<Stream> {
        let waits = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            out: out.clone(),
            state: Mutex::new(State {
                cell: None,
                between: Vec::new(),
            }),
            waits: waits.clone(),
        });
        // A text does not wait for the next one, which may come late or never.
        let own = Arc::downgrade(&shared);
        background(async move {
            loop {
                waits.notified().await;
                tokio::time::sleep(WAIT).await;
                let Some(shared) = own.upgrade() else { return };
                Stream(shared).flush();
            }
        })?;
        Ok(Stream(shared))
    }

    /// A cell begins.
    pub fn begin(&self, request: &JupyterMessage, silent: bool) {
        let mut state = self.0.state.lock();
        state.cell = Some(Cell {
            request: request.clone(),
            silent,
            waiting: String::new(),
            sent: Instant::now(),
            lines: 0,
            bytes: 0,
            notes: 0,
            displays: 0,
            displayed: 0,
            lost_lines: 0,
            lost_notes: 0,
            lost_displays: 0,
        });
        let between = std::mem::take(&mut state.between);
        drop(state);
        between.iter().for_each(|note| self.note(note));
    }

    /// What it prints on a line.
    pub fn line(&self, text: &str) {
        let mut state = self.0.state.lock();
        let Some(cell) = state.cell.as_mut().filter(|cell| !cell.silent) else {
            return;
        };
        let lines = 1 + memchr::memchr_iter(b'\n', text.as_bytes()).count();
        if cell.lines + lines > LINES || cell.bytes + text.len() > BYTES {
            cell.lost_lines += lines as u64;
            return;
        }
        cell.lines += lines;
        cell.bytes += text.len() + 1;
        cell.waiting.push_str(text);
        cell.waiting.push('\n');
        if cell.waiting.len() >= PIECE || cell.sent.elapsed() >= WAIT {
            cell.flush(&self.0.out);
        } else {
            self.0.waits.notify_one();
        }
    }

    /// Sends what waits.
    pub fn flush(&self) {
        if let Some(cell) = &mut self.0.state.lock().cell {
            cell.flush(&self.0.out);
        }
    }

    /// Prints what is to be told beside results, at once.
    pub fn note(&self, text: &str) {
        let mut state = self.0.state.lock();
        let Some(cell) = &mut state.cell else {
            if state.between.len() < KEPT {
                state.between.push(text.to_string());
            }
            return;
        };
        if cell.notes >= NOTES {
            cell.lost_notes += 1;
            return;
        }
        cell.notes += 1;
        cell.note(text, &self.0.out);
    }

    /// Shows a page or a picture.
    pub fn display(&self, data: Media) {
        let mut state = self.0.state.lock();
        let Some(cell) = state.cell.as_mut().filter(|cell| !cell.silent) else {
            return;
        };
        let size = data.content.iter().map(size_of).sum::<usize>();
        if cell.displays >= DISPLAYS || cell.displayed + size > DISPLAYED {
            cell.lost_displays += 1;
            return;
        }
        cell.displays += 1;
        cell.displayed += size;
        cell.flush(&self.0.out);
        self.0.out.publish(DisplayData::new(data), &cell.request);
    }

    /// The cell ends: sends the rest and says what was left out.
    pub fn end(&self) {
        let Some(mut cell) = self.0.state.lock().cell.take() else {
            return;
        };
        cell.flush(&self.0.out);
        let (lines, notes, displays) = (cell.lost_lines, cell.lost_notes, cell.lost_displays);
        let mut tell = |lost: u64, what: &str, most: String| {
            if lost > 0 {
                let text = format!("note: {lost} more {what} are not shown; {most}");
                cell.note(&text, &self.0.out);
            }
        };
        let mib = BYTES >> 20;
        tell(
            lines,
            "lines",
            format!(
                "a cell prints {LINES} lines or {mib} MiB at most. %save writes a result to a file."
            ),
        );
        tell(notes, "notes", format!("a cell shows {NOTES} at most."));
        tell(
            displays,
            "pages and pictures",
            format!(
                "a cell shows {DISPLAYS} or {} MiB at most.",
                DISPLAYED >> 20
            ),
        );
    }
}

impl Cell {
    fn flush(&mut self, out: &Out) {
        self.sent = Instant::now();
        if !self.waiting.is_empty() {
            let text = std::mem::take(&mut self.waiting);
            out.publish(StreamContent::stdout(&text), &self.request);
        }
    }

    fn note(&mut self, text: &str, out: &Out) {
        if self.silent {
            return;
        }
        self.flush(out);
        let end = floor(text, NOTE);
        let more = if end < text.len() { "…" } else { "" };
        let text = format!("{}{more}\n", &text[..end]);
        out.publish(StreamContent::stderr(&text), &self.request);
    }
}

/// How many bytes a form of a result has, as far as the kernel makes it.
fn size_of(form: &MediaType) -> usize {
    match form {
        MediaType::Plain(text) | MediaType::Html(text) | MediaType::Svg(text) => text.len(),
        _ => 0,
    }
}
