//! Function values and functions defined in the language.

use super::compile::compile_tree;
use super::context::Context;
use super::program::{LambdaCode, Program};
use super::value::Value;
use crate::diagnostic::{Source, Span};
use crate::syntax::Expr;
use smol_str::SmolStr;
use std::sync::{Arc, OnceLock};

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
    /// Its body.
    pub body: Expr,
    /// The compiled body, made when it is called for the first time.
    program: OnceLock<Arc<Program>>,
    /// Where it was written.
    pub source: Arc<Source>,
    /// Whether it comes from the library, so that users may define it anew.
    pub library: bool,
}

impl Definition {
    /// A definition as it was read.
    pub fn new(
        name: SmolStr,
        parameters: Vec<SmolStr>,
        body: Expr,
        documentation: String,
        source: Arc<Source>,
    ) -> Definition {
        Definition {
            name,
            parameters,
            documentation,
            body,
            program: OnceLock::new(),
            source,
            library: false,
        }
    }

    /// The compiled body.
    pub fn program(&self, context: &Context) -> &Arc<Program> {
        self.program
            .get_or_init(|| compile_tree(Some(&self.body), &self.source, &self.parameters, context))
    }
}
