//! Lints that need nothing but the tree: places where an expression may not mean what was meant.
//!
//! A lint is one small function that looks at one node; [`LINTS`] lists them. Their codes, causes and cures
//! stand in the table of codes.

pub mod allow;
mod branches;
mod constants;
mod logic;
mod precedence;
pub mod script;

pub use logic::mirrored;

use super::tree::{Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic, Fault, Fix, Span};

/// Looks at one node and adds what is to be said about it.
pub type Lint = fn(&Node<'_>, &mut Vec<Fault>);

/// A node of the tree and the text that its places count in.
pub struct Node<'a> {
    /// The node.
    pub expr: &'a Expr,
    /// The text.
    pub text: &'a str,
}

/// Every lint of this room.
const LINTS: &[Lint] = &[
    precedence::mixed_logic,
    precedence::multiply_first,
    precedence::chain,
    precedence::in_swallows,
    precedence::not_operand,
    precedence::text_in_parentheses,
    constants::division,
    constants::overflow,
    constants::literal_operand,
    constants::duplicate_key,
    branches::unreachable,
    logic::contradiction,
    logic::self_comparison,
    logic::nan,
    logic::null_order,
];

/// Adds what the lints of this room say about one node; its parts are nodes of their own.
pub fn of_node(node: &Node<'_>, found: &mut Vec<Fault>) {
    for lint in LINTS {
        lint(node, found);
    }
}

/// Longer pieces of the text are not repeated in messages.
const LONG: usize = 60;

impl<'a> Node<'a> {
    /// The text at `span`.
    pub fn written(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The node's text with a fix made, when it is short enough to be repeated in a message.
    pub fn fixed(&self, fix: &Fix) -> Option<String> {
        short(fix.applied(self.text, self.expr.span))
    }

    /// The text at `span` when it is short enough to be repeated in a message.
    pub fn short(&self, span: Span) -> Option<String> {
        short(self.written(span).to_string())
    }
}

fn short(text: String) -> Option<String> {
    let fits = text.len() <= LONG && !text.contains(['\n', '\r', '\t']) && !text.contains("//");
    fits.then_some(text)
}

/// A finding about parentheses: what Stellar reads when the text is short, else `otherwise`.
fn reads(code: Code, node: &Node<'_>, place: Span, fix: Fix, otherwise: &str) -> Fault {
    let fault = match node.fixed(&fix) {
        Some(text) => Diagnostic::at(code, place, format!("Stellar reads this as {text}")),
        None => Diagnostic::at(code, place, otherwise),
    };
    fault.fix(fix)
}

/// Whether a node is a plain literal.
pub fn is_literal(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Long(_)
            | ExprKind::Float(_)
            | ExprKind::Double(_)
            | ExprKind::Text(_)
    )
}

/// The value of a literal number.
pub fn number(expr: &Expr) -> Option<f64> {
    match expr.kind {
        ExprKind::Int(n) => Some(f64::from(n)),
        ExprKind::Long(n) => Some(n as f64),
        ExprKind::Float(x) => Some(f64::from(x)),
        ExprKind::Double(x) => Some(x),
        _ => None,
    }
}
