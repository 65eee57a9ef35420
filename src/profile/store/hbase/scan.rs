//! What the rows of HBase tell: which periods a series has, and what else begins with the same name.
//!
//! Profile, entity and groups are one text in a row, and rows are ordered by their salt first. So everything about a
//! profile is one stretch of the table for each salt, and where the profile's name ends only the asking one knows.

use super::{Hbase, READING, column, in_lanes};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::text::to_text;
use crate::profile::period::Period;
use crate::profile::row_key::salt;
use crate::profile::store::{Filter, Place, Query, Reason, Series, Within, group_text};
use hbase_thrift::hbase::{BatchMutation, Mutation, THbaseSyncClient, TScan};
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one answer of a scanner.
const ROWS: i32 = 1_000;

/// With more salts than these the whole table is read instead of a stretch for each.
const STRETCHES: i32 = 8_192;

/// A table of fewer rows is read as a whole.
const SMALL: usize = 20_000;

/// How many names a reason tells, and how many are looked at for one that is nearly the same.
const TOLD: usize = 3;
const SEARCHED: usize = 2_000;

/// A row as its key tells it.
pub(super) struct Row<'a> {
    pub key: &'a [u8],
    pub salt: i32,
    /// Profile, entity and groups.
    pub name: &'a str,
    pub period: i64,
}

impl Row<'_> {
    /// `None` for a row that no profiler wrote.
    fn read(key: &[u8]) -> Option<Row<'_>> {
        let (salt, rest) = key.split_first_chunk::<4>()?;
        let (name, period) = rest.split_last_chunk::<8>()?;
        Some(Row {
            key,
            salt: i32::from_be_bytes(*salt),
            name: std::str::from_utf8(name).ok()?,
            period: i64::from_be_bytes(*period),
        })
    }
}

/// A part of a table: from the first key to the second, which is not in it; empty: to the end.
pub(super) struct Scan {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Scan {
    /// The whole table.
    pub fn all() -> Scan {
        Scan {
            from: Vec::new(),
            to: Vec::new(),
        }
    }

    /// What may begin with a name, in as few stretches as make sense.
    fn of(name: &str, divisor: i32) -> Vec<Scan> {
        // A salt is a rest of 16 bits with either sign.
        let most = divisor.saturating_abs().min(1 << 15);
        if most > STRETCHES || name.is_empty() {
            return vec![Scan::all()];
        }
        let stretch = |salt: i32| {
            let from = [&salt.to_be_bytes(), name.as_bytes()].concat();
            let mut to = from.clone();
            // The next key that does not begin so; a text never ends in the highest byte.
            if let Some(last) = to.last_mut() {
                *last = last.saturating_add(1);
            }
            Scan { from, to }
        };
        (1 - most..most).map(stretch).collect()
    }
}

impl Hbase {
    /// Calls `take` with the rows of a scan until it gives false. Only keys come over the wire.
    pub(super) fn scan(
        &self,
        place: &Place,
        scan: &Scan,
        within: Within<'_>,
        take: &mut dyn FnMut(Row<'_>) -> Outcome<bool>,
    ) -> Outcome<()> {
        let mut from = scan.from.clone();
        let mut refused = None;
        self.pool.call(within, READING, |client| {
            let wanted = TScan {
                start_row: Some(from.clone()),
                stop_row: (!scan.to.is_empty()).then(|| scan.to.clone()),
                timestamp: None,
                columns: Some(vec![column(place)]),
                caching: Some(ROWS),
                filter_string: Some(b"KeyOnlyFilter()".to_vec()),
                batch_size: None,
                sort_columns: None,
                reversed: None,
                cache_blocks: Some(false),
            };
            let id = client.scanner_open_with_scan(
                place.table.as_bytes().to_vec(),
                wanted,
                BTreeMap::new(),
            )?;
            loop {
                let rows = client.scanner_get_list(id, ROWS)?;
                let mut end = rows.len() < ROWS as usize;
                for key in rows.into_iter().filter_map(|row| row.row) {
                    // A connection that breaks goes on behind the last row.
                    from.clone_from(&key);
                    from.push(0);
                    match Row::read(&key).map_or(Ok(true), &mut *take) {
                        Ok(true) => {}
                        Ok(false) => end = true,
                        Err(fault) => {
                            refused = Some(fault);
                            end = true;
                        }
                    }
                    if end && refused.is_some() {
                        break;
                    }
                }
                if end {
                    return client.scanner_close(id);
                }
            }
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// Calls `take` with every row whose name begins with `name`, several stretches at a time.
    fn each(
        &self,
        place: &Place,
        name: &str,
        within: Within<'_>,
        take: &(dyn Fn(Row<'_>) -> Outcome<bool> + Sync),
    ) -> Outcome<()> {
        // In another salt's stretch a row lies where no reader looks.
        let asked = |row: &Row<'_>| {
            row.name.starts_with(name) && salt(row.period, place.divisor) == Some(row.salt)
        };
        // A small table is read faster than a stretch for each salt.
        let (mut keys, mut left) = (Vec::new(), SMALL);
        self.scan(place, &Scan::all(), within, &mut |row| {
            if asked(&row) {
                keys.push(row.key.to_vec());
            }
            left -= 1;
            Ok(left > 0)
        })?;
        if left > 0 {
            for row in keys.iter().filter_map(|key| Row::read(key)) {
                if !take(row)? {
                    break;
                }
            }
            return Ok(());
        }
        in_lanes(&Scan::of(name, place.divisor), |stretch| {
            self.scan(place, stretch, within, &mut |row| {
                if asked(&row) { take(row) } else { Ok(true) }
            })
        })
    }

    /// The series that begin with the filter's profile and entity. What stands behind the entity, or behind the profile
    /// when no entity is asked for, is one text here. Errors: E0217 without a profile.
    pub(in crate::profile::store) fn series(
        &self,
        filter: &Filter,
        place: &Place,
        most: usize,
        within: Within<'_>,
    ) -> Outcome<Vec<Series>> {
        let profile = filter.profile.as_ref().ok_or_else(|| {
            untold("the profiles of a table").help("name the profile that you look for")
        })?;
        let head = format!("{profile}{}", filter.entity.as_deref().unwrap_or_default());
        let groups = filter.groups.as_deref().map(group_text);
        let exact = groups
            .as_ref()
            .filter(|_| filter.entity.is_some())
            .map(|groups| format!("{head}{groups}"));
        let found: Mutex<BTreeMap<String, (i64, i64)>> = Mutex::default();
        self.each(place, exact.as_deref().unwrap_or(&head), within, &|row| {
            let asked = match &exact {
                Some(exact) => exact == row.name,
                None => groups
                    .as_ref()
                    .is_none_or(|groups| row.name.ends_with(groups)),
            };
            if asked {
                let mut found = found.lock();
                let rest = row.name.get(profile.len()..).unwrap_or_default();
                match found.get_mut(rest) {
                    Some((first, last)) => {
                        *first = row.period.min(*first);
                        *last = row.period.max(*last);
                    }
                    None => {
                        found.insert(rest.to_string(), (row.period, row.period));
                        // The last names go, so that those that stay are the first ones in order.
                        if found.len() > most {
                            found.pop_last();
                        }
                    }
                }
            }
            Ok(true)
        })?;
        let period = |number| Period {
            number,
            duration: self.duration,
        };
        let series = found.into_inner().into_iter().map(|(rest, (first, last))| {
            let cut = filter.entity.as_ref().map_or(rest.len(), SmolStr::len);
            let (entity, groups) = rest.split_at_checked(cut).unwrap_or((&rest, ""));
            Series {
                place: place.clone(),
                profile: profile.clone(),
                entity: entity.into(),
                groups: (!groups.is_empty())
                    .then(|| groups.into())
                    .into_iter()
                    .collect(),
                first: period(first),
                last: period(last),
            }
        });
        Ok(series.collect())
    }

    /// Removes the measurements of one entity in one set of groups. Errors: E0217 when it cannot be told which rows
    /// are meant; nothing is removed then.
    pub(in crate::profile::store) fn remove(
        &self,
        filter: &Filter,
        place: &Place,
        within: Within<'_>,
    ) -> Outcome<usize> {
        let (Some(profile), Some(entity)) = (&filter.profile, &filter.entity) else {
            return Err(untold("the rows of a profile")
                .help("name the entity too; `truncate` in the HBase shell empties a table"));
        };
        let name = format!(
            "{profile}{entity}{}",
            filter.groups.as_deref().map(group_text).unwrap_or_default()
        );
        let (keys, longer) = (Mutex::new(Vec::new()), Mutex::new(None));
        self.each(place, &name, within, &|row| {
            if row.name == name {
                keys.lock().push(row.key.to_vec());
            } else if filter.groups.is_none() {
                let _ = longer.lock().get_or_insert_with(|| row.name.to_string());
                return Ok(false);
            }
            Ok(true)
        })?;
        if let Some(longer) = longer.into_inner() {
            let rest = longer.get(name.len()..).unwrap_or_default().to_string();
            return Err(untold("the groups of an entity")
                .note(format!("{rest:?} behind {entity:?} may be its groups, or belong to the name of another entity"))
                .help("name the groups with --group, each set of groups for itself"));
        }
        let keys = keys.into_inner();
        in_lanes(&super::pieces(&keys, super::ROWS, Vec::len), |piece| {
            let gone = Mutation::new(true, column(place), None, None);
            self.pool.call(within, READING, |client| {
                let rows = piece
                    .iter()
                    .map(|key| BatchMutation::new(key.clone(), vec![gone.clone()]));
                client.mutate_rows(
                    place.table.as_bytes().to_vec(),
                    rows.collect(),
                    BTreeMap::new(),
                )
            })
        })?;
        Ok(keys.len())
    }

    /// Why a query finds nothing in its table.
    pub(in crate::profile::store) fn why(
        &self,
        query: &Query,
        within: Within<'_>,
    ) -> Outcome<Vec<Reason>> {
        let (Some(first), Some(last)) = (query.periods.iter().min(), query.periods.iter().max())
        else {
            return Ok(vec![Reason::NoPeriods]);
        };
        if let Some(divisor) = self.other_divisor(&query.place, within)? {
            return Ok(vec![Reason::OtherPlace {
                wanted: query.place.clone(),
                found: Place {
                    divisor,
                    ..query.place.clone()
                },
            }]);
        }
        let groups = group_text(&query.groups);
        let entity = format!("{}{}", query.profile, query.entity);
        let exact = format!("{entity}{groups}");
        #[derive(Default)]
        struct Seen {
            periods: Option<(i64, i64)>,
            groups: BTreeSet<SmolStr>,
            others: BTreeSet<SmolStr>,
        }
        let seen = Mutex::new(Seen::default());
        self.each(&query.place, &query.profile, within, &|row| {
            let mut seen = seen.lock();
            if row.name == exact {
                let (from, to) = seen.periods.unwrap_or((row.period, row.period));
                seen.periods = Some((from.min(row.period), to.max(row.period)));
            } else if let Some(rest) = row.name.strip_prefix(&entity) {
                if seen.groups.len() < TOLD {
                    seen.groups.insert(rest.into());
                }
            } else if seen.others.len() < SEARCHED {
                seen.others.insert(
                    row.name
                        .get(query.profile.len()..)
                        .unwrap_or_default()
                        .into(),
                );
            }
            Ok(true)
        })?;
        let Seen {
            periods,
            groups,
            others,
        } = seen.into_inner();
        let period = |number| Period {
            number,
            duration: self.duration,
        };
        Ok(vec![if let Some((from, to)) = periods {
            if query
                .periods
                .iter()
                .any(|asked| (from..=to).contains(&asked.number))
                && from == to
            {
                return Ok(Vec::new());
            }
            Reason::OtherPeriods {
                wanted: (*first, *last),
                found: (period(from), period(to)),
            }
        } else if !groups.is_empty() {
            Reason::OtherGroups {
                wanted: query.groups.iter().map(to_text).collect(),
                found: groups.into_iter().map(|rest| vec![rest]).collect(),
            }
        } else if !others.is_empty() {
            Reason::UnknownEntity {
                profile: query.profile.clone(),
                entity: query.entity.clone(),
                near: nearest(&query.entity, others.iter().map(SmolStr::as_str)).map(SmolStr::new),
                known: others.into_iter().take(TOLD).collect(),
            }
        } else {
            Reason::UnknownProfile {
                profile: query.profile.clone(),
                near: None,
                known: Vec::new(),
            }
        }])
    }
}

/// The error for what rows do not tell.
fn untold(what: &str) -> Fault {
    let message =
        format!("HBase does not tell {what}: a row names profile, entity and groups in one text");
    Diagnostic::new(Code::NotAvailable, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::profile::row_key::row_key;

    #[test]
    fn every_row_of_a_name_lies_in_a_stretch() {
        for divisor in [1, -7, 1000, 8_192, 100_000] {
            let stretches = Scan::of("web\u{e9}", divisor);
            for period in 0..2_000 {
                let key = row_key(divisor, "web\u{e9}", "10.0.0.1", "", period).unwrap();
                let within = |s: &&Scan| s.from <= key && (s.to.is_empty() || key < s.to);
                assert_eq!(
                    stretches.iter().filter(within).count(),
                    1,
                    "{divisor} {period}"
                );
            }
            let other = row_key(divisor, "wea", "x", "", 5).unwrap();
            let within = |s: &Scan| s.from <= other && (s.to.is_empty() || other < s.to);
            assert!(
                stretches.len() == 1 || !stretches.iter().any(within),
                "{divisor}"
            );
        }
    }

    #[test]
    fn foreign_rows_are_passed_over() {
        assert!(Row::read(b"short").is_none());
        assert!(Row::read(b"\0\0\0\x01\xff\xff\0\0\0\0\0\0\0\x01").is_none());
        let row = Row::read(b"\0\0\0\x01ab\0\0\0\0\0\0\0\x07").unwrap();
        assert_eq!((row.salt, row.name, row.period), (1, "ab", 7));
    }
}
