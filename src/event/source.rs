//! Stored events as a source of rows.

use super::query::{Bound, Condition, Order, Query};
use super::shape::column_value;
use super::{COLUMNS, Column, ColumnKind, Events};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::{Context, Value};
use crate::input::{self, Columns, Polled, Source, TOGETHER, Take, Wish, poll};
use crate::store::Within;
use crossbeam_channel::bounded;

/// Events may become visible so much later than the time at which they were stored, in milliseconds.
const LATE: i64 = 60_000;

/// The events of the store; `eventdate` is when one was detected. What comes later is found by the time of storing.
pub struct EventRows;

/// The name of the whole message.
const WHOLE: &str = "_";

/// A batch of rows on its way: the time, the time of storing, the values.
type Part = Vec<(i64, i64, Vec<Value>)>;

impl EventRows {
    fn query(wish: &Wish<'_>, since: i64) -> Query {
        let bound = |column, bound, at: i64| Condition::Time {
            column,
            bound,
            at: at.saturating_mul(1000),
        };
        let mut query = Query::all();
        for (column, side, at) in [
            (Column::DetectTime, Bound::From, wish.from),
            (Column::DetectTime, Bound::Before, wish.to),
            (Column::StorageTime, Bound::From, since),
        ] {
            if at > i64::MIN && at < i64::MAX {
                query.conditions.push(bound(column, side, at));
            }
        }
        // Who wants whole messages wants them as they happened.
        let ordered = wish.follow || wish.names.iter().any(|name| name == WHOLE);
        query.order = ordered.then_some(Order {
            column: Column::DetectTime,
            descending: false,
        });
        query
    }
}

/// Reads events on a thread of its own, since who takes rows may ask the same server.
fn read(
    events: &Events,
    wish: &Wish<'_>,
    since: i64,
    context: &Context,
    batch: &mut Polled<'_, '_>,
) -> Outcome<()> {
    let named = wish.names.iter().map(|name| match name.as_str() {
        WHOLE => Some(Column::Event),
        name => Column::named(name),
    });
    let named: Vec<Option<Column>> = named.collect();
    let mut columns = vec![Column::DetectTime, Column::StorageTime];
    for column in named.iter().flatten() {
        if !columns.contains(column) {
            columns.push(*column);
        }
    }
    let query = EventRows::query(wish, since);
    let (sender, parts) = bounded::<Part>(2);
    let reading = || {
        let within = Within {
            deadline: context.deadline.into(),
            ..Within::context(context)
        };
        let mut part = Part::with_capacity(TOGETHER);
        events.each(&query, &columns, within, |record| {
            let row = &record.row;
            let value = |column: &Option<Column>| match column {
                Some(column) => column_value(row, *column),
                None => Ok(Value::Null),
            };
            let values = named.iter().map(value).collect::<Outcome<Vec<Value>>>()?;
            let millis = |micros: i64| micros.div_euclid(1000);
            let stored = row.storagetime.unwrap_or(row.detecttime);
            part.push((millis(row.detecttime), millis(stored), values));
            match part.len() < TOGETHER {
                true => Ok(true),
                false => Ok(sender.send(std::mem::take(&mut part)).is_ok()),
            }
        })?;
        // Who does not listen any more does not miss it.
        let _ = sender.send(part);
        drop(sender);
        Ok(())
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("events".into())
            .stack_size(8 << 20)
            .spawn_scoped(scope, reading);
        let internal = |what: &str| Diagnostic::new(Code::Internal, what.to_owned());
        let thread = thread.map_err(|error| internal(&error.to_string()))?;
        let taken = (|| {
            for (time, stored, values) in parts.iter().flatten() {
                if !batch.add(time, stored, values)? {
                    break;
                }
            }
            Ok(())
        })();
        drop(parts);
        let read = thread
            .join()
            .unwrap_or_else(|_| Err(internal("the reader ended unexpectedly")));
        taken.and(read)
    })
}

impl Source for EventRows {
    fn about(&self) -> String {
        "events of the event store".to_owned()
    }

    fn columns(&self, _: &Context) -> Outcome<Columns> {
        let column = |column: &Column| {
            let kind = match column.kind() {
                ColumnKind::Text => "str",
                ColumnKind::Time => "timestamp",
                _ => "json",
            };
            input::Column::new(column.name(), kind)
        };
        Ok(Columns::Fixed(COLUMNS.iter().map(column).collect()))
    }

    fn grows(&self) -> bool {
        true
    }

    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()> {
        let events = context.services.get::<Events>();
        let missing = || Diagnostic::new(Code::Internal, "there is no event store here");
        let events = events.ok_or_else(missing)?;
        poll(wish, LATE, context, take, |since, batch| {
            read(&events, wish, since, context, batch)
        })
    }
}
