//! Tables drawn with lines, as Metron's shell draws them.

use super::spec::{Family, FunctionSpec, Kind, SPEC, example, optional};
use crate::diagnostic::Outcome;
use crate::eval::text::{check_length, to_text};
use crate::eval::{Call, Value};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[FunctionSpec {
    name: "SHELL_MAP2TABLE",
    family: Family::Shell,
    summary: "Draws a map as a table of its keys and values.",
    parameters: &[optional(
        "map",
        Kind::Map,
        "the map; null gives an empty table",
    )],
    returns: "the table as text, ending with a line break; null without an argument",
    errors: &["the argument is no map", "a key or a value is null"],
    examples: &[
        example(
            "SHELL_MAP2TABLE({})",
            "╔═════╤═══════╗\n║ KEY │ VALUE ║\n╠═════╧═══════╣\n║ (empty)     ║\n╚═════════════╝\n",
        ),
        example("SHELL_MAP2TABLE()", "null"),
    ],
    words: &["print", "box"],
    run: map_to_table,
    ..SPEC
}];

fn map_to_table(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.count() == 0 {
        return Ok(Value::Null);
    }
    let rows = match call.arg(0) {
        Value::Null => Vec::new(),
        Value::Map(map) => map.entries(),
        _ => return Err(call.wrong_type(0, "a map")),
    };
    let mut cells = Vec::with_capacity(rows.len());
    for (key, value) in &rows {
        if key.is_null() || value.is_null() {
            return Err(call.wrong_value(0, "the map holds a null, which has no place in a table"));
        }
        cells.push(vec![to_text(key).to_string(), to_text(value).to_string()]);
    }
    draw_within(&["KEY", "VALUE"], &cells, call.context().limits.string).map(Value::string)
}

/// A table as [`draw`] gives it. Errors: E0303 for one longer than `longest`, before it is drawn.
pub fn draw_within(columns: &[&str], rows: &[Vec<String>], longest: usize) -> Outcome<String> {
    let wide = |text: &str| text.lines().map(str::len).max().unwrap_or(0);
    let width: usize = (columns.iter().enumerate())
        .map(|(i, column)| {
            let cells = rows.iter().filter_map(|row| row.get(i));
            cells.map(|cell| wide(cell)).fold(wide(column), usize::max) + 3
        })
        .sum();
    let height = |row: &Vec<String>| row.iter().map(|cell| cell.lines().count()).max();
    let lines: usize = rows.iter().map(|row| height(row).unwrap_or(1) + 1).sum();
    // One wide cell makes every line wide.
    check_length(width.saturating_mul(lines), longest)?;
    let table = draw(columns, rows);
    check_length(table.len(), longest)?;
    Ok(table)
}

/// A table with these columns; cells may have several lines. It ends with a line break.
pub fn draw(columns: &[&str], rows: &[Vec<String>]) -> String {
    let width = |text: &str| {
        text.lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0)
    };
    let mut widths: Vec<usize> = columns.iter().map(|column| width(column)).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    if rows.is_empty() {
        // The word stands over all columns.
        let inner: usize = widths.iter().sum::<usize>() + 3 * widths.len().saturating_sub(1);
        if let Some(last) = widths.last_mut() {
            *last += "(empty)".len().saturating_sub(inner);
        }
    }
    let rule = |left: char, line: char, cross: char, right: char| {
        let parts: Vec<String> = widths
            .iter()
            .map(|w| line.to_string().repeat(w + 2))
            .collect();
        format!("{left}{}{right}\n", parts.join(&cross.to_string()))
    };
    let mut text = rule('╔', '═', '╤', '╗');
    let header: Vec<String> = columns.iter().map(|column| column.to_string()).collect();
    push_row(&mut text, &widths, &header);
    if rows.is_empty() {
        text.push_str(&rule('╠', '═', '╧', '╣'));
        let inner = widths.iter().sum::<usize>() + 3 * widths.len().saturating_sub(1);
        push_row(&mut text, &[inner], &["(empty)".to_string()]);
        text.push_str(&rule('╚', '═', '═', '╝'));
        return text;
    }
    for (i, row) in rows.iter().enumerate() {
        text.push_str(&if i == 0 {
            rule('╠', '═', '╪', '╣')
        } else {
            rule('╟', '─', '┼', '╢')
        });
        push_row(&mut text, &widths, row);
    }
    text.push_str(&rule('╚', '═', '╧', '╝'));
    text
}

fn push_row(text: &mut String, widths: &[usize], row: &[String]) {
    let height = row
        .iter()
        .map(|cell| cell.lines().count())
        .max()
        .unwrap_or(1)
        .max(1);
    let mut parts: Vec<_> = row.iter().map(|cell| cell.lines()).collect();
    for _ in 0..height {
        let cells: Vec<String> = widths
            .iter()
            .zip(&mut parts)
            .map(|(width, parts)| {
                let part = parts.next().unwrap_or("");
                format!(
                    " {part}{} ",
                    " ".repeat(width.saturating_sub(part.chars().count()))
                )
            })
            .collect();
        text.push('║');
        text.push_str(&cells.join("│"));
        text.push_str("║\n");
    }
}
