//! Lines for many files, held for a while and appended.

use super::doubles::Doubles;
use super::rotation::Rotation;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::pipeline::step::{Now, Sink};
use ahash::AHashMap;
use serde_json::Value as Json;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

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
        for (path, held) in &mut self.files {
            put(path, held, durably, &mut self.doubles)?;
        }
        self.held = 0;
        self.flushed = Some(Instant::now());
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

/// Writes what is held for a file.
fn put(path: &str, held: &mut Held, durably: bool, doubles: &mut Doubles) -> Outcome<()> {
    if held.bytes.is_empty() && !(durably && held.unsynced) {
        return Ok(());
    }
    let write = |held: &mut Held| -> std::io::Result<(u64, u64)> {
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
        let there = open.metadata()?;
        Ok((there.len(), there.ino()))
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
            put(route, held, false, &mut self.doubles)?;
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

    fn save(&self) -> Option<Json> {
        Some(self.doubles.save())
    }

    fn load(&mut self, state: &Json) -> Result<(), String> {
        self.doubles.load(state)
    }
}
