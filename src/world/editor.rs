//! SHELL_EDIT: text in the user's editor.

use crate::diagnostic::Outcome;
use crate::eval::{Call, Notes, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, optional};
use std::io::Write;
use std::process::Command;
use std::sync::atomic::Ordering;

/// The service of those who can write a text while a statement runs.
pub enum Terminal {
    /// In an editor that is opened on the terminal.
    Editor,
    /// As this does it, beginning with a text; errors are the reasons why there is none.
    Ask(Ask),
}

/// Gives a text that the user wrote.
pub type Ask = Box<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[FunctionSpec {
    name: "SHELL_EDIT",
    guarded: true,
    family: Family::Shell,
    summary: "Opens an editor and gives the text that it leaves.",
    details: "The editor is the global EDITOR, else the environment's EDITOR or VISUAL, else vi. \
              In a notebook the front end asks for one line. \
              Elsewhere it gives null.",
    parameters: &[optional("text", Kind::Text, "what the editor begins with")],
    returns: "the text without blanks around it; null when there is no terminal or the editor fails",
    examples: &[
        example("SHELL_EDIT('SELECT')", "null"),
        example("SHELL_EDIT()", "null"),
    ],
    see: &["SHELL_LIST_VARS"],
    words: &["write", "vi", "emacs"],
    pure: false,
    run: edit,
    ..SPEC
}];

fn edit(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let context = call.context();
    let Some(terminal) = context.services.get::<Terminal>() else {
        return Ok(Value::Null);
    };
    if let Terminal::Ask(ask) = &*terminal {
        let asked = ask(call.arg(0).as_text().unwrap_or(""));
        return Ok(match asked {
            Ok(text) => Value::text(text.trim()),
            Err(reason) => {
                context.check_cancelled()?;
                if let Some(notes) = context.services.get::<Notes>() {
                    notes.say(format!("SHELL_EDIT: {reason}"));
                }
                Value::Null
            }
        });
    }
    let configured = context.globals.read().get("EDITOR").cloned();
    let environment = || {
        ["EDITOR", "VISUAL"]
            .iter()
            .find_map(|name| std::env::var(name).ok())
    };
    let editor = match configured {
        Some(Value::Text(editor)) => editor.to_string(),
        _ => environment().unwrap_or_else(|| "vi".to_string()),
    };
    let text = call.arg(0).as_text().unwrap_or("");
    let edited = run(&editor, text);
    // Ctrl-C inside of the editor was meant for the editor.
    context.cancel.store(false, Ordering::SeqCst);
    Ok(match edited {
        Ok(text) => Value::text(text.trim()),
        Err(error) => {
            tracing::warn!("the editor {editor} failed: {error}");
            if let Some(notes) = context.services.get::<Notes>() {
                notes.say(format!("SHELL_EDIT: the editor {editor} failed: {error}"));
            }
            Value::Null
        }
    })
}

/// Runs the editor on a file of its own, which is removed afterwards.
fn run(editor: &str, text: &str) -> std::io::Result<String> {
    let mut file = tempfile::Builder::new().suffix(".stellar").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program)
        .args(words)
        .arg(file.path())
        .status()?;
    if !status.success() {
        return Err(std::io::Error::other(format!("it ended with {status}")));
    }
    // Editors replace the file, so it is read by its name.
    std::fs::read_to_string(file.path())
}
