//! Numbers by their verbs.

use super::quote::quoted_character;
use super::{Printer, is_print};

impl Printer<'_> {
    /// Prints a whole number; false when the verb is not for one.
    pub(super) fn integer(&mut self, magnitude: u64, negative: bool, verb: char) -> bool {
        // Characters take the number as 64 bits without a sign.
        let bits = match negative {
            true => magnitude.wrapping_neg(),
            false => magnitude,
        };
        let character = u32::try_from(bits)
            .ok()
            .and_then(char::from_u32)
            .unwrap_or('\u{FFFD}');
        match verb {
            'd' | 'v' => self.digits(magnitude.to_string(), negative, ""),
            'b' => self.digits(format!("{magnitude:b}"), negative, "0b"),
            'o' | 'O' => self.octal(format!("{magnitude:o}"), negative, verb == 'O'),
            'x' => self.digits(format!("{magnitude:x}"), negative, "0x"),
            'X' => self.digits(format!("{magnitude:X}"), negative, "0X"),
            'c' => self.pad(character.to_string().as_bytes()),
            'q' => {
                let text = quoted_character(character, self.flags.plus);
                self.pad(text.as_bytes());
            }
            'U' => {
                let digits = self.flags.precision.unwrap_or(4).max(4);
                let mut text = format!("U+{bits:0digits$X}");
                let known = u32::try_from(bits).ok().and_then(char::from_u32);
                if let Some(c) = known.filter(|c| self.flags.sharp && is_print(*c)) {
                    text.push_str(&format!(" '{c}'"));
                }
                self.pad_blank(text.as_bytes());
            }
            _ => return false,
        }
        true
    }

    fn octal(&mut self, mut digits: String, negative: bool, named: bool) {
        if named {
            self.digits_with(digits, negative, "0o", self.flags.sharp);
            return;
        }
        digits = self.widened(digits, negative);
        let sign = match self.flags.sharp && !digits.starts_with('0') {
            true => "0",
            false => "",
        };
        self.signed(format!("{sign}{digits}"), negative);
    }

    fn digits(&mut self, digits: String, negative: bool, prefix: &str) {
        let prefix = if self.flags.sharp { prefix } else { "" };
        self.digits_with(digits, negative, prefix, false);
    }

    fn digits_with(&mut self, digits: String, negative: bool, prefix: &str, octal: bool) {
        let nothing = self.flags.precision == Some(0) && digits == "0";
        let mut digits = self.widened(digits, negative);
        if octal && !digits.starts_with('0') {
            digits.insert(0, '0');
        }
        match nothing {
            true => self.pad_blank(b""),
            false => self.signed(format!("{prefix}{digits}"), negative),
        }
    }

    /// Zeros before the digits, as many as the precision or the flag 0 say.
    fn widened(&self, digits: String, negative: bool) -> String {
        let flags = &self.flags;
        let least = match (flags.precision, flags.width) {
            (Some(0), _) if digits == "0" => return String::new(),
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => {
                let sign = negative || flags.plus || flags.space;
                width.saturating_sub(usize::from(sign))
            }
            _ => 0,
        };
        format!("{digits:0>least$}")
    }

    fn signed(&mut self, digits: String, negative: bool) {
        let sign = match (negative, self.flags.plus, self.flags.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        // The precision said that zero is nothing: then there is no sign either.
        let text = match digits.is_empty() {
            true => String::new(),
            false => format!("{sign}{digits}"),
        };
        self.pad_blank(text.as_bytes());
    }

    /// Prints a floating-point number; false when the verb is not for one.
    pub(super) fn float(&mut self, number: f64, verb: char) -> bool {
        let (verb, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return false,
        };
        let precision = self.flags.precision.or(precision);
        let flags = self.flags;
        let negative = number.is_sign_negative() && !number.is_nan();
        let mut sign = if negative { "-" } else { "+" };
        if flags.space && !negative && !flags.plus {
            sign = " ";
        }
        if !number.is_finite() {
            let shown = flags.plus || sign != "+";
            let text = match number.is_nan() {
                true if flags.space || flags.plus => format!("{sign}NaN"),
                true => "NaN".to_string(),
                false if shown => format!("{sign}Inf"),
                false => "Inf".to_string(),
            };
            // Go shows the sign of an infinity always.
            let text = match text.as_str() {
                "Inf" => "+Inf",
                other => other,
            };
            self.pad_blank(text.as_bytes());
            return true;
        }
        let mut digits = float_text(number.abs(), verb, precision);
        if flags.sharp && verb != 'b' {
            digits = with_point(&digits, verb, precision);
        }
        if !flags.plus && sign == "+" {
            self.pad(digits.as_bytes());
            return true;
        }
        let length = digits.len() + 1;
        match flags.width {
            Some(width) if flags.zero && !flags.minus && width > length => {
                self.out.push(sign.as_bytes());
                self.fill(width - length);
                self.out.push(digits.as_bytes());
            }
            _ => self.pad(format!("{sign}{digits}").as_bytes()),
        }
        true
    }
}

/// A number that is not negative, by a verb; without a precision the shortest text that means it.
fn float_text(number: f64, verb: char, precision: Option<usize>) -> String {
    match verb {
        'f' => match precision {
            Some(precision) => format!("{number:.precision$}"),
            None => format!("{number}"),
        },
        'e' | 'E' => {
            let text = match precision {
                Some(precision) => format!("{number:.precision$e}"),
                None => format!("{number:e}"),
            };
            exponent(&text, verb)
        }
        'b' => {
            let (mantissa, exponent) = parts(number);
            format!("{mantissa}p{exponent:+}")
        }
        'x' | 'X' => {
            let text = hexadecimal(number, precision);
            match verb {
                'X' => text.to_uppercase(),
                _ => text,
            }
        }
        _ => general(number, if verb == 'G' { 'E' } else { 'e' }, precision),
    }
}

/// `1.5e7` as `1.5e+07`.
fn exponent(text: &str, letter: char) -> String {
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}{letter}{sign}{:02}", power.unsigned_abs())
}

/// The verb g: the shorter of both forms.
fn general(number: f64, letter: char, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{number:.*e}", precision.max(1) - 1),
        None => format!("{number:e}"),
    };
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i64 = power.parse().unwrap_or(0);
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let count = digits.len() as i64;
    let point = if count == 0 { 0 } else { power + 1 };
    let mut most = match precision {
        Some(precision) => precision.max(1) as i64,
        None => 6,
    };
    if precision.is_some() && most > count && count >= point {
        most = count;
    }
    let power = point - 1;
    if count > 0 && (power < -4 || power >= most) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return exponent(&format!("{first}{point}{rest}e{power}"), letter);
    }
    let decimals = usize::try_from(count - point).unwrap_or(0);
    format!("{number:.decimals$}")
}

/// The whole mantissa and the power of two that a number is the product of.
fn parts(number: f64) -> (u64, i64) {
    let bits = number.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) & 0x7FF {
        0 => (fraction, -1074),
        power => (fraction | (1 << 52), power as i64 - 1075),
    }
}

/// `0x1.8p+01`
fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut power) = parts(number);
    if mantissa == 0 {
        power = 0;
    } else {
        // The leading one stands in bit 60, fifteen digits follow it.
        power += 52;
        while mantissa & (1 << 52) == 0 {
            mantissa <<= 1;
            power -= 1;
        }
        mantissa <<= 8;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = 60 - 4 * precision as u32;
        let half = 1u64 << (shift - 1);
        let rest = mantissa & ((1 << shift) - 1);
        mantissa >>= shift;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            power += 1;
        }
    }
    let first = mantissa >> 60;
    let digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let digits = match precision {
        None => digits.trim_end_matches('0').to_string(),
        Some(precision) => format!("{digits:0<precision$}")
            .get(..precision)
            .unwrap_or_default()
            .to_string(),
    };
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if power < 0 { '-' } else { '+' };
    format!("0x{first}{point}{digits}p{sign}{:02}", power.unsigned_abs())
}

/// The flag #: a decimal point always, and for g no zeros taken away.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let mut missing = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6) as i64,
        _ => 0,
    };
    let marks: &[char] = match verb {
        'x' | 'X' => &['p', 'P'],
        _ => &['e', 'E', 'p', 'P'],
    };
    let end = text.find(marks).unwrap_or(text.len());
    let (number, tail) = text.split_at(end);
    let mut seen = false;
    for c in number.chars().filter(|c| *c != '.') {
        seen |= c != '0';
        missing -= i64::from(seen);
    }
    let mut number = number.to_string();
    if !number.contains('.') {
        missing -= i64::from(number == "0");
        number.push('.');
    }
    let zeros = usize::try_from(missing).unwrap_or(0);
    number + &"0".repeat(zeros) + tail
}
