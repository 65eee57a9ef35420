//! Scripts as lists of statements, with the rules for where a statement ends.

use super::scan::{self, Token, TokenKind};
use super::tree::Expr;
use super::{ParseLimits, parse};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use smol_str::SmolStr;
use std::sync::Arc;

/// One statement of a script, or one line of the shell.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The statement's lines, named and numbered as in the file.
    pub source: Arc<Source>,
    /// The statement's text without blanks around it.
    pub span: Span,
    /// What stood before it behind `///`.
    pub documentation: String,
}

/// What a statement says.
#[derive(Debug)]
pub enum Said {
    /// An expression; `None` when there is nothing but blanks.
    Expression(Option<Expr>),
    /// `name := expression`
    Assignment {
        /// The variable.
        name: SmolStr,
        /// What it shall be; `None` stands for the empty text.
        value: Option<Expr>,
        /// The text of the value as written.
        written: String,
    },
    /// `name := %magic` or `name := ?NAME`
    MagicAssignment {
        /// The variable.
        name: SmolStr,
        /// The line to run.
        line: String,
    },
    /// `def NAME(a, b) := expression`
    Definition {
        /// The function.
        name: SmolStr,
        /// Where its name stands.
        name_span: Span,
        /// Its parameters.
        parameters: Vec<SmolStr>,
        /// Its body.
        body: Expr,
    },
    /// A line that begins with `%`, or with `:` and a letter.
    Magic(String),
    /// `?TOPIC` or `help TOPIC`
    Help(String),
    /// `quit` or `exit`
    Quit,
}

/// Cuts a script into its statements. Nothing fails here: an unclosed bracket makes the rest one statement,
/// which then fails to parse.
pub fn statements(source: &Source) -> Vec<Statement> {
    each_statement(source).collect()
}

/// The same one after the other, for long scripts that may end early.
pub fn each_statement(source: &Source) -> impl Iterator<Item = Statement> {
    Cutter {
        source,
        at: 0,
        counted: 0,
        lines_before: source.first_line,
    }
}

/// A script of which the statements up to some byte have been cut off.
struct Cutter<'a> {
    source: &'a Source,
    at: usize,
    /// Up to where lines have been counted, and how many there are.
    counted: usize,
    lines_before: usize,
}

impl Iterator for Cutter<'_> {
    type Item = Statement;

    fn next(&mut self) -> Option<Statement> {
        let text = self.source.text.as_str();
        let mut documentation = String::new();
        while self.at < text.len() {
            let at = self.at;
            let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
            let line = text[at..line_end].trim();
            if line.is_empty()
                || line.starts_with('#')
                || (line.starts_with("//") && !line.starts_with("///"))
            {
                documentation.clear();
                self.at = line_end + 1;
                continue;
            }
            if let Some(doc) = line.strip_prefix("///") {
                if !documentation.is_empty() {
                    documentation.push('\n');
                }
                documentation.push_str(doc.trim());
                self.at = line_end + 1;
                continue;
            }
            let end = if is_command(line) {
                line_end
            } else {
                statement_end(text, at)
            };
            let passed = &text.as_bytes()[self.counted..at];
            self.lines_before += memchr::memchr_iter(b'\n', passed).count();
            self.counted = at;
            self.at = end + 1;
            let lines = &text[at..end];
            let start = lines.len() - lines.trim_start().len();
            return Some(Statement {
                source: Arc::new(Source {
                    name: self.source.name.clone(),
                    text: lines.to_string(),
                    first_line: self.lines_before,
                }),
                span: Span::new(start, start + lines.trim().len()),
                documentation,
            });
        }
        None
    }
}

/// Where the last statement of a text begins, however unfinished it is; `None` behind a comment or in an empty line.
pub fn last_statement(text: &str) -> Option<usize> {
    let (mut at, mut found) = (0, None);
    while at <= text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
        let line = text[at..line_end].trim_start();
        let start = line_end - line.len();
        let comment = line.is_empty() || line.starts_with('#') || line.starts_with("//");
        found = (!comment).then_some(start);
        at = if comment || is_command(line) {
            line_end + 1
        } else {
            statement_end(text, at) + 1
        };
    }
    found
}

/// Whether a line, without blanks before it, is a command of the shell: `%vars`, `?ABS`, `:next`. It is one line always.
pub fn is_command(line: &str) -> bool {
    let mut chars = line.chars();
    match chars.next() {
        Some('%' | '?') => true,
        Some(':') => chars.next().is_some_and(|c| c.is_ascii_alphabetic()),
        _ => false,
    }
}

/// The topic of `help TOPIC`, which is no expression: two words.
fn help_topic(text: &str) -> Option<&str> {
    let topic = text.strip_prefix("help")?;
    let word = topic.trim_start();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '%' | ':');
    let reserved = scan::KEYWORDS.contains(&word);
    (topic.len() > word.len() && !word.is_empty() && word.chars().all(plain) && !reserved)
        .then_some(word)
}

/// Where the statement that begins at `from` ends: at a line end outside of brackets and strings.
fn statement_end(text: &str, from: usize) -> usize {
    let mut depth = 0usize;
    let mut continued = false;
    for token in scan::tokens(&text[from..]) {
        let part = &text[from + token.span.start..from + token.span.end];
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Blank if depth == 0 && !continued => {
                if let Some(line_end) = part.find('\n') {
                    return from + token.span.start + line_end;
                }
            }
            _ => {}
        }
        continued = is_continuation(text, from, token);
    }
    text.len()
}

/// Whether `token` is a backslash behind a blank at the end of a line.
fn is_continuation(text: &str, from: usize, token: Token) -> bool {
    let (start, end) = (from + token.span.start, from + token.span.end);
    token.kind == TokenKind::Stray
        && &text[start..end] == "\\"
        && text[..start].ends_with([' ', '\t'])
        && text[end..]
            .split('\n')
            .next()
            .is_some_and(|rest| rest.trim().is_empty())
}

/// Whether the text wants more lines: a bracket or a string is open, or it ends in a blank and a backslash.
pub fn is_incomplete(text: &str) -> bool {
    match statements(&Source::expression(text)).pop() {
        Some(last) => !is_command(last.text()) && is_open(&last.source.text),
        None => false,
    }
}

fn is_open(text: &str) -> bool {
    let mut depth = 0usize;
    for token in scan::tokens(text) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::OpenText => return true,
            _ => {}
        }
    }
    depth > 0 || text.trim_end_matches(['\n', '\r']).ends_with(" \\")
}

impl Statement {
    /// The statement as written, without blanks around it.
    pub fn text(&self) -> &str {
        &self.source.text[self.span.start..self.span.end]
    }

    /// Reads the statement. Errors: E01xx with their places.
    pub fn read(&self, limits: ParseLimits) -> Outcome<Said> {
        self.said(limits)
            .map_err(|fault| fault.in_source(&self.source))
    }

    fn said(&self, limits: ParseLimits) -> Outcome<Said> {
        let text = self.text();
        if let Some(name) = text.strip_prefix('?') {
            return Ok(Said::Help(name.trim().to_string()));
        }
        if is_command(text) {
            return Ok(Said::Magic(text.to_string()));
        }
        if let Some(topic) = help_topic(text) {
            return Ok(Said::Help(topic.to_string()));
        }
        if matches!(text, "quit" | "exit") {
            return Ok(Said::Quit);
        }
        let code = self.without_continuations();
        let tokens: Vec<Token> = scan::tokens(&code)
            .filter(|t| !matches!(t.kind, TokenKind::Blank | TokenKind::Comment))
            .collect();
        let part = |t: &Token| &code[t.span.start..t.span.end];
        let assigns: Vec<&Token> = tokens
            .iter()
            .filter(|t| t.kind == TokenKind::Assign)
            .collect();
        if let [first, second, ..] = assigns.as_slice() {
            if let Err(fault) = scan::check(&code[..self.span.end], limits.depth)
                && fault.code != Code::AssignmentHere
            {
                return Err(fault);
            }
            return Err(Diagnostic::at(
                Code::AssignmentHere,
                second.span,
                "a line holds one := only",
            )
            .also(first.span, "the first one"));
        }
        // `def` may also be a variable: an operator follows it then.
        let is_definition = tokens.len() > 2
            && part(&tokens[0]) == "def"
            && match tokens[1].kind {
                TokenKind::Word => true,
                TokenKind::Keyword => !matches!(
                    part(&tokens[1]).to_ascii_lowercase().as_str(),
                    "and" | "or" | "in" | "not"
                ),
                _ => false,
            };
        if is_definition {
            return self.definition(&code, &tokens, limits);
        }
        let Some(assign) = assigns.first() else {
            return Ok(Said::Expression(self.parse(&code, 0, limits)?));
        };
        // A := inside brackets is no assignment; the parser says so.
        if scan_depth(&tokens, assign.span.start) > 0 {
            return Ok(Said::Expression(self.parse(&code, 0, limits)?));
        }
        let name = match tokens.as_slice() {
            [name, second, ..] if name.kind == TokenKind::Word && second.span == assign.span => {
                SmolStr::new(part(name))
            }
            _ => return Err(bad_name(&code, &tokens, assign.span)),
        };
        let written = self.source.text[assign.span.end..self.span.end]
            .trim()
            .to_string();
        if written.starts_with(['%', '?']) {
            return Ok(Said::MagicAssignment {
                name,
                line: written,
            });
        }
        let value = self.parse(&code, assign.span.end, limits)?;
        Ok(Said::Assignment {
            name,
            value,
            written,
        })
    }

    /// The statement's lines with continuation backslashes blanked; places stay.
    fn without_continuations(&self) -> String {
        let text = &self.source.text;
        let mut code = text.clone();
        for token in scan::tokens(text).filter(|t| is_continuation(text, 0, *t)) {
            code.replace_range(token.span.start..token.span.end, " ");
        }
        code
    }

    /// Parses what stands from byte `from` on, with places in the whole statement.
    fn parse(&self, code: &str, from: usize, limits: ParseLimits) -> Outcome<Option<Expr>> {
        let mut padded = " ".repeat(from);
        padded.push_str(&code[from..self.span.end]);
        let limits = ParseLimits {
            length: limits.length.saturating_add(from),
            ..limits
        };
        parse(&Arc::new(Source::expression(padded)), limits).map_err(|mut fault| {
            fault.source = None;
            fault
        })
    }

    fn definition(&self, code: &str, tokens: &[Token], limits: ParseLimits) -> Outcome<Said> {
        let part = |t: &Token| &code[t.span.start..t.span.end];
        let bad = |span: Span, message: &str| -> Fault {
            Diagnostic::at(Code::BadDefinition, span, message)
                .help("a definition reads: def NAME(a, b) := expression")
        };
        let end = Span::new(self.span.end, self.span.end);
        let name = &tokens[1];
        if name.kind != TokenKind::Word {
            return Err(bad(
                name.span,
                "a definition needs a name that is no keyword",
            ));
        }
        let mut rest = tokens[2..].iter();
        match rest.next() {
            Some(open) if part(open) == "(" => {}
            other => {
                return Err(bad(
                    other.map_or(end, |t| t.span),
                    "expected ( behind the name",
                ));
            }
        }
        let mut parameters: Vec<SmolStr> = Vec::new();
        let mut wants_name = true;
        loop {
            match rest.next() {
                Some(t) if part(t) == ")" => break,
                Some(t) if wants_name && t.kind == TokenKind::Word => {
                    if parameters.iter().any(|p| p == part(t)) {
                        let message = format!("the parameter {} stands twice", part(t));
                        return Err(Diagnostic::at(Code::Redundant, t.span, message));
                    }
                    parameters.push(part(t).into());
                    wants_name = false;
                }
                Some(t) if !wants_name && part(t) == "," => wants_name = true,
                Some(t) => return Err(bad(t.span, "expected a parameter's name")),
                None => return Err(bad(end, "the list of parameters is not closed")),
            }
        }
        let assign = match rest.next() {
            Some(t) if t.kind == TokenKind::Assign => t,
            other => {
                return Err(bad(
                    other.map_or(end, |t| t.span),
                    "expected := behind the parameters",
                ));
            }
        };
        let Some(body) = self.parse(code, assign.span.end, limits)? else {
            return Err(bad(end, "the definition has no body"));
        };
        Ok(Said::Definition {
            name: part(name).into(),
            name_span: name.span,
            parameters,
            body,
        })
    }
}

/// How many brackets are open at byte `at`.
fn scan_depth(tokens: &[Token], at: usize) -> usize {
    tokens
        .iter()
        .take_while(|t| t.span.start < at)
        .fold(0, |depth, t| match t.kind {
            TokenKind::Open => depth + 1,
            TokenKind::Close => depth.saturating_sub(1),
            _ => depth,
        })
}

fn bad_name(code: &str, tokens: &[Token], assign: Span) -> Fault {
    match tokens.first() {
        Some(first) if first.span == assign => {
            Diagnostic::at(Code::BadDefinition, assign, "nothing stands before :=")
                .help("write name := expression")
        }
        Some(first) if first.kind == TokenKind::Keyword => {
            let word = &code[first.span.start..first.span.end];
            Diagnostic::at(
                Code::KeywordName,
                first.span,
                format!("{word} is a keyword and cannot name a variable"),
            )
        }
        Some(first) => {
            let span = Span::new(first.span.start, code[..assign.start].trim_end().len());
            Diagnostic::at(Code::BadDefinition, span, "this cannot name a variable")
                .help(
                    "a name is made of ASCII letters, digits, _ and points, with colons inside, and begins with a \
                     letter, _ or $",
                )
        }
        None => Diagnostic::at(Code::BadDefinition, assign, "nothing stands before :="),
    }
}
