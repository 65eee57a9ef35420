//! Text formatting with the rules and the error messages of Java 17's `String.format`.
//!
//! A pattern is compiled once and applied to any number of argument lists. Decimal
//! separators are those of the en_US locale.

mod dates;
mod error;
mod floats;
mod hash;
mod hexfloat;
mod integers;
mod out;
mod spec;

pub use dates::{DateFields, DateParts, UtcDates};
pub use error::FormatError;
pub use hash::{
    java_big_hash, java_double_hash, java_float_hash, java_long_hash, java_string_hash,
};

use num_bigint::BigInt;
use out::Out;
use spec::{ArgRef, Flags, Piece, Spec};

use crate::eval::java::numbers::{double_text, float_text, push_signed};

/// One argument of a format call, tagged with the Java type it stands for.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// Java's null.
    Null,
    /// `java.lang.Boolean`.
    Bool(bool),
    /// `java.lang.Integer`.
    Int(i32),
    /// `java.lang.Long`.
    Long(i64),
    /// `java.math.BigInteger`.
    BigInt(&'a BigInt),
    /// `java.lang.Float`.
    Float(f32),
    /// `java.lang.Double`.
    Double(f64),
    /// `java.lang.Character`, one UTF-16 unit.
    Char(u16),
    /// `java.lang.String`.
    Str(&'a str),
    /// Any other object, given by what the formatter can ask of it.
    Other {
        /// The text form (`toString`).
        text: &'a str,
        /// The full Java class name, used in error messages.
        class: &'a str,
        /// The Java hash code, printed by `%h`.
        hash: i32,
    },
}

impl<'a> Arg<'a> {
    /// The Java class name that error messages show.
    pub fn class_name(&self) -> &'a str {
        match self {
            Arg::Null => "null",
            Arg::Bool(_) => "java.lang.Boolean",
            Arg::Int(_) => "java.lang.Integer",
            Arg::Long(_) => "java.lang.Long",
            Arg::BigInt(_) => "java.math.BigInteger",
            Arg::Float(_) => "java.lang.Float",
            Arg::Double(_) => "java.lang.Double",
            Arg::Char(_) => "java.lang.Character",
            Arg::Str(_) => "java.lang.String",
            Arg::Other { class, .. } => class,
        }
    }
}

/// A compiled format pattern.
#[derive(Clone, Debug)]
pub struct Format {
    pattern: Box<str>,
    pieces: Vec<Piece>,
}

impl Format {
    /// Parses a pattern; like Java 17 this reports the first bad specifier of the whole text.
    pub fn compile(pattern: &str) -> Result<Format, FormatError> {
        Ok(Format {
            pattern: pattern.into(),
            pieces: spec::parse(pattern)?,
        })
    }

    /// The pattern this format was compiled from.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// How many arguments the pattern can use.
    pub fn arguments(&self) -> usize {
        let (mut next, mut most) = (0usize, 0usize);
        for piece in &self.pieces {
            let Piece::Spec(spec) = piece else { continue };
            match spec.arg {
                ArgRef::Ordinary => next = next.saturating_add(1),
                ArgRef::Explicit(position) => most = most.max(position.saturating_add(1)),
                ArgRef::Unused | ArgRef::Previous => {}
            }
        }
        most.max(next)
    }

    /// Formats the arguments into at most `max_len` bytes; `dates` serves `%t` and `%T`.
    pub fn apply(
        &self,
        args: &[Arg<'_>],
        dates: &dyn DateParts,
        max_len: usize,
    ) -> Result<String, FormatError> {
        let mut out = Out::new(max_len);
        let mut last: Option<usize> = None;
        let mut next = 0usize;
        for piece in &self.pieces {
            let spec = match piece {
                Piece::Text { start, end } => {
                    out.push_str(self.pattern.get(*start..*end).unwrap_or(""), *start)?;
                    continue;
                }
                Piece::Spec(spec) => spec,
            };
            let position = match spec.arg {
                ArgRef::Unused => {
                    print_literal(spec, &mut out)?;
                    continue;
                }
                ArgRef::Previous => last,
                ArgRef::Ordinary => {
                    let position = next;
                    next = next.saturating_add(1);
                    Some(position)
                }
                ArgRef::Explicit(position) => Some(position),
            };
            let Some(arg) = position.and_then(|at| args.get(at)) else {
                return Err(FormatError::missing_argument(spec));
            };
            last = position;
            print(spec, arg, dates, &mut out)?;
        }
        Ok(out.finish())
    }
}

/// Prints `%%` and `%n`, which take no argument.
fn print_literal(spec: &Spec, out: &mut Out) -> Result<(), FormatError> {
    out.justify(spec, if spec.conversion == 'n' { "\n" } else { "%" })
}

/// Prints one argument under one specifier.
fn print(
    spec: &Spec,
    arg: &Arg<'_>,
    dates: &dyn DateParts,
    out: &mut Out,
) -> Result<(), FormatError> {
    if spec.date {
        return match arg {
            Arg::Null => print_text(spec, "null", out),
            Arg::Long(millis) => dates::print(spec, *millis, dates, out),
            _ => Err(FormatError::conversion(spec, arg.class_name())),
        };
    }
    match spec.conversion {
        's' => print_string(spec, arg, out),
        'b' => match arg {
            Arg::Null | Arg::Bool(false) => print_text(spec, "false", out),
            _ => print_text(spec, "true", out),
        },
        'h' => match hash::of(arg) {
            Some(hash) => print_text(spec, &format!("{hash:x}"), out),
            None => print_text(spec, "null", out),
        },
        'c' => print_character(spec, arg, out),
        'd' | 'o' | 'x' => match arg {
            Arg::Null => print_text(spec, "null", out),
            Arg::Int(value) => integers::print_int(spec, *value, out),
            Arg::Long(value) => integers::print_long(spec, *value, out),
            Arg::BigInt(value) => integers::print_big(spec, value, out),
            _ => Err(FormatError::conversion(spec, arg.class_name())),
        },
        _ => match arg {
            Arg::Null => print_text(spec, "null", out),
            Arg::Float(value) => floats::print(spec, f64::from(*value), out),
            Arg::Double(value) => floats::print(spec, *value, out),
            _ => Err(FormatError::conversion(spec, arg.class_name())),
        },
    }
}

/// Prints `%s`, borrowing text arguments where possible.
fn print_string(spec: &Spec, arg: &Arg<'_>, out: &mut Out) -> Result<(), FormatError> {
    if spec.flags.has(Flags::ALTERNATE) {
        return Err(FormatError::mismatch(spec, Flags::ALTERNATE));
    }
    let mut text = String::new();
    match arg {
        Arg::Str(text) | Arg::Other { text, .. } => return print_text(spec, text, out),
        Arg::Null => return print_text(spec, "null", out),
        Arg::Bool(value) => return print_text(spec, if *value { "true" } else { "false" }, out),
        Arg::Int(value) => push_signed(i64::from(*value), &mut text),
        Arg::Long(value) => push_signed(*value, &mut text),
        Arg::BigInt(value) => text = value.to_string(),
        Arg::Float(value) => float_text(*value, &mut text),
        Arg::Double(value) => double_text(*value, &mut text),
        Arg::Char(unit) => text.push(out::unit_char(*unit)),
    }
    print_text(spec, &text, out)
}

/// Prints `%c` of a character or a code point.
fn print_character(spec: &Spec, arg: &Arg<'_>, out: &mut Out) -> Result<(), FormatError> {
    let c = match arg {
        Arg::Null => return print_text(spec, "null", out),
        Arg::Char(unit) => out::unit_char(*unit),
        Arg::Int(point) => match u32::try_from(*point) {
            Ok(point) if point <= 0x10_FFFF => char::from_u32(point).unwrap_or(out::LONE_SURROGATE),
            _ => return Err(FormatError::code_point(spec, *point)),
        },
        _ => return Err(FormatError::conversion(spec, arg.class_name())),
    };
    print_text(spec, c.encode_utf8(&mut [0; 4]), out)
}

/// Prints text under precision, upper-casing and width.
fn print_text(spec: &Spec, text: &str, out: &mut Out) -> Result<(), FormatError> {
    let cut;
    let mut text = text;
    if let Some(limit) = spec.precision {
        cut = out::truncate_units(text, limit);
        text = &cut;
    }
    if spec.flags.has(Flags::UPPERCASE) {
        return out.justify(spec, &text.to_uppercase());
    }
    out.justify(spec, text)
}
