//! The variables of a session, and the events it has loaded.

use super::events::Loaded;
use crate::eval::{Value, Variables};
use indexmap::IndexMap;
use parking_lot::RwLock;
use smol_str::SmolStr;

/// A variable and how it came to be.
#[derive(Clone)]
pub struct Variable {
    /// Its value.
    pub value: Value,
    /// What stood behind `:=`; `None` when it was loaded from a file.
    pub expression: Option<String>,
}

/// The variables of a session, in the order of their first assignment, and the event that `_` stands for.
#[derive(Default)]
pub struct SessionVariables {
    variables: RwLock<IndexMap<SmolStr, Variable>>,
    loaded: RwLock<Option<Loaded>>,
}

impl SessionVariables {
    /// Sets a variable.
    pub fn set(&self, name: SmolStr, variable: Variable) {
        self.variables.write().insert(name, variable);
    }

    /// All variables with how they came to be.
    pub fn list(&self) -> Vec<(SmolStr, Variable)> {
        let variables = self.variables.read();
        let pairs = variables.iter().map(|(n, v)| (n.clone(), v.clone()));
        pairs.collect()
    }

    /// Calls `look` with every name.
    pub fn each_name(&self, mut look: impl FnMut(&SmolStr)) {
        self.variables.read().keys().for_each(&mut look);
    }

    /// Replaces the loaded events.
    pub fn set_loaded(&self, loaded: Option<Loaded>) {
        *self.loaded.write() = loaded;
    }

    /// Looks at the loaded events, or changes which of them is the current one.
    pub fn loaded<T>(&self, work: impl FnOnce(&mut Loaded) -> T) -> Option<T> {
        self.loaded.write().as_mut().map(work)
    }
}

impl Variables for SessionVariables {
    fn get(&self, name: &str) -> Option<Value> {
        if let Some(variable) = self.variables.read().get(name) {
            return Some(variable.value.clone());
        }
        match self.loaded.read().as_ref()?.current() {
            Value::Map(event) => event.get_text(name),
            _ => None,
        }
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        let variables = self.variables.read();
        let pairs = variables.iter().map(|(n, v)| (n.clone(), v.value.clone()));
        pairs.collect()
    }

    fn whole(&self) -> Option<Value> {
        self.loaded
            .read()
            .as_ref()
            .map(|loaded| match loaded.current() {
                Value::Map(event) => Value::Map(event.as_view()),
                other => other.clone(),
            })
    }

    fn written(&self) -> Option<Vec<(SmolStr, Option<SmolStr>)>> {
        let variables = self.variables.read();
        let pairs = variables
            .iter()
            .map(|(n, v)| (n.clone(), v.expression.as_ref().map(SmolStr::new)));
        Some(pairs.collect())
    }
}
