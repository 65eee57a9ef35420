//! The way of an event through the steps, depth first.

use super::counts::{BYPASS, Counts, DO, DROPPED, FAILED, IN, OUT};
use super::{Shared, Stage};
use crate::pipeline::event::Event;
use crate::pipeline::step::{Done, Flow, Now, Render};

/// What a thread does where the way leaves what all threads may do.
pub(super) trait Hands {
    /// The counters of a step.
    fn counts(&mut self, at: usize) -> Option<&mut Counts>;

    /// Whether steps that remember run on another thread.
    fn hands_over(&self) -> bool {
        false
    }

    /// Gives an event to the thread that runs the step.
    fn hand_over(&mut self, _at: usize, _event: Event) {}

    /// Whether events wait at this step until the batch has come there.
    fn holds(&self, _at: usize) -> bool {
        false
    }

    /// Lets an event wait.
    fn hold(&mut self, _at: usize, _event: Event) {}

    /// Runs a step that remembers.
    fn keep(&mut self, at: usize, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done;

    /// Renders an event for an output.
    fn write(&mut self, at: usize, render: &dyn Render, event: &Event) -> Result<(), String>;

    /// Takes an event that a step could not do anything with.
    fn fail(&mut self, at: usize, event: Event, reason: String);

    /// The moment, when events have a time of their own.
    fn moment(&mut self, event: &Event, now: Now) -> Now;
}

/// Leads an event through the steps from `at` on.
pub(super) fn walk(stages: &[Stage], hands: &mut impl Hands, at: usize, event: Event, now: Now) {
    let mut more = Vec::new();
    walk_with(stages, hands, at, event, now, &mut more);
}

/// As [`walk`], with an empty list that is used again.
pub(super) fn walk_with(
    stages: &[Stage],
    hands: &mut impl Hands,
    mut at: usize,
    mut event: Event,
    now: Now,
    more: &mut Vec<Event>,
) {
    while let Some(stage) = stages.get(at) {
        let last = at + 1 == stages.len();
        if matches!(stage.shared, Shared::Kept) && hands.hands_over() {
            return hands.hand_over(at, event);
        }
        if stage.waits && hands.holds(at) {
            return hands.hold(at, event);
        }
        // Other inputs' events pass an input by.
        let matched = stage
            .pattern
            .as_ref()
            .is_some_and(|p| p.matches(&event.tag));
        if let Some(counts) = hands.counts(at) {
            counts.one(&event.tag, IN);
            // As feedoo counts: the last step lets nothing pass by.
            match (matched, last) {
                (true, _) => counts.one(&event.tag, DO),
                (false, false) => counts.one(&event.tag, BYPASS),
                (false, true) => {}
            }
        }
        if !matched {
            at += 1;
            continue;
        }
        let done = match &stage.shared {
            Shared::Pure(pure) => {
                let now = hands.moment(&event, now);
                pure.apply(&mut event, now, more)
            }
            Shared::Kept => {
                let now = hands.moment(&event, now);
                hands.keep(at, &mut event, now, more)
            }
            Shared::Output(render) => hands
                .write(at, render.as_ref(), &event)
                .map(|()| Flow::Pass),
            Shared::Input => Ok(Flow::Pass),
        };
        let added = std::mem::take(more);
        let passed = match done {
            Ok(flow) => {
                if let Some(counts) = hands.counts(at) {
                    match flow {
                        Flow::Drop => counts.one(&event.tag, DROPPED),
                        Flow::Pass if last => {}
                        Flow::Pass => counts.one(&event.tag, OUT),
                    }
                    for event in added.iter().filter(|_| !last) {
                        counts.one(&event.tag, OUT);
                    }
                }
                flow == Flow::Pass
            }
            Err(reason) => {
                if let Some(counts) = hands.counts(at) {
                    counts.one(&event.tag, FAILED);
                }
                return hands.fail(at, event, reason);
            }
        };
        at += 1;
        if added.is_empty() {
            // The list keeps its memory.
            *more = added;
            if !passed {
                return;
            }
            continue;
        }
        if passed {
            walk(stages, hands, at, event, now);
        }
        for event in added {
            walk(stages, hands, at, event, now);
        }
        return;
    }
}
