//! From the checked text of a scalar to its value.

use memchr::memchr;
use std::borrow::Cow;

/// A whole number in the smallest type that holds it.
pub(super) enum Whole<'a> {
    Int(i32),
    Long(i64),
    Big(&'a str),
}

/// The value of a checked whole number.
#[inline]
pub(super) fn whole(text: &str) -> Whole<'_> {
    match text.parse::<i64>() {
        Ok(long) => match i32::try_from(long) {
            Ok(int) => Whole::Int(int),
            Err(_) => Whole::Long(long),
        },
        // The text is a number: it can only be too great.
        Err(_) => Whole::Big(text),
    }
}

/// The value of a checked number: the nearest double, or an infinity.
#[inline]
pub(super) fn double(text: &str) -> f64 {
    // Every JSON number is one in Rust's syntax too.
    text.parse().unwrap_or(f64::NAN)
}

/// The text of a checked string, from what stands between its quotes.
#[inline]
pub(super) fn string(text: &str, escaped: bool) -> Cow<'_, str> {
    if escaped {
        Cow::Owned(unescape(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// Replaces the escapes of a checked string.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) =
        memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        out.push_str(plain);
        let (character, used) = one_escape(escape);
        out.push(character);
        rest = escape.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character of the escape at the start of the text, and the escape's length.
fn one_escape(text: &str) -> (char, usize) {
    let character = match text.as_bytes().get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(text),
        Some(&byte) => char::from(byte),
        None => char::REPLACEMENT_CHARACTER,
    };
    (character, 2)
}

/// The same for `\u`: a pair of surrogates is one character, half a pair is U+FFFD.
fn unicode_escape(text: &str) -> (char, usize) {
    let first = unit(text);
    if let Some(character) = first.and_then(|unit| char::from_u32(unit.into())) {
        return (character, 6);
    }
    let second = text.get(6..).and_then(unit);
    match char::decode_utf16(first.into_iter().chain(second)).next() {
        Some(Ok(character)) => (character, 12),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}

/// The UTF-16 unit of the `\u` at the start of the text, if there is one.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}
