//! Numbers and quoted texts as Go writes them.

use super::tree::TermKind;
use smol_str::SmolStr;

/// A number, or nothing when it is malformed or does not fit 64 bits.
pub(super) fn number(text: &str) -> Option<TermKind> {
    if let Some(whole) = whole(text) {
        return Some(TermKind::Int(whole));
    }
    let fractional = match is_hexadecimal(text) {
        true => text.contains(['p', 'P']),
        false => text.contains(['.', 'e', 'E']),
    };
    if !fractional || !underscores_divide(text) {
        return None;
    }
    let plain = text.replace('_', "");
    let number = match is_hexadecimal(text) {
        true => hexadecimal_float(&plain)?,
        false => plain.parse().ok()?,
    };
    number.is_finite().then_some(TermKind::Float(number))
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_hexadecimal(text: &str) -> bool {
    unsigned(text).starts_with("0x") || unsigned(text).starts_with("0X")
}

/// An underscore stands between digits, or between the sign of the base and a digit.
fn underscores_divide(text: &str) -> bool {
    let digits = unsigned(text);
    let based = digits.len() > 1
        && digits.starts_with('0')
        && digits.get(1..2).is_some_and(|c| "xXoObB".contains(c));
    let body = match based {
        true => digits.get(2..).unwrap_or_default(),
        false => digits,
    };
    let mut before = based;
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '_' && !(before && chars.peek().is_some_and(char::is_ascii_hexdigit)) {
            return false;
        }
        before = c.is_ascii_hexdigit();
    }
    true
}

fn whole(text: &str) -> Option<i64> {
    if !underscores_divide(text) {
        return None;
    }
    let negative = text.starts_with('-');
    let digits = unsigned(text);
    let lower = digits.to_ascii_lowercase();
    let (base, body) = if let Some(body) = lower.strip_prefix("0x") {
        (16, body)
    } else if let Some(body) = lower.strip_prefix("0b") {
        (2, body)
    } else if let Some(body) = lower.strip_prefix("0o") {
        (8, body)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..).unwrap_or_default())
    } else {
        (10, lower.as_str())
    };
    let body = body.replace('_', "");
    if body.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(&body, base).ok()?);
    i64::try_from(if negative { -value } else { value }).ok()
}

/// `0x1.8p3`
fn hexadecimal_float(text: &str) -> Option<f64> {
    let negative = text.starts_with('-');
    let (mantissa, power) = unsigned(text).get(2..)?.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let power: i32 = power.parse().ok()?;
    let power = power.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    let value = value * 2f64.powi(power);
    Some(if negative { -value } else { value })
}

/// The text of a literal in quotation marks of any kind; a byte that is no UTF-8 becomes U+FFFD.
pub(super) fn text(literal: &str) -> Option<SmolStr> {
    if let Some(raw) = literal.strip_prefix('`') {
        return Some(SmolStr::from(raw.strip_suffix('`')?.replace('\r', "")));
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (found, after) = character(rest, '"')?;
        match found {
            Found::Byte(byte) => bytes.push(byte),
            Found::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = after;
    }
    Some(SmolStr::from(String::from_utf8_lossy(&bytes)))
}

/// The number of a character in single quotes.
pub(super) fn letter(literal: &str) -> Option<i64> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let (found, rest) = character(inner, '\'')?;
    let number = match found {
        Found::Byte(byte) => i64::from(byte),
        Found::Char(c) => i64::from(u32::from(c)),
    };
    rest.is_empty().then_some(number)
}

enum Found {
    Byte(u8),
    Char(char),
}

/// The first character of a literal's inside, and what follows.
fn character(text: &str, quote: char) -> Option<(Found, &str)> {
    let c = text.chars().next()?;
    let rest = text.get(c.len_utf8()..)?;
    if c != '\\' {
        return (c != quote).then_some((Found::Char(c), rest));
    }
    let sign = rest.chars().next()?;
    let after = rest.get(sign.len_utf8()..)?;
    let digits = |text: &str, count: usize, base: u32| {
        let digits = text.get(..count)?;
        let good = digits.chars().all(|c| c.is_digit(base));
        u32::from_str_radix(digits, base).ok().filter(|_| good)
    };
    let plain = match sign {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        '\\' => '\\',
        sign if sign == quote => sign,
        'x' => {
            let byte = u8::try_from(digits(after, 2, 16)?).ok()?;
            return Some((Found::Byte(byte), after.get(2..)?));
        }
        'u' | 'U' => {
            let count = if sign == 'u' { 4 } else { 8 };
            let c = char::from_u32(digits(after, count, 16)?)?;
            return Some((Found::Char(c), after.get(count..)?));
        }
        '0'..='7' => {
            let byte = u8::try_from(digits(rest, 3, 8)?).ok()?;
            return Some((Found::Byte(byte), rest.get(3..)?));
        }
        _ => return None,
    };
    Some((Found::Char(plain), after))
}
