//! A rule that runs.

use super::alerts::time;
use super::grouping::{end_batch, measured};
use super::guard::{self, Guard};
use super::limits::Stop;
use super::logline::{Held, LuaEvent};
use super::places::{chunk, line_span, told};
use super::shared::{Entry, Note, NoteKind, Shared, add};
use super::{Options, sandbox, source};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source};
use crate::rule::alert::Alert;
use crate::rule::event::Event;
use crate::rule::grouper;
use ahash::HashMap;
use mlua::{AnyUserData, Function, Lua, Value as LuaValue};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// How many stops within [`STOPS_WITHIN`] milliseconds suspend a rule.
pub const STOPS: usize = 3;
/// Milliseconds within which stops count together.
pub const STOPS_WITHIN: i64 = 60_000;

/// What one function of a rule has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// The function.
    pub name: SmolStr,
    /// How often it was called.
    pub calls: u64,
    /// How many calls failed.
    pub errors: u64,
    /// How many calls were stopped at a limit.
    pub stops: u64,
    /// Nanoseconds of all calls, when they are measured.
    pub total: u64,
    /// Nanoseconds of the longest call, when they are measured.
    pub longest: u64,
}

/// The groups of a rule as text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Saved {
    /// Those of each grouper, in the order in which the rule made them.
    pub groupers: Vec<String>,
}

/// A rule that runs. It stays on the thread that loaded it.
pub struct Running {
    lua: Lua,
    on_logline: Option<Function>,
    /// What the function decides without doing anything.
    pub(super) guard: Option<Guard>,
    /// The value that holds one event after the other, for a rule that keeps none.
    place: Option<(AnyUserData, Rc<Held>)>,
    shared: Rc<Shared>,
    entry: Rc<Entry>,
    text: Arc<Source>,
    prepared: source::Prepared,
    /// When calls were stopped of late.
    stops: Vec<i64>,
    suspended: Option<String>,
    /// Whether the state is to be made anew, since it has no memory left.
    exhausted: bool,
}

impl Running {
    /// Loads a rule and runs its top level. Errors: E0101 and others for the syntax, E0413 for what the first run
    /// raises, with the line.
    pub fn load(text: &str, options: Options) -> Outcome<Running> {
        let name = options.name.clone();
        let prepared = source::prepare(&name, text, options.escapes)?;
        let shared = Rc::new(Shared::new(options)?);
        let entry = Entry::named("on_logline");
        shared.entries.borrow_mut().push(entry.clone());
        let modules = shared.options.modules.iter();
        let guard = guard::read(
            text,
            shared.options.escapes,
            modules.map(|m| m.text.as_str()),
        );
        let text = Arc::new(Source::named(name.to_string(), text));
        let (lua, on_logline) = start(&shared, &prepared, &text)?;
        let begins = on_logline.as_ref().and_then(|f| f.info().line_defined);
        let mut running = Running {
            lua,
            on_logline,
            guard: guard.filter(|guard| begins == Some(guard.line)),
            place: None,
            shared,
            entry,
            text,
            prepared,
            stops: Vec::new(),
            suspended: None,
            exhausted: false,
        };
        if !running.prepared.escapes.is_empty() {
            running.note_escapes();
        }
        Ok(running)
    }

    fn note_escapes(&mut self) {
        let escapes = &self.prepared.escapes;
        let lines: Vec<String> = escapes
            .iter()
            .take(5)
            .map(|span| self.text.position(span.start).line.to_string())
            .collect();
        let more = if escapes.len() > 5 { " …" } else { "" };
        let text = format!(
            "texts with escapes that Lua does not know, in lines {}{more}: {}",
            lines.join(", "),
            match self.shared.options.escapes {
                source::Escapes::Repair => "they keep their backslash here",
                source::Escapes::Drop => "they lose their backslash",
            }
        );
        let line = escapes
            .first()
            .map(|span| self.text.position(span.start).line);
        let line = line.and_then(|line| u32::try_from(line).ok());
        self.shared.note(NoteKind::Warning, line, text);
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    /// The rule's name.
    pub fn name(&self) -> &SmolStr {
        &self.shared.name
    }

    /// Why the rule takes no more events, if it does not.
    pub fn suspended(&self) -> Option<&str> {
        self.suspended.as_deref()
    }

    /// Whether the rule has a function `on_logline`.
    pub fn takes_events(&self) -> bool {
        self.on_logline.is_some()
    }

    /// Gives the rule an event. What the rule raises is returned, what fails is counted and noted.
    #[inline]
    pub fn event(&mut self, event: &Event) -> Vec<Alert> {
        if self.suspended.is_some() || self.on_logline.is_none() {
            return Vec::new();
        }
        if self.exhausted {
            self.begin_anew();
        }
        let Some(on_logline) = &self.on_logline else {
            return Vec::new();
        };
        let began = self.shared.options.metrics.then(Instant::now);
        if let Some(guard) = &mut self.guard
            && guard.is_done(event, &self.shared)
        {
            add(&self.entry.calls, 1);
            if let Some(began) = began {
                measured(&self.entry, began);
            }
            return Vec::new();
        }
        self.shared.guard.begin(self.shared.guard.limits().time);
        self.shared.calls.borrow_mut().push(self.entry.clone());
        let result = if self.prepared.passing {
            match &self.place {
                Some((value, place)) => {
                    place.fill(event);
                    on_logline.call::<()>(value)
                }
                None => {
                    let place = Rc::new(Held::place(event.clone()));
                    let value = self.lua.create_userdata(LuaEvent(place.clone()));
                    value.and_then(|value| {
                        let result = on_logline.call::<()>(&value);
                        self.place = Some((value, place));
                        result
                    })
                }
            }
        } else {
            on_logline.call::<()>(LuaEvent::of_event(event, &self.shared))
        };
        add(&self.entry.calls, 1);
        if let Some(began) = began {
            measured(&self.entry, began);
        }
        let mut raised = self.finish(result);
        // The others have the time of what they are about.
        for alert in raised.iter_mut().filter(|alert| alert.logs_total == 0) {
            (alert.time, alert.own_time) = time(&self.shared, Some(event.map()));
        }
        raised
    }

    /// Ends a batch of events: groups that wait for it call the rule.
    pub fn end_batch(&mut self) -> Vec<Alert> {
        if self.suspended.is_some() {
            return Vec::new();
        }
        let mut raised = Vec::new();
        let (lua, shared) = (self.lua.clone(), self.shared.clone());
        end_batch(&lua, &shared, |call| {
            if self.suspended.is_none() {
                shared.guard.begin(shared.guard.limits().time);
                shared.calls.borrow_mut().push(self.entry.clone());
                let result = call();
                raised.extend(self.finish(result));
            }
        });
        raised
    }

    /// Ends a call: counts, notes and what is to be done after a stop.
    #[inline]
    fn finish(&mut self, result: mlua::Result<()>) -> Vec<Alert> {
        let stop = self.shared.guard.end();
        if result.is_err() || stop.is_some() {
            self.failed(result.err(), stop);
        }
        self.shared.calls.borrow_mut().clear();
        let limit = self.shared.guard.limits().memory;
        if self.shared.held.get() > limit {
            self.held_too_much(limit);
        }
        if self.shared.alerts.borrow().is_empty() {
            return Vec::new();
        }
        std::mem::take(&mut *self.shared.alerts.borrow_mut())
    }

    #[cold]
    fn failed(&mut self, error: Option<mlua::Error>, stop: Option<Stop>) {
        let memory = error.as_ref().is_some_and(is_memory);
        let stop = stop.or(memory.then_some(Stop::Memory));
        let told = error.as_ref().map(told);
        let place = told.as_ref().and_then(|(place, _)| *place);
        let entry = self.shared.calls.borrow().last().cloned();
        let entry = entry.unwrap_or_else(|| self.entry.clone());
        let Some(stop) = stop else {
            add(&entry.errors, 1);
            let text = told.map(|(_, text)| text).unwrap_or_default();
            self.shared.note_at(NoteKind::Error, place, text);
            return;
        };
        add(&entry.stops, 1);
        let place = place.or_else(|| self.shared.guard.place());
        let limits = self.shared.guard.limits();
        let text = match stop {
            Stop::Time => format!("stopped after {} ms", limits.time.as_millis()),
            Stop::Memory => format!("stopped at {} MiB of memory", limits.memory >> 20),
            Stop::Alerts => format!("stopped after {} alerts in one call", limits.alerts),
        };
        self.shared.note_at(NoteKind::Stop, place, text);
        if stop == Stop::Memory {
            let _ = self.lua.gc_collect();
            self.exhausted = self.lua.used_memory() > limits.memory / 4 * 3;
        }
        self.count_stop(stop);
    }

    /// The rule keeps events in its values, and they take more than they may.
    #[cold]
    fn held_too_much(&mut self, limit: usize) {
        let _ = self.lua.gc_collect();
        if self.shared.held.get() <= limit {
            return;
        }
        add(&self.entry.stops, 1);
        let text = format!(
            "the events that the rule keeps take more than {} MiB",
            limit >> 20
        );
        self.shared.note(NoteKind::Stop, None, text);
        self.exhausted = true;
        self.count_stop(Stop::Memory);
    }

    /// A rule that is stopped again and again is suspended, with an alert that says so.
    fn count_stop(&mut self, stop: Stop) {
        let now = (self.shared.now)();
        self.stops
            .retain(|then| (now - STOPS_WITHIN..=now).contains(then));
        self.stops.push(now);
        if self.stops.len() < STOPS {
            return;
        }
        let text = format!(
            "the rule {} is suspended: it was stopped {STOPS} times within a minute, at last because {stop}",
            self.shared.name
        );
        self.suspend(text);
    }

    /// Suspends the rule, with an alert that says why.
    pub fn suspend(&mut self, why: String) {
        self.shared.note(NoteKind::Stop, None, why.clone());
        self.shared.alerts.borrow_mut().push(Alert {
            rule: self.shared.name.clone(),
            time: (self.shared.now)(),
            template: why.clone(),
            text: why.clone(),
            ..Alert::default()
        });
        self.suspended = Some(why);
    }

    /// What was raised outside of a call: the alert of [`Running::suspend`].
    pub fn raised(&mut self) -> Vec<Alert> {
        std::mem::take(&mut *self.shared.alerts.borrow_mut())
    }

    /// Makes the state anew from the rule's text, with its groups.
    #[cold]
    fn begin_anew(&mut self) {
        self.exhausted = false;
        let saved = self.save();
        self.place = None;
        self.on_logline = None;
        self.shared.groupers.borrow_mut().clear();
        let before = self.shared.entries.borrow_mut().split_off(1);
        match start(&self.shared, &self.prepared, &self.text) {
            Ok((lua, on_logline)) => {
                self.lua = lua;
                self.on_logline = on_logline;
                let text = "the rule begins anew: its values had no memory left".to_string();
                self.shared.note(NoteKind::Warning, None, text);
                let restored = saved.and_then(|saved| self.restore(&saved));
                if let Err(fault) = restored {
                    self.shared
                        .note(NoteKind::Warning, None, fault.message.clone());
                }
            }
            Err(fault) => self.suspend(format!("the rule cannot begin anew: {}", fault.message)),
        }
        self.go_on_counting(before);
    }

    /// Adds what the functions did before the state was made anew.
    fn go_on_counting(&mut self, before: Vec<Rc<Entry>>) {
        let mut entries = self.shared.entries.borrow_mut();
        let mut taken = 1;
        for old in before {
            let mut later = entries.iter().enumerate().skip(taken);
            let found = later.find(|(_, new)| new.name == old.name);
            match found {
                Some((at, new)) => {
                    new.go_on(&old);
                    taken = at + 1;
                }
                None => {
                    entries.insert(taken, old);
                    taken += 1;
                }
            }
        }
    }

    /// What was said since the last time, and how much there was no room for.
    pub fn notes(&mut self) -> (Vec<Note>, u64) {
        let mut journal = self.shared.journal.borrow_mut();
        let lost = std::mem::take(&mut journal.lost);
        (journal.take(), lost)
    }

    /// What the rule's functions have done.
    pub fn counters(&self) -> Vec<Counters> {
        let entries = self.shared.entries.borrow();
        let counters = entries.iter().map(|entry| Counters {
            name: entry.name.clone(),
            calls: entry.calls.get(),
            errors: entry.errors.get(),
            stops: entry.stops.get(),
            total: entry.total.get(),
            longest: entry.longest.get(),
        });
        counters.collect()
    }

    /// What the rule's groupers have done, with the number of their groups and the bytes they take.
    pub fn groupers(&self) -> Vec<(SmolStr, grouper::Counters, usize, usize)> {
        let groupers = self.shared.groupers.borrow();
        let each = groupers.iter().map(|one| {
            let (counters, groups, bytes) = one.counters();
            (one.name(), counters, groups, bytes)
        });
        each.collect()
    }

    /// Whether a name has a value in the rule: a function or library of ours, or what the rule has made.
    pub fn defines(&self, name: &str) -> bool {
        let value = self.lua.globals().get::<LuaValue>(name);
        value.is_ok_and(|value| !value.is_nil())
    }

    /// Bytes that the rule's values take.
    pub fn memory(&self) -> usize {
        self.lua.used_memory() + self.shared.held.get()
    }

    /// The groups as text. Errors: an event that is no JSON.
    pub fn save(&self) -> Outcome<Saved> {
        let mut saved = Saved::default();
        for grouper in self.shared.groupers.borrow().iter() {
            let text = grouper.save()?;
            saved
                .groupers
                .push(String::from_utf8_lossy(&text).into_owned());
        }
        Ok(saved)
    }

    /// Takes saved groups back; those of groupers that are made otherwise now are left out. How many groupers have
    /// theirs. Errors: E0605.
    pub fn restore(&mut self, saved: &Saved) -> Outcome<usize> {
        let groupers = self.shared.groupers.borrow();
        let mut texts: Vec<Option<&String>> = saved.groupers.iter().map(Some).collect();
        let mut left = Vec::new();
        let mut restored = 0;
        for (at, grouper) in groupers.iter().enumerate() {
            let own = texts.get_mut(at).and_then(Option::take);
            match own {
                // A text that says nothing of its grouper is told to be damaged.
                Some(text) if grouper.made(text) != Some(false) => {
                    restored += usize::from(grouper.restore(text.as_bytes())?);
                }
                own => {
                    if let Some(slot) = texts.get_mut(at) {
                        *slot = own;
                    }
                    left.push(grouper);
                }
            }
        }
        // A grouper may have another place now.
        for grouper in left {
            let fits = |text: &Option<&String>| text.is_some_and(|t| grouper.made(t) == Some(true));
            let found = texts.iter_mut().find(|text| fits(text));
            if let Some(text) = found.and_then(Option::take) {
                restored += usize::from(grouper.restore(text.as_bytes())?);
            }
        }
        Ok(restored)
    }
}

/// Makes a state and runs the modules and the rule in it.
fn start(
    shared: &Rc<Shared>,
    prepared: &source::Prepared,
    text: &Arc<Source>,
) -> Outcome<(Lua, Option<Function>)> {
    let internal = |error: mlua::Error| Diagnostic::new(Code::Internal, error.to_string());
    let lua = sandbox::make(shared).map_err(internal)?;
    let mut results: HashMap<SmolStr, LuaValue> = HashMap::default();
    for (number, module) in shared.options.modules.iter().enumerate() {
        let prepared = source::prepare(&module.name, &module.text, shared.options.escapes)?;
        let module_text = Arc::new(Source::named(module.name.to_string(), module.text.as_str()));
        let result = run(&lua, shared, &prepared.text, &module_text, Some(number))?;
        results.insert(module.name.clone(), result);
    }
    let require = lua.create_function(move |_, name: String| match results.get(name.as_str()) {
        Some(result) => Ok(result.clone()),
        None => Err(mlua::Error::runtime(format!(
            "the rule has no module {name}"
        ))),
    });
    let globals = lua.globals();
    require
        .and_then(|require| globals.set("require", require))
        .map_err(internal)?;
    run(&lua, shared, &prepared.text, text, None)?;
    let on_logline = match globals.get("on_logline") {
        Ok(LuaValue::Function(function)) => Some(function),
        _ => {
            let text = "the rule has no function on_logline, so it takes no events".to_string();
            shared.note(NoteKind::Warning, None, text);
            None
        }
    };
    Ok((lua, on_logline))
}

/// Runs the top level of a text: the rule's, or that of a module.
fn run(
    lua: &Lua,
    shared: &Shared,
    prepared: &str,
    text: &Arc<Source>,
    module: Option<usize>,
) -> Outcome<LuaValue> {
    shared.guard.begin(shared.guard.limits().load);
    let named = lua.load(prepared).set_name(chunk(module));
    let result = named.eval::<LuaValue>();
    let stop = shared.guard.end();
    let error = match (result, stop) {
        (Ok(result), None) => return Ok(result),
        (Ok(_), Some(stop)) => mlua::Error::external(stop),
        (Err(error), _) => error,
    };
    let (place, message) = told(&error);
    let place = place.or_else(|| shared.guard.place().filter(|_| stop.is_some()));
    let (own, message) = match place {
        Some(place) if place.module == module => (line_span(text, place.line), message),
        Some(place) => (None, place.told(message, &shared.options.modules).1),
        None => (None, message),
    };
    let fault: Fault = Diagnostic::new(Code::BadRule, message);
    let fault = match own {
        Some(span) => fault.or_at(span),
        None => fault,
    };
    Err(fault.in_source(text))
}

fn is_memory(error: &mlua::Error) -> bool {
    match error {
        mlua::Error::MemoryError(_) => true,
        mlua::Error::CallbackError { cause, .. } => is_memory(cause),
        _ => false,
    }
}
