//! `output_archive`

mod doubles;
pub(super) mod files;
pub(super) mod path;
pub(super) mod rotation;

use super::alert::DB_PATH;
use super::change::whole_seconds;
use crate::diagnostic::Outcome;
use crate::pipeline::event::Event;
use crate::pipeline::python;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Render, Step};
use files::Files;
use path::PathTemplate;
use std::sync::Arc;
use std::time::Duration;

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
        Box::new(Files::new(
            parameters
                .whole("buffer_size")
                .map_or(1000, |n| usize::try_from(n).unwrap_or(0)),
            Duration::from_secs(timeout.map_or(60, whole_seconds).unsigned_abs()),
            None,
        )),
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
