//! Which files to read, in which form, compressed or not.

use super::live::Live;
use super::place::{Id, id};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use ahash::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How events stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values below a line of names.
    Csv,
    /// Tab-separated values below a line of names.
    Tsv,
    /// Zeek's logs: tabs, with types in the header.
    Zeek,
}

impl Format {
    /// The format with this name: `jsonl`, `csv`, `tsv`, `zeek`.
    pub fn named(name: &str) -> Option<Format> {
        Some(match name {
            "jsonl" => Format::JsonLines,
            "csv" => Format::Csv,
            "tsv" => Format::Tsv,
            "zeek" => Format::Zeek,
            _ => return None,
        })
    }
}

/// Something to read events from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Standard,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// Its name on the screen.
    pub fn name(&self) -> String {
        match self {
            Input::Standard => "standard input".to_string(),
            Input::File(path) => path.display().to_string(),
        }
    }

    /// Its size in bytes where that is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Input::Standard => None,
            Input::File(path) => std::fs::metadata(path)
                .ok()
                .filter(|m| m.is_file())
                .map(|m| m.len()),
        }
    }

    /// Whether data may arrive slowly, so that what is there should be passed on at once.
    pub fn is_live(&self) -> bool {
        match self {
            Input::Standard => true,
            Input::File(path) => std::fs::metadata(path).is_ok_and(|m| !m.is_file()),
        }
    }

    /// The form that its name tells; JSON Lines when the name tells nothing.
    pub fn format(&self) -> Format {
        let Input::File(path) = self else {
            return Format::JsonLines;
        };
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        let bare = name
            .strip_suffix(".gz")
            .or_else(|| name.strip_suffix(".zst"))
            .unwrap_or(&name);
        match bare.rsplit_once('.').map(|(_, extension)| extension) {
            Some("csv") => Format::Csv,
            Some("tsv" | "tab") => Format::Tsv,
            _ => Format::JsonLines,
        }
    }

    /// Opens it; gzip and zstd are recognised by their first bytes and unpacked. `taken` counts the bytes read;
    /// what arrives slowly is at its end as soon as one of `stop` is set.
    ///
    /// Errors: E0403.
    pub fn open(
        &self,
        taken: Arc<AtomicU64>,
        stop: Vec<Arc<AtomicBool>>,
    ) -> Outcome<Box<dyn Read + Send>> {
        let failed = |error| cannot_read(&self.name(), &error);
        let raw: Box<dyn Read + Send> = match self {
            Input::Standard => Box::new(Live::new(io::stdin(), stop).map_err(failed)?),
            Input::File(path) => {
                let file = File::open(path).map_err(failed)?;
                if self.is_live() {
                    Box::new(Live::new(file, stop).map_err(failed)?)
                } else {
                    Box::new(file)
                }
            }
        };
        let mut raw = Counted { inner: raw, taken };
        let mut magic = [0; 4];
        let mut have = 0;
        // A pipe may give less than four bytes at a time.
        while have < magic.len() {
            match raw.read(&mut magic[have..]) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_read(&self.name(), &error)),
            }
            // Nothing compressed begins like this, so a slow pipe need not be waited for.
            if have > 0 && !matches!(magic[0], 0x1f | 0x28) {
                break;
            }
        }
        let whole = io::Cursor::new(magic[..have].to_vec()).chain(raw);
        Ok(match magic {
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(
                BufReader::with_capacity(1 << 18, whole),
            )),
            [0x28, 0xb5, 0x2f, 0xfd] => match zstd::Decoder::new(whole) {
                Ok(decoder) => Box::new(decoder),
                Err(error) => return Err(cannot_read(&self.name(), &error)),
            },
            _ => Box::new(whole),
        })
    }
}

/// The error for an input that cannot be read; damaged compression has a code of its own.
pub fn cannot_read(name: &str, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            Diagnostic::new(
                Code::BadCompression,
                format!("{name} is damaged or cut short: {error}"),
            )
        }
        _ => Diagnostic::new(Code::CannotRead, format!("{name} cannot be read: {error}")),
    }
}

struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The inputs that arguments name: files, globs, `-`; standard input when there are none.
///
/// Errors: E0403 for a file that does not exist and a glob that finds nothing.
pub fn inputs(arguments: &[PathBuf]) -> Outcome<Vec<Input>> {
    if arguments.is_empty() {
        return Ok(vec![Input::Standard]);
    }
    let mut found = Vec::new();
    for path in arguments {
        if path.as_os_str() == "-" {
            found.push(Input::Standard);
        } else if path.exists() {
            if path.is_dir() {
                let message = format!("{} is a folder", path.display());
                return Err(Diagnostic::new(Code::CannotRead, message)
                    .help("name its files, e.g. FOLDER/*.jsonl"));
            }
            found.push(Input::File(path.clone()));
        } else {
            found.extend(matching(path)?);
        }
    }
    Ok(found)
}

/// The inputs, each once: a file that was named twice would count twice. `again` hears of the others.
pub fn once(inputs: Vec<Input>, mut again: impl FnMut(&Input, &Input)) -> Vec<Input> {
    let mut kept: Vec<Input> = Vec::with_capacity(inputs.len());
    let mut seen: HashMap<Option<Id>, usize> = HashMap::default();
    for input in inputs {
        let own = match &input {
            Input::Standard => None,
            Input::File(path) => match std::fs::metadata(path) {
                Ok(there) if there.is_file() => Some(id(&there)),
                // Of a pipe each reader has a part.
                _ => {
                    kept.push(input);
                    continue;
                }
            },
        };
        match seen.get(&own).and_then(|at| kept.get(*at)) {
            Some(first) => again(&input, first),
            None => {
                seen.insert(own, kept.len());
                kept.push(input);
            }
        }
    }
    kept
}

/// The files that a glob finds, by name.
fn matching(pattern: &Path) -> Outcome<Vec<Input>> {
    let shown = pattern.display();
    let text = pattern.to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        return Err(Diagnostic::new(
            Code::CannotRead,
            format!("{shown} does not exist"),
        ));
    }
    let paths = glob::glob(&text).map_err(|error| {
        Diagnostic::new(
            Code::CannotRead,
            format!("{shown} is no pattern of files: {error}"),
        )
    })?;
    let files: Vec<Input> = paths
        .flatten()
        .filter(|path| path.is_file())
        .map(Input::File)
        .collect();
    if files.is_empty() {
        return Err(Diagnostic::new(
            Code::CannotRead,
            format!("{shown} finds no file"),
        ));
    }
    Ok(files)
}

/// The text of a file, or of standard input for `-`. Errors: E0403, E0402.
pub fn read_text(path: &Path) -> Outcome<String> {
    let name = match path.as_os_str() == "-" {
        true => "standard input".to_string(),
        false => path.display().to_string(),
    };
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    read.map_err(|error| {
        Diagnostic::new(Code::CannotRead, format!("{name} cannot be read: {error}"))
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Diagnostic::new(
            Code::NotUtf8,
            format!("{name} is not UTF-8 from byte {at} on"),
        )
    })?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_string)
        .unwrap_or(text))
}

/// What something that has no content of its own is called; `None` for a regular file.
pub fn no_file(there: &std::fs::Metadata) -> Option<&'static str> {
    match there.is_file() {
        true => None,
        false if there.is_dir() => Some("a folder"),
        false => Some("no regular file"),
    }
}
