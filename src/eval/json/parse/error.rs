//! What is wrong with a text that is not good JSON, and where.

use std::fmt;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BadKind {
    /// A byte sequence that is no UTF-8.
    NotUtf8,
    /// The text ended inside a value.
    UnexpectedEnd,
    /// An event that does not start with an opening brace.
    NotAnObject,
    /// No value where one must be.
    ExpectedValue,
    /// No key where one must be.
    ExpectedKey,
    /// No colon after a key.
    ExpectedColon,
    /// Neither a comma nor a closing brace after a member.
    ExpectedCommaOrBrace,
    /// Neither a comma nor a closing bracket after an element.
    ExpectedCommaOrBracket,
    /// An unescaped control character in a string.
    ControlCharacter,
    /// A backslash that starts no escape.
    BadEscape,
    /// A number that breaks the rules.
    BadNumber,
    /// More open brackets and braces than the limit.
    TooDeep,
    /// Something but blanks after the value.
    TrailingText,
}

impl BadKind {
    /// The reason as a plain sentence without its place.
    pub fn message(self) -> &'static str {
        match self {
            Self::NotUtf8 => "the text is not valid UTF-8",
            Self::UnexpectedEnd => "the text ends too early",
            Self::NotAnObject => "an object was expected: an event starts with {",
            Self::ExpectedValue => "a value was expected",
            Self::ExpectedKey => "a key in double quotes was expected",
            Self::ExpectedColon => "a colon was expected after the key",
            Self::ExpectedCommaOrBrace => "a comma or a closing brace was expected",
            Self::ExpectedCommaOrBracket => "a comma or a closing bracket was expected",
            Self::ControlCharacter => "a control character in a string must be escaped",
            Self::BadEscape => {
                "a backslash must start one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u with four hex digits"
            }
            Self::BadNumber => "this is no number: a digit is missing, or a zero leads",
            Self::TooDeep => "lists and objects are nested too deeply",
            Self::TrailingText => "nothing may follow the value",
        }
    }
}

/// The first fault of a text: its kind and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadJson {
    /// The byte, from 0, at which the fault was found.
    pub offset: usize,
    /// What the fault is.
    pub kind: BadKind,
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.kind.message(), self.offset)
    }
}

impl std::error::Error for BadJson {}
