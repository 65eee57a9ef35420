//! Divides a template into its tokens.

use super::Problem;
use crate::diagnostic::Span;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// Words with a meaning of their own.
const KEYWORDS: &[&str] = &[
    "block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with",
];

/// A token and its place.
#[derive(Debug, Clone)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Open,
    Close,
    Space,
    Word,
    Keyword,
    Bool,
    Dot,
    Field,
    Variable,
    Number,
    Character,
    Quoted,
    Assign,
    Declare,
    Pipe,
    OpenParen,
    CloseParen,
    Comma,
    Other,
    End,
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token<'t>>,
}

/// All tokens; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Problem> {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
    };
    while lexer.at < text.len() {
        lexer.outside()?;
    }
    lexer.push(Kind::End, text.len(), text.len());
    Ok(lexer.tokens)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// What names are made of.
fn is_name(c: char) -> bool {
    c == '_'
        || c.is_ascii_alphanumeric()
        || (!c.is_ascii()
            && (c.general_category_group() == GeneralCategoryGroup::Letter
                || c.general_category() == GeneralCategory::DecimalNumber))
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        self.tokens.push(Token {
            kind,
            text: self.text.get(start..end).unwrap_or_default(),
            span: Span::new(start, end),
        });
    }

    fn wrong(&self, start: usize, what: impl Into<String>) -> Problem {
        Problem::new(Span::new(start, self.at), what)
    }

    /// Text up to an action, and the action.
    fn outside(&mut self) -> Result<(), Problem> {
        let start = self.at;
        let rest = self.rest();
        let Some(length) = rest.find(OPEN) else {
            self.at = self.text.len();
            self.push(Kind::Text, start, self.at);
            return Ok(());
        };
        let open = start + length;
        let after = self.text.get(open + OPEN.len()..).unwrap_or_default();
        let mut signs = after.chars();
        let trims = signs.next() == Some('-') && signs.next().is_some_and(is_space);
        let before = rest.get(..length).unwrap_or_default();
        let kept = match trims {
            true => before.trim_end_matches(is_space).len(),
            false => length,
        };
        if kept > 0 {
            self.push(Kind::Text, start, start + kept);
        }
        self.at = open + OPEN.len();
        let skipped = if trims { 2 } else { 0 };
        let inner = after.get(skipped..).unwrap_or_default();
        self.at += skipped;
        if inner.starts_with("/*") {
            return self.comment(open);
        }
        self.push(Kind::Open, open, open + OPEN.len());
        self.action(open)
    }

    fn comment(&mut self, open: usize) -> Result<(), Problem> {
        let inner = self.rest().get(2..).unwrap_or_default();
        let Some(length) = inner.find("*/") else {
            self.at = open + OPEN.len();
            return Err(self.wrong(open, "this comment is never closed"));
        };
        self.at += length + 4;
        match self.closes() {
            Some((length, trims)) => {
                self.at += length;
                self.trim(trims);
                Ok(())
            }
            None => Err(self.wrong(open, "a comment stands alone between its braces")),
        }
    }

    /// Whether the action ends here: the length of its end, and whether blanks after it go.
    fn closes(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        if rest.starts_with(CLOSE) {
            return Some((CLOSE.len(), false));
        }
        let trims = rest.strip_prefix(is_space)?.strip_prefix('-')?;
        trims.starts_with(CLOSE).then_some((2 + CLOSE.len(), true))
    }

    fn trim(&mut self, trims: bool) {
        if trims {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_space).len();
        }
    }

    /// Everything up to the end of an action.
    fn action(&mut self, open: usize) -> Result<(), Problem> {
        let mut parentheses = Vec::new();
        loop {
            let start = self.at;
            if let Some((length, trims)) = self.closes() {
                if let Some(&paren) = parentheses.last() {
                    let place = Span::new(paren, paren + 1);
                    return Err(Problem::new(place, "this parenthesis is never closed"));
                }
                self.at += length;
                self.push(Kind::Close, start, self.at);
                self.trim(trims);
                return Ok(());
            }
            let Some(c) = self.peek() else {
                self.at = open + OPEN.len();
                return Err(self.wrong(open, "this action is never closed"));
            };
            let kind = match c {
                c if is_space(c) => self.blanks(),
                '"' | '\'' => self.quoted(c)?,
                '`' => self.raw()?,
                '$' => self.variable()?,
                '.' if !self.digit_after() => self.field()?,
                c if c == '+' || c == '-' || c == '.' || c.is_ascii_digit() => self.number()?,
                c if is_name(c) => self.word()?,
                ':' => {
                    self.at += 1;
                    if !self.rest().starts_with('=') {
                        return Err(self.wrong(start, "a variable is made with :="));
                    }
                    self.at += 1;
                    Kind::Declare
                }
                c if c.is_ascii_graphic() => {
                    self.at += 1;
                    match c {
                        '=' => Kind::Assign,
                        '|' => Kind::Pipe,
                        ',' => Kind::Comma,
                        '(' => {
                            parentheses.push(start);
                            Kind::OpenParen
                        }
                        ')' if parentheses.pop().is_none() => {
                            return Err(self.wrong(start, "this parenthesis was never opened"));
                        }
                        ')' => Kind::CloseParen,
                        _ => Kind::Other,
                    }
                }
                other => {
                    self.at += other.len_utf8();
                    return Err(self.wrong(start, "this character has no meaning in an action"));
                }
            };
            self.push(kind, start, self.at);
        }
    }

    fn digit_after(&self) -> bool {
        self.rest()
            .chars()
            .nth(1)
            .is_some_and(|c| c.is_ascii_digit())
    }

    /// Blanks, without one that belongs to the end of the action.
    fn blanks(&mut self) -> Kind {
        while self.peek().is_some_and(is_space) && self.closes().is_none() {
            self.at += 1;
        }
        Kind::Space
    }

    fn quoted(&mut self, quote: char) -> Result<Kind, Problem> {
        let start = self.at;
        self.at += 1;
        let mut chars = self.rest().char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' if chars.next().is_some_and(|(_, c)| c != '\n') => {}
                '\n' | '\\' => break,
                c if c == quote => {
                    self.at += i + 1;
                    return Ok(match quote {
                        '"' => Kind::Quoted,
                        _ => Kind::Character,
                    });
                }
                _ => {}
            }
        }
        Err(self.wrong(start, "this quotation mark is never closed"))
    }

    fn raw(&mut self) -> Result<Kind, Problem> {
        let start = self.at;
        self.at += 1;
        match self.rest().find('`') {
            Some(length) => {
                self.at += length + 1;
                Ok(Kind::Quoted)
            }
            None => Err(self.wrong(start, "this quotation mark is never closed")),
        }
    }

    fn name(&mut self) {
        while let Some(c) = self.peek().filter(|c| is_name(*c)) {
            self.at += c.len_utf8();
        }
    }

    /// What may follow a name.
    fn terminated(&mut self, start: usize) -> Result<(), Problem> {
        let rest = self.rest();
        let good = rest.is_empty()
            || rest.starts_with(|c| is_space(c) || ".,|:)(".contains(c))
            || rest.starts_with(CLOSE);
        if good {
            return Ok(());
        }
        self.at += self.peek().map_or(0, char::len_utf8);
        Err(self
            .wrong(start, "a name has letters, digits and _ only")
            .help("a key of another kind is read by index: {{ index .First \"@timestamp\" }}"))
    }

    fn variable(&mut self) -> Result<Kind, Problem> {
        let start = self.at;
        self.at += 1;
        self.name();
        self.terminated(start)?;
        Ok(Kind::Variable)
    }

    fn field(&mut self) -> Result<Kind, Problem> {
        let start = self.at;
        self.at += 1;
        let begin = self.at;
        self.name();
        self.terminated(start)?;
        Ok(if self.at == begin {
            Kind::Dot
        } else {
            Kind::Field
        })
    }

    fn word(&mut self) -> Result<Kind, Problem> {
        let start = self.at;
        self.name();
        let word = self.text.get(start..self.at).unwrap_or_default();
        self.terminated(start)?;
        Ok(match word {
            "true" | "false" => Kind::Bool,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Word,
        })
    }

    fn accept(&mut self, signs: &str) -> bool {
        let found = self.peek().is_some_and(|c| signs.contains(c));
        self.at += usize::from(found);
        found
    }

    fn run(&mut self, signs: &str) {
        while self.accept(signs) {}
    }

    fn number(&mut self) -> Result<Kind, Problem> {
        let start = self.at;
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.run(digits);
        if self.accept(".") {
            self.run(digits);
        }
        let power = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(power) {
            self.accept("+-");
            self.run("0123456789_");
        }
        match self.peek() {
            Some('i' | '+' | '-') => {
                self.at += 1;
                Err(self.wrong(start, "complex numbers are not known here"))
            }
            Some(c) if is_name(c) => {
                self.at += c.len_utf8();
                Err(self.wrong(start, "malformed number"))
            }
            _ => Ok(Kind::Number),
        }
    }
}
