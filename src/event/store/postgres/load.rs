//! Bulk loads: one COPY for all rows that nothing speaks against.

use super::rows::{Outgoing, names};
use super::session::Tables;
use crate::diagnostic::Outcome;
use crate::event::store::Loaded;
use crate::event::{PHYSICAL, Row};
use crate::store::postgres::{Answer, Kind};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

static COPY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "COPY events ({}) FROM STDIN (FORMAT binary)",
        names(PHYSICAL)
    )
});
/// Gives the columns' types.
static TYPES: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM events", names(PHYSICAL)));

/// Identifiers that are looked up in one statement.
const LOOKED_UP: usize = 5_000;

/// Stores what can be stored. Rows that the table refuses are found by halving.
pub(super) fn load(tables: &mut Tables<'_>, rows: &[Row]) -> Outcome<Loaded> {
    let mut loaded = Loaded::default();
    let mut left = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        match row.storable() {
            Err(fault) => loaded.refused.push((at, fault)),
            Ok(()) => left.push((at, row)),
        }
    }
    let mut again = tables.attempt > 1;
    while !left.is_empty() {
        // An identifier that comes once more is looked at when the table has said what it makes of the first one.
        let mut seen = HashSet::new();
        let (firsts, doubles) = left
            .into_iter()
            .partition(|(_, row)| seen.insert(row.id.as_str()));
        let fresh = without_known(tables, firsts, again, &mut loaded)?;
        store(tables, fresh, &mut loaded)?;
        (left, again) = (doubles, false);
    }
    loaded.refused.sort_by_key(|(at, _)| *at);
    Ok(loaded)
}

/// The rows whose identifiers the table does not have. `again`, in a second attempt, rows that are there as they are to be
/// count as stored: the first one may have stored them just before the connection was lost.
fn without_known<'r>(
    tables: &mut Tables<'_>,
    rows: Vec<(usize, &'r Row)>,
    again: bool,
    loaded: &mut Loaded,
) -> Outcome<Vec<(usize, &'r Row)>> {
    let sql = "SELECT id, event FROM events WHERE id = ANY($1)";
    let mut fresh = Vec::with_capacity(rows.len());
    for part in rows.chunks(LOOKED_UP) {
        let ids: Vec<&str> = part.iter().map(|(_, row)| row.id.as_str()).collect();
        let found = tables.query(sql, &[&ids])?;
        let known: Answer<HashMap<&str, Option<&[u8]>>> = found
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect();
        let known = known.map_err(|failure| tables.fault(failure))?;
        for &(at, row) in part {
            match known.get(row.id.as_str()) {
                None => fresh.push((at, row)),
                Some(event) if again && *event == row.event.as_deref() => loaded.stored += 1,
                Some(event) => loaded.again(at, row, *event),
            }
        }
    }
    Ok(fresh)
}

fn store(tables: &mut Tables<'_>, rows: Vec<(usize, &Row)>, loaded: &mut Loaded) -> Outcome<()> {
    let mut left = vec![rows];
    while let Some(rows) = left.pop() {
        if rows.is_empty() {
            continue;
        }
        let failure = match copy(tables, &rows) {
            Ok(stored) => {
                loaded.stored += stored;
                continue;
            }
            Err(failure) => failure,
        };
        let halve = matches!(failure.kind(), Some(Kind::Data | Kind::Integrity));
        let integrity = failure.kind() == Some(Kind::Integrity);
        let fault = tables.fault(failure);
        match (halve, rows.as_slice()) {
            (false, _) => return Err(fault),
            (true, [(at, _)]) => loaded.refused.push((*at, fault)),
            (true, _) => {
                // Somebody else has stored some of them meanwhile, most likely.
                let mut rows = match integrity {
                    true => without_known(tables, rows, tables.attempt > 1, loaded)?,
                    false => rows,
                };
                let rest = rows.split_off(rows.len() / 2);
                left.extend([rest, rows]);
            }
        }
        tables.trouble = None;
    }
    Ok(())
}

fn copy(tables: &mut Tables<'_>, rows: &[(usize, &Row)]) -> Answer<u64> {
    let within = tables.within;
    let outgoing: Vec<Outgoing<'_>> = rows.iter().map(|(_, row)| Outgoing::new(row)).collect();
    let types = tables.session.types(&TYPES, within)?;
    tables.session.guarded(within, |session| {
        session.copy(&COPY, &types, outgoing.iter().map(Outgoing::values), within)
    })
}
