//! Events of files.

use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::input::{ChunkReader, inputs, lines};
use crate::rule::event::Event;
use std::path::PathBuf;

/// How many bad lines are shown; the rest is counted.
const SHOWN: u64 = 10;

/// Gives every event of the inputs to `take`; how many lines are no events.
pub fn each_event(
    engine: &Engine,
    files: &[PathBuf],
    mut take: impl FnMut(Event) -> Outcome<()>,
) -> Outcome<u64> {
    let context = &engine.context;
    let mut reader =
        ChunkReader::new(&inputs(files)?, None, context.limits.line).cancelled_by(&context.cancel);
    let mut bad = 0;
    while let Some(chunk) = reader.next(Vec::new())? {
        for line in lines(&chunk) {
            context.check_cancelled()?;
            let event = match &chunk.header {
                Some(header) => header.event(line.text).map(Event::new),
                None => Event::read(line.text),
            };
            match event {
                Ok(event) => take(event)?,
                Err(fault) => {
                    bad += 1;
                    if bad <= SHOWN {
                        output::note(&format!("line {}: {}", line.before + 1, fault.message));
                    }
                }
            }
        }
    }
    Ok(bad)
}
