//! What an evaluation can see of the world: variables, functions, globals, time and place, limits, services.

use super::function::{Builtin, Functions};
use super::java::date_format::{Locale, Zone};
use super::limits::Limits;
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use indexmap::IndexMap;
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Where "now" comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Milliseconds since 1970-01-01T00:00Z.
    fn now(&self) -> i64;
}

/// The variables of a front end.
pub trait Variables: Send + Sync {
    /// The value of a name; `None` when there is no such variable.
    fn get(&self, name: &str) -> Option<Value>;
    /// All names with their values, in order.
    fn all(&self) -> Vec<(SmolStr, Value)>;
    /// The value of `_`, when that is not simply all variables as one map.
    fn whole(&self) -> Option<Value> {
        None
    }
    /// All names with what stood behind their `:=`; `None` where assignments are not remembered.
    fn written(&self) -> Option<Vec<(SmolStr, Option<SmolStr>)>> {
        None
    }
}

/// No variables at all.
pub struct NoVariables;

impl Variables for NoVariables {
    fn get(&self, _name: &str) -> Option<Value> {
        None
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        Vec::new()
    }
}

/// Values that `%define` and the configuration give to functions.
pub type Globals = Arc<RwLock<IndexMap<SmolStr, Value>>>;

/// Services by their type: how functions reach stores, files and the network.
#[derive(Clone, Default)]
pub struct Services(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Services {
    /// Adds or replaces the service of type `T`.
    pub fn add<T: Any + Send + Sync>(&mut self, service: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), service);
    }

    /// Takes over the services of `others` that are not here.
    pub fn fill_from(&mut self, others: &Services) {
        for (kind, service) in &others.0 {
            self.0.entry(*kind).or_insert_with(|| service.clone());
        }
    }

    /// The service of type `T`.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0
            .get(&TypeId::of::<T>())
            .cloned()
            .and_then(|s| s.downcast().ok())
    }
}

/// Everything an evaluation depends on beside its expression. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Variables by name.
    pub variables: Arc<dyn Variables>,
    /// Functions by name.
    pub functions: Arc<dyn Functions>,
    /// Global values.
    pub globals: Globals,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The zone of dates without one.
    pub zone: Zone,
    /// Names of days and months, week rules.
    pub locale: Arc<Locale>,
    /// Bounds.
    pub limits: Limits,
    /// Set to stop a running evaluation.
    pub cancel: Arc<AtomicBool>,
    /// When a running evaluation must be done, beside `limits.time`.
    pub deadline: Option<Instant>,
    /// Whether who asks may only read: guarded functions are refused.
    pub only_reads: bool,
    /// Services by type.
    pub services: Services,
}

impl Context {
    /// The same context with other variables.
    pub fn with_variables(&self, variables: Arc<dyn Variables>) -> Context {
        Context {
            variables,
            ..self.clone()
        }
    }

    /// Fails for a function that is not for callers who may only read: E0217.
    pub fn check_right(&self, function: &Builtin) -> Outcome<()> {
        if self.only_reads && function.guarded {
            let name = function.name;
            let message = format!("{name} is not for callers who may only read");
            return Err(Diagnostic::new(Code::NotAvailable, message)
                .help("it changes what others see, or shows what is the machine's own"));
        }
        Ok(())
    }

    /// Fails when the evaluation has been cancelled: E0307.
    pub fn check_cancelled(&self) -> Outcome<()> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Diagnostic::new(Code::Interrupted, "interrupted"));
        }
        Ok(())
    }
}

/// Looks `name` up by `get`: verbatim first; when there is no such name and it holds a point, what stands before
/// the first point must name a map, in which the rest is looked up by the same rule.
pub fn look_up(name: &str, get: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    if let Some(value) = get(name) {
        return Some(value);
    }
    let (first, mut rest) = name.split_once('.')?;
    let mut value = get(first)?;
    loop {
        let Value::Map(map) = &value else { return None };
        if let Some(found) = map.get_text(rest) {
            return Some(found);
        }
        let (next, behind) = rest.split_once('.')?;
        value = map.get_text(next)?;
        rest = behind;
    }
}
