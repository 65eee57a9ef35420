//! What is legal in the calls of these functions and hardly meant.

use super::periods::with_setting;
use crate::diagnostic::{Code, Diagnostic, Fault, Fix, Span, nearest, quoted_list};
use crate::eval::{Context, Notes};
use crate::profile::client::{DEFAULT, DIVISOR, DURATION, FAMILY, PROVIDER, TABLE, UNITS};
use crate::profile::holidays::Edition;
use crate::profile::window::{self, Setting};
use crate::syntax::lint::number;
use crate::syntax::{Expr, ExprKind, quoted};

/// The overrides of PROFILE_FIXED.
pub(super) const OF_FIXED: &[&str] = &[DURATION, UNITS];
/// The overrides of PROFILE_WINDOW.
pub(super) const OF_WINDOW: &[&str] = &[DURATION, UNITS, Edition::KEY];
/// The overrides of PROFILE_GET where it is given periods.
const OF_GET: &[&str] = &[TABLE, FAMILY, DIVISOR, DEFAULT, PROVIDER];
/// Those where it is given a duration.
const OF_OLD_GET: &[&str] = &[TABLE, FAMILY, DIVISOR, DEFAULT, PROVIDER, DURATION, UNITS];
/// The overrides of PROFILE_PUT.
const OF_PUT: &[&str] = &[TABLE, FAMILY, DIVISOR];

/// What is said about the setting that names a Java class.
pub(super) const NO_PROVIDER: &str =
    "hbase.provider.impl has no effect: no Java class opens tables here";

/// What is said about an override that a function does not know, and what to do about it.
pub(super) fn passed_over(name: &str, key: &str, known: &[&str]) -> (String, String) {
    let hint = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it knows {}", quoted_list(known).replace(" or ", " and ")),
    };
    (format!("{name} passes over the override {key}"), hint)
}

/// The entries of a map literal with texts as keys.
fn entries(argument: Option<&Expr>) -> impl Iterator<Item = (&str, &Expr, &Expr)> {
    let pairs = match argument.map(|a| &a.inner().kind) {
        Some(ExprKind::Map(pairs)) => pairs.as_slice(),
        _ => &[],
    };
    pairs
        .iter()
        .filter_map(|(key, value)| match &key.inner().kind {
            ExprKind::Text(text) => Some((text.as_str(), key, value)),
            _ => None,
        })
}

/// Complains about overrides of a literal that the function passes over.
fn overrides(
    name: &str,
    argument: Option<&Expr>,
    known: &[&str],
    context: &Context,
    found: &mut Vec<Fault>,
) {
    let notes = context.services.get::<Notes>();
    for (text, key, _) in entries(argument) {
        if text == PROVIDER && known.contains(&PROVIDER) {
            found.push(Diagnostic::at(Code::IgnoredArgument, key.span, NO_PROVIDER));
            if let Some(notes) = &notes {
                notes.known(NO_PROVIDER);
            }
            continue;
        }
        if known.contains(&text) {
            continue;
        }
        let (message, mut hint) = passed_over(name, text, known);
        // The call itself need not say it again.
        if let Some(notes) = &notes {
            notes.known(format!("{message}; {hint}"));
        }
        let near = nearest(text, known.iter().copied());
        if [DURATION, UNITS].contains(&text) {
            hint = "the periods have their length already: write it into PROFILE_FIXED or PROFILE_WINDOW".into();
        }
        let fault = Diagnostic::at(Code::UnknownOption, key.span, message).help(hint);
        found.push(match near {
            Some(near) if ![DURATION, UNITS].contains(&text) => {
                fault.fix(Fix::replace(key.span, quoted(near)))
            }
            _ => fault,
        });
    }
}

/// About PROFILE_FIXED.
pub(super) fn fixed(arguments: &[Expr], context: &Context, found: &mut Vec<Fault>) {
    overrides("PROFILE_FIXED", arguments.get(2), OF_FIXED, context, found);
}

/// About PROFILE_PUT.
pub(super) fn put(arguments: &[Expr], context: &Context, found: &mut Vec<Fault>) {
    overrides("PROFILE_PUT", arguments.get(1), OF_PUT, context, found);
}

/// About PROFILE_GET.
pub(super) fn get(arguments: &[Expr], context: &Context, found: &mut Vec<Fault>) {
    let kind = |index: usize| arguments.get(index).map(|a| &a.inner().kind);
    let old = arguments
        .get(2)
        .is_some_and(|a| number(a.inner()).is_some())
        && matches!(kind(3), Some(ExprKind::Text(_)));
    let (groups, known) = if old { (4, OF_OLD_GET) } else { (3, OF_GET) };
    if matches!(kind(groups), Some(ExprKind::List(_))) {
        overrides(
            "PROFILE_GET",
            arguments.get(groups + 1),
            known,
            context,
            found,
        );
    }
}

/// About PROFILE_WINDOW: its overrides, and what its selector means.
pub(super) fn window(arguments: &[Expr], context: &Context, found: &mut Vec<Fault>) {
    let kind = |index: usize| arguments.get(index).map(|a| &a.inner().kind);
    let at = match (kind(1), kind(2)) {
        (Some(ExprKind::Map(_)), None | Some(ExprKind::Null)) => 1,
        _ => 2,
    };
    let settings = arguments.get(at);
    overrides("PROFILE_WINDOW", settings, OF_WINDOW, context, found);
    let Some((ExprKind::Text(selector), place)) =
        arguments.first().map(|a| (&a.inner().kind, a.inner().span))
    else {
        return;
    };
    // What is malformed is an error, and said as such.
    let Ok(window) = window::window(selector) else {
        return;
    };
    let edition = entries(settings)
        .find(|(key, ..)| *key == Edition::KEY)
        .and_then(|(_, _, value)| match &value.inner().kind {
            ExprKind::Text(name) => Edition::parse(name),
            _ => None,
        });
    let now = arguments.get(1).and_then(|a| number(a.inner()));
    let lints = with_setting(context, |setting| {
        Ok(window.lints(&Setting {
            now: now.map_or(setting.now, |now| now as i64),
            edition: edition.unwrap_or(setting.edition),
            ..*setting
        }))
    });
    // Without an escape the text stands in the expression as it is.
    let plain = place.end - place.start == selector.len() + 2;
    for lint in lints.unwrap_or_default() {
        let span = match plain {
            true => lint.span.shifted(place.start + 1),
            false => place,
        };
        found.push(said(lint, span));
    }
}

fn said(lint: window::Lint, span: Span) -> Fault {
    let fault = Diagnostic::at(lint.code, span, lint.message);
    match lint.help {
        Some(help) => fault.help(help),
        None => fault,
    }
}
