//! Results as front ends show them: text, and a table, a page or a picture where these say more.

mod table;

use crate::diagnostic::{Outcome, escaped};
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::shell::{Look, Shown, picture_of};
use jupyter_protocol::{Media, MediaType};

/// A result in all forms that it has; `None` when there is nothing to show. Errors: a value too large or too deep.
pub fn bundle(shown: &Shown, look: Look, zone: &Zone) -> Outcome<Option<Media>> {
    let Some(text) = shown.print_as(look)? else {
        return Ok(None);
    };
    let mut forms = vec![MediaType::Plain(text)];
    match shown {
        Shown::Page(page, value) => {
            let of_value = || picture_of(value.as_ref()?, zone);
            match page.picture().cloned().or_else(of_value) {
                Some(picture) => forms.push(MediaType::Svg(picture.svg())),
                None => forms.push(MediaType::Html(page.html())),
            }
        }
        Shown::Value(value) => forms.extend(of_value(value, table::Cut::Read, zone)),
        Shown::Whole(value) => forms.extend(of_value(value, table::Cut::None, zone)),
        Shown::Done(_) | Shown::Several(..) | Shown::Quit => {}
    }
    Ok(Some(Media::new(forms)))
}

/// A value as HTML or as a picture, where its text does not say all.
fn of_value(value: &Value, cut: table::Cut, zone: &Zone) -> Option<MediaType> {
    if let Some(picture) = picture_of(value, zone) {
        return Some(MediaType::Svg(picture.svg()));
    }
    table::of(value, cut).map(MediaType::Html)
}

/// A text in a cell of a table: no markup, nothing that turns the direction of writing.
fn shown(text: &str) -> String {
    escaped(&crate::diagnostic::visible(text))
}
