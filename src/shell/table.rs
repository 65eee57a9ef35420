//! Tables: maps under common columns, and the one drawer of all tables.

use crate::diagnostic::visible;
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::text::to_text;
use ahash::AHashSet;
use comfy_table::{Attribute, Cell, ContentArrangement, Row, Table};
use indexmap::IndexMap;
use smol_str::SmolStr;

/// The columns that maps have in common: one for every text that keys are printed as. Of two keys of one map that
/// are printed alike, such as `1` and `'1'`, the second has a column of its own.
pub struct Columns(IndexMap<(SmolStr, usize), SmolStr>);

impl Columns {
    /// The columns of all these maps, in the order in which their keys come.
    pub fn of(maps: &[Map]) -> Columns {
        let mut columns = IndexMap::new();
        for map in maps {
            each_key(map, |key, _| {
                columns.entry(key).or_insert_with(SmolStr::default);
            });
        }
        // Texts as they are go first: a key may be called like what a second one would be.
        let mut taken: AHashSet<SmolStr> = AHashSet::new();
        for ((text, before), name) in &mut columns {
            if *before == 0 {
                *name = text.clone();
                taken.insert(text.clone());
            }
        }
        for ((text, before), name) in &mut columns {
            if *before > 0 {
                let mut numbered = (*before + 1..).map(|n| SmolStr::from(format!("{text}_{n}")));
                *name = numbered
                    .find(|name| taken.insert(name.clone()))
                    .unwrap_or_default();
            }
        }
        Columns(columns)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &SmolStr> {
        self.0.values()
    }

    /// The values of a map in the order of the columns; `None` where it lacks the key.
    pub fn cells(&self, map: &Map) -> Vec<Option<Value>> {
        let mut cells = vec![None; self.len()];
        each_key(map, |key, value| {
            let place = self.0.get_index_of(&key);
            if let Some(cell) = place.and_then(|at| cells.get_mut(at)) {
                *cell = Some(value.clone());
            }
        });
        cells
    }
}

/// Calls `take` with every key's text, how many keys before it are printed alike, and its value.
fn each_key(map: &Map, mut take: impl FnMut((SmolStr, usize), &Value)) {
    map.with(|entries| {
        // Different texts are never printed alike.
        if entries.keys().all(|key| matches!(key, Value::Text(_))) {
            for (key, value) in entries {
                take((to_text(key), 0), value);
            }
            return;
        }
        let mut seen: IndexMap<SmolStr, usize> = IndexMap::new();
        for (key, value) in entries {
            let text = to_text(key);
            let before = seen.entry(text.clone()).or_default();
            take((text, *before), value);
            *before += 1;
        }
    });
}

/// How a table is fitted into a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Every cell on one line, however long.
    Whole,
    /// Cells go on over several lines where they are too long for so many columns.
    Wrap(usize),
    /// Cells are cut to one line of so many columns.
    Cut(usize),
}

/// A text as a cell: one line that cannot steer a terminal, no longer than can be seen.
pub fn cell(text: &str, fit: Fit) -> Cell {
    let seen = match fit {
        Fit::Cut(width) => text.char_indices().nth(width + 1).map(|(end, _)| end),
        _ => None,
    };
    let text = &text[..seen.unwrap_or(text.len())];
    Cell::new(visible(&text.replace(['\n', '\r', '\t'], " ")))
}

/// Draws a table with a line of names.
pub fn draw<'a>(
    names: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = Vec<Cell>>,
    fit: Fit,
) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    if colored::control::SHOULD_COLORIZE.should_colorize() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    match fit {
        Fit::Whole => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        Fit::Wrap(width) | Fit::Cut(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
            table.set_truncation_indicator("…");
        }
    }
    let row = |cells: Vec<Cell>| {
        let mut row = Row::from(cells);
        if matches!(fit, Fit::Cut(_)) {
            row.max_height(1);
        }
        row
    };
    let bold = |name| cell(name, fit).add_attribute(Attribute::Bold);
    table.set_header(row(names.into_iter().map(bold).collect()));
    for cells in rows {
        table.add_row(row(cells));
    }
    table.to_string()
}
