//! `stellar check`: reads scripts without running them.

use super::args::{CheckArgs, CheckFormat, Common};
use super::{output, setup};
use crate::diagnostic::{
    Allowed, Code, Diagnostic, Fault, Level, Outcome, Source, Span, json as fault_json,
};
use crate::engine::Engine;
use crate::eval::collections::Map;
use crate::eval::json::read_event;
use crate::eval::text::to_text;
use crate::eval::{compile_tree, json::bad_json};
use crate::functions::library;
use crate::functions::lints::{Known, Types, of_line, of_script};
use crate::input::{ChunkReader, inputs, lines, replace};
use crate::profile;
use crate::syntax::{ParseLimits, Said, Statement, parse, statements};
use ahash::AHashMap;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How often a script is read again while changes are made in it; one may uncover another.
const ROUNDS: usize = 16;

/// How many events are looked at for their fields.
const EVENTS: usize = 100_000;

/// What was found.
#[derive(Default)]
struct Found {
    errors: Vec<Fault>,
    lints: Vec<Fault>,
}

/// What everything is checked with.
struct Checker<'a> {
    engine: &'a Engine,
    known: Known,
    allowed: Allowed,
    limits: ParseLimits,
}

/// Runs the command.
pub fn check(common: &Common, args: &CheckArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let mut allowed = engine.config.check.allow.clone();
    for name in &args.allow {
        allowed
            .add(name)
            .map_err(|message| Diagnostic::new(Code::Usage, message))?;
    }
    if args.fix && (!args.expressions.is_empty() || args.files.iter().any(|f| is_input(f))) {
        return Err(Diagnostic::new(
            Code::Usage,
            "--fix changes files; there is none to change",
        ));
    }
    let context = &engine.context;
    let checker = Checker {
        known: Known {
            fields: fields(&args.events, &engine)?,
            ..Known::default()
        },
        allowed,
        limits: ParseLimits {
            length: context.limits.expression,
            depth: context.limits.depth,
        },
        engine: &engine,
    };
    let mut found = Found::default();
    for expression in &args.expressions {
        checker.expression(expression, &mut found);
    }
    for file in &args.files {
        let mut text = crate::input::read_text(file)?;
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let source = Arc::new(Source::named(file.display().to_string(), text));
            checker.definitions(&source, &mut found);
            continue;
        }
        if args.fix {
            text = checker.fixed(file, text)?;
        }
        checker.script(Source::named(file.display().to_string(), text), &mut found);
    }
    let warned = found.lints.iter().any(|f| f.level() >= Level::Warning);
    let good = found.errors.is_empty() && !(args.deny_warnings && warned);
    let all: Vec<Fault> = found.errors.into_iter().chain(found.lints).collect();
    match args.format {
        CheckFormat::Text => all.iter().for_each(output::complain),
        CheckFormat::Json => {
            output::line(&Json::Array(all.iter().map(object).collect()).to_string())?;
        }
        CheckFormat::Jsonl => {
            for fault in &all {
                output::line(&object(fault).to_string())?;
            }
        }
    }
    Ok(good)
}

fn is_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

impl Checker<'_> {
    /// Definitions of profiles.
    fn definitions(&self, source: &Arc<Source>, found: &mut Found) {
        let context = &self.engine.context;
        let errors = profile::definition::check(source, context);
        let mut lints = profile::definition::lint(source, context, &self.known);
        lints.retain(|lint| !self.allowed.holds(lint.code));
        found.lints.extend(beside(lints, &errors));
        found.errors.extend(errors);
    }

    fn expression(&self, text: &str, found: &mut Found) {
        let context = &self.engine.context;
        let source = Arc::new(Source::expression(text));
        let tree = match parse(&source, self.limits) {
            Ok(tree) => tree,
            Err(fault) => {
                found.errors.push(fault);
                return;
            }
        };
        let program = compile_tree(tree.as_ref(), &source, &[], context);
        found.errors.extend(program.problems.iter().cloned());
        let statement = Statement {
            span: Span::new(0, text.len()),
            source,
            documentation: String::new(),
        };
        let said = Said::Expression(tree);
        let lints = of_line(&statement, &said, context, &self.known, &self.allowed);
        found.lints.extend(beside(lints, &program.problems));
    }

    fn script(&self, source: Source, found: &mut Found) {
        let context = &self.engine.context;
        let mut read: Vec<(Statement, Option<Said>)> = Vec::new();
        // Names are looked up when called, so a script may define a function behind its first use.
        let mut unread = Vec::new();
        for statement in statements(&source) {
            let said = match statement.read(self.limits) {
                Ok(said) => Some(said),
                Err(fault) => {
                    unread.push(fault);
                    None
                }
            };
            if matches!(said, Some(Said::Definition { .. }))
                && let Ok(Some(definition)) = library::define(&statement, context)
                && let Err(fault) = self.engine.registry.define(definition, context)
            {
                let fault = fault.or_at(statement.span);
                found.errors.push(fault.in_source(&statement.source));
            }
            read.push((statement, said));
        }
        let mut unread = unread.into_iter();
        let mut problems = Vec::new();
        for (statement, said) in &read {
            let (tree, parameters) = match said {
                Some(Said::Expression(tree)) => (tree.as_ref(), [].as_slice()),
                Some(Said::Assignment { value, .. }) => (value.as_ref(), [].as_slice()),
                Some(Said::Definition {
                    parameters, body, ..
                }) => (Some(body), parameters.as_slice()),
                Some(_) => continue,
                None => {
                    problems.extend(unread.next());
                    continue;
                }
            };
            let program = compile_tree(tree, &statement.source, parameters, context);
            problems.extend(program.problems.iter().cloned());
        }
        let lints = of_script(&source, &read, context, &self.known, &self.allowed);
        found.lints.extend(beside(lints, &problems));
        found.errors.extend(problems);
    }

    /// The text of a script with the changes made that keep its meaning; the file is rewritten.
    fn fixed(&self, file: &Path, text: String) -> Outcome<String> {
        let mut changed = text.clone();
        let mut count = 0;
        for _ in 0..ROUNDS {
            let mut found = Found::default();
            self.script(Source::named("", changed.as_str()), &mut found);
            let (next, made) = apply(&changed, &found.lints);
            if made == 0 {
                break;
            }
            count += made;
            changed = next;
        }
        if changed != text {
            replace(file, changed.as_bytes())?;
            output::note(&format!("{}: {count} changed", file.display()));
        }
        Ok(changed)
    }
}

/// Lints, without those that say in other words what an error at the same place says.
fn beside(lints: Vec<Fault>, errors: &[Fault]) -> impl Iterator<Item = Fault> {
    let same = |a: &Fault, b: &Fault| {
        let sources = (a.source.as_ref(), b.source.as_ref());
        a.span == b.span && matches!(sources, (Some(a), Some(b)) if Arc::ptr_eq(a, b))
    };
    lints
        .into_iter()
        .filter(move |lint| !errors.iter().any(|error| same(lint, error)))
}

/// Makes the changes that keep the meaning and do not touch each other; how many were made.
fn apply(text: &str, lints: &[Fault]) -> (String, usize) {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|i| i + 1))
        .collect();
    let mut taken: Vec<Span> = Vec::new();
    let mut edits: Vec<(Span, &str)> = Vec::new();
    for lint in lints {
        let (Some(fix), Some(source)) = (&lint.fix, &lint.source) else {
            continue;
        };
        // A statement's text begins where a line of the file begins.
        let Some(offset) = starts.get(source.first_line.saturating_sub(1)) else {
            continue;
        };
        let places = fix.edits.iter().map(|(span, _)| span.shifted(*offset));
        let Some(range) = places.reduce(Span::to).filter(|_| fix.keeps_meaning) else {
            continue;
        };
        let touches = |other: &Span| range.start <= other.end && other.start <= range.end;
        if range.end > text.len() || taken.iter().any(touches) {
            continue;
        }
        taken.push(range);
        edits.extend(
            fix.edits
                .iter()
                .map(|(span, new)| (span.shifted(*offset), new.as_str())),
        );
    }
    edits.sort_by_key(|(span, _)| span.start);
    let mut changed = String::with_capacity(text.len() + edits.len());
    let mut at = 0;
    for (span, new) in edits {
        changed.push_str(text.get(at..span.start).unwrap_or_default());
        changed.push_str(new);
        at = span.end;
    }
    changed.push_str(text.get(at..).unwrap_or_default());
    (changed, taken.len())
}

/// The fields of the first events of files with the types that they have there.
fn fields(files: &[PathBuf], engine: &Engine) -> Outcome<Option<AHashMap<SmolStr, Types>>> {
    if files.is_empty() {
        return Ok(None);
    }
    let limit = engine.context.limits.line;
    let mut reader = ChunkReader::new(&inputs(files)?, None, limit);
    let mut fields: AHashMap<SmolStr, Types> = AHashMap::new();
    let mut count = 0;
    while count < EVENTS
        && let Some(chunk) = reader.next(Vec::new())?
    {
        for line in lines(&chunk).take(EVENTS - count) {
            let event: Outcome<Map> = match &chunk.header {
                None => read_event(line.text).map_err(|bad| bad_json(Code::BadLine, &bad)),
                Some(header) => header.event(line.text),
            };
            // A bad line is the business of whoever reads the events.
            let Ok(event) = event else { continue };
            count += 1;
            for (name, value) in event.entries() {
                let types = fields.entry(to_text(&name)).or_insert(Types::NULL);
                *types = types.or(Types::of_value(&value));
            }
        }
    }
    if count >= EVENTS {
        // Those behind may hold other values.
        fields.values_mut().for_each(|types| *types = Types::ANY);
    }
    Ok(Some(fields))
}

fn object(fault: &Fault) -> Json {
    let mut object = fault_json(fault);
    object["file"] = json!(fault.source.as_ref().map(|source| source.name.as_str()));
    object["severity"] = json!(fault.level().name());
    if let Some(lint) = fault.code.info().lint {
        object["lint"] = json!(lint.name);
    }
    if let (Some(fix), Some(source)) = (&fault.fix, &fault.source) {
        let place = |at: usize| {
            let position = source.position(at);
            json!({"line": position.line, "column": position.column})
        };
        let edits: Vec<Json> = fix
            .edits
            .iter()
            .map(|(span, text)| {
                json!({"span": [span.start, span.end], "start": place(span.start), "end": place(span.end), "text": text})
            })
            .collect();
        object["fix"] = json!({"edits": edits, "keeps_meaning": fix.keeps_meaning});
    }
    object
}
