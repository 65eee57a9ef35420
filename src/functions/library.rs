//! The library: functions written in the language itself, in `stdlib/*.stellar`.

use crate::diagnostic::{Code, Diagnostic, Outcome, Source};
use crate::eval::{Context, Definition};
use crate::syntax::{ParseLimits, Said, Statement, statements};

/// The library's files by name.
const FILES: &[(&str, &str)] = &[(
    "stdlib/analyst.stellar",
    include_str!("../../stdlib/analyst.stellar"),
)];

/// Reads the whole library. Errors: a file that holds anything but definitions.
pub fn read(context: &Context) -> Outcome<Vec<Definition>> {
    let mut definitions = Vec::new();
    for (name, text) in FILES {
        for statement in statements(&Source::named(*name, *text)) {
            match define(&statement, context)? {
                Some(mut definition) => {
                    definition.library = true;
                    definitions.push(definition);
                }
                None => {
                    return Err(Diagnostic::at(
                        Code::Internal,
                        statement.span,
                        "the library holds definitions only",
                    )
                    .in_source(&statement.source));
                }
            }
        }
    }
    Ok(definitions)
}

/// The definition that a statement makes, if it makes one. Errors: E01xx.
pub fn define(statement: &Statement, context: &Context) -> Outcome<Option<Definition>> {
    let limits = ParseLimits {
        length: context.limits.expression,
        depth: context.limits.depth,
    };
    let Said::Definition {
        name,
        parameters,
        body,
        ..
    } = statement.read(limits)?
    else {
        return Ok(None);
    };
    let (documentation, source) = (statement.documentation.clone(), statement.source.clone());
    Ok(Some(Definition::new(
        name,
        parameters,
        body,
        documentation,
        source,
    )))
}
