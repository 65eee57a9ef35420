//! Results as front ends show them: text, and a table, a page or a picture where these say more.

mod table;

use crate::diagnostic::{Outcome, escaped};
use crate::eval::Value;
use crate::profile::plot::{Figure, svg};
use crate::shell::{Look, Shown};
use jupyter_protocol::{Media, MediaType};

/// A result in all forms that it has; `None` when there is nothing to show. Errors: a value too large or too deep.
pub fn bundle(shown: &Shown, look: Look) -> Outcome<Option<Media>> {
    let Some(text) = shown.print_as(look)? else {
        return Ok(None);
    };
    let mut forms = vec![MediaType::Plain(text)];
    match shown {
        Shown::Page(page, value) => match value.as_ref().and_then(picture) {
            Some(picture) => forms.push(MediaType::Svg(picture)),
            None => forms.push(MediaType::Html(page.html())),
        },
        Shown::Value(value) => forms.extend(of_value(value, table::Cut::Read)),
        Shown::Whole(value) => forms.extend(of_value(value, table::Cut::None)),
        Shown::Done(_) | Shown::Several(..) | Shown::Quit => {}
    }
    Ok(Some(Media::new(forms)))
}

/// A value as HTML or as a picture, where its text does not say all.
fn of_value(value: &Value, cut: table::Cut) -> Option<MediaType> {
    if let Some(picture) = picture(value) {
        return Some(MediaType::Svg(picture));
    }
    table::of(value, cut).map(MediaType::Html)
}

/// The picture that a value is.
fn picture(value: &Value) -> Option<String> {
    let Value::Object(object) = value else {
        return None;
    };
    let figure = object.as_any().downcast_ref::<Figure>()?;
    Some(figure.svg(svg::Size::default()))
}

/// A text in a cell of a table: no markup, nothing that turns the direction of writing.
fn shown(text: &str) -> String {
    escaped(&crate::diagnostic::visible(text))
}
