//! Comments that silence lints: `# stellar: allow(NAME, …)` in the lines directly before a statement or behind
//! it, `# stellar: allow-file(NAME, …)` anywhere in a script. `//` does as well as `#`.

use super::super::scan::{self, TokenKind};
use super::super::script::Statement;
use crate::diagnostic::{Allowed, Code, Diagnostic, Fault, Source, Span};
use std::sync::Arc;

/// What a script's comments allow.
pub struct Comments {
    file: Allowed,
    /// By the number of the first line of the statement that they stand before.
    before: Vec<(usize, Allowed)>,
    /// What is wrong with the comments themselves.
    pub faults: Vec<Fault>,
}

impl Comments {
    /// Reads the lines of comments between the statements of a script.
    pub fn read(source: &Source, statements: &[Statement]) -> Comments {
        let mut comments = Comments {
            file: Allowed::default(),
            before: Vec::new(),
            faults: Vec::new(),
        };
        let whole = Arc::new(Source {
            name: source.name.clone(),
            text: source.text.clone(),
            first_line: source.first_line,
        });
        let mut next = statements.iter().peekable();
        let mut waiting = Allowed::default();
        let mut inside = 0;
        let mut at = 0;
        for (index, line) in source.text.split('\n').enumerate() {
            let number = source.first_line + index;
            let start = at;
            at += line.len() + 1;
            if let Some(statement) = next.next_if(|s| s.source.first_line == number) {
                inside = number + statement.source.text.matches('\n').count() + 1;
                if waiting != Allowed::default() {
                    comments.before.push((number, std::mem::take(&mut waiting)));
                }
            }
            if number < inside {
                continue;
            }
            let text = line.trim_start();
            if text.trim_end().is_empty() {
                waiting = Allowed::default();
                continue;
            }
            if !text.starts_with('#') && !text.starts_with("//") {
                continue;
            }
            let place = Span::new(start + line.len() - text.len(), start + line.len());
            let (file, faults) = (&mut comments.file, &mut comments.faults);
            directive(&source.text, place, &mut waiting, file, &mut |fault| {
                faults.push(fault.in_source(&whole));
            });
        }
        comments
    }

    /// What they allow in a statement.
    pub fn allow(&self, statement: &Statement, code: Code) -> bool {
        let line = statement.source.first_line;
        self.file.holds(code)
            || self
                .before
                .binary_search_by_key(&line, |(line, _)| *line)
                .ok()
                .and_then(|i| self.before.get(i))
                .is_some_and(|(_, allowed)| allowed.holds(code))
    }
}

/// What the comments inside and behind a statement allow; `found` takes what is wrong with them.
pub fn inside(statement: &Statement, found: &mut Vec<Fault>) -> Allowed {
    let text = &statement.source.text;
    let mut allowed = Allowed::default();
    if !text.contains("stellar:") {
        return allowed;
    }
    for token in scan::tokens(text).filter(|t| t.kind == TokenKind::Comment) {
        let mut file = Allowed::default();
        directive(text, token.span, &mut allowed, &mut file, &mut |fault| {
            found.push(fault.in_source(&statement.source));
        });
    }
    allowed
}

/// Reads one comment.
fn directive(
    text: &str,
    comment: Span,
    allowed: &mut Allowed,
    file: &mut Allowed,
    found: &mut impl FnMut(Fault),
) {
    let written = text.get(comment.start..comment.end).unwrap_or_default();
    let body = written.trim_start_matches(['#', '/']);
    let Some(order) = body.trim_start().strip_prefix("stellar:") else {
        return;
    };
    let order = order.trim_start();
    let (to, list) = if let Some(list) = order.strip_prefix("allow-file(") {
        (file, list)
    } else if let Some(list) = order.strip_prefix("allow(") {
        (allowed, list)
    } else {
        found(unknown(
            comment,
            "this comment is read as an order, and there is none of this form",
        ));
        return;
    };
    let Some((names, _)) = list.split_once(')') else {
        found(unknown(comment, "the list of lints is not closed"));
        return;
    };
    let mut at = comment.start + written.len() - list.len();
    for name in names.split(',') {
        let start = at + name.len() - name.trim_start().len();
        at += name.len() + 1;
        let name = name.trim();
        if name.is_empty() {
            continue;
        }
        if let Err(message) = to.add(name) {
            found(unknown(Span::new(start, start + name.len()), &message));
        }
    }
}

fn unknown(place: Span, message: &str) -> Fault {
    Diagnostic::at(Code::UnknownLint, place, message)
        .help("write # stellar: allow(NAME), with the name or the code of a lint")
}
