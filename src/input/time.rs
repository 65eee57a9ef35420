//! Times as events carry them.

use crate::eval::Value;

/// Milliseconds since 1970 of a time: a number of seconds, of milliseconds when it is too large for that, or ISO 8601.
pub fn moment(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Int(n) => f64::from(*n),
        Value::Long(n) => *n as f64,
        Value::Double(n) => *n,
        Value::Text(text) => match text.trim().parse() {
            Ok(number) => number,
            Err(_) => {
                let parsed = chrono::DateTime::parse_from_rfc3339(text.trim());
                return parsed.ok().map(|moment| moment.timestamp_millis());
            }
        },
        _ => return None,
    };
    if !number.is_finite() || number.abs() > 1e16 {
        return None;
    }
    let millis = if number.abs() < 1e11 {
        number * 1000.0
    } else {
        number
    };
    Some(millis.round() as i64)
}
