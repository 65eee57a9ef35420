//! Tasks in the embedded file: what outlives the program.

use super::request::{Definition, Destination};
use super::status::{Move, Status};
use crate::collect::entry::About;
use crate::collect::key::Base;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::{Room, Store, Within};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;

/// Where tasks lie in the embedded file.
pub static TASK: Room = Room {
    name: "collect_task",
    migrations: &["
        CREATE TABLE collect_task (
            id TEXT PRIMARY KEY, domain TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL,
            destination TEXT NOT NULL, query TEXT NOT NULL, query_id TEXT, params TEXT NOT NULL,
            status TEXT NOT NULL, round INTEGER NOT NULL, created INTEGER NOT NULL, origin INTEGER NOT NULL,
            last INTEGER, read INTEGER NOT NULL, kept INTEGER NOT NULL, errors TEXT NOT NULL, store TEXT NOT NULL,
            UNIQUE (domain, name)) STRICT"],
    expire: None,
};

/// A task as it is kept. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// What it is called by programs.
    pub id: String,
    /// Whose it is.
    pub domain: SmolStr,
    /// Who made it; may be empty.
    pub owner: SmolStr,
    /// The query; empty where events were given.
    pub query: String,
    /// The name of the saved query that it was.
    pub query_id: Option<String>,
    /// What is done with the rows.
    pub definition: Definition,
    /// What it is doing.
    pub status: Status,
    /// How often it has been started: whoever works on an earlier round has been stopped.
    pub round: i64,
    /// When it was made.
    pub created: i64,
    /// From this time on it reads when it starts the next time.
    pub origin: i64,
    /// The latest date of its rows.
    pub last: Option<i64>,
    /// Rows that the query gave.
    pub read: u64,
    /// Entries that were stored.
    pub kept: u64,
    /// What went wrong, the latest at the end.
    pub errors: Vec<String>,
    /// Which life of its store it has written to.
    pub store: SmolStr,
}

impl Task {
    /// What all keys of its entries begin with.
    pub fn base(&self) -> Base {
        Base::new(&self.domain, &self.definition.name)
    }

    /// What is to be known about the collection that it fills; `None` when it fills none.
    pub fn about(&self) -> Option<About> {
        let definition = &self.definition;
        (definition.destination == Destination::Redis).then(|| About {
            name: definition.name.clone(),
            domain: self.domain.clone(),
            description: definition.description.as_str().into(),
            expire_in: definition.expire_in,
            key_fields: definition.keys.clone(),
            value_fields: definition.values.clone(),
        })
    }

    /// The task in the form that is published.
    pub fn json(&self) -> Json {
        let definition = &self.definition;
        let fields = |fields: &[_]| fields.iter().map(super::field_json).collect::<Vec<_>>();
        let extra = match definition.destination {
            Destination::DoNothing => json!({}),
            Destination::Redis => {
                let mut extra = json!({
                    "redisKeyBase": self.base().as_str(),
                    "keyFields": fields(&definition.keys),
                    "description": definition.description,
                    "expireIn": definition.expire_in,
                });
                if !definition.values.is_empty() {
                    extra["valueFields"] = fields(&definition.values).into();
                }
                extra
            }
        };
        let mut json = json!({
            "status": self.status.word(),
            "id": self.id,
            "lastDatetime": self.last,
            "extra": extra,
            "type": definition.destination.word(),
            "friendlyName": definition.name.as_str(),
            "query": self.query,
            "error": self.errors,
            "domain": self.domain.as_str(),
            "owner": self.owner.as_str(),
            "eventGenerated": self.read,
            "eventsSent": self.kept,
        });
        if let Some(id) = &self.query_id {
            json["queryId"] = json!(id);
        }
        json
    }
}

/// What a round of a task has reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// From this time on another round would have to read.
    pub origin: i64,
    /// The latest date of its rows.
    pub last: Option<i64>,
    /// Rows that the query gave.
    pub read: u64,
    /// Entries that were stored.
    pub kept: u64,
    /// What went wrong.
    pub errors: Vec<String>,
    /// Which life of its store it has written to.
    pub store: SmolStr,
}

/// What became of a change of status.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// It was made; the task as it is now.
    Yes(Box<Task>),
    /// This status does not allow it.
    No(Status),
    /// There is no such task, or an earlier round was meant.
    Gone,
}

/// The tasks of the embedded file.
#[derive(Clone)]
pub struct Kept(Store);

const COLUMNS: &str = "id, domain, name, owner, destination, query, query_id, params, status, round, created, origin, last, \
    read, kept, errors, store";

impl Kept {
    /// The tasks of this file, which must know the room [`TASK`].
    pub fn new(store: &Store) -> Kept {
        Kept(store.clone())
    }

    /// Where they lie.
    pub fn store(&self) -> &Store {
        &self.0
    }

    /// Keeps a new task; `false` when its name is taken.
    pub fn add(&self, task: &Task, within: Within<'_>) -> Outcome<bool> {
        let task = task.clone();
        self.0
            .write(&TASK, within.deadline, within.cancel, move |conn| {
                insert(conn, &task)
            })
    }

    /// All tasks in the order in which they were made: of a domain, or of all.
    pub fn all(&self, domain: Option<&str>, within: Within<'_>) -> Outcome<Vec<Task>> {
        self.look(within, |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM collect_task WHERE ?1 IS NULL OR domain = ?1 ORDER BY created, rowid"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([domain])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(task(row)?);
            }
            Ok(found)
        })
    }

    /// The task of a domain with this identifier or name.
    pub fn find(&self, domain: &str, id: &str, within: Within<'_>) -> Outcome<Option<Task>> {
        self.look(within, |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM collect_task WHERE domain = ?1 AND (id = ?2 OR name = ?2) ORDER BY id <> ?2"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([domain, id])?;
            rows.next()?.map(task).transpose()
        })
    }

    /// Makes a move. With `round` only where the task is in that round; [`Move::Begin`] begins another.
    pub fn change(
        &self,
        id: &str,
        round: Option<i64>,
        made: Move,
        within: Within<'_>,
    ) -> Outcome<Changed> {
        let id = id.to_owned();
        self.0
            .write(&TASK, within.deadline, within.cancel, move |conn| {
                change(conn, &id, round, made)
            })
    }

    /// Keeps what a round has reached; `false` when it is no longer wanted.
    pub fn progress(
        &self,
        id: &str,
        round: i64,
        reached: &Progress,
        within: Within<'_>,
    ) -> Outcome<bool> {
        let (id, reached) = (id.to_owned(), reached.clone());
        self.0
            .write(&TASK, within.deadline, within.cancel, move |conn| {
                let sql = "UPDATE collect_task SET origin = ?3, last = ?4, read = ?5, kept = ?6, errors = ?7, store = ?8
                    WHERE id = ?1 AND round = ?2 RETURNING status";
                let values = params![
                    id,
                    round,
                    reached.origin,
                    reached.last,
                    reached.read.min(i64::MAX as u64) as i64,
                    reached.kept.min(i64::MAX as u64) as i64,
                    json!(reached.errors).to_string(),
                    reached.store.as_str(),
                ];
                let status: Option<String> = conn
                    .prepare_cached(sql)?
                    .query_row(values, |row| row.get(0))
                    .optional()?;
                let status = status.and_then(|word| Status::named(&word));
                Ok(status.is_some_and(Status::works))
            })
    }

    /// Whether a round of a task is still wanted.
    pub fn wanted(&self, id: &str, round: i64, within: Within<'_>) -> Outcome<bool> {
        self.look(within, |conn| {
            let sql = "SELECT status FROM collect_task WHERE id = ?1 AND round = ?2";
            let mut statement = conn.prepare_cached(sql)?;
            let status: Option<String> = statement
                .query_row(params![id, round], |row| row.get(0))
                .optional()?;
            Ok(status
                .and_then(|word| Status::named(&word))
                .is_some_and(Status::works))
        })
    }

    fn look<T>(
        &self,
        within: Within<'_>,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        self.0
            .read_within(&TASK, within.deadline, within.cancel, work)
    }
}

fn insert(conn: &Connection, task: &Task) -> Outcome<bool> {
    let sql = format!(
        "INSERT INTO collect_task ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, '[]', '')
         ON CONFLICT (domain, name) DO NOTHING"
    );
    let added = conn.prepare_cached(&sql)?.execute(params![
        task.id,
        task.domain.as_str(),
        task.definition.name.as_str(),
        task.owner.as_str(),
        task.definition.destination.word(),
        task.query,
        task.query_id,
        task.definition.json().to_string(),
        task.status.word(),
        task.round,
        task.created,
        task.origin,
        task.last,
    ])?;
    Ok(added > 0)
}

fn change(conn: &Connection, id: &str, round: Option<i64>, made: Move) -> Outcome<Changed> {
    let sql = format!("SELECT {COLUMNS} FROM collect_task WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query([id])?.next()?.map(task).transpose()?;
    let Some(mut task) = found.filter(|task| round.is_none_or(|round| round == task.round)) else {
        return Ok(Changed::Gone);
    };
    let Some(status) = task.status.after(made) else {
        return Ok(Changed::No(task.status));
    };
    if made == Move::Remove {
        conn.execute("DELETE FROM collect_task WHERE id = ?1", [id])?;
        return Ok(Changed::Yes(Box::new(task)));
    }
    task.status = status;
    match made {
        Move::Begin => task.round += 1,
        Move::Start => task.errors.clear(),
        _ => {}
    }
    conn.prepare_cached(
        "UPDATE collect_task SET status = ?2, round = ?3, errors = ?4 WHERE id = ?1",
    )?
    .execute(params![
        id,
        status.word(),
        task.round,
        json!(task.errors).to_string()
    ])?;
    Ok(Changed::Yes(Box::new(task)))
}

/// A row as a task. E0605 for what cannot be one.
fn task(row: &Row<'_>) -> Outcome<Task> {
    let id: String = row.get(0)?;
    let damaged = |what: &str| {
        let message = format!("the collection task {id} cannot be read: {what}");
        Diagnostic::new(Code::DamagedValue, message)
    };
    let word: String = row.get(4)?;
    let destination = Destination::named(&word).ok_or_else(|| damaged("its destination"))?;
    let text: String = row.get(7)?;
    let params: Json = serde_json::from_str(&text).map_err(|_| damaged("its parameters"))?;
    let params = params
        .as_object()
        .ok_or_else(|| damaged("its parameters"))?;
    let definition =
        Definition::read(destination, params).map_err(|denied| damaged(&denied.fault.message))?;
    let word: String = row.get(8)?;
    let status = Status::named(&word).ok_or_else(|| damaged("its status"))?;
    let errors: String = row.get(15)?;
    let errors = serde_json::from_str(&errors).map_err(|_| damaged("its errors"))?;
    let store: String = row.get(16)?;
    let domain: String = row.get(1)?;
    let owner: String = row.get(3)?;
    let count = |at| -> Outcome<u64> { Ok(row.get::<_, i64>(at)?.max(0).unsigned_abs()) };
    Ok(Task {
        domain: domain.into(),
        owner: owner.into(),
        query: row.get(5)?,
        query_id: row.get(6)?,
        definition,
        status,
        round: row.get(9)?,
        created: row.get(10)?,
        origin: row.get(11)?,
        last: row.get(12)?,
        read: count(13)?,
        kept: count(14)?,
        errors,
        store: store.into(),
        id: id.clone(),
    })
}
