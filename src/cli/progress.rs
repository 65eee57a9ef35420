//! What is seen while events are read: how far it is, and the first bad lines.

use crate::input::{Input, Problem};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many bad or failed lines are shown.
pub const SHOWN: usize = 10;

/// Shows the first bad lines, and says how many more there were.
pub struct Complaints {
    names: Vec<String>,
    shown: usize,
}

impl Complaints {
    /// About lines of these inputs.
    pub fn new(inputs: &[Input]) -> Complaints {
        Complaints {
            names: inputs.iter().map(Input::name).collect(),
            shown: 0,
        }
    }

    /// Shows problems with lines of an input while there is room.
    pub fn show<'p>(
        &mut self,
        input: usize,
        problems: impl Iterator<Item = &'p Problem>,
        progress: &Progress,
    ) {
        let name = self.names.get(input).map_or("", String::as_str);
        for problem in problems.take(SHOWN - self.shown) {
            self.shown += 1;
            progress.suspend(|| complain(name, problem));
        }
    }

    /// Says how many there were beside those that were shown.
    pub fn count_the_rest(&self, all: u64) {
        if all > self.shown as u64 {
            let rest = all - self.shown as u64;
            let lines = if rest == 1 { "line" } else { "lines" };
            let _ = writeln!(io::stderr(), "… and {rest} more bad or failed {lines}");
        }
    }
}

/// `name:line: message`, with the source line of the expression when it failed there.
fn complain(name: &str, problem: &Problem) {
    let fault = &problem.fault;
    let place = match fault.position() {
        Some(position) => format!(" (at column {} of the expression)", position.column),
        None => String::new(),
    };
    let hint = fault
        .help
        .as_ref()
        .map(|help| format!("; {help}"))
        .unwrap_or_default();
    let _ = writeln!(
        io::stderr(),
        "{name}:{}: {} {}{place}{hint}",
        problem.line,
        fault.code.name(),
        fault.message
    );
}

/// A bar on standard error, on a terminal only and after a second.
pub struct Progress {
    started: Instant,
    size: Option<u64>,
    taken: Arc<AtomicU64>,
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    /// For the bytes of inputs, of which `taken` are read.
    pub fn new(inputs: &[Input], taken: Arc<AtomicU64>) -> Progress {
        let size: Option<u64> = inputs.iter().map(Input::size).sum();
        Progress {
            started: Instant::now(),
            size,
            taken,
            bar: None,
        }
    }

    /// Shows how far the reading is.
    pub fn step(&mut self) {
        if self.bar.is_none() {
            if self.started.elapsed() < Duration::from_secs(1) || !io::stderr().is_terminal() {
                return;
            }
            let template = "{bytes}/{total_bytes} [{bar:40}] {bytes_per_sec}, {eta} left";
            let style = indicatif::ProgressStyle::with_template(match self.size {
                Some(_) => template,
                None => "{bytes} {spinner} {bytes_per_sec}",
            });
            let bar = match self.size {
                Some(size) => indicatif::ProgressBar::new(size),
                None => indicatif::ProgressBar::new_spinner(),
            };
            if let Ok(style) = style {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.taken.load(Ordering::Relaxed));
        }
    }

    /// Does something that writes to standard error.
    pub fn suspend(&self, work: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    /// Takes it away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
