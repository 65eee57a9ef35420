//! `output_file`

use super::alert::DB_PATH;
use super::archive::files::Files;
use super::archive::path::PathTemplate;
use super::archive::rotation::{Compression, Rotation};
use super::change::whole_seconds;
use crate::config::size;
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::json::{write_json, write_text};
use crate::eval::text::to_text;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Render, Step, whole};
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

pub const OUTPUT_FILE: ActionSpec = ActionSpec {
    name: "output_file",
    kind: ActionKind::Output,
    summary: "Writes events as JSON Lines to files that are rotated and compressed.",
    details: "The path is a template as that of output_archive: codes of `strftime` (such as `%Y`) stand for the event's time, or the one in the field `time_key`; `{field}` for a field, in whose value `/` and `..` are replaced. Folders are made. A file is put aside as `PATH.YYYYMMDDTHHMMSSZ-NNNN` when it has reached `max_size` or a multiple of `rotate_every` (counted from 1970, UTC) has passed, at the next line that is written after a checkpoint, and then compressed. Nothing is lost or doubled by a crash when positions are kept (`db_path`, `--state`) and the input gives its lines again.",
    parameters: &[
        ParameterSpec::required(
            "path",
            ParameterKind::Text,
            "the path, such as `/var/log/events/{source}.jsonl`",
        ),
        ParameterSpec::optional(
            "time_key",
            ParameterKind::Text,
            "",
            "the field with the time in seconds since 1970 that the path shows; the event's time unless given",
        ),
        ParameterSpec::optional(
            "with_tag",
            ParameterKind::Text,
            "",
            "the name under which the tag is written, too",
        ),
        ParameterSpec::optional(
            "with_time",
            ParameterKind::Text,
            "",
            "the name under which the event's time is written, too",
        ),
        ParameterSpec::optional(
            "max_size",
            ParameterKind::Any,
            "",
            "how large a file may become, in bytes or such as `100MiB`",
        ),
        ParameterSpec::optional(
            "rotate_every",
            ParameterKind::Seconds,
            "",
            "how long a file is written to, such as `1h` or `1d`",
        ),
        ParameterSpec::optional(
            "compress",
            ParameterKind::Choice(&["none", "gzip", "zstd"]),
            "none",
            "how rotated files are compressed",
        ),
        ParameterSpec::optional(
            "keep",
            ParameterKind::Whole,
            "",
            "how many rotated files of a path are kept; all unless given",
        ),
        ParameterSpec::optional(
            "timeout_flush",
            ParameterKind::Seconds,
            "1",
            "after this time all lines are written",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: output_file\n  match: '*'\n  path: /var/log/events/{source}.jsonl\n  with_tag: tag\n  max_size: 100MiB\n  compress: zstd\n  keep: 10",
    ],
    make,
};

/// So many lines of a file are held at most.
const LINES: usize = 10_000;

struct Lines {
    template: PathTemplate,
    /// Whether the path needs a field for its time.
    by_field: bool,
    with_tag: Option<SmolStr>,
    with_time: Option<SmolStr>,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let time_key = parameters.text("time_key");
    let lines = Lines {
        by_field: time_key.is_some(),
        template: PathTemplate::new(
            &parameters.text_or("path", ""),
            time_key.unwrap_or_default(),
            build.context.zone.clone(),
        )
        .map_err(|reason| parameters.fault("path", reason))?,
        with_tag: parameters.text("with_tag"),
        with_time: parameters.text("with_time"),
    };
    let most = match parameters.value("max_size") {
        Some(value) => {
            let most =
                size(&to_text(&value)).map_err(|reason| parameters.fault("max_size", reason))?;
            Some(most.max(1))
        }
        None => None,
    };
    let keep = match parameters.whole("keep") {
        Some(keep) => {
            let keep = usize::try_from(keep).ok().filter(|keep| *keep > 0);
            Some(keep.ok_or_else(|| parameters.fault("keep", "at least one file is kept"))?)
        }
        None => None,
    };
    let every = parameters.seconds("rotate_every").map(whole_seconds);
    let compression = match parameters.text("compress").as_deref() {
        Some("gzip") => Compression::Gzip,
        Some("zstd") => Compression::Zstd,
        _ => Compression::None,
    };
    if most.is_none() && every.is_none() {
        for name in ["compress", "keep"] {
            if parameters.has(name) {
                let text = format!("{name} does nothing without max_size or rotate_every");
                return Err(parameters.fault(name, text));
            }
        }
    }
    let rotation =
        (most.is_some() || every.is_some()).then(|| Rotation::new(most, every, compression, keep));
    let timeout = parameters.seconds("timeout_flush");
    Ok(Step::Output(
        Arc::new(lines),
        Box::new(Files::new(
            LINES,
            timeout.unwrap_or(Duration::from_secs(1)),
            rotation,
        )),
    ))
}

impl Render for Lines {
    fn render(&self, event: &Event, route: &mut String, out: &mut Vec<u8>) -> Result<(), String> {
        match self.by_field {
            true => self.template.fill(&event.record, route)?,
            false => {
                let second = event.time.millis().div_euclid(1000);
                self.template.fill_at(second, &event.record, route)?;
            }
        }
        let (tag, time) = (self.with_tag.as_deref(), self.with_time.as_deref());
        out.push(b'{');
        let mut first = true;
        let mut field = |name: &str, value: &Value, out: &mut Vec<u8>| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            write_text(name, out);
            out.push(b':');
            write_json(value, out).map_err(|fault| fault.message.clone())
        };
        if let Some(name) = tag {
            field(name, &Value::Text(event.tag.clone()), out)?;
        }
        if let Some(name) = time {
            let time = match event.time {
                Time::Whole(seconds) => whole(seconds),
                Time::Fraction(seconds) => Value::Double(seconds),
            };
            field(name, &time, out)?;
        }
        for (name, value) in event.record.iter() {
            let name = to_text(name);
            // The tag and the time are not there twice.
            if Some(&*name) != tag && Some(&*name) != time {
                field(&name, value, out)?;
            }
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}
