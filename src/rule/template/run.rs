//! Renders a template.

use super::functions::Function;
use super::item::Item;
use super::tree::{Command, Control, Node, Pipe, Term, TermKind};
use super::{Limits, MAX_CALLS, Problem, STACK_LEFT, STACK_MORE, Template};
use crate::diagnostic::{Code, Span};
use crate::eval::Value;
use crate::eval::text::to_text;
use crate::rule::format::{self, Output};
use smol_str::SmolStr;
use std::sync::atomic::Ordering;

/// Between two looks at the clock.
const STEPS_BETWEEN: u64 = 256;

type Run<T> = Result<T, Problem>;

/// Whether a loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct State<'t> {
    template: &'t Template,
    limits: &'t Limits<'t>,
    out: Output,
    variables: Vec<(SmolStr, Item)>,
    steps: u64,
    calls: usize,
}

/// Renders a template over its dot.
pub(super) fn render(template: &Template, data: &Value, limits: &Limits<'_>) -> Run<String> {
    let dot = Item::from(data.clone()).out_of_pipe();
    let mut state = State {
        template,
        limits,
        out: Output::new(limits.output),
        variables: vec![(SmolStr::new_static("$"), dot.clone())],
        steps: 0,
        calls: 0,
    };
    state.list(&template.root, &dot)?;
    let text = state.out.finish();
    Ok(String::from_utf8(text)
        .unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()))
}

impl<'t> State<'t> {
    fn step(&mut self, span: Span) -> Run<()> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            let what = format!("the template takes more than {} steps", self.limits.steps);
            return Err(Problem::limit(Code::Steps, span, what));
        }
        if self.steps % STEPS_BETWEEN == 1 {
            if self.limits.late.is_some_and(|late| late()) {
                return Err(Problem::limit(
                    Code::Timeout,
                    span,
                    "the template took too long",
                ));
            }
            let cancelled = self.limits.cancel.as_ref();
            if cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Err(Problem::limit(Code::Interrupted, span, "interrupted"));
            }
        }
        Ok(())
    }

    fn fits(&self, span: Span) -> Run<()> {
        match self.out.is_over() {
            true => {
                let most = self.limits.output;
                let what = format!("the rendered text is longer than {most} bytes");
                Err(Problem::limit(Code::StringLength, span, what))
            }
            false => Ok(()),
        }
    }

    fn list(&mut self, nodes: &'t [Node], dot: &Item) -> Run<Flow> {
        stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
            for node in nodes {
                let flow = self.node(node, dot)?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
            }
            Ok(Flow::Next)
        })
    }

    fn node(&mut self, node: &'t Node, dot: &Item) -> Run<Flow> {
        match node {
            Node::Text(text) => {
                self.out.push(text.as_bytes());
                self.fits(Span::default())?;
                Ok(Flow::Next)
            }
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    match value {
                        Item::Missing => self.out.push(b"<no value>"),
                        Item::Text(text) => self.out.push(text.as_bytes()),
                        other => format::print(&mut self.out, &[other.arg()]),
                    }
                    self.fits(pipe.span)?;
                }
                Ok(Flow::Next)
            }
            Node::If(control) => self.condition(control, dot, false),
            Node::With(control) => self.condition(control, dot, true),
            Node::Range(control) => self.range(control, dot),
            Node::Call(name, pipe, span) => {
                self.call(name, pipe.as_ref(), *span, dot)?;
                Ok(Flow::Next)
            }
            Node::Break => Ok(Flow::Break),
            Node::Continue => Ok(Flow::Continue),
        }
    }

    fn condition(&mut self, control: &'t Control, dot: &Item, with: bool) -> Run<Flow> {
        let known = self.variables.len();
        let value = self.pipe(&control.pipe, dot)?;
        let flow = if value.truth() {
            self.list(&control.body, if with { &value } else { dot })?
        } else {
            match &control.otherwise {
                Some(nodes) => self.list(nodes, dot)?,
                None => Flow::Next,
            }
        };
        self.variables.truncate(known);
        Ok(flow)
    }

    fn range(&mut self, control: &'t Control, dot: &Item) -> Run<Flow> {
        let known = self.variables.len();
        let span = control.pipe.span;
        let value = self.pipe(&control.pipe, dot)?;
        let rounds: Box<dyn Iterator<Item = (Item, Item)>> = match &value {
            Item::Int(_) | Item::Byte(_) if control.pipe.variables.len() > 1 => {
                let what = "a number gives one variable a value, not two";
                return Err(Problem::new(span, what));
            }
            Item::Int(number) => {
                Box::new((0..*number).map(|number| (Item::Missing, Item::Int(number))))
            }
            Item::Byte(number) => {
                Box::new((0..*number).map(|number| (Item::Missing, Item::Byte(number))))
            }
            Item::Missing | Item::Nil => Box::new(std::iter::empty()),
            Item::Value(Value::Map(map)) => {
                let mut entries: Vec<(SmolStr, Value)> = map
                    .entries()
                    .into_iter()
                    .map(|(key, value)| (to_text(&key), value))
                    .collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                let rounds = entries.into_iter();
                Box::new(rounds.map(|(key, value)| (Item::Text(key), Item::from(value))))
            }
            other => match other.elements() {
                Some(elements) => {
                    let rounds = elements.into_iter().zip(0i64..);
                    Box::new(rounds.map(|(value, i)| (Item::Int(i), Item::from(value))))
                }
                None => {
                    let what = format!("range cannot go through {}", other.kind());
                    return Err(Problem::new(span, what));
                }
            },
        };
        let mark = self.variables.len();
        let mut any = false;
        for (key, element) in rounds {
            any = true;
            self.step(span)?;
            match control.pipe.variables.as_slice() {
                [] => {}
                [one] => self.round(&control.pipe, one, 1, &element),
                [first, second, ..] => {
                    self.round(&control.pipe, first, 2, &key);
                    self.round(&control.pipe, second, 1, &element);
                }
            }
            let flow = self.list(&control.body, &element)?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        let mut flow = Flow::Next;
        if !any && let Some(nodes) = &control.otherwise {
            flow = self.list(nodes, dot)?;
        }
        self.variables.truncate(known);
        Ok(flow)
    }

    /// Gives a variable of a range its value for one round.
    fn round(&mut self, pipe: &Pipe, name: &SmolStr, from_top: usize, value: &Item) {
        if pipe.assigns {
            self.assign(name, value.clone());
        } else {
            let place = self.variables.len().checked_sub(from_top);
            if let Some((_, old)) = place.and_then(|place| self.variables.get_mut(place)) {
                *old = value.clone();
            }
        }
    }

    fn assign(&mut self, name: &SmolStr, value: Item) {
        let found = self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| known == name);
        if let Some((_, old)) = found {
            *old = value;
        }
    }

    fn call(&mut self, name: &str, pipe: Option<&'t Pipe>, span: Span, dot: &Item) -> Run<()> {
        let template = self.template;
        let Some(nodes) = template.named(name) else {
            let what = format!("there is no template {name:?}");
            return Err(Problem::new(span, what));
        };
        if self.calls >= MAX_CALLS {
            let what = format!("templates call one another more than {MAX_CALLS} deep");
            return Err(Problem::limit(Code::Nesting, span, what));
        }
        self.step(span)?;
        let dot = match pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Item::Missing,
        };
        let fresh = vec![(SmolStr::new_static("$"), dot.clone())];
        let variables = std::mem::replace(&mut self.variables, fresh);
        self.calls += 1;
        self.list(nodes, &dot)?;
        self.calls -= 1;
        self.variables = variables;
        Ok(())
    }

    fn pipe(&mut self, pipe: &'t Pipe, dot: &Item) -> Run<Item> {
        self.step(pipe.span)?;
        let mut value = None;
        for command in &pipe.commands {
            let next = self.command(command, dot, value.take())?;
            value = Some(next.out_of_pipe());
        }
        let value = value.unwrap_or(Item::Missing);
        for name in &pipe.variables {
            match pipe.assigns {
                true => self.assign(name, value.clone()),
                false => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn command(&mut self, command: &'t Command, dot: &Item, last: Option<Item>) -> Run<Item> {
        let word = &command.word;
        if let TermKind::Function(function) = word.kind {
            return stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
                self.function(function, word.span, &command.arguments, dot, last)
            });
        }
        let given = !command.arguments.is_empty() || last.is_some();
        if word.kind.is_nil() {
            return Err(Problem::new(word.span, "nil alone is no command"));
        }
        self.operand(word, dot, given)
    }

    /// The value of an operand; `given` says that arguments follow, which only functions take.
    fn operand(&mut self, term: &'t Term, dot: &Item, given: bool) -> Run<Item> {
        let (receiver, path) = match &term.kind {
            TermKind::Field(path) => (dot.clone(), path.as_slice()),
            TermKind::Variable(name, path) => (self.variable(name, term.span)?, path.as_slice()),
            TermKind::Chain(inner, path) => {
                let receiver = match inner.kind.is_nil() {
                    true => return Err(Problem::new(term.span, "nil has no fields")),
                    false => self.operand(inner, dot, false)?,
                };
                (receiver, path.as_slice())
            }
            _ if given && !matches!(term.kind, TermKind::Function(_)) => {
                return Err(no_function(term.span));
            }
            TermKind::Pipe(pipe) => {
                let value = stacker::maybe_grow(STACK_LEFT, STACK_MORE, || self.pipe(pipe, dot));
                return value;
            }
            TermKind::Function(function) => {
                return self.function(*function, term.span, &[], dot, None);
            }
            TermKind::Bool(truth) => return Ok(Item::Bool(*truth)),
            TermKind::Dot => return Ok(dot.clone()),
            TermKind::Nil => return Ok(Item::Missing),
            TermKind::Int(number) => return Ok(Item::Int(*number)),
            TermKind::Float(number) => return Ok(Item::Float(*number)),
            TermKind::Text(text) => return Ok(Item::Text(text.clone())),
        };
        let Some((last, before)) = path.split_last() else {
            return match given {
                true => Err(no_function(term.span)),
                false => Ok(receiver),
            };
        };
        let mut value = receiver;
        for name in before {
            value = field(&value, name, term.span, false)?;
        }
        field(&value, last, term.span, given)
    }

    fn variable(&self, name: &SmolStr, span: Span) -> Run<Item> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        match found {
            Some((_, value)) => Ok(value.clone()),
            // `$x := $x`
            None => Err(Problem::new(
                span,
                format!("the variable {name} has no value yet"),
            )),
        }
    }

    fn function(
        &mut self,
        function: Function,
        span: Span,
        arguments: &'t [Term],
        dot: &Item,
        last: Option<Item>,
    ) -> Run<Item> {
        self.step(span)?;
        let count = arguments.len() + usize::from(last.is_some());
        let wrong = |what: String| Problem::new(span, what);
        function.check_count(count).map_err(wrong)?;
        let mut values = Vec::with_capacity(count);
        for argument in arguments {
            let value = self.operand(argument, dot, false)?;
            let decides = match function {
                Function::And => !value.truth(),
                Function::Or => value.truth(),
                _ => false,
            };
            if decides {
                return Ok(value);
            }
            values.push(value);
        }
        values.extend(last);
        let called = function.call(&values, self.limits.output);
        called.map_err(wrong)
    }
}

fn no_function(span: Span) -> Problem {
    Problem::new(span, "this is no function and takes no arguments")
}

/// A field of a value.
fn field(value: &Item, name: &SmolStr, span: Span, given: bool) -> Run<Item> {
    match value {
        Item::Missing => Ok(Item::Missing),
        Item::Nil => {
            let what = format!("{name} is to be a field of null");
            Err(Problem::new(span, what).help("ask before: {{ if .a }}{{ .a.b }}{{ end }}"))
        }
        Item::Value(Value::Map(map)) => match given {
            true => Err(Problem::new(
                span,
                format!("{name} is a field, not a function"),
            )),
            false => Ok(map.get_text(name).map_or(Item::Missing, Item::from)),
        },
        other => {
            let what = format!("{name} is to be a field of {}", other.kind());
            Err(Problem::new(span, what))
        }
    }
}

impl TermKind {
    fn is_nil(&self) -> bool {
        matches!(self, TermKind::Nil)
    }
}
