//! Parts that hold nothing but constants and end in an error.

use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Fault, Kind, Source};
use crate::eval::{Context, NoVariables, compile_tree};
use crate::syntax::lint::is_literal;
use crate::syntax::{Expr, ExprKind};
use std::sync::Arc;
use std::time::Duration;

/// So many steps a constant may take before nobody waits for it.
const STEPS: u64 = 10_000;

/// The same in time.
const TIME: Duration = Duration::from_secs(1);

/// Evaluates the largest constant parts of an expression and says which of them fail.
pub fn constants(tree: &Expr, source: &Arc<Source>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let mut waiting = vec![tree];
    let mut parts = Vec::new();
    while let Some(expr) = waiting.pop() {
        if is_literal(expr) {
            continue;
        }
        if is_constant(expr, scope) {
            parts.push(expr);
        } else {
            expr.children(|part| waiting.push(part));
        }
    }
    if parts.is_empty() {
        return;
    }
    let mut context = Context {
        variables: Arc::new(NoVariables),
        ..scope.context.clone()
    };
    context.limits.steps = context.limits.steps.min(STEPS);
    context.limits.time = TIME;
    for part in parts {
        if !worth_running(part) {
            continue;
        }
        let program = compile_tree(Some(part), source, &[], &context);
        // What the compiler finds is said by whoever compiles.
        if !program.problems.is_empty() {
            continue;
        }
        let Err(fault) = program.evaluate(&context) else {
            continue;
        };
        if fault.kind() != Kind::Evaluation || fault.code == Code::Internal {
            continue;
        }
        let lint = Diagnostic::at(
            Code::AlwaysFails,
            fault.span.unwrap_or(part.span),
            format!("this always fails: {}", fault.message),
        )
        .note(format!(
            "stellar help {} explains the error",
            fault.code.name()
        ));
        found.push(match &fault.help {
            Some(help) => lint.help(help),
            None => lint,
        });
    }
}

/// Whether an expression depends on nothing: literals, operators, and functions that look at their arguments only.
fn is_constant(expr: &Expr, scope: &Scope<'_>) -> bool {
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        match &expr.kind {
            ExprKind::Name(_) | ExprKind::Exists(_) | ExprKind::Lambda { .. } => return false,
            ExprKind::Call { name, .. } => {
                let functions = &scope.context.functions;
                if !functions.builtin(name).is_some_and(|builtin| builtin.pure) {
                    return false;
                }
            }
            _ => {}
        }
        expr.children(|part| waiting.push(part));
    }
    true
}

/// Whether evaluating may fail at all: lists and groups of literals do not.
fn worth_running(expr: &Expr) -> bool {
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        if !matches!(
            expr.kind,
            ExprKind::List(_) | ExprKind::Map(_) | ExprKind::Group(_)
        ) && !is_literal(expr)
        {
            return true;
        }
        expr.children(|part| waiting.push(part));
    }
    false
}
