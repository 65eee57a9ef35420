//! `%load`, `%unload`, `:next`, `:prev`, `:go`, `%each`.

use super::{Request, bad, first_word};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Page, Source, Style};
use crate::eval::collections::{Entries, List, Map, MapKind, check_size};
use crate::eval::convert::condition;
use crate::eval::{Context, Program, Value, compile_tree};
use crate::input::{Input, inputs};
use crate::shell::events::{
    Keep, Loaded, current_text, headline, is_script, path_of, read, summary, text,
};
use crate::shell::session::{Session, Shown};
use crate::shell::variables::OneEvent;
use crate::syntax::{Expr, Said, parse, statements};
use std::sync::Arc;

/// How many names of fields are shown.
const FIELDS: usize = 40;

pub(super) fn load(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    if request.rest.is_empty() {
        return match session.variables.loaded(|loaded| page(loaded)) {
            Some(page) => Ok(Shown::Page(page, None)),
            None => Err(bad("nothing is loaded")),
        };
    }
    let (names, where_) = split_where(request.rest);
    let condition = where_
        .map(|text| Condition::new(session, request, text))
        .transpose()?;
    if let ("", Some(condition)) = (names, &condition) {
        let picked = session
            .variables
            .loaded(|loaded| loaded.retain(&|event| condition.holds(event)));
        picked.unwrap_or_else(|| Err(nothing_loaded()))?;
        return loaded(session, request);
    }
    let found = inputs_of(names)?;
    let scripts = found.iter().filter(|input| is_script(input)).count();
    if scripts == 0 {
        let keep = condition
            .as_ref()
            .map(|condition| move |event: &Value| condition.holds(event));
        let keep = keep.as_ref().map(|keep| keep as &Keep<'_>);
        let events = read(&found, &session.engine().context, keep)?;
        session.load_events(events);
        return loaded(session, request);
    }
    if scripts < found.len() {
        return Err(bad("scripts and events are loaded separately"));
    }
    if condition.is_some() {
        return Err(bad("where picks events, and a script has none"));
    }
    let context = &session.engine().context;
    let sources: Vec<Source> = found
        .iter()
        .map(|input| Ok(Source::named(input.name(), text(input, context)?)))
        .collect::<Outcome<_>>()?;
    Ok(session.run_scripts(&sources, request.audience))
}

/// The files, and what stands behind `where`.
fn split_where(rest: &str) -> (&str, Option<&str>) {
    let mut word = rest;
    while !word.is_empty() {
        let (first, behind) = first_word(word);
        if first == "where" {
            let names = &rest[..rest.len() - word.len()];
            return (names.trim_end(), Some(behind.trim_start()));
        }
        word = behind.trim_start();
    }
    (rest, None)
}

/// The files that are named: one whose name may hold blanks, or several names and patterns.
fn inputs_of(names: &str) -> Outcome<Vec<Input>> {
    let whole = path_of(names);
    if whole.exists() {
        return Ok(vec![Input::File(whole)]);
    }
    let mut paths = Vec::new();
    let mut rest = names;
    while !rest.is_empty() {
        let (word, behind) = first_word(rest);
        // The terminal is no file of events.
        paths.push(match word {
            "-" => "./-".into(),
            word => path_of(word),
        });
        rest = behind.trim_start();
    }
    inputs(&paths)
}

/// A condition on events that are not loaded yet.
struct Condition {
    event: Arc<OneEvent>,
    context: Context,
    program: Arc<Program>,
}

impl Condition {
    fn new(session: &Session, request: &Request<'_>, text: &str) -> Outcome<Condition> {
        let tree = request.wanted_expression(session, text)?;
        Ok(Condition::of(session, &tree, request.source()))
    }

    fn of(session: &Session, tree: &Expr, source: &Arc<Source>) -> Condition {
        let event = Arc::new(OneEvent::new(session.variables.clone()));
        let context = session.engine().context.with_variables(event.clone());
        let program = compile_tree(Some(tree), source, &[], &context);
        Condition {
            event,
            context,
            program,
        }
    }

    fn holds(&self, event: &Value) -> Outcome<bool> {
        self.context.check_cancelled()?;
        self.event.set(event.clone());
        let value = self.program.evaluate(&self.context)?;
        condition(&value).ok_or_else(|| {
            let message = format!(
                "where wants true or false, and this is {}",
                value.type_name()
            );
            Diagnostic::new(Code::ConditionType, message)
        })
    }
}

/// What has been loaded; an assignment also wants all values at once.
fn loaded(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let assigned = !request.statement.text().starts_with('%');
    let shown = session.variables.loaded(|loaded| {
        let all = match assigned {
            true => Some(Value::List(List::array(
                loaded.values(&session.engine().context)?,
            ))),
            false => None,
        };
        Ok(Shown::Page(page(loaded), all))
    });
    shown.unwrap_or_else(|| Err(nothing_loaded()))
}

/// What is loaded.
fn page(loaded: &Loaded) -> Page {
    let mut page = Page::new();
    page.line(summary(loaded));
    if let Some(note) = &loaded.renamed {
        page.put(Style::Warning, note.as_str()).end();
    }
    if let Some(bad) = &loaded.first_bad {
        page.put(Style::Warning, format!("first bad {bad}")).end();
    }
    let fields = loaded.fields();
    if !fields.is_empty() {
        let shown: Vec<&str> = fields.iter().take(FIELDS).map(|f| f.as_str()).collect();
        page.put(Style::Heading, "Fields:");
        page.text(format!(" {}", shown.join(", ")));
        if fields.len() > FIELDS {
            page.put(Style::Quiet, format!(" and {} more", fields.len() - FIELDS));
        }
        page.end();
    }
    let at = format!("_ is {}; :next and :prev walk on.", headline(loaded));
    page.put(Style::Quiet, at).end();
    page
}

pub(super) fn unload(session: &Session, _: &Request<'_>) -> Outcome<Shown> {
    session.variables.set_loaded(None);
    Ok(Shown::Done(None))
}

pub(super) fn next(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let by = distance(request)?;
    walk(session, |loaded| {
        let number = loaded.position().saturating_add(by);
        let further = number <= loaded.len();
        further.then_some(number).ok_or_else(|| ends(loaded))
    })
}

pub(super) fn previous(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let by = distance(request)?;
    walk(session, |loaded| {
        let number = loaded.position().checked_sub(by);
        number.filter(|n| *n > 0).ok_or_else(|| ends(loaded))
    })
}

pub(super) fn go(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    if request.rest.is_empty() {
        return Err(bad("the number of an event is missing"));
    }
    let Ok(number) = request.rest.parse() else {
        return Err(bad(format!("{} is no number of an event", request.rest)));
    };
    walk(session, |loaded| match number {
        number if (1..=loaded.len()).contains(&number) => Ok(number),
        number => Err(no_number(loaded, number)),
    })
}

/// The events of files, as they stand behind `%load`, perhaps with a condition; without files those that are loaded.
pub fn events_of(session: &Session, names: &str) -> Outcome<Vec<Value>> {
    let names = names.trim();
    if names.is_empty() {
        let context = &session.engine().context;
        let all = session.variables.loaded(|loaded| loaded.values(context));
        return all.unwrap_or_else(|| Err(nothing_loaded()));
    }
    let (files, where_) = split_where(names);
    let condition = where_.map(|text| -> Outcome<Condition> {
        let source = Arc::new(Source::expression(text));
        let tree =
            parse(&source, session.limits())?.ok_or_else(|| bad("where lacks a condition"))?;
        Ok(Condition::of(session, &tree, &source))
    });
    let condition = condition.transpose()?;
    let keep = condition
        .as_ref()
        .map(|condition| move |event: &Value| condition.holds(event));
    let keep = keep.as_ref().map(|keep| keep as &Keep<'_>);
    let context = &session.engine().context;
    read(&inputs_of(files)?, context, keep)?.values(context)
}

/// The values of one expression for all events, or maps of several: `NAME := EXPR` line by line.
///
/// Errors: what is no expression, and the first error of an evaluation, with the number of its event.
pub fn over(session: &Session, events: Vec<Value>, body: &Source) -> Outcome<Value> {
    let event = Arc::new(OneEvent::new(session.variables.clone()));
    let context = session.engine().context.with_variables(event.clone());
    let mut named = Vec::new();
    for statement in statements(body) {
        let (name, tree) = match statement.read(session.limits())? {
            Said::Expression(tree) => (None, tree),
            Said::Assignment { name, value, .. } => (Some(name), value),
            _ => {
                let fault = bad("here stand an expression, or lines NAME := EXPRESSION");
                return Err(fault.or_at(statement.span).in_source(&statement.source));
            }
        };
        let program = compile_tree(tree.as_ref(), &statement.source, &[], &context);
        named.push((name, program));
    }
    if named.is_empty() || (named.len() > 1 && named.iter().any(|(name, _)| name.is_none())) {
        return Err(bad(
            "below stands one expression, or lines NAME := EXPRESSION",
        ));
    }
    check_size(events.len(), context.limits.collection)?;
    let mut values = Vec::with_capacity(events.len());
    for (index, one) in events.into_iter().enumerate() {
        context.check_cancelled()?;
        event.set(one);
        let value = |program: &Arc<Program>| {
            program
                .evaluate(&context)
                .map_err(|fault| fault.note(format!("at event {}", index + 1)))
        };
        values.push(match named.as_slice() {
            [(None, program)] => value(program)?,
            several => {
                let map = Map::new(MapKind::Ordered, Entries::default());
                for (name, program) in several {
                    let key = name.clone().map(Value::Text).unwrap_or_default();
                    map.put(key, value(program)?, context.limits.collection)?;
                }
                Value::Map(map)
            }
        });
    }
    Ok(Value::List(List::array(values)))
}

fn distance(request: &Request<'_>) -> Outcome<usize> {
    match request.rest {
        "" => Ok(1),
        text => text
            .parse()
            .map_err(|_| bad(format!("{text} is no number of events"))),
    }
}

fn ends(loaded: &Loaded) -> Fault {
    bad(format!(
        "there is none further: this is {}",
        headline(loaded)
    ))
    .help(":go N goes to the one with that number")
}

fn walk(session: &Session, to: impl FnOnce(&Loaded) -> Outcome<usize>) -> Outcome<Shown> {
    let moved = session.variables.loaded(|loaded| {
        let number = to(loaded)?;
        loaded.go(number)?;
        let mut page = Page::new();
        page.put(Style::Quiet, headline(loaded)).end();
        page.line(current_text(loaded).as_str());
        Ok(Shown::Page(page, Some(loaded.current().clone())))
    });
    moved.unwrap_or_else(|| Err(nothing_loaded()))
}

fn no_number(loaded: &Loaded, number: usize) -> Fault {
    let what = if loaded.text { "line" } else { "event" };
    bad(format!("there is no {what} {number}"))
        .help(format!("they are numbered from 1 to {}", loaded.len()))
}

fn nothing_loaded() -> Fault {
    bad("nothing is loaded").help("%load FILE loads events")
}

pub(super) fn each(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let tree = request.wanted_expression(session, request.rest)?;
    let engine = session.engine();
    let context = &engine.context;
    let program = compile_tree(Some(&tree), request.source(), &[], context);
    let place = session
        .variables
        .loaded(|loaded| (loaded.position(), loaded.len()));
    let (before, count) = place.ok_or_else(nothing_loaded)?;
    check_size(count, context.limits.collection)?;
    let go = |number| {
        session
            .variables
            .loaded(|loaded| loaded.go(number))
            .unwrap_or(Ok(()))
    };
    let one = |number: usize| {
        context.check_cancelled()?;
        go(number)?;
        program
            .evaluate(context)
            .map_err(|fault| fault.note(format!("at event {number}")))
    };
    let values: Outcome<Vec<Value>> = (1..=count).map(one).collect();
    go(before)?;
    Ok(Shown::Value(Value::List(List::array(values?))))
}
