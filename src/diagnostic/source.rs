//! Texts that diagnostics point into.

/// A half-open range of UTF-8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The smallest range that covers both.
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The range moved by `by` bytes to the right.
    pub fn shifted(self, by: usize) -> Span {
        Span {
            start: self.start + by,
            end: self.end + by,
        }
    }
}

/// A line and a column, both counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A named text: an expression, a line typed at the shell, a script.
#[derive(Debug)]
pub struct Source {
    /// A file name, or empty for an expression given on the command line.
    pub name: String,
    /// The text.
    pub text: String,
    /// The number of the text's first line within the file.
    pub first_line: usize,
}

impl Source {
    /// A text without a name.
    pub fn expression(text: impl Into<String>) -> Source {
        Source {
            name: String::new(),
            text: text.into(),
            first_line: 1,
        }
    }

    /// A text from a file.
    pub fn named(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source {
            name: name.into(),
            text: text.into(),
            first_line: 1,
        }
    }

    /// Where byte `offset` stands.
    pub fn position(&self, offset: usize) -> Position {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        Position {
            line: self.first_line + before.bytes().filter(|b| *b == b'\n').count(),
            column: before[start..].chars().count() + 1,
        }
    }

    /// `span` cut to the text and widened to whole characters.
    pub fn clamp(&self, span: Span) -> Span {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        Span { start, end }
    }
}

/// The start of the character that byte `at` of a text stands in, or the end of the text.
pub fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
