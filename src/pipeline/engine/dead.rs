//! Events that a step could do nothing with.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::pipeline::event::{Event, Time};
use crate::pipeline::python::{float, write_json, write_json_text};
use parking_lot::Mutex;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many are shown when there is no file.
const SHOWN: u64 = 10;

/// Where bad events go with the reason: to a file, or the first ones to the terminal. Clones share it.
#[derive(Clone)]
pub struct DeadLetters {
    file: Option<(PathBuf, Arc<Mutex<BufWriter<File>>>)>,
    shown: Arc<Mutex<u64>>,
    pub(super) say: Arc<dyn Fn(&str) + Send + Sync>,
}

impl DeadLetters {
    /// Letters go to the file, when there is one; without, `say` is told of the first. Errors: E0404.
    pub fn new(
        path: Option<&Path>,
        say: impl Fn(&str) + Send + Sync + 'static,
    ) -> Outcome<DeadLetters> {
        let file = match path {
            Some(path) => {
                let opened = File::options().create(true).append(true).open(path);
                let file = opened.map_err(|error| cannot_write(path, &error))?;
                Some((path.to_owned(), Arc::new(Mutex::new(BufWriter::new(file)))))
            }
            None => None,
        };
        Ok(DeadLetters {
            file,
            shown: Arc::default(),
            say: Arc::new(say),
        })
    }

    /// Takes an event. Errors: E0404.
    pub fn take(&self, pipeline: &str, step: &str, event: &Event, reason: &str) -> Outcome<()> {
        let Some((path, file)) = &self.file else {
            let mut shown = self.shown.lock();
            *shown += 1;
            if *shown <= SHOWN {
                (self.say)(&format!(
                    "pipeline {pipeline}: {step} cannot take an event of {}: {reason}",
                    event.tag
                ));
            }
            if *shown == SHOWN {
                (self.say)("more such events are counted only; --dead-letter FILE keeps them");
            }
            return Ok(());
        };
        let mut line = Vec::with_capacity(256);
        for (name, text) in [
            ("{\"pipeline\": ", pipeline),
            (", \"action\": ", step),
            (", \"reason\": ", reason),
            (", \"tag\": ", &event.tag),
        ] {
            line.extend_from_slice(name.as_bytes());
            write_json_text(text, &mut line);
        }
        line.extend_from_slice(b", \"time\": ");
        line.extend_from_slice(time_text(event.time).as_bytes());
        line.extend_from_slice(b", \"record\": ");
        write_json(event.record.iter(), &mut line);
        line.extend_from_slice(b"}\n");
        let written = file.lock().write_all(&line);
        written.map_err(|error| cannot_write(path, &error))
    }

    /// Writes out what is held. Errors: E0404.
    pub fn flush(&self, durably: bool) -> Outcome<()> {
        let Some((path, file)) = &self.file else {
            return Ok(());
        };
        let mut file = file.lock();
        let flushed = file.flush().and_then(|()| match durably {
            true => file.get_ref().sync_data(),
            false => Ok(()),
        });
        flushed.map_err(|error| cannot_write(path, &error))
    }
}

/// The time as feedoo prints it.
pub(in crate::pipeline) fn time_text(time: Time) -> String {
    match time {
        Time::Whole(seconds) => seconds.to_string(),
        Time::Fraction(seconds) => float(seconds),
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> crate::diagnostic::Fault {
    Diagnostic::new(
        Code::CannotWrite,
        format!("{} cannot be written: {error}", path.display()),
    )
}
