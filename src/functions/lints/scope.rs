//! What is known about names where an expression stands.

use super::types::Types;
use crate::eval::Context;
use ahash::AHashMap;
use smol_str::SmolStr;
use std::cell::RefCell;

/// What a front end knows about the names in an expression. Nothing need be known.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Variables that have a value, with the types it may have ([`Types::of_value`], or [`Types::ANY`]).
    pub variables: AHashMap<SmolStr, Types>,
    /// The fields of the events that the expression is for, with the types that they have there (or
    /// [`Types::ANY`]); `None` when there are no events, or their fields are not known.
    pub fields: Option<AHashMap<SmolStr, Types>>,
}

/// The names that an expression sees.
pub struct Scope<'a> {
    /// The world, for functions and limits.
    pub context: &'a Context,
    /// What the front end knows.
    pub known: &'a Known,
    /// Parameters of definitions and lambdas around, the innermost last.
    parameters: RefCell<Vec<(SmolStr, Types)>>,
    /// Whether functions of these names are built-ins.
    builtins: RefCell<AHashMap<SmolStr, bool>>,
}

impl<'a> Scope<'a> {
    /// A scope whose outermost names are `parameters`, those of a definition.
    pub fn new(context: &'a Context, known: &'a Known, parameters: &[SmolStr]) -> Scope<'a> {
        let parameters = parameters
            .iter()
            .map(|name| (name.clone(), Types::ANY))
            .collect();
        Scope {
            context,
            known,
            parameters: RefCell::new(parameters),
            builtins: RefCell::default(),
        }
    }

    /// Adds the parameters of a lambda; [`Scope::leave`] takes them away again.
    pub fn enter(&self, parameters: impl IntoIterator<Item = (SmolStr, Types)>) {
        self.parameters.borrow_mut().extend(parameters);
    }

    /// Takes the innermost `count` parameters away.
    pub fn leave(&self, count: usize) {
        let mut parameters = self.parameters.borrow_mut();
        let left = parameters.len().saturating_sub(count);
        parameters.truncate(left);
    }

    fn parameter(&self, name: &str) -> Option<Types> {
        let parameters = self.parameters.borrow();
        parameters
            .iter()
            .rev()
            .find(|(parameter, _)| parameter == name)
            .map(|(_, types)| *types)
    }

    /// The types that a name may have.
    pub fn types_of(&self, name: &str) -> Types {
        self.parameter(name)
            .or_else(|| self.known.variables.get(name).copied())
            // Any event may lack the field.
            .or_else(|| Some(self.known.fields.as_ref()?.get(name)?.or_null()))
            .unwrap_or(Types::ANY)
    }

    /// Whether a name is a parameter or a variable.
    pub fn is_bound(&self, name: &str) -> bool {
        self.parameter(name).is_some() || self.known.variables.contains_key(name)
    }

    /// Whether a function is what its name says: a built-in, not a definition.
    pub fn is_builtin(&self, name: &str) -> bool {
        if let Some(known) = self.builtins.borrow().get(name) {
            return *known;
        }
        let functions = &self.context.functions;
        let is_builtin = functions.builtin(name).is_some()
            || matches!(functions.defined(name, self.context), Ok(None));
        self.builtins.borrow_mut().insert(name.into(), is_builtin);
        is_builtin
    }
}
