//! Formatting an instant.

use super::calendar::DateFields;
use super::locale::Locale;
use super::pattern::{Item, Letter, Pattern};
use super::zone::Zone;

/// The most digits Java pads a whole number to.
const MOST_DIGITS: usize = 309;

impl Pattern {
    /// Formats `millis` (since 1970-01-01T00:00:00Z) in `zone`, with the names
    /// and the week rule of `locale`.
    pub fn format(&self, millis: i64, zone: &Zone, locale: &Locale) -> String {
        let mut out = String::with_capacity(32);
        self.format_into(&mut out, millis, zone, locale);
        out
    }

    /// Appends to `out` what [`Pattern::format`] returns.
    pub fn format_into(&self, out: &mut String, millis: i64, zone: &Zone, locale: &Locale) {
        let fields = DateFields::at(millis, zone, locale);
        for item in &self.items {
            match item {
                Item::Text(text) => out.push_str(text),
                Item::Field { letter, count, .. } => {
                    self.field(out, *letter, *count, &fields, zone, locale);
                }
            }
        }
    }

    fn field(
        &self,
        out: &mut String,
        letter: Letter,
        count: usize,
        fields: &DateFields,
        zone: &Zone,
        locale: &Locale,
    ) {
        let names = locale.names();
        let value = match letter {
            Letter::Era => return push_name(out, &names.eras, fields.era()),
            Letter::Year | Letter::WeekYear => {
                let year = if letter == Letter::Year {
                    fields.year()
                } else {
                    fields.week_year()
                };
                if count == 2 {
                    // Two letters show a sign and the last two digits only.
                    if year < 0 {
                        out.push('-');
                    }
                    (year % 100).abs()
                } else {
                    year
                }
            }
            Letter::Month | Letter::MonthAlone if count >= 3 => {
                let alone = letter == Letter::MonthAlone || self.month_only;
                let list = match (count, alone) {
                    (3, false) => &names.short_months,
                    (3, true) => &names.short_months_alone,
                    _ => &names.months,
                };
                return push_name(out, list, fields.month());
            }
            Letter::DayOfWeek => {
                let list = if count >= 4 {
                    &names.weekdays
                } else {
                    &names.short_weekdays
                };
                return push_name(out, list, fields.day_of_week() - 1);
            }
            Letter::AmPm => {
                return push_name(out, &names.am_pm, fields.hour_of_day() / 12);
            }
            Letter::ZoneName => {
                let daylight = fields.offset().daylight != 0;
                return zone.push_name(out, daylight, count >= 4);
            }
            Letter::ZoneRfc822 => return push_rfc822(out, fields.offset().total()),
            Letter::ZoneIso => return push_iso(out, fields.offset().total(), count),
            Letter::Month | Letter::MonthAlone => fields.month() + 1,
            Letter::WeekOfYear => fields.week_of_year(),
            Letter::WeekOfMonth => fields.week_of_month(),
            Letter::DayOfYear => fields.day_of_year(),
            Letter::DayOfMonth => fields.day_of_month(),
            Letter::DayOfWeekInMonth => fields.day_of_week_in_month(),
            Letter::IsoDayOfWeek => match fields.day_of_week() {
                1 => 7,
                day => day - 1,
            },
            Letter::HourFrom0To23 => fields.hour_of_day(),
            Letter::HourFrom1To24 => from_one(fields.hour_of_day(), 24),
            Letter::HourFrom0To11 => fields.hour_of_day() % 12,
            Letter::HourFrom1To12 => from_one(fields.hour_of_day() % 12, 12),
            Letter::Minute => fields.minute(),
            Letter::Second => fields.second(),
            Letter::Millisecond => fields.millisecond(),
        };
        push_number(out, value, count);
    }
}

fn from_one(hour: i32, highest: i32) -> i32 {
    if hour == 0 { highest } else { hour }
}

fn push_name(out: &mut String, list: &[&str], index: i32) {
    let name = usize::try_from(index).ok().and_then(|i| list.get(i));
    out.push_str(name.copied().unwrap_or(""));
}

/// Appends `value` in decimal with at least `width` digits.
pub(super) fn push_number(out: &mut String, value: i32, width: usize) {
    if value < 0 {
        out.push('-');
    }
    let mut rest = value.unsigned_abs();
    // Digits come last first; the array holds any 32-bit number.
    let mut digits = [b'0'; 10];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    for _ in used..width.min(MOST_DIGITS) {
        out.push('0');
    }
    for digit in digits.iter().skip(digits.len() - used) {
        out.push(char::from(*digit));
    }
}

/// `+hhmm`; seconds of an offset are dropped.
fn push_rfc822(out: &mut String, offset_ms: i32) {
    let minutes = offset_ms / 60_000;
    if minutes >= 0 {
        out.push('+');
    }
    let value = minutes / 60 * 100 + minutes % 60;
    push_number(out, value, 4);
}

/// `Z`, or `+hh`, `+hhmm`, `+hh:mm` for one, two and three letters.
fn push_iso(out: &mut String, offset_ms: i32, count: usize) {
    if offset_ms == 0 {
        out.push('Z');
        return;
    }
    push_offset(out, offset_ms / 60_000, count != 1, count == 3);
}

/// Signed hours of an offset, then maybe minutes and a colon before them.
pub(super) fn push_offset(out: &mut String, minutes: i32, with_minutes: bool, colon: bool) {
    out.push(if minutes >= 0 { '+' } else { '-' });
    push_clock(out, minutes.abs(), with_minutes, colon);
}

/// Hours, then maybe minutes and a colon before them.
pub(super) fn push_clock(out: &mut String, minutes: i32, with_minutes: bool, colon: bool) {
    push_number(out, minutes / 60, 2);
    if with_minutes {
        if colon {
            out.push(':');
        }
        push_number(out, minutes % 60, 2);
    }
}
