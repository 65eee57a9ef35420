//! `stellar rule`: correlation rules in Lua, tried and run, and those of the store.

mod check;
mod events;
pub mod library;
mod list;
mod metrics;
mod named;
mod report;
mod results;
mod retro;
mod run;
mod shelf;
mod test;

use super::args::Common;
use super::setup;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::rule::grouper::{Scope, When};
use crate::rule::lua::{Escapes, Options};
use clap::{Args, Subcommand};
use std::sync::Arc;
use std::time::Duration;

/// Parts of `stellar rule`.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Reads rules and says what is wrong with them.
    Check(check::CheckArgs),
    /// Runs rules over test events and shows what they did.
    Test(test::TestArgs),
    /// Runs rules over events and writes their alerts as JSON Lines.
    Run(run::RunArgs),
    /// Runs rules of the store over the past: the messages of the event store, in the order in which they were detected.
    Retro(retro::RetroArgs),
    /// Lists the rules of the store.
    List(list::ListArgs),
    /// Stores rules.
    Add(shelf::AddArgs),
    /// Removes rules from the store, with their results and saved groups.
    Remove {
        /// Their names or identifiers.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Sets rules of the store to work.
    Activate {
        /// Their names or identifiers.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Lets rules of the store rest.
    Deactivate {
        /// Their names or identifiers.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Shows the alerts of a rule that the store keeps.
    Results(results::ResultsArgs),
    /// Removes old alerts from the store, and rows of table lists whose time is over.
    Clean(results::CleanArgs),
    /// Prints rules with all that belongs to them, so that add takes them again.
    Export(shelf::ExportArgs),
    /// Rules that come with the program: lists them, prints one.
    Library(library::LibraryArgs),
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
    /// How long a call may take, in milliseconds; 50 unless given, or said by the rule's options.
    #[arg(long, value_name = "MS")]
    pub time: Option<u64>,
    /// How much memory a rule may take, in MiB, for its values and groups together, unless its settings say that.
    #[arg(long, value_name = "MIB")]
    pub memory: Option<usize>,
}
/// How long a call may take at most, in milliseconds.
const LONGEST: u64 = 60_000;

/// Runs the command.
pub fn rule(common: &Common, command: &RuleCommand) -> Outcome<bool> {
    let engine = &setup::engine(common)?;
    match command {
        RuleCommand::Check(args) => check::check(engine, args),
        RuleCommand::Test(args) => test::test(engine, args),
        RuleCommand::Run(args) => run::run(engine, args),
        RuleCommand::Retro(args) => retro::retro(engine, args),
        RuleCommand::List(args) => list::list(engine, args),
        RuleCommand::Add(args) => shelf::add(engine, args),
        RuleCommand::Remove { names } => shelf::remove(engine, names),
        RuleCommand::Activate { names } => shelf::set_active(engine, names, true),
        RuleCommand::Deactivate { names } => shelf::set_active(engine, names, false),
        RuleCommand::Results(args) => results::results(engine, args),
        RuleCommand::Clean(args) => results::clean(engine, args),
        RuleCommand::Export(args) => shelf::export(engine, args),
        RuleCommand::Library(args) => library::library(args),
    }
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
    if let Some(time) = choices.time {
        options.limits.time = Duration::from_millis(time.clamp(1, LONGEST));
    }
    if let Some(memory) = choices.memory {
        options.limits = options.limits.of_rule_memory(memory);
    }
    options
}
