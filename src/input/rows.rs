//! Files as a source of rows.

use super::chunks::{Chunk, ChunkReader, lines};
use super::event::{EventReader, Wanted};
use super::follow::follow;
use super::open::{Format, inputs};
use super::source::{Columns, EVENTDATE, LAG, Rows, Source, Take, Wish};
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
    grows: bool,
    lag: i64,
}

impl FileRows {
    /// Files; `time` names the field with the time of a row, else `eventdate`, `timestamp` or `@timestamp` has it.
    /// Without a `format` their names tell it.
    pub fn new(patterns: Vec<PathBuf>, time: Option<SmolStr>, format: Option<Format>) -> FileRows {
        FileRows {
            patterns,
            time,
            format,
            grows: false,
            lag: LAG,
        }
    }

    /// The same files, of which it is known whether they grow, and by how many milliseconds rows may come too late.
    pub fn growing(mut self, grows: bool, lag: Option<i64>) -> FileRows {
        self.grows = grows;
        self.lag = lag.unwrap_or(LAG);
        self
    }
}

impl Source for FileRows {
    fn about(&self) -> String {
        let paths: Vec<String> = self
            .patterns
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        let grows = if self.grows { ", followed" } else { "" };
        format!("files {}{grows}", paths.join(", "))
    }

    fn columns(&self, _: &Context) -> Outcome<Columns> {
        Ok(Columns::Open)
    }

    fn grows(&self) -> bool {
        self.grows
    }

    fn follows(&self) -> bool {
        true
    }

    fn lag(&self) -> i64 {
        self.lag
    }

    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()> {
        let mut maker = Maker::new(wish, self.time.as_ref(), context);
        if wish.follow {
            return follow(&self.patterns, self.format, &mut maker, context, take);
        }
        let found = inputs(&self.patterns)?;
        let names: Vec<String> = found.iter().map(super::Input::name).collect();
        let mut reader = ChunkReader::new(&found, self.format, context.limits.line)
            .cancelled_by(&context.cancel);
        let mut buffer = Vec::new();
        while let Some(chunk) = reader.next(buffer)? {
            let name = names.get(chunk.input).map_or("", String::as_str);
            if !maker.rows(&chunk, name, None, take)? {
                return Ok(());
            }
            buffer = chunk.bytes;
        }
        Ok(())
    }
}

/// Makes rows of chunks.
pub(super) struct Maker<'w> {
    wish: &'w Wish<'w>,
    times: Vec<SmolStr>,
    events: EventReader,
    slots: Vec<Value>,
    /// The latest time of a row, wanted or not, since the caller has looked.
    pub latest: Option<i64>,
}

impl<'w> Maker<'w> {
    fn new(wish: &'w Wish<'w>, time: Option<&SmolStr>, context: &Context) -> Maker<'w> {
        let times: Vec<SmolStr> = match time {
            Some(name) => vec![name.clone()],
            None => TIMES.map(SmolStr::new_static).to_vec(),
        };
        let wanted = wish.names.iter().chain(&times).map(Some);
        let events = EventReader::new(&Wanted::new(wanted, context.limits.depth));
        Maker {
            slots: vec![Value::Null; wish.names.len() + times.len()],
            wish,
            times,
            events,
            latest: None,
        }
    }

    /// Passes on the rows of a chunk of the file `name`; `false` when nothing more is wanted.
    pub fn rows(
        &mut self,
        chunk: &Chunk,
        name: &str,
        behind: Option<i64>,
        take: Take<'_>,
    ) -> Outcome<bool> {
        let width = self.wish.names.len();
        let fresh = || Rows {
            behind,
            ..Rows::default()
        };
        let mut rows = fresh();
        if chunk.too_long {
            let line = chunk.lines_before + 1;
            rows.bad
                .push(format!("{name}:{line}: the line is too long"));
        }
        for line in lines(chunk) {
            let read = match &chunk.header {
                _ if chunk.too_long => break,
                None => self.events.json(line.text, &mut self.slots),
                Some(header) => self.events.row(header, line.text, &mut self.slots),
            };
            let number = line.before + 1;
            if let Err(fault) = read {
                rows.bad.push(format!("{name}:{number}: {}", brief(&fault)));
                continue;
            }
            let time = self.slots.iter().skip(width).find_map(moment);
            let Some(time) = time else {
                let names = self.times.join(" or ");
                rows.bad.push(format!("{name}:{number}: it has no {names}"));
                continue;
            };
            self.latest = self.latest.max(Some(time));
            if !(self.wish.from..self.wish.to).contains(&time) {
                continue;
            }
            rows.times.push(time);
            rows.values
                .extend(self.slots.iter_mut().take(width).map(std::mem::take));
            if rows.times.len() >= TOGETHER && !take(std::mem::replace(&mut rows, fresh()))? {
                return Ok(false);
            }
        }
        take(rows)
    }
}
