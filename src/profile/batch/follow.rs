//! Profiles over inputs that grow: a period closes when the watermark passes its end, and what comes later is late.
//!
//! The watermark is the time of the latest event less the lag, of the input that is behind the others; inputs that are
//! idle do not hold it. Where a follower stands is stored with the measurements: after the watermark, for each file the
//! place of the first event of a period that was still open. From there it reads again when it is started again, so
//! that no event is lost and none counts twice. The watermark stays until all files are read again up to where that was.

use super::Batch;
use super::close::{Closer, Entities};
use super::late::{Closed, Late};
use super::place::{At, Course, Where, begin, lost};
use super::route::{Refused, Routing, too_long};
use super::row::copy;
use super::tail::{News, What, tail};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::input::{Format, Input};
use crate::profile::period::Period;
use crate::profile::store::{Lock, Mark, Marks, ProfileStore, Within};
use crate::store::Deadline;
use crossbeam_channel::RecvTimeoutError;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// An event so far ahead of the clock does not move the watermark: one wrong clock would make all others late.
const AHEAD: i64 = 3_600_000;

/// How long storing the place may take at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Of so many inputs that were followed once the place is kept.
const OTHERS: usize = 100;

/// So often the place is stored although no period has closed: what is known of a file tells it again.
const OFTEN: Duration = Duration::from_secs(10);

/// How often idle inputs are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How inputs are followed.
#[derive(Debug, Clone)]
pub struct Following {
    /// By how many milliseconds events may come too late.
    pub lag: i64,
    /// After this time an input without news does not hold the watermark any more.
    pub idle: Duration,
    /// What becomes of events of periods that have been closed.
    pub late: Late,
    /// Under which name its place is kept.
    pub name: String,
}

/// What a follower has counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Followed {
    /// Lines that were read.
    pub read: u64,
    /// Lines that are no events.
    pub bad: u64,
    /// Events of periods that had been closed, and that a profile has left out.
    pub late: u64,
    /// Events of periods that had been closed, and that a profile has let in.
    pub merged: u64,
    /// Events that are too far ahead of the clock, and were left out.
    pub ahead: u64,
    /// Periods that were still open at the end, and are measured when it goes on.
    pub open: usize,
}

/// An input that is followed.
struct Followable {
    /// Where it stands.
    place: Where,
    line: u64,
    /// The time of its latest event.
    latest: Option<i64>,
    active: Instant,
    ended: bool,
}

/// A period that is not closed yet.
struct Open {
    entities: Entities,
    /// Where its first event stands in each input.
    first: Vec<Option<At>>,
}

/// What hears of bad lines: the number of the input, that of the line, what is wrong. `false` ends the work.
pub type Hear<'a> = dyn FnMut(usize, u64, &Fault) -> bool + 'a;

struct Follower<'b> {
    batch: &'b Batch,
    following: &'b Following,
    marks: &'b Marks,
    /// Under which name something is kept: what cannot be read again has nothing in common with files.
    name: String,
    /// Whether all inputs can be read again.
    again: bool,
    /// What the mark says of inputs that this run does not follow.
    others: Vec<Json>,
    _lock: Option<Lock>,
    /// When its place was stored the last time.
    marked: Instant,
    inputs: Vec<Followable>,
    routing: Routing<'b>,
    closer: Closer<'b>,
    open: BTreeMap<i64, Open>,
    /// Periods that take late events.
    closed: Option<Closed<'b>>,
    watermark: i64,
    counts: Followed,
    taken: u64,
    outside: u64,
}

impl Batch {
    /// Follows inputs until they end or the work is cancelled, which is no error. `hear` is told of bad lines, `note`
    /// of files that are gone.
    ///
    /// Errors: E0402 for tables, E0403 for what cannot be read, E0603 while another one follows under that name, those
    /// of the store.
    pub fn follow(
        &self,
        inputs: &[Input],
        following: &Following,
        store: &dyn ProfileStore,
        marks: &Marks,
        hear: &mut Hear<'_>,
        note: &mut dyn FnMut(String),
    ) -> Outcome<Followed> {
        if let Some(table) = inputs.iter().find(|i| i.format() != Format::JsonLines) {
            let message = format!(
                "{} is a table, and only JSON Lines can be followed",
                table.name()
            );
            return Err(Diagnostic::new(Code::BadTable, message));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let begun = Follower::new(self, inputs, following, store, marks, note);
        let (mut follower, courses) = match begun {
            // It had hardly begun.
            Err(fault) if fault.code == Code::Interrupted => return Ok(Followed::default()),
            begun => begun?,
        };
        let flags = [stop.clone(), self.context.cancel.clone()];
        let news = tail(inputs, courses, self.context.limits.line, &flags)?;
        let mut done = Ok(true);
        while matches!(done, Ok(true)) && !self.context.cancel.load(Ordering::Relaxed) {
            done = match news.recv_timeout(TICK) {
                Ok(news) => follower.news(news, hear),
                Err(RecvTimeoutError::Timeout) => follower.advance().map(|()| true),
                Err(RecvTimeoutError::Disconnected) => Ok(false),
            };
            // What failed is read again.
            if done.is_ok()
                && let Err(fault) = follower.settle()
            {
                done = Err(fault);
            }
        }
        stop.store(true, Ordering::Relaxed);
        drop(news);
        let ended = follower.end(matches!(done, Ok(true)));
        let counts = match (done, ended) {
            (Err(fault), _) | (_, Err(fault)) if fault.code != Code::Interrupted => Err(fault),
            _ => Ok(follower.counts),
        };
        self.count(follower.routing.tallies);
        self.count(follower.closer.tallies);
        self.odd.add(follower.routing.odd);
        self.taken.fetch_add(follower.taken, Ordering::Relaxed);
        self.outside.fetch_add(follower.outside, Ordering::Relaxed);
        counts
    }
}

impl<'b> Follower<'b> {
    fn new(
        batch: &'b Batch,
        inputs: &[Input],
        following: &'b Following,
        store: &'b dyn ProfileStore,
        marks: &'b Marks,
        note: &mut dyn FnMut(String),
    ) -> Outcome<(Follower<'b>, Vec<Option<Course>>)> {
        let file = |input: &Input| match input {
            Input::File(path) if !input.is_live() => std::path::absolute(path).ok(),
            _ => None,
        };
        let paths: Vec<Option<PathBuf>> = inputs.iter().map(file).collect();
        // A place means something when all inputs can be read again.
        let again = paths.iter().all(Option::is_some);
        let name = match again {
            true => following.name.clone(),
            false => format!("{} -", following.name),
        };
        let keeps = again || matches!(following.late, Late::Merge(_));
        let lock = keeps.then(|| marks.lock(&name)).transpose()?;
        let within = Within::context(&batch.context);
        let mark = match again {
            true => marks.read(&name, within)?,
            false => None,
        };
        let mark: Json = mark.map_or(Json::Null, |mark| {
            serde_json::from_str(&mark).unwrap_or_default()
        });
        let mut others: Vec<Json> = mark["inputs"].as_array().cloned().unwrap_or_default();
        let (mut followed, mut courses) = (Vec::new(), Vec::new());
        for (input, path) in inputs.iter().zip(&paths) {
            let (place, course) = begin(input, path.as_deref(), &mut others)?;
            if course.as_ref().is_some_and(|course| course.lost) {
                note(lost(&input.name()));
            }
            followed.push(Followable {
                place,
                line: 0,
                latest: None,
                active: Instant::now(),
                ended: false,
            });
            courses.push(course);
        }
        others.truncate(OTHERS);
        let mut follower = Follower {
            batch,
            following,
            marks,
            name,
            again,
            others,
            _lock: lock,
            marked: Instant::now(),
            inputs: followed,
            routing: Routing::new(batch),
            closer: Closer::new(batch, &[], store),
            open: BTreeMap::new(),
            closed: None,
            watermark: mark["watermark"].as_i64().unwrap_or(i64::MIN),
            counts: Followed::default(),
            taken: 0,
            outside: 0,
        };
        let (name, from) = (follower.name.clone(), follower.watermark);
        match following.late {
            Late::Merge(keep) => {
                // What a stream has left behind belongs to another one.
                if !again {
                    marks.keep(&name, &[], from, within)?;
                }
                let closed = Closed::new(batch, keep, name, from, marks)?;
                follower.closer.keepers = closed.numbers();
                follower.closed = Some(closed);
            }
            // What is closed without being kept is not complete any more.
            Late::Drop if again => marks.keep(&name, &[], from, within).map(|_| ())?,
            Late::Drop => {}
        }
        // So that its table is there when measurements are stored with it.
        if again && let Some(mark) = follower.mark() {
            marks.write(&mark, within)?;
        }
        Ok((follower, courses))
    }

    /// What is stored with measurements: the place, and what may take late events.
    fn mark(&mut self) -> Option<Mark> {
        if !self.again && self.closed.is_none() {
            return None;
        }
        let watermark = self.watermark;
        let closed = self.closed.as_mut();
        let passed = closed.map_or_else(Vec::new, |closed| closed.passed(watermark));
        Some(Mark {
            name: self.name.clone(),
            text: self.again.then(|| self.place()),
            states: Arc::new(std::mem::take(&mut self.closer.states)),
            passed,
        })
    }

    fn place(&mut self) -> String {
        let mut inputs: Vec<Json> = Vec::with_capacity(self.inputs.len() + self.others.len());
        for (index, input) in self.inputs.iter_mut().enumerate() {
            let open = self.open.values();
            let first = open.filter_map(|open| open.first.get(index).copied().flatten());
            inputs.push(input.place.json(first.min()));
        }
        inputs.extend(self.others.iter().cloned());
        json!({"watermark": self.watermark, "inputs": inputs}).to_string()
    }

    /// Takes what is new; `false` at the end.
    fn news(&mut self, news: News, hear: &mut Hear<'_>) -> Outcome<bool> {
        let News { input: index, what } = news;
        let Some(input) = self.inputs.get_mut(index) else {
            return Ok(true);
        };
        input.active = Instant::now();
        match what {
            What::Begins(begun) => {
                input.place.begins(begun);
                input.line = 0;
            }
            What::TooLong(at) => {
                input.place.skip(at);
                input.line += 1;
                let fault = too_long(self.routing.context.limits.line);
                return Ok(self.bad(index, &fault, hear));
            }
            What::Lines(lines) => {
                for line in lines.split_inclusive(|byte| *byte == b'\n') {
                    if self.routing.context.cancel.load(Ordering::Relaxed) {
                        return Ok(true);
                    }
                    if !self.line(index, line, hear)? {
                        return Ok(false);
                    }
                }
            }
            What::Ends(fault) => {
                input.ended = true;
                if let Some(fault) = fault {
                    return Err(fault);
                }
                self.advance()?;
                return Ok(!self.inputs.iter().all(|input| input.ended));
            }
        }
        Ok(true)
    }

    fn bad(&mut self, index: usize, fault: &Fault, hear: &mut Hear<'_>) -> bool {
        self.counts.read += 1;
        self.counts.bad += 1;
        let line = self.inputs.get(index).map_or(0, |input| input.line);
        hear(index, line, fault)
    }

    /// Takes one line; `false` when it is bad and that ends the work.
    fn line(&mut self, index: usize, line: &[u8], hear: &mut Hear<'_>) -> Outcome<bool> {
        let Some(input) = self.inputs.get_mut(index) else {
            return Ok(true);
        };
        let begin = input.place.at();
        let at = begin.1;
        let again = input.place.again();
        input.place.pass(line);
        input.line += 1;
        let latest = input.latest;
        let text = match at {
            0 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            _ => line,
        };
        let text = text.trim_ascii_end();
        if text.is_empty() {
            return Ok(true);
        }
        let setting = &self.batch.setting;
        let (duration, watermark) = (setting.duration, self.watermark);
        let mut closed = self.closed.as_mut();
        let clock = &self.batch.context.clock;
        let reach = AHEAD.max(self.following.lag);
        let (inside, late) = (Cell::new(false), Cell::new(false));
        let ahead = Cell::new(false);
        // What became of a late event: some profile has let it in, or left it out.
        let (merged, mut dropped) = (Cell::new(false), false);
        let mut ends = None;
        let takes = closed.as_ref().map(|closed| closed.keep());
        let admit = |time: i64| {
            let early = setting.begin.is_some_and(|begin| time < begin);
            let end = Period::of(time, duration).end();
            inside.set(!early && setting.end.is_none_or(|end| time <= end));
            late.set(end <= watermark);
            // The clock need not be asked for what is earlier than something that was let in.
            let new = latest.is_none_or(|latest| time > latest);
            ahead.set(inside.get() && new && time > clock.now().saturating_add(reach));
            // What an earlier run has closed or let in is done.
            let takes = takes.is_some_and(|keep| !again && end > watermark.saturating_sub(keep));
            inside.get() && !ahead.get() && (!late.get() || takes)
        };
        let (open, closer, inputs) = (&mut self.open, &mut self.closer, self.inputs.len());
        let needs = &self.batch.plans.needs;
        let keep = |route: super::route::Route<'_>| {
            let period = Period {
                number: route.period,
                duration,
            };
            let (Some((fields, whole)), Some(row)) =
                (needs.get(route.plan), closer.rows.get_mut(route.plan))
            else {
                return Ok(false);
            };
            for field in fields {
                if let Some(place) = row.get_mut(*field) {
                    *place = copy(route.message.get(*field))?;
                }
            }
            if let (true, Some(map), Some(place)) = (*whole, route.message.whole(), row.last_mut())
            {
                *place = copy(&Value::Map(map.clone()))?;
            }
            if let (true, Some(closed)) = (late.get(), closed.as_mut()) {
                return match closed.entities(route.plan, period, route.entity) {
                    Ok(Some(entities)) => {
                        merged.set(true);
                        closer.apply_to(entities, period, at, route.plan, route.entity)
                    }
                    Ok(None) => {
                        dropped = true;
                        Ok(false)
                    }
                    // The event must be read again.
                    Err(fault) => {
                        ends = Some(fault);
                        Ok(false)
                    }
                };
            }
            let open = open.entry(route.period).or_insert_with(|| Open {
                entities: needs.iter().map(|_| IndexMap::default()).collect(),
                first: vec![None; inputs],
            });
            if let Some(first @ None) = open.first.get_mut(index) {
                *first = Some(begin);
            }
            closer.apply_to(&mut open.entities, period, at, route.plan, route.entity)
        };
        let read = self.routing.event(text, None, (at as i64, 0), admit, keep);
        if let Some(fault) = ends {
            return Err(fault);
        }
        let (inside, late, merged) = (inside.get(), late.get(), merged.get());
        let ahead = ahead.get();
        match read {
            Ok(time) => {
                let new = inside && late && !again;
                let admitted = takes.is_some_and(|keep| {
                    new && Period::of(time, duration).end() > watermark.saturating_sub(keep)
                });
                self.counts.read += 1;
                self.taken += u64::from(inside && !ahead && (!late || merged));
                self.counts.ahead += u64::from(ahead);
                self.outside += u64::from(!inside);
                self.counts.merged += u64::from(merged);
                // What an earlier run has closed or counted is not late now.
                self.counts.late += u64::from(new && (dropped || !admitted));
                self.see(index, time)?;
                Ok(true)
            }
            Err(Refused::Bad(fault)) => Ok(self.bad(index, &fault, hear)),
            Err(Refused::End(fault)) => Err(fault),
        }
    }

    /// Moves on with the time of an event.
    fn see(&mut self, index: usize, time: i64) -> Outcome<()> {
        let Some(input) = self.inputs.get_mut(index) else {
            return Ok(());
        };
        if input.latest.is_some_and(|latest| time <= latest) {
            return Ok(());
        }
        let now = self.routing.context.clock.now();
        if time > now.saturating_add(AHEAD.max(self.following.lag)) {
            return Ok(());
        }
        input.latest = Some(time);
        self.advance()
    }

    /// Whether all files are read up to where an earlier run was: until then events come that it has seen.
    fn caught_up(&self) -> bool {
        let behind = |input: &Followable| !input.ended && input.place.behind();
        !self.inputs.iter().any(behind)
    }

    /// Measures late events that have waited long enough.
    fn settle(&mut self) -> Outcome<()> {
        let due = self.closed.as_ref().is_some_and(Closed::is_due);
        if due && self.caught_up() {
            return self.close(|_| false);
        }
        match self.marked.elapsed() >= OFTEN {
            true => self.keep_place(Within::context(&self.batch.context)),
            false => Ok(()),
        }
    }

    /// Stores where it stands, unless late events wait, which are behind that.
    fn keep_place(&mut self, within: Within<'_>) -> Outcome<()> {
        self.marked = Instant::now();
        if !self.again || self.closed.as_ref().is_some_and(Closed::waits) {
            return Ok(());
        }
        match self.mark() {
            Some(mark) => self.marks.write(&mark, within),
            None => Ok(()),
        }
    }

    /// Moves the watermark, and closes what it has passed.
    fn advance(&mut self) -> Outcome<()> {
        if !self.caught_up() {
            return Ok(());
        }
        let holds =
            |input: &&Followable| !input.ended && input.active.elapsed() < self.following.idle;
        let holding = self.inputs.iter().filter(holds).map(|input| input.latest);
        // An input from which nothing has come yet holds everything. When none holds, the latest event counts.
        let latest = match holding.min() {
            Some(slowest) => slowest,
            None => self.inputs.iter().filter_map(|input| input.latest).max(),
        };
        let Some(latest) = latest else {
            return Ok(());
        };
        let watermark = latest.saturating_sub(self.following.lag);
        if watermark <= self.watermark {
            return Ok(());
        }
        self.watermark = watermark;
        let duration = self.batch.setting.duration;
        let first = self.open.keys().next().copied();
        let passed = |number: i64| Period { number, duration }.end() <= watermark;
        if first.is_some_and(passed) {
            self.close(passed)?;
        }
        Ok(())
    }

    /// Closes periods, the earliest first, and stores them and those with late events with the place of the inputs.
    fn close(&mut self, passed: impl Fn(i64) -> bool) -> Outcome<()> {
        let duration = self.batch.setting.duration;
        let late = self.closed.as_mut().map(Closed::take);
        for (number, entities) in late.into_iter().flatten() {
            self.closer.entities = entities;
            self.closer.measure(Period { number, duration })?;
        }
        while let Some(first) = self.open.first_entry() {
            let number = *first.key();
            if !passed(number) {
                break;
            }
            self.closer.entities = first.remove().entities;
            self.closer.measure(Period { number, duration })?;
        }
        let mark = self.mark();
        let mark = mark.as_ref().map(|mark| (self.marks, mark));
        self.closer.store_with(mark)
    }

    /// Ends: what can be read again stays open, and what cannot is measured now unless it was interrupted.
    fn end(&mut self, interrupted: bool) -> Outcome<()> {
        if self.again || interrupted || self.routing.context.cancel.load(Ordering::Relaxed) {
            self.counts.open = self.open.len();
            if interrupted {
                // This is the end: it was told to stop already, and what was stored before is enough.
                let within = Within {
                    now: self.batch.context.clock.now(),
                    deadline: Deadline::after(PATIENCE),
                    cancel: &Arc::default(),
                };
                let _ = self.keep_place(within);
            }
            return Ok(());
        }
        self.close(|_| true)?;
        // It is never gone on with.
        self.closed.as_ref().map_or(Ok(()), Closed::forget)
    }
}
