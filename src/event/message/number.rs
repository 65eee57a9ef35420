//! Numbers as Python reads and writes them, since Mentat's messages go through its `int`, `float` and `repr`.

/// The most digits that Python reads as one whole number.
pub(super) const MOST_DIGITS: usize = 4300;

/// What Python takes away around a number.
fn stripped(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// The digits without the underscores between them; `None` where one stands elsewhere.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let good = bytes
        .iter()
        .enumerate()
        .all(|(at, &b)| b != b'_' || (digit(at.checked_sub(1)) && digit(Some(at + 1))));
    good.then(|| text.replace('_', ""))
}

/// The whole number that Python's `int` reads in a text, in its shortest form.
pub(super) fn digits(text: &str) -> Option<String> {
    let text = stripped(text);
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", text.get(1..)?),
        b'+' => ("", text.get(1..)?),
        _ => ("", text),
    };
    let digits = without_underscores(digits)?;
    let good = digits.bytes().all(|b| b.is_ascii_digit());
    if digits.is_empty() || !good || digits.len() > MOST_DIGITS {
        return None;
    }
    match digits.trim_start_matches('0') {
        "" => Some("0".to_string()),
        short => Some(format!("{sign}{short}")),
    }
}

/// The number that Python's `float` reads in a text.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = without_underscores(stripped(text))?;
    text.parse().ok()
}

/// A number as Python prints it: the fewest digits, with an exponent below 0.0001 and from 1e16 on.
pub(super) fn write_float(out: &mut Vec<u8>, x: f64) {
    use std::io::Write;
    if !x.is_finite() {
        let name: &[u8] = match (x.is_nan(), x > 0.0) {
            (true, _) => b"NaN",
            (_, true) => b"Infinity",
            _ => b"-Infinity",
        };
        return out.extend_from_slice(name);
    }
    let size = x.abs();
    // Writing to a vector cannot fail.
    let _ = match size == 0.0 || (1e-4..1e16).contains(&size) {
        true => write!(out, "{x:?}"),
        false => {
            let text = format!("{x:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            write!(out, "{digits}e{sign}{exponent:0>2}")
        }
    };
}
