//! `stellar event distinct`, `aggregate` and `timeline`.

use super::Desk;
use super::args::{PagingArgs, QueryArgs, TimelineArgs};
use super::asked::{column, length, query};
use crate::cli::args::{Common, ListFormat};
use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::event::query::{Aggregate, Timeline};
use crate::event::shape::time_text;
use crate::event::timeline;
use serde_json::json;

const SECOND: i64 = 1_000_000;

/// The steps that a timeline may have of itself, in seconds.
const STEPS: &[i64] = &[
    1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    2_592_000, 31_536_000,
];

/// About how many steps a timeline has of itself.
const USUAL: i64 = 50;

/// Shows the values that a column has had.
pub fn distinct(desk: &Desk, name: &str, format: Option<ListFormat>) -> Outcome<bool> {
    let values = desk.events.distinct(column(name)?, desk.within())?;
    let rows = values.iter().map(|value| json!({"value": value})).collect();
    output::table(ListFormat::or_usual(format), &["value"], rows)?;
    Ok(true)
}

/// Counts events by the values of a column.
pub fn aggregate(
    desk: &Desk,
    name: &str,
    args: &QueryArgs,
    top: Option<u64>,
    format: Option<ListFormat>,
) -> Outcome<bool> {
    let aggregate = Aggregate {
        column: column(name)?,
        limit: top,
    };
    let query = query(desk, args, &PagingArgs::default())?;
    let groups = desk.events.aggregate(&query, &aggregate, desk.within())?;
    let rows = groups
        .iter()
        .map(|group| json!({"value": group.value, "count": group.count}));
    let format = ListFormat::or_usual(format);
    output::table(format, &["value", "count"], rows.collect())?;
    Ok(true)
}

/// Counts events by time.
pub fn timeline(common: &Common, desk: &Desk, args: &TimelineArgs) -> Outcome<bool> {
    let query = query(desk, &args.query, &PagingArgs::default())?;
    let mut timeline = Timeline {
        column: column(&args.column)?,
        from: 0,
        to: 0,
        step: args.step.as_deref().map_or(Ok(SECOND), length)?,
        by: args.by.as_deref().map(column).transpose()?,
        top: args.top,
    };
    timeline.check()?;
    let span = desk.events.span(&query, timeline.column, desk.within())?;
    if let Some((from, to)) = span {
        (timeline.from, timeline.to) = (from, to.max(from));
    }
    if args.step.is_none() {
        let wanted = timeline.to.saturating_sub(timeline.from) / USUAL / SECOND;
        let step = STEPS.iter().find(|step| **step >= wanted);
        timeline.step = step.or(STEPS.last()).map_or(SECOND, |step| step * SECOND);
    }
    let answer = desk.events.timeline(&query, &timeline, desk.within())?;
    if args.plot || args.picture.wanted() {
        if answer.starts.is_empty() {
            output::note("there is nothing to draw: no event fits");
            return Ok(false);
        }
        let title = match timeline.by {
            None => "Events".to_string(),
            Some(column) => format!("Events by {}", column.name()),
        };
        let zone = &desk.engine.context.zone;
        let bars = timeline::drawn(&answer, timeline.step, title, zone);
        args.picture.draw(common, &bars)?;
        return Ok(true);
    }
    let mut rows = Vec::new();
    for (index, start) in answer.starts.iter().enumerate() {
        let from = time_text(*start);
        for line in &answer.lines {
            let count = line.counts.get(index).copied().unwrap_or(0);
            match &line.value {
                None => rows.push(json!({"from": from, "count": count})),
                Some(value) if count > 0 => {
                    rows.push(json!({"from": from, "value": value, "count": count}));
                }
                Some(_) => {}
            }
        }
    }
    let columns: &[&str] = match timeline.by {
        None => &["from", "count"],
        Some(_) => &["from", "value", "count"],
    };
    output::table(ListFormat::or_usual(args.format), columns, rows)?;
    Ok(true)
}
