//! Making, filling and merging statistics objects.

use super::object::{Figures, Statistics};
use super::online::{Online, Refusal};
use super::window::Window;
use super::{STATS, statistics};
use crate::diagnostic::Outcome;
use crate::eval::collections::check_size;
use crate::eval::{Call, Value, convert};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, repeated,
};
use std::sync::Arc;

pub(super) const STATS_INIT: FunctionSpec = FunctionSpec {
    name: "STATS_INIT",
    family: Family::Statistics,
    summary: "Makes an empty statistics object, over all values or over the last ones only.",
    details: "Without a window size it takes any number of values in constant memory: percentiles are then exact up \
        to 512 values, or 170 different ones, and otherwise right to better than 1 % of the rank. With a window \
        size it keeps that many values, forgets older ones, and cannot be merged.",
    parameters: &[optional(
        "window_size",
        Kind::Number,
        "how many values count; 0, less, or something that is no number means all",
    )],
    returns: "a new statistics object",
    errors: &["the window size is beyond 32 bits"],
    examples: &[
        example("STATS_INIT()", "Statistics{count=0, mean=NaN}"),
        example(
            "STATS_ADD(STATS_INIT(2), 1, 2, 3)",
            "Statistics{count=2, mean=2.5, window=2}",
        ),
        example("STATS_INIT(0)", "Statistics{count=0, mean=NaN}"),
        fails("STATS_INIT(3000000000L)", "E0204"),
    ],
    see: &["STATS_ADD", "STATS_MERGE", "STATS_MEAN", "STATS_PERCENTILE"],
    words: &[
        "summary",
        "descriptive",
        "aggregate",
        "sketch",
        "t-digest",
        "rolling",
    ],
    pure: false,
    run: |call| {
        let size = match call.arg(0) {
            size if size.is_number() => convert::to_int(size)
                .ok_or_else(|| call.wrong_value(0, "the window size is beyond 32 bits"))?,
            _ => 0,
        };
        let figures = match usize::try_from(size) {
            Ok(size) if size > 0 => Figures::Window(Window::new(size)),
            _ => Figures::Online(Online::default()),
        };
        Ok(Statistics::new(figures).into_value())
    },
    ..SPEC
};

const ADDED: Parameter = repeated(
    "values",
    Kind::Any,
    "numbers, texts of numbers, or lists and sets of them; null is skipped",
);

pub(super) const STATS_ADD: FunctionSpec = FunctionSpec {
    name: "STATS_ADD",
    family: Family::Statistics,
    summary: "Adds values to a statistics object, in place.",
    details: "The object itself is changed: a variable that holds it sees the values. What was added before a value \
        that fails stays, the value that fails leaves no trace. NaN fails unless there is a window.",
    parameters: &[STATS, ADDED],
    returns: "the same object, or a new one over all values when the first argument is null",
    errors: &[
        "the first argument is neither a statistics object nor null",
        "a value is not a number and cannot be converted to one",
        "a value is NaN, or makes a moment leave the range of a double",
        "the window would hold more values than [limits] collection allows",
    ],
    examples: &[
        example(
            "STATS_ADD(STATS_INIT(), 1, 4)",
            "Statistics{count=2, mean=2.5}",
        ),
        example(
            "STATS_ADD(null, [1, 2, '3', null])",
            "Statistics{count=3, mean=2.0}",
        ),
        example(
            "STATS_SUM(REDUCE([5, 6], (s, x) -> STATS_ADD(s, x), STATS_INIT()))",
            "11.0",
        ),
        fails("STATS_ADD(null, 'many')", "E0204"),
        fails("STATS_ADD(null, 1e200)", "E0204"),
    ],
    see: &["STATS_INIT", "STATS_MERGE", "OUTLIER_MAD_ADD", "SAMPLE_ADD"],
    words: &["append", "accumulate", "observe", "update"],
    pure: false,
    run: stats_add,
    ..SPEC
};

pub(super) const STATS_MERGE: FunctionSpec = FunctionSpec {
    name: "STATS_MERGE",
    family: Family::Statistics,
    summary: "Makes one statistics object of several.",
    details: "The argument is one list; what is no statistics object in it is skipped. The objects stay as they are. \
        A single object comes back itself, so that adding to the result changes it.",
    parameters: &[optional(
        "statistics",
        Kind::List,
        "a list of statistics objects",
    )],
    returns: "a statistics object over the values of all; null when there is none or the argument is not a list",
    errors: &[
        "two or more objects are to be merged, and one of them has a window",
        "a moment leaves the range of a double",
    ],
    examples: &[
        example(
            "STATS_MERGE([STATS_ADD(null, 1, 2), STATS_ADD(null, 6)])",
            "Statistics{count=3, mean=3.0}",
        ),
        example(
            "STATS_MAX(STATS_MERGE([STATS_INIT(), STATS_ADD(null, 6)]))",
            "6.0",
        ),
        example("STATS_MERGE([])", "null"),
        fails("STATS_MERGE([STATS_INIT(5), STATS_INIT()])", "E0204"),
    ],
    see: &["STATS_ADD", "STATS_INIT", "OUTLIER_MAD_STATE_MERGE"],
    words: &["combine", "union", "roll up"],
    pure: false,
    run: stats_merge,
    ..SPEC
};

/// The number that a value stands for.
#[inline]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(f64::from(*n)),
        Value::Long(n) => Some(*n as f64),
        Value::Double(n) => Some(*n),
        other => convert::to_double(other),
    }
}

/// What is wrong with a value that is to be added.
enum Bad {
    /// It is no number.
    Kind(String),
    Refused(Refusal),
    Other(crate::diagnostic::Fault),
}

fn stats_add(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.arg(0).is_null()
        && let Some(first) = call.arguments.first_mut()
    {
        *first = Statistics::new(Figures::Online(Online::default())).into_value();
    }
    if let Some(object) = statistics(call)? {
        let mut figures = object.figures();
        for (index, value) in call.arguments.iter().enumerate().skip(1) {
            let added = match value {
                Value::List(list) => list.with(|items| add_all(call, &mut figures, items.iter())),
                Value::Set(set) => set.with(|items| add_all(call, &mut figures, items.iter())),
                value => add(call, &mut figures, value).map_err(|bad| (None, bad)),
            };
            if let Err((position, bad)) = added {
                return Err(complaint(call, index, position, bad));
            }
        }
    }
    Ok(call.take(0))
}

/// Adds the elements of a collection; an error comes with the position of its cause.
fn add_all<'v>(
    call: &Call<'_, '_>,
    figures: &mut Figures,
    items: impl Iterator<Item = &'v Value>,
) -> Result<(), (Option<usize>, Bad)> {
    for (position, item) in items.enumerate() {
        call.step().map_err(|fault| (None, Bad::Other(fault)))?;
        add(call, figures, item).map_err(|bad| (Some(position + 1), bad))?;
    }
    Ok(())
}

#[inline]
fn add(call: &Call<'_, '_>, figures: &mut Figures, value: &Value) -> Result<(), Bad> {
    if value.is_null() {
        return Ok(());
    }
    let Some(number) = number(value) else {
        return Err(Bad::Kind(value.kind_in_words()));
    };
    if let Figures::Window(window) = figures {
        let after = window.size().min(window.count() + 1);
        check_size(after, call.context().limits.collection).map_err(Bad::Other)?;
    }
    figures.add(number).map_err(Bad::Refused)
}

#[cold]
fn complaint(
    call: &Call<'_, '_>,
    index: usize,
    position: Option<usize>,
    bad: Bad,
) -> crate::diagnostic::Fault {
    let place = match position {
        Some(position) => format!("element {position}: "),
        None => String::new(),
    };
    match bad {
        Bad::Kind(found) => {
            let message = format!("{place}{found} that is no number cannot be added");
            call.wrong_value(index, message)
        }
        Bad::Refused(why) => call.wrong_value(index, format!("{place}{why}")),
        Bad::Other(fault) => fault.of_argument(index),
    }
}

fn stats_merge(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Value::List(list) = call.arg(0) else {
        return Ok(Value::Null);
    };
    let items = list.items();
    let mut objects = items
        .iter()
        .filter(|item| item.as_object::<Statistics>().is_some());
    let (Some(first), second) = (objects.next(), objects.next()) else {
        return Ok(Value::Null);
    };
    if second.is_none() {
        return Ok(first.clone());
    }
    let mut merged: Option<Online> = None;
    for object in items.iter().filter_map(Value::as_object::<Statistics>) {
        call.step()?;
        // A copy, because one object may stand in the list twice.
        let Figures::Online(mut next) = object.figures().clone() else {
            return Err(call.wrong_value(0, "statistics with a window cannot be merged"));
        };
        merged = Some(match merged {
            None => next,
            Some(mut so_far) => so_far
                .merged(&mut next)
                .map_err(|why| call.wrong_value(0, why))?,
        });
    }
    let figures = Figures::Online(merged.unwrap_or_default());
    Ok(Value::Object(Arc::new(Statistics::new(figures))))
}
