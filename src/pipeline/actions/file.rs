//! `input_file`

use super::watch::Watch;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use glob::{MatchOptions, Pattern};
use memchr::memrchr;
use smol_str::SmolStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub const INPUT_FILE: ActionSpec = ActionSpec {
    name: "input_file",
    kind: ActionKind::Input,
    summary: "Reads the lines of files that are there at the start, and of files that are written later.",
    details: "Each line is an event `{\"log\": line}`. Below `watch_path`, every file that matches `path_pattern` is read as a whole each time a program has written and closed it, so lines that are appended come with all lines before them. With `remove` a file goes when the outputs have its events. `*` in the pattern does not cross `/`.",
    parameters: &[
        ParameterSpec::required("tag", ParameterKind::Text, "the tag of the events"),
        ParameterSpec::required(
            "watch_path",
            ParameterKind::Path,
            "the folder that is watched, with all folders in it",
        ),
        ParameterSpec::required(
            "path_pattern",
            ParameterKind::Pattern,
            "which files are read, as a pattern of whole paths",
        ),
        ParameterSpec::optional(
            "remove",
            ParameterKind::Flag,
            "false",
            "whether files are removed when they have been read",
        ),
    ],
    examples: &[
        "- name: input_file\n  tag: logs\n  watch_path: /var/log\n  path_pattern: /var/log/stuff.*.log",
    ],
    make,
};

/// How much is read at a time.
const PIECE: usize = 256 << 10;

/// A longer line is cut.
const LONGEST: usize = 64 << 20;

/// How often the watch is asked.
const LOOK: Duration = Duration::from_millis(50);

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

struct Files {
    tag: SmolStr,
    folder: PathBuf,
    pattern: SmolStr,
    compiled: Pattern,
    remove: bool,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let pattern = parameters.text_or("path_pattern", "");
    let compiled = Pattern::new(&pattern)
        .map_err(|error| parameters.fault("path_pattern", format!("{pattern}: {}", error.msg)))?;
    Ok(Step::Input(Box::new(Files {
        tag: parameters.text_or("tag", ""),
        folder: parameters.path("watch_path").unwrap_or_default(),
        pattern,
        compiled,
        remove: parameters.flag("remove").unwrap_or(false),
    })))
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Fault {
    Diagnostic::new(
        Code::CannotRead,
        format!("{} cannot be read: {error}", path.display()),
    )
}

impl Input for Files {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        // Watched before the first look, so that nothing is missed between them.
        let mut watch =
            Watch::new(&self.folder).map_err(|error| cannot_read(&self.folder, &error))?;
        let found = glob::glob_with(&self.pattern, OPTIONS).map_err(|error| {
            Diagnostic::new(
                Code::CannotRead,
                format!("{} cannot be searched: {}", self.pattern, error.msg),
            )
        })?;
        for path in found.filter_map(Result::ok).filter(|path| path.is_file()) {
            if !self.read(&path, feed)? {
                return Ok(());
            }
        }
        feed.turn_done();
        if feed.once() {
            return Ok(());
        }
        while feed.pause(LOOK) {
            let written = watch
                .written()
                .map_err(|error| cannot_read(&self.folder, &error))?;
            for path in written {
                if self.compiled.matches_path_with(&path, OPTIONS) && !self.read(&path, feed)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn in_turn(&self) -> bool {
        true
    }
}

impl Files {
    /// Feeds the lines of a file. False when the input shall end.
    fn read(&self, path: &Path, feed: &Feed) -> Outcome<bool> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            // It has gone meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(cannot_read(path, &error)),
        };
        let mut carry: Vec<u8> = Vec::new();
        loop {
            let mut bytes = Vec::with_capacity(carry.len() + PIECE + 1);
            bytes.append(&mut carry);
            let read = file.by_ref().take(PIECE as u64).read_to_end(&mut bytes);
            let read = read.map_err(|error| cannot_read(path, &error))?;
            if read == 0 {
                let token: Option<Arc<dyn Token>> = match self.remove {
                    true => Some(Arc::new(Remove(path.to_owned()))),
                    false => None,
                };
                return Ok(match bytes.is_empty() && token.is_none() {
                    true => true,
                    false => feed.lines(&self.tag, bytes, token),
                });
            }
            let end = cut(&bytes);
            if end == 0 {
                carry = bytes;
                continue;
            }
            carry.extend_from_slice(bytes.get(end..).unwrap_or_default());
            bytes.truncate(end);
            if !feed.lines(&self.tag, bytes, None) || feed.stopped() {
                return Ok(false);
            }
        }
    }
}

/// Where the last whole line ends.
fn cut(bytes: &[u8]) -> usize {
    if let Some(end) = memrchr(b'\n', bytes) {
        return end + 1;
    }
    // A `\r` at the very end may be half of `\r\n`.
    let inner = bytes.split_last().map_or(bytes, |(_, inner)| inner);
    match memrchr(b'\r', inner) {
        Some(end) => end + 1,
        None if bytes.len() > LONGEST => bytes.len(),
        None => 0,
    }
}

/// Removes a file when its events have been taken.
struct Remove(PathBuf);

impl Token for Remove {
    fn acknowledge(&self) {
        // Somebody else may have been quicker.
        let _ = std::fs::remove_file(&self.0);
    }
}
