//! Which configuration file is used, and where files lie by default.

use super::Config;
use super::secret::{reason, resolve};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What the process sees around it; a value, so that tests need no process of their own.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `STELLAR_CONFIG`.
    pub named: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `XDG_DATA_HOME`.
    pub data_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// The working folder.
    pub folder: PathBuf,
    /// The number of the effective user, where it can be told.
    pub user: Option<u32>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Surroundings {
        let path = |name: &str| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        // XDG variables that are no absolute paths are to be ignored, says their specification.
        let absolute = |name: &str| path(name).filter(|p| p.is_absolute());
        let home = path("HOME");
        // The process's own entry belongs to the effective user; where there is none, the home folder has to do.
        let owner = std::fs::metadata("/proc/self")
            .ok()
            .or_else(|| std::fs::metadata(home.as_ref()?).ok());
        Surroundings {
            named: path("STELLAR_CONFIG"),
            config_home: absolute("XDG_CONFIG_HOME"),
            data_home: absolute("XDG_DATA_HOME"),
            home,
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            user: owner.map(|m| m.uid()),
        }
    }

    fn below(&self, xdg: &Option<PathBuf>, fallback: &str) -> Option<PathBuf> {
        xdg.clone()
            .or_else(|| Some(self.home.as_ref()?.join(fallback)))
    }
}

/// A configuration file that was found: its path and its text.
pub(super) struct Found {
    pub path: PathBuf,
    pub text: String,
}

/// The first configuration file. What was passed over is told in `notes`.
pub(super) fn find(
    given: Option<&Path>,
    around: &Surroundings,
    notes: &mut Vec<String>,
) -> Outcome<Option<Found>> {
    if let Some(path) = given {
        return match open(&around.folder.join(path))? {
            Some(file) => Ok(Some(Found {
                path: path.to_path_buf(),
                text: text(file, path)?,
            })),
            None => Err(Diagnostic::new(
                Code::CannotRead,
                format!("the configuration file {} does not exist", path.display()),
            )),
        };
    }
    if let Some(path) = &around.named {
        match open(&around.folder.join(path))? {
            Some(file) => {
                return Ok(Some(Found {
                    path: path.clone(),
                    text: text(file, path)?,
                }));
            }
            None => notes.push(format!(
                "STELLAR_CONFIG names {}, which does not exist",
                path.display()
            )),
        }
    }
    let local = around.folder.join("stellar.toml");
    if let Some(file) = open(&local)? {
        if own(&local, &file, around) {
            return Ok(Some(Found {
                text: text(file, &local)?,
                path: local,
            }));
        }
        notes.push(format!(
            "{} is not read: it belongs to another user",
            local.display()
        ));
    }
    let Some(folder) = around.below(&around.config_home, ".config") else {
        return Ok(None);
    };
    let path = folder.join("stellar").join("stellar.toml");
    match open(&path)? {
        Some(file) => Ok(Some(Found {
            text: text(file, &path)?,
            path,
        })),
        None => Ok(None),
    }
}

/// Both the name and the opened file must be the user's: a link could point at someone else's, or be someone else's.
fn own(path: &Path, file: &File, around: &Surroundings) -> bool {
    let owners = [file.metadata(), std::fs::symlink_metadata(path)];
    around.user.is_some_and(|user| {
        owners
            .iter()
            .all(|m| m.as_ref().is_ok_and(|m| m.uid() == user))
    })
}

fn open(path: &Path) -> Outcome<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn text(mut file: File, path: &Path) -> Outcome<String> {
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|error| unreadable(path, &error))?;
    Ok(text)
}

/// A whole file, for `--globals`.
pub(super) fn read(path: &Path, around: &Surroundings) -> Outcome<Vec<u8>> {
    std::fs::read(around.folder.join(path)).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> crate::diagnostic::Fault {
    let code = if error.kind() == std::io::ErrorKind::InvalidData {
        Code::NotUtf8
    } else {
        Code::CannotRead
    };
    Diagnostic::new(
        code,
        format!("cannot read {}: {}", path.display(), reason(error)),
    )
}

/// A configured path with its references replaced and `~/` put in full. E0503 when a reference names nothing.
pub fn resolve_path(path: &Path, around: &Surroundings) -> Outcome<PathBuf> {
    let Some(text) = path
        .to_str()
        .filter(|t| t.contains('$') || t.starts_with("~/"))
    else {
        return Ok(path.to_path_buf());
    };
    let text = resolve(text)?;
    Ok(match (text.expose().strip_prefix("~/"), &around.home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(text.expose()),
    })
}

impl Config {
    /// Where the embedded file lies, references replaced. E0503 for a reference that names nothing, E0601 when
    /// neither `[store] path` nor a home folder is known.
    pub fn store_path(&self, around: &Surroundings) -> Outcome<PathBuf> {
        if let Some(path) = &self.store.path {
            return resolve_path(path, around);
        }
        match around.below(&around.data_home, ".local/share") {
            Some(folder) => Ok(folder.join("stellar").join("stellar.db")),
            None => Err(Diagnostic::new(
                Code::StoreOpen,
                "there is no place for the embedded file",
            )
            .help("set [store] path, XDG_DATA_HOME or HOME")),
        }
    }
}
