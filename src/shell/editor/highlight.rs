//! Colours for what is typed, by the same scanner that the parser uses.

use crate::diagnostic::Span;
use crate::eval::Functions;
use crate::shell::magic;
use crate::shell::session::Session;
use crate::syntax::scan::{self, Token, TokenKind};
use crate::syntax::{is_command, last_statement};
use colored::{ColoredString, Colorize};

/// The text in colours; its width on the screen stays. With the cursor beside a bracket its partner is marked.
pub fn highlight(session: &Session, text: &str, cursor: Option<usize>) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    // Only the statement at the end may be a command; a comment needs no colours but its own.
    let start = last_statement(text).unwrap_or(text.len());
    let (before, last) = text.split_at(start);
    paint_code(session, before, cursor, &mut out);
    let at = cursor.and_then(|cursor| cursor.checked_sub(start));
    if is_command(last) {
        paint_command(session, last, at, &mut out);
    } else {
        paint_code(session, last, at, &mut out);
    }
    out
}

fn paint_command(session: &Session, line: &str, cursor: Option<usize>, out: &mut String) {
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let known = name.starts_with('?') || magic::find(name).is_some();
    let name = if known {
        name.magenta().bold()
    } else {
        name.red()
    };
    out.push_str(&name.to_string());
    paint_code(session, rest, cursor.and_then(|c| c.checked_sub(end)), out);
}

fn paint_code(session: &Session, code: &str, cursor: Option<usize>, out: &mut String) {
    let tokens: Vec<Token> = scan::tokens(code).collect();
    let partner = cursor.and_then(|cursor| partner(&tokens, cursor));
    let engine = session.engine();
    let is_function = |name: &str| {
        engine.registry.builtin(name).is_some()
            || matches!(engine.registry.defined(name, &engine.context), Ok(Some(_)))
    };
    for (index, token) in tokens.iter().enumerate() {
        let part = &code[token.span.start..token.span.end];
        let called = tokens.get(index + 1).is_some_and(|next| {
            next.kind == TokenKind::Open && code[next.span.start..].starts_with('(')
        });
        let painted: ColoredString = match token.kind {
            TokenKind::Word if called && is_function(part) => part.blue(),
            TokenKind::Word if called => part.red(),
            TokenKind::Word if part == "def" && index == 0 => part.magenta(),
            TokenKind::Keyword => part.magenta(),
            TokenKind::Text => part.green(),
            TokenKind::OpenText => part.yellow(),
            TokenKind::Number => part.cyan(),
            TokenKind::Comment => part.dimmed(),
            TokenKind::BadNumber => part.red(),
            TokenKind::Stray if part == "\\" => part.dimmed(),
            TokenKind::Stray => part.red(),
            TokenKind::Assign => part.bold(),
            TokenKind::Open | TokenKind::Close if partner == Some(token.span) => {
                part.bold().underline()
            }
            _ => part.normal(),
        };
        out.push_str(&painted.to_string());
    }
}

/// The partner of the bracket just before or at the cursor.
fn partner(tokens: &[Token], cursor: usize) -> Option<Span> {
    let mut open: Vec<Span> = Vec::new();
    let touches = |span: Span| span.start == cursor || span.end == cursor;
    for token in tokens {
        match token.kind {
            TokenKind::Open => open.push(token.span),
            TokenKind::Close => {
                let start = open.pop()?;
                if touches(token.span) {
                    return Some(start);
                }
                if touches(start) {
                    return Some(token.span);
                }
            }
            _ => {}
        }
    }
    None
}
