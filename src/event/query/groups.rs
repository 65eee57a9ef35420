//! Counting by time and by the values of a column.

use super::{Column, data};
use crate::diagnostic::Outcome;
use crate::event::ColumnKind;
use std::collections::{BTreeMap, HashMap};

/// The label of events whose column is null.
pub const UNKNOWN: &str = "__unknown__";

/// The label of what is not among the most frequent values.
pub const REST: &str = "__REST__";

/// The most buckets of a timeline.
const BUCKETS: i64 = 100_000;

/// How many events have which value of a column. An event with two values in an array counts for both, as in SQL's
/// `unnest`; null counts as [`UNKNOWN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregate {
    /// The column.
    pub column: Column,
    /// Only so many values, the most frequent ones.
    pub limit: Option<u64>,
}

/// A value of a column and how often it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The value's text.
    pub value: String,
    /// How often it is there.
    pub count: u64,
}

/// Events by time: how many there are in each step from `from` to before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// The time column.
    pub column: Column,
    /// The beginning of the first bucket, in microseconds.
    pub from: i64,
    /// The end of the last one, which is not part of it.
    pub to: i64,
    /// The length of a bucket. All but the first begin at a multiple of it.
    pub step: i64,
    /// Split by the values of this column.
    pub by: Option<Column>,
    /// Only so many of its values, the most frequent ones; the others are summed up as [`REST`].
    pub top: Option<u64>,
}

/// The answer to a timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timelines {
    /// Where the buckets begin, in microseconds.
    pub starts: Vec<i64>,
    /// One line without a column to split by, else one for each value, the most frequent first.
    pub lines: Vec<Line>,
    /// How many events there are in all.
    pub events: u64,
}

/// The counts of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The value's text; `None` for all events.
    pub value: Option<String>,
    /// The sum of the counts.
    pub total: u64,
    /// One count for each bucket.
    pub counts: Vec<u64>,
}

impl Aggregate {
    /// E0606 for columns that cannot be grouped by.
    pub fn check(&self) -> Outcome<()> {
        groupable(self.column)
    }

    /// Sorts groups: the most frequent first, equal ones by their text; and leaves out those beyond the limit.
    pub fn arrange(&self, groups: HashMap<String, u64>) -> Vec<Group> {
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|(value, count)| Group { value, count })
            .collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        groups.truncate(self.limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        }));
        groups
    }
}

fn groupable(column: Column) -> Outcome<()> {
    match column.kind() {
        ColumnKind::Time | ColumnKind::Bytes => Err(super::no_column(
            column.name(),
            "events cannot be counted by its values",
        )),
        _ => Ok(()),
    }
}

impl Timeline {
    /// E0606 and E0607 for columns, steps and times that make no timeline.
    pub fn check(&self) -> Outcome<()> {
        if self.column.kind() != ColumnKind::Time {
            return Err(super::no_column(self.column.name(), "it holds no times"));
        }
        if let Some(column) = self.by {
            groupable(column)?;
        }
        if self.step <= 0 {
            return Err(data(
                "the step of a timeline must be longer than nothing".into(),
            ));
        }
        let buckets = self.to.checked_sub(self.from).map(|span| span / self.step);
        match buckets {
            Some(buckets) if buckets <= BUCKETS => Ok(()),
            _ => Err(data(format!(
                "the timeline would have more than {BUCKETS} buckets"
            ))
            .help("make the step longer or the time shorter")),
        }
    }

    /// Where its buckets begin.
    pub fn starts(&self) -> Vec<i64> {
        let mut starts = Vec::new();
        let mut next = self.from;
        while next < self.to && self.step > 0 {
            starts.push(next);
            let behind = self.step - next.rem_euclid(self.step);
            let Some(after) = next.checked_add(behind) else {
                break;
            };
            next = after;
        }
        starts
    }

    /// Puts counts (number of the bucket from 0, value, count) into lines. `events` is the number of events counted.
    pub fn arrange(
        &self,
        counted: impl IntoIterator<Item = (usize, Option<String>, u64)>,
        events: u64,
    ) -> Timelines {
        let starts = self.starts();
        let mut lines: BTreeMap<Option<String>, Vec<u64>> = BTreeMap::new();
        if self.by.is_none() {
            lines.insert(None, vec![0; starts.len()]);
        }
        for (bucket, value, count) in counted {
            let counts = lines.entry(value).or_insert_with(|| vec![0; starts.len()]);
            if let Some(slot) = counts.get_mut(bucket) {
                *slot += count;
            }
        }
        let mut lines: Vec<Line> = lines
            .into_iter()
            .map(|(value, counts)| Line {
                value,
                total: counts.iter().sum(),
                counts,
            })
            .collect();
        // The sort is stable, so equal ones stay in the order of their texts.
        lines.sort_by_key(|line| std::cmp::Reverse(line.total));
        let top = self.top.and_then(|top| usize::try_from(top).ok());
        if let Some(top) = top.filter(|top| *top < lines.len() && self.by.is_some()) {
            let mut rest = vec![0; starts.len()];
            for line in lines.drain(top..) {
                for (sum, count) in rest.iter_mut().zip(line.counts) {
                    *sum += count;
                }
            }
            lines.push(Line {
                value: Some(REST.to_string()),
                total: rest.iter().sum(),
                counts: rest,
            });
        }
        Timelines {
            starts,
            lines,
            events,
        }
    }
}
