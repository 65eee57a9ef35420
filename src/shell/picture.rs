//! Values as pictures, where a picture says more than their text.

use crate::diagnostic::Picture;
use crate::drawing::Size;
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::event::timeline;
use crate::functions::statistics::Statistics;
use crate::profile::plot::{Figure, periods, values};

/// The picture of a value, with times by the clocks of a zone; `None` where its text says all.
pub fn picture_of(value: &Value, zone: &Zone) -> Option<Picture> {
    if let Some(figure) = value.as_object::<Figure>() {
        let figure = figure.clone();
        return Some(Picture::new(move || figure.svg(Size::default())));
    }
    if let Some(statistics) = value.as_object::<Statistics>() {
        let drawn = statistics.histogram()?;
        return Some(Picture::new(move || drawn.svg(Size::default())));
    }
    if let Some(drawn) = periods::drawn(value, zone) {
        return Some(Picture::new(move || drawn.svg(Size::default())));
    }
    if let Some(drawn) = timeline::of_value(value, zone) {
        return Some(Picture::new(move || drawn.svg(Size::default())));
    }
    let drawn = values::measured(value, zone)?;
    Some(Picture::new(move || drawn.svg(Size::default())))
}
