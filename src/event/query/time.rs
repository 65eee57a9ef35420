//! Instants as users write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Reads `2026-01-10`, `2026-01-10T08:00`, `2026-01-10 08:00:00.25`, `2026-01-10T08:00:00+02:00` and the like as
/// microseconds since 1970. Without a zone, UTC is meant. Digits beyond the microsecond are cut.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    }
    let mut text = text.to_string();
    if text
        .as_bytes()
        .get(10)
        .is_some_and(|b| matches!(b, b' ' | b't' | b'T'))
    {
        text.replace_range(10..11, "T");
    } else {
        return None;
    }
    let text = text.replace(['z', 'Z'], "+00:00");
    if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        return Some(time.timestamp_micros());
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(&text, form) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"] {
        if let Ok(time) = DateTime::parse_from_str(&text, form) {
            return Some(time.timestamp_micros());
        }
    }
    None
}

/// `2026-01-10T08:00:00` or `2026-01-10T08:00:00.250000`, in UTC.
pub(super) fn format_time(micros: i64) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) if time.timestamp_subsec_micros() == 0 => {
            time.format("%Y-%m-%dT%H:%M:%S").to_string()
        }
        Some(time) => time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
        None if micros < 0 => "-infinity".into(),
        None => "infinity".into(),
    }
}
