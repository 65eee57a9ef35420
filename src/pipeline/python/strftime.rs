//! `strftime` in the C locale.

use crate::eval::java::date_format::{MONTHS, WEEKDAYS};
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use std::fmt::Write;

/// Writes a moment by a pattern of C's `strftime`; an unknown letter stays as it is, with its `%`.
pub fn strftime(pattern: &str, moment: &DateTime<FixedOffset>, zone: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    put(pattern, moment, zone, &mut out);
    out
}

fn put(pattern: &str, t: &DateTime<FixedOffset>, zone: &str, out: &mut String) {
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(head);
        let mut chars = tail.chars();
        chars.next();
        match chars.next() {
            Some(letter) => {
                if !letter_of(letter, t, zone, out) {
                    out.push('%');
                    out.push(letter);
                }
            }
            None => out.push('%'),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Writes what one letter stands for; false when it stands for nothing.
fn letter_of(letter: char, t: &DateTime<FixedOffset>, zone: &str, out: &mut String) -> bool {
    let weekday = t.weekday().num_days_from_sunday();
    let day = WEEKDAYS.get(weekday as usize).copied().unwrap_or_default();
    let month = MONTHS.get(t.month0() as usize).copied().unwrap_or_default();
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let hour12 = match t.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let year = t.year();
    // Writing to a String cannot fail.
    let _ = match letter {
        'a' => out.write_str(short(day)),
        'A' => out.write_str(day),
        'b' | 'h' => out.write_str(short(month)),
        'B' => out.write_str(month),
        'c' => {
            put("%a %b %e %H:%M:%S %Y", t, zone, out);
            Ok(())
        }
        'C' => write!(out, "{:02}", year.div_euclid(100)),
        'd' => write!(out, "{:02}", t.day()),
        'D' | 'x' => {
            put("%m/%d/%y", t, zone, out);
            Ok(())
        }
        'e' => write!(out, "{:2}", t.day()),
        'f' => write!(out, "{:06}", t.nanosecond() / 1000 % 1_000_000),
        'F' => {
            put("%Y-%m-%d", t, zone, out);
            Ok(())
        }
        'g' => write!(out, "{:02}", t.iso_week().year().rem_euclid(100)),
        'G' => write!(out, "{}", t.iso_week().year()),
        'H' => write!(out, "{:02}", t.hour()),
        'I' => write!(out, "{hour12:02}"),
        'j' => write!(out, "{:03}", t.ordinal()),
        'k' => write!(out, "{:2}", t.hour()),
        'l' => write!(out, "{hour12:2}"),
        'm' => write!(out, "{:02}", t.month()),
        'M' => write!(out, "{:02}", t.minute()),
        'n' => out.write_char('\n'),
        'p' => out.write_str(if t.hour() < 12 { "AM" } else { "PM" }),
        'P' => out.write_str(if t.hour() < 12 { "am" } else { "pm" }),
        'r' => {
            put("%I:%M:%S %p", t, zone, out);
            Ok(())
        }
        'R' => {
            put("%H:%M", t, zone, out);
            Ok(())
        }
        's' => write!(out, "{}", t.timestamp()),
        'S' => write!(out, "{:02}", t.second()),
        't' => out.write_char('\t'),
        'T' | 'X' => {
            put("%H:%M:%S", t, zone, out);
            Ok(())
        }
        'u' => write!(out, "{}", t.weekday().number_from_monday()),
        'U' => write!(out, "{:02}", (t.ordinal0() + 7 - weekday) / 7),
        'V' => write!(out, "{:02}", t.iso_week().week()),
        'w' => write!(out, "{weekday}"),
        'W' => write!(
            out,
            "{:02}",
            (t.ordinal0() + 7 - t.weekday().num_days_from_monday()) / 7
        ),
        'y' => write!(out, "{:02}", year.rem_euclid(100)),
        'Y' => write!(out, "{year}"),
        'z' => {
            let seconds = t.offset().local_minus_utc();
            let sign = if seconds < 0 { '-' } else { '+' };
            let minutes = seconds.abs() / 60;
            write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
        }
        'Z' => out.write_str(zone),
        '%' => out.write_char('%'),
        _ => return false,
    };
    true
}
