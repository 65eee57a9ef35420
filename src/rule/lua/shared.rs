//! What the functions of one rule share.

use super::grouping::Gathering;
use super::limits::{Guard, Stop};
use super::places::Place;
use super::{Now, Options};
use crate::diagnostic::Outcome;
use crate::rule::alert::Alert;
use crate::rule::grouper::Budget;
use crate::rule::layout::Layout;
use crate::rule::regexp::{self, Regexp};
use crate::rule::tables::Tables;
use crate::rule::template::Template;
use ahash::HashMap;
use smol_str::SmolStr;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// How many notes of a rule itself are kept until somebody takes them; as many again about it.
pub const NOTES: usize = 10_000;
/// How many bytes they may have together.
pub const NOTE_BYTES: usize = 1 << 20;
/// How many compiled expressions a rule keeps.
const EXPRESSIONS: usize = 256;
/// How many templates that were read a rule keeps.
const TEMPLATES: usize = 32;
/// How many bytes the expressions may take together.
const EXPRESSION_BYTES: usize = 32 << 20;

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// The rule said something itself: `log`, `print`.
    Log,
    /// A call failed.
    Error,
    /// A call was stopped at a limit.
    Stop,
    /// Something that is hardly meant.
    Warning,
}

/// Something that a rule said, or that was to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// The function of the rule: `on_logline`, `on_grouped`, or `load`.
    pub entry: SmolStr,
    /// The line of the rule, if it is known.
    pub line: Option<u32>,
    /// What there is to say.
    pub text: String,
}

/// Notes, as far as there is room.
#[derive(Default)]
pub(super) struct Journal {
    notes: Vec<Note>,
    bytes: usize,
    /// How many there was no room for.
    pub lost: u64,
}

impl Journal {
    pub fn push(&mut self, mut note: Note) {
        // What the rule says itself leaves room for what is to be said about it.
        let share = match note.kind {
            NoteKind::Log => 1,
            _ => 2,
        };
        let room = (NOTE_BYTES * share).saturating_sub(self.bytes);
        if self.notes.len() >= NOTES * share || room == 0 {
            self.lost += 1;
            return;
        }
        note.text
            .truncate(crate::diagnostic::floor(&note.text, room));
        self.bytes += note.text.len();
        self.notes.push(note);
    }

    pub fn take(&mut self) -> Vec<Note> {
        self.bytes = 0;
        std::mem::take(&mut self.notes)
    }
}

/// How often a function of the rule was called, and what became of it.
#[derive(Default)]
pub(super) struct Entry {
    pub name: SmolStr,
    pub calls: Cell<u64>,
    pub errors: Cell<u64>,
    pub stops: Cell<u64>,
    /// Nanoseconds of all calls and of the longest, when they are measured.
    pub total: Cell<u64>,
    pub longest: Cell<u64>,
}

impl Entry {
    pub fn named(name: &str) -> Rc<Entry> {
        Rc::new(Entry {
            name: SmolStr::new(name),
            ..Entry::default()
        })
    }

    /// Adds what the function did before.
    pub fn go_on(&self, before: &Entry) {
        for (cell, old) in [
            (&self.calls, &before.calls),
            (&self.errors, &before.errors),
            (&self.stops, &before.stops),
            (&self.total, &before.total),
        ] {
            add(cell, old.get());
        }
        self.longest
            .set(self.longest.get().max(before.longest.get()));
    }
}

pub(super) fn add(cell: &Cell<u64>, more: u64) {
    cell.set(cell.get().saturating_add(more));
}

/// What the functions of one rule share.
pub(super) struct Shared {
    pub name: SmolStr,
    pub guard: Guard,
    pub options: Options,
    pub tables: Arc<dyn Tables>,
    pub now: Now,
    pub budget: Arc<Budget>,
    pub alerts: RefCell<Vec<Alert>>,
    pub journal: RefCell<Journal>,
    pub entries: RefCell<Vec<Rc<Entry>>>,
    /// The functions that run, the innermost last.
    pub calls: RefCell<Vec<Rc<Entry>>>,
    pub groupers: RefCell<Vec<Rc<Gathering>>>,
    /// The bytes of events that the rule holds in its values.
    pub held: Rc<Cell<usize>>,
    /// The time of the latest event that had any, in milliseconds.
    pub time: Cell<Option<i64>>,
    /// How the time of an event is read for an alert.
    pub stamp: Layout,
    expressions: RefCell<Expressions>,
    templates: RefCell<HashMap<String, Rc<Template>>>,
}

#[derive(Default)]
struct Expressions {
    known: HashMap<SmolStr, Rc<Regexp>>,
    bytes: usize,
}

impl Shared {
    pub fn new(options: Options) -> Outcome<Shared> {
        Ok(Shared {
            name: options.name.clone(),
            guard: Guard::new(options.limits),
            tables: options.tables.clone(),
            now: options.now.clone(),
            budget: Arc::new(Budget::new(options.limits.groups)),
            alerts: RefCell::default(),
            journal: RefCell::default(),
            entries: RefCell::default(),
            calls: RefCell::default(),
            groupers: RefCell::default(),
            held: Rc::default(),
            time: Cell::new(None),
            stamp: Layout::new("")?,
            expressions: RefCell::default(),
            templates: RefCell::default(),
            options,
        })
    }

    /// The name of the function that runs.
    pub fn entry(&self) -> SmolStr {
        let calls = self.calls.borrow();
        calls
            .last()
            .map_or(SmolStr::new_static("load"), |e| e.name.clone())
    }

    pub fn note(&self, kind: NoteKind, line: Option<u32>, text: String) {
        let entry = self.entry();
        self.journal.borrow_mut().push(Note {
            kind,
            entry,
            line,
            text,
        });
    }

    /// The same with a place, if it is known.
    pub fn note_at(&self, kind: NoteKind, place: Option<Place>, text: String) {
        let (line, text) = match place {
            Some(place) => place.told(text, &self.options.modules),
            None => (None, text),
        };
        self.note(kind, line, text);
    }

    /// Whether the call may go on, as an error of Lua.
    #[inline]
    pub fn check(&self) -> mlua::Result<()> {
        self.guard.check().map_err(mlua::Error::external)
    }

    /// Stops the call.
    pub fn stop(&self, why: Stop) -> mlua::Error {
        mlua::Error::external(self.guard.stop(why))
    }

    /// A template, read once. Errors: E0412.
    pub fn template(&self, text: &str) -> Outcome<Rc<Template>> {
        let mut templates = self.templates.borrow_mut();
        if let Some(known) = templates.get(text) {
            return Ok(known.clone());
        }
        let template = Rc::new(Template::parse(text)?);
        if templates.len() >= TEMPLATES {
            templates.clear();
        }
        templates.insert(text.to_string(), template.clone());
        Ok(template)
    }

    /// Looks for an expression in a text. Errors: a bad expression, the call may not go on.
    pub fn search(&self, text: &[u8], pattern: &str) -> mlua::Result<bool> {
        let compiled = self.expression(pattern)?;
        let found = compiled.is_match_while(text, || self.guard.check().is_ok());
        found.map_or_else(|| Err(self.stop(Stop::Time)), Ok)
    }

    /// An expression, compiled once. Errors: a bad one.
    pub fn expression(&self, pattern: &str) -> mlua::Result<Rc<Regexp>> {
        let mut expressions = self.expressions.borrow_mut();
        if let Some(known) = expressions.known.get(pattern) {
            return Ok(known.clone());
        }
        let compiled = regexp::compile(pattern)
            .map_err(|fault| mlua::Error::runtime(fault.message.clone()))?;
        let memory = compiled.memory() + pattern.len();
        let full = expressions.known.len() >= EXPRESSIONS;
        if full || expressions.bytes + memory > EXPRESSION_BYTES {
            *expressions = Expressions::default();
        }
        expressions.bytes += memory;
        let compiled = Rc::new(compiled);
        expressions
            .known
            .insert(SmolStr::new(pattern), compiled.clone());
        Ok(compiled)
    }
}
