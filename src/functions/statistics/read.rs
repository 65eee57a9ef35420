//! Reading the figures of statistics objects.

use super::object::{Figures, OutOfRange};
use super::{STATS, statistics};
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value, convert};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};

/// What all readers share.
const READER: FunctionSpec = FunctionSpec {
    family: Family::Statistics,
    parameters: &[STATS],
    returns: "a double; NaN for null",
    errors: NO_STATISTICS,
    ..SPEC
};

const NO_STATISTICS: &[&str] = &["the argument is neither a statistics object nor null"];

pub(super) const STATS_COUNT: FunctionSpec = FunctionSpec {
    name: "STATS_COUNT",
    summary: "Counts the values of a statistics object.",
    details: "The count is a double, as all figures are; TO_INTEGER makes an integer of it.",
    examples: &[
        example("STATS_COUNT(STATS_ADD(null, [1, 2, null]))", "2.0"),
        example("STATS_COUNT(STATS_ADD(STATS_INIT(2), [1, 2, 3]))", "2.0"),
        example("STATS_COUNT(null)", "NaN"),
        fails("STATS_COUNT([1, 2])", "E0203"),
    ],
    see: &["STATS_SUM", "STATS_ADD"],
    words: &["number", "size", "how many", "n"],
    run: |call| read(call, Figures::count),
    ..READER
};

pub(super) const STATS_SUM: FunctionSpec = FunctionSpec {
    name: "STATS_SUM",
    summary: "Adds up the values of a statistics object.",
    examples: &[
        example("STATS_SUM(STATS_ADD(null, [1, 2, 3]))", "6.0"),
        example("STATS_SUM(STATS_INIT())", "0.0"),
        example("STATS_SUM(null)", "NaN"),
    ],
    see: &["STATS_MEAN", "STATS_COUNT"],
    words: &["total"],
    run: |call| read(call, Figures::sum),
    ..READER
};

pub(super) const STATS_MEAN: FunctionSpec = FunctionSpec {
    name: "STATS_MEAN",
    summary: "Finds the mean of the values of a statistics object.",
    examples: &[
        example("STATS_MEAN(STATS_ADD(null, [1, 2]))", "1.5"),
        example("STATS_MEAN(STATS_INIT())", "NaN"),
    ],
    see: &["STATS_SD", "STATS_PERCENTILE", "STATS_GEOMETRIC_MEAN"],
    words: &["average", "arithmetic", "expectation"],
    run: |call| read(call, Figures::mean),
    ..READER
};

pub(super) const STATS_MIN: FunctionSpec = FunctionSpec {
    name: "STATS_MIN",
    summary: "Finds the smallest value of a statistics object.",
    returns: "a double; NaN for null and without values",
    examples: &[
        example("STATS_MIN(STATS_ADD(null, [3, 1, 2]))", "1.0"),
        example("STATS_MIN(STATS_INIT())", "NaN"),
    ],
    see: &["STATS_MAX", "MIN"],
    words: &["minimum", "lowest", "least"],
    run: |call| read(call, Figures::min),
    ..READER
};

pub(super) const STATS_MAX: FunctionSpec = FunctionSpec {
    name: "STATS_MAX",
    summary: "Finds the largest value of a statistics object.",
    returns: "a double; NaN for null and without values",
    examples: &[
        example("STATS_MAX(STATS_ADD(null, [3, 1, 2]))", "3.0"),
        example("STATS_MAX(STATS_INIT())", "NaN"),
    ],
    see: &["STATS_MIN", "MAX"],
    words: &["maximum", "highest", "greatest", "peak"],
    run: |call| read(call, Figures::max),
    ..READER
};

pub(super) const STATS_VARIANCE: FunctionSpec = FunctionSpec {
    name: "STATS_VARIANCE",
    summary: "Finds the variance of the values of a statistics object, taken as a sample.",
    details: "The divisor is the count less one. A single value gives NaN, in a window 0.0.",
    examples: &[
        example("STATS_VARIANCE(STATS_ADD(null, [1, 2, 3, 4, 5]))", "2.5"),
        example("STATS_VARIANCE(STATS_ADD(null, 7))", "NaN"),
        example("STATS_VARIANCE(STATS_ADD(STATS_INIT(5), 7))", "0.0"),
    ],
    see: &["STATS_SD", "STATS_POPULATION_VARIANCE"],
    words: &["spread", "dispersion", "sample"],
    run: |call| read(call, Figures::variance),
    ..READER
};

pub(super) const STATS_SD: FunctionSpec = FunctionSpec {
    name: "STATS_SD",
    summary: "Finds the standard deviation of the values of a statistics object, taken as a sample.",
    details: "The root of STATS_VARIANCE. Without values it is -0.0, in an empty window NaN, as in Metron.",
    examples: &[
        example("STATS_SD(STATS_ADD(null, [2, 4, 6]))", "2.0"),
        example("STATS_SD(STATS_ADD(null, 7))", "NaN"),
    ],
    see: &["STATS_VARIANCE", "STATS_MEAN", "STATS_ZSCORE"],
    words: &["sigma", "stddev", "spread", "dispersion"],
    run: |call| read(call, Figures::deviation),
    ..READER
};

pub(super) const STATS_POPULATION_VARIANCE: FunctionSpec = FunctionSpec {
    name: "STATS_POPULATION_VARIANCE",
    summary: "Finds the variance of the values of a statistics object, taken as the whole population.",
    details: "The divisor is the count itself.",
    examples: &[
        example(
            "STATS_POPULATION_VARIANCE(STATS_ADD(null, [1, 2, 3, 4, 5]))",
            "2.0",
        ),
        example(
            "STATS_POPULATION_VARIANCE(STATS_ADD(STATS_INIT(5), 7))",
            "0.0",
        ),
        example("STATS_POPULATION_VARIANCE(STATS_INIT())", "NaN"),
    ],
    see: &["STATS_VARIANCE", "STATS_SD"],
    words: &["spread", "dispersion"],
    run: |call| read(call, Figures::population_variance),
    ..READER
};

pub(super) const STATS_GEOMETRIC_MEAN: FunctionSpec = FunctionSpec {
    name: "STATS_GEOMETRIC_MEAN",
    summary: "Finds the geometric mean of the values of a statistics object.",
    details: "The mean for what grows by factors, such as sizes and rates. A negative value makes it NaN, a zero 0.0.",
    examples: &[
        example(
            "ROUND(STATS_GEOMETRIC_MEAN(STATS_ADD(null, [1, 10, 100])))",
            "10.0",
        ),
        example("STATS_GEOMETRIC_MEAN(STATS_ADD(null, [-1, 1]))", "NaN"),
        example("STATS_GEOMETRIC_MEAN(STATS_ADD(null, [0, 5]))", "0.0"),
    ],
    see: &["STATS_MEAN", "STATS_SUM_LOGS"],
    words: &["average", "growth", "product"],
    run: |call| read(call, Figures::geometric_mean),
    ..READER
};

pub(super) const STATS_QUADRATIC_MEAN: FunctionSpec = FunctionSpec {
    name: "STATS_QUADRATIC_MEAN",
    summary: "Finds the root of the mean of the squares of the values of a statistics object.",
    examples: &[
        example("STATS_QUADRATIC_MEAN(STATS_ADD(null, [1, 7]))", "5.0"),
        example("STATS_QUADRATIC_MEAN(STATS_INIT())", "NaN"),
    ],
    see: &["STATS_MEAN", "STATS_SUM_SQUARES"],
    words: &["rms", "root mean square", "average"],
    run: |call| read(call, Figures::quadratic_mean),
    ..READER
};

pub(super) const STATS_SUM_LOGS: FunctionSpec = FunctionSpec {
    name: "STATS_SUM_LOGS",
    summary: "Adds up the natural logarithms of the values of a statistics object.",
    details: "A negative value makes the sum NaN, a zero -Infinity.",
    errors: &[
        "the argument is neither a statistics object nor null",
        "the statistics have a window",
    ],
    examples: &[
        example("STATS_SUM_LOGS(STATS_ADD(null, [1, 1]))", "0.0"),
        example("STATS_SUM_LOGS(STATS_ADD(null, 0))", "-Infinity"),
        fails("STATS_SUM_LOGS(STATS_INIT(5))", "E0204"),
    ],
    see: &["STATS_GEOMETRIC_MEAN", "LN"],
    words: &["logarithm"],
    run: |call| {
        let Some(stats) = statistics(call)? else {
            return Ok(Value::Double(f64::NAN));
        };
        let sum = stats.figures().sum_of_logs();
        let message = "statistics with a window keep no sum of logarithms";
        Ok(Value::Double(
            sum.ok_or_else(|| call.wrong_value(0, message))?,
        ))
    },
    ..READER
};

pub(super) const STATS_SUM_SQUARES: FunctionSpec = FunctionSpec {
    name: "STATS_SUM_SQUARES",
    summary: "Adds up the squares of the values of a statistics object.",
    examples: &[
        example("STATS_SUM_SQUARES(STATS_ADD(null, [1, 2, 3]))", "14.0"),
        example("STATS_SUM_SQUARES(STATS_INIT())", "0.0"),
    ],
    see: &["STATS_QUADRATIC_MEAN", "STATS_SUM"],
    words: &["power"],
    run: |call| read(call, Figures::sum_of_squares),
    ..READER
};

pub(super) const STATS_KURTOSIS: FunctionSpec = FunctionSpec {
    name: "STATS_KURTOSIS",
    summary: "Says how heavy the tails are among the values of a statistics object.",
    details: "The unbiased excess kurtosis: 0 for a normal distribution, higher when few values lie far out.",
    returns: "a double; NaN for null and below four values",
    examples: &[
        example(
            "STATS_KURTOSIS(STATS_ADD(STATS_INIT(9), [1, 2, 3, 4, 100])) > 4",
            "true",
        ),
        example("STATS_KURTOSIS(STATS_ADD(null, [1, 2, 3]))", "NaN"),
    ],
    see: &["STATS_SKEWNESS", "STATS_SD"],
    words: &["peakedness", "tails", "fourth moment"],
    run: |call| read(call, Figures::kurtosis),
    ..READER
};

pub(super) const STATS_SKEWNESS: FunctionSpec = FunctionSpec {
    name: "STATS_SKEWNESS",
    summary: "Says to which side the values of a statistics object lean.",
    details: "The unbiased skewness: 0 when both sides are alike, above 0 when the long tail is on the right.",
    returns: "a double; NaN for null and below three values",
    examples: &[
        example("STATS_SKEWNESS(STATS_ADD(null, [1, 2, 3]))", "0.0"),
        example("STATS_SKEWNESS(STATS_ADD(null, [1, 2]))", "NaN"),
    ],
    see: &["STATS_KURTOSIS", "STATS_SD"],
    words: &["asymmetry", "third moment"],
    run: |call| read(call, Figures::skewness),
    ..READER
};

pub(super) const STATS_PERCENTILE: FunctionSpec = FunctionSpec {
    name: "STATS_PERCENTILE",
    summary: "Finds the value below which a given part of the values of a statistics object lies.",
    details: "The percentile goes from 0 to 100: 50 is the median, 99.9 what only one value in a thousand exceeds. \
        Between two values it is interpolated. Over all values it comes from a t-digest, exact up to 512 values or \
        170 different ones, else right to better than 1 % of the rank; in a window it is exact, by the rule p(n+1)/100.",
    parameters: &[
        STATS,
        required(
            "p",
            Kind::Number,
            "the percentile, from 0 to 100; null gives NaN",
        ),
    ],
    returns: "a double; NaN for null, without values, and when p cannot be converted to a number",
    errors: &[
        "the first argument is neither a statistics object nor null",
        "p is below 0 or above 100; in a window also when it is 0",
    ],
    examples: &[
        example("STATS_PERCENTILE(STATS_ADD(null, [1, 2, 3, 4]), 50)", "2.5"),
        example(
            "STATS_PERCENTILE(STATS_ADD(null, [10, 20, 30]), 100)",
            "30.0",
        ),
        example(
            "STATS_PERCENTILE(STATS_ADD(STATS_INIT(9), [1, 2, 3, 4]), 25)",
            "1.25",
        ),
        fails("STATS_PERCENTILE(STATS_INIT(), 101)", "E0204"),
    ],
    see: &["STATS_BIN", "STATS_MEAN", "OUTLIER_MAD_SCORE"],
    words: &["quantile", "median", "p95", "p99", "quartile", "t-digest"],
    run: |call| {
        let stats = statistics(call)?;
        let (Some(stats), Some(p)) = (stats, convert::to_double(call.arg(1))) else {
            return Ok(Value::Double(f64::NAN));
        };
        let found = stats.figures().percentile(p);
        Ok(Value::Double(
            found.map_err(|bad| out_of_range(call, 1, p, bad))?,
        ))
    },
    ..READER
};

pub(super) const STATS_ZSCORE: FunctionSpec = FunctionSpec {
    name: "STATS_ZSCORE",
    summary: "Says how many standard deviations a value lies from the mean of a statistics object.",
    details: "Positive above the mean, negative below it; beyond 3 on either side is commonly taken for unusual. \
        Few extreme values move mean and deviation far: OUTLIER_MAD_SCORE is more robust. Not in Metron.",
    parameters: &[
        STATS,
        required("value", Kind::Number, "the value to judge, or null"),
    ],
    returns: "a double; NaN for null, for a value that is no number and for fewer than two values; \
        when all values are the same, NaN for their mean and an infinity for anything else",
    examples: &[
        example("STATS_ZSCORE(STATS_ADD(null, [2, 4, 6]), 10)", "3.0"),
        example("STATS_ZSCORE(STATS_ADD(null, [2, 4, 6]), 4)", "0.0"),
        example("STATS_ZSCORE(STATS_ADD(null, [5, 5]), 6)", "Infinity"),
        example("STATS_ZSCORE(null, 4)", "NaN"),
        fails("STATS_ZSCORE(4, 4)", "E0203"),
    ],
    see: &["STATS_SD", "STATS_MEAN", "OUTLIER_MAD_SCORE"],
    words: &["standard score", "outlier", "anomaly", "sigma"],
    run: |call| {
        let stats = statistics(call)?;
        let (Some(stats), Some(value)) = (stats, convert::to_double(call.arg(1))) else {
            return Ok(Value::Double(f64::NAN));
        };
        let figures = stats.figures();
        Ok(Value::Double(
            (value - figures.mean()) / figures.deviation(),
        ))
    },
    ..READER
};

/// A figure of the first argument; NaN for null.
fn read(call: &Call<'_, '_>, figure: fn(&Figures) -> f64) -> Outcome<Value> {
    let stats = statistics(call)?;
    Ok(Value::Double(
        stats.map_or(f64::NAN, |stats| figure(&stats.figures())),
    ))
}

/// The error for a percentile that the statistics do not know.
#[cold]
pub(super) fn out_of_range(
    call: &Call<'_, '_>,
    index: usize,
    p: f64,
    bad: OutOfRange,
) -> crate::diagnostic::Fault {
    let p = crate::eval::text::to_text(&Value::Double(p));
    call.wrong_value(
        index,
        format!("a percentile must be {}, not {p}", bad.allowed),
    )
}
