//! JSONPath (RFC 9535) over values.

mod query;

use super::json::parse_json;
use super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::List;
use crate::eval::{Call, Context, Prepared, Value};
use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use std::sync::Arc;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[JSON_PATH];

const JSON_PATH: FunctionSpec = FunctionSpec {
    name: "JSON_PATH",
    family: Family::Json,
    summary: "Finds the parts of a nested value that a JSONPath describes.",
    details: "JSONPath as in RFC 9535: $.a['b'][0], [-1], [0:2], *, .. for every level, [?@.port > 1000 && @.host] for \
              those that fit, and its functions length, count, value, match and search. \
              The value may be a map or a list, or a JSON text, which is read first. Sets count as arrays.",
    parameters: &[
        required("value", Kind::Any, "a map, a list, or a JSON text"),
        required("path", Kind::Text, "the path, beginning with $"),
    ],
    returns: "a list of all parts that fit, in their order; null when the value or the path is null",
    errors: &[
        "the path is not a JSONPath",
        "the value is a string that is not JSON",
    ],
    examples: &[
        example(
            "JSON_PATH({'dns': {'answers': ['192.0.2.1', '192.0.2.2']}}, '$.dns.answers[0]')",
            "[192.0.2.1]",
        ),
        example(
            "JSON_PATH('{\"a\": [{\"p\": 22}, {\"p\": 8080}]}', '$.a[?@.p > 1000].p')",
            "[8080]",
        ),
        example(
            "JSON_PATH('{\"a\": {\"id\": 1, \"b\": {\"id\": 2}}}', '$..id')",
            "[1, 2]",
        ),
        example("JSON_PATH({'a': 1}, '$.b')", "[]"),
        example("JSON_PATH(null, '$.a')", "null"),
        fails("JSON_PATH({'a': 1}, 'a')", "E0204"),
        fails("JSON_PATH('{bad', '$')", "E0216"),
    ],
    see: &["TO_JSON_OBJECT", "MAP_GET", "FILTER", "GET_FIRST"],
    words: &[
        "jq", "jsonpath", "extract", "nested", "select", "query", "RFC 9535",
    ],
    // What is found may be a collection that others see too.
    borrows: false,
    prepare: Some(ready),
    run: json_path,
    ..SPEC
};

/// Longer paths are refused.
const LONGEST: usize = 4096;

/// Calls of functions inside of each other multiply the work of the parser.
const DEEPEST: usize = 8;

fn ready(arguments: &[Option<&Value>], _context: &Context) -> Outcome<Option<Prepared>> {
    match arguments.get(1) {
        Some(Some(Value::Text(path))) => Ok(Some(Arc::new(parsed(path)?))),
        _ => Ok(None),
    }
}

fn json_path(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let read;
    let root = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::Text(text) => {
            read = parse_json(text, false, &call.context().limits).map_err(|mut fault| {
                fault.message = format!("JSON_PATH: {}", fault.message);
                fault.of_argument(0)
            })?;
            &read
        }
        value => value,
    };
    let found = match (call.prepared::<JpQuery>(), call.arg(1)) {
        (Some(query), _) => query::run(call, query, root)?,
        (None, Value::Null) => return Ok(Value::Null),
        (None, Value::Text(path)) => query::run(call, &parsed(path)?, root)?,
        _ => return Err(call.wrong_type(1, "a string")),
    };
    Ok(Value::List(List::array(found)))
}

/// A path. Errors: E0204.
fn parsed(path: &str) -> Outcome<JpQuery> {
    if path.len() > LONGEST {
        return Err(wrong(&format!("the path has more than {LONGEST} bytes")));
    }
    if nesting(path) > DEEPEST {
        let message = format!("parentheses in the path nest more than {DEEPEST} levels deep");
        return Err(wrong(&message));
    }
    if let Some(at) = blank_inside(path) {
        let column = path.get(..at).unwrap_or_default().chars().count() + 1;
        return Err(wrong(&format!("the path goes wrong at character {column}")));
    }
    let query = parse_json_path(path).map_err(|error| match column(&error.to_string()) {
        Some(column) => wrong(&format!("the path goes wrong at character {column}")),
        None => wrong("the path is not a JSONPath"),
    })?;
    query::check(&query).map_err(|name| {
        wrong(&format!(
            "the path calls {name}, which JSONPath does not know"
        ))
    })?;
    Ok(query)
}

/// The place in the parser's words, which begin with `--> line:column`.
fn column(words: &str) -> Option<usize> {
    let (_, place) = words.split_once("--> 1:")?;
    let end = place.find(|c: char| !c.is_ascii_digit())?;
    place.get(..end)?.parse().ok()
}

#[cold]
fn wrong(message: &str) -> Fault {
    Diagnostic::new(Code::ArgumentValue, format!("JSON_PATH: {message}"))
        .of_argument(1)
        .help("a path looks like $.name, $['name'][0], $..name or $.list[?@.size > 10]")
}

/// How deep parentheses nest, wherever they stand.
fn nesting(path: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in path.bytes() {
        match byte {
            b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Where a blank stands behind a point or inside of a name or number, which the parser would not mind.
fn blank_inside(path: &str) -> Option<usize> {
    let in_name = |c: char| c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii();
    let (mut quote, mut escaped) = (None, false);
    // The last character that is no blank, and the first blank behind it.
    let (mut last, mut blank) = ('$', None);
    for (at, c) in path.char_indices() {
        if let Some(open) = quote {
            if c == open && !escaped {
                (quote, last, blank) = (None, c, None);
            }
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            ' ' | '\t' | '\r' | '\n' => {
                blank.get_or_insert(at);
                continue;
            }
            '\'' | '"' => (quote, escaped) = (Some(c), false),
            _ => {}
        }
        if blank.is_some() && (last == '.' || in_name(last) && in_name(c)) {
            return blank;
        }
        (last, blank) = (c, None);
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
