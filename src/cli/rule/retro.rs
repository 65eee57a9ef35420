//! `stellar rule retro`: rules of the store over the past.

use crate::cli::{output, setup};
use crate::config::parse_now;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::engine::rules::retro::{Past, run};
use clap::Args;
use std::sync::Arc;

/// `stellar rule retro`
#[derive(Debug, Args)]
pub struct RetroArgs {
    /// Names or identifiers of rules of the store.
    #[arg(required = true, value_name = "RULE")]
    pub rules: Vec<String>,
    /// From when on: ISO 8601, or milliseconds since 1970.
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// Until before when; now unless given.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// A source of the configuration in place of the event store.
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// Sends alerts to the sinks of the configuration, too.
    #[arg(long)]
    pub sinks: bool,
    /// Does not keep alerts as results of their rules.
    #[arg(long)]
    pub no_results: bool,
}

/// Runs the rules and says what they did.
pub fn retro(engine: &Engine, args: &RetroArgs) -> Outcome<bool> {
    setup::show_warnings();
    let zone = &engine.context.zone;
    let time = |text: &str| parse_now(text, |at| zone.offset_millis(at));
    let past = Past {
        rules: args.rules.clone(),
        from: time(&args.from)?,
        to: match &args.to {
            Some(text) => time(text)?,
            None => engine.context.clock.now(),
        },
        source: args.source.clone(),
        sinks: args.sinks,
        results: !args.no_results,
    };
    let stop = engine.context.cancel.clone();
    setup::end_at_termination(&stop)?;
    let done = run(engine, &past, &stop, Arc::new(output::note))?;
    output::line(&format!(
        "{} events, {} alerts, {} failed calls",
        done.events, done.alerts, done.failed
    ))?;
    Ok(done.failed == 0)
}
