//! `alert`: what a rule says of an alert, with the defaults for the rest.

use super::logline::LuaEvent;
use super::shared::{NoteKind, Shared};
use super::values::{from_lua, loose_text, textual};
use crate::eval::Value;
use crate::eval::collections::{Map, MapKind};
use crate::rule::alert::{Alert, RISK, TRIM_LOGS};
use crate::rule::layout::Layout;
use crate::rule::template;
use mlua::{Result, Table, Value as LuaValue};
use smol_str::SmolStr;

/// How many events an alert may be given.
const LOGS: usize = 100_000;

/// Raises an alert. Errors: no table; too many alerts in this call.
pub(super) fn raise(shared: &Shared, fields: &LuaValue) -> Result<()> {
    let Some(fields) = fields.as_table() else {
        let message = format!("alert needs a table, not {}", fields.type_name());
        return Err(mlua::Error::runtime(message));
    };
    shared.check()?;
    shared.guard.alert().map_err(mlua::Error::external)?;
    let text = |name: &str| -> Result<SmolStr> {
        let value: LuaValue = fields.raw_get(name)?;
        Ok(loose_text(&value)?.unwrap_or_default())
    };
    let mut logs = Vec::new();
    events(shared, &fields.raw_get("logs")?, &mut logs, 0)?;
    let total = logs.len();
    let trim_logs = number(fields, "trim_logs")?.map_or(TRIM_LOGS, |n| n.max(0.0) as usize);
    let first_and_last_logs = flag(fields, "first_and_last_logs")?;
    let first = logs.first().cloned();
    if first_and_last_logs && total > 2 {
        logs.drain(1..total - 1);
    }
    logs.truncate(trim_logs);
    let meta: LuaValue = fields.raw_get("meta")?;
    let meta = match from_lua(&meta)? {
        Value::Null => Value::Map(Map::empty(MapKind::Ordered)),
        Value::List(list) if list.is_empty() => Value::Map(Map::empty(MapKind::Ordered)),
        meta => meta,
    };
    let template = text("template")?.to_string();
    let (time, own_time) = time(shared, logs.last().or(first.as_ref()));
    let mut alert = Alert {
        rule: shared.name.clone(),
        time,
        own_time,
        text: template.clone(),
        template,
        template_error: None,
        risk_level: number(fields, "risk_level")?.unwrap_or(RISK),
        asset_ip: text("asset_ip")?,
        asset_hostname: text("asset_hostname")?,
        asset_fqdn: text("asset_fqdn")?,
        asset_mac: text("asset_mac")?,
        create_incident: flag(fields, "create_incident")?,
        assign_to_customer: flag(fields, "assign_to_customer")?,
        incident_identifier: text("incident_identifier")?,
        incident_group: text("incident_group")?,
        trim_logs,
        first_and_last_logs,
        logs_total: total,
        logs,
        mitre: techniques(&fields.raw_get("mitre")?)?,
        meta,
    };
    render(shared, &mut alert, first);
    shared.alerts.borrow_mut().push(alert);
    Ok(())
}

/// Puts the template's result into the alert; a template that fails stays as it is, and the alert says why.
fn render(shared: &Shared, alert: &mut Alert, first: Option<Map>) {
    if !alert.template.contains("{{") {
        return;
    }
    let first = first.map_or(Value::Null, Value::Map);
    let root = Map::of_texts([("First", first), ("Meta", alert.meta.clone())]);
    // The time is that of the call, whose guard knows a busy machine from a busy rule.
    let late = || shared.check().is_err();
    let limits = template::Limits {
        late: Some(&late),
        ..template::Limits::default()
    };
    let rendered = shared
        .template(&alert.template)
        .and_then(|template| template.render(&Value::Map(root), &limits));
    match rendered {
        Ok(text) => alert.text = text,
        Err(fault) => {
            let text = format!("the template of the alert: {}", fault.message);
            shared.note(NoteKind::Error, None, text);
            alert.template_error = Some(fault.message);
        }
    }
}

/// A number, or a text that is one; `None` for anything else.
fn number(fields: &Table, name: &str) -> Result<Option<f64>> {
    let number = match fields.raw_get(name)? {
        LuaValue::Number(x) => Some(x),
        LuaValue::Integer(n) => Some(n as f64),
        LuaValue::String(text) => text.to_str().ok().and_then(|text| text.trim().parse().ok()),
        _ => None,
    };
    Ok(number.filter(|x: &f64| x.is_finite()))
}

fn flag(fields: &Table, name: &str) -> Result<bool> {
    Ok(matches!(fields.raw_get(name)?, LuaValue::Boolean(true)))
}

/// The events among what the rule gave: events, lists of them, and tables that are no lists.
fn events(shared: &Shared, value: &LuaValue, found: &mut Vec<Map>, depth: usize) -> Result<()> {
    if found.len() >= LOGS {
        return Ok(());
    }
    match value {
        LuaValue::UserData(data) => {
            if let Ok(event) = data.borrow::<LuaEvent>() {
                found.push(event.own().map().clone());
            }
        }
        LuaValue::Table(table) if depth < 4 => {
            if table.raw_len() == 0 {
                if let Value::Map(map) = from_lua(value)? {
                    found.push(map);
                }
                return Ok(());
            }
            for (at, element) in table.sequence_values::<LuaValue>().enumerate() {
                if at % 1024 == 1023 {
                    shared.check()?;
                }
                events(shared, &element?, found, depth + 1)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Techniques: a list of texts; one text or number counts as a list of one.
fn techniques(value: &LuaValue) -> Result<Vec<SmolStr>> {
    let found = match from_lua(value)? {
        Value::Null => Vec::new(),
        Value::List(list) => list.items(),
        Value::Map(map) => map.entries().into_iter().map(|(_, v)| v).collect(),
        one => vec![one],
    };
    let found = found.iter().map(textual);
    Ok(found.filter(|text| !text.is_empty()).collect())
}

/// The time of an event, as `@timestamp` says it or else the time field of a grouper; else of the event before, else
/// now. Whether the event says it.
pub(super) fn time(shared: &Shared, event: Option<&Map>) -> (i64, bool) {
    let read = |event: &Map, path: &str, layout: &Layout| {
        let time = crate::rule::event::get(event, path)?;
        layout.read(&textual(&time)).ok()
    };
    let time = event.and_then(|event| {
        let groupers = shared.groupers.borrow();
        let mut grouped = groupers.iter();
        read(event, "@timestamp", &shared.stamp)
            .or_else(|| grouped.find_map(|one| read(event, &one.path, &one.layout)))
    });
    match time {
        Some(moment) => {
            shared.time.set(Some(moment.millis()));
            (moment.millis(), true)
        }
        None => (shared.time.get().unwrap_or_else(|| (shared.now)()), false),
    }
}
