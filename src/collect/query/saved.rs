//! Queries that are kept under names in the embedded file.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::store::{Room, Store, Within};
use rusqlite::{OptionalExtension, params};

/// Where saved queries lie in the embedded file.
pub static SAVED: Room = Room {
    name: "collect_query",
    migrations: &["CREATE TABLE collect_query (
        name TEXT PRIMARY KEY, text TEXT NOT NULL, saved INTEGER NOT NULL) STRICT"],
    expire: None,
};

/// The longest name in bytes.
const LONGEST: usize = 100;

/// Queries by their names: a service.
#[derive(Debug, Clone)]
pub struct Saved(Store);

/// A query that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQuery {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub text: String,
    /// When it was saved, in milliseconds since 1970.
    pub saved: i64,
}

impl Saved {
    /// Those of an embedded file.
    pub fn new(store: &Store) -> Saved {
        Saved(store.clone())
    }

    /// Whether a text is the name of a query rather than a query.
    pub fn is_name(text: &str) -> bool {
        let named = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        !text.is_empty() && text.len() <= LONGEST && text.chars().all(named)
    }

    /// Keeps a query. Errors: E0504 for what is no name, and for one that is taken by another query unless that is
    /// to be replaced.
    pub fn save(&self, name: &str, text: &str, replace: bool, within: Within<'_>) -> Outcome<()> {
        if !Saved::is_name(name) {
            let message = format!("{name:?} cannot name a query");
            return Err(Diagnostic::new(Code::Usage, message).help(format!(
                "use letters, digits, _, - and points, at most {LONGEST} bytes"
            )));
        }
        let (name, text, now) = (name.to_owned(), text.to_owned(), within.now);
        self.0
            .write(&SAVED, within.deadline, within.cancel, move |conn| {
                let sql = "SELECT text FROM collect_query WHERE name = ?1";
                let there: Option<String> =
                    conn.query_row(sql, [&name], |row| row.get(0)).optional()?;
                if !replace && there.is_some_and(|there| there != text) {
                    let message = format!("there is another query {name} already");
                    return Err(Diagnostic::new(Code::Usage, message)
                        .help("--replace puts this one in its place"));
                }
                let sql = "INSERT INTO collect_query VALUES (?1, ?2, ?3)
                    ON CONFLICT (name) DO UPDATE SET text = excluded.text, saved = excluded.saved";
                conn.execute(sql, params![name, text, now])?;
                Ok(())
            })
    }

    /// The query with a name.
    pub fn get(&self, name: &str, within: Within<'_>) -> Outcome<Option<SavedQuery>> {
        let all = self.list(within)?;
        Ok(all.into_iter().find(|saved| saved.name == name))
    }

    /// The text of a query that must be there. Errors: E0410 with a suggestion.
    pub fn text(&self, name: &str, within: Within<'_>) -> Outcome<String> {
        let all = self.list(within)?;
        if let Some(saved) = all.iter().find(|saved| saved.name == name) {
            return Ok(saved.text.clone());
        }
        Err(unknown(name, &all))
    }

    /// All of them by name.
    pub fn list(&self, within: Within<'_>) -> Outcome<Vec<SavedQuery>> {
        self.0
            .read_within(&SAVED, within.deadline, within.cancel, |conn| {
                let sql = "SELECT name, text, saved FROM collect_query ORDER BY name";
                let mut statement = conn.prepare_cached(sql)?;
                let rows = statement.query_map([], |row| {
                    Ok(SavedQuery {
                        name: row.get(0)?,
                        text: row.get(1)?,
                        saved: row.get(2)?,
                    })
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
    }

    /// Forgets a query. Errors: E0410 when there is none of that name.
    pub fn remove(&self, name: &str, within: Within<'_>) -> Outcome<()> {
        self.text(name, within)?;
        let name = name.to_owned();
        self.0
            .write(&SAVED, within.deadline, within.cancel, move |conn| {
                conn.execute("DELETE FROM collect_query WHERE name = ?1", [&name])?;
                Ok(())
            })
    }
}

fn unknown(name: &str, all: &[SavedQuery]) -> Fault {
    let near = nearest(name, all.iter().map(|saved| saved.name.as_str()));
    let message = format!("there is no saved query {name}");
    let fault = Diagnostic::new(Code::BadQuery, message);
    match near {
        Some(near) => fault.did_you_mean(Some(near)),
        None => fault.help("stellar query list shows the saved queries; a query begins with from"),
    }
}
