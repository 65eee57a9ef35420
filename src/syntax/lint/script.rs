//! What only a whole script shows: names that are given and never used.

use super::super::script::{Said, Statement};
use super::super::tree::{Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic, Fault, Span};
use smol_str::SmolStr;
use std::collections::{HashMap, HashSet};

/// What a statement gives names to and which names it reads.
struct Use {
    assigns: Option<SmolStr>,
    /// Where the name stands that is assigned.
    place: Span,
    reads: HashSet<SmolStr>,
    /// Names in lambdas, which may look them up much later.
    late: HashSet<SmolStr>,
    /// Whether it may read any variable, as `_` and magics do.
    reads_all: bool,
}

/// Functions that see the variables themselves, by the beginning of their names.
const SEERS: &str = "SHELL_";

/// Assignments whose names nothing reads afterwards, and those that another one follows before the name is read.
///
/// A value that a script prints at its end is no mistake: only assignments with another one behind them count.
pub fn unused(statements: &[(&Statement, Option<&Said>)]) -> Vec<Fault> {
    let uses: Vec<Use> = statements
        .iter()
        .map(|(statement, said)| use_of(statement, *said))
        .collect();
    // Definitions and lambdas look names up when they are called.
    let late: HashSet<&SmolStr> = uses.iter().flat_map(|one| &one.late).collect();
    let mut found = Vec::new();
    // From the end: which names are read behind, and which are given anew first.
    let mut read: HashMap<&SmolStr, bool> = HashMap::new();
    let mut all_read = false;
    let mut assigned_behind = false;
    for (one, (statement, _)) in uses.iter().zip(statements).rev() {
        if let Some(name) = &one.assigns {
            let state = if all_read || late.contains(name) {
                Some(true)
            } else {
                read.get(name).copied()
            };
            let message = match state {
                Some(true) => None,
                Some(false) => Some(format!("{name} is given another value before it is read")),
                None => assigned_behind.then(|| format!("{name} is never read")),
            };
            if let Some(message) = message {
                let fault = Diagnostic::at(Code::UnusedAssignment, one.place, message)
                    .help("leave the := out when only the printed value matters");
                found.push(fault.in_source(&statement.source));
            }
            read.insert(name, false);
            assigned_behind = true;
        }
        if one.reads_all {
            all_read = true;
        }
        for name in &one.reads {
            read.insert(name, true);
        }
    }
    found.reverse();
    found
}

fn use_of(statement: &Statement, said: Option<&Said>) -> Use {
    let mut one = Use {
        assigns: None,
        place: statement.span,
        reads: HashSet::new(),
        late: HashSet::new(),
        reads_all: false,
    };
    match said {
        Some(Said::Expression(tree)) => reads(tree.as_ref(), &mut one),
        Some(Said::Assignment { name, value, .. }) => {
            one.assigns = Some(name.clone());
            let start = statement.span.start;
            one.place = Span::new(start, start + name.len());
            reads(value.as_ref(), &mut one);
        }
        Some(Said::Definition { body, .. }) => {
            reads(Some(body), &mut one);
            one.late = std::mem::take(&mut one.reads);
        }
        Some(Said::Help(_) | Said::Quit) => {}
        // What a magic does with variables is its own business; so is a statement that cannot be read.
        Some(Said::Magic(_) | Said::MagicAssignment { .. }) | None => one.reads_all = true,
    }
    one
}

/// Every name in an expression counts as read; names of parameters do no harm.
fn reads(tree: Option<&Expr>, one: &mut Use) {
    let mut waiting: Vec<(&Expr, bool)> = tree.into_iter().map(|tree| (tree, false)).collect();
    while let Some((expr, mut in_lambda)) = waiting.pop() {
        match &expr.kind {
            ExprKind::Name(name) | ExprKind::Exists(name) => {
                if name == "_" {
                    one.reads_all = true;
                }
                let to = if in_lambda {
                    &mut one.late
                } else {
                    &mut one.reads
                };
                // `a.b` may walk into the map `a`.
                for (at, _) in name.match_indices('.') {
                    to.insert(name[..at].into());
                }
                to.insert(name.clone());
            }
            ExprKind::Call { name, .. } if name.starts_with(SEERS) => one.reads_all = true,
            ExprKind::Lambda { .. } => in_lambda = true,
            _ => {}
        }
        expr.children(|part| waiting.push((part, in_lambda)));
    }
}
