//! Cells in other languages: `%%map`, `%%profile`, `%%rule`, `%%pipeline`.

use super::rich::counted;
use crate::diagnostic::{Code, Diagnostic, Outcome, Source, Span};
use crate::engine::Engine;
use crate::eval::collections::{List, Map};
use crate::eval::{Notes, Value};
use crate::pipeline::{config, graph};
use crate::rule::lua::{NoteKind, Options};
use crate::rule::trial::{Written, events_of as rule_events, trial};
use crate::shell::complete::{Candidate, Completions, Kind, complete as shell_complete};
use crate::shell::magic::{Cell, bad, events_of, over, unknown_cell};
use crate::shell::{Session, SessionVariables, Shown, Variable, help_on};
use smol_str::SmolStr;
use std::sync::Arc;

/// What a cell shows: a picture perhaps, and a result.
pub struct Told {
    /// What was printed.
    pub said: Vec<String>,
    /// SVG.
    pub picture: Option<String>,
    /// What the cell gives.
    pub shown: Shown,
}

impl From<Value> for Told {
    fn from(value: Value) -> Told {
        Told {
            said: Vec::new(),
            picture: None,
            shown: Shown::Value(value),
        }
    }
}

/// All of them.
pub const CELLS: &[Cell] = &[
    Cell {
        name: "%%map",
        usage: "%%map [FILE… [where EXPR]]",
        summary: "the expression below for every event, or lines NAME := EXPR as columns",
        details: "Files and patterns stand as behind %load; without them the events that are loaded are taken. Fields of \
                  the event are names, and _ is the whole. The result is the list of values, or a table.",
        example: "%%map logins.jsonl where result == 'failure'\nuser := TO_LOWER(user)\nsource := IP_SRC",
    },
    Cell {
        name: "%%profile",
        usage: "%%profile [NAME [FILE… [where EXPR]]]",
        summary: "a profiler of the definition below (JSON), in the variable NAME; applied to the events of files",
        details: "NAME is profiler unless it is said. PROFILER_APPLY(events, NAME) goes on with it, PROFILER_FLUSH(NAME) \
                  gives the measurements, %profiler NAME tells what its profiles did.",
        example: "%%profile failures logins.jsonl\n{\"profiles\": [{\"profile\": \"failures\", \"foreach\": \"user\",\n \
                  \"init\": {\"n\": \"0\"}, \"update\": {\"n\": \"n + 1\"}, \"result\": \"n\"}]}",
    },
    Cell {
        name: "%%rule",
        usage: "%%rule [FILE… [where EXPR]]",
        summary: "the correlation rule below (Lua) over the events of files, or over those that are loaded",
        details: "Its alerts are the result, each with the number of the event that raised it; what the rule logs is shown \
                  above. Nothing is stored and nothing is sent.",
        example: "%%rule logins.jsonl\nfunction on_logline(event)\n  if event:get(\"result\") == \"failure\" then\n    \
                  alert({template = \"{{ .First.user }} failed\", risk_level = 3, logs = {event}})\n  end\nend",
    },
    Cell {
        name: "%%pipeline",
        usage: "%%pipeline",
        summary: "draws the pipelines below (YAML) and shows what comes to their end; outputs are left out",
        details: "They run until their inputs have nothing more for now.",
        example: "%%pipeline\npipelines:\n  failures:\n    - name: input_generator\n      tag: login\n      \
                  count: 10\n      pick: {result: [failure, success]}\n      record: {n: n, result: result}\n    \
                  - {name: filter_stellar, match: login, expr: result == 'failure'}",
    },
];

/// What runs a sort of cell: what stands behind its name, and what below.
type Run = fn(&Session, &str, &Arc<Source>) -> Outcome<Told>;

fn runner(name: &str) -> Option<Run> {
    Some(match name {
        "%%map" => map,
        "%%profile" => profile,
        "%%rule" => rule,
        "%%pipeline" => pipeline,
        _ => return None,
    })
}

/// Whether a cell is written in another language.
pub fn is_other(code: &str) -> bool {
    code.trim_start().starts_with("%%")
}

/// The name of the sort of cell that is written at a byte, such as `%%map`.
pub fn name_at(code: &str, at: usize) -> Option<&str> {
    let start = code.len() - code.trim_start().len();
    let name = code[start..].split_whitespace().next()?;
    let name = name.strip_suffix('?').unwrap_or(name);
    (is_other(code) && (start..=start + name.len()).contains(&at)).then_some(name)
}

/// What may stand at a byte of such a cell: the sorts of cells, files behind them, and below `%%map` what an expression
/// may hold.
pub fn complete(session: &Session, code: &str, at: usize) -> Completions {
    let nothing = Completions {
        replaces: at..at,
        candidates: Vec::new(),
    };
    let start = code.len() - code.trim_start().len();
    let first = code[start..]
        .find('\n')
        .map_or(code.len(), |end| start + end);
    let head = &code[start..at.clamp(start, code.len())];
    let moved = |mut found: Completions, by: isize| {
        let place = |at: usize| at.checked_add_signed(by).unwrap_or(at);
        found.replaces = place(found.replaces.start)..place(found.replaces.end);
        found
    };
    if at > first {
        // The first line is no statement, and what stands above does not matter.
        let body = &code[first + 1..];
        return match head.starts_with("%%map") {
            true => moved(
                shell_complete(session, body, at - first - 1),
                (first + 1) as isize,
            ),
            false => nothing,
        };
    }
    match head.split_once(char::is_whitespace) {
        None => {
            let names = CELLS.iter().filter(|one| one.name.starts_with(head));
            let candidates = names.map(|one| Candidate {
                text: one.name.to_string(),
                kind: Kind::Command,
            });
            Completions {
                replaces: start..at,
                candidates: candidates.collect(),
            }
        }
        // The name of a variable comes first, and those that are there may be meant again.
        Some(("%%profile", name)) if !name.contains(char::is_whitespace) => {
            let all = session.variables.list().into_iter();
            let fitting = all.filter(|(known, _)| known.starts_with(name));
            Completions {
                replaces: at - name.len()..at,
                candidates: fitting
                    .map(|(known, _)| Candidate {
                        text: known.to_string(),
                        kind: Kind::Variable,
                    })
                    .collect(),
            }
        }
        Some((name, files)) if name != "%%pipeline" => {
            // Files stand here as they do behind %load.
            let line = format!("%load {files}");
            let by = at as isize - line.len() as isize;
            moved(shell_complete(session, &line, line.len()), by)
        }
        Some(_) => nothing,
    }
}

/// Runs a cell. Errors: E0115 for an unknown language, and those of its text.
pub fn run(session: &Session, code: &str) -> Outcome<Told> {
    let code = code.trim_start();
    let (first, body) = code.split_once('\n').unwrap_or((code, ""));
    let (name, rest) = match first.trim().split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (first.trim(), ""),
    };
    if let Some(topic) = name.strip_suffix('?') {
        let shown = help_on(session, topic)?;
        return Ok(Told {
            shown,
            ..Told::from(Value::Null)
        });
    }
    let cell = CELLS.iter().find(|one| one.name == name);
    let (Some(cell), Some(run)) = (cell, runner(name)) else {
        let fault = unknown_cell(session, name);
        let source = Arc::new(Source::expression(code));
        return Err(fault.or_at(Span::new(0, name.len())).in_source(&source));
    };
    // Lines count from the top of the cell.
    let source = Arc::new(Source {
        first_line: 2,
        ..Source::expression(body)
    });
    run(session, rest, &source).map_err(|fault| {
        match fault.code == Code::BadMagic && fault.help.is_none() {
            true => fault.help(format!("write {}", cell.usage)),
            false => fault,
        }
    })
}

fn map(session: &Session, rest: &str, body: &Arc<Source>) -> Outcome<Told> {
    let events = events_of(session, rest)?;
    over(session, events, body).map(Told::from)
}

fn profile(session: &Session, rest: &str, body: &Arc<Source>) -> Outcome<Told> {
    let (name, files) = match rest.split_once(char::is_whitespace) {
        Some((name, files)) => (name, files.trim()),
        None if rest.is_empty() => ("profiler", ""),
        None => (rest, ""),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(plain) {
        return Err(bad(format!("{name} is no name of a variable")));
    }
    let call = |function: &str, arguments: Vec<Value>| call(session, function, arguments);
    let profiler = call("PROFILER_INIT", vec![Value::text(&body.text)])?;
    if !files.is_empty() {
        let events = Value::List(List::array(events_of(session, files)?));
        call("PROFILER_APPLY", vec![events, profiler.clone()])?;
    }
    let variable = Variable {
        value: profiler.clone(),
        expression: Some(format!("%%profile {rest}")),
    };
    session.variables.set(SmolStr::new(name), variable);
    Ok(profiler.into())
}

/// Calls a function with values.
fn call(session: &Session, function: &str, arguments: Vec<Value>) -> Outcome<Value> {
    let names: Vec<String> = (0..arguments.len())
        .map(|at| format!("given{at}"))
        .collect();
    let variables = SessionVariables::default();
    for (name, value) in names.iter().zip(arguments) {
        let expression = None;
        variables.set(SmolStr::new(name), Variable { value, expression });
    }
    let text = format!("{function}({})", names.join(", "));
    let mut engine: Engine = (*session.engine()).clone();
    engine.context = engine.context.with_variables(Arc::new(variables));
    engine.evaluate(&text).map_err(|mut fault| {
        // The call is ours; its text would say nothing.
        fault.source = None;
        fault.span = None;
        fault
    })
}

fn rule(session: &Session, rest: &str, body: &Arc<Source>) -> Outcome<Told> {
    let engine = session.engine();
    let context = &engine.context;
    let events = Value::List(List::array(events_of(session, rest)?));
    let events =
        rule_events(&events).map_err(|at| bad(format!("what is loaded is no event at {at}")))?;
    // The first line of the cell is a line of the rule, so that places fit.
    let rule = Written::text("cell", format!("\n{}", body.text));
    let clock = context.clock.clone();
    let options = Options {
        now: Arc::new(move || clock.now()),
        ..Options::default()
    };
    let mut running = rule.load(options)?;
    let done = trial(&mut running, &events, || context.check_cancelled())?;
    let mut said = Vec::new();
    let mut faults = Vec::new();
    for (at, note) in &done.notes {
        let (to, kind) = match note.kind {
            NoteKind::Log => (&mut said, "log"),
            NoteKind::Error => (&mut faults, "error"),
            NoteKind::Stop => (&mut faults, "stopped"),
            NoteKind::Warning => (&mut faults, "warning"),
        };
        let line = note.line.map(|line| format!(", line {line}"));
        let line = line.unwrap_or_default();
        let (at, entry, text) = (at + 1, &note.entry, &note.text);
        to.push(format!("event {at}, {entry}{line}: {kind}: {text}"));
    }
    said.push(format!(
        "{}, {}",
        counted(done.events, "event"),
        counted(done.alerts.len(), "alert")
    ));
    if let Some(notes) = context.services.get::<Notes>() {
        let rest = faults.len().saturating_sub(FAULTS);
        faults.truncate(FAULTS);
        faults.into_iter().for_each(|fault| notes.say(fault));
        if rest > 0 {
            notes.say(format!("{rest} more of these"));
        }
    }
    let alerts = done.alerts.iter().map(|(at, alert)| {
        let map = Map::of_texts([("event", Value::Long(*at as i64 + 1))]);
        for (key, value) in alert.to_map().entries() {
            let plain = key.as_text().is_some_and(|key| UNSAID.contains(&key));
            if !plain && !is_empty(&value) {
                map.put(key, value, usize::MAX)?;
            }
        }
        Ok(Value::Map(map))
    });
    let alerts: Outcome<Vec<Value>> = alerts.collect();
    Ok(Told {
        said,
        ..Value::List(List::array(alerts?)).into()
    })
}

/// How many faults of a rule are told one by one.
const FAULTS: usize = 9;

/// What all alerts of a cell have in common, or what a text says already.
const UNSAID: &[&str] = &["rule", "template", "trim_logs"];

/// Whether there is nothing to show.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Text(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

fn pipeline(session: &Session, rest: &str, body: &Arc<Source>) -> Outcome<Told> {
    if !rest.is_empty() {
        return Err(bad("behind %%pipeline stands nothing"));
    }
    let first = |faults: Vec<crate::diagnostic::Fault>| {
        let fault = faults.into_iter().next();
        fault.unwrap_or_else(|| Diagnostic::new(Code::Internal, "no fault is told"))
    };
    // The first line of the cell is a line of the file, so that places fit.
    let text = format!("\n{}", body.text);
    let source = Arc::new(Source::expression(text.as_str()));
    let file = config::from_source(&source, &Engine::actions()).map_err(first)?;
    let events = session.engine().events_of_pipelines(&text)?;
    Ok(Told {
        picture: Some(graph::svg(&file)),
        ..Value::List(List::array(events)).into()
    })
}
