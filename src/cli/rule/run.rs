//! `stellar rule run`

use super::events::each_event;
use super::{Choices, options, read};
use crate::cli::output;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::json::to_json;
use crate::rule::alert::Alert;
use crate::rule::event::Event;
use crate::rule::lua::{NoteKind, Options, Running};
use crate::rule::trial::Written;
use clap::Args;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::path::PathBuf;
use std::sync::Arc;

/// How many events go to the rules at once.
const BATCH: usize = 1024;
/// How many batches wait for a worker.
const WAITING: usize = 4;
/// How many errors are shown; the rest is counted.
const SHOWN: u64 = 10;

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

/// Runs the command.
pub fn run(engine: &Engine, args: &RunArgs) -> Outcome<bool> {
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
