//! Definitions of profiles: what they hold, how they are read, and whether their expressions are good.

mod json;
mod lint;
mod read;
#[cfg(test)]
mod tests;

pub(super) use lint::names_of;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use crate::eval::collections::Map;
use crate::eval::json::write_json;
use crate::eval::{Context, Program, Value, compile};
use crate::functions::lints::Known;
use crate::syntax::{Expr, ParseLimits, parse as parse_expression};
use json::Text;
use smol_str::SmolStr;
use std::sync::Arc;

/// All profiles of a profiler.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    /// The profiles, in order.
    pub profiles: Vec<Arc<Definition>>,
    /// The field of a message that holds its time; without it the clock counts.
    pub timestamp_field: Option<SmolStr>,
}

/// One profile.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name.
    pub profile: SmolStr,
    /// What the entity of a message is.
    pub foreach: Expression,
    /// Whether a message matters.
    pub only_if: Expression,
    /// What sets the variables anew, at the first message after a flush.
    pub init: Vec<(SmolStr, Expression)>,
    /// What changes the variables at each message.
    pub update: Vec<(SmolStr, Expression)>,
    /// By what measurements are told apart beside entity and period.
    pub group_by: Vec<Expression>,
    /// The value of a measurement.
    pub result: Expression,
    /// Further values, for triage.
    pub triage: Vec<(SmolStr, Expression)>,
    /// After how many days a measurement may be forgotten.
    pub expires: Option<i64>,
    /// What the profile is good for.
    pub description: Option<SmolStr>,
    /// Whether partial states of one entity and period may be merged; see [`super::merge`].
    pub mergeable: Option<bool>,
    /// Where its parts stand in the source of the definitions.
    pub places: Places,
}

/// Where parts of a definition that are no expressions stand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Places {
    /// The whole definition.
    pub whole: Span,
    /// The value of `profile`.
    pub profile: Span,
    /// The value of `expires`.
    pub expires: Span,
    /// The value of `mergeable`.
    pub mergeable: Span,
}

impl Definition {
    /// Whether both are equal, so that they share their state. Neither the order of assignments nor a
    /// description matters.
    pub fn same(&self, other: &Definition) -> bool {
        self.profile == other.profile
            && self.foreach == other.foreach
            && self.only_if == other.only_if
            && self.group_by == other.group_by
            && self.result == other.result
            && self.expires == other.expires
            && same_entries(&self.init, &other.init)
            && same_entries(&self.update, &other.update)
            && same_entries(&self.triage, &other.triage)
    }

    /// All expressions, with what each is for.
    pub fn expressions(&self) -> impl Iterator<Item = (Role, &Expression)> {
        let groups = self.group_by.iter().enumerate();
        [
            (Role::ForEach, &self.foreach),
            (Role::OnlyIf, &self.only_if),
        ]
        .into_iter()
        .chain(named(Role::Init, &self.init))
        .chain(named(Role::Update, &self.update))
        .chain(groups.map(|(i, expression)| (Role::GroupBy(i), expression)))
        .chain([(Role::Result, &self.result)])
        .chain(named(Role::Triage, &self.triage))
    }
}

impl Definition {
    /// The names of its variables, in the order in which they come up.
    pub fn variables(&self) -> Vec<SmolStr> {
        let mut names: Vec<SmolStr> = Vec::new();
        for (name, _) in self.init.iter().chain(&self.update) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// What is wrong with its expressions already now, with places in them.
    pub fn problems(&self, context: &Context) -> Vec<(Role, Fault)> {
        let of = |(role, expression): (Role, &Expression)| {
            let faults = expression.problems(context);
            faults.into_iter().map(move |fault| (role.clone(), fault))
        };
        self.expressions().flat_map(of).collect()
    }
}

fn named(
    role: fn(SmolStr) -> Role,
    entries: &[(SmolStr, Expression)],
) -> impl Iterator<Item = (Role, &Expression)> {
    entries
        .iter()
        .map(move |(name, expression)| (role(name.clone()), expression))
}

fn same_entries(left: &[(SmolStr, Expression)], right: &[(SmolStr, Expression)]) -> bool {
    left.len() == right.len() && left.iter().all(|entry| right.contains(entry))
}

/// What an expression of a profile is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// `onlyif`
    OnlyIf,
    /// `foreach`
    ForEach,
    /// The variable of `init`.
    Init(SmolStr),
    /// The variable of `update`.
    Update(SmolStr),
    /// `result`
    Result,
    /// The name in `triage`.
    Triage(SmolStr),
    /// The number in `groupBy`, from 0.
    GroupBy(usize),
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Role::OnlyIf => f.write_str("onlyif"),
            Role::ForEach => f.write_str("foreach"),
            Role::Init(name) => write!(f, "init of {name}"),
            Role::Update(name) => write!(f, "update of {name}"),
            Role::Result => f.write_str("result"),
            Role::Triage(name) => write!(f, "triage {name}"),
            Role::GroupBy(index) => write!(f, "groupBy {}", index + 1),
        }
    }
}

/// The text of an expression and where it stands.
#[derive(Debug, Clone, Default)]
pub struct Expression(Text);

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.0.text == other.0.text
    }
}

impl Expression {
    /// Its text.
    pub fn text(&self) -> &SmolStr {
        &self.0.text
    }

    /// Compiles it; blank text is null. Errors: those of the syntax, with places in the expression.
    pub fn compile(&self, context: &Context) -> Outcome<Arc<Program>> {
        compile(&Arc::new(Source::expression(self.text().as_str())), context)
    }

    /// Its tree; `None` for blank text. Errors: E01xx with places in the expression.
    pub fn tree(&self, context: &Context) -> Outcome<Option<Expr>> {
        let source = Arc::new(Source::expression(self.text().as_str()));
        parse_expression(
            &source,
            ParseLimits {
                length: context.limits.expression,
                depth: context.limits.depth,
            },
        )
    }

    /// What is wrong with it already now.
    fn problems(&self, context: &Context) -> Vec<Fault> {
        match self.compile(context) {
            Ok(program) => program.problems.clone(),
            Err(fault) => vec![fault],
        }
    }

    /// Where a part of it stands in the source of the definitions.
    pub(super) fn place(&self, part: Span) -> Span {
        self.0.place(part)
    }

    /// The same fault at its place in the source of the definitions.
    fn moved(&self, mut fault: Fault, source: &Arc<Source>) -> Fault {
        fault.span = fault.span.map(|span| self.place(span));
        for label in &mut fault.related {
            if label.source.is_none() {
                label.span = self.place(label.span);
            }
        }
        if let Some(fix) = &mut fault.fix {
            for (span, text) in &mut fix.edits {
                *span = self.place(*span);
                *text = text.replace('\\', "\\\\").replace('"', "\\\"");
            }
        }
        fault.source = Some(source.clone());
        fault
    }
}

/// Reads the definitions in a JSON text. Errors: E0222, each problem with its place; at least one.
pub fn parse(source: &Arc<Source>) -> Result<Definitions, Vec<Fault>> {
    read::definitions(source)
}

/// Reads definitions given as a map of the language, by way of its JSON. Errors: E0222, those of JSON.
pub fn from_map(map: &Map) -> Result<Definitions, Vec<Fault>> {
    let mut text = Vec::new();
    write_json(&Value::Map(map.clone()), &mut text).map_err(|fault| vec![fault])?;
    let text = String::from_utf8(text).unwrap_or_default();
    parse(&Arc::new(Source::expression(text)))
}

/// The first of several problems, with a note about the others.
pub fn first(faults: Vec<Fault>) -> Fault {
    let others = faults.len().saturating_sub(1);
    let first = faults.into_iter().next();
    // No reader gives back an empty list; if one did, this says what is known.
    let first = first
        .unwrap_or_else(|| Diagnostic::new(Code::BadProfile, "the definitions cannot be read"));
    match others {
        0 => first,
        1 => first.note("there is one more problem"),
        n => first.note(format!("there are {n} more problems")),
    }
}

/// Everything that is wrong with the definitions in a JSON text, expressions included.
pub fn check(source: &Arc<Source>, context: &Context) -> Vec<Fault> {
    let definitions = match parse(source) {
        Ok(definitions) => definitions,
        Err(faults) => return faults,
    };
    let mut found = Vec::new();
    for definition in &definitions.profiles {
        for (role, expression) in definition.expressions() {
            let faults = expression.problems(context).into_iter();
            let placed = faults.map(|fault| {
                let fault = expression.moved(fault, source);
                fault.note(format!("it is the {role} of {}", definition.profile))
            });
            found.extend(placed);
        }
    }
    found
}

/// What is legal in the definitions in a JSON text and hardly meant, in the order of the text; nothing about
/// definitions that cannot be read. `known` is what the messages are known to hold.
pub fn lint(source: &Arc<Source>, context: &Context, known: &Known) -> Vec<Fault> {
    match parse(source) {
        Ok(definitions) => lint::definitions(&definitions, source, context, known),
        Err(_) => Vec::new(),
    }
}
