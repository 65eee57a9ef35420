//! `input_sqlite`

use super::super::alert::DB_PATH;
use super::{FIELDS, FILENAME, fault, fields, is_locked, open, quoted, value_of};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::pipeline::event::Event;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use crate::pipeline::tag::Pattern;
use parking_lot::Mutex;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub const INPUT_SQLITE: ActionSpec = ActionSpec {
    name: "input_sqlite",
    kind: ActionKind::Input,
    summary: "Reads rows of the tables of an SQLite database as their time comes.",
    details: "Every `window` seconds it reads the rows whose `time_key` has passed since the last time, table by table (the one with the oldest last row first), in the order of time. A row that is written later than its time is missed. The time of an event is the clock's. With `remove` rows are deleted when the outputs have taken them, and a table goes when it is empty. A database that is locked is asked again; one that is not there is waited for.",
    parameters: &[
        ParameterSpec::required("tag", ParameterKind::Text, "the tag of the events"),
        ParameterSpec::optional(
            "window",
            ParameterKind::Seconds,
            "60",
            "how often rows are read",
        ),
        ParameterSpec::required(
            "time_key",
            ParameterKind::Text,
            "the column with the time in seconds since 1970, whole or not",
        ),
        ParameterSpec::required(
            "table_name_match",
            ParameterKind::Pattern,
            "which tables are read, such as `log_*`",
        ),
        FILENAME,
        FIELDS,
        ParameterSpec::optional(
            "offset",
            ParameterKind::Number,
            "0",
            "seconds by which the clock of the rows is ahead",
        ),
        ParameterSpec::optional(
            "remove",
            ParameterKind::Flag,
            "false",
            "whether rows are removed when they have been taken",
        ),
        ParameterSpec::optional(
            "reload_position",
            ParameterKind::Flag,
            "false",
            "whether it begins where it stopped, the first time with the oldest row; else with rows from now on",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: input_sqlite\n  tag: log\n  table_name_match: log_*\n  filename: /my/path/test.db\n  fields: {timestamp: INTEGER, line: TEXT}\n  time_key: timestamp",
    ],
    make,
};

/// How many rows are fed at once.
const PIECE: usize = 1000;

/// How many rows of a table are listed at once.
const LISTED: i64 = 500_000;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(200);

struct Rows {
    tag: SmolStr,
    window: i64,
    time_key: SmolStr,
    pattern: Pattern,
    path: PathBuf,
    /// Sorted, as feedoo gives them.
    fields: Vec<SmolStr>,
    offset: f64,
    remove: bool,
    reload: bool,
    place: Place,
    removed: Arc<Mutex<Vec<Doomed>>>,
}

/// Up to where rows have been read.
#[derive(Debug, Clone, Default, PartialEq)]
struct Place {
    /// Everything before it, once there was a first look.
    position: Option<i64>,
    /// The tables that are done within a round up to `until`, the last one up to `row`.
    until: i64,
    done: Vec<String>,
    row: Option<(f64, i64)>,
}

/// Rows that were taken and go.
struct Doomed {
    table: String,
    rows: Vec<i64>,
    /// For tables without row ids: all rows of this time.
    range: Option<(i64, i64)>,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let time_key = parameters.text_or("time_key", "");
    let mut fields: Vec<SmolStr> = fields(parameters)?.into_iter().map(|(f, _)| f).collect();
    fields.sort();
    let window = parameters.seconds("window");
    let window = window.map_or(60, super::super::change::whole_seconds);
    Ok(Step::Input(Box::new(Rows {
        tag: parameters.text_or("tag", ""),
        window,
        time_key,
        pattern: Pattern::new(&parameters.text_or("table_name_match", "*")),
        path: parameters.path("filename").unwrap_or_default(),
        fields,
        offset: parameters.number("offset").unwrap_or(0.0),
        remove: parameters.flag("remove").unwrap_or(false),
        reload: parameters.flag("reload_position").unwrap_or(false),
        place: Place::default(),
        removed: Arc::default(),
    })))
}

impl Input for Rows {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        let now = |offset: f64| (feed.time().seconds() + offset) as i64;
        if self.reload {
            if !self.round(now(self.offset), feed)? {
                return Ok(());
            }
        } else {
            self.place = Place {
                position: Some(now(self.offset)),
                ..Place::default()
            };
        }
        if feed.once() {
            return self.settle(feed);
        }
        while feed.pause(LOOK) {
            self.remove_taken()?;
            let until = now(self.offset);
            let due = self
                .place
                .position
                .is_none_or(|p| until.saturating_sub(p) >= self.window);
            if due && !self.round(until, feed)? {
                break;
            }
        }
        self.settle(feed)
    }

    fn load(&mut self, saved: &Json) -> Result<(), String> {
        if !self.reload {
            return Ok(());
        }
        let whole = |name: &str| saved.get(name).and_then(Json::as_i64);
        let done = saved.get("tables").and_then(Json::as_array);
        let done = done.map(Vec::as_slice).unwrap_or_default();
        let row = saved.get("time").and_then(Json::as_f64);
        self.place = Place {
            position: whole("position"),
            until: whole("until").unwrap_or(0),
            done: done
                .iter()
                .filter_map(|t| t.as_str().map(str::to_owned))
                .collect(),
            row: row.zip(whole("row")),
        };
        Ok(())
    }
}

impl Rows {
    /// Reads all rows before `until`. False when the input shall end.
    fn round(&mut self, until: i64, feed: &Feed) -> Outcome<bool> {
        // A round that a stop or a crash cut short is brought to its end first.
        let until = match self.place.done.is_empty() {
            true => until,
            false => self.place.until,
        };
        let path = self.path.clone();
        let read = |error: &rusqlite::Error| fault(Code::CannotRead, &path, error);
        loop {
            if !self.path.exists() {
                break;
            }
            match open(&self.path, false).and_then(|conn| self.read_all(&conn, until, feed)) {
                Ok(Ok(true)) => break,
                Ok(Ok(false)) => return Ok(false),
                Ok(Err(fault)) => return Err(fault),
                Err(error) if is_locked(&error) => {
                    if !feed.pause(LOOK) {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(read(&error)),
            }
        }
        self.place = Place {
            position: Some(until),
            ..Place::default()
        };
        let token = self.token(&self.place, None);
        Ok(feed.events(Vec::new(), Some(token)))
    }

    fn read_all(
        &mut self,
        conn: &Connection,
        until: i64,
        feed: &Feed,
    ) -> rusqlite::Result<Outcome<bool>> {
        let mut statement = conn.prepare(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
        let from = self.place.position.unwrap_or(0);
        let mut tables = Vec::new();
        for name in names.into_iter().filter(|name| self.pattern.matches(name)) {
            if let Err(fault) = self.check(conn, &name)? {
                return Ok(Err(fault));
            }
            let (table, time) = (quoted(&name), quoted(&self.time_key));
            let sql = format!(
                "SELECT max(t.{time}) FROM {table} AS t WHERE t.{time} >= ?1 AND t.{time} < ?2"
            );
            let last = conn.query_row(&sql, [from, until], |row| row.get::<_, Option<f64>>(0))?;
            tables.extend(last.map(|last| (last, name)));
        }
        tables.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        // The last table of a round that was cut short goes on behind its last row.
        let begun = self.place.done.pop();
        for (_, table) in tables {
            if self.place.done.contains(&table) {
                continue;
            }
            if begun.as_ref() != Some(&table) {
                self.place.row = None;
            }
            self.place.done.push(table.clone());
            self.place.until = until;
            if !self.read_table(conn, &table, (from, until), feed)? {
                return Ok(Ok(false));
            }
        }
        Ok(Ok(true))
    }

    /// Makes sure that a table has all columns: SQLite takes an unknown name for a text.
    fn check(&self, conn: &Connection, table: &str) -> rusqlite::Result<Outcome<()>> {
        let mut columns = conn.prepare("SELECT name FROM pragma_table_xinfo(?1)")?;
        let columns = columns.query_map([table], |row| row.get::<_, String>(0))?;
        let columns: Vec<String> = columns.collect::<rusqlite::Result<_>>()?;
        let there = |name: &SmolStr| columns.iter().any(|c| c.eq_ignore_ascii_case(name));
        let mut wanted = self.fields.iter().chain([&self.time_key]);
        Ok(match wanted.find(|name| !there(name)) {
            None => Ok(()),
            Some(name) => Err(Diagnostic::new(
                Code::CannotRead,
                format!(
                    "the table {table} of {} has no column {name}",
                    self.path.display()
                ),
            )
            .help("name the tables more closely in table_name_match, or correct fields")),
        })
    }

    fn read_table(
        &mut self,
        conn: &Connection,
        name: &str,
        (from, until): (i64, i64),
        feed: &Feed,
    ) -> rusqlite::Result<bool> {
        let (table, time) = (quoted(name), quoted(&self.time_key));
        let columns = self.fields.iter().map(|f| format!("t.{}", quoted(f)));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let list = format!(
            "SELECT t.{time}, t._rowid_ FROM {table} AS t WHERE t.{time} >= ?1 AND t.{time} < ?2 AND (t.{time}, t._rowid_) > (?3, ?4) ORDER BY t.{time}, t._rowid_ LIMIT {LISTED}"
        );
        let Ok(mut list) = conn.prepare(&list) else {
            return self.read_without_ids(conn, name, &columns, (from, until), feed);
        };
        let mut one = conn.prepare(&format!(
            "SELECT {columns} FROM {table} AS t WHERE t._rowid_ = ?1"
        ))?;
        loop {
            let (after, id) = self.place.row.unwrap_or((f64::NEG_INFINITY, i64::MIN));
            let rows = list.query_map(rusqlite::params![from, until, after, id], |row| {
                Ok((row.get::<_, f64>(0)?, row.get::<_, i64>(1)?))
            })?;
            let rows: Vec<(f64, i64)> = rows.collect::<rusqlite::Result<_>>()?;
            for piece in rows.chunks(PIECE) {
                let mut events = Vec::with_capacity(piece.len());
                for (_, id) in piece {
                    let mut row = one.query([id])?;
                    // It may have gone meanwhile.
                    if let Some(row) = row.next()? {
                        events.push(self.event(row, feed)?);
                    }
                }
                self.place.row = piece.last().copied();
                let doomed = self.remove.then(|| Doomed {
                    table: name.to_owned(),
                    rows: piece.iter().map(|(_, id)| *id).collect(),
                    range: None,
                });
                let token = self.token(&self.place, doomed);
                if !feed.events(events, Some(token)) || feed.stopped() {
                    return Ok(false);
                }
            }
            if rows.len() < LISTED as usize {
                return Ok(true);
            }
        }
    }

    /// Views and tables `WITHOUT ROWID`: a stop within one reads it again.
    fn read_without_ids(
        &mut self,
        conn: &Connection,
        name: &str,
        columns: &str,
        (from, until): (i64, i64),
        feed: &Feed,
    ) -> rusqlite::Result<bool> {
        let (table, time) = (quoted(name), quoted(&self.time_key));
        let mut statement = conn.prepare(&format!(
            "SELECT {columns} FROM {table} AS t WHERE t.{time} >= ?1 AND t.{time} < ?2 ORDER BY t.{time}, {columns}"
        ))?;
        let mut rows = statement.query([from, until])?;
        let mut events = Vec::new();
        loop {
            let row = rows.next()?;
            let last = row.is_none();
            if let Some(row) = row {
                events.push(self.event(row, feed)?);
            }
            if events.len() >= PIECE || last {
                let doomed = (self.remove && last).then(|| Doomed {
                    table: name.to_owned(),
                    rows: Vec::new(),
                    range: Some((from, until)),
                });
                let token = last.then(|| self.token(&self.place, doomed));
                if !feed.events(std::mem::take(&mut events), token) || feed.stopped() {
                    return Ok(false);
                }
            }
            if last {
                return Ok(true);
            }
        }
    }

    fn event(&self, row: &rusqlite::Row<'_>, feed: &Feed) -> rusqlite::Result<Event> {
        let mut record = Record::with_capacity(self.fields.len());
        for (at, name) in self.fields.iter().enumerate() {
            record.set(name.clone(), value_of(row.get_ref(at)?));
        }
        Ok(feed.event(&self.tag, record))
    }

    fn token(&self, place: &Place, doomed: Option<Doomed>) -> Arc<dyn Token> {
        Arc::new(Taken {
            place: place.clone(),
            doomed: Mutex::new(doomed),
            removed: self.removed.clone(),
            waits: self.remove,
        })
    }

    /// Deletes what has been taken, and tables that are empty then.
    fn remove_taken(&self) -> Outcome<()> {
        loop {
            let all = std::mem::take(&mut *self.removed.lock());
            if all.is_empty() {
                return Ok(());
            }
            let done = open(&self.path, false).and_then(|mut conn| self.delete(&mut conn, &all));
            if let Err(error) = done {
                self.removed.lock().extend(all);
                if is_locked(&error) {
                    return Ok(());
                }
                return Err(fault(Code::CannotWrite, &self.path, &error));
            }
        }
    }

    fn delete(&self, conn: &mut Connection, all: &[Doomed]) -> rusqlite::Result<()> {
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for doomed in all {
            let (table, time) = (quoted(&doomed.table), quoted(&self.time_key));
            if !doomed.rows.is_empty() {
                let mut delete = tx.prepare(&format!("DELETE FROM {table} WHERE _rowid_ = ?1"))?;
                for id in &doomed.rows {
                    delete.execute([id])?;
                }
            }
            if let Some((from, until)) = doomed.range {
                let sql = format!("DELETE FROM {table} WHERE {time} >= ?1 AND {time} < ?2");
                tx.execute(&sql, [from, until])?;
            }
        }
        let mut tables: Vec<&str> = all.iter().map(|doomed| doomed.table.as_str()).collect();
        tables.dedup();
        for table in tables {
            let table = quoted(table);
            let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {table})");
            if tx.query_row(&sql, [], |row| row.get::<_, bool>(0))? {
                tx.execute_batch(&format!("DROP TABLE {table}"))?;
            }
        }
        tx.commit()
    }

    /// Waits until the outputs have taken everything, and deletes it.
    fn settle(&self, feed: &Feed) -> Outcome<()> {
        if !self.remove {
            return Ok(());
        }
        let end = std::time::Instant::now() + Duration::from_secs(30);
        while !feed.line.ended.load(Ordering::Relaxed) && std::time::Instant::now() < end {
            self.remove_taken()?;
            // Only this list and the tokens on the way hold it.
            if Arc::strong_count(&self.removed) == 1 && self.removed.lock().is_empty() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.remove_taken()
    }
}

/// Rows that were fed.
struct Taken {
    place: Place,
    doomed: Mutex<Option<Doomed>>,
    removed: Arc<Mutex<Vec<Doomed>>>,
    waits: bool,
}

impl Token for Taken {
    fn position(&self) -> Option<Json> {
        let place = &self.place;
        let mut saved = json!({"position": place.position});
        if let (Json::Object(saved), false) = (&mut saved, place.done.is_empty()) {
            saved.insert("until".to_owned(), json!(place.until));
            saved.insert("tables".to_owned(), json!(place.done));
            if let Some((time, row)) = place.row {
                saved.insert("time".to_owned(), json!(time));
                saved.insert("row".to_owned(), json!(row));
            }
        }
        Some(saved)
    }

    fn acknowledge(&self) {
        if let Some(doomed) = self.doomed.lock().take() {
            self.removed.lock().push(doomed);
        }
    }

    fn urgent(&self) -> bool {
        self.waits
    }
}
