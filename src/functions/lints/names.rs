//! Names that nothing has.

use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Fault, Fix, nearest};
use crate::syntax::ExprKind;
use crate::syntax::lint::Node;

/// A name that is neither a variable nor a field of the events that were looked at.
pub fn field(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let ExprKind::Name(name) = &node.expr.kind else {
        return;
    };
    let Some(fields) = &scope.known.fields else {
        return;
    };
    if name == "_" || fields.is_empty() || is_known(name, scope) {
        return;
    }
    let candidates = fields.keys().chain(scope.known.variables.keys());
    let near = nearest(name, candidates.map(|field| field.as_str()));
    let fault = Diagnostic::at(
        Code::UnknownField,
        node.expr.span,
        format!("no event has a field {name}, so it is null"),
    );
    found.push(match near {
        Some(near) => fault
            .did_you_mean(Some(near))
            .fix(Fix::replace(node.expr.span, near)),
        None => fault,
    });
}

/// Whether a name, or what stands before one of its points, is there; parts of nested objects are not looked at.
fn is_known(name: &str, scope: &Scope<'_>) -> bool {
    let has = |name: &str| {
        let fields = scope.known.fields.as_ref();
        scope.is_bound(name) || fields.is_some_and(|fields| fields.contains_key(name))
    };
    has(name) || name.match_indices('.').any(|(at, _)| has(&name[..at]))
}
