//! A reader of JSON that remembers where everything stands. As in the files of Metron, comments may stand between
//! the parts, and what follows the value is not looked at.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use smol_str::SmolStr;
use std::sync::Arc;

/// Definitions nest four levels deep.
const DEEPEST: usize = 32;

/// A value with its place.
#[derive(Debug)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    Null,
    Bool(bool),
    /// The digits as they are written.
    Number(SmolStr),
    Text(Text),
    List(Vec<Node>),
    /// Of equal keys the last has the value and the first the place in the order.
    Object(Vec<(Key, Node)>),
}

/// The key of a member.
#[derive(Debug)]
pub struct Key {
    pub text: SmolStr,
    pub span: Span,
}

/// A string, and which byte of the source each of its bytes comes from.
#[derive(Debug, Clone, Default)]
pub struct Text {
    pub text: SmolStr,
    /// Where the string's inside begins.
    start: usize,
    /// Behind each escape: the byte of the text and that of the source.
    escapes: Box<[(usize, usize)]>,
}

impl Text {
    /// A text that stands in the source as it is.
    pub fn plain(text: &str, start: usize) -> Text {
        Text {
            text: SmolStr::new(text),
            start,
            escapes: Box::default(),
        }
    }

    /// Where a part of the text stands in the source.
    pub fn place(&self, part: Span) -> Span {
        Span::new(self.offset(part.start), self.offset(part.end))
    }

    fn offset(&self, offset: usize) -> usize {
        let behind = self.escapes.partition_point(|(text, _)| *text <= offset);
        match behind.checked_sub(1).and_then(|i| self.escapes.get(i)) {
            Some((text, source)) => source + (offset - text),
            None => self.start + offset,
        }
    }
}

impl Kind {
    /// What it is, in words.
    pub fn in_words(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }
}

/// Reads the value at the start of a source. Errors: E0222 with the place.
pub fn read(source: &Arc<Source>) -> Outcome<Node> {
    let mut reader = Reader {
        text: &source.text,
        at: 0,
    };
    reader
        .blanks()
        .and_then(|()| reader.value(0))
        .map_err(|fault| fault.in_source(source))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What is wrong at the present place.
    #[cold]
    fn bad(&self, message: &str) -> Fault {
        let found = self.rest().chars().next();
        let message = match found {
            Some(_) => message.to_string(),
            None => format!("{message}, but the text ends here"),
        };
        let end = self.at + found.map_or(0, char::len_utf8);
        Diagnostic::at(Code::BadProfile, Span::new(self.at, end), message)
    }

    fn blanks(&mut self) -> Outcome<()> {
        loop {
            let rest = self.rest();
            self.at += rest.len()
                - rest
                    .trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}'])
                    .len();
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let Some(end) = rest.find("*/") else {
                    return Err(self.bad("this comment has no end: write */"));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Outcome<Node> {
        if depth > DEEPEST {
            return Err(self.bad("lists and objects are nested too deeply"));
        }
        let start = self.at;
        let kind = match self.byte() {
            Some(b'{') => Kind::Object(self.object(depth)?),
            Some(b'[') => Kind::List(self.list(depth)?),
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            _ => self.word()?,
        };
        Ok(Node {
            span: Span::new(start, self.at),
            kind,
        })
    }

    fn word(&mut self) -> Outcome<Kind> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let kind = match word {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "" => return Err(self.bad("a JSON value was expected")),
            _ => {
                let message = format!("{word} is no JSON value");
                let span = Span::new(self.at, self.at + length);
                return Err(Diagnostic::at(Code::BadProfile, span, message)
                    .help("texts stand in double quotes"));
            }
        };
        self.at += length;
        Ok(kind)
    }

    fn digits(&mut self) -> Outcome<()> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        if length == 0 {
            return Err(self.bad("a digit was expected"));
        }
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Outcome<SmolStr> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
            if self.byte().is_some_and(|b| b.is_ascii_digit()) {
                return Err(self.bad("a number must not begin with a zero"));
            }
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(SmolStr::new(
            self.text.get(start..self.at).unwrap_or_default(),
        ))
    }

    fn string(&mut self) -> Outcome<Text> {
        let open = self.at;
        self.at += 1;
        let start = self.at;
        let mut text = String::new();
        let mut escapes = Vec::new();
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                self.at = open;
                return Err(self.bad("this string has no end"));
            };
            text.push_str(rest.get(..length).unwrap_or_default());
            self.at += length;
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    text.push(self.escape()?);
                    escapes.push((text.len(), self.at));
                }
                _ => {
                    return Err(self
                        .bad("a line break or another control character stands in a string")
                        .help("write \\n, or close the string before the end of the line"));
                }
            }
        }
        self.at += 1;
        Ok(Text {
            text: SmolStr::from(text),
            start,
            escapes: escapes.into(),
        })
    }

    fn escape(&mut self) -> Outcome<char> {
        let start = self.at;
        self.at += 1;
        let c = match self.byte() {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'u') => {
                self.at += 1;
                let first = self.unit(start)?;
                if !(0xd800..0xdc00).contains(&first) {
                    return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                if !self.rest().starts_with("\\u") {
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                let before = self.at;
                self.at += 2;
                let second = self.unit(start)?;
                if !(0xdc00..0xe000).contains(&second) {
                    self.at = before;
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                let both = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => {
                self.at = start;
                return Err(self
                    .bad("a backslash starts no escape here")
                    .help("JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits; a quote of the expression is ' alone"));
            }
        };
        self.at += 1;
        Ok(c)
    }

    /// Four hex digits.
    fn unit(&mut self, start: usize) -> Outcome<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let good = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match good.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => {
                self.at = start;
                Err(self.bad("\\u needs four hex digits"))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Outcome<Vec<Node>> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks()?;
        if self.byte() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks()?;
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(items);
                }
                _ => return Err(self.bad("a comma or a closing bracket was expected")),
            }
            self.blanks()?;
        }
    }

    fn object(&mut self, depth: usize) -> Outcome<Vec<(Key, Node)>> {
        self.at += 1;
        let mut members: Vec<(Key, Node)> = Vec::new();
        self.blanks()?;
        if self.byte() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            if self.byte() != Some(b'"') {
                return Err(self.bad("a key in double quotes was expected"));
            }
            let start = self.at;
            let text = self.string()?.text;
            let span = Span::new(start, self.at);
            self.blanks()?;
            if self.byte() != Some(b':') {
                return Err(self.bad("a colon was expected after the key"));
            }
            self.at += 1;
            self.blanks()?;
            let value = self.value(depth + 1)?;
            match members.iter_mut().find(|(key, _)| key.text == text) {
                Some(member) => member.1 = value,
                None => members.push((Key { text, span }, value)),
            }
            self.blanks()?;
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(members);
                }
                _ => return Err(self.bad("a comma or a closing brace was expected")),
            }
            self.blanks()?;
        }
    }
}
