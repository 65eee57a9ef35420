//! `stellar rule check`

use super::Choices;
use super::named::{Named, gather};
use crate::cli::args::CheckFormat;
use crate::cli::output;
use crate::diagnostic::{Fault, Outcome, json as fault_json};
use crate::engine::Engine;
use crate::rule::check::{self, Findings};
use crate::rule::lua::{Options, Running};
use clap::Args;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// `stellar rule check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files with Lua or JSON (the API's shape), or names of rules of the store.
    #[arg(required_unless_present = "stored", value_name = "RULE")]
    pub rules: Vec<String>,
    /// All rules of the store.
    #[arg(long)]
    pub stored: bool,
    /// How the rules are run.
    #[command(flatten)]
    pub choices: Choices,
    /// Warnings count as errors.
    #[arg(long)]
    pub deny_warnings: bool,
    /// How to print what is wrong.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
}

/// Loads a rule as it would be run, with empty table lists. Errors: those of its filters, its modules and its text.
pub fn load(engine: &Engine, one: &Named) -> Outcome<Running> {
    let clock = engine.context.clock.clone();
    let options = Options {
        now: Arc::new(move || clock.now()),
        ..Options::default()
    };
    check::load(&one.bundle, options, &engine.context)
}

/// Runs the command.
pub fn check(engine: &Engine, args: &CheckArgs) -> Outcome<bool> {
    let mut good = true;
    let mut objects = Vec::new();
    let mut all = Vec::new();
    for argument in &args.rules {
        // What is wrong with one file is no reason to keep silent about the next.
        match gather(engine, std::slice::from_ref(argument)) {
            Ok(found) => all.extend(found),
            Err(fault) => {
                good = false;
                let found = Findings {
                    errors: vec![fault],
                    ..Findings::default()
                };
                tell(args.format, argument, &found, &mut objects)?;
            }
        }
    }
    if args.stored {
        all.extend(super::named::all(engine, &Default::default())?);
    }
    for one in &all {
        engine.context.check_cancelled()?;
        let label = one.label();
        let options = super::options(engine, &args.choices);
        let mut found = check::check(&one.bundle, &label, options, &engine.context);
        let passed_over = one.bundle.notes.iter();
        found
            .warnings
            .extend(passed_over.map(|note| (None, note.clone())));
        let warned = args.deny_warnings && !found.warnings.is_empty();
        good &= found.errors.is_empty() && !warned;
        tell(args.format, &label, &found, &mut objects)?;
    }
    if args.format == CheckFormat::Json {
        output::line(&Json::Array(objects).to_string())?;
    }
    Ok(good)
}

/// Prints what was found; as one JSON array it is put to the others.
fn tell(
    format: CheckFormat,
    label: &str,
    found: &Findings,
    objects: &mut Vec<Json>,
) -> Outcome<()> {
    match format {
        CheckFormat::Text => say(label, found),
        CheckFormat::Json => objects.extend(each(label, found)),
        CheckFormat::Jsonl => each(label, found)
            .iter()
            .try_for_each(|object| output::line(&object.to_string()))?,
    }
    Ok(())
}

fn say(label: &str, found: &Findings) {
    found.errors.iter().for_each(output::complain);
    for (line, text) in &found.warnings {
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        output::note(&format!("{label}{line}: {text}"));
    }
}

fn each(label: &str, found: &Findings) -> Vec<Json> {
    let error = |fault: &Fault| {
        let mut object = fault_json(fault);
        let file = fault.source.as_ref().map(|source| source.name.as_str());
        object["file"] = json!(file);
        object["rule"] = json!(label);
        object["severity"] = json!("error");
        object
    };
    let warning = |(line, text): &(Option<u32>, String)| json!({"message": text, "line": line, "file": label, "rule": label, "severity": "warning"});
    let errors = found.errors.iter().map(error);
    errors.chain(found.warnings.iter().map(warning)).collect()
}
