//! Expressions of profiles, ready to run: each variable knows where its value stands.

use super::message::{Fields, Row};
use crate::diagnostic::{Fault, Outcome};
use crate::eval::collections::{Entries, Map, MapKind};
use crate::eval::{Context, Program, Value, look_up};
use crate::profile::definition::Expression;
use smol_str::SmolStr;
use std::sync::Arc;

/// What an expression of a profile may see, when it is compiled.
pub(in crate::profile) struct Names<'a> {
    /// The variables of the profile.
    pub state: &'a [SmolStr],
    /// The fields of messages, if it sees any.
    pub fields: Option<&'a mut Fields>,
    /// Further names.
    pub extra: &'a [&'static str],
}

/// The same when it runs.
#[derive(Clone, Copy)]
pub(in crate::profile) struct Sight<'a> {
    /// The variables of the profile.
    pub state: &'a [Value],
    /// Their names.
    pub names: &'a [SmolStr],
    /// The message.
    pub message: Row<'a>,
    /// Further names with their values.
    pub extra: &'a [(&'static str, Value)],
}

/// Where the value of a variable stands.
enum Origin {
    /// Nowhere: it is null.
    Nothing,
    State(usize),
    Field(usize),
    Extra(usize),
    /// The first that is not null.
    First(Box<[Step]>),
    /// `_`
    Whole,
}

/// A place of which the value may be null.
enum Step {
    At(Origin),
    /// Inside of a map that a variable holds.
    Below(usize, SmolStr),
}

impl Origin {
    /// Where `name` is found: a variable hides a field, and a path through a variable's maps comes last.
    fn of(name: &str, names: &mut Names<'_>) -> Origin {
        if name == "_" {
            if let Some(fields) = &mut names.fields {
                fields.whole = true;
            }
            return Origin::Whole;
        }
        let name = name.strip_prefix("_.").unwrap_or(name);
        let mut steps = Vec::new();
        let mut at = |origin| steps.push(Step::At(origin));
        if let Some(i) = names.state.iter().position(|n| n == name) {
            at(Origin::State(i));
        }
        if let Some(fields) = &mut names.fields {
            at(Origin::Field(fields.place(name)));
        }
        if let Some(i) = names.extra.iter().position(|n| *n == name) {
            at(Origin::Extra(i));
        }
        if let Some((first, rest)) = name.split_once('.')
            && let Some(i) = names.state.iter().position(|n| n == first)
        {
            steps.push(Step::Below(i, SmolStr::new(rest)));
        }
        match (steps.pop(), steps.is_empty()) {
            (None, _) => Origin::Nothing,
            (Some(Step::At(only)), true) => only,
            (Some(last), _) => {
                steps.push(last);
                Origin::First(steps.into())
            }
        }
    }

    #[inline]
    fn value(&self, sight: Sight<'_>) -> Value {
        match self {
            Origin::First(steps) => first(steps, sight),
            Origin::Whole => whole(sight),
            plain => plain.look(sight).cloned().unwrap_or(Value::Null),
        }
    }

    /// The value where it stands; `None` when it must be made.
    #[inline]
    fn look<'a>(&self, sight: Sight<'a>) -> Option<&'a Value> {
        match self {
            Origin::State(i) => sight.state.get(*i),
            Origin::Field(i) => Some(sight.message.get(*i)),
            Origin::Extra(i) => sight.extra.get(*i).map(|(_, value)| value),
            _ => None,
        }
    }
}

fn first(steps: &[Step], sight: Sight<'_>) -> Value {
    for step in steps {
        let value = match step {
            Step::At(origin) => origin.look(sight).cloned(),
            Step::Below(i, rest) => sight.state.get(*i).and_then(|value| match value {
                Value::Map(map) => look_up(rest, |name| map.get_text(name)),
                _ => None,
            }),
        };
        match value {
            None | Some(Value::Null) => {}
            Some(value) => return value,
        }
    }
    Value::Null
}

/// `_`: every name that is seen, with a value; it cannot be changed.
#[cold]
fn whole(sight: Sight<'_>) -> Value {
    let mut entries = Entries::default();
    let state = sight.names.iter().zip(sight.state);
    for (name, value) in state.filter(|(_, value)| !value.is_null()) {
        entries.insert(Value::Text(name.clone()), value.clone());
    }
    if let Some(message) = sight.message.whole() {
        if entries.is_empty() {
            return Value::Map(message.clone());
        }
        for (name, value) in message.entries() {
            entries.entry(name).or_insert(value);
        }
    }
    for (name, value) in sight.extra {
        let name = Value::Text(SmolStr::new_static(name));
        entries.entry(name).or_insert_with(|| value.clone());
    }
    Value::Map(Map::new(MapKind::View, entries))
}

/// An expression that is ready to run.
pub(in crate::profile) struct Ready {
    /// Its number among the expressions of the profile.
    pub number: usize,
    how: How,
}

enum How {
    Constant(Value),
    Variable(Origin),
    Program(Arc<Program>, Box<[Origin]>),
    /// The fault of its syntax, raised whenever it is reached.
    Broken(Fault),
}

impl Ready {
    /// Compiles an expression. One that is malformed fails when it runs.
    pub fn new(
        number: usize,
        expression: &Expression,
        names: &mut Names<'_>,
        context: &Context,
    ) -> Ready {
        let how = match expression.compile(context) {
            Err(fault) => How::Broken(fault),
            Ok(program) => {
                let origins: Box<[Origin]> = program
                    .variables
                    .iter()
                    .map(|name| Origin::of(name, names))
                    .collect();
                let only = program.variable().is_some() && origins.len() == 1;
                match (program.constant(), origins) {
                    (Some(value), _) => How::Constant(value.clone()),
                    (None, origins) if only => {
                        How::Variable(origins.into_iter().next().unwrap_or(Origin::Nothing))
                    }
                    (None, origins) => How::Program(program, origins),
                }
            }
        };
        Ready { number, how }
    }

    /// The fields of messages that it reads, and whether it reads the whole message.
    pub fn reads(&self, fields: &mut Vec<usize>) -> bool {
        let mut whole = false;
        let mut see = |origin: &Origin| match origin {
            Origin::Field(i) => fields.push(*i),
            Origin::Whole => whole = true,
            Origin::First(steps) => fields.extend(steps.iter().filter_map(|step| match step {
                Step::At(Origin::Field(i)) => Some(*i),
                _ => None,
            })),
            _ => {}
        };
        match &self.how {
            How::Variable(origin) => see(origin),
            How::Program(_, origins) => origins.iter().for_each(see),
            How::Constant(_) | How::Broken(_) => {}
        }
        whole
    }

    /// Whether it is always true.
    pub fn is_true(&self) -> bool {
        matches!(self.how, How::Constant(Value::Bool(true)))
    }

    /// The value where it stands already.
    #[inline]
    pub fn look<'a>(&'a self, sight: Sight<'a>) -> Option<&'a Value> {
        match &self.how {
            How::Variable(origin) => origin.look(sight),
            How::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Evaluates it; `slots` is memory to work in.
    pub fn run(
        &self,
        sight: Sight<'_>,
        slots: &mut Vec<Value>,
        context: &Context,
    ) -> Outcome<Value> {
        match &self.how {
            How::Program(program, origins) => {
                slots.clear();
                slots.extend(origins.iter().map(|origin| origin.value(sight)));
                let result = program.run(context, slots);
                slots.clear();
                result
            }
            How::Constant(value) => Ok(value.clone()),
            How::Variable(origin) => Ok(origin.value(sight)),
            How::Broken(fault) => Err(fault.clone()),
        }
    }
}
