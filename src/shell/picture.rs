//! Values as pictures, where a picture says more than their text.

use crate::diagnostic::{Picture, Room};
use crate::drawing::drawn::Drawn;
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::event::timeline;
use crate::functions::statistics::Statistics;
use crate::profile::plot::{Figure, periods, values};
use crate::shell::Look;

/// The picture of a value, with times by the clocks of a zone; `None` where its text says all.
pub fn picture_of(value: &Value, zone: &Zone) -> Option<Picture> {
    of_kind(value, None, zone).or_else(|| values::measured(value, zone).map(Picture::new))
}

/// The picture of a value that has one kind of picture only: one of another, statistics, periods, a timeline. Without a
/// title it has that of its kind.
pub fn of_kind(value: &Value, title: Option<&str>, zone: &Zone) -> Option<Picture> {
    if let Some(drawn) = value.as_object::<Drawn>() {
        return Some(drawn.0.clone());
    }
    if let Some(figure) = value.as_object::<Figure>() {
        return Some(Picture::new(figure.clone()));
    }
    if let Some(statistics) = value.as_object::<Statistics>() {
        let mut drawn = statistics.histogram()?;
        drawn.title = title.map_or(drawn.title, str::to_string);
        return Some(Picture::new(drawn));
    }
    if let Some(drawn) = periods::drawn(value, zone) {
        return Some(Picture::new(drawn));
    }
    let mut drawn = timeline::of_value(value, zone)?;
    drawn.title = title.map_or(drawn.title, str::to_string);
    Some(Picture::new(drawn))
}

/// The room for a picture where results look like this.
pub fn room(look: Look) -> Room {
    let usual = Room::default();
    Room {
        width: look.window.map_or(usual.width, |(width, _)| width),
        ascii: look.ascii,
        ..usual
    }
}
