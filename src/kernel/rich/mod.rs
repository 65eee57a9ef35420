//! Results as front ends show them: text, and a table, a page or a picture where these say more.

mod table;
#[cfg(test)]
mod tests;

use crate::diagnostic::{Outcome, Size, Theme, escaped, visible};
use crate::eval::Value;
use crate::eval::collections::List;
use crate::eval::java::date_format::Zone;
use crate::functions::statistics::Statistics;
use crate::shell::{Look, Mode, Shown, picture_of, rows_of};
use jupyter_protocol::{Media, MediaType};

pub use table::counted;

/// How many bytes of a text are sent however much is wanted: a browser has to hold them.
const TEXT: usize = 4 << 20;
/// A picture of more bytes is left out, and the text stands for it.
const PICTURE: usize = 16 << 20;
/// Beside the list of files, a front end in a window of 1280 pixels has room for a little more.
const SIZE: Size = Size {
    width: 840,
    height: None,
    theme: Theme::Auto,
};
/// How many rows are drawn as text however much is wanted.
const ROWS: usize = 10_000;

/// A result in all forms that it has; `None` when there is nothing to show. Errors: a value too large or too deep.
pub fn bundle(shown: &Shown, look: Look, zone: &Zone) -> Outcome<Option<Media>> {
    let Some(text) = text_of(shown, look)? else {
        return Ok(None);
    };
    let mut forms = Vec::new();
    match shown {
        // A page without a word says nothing.
        Shown::Page(_, None) if text.is_empty() => return Ok(None),
        Shown::Page(page, _) => {
            let picture = page.picture().map(|picture| picture.svg(SIZE));
            forms.push(match picture.filter(|picture| picture.len() <= PICTURE) {
                Some(picture) => MediaType::Svg(picture),
                None => MediaType::Html(match page.html() {
                    html if html.len() <= 2 * TEXT => html,
                    _ => format!("<pre>{}</pre>", escaped(&text)),
                }),
            });
        }
        // Who wants the text of Metron, or JSON, wants to read and copy that.
        Shown::Value(_) | Shown::Whole(_) if look.mode != Mode::Table => {}
        Shown::Value(value) => forms.extend(of_value(value, table::Cut::Read, zone)),
        Shown::Whole(value) => forms.extend(of_value(value, table::Cut::None, zone)),
        Shown::Done(_) | Shown::Several(..) | Shown::Quit => {}
    }
    forms.insert(0, MediaType::Plain(text));
    Ok(Some(Media::new(forms)))
}

/// What the shell prints, without the colours that it may have for a terminal, and no more than a browser holds.
fn text_of(shown: &Shown, look: Look) -> Outcome<Option<String>> {
    let text = match shown {
        Shown::Page(page, _) => Some(match look.window {
            Some((width, _)) => page.styled(width),
            None => visible(&page.plain()).into_owned(),
        }),
        Shown::Whole(value) => match rows_of(value) {
            Some(rows) if rows.len() > ROWS && look.mode == Mode::Table => {
                let all = rows.len();
                let first = rows.into_iter().take(ROWS).map(Value::Map).collect();
                let first = Shown::Whole(Value::List(List::array(first)));
                let note = format!("({ROWS} of {all} rows; %save FILE writes all)");
                let text = first.print_as(look)?;
                text.map(|text| format!("{text}\n{note}"))
            }
            _ => shown.print_as(look)?,
        },
        other => other.print_as(look)?,
    };
    Ok(text.map(within))
}

/// A text of at most [`TEXT`] bytes, which says so when there was more.
fn within(mut text: String) -> String {
    if text.len() <= TEXT {
        return text;
    }
    let all = text.len();
    let end = crate::diagnostic::floor(&text, TEXT);
    text.truncate(end);
    text.push_str(&format!("…\n({end} of {all} bytes; %save FILE writes all)"));
    text
}

/// A value as HTML or as a picture, where its text does not say all.
fn of_value(value: &Value, cut: table::Cut, zone: &Zone) -> Option<MediaType> {
    let picture = picture_of(value, zone).map(|picture| picture.svg(SIZE));
    let picture = picture.filter(|picture| picture.len() <= PICTURE);
    let table = match value.as_object::<Statistics>() {
        Some(statistics) => Some(table::of_figures(&statistics.by_name())),
        None => table::of(value, cut),
    };
    Some(match (picture, table) {
        (Some(picture), None) => MediaType::Svg(picture),
        (None, Some(table)) => MediaType::Html(table),
        // Front ends that trust no pictures in HTML show the table.
        (Some(picture), Some(table)) => MediaType::Html(format!(
            "<div style=\"max-width:100%;overflow-x:auto\">\n{picture}</div>\n{table}"
        )),
        (None, None) => return None,
    })
}

/// A text in a cell of a table: no markup, nothing that turns the direction of writing.
fn shown(text: &str) -> String {
    escaped(&visible(text))
}
