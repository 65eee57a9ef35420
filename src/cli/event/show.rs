//! Events on standard output, one by one as they come.

use super::args::ShowArgs;
use super::asked;
use crate::cli::args::ListFormat;
use crate::cli::output::{self, written};
use crate::diagnostic::Outcome;
use crate::event::shape::{column_json, message};
use crate::event::{COLUMNS, Column, Record};
use crate::input::csv_line;
use serde_json::{Map, Value as Json};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// What tables show of messages.
const SUMMARY: &[Column] = &[
    Column::Id,
    Column::DetectTime,
    Column::Category,
    Column::SourceIp,
    Column::TargetIp,
    Column::NodeName,
    Column::EventSeverity,
    Column::Description,
];

/// The most rows of a table on a terminal.
const ROWS: usize = 1000;

/// What is shown of an event.
#[derive(PartialEq)]
enum What {
    Messages,
    Ghosts,
    Columns,
}

/// Prints events.
pub struct Printer {
    format: ListFormat,
    what: What,
    columns: Vec<Column>,
    /// Rows of a table, which wait until their widths are known.
    rows: Vec<Json>,
    /// How many were printed.
    count: usize,
    cut: bool,
    out: BufWriter<Stdout>,
}

impl Printer {
    /// A printer of what the arguments say.
    pub fn new(args: &ShowArgs) -> Outcome<Printer> {
        let format = ListFormat::or_usual(args.format);
        let objects = matches!(format, ListFormat::Json | ListFormat::Jsonl);
        let asked = asked::columns(&args.columns)?;
        let (what, columns) = match (asked.is_empty(), format) {
            (_, ListFormat::Ids) => (What::Columns, vec![Column::Id]),
            (false, _) => (What::Columns, asked),
            (true, _) if !objects => (What::Columns, SUMMARY.to_vec()),
            (true, _) if args.ghost => (What::Ghosts, COLUMNS.to_vec()),
            (true, _) => (What::Messages, COLUMNS.to_vec()),
        };
        Ok(Printer {
            format,
            what,
            columns,
            rows: Vec::new(),
            count: 0,
            cut: false,
            out: BufWriter::new(io::stdout()),
        })
    }

    /// The columns that must be read.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Prints an event; false when no more are wanted.
    pub fn put(&mut self, record: &Record) -> Outcome<bool> {
        match self.format {
            ListFormat::Json | ListFormat::Jsonl => self.object(record)?,
            ListFormat::Table => {
                if self.rows.len() >= ROWS && io::stdout().is_terminal() {
                    self.cut = true;
                    return Ok(false);
                }
                let cells = self.cells(record).into_iter().map(Json::String);
                let names = self.columns.iter().map(|column| column.name().to_string());
                self.rows
                    .push(names.zip(cells).collect::<Map<_, _>>().into());
            }
            ListFormat::Csv => {
                if self.count == 0 {
                    self.header()?;
                }
                let line = csv_line(&self.cells(record));
                self.line(line.trim_end_matches('\n'))?;
            }
            ListFormat::Ids | ListFormat::Text => {
                let cells: Vec<String> = self
                    .cells(record)
                    .iter()
                    .map(|cell| cell.replace(['\t', '\n', '\r'], " "))
                    .collect();
                self.line(&cells.join("\t"))?;
            }
        }
        self.count += 1;
        Ok(true)
    }

    fn object(&mut self, record: &Record) -> Outcome<()> {
        let json = self.json(record)?;
        if self.format == ListFormat::Json {
            let before = if self.count == 0 { "[" } else { "," };
            written(self.out.write_all(before.as_bytes()))?;
            return written(self.out.write_all(&json));
        }
        written(
            self.out
                .write_all(&json)
                .and_then(|()| self.out.write_all(b"\n")),
        )
    }

    fn json(&self, record: &Record) -> Outcome<Vec<u8>> {
        match &self.what {
            What::Columns => {
                let columns = self.columns.iter();
                let row: Map<String, Json> = columns
                    .map(|column| (column.name().into(), column_json(&record.row, *column)))
                    .collect();
                Ok(Json::Object(row).to_string().into_bytes())
            }
            what => match &record.row.event {
                // As they are stored, unless that is no line of JSON.
                Some(bytes) if *what == What::Messages && is_line(bytes) => Ok(bytes.clone()),
                _ => Ok(message(record, *what == What::Ghosts)?.to_json()),
            },
        }
    }

    fn cells(&self, record: &Record) -> Vec<String> {
        let text = |json: &Json| match json {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other => other.to_string(),
        };
        let cell = |column: &Column| match column_json(&record.row, *column) {
            Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
            other => text(&other),
        };
        self.columns.iter().map(cell).collect()
    }

    fn header(&mut self) -> Outcome<()> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
        self.line(&names.join(","))
    }

    fn line(&mut self, text: &str) -> Outcome<()> {
        written(writeln!(self.out, "{text}"))
    }

    /// Prints what has waited.
    pub fn finish(mut self) -> Outcome<()> {
        match self.format {
            ListFormat::Table => {
                let names: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
                output::table(ListFormat::Table, &names, std::mem::take(&mut self.rows))?;
            }
            ListFormat::Json if self.count == 0 => self.line("[]")?,
            ListFormat::Json => self.line("]")?,
            ListFormat::Csv if self.count == 0 => self.header()?,
            _ => {}
        }
        written(self.out.flush())?;
        if self.cut {
            output::note(&format!(
                "there are more than {ROWS}: --limit and --page show others, and --format jsonl shows all"
            ));
        }
        Ok(())
    }
}

fn is_line(bytes: &[u8]) -> bool {
    !bytes.contains(&b'\n') && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
