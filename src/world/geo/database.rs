//! MaxMind files: found, opened on first use, opened again when they change.

use crate::config::{Config, Surroundings, resolve_path};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::{Context, Value};
use flate2::read::MultiGzDecoder;
use maxminddb::{MaxMindDbError, Reader};
use parking_lot::{Mutex, RwLock};
use std::fs::{File, Metadata};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How often a file is looked at for changes.
const LOOK: Duration = Duration::from_secs(1);
/// More than any such file holds; a small compressed file could claim anything.
const LARGEST: u64 = 4 << 30;

/// What a database is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Where addresses are.
    Places,
    /// Whose they are.
    Systems,
}

impl Subject {
    /// The key of the configuration that names the file.
    pub fn key(self) -> &'static str {
        match self {
            Subject::Places => "functions.geo",
            Subject::Systems => "functions.asn",
        }
    }

    /// The function that needs it.
    pub fn function(self) -> &'static str {
        match self {
            Subject::Places => "GEO_GET",
            Subject::Systems => "ASN_GET",
        }
    }

    /// The global by which Metron names the file.
    pub fn global(self) -> &'static str {
        match self {
            Subject::Places => "geo.hdfs.file",
            Subject::Systems => "asn.hdfs.file",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Subject::Places => "GeoLite2-City.mmdb",
            Subject::Systems => "GeoLite2-ASN.mmdb",
        }
    }

    /// Whether a database of this type has the right fields; unknown types have a chance.
    fn fits(self, kind: &str) -> bool {
        let (wanted, other): (&[&str], &[&str]) = match self {
            Subject::Places => (&["City", "Enterprise", "Country"], &["ASN", "ISP"]),
            Subject::Systems => (&["ASN", "ISP", "Enterprise"], &["City", "Country"]),
        };
        let names = |words: &[&str]| words.iter().any(|word| kind.contains(word));
        names(wanted) || !names(other)
    }
}

/// An opened file, wholly in memory: mapping it would be unsafe, since others may cut it short.
pub type Database = Reader<Vec<u8>>;

/// The databases behind GEO_GET and ASN_GET.
#[derive(Default)]
pub struct Databases {
    configured: [Option<PathBuf>; 2],
    around: Surroundings,
    opened: [RwLock<Option<Opened>>; 2],
    opening: [Mutex<()>; 2],
}

#[derive(Clone)]
struct Opened {
    path: PathBuf,
    state: State,
    looked: Instant,
    database: Arc<Database>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State(u64, Option<SystemTime>, u64);

impl State {
    fn of(data: &Metadata) -> State {
        State(data.len(), data.modified().ok(), number(data))
    }
}

#[cfg(unix)]
fn number(data: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn number(_data: &Metadata) -> u64 {
    0
}

/// What there is to say about a database.
pub struct About {
    /// Its type, such as `GeoLite2-City`.
    pub kind: String,
    /// When it was built, in seconds since 1970.
    pub built: u64,
    /// Which addresses it knows: 4 or 6, which has those of 4 too.
    pub version: u16,
}

impl Databases {
    /// As configured; nothing is opened yet.
    pub fn new(config: &Config, around: &Surroundings) -> Databases {
        Databases {
            configured: [config.functions.geo.clone(), config.functions.asn.clone()],
            around: around.clone(),
            ..Databases::default()
        }
    }

    /// The file about a subject; `None` when none is named. Errors: E0503 for a reference that names nothing.
    pub fn path(&self, subject: Subject, context: &Context) -> Outcome<Option<PathBuf>> {
        if let Some(path) = &self.configured[subject as usize] {
            let path = resolve_path(path, &self.around)?;
            return Ok(Some(self.around.folder.join(path)));
        }
        let globals = context.globals.read();
        let Some(Value::Text(text)) = globals.get(subject.global()) else {
            return Ok(None);
        };
        let path = text.strip_prefix("file://").unwrap_or(text);
        let path = resolve_path(Path::new(path), &self.around)?;
        Ok(Some(self.around.folder.join(path)))
    }

    /// Opens the database about a subject and tells about it. Errors: as [`Databases::get`].
    pub fn about(&self, subject: Subject, context: &Context) -> Outcome<About> {
        let database = self.get(subject, context)?;
        let data = database.metadata();
        Ok(About {
            kind: data.database_type.clone(),
            built: data.build_epoch,
            version: data.ip_version,
        })
    }

    /// The database about a subject. Errors: E0217 when none is configured, E0403 when it cannot be used.
    pub fn get(&self, subject: Subject, context: &Context) -> Outcome<Arc<Database>> {
        let Some(path) = self.path(subject, context)? else {
            return Err(nothing(subject));
        };
        let slot = &self.opened[subject as usize];
        let fresh = |opened: &Opened| opened.path == path && opened.looked.elapsed() < LOOK;
        if let Some(opened) = slot.read().as_ref().filter(|opened| fresh(opened)) {
            return Ok(opened.database.clone());
        }
        // One thread looks; the others wait for what it finds.
        let _one = self.opening[subject as usize].lock();
        let known = slot.read().clone().filter(|opened| opened.path == path);
        if let Some(opened) = known.as_ref().filter(|opened| fresh(opened)) {
            return Ok(opened.database.clone());
        }
        let opened = match (open(subject, &path, known.as_ref()), known) {
            (Ok(opened), _) => opened,
            // Half a file in the middle of an update: what was known stays good.
            (Err(fault), Some(known)) => {
                tracing::warn!("the former database is used on: {fault}");
                Opened {
                    looked: Instant::now(),
                    ..known
                }
            }
            (Err(fault), None) => return Err(fault),
        };
        let database = opened.database.clone();
        *slot.write() = Some(opened);
        Ok(database)
    }
}

fn nothing(subject: Subject) -> Fault {
    let (function, key, file) = (subject.function(), subject.key(), subject.file());
    Diagnostic::new(
        Code::NotAvailable,
        format!("{function} needs a database of MaxMind's form, and none is configured"),
    )
    .help(format!(
        "set {key} = \"/path/of/{file}\" in the configuration (.mmdb, .mmdb.gz or .tar.gz), or the global {}",
        subject.global()
    ))
}

fn open(subject: Subject, path: &Path, known: Option<&Opened>) -> Outcome<Opened> {
    let looked = Instant::now();
    let unusable = |reason: String| {
        Diagnostic::new(
            Code::CannotRead,
            format!(
                "{}: {} cannot be used: {reason}",
                subject.function(),
                path.display()
            ),
        )
        .help(format!(
            "it is named by {} in the configuration or by the global {}",
            subject.key(),
            subject.global()
        ))
    };
    let mut file = File::open(path).map_err(|error| unusable(error.to_string()))?;
    let data = file
        .metadata()
        .map_err(|error| unusable(error.to_string()))?;
    let state = State::of(&data);
    if let Some(known) = known.filter(|known| known.state == state) {
        return Ok(Opened {
            looked,
            ..known.clone()
        });
    }
    let bytes = content(&mut file).map_err(&unusable)?;
    let database = Reader::from_source(bytes).map_err(|error| unusable(in_words(&error)))?;
    let kind = &database.metadata().database_type;
    if !subject.fits(kind) {
        let what = match subject {
            Subject::Places => "places",
            Subject::Systems => "autonomous systems",
        };
        return Err(unusable(format!(
            "it is a database of type {kind}, not of {what}"
        )));
    }
    tracing::info!("opened {} ({kind})", path.display());
    Ok(Opened {
        path: path.to_path_buf(),
        state,
        looked,
        database: Arc::new(database),
    })
}

/// The database in a file: bare, compressed, or in a compressed archive; told by what it holds, not by its name.
fn content(file: &mut File) -> Result<Vec<u8>, String> {
    let mut start = [0; 2];
    let read = filled(file, &mut start)?;
    let mut file = start.get(..read).unwrap_or_default().chain(file);
    if start != [0x1f, 0x8b] {
        return all(&mut file);
    }
    let mut plain = MultiGzDecoder::new(BufReader::new(file));
    let mut block = [0; 512];
    let read = filled(&mut plain, &mut block)?;
    let mut plain = block.get(..read).unwrap_or_default().chain(plain);
    // The mark in the header of an archive.
    if block.get(257..262) != Some(b"ustar") {
        return all(&mut plain);
    }
    let mut archive = tar::Archive::new(plain);
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let wanted = entry
            .path()
            .is_ok_and(|path| path.extension().is_some_and(|end| end == "mmdb"));
        if wanted {
            return all(&mut entry);
        }
    }
    Err("the archive holds no .mmdb file".to_string())
}

/// Fills `buffer` as far as there is something to read, and says how far.
fn filled(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize, String> {
    let length = buffer.len() as u64;
    let mut start = Vec::new();
    from.take(length)
        .read_to_end(&mut start)
        .map_err(|error| error.to_string())?;
    for (to, byte) in buffer.iter_mut().zip(&start) {
        *to = *byte;
    }
    Ok(start.len())
}

fn all(from: &mut dyn Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes"));
    }
    Ok(bytes)
}

/// What is wrong with a database.
pub(super) fn in_words(error: &MaxMindDbError) -> String {
    format!("it is no sound database of MaxMind's form: {error}")
}
