//! Where events lie: one way in, whatever is behind it.

mod configured;
mod postgres;
mod sqlite;
mod status;

pub use configured::Configured;
pub use postgres::{Health, Postgres};
pub use sqlite::{EVENT, Embedded};
pub use status::{Status, TableStatus, pretty_size};

use super::query::{Aggregate, Group, Query, Timeline, Timelines};
use super::{Column, Message, Options, Range, Record, Row};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::Within;

/// The columns whose values the tables `enum_…` list.
pub const ENUMERATED: &[Column] = &[
    Column::Category,
    Column::Protocol,
    Column::NodeName,
    Column::NodeType,
    Column::SourceType,
    Column::TargetType,
    Column::ResolvedAbuses,
    Column::EventClass,
    Column::EventSeverity,
    Column::InspectionErrors,
];

/// A record of the thresholding cache: reports about its key are held back for a time. Times are microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Threshold {
    /// The key, which stands for a group, a class of events and a source.
    pub id: String,
    /// When the window began.
    pub thresholdtime: i64,
    /// When its last part began, in which events count as a relapse.
    pub relapsetime: i64,
    /// When it ends.
    pub ttltime: i64,
}

/// An event that was held back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thresholded {
    /// The identifier of the event.
    pub eventid: String,
    /// The key of the threshold.
    pub keyid: String,
    /// The group that would have been told.
    pub groupname: String,
    /// The severity of the event.
    pub eventseverity: String,
    /// When it was held back, in microseconds.
    pub createtime: i64,
}

/// An event that was held back in the relapse part of a window that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relapsed {
    /// The event.
    pub record: Record,
    /// The keys of the thresholds, sorted.
    pub keys: Vec<String>,
}

/// What became of the rows of a load.
#[derive(Debug, Default)]
pub struct Loaded {
    /// How many were stored.
    pub stored: u64,
    /// How many were there already with the same message, whenever that was stored.
    pub known: u64,
    /// The others by their position: E0608 for an identifier that is there already with another message, or a missing
    /// storage time, E0607 for a value that the table cannot keep.
    pub refused: Vec<(usize, Fault)>,
}

impl Loaded {
    /// Tells what becomes of the row at a position whose identifier is there already with this message.
    fn again(&mut self, at: usize, row: &Row, there: Option<&[u8]>) {
        if row.event.as_deref() == there || same_but_for_clocks(row.event.as_deref(), there) {
            self.known += 1;
            return;
        }
        let message = format!(
            "event {:?}: an event with this identifier is there already, and its message is another one",
            row.id
        );
        let fault = Diagnostic::new(Code::EventIntegrity, message);
        self.refused.push((at, fault));
    }
}

/// Whether two messages differ in nothing but the times at which they were made and stored.
fn same_but_for_clocks(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    let read = |json: Option<&[u8]>| {
        let mut message = Message::parse(json?, &Options::default()).ok()?;
        message.set_clocks_back();
        Some(message)
    };
    // What cannot be read is equal to nothing.
    read(one).is_some_and(|message| read(other) == Some(message))
}

/// Which end of a column is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
}

impl Extreme {
    /// Reads `min` or `max`; E0204 for other functions.
    pub fn named(name: &str) -> Outcome<Extreme> {
        match name {
            "min" => Ok(Extreme::Min),
            "max" => Ok(Extreme::Max),
            _ => Err(Diagnostic::new(
                Code::ArgumentValue,
                format!("{name:?} is no function for searching a column: there are min and max"),
            )),
        }
    }
}

/// A value of a column. The order is that of the database: texts by their bytes, lists element by element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// A text.
    Text(String),
    /// An instant, in microseconds.
    Time(i64),
    /// Texts.
    Texts(Vec<String>),
    /// Ranges.
    Ranges(Vec<Range>),
    /// Whole numbers.
    Ints(Vec<i64>),
}

/// The column of a name; E0606 when the table has none.
pub fn column_named(name: &str) -> Outcome<Column> {
    Column::named(name).ok_or_else(|| super::query::unknown_column(name))
}

/// E0606 unless the values of a column are listed.
pub fn enumerated(column: Column) -> Outcome<()> {
    if ENUMERATED.contains(&column) {
        return Ok(());
    }
    let listed: Vec<&str> = ENUMERATED.iter().map(|column| column.name()).collect();
    let message = format!("the values of column {} are not listed", column.name());
    Err(Diagnostic::new(Code::EventStorage, message)
        .help(format!("there are lists of {}", listed.join(", "))))
}

/// What is done inside of a transaction. Times are microseconds since 1970.
///
/// All methods check what they are given and fail with E0606 for what the store refuses, E0607 for values that fit no
/// column, E0608 for broken rules of the tables, E0306 and E0307 when they have to end.
pub trait Session {
    /// Stores an event. E0608 when its identifier is there already.
    fn insert(&mut self, row: &Row) -> Outcome<()>;

    /// Stores many events as fast as possible; those that cannot be stored are left out and reported.
    fn load(&mut self, rows: &[Row]) -> Outcome<Loaded>;

    /// The event of an identifier.
    fn fetch(&mut self, id: &str, columns: &[Column]) -> Outcome<Option<Record>>;

    /// Removes the event of an identifier; false when there is none.
    fn delete(&mut self, id: &str) -> Outcome<bool>;

    /// How many events a query finds, whatever its limit.
    fn count(&mut self, query: &Query) -> Outcome<u64>;

    /// Calls `take` with what a query finds, in its order, until it gives false. Nothing is collected.
    fn search(
        &mut self,
        query: &Query,
        columns: &[Column],
        take: &mut dyn FnMut(Record) -> Outcome<bool>,
    ) -> Outcome<()>;

    /// Removes the events that a query finds, whatever its limit, and says how many.
    fn delete_events(&mut self, query: &Query) -> Outcome<u64>;

    /// Counts the events of a query by time.
    fn timeline(&mut self, query: &Query, timeline: &Timeline) -> Outcome<Timelines>;

    /// Counts the events of a query by the values of a column, the most frequent first.
    fn aggregate(&mut self, query: &Query, aggregate: &Aggregate) -> Outcome<Vec<Group>>;

    /// The smallest or largest value of a column; `None` when no event has any. E0606 for the column `event`.
    fn column_with(&mut self, column: Column, extreme: Extreme) -> Outcome<Option<Cell>>;

    /// All values that a column of [`ENUMERATED`] has had, sorted by their bytes; E0606 for other columns. A value
    /// stays when its events are deleted; one whose events came and went between two calls is not noticed.
    fn distinct(&mut self, column: Column) -> Outcome<Vec<String>>;

    /// The threshold of a key, unless it ended before `ttl`.
    fn threshold_check(&mut self, key: &str, ttl: i64) -> Outcome<Option<Threshold>>;

    /// Stores a threshold; one of the same key is replaced.
    fn threshold_set(&mut self, threshold: &Threshold) -> Outcome<()>;

    /// Notes an event that was held back. E0608 when it is noted already for that key.
    fn threshold_save(&mut self, thresholded: &Thresholded) -> Outcome<()>;

    /// Begins a window, unless one lasts that has not ended before `now`: that one is the answer then.
    fn threshold_open(&mut self, threshold: &Threshold, now: i64) -> Outcome<Option<Threshold>>;

    /// As [`Session::threshold_save`]; what is noted already for that key stays as it is.
    fn threshold_note(&mut self, thresholded: &Thresholded) -> Outcome<()>;

    /// All thresholds, by key.
    fn thresholds(&mut self) -> Outcome<Vec<Threshold>>;

    /// How many thresholds there are.
    fn thresholds_count(&mut self) -> Outcome<u64>;

    /// Removes thresholds that ended before `ttl` and says how many.
    fn thresholds_clean(&mut self, ttl: i64) -> Outcome<u64>;

    /// How many notes of events held back there are.
    fn thresholded_count(&mut self) -> Outcome<u64>;

    /// Removes notes without a threshold, and notes from before the relapse part of theirs; says how many.
    fn thresholded_clean(&mut self) -> Outcome<u64>;

    /// The events of a group and a severity that were held back in the relapse part (`createtime >= relapsetime`) of
    /// a window that has ended (`ttltime <= ttl`), each once.
    fn relapsed(
        &mut self,
        group: &str,
        severity: &str,
        ttl: i64,
        columns: &[Column],
    ) -> Outcome<Vec<Relapsed>>;

    /// Removes the rows of a table whose time in a column is before `ttl` and says how many. Tables and columns have
    /// Mentat's names; E0606 for unknown ones.
    fn table_cleanup(&mut self, table: &str, column: &str, ttl: i64) -> Outcome<u64>;

    /// Whether an event was stored less than so many seconds ago.
    fn watchdog(&mut self, seconds: i64) -> Outcome<bool>;

    /// The size and the age of a table, and the reach of the times in a column. E0606 for unknown ones.
    fn table_status(&mut self, table: &str, column: &str) -> Outcome<TableStatus>;

    /// The status of all tables; unless `brief`, the settings of the database, too.
    fn database_status(&mut self, brief: bool) -> Outcome<Status>;

    /// Creates the tables that are missing.
    fn database_create(&mut self) -> Outcome<()>;

    /// Removes the tables with all that is in them.
    fn database_drop(&mut self) -> Outcome<()>;

    /// Creates the indexes that are missing; their names.
    fn index_create(&mut self) -> Outcome<Vec<String>>;

    /// Removes the indexes that can be removed; their names.
    fn index_drop(&mut self) -> Outcome<Vec<String>>;
}

/// A transaction that goes on over several calls. Dropped without a commit, it is rolled back.
pub trait Transaction: Send {
    /// What is done in it. The calls made through the answer must keep to `within`.
    fn session(&mut self, within: Within<'_>) -> Outcome<Box<dyn Session + '_>>;

    /// Makes permanent what was done since the last commit.
    fn commit(&mut self, within: Within<'_>) -> Outcome<()>;

    /// Takes back what was done since the last commit.
    fn rollback(&mut self, within: Within<'_>) -> Outcome<()>;
}

/// Work that only looks. It may be called twice after a lost connection, unless a search has given something already.
pub type Look<'w> = &'w mut dyn FnMut(&mut dyn Session) -> Outcome<()>;

/// Work that changes something. It may be called more than once, each time on a state in which it has not happened.
pub type Change = Box<dyn FnMut(&mut dyn Session) -> Outcome<()> + Send>;

/// Where events lie.
pub trait EventStore: Send + Sync {
    /// What it is and where: `the embedded file …`, `PostgreSQL at …` (without secrets).
    fn place(&self) -> String;

    /// Whether there is anything that could be read or removed; where there is not, nothing needs to be created for it.
    fn is_there(&self, within: Within<'_>) -> Outcome<bool>;

    /// Runs `work` in one snapshot. Creates nothing.
    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()>;

    /// Runs `work` in one transaction: committed after success, rolled back after failure. After a lost connection
    /// it is done once more. Creates what is missing where that takes no rights of an administrator.
    fn write(&self, within: Within<'_>, work: Change) -> Outcome<()>;

    /// Begins a transaction that lasts until its commit.
    fn begin(&self, within: Within<'_>) -> Outcome<Box<dyn Transaction>>;

    /// Closes connections that are kept; the next call opens new ones.
    fn close(&self);
}
