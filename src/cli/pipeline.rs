//! `stellar pipeline`: tagged events through the actions of a YAML file.

use super::args::{Common, ListFormat};
use super::pipeline_live::{Screen, Table};
use super::pipeline_tools::{self, GraphFormat};
use super::{output, setup};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::engine::Engine;
use crate::pipeline::Actions;
use crate::pipeline::config::{self, File};
use crate::pipeline::engine::{self, DeadLetters, Memory, Options, Runner, Shelf, StateFile};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand};
use serde_json::json;
use smol_str::SmolStr;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// `stellar pipeline`
#[derive(Debug, Subcommand)]
pub enum PipelineCommand {
    /// Runs the pipelines of a file until Ctrl-C or SIGTERM; what is on the way is finished then. A second one stops at
    /// once.
    Run(PipelineRunArgs),
    /// Reads files of pipelines and says what is wrong with them, without running them.
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Shows all actions, or one with its parameters.
    List {
        /// The action to show.
        action: Option<String>,
        /// How to print the list.
        #[arg(long, value_enum, conflicts_with = "action")]
        format: Option<ListFormat>,
        /// The whole reference as Markdown.
        #[arg(long, conflicts_with_all = ["action", "format"])]
        markdown: bool,
    },
    /// Runs the cases that stand in files of pipelines under `tests:`, or beside them in NAME.test.yaml.
    Test {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// How to print what came of them.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Prints a JSON Schema of the files, for editors.
    Schema,
    /// Prints a file of pipelines as a picture.
    Graph {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How it is made.
        #[arg(long, value_enum, default_value_t = GraphFormat::Svg)]
        format: GraphFormat,
    },
}

/// `stellar pipeline run`
#[derive(Debug, Args)]
pub struct PipelineRunArgs {
    /// The file of pipelines.
    #[arg(value_name = "FILE", default_value = config::USUAL)]
    pub file: PathBuf,
    /// Ends when the inputs have nothing more for now.
    #[arg(long)]
    pub once: bool,
    /// Keeps the states of all steps in a file, or with `store` in the embedded store, and takes them up again.
    #[arg(long, value_name = "FILE|store")]
    pub state: Option<PathBuf>,
    /// Writes events that an action can do nothing with to a file, with the reason.
    #[arg(long, value_name = "FILE")]
    pub dead_letter: Option<PathBuf>,
    /// Lets filters run on the time in a field of the events, as event:FIELD.
    #[arg(long, value_name = "event:FIELD")]
    pub clock: Option<String>,
    /// Says at the end what each step did.
    #[arg(long)]
    pub stats: bool,
    /// Shows the counters on the terminal although events are printed there, too.
    #[arg(long)]
    pub live: bool,
    /// How many threads share the work; one for each core unless given.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub threads: Option<usize>,
}

/// Runs the command.
pub fn pipeline(common: &Common, command: &PipelineCommand) -> Outcome<bool> {
    match command {
        PipelineCommand::Run(args) => run(&setup::engine(common)?, args),
        PipelineCommand::Check { files } => {
            let engine = setup::engine(common)?;
            let mut good = true;
            for path in files {
                good &= load(&engine, path, &Screen::default(), false)
                    .is_some_and(|(file, _)| pipeline_tools::check(&engine, path, &file));
            }
            Ok(good)
        }
        PipelineCommand::List { markdown: true, .. } => {
            let text = crate::pipeline::schema::reference(&Engine::actions());
            output::line(text.trim_end())?;
            Ok(true)
        }
        PipelineCommand::List { action, format, .. } => list(&Engine::actions(), action, *format),
        PipelineCommand::Test { files, format } => {
            let engine = setup::engine(common)?;
            let mut read = Vec::new();
            for path in files {
                match load(&engine, path, &Screen::default(), false) {
                    Some((file, _)) => read.push((path.as_path(), file)),
                    None => return Ok(false),
                }
            }
            pipeline_tools::test(&engine, &read, *format)
        }
        PipelineCommand::Schema => pipeline_tools::print_schema(),
        PipelineCommand::Graph { file, format } => {
            match load(&setup::engine(common)?, file, &Screen::default(), false) {
                Some((file, _)) => pipeline_tools::draw(&file, *format),
                None => Ok(false),
            }
        }
    }
}

/// Reads a file and makes its steps; faults and warnings are shown.
fn load(
    engine: &Engine,
    path: &Path,
    screen: &Screen,
    once: bool,
) -> Option<(File, Vec<engine::Pipeline>)> {
    let (file, mut faults) = config::load_all(path, &Engine::actions());
    // Ctrl-C ends inputs, not what they have fed.
    let mut context = engine.context.clone();
    context.cancel = Arc::new(AtomicBool::new(false));
    context.services.add(Arc::new(crate::pipeline::Common {
        stop: engine.context.cancel.clone(),
        say: noting(screen),
        keys: engine.config.pipeline.keys,
        once,
        trial: false,
    }));
    // Good steps may still have faults of their own.
    let built = engine::build(&file, &context).map_err(|more| faults.extend(more));
    match built {
        Ok(pipelines) if faults.is_empty() => {
            file.warnings.iter().for_each(warn);
            Some((file, pipelines))
        }
        _ => {
            faults.iter().for_each(output::complain);
            None
        }
    }
}

/// Shows notes above the table.
fn noting(screen: &Screen) -> Arc<dyn Fn(&str) + Send + Sync> {
    let screen = screen.clone();
    Arc::new(move |text| screen.suspend(|| output::note(text)))
}

/// Says what is odd, in one line.
fn warn(fault: &Fault) {
    let place = fault.source.as_ref().zip(fault.position());
    let place = place.map_or(String::new(), |(source, at)| {
        format!("{}:{}:{}: ", source.name, at.line, at.column)
    });
    output::note(&format!("{place}{}", fault.message));
}

fn run(engine: &Engine, args: &PipelineRunArgs) -> Outcome<bool> {
    setup::show_warnings();
    let event_clock = match args.clock.as_deref() {
        None => None,
        Some(text) => match text
            .strip_prefix("event:")
            .filter(|field| !field.is_empty())
        {
            Some(field) => Some(SmolStr::new(field)),
            None => {
                let text = format!("--clock {text} is no clock");
                return Err(Diagnostic::new(Code::Usage, text).help("write --clock event:FIELD"));
            }
        },
    };
    let configured = &engine.config.pipeline;
    let screen = Screen::default();
    let state = match (&args.state, &configured.state) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(path)) => Some(engine.path(path)?),
        (None, None) => None,
    };
    let memory = match &state {
        None => Memory::None,
        Some(path) if path.as_os_str() == "store" => {
            Memory::Store(Shelf::open(&engine.store, &args.file)?)
        }
        Some(path) => Memory::File(StateFile::open(path)?),
    };
    let Some((file, pipelines)) = load(engine, &args.file, &screen, args.once) else {
        return Ok(false);
    };
    let stop = engine.context.cancel.clone();
    setup::end_at_termination(&stop)?;
    stop.store(false, Ordering::SeqCst);
    let dead = match (&args.dead_letter, &configured.dead_letter) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(path)) => Some(engine.path(path)?),
        (None, None) => None,
    };
    let say = noting(&screen);
    let dead = DeadLetters::new(dead.as_deref(), move |text| say(text))?;
    let complaints = screen.clone();
    let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
    let options = Options {
        once: args.once,
        threads: args.threads.or(configured.threads).unwrap_or_else(cores),
        event_clock,
        clock: engine.context.clock.clone(),
        stop,
        memory,
        checkpoint: configured.checkpoint,
        dead,
        complain: Arc::new(move |fault| complaints.suspend(|| output::complain(fault))),
        say: noting(&screen),
    };
    let runner = Runner::new(pipelines, options, &output::note)?;
    let live = runner.live.clone();
    let server = file
        .states
        .map(|(ip, port)| engine::serve_states(&ip, port, live.clone()));
    let server = server.transpose()?;
    if let Some(server) = server.as_ref().filter(|server| server.is_public()) {
        let url = server.url();
        output::note(&format!(
            "{url} is public: everybody who reaches it can read the counters"
        ));
    }
    // A table does not stand on a terminal on which events are printed.
    let prints = live
        .steps()
        .iter()
        .any(|step| step.action == "output_stdout");
    let shared = prints && io::stdout().is_terminal();
    let table = (args.live || !shared).then(|| Table::start(&screen, live.clone()));
    let report = runner.run();
    drop(table);
    drop(server);
    if args.stats {
        for step in live.steps() {
            let counts = engine::COLUMNS.iter().zip(step.counts);
            let mut counts: Vec<String> = counts.map(|(name, n)| format!("{name} {n}")).collect();
            if step.keys > 0 || step.evicted > 0 {
                counts.push(format!("keys {}, evicted {}", step.keys, step.evicted));
            }
            counts.extend(step.others.iter().map(|(name, n)| format!("{name} {n}")));
            let (pipeline, number, action) = (step.pipeline, step.step + 1, step.action);
            let counts = counts.join(", ");
            output::note(&format!("{pipeline}, step {number}, {action}: {counts}"));
        }
    }
    Ok(report.faults.is_empty())
}

/// Says what pipelines keep in the embedded store. Errors are shown and make it false.
pub fn doctor(engine: &Engine) -> Outcome<bool> {
    let kept = match engine::kept(&engine.store) {
        Ok(kept) => kept,
        Err(fault) => {
            output::complain(&fault);
            return Ok(false);
        }
    };
    if kept.is_empty() {
        output::line("states of pipelines in the embedded store: none")?;
    }
    for (file, pipeline, bytes) in kept {
        output::line(&format!(
            "state of the pipeline {pipeline} of {file} in the embedded store: {bytes} bytes"
        ))?;
    }
    Ok(true)
}

fn list(actions: &Actions, action: &Option<String>, format: Option<ListFormat>) -> Outcome<bool> {
    let Some(name) = action else {
        let rows = actions.iter().map(
            |spec| json!({"action": spec.name, "kind": spec.kind.name(), "summary": spec.summary}),
        );
        let format = ListFormat::or_usual(format);
        output::table(format, &["action", "kind", "summary"], rows.collect())?;
        return Ok(true);
    };
    let Some(spec) = actions.get(name) else {
        let near = crate::diagnostic::nearest(name, actions.iter().map(|spec| spec.name));
        let fault = Diagnostic::new(Code::Usage, format!("no action is named {name}"));
        return Err(fault.did_you_mean(near));
    };
    let mut text = format!("{} ({})\n{}\n", spec.name, spec.kind.name(), spec.summary);
    if !spec.details.is_empty() {
        text.push_str(&format!("{}\n", spec.details));
    }
    let usual = crate::pipeline::spec::usual(spec.kind);
    for parameter in usual.iter().chain(spec.parameters) {
        let needed = match (parameter.required, parameter.default) {
            (true, _) => ", required".to_owned(),
            (false, "") => String::new(),
            (false, default) => format!(", {default} unless given"),
        };
        let kind = parameter.kind.in_words();
        let about = parameter.about;
        text.push_str(&format!(
            "\n  {} ({kind}{needed})\n      {about}\n",
            parameter.name
        ));
    }
    for example in spec.examples {
        text.push_str(&format!("\n{example}\n"));
    }
    output::line(text.trim_end())?;
    Ok(true)
}
