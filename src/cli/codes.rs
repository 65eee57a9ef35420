//! `stellar help`: what an error code means, and the way to other help.

use super::args::{Args, Common, HelpArgs};
use super::{output, setup};
use crate::diagnostic::{CODES, Code, Diagnostic, Outcome, explanation, lint_names, nearest};
use crate::functions::help;
use clap::CommandFactory;

/// Runs the command.
pub fn help(common: &Common, args: &HelpArgs) -> Outcome<bool> {
    let mut command = Args::command();
    // Only a built command knows the whole name of its subcommands.
    command.build();
    let Some(topic) = &args.topic else {
        output::line(&command.render_help().to_string())?;
        return Ok(true);
    };
    if let Some(code) = Code::parse(topic) {
        output::line(&output::page(&explanation(code.info())))?;
        return Ok(true);
    }
    if let Some(found) = command.find_subcommand_mut(topic) {
        output::line(&found.render_long_help().to_string())?;
        return Ok(true);
    }
    let engine = setup::engine(common)?;
    if let Some(page) = help::help(&engine.registry, topic, &engine.context)? {
        output::line(&output::page(&page))?;
        return Ok(true);
    }
    let names = CODES.iter().map(|info| info.name).chain(lint_names());
    let near = nearest(topic, names)
        .map(str::to_string)
        .or_else(|| engine.context.functions.nearest(topic));
    Err(
        Diagnostic::new(Code::Usage, format!("there is no help on {topic}"))
            .did_you_mean(near.as_deref()),
    )
}
