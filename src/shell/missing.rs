//! Time without measurements in tables of what PROFILE_VERBOSE gives.

use crate::eval::Value;
use crate::eval::collections::{Map, MapKind};
use crate::eval::convert::to_long;

/// The rows with one more wherever a period does not begin where the one before it ends: it stands for the time between
/// them, be it that nothing was measured or that it was not asked for. Other rows are left as they are.
pub fn marked(rows: Vec<Map>) -> Vec<Map> {
    let Some(reaches) = rows.iter().map(reach).collect::<Option<Vec<_>>>() else {
        return rows;
    };
    let mut marked = Vec::with_capacity(rows.len());
    let mut before: Option<i64> = None;
    for (row, (start, end)) in rows.into_iter().zip(reaches) {
        if let Some(before) = before
            && before < start
        {
            marked.push(between(&row, before, start));
        }
        before = Some(end);
        marked.push(row);
    }
    marked
}

fn reach(row: &Map) -> Option<(i64, i64)> {
    row.get_text("profile")?;
    row.get_text("value")?;
    let at = |name: &str| row.get_text(name).as_ref().and_then(to_long);
    Some((at("period.start")?, at("period.end")?))
}

fn between(next: &Map, start: i64, end: i64) -> Map {
    let entries = next.entries().into_iter().map(|(name, value)| {
        let value = match name.as_text() {
            Some("period.start") => Value::Long(start),
            Some("period.end") => Value::Long(end),
            Some("profile" | "entity" | "groups") => value,
            _ => Value::text("–"),
        };
        (name, value)
    });
    Map::new(MapKind::Hash, entries.collect())
}
