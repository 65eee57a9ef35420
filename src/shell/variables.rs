//! The variables of a session, and the events it has loaded.

use super::events::Loaded;
use crate::eval::{Value, Variables};
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

    /// The value of a variable, whatever the events have under its name.
    pub fn own(&self, name: &str) -> Option<Value> {
        let variables = self.variables.read();
        variables.get(name).map(|variable| variable.value.clone())
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
        self.own(name)
            .or_else(|| field(self.loaded.read().as_ref()?.current(), name))
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
            .map(|loaded| view(loaded.current()))
    }

    fn written(&self) -> Option<Vec<(SmolStr, Option<SmolStr>)>> {
        let variables = self.variables.read();
        let pairs = variables
            .iter()
            .map(|(n, v)| (n.clone(), v.expression.as_ref().map(SmolStr::new)));
        Some(pairs.collect())
    }
}

/// The variables of a session while they look at an event that is not among the loaded ones.
pub struct OneEvent {
    variables: Arc<SessionVariables>,
    event: RwLock<Value>,
}

impl OneEvent {
    /// No event yet.
    pub fn new(variables: Arc<SessionVariables>) -> OneEvent {
        OneEvent {
            variables,
            event: RwLock::default(),
        }
    }

    /// Looks at this event from now on.
    pub fn set(&self, event: Value) {
        *self.event.write() = event;
    }
}

impl Variables for OneEvent {
    fn get(&self, name: &str) -> Option<Value> {
        self.variables
            .own(name)
            .or_else(|| field(&self.event.read(), name))
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        self.variables.all()
    }

    fn whole(&self) -> Option<Value> {
        Some(view(&self.event.read()))
    }

    fn written(&self) -> Option<Vec<(SmolStr, Option<SmolStr>)>> {
        self.variables.written()
    }
}

/// The field of an event.
fn field(event: &Value, name: &str) -> Option<Value> {
    match event {
        Value::Map(event) => event.get_text(name),
        _ => None,
    }
}

/// An event as `_` stands for it.
fn view(event: &Value) -> Value {
    match event {
        Value::Map(event) => Value::Map(event.as_view()),
        other => other.clone(),
    }
}
