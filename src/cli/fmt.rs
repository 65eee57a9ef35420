//! `stellar fmt`: formats scripts.

use super::args::{Common, FmtArgs};
use super::{output, setup};
use crate::diagnostic::{Code, Diagnostic, Outcome, Source};
use crate::syntax::{Formatted, ParseLimits, WIDTH, format_script};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Runs the command. A file that cannot be read or written does not keep the others from being formatted.
pub fn fmt(common: &Common, args: &FmtArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let limits = ParseLimits {
        length: engine.context.limits.expression,
        depth: engine.context.limits.depth,
    };
    let mut good = true;
    for file in &args.files {
        good &= match one(file, args, limits) {
            Ok(good) => good,
            Err(fault) => {
                output::complain(&fault);
                false
            }
        };
    }
    Ok(good)
}

/// Formats one file; `false` when something in it was left as it was, or would change.
fn one(file: &Path, args: &FmtArgs, limits: ParseLimits) -> Outcome<bool> {
    let is_input = file.as_os_str() == "-";
    let name = if is_input {
        "standard input".to_string()
    } else {
        file.display().to_string()
    };
    let source = Source::named(name, setup::read_text(file)?);
    let Formatted { text, faults } = format_script(&source, limits, WIDTH);
    let good = faults.is_empty();
    for fault in faults {
        output::complain(&fault.note("this statement was left as it is"));
    }
    if args.check {
        let same = text == source.text;
        if !same {
            output::line(&source.name)?;
        }
        return Ok(good && same);
    }
    if is_input || args.stdout {
        let mut out = io::stdout().lock();
        output::written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))?;
    } else if text != source.text {
        replace(file, &text)?;
    }
    Ok(good)
}

/// Puts `text` in the place of the file's content: all of it, or nothing. Errors: E0404.
pub(super) fn replace(file: &Path, text: &str) -> Outcome<()> {
    let fault = |error: io::Error| {
        Diagnostic::new(
            Code::CannotWrite,
            format!("{} cannot be written: {error}", file.display()),
        )
    };
    // A link stays a link; what it leads to is rewritten.
    let target = fs::canonicalize(file).map_err(fault)?;
    let before = fs::metadata(&target).map_err(fault)?;
    if !before.is_file() {
        return Err(fault(io::Error::other("it is no regular file")).help("use --stdout"));
    }
    let (beside, new) = create_beside(&target).map_err(fault)?;
    let written = fill(new, text, &before).and_then(|()| fs::rename(&beside, &target));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        fault(error)
    })
}

fn fill(mut new: File, text: &str, before: &fs::Metadata) -> io::Result<()> {
    new.write_all(text.as_bytes())?;
    keep_owner(&new, before);
    new.set_permissions(before.permissions())?;
    new.sync_all()
}

/// A new file in the folder of `target` that only its owner may read yet.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
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
fn keep_owner(new: &File, before: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(new, Some(before.uid()), Some(before.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}
