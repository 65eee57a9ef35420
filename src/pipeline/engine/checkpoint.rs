//! What is remembered over a stop: states of steps and places of inputs.

use super::{Own, Pipeline, Shared};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::input::replace;
use crate::store::{Deadline, Lock, Room, Store};
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use parking_lot::Mutex;
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

/// The tables of pipelines in the embedded file.
pub static PIPELINE: Room = Room {
    name: "pipeline",
    migrations: &[
        "CREATE TABLE pipeline_state (name TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT",
    ],
    expire: None,
};

/// Where the states of all pipelines go, when they go to one place.
pub enum Memory {
    /// They are not kept, but for steps with a `db_path`.
    None,
    /// One file of JSON.
    File(StateFile),
    /// The embedded store.
    Store(Shelf),
}

/// The states of one file of pipelines in the embedded store.
pub struct Shelf {
    store: Store,
    /// What they are kept under: the path of the file.
    prefix: String,
    /// Keeps other runs of the file away.
    _lock: Lock,
}

impl Shelf {
    /// The states of the pipelines in a file. Errors: E0404 when another run has them, E0603.
    pub fn open(store: &Store, file: &Path) -> Outcome<Shelf> {
        let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let prefix = file.display().to_string();
        let digest = HEXLOWER.encode(&Md5::digest(&prefix));
        let lock =
            Lock::take(&store.lock_path(&format!("pipeline-{digest}")))?.ok_or_else(|| {
                let text = format!("the saved states of {prefix} are used by another run");
                Diagnostic::new(Code::CannotWrite, text)
                    .help("stop it first, or give this run a --state file of its own")
            })?;
        Ok(Shelf {
            store: store.clone(),
            prefix,
            _lock: lock,
        })
    }
}

/// A file with the states of all pipelines.
pub struct StateFile {
    path: PathBuf,
    all: Mutex<Map<String, Json>>,
    /// Held as long as the file is used.
    _lock: Option<File>,
}

/// Keeps other runs from a file of states: two would write over each other's. `None` where files cannot be locked.
/// Errors: E0404 when another run has it.
pub(super) fn lock(path: &Path) -> Outcome<Option<File>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.lock"));
    let folder = beside
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // A failure shows when the file itself is written.
    let _ = folder.map(std::fs::create_dir_all);
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside);
    let Ok(file) = opened else {
        return Ok(None);
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let text = format!("{} is used by another run", path.display());
            Err(Diagnostic::new(Code::CannotWrite, text).help("give each run a file of its own"))
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

impl StateFile {
    /// The file at `path`, which need not be there. Errors: E0403, E0404 when it holds something else.
    pub fn open(path: &Path) -> Outcome<StateFile> {
        let lock = lock(path)?;
        let all = match std::fs::read(path) {
            Ok(bytes) if bytes.is_empty() => Map::new(),
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(Json::Object(all)) => all,
                _ => {
                    let text = format!("{} holds no states of pipelines", path.display());
                    return Err(Diagnostic::new(Code::CannotRead, text)
                        .help("name another file, or remove this one to begin anew"));
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
            Err(error) => {
                let text = format!("{} cannot be read: {error}", path.display());
                return Err(Diagnostic::new(Code::CannotRead, text));
            }
        };
        Ok(StateFile {
            path: path.to_owned(),
            all: Mutex::new(all),
            _lock: lock,
        })
    }
}

impl Memory {
    /// Whether anything is kept.
    pub(super) fn keeps(&self) -> bool {
        !matches!(self, Memory::None)
    }

    /// What was saved of a pipeline.
    pub(super) fn read(
        &self,
        pipeline: &str,
        say: &(dyn Fn(&str) + Sync),
    ) -> Outcome<Option<Json>> {
        match self {
            Memory::None => Ok(None),
            Memory::File(file) => Ok(file.all.lock().get(pipeline).cloned()),
            Memory::Store(Shelf { store, prefix, .. }) => {
                let name = format!("{prefix}#{pipeline}");
                let text: Option<String> = store.read(&PIPELINE, |conn| {
                    let mut statement =
                        conn.prepare("SELECT state FROM pipeline_state WHERE name = ?1")?;
                    Ok(statement.query_row([&name], |row| row.get(0)).optional()?)
                })?;
                let Some(text) = text else { return Ok(None) };
                match serde_json::from_str(&text) {
                    Ok(state) => Ok(Some(state)),
                    Err(error) => {
                        say(&format!(
                            "the state of {pipeline} in the store is no JSON: {error}; it begins anew"
                        ));
                        Ok(None)
                    }
                }
            }
        }
    }

    /// Saves a pipeline's state: all of it, or nothing.
    pub(super) fn write(&self, pipeline: &str, state: Json) -> Outcome<()> {
        match self {
            Memory::None => Ok(()),
            Memory::File(file) => {
                let mut all = file.all.lock();
                all.insert(pipeline.to_owned(), state);
                let text = serde_json::to_vec(&*all).map_err(internal)?;
                replace(&file.path, &text)
            }
            Memory::Store(Shelf { store, prefix, .. }) => {
                let name = format!("{prefix}#{pipeline}");
                let text = state.to_string();
                store.write(
                    &PIPELINE,
                    Deadline::NONE,
                    &AtomicBool::new(false),
                    move |conn| {
                        conn.prepare_cached(
                            "INSERT OR REPLACE INTO pipeline_state (name, state) VALUES (?1, ?2)",
                        )?
                        .execute([&name, &text])?;
                        Ok(())
                    },
                )
            }
        }
    }
}

/// What pipelines keep in the embedded store: the file of each, its name, and the bytes of its state.
pub fn kept(store: &Store) -> Outcome<Vec<(String, String, i64)>> {
    store.read(&PIPELINE, |conn| {
        let mut statement = conn.prepare(
            "SELECT name, length(CAST(state AS BLOB)) FROM pipeline_state ORDER BY name",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut all = Vec::new();
        for row in rows {
            let (name, bytes): (String, i64) = row?;
            let (file, pipeline) = name.split_once('#').unwrap_or(("", &name));
            all.push((file.to_owned(), pipeline.to_owned(), bytes));
        }
        Ok(all)
    })
}

fn internal(error: serde_json::Error) -> crate::diagnostic::Fault {
    Diagnostic::new(Code::Internal, format!("a state is no JSON: {error}"))
}

/// When the states of a pipeline were saved.
const SAVED: &str = "saved";

/// Own files are written this long before the shared state at most, in milliseconds.
const SLACK: u64 = 10_000;

/// A step's name in a state: its place and its action.
fn name_of(number: usize, action: &str) -> String {
    format!("{number} {action}")
}

/// Gives the steps and inputs what was saved; what does not fit is told and left out.
pub(super) fn load(
    pipeline: &mut Pipeline,
    memory: &Memory,
    say: &(dyn Fn(&str) + Sync),
) -> Outcome<()> {
    let mut saved = match memory.read(&pipeline.id, say)? {
        Some(Json::Object(saved)) => saved,
        _ => Map::new(),
    };
    let at = saved.remove(SAVED).and_then(|at| at.as_u64()).unwrap_or(0);
    let names: Vec<String> = pipeline
        .stages
        .iter()
        .enumerate()
        .map(|(n, s)| name_of(n, s.name))
        .collect();
    moved(&names, &mut saved, say);
    for (number, stage) in pipeline.stages.iter().enumerate() {
        let db_path = pipeline.db_paths.get(number).cloned().flatten();
        let shared = names.get(number).and_then(|name| saved.remove(name));
        // A run without the shared state has written the step's own file only.
        let newer = db_path.as_deref().is_some_and(|path| {
            let written = written(path);
            written > 0 && written + SLACK >= at
        });
        let (state, from) = match (shared.filter(|_| !newer), &db_path) {
            (Some(state), _) => (state, "the saved state".to_owned()),
            (None, Some(path)) => match read_own(path) {
                Ok(Some(state)) => (state, path.display().to_string()),
                Ok(None) => continue,
                Err(reason) => {
                    say(&format!("{reason}; {} begins anew", stage.name));
                    continue;
                }
            },
            (None, None) => continue,
        };
        let loaded = match pipeline.own.get_mut(number) {
            Some(Own::Kept(kept)) => kept.load(&state),
            Some(Own::Sink(sink)) => sink.load(&state),
            _ => match pipeline.inputs.iter_mut().find(|(at, _)| *at == number) {
                Some((_, input)) => input.load(&state).inspect(|()| {
                    // Saved again until the input says something newer.
                    pipeline.places.insert(number, state.clone());
                }),
                None => match &stage.shared {
                    Shared::Pure(pure) => pure.load(&state),
                    _ => Ok(()),
                },
            },
        };
        if let Err(reason) = loaded {
            say(&format!(
                "{from} is not taken up: {reason}; {} begins anew",
                stage.name
            ));
        }
    }
    for name in saved.keys() {
        let id = &pipeline.id;
        say(&format!(
            "the saved state of {name} in {id} is not taken up: no such step is there any more"
        ));
    }
    Ok(())
}

/// The states of steps that stand at another place now get their new names, where it is clear which ones they are.
fn moved(names: &[String], saved: &mut Map<String, Json>, say: &(dyn Fn(&str) + Sync)) {
    let action = |name: &str| {
        name.split_once(' ')
            .map_or("", |(_, action)| action)
            .to_owned()
    };
    let lost: Vec<String> = saved
        .keys()
        .filter(|name| !names.contains(name))
        .cloned()
        .collect();
    for old in &lost {
        let own = action(old);
        let alike = lost.iter().filter(|name| action(name) == own).count();
        let mut free = names
            .iter()
            .filter(|name| action(name) == own && !saved.contains_key(*name));
        let (Some(new), None, 1) = (free.next(), free.next(), alike) else {
            continue;
        };
        if let Some(state) = saved.remove(old) {
            saved.insert(new.clone(), state);
            say(&format!("the saved state of {old} is taken up by {new}"));
        }
    }
}

/// When a file was written, in milliseconds since 1970; 0 when it is not there.
fn written(path: &Path) -> u64 {
    let at = std::fs::metadata(path)
        .and_then(|there| there.modified())
        .ok();
    at.map_or(0, millis)
}

fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH);
    since.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(0))
}

/// A step's own file; nothing when it is missing or empty, as feedoo left some.
fn read_own(path: &Path) -> Result<Option<Json>, String> {
    match std::fs::read(path) {
        Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => Ok(None),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(state) => Ok(Some(state)),
            Err(error) => Err(format!("{} is no JSON: {error}", path.display())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    }
}

/// Saves states and places: `states` by the number of the step, as the outputs have been written up to here.
pub(super) fn save(
    id: &str,
    names: &[&'static str],
    states: Vec<(usize, Json)>,
    db_paths: &[Option<PathBuf>],
    memory: &Memory,
) -> Outcome<()> {
    let mut all = Map::new();
    for (number, state) in states {
        if let Some(Some(path)) = db_paths.get(number) {
            let mut text = Vec::new();
            let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut writer = serde_json::Serializer::with_formatter(&mut text, indent);
            state.serialize(&mut writer).map_err(internal)?;
            if let Some(folder) = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
            {
                // A failure shows at once when the file is written.
                let _ = std::fs::create_dir_all(folder);
            }
            replace(path, &text)?;
        }
        let name = names.get(number).copied().unwrap_or_default();
        all.insert(name_of(number, name), state);
    }
    if memory.keeps() {
        all.insert(SAVED.to_owned(), json!(millis(SystemTime::now())));
        memory.write(id, json!(all))?;
    }
    Ok(())
}
