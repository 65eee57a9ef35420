//! Comparisons of functions with numbers that they never give.

use super::comparisons::pair;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Fault};
use crate::syntax::lint::{Node, number};
use crate::syntax::{CompareOp, Expr, ExprKind};

/// What functions give at least and at most, beside null and NaN.
const RANGES: &[(&str, f64, f64)] = &[
    ("MONTH", 0.0, 11.0),
    ("DAY_OF_WEEK", 1.0, 7.0),
    ("DAY_OF_MONTH", 1.0, 31.0),
    ("DAY_OF_YEAR", 1.0, 366.0),
    ("WEEK_OF_YEAR", 1.0, 53.0),
    ("WEEK_OF_MONTH", 0.0, 6.0),
    ("LENGTH", 0.0, f64::INFINITY),
    ("COUNT_MATCHES", 0.0, f64::INFINITY),
    ("STRING_ENTROPY", 0.0, f64::INFINITY),
    ("STATS_COUNT", 0.0, f64::INFINITY),
    ("HLLP_CARDINALITY", 0.0, f64::INFINITY),
    ("ABS", 0.0, f64::INFINITY),
];

/// The range of the function that `expr` calls.
fn range(expr: &Expr, scope: &Scope<'_>) -> Option<(&'static str, f64, f64)> {
    let ExprKind::Call { name, .. } = &expr.inner().kind else {
        return None;
    };
    let found = RANGES.iter().find(|(function, ..)| function == name)?;
    scope.is_builtin(name).then_some(*found)
}

fn fault(place: &Expr, (name, low, high): (&str, f64, f64), what: &str) -> Fault {
    let gives = match high.is_finite() {
        true => format!("{name} gives {low} to {high}"),
        false => format!("{name} is never negative"),
    };
    let fault = Diagnostic::at(Code::OutOfRange, place.span, format!("{gives}, so {what}"));
    match name {
        "MONTH" => fault.help("months count from 0: 0 is January, 11 is December"),
        "DAY_OF_WEEK" => fault.help("days count from 1: 1 is Sunday, 7 is Saturday"),
        _ => fault,
    }
}

/// `MONTH(timestamp) == 12`, `LENGTH(name) < 0`.
pub fn out_of_range(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    if let ExprKind::In {
        item, container, ..
    } = &node.expr.kind
    {
        let ExprKind::List(items) = &container.inner().kind else {
            return;
        };
        let Some(range) = range(item, scope) else {
            return;
        };
        for element in items {
            // Unlike types are said elsewhere.
            let ExprKind::Int(n) = element.inner().kind else {
                continue;
            };
            if f64::from(n) < range.1 || f64::from(n) > range.2 {
                found.push(fault(element, range, "this element is never met"));
            }
        }
        return;
    }
    let Some((left, op, right)) = pair(node) else {
        return;
    };
    let (range, op, bound) = match (range(left, scope), range(right, scope)) {
        (Some(range), None) => (range, op, number(right.inner())),
        (None, Some(range)) => (
            range,
            crate::syntax::lint::mirrored(op),
            number(left.inner()),
        ),
        _ => return,
    };
    let Some(bound) = bound.filter(|bound| !bound.is_nan()) else {
        return;
    };
    let (_, low, high) = range;
    let never = match op {
        CompareOp::Equal | CompareOp::Unequal => bound < low || bound > high,
        CompareOp::Less => bound <= low,
        CompareOp::AtMost => bound < low,
        CompareOp::Greater => bound >= high,
        CompareOp::AtLeast => bound > high,
    };
    if never {
        let what = match op {
            CompareOp::Unequal => "this always holds",
            _ => "this never holds",
        };
        found.push(fault(node.expr, range, what));
    }
}
