//! Text forms, parsing, rounding and casts of numbers with Java's rules.

use std::str::FromStr;

/// Significant decimal digits of a finite, non-zero magnitude: `0.d1d2d3… × 10^exp`.
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    buf: [u8; 20],
    len: usize,
    /// Power of ten that scales the fraction `0.d1d2d3…`.
    pub exp: i32,
}

impl Digits {
    /// The ASCII digits, without leading or trailing zeros.
    pub fn as_slice(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or(&[])
    }

    /// Digits of a finite number as Java 19+ chooses them; zero gives no digits.
    pub fn of_double(value: f64) -> Digits {
        let magnitude = value.abs();
        let mut text = ryu::Buffer::new();
        let digits = Digits::scan(text.format_finite(magnitude));
        if digits.len == 1 && magnitude < f64::MIN_POSITIVE {
            // Java wants the nearest two-digit form here (4.9E-324, not 5.0E-324).
            return Digits::scan(&format!("{magnitude:.1e}"));
        }
        digits
    }

    /// Digits of a finite float at float precision; zero gives no digits.
    pub fn of_float(value: f32) -> Digits {
        let magnitude = value.abs();
        let mut text = ryu::Buffer::new();
        let digits = Digits::scan(text.format_finite(magnitude));
        if digits.len == 1 && magnitude < f32::MIN_POSITIVE {
            return Digits::scan(&format!("{magnitude:.1e}"));
        }
        digits
    }

    /// Reads unsigned decimal text such as `12.5`, `0.001` or `1.5e-7`.
    fn scan(text: &str) -> Digits {
        let (mantissa, power) = match text.split_once('e') {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().unwrap_or(0)),
            None => (text, 0),
        };
        let mut digits = Digits {
            buf: [0; 20],
            len: 0,
            exp: power,
        };
        let mut seen_dot = false;
        let mut significant = 0;
        for byte in mantissa.bytes() {
            if byte == b'.' {
                seen_dot = true;
                continue;
            }
            if byte == b'0' && digits.len == 0 {
                if seen_dot {
                    digits.exp -= 1;
                }
                continue;
            }
            if !seen_dot {
                digits.exp += 1;
            }
            if let Some(slot) = digits.buf.get_mut(digits.len) {
                *slot = byte;
                digits.len += 1;
                if byte != b'0' {
                    significant = digits.len;
                }
            }
        }
        digits.len = significant;
        digits
    }

    /// Appends the `d.dddE[-]n` form.
    fn push_scientific(&self, out: &mut String) {
        for (place, digit) in self.as_slice().iter().enumerate() {
            out.push(char::from(*digit));
            if place == 0 {
                out.push('.');
            }
        }
        if self.len < 2 {
            out.push('0');
        }
        out.push('E');
        let exponent = self.exp - 1;
        if exponent < 0 {
            out.push('-');
        }
        push_unsigned(u64::from(exponent.unsigned_abs()), out);
    }
}

/// Appends the decimal digits of `value`.
pub fn push_unsigned(mut value: u64, out: &mut String) {
    let mut buf = [0u8; 20];
    let mut count = 0;
    for slot in buf.iter_mut().rev() {
        // `value % 10` is below ten, so the narrowing cannot lose bits.
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        count += 1;
        if value == 0 {
            break;
        }
    }
    let text = buf.get(buf.len() - count..).unwrap_or(&[]);
    out.push_str(std::str::from_utf8(text).unwrap_or(""));
}

/// Appends `value` in decimal.
pub fn push_signed(value: i64, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    push_unsigned(value.unsigned_abs(), out);
}

/// Appends the text of a double as Java's `Double.toString` (shortest digits).
pub fn double_text(value: f64, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.push_str("Infinity");
    } else if magnitude == 0.0 {
        out.push_str("0.0");
    } else if (1e-3..1e7).contains(&magnitude) {
        // In this range ryu's own layout is already Java's.
        out.push_str(ryu::Buffer::new().format_finite(magnitude));
    } else {
        Digits::of_double(magnitude).push_scientific(out);
    }
}

/// Appends the text of a float as Java's `Float.toString` (shortest digits).
pub fn float_text(value: f32, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.push_str("Infinity");
    } else if magnitude == 0.0 {
        out.push_str("0.0");
    } else if (1e-3..1e7).contains(&magnitude) {
        out.push_str(ryu::Buffer::new().format_finite(magnitude));
    } else {
        Digits::of_float(magnitude).push_scientific(out);
    }
}

/// Removes characters up to U+0020 from both ends, as `String.trim`.
pub fn java_trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

/// What a floating-point text denotes before it is given a width.
enum FloatText<'a> {
    Nan,
    Infinity,
    Decimal(&'a str),
    Hex(&'a str),
}

/// Splits off sign and suffix and checks the shape; the flag is true for a minus.
fn classify_float(text: &str) -> Option<(bool, FloatText<'_>)> {
    let text = java_trim(text);
    let (negative, body) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    match body {
        "NaN" => return Some((negative, FloatText::Nan)),
        "Infinity" => return Some((negative, FloatText::Infinity)),
        _ => {}
    }
    if let Some(hex) = body.strip_prefix("0x").or_else(|| body.strip_prefix("0X")) {
        return Some((negative, FloatText::Hex(strip_suffix_letter(hex))));
    }
    let number = strip_suffix_letter(body);
    is_decimal_shape(number.as_bytes()).then_some((negative, FloatText::Decimal(number)))
}

/// Drops one trailing `f`, `F`, `d` or `D`.
fn strip_suffix_letter(text: &str) -> &str {
    text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text)
}

/// True for `digits[.digits][e[sign]digits]` with at least one mantissa digit.
fn is_decimal_shape(text: &[u8]) -> bool {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', rest)) => split_digits(rest),
        _ => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E', rest)) => is_exponent(rest),
        Some(_) => false,
    }
}

/// Counts leading ASCII digits and returns what follows them.
fn split_digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    (count, text.get(count..).unwrap_or(&[]))
}

/// True for `[sign]digits` and nothing else.
fn is_exponent(text: &[u8]) -> bool {
    let digits = match text.split_first() {
        Some((b'+' | b'-', rest)) => rest,
        _ => text,
    };
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Parses a double as `Double.parseDouble`; `None` where Java throws.
pub fn parse_double(text: &str) -> Option<f64> {
    let (negative, shape) = classify_float(text)?;
    let magnitude = match shape {
        FloatText::Nan => return Some(f64::NAN),
        FloatText::Infinity => f64::INFINITY,
        FloatText::Decimal(number) => parse_decimal::<f64>(number)?,
        FloatText::Hex(hex) => f64::from_bits(hex_bits(hex, 52, 1023)?),
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Parses a float as `Float.parseFloat`; `None` where Java throws.
pub fn parse_float(text: &str) -> Option<f32> {
    let (negative, shape) = classify_float(text)?;
    let magnitude = match shape {
        FloatText::Nan => return Some(f32::NAN),
        FloatText::Infinity => f32::INFINITY,
        FloatText::Decimal(number) => parse_decimal::<f32>(number)?,
        FloatText::Hex(hex) => f32::from_bits(u32::try_from(hex_bits(hex, 23, 127)?).ok()?),
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Parses checked decimal text with the standard library.
fn parse_decimal<F: FromStr>(text: &str) -> Option<F> {
    // The library clamps exponents, which goes wrong only against very many zeros.
    if text.len() <= 400 {
        return text.parse().ok();
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0');
    let zeros = digits.len() - significant.len();
    let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
    let power = clamped_exponent(exponent) + point;
    // Far outside of every float's range, so nothing is lost by stopping here.
    let power = power.clamp(-5000, 5000);
    let significant = significant.trim_end_matches('0');
    format!("0.{significant}0e{power}").parse().ok()
}

/// Reads `[sign]digits`, stopping far outside of what any text can outweigh.
fn clamped_exponent(text: &str) -> i64 {
    const FAR: i64 = 1 << 50;
    match text.parse::<i64>() {
        Ok(value) => value.clamp(-FAR, FAR),
        Err(_) if text.starts_with('-') => -FAR,
        Err(_) => FAR,
    }
}

/// Rounds `HEX[.HEX]p[sign]DEC` half-even to an IEEE magnitude of the given layout.
fn hex_bits(text: &str, fraction_bits: u32, bias: i64) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    if !is_exponent(exponent.as_bytes()) {
        return None;
    }
    let exponent = clamped_exponent(exponent);
    let mut significand = 0u64;
    let mut sticky = false;
    let mut scale = 0i64;
    let mut seen_dot = false;
    let mut any = false;
    for byte in mantissa.bytes() {
        if byte == b'.' && !seen_dot {
            seen_dot = true;
            continue;
        }
        let digit = u64::from(char::from(byte).to_digit(16)?);
        any = true;
        if significand >> 60 == 0 {
            significand = significand << 4 | digit;
            scale -= if seen_dot { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            scale += if seen_dot { 0 } else { 4 };
        }
    }
    if !any {
        return None;
    }
    if significand == 0 {
        return Some(0);
    }
    Some(round_bits(
        significand,
        sticky,
        exponent + scale,
        fraction_bits,
        bias,
    ))
}

/// Packs `significand × 2^power` (plus a little if `sticky`) into IEEE bits, half-even.
fn round_bits(significand: u64, sticky: bool, power: i64, fraction_bits: u32, bias: i64) -> u64 {
    let shift_up = significand.leading_zeros();
    let normalized = significand << shift_up;
    let top_power = power + 63 - i64::from(shift_up);
    let infinity = ((2 * bias + 1) as u64) << fraction_bits;
    if top_power > bias {
        return infinity;
    }
    // Subnormals keep fewer bits: everything below 2^(1 - bias - fraction_bits) is rounded away.
    let lost = (1 - bias - top_power).max(0);
    let drop = i64::from(63 - fraction_bits) + lost;
    if drop > 64 {
        return 0;
    }
    let (kept, rest, half) = if drop == 64 {
        (0, u128::from(normalized), 1u128 << 63)
    } else {
        let mask = (1u128 << drop) - 1;
        (
            normalized >> drop,
            u128::from(normalized) & mask,
            1u128 << (drop - 1),
        )
    };
    let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
    let biased = if lost > 0 {
        0
    } else {
        (top_power + bias) as u64
    };
    // A normal number's hidden bit adds one to the exponent field, hence the minus one.
    let field = biased.saturating_sub(1) << fraction_bits;
    field + kept + u64::from(up)
}

/// Code points of `0` in the decimal digit runs of the Basic Multilingual Plane.
const DIGIT_ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10,
];

/// Decimal digit value of a UTF-16 unit, as `Character.digit(c, 10)`.
pub fn java_digit(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    // Java looks at UTF-16 units one by one, so digits beyond the BMP never count.
    let unit = u16::try_from(u32::from(c)).ok()?;
    let run = DIGIT_ZEROS.partition_point(|zero| *zero <= unit);
    let zero = DIGIT_ZEROS.get(run.checked_sub(1)?)?;
    let value = unit - zero;
    (value < 10).then_some(u32::from(value))
}

/// Parses an int as `Integer.valueOf` after trimming; `None` where Java throws.
pub fn parse_int(text: &str) -> Option<i32> {
    i32::try_from(parse_long(text)?).ok()
}

/// Parses a long as `Long.valueOf` after trimming; `None` where Java throws.
pub fn parse_long(text: &str) -> Option<i64> {
    let text = java_trim(text);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    // Counting downwards reaches the smallest long without overflow.
    let mut value = 0i64;
    for c in digits.chars() {
        value = value
            .checked_mul(10)?
            .checked_sub(i64::from(java_digit(c)?))?;
    }
    if negative {
        Some(value)
    } else {
        value.checked_neg()
    }
}

/// Rounds to the nearest long, ties upwards, as `Math.round` (saturating, NaN is 0).
pub fn java_round(value: f64) -> i64 {
    let floor = value.floor();
    // The difference is exact, unlike `floor(value + 0.5)`.
    let rounded = if value - floor >= 0.5 {
        floor + 1.0
    } else {
        floor
    };
    double_to_long(rounded)
}

/// Casts a double to an int as Java does (truncating, saturating, NaN is 0).
pub fn double_to_int(value: f64) -> i32 {
    value as i32
}

/// Casts a double to a long as Java does (truncating, saturating, NaN is 0).
pub fn double_to_long(value: f64) -> i64 {
    value as i64
}

/// True if a whole text is an integer for an en_US number format that parses integers only.
pub fn is_integer_locale(text: &str) -> bool {
    let text = java_trim(text);
    if text == "NaN" {
        return true;
    }
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    if rest == "\u{221E}" {
        return true;
    }
    let mut any_digit = false;
    let mut dangling_comma = false;
    while let Some(c) = rest.chars().next() {
        match c {
            ',' => dangling_comma = true,
            'E' => {
                // An exponent directly after a comma leaves the comma unread.
                let tail = rest.get(1..).unwrap_or("");
                return any_digit && !dangling_comma && is_grouped_exponent(tail);
            }
            _ if java_digit(c).is_some() => {
                any_digit = true;
                dangling_comma = false;
            }
            _ => return false,
        }
        rest = rest.get(c.len_utf8()..).unwrap_or("");
    }
    any_digit && !dangling_comma
}

/// True for the exponent part after `E`: `[-]digits` that fit into a long.
fn is_grouped_exponent(text: &str) -> bool {
    !text.starts_with('+') && !text.starts_with(|c: char| c <= ' ') && parse_long(text).is_some()
}
