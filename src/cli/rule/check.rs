//! `stellar rule check`

use super::{Choices, options, read};
use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::rule::lua::NoteKind;
use std::path::PathBuf;

/// Runs the command.
pub fn check(engine: &Engine, files: &[PathBuf]) -> Outcome<bool> {
    let choices = Choices {
        batch: false,
        clear_all: false,
        drop_escapes: false,
    };
    let mut good = true;
    for file in files {
        let loaded = read(engine, file).and_then(|rule| rule.load(options(engine, &choices)));
        match loaded {
            Ok(mut running) => {
                for note in running.notes().0 {
                    if note.kind == NoteKind::Warning {
                        let line = note
                            .line
                            .map_or_else(String::new, |line| format!(":{line}"));
                        output::note(&format!("{}{line}: {}", file.display(), note.text));
                    }
                }
            }
            Err(fault) => {
                output::complain(&fault);
                good = false;
            }
        }
    }
    Ok(good)
}
