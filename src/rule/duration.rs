//! Lengths of time as Go writes them: `10m`, `1h30m`, `1.5s`, `500ms`.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use std::sync::Arc;

/// Units and their nanoseconds; the micro sign exists twice in Unicode.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("\u{B5}s", 1_000),
    ("\u{3BC}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds of a length of time. As in Go there are no days, and fractions below a nanosecond are cut off.
pub fn parse(text: &str) -> Outcome<i64> {
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(bad(text, Span::new(0, text.len()), "no number stands here"));
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let unit_length = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        let place = Span::new(start, start + number + unit_length);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(bad(text, place, "no number stands here"));
        }
        if unit.is_empty() {
            return Err(bad(text, place, "a unit is missing here"));
        }
        let Some((_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(bad(text, place, "unknown unit"));
        };
        let part = scaled(whole, fraction, *size).and_then(|part| total.checked_add(part));
        total = part
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(|| bad(text, place, "more than 292 years"))?;
        rest = after;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(total)) => Ok(total),
        (false, Err(_)) => Err(bad(text, Span::new(0, text.len()), "more than 292 years")),
        (true, total) => Ok(total.map_or(i64::MIN, |total| -total)),
    }
}

/// Nanoseconds of a length of time that a window can have: more than nothing.
pub fn window(text: &str) -> Outcome<i64> {
    let length = parse(text)?;
    if length <= 0 {
        let place = Span::new(0, text.len());
        return Err(bad(text, place, "a window is longer than nothing"));
    }
    Ok(length)
}

/// A length of time as Go prints it: `1h30m0s`, `1.5s`, `500ms`.
pub fn text(length: i64) -> String {
    let sign = if length < 0 { "-" } else { "" };
    let length = length.unsigned_abs();
    let fraction = |size: u64, unit: &str| {
        let digits = size.ilog10() as usize;
        let rest = format!("{:0digits$}", length % size);
        let rest = match digits {
            0 => "",
            _ => rest.trim_end_matches('0'),
        };
        let point = if rest.is_empty() { "" } else { "." };
        (length / size, format!("{point}{rest}{unit}"))
    };
    let (whole, rest) = match length {
        0 => return "0s".to_string(),
        1..1_000 => fraction(1, "ns"),
        1_000..1_000_000 => fraction(1_000, "\u{B5}s"),
        1_000_000..1_000_000_000 => fraction(1_000_000, "ms"),
        _ => fraction(1_000_000_000, "s"),
    };
    if length < 60_000_000_000 {
        return format!("{sign}{whole}{rest}");
    }
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{sign}{minutes}m{seconds}{rest}"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}{rest}"),
    }
}

/// A decimal number of units in nanoseconds; digits that 64 bits do not hold are left out of the fraction.
fn scaled(whole: &str, fraction: &str, size: u64) -> Option<u64> {
    let whole = match whole {
        "" => 0,
        digits => digits.parse::<u64>().ok().filter(|n| *n <= 1 << 63)?,
    };
    let whole = whole.checked_mul(size).filter(|n| *n <= 1 << 63)?;
    let (mut value, mut scale) = (0u64, 1f64);
    for digit in fraction.bytes() {
        let next = value
            .checked_mul(10)
            .and_then(|n| n.checked_add(u64::from(digit - b'0')))
            .filter(|n| *n < 1 << 63);
        let Some(next) = next else { break };
        value = next;
        scale *= 10.0;
    }
    // Go computes the fraction in floating point; so must who wants the same nanosecond.
    let part = value as f64 * (size as f64 / scale);
    whole.checked_add(part as u64).filter(|n| *n <= 1 << 63)
}

fn bad(text: &str, place: Span, what: &str) -> Fault {
    let message = format!("{text:?} is not a length of time: {what}");
    Diagnostic::at(Code::ArgumentValue, place, message)
        .in_source(&Arc::new(Source::expression(text)))
        .help("write a number and a unit: 500ms, 30s, 10m, 1h30m; units are ns, us, ms, s, m and h")
}
