//! Times as queries are asked for: seconds since 1970, ISO 8601, or relative to now.

use crate::config::{duration, parse_now};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Context;

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Milliseconds since 1970 of a time as it is written: a number of seconds (of milliseconds when it is too large for
/// that), ISO 8601, or `now()`, `today()`, `yesterday()`, each with more or less of something behind it, also snapped to
/// the begin of something: `now()-2h`, `now() - 3*day()`, `(now() - 1d) @ 1d`. `2h` is two hours ago.
///
/// Errors: E0504 for other texts.
pub fn time(text: &str, context: &Context) -> Outcome<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        let seconds = number.unsigned_abs() < 100_000_000_000;
        return Ok(if seconds { number * 1000 } else { number });
    }
    let zone = &context.zone;
    let ahead = |at: i64| i64::from(zone.offset_millis(at));
    let now = context.clock.now();
    let midnight = |at: i64| {
        let day = (at + ahead(at)).div_euclid(DAY) * DAY;
        day - ahead(day - ahead(at))
    };
    if text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_alphabetic())
        && let Some(millis) = length(text)
    {
        return Ok(now.saturating_sub(millis));
    }
    for (word, base) in [
        ("now", now),
        ("today", midnight(now)),
        ("yesterday", midnight(midnight(now) - DAY / 2)),
    ] {
        // What stands to the left is done first, with brackets or without.
        let open = text.trim_start_matches('(');
        let brackets = text.len() - open.len();
        let Some(rest) = open.strip_prefix(word) else {
            continue;
        };
        let rest = rest.trim_start();
        let mut rest = rest.strip_prefix("()").unwrap_or(rest).trim();
        let mut at = base;
        let mut closed = 0;
        while !rest.is_empty() {
            let Some((sign, more)) = rest.split_at_checked(1) else {
                return Err(wrong(text));
            };
            if sign == ")" && closed < brackets {
                closed += 1;
                rest = more.trim_start();
                continue;
            }
            // The brackets of day() belong to the length.
            let end = more.replace("()", "..").find(['+', '-', '@', ')']);
            let (term, behind) = more.split_at(end.unwrap_or(more.len()));
            let millis = length(term.trim()).ok_or_else(|| wrong(text))?;
            at = match sign {
                "+" => at.saturating_add(millis),
                "-" => at.saturating_sub(millis),
                "@" if millis > 0 && millis % DAY == 0 && millis / DAY == 1 => midnight(at),
                "@" if millis > 0 && millis < DAY => {
                    let local = at.saturating_add(ahead(at));
                    local.div_euclid(millis) * millis - ahead(at)
                }
                _ => return Err(wrong(text)),
            };
            rest = behind.trim_start();
        }
        return match closed == brackets {
            true => Ok(at),
            false => Err(wrong(text)),
        };
    }
    parse_now(text, |at| zone.offset_millis(at)).map_err(|_| wrong(text))
}

/// The milliseconds of a length: `2h`, `day()`, `3*day()`.
fn length(text: &str) -> Option<i64> {
    if let Ok(length) = duration(text) {
        // A bare number says no unit.
        let unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
        return i64::try_from(length.as_millis()).ok().filter(|_| unit);
    }
    let (count, unit) = match text.split_once('*') {
        None => (1, text),
        Some((left, right)) => match left.trim().parse::<i64>() {
            Ok(count) => (count, right),
            Err(_) => (right.trim().parse::<i64>().ok()?, left),
        },
    };
    let millis = match unit.trim().strip_suffix("()")? {
        "second" => 1000,
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => 30 * DAY,
        _ => return None,
    };
    count.checked_mul(millis)
}

fn wrong(text: &str) -> crate::diagnostic::Fault {
    Diagnostic::new(Code::Usage, format!("{text:?} is no time")).help(
        "write seconds since 1970, 2026-11-22T10:00:00Z, now(), now()-2h, today() or yesterday()",
    )
}
