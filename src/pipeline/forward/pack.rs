//! MessagePack as it is read: values that point into the bytes, and where values end.
//!
//! <https://github.com/msgpack/msgpack/blob/master/spec.md>

use crate::eval::Value;
use crate::eval::collections::{Entries, Hashing, List, Map, MapKind};
use crate::pipeline::step::whole;
use crate::pipeline::yaml::Bytes;
use num_bigint::BigInt;
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::sync::Arc;

/// How deep values may nest.
pub const DEPTH: usize = 128;

/// How many values one message entry may hold; each takes far more memory than its one byte on the way.
pub const VALUES: usize = 1_000_000;

/// Why bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// They end within a value.
    Cut,
    /// They nest too deep.
    Deep,
    /// There are too many values in one.
    Many,
    /// A byte begins no value.
    Unknown(u8),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Cut => f.write_str("it ends within a value"),
            Trouble::Deep => write!(f, "it nests deeper than {DEPTH} levels"),
            Trouble::Many => write!(f, "it holds more than {VALUES} values in one entry"),
            Trouble::Unknown(byte) => write!(f, "the byte 0x{byte:02x} begins no value"),
        }
    }
}

/// One value; of a list or map, only how much follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    /// Nothing.
    Nil,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number beyond those.
    Large(u64),
    /// A floating-point number.
    Float(f64),
    /// A text; clients put other bytes there, too.
    Text(&'a [u8]),
    /// Bytes.
    Binary(&'a [u8]),
    /// So many values follow.
    List(u32),
    /// So many pairs of values follow.
    Map(u32),
    /// Bytes with a type.
    Extension(i8, &'a [u8]),
}

impl Token<'_> {
    /// What it is, in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Token::Nil => "null",
            Token::Bool(_) => "a truth value",
            Token::Int(_) | Token::Large(_) => "a whole number",
            Token::Float(_) => "a number",
            Token::Text(_) => "a text",
            Token::Binary(_) => "bytes",
            Token::List(_) => "a list",
            Token::Map(_) => "a map",
            Token::Extension(..) => "an extension",
        }
    }
}

/// Reads values one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    fn take(&mut self, count: usize) -> Result<&'a [u8], Trouble> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Trouble::Cut)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Trouble> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Trouble::Cut)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<usize, Trouble> {
        Ok(usize::from(u8::from_be_bytes(self.array()?)))
    }

    fn u16(&mut self) -> Result<u32, Trouble> {
        Ok(u32::from(u16::from_be_bytes(self.array()?)))
    }

    fn u32(&mut self) -> Result<u32, Trouble> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn extension(&mut self, length: usize) -> Result<Token<'a>, Trouble> {
        let kind = i8::from_be_bytes(self.array()?);
        Ok(Token::Extension(kind, self.take(length)?))
    }

    /// The next value.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, Trouble> {
        let [first] = self.array()?;
        Ok(match first {
            0x00..=0x7f => Token::Int(i64::from(first)),
            0x80..=0x8f => Token::Map(u32::from(first & 0x0f)),
            0x90..=0x9f => Token::List(u32::from(first & 0x0f)),
            0xa0..=0xbf => Token::Text(self.take(usize::from(first & 0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => return Err(Trouble::Unknown(first)),
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4 | 0xd9 => {
                let length = self.u8()?;
                self.bytes(first == 0xd9, length)?
            }
            0xc5 | 0xda => {
                let length = self.u16()? as usize;
                self.bytes(first == 0xda, length)?
            }
            0xc6 | 0xdb => {
                let length = self.u32()? as usize;
                self.bytes(first == 0xdb, length)?
            }
            0xc7 => {
                let length = self.u8()?;
                self.extension(length)?
            }
            0xc8 => {
                let length = self.u16()? as usize;
                self.extension(length)?
            }
            0xc9 => {
                let length = self.u32()? as usize;
                self.extension(length)?
            }
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Token::Int(self.u8()? as i64),
            0xcd => Token::Int(i64::from(self.u16()?)),
            0xce => Token::Int(i64::from(self.u32()?)),
            0xcf => {
                let number = u64::from_be_bytes(self.array()?);
                i64::try_from(number).map_or(Token::Large(number), Token::Int)
            }
            0xd0 => Token::Int(i64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => Token::Int(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => Token::Int(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => Token::Int(i64::from_be_bytes(self.array()?)),
            0xd4..=0xd8 => self.extension(1 << (first - 0xd4))?,
            0xdc => Token::List(self.u16()?),
            0xdd => Token::List(self.u32()?),
            0xde => Token::Map(self.u16()?),
            0xdf => Token::Map(self.u32()?),
            0xe0..=0xff => Token::Int(i64::from(first.cast_signed())),
        })
    }

    #[inline]
    fn bytes(&mut self, text: bool, length: usize) -> Result<Token<'a>, Trouble> {
        let bytes = self.take(length)?;
        Ok(match text {
            true => Token::Text(bytes),
            false => Token::Binary(bytes),
        })
    }

    /// The next value as the language has it.
    pub fn value(&mut self) -> Result<Value, Trouble> {
        let token = self.token()?;
        self.finish(token, 0)
    }

    /// The value that begins with `token`, `depth` levels down.
    pub fn finish(&mut self, token: Token<'a>, depth: usize) -> Result<Value, Trouble> {
        if depth > DEPTH {
            return Err(Trouble::Deep);
        }
        Ok(match token {
            Token::Nil => Value::Null,
            Token::Bool(truth) => Value::Bool(truth),
            Token::Int(number) => whole(number),
            Token::Large(number) => Value::Big(Arc::new(BigInt::from(number))),
            Token::Float(number) => Value::Double(number),
            Token::Text(bytes) | Token::Binary(bytes) => text(bytes),
            Token::Extension(kind, bytes) => match seconds(kind, bytes) {
                Some(seconds) => Value::Double(seconds),
                None => Value::Object(Arc::new(Bytes(bytes.to_vec()))),
            },
            Token::List(count) => {
                let mut items = Vec::with_capacity(self.room(count));
                for _ in 0..count {
                    let token = self.token()?;
                    items.push(self.finish(token, depth + 1)?);
                }
                Value::List(List::array(items))
            }
            Token::Map(count) => {
                let room = self.room(count);
                let mut entries = Entries::with_capacity_and_hasher(room, Hashing::default());
                for _ in 0..count {
                    let key = self.token()?;
                    let key = self.finish(key, depth + 1)?;
                    let value = self.token()?;
                    let value = self.finish(value, depth + 1)?;
                    entries.insert(key, value);
                }
                Value::Map(Map::new(MapKind::Ordered, entries))
            }
        })
    }

    /// Room for a list that says how long it is, and no more than can be there.
    pub fn room(&self, count: u32) -> usize {
        (count as usize).min(self.rest.len()).min(1024)
    }
}

/// Bytes that are UTF-8 are a text, as feedoo has it.
#[inline]
pub fn text(bytes: &[u8]) -> Value {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Value::Text(SmolStr::new(text)),
        Err(_) => Value::Object(Arc::new(Bytes(bytes.to_vec()))),
    }
}

/// The seconds of an extension that is a time: Fluentd's EventTime (type 0), or MessagePack's own (type -1).
pub fn seconds(kind: i8, bytes: &[u8]) -> Option<f64> {
    let join = |seconds: f64, nanos: u32| seconds + f64::from(nanos) / 1e9;
    match (kind, bytes.len()) {
        (0, 8) => {
            let (seconds, nanos) = bytes.split_first_chunk::<4>()?;
            let nanos = u32::from_be_bytes(*nanos.first_chunk()?);
            Some(join(f64::from(u32::from_be_bytes(*seconds)), nanos))
        }
        (-1, 4) => Some(f64::from(u32::from_be_bytes(*bytes.first_chunk()?))),
        (-1, 8) => {
            let both = u64::from_be_bytes(*bytes.first_chunk()?);
            Some(join((both & 0x3_ffff_ffff) as f64, (both >> 34) as u32))
        }
        (-1, 12) => {
            let (nanos, seconds) = bytes.split_first_chunk::<4>()?;
            let seconds = i64::from_be_bytes(*seconds.first_chunk()?);
            Some(join(seconds as f64, u32::from_be_bytes(*nanos)))
        }
        _ => None,
    }
}

/// Finds the end of a value in bytes that are still coming in; nothing is looked at twice.
#[derive(Debug, Default, Clone)]
pub struct Frame {
    at: usize,
    /// How many values are missing at each level.
    open: SmallVec<[u64; 8]>,
    values: usize,
}

/// How far a value is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It ends before this place.
    End(usize),
    /// More bytes are needed, so many in all at least.
    More(usize),
}

impl Frame {
    /// A value that begins at `at`.
    pub fn at(at: usize) -> Frame {
        Frame {
            at,
            ..Frame::default()
        }
    }

    /// The first `count` bytes have gone.
    pub fn back(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
    }

    /// Goes on with `bytes`, which begin with those of the call before.
    pub fn advance(&mut self, bytes: &[u8], most: usize) -> Result<Reach, Trouble> {
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let (length, children) = match measure(rest)? {
                Some(measured) => measured,
                None => return Ok(Reach::More(bytes.len() + 1)),
            };
            let end = self.at.saturating_add(length);
            if end > bytes.len() {
                return Ok(Reach::More(end));
            }
            self.at = end;
            self.values += 1;
            if self.values > most {
                return Err(Trouble::Many);
            }
            if children > 0 {
                if self.open.len() >= DEPTH {
                    return Err(Trouble::Deep);
                }
                self.open.push(children);
                continue;
            }
            while let Some(left) = self.open.last_mut() {
                *left -= 1;
                if *left > 0 {
                    break;
                }
                self.open.pop();
            }
            if self.open.is_empty() {
                return Ok(Reach::End(self.at));
            }
        }
    }
}

/// How long the first value is, without the values in it, and how many those are. None when that is still coming.
#[inline]
fn measure(bytes: &[u8]) -> Result<Option<(usize, u64)>, Trouble> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let one = || rest.first().map(|&length| usize::from(length));
    let two = || {
        let length = rest.first_chunk().copied().map(u16::from_be_bytes);
        length.map(usize::from)
    };
    let four = || {
        let length = rest.first_chunk().copied().map(u32::from_be_bytes);
        length.map(|length| length as usize)
    };
    let leaf = |length: usize| (length, 0);
    Ok(match first {
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => Some(leaf(1)),
        0x80..=0x8f => Some((1, 2 * u64::from(first & 0x0f))),
        0x90..=0x9f => Some((1, u64::from(first & 0x0f))),
        0xa0..=0xbf => Some(leaf(1 + usize::from(first & 0x1f))),
        0xc1 => return Err(Trouble::Unknown(first)),
        0xc4 | 0xd9 => one().map(|n| leaf(2 + n)),
        0xc5 | 0xda => two().map(|n| leaf(3 + n)),
        0xc6 | 0xdb => four().map(|n| leaf(n.saturating_add(5))),
        0xc7 => one().map(|n| leaf(3 + n)),
        0xc8 => two().map(|n| leaf(4 + n)),
        0xc9 => four().map(|n| leaf(n.saturating_add(6))),
        0xcc | 0xd0 => Some(leaf(2)),
        0xcd | 0xd1 => Some(leaf(3)),
        0xca | 0xce | 0xd2 => Some(leaf(5)),
        0xcb | 0xcf | 0xd3 => Some(leaf(9)),
        0xd4..=0xd8 => Some(leaf(2 + (1 << (first - 0xd4)))),
        0xdc => two().map(|n| (3, n as u64)),
        0xdd => four().map(|n| (5, n as u64)),
        0xde => two().map(|n| (3, 2 * n as u64)),
        0xdf => four().map(|n| (5, 2 * n as u64)),
    })
}
