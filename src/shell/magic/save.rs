//! `%save`: values and sessions to files.

use super::plot::theme;
use super::{Request, bad, first_word};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Page, Size, nearest};
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::eval::text::to_text;
use crate::input::{csv_line, no_file, replace};
use crate::shell::events::path_of;
use crate::shell::picture_of;
use crate::shell::session::{Session, Shown};
use crate::shell::table::Columns;
use std::path::Path;

pub(super) fn save(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let (first, rest) = first_word(request.rest);
    let force = first == "-f";
    let (name, expression) = match force {
        true => first_word(rest.trim_start()),
        false => (first, rest),
    };
    let expression = expression.trim_start();
    if name.is_empty() {
        return Err(bad("%save lacks a file"));
    }
    let path = path_of(name);
    if let Ok(there) = std::fs::metadata(&path)
        && let Some(what) = no_file(&there)
    {
        let message = format!("{} is {what}", path.display());
        return Err(Diagnostic::new(Code::CannotWrite, message));
    }
    if !force && path.exists() {
        return Err(bad(format!("{} exists already", path.display()))
            .help(format!("replace it with %save -f {name}")));
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let (size, expression) = match extension {
        "svg" => sized(expression)?,
        _ => (Size::default(), expression),
    };
    if extension == "stellar" {
        if !expression.is_empty() {
            return Err(bad("a script holds the whole session, not one value"));
        }
        let text = session.script();
        replace(&path, text.as_bytes())?;
        return done(&path, "the session");
    }
    if extension == "svg" && expression.is_empty() {
        let picture = session.last_picture();
        let svg = picture
            .ok_or_else(|| no_picture(&session.last()))?
            .svg(size);
        replace(&path, svg.as_bytes())?;
        return done(&path, "the last picture");
    }
    let value = match request.expression(session, expression)? {
        Some(tree) => session.evaluate(Some(&tree), request.source())?,
        None => session.last(),
    };
    let text = match extension {
        "svg" => {
            let picture = picture_of(&value, &session.engine().context.zone);
            picture.ok_or_else(|| no_picture(&value))?.svg(size)
        }
        "json" => format!("{:#}\n", to_json(&value)?),
        "jsonl" | "ndjson" => lines(&value)?,
        "csv" => csv(&value)?,
        _ => format!("{}\n", to_text(&value)),
    };
    replace(&path, text.as_bytes())?;
    let what = match expression {
        "" => "the last result",
        expression => expression,
    };
    match text.is_empty() {
        true => done(&path, &format!("{what}, which has no rows,")),
        false => done(&path, what),
    }
}

/// The size and the colours of a picture, as options before the expression say them. Errors: E0116.
fn sized(mut text: &str) -> Outcome<(Size, &str)> {
    let mut size = Size::default();
    while text.starts_with("--") {
        let (word, behind) = first_word(text);
        let (name, value, behind) = match word.split_once('=') {
            Some((name, value)) => (name, value, behind),
            None => {
                let (value, behind) = first_word(behind.trim_start());
                (word, value, behind)
            }
        };
        let number = || {
            value
                .parse::<usize>()
                .map_err(|_| bad(format!("behind {name} stands a number, not {value}")))
        };
        match name {
            "--width" | "--height" | "--theme" if value.is_empty() => {
                return Err(bad(format!("{name} lacks its value")));
            }
            "--width" => size.width = number()?,
            "--height" => size.height = Some(number()?),
            "--theme" => size.theme = theme(value)?,
            _ => {
                let names = ["--width", "--height", "--theme"];
                let near = nearest(name, names);
                return Err(bad(format!("%save has no option {name}")).did_you_mean(near));
            }
        }
        text = behind.trim_start();
    }
    Ok((size, text))
}

/// The error for a value that has no picture.
fn no_picture(value: &Value) -> Fault {
    let message = format!(
        "an .svg file holds a picture, and this is {}",
        value.kind_in_words()
    );
    bad(message).help("%plot, %window, %explain and %cost draw; p := %plot … keeps a picture")
}

fn done(path: &Path, what: &str) -> Outcome<Shown> {
    let mut page = Page::new();
    page.line(format!("wrote {what} to {}", path.display()));
    Ok(Shown::Page(page, None))
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

/// A list of maps as CSV with a line of names; a list without rows has no names and is an empty file.
fn csv(value: &Value) -> Outcome<String> {
    let items = match value {
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        other => vec![other.clone()],
    };
    let mut maps = Vec::with_capacity(items.len());
    for item in items {
        let Value::Map(map) = item else {
            let message = format!("a .csv file holds maps, and this is {}", item.type_name());
            return Err(bad(message).help("each map is a row: {'name' : value}"));
        };
        maps.push(map);
    }
    let columns = Columns::of(&maps);
    if columns.is_empty() && !maps.is_empty() {
        return Err(bad(
            "a .csv file needs columns, and these maps have no keys",
        ));
    }
    if maps.is_empty() {
        return Ok(String::new());
    }
    let names: Vec<String> = columns.names().map(|name| name.to_string()).collect();
    let mut text = csv_line(&names);
    for map in &maps {
        let cells = columns.cells(map).into_iter().map(|cell| match cell {
            None | Some(Value::Null) => String::new(),
            Some(value) => to_text(&value).to_string(),
        });
        text.push_str(&csv_line(&cells.collect::<Vec<_>>()));
    }
    Ok(text)
}
