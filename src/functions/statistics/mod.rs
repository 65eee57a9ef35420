//! Statistics over many numbers, in constant memory or over a window.

mod bins;
pub mod digest;
mod entropy;
mod histogram;
mod make;
pub mod object;
pub mod online;
pub mod outlier;
mod read;
pub mod sample;
pub mod window;

use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};
use crate::functions::spec::{FunctionSpec, Kind, Parameter, required};
pub use histogram::histogram_of;
pub use object::Statistics;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    make::STATS_INIT,
    make::STATS_ADD,
    make::STATS_MERGE,
    read::STATS_COUNT,
    read::STATS_SUM,
    read::STATS_MEAN,
    read::STATS_MIN,
    read::STATS_MAX,
    read::STATS_VARIANCE,
    read::STATS_SD,
    read::STATS_POPULATION_VARIANCE,
    read::STATS_GEOMETRIC_MEAN,
    read::STATS_QUADRATIC_MEAN,
    read::STATS_SUM_LOGS,
    read::STATS_SUM_SQUARES,
    read::STATS_KURTOSIS,
    read::STATS_SKEWNESS,
    read::STATS_PERCENTILE,
    read::STATS_ZSCORE,
    bins::STATS_BIN,
    bins::BIN,
    entropy::IT_ENTROPY,
    outlier::OUTLIER_MAD_STATE_MERGE,
    outlier::OUTLIER_MAD_ADD,
    outlier::OUTLIER_MAD_SCORE,
    sample::SAMPLE_INIT,
    sample::SAMPLE_ADD,
    sample::SAMPLE_GET,
    sample::SAMPLE_MERGE,
];

/// The parameter that every reader has.
const STATS: Parameter = required(
    "stats",
    Kind::Object("Statistics"),
    "a statistics object, or null",
);

/// The first argument as a statistics object; `None` for null.
fn statistics<'a>(call: &'a Call<'_, '_>) -> Outcome<Option<&'a Statistics>> {
    match call.arg(0) {
        Value::Null => Ok(None),
        value => match value.as_object() {
            Some(statistics) => Ok(Some(statistics)),
            None => Err(call.wrong_type(0, "a statistics object (STATS_INIT makes one)")),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
