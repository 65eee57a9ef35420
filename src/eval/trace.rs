//! Evaluation that notes what every part of an expression gave, how often and how long it took.

use super::compile::compile_traced;
use super::context::Context;
use super::program::Program;
use super::run::Run;
use super::value::Value;
use crate::diagnostic::{Outcome, Source, Span};
use crate::syntax::Expr;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What became of one part of an expression.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it stands.
    pub span: Span,
    /// How many parts it stands inside of, counted from 1.
    pub depth: usize,
    /// How often it was evaluated; 0 for a branch that was not taken.
    pub count: u64,
    /// How long that took in all, with the parts inside.
    pub time: Duration,
    /// What it gave the last time; `None` when it failed or was not evaluated.
    pub value: Option<Value>,
    /// Whether it failed the last time.
    pub failed: bool,
}

/// An evaluation with what became of the parts.
pub struct Traced {
    /// What the whole gave.
    pub result: Outcome<Value>,
    /// Every part but literals, in the order of the text: a whole stands before its parts.
    pub parts: Vec<Part>,
    /// How long the whole took.
    pub time: Duration,
    /// How many calls and steps of loops it took.
    pub steps: u64,
}

/// Evaluates a tree and notes its parts. Nothing is folded beforehand, so that every part shows.
pub fn trace(tree: Option<&Expr>, source: &Arc<Source>, context: &Context) -> Traced {
    let (program, places) = compile_traced(tree, source, context);
    let mut run = Run::new(context);
    run.trace = Some(Trace {
        program: program.clone(),
        parts: RefCell::new(untouched(&places)),
    });
    let slots = program.fill(context);
    let started = Instant::now();
    let result = program.run_in(&run, &slots);
    Traced {
        result,
        time: started.elapsed(),
        steps: run.steps(),
        parts: run.trace.map_or(Vec::new(), |t| t.parts.into_inner()),
    }
}

fn untouched(places: &[Span]) -> Vec<Part> {
    let mut around: Vec<Span> = Vec::new();
    let part = |span: &Span| {
        while around.last().is_some_and(|outer| outer.end < span.end) {
            around.pop();
        }
        around.push(*span);
        Part {
            span: *span,
            depth: around.len(),
            count: 0,
            time: Duration::ZERO,
            value: None,
            failed: false,
        }
    };
    places.iter().map(part).collect()
}

/// The notes of a running evaluation.
pub(super) struct Trace {
    program: Arc<Program>,
    parts: RefCell<Vec<Part>>,
}

impl Trace {
    /// Notes what a part of `program` gave; a lambda of another program is of no interest.
    pub fn note(
        &self,
        program: &Arc<Program>,
        part: usize,
        result: &Outcome<Value>,
        time: Duration,
    ) {
        if !Arc::ptr_eq(program, &self.program) {
            return;
        }
        if let Some(part) = self.parts.borrow_mut().get_mut(part) {
            part.count += 1;
            part.time += time;
            part.failed = result.is_err();
            part.value = result.as_ref().ok().cloned();
        }
    }
}
