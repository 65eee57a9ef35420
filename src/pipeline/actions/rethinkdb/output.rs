//! `output_rethinkdb`

use super::super::alert::DB_PATH;
use super::super::archive::path::{PathTemplate, second};
use super::{IP, PASSWORD, PORT, Server, USER, WAIT};
use crate::diagnostic::{Code, Outcome};
use crate::eval::json;
use crate::pipeline::event::Event;
use crate::pipeline::python;
use crate::pipeline::rethink::{Connection, Error, term};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Now, Render, Sink, Step};
use ahash::AHashSet;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const OUTPUT_RETHINKDB: ActionSpec = ActionSpec {
    name: "output_rethinkdb",
    kind: ActionKind::Output,
    summary: "Inserts events as documents into tables of RethinkDB whose names hold dates and fields.",
    details: "The database, tables and an index of `time_key` are made when they are missing. A document without `id` gets one when it is rendered, so that sending it again after a lost connection doubles nothing; after a crash it comes again with another. Documents are held until there are more than `buffer_size` or `timeout_flush` has passed, and when positions are kept or an input waits at most a second; the server has them on its disk then. A document that the server does not take is told as a warning.",
    parameters: &[
        ParameterSpec::required(
            "time_key",
            ParameterKind::Text,
            "the field with the time in seconds since 1970, for the name of the table",
        )
        .also(&["timestamp_index"]),
        ParameterSpec::required(
            "table_template",
            ParameterKind::Text,
            "the name of the table, such as `log_%Y%m%d`; what a name may not have becomes `_`",
        ),
        ParameterSpec::optional("database", ParameterKind::Text, "test", "the database")
            .also(&["database_name"]),
        IP,
        PORT,
        USER,
        PASSWORD,
        WAIT,
        ParameterSpec::optional(
            "conflict",
            ParameterKind::Choice(&["replace", "update", "error"]),
            "replace",
            "what happens to a document whose `id` is there: it is replaced, gets the new fields, or stays",
        ),
        ParameterSpec::optional(
            "buffer_size",
            ParameterKind::Whole,
            "1000",
            "how many documents are held",
        ),
        ParameterSpec::optional(
            "timeout_flush",
            ParameterKind::Seconds,
            "60",
            "after this time all documents are written",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: output_rethinkdb\n  match: my_log\n  time_key: timestamp\n  table_template: log-%Y%m%d\n  database: test\n  ip: rethink.com\n  port: 28015",
    ],
    make,
};

/// So many bytes are sent at once.
const PIECE: usize = 4 << 20;

/// When so many bytes are held they are sent.
const HELD: usize = 32 << 20;

struct Documents {
    template: PathTemplate,
    time_key: SmolStr,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let text = parameters.text_or("table_template", "");
    let template = PathTemplate::new(&text, SmolStr::default(), build.context.zone.clone())
        .map_err(|reason| parameters.fault("table_template", reason))?;
    let time_key = parameters.text_or("time_key", "");
    let timeout = parameters.seconds("timeout_flush");
    let sink = Tables {
        server: Server::of(parameters)?,
        database: parameters.text_or("database", "test").into(),
        index: time_key.clone().into(),
        conflict: parameters.text_or("conflict", "replace").into(),
        held: BTreeMap::new(),
        count: 0,
        bytes: 0,
        most: parameters
            .whole("buffer_size")
            .map_or(1000, |n| usize::try_from(n).unwrap_or(0)),
        timeout: timeout.unwrap_or(Duration::from_secs(60)),
        flushed: None,
        known: AHashSet::new(),
    };
    Ok(Step::Output(
        Arc::new(Documents { template, time_key }),
        Box::new(sink),
    ))
}

/// A key that no other document has (a random UUID, RFC 9562).
fn new_key() -> Result<String, String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | 4 << 76 | 2 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}

impl Render for Documents {
    fn render(&self, event: &Event, route: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        let record = &event.record;
        let at = second(record, &self.time_key)?;
        let mut name = String::new();
        self.template.fill_at(at, record, &mut name)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        route.extend(name.chars().map(|c| if allowed(c) { c } else { '_' }));
        let mut document = Map::new();
        for (key, value) in record.iter() {
            let value = json::to_json(value).map_err(|fault| fault.message.to_string())?;
            document.insert(python::text(key).into_owned(), value);
        }
        if !document.contains_key("id") {
            document.insert("id".to_owned(), Json::String(new_key()?));
        }
        serde_json::to_writer(&mut *out, &document).map_err(|error| error.to_string())?;
        out.push(b'\n');
        Ok(())
    }
}

struct Tables {
    server: Server,
    database: String,
    index: String,
    conflict: String,
    /// Lines of JSON by table.
    held: BTreeMap<String, Vec<u8>>,
    count: usize,
    bytes: usize,
    most: usize,
    timeout: Duration,
    flushed: Option<Instant>,
    /// Tables that are there with their index.
    known: AHashSet<String>,
}

impl Tables {
    fn put_all(&mut self) -> Outcome<()> {
        self.flushed = Some(Instant::now());
        while let Some((table, lines)) = self.held.first_key_value() {
            let (table, text) = (table.clone(), String::from_utf8_lossy(lines).into_owned());
            for piece in pieces(&text) {
                self.put(&table, &piece)?;
            }
            self.held.remove(&table);
        }
        (self.count, self.bytes) = (0, 0);
        Ok(())
    }

    fn put(&mut self, table: &str, documents: &str) -> Outcome<()> {
        let (database, index, conflict) = (&self.database, &self.index, &self.conflict);
        let known = self.known.contains(table);
        let done = self
            .server
            .with(Code::CannotWrite, &|| true, |connection| {
                if !known {
                    make_table(connection, database, table, index)?;
                }
                let place = term::table(database, table);
                connection.one(&term::insert(&place, documents, conflict))
            })?;
        self.known.insert(table.to_owned());
        if let Some(errors) = done.get("errors").and_then(Json::as_u64).filter(|n| *n > 0) {
            let first = done.get("first_error").and_then(Json::as_str);
            let first = first
                .and_then(|text| text.lines().next())
                .unwrap_or_default();
            tracing::warn!("RethinkDB did not take {errors} documents into {table}: {first}");
        }
        Ok(())
    }
}

/// Lines as arrays of JSON, none too large.
fn pieces(lines: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for line in lines.lines() {
        if piece.len() + line.len() > PIECE && !piece.is_empty() {
            pieces.push(format!("[{piece}]"));
            piece.clear();
        }
        if !piece.is_empty() {
            piece.push(',');
        }
        piece.push_str(line);
    }
    if !piece.is_empty() {
        pieces.push(format!("[{piece}]"));
    }
    pieces
}

/// Makes what is missing; somebody else may be quicker.
fn make_table(
    connection: &mut Connection,
    database: &str,
    table: &str,
    index: &str,
) -> Result<(), Error> {
    let make = |connection: &mut Connection, there: &Json, name: &str, term: &Json| {
        if connection.names(there)?.iter().any(|known| known == name) {
            return Ok(());
        }
        match connection.one(term) {
            Err(error @ Error::Refused(_)) => {
                match connection.names(there)?.iter().any(|known| known == name) {
                    true => Ok(()),
                    false => Err(error),
                }
            }
            other => other.map(drop),
        }
    };
    make(
        connection,
        &term::db_list(),
        database,
        &term::db_create(database),
    )?;
    let (list, create) = (
        term::table_list(database),
        term::table_create(database, table),
    );
    make(connection, &list, table, &create)?;
    let place = term::table(database, table);
    let (list, create) = (term::index_list(&place), term::index_create(&place, index));
    if index != "id" {
        make(connection, &list, index, &create)?;
        connection.one(&term::index_wait(&place, index))?;
    }
    Ok(())
}

impl Sink for Tables {
    fn write(&mut self, route: &str, bytes: &[u8], count: usize) -> Outcome<()> {
        let held = self.held.entry(route.to_owned()).or_default();
        held.extend_from_slice(bytes);
        self.count += count;
        self.bytes += bytes.len();
        match self.count > self.most || self.bytes > HELD {
            true => self.put_all(),
            false => Ok(()),
        }
    }

    fn tick(&mut self, _: Now, _: bool) -> Outcome<()> {
        match self.flushed.is_none_or(|at| at.elapsed() >= self.timeout) {
            true => self.put_all(),
            false => Ok(()),
        }
    }

    fn flush(&mut self, _: bool) -> Outcome<()> {
        self.put_all()
    }

    fn save(&self) -> Option<Json> {
        // Everything has been written; feedoo finds an empty state.
        Some(serde_json::json!({"data": {}, "key_timeout": {}}))
    }
}
