//! Sizes such as `64KiB` and durations such as `10s`.

use std::time::Duration;

/// Bytes in `text`: a whole number, alone or with B, KB, MB, GB, KiB, MiB or GiB behind it.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit) =
        split(text).ok_or("a size is a number, or a text such as \"64KiB\" or \"16MiB\"")?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => {
            return Err(format!(
                "{unit:?} is no unit of size: use B, KiB, MiB, GiB, KB, MB or GB"
            ));
        }
    };
    number
        .checked_mul(factor)
        .ok_or_else(|| "this size is beyond 64 bits".to_string())
}

/// The duration in `text`: milliseconds, or a whole number with ms, s, m, h or d behind it.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)
        .ok_or("a duration is a number of milliseconds, or a text such as \"500ms\" or \"10s\"")?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60 * 1000,
        "h" => 3600 * 1000,
        "d" => 24 * 3600 * 1000,
        _ => return Err(format!("{unit:?} is no unit of time: use ms, s, m, h or d")),
    };
    let millis = number
        .checked_mul(factor)
        .ok_or_else(|| "this duration is beyond 64 bits".to_string())?;
    Ok(Duration::from_millis(millis))
}

/// `bytes` in the largest binary unit that divides it.
pub(super) fn show_size(bytes: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size(" 16 mib "), Ok(16 << 20));
        assert_eq!(size("5"), Ok(5));
        assert_eq!(size("2MB"), Ok(2_000_000));
        for bad in ["", "KiB", "-1", "1.5KiB", "3 apples", "99999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert_eq!(show_size(65536), "64KiB");
        assert_eq!(show_size(1000), "1000");
        assert_eq!(show_size(0), "0");
    }

    #[test]
    fn durations() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("250 ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("250"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for bad in ["", "s", "1 week", "-3s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
