//! Rows on their way into a collection.

use super::kept::Progress;
use super::request::Destination;
use super::work::{LOOK, Work, note_error, passes};
use crate::collect::entry::Entry;
use crate::collect::key::{Base, Field, Key};
use crate::collect::query::{Query, Range, Row, Totals};
use crate::diagnostic::{Code, Diagnostic, Outcome, brief};
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::input::{Columns, EVENTDATE, moment};
use crate::store::Backoff;
use smol_str::SmolStr;
use std::cell::RefCell;
use std::time::Instant;

/// So many entries are written together.
const BATCH: usize = 4_000;

/// So many bytes of texts wait at most.
const BYTES: usize = 4 << 20;

/// After so many rows of what grows it is said which columns none has had.
const ROWS: u64 = 100;

/// So many kinds of trouble with rows are remembered.
const TOLD: usize = 5;

/// Where a field of a row is found.
enum Place {
    At(usize),
    Named,
}

/// A field and where it is found.
struct Column {
    parameter: &'static str,
    field: Field,
    place: Place,
    /// Whether some row had a value for it.
    seen: bool,
}

impl Column {
    fn value(&mut self, value: impl Fn(&Column) -> Value) -> Value {
        let value = self.field.kind.of(&value(self));
        self.seen |= !value.is_null();
        value
    }
}

/// Rows on their way.
pub(super) struct Sink<'w> {
    work: &'w Work,
    reached: &'w mut Progress,
    backoff: &'w mut Backoff,
    base: Base,
    keys: Vec<Column>,
    values: Vec<Column>,
    /// Whether a later run begins anew, since it could not know which rows have come.
    anew: bool,
    follow: bool,
    grouped: bool,
    /// Rows of this round.
    rows: u64,
    batch: Vec<Entry>,
    bytes: usize,
    /// Whether the status says that something is away.
    away: bool,
    saved: Instant,
    failed: u64,
    told: usize,
    told_unseen: bool,
    /// Rows with trouble of which the task knows already.
    trouble: (u64, usize),
}

impl<'w> Sink<'w> {
    /// A sink for the rows of a query, or for events.
    pub fn new(
        work: &'w Work,
        reached: &'w mut Progress,
        backoff: &'w mut Backoff,
        query: Option<&Query>,
        away: bool,
    ) -> Sink<'w> {
        let columns = query.map_or(Columns::Open, Query::columns);
        let place = |parameter, field: &Field| Column {
            parameter,
            seen: false,
            place: match &columns {
                Columns::Open => Place::Named,
                Columns::Fixed(columns) => columns
                    .iter()
                    .position(|column| column.name == field.name)
                    .map_or(Place::Named, Place::At),
            },
            field: field.clone(),
        };
        let all = |parameter, fields: &[Field]| -> Vec<Column> {
            fields.iter().map(|field| place(parameter, field)).collect()
        };
        let definition = &work.task.definition;
        let anew = query.is_none_or(|query| query.is_limited() || !query.grows());
        if anew {
            reached.read = 0;
            reached.kept = 0;
        }
        Sink {
            base: work.task.base(),
            keys: all("keyFields", &definition.keys),
            values: all("valueFields", &definition.values),
            anew,
            follow: query.is_some_and(Query::grows),
            grouped: query.is_some_and(Query::is_grouped),
            rows: 0,
            batch: Vec::new(),
            bytes: 0,
            away,
            saved: Instant::now(),
            failed: 0,
            told: 0,
            told_unseen: false,
            trouble: (0, 0),
            work,
            reached,
            backoff,
        }
    }

    /// Writes the rows of a query.
    pub fn query(self, query: &Query, range: Range) -> Outcome<()> {
        let context = &self.work.context;
        // Both closures need it, one after the other.
        let sink = RefCell::new(self);
        let totals = query.run(
            range,
            context,
            &mut |row| {
                let mut sink = sink.borrow_mut();
                let time = row.get(EVENTDATE);
                sink.put(time.as_ref(), |column| match column.place {
                    Place::At(at) => row.values().get(at).cloned().unwrap_or_default(),
                    Place::Named => named(row, &column.field.name),
                })?;
                Ok(true)
            },
            &mut |totals| sink.borrow_mut().pass(totals),
        );
        let mut sink = sink.into_inner();
        if let Err(fault) = &totals
            && fault.code == Code::Interrupted
        {
            // What has come is written even so, but nothing is waited for.
            let _ = sink.last_flush();
        }
        let totals = totals?;
        sink.flush()?;
        sink.work.same_store(sink.reached)?;
        sink.trouble(&totals);
        sink.unseen();
        Ok(())
    }

    /// Says which columns no row had: where columns are not known before, a name may be misspelt.
    fn unseen(&mut self) {
        let nowhere = self.work.task.definition.destination == Destination::DoNothing;
        if self.rows == 0 || nowhere {
            return;
        }
        let now = self.work.context.clock.now();
        for column in self.keys.iter().chain(&self.values).filter(|c| !c.seen) {
            let (parameter, name) = (column.parameter, &column.field.name);
            let text = format!("{parameter}: no row has had a value of {name}");
            note_error(self.reached, now, &text);
        }
    }

    /// Writes events.
    pub fn events(mut self, events: &[Map]) -> Outcome<()> {
        for event in events {
            self.work.context.check_cancelled()?;
            let time = event.get_text(EVENTDATE);
            self.put(time.as_ref(), |column| {
                let name = &column.field.name;
                crate::eval::look_up(name, |asked| event.get_text(asked)).unwrap_or_default()
            })?;
        }
        self.flush()?;
        self.work.same_store(self.reached)?;
        self.trouble(&Totals::default());
        self.unseen();
        Ok(())
    }

    /// Takes a row; one that cannot be an entry is counted.
    fn put(&mut self, date: Option<&Value>, value: impl Fn(&Column) -> Value) -> Outcome<()> {
        self.rows += 1;
        self.reached.read += 1;
        let millis = match date {
            Some(Value::Long(date)) => Some(*date),
            Some(Value::Int(date)) => Some(i64::from(*date)),
            Some(text @ Value::Text(_)) => moment(text),
            _ => None,
        };
        let Some(date) = millis else {
            let found = date.unwrap_or(&Value::Null).kind_in_words();
            let message = format!("eventdate is {found}, not milliseconds since 1970");
            self.refuse(&message);
            return Ok(());
        };
        self.reached.last = self.reached.last.max(Some(date));
        let definition = &self.work.task.definition;
        if definition.destination == Destination::DoNothing {
            return Ok(());
        }
        let keys: smallvec::SmallVec<[Value; 4]> = self
            .keys
            .iter_mut()
            .map(|column| column.value(&value))
            .collect();
        let key = match Key::of(&self.base, &keys) {
            Ok(key) => key,
            Err(fault) => {
                self.refuse(&brief(&fault));
                return Ok(());
            }
        };
        let fields = match self.values.is_empty() {
            true => None,
            false => {
                let mut fields = Vec::with_capacity(self.values.len());
                for column in &mut self.values {
                    // The date is there in any case.
                    if column.field.name == EVENTDATE {
                        continue;
                    }
                    let value = column.value(&value);
                    self.bytes += match &value {
                        Value::Text(text) => text.len(),
                        _ => 16,
                    };
                    fields.push((column.field.name.clone(), value));
                }
                Some(fields)
            }
        };
        self.batch.push(Entry {
            key,
            date,
            expires: date.saturating_add(definition.life()),
            fields,
        });
        if self.batch.len() >= BATCH || self.bytes >= BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn refuse(&mut self, text: &str) {
        self.failed += 1;
        if self.told < TOLD {
            self.told += 1;
            note_error(self.reached, self.work.context.clock.now(), text);
        }
    }

    /// Time has passed.
    fn pass(&mut self, totals: &Totals) -> Outcome<()> {
        if self.follow {
            self.flush()?;
        }
        if self.saved.elapsed() < LOOK {
            return Ok(());
        }
        self.flush()?;
        self.work.same_store(self.reached)?;
        self.present()?;
        self.trouble(totals);
        // Enough to tell, and told once.
        if self.follow && !self.told_unseen && self.rows >= ROWS {
            self.told_unseen = true;
            self.unseen();
        }
        if !self.anew
            && let Some(resume) = totals.resume
        {
            // A group is whole or does not come again; any other row may come however late.
            let resume = match (self.grouped, self.reached.last) {
                (false, Some(last)) => resume.min(last),
                _ => resume,
            };
            self.reached.origin = self.reached.origin.max(resume);
        }
        self.saved = Instant::now();
        match self.work.save(self.reached) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Diagnostic::new(Code::Interrupted, "the task was stopped")),
            // It is saved the next time.
            Err(fault) if passes(&fault) => {
                tracing::warn!("a collection task cannot be saved: {}", fault.message);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    /// Keeps in mind what was wrong with rows.
    fn trouble(&mut self, totals: &Totals) {
        let wrong = totals.bad + totals.failed + self.failed;
        let (known, told) = self.trouble;
        if wrong == known {
            return;
        }
        let now = self.work.context.clock.now();
        for problem in totals.problems.iter().skip(told).take(TOLD) {
            note_error(self.reached, now, problem);
        }
        let before = format!("{known} rows are bad or failed");
        self.reached
            .errors
            .retain(|error| !error.ends_with(&before));
        let text = format!("{wrong} rows are bad or failed");
        note_error(self.reached, now, &text);
        self.trouble = (wrong, totals.problems.len());
    }

    /// Writes what waits, however long the store is away. Errors: what does not pass, and E0307.
    fn flush(&mut self) -> Outcome<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        loop {
            let batch = &self.batch;
            let put = self
                .work
                .call(|within| self.work.collections.put(batch, within));
            match put {
                Ok(written) => {
                    self.reached.kept += written.stored;
                    break;
                }
                Err(fault) if passes(&fault) => {
                    self.away = true;
                    self.work.lost(self.reached, &fault)?;
                    self.work.sleep(self.backoff.pause())?;
                }
                Err(fault) => return Err(fault),
            }
        }
        self.batch.clear();
        self.bytes = 0;
        self.backoff.reset();
        self.present()
    }

    /// What was away is there again.
    fn present(&mut self) -> Outcome<()> {
        match std::mem::take(&mut self.away) {
            true => self.work.regained(),
            false => Ok(()),
        }
    }

    /// Writes what waits unless the store is away.
    fn last_flush(&mut self) -> Outcome<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = &self.batch;
        let written = self
            .work
            .calmly(|within| self.work.collections.put(batch, within))?;
        self.reached.kept += written.stored;
        Ok(())
    }
}

/// The value of a name in a row of which the columns are not known before; it may lead into values.
fn named(row: &Row<'_>, name: &SmolStr) -> Value {
    crate::eval::look_up(name, |asked| row.get(asked)).unwrap_or_default()
}
