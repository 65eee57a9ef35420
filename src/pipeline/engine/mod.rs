//! Runs pipelines: inputs on threads of their own, what knows one event at a time on all cores, the rest in order.

mod checkpoint;
mod commit;
mod counts;
mod dead;
mod metrics;
mod run;
mod states;
mod trial;
mod walk;
mod worker;

pub use checkpoint::{Memory, PIPELINE, Shelf, StateFile, kept};
pub use counts::{COLUMNS, Counts, Tally};
pub use dead::DeadLetters;
pub(in crate::pipeline) use dead::time_text;
pub use run::{Live, Options, Report, Runner, State, StepReport};
pub use states::serve_states;

pub use trial::{Refused, Taken, Trial};

use super::config;
use super::spec::Build;
use super::step::{Input, Kept, Pure, Render, Sink, Step};
use super::tag::Pattern;
use crate::diagnostic::Fault;
use crate::eval::Context;
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The part of a step that all threads see.
pub(super) enum Shared {
    /// Events come from here; others pass by.
    Input,
    /// Runs where the event is.
    Pure(Arc<dyn Pure>),
    /// Runs on the committing thread.
    Kept,
    /// Is rendered where the event is and written by the committing thread.
    Output(Arc<dyn Render>),
}

/// A step with what is said of it.
pub(super) struct Stage {
    pub name: &'static str,
    pub pattern: Option<Pattern>,
    pub shared: Shared,
    /// Whether events of a batch come to it together.
    pub waits: bool,
}

/// The part of a step that only one thread has.
pub(super) enum Own {
    None,
    Kept(Box<dyn Kept>),
    Sink(Box<dyn Sink>),
}

/// A pipeline that can be run.
pub struct Pipeline {
    /// Its name.
    pub id: String,
    pub(super) stages: Arc<Vec<Stage>>,
    pub(super) own: Vec<Own>,
    pub(super) inputs: Vec<(usize, Box<dyn Input>)>,
    pub(super) db_paths: Vec<Option<PathBuf>>,
    /// The places of inputs that were saved.
    pub(super) places: BTreeMap<usize, Json>,
    /// What feedoo says of each step: its info.
    pub(super) infos: Vec<SmolStr>,
}

impl Pipeline {
    /// Adds a step behind all others that sees the events whose tags match.
    pub fn tap(&mut self, pattern: Pattern, step: Box<dyn Kept>) {
        let mut stages: Vec<Stage> =
            Arc::into_inner(std::mem::take(&mut self.stages)).unwrap_or_default();
        stages.push(Stage {
            name: "tap",
            pattern: Some(pattern),
            shared: Shared::Kept,
            waits: false,
        });
        self.stages = Arc::new(stages);
        self.own.push(Own::Kept(step));
        self.db_paths.push(None);
        self.infos.push("Tap".into());
    }
}

/// Makes the steps of all pipelines. Errors: every fault that there is.
pub fn build(file: &config::File, context: &Context) -> Result<Vec<Pipeline>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut pipelines = Vec::new();
    for plan in &file.pipelines {
        let mut pipeline = Pipeline {
            id: plan.id.clone(),
            stages: Arc::default(),
            own: Vec::new(),
            inputs: Vec::new(),
            db_paths: Vec::new(),
            places: BTreeMap::new(),
            infos: Vec::new(),
        };
        let mut stages = Vec::new();
        let build = Build {
            context,
            pipeline: &plan.id,
        };
        for (number, step) in plan.steps.iter().enumerate() {
            let made = match (step.spec.make)(&step.parameters, &build) {
                Ok(made) => made,
                Err(fault) => {
                    let span = step.parameters.span;
                    faults.push(fault.or_at(span).in_source(&step.source));
                    continue;
                }
            };
            let (shared, own) = match made {
                Step::Input(input) => {
                    pipeline.inputs.push((number, input));
                    (Shared::Input, Own::None)
                }
                Step::Pure(pure) => (Shared::Pure(pure), Own::None),
                Step::Kept(kept) => (Shared::Kept, Own::Kept(kept)),
                Step::Output(render, sink) => (Shared::Output(render), Own::Sink(sink)),
            };
            pipeline.own.push(own);
            pipeline.db_paths.push(step.db_path.clone());
            let tag = step.parameters.text("tag").unwrap_or_default();
            pipeline.infos.push(match step.spec.name {
                "input_dummy" => format!("Dummy[{tag}]").into(),
                "output_stdout" => format!("Stdout[{}]", step.matches).into(),
                name => format!("undefined for {}", class(name)).into(),
            });
            stages.push(Stage {
                waits: matches!(&shared, Shared::Pure(pure) if pure.waits()),
                name: step.spec.name,
                pattern: step.pattern.clone(),
                shared,
            });
        }
        pipeline.stages = Arc::new(stages);
        pipelines.push(pipeline);
    }
    match faults.is_empty() {
        true => Ok(pipelines),
        false => Err(faults),
    }
}

/// The name of feedoo's class for an action: `FilterRename` for `filter_rename`.
pub(super) fn class(name: &str) -> String {
    let parts = name.split('_').map(|part| {
        let mut chars = part.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    });
    parts.collect()
}
