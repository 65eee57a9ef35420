//! Counting by time and by value; which values there are.

use super::bits::{self, BLOCK, Set};
use super::codec::Wanted;
use super::find::Reader;
use super::keys;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::event::query::{Aggregate, Group, Query, Timeline, Timelines, UNKNOWN};
use crate::event::store::{Cell, Extreme, enumerated};
use crate::event::{Column, ColumnKind, Row};
use rusqlite::params;
use std::collections::{BTreeMap, HashMap};

/// The values of a column as texts, as SQL's `unnest` gives them.
fn labels(row: &Row, column: Column) -> Vec<String> {
    match column {
        Column::SourceIp => row.source_ip.iter().map(ToString::to_string).collect(),
        Column::TargetIp => row.target_ip.iter().map(ToString::to_string).collect(),
        Column::SourcePort => row.source_port.iter().map(ToString::to_string).collect(),
        Column::TargetPort => row.target_port.iter().map(ToString::to_string).collect(),
        _ => match row.texts(column) {
            [] if column.kind() == ColumnKind::Text => vec![UNKNOWN.to_string()],
            texts => texts.to_vec(),
        },
    }
}

/// Which bucket each event belongs to.
trait Buckets {
    fn of(&self, block: i64, position: u16) -> usize;
}

/// All events belong to one.
struct One;

impl Buckets for One {
    fn of(&self, _: i64, _: u16) -> usize {
        0
    }
}

/// As many numbers as a block has events.
struct ByTime(HashMap<i64, Vec<u32>>);

impl Buckets for ByTime {
    fn of(&self, block: i64, position: u16) -> usize {
        let bucket = self
            .0
            .get(&block)
            .and_then(|all| all.get(usize::from(position)));
        bucket.map_or(0, |bucket| *bucket as usize)
    }
}

impl Reader<'_> {
    pub(super) fn aggregate(&self, query: &Query, aggregate: &Aggregate) -> Outcome<Vec<Group>> {
        let set = self.matching(&query.conditions)?;
        let mut groups = HashMap::new();
        self.tally(&set, aggregate.column, &One, &mut |_, value, count| {
            *groups.entry(value).or_insert(0) += count;
        })?;
        Ok(aggregate.arrange(groups))
    }

    pub(super) fn timeline(&self, query: &Query, timeline: &Timeline) -> Outcome<Timelines> {
        let mut conditions = query.conditions.clone();
        conditions.extend(timeline.bounds());
        let set = self.matching(&conditions)?;
        let starts = timeline.starts();
        let bucket_of = |time: i64| {
            starts
                .partition_point(|start| *start <= time)
                .saturating_sub(1)
        };
        let mut counted: BTreeMap<(usize, Option<String>), u64> = BTreeMap::new();
        match timeline.by {
            None => {
                let mut counts = vec![0; starts.len()];
                self.each_time(&set, timeline.column, &mut |_, time| {
                    if let Some(count) = counts.get_mut(bucket_of(time)) {
                        *count += 1;
                    }
                })?;
                let counts = counts.into_iter().enumerate();
                counted.extend(counts.map(|(bucket, count)| ((bucket, None), count)));
            }
            Some(column) => {
                let mut buckets = HashMap::new();
                self.each_time(&set, timeline.column, &mut |number, time| {
                    let block: &mut Vec<u32> = buckets
                        .entry(number.div_euclid(BLOCK))
                        .or_insert_with(|| vec![0; BLOCK as usize]);
                    if let Some(slot) = block.get_mut(number.rem_euclid(BLOCK) as usize) {
                        *slot = bucket_of(time) as u32;
                    }
                })?;
                self.tally(
                    &set,
                    column,
                    &ByTime(buckets),
                    &mut |bucket, value, count| {
                        *counted.entry((bucket, Some(value))).or_default() += count;
                    },
                )?;
            }
        }
        let counted = counted
            .into_iter()
            .map(|((bucket, value), count)| (bucket, value, count));
        Ok(timeline.arrange(counted, set.count()))
    }

    /// Calls `add` with bucket, value and count for the values of a column that events of a set have.
    fn tally(
        &self,
        set: &Set,
        column: Column,
        buckets: &impl Buckets,
        add: &mut dyn FnMut(usize, String, u64),
    ) -> Outcome<()> {
        let by_keys = keys::has_values(column);
        // The keys do not tell everything about some events; these are looked at themselves.
        let mut others = set.clone();
        if by_keys {
            others.keep(&self.posting(&keys::uneven(column))?);
        }
        let wanted = Wanted::of(&[column]);
        for number in others.numbers() {
            let bucket = buckets.of(number.div_euclid(BLOCK), number.rem_euclid(BLOCK) as u16);
            for label in labels(&self.row(number, wanted)?, column) {
                add(bucket, label, 1);
            }
        }
        if !by_keys {
            return Ok(());
        }
        let mut even = set.clone();
        even.drop(&others);
        let mut count = |block: i64, value: &str, found: &bits::Bits| {
            let mut by_bucket: BTreeMap<usize, u64> = BTreeMap::new();
            for position in bits::positions(found) {
                *by_bucket.entry(buckets.of(block, position)).or_default() += 1;
            }
            by_bucket
                .into_iter()
                .for_each(|(bucket, count)| add(bucket, value.to_string(), count));
        };
        let (first, last) = keys::values(column);
        self.postings(&first, &last, &mut |block, key, data| {
            let (Some(own), Some(value)) = (even.0.get(&block), keys::value_of(column, key)) else {
                return Ok(());
            };
            let mut found = bits::NONE;
            bits::read_posting(data, &mut found);
            count(block, &value, &bits::both(&found, own));
            Ok(())
        })?;
        if column.kind() == ColumnKind::Text {
            even.drop(&self.posting(&keys::present(column))?);
            for (block, found) in &even.0 {
                count(*block, UNKNOWN, found);
            }
        }
        Ok(())
    }

    pub(super) fn column_with(&self, column: Column, extreme: Extreme) -> Outcome<Option<Cell>> {
        if column.kind() == ColumnKind::Time {
            let time = self.extreme_time(column, extreme == Extreme::Max)?;
            return Ok(time.map(Cell::Time));
        }
        if column.kind() == ColumnKind::Bytes {
            return Err(Diagnostic::new(
                Code::EventStorage,
                format!("column {}: messages have no order", column.name()),
            ));
        }
        let mut best: Option<Cell> = None;
        let wanted = Wanted::of(&[column]);
        for number in self.live()?.numbers() {
            let row = self.row(number, wanted)?;
            let cell = match column {
                Column::Id => Cell::Text(row.id),
                Column::SourceIp => Cell::Ranges(row.source_ip),
                Column::TargetIp => Cell::Ranges(row.target_ip),
                Column::SourcePort => Cell::Ints(row.source_port),
                Column::TargetPort => Cell::Ints(row.target_port),
                _ => match (column.kind(), row.texts(column)) {
                    (ColumnKind::Text, []) => continue,
                    (ColumnKind::Text, [text, ..]) => Cell::Text(text.clone()),
                    (_, texts) => Cell::Texts(texts.to_vec()),
                },
            };
            let better = match (&best, extreme) {
                (None, _) => true,
                (Some(best), Extreme::Min) => cell < *best,
                (Some(best), Extreme::Max) => cell > *best,
            };
            if better {
                best = Some(cell);
            }
        }
        Ok(best)
    }

    /// Notes the values that events stored since the last time have, and gives all.
    pub(super) fn distinct(&self, column: Column) -> Outcome<Vec<String>> {
        enumerated(column)?;
        let last: Option<i64> = self
            .conn
            .prepare_cached("SELECT max(last_seen) FROM event_enum WHERE name = ?1")?
            .query_row([column.name()], |row| row.get(0))?;
        let conditions = last.map(|at| crate::event::query::Condition::Time {
            column: Column::StorageTime,
            bound: crate::event::query::Bound::From,
            at,
        });
        let set = self.matching(conditions.as_slice())?;
        let mut times = HashMap::new();
        self.each_time(&set, Column::StorageTime, &mut |number, time| {
            let block: &mut Vec<i64> = times
                .entry(number.div_euclid(BLOCK))
                .or_insert_with(|| vec![0; BLOCK as usize]);
            if let Some(slot) = block.get_mut(number.rem_euclid(BLOCK) as usize) {
                *slot = time;
            }
        })?;
        let time_of = |block: i64, position: u16| {
            let of_block = times.get(&block);
            of_block
                .and_then(|all| all.get(usize::from(position)))
                .copied()
        };
        let mut seen: BTreeMap<String, i64> = BTreeMap::new();
        let mut note = |value: &str, time: Option<i64>| {
            let Some(time) = time else { return };
            match seen.get_mut(value) {
                Some(last) => *last = time.max(*last),
                None => {
                    seen.insert(value.to_string(), time);
                }
            }
        };
        let mut others = set.clone();
        others.keep(&self.posting(&keys::uneven(column))?);
        for number in others.numbers() {
            let row = self.row(number, Wanted::of(&[column]))?;
            let time = time_of(number.div_euclid(BLOCK), number.rem_euclid(BLOCK) as u16);
            row.texts(column).iter().for_each(|text| note(text, time));
        }
        let (first, last) = keys::values(column);
        self.postings(&first, &last, &mut |block, key, data| {
            let (Some(own), Some(value)) = (set.0.get(&block), keys::value_of(column, key)) else {
                return Ok(());
            };
            let mut found = bits::NONE;
            bits::read_posting(data, &mut found);
            let found = bits::both(&found, own);
            let time = bits::positions(&found).filter_map(|position| time_of(block, position));
            note(&value, time.max());
            Ok(())
        })?;
        let mut put = self.conn.prepare_cached(
            "INSERT INTO event_enum (name, value, last_seen) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen",
        )?;
        for (value, time) in seen {
            put.execute(params![column.name(), value, time])?;
        }
        let mut statement = self
            .conn
            .prepare_cached("SELECT value FROM event_enum WHERE name = ?1 ORDER BY value")?;
        let values = statement.query_map([column.name()], |row| row.get(0))?;
        Ok(values.collect::<Result<_, _>>()?)
    }
}
