//! Arguments that do nothing, or not what they seem to do.

use super::scope::Scope;
use super::types::{self, Types};
use super::{Called, called, text_argument};
use crate::diagnostic::{Code, Diagnostic, Fault, Fix, Span};
use crate::eval::java::formatter::Format;
use crate::syntax::lint::{Node, is_literal, number};
use crate::syntax::{Expr, ExprKind};

/// Functions that ignore arguments though their declarations name them, or may take any number: how many count.
const IGNORE: &[(&str, usize, &str)] = &[
    ("HLLP_ADD", 2, "HLLP_ADD takes one value or a list of them"),
    ("PROFILE_VERBOSE", 4, "PROFILE_VERBOSE takes no overrides"),
];

/// Functions that take all their arguments for none when there are more than so many.
const NONE_COUNT: &[(&str, usize, &str)] = &[
    (
        "SET_INIT",
        1,
        "with more than one argument the set stays empty",
    ),
    (
        "MULTISET_TO_SET",
        1,
        "with more than one argument the set stays empty",
    ),
];

fn ignored_fault(place: Span, message: String) -> Fault {
    Diagnostic::at(Code::IgnoredArgument, place, message)
}

/// More arguments than a function looks at, or one that it passes over.
pub fn ignored(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope) else {
        return;
    };
    let (name, count) = (call.name, call.arguments.len());
    if let Some((_, most, why)) = NONE_COUNT.iter().find(|(n, ..)| *n == name) {
        if count > *most {
            let fault = ignored_fault(node.expr.span, (*why).to_string());
            found.push(fault.help("put the elements into a list"));
        }
        return;
    }
    if let Some((_, most, why)) = IGNORE.iter().find(|(n, ..)| *n == name) {
        extra(&call, *most, found, |fault| fault.help(*why));
        return;
    }
    if name == "FORMAT" {
        format(&call, found);
    } else if let Some(builtin) = scope.context.functions.builtin(name)
        && !builtin.strict
    {
        extra(&call, builtin.most, found, |fault| fault);
    }
    passed_over(&call, scope, found);
}

/// Complains about the arguments behind the first `most`.
fn extra(
    call: &Called<'_>,
    most: usize,
    found: &mut Vec<Fault>,
    more: impl FnOnce(Fault) -> Fault,
) {
    let Some(rest) = call.arguments.get(most..) else {
        return;
    };
    let (Some(first), Some(last)) = (rest.first(), rest.last()) else {
        return;
    };
    let takes = match most {
        0 => "no argument".to_string(),
        1 => "one argument".to_string(),
        n => format!("at most {n} arguments"),
    };
    let message = format!("{} takes {takes}; the rest is ignored", call.name);
    let fault = ignored_fault(first.span.to(last.span), message);
    // What is ignored may be what was meant: the user shall look.
    let fix = most
        .checked_sub(1)
        .and_then(|i| call.arguments.get(i))
        .map(|before| Fix {
            edits: vec![(Span::new(before.span.end, last.span.end), String::new())],
            keeps_meaning: false,
        });
    let fault = more(fault);
    found.push(match fix {
        Some(fix) => fault.fix(fix),
        None => fault,
    });
}

fn is_plain(expr: &Expr) -> bool {
    is_literal(expr) || matches!(expr.kind, ExprKind::Name(_))
}

/// Values behind those that the format asks for.
fn format(call: &Called<'_>, found: &mut Vec<Fault>) {
    let Some((pattern, _)) = text_argument(call, 0) else {
        return;
    };
    let Ok(format) = Format::compile(pattern) else {
        return;
    };
    let wanted = format.arguments();
    let Some(rest) = call.arguments.get(wanted.saturating_add(1)..) else {
        return;
    };
    let (Some(first), Some(last)) = (rest.first(), rest.last()) else {
        return;
    };
    let asks = match wanted {
        0 => "no value".to_string(),
        1 => "one value".to_string(),
        n => format!("{n} values"),
    };
    found.push(ignored_fault(
        first.span.to(last.span),
        format!("the format asks for {asks}; the rest is ignored"),
    ));
}

/// Arguments of a kind that the function passes over.
fn passed_over(call: &Called<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let argument = |index: usize| call.arguments.get(index);
    let kind = |index: usize| match argument(index).map(|a| types::of(a, scope)) {
        None | Some(Types::NONE) => Types::ANY,
        Some(types) => types,
    };
    let mut say = |index: usize, message: &str, help: &str, fix: Option<Fix>| {
        let Some(argument) = argument(index) else {
            return;
        };
        let mut fault = ignored_fault(argument.span, message.to_string()).help(help);
        fault.fix = fix;
        found.push(fault);
    };
    match call.name {
        "DATE_FORMAT" if call.arguments.len() == 2 => {
            if kind(1).may_be(Types::LONG.or(Types::TEXT).or_null()) {
                return;
            }
            let literal = argument(1).map(Expr::inner);
            let fix = literal
                .filter(|a| matches!(a.kind, ExprKind::Int(_)))
                .map(|a| Fix::replace(Span::new(a.span.end, a.span.end), "L"));
            say(
                1,
                "DATE_FORMAT takes only a long for a moment; this is passed over, and the present is written",
                "write an L behind the number, or TO_LONG(…)",
                fix,
            );
        }
        "FILL_LEFT" | "FILL_RIGHT" => {
            if let Some((text, _)) = text_argument(call, 1)
                && text.encode_utf16().count() > 1
            {
                say(
                    1,
                    "only the first character of this is used",
                    "write a text of one character",
                    None,
                );
            }
        }
        "HASH" if argument(2).is_some() && !kind(2).may_be(Types::MAP.or_null()) => {
            say(
                2,
                "this is passed over unless it is a map",
                "write {…}",
                None,
            );
        }
        "ZIP" | "ZIP_LONGEST" => {
            for index in 0..call.arguments.len() {
                if !kind(index).may_be(Types::LIST.or_null()) {
                    say(
                        index,
                        "this is passed over: it is no list",
                        "pass lists",
                        None,
                    );
                }
            }
        }
        "LIST_ADD" if call.arguments.len() > 1 && !kind(0).may_be(Types::LIST.or_null()) => {
            say(
                0,
                "this is no list and comes back as it is",
                "pass a list",
                None,
            );
        }
        _ => {}
    }
}

/// Percentiles written as fractions.
pub fn fraction(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope) else {
        return;
    };
    let is_fraction = |expr: &Expr| {
        number(expr.inner()).is_some_and(|p| p > 0.0 && p <= 1.0)
            && matches!(expr.inner().kind, ExprKind::Double(_) | ExprKind::Float(_))
    };
    let mut say = |place: &Expr| {
        let Some(p) = number(place.inner()) else {
            return;
        };
        // A number of percents without the noise of binary fractions.
        let percent = (p * 100.0 * 1e6).round() / 1e6;
        found.push(
            Diagnostic::at(
                Code::Fraction,
                place.span,
                "percentiles count from 0 to 100; this is less than the first hundredth",
            )
            .help(format!("write {percent} if that is meant"))
            .fix(Fix::replace(place.inner().span, percent.to_string())),
        );
    };
    match (call.name, call.arguments) {
        ("STATS_PERCENTILE", [_, p, ..]) if is_fraction(p) => say(p),
        ("STATS_BIN", [_, _, bounds, ..]) => {
            let ExprKind::List(items) = &bounds.inner().kind else {
                return;
            };
            if !items.is_empty() && items.iter().all(is_fraction) {
                items.iter().for_each(say);
            }
        }
        _ => {}
    }
}

/// Forms of arguments that have better ones.
pub fn deprecated(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope) else {
        return;
    };
    let ("PROFILE_GET", [_, _, periods, rest @ ..]) = (call.name, call.arguments) else {
        return;
    };
    // PROFILE_GET('p', 'e', 1, 'HOURS')
    if let (Some(_), [unit, ..]) = (number(periods.inner()), rest)
        && matches!(unit.inner().kind, ExprKind::Text(_))
    {
        let place = periods.span.to(unit.span);
        let written = node.written(place);
        found.push(
            Diagnostic::at(
                Code::Deprecated,
                place,
                "a duration and its unit are no longer taken here",
            )
            .help("write PROFILE_FIXED(…) around them")
            .fix(Fix::replace(place, format!("PROFILE_FIXED({written})"))),
        );
        return;
    }
    // PROFILE_GET('p', 'e', periods, 'weekday', 'office')
    let (Some(first), Some(last)) = (rest.first(), rest.last()) else {
        return;
    };
    let plain = |expr: &Expr| {
        matches!(expr.inner().kind, ExprKind::Text(_)) || number(expr.inner()).is_some()
    };
    let maps = rest.iter().any(|a| types::of(a, scope).may_be(Types::MAP));
    if !plain(first) || (maps && !rest.iter().all(is_plain)) {
        return;
    }
    let place = first.span.to(last.span);
    found.push(
        Diagnostic::at(
            Code::Deprecated,
            place,
            "groups as arguments of their own are no longer wanted",
        )
        .help("write them as a list: […]")
        .fix(Fix {
            edits: vec![
                (Span::new(place.start, place.start), "[".to_string()),
                (Span::new(place.end, place.end), "]".to_string()),
            ],
            keeps_meaning: rest
                .iter()
                .all(|a| matches!(a.inner().kind, ExprKind::Text(_))),
        }),
    );
}

/// Words of a fixed choice that the function passes over when they are others.
pub fn option(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope) else {
        return;
    };
    if call.name != "IS_IP" {
        return;
    }
    let Some(argument) = call.arguments.get(1) else {
        return;
    };
    let literal = argument.inner();
    let near = match &literal.kind {
        ExprKind::Text(text) if matches!(text.as_str(), "IPV4" | "IPV6") => return,
        ExprKind::Text(text) if text.eq_ignore_ascii_case("ipv4") => Some("'IPV4'"),
        ExprKind::Text(text) if text.eq_ignore_ascii_case("ipv6") => Some("'IPV6'"),
        // Both are meant, and both are taken.
        ExprKind::List(items) if items.len() > 1 => return,
        ExprKind::Text(_) | ExprKind::List(_) => None,
        _ => return,
    };
    let fault = Diagnostic::at(
        Code::UnknownOption,
        argument.span,
        "IS_IP knows 'IPV4' and 'IPV6'; with anything else it takes addresses of both kinds",
    );
    found.push(match near {
        Some(word) => fault
            .help(format!("write {word}"))
            .fix(Fix::replace(literal.span, word)),
        None => fault.help("leave the argument out if both are meant"),
    });
}

/// The lambda that an argument is.
fn lambda<'a>(
    call: &Called<'a>,
    index: usize,
) -> Option<(&'a [(smol_str::SmolStr, Span)], &'a Expr)> {
    match &call.arguments.get(index)?.inner().kind {
        ExprKind::Lambda { parameters, body } => Some((parameters, body)),
        _ => None,
    }
}

/// `FILTER(list, x -> TO_LOWER(x))`.
pub fn nothing_kept(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope).filter(|call| call.name == "FILTER") else {
        return;
    };
    let Some((parameters, body)) = lambda(&call, 1) else {
        return;
    };
    scope.enter(
        parameters
            .iter()
            .map(|(name, _)| (name.clone(), Types::ANY)),
    );
    let types = types::of(body, scope);
    scope.leave(parameters.len());
    if types == Types::NONE || types.may_be(Types::BOOL) {
        return;
    }
    let what = types.words().unwrap_or("something else");
    found.push(
        Diagnostic::at(
            Code::NothingKept,
            body.span,
            format!("FILTER keeps an element only for true; this gives {what}"),
        )
        .help("compare it with something"),
    );
}

/// How many arguments functions give their lambdas: name, which argument the lambda is, count.
const GIVEN: &[(&str, usize, usize)] = &[("MAP", 1, 1), ("FILTER", 1, 1), ("REDUCE", 1, 2)];

/// `MAP(list, (x, i) -> x)`.
pub fn extra_parameter(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope) else {
        return;
    };
    let Some((name, index, count)) = GIVEN.iter().find(|(name, ..)| *name == call.name) else {
        return;
    };
    let Some((parameters, _)) = lambda(&call, *index) else {
        return;
    };
    let Some((extra, place)) = parameters.get(*count) else {
        return;
    };
    let gives = match count {
        1 => "one argument".to_string(),
        n => format!("{n} arguments"),
    };
    found.push(Diagnostic::at(
        Code::ExtraParameter,
        *place,
        format!("{name} gives its lambda {gives}, so {extra} is always null"),
    ));
}
