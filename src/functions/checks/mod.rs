//! Whether a value is of some form.

mod names;
#[cfg(test)]
mod tests;

use super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, optional, repeated};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::java::date_format::{ParseContext, Pattern};
use crate::eval::java::numbers::is_integer_locale;
use crate::eval::text::to_text_within;
use crate::eval::{Call, Context, Prepared, Value};
use std::sync::Arc;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    IS_DATE,
    IS_INTEGER,
    names::IS_DOMAIN,
    names::IS_EMAIL,
    names::IS_IP,
    names::IS_URL,
];

const IS_DATE: FunctionSpec = FunctionSpec {
    name: "IS_DATE",
    family: Family::Checks,
    summary: "Tells whether a text begins with a date of some form.",
    details: "The format is one of Java's SimpleDateFormat, such as yyyy-MM-dd HH:mm:ss. \
              The date must exist: the 29th of February only in leap years. \
              Numbers may have fewer digits than the format shows letters, and what follows the date is ignored.",
    parameters: &[
        optional("date", Kind::Text, "the text; other values by their text"),
        optional("format", Kind::Text, "the format of the date"),
    ],
    returns: "true or false; false when either is null or left out",
    errors: &["the format has a letter without a meaning or an unclosed quotation"],
    examples: &[
        example("IS_DATE('2020-02-29', 'yyyy-MM-dd')", "true"),
        example("IS_DATE('2021-02-29', 'yyyy-MM-dd')", "false"),
        example("IS_DATE('2020-1-1 and more', 'yyyy-MM-dd')", "true"),
        example("IS_DATE(null, 'yyyy')", "false"),
        fails("IS_DATE('2020', 'bbbb')", "E0210"),
    ],
    see: &["TO_EPOCH_TIMESTAMP", "DATE_FORMAT", "IS_INTEGER"],
    words: &["timestamp", "validate", "calendar"],
    // Which local times exist depends on the zone, two-digit years on the present.
    pure: false,
    prepare: Some(prepare_format),
    run: is_date,
    ..SPEC
};

const IS_INTEGER: FunctionSpec = FunctionSpec {
    name: "IS_INTEGER",
    family: Family::Checks,
    summary: "Tells whether all values read as whole numbers.",
    details: "The text of each value counts. Commas between digits, blanks around the number and a minus are allowed, \
              and it may be larger than any number type; a plus, a fraction and 1e3 are not. NaN passes.",
    parameters: &[repeated("values", Kind::Any, "the values to check")],
    returns: "true when there is at least one value, none is null and all are whole numbers, else false",
    examples: &[
        example("IS_INTEGER('-42')", "true"),
        example("IS_INTEGER('1,000', ' 7 ', 99999999999L)", "true"),
        example("IS_INTEGER('1.0')", "false"),
        example("IS_INTEGER('1', null)", "false"),
        example("IS_INTEGER()", "false"),
    ],
    see: &["TO_INTEGER", "IS_DATE", "IS_NAN"],
    words: &["number", "numeric", "digits", "validate"],
    run: |call| {
        let limit = call.context().limits.string;
        for value in &call.arguments {
            let whole = match value {
                Value::Null => false,
                Value::Int(_) | Value::Long(_) | Value::Big(_) => true,
                other => is_integer_locale(&to_text_within(other, limit)?),
            };
            if !whole {
                return Ok(Value::Bool(false));
            }
        }
        Ok(Value::Bool(call.count() > 0))
    },
    ..SPEC
};

fn prepare_format(arguments: &[Option<&Value>], _context: &Context) -> Outcome<Option<Prepared>> {
    match arguments.get(1) {
        Some(Some(Value::Text(format))) => Ok(Some(Arc::new(compiled(format)?))),
        _ => Ok(None),
    }
}

/// A date format. Errors: E0210.
fn compiled(format: &str) -> Outcome<Pattern> {
    Pattern::compile(format).map_err(|error| {
        let message = format!("IS_DATE: {}", error.message);
        Diagnostic::new(Code::BadDatePattern, message)
            .of_argument(1)
            .help("letters are those of SimpleDateFormat, such as yyyy-MM-dd HH:mm:ss; put plain words in single quotes")
    })
}

fn is_date(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (date, format) = (call.arg(0), call.arg(1));
    if date.is_null() || format.is_null() {
        return Ok(Value::Bool(false));
    }
    let context = call.context();
    let limit = context.limits.string;
    let date = to_text_within(date, limit)?;
    let read = |pattern: &Pattern| {
        let reading = ParseContext {
            zone: &context.zone,
            default_zone: &context.zone,
            locale: &context.locale,
            lenient: false,
            now_millis: context.clock.now(),
        };
        pattern.parse(&date, &reading).is_some()
    };
    let is_date = match call.prepared::<Pattern>() {
        Some(pattern) => read(pattern),
        None => read(&compiled(&to_text_within(format, limit)?)?),
    };
    // Java refuses a match of nothing at all.
    let nothing = matches!(format, Value::Text(format) if format.is_empty());
    Ok(Value::Bool(is_date && !nothing))
}
