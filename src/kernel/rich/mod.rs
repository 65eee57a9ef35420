//! Results as front ends show them: text, and a table, a page or a picture where these say more.

mod table;

use crate::diagnostic::{Outcome, escaped};
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::functions::statistics::Statistics;
use crate::shell::{Look, Shown, picture_of};
use jupyter_protocol::{Media, MediaType};

/// A result in all forms that it has; `None` when there is nothing to show. Errors: a value too large or too deep.
pub fn bundle(shown: &Shown, look: Look, zone: &Zone) -> Outcome<Option<Media>> {
    let Some(text) = shown.print_as(look)? else {
        return Ok(None);
    };
    let mut forms = vec![MediaType::Plain(text)];
    match shown {
        Shown::Page(page, _) => forms.push(match page.picture() {
            Some(picture) => MediaType::Svg(picture.svg()),
            None => MediaType::Html(page.html()),
        }),
        Shown::Value(value) => forms.extend(of_value(value, table::Cut::Read, zone)),
        Shown::Whole(value) => forms.extend(of_value(value, table::Cut::None, zone)),
        Shown::Done(_) | Shown::Several(..) | Shown::Quit => {}
    }
    Ok(Some(Media::new(forms)))
}

/// A value as HTML or as a picture, where its text does not say all.
fn of_value(value: &Value, cut: table::Cut, zone: &Zone) -> Option<MediaType> {
    let picture = picture_of(value, zone).map(|picture| picture.svg());
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
    escaped(&crate::diagnostic::visible(text))
}
