//! Times as queries are asked for: seconds since 1970, ISO 8601, or relative to now.

use crate::config::{duration, parse_now};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Context;

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Milliseconds since 1970 of a time as it is written: a number of seconds (of milliseconds when it is too large for
/// that), ISO 8601, or `now()`, `today()`, `yesterday()`, each with more or less of something behind it: `now()-2h`.
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
    for (word, base) in [
        ("now", now),
        ("today", midnight(now)),
        ("yesterday", midnight(midnight(now) - DAY / 2)),
    ] {
        let Some(rest) = text.strip_prefix(word) else {
            continue;
        };
        let rest = rest.trim_start();
        let rest = rest.strip_prefix("()").unwrap_or(rest).trim();
        let (sign, more) = match rest.split_at_checked(1) {
            _ if rest.is_empty() => return Ok(base),
            Some(("-", more)) => (-1, more),
            Some(("+", more)) => (1, more),
            _ => continue,
        };
        let length = duration(more.trim()).map_err(|reason| wrong(text).note(reason))?;
        let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        return Ok(base.saturating_add(sign * millis));
    }
    parse_now(text, |at| zone.offset_millis(at)).map_err(|_| wrong(text))
}

fn wrong(text: &str) -> crate::diagnostic::Fault {
    Diagnostic::new(Code::Usage, format!("{text:?} is no time")).help(
        "write seconds since 1970, 2026-11-22T10:00:00Z, now(), now()-2h, today() or yesterday()",
    )
}
