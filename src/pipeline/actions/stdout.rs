//! `output_stdout`

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::pipeline::engine::time_text;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::python;
use crate::pipeline::spec::{ActionKind, ActionSpec, Build, Parameters};
use crate::pipeline::step::{Now, Render, Sink, Step};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub const OUTPUT_STDOUT: ActionSpec = ActionSpec {
    name: "output_stdout",
    kind: ActionKind::Output,
    summary: "Prints events as Python prints them: the tag, the time, the record.",
    details: "Events go on to the next step.",
    parameters: &[],
    examples: &["- name: output_stdout\n  match: my_log"],
    make,
};

/// From so many bytes on, lines are written.
const FULL: usize = 1 << 16;

struct Lines;

struct Stdout {
    held: Vec<u8>,
    /// Set when the reader has gone: nobody sees what would come.
    gone: bool,
    stop: Option<Arc<AtomicBool>>,
}

fn make(_: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Output(
        Arc::new(Lines),
        Box::new(Stdout {
            held: Vec::new(),
            gone: false,
            stop: None,
        }),
    ))
}

impl Render for Lines {
    fn render(&self, event: &Event, _: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(event.tag.as_bytes());
        out.push(b'[');
        match event.time {
            Time::Whole(seconds) => {
                out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
            }
            time => out.extend_from_slice(time_text(time).as_bytes()),
        }
        out.extend_from_slice(b"]: ");
        let mut text = String::with_capacity(128);
        python::write_record(&event.record, &mut text);
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
        Ok(())
    }

    fn by_route(&self) -> bool {
        false
    }
}

impl Sink for Stdout {
    fn write(&mut self, _: &str, bytes: &[u8], _: usize) -> Outcome<()> {
        if self.gone {
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        match self.held.len() >= FULL {
            true => self.flush(false),
            false => Ok(()),
        }
    }

    fn tick(&mut self, _: Now, _: bool) -> Outcome<()> {
        self.flush(false)
    }

    fn until(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = Some(stop.clone());
    }

    fn flush(&mut self, _: bool) -> Outcome<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        // Whole lines at once: several pipelines may print.
        let mut out = io::stdout().lock();
        let written = out.write_all(&self.held).and_then(|()| out.flush());
        self.held.clear();
        if let (Err(error), Some(stop)) = (&written, &self.stop)
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            // As with Ctrl-C: inputs end, and other outputs get what is on the way.
            self.gone = true;
            stop.store(true, Ordering::SeqCst);
            return Ok(());
        }
        written.map_err(|error| {
            let text = format!("the output cannot be written: {error}");
            Diagnostic::new(Code::CannotWrite, text)
        })
    }
}
