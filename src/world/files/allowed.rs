//! The files that functions may reach: what lies below the folders that `functions.files` names.

use crate::config::{Surroundings, resolve_path};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Call;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// The service behind the functions that work on files.
pub struct Files {
    allowed: Vec<PathBuf>,
    around: Surroundings,
}

/// A place below an allowed folder.
pub struct Spot {
    /// The allowed folder, opened: what is asked of it cannot lead out, whatever happens on the disk meanwhile.
    pub folder: Dir,
    /// The way from there; empty for the folder itself. It may not exist.
    pub way: PathBuf,
}

/// What became of a file that was asked for.
pub enum Found {
    /// It can be worked with.
    Open(File),
    /// There is none, or the system refuses it; what functions make of that is their own matter.
    Nothing,
}

impl Files {
    /// Functions may reach what lies below `allowed`, and files that it names.
    pub fn new(allowed: Vec<PathBuf>, around: Surroundings) -> Files {
        Files { allowed, around }
    }

    /// The home folder of the user.
    pub fn home(&self) -> Option<&Path> {
        self.around.home.as_deref()
    }

    /// The allowed place that the argument at `index` names; `itself` when a link is meant and not what it leads to.
    /// Errors: E0217 outside of what is allowed, E0204 for what is no path.
    pub fn spot(
        &self,
        call: &Call<'_, '_>,
        index: usize,
        path: &str,
        itself: bool,
    ) -> Outcome<Spot> {
        let path = path.strip_prefix("file://").unwrap_or(path);
        if path.is_empty() || path.contains('\0') {
            return Err(call.wrong_value(index, "that is no path"));
        }
        if self.allowed.is_empty() {
            return Err(not_allowed(call, index, path));
        }
        let Some(real) = real(&self.around.folder.join(path), itself) else {
            return Err(not_allowed(call, index, path));
        };
        for allowed in &self.allowed {
            // A folder that is not there allows nothing.
            let Ok(root) = resolve_path(allowed, &self.around)?.canonicalize() else {
                continue;
            };
            let folder = if root.is_dir() {
                root.as_path()
            } else {
                match root.parent() {
                    Some(parent) if real == root => parent,
                    _ => continue,
                }
            };
            let Ok(way) = real.strip_prefix(folder) else {
                continue;
            };
            return match Dir::open_ambient_dir(folder, ambient_authority()) {
                Ok(folder) => Ok(Spot {
                    folder,
                    way: way.to_path_buf(),
                }),
                Err(error) => {
                    let message = format!("{} cannot be opened: {error}", folder.display());
                    Err(Diagnostic::new(Code::CannotRead, message).of_argument(index))
                }
            };
        }
        Err(not_allowed(call, index, path))
    }
}

/// A path without links and `..` as far as it exists; `None` when what does not exist would have to be left by `..`.
fn real(path: &Path, itself: bool) -> Option<PathBuf> {
    let mut there = path.to_path_buf();
    let mut rest = Vec::new();
    if itself {
        rest.push(there.file_name()?.to_os_string());
        there.pop();
    }
    loop {
        if let Ok(mut real) = there.canonicalize() {
            real.extend(rest.iter().rev());
            return Some(real);
        }
        rest.push(there.file_name()?.to_os_string());
        there.pop();
    }
}

#[cold]
fn not_allowed(call: &Call<'_, '_>, index: usize, path: &str) -> Fault {
    let message = format!(
        "{} may not use {path}: functions.files does not allow it",
        call.name
    );
    Diagnostic::new(Code::NotAvailable, message)
        .of_argument(index)
        .help("name its folder in the configuration: [functions] files = [\"FOLDER\"], or --set 'functions.files=[\"FOLDER\"]'")
}

/// The service of a call. Errors: E0217 when there is none.
pub fn files(call: &Call<'_, '_>) -> Outcome<std::sync::Arc<Files>> {
    let none = || Files::new(Vec::new(), Surroundings::default());
    // Without the service nothing is allowed, and the path tells what to do about it.
    Ok(call
        .context()
        .services
        .get::<Files>()
        .unwrap_or_else(|| none().into()))
}

impl Spot {
    /// Opens the file without waiting for anybody and without changing it.
    /// Errors: E0217 when a link leads out of the folder, E0204 for what is neither a file nor a folder.
    pub fn open(
        &self,
        call: &Call<'_, '_>,
        index: usize,
        options: &mut OpenOptions,
    ) -> Outcome<Found> {
        let special = || {
            call.wrong_value(
                index,
                "that is a pipe, a device or a socket, not a plain file",
            )
        };
        // Opening a device may have an effect already.
        if let Ok(metadata) = self.folder.metadata(&self.way)
            && !metadata.is_file()
            && !metadata.is_dir()
        {
            return Err(special());
        }
        // Something else may lie there by now; a pipe without a partner would be waited for.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = match self.folder.open_with(&self.way, options) {
            Ok(file) => file,
            Err(error) => return self.refused(call, index, &error).map(|()| Found::Nothing),
        };
        let Ok(metadata) = file.metadata() else {
            return Ok(Found::Nothing);
        };
        if metadata.is_file() {
            return Ok(Found::Open(file));
        }
        if metadata.is_dir() {
            return Ok(Found::Nothing);
        }
        Err(special())
    }

    /// What the system has refused, unless the reason is a way out of the folder. Errors: E0217.
    pub fn refused(
        &self,
        call: &Call<'_, '_>,
        index: usize,
        error: &std::io::Error,
    ) -> Outcome<()> {
        // Errors of the system itself have a number; this one was found on the way.
        if error.kind() == ErrorKind::PermissionDenied && error.raw_os_error().is_none() {
            return Err(not_allowed(call, index, &self.way.to_string_lossy()));
        }
        tracing::debug!("{}: {}: {error}", call.name, self.way.display());
        Ok(())
    }
}

/// Reads a file to its end; `None` when the system fails. Errors: E0303 beyond `longest` bytes, E0306, E0307.
pub fn read_all(call: &Call<'_, '_>, mut file: File, longest: usize) -> Outcome<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    loop {
        call.step()?;
        call.context().check_cancelled()?;
        if call
            .deadline()
            .is_some_and(|deadline| std::time::Instant::now() > deadline)
        {
            return Err(Diagnostic::new(
                Code::Timeout,
                "reading the file took too long",
            ));
        }
        match (&mut file).take(CHUNK as u64).read_to_end(&mut bytes) {
            Ok(0) => return Ok(Some(bytes)),
            Ok(_) => {}
            Err(_) => return Ok(None),
        }
        if bytes.len() > longest {
            let message =
                format!("the file has more than {longest} bytes, which is what is allowed");
            return Err(Diagnostic::new(Code::StringLength, message));
        }
    }
}
