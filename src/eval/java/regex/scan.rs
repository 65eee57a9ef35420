//! Characters of a pattern with `\Q..\E` removed, and the flags that change how they are read.

/// One character of the pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tok {
    pub c: char,
    /// From a quotation: stands for itself wherever it is met.
    pub quoted: bool,
    /// Byte offset in the pattern.
    pub at: usize,
}

/// The inline flags `idmsuxU`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub case_insensitive: bool,
    pub unix_lines: bool,
    pub multi_line: bool,
    pub dot_all: bool,
    pub unicode_case: bool,
    pub comments: bool,
    pub unicode_classes: bool,
}

impl Flags {
    /// Sets or clears the flag of a letter; false if there is none.
    pub fn set(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'i' => self.case_insensitive = on,
            'd' => self.unix_lines = on,
            'm' => self.multi_line = on,
            's' => self.dot_all = on,
            'u' => self.unicode_case = on,
            'x' => self.comments = on,
            // In Java U always takes u along.
            'U' => {
                self.unicode_classes = on;
                self.unicode_case = on;
            }
            _ => return false,
        }
        true
    }
}

/// A cursor over the characters.
#[derive(Debug)]
pub(super) struct Scanner {
    toks: Vec<Tok>,
    pos: usize,
    end: usize,
    pub flags: Flags,
}

impl Scanner {
    pub fn new(pattern: &str) -> Self {
        Scanner {
            toks: unquote(pattern),
            pos: 0,
            end: pattern.len(),
            flags: Flags::default(),
        }
    }

    /// Byte offset of the cursor.
    pub fn at(&self) -> usize {
        self.toks.get(self.pos).map_or(self.end, |t| t.at)
    }

    pub fn pos(&self) -> usize {
        self.pos
    }

    pub fn back_to(&mut self, pos: usize) {
        self.pos = pos;
    }

    /// The character at the cursor, white space included.
    pub fn raw(&self) -> Option<Tok> {
        self.toks.get(self.pos).copied()
    }

    pub fn raw_after(&self, n: usize) -> Option<Tok> {
        self.toks.get(self.pos + n).copied()
    }

    /// Takes the character at the cursor, white space included.
    pub fn take_raw(&mut self) -> Option<Tok> {
        let tok = self.raw();
        self.pos += usize::from(tok.is_some());
        tok
    }

    /// The next character that counts; in comments mode the cursor moves over what does not.
    pub fn peek(&mut self) -> Option<Tok> {
        if self.flags.comments {
            self.skip_comments();
        }
        self.raw()
    }

    /// The next character that counts, if it is a plain one.
    pub fn peek_plain(&mut self) -> Option<char> {
        self.peek().filter(|t| !t.quoted).map(|t| t.c)
    }

    /// Takes the next character that counts.
    pub fn take(&mut self) -> Option<Tok> {
        let tok = self.peek();
        self.pos += usize::from(tok.is_some());
        tok
    }

    /// Takes the next character if it is the wanted plain one.
    pub fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek_plain() == Some(wanted);
        self.pos += usize::from(found);
        found
    }

    fn skip_comments(&mut self) {
        let mut in_comment = false;
        while let Some(t) = self.raw() {
            if in_comment && is_line_end(t.c, self.flags.unix_lines) {
                in_comment = false;
            } else if !in_comment {
                if t.quoted {
                    return;
                }
                match t.c {
                    '#' => in_comment = true,
                    ' ' | '\t'..='\r' => {}
                    _ => return,
                }
            }
            self.pos += 1;
        }
    }
}

/// Java's line terminators, or only `\n` under UNIX_LINES.
pub(super) fn is_line_end(c: char, unix: bool) -> bool {
    c == '\n' || (!unix && matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}

fn unquote(pattern: &str) -> Vec<Tok> {
    let mut out = Vec::with_capacity(pattern.len());
    let mut chars = pattern.char_indices().peekable();
    let mut quoting = false;
    let mut first = false;
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, n)| n);
        if c == '\\' && next == Some(if quoting { 'E' } else { 'Q' }) {
            chars.next();
            quoting = !quoting;
            first = quoting;
            continue;
        }
        // Java quotes by escaping, so letters (and later digits) stay as they are.
        let quoted = quoting && c.is_ascii() && !c.is_ascii_alphabetic();
        let quoted = quoted && (first || !c.is_ascii_digit());
        first = false;
        out.push(Tok { c, quoted, at });
        if c == '\\'
            && !quoting
            && let Some((at, c)) = chars.next()
        {
            let quoted = false;
            out.push(Tok { c, quoted, at });
        }
    }
    out
}
