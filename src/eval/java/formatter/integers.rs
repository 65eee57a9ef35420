//! `%d`, `%o` and `%x`.

use num_bigint::{BigInt, Sign};

use super::error::FormatError;
use super::out::Out;
use super::spec::{Flags, Spec, refuse};
use crate::eval::java::numbers::{push_signed, push_unsigned};

/// Flags that plain two's complement output refuses.
const SIGNED_ONLY: u16 = Flags::PARENS | Flags::SPACE | Flags::PLUS;

/// Prints an int; octal and hexadecimal show its 32-bit pattern.
pub(super) fn print_int(spec: &Spec, value: i32, out: &mut Out) -> Result<(), FormatError> {
    match spec.conversion {
        'd' => print_decimal(spec, i64::from(value), out),
        // The cast reinterprets the bits.
        _ => print_pattern(spec, u64::from(value as u32), out),
    }
}

/// Prints a long; octal and hexadecimal show its 64-bit pattern.
pub(super) fn print_long(spec: &Spec, value: i64, out: &mut Out) -> Result<(), FormatError> {
    match spec.conversion {
        'd' => print_decimal(spec, value, out),
        _ => print_pattern(spec, value as u64, out),
    }
}

/// Prints a signed decimal.
fn print_decimal(spec: &Spec, value: i64, out: &mut Out) -> Result<(), FormatError> {
    let mut number = String::new();
    if spec.flags == Flags::only(0) {
        push_signed(value, &mut number);
        return out.justify(spec, &number);
    }
    let mut digits = String::new();
    push_unsigned(value.unsigned_abs(), &mut digits);
    let negative = value < 0;
    leading_sign(spec, negative, &mut number);
    let width = inner_width(spec, negative, 0);
    magnitude(spec, &digits, width, &mut number, out)?;
    trailing_sign(spec, negative, &mut number);
    out.justify(spec, &number)
}

/// Prints an unsigned bit pattern in base 8 or 16.
fn print_pattern(spec: &Spec, value: u64, out: &mut Out) -> Result<(), FormatError> {
    check_pattern_flags(spec)?;
    let digits = if spec.conversion == 'o' {
        format!("{value:o}")
    } else {
        format!("{value:x}")
    };
    let mut number = String::new();
    prefixed(spec, &digits, 0, &mut number, out)?;
    out.justify(spec, &number)
}

/// Refuses sign flags, in the order Java checks them.
fn check_pattern_flags(spec: &Spec) -> Result<(), FormatError> {
    refuse(spec, Flags::PARENS)?;
    refuse(spec, SIGNED_ONLY & !Flags::PARENS & !Flags::PLUS)?;
    refuse(spec, Flags::PLUS)
}

/// Prints a big integer, which has a sign in every base.
pub(super) fn print_big(spec: &Spec, value: &BigInt, out: &mut Out) -> Result<(), FormatError> {
    let negative = value.sign() == Sign::Minus;
    let mut number = String::new();
    leading_sign(spec, negative, &mut number);
    let radix = match spec.conversion {
        'd' => 10,
        'o' => 8,
        _ => 16,
    };
    // Base 16 needs a digit per four bits, the others more: refuse before converting.
    let least = usize::try_from(value.bits() / 4).unwrap_or(usize::MAX);
    out.reserve(least, spec.offset)?;
    let digits = value.magnitude().to_str_radix(radix);
    if radix == 10 {
        let width = inner_width(spec, negative, 0);
        magnitude(spec, &digits, width, &mut number, out)?;
    } else {
        let closing = usize::from(negative && spec.flags.has(Flags::PARENS));
        prefixed(spec, &digits, closing, &mut number, out)?;
    }
    trailing_sign(spec, negative, &mut number);
    out.justify(spec, &number)
}

/// Appends octal or hexadecimal digits with their prefix and zero padding.
fn prefixed(
    spec: &Spec,
    digits: &str,
    closing: usize,
    number: &mut String,
    out: &Out,
) -> Result<(), FormatError> {
    let upper = spec.flags.has(Flags::UPPERCASE);
    if spec.flags.has(Flags::ALTERNATE) {
        number.push_str(match (spec.conversion, upper) {
            ('o', _) => "0",
            (_, true) => "0X",
            (_, false) => "0x",
        });
    }
    if spec.flags.has(Flags::ZERO) {
        let taken = number.len() + digits.len() + closing;
        let zeros = spec.width.unwrap_or(0).saturating_sub(taken);
        out.reserve(zeros, spec.offset)?;
        number.extend(std::iter::repeat_n('0', zeros));
    }
    if upper {
        number.push_str(&digits.to_ascii_uppercase());
    } else {
        number.push_str(digits);
    }
    Ok(())
}

/// Appends what stands before a signed number.
pub(super) fn leading_sign(spec: &Spec, negative: bool, number: &mut String) {
    if negative {
        number.push(if spec.flags.has(Flags::PARENS) {
            '('
        } else {
            '-'
        });
    } else if spec.flags.has(Flags::PLUS) {
        number.push('+');
    } else if spec.flags.has(Flags::SPACE) {
        number.push(' ');
    }
}

/// Appends what stands after a signed number.
pub(super) fn trailing_sign(spec: &Spec, negative: bool, number: &mut String) {
    if negative && spec.flags.has(Flags::PARENS) {
        number.push(')');
    }
}

/// The width left for sign and digits when `after` characters follow them.
pub(super) fn inner_width(spec: &Spec, negative: bool, after: usize) -> usize {
    let closing = usize::from(negative && spec.flags.has(Flags::PARENS));
    let width = spec.width.unwrap_or(0);
    width.saturating_sub(after).saturating_sub(closing)
}

/// Appends decimal digits with grouping, then zero-pads behind the sign up to `width`.
pub(super) fn magnitude(
    spec: &Spec,
    digits: &str,
    width: usize,
    number: &mut String,
    out: &Out,
) -> Result<(), FormatError> {
    let begin = number.len();
    if spec.flags.has(Flags::GROUP) {
        let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                number.push(',');
            }
            number.push(digit);
        }
        number.push_str(fraction);
    } else {
        number.push_str(digits);
    }
    if spec.flags.has(Flags::ZERO) && width > number.len() {
        let zeros = width - number.len();
        out.reserve(zeros, spec.offset)?;
        number.insert_str(begin, &"0".repeat(zeros));
    }
    Ok(())
}
