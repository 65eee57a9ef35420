//! Function values and functions defined in the language.

use super::program::{LambdaCode, Program};
use super::value::Value;
use crate::diagnostic::{Source, Span};
use smol_str::SmolStr;
use std::sync::Arc;

/// A function value: its code and the parameters of enclosing lambdas that it uses.
pub struct Lambda {
    pub(super) program: Arc<Program>,
    pub(super) code: Arc<LambdaCode>,
    pub(super) captured: Box<[Value]>,
}

impl Lambda {
    /// How many parameters it has.
    pub fn parameter_count(&self) -> usize {
        self.code.parameters.len()
    }

    /// Its source, such as `x -> x + 1`.
    pub fn source_text(&self) -> &str {
        let Span { start, end } = self.code.span;
        self.program.source.text.get(start..end).unwrap_or("lambda")
    }
}

/// A function defined with `def NAME(a, b) := expression`.
pub struct Definition {
    /// Its name.
    pub name: SmolStr,
    /// Its parameters.
    pub parameters: Vec<SmolStr>,
    /// What stood before it behind `///`.
    pub documentation: String,
    /// The compiled body.
    pub program: Arc<Program>,
    /// Where it was written.
    pub source: Arc<Source>,
    /// Whether it comes from the library, so that users may define it anew.
    pub library: bool,
}
