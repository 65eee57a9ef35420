//! What is legal in definitions and hardly meant.

use super::{Definition, Definitions, Expression, Role};
use crate::diagnostic::{Code, Diagnostic, Fault, Source, Span, nearest};
use crate::eval::Context;
use crate::functions::lints::{Known, Types, of_tree};
use crate::profile::merge::Merge;
use crate::profile::runner::OF_MEASUREMENT;
use crate::syntax::{Expr, ExprKind, with_stack};
use smol_str::SmolStr;
use std::sync::Arc;

/// All lints, in the order of the text.
pub(super) fn definitions(
    definitions: &Definitions,
    source: &Arc<Source>,
    context: &Context,
    known: &Known,
) -> Vec<Fault> {
    let mut found = Vec::new();
    for (index, definition) in definitions.profiles.iter().enumerate() {
        let before = definitions.profiles.get(..index).unwrap_or_default();
        let linter = Linter {
            definition,
            variables: definition.variables(),
            source,
            context,
        };
        linter.same_name(before, &mut found);
        linter.expires(&mut found);
        linter.mergeable(&mut found);
        for (role, expression) in definition.expressions() {
            linter.expression(&role, expression, known, &mut found);
        }
    }
    found.sort_by_key(|fault| fault.span.unwrap_or_default().start);
    found
}

struct Linter<'a> {
    definition: &'a Definition,
    variables: Vec<SmolStr>,
    source: &'a Arc<Source>,
    context: &'a Context,
}

impl Linter<'_> {
    fn at(&self, code: Code, span: Span, message: String) -> Fault {
        Diagnostic::at(code, span, message).in_source(self.source)
    }

    fn same_name(&self, before: &[Arc<Definition>], found: &mut Vec<Fault>) {
        let own = self.definition;
        let Some(other) = before.iter().find(|other| other.profile == own.profile) else {
            return;
        };
        let (message, help) = match own.same(other) {
            true => (
                format!("the profile {} stands here twice", own.profile),
                "both share their variables, and every message counts twice: remove one",
            ),
            false => (
                format!("there is a profile {} already", own.profile),
                "their measurements replace each other in the store: give it a name of its own",
            ),
        };
        found.push(
            self.at(Code::SameProfile, own.places.profile, message)
                .help(help),
        );
    }

    fn expires(&self, found: &mut Vec<Fault>) {
        if let Some(days) = self.definition.expires.filter(|days| *days < 1) {
            let message = format!("measurements that expire after {days} days are never found");
            found.push(self.at(Code::ExpiresAtOnce, self.definition.places.expires, message));
        }
    }

    fn mergeable(&self, found: &mut Vec<Fault>) {
        if self.definition.mergeable != Some(true) {
            return;
        }
        let Err(reasons) = Merge::of(self.definition, self.context) else {
            return;
        };
        for reason in reasons {
            let message = format!(
                "{} is marked mergeable, but {reason}",
                self.definition.profile
            );
            let fault = self.at(
                Code::NotMergeable,
                self.definition.places.mergeable,
                message,
            );
            found.push(match reason.help() {
                Some(help) => fault.help(help),
                None => fault,
            });
        }
    }

    fn expression(
        &self,
        role: &Role,
        expression: &Expression,
        known: &Known,
        found: &mut Vec<Fault>,
    ) {
        let Ok(Some(tree)) = expression.tree(self.context) else {
            return;
        };
        let sees_messages = matches!(
            role,
            Role::OnlyIf | Role::ForEach | Role::Init(_) | Role::Update(_)
        );
        let sees_variables = !matches!(role, Role::OnlyIf | Role::ForEach);
        let mut seen = Known {
            fields: known.fields.clone().filter(|_| sees_messages),
            ..Known::default()
        };
        if sees_variables {
            let names = self.variables.iter();
            seen.variables
                .extend(names.map(|name| (name.clone(), Types::ANY)));
        }
        let own = Arc::new(Source::expression(expression.text().as_str()));
        let mut faults = of_tree(&tree, &own, &[], self.context, &seen);
        if !sees_messages {
            let extra = match role {
                Role::GroupBy(_) => OF_MEASUREMENT.as_slice(),
                _ => &[],
            };
            faults.extend(self.unseen(&tree, extra));
        }
        if let Role::Update(name) = role {
            faults.extend(self.never_reset(name, &tree));
        }
        let named = |fault: Fault| {
            let fault = expression.moved(fault, self.source);
            fault.note(format!("it is the {role} of {}", self.definition.profile))
        };
        found.extend(faults.into_iter().map(named));
    }

    /// Names that only messages have, in what runs at the flush.
    fn unseen(&self, tree: &Expr, extra: &[&str]) -> Vec<Fault> {
        let mut names = Vec::new();
        with_stack(|| names_of(tree, &mut Vec::new(), &mut names));
        let known = |name: &str| {
            let plain = name.strip_prefix("_.").unwrap_or(name);
            let first = plain.split('.').next().unwrap_or(plain);
            plain == "_"
                || extra.contains(&plain)
                || self.variables.iter().any(|v| v == plain || v == first)
        };
        let candidates = || self.variables.iter().map(SmolStr::as_str);
        names
            .into_iter()
            .filter(|(name, _)| !known(name))
            .map(|(name, span)| {
                let message = format!("{name} is no variable of the profile, so it is null here");
                let fault = Diagnostic::at(Code::UnseenName, span, message);
                match nearest(&name, candidates().chain(extra.iter().copied())) {
                    Some(near) => fault.did_you_mean(Some(near)),
                    None => fault.help(format!("keep it in update: \"{name}\": \"{name}\"")),
                }
            })
            .collect()
    }

    /// A variable that goes on from the last period.
    fn never_reset(&self, name: &SmolStr, tree: &Expr) -> Option<Fault> {
        if self.definition.init.iter().any(|(set, _)| set == name) {
            return None;
        }
        let mut names = Vec::new();
        with_stack(|| names_of(tree, &mut Vec::new(), &mut names));
        let (_, span) = names.into_iter().find(|(used, _)| used == name)?;
        let message =
            format!("{name} is never set anew: after a flush it goes on from its last value");
        Some(
            Diagnostic::at(Code::NeverReset, span, message)
                .help(format!("write {name} into init, unless that is meant")),
        )
    }
}

/// The free names in an expression with their places.
pub(in crate::profile) fn names_of(
    expr: &Expr,
    bound: &mut Vec<SmolStr>,
    found: &mut Vec<(SmolStr, Span)>,
) {
    match &expr.kind {
        ExprKind::Name(name) | ExprKind::Exists(name) if !bound.contains(name) => {
            found.push((name.clone(), expr.span));
        }
        ExprKind::Lambda { parameters, body } => {
            let before = bound.len();
            bound.extend(parameters.iter().map(|(name, _)| name.clone()));
            names_of(body, bound, found);
            bound.truncate(before);
        }
        _ => expr.children(|part| names_of(part, bound, found)),
    }
}
