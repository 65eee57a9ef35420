//! Text to syntax tree: the scanner, the parser, the tree, and scripts as lists of statements,
//! and the way back: the printer and the formatter.

mod alike;
mod complain;
mod format;
mod layout;
pub mod lint;
mod parse;
mod print;
pub mod scan;
mod script;
mod spelling;
pub mod tree;

pub use alike::alike;
pub use format::{Formatted, WIDTH, format_script};
pub use parse::{ParseLimits, parse};
pub use print::{print, print_written};
pub use script::{
    Said, Statement, each_statement, is_command, is_incomplete, last_statement, statements,
};
pub use spelling::{escaped, quoted};
pub use tree::{ArithOp, CompareOp, Expr, ExprKind, LogicOp};

/// Runs `work` with at least four megabytes of stack, on a stack of its own when the thread has less left.
/// Nesting is limited to what fits; threads with small stacks exist in tests and in programs that use the library.
pub fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(4 << 20, 16 << 20, work)
}
