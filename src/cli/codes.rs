//! `stellar help`: what an error code means, and the way to other help.

use super::args::{Args, Common, HelpArgs};
use super::{output, setup};
use crate::diagnostic::{CODES, Code, CodeInfo, Diagnostic, Outcome, nearest};
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
        output::line(&explanation(code.info()))?;
        return Ok(true);
    }
    if let Some(found) = command.find_subcommand_mut(topic) {
        output::line(&found.render_long_help().to_string())?;
        return Ok(true);
    }
    let engine = setup::engine(common)?;
    if let Some(text) = help::help(&engine.registry, topic, &engine.context)? {
        output::line(&text)?;
        return Ok(true);
    }
    let near = nearest(topic, CODES.iter().map(|info| info.name))
        .map(str::to_string)
        .or_else(|| engine.context.functions.nearest(topic));
    Err(
        Diagnostic::new(Code::Usage, format!("there is no help on {topic}"))
            .did_you_mean(near.as_deref()),
    )
}

/// A code with its cause and its cure.
pub fn explanation(info: &CodeInfo) -> String {
    let mut text = format!(
        "{}: {}\n\nCause: {}\nCure: {}",
        info.name, info.title, info.cause, info.cure
    );
    if !info.example.is_empty() {
        text.push_str(&format!("\nExample: {}", info.example));
    }
    text
}
