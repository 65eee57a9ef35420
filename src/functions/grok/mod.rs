//! Patterns with names, as Logstash has them.

mod patterns;
mod predict;
#[cfg(test)]
mod tests;

use super::spec::{Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, required};
use super::tables::draw_within;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::collections::{Entries, Map, MapKind, check_size};
use crate::eval::convert::{to_double, to_int, to_long};
use crate::eval::java::numbers::parse_int;
use crate::eval::java::regex::{JavaRegex, RegexError, RegexErrorKind, RegexLimits, cached};
use crate::eval::text::check_length;
use crate::eval::{Call, Context, Prepared, Value};
use patterns::{Expanded, Refusal, common, expand};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[GROK_EVAL, GROK_MAP, GROK_PREDICT];

const EXPRESSION: Parameter = required(
    "grok_expression",
    Kind::Text,
    "a regular expression in which %{NAME} stands for a pattern and %{NAME:key} captures it as key",
);
const DATA: Parameter = required("data", Kind::Any, "a text, or a list of texts");
const UNKNOWN: &str = "the expression names a pattern that does not exist";
const BAD: &str = "what the expression stands for is no regular expression, or too large";
const STEPS: &str = "matching takes too many steps";

const GROK_EVAL: FunctionSpec = FunctionSpec {
    name: "GROK_EVAL",
    family: Family::Regex,
    summary: "Draws a table of what a Grok expression captures in one text or several.",
    details: "The expression may fit anywhere in the text. Further lines of the expression define patterns of its own: \
        a name, a blank, the pattern; so does %{NAME=pattern} inside. Every pattern is captured, under its own name where \
        no key is given; of patterns written alike the first counts, of different ones with one key the last. \
        Whole numbers lose leading zeros, texts their quotes. A text that does not fit gives a row of MISSING. \
        GROK_MAP gives values to work with.",
    parameters: &[EXPRESSION, DATA],
    returns: "the table as text; 'NO MATCH' when nothing is captured; null when an argument is null, the data is of \
        another type, or the expression is empty or without end",
    errors: &[
        "the expression is no string, or an element of the list is neither a string nor null",
        UNKNOWN,
        BAD,
        STEPS,
    ],
    examples: &[
        example(
            "GROK_EVAL('port %{INT:port}', 'port 22')",
            "╔══════╗\n║ port ║\n╠══════╣\n║ 22   ║\n╚══════╝\n",
        ),
        example("GROK_EVAL('%{INT:port}', 'none')", "NO MATCH"),
        example("GROK_EVAL('%{INT:port}', null)", "null"),
        fails("GROK_EVAL('%{NO_SUCH}', 'x')", "E0204"),
    ],
    see: &["GROK_MAP", "GROK_PREDICT", "REGEXP_GROUP_VAL"],
    words: &["logstash", "parse", "extract", "log line"],
    prepare: Some(ready),
    run: eval,
    ..SPEC
};

const GROK_MAP: FunctionSpec = FunctionSpec {
    name: "GROK_MAP",
    family: Family::Regex,
    summary: "Takes a text apart by a Grok expression.",
    details: "The expression is written as for GROK_EVAL, but only what has a key of its own is captured. \
        %{NUMBER:bytes:int} makes the value a whole number, :float a double; where that cannot be, it stays a string. \
        Groups that took no part are left out.",
    parameters: &[EXPRESSION, DATA],
    returns: "a map of keys to values, null when the text does not fit; for a list, a list of these; \
        null when an argument is null",
    errors: &[
        "the expression is no string, empty or without end",
        "the data, or an element of the list, is neither a string nor null",
        UNKNOWN,
        BAD,
        STEPS,
    ],
    examples: &[
        example(
            "GROK_MAP('%{IP:ip}:%{INT:port:int}', 'from 10.0.0.1:22')",
            "{ip=10.0.0.1, port=22}",
        ),
        example(
            "MAP_GET('verb', GROK_MAP('%{COMMONAPACHELOG}', '10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 7'))",
            "GET",
        ),
        example(
            "GROK_MAP('%{INT:port}', ['22', 'none'])",
            "[{port=22}, null]",
        ),
        fails("GROK_MAP('%{NO_SUCH:x}', 'x')", "E0204"),
    ],
    see: &["GROK_EVAL", "REGEXP_GROUP_VAL", "SPLIT"],
    words: &["logstash", "parse", "extract", "log line", "fields"],
    prepare: Some(ready),
    run: map,
    ..SPEC
};

const GROK_PREDICT: FunctionSpec = FunctionSpec {
    name: "GROK_PREDICT",
    family: Family::Regex,
    summary: "Suggests a Grok expression for a text.",
    details: "The bundled patterns are tried in the order of their names; each part of the text that one of them fits \
        is replaced by its name. The suggestion is a start to be worked on, not an expression that is sure to fit.",
    parameters: &[required("data", Kind::Text, "the text")],
    returns: "a string; null for null",
    errors: &["the argument is no string", STEPS],
    examples: &[
        example("GROK_PREDICT('1474583653.416')", "%{BASE10NUM}"),
        example(
            "GROK_PREDICT('Mar  1 12:00:00 host1 sshd[123]: login from 10.1.2.3')",
            "%{MESSAGESLOG}login from %{IP}",
        ),
        example("GROK_PREDICT(null)", "null"),
    ],
    see: &["GROK_EVAL", "GROK_MAP"],
    words: &["logstash", "discover", "guess"],
    run: |call| predict::predict(call),
    ..SPEC
};

/// An expression that can be matched.
#[derive(Debug)]
struct Grok {
    regex: Arc<JavaRegex>,
    captures: Vec<Captured>,
}

#[derive(Debug)]
struct Captured {
    key: SmolStr,
    group: usize,
    named: bool,
}

/// What is captured in a text, in order; groups that took no part have none.
type Captures<'a> = Vec<(&'a Captured, Option<&'a str>)>;

/// What became of an expression.
#[derive(Debug, Clone)]
enum Made {
    Grok(Arc<Grok>),
    /// It is empty or without end, which Metron answers with null.
    Nothing(String),
}

fn ready(arguments: &[Option<&Value>], context: &Context) -> Outcome<Option<Prepared>> {
    match arguments.first().copied().flatten() {
        Some(Value::Text(expression)) => Ok(Some(Arc::new(make(expression, context)?))),
        _ => Ok(None),
    }
}

/// The bounds of what names may stand for; what a user writes has its own limit.
fn limits() -> RegexLimits {
    RegexLimits {
        max_pattern_bytes: usize::MAX,
        ..RegexLimits::default()
    }
}

fn make(expression: &str, context: &Context) -> Outcome<Made> {
    if expression.len() > context.limits.regex {
        let message = format!(
            "the expression has {} bytes, {} are allowed ([limits] regex)",
            expression.len(),
            context.limits.regex
        );
        return Err(Diagnostic::new(Code::RegexSize, message).of_argument(0));
    }
    match expand(expression) {
        Ok(expanded) => compiled(&expanded).map(|grok| Made::Grok(Arc::new(grok))),
        Err(Refusal::Empty) => Ok(Made::Nothing("the expression is empty".into())),
        Err(Refusal::Endless(name)) => Ok(Made::Nothing(format!(
            "the pattern {name} stands for itself"
        ))),
        Err(Refusal::TooLong) => {
            let message = "the expression stands for a regular expression that is too long";
            Err(Diagnostic::new(Code::RegexSize, message).of_argument(0))
        }
        Err(Refusal::Unknown(name)) => {
            let known = common().keys().copied();
            Err(
                Diagnostic::new(Code::ArgumentValue, format!("there is no pattern {name}"))
                    .of_argument(0)
                    .did_you_mean(nearest(&name, known)),
            )
        }
    }
}

fn compiled(expanded: &Expanded) -> Outcome<Grok> {
    let regex = cached(&expanded.regex, &limits()).map_err(|error| bad(&error))?;
    let captures = expanded.captures.iter().filter_map(|capture| {
        Some(Captured {
            key: capture.key.clone(),
            group: regex.group_number(&capture.group)?,
            named: capture.named,
        })
    });
    Ok(Grok {
        captures: captures.collect(),
        regex,
    })
}

#[cold]
fn bad(error: &RegexError) -> Fault {
    let (code, message) = match error.kind {
        RegexErrorKind::TooManySteps => (Code::RegexSteps, error.message.clone()),
        RegexErrorKind::TooBig => (
            Code::RegexSize,
            format!("the expression is too large: {}", error.message),
        ),
        RegexErrorKind::Syntax | RegexErrorKind::Unsupported => (
            Code::BadRegex,
            format!(
                "the expression stands for a malformed regular expression: {}",
                error.message
            ),
        ),
    };
    Diagnostic::new(code, message).of_argument(0)
}

impl Grok {
    /// What is captured in a text, in order; `None` when it does not fit. A blank text never fits.
    fn captures<'a>(&'a self, text: &'a str) -> Outcome<Option<Captures<'a>>> {
        if text.chars().all(char::is_whitespace) {
            return Ok(None);
        }
        let groups = self.regex.find_groups(text).map_err(|error| bad(&error))?;
        Ok(groups.map(|groups| {
            let value = |captured: &Captured| groups.text(captured.group, text);
            self.captures.iter().map(|c| (c, value(c))).collect()
        }))
    }
}

/// The expression of a call; `None` when it is null.
fn grok(call: &Call<'_, '_>) -> Outcome<Option<Made>> {
    if let Some(made) = call.prepared::<Made>() {
        return Ok(Some(made.clone()));
    }
    match call.arg(0) {
        Value::Null => Ok(None),
        Value::Text(expression) => make(expression, call.context()).map(Some),
        _ => Err(call.wrong_type(0, "a string")),
    }
}

fn element<'v>(call: &Call<'_, '_>, value: &'v Value) -> Outcome<&'v str> {
    match value {
        Value::Text(text) => Ok(text),
        // A blank text fits as little as none.
        Value::Null => Ok(""),
        other => {
            let message = format!("the list must hold strings, not {}", other.kind_in_words());
            Err(call.wrong_value(1, message))
        }
    }
}

fn eval(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if !matches!(call.arg(0), Value::Null | Value::Text(_)) {
        return Err(call.wrong_type(0, "a string"));
    }
    let texts = match call.arg(1) {
        Value::List(list) => list.items(),
        text @ Value::Text(_) => vec![text.clone()],
        _ => return Ok(Value::Null),
    };
    let Some(Made::Grok(grok)) = grok(call)? else {
        return Ok(Value::Null);
    };
    let mut columns: BTreeSet<&str> = BTreeSet::new();
    let mut found: Vec<BTreeMap<&str, Option<&str>>> = Vec::with_capacity(texts.len());
    for text in &texts {
        call.step()?;
        let captures = grok.captures(element(call, text)?)?.unwrap_or_default();
        let row: BTreeMap<_, _> = captures
            .into_iter()
            .map(|(c, v)| (c.key.as_str(), v))
            .collect();
        columns.extend(row.keys());
        found.push(row);
    }
    if columns.is_empty() {
        return Ok(Value::text("NO MATCH"));
    }
    let longest = call.context().limits.string;
    // Before the cells are made: each holds a few bytes at least.
    check_length(found.len().saturating_mul(columns.len()), longest)?;
    let cell = |row: &BTreeMap<&str, Option<&str>>, column: &&str| match row.get(column) {
        None => "MISSING".to_string(),
        Some(None) => "null".to_string(),
        Some(Some(text)) => tidy(text),
    };
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|row| columns.iter().map(|column| cell(row, column)).collect())
        .collect();
    let columns: Vec<&str> = columns.into_iter().collect();
    draw_within(&columns, &rows, longest).map(Value::string)
}

/// A captured text as the table shows it: whole numbers as numbers, quoted texts without their quotes.
fn tidy(text: &str) -> String {
    if let Some(number) = parse_int(text) {
        return number.to_string();
    }
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"')
        .or_else(|| inside('\''))
        .unwrap_or(text)
        .to_string()
}

fn map(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let grok = match grok(call)? {
        None => return Ok(Value::Null),
        Some(Made::Grok(grok)) => grok,
        Some(Made::Nothing(why)) => return Err(call.wrong_value(0, why)),
    };
    match call.arg(1) {
        Value::Null => Ok(Value::Null),
        Value::Text(text) => values(&grok, text),
        Value::List(list) => {
            let mut maps = Vec::new();
            for item in list.items() {
                call.step()?;
                maps.push(values(&grok, element(call, &item)?)?);
                check_size(maps.len(), call.context().limits.collection)?;
            }
            Ok(maps.into())
        }
        _ => Err(call.wrong_type(1, "a string or a list of strings")),
    }
}

/// What is captured with a key of its own, as a map; null when the text does not fit.
fn values(grok: &Grok, text: &str) -> Outcome<Value> {
    let Some(captures) = grok.captures(text)? else {
        return Ok(Value::Null);
    };
    let mut entries = Entries::default();
    for (captured, text) in captures {
        if let (true, Some(text)) = (captured.named, text) {
            let (key, value) = typed(&captured.key, text);
            entries.insert(Value::text(key), value);
        }
    }
    Ok(Value::Map(Map::new(MapKind::Ordered, entries)))
}

/// The key without its type, the value of that type.
fn typed<'k>(key: &'k str, text: &str) -> (&'k str, Value) {
    let value = Value::text(text);
    let Some((name, kind)) = key.rsplit_once(':') else {
        return (key, value);
    };
    let number = match kind {
        "int" | "long" => to_int(&value)
            .map(Value::Int)
            .or_else(|| to_long(&value).map(Value::Long)),
        "float" | "double" => to_double(&value).map(Value::Double),
        "string" => None,
        _ => return (key, value),
    };
    (name, number.unwrap_or(value))
}
