//! The alert and what else a rule does when it fires.

use super::condition::operand;
use super::lua::{self, Writer};
use super::read::{Fields, Reader, shown};
use crate::rule::duration;
use crate::rule::template::Template;
use serde_json::Value as Json;

/// An alert.
#[derive(Debug, Default)]
pub(super) struct Alert {
    /// What the rule is called there.
    pub name: Option<String>,
    /// Fields and their expressions, in order.
    fields: Vec<(&'static str, String)>,
}

impl Alert {
    /// Writes the call, over an expression for the events.
    pub fn write(&self, out: &mut Writer, logs: &str) {
        out.open("alert({");
        for (name, expression) in &self.fields {
            out.line(&format!("{name} = {expression},"));
        }
        out.line(&format!("logs = {logs},"));
        out.close("})");
    }
}

/// Texts that are taken as they are.
const TEXTS: &[&str] = &["incident_identifier", "incident_group"];

/// Paths of the event whose first value is taken.
const ASSETS: &[&str] = &["asset_ip", "asset_hostname", "asset_fqdn", "asset_mac"];

/// Truth values.
const BOOLEANS: &[&str] = &[
    "create_incident",
    "assign_to_customer",
    "first_and_last_logs",
];

/// Reads the alert.
pub(super) fn alert(reader: &mut Reader, whole: &Fields<'_>) -> Alert {
    let path = whole.path("alert");
    let json = whole.get("alert").unwrap_or(&Json::Null);
    let Some(fields) = reader.object(json, &path) else {
        return Alert::default();
    };
    let mut known = vec![
        "id",
        "trace_id",
        "name",
        "risk_level",
        "trim_logs",
        "template",
        "mitre",
    ];
    known.extend(TEXTS.iter().chain(ASSETS).chain(BOOLEANS));
    reader.only(&fields, &known);
    for name in ["id", "trace_id"] {
        reader.text(&fields, name);
    }
    let mut alert = Alert {
        name: reader.text(&fields, "name").filter(|name| !name.is_empty()),
        fields: Vec::new(),
    };
    let template = reader.text(&fields, "template").unwrap_or_default();
    if let Err(fault) = Template::parse(&template) {
        reader.wrong(&fields.path("template"), fault.message);
    }
    alert.fields.push(("template", lua::text(&template)));
    match fields.get("risk_level") {
        None | Some(Json::Null) => {}
        Some(Json::Number(number))
            if number.as_f64().is_some_and(|n| (0.0..=10.0).contains(&n)) =>
        {
            alert.fields.push(("risk_level", number.to_string()));
        }
        Some(other) => {
            let reason = format!("must be a number from 0 to 10, not {}", shown(other));
            reader.wrong(&fields.path("risk_level"), reason);
        }
    }
    for name in ASSETS {
        let path = reader.text(&fields, name).unwrap_or_default();
        let expression = format!("logline:get_asset_data({})", lua::text(&path));
        alert.fields.push((name, expression));
    }
    for name in BOOLEANS {
        if let Some(truth) = reader.boolean(&fields, name) {
            alert.fields.push((name, truth.to_string()));
        }
    }
    if let Some(count) = reader.whole(&fields, "trim_logs", 0, i64::from(u32::MAX)) {
        alert.fields.push(("trim_logs", count.to_string()));
    }
    for name in TEXTS {
        if let Some(text) = reader.text(&fields, name) {
            alert.fields.push((name, lua::text(&text)));
        }
    }
    let mitre = match fields.get("mitre") {
        Some(Json::Array(_)) => reader.texts(&fields, "mitre"),
        _ => {
            let text = reader.text(&fields, "mitre").unwrap_or_default();
            let words = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
            words
                .filter(|word| !word.is_empty())
                .map(str::to_string)
                .collect()
        }
    };
    let mitre: Vec<String> = mitre.iter().map(|word| lua::text(word)).collect();
    alert
        .fields
        .push(("mitre", format!("{{{}}}", mitre.join(", "))));
    alert
}

/// What a rule does beside its alert.
#[derive(Debug, Default)]
pub(super) struct Actions {
    statements: Vec<String>,
}

impl Actions {
    /// Writes the statements.
    pub fn write(&self, out: &mut Writer) {
        for statement in &self.statements {
            out.line(statement);
        }
    }
}

/// Reads the actions.
pub(super) fn actions(reader: &mut Reader, whole: &Fields<'_>) -> Actions {
    let mut actions = Actions::default();
    for (item, path) in reader.list(whole, "actions") {
        if let Some(fields) = reader.object(item, &path) {
            let _ = action(reader, &fields, &mut actions);
        }
    }
    actions
}

fn action(reader: &mut Reader, fields: &Fields<'_>, actions: &mut Actions) -> Option<()> {
    let kind = reader.needed(fields, "type")?;
    if kind != "store-set" {
        reader.wrong(
            &fields.path("type"),
            format!("must be store-set, not {kind:?}"),
        );
        return None;
    }
    reader.only(
        fields,
        &["type", "id", "store", "key", "column", "value", "TTL"],
    );
    let store = reader.needed(fields, "store")?;
    let column = reader.needed(fields, "column")?;
    let key = key(reader, fields, &column)?;
    let value_path = fields.path("value");
    let value = match fields.get("value") {
        Some(Json::String(text)) => lua::text(text),
        Some(json @ Json::Object(_)) => operand(reader, json, &value_path, false)?.lua,
        Some(Json::Number(number)) => number.to_string(),
        Some(Json::Bool(truth)) => truth.to_string(),
        other => {
            let found = other.map_or("nothing".to_string(), shown);
            reader.wrong(
                &value_path,
                format!("must be a text or an operand, not {found}"),
            );
            return None;
        }
    };
    let lifetime = match lifetime(reader, fields) {
        Some(lifetime) => format!(", {lifetime}"),
        None => String::new(),
    };
    let variable = reader.store(&store);
    let column = lua::text(&column);
    actions.statements.push(format!(
        "{variable}:set({key}, {column}, {value}{lifetime})"
    ));
    Some(())
}

/// The key of the row: what is said for the column, otherwise for all of them.
fn key(reader: &mut Reader, fields: &Fields<'_>, column: &str) -> Option<String> {
    let path = fields.path("key");
    let columns = reader.object(fields.get("key").unwrap_or(&Json::Null), &path)?;
    let mut chosen = None;
    for (name, json) in columns.all() {
        let place = columns.path(name);
        let found = operand(reader, json, &place, false)?;
        if name == column || (name == "_default" && chosen.is_none()) {
            chosen = Some(found.lua);
        } else if name != "_default" {
            reader.note(
                &place,
                format!("is the key of another column than {column}"),
            );
        }
    }
    if chosen.is_none() {
        reader.wrong(&path, "has neither _default nor the column");
    }
    chosen
}

/// How long the row lives: seconds, or a length of time.
fn lifetime(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    match fields.get("TTL") {
        None | Some(Json::Null) => None,
        Some(Json::Number(number)) if number.as_f64().is_some_and(|n| n >= 0.0) => {
            Some(number.to_string())
        }
        Some(Json::String(text)) if text.is_empty() => None,
        Some(Json::String(text)) => {
            let seconds = text.parse::<f64>().is_ok_and(|n| n.is_finite() && n >= 0.0);
            if seconds || duration::parse(text).is_ok_and(|length| length >= 0) {
                return Some(lua::text(text));
            }
            let reason = format!("{text:?} is no length of time; the row has no end");
            reader.note(&fields.path("TTL"), reason);
            None
        }
        Some(other) => {
            let reason = format!("must be a length of time, not {}", shown(other));
            reader.wrong(&fields.path("TTL"), reason);
            None
        }
    }
}
