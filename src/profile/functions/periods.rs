//! PROFILE_FIXED and PROFILE_WINDOW: which periods of a profile are meant.

use super::lints;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::drawing::spans::Spans;
use crate::eval::collections::Map;
use crate::eval::convert::{to_long, to_string};
use crate::eval::text::to_text;
use crate::eval::{Call, Context, Notes, Prepared, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use crate::profile::client;
use crate::profile::period::{self, Period};
use crate::profile::window::{self, Lint, Setting, Window};
use std::sync::Arc;
use std::time::Instant;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[PROFILE_FIXED, PROFILE_WINDOW];

const OVERRIDES: &str = "settings for this call: profiler.client.period.duration and \
    profiler.client.period.duration.units; others are passed over";

const OF_WINDOWS: &str = "settings for this call: profiler.client.period.duration, \
    profiler.client.period.duration.units, profiler.holidays.edition; others are passed over";

const PROFILE_FIXED: FunctionSpec = FunctionSpec {
    name: "PROFILE_FIXED",
    family: Family::Profiler,
    summary: "Gives the profile periods from some time ago up to now.",
    details: "From the period that holds the older end to the one that holds now, both included: one hour in periods of \
        15 minutes gives five. The length of a period is profiler.client.period.duration (15) in \
        profiler.client.period.duration.units (MINUTES), and must be that under which the profile was written.",
    parameters: &[
        required(
            "duration",
            Kind::Integer,
            "how long ago; anything that converts to a long",
        ),
        required(
            "units",
            Kind::Text,
            "the unit: NANOSECONDS, MICROSECONDS, MILLISECONDS, SECONDS, MINUTES, HOURS or DAYS",
        ),
        default("config_overrides", Kind::Map, OVERRIDES, "{}"),
    ],
    returns: "a list of periods, the oldest first",
    errors: &[
        "the duration converts to no long",
        "a unit is none of those names, in capitals",
        "the overrides are neither a map nor null",
        "the length of a period is less than a millisecond",
    ],
    examples: &[
        example("LENGTH(PROFILE_FIXED(1, 'HOURS'))", "5"),
        example("LENGTH(PROFILE_FIXED('0', 'DAYS'))", "1"),
        example(
            "LENGTH(PROFILE_FIXED(2, 'DAYS', {'profiler.client.period.duration': 1, 'profiler.client.period.duration.units': 'DAYS'}))",
            "3",
        ),
        fails("PROFILE_FIXED(1, 'hours')", "E0204"),
        fails("PROFILE_FIXED('x', 'HOURS')", "E0203"),
    ],
    see: &["PROFILE_GET", "PROFILE_WINDOW"],
    words: &["lookback", "history", "time range", "baseline"],
    pure: false,
    lint: Some(lints::fixed),
    run: fixed,
    ..SPEC
};

const PROFILE_WINDOW: FunctionSpec = FunctionSpec {
    name: "PROFILE_WINDOW",
    family: Family::Profiler,
    summary: "Gives the profile periods that a selector such as '1 hour window every 24 hours from 7 days ago' picks.",
    details: "A selector has one of the forms `LENGTH window including DAYS excluding DAYS` (the last LENGTH), \
        `LENGTH window every LENGTH from LENGTH ago to LENGTH ago including DAYS excluding DAYS`, \
        `LENGTH window from LENGTH ago` (one, at the older end) and `from LENGTH ago to LENGTH ago`. \
        A LENGTH is a whole number of seconds, minutes, hours or days of 24 hours; from and to may change places; \
        without to all ends now. Windows are laid from the older end forwards, and one that does not fit wholly is dropped. \
        DAYS are names of weekdays, weekdays, weekends, this (or current) day of the week, date:2017/12/25, \
        date:20171225:yyyyMMdd, holidays (of the session's country), holidays:us, holidays:us:ny:nyc, with commas between; \
        they ask on which day a window begins in the session's zone, and excluding wins over including. \
        A period is picked when it begins inside of a window, both ends included. \
        Holidays are those that Metron knows, unless profiler.holidays.edition is 'current'. \
        The second argument counts as now when it is a number, and as the overrides when it is a map and there is no third.",
    parameters: &[
        required("selector", Kind::Text, "which windows"),
        default(
            "now",
            Kind::Number,
            "the moment that counts as now, in milliseconds since 1970",
            "now",
        ),
        default("config_overrides", Kind::Map, OF_WINDOWS, "{}"),
    ],
    returns: "a list of periods, the oldest first, each once",
    errors: &[
        "the selector is malformed",
        "the third argument is neither a map nor null",
        "the length of a period is less than a millisecond, or its unit is unknown",
        "the span begins before 1970",
        "holidays without a country, in a locale that has none",
    ],
    examples: &[
        example(
            "PROFILE_WINDOW('1 minute', 1502665200000L)",
            "[ProfilePeriod{period=1669628, durationMillis=900000, startTime=2017-08-13T23:00:00Z, endTime=2017-08-13T23:15:00Z}]",
        ),
        example(
            "LENGTH(PROFILE_WINDOW('from 2 hours ago to 30 minutes ago', 1514289600000L))",
            "7",
        ),
        example(
            "LENGTH(PROFILE_WINDOW('1 hour window every 24 hours starting from 14 days ago including the current day of the week excluding weekends, holidays:us', 1514289600000L))",
            "10",
        ),
        example(
            "LENGTH(PROFILE_WINDOW('1 hour', 1502665200000L, {'profiler.client.period.duration': 1}))",
            "61",
        ),
        fails("PROFILE_WINDOW('1 week')", "E0221"),
        fails("PROFILE_WINDOW('1 hour', 0)", "E0204"),
    ],
    see: &["PROFILE_FIXED", "PROFILE_GET"],
    words: &[
        "seasonal",
        "holiday",
        "weekend",
        "lookback",
        "baseline",
        "same day last week",
    ],
    pure: false,
    prepare: Some(|arguments, _| match arguments.first() {
        Some(Some(Value::Text(text))) => {
            let window = window::window(text).map_err(|fault| in_argument(*fault))?;
            Ok(Some(window as Prepared))
        }
        _ => Ok(None),
    }),
    lint: Some(lints::window),
    run: window,
    ..SPEC
};

/// What a selector means now, with the settings of a context, in lines of `width` characters; quotation marks around
/// the selector are taken off. Errors: as PROFILE_WINDOW, with the place in the selector.
pub fn explain_window(context: &Context, selector: &str, width: usize) -> Outcome<String> {
    let duration = client::period_duration(context, None)?;
    with_setting(context, |setting| {
        window::explain(unquoted(selector), setting, duration, width)
    })
}

/// The same as a picture. Errors: as [`explain_window`].
pub fn draw_window(context: &Context, selector: &str) -> Outcome<Spans> {
    let duration = client::period_duration(context, None)?;
    with_setting(context, |setting| {
        window::picture(unquoted(selector), setting, duration)
    })
}

/// What is legal in a selector and hardly meant, with the settings of a context. Errors: as [`explain_window`].
pub fn lint_window(context: &Context, selector: &str) -> Outcome<Vec<Lint>> {
    let window = window::window(unquoted(selector))?;
    with_setting(context, |setting| Ok(window.lints(setting)))
}

pub(super) fn with_setting<T>(
    context: &Context,
    work: impl FnOnce(&Setting<'_>) -> Outcome<T>,
) -> Outcome<T> {
    let (started, time) = (Instant::now(), context.limits.time);
    let step = || {
        if !time.is_zero() && started.elapsed() > time {
            return Err(Diagnostic::new(Code::Timeout, "the selector took too long"));
        }
        context.check_cancelled()
    };
    let setting = Setting {
        edition: client::edition(context, None)?,
        most: context.limits.collection,
        step: &step,
        ..Setting::new(context.clock.now(), &context.zone, &context.locale)
    };
    work(&setting)
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |mark| text.strip_prefix(mark)?.strip_suffix(mark);
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}

/// A fault with its place in a selector becomes one of the first argument that shows the selector too.
fn in_argument(fault: Diagnostic) -> Fault {
    let mut fault = Box::new(fault);
    let source = fault.source.take();
    if let (Some(source), Some(span)) = (source, fault.span.take()) {
        let place = source.position(span.start);
        fault.message = format!(
            "the selector is malformed: {} (at its character {})",
            fault.message, place.column
        );
        let label = std::mem::take(&mut fault.label);
        fault = fault.also_in(source, span, label);
    }
    fault.of_argument(0)
}

/// The overrides at `index`: null is none. Errors: E0203.
fn overrides(call: &Call<'_, '_>, index: usize) -> Outcome<Option<Map>> {
    match call.arg(index) {
        Value::Null => Ok(None),
        Value::Map(map) => Ok(Some(map.clone())),
        _ => Err(call.wrong_type(index, "a map")),
    }
}

fn list(numbers: impl Iterator<Item = i64>, duration: i64) -> Value {
    let period = |number| Value::Object(Arc::new(Period { number, duration }));
    Value::from(numbers.map(period).collect::<Vec<_>>())
}

fn fixed(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let overrides = overrides(call, 2)?;
    unknown(call, overrides.as_ref(), lints::OF_FIXED);
    let periods = ago(call, 0, 1, overrides.as_ref())?;
    let object = |period| Value::Object(Arc::new(period));
    Ok(Value::from(
        periods.into_iter().map(object).collect::<Vec<_>>(),
    ))
}

/// The periods from the time ago that stands in the arguments `count` and `unit` up to now.
pub(super) fn ago(
    call: &Call<'_, '_>,
    count: usize,
    unit: usize,
    overrides: Option<&Map>,
) -> Outcome<Vec<Period>> {
    let Some(length) = to_long(call.arg(count)) else {
        return Err(call.wrong_type(count, "a number"));
    };
    let Some(name) = to_string(call.arg(unit)) else {
        return Err(call.wrong_type(unit, "a string"));
    };
    let ago = client::to_millis(length, &name).map_err(|fault| fault.of_argument(unit))?;
    let context = call.context();
    let duration = client::period_duration(context, overrides)?;
    let end = context.clock.now();
    let first = end.saturating_sub(ago) / duration;
    // The quotient is cut towards zero, and only numbers behind the first are looked at for being negative.
    let starts = |number: i64| i128::from(number) * i128::from(duration) <= i128::from(end);
    if !starts(first) {
        return Ok(Vec::new());
    }
    if first < -1 {
        return Err(period::negative(first + 1).of_argument(count));
    }
    let last = (end.div_euclid(duration)).max(first);
    let most = context.limits.collection;
    if usize::try_from(last - first).map_or(true, |count| count >= most) {
        let message = format!("{}: there would be more than {most} periods", call.name);
        return Err(Diagnostic::new(Code::CollectionSize, message).of_argument(count));
    }
    Ok((first..=last)
        .map(|number| Period { number, duration })
        .collect())
}

/// Leaves a note about overrides that a function does not know, unless a lint has said so.
fn unknown(call: &Call<'_, '_>, overrides: Option<&Map>, known: &[&str]) {
    let (Some(map), Some(notes)) = (overrides, call.context().services.get::<Notes>()) else {
        return;
    };
    for (key, _) in map.entries() {
        let key = to_text(&key);
        if !known.contains(&key.as_str()) {
            let (message, hint) = lints::passed_over(call.name, &key, known);
            notes.say_once(format!("{message}; {hint}"));
        }
    }
}

fn window(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let at = match (call.arg(1), call.arg(2)) {
        (Value::Map(_), Value::Null) => 1,
        _ => 2,
    };
    let overrides = overrides(call, at)?;
    unknown(call, overrides.as_ref(), lints::OF_WINDOW);
    let context = call.context();
    let now = match call.arg(1) {
        number if number.is_number() => to_long(number),
        _ => None,
    };
    let duration = client::period_duration(context, overrides.as_ref())?;
    let setting = Setting {
        edition: client::edition(context, overrides.as_ref())?,
        most: context.limits.collection,
        step: &|| call.step(),
        ..Setting::new(
            now.unwrap_or_else(|| context.clock.now()),
            &context.zone,
            &context.locale,
        )
    };
    let made;
    let window: &Window = match call.prepared::<Window>() {
        Some(window) => window,
        None => {
            let Some(text) = to_string(call.arg(0)) else {
                return Err(call.wrong_type(0, "a string"));
            };
            made = window::window(&text).map_err(|fault| in_argument(*fault))?;
            &made
        }
    };
    let periods = window
        .periods(&setting, duration)
        .map_err(|fault| in_argument(*fault))?;
    Ok(list(periods.into_iter(), duration))
}
