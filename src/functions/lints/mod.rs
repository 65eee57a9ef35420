//! Lints: places where an expression may not mean what was meant, or does nothing.
//!
//! Those that need only the tree are in `syntax::lint`; here are those that need to know functions and types, and
//! the walk that runs both. Every front end comes in through [`of_line`], [`of_tree`] or [`of_script`]. A finding is
//! a diagnostic whose code is a lint (`Code::level` says how much it weighs, `Diagnostic::fix` what to change).

mod arguments;
mod comparisons;
mod dates;
mod failing;
mod names;
mod network;
mod patterns;
mod ranges;
mod scope;
mod script;
mod types;

pub use scope::{Known, Scope};
pub use script::{of_line, of_script, type_of};
pub use types::Types;

use crate::diagnostic::{Code, Fault, Source, Span};
use crate::eval::Context;
use crate::syntax::lint::{self, Node};
use crate::syntax::{Expr, ExprKind, with_stack};
use ahash::AHashSet;
use smol_str::SmolStr;
use std::sync::Arc;

/// Looks at one node in its scope and adds what is to be said about it.
type Lint = fn(&Node<'_>, &Scope<'_>, &mut Vec<Fault>);

/// Every lint of this room.
const LINTS: &[Lint] = &[
    comparisons::unlike,
    comparisons::unlike_in,
    comparisons::letter_case,
    comparisons::condition,
    ranges::out_of_range,
    arguments::ignored,
    arguments::fraction,
    arguments::deprecated,
    arguments::option,
    arguments::nothing_kept,
    arguments::extra_parameter,
    dates::pattern,
    dates::zone,
    patterns::plain,
    patterns::group,
    network::subnet,
    names::field,
    of_function,
];

/// What a function's own declaration has to say about a call.
fn of_function(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let lint = called(node, scope)
        .and_then(|call| Some((call, scope.context.functions.builtin(call.name)?.lint?)));
    if let Some((call, lint)) = lint {
        lint(call.arguments, scope.context, found);
    }
}

/// A call that a lint looks at.
#[derive(Clone, Copy)]
struct Called<'a> {
    name: &'a str,
    arguments: &'a [Expr],
}

/// The call of a built-in that a node is.
fn called<'a>(node: &Node<'a>, scope: &Scope<'_>) -> Option<Called<'a>> {
    match &node.expr.kind {
        ExprKind::Call {
            name, arguments, ..
        } if scope.is_builtin(name) => Some(Called { name, arguments }),
        _ => None,
    }
}

/// The text that an argument is, when it is a literal.
fn text_argument<'a>(called: &Called<'a>, index: usize) -> Option<(&'a str, &'a Expr)> {
    let argument = called.arguments.get(index)?.inner();
    match &argument.kind {
        ExprKind::Text(text) => Some((text, argument)),
        _ => None,
    }
}

/// The names that an expression asks about: `exists(a)`, `IS_EMPTY(a)`, `a == null`.
fn tested_names<'a>(expr: &'a Expr, names: &mut Vec<&'a str>) {
    match &expr.kind {
        ExprKind::Exists(name) => names.push(name),
        ExprKind::Call {
            name, arguments, ..
        } if name == "IS_EMPTY" => {
            if let Some(ExprKind::Name(name)) = arguments.first().map(|a| &a.inner().kind) {
                names.push(name);
            }
        }
        ExprKind::Comparison(first, rest) => {
            let sides = || std::iter::once(&**first).chain(rest.iter().map(|(_, side)| side));
            if sides().any(|side| side.inner().kind == ExprKind::Null) {
                names.extend(sides().filter_map(|side| match &side.inner().kind {
                    ExprKind::Name(name) => Some(name.as_str()),
                    _ => None,
                }));
            }
        }
        _ => {}
    }
    expr.children(|child| tested_names(child, names));
}

/// What all lints say about an expression, in the order of their places. `parameters` are those of a definition.
pub fn of_tree(
    tree: &Expr,
    source: &Arc<Source>,
    parameters: &[SmolStr],
    context: &Context,
    known: &Known,
) -> Vec<Fault> {
    let scope = Scope::new(context, known, parameters);
    let mut found = Vec::new();
    with_stack(|| {
        walk(tree, &source.text, &scope, &mut found);
        failing::constants(tree, source, &scope, &mut found);
    });
    // Who asks whether a field is there knows that it may not be.
    let mut tested = Vec::new();
    with_stack(|| tested_names(tree, &mut tested));
    let name = |fault: &Fault| {
        let span = fault.span?;
        source.text.get(span.start..span.end)
    };
    found.retain(|fault| {
        fault.code != Code::UnknownField || !name(fault).is_some_and(|name| tested.contains(&name))
    });
    let mut found: Vec<Fault> = found
        .into_iter()
        .map(|fault| fault.in_source(source))
        .collect();
    settle(&mut found);
    found
}

fn walk(expr: &Expr, text: &str, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let node = Node { expr, text };
    lint::of_node(&node, found);
    for lint in LINTS {
        lint(&node, scope, found);
    }
    match &expr.kind {
        ExprKind::Lambda { parameters, .. } => {
            let names = parameters.iter().map(|(name, _)| name.clone());
            inside(
                expr,
                names.map(|name| (name, Types::ANY)),
                text,
                scope,
                found,
            );
        }
        // What the elements are shows in the first argument.
        ExprKind::Call {
            name, arguments, ..
        } if matches!(name.as_str(), "MAP" | "FILTER") && scope.is_builtin(name) => {
            for (i, argument) in arguments.iter().enumerate() {
                match &argument.kind {
                    ExprKind::Lambda { parameters, .. } if i == 1 => {
                        let element = arguments
                            .first()
                            .map_or(Types::ANY, |list| element(list, scope));
                        let nulls = std::iter::repeat(Types::NULL);
                        let types = std::iter::once(element).chain(nulls);
                        let names = parameters.iter().map(|(name, _)| name.clone());
                        lint::of_node(
                            &Node {
                                expr: argument,
                                text,
                            },
                            found,
                        );
                        inside(argument, names.zip(types), text, scope, found);
                    }
                    _ => walk(argument, text, scope, found),
                }
            }
        }
        _ => expr.children(|part| walk(part, text, scope, found)),
    }
}

/// Walks the body of a lambda with its parameters.
fn inside(
    lambda: &Expr,
    parameters: impl Iterator<Item = (SmolStr, Types)>,
    text: &str,
    scope: &Scope<'_>,
    found: &mut Vec<Fault>,
) {
    let parameters: Vec<_> = parameters.collect();
    let count = parameters.len();
    scope.enter(parameters);
    lambda.children(|body| walk(body, text, scope, found));
    scope.leave(count);
}

/// The types that the elements of a list literal, or of a text, have.
fn element(list: &Expr, scope: &Scope<'_>) -> Types {
    match &list.inner().kind {
        ExprKind::List(items) if !items.is_empty() => items
            .iter()
            .fold(Types::NONE, |all, item| all.or(types::of(item, scope))),
        _ if types::of(list, scope).is_text() => Types::CHAR,
        _ => Types::ANY,
    }
}

/// Lints about how something is read; what else is odd about the same place often follows from that.
const READINGS: &[Code] = &[
    Code::MixedLogic,
    Code::MultiplyFirst,
    Code::ComparisonChain,
    Code::InSwallows,
    Code::NotOperand,
];

/// Puts findings in order; of several about one place the more exact one stays.
fn settle(found: &mut Vec<Fault>) {
    let mut readings: AHashSet<Span> = AHashSet::new();
    let mut others: Vec<Span> = Vec::new();
    for fault in found.iter() {
        let place = fault.span.unwrap_or_default();
        if READINGS.contains(&fault.code) {
            readings.insert(place);
        }
        if fault.code != Code::AlwaysFails {
            others.push(place);
        }
    }
    // By their beginnings; `ends` is the furthest end so far, so that a search finds what overlaps.
    others.sort_by_key(|place| place.start);
    let ends: Vec<usize> = others
        .iter()
        .scan(0, |end, place| {
            *end = place.end.max(*end);
            Some(*end)
        })
        .collect();
    found.retain(|fault| {
        let own = fault.span.unwrap_or_default();
        if fault.code == Code::AlwaysFails {
            let before = others.partition_point(|other| other.start < own.end);
            let end = before.checked_sub(1).and_then(|last| ends.get(last));
            return end.is_none_or(|end| *end <= own.start);
        }
        READINGS.contains(&fault.code) || !readings.contains(&own)
    });
    found.sort_by_key(|fault| (fault.span.unwrap_or_default().start, fault.code as usize));
    found.dedup_by(|b, a| a.code == b.code && a.span == b.span);
}
