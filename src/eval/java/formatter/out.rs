//! The bounded output buffer and UTF-16 aware text helpers.

use std::borrow::Cow;

use super::error::FormatError;
use super::spec::{Flags, Spec};

/// Stands for half a surrogate pair, which UTF-8 cannot hold.
pub(super) const LONE_SURROGATE: char = char::REPLACEMENT_CHARACTER;

/// Text under construction, limited in bytes.
pub(super) struct Out {
    text: String,
    max: usize,
}

impl Out {
    pub fn new(max: usize) -> Out {
        Out {
            text: String::new(),
            max,
        }
    }

    pub fn finish(self) -> String {
        self.text
    }

    /// Fails if `extra` more bytes would pass the limit; `offset` is for the error.
    pub fn reserve(&self, extra: usize, offset: usize) -> Result<(), FormatError> {
        if extra > self.max.saturating_sub(self.text.len()) {
            return Err(FormatError::too_long(self.max, offset));
        }
        Ok(())
    }

    /// Appends text.
    pub fn push_str(&mut self, text: &str, offset: usize) -> Result<(), FormatError> {
        self.reserve(text.len(), offset)?;
        self.text.push_str(text);
        Ok(())
    }

    /// Appends text padded with spaces to the specifier's width.
    pub fn justify(&mut self, spec: &Spec, text: &str) -> Result<(), FormatError> {
        let Some(width) = spec.width else {
            return self.push_str(text, spec.offset);
        };
        let pad = width.saturating_sub(utf16_len(text));
        self.reserve(text.len().saturating_add(pad), spec.offset)?;
        if spec.flags.has(Flags::LEFT) {
            self.text.push_str(text);
            self.pad(pad);
        } else {
            self.pad(pad);
            self.text.push_str(text);
        }
        Ok(())
    }

    fn pad(&mut self, count: usize) {
        self.text.extend(std::iter::repeat_n(' ', count));
    }
}

/// Length in UTF-16 units.
fn utf16_len(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(char::len_utf16).sum()
}

/// The first `limit` UTF-16 units of a text.
pub(super) fn truncate_units(text: &str, limit: usize) -> Cow<'_, str> {
    let mut units = 0usize;
    for (at, c) in text.char_indices() {
        let after = units.saturating_add(c.len_utf16());
        if after > limit {
            let kept = text.get(..at).unwrap_or("");
            if units == limit {
                return Cow::Borrowed(kept);
            }
            // The limit cuts a surrogate pair in two.
            return Cow::Owned(format!("{kept}{LONE_SURROGATE}"));
        }
        units = after;
    }
    Cow::Borrowed(text)
}

/// The character of a single UTF-16 unit.
pub(super) fn unit_char(unit: u16) -> char {
    char::from_u32(u32::from(unit)).unwrap_or(LONE_SURROGATE)
}

/// The text of a character's first UTF-16 unit.
pub(super) fn unit_text(c: char, buf: &mut [u8; 4]) -> &str {
    let c = if c.len_utf16() == 1 {
        c
    } else {
        LONE_SURROGATE
    };
    c.encode_utf8(buf)
}
