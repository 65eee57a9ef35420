//! SQLite's errors and panics as diagnostics.

use crate::diagnostic::{Code, Diagnostic, Fault};
use rusqlite::{Error, ErrorCode};
use std::any::Any;
use std::path::Path;

/// What every message of the embedded file begins with; the path is put behind it where it is known.
const SUBJECT: &str = "the embedded file";

impl From<Error> for Fault {
    /// E0603 with a plain sentence, or E0307 for an interrupted statement.
    fn from(error: Error) -> Fault {
        let (sentence, help) = match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => return super::deadline::interrupted(),
            Some(ErrorCode::DiskFull) => (
                "has no room: the disk is full",
                "make room; nothing already stored is lost",
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                "is busy: another process has been writing for too long",
                "try again when that process is done",
            ),
            Some(ErrorCode::DatabaseCorrupt) => (
                "is damaged",
                "`stellar store check` shows what is wrong; put a backup in its place",
            ),
            Some(ErrorCode::NotADatabase) => {
                ("is no SQLite file", "set [store] path to another file")
            }
            Some(ErrorCode::ReadOnly) => (
                "cannot be written: it is read-only",
                "check the permissions of the file and its folder",
            ),
            Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => (
                "cannot be used: permission denied",
                "check the permissions of the file and its folder",
            ),
            Some(ErrorCode::CannotOpen) => (
                "cannot be opened",
                "check the permissions of the file and its folder",
            ),
            Some(ErrorCode::SystemIoFailure) => (
                "cannot be read or written: the disk reports an error",
                "check the disk",
            ),
            _ => return Diagnostic::new(Code::StoreFailed, format!("{SUBJECT} failed: {error}")),
        };
        Diagnostic::new(Code::StoreFailed, format!("{SUBJECT} {sentence}")).help(help)
    }
}

/// Names the file in a message that [`From<Error>`] made.
pub(super) fn located(mut fault: Fault, path: &Path) -> Fault {
    if let Some(rest) = fault.message.strip_prefix(SUBJECT)
        && matches!(fault.code, Code::StoreFailed | Code::StoreOpen)
        && !rest.starts_with(" /")
    {
        fault.message = format!("{SUBJECT} {}{rest}", path.display());
    }
    fault
}

/// E0601 about `path`, with a sentence that goes on after its name.
pub(super) fn cannot_open(path: &Path, sentence: impl std::fmt::Display) -> Fault {
    Diagnostic::new(
        Code::StoreOpen,
        format!("{SUBJECT} {} {sentence}", path.display()),
    )
    .help("check [store] path, its folder and the permissions")
}

/// E0901 for a panic, with what it said.
pub(super) fn panicked(payload: &(dyn Any + Send)) -> Fault {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Diagnostic::new(
        Code::Internal,
        format!(
            "a part of the program panicked: {}",
            said.unwrap_or("no message")
        ),
    )
}
