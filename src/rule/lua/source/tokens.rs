//! A Lua text to tokens. Every token keeps its place; comments and blanks are what lies between.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Span};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name that is no keyword.
    Name,
    /// `and`, `end` …
    Keyword,
    /// A number.
    Number,
    /// A text between quotation marks.
    Text,
    /// A text between long brackets.
    Long,
    /// An operator or a bracket.
    Sign,
    /// The end of the text.
    End,
}

/// A token by its place.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Longer signs before those they begin with.
const SIGNS: &[&str] = &[
    "...", "..", "==", "~=", "<=", ">=", "<<", ">>", "::", "+", "-", "*", "/", "%", "^", "#", "&",
    "|", "~", "<", ">", "=", "(", ")", "{", "}", "[", "]", ";", ":", ",", ".",
];

/// All tokens, the last one [`Kind::End`]. Errors: E0101, E0104 with the place.
pub fn tokens(text: &str) -> Outcome<Vec<Token>> {
    let mut found = Vec::with_capacity(text.len() / 4);
    let mut at = if text.starts_with("#!") {
        text.find('\n').unwrap_or(text.len())
    } else {
        0
    };
    loop {
        at = skip(text, at)?;
        let start = at;
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.bytes().next() else {
            found.push(Token {
                kind: Kind::End,
                start,
                end: start,
            });
            return Ok(found);
        };
        let kind = match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let more = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
                at += rest.bytes().take_while(|b| more(b)).count();
                match text.get(start..at) {
                    Some(word) if KEYWORDS.contains(&word) => Kind::Keyword,
                    _ => Kind::Name,
                }
            }
            b'0'..=b'9' => number(text, &mut at),
            b'.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => number(text, &mut at),
            b'"' | b'\'' => {
                at = quoted(text, at)?;
                Kind::Text
            }
            b'[' if long_level(rest).is_some() => {
                at = long(text, at)?;
                Kind::Long
            }
            _ => {
                let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) else {
                    return Err(stranger(rest, start));
                };
                at += sign.len();
                Kind::Sign
            }
        };
        found.push(Token {
            kind,
            start,
            end: at,
        });
    }
}

#[cold]
fn stranger(rest: &str, start: usize) -> Fault {
    let c = rest.chars().next().unwrap_or(' ');
    let span = Span::new(start, start + c.len_utf8());
    let fault = Diagnostic::at(
        Code::Unexpected,
        span,
        format!("`{}` has no meaning in Lua", c.escape_debug()),
    );
    match c {
        '!' => fault.help("not equal is written ~="),
        '“' | '”' | '«' | '»' | '‘' | '’' => fault.help("texts stand between \" or '"),
        _ => fault,
    }
}

/// Behind blanks and comments.
fn skip(text: &str, mut at: usize) -> Outcome<usize> {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let blanks = rest
            .bytes()
            .take_while(|b| b.is_ascii_whitespace() || *b == 0x0b)
            .count();
        at += blanks;
        let rest = text.get(at..).unwrap_or_default();
        let Some(comment) = rest.strip_prefix("--") else {
            // A byte-order mark at the beginning is no part of the text.
            match rest.strip_prefix('\u{feff}') {
                Some(_) if at == 0 => at += 3,
                _ => return Ok(at),
            }
            continue;
        };
        at = match long_level(comment) {
            Some(_) => long(text, at + 2)?,
            None => at + rest.find('\n').unwrap_or(rest.len()),
        };
    }
}

fn number(text: &str, at: &mut usize) -> Kind {
    let bytes = text.as_bytes();
    while let Some(b) = bytes.get(*at) {
        let sign =
            matches!(b, b'+' | b'-') && matches!(bytes.get(at.wrapping_sub(1)), Some(b'e' | b'E'));
        if !(b.is_ascii_alphanumeric() || *b == b'.' || *b == b'_' || sign) {
            break;
        }
        // `1..2` is a number, an operator and a number.
        if *b == b'.' && bytes.get(*at + 1) == Some(&b'.') {
            break;
        }
        *at += 1;
    }
    Kind::Number
}

fn quoted(text: &str, start: usize) -> Outcome<usize> {
    let bytes = text.as_bytes();
    let mark = bytes.get(start);
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            None | Some(b'\n') => {
                return Err(Diagnostic::at(
                    Code::UnclosedString,
                    Span::new(start, at.min(bytes.len())),
                    "this text is not closed in its line",
                ));
            }
            Some(b'\\')
                if bytes.get(at + 1) == Some(&b'\r') && bytes.get(at + 2) == Some(&b'\n') =>
            {
                at += 3
            }
            Some(b'\\') => at += 2,
            c if c == mark => return Ok(at + 1),
            Some(_) => at += 1,
        }
    }
}

/// How many `=` an opening long bracket has.
fn long_level(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('[')?;
    let level = inner.bytes().take_while(|b| *b == b'=').count();
    (inner.as_bytes().get(level) == Some(&b'[')).then_some(level)
}

fn long(text: &str, start: usize) -> Outcome<usize> {
    let rest = text.get(start..).unwrap_or_default();
    let level = long_level(rest).unwrap_or_default();
    let close = format!("]{}]", "=".repeat(level));
    match rest.find(&close) {
        Some(end) => Ok(start + end + close.len()),
        None => Err(Diagnostic::at(
            Code::UnclosedString,
            Span::new(start, start + level + 2),
            format!("what opens here is never closed by {close}"),
        )),
    }
}
