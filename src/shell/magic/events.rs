//! `%load`, `%unload`, `:next`, `:prev`, `:go`, `%each`.

use super::{Request, bad};
use crate::diagnostic::{Outcome, Page, Source, Style};
use crate::eval::collections::{List, check_size};
use crate::eval::{Value, compile_tree};
use crate::shell::events::{File, Loaded, current_text, headline, path_of, read, summary};
use crate::shell::session::{Session, Shown};

/// How many names of fields are shown.
const FIELDS: usize = 40;

pub(super) fn load(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    if request.rest.is_empty() {
        return match session.variables.loaded(|loaded| page(loaded)) {
            Some(page) => Ok(Shown::Page(page, None)),
            None => Err(bad("nothing is loaded")),
        };
    }
    let path = path_of(request.rest);
    let engine = session.engine();
    match read(&path, &engine.context)? {
        File::Script(text) => {
            let source = Source::named(path.display().to_string(), text);
            session.run_script(&source).map(Shown::Several)
        }
        File::Events(loaded) => {
            let page = page(&loaded);
            // Only an assignment wants all values at once.
            let assigned = !request.statement.text().starts_with('%');
            let all = match assigned {
                true => Some(Value::List(List::array(loaded.values()?))),
                false => None,
            };
            session.load_events(loaded);
            Ok(Shown::Page(page, all))
        }
    }
}

/// What is loaded.
fn page(loaded: &Loaded) -> Page {
    let mut page = Page::new();
    page.line(summary(loaded));
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
    walk(session, |loaded| loaded.position().saturating_add(by))
}

pub(super) fn previous(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let by = distance(request)?;
    walk(session, |loaded| loaded.position().saturating_sub(by))
}

pub(super) fn go(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    if request.rest.is_empty() {
        return Err(bad("the number of an event is missing"));
    }
    let Ok(number) = request.rest.parse() else {
        return Err(bad(format!("{} is no number of an event", request.rest)));
    };
    walk(session, |_| number)
}

fn distance(request: &Request<'_>) -> Outcome<usize> {
    match request.rest {
        "" => Ok(1),
        text => text
            .parse()
            .map_err(|_| bad(format!("{text} is no number of events"))),
    }
}

fn walk(session: &Session, to: impl FnOnce(&Loaded) -> usize) -> Outcome<Shown> {
    let moved = session.variables.loaded(|loaded| {
        let number = to(loaded);
        if number == 0 || number > loaded.len() {
            let message = format!("there is none further: this is {}", headline(loaded));
            return Err(bad(message).help(":go N goes to the one with that number"));
        }
        loaded.go(number)?;
        let mut page = Page::new();
        page.put(Style::Quiet, headline(loaded)).end();
        page.line(current_text(loaded).as_str());
        Ok(Shown::Page(page, Some(loaded.current().clone())))
    });
    moved.unwrap_or_else(|| Err(nothing_loaded()))
}

fn nothing_loaded() -> crate::diagnostic::Fault {
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
