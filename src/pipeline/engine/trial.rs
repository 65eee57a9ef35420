//! A pipeline on trial: the same steps and the same way of an event, on one thread, with a clock that is told, and
//! outputs that write nothing.

use super::counts::Counts;
use super::walk::{Hands, walk};
use super::{Own, Pipeline, Shared, Stage};
use crate::pipeline::event::Event;
use crate::pipeline::step::{Done, Flow, Kept, Now, Render};
use std::sync::Arc;

/// An event that an output has taken.
#[derive(Debug)]
pub struct Taken {
    /// Which step took it, from 0.
    pub step: usize,
    /// The event.
    pub event: Event,
}

/// An event that a step could do nothing with.
#[derive(Debug)]
pub struct Refused {
    /// Which step.
    pub step: usize,
    /// The event.
    pub event: Event,
    /// Why.
    pub reason: String,
}

/// A pipeline on trial.
pub struct Trial {
    stages: Arc<Vec<Stage>>,
    own: Vec<Own>,
    /// What the outputs have taken, in order.
    pub taken: Vec<Taken>,
    /// What would be dead letters.
    pub refused: Vec<Refused>,
    /// What ended the pipeline.
    pub ended: Option<String>,
}

impl Trial {
    /// Puts a pipeline on trial.
    pub fn new(pipeline: Pipeline) -> Trial {
        Trial {
            stages: pipeline.stages,
            own: pipeline.own,
            taken: Vec::new(),
            refused: Vec::new(),
            ended: None,
        }
    }

    /// The step behind the first input, where events begin.
    pub fn first(&self) -> usize {
        let is_input = |stage: &Stage| matches!(stage.shared, Shared::Input);
        self.stages.iter().position(is_input).map_or(0, |at| at + 1)
    }

    /// Leads an event through the steps from `at` on.
    pub fn feed(&mut self, at: usize, event: Event, now: Now) {
        let stages = self.stages.clone();
        walk(&stages, self, at, event, now);
        self.each_kept(now, |kept, more| kept.drain(now, more));
    }

    /// Tells the steps that time has passed.
    pub fn tick(&mut self, now: Now) {
        self.each_kept(now, |kept, more| {
            kept.tick(now, more)?;
            kept.drain(now, more)
        });
    }

    fn each_kept(
        &mut self,
        now: Now,
        mut ask: impl FnMut(&mut dyn Kept, &mut Vec<Event>) -> Result<(), String>,
    ) {
        let stages = self.stages.clone();
        for at in 0..self.own.len() {
            let Some(Own::Kept(kept)) = self.own.get_mut(at) else {
                continue;
            };
            let mut more = Vec::new();
            if let Err(reason) = ask(kept.as_mut(), &mut more) {
                self.ended.get_or_insert(reason);
            }
            for event in more {
                walk(&stages, self, at + 1, event, now);
            }
        }
    }
}

impl Hands for Trial {
    fn counts(&mut self, _: usize) -> Option<&mut Counts> {
        None
    }

    fn keep(&mut self, at: usize, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        match self.own.get_mut(at) {
            Some(Own::Kept(kept)) => kept.apply(event, now, more),
            _ => Ok(Flow::Pass),
        }
    }

    fn write(&mut self, at: usize, render: &dyn Render, event: &Event) -> Result<(), String> {
        render.render(event, &mut String::new(), &mut Vec::new())?;
        let (step, event) = (at, event.clone());
        self.taken.push(Taken { step, event });
        Ok(())
    }

    fn fail(&mut self, at: usize, event: Event, reason: String) {
        let step = at;
        self.refused.push(Refused {
            step,
            event,
            reason,
        });
    }

    fn moment(&mut self, _: &Event, now: Now) -> Now {
        now
    }
}
