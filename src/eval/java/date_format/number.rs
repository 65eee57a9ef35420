//! Reading a whole number as Java's integer `NumberFormat` does.

/// First digit (zero) of every run of ten decimal digits of the Basic
/// Multilingual Plane beyond ASCII, in the Unicode version of Java 17.
const ZEROS: [u32; 36] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// More digits than these cannot change a result, except by being zero or not.
const KEPT: usize = 40;

/// Value of a decimal digit of any script.
pub(super) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c as u8 & 0x0f);
    }
    let code = u32::from(c);
    let index = ZEROS.partition_point(|&zero| zero <= code);
    let zero = ZEROS.get(index.checked_sub(1)?)?;
    u8::try_from(code - zero).ok().filter(|&value| value < 10)
}

/// The digits of a number without leading zeros.
#[derive(Default)]
struct Digits {
    /// The first of them.
    kept: Vec<u8>,
    /// How many there are.
    count: usize,
    /// How many there are without the zeros at the end.
    significant: usize,
}

impl Digits {
    fn push(&mut self, value: u8) {
        if value == 0 && self.count == 0 {
            return;
        }
        self.count += 1;
        if value != 0 {
            self.significant = self.count;
        }
        if self.kept.len() < KEPT {
            self.kept.push(value);
        }
    }

    /// The digits as a magnitude that fits a Java `long`; `point` of them are
    /// before the decimal point.
    fn to_long(&self, point: i32, negative: bool) -> Option<i64> {
        let point = usize::try_from(point).ok()?;
        if point < self.significant || point > 19 {
            return None;
        }
        let digit = |i| u64::from(self.kept.get(i).copied().unwrap_or(0));
        // Nineteen digits always fit an unsigned 64-bit number.
        let value = (0..point).fold(0, |sum: u64, i| sum.wrapping_mul(10).wrapping_add(digit(i)));
        let limit = i64::MAX as u64 + u64::from(negative);
        let signed = value as i64;
        (value <= limit).then_some(if negative {
            signed.wrapping_neg()
        } else {
            signed
        })
    }

    /// The digits as the nearest double, cut to 32 bits as Java casts it.
    fn to_int_by_double(&self, point: i32, negative: bool) -> i32 {
        let mut text = String::with_capacity(KEPT + 12);
        text.push_str(if negative { "-0." } else { "0." });
        text.extend(self.kept.iter().map(|d| char::from(b'0' + d)));
        if self.significant > self.kept.len() {
            text.push('1');
        }
        // Exponents past these are zero or saturate in any case.
        let point = point.clamp(-400, 400);
        let value: f64 = format!("{text}e{point}").parse().unwrap_or(0.0);
        value as i32
    }
}

/// Reads digits from `at` on; returns them and the offset after them.
fn digits(text: &str, at: usize) -> Option<(Digits, usize)> {
    let mut found = Digits::default();
    let mut end = at;
    for c in text.get(at..)?.chars() {
        let Some(value) = digit(c) else { break };
        found.push(value);
        end += c.len_utf8();
    }
    (end > at).then_some((found, end))
}

fn sign(text: &str, at: usize) -> (bool, usize) {
    let negative = text.as_bytes().get(at) == Some(&b'-');
    (negative, at + usize::from(negative))
}

/// Reads a number at byte `at`: digits of any script after an optional minus
/// sign, an exponent after the mark given, `NaN` (0) or `∞`.  Returns it as an `int`, cut or
/// saturated as Java does, and the offset after it.
pub(super) fn parse_int(text: &str, at: usize, exponent_mark: &str) -> Option<(i32, usize)> {
    if let Some(simple) = parse_short(text.as_bytes(), at) {
        return Some(simple);
    }
    let rest = text.get(at..)?;
    if rest.starts_with("NaN") {
        return Some((0, at + 3));
    }
    let (negative, start) = sign(text, at);
    if text.get(start..)?.starts_with('\u{221e}') {
        let value = if negative { i32::MIN } else { i32::MAX };
        return Some((value, start + 3));
    }
    let (number, mut end) = digits(text, start)?;
    let mut exponent = 0;
    if text.get(end..)?.starts_with(exponent_mark) {
        let (below, start) = sign(text, end + exponent_mark.len());
        let found = digits(text, start).and_then(|(found, after)| {
            let point = i32::try_from(found.count).ok()?;
            Some((found.to_long(point, below)?, after))
        });
        if let Some((value, after)) = found {
            // Java keeps the low 32 bits of the exponent only.
            exponent = value as i32;
            end = after;
        }
    }
    if number.count == 0 {
        return Some((0, end));
    }
    let count = i32::try_from(number.count).unwrap_or(i32::MAX);
    let point = count.wrapping_add(exponent);
    let value = match number.to_long(point, negative) {
        Some(long) => long as i32,
        None => number.to_int_by_double(point, negative),
    };
    Some((value, end))
}

/// The common case: up to nine ASCII digits and nothing special after them.
fn parse_short(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
    let mut value = 0;
    let mut end = at;
    for byte in bytes.get(at..)? {
        match byte {
            b'0'..=b'9' if end - at < 9 => value = value * 10 + i32::from(byte & 0x0f),
            b'0'..=b'9' | b'E' | b'e' | 0x80.. => return None,
            _ => break,
        }
        end += 1;
    }
    (end > at).then_some((value, end))
}
