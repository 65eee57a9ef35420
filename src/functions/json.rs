//! JSON texts.

use super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::check_size;
use crate::eval::json::parse::BadKind;
use crate::eval::json::{self, bad_json};
use crate::eval::{Call, Limits, Value};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[TO_JSON_OBJECT, TO_JSON_MAP, TO_JSON_LIST];

const TO_JSON_OBJECT: FunctionSpec = FunctionSpec {
    name: "TO_JSON_OBJECT",
    family: Family::Json,
    summary: "Reads a JSON text of any kind.",
    details: "Objects become maps in their order, arrays lists; whole numbers become integers, longs or big integers by \
              their size, all others doubles. Of two equal keys the later value counts. \
              What follows a complete object or array is ignored. The empty string stays the empty string.",
    parameters: &[required("json", Kind::Text, "the JSON text")],
    returns: "what the text holds, or null for null",
    errors: &[
        "the argument is neither a string nor null",
        "the text is not JSON, or nests too deep",
    ],
    examples: &[
        example(
            "TO_JSON_OBJECT('{\"a\": [1, 2.5, null]}')",
            "{a=[1, 2.5, null]}",
        ),
        example("TO_JSON_OBJECT('3') + 1", "4"),
        example("TO_JSON_OBJECT('') == ''", "true"),
        example("TO_JSON_OBJECT(null)", "null"),
        fails("TO_JSON_OBJECT('{bad')", "E0216"),
        fails("TO_JSON_OBJECT(3)", "E0203"),
    ],
    see: &[
        "TO_JSON_MAP",
        "TO_JSON_LIST",
        "JSON_PATH",
        "MAP_GET",
        "TO_STRING",
    ],
    words: &["parse", "decode", "deserialize"],
    run: |call| read(call, Wanted::Any),
    ..SPEC
};

const TO_JSON_MAP: FunctionSpec = FunctionSpec {
    name: "TO_JSON_MAP",
    family: Family::Json,
    summary: "Reads a JSON object as a map.",
    details: "The map keeps the order of the keys; of two equal keys the later value counts. \
              What follows the complete object is ignored. The empty string stays the empty string, \
              and the JSON text null gives null.",
    parameters: &[required("json", Kind::Text, "the JSON text of an object")],
    returns: "the map, or null for null",
    errors: &[
        "the argument is neither a string nor null",
        "the text is not JSON, not an object, or nests too deep",
    ],
    examples: &[
        example(
            "TO_JSON_MAP('{\"ip\": \"10.0.0.1\", \"port\": 443}')",
            "{ip=10.0.0.1, port=443}",
        ),
        example("MAP_GET('b', TO_JSON_MAP('{\"a\": 1, \"b\": 2}'))", "2"),
        example("TO_JSON_MAP('{\"a\": 1} and more')", "{a=1}"),
        example("TO_JSON_MAP(null)", "null"),
        fails("TO_JSON_MAP('[1]')", "E0216"),
    ],
    see: &["TO_JSON_OBJECT", "TO_JSON_LIST", "MAP_GET"],
    words: &["parse", "decode", "deserialize", "dictionary"],
    run: |call| read(call, Wanted::Map),
    ..SPEC
};

const TO_JSON_LIST: FunctionSpec = FunctionSpec {
    name: "TO_JSON_LIST",
    family: Family::Json,
    summary: "Reads a JSON array as a list.",
    details: "What follows the complete array is ignored. The empty string stays the empty string, \
              and the JSON text null gives null.",
    parameters: &[required("json", Kind::Text, "the JSON text of an array")],
    returns: "the list, or null for null",
    errors: &[
        "the argument is neither a string nor null",
        "the text is not JSON, not an array, or nests too deep",
    ],
    examples: &[
        example(
            "TO_JSON_LIST('[1, \"x\", 10000000000]')",
            "[1, x, 10000000000]",
        ),
        example("TO_JSON_LIST('[]')", "[]"),
        example("TO_JSON_LIST(null)", "null"),
        fails("TO_JSON_LIST('123, 456')", "E0216"),
        fails("TO_JSON_LIST('{\"a\": 1}')", "E0216"),
    ],
    see: &["TO_JSON_OBJECT", "TO_JSON_MAP", "GET", "SPLIT"],
    words: &["parse", "decode", "deserialize", "array"],
    run: |call| read(call, Wanted::List),
    ..SPEC
};

/// What a function wants the text to hold.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    Map,
    List,
}

fn read(call: &mut Call<'_, '_>, wanted: Wanted) -> Outcome<Value> {
    let text = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::Text(text) if text.is_empty() => return Ok(Value::Text(text.clone())),
        Value::Text(text) => text,
        _ => return Err(call.wrong_type(0, "a string")),
    };
    let value = parse_json(text, true, &call.context().limits).map_err(|mut fault| {
        fault.message = format!("{}: {}", call.name, fault.message);
        fault.of_argument(0)
    })?;
    let expected = match (wanted, &value) {
        (Wanted::Map, Value::Map(_) | Value::Null) => return Ok(value),
        (Wanted::List, Value::List(_) | Value::Null) => return Ok(value),
        (Wanted::Any, _) => return Ok(value),
        (Wanted::Map, _) => "an object",
        (Wanted::List, _) => "an array",
    };
    let found = match &value {
        Value::Map(_) => "an object",
        Value::List(_) => "an array",
        Value::Text(_) => "a string",
        Value::Bool(_) => "a boolean",
        _ => "a number",
    };
    let message = format!(
        "{} expects the JSON text of {expected}, not of {found}",
        call.name
    );
    Err(Diagnostic::new(Code::NotJson, message).of_argument(0))
}

/// Reads a JSON text. With `prefix_allowed` anything may follow a complete object or array.
///
/// Errors: E0216, E0302, E0304.
pub(crate) fn parse_json(text: &str, prefix_allowed: bool, limits: &Limits) -> Outcome<Value> {
    if text.trim().is_empty() {
        return Err(Diagnostic::new(
            Code::NotJson,
            "the text is blank, not JSON",
        ));
    }
    let read = if prefix_allowed {
        json::read_prefix
    } else {
        json::read
    };
    let value = read(text, limits.depth).map_err(|bad| match bad.kind {
        BadKind::TooDeep => Diagnostic::new(Code::Nesting, "the JSON nests too deep"),
        _ => bad_json(Code::NotJson, &bad),
    })?;
    check_sizes(&value, limits.collection)?;
    Ok(value)
}

/// Fails when any collection is larger than `limit`; the parser has bounded the depth.
fn check_sizes(value: &Value, limit: usize) -> Outcome<()> {
    match value {
        Value::List(list) => {
            check_size(list.len(), limit)?;
            list.with(|items| items.iter().try_for_each(|item| check_sizes(item, limit)))
        }
        Value::Map(map) => {
            check_size(map.len(), limit)?;
            map.with(|entries| {
                entries
                    .values()
                    .try_for_each(|item| check_sizes(item, limit))
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::text::to_text;

    fn parsed(text: &str) -> Result<String, Code> {
        parse_json(text, true, &Limits::default())
            .map(|value| to_text(&value).to_string())
            .map_err(|fault| fault.code)
    }

    #[test]
    fn later_values_win_at_the_first_place() {
        let value = parsed(r#"{"a": 1, "b": 2, "a": 3}"#);
        assert_eq!(value.as_deref(), Ok("{a=3, b=2}"));
    }

    #[test]
    fn what_follows_counts_only_behind_collections() {
        assert_eq!(parsed("[1] 2").as_deref(), Ok("[1]"));
        assert_eq!(parsed("{\"a\":1}}").as_deref(), Ok("{a=1}"));
        assert_eq!(parsed(" 1 ").as_deref(), Ok("1"));
        for text in [
            "123, 456", "1]", "10.0.0.1", "nulls", "  ", "01", "{a:1}", "'a'",
        ] {
            assert_eq!(parsed(text), Err(Code::NotJson), "{text}");
        }
        let strict = parse_json("[1] 2", false, &Limits::default());
        assert!(strict.is_err());
    }

    #[test]
    fn numbers_take_the_smallest_type() {
        for (text, kind) in [
            ("2147483647", "Integer"),
            ("2147483648", "Long"),
            ("9223372036854775808", "BigInteger"),
            ("1.0", "Double"),
            ("1e400", "Double"),
            ("-0", "Integer"),
        ] {
            let value = parse_json(text, true, &Limits::default());
            assert_eq!(value.map(|v| v.type_name()).map_err(|f| f.code), Ok(kind));
        }
    }

    #[test]
    fn limits_hold() {
        let limits = Limits {
            depth: 3,
            collection: 3,
            ..Limits::default()
        };
        let code = |text: &str| parse_json(text, true, &limits).err().map(|f| f.code);
        assert_eq!(code("[[[1]]]"), None);
        assert_eq!(code("[[[[1]]]]"), Some(Code::Nesting));
        assert_eq!(code(&"[".repeat(1_000_000)), Some(Code::Nesting));
        assert_eq!(code("[1,2,3,4]"), Some(Code::CollectionSize));
        assert_eq!(code("[{\"a\":[1,2,3,4]}]"), Some(Code::CollectionSize));
    }
}
