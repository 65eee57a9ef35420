//! Rows through the steps of a query.

use super::aggregate::State;
use super::layout::Layout;
use super::plan::{Group, Made, Query, Stage};
use crate::diagnostic::{Code, Diagnostic, Outcome, brief};
use crate::eval::collections::Map;
use crate::eval::{Context, Value};
use crate::input::{EVENTDATE, Rows, Wish};
use indexmap::{Equivalent, IndexMap};
use smol_str::SmolStr;
use std::hash::{Hash, Hasher};

/// So much later than its time a row of a source that grows may come and still count in its group, in milliseconds.
pub const LAG: i64 = 60_000;

/// So many groups may be open at once.
const GROUPS: usize = 5_000_000;

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
    /// Runs the query: `take` gets each row, `pass` hears after some rows, also when none came. Where a row fails, it is
    /// counted and left out.
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
                groups: IndexMap::default(),
                told: i64::MIN,
                row: Vec::new(),
            });
        }
        let mut work = Work {
            layouts: &self.layouts,
            context,
            totals: Totals::default(),
            newest: i64::MIN,
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
                if wanted && range.follow {
                    wanted = work.close(&mut running)?;
                }
                pass(&work.totals)?;
                Ok(wanted)
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

/// The rows of a group have the same bucket and the same keys.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    bucket: i64,
    values: Box<[Value]>,
}

struct Asked<'k> {
    bucket: i64,
    values: &'k [Value],
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bucket.hash(state);
        self.values.hash(state);
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.bucket == key.bucket && *self.values == *key.values
    }
}

/// A step at work.
struct Live<'q> {
    stage: &'q Stage,
    /// Rows that may still go on, or are still left out.
    left: u64,
    groups: IndexMap<Key, Vec<State>, ahash::RandomState>,
    /// Groups before this time have been told.
    told: i64,
    /// Memory for the row that the step makes.
    row: Vec<Value>,
}

struct Work<'w> {
    layouts: &'w [Layout],
    context: &'w Context,
    totals: Totals,
    /// The latest time seen.
    newest: i64,
    take: TakeRow<'w>,
}

impl Work<'_> {
    fn rows(&mut self, rows: &Rows, width: usize, stages: &mut [Live<'_>]) -> Outcome<bool> {
        self.context.check_cancelled()?;
        self.totals.bad += rows.bad.len() as u64;
        for text in &rows.bad {
            self.problem(text);
        }
        for (number, time) in rows.times.iter().enumerate() {
            self.totals.read += 1;
            if self.totals.read.is_multiple_of(256) {
                self.context.check_cancelled()?;
            }
            self.newest = self.newest.max(*time);
            let from = number * width;
            let row = rows.values.get(from..from + width).unwrap_or_default();
            if !self.push(stages, *time, row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn problem(&mut self, text: &str) {
        if self.totals.problems.len() < TOLD {
            self.totals.problems.push(text.to_owned());
        }
    }

    /// What failed is counted; what was interrupted ends the query.
    fn failed(&mut self, fault: crate::diagnostic::Fault) -> Outcome<bool> {
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
        if bucket < live.told {
            self.totals.late += 1;
            return Ok(true);
        }
        live.row.clear();
        for key in &group.keys {
            match key.value(self.layouts, time, row, self.context) {
                Ok(value) => live.row.push(value),
                Err(fault) => return self.failed(fault),
            }
        }
        let asked = Asked {
            bucket,
            values: &live.row,
        };
        let at = match live.groups.get_index_of(&asked) {
            Some(at) => at,
            None => {
                if live.groups.len() >= GROUPS {
                    let message = format!("there are more than {GROUPS} groups at once");
                    return Err(Diagnostic::at(Code::CollectionSize, group.span, message)
                        .help("group by less, or every shorter time"));
                }
                let key = Key {
                    bucket,
                    values: live.row.clone().into_boxed_slice(),
                };
                let states = group.aggregates.iter().map(|(kind, _)| kind.start());
                live.groups.insert_full(key, states.collect()).0
            }
        };
        let Some((_, states)) = live.groups.get_index_mut(at) else {
            return Ok(true);
        };
        for (state, (_, argument)) in states.iter_mut().zip(&group.aggregates) {
            let value = match argument {
                None => None,
                Some(bound) => match bound.value(self.layouts, time, row, self.context) {
                    Ok(value) => Some(value),
                    Err(fault) => return self.failed(fault),
                },
            };
            if let Err(text) = state.add(value.as_ref(), time, self.context.limits.string) {
                self.totals.failed += 1;
                self.problem(&text);
                return Ok(true);
            }
        }
        Ok(true)
    }

    /// The start of the bucket of a time; buckets of whole days begin at midnight where we are.
    fn bucket(&self, time: i64, every: i64) -> i64 {
        let shift = match every % DAY {
            0 => i64::from(self.context.zone.offset_millis(time)),
            _ => 0,
        };
        (time + shift).div_euclid(every) * every - shift
    }

    /// Tells the groups that are over by the time of the rows.
    fn close(&mut self, stages: &mut [Live<'_>]) -> Outcome<bool> {
        let mark = self.newest.saturating_sub(LAG);
        self.tell(stages, Some(mark))
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
            let over = |bucket: i64| match (until, group.every) {
                (None, _) => true,
                (Some(mark), Some(every)) => bucket.saturating_add(every.millis) <= mark,
                (Some(_), None) => false,
            };
            let (mut ready, open): (Vec<_>, IndexMap<_, _, _>) = {
                let mut open = IndexMap::default();
                let mut ready = Vec::new();
                for (key, states) in std::mem::take(&mut live.groups) {
                    if over(key.bucket) {
                        ready.push((key, states));
                    } else {
                        open.insert(key, states);
                    }
                }
                (ready, open)
            };
            live.groups = open;
            if let (Some(mark), Some(every)) = (until, group.every) {
                live.told = live.told.max(mark.saturating_sub(every.millis - 1));
            }
            // By time; of one time in the order in which they came up.
            ready.sort_by_key(|(key, _)| key.bucket);
            for (key, states) in ready {
                self.context.check_cancelled()?;
                let time = group.every.map_or(self.newest, |_| key.bucket);
                let mut row = vec![Value::Long(time)];
                row.extend(key.values);
                row.extend(states.into_iter().map(State::value));
                if !self.push(rest, time, &row)? {
                    return Ok(false);
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
