//! `stellar serve`: the HTTP API.

use super::args::{Common, ListFormat};
use super::{output, setup};
use crate::collect::Tasks;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::engine::rules::ActiveRules;
use crate::server;
use clap::Args;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a signal is looked for.
const TICK: Duration = Duration::from_millis(20);

/// `stellar serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen instead of serve.listen; port 0 is any, which is said.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Does not log every request.
    #[arg(long)]
    pub quiet: bool,
    /// Does not go on with the tasks of collections that an earlier program left.
    #[arg(long)]
    pub no_tasks: bool,
    /// Demands every field of a rule that its platform has, but for lua.
    #[arg(long)]
    pub strict_api: bool,
    /// Does not run the active rules.
    #[arg(long)]
    pub no_rules: bool,
    /// Lists what can be asked for and ends.
    #[arg(long)]
    pub routes: bool,
    /// How to print that list.
    #[arg(long, value_enum, requires = "routes")]
    pub format: Option<ListFormat>,
}

/// Serves until Ctrl-C or SIGTERM; what has begun is finished then.
pub fn serve(common: &Common, args: &ServeArgs) -> Outcome<bool> {
    let mut engine = setup::engine(common)?;
    if args.strict_api {
        Arc::make_mut(&mut engine.config).serve.strict_api = true;
    }
    if args.routes {
        return routes(&engine, args.format);
    }
    setup::show_requests(args.quiet);
    let config = &engine.config;
    let listen = args.listen.as_ref().unwrap_or(&config.serve.listen);
    let path = |path: &std::path::Path| engine.path(path);
    let rules = match args.no_rules {
        true => None,
        false => Some(ActiveRules::start(
            &engine,
            Arc::new(output::note),
            Arc::new(output::complain),
        )?),
    };
    let serving = server::start(config, listen, engine.endpoints(), &path)?;
    if let Some(rules) = &rules {
        serving.counts(rules.metrics());
    }
    let stop = engine.context.cancel.clone();
    setup::end_at_termination(&stop)?;
    let tasks = engine.context.services.get::<Tasks>();
    if let Some(tasks) = tasks.as_ref().filter(|_| !args.no_tasks) {
        // Tasks end by themselves, in order; the flag is for the program.
        let mut context = engine.context.clone();
        context.cancel = Arc::default();
        tasks.look_after(&context)?;
    }
    output::line(&format!("listening at {}", serving.url()))?;
    for note in &serving.notes {
        output::note(note);
    }
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(TICK);
    }
    serving.end(&AtomicBool::new(false));
    // After the last request, so that what was taken is finished.
    drop(rules);
    if let Some(tasks) = tasks {
        tasks.leave(&AtomicBool::new(true), &output::note);
    }
    Ok(true)
}

fn routes(engine: &Engine, format: Option<ListFormat>) -> Outcome<bool> {
    let all = server::all_endpoints(engine.endpoints());
    let rows = all.iter().map(|endpoint| {
        let right = endpoint.right.map_or("", |right| right.name());
        json!({
            "method": endpoint.method.name(), "path": endpoint.path, "right": right, "does": endpoint.summary,
        })
    });
    let columns = ["method", "path", "right", "does"];
    output::table(ListFormat::or_usual(format), &columns, rows.collect())?;
    Ok(true)
}
