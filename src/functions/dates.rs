//! Dates and times.

use super::spec::{Family, FunctionSpec, Kind, Parameter, SPEC, default, example, fails, required};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::convert::to_long;
use crate::eval::java::date_format::{DateFields, ParseContext, Pattern, PatternError, Zone};
use crate::eval::text::{check_length, to_text, to_text_within};
use crate::eval::{Call, Context, Prepared, Value};
use std::sync::Arc;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    TO_EPOCH_TIMESTAMP,
    DATE_FORMAT,
    DAY_OF_WEEK,
    DAY_OF_MONTH,
    DAY_OF_YEAR,
    WEEK_OF_MONTH,
    WEEK_OF_YEAR,
    MONTH,
    YEAR,
];

const TO_EPOCH_TIMESTAMP: FunctionSpec = FunctionSpec {
    name: "TO_EPOCH_TIMESTAMP",
    family: Family::Dates,
    summary: "Reads a date and time written by a pattern as milliseconds since 1970.",
    details: "Patterns are those of Java's SimpleDateFormat: yyyy-MM-dd HH:mm:ss, SSS for milliseconds, Z, X or z for a zone, \
        MMM and EEE for names, plain words in single quotes. A zone in the text comes before the zone argument, and that \
        before the zone of the session; a zone that is not known means GMT. \
        Reading is lenient: fields roll over (the 32nd of January is the 1st of February) and what follows the date is ignored. \
        A year of two digits lies between 80 years ago and 20 years ahead.",
    parameters: &[
        required("date", Kind::Text, "the date and time"),
        required("format", Kind::Text, "the pattern it is written by"),
        default(
            "timezone",
            Kind::Text,
            "the zone of a text that names none, such as 'UTC' or 'America/New_York'",
            "the session's zone",
        ),
    ],
    returns: "a long; null for a null date or format, and for a text that does not fit the pattern",
    errors: &["the pattern holds a letter without a meaning, or an open quote"],
    examples: &[
        example(
            "TO_EPOCH_TIMESTAMP('2016-01-05 17:02:30', 'yyyy-MM-dd HH:mm:ss', 'UTC')",
            "1452013350000",
        ),
        example(
            "TO_EPOCH_TIMESTAMP('2020-02-30', 'yyyy-MM-dd', 'UTC') == TO_EPOCH_TIMESTAMP('2020-03-01', 'yyyy-MM-dd', 'UTC')",
            "true",
        ),
        example("TO_EPOCH_TIMESTAMP('yesterday', 'yyyy-MM-dd')", "null"),
        fails("TO_EPOCH_TIMESTAMP('2016', 'bbbb')", "E0210"),
    ],
    see: &["DATE_FORMAT", "YEAR"],
    words: &[
        "parse",
        "strptime",
        "unix time",
        "time zone",
        "ISO 8601",
        "datetime",
    ],
    pure: false,
    prepare: Some(|arguments, _| ready(arguments, 1, 2)),
    run: to_epoch_timestamp,
    ..SPEC
};

const DATE_FORMAT: FunctionSpec = FunctionSpec {
    name: "DATE_FORMAT",
    family: Family::Dates,
    summary: "Writes a moment, given in milliseconds since 1970, by a pattern.",
    details: "Patterns are those of Java's SimpleDateFormat, as for TO_EPOCH_TIMESTAMP. \
        The milliseconds must be a long: write 0L, or TO_LONG(x). With three arguments an integer there is an error; \
        with two it is passed over and the present is taken, as is anything else but a long and a string. \
        A string in second place is the zone. A zone that is not known means GMT.",
    parameters: &[
        required("format", Kind::Text, "the pattern"),
        default(
            "millis",
            Kind::Integer,
            "the moment, a long; or, with two arguments, the zone of the present",
            "now",
        ),
        default(
            "timezone",
            Kind::Text,
            "the zone to write it in, such as 'UTC' or 'EST'",
            "the session's zone",
        ),
    ],
    returns: "a string; null for a null format, and when the second of two arguments is null",
    errors: &[
        "the pattern holds a letter without a meaning, or an open quote",
        "with three arguments, the milliseconds are neither a long nor null",
        "with three arguments, the zone is neither a string nor null",
    ],
    examples: &[
        example(
            "DATE_FORMAT('yyyy-MM-dd HH:mm:ss', 1452013350000L, 'UTC')",
            "2016-01-05 17:02:30",
        ),
        example(
            "DATE_FORMAT('EEE MMM dd yyyy hh:mm:ss zzz', 1472131630000L, 'EST')",
            "Thu Aug 25 2016 08:27:10 EST",
        ),
        example("DATE_FORMAT('yyyy', null)", "null"),
        fails("DATE_FORMAT('yyyy', 0, 'UTC')", "E0203"),
        fails("DATE_FORMAT('bbbb')", "E0210"),
    ],
    see: &["TO_EPOCH_TIMESTAMP", "FORMAT", "YEAR"],
    words: &[
        "print",
        "strftime",
        "time zone",
        "ISO 8601",
        "datetime",
        "now",
    ],
    pure: false,
    prepare: Some(|arguments, _| {
        let zone = if arguments.len() > 2 { 2 } else { 1 };
        ready(arguments, 0, zone)
    }),
    run: date_format,
    ..SPEC
};

const MOMENT: &[Parameter] = &[default(
    "millis",
    Kind::Integer,
    "the moment in milliseconds since 1970; anything that converts to a long",
    "now",
)];

/// What the functions of one calendar field share.
const FIELD: FunctionSpec = FunctionSpec {
    family: Family::Dates,
    details: "The day is that of the session's zone.",
    parameters: MOMENT,
    returns: "an integer; null for null and for what converts to no long",
    pure: false,
    ..SPEC
};

const DAY_OF_WEEK: FunctionSpec = FunctionSpec {
    name: "DAY_OF_WEEK",
    summary: "Tells the day of the week of a moment, from 1 for Sunday to 7 for Saturday.",
    examples: &[
        example("DAY_OF_WEEK(1452013350000L)", "3"),
        example("DAY_OF_WEEK(null)", "null"),
    ],
    see: &["DAY_OF_MONTH", "DAY_OF_YEAR", "WEEK_OF_YEAR"],
    words: &["weekday", "Monday", "weekend"],
    run: |call| field(call, DateFields::day_of_week),
    ..FIELD
};

const DAY_OF_MONTH: FunctionSpec = FunctionSpec {
    name: "DAY_OF_MONTH",
    summary: "Tells the day of the month of a moment, from 1.",
    examples: &[
        example("DAY_OF_MONTH(1452013350000L)", "5"),
        example("DAY_OF_MONTH('abc')", "null"),
    ],
    see: &["DAY_OF_WEEK", "DAY_OF_YEAR", "MONTH"],
    words: &["date", "calendar"],
    run: |call| field(call, DateFields::day_of_month),
    ..FIELD
};

const DAY_OF_YEAR: FunctionSpec = FunctionSpec {
    name: "DAY_OF_YEAR",
    summary: "Tells the day of the year of a moment, from 1.",
    examples: &[
        example("DAY_OF_YEAR(1582934400000L)", "60"),
        example("DAY_OF_YEAR(null)", "null"),
    ],
    see: &["DAY_OF_MONTH", "WEEK_OF_YEAR", "YEAR"],
    words: &["ordinal", "calendar"],
    run: |call| field(call, DateFields::day_of_year),
    ..FIELD
};

const WEEKS: &str = "When weeks begin and how many days the first one needs follows the session's country: in the United States \
    weeks begin on Sunday and one day is enough, in most of Europe they begin on Monday and four are needed. \
    The day is that of the session's zone.";

const WEEK_OF_MONTH: FunctionSpec = FunctionSpec {
    name: "WEEK_OF_MONTH",
    summary: "Tells the week of the month of a moment.",
    details: WEEKS,
    examples: &[
        example("WEEK_OF_MONTH(1452013350000L)", "2"),
        example("WEEK_OF_MONTH(null)", "null"),
    ],
    see: &["WEEK_OF_YEAR", "DAY_OF_MONTH"],
    words: &["calendar"],
    run: |call| field(call, DateFields::week_of_month),
    ..FIELD
};

const WEEK_OF_YEAR: FunctionSpec = FunctionSpec {
    name: "WEEK_OF_YEAR",
    summary: "Tells the week of the year of a moment.",
    details: WEEKS,
    examples: &[
        example("WEEK_OF_YEAR(1452013350000L)", "2"),
        example("WEEK_OF_YEAR(1293839999000L)", "1"),
        example("WEEK_OF_YEAR(null)", "null"),
    ],
    see: &["WEEK_OF_MONTH", "DAY_OF_YEAR"],
    words: &["calendar week", "ISO week"],
    run: |call| field(call, DateFields::week_of_year),
    ..FIELD
};

const MONTH: FunctionSpec = FunctionSpec {
    name: "MONTH",
    summary: "Tells the month of a moment, from 0 for January to 11 for December.",
    details: "Counting begins at 0; DATE_FORMAT('M', x) gives the usual number. The day is that of the session's zone.",
    examples: &[
        example("MONTH(1452013350000L)", "0"),
        example("MONTH(1472131630000L)", "7"),
        example("MONTH(null)", "null"),
    ],
    see: &["YEAR", "DAY_OF_MONTH", "DATE_FORMAT"],
    words: &["calendar"],
    run: |call| field(call, DateFields::month),
    ..FIELD
};

const YEAR: FunctionSpec = FunctionSpec {
    name: "YEAR",
    summary: "Tells the year of a moment.",
    examples: &[
        example("YEAR(1452013350000L)", "2016"),
        example("YEAR('0')", "1970"),
        example("YEAR(null)", "null"),
    ],
    see: &["MONTH", "DAY_OF_YEAR", "DATE_FORMAT"],
    words: &["calendar"],
    run: |call| field(call, DateFields::year),
    ..FIELD
};

/// What is made of a literal pattern and a literal zone.
#[derive(Debug)]
struct Ready {
    pattern: Option<Pattern>,
    zone: Option<Zone>,
}

fn ready(arguments: &[Option<&Value>], pattern: usize, zone: usize) -> Outcome<Option<Prepared>> {
    let literal = |index: usize| {
        let value = arguments.get(index).copied().flatten();
        value.filter(|v| !v.is_null())
    };
    let compile = |value| {
        let text = to_text(value);
        Pattern::compile(&text).map_err(|error| bad_pattern(pattern, &text, &error))
    };
    let ready = Ready {
        pattern: literal(pattern).map(compile).transpose()?,
        zone: literal(zone)
            .and_then(Value::as_text)
            .map(Zone::from_java_id),
    };
    Ok(Some(Arc::new(ready)))
}

#[cold]
fn bad_pattern(index: usize, pattern: &str, error: &PatternError) -> Fault {
    let before = pattern.get(..error.offset).unwrap_or(pattern);
    let place = before.chars().count() + 1;
    // Java's messages begin with a capital.
    let mut reason = error.message.clone();
    if let Some(first) = reason.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let message = format!("the date pattern is malformed: {reason} (at its character {place})");
    Diagnostic::new(Code::BadDatePattern, message)
        .of_argument(index)
        .help("put plain words into single quotes: \"yyyy-MM-dd'T'HH:mm:ss\"")
}

/// Hands `work` the pattern that is argument number `index`, compiled.
fn with_pattern<T>(
    call: &Call<'_, '_>,
    index: usize,
    work: impl FnOnce(&Pattern) -> T,
) -> Outcome<T> {
    if let Some(Ready {
        pattern: Some(pattern),
        ..
    }) = call.prepared()
    {
        return Ok(work(pattern));
    }
    let text = to_text_within(call.arg(index), call.context().limits.string)?;
    let pattern = Pattern::compile(&text).map_err(|error| bad_pattern(index, &text, &error))?;
    Ok(work(&pattern))
}

/// The zone that argument number `index` names, else the session's.
fn zone(call: &Call<'_, '_>, index: usize) -> Outcome<Zone> {
    if let Some(Ready {
        zone: Some(zone), ..
    }) = call.prepared()
    {
        return Ok(zone.clone());
    }
    Ok(match call.arg(index) {
        Value::Null => call.context().zone.clone(),
        id => Zone::from_java_id(&to_text_within(id, call.context().limits.string)?),
    })
}

fn to_epoch_timestamp(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.arg(0).is_null() || call.arg(1).is_null() {
        return Ok(Value::Null);
    }
    let context = call.context();
    let date = to_text_within(call.arg(0), context.limits.string)?;
    let zone = zone(call, 2)?;
    let reading = ParseContext {
        zone: &zone,
        default_zone: &context.zone,
        locale: &context.locale,
        lenient: true,
        now_millis: context.clock.now(),
    };
    let millis = with_pattern(call, 1, |pattern| pattern.parse(&date, &reading))?;
    Ok(millis.map_or(Value::Null, Value::Long))
}

fn date_format(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let context = call.context();
    let now = || context.clock.now();
    let (millis, zone) = match call.count() {
        0 | 1 => (now(), context.zone.clone()),
        2 => match call.arg(1) {
            Value::Null => return Ok(Value::Null),
            Value::Long(millis) => (*millis, context.zone.clone()),
            Value::Text(_) => (now(), zone(call, 1)?),
            _ => (now(), context.zone.clone()),
        },
        _ => {
            let millis = match call.arg(1) {
                Value::Null => now(),
                Value::Long(millis) => *millis,
                _ => {
                    let help = "write an L behind the number, or use TO_LONG(x)";
                    return Err(call.wrong_type(1, "a long").help(help));
                }
            };
            match call.arg(2) {
                Value::Null | Value::Text(_) => (millis, zone(call, 2)?),
                _ => return Err(call.wrong_type(2, "a string")),
            }
        }
    };
    if call.arg(0).is_null() {
        return Ok(Value::Null);
    }
    let text = with_pattern(call, 0, |pattern| {
        pattern.format(millis, &zone, &context.locale)
    })?;
    check_length(text.len(), context.limits.string)?;
    Ok(Value::string(text))
}

/// A calendar field of the moment given, or of now.
fn field(call: &Call<'_, '_>, get: fn(&DateFields) -> i32) -> Outcome<Value> {
    let context: &Context = call.context();
    let millis = if call.count() == 0 {
        context.clock.now()
    } else {
        match to_long(call.arg(0)) {
            Some(millis) => millis,
            None => return Ok(Value::Null),
        }
    };
    let fields = DateFields::at(millis, &context.zone, &context.locale);
    Ok(Value::Int(get(&fields)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::engine::Engine;
    use crate::eval::Clock;
    use crate::eval::java::date_format::{Locale, Zone};
    use std::sync::Arc;

    #[derive(Debug)]
    struct Fixed(i64);

    impl Clock for Fixed {
        fn now(&self) -> i64 {
            self.0
        }
    }

    fn engine() -> Engine {
        let mut engine = Engine::bare();
        engine.context.clock = Arc::new(Fixed(1_452_013_350_000));
        engine.context.zone = Zone::from_java_id("America/New_York");
        engine
    }

    fn typed(engine: &Engine, expression: &str) -> String {
        match engine.evaluate(expression) {
            Ok(value) => format!("{value:?}"),
            Err(fault) => fault.code.name().to_string(),
        }
    }

    #[test]
    fn arguments_of_date_format() {
        let engine = engine();
        let is = |expression: &str, expected: &str| {
            assert_eq!(typed(&engine, expression), expected, "{expression}");
        };
        is("DATE_FORMAT('HH:mm')", "String(12:02)");
        is("DATE_FORMAT('HH:mm', 'UTC')", "String(17:02)");
        is("DATE_FORMAT('HH:mm', 0L)", "String(19:00)");
        is("DATE_FORMAT('HH:mm', 0)", "String(12:02)");
        is("DATE_FORMAT('HH:mm', [1])", "String(12:02)");
        is("DATE_FORMAT('HH:mm', null)", "Null(null)");
        is("DATE_FORMAT('HH:mm', null, 'UTC')", "String(17:02)");
        is("DATE_FORMAT('HH:mm', 0L, null)", "String(19:00)");
        is("DATE_FORMAT('HH:mm', 0L, 5)", "E0203");
        is("DATE_FORMAT('HH:mm', 0, 'UTC')", "E0203");
        is("DATE_FORMAT(null, 0L, 'UTC')", "Null(null)");
        is("DATE_FORMAT('HH:mm', 0L, 'nowhere')", "String(00:00)");
        is("DATE_FORMAT('x')", "E0210");
    }

    #[test]
    fn a_zone_in_one_text_does_not_change_the_next() {
        let engine = engine();
        let program = engine
            .compile("MAP(['2020-01-01 00:00 PST', '2020-01-01 00:00 EST'], x -> TO_EPOCH_TIMESTAMP(x, 'yyyy-MM-dd HH:mm z', 'UTC'))")
            .unwrap();
        let value = program.evaluate(&engine.context).unwrap();
        assert_eq!(format!("{value:?}"), "List([1577865600000, 1577854800000])");
        assert_eq!(
            typed(
                &engine,
                "TO_EPOCH_TIMESTAMP('2020-01-01', 'yyyy-MM-dd', 'UTC')"
            ),
            "Long(1577836800000)"
        );
    }

    #[test]
    fn now_zone_and_locale_are_inputs() {
        let mut engine = engine();
        assert_eq!(typed(&engine, "YEAR()"), "Integer(2016)");
        assert_eq!(typed(&engine, "DAY_OF_MONTH(0)"), "Integer(31)");
        assert_eq!(
            typed(&engine, "TO_EPOCH_TIMESTAMP('97', 'yy', 'UTC') < 0L"),
            "Boolean(false)"
        );
        assert_eq!(typed(&engine, "WEEK_OF_YEAR(1451995200000L)"), "Integer(2)");
        engine.context.locale = Arc::new(Locale::parse("de_DE").unwrap());
        assert_eq!(typed(&engine, "WEEK_OF_YEAR(1451995200000L)"), "Integer(1)");
        // A program compiled in one place runs in another.
        let program = engine.compile("DATE_FORMAT('HH', 0L)").unwrap();
        engine.context.zone = Zone::utc();
        let value = program.evaluate(&engine.context).unwrap();
        assert_eq!(format!("{value:?}"), "String(00)");
    }

    #[test]
    fn a_bad_literal_pattern_is_known_before_it_runs() {
        let engine = engine();
        let program = engine.compile("TO_EPOCH_TIMESTAMP(x, 'yyyy-bb')").unwrap();
        let problem = &program.problems[0];
        assert_eq!(problem.code.name(), "E0210");
        assert!(
            problem.message.contains("character 6"),
            "{}",
            problem.message
        );
        assert_eq!(problem.span.unwrap().start, 22);
    }
}
