//! What both databases do: statements with parameters, and rows.
//!
//! All that the store of rules says is said once, in the SQL that SQLite and PostgreSQL have in common; parameters are
//! written `$1`. What differs is the types of the tables, which each database has for itself.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::store::Within;

/// A value of a row or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Int(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Cell {
        Cell::Int(i64::from(value))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Cell {
        Cell::Text(value.to_string())
    }
}

impl From<&String> for Cell {
    fn from(value: &String) -> Cell {
        Cell::Text(value.clone())
    }
}

impl From<Option<i64>> for Cell {
    fn from(value: Option<i64>) -> Cell {
        value.map_or(Cell::Null, Cell::Int)
    }
}

/// A row that a statement gave; its cells are taken from the left.
#[derive(Debug)]
pub struct Row(std::vec::IntoIter<Cell>);

impl Row {
    /// A row of these cells.
    pub fn new(cells: Vec<Cell>) -> Row {
        Row(cells.into_iter())
    }

    /// The next cell, a whole number.
    pub fn int(&mut self) -> Outcome<i64> {
        match self.0.next() {
            Some(Cell::Int(value)) => Ok(value),
            _ => Err(odd()),
        }
    }

    /// The next cell, a whole number that may be missing.
    pub fn maybe_int(&mut self) -> Outcome<Option<i64>> {
        match self.0.next() {
            Some(Cell::Int(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            _ => Err(odd()),
        }
    }

    /// The next cell, a text.
    pub fn text(&mut self) -> Outcome<String> {
        match self.0.next() {
            Some(Cell::Text(value)) => Ok(value),
            _ => Err(odd()),
        }
    }

    /// The next cell, a text that may be missing.
    pub fn maybe_text(&mut self) -> Outcome<Option<String>> {
        match self.0.next() {
            Some(Cell::Text(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            _ => Err(odd()),
        }
    }

    /// The next cell, bytes.
    pub fn bytes(&mut self) -> Outcome<Vec<u8>> {
        match self.0.next() {
            Some(Cell::Bytes(value)) => Ok(value),
            _ => Err(odd()),
        }
    }

    /// The next cell, JSON.
    pub fn json(&mut self) -> Outcome<serde_json::Value> {
        serde_json::from_str(&self.text()?).map_err(|_| odd())
    }
}

/// E0605: what is stored is not what this program stores.
pub fn odd() -> crate::diagnostic::Fault {
    Diagnostic::new(Code::DamagedValue, "what is stored of rules cannot be read")
}

/// A connection inside of a transaction.
pub trait Sql {
    /// The rows that a statement gives.
    fn query(&mut self, sql: &str, parameters: &[Cell]) -> Outcome<Vec<Row>>;

    /// Runs a statement: how many rows it changed.
    fn execute(&mut self, sql: &str, parameters: &[Cell]) -> Outcome<u64>;
}

/// Work in a transaction that only looks. It may be done twice after a lost connection.
pub type Look<'w> = &'w mut dyn FnMut(&mut dyn Sql) -> Outcome<()>;

/// Work in a transaction that changes something. It may be done more than once, each time on a state in which it has
/// not happened.
pub type Change = Box<dyn FnMut(&mut dyn Sql) -> Outcome<()> + Send>;

/// Where rules lie.
pub trait RuleStore: Send + Sync {
    /// What it is and where: `the embedded file …`, `PostgreSQL at …` (without secrets).
    fn place(&self) -> String;

    /// Runs `work` in one snapshot. Creates nothing: what is missing is empty.
    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()>;

    /// Runs `work` in one transaction: committed after success, rolled back after failure. Creates what is missing.
    fn write(&self, within: Within<'_>, work: Change) -> Outcome<()>;

    /// Closes connections that are kept; the next call opens new ones.
    fn close(&self);
}
