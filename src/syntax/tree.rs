//! The syntax tree: what an expression says, with the place of every part.

use crate::diagnostic::Span;
use smol_str::SmolStr;

/// A part of an expression and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of an expression. Chains of operators are flat, so that long ones are not deep.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true` and `false`
    Bool(bool),
    /// `1`
    Int(i32),
    /// `1L`
    Long(i64),
    /// `1.0f`
    Float(f32),
    /// `1.0`, `NaN`
    Double(f64),
    /// `'text'`
    Text(SmolStr),
    /// A variable.
    Name(SmolStr),
    /// `exists(name)`
    Exists(SmolStr),
    /// `-x`
    Negate(Box<Expr>),
    /// `not(x)`, `not x`
    Not(Box<Expr>),
    /// `(x)`
    Group(Box<Expr>),
    /// `a + b - c`: one level of precedence, from left to right.
    Arithmetic(Box<Expr>, Vec<(ArithOp, Expr)>),
    /// `a == b`, from left to right.
    Comparison(Box<Expr>, Vec<(CompareOp, Expr)>),
    /// `a and b or c`: both words have one level and group to the right.
    Logic(Vec<Expr>, Vec<LogicOp>),
    /// `a in b`, `a not in b` (negated).
    In {
        /// The element.
        item: Box<Expr>,
        /// The container.
        container: Box<Expr>,
        /// Whether it is `not in`.
        negated: bool,
    },
    /// `if a then b else c`, `a ? b : c`
    Conditional {
        /// Conditions with their results, in order.
        branches: Vec<(Expr, Expr)>,
        /// The result when no condition holds.
        otherwise: Box<Expr>,
        /// Whether it is written with words.
        words: bool,
    },
    /// `match{ a => b, default => c }`
    Match {
        /// Checks with their results, in order.
        clauses: Vec<(Expr, Expr)>,
        /// The result when no check holds.
        default: Box<Expr>,
    },
    /// `NAME(a, b)`
    Call {
        /// The function's name.
        name: SmolStr,
        /// Where the name stands.
        name_span: Span,
        /// The arguments.
        arguments: Vec<Expr>,
    },
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{a : b}`
    Map(Vec<(Expr, Expr)>),
    /// `(a, b) -> x`
    Lambda {
        /// The parameters with their places.
        parameters: Vec<(SmolStr, Span)>,
        /// The body.
        body: Box<Expr>,
    },
}

/// `+ - * /`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArithOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`, which binds tighter than `/`
    Multiply,
    /// `/`
    Divide,
}

impl ArithOp {
    /// Its spelling.
    pub fn symbol(self) -> &'static str {
        match self {
            ArithOp::Add => "+",
            ArithOp::Subtract => "-",
            ArithOp::Multiply => "*",
            ArithOp::Divide => "/",
        }
    }
}

/// `== != < <= > >=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl CompareOp {
    /// Its spelling.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Equal => "==",
            CompareOp::Unequal => "!=",
            CompareOp::Less => "<",
            CompareOp::AtMost => "<=",
            CompareOp::Greater => ">",
            CompareOp::AtLeast => ">=",
        }
    }
}

/// `and or`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicOp {
    /// `and`
    And,
    /// `or`
    Or,
}

impl Expr {
    /// The expression without parentheses around it.
    pub fn inner(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Group(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// Calls `visit` with each direct part, from left to right.
    pub fn children<'a>(&'a self, mut visit: impl FnMut(&'a Expr)) {
        match &self.kind {
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Long(_)
            | ExprKind::Float(_)
            | ExprKind::Double(_)
            | ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::Exists(_) => {}
            ExprKind::Negate(x) | ExprKind::Not(x) | ExprKind::Group(x) => visit(x),
            ExprKind::Arithmetic(first, rest) => {
                visit(first);
                rest.iter().for_each(|(_, x)| visit(x));
            }
            ExprKind::Comparison(first, rest) => {
                visit(first);
                rest.iter().for_each(|(_, x)| visit(x));
            }
            ExprKind::Logic(operands, _) => operands.iter().for_each(visit),
            ExprKind::In {
                item, container, ..
            } => {
                visit(item);
                visit(container);
            }
            ExprKind::Conditional {
                branches: pairs,
                otherwise: last,
                ..
            }
            | ExprKind::Match {
                clauses: pairs,
                default: last,
            } => {
                for (check, result) in pairs {
                    visit(check);
                    visit(result);
                }
                visit(last);
            }
            ExprKind::Call {
                arguments: items, ..
            }
            | ExprKind::List(items) => items.iter().for_each(visit),
            ExprKind::Map(entries) => {
                for (key, value) in entries {
                    visit(key);
                    visit(value);
                }
            }
            ExprKind::Lambda { body, .. } => visit(body),
        }
    }
}
