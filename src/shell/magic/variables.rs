//! `%functions`, `%vars`, `%globals`, `%define`, `%undefine`.

use super::{Request, bad};
use crate::diagnostic::{Outcome, Page};
use crate::eval::text::to_text;
use crate::shell::session::{Session, Shown};
use std::fmt::Write as _;

fn text(text: String) -> Outcome<Shown> {
    let mut page = Page::new();
    page.line(text);
    Ok(Shown::Page(page, None))
}

pub(super) fn functions(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let engine = session.engine();
    let registry = &engine.registry;
    let library = registry.library(&engine.context)?;
    let defined = registry.definitions();
    let mut names: Vec<&str> = registry.specs().iter().map(|spec| spec.name).collect();
    names.extend(library.iter().chain(&defined).map(|d| d.name.as_str()));
    names.retain(|name| name.contains(request.rest));
    names.sort_unstable();
    names.dedup();
    text(names.join(", "))
}

/// How many bytes of variables are listed.
const LISTED: usize = 32 << 20;

pub(super) fn vars(session: &Session, _: &Request<'_>) -> Outcome<Shown> {
    let context = &session.engine().context;
    let variables = session.variables.list();
    let all = variables.len();
    let mut listed = String::new();
    for (at, (name, variable)) in variables.into_iter().enumerate() {
        context.check_cancelled()?;
        if listed.len() > LISTED {
            let _ = write!(listed, ", and {} more", all - at);
            break;
        }
        let before = if at > 0 { ", " } else { "" };
        let value = to_text(&variable.value);
        let _ = write!(listed, "{before}{name} = {value}");
        if let Some(expression) = variable.expression {
            let _ = write!(listed, " via `{expression}`");
        }
    }
    text(listed)
}

pub(super) fn globals(session: &Session, _: &Request<'_>) -> Outcome<Shown> {
    let engine = session.engine();
    let globals = engine.context.globals.read();
    let shown: Vec<String> = globals
        .iter()
        .map(|(name, value)| format!("{name}={}", to_text(value)))
        .collect();
    text(format!("{{{}}}", shown.join(", ")))
}

pub(super) fn define(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let Some((name, expression)) = request.rest.split_once(":=") else {
        return Err(bad("%define lacks its :="));
    };
    let (name, expression) = (name.trim(), expression.trim());
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(bad("%define wants one name before :="));
    }
    if expression.is_empty() {
        return Err(bad("%define wants an expression behind :="));
    }
    let tree = request.expression(session, expression)?;
    let value = session.evaluate(tree.as_ref(), request.source())?;
    if value.is_null() {
        return Err(bad(format!("the expression gives null; {name} is not set"))
            .help("a global is removed with %undefine"));
    }
    let engine = session.engine();
    engine
        .context
        .globals
        .write()
        .insert(name.into(), value.clone());
    Ok(Shown::Value(value))
}

pub(super) fn undefine(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    if request.rest.is_empty() {
        return Err(bad("%undefine lacks a name"));
    }
    let engine = session.engine();
    engine.context.globals.write().shift_remove(request.rest);
    // Metron prints an empty line; the last result stays what it was.
    text(String::new())
}
