//! The scanner under the reader of fields and the parser: it checks every byte and builds nothing.
//!
//! A function takes the text and a place, and returns the place after what it has read. Beside the place runs a
//! [`Cursor`] over the bytes that matter in strings. It is always at the first such byte at or after the place; so
//! the end of a string is simply the cursor's next byte, found 64 bytes at a time and ahead of the rest of the work.

use super::error::{BadJson, BadKind};
use wide::u8x16;

/// The most brackets and braces that may be open at once in an event.
pub const EVENT_DEPTH: usize = 256;

/// A place in the text, or the fault found on the way.
pub(super) type Step = Result<usize, BadJson>;

/// A fault, kept out of the hot code.
#[cold]
pub(super) fn bad<T>(offset: usize, kind: BadKind) -> Result<T, BadJson> {
    Err(BadJson { offset, kind })
}

/// A fault at `pos`, which is the end of the text if the text is over there.
#[cold]
pub(super) fn bad_or_end<T>(text: &[u8], pos: usize, kind: BadKind) -> Result<T, BadJson> {
    if pos >= text.len() {
        bad(text.len(), BadKind::UnexpectedEnd)
    } else {
        bad(pos, kind)
    }
}

/// The byte at a place; 0 past the end, which no rule accepts.
#[inline(always)]
pub(super) fn at(text: &[u8], pos: usize) -> u8 {
    text.get(pos).copied().unwrap_or(0)
}

/// The `N` bytes from a place, if the text has so many.
#[inline(always)]
pub(super) fn window<const N: usize>(text: &[u8], pos: usize) -> Option<&[u8; N]> {
    text.get(pos..)?.first_chunk()
}

/// One bit for each of 16 bytes: set for a quote, a backslash and a control character.
#[inline(always)]
fn special16(bytes: [u8; 16]) -> u64 {
    let bytes = u8x16::new(bytes);
    let quote = bytes.simd_eq(u8x16::splat(b'"'));
    let backslash = bytes.simd_eq(u8x16::splat(b'\\'));
    let control = bytes.min(u8x16::splat(0x1F)).simd_eq(bytes);
    u64::from((quote | backslash | control).to_bitmask())
}

/// The same for 64 bytes.
#[inline(always)]
fn special64(bytes: &[u8; 64]) -> u64 {
    let (parts, _) = bytes.as_chunks::<16>();
    parts
        .iter()
        .rev()
        .fold(0, |bits, &part| bits << 16 | special16(part))
}

/// The special bytes among the 64 from `base`.
#[inline(always)]
fn block(text: &[u8], base: usize) -> u64 {
    match window::<64>(text, base) {
        Some(bytes) => special64(bytes),
        None => last_block(text, base),
    }
}

/// The same where less than 64 bytes are left.
#[inline(never)]
fn last_block(text: &[u8], base: usize) -> u64 {
    let Some(left @ 1..) = text.len().checked_sub(base) else {
        return 0;
    };
    if let Some(bytes) = text.last_chunk::<64>() {
        // These 64 bytes end with the text: the bits before `base` are shifted out.
        return special64(bytes) >> (64 - left);
    }
    let mut padded = [b' '; 64];
    if let (Some(to), Some(from)) = (padded.get_mut(..left), text.get(base..)) {
        // Both are `left` long.
        to.copy_from_slice(from);
    }
    special64(&padded)
}

/// Walks over the special bytes of a text in order: quotes, backslashes and control characters.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    /// Those of the 64 bytes from `base` that are still to come.
    bits: u64,
    base: usize,
}

impl Cursor {
    /// A cursor before the first special byte.
    #[inline(always)]
    pub(super) fn new(text: &[u8]) -> Self {
        Self {
            bits: block(text, 0),
            base: 0,
        }
    }

    /// The place of the next special byte; a place past the text when there is none.
    #[inline(always)]
    pub(super) fn next(&mut self, text: &[u8]) -> usize {
        if self.bits == 0 {
            *self = self.refilled(text);
        }
        let pos = self.base + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits.wrapping_sub(1);
        pos
    }

    /// The cursor at the next 64 bytes with a special one; at the end it stands on a bit past the text.
    #[inline(always)]
    fn refilled(self, text: &[u8]) -> Self {
        let mut base = self.base + 64;
        loop {
            let bits = block(text, base);
            if bits != 0 {
                return Self { bits, base };
            }
            if base >= text.len() {
                return Self { bits: 1, base };
            }
            base += 64;
        }
    }
}

/// The place of the first byte that is no blank.
#[inline(always)]
pub(super) fn blanks(text: &[u8], cursor: &mut Cursor, mut pos: usize) -> usize {
    while at(text, pos) <= b' ' {
        match text.get(pos) {
            Some(b' ') => pos += 1,
            Some(b'\t' | b'\n' | b'\r') => {
                // The cursor stands on it, as on every control character.
                cursor.next(text);
                pos += 1;
            }
            _ => break,
        }
    }
    pos
}

/// The quotes around a string, and whether a backslash is between them.
#[derive(Clone, Copy)]
pub(super) struct Quoted {
    pub(super) open: usize,
    pub(super) close: usize,
    pub(super) escaped: bool,
}

/// Reads the string whose opening quote is the cursor's next byte.
#[inline(always)]
pub(super) fn string(text: &[u8], cursor: &mut Cursor) -> Result<Quoted, BadJson> {
    let open = cursor.next(text);
    let mut escaped = false;
    loop {
        let pos = cursor.next(text);
        match at(text, pos) {
            b'"' => {
                return Ok(Quoted {
                    open,
                    close: pos,
                    escaped,
                });
            }
            b'\\' => {
                escaped = true;
                escape(text, cursor, pos)?;
            }
            _ => return bad_or_end(text, pos, BadKind::ControlCharacter),
        }
    }
}

/// Checks the escape whose backslash is at `pos`.
#[inline(always)]
fn escape(text: &[u8], cursor: &mut Cursor, pos: usize) -> Result<(), BadJson> {
    match at(text, pos + 1) {
        b'"' | b'\\' => {
            // The cursor would take it for the end of the string or for another escape.
            cursor.next(text);
            Ok(())
        }
        b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
        b'u' => hex(text, pos),
        _ if pos + 1 < text.len() => bad(pos, BadKind::BadEscape),
        _ => bad(text.len(), BadKind::UnexpectedEnd),
    }
}

/// Checks the four digits of the `\u` at `pos`.
fn hex(text: &[u8], pos: usize) -> Result<(), BadJson> {
    match (pos + 2..pos + 6).find(|&digit| !at(text, digit).is_ascii_hexdigit()) {
        None => Ok(()),
        Some(digit) if digit < text.len() => bad(pos, BadKind::BadEscape),
        Some(_) => bad(text.len(), BadKind::UnexpectedEnd),
    }
}

/// The place after a run of digits.
#[inline(always)]
fn digits(text: &[u8], mut pos: usize) -> usize {
    while let Some(bytes) = window::<8>(text, pos) {
        let word = u64::from_le_bytes(*bytes) ^ 0x3030_3030_3030_3030;
        // A byte's high bit is set where it is no digit; a carry only reaches bytes behind the first such one.
        let others = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
        if others != 0 {
            return pos + (others.trailing_zeros() / 8) as usize;
        }
        pos += 8;
    }
    while at(text, pos).is_ascii_digit() {
        pos += 1;
    }
    pos
}

/// Reads a number from its first byte: the place after it, and whether it is whole (no fraction, no exponent).
#[inline(always)]
pub(super) fn number(text: &[u8], start: usize) -> Result<(usize, bool), BadJson> {
    let first = start + usize::from(at(text, start) == b'-');
    let mut pos = match at(text, first) {
        b'0' => first + 1,
        b'1'..=b'9' => digits(text, first + 1),
        _ => return bad_or_end(text, first, BadKind::BadNumber),
    };
    let mut whole = true;
    if at(text, pos) == b'.' {
        whole = false;
        pos = some_digits(text, pos + 1)?;
    }
    if at(text, pos) | 0x20 == b'e' {
        whole = false;
        let sign = usize::from(matches!(at(text, pos + 1), b'+' | b'-'));
        pos = some_digits(text, pos + 1 + sign)?;
    }
    // A digit or a point can only follow a leading zero or a second fraction: a missing comma would be no help.
    if matches!(at(text, pos), b'0'..=b'9' | b'.') {
        return bad(pos, BadKind::BadNumber);
    }
    Ok((pos, whole))
}

/// The place after a run of at least one digit.
#[inline(always)]
fn some_digits(text: &[u8], pos: usize) -> Step {
    let end = digits(text, pos);
    if end == pos {
        return bad_or_end(text, pos, BadKind::BadNumber);
    }
    Ok(end)
}

/// Reads `true`, `false` or `null`.
#[inline(always)]
pub(super) fn word<const N: usize>(text: &[u8], pos: usize, word: &'static [u8; N]) -> Step {
    if window(text, pos) == Some(word) {
        Ok(pos + N)
    } else {
        bad_word(text, pos, word)
    }
}

#[cold]
fn bad_word(text: &[u8], pos: usize, word: &[u8]) -> Step {
    match text.get(pos..) {
        Some(rest) if word.starts_with(rest) => bad(text.len(), BadKind::UnexpectedEnd),
        _ => bad(pos, BadKind::ExpectedValue),
    }
}

/// Makes sure that a key starts at `pos`.
#[inline(always)]
pub(super) fn key(text: &[u8], pos: usize) -> Result<(), BadJson> {
    if at(text, pos) != b'"' {
        return bad_or_end(text, pos, BadKind::ExpectedKey);
    }
    Ok(())
}

/// Reads from a key's closing quote over the colon to the value: its place and its first byte.
#[inline(always)]
pub(super) fn colon(
    text: &[u8],
    cursor: &mut Cursor,
    close: usize,
) -> Result<(usize, u8), BadJson> {
    // Nearly always there is no blank, or one before the value: one look instead of three.
    match window::<4>(text, close) {
        Some(&[_, b':', byte @ (b'!'..), _]) => return Ok((close + 2, byte)),
        Some(&[_, b':', b' ', byte @ (b'!'..)]) => return Ok((close + 3, byte)),
        _ => {}
    }
    let pos = blanks(text, cursor, close + 1);
    if at(text, pos) != b':' {
        return bad_or_end(text, pos, BadKind::ExpectedColon);
    }
    let pos = blanks(text, cursor, pos + 1);
    Ok((pos, at(text, pos)))
}

/// What comes after a member of an object or an element of a list.
pub(super) enum Next {
    /// Another one, from this place.
    Item(usize),
    /// The container is closed before this place.
    Close(usize),
}

/// Reads what follows a member of an object.
#[inline(always)]
pub(super) fn after_member(text: &[u8], cursor: &mut Cursor, pos: usize) -> Result<Next, BadJson> {
    match window::<3>(text, pos) {
        Some([b',', b'"', _]) => return Ok(Next::Item(pos + 1)),
        Some(b", \"") => return Ok(Next::Item(pos + 2)),
        _ => {}
    }
    let pos = blanks(text, cursor, pos);
    match at(text, pos) {
        b',' => {
            let pos = blanks(text, cursor, pos + 1);
            key(text, pos)?;
            Ok(Next::Item(pos))
        }
        b'}' => Ok(Next::Close(pos + 1)),
        _ => bad_or_end(text, pos, BadKind::ExpectedCommaOrBrace),
    }
}

/// Reads what follows an element of a list.
#[inline(always)]
pub(super) fn after_element(text: &[u8], cursor: &mut Cursor, pos: usize) -> Result<Next, BadJson> {
    let pos = blanks(text, cursor, pos);
    match at(text, pos) {
        b',' => Ok(Next::Item(blanks(text, cursor, pos + 1))),
        b']' => Ok(Next::Close(pos + 1)),
        _ => bad_or_end(text, pos, BadKind::ExpectedCommaOrBracket),
    }
}

/// Reads the start of an object from its brace: up to the first key, or past the end of an empty one.
#[inline(always)]
pub(super) fn open_object(text: &[u8], cursor: &mut Cursor, pos: usize) -> Result<Next, BadJson> {
    let pos = blanks(text, cursor, pos + 1);
    if at(text, pos) == b'}' {
        return Ok(Next::Close(pos + 1));
    }
    key(text, pos)?;
    Ok(Next::Item(pos))
}

/// Reads the start of a list from its bracket: up to the first element, or past the end of an empty one.
#[inline(always)]
pub(super) fn open_list(text: &[u8], cursor: &mut Cursor, pos: usize) -> Next {
    let pos = blanks(text, cursor, pos + 1);
    if at(text, pos) == b']' {
        Next::Close(pos + 1)
    } else {
        Next::Item(pos)
    }
}

/// Which of the open containers are objects, one bit each.
#[derive(Default)]
struct Open {
    bits: [u64; EVENT_DEPTH / 64],
    depth: usize,
}

impl Open {
    #[inline(always)]
    fn push(&mut self, object: bool) {
        // The caller keeps the depth below the limit: the word is there.
        if let Some(word) = self.bits.get_mut(self.depth / 64) {
            let bit = 1u64 << (self.depth % 64);
            *word = if object { *word | bit } else { *word & !bit };
        }
        self.depth += 1;
    }

    /// Closes the innermost and says whether the one around it is an object; `None` when there is none.
    #[inline(always)]
    fn pop(&mut self) -> Option<bool> {
        self.depth -= 1;
        let around = self.depth.checked_sub(1)?;
        let word = self.bits.get(around / 64)?;
        Some(word >> (around % 64) & 1 == 1)
    }
}

/// Reads a list or an object from its bracket or brace, inside `outer` open ones, without recursion.
///
/// The cursor goes in and comes out by value, so that the caller can keep its own in registers.
pub(super) fn container(
    text: &[u8],
    mut cursor: Cursor,
    mut pos: usize,
    outer: usize,
) -> Result<(Cursor, usize), BadJson> {
    let mut open = Open::default();
    'open: loop {
        if outer + open.depth >= EVENT_DEPTH {
            return bad(pos, BadKind::TooDeep);
        }
        let mut object = at(text, pos) == b'{';
        open.push(object);
        let mut next = if object {
            open_object(text, &mut cursor, pos)?
        } else {
            open_list(text, &mut cursor, pos)
        };
        loop {
            match next {
                Next::Item(item) => {
                    let first;
                    if object {
                        let close = string(text, &mut cursor)?.close;
                        (pos, first) = colon(text, &mut cursor, close)?;
                    } else {
                        (pos, first) = (item, at(text, item));
                    }
                    if matches!(first, b'{' | b'[') {
                        continue 'open;
                    }
                    pos = scalar(text, &mut cursor, pos, first)?;
                }
                Next::Close(end) => match open.pop() {
                    None => return Ok((cursor, end)),
                    Some(around) => (object, pos) = (around, end),
                },
            }
            next = if object {
                after_member(text, &mut cursor, pos)?
            } else {
                after_element(text, &mut cursor, pos)?
            };
        }
    }
}

/// Reads a value that is neither a list nor an object.
#[inline(always)]
fn scalar(text: &[u8], cursor: &mut Cursor, pos: usize, first: u8) -> Step {
    match first {
        b'"' => Ok(string(text, cursor)?.close + 1),
        b'-' | b'0'..=b'9' => Ok(number(text, pos)?.0),
        b't' => word(text, pos, b"true"),
        b'f' => word(text, pos, b"false"),
        b'n' => word(text, pos, b"null"),
        _ => bad_or_end(text, pos, BadKind::ExpectedValue),
    }
}

/// Makes sure that an event starts with a brace: its place.
#[inline(always)]
pub(super) fn event_start(text: &[u8], cursor: &mut Cursor) -> Step {
    let pos = blanks(text, cursor, 0);
    if at(text, pos) != b'{' {
        return bad_or_end(text, pos, BadKind::NotAnObject);
    }
    Ok(pos)
}

/// Makes sure that nothing but blanks is left.
#[inline(always)]
pub(super) fn end(text: &[u8], cursor: &mut Cursor, pos: usize) -> Result<(), BadJson> {
    let pos = blanks(text, cursor, pos);
    if pos < text.len() {
        bad(pos, BadKind::TrailingText)
    } else {
        Ok(())
    }
}

/// The bytes as text, or the place of the first one that is no UTF-8.
#[inline(always)]
pub(super) fn utf8(text: &[u8]) -> Result<&str, BadJson> {
    match simdutf8::basic::from_utf8(text) {
        Ok(text) => Ok(text),
        Err(_) => bad_utf8(text),
    }
}

#[cold]
fn bad_utf8(text: &[u8]) -> Result<&str, BadJson> {
    // The fast check does not say where: the slow one does.
    match std::str::from_utf8(text) {
        Ok(text) => Ok(text),
        Err(fault) => bad(fault.valid_up_to(), BadKind::NotUtf8),
    }
}
