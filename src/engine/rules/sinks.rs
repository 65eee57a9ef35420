//! The sinks of a server's rules: each is a pipeline of its own, which begins anew by itself.

use super::handing::Queues;
use super::plan::{event_of, first, sink_plan};
use super::queue::Queue;
use super::spool::Spool;
use super::{Complain, STACK, Say, again};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::pipeline::Common;
use crate::pipeline::engine::{self, DeadLetters, Live, Memory, Options, Pipeline, Runner, Shelf};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Sinks that run until they are dropped.
pub struct Sinks {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// What all sinks have.
#[derive(Clone)]
pub struct Surroundings {
    pub engine: Engine,
    pub dead: DeadLetters,
    pub say: Say,
    pub complain: Complain,
    /// The counters of those that run, in the order of the configuration.
    pub live: Arc<Mutex<Vec<Option<Arc<Live>>>>>,
}

/// The queues of all sinks, with what waited at the last end. Errors: the store's.
pub fn queues(engine: &Engine) -> Outcome<Queues> {
    let sinks = engine.config.rule.sinks.keys();
    let open = |name: &String| {
        let spool = Spool::of(&engine.store, name);
        Queue::open(name, spool, event_of).map(Arc::new)
    };
    Ok(Queues(sinks.map(open).collect::<Outcome<_>>()?))
}

/// The pipeline of a sink. Errors: what is wrong with it.
pub fn build(
    engine: &Engine,
    name: &str,
    queues: &Arc<Queues>,
    stop: &Arc<AtomicBool>,
    say: &Say,
) -> Outcome<Vec<Pipeline>> {
    let file = sink_plan(name, &engine.config.rule)?;
    let mut context = engine.context.clone();
    context.cancel = Arc::default();
    context.deadline = None;
    context.services.add(Arc::new(Common {
        keys: engine.config.pipeline.keys,
        stop: stop.clone(),
        once: false,
        trial: false,
        say: say.clone(),
    }));
    context.services.add(queues.clone());
    engine::build(&file, &context).map_err(first)
}

impl Sinks {
    /// Starts them. Errors: no thread can be started.
    pub fn start(surroundings: &Surroundings, queues: &Arc<Queues>) -> Outcome<Sinks> {
        let mut sinks = Sinks {
            stop: Arc::default(),
            threads: Vec::new(),
        };
        *surroundings.live.lock() = vec![None; queues.0.len()];
        for number in 0..queues.0.len() {
            let (own, all, stop) = (surroundings.clone(), queues.clone(), sinks.stop.clone());
            let builder = std::thread::Builder::new().name("sink".to_owned());
            let thread = builder.stack_size(STACK);
            let thread = thread.spawn(move || own.keep(number, &all, &stop));
            sinks.threads.push(thread.map_err(|error| {
                Diagnostic::new(Code::Internal, format!("no thread can be started: {error}"))
            })?);
        }
        Ok(sinks)
    }
}

impl Drop for Sinks {
    /// Ends them. What they have not taken is kept.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            // What broke has been told.
            let _ = thread.join();
        }
    }
}

impl Surroundings {
    /// Runs a sink until the end.
    fn keep(&self, number: usize, queues: &Arc<Queues>, stop: &Arc<AtomicBool>) {
        let Some(queue) = queues.0.get(number) else {
            return;
        };
        let name = &queue.name;
        let text = format!("its alerts wait: the sink {name} is begun anew");
        again(stop, &self.say, &text, || {
            let built = build(&self.engine, name, queues, stop, &self.say);
            match built.and_then(|pipelines| self.runner(name, pipelines, stop)) {
                Ok(runner) => {
                    if let Some(live) = self.live.lock().get_mut(number) {
                        *live = Some(runner.live.clone());
                    }
                    // Its faults have been told.
                    runner.run();
                }
                Err(fault) => (self.complain)(&fault),
            }
            if !stop.load(Ordering::SeqCst) {
                queue.failed();
            }
        });
    }

    fn runner(
        &self,
        name: &str,
        pipelines: Vec<Pipeline>,
        stop: &Arc<AtomicBool>,
    ) -> Outcome<Runner> {
        let shelf = format!("{}/{name}", super::SHELF);
        let say = self.say.clone();
        let options = Options {
            once: false,
            threads: 1,
            event_clock: None,
            clock: self.engine.context.clock.clone(),
            stop: stop.clone(),
            memory: Memory::Store(Shelf::open(&self.engine.store, Path::new(&shelf))?),
            checkpoint: self.engine.config.pipeline.checkpoint,
            dead: self.dead.clone(),
            complain: self.complain.clone(),
            say: self.say.clone(),
        };
        Runner::new(pipelines, options, &move |text| say(text))
    }
}
