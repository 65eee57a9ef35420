//! Why the embedded file has no answer.

use super::sqlite::{Source, each_series, reach, read, sources};
use super::{Filter, Query, Reason};
use crate::diagnostic::{Outcome, nearest};
use crate::eval::text::to_text;
use crate::profile::period::Period;
use rusqlite::Connection;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// How many names a reason tells.
const TOLD: usize = 3;

/// How many entities are searched for one with nearly the same name.
const SEARCHED: usize = 2_000;

/// Why a query finds nothing; empty when it does find something.
pub(super) fn explain(conn: &Connection, query: &Query, now: i64) -> Outcome<Vec<Reason>> {
    let (Some(first), Some(last)) = (query.periods.iter().min(), query.periods.iter().max()) else {
        return Ok(vec![Reason::NoPeriods]);
    };
    let all = sources(conn)?;
    if all.is_empty() {
        return Ok(vec![Reason::NothingStored]);
    }
    if read(conn, query, now)?.iter().any(Option::is_some) {
        return Ok(Vec::new());
    }
    let mut candidates: Vec<&Source> = all.iter().filter(|s| s.profile == query.profile).collect();
    if candidates.is_empty() {
        let known: BTreeSet<&SmolStr> = all.iter().map(|s| &s.profile).collect();
        return Ok(vec![Reason::UnknownProfile {
            profile: query.profile.clone(),
            near: near(&query.profile, known.iter().copied()),
            known: known.into_iter().take(TOLD).cloned().collect(),
        }]);
    }
    let mut reasons = Vec::new();
    let here = |s: &Source| s.place == query.place;
    if candidates.iter().any(|s| here(s)) {
        candidates.retain(|s| here(s));
    } else {
        let mut places: Vec<_> = candidates.iter().map(|s| &s.place).collect();
        places.dedup();
        for place in places.into_iter().take(TOLD) {
            reasons.push(Reason::OtherPlace {
                wanted: query.place.clone(),
                found: place.clone(),
            });
        }
    }
    let asked = |s: &Source| query.periods.iter().any(|p| p.duration == s.duration);
    if candidates.iter().any(|s| asked(s)) {
        candidates.retain(|s| asked(s));
    } else {
        let found: BTreeSet<i64> = candidates.iter().map(|s| s.duration).collect();
        reasons.push(Reason::OtherDuration {
            wanted: first.duration,
            found: found.into_iter().collect(),
        });
    }
    let mut filter = Filter {
        entity: Some(query.entity.clone()),
        groups: Some(query.groups.clone()),
        ..Filter::default()
    };
    let mut exact = Vec::new();
    for source in &candidates {
        each_series(conn, &filter, source.id, &mut |named| {
            exact.push((source.id, source.duration, named.id));
            Ok(true)
        })?;
    }
    if exact.is_empty() {
        filter.groups = None;
        reasons.push(other_series(conn, query, &filter, &candidates)?);
        return Ok(reasons);
    }
    if reasons.is_empty() {
        let mut found: Option<(Period, Period)> = None;
        for (source, duration, series) in exact {
            let period = |number| Period { number, duration };
            if let Some((begin, end)) = reach(conn, source, series, now)? {
                found = Some(match found {
                    Some((a, b)) => (a.min(period(begin)), b.max(period(end))),
                    None => (period(begin), period(end)),
                });
            }
        }
        reasons.push(match found {
            Some(found) => Reason::OtherPeriods {
                wanted: (*first, *last),
                found,
            },
            None => Reason::Expired,
        });
    }
    Ok(reasons)
}

/// Whether the entity is there in other groups, or not at all.
fn other_series(
    conn: &Connection,
    query: &Query,
    of_entity: &Filter,
    candidates: &[&Source],
) -> Outcome<Reason> {
    let mut groups: Vec<Vec<SmolStr>> = Vec::new();
    for source in candidates {
        each_series(conn, of_entity, source.id, &mut |named| {
            if !groups.contains(&named.groups) {
                groups.push(named.groups);
            }
            Ok(groups.len() < TOLD)
        })?;
    }
    if !groups.is_empty() {
        return Ok(Reason::OtherGroups {
            wanted: query.groups.iter().map(to_text).collect(),
            found: groups,
        });
    }
    let mut known: BTreeSet<SmolStr> = BTreeSet::new();
    for source in candidates {
        each_series(conn, &Filter::default(), source.id, &mut |named| {
            known.insert(named.entity);
            Ok(known.len() < SEARCHED)
        })?;
    }
    Ok(Reason::UnknownEntity {
        profile: query.profile.clone(),
        entity: query.entity.clone(),
        near: near(&query.entity, known.iter()),
        known: known.iter().take(TOLD).cloned().collect(),
    })
}

fn near<'a>(name: &str, known: impl Iterator<Item = &'a SmolStr>) -> Option<SmolStr> {
    nearest(name, known.map(SmolStr::as_str)).map(SmolStr::new)
}
