//! A table of a PostgreSQL database.

use super::{Table, numbers, quoted, within};
use crate::config::Secretive;
use crate::diagnostic::{Code, Fault, Outcome};
use crate::eval::{Context, Value};
use crate::input::{
    Columns, EventReader, Polled, Source, TOGETHER, Take, Wanted, Wish, moment, poll,
};
use crate::store::Within;
use crate::store::postgres::{Answer, Failure, Pool, Session};
use parking_lot::Mutex;

/// Before and behind this the server knows no times, in milliseconds.
const TIMES: (i64, i64) = (-200_000_000_000_000, 8_000_000_000_000_000);

/// The rows of a table or view.
pub struct PostgresRows {
    address: Secretive,
    pool: Mutex<Option<Pool>>,
    table: Table,
}

/// What the column with the time holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    /// With a zone.
    Stamp,
    /// Without one: it is UTC.
    Bare,
    Number,
    Text,
}

/// What is known of the table.
struct Known {
    /// Its name as statements have it.
    name: String,
    columns: Vec<(String, &'static str)>,
    time: Time,
}

impl PostgresRows {
    /// A table of the database at an address, which nobody looks at before it is used.
    pub fn new(address: &Secretive, table: Table) -> PostgresRows {
        PostgresRows {
            address: address.clone(),
            pool: Mutex::default(),
            table,
        }
    }

    fn pool(&self) -> Outcome<Pool> {
        let mut pool = self.pool.lock();
        if let Some(pool) = pool.as_ref() {
            return Ok(pool.clone());
        }
        Ok(pool.insert(Pool::new(&self.address)?).clone())
    }

    /// What is there. Errors: E0410 for a table that is not.
    fn known(&self, session: &mut Session, within: Within<'_>) -> Answer<Known> {
        let sql = "SELECT to_regclass($1)::oid, to_regclass($1)::text";
        let rows = session.query(sql, &[&self.table.name], within)?;
        let found: Option<(Option<u32>, Option<String>)> = match rows.first() {
            Some(row) => Some((row.try_get(0)?, row.try_get(1)?)),
            None => None,
        };
        let Some((Some(own), Some(name))) = found else {
            let sql = "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND pg_table_is_visible(oid)";
            let others = session.query(sql, &[], within)?;
            let others: Vec<String> = others.iter().flat_map(|row| row.try_get(0)).collect();
            let missing = self.table.missing(others.iter().map(String::as_str));
            return Err(Failure::Fault(missing));
        };
        let sql = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute \
                   WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
        let mut time = Time::Text;
        let mut columns = Vec::new();
        for row in session.query(sql, &[&own], within)? {
            let (column, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let (kind, zoned) = (kind_of(&kind), kind.contains("with time zone"));
            if column == self.table.time {
                time = match kind {
                    "timestamp" if zoned => Time::Stamp,
                    "timestamp" => Time::Bare,
                    "int4" | "int8" | "float8" => Time::Number,
                    _ => Time::Text,
                };
            }
            columns.push((column, kind));
        }
        Ok(Known {
            name,
            columns,
            time,
        })
    }

    fn statement(&self, known: &Known, wish: &Wish<'_>) -> String {
        let time = quoted(&self.table.time);
        let near = |at: i64| at.clamp(TIMES.0, TIMES.1);
        let (from, to) = (near(wish.from), near(wish.to));
        let span = |zone: &str| {
            let at = |at: i64| format!("to_timestamp({at} / 1000.0){zone}");
            (
                format!("(round(extract(epoch FROM {time}) * 1000)::bigint)::text"),
                format!(
                    "isfinite({time}) AND {time} >= {} AND {time} < {}",
                    at(from),
                    at(to)
                ),
            )
        };
        let (shown, when) = match known.time {
            Time::Stamp => span(""),
            Time::Bare => span(" AT TIME ZONE 'UTC'"),
            Time::Number => (format!("{time}::text"), numbers(&time, from, to)),
            Time::Text => (format!("{time}::text"), "true".to_owned()),
        };
        let columns: Vec<String> = wish.names.iter().map(|name| quoted(name)).collect();
        let order = match wish.follow {
            true => format!(" ORDER BY {time}"),
            false => String::new(),
        };
        format!(
            "DECLARE stellar_rows NO SCROLL CURSOR FOR SELECT {shown}, (SELECT row_to_json(q) FROM (SELECT {}) q)::text FROM {} WHERE {when}{order}",
            columns.join(", "),
            known.name
        )
    }

    fn rows(
        &self,
        session: &mut Session,
        wish: &Wish<'_>,
        batch: &mut Polled<'_, '_>,
        context: &Context,
    ) -> Answer<()> {
        let within = within(context);
        let known = self.known(session, within)?;
        session.begin_reading();
        let sql = self.statement(&known, wish);
        session.execute(&sql, &[], within)?;
        let fetch = format!("FETCH {TOGETHER} FROM stellar_rows");
        let wanted = Wanted::new(wish.names.iter().map(Some), context.limits.depth);
        let mut reader = EventReader::new(&wanted);
        let mut slots = vec![Value::Null; wish.names.len()];
        loop {
            let rows = session.query(&fetch, &[], within)?;
            for row in &rows {
                let told: Option<&str> = row.try_get(0)?;
                let at = match known.time {
                    Time::Stamp | Time::Bare => told.and_then(|told| told.parse().ok()),
                    _ => moment(&told.map_or(Value::Null, Value::text)),
                };
                let Some(at) = at else {
                    batch.rows.bad.push(format!(
                        "{} of {}: {} is no time",
                        self.table.time,
                        self.table.name,
                        told.unwrap_or("null")
                    ));
                    continue;
                };
                if !(wish.from..wish.to).contains(&at) {
                    continue;
                }
                let json: &str = row.try_get(1)?;
                if let Err(fault) = reader.json(json.as_bytes(), &mut slots) {
                    let table = &self.table.name;
                    batch.rows.bad.push(format!("{table}: {}", fault.message));
                    continue;
                }
                if !batch.add(at, at, slots.iter_mut().map(std::mem::take))? {
                    return session.rollback(within);
                }
            }
            if rows.len() < TOGETHER {
                return session.rollback(within);
            }
        }
    }
}

impl Source for PostgresRows {
    fn about(&self) -> String {
        let grows = if self.table.grows { ", followed" } else { "" };
        let place = &self.address;
        format!("the table {} of {place}{grows}", self.table.name)
    }

    fn columns(&self, context: &Context) -> Outcome<Columns> {
        let within = within(context);
        let known = self
            .pool()?
            .run(within, |session, _| self.known(session, within));
        let columns = known.map_err(fault)?.columns;
        self.table.columns(columns).map(Columns::Fixed)
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
        let pool = self.pool()?;
        poll(wish, self.table.lag, context, take, |since, batch| {
            let from = wish.from.max(since);
            let wish = &Wish { from, ..*wish };
            let session = pool.session(within(context));
            let read =
                session.and_then(|mut session| self.rows(&mut session, wish, batch, context));
            read.map_err(fault)
        })
    }
}

fn fault(failure: Failure) -> Fault {
    failure.into_fault(|_| Code::ServerFailed)
}

/// What a column holds, by the server's name of its type.
fn kind_of(name: &str) -> &'static str {
    match name {
        "smallint" | "integer" => "int4",
        "bigint" => "int8",
        "real" | "double precision" | "numeric" => "float8",
        "boolean" => "bool",
        "text" | "character varying" | "character" | "name" | "uuid" | "inet" | "cidr" => "str",
        "json" | "jsonb" => "json",
        "date" => "timestamp",
        name if name.starts_with("timestamp") => "timestamp",
        _ => "",
    }
}
