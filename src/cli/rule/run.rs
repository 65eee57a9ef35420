//! `stellar rule run`

use super::Choices;
use super::events::each_event;
use super::named::{Named, gather};
use crate::cli::output;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::rule::active::{Fleet, Manner, Outcomes, Ready, Which};
use crate::rule::lua::NoteKind;
use crate::rule::overlay::Overlay;
use crate::rule::store::Search;
use ahash::HashMap;
use clap::Args;
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// How many events go to the rules at once.
const BATCH: usize = 1024;
/// How many batches wait for the rules.
const WAITING: usize = 3;
/// How many notes of a rule are shown; the rest is counted.
const SHOWN: u64 = 10;

/// `stellar rule run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A rule: a file with Lua or JSON (the API's shape), or the name of one of the store; may be given several times.
    #[arg(
        short,
        long = "rule",
        required_unless_present = "active",
        value_name = "RULE"
    )]
    pub rules: Vec<String>,
    /// All active rules of the store, but those for the past.
    #[arg(long)]
    pub active: bool,
    /// JSON Lines, CSV, TSV or Zeek logs, also packed; standard input when none is named.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How the rules are run.
    #[command(flatten)]
    pub choices: Choices,
    /// Keeps in the store what its rules raise, count, and write to table lists; else the store is only read.
    #[arg(long)]
    pub record: bool,
    /// How many threads run rules; each rule stays on one.
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Says at the end what was read and what each rule did.
    #[arg(long)]
    pub stats: bool,
}

/// What came out so far.
#[derive(Default)]
struct Sum {
    alerts: u64,
    /// Notes of each rule.
    notes: HashMap<SmolStr, u64>,
}

/// Runs the command.
pub fn run(engine: &Engine, args: &RunArgs) -> Outcome<bool> {
    let rules = ready(engine, args)?;
    let mut options = super::options(engine, &args.choices);
    let tables = crate::rule::active::options(&engine.context).tables;
    options.tables = match args.record {
        true => tables,
        false => Arc::new(Overlay::new(tables, usize::MAX)),
    };
    let manner = Manner {
        runner: SmolStr::new_static("rule run"),
        threads: args.jobs.unwrap_or(0),
        results: args.record,
        counts: args.record,
        ..Manner::default()
    };
    let fleet = Fleet::with(&engine.context, Which::Given(rules), manner, options)?;
    let mut sum = Sum::default();
    let mut read = 0u64;
    let mut next = Vec::with_capacity(BATCH);
    let bad = each_event(engine, &args.files, |event| {
        read += 1;
        next.push(event);
        if next.len() >= BATCH {
            fleet.send(std::mem::replace(&mut next, Vec::with_capacity(BATCH)))?;
            while fleet.waiting() > WAITING {
                let Some(outcomes) = fleet.receive()? else {
                    break;
                };
                sum.take(outcomes, args.record)?;
            }
        }
        Ok(())
    })?;
    // Also without events: what the rules said when they were loaded is told.
    fleet.send(next)?;
    while let Some(outcomes) = fleet.receive()? {
        sum.take(outcomes, args.record)?;
    }
    for (name, notes) in &sum.notes {
        if *notes > SHOWN {
            output::note(&format!("{name}: {} more notes", notes - SHOWN));
        }
    }
    fleet.end().iter().for_each(|told| output::note(told));
    let metrics = fleet.metrics();
    let failed: u64 = metrics.iter().map(|one| one.errors + one.stops).sum();
    if args.stats {
        for one in &metrics {
            let mut line = format!("{}: {} events", one.name, one.events);
            for (number, what) in [
                (one.filtered, "filtered"),
                (one.alerts, "alerts"),
                (one.dropped, "alerts dropped"),
                (one.errors, "errors"),
                (one.stops, "stops"),
                (one.late, "late"),
                (one.evicted, "evicted"),
                (one.groups, "groups left"),
            ] {
                if number > 0 {
                    line += &format!(", {number} {what}");
                }
            }
            output::note(&line);
        }
        let alerts = sum.alerts;
        output::note(&format!(
            "read {read}, bad {bad}, alerts {alerts}, failed calls {failed}"
        ));
    }
    Ok(bad == 0 && failed == 0)
}

/// The rules to run. Errors: those of rules that cannot be loaded, before anything is read.
fn ready(engine: &Engine, args: &RunArgs) -> Outcome<Vec<Ready>> {
    let mut all = gather(engine, &args.rules)?;
    if args.active {
        let search = Search {
            active: Some(true),
            retro: Some(false),
            ..Search::default()
        };
        all.extend(super::named::all(engine, &search)?);
    }
    if all.is_empty() {
        let message = "the store has no active rules";
        return Err(Diagnostic::new(Code::BadRule, message)
            .help("stellar rule activate NAME sets one to work"));
    }
    let mut known = HashSet::new();
    let mut ready = Vec::with_capacity(all.len());
    for one in &all {
        let mut rule = made(engine, one)?;
        if one.file.is_some() {
            // It is in no store, whatever the file says.
            rule.rule = None;
            rule.id = SmolStr::new(one.label());
        }
        if known.insert(rule.id.clone()) {
            ready.push(rule);
        } else {
            output::note(&format!("{} is named twice and run once", one.label()));
        }
    }
    Ok(ready)
}

fn made(engine: &Engine, one: &Named) -> Outcome<Ready> {
    one.bundle.notes.iter().for_each(|note| output::note(note));
    let ready = one.ready(engine);
    let loaded = ready.and_then(|ready| super::check::load(engine, one).map(|_| ready));
    loaded.map_err(|fault| one.placed(fault))
}

impl Sum {
    /// Prints what was raised, and shows what was said.
    fn take(&mut self, outcomes: Outcomes, recorded: bool) -> Outcome<()> {
        for one in outcomes.raised {
            self.alerts += u64::from(!one.notice);
            let mut json = to_json(&Value::Map(one.to_map()))?;
            if !recorded && let Json::Object(map) = &mut json {
                // It would lead nowhere.
                map.shift_remove("id");
            }
            output::line(&json.to_string())?;
        }
        for said in outcomes.said {
            if said.note.kind == NoteKind::Log {
                continue;
            }
            let shown = self.notes.entry(said.name.clone()).or_default();
            *shown += 1;
            if *shown <= SHOWN {
                let line = said.note.line;
                let line = line.map_or_else(String::new, |line| format!(":{line}"));
                let (name, note) = (&said.name, &said.note);
                output::note(&format!("{name}{line}: {}: {}", note.entry, note.text));
            }
        }
        outcomes.told.iter().for_each(|told| output::note(told));
        Ok(())
    }
}
