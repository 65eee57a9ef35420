//! Regular expressions. Those that are malformed are errors already.

use super::scope::Scope;
use super::{called, text_argument};
use crate::diagnostic::{Code, Diagnostic, Fault};
use crate::syntax::lint::Node;
use crate::syntax::{ExprKind, quoted};

/// Signs that have a meaning in a pattern.
const SIGNS: &[char] = &[
    '.', '*', '+', '?', '[', ']', '(', ')', '{', '}', '|', '^', '$', '\\',
];

/// `REGEXP_MATCH(message, 'error')` is `message == 'error'`.
pub fn plain(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope).filter(|call| call.name == "REGEXP_MATCH") else {
        return;
    };
    let Some((pattern, place)) = text_argument(&call, 1) else {
        return;
    };
    if pattern.is_empty() || pattern.contains(SIGNS) {
        return;
    }
    // Two literals are an example of how the function works.
    if text_argument(&call, 0).is_some() {
        return;
    }
    let anywhere = quoted(&format!(".*{pattern}.*"));
    found.push(
        Diagnostic::at(
            Code::PlainRegex,
            place.span,
            "the whole string must fit this pattern, so it is only ==",
        )
        .help(format!("write {anywhere} to find it anywhere")),
    );
}

/// `REGEXP_GROUP_VAL(user, '[a-z]+', 1)`.
pub fn group(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope).filter(|call| call.name == "REGEXP_GROUP_VAL") else {
        return;
    };
    let (Some((pattern, _)), Some(place)) = (text_argument(&call, 1), call.arguments.get(2)) else {
        return;
    };
    let ExprKind::Int(wanted) = place.inner().kind else {
        return;
    };
    let message = match usize::try_from(wanted) {
        Ok(0) => "group 0 is the string itself, whether it fits the pattern or not".to_string(),
        Ok(wanted) => match groups(pattern) {
            Some(count) if wanted > count => {
                let has = match count {
                    0 => "no groups".to_string(),
                    1 => "one group".to_string(),
                    n => format!("{n} groups"),
                };
                format!("the pattern has {has}, so this is always null")
            }
            _ => return,
        },
        Err(_) => return,
    };
    found.push(Diagnostic::at(Code::RegexGroup, place.span, message).help(
        "put parentheses around the part of the pattern that is wanted, and count them from 1",
    ));
}

/// How many groups a pattern has; `None` when it holds something that makes counting a matter of opinion.
fn groups(pattern: &str) -> Option<usize> {
    if pattern.contains("\\Q") || pattern.contains("(?x") {
        return None;
    }
    let mut count = 0;
    let mut classes = 0usize;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            '(' if classes == 0 => {
                let plain = chars.next_if_eq(&'?').is_none();
                let named = !plain
                    && chars.next_if_eq(&'<').is_some()
                    && chars.next_if(|c| matches!(c, '=' | '!')).is_none();
                count += usize::from(plain || named);
            }
            _ => {}
        }
    }
    Some(count)
}
