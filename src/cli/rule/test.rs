//! `stellar rule test`

use super::events::each_event;
use super::{Choices, options, read};
use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::rule::lua::NoteKind;
use crate::rule::trial::{Trial, Written, trial};
use clap::Args;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// `stellar rule test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Lua texts, or rules as JSON (the API's shape) with their test_data.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Events in place of the rules' own.
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// How the rules are run.
    #[command(flatten)]
    pub choices: Choices,
    /// text for people, json for programs.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}
/// Runs the command.
pub fn test(engine: &Engine, args: &TestArgs) -> Outcome<bool> {
    let context = &engine.context;
    let given = match args.events.is_empty() {
        true => None,
        false => {
            let mut all = Vec::new();
            each_event(engine, &args.events, |event| {
                all.push(event);
                Ok(())
            })?;
            Some(all)
        }
    };
    let mut good = true;
    let mut reports = Vec::new();
    for file in &args.files {
        let rule = read(engine, file)?;
        let mut running = rule.load(options(engine, &args.choices))?;
        let events = given.as_deref().unwrap_or(&rule.test_data);
        let done = trial(&mut running, events, || context.check_cancelled())?;
        good &= done.faults().next().is_none();
        match args.format {
            None | Some(ListFormat::Text | ListFormat::Table) => {
                output::line(report(&rule, &done).trim_end())?;
            }
            Some(_) => {
                let mut object = to_json(&Value::Map(done.to_map()))?;
                if let Json::Object(fields) = &mut object {
                    fields.insert("rule".to_string(), json!(rule.name.as_str()));
                }
                reports.push(object);
            }
        }
    }
    match args.format {
        Some(ListFormat::Json) => output::line(&Json::Array(reports).to_string())?,
        _ => reports
            .iter()
            .try_for_each(|report| output::line(&report.to_string()))?,
    }
    Ok(good)
}

/// What a rule did, for people.
fn report(rule: &Written, done: &Trial) -> String {
    let mut text = format!(
        "{}: {} events, {} alerts\n",
        rule.name,
        done.events,
        done.alerts.len()
    );
    for (at, note) in &done.notes {
        let kind = match note.kind {
            NoteKind::Log => "log",
            NoteKind::Error => "error",
            NoteKind::Stop => "stopped",
            NoteKind::Warning => "warning",
        };
        let line = note
            .line
            .map_or_else(String::new, |line| format!(", line {line}"));
        text += &format!(
            "  event {}, {}{line}: {kind}: {}\n",
            at + 1,
            note.entry,
            note.text
        );
    }
    for (at, alert) in &done.alerts {
        let first = alert.text.lines().next().unwrap_or_default();
        text += &format!(
            "  event {}: alert, risk {}: {first}\n",
            at + 1,
            alert.risk_level
        );
        for more in alert.text.lines().skip(1) {
            text += &format!("    {more}\n");
        }
        for (name, value) in [
            ("asset", alert.asset_hostname.as_str()),
            ("address", alert.asset_ip.as_str()),
            ("incident", alert.incident_identifier.as_str()),
            ("ATT&CK", alert.mitre.join(" ").as_str()),
            (
                "template",
                alert.template_error.as_deref().unwrap_or_default(),
            ),
        ] {
            if !value.is_empty() {
                text += &format!("    {name}: {value}\n");
            }
        }
        text += &format!("    events: {} of {}\n", alert.logs.len(), alert.logs_total);
    }
    for one in done.counters.iter().filter(|one| one.calls > 0) {
        text += &format!(
            "  {}: {} calls, {} errors, {} stops\n",
            one.name, one.calls, one.errors, one.stops
        );
    }
    for (name, fed, left, late) in &done.groups {
        text += &format!("  groups of {name}: {fed} events fed, {late} late, {left} groups left\n");
    }
    text
}
