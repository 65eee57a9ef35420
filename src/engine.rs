//! Puts registry, services, configuration and clock together: the one way in for every front end.

use crate::config::SystemClock;
use crate::diagnostic::{Outcome, Source};
use crate::eval::java::date_format::{Locale, Zone};
use crate::eval::{Context, Limits, NoVariables, Program, Services, Value, compile};
use crate::functions::FAMILIES;
use crate::functions::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What every front end evaluates through.
#[derive(Clone)]
pub struct Engine {
    /// All functions.
    pub registry: Arc<Registry>,
    /// The world that expressions see; front ends put their variables into a copy of it.
    pub context: Context,
}

impl Engine {
    /// An engine without configuration: system clock, UTC, en_US, default limits.
    pub fn bare() -> Engine {
        let registry = Arc::new(Registry::new(FAMILIES, |_| Ok(Vec::new())));
        let context = Context {
            variables: Arc::new(NoVariables),
            functions: registry.clone(),
            globals: Arc::default(),
            clock: Arc::new(SystemClock),
            zone: Zone::utc(),
            locale: Arc::new(Locale::default()),
            limits: Limits::default(),
            cancel: Arc::new(AtomicBool::new(false)),
            deadline: None,
            services: Services::default(),
        };
        Engine { registry, context }
    }

    /// Compiles one expression. Errors: E01xx and E03xx with their places.
    pub fn compile(&self, expression: &str) -> Outcome<Arc<Program>> {
        compile(&Arc::new(Source::expression(expression)), &self.context)
    }

    /// Compiles and evaluates one expression with the context's variables.
    pub fn evaluate(&self, expression: &str) -> Outcome<Value> {
        self.compile(expression)?.evaluate(&self.context)
    }
}
