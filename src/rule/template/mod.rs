//! Templates of alerts: the language of Go's package text/template.
//!
//! A template is read once and rendered often. Values are those of events: maps, lists, texts, booleans, and numbers,
//! which are all floating-point numbers as in Go's JSON. Beside Go's functions there is `join`. Two things that are errors in
//! Go do what is meant: numbers compare by value whatever their kind, and a whole floating-point number is an index.
//! Complex constants are refused.

mod constant;
mod escape;
mod functions;
mod item;
mod lex;
mod parse;
mod run;
#[cfg(test)]
mod tests;
mod tree;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use crate::eval::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tree::Node;

/// The longest text of a template in bytes.
pub const MAX_TEXT: usize = 1 << 20;

/// How deep actions may stand in one another.
pub const MAX_NESTING: usize = 200;

/// How deep templates may call one another.
pub const MAX_CALLS: usize = 200;

/// Stack that one level of nesting may need, and how much more is taken when it is short.
const STACK_LEFT: usize = 256 << 10;
const STACK_MORE: usize = 2 << 20;

/// A template that was read.
#[derive(Debug)]
pub struct Template {
    source: Arc<Source>,
    root: Vec<Node>,
    /// What `define` and `block` give a name.
    defined: Vec<(String, Vec<Node>)>,
}

/// What rendering may use up.
#[derive(Clone)]
pub struct Limits<'a> {
    /// Bytes of the rendered text.
    pub output: usize,
    /// Actions, functions and rounds of loops.
    pub steps: u64,
    /// Whether it has to end; asked every now and then.
    pub late: Option<&'a dyn Fn() -> bool>,
    /// Stops it when set.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Limits {
            output: 1 << 20,
            steps: 1_000_000,
            late: None,
            cancel: None,
        }
    }
}

impl Template {
    /// Reads a template; `E0412` with the place when it is none.
    pub fn parse(text: &str) -> Outcome<Template> {
        let source = Arc::new(Source::named("template", text));
        if text.len() > MAX_TEXT {
            let message = format!("the template is longer than {MAX_TEXT} bytes");
            return Err(Diagnostic::new(Code::StringLength, message));
        }
        let tokens = lex::tokens(text).map_err(|problem| problem.fault(&source))?;
        let (root, defined) = parse::parse(&tokens).map_err(|problem| problem.fault(&source))?;
        Ok(Template {
            source,
            root,
            defined,
        })
    }

    /// The text of the template.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Renders the template over a value, which is its dot; `.First` and `.Meta` are entries of a map.
    pub fn render(&self, data: &Value, limits: &Limits<'_>) -> Outcome<String> {
        let rendered = run::render(self, data, limits);
        rendered.map_err(|problem| problem.fault(&self.source))
    }

    fn named(&self, name: &str) -> Option<&[Node]> {
        let found = self.defined.iter().find(|(known, _)| known == name);
        found.map(|(_, nodes)| nodes.as_slice())
    }
}

/// What is wrong with a template or its values, and where.
#[derive(Debug)]
struct Problem {
    code: Code,
    span: Span,
    what: String,
    help: Option<&'static str>,
}

impl Problem {
    fn new(span: Span, what: impl Into<String>) -> Problem {
        Problem {
            code: Code::BadTemplate,
            span,
            what: what.into(),
            help: None,
        }
    }

    fn limit(code: Code, span: Span, what: impl Into<String>) -> Problem {
        Problem {
            code,
            ..Problem::new(span, what)
        }
    }

    fn help(mut self, help: &'static str) -> Problem {
        self.help = Some(help);
        self
    }

    fn fault(self, source: &Arc<Source>) -> Fault {
        let fault = Diagnostic::at(self.code, self.span, self.what).in_source(source);
        match self.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}
