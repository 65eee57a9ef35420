//! Rows through the steps of a query.

use super::aggregate::State;
use super::groups::{Groups, MEMORY};
use super::layout::Layout;
use super::plan::{Group, Made, Query, Stage};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, brief};
use crate::eval::collections::Map;
use crate::eval::{Context, Value};
use crate::input::{EVENTDATE, Rows, Wish};
use crate::store::{Deadline, proceed};
use smol_str::SmolStr;
use std::time::{Duration, Instant};

/// A row so far ahead of the clock does not move the time up to which groups are told: one wrong clock would make all
/// other rows late.
const AHEAD: i64 = 3_600_000;

/// So many problems are told, the rest is counted.
const TOLD: usize = 10;

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// From this time on, in milliseconds since 1970.
    pub from: i64,
    /// Before this time.
    pub to: i64,
    /// Whether to go on for ever with what comes later.
    pub follow: bool,
}

impl Range {
    /// All that is there.
    pub fn all() -> Range {
        Range {
            from: i64::MIN,
            to: i64::MAX,
            follow: false,
        }
    }
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows of the source.
    pub read: u64,
    /// Rows of the result.
    pub kept: u64,
    /// What was no row.
    pub bad: u64,
    /// Rows on which an expression failed.
    pub failed: u64,
    /// Rows that came when their group had been told already.
    pub late: u64,
    /// The latest time of a row of the source.
    pub last: Option<i64>,
    /// From this time on a later run has to read so that no row of the result is missing; some may come again, since rows
    /// may come late and groups may be open. `None` before the first row.
    pub resume: Option<i64>,
    /// The first of what was bad and failed, in words.
    pub problems: Vec<String>,
}

/// A row of the result.
pub struct Row<'r> {
    layout: &'r Layout,
    /// Its time in milliseconds since 1970; of a group the start of its bucket.
    pub time: i64,
    values: &'r [Value],
}

impl Row<'_> {
    /// The values in the order of [`Query::columns`]; one map where these are open.
    pub fn values(&self) -> &[Value] {
        self.values
    }

    /// The value of a column.
    pub fn get(&self, name: &str) -> Option<Value> {
        if let Some(at) = self.layout.find(name) {
            return self.values.get(at).cloned();
        }
        let map = self.layout.whole_of(self.values)?;
        match name {
            EVENTDATE => Some(Value::Long(self.time)),
            name => map.get_text(name),
        }
    }

    /// The row as a map.
    pub fn map(&self) -> Map {
        self.layout.map(self.time, self.values)
    }

    /// Visits its fields.
    pub fn fields(&self, take: impl FnMut(&SmolStr, &Value)) {
        self.layout.fields(self.time, self.values, take);
    }
}

/// Takes rows of a result; `false` when nothing more is wanted.
pub type TakeRow<'t> = &'t mut dyn FnMut(&Row<'_>) -> Outcome<bool>;

impl Query {
    /// Runs the query: `take` gets each row, `pass` hears after some rows, and while it follows at least once a second
    /// also when none came. Where a row fails, it is counted and left out. What is followed ends when the clock has passed
    /// the end of the range by the lag of the source, and when the context's cancel flag is set.
    ///
    /// Errors: of the source and of `take`; E0410 for a group without `every` over rows that never end; E0304 for too
    /// many groups at once; E0307.
    pub fn run(
        &self,
        range: Range,
        context: &Context,
        take: TakeRow<'_>,
        pass: &mut dyn FnMut(&Totals) -> Outcome<()>,
    ) -> Outcome<Totals> {
        let mut running = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            if let Stage::Group(group) = stage
                && range.follow
                && group.every.is_none()
            {
                let message = "a group without every is never told where rows never end";
                return Err(Diagnostic::at(Code::BadQuery, group.span, message)
                    .help("write group every 5m …")
                    .in_source(&self.text));
            }
            running.push(Live {
                stage,
                left: match stage {
                    Stage::Limit(count) | Stage::Offset(count) => *count,
                    _ => 0,
                },
                groups: Groups::new(),
                row: Vec::new(),
            });
        }
        let mut work = Work {
            layouts: &self.layouts,
            context,
            totals: Totals::default(),
            newest: i64::MIN,
            lag: self.source.lag(),
            follow: range.follow,
            heard: Instant::now(),
            take,
        };
        let names: Vec<SmolStr> = self.layouts.first().map_or(Vec::new(), |first| {
            first
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect()
        });
        let wish = Wish {
            names: &names,
            from: range.from,
            to: range.to,
            follow: range.follow,
        };
        let ended = self.stages.contains_limit_zero();
        let mut wanted = !ended;
        if wanted {
            self.source.read(&wish, context, &mut |rows| {
                wanted = work.rows(&rows, names.len(), &mut running)?;
                let mut goes_on = wanted;
                if wanted && range.follow {
                    wanted = work.close(&rows, &mut running)?;
                    let end = range.to.saturating_add(work.lag);
                    goes_on = wanted && (rows.behind.is_some() || context.clock.now() < end);
                }
                pass(&work.totals)?;
                Ok(goes_on)
            })?;
        }
        if wanted {
            work.finish(&mut running)?;
        }
        Ok(work.totals)
    }
}

trait Limited {
    fn contains_limit_zero(&self) -> bool;
}

impl Limited for Vec<Stage> {
    fn contains_limit_zero(&self) -> bool {
        self.iter().any(|stage| matches!(stage, Stage::Limit(0)))
    }
}

/// A step at work.
struct Live<'q> {
    stage: &'q Stage,
    /// Rows that may still go on, or are still left out.
    left: u64,
    groups: Groups,
    /// Memory for the row that the step makes.
    row: Vec<Value>,
}

struct Work<'w> {
    layouts: &'w [Layout],
    context: &'w Context,
    totals: Totals,
    /// The latest time seen that counts.
    newest: i64,
    lag: i64,
    follow: bool,
    /// When a row came.
    heard: Instant,
    take: TakeRow<'w>,
}

impl Work<'_> {
    fn go_on(&self) -> Outcome<()> {
        proceed(Deadline::from(self.context.deadline), &self.context.cancel)
    }

    fn rows(&mut self, rows: &Rows, width: usize, stages: &mut [Live<'_>]) -> Outcome<bool> {
        self.go_on()?;
        self.totals.bad += rows.bad.len() as u64;
        for text in &rows.bad {
            self.problem(text);
        }
        for (number, time) in rows.times.iter().enumerate() {
            self.totals.read += 1;
            if self.totals.read.is_multiple_of(256) {
                self.go_on()?;
            }
            if *time > self.newest {
                self.seen(*time);
            }
            let from = number * width;
            let row = rows.values.get(from..from + width).unwrap_or_default();
            if !self.push(stages, *time, row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn seen(&mut self, time: i64) {
        self.totals.last = self.totals.last.max(Some(time));
        if !self.follow {
            self.totals.resume = self.totals.last;
        }
        if !self.follow || time <= self.context.clock.now().saturating_add(AHEAD.max(self.lag)) {
            self.newest = time;
        }
    }

    fn problem(&mut self, text: &str) {
        if self.totals.problems.len() < TOLD {
            self.totals.problems.push(text.to_owned());
        }
    }

    /// What failed is counted; what was interrupted ends the query.
    fn failed(&mut self, fault: Fault) -> Outcome<bool> {
        if fault.code == Code::Interrupted {
            return Err(fault);
        }
        self.totals.failed += 1;
        let text = brief(&fault);
        self.problem(&text);
        Ok(true)
    }

    fn push(&mut self, stages: &mut [Live<'_>], time: i64, row: &[Value]) -> Outcome<bool> {
        let Some((live, rest)) = stages.split_first_mut() else {
            let Some(layout) = self.layouts.last() else {
                return Ok(true);
            };
            self.totals.kept += 1;
            return (self.take)(&Row {
                layout,
                time,
                values: row,
            });
        };
        match live.stage {
            Stage::Where(conditions) => {
                for bound in conditions {
                    let kept = bound
                        .value(self.layouts, time, row, self.context)
                        .and_then(|value| bound.holds(&value));
                    match kept {
                        Ok(true) => {}
                        Ok(false) => return Ok(true),
                        Err(fault) => return self.failed(fault),
                    }
                }
                self.push(rest, time, row)
            }
            Stage::Select(made) => {
                let mut new = std::mem::take(&mut live.row);
                new.clear();
                // The layout of what is copied is the one before.
                for one in made {
                    let value = match one {
                        Made::Copied(place) => Ok(copied(place, time, row)),
                        Made::Computed(bound) => bound.value(self.layouts, time, row, self.context),
                    };
                    match value {
                        Ok(value) => new.push(value),
                        Err(fault) => return self.failed(fault),
                    }
                }
                let wanted = self.push(rest, time, &new);
                live.row = new;
                wanted
            }
            Stage::Group(group) => self.gather(group, live, time, row),
            Stage::Offset(_) => {
                if live.left > 0 {
                    live.left -= 1;
                    return Ok(true);
                }
                self.push(rest, time, row)
            }
            Stage::Limit(_) => {
                if live.left == 0 {
                    return Ok(false);
                }
                live.left -= 1;
                Ok(self.push(rest, time, row)? && live.left > 0)
            }
        }
    }

    fn gather(
        &mut self,
        group: &Group,
        live: &mut Live<'_>,
        time: i64,
        row: &[Value],
    ) -> Outcome<bool> {
        let bucket = group
            .every
            .map_or(0, |every| self.bucket(time, every.millis));
        let groups = &mut live.groups;
        if bucket < groups.told {
            self.totals.late += 1;
            return Ok(true);
        }
        groups.keys.clear();
        for key in &group.keys {
            match key.value(self.layouts, time, row, self.context) {
                Ok(value) => groups.keys.push(value),
                Err(fault) => return self.failed(fault),
            }
        }
        // Before anything is counted, so that a row that fails counts nowhere.
        live.row.clear();
        for (_, argument) in &group.aggregates {
            let Some(bound) = argument else { continue };
            match bound.value(self.layouts, time, row, self.context) {
                Ok(value) => live.row.push(value),
                Err(fault) => return self.failed(fault),
            }
        }
        let kinds = group.aggregates.iter().map(|(kind, _)| *kind);
        let Some(states) = groups.states(bucket, kinds) else {
            return Err(self.too_many(group));
        };
        let mut values = live.row.iter();
        let (mut grown, mut wrong) = (0, None);
        for (state, (_, argument)) in states.iter_mut().zip(&group.aggregates) {
            let value = argument.as_ref().and_then(|_| values.next());
            let before = state.weight();
            if let Err(text) = state.add(value, time, self.context.limits.string) {
                wrong.get_or_insert(text);
            }
            grown += state.weight().saturating_sub(before);
        }
        if let Some(text) = wrong {
            self.totals.failed += 1;
            self.problem(&text);
        }
        if grown > 0 && !live.groups.grown(grown) {
            return Err(self.too_many(group));
        }
        Ok(true)
    }

    fn too_many(&self, group: &Group) -> Fault {
        let message = format!("the open groups take more than {} MiB", MEMORY >> 20);
        Diagnostic::at(Code::CollectionSize, group.span, message)
            .help("group by less, or every shorter time")
    }

    /// The start of the bucket of a time; buckets of whole days begin at midnight where we are.
    fn bucket(&self, time: i64, every: i64) -> i64 {
        let shift = match every % DAY {
            0 => i64::from(self.context.zone.offset_millis(time)),
            _ => 0,
        };
        (time + shift).div_euclid(every) * every - shift
    }

    /// Tells the groups that are over by the time of the rows, or by the clock where none come any more.
    fn close(&mut self, rows: &Rows, stages: &mut [Live<'_>]) -> Outcome<bool> {
        if !rows.times.is_empty() {
            self.heard = Instant::now();
        }
        let mut newest = rows
            .behind
            .map_or(self.newest, |behind| behind.min(self.newest));
        let lag = Duration::from_millis(self.lag.unsigned_abs());
        if rows.behind.is_none() && self.newest > i64::MIN && self.heard.elapsed() >= lag {
            newest = newest.max(self.context.clock.now());
        }
        let mark = newest.saturating_sub(self.lag);
        let wanted = self.tell(stages, Some(mark))?;
        if self.totals.last.is_some() {
            let open = stages.iter().filter_map(|live| live.groups.first());
            let first = open.min().map_or(mark, |open| open.min(mark));
            self.totals.resume = Some(first).filter(|first| *first > i64::MIN);
        }
        Ok(wanted)
    }

    /// Tells all groups that are left.
    fn finish(&mut self, stages: &mut [Live<'_>]) -> Outcome<bool> {
        self.tell(stages, None)
    }

    fn tell(&mut self, stages: &mut [Live<'_>], until: Option<i64>) -> Outcome<bool> {
        for number in 0..stages.len() {
            let Some((live, rest)) = stages.get_mut(number..).and_then(<[_]>::split_first_mut)
            else {
                break;
            };
            let Stage::Group(group) = live.stage else {
                continue;
            };
            let length = group.every.map_or(i64::MAX, |every| every.millis);
            if let Some(mark) = until {
                let told = mark.saturating_sub(length - 1);
                live.groups.told = live.groups.told.max(told);
            }
            let told = live.groups.told;
            let over = |bucket: i64| until.is_none() || bucket < told;
            while live.groups.first().is_some_and(over) {
                let Some((bucket, groups)) = live.groups.take() else {
                    break;
                };
                let time = group.every.map_or(self.newest, |_| bucket);
                for (number, (keys, states)) in groups.into_iter().enumerate() {
                    if number % 256 == 0 {
                        self.go_on()?;
                    }
                    let row = &mut live.row;
                    row.clear();
                    row.push(Value::Long(time));
                    row.extend(keys);
                    row.extend(states.into_iter().map(State::value));
                    if !self.push(rest, time, row)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}

fn copied(place: &super::layout::Place, time: i64, row: &[Value]) -> Value {
    match place {
        super::layout::Place::At(at) => row.get(*at).cloned().unwrap_or_default(),
        _ => Value::Long(time),
    }
}
