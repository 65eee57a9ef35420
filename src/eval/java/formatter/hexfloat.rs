//! `%a`: hexadecimal floating-point text.

use super::error::FormatError;
use super::out::Out;
use super::spec::{Flags, Spec};

/// Fraction bits of a double.
const FRACTION_BITS: u32 = 52;

/// Appends `%a` of a finite magnitude.
pub(super) fn append(
    spec: &Spec,
    value: f64,
    negative: bool,
    number: &mut String,
    out: &Out,
) -> Result<(), FormatError> {
    // Zero asks for one digit; no precision asks for all that are needed.
    let wanted = spec.precision.map(|count| count.max(1));
    let (mut mantissa, exponent) = hex_parts(value, wanted);
    let exponent = exponent.to_string();
    let upper = spec.flags.has(Flags::UPPERCASE);
    number.push_str(if upper { "0X" } else { "0x" });
    if spec.flags.has(Flags::ZERO) {
        let signed = negative || spec.flags.has(Flags::SPACE | Flags::PLUS);
        let taken = mantissa.len() + 1 + exponent.len() + 2 + usize::from(signed);
        let zeros = spec.width.unwrap_or(0).saturating_sub(taken);
        out.reserve(zeros, spec.offset)?;
        number.extend(std::iter::repeat_n('0', zeros));
    }
    if let Some(wanted) = wanted {
        // The mantissa is one digit, a point and the fraction.
        let shown = mantissa.len().saturating_sub(2);
        let missing = wanted.saturating_sub(shown);
        mantissa.extend(std::iter::repeat_n('0', missing));
    }
    if upper {
        mantissa.make_ascii_uppercase();
    }
    number.push_str(&mantissa);
    number.push(if upper { 'P' } else { 'p' });
    number.push_str(&exponent);
    Ok(())
}

/// Mantissa text and binary exponent, rounded half-even to `wanted` fraction digits.
fn hex_parts(value: f64, wanted: Option<usize>) -> (String, i64) {
    if value == 0.0 {
        return ("0.0".to_string(), 0);
    }
    let bits = value.to_bits();
    // The field is eleven bits wide, so both casts keep its value.
    let field = (bits >> FRACTION_BITS) as i64;
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let wanted = wanted.and_then(|count| u32::try_from(count).ok());
    let Some(kept) = wanted.filter(|count| *count < 13) else {
        let (lead, exponent) = if field == 0 {
            (0, -1022)
        } else {
            (1, field - 1023)
        };
        return (mantissa_text(lead, fraction), exponent);
    };
    // With a short precision Java normalizes subnormals before rounding.
    let (mut significand, mut exponent) = if field == 0 {
        let shift = fraction.leading_zeros() - (63 - FRACTION_BITS);
        (fraction << shift, -1022 - i64::from(shift))
    } else {
        (fraction | 1 << FRACTION_BITS, field - 1023)
    };
    let drop = FRACTION_BITS - 4 * kept;
    let rest = significand & ((1 << drop) - 1);
    let half = 1 << (drop - 1);
    significand >>= drop;
    if rest > half || (rest == half && significand & 1 == 1) {
        significand += 1;
    }
    significand <<= drop;
    if significand >> (FRACTION_BITS + 1) != 0 {
        significand >>= 1;
        exponent += 1;
    }
    let fraction = significand & ((1 << FRACTION_BITS) - 1);
    (mantissa_text(1, fraction), exponent)
}

/// One leading digit, a point and the fraction without trailing zeros but never empty.
fn mantissa_text(lead: u8, fraction: u64) -> String {
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    format!("{lead}.{digits}")
}
