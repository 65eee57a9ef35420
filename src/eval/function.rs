//! How the interpreter sees functions: built-in ones and those defined in the language.

use super::context::Context;
use super::interpret::Machine;
use super::lambda::{Definition, Lambda};
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::syntax::Expr;
use smallvec::SmallVec;
use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

/// The arguments of a call.
pub type Arguments = SmallVec<[Value; 4]>;

/// What a function made ready from its literal arguments when the expression was compiled.
pub type Prepared = Arc<dyn Any + Send + Sync>;

/// Makes a [`Prepared`] from those arguments that are literals (`None` for the others).
pub type Prepare = fn(&[Option<&Value>], &Context) -> Outcome<Option<Prepared>>;

/// Adds what is legal in the arguments of a call and hardly meant.
pub type Lint = fn(&[Expr], &Context, &mut Vec<Fault>);

/// A built-in function as the compiler and the interpreter need it.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// The least number of arguments.
    pub least: usize,
    /// The most arguments that have a meaning; more are ignored.
    pub most: usize,
    /// Whether more arguments are refused instead.
    pub strict: bool,
    /// Whether the result depends on the arguments alone and nothing changes.
    pub pure: bool,
    /// Whether the function neither keeps, returns nor changes collections among its arguments.
    pub borrows: bool,
    /// Whether it asks a server, and better for many events at a time.
    pub asks: bool,
    /// Whether calling it twice does what calling it once does.
    pub repeats: bool,
    /// Whether callers who may only read are refused.
    pub guarded: bool,
    /// Work done once for literal arguments.
    pub prepare: Option<Prepare>,
    /// What else is to be said about how a call is written.
    pub lint: Option<Lint>,
    /// The function.
    pub run: fn(&mut Call<'_, '_>) -> Outcome<Value>,
}

/// Finds functions by name.
pub trait Functions: Send + Sync {
    /// A built-in function.
    fn builtin(&self, name: &str) -> Option<Builtin>;
    /// A function defined in the language. Errors: a library file that does not parse.
    fn defined(&self, name: &str, context: &Context) -> Outcome<Option<Arc<Definition>>>;
    /// The existing name nearest to one that does not exist.
    fn nearest(&self, name: &str) -> Option<String>;
    /// Words to say instead of "unknown function", with a hint, for names that are known but not here.
    fn unavailable(&self, _name: &str) -> Option<(String, String)> {
        None
    }
}

/// A running call of a built-in.
pub struct Call<'c, 'm> {
    /// The function's name.
    pub name: &'static str,
    /// The arguments.
    pub arguments: Arguments,
    pub(super) prepared: Option<&'c Prepared>,
    pub(super) machine: &'c Machine<'m>,
}

const NULL: &Value = &Value::Null;

impl Call<'_, '_> {
    /// The world of this evaluation.
    pub fn context(&self) -> &Context {
        self.machine.run.context
    }

    /// The argument at `index`; null when it was not given.
    #[inline]
    pub fn arg(&self, index: usize) -> &Value {
        self.arguments.get(index).unwrap_or(NULL)
    }

    /// The argument at `index`, leaving null in its place.
    pub fn take(&mut self, index: usize) -> Value {
        self.arguments
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or(Value::Null)
    }

    /// How many arguments were given.
    pub fn count(&self) -> usize {
        self.arguments.len()
    }

    /// What was prepared when the expression was compiled.
    pub fn prepared<T: 'static>(&self) -> Option<&T> {
        self.prepared.and_then(|p| p.downcast_ref())
    }

    /// Calls a lambda. Missing arguments are null, extra ones ignored.
    pub fn invoke(&self, lambda: &Arc<Lambda>, arguments: &[Value]) -> Outcome<Value> {
        self.machine.invoke(lambda, arguments)
    }

    /// Counts work that a function does in a loop of its own, and stops it when cancelled or too long.
    pub fn step(&self) -> Outcome<()> {
        self.machine.run.step()
    }

    /// When what this call waits for must have answered.
    pub fn deadline(&self) -> Option<Instant> {
        let context = self.context();
        let time = context.limits.time;
        let own = (!time.is_zero()).then(|| Instant::now() + time);
        match (context.deadline, own) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The error for an argument of a wrong type.
    #[cold]
    pub fn wrong_type(&self, index: usize, expected: &str) -> Fault {
        let found = self.arg(index).kind_in_words();
        let message = format!(
            "{} expects {expected} as its {} argument, not {found}",
            self.name,
            ordinal(index)
        );
        Diagnostic::new(Code::ArgumentType, message)
            .of_argument(index)
            .labelled(format!("this is {found}"))
    }

    /// The error for an argument whose value is impossible.
    #[cold]
    pub fn wrong_value(&self, index: usize, message: impl std::fmt::Display) -> Fault {
        Diagnostic::new(Code::ArgumentValue, format!("{}: {message}", self.name)).of_argument(index)
    }

    /// The error for a wrong number of arguments.
    #[cold]
    pub fn wrong_count(&self, expected: &str) -> Fault {
        wrong_count(self.name, expected, self.count())
    }
}

/// Puts the function's name before a complaint about its arguments that does not say it.
#[cold]
pub(super) fn named(mut fault: Fault, name: &str) -> Fault {
    let about_arguments = matches!(fault.code, Code::ArgumentType | Code::ArgumentValue);
    if about_arguments && fault.span.is_none() && !fault.message.contains(name) {
        fault.message = format!("{name}: {}", fault.message);
    }
    fault
}

/// The error for a wrong number of arguments.
pub fn wrong_count(name: &str, expected: &str, given: usize) -> Fault {
    let given = match given {
        0 => "none was given".to_string(),
        1 => "1 was given".to_string(),
        n => format!("{n} were given"),
    };
    Diagnostic::new(
        Code::ArgumentCount,
        format!("{name} expects {expected}, {given}"),
    )
}

/// `first`, `second`, …
pub fn ordinal(index: usize) -> String {
    match index {
        0 => "first".into(),
        1 => "second".into(),
        2 => "third".into(),
        3 => "fourth".into(),
        n => format!("{}th", n + 1),
    }
}
