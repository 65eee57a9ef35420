//! Text to syntax tree: the scanner, the parser, the tree, and scripts as lists of statements.

mod complain;
mod parse;
pub mod scan;
mod script;
pub mod tree;

pub use parse::{ParseLimits, parse};
pub use script::{Said, Statement, is_incomplete, statements};
pub use tree::{ArithOp, CompareOp, Expr, ExprKind, LogicOp};
