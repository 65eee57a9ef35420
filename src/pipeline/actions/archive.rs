//! `output_archive`

mod doubles;
pub(super) mod path;

use super::alert::DB_PATH;
use super::change::whole_seconds;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::pipeline::event::Event;
use crate::pipeline::python;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Now, Render, Sink, Step};
use ahash::AHashMap;
use doubles::Doubles;
use path::PathTemplate;
use serde_json::Value as Json;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const OUTPUT_ARCHIVE: ActionSpec = ActionSpec {
    name: "output_archive",
    kind: ActionKind::Output,
    summary: "Appends events as lines of JSON to files whose paths hold dates and fields.",
    details: "The path is `path_template` with the codes of `strftime` (such as `%Y`), filled in by the field `time_key`, and with fields in braces. `/` and `..` in a field's value are replaced. Folders are made. Lines are held in memory until there are more than `buffer_size` for a file or `timeout_flush` has passed; when positions are kept (`db_path`, `--state`) at least every second.",
    parameters: &[
        ParameterSpec::required(
            "time_key",
            ParameterKind::Text,
            "the field with the time in seconds since 1970",
        ),
        ParameterSpec::required(
            "path_template",
            ParameterKind::Text,
            "the path, such as `/archives/{source}/log-%Y%m%d.json`",
        ),
        ParameterSpec::optional(
            "buffer_size",
            ParameterKind::Whole,
            "1000",
            "how many lines of a file are held",
        ),
        ParameterSpec::optional(
            "timeout_flush",
            ParameterKind::Seconds,
            "60",
            "after this time all lines are written",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: output_archive\n  match: my_log\n  time_key: timestamp\n  path_template: '/archives/{source}/log-%Y%m%d.json'",
    ],
    make,
};

/// When so many bytes are held, all of them are written.
const HELD: usize = 64 << 20;

struct Lines {
    template: PathTemplate,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let text = parameters.text_or("path_template", "");
    let time_key = parameters.text_or("time_key", "");
    let template = PathTemplate::new(&text, time_key, build.context.zone.clone())
        .map_err(|reason| parameters.fault("path_template", reason))?;
    let timeout = parameters.seconds("timeout_flush");
    Ok(Step::Output(
        Arc::new(Lines { template }),
        Box::new(Archive {
            files: AHashMap::new(),
            held: 0,
            most: parameters
                .whole("buffer_size")
                .map_or(1000, |n| usize::try_from(n).unwrap_or(0)),
            timeout: Duration::from_secs(timeout.map_or(60, whole_seconds).unsigned_abs()),
            // The first look at the clock writes what there is, as with feedoo.
            flushed: None,
            doubles: Doubles::default(),
        }),
    ))
}

impl Render for Lines {
    fn render(&self, event: &Event, route: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        self.template.fill(&event.record, route)?;
        python::write_json(event.record.iter(), out);
        out.push(b'\n');
        Ok(())
    }
}

#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    count: usize,
    /// Whether something was written that may not have reached the disk.
    unsynced: bool,
}

struct Archive {
    files: AHashMap<String, Held>,
    held: usize,
    most: usize,
    timeout: Duration,
    flushed: Option<Instant>,
    doubles: Doubles,
}

impl Archive {
    fn write_out(&mut self, durably: bool) -> Outcome<()> {
        for (path, held) in &mut self.files {
            put(path, held, durably, &mut self.doubles)?;
        }
        self.held = 0;
        self.flushed = Some(Instant::now());
        // Files of days gone by are not remembered for ever.
        self.files.retain(|_, held| held.unsynced && !durably);
        Ok(())
    }
}

/// Writes what is held for a file.
fn put(path: &str, held: &mut Held, durably: bool, doubles: &mut Doubles) -> Outcome<()> {
    if held.bytes.is_empty() && !(durably && held.unsynced) {
        return Ok(());
    }
    let write = |held: &mut Held| -> std::io::Result<u64> {
        let file = Path::new(path);
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let open = || File::options().create(true).append(true).open(file);
        let mut open = match (open(), folder) {
            (Err(error), Some(folder)) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir_all(folder)?;
                open()?
            }
            (opened, _) => opened?,
        };
        open.write_all(&held.bytes)?;
        if durably {
            open.sync_data()?;
        }
        Ok(open.metadata()?.len())
    };
    let length = write(held).map_err(|error| {
        let text = format!("{path} cannot be written: {error}");
        Diagnostic::new(Code::CannotWrite, text)
    })?;
    doubles.written(path, length);
    held.bytes.clear();
    held.count = 0;
    held.unsynced = !durably;
    Ok(())
}

impl Sink for Archive {
    fn write(&mut self, route: &str, bytes: &[u8], count: usize) -> Outcome<()> {
        if !self.files.contains_key(route) {
            self.files.insert(route.to_owned(), Held::default());
        }
        let Some(held) = self.files.get_mut(route) else {
            return Ok(());
        };
        if self.doubles.any() {
            self.doubles.take_new(route, bytes, &mut held.bytes);
        } else {
            held.bytes.extend_from_slice(bytes);
        }
        held.count += count;
        self.held += bytes.len();
        if held.count > self.most {
            self.held = self.held.saturating_sub(held.bytes.len());
            put(route, held, false, &mut self.doubles)?;
        }
        if self.held > HELD {
            self.write_out(false)?;
        }
        Ok(())
    }

    fn tick(&mut self, _: Now, idle: bool) -> Outcome<()> {
        if idle && self.held > 0 {
            self.doubles.forget();
        }
        let due = self.flushed.is_none_or(|at| at.elapsed() >= self.timeout);
        if due && self.held > 0 {
            self.write_out(false)?;
        }
        Ok(())
    }

    fn flush(&mut self, durably: bool) -> Outcome<()> {
        self.write_out(durably)
    }

    fn save(&self) -> Option<Json> {
        Some(self.doubles.save())
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.doubles.load(state)
    }
}
