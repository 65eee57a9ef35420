//! Expressions over the fields of events.

use super::event::Event;
use super::record::Record;
use super::step::Now;
use super::yaml::{Kind, Node};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use crate::eval::collections::{Entries, Map, MapKind};
use crate::eval::convert::condition;
use crate::eval::{Clock, Context, NoVariables, Program, Value, compile, look_up, own};
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::cell::Cell;
use std::sync::Arc;

/// Values that expressions see beside the fields of an event, by name; they hide fields.
pub type Given = [(SmolStr, Value)];

thread_local! {
    /// The moment of the event that this thread works on.
    static MOMENT: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Gives the moment of the event, and outside of any the time of another clock.
#[derive(Debug)]
struct EventClock(Arc<dyn Clock>);

impl Clock for EventClock {
    fn now(&self) -> i64 {
        MOMENT.get().unwrap_or_else(|| self.0.now())
    }
}

/// The world that expressions of steps see: no variables but fields, and the clock of the pipeline.
#[derive(Clone)]
pub struct World(Context);

impl World {
    /// The world of a pipeline.
    pub fn new(context: &Context) -> World {
        let mut context = context.with_variables(Arc::new(NoVariables));
        context.clock = Arc::new(EventClock(context.clock.clone()));
        World(context)
    }

    /// The context at a moment.
    pub fn at(&self, now: Now) -> &Context {
        MOMENT.set(Some(now.0));
        &self.0
    }

    /// The context for work that does not come with an event.
    pub fn context(&self) -> &Context {
        MOMENT.set(None);
        &self.0
    }
}

/// Where the value of a variable stands.
enum Origin {
    Given(Value),
    /// A name without points.
    Field(SmolStr),
    /// A name that may lead into maps.
    Path(SmolStr),
    /// `_`
    Whole,
}

impl Origin {
    fn of(name: &SmolStr, given: &Given) -> Origin {
        if let Some((_, value)) = given.iter().rev().find(|(known, _)| known == name) {
            return Origin::Given(value.clone());
        }
        match name.as_str() {
            "_" => Origin::Whole,
            dotted if dotted.contains('.') => Origin::Path(name.clone()),
            _ => Origin::Field(name.clone()),
        }
    }

    fn value(&self, record: &Record) -> Value {
        match self {
            Origin::Given(value) => value.clone(),
            Origin::Field(name) => record.get(name).cloned().unwrap_or_default(),
            Origin::Path(name) => field(record, name).unwrap_or_default(),
            Origin::Whole => Value::Map(whole(record)),
        }
    }
}

/// The value of a name: a field, or what lies below one, as `map` and `filter` find it.
pub fn field(record: &Record, name: &str) -> Option<Value> {
    let get = |name: &str| record.get(name).cloned();
    look_up(name, get).or_else(|| look_up(name.strip_prefix("_.")?, get))
}

/// The record as a map that cannot be changed.
pub fn whole(record: &Record) -> Map {
    let entries: Entries = record.iter().cloned().collect();
    Map::new(MapKind::View, entries)
}

/// An expression that is ready to run on events.
pub struct Expression {
    how: How,
    pure: bool,
    /// Whether it asks servers, and may be evaluated ahead for what it asks.
    asks: bool,
}

enum How {
    Constant(Value),
    /// The value of a variable.
    Variable(Origin),
    Program {
        program: Arc<Program>,
        origins: Box<[Origin]>,
        /// Whether it may change collections, which other events may share.
        copies: bool,
    },
}

impl Expression {
    /// Compiles what stands at a node: the text of an expression. Errors: what is wrong with it, at its place.
    pub fn new(node: &Node, given: &Given, world: &World) -> Outcome<Expression> {
        match node.as_text() {
            Some(text) => Expression::of(text, given, world).map_err(|fault| placed(fault, node)),
            None => Err(Diagnostic::at(
                Code::BadPipeline,
                node.span,
                format!("an expression is a text, not {}", node.in_words()),
            )),
        }
    }

    /// As [`Expression::new`]; what is no text is a constant.
    pub fn or_constant(node: &Node, given: &Given, world: &World) -> Outcome<Expression> {
        match &node.kind {
            Kind::Scalar(value) if value.as_text().is_none() => Ok(Expression {
                how: How::Constant(value.clone()),
                pure: true,
                asks: false,
            }),
            Kind::Scalar(_) => Expression::new(node, given, world),
            _ => Err(Diagnostic::at(
                Code::BadPipeline,
                node.span,
                format!("an expression is a text, not {}", node.in_words()),
            )
            .help("lists and maps are written as in the language: \"[a, 'b']\"")),
        }
    }

    /// Compiles a text. Errors: the first thing that is wrong with it, with places in it.
    fn of(text: &str, given: &Given, world: &World) -> Outcome<Expression> {
        let program = compile(&Arc::new(Source::expression(text)), world.context())?;
        if let Some(problem) = program.problems.first() {
            return Err(problem.clone().in_source(&program.source));
        }
        let effects = program.effects();
        let origins: Vec<Origin> = program
            .variables
            .iter()
            .map(|name| Origin::of(name, given))
            .collect();
        let how = match (program.constant(), program.variable()) {
            (Some(value), _) => How::Constant(value.clone()),
            (_, Some(_)) if origins.len() == 1 => origins
                .into_iter()
                .next()
                .map_or(How::Constant(Value::Null), How::Variable),
            _ => How::Program {
                program,
                origins: origins.into(),
                copies: !effects.borrows,
            },
        };
        Ok(Expression {
            how,
            pure: effects.pure,
            asks: effects.asks && effects.repeats,
        })
    }

    /// The names of the fields it reads; a name with points may lead into maps.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let origins = match &self.how {
            How::Constant(_) => &[][..],
            How::Variable(origin) => std::slice::from_ref(origin),
            How::Program { origins, .. } => origins,
        };
        origins.iter().filter_map(|origin| match origin {
            Origin::Field(name) | Origin::Path(name) => Some(name.as_str()),
            Origin::Given(_) | Origin::Whole => None,
        })
    }

    /// Whether its value depends on the fields alone and evaluating it changes nothing.
    pub fn is_pure(&self) -> bool {
        self.pure
    }

    /// Whether it asks servers, changes nothing, and may be evaluated ahead for what it asks.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// Its value for a record. Errors: why it has none.
    #[inline]
    pub fn run(&self, record: &Record, context: &Context) -> Result<Value, String> {
        match &self.how {
            How::Constant(value) => Ok(value.clone()),
            How::Variable(origin) => Ok(origin.value(record)),
            How::Program {
                program,
                origins,
                copies,
            } => {
                let mut slots: SmallVec<[Value; 8]> =
                    origins.iter().map(|origin| origin.value(record)).collect();
                if *copies {
                    slots.iter_mut().for_each(own);
                }
                program.run(context, &slots).map_err(|fault| why(&fault))
            }
        }
    }

    /// Whether it holds for a record. Errors: also a value that is neither true nor false.
    #[inline]
    pub fn holds(&self, record: &Record, context: &Context) -> Result<bool, String> {
        let value = self.run(record, context)?;
        condition(&value).ok_or_else(|| {
            let found = value.kind_in_words();
            format!("the condition gives {found} instead of true or false")
        })
    }

    /// Its value as a text. Errors: also a value that is none.
    pub fn text(&self, what: &str, event: &Event, context: &Context) -> Result<SmolStr, String> {
        match self.run(&event.record, context)? {
            Value::Text(text) => Ok(text),
            other => Err(format!("{what} is {}, not a text", other.kind_in_words())),
        }
    }
}

/// Why an expression failed, in one line, with its place.
fn why(fault: &Fault) -> String {
    let code = fault.code.name();
    match fault.position() {
        Some(at) if at.line > 1 => {
            let (line, column) = (at.line, at.column);
            format!("{} ({code}, line {line}, column {column})", fault.message)
        }
        Some(at) => format!("{} ({code}, column {})", fault.message, at.column),
        None => format!("{} ({code})", fault.message),
    }
}

/// The fault of an expression where it stands in the file.
pub fn placed(mut fault: Fault, node: &Node) -> Fault {
    let text = node.as_text().unwrap_or_default();
    let length = node.span.end - node.span.start;
    // As it stands, or between quotes; texts that were written otherwise have no place of their own inside.
    let shift = match length.checked_sub(text.len()) {
        Some(0) => Some(node.span.start),
        Some(2) => Some(node.span.start + 1),
        _ => None,
    };
    let moved = |span: Span, shift: usize| Span::new(span.start + shift, span.end + shift);
    let inside = fault.position();
    fault.source = None;
    fault.fix = None;
    fault.related.retain(|label| label.source.is_none());
    match (shift, fault.span) {
        (Some(shift), Some(span)) => {
            fault.span = Some(moved(span, shift));
            for label in &mut fault.related {
                label.span = moved(label.span, shift);
            }
            fault
        }
        (_, span) => {
            fault.span = Some(node.span);
            fault.related.clear();
            match inside.filter(|_| span.is_some()) {
                Some(at) => {
                    let (line, column) = (at.line, at.column);
                    fault.note(format!(
                        "it is in line {line}, column {column} of the expression"
                    ))
                }
                None => fault,
            }
        }
    }
}
