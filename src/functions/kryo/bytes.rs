//! Kryo's numbers and texts as bytes.

use super::damaged;
use crate::diagnostic::Outcome;
use crate::eval::text::{unit_to_char, utf16_length};
use smol_str::{SmolStr, SmolStrBuilder};

/// A place in bytes that are read.
pub struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// At the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next byte.
    pub fn byte(&mut self) -> Outcome<u8> {
        match self.bytes.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(*byte)
            }
            None => Err(damaged(self.at, "it ends too early")),
        }
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let end = self.at.checked_add(count);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => Err(damaged(self.bytes.len(), "it ends too early")),
        }
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        let at = self.at;
        let bytes = self.take(N)?;
        bytes
            .try_into()
            .map_err(|_| damaged(at, "it ends too early"))
    }

    /// A number of at most 32 bits, seven a byte, the lowest first.
    pub fn varint(&mut self) -> Outcome<u32> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }

    /// A signed number of 32 bits whose last bit is the sign.
    pub fn int(&mut self) -> Outcome<i32> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A number of 64 bits, seven a byte, eight in the ninth.
    pub fn varlong(&mut self) -> Outcome<u64> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28, 35, 42, 49] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Ok(value | (u64::from(self.byte()?) << 56))
    }

    /// A signed number of 64 bits whose last bit is the sign.
    pub fn long(&mut self) -> Outcome<i64> {
        let value = self.varlong()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A double.
    pub fn double(&mut self) -> Outcome<f64> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    /// How many parts follow, each of at least `size` bytes, so that no length asks for more memory than there is data.
    pub fn count(&mut self, size: usize) -> Outcome<usize> {
        let at = self.at;
        let count = self.varint()? as usize;
        self.check_count(count, size, at)
    }

    /// Like [`Input::count`], of a number that is one higher; `None` for null.
    pub fn count_or_null(&mut self, size: usize) -> Outcome<Option<usize>> {
        let at = self.at;
        match self.varint()? {
            0 => Ok(None),
            n => self.check_count(n as usize - 1, size, at).map(Some),
        }
    }

    fn check_count(&self, count: usize, size: usize, at: usize) -> Outcome<usize> {
        if count.saturating_mul(size) > self.left() {
            let left = self.left();
            let message = format!("{count} parts cannot follow in the last {left} bytes");
            return Err(damaged(at, message));
        }
        Ok(count)
    }

    /// A text; `None` for null.
    pub fn text(&mut self) -> Outcome<Option<SmolStr>> {
        let at = self.at;
        let first = self.byte()?;
        if first & 0x80 == 0 {
            return self.ascii(at).map(Some);
        }
        let mut units = u64::from(first & 0x3f);
        if first & 0x40 != 0 {
            for shift in [6, 13, 20, 27] {
                let byte = self.byte()?;
                units |= u64::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        match usize::try_from(units) {
            Ok(0) => Ok(None),
            Ok(n) if n - 1 <= self.left() => self.units(n - 1).map(Some),
            _ => {
                let message = format!("a text of {} characters cannot follow", units - 1);
                Err(damaged(at, message))
            }
        }
    }

    /// A text of ASCII, the last byte of which has its top bit set.
    fn ascii(&mut self, start: usize) -> Outcome<SmolStr> {
        let rest = self.bytes.get(start..).unwrap_or(&[]);
        let Some(last) = rest.iter().position(|byte| byte & 0x80 != 0) else {
            return Err(damaged(start, "a text has no end"));
        };
        self.at = start + last + 1;
        let (front, end) = rest.split_at(last);
        let mut text = SmolStrBuilder::new();
        text.push_str(std::str::from_utf8(front).unwrap_or(""));
        text.push(char::from(end.first().map_or(0, |byte| byte & 0x7f)));
        Ok(text.finish())
    }

    /// A text of UTF-16 units, each by itself in the manner of UTF-8.
    fn units(&mut self, count: usize) -> Outcome<SmolStr> {
        let start = self.at;
        let plain = self.bytes.get(start..start + count).unwrap_or(&[]);
        if plain.is_ascii() {
            self.at += count;
            return Ok(SmolStr::new(std::str::from_utf8(plain).unwrap_or("")));
        }
        let mut text = String::with_capacity(count);
        let mut high = None;
        for _ in 0..count {
            let unit = self.unit()?;
            match (high.take(), unit) {
                (None, 0xd800..0xdc00) => high = Some(unit),
                (Some(first), 0xdc00..0xe000) => {
                    let pair = char::decode_utf16([first, unit]).next();
                    text.push(
                        pair.and_then(Result::ok)
                            .unwrap_or(char::REPLACEMENT_CHARACTER),
                    );
                }
                (alone, unit) => {
                    // Half a pair has no place in a text.
                    text.extend(alone.map(unit_to_char));
                    match unit {
                        0xd800..0xdc00 => high = Some(unit),
                        unit => text.push(unit_to_char(unit)),
                    }
                }
            }
        }
        text.extend(high.map(unit_to_char));
        Ok(SmolStr::from(text))
    }

    fn unit(&mut self) -> Outcome<u16> {
        let at = self.at;
        let first = u16::from(self.byte()?);
        let more = match first >> 4 {
            0..=7 => return Ok(first),
            12 | 13 => 1,
            14 => 2,
            _ => return Err(damaged(at, "this begins no character")),
        };
        let mut unit = first & if more == 1 { 0x1f } else { 0x0f };
        for _ in 0..more {
            unit = (unit << 6) | u16::from(self.byte()? & 0x3f);
        }
        Ok(unit)
    }
}

/// Appends a number of at most 32 bits.
pub fn put_varint(mut value: u32, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number of 32 bits.
pub fn put_int(value: i32, out: &mut Vec<u8>) {
    put_varint(((value << 1) ^ (value >> 31)).cast_unsigned(), out);
}

/// Appends a number of 64 bits.
pub fn put_varlong(mut value: u64, out: &mut Vec<u8>) {
    for _ in 0..8 {
        if value <= 0x7f {
            break;
        }
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    // The ninth byte carries eight bits.
    out.push(value as u8);
}

/// Appends a signed number of 64 bits.
pub fn put_long(value: i64, out: &mut Vec<u8>) {
    put_varlong(((value << 1) ^ (value >> 63)).cast_unsigned(), out);
}

/// Appends a text.
pub fn put_text(text: &str, out: &mut Vec<u8>) {
    let ascii = text.is_ascii();
    match text.as_bytes() {
        [] => out.push(0x81),
        [front @ .., last] if ascii && (1..63).contains(&front.len()) => {
            out.extend_from_slice(front);
            out.push(last | 0x80);
        }
        bytes => {
            put_text_length(utf16_length(text) as u64 + 1, out);
            if ascii {
                out.extend_from_slice(bytes);
            } else {
                text.encode_utf16().for_each(|unit| put_unit(unit, out));
            }
        }
    }
}

/// Six bits and a mark in the first byte, seven in each further one.
fn put_text_length(length: u64, out: &mut Vec<u8>) {
    let mut left = length >> 6;
    let first = 0x80 | (length & 0x3f) as u8;
    out.push(if left == 0 { first } else { first | 0x40 });
    while left > 0 {
        let byte = (left & 0x7f) as u8;
        left >>= 7;
        out.push(if left == 0 { byte } else { byte | 0x80 });
    }
}

fn put_unit(unit: u16, out: &mut Vec<u8>) {
    let low = |shift: u16| ((unit >> shift) & 0x3f) as u8 | 0x80;
    match unit {
        0..0x80 => out.push(unit as u8),
        0x80..0x800 => out.extend([(unit >> 6) as u8 | 0xc0, low(0)]),
        _ => out.extend([(unit >> 12) as u8 | 0xe0, low(6), low(0)]),
    }
}
