//! `stellar profile apply`: profiles over archives.

use super::super::args::{InputFormat, ListFormat};
use super::super::output;
use super::super::progress::{Complaints, Progress};
use super::heard::Heard;
use crate::config::{duration, parse_now, size};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, brief};
use crate::engine::Engine;
use crate::input::{self, ChunkReader, Finish, Format, Input, Problem, Totals, inputs, once};
use crate::profile::batch::{Batch, BatchReport, COUNTED, Followed, Following, Late, Odd, Setting};
use crate::profile::definition::{self, Definitions};
use crate::profile::store::{Marks, Spool};
use crate::profile::{Profiles, client};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// `stellar profile apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The definitions of the profiles, as JSON; they must name a timestampField.
    #[arg(short = 'c', long, value_name = "FILE")]
    pub definitions: PathBuf,
    /// The files, also as globs, in any order; JSON Lines, CSV, TSV or Zeek logs, also .gz and .zst. - is standard
    /// input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The form of the input, unless the names of the files tell it.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub from: Option<InputFormat>,
    /// Leaves out events before this instant, in milliseconds or ISO 8601.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub begin: Option<String>,
    /// Leaves out events after this instant.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub end: Option<String>,
    /// How much of the events may wait in memory, such as 256MiB; the rest waits in temporary files, in the folder of
    /// TMPDIR or else beside the store.
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    pub memory: String,
    /// Reads on as the files grow, until Ctrl-C: a period is measured when the time of the events has passed its end.
    /// Started again with the same definitions and settings it goes on where it was.
    #[arg(long, conflicts_with_all = ["memory", "threads"])]
    pub follow: bool,
    /// With --follow: by how much events may come too late; what is later is counted, and dropped unless --late says
    /// otherwise.
    #[arg(long, value_name = "TIME", default_value = "1m", requires = "follow")]
    pub lag: String,
    /// With --follow: after this time a file without news does not hold back the others.
    #[arg(long, value_name = "TIME", default_value = "1m", requires = "follow")]
    pub idle: String,
    /// With --follow: what becomes of events that come too late.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "drop",
        requires = "follow"
    )]
    pub late: LateEvents,
    /// With --late merge: for so long closed periods take late events; what is later is counted and dropped.
    #[arg(long, value_name = "TIME", default_value = "2d", requires = "follow")]
    pub keep_late: String,
    /// Stops at the first bad line; without --follow nothing is stored then.
    #[arg(long)]
    pub strict: bool,
    /// Says at the end how much was read, taken, bad and measured.
    #[arg(long)]
    pub stats: bool,
    /// How many threads work; one for each core unless given.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// How to print what each profile did.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

/// What becomes of events that come too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LateEvents {
    /// They are dropped.
    Drop,
    /// Profiles that are marked mergeable take them in, and measure the period anew; the others drop them.
    Merge,
}

/// Runs the command.
pub fn apply(engine: &Engine, profiles: &Profiles, args: &ApplyArgs) -> Outcome<bool> {
    let context = &engine.context;
    let definitions = definitions(engine, &args.definitions)?;
    let found = once(inputs(&args.files)?, output::named_twice);
    let instant = |option: &str, text: &Option<String>| -> Outcome<Option<i64>> {
        let read = |text: &String| {
            parse_now(text, |utc| context.zone.offset_millis(utc)).map_err(|mut fault| {
                fault.message = format!("{option}: {}", fault.message);
                fault
            })
        };
        text.as_ref().map(read).transpose()
    };
    let (begin, end) = (
        instant("--begin", &args.begin)?,
        instant("--end", &args.end)?,
    );
    if let (Some(from), Some(to)) = (begin, end)
        && from > to
    {
        let message = "no event lies between --begin and --end: --end is the earlier one";
        return Err(Diagnostic::new(Code::Usage, message));
    }
    let memory = size(&args.memory)
        .map_err(|message| Diagnostic::new(Code::Usage, format!("--memory: {message}")))?;
    let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
    let setting = Setting {
        duration: client::period_duration(context, None)?,
        place: client::place(context, None)?,
        begin,
        end,
        threads: args.threads.unwrap_or_else(cores),
        memory: usize::try_from(memory).unwrap_or(usize::MAX),
        folder: folder(engine.store.path()),
        strict: args.strict,
    };
    let mut batch = Batch::new(&definitions, setting, context)?;
    if args.follow {
        let followed = follow(engine, profiles, args, &batch, &found);
        doubt_times(&batch, &definitions);
        return followed;
    }
    let format = args.from.map(Format::from);
    let reader =
        ChunkReader::new(&found, format, context.limits.line).cancelled_by(&context.cancel);
    let mut watch = Watch {
        complaints: Complaints::new(&found),
        progress: Progress::new(&found, reader.taken.clone()),
        totals: Totals::default(),
        whole: true,
        strict: args.strict,
    };
    let started = Instant::now();
    let read = batch.read(reader, &mut watch);
    watch.progress.clear();
    if !args.strict {
        watch.complaints.count_the_rest(watch.totals.bad);
    }
    read?;
    if args.strict && (watch.totals.bad > 0 || !watch.whole) {
        output::note("nothing was stored");
        return Ok(false);
    }
    let bar = Parts::new(started);
    let written = batch.write(&**profiles, &|done, all| bar.step(done, all));
    bar.clear();
    profiles
        .notices()
        .iter()
        .for_each(|notice| output::note(notice));
    written?;
    doubt_times(&batch, &definitions);
    let reports = batch.reports();
    if args.stats || io::stderr().is_terminal() {
        let (taken, outside) = batch.counts();
        let measured: u64 = reports.iter().map(|r| r.measurements).sum();
        let Totals { read, bad, .. } = watch.totals;
        let seconds = started.elapsed().as_secs_f64();
        let _ = writeln!(
            io::stderr(),
            "read {read}, taken {taken}, bad {bad}, outside {outside}, measurements {measured}, {seconds:.3} s"
        );
    }
    show(&reports, args.format)?;
    let failed = reports.iter().any(|r| !r.report.troubles.is_empty());
    Ok(watch.whole && watch.totals.bad == 0 && !failed)
}

/// Says that times seem to be in another unit: what was measured of them lies where nobody looks.
fn doubt_times(batch: &Batch, definitions: &Definitions) {
    let Odd { early, far } = batch.odd();
    let field = definitions.timestamp_field.as_deref().unwrap_or("time");
    let say = |count: u64, when: &str, unit: &str| {
        if count > 0 {
            let (s, are) = if count == 1 { ("", "is") } else { ("s", "are") };
            output::note(&format!(
                "{count} event{s} {are} from {when}: if {field} holds {unit}, make it milliseconds since 1970"
            ));
        }
    };
    say(early, "before 1980", "seconds");
    say(far, "after 2200", "micro- or nanoseconds");
}

/// Follows inputs until they end or Ctrl-C.
fn follow(
    engine: &Engine,
    profiles: &Profiles,
    args: &ApplyArgs,
    batch: &Batch,
    found: &[Input],
) -> Outcome<bool> {
    let span = |option: &str, text: &str| {
        duration(text)
            .map_err(|message| Diagnostic::new(Code::Usage, format!("{option}: {message}")))
    };
    let context = &engine.context;
    let definitions = std::path::absolute(&args.definitions);
    let definitions = definitions.as_deref().unwrap_or(&args.definitions);
    let place = client::place(context, None)?;
    let millis = |option, text| -> Outcome<i64> {
        Ok(i64::try_from(span(option, text)?.as_millis()).unwrap_or(i64::MAX))
    };
    let keep = millis("--keep-late", &args.keep_late)?;
    let following = Following {
        lag: millis("--lag", &args.lag)?,
        late: match args.late {
            LateEvents::Drop => Late::Drop,
            LateEvents::Merge => Late::Merge(keep),
        },
        idle: span("--idle", &args.idle)?,
        name: json!([
            definitions.display().to_string(),
            place.table.as_str(),
            place.family.as_str(),
            place.divisor,
            client::period_duration(context, None)?,
        ])
        .to_string(),
    };
    let started = Instant::now();
    let mut complaints = Complaints::new(found);
    let progress = Progress::new(found, Arc::default());
    let mut hear = |input: usize, line: u64, fault: &Fault| {
        let problem = Problem {
            line,
            fault: fault.clone(),
        };
        complaints.show(input, std::iter::once(&problem), &progress);
        !args.strict
    };
    let marks = Marks::new(&engine.store);
    let store = Heard::new(profiles);
    let mut note = |text: String| output::note(&text);
    let counts = batch.follow(found, &following, &store, &marks, &mut hear, &mut note)?;
    if !args.strict {
        complaints.count_the_rest(counts.bad);
    }
    let reports = batch.reports();
    if args.stats || io::stderr().is_terminal() {
        let measured: u64 = reports.iter().map(|r| r.measurements).sum();
        let ((taken, outside), Followed { read, bad, .. }) = (batch.counts(), counts);
        let seconds = started.elapsed().as_secs_f64();
        let _ = writeln!(
            io::stderr(),
            "read {read}, taken {taken}, bad {bad}, outside {outside}, measurements {measured}, {seconds:.3} s"
        );
    }
    let waiting = Spool::of(&engine.store)?.count;
    if waiting > 0 {
        let s = if waiting == 1 { " waits" } else { "s wait" };
        output::note(&format!(
            "{waiting} measurement{s} in the spool; `stellar profile spool` shows them"
        ));
    }
    if counts.merged > 0 {
        let s = if counts.merged == 1 { "" } else { "s" };
        output::note(&format!(
            "{} event{s} came too late and were let in",
            counts.merged
        ));
    }
    if counts.late > 0 {
        let s = if counts.late == 1 { "" } else { "s" };
        output::note(&format!(
            "{} event{s} came too late and were dropped",
            counts.late
        ));
    }
    if counts.ahead > 0 {
        let s = if counts.ahead == 1 { "" } else { "s" };
        output::note(&format!(
            "{} event{s} too far ahead of the clock left out",
            counts.ahead
        ));
    }
    if counts.open > 0 {
        let s = if counts.open == 1 { " is" } else { "s are" };
        output::note(&format!(
            "{} period{s} still open and not measured yet",
            counts.open
        ));
    }
    show(&reports, args.format)?;
    let failed = reports.iter().any(|r| !r.report.troubles.is_empty());
    Ok(counts.bad == 0 && !failed)
}

/// Reads the definitions. What is wrong with single expressions is said now, and counted when it happens.
pub(super) fn definitions(engine: &Engine, path: &Path) -> Outcome<Definitions> {
    let source = Arc::new(Source::named(
        path.display().to_string(),
        crate::input::read_text(path)?,
    ));
    let definitions = definition::parse(&source).map_err(definition::first)?;
    for fault in definition::check(&source, &engine.context) {
        let _ = writeln!(io::stderr(), "{}", brief(&fault));
    }
    Ok(definitions)
}

/// Where temporary files are made: where the user says, else beside the store.
fn folder(store: &Path) -> PathBuf {
    let beside = store.parent().filter(|folder| folder.is_dir());
    match (std::env::var_os("TMPDIR"), beside) {
        (None, Some(beside)) => beside.to_path_buf(),
        _ => std::env::temp_dir(),
    }
}

/// Shows what each profile did: a row each, and what failed on standard error.
pub(super) fn show(reports: &[BatchReport], format: Option<ListFormat>) -> Outcome<()> {
    let format = ListFormat::or_usual(format);
    let row = |report: &BatchReport| {
        let BatchReport {
            report,
            measurements,
        } = report;
        let errors: u64 = report.troubles.iter().map(|t| t.count).sum();
        let entities = match report.entities {
            COUNTED.. => json!(format!("{COUNTED} or more")),
            few => json!(few),
        };
        json!({
            "profile": report.profile.as_str(), "messages": report.messages, "routes": report.routes,
            "entities": entities, "measurements": measurements, "errors": errors,
        })
    };
    let columns = [
        "profile",
        "messages",
        "routes",
        "entities",
        "measurements",
        "errors",
    ];
    output::table(format, &columns, reports.iter().map(row).collect())?;
    let mut err = io::stderr();
    for BatchReport { report, .. } in reports {
        for trouble in &report.troubles {
            let last = trouble.last.as_ref();
            let last = last.map(|fault| format!("{}: {}", fault.code.name(), fault.message));
            let entity = trouble.entity.as_ref();
            let entity = entity.map(|entity| format!(" (entity {entity})"));
            let _ = writeln!(
                err,
                "profile {}: {} failed {}×: {}: {}{}",
                report.profile,
                trouble.role,
                trouble.count,
                trouble.expression,
                last.unwrap_or_default(),
                entity.unwrap_or_default()
            );
        }
    }
    Ok(())
}

/// Watches the reading: counts, complains, shows how far it is.
struct Watch {
    complaints: Complaints,
    progress: Progress,
    totals: Totals,
    whole: bool,
    strict: bool,
}

impl Finish for Watch {
    fn finish(&mut self, batch: &input::Batch) -> Outcome<bool> {
        self.progress.step();
        self.totals.add(batch.totals);
        let problems = batch.problems.iter();
        self.complaints.show(batch.input, problems, &self.progress);
        Ok(true)
    }

    fn unreadable(&mut self, fault: Fault) -> Outcome<bool> {
        self.whole = false;
        self.progress.suspend(|| output::complain(&fault));
        Ok(!self.strict)
    }
}

/// A bar of the parts that are measured, on a terminal only and after a second.
struct Parts {
    bar: indicatif::ProgressBar,
    started: Instant,
    shown: AtomicBool,
}

impl Parts {
    fn new(started: Instant) -> Parts {
        Parts {
            bar: indicatif::ProgressBar::hidden(),
            started,
            shown: AtomicBool::new(false),
        }
    }

    fn step(&self, done: usize, all: usize) {
        if !self.shown.load(Ordering::Relaxed) {
            if self.started.elapsed().as_secs() < 1 || !io::stderr().is_terminal() {
                return;
            }
            if !self.shown.swap(true, Ordering::Relaxed) {
                let style = indicatif::ProgressStyle::with_template(
                    "measuring {percent}% [{bar:40}] {eta} left",
                );
                if let Ok(style) = style {
                    self.bar.set_style(style);
                }
                self.bar.set_length(all as u64);
                self.bar
                    .set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
        }
        self.bar.set_position(done as u64);
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
