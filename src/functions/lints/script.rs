//! The ways in: one line of a shell, a whole script.

use super::scope::{Known, Scope};
use super::types::{self, Types};
use super::{of_tree, settle};
use crate::diagnostic::{Allowed, Fault, Source};
use crate::eval::Context;
use crate::syntax::lint::{allow, script};
use crate::syntax::{Expr, Said, Statement, with_stack};
use ahash::AHashMap;
use smol_str::SmolStr;

/// The expression of a statement with the parameters of its definition.
fn expression(said: &Said) -> Option<(&Expr, &[SmolStr])> {
    match said {
        Said::Expression(tree) => tree.as_ref().map(|tree| (tree, [].as_slice())),
        Said::Assignment { value, .. } => value.as_ref().map(|tree| (tree, [].as_slice())),
        Said::Definition {
            parameters, body, ..
        } => Some((body, parameters)),
        _ => None,
    }
}

/// What lints say about one statement, as a shell runs it: without those that `allowed` or a comment in the
/// statement silences.
pub fn of_line(
    statement: &Statement,
    said: &Said,
    context: &Context,
    known: &Known,
    allowed: &Allowed,
) -> Vec<Fault> {
    let mut found = Vec::new();
    let own = allow::inside(statement, &mut found);
    if let Some((tree, parameters)) = expression(said) {
        found.extend(of_tree(tree, &statement.source, parameters, context, known));
    }
    found.retain(|fault| !allowed.holds(fault.code) && !own.holds(fault.code));
    settle(&mut found);
    found
}

/// What lints say about a script that has been cut into `statements`; `None` stands for one that cannot be read.
pub fn of_script(
    source: &Source,
    statements: &[(Statement, Option<Said>)],
    context: &Context,
    known: &Known,
    allowed: &Allowed,
) -> Vec<Fault> {
    let plain: Vec<Statement> = statements.iter().map(|(s, _)| s.clone()).collect();
    let comments = allow::Comments::read(source, &plain);
    let mut known = known.clone();
    // A name that is given once keeps its type; before, it is null.
    let mut counts: AHashMap<SmolStr, usize> = AHashMap::new();
    for (_, said) in statements {
        if let Some(Said::Assignment { name, .. } | Said::MagicAssignment { name, .. }) = said {
            *counts.entry(name.clone()).or_default() += 1;
            known.variables.insert(name.clone(), Types::ANY);
        }
    }
    let pairs: Vec<(&Statement, Option<&Said>)> = statements
        .iter()
        .map(|(s, said)| (s, said.as_ref()))
        .collect();
    let mut unused = script::unused(&pairs).into_iter().peekable();
    let mut all: Vec<Fault> = comments
        .faults
        .iter()
        .filter(|fault| !allowed.holds(fault.code))
        .cloned()
        .collect();
    for (statement, said) in statements {
        let mut found = Vec::new();
        let own = allow::inside(statement, &mut found);
        let here = |fault: &Fault| {
            fault
                .source
                .as_ref()
                .is_some_and(|source| std::sync::Arc::ptr_eq(source, &statement.source))
        };
        found.extend(unused.next_if(here));
        if let Some((tree, parameters)) = said.as_ref().and_then(expression) {
            found.extend(of_tree(
                tree,
                &statement.source,
                parameters,
                context,
                &known,
            ));
        }
        if let Some(Said::Assignment { name, value, .. }) = said
            && counts.get(name) == Some(&1)
        {
            let types = match value {
                Some(tree) => type_of(tree, context, &known),
                None => Types::TEXT,
            };
            known.variables.insert(name.clone(), types.or_null());
        }
        found.retain(|fault| {
            let code = fault.code;
            !allowed.holds(code) && !own.holds(code) && !comments.allow(statement, code)
        });
        settle(&mut found);
        all.extend(found);
    }
    // Comments count their places in the file, statements in themselves.
    all.sort_by_cached_key(|fault| fault.position().map_or((0, 0), |at| (at.line, at.column)));
    all
}

/// The types that the value of an expression may have.
pub fn type_of(tree: &Expr, context: &Context, known: &Known) -> Types {
    with_stack(|| types::of(tree, &Scope::new(context, known, &[])))
}
