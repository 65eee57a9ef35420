//! `stellar map` and `stellar filter`: an expression over every event of files.

mod together;

use super::args::{Common, EventArgs, FilterArgs, InputFormat, MapArgs};
use super::progress::{Complaints, Progress, SHOWN};
use super::{output, setup};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use crate::engine::Engine;
use crate::eval::convert::condition;
use crate::eval::json::{read_event, write_json, write_text};
use crate::eval::text::to_text_within;
use crate::eval::{Context, Later, Program, Value, compile};
use crate::input::{
    Batch, Chunk, ChunkReader, End, EventReader, Finish, Format, Input, Line, PART, Problem,
    Totals, Wanted, Worker, inputs, lines, process,
};
use smol_str::SmolStr;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What is made of every event.
#[derive(Clone)]
enum Task {
    /// Keep it when the expression is true (or false, when `not`).
    Filter { program: Arc<Program>, not: bool },
    /// The value of the expression.
    Map { program: Arc<Program>, raw: bool },
    /// An object of named expressions.
    Object {
        fields: Vec<(SmolStr, Arc<Program>)>,
    },
    /// The event with fields added or replaced.
    Set {
        fields: Vec<(SmolStr, Arc<Program>)>,
    },
}

impl Task {
    fn programs(&self) -> Vec<&Arc<Program>> {
        match self {
            Task::Filter { program, .. } | Task::Map { program, .. } => vec![program],
            Task::Object { fields } | Task::Set { fields } => {
                fields.iter().map(|(_, program)| program).collect()
            }
        }
    }
}

/// Runs `stellar filter`.
pub fn filter(common: &Common, args: &FilterArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let program = engine.compile(&args.expression)?;
    let task = Task::Filter {
        program,
        not: args.not,
    };
    let (totals, whole) = run(&engine, task, &args.events, args.count)?;
    if args.count {
        output::line(&totals.kept.to_string())?;
    }
    Ok(whole && totals.bad == 0 && totals.failed == 0 && !(args.fail_if_none && totals.kept == 0))
}

/// Runs `stellar map`.
pub fn map(common: &Common, args: &MapArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let mut events = args.events.clone();
    let named = |texts: &[String]| -> Outcome<Vec<(SmolStr, Arc<Program>)>> {
        texts
            .iter()
            .map(|text| named_expression(&engine, text))
            .collect()
    };
    let task = if args.named.is_empty() && args.set_fields.is_empty() {
        let Some(expression) = &args.expression else {
            return Err(Diagnostic::new(Code::Usage, "map needs an expression")
                .help("stellar map EXPR [FILE…]"));
        };
        Task::Map {
            program: engine.compile(expression)?,
            raw: args.raw,
        }
    } else {
        // Without a bare expression the first free argument is a file.
        events
            .files
            .splice(0..0, args.expression.iter().map(Into::into));
        if args.named.is_empty() {
            Task::Set {
                fields: named(&args.set_fields)?,
            }
        } else {
            Task::Object {
                fields: named(&args.named)?,
            }
        }
    };
    let (totals, whole) = run(&engine, task, &events, false)?;
    Ok(whole && totals.bad == 0 && totals.failed == 0)
}

/// `NAME=EXPRESSION`, compiled with places counted in the whole argument.
fn named_expression(engine: &Engine, text: &str) -> Outcome<(SmolStr, Arc<Program>)> {
    let usage = || {
        let source = Arc::new(Source::expression(text));
        Diagnostic::at(
            Code::Usage,
            Span::new(0, text.len()),
            "this lacks a name and its =",
        )
        .help("write NAME=EXPRESSION")
        .in_source(&source)
    };
    let (name, expression) = text.split_once('=').ok_or_else(usage)?;
    if name.trim().is_empty() {
        return Err(usage());
    }
    let padded = format!("{}{expression}", " ".repeat(name.len() + 1));
    let program = compile(&Arc::new(Source::expression(padded)), &engine.context)?;
    Ok((SmolStr::new(name.trim()), program))
}

/// Runs a task over all inputs: the counts, and whether all inputs could be read to their ends.
fn run(engine: &Engine, task: Task, args: &EventArgs, quiet: bool) -> Outcome<(Totals, bool)> {
    let context = &engine.context;
    let given = setup::variables(&args.variables, context.limits.depth)?;
    let found = inputs(&args.files)?;
    let format = args.from.map(Format::from);
    let steps: Vec<Step> = task
        .programs()
        .into_iter()
        .map(|program| Step::new(program, &given, context))
        .collect();
    if let Some(path) = &args.output {
        refuse_own_input(path, &found)?;
    }
    let reader =
        ChunkReader::new(&found, format, context.limits.line).cancelled_by(&context.cancel);
    let threads = args
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    let workers = (0..threads.max(1))
        .map(|_| {
            let mut worker = EventWorker {
                readers: steps
                    .iter()
                    .map(|step| (EventReader::new(&step.wanted), step.slots.clone()))
                    .collect(),
                steps: steps.clone(),
                task: task.clone(),
                context: context.clone(),
                strict: args.strict,
                limit: args.limit,
                quiet,
                given: !given.is_empty(),
                later: None,
            };
            worker.ask_together();
            worker
        })
        .collect();
    let out: Box<dyn Write + Send> = match &args.output {
        Some(path) => Box::new(BufWriter::with_capacity(
            1 << 18,
            File::create(path).map_err(|error| {
                Diagnostic::new(
                    Code::CannotWrite,
                    format!("{} cannot be written: {error}", path.display()),
                )
            })?,
        )),
        None => Box::new(io::stdout()),
    };
    let mut collector = Collector {
        out,
        complaints: Complaints::new(&found),
        totals: Totals::default(),
        limit: args.limit,
        whole: true,
        strict: args.strict,
        progress: Progress::new(&found, reader.taken.clone()),
    };
    let started = Instant::now();
    let result = process(reader, workers, &mut collector, &context.cancel);
    collector.progress.clear();
    let flushed = output::written(collector.out.flush());
    if args.stats || (io::stderr().is_terminal() && args.output.is_some()) {
        let Totals {
            read,
            kept,
            bad,
            failed,
        } = collector.totals;
        let seconds = started.elapsed().as_secs_f64();
        let _ = writeln!(
            io::stderr(),
            "read {read}, kept {kept}, bad {bad}, failed {failed}, {seconds:.3} s"
        );
    }
    if !args.strict {
        let Totals { bad, failed, .. } = collector.totals;
        collector.complaints.count_the_rest(bad + failed);
    }
    result?;
    flushed?;
    Ok((collector.totals, collector.whole))
}

impl From<InputFormat> for Format {
    fn from(format: InputFormat) -> Format {
        match format {
            InputFormat::Jsonl => Format::JsonLines,
            InputFormat::Csv => Format::Csv,
            InputFormat::Tsv => Format::Tsv,
            InputFormat::Zeek => Format::Zeek,
        }
    }
}

/// Writing to a file that is read would leave nothing of it.
fn refuse_own_input(path: &Path, inputs: &[Input]) -> Outcome<()> {
    let Ok(output) = path.canonicalize() else {
        return Ok(());
    };
    let is_read = inputs.iter().any(|input| match input {
        Input::File(file) => output.is_file() && file.canonicalize().is_ok_and(|f| f == output),
        Input::Standard => false,
    });
    if is_read {
        let message = format!("{} is both read and written", path.display());
        return Err(Diagnostic::new(Code::Usage, message).help("write to another file"));
    }
    Ok(())
}

/// A program with its slots: those that the command line gives, and what is wanted of each event.
#[derive(Clone)]
struct Step {
    program: Arc<Program>,
    wanted: Wanted,
    slots: Vec<Value>,
}

impl Step {
    fn new(program: &Arc<Program>, given: &[(SmolStr, Value)], context: &Context) -> Step {
        let find = |name: &SmolStr| {
            given
                .iter()
                .rev()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.clone())
        };
        let slots: Vec<Option<Value>> = program.variables.iter().map(find).collect();
        let names = program
            .variables
            .iter()
            .zip(&slots)
            .map(|(name, slot)| slot.is_none().then_some(name));
        Step {
            program: program.clone(),
            wanted: Wanted::new(names, context.limits.depth),
            slots: slots.into_iter().map(Option::unwrap_or_default).collect(),
        }
    }
}

struct EventWorker {
    steps: Vec<Step>,
    readers: Vec<(EventReader, Vec<Value>)>,
    task: Task,
    context: Context,
    strict: bool,
    limit: Option<u64>,
    quiet: bool,
    /// Whether the command line gives variables.
    given: bool,
    /// Where questions to servers are gathered.
    later: Option<Arc<Later>>,
}

/// Why an event gives no output.
enum Trouble {
    Bad(Fault),
    Failed(Fault),
}

impl Worker for EventWorker {
    fn work(
        &mut self,
        chunk: &Chunk,
        batch: &mut Batch,
        pass_on: &mut dyn FnMut(&mut Batch) -> bool,
    ) {
        chunk.note().iter().for_each(|note| output::note(note));
        if let Some(header) = &chunk.header_text
            && matches!(self.task, Task::Filter { .. })
            && chunk.input == 0
            && !self.quiet
        {
            batch.output.extend_from_slice(header);
        }
        if chunk.too_long {
            batch.totals.read += 1;
            let fault = line_too_long(self.context.limits.line);
            self.trouble(batch, chunk.lines_before + 1, Trouble::Bad(fault));
            return;
        }
        if let Some(later) = self.later.clone() {
            return self.together(&later, chunk, &mut lines(chunk), batch, pass_on);
        }
        for line in lines(chunk) {
            if self.is_cancelled() {
                batch.stop = true;
                return;
            }
            batch.totals.read += 1;
            let before = batch.output.len();
            let came = self.event(chunk, line, &mut batch.output);
            if !self.settled(batch, &line, came, before, pass_on) {
                return;
            }
        }
    }
}

fn line_too_long(limit: usize) -> Fault {
    Diagnostic::new(
        Code::LineLength,
        format!("the line has more than {limit} bytes"),
    )
}

impl EventWorker {
    #[inline]
    fn is_cancelled(&self) -> bool {
        self.context.cancel.load(Ordering::Relaxed)
    }

    /// Counts what came of a line, whose output begins at `before`; false when nothing more shall be read.
    #[inline]
    fn settled(
        &self,
        batch: &mut Batch,
        line: &Line<'_>,
        came: Result<bool, Trouble>,
        before: usize,
        pass_on: &mut dyn FnMut(&mut Batch) -> bool,
    ) -> bool {
        match came {
            Ok(false) => true,
            Ok(true) => {
                batch.totals.kept += 1;
                if let Some(limit) = self.limit {
                    batch.ends.push(End {
                        output: batch.output.len(),
                        totals: batch.totals,
                    });
                    if batch.totals.kept >= limit {
                        return false;
                    }
                }
                if batch.output.len() > PART && !pass_on(batch) {
                    batch.stop = true;
                    return false;
                }
                true
            }
            Err(trouble) => {
                batch.output.truncate(before);
                // What was interrupted has not failed.
                if !self.is_cancelled() {
                    self.trouble(batch, line.before + 1, trouble);
                }
                !batch.stop
            }
        }
    }

    fn trouble(&self, batch: &mut Batch, line: u64, trouble: Trouble) {
        let fault = match trouble {
            Trouble::Bad(fault) => {
                batch.totals.bad += 1;
                fault
            }
            Trouble::Failed(fault) => {
                batch.totals.failed += 1;
                fault
            }
        };
        if batch.problems.len() < SHOWN {
            batch.problems.push(Problem { line, fault });
        }
        batch.stop |= self.strict;
    }

    /// Works on one event; `true` when it is kept.
    fn event(&mut self, chunk: &Chunk, line: Line<'_>, out: &mut Vec<u8>) -> Result<bool, Trouble> {
        let Line { text, whole, .. } = line;
        if whole.len() > self.context.limits.line {
            return Err(Trouble::Bad(line_too_long(self.context.limits.line)));
        }
        for (reader, slots) in &mut self.readers {
            let read = match &chunk.header {
                None => reader.json(text, slots),
                Some(header) => reader.row(header, text, slots),
            };
            read.map_err(Trouble::Bad)?;
        }
        let value = |index: usize| -> Result<Value, Trouble> {
            let (step, slots) = match (self.steps.get(index), self.readers.get(index)) {
                (Some(step), Some((_, slots))) => (step, slots),
                _ => return Ok(Value::Null),
            };
            step.program
                .run(&self.context, slots)
                .map_err(Trouble::Failed)
        };
        match &self.task {
            Task::Filter { program, not } => {
                let result = value(0)?;
                let keep = condition(&result)
                    .ok_or_else(|| Trouble::Failed(no_boolean(&result, program)))?;
                if keep == *not {
                    return Ok(false);
                }
                if !self.quiet {
                    out.extend_from_slice(whole);
                    out.push(b'\n');
                }
            }
            Task::Map { raw, .. } => {
                let result = value(0)?;
                if *raw {
                    let text = to_text_within(&result, usize::MAX).map_err(Trouble::Failed)?;
                    out.extend_from_slice(text.as_bytes());
                } else {
                    write_json(&result, out).map_err(Trouble::Failed)?;
                }
                out.push(b'\n');
            }
            Task::Object { fields } => {
                out.push(b'{');
                for (i, (name, _)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write_text(name, out);
                    out.push(b':');
                    write_json(&value(i)?, out).map_err(Trouble::Failed)?;
                }
                out.extend_from_slice(b"}\n");
            }
            Task::Set { fields } => {
                let event = match &chunk.header {
                    None => read_event(text).map_err(|bad| {
                        Trouble::Bad(crate::eval::json::bad_json(Code::BadLine, &bad))
                    })?,
                    Some(header) => header.event(text).map_err(Trouble::Bad)?,
                };
                for (i, (name, _)) in fields.iter().enumerate() {
                    let value = value(i)?;
                    event
                        .change(|entries| entries.insert(Value::Text(name.clone()), value))
                        .map_err(Trouble::Failed)?;
                }
                write_json(&Value::Map(event), out).map_err(Trouble::Failed)?;
                out.push(b'\n');
            }
        }
        Ok(true)
    }
}

#[cold]
fn no_boolean(value: &Value, program: &Program) -> Fault {
    let message = format!(
        "the filter gives {} instead of true or false",
        value.kind_in_words()
    );
    Diagnostic::at(
        Code::NotBoolean,
        Span::new(0, program.source.text.len()),
        message,
    )
    .help("compare it: x == …, x != null")
    .in_source(&program.source)
}

/// Takes the batches in order: writes, counts, complains.
struct Collector {
    out: Box<dyn Write + Send>,
    complaints: Complaints,
    totals: Totals,
    limit: Option<u64>,
    whole: bool,
    strict: bool,
    progress: Progress,
}

impl Finish for Collector {
    fn finish(&mut self, batch: &Batch) -> Outcome<bool> {
        self.progress.step();
        let mut output = batch.output.as_slice();
        let mut totals = batch.totals;
        let mut more = true;
        if let Some(limit) = self.limit {
            let left = limit.saturating_sub(self.totals.kept);
            if totals.kept >= left {
                // What stands behind the last event that is wanted has not been read.
                let last = left.checked_sub(1).and_then(|i| batch.ends.get(i as usize));
                totals = last.map(|end| end.totals).unwrap_or_default();
                output = output
                    .get(..last.map_or(0, |end| end.output))
                    .unwrap_or_default();
                more = false;
            }
        }
        self.totals.add(totals);
        if !output.is_empty() {
            output::written(self.out.write_all(output))?;
        }
        if batch.flush {
            output::written(self.out.flush())?;
        }
        let problems = (totals.bad + totals.failed) as usize;
        let problems = batch.problems.iter().take(problems);
        self.complaints.show(batch.input, problems, &self.progress);
        Ok(more)
    }

    fn unreadable(&mut self, fault: Fault) -> Outcome<bool> {
        self.whole = false;
        self.progress.suspend(|| output::complain(&fault));
        Ok(!self.strict)
    }
}
