//! Which of several ranges a value falls into.

use super::{STATS, read::out_of_range, statistics};
use crate::diagnostic::Outcome;
use crate::eval::collections::List;
use crate::eval::{Call, Value, convert};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, default, example, fails, optional, required,
};

const QUARTILE: &[f64] = &[25.0, 50.0, 75.0];
const QUINTILE: &[f64] = &[20.0, 40.0, 60.0, 80.0];
const DECILE: &[f64] = &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0];

pub(super) const BIN: FunctionSpec = FunctionSpec {
    name: "BIN",
    family: Family::Statistics,
    summary: "Finds which of the ranges between given bounds a value falls into.",
    details: "Bin 0 goes up to the first bound and includes it, bin 1 from there to the second, and so on; what is \
        above the last bound gets the number of bounds. The bounds are looked at one after the other, and no further \
        than needed.",
    parameters: &[
        required(
            "value",
            Kind::Number,
            "the value; texts of numbers are converted",
        ),
        optional(
            "bounds",
            Kind::List,
            "a list of numbers, each not below the one before it",
        ),
    ],
    returns: "the number of the bin, an integer; -1 when the value is no number or there are no bounds",
    errors: &[
        "the bounds are neither a list nor null",
        "a bound that is looked at is no number, or below the one before it",
    ],
    examples: &[
        example("BIN(10, [10, 20, 30])", "0"),
        example("BIN(11, [10, 20, 30])", "1"),
        example("BIN(31, [10, 20, 30])", "3"),
        example("BIN('a lot', [10])", "-1"),
        fails("BIN(25, [20, 10])", "E0204"),
    ],
    see: &["STATS_BIN"],
    words: &["bucket", "histogram", "range", "interval", "discretize"],
    run: |call| {
        let bounds = match call.arg(1) {
            Value::Null => None,
            Value::List(list) => Some(list.clone()),
            _ => return Err(call.wrong_type(1, "a list of numbers")),
        };
        let value = convert::to_double(call.arg(0));
        let (Some(value), Some(bounds)) = (value, bounds) else {
            return Ok(Value::Int(-1));
        };
        if bounds.is_empty() {
            return Ok(Value::Int(-1));
        }
        bin(call, 1, value, bounds.len(), |position| {
            bound(call, 1, &bounds, position)
        })
    },
    ..SPEC
};

pub(super) const STATS_BIN: FunctionSpec = FunctionSpec {
    name: "STATS_BIN",
    family: Family::Statistics,
    summary: "Finds which of the ranges between given percentiles of a statistics object a value falls into.",
    details: "The same as BIN, with percentiles of the statistics as its bounds: with QUARTILE, bin 0 is the lowest \
        quarter of what is usual and bin 3 the highest.",
    parameters: &[
        STATS,
        required(
            "value",
            Kind::Number,
            "the value; texts of numbers are converted",
        ),
        default(
            "bounds",
            Kind::Any,
            "a list of percentiles from 0 to 100, or one of the texts QUARTILE, QUINTILE and DECILE",
            "'QUARTILE'",
        ),
    ],
    returns: "the number of the bin, an integer; -1 when the statistics are null, the value is no number or there are \
        no bounds",
    errors: &[
        "the first argument is neither a statistics object nor null",
        "the bounds are neither a list nor one of the three texts",
        "a percentile that is looked at is no number, out of range, or below the one before it",
    ],
    examples: &[
        example("STATS_BIN(STATS_ADD(null, [1, 2, 3, 4, 5]), 2.5)", "1"),
        example(
            "STATS_BIN(STATS_ADD(null, [1, 2, 3, 4, 5]), 5, 'DECILE')",
            "9",
        ),
        example("STATS_BIN(STATS_ADD(null, [1, 2, 3, 4, 5]), 3, [95])", "0"),
        example("STATS_BIN(null, 3)", "-1"),
        fails("STATS_BIN(STATS_INIT(), 3, 'PERCENTILE')", "E0204"),
    ],
    see: &["BIN", "STATS_PERCENTILE"],
    words: &["bucket", "quartile", "quintile", "decile", "range"],
    run: stats_bin,
    ..SPEC
};

fn stats_bin(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let stats = statistics(call)?;
    let value = convert::to_double(call.arg(1));
    let mut list = None;
    let known = match call.arg(2) {
        _ if call.count() < 3 => QUARTILE,
        Value::Text(name) => match name.as_str() {
            "QUARTILE" => QUARTILE,
            "QUINTILE" => QUINTILE,
            "DECILE" => DECILE,
            name => {
                let message = format!("{name:?} names no bounds");
                let fault = call.wrong_value(2, message);
                return Err(fault.help("the names are QUARTILE, QUINTILE and DECILE"));
            }
        },
        Value::List(percentiles) => {
            list = Some(percentiles.clone());
            &[]
        }
        _ => {
            let expected = "a list of percentiles, 'QUARTILE', 'QUINTILE' or 'DECILE'";
            return Err(call.wrong_type(2, expected));
        }
    };
    let count = list.as_ref().map_or(known.len(), List::len);
    let (Some(stats), Some(value), 1..) = (stats, value, count) else {
        return Ok(Value::Int(-1));
    };
    bin(call, 2, value, count, |position| {
        let p = match &list {
            Some(list) => bound(call, 2, list, position)?,
            None => known.get(position).copied().unwrap_or(f64::NAN),
        };
        let found = stats.figures().percentile(p);
        found.map_err(|bad| out_of_range(call, 2, p, bad))
    })
}

/// A bound from a list.
fn bound(call: &Call<'_, '_>, index: usize, list: &List, position: usize) -> Outcome<f64> {
    let value = list.get(position).unwrap_or(Value::Null);
    value.as_double().ok_or_else(|| {
        let found = value.kind_in_words();
        let message = format!("bound {} is {found}, not a number", position + 1);
        call.wrong_value(index, message)
    })
}

/// The first bound that is not below the value.
fn bin(
    call: &Call<'_, '_>,
    index: usize,
    value: f64,
    count: usize,
    bound: impl Fn(usize) -> Outcome<f64>,
) -> Outcome<Value> {
    let number = |bin| Ok(Value::Int(i32::try_from(bin).unwrap_or(i32::MAX)));
    let mut last = f64::NEG_INFINITY;
    for position in 0..count {
        call.step()?;
        let next = bound(position)?;
        if last > next {
            let message = format!("bound {} is below the one before it", position + 1);
            return Err(call.wrong_value(index, message));
        }
        if value <= next {
            return number(position);
        }
        last = next;
    }
    number(count)
}
