//! Times and durations of messages.

use super::number;
use chrono::{Datelike, NaiveDate};

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// The first and the last moment that has a year of four digits.
const FIRST: i64 = -62_135_596_800 * SECOND;
const LAST: i64 = 253_402_300_800 * SECOND - 1;

/// The time that a text means: RFC 3339 with a zone, or seconds since 1970. Microseconds since 1970.
pub(super) fn time(text: &str) -> Option<i64> {
    rfc3339(text.as_bytes()).or_else(|| seconds(number::float(text)?))
}

/// A number of seconds since 1970, to the microsecond.
pub(super) fn seconds(x: f64) -> Option<i64> {
    let microseconds = to_microseconds(x)?;
    (FIRST..=LAST)
        .contains(&microseconds)
        .then_some(microseconds)
}

/// Seconds in microseconds, rounded to the nearest, halves to the even one.
fn to_microseconds(x: f64) -> Option<i64> {
    if x.is_nan() || x.abs() >= 9e12 {
        return None;
    }
    let whole = x.trunc();
    let rest = ((x - whole) * 1e6).round_ties_even();
    Some(whole as i64 * SECOND + rest as i64)
}

/// The number that some digits are.
fn number_of(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'))
    })
}

/// The digits after the dot as microseconds; what is beyond is cut off.
fn fraction(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let kept = digits.get(..6).unwrap_or(digits);
    Some(number_of(kept)? * 10u32.pow(6 - kept.len() as u32))
}

/// Splits at a dot behind whole seconds: the digits after it and what follows them.
fn split_fraction(rest: &[u8]) -> Option<(u32, &[u8])> {
    let Some((b'.', rest)) = rest.split_first() else {
        return Some((0, rest));
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at(digits);
    Some((fraction(digits)?, rest))
}

fn rfc3339(text: &[u8]) -> Option<i64> {
    let (moment, rest) = text.split_at_checked(19)?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T' | b't' | b' ',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
    ] = *moment
    else {
        return None;
    };
    let year = number_of(&[y1, y2, y3, y4])?;
    let (month, day) = (number_of(&[mo1, mo2])?, number_of(&[d1, d2])?);
    let (hour, minute, second) = (
        number_of(&[h1, h2])?,
        number_of(&[mi1, mi2])?,
        number_of(&[s1, s2])?,
    );
    let (micros, zone) = split_fraction(rest)?;
    let offset = match *zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let minutes = number_of(&[h1, h2])? * 60 + number_of(&[m1, m2])?;
            i64::from(minutes) * if sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    if year == 0 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    let days = i64::from(date.num_days_from_ce()) - 719_163;
    let seconds = days * DAY + i64::from(hour * 3600 + minute * 60 + second) - offset;
    let microseconds = seconds * SECOND + i64::from(micros);
    (FIRST..=LAST)
        .contains(&microseconds)
        .then_some(microseconds)
}

/// The duration that a text means: days, hours, minutes and seconds (`1D02:03:04.5`), or seconds. Microseconds.
pub(super) fn duration(text: &str) -> Option<u64> {
    clock(text).or_else(|| duration_of(number::float(text)?))
}

/// The longest duration in days: its microseconds fit 64 bits.
const MOST_DAYS: i64 = 99_999_999;

/// A number of seconds as a duration; less than nothing is none.
pub(super) fn duration_of(x: f64) -> Option<u64> {
    let microseconds = to_microseconds(x)?;
    let good = microseconds >= 0 && microseconds / SECOND / DAY <= MOST_DAYS;
    good.then_some(microseconds as u64)
}

fn clock(text: &str) -> Option<u64> {
    let (days, clock) = match text.split_once(['D', 'd']) {
        Some((days, clock)) => {
            let digits = !days.is_empty() && days.bytes().all(|b| b.is_ascii_digit());
            (digits.then(|| days.parse::<u64>().ok()).flatten()?, clock)
        }
        None => (0, text),
    };
    let (clock, rest) = clock.as_bytes().split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else {
        return None;
    };
    let seconds = number_of(&[h1, h2])? * 3600 + number_of(&[m1, m2])? * 60 + number_of(&[s1, s2])?;
    let (micros, rest) = split_fraction(rest)?;
    let good = rest.is_empty() && days <= MOST_DAYS as u64;
    let seconds = (good.then_some(days)?) * DAY as u64 + u64::from(seconds);
    (seconds / DAY as u64 <= MOST_DAYS as u64).then(|| seconds * SECOND as u64 + u64::from(micros))
}

fn two(out: &mut Vec<u8>, n: u32) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

fn hours_minutes_seconds(out: &mut Vec<u8>, seconds: u32) {
    two(out, seconds / 3600);
    out.push(b':');
    two(out, seconds / 60 % 60);
    out.push(b':');
    two(out, seconds % 60);
}

/// Six digits, if any is needed.
fn write_fraction(out: &mut Vec<u8>, micros: u32) {
    if micros != 0 {
        out.push(b'.');
        two(out, micros / 10_000);
        two(out, micros / 100);
        two(out, micros);
    }
}

/// Writes a time as `2026-01-01T00:00:00.500000Z`, the fraction only where there is one.
pub(super) fn write_time(out: &mut Vec<u8>, microseconds: i64) {
    let seconds = microseconds.div_euclid(SECOND);
    let days = seconds.div_euclid(DAY) + 719_163;
    let date = i32::try_from(days)
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .unwrap_or_default();
    let year = date.year().unsigned_abs();
    two(out, year / 100);
    two(out, year);
    out.push(b'-');
    two(out, date.month());
    out.push(b'-');
    two(out, date.day());
    out.push(b'T');
    hours_minutes_seconds(out, seconds.rem_euclid(DAY) as u32);
    write_fraction(out, microseconds.rem_euclid(SECOND) as u32);
    out.push(b'Z');
}

/// Writes a duration as `01:02:03`, with days in front and a fraction behind where there are any.
pub(super) fn write_duration(out: &mut Vec<u8>, microseconds: u64) {
    let seconds = microseconds / SECOND as u64;
    let days = seconds / DAY as u64;
    if days > 0 {
        out.extend_from_slice(days.to_string().as_bytes());
        out.push(b'D');
    }
    hours_minutes_seconds(out, (seconds % DAY as u64) as u32);
    write_fraction(out, (microseconds % SECOND as u64) as u32);
}

/// A time as it is written; `None` beyond the years of four digits.
pub(in crate::event) fn written(microseconds: i64) -> Option<String> {
    (FIRST..=LAST).contains(&microseconds).then(|| {
        let mut text = Vec::new();
        write_time(&mut text, microseconds);
        String::from_utf8_lossy(&text).into_owned()
    })
}
