//! `stellar rule`: correlation rules in Lua, tried and run.

use super::args::{Common, ListFormat};
use super::{output, setup};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::json::{read_object, to_json};
use crate::input::{ChunkReader, inputs, lines, read_text};
use crate::rule::alert::Alert;
use crate::rule::event::Event;
use crate::rule::grouper::{Scope, When};
use crate::rule::lua::{Escapes, NoteKind, Options, Running};
use crate::rule::trial::{Trial, Written, trial};
use clap::{Args, Subcommand};
use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many events go to the rules at once.
const BATCH: usize = 1024;
/// How many batches wait for a worker.
const WAITING: usize = 4;
/// How many errors are shown; the rest is counted.
const SHOWN: u64 = 10;

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
    Test(TestArgs),
    /// Runs rules over events and writes their alerts as JSON Lines.
    Run(RunArgs),
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

/// `stellar rule test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Lua texts, or rules as JSON (the API's shape) with their test_data.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Events in place of the rules' own.
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// How the rules are run.
    #[command(flatten)]
    pub choices: Choices,
    /// text for people, json for programs.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

/// `stellar rule run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A rule: a Lua text, or JSON (the API's shape).
    #[arg(short, long = "rule", required = true, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// JSON Lines, CSV, TSV or Zeek logs, also packed; standard input when none is named.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How the rules are run.
    #[command(flatten)]
    pub choices: Choices,
    /// How many threads run rules; each rule stays on one.
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Says at the end what was read and what each rule did.
    #[arg(long)]
    pub stats: bool,
}

/// Runs the command.
pub fn rule(common: &Common, command: &RuleCommand) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    match command {
        RuleCommand::Check { files } => check(&engine, files),
        RuleCommand::Test(args) => test(&engine, args),
        RuleCommand::Run(args) => run(&engine, args),
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

fn check(engine: &Engine, files: &[PathBuf]) -> Outcome<bool> {
    let choices = Choices {
        batch: false,
        clear_all: false,
        drop_escapes: false,
    };
    let mut good = true;
    for file in files {
        let loaded = read(engine, file).and_then(|rule| rule.load(options(engine, &choices)));
        match loaded {
            Ok(mut running) => {
                for note in running.notes().0 {
                    if note.kind == NoteKind::Warning {
                        let line = note
                            .line
                            .map_or_else(String::new, |line| format!(":{line}"));
                        output::note(&format!("{}{line}: {}", file.display(), note.text));
                    }
                }
            }
            Err(fault) => {
                output::complain(&fault);
                good = false;
            }
        }
    }
    Ok(good)
}

fn test(engine: &Engine, args: &TestArgs) -> Outcome<bool> {
    let context = &engine.context;
    let given = match args.events.is_empty() {
        true => None,
        false => {
            let mut all = Vec::new();
            each_event(engine, &args.events, |event| {
                all.push(event);
                Ok(())
            })?;
            Some(all)
        }
    };
    let mut good = true;
    let mut reports = Vec::new();
    for file in &args.files {
        let rule = read(engine, file)?;
        let mut running = rule.load(options(engine, &args.choices))?;
        let events = given.as_deref().unwrap_or(&rule.test_data);
        let done = trial(&mut running, events, || context.check_cancelled())?;
        good &= done.faults().next().is_none();
        match args.format {
            None | Some(ListFormat::Text | ListFormat::Table) => {
                output::line(report(&rule, &done).trim_end())?;
            }
            Some(_) => {
                let mut object = to_json(&Value::Map(done.to_map()))?;
                if let Json::Object(fields) = &mut object {
                    fields.insert("rule".to_string(), json!(rule.name.as_str()));
                }
                reports.push(object);
            }
        }
    }
    match args.format {
        Some(ListFormat::Json) => output::line(&Json::Array(reports).to_string())?,
        _ => reports
            .iter()
            .try_for_each(|report| output::line(&report.to_string()))?,
    }
    Ok(good)
}

/// What a rule did, for people.
fn report(rule: &Written, done: &Trial) -> String {
    let mut text = format!(
        "{}: {} events, {} alerts\n",
        rule.name,
        done.events,
        done.alerts.len()
    );
    for (at, note) in &done.notes {
        let kind = match note.kind {
            NoteKind::Log => "log",
            NoteKind::Error => "error",
            NoteKind::Stop => "stopped",
            NoteKind::Warning => "warning",
        };
        let line = note
            .line
            .map_or_else(String::new, |line| format!(", line {line}"));
        text += &format!(
            "  event {}, {}{line}: {kind}: {}\n",
            at + 1,
            note.entry,
            note.text
        );
    }
    for (at, alert) in &done.alerts {
        let first = alert.text.lines().next().unwrap_or_default();
        text += &format!(
            "  event {}: alert, risk {}: {first}\n",
            at + 1,
            alert.risk_level
        );
        for more in alert.text.lines().skip(1) {
            text += &format!("    {more}\n");
        }
        for (name, value) in [
            ("asset", alert.asset_hostname.as_str()),
            ("address", alert.asset_ip.as_str()),
            ("incident", alert.incident_identifier.as_str()),
            ("ATT&CK", alert.mitre.join(" ").as_str()),
            (
                "template",
                alert.template_error.as_deref().unwrap_or_default(),
            ),
        ] {
            if !value.is_empty() {
                text += &format!("    {name}: {value}\n");
            }
        }
        text += &format!("    events: {} of {}\n", alert.logs.len(), alert.logs_total);
    }
    for one in done.counters.iter().filter(|one| one.calls > 0) {
        text += &format!(
            "  {}: {} calls, {} errors, {} stops\n",
            one.name, one.calls, one.errors, one.stops
        );
    }
    for (name, fed, left, late) in &done.groups {
        text += &format!("  groups of {name}: {fed} events fed, {late} late, {left} groups left\n");
    }
    text
}

/// Gives every event of the inputs to `take`; how many lines are no events.
fn each_event(
    engine: &Engine,
    files: &[PathBuf],
    mut take: impl FnMut(Event) -> Outcome<()>,
) -> Outcome<u64> {
    let context = &engine.context;
    let mut reader =
        ChunkReader::new(&inputs(files)?, None, context.limits.line).cancelled_by(&context.cancel);
    let mut bad = 0;
    while let Some(chunk) = reader.next(Vec::new())? {
        for line in lines(&chunk) {
            context.check_cancelled()?;
            let event = match &chunk.header {
                Some(header) => header.event(line.text).map(Event::new),
                None => Event::read(line.text),
            };
            match event {
                Ok(event) => take(event)?,
                Err(fault) => {
                    bad += 1;
                    if bad <= SHOWN {
                        output::note(&format!("line {}: {}", line.before + 1, fault.message));
                    }
                }
            }
        }
    }
    Ok(bad)
}

/// Events on their way to the rules.
type Batch = Arc<Vec<Event>>;

/// What the rules of one worker raised on a batch: the number of the event, the number of the rule, the alert.
type Raised = Vec<(usize, usize, Map)>;

/// What a worker says at the end.
#[derive(Default)]
struct Sum {
    lines: Vec<(usize, String)>,
    failed: u64,
}

fn run(engine: &Engine, args: &RunArgs) -> Outcome<bool> {
    let rules: Vec<Written> = args
        .rules
        .iter()
        .map(|file| read(engine, file))
        .collect::<Outcome<_>>()?;
    let options = options(engine, &args.choices);
    // What cannot be loaded is said before anything is read.
    for rule in &rules {
        rule.load(options.clone())?;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.unwrap_or(cores).clamp(1, rules.len());
    let (mut read, mut alerts) = (0u64, 0u64);
    let (bad, sums) = std::thread::scope(|scope| -> Outcome<(u64, Vec<Sum>)> {
        let mut workers = Vec::new();
        for job in 0..jobs {
            let (batches, given) = bounded::<Batch>(WAITING);
            let (answers, answer) = bounded::<Raised>(WAITING * 2);
            let own: Vec<(usize, &Written)> =
                rules.iter().enumerate().skip(job).step_by(jobs).collect();
            let options = options.clone();
            let stats = args.stats;
            let handle = std::thread::Builder::new()
                .name(format!("rules-{job}"))
                .stack_size(8 << 20)
                .spawn_scoped(scope, move || work(&own, &options, stats, &given, &answers))
                .map_err(|error| Diagnostic::new(Code::Internal, format!("no thread: {error}")))?;
            workers.push((batches, answer, handle));
        }
        let mut sent = 0;
        let mut answered = 0;
        let mut next = Vec::with_capacity(BATCH);
        let mut collect = |wait: usize, sent: usize| -> Outcome<()> {
            while sent - answered > wait {
                let mut all = Raised::new();
                for (_, answer, _) in &workers {
                    all.extend(answer.recv().map_err(|_| gone())?);
                }
                answered += 1;
                all.sort_by_key(|(event, rule, _)| (*event, *rule));
                alerts += all.len() as u64;
                for (_, _, alert) in all {
                    output::line(&to_json(&Value::Map(alert))?.to_string())?;
                }
            }
            Ok(())
        };
        let send = |batch: Vec<Event>| -> Outcome<()> {
            let batch = Arc::new(batch);
            for (batches, ..) in &workers {
                batches.send(batch.clone()).map_err(|_| gone())?;
            }
            Ok(())
        };
        let bad = each_event(engine, &args.files, |event| {
            read += 1;
            next.push(event);
            if next.len() >= BATCH {
                send(std::mem::replace(&mut next, Vec::with_capacity(BATCH)))?;
                sent += 1;
                collect(WAITING - 1, sent)?;
            }
            Ok(())
        })?;
        if !next.is_empty() {
            send(next)?;
            sent += 1;
        }
        collect(0, sent)?;
        let mut sums = Vec::new();
        for (batches, answer, handle) in workers {
            drop((batches, answer));
            sums.push(handle.join().map_err(|_| gone())?);
        }
        Ok((bad, sums))
    })?;
    let mut told: Vec<(usize, String)> = Vec::new();
    let mut failed = 0;
    for sum in sums {
        told.extend(sum.lines);
        failed += sum.failed;
    }
    told.sort();
    told.iter().for_each(|(_, line)| output::note(line));
    if args.stats {
        output::note(&format!(
            "read {read}, bad {bad}, alerts {alerts}, failed calls {failed}"
        ));
    }
    Ok(bad == 0 && failed == 0)
}

#[cold]
fn gone() -> Fault {
    Diagnostic::new(Code::Internal, "a thread that runs rules is gone")
}

/// Runs some of the rules over all batches.
fn work(
    rules: &[(usize, &Written)],
    options: &Options,
    stats: bool,
    batches: &Receiver<Batch>,
    answers: &Sender<Raised>,
) -> Sum {
    let mut sum = Sum::default();
    let mut running: Vec<(usize, Running, u64)> = Vec::new();
    for (number, rule) in rules {
        match rule.load(options.clone()) {
            Ok(rule) => running.push((*number, rule, 0)),
            Err(fault) => {
                sum.failed += 1;
                sum.lines.push((*number, fault.message.clone()));
            }
        }
    }
    for batch in batches {
        let mut raised = Raised::new();
        for (number, rule, shown) in &mut running {
            let mut keep = |at: usize, alerts: Vec<Alert>| {
                raised.extend(alerts.iter().map(|alert| (at, *number, alert.to_map())));
            };
            for (at, event) in batch.iter().enumerate() {
                keep(at, rule.event(event));
            }
            keep(batch.len(), rule.end_batch());
            for note in rule.notes().0 {
                if matches!(note.kind, NoteKind::Log) {
                    continue;
                }
                *shown += 1;
                if *shown <= SHOWN {
                    let line = note
                        .line
                        .map_or_else(String::new, |line| format!(":{line}"));
                    sum.lines.push((
                        *number,
                        format!("{}{line}: {}: {}", rule.name(), note.entry, note.text),
                    ));
                }
            }
        }
        if answers.send(raised).is_err() {
            break;
        }
    }
    for (number, rule, shown) in &running {
        let counters = rule.counters();
        sum.failed += counters
            .iter()
            .map(|one| one.errors + one.stops)
            .sum::<u64>();
        if *shown > SHOWN {
            sum.lines.push((
                *number,
                format!("{}: {} more notes", rule.name(), shown - SHOWN),
            ));
        }
        if stats {
            for one in counters {
                let text = format!(
                    "{}: {}: {} calls, {} errors, {} stops",
                    rule.name(),
                    one.name,
                    one.calls,
                    one.errors,
                    one.stops
                );
                sum.lines.push((*number, text));
            }
        }
    }
    sum
}
