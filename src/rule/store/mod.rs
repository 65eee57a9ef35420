//! Where rules lie, and what belongs to them: filters, modules, findings, table lists, results, saved groups.

mod entities;
mod lists;
mod postgres;
mod results;
mod rules;
mod sql;
mod sqlite;
mod states;
mod tables;

pub use entities::Usage;
pub use lists::{LIST_KEY, ListRow};
pub use postgres::Postgres;
pub use results::{Happened, NewResult};
pub use rules::{Changed, Watched};
pub use sql::{Cell, Change, Look, Row, RuleStore, Sql};
pub use sqlite::{Embedded, RULE};
pub use tables::StoredTables;

use super::model::Refusal;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::Within;
use parking_lot::Mutex;
use std::sync::Arc;

/// How often a change is tried again that somebody else's came before.
const TRIES: usize = 20;

/// The rules and what belongs to them, as a service: every call is a transaction of its own.
#[derive(Clone)]
pub struct Rules(Arc<dyn RuleStore>);

/// What is looked for in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// A part of the name, the description or the identifier, in any case; empty for all.
    pub text: String,
    /// Only active rules, or only those that are not.
    pub active: Option<bool>,
    /// Only rules for the past, or only others.
    pub retro: Option<bool>,
    /// How many to pass over.
    pub offset: i64,
    /// How many to give at most.
    pub limit: Option<i64>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The things, in the order in which they were stored.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: i64,
}

/// What a change came to: done, or refused with nothing changed.
pub type Answer<T> = Outcome<Result<T, Refusal>>;

impl Rules {
    /// Rules in this store.
    pub fn new(store: Arc<dyn RuleStore>) -> Rules {
        Rules(store)
    }

    /// What the store is and where.
    pub fn place(&self) -> String {
        self.0.place()
    }

    /// Closes connections that are kept; the next call opens new ones.
    pub fn close(&self) {
        self.0.close();
    }

    fn read<T>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut dyn Sql) -> Outcome<T>,
    ) -> Outcome<T> {
        let mut answer = None;
        self.0.read(within, &mut |sql| {
            answer = Some(work(sql)?);
            Ok(())
        })?;
        answer.ok_or_else(unanswered)
    }

    fn write<T: Send + 'static>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut dyn Sql) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        self.0.write(
            within,
            Box::new(move |sql| {
                *filled.lock() = Some(work(sql)?);
                Ok(())
            }),
        )?;
        let answer = slot.lock().take();
        answer.ok_or_else(unanswered)
    }
}

fn unanswered() -> crate::diagnostic::Fault {
    Diagnostic::new(Code::Internal, "the store of rules gave no answer")
}

/// E0603 when others change the same thing again and again.
fn crowded() -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::StoreFailed,
        "others change the same thing in the store of rules all the time",
    )
}

/// A number that is larger than `before`, and larger than any given long ago.
fn next_revision(before: i64, now: i64) -> i64 {
    now.max(before.saturating_add(1))
}

/// A text in the form in which it is searched.
fn folded(parts: &[&str]) -> String {
    parts.join("\n").to_lowercase()
}

/// How many characters are searched for; SQLite takes no long patterns.
const SOUGHT: usize = 1000;

/// The pattern of SQL's LIKE, with `\` before what would be special, for a part of a folded text.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    // No text that is stored holds a NUL.
    let sought = text.to_lowercase();
    for c in sought.chars().filter(|c| *c != '\0').take(SOUGHT) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
