//! FORMAT: Java's format strings.

use super::super::spec::{FunctionSpec, Kind, SPEC, example, fails, repeated, required};
use super::A_STRING;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::{ListKind, MapKind};
use crate::eval::hash_code::{Known, hash_code};
use crate::eval::java::date_format::{DateFields, Locale, Pattern, Zone};
use crate::eval::java::formatter::{self, Arg, Format, FormatError};
use crate::eval::text::{check_length, to_text_within};
use crate::eval::{Call, Context, Prepared, Value, convert};
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::sync::{Arc, LazyLock};

pub(super) const FORMAT: FunctionSpec = FunctionSpec {
    name: "FORMAT",
    summary: "Fills values into a format string, by the rules of Java's String.format.",
    details: "%s takes any value, %d a whole number, %f, %e and %g a float or double, %x a whole number in hexadecimal, \
              %b a boolean, %c a character or its number, %tY and its like a long of milliseconds as a date in the zone configured; \
              %n is a line end, %% a percent sign. Between % and the letter may stand the number of the argument (2$), \
              flags (- , + 0 #), a width, and a precision (.3). \
              Numbers are not converted: %d refuses 1.0, and %f refuses 1. Null prints as null. \
              Values that no part asks for are ignored.",
    parameters: &[
        required(
            "format",
            Kind::Text,
            "the format string; anything else is turned into text",
        ),
        repeated("values", Kind::Any, "the values to fill in"),
    ],
    returns: "the text",
    errors: &[
        "the format string is malformed or null",
        "a value is missing, or of a type that its place does not take",
        "the text would be longer than allowed",
    ],
    examples: &[
        example("FORMAT('%s has %d items', 'cart', 3)", "cart has 3 items"),
        example("FORMAT('%2$s-%1$s', 'a', 'b')", "b-a"),
        example(
            "FORMAT('%.1f%% of %,d', 12.34, 1000000)",
            "12.3% of 1,000,000",
        ),
        example("FORMAT('%05d|%-5s|%x', 42, 'ab', 255)", "00042|ab   |ff"),
        example("FORMAT('%1$tY-%1$tm-%1$td', 1472127000000L)", "2016-08-25"),
        example("FORMAT('%d', null)", "null"),
        fails("FORMAT('%d', 1.5)", "E0211"),
        fails("FORMAT('%s %s', 'one')", "E0211"),
    ],
    see: &["TO_STRING", "FILL_LEFT", "DATE_FORMAT", "JOIN", "ROUND"],
    words: &[
        "printf",
        "sprintf",
        "template",
        "hexadecimal",
        "decimals",
        "interpolation",
    ],
    // Dates depend on the zone.
    pure: false,
    prepare: Some(prepare),
    run: format,
    ..SPEC
};

fn prepare(arguments: &[Option<&Value>], _context: &Context) -> Outcome<Option<Prepared>> {
    let Some(Some(pattern)) = arguments.first() else {
        return Ok(None);
    };
    let Some(pattern) = convert::to_string(pattern) else {
        return Ok(None);
    };
    let format = Format::compile(&pattern).map_err(bad_format)?;
    Ok(Some(Arc::new(format)))
}

fn format(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if let Some(format) = call.prepared::<Format>() {
        return apply(call, format);
    }
    match convert::to_string(call.arg(0)) {
        Some(pattern) => apply(call, &Format::compile(&pattern).map_err(bad_format)?),
        None => Err(call.wrong_type(0, A_STRING)),
    }
}

fn apply(call: &Call<'_, '_>, format: &Format) -> Outcome<Value> {
    let context = call.context();
    let limit = context.limits.string;
    let values = call.arguments.get(1..).unwrap_or_default();
    let mut texts: SmallVec<[SmolStr; 4]> = SmallVec::new();
    for value in values {
        texts.push(match value {
            Value::List(_)
            | Value::Map(_)
            | Value::Set(_)
            | Value::Lambda(_)
            | Value::Object(_) => to_text_within(value, limit)?,
            _ => SmolStr::default(),
        });
    }
    let arguments: SmallVec<[Arg<'_>; 4]> = values
        .iter()
        .zip(&texts)
        .map(|(value, text)| argument(value, text))
        .collect();
    let dates = |millis| fields(millis, &context.zone, &context.locale);
    match format.apply(&arguments, &dates, limit) {
        Ok(text) => Ok(Value::string(text)),
        Err(error) if error.class == "OutOfMemoryError" => {
            check_length(usize::MAX, limit)?;
            Err(bad_format(error))
        }
        Err(error) => Err(bad_format(error)),
    }
}

/// A value as Java's formatter sees it; `text` is its text where it is none of the basic types.
fn argument<'v>(value: &'v Value, text: &'v str) -> Arg<'v> {
    match value {
        Value::Null => Arg::Null,
        Value::Bool(b) => Arg::Bool(*b),
        Value::Int(n) => Arg::Int(*n),
        Value::Long(n) => Arg::Long(*n),
        Value::Big(n) => Arg::BigInt(n),
        Value::Float(x) => Arg::Float(*x),
        Value::Double(x) => Arg::Double(*x),
        Value::Char(unit) => Arg::Char(*unit),
        Value::Text(text) => Arg::Str(text),
        other => Arg::Other {
            text,
            class: class_name(other),
            hash: hash_code(other, &mut Known::default()),
        },
    }
}

/// The Java class of a value that is none of the basic types.
fn class_name(value: &Value) -> &'static str {
    match value {
        Value::List(list) => match list.kind() {
            ListKind::Linked => "java.util.LinkedList",
            ListKind::Array => "java.util.ArrayList",
        },
        Value::Map(map) => match map.kind() {
            MapKind::Hash => "java.util.HashMap",
            MapKind::Ordered | MapKind::View => "java.util.LinkedHashMap",
        },
        Value::Set(_) => "java.util.LinkedHashSet",
        other => other.type_name(),
    }
}

/// The calendar fields of an instant in the zone of the context.
fn fields(millis: i64, zone: &Zone, locale: &Locale) -> formatter::DateFields {
    static ZONE_NAME: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::compile("z").ok());
    let fields = DateFields::at(millis, zone, locale);
    let small = |n: i32| u32::try_from(n).unwrap_or(0);
    formatter::DateFields {
        epoch_millis: millis,
        year: i64::from(fields.year()),
        month: small(fields.month() + 1),
        day: small(fields.day_of_month()),
        day_of_year: small(fields.day_of_year()),
        weekday: small(fields.day_of_week() - 1),
        hour: small(fields.hour_of_day()),
        minute: small(fields.minute()),
        second: small(fields.second()),
        millis: small(fields.millisecond()),
        offset_millis: zone.offset_millis(millis),
        zone: ZONE_NAME
            .as_ref()
            .map_or_else(String::new, |name| name.format(millis, zone, locale)),
    }
}

/// Java's words, and what to do about them.
#[cold]
fn bad_format(error: FormatError) -> Fault {
    let help = match error.class {
        "IllegalFormatConversionException" => {
            "%d and %x take an integer or a long, %f, %e and %g a float or a double, %t a long, %s any value"
        }
        "MissingFormatArgumentException" => "the format asks for more values than were given",
        "UnknownFormatConversionException" => "write %% for a percent sign",
        "MissingFormatWidthException" => "the flags - and 0 need a width, such as %-8s or %05d",
        _ => "",
    };
    let fault = Diagnostic::new(Code::BadFormat, format!("FORMAT: {error}")).of_argument(0);
    if help.is_empty() {
        fault
    } else {
        fault.help(help)
    }
}
