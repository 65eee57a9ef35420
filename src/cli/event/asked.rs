//! What is asked on the command line: parameters, times, lengths, names of columns.

use super::Desk;
use super::args::{PagingArgs, QueryArgs};
use crate::cli::output;
use crate::config::{self, parse_now};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::event::query::{Query, parse_time};
use crate::event::{Column, shape};
use serde_json::{Map, Value as Json, json};

/// The query of `--where` and its companions; what has no effect is said.
pub fn query(desk: &Desk, args: &QueryArgs, paging: &PagingArgs) -> Outcome<Query> {
    let query = silent_query(desk, args, paging)?;
    query.notes.iter().for_each(|note| output::note(note));
    Ok(query)
}

/// The query, for who looks at its notes.
pub fn silent_query(desk: &Desk, args: &QueryArgs, paging: &PagingArgs) -> Outcome<Query> {
    let mut parameters = match &args.parameters {
        Some(text) => parameters(desk, text)?,
        None => Map::new(),
    };
    let mut put = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            parameters.insert(name.to_string(), value);
        }
    };
    put("sortby", paging.sort.as_ref().map(|text| json!(text)));
    put("limit", paging.limit.map(|n| json!(n)));
    put("page", paging.page.map(|n| json!(n)));
    let query = Query::from_json(&Json::Object(parameters)).map_err(wrong)?;
    query.check()?;
    Ok(query)
}

/// Parameters of a wrong type or value are wrong use of the command.
fn wrong(mut fault: Fault) -> Fault {
    if matches!(fault.code, Code::ArgumentType | Code::ArgumentValue) {
        fault.code = Code::Usage;
    }
    fault
}

/// An object of JSON, or an expression that gives a map.
fn parameters(desk: &Desk, text: &str) -> Outcome<Map<String, Json>> {
    let wrong = |what: &str| {
        Diagnostic::new(Code::Usage, format!("--where: {what}")).help(
            "write {\"source_addrs\": [\"192.0.2.0/24\"]} or the same as a map of the language",
        )
    };
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(parameters)) => return Ok(parameters),
        Ok(_) => return Err(wrong("the parameters are no object of JSON")),
        Err(_) if text.trim().is_empty() => return Err(wrong("there are no parameters")),
        Err(_) => {}
    }
    let evaluated = desk.engine.evaluate(text).map_err(|mut fault| {
        if !matches!(fault.code, Code::Interrupted | Code::Timeout) {
            fault.message = format!("--where: {}", fault.message);
            fault.code = Code::Usage;
        }
        fault
    });
    match evaluated? {
        map @ Value::Map(_) => match to_json(&map)? {
            Json::Object(parameters) => Ok(parameters),
            _ => Err(wrong("the parameters are no map")),
        },
        Value::Null => Err(wrong("the parameters are null")),
        other => Err(wrong(&format!(
            "the parameters are {}, not a map",
            other.kind_in_words()
        ))),
    }
}

/// Columns by their names; wrong ones are wrong use of the command.
pub fn columns(names: &[String]) -> Outcome<Vec<Column>> {
    names.iter().map(|name| column(name)).collect()
}

/// A column by its name.
pub fn column(name: &str) -> Outcome<Column> {
    shape::column(name.trim()).map_err(|mut fault| {
        fault.code = Code::Usage;
        fault
    })
}

/// A time in microseconds, as `--now` takes it, with more digits if there are any; now without.
pub fn time(desk: &Desk, text: Option<&str>) -> Outcome<i64> {
    let Some(text) = text else {
        return Ok(desk.now());
    };
    // Only a time with a zone means the same everywhere.
    let zoned = text.contains(['Z', 'z', '+']);
    if let Some(micros) = parse_time(text).filter(|_| zoned) {
        return Ok(micros);
    }
    let zone = &desk.engine.context.zone;
    parse_now(text, |utc| zone.offset_millis(utc))?
        .checked_mul(1000)
        .ok_or_else(|| Diagnostic::new(Code::Usage, format!("{text} is beyond all years")))
}

/// A time, or an age such as `90d` before now.
pub fn time_or_age(desk: &Desk, text: &str) -> Outcome<i64> {
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'z' | 'Z'));
    match has_unit {
        true => Ok(desk.now().saturating_sub(length(text)?)),
        false => time(desk, Some(text)),
    }
}

/// A length of time in microseconds, such as `6d`.
pub fn length(text: &str) -> Outcome<i64> {
    let wrong = |why: String| Diagnostic::new(Code::Usage, format!("{text}: {why}"));
    let length = config::duration(text).map_err(wrong)?;
    i64::try_from(length.as_micros()).map_err(|_| wrong("this is too long".into()))
}
