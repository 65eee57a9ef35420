//! What a template is made of.

use super::functions::Function;
use crate::diagnostic::Span;
use smol_str::SmolStr;

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Text outside of actions.
    Text(String),
    /// A pipeline whose value is printed unless it sets a variable.
    Action(Pipe),
    If(Control),
    With(Control),
    Range(Control),
    /// Another template, with what is its dot.
    Call(String, Option<Pipe>, Span),
    Break,
    Continue,
}

/// A pipeline and what depends on it.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub pipe: Pipe,
    pub body: Vec<Node>,
    pub otherwise: Option<Vec<Node>>,
}

/// Commands, each of which gets the value of the one before as its last argument.
#[derive(Debug, Clone)]
pub(super) struct Pipe {
    pub span: Span,
    /// The variables that are set, with their dollar signs.
    pub variables: Vec<SmolStr>,
    /// Whether they exist already.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A word and its arguments; there is at least the word.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub word: Term,
    pub arguments: Vec<Term>,
}

/// An operand and its place.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub span: Span,
    pub kind: TermKind,
}

#[derive(Debug, Clone)]
pub(super) enum TermKind {
    Bool(bool),
    Dot,
    Nil,
    Int(i64),
    Float(f64),
    Text(SmolStr),
    /// The path from the dot.
    Field(Vec<SmolStr>),
    /// A variable and the path from it.
    Variable(SmolStr, Vec<SmolStr>),
    Function(Function),
    Pipe(Box<Pipe>),
    /// The path from something else.
    Chain(Box<Term>, Vec<SmolStr>),
}
