//! Civil-date arithmetic of the hybrid Julian/Gregorian calendar on plain
//! integers, and the calendar fields of an instant.

use super::locale::{Locale, WeekRule};
use super::zone::{Offset, Zone};

/// Milliseconds in a day.
pub(super) const DAY_MS: i64 = 86_400_000;
/// 1582-10-15, the first day of the Gregorian calendar, in days since 1970.
pub(super) const CUTOVER_DAY: i64 = -141_427;
/// The year in which the calendar changed.
pub(super) const CUTOVER_YEAR: i64 = 1582;

/// Which of the two calendars a computation uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// A leap year every four years.
    Julian,
    /// The calendar of today, also for the years before it was made.
    Gregorian,
}

/// Day number (days since 1970-01-01) of the first of a month; `month` is
/// 1..=12 and `year` is astronomical (0 is 1 BC).
pub fn first_of_month(style: Style, year: i64, month: i64) -> i64 {
    // A year that starts in March keeps the leap day at its end.
    let (year, shifted) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let before = (153 * shifted + 2) / 5;
    let leap_days = match style {
        Style::Gregorian => year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400),
        Style::Julian => year.div_euclid(4) - 2,
    };
    365 * year + leap_days + before - 719_468
}

/// Splits a day number into astronomical year, month 1..=12 and day 1..=31.
pub fn civil(style: Style, day: i64) -> (i64, i64, i64) {
    let (year, day_of_year) = match style {
        Style::Gregorian => {
            let days = day + 719_468;
            let era = days.div_euclid(146_097);
            let rest = days.rem_euclid(146_097);
            let year = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
            let day_of_year = rest - (365 * year + year / 4 - year / 100);
            (era * 400 + year, day_of_year)
        }
        Style::Julian => {
            let days = day + 719_470;
            let era = days.div_euclid(1_461);
            let rest = days.rem_euclid(1_461);
            let year = (rest - rest / 1_460) / 365;
            (era * 4 + year, rest - 365 * year)
        }
    };
    let shifted = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted + 2) / 5 + 1;
    if shifted < 10 {
        (year, shifted + 3, day_of_month)
    } else {
        (year + 1, shifted - 9, day_of_month)
    }
}

/// First day of a year in the hybrid calendar.
pub(super) fn first_of_year(year: i64) -> i64 {
    let style = if year > CUTOVER_YEAR {
        Style::Gregorian
    } else {
        Style::Julian
    };
    first_of_month(style, year, 1)
}

/// True for a leap year of the hybrid calendar.
pub(super) fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0
        && (year <= CUTOVER_YEAR || year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// The latest day that is not after `day` and falls on `day_of_week`
/// (Sunday is 1; values outside of 1..=7 count on modulo 7).
pub(super) fn on_or_before(day: i64, day_of_week: i64) -> i64 {
    day - (day + 5 - day_of_week).rem_euclid(7)
}

/// Day of the week of a day number, Sunday is 1.
pub(super) fn day_of_week(day: i64) -> i64 {
    (day + 4).rem_euclid(7) + 1
}

/// First day of the week numbered 1 of a period that starts on `start`.
pub(super) fn first_week(start: i64, rule: WeekRule) -> i64 {
    let first = on_or_before(start + 6, i64::from(rule.first_day));
    // Enough days before it make the broken week the first one.
    if first - start >= i64::from(rule.minimal_days) {
        first - 7
    } else {
        first
    }
}

/// Number of the week that holds `day`, in a period that starts on `start`.
fn week_number(start: i64, day: i64, rule: WeekRule) -> i64 {
    (day - first_week(start, rule)).div_euclid(7) + 1
}

/// Calendar fields of one instant in one zone, under one locale's week rule.
#[derive(Clone, Copy, Debug)]
pub struct DateFields {
    day: i64,
    year: i64,
    month: i64,
    day_of_month: i64,
    millis_of_day: i64,
    offset: Offset,
    rule: WeekRule,
}

impl DateFields {
    /// Fields of `millis` (since 1970-01-01T00:00:00Z) in `zone`; the week
    /// fields follow the rule of `locale`.
    pub fn at(millis: i64, zone: &Zone, locale: &Locale) -> DateFields {
        DateFields::with_offset(millis, zone.offset_at(millis), locale.week_rule())
    }

    pub(super) fn with_offset(millis: i64, offset: Offset, rule: WeekRule) -> DateFields {
        // Split first: adding the offset to the instant itself could overflow.
        let local = millis.rem_euclid(DAY_MS) + i64::from(offset.total());
        let day = millis.div_euclid(DAY_MS) + local.div_euclid(DAY_MS);
        let style = if day >= CUTOVER_DAY {
            Style::Gregorian
        } else {
            Style::Julian
        };
        let (year, month, day_of_month) = civil(style, day);
        DateFields {
            day,
            year,
            month,
            day_of_month,
            millis_of_day: local.rem_euclid(DAY_MS),
            offset,
            rule,
        }
    }

    /// 0 before the common era (BC), 1 in it (AD).
    pub fn era(&self) -> i32 {
        i32::from(self.year > 0)
    }

    /// Year of the era, 1 or more.
    pub fn year(&self) -> i32 {
        let year = if self.year > 0 {
            self.year
        } else {
            1 - self.year
        };
        narrow(year)
    }

    /// Month, January is 0.
    pub fn month(&self) -> i32 {
        narrow(self.month - 1)
    }

    /// Day of the month, 1..=31.
    pub fn day_of_month(&self) -> i32 {
        narrow(self.day_of_month)
    }

    /// Day of the year, 1..=366.
    pub fn day_of_year(&self) -> i32 {
        narrow(self.day - first_of_year(self.year) + 1)
    }

    /// Day of the week, Sunday is 1.
    pub fn day_of_week(&self) -> i32 {
        narrow(day_of_week(self.day))
    }

    /// How many times this day of the week has come in the month, from 1.
    pub fn day_of_week_in_month(&self) -> i32 {
        narrow((self.day - self.month_start()) / 7 + 1)
    }

    /// Week of the month by the locale's rule, 0..=6.
    pub fn week_of_month(&self) -> i32 {
        narrow(week_number(self.month_start(), self.day, self.rule))
    }

    /// Week of the week year by the locale's rule, 1..=53.
    pub fn week_of_year(&self) -> i32 {
        let start = first_of_year(self.year);
        let week = week_number(start, self.day, self.rule);
        if week == 0 {
            let before = first_of_year(self.year - 1);
            return narrow(week_number(before, start - 1, self.rule));
        }
        // The year of the cutover is short, so any week may be its last.
        if week >= 52 || self.year == CUTOVER_YEAR {
            let next = first_of_year(self.year + 1);
            if self.day >= first_week(next, self.rule) {
                return 1;
            }
        }
        narrow(week)
    }

    /// The year the week of the year belongs to; years before the common era
    /// are 0 and negative.
    pub fn week_year(&self) -> i32 {
        if self.year > CUTOVER_YEAR + 1 {
            let week = self.week_of_year();
            let shift = match (self.month, week) {
                (1, 52..) => -1,
                (2..=12, 1) => 1,
                _ => 0,
            };
            return narrow(self.year + shift);
        }
        narrow(self.early_week_year())
    }

    /// Week year by the longer way Java takes for the years to 1583, which
    /// looks at whole first weeks instead of week numbers.
    fn early_week_year(&self) -> i64 {
        let minimal = i64::from(self.rule.minimal_days);
        let first = i64::from(self.rule.first_day);
        let start = first_of_year(self.year);
        let length = first_of_year(self.year + 1) - start;
        let day_of_year = self.day - start + 1;
        if day_of_year > minimal && day_of_year < length - 6 {
            return self.year;
        }
        let first_whole = on_or_before(start + 6, first) - start + 1;
        if day_of_year < first_whole {
            return if first_whole <= minimal {
                self.year - 1
            } else {
                self.year
            };
        }
        // Java steps to "year + 1" without changing the era, so before the
        // common era it looks at the mirrored year.
        let next = if self.year > 0 {
            self.year + 1
        } else {
            -self.year
        };
        let next_start = first_of_year(next);
        let broken = on_or_before(next_start + 6, first) - next_start;
        let broken = if broken == 0 { 7 } else { broken };
        if broken >= minimal && length - day_of_year < 7 - broken {
            return self.year + 1;
        }
        self.year
    }

    /// First day of the month, counting the short October 1582 as one month.
    fn month_start(&self) -> i64 {
        if self.year == CUTOVER_YEAR && self.month == 10 && self.day >= CUTOVER_DAY {
            return first_of_month(Style::Julian, CUTOVER_YEAR, 10);
        }
        self.day - self.day_of_month + 1
    }

    /// Astronomical year (0 is 1 BC).
    pub(super) fn proleptic_year(&self) -> i64 {
        self.year
    }

    /// Milliseconds since local midnight.
    pub(super) fn millis_of_day(&self) -> i32 {
        narrow(self.millis_of_day)
    }

    /// Hour of the day, 0..=23.
    pub fn hour_of_day(&self) -> i32 {
        narrow(self.millis_of_day / 3_600_000)
    }

    /// Minute of the hour, 0..=59.
    pub fn minute(&self) -> i32 {
        narrow(self.millis_of_day / 60_000 % 60)
    }

    /// Second of the minute, 0..=59.
    pub fn second(&self) -> i32 {
        narrow(self.millis_of_day / 1_000 % 60)
    }

    /// Millisecond of the second, 0..=999.
    pub fn millisecond(&self) -> i32 {
        narrow(self.millis_of_day % 1_000)
    }

    pub(super) fn offset(&self) -> Offset {
        self.offset
    }
}

/// Narrows a value that is known to fit, and saturates if it should not.
fn narrow(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}
