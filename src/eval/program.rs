//! A compiled expression: functions resolved, variables turned into slots, constants folded.

use super::compare::same;
use super::function::{Builtin, Prepared};
use super::value::Value;
use crate::diagnostic::{Fault, Source, Span};
use crate::syntax::{ArithOp, CompareOp, LogicOp};
use smol_str::SmolStr;
use std::sync::Arc;

/// A compiled expression. Immutable; workers share it.
pub struct Program {
    /// The text it was made from.
    pub source: Arc<Source>,
    /// The variables it reads, one slot each; `_` stands for all.
    pub variables: Vec<SmolStr>,
    /// Its parameters, when it is the body of a definition.
    pub parameters: Vec<SmolStr>,
    /// What is wrong with it already now: unknown functions, too few arguments, bad literal patterns.
    pub problems: Vec<Fault>,
    pub(super) root: Node,
    /// Levels of nesting.
    pub(super) depth: usize,
}

impl Program {
    /// The slot of `name`, if the expression reads it.
    pub fn slot(&self, name: &str) -> Option<usize> {
        self.variables.iter().position(|v| v == name)
    }

    /// The slot, if the expression is nothing but a variable.
    pub fn variable(&self) -> Option<usize> {
        match &self.root {
            Node::Slot(slot) => Some(*slot),
            _ => None,
        }
    }

    /// The value, if the expression is a constant.
    pub fn constant(&self) -> Option<&Value> {
        match &self.root {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }
}

/// The body of a lambda.
pub(super) struct LambdaCode {
    pub parameters: Vec<SmolStr>,
    /// Where the enclosing frame holds what the body uses of it.
    pub captures: Vec<Place>,
    pub body: Node,
    pub depth: usize,
    pub span: Span,
}

/// A value in the running frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Parameter(usize),
    Captured(usize),
}

/// An instruction: a node of the tree that is evaluated.
pub(super) enum Node {
    Constant(Value),
    Slot(usize),
    Local(Place),
    /// Whether the value is not null.
    Exists(Box<Node>),
    Negate(Box<(Node, Span)>),
    Not(Box<Node>),
    Arithmetic(Box<Arithmetic>),
    /// The common case of one operation.
    Binary(Box<Binary>),
    /// Text joined from a literal null and something that must be a text.
    NullPlus(Box<(Node, Span)>),
    Comparison(Box<Comparison>),
    /// The common case of one comparison with a constant on its right.
    CompareConstant(Box<(CompareOp, Node, Value, Span)>),
    Logic(Box<(Vec<Node>, Vec<LogicOp>)>),
    In(Box<In>),
    Branches(Box<Branches>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Call(Box<CallNode>),
    /// A function that is no built-in: looked up when called.
    CallByName(Box<NamedCall>),
    Lambda(Arc<LambdaCode>),
    /// An error that is raised when it is reached.
    Raise(Fault),
    /// A part whose values are noted; only in programs made for [`super::trace`].
    Traced(Box<(usize, Node)>),
}

/// One operation.
pub(super) struct Binary {
    pub op: ArithOp,
    pub left: Node,
    pub right: Node,
    pub span: Span,
}

/// Operations of one level, from left to right.
pub(super) struct Arithmetic {
    pub first: Node,
    pub rest: Vec<(ArithOp, Node)>,
    pub span: Span,
}

/// Comparisons from left to right.
pub(super) struct Comparison {
    pub first: Node,
    pub rest: Vec<(CompareOp, Node)>,
    pub span: Span,
}

pub(super) struct In {
    pub item: Node,
    pub container: Container,
    pub negated: bool,
}

/// The right side of `in`.
pub(super) enum Container {
    /// A literal of constants: nothing can keep or change it.
    Constants(Constants),
    Node(Node),
}

/// Constant members, compared strictly.
pub(super) enum Constants {
    Few(Vec<Value>),
    Many(super::collections::Elements),
}

impl Constants {
    pub fn new(values: Vec<Value>) -> Constants {
        if values.len() <= 8 {
            Constants::Few(values)
        } else {
            Constants::Many(values.into_iter().collect())
        }
    }

    #[inline]
    pub fn has(&self, item: &Value) -> bool {
        match self {
            Constants::Few(values) => match item {
                Value::Text(text) => values
                    .iter()
                    .any(|v| matches!(v, Value::Text(t) if t == text)),
                _ => values.iter().any(|v| same(v, item)),
            },
            Constants::Many(values) => values.contains(item),
        }
    }
}

/// A conditional or a match.
pub(super) struct Branches {
    pub branches: Vec<(Node, Node)>,
    pub conditions: Vec<Span>,
    pub otherwise: Node,
    /// In a match a result that is a lambda is called.
    pub calls_lambdas: bool,
}

pub(super) struct CallNode {
    pub builtin: Builtin,
    pub arguments: Vec<Node>,
    pub prepared: Option<Prepared>,
    pub span: Span,
    pub spans: Vec<Span>,
}

pub(super) struct NamedCall {
    pub name: SmolStr,
    pub name_span: Span,
    pub arguments: Vec<Node>,
    pub span: Span,
}
