//! The pieces of thresholding, one function each.

use super::{Shape, UNREACHABLE, relapsed_value, service, text, time};
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, Map};
use crate::eval::{Call, Value};
use crate::event::shape::{count_value, time_value};
use crate::event::store::{Threshold, Thresholded};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, required,
};
use crate::store::Within;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[
    THRESHOLD_CHECK,
    THRESHOLD_SET,
    THRESHOLD_SAVE,
    THRESHOLDS_COUNT,
    THRESHOLDS_CLEAN,
    THRESHOLDED_EVENTS_COUNT,
    THRESHOLDED_EVENTS_CLEAN,
    RELAPSED_EVENTS,
];

const KEY: Parameter = required(
    "key",
    Kind::Text,
    "the key, which stands for what was reported",
);
const WORDS: &[&str] = &["report", "suppress", "mute", "silence", "Mentat"];
const WRONG_TIME: &str = "a time is neither milliseconds nor ISO text";
const WRONG_TEXT: &str = "a key or a name is no string";

const PIECE: FunctionSpec = FunctionSpec {
    family: Family::Events,
    words: WORDS,
    pure: false,
    ..SPEC
};

const THRESHOLD_CHECK: FunctionSpec = FunctionSpec {
    name: "THRESHOLD_CHECK",
    summary: "Gives the threshold of a key while its window lasts.",
    parameters: &[
        KEY,
        optional("ttl", Kind::Any, "at this time; now unless given"),
    ],
    returns: "a map with id, thresholdtime, relapsetime and ttltime (milliseconds); null when there is none",
    errors: &[WRONG_TEXT, WRONG_TIME, UNREACHABLE],
    examples: &[
        example("THRESHOLD_CHECK('scan+++192.0.2.7')", "null"),
        example("THRESHOLD_SET('scan', 1000, 2000, 3000)", "true"),
        example(
            "THRESHOLD_CHECK('scan', 3000)",
            "{id=scan, thresholdtime=1000, relapsetime=2000, ttltime=3000}",
        ),
        example("THRESHOLD_CHECK('scan', 3001)", "null"),
        fails("THRESHOLD_CHECK(7)", "E0203"),
    ],
    see: &["THRESHOLD_SET", "THRESHOLD_EVENT"],
    run: |call| {
        let (key, ttl) = (text(call, 0)?, time(call, 1)?);
        let found = service(call)?.threshold_check(&key, ttl, Within::call(call))?;
        Ok(found.map_or(Value::Null, |threshold| threshold_value(&threshold)))
    },
    ..PIECE
};

const THRESHOLD_SET: FunctionSpec = FunctionSpec {
    name: "THRESHOLD_SET",
    guarded: true,
    summary: "Begins the window of a key; one that is there is replaced.",
    parameters: &[
        KEY,
        required("thresholdtime", Kind::Any, "when the window begins"),
        required(
            "relapsetime",
            Kind::Any,
            "when its last part begins, in which events count as a relapse",
        ),
        required("ttl", Kind::Any, "when it ends"),
    ],
    returns: "true",
    errors: &[WRONG_TEXT, WRONG_TIME, UNREACHABLE],
    examples: &[
        example(
            "THRESHOLD_SET('scan+++192.0.2.7', '2026-01-10', '2026-01-14', '2026-01-16')",
            "true",
        ),
        example(
            "MAP_GET('ttltime', THRESHOLD_CHECK('scan+++192.0.2.7', '2026-01-15'))",
            "1768521600000",
        ),
        fails("THRESHOLD_SET('scan', 'soon', 'later', 'then')", "E0204"),
    ],
    see: &["THRESHOLD_CHECK", "THRESHOLD_SAVE", "THRESHOLD_EVENT"],
    run: |call| {
        let threshold = Threshold {
            id: text(call, 0)?,
            thresholdtime: time(call, 1)?,
            relapsetime: time(call, 2)?,
            ttltime: time(call, 3)?,
        };
        service(call)?.threshold_set(threshold, Within::call(call))?;
        Ok(Value::Bool(true))
    },
    ..PIECE
};

const THRESHOLD_SAVE: FunctionSpec = FunctionSpec {
    name: "THRESHOLD_SAVE",
    guarded: true,
    summary: "Notes that an event was held back.",
    parameters: &[
        required("id", Kind::Text, "the identifier of the event"),
        KEY,
        required("group", Kind::Text, "the group that would have been told"),
        required("severity", Kind::Text, "the severity of the event"),
        optional(
            "createtime",
            Kind::Any,
            "when it was held back; now unless given",
        ),
    ],
    returns: "true",
    errors: &[
        WRONG_TEXT,
        WRONG_TIME,
        "it is noted already for this key",
        UNREACHABLE,
    ],
    examples: &[
        example(
            "THRESHOLD_SAVE('e1', 'scan', 'abuse@example.org', 'low')",
            "true",
        ),
        example("THRESHOLDED_EVENTS_COUNT()", "1"),
        fails(
            "THRESHOLD_SAVE('e1', 'scan', 'abuse@example.org', 'low')",
            "E0608",
        ),
    ],
    see: &["THRESHOLD_SET", "RELAPSED_EVENTS", "THRESHOLD_EVENT"],
    run: |call| {
        let noted = Thresholded {
            eventid: text(call, 0)?,
            keyid: text(call, 1)?,
            groupname: text(call, 2)?,
            eventseverity: text(call, 3)?,
            createtime: time(call, 4)?,
        };
        service(call)?.threshold_save(noted, Within::call(call))?;
        Ok(Value::Bool(true))
    },
    ..PIECE
};

const THRESHOLDS_COUNT: FunctionSpec = FunctionSpec {
    name: "THRESHOLDS_COUNT",
    summary: "Counts the thresholds.",
    returns: "a number",
    errors: &[UNREACHABLE],
    examples: &[
        example("THRESHOLDS_COUNT()", "0"),
        example("THRESHOLD_SET('scan', 1000, 2000, 3000)", "true"),
        example("THRESHOLDS_COUNT()", "1"),
    ],
    see: &["THRESHOLDS_CLEAN", "THRESHOLDED_EVENTS_COUNT"],
    run: |call| {
        let count = service(call)?.thresholds_count(Within::call(call))?;
        Ok(count_value(count))
    },
    ..PIECE
};

const THRESHOLDS_CLEAN: FunctionSpec = FunctionSpec {
    name: "THRESHOLDS_CLEAN",
    guarded: true,
    summary: "Removes the thresholds whose windows have ended.",
    details: "Report relapsed events first: with its threshold an event that was held back is forgotten.",
    parameters: &[optional(
        "ttl",
        Kind::Any,
        "those that ended before this time; now unless given",
    )],
    returns: "how many were removed",
    errors: &[WRONG_TIME, UNREACHABLE],
    examples: &[
        example("THRESHOLDS_CLEAN()", "0"),
        example("THRESHOLD_SET('scan', 1000, 2000, 3000)", "true"),
        example("THRESHOLDS_CLEAN()", "1"),
        fails("THRESHOLDS_CLEAN('later')", "E0204"),
    ],
    see: &["THRESHOLDED_EVENTS_CLEAN", "RELAPSED_EVENTS"],
    run: |call| {
        let ttl = time(call, 0)?;
        let count = service(call)?.thresholds_clean(ttl, Within::call(call))?;
        Ok(count_value(count))
    },
    ..PIECE
};

const THRESHOLDED_EVENTS_COUNT: FunctionSpec = FunctionSpec {
    name: "THRESHOLDED_EVENTS_COUNT",
    summary: "Counts the notes of events that were held back.",
    returns: "a number",
    errors: &[UNREACHABLE],
    examples: &[
        example("THRESHOLDED_EVENTS_COUNT()", "0"),
        example(
            "THRESHOLD_SAVE('e1', 'scan', 'abuse@example.org', 'low')",
            "true",
        ),
        example("THRESHOLDED_EVENTS_COUNT()", "1"),
    ],
    see: &["THRESHOLDED_EVENTS_CLEAN", "THRESHOLDS_COUNT"],
    run: |call| {
        let count = service(call)?.thresholded_count(Within::call(call))?;
        Ok(count_value(count))
    },
    ..PIECE
};

const THRESHOLDED_EVENTS_CLEAN: FunctionSpec = FunctionSpec {
    name: "THRESHOLDED_EVENTS_CLEAN",
    guarded: true,
    summary: "Removes the notes of events that were held back and cannot relapse.",
    details: "These are those whose threshold is gone, and those from before the relapse part of it.",
    returns: "how many were removed",
    errors: &[UNREACHABLE],
    examples: &[
        example("THRESHOLDED_EVENTS_CLEAN()", "0"),
        example(
            "THRESHOLD_SAVE('e1', 'scan', 'abuse@example.org', 'low')",
            "true",
        ),
        example("THRESHOLDED_EVENTS_CLEAN()", "1"),
    ],
    see: &["THRESHOLDS_CLEAN", "THRESHOLDED_EVENTS_COUNT"],
    run: |call| {
        let count = service(call)?.thresholded_clean(Within::call(call))?;
        Ok(count_value(count))
    },
    ..PIECE
};

const RELAPSED_EVENTS: FunctionSpec = FunctionSpec {
    name: "RELAPSED_EVENTS",
    summary: "Finds the events that were held back late in a window that has ended.",
    details: "Their trouble went on although it was reported. Who reports them should begin new windows of their keys by \
        THRESHOLD_SET; stellar event relapsed --renew does both.",
    parameters: &[
        required("group", Kind::Text, "the group that would have been told"),
        required("severity", Kind::Text, "the severity of the events"),
        optional(
            "ttl",
            Kind::Any,
            "windows that have ended by this time; now unless given",
        ),
        optional(
            "columns",
            Kind::Any,
            "names of columns to give instead of whole messages; 'ghost' for messages made of the columns",
        ),
    ],
    returns: "a list of maps with id, keyids and event",
    errors: &[WRONG_TEXT, WRONG_TIME, UNREACHABLE],
    examples: &[
        example("RELAPSED_EVENTS('abuse@example.org', 'low')", "[]"),
        example(
            "EVENT_INSERT({'ID': 'e1', 'DetectTime': 2.5, 'Category': ['Test']})",
            "e1",
        ),
        example("THRESHOLD_SET('scan', 1000, 2000, 3000)", "true"),
        example(
            "THRESHOLD_SAVE('e1', 'scan', 'abuse@example.org', 'low', 2500)",
            "true",
        ),
        example(
            "RELAPSED_EVENTS('abuse@example.org', 'low', 3000, ['category'])",
            "[{id=e1, keyids=[scan], event={category=[Test]}}]",
        ),
        fails("RELAPSED_EVENTS('abuse@example.org', 3)", "E0203"),
    ],
    see: &["THRESHOLD_SAVE", "THRESHOLD_EVENT"],
    run: relapsed,
    ..PIECE
};

/// A threshold as a map.
pub(super) fn threshold_value(threshold: &Threshold) -> Value {
    Value::Map(Map::of_texts([
        ("id", Value::text(&threshold.id)),
        ("thresholdtime", time_value(threshold.thresholdtime)),
        ("relapsetime", time_value(threshold.relapsetime)),
        ("ttltime", time_value(threshold.ttltime)),
    ]))
}

fn relapsed(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (group, severity) = (text(call, 0)?, text(call, 1)?);
    let ttl = time(call, 2)?;
    let shape = Shape::of(call, 3)?;
    let found = service(call)?.relapsed(&group, &severity, ttl, Within::call(call))?;
    crate::eval::collections::check_size(found.len(), call.context().limits.collection)?;
    let found: Outcome<Vec<Value>> = found
        .iter()
        .map(|relapsed| relapsed_value(relapsed, &shape))
        .collect();
    Ok(Value::List(List::array(found?)))
}
