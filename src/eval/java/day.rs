//! Days as numbers: days since 1970-01-01 in the Gregorian calendar.

use crate::eval::java::date_format::{Style, Zone, civil, first_of_month};

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;

/// The names of the days of the week; Monday is 0.
pub const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The number of a date; `month` is 1 to 12.
pub fn number(year: i64, month: u8, day: u8) -> i64 {
    first_of_month(Style::Gregorian, year, i64::from(month)) + i64::from(day) - 1
}

/// Year, month and day of the month.
pub fn date(day: i64) -> (i64, i64, i64) {
    civil(Style::Gregorian, day)
}

/// The day of the week; Monday is 0.
pub fn weekday(day: i64) -> u8 {
    (day + 3).rem_euclid(7) as u8
}

/// The local day that an instant in milliseconds belongs to.
pub fn local(millis: i64, zone: &Zone) -> i64 {
    wall(millis, zone).div_euclid(DAY)
}

/// What a clock in `zone` shows, as milliseconds since 1970 there.
pub fn wall(millis: i64, zone: &Zone) -> i64 {
    millis.saturating_add(i64::from(zone.offset_millis(millis)))
}
