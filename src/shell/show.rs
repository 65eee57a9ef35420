//! How results look: as text, as JSON, lists of maps as tables cut to the window.

use super::table::{Columns, Fit, cell, draw};
use crate::diagnostic::{Outcome, Style, paint, visible};
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::json::to_json;
use crate::eval::text::to_text;
use comfy_table::{Attribute, Cell, CellAlignment};
use smol_str::SmolStr;
use unicode_width::UnicodeWidthStr;

/// How values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The text forms, as in Metron.
    Text,
    /// Lists of maps as tables, other values by their text.
    Table,
    /// JSON over several lines.
    Json,
}

impl Mode {
    /// The names of all modes.
    pub const NAMES: &[&str] = &["text", "table", "json"];

    /// The mode of a name.
    pub fn parse(name: &str) -> Option<Mode> {
        Some(match name {
            "text" => Mode::Text,
            "table" => Mode::Table,
            "json" => Mode::Json,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Text => "text",
            Mode::Table => "table",
            Mode::Json => "json",
        }
    }
}

/// Where values are shown, and how.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// How values are shown.
    pub mode: Mode,
    /// The columns and lines of the window; `None` when nothing is to be cut.
    pub window: Option<(usize, usize)>,
    /// Whether pictures may use ASCII only.
    pub ascii: bool,
}

impl Default for Look {
    fn default() -> Look {
        Look {
            mode: Mode::Text,
            window: None,
            ascii: false,
        }
    }
}

/// A text that fills more windows than this is cut.
const WINDOWS: usize = 2;

/// A text of fewer characters is never cut.
const SHORT: usize = 2_000;

/// The least width of a column that is worth showing.
const NARROW: usize = 6;

/// A value as it is shown, all of it: nothing is cut and no line is broken, so that it can be copied.
pub fn show_whole(value: &Value, look: Look) -> Outcome<Option<String>> {
    let whole = Look {
        window: None,
        ..look
    };
    let text = show(value, whole)?;
    let drawn = look.mode == Mode::Table && rows_of(value).is_some();
    Ok(match text {
        // The cells of a table are harmless already, and its colours must stay.
        Some(text) if look.window.is_some() && !drawn => Some(visible(&text).into_owned()),
        text => text,
    })
}

/// A value as it is shown; `None` for null, which prints nothing. Errors: a value too large or too deep for JSON.
pub fn show(value: &Value, look: Look) -> Outcome<Option<String>> {
    if value.is_null() {
        return Ok(None);
    }
    let text = match look.mode {
        Mode::Json => serde_json::to_string_pretty(&to_json(value)?).unwrap_or_default(),
        Mode::Table => match rows_of(value) {
            Some(rows) => {
                let rows = super::missing::marked(rows);
                return Ok(Some(table(&rows, look.window)));
            }
            None => match wide_map(value, look.window) {
                Some(map) => return Ok(Some(pairs(&map, look.window))),
                None => to_text(value).to_string(),
            },
        },
        Mode::Text => to_text(value).to_string(),
    };
    Ok(Some(match look.window {
        Some((width, height)) => {
            let most = (WINDOWS * width * height).max(SHORT);
            cut_text(visible(&text).into_owned(), most)
        }
        None => text,
    }))
}

fn cut_text(mut text: String, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text;
    };
    let all = text.chars().count();
    text.truncate(end);
    let note = format!("\n({most} of {all} characters; %last shows all)");
    text.push_str(&paint(Style::Quiet, &note).to_string());
    text
}

/// The maps of a list that holds nothing else, and at least one.
pub fn rows_of(value: &Value) -> Option<Vec<Map>> {
    let items = match value {
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        _ => return None,
    };
    let maps = items.into_iter().map(|item| match item {
        Value::Map(map) => Some(map),
        _ => None,
    });
    maps.collect::<Option<Vec<Map>>>()
        .filter(|maps| !maps.is_empty() && maps.iter().any(|map| !map.is_empty()))
}

/// A map whose text does not fit into a line of the window.
fn wide_map(value: &Value, window: Option<(usize, usize)>) -> Option<Map> {
    let (width, _) = window?;
    match value {
        Value::Map(map) if map.len() > 1 && to_text(value).width() > width => Some(map.clone()),
        _ => None,
    }
}

fn value_cell(value: Option<&Value>, fit: Fit) -> Cell {
    match value {
        None => Cell::new(""),
        Some(Value::Null) => Cell::new("null").add_attribute(Attribute::Dim),
        Some(value) if value.is_number() => {
            cell(&to_text(value), fit).set_alignment(CellAlignment::Right)
        }
        Some(value) => cell(&to_text(value), fit),
    }
}

fn fit(window: Option<(usize, usize)>) -> Fit {
    window.map_or(Fit::Whole, |(width, _)| Fit::Cut(width))
}

/// Maps as the rows of a table, cut to the window, with what was left out said below.
pub fn table(rows: &[Map], window: Option<(usize, usize)>) -> String {
    let names = Columns::of(rows);
    let columns = match window {
        Some((width, _)) => names.len().min(fitting(&names, width)),
        None => names.len(),
    };
    let shown = match window {
        // The prompt, the frame, the header and the note want their lines too.
        Some((_, height)) => rows.len().min(height.saturating_sub(6).max(10)),
        None => rows.len(),
    };
    let header = names.names().take(columns).map(SmolStr::as_str);
    let lines = rows.iter().take(shown).map(|map| {
        let cells = names.cells(map).into_iter().take(columns);
        cells.map(|c| value_cell(c.as_ref(), fit(window))).collect()
    });
    let mut text = draw(header, lines, fit(window));
    let cut = shown < rows.len() || columns < names.len();
    if cut || window.is_some() {
        let count = |shown: usize, all: usize, what: &str| {
            let s = if all == 1 { "" } else { "s" };
            if shown < all {
                format!("{shown} of {all} {what}{s}")
            } else {
                format!("{all} {what}{s}")
            }
        };
        let mut note = count(shown, rows.len(), "row");
        if columns < names.len() {
            note.push_str(&format!(", {}", count(columns, names.len(), "column")));
        }
        if cut {
            note.push_str("; %last shows all");
        }
        text.push('\n');
        text.push_str(&paint(Style::Quiet, &format!("({note})")).to_string());
    }
    text
}

/// How many columns have room for their names, or for some characters of their values.
fn fitting(names: &Columns, width: usize) -> usize {
    let mut taken = 1;
    let mut count = 0;
    for name in names.names() {
        taken += name.width().clamp(NARROW, 2 * NARROW) + 3;
        if taken > width {
            break;
        }
        count += 1;
    }
    count.max(1)
}

/// A map as a table of two columns.
fn pairs(map: &Map, window: Option<(usize, usize)>) -> String {
    let fit = fit(window);
    let rows = map.entries().into_iter().map(|(key, value)| {
        let value = match value {
            Value::Null => value_cell(Some(&Value::Null), fit),
            other => cell(&to_text(&other), fit),
        };
        vec![cell(&to_text(&key), fit), value]
    });
    draw(["key", "value"], rows, fit)
}
