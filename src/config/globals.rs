//! `--globals FILE`: Metron's `global.json` or `profiler.properties`.

use super::{Config, global_name, properties, secret};
use crate::diagnostic::{Code, Diagnostic, Outcome, Source, Span};
use serde_json::{Map, Value as Json};
use std::path::Path;
use std::sync::Arc;

/// What the profiler that writes calls it, and what the client that reads calls it.
const WRITER_KEYS: [(&str, &str); 5] = [
    (
        "profiler.period.duration",
        "profiler.client.period.duration",
    ),
    (
        "profiler.period.duration.units",
        "profiler.client.period.duration.units",
    ),
    (
        "profiler.hbase.salt.divisor",
        "profiler.client.salt.divisor",
    ),
    ("profiler.hbase.table", "profiler.client.hbase.table"),
    (
        "profiler.hbase.column.family",
        "profiler.client.hbase.column.family",
    ),
];

/// Puts the entries of a file into the globals, over what is there. E0501 when it is neither form.
pub(super) fn merge(config: &mut Config, path: &Path, bytes: &[u8]) -> Outcome<()> {
    let name = path.display().to_string();
    let json = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"))
        || String::from_utf8_lossy(bytes)
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('{');
    let mut entries = if json {
        read_json(&name, bytes)?
    } else {
        read_properties(&name, bytes)?
    };
    for (writer, client) in WRITER_KEYS {
        let Some(value) = entries.get(writer).cloned() else {
            continue;
        };
        match entries.get(client) {
            Some(own) if text(own) != text(&value) => config.notes.push(format!(
                "{name} sets both {writer} and {client}, and not to the same: reading uses {client}"
            )),
            Some(_) => {}
            None => {
                entries.insert(client.to_string(), value);
            }
        }
    }
    for (key, value) in entries {
        config.origins.insert(global_name(&key), name.clone());
        config.globals.insert(key, value);
    }
    Ok(())
}

fn text(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_string)
}

fn read_properties(name: &str, bytes: &[u8]) -> Outcome<Map<String, Json>> {
    let entries = properties::parse(bytes).map_err(|what| {
        Diagnostic::new(
            Code::Configuration,
            format!("{name} is no properties file: {what}"),
        )
    })?;
    Ok(entries
        .into_iter()
        .map(|(key, value)| (key, Json::String(value)))
        .collect())
}

fn read_json(name: &str, bytes: &[u8]) -> Outcome<Map<String, Json>> {
    let content = std::str::from_utf8(bytes)
        .map_err(|_| Diagnostic::new(Code::NotUtf8, format!("{name} is not UTF-8")))?
        .trim_start_matches('\u{feff}');
    let fault = |span: Span, message: &str| {
        Diagnostic::at(Code::Configuration, span, message)
            .in_source(&Arc::new(Source::named(name, secret::mask_source(content))))
    };
    match serde_json::from_str(content) {
        Ok(Json::Object(entries)) => Ok(entries),
        Ok(_) => Err(fault(
            Span::default(),
            "the global configuration must be a JSON object",
        )),
        Err(error) => {
            let line: usize = content
                .split_inclusive('\n')
                .take(error.line().saturating_sub(1))
                .map(str::len)
                .sum();
            let at = (line + error.column().saturating_sub(1)).min(content.len());
            // serde names the place in the text, which the caret shows already.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Err(fault(
                Span::new(at, at),
                &format!("this is not JSON: {message}"),
            ))
        }
    }
}
