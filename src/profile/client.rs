//! The settings under which profiles are read: those of a call, then the global ones, then the defaults.

use super::holidays::Edition;
use super::store::Place;
use crate::diagnostic::{Code, Diagnostic, Outcome, nearest, quoted_list};
use crate::eval::collections::Map;
use crate::eval::convert::{to_int, to_long, to_string};
use crate::eval::{Context, Value};

/// How long a period is.
pub const DURATION: &str = "profiler.client.period.duration";
/// In which unit.
pub const UNITS: &str = "profiler.client.period.duration.units";
/// In which table measurements lie.
pub const TABLE: &str = "profiler.client.hbase.table";
/// In which of its column families.
pub const FAMILY: &str = "profiler.client.hbase.column.family";
/// What salts are remainders of.
pub const DIVISOR: &str = "profiler.client.salt.divisor";
/// What stands for a measurement that is not there.
pub const DEFAULT: &str = "profiler.default.value";
/// The Java class that opens tables of HBase; it has no meaning here.
pub const PROVIDER: &str = "hbase.provider.impl";

/// The first value of a setting that `read` understands: that of the call, then the global one. As in the original a
/// value of the wrong type counts as none.
pub fn setting<T>(
    context: &Context,
    overrides: Option<&Map>,
    key: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    let of_call = overrides.and_then(|map| map.get_text(key));
    of_call
        .and_then(|value| read(&value))
        .or_else(|| read(context.globals.read().get(key)?))
}

/// The names of Java's units of time, with their nanoseconds.
const TIME_UNITS: [(&str, i64); 7] = [
    ("NANOSECONDS", 1),
    ("MICROSECONDS", 1_000),
    ("MILLISECONDS", 1_000_000),
    ("SECONDS", 1_000_000_000),
    ("MINUTES", 60_000_000_000),
    ("HOURS", 3_600_000_000_000),
    ("DAYS", 86_400_000_000_000),
];

/// So many units in milliseconds, cut, and beyond 64 bits the nearest number. Errors: E0204 for a name that is no
/// unit.
pub fn to_millis(count: i64, unit: &str) -> Outcome<i64> {
    let Some((_, nanos)) = TIME_UNITS.iter().find(|(name, _)| *name == unit) else {
        let names = TIME_UNITS.map(|(name, _)| name);
        let fault = Diagnostic::new(Code::ArgumentValue, format!("{unit} is no unit of time"));
        return Err(match nearest(unit, names) {
            Some(near) => fault.help(format!("did you mean {near}?")),
            None => fault.help(format!("write {}", quoted_list(&names))),
        });
    };
    let millis = i128::from(count) * i128::from(*nanos) / 1_000_000;
    Ok(i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX }))
}

/// The length of a period in milliseconds unless something else is set.
pub const QUARTER: i64 = 900_000;

/// The length of a period in milliseconds. Errors: E0204 for an unknown unit and for a length of nothing.
pub fn period_duration(context: &Context, overrides: Option<&Map>) -> Outcome<i64> {
    let count = setting(context, overrides, DURATION, to_long).unwrap_or(15);
    let unit = setting(context, overrides, UNITS, to_string);
    let unit = unit.as_deref().unwrap_or("MINUTES");
    let millis =
        to_millis(count, unit).map_err(|fault| fault.note(format!("it is the setting {UNITS}")))?;
    if millis < 1 {
        let message = format!("a period must be longer than {count} {unit}");
        return Err(Diagnostic::new(Code::ArgumentValue, message).note(format!(
            "it is the setting {DURATION}, in whole milliseconds at least 1"
        )));
    }
    Ok(millis)
}

/// Where measurements are read and written. Errors: E0204 for a divisor of 0.
pub fn place(context: &Context, overrides: Option<&Map>) -> Outcome<Place> {
    let usual = Place::default();
    let divisor = setting(context, overrides, DIVISOR, to_int).unwrap_or(usual.divisor);
    if divisor == 0 {
        let message = format!("{DIVISOR} is 0: nothing can be divided by that");
        return Err(Diagnostic::new(Code::ArgumentValue, message));
    }
    Ok(Place {
        table: setting(context, overrides, TABLE, to_string).unwrap_or(usual.table),
        family: setting(context, overrides, FAMILY, to_string).unwrap_or(usual.family),
        divisor,
    })
}

/// What stands for a measurement that is not there; `None`: nothing does.
pub fn default_value(context: &Context, overrides: Option<&Map>) -> Option<Value> {
    setting(context, overrides, DEFAULT, |value| {
        (!value.is_null()).then(|| value.clone())
    })
}

/// The edition of holidays that counts. Errors: E0204 for an unknown one.
pub fn edition(context: &Context, overrides: Option<&Map>) -> Outcome<Edition> {
    let Some(name) = setting(context, overrides, Edition::KEY, to_string) else {
        return Ok(Edition::default());
    };
    Edition::parse(&name).ok_or_else(|| {
        let fault = Diagnostic::new(
            Code::ArgumentValue,
            format!(
                "{} is {name}, which is no edition of holidays",
                Edition::KEY
            ),
        );
        fault.help(format!("write {}", quoted_list(&Edition::NAMES)))
    })
}
