//! Lines for many files, held for a while and appended.

use super::doubles::{Doubles, told};
use super::rotation::Rotation;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::pipeline::actions::parse_json::read;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::step::{Now, Sink};
use ahash::AHashMap;
use nix::errno::Errno;
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When so many bytes are held, all of them are written.
const HELD: usize = 64 << 20;

/// When so many bytes are held for a file that is rotated by its size, they are written.
const FULL: usize = 1 << 20;

#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    count: usize,
    /// Whether something was written that may not have reached the disk.
    unsynced: bool,
}

/// Appends lines to files; what comes again after a crash is left out.
pub struct Files {
    files: AHashMap<String, Held>,
    held: usize,
    most: usize,
    timeout: Duration,
    flushed: Option<Instant>,
    doubles: Doubles,
    /// Events whose paths cannot be, with the reasons.
    refused: Vec<(Event, String)>,
    rotation: Option<Rotation>,
    /// Whether there are checkpoints.
    checkpoints: bool,
}

impl Files {
    /// Holds up to `most` lines of a file, none of them longer than `timeout`.
    pub fn new(most: usize, timeout: Duration, rotation: Option<Rotation>) -> Files {
        Files {
            files: AHashMap::new(),
            held: 0,
            most,
            timeout,
            // The first look at the clock writes what there is, as with feedoo.
            flushed: None,
            doubles: Doubles::default(),
            refused: Vec::new(),
            rotation,
            checkpoints: false,
        }
    }

    /// Rotates a file when its time has come. Between checkpoints only what stands behind the saved length is known to
    /// come again, so that must all be in one file.
    fn rotate(&mut self, path: &str) -> Outcome<()> {
        let Some(rotation) = &mut self.rotation else {
            return Ok(());
        };
        if self.doubles.waits_for(path) {
            return Ok(());
        }
        rotation.rotate(Path::new(path))
    }

    fn write_out(&mut self, durably: bool) -> Outcome<()> {
        // A file that cannot be written does not keep the others from it.
        let mut written = Ok(());
        for (path, held) in &mut self.files {
            let put = put(path, held, durably, &mut self.doubles, &mut self.refused);
            written = written.and(put);
        }
        self.flushed = Some(Instant::now());
        written?;
        self.held = 0;
        if self.rotation.is_some() && !self.checkpoints {
            let written: Vec<String> = self.files.keys().cloned().collect();
            for path in written {
                self.rotate(&path)?;
            }
        }
        // Files of days gone by are not remembered for ever.
        self.files.retain(|_, held| held.unsynced && !durably);
        Ok(())
    }
}

/// Opens a file to append to it; its folders are made.
fn open(path: &Path) -> io::Result<File> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let open = || File::options().create(true).append(true).open(path);
    match (open(), folder) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            open()
        }
        (opened, _) => opened,
    }
}

/// Whether it is the path that cannot be, and not the disk: that concerns its events only.
fn is_no_path(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(
        errno,
        Some(
            Errno::ENAMETOOLONG
                | Errno::EISDIR
                | Errno::ENOTDIR
                | Errno::EEXIST
                | Errno::EINVAL
                | Errno::EILSEQ
                | Errno::ELOOP
        )
    )
}

/// Whether a file has a last line without an end. One that cannot be read counts as whole.
fn is_torn(path: &Path, length: u64) -> bool {
    let last = || -> io::Result<u8> {
        let mut byte = [0];
        File::open(path)?.read_exact_at(&mut byte, length.saturating_sub(1))?;
        let [byte] = byte;
        Ok(byte)
    };
    length > 0 && last().is_ok_and(|byte| byte != b'\n')
}

/// Writes what is held for a file.
fn put(
    path: &str,
    held: &mut Held,
    durably: bool,
    doubles: &mut Doubles,
    refused: &mut Vec<(Event, String)>,
) -> Outcome<()> {
    if held.bytes.is_empty() && !(durably && held.unsynced) {
        return Ok(());
    }
    let mut file = match open(Path::new(path)) {
        Ok(file) => file,
        Err(error) if is_no_path(&error) => {
            let reason = format!("{path} cannot be written: {error}");
            let bytes = std::mem::take(held).bytes;
            let lines = bytes.split(|byte| *byte == b'\n');
            let lines = lines.filter(|line| !line.is_empty());
            refused.extend(lines.map(|line| (as_event(line), reason.clone())));
            return Ok(());
        }
        Err(error) => return Err(cannot_write(path, &error)),
    };
    let mut write = || -> io::Result<()> {
        let before = file.metadata()?.len();
        let own = doubles.length(path) == Some(before);
        if !held.bytes.is_empty() && !own && is_torn(Path::new(path), before) {
            held.bytes.insert(0, b'\n');
        }
        if let Err(error) = file.write_all(&held.bytes) {
            // What was written of it would be half a line, and comes again.
            let _ = file.set_len(before);
            return Err(error);
        }
        held.bytes.clear();
        held.count = 0;
        held.unsynced = true;
        let there = file.metadata()?;
        doubles.written(path, (there.len(), told(&there)));
        if durably {
            file.sync_data()?;
            held.unsynced = false;
        }
        Ok(())
    };
    write().map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &str, error: &io::Error) -> Fault {
    let text = format!("{path} cannot be written: {error}");
    Diagnostic::new(Code::CannotWrite, text)
}

/// The event of a line that was rendered.
fn as_event(line: &[u8]) -> Event {
    let text = String::from_utf8_lossy(line);
    let record = read(&text).and_then(|(_, fields)| fields);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(0));
    Event {
        tag: SmolStr::default(),
        time: Time::Whole(now),
        record: record.unwrap_or_else(|| {
            [(Value::text("log"), Value::text(&text))]
                .into_iter()
                .collect()
        }),
    }
}

impl Sink for Files {
    fn write(&mut self, route: &str, bytes: &[u8], count: usize) -> Outcome<()> {
        if !self.files.contains_key(route) {
            self.files.insert(route.to_owned(), Held::default());
            if self.checkpoints || self.flushed.is_none() {
                self.rotate(route)?;
            }
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
        if held.count > self.most || held.bytes.len() > FULL && self.rotation.is_some() {
            self.held = self.held.saturating_sub(held.bytes.len());
            put(route, held, false, &mut self.doubles, &mut self.refused)?;
            if !self.checkpoints {
                self.rotate(route)?;
            }
        }
        if self.held > HELD {
            self.write_out(false)?;
        }
        Ok(())
    }

    fn tick(&mut self, now: Now, idle: bool) -> Outcome<()> {
        self.doubles.tick(idle);
        if let Some(rotation) = &mut self.rotation {
            rotation.tick(now)?;
        }
        let due = self.flushed.is_none_or(|at| at.elapsed() >= self.timeout);
        if due && self.held > 0 {
            self.write_out(false)?;
        }
        Ok(())
    }

    fn flush(&mut self, durably: bool) -> Outcome<()> {
        self.checkpoints |= durably;
        self.write_out(durably)
    }

    fn refused(&mut self) -> Vec<(Event, String)> {
        std::mem::take(&mut self.refused)
    }

    fn end(&mut self) {
        self.doubles.end();
    }

    fn save(&self) -> Option<Json> {
        Some(self.doubles.save())
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.doubles.load(state)
    }
}
