//! `stellar rule test`

use super::Choices;
use super::events::each_event;
use super::named::{Named, gather};
use super::report::report;
use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::rule::overlay::Overlay;
use crate::rule::tables::MemoryTables;
use crate::rule::trial::filtered;
use clap::Args;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::sync::Arc;

/// `stellar rule test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files with Lua or JSON (the API's shape, with test_data), or names of rules of the store.
    #[arg(required_unless_present = "stored", value_name = "RULE")]
    pub rules: Vec<String>,
    /// All rules of the store.
    #[arg(long)]
    pub stored: bool,
    /// Events in place of the rules' own.
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Table lists are empty, whatever the store holds; what rules write to them is kept nowhere in any case.
    #[arg(long)]
    pub no_tables: bool,
    /// Shows all events, also when they are many and nothing happened at them.
    #[arg(long)]
    pub all: bool,
    /// The exit code is 1 unless each rule raises so many alerts.
    #[arg(long, value_name = "N")]
    pub expect: Option<usize>,
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
    let mut all = gather(engine, &args.rules)?;
    if args.stored {
        all.extend(super::named::all(engine, &Default::default())?);
    }
    let given = match args.events.is_empty() {
        true => None,
        false => {
            let mut events = Vec::new();
            each_event(engine, &args.events, |event| {
                events.push(event);
                Ok(())
            })?;
            Some(events)
        }
    };
    let mut good = true;
    let mut objects = Vec::new();
    for one in &all {
        one.bundle.notes.iter().for_each(|note| output::note(note));
        let ready = one.ready(engine).map_err(|fault| one.placed(fault))?;
        let mut options = super::options(engine, &args.choices);
        options.tables = match args.no_tables {
            true => Arc::new(MemoryTables::default()),
            false => {
                let tables = crate::rule::active::options(context).tables;
                Arc::new(Overlay::new(tables, usize::MAX))
            }
        };
        let mut running = ready.load(options).map_err(|fault| one.placed(fault))?;
        let events = given.as_deref().unwrap_or(&ready.written.test_data);
        if events.is_empty() {
            output::note(&format!(
                "{} has no test_data; --events FILE gives it events",
                one.label()
            ));
        }
        let filters = Some((ready.filters.as_slice(), context));
        let done = filtered(&mut running, events, filters, || context.check_cancelled())?;
        let missed = args.expect.is_some_and(|n| n != done.alerts.len());
        good &= done.faults().next().is_none() && !missed;
        if args
            .format
            .is_none_or(|f| matches!(f, ListFormat::Text | ListFormat::Table))
        {
            output::line(report(&one.label(), events, &done, args.all).trim_end())?;
        } else {
            objects.push(object(one, Value::Map(done.to_map()))?);
        }
        if missed {
            let (found, wanted) = (done.alerts.len(), args.expect.unwrap_or_default());
            output::note(&format!("{}: {found} alerts, not {wanted}", one.label()));
        }
    }
    match args.format {
        Some(ListFormat::Json) => output::line(&Json::Array(objects).to_string())?,
        _ => objects
            .iter()
            .try_for_each(|object| output::line(&object.to_string()))?,
    }
    Ok(good)
}

fn object(one: &Named, report: Value) -> Outcome<Json> {
    let mut object = json!({"rule": one.bundle.rule.name});
    let file = one.file.as_ref().map(|file| file.display().to_string());
    object["file"] = json!(file);
    if let (Json::Object(fields), Json::Object(more)) = (&mut object, to_json(&report)?) {
        fields.extend(more);
    }
    Ok(object)
}
