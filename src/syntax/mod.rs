//! Text to syntax tree: the scanner, the parser, the tree, and scripts as lists of statements.

mod complain;
mod parse;
pub mod scan;
pub mod tree;

pub use parse::{ParseLimits, parse};
pub use tree::{ArithOp, CompareOp, Expr, ExprKind, LogicOp};
