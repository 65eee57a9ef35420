//! Starts the threads of pipelines and waits for them.

use super::checkpoint::{self, Memory};
use super::commit::Committer;
use super::counts::Counts;
use super::dead::DeadLetters;
use super::metrics::{Dialect, metrics};
use super::worker::{Finished, work};
use super::{Own, Pipeline, class};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Clock;
use crate::pipeline::event::Event;
use crate::pipeline::step::{Batch, Feed, Input, Line, Load, Now};
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{Condvar, Mutex};
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

/// The stack of threads that run steps; expressions may nest deep.
const STACK: usize = 8 << 20;

/// How far the time of an event may be ahead of the clock, in seconds.
const AHEAD: i64 = 86_400;

/// How pipelines are run.
pub struct Options {
    /// Ends when the inputs are drained.
    pub once: bool,
    /// How many threads share the work of a pipeline.
    pub threads: usize,
    /// The field that tells the time, instead of the clock.
    pub event_clock: Option<SmolStr>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Set from outside to end: inputs end, and what is on the way is finished.
    pub stop: Arc<AtomicBool>,
    /// Where states go.
    pub memory: Memory,
    /// How often they are saved at most.
    pub checkpoint: Duration,
    /// Where bad events go.
    pub dead: DeadLetters,
    /// Is told at once what ended an input or a pipeline.
    pub complain: Arc<dyn Fn(&Fault) + Send + Sync>,
    /// Is told what inputs have to say, such as where they listen.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Which time counts.
pub(super) struct Timing {
    clock: Arc<dyn Clock>,
    field: Option<SmolStr>,
}

impl Timing {
    pub fn now(&self) -> Now {
        Now(self.clock.now())
    }

    pub fn by_clock(&self) -> bool {
        self.field.is_none()
    }

    /// Why the time of an event cannot be: one event from far ahead would end the windows of all others.
    pub fn too_far(&self, event: &Event) -> Option<String> {
        let own = self.of(event)?.seconds();
        let ahead = own.saturating_sub(self.now().seconds());
        (ahead > AHEAD).then(|| {
            let field = self.field.as_deref().unwrap_or_default();
            format!("the time in {field} is {ahead} seconds ahead of the clock, more than a day")
        })
    }

    /// The time of an event, when the field of it counts and can be read.
    pub fn of(&self, event: &Event) -> Option<Now> {
        let value = event.record.get(self.field.as_ref()?)?;
        crate::input::moment(value).map(Now)
    }
}

/// The counters of a running pipeline.
pub struct LivePipeline {
    /// Its name.
    pub id: String,
    /// The actions of its steps.
    pub actions: Vec<&'static str>,
    infos: Vec<SmolStr>,
    pub(super) counts: Mutex<Vec<Counts>>,
    /// How many keys each step holds, and how many it has thrown out.
    pub(super) sizes: Mutex<Vec<(usize, u64)>>,
    /// What else each step has counted.
    pub(super) others: Mutex<Vec<Vec<(&'static str, u64)>>>,
    /// For each input, how long its last batch was on its way.
    pub(super) lags: Mutex<BTreeMap<usize, Duration>>,
    /// When the last checkpoint was.
    pub(super) saved: Mutex<Instant>,
    waiting: Arc<AtomicU64>,
    state: Mutex<State>,
}

/// How a pipeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// Its inputs are drained.
    Ended,
    /// It ended with an error.
    Failed,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Ended => "ended",
            State::Failed => "failed",
        }
    }
}

impl LivePipeline {
    /// How it is.
    pub fn state(&self) -> State {
        *self.state.lock()
    }

    /// How many batches are on the way.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::SeqCst)
    }

    /// How long ago the last checkpoint was, or the start.
    pub fn checkpoint_age(&self) -> Duration {
        self.saved.lock().elapsed()
    }
}

/// The counters of everything that runs.
pub struct Live {
    /// The pipelines.
    pub pipelines: Vec<LivePipeline>,
    clock: Arc<dyn Clock>,
}

impl Live {
    /// Whether a pipeline has ended with an error.
    pub fn failed(&self) -> bool {
        let mut pipelines = self.pipelines.iter();
        pipelines.any(|pipeline| pipeline.state() == State::Failed)
    }

    /// The counters of all that run in Prometheus' form.
    pub fn prometheus(all: &[Arc<Live>]) -> String {
        let pipelines = all.iter().flat_map(|live| &live.pipelines);
        let pipelines: Vec<&LivePipeline> = pipelines.collect();
        metrics(&pipelines, Dialect::Prometheus)
    }

    /// The counters in feedoo's form.
    pub fn states(&self) -> Json {
        let mut pipelines = Map::new();
        for pipeline in &self.pipelines {
            let counts = pipeline.counts.lock();
            let steps = pipeline
                .actions
                .iter()
                .zip(&pipeline.infos)
                .zip(counts.iter());
            let steps: Vec<Json> = steps
                .map(|((action, info), counts)| {
                    // In the order in which feedoo sorts the names.
                    let column = |column: usize| {
                        let by_tag = counts
                            .iter()
                            .filter(|(_, tally)| tally.get(column) > Some(&0));
                        let sorted: BTreeMap<&str, u64> = by_tag
                            .map(|(tag, tally)| {
                                (tag.as_str(), tally.get(column).copied().unwrap_or_default())
                            })
                            .collect();
                        json!(sorted)
                    };
                    json!({
                        "bypass": column(super::counts::BYPASS),
                        "do": column(super::counts::DO),
                        "ignore": {},
                        "in": column(super::counts::IN),
                        "info": info.as_str(),
                        "name": class(action),
                        "out": column(super::counts::OUT),
                    })
                })
                .collect();
            pipelines.insert(pipeline.id.clone(), Json::Array(steps));
        }
        json!({"pipelines": pipelines, "timestamp": self.clock.now() as f64 / 1000.0})
    }

    /// All steps with their counters.
    pub fn steps(&self) -> Vec<StepReport> {
        let mut all = Vec::new();
        for pipeline in &self.pipelines {
            let counts = pipeline.counts.lock();
            let sizes = pipeline.sizes.lock();
            for (number, action) in pipeline.actions.iter().enumerate() {
                let (keys, evicted) = sizes.get(number).copied().unwrap_or_default();
                let others = pipeline.others.lock().get(number).cloned();
                all.push(StepReport {
                    pipeline: pipeline.id.clone(),
                    step: number,
                    action,
                    counts: counts.get(number).map(Counts::sum).unwrap_or_default(),
                    keys,
                    evicted,
                    others: others.unwrap_or_default(),
                });
            }
        }
        all
    }
}

/// What a step has done.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// The pipeline.
    pub pipeline: String,
    /// Which of its steps, from 0.
    pub step: usize,
    /// The action.
    pub action: &'static str,
    /// The counters of all tags.
    pub counts: super::Tally,
    /// How many keys it holds.
    pub keys: usize,
    /// How many keys it has thrown out.
    pub evicted: u64,
    /// What else it has counted, by name.
    pub others: Vec<(&'static str, u64)>,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// What ended an input or a pipeline.
    pub faults: Vec<Fault>,
}

/// Pipelines that are ready to run.
pub struct Runner {
    pipelines: Vec<Pipeline>,
    options: Options,
    /// The counters.
    pub live: Arc<Live>,
    /// The files of states that are held.
    _locks: Vec<std::fs::File>,
}

impl Runner {
    /// Gets pipelines ready: takes up saved states. `say` is told what was not taken up. Errors: when the memory
    /// cannot be read.
    pub fn new(
        mut pipelines: Vec<Pipeline>,
        options: Options,
        say: &(dyn Fn(&str) + Sync),
    ) -> Outcome<Runner> {
        let mut locks = Vec::new();
        for pipeline in &mut pipelines {
            for path in pipeline.db_paths.iter().flatten() {
                locks.extend(checkpoint::lock(path)?);
            }
            checkpoint::load(pipeline, &options.memory, say)?;
        }
        let live = pipelines.iter().map(|pipeline| LivePipeline {
            id: pipeline.id.clone(),
            actions: pipeline.stages.iter().map(|stage| stage.name).collect(),
            infos: pipeline.infos.clone(),
            counts: Mutex::new(vec![Counts::default(); pipeline.stages.len()]),
            sizes: Mutex::new(vec![(0, 0); pipeline.stages.len()]),
            others: Mutex::new(vec![Vec::new(); pipeline.stages.len()]),
            lags: Mutex::new(
                pipeline
                    .inputs
                    .iter()
                    .map(|(at, _)| (*at, Duration::ZERO))
                    .collect(),
            ),
            saved: Mutex::new(Instant::now()),
            waiting: Arc::default(),
            state: Mutex::new(State::Running),
        });
        let live = Arc::new(Live {
            pipelines: live.collect(),
            clock: options.clock.clone(),
        });
        Ok(Runner {
            pipelines,
            options,
            live,
            _locks: locks,
        })
    }

    /// Runs everything until the end.
    pub fn run(self) -> Report {
        let faults = Arc::new(Mutex::new(Vec::new()));
        let timing = Timing {
            clock: self.options.clock.clone(),
            field: self.options.event_clock.clone(),
        };
        let (options, live, said, timing) = (&self.options, &self.live, &faults, &timing);
        std::thread::scope(|scope| {
            for (pipeline, live) in self.pipelines.into_iter().zip(&live.pipelines) {
                start(scope, pipeline, options, live, timing, said);
            }
        });
        Report {
            faults: std::mem::take(&mut *faults.lock()),
        }
    }
}

/// Starts the threads of one pipeline.
fn start<'s>(
    scope: &'s Scope<'s, '_>,
    pipeline: Pipeline,
    options: &'s Options,
    live: &'s LivePipeline,
    timing: &'s Timing,
    faults: &'s Arc<Mutex<Vec<Fault>>>,
) {
    let threads = options.threads.max(1);
    let (batches, to_do) = bounded(2 * threads);
    let (done, finished) = bounded(2 * threads);
    // Room for what waits before the workers, on them, and for its turn behind them.
    let (room, places) = bounded(4 * threads);
    let stop = Arc::new(AtomicBool::new(false));
    let (waiting, load) = (live.waiting.clone(), Arc::new(Load::default()));
    let line = Arc::new(Line {
        sent: Mutex::new(0),
        batches,
        room,
        turns: Mutex::new(0),
        turned: Condvar::new(),
        waiting: waiting.clone(),
        ended: stop.clone(),
        load: load.clone(),
    });
    let (inputs, failed) = (pipeline.inputs.len(), Arc::new(AtomicUsize::new(0)));
    let mut turn = 0;
    for (at, input) in pipeline.inputs {
        let own_turn = turn;
        turn += usize::from(input.in_turn());
        let feed = Feed {
            input: at,
            line: line.clone(),
            stop: options.stop.clone(),
            once: options.once,
            turn: own_turn,
            clock: options.clock.clone(),
            say: options.say.clone(),
            keeps: options.memory.keeps() || pipeline.db_paths.get(at).is_some_and(Option::is_some),
            complain: options.complain.clone(),
            faults: faults.clone(),
        };
        let failed = failed.clone();
        let lost = failed.clone();
        let started = spawn(scope, "input", options, faults, move || {
            if let Err(fault) = feed_all(input, &feed) {
                (options.complain)(&fault);
                faults.lock().push(fault);
                failed.fetch_add(1, Ordering::SeqCst);
            }
        });
        if !started {
            lost.fetch_add(1, Ordering::SeqCst);
        }
    }
    let stages = pipeline.stages;
    for _ in 0..threads {
        let (to_do, done, stages) = (to_do.clone(), done.clone(), stages.clone());
        spawn(scope, "steps", options, faults, move || {
            run_worker(&stages, timing, &to_do, &done);
        });
    }
    drop((to_do, done));
    // Only the inputs hold the line now, so that its end is seen.
    drop(line);
    let (mut own, db_paths, id) = (pipeline.own, pipeline.db_paths, pipeline.id);
    let saved = pipeline.places;
    for own in &mut own {
        if let Own::Sink(sink) = own {
            sink.until(&options.stop);
        }
    }
    spawn(scope, "commit", options, faults, move || {
        let committer = Committer {
            id,
            counts: vec![Counts::default(); stages.len()],
            stages: &stages,
            own,
            db_paths,
            timing,
            dead: &options.dead,
            memory: &options.memory,
            every: options.checkpoint,
            live,
            stop: &options.stop,
            waiting,
            load,
            inputs,
            failed: failed.clone(),
            once: options.once,
            event_time: None,
            fatal: None,
            tokens: Vec::new(),
            places: saved,
            changed: false,
        };
        let result = committer.run(finished, places);
        stop.store(true, Ordering::Relaxed);
        *live.state.lock() = match &result {
            Ok(()) if inputs == 0 || failed.load(Ordering::SeqCst) < inputs => State::Ended,
            _ => State::Failed,
        };
        if let Err(fault) = result {
            (options.complain)(&fault);
            faults.lock().push(fault);
        }
    });
}

fn spawn<'s>(
    scope: &'s Scope<'s, '_>,
    name: &str,
    options: &Options,
    faults: &Mutex<Vec<Fault>>,
    work: impl FnOnce() + Send + 's,
) -> bool {
    let builder = Builder::new().name(name.into()).stack_size(STACK);
    let Err(error) = builder.spawn_scoped(scope, work) else {
        return true;
    };
    let text = format!("no thread can be started: {error}");
    let fault = Diagnostic::new(Code::Internal, text);
    (options.complain)(&fault);
    faults.lock().push(fault);
    false
}

fn feed_all(mut input: Box<dyn Input>, feed: &Feed) -> Outcome<()> {
    let in_turn = input.in_turn();
    if in_turn {
        feed.wait_turn();
    }
    let fed = catch_unwind(AssertUnwindSafe(|| input.run(feed)));
    if in_turn {
        feed.turn_done();
    }
    fed.unwrap_or_else(|_| {
        let text = "an input has a fault of the program";
        Err(Diagnostic::new(Code::Internal, text))
    })
}

fn run_worker(
    stages: &[super::Stage],
    timing: &Timing,
    to_do: &Receiver<Batch>,
    done: &Sender<Finished>,
) {
    for batch in to_do {
        let (number, input, sent, size) = (batch.number, batch.input, batch.sent, batch.size);
        let worked = catch_unwind(AssertUnwindSafe(|| work(stages, timing, batch)));
        let finished = worked.unwrap_or_else(|_| Finished {
            number,
            input,
            sent,
            size,
            token: None,
            items: Vec::new(),
            bytes: Vec::new(),
            groups: Vec::new(),
            counts: Vec::new(),
            broken: true,
        });
        if done.send(finished).is_err() {
            return;
        }
    }
}
