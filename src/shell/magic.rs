//! The commands that begin with `%`.

use super::session::{Session, Shown};
use crate::diagnostic::{Code, Diagnostic, Outcome, nearest};
use crate::eval::Value;
use crate::eval::text::to_text;
use crate::syntax::Statement;

/// The names of all magics.
pub const NAMES: &[&str] = &["%functions", "%vars", "%globals", "%define", "%undefine"];

/// Runs one magic. Errors: E0115 for an unknown name, E0116 for a malformed command.
pub fn run(session: &Session, line: &str, statement: &Statement) -> Outcome<Shown> {
    let (name, rest) = match line.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (line, ""),
    };
    match name {
        "%functions" => functions(session, rest),
        "%vars" => Ok(Shown::Text(vars(session))),
        "%globals" => Ok(Shown::Text(globals(session))),
        "%define" => define(session, rest, statement),
        "%undefine" => undefine(session, rest),
        _ => Err(
            Diagnostic::new(Code::UnknownMagic, format!("there is no command {name}"))
                .did_you_mean(nearest(name, NAMES.iter().copied())),
        ),
    }
}

fn functions(session: &Session, part: &str) -> Outcome<Shown> {
    let registry = &session.engine.registry;
    let library = registry.library(&session.engine.context)?;
    let defined = registry.definitions();
    let mut names: Vec<&str> = registry.specs().iter().map(|spec| spec.name).collect();
    names.extend(library.iter().chain(&defined).map(|d| d.name.as_str()));
    names.retain(|name| name.contains(part));
    names.sort_unstable();
    names.dedup();
    Ok(Shown::Text(names.join(", ")))
}

fn vars(session: &Session) -> String {
    let shown = session
        .variables
        .list()
        .into_iter()
        .map(|(name, variable)| {
            let value = to_text(&variable.value);
            match variable.expression {
                Some(expression) => format!("{name} = {value} via `{expression}`"),
                None => format!("{name} = {value}"),
            }
        });
    shown.collect::<Vec<_>>().join(", ")
}

fn globals(session: &Session) -> String {
    let globals = session.engine.context.globals.read();
    let shown: Vec<String> = globals
        .iter()
        .map(|(name, value)| format!("{name}={}", to_text(value)))
        .collect();
    format!("{{{}}}", shown.join(", "))
}

fn define(session: &Session, rest: &str, statement: &Statement) -> Outcome<Shown> {
    let usage = |message: &str| {
        Diagnostic::new(Code::BadMagic, message).help("write %define NAME := expression")
    };
    let Some((name, expression)) = rest.split_once(":=") else {
        return Err(usage("%define lacks its :="));
    };
    let (name, expression) = (name.trim(), expression.trim());
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(usage("%define wants one name before :="));
    }
    if expression.is_empty() {
        return Err(usage("%define wants an expression behind :="));
    }
    let context = &session.engine.context;
    let source = std::sync::Arc::new(crate::diagnostic::Source {
        name: statement.source.name.clone(),
        text: expression.to_string(),
        first_line: statement.source.first_line,
    });
    let value = crate::eval::compile(&source, context)?.evaluate(context)?;
    if value.is_null() {
        return Err(Diagnostic::new(
            Code::BadMagic,
            format!("the expression gives null; {name} is not set"),
        ));
    }
    context.globals.write().insert(name.into(), value.clone());
    Ok(Shown::Value(value))
}

fn undefine(session: &Session, name: &str) -> Outcome<Shown> {
    if name.is_empty() {
        return Err(
            Diagnostic::new(Code::BadMagic, "%undefine lacks a name").help("write %undefine NAME")
        );
    }
    session.engine.context.globals.write().shift_remove(name);
    Ok(Shown::Value(Value::text("")))
}
