//! Files that are written as a whole: an interrupted write leaves the old content.

use super::open::no_file;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes a file with this content, or puts it in the place of a file's content: all of it, or nothing. The old
/// file's owner and permissions stay, and a link stays a link. Errors: E0404.
pub fn replace(file: &Path, content: &[u8]) -> Outcome<()> {
    put(file, content).map_err(|error| {
        let message = format!("{} cannot be written: {error}", file.display());
        Diagnostic::new(Code::CannotWrite, message)
    })
}

fn put(file: &Path, content: &[u8]) -> io::Result<()> {
    // What a link leads to is rewritten.
    let target = match fs::canonicalize(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_path_buf(),
        target => target?,
    };
    let before = match fs::metadata(&target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        before => Some(before?),
    };
    if let Some(what) = before.as_ref().and_then(no_file) {
        return Err(io::Error::other(format!("it is {what}")));
    }
    let (beside, new) = create_beside(&target, before.is_none())?;
    let written = fill(new, content, before.as_ref()).and_then(|()| fs::rename(&beside, &target));
    written.inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

fn fill(mut new: File, content: &[u8], before: Option<&Metadata>) -> io::Result<()> {
    new.write_all(content)?;
    if let Some(before) = before {
        keep_owner(&new, before);
        new.set_permissions(before.permissions())?;
    }
    new.sync_all()
}

/// A new file in the folder of `target`: one that only its owner may read as long as the old one's permissions are
/// not on it, or open to whom the user's mask says.
fn create_beside(target: &Path, usual: bool) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if usual { 0o666 } else { 0o600 });
    let mut attempt = 0;
    loop {
        let beside = target.with_file_name(format!(".{name}.{}.{attempt}", std::process::id()));
        match options.open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Gives the file to the owner of the old one, when that is allowed.
#[cfg(unix)]
fn keep_owner(new: &File, before: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(new, Some(before.uid()), Some(before.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}
