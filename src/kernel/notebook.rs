//! Notebooks as files, and as scripts for `stellar run`: cells are parted by lines `# %%`, as editors know them.

use super::languages::is_other;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::syntax::is_incomplete;
use serde_json::{Value as Json, json};

/// The line before a cell of code.
const CODE: &str = "# %%";
/// The line before a cell of text.
const TEXT: &str = "# %% [markdown]";
/// The line before a cell that a script cannot run.
const OTHER: &str = "# %% [cell]";

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Statements, or another language behind `%%`.
    Code,
    /// Markdown.
    Text,
}

/// A cell without what it has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What it holds.
    pub kind: Kind,
    /// Its text.
    pub text: String,
}

fn bad(message: impl Into<String>) -> Fault {
    Diagnostic::new(Code::BadLine, message)
}

/// The cells of a notebook (nbformat 4). Errors: E0401 for what is no notebook, or one of another language.
pub fn read(text: &str) -> Outcome<Vec<Cell>> {
    let notebook: Json =
        serde_json::from_str(text).map_err(|error| bad(format!("it is no notebook: {error}")))?;
    if notebook.get("nbformat").and_then(Json::as_i64) != Some(4) {
        return Err(bad("it is no notebook in the fourth format")
            .help("jupyter nbconvert --to notebook --nbformat 4 makes one of older ones"));
    }
    let spec = notebook.pointer("/metadata/kernelspec/language");
    let language = spec.or_else(|| notebook.pointer("/metadata/language_info/name"));
    if let Some(other) = language
        .and_then(Json::as_str)
        .filter(|name| *name != "stellar")
    {
        return Err(bad(format!("its cells are written in {other}")));
    }
    let cells = notebook.get("cells").and_then(Json::as_array);
    let cells = cells.ok_or_else(|| bad("the notebook has no list of cells"))?;
    let cell = |(index, cell): (usize, &Json)| {
        let wrong = |what: &str| bad(format!("cell {} {what}", index + 1));
        let text = match cell.get("source") {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Array(lines)) => {
                let lines: Option<Vec<&str>> = lines.iter().map(Json::as_str).collect();
                lines
                    .ok_or_else(|| wrong("has lines that are no text"))?
                    .concat()
            }
            _ => return Err(wrong("has no source")),
        };
        match cell.get("cell_type").and_then(Json::as_str) {
            Some("code") => Ok(Some(Cell {
                kind: Kind::Code,
                text,
            })),
            Some("markdown") => Ok(Some(Cell {
                kind: Kind::Text,
                text,
            })),
            // What is raw is meant for other converters.
            Some("raw") => Ok(None),
            _ => Err(wrong("is of no known type")),
        }
    };
    let cells: Outcome<Vec<Option<Cell>>> = cells.iter().enumerate().map(cell).collect();
    Ok(cells?.into_iter().flatten().collect())
}

/// A notebook of cells that have shown nothing yet.
pub fn write(cells: &[Cell]) -> String {
    let cells = cells.iter().enumerate().map(|(index, cell)| {
        let lines: Vec<&str> = cell.text.split_inclusive('\n').collect();
        let id = format!("cell-{}", index + 1);
        match cell.kind {
            Kind::Code => json!({
                "cell_type": "code", "id": id, "metadata": {}, "source": lines,
                "execution_count": null, "outputs": [],
            }),
            Kind::Text => {
                json!({"cell_type": "markdown", "id": id, "metadata": {}, "source": lines})
            }
        }
    });
    let notebook = json!({
        "cells": cells.collect::<Vec<Json>>(),
        "metadata": {
            "kernelspec": {"display_name": "Stellar", "language": "stellar", "name": super::NAME},
            "language_info": {
                "codemirror_mode": "python",
                "file_extension": ".stellar",
                "mimetype": "text/x-stellar",
                "name": "stellar",
                "pygments_lexer": "python",
            },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    format!("{notebook:#}\n")
}

/// A script of cells. Text becomes comments; cells in other languages too, with their numbers in `left`: a script cannot
/// run them.
pub fn to_script(cells: &[Cell], left: &mut Vec<usize>) -> String {
    let mut script = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            script.push('\n');
        }
        let (mark, comment) = match cell.kind {
            Kind::Text => (TEXT, true),
            Kind::Code if is_other(&cell.text) => {
                left.push(index + 1);
                (OTHER, true)
            }
            Kind::Code => (CODE, false),
        };
        script.push_str(mark);
        script.push('\n');
        for line in cell.text.lines() {
            if comment {
                // Without the blank a line of a text is no mark.
                let marks = self::mark(&format!("# {line}")).is_some();
                script.push_str(if line.is_empty() || marks { "#" } else { "# " });
            }
            script.push_str(line);
            script.push('\n');
        }
    }
    script
}

/// The cells of a script: those between its marks, or without marks one for each part between empty lines, where parts
/// of comments alone become text.
pub fn of_script(script: &str) -> Vec<Cell> {
    let marked = script.lines().any(|line| mark(line).is_some());
    let mut cells = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    if !marked {
        for line in script.lines().chain([""]) {
            // An empty line inside of brackets ends nothing.
            if line.trim().is_empty() && !is_incomplete(&lines.join("\n")) {
                push(&mut cells, None, &lines);
                lines.clear();
            } else {
                lines.push(line);
            }
        }
        push(&mut cells, None, &lines);
        return cells;
    }
    let mut kind = None;
    for line in script.lines() {
        if let Some(next) = mark(line) {
            push(&mut cells, kind, &lines);
            lines.clear();
            kind = Some(next);
        } else {
            lines.push(line);
        }
    }
    push(&mut cells, kind, &lines);
    cells
}

/// What stands behind a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Code,
    Text,
    Other,
}

fn mark(line: &str) -> Option<Mark> {
    match line.trim_end() {
        TEXT => Some(Mark::Text),
        OTHER => Some(Mark::Other),
        CODE => Some(Mark::Code),
        _ => None,
    }
}

/// Adds a cell of these lines, without the empty ones around them, unless there are no others.
fn push(cells: &mut Vec<Cell>, mark: Option<Mark>, lines: &[&str]) {
    let blank = |line: &&str| line.trim().is_empty();
    let first = lines.iter().position(|line| !blank(line));
    let last = lines.iter().rposition(|line| !blank(line));
    let lines = match (first, last) {
        (Some(first), Some(last)) => &lines[first..=last],
        _ if mark.is_some() => &[][..],
        _ => return,
    };
    let comment = |line: &&str| line.starts_with('#');
    let text = mark == Some(Mark::Text) || (mark.is_none() && lines.iter().all(comment));
    let bare = |line: &&str| {
        let line = line.strip_prefix('#').unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line).to_string()
    };
    let joined = match text || mark == Some(Mark::Other) {
        true => lines.iter().map(bare).collect::<Vec<_>>().join("\n"),
        false => lines.join("\n"),
    };
    cells.push(Cell {
        kind: if text { Kind::Text } else { Kind::Code },
        text: joined,
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Cell {
        Cell {
            kind: Kind::Code,
            text: text.to_string(),
        }
    }

    fn words(text: &str) -> Cell {
        Cell {
            kind: Kind::Text,
            text: text.to_string(),
        }
    }

    #[test]
    fn a_notebook_becomes_a_script_and_one_again() {
        let cells = [
            words("# First steps\n\nAn *introduction*."),
            code("x := 1\n\ny := [\n\n  2]"),
            code("%%map logins.jsonl\nuser\n\nx"),
            code(""),
            words("# %%\n%%\n %% [cell]\n%% [markdown]"),
        ];
        let mut left = Vec::new();
        let script = to_script(&cells, &mut left);
        assert_eq!(left, [3]);
        assert_eq!(of_script(&script), cells);
        assert_eq!(read(&write(&cells)).unwrap(), cells);
    }

    #[test]
    fn a_script_without_marks_is_cut_at_empty_lines() {
        let script = "# What this is.\n# More.\n\nx := [\n\n 1]\n# half\ny := 2\n\n\n\nx\n";
        let cells = of_script(script);
        assert_eq!(
            cells,
            [
                words("What this is.\nMore."),
                code("x := [\n\n 1]\n# half\ny := 2"),
                code("x")
            ]
        );
    }

    #[test]
    fn what_is_no_notebook_is_told() {
        for (text, part) in [
            ("[]", "fourth format"),
            ("{", "no notebook"),
            (r#"{"nbformat": 3}"#, "fourth format"),
            (r#"{"nbformat": 4}"#, "no list of cells"),
            (r#"{"nbformat": 4, "cells": [{}]}"#, "cell 1 has no source"),
            (r#"{"nbformat": 4, "cells": [{"source": [1]}]}"#, "cell 1"),
            (
                r#"{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "python"}}}"#,
                "python",
            ),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(part), "{}", fault.message);
        }
    }

    proptest! {
        #[test]
        fn any_text_survives(texts in prop::collection::vec(("[ -~äπ\n#%]{0,40}", any::<bool>()), 0..6)) {
            let cells: Vec<Cell> = texts.iter().map(|(text, is_code)| {
                // Empty lines around a cell are not kept, and a mark ends one.
                let lines: Vec<&str> = text.lines().filter(|line| mark(line).is_none()).collect();
                let text = lines.join("\n");
                let first = text.len() - text.trim_start().len();
                let start = text[..first].rfind('\n').map_or(0, |i| i + 1);
                let body = &text[start..];
                let kept = body.trim_end();
                let end = body[kept.len()..].find('\n').map_or(body.len(), |i| kept.len() + i);
                let text = if kept.is_empty() { "" } else { &body[..end] };
                if *is_code { code(text) } else { words(text) }
            }).collect();
            let script = to_script(&cells, &mut Vec::new());
            prop_assert_eq!(of_script(&script), cells.clone());
            prop_assert_eq!(read(&write(&cells)).unwrap(), cells);
        }
    }
}
