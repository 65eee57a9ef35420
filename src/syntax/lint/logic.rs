//! Comparisons whose result is known without any data.

use super::super::tree::{CompareOp, Expr, ExprKind, LogicOp};
use super::{Node, is_literal, number};
use crate::diagnostic::{Code, Diagnostic, Fault, Fix};

/// A comparison of a name with a literal, the name on the left.
struct Fact<'a> {
    name: &'a str,
    op: CompareOp,
    literal: &'a Expr,
    place: &'a Expr,
}

/// Facts that are compared with each other.
const MANY: usize = 64;

fn fact(expr: &Expr) -> Option<Fact<'_>> {
    let ExprKind::Comparison(left, rest) = &expr.inner().kind else {
        return None;
    };
    let [(op, right)] = rest.as_slice() else {
        return None;
    };
    let (name, literal, op) = match (&left.inner().kind, &right.inner().kind) {
        (ExprKind::Name(name), _) => (name, right.inner(), *op),
        (_, ExprKind::Name(name)) => (name, left.inner(), mirrored(*op)),
        _ => return None,
    };
    // A float is compared as a float, where different numbers are equal.
    let exact = !matches!(literal.kind, ExprKind::Float(_));
    (is_literal(literal) && exact).then_some(Fact {
        name,
        op,
        literal,
        place: expr,
    })
}

/// The operator with its sides exchanged.
pub fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Less => CompareOp::Greater,
        CompareOp::AtMost => CompareOp::AtLeast,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::AtLeast => CompareOp::AtMost,
        same => same,
    }
}

/// `x == 1 and x == 2` never holds; `x != 1 or x != 2` always does.
pub fn contradiction(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Logic(operands, operators) = &node.expr.kind else {
        return;
    };
    let all = |wanted: LogicOp| operators.iter().all(|op| *op == wanted);
    let and = all(LogicOp::And);
    if !and && !all(LogicOp::Or) {
        return;
    }
    let facts: Vec<Fact<'_>> = operands.iter().take(MANY).filter_map(fact).collect();
    for (i, fact) in facts.iter().enumerate() {
        let other = facts.iter().take(i).find(|other| {
            other.name == fact.name
                && match and {
                    true => excludes(other, fact) || excludes(fact, other),
                    false => covers(other, fact),
                }
        });
        let Some(other) = other else { continue };
        let fault = match and {
            true => Diagnostic::at(
                Code::Contradiction,
                fact.place.span,
                "these two conditions never hold together",
            )
            .help("join them with or, or use in […], if either shall do"),
            false => Diagnostic::at(
                Code::AlwaysHolds,
                fact.place.span,
                "one of these two conditions always holds",
            )
            .help("join them with and, or use not in […], if neither shall be"),
        };
        found.push(fault.also(other.place.span, "the other one"));
        return;
    }
}

/// Whether two literals are values that differ for certain, as the language compares.
fn differ(a: &Expr, b: &Expr) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a != b && !a.is_nan() && !b.is_nan(),
        (None, None) => a.kind != b.kind,
        // A number and something else.
        _ => true,
    }
}

fn excludes(a: &Fact<'_>, b: &Fact<'_>) -> bool {
    use CompareOp::{AtLeast, AtMost, Equal, Greater, Less, Unequal};
    let (low, high) = (number(a.literal), number(b.literal));
    match (a.op, b.op) {
        (Equal, Equal) => differ(a.literal, b.literal),
        (Equal, Unequal) => {
            a.literal.kind == b.literal.kind && number(a.literal).is_none_or(|x| !x.is_nan())
        }
        (Equal, op) => match (low, high) {
            (Some(value), Some(bound)) => match op {
                Less => value >= bound,
                AtMost => value > bound,
                Greater => value <= bound,
                AtLeast => value < bound,
                Equal | Unequal => false,
            },
            // Null has no order.
            _ => a.literal.kind == ExprKind::Null,
        },
        (Greater | AtLeast, Less | AtMost) => match (low, high) {
            (Some(low), Some(high)) => {
                low > high || (low == high && !(a.op == AtLeast && b.op == AtMost))
            }
            _ => false,
        },
        _ => false,
    }
}

fn covers(a: &Fact<'_>, b: &Fact<'_>) -> bool {
    match (a.op, b.op) {
        (CompareOp::Unequal, CompareOp::Unequal) => differ(a.literal, b.literal),
        _ => false,
    }
}

/// `x == x`.
pub fn self_comparison(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Comparison(left, rest) = &node.expr.kind else {
        return;
    };
    let [(op, right)] = rest.as_slice() else {
        return;
    };
    let (ExprKind::Name(a), ExprKind::Name(b)) = (&left.inner().kind, &right.inner().kind) else {
        return;
    };
    if a != b {
        return;
    }
    let message = match op {
        CompareOp::Equal => "both sides are the same: this holds for all but NaN",
        CompareOp::Unequal => "both sides are the same: this holds for NaN only",
        CompareOp::Less | CompareOp::Greater => "both sides are the same: this never holds",
        CompareOp::AtMost | CompareOp::AtLeast => {
            "both sides are the same: this holds for all but null and NaN"
        }
    };
    let mut fault = Diagnostic::at(Code::SelfComparison, node.expr.span, message);
    if *op == CompareOp::Unequal {
        fault = fault.help(format!("write IS_NAN({a}) if NaN is meant"));
    }
    found.push(fault);
}

/// `x == NaN`.
pub fn nan(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Comparison(left, rest) = &node.expr.kind else {
        return;
    };
    let [(op, right)] = rest.as_slice() else {
        return;
    };
    let is_nan = |expr: &Expr| number(expr.inner()).is_some_and(f64::is_nan);
    if !is_nan(left) && !is_nan(right) {
        return;
    }
    let other = if is_nan(right) { left } else { right };
    let (holds, not) = match op {
        CompareOp::Unequal => ("always holds", true),
        _ => ("never holds", false),
    };
    let mut fault = Diagnostic::at(
        Code::NanComparison,
        node.expr.span,
        format!("NaN differs from everything, so this {holds}"),
    );
    let called = format!("IS_NAN({})", node.written(other.inner().span));
    let called = if not {
        format!("not({called})")
    } else {
        called
    };
    if matches!(op, CompareOp::Equal | CompareOp::Unequal) && !is_nan(other) {
        fault = fault
            .help(format!("write {called}"))
            .fix(Fix::replace(node.expr.span, called));
    }
    found.push(fault);
}

/// `x < null`, `x in null`.
pub fn null_order(node: &Node<'_>, found: &mut Vec<Fault>) {
    let is_null = |expr: &Expr| expr.inner().kind == ExprKind::Null;
    match &node.expr.kind {
        ExprKind::Comparison(left, rest) => {
            let [(op, right)] = rest.as_slice() else {
                return;
            };
            if matches!(op, CompareOp::Equal | CompareOp::Unequal)
                || !(is_null(left) || is_null(right))
            {
                return;
            }
            found.push(
                Diagnostic::at(
                    Code::NullOrder,
                    node.expr.span,
                    "null has no order, so this never holds",
                )
                .help("compare with == null or != null"),
            );
        }
        ExprKind::In {
            container, negated, ..
        } if is_null(container) => {
            let holds = if *negated { "always" } else { "never" };
            found.push(Diagnostic::at(
                Code::NullOrder,
                node.expr.span,
                format!("nothing is in null, so this {holds} holds"),
            ));
        }
        _ => {}
    }
}
