//! The encodings, as lenient as Apache Commons Codec 1.10, which Metron uses.

use crate::eval::java::numbers::java_digit;
use data_encoding::{BASE32, BASE32HEX, BASE64, BASE64URL_NOPAD, HEXLOWER};

/// An encoding of bytes as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Base32,
    Base32Hex,
    Base64,
    Binary,
    Hex,
    /// Not one of Metron's.
    Base64Url,
}

/// Metron's encodings, in its order.
pub(super) const SUPPORTED: &[(&str, Encoding)] = &[
    ("BASE32", Encoding::Base32),
    ("BASE32HEX", Encoding::Base32Hex),
    ("BASE64", Encoding::Base64),
    ("BINARY", Encoding::Binary),
    ("HEX", Encoding::Hex),
];

impl Encoding {
    /// The encoding of a name, in any case.
    pub(super) fn named(name: &str) -> Option<Encoding> {
        if name.len() > 40 {
            return None;
        }
        let name = name.to_uppercase();
        if name == "BASE64URL" {
            return Some(Encoding::Base64Url);
        }
        let known = SUPPORTED.iter().find(|(known, _)| *known == name);
        known.map(|(_, encoding)| *encoding)
    }

    /// How many bytes the code of so many bytes has.
    pub(super) fn encoded_length(self, length: usize) -> usize {
        match self {
            Encoding::Base32 | Encoding::Base32Hex => length.div_ceil(5).saturating_mul(8),
            Encoding::Base64 | Encoding::Base64Url => length.div_ceil(3).saturating_mul(4),
            Encoding::Binary => length.saturating_mul(8),
            Encoding::Hex => length.saturating_mul(2),
        }
    }

    /// The code of some bytes.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Base32 => BASE32.encode(bytes),
            Encoding::Base32Hex => BASE32HEX.encode(bytes),
            Encoding::Base64 => BASE64.encode(bytes),
            Encoding::Base64Url => BASE64URL_NOPAD.encode(bytes),
            Encoding::Hex => HEXLOWER.encode(bytes),
            // The last byte comes first.
            Encoding::Binary => bytes
                .iter()
                .rev()
                .flat_map(|byte| (0..8).rev().map(move |bit| digit(byte >> bit & 1 == 1)))
                .collect(),
        }
    }

    /// The text that a code stands for; `None` for a code that Metron gives back as it is.
    pub(super) fn decode(self, code: &str) -> Option<String> {
        let text = match self {
            Encoding::Hex => utf8(&hex(code)?),
            Encoding::Binary => {
                let text = utf8(&bits(code.as_bytes()));
                if text.bytes().all(|byte| byte <= b' ') {
                    return None;
                }
                text
            }
            _ => utf8(&self.symbols(code.as_bytes())),
        };
        Some(text)
    }

    /// Whether a text may be a code.
    pub(super) fn accepts(self, text: &str) -> bool {
        let symbol = |byte: u8| {
            self.symbol(byte).is_some() || matches!(byte, b'=' | b' ' | b'\t' | b'\r' | b'\n')
        };
        match self {
            Encoding::Hex => hex(text).is_some(),
            Encoding::Binary => text.bytes().all(|byte| matches!(byte, b'0' | b'1')),
            Encoding::Base64Url => text
                .trim_end_matches('=')
                .bytes()
                .all(|byte| !matches!(byte, b'+' | b'/') && self.symbol(byte).is_some()),
            _ => text.bytes().all(symbol),
        }
    }

    /// The value of a symbol of base 32 and 64.
    fn symbol(self, byte: u8) -> Option<u8> {
        match self {
            Encoding::Base32 => match byte {
                b'A'..=b'Z' => Some(byte - b'A'),
                b'2'..=b'7' => Some(byte - b'2' + 26),
                _ => None,
            },
            Encoding::Base32Hex => match byte {
                b'0'..=b'9' => Some(byte - b'0'),
                // W is a slip of the library: it counts as 32, which reaches into the symbol before it.
                b'A'..=b'W' => Some(byte - b'A' + 10),
                _ => None,
            },
            _ => match byte {
                b'A'..=b'Z' => Some(byte - b'A'),
                b'a'..=b'z' => Some(byte - b'a' + 26),
                b'0'..=b'9' => Some(byte - b'0' + 52),
                b'+' | b'-' => Some(62),
                b'/' | b'_' => Some(63),
                _ => None,
            },
        }
    }

    /// The whole bytes of all symbols up to the first `=`; anything else is skipped.
    fn symbols(self, code: &[u8]) -> Vec<u8> {
        // A block of so many symbols of so many bits is a whole number of bytes.
        let (block, width) = match self {
            Encoding::Base32 | Encoding::Base32Hex => (8, 5),
            _ => (4, 6),
        };
        let mut out = Vec::with_capacity(code.len() * width / 8);
        let mut emit = |bits: u64, symbols: usize| {
            let bytes = symbols * width / 8;
            let bits = bits >> (symbols * width - bytes * 8);
            out.extend_from_slice(bits.to_be_bytes().get(8 - bytes..).unwrap_or_default());
        };
        let (mut bits, mut symbols) = (0u64, 0);
        let symbol = |byte: &u8| self.symbol(*byte);
        for value in code.iter().take_while(|b| **b != b'=').filter_map(symbol) {
            bits = (bits << width).wrapping_add(u64::from(value));
            symbols += 1;
            if symbols == block {
                emit(bits, symbols);
                (bits, symbols) = (0, 0);
            }
        }
        emit(bits, symbols);
        out
    }
}

fn digit(bit: bool) -> char {
    if bit { '1' } else { '0' }
}

/// The bytes of hexadecimal digits; `None` for an odd number of them and for other characters.
fn hex(code: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = if code.is_ascii() {
        code.bytes().map(|byte| value(char::from(byte))).collect()
    } else {
        code.chars().map(value).collect()
    };
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| high << 4 | low;
    rest.is_empty().then(|| pairs.iter().map(byte).collect())
}

/// The value of a hexadecimal digit; decimal digits of all scripts and full-width letters count too, as in Java.
fn value(c: char) -> Option<u8> {
    let letter = match c {
        'Ａ'..='Ｆ' | 'ａ'..='ｆ' => char::from_u32(u32::from(c) - 0xfee0)?,
        c => c,
    };
    let value = letter.to_digit(16).or_else(|| java_digit(c))?;
    u8::try_from(value).ok()
}

/// The bytes of zeros and ones, the last eight first; what is no `1` counts as zero, and a rest in front is left out.
fn bits(code: &[u8]) -> Vec<u8> {
    let byte = |bits: &[u8]| {
        bits.iter()
            .fold(0, |byte, bit| byte << 1 | u8::from(*bit == b'1'))
    };
    code.rchunks_exact(8).map(byte).collect()
}

/// Bytes as text, with U+FFFD for what is not UTF-8: one for a surrogate, as in Java.
fn utf8(bytes: &[u8]) -> String {
    let surrogate = |at: &[u8]| at.len() > 1 && at[0] == 0xed && (0xa0..0xc0).contains(&at[1]);
    if !bytes.windows(2).any(surrogate) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(surrogate) {
        let (before, behind) = rest.split_at(at);
        text.push_str(&String::from_utf8_lossy(before));
        text.push(char::REPLACEMENT_CHARACTER);
        let third = matches!(behind.get(2), Some(0x80..0xc0));
        rest = behind.get(if third { 3 } else { 2 }..).unwrap_or_default();
    }
    text.push_str(&String::from_utf8_lossy(rest));
    text
}
