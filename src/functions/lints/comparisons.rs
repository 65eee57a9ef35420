//! Comparisons, in-checks and conditions whose sides can never fit.

use super::scope::Scope;
use super::types::{self, Types};
use crate::diagnostic::{Code, Diagnostic, Fault, Fix, Span};
use crate::syntax::lint::{Node, number};
use crate::syntax::{CompareOp, Expr, ExprKind, quoted};

/// A comparison of two sides.
pub(super) fn pair<'a>(node: &Node<'a>) -> Option<(&'a Expr, CompareOp, &'a Expr)> {
    match &node.expr.kind {
        ExprKind::Comparison(left, rest) => match rest.as_slice() {
            [(op, right)] => Some((left, *op, right)),
            _ => None,
        },
        _ => None,
    }
}

fn words(left: Types, right: Types) -> String {
    match (left.words(), right.words()) {
        (Some(left), Some(right)) => format!("{left} is compared with {right}"),
        _ => "these two are of unlike types".to_string(),
    }
}

/// `URL_TO_PORT(url) == '443'`, `TO_STRING(port) > 1024`.
pub fn unlike(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some((left, op, right)) = pair(node) else {
        return;
    };
    let (a, b) = (types::of(left, scope), types::of(right, scope));
    if a == Types::NONE || b == Types::NONE {
        return;
    }
    match op {
        CompareOp::Equal | CompareOp::Unequal => {
            if a.may_equal(b) {
                return;
            }
            let holds = if op == CompareOp::Equal {
                "never"
            } else {
                "always"
            };
            let message = format!("{}, so this {holds} holds", words(a, b));
            let mut fault = Diagnostic::at(Code::UnlikeEqual, node.expr.span, message);
            if a == Types::CHAR || b == Types::CHAR {
                fault = fault.help("convert the character first: TO_STRING(…)");
            } else if let Some((literal, text)) =
                respelled(left, a, b).or_else(|| respelled(right, b, a))
            {
                fault = fault
                    .help(format!("write {text}"))
                    .fix(Fix::replace(literal.span, text));
            }
            found.push(fault);
        }
        _ => {
            // Null beside an order has a lint of its own.
            if a.may_order(b) || a == Types::NULL || b == Types::NULL {
                return;
            }
            let message = format!("{}, which is an error unless one is null", words(a, b));
            let fault = Diagnostic::at(Code::UnlikeOrder, node.expr.span, message);
            let number = |types: Types| types.may_equal(Types::INT);
            found.push(
                match (a.is_text() && number(b)) || (b.is_text() && number(a)) {
                    true => fault.help("convert the string first: TO_DOUBLE(…)"),
                    false => fault,
                },
            );
        }
    }
}

/// The literal spelled in the type of the other side: `443` for `'443'`, `'443'` for `443`.
fn respelled(literal: &Expr, own: Types, other: Types) -> Option<(&Expr, String)> {
    let inner = literal.inner();
    match &inner.kind {
        ExprKind::Text(text) if other.words().is_some_and(|w| w != "a string") => {
            text.parse::<i32>().ok()?;
            other
                .may_equal(Types::INT)
                .then(|| (inner, text.to_string()))
        }
        ExprKind::Int(n) if own == Types::INT && other.is_text() => {
            Some((inner, quoted(&n.to_string())))
        }
        _ => None,
    }
}

/// `TO_LONG(port) in [80, 443]`, `80 in 'a'`.
pub fn unlike_in(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let ExprKind::In {
        item,
        container,
        negated,
    } = &node.expr.kind
    else {
        return;
    };
    let own = types::of(item, scope);
    if own == Types::NONE {
        return;
    }
    let holds = if *negated { "always" } else { "never" };
    let elements: Vec<&Expr> = match &container.inner().kind {
        ExprKind::List(items) => items.iter().collect(),
        ExprKind::Map(entries) => entries.iter().map(|(key, _)| key).collect(),
        _ => {
            let whole = types::of(container, scope);
            if whole == Types::NULL || whole == Types::NONE {
                return;
            }
            let fault = if whole.is_text() {
                // Only a text is a part of a text; anything else is compared with the whole.
                if own.may_be(Types::TEXT) {
                    return;
                }
                let item = own.words().unwrap_or("this");
                let message = format!("{item} is never a part of a string, so this {holds} holds");
                let fault = Diagnostic::at(Code::UnlikeIn, node.expr.span, message);
                match own == Types::NULL {
                    true => fault,
                    false => fault.help("convert it first: TO_STRING(…)"),
                }
            } else if number(container.inner()).is_some()
                || matches!(container.inner().kind, ExprKind::Bool(_))
            {
                Diagnostic::at(
                    Code::UnlikeIn,
                    node.expr.span,
                    "in wants a list, a map or a text behind it; beside a single value it is ==",
                )
                .help("write […] around the value, or ==")
            } else {
                return;
            };
            found.push(fault);
            return;
        }
    };
    let kinds: Vec<Types> = elements.iter().map(|e| types::of(e, scope)).collect();
    if kinds.is_empty() || kinds.iter().any(|kind| own.may_be_same(*kind)) {
        return;
    }
    let all = kinds.iter().fold(Types::NONE, |all, kind| all.or(*kind));
    let message = match (own.words(), all.words()) {
        (Some(item), Some(element)) => {
            format!("{item} is looked for and {element} stands there, so this {holds} holds")
        }
        _ => format!("nothing of this type stands there, so this {holds} holds"),
    };
    let mut fault = Diagnostic::at(Code::UnlikeIn, node.expr.span, message);
    fault = match own.words() {
        Some("a long") if all == Types::INT => {
            let edits = elements
                .iter()
                .filter(|e| matches!(e.kind, ExprKind::Int(_)))
                .map(|e| (Span::new(e.span.end, e.span.end), "L".to_string()));
            fault
                .help("in is strict about types: put an L behind each number")
                .fix(Fix {
                    edits: edits.collect(),
                    keeps_meaning: false,
                })
        }
        Some("a double") if all == Types::INT => {
            fault.help("in is strict about types: write the numbers with .0")
        }
        Some("a character") => fault.help("convert the character first: TO_STRING(…)"),
        _ => fault,
    };
    found.push(fault);
}

/// How a function leaves the letters.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Small,
    Capital,
}

impl Case {
    fn of(expr: &Expr, scope: &Scope<'_>) -> Option<Case> {
        let mut expr = expr.inner();
        loop {
            let ExprKind::Call {
                name, arguments, ..
            } = &expr.kind
            else {
                return None;
            };
            if !scope.is_builtin(name) {
                return None;
            }
            match name.as_str() {
                "TO_LOWER" => return Some(Case::Small),
                "TO_UPPER" => return Some(Case::Capital),
                "TRIM" | "SUBSTRING" | "CHOP" | "CHOMP" => expr = arguments.first()?.inner(),
                _ => return None,
            }
        }
    }

    /// The text in this case when it is not so already.
    fn changed(self, text: &str) -> Option<String> {
        // Only letters that have both cases: others stay what they are in every table.
        let wrong = |c: char| match self {
            Case::Small => c.is_ascii_uppercase(),
            Case::Capital => c.is_ascii_lowercase(),
        };
        text.contains(wrong).then(|| match self {
            Case::Small => text.to_lowercase(),
            Case::Capital => text.to_uppercase(),
        })
    }
}

/// `TO_LOWER(user) == 'Admin'`.
pub fn letter_case(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let mut look = |side: &Expr, literals: &[&Expr], what: &str| {
        let Some(case) = Case::of(side, scope) else {
            return;
        };
        for literal in literals {
            let ExprKind::Text(text) = &literal.inner().kind else {
                continue;
            };
            let Some(changed) = case.changed(text) else {
                continue;
            };
            let letters = match case {
                Case::Small => "capitals",
                Case::Capital => "small letters",
            };
            let written = quoted(&changed);
            let message = format!("the other side has no {letters}, so {what}");
            found.push(
                Diagnostic::at(Code::LetterCase, literal.span, message)
                    .help(format!("write {written}"))
                    .fix(Fix::replace(literal.inner().span, written)),
            );
        }
    };
    match &node.expr.kind {
        ExprKind::Comparison(..) => {
            let Some((left, op, right)) = pair(node) else {
                return;
            };
            let what = match op {
                CompareOp::Equal => "this never holds",
                CompareOp::Unequal => "this always holds",
                _ => return,
            };
            look(left, &[right], what);
            look(right, &[left], what);
        }
        ExprKind::In {
            item, container, ..
        } => match &container.inner().kind {
            ExprKind::List(items) => {
                let items: Vec<&Expr> = items.iter().collect();
                look(item, &items, "this element is never met");
            }
            _ => look(container, &[item], "this is never a part of it"),
        },
        ExprKind::Call {
            name, arguments, ..
        } if matches!(name.as_str(), "STARTS_WITH" | "ENDS_WITH") && scope.is_builtin(name) => {
            if let [text, affix, ..] = arguments.as_slice() {
                look(text, &[affix], "this never holds");
            }
        }
        _ => {}
    }
}

/// `if LENGTH(name) then …`.
pub fn condition(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let branches = match &node.expr.kind {
        ExprKind::Conditional { branches, .. } => branches,
        ExprKind::Match { clauses, .. } => clauses,
        _ => return,
    };
    for (check, _) in branches {
        let types = types::of(check, scope);
        if types.may_be_condition() {
            continue;
        }
        let what = types.words().unwrap_or("this");
        found.push(
            Diagnostic::at(
                Code::ConditionNever,
                check.span,
                format!("{what} is no condition: this is an error when it is reached"),
            )
            .help("compare it with something"),
        );
    }
}
