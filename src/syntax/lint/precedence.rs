//! Where precedence is not what people know from elsewhere.

use super::super::tree::{ArithOp, CompareOp, Expr, ExprKind, LogicOp};
use super::{LONG, Node, is_literal, reads};
use crate::diagnostic::{Code, Diagnostic, Fault, Fix, Span};

/// `a and b or c`: with `and` before `or` the grouping to the right differs from the usual one.
pub fn mixed_logic(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Logic(operands, operators) = &node.expr.kind else {
        return;
    };
    let Some(first_and) = operators.iter().position(|op| *op == LogicOp::And) else {
        return;
    };
    let Some(last_or) = operators.iter().rposition(|op| *op == LogicOp::Or) else {
        return;
    };
    if last_or < first_and {
        return;
    }
    let end = node.expr.span.end;
    // Each `or` directly behind an `and` begins the right side of that `and`.
    let groups: Vec<Span> = operators
        .windows(2)
        .zip(operands.iter().skip(1))
        .filter(|(pair, _)| pair == &[LogicOp::And, LogicOp::Or])
        .map(|(_, operand)| Span::new(operand.span.start, end))
        .collect();
    // What is read elsewhere: runs of `and` first.
    let usual = Fix::parentheses(&runs_of_and(operands, operators));
    let fix = Fix::parentheses(&groups);
    let otherwise = "and and or have the same rank and group to the right";
    let help = match node.fixed(&usual) {
        Some(text) => format!("write these parentheses, or {text} if that is meant"),
        None => "write the parentheses that say what is meant".to_string(),
    };
    found.push(reads(Code::MixedLogic, node, node.expr.span, fix, otherwise).help(help));
}

fn runs_of_and(operands: &[Expr], operators: &[LogicOp]) -> Vec<Span> {
    let mut runs = Vec::new();
    let mut run: Option<Span> = None;
    for (operator, pair) in operators.iter().zip(operands.windows(2)) {
        let [left, right] = pair else { continue };
        match operator {
            LogicOp::And => run = Some(run.unwrap_or(left.span).to(right.span)),
            LogicOp::Or => runs.extend(run.take()),
        }
    }
    runs.extend(run);
    runs
}

/// `8 / 2 * 4`: the divisor is the product.
pub fn multiply_first(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Arithmetic(first, rest) = &node.expr.kind else {
        return;
    };
    let products: Vec<(&Expr, &Expr)> = rest
        .iter()
        .filter(|(op, _)| *op == ArithOp::Divide)
        .filter_map(|(_, divisor)| match &divisor.kind {
            ExprKind::Arithmetic(factor, _) => Some((divisor, &**factor)),
            _ => None,
        })
        .collect();
    let Some((product, factor)) = products.first() else {
        return;
    };
    let groups: Vec<Span> = products.iter().map(|(divisor, _)| divisor.span).collect();
    let fix = Fix::parentheses(&groups);
    let usual = Fix::parentheses(&[first.span.to(factor.span)]);
    let help = match node.fixed(&usual).filter(|_| products.len() == 1) {
        Some(text) => format!("write these parentheses, or {text} if that is meant"),
        None => "write the parentheses that say what is meant".to_string(),
    };
    let otherwise = "* binds tighter than /, so the divisor is the whole product";
    found.push(
        reads(Code::MultiplyFirst, node, node.expr.span, fix, otherwise)
            .also(product.span, "this is the divisor")
            .help(help),
    );
}

/// Parentheses around places, and around the whole node where `not` would take those at its start for its own.
fn behind_not(node: &Node<'_>, mut places: Vec<Span>) -> Fix {
    let whole = node.expr.span;
    let before = node.text.get(..whole.start).unwrap_or_default().trim_end();
    let starts = places.iter().any(|place| place.start == whole.start);
    if starts && (before.ends_with("not") || before.ends_with("NOT")) {
        places.push(whole);
    }
    Fix::parentheses(&places)
}

/// `1 < x < 9`, `a == b == c`.
pub fn chain(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Comparison(first, rest) = &node.expr.kind else {
        return;
    };
    let [(op, middle), (next_op, last), ..] = rest.as_slice() else {
        return;
    };
    let groups: Vec<Span> = rest
        .iter()
        .rev()
        .skip(1)
        .map(|(_, operand)| first.span.to(operand.span))
        .collect();
    let fix = behind_not(node, groups);
    let (a, b, c) = (
        node.written(first.span),
        node.written(middle.span),
        node.written(last.span),
    );
    let both = format!("{a} {} {b} and {b} {} {c}", op.symbol(), next_op.symbol());
    let is_order = |op: &CompareOp| !matches!(op, CompareOp::Equal | CompareOp::Unequal);
    let help = if is_order(op) != is_order(next_op) {
        "write these parentheses, or others if something else is meant".to_string()
    } else if rest.len() == 2 && both.len() <= LONG && !both.contains('\n') {
        format!("write {both} if that is meant")
    } else {
        "join two comparisons with and if that is meant".to_string()
    };
    let otherwise = "the result of a comparison is compared";
    found.push(reads(Code::ComparisonChain, node, node.expr.span, fix, otherwise).help(help));
}

/// `x in y == z`, `x in y in z`: the container is all that follows.
pub fn in_swallows(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::In {
        item, container, ..
    } = &node.expr.kind
    else {
        return;
    };
    let inner = match &container.kind {
        ExprKind::Comparison(inner, _) => inner,
        ExprKind::In { item: inner, .. } => inner,
        _ => return,
    };
    let fix = Fix::parentheses(&[container.span]);
    let usual = Fix::parentheses(&[item.span.to(inner.span)]);
    let help = match node.fixed(&usual) {
        Some(text) => format!("write {text} if that is meant"),
        None => "write the parentheses that say what is meant".to_string(),
    };
    let otherwise = "the container of in is all that follows";
    found.push(reads(Code::InSwallows, node, node.expr.span, fix, otherwise).help(help));
}

/// `not(a) == b`, `not(a) in b`.
pub fn not_operand(node: &Node<'_>, found: &mut Vec<Fault>) {
    let left = match &node.expr.kind {
        ExprKind::Comparison(left, _) => left,
        ExprKind::In { item, .. } => item,
        _ => return,
    };
    if !matches!(left.kind, ExprKind::Not(_)) {
        return;
    }
    let fix = behind_not(node, vec![left.span]);
    let otherwise = "not negates only what stands in its parentheses";
    found.push(
        reads(Code::NotOperand, node, node.expr.span, fix, otherwise)
            .help("put the whole comparison into the parentheses of not if that is meant"),
    );
}

/// `x in ('a')` looks like a list.
pub fn text_in_parentheses(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::In {
        item, container, ..
    } = &node.expr.kind
    else {
        return;
    };
    let ExprKind::Group(inner) = &container.kind else {
        return;
    };
    let ExprKind::Text(text) = &inner.kind else {
        return;
    };
    if text.is_empty() || is_literal(item) {
        return;
    }
    let written = node.written(inner.span);
    let mut fault = Diagnostic::at(
        Code::TextInParentheses,
        container.span,
        "this asks for a part of the text; parentheses make no list",
    )
    .fix(Fix::replace(container.span, format!("[{written}]")));
    if let Some(written) = node.short(inner.span) {
        fault = fault.help(format!("write [{written}] for a list"));
    }
    found.push(fault);
}
