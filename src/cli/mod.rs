//! The command line: one file a subcommand.

mod args;
mod check;
mod codes;
mod collect;
mod convert;
mod docs;
mod doctor;
mod eval;
mod event;
mod events;
mod fmt;
mod interrupt;
mod kernel;
mod legacy;
mod library;
mod missing;
mod output;
mod pipeline;
mod pipeline_live;
mod pipeline_tools;
mod plot;
mod profile;
mod profile_server;
mod progress;
mod query;
mod rule;
mod run;
mod serve;
mod setup;
mod store;

use crate::diagnostic::{Code, Fault, Outcome};
use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = match legacy::rewrite(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("stellar: {message}");
            return ExitCode::from(2);
        }
    };
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    output::choose_colors(args.common.color);
    setup::start_log(&args.common);
    match dispatch(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            output::complain(&fault);
            ExitCode::from(exit_code(&fault))
        }
    }
}

/// 2 for wrong use, else 1.
fn exit_code(fault: &Fault) -> u8 {
    match fault.code {
        Code::Usage | Code::Configuration | Code::UnknownKey => 2,
        _ => 1,
    }
}

/// Runs one subcommand; `false` when the program or the data failed and that has been said already.
fn dispatch(args: Args) -> Outcome<bool> {
    let common = args.common;
    match args.command {
        Some(Command::Eval(command)) => eval::eval(&common, &command),
        Some(Command::Filter(command)) => events::filter(&common, &command),
        Some(Command::Map(command)) => events::map(&common, &command),
        Some(Command::Run(command)) => run::run(&common, &command),
        Some(Command::Store(command)) => store::store(&common, &command),
        Some(Command::Enrich(command)) => store::enrich(&common, &command),
        Some(Command::Profile(command)) => profile::profile(&common, &command),
        Some(Command::Event(command)) => event::event(&common, &command),
        Some(Command::Pipeline(command)) => pipeline::pipeline(&common, &command),
        Some(Command::Query(command)) => query::query(&common, &command),
        Some(Command::Collect(command)) => collect::collect(&common, &command),
        Some(Command::Serve(command)) => serve::serve(&common, &command),
        Some(Command::Convert(command)) => convert::convert(&command),
        Some(Command::Kernel(command)) => kernel::kernel(&common, &command),
        Some(Command::Rule(command)) => rule::rule(&common, &command),
        Some(Command::Doctor { format }) => doctor::doctor(&common, format),
        Some(Command::Check(command)) => check::check(&common, &command),
        Some(Command::Fmt(command)) => fmt::fmt(&common, &command),
        Some(Command::Docs(command)) => docs::docs(&common, &command),
        Some(Command::Help(command)) => codes::help(&common, &command),
        Some(Command::Completions(command)) => docs::completions(&command),
        None => run::standard_input(&common),
    }
}
