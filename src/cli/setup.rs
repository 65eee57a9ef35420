//! From the common arguments to an engine and its variables.

use super::args::{Common, VariableArgs};
use super::output;
use crate::collect::Tasks;
use crate::config::{Config, Options, Surroundings};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::{Engine, Overrides};
use crate::eval::text::to_text;
use crate::eval::{self, Value, json};
use smol_str::SmolStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Starts the log on standard error when it is wanted.
pub fn start_log(common: &Common) {
    let Some(level) = &common.log else { return };
    let filter = tracing_subscriber::EnvFilter::new(level);
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Logs requests on standard error, and what is warned of, unless a log was started; `quiet` leaves out the requests.
pub fn show_requests(quiet: bool) {
    let filter = if quiet {
        "warn"
    } else {
        "warn,stellar::serve=info"
    };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(output::in_color())
        .try_init();
}

/// Shows what is warned of while something runs, one note each, unless a log was started.
pub fn show_warnings() {
    let _ = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .event_format(Notes)
        .try_init();
}

/// Warnings in the form of [`output::note`].
struct Notes;

impl<S, N> FormatEvent<S, N> for Notes
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> std::fmt::Result {
        writer.write_str("note: ")?;
        context
            .field_format()
            .format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}

/// Reads the configuration and makes the engine, which Ctrl-C stops.
pub fn engine(common: &Common) -> Outcome<Engine> {
    let engine = quiet_engine(common)?;
    super::interrupt::listen(&engine.context.cancel);
    Ok(engine)
}

/// The same without listening to Ctrl-C.
pub fn quiet_engine(common: &Common) -> Outcome<Engine> {
    let options = Options {
        config: common.config.clone(),
        globals: common.globals.clone(),
        set: common.set.clone(),
    };
    let around = Surroundings::of_process();
    let config = Config::load(&options, &around)?;
    for note in config.notes() {
        output::note(note);
    }
    let overrides = Overrides {
        now: common.now.clone(),
        tz: common.tz.clone(),
        locale: common.locale.clone(),
    };
    Engine::new(config, &around, &overrides)
}

/// Ends what runs in the background: collection tasks that go on for ever are paused, others are waited for.
pub fn leave(engine: &Engine) {
    if let Some(tasks) = engine.context.services.get::<Tasks>() {
        tasks.leave(&engine.context.cancel, &output::note);
    }
}

/// Lets SIGTERM set `stop`, as Ctrl-C does; a second one ends the program. Errors: E0901.
pub fn end_at_termination(stop: &Arc<AtomicBool>) -> Outcome<()> {
    let term = signal_hook::consts::SIGTERM;
    signal_hook::flag::register_conditional_shutdown(term, 143, stop.clone())
        .and_then(|_| signal_hook::flag::register(term, stop.clone()))
        .map_err(|error| {
            let text = format!("SIGTERM cannot be listened to: {error}");
            Diagnostic::new(Code::Internal, text)
        })?;
    Ok(())
}

/// The engine, and what its functions want to say beside their values.
pub fn listening(common: &Common) -> Outcome<Engine> {
    let mut engine = engine(common)?;
    engine
        .context
        .services
        .add(Arc::new(eval::Notes::default()));
    Ok(engine)
}

/// Shows what functions have said.
pub fn say(engine: &Engine) {
    let notes = engine.context.services.get::<eval::Notes>();
    for note in notes.iter().flat_map(|notes| notes.take()) {
        output::note(&note);
    }
}

/// The variables that the command line gives, files first.
pub fn variables(args: &VariableArgs, depth: usize) -> Outcome<Vec<(SmolStr, Value)>> {
    let mut variables = match &args.vars {
        Some(path) => variables_file(path, depth)?,
        None => Vec::new(),
    };
    for text in &args.var {
        let Some((name, value)) = text.split_once('=') else {
            return Err(
                Diagnostic::new(Code::Usage, format!("--var {text} lacks its ="))
                    .help("write --var NAME=VALUE"),
            );
        };
        let value = json::read(value, depth).unwrap_or_else(|_| Value::text(value));
        variables.push((name.trim().into(), value));
    }
    Ok(variables)
}

/// The entries of a JSON object in a file.
pub fn variables_file(path: &Path, depth: usize) -> Outcome<Vec<(SmolStr, Value)>> {
    let text = crate::input::read_text(path)?;
    let object = json::read_object(&text, depth).map_err(|mut fault| {
        fault.message = format!("{}: {}", path.display(), fault.message);
        fault
    })?;
    Ok(object
        .entries()
        .into_iter()
        .map(|(name, value)| (to_text(&name), value))
        .collect())
}
