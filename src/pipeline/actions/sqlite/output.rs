//! `output_sqlite`

use super::super::alert::DB_PATH;
use super::super::archive::path::{PathTemplate, second};
use super::again::Again;
use super::{FIELDS, FILENAME, fault, fields, is_locked, open, quoted};
use crate::diagnostic::{Code, Outcome};
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::python;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Now, Render, Sink, Step};
use crate::pipeline::yaml::Bytes;
use ahash::AHashMap;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ToSql, Transaction, TransactionBehavior, params_from_iter};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const OUTPUT_SQLITE: ActionSpec = ActionSpec {
    name: "output_sqlite",
    kind: ActionKind::Output,
    summary: "Writes events as rows of tables whose names hold dates and fields, into an SQLite database.",
    details: "Only the fields of `fields` are written; an event that lacks one is not written, and goes on. Tables are made, and get the columns that they lack. Values are written as Python's text of them, which SQLite makes a number in columns that hold numbers; bytes stay bytes in a BLOB. Rows are held until there are more than `buffer_size` or `timeout_flush` has passed, and when positions are kept (`db_path`, `--state`) or an input waits at most a second; all that is held is written in one transaction. While somebody else has locked the database it waits.",
    parameters: &[
        ParameterSpec::optional(
            "time_key",
            ParameterKind::Text,
            "the time of the event",
            "the field with the time in seconds since 1970, for the name of the table",
        ),
        ParameterSpec::required(
            "table_template",
            ParameterKind::Text,
            "the name of the table, such as `log_%Y%m%d` or `{source}_%Y`",
        ),
        FILENAME,
        FIELDS,
        ParameterSpec::optional(
            "buffer_size",
            ParameterKind::Whole,
            "1000",
            "how many rows are held",
        ),
        ParameterSpec::optional(
            "timeout_flush",
            ParameterKind::Seconds,
            "60",
            "after this time all rows are written",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: output_sqlite\n  match: my_log\n  table_template: log_%Y%m%d\n  fields: {timestamp: INTEGER, line: TEXT}\n  filename: /tmp/test.db\n  db_path: /tmp/test.pos.db",
    ],
    make,
};

/// So long a lock is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// After so long without work nothing comes again any more.
const QUIET: Duration = Duration::from_secs(5);

/// When so many bytes are held they are written.
const HELD: usize = 32 << 20;

pub(super) type Fields = Vec<(SmolStr, &'static str)>;

/// A value as it is given to SQLite.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Cell {
    Text(String),
    Blob(Vec<u8>),
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Cell::Text(text) => text.to_sql(),
            Cell::Blob(bytes) => bytes.to_sql(),
        }
    }
}

struct Rows {
    template: PathTemplate,
    time_key: Option<SmolStr>,
    fields: Fields,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let text = parameters.text_or("table_template", "");
    let template = PathTemplate::new(&text, SmolStr::default(), build.context.zone.clone())
        .map_err(|reason| parameters.fault("table_template", reason))?;
    let fields = fields(parameters)?;
    let timeout = parameters.seconds("timeout_flush");
    let render = Rows {
        template,
        time_key: parameters.text("time_key"),
        fields: fields.clone(),
    };
    let sink = Tables {
        path: parameters.path("filename").unwrap_or_default(),
        conn: None,
        fields,
        held: Vec::new(),
        bytes: 0,
        most: parameters
            .whole("buffer_size")
            .map_or(1000, |n| usize::try_from(n).unwrap_or(0)),
        timeout: timeout.unwrap_or(Duration::from_secs(60)),
        // The first look at the clock writes what there is, as with feedoo.
        flushed: None,
        known: AHashMap::new(),
        again: Again::default(),
        worked: Instant::now(),
    };
    Ok(Step::Output(Arc::new(render), Box::new(sink)))
}

impl Render for Rows {
    fn render(&self, event: &Event, route: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        let record = &event.record;
        if self
            .fields
            .iter()
            .any(|(name, _)| record.get(name).is_none())
        {
            return Ok(());
        }
        let second = match &self.time_key {
            Some(key) => second(record, key)?,
            None => event.time.millis().div_euclid(1000),
        };
        self.template.fill_at(second, record, route)?;
        for (name, kind) in &self.fields {
            let value = record.get(name).unwrap_or(&Value::Null);
            let (mark, text) = match value.as_object::<Bytes>() {
                Some(bytes) if *kind == "BLOB" => (1, bytes.0.clone()),
                _ => (0, python::text(value).into_owned().into_bytes()),
            };
            let length = u32::try_from(text.len())
                .map_err(|_| format!("{name} is too long for a database"))?;
            out.push(mark);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&text);
        }
        Ok(())
    }
}

/// Takes rows apart again.
fn cells(mut bytes: &[u8], columns: usize) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let mut row = Vec::with_capacity(columns);
    while let Some((head, rest)) = bytes.split_first_chunk::<5>() {
        let [mark, length @ ..] = *head;
        let length = u32::from_le_bytes(length) as usize;
        let Some((body, rest)) = rest.split_at_checked(length) else {
            break;
        };
        bytes = rest;
        row.push(match mark {
            0 => Cell::Text(String::from_utf8_lossy(body).into_owned()),
            _ => Cell::Blob(body.to_vec()),
        });
        if row.len() == columns {
            rows.push(std::mem::replace(&mut row, Vec::with_capacity(columns)));
        }
    }
    rows
}

struct Tables {
    path: PathBuf,
    conn: Option<Connection>,
    fields: Fields,
    held: Vec<(String, Vec<Cell>)>,
    bytes: usize,
    most: usize,
    timeout: Duration,
    flushed: Option<Instant>,
    /// The last row of each table that there is.
    known: AHashMap<String, i64>,
    again: Again,
    /// When there was work last.
    worked: Instant,
}

impl Tables {
    fn connected(&mut self) -> rusqlite::Result<&mut Connection> {
        if self.conn.is_none() {
            if let Some(folder) = self.path.parent().filter(|f| !f.as_os_str().is_empty()) {
                // A failure shows at once when the database is opened.
                let _ = std::fs::create_dir_all(folder);
            }
            let conn = open(&self.path, true)?;
            self.known = super::again::last_rows(&conn)?;
            self.conn = Some(conn);
        }
        match &mut self.conn {
            Some(conn) => Ok(conn),
            None => Err(rusqlite::Error::InvalidQuery),
        }
    }

    fn try_put(&mut self) -> rusqlite::Result<()> {
        let held = std::mem::take(&mut self.held);
        let (fields, mut again) = (self.fields.clone(), std::mem::take(&mut self.again));
        let written = self.connected().and_then(|conn| {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let last = put(&tx, &fields, &held, &mut again)?;
            tx.commit()?;
            Ok(last)
        });
        self.again = again;
        match written {
            Ok(last) => {
                self.known.extend(last);
                self.again.settled();
                Ok(())
            }
            Err(error) => {
                self.held = held;
                self.again.undo();
                Err(error)
            }
        }
    }

    /// Writes what is held: all of it, or nothing.
    fn put_all(&mut self) -> Outcome<()> {
        self.flushed = Some(Instant::now());
        if self.held.is_empty() {
            return Ok(());
        }
        let end = Instant::now() + PATIENCE;
        while let Err(error) = self.try_put() {
            if !is_locked(&error) || Instant::now() > end {
                return Err(fault(Code::CannotWrite, &self.path, &error));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.bytes = 0;
        Ok(())
    }
}

/// Makes tables and columns that lack, and puts the rows in; the last row of each table.
fn put(
    tx: &Transaction<'_>,
    fields: &Fields,
    held: &[(String, Vec<Cell>)],
    again: &mut Again,
) -> rusqlite::Result<AHashMap<String, i64>> {
    let mut last: AHashMap<String, i64> = AHashMap::new();
    let names = fields.iter().map(|(name, _)| quoted(name));
    let names = names.collect::<Vec<_>>().join(", ");
    let marks = vec!["?"; fields.len()].join(", ");
    for (table, row) in held {
        if !last.contains_key(table) {
            make_table(tx, table, fields)?;
            again.look(tx, table, fields)?;
            last.insert(table.clone(), 0);
        }
        if again.is_there(tx, table, fields, row)? {
            continue;
        }
        let sql = format!("INSERT INTO {} ({names}) VALUES ({marks})", quoted(table));
        tx.prepare_cached(&sql)?.execute(params_from_iter(row))?;
    }
    for (table, last) in &mut last {
        *last = super::again::last_row(tx, table)?;
    }
    Ok(last)
}

fn make_table(tx: &Transaction<'_>, table: &str, fields: &Fields) -> rusqlite::Result<()> {
    let column = |(name, kind): &(SmolStr, &'static str)| format!("{} {kind}", quoted(name));
    let columns: Vec<String> = fields.iter().map(column).collect();
    let (name, columns) = (quoted(table), columns.join(", "));
    tx.execute_batch(&format!("CREATE TABLE IF NOT EXISTS {name} ({columns})"))?;
    let mut there = tx.prepare_cached("SELECT name FROM pragma_table_xinfo(?1)")?;
    let there = there.query_map([table], |row| row.get::<_, String>(0))?;
    let there: Vec<String> = there.collect::<rusqlite::Result<_>>()?;
    let missing = fields
        .iter()
        .filter(|(field, _)| !there.iter().any(|name| name.eq_ignore_ascii_case(field)));
    for field in missing {
        let sql = format!("ALTER TABLE {name} ADD COLUMN {}", column(field));
        tx.execute_batch(&sql)?;
    }
    Ok(())
}

impl Sink for Tables {
    fn write(&mut self, route: &str, bytes: &[u8], _: usize) -> Outcome<()> {
        for row in cells(bytes, self.fields.len()) {
            self.held.push((route.to_owned(), row));
        }
        self.bytes += bytes.len();
        match self.held.len() > self.most || self.bytes > HELD {
            true => self.put_all(),
            false => Ok(()),
        }
    }

    fn tick(&mut self, _: Now, idle: bool) -> Outcome<()> {
        if !idle {
            self.worked = Instant::now();
        } else if self.again.any() && self.worked.elapsed() >= QUIET {
            // What comes again after a crash has come.
            self.put_all()?;
            self.again = Again::default();
        }
        match self.flushed.is_none_or(|at| at.elapsed() >= self.timeout) {
            true => self.put_all(),
            false => Ok(()),
        }
    }

    fn flush(&mut self, durably: bool) -> Outcome<()> {
        // What is there counts before the first row is written.
        if durably && self.conn.is_none() && self.held.is_empty() {
            self.connected()
                .map(drop)
                .or_else(|error| match is_locked(&error) {
                    true => Ok(()),
                    false => Err(error),
                })
                .map_err(|error| fault(Code::CannotWrite, &self.path, &error))?;
        }
        self.put_all()
    }

    fn save(&self) -> Option<Json> {
        // Before it could be opened nothing is known.
        self.conn.as_ref()?;
        Some(self.again.save(&self.known))
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.again = Again::load(state)?;
        Ok(())
    }
}
