//! Date patterns, parsing and calendar fields with the behaviour of Java 17's
//! `SimpleDateFormat` and `GregorianCalendar`.
//!
//! The calendar is the hybrid one: Julian before 1582-10-15, Gregorian from
//! that day on.  Instants are `i64` milliseconds since 1970-01-01T00:00:00Z;
//! every value of the type is accepted and nothing here panics.
//!
//! Known differences from Java 17: names of months and days in other languages
//! than English and zone names in other locales than `en_US` are the American
//! ones; `Africa/Windhoek`, `Asia/Gaza` and `Asia/Hebron` after 2036 follow the
//! time zone database, not the rules Java makes up for them; and offsets come
//! from the database release of `chrono-tz`, which may be newer than Java's.

mod calendar;
mod locale;
mod names;
mod number;
mod parse;
mod pattern;
mod print;
mod resolve;
mod transitions;
mod zone;
mod zone_names;

pub use calendar::{DateFields, Style, civil, first_of_month};
pub use locale::Locale;
pub use names::{MONTHS, WEEKDAYS};
pub use parse::ParseContext;
pub use pattern::{Pattern, PatternError};
pub use zone::Zone;

#[cfg(test)]
mod tests;
