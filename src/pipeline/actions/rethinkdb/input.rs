//! `input_rethinkdb`

use super::super::alert::DB_PATH;
use super::super::change::whole_seconds;
use super::{IP, PASSWORD, PORT, Server, USER, WAIT};
use crate::diagnostic::{Code, Outcome};
use crate::eval::{Value, json};
use crate::pipeline::event::Event;
use crate::pipeline::record::Record;
use crate::pipeline::rethink::{Connection, Error, term};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use crate::pipeline::tag::Pattern;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub const INPUT_RETHINKDB: ActionSpec = ActionSpec {
    name: "input_rethinkdb",
    kind: ActionKind::Input,
    summary: "Reads documents of tables of RethinkDB as their time comes.",
    details: "Every `window` seconds it reads the documents whose `timestamp_index` has passed since the last time, table by table in the order of their names, by that index, which the tables must have. The field `id` is left out; the time of an event is the clock's. With `remove` documents are deleted when the outputs have taken them, and a table goes when it is empty. The place is saved after each round: a stop within one reads that round again.",
    parameters: &[
        ParameterSpec::required("tag", ParameterKind::Text, "the tag of the events"),
        ParameterSpec::optional(
            "window",
            ParameterKind::Seconds,
            "60",
            "how often documents are read",
        ),
        ParameterSpec::required(
            "timestamp_index",
            ParameterKind::Text,
            "the index of the field with the time in seconds since 1970",
        )
        .also(&["time_key"]),
        ParameterSpec::required(
            "table_name_match",
            ParameterKind::Pattern,
            "which tables are read, such as `log_*`",
        ),
        IP,
        PORT,
        ParameterSpec::optional("database_name", ParameterKind::Text, "test", "the database")
            .also(&["database"]),
        USER,
        PASSWORD,
        WAIT,
        ParameterSpec::optional(
            "offset",
            ParameterKind::Number,
            "0",
            "seconds by which the clock of the documents is ahead",
        ),
        ParameterSpec::optional(
            "remove",
            ParameterKind::Flag,
            "false",
            "whether documents are removed when they have been taken",
        ),
        ParameterSpec::optional(
            "reload_position",
            ParameterKind::Flag,
            "false",
            "whether it begins where it stopped, the first time with the oldest document; else with those from now on",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: input_rethinkdb\n  tag: log\n  table_name_match: log_*\n  ip: foo.bar.com\n  timestamp_index: timestamp\n  window: 60",
    ],
    make,
};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(200);

struct Documents {
    /// Away only within a round.
    server: Option<Server>,
    database: String,
    tag: SmolStr,
    window: i64,
    index: String,
    pattern: Pattern,
    offset: f64,
    remove: bool,
    reload: bool,
    position: Option<i64>,
    taken: Arc<Mutex<Vec<Doomed>>>,
}

/// Documents that were taken and go.
#[derive(Clone)]
struct Doomed {
    table: String,
    keys: Vec<Json>,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Input(Box::new(Documents {
        server: Some(Server::of(parameters)?),
        database: parameters.text_or("database_name", "test").into(),
        tag: parameters.text_or("tag", ""),
        window: parameters.seconds("window").map_or(60, whole_seconds),
        index: parameters.text_or("timestamp_index", "").into(),
        pattern: Pattern::new(&parameters.text_or("table_name_match", "*")),
        offset: parameters.number("offset").unwrap_or(0.0),
        remove: parameters.flag("remove").unwrap_or(false),
        reload: parameters.flag("reload_position").unwrap_or(false),
        position: None,
        taken: Arc::default(),
    })))
}

impl Input for Documents {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        let now = |offset: f64| (feed.time().seconds() + offset) as i64;
        if self.reload {
            if !self.round(now(self.offset), feed)? {
                return Ok(());
            }
        } else {
            self.position = Some(now(self.offset));
        }
        if !feed.once() {
            while feed.pause(LOOK) {
                self.remove_taken(feed)?;
                let until = now(self.offset);
                let passed = self.position.map(|p| until.saturating_sub(p));
                if passed.is_none_or(|p| p >= self.window) && !self.round(until, feed)? {
                    break;
                }
            }
        }
        self.settle(feed)
    }

    fn load(&mut self, saved: &Json) -> Result<(), String> {
        if self.reload {
            self.position = saved.get("position").and_then(Json::as_i64);
        }
        Ok(())
    }
}

impl Documents {
    /// Reads all documents before `until`. False when the input shall end.
    fn round(&mut self, until: i64, feed: &Feed) -> Outcome<bool> {
        let from = self.position.unwrap_or(0);
        let go_on = || !feed.stopped();
        let Some(mut server) = self.server.take() else {
            return Ok(false);
        };
        let list = term::table_list(&self.database);
        // A lost connection begins with the table again from which nothing more came.
        let mut done: Vec<(String, usize)> = Vec::new();
        let read = server.with(Code::CannotRead, &go_on, |connection| {
            let mut tables = connection.names(&list)?;
            tables.retain(|name| self.pattern.matches(name));
            tables.sort();
            for table in tables {
                if !self.read_table(connection, &table, (from, until), feed, &mut done)? {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        self.server = Some(server);
        if !read? {
            return Ok(false);
        }
        self.position = Some(until);
        let token = self.token(Some(until), None);
        Ok(feed.events(Vec::new(), Some(token)))
    }

    fn read_table(
        &self,
        connection: &mut Connection,
        table: &str,
        (from, until): (i64, i64),
        feed: &Feed,
        done: &mut Vec<(String, usize)>,
    ) -> Result<bool, Error> {
        let place = term::table(&self.database, table);
        let query = term::between(&place, &self.index, from, until);
        let mut answer = connection.ask(&query)?;
        let mut skip = done.iter().find(|(t, _)| t == table).map_or(0, |(_, n)| *n);
        loop {
            let fresh = answer
                .rows
                .get(skip.min(answer.rows.len())..)
                .unwrap_or_default();
            skip = skip.saturating_sub(answer.rows.len());
            if !fresh.is_empty() {
                let events = fresh.iter().filter_map(|row| self.event(row, feed));
                let keys = fresh.iter().filter_map(|row| row.get("id").cloned());
                let doomed = self.remove.then(|| Doomed {
                    table: table.to_owned(),
                    keys: keys.collect(),
                });
                let token = self.token(self.position, doomed);
                if !feed.events(events.collect(), Some(token)) || feed.stopped() {
                    if let Some(more) = answer.more {
                        connection.stop(more)?;
                    }
                    return Ok(false);
                }
                match done.iter_mut().find(|(t, _)| t == table) {
                    Some((_, count)) => *count += fresh.len(),
                    None => done.push((table.to_owned(), fresh.len())),
                }
            }
            match answer.more {
                Some(more) => answer = connection.more(more)?,
                None => return Ok(true),
            }
        }
    }

    fn event(&self, row: &Json, feed: &Feed) -> Option<Event> {
        let fields = row.as_object()?.iter().filter(|(name, _)| *name != "id");
        let record: Record = fields
            .map(|(name, value)| (Value::text(name), value_of(value)))
            .collect();
        Some(feed.event(&self.tag, record))
    }

    fn token(&self, position: Option<i64>, doomed: Option<Doomed>) -> Arc<dyn Token> {
        Arc::new(Taken {
            position,
            doomed: Mutex::new(doomed),
            taken: self.taken.clone(),
            waits: self.remove,
        })
    }

    /// Deletes what has been taken, and tables that are empty then.
    fn remove_taken(&mut self, feed: &Feed) -> Outcome<()> {
        let all = std::mem::take(&mut *self.taken.lock());
        let (database, go_on) = (&self.database, || !feed.line.ended.load(Ordering::Relaxed));
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        for doomed in all {
            server.with(Code::CannotWrite, &go_on, |connection| {
                let table = term::table(database, &doomed.table);
                connection.one(&term::delete(&term::get_all(&table, &doomed.keys)))?;
                if connection.one(&term::count(&table))? == json!(0) {
                    connection.one(&term::table_drop(database, &doomed.table))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits until the outputs have taken everything, and deletes it.
    fn settle(&mut self, feed: &Feed) -> Outcome<()> {
        let end = Instant::now() + Duration::from_secs(30);
        while self.remove && !feed.line.ended.load(Ordering::Relaxed) && Instant::now() < end {
            self.remove_taken(feed)?;
            // Only this list and the tokens on the way hold it.
            if Arc::strong_count(&self.taken) == 1 && self.taken.lock().is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// A value of a document; times become seconds.
fn value_of(value: &Json) -> Value {
    let kind = value.get("$reql_type$").and_then(Json::as_str);
    let value = match kind {
        Some("TIME") => value.get("epoch_time").unwrap_or(value),
        _ => value,
    };
    json::from_json(value, 200).unwrap_or_default()
}

/// Documents that were fed.
struct Taken {
    position: Option<i64>,
    doomed: Mutex<Option<Doomed>>,
    taken: Arc<Mutex<Vec<Doomed>>>,
    waits: bool,
}

impl Token for Taken {
    fn position(&self) -> Option<Json> {
        self.position.map(|position| json!({"position": position}))
    }

    fn acknowledge(&self) {
        if let Some(doomed) = self.doomed.lock().take() {
            self.taken.lock().push(doomed);
        }
    }

    fn urgent(&self) -> bool {
        self.waits
    }
}
