//! Values as pictures, where a picture says more than their text.

use crate::diagnostic::Picture;
use crate::drawing::Size;
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::profile::plot::{Figure, periods};

/// The picture of a value, with times by the clocks of a zone; `None` where its text says all.
pub fn picture_of(value: &Value, zone: &Zone) -> Option<Picture> {
    if let Some(figure) = value.as_object::<Figure>() {
        let figure = figure.clone();
        return Some(Picture::new(move || figure.svg(Size::default())));
    }
    let drawn = periods::drawn(value, zone)?;
    Some(Picture::new(move || drawn.svg(Size::default())))
}
