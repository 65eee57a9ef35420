//! What is remembered over a stop: states of steps and places of inputs.

use super::{Own, Pipeline, Shared};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::input::replace;
use crate::store::{Deadline, Room, Store};
use parking_lot::Mutex;
use rusqlite::OptionalExtension;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

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
    /// The embedded store, under the name of the file of pipelines.
    Store(Store, String),
}

/// A file with the states of all pipelines.
pub struct StateFile {
    path: PathBuf,
    all: Mutex<Map<String, Json>>,
}

impl StateFile {
    /// The file at `path`, which need not be there. Errors: E0403, E0404 when it holds something else.
    pub fn open(path: &Path) -> Outcome<StateFile> {
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
        })
    }
}

impl Memory {
    /// Whether anything is kept.
    pub(super) fn keeps(&self) -> bool {
        !matches!(self, Memory::None)
    }

    /// What was saved of a pipeline.
    pub(super) fn read(&self, pipeline: &str) -> Outcome<Option<Json>> {
        match self {
            Memory::None => Ok(None),
            Memory::File(file) => Ok(file.all.lock().get(pipeline).cloned()),
            Memory::Store(store, prefix) => {
                let name = format!("{prefix}#{pipeline}");
                let text: Option<String> = store.read(&PIPELINE, |conn| {
                    let mut statement =
                        conn.prepare("SELECT state FROM pipeline_state WHERE name = ?1")?;
                    Ok(statement.query_row([&name], |row| row.get(0)).optional()?)
                })?;
                Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
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
            Memory::Store(store, prefix) => {
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
    let saved = memory.read(&pipeline.id)?;
    for (number, stage) in pipeline.stages.iter().enumerate() {
        let db_path = pipeline.db_paths.get(number).cloned().flatten();
        let shared = saved
            .as_ref()
            .and_then(|saved| saved.get(name_of(number, stage.name)).cloned());
        let (state, from) = match (shared, &db_path) {
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
    Ok(())
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
        memory.write(id, json!(all))?;
    }
    Ok(())
}
