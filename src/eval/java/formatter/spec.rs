//! Format specifiers: parsing of patterns and the checks made before formatting.

use super::error::FormatError;
use super::out::unit_text;

/// A set of format flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u16);

impl Flags {
    pub const LEFT: u16 = 1;
    pub const UPPERCASE: u16 = 1 << 1;
    pub const ALTERNATE: u16 = 1 << 2;
    pub const PLUS: u16 = 1 << 3;
    pub const SPACE: u16 = 1 << 4;
    pub const ZERO: u16 = 1 << 5;
    pub const GROUP: u16 = 1 << 6;
    pub const PARENS: u16 = 1 << 7;
    pub const PREVIOUS: u16 = 1 << 8;

    /// A set with the given bits.
    pub fn only(bits: u16) -> Flags {
        Flags(bits)
    }

    /// True if any of the given bits is set.
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    /// The flags in the order Java prints them.
    pub fn text(self) -> String {
        // Bit n of the set is letter n.
        "-^#+ 0,(<"
            .chars()
            .enumerate()
            .filter(|(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, letter)| letter)
            .collect()
    }

    /// The bit for a flag letter.
    fn bit(letter: u8) -> Option<u16> {
        Some(match letter {
            b'-' => Flags::LEFT,
            b'#' => Flags::ALTERNATE,
            b'+' => Flags::PLUS,
            b' ' => Flags::SPACE,
            b'0' => Flags::ZERO,
            b',' => Flags::GROUP,
            b'(' => Flags::PARENS,
            b'<' => Flags::PREVIOUS,
            _ => return None,
        })
    }
}

/// Which argument a specifier takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArgRef {
    /// None (`%%`, `%n`).
    Unused,
    /// The next one in order.
    Ordinary,
    /// The one used before (`%<s`).
    Previous,
    /// A fixed position, counted from zero.
    Explicit(usize),
}

/// One parsed and checked specifier.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub offset: usize,
    pub arg: ArgRef,
    pub flags: Flags,
    pub width: Option<usize>,
    pub precision: Option<usize>,
    pub date: bool,
    /// Lower-cased conversion letter, or the case-sensitive suffix of a date.
    pub conversion: char,
}

impl Spec {
    /// The specifier as Java prints it in messages.
    pub fn text(&self) -> String {
        let upper = self.flags.has(Flags::UPPERCASE);
        let mut text = String::from("%");
        text.push_str(&Flags(self.flags.0 & !Flags::UPPERCASE).text());
        if let ArgRef::Explicit(position) = self.arg {
            text.push_str(&format!("{}$", position.saturating_add(1)));
        }
        if let Some(width) = self.width {
            text.push_str(&width.to_string());
        }
        if let Some(precision) = self.precision {
            text.push_str(&format!(".{precision}"));
        }
        if self.date {
            text.push(if upper { 'T' } else { 't' });
        }
        text.push(if upper {
            self.conversion.to_ascii_uppercase()
        } else {
            self.conversion
        });
        text
    }
}

/// A stretch of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Literal text, by byte range.
    Text { start: usize, end: usize },
    /// A specifier.
    Spec(Spec),
}

/// Splits a pattern into literal text and checked specifiers.
pub(super) fn parse(pattern: &str) -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = pattern.get(at..).and_then(|rest| rest.find('%')) {
        let percent = at + found;
        if percent > at {
            pieces.push(Piece::Text {
                start: at,
                end: percent,
            });
        }
        let (spec, end) = parse_spec(pattern, percent)?;
        pieces.push(Piece::Spec(spec));
        at = end;
    }
    if at < pattern.len() {
        pieces.push(Piece::Text {
            start: at,
            end: pattern.len(),
        });
    }
    Ok(pieces)
}

/// A reader over the bytes after a percent sign.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Length of the digit run at the cursor.
    fn digits(&self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        rest.iter().take_while(|b| b.is_ascii_digit()).count()
    }

    /// Consumes `count` digits; `None` if the number passes the int range.
    fn take_number(&mut self, count: usize) -> Option<i32> {
        let run = self.bytes.get(self.at..self.at + count).unwrap_or(&[]);
        self.at += count;
        run.iter().try_fold(0i32, |value, digit| {
            value.checked_mul(10)?.checked_add(i32::from(digit - b'0'))
        })
    }
}

/// Reads the specifier whose percent sign is at `percent`; returns it with its end.
fn parse_spec(pattern: &str, percent: usize) -> Result<(Spec, usize), FormatError> {
    let mut cursor = Cursor {
        bytes: pattern.as_bytes(),
        at: percent + 1,
    };
    // First find the shape only: Java reports values after the whole specifier matched.
    let mut index = None;
    let run = cursor.digits();
    if run > 0 && cursor.bytes.get(cursor.at + run) == Some(&b'$') {
        index = Some(cursor.take_number(run));
        cursor.at += 1;
    }
    let flags_from = cursor.at;
    while cursor.peek().and_then(Flags::bit).is_some() {
        cursor.at += 1;
    }
    let flags_to = cursor.at;
    let mut width = None;
    let run = cursor.digits();
    if run > 0 {
        width = Some(cursor.take_number(run));
    }
    let mut precision = None;
    if cursor.peek() == Some(b'.') {
        cursor.at += 1;
        let run = cursor.digits();
        if run == 0 {
            return Err(unreadable(pattern, percent));
        }
        precision = Some(cursor.take_number(run));
    }
    let (date, letter) = match (cursor.peek(), cursor.bytes.get(cursor.at + 1)) {
        (Some(mark @ (b't' | b'T')), Some(suffix)) if is_letter(*suffix) => {
            cursor.at += 2;
            (Some(mark), *suffix)
        }
        (Some(letter), _) if is_letter(letter) => {
            cursor.at += 1;
            (None, letter)
        }
        _ => return Err(unreadable(pattern, percent)),
    };

    let mut spec = Spec {
        offset: percent,
        arg: ArgRef::Ordinary,
        flags: Flags(0),
        width: None,
        precision: None,
        date: date.is_some(),
        conversion: char::from(letter),
    };
    match index {
        None => {}
        Some(Some(index)) if index > 0 => {
            // A positive int minus one always fits.
            spec.arg = ArgRef::Explicit(usize::try_from(index - 1).unwrap_or(usize::MAX));
        }
        Some(index) => return Err(FormatError::argument_index(index, percent)),
    }
    for letter in cursor.bytes.get(flags_from..flags_to).unwrap_or(&[]) {
        let bit = Flags::bit(*letter).unwrap_or(0);
        if spec.flags.has(bit) {
            return Err(FormatError::duplicate_flag(char::from(*letter), percent));
        }
        spec.flags.0 |= bit;
    }
    if spec.flags.has(Flags::PREVIOUS) {
        spec.arg = ArgRef::Previous;
    }
    if let Some(width) = width {
        // Java reports a width beyond the int range as the smallest int.
        let width = width.ok_or_else(|| FormatError::width(i32::MIN, percent))?;
        spec.width = usize::try_from(width).ok();
    }
    if let Some(precision) = precision {
        let precision = precision.ok_or_else(|| FormatError::precision(i32::MIN, percent))?;
        spec.precision = usize::try_from(precision).ok();
    }
    if date == Some(b'T') {
        spec.flags.0 |= Flags::UPPERCASE;
    }
    check(&mut spec)?;
    Ok((spec, cursor.at))
}

/// True for what may stand as a conversion letter.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'%'
}

/// The error for a percent sign that starts no specifier: Java names the next character.
fn unreadable(pattern: &str, percent: usize) -> FormatError {
    let next = pattern.get(percent + 1..).and_then(|r| r.chars().next());
    match next {
        Some(c) => FormatError::unknown_conversion(unit_text(c, &mut [0; 4]), percent),
        None => FormatError::unknown_conversion("%", percent),
    }
}

/// Settles the conversion letter and rejects combinations Java rejects while parsing.
fn check(spec: &mut Spec) -> Result<(), FormatError> {
    const SIGNS: u16 = Flags::PLUS | Flags::SPACE;
    if spec.date {
        no_precision(spec)?;
        if !super::dates::is_suffix(spec.conversion) {
            let text = format!("t{}", spec.conversion);
            return Err(FormatError::unknown_conversion(&text, spec.offset));
        }
        let others = Flags::ALTERNATE | SIGNS | Flags::ZERO | Flags::GROUP | Flags::PARENS;
        refuse(spec, others)?;
        return left_needs_width(spec);
    }
    if !"bBhHsScCdoxXeEfgGaA%n".contains(spec.conversion) {
        let text = spec.conversion.to_string();
        return Err(FormatError::unknown_conversion(&text, spec.offset));
    }
    if spec.conversion.is_ascii_uppercase() {
        spec.flags.0 |= Flags::UPPERCASE;
        spec.conversion = spec.conversion.to_ascii_lowercase();
    }
    match spec.conversion {
        'b' | 'h' | 's' => {
            if spec.conversion != 's' {
                refuse(spec, Flags::ALTERNATE)?;
            }
            left_needs_width(spec)?;
            refuse(spec, SIGNS | Flags::ZERO | Flags::GROUP | Flags::PARENS)
        }
        'c' => {
            no_precision(spec)?;
            let others = Flags::ALTERNATE | SIGNS | Flags::ZERO | Flags::GROUP | Flags::PARENS;
            refuse(spec, others)?;
            left_needs_width(spec)
        }
        'd' | 'o' | 'x' => {
            check_number(spec)?;
            no_precision(spec)?;
            let refused = if spec.conversion == 'd' {
                Flags::ALTERNATE
            } else {
                Flags::GROUP
            };
            refuse(spec, refused)
        }
        '%' | 'n' => check_literal(spec),
        conversion => {
            check_number(spec)?;
            match conversion {
                'a' => refuse(spec, Flags::PARENS).and_then(|()| refuse(spec, Flags::GROUP)),
                'e' => refuse(spec, Flags::GROUP),
                'g' => refuse(spec, Flags::ALTERNATE),
                _ => Ok(()),
            }
        }
    }
}

/// Checks `%%` and `%n`.
fn check_literal(spec: &mut Spec) -> Result<(), FormatError> {
    // Java's own text of the specifier keeps no explicit index for these two.
    spec.arg = ArgRef::Unused;
    no_precision(spec)?;
    if spec.conversion == '%' {
        if spec.flags.has(!Flags::LEFT) {
            return Err(FormatError::illegal_flags(spec));
        }
        return left_needs_width(spec);
    }
    if let Some(width) = spec.width {
        let width = i32::try_from(width).unwrap_or(i32::MAX);
        return Err(FormatError::width(width, spec.offset));
    }
    if spec.flags != Flags(0) {
        return Err(FormatError::illegal_flags(spec));
    }
    Ok(())
}

/// Checks what all numeric conversions share.
fn check_number(spec: &Spec) -> Result<(), FormatError> {
    let flags = spec.flags;
    if spec.width.is_none() && flags.has(Flags::LEFT | Flags::ZERO) {
        return Err(FormatError::missing_width(spec));
    }
    if (flags.has(Flags::PLUS) && flags.has(Flags::SPACE))
        || (flags.has(Flags::LEFT) && flags.has(Flags::ZERO))
    {
        return Err(FormatError::illegal_flags(spec));
    }
    Ok(())
}

/// Rejects a precision.
fn no_precision(spec: &Spec) -> Result<(), FormatError> {
    match spec.precision {
        Some(precision) => {
            let precision = i32::try_from(precision).unwrap_or(i32::MAX);
            Err(FormatError::precision(precision, spec.offset))
        }
        None => Ok(()),
    }
}

/// Rejects `-` without a width.
fn left_needs_width(spec: &Spec) -> Result<(), FormatError> {
    if spec.width.is_none() && spec.flags.has(Flags::LEFT) {
        return Err(FormatError::missing_width(spec));
    }
    Ok(())
}

/// Rejects the first of the given flags that is set, in Java's order of checking.
pub(super) fn refuse(spec: &Spec, bits: u16) -> Result<(), FormatError> {
    const ORDER: [u16; 6] = [
        Flags::ALTERNATE,
        Flags::PLUS,
        Flags::SPACE,
        Flags::ZERO,
        Flags::GROUP,
        Flags::PARENS,
    ];
    for flag in ORDER {
        if bits & flag != 0 && spec.flags.has(flag) {
            return Err(FormatError::mismatch(spec, flag));
        }
    }
    Ok(())
}
