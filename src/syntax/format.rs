//! Formats whole scripts: statements are printed anew, everything between them keeps its place.
//!
//! - Comments stay; of several blank lines in a row one stays; the script ends with one line break.
//! - Lines end in \r\n when all lines of the script do, else in \n.
//! - A statement that does not parse stays as it is, byte by byte.
//! - A statement with a comment at a place where the printer has none keeps its text, without blanks at line ends.
//! - A statement written over several lines with backslashes becomes one line when it fits; else it breaks, behind
//!   backslashes, at the operators that stand outside of brackets. Other statements never get a backslash.
//! - What was printed is read again and compared, so that a formatted statement always means the same.

use super::alike::alike;
use super::layout::Style;
use super::print::{Comment, print_with_comments};
use super::scan::{self, TokenKind};
use super::tree::Expr;
use super::{ParseLimits, Said, Statement, statements};
use crate::diagnostic::{Fault, Source, Span};

/// The columns of a line.
pub const WIDTH: usize = 100;

/// A formatted script.
#[derive(Debug)]
pub struct Formatted {
    /// The text.
    pub text: String,
    /// Why statements were left as they were.
    pub faults: Vec<Fault>,
}

/// What the script consists of, in order.
enum Chunk {
    /// A line break behind it is still to be added.
    Lines(String),
    /// To be copied as it is.
    Exact(String),
    Blank,
}

/// Formats a script with lines of `width` columns.
pub fn format_script(source: &Source, limits: ParseLimits, width: usize) -> Formatted {
    let line_ends = source.text.matches('\n').count();
    let newline = match source.text.matches("\r\n").count() {
        windows if windows > 0 && windows == line_ends => "\r\n",
        _ => "\n",
    };
    let style = Style {
        width,
        newline,
        continued: false,
    };
    let mut faults = Vec::new();
    let mut chunks = Vec::new();
    let mut lines = source.text.split_inclusive('\n');
    let mut number = source.first_line;
    let plain = |line: &str, chunks: &mut Vec<Chunk>| match line.trim() {
        "" => chunks.push(Chunk::Blank),
        comment => chunks.push(Chunk::Lines(comment.to_string())),
    };
    for statement in statements(source) {
        while number < statement.source.first_line {
            plain(lines.next().unwrap_or(""), &mut chunks);
            number += 1;
        }
        let count = statement.source.text.matches('\n').count() + 1;
        let exact: String = lines.by_ref().take(count).collect();
        number += count;
        chunks.push(match statement.read(limits) {
            Ok(said) => match tidy(&statement, &said, limits, style) {
                Some(text) => Chunk::Lines(text),
                None => Chunk::Exact(exact),
            },
            Err(fault) => {
                faults.push(fault);
                Chunk::Exact(exact)
            }
        });
    }
    lines.for_each(|line| plain(line, &mut chunks));
    Formatted {
        text: join(chunks, newline),
        faults,
    }
}

fn join(chunks: Vec<Chunk>, newline: &str) -> String {
    let mut text = String::new();
    let mut blank = false;
    for chunk in chunks {
        if matches!(chunk, Chunk::Blank) {
            blank = !text.is_empty();
            continue;
        }
        if std::mem::take(&mut blank) {
            text.push_str(newline);
        }
        match chunk {
            Chunk::Lines(lines) => {
                text.push_str(&lines);
                text.push_str(newline);
            }
            Chunk::Exact(exact) => text.push_str(&exact),
            Chunk::Blank => {}
        }
    }
    text
}

/// The statement printed anew, or else only cleaned; `None` when neither would mean the same.
fn tidy(statement: &Statement, said: &Said, limits: ParseLimits, style: Style) -> Option<String> {
    if matches!(said, Said::Magic(_) | Said::Help(_) | Said::Quit) {
        return Some(statement.text().to_string());
    }
    let same = |text: &String| means_the_same(statement, said, text, limits);
    printed(statement, said, style)
        .filter(same)
        .or_else(|| Some(without_blanks_at_ends(statement.text(), style.newline)).filter(same))
}

/// The statement printed anew; `None` when a comment in it has no place.
fn printed(statement: &Statement, said: &Said, style: Style) -> Option<String> {
    match said {
        Said::Magic(_) | Said::Help(_) | Said::Quit | Said::Expression(None) => None,
        Said::MagicAssignment { name, line } => Some(format!("{name} := {line}")),
        Said::Expression(Some(expr)) => code(statement, "", expr, style),
        Said::Assignment { name, value, .. } => match value {
            Some(expr) => code(statement, &format!("{name} := "), expr, style),
            None => Some(format!("{name} :=")),
        },
        Said::Definition {
            name,
            parameters,
            body,
            ..
        } => {
            let head = format!("def {name}({}) := ", parameters.join(", "));
            code(statement, &head, body, style)
        }
    }
}

/// `head`, the expression, and the comment behind it.
fn code(statement: &Statement, head: &str, expr: &Expr, style: Style) -> Option<String> {
    let source = &statement.source.text;
    let mut comments = comments(source);
    let last = comments.pop_if(|c| c.span.start >= expr.span.end);
    let style = Style {
        continued: scan::tokens(source).any(|t| t.kind == TokenKind::Stray),
        ..style
    };
    let column = head.chars().count();
    let printed = print_with_comments(expr, source, &comments, style, column)?;
    let comment = last.map_or(String::new(), |c| format!(" {}", c.text));
    Some(format!("{head}{printed}{comment}"))
}

fn part(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or("")
}

fn comments(text: &str) -> Vec<Comment<'_>> {
    scan::tokens(text)
        .filter(|token| token.kind == TokenKind::Comment)
        .map(|token| Comment {
            span: token.span,
            text: part(text, token.span).trim_end(),
            alone: starts_its_line(text, token.span),
        })
        .collect()
}

fn starts_its_line(text: &str, span: Span) -> bool {
    let before = part(text, Span::new(0, span.start));
    before
        .rsplit('\n')
        .next()
        .is_some_and(|line| line.trim().is_empty())
}

/// Reads what was printed and compares.
fn means_the_same(before: &Statement, said: &Said, text: &str, limits: ParseLimits) -> bool {
    let after = statements(&Source::expression(text));
    let [after] = after.as_slice() else {
        return false;
    };
    let texts = |statement: &Statement| -> Vec<String> {
        let comments = comments(&statement.source.text);
        comments.iter().map(|c| c.text.to_string()).collect()
    };
    after
        .read(limits)
        .is_ok_and(|again| same_statement(said, &again) && texts(before) == texts(after))
}

fn same_statement(a: &Said, b: &Said) -> bool {
    let same = |a: &Option<Expr>, b: &Option<Expr>| match (a, b) {
        (Some(a), Some(b)) => alike(a, b),
        (None, None) => true,
        _ => false,
    };
    match (a, b) {
        (Said::Expression(a), Said::Expression(b)) => same(a, b),
        (
            Said::Assignment {
                name: a, value: x, ..
            },
            Said::Assignment {
                name: b, value: y, ..
            },
        ) => a == b && same(x, y),
        (
            Said::MagicAssignment { name: a, line: x },
            Said::MagicAssignment { name: b, line: y },
        ) => a == b && x == y,
        (
            Said::Definition {
                name: a,
                parameters: p,
                body: x,
                ..
            },
            Said::Definition {
                name: b,
                parameters: q,
                body: y,
                ..
            },
        ) => a == b && p == q && alike(x, y),
        _ => false,
    }
}

/// The statement as written, but for blanks at line ends outside of strings.
fn without_blanks_at_ends(text: &str, newline: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for token in scan::tokens(text) {
        let part = part(text, token.span);
        match token.kind {
            TokenKind::Comment => cleaned.push_str(part.trim_end()),
            TokenKind::Blank if part.contains('\n') => {
                let mut lines = part.split('\n');
                let indent = lines.next_back().unwrap_or("");
                lines.for_each(|_| cleaned.push_str(newline));
                cleaned.push_str(indent);
            }
            _ => cleaned.push_str(part),
        }
    }
    cleaned
}
