//! SHELL_EDIT: text in the user's editor.

use crate::diagnostic::Outcome;
use crate::eval::{Call, Notes, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, optional};
use std::io::Write;
use std::process::Command;
use std::sync::atomic::Ordering;

/// The service of those who sit at a terminal: an editor may be opened on it.
pub struct Terminal;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[FunctionSpec {
    name: "SHELL_EDIT",
    guarded: true,
    family: Family::Shell,
    summary: "Opens an editor and gives the text that it leaves.",
    details: "The editor is the global EDITOR, else the environment's EDITOR or VISUAL, else vi. \
              Works at an interactive shell only.",
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
    if context.services.get::<Terminal>().is_none() {
        return Ok(Value::Null);
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
