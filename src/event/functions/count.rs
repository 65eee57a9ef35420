//! EVENT_COUNT and what else sums events up.

use super::{PARAMETERS, UNREACHABLE, WRONG_PARAMETERS};
use super::{about, named_column, query, service};
use crate::config;
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, Map};
use crate::eval::{Call, Value};
use crate::event::Column;
use crate::event::query::{Aggregate, Timeline};
use crate::event::shape::{cell_value, count_value, time_value};
use crate::event::store::Extreme;
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, default, example, fails, optional, required,
};
use crate::store::Within;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[
    EVENT_COUNT,
    EVENT_DISTINCT,
    EVENT_MIN,
    EVENT_MAX,
    EVENT_AGGREGATE,
    EVENT_TIMELINE,
];

const EVENT_COUNT: FunctionSpec = FunctionSpec {
    name: "EVENT_COUNT",
    family: Family::Events,
    summary: "Counts the events that parameters ask for.",
    details: "sortby, limit and page have no effect.",
    parameters: &[default("parameters", Kind::Map, PARAMETERS, "{}")],
    returns: "a number",
    errors: &[WRONG_PARAMETERS, UNREACHABLE],
    examples: &[
        example("EVENT_COUNT()", "0"),
        example(
            "EVENT_INSERT({'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test'], 'Target': [{'Port': [22]}]})",
            "e1",
        ),
        example("EVENT_COUNT({'target_ports': [22, 23]})", "1"),
        fails("EVENT_COUNT({'dt_from': 'lately'})", "E0204"),
        fails("EVENT_COUNT([])", "E0203"),
    ],
    see: &["EVENT_SEARCH", "EVENT_AGGREGATE", "EVENT_TIMELINE"],
    words: &["how many"],
    pure: false,
    run: |call| {
        let query = query(call, 0)?;
        Ok(count_value(
            service(call)?.count(&query, Within::call(call))?,
        ))
    },
    ..SPEC
};

const EVENT_DISTINCT: FunctionSpec = FunctionSpec {
    name: "EVENT_DISTINCT",
    family: Family::Events,
    summary: "Gives all values that a column of events has had.",
    details: "There are lists for category, protocol, node_name, node_type, source_type, target_type, cesnet_resolvedabuses, \
        cesnet_eventclass, cesnet_eventseverity and cesnet_inspectionerrors; cesnet_ can be left out.",
    parameters: &[required("column", Kind::Text, "the name of the column")],
    returns: "a sorted list of strings",
    errors: &["there is no such column, or no list for it", UNREACHABLE],
    examples: &[
        example("EVENT_DISTINCT('category')", "[]"),
        example(
            "EVENT_INSERT({'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test', 'Recon.Scanning']})",
            "e1",
        ),
        example("EVENT_DISTINCT('category')", "[Recon.Scanning, Test]"),
        fails("EVENT_DISTINCT('id')", "E0606"),
        fails("EVENT_DISTINCT('categry')", "E0606"),
    ],
    see: &["EVENT_AGGREGATE"],
    words: &["unique", "enumeration", "values"],
    pure: false,
    run: |call| {
        let column = named_column(call, 0)?;
        let values = service(call)?.distinct(column, Within::call(call))?;
        Ok(super::texts(&values))
    },
    ..SPEC
};

const EXTREME: FunctionSpec = FunctionSpec {
    family: Family::Events,
    parameters: &[
        required("column", Kind::Text, "the name of the column"),
        default("parameters", Kind::Map, PARAMETERS, "{}"),
    ],
    returns: "the value, a time in milliseconds; null when there is none",
    errors: &[
        WRONG_PARAMETERS,
        "there is no such column, or it has no order",
        UNREACHABLE,
    ],
    words: &["oldest", "newest", "first", "last", "earliest", "latest"],
    pure: false,
    ..SPEC
};

const EVENT_MIN: FunctionSpec = FunctionSpec {
    name: "EVENT_MIN",
    summary: "Gives the smallest value that events have in a column.",
    examples: &[
        example("EVENT_MIN('detecttime')", "null"),
        example(
            "EVENT_INSERT([{'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test']}, \
             {'ID': 'e2', 'DetectTime': '2026-01-10T09:00:00Z', 'Category': ['Recon.Scanning']}])",
            "[e1, e2]",
        ),
        example("EVENT_MIN('detecttime')", "1768032000000"),
        example(
            "EVENT_MIN('detecttime', {'categories': ['Recon.Scanning']})",
            "1768035600000",
        ),
        fails("EVENT_MIN('event')", "E0606"),
    ],
    see: &["EVENT_MAX"],
    run: |call| extreme(call, Extreme::Min),
    ..EXTREME
};

const EVENT_MAX: FunctionSpec = FunctionSpec {
    name: "EVENT_MAX",
    summary: "Gives the largest value that events have in a column.",
    examples: &[
        example("EVENT_MAX('detecttime')", "null"),
        example(
            "EVENT_INSERT({'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test']})",
            "e1",
        ),
        example("EVENT_MAX('id')", "e1"),
        fails("EVENT_MAX('time')", "E0606"),
    ],
    see: &["EVENT_MIN"],
    run: |call| extreme(call, Extreme::Max),
    ..EXTREME
};

const EVENT_AGGREGATE: FunctionSpec = FunctionSpec {
    name: "EVENT_AGGREGATE",
    family: Family::Events,
    summary: "Counts events by the values of a column.",
    details: "An event with two values in the column counts for both; one without counts for __unknown__ where the column is \
        no list.",
    parameters: &[
        required("parameters", Kind::Map, PARAMETERS),
        required("column", Kind::Text, "the name of the column"),
        optional(
            "limit",
            Kind::Integer,
            "only so many values, the most frequent ones",
        ),
    ],
    returns: "a map from values to counts, the most frequent first",
    errors: &[
        WRONG_PARAMETERS,
        "there is no such column, or it holds times",
        UNREACHABLE,
    ],
    examples: &[
        example("EVENT_AGGREGATE({}, 'category')", "{}"),
        example(
            "EVENT_INSERT([{'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test']}, \
             {'ID': 'e2', 'DetectTime': '2026-01-10T09:00:00Z', 'Category': ['Test', 'Recon.Scanning']}])",
            "[e1, e2]",
        ),
        example(
            "EVENT_AGGREGATE({}, 'category')",
            "{Test=2, Recon.Scanning=1}",
        ),
        example("EVENT_AGGREGATE({}, 'category', 1)", "{Test=2}"),
        fails("EVENT_AGGREGATE({}, 'detecttime')", "E0606"),
        fails("EVENT_AGGREGATE({}, 'category', -1)", "E0204"),
    ],
    see: &["EVENT_TIMELINE", "EVENT_DISTINCT", "EVENT_COUNT"],
    words: &["group by", "top", "histogram", "frequency"],
    pure: false,
    run: aggregate,
    ..SPEC
};

const EVENT_TIMELINE: FunctionSpec = FunctionSpec {
    name: "EVENT_TIMELINE",
    family: Family::Events,
    summary: "Counts events by time.",
    details: "It reaches from dt_from to dt_to of the parameters, else from the first event to the last. All steps but the first \
        begin at a multiple of their length, counted from 1970 in UTC.",
    parameters: &[
        required("parameters", Kind::Map, PARAMETERS),
        required(
            "step",
            Kind::Any,
            "how long each step is, in milliseconds or as '1h'",
        ),
        optional(
            "by",
            Kind::Text,
            "the name of a column whose values are counted each",
        ),
    ],
    returns: "a list of maps with from, in milliseconds, and count; with by, values is a map from values to counts",
    errors: &[
        WRONG_PARAMETERS,
        "the step is no time or there would be too many",
        "there is no such column",
        UNREACHABLE,
    ],
    examples: &[
        example("EVENT_TIMELINE({}, '1h')", "[]"),
        example(
            "EVENT_INSERT([{'ID': 'e1', 'DetectTime': '2026-01-10T08:15:00Z', 'Category': ['Test']}, \
             {'ID': 'e2', 'DetectTime': '2026-01-10T09:30:00Z', 'Category': ['Recon.Scanning']}])",
            "[e1, e2]",
        ),
        example(
            "EVENT_TIMELINE({'dt_from': '2026-01-10T08:00:00Z'}, '1h')",
            "[{from=1768032000000, count=1}, {from=1768035600000, count=1}]",
        ),
        example(
            "EVENT_TIMELINE({'dt_from': '2026-01-10T09:00:00Z'}, '1d', 'category')",
            "[{from=1768035600000, values={Recon.Scanning=1}}]",
        ),
        fails("EVENT_TIMELINE({}, 'hourly')", "E0204"),
        fails("EVENT_TIMELINE({}, 1)", "E0607"),
    ],
    see: &["EVENT_AGGREGATE", "EVENT_COUNT"],
    words: &["histogram", "trend", "bucket", "over time"],
    pure: false,
    run: timeline,
    ..SPEC
};

fn extreme(call: &mut Call<'_, '_>, extreme: Extreme) -> Outcome<Value> {
    let column = named_column(call, 0)?;
    let query = query(call, 1)?;
    let found = service(call)?.column_of(&query, column, extreme, Within::call(call))?;
    Ok(found.map_or(Value::Null, |cell| cell_value(&cell)))
}

fn aggregate(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let query = query(call, 0)?;
    let column = named_column(call, 1)?;
    let limit = match call.arg(2) {
        Value::Null => None,
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        _ => return Err(call.wrong_type(2, "a whole number")),
    };
    let limit = limit.map(u64::try_from).transpose();
    let limit = limit.map_err(|_| call.wrong_value(2, "the limit must not be below zero"))?;
    let aggregate = Aggregate { column, limit };
    aggregate.check().map_err(|fault| about(call, fault, 1))?;
    let groups = service(call)?.aggregate(&query, &aggregate, Within::call(call))?;
    crate::eval::collections::check_size(groups.len(), call.context().limits.collection)?;
    let groups = groups
        .iter()
        .map(|group| (&group.value, count_value(group.count)));
    Ok(Value::Map(Map::of_texts(groups)))
}

/// The length in an argument, in microseconds: milliseconds, or a text such as `1h`.
pub(super) fn length(call: &Call<'_, '_>, index: usize, value: &Value) -> Outcome<i64> {
    let text = match value {
        Value::Text(text) => text.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Long(n) => n.to_string(),
        _ => return Err(call.wrong_type(index, "a time in milliseconds or as '1h'")),
    };
    let length = config::duration(&text)
        .map_err(|why| call.wrong_value(index, format!("{text:?}: {why}")))?;
    i64::try_from(length.as_micros()).map_err(|_| call.wrong_value(index, "the time is too long"))
}

fn timeline(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let query = query(call, 0)?;
    let step = length(call, 1, call.arg(1))?;
    let by = match call.arg(2) {
        Value::Null => None,
        _ => Some(named_column(call, 2)?),
    };
    let service = service(call)?;
    let within = Within::call(call);
    let mut timeline = Timeline {
        column: Column::DetectTime,
        from: 0,
        to: 0,
        step,
        by,
        top: None,
    };
    timeline.check().map_err(|fault| about(call, fault, 1))?;
    if let Some((from, to)) = service.span(&query, timeline.column, within)? {
        (timeline.from, timeline.to) = (from, to.max(from));
    }
    timeline.check().map_err(|fault| about(call, fault, 1))?;
    let lines = service.timeline(&query, &timeline, within)?;
    let mut steps = Vec::with_capacity(lines.starts.len());
    for (index, start) in lines.starts.iter().enumerate() {
        call.step()?;
        let count = |counts: &[u64]| counts.get(index).copied().unwrap_or(0);
        let what = match by {
            None => {
                let all = lines.lines.first().map_or(0, |line| count(&line.counts));
                ("count", count_value(all))
            }
            Some(_) => {
                let values = lines.lines.iter().filter_map(|line| {
                    let count = count(&line.counts);
                    (count > 0)
                        .then(|| (line.value.clone().unwrap_or_default(), count_value(count)))
                });
                ("values", Value::Map(Map::of_texts(values)))
            }
        };
        steps.push(Value::Map(Map::of_texts([
            ("from", time_value(*start)),
            what,
        ])));
    }
    Ok(Value::List(List::array(steps)))
}
