//! `%t` and `%T`: dates and times.

use super::error::FormatError;
use super::out::Out;
use super::spec::{Flags, Spec};
use crate::eval::java::date_format::{MONTHS, WEEKDAYS};
use crate::eval::java::numbers::{push_signed, push_unsigned};

/// An instant broken into the calendar fields of a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFields {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub epoch_millis: i64,
    /// Year of the era, so never negative in Java.
    pub year: i64,
    /// Month, January is 1.
    pub month: u32,
    /// Day of the month from 1.
    pub day: u32,
    /// Day of the year from 1.
    pub day_of_year: u32,
    /// Day of the week, Sunday is 0.
    pub weekday: u32,
    /// Hour from 0 to 23.
    pub hour: u32,
    /// Minute of the hour.
    pub minute: u32,
    /// Second of the minute.
    pub second: u32,
    /// Millisecond of the second.
    pub millis: u32,
    /// Offset from UTC in milliseconds, daylight saving included.
    pub offset_millis: i32,
    /// Short name of the zone, such as `UTC` or `EST`.
    pub zone: String,
}

/// Turns instants into calendar fields; implement it for the caller's time zone.
pub trait DateParts {
    /// The fields of an instant given in milliseconds since the epoch.
    fn fields(&self, epoch_millis: i64) -> DateFields;
}

impl<F: Fn(i64) -> DateFields> DateParts for F {
    fn fields(&self, epoch_millis: i64) -> DateFields {
        self(epoch_millis)
    }
}

/// Calendar fields in UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct UtcDates;

impl DateParts for UtcDates {
    fn fields(&self, epoch_millis: i64) -> DateFields {
        DateFields::at(epoch_millis, 0, "UTC")
    }
}

/// Days from 0000-03-01 of the Gregorian calendar to 1970-01-01.
const GREGORIAN_SHIFT: i64 = 719_468;
/// Days from 0000-03-01 of the Julian calendar to 1970-01-01.
const JULIAN_SHIFT: i64 = 719_470;
/// Epoch day of 1582-10-15, the first Gregorian day.
const GREGORIAN_START: i64 = -141_427;
const MILLIS_PER_DAY: i64 = 86_400_000;

impl DateFields {
    /// Fields at a fixed offset from UTC, in Java's calendar (Julian before 1582-10-15).
    pub fn at(epoch_millis: i64, offset_millis: i32, zone: &str) -> DateFields {
        // Split first: adding the offset to the whole value could overflow.
        let offset = i64::from(offset_millis);
        let shifted = epoch_millis.rem_euclid(MILLIS_PER_DAY) + offset;
        let day = epoch_millis.div_euclid(MILLIS_PER_DAY) + shifted.div_euclid(MILLIS_PER_DAY);
        let in_day = shifted.rem_euclid(MILLIS_PER_DAY);
        let (year, month, day_of_month) = civil(day);
        let mut day_of_year = day - first_day(year) + 1;
        if year == 1582 && day >= GREGORIAN_START {
            // The first day was computed in the calendar that ended that year.
            day_of_year = day - civil_to_day(1582, JULIAN_SHIFT, true) + 1;
        }
        DateFields {
            epoch_millis,
            year: if year > 0 { year } else { 1 - year },
            month: small(month),
            day: small(day_of_month),
            day_of_year: small(day_of_year),
            weekday: small((day + 4).rem_euclid(7)),
            hour: small(in_day / 3_600_000),
            minute: small(in_day / 60_000 % 60),
            second: small(in_day / 1000 % 60),
            millis: small(in_day % 1000),
            offset_millis,
            zone: zone.to_string(),
        }
    }
}

/// Narrows a field that is known to be small and not negative.
fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// Year (0 is 1 BC), month and day of an epoch day.
fn civil(day: i64) -> (i64, i64, i64) {
    let (year, day_of_year) = if day >= GREGORIAN_START {
        let days = day + GREGORIAN_SHIFT;
        let era = days.div_euclid(146_097);
        let in_era = days.rem_euclid(146_097);
        let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
        let start = 365 * year + year / 4 - year / 100;
        (year + era * 400, in_era - start)
    } else {
        let days = day + JULIAN_SHIFT;
        let era = days.div_euclid(1461);
        let in_era = days.rem_euclid(1461);
        let year = (in_era - in_era / 1460) / 365;
        (year + era * 4, in_era - 365 * year)
    };
    // Years run from March here, so the leap day comes last.
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    if shifted_month < 10 {
        (year, shifted_month + 3, day_of_month)
    } else {
        (year + 1, shifted_month - 9, day_of_month)
    }
}

/// Epoch day of January 1st in the calendar used in that year.
fn first_day(year: i64) -> i64 {
    if year > 1582 {
        civil_to_day(year, GREGORIAN_SHIFT, false)
    } else {
        civil_to_day(year, JULIAN_SHIFT, true)
    }
}

/// Epoch day of January 1st.
fn civil_to_day(year: i64, shift: i64, julian: bool) -> i64 {
    let year = year - 1;
    let leap_days = if julian {
        year.div_euclid(4)
    } else {
        year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
    };
    // January 1st is day 306 of the year that began the March before.
    365 * year + leap_days + 306 - shift
}

/// True for the letters that may follow `%t`.
pub(super) fn is_suffix(letter: char) -> bool {
    "HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc".contains(letter)
}

/// Prints one date conversion.
pub(super) fn print(
    spec: &Spec,
    millis: i64,
    dates: &dyn DateParts,
    out: &mut Out,
) -> Result<(), FormatError> {
    let fields = dates.fields(millis);
    let mut text = String::new();
    append(spec.conversion, &fields, &mut text);
    if spec.flags.has(Flags::UPPERCASE) {
        text = text.to_uppercase();
    }
    out.justify(spec, &text)
}

/// Appends a zero-padded number.
fn padded(value: u32, size: usize, text: &mut String) {
    let begin = text.len();
    push_unsigned(u64::from(value), text);
    let shown = text.len() - begin;
    for _ in shown..size {
        text.insert(begin, '0');
    }
}

/// The English name at a position, empty if the caller's fields are out of range.
fn name(names: &[&'static str], at: u32) -> &'static str {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    names.get(at).copied().unwrap_or("")
}

/// The first three letters of an English name.
fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

/// Hour on a twelve-hour clock.
fn hour12(hour: u32) -> u32 {
    match hour % 12 {
        0 => 12,
        hour => hour,
    }
}

/// Appends the text of one date suffix.
fn append(suffix: char, fields: &DateFields, text: &mut String) {
    // Only the last digits of the year are shown by `C` and `y`.
    let year = fields.year.unsigned_abs();
    let month = fields.month.saturating_sub(1);
    match suffix {
        'H' => padded(fields.hour, 2, text),
        'I' => padded(hour12(fields.hour), 2, text),
        'k' => padded(fields.hour, 1, text),
        'l' => padded(hour12(fields.hour), 1, text),
        'M' => padded(fields.minute, 2, text),
        'S' => padded(fields.second, 2, text),
        'L' => padded(fields.millis, 3, text),
        'N' => padded(fields.millis.saturating_mul(1_000_000), 9, text),
        'p' => text.push_str(if fields.hour < 12 { "am" } else { "pm" }),
        'z' => {
            let minutes = fields.offset_millis.unsigned_abs() / 60_000;
            text.push(if fields.offset_millis < 0 { '-' } else { '+' });
            padded(minutes / 60 * 100 + minutes % 60, 4, text);
        }
        'Z' => text.push_str(&fields.zone),
        's' => push_signed(fields.epoch_millis / 1000, text),
        'Q' => push_signed(fields.epoch_millis, text),
        'B' => text.push_str(name(&MONTHS, month)),
        'b' | 'h' => text.push_str(short(name(&MONTHS, month))),
        'A' => text.push_str(name(&WEEKDAYS, fields.weekday)),
        'a' => text.push_str(short(name(&WEEKDAYS, fields.weekday))),
        'C' => padded(u32::try_from(year / 100).unwrap_or(0), 2, text),
        'y' => padded(u32::try_from(year % 100).unwrap_or(0), 2, text),
        'Y' => padded(u32::try_from(year).unwrap_or(u32::MAX), 4, text),
        'j' => padded(fields.day_of_year, 3, text),
        'm' => padded(fields.month, 2, text),
        'd' => padded(fields.day, 2, text),
        'e' => padded(fields.day, 1, text),
        'R' => series("H:M", fields, text),
        'T' => series("H:M:S", fields, text),
        'r' => {
            series("I:M:S ", fields, text);
            text.push_str(if fields.hour < 12 { "AM" } else { "PM" });
        }
        'D' => series("m/d/y", fields, text),
        'F' => series("Y-m-d", fields, text),
        'c' => series("a b d T Z Y", fields, text),
        _ => {}
    }
}

/// Appends a composed form: letters are suffixes, everything else is literal.
fn series(layout: &str, fields: &DateFields, text: &mut String) {
    for c in layout.chars() {
        if c.is_ascii_alphabetic() {
            append(c, fields, text);
        } else {
            text.push(c);
        }
    }
}
