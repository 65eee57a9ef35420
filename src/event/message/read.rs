//! JSON as Python's `json.loads` reads it, straight into a tape: numbers without end, `NaN` and the infinities, halves
//! of surrogate pairs; of equal keys the last counts.

use super::number::MOST_DIGITS;
use super::tape::{Entry, NO_KEY, Node, Span, Tape};
use super::write::write_text;
use crate::eval::json::parse::{BadJson, BadKind, EVENT_DEPTH};

/// A reader of one text.
struct Reader<'a> {
    input: &'a str,
    bytes: &'a [u8],
    at: usize,
    tape: Tape,
    /// The elements and members of what is still open.
    open: Vec<Entry>,
    depth: usize,
}

type Read<T> = Result<T, BadJson>;

/// The value of a text of at most [`super::tape::LONGEST`] bytes, and the tape it stands on.
/// Errors: what is wrong and at which byte.
pub(super) fn read(input: &[u8]) -> Read<(Tape, Node)> {
    let bad = |offset, kind| BadJson { offset, kind };
    let text = simdutf8::compat::from_utf8(input)
        .map_err(|error| bad(error.valid_up_to(), BadKind::NotUtf8))?;
    let mut reader = Reader {
        input: text,
        bytes: text.as_bytes(),
        // A mark of the byte order is no part of the text.
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        tape: Tape {
            text: String::with_capacity(text.len() + 64),
            entries: Vec::with_capacity(text.len() / 12 + 8),
            addresses: Vec::new(),
        },
        open: Vec::with_capacity(48),
        depth: 0,
    };
    reader.tape.text.push_str(text);
    let root = reader.value()?;
    reader.blanks();
    if reader.at < reader.bytes.len() {
        return Err(reader.bad(BadKind::TrailingText));
    }
    Ok((reader.tape, root))
}

/// Bytes that stand for themselves in a string.
static PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        plain[byte] = false;
        byte += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

impl Reader<'_> {
    #[cold]
    fn bad(&self, kind: BadKind) -> BadJson {
        let ends = self.at >= self.bytes.len() && kind != BadKind::TrailingText;
        BadJson {
            offset: self.at,
            kind: if ends { BadKind::UnexpectedEnd } else { kind },
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    #[inline]
    fn value(&mut self) -> Read<Node> {
        self.blanks();
        match self.peek() {
            Some(b'"') => self.string().map(Node::Text),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Read<Node> {
        for (word, node) in [
            ("null", Node::Null),
            ("true", Node::Bool(true)),
            ("false", Node::Bool(false)),
            ("NaN", Node::Float(f64::NAN)),
            ("Infinity", Node::Float(f64::INFINITY)),
            ("-Infinity", Node::Float(f64::NEG_INFINITY)),
        ] {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(node);
            }
        }
        Err(self.bad(BadKind::ExpectedValue))
    }

    fn enter(&mut self) -> Read<usize> {
        if self.depth == EVENT_DEPTH {
            return Err(self.bad(BadKind::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        self.blanks();
        Ok(self.open.len())
    }

    fn array(&mut self) -> Read<Node> {
        let from = self.enter()?;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                let node = self.value()?;
                self.open.push(Entry { key: NO_KEY, node });
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break self.at += 1,
                    _ => return Err(self.bad(BadKind::ExpectedCommaOrBracket)),
                }
            }
        }
        self.depth -= 1;
        let items = self.tape.list(self.open.get(from..).unwrap_or_default());
        self.open.truncate(from);
        Ok(Node::List(items))
    }

    fn object(&mut self) -> Read<Node> {
        let from = self.enter()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return Err(self.bad(BadKind::ExpectedKey));
                }
                let key = self.string()?;
                self.blanks();
                if self.peek() != Some(b':') {
                    return Err(self.bad(BadKind::ExpectedColon));
                }
                self.at += 1;
                let node = self.value()?;
                self.open.push(Entry { key, node });
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break self.at += 1,
                    _ => return Err(self.bad(BadKind::ExpectedCommaOrBrace)),
                }
            }
        }
        self.depth -= 1;
        let members = self.tape.map(&mut self.open, from);
        self.open.truncate(from);
        Ok(Node::Map(members))
    }

    /// A string from its opening mark on. Without escapes it is a piece of the input.
    #[inline]
    fn string(&mut self) -> Read<Span> {
        self.at += 1;
        let start = self.at;
        self.plain();
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Span::new(start, self.at - 1 - start, false))
            }
            Some(b'\\') => self.escaped(start),
            _ => Err(self.bad(BadKind::ControlCharacter)),
        }
    }

    #[inline]
    fn plain(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let plain = rest.iter().position(|&b| !PLAIN[b as usize]);
        self.at += plain.unwrap_or(rest.len());
    }

    /// A string with escapes: what stands for itself before the first one begins at `start`.
    #[cold]
    fn escaped(&mut self, start: usize) -> Read<Span> {
        let mut text = String::from(self.input.get(start..self.at).unwrap_or_default());
        // The same as JSON has it, from the first half of a surrogate pair on.
        let mut json: Option<Vec<u8>> = None;
        loop {
            match self.peek() {
                Some(b'"') => break self.at += 1,
                Some(b'\\') => match self.escape()? {
                    Ok(c) => text.push(c),
                    Err(half) => {
                        let json = json.get_or_insert_default();
                        write_text(json, &text);
                        text.clear();
                        json.extend_from_slice(format!("\\u{half:04x}").as_bytes());
                    }
                },
                _ => {
                    let from = self.at;
                    self.plain();
                    if self.at == from {
                        return Err(self.bad(BadKind::ControlCharacter));
                    }
                    text.push_str(self.input.get(from..self.at).unwrap_or_default());
                }
            }
        }
        let at = self.tape.text.len();
        let Some(mut json) = json else {
            return Ok(self.tape.add(&text));
        };
        write_text(&mut json, &text);
        // Only characters of ASCII are in there.
        self.tape.text.extend(json.iter().map(|&b| char::from(b)));
        Ok(Span::new(at, json.len(), true))
    }

    /// One escape from its backslash on: a character, or half a surrogate pair.
    fn escape(&mut self) -> Read<Result<char, u16>> {
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.unit(self.at + 1)?;
                self.at += 5;
                let low = match unit {
                    0xd800..=0xdbff if self.bytes.get(self.at..self.at + 2) == Some(b"\\u") => {
                        self.unit(self.at + 2).ok()
                    }
                    _ => None,
                };
                let pair = char::decode_utf16([Some(unit), low].into_iter().flatten()).next();
                return Ok(match (pair, low) {
                    (Some(Ok(c)), Some(_)) => {
                        self.at += 6;
                        Ok(c)
                    }
                    (Some(Ok(c)), None) => Ok(c),
                    _ => Err(unit),
                });
            }
            _ => return Err(self.bad(BadKind::BadEscape)),
        };
        self.at += 1;
        Ok(Ok(c))
    }

    /// Four hexadecimal digits.
    fn unit(&self, at: usize) -> Read<u16> {
        let digits = self.bytes.get(at..at + 4).unwrap_or_default();
        if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.bad(BadKind::BadEscape));
        }
        Ok(digits
            .iter()
            .filter_map(|&b| char::from(b).to_digit(16))
            .fold(0, |unit, digit| unit << 4 | digit as u16))
    }

    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        count
    }

    #[inline]
    fn number(&mut self) -> Read<Node> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                self.at -= 1;
                return self.word();
            }
        }
        let zero = self.peek() == Some(b'0');
        let digits = self.digits();
        if digits == 0 || (zero && digits > 1) {
            return Err(self.bad(BadKind::BadNumber));
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            whole = false;
            if self.digits() == 0 {
                return Err(self.bad(BadKind::BadNumber));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            whole = false;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.bad(BadKind::BadNumber));
            }
        }
        let text = self.input.get(start..self.at).unwrap_or_default();
        if !whole {
            return text
                .parse()
                .map(Node::Float)
                .map_err(|_| self.bad(BadKind::BadNumber));
        }
        match text.parse() {
            Ok(n) => Ok(Node::Int(n)),
            Err(_) if digits <= MOST_DIGITS => {
                Ok(Node::Big(Span::new(start, self.at - start, false)))
            }
            Err(_) => Err(self.bad(BadKind::BadNumber)),
        }
    }
}
