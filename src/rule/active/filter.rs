//! Filters of the stream: expressions over the event, which decide whether a rule sees it.

use crate::diagnostic::{Code, Diagnostic, Outcome, Source};
use crate::eval::convert::condition;
use crate::eval::{Context, Program, Value, compile, look_up, own};
use crate::rule::event::Event;
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;

/// How long a filter may take for an event.
pub const TIME: Duration = Duration::from_millis(50);

/// A filter that is ready to run.
#[derive(Clone)]
pub struct Filter {
    name: SmolStr,
    expression: SmolStr,
    program: Arc<Program>,
    /// Whether it may change collections, which other rules see.
    copies: bool,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Filter({})", self.name)
    }
}

impl Filter {
    /// Compiles the expression of a filter; it may only read. Errors: E01xx and E03xx with their places, E0413.
    pub fn compile(name: &str, expression: &str, context: &Context) -> Outcome<Filter> {
        let source = Arc::new(Source::named(format!("filter {name}"), expression));
        let program = compile(&source, &reading(context))?;
        if let Some(problem) = program.problems.first() {
            return Err(problem.clone());
        }
        if expression.trim().is_empty() {
            let message = format!("the filter {name} has no expression");
            return Err(Diagnostic::new(Code::BadRule, message));
        }
        Ok(Filter {
            name: SmolStr::new(name),
            expression: SmolStr::new(expression),
            copies: !program.effects().borrows,
            program,
        })
    }

    /// Its name.
    pub fn name(&self) -> &SmolStr {
        &self.name
    }

    /// Its text.
    pub fn expression(&self) -> &SmolStr {
        &self.expression
    }

    /// Whether it lets an event through; `context` is one of [`reading`]. False, null and what is empty do not.
    /// Errors: the expression's, E0406.
    pub fn holds(&self, event: &Event, context: &Context) -> Outcome<bool> {
        let map = event.map();
        let get = |name: &str| match name {
            "_" => Some(Value::Map(map.clone())),
            name => map.get_text(name),
        };
        let names = self.program.variables.iter();
        let mut slots: SmallVec<[Value; 8]> = names
            .map(|name| look_up(name, get).unwrap_or_default())
            .collect();
        if self.copies {
            slots.iter_mut().for_each(own);
        }
        let value = self.program.run(context, &slots)?;
        condition(&value).ok_or_else(|| {
            let found = value.kind_in_words();
            let message = format!("the filter gives {found} instead of true or false");
            Diagnostic::new(Code::NotBoolean, message)
        })
    }
}

/// The context in which filters run: they change nothing that others see, and take little time.
pub fn reading(context: &Context) -> Context {
    let mut context = context.clone();
    context.only_reads = true;
    let time = context.limits.time;
    if time.is_zero() || time > TIME {
        context.limits.time = TIME;
    }
    context
}
