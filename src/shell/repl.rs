//! The interactive loop: lines from the terminal to a session.

use super::editor::ShellHelper;
use super::prompt::prompt;
use super::session::{Session, Shown};
use super::show::Mode;
use crate::config::mask_text;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source};
use crate::syntax::{Statement, statements};
use crate::world::Terminal;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, EditMode, Editor};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many statements the history keeps.
const HISTORY: usize = 10_000;

/// Where the shell reads from and writes to.
pub struct Front<'a> {
    /// Shows a result.
    pub print: &'a dyn Fn(&str) -> Outcome<()>,
    /// Shows an error.
    pub complain: &'a dyn Fn(&Fault),
    /// Shows a note.
    pub note: &'a dyn Fn(&str),
    /// Shows what a statement may mean otherwise than its writer thinks.
    pub remark: &'a dyn Fn(&Fault),
    /// Whether the terminal shows colours.
    pub colors: bool,
    /// Where the statements of earlier sessions are; `None` keeps none.
    pub history: Option<PathBuf>,
}

/// Reads and runs statements until `quit`, `exit` or the end of the input.
///
/// Errors: E0403 when the terminal cannot be read.
pub fn interact(session: &Session, front: &Front<'_>) -> Outcome<()> {
    let mut editor = editor(session, front).map_err(broken)?;
    session.provide(Arc::new(Terminal::Editor));
    session.listen();
    session.set_mode(Mode::Table);
    (front.print)("Stellar, Go!")?;
    if let Some(path) = &front.history {
        open_history(&mut editor, path, front);
    }
    if !startup(session, front)? {
        return Ok(());
    }
    let mut told = false;
    loop {
        match editor.readline(&prompt(session)) {
            Ok(text) => {
                remember(&mut editor, &text, front, &mut told);
                for statement in statements(&Source::expression(text)) {
                    if !run(session, &statement, front)? {
                        return Ok(());
                    }
                }
            }
            // Ctrl-C gives up the line, Ctrl-D ends the shell.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(()),
            // A byte that is no text spoils its line only.
            Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                (front.note)("the line is not UTF-8 and was given up");
            }
            Err(error) => return Err(broken(error)),
        }
    }
}

fn broken(error: ReadlineError) -> Fault {
    let message = format!("the terminal cannot be read: {error}");
    Diagnostic::new(Code::CannotRead, message)
}

type ShellEditor<'a> = Editor<ShellHelper<'a>, FileHistory>;

fn editor<'a>(session: &'a Session, front: &Front<'_>) -> rustyline::Result<ShellEditor<'a>> {
    let vi = session.engine().config.shell.keys.as_deref() == Some("vi");
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .history_ignore_space(true)
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .completion_prompt_limit(120)
        .edit_mode(if vi { EditMode::Vi } else { EditMode::Emacs })
        .color_mode(if front.colors {
            ColorMode::Enabled
        } else {
            ColorMode::Disabled
        })
        .tab_stop(4)
        .indent_size(2)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(ShellHelper {
        session,
        colors: front.colors,
    }));
    Ok(editor)
}

/// Reads the history, making its folder when there is none. A history that cannot be read is only worth a note.
fn open_history(editor: &mut ShellEditor<'_>, path: &Path, front: &Front<'_>) {
    if let Some(folder) = path.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    match editor.load_history(path) {
        Ok(()) => {}
        Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => (front.note)(&format!("the history cannot be read: {error}")),
    }
}

/// Adds a text to the history at once, so that a killed shell loses nothing; secrets are masked.
fn remember(editor: &mut ShellEditor<'_>, text: &str, front: &Front<'_>, told: &mut bool) {
    if text.trim().is_empty() {
        return;
    }
    let entry = if text.starts_with(char::is_whitespace) {
        text.to_string()
    } else {
        mask_text(text)
    };
    let added = editor.add_history_entry(entry).unwrap_or(false);
    if let Some(path) = front.history.as_ref().filter(|_| added) {
        // A full disk is no reason to stop; the session goes on without.
        if let Err(error) = editor.append_history(path)
            && !*told
        {
            *told = true;
            (front.note)(&format!("the history cannot be kept: {error}"));
        }
    }
}

/// Runs the statements that the configuration wants first; `false` when the session has ended.
fn startup(session: &Session, front: &Front<'_>) -> Outcome<bool> {
    for text in session.engine().config.shell.startup.clone() {
        for statement in statements(&Source::named("shell.startup", text)) {
            if !run(session, &statement, front)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Runs one statement and shows what comes of it; `false` when the session ends.
fn run(session: &Session, statement: &Statement, front: &Front<'_>) -> Outcome<bool> {
    let cancel = session.engine().context.cancel.clone();
    cancel.store(false, Ordering::SeqCst);
    session.set_window(Some(window()));
    let remarks = session.remarks(statement);
    // What a loaded script gives is shown while it runs, with what functions say to it.
    let audience = |shown: &Shown| {
        present(shown, session, front)?;
        session.notes().iter().for_each(|note| (front.note)(note));
        Ok(())
    };
    let shown = session.run_before(statement, Some(&audience));
    // Of what has failed nobody need be told that it always fails.
    for remark in remarks {
        if shown.is_ok() || remark.code != Code::AlwaysFails {
            (front.remark)(&remark);
        }
    }
    let goes_on = match shown {
        Ok(shown) => present(&shown, session, front)?,
        Err(fault) => {
            (front.complain)(&fault);
            true
        }
    };
    session.notes().iter().for_each(|note| (front.note)(note));
    Ok(goes_on)
}

/// Shows what a statement gave, of a loaded script one statement after the other; `false` when the session ends.
fn present(shown: &Shown, session: &Session, front: &Front<'_>) -> Outcome<bool> {
    match shown {
        Shown::Quit => return Ok(false),
        Shown::Done(Some(note)) => (front.note)(note),
        Shown::Several(all, fault) => {
            for one in all {
                if !present(one, session, front)? {
                    return Ok(false);
                }
            }
            fault.iter().for_each(|fault| (front.complain)(fault));
        }
        shown => match shown.print_as(session.look()) {
            Ok(Some(text)) => (front.print)(&text)?,
            Ok(None) => {}
            Err(fault) => (front.complain)(&fault),
        },
    }
    Ok(true)
}

/// The columns and lines of the window.
fn window() -> (usize, usize) {
    match terminal_size::terminal_size() {
        Some((width, height)) => (usize::from(width.0).max(20), usize::from(height.0)),
        None => (80, 24),
    }
}
