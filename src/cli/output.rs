//! Standard output and standard error: colours, errors, a closed pipe.

use super::args::{Color, ListFormat};
use crate::diagnostic::{
    Code, Diagnostic, Fault, Outcome, Page, Room, Style, brief, paint, plain, terminal,
};
use crate::drawing::text::wants_ascii;
use crate::input::{Input, csv_line};
use crate::shell::{Fit, cell as drawn, draw};
use serde_json::Value as Json;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

static ERRORS_IN_COLOR: AtomicBool = AtomicBool::new(false);

/// Decides about colours once, at the start.
pub fn choose_colors(color: Color) {
    let wanted = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
                || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
            !refused && io::stderr().is_terminal()
        }
    };
    ERRORS_IN_COLOR.store(wanted, Ordering::Relaxed);
    colored::control::set_override(wanted);
}

/// Whether errors are printed in colours.
pub fn in_color() -> bool {
    ERRORS_IN_COLOR.load(Ordering::Relaxed)
}

/// Shows an error on standard error.
pub fn complain(fault: &Fault) {
    let text = match terminal_size_of(&io::stderr()) {
        Some(width) => terminal(fault, width, in_color()),
        None if in_color() => terminal(fault, USUAL_WIDTH, true),
        None => plain(fault),
    };
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether the terminal or the locale knows ASCII only.
pub fn ascii() -> bool {
    wants_ascii(|name| std::env::var(name).ok())
}

/// The room that standard output has for a picture.
pub fn room() -> Room {
    let usual = Room::default();
    Room {
        width: window().unwrap_or(usual.width),
        ascii: ascii(),
        ..usual
    }
}

/// A page for standard output: in colours on a terminal.
pub fn page(page: &Page) -> String {
    match terminal_size_of(&io::stdout()) {
        Some(width) => page.styled(width),
        None => page.plain(),
    }
}

/// The width that is assumed where none can be told.
const USUAL_WIDTH: usize = 80;

/// The columns of the terminal behind a stream, if there is one.
fn terminal_size_of(stream: &(impl IsTerminal + AsFd)) -> Option<usize> {
    stream.is_terminal().then(|| {
        let size = terminal_size::terminal_size_of(stream);
        size.map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
    })
}

/// The columns of the terminal behind standard output, if there is one.
pub fn window() -> Option<usize> {
    terminal_size_of(&io::stdout())
}

/// Shows a lint in one line on standard error.
pub fn remark(fault: &Fault) {
    let text = brief(fault);
    let text = match in_color() {
        true => paint(Style::Warning, &text).to_string(),
        false => text,
    };
    let _ = writeln!(io::stderr(), "{text}");
}

/// Shows a note on standard error.
pub fn note(text: &str) {
    // Tags and fields of events do not steer the terminal.
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// Says that an input was named twice.
pub fn named_twice(input: &Input, first: &Input) {
    let (name, first) = (input.name(), first.name());
    note(&match name == first {
        true => format!("{name} is named twice and read once"),
        false => format!("{name} is the same file as {first} and read once"),
    });
}

/// What a failed write to standard output means: the end without a word when the reader has gone.
pub fn written(result: io::Result<()>) -> Outcome<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Diagnostic::new(
            Code::CannotWrite,
            format!("the output cannot be written: {error}"),
        )),
    }
}

/// Prints one line on standard output.
pub fn line(text: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    written(
        out.write_all(text.as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush()),
    )
}

fn text_of(row: &Json, column: &str) -> String {
    match &row[column] {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// Prints rows: a table, JSON, JSON Lines, CSV, the first column, or text.
pub fn table(format: ListFormat, columns: &[&str], rows: Vec<Json>) -> Outcome<()> {
    let mut printed = Rows::new(format, columns);
    rows.into_iter()
        .try_for_each(|row| printed.put(row).map(drop))?;
    printed.end()
}

/// Rows that are printed as they come, where the format allows that.
pub struct Rows<'c> {
    format: ListFormat,
    columns: &'c [&'c str],
    waiting: Vec<Json>,
    begun: bool,
}

impl<'c> Rows<'c> {
    /// No rows.
    pub fn new(format: ListFormat, columns: &'c [&'c str]) -> Rows<'c> {
        Rows {
            format,
            columns,
            waiting: Vec::new(),
            begun: false,
        }
    }

    /// What stands before the first row.
    fn begin(&mut self) -> Outcome<()> {
        if std::mem::replace(&mut self.begun, true) || self.format != ListFormat::Csv {
            return Ok(());
        }
        line(&self.columns.join(","))
    }

    /// Takes a row; false when it is printed only at the end.
    pub fn put(&mut self, row: Json) -> Outcome<bool> {
        self.begin()?;
        let cells = || -> Vec<String> {
            let cells = self.columns.iter().map(|column| text_of(&row, column));
            cells.collect()
        };
        match self.format {
            ListFormat::Jsonl => line(&row.to_string())?,
            ListFormat::Ids => {
                if let Some(first) = self.columns.first() {
                    line(&text_of(&row, first))?;
                }
            }
            ListFormat::Csv => line(csv_line(&cells()).trim_end_matches('\n'))?,
            ListFormat::Text => line(&cells().join("\t"))?,
            // Columns are as wide as their widest cell, and an array ends.
            ListFormat::Table | ListFormat::Json => {
                self.waiting.push(row);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Prints what waits.
    pub fn end(mut self) -> Outcome<()> {
        self.begin()?;
        match self.format {
            ListFormat::Json => line(&Json::Array(self.waiting).to_string()),
            ListFormat::Table => {
                // Nothing is cut: what does not fit into the window goes on below.
                let fit = terminal_size_of(&io::stdout()).map_or(Fit::Whole, Fit::Wrap);
                let rows = self.waiting.iter().map(|row| {
                    let columns = self.columns.iter();
                    let cells = columns.map(|column| drawn(&text_of(row, column), fit));
                    cells.collect()
                });
                line(&draw(self.columns.iter().copied(), rows, fit))
            }
            _ => Ok(()),
        }
    }
}
