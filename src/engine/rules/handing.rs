//! The two ends of the way of alerts: `output_alerts` puts them into the queue of each sink, `input_alerts` feeds them to
//! the pipeline of one.

use super::queue::{PATIENCE, Queue, not_kept};
use crate::diagnostic::Outcome;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Now, Render, Sink, Step, Token};
use crate::pipeline::{Common, Event};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Only for the pipeline of a server.
pub const OUTPUT_ALERTS: ActionSpec = ActionSpec {
    name: "output_alerts",
    kind: ActionKind::Output,
    summary: "Puts alerts into the queues of the sinks.",
    details: "",
    parameters: &[],
    examples: &[],
    make: make_output,
};

/// Only for the pipelines of sinks.
pub const INPUT_ALERTS: ActionSpec = ActionSpec {
    name: "input_alerts",
    kind: ActionKind::Input,
    summary: "Feeds the alerts that wait for a sink.",
    details: "",
    parameters: &[ParameterSpec::required(
        "sink",
        ParameterKind::Text,
        "the name of the sink",
    )],
    examples: &[],
    make: make_input,
};

/// So many alerts are given to a sink together.
const TOGETHER: usize = 1000;

/// How often an input looks whether it shall end.
const LOOK: Duration = Duration::from_millis(50);

/// The queues of all sinks: a service.
#[derive(Default)]
pub struct Queues(pub Vec<Arc<Queue>>);

fn queues(build: &Build<'_>) -> Arc<Queues> {
    build.context.services.get().unwrap_or_default()
}

fn make_output(_: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let (queues, common) = (queues(build), build.common());
    let handing = Handing(queues.clone());
    Ok(Step::Output(
        Arc::new(handing),
        Box::new(Handed { queues, common }),
    ))
}

fn make_input(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let name = parameters.text_or("sink", "");
    let queue = queues(build)
        .0
        .iter()
        .find(|one| one.name == *name)
        .cloned();
    let missing = || parameters.fault("sink", format!("no sink is named {name}"));
    Ok(Step::Input(Box::new(Taking {
        queue: queue.ok_or_else(missing)?,
        common: build.common(),
    })))
}

struct Handing(Arc<Queues>);

impl Render for Handing {
    /// The queues take the event itself: there is nothing to write.
    fn render(&self, event: &Event, _: &mut String, _: &mut Vec<u8>) -> Result<(), String> {
        self.0.0.iter().for_each(|queue| queue.put(event));
        Ok(())
    }

    fn by_route(&self) -> bool {
        false
    }
}

struct Handed {
    queues: Arc<Queues>,
    common: Arc<Common>,
}

impl Sink for Handed {
    fn write(&mut self, _: &str, _: &[u8], _: usize) -> Outcome<()> {
        Ok(())
    }

    fn tick(&mut self, _: Now, _: bool) -> Outcome<()> {
        for queue in &self.queues.0 {
            if let Some(lost) = queue.lost() {
                let name = &queue.name;
                (self.common.say)(&format!(
                    "{lost} alerts found no room before the sink {name}"
                ));
            }
        }
        Ok(())
    }

    /// Waits for the sinks; what waits for those that are behind is put where a crash does not lose it.
    fn flush(&mut self, durably: bool) -> Outcome<()> {
        if !durably {
            return Ok(());
        }
        let until = Instant::now() + PATIENCE;
        for queue in &self.queues.0 {
            let name = &queue.name;
            if queue.wait(until) {
                (self.common.say)(&format!(
                    "the sink {name} is too slow: nobody waits for it until it has taken its alerts"
                ));
            }
            if let Err(fault) = queue.keep() {
                (self.common.say)(&not_kept(name, &fault));
            }
        }
        Ok(())
    }
}

struct Taking {
    queue: Arc<Queue>,
    common: Arc<Common>,
}

impl Input for Taking {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        self.queue.begin();
        while !feed.stopped() {
            let Some((events, end)) = self.queue.next(TOGETHER, LOOK) else {
                continue;
            };
            let token = Arc::new(Taken {
                queue: self.queue.clone(),
                common: self.common.clone(),
                end,
            });
            if !feed.events(events, Some(token)) {
                break;
            }
        }
        Ok(())
    }
}

/// Alerts that the sink has when this is acknowledged.
struct Taken {
    queue: Arc<Queue>,
    common: Arc<Common>,
    end: u64,
}

impl Token for Taken {
    fn acknowledge(&self) {
        let name = &self.queue.name;
        match self.queue.taken(self.end) {
            Ok(false) => {}
            Ok(true) => {
                (self.common.say)(&format!("the sink {name} has taken all its alerts again"))
            }
            Err(fault) => (self.common.say)(&not_kept(name, &fault)),
        }
    }

    /// The rules wait for it.
    fn urgent(&self) -> bool {
        true
    }
}
