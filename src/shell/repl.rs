//! The interactive loop: lines from the terminal to a session.

use super::session::{Session, Shown};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source};
use crate::syntax::{is_incomplete, statements};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use std::sync::atomic::Ordering;

/// The prompt, as Metron's users know it.
const PROMPT: &str = "[Stellar]>>> ";

/// What stands before the further lines of a statement.
const MORE: &str = "         ... ";

/// Reads and runs statements until `quit`, `exit` or the end of the input. `print` shows results, `complain` errors.
///
/// Errors: E0403 when the terminal cannot be read.
pub fn interact(
    session: &Session,
    print: impl Fn(&str) -> Outcome<()>,
    complain: impl Fn(&Fault),
) -> Outcome<()> {
    let broken = |error: ReadlineError| {
        Diagnostic::new(
            Code::CannotRead,
            format!("the terminal cannot be read: {error}"),
        )
    };
    let mut editor = DefaultEditor::new().map_err(broken)?;
    print("Stellar, Go!")?;
    let mut text = String::new();
    loop {
        match editor.readline(if text.is_empty() { PROMPT } else { MORE }) {
            Ok(line) => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&line);
                let magic = text.trim_start().starts_with(['%', '?', '#']);
                if !magic && is_incomplete(&text) {
                    continue;
                }
                let _ = editor.add_history_entry(text.as_str());
                session.engine.context.cancel.store(false, Ordering::SeqCst);
                for statement in statements(&Source::expression(std::mem::take(&mut text))) {
                    match session.run(&statement) {
                        Ok(Shown::Quit) => return Ok(()),
                        Ok(shown) => {
                            if let Shown::Done(Some(note)) = &shown {
                                print(&format!("note: {note}"))?;
                            }
                            if let Some(shown) = shown.print() {
                                print(&shown)?;
                            }
                        }
                        Err(fault) => complain(&fault),
                    }
                }
            }
            // Ctrl-C gives up the line, Ctrl-D ends the shell.
            Err(ReadlineError::Interrupted) => text.clear(),
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(broken(error)),
        }
    }
}
