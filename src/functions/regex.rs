//! Regular expressions in Java's dialect.

use super::spec::{Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, required};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::convert::to_int;
use crate::eval::java::regex::{JavaRegex, RegexError, RegexErrorKind, RegexLimits, cached};
use crate::eval::text::to_text_within;
use crate::eval::{Call, Context, Prepared, Value};
use std::sync::Arc;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[REGEXP_MATCH, REGEXP_GROUP_VAL, REGEXP_REPLACE];

const STRING: Parameter = required("string", Kind::Text, "the string to look at");
const PATTERN: Parameter = required("pattern", Kind::Text, "the regular expression");

const BAD_PATTERN: &str =
    "the pattern is not a regular expression, or larger than [limits] regex allows";
const MANY_STEPS: &str = "matching takes too many steps";

const REGEXP_MATCH: FunctionSpec = FunctionSpec {
    name: "REGEXP_MATCH",
    family: Family::Regex,
    summary: "Says whether a regular expression, or one of several, describes the whole string.",
    details: "The whole string must fit: write '.*word.*' to find a word somewhere. Note that . does not match line ends \
        unless the pattern begins with (?s). The dialect is Java's, with look-around and back-references; \
        a backslash is written twice inside a string. Patterns in a list are tried in order; null among them is skipped. \
        A null string, and a pattern that is neither a string nor a list, give false.",
    parameters: &[
        STRING,
        required(
            "pattern",
            Kind::Any,
            "the regular expression, or a list of them of which one must fit",
        ),
    ],
    returns: "true or false",
    errors: &[
        "the first argument is neither a string nor null",
        BAD_PATTERN,
        MANY_STEPS,
    ],
    examples: &[
        example("REGEXP_MATCH('foo123', '[a-z]+\\\\d+')", "true"),
        example("REGEXP_MATCH('foo123', '[a-z]+')", "false"),
        example("REGEXP_MATCH('b', ['a', 'b'])", "true"),
        example("REGEXP_MATCH(null, '.*')", "false"),
        fails("REGEXP_MATCH('a', '(')", "E0209"),
    ],
    see: &[
        "REGEXP_GROUP_VAL",
        "REGEXP_REPLACE",
        "STARTS_WITH",
        "COUNT_MATCHES",
    ],
    words: &[
        "regex", "pattern", "matches", "grep", "search", "find", "like",
    ],
    prepare: Some(ready),
    run: regexp_match,
    ..SPEC
};

const REGEXP_GROUP_VAL: FunctionSpec = FunctionSpec {
    name: "REGEXP_GROUP_VAL",
    family: Family::Regex,
    summary: "Takes the part of a string that a group of a regular expression describes.",
    details: "The whole string must fit the pattern. Groups are counted from 1 by their opening parentheses; \
        group 0 is the string itself, whether it fits or not.",
    parameters: &[
        STRING,
        PATTERN,
        required("group", Kind::Integer, "the number of the group"),
    ],
    returns: "a string; null when the string does not fit, there is no such group, the group took no part, \
        or the string, the pattern or the number is null",
    errors: &[
        "the string or the pattern is neither a string nor null",
        "the number is negative, and the string fits",
        "there are not exactly three arguments",
        BAD_PATTERN,
        MANY_STEPS,
    ],
    examples: &[
        example(
            "REGEXP_GROUP_VAL('user=bob', '([a-z]+)=([a-z]+)', 2)",
            "bob",
        ),
        example("REGEXP_GROUP_VAL('user', '([a-z]+)=([a-z]+)', 2)", "null"),
        example("REGEXP_GROUP_VAL('user', '(.*)', 5)", "null"),
        example("REGEXP_GROUP_VAL('user', 'x', 0)", "user"),
    ],
    see: &["REGEXP_MATCH", "REGEXP_REPLACE", "SUBSTRING", "SPLIT"],
    words: &["regex", "capture", "extract", "submatch", "parse"],
    strict: true,
    prepare: Some(ready),
    run: group_val,
    ..SPEC
};

const REGEXP_REPLACE: FunctionSpec = FunctionSpec {
    name: "REGEXP_REPLACE",
    family: Family::Regex,
    summary: "Replaces every match of a regular expression in a string.",
    details: "In the value, $1 stands for the first group and \\\\$ (with the backslash doubled inside a string) for a dollar sign. \
        An empty value deletes the matches. A null or empty pattern, or a null value, leaves the string as it is; \
        a null or empty string gives null.",
    parameters: &[
        STRING,
        PATTERN,
        required("value", Kind::Text, "what to put in place of each match"),
    ],
    returns: "the string with all matches replaced, or null",
    errors: &[
        "an argument is neither a string nor null",
        "there are not exactly three arguments",
        "the value names a group that does not exist",
        BAD_PATTERN,
        MANY_STEPS,
    ],
    examples: &[
        example("REGEXP_REPLACE('a1b22', '\\\\d+', '#')", "a#b#"),
        example(
            "REGEXP_REPLACE('key=value', '(\\\\w+)=(\\\\w+)', '$2=$1')",
            "value=key",
        ),
        example("REGEXP_REPLACE('a1b22', '\\\\d+', '')", "ab"),
        example("REGEXP_REPLACE('abc', 'b', null)", "abc"),
        example("REGEXP_REPLACE('', 'b', 'x')", "null"),
    ],
    see: &["REGEXP_MATCH", "REGEXP_GROUP_VAL", "SUBSTRING"],
    words: &["regex", "substitute", "sed", "delete", "mask", "anonymise"],
    strict: true,
    prepare: Some(ready),
    run: replace,
    ..SPEC
};

/// What is made of literal patterns; null among them is gone.
#[derive(Debug)]
enum Ready {
    One(Arc<JavaRegex>),
    Any(Vec<Arc<JavaRegex>>),
}

fn ready(arguments: &[Option<&Value>], context: &Context) -> Outcome<Option<Prepared>> {
    let compile = |value: &Value| {
        let text = to_text_within(value, context.limits.string)?;
        compile(&text, context)
    };
    let ready = match arguments.get(1).copied().flatten() {
        Some(value @ Value::Text(_)) => Ready::One(compile(value)?),
        Some(Value::List(list)) => {
            let patterns = list.items().into_iter().filter(|v| !v.is_null());
            let compiled: Outcome<Vec<_>> = patterns.map(|v| compile(&v)).collect();
            Ready::Any(compiled?)
        }
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(ready)))
}

/// The regular expression of a pattern, from the cache where it is known already.
fn compile(pattern: &str, context: &Context) -> Outcome<Arc<JavaRegex>> {
    let limits = RegexLimits {
        max_pattern_bytes: context.limits.regex,
        ..RegexLimits::default()
    };
    cached(pattern, &limits).map_err(|error| bad_pattern(pattern, &error))
}

#[cold]
fn bad_pattern(pattern: &str, error: &RegexError) -> Fault {
    let mut message = match error.kind {
        RegexErrorKind::Syntax => format!("the pattern is malformed: {}", error.message),
        RegexErrorKind::Unsupported => format!("the pattern cannot be used: {}", error.message),
        RegexErrorKind::TooBig => format!("the pattern is too large: {}", error.message),
        RegexErrorKind::TooManySteps => return no_match(error),
    };
    if let Some((before, after)) = error.offset.and_then(|at| pattern.split_at_checked(at)) {
        let rest: String = after.chars().take(12).collect();
        match rest.as_str() {
            "" => message.push_str(", at its end"),
            rest => {
                let place = before.chars().count() + 1;
                message.push_str(&format!(", at its character {place}: {rest}"));
            }
        }
    }
    Diagnostic::new(code(error), message).of_argument(1)
}

/// The error of a match that could not be finished.
#[cold]
fn no_match(error: &RegexError) -> Fault {
    Diagnostic::new(code(error), error.message.clone()).of_argument(1)
}

fn code(error: &RegexError) -> Code {
    match error.kind {
        RegexErrorKind::Syntax | RegexErrorKind::Unsupported => Code::BadRegex,
        RegexErrorKind::TooBig => Code::RegexSize,
        RegexErrorKind::TooManySteps => Code::RegexSteps,
    }
}

/// A string argument; `None` for null.
#[inline]
fn text<'a>(call: &'a Call<'_, '_>, index: usize) -> Outcome<Option<&'a str>> {
    match call.arg(index) {
        Value::Text(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        _ => Err(call.wrong_type(index, "a string")),
    }
}

fn regexp_match(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(text) = text(call, 0)? else {
        return Ok(Value::Bool(false));
    };
    let fits = |regex: &JavaRegex| regex.is_full_match(text).map_err(|error| no_match(&error));
    if let Some(ready) = call.prepared::<Ready>() {
        let all = match ready {
            Ready::One(regex) => std::slice::from_ref(regex),
            Ready::Any(all) => all.as_slice(),
        };
        for regex in all {
            if fits(regex)? {
                return Ok(Value::Bool(true));
            }
        }
        return Ok(Value::Bool(false));
    }
    let context = call.context();
    let patterns = match call.arg(1) {
        Value::Text(pattern) => return Ok(Value::Bool(fits(&*compile(pattern, context)?)?)),
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        _ => return Ok(Value::Bool(false)),
    };
    for pattern in patterns.iter().filter(|p| !p.is_null()) {
        call.step()?;
        let pattern = to_text_within(pattern, context.limits.string)?;
        if fits(&*compile(&pattern, context)?)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// Hands `work` the pattern of a call, compiled.
fn with_regex<T>(
    call: &Call<'_, '_>,
    pattern: &str,
    work: impl FnOnce(&JavaRegex) -> T,
) -> Outcome<T> {
    match call.prepared::<Ready>() {
        Some(Ready::One(regex)) => Ok(work(regex)),
        _ => Ok(work(&*compile(pattern, call.context())?)),
    }
}

fn group_val(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (text, pattern) = (text(call, 0)?, text(call, 1)?);
    let group = match to_int(call.arg(2)) {
        None => return Ok(Value::Null),
        Some(0) => return Ok(call.arg(0).clone()),
        Some(group) => group,
    };
    let (Some(text), Some(pattern)) = (text, pattern) else {
        return Ok(Value::Null);
    };
    let groups = with_regex(call, pattern, |regex| regex.full_match_groups(text))?;
    let Some(groups) = groups.map_err(|error| no_match(&error))? else {
        return Ok(Value::Null);
    };
    match usize::try_from(group) {
        Ok(group) => Ok(groups.text(group, text).map_or(Value::Null, Value::text)),
        Err(_) if groups.count() == 0 => Ok(Value::Null),
        Err(_) => Err(call.wrong_value(2, format!("there is no group {group}"))),
    }
}

fn replace(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (text, pattern, value) = (text(call, 0)?, text(call, 1)?, text(call, 2)?);
    let Some(text) = text.filter(|t| !t.is_empty()) else {
        return Ok(Value::Null);
    };
    let (Some(pattern), Some(value)) = (pattern.filter(|p| !p.is_empty()), value) else {
        return Ok(call.take(0));
    };
    let longest = call.context().limits.string;
    with_regex(call, pattern, |regex| {
        regex.replace_all(text, value, longest)
    })?
    .map(Value::string)
    .map_err(|error| match error.kind {
        // The pattern has been compiled, so this is about the replacement or the result.
        RegexErrorKind::Syntax => {
            let message = format!("the value to put in is malformed: {}", error.message);
            Diagnostic::new(Code::BadRegex, message)
                .of_argument(2)
                .help("$1 is a group; write \\\\$ for a dollar sign and \\\\\\\\ for a backslash")
        }
        RegexErrorKind::TooBig => {
            let message = format!("the text would have more than {longest} bytes");
            Diagnostic::new(Code::StringLength, message)
        }
        _ => no_match(&error),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::engine::Engine;

    fn typed(expression: &str) -> String {
        match Engine::bare().evaluate(expression) {
            Ok(value) => format!("{value:?}"),
            Err(fault) => fault.code.name().to_string(),
        }
    }

    fn all(rows: &[(&str, &str)]) {
        for (expression, expected) in rows {
            assert_eq!(typed(expression), *expected, "{expression}");
        }
    }

    #[test]
    fn patterns_of_any_origin() {
        all(&[
            ("REGEXP_MATCH('5', [5])", "Boolean(true)"),
            ("REGEXP_MATCH('5', [null, 'x', 5])", "Boolean(true)"),
            ("REGEXP_MATCH('5', 5)", "Boolean(false)"),
            ("REGEXP_MATCH('ab', SET_INIT(['a', 'a.']))", "Boolean(true)"),
            ("REGEXP_MATCH('ab', MAP([1], x -> 'a.'))", "Boolean(true)"),
            (
                "REGEXP_MATCH('ab', REDUCE([1], (t, x) -> t + '.', 'a'))",
                "Boolean(true)",
            ),
            ("REGEXP_MATCH('a', [])", "Boolean(false)"),
            ("REGEXP_MATCH(5, null)", "E0203"),
            ("REGEXP_MATCH('abab', '(ab)\\\\1')", "Boolean(true)"),
            ("REGEXP_MATCH('foobar', '.*(?=bar)bar')", "Boolean(true)"),
        ]);
    }

    #[test]
    fn a_bad_pattern_behind_one_that_fits_does_not_matter() {
        all(&[
            ("REGEXP_MATCH('a', ['a', '('])", "Boolean(true)"),
            ("REGEXP_MATCH('b', ['a', '('])", "E0209"),
            ("REGEXP_MATCH(null, '(')", "Boolean(false)"),
            ("REGEXP_GROUP_VAL('a', '(', 0)", "String(a)"),
        ]);
    }

    #[test]
    fn groups() {
        all(&[
            ("REGEXP_GROUP_VAL('ab', '(a)(x)?b', 2)", "Null(null)"),
            ("REGEXP_GROUP_VAL('ab', '(a)b', '1')", "String(a)"),
            ("REGEXP_GROUP_VAL('ab', '(a)b', 'x')", "Null(null)"),
            ("REGEXP_GROUP_VAL('ab', '(a)b', -1)", "E0204"),
            ("REGEXP_GROUP_VAL('ab', 'ab', -1)", "Null(null)"),
            ("REGEXP_GROUP_VAL('ab', 'x', -1)", "Null(null)"),
            ("REGEXP_GROUP_VAL('ab', ['a'], 1)", "E0203"),
            ("REGEXP_GROUP_VAL('ab', '(a)b')", "E0202"),
            ("REGEXP_GROUP_VAL('ab', '(a)b', 1, 2)", "E0202"),
        ]);
    }

    #[test]
    fn replacing() {
        all(&[
            ("REGEXP_REPLACE('aXbX', 'X', '')", "String(ab)"),
            ("REGEXP_REPLACE('X', 'X', '')", "String()"),
            ("REGEXP_REPLACE('aXb', 'X', null)", "String(aXb)"),
            ("REGEXP_REPLACE('aXb', '', 'y')", "String(aXb)"),
            ("REGEXP_REPLACE('aXb', null, 'y')", "String(aXb)"),
            ("REGEXP_REPLACE('aXb', 'X', '\\\\$')", "String(a$b)"),
            ("REGEXP_REPLACE('aXb', 'X', '$1')", "E0209"),
            ("REGEXP_REPLACE('ab', 'X', '$1')", "String(ab)"),
            ("REGEXP_REPLACE(null, 'X', 5)", "E0203"),
        ]);
    }

    #[test]
    fn errors_tell_where() {
        let engine = Engine::bare();
        let fault = engine.evaluate("REGEXP_MATCH('a', 'ab[')").unwrap_err();
        assert_eq!(fault.span.unwrap().start, 18);
        assert!(fault.message.contains("at its"), "{}", fault.message);
        let long = format!("REGEXP_MATCH('a', '{}')", "a".repeat(5000));
        assert_eq!(typed(&long), "E0309");
        let slow = format!("REGEXP_MATCH('{}', '(?=(a+)+b)\\\\1.*')", "a".repeat(60));
        assert_eq!(typed(&slow), "E0308");
        let program = engine.compile("REGEXP_MATCH(x, '(')").unwrap();
        assert_eq!(program.problems[0].code.name(), "E0209");
        let mut small = Engine::bare();
        small.context.limits.string = 50;
        let grown = small.evaluate("REGEXP_REPLACE('aaaaaaaaaaaaaaaaaaaa', 'a', '0123456789')");
        assert_eq!(grown.unwrap_err().code.name(), "E0303");
    }
}
