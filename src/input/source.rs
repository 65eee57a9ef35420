//! Rows that one system offers to others: whoever reads them does not know whose they are.

use crate::diagnostic::Outcome;
use crate::eval::{Context, Value};
use indexmap::IndexMap;
use smol_str::SmolStr;
use std::sync::Arc;

/// The column that every row has: its time in milliseconds since 1970.
pub const EVENTDATE: &str = "eventdate";

/// A column and what its values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: SmolStr,
    /// Its type, in the words of Devo: `str`, `int4`, `int8`, `float8`, `bool`, `timestamp`, `json`; empty when rows
    /// differ.
    pub kind: &'static str,
}

impl Column {
    /// A column.
    pub fn new(name: &str, kind: &'static str) -> Column {
        Column {
            name: name.into(),
            kind,
        }
    }
}

/// The columns of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// These and no others.
    Fixed(Vec<Column>),
    /// What rows happen to have.
    Open,
}

/// What a reader wants of a source.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'w> {
    /// The values of a row: names of columns, where a name with points may lead into a value; `_` is the whole row as a
    /// map.
    pub names: &'w [SmolStr],
    /// Rows from this time on, in milliseconds.
    pub from: i64,
    /// Rows before this time.
    pub to: i64,
    /// Whether to go on with what comes later, for ever; only where the source grows.
    pub follow: bool,
}

/// Some rows, in the order of the source.
#[derive(Default)]
pub struct Rows {
    /// The time of each row.
    pub times: Vec<i64>,
    /// The values of all rows, those of one row together, in the order of the wish.
    pub values: Vec<Value>,
    /// What is no row, with its place and the reason.
    pub bad: Vec<String>,
    /// While older data is still being read up, the time that has been reached: earlier rows have all come. `None` when
    /// nothing waits to be read.
    pub behind: Option<i64>,
}

/// By so many milliseconds rows of a source that grows may come too late, unless the source says otherwise.
pub const LAG: i64 = 60_000;

/// Takes rows; `false` when nothing more is wanted. Empty rows say that time passes: who follows hears from the source at
/// least once a second.
pub type Take<'t> = &'t mut dyn FnMut(Rows) -> Outcome<bool>;

/// Something that rows can be read from.
pub trait Source: Send + Sync {
    /// What it is, in a few words, for lists.
    fn about(&self) -> String;

    /// Its columns. Errors: of what holds them.
    fn columns(&self, context: &Context) -> Outcome<Columns>;

    /// Whether rows may come for ever.
    fn grows(&self) -> bool {
        false
    }

    /// Whether [`Wish::follow`] has a meaning.
    fn follows(&self) -> bool {
        self.grows()
    }

    /// By how many milliseconds rows may come later than others of their time.
    fn lag(&self) -> i64 {
        LAG
    }

    /// Reads rows to the end, or until `take` wants no more. Errors: what cannot be read, and E0307.
    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()>;
}

/// All sources by name: a service.
#[derive(Default, Clone)]
pub struct Catalogue {
    sources: IndexMap<SmolStr, Arc<dyn Source>>,
    families: Vec<(&'static str, MakeSource)>,
}

/// Makes a source of what stands behind the first point of a name.
type MakeSource = fn(&str) -> Arc<dyn Source>;

impl Catalogue {
    /// Adds or replaces a source.
    pub fn add(&mut self, name: impl Into<SmolStr>, source: Arc<dyn Source>) {
        self.sources.insert(name.into(), source);
    }

    /// Adds sources for all names that begin with `first` and a point and are not there otherwise.
    pub fn add_family(&mut self, first: &'static str, make: fn(&str) -> Arc<dyn Source>) {
        self.families.push((first, make));
    }

    /// The source with a name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Source>> {
        let family = || {
            let (first, rest) = name.split_once('.')?;
            let mut families = self.families.iter();
            let (_, make) = families.find(|(known, _)| *known == first)?;
            Some(make(rest))
        };
        self.sources.get(name).cloned().or_else(family)
    }

    /// All sources in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Arc<dyn Source>)> {
        self.sources.iter()
    }
}
