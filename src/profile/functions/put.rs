//! PROFILE_PUT: writes measurements.

use super::lints;
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use crate::profile::client;
use crate::profile::measurement::Measurement;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[PROFILE_PUT];

const PROFILE_PUT: FunctionSpec = FunctionSpec {
    name: "PROFILE_PUT",
    guarded: true,
    family: Family::Profiler,
    summary: "Stores measurements, so that PROFILE_GET finds them.",
    details: "It takes what PROFILER_FLUSH gives: a list of maps with the entries profile, entity, period (a map with period and \
        duration) and value, and, if they are wanted, groups and expires (a number of days). \
        A measurement of the same profile, entity, groups and period is replaced. All are stored, or none. \
        The overrides are profiler.client.hbase.table, profiler.client.hbase.column.family and profiler.client.salt.divisor; \
        PROFILE_GET must be given the same.",
    parameters: &[
        required("measurements", Kind::List, "a list of maps, or one map"),
        default(
            "config_overrides",
            Kind::Map,
            "settings for this call",
            "{}",
        ),
    ],
    returns: "how many were stored",
    errors: &[
        "the measurements are no maps, or lack an entry",
        "the overrides are neither a map nor null",
        "a value cannot be stored, such as a lambda",
        "the store cannot be written",
    ],
    examples: &[
        example("PROFILE_PUT([])", "0"),
        fails(
            "PROFILE_PUT([{'profile': 'logins', 'entity': 'alice', 'value': 3}])",
            "E0204",
        ),
        fails("PROFILE_PUT('logins')", "E0203"),
    ],
    see: &["PROFILE_GET", "PROFILE_FIXED"],
    words: &["write", "save", "persist", "store", "baseline"],
    pure: false,
    lint: Some(lints::put),
    run: put,
    ..SPEC
};

fn put(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let wanted = "a list of maps, as PROFILER_FLUSH gives it,";
    let items = match call.arg(0) {
        Value::List(list) => list.items(),
        map @ Value::Map(_) => vec![map.clone()],
        _ => return Err(call.wrong_type(0, wanted)),
    };
    let overrides = match call.arg(1) {
        Value::Null => None,
        Value::Map(map) => Some(map.clone()),
        _ => return Err(call.wrong_type(1, "a map")),
    };
    let place = client::place(call.context(), overrides.as_ref())?;
    let mut measurements = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        call.step()?;
        let Value::Map(map) = item else {
            return Err(call
                .wrong_type(0, wanted)
                .note(format!("it holds {}", item.kind_in_words())));
        };
        let measurement = Measurement::from_map(map).map_err(|fault| {
            let number = index + 1;
            fault
                .note(format!("it is number {number} of the list"))
                .of_argument(0)
        })?;
        measurements.push(measurement);
    }
    super::store(call, &place, &measurements)?;
    let count = measurements.len();
    Ok(i32::try_from(count).map_or(Value::Long(count as i64), Value::Int))
}
