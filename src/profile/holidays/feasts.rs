//! Feasts that move through the year: Easter, and dates of the Islamic and the Coptic calendar.

use crate::profile::day;
use icu_calendar::cal::{Hijri, Iso};
use icu_calendar::{AsCalendar, Calendar, Date};

/// The years whose Islamic dates are known in full: the table of Umm al-Qura goes from 1300 to 1600 AH.
pub const ISLAMIC_YEARS: std::ops::RangeInclusive<i64> = 1883..=2173;

/// Easter Sunday by the Gregorian reckoning (the anonymous algorithm as printed by Meeus, Jones and Butcher).
pub fn easter(year: i64) -> i64 {
    let (a, b, c) = (
        year.rem_euclid(19),
        year.div_euclid(100),
        year.rem_euclid(100),
    );
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let f = (b + 8).div_euclid(25);
    let g = (b - f + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    spring(year, h + l - 7 * m + 114)
}

/// Easter Sunday by the Julian reckoning, as a Gregorian date (Meeus, Astronomical Algorithms, chapter 8).
pub fn julian_easter(year: i64) -> i64 {
    let (a, b, c) = (year.rem_euclid(4), year.rem_euclid(7), year.rem_euclid(19));
    let d = (19 * c + 15) % 30;
    let e = (2 * a + 4 * b - d + 34).rem_euclid(7);
    // In spring the Julian calendar lags behind by the century years that it made leap years.
    spring(year, d + e + 114) + year.div_euclid(100) - year.div_euclid(400) - 2
}

/// Both formulas end in a number that holds month and day.
fn spring(year: i64, sum: i64) -> i64 {
    day::number(year, (sum / 31) as u8, (sum % 31 + 1) as u8)
}

/// The Gregorian dates in `year` of a month and day of the Islamic calendar of Umm al-Qura; none outside of
/// [`ISLAMIC_YEARS`].
pub fn islamic(year: i64, month: u8, month_day: u8) -> Vec<i64> {
    if !ISLAMIC_YEARS.contains(&year) {
        return Vec::new();
    }
    let calendar = Hijri::new_umm_al_qura();
    let Some(first) = iso(year, 1, 1) else {
        return Vec::new();
    };
    let first = first.to_calendar(calendar).year().extended_year();
    // An Islamic year is eleven days shorter, so three of them touch a Gregorian one at most.
    (first..=first + 2)
        .filter_map(|hijri| {
            Date::try_new_hijri_with_calendar(hijri, month, month_day, calendar).ok()
        })
        .map(|date| number(date.to_calendar(Iso)))
        .filter(|found| day::date(*found).0 == year)
        .collect()
}

fn iso(year: i64, month: u8, month_day: u8) -> Option<Date<Iso>> {
    Date::try_new_iso(i32::try_from(year).ok()?, month, month_day).ok()
}

fn number<A: AsCalendar>(date: Date<A>) -> i64
where
    A::Calendar: Calendar,
{
    let date = date.to_calendar(Iso);
    let (month, day) = (date.month().number(), date.day_of_month().0);
    day::number(i64::from(date.year().extended_year()), month, day)
}

/// The Gregorian dates in `year` of a month and day of the Coptic calendar, which the Ethiopian church shares.
pub fn coptic(year: i64, month: u8, month_day: u8) -> Vec<i64> {
    // The first day of the Coptic year 1: 29 August 284 of the Julian calendar.
    const FIRST: i64 = -615_558;
    let begins = |coptic: i64| FIRST + 365 * (coptic - 1) + coptic.div_euclid(4);
    let within = 30 * (i64::from(month) - 1) + i64::from(month_day) - 1;
    let of_day = |day: i64| (4 * (day - FIRST) + 1463).div_euclid(1461);
    (of_day(day::number(year, 1, 1))..=of_day(day::number(year, 12, 31)))
        .map(|coptic| begins(coptic) + within)
        .filter(|found| day::date(*found).0 == year)
        .collect()
}
