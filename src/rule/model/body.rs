//! The body of a request: bytes that become one JSON object, or nothing.

use super::Refusal;
use serde_json::{Map, Value as Json};
use std::collections::HashSet;

/// How many bytes a body has at most.
pub const BODY: usize = 16 << 20;

/// Reads the object that is the body of a request; see [`read_json`].
pub fn read_body(bytes: &[u8]) -> Result<Map<String, Json>, Refusal> {
    match read_json(bytes)? {
        Json::Object(map) => Ok(map),
        other => {
            let reason = format!("the body is {}, not an object", kind(&other));
            Err(Refusal::bad("", reason))
        }
    }
}

/// Reads the body of a request. Refused: what is no UTF-8, no JSON, nested deeper than 127 levels or larger than 16 MiB,
/// a name that stands twice in an object, and NUL characters, which no store keeps.
pub fn read_json(bytes: &[u8]) -> Result<Json, Refusal> {
    let refuse = |reason: String| Err(Refusal::bad("", reason));
    if bytes.len() > BODY {
        return refuse(format!("the body is larger than {BODY} bytes"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            return refuse(format!(
                "the body is not UTF-8: byte {} is wrong",
                error.valid_up_to() + 1
            ));
        }
    };
    let json: Json = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => return refuse(format!("the body is not JSON: {error}")),
    };
    if let Some(path) = twice(text) {
        return Err(Refusal::bad(path, "stands twice in the body"));
    }
    if let Some(path) = nul(&json) {
        return Err(Refusal::bad(path, "holds a NUL character"));
    }
    Ok(json)
}

/// What a value is, in words.
pub fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// An object or a list that is open.
enum Open {
    Object { keys: HashSet<String>, last: String },
    List(usize),
}

/// The path of the first name that stands twice in an object of `text`, which is JSON.
fn twice(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    // Whether a text that begins now would be a name.
    let mut name = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => {
                open.push(Open::Object {
                    keys: HashSet::new(),
                    last: String::new(),
                });
                name = true;
            }
            b'[' => {
                open.push(Open::List(0));
                name = false;
            }
            b'}' | b']' => {
                open.pop();
                name = false;
            }
            b',' => match open.last_mut() {
                Some(Open::List(index)) => *index += 1,
                _ => name = true,
            },
            b'"' => {
                let end = string_end(bytes, at);
                if name && let Some(Open::Object { keys, last }) = open.last_mut() {
                    let read = text.get(at..end).and_then(|t| serde_json::from_str(t).ok());
                    *last = read.unwrap_or_default();
                    if !keys.insert(last.clone()) {
                        return Some(path(&open));
                    }
                    name = false;
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Behind the text that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    end
}

fn path(open: &[Open]) -> String {
    let mut path = String::new();
    for one in open {
        let part = match one {
            Open::Object { last, .. } => last.clone(),
            Open::List(index) => index.to_string(),
        };
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&part);
    }
    path
}

/// The path of the first text with a NUL character; the name itself may hold it.
fn nul(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => text.contains('\0').then(String::new),
        Json::Array(list) => {
            let mut found = list.iter().enumerate();
            found.find_map(|(index, one)| Some(join(&index.to_string(), &nul(one)?)))
        }
        Json::Object(map) => map
            .iter()
            .find_map(|(name, value)| match name.contains('\0') {
                true => Some(name.escape_debug().to_string()),
                false => Some(join(name, &nul(value)?)),
            }),
        _ => None,
    }
}

fn join(first: &str, rest: &str) -> String {
    match rest {
        "" => first.to_string(),
        rest => format!("{first}.{rest}"),
    }
}
