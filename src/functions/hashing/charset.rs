//! Charsets by the names that Java gives them, for hashing a text as another system holds it.

use encoding_rs::Encoding;
use smol_str::SmolStr;
use std::borrow::Cow;

/// How a text becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Charset {
    Utf8,
    Ascii,
    Latin1,
    /// Units of two or four bytes, with or without a byte-order mark in front, the large end first or the small one.
    Wide {
        bytes: usize,
        mark: bool,
        big: bool,
    },
    /// A charset of one system or region; all of them contain ASCII.
    Regional(&'static Encoding),
}

const fn wide(bytes: usize, mark: bool, big: bool) -> Charset {
    Charset::Wide { bytes, mark, big }
}

/// What stands for a character that a charset does not have, as in Java.
const MISSING: u8 = b'?';

impl Charset {
    /// The charset of a name, in any case.
    pub(super) fn named(name: &str) -> Option<Charset> {
        if name.len() > 40 {
            return None;
        }
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Charset::Utf8,
            "US-ASCII" | "ASCII" | "ISO646-US" | "ANSI_X3.4-1968" => Charset::Ascii,
            "ISO-8859-1" | "ISO8859-1" | "ISO8859_1" | "ISO_8859-1" | "LATIN1" | "L1" => {
                Charset::Latin1
            }
            "UTF-16" | "UTF16" | "UTF_16" => wide(2, true, true),
            "UTF-16BE" | "UTF_16BE" => wide(2, false, true),
            "UTF-16LE" | "UTF_16LE" => wide(2, false, false),
            "X-UTF-16LE-BOM" => wide(2, true, false),
            "UTF-32" | "UTF32" | "UTF_32" | "UTF-32BE" | "UTF_32BE" => wide(4, false, true),
            "UTF-32LE" | "UTF_32LE" => wide(4, false, false),
            other => {
                let encoding = Encoding::for_label(other.as_bytes())?;
                // The web takes some names for others, and UTF-16 and the like are above.
                if !encoding.is_ascii_compatible() || !encoding.name().eq_ignore_ascii_case(other) {
                    return None;
                }
                Charset::Regional(encoding)
            }
        })
    }

    /// The bytes of a text.
    pub(super) fn encode(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Charset::Utf8 => Cow::Borrowed(text.as_bytes()),
            Charset::Ascii => narrow(text, 0x80),
            Charset::Latin1 => narrow(text, 0x100),
            Charset::Wide { bytes, mark, big } => {
                let mut out = Vec::with_capacity(bytes * (text.len() + 1));
                let units: &mut dyn Iterator<Item = u32> = if bytes == 2 {
                    &mut text.encode_utf16().map(u32::from)
                } else {
                    &mut text.chars().map(u32::from)
                };
                // Java writes no mark when there is nothing to mark.
                let mark = mark && !text.is_empty();
                for unit in mark.then_some(0xfeff).into_iter().chain(units) {
                    let (large, small) = (unit.to_be_bytes(), unit.to_le_bytes());
                    out.extend(if big {
                        large.get(4 - bytes..).unwrap_or_default()
                    } else {
                        small.get(..bytes).unwrap_or_default()
                    });
                }
                Cow::Owned(out)
            }
            Charset::Regional(encoding) => regional(encoding, text),
        }
    }

    /// The text that ASCII bytes give in this charset: Metron reads the digits of a digest so, sensible or not.
    pub(super) fn decode(self, digits: SmolStr) -> SmolStr {
        let Charset::Wide { bytes, big, .. } = self else {
            return digits;
        };
        let unit = |bytes: &[u8]| {
            let join = |all: u32, byte: &u8| all << 8 | u32::from(*byte);
            if big {
                bytes.iter().fold(0, join)
            } else {
                bytes.iter().rev().fold(0, join)
            }
        };
        let character = |unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
        let units = digits.as_bytes().chunks(bytes);
        units.map(|bytes| character(unit(bytes))).collect()
    }
}

/// One byte a character, below `end`.
fn narrow(text: &str, end: u32) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return Cow::Borrowed(text.as_bytes());
    }
    let byte = |c: char| match u8::try_from(u32::from(c)) {
        Ok(byte) if u32::from(byte) < end => byte,
        _ => MISSING,
    };
    Cow::Owned(text.chars().map(byte).collect())
}

fn regional(encoding: &'static Encoding, text: &str) -> Cow<'static, [u8]> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::new();
    let mut buffer = [0; 4096];
    let mut rest = text;
    loop {
        let (result, read, written) =
            encoder.encode_from_utf8_without_replacement(rest, &mut buffer, true);
        out.extend_from_slice(buffer.get(..written).unwrap_or_default());
        rest = rest.get(read..).unwrap_or_default();
        match result {
            encoding_rs::EncoderResult::InputEmpty => return Cow::Owned(out),
            encoding_rs::EncoderResult::Unmappable(_) => out.push(MISSING),
            encoding_rs::EncoderResult::OutputFull => {}
        }
    }
}
