//! The counters of running pipelines, on the terminal, while they run.

use crate::pipeline::engine::{Live, StepReport};
use parking_lot::Mutex;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthChar;

/// How often the table is drawn.
const DRAW: Duration = Duration::from_millis(250);

/// What is over sooner needs no table.
const PATIENCE: Duration = Duration::from_secs(1);

/// Rates are those of about so long.
const RATE: Duration = Duration::from_secs(2);

/// The size of a terminal that does not tell it.
const USUAL: (usize, usize) = (80, 24);

/// The lower end of standard error, on which a table may stand.
#[derive(Clone, Default)]
pub struct Screen(Arc<Mutex<Drawn>>);

#[derive(Default)]
struct Drawn {
    /// How many lines stand there.
    lines: usize,
    ended: bool,
}

impl Screen {
    /// Does something that writes to standard error; the table makes room and comes again.
    pub fn suspend(&self, work: impl FnOnce()) {
        let mut drawn = self.0.lock();
        let _ = io::stderr().write_all(erased(&mut drawn).as_bytes());
        work();
    }

    fn draw(&self, lines: &[String]) -> bool {
        let mut drawn = self.0.lock();
        if drawn.ended {
            return false;
        }
        let mut text = erased(&mut drawn);
        for line in lines {
            text.push_str(line);
            // A terminal in raw mode wants both.
            text.push_str("\r\n");
        }
        drawn.lines = lines.len();
        // One write: nobody sees half of it.
        io::stderr().write_all(text.as_bytes()).is_ok()
    }

    fn end(&self) {
        let mut drawn = self.0.lock();
        drawn.ended = true;
        let _ = io::stderr().write_all(erased(&mut drawn).as_bytes());
    }
}

/// The way back to the first line of what stands there, with everything below erased.
fn erased(drawn: &mut Drawn) -> String {
    match std::mem::take(&mut drawn.lines) {
        0 => String::new(),
        lines => format!("\x1b[{lines}A\r\x1b[J"),
    }
}

/// A table that is drawn until this goes.
pub struct Table {
    screen: Screen,
    thread: Option<JoinHandle<()>>,
}

impl Table {
    /// Draws the counters from time to time, when standard error is a terminal.
    pub fn start(screen: &Screen, live: Arc<Live>) -> Option<Table> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let own = screen.clone();
        let draw = move || {
            let mut past: Vec<(Instant, Vec<StepReport>)> = vec![(Instant::now(), live.steps())];
            std::thread::park_timeout(PATIENCE);
            loop {
                let (now, steps) = (Instant::now(), live.steps());
                let size = terminal_size::terminal_size_of(io::stderr());
                let size = size.map_or(USUAL, |(w, h)| (usize::from(w.0), usize::from(h.0)));
                let lines = match past.first() {
                    Some((then, before)) => table(&steps, before, now - *then, size),
                    None => Vec::new(),
                };
                if !own.draw(&lines) {
                    return;
                }
                past.push((now, steps));
                if past.len() > 2 && past.get(1).is_some_and(|(then, _)| now - *then > RATE) {
                    past.remove(0);
                }
                std::thread::park_timeout(DRAW);
            }
        };
        let builder = std::thread::Builder::new().name("counters".into());
        // Without a thread there is no table; nothing else is lost.
        let thread = builder.spawn(draw).ok()?;
        Some(Table {
            screen: screen.clone(),
            thread: Some(thread),
        })
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.screen.end();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

const HEAD: [&str; 9] = [
    "pipeline",
    "action",
    "in",
    "matched",
    "out",
    "dropped",
    "failed",
    "keys",
    "per second",
];

/// The lines of a table that fits into a window of so many columns and lines.
fn table(
    steps: &[StepReport],
    before: &[StepReport],
    time: Duration,
    (columns, lines): (usize, usize),
) -> Vec<String> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    let mut pipeline = "";
    for step in steps {
        let [came, _, matched, out, dropped, failed] = step.counts;
        let mut known = before.iter();
        let known = known.rfind(|known| known.pipeline == step.pipeline && known.step == step.step);
        // Inputs only send.
        let flow = |counts: [u64; 6]| counts.first().copied().unwrap_or(0).max(counts[3]);
        let past = known.map_or(0, |known| flow(known.counts));
        let fresh = flow(step.counts).saturating_sub(past) as f64;
        let rate = fresh / time.as_secs_f64().max(0.001);
        let keys = match step.evicted {
            0 => step.keys.to_string(),
            evicted => format!("{} (-{evicted})", step.keys),
        };
        let name = match step.pipeline == pipeline {
            true => String::new(),
            false => step.pipeline.clone(),
        };
        pipeline = &step.pipeline;
        rows.push([
            name,
            step.action.to_owned(),
            came.to_string(),
            matched.to_string(),
            out.to_string(),
            dropped.to_string(),
            failed.to_string(),
            keys,
            format!("{rate:.0}"),
        ]);
    }
    // The line of the cursor stays free.
    let room = lines.saturating_sub(1).max(1);
    let hidden = (rows.len() > room).then(|| rows.len() - room + 1);
    if hidden.is_some() {
        rows.truncate(room - 1);
    }
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut line = String::new();
            for (column, (cell, wide)) in row.iter().zip(&widths).enumerate() {
                let blanks = " ".repeat(wide - width(cell));
                if column > 0 {
                    line.push_str("  ");
                }
                match column < 2 {
                    true => line.extend([cell.as_str(), &blanks]),
                    false => line.extend([blanks.as_str(), cell]),
                }
            }
            cut(line.trim_end(), columns)
        })
        .collect();
    shown.extend(hidden.map(|hidden| cut(&format!("… {hidden} more actions"), columns)));
    shown
}

fn width(text: &str) -> usize {
    text.chars().filter_map(char::width).sum()
}

/// As much of a line as fits, without what a terminal would obey.
fn cut(line: &str, columns: usize) -> String {
    let mut wide = 0;
    line.chars()
        .filter(|c| !c.is_control())
        .take_while(|c| {
            wide += c.width().unwrap_or(0);
            wide <= columns
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(pipeline: &str, step: usize, counts: [u64; 6]) -> StepReport {
        StepReport {
            pipeline: pipeline.to_owned(),
            step,
            action: "filter_rename",
            counts,
            keys: 0,
            evicted: 7 * step as u64,
            others: Vec::new(),
        }
    }

    #[test]
    fn a_table_fits_its_window() {
        let before = [step("p", 0, [0; 6]), step("p", 1, [10, 0, 0, 0, 0, 0])];
        let steps = [
            step("p", 0, [0, 0, 0, 40, 0, 0]),
            step("p", 1, [30, 0, 30, 29, 1, 0]),
        ];
        let time = Duration::from_secs(2);
        let lines = table(&steps, &before, time, (100, 24));
        assert_eq!(
            lines,
            [
                "pipeline  action         in  matched  out  dropped  failed    keys  per second",
                "p         filter_rename   0        0   40        0       0       0          20",
                "          filter_rename  30       30   29        1       0  0 (-7)          10",
            ]
        );
        let narrow = table(&steps, &before, time, (12, 3));
        assert_eq!(narrow, ["pipeline  ac", "… 2 more act"]);
        let odd = table(&[step("\x1b[31mé漢", 0, [0; 6])], &[], time, (14, 24));
        assert_eq!(odd[1], "[31mé漢   filt");
    }
}
