//! Locks between processes: files beside the embedded file, free again when whoever held them has gone, however that was.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Who only looks whether a lock is free holds it for a moment; so often it is tried again.
const TRIES: usize = 5;

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still locked, so that nobody's else is removed.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Lock {
    /// The lock at `path`; `None` while another process or thread holds it. E0603 when there can be none.
    pub fn take(path: &Path) -> Outcome<Option<Lock>> {
        let failed = |error: Error| failed(path, &error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut tries = 0;
        loop {
            let mut how = OpenOptions::new();
            how.write(true).create(true).truncate(false).mode(0o600);
            let file = how.open(path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                // Where files cannot be locked nobody else does it either.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
                Err(TryLockError::WouldBlock) if tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(Duration::from_millis(2));
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The one that had it may have removed it meanwhile.
            let own = file.metadata().map_err(failed)?;
            if std::fs::metadata(path).is_ok_and(|there| there.ino() == own.ino()) {
                let path = path.to_path_buf();
                return Ok(Some(Lock { path, _file: file }));
            }
        }
    }

    /// Whether somebody holds the lock at `path`. E0603 when that cannot be told.
    pub fn held(path: &Path) -> Outcome<bool> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(path, &error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(false),
            Err(TryLockError::Error(error)) => Err(failed(path, &error)),
        }
    }
}

fn failed(path: &Path, error: &Error) -> Fault {
    let message = format!("{} cannot be locked: {error}", path.display());
    Diagnostic::new(Code::StoreFailed, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/a.lock");
        assert!(!Lock::held(&path).unwrap());
        let lock = Lock::take(&path).unwrap().unwrap();
        assert!(Lock::held(&path).unwrap());
        assert!(Lock::take(&path).unwrap().is_none());
        drop(lock);
        assert!(!path.exists() && !Lock::held(&path).unwrap());
        // What a killed process left is free.
        std::fs::write(&path, "").unwrap();
        assert!(!Lock::held(&path).unwrap());
        assert!(Lock::take(&path).unwrap().is_some());
    }
}
