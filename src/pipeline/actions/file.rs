//! `input_file`

mod pattern;
mod places;

use super::alert::DB_PATH;
use super::watch::{Stamp, Watch};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use memchr::{memchr2, memrchr};
use nix::fcntl::OFlag;
use parking_lot::Mutex;
use pattern::Paths;
use places::{Part, Place, Places};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub const INPUT_FILE: ActionSpec = ActionSpec {
    name: "input_file",
    kind: ActionKind::Input,
    summary: "Reads the lines of files that are there at the start, and of files that are written later.",
    details: "Each line is an event `{\"log\": line}`. Below `watch_path`, every file that matches `path_pattern` is read as a whole each time a program has written and closed it, so lines that are appended come with all lines before them. With `remove` a file goes when the outputs have its events, if nothing was written to it since it was read. `*` in the pattern does not cross `/`. Where positions are kept (`db_path`, `--state`), a start goes on in the middle of a file, and files that have not changed since they were read are not read again; the last 100,000 files are remembered. A line longer than `limits.line` and one that is not UTF-8 are dead letters. What cannot be read is said and passed over; only the folder itself must be there.",
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
        DB_PATH,
    ],
    examples: &[
        "- name: input_file\n  tag: logs\n  watch_path: /var/log\n  path_pattern: /var/log/stuff.*.log",
    ],
    make,
};

/// How much is read at a time.
const PIECE: usize = 256 << 10;

/// So much of a line that is too long is kept.
const START: usize = 1000;

/// How often the watch is asked.
const LOOK: Duration = Duration::from_millis(50);

struct Files {
    tag: SmolStr,
    folder: PathBuf,
    paths: Paths,
    remove: bool,
    longest: usize,
    places: Arc<Mutex<Places>>,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let pattern = parameters.text_or("path_pattern", "");
    let paths = Paths::new(&pattern)
        .map_err(|reason| parameters.fault("path_pattern", format!("{pattern}: {reason}")))?;
    let given = parameters.path("watch_path").unwrap_or_default();
    let folder = std::path::absolute(&given)
        .map_err(|error| parameters.fault("watch_path", format!("watch_path: {error}")))?;
    if !paths.below(&folder) {
        let text = format!(
            "no file below {}, which is watched, can match {pattern}",
            given.display()
        );
        let fault = parameters.fault("path_pattern", text);
        return Err(fault.help("begin path_pattern with watch_path"));
    }
    Ok(Step::Input(Box::new(Files {
        tag: parameters.text_or("tag", ""),
        folder,
        paths,
        remove: parameters.flag("remove").unwrap_or(false),
        longest: build.context.limits.line,
        places: Arc::default(),
    })))
}

fn cannot_read(path: &Path, error: &io::Error) -> Fault {
    let text = format!("{} cannot be read: {error}", path.display());
    Diagnostic::new(Code::CannotRead, text)
}

impl Input for Files {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        // Watched before the first look, so that nothing is missed between them.
        let mut watch =
            Watch::new(&self.folder).map_err(|error| cannot_read(&self.folder, &error))?;
        let mut told = Vec::new();
        let found = self.paths.find(&mut |path, error| {
            told.push(path.to_owned());
            feed.tell(cannot_read(path, &error));
        });
        self.places.lock().only(&found);
        for path in found {
            if !self.read(&path, feed, true) {
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
            for (path, error) in watch.problems() {
                if self.paths.below(&path) && !told.contains(&path) {
                    feed.tell(cannot_read(&path, &error));
                }
            }
            told.clear();
            for path in written {
                if self.paths.matches(&path) && !self.read(&path, feed, false) {
                    return Ok(());
                }
            }
            let missed = watch.missed();
            if missed.map_err(|error| cannot_read(&self.folder, &error))? {
                let folder = self.folder.display();
                feed.note(&format!(
                    "more was written below {folder} than the system could tell: all of it is looked at again"
                ));
                let mut tell = |path: &Path, error| feed.tell(cannot_read(path, &error));
                for path in self.paths.find(&mut tell) {
                    if !self.read(&path, feed, true) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn in_turn(&self) -> bool {
        true
    }

    fn load(&mut self, position: &Json) -> Result<(), String> {
        self.places.lock().load(position)
    }
}

/// Opens a file without waiting for anybody; nothing when it is no file or has gone.
fn open(path: &Path) -> io::Result<Option<(File, Stamp)>> {
    let mut options = OpenOptions::new();
    let opened = options
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let there = file.metadata()?;
    Ok(there.is_file().then(|| (file, Stamp::of(&there))))
}

impl Files {
    /// Feeds the lines of a file, those that have not been read yet when it shall `go_on`. False when the input shall
    /// end.
    fn read(&self, path: &Path, feed: &Feed, go_on: bool) -> bool {
        let read = || -> io::Result<bool> {
            let Some((mut file, stamp)) = open(path)? else {
                return Ok(true);
            };
            let known = self.places.lock().of(path);
            let known = known.filter(|known| go_on && known.stamp == stamp);
            if !self.remove && known.is_some_and(|known| known.done()) {
                return Ok(true);
            }
            let at = known.map_or(0, |known| known.at);
            file.seek(SeekFrom::Start(at))?;
            let mut reading = Reading {
                files: self,
                feed,
                path,
                place: Place { stamp, at },
                held: Vec::new(),
                start: None,
            };
            let more = reading.lines(&mut file)?;
            // What was written meanwhile comes with the end of the writing.
            let same = reading.place.done() && Stamp::of(&file.metadata()?) == stamp;
            if more && self.remove && same {
                let token = reading.token(Some((path.to_owned(), stamp)));
                return Ok(feed.lines(&self.tag, Vec::new(), token));
            }
            Ok(more)
        };
        read().unwrap_or_else(|error| {
            feed.tell(cannot_read(path, &error));
            true
        })
    }
}

/// A file that is being read.
struct Reading<'a> {
    files: &'a Files,
    feed: &'a Feed,
    path: &'a Path,
    /// Up to where its lines have been fed.
    place: Place,
    /// What stands behind that.
    held: Vec<u8>,
    /// The first bytes of a line that is too long, while its end is looked for.
    start: Option<Vec<u8>>,
}

impl Reading<'_> {
    fn token(&self, remove: Option<(PathBuf, Stamp)>) -> Option<Arc<dyn Token>> {
        let keeps = self.feed.keeps();
        let places = self.files.places.clone();
        let number = places.lock().feed(self.path, self.place, keeps);
        (keeps || remove.is_some()).then(|| {
            Arc::new(Part {
                places,
                number,
                remove,
            }) as Arc<dyn Token>
        })
    }

    /// Feeds all lines. False when the input shall end.
    fn lines(&mut self, file: &mut File) -> io::Result<bool> {
        loop {
            if self.feed.stopped() {
                return Ok(false);
            }
            let old = self.held.len();
            self.held.reserve(PIECE);
            let more = file.take(PIECE as u64).read_to_end(&mut self.held)? > 0;
            // A `\r` at the end of the old part may be a whole line end now.
            let mut from = old.saturating_sub(1);
            if self.start.is_some() {
                if !self.skip(more) {
                    return Ok(false);
                }
                from = 0;
            }
            let end = match more {
                true => last_end(&self.held, from),
                false => Some(self.held.len()),
            };
            if let Some(end) = end.filter(|end| *end > 0) {
                let rest = self.held.split_off(end);
                let lines = std::mem::replace(&mut self.held, rest);
                if !self.give(lines) {
                    return Ok(false);
                }
            }
            if !more {
                return Ok(true);
            }
            if self.start.is_none() && self.held.len() > self.files.longest {
                self.start = Some(beginning(&self.held));
            }
        }
    }

    /// Looks for the end of a line that is too long; a letter tells of it then.
    fn skip(&mut self, more: bool) -> bool {
        let end = match memchr2(b'\n', b'\r', &self.held) {
            Some(end) if self.held.get(end) == Some(&b'\r') => match self.held.get(end + 1) {
                Some(b'\n') => Some(end + 2),
                // The next piece tells.
                None if more => None,
                _ => Some(end + 1),
            },
            Some(end) => Some(end + 1),
            None if more => None,
            None => Some(self.held.len()),
        };
        let Some(end) = end else {
            let half = usize::from(self.held.last() == Some(&b'\r'));
            let gone = self.held.len() - half;
            self.held.drain(..gone);
            self.place.at += gone as u64;
            return true;
        };
        let start = self.start.take().unwrap_or_default();
        self.held.drain(..end);
        self.place.at += end as u64;
        self.too_long(&start)
    }

    fn too_long(&self, start: &[u8]) -> bool {
        let mut record = Record::default();
        let start = String::from_utf8_lossy(start);
        record.set("log", Value::text(&start));
        let event = self.feed.event(&self.files.tag, record);
        let reason = format!(
            "the line is longer than limits.line, {} bytes; this is its beginning",
            self.files.longest
        );
        self.feed.bad(event, reason, self.token(None))
    }

    /// Feeds whole lines, and letters for those that are too long.
    fn give(&mut self, lines: Vec<u8>) -> bool {
        if lines.len() <= self.files.longest {
            return self.feed_lines(lines);
        }
        let (mut good, mut rest) = (Vec::new(), lines.as_slice());
        while !rest.is_empty() {
            let end = match memchr2(b'\n', b'\r', rest) {
                Some(end) if rest.get(end..end + 2) == Some(b"\r\n") => end + 2,
                Some(end) => end + 1,
                None => rest.len(),
            };
            let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = behind;
            if line.len() <= self.files.longest {
                good.extend_from_slice(line);
                continue;
            }
            let before = std::mem::take(&mut good);
            if !before.is_empty() && !self.feed_lines(before) {
                return false;
            }
            self.place.at += line.len() as u64;
            if !self.too_long(&beginning(line)) {
                return false;
            }
        }
        good.is_empty() || self.feed_lines(good)
    }

    fn feed_lines(&mut self, lines: Vec<u8>) -> bool {
        self.place.at += lines.len() as u64;
        let token = self.token(None);
        self.feed.lines(&self.files.tag, lines, token)
    }
}

/// The first bytes of a line, whole characters.
fn beginning(line: &[u8]) -> Vec<u8> {
    let start = line.get(..START).unwrap_or(line);
    let text = match std::str::from_utf8(start) {
        Ok(_) => start,
        Err(error) if error.error_len().is_none() => {
            start.get(..error.valid_up_to()).unwrap_or_default()
        }
        Err(_) => start,
    };
    text.to_vec()
}

/// Where the last whole line ends, if that is at `from` or later.
fn last_end(bytes: &[u8], from: usize) -> Option<usize> {
    let new = bytes.get(from..)?;
    if let Some(end) = memrchr(b'\n', new) {
        return Some(from + end + 1);
    }
    // A `\r` at the very end may be half of `\r\n`.
    let inner = new.split_last().map_or(new, |(_, inner)| inner);
    memrchr(b'\r', inner).map(|end| from + end + 1)
}
