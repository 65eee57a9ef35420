//! Active rules of a server: what they read, what they raise, and where that goes. It is a pipeline in memory, run by the
//! engine of pipelines.

mod gauges;
mod handing;
mod http;
mod plan;
mod posted;
mod queue;
pub mod retro;
mod sinks;
mod source;
mod spool;

pub use gauges::Gauges;
pub use http::endpoints;
pub use posted::Posted;
pub use spool::SINK;

use super::Engine;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::pipeline::Common;
use crate::pipeline::engine::{self, DeadLetters, Live, Memory, Options, Pipeline, Runner, Shelf};
use crate::store::Lock;
use handing::Queues;
use parking_lot::Mutex;
use plan::{From, To, first, plan};
use serde_json::json;
use sinks::{Sinks, Surroundings};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the places of sources are kept under.
const SHELF: &str = "stellar serve";

/// A pipeline that broke is begun anew after so long, then after twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// It is begun anew at least this often.
const LONGEST: Duration = Duration::from_secs(60);

/// What runs so long is well again.
const WELL: Duration = Duration::from_secs(60);

/// How often there is a look whether another process still runs the rules.
const LOOK: Duration = Duration::from_secs(2);

/// How often a pause is looked at.
const TICK: Duration = Duration::from_millis(20);

/// The stack of the thread that looks after the pipeline.
const STACK: usize = 8 << 20;

/// Is told what there is to say.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Is told what went wrong.
pub type Complain = Arc<dyn Fn(&Fault) + Send + Sync>;

/// Rules that run until they are told to end.
pub struct ActiveRules {
    stop: Arc<AtomicBool>,
    live: Arc<Mutex<Option<Arc<Live>>>>,
    sinks: Arc<Mutex<Vec<Option<Arc<Live>>>>>,
    gauges: Arc<Gauges>,
    thread: Option<JoinHandle<()>>,
}

/// The right to run the rules of a store, as long as it lives.
struct Held {
    _lock: Option<Lock>,
}

/// What the thread that looks after the pipeline has.
struct Keeper {
    engine: Engine,
    stop: Arc<AtomicBool>,
    live: Arc<Mutex<Option<Arc<Live>>>>,
    gauges: Arc<Gauges>,
    sinks: Surroundings,
    say: Say,
    complain: Complain,
}

impl ActiveRules {
    /// Starts them. Errors: a source or a sink that cannot be; the store's.
    pub fn start(engine: &Engine, say: Say, complain: Complain) -> Outcome<ActiveRules> {
        let dead = match &engine.config.pipeline.dead_letter {
            Some(path) => Some(engine.path(path)?),
            None => None,
        };
        let said = say.clone();
        let keeper = Keeper {
            engine: engine.clone(),
            stop: Arc::default(),
            live: Arc::default(),
            gauges: Arc::default(),
            sinks: Surroundings {
                engine: engine.clone(),
                dead: DeadLetters::new(dead.as_deref(), move |text| said(text))?,
                say: say.clone(),
                complain: complain.clone(),
                live: Arc::default(),
            },
            say,
            complain,
        };
        let (stop, live, gauges, sinks) = (
            keeper.stop.clone(),
            keeper.live.clone(),
            keeper.gauges.clone(),
            keeper.sinks.live.clone(),
        );
        let lock = keeper.lock();
        // What is configured wrongly is told at once, whoever runs the rules.
        let queues = keeper.check()?;
        let first = lock.map(|lock| (lock, queues));
        if first.is_some() {
            keeper.posted().open();
        }
        let builder = std::thread::Builder::new().name("rules".to_owned());
        let thread = builder.stack_size(STACK).spawn(move || keeper.keep(first));
        let thread = thread.map_err(|error| {
            Diagnostic::new(Code::Internal, format!("no thread can be started: {error}"))
        })?;
        Ok(ActiveRules {
            stop,
            live,
            sinks,
            gauges,
            thread: Some(thread),
        })
    }

    /// What they count, in Prometheus' form.
    pub fn metrics(&self) -> impl Fn() -> String + Send + Sync + 'static {
        let (live, sinks, gauges) = (self.live.clone(), self.sinks.clone(), self.gauges.clone());
        move || {
            let mut text = gauges.text();
            let mut all: Vec<Arc<Live>> = live.lock().iter().cloned().collect();
            all.extend(sinks.lock().iter().flatten().cloned());
            if !all.is_empty() {
                text.push_str(&Live::prometheus(&all));
            }
            text
        }
    }
}

impl Drop for ActiveRules {
    /// Ends them: what has come is finished, groups and places are saved.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // What broke has been told.
            let _ = thread.join();
        }
    }
}

impl Keeper {
    /// The way of posted events.
    fn posted(&self) -> Arc<Posted> {
        self.engine.context.services.get().unwrap_or_default()
    }

    /// The right to run the rules of this store; `None` while another process has it. Where there can be no lock, as no
    /// file can be written, there is no embedded file of rules to be shared either.
    fn lock(&self) -> Option<Held> {
        match Lock::take(&self.engine.store.lock_path("rules")) {
            Ok(lock) => lock.map(|lock| Held { _lock: Some(lock) }),
            Err(fault) => {
                tracing::warn!("rules: {}", fault.message);
                Some(Held { _lock: None })
            }
        }
    }

    /// Makes everything once; the queues of the sinks. Errors: what is wrong with a source, a sink or a setting; the
    /// store's.
    fn check(&self) -> Outcome<Arc<Queues>> {
        let queues = Arc::new(sinks::queues(&self.engine)?);
        self.build(&queues)?;
        for name in self.engine.config.rule.sinks.keys() {
            sinks::build(&self.engine, name, &queues, &self.stop, &self.say)?;
        }
        Ok(queues)
    }

    /// The pipeline. Errors: what is wrong with a source or a setting.
    fn build(&self, queues: &Arc<Queues>) -> Outcome<Vec<Pipeline>> {
        let config = &self.engine.config.rule;
        let now = self.engine.context.clock.now();
        let since = i64::try_from(config.since.as_millis()).unwrap_or(i64::MAX);
        let mut rule = vec![
            ("results", json!(config.results)),
            ("save", json!(config.save.as_secs_f64())),
            ("reload", json!(config.reload.as_secs_f64())),
            ("pace", json!("machine")),
        ];
        rule.extend(config.threads.map(|threads| ("threads", json!(threads))));
        let from = From::Live(&config.sources, now.saturating_sub(since));
        let to = match config.sinks.is_empty() {
            true => To::Nowhere,
            false => To::Queues,
        };
        let file = plan(&from, &rule, config, &to)?;
        let mut context = self.engine.context.clone();
        context.cancel = Arc::default();
        context.deadline = None;
        context.services.add(Arc::new(Common {
            keys: self.engine.config.pipeline.keys,
            stop: self.stop.clone(),
            once: false,
            trial: false,
            say: self.say.clone(),
        }));
        context.services.add(self.gauges.clone());
        context.services.add(queues.clone());
        engine::build(&file, &context).map_err(first)
    }

    fn runner(&self, pipelines: Vec<Pipeline>) -> Outcome<Runner> {
        let config = &self.engine.config;
        // Places of sources and what identifiers of alerts need are kept here; rules keep their groups themselves.
        let memory = match config.rule.sources.is_empty() && config.rule.sinks.is_empty() {
            true => Memory::None,
            false => Memory::Store(Shelf::open(&self.engine.store, Path::new(SHELF))?),
        };
        let options = Options {
            once: false,
            threads: 1,
            event_clock: None,
            clock: self.engine.context.clock.clone(),
            stop: self.stop.clone(),
            memory,
            checkpoint: config.pipeline.checkpoint,
            dead: self.sinks.dead.clone(),
            complain: self.complain.clone(),
            say: self.say.clone(),
        };
        let say = self.say.clone();
        Runner::new(pipelines, options, &move |text| say(text))
    }

    /// Runs the pipeline and the sinks, again and again should they break, until the end.
    fn keep(self, first: Option<(Held, Arc<Queues>)>) {
        let (lock, queues) = match first {
            Some(first) => first,
            None => match self.wait_for_lock() {
                Some(lock) => match sinks::queues(&self.engine).map(Arc::new) {
                    Ok(queues) => {
                        self.posted().open();
                        (lock, queues)
                    }
                    Err(fault) => return (self.complain)(&fault),
                },
                None => return,
            },
        };
        self.gauges.watch(&queues);
        let sinks = match Sinks::start(&self.sinks, &queues) {
            Ok(sinks) => sinks,
            Err(fault) => return (self.complain)(&fault),
        };
        again(&self.stop, &self.say, "the rules are begun anew", || {
            let built = self.build(&queues);
            match built.and_then(|pipelines| self.runner(pipelines)) {
                Ok(runner) => {
                    *self.live.lock() = Some(runner.live.clone());
                    // Its faults have been told.
                    runner.run();
                }
                Err(fault) => (self.complain)(&fault),
            }
        });
        self.posted().close();
        drop(sinks);
        drop(lock);
    }

    fn wait_for_lock(&self) -> Option<Held> {
        (self.say)("another process runs the rules of this store; this one does when that ends");
        while wait(&self.stop, LOOK) {
            if let Some(lock) = self.lock() {
                return Some(lock);
            }
        }
        None
    }
}

/// Runs something until it is to stop, in growing pauses when it ends by itself; `what` is said then.
fn again(stop: &AtomicBool, say: &Say, what: &str, mut run: impl FnMut()) {
    let mut pause = PAUSE;
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        run();
        if stop.load(Ordering::SeqCst) {
            break;
        }
        if began.elapsed() >= WELL {
            pause = PAUSE;
        }
        say(&format!("{what} in {} s", pause.as_secs()));
        wait(stop, pause);
        pause = (pause * 2).min(LONGEST);
    }
}

/// Waits; false when that is the end.
fn wait(stop: &AtomicBool, time: Duration) -> bool {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if stop.load(Ordering::SeqCst) {
            return false;
        }
        std::thread::sleep(TICK);
    }
    true
}
