//! Files as a source of rows.

use super::chunks::{ChunkReader, lines};
use super::event::{EventReader, Wanted};
use super::open::{Format, inputs};
use super::source::{Columns, EVENTDATE, Rows, Source, Take, Wish};
use super::time::moment;
use crate::diagnostic::{Outcome, brief};
use crate::eval::{Context, Value};
use smol_str::SmolStr;
use std::path::PathBuf;

/// Where the time of a row may stand when nothing says where.
const TIMES: [&str; 3] = [EVENTDATE, "timestamp", "@timestamp"];

/// So many rows are passed on together at most.
const TOGETHER: usize = 4096;

/// Files by name or pattern: JSON Lines, CSV, TSV and Zeek logs, also compressed.
pub struct FileRows {
    patterns: Vec<PathBuf>,
    time: Option<SmolStr>,
    format: Option<Format>,
}

impl FileRows {
    /// Files; `time` names the field with the time of a row, else `eventdate`, `timestamp` or `@timestamp` has it.
    /// Without a `format` their names tell it.
    pub fn new(patterns: Vec<PathBuf>, time: Option<SmolStr>, format: Option<Format>) -> FileRows {
        FileRows {
            patterns,
            time,
            format,
        }
    }
}

impl Source for FileRows {
    fn about(&self) -> String {
        let paths: Vec<String> = self
            .patterns
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        format!("files {}", paths.join(", "))
    }

    fn columns(&self, _: &Context) -> Outcome<Columns> {
        Ok(Columns::Open)
    }

    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()> {
        let found = inputs(&self.patterns)?;
        let names: Vec<String> = found.iter().map(super::Input::name).collect();
        let mut reader = ChunkReader::new(&found, self.format, context.limits.line)
            .cancelled_by(&context.cancel);
        let times: Vec<SmolStr> = match &self.time {
            Some(name) => vec![name.clone()],
            None => TIMES.map(SmolStr::new_static).to_vec(),
        };
        let width = wish.names.len();
        let wanted = wish.names.iter().chain(&times).map(Some);
        let mut events = EventReader::new(&Wanted::new(wanted, context.limits.depth));
        let mut slots = vec![Value::Null; width + times.len()];
        let mut buffer = Vec::new();
        while let Some(chunk) = reader.next(buffer)? {
            let mut rows = Rows::default();
            let name = names.get(chunk.input).map_or("", String::as_str);
            if chunk.too_long {
                let line = chunk.lines_before + 1;
                rows.bad
                    .push(format!("{name}:{line}: the line is too long"));
            }
            for line in lines(&chunk) {
                let read = match &chunk.header {
                    _ if chunk.too_long => break,
                    None => events.json(line.text, &mut slots),
                    Some(header) => events.row(header, line.text, &mut slots),
                };
                let number = line.before + 1;
                if let Err(fault) = read {
                    rows.bad.push(format!("{name}:{number}: {}", brief(&fault)));
                    continue;
                }
                let time = slots.iter().skip(width).find_map(moment);
                let Some(time) = time else {
                    rows.bad
                        .push(format!("{name}:{number}: it has no {}", times.join(" or ")));
                    continue;
                };
                if !(wish.from..wish.to).contains(&time) {
                    continue;
                }
                rows.times.push(time);
                rows.values.extend(slots.iter().take(width).cloned());
                if rows.times.len() >= TOGETHER && !take(std::mem::take(&mut rows))? {
                    return Ok(());
                }
            }
            if !take(rows)? {
                return Ok(());
            }
            buffer = chunk.bytes;
        }
        Ok(())
    }
}
