//! Literals that do not do what they seem to do.

use super::super::tree::{ArithOp, Expr, ExprKind};
use super::{Node, is_literal, number};
use crate::diagnostic::{Code, Diagnostic, Fault, Fix, Span};

/// A whole number that an expression of literals gives.
#[derive(Clone, Copy)]
struct Whole {
    value: i64,
    long: bool,
}

impl Whole {
    fn fits(value: i128, long: bool) -> Option<Whole> {
        let value = match long {
            true => i64::try_from(value).ok()?,
            false => i64::from(i32::try_from(value).ok()?),
        };
        Some(Whole { value, long })
    }
}

/// The whole number that `expr` gives when it holds nothing but literals and does not overflow.
fn whole(expr: &Expr) -> Option<Whole> {
    match &expr.kind {
        ExprKind::Int(n) => Some(Whole {
            value: i64::from(*n),
            long: false,
        }),
        ExprKind::Long(n) => Some(Whole {
            value: *n,
            long: true,
        }),
        ExprKind::Group(inner) => whole(inner),
        ExprKind::Arithmetic(first, rest) => {
            let mut result = whole(first)?;
            for (op, operand) in rest {
                let operand = whole(operand)?;
                let long = result.long || operand.long;
                result = Whole::fits(apply(*op, result.value, operand.value)?, long)?;
            }
            Some(result)
        }
        _ => None,
    }
}

fn apply(op: ArithOp, left: i64, right: i64) -> Option<i128> {
    let (left, right) = (i128::from(left), i128::from(right));
    match op {
        ArithOp::Add => left.checked_add(right),
        ArithOp::Subtract => left.checked_sub(right),
        ArithOp::Multiply => left.checked_mul(right),
        ArithOp::Divide => left.checked_div(right),
    }
}

/// `1 / 2` is 0.
pub fn division(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Arithmetic(first, rest) = &node.expr.kind else {
        return;
    };
    let [(ArithOp::Divide, divisor), ..] = rest.as_slice() else {
        return;
    };
    let (Some(left), Some(right)) = (whole(first), whole(divisor)) else {
        return;
    };
    let (Some(quotient), Some(rest)) = (
        left.value.checked_div(right.value),
        left.value.checked_rem(right.value),
    ) else {
        return;
    };
    if rest == 0 {
        return;
    }
    let place = first.span.to(divisor.span);
    let mut fault = Diagnostic::at(
        Code::WholeDivision,
        place,
        format!("whole numbers divided drop the rest: this is {quotient}"),
    );
    if let ExprKind::Int(n) = first.kind {
        fault = fault
            .help(format!("write {n}.0 to keep the fraction"))
            .fix(Fix::replace(
                Span::new(first.span.end, first.span.end),
                ".0",
            ));
    }
    found.push(fault);
}

/// `30 * 24 * 60 * 60 * 1000` does not fit 32 bits.
pub fn overflow(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Arithmetic(first, rest) = &node.expr.kind else {
        return;
    };
    let Some(mut result) = whole(first) else {
        return;
    };
    for (op, operand) in rest {
        let Some(right) = whole(operand) else { return };
        let Some(value) = apply(*op, result.value, right.value) else {
            return;
        };
        let long = result.long || right.long;
        match Whole::fits(value, long) {
            Some(next) => result = next,
            None => {
                found.push(overflowed(
                    long,
                    value,
                    first,
                    first.span.to(operand.span),
                    rest.len() == 1,
                ));
                return;
            }
        }
    }
}

fn overflowed(long: bool, value: i128, first: &Expr, place: Span, whole: bool) -> Fault {
    let bits = if long { 64 } else { 32 };
    let wrapped = match long {
        true => i128::from(value as i64),
        false => i128::from(value as i32),
    };
    let message = format!("this grows beyond {bits} bits and wraps around");
    let mut fault = Diagnostic::at(Code::WholeOverflow, place, message);
    if whole {
        fault = fault.labelled(format!("{value} becomes {wrapped}"));
    }
    if long {
        return fault.help("compute with doubles: write a number with .0");
    }
    match literal_at_start(first) {
        Some(literal) => fault
            .help("put an L behind the first number")
            .fix(Fix::replace(
                Span::new(literal.span.end, literal.span.end),
                "L",
            )),
        None => fault.help("put an L behind one of the numbers"),
    }
}

fn literal_at_start(expr: &Expr) -> Option<&Expr> {
    matches!(expr.kind, ExprKind::Int(_)).then_some(expr)
}

/// `x == 'a' or 'b'`.
pub fn literal_operand(node: &Node<'_>, found: &mut Vec<Fault>) {
    let operands: Vec<&Expr> = match &node.expr.kind {
        ExprKind::Logic(operands, _) => operands.iter().collect(),
        ExprKind::Not(operand) => vec![operand],
        _ => return,
    };
    for operand in operands {
        let literal = operand.inner();
        let text = match &literal.kind {
            ExprKind::Text(text) => text.to_lowercase(),
            _ if number(literal).is_some() => node.written(literal.span).to_string(),
            _ => continue,
        };
        let truth = matches!(text.as_str(), "true" | "yes" | "y" | "on" | "1");
        found.push(
            Diagnostic::at(
                Code::LiteralOperand,
                operand.span,
                format!("as a condition this is always {truth}"),
            )
            .help("compare it with something, or use in […]"),
        );
    }
}

/// `{'a' : 1, 'a' : 2}`.
pub fn duplicate_key(node: &Node<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Map(entries) = &node.expr.kind else {
        return;
    };
    let mut seen: std::collections::HashMap<String, Span> = std::collections::HashMap::new();
    for (key, _) in entries {
        let literal = key.inner();
        if !is_literal(literal) {
            continue;
        }
        // Two ways to write one text are one key; 1 and 1L are two.
        let spelled = format!("{:?}", literal.kind);
        match seen.get(&spelled) {
            Some(first) => found.push(
                Diagnostic::at(
                    Code::DuplicateKey,
                    key.span,
                    "this key stands twice; the first one wins",
                )
                .also(*first, "the first one"),
            ),
            None => {
                seen.insert(spelled, key.span);
            }
        }
    }
}
