//! Rules over the past: the messages of the event store, in the order in which they were detected.

use super::plan::{From, To, first, plan};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::engine::Engine;
use crate::pipeline::Common;
use crate::pipeline::engine::{self, DeadLetters, Memory, Options, Runner};
use crate::rule::active::find;
use crate::rule::store::Rules;
use parking_lot::Mutex;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What a rule over the past is to see.
#[derive(Debug, Clone)]
pub struct Past {
    /// Names or identifiers of rules of the store.
    pub rules: Vec<String>,
    /// From when on, in milliseconds since 1970.
    pub from: i64,
    /// Until before when.
    pub to: i64,
    /// The source to read; the messages of the event store unless another one is named.
    pub source: Option<String>,
    /// Whether alerts go to the sinks of the configuration.
    pub sinks: bool,
    /// Whether alerts are kept as results of their rule.
    pub results: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// How many events the rules saw.
    pub events: u64,
    /// How many alerts they raised.
    pub alerts: u64,
    /// How many of their calls failed or were stopped.
    pub failed: u64,
}

/// The source that is read unless another one is named.
const EVENTS: &str = "events";

/// Runs rules over the past, on an event clock, with empty groups; `stop` ends that. `say` is told what rules say.
/// Errors: a rule that is not there or cannot be loaded, with its name; the source's; a sink's.
pub fn run(
    engine: &Engine,
    past: &Past,
    stop: &Arc<AtomicBool>,
    say: Arc<dyn Fn(&str) + Send + Sync>,
) -> Outcome<Done> {
    if past.from >= past.to {
        let text = "the time from which events are read lies before the time until which they are";
        return Err(Diagnostic::new(Code::Usage, text));
    }
    let mut context = engine.context.clone();
    context.cancel = stop.clone();
    if let Some(rules) = context.services.get::<Rules>() {
        // A name that is none of a rule is told as such, not as a fault of a pipeline.
        for name in &past.rules {
            find(&rules, name, &context)?;
        }
    }
    context.services.add(Arc::new(Common {
        keys: engine.config.pipeline.keys,
        stop: stop.clone(),
        once: true,
        trial: false,
        say: say.clone(),
    }));
    let rule = [
        ("rules", json!(past.rules)),
        ("results", json!(past.results)),
        ("pace", json!("events")),
    ];
    let source = past.source.as_deref().unwrap_or(EVENTS);
    let from = From::Past(source, past.from, past.to);
    let to = match past.sinks {
        true => To::Sinks,
        false => To::Nowhere,
    };
    let file = plan(&from, &rule, &engine.config.rule, &to)?;
    let pipelines = engine::build(&file, &context).map_err(first)?;
    let (told, first_fault) = (say.clone(), Arc::new(Mutex::new(None::<Fault>)));
    let slot = first_fault.clone();
    let options = Options {
        once: true,
        threads: 1,
        event_clock: None,
        clock: context.clock.clone(),
        stop: stop.clone(),
        memory: Memory::None,
        checkpoint: Duration::from_secs(1),
        dead: DeadLetters::new(None, move |text| told(text))?,
        complain: Arc::new(move |fault| {
            slot.lock().get_or_insert_with(|| fault.clone());
        }),
        say,
    };
    let runner = Runner::new(pipelines, options, &|_| {})?;
    let live = runner.live.clone();
    runner.run();
    if let Some(fault) = first_fault.lock().take() {
        return Err(fault);
    }
    let steps = live.steps();
    let rule = steps.iter().find(|step| step.action == "filter_rule");
    let other = |name: &str| {
        let mut others = rule.into_iter().flat_map(|rule| &rule.others);
        others
            .find(|(known, _)| *known == name)
            .map_or(0, |(_, n)| *n)
    };
    Ok(Done {
        events: rule.map_or(0, |rule| rule.counts[2]),
        alerts: other("alerts"),
        failed: other("failed_calls") + other("stopped_calls"),
    })
}
