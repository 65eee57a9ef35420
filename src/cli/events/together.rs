//! Events whose expressions ask a server: the questions of many lines go there together.

use super::{EventWorker, Trouble};
use crate::diagnostic::Fault;
use crate::eval::{Context, Later};
use crate::input::{Batch, Chunk, Line};
use std::sync::Arc;

/// How many lines wait for answers at the most.
const LINES: usize = 4096;

/// What came of a line: whether it is kept, and where its output stands.
type Came = (Result<bool, Trouble>, std::ops::Range<usize>);

impl EventWorker {
    /// Sees to it that questions are asked together, if that gives what asking one by one gives.
    pub(super) fn ask_together(&mut self) {
        let effects = self.steps.iter().map(|step| step.program.effects());
        let (mut asks, mut repeats, mut borrows) = (false, true, true);
        for effects in effects {
            asks |= effects.asks;
            repeats &= effects.repeats;
            borrows &= effects.borrows;
        }
        // Fields of events are read anew; what the command line gives is not.
        if asks && repeats && (borrows || !self.given) {
            let later = Arc::new(Later::default());
            self.context.services.add(later.clone());
            self.later = Some(later);
        }
    }

    /// Works on the lines of a chunk; as the loop of [`Worker::work`](crate::input::Worker::work).
    pub(super) fn together<'c>(
        &mut self,
        later: &Later,
        chunk: &'c Chunk,
        lines: &mut impl Iterator<Item = Line<'c>>,
        batch: &mut Batch,
        pass_on: &mut dyn FnMut(&mut Batch) -> bool,
    ) {
        let mut output = Vec::new();
        loop {
            let group: Vec<Line<'c>> = lines.by_ref().take(LINES).collect();
            if group.is_empty() {
                return;
            }
            output.clear();
            let came = self.settle(later, chunk, &group, &mut output);
            later.forget();
            let came = match came {
                Ok(came) => came,
                // Nothing but an interruption ends it early.
                Err(_) => {
                    batch.stop = true;
                    return;
                }
            };
            for (line, (came, range)) in group.iter().zip(came) {
                batch.totals.read += 1;
                let before = batch.output.len();
                let text = output.get(range).unwrap_or_default();
                batch.output.extend_from_slice(text);
                if !self.settled(batch, line, came, before, pass_on) {
                    return;
                }
            }
        }
    }

    fn settle(
        &mut self,
        later: &Later,
        chunk: &Chunk,
        group: &[Line<'_>],
        output: &mut Vec<u8>,
    ) -> Result<Vec<Came>, Fault> {
        let context: Context = self.context.clone();
        let mut came: Vec<Came> = Vec::with_capacity(group.len());
        later.settle(group.len(), &context, |n| {
            let Some(line) = group.get(n) else { return };
            let from = output.len();
            let result = self.event(chunk, *line, output);
            let result = (result, from..output.len());
            // The first round goes through all, the others through those that left off.
            match came.get_mut(n) {
                Some(place) => *place = result,
                None => came.push(result),
            }
        })?;
        Ok(came)
    }
}
