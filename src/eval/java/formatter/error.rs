//! Errors of the formatter, worded as Java's exceptions.

use std::fmt;

use super::spec::{Flags, Spec};

/// A failed compilation or formatting, with the message of Java's exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// What Java's `getMessage()` returns.
    pub message: String,
    /// Byte offset of the guilty specifier in the pattern.
    pub offset: usize,
    /// Simple name of Java's exception class.
    pub class: &'static str,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}

impl FormatError {
    fn new(class: &'static str, message: String, offset: usize) -> FormatError {
        FormatError {
            message,
            offset,
            class,
        }
    }

    pub(super) fn unknown_conversion(text: &str, offset: usize) -> FormatError {
        FormatError::new(
            "UnknownFormatConversionException",
            format!("Conversion = '{text}'"),
            offset,
        )
    }

    pub(super) fn duplicate_flag(flag: char, offset: usize) -> FormatError {
        FormatError::new(
            "DuplicateFormatFlagsException",
            format!("Flags = '{flag}'"),
            offset,
        )
    }

    pub(super) fn argument_index(index: Option<i32>, offset: usize) -> FormatError {
        let message = match index {
            Some(index) => format!("Illegal format argument index = {index}"),
            None => "Format argument index: (not representable as int)".to_string(),
        };
        FormatError::new("IllegalFormatArgumentIndexException", message, offset)
    }

    pub(super) fn width(width: i32, offset: usize) -> FormatError {
        FormatError::new("IllegalFormatWidthException", width.to_string(), offset)
    }

    pub(super) fn precision(precision: i32, offset: usize) -> FormatError {
        FormatError::new(
            "IllegalFormatPrecisionException",
            precision.to_string(),
            offset,
        )
    }

    pub(super) fn missing_width(spec: &Spec) -> FormatError {
        FormatError::new("MissingFormatWidthException", spec.text(), spec.offset)
    }

    pub(super) fn illegal_flags(spec: &Spec) -> FormatError {
        FormatError::new(
            "IllegalFormatFlagsException",
            format!("Flags = '{}'", spec.flags.text()),
            spec.offset,
        )
    }

    pub(super) fn mismatch(spec: &Spec, flag: u16) -> FormatError {
        FormatError::new(
            "FormatFlagsConversionMismatchException",
            format!(
                "Conversion = {}, Flags = {}",
                spec.conversion,
                Flags::only(flag).text()
            ),
            spec.offset,
        )
    }

    pub(super) fn missing_argument(spec: &Spec) -> FormatError {
        FormatError::new(
            "MissingFormatArgumentException",
            format!("Format specifier '{}'", spec.text()),
            spec.offset,
        )
    }

    pub(super) fn conversion(spec: &Spec, class: &str) -> FormatError {
        FormatError::new(
            "IllegalFormatConversionException",
            format!("{} != {class}", spec.conversion),
            spec.offset,
        )
    }

    pub(super) fn code_point(spec: &Spec, point: i32) -> FormatError {
        FormatError::new(
            "IllegalFormatCodePointException",
            format!("Code point = 0x{point:x}"),
            spec.offset,
        )
    }

    /// The result would pass the caller's length limit (Java would run out of memory).
    pub(super) fn too_long(limit: usize, offset: usize) -> FormatError {
        FormatError::new(
            "OutOfMemoryError",
            format!("formatted text longer than {limit} bytes"),
            offset,
        )
    }
}
