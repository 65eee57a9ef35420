//! How a variable is joined, read from the expressions that set it.

use super::{Rule, Why};
use crate::diagnostic::Source;
use crate::eval::{Context, Value, compile};
use crate::profile::definition::{Definition, Expression, names_of};
use crate::syntax::{ArithOp, Expr, ExprKind, LogicOp, with_stack};
use smol_str::SmolStr;
use std::sync::Arc;

/// The name of the older state's value in an expression that joins.
pub(super) const LEFT: &str = "left";

/// How a variable grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// By adding numbers.
    Sum,
    /// To a constant, once.
    Set,
    /// Two values are joined by a function that takes a list of them.
    Listed(&'static str),
    /// By `and`.
    All,
    /// By `or`.
    Any,
}

/// Functions that add to their first argument, each with the one that makes one value of a list.
const ADD: &[(&str, &str)] = &[
    ("STATS_ADD", "STATS_MERGE"),
    ("HLLP_ADD", "HLLP_MERGE"),
    ("BLOOM_ADD", "BLOOM_MERGE"),
    ("SET_ADD", "SET_MERGE"),
    ("MULTISET_ADD", "MULTISET_MERGE"),
    ("SAMPLE_ADD", "SAMPLE_MERGE"),
    ("OUTLIER_MAD_ADD", "OUTLIER_MAD_STATE_MERGE"),
    ("", "MAX"),
    ("", "MIN"),
];

/// The rule of one variable.
pub(super) fn of(
    definition: &Definition,
    variable: &SmolStr,
    variables: &[SmolStr],
    context: &Context,
) -> Result<Rule, Why> {
    let set = |entries: &[(SmolStr, Expression)]| {
        let mut found = entries.iter().filter(|(name, _)| name == variable);
        found.next_back().map(|(_, expression)| expression.clone())
    };
    let tree = |expression: &Expression| expression.tree(context).map_err(|_| Why::Broken);
    let init = set(&definition.init)
        .map(|e| tree(&e))
        .transpose()?
        .flatten();
    let update = set(&definition.update)
        .map(|e| tree(&e))
        .transpose()?
        .flatten();
    let beginning = init.as_ref().map(names);
    let Some(update) = update else {
        return match beginning {
            Some(names) if names.is_empty() => Ok(Rule::Either),
            _ => Err(Why::First),
        };
    };
    let used = names(&update);
    let mut others = variables.iter().filter(|other| *other != variable);
    if used.iter().any(|name| name == "_") {
        return Err(Why::Others("all variables".into()));
    }
    if let Some(other) = others.find(|other| used.iter().any(|name| refers(name, other))) {
        return Err(Why::Others(other.clone()));
    }
    if !used.iter().any(|name| refers(name, variable)) {
        return match used.is_empty() {
            true => Ok(Rule::Either),
            false => Err(Why::Last),
        };
    }
    let (Some(init), Some(beginning)) = (init, beginning) else {
        return Err(Why::NoInit);
    };
    if !beginning.is_empty() {
        return Err(Why::First);
    }
    let growth = growth(&update, variable)
        .ok_or(Why::Unknown)?
        .ok_or(Why::Unknown)?;
    let expression = set(&definition.init).unwrap_or_default();
    let text = expression.text().as_str();
    if growth == Growth::Sum {
        let begins = expression.compile(context).map_err(|_| Why::Broken)?;
        if !begins.constant().is_some_and(Value::is_number) {
            return Err(Why::Begun("a number"));
        }
    }
    let join = match growth {
        Growth::Sum if text.trim() == "0" => "left + right".to_string(),
        Growth::Sum => format!("left + right - ({text})"),
        Growth::Set => format!("if left == ({text}) then right else left"),
        // It merges into the first of its list.
        Growth::Listed(merge @ "BLOOM_MERGE") => format!("{merge}([({text}), left, right])"),
        Growth::Listed(merge) => {
            begins_empty(merge, &init)?;
            format!("{merge}([left, right])")
        }
        Growth::All => "left and right".to_string(),
        Growth::Any => "left or right".to_string(),
    };
    let program = compile(&Arc::new(Source::expression(join)), context);
    program.map(Rule::Join).map_err(|_| Why::Broken)
}

/// Whether a name means a variable, or something inside of it.
fn refers(name: &str, variable: &str) -> bool {
    let plain = name.strip_prefix("_.").unwrap_or(name);
    let rest = plain.strip_prefix(variable);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The first group, by its number from 0, that depends on what was measured, and the name by which it does. A measurement
/// may stand under another group then when more is known.
pub fn moving_group(definition: &Definition, context: &Context) -> Option<(usize, SmolStr)> {
    let mut variables = definition.variables();
    variables.push("result".into());
    let groups = definition.group_by.iter().enumerate();
    let moving = |(index, group): (usize, &Expression)| {
        let used = names(&group.tree(context).ok()??);
        let mut named = used
            .iter()
            .filter(|name| *name == "_" || variables.iter().any(|variable| refers(name, variable)));
        Some((index, named.next()?.clone()))
    };
    groups.filter_map(moving).next()
}

fn names(tree: &Expr) -> Vec<SmolStr> {
    let mut found = Vec::new();
    with_stack(|| names_of(tree, &mut Vec::new(), &mut found));
    found.into_iter().map(|(name, _)| name).collect()
}

/// What counts its elements would count those of `init` twice.
fn begins_empty(merge: &str, init: &Expr) -> Result<(), Why> {
    let bare = |wanted: &str| match &init.inner().kind {
        ExprKind::Call {
            name, arguments, ..
        } => {
            let zero = |a: &Expr| matches!(a.inner().kind, ExprKind::Int(0));
            name == wanted && arguments.iter().all(zero)
        }
        ExprKind::Map(pairs) => wanted == "MULTISET_INIT" && pairs.is_empty(),
        _ => false,
    };
    match merge {
        // A window of the latest values has an order.
        "STATS_MERGE" if !bare("STATS_INIT") => Err(Why::Begun("STATS_INIT()")),
        "MULTISET_MERGE" if !bare("MULTISET_INIT") => Err(Why::Begun("MULTISET_INIT()")),
        _ => Ok(()),
    }
}

fn is(expr: &Expr, variable: &str) -> bool {
    matches!(&expr.inner().kind, ExprKind::Name(name) if name == variable)
}

fn mentions(expr: &Expr, variable: &str) -> bool {
    names(expr).iter().any(|name| refers(name, variable))
}

/// Whether exactly one of these is the variable, and the others do not mention it.
fn once<'a>(parts: impl Iterator<Item = &'a Expr>, variable: &str) -> bool {
    let mut count = 0;
    for part in parts {
        if is(part, variable) {
            count += 1;
        } else if mentions(part, variable) {
            return false;
        }
    }
    count == 1
}

/// How an expression changes a variable that it mentions: `None` for a way that is not known, `Some(None)` for not at
/// all.
fn growth(expr: &Expr, variable: &str) -> Option<Option<Growth>> {
    let expr = expr.inner();
    if is(expr, variable) || matches!(expr.kind, ExprKind::Null) {
        return Some(None);
    }
    if names(expr).is_empty() {
        return Some(Some(Growth::Set));
    }
    match &expr.kind {
        ExprKind::Conditional {
            branches,
            otherwise,
            ..
        } => {
            if branches.iter().any(|(check, _)| mentions(check, variable)) {
                return None;
            }
            let results = branches.iter().map(|(_, result)| result);
            alike(results.chain(std::iter::once(&**otherwise)), variable)
        }
        ExprKind::Match { clauses, default } => {
            if clauses.iter().any(|(check, _)| mentions(check, variable)) {
                return None;
            }
            let results = clauses.iter().map(|(_, result)| result);
            alike(results.chain(std::iter::once(&**default)), variable)
        }
        ExprKind::Arithmetic(first, rest) => {
            let plain = rest.iter().all(|(op, part)| match op {
                ArithOp::Add => true,
                ArithOp::Subtract => !mentions(part, variable),
                _ => false,
            });
            let parts = std::iter::once(&**first).chain(rest.iter().map(|(_, part)| part));
            (plain && once(parts, variable)).then_some(Some(Growth::Sum))
        }
        ExprKind::Logic(parts, ops) => {
            let growth = match ops.first()? {
                LogicOp::And => Growth::All,
                LogicOp::Or => Growth::Any,
            };
            let one_kind = ops.iter().all(|op| Some(op) == ops.first());
            (one_kind && once(parts.iter(), variable)).then_some(Some(growth))
        }
        ExprKind::Call {
            name, arguments, ..
        } => {
            let (add, merge) = ADD
                .iter()
                .find(|(add, merge)| name == add || name == merge)?;
            let (first, rest) = arguments.split_first()?;
            if rest.iter().any(|a| mentions(a, variable)) {
                return None;
            }
            let fits = match &first.inner().kind {
                ExprKind::List(items) if name != add => once(items.iter(), variable),
                _ => name == add && is(first, variable),
            };
            fits.then_some(Some(Growth::Listed(merge)))
        }
        _ => None,
    }
}

/// The one way in which all of these change the variable.
fn alike<'a>(results: impl Iterator<Item = &'a Expr>, variable: &str) -> Option<Option<Growth>> {
    let mut found = None;
    for result in results {
        let Some(growth) = growth(result, variable)? else {
            continue;
        };
        if *found.get_or_insert(growth) != growth {
            return None;
        }
    }
    Some(found)
}
