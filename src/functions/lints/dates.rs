//! Date patterns whose letters say something else than they seem to, and zones that nobody knows.

use super::scope::Scope;
use super::{Called, called, text_argument};
use crate::diagnostic::{Code, Diagnostic, Fault, Fix};
use crate::eval::java::date_format::{Pattern, Zone};
use crate::syntax::lint::Node;
use crate::syntax::{Expr, quoted};

/// Which argument is the pattern.
const PATTERNS: &[(&str, usize)] = &[
    ("TO_EPOCH_TIMESTAMP", 1),
    ("DATE_FORMAT", 0),
    ("IS_DATE", 1),
];

/// A run of one letter, or a piece of text.
struct Run {
    letter: char,
    count: usize,
}

/// The letters of a pattern in order; text between them is a run of blanks.
fn runs(pattern: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut quoted = false;
    for c in pattern.chars() {
        if c == '\'' {
            quoted = !quoted;
        }
        let letter = if quoted || !c.is_ascii_alphabetic() {
            ' '
        } else {
            c
        };
        match runs.last_mut() {
            Some(run) if run.letter == letter => run.count += 1,
            _ => runs.push(Run { letter, count: 1 }),
        }
    }
    runs
}

/// `yyyy-mm-dd`, `YYYY-MM-dd`, `yyyy-MM-DD`, `HH:MM`, `ss.SSSSSS`.
pub fn pattern(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope) else {
        return;
    };
    let Some((_, index)) = PATTERNS.iter().find(|(name, _)| *name == call.name) else {
        return;
    };
    let Some((pattern, place)) = text_argument(&call, *index) else {
        return;
    };
    // A malformed one is an error already.
    if Pattern::compile(pattern).is_err() {
        return;
    }
    if let Some((message, better)) = mistake(pattern, call.name != "DATE_FORMAT") {
        found.push(fault(place, &message, better));
    }
}

fn fault(place: &Expr, message: &str, better: Option<String>) -> Fault {
    let fault = Diagnostic::at(Code::DatePattern, place.span, message);
    match better {
        Some(better) => {
            let written = quoted(&better);
            fault
                .help(format!("write {written} if that is meant"))
                .fix(Fix::replace(place.span, written))
        }
        None => fault,
    }
}

/// What is odd about a pattern, and the pattern that was probably meant.
fn mistake(pattern: &str, reads: bool) -> Option<(String, Option<String>)> {
    let runs = runs(pattern);
    let has = |letter: char| runs.iter().any(|run| run.letter == letter);
    let letters: Vec<char> = runs
        .iter()
        .map(|run| run.letter)
        .filter(|letter| *letter != ' ')
        .collect();
    let beside = |a: char, b: char| letters.windows(2).any(|pair| pair == [a, b]);
    let hour = |c: &char| matches!(c, 'H' | 'h' | 'k' | 'K');
    let swap = |from: char, to: char| Some(replaced(pattern, from, to));
    // Minutes between year and day, where the month belongs.
    if has('m')
        && !has('M')
        && !has('L')
        && !letters.iter().any(hour)
        && (beside('y', 'm') || beside('m', 'd') || beside('m', 'y'))
    {
        return Some(("mm are minutes, MM is the month".into(), swap('m', 'M')));
    }
    // Months behind the hours, where the minutes belong.
    let late_month = letters
        .windows(2)
        .any(|pair| matches!(pair, [h, 'M'] if hour(h)));
    if late_month && !has('m') {
        let last = letters.iter().rposition(|c| *c == 'M');
        let before = last.and_then(|i| letters.get(i.checked_sub(1)?));
        let better = if before.is_some_and(hour) {
            last_replaced(pattern, 'M', 'm')
        } else {
            None
        };
        return Some(("MM is the month, mm are minutes".into(), better));
    }
    if has('Y') && !has('w') && (has('M') || has('d') || has('D')) {
        let message = "YYYY is the year of the week, which differs at the turn of the year";
        return Some((message.into(), swap('Y', 'y')));
    }
    if has('D') && (has('M') || has('L')) && !has('d') {
        let message = "DD is the day of the year, dd that of the month";
        return Some((message.into(), swap('D', 'd')));
    }
    if has('S') && has('H') && !has('s') && letters.windows(2).any(|p| p == ['m', 'S']) {
        let message = "SS are milliseconds, ss are seconds";
        return Some((message.into(), swap('S', 's')));
    }
    if runs.iter().any(|run| run.letter == 'S' && run.count > 3) {
        let message = if reads {
            "S is a number of milliseconds, not a fraction: six digits are read as up to a thousand seconds"
        } else {
            "S is a number of milliseconds: more than three are filled with zeros"
        };
        return Some((message.into(), None));
    }
    let half_day = has('h') || has('K');
    if half_day && !has('a') && (has('m') || has('s')) {
        let better = if has('h') {
            swap('h', 'H')
        } else {
            swap('K', 'H')
        };
        return Some((
            "hh counts hours to 12, and nothing says am or pm".into(),
            better,
        ));
    }
    None
}

/// The pattern with one letter in the place of another, quoted text aside.
fn replaced(pattern: &str, from: char, to: char) -> String {
    let mut quoted = false;
    let change = |c: char| {
        if c == '\'' {
            quoted = !quoted;
        }
        if c == from && !quoted { to } else { c }
    };
    pattern.chars().map(change).collect()
}

/// The same for the last run of the letter only.
fn last_replaced(pattern: &str, from: char, to: char) -> Option<String> {
    if pattern.contains('\'') {
        return None;
    }
    let end = pattern.rfind(from)? + 1;
    let start = pattern.get(..end)?.trim_end_matches(from).len();
    let run = pattern.get(start..end)?;
    Some(format!(
        "{}{}{}",
        pattern.get(..start)?,
        run.replace(from, &to.to_string()),
        pattern.get(end..)?
    ))
}

fn zone_argument<'a>(call: &Called<'a>) -> Option<(&'a str, &'a Expr)> {
    match (call.name, call.arguments.len()) {
        ("TO_EPOCH_TIMESTAMP", _) => text_argument(call, 2),
        ("DATE_FORMAT", 2) => text_argument(call, 1),
        ("DATE_FORMAT", _) => text_argument(call, 2),
        _ => None,
    }
}

/// `DATE_FORMAT('HH:mm', now, 'Prague')` is in GMT.
pub fn zone(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope) else {
        return;
    };
    let Some((name, place)) = zone_argument(&call) else {
        return;
    };
    let means_gmt = matches!(name, "GMT" | "GMT0" | "Etc/GMT" | "Z" | "UTC");
    if means_gmt || Zone::from_java_id(name).id() != "GMT" || offset_of_nothing(name) {
        return;
    }
    let fault = Diagnostic::at(
        Code::UnknownZone,
        place.span,
        "this zone is not known, so it means GMT",
    );
    // What people write elsewhere: `+02:00`, `UTC+2`.
    let offset = name.strip_prefix("UTC").unwrap_or(name);
    let better = format!("GMT{offset}");
    found.push(if Zone::from_java_id(&better).id() != "GMT" {
        let written = quoted(&better);
        fault
            .help(format!("write {written}"))
            .fix(Fix::replace(place.span, written))
    } else {
        fault.help("write a name such as 'Europe/Prague', or 'GMT+2'")
    });
}

/// `GMT+0`, `GMT-00:00` and the like, which are GMT and known.
fn offset_of_nothing(name: &str) -> bool {
    name.strip_prefix("GMT")
        .is_some_and(|rest| rest.chars().all(|c| matches!(c, '+' | '-' | '0' | ':')))
}
