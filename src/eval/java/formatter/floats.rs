//! `%f`, `%e`, `%g` and `%a`.

use super::error::FormatError;
use super::hexfloat;
use super::integers::{inner_width, leading_sign, magnitude, trailing_sign};
use super::out::Out;
use super::spec::{Flags, Spec};
use crate::eval::java::numbers::{Digits, push_unsigned};

/// Prints a double (floats are widened first, as Java does).
pub(super) fn print(spec: &Spec, value: f64, out: &mut Out) -> Result<(), FormatError> {
    let upper = spec.flags.has(Flags::UPPERCASE);
    if value.is_nan() {
        return out.justify(spec, if upper { "NAN" } else { "NaN" });
    }
    let negative = value.is_sign_negative();
    let value = value.abs();
    let mut number = String::new();
    leading_sign(spec, negative, &mut number);
    if value.is_infinite() {
        number.push_str(if upper { "INFINITY" } else { "Infinity" });
    } else {
        // Every finite form shows at least this many digits.
        out.reserve(spec.precision.unwrap_or(0), spec.offset)?;
        match spec.conversion {
            'f' => fixed(spec, value, negative, &mut number, out)?,
            'e' => scientific(spec, value, negative, &mut number, out)?,
            'g' => general(spec, value, negative, &mut number, out)?,
            _ => hexfloat::append(spec, value, negative, &mut number, out)?,
        }
    }
    trailing_sign(spec, negative, &mut number);
    out.justify(spec, &number)
}

/// Decimal digits rounded half-up, `0.d1d2d3… × 10^exp`; no digits mean zero.
struct Rounded {
    digits: [u8; 20],
    len: usize,
    exp: i64,
}

impl Rounded {
    /// Shortest digits of the value, all kept.
    fn exact(value: f64) -> Rounded {
        let mut rounded = Rounded {
            digits: [0; 20],
            len: 0,
            exp: 1,
        };
        if value == 0.0 {
            return rounded;
        }
        let shortest = Digits::of_double(value);
        rounded.exp = i64::from(shortest.exp);
        for (slot, digit) in rounded.digits.iter_mut().zip(shortest.as_slice()) {
            *slot = *digit;
            rounded.len += 1;
        }
        rounded
    }

    /// Rounds to the first `keep` digits; a negative count leaves nothing.
    fn keep(mut self, keep: i64) -> Rounded {
        let Ok(keep) = usize::try_from(keep) else {
            self.len = 0;
            return self;
        };
        if keep >= self.len {
            return self;
        }
        let up = self.digits.get(keep).is_some_and(|digit| *digit >= b'5');
        self.len = keep;
        if !up {
            return self;
        }
        while let Some(last) = self.len.checked_sub(1) {
            match self.digits.get_mut(last) {
                Some(digit) if *digit < b'9' => {
                    *digit += 1;
                    return self;
                }
                // A nine turns into a trailing zero, which need not be stored.
                _ => self.len = last,
            }
        }
        if let Some(first) = self.digits.first_mut() {
            *first = b'1';
        }
        self.len = 1;
        self.exp += 1;
        self
    }

    /// The digit at a place, zero outside of the stored ones.
    fn digit(&self, place: i64) -> char {
        let stored = self.digits.get(..self.len).unwrap_or(&[]);
        let digit = usize::try_from(place).ok().and_then(|at| stored.get(at));
        char::from(digit.copied().unwrap_or(b'0'))
    }

    /// Plain notation with the given number of fraction digits.
    fn plain(&self, fraction: i64) -> String {
        let mut text = String::new();
        if self.exp <= 0 {
            text.push('0');
        } else {
            text.extend((0..self.exp).map(|place| self.digit(place)));
        }
        if fraction > 0 {
            text.push('.');
            text.extend((0..fraction).map(|place| self.digit(self.exp.saturating_add(place))));
        }
        text
    }

    /// One digit, a point and the given number of fraction digits.
    fn mantissa(&self, fraction: i64) -> String {
        let mut text = String::new();
        text.push(self.digit(0));
        if fraction > 0 {
            text.push('.');
            text.extend((1..=fraction).map(|place| self.digit(place)));
        }
        text
    }

    /// The exponent of scientific notation.
    fn exponent(&self) -> i64 {
        self.exp - 1
    }
}

/// The requested precision, six unless given.
fn precision(spec: &Spec) -> i64 {
    spec.precision
        .map_or(6, |count| i64::try_from(count).unwrap_or(i64::MAX / 4))
}

/// Adds the point that `#` asks for when no fraction digit shows it.
fn add_point(spec: &Spec, fraction: i64, text: &mut String) {
    if fraction == 0 && spec.flags.has(Flags::ALTERNATE) {
        text.push('.');
    }
}

/// Appends `%f`.
fn fixed(
    spec: &Spec,
    value: f64,
    negative: bool,
    number: &mut String,
    out: &Out,
) -> Result<(), FormatError> {
    let fraction = precision(spec);
    let exact = Rounded::exact(value);
    let keep = exact.exp.saturating_add(fraction);
    let mut text = exact.keep(keep).plain(fraction);
    add_point(spec, fraction, &mut text);
    let width = inner_width(spec, negative, 0);
    magnitude(spec, &text, width, number, out)
}

/// Appends `%e`.
fn scientific(
    spec: &Spec,
    value: f64,
    negative: bool,
    number: &mut String,
    out: &Out,
) -> Result<(), FormatError> {
    let fraction = precision(spec);
    let rounded = Rounded::exact(value).keep(fraction.saturating_add(1));
    let mut text = rounded.mantissa(fraction);
    add_point(spec, fraction, &mut text);
    with_exponent(spec, &text, rounded.exponent(), negative, number, out)
}

/// Appends a mantissa and its exponent of at least two digits.
fn with_exponent(
    spec: &Spec,
    mantissa: &str,
    exponent: i64,
    negative: bool,
    number: &mut String,
    out: &Out,
) -> Result<(), FormatError> {
    let mut tail = String::new();
    tail.push(if spec.flags.has(Flags::UPPERCASE) {
        'E'
    } else {
        'e'
    });
    tail.push(if exponent < 0 { '-' } else { '+' });
    let size = exponent.unsigned_abs();
    if size < 10 {
        tail.push('0');
    }
    push_unsigned(size, &mut tail);
    let width = inner_width(spec, negative, tail.len());
    magnitude(spec, mantissa, width, number, out)?;
    number.push_str(&tail);
    Ok(())
}

/// Appends `%g`: plain between 10^-4 and 10^precision after rounding, else scientific.
fn general(
    spec: &Spec,
    value: f64,
    negative: bool,
    number: &mut String,
    out: &Out,
) -> Result<(), FormatError> {
    let significant = precision(spec).max(1);
    let rounded = Rounded::exact(value).keep(significant);
    let exponent = rounded.exponent();
    if value != 0.0 && (exponent < -4 || exponent >= significant) {
        let text = rounded.mantissa(significant - 1);
        return with_exponent(spec, &text, exponent, negative, number, out);
    }
    let text = rounded.plain(significant - rounded.exp);
    let width = inner_width(spec, negative, 0);
    magnitude(spec, &text, width, number, out)
}
