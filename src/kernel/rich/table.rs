//! Lists of maps, maps and lists as tables in HTML: text that can be copied and sorted elsewhere, no scripts.

use super::shown;
use crate::drawing::scale::in_words;
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::text::{beginning, to_text};
use crate::shell::{Columns, rows_of};
use std::fmt::Write as _;

/// How many rows are shown to be read.
const ROWS: usize = 100;
/// How many columns are shown to be read.
const COLUMNS: usize = 30;
/// How many characters of a cell are shown to be read.
const CELL: usize = 300;
/// How many characters of a cell are shown when all is wanted.
const WHOLE_CELL: usize = 100_000;
/// A cell of more bytes has some lines, and the rest of it is reached by scrolling.
const LINES: usize = 80;
/// How many cells are shown however much is wanted: a browser has to hold them.
const CELLS: usize = 200_000;
/// A table ends behind the row with which it has so many bytes.
const BYTES: usize = 8 << 20;

/// How much of a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// What somebody reads.
    Read,
    /// All of it, as far as a browser bears it.
    None,
}

/// A table of a list of maps, or of a map; `None` for other values.
pub fn of(value: &Value, cut: Cut) -> Option<String> {
    if let Some(rows) = rows_of(value) {
        return Some(of_rows(&rows, cut));
    }
    match value {
        Value::Map(map) if map.len() > 1 => Some(of_map(map, cut)),
        _ => None,
    }
}

fn of_rows(rows: &[Map], cut: Cut) -> String {
    let columns = Columns::of(rows);
    let across = match cut {
        Cut::Read => columns.len().min(COLUMNS),
        Cut::None => columns.len(),
    };
    let most = match cut {
        Cut::Read => ROWS,
        Cut::None => (CELLS / across.max(1)).max(1),
    };
    let mut html = String::from("<table>\n<thead><tr>");
    let sides = sides_of(rows, &columns);
    for (name, side) in columns.names().zip(&sides).take(across) {
        let _ = write!(html, "<th style=\"text-align:{side}\">{}</th>", shown(name));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    let mut down = 0;
    for row in rows.iter().take(most) {
        if html.len() > BYTES {
            break;
        }
        down += 1;
        html.push_str("<tr>");
        for (value, side) in columns.cells(row).iter().zip(&sides).take(across) {
            cell(&mut html, value.as_ref(), side, cut);
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
    let mut parts = Vec::new();
    if down < rows.len() {
        parts.push(format!("{down} of {} rows", rows.len()));
    } else {
        parts.push(counted(rows.len(), "row"));
    }
    if across < columns.len() {
        parts.push(format!("{across} of {} columns", columns.len()));
    }
    if down < rows.len() || across < columns.len() {
        parts.push(rest(cut).to_string());
    }
    let _ = writeln!(html, "<p><small>{}</small></p>", parts.join("; "));
    html
}

fn of_map(map: &Map, cut: Cut) -> String {
    let most = match cut {
        Cut::Read => ROWS,
        Cut::None => CELLS / 2,
    };
    let mut html = String::from("<table>\n<tbody>\n");
    let entries = map.entries();
    let all = entries.len();
    let mut down = 0;
    for (key, value) in entries.into_iter().take(most) {
        if html.len() > BYTES {
            break;
        }
        down += 1;
        let (key, more) = start_of(&key, cut);
        let _ = write!(html, "<tr><th>{key}{more}</th>");
        cell(&mut html, Some(&value), side_of(&value), cut);
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
    if down < all {
        let rest = rest(cut);
        let _ = writeln!(
            html,
            "<p><small>{down} of {all} entries; {rest}</small></p>"
        );
    }
    html
}

/// Figures by name, across.
pub fn of_figures(figures: &[(&str, f64)]) -> String {
    let mut html = String::from("<table>\n<thead><tr>");
    for (name, _) in figures {
        let _ = write!(html, "<th style=\"text-align:right\">{name}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n<tr>");
    for (_, figure) in figures {
        let text = match figure.is_finite() {
            true => in_words(*figure),
            false => to_text(&Value::Double(*figure)).to_string(),
        };
        let _ = write!(html, "<td style=\"text-align:right\">{}</td>", shown(&text));
    }
    html.push_str("</tr>\n</tbody>\n</table>\n");
    html
}

/// Where the rest is.
fn rest(cut: Cut) -> &'static str {
    match cut {
        Cut::Read => "%last shows all",
        Cut::None => "%save FILE writes all",
    }
}

/// "1 row", "2 rows".
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// At which side of its cell a value stands.
fn side_of(value: &Value) -> &'static str {
    match value.is_number() {
        true => "right",
        false => "left",
    }
}

/// At which side the names of columns and missing values stand: where the first value of the column stands.
fn sides_of(rows: &[Map], columns: &Columns) -> Vec<&'static str> {
    let mut sides = vec![None; columns.len()];
    for row in rows.iter().take(ROWS) {
        for (side, value) in sides.iter_mut().zip(columns.cells(row)) {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                side.get_or_insert(side_of(&value));
            }
        }
    }
    let known = sides.into_iter().map(|side| side.unwrap_or("left"));
    known.collect()
}

fn cell(html: &mut String, value: Option<&Value>, side: &str, cut: Cut) {
    let Some(value) = value else {
        html.push_str("<td></td>");
        return;
    };
    let (text, more) = start_of(value, cut);
    let _ = match value {
        Value::Null => write!(html, "<td style=\"text-align:{side}\"><em>null</em></td>"),
        value if value.is_number() => {
            write!(html, "<td style=\"text-align:right\">{text}</td>")
        }
        // Much text is no tower of words that parts the rows.
        _ if text.len() > LINES => write!(
            html,
            "<td style=\"text-align:left;min-width:16em\">\
             <div style=\"max-height:5lh;overflow:auto\">{text}{more}</div></td>"
        ),
        _ => write!(html, "<td style=\"text-align:left\">{text}{more}</td>"),
    };
}

/// What is shown of a value's text, and the mark of what is left out.
fn start_of(value: &Value, cut: Cut) -> (String, &'static str) {
    let most = match cut {
        Cut::Read => CELL,
        Cut::None => WHOLE_CELL,
    };
    let (text, whole) = beginning(value, 4 * most);
    match text.char_indices().nth(most) {
        Some((end, _)) => (shown(&text[..end]), "…"),
        None if whole => (shown(&text), ""),
        None => (shown(&text), "…"),
    }
}
