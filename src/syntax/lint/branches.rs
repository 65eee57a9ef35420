//! Branches that nothing reaches.

use super::super::alike;
use super::super::tree::{Expr, ExprKind};
use super::Node;
use crate::diagnostic::{Code, Diagnostic, Fault};

/// Longer chains are not compared check by check.
const MANY: usize = 64;

/// A check that repeats an earlier one, or that stands behind `true`.
pub fn unreachable(node: &Node<'_>, found: &mut Vec<Fault>) {
    let branches = match &node.expr.kind {
        ExprKind::Conditional { branches, .. } => branches,
        ExprKind::Match { clauses, .. } => clauses,
        _ => return,
    };
    for (i, (check, _)) in branches.iter().enumerate().take(MANY) {
        let earlier = branches.iter().take(i).find(|(before, _)| {
            before.inner().kind == ExprKind::Bool(true)
                || (alike(before.inner(), check.inner()) && is_steady(check))
        });
        let Some((before, _)) = earlier else { continue };
        let always = before.inner().kind == ExprKind::Bool(true);
        let label = match always {
            true => "this always holds",
            false => "the same check",
        };
        found.push(
            Diagnostic::at(
                Code::Unreachable,
                check.span,
                "this branch is never reached",
            )
            .also(before.span, label),
        );
    }
}

/// Whether a check gives the same however often it is asked: it calls nothing.
fn is_steady(expr: &Expr) -> bool {
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        if matches!(expr.kind, ExprKind::Call { .. } | ExprKind::Lambda { .. }) {
            return false;
        }
        expr.children(|part| waiting.push(part));
    }
    true
}
