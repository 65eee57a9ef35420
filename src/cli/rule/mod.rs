//! `stellar rule`: correlation rules in Lua, tried and run.

mod check;
mod events;
mod run;
mod test;

use super::args::Common;
use super::setup;
use crate::diagnostic::{Fault, Outcome};
use crate::engine::Engine;
use crate::eval::json::read_object;
use crate::input::read_text;
use crate::rule::grouper::{Scope, When};
use crate::rule::lua::{Escapes, Options};
use crate::rule::trial::Written;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Parts of `stellar rule`.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Reads rules and says what is wrong with them.
    Check {
        /// Lua texts, or rules as JSON (the API's shape).
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Runs rules over test events and shows what they did.
    Test(test::TestArgs),
    /// Runs rules over events and writes their alerts as JSON Lines.
    Run(run::RunArgs),
}
/// How rules are run.
#[derive(Debug, Clone, Args)]
pub struct Choices {
    /// Calls the rule once for each group after all events of a batch, not at every event.
    #[arg(long)]
    pub batch: bool,
    /// `clear` removes all groups, not the group that the rule is called for.
    #[arg(long)]
    pub clear_all: bool,
    /// Escapes that Lua does not know lose their backslash.
    #[arg(long)]
    pub drop_escapes: bool,
}
/// Runs the command.
pub fn rule(common: &Common, command: &RuleCommand) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    match command {
        RuleCommand::Check { files } => check::check(&engine, files),
        RuleCommand::Test(args) => test::test(&engine, args),
        RuleCommand::Run(args) => run::run(&engine, args),
    }
}

/// The rule in a file: JSON where it begins with a brace, else Lua.
fn read(engine: &Engine, path: &Path) -> Outcome<Written> {
    let text = read_text(path)?;
    let name = path.display().to_string();
    if text.trim_start().starts_with('{') {
        let map = read_object(&text, engine.context.limits.depth)?;
        let mut rule = Written::map(&map).map_err(|fault| named(fault, &name))?;
        if rule.name == "rule" {
            rule.name = name.into();
        }
        return Ok(rule);
    }
    Ok(Written::text(&name, text))
}

fn named(mut fault: Fault, name: &str) -> Fault {
    fault.message = format!("{name}: {}", fault.message);
    fault
}

fn options(engine: &Engine, choices: &Choices) -> Options {
    let clock = engine.context.clock.clone();
    let mut options = Options {
        now: Arc::new(move || clock.now()),
        ..Options::default()
    };
    if choices.batch {
        options.when = When::AfterBatch;
    }
    if choices.clear_all {
        options.clear = Scope::All;
    }
    if choices.drop_escapes {
        options.escapes = Escapes::Drop;
    }
    options
}
