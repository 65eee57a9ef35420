//! What the visual constructor drew (`frontend_data`, version 2) as the Lua text of a rule.
//!
//! Whatever is not known is a [`Found`] with its path, never left out in silence. What is known but stands for
//! nothing, as in the samples of the platform's documentation, is compiled and noted.

mod alert;
mod condition;
mod lua;
mod read;
#[cfg(test)]
mod tests;

use crate::rule::layout::Layout;
use crate::rule::{duration, layout};
use lua::Writer;
use read::{Fields, Reader};
use serde_json::Value as Json;

/// The version that is understood.
pub const VERSION: i64 = 2;

/// How many conditions, actions and fields of a list there may be.
pub const MAX_PARTS: usize = 10_000;

/// How many table lists a rule may use: Lua has at most 200 local variables.
pub const MAX_STORES: usize = 100;

/// How deep conditions may stand in one another.
pub const MAX_DEPTH: usize = 100;

/// Something about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands in `frontend_data`, such as `conditions[0].compareFn`; empty for the whole.
    pub path: String,
    /// What was expected and what was found.
    pub reason: String,
}

/// A compiled rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The Lua text.
    pub lua: String,
    /// What has no effect, or another than it seems.
    pub notes: Vec<Found>,
}

/// Compiles what was drawn; otherwise says everything that is wrong with it.
pub fn compile(data: &Json) -> Result<Drawn, Vec<Found>> {
    let mut reader = Reader::default();
    let text = reader
        .object(data, "")
        .and_then(|fields| rule(&mut reader, fields));
    match text {
        Some(lua) if reader.wrong.is_empty() => Ok(Drawn {
            lua,
            notes: reader.notes,
        }),
        _ => Err(reader.wrong),
    }
}

fn rule(reader: &mut Reader, fields: Fields<'_>) -> Option<String> {
    match fields.get("version").and_then(Json::as_i64) {
        Some(VERSION) => {}
        _ => {
            let found = fields
                .get("version")
                .map_or("nothing".to_string(), read::shown);
            reader.wrong(
                &fields.path("version"),
                format!("must be {VERSION}, not {found}"),
            );
            return None;
        }
    }
    let known = ["version", "alert", "grouper", "actions", "conditions"];
    reader.only(&fields, &known);
    let condition = condition::compile(reader, &fields);
    let alert = alert::alert(reader, &fields);
    let actions = alert::actions(reader, &fields);
    let grouper = grouper(reader, &fields);
    let mut out = Writer::default();
    out.line("-- Made of what the visual constructor drew.");
    if let Some(name) = &alert.name {
        out.line(&format!("-- {}", name.replace(['\n', '\r'], " ")));
    }
    out.line("");
    for (place, name) in reader.stores.iter().enumerate() {
        let name = lua::text(name);
        out.line(&format!("local store{} = storage.new({name})", place + 1));
    }
    if !reader.stores.is_empty() {
        out.line("");
    }
    if reader.stores.len() > MAX_STORES {
        reader.wrong("", format!("uses more than {MAX_STORES} table lists"));
    }
    out.open("function on_logline(logline)");
    if let Some(condition) = &condition {
        out.open(&format!("if {condition} then"));
    }
    match &grouper {
        Some(_) => out.line("grouper1:feed(logline)"),
        None => {
            alert.write(&mut out, "{logline}");
            actions.write(&mut out);
        }
    }
    if condition.is_some() {
        out.close("end");
    }
    out.close("end");
    if let Some(grouper) = grouper {
        out.line("");
        out.open("function on_grouped(grouped)");
        out.line("local loglines = grouped.aggregatedData.loglines");
        out.line("local logline = loglines[1]");
        out.open(&format!("if {} then", grouper.threshold));
        alert.write(&mut out, "loglines");
        actions.write(&mut out);
        out.line("grouper1:clear()");
        out.close("end");
        out.close("end");
        out.line("");
        out.line(&grouper.made);
    }
    Some(out.finish())
}

/// The grouper of a rule.
struct Grouper {
    /// The condition on its counts.
    threshold: String,
    /// The statement that makes it.
    made: String,
}

fn grouper(reader: &mut Reader, whole: &Fields<'_>) -> Option<Grouper> {
    let fields = match whole.get("grouper") {
        None | Some(Json::Null) => return None,
        Some(json) => reader.object(json, &whole.path("grouper"))?,
    };
    let known = [
        "id",
        "trace_id",
        "name",
        "grouped_by",
        "aggregated_by",
        "grouped_time_field",
        "grouped_time_type",
        "detection_windows",
        "detection_windows_unit",
        "aggregate_count",
        "aggregate_unique",
    ];
    reader.only(&fields, &known);
    for name in ["id", "trace_id", "name"] {
        reader.text(&fields, name);
    }
    let grouped_by = reader.texts(&fields, "grouped_by");
    let aggregated_by = reader.texts(&fields, "aggregated_by");
    let mut field = reader
        .text(&fields, "grouped_time_field")
        .unwrap_or_default();
    let layout = time_type(reader, &fields);
    if field.is_empty() {
        field = "@timestamp".to_string();
    }
    if field.contains(',') {
        let path = fields.path("grouped_time_field");
        reader.wrong(
            &path,
            "a path has no comma; the layout stands in grouped_time_type",
        );
    }
    let window = window(reader, &fields);
    let count = reader.whole(&fields, "aggregate_count", 1, i64::from(u32::MAX));
    let unique = reader.boolean(&fields, "aggregate_unique").unwrap_or(false);
    let counted = if unique { "unique" } else { "aggregated" };
    let list = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| lua::text(name)).collect();
        format!("{{{}}}", names.join(", "))
    };
    let made = format!(
        "grouper1 = grouper.new({}, {}, {}, {}, on_grouped)",
        list(&grouped_by),
        list(&aggregated_by),
        lua::text(&format!("{field}{layout}")),
        lua::text(&window.unwrap_or_default()),
    );
    Some(Grouper {
        threshold: format!(
            "grouped.aggregatedData.{counted}.total >= {}",
            count.unwrap_or(1)
        ),
        made,
    })
}

/// The layout of times with a comma before it, or nothing for the usual one.
fn time_type(reader: &mut Reader, fields: &Fields<'_>) -> String {
    let name = "grouped_time_type";
    let text = reader.text(fields, name).unwrap_or_default();
    if text.is_empty() {
        return String::new();
    }
    let named = layout::NAMED.iter().any(|(known, _)| *known == text);
    let sample = Layout::new("").is_ok_and(|usual| usual.read(&text).is_ok());
    // The documentation shows a time where a layout belongs. The time that layouts are made of is one.
    if !named && sample && !text.starts_with("2006-01-02T15:04:05") {
        let reason = "is a time, not the layout of one; RFC3339Nano is taken";
        reader.note(&fields.path(name), reason);
        return String::new();
    }
    if let Err(fault) = Layout::new(&text) {
        let help = fault
            .help
            .map(|help| format!("; {help}"))
            .unwrap_or_default();
        reader.wrong(&fields.path(name), fault.message + &help);
    }
    format!(",{text}")
}

fn window(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    let count = reader.whole(fields, "detection_windows", 1, i64::from(u32::MAX));
    let unit = reader.text(fields, "detection_windows_unit");
    let (Some(count), Some(unit)) = (count, unit) else {
        for name in ["detection_windows", "detection_windows_unit"] {
            if matches!(fields.get(name), None | Some(Json::Null)) {
                reader.wrong(&fields.path(name), "is missing");
            }
        }
        return None;
    };
    if !["ms", "s", "m", "h"].contains(&unit.as_str()) {
        let path = fields.path("detection_windows_unit");
        reader.wrong(&path, format!("must be ms, s, m or h, not {unit:?}"));
        return None;
    }
    let window = format!("{count}{unit}");
    if duration::window(&window).is_err() {
        let path = fields.path("detection_windows");
        reader.wrong(&path, "the window is longer than 292 years");
    }
    Some(window)
}
