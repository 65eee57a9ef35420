//! Files that are put aside by size and time, compressed, and kept for a while.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::pipeline::step::Now;
use chrono::DateTime;
use crossbeam_channel::{Sender, unbounded};
use parking_lot::Mutex;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

/// How files that are put aside are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }
}

/// When files are put aside, and what becomes of them.
pub struct Rotation {
    /// From so many bytes on.
    pub size: Option<u64>,
    /// At the multiples of so many seconds.
    pub every: Option<i64>,
    now: Option<Now>,
    tidier: Tidier,
}

/// Compresses and removes files on a thread of its own.
struct Tidier {
    jobs: Option<Sender<PathBuf>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<Mutex<Option<String>>>,
    compression: Compression,
    keep: Option<usize>,
}

impl Rotation {
    pub fn new(
        size: Option<u64>,
        every: Option<i64>,
        compression: Compression,
        keep: Option<usize>,
    ) -> Rotation {
        Rotation {
            size,
            every: every.filter(|every| *every > 0),
            now: None,
            tidier: Tidier {
                jobs: None,
                thread: None,
                failed: Arc::default(),
                compression,
                keep,
            },
        }
    }

    /// Time passes. Errors: a file could not be compressed.
    pub fn tick(&mut self, now: Now) -> Outcome<()> {
        self.now = Some(now);
        match self.tidier.failed.lock().take() {
            Some(text) => Err(Diagnostic::new(Code::CannotWrite, text)),
            None => Ok(()),
        }
    }

    /// Puts a file aside when it is time. Errors: it cannot get another name.
    pub fn rotate(&mut self, path: &Path) -> Outcome<()> {
        let Ok(there) = fs::metadata(path) else {
            return Ok(());
        };
        let now = self.now.map_or(0, Now::seconds);
        let changed = there.modified().ok();
        let changed = changed.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let changed = changed.map_or(now, |age| i64::try_from(age.as_secs()).unwrap_or(now));
        let old = self
            .every
            .is_some_and(|every| now > 0 && changed.div_euclid(every) < now.div_euclid(every));
        let full = self.size.is_some_and(|size| there.len() >= size);
        if there.len() == 0 || !(old || full) {
            return Ok(());
        }
        let aside = free_name(path, now.max(changed));
        fs::rename(path, &aside).map_err(|error| {
            let text = format!("{} cannot be rotated: {error}", path.display());
            Diagnostic::new(Code::CannotWrite, text)
        })?;
        self.tidier.tidy(path)
    }
}

/// A name behind those of all that were put aside before.
fn free_name(path: &Path, now: i64) -> PathBuf {
    let moment = DateTime::from_timestamp(now, 0).unwrap_or_default();
    let stamp = moment.format("%Y%m%dT%H%M%SZ").to_string();
    let mut number = 0;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{stamp}-{number:04}"));
        let packed = |suffix: &str| {
            let mut name = name.clone();
            name.push(suffix);
            Path::new(&name).exists()
        };
        if !["", ".gz", ".zst"].into_iter().any(packed) {
            return name.into();
        }
        number += 1;
    }
}

/// The files that were put aside for a path, the oldest first, without the sign of compression; and half-made ones.
fn aside(path: &Path) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let (mut found, mut halves) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let stamp = name
            .strip_prefix(&*own)
            .and_then(|rest| rest.strip_prefix('.'));
        let Some(stamp) = stamp else { continue };
        let (stamp, rest) = stamp.split_at_checked(21).unwrap_or((stamp, ""));
        let digits = stamp.bytes().filter(u8::is_ascii_digit).count();
        if stamp.len() != 21 || digits != 18 || !stamp.contains("Z-") {
            continue;
        }
        match rest {
            "" | ".gz" | ".zst" => found.push(path.with_file_name(format!("{own}.{stamp}"))),
            ".gz.part" | ".zst.part" => halves.push(path.with_file_name(&*name)),
            _ => {}
        }
    }
    found.sort();
    found.dedup();
    Ok((found, halves))
}

impl Tidier {
    fn tidy(&mut self, path: &Path) -> Outcome<()> {
        if self.compression == Compression::None && self.keep.is_none() {
            return Ok(());
        }
        if self.jobs.is_none() {
            let (sender, jobs) = unbounded::<PathBuf>();
            let (failed, compression, keep) = (self.failed.clone(), self.compression, self.keep);
            let work = move || {
                for path in jobs {
                    if let Err(error) = tidy(&path, compression, keep) {
                        let text = format!("rotated files of {}: {error}", path.display());
                        failed.lock().get_or_insert(text);
                    }
                }
            };
            let builder = std::thread::Builder::new().name("rotation".into());
            self.thread = Some(builder.spawn(work).map_err(|error| {
                Diagnostic::new(Code::Internal, format!("no thread can be started: {error}"))
            })?);
            self.jobs = Some(sender);
        }
        if let Some(jobs) = &self.jobs {
            // It ends only when this goes.
            let _ = jobs.send(path.to_owned());
        }
        Ok(())
    }
}

impl Drop for Tidier {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Compresses what was put aside, also what a crash has left over, and removes the oldest.
fn tidy(path: &Path, compression: Compression, keep: Option<usize>) -> io::Result<()> {
    let (found, halves) = aside(path)?;
    for half in halves {
        fs::remove_file(half)?;
    }
    let surplus = keep.map_or(0, |keep| found.len().saturating_sub(keep));
    let with = |name: &Path, suffix: &str| {
        let mut name = name.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    for (number, plain) in found.iter().enumerate() {
        if number < surplus {
            for name in ["", ".gz", ".zst"].map(|suffix| with(plain, suffix)) {
                match fs::remove_file(name) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            continue;
        }
        if compression == Compression::None || !plain.exists() {
            continue;
        }
        let packed = with(plain, compression.suffix());
        if !packed.exists() {
            let half = with(&packed, ".part");
            compress(plain, &half, compression)?;
            fs::rename(&half, &packed)?;
        }
        fs::remove_file(plain)?;
    }
    Ok(())
}

fn compress(from: &Path, to: &Path, compression: Compression) -> io::Result<()> {
    let source = File::open(from)?;
    let changed = source.metadata()?.modified().unwrap_or(SystemTime::now());
    let mut source = BufReader::with_capacity(1 << 18, source);
    let target = BufWriter::new(File::create(to)?);
    let written = match compression {
        Compression::Zstd => {
            let mut packer = zstd::Encoder::new(target, 3)?;
            packer.include_checksum(true)?;
            io::copy(&mut source, &mut packer)?;
            packer.finish()?
        }
        _ => {
            let mut packer = flate2::write::GzEncoder::new(target, flate2::Compression::default());
            io::copy(&mut source, &mut packer)?;
            packer.finish()?
        }
    };
    let mut written = written;
    written.flush()?;
    let written = written
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    written.set_modified(changed)?;
    written.sync_all()
}
