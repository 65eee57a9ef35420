//! `/search/query`: rows as they are found, or a task.

use super::jobs::{bounded, of_domain, tasks, who};
use super::rows::Sheet;
use super::shape::{denied, failed, good, status};
use super::wish::{Idle, Mode, Wish, object, query_of};
use crate::collect::query::{Query, Range, Row, Saved, Totals};
use crate::collect::task::Denied;
use crate::config::Right;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Context;
use crate::store::Within;
use crate::store::serve::{Answer, Asked, Reply, Sending};
use serde_json::{Map, Value as Json};
use std::time::{Duration, Instant};

/// Parts of an answer have about so many bytes.
const PART: usize = 32 << 10;

/// After so long an answer begins, whatever there is of it.
const SOON: Duration = Duration::from_secs(2);

/// So many rows go by between two looks at the clock.
const ROWS: u64 = 256;

/// Answers a request.
pub fn search(asked: &Asked, context: &Context) -> Reply {
    ask(asked, context).unwrap_or_else(|refused| denied(asked, &refused).into())
}

fn ask(asked: &Asked, context: &Context) -> Result<Reply, Denied> {
    let given = object(&asked.body)?;
    let goes_elsewhere = given.get("destination").is_some_and(|to| !to.is_null());
    if goes_elsewhere {
        return task(asked, given, context);
    }
    let query = query_of(&given, |id| saved(id, context))?;
    let wish = Wish::read(&given, query, context)?;
    let mut own = bounded(asked, context);
    if let Some(zone) = &wish.zone {
        own.zone = zone.clone();
    }
    let query = Query::compile(&wish.query, &own)?;
    let endless = wish.to.is_none() && wish.mode.is_stream() && query.grows();
    if !endless {
        return Ok(Told::new(asked, &wish, &query).all(&wish, &query, &own, false));
    }
    let work = move |asked: &Asked| {
        own.cancel = asked.cancel.clone();
        own.deadline = None;
        Told::new(asked, &wish, &query).all(&wish, &query, &own, true)
    };
    Ok(Reply::Endless(Box::new(work)))
}

/// Makes a task of a query.
fn task(asked: &Asked, given: Map<String, Json>, context: &Context) -> Result<Reply, Denied> {
    if !asked.may(Right::Write) {
        return Ok(asked.forbidden(Right::Write).into());
    }
    // What is checked for rows is checked for tasks.
    let query = query_of(&given, |id| saved(id, context))?;
    Wish::read(&given, query, context)?;
    let tasks = tasks(context)?;
    let own = of_domain(asked, context);
    let created = tasks.create(&Json::Object(given), &who(asked), &own)?;
    Ok(good(asked, &created.message, &created.json()).into())
}

/// The text of a saved query.
fn saved(id: &str, context: &Context) -> Result<String, Denied> {
    match context.services.get::<Saved>() {
        Some(saved) => Ok(saved.text(id, Within::context(context))?),
        None => Err(Denied::invalid(format!(
            "queryId: there is no saved query {id}"
        ))),
    }
}

/// An answer with rows, on its way.
struct Told<'a> {
    asked: &'a Asked,
    sheet: Sheet,
    sending: Option<Sending<'a>>,
    mode: Mode,
    idle: Idle,
    began: Instant,
    offset: u64,
    left: u64,
    seen: u64,
}

impl<'a> Told<'a> {
    fn new(asked: &'a Asked, wish: &Wish, query: &Query) -> Told<'a> {
        let zone = wish.zone.clone();
        Told {
            asked,
            sheet: Sheet::new(wish.mode, wish.dates, zone, &asked.id, query.columns()),
            sending: None,
            mode: wish.mode,
            idle: wish.idle.clone(),
            began: Instant::now(),
            offset: wish.offset,
            left: wish.limit.unwrap_or(u64::MAX),
            seen: 0,
        }
    }

    /// Runs the query and tells what comes of it.
    fn all(mut self, wish: &Wish, query: &Query, context: &Context, follow: bool) -> Reply {
        let range = Range {
            from: wish.from,
            to: wish.to.unwrap_or(i64::MAX),
            follow,
        };
        let done = match self.left {
            0 => Ok(Totals::default()),
            _ => {
                let told = std::cell::RefCell::new(&mut self);
                query.run(
                    range,
                    context,
                    &mut |row| told.borrow_mut().row(row),
                    &mut |_| told.borrow_mut().pass(follow),
                )
            }
        };
        let done = done.and_then(|totals| {
            for problem in &totals.problems {
                tracing::warn!(target: "stellar::serve", "{}: {problem}", self.asked.id);
            }
            self.sheet.end(&totals)
        });
        match done {
            Ok(()) => self.end(),
            Err(fault) => self.fail(&fault),
        }
    }

    fn row(&mut self, row: &Row<'_>) -> Outcome<bool> {
        self.seen += 1;
        if self.seen.is_multiple_of(ROWS) {
            self.in_time()?;
        }
        if self.offset > 0 {
            self.offset -= 1;
            return Ok(true);
        }
        self.sheet.put(row)?;
        self.left -= 1;
        if self.sheet.out.len() >= PART {
            self.send()?;
        }
        Ok(self.left > 0)
    }

    /// Hears that rows have gone by, or time.
    fn pass(&mut self, follow: bool) -> Outcome<()> {
        self.in_time()?;
        // Who follows gets rows when they come.
        if follow && self.sheet.holds() {
            self.sheet.settle()?;
        }
        let some = follow && !self.sheet.out.is_empty();
        if some || (self.sending.is_none() && self.began.elapsed() > SOON) {
            self.send()?;
        }
        Ok(())
    }

    fn in_time(&self) -> Outcome<()> {
        if self.asked.deadline.passed() {
            let message = "this took longer than allowed";
            return Err(Diagnostic::new(Code::Timeout, message).help(
                "ask for less time or fewer rows; serve.time in the configuration is the bound",
            ));
        }
        Ok(())
    }

    /// Sends what is written so far.
    fn send(&mut self) -> Outcome<()> {
        let part = std::mem::take(&mut self.sheet.out);
        let sending = match self.sending.take() {
            Some(sending) => sending,
            None => {
                let idle = match (&self.idle, self.mode) {
                    (_, Mode::Csv | Mode::Tsv) => match &self.idle {
                        Idle::Nothing => Vec::new(),
                        Idle::Token(token) => token.clone().into_bytes(),
                        Idle::Empty => self.sheet.nothing(),
                    },
                    // Blanks between values mean nothing, and blank lines are skipped.
                    (_, Mode::Json | Mode::Compact) => b"    ".to_vec(),
                    _ => b"\n".to_vec(),
                };
                self.asked.begin(200, self.sheet.kind(), idle)?
            }
        };
        let sent = match part.is_empty() {
            true => Ok(()),
            false => sending.send(part),
        };
        self.sending = Some(sending);
        sent
    }

    fn end(mut self) -> Reply {
        let part = std::mem::take(&mut self.sheet.out);
        match self.sending.take() {
            Some(sending) => {
                // Who has gone misses nothing.
                let _ = sending.end(part);
                Reply::Sent
            }
            None => Reply::Whole(Answer {
                status: 200,
                kind: self.sheet.kind(),
                headers: Vec::new(),
                body: part,
            }),
        }
    }

    fn fail(mut self, fault: &Fault) -> Reply {
        // What is followed ends when the server does.
        if self.sending.is_none() {
            return failed(self.asked, fault).into();
        }
        if !self.sheet.holds() || self.sheet.settle().is_ok() {
            self.sheet.fail(status(fault), &fault.in_one_line());
        }
        self.end()
    }
}
