//! A session: variables that live on from statement to statement.

use super::magic;
use crate::diagnostic::{Code, Diagnostic, Outcome, Source};
use crate::engine::Engine;
use crate::eval::text::to_text;
use crate::eval::{Value, Variables, compile_tree};
use crate::functions::{help, library};
use crate::syntax::{ParseLimits, Said, Statement, statements};
use indexmap::IndexMap;
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::sync::Arc;

/// A variable and how it came to be.
#[derive(Clone)]
pub struct Variable {
    /// Its value.
    pub value: Value,
    /// What stood behind `:=`; `None` when it was loaded from a file.
    pub expression: Option<String>,
}

/// The variables of a session, in the order of their first assignment.
#[derive(Default)]
pub struct SessionVariables(RwLock<IndexMap<SmolStr, Variable>>);

impl SessionVariables {
    /// Sets a variable.
    pub fn set(&self, name: SmolStr, variable: Variable) {
        self.0.write().insert(name, variable);
    }

    /// All variables with how they came to be.
    pub fn list(&self) -> Vec<(SmolStr, Variable)> {
        self.0
            .read()
            .iter()
            .map(|(name, variable)| (name.clone(), variable.clone()))
            .collect()
    }
}

impl Variables for SessionVariables {
    fn get(&self, name: &str) -> Option<Value> {
        self.0
            .read()
            .get(name)
            .map(|variable| variable.value.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        self.0
            .read()
            .iter()
            .map(|(name, variable)| (name.clone(), variable.value.clone()))
            .collect()
    }
}

/// What a statement gives.
pub enum Shown {
    /// A value; null prints nothing.
    Value(Value),
    /// Text of a magic or of documentation.
    Text(String),
    /// Nothing, perhaps with a note for the user.
    Done(Option<String>),
    /// The session ends.
    Quit,
}

impl Shown {
    /// What the shell prints for it; `None` when it prints nothing.
    pub fn print(&self) -> Option<String> {
        match self {
            Shown::Value(Value::Null) | Shown::Done(_) | Shown::Quit => None,
            Shown::Value(value) => Some(to_text(value).to_string()),
            Shown::Text(text) => Some(text.clone()),
        }
    }
}

/// A session of the shell, a script or a notebook.
pub struct Session {
    /// What it evaluates with.
    pub engine: Engine,
    /// Its variables.
    pub variables: Arc<SessionVariables>,
}

impl Session {
    /// A session without variables.
    pub fn new(engine: &Engine) -> Session {
        let variables = Arc::new(SessionVariables::default());
        let mut engine = engine.clone();
        engine.context = engine.context.with_variables(variables.clone());
        Session { engine, variables }
    }

    /// Loads variables that have no expression, such as those of `-v FILE`.
    pub fn load(&self, entries: impl IntoIterator<Item = (SmolStr, Value)>) {
        for (name, value) in entries {
            self.variables.set(
                name,
                Variable {
                    value,
                    expression: None,
                },
            );
        }
    }

    /// Runs one line or several lines that make one statement. Errors: everything with its place.
    pub fn run_text(&self, text: &str) -> Outcome<Vec<Shown>> {
        statements(&Source::expression(text))
            .iter()
            .map(|statement| self.run(statement))
            .collect()
    }

    /// Runs one statement. Errors: everything with its place; nothing is assigned then.
    pub fn run(&self, statement: &Statement) -> Outcome<Shown> {
        let context = &self.engine.context;
        let limits = ParseLimits {
            length: context.limits.expression,
            depth: context.limits.depth,
        };
        let evaluate = |tree: Option<&crate::syntax::Expr>| {
            compile_tree(tree, &statement.source, &[], context).evaluate(context)
        };
        match statement.read(limits)? {
            Said::Expression(tree) => evaluate(tree.as_ref()).map(Shown::Value),
            Said::Assignment {
                name,
                value,
                written,
            } => {
                let value = match &value {
                    Some(tree) => evaluate(Some(tree))?,
                    None => Value::text(""),
                };
                self.variables.set(
                    name,
                    Variable {
                        value: value.clone(),
                        expression: Some(written),
                    },
                );
                Ok(Shown::Value(value))
            }
            Said::MagicAssignment { name, line } => {
                let shown = match line.strip_prefix('?') {
                    Some(function) => self.help(function.trim()),
                    None => magic::run(self, &line, statement),
                }
                .map_err(|fault| fault.or_at(statement.span).in_source(&statement.source))?;
                let text = shown.print().unwrap_or_default();
                let value = Value::string(text);
                self.variables.set(
                    name,
                    Variable {
                        value: value.clone(),
                        expression: Some(line),
                    },
                );
                Ok(Shown::Value(value))
            }
            Said::Definition { name_span, .. } => {
                let Some(definition) = library::define(statement, context)? else {
                    return Ok(Shown::Done(None));
                };
                let note = self.engine.registry.define(definition, context);
                note.map(Shown::Done)
                    .map_err(|fault| fault.or_at(name_span).in_source(&statement.source))
            }
            Said::Magic(line) => magic::run(self, &line, statement)
                .map_err(|fault| fault.or_at(statement.span).in_source(&statement.source)),
            Said::Help(name) => self
                .help(&name)
                .map_err(|fault| fault.or_at(statement.span).in_source(&statement.source)),
            Said::Quit => Ok(Shown::Quit),
        }
    }

    fn help(&self, name: &str) -> Outcome<Shown> {
        let context = &self.engine.context;
        match help::help(&self.engine.registry, name, context)? {
            Some(text) => Ok(Shown::Text(text)),
            None => Err(Diagnostic::new(
                Code::UnknownFunction,
                format!("there is no function {name}"),
            )
            .did_you_mean(context.functions.nearest(name).as_deref())),
        }
    }
}
