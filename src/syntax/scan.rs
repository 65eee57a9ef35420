//! The scanner in front of the parser: strings, brackets, comments, words and numbers as runs of bytes.
//!
//! It never fails by itself, so that highlighting and statement splitting can use it on unfinished text;
//! [`check`] turns what it finds wrong into diagnostics and prepares the text for the grammar.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Span};
use std::borrow::Cow;

/// What a run of bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space.
    Blank,
    /// `//` to the end of the line.
    Comment,
    /// A name.
    Word,
    /// A reserved word.
    Keyword,
    /// A number without its sign.
    Number,
    /// A number with something glued to it.
    BadNumber,
    /// A string with its quotation marks.
    Text,
    /// A string that never ends.
    OpenText,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// Any operator or punctuation of the language.
    Operator,
    /// `:=`
    Assign,
    /// Something that is no part of the language.
    Stray,
}

/// A run of bytes and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// The reserved words; only these spellings are reserved.
pub const KEYWORDS: &[&str] = &[
    "in", "IN", "and", "AND", "or", "OR", "not", "NOT", "true", "TRUE", "false", "FALSE", "if",
    "IF", "then", "THEN", "else", "ELSE", "null", "NULL", "NaN", "match", "MATCH", "default",
    "DEFAULT", "exists", "EXISTS",
];

const OPERATORS: &[&str] = &[
    "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "?", ":", ",",
    ".",
];

/// Cuts `text` into tokens from byte `at` on.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, at: 0 }
}

/// The iterator behind [`tokens`].
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$'
}

fn ends_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.'
}

/// The length of the name at the start of `bytes`: colons may stand inside, not at the end.
fn word_length(bytes: &[u8]) -> usize {
    let mut end = 1;
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if ends_word(byte) {
            end = at;
        } else if byte != b':' {
            break;
        }
    }
    end
}

fn digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// The length of the number at the start of `bytes`, which begins with a digit or with a point and a digit.
fn number_length(bytes: &[u8]) -> usize {
    let mut at = if bytes.first() == Some(&b'0') {
        1
    } else {
        digits(bytes, 0)
    };
    let whole = at > 0;
    let mut fraction = false;
    if bytes.get(at) == Some(&b'.') {
        let end = digits(bytes, at + 1);
        if whole || end > at + 1 {
            fraction = true;
            at = end;
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = digits(bytes, at + 1 + sign);
        if end > at + 1 + sign {
            fraction = true;
            at = end;
        }
    }
    match bytes.get(at) {
        Some(b'd' | b'D' | b'f' | b'F') => at + 1,
        Some(b'l' | b'L') if !fraction => at + 1,
        _ => at,
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = self.text.get(self.at..)?;
        let bytes = rest.as_bytes();
        let first = *bytes.first()?;
        let (kind, length) = match first {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0c => {
                let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0x0c);
                (
                    TokenKind::Blank,
                    bytes.iter().take_while(|b| blank(b)).count(),
                )
            }
            b'/' if bytes.get(1) == Some(&b'/') => (
                TokenKind::Comment,
                memchr::memchr(b'\n', bytes).unwrap_or(bytes.len()),
            ),
            b'\'' | b'"' => text_length(bytes, first),
            b'(' | b'[' | b'{' => (TokenKind::Open, 1),
            b')' | b']' | b'}' => (TokenKind::Close, 1),
            b':' if bytes.get(1) == Some(&b'=') => (TokenKind::Assign, 2),
            b'0'..=b'9' => number(bytes),
            b'.' if bytes.get(1).is_some_and(u8::is_ascii_digit) => number(bytes),
            _ if starts_word(first) => {
                let length = word_length(bytes);
                let keyword = KEYWORDS.contains(&&rest[..length]);
                (
                    if keyword {
                        TokenKind::Keyword
                    } else {
                        TokenKind::Word
                    },
                    length,
                )
            }
            _ => match OPERATORS.iter().find(|o| rest.starts_with(**o)) {
                Some(operator) => (TokenKind::Operator, operator.len()),
                None => (
                    TokenKind::Stray,
                    rest.chars().next().map_or(1, char::len_utf8),
                ),
            },
        };
        let span = Span::new(self.at, self.at + length);
        self.at += length;
        Some(Token { kind, span })
    }
}

fn number(bytes: &[u8]) -> (TokenKind, usize) {
    let length = number_length(bytes);
    match bytes.get(length) {
        Some(&b) if ends_word(b) => {
            let glued = bytes[length..]
                .iter()
                .take_while(|b| ends_word(**b))
                .count();
            let word = std::str::from_utf8(&bytes[length..length + glued]).unwrap_or("");
            if KEYWORDS.contains(&word) {
                (TokenKind::Number, length)
            } else {
                (TokenKind::BadNumber, length + glued)
            }
        }
        _ => (TokenKind::Number, length),
    }
}

fn text_length(bytes: &[u8], quote: u8) -> (TokenKind, usize) {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(quote, b'\\', &bytes[at..]) {
        at += found + 1;
        if bytes[at - 1] == quote {
            return (TokenKind::Text, at);
        }
        at = (at + 1).min(bytes.len());
    }
    (TokenKind::OpenText, bytes.len())
}

/// Stands for a `:` that the grammar shall not take for a part of a name; one byte, so that places stay.
pub const LOOSE_COLON: char = '\u{1}';

struct Level {
    opened: Span,
    bracket: u8,
    is_map: bool,
    segment: Segment,
}

/// What happens between two commas of one bracket, as far as colons are concerned.
#[derive(Default)]
struct Segment {
    open_questions: usize,
    /// Colons inside names that stand where a colon is still missing.
    glued: Vec<usize>,
}

impl Segment {
    fn new(is_map: bool) -> Segment {
        Segment {
            open_questions: usize::from(is_map),
            ..Segment::default()
        }
    }

    fn close(&mut self, loose: &mut Vec<usize>) {
        loose.extend(self.glued.iter().take(self.open_questions));
    }
}

/// Finds what the grammar could only refuse without a good reason, and gives back the text to parse:
/// of the same length, with the colons of `a ? b:c` and `{a:1}` loosened from the names around them.
///
/// Errors: unclosed strings and brackets, stray characters, bad numbers and escapes, too deep nesting.
pub fn check(text: &str, depth: usize) -> Outcome<Cow<'_, str>> {
    let mut levels: Vec<Level> = Vec::new();
    let mut top = Segment::default();
    let mut loose = Vec::new();
    let mut after_match = false;
    let mut assign = None;
    for token in tokens(text) {
        let part = &text[token.span.start..token.span.end];
        let in_map = levels.last().is_some_and(|l| l.is_map);
        let segment = levels.last_mut().map_or(&mut top, |l| &mut l.segment);
        match token.kind {
            TokenKind::Blank | TokenKind::Comment => continue,
            TokenKind::Open => {
                if levels.len() >= depth {
                    return Err(too_deep(token.span, depth));
                }
                let is_map = part == "{" && !after_match;
                let bracket = part.as_bytes()[0];
                levels.push(Level {
                    opened: token.span,
                    bracket,
                    is_map,
                    segment: Segment::new(is_map),
                });
            }
            TokenKind::Close => match levels.pop() {
                None => {
                    return Err(Diagnostic::at(
                        Code::Unopened,
                        token.span,
                        format!("{part} closes nothing"),
                    )
                    .labelled("no bracket is open here"));
                }
                Some(level) if partner(level.bracket) != part.as_bytes()[0] => {
                    let opened = &text[level.opened.start..level.opened.end];
                    return Err(Diagnostic::at(
                        Code::Unopened,
                        token.span,
                        format!("{part} cannot close {opened}"),
                    )
                    .labelled(format!("expected {}", partner(level.bracket) as char))
                    .also(level.opened, "opened here"));
                }
                Some(mut level) => {
                    // An empty map misses no colon.
                    level.segment.close(&mut loose);
                }
            },
            TokenKind::Operator => match part {
                "?" => segment.open_questions += 1,
                ":" => segment.open_questions = segment.open_questions.saturating_sub(1),
                "," => {
                    segment.close(&mut loose);
                    *segment = Segment::new(in_map);
                }
                _ => {}
            },
            TokenKind::Word => {
                if segment.open_questions > segment.glued.len()
                    && let Some(colon) = part.find(':')
                {
                    segment.glued.push(token.span.start + colon);
                }
            }
            TokenKind::Text => check_escapes(part, token.span.start)?,
            TokenKind::OpenText => {
                let end = text[token.span.start..]
                    .find('\n')
                    .map_or(token.span.end, |i| token.span.start + i);
                return Err(Diagnostic::at(
                    Code::UnclosedString,
                    Span::new(token.span.start, end.max(token.span.start + 1)),
                    "this string is never closed",
                )
                .labelled(format!("opened with {}", &part[..1])));
            }
            TokenKind::BadNumber => return Err(bad_number(part, token.span)),
            // An open bracket may have drawn the next line in; then the bracket is to blame.
            TokenKind::Assign => {
                assign.get_or_insert(token.span);
            }
            TokenKind::Stray => return Err(stray(text, token.span)),
            TokenKind::Keyword | TokenKind::Number => {}
        }
        after_match = matches!(part, "match" | "MATCH");
    }
    if let Some(level) = levels.pop() {
        let bracket = level.bracket as char;
        return Err(Diagnostic::at(
            Code::Unclosed,
            level.opened,
            format!("{bracket} is never closed"),
        )
        .labelled("opened here")
        .help(format!(
            "add a {} where it ends",
            partner(level.bracket) as char
        )));
    }
    if let Some(span) = assign {
        return Err(Diagnostic::at(
            Code::AssignmentHere,
            span,
            ":= cannot stand inside an expression",
        ));
    }
    top.close(&mut loose);
    if loose.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    loose.sort_unstable();
    let mut changed = String::with_capacity(text.len());
    let mut from = 0;
    for colon in loose {
        changed.push_str(&text[from..colon]);
        changed.push(LOOSE_COLON);
        from = colon + 1;
    }
    changed.push_str(&text[from..]);
    Ok(Cow::Owned(changed))
}

/// The error for nesting beyond the limit.
pub fn too_deep(span: Span, depth: usize) -> Fault {
    Diagnostic::at(
        Code::Nesting,
        span,
        format!("nested more than {depth} levels deep"),
    )
    .labelled("this level is one too many")
}

fn partner(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

fn check_escapes(part: &str, start: usize) -> Outcome<()> {
    let quote = part.as_bytes()[0];
    let mut at = 1;
    while let Some(found) = memchr::memchr(b'\\', part.as_bytes().get(at..).unwrap_or_default()) {
        at += found;
        let escaped = part[at + 1..].chars().next().unwrap_or('\\');
        if !(escaped.is_ascii() && matches!(escaped as u8, b'\\' | b'n' | b'r' | b't'))
            && escaped as u32 != u32::from(quote)
        {
            let span = Span::new(start + at, start + at + 1 + escaped.len_utf8());
            let fault = Diagnostic::at(
                Code::BadEscape,
                span,
                format!("\\{escaped} is no escape of a string"),
            );
            return Err(fault.help(format!(
                "write \\\\{escaped} for a backslash followed by {escaped}"
            )));
        }
        at += 1 + escaped.len_utf8();
    }
    Ok(())
}

fn bad_number(part: &str, span: Span) -> Fault {
    let fault = Diagnostic::at(Code::BadNumber, span, format!("{part} is not a number"));
    if part.contains('_') {
        fault.help(format!("write {}", part.replace('_', "")))
    } else if part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()) {
        let plain = part.trim_start_matches('0');
        fault.help(format!(
            "write {} (numbers have no leading zeros)",
            if plain.is_empty() { "0" } else { plain }
        ))
    } else if part.ends_with(['l', 'L']) {
        fault.help("an L stands only behind whole numbers")
    } else if part.starts_with("0x") || part.starts_with("0X") {
        fault.help("write the number in decimal")
    } else if part.bytes().filter(|b| *b == b'.').count() > 1 {
        fault.help("write an address or a version as a string, in quotation marks")
    } else {
        fault
    }
}

fn stray(text: &str, span: Span) -> Fault {
    let part = &text[span.start..span.end];
    let at = |message: String| Diagnostic::at(Code::StrayCharacter, span, message);
    match part {
        "‘" | "’" | "‚" | "‛" | "“" | "”" | "„" | "‟" | "«" | "»" => {
            let straight = if matches!(part, "‘" | "’" | "‚" | "‛") {
                "'"
            } else {
                "\""
            };
            Diagnostic::at(
                Code::CurlyQuote,
                span,
                format!("{part} is a typographic quotation mark"),
            )
            .help(format!("write {straight} instead"))
        }
        "=" => at("a single = has no meaning here".into()).help("compare with =="),
        "!" => at("! has no meaning here".into()).help("negate with not(…); unequal is !="),
        "&" => at("a single & has no meaning here".into()).help("write and (or &&)"),
        "|" => at("a single | has no meaning here".into()).help("write or (or ||)"),
        "%" => at("% has no meaning here".into())
            .help("there is no remainder operator: x - y * (x / y)"),
        "#" => {
            at("# has no meaning here".into()).help("comments inside an expression start with //")
        }
        ";" => at("; has no meaning here".into()).help("write one statement a line"),
        "–" | "—" | "−" => {
            at(format!("{part} is a typographic dash")).help("write - instead")
        }
        "\u{a0}" | "\u{2007}" | "\u{202f}" | "\u{200b}" | "\u{feff}" => {
            at("an invisible character that is no blank stands here".into())
                .help("write a plain blank")
        }
        _ if part.chars().all(char::is_control) => {
            at("a control character has no meaning here".into())
        }
        _ => at(format!("{part} has no meaning here")),
    }
}
