//! `%save`: values and sessions to files.

use super::{Request, bad};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Page};
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::eval::text::to_text;
use crate::shell::events::path_of;
use crate::shell::session::{Session, Shown};
use indexmap::IndexSet;
use smol_str::SmolStr;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub(super) fn save(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let (first, rest) = first_word(request.rest);
    let force = first == "-f";
    let (name, expression) = match force {
        true => first_word(rest),
        false => (first, rest),
    };
    if name.is_empty() {
        return Err(bad("%save lacks a file"));
    }
    let path = path_of(name);
    if let Ok(there) = std::fs::metadata(&path)
        && !there.is_file()
    {
        let what = if there.is_dir() {
            "a folder"
        } else {
            "no file"
        };
        let message = format!("{} is {what}", path.display());
        return Err(Diagnostic::new(Code::CannotWrite, message));
    }
    if !force && path.exists() {
        return Err(bad(format!("{} exists already", path.display()))
            .help(format!("replace it with %save -f {name}")));
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    if extension == "stellar" {
        if !expression.is_empty() {
            return Err(bad("a script holds the whole session, not one value"));
        }
        let text = session.script();
        write(&path, text.as_bytes())?;
        return done(&path, "the session");
    }
    let value = match request.expression(session, expression)? {
        Some(tree) => session.evaluate(Some(&tree), request.source())?,
        None => session.last(),
    };
    let text = match extension {
        "json" => format!("{:#}\n", to_json(&value)?),
        "jsonl" | "ndjson" => lines(&value)?,
        "csv" => csv(&value)?,
        _ => format!("{}\n", to_text(&value)),
    };
    write(&path, text.as_bytes())?;
    let what = match expression {
        "" => "the last result",
        expression => expression,
    };
    done(&path, what)
}

/// The first word, or what stands in quotation marks, and the rest.
fn first_word(text: &str) -> (&str, &str) {
    let mark = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = match mark {
        Some(mark) => text[1..].find(mark).map_or(text.len(), |i| i + 2),
        None => text.find(char::is_whitespace).unwrap_or(text.len()),
    };
    (&text[..end], text[end..].trim())
}

fn done(path: &Path, what: &str) -> Outcome<Shown> {
    let mut page = Page::new();
    page.line(format!("wrote {what} to {}", path.display()));
    Ok(Shown::Page(page, None))
}

/// Replaces the file as a whole, so that an interrupted write leaves the old one.
fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let failed = |error: &dyn std::fmt::Display| -> Fault {
        let message = format!("{} cannot be written: {error}", path.display());
        Diagnostic::new(Code::CannotWrite, message)
    };
    // What a link points to is replaced, not the link.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A new file is open to whom the user's mask says; an old one stays as it was.
    let usual = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new()
        .permissions(usual)
        .tempfile_in(folder)
        .map_err(|e| failed(&e))?;
    if let Ok(old) = std::fs::metadata(path) {
        let kept = file.as_file().set_permissions(old.permissions());
        kept.map_err(|e| failed(&e))?;
    }
    file.write_all(bytes).map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(())
}

/// One line of JSON for every element, or for the value.
fn lines(value: &Value) -> Outcome<String> {
    let items = match value {
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        other => vec![other.clone()],
    };
    let mut text = String::new();
    for item in items {
        text.push_str(&to_json(&item)?.to_string());
        text.push('\n');
    }
    Ok(text)
}

/// A list of maps as CSV with a line of names.
fn csv(value: &Value) -> Outcome<String> {
    let maps = match value {
        Value::List(list) => list.items(),
        Value::Map(_) => vec![value.clone()],
        _ => Vec::new(),
    };
    let mut names: IndexSet<SmolStr> = IndexSet::new();
    let mut rows = Vec::new();
    for item in &maps {
        let Value::Map(map) = item else {
            return Err(bad("only maps have columns"));
        };
        map.with(|entries| names.extend(entries.keys().map(to_text)));
        rows.push(map);
    }
    if names.is_empty() {
        return Err(bad("a .csv file holds a list of maps, and this is none"));
    }
    let header: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let mut text = csv_line(&header);
    for map in rows {
        let cells = names.iter().map(|name| match map.get_text(name) {
            None | Some(Value::Null) => String::new(),
            Some(value) => to_text(&value).to_string(),
        });
        text.push_str(&csv_line(&cells.collect::<Vec<_>>()));
    }
    Ok(text)
}

/// One line of CSV, with its line break; cells are quoted where they must be (RFC 4180).
pub fn csv_line(cells: &[String]) -> String {
    let quoted: Vec<String> = cells
        .iter()
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        })
        .collect();
    format!("{}\n", quoted.join(","))
}
