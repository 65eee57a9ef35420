//! What a query says, with the place of every part.

use crate::diagnostic::{Source, Span};
use crate::syntax::Expr;
use smol_str::SmolStr;
use std::sync::Arc;

/// A query as it is written.
#[derive(Debug)]
pub struct Tree {
    /// Its text.
    pub text: Arc<Source>,
    /// Where its rows come from.
    pub from: Named,
    /// What happens to them, in the order of the text.
    pub clauses: Vec<Clause>,
}

/// A name and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: SmolStr,
    /// Where it stands.
    pub span: Span,
}

/// One step of a query.
#[derive(Debug)]
pub enum Clause {
    /// `where a, b`: rows for which all are true.
    Where(Vec<Written>),
    /// `select a, b as c, *`
    Select(Vec<Item>, Span),
    /// `group every 5m by a, b`
    Group {
        /// The length of a bucket in milliseconds.
        every: Option<Every>,
        /// What rows of a group have in common.
        by: Vec<Item>,
        /// Where the clause stands.
        span: Span,
    },
    /// `every 5m` by itself: how often a group is told.
    Every(Every),
    /// `limit 10`
    Limit(u64, Span),
    /// `offset 10`
    Offset(u64, Span),
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// Milliseconds.
    pub millis: i64,
    /// Where it stands.
    pub span: Span,
}

/// An expression: its tree and its place.
#[derive(Debug)]
pub struct Written {
    /// What it says; places count in the whole query.
    pub tree: Expr,
    /// Where it stands.
    pub span: Span,
}

/// A column that is wanted.
#[derive(Debug)]
pub enum Item {
    /// `*`
    All(Span),
    /// `EXPR`, `EXPR as NAME`
    One(Written, Option<Named>),
}
