//! `stellar check`: reads scripts without running them.

use super::args::{CheckArgs, CheckFormat, Common};
use super::{output, setup};
use crate::diagnostic::{Fault, Outcome, Source, json as fault_json};
use crate::eval::compile_tree;
use crate::functions::library;
use crate::syntax::{ParseLimits, Said, statements};
use serde_json::{Value as Json, json};

/// Runs the command.
pub fn check(common: &Common, args: &CheckArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let context = &engine.context;
    let limits = ParseLimits {
        length: context.limits.expression,
        depth: context.limits.depth,
    };
    let mut found: Vec<Fault> = Vec::new();
    for file in &args.files {
        let source = Source::named(file.display().to_string(), setup::read_text(file)?);
        let statements = statements(&source);
        // Names are looked up when called, so a script may define a function behind its first use.
        for statement in &statements {
            if let Ok(Some(definition)) = library::define(statement, context)
                && let Err(fault) = engine.registry.define(definition, context)
            {
                found.push(fault.or_at(statement.span).in_source(&statement.source));
            }
        }
        for statement in &statements {
            let (tree, parameters) = match statement.read(limits) {
                Ok(Said::Expression(tree)) => (tree, Vec::new()),
                Ok(Said::Assignment { value, .. }) => (value, Vec::new()),
                Ok(Said::Definition {
                    parameters, body, ..
                }) => (Some(body), parameters),
                Ok(_) => continue,
                Err(fault) => {
                    found.push(fault);
                    continue;
                }
            };
            let program = compile_tree(tree.as_ref(), &statement.source, &parameters, context);
            found.extend(program.problems.iter().cloned());
        }
    }
    let objects = || found.iter().map(object);
    match args.format {
        CheckFormat::Text => found.iter().for_each(output::complain),
        CheckFormat::Json => output::line(&Json::Array(objects().collect()).to_string())?,
        CheckFormat::Jsonl => {
            for object in objects() {
                output::line(&object.to_string())?;
            }
        }
    }
    Ok(found.is_empty())
}

fn object(fault: &Fault) -> Json {
    let mut object = fault_json(fault);
    object["file"] = json!(fault.source.as_ref().map(|source| source.name.as_str()));
    object
}
