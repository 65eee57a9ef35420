//! What a pipeline makes, as rows for queries: the events of a tag.

use super::Engine;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::{Context, Notes, Value};
use crate::input::{Columns, EVENTDATE, Rows, Source, Take, Wish, moment};
use crate::pipeline::engine::{self, DeadLetters, Memory, Options, Runner};
use crate::pipeline::expression::{field, whole};
use crate::pipeline::step::{Done, Flow, Kept, Now};
use crate::pipeline::{ActionKind, Common, Event, Pattern, Record, config};
use crate::store::{Deadline, proceed};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// So many events are handed on together at most.
const BATCH: usize = 1024;

/// So many of such batches may wait.
const WAITING: usize = 8;

/// How often the reader looks whether it shall end, and says that time passes.
const LOOK: Duration = Duration::from_millis(200);

/// The events of a tag at the end of the pipelines of a file. Reading runs these: without their outputs, without saved
/// states and without saving any.
pub struct TagRows {
    /// The file of pipelines.
    pub file: PathBuf,
    /// The tag, or a pattern of tags.
    pub tag: String,
    /// The field with the time of an event; without, or where it holds none, when the pipeline got it.
    pub time: Option<SmolStr>,
    /// Whether the inputs go on.
    pub follow: bool,
    /// By how many milliseconds events may come too late.
    pub lag: i64,
}

type Batch = Vec<(i64, Record)>;

impl Source for TagRows {
    fn about(&self) -> String {
        format!("events {} of {}", self.tag, self.file.display())
    }

    fn columns(&self, _: &Context) -> Outcome<Columns> {
        Ok(Columns::Open)
    }

    fn grows(&self) -> bool {
        self.follow
    }

    fn follows(&self) -> bool {
        true
    }

    fn lag(&self) -> i64 {
        self.lag
    }

    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, events) = bounded(WAITING);
        let runner = self.runner(wish.follow, &stop, sender, context)?;
        let report = std::thread::scope(|scope| {
            let running = scope.spawn(move || runner.run());
            let read = hand_on(&events, wish, context, take);
            stop.store(true, Ordering::SeqCst);
            // Without a receiver the taps let everything go by.
            drop(events);
            match running.join() {
                Ok(report) => read.map(|()| report),
                Err(_) => {
                    let text = format!("the pipelines of {} broke off", self.file.display());
                    Err(Diagnostic::new(Code::Internal, text))
                }
            }
        })?;
        match report.faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
}

/// What the pipelines of a text make of what their inputs have for now: the events that come to their end, each with
/// its tag in the field `tag`. Outputs are left out. Errors: the first fault of the text, or of a run.
pub fn events(text: &str, context: &Context) -> Outcome<Vec<Value>> {
    let broken = |error: std::io::Error| {
        Diagnostic::new(
            Code::CannotWrite,
            format!("no file can be made for the pipelines: {error}"),
        )
    };
    let mut file = tempfile::Builder::new()
        .prefix("cell-")
        .suffix(".yaml")
        .tempfile()
        .map_err(broken)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(broken)?;
    let rows = TagRows {
        file: file.path().to_path_buf(),
        tag: "*".to_string(),
        time: None,
        follow: false,
        lag: 0,
    };
    let names = [SmolStr::new_static("_")];
    let wish = Wish {
        names: &names,
        from: i64::MIN,
        to: i64::MAX,
        follow: false,
    };
    let mut events = Vec::new();
    rows.read(&wish, context, &mut |rows| {
        events.extend(rows.values);
        crate::eval::collections::check_size(events.len(), context.limits.collection)?;
        Ok(true)
    })?;
    Ok(events)
}

impl TagRows {
    /// The pipelines, ready to run. Errors: the first fault of the file.
    fn runner(
        &self,
        follow: bool,
        stop: &Arc<AtomicBool>,
        sender: Sender<Batch>,
        context: &Context,
    ) -> Outcome<Runner> {
        let first = |faults: Vec<Fault>| {
            let fault = faults.into_iter().next();
            fault.unwrap_or_else(|| Diagnostic::new(Code::Internal, "no fault is told"))
        };
        let mut file = config::load(&self.file, &Engine::actions()).map_err(first)?;
        for plan in &mut file.pipelines {
            plan.steps
                .retain(|step| step.spec.kind != ActionKind::Output);
            for step in &mut plan.steps {
                step.db_path = None;
            }
        }
        let notes = context.services.get::<Notes>();
        let say: Arc<dyn Fn(&str) + Send + Sync> = Arc::new(move |text: &str| {
            if let Some(notes) = &notes {
                notes.say(text);
            }
        });
        let mut own = context.clone();
        own.cancel = Arc::new(AtomicBool::new(false));
        own.deadline = None;
        own.services.add(Arc::new(Common {
            stop: stop.clone(),
            once: !follow,
            trial: true,
            say: say.clone(),
            ..Common::default()
        }));
        let mut pipelines = engine::build(&file, &own).map_err(first)?;
        for pipeline in &mut pipelines {
            pipeline.tap(
                Pattern::new(&self.tag),
                Box::new(Tap {
                    time: self.time.clone(),
                    batch: Vec::new(),
                    sender: sender.clone(),
                }),
            );
        }
        let told = say.clone();
        let options = Options {
            once: !follow,
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            event_clock: None,
            clock: context.clock.clone(),
            stop: stop.clone(),
            memory: Memory::None,
            checkpoint: Duration::from_secs(1),
            dead: DeadLetters::new(None, move |text| told(text))?,
            complain: Arc::new(|_| {}),
            say,
        };
        Runner::new(pipelines, options, &|_| {})
    }
}

/// Gives events on as rows until there are no more, or nobody wants more.
fn hand_on(
    events: &Receiver<Batch>,
    wish: &Wish<'_>,
    context: &Context,
    take: Take<'_>,
) -> Outcome<()> {
    let deadline = Deadline::from(context.deadline);
    loop {
        proceed(deadline, &context.cancel)?;
        let batch = match events.recv_timeout(LOOK) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let mut rows = Rows::default();
        for (time, record) in batch {
            if !(wish.from..wish.to).contains(&time) {
                continue;
            }
            rows.times.push(time);
            rows.values
                .extend(wish.names.iter().map(|name| match name.as_str() {
                    EVENTDATE => Value::Long(time),
                    "_" => Value::Map(whole(&record)),
                    name => field(&record, name).unwrap_or_default(),
                }));
        }
        if !take(rows)? {
            return Ok(());
        }
    }
}

/// The last step of a pipeline: gives events to the query.
struct Tap {
    time: Option<SmolStr>,
    batch: Batch,
    sender: Sender<Batch>,
}

impl Tap {
    fn hand_over(&mut self) {
        if !self.batch.is_empty() {
            // Nobody wants more when this fails; the pipelines are ending then.
            let _ = self.sender.send(std::mem::take(&mut self.batch));
        }
    }
}

impl Kept for Tap {
    fn apply(&mut self, event: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        let named = self
            .time
            .as_ref()
            .and_then(|name| field(&event.record, name));
        let time = named.as_ref().and_then(moment);
        let time = time.unwrap_or_else(|| event.time.millis());
        self.batch.push((time, event.record.clone()));
        if self.batch.len() >= BATCH {
            self.hand_over();
        }
        Ok(Flow::Pass)
    }

    fn flush(&mut self) -> Outcome<()> {
        self.hand_over();
        Ok(())
    }

    fn end(&mut self, _: Now, _: bool, _: &mut Vec<Event>) {
        self.hand_over();
    }
}
