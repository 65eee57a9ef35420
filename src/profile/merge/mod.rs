//! Two partial states of one entity and period become one: what messages that came late add to what is there already.
//!
//! How a variable is joined follows from the expressions that set it. Each must begin anew in `init`, so that it holds
//! nothing of other periods, and grow in `update` in a way that does not depend on the order of the messages: as a
//! sum, a least or largest value, a flag, or something that the language can merge, such as statistics or a sketch.

mod rule;
#[cfg(test)]
mod tests;

use super::definition::{Definition, Role};
use crate::diagnostic::Outcome;
use crate::eval::{Context, Program, Value};
use crate::syntax::ExprKind;
use smol_str::SmolStr;
use std::sync::Arc;

pub use rule::moving_group;

/// How the partial states of a profile are joined.
pub struct Merge {
    /// In the order of [`Definition::variables`].
    rules: Vec<Rule>,
    /// The variable that `result` gives as it is.
    result: Option<usize>,
}

/// How a variable is joined.
enum Rule {
    /// Both states have the same value.
    Either,
    /// An expression over `left` and `right`.
    Join(Arc<Program>),
}

/// Why a profile cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The variable that stands in the way.
    pub variable: SmolStr,
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// It cannot be read; that is said elsewhere.
    Broken,
    /// It goes on from the last period.
    NoInit,
    /// `init` gives more than something empty.
    Begun(&'static str),
    /// `init` depends on the message that comes first.
    First,
    /// Its value is that of the last message.
    Last,
    /// It is built on other variables.
    Others(SmolStr),
    /// Nothing is known about how it grows.
    Unknown,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.variable;
        match &self.why {
            Why::Broken => write!(f, "{name} is set by an expression that cannot be read"),
            Why::NoInit => write!(f, "{name} holds what earlier periods left in it"),
            Why::Begun(empty) => write!(f, "{name} does not begin as {empty}"),
            Why::First => write!(f, "{name} begins with something of the first message"),
            Why::Last => write!(f, "{name} holds what the last message gave"),
            Why::Others(other) => write!(f, "{name} is built on {other}"),
            Why::Unknown => write!(
                f,
                "nothing is known about how two values of {name} are joined"
            ),
        }
    }
}

impl Reason {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        let name = &self.variable;
        match &self.why {
            Why::NoInit => Some(format!("set {name} in init")),
            Why::Begun(empty) => Some(format!("write {empty} into init")),
            Why::Unknown => Some(
                "sums, MAX, MIN, and, or, STATS_ADD, HLLP_ADD, BLOOM_ADD, SET_ADD, MULTISET_ADD and SAMPLE_ADD on the variable itself can be joined"
                    .to_string(),
            ),
            _ => None,
        }
    }
}

impl Merge {
    /// Finds out how the states of a profile are joined. Errors: every variable that cannot be.
    pub fn of(definition: &Definition, context: &Context) -> Result<Merge, Vec<Reason>> {
        let variables = definition.variables();
        let mut rules = Vec::with_capacity(variables.len());
        let mut reasons = Vec::new();
        for variable in &variables {
            match rule::of(definition, variable, &variables, context) {
                Ok(rule) => rules.push(rule),
                Err(why) => reasons.push(Reason {
                    variable: variable.clone(),
                    why,
                }),
            }
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let plain = definition
            .expressions()
            .find(|(role, _)| *role == Role::Result)
            .and_then(|(_, expression)| expression.tree(context).ok()?);
        let result = plain.and_then(|tree| match &tree.inner().kind {
            ExprKind::Name(name) => variables.iter().position(|v| v == name),
            _ => None,
        });
        Ok(Merge { rules, result })
    }

    /// Joins two states, each with its values in the order of [`Definition::variables`]. Neither is changed; what one
    /// of them has not got (null) comes from the other. Errors: those of the functions that join, such as sketches of
    /// different precision.
    pub fn states(
        &self,
        left: &[Value],
        right: &[Value],
        context: &Context,
    ) -> Outcome<Vec<Value>> {
        let rules = self.rules.iter().enumerate();
        rules
            .map(|(i, rule)| {
                let side = |state: &[Value]| state.get(i).cloned().unwrap_or(Value::Null);
                rule.join(side(left), side(right), context)
            })
            .collect()
    }

    /// Joins two measured values, where the profile's `result` is one of its variables as it is; `None` where it is
    /// not, since the value does not tell the state then. Errors: as [`Merge::states`].
    pub fn values(&self, left: Value, right: Value, context: &Context) -> Outcome<Option<Value>> {
        let rule = self.result.and_then(|index| self.rules.get(index));
        rule.map(|rule| rule.join(left, right, context)).transpose()
    }
}

impl Rule {
    fn join(&self, left: Value, right: Value, context: &Context) -> Outcome<Value> {
        if left.is_null() {
            return Ok(right);
        }
        let program = match self {
            Rule::Join(program) if !right.is_null() => program,
            _ => return Ok(left),
        };
        let slots: Vec<Value> = program
            .variables
            .iter()
            .map(|name| match name.as_str() {
                rule::LEFT => left.clone(),
                _ => right.clone(),
            })
            .collect();
        program.run(context, &slots)
    }
}
