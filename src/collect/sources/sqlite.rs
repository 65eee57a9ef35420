//! A table of an SQLite database.

use super::{Table, numbers, quoted, within};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::{Context, Value};
use crate::input::{Columns, Polled, Source, Take, Wish, moment, poll};
use crate::store::{Within, proceed};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long somebody else may hold the database.
const BUSY: Duration = Duration::from_secs(5);

/// After so many steps of SQLite there is a look whether to go on.
const STEPS: i32 = 1000;

/// The rows of a table or view.
pub struct SqliteRows {
    path: PathBuf,
    table: Table,
}

impl SqliteRows {
    /// A table of the database in a file.
    pub fn new(path: PathBuf, table: Table) -> SqliteRows {
        SqliteRows { path, table }
    }

    fn failed(&self, error: &rusqlite::Error, within: Within<'_>) -> Fault {
        // What was told to end does not say so itself.
        match proceed(within.deadline, within.cancel) {
            Err(ended) => ended,
            Ok(()) => cannot_read(&self.path, error),
        }
    }

    fn open(&self, within: Within<'_>) -> Outcome<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let mut conn = Connection::open_with_flags(&self.path, flags)?;
            conn.busy_timeout(BUSY)?;
            let (deadline, cancel) = (within.deadline, within.cancel.clone());
            let ends = move || cancel.load(Ordering::Relaxed) || deadline.passed();
            conn.progress_handler(STEPS, Some(ends))?;
            Ok(conn)
        };
        open().map_err(|error| self.failed(&error, within))
    }

    /// The name of the table as statements have it, `main.logins` too.
    fn name(&self) -> String {
        match self.table.name.split_once('.') {
            Some(("main", table)) => format!("main.{}", quoted(table)),
            _ => quoted(&self.table.name),
        }
    }

    fn found(&self, conn: &Connection) -> rusqlite::Result<Vec<(String, &'static str)>> {
        let name = self.table.name.trim_start_matches("main.");
        let mut statement = conn.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
        let rows = statement.query_map([name], |row| {
            let kind: String = row.get(1)?;
            Ok((row.get(0)?, kind_of(&kind)))
        })?;
        rows.collect()
    }

    fn tables(&self, conn: &Connection) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')";
        let mut statement = conn.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect()
    }

    fn rows(
        &self,
        conn: &Connection,
        wish: &Wish<'_>,
        batch: &mut Polled<'_, '_>,
        within: Within<'_>,
    ) -> Outcome<()> {
        let failed = |error: rusqlite::Error| self.failed(&error, within);
        let time = quoted(&self.table.time);
        let columns = wish.names.iter().map(|name| quoted(name));
        let columns: Vec<String> = std::iter::once(time.clone()).chain(columns).collect();
        // Texts are greater than all numbers.
        let when = numbers(&time, wish.from, wish.to);
        let mut sql = format!(
            "SELECT {} FROM {} WHERE ({when} OR {time} >= '')",
            columns.join(", "),
            self.name()
        );
        if wish.follow {
            sql.push_str(&format!(" ORDER BY {time}"));
        }
        let mut statement = conn.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let cell = |row: &rusqlite::Row<'_>, at| row.get_ref(at).map(value);
        while let Some(row) = rows.next().map_err(failed)? {
            let own = cell(row, 0).map_err(failed)?;
            let Some(at) = moment(&own) else {
                let told = crate::eval::text::to_text(&own);
                batch.rows.bad.push(format!(
                    "{} of {}: {told} is no time",
                    self.table.time, self.table.name
                ));
                continue;
            };
            if !(wish.from..wish.to).contains(&at) {
                continue;
            }
            let cells = (1..=wish.names.len()).map(|number| cell(row, number));
            let cells = cells.collect::<rusqlite::Result<Vec<Value>>>();
            if !batch.add(at, at, cells.map_err(failed)?)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Source for SqliteRows {
    fn about(&self) -> String {
        let grows = if self.table.grows { ", followed" } else { "" };
        let path = self.path.display();
        format!("the table {} of {path}{grows}", self.table.name)
    }

    fn columns(&self, context: &Context) -> Outcome<Columns> {
        let within = within(context);
        let conn = self.open(within)?;
        let failed = |error: rusqlite::Error| self.failed(&error, within);
        let found = self.found(&conn).map_err(failed)?;
        if found.is_empty() {
            let others = self.tables(&conn).map_err(failed)?;
            return Err(self.table.missing(others.iter().map(String::as_str)));
        }
        self.table.columns(found).map(Columns::Fixed)
    }

    fn grows(&self) -> bool {
        self.table.grows
    }

    fn follows(&self) -> bool {
        true
    }

    fn lag(&self) -> i64 {
        self.table.lag
    }

    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()> {
        let within = within(context);
        let conn = self.open(within)?;
        poll(wish, self.table.lag, context, take, |since, batch| {
            let from = wish.from.max(since);
            self.rows(&conn, &Wish { from, ..*wish }, batch, within)
        })
    }
}

fn cannot_read(path: &Path, error: &rusqlite::Error) -> Fault {
    let message = format!("{} cannot be read: {error}", path.display());
    Diagnostic::new(Code::CannotRead, message)
}

/// What a column holds, by SQLite's rules for declared types.
fn kind_of(declared: &str) -> &'static str {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    match () {
        _ if has("INT") => "int8",
        _ if has("CHAR") || has("CLOB") || has("TEXT") => "str",
        _ if has("REAL") || has("FLOA") || has("DOUB") => "float8",
        _ if has("BOOL") => "bool",
        _ => "",
    }
}

/// A value of the database; bytes that are no text become hexadecimal digits.
fn value(cell: ValueRef<'_>) -> Value {
    let bytes = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => Value::text(text),
        Err(_) => Value::string(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => i32::try_from(n).map_or(Value::Long(n), Value::Int),
        ValueRef::Real(n) => Value::Double(n),
        ValueRef::Text(text) => bytes(text),
        ValueRef::Blob(blob) => bytes(blob),
    }
}
