//! Says in words why a text is no selector.

use crate::diagnostic::{Code, Diagnostic, Fault, Span, nearest, quoted_list};

/// What a selector could have gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expected {
    Number,
    Unit,
    Window,
    Every,
    From,
    Ago,
    To,
    Include,
    Exclude,
    Day,
    Argument,
    Comma,
    End,
}

impl Expected {
    fn in_words(self) -> &'static str {
        match self {
            Expected::Number => "a number",
            Expected::Unit => "a unit (seconds, minutes, hours or days)",
            Expected::Window => "'window'",
            Expected::Every => "'every'",
            Expected::From => "'from'",
            Expected::Ago => "'ago'",
            Expected::To => "'to'",
            Expected::Include => "'including'",
            Expected::Exclude => "'excluding'",
            Expected::Day => "a day (a weekday, weekends, holidays, date:2017/12/25, …)",
            Expected::Argument => "an argument behind a colon",
            Expected::Comma => "a comma",
            Expected::End => "the end",
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Expected::Unit => &[
                "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days",
            ],
            Expected::Window => &["window"],
            Expected::Every => &["every", "for every"],
            Expected::From => &["from", "starting from"],
            Expected::Ago => &["ago"],
            Expected::To => &["to", "until"],
            Expected::Include => &["including", "includes", "include"],
            Expected::Exclude => &["excluding", "excludes", "exclude"],
            Expected::Day => DAYS,
            Expected::Number | Expected::Argument | Expected::Comma | Expected::End => &[],
        }
    }
}

const DAYS: &[&str] = &[
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "weekdays",
    "weekends",
    "holidays",
    "date",
    "this day of the week",
    "current day of the week",
];

/// Every word of the language.
const ALL: &[&str] = &[
    "seconds",
    "minutes",
    "hours",
    "days",
    "window",
    "every",
    "from",
    "until",
    "including",
    "excluding",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "weekdays",
    "weekends",
    "holidays",
    "date",
];

/// Short forms and other units, with what to write.
const UNITS: &[(&[&str], &str)] = &[
    (&["s", "sec", "secs"], "write seconds"),
    (&["m", "min", "mins"], "write minutes"),
    (&["h", "hr", "hrs", "std"], "write hours"),
    (&["d"], "write days"),
    (
        &["ms", "milli", "millis", "millisecond", "milliseconds"],
        "the smallest unit is the second",
    ),
    (
        &["w", "week", "weeks"],
        "there are no weeks here: write 7 days for one",
    ),
    (
        &["month", "months", "year", "years", "quarter", "quarters"],
        "months and years differ in length: write days",
    ),
];

/// The fault of a text without any word.
pub(super) fn empty(end: usize) -> Fault {
    Diagnostic::at(
        Code::BadWindow,
        Span::new(end, end),
        "the selector is empty",
    )
    .help("write a length such as 1 hour")
}

/// The fault of a number beyond 64 bits.
pub(super) fn too_large(span: Span) -> Fault {
    Diagnostic::at(Code::BadWindow, span, "this number does not fit 64 bits").labelled("too large")
}

/// The fault of a text that goes on with something else at byte `at`.
pub(super) fn unexpected(text: &str, at: usize, expected: &[Expected]) -> Fault {
    let rest = text.get(at..).unwrap_or("");
    let at = at + (rest.len() - rest.trim_start().len());
    let rest = rest.trim_start();
    let (word, at) = whole(text, at, word(rest));
    let span = Span::new(at, at + word.len());
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    expected.dedup();
    // Where a list goes on, an argument is the least of what is missing.
    if expected.len() > 1 {
        expected.retain(|wanted| *wanted != Expected::Argument);
    }
    let message = match word {
        "" => "the selector ends too early".to_string(),
        word => format!("unexpected {}", shortened(word)),
    };
    let mut fault = Diagnostic::at(Code::BadWindow, span, message);
    if !expected.is_empty() {
        let words: Vec<&str> = expected.iter().map(|wanted| wanted.in_words()).collect();
        fault = fault.labelled(format!("expected {}", quoted_list(&words)));
    }
    match hint(text, at, rest, word, &expected) {
        Some(help) => fault.help(help),
        None => {
            let known = expected.iter().flat_map(|wanted| wanted.words());
            // What a glued word was meant to be has been read already, so any word may be meant.
            let near = nearest(word, known.copied()).or_else(|| nearest(word, ALL.iter().copied()));
            fault.did_you_mean(near.filter(|_| word.len() > 1))
        }
    }
}

/// A word that is glued to another (the s of dates) is shown with it.
fn whole<'a>(text: &'a str, at: usize, word: &'a str) -> (&'a str, usize) {
    let before = text.get(..at).unwrap_or("");
    let glued = word.starts_with(char::is_alphabetic) && before.ends_with(char::is_alphabetic);
    if !glued {
        return (word, at);
    }
    let start = before.trim_end_matches(char::is_alphabetic).len();
    (text.get(start..at + word.len()).unwrap_or(word), start)
}

/// The word or the character at the start.
fn word(rest: &str) -> &str {
    let Some(first) = rest.chars().next() else {
        return "";
    };
    let same: fn(char) -> bool = if first.is_alphabetic() {
        char::is_alphabetic
    } else if first.is_ascii_digit() {
        |c| c.is_ascii_digit()
    } else {
        return &rest[..first.len_utf8()];
    };
    let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
    &rest[..end]
}

fn shortened(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_string(),
    }
}

/// Advice for what people write by habit.
fn hint(text: &str, at: usize, rest: &str, word: &str, expected: &[Expected]) -> Option<String> {
    let wants = |wanted: Expected| expected.contains(&wanted);
    let lower = word.to_lowercase();
    let say = |words: &str| Some(words.to_string());
    if let Some(phrase) = spaced_phrase(rest) {
        return Some(format!("write one blank between the words of '{phrase}'"));
    }
    if wants(Expected::Unit) {
        let known = UNITS.iter().find(|(words, _)| words.contains(&&*lower));
        if let Some((_, help)) = known {
            return say(help);
        }
        if matches!(word, "." | ",") {
            return say("there are no fractions: write 90 minutes for 1.5 hours");
        }
    }
    if wants(Expected::Number) {
        match word {
            _ if word.starts_with('0') => {
                return say("numbers begin with a digit from 1 to 9");
            }
            "-" | "+" => return say("numbers have no sign"),
            _ => {}
        }
        if matches!(&*lower, "last" | "past" | "the" | "previous") {
            return say("write the length alone: 2 hours means the last two hours");
        }
        if matches!(&*lower, "a" | "an" | "one") {
            return say("write the number 1");
        }
        if matches!(&*lower, "now" | "today") {
            return say("without to, everything ends now");
        }
        if lower == "yesterday" {
            return say("write 1 day ago");
        }
    }
    if word == ":" {
        return say(
            "an argument follows its colon at once, and is made of letters, digits and . _ - / only",
        );
    }
    if wants(Expected::Comma) {
        let day = |known: &&str| known.trim_end_matches('s') == lower.trim_end_matches('s');
        if matches!(&*lower, "and" | "or") || DAYS.iter().any(day) {
            return say("put commas between the days of a list");
        }
        if lower.starts_with("includ") {
            let before = text.get(..at).unwrap_or("").to_ascii_lowercase();
            return say(if before.contains("exclud") {
                "including stands before excluding"
            } else {
                "put commas between the days of one list"
            });
        }
        if lower.starts_with("exclud") {
            return say("put commas between the days of one list");
        }
    }
    if wants(Expected::From) && !wants(Expected::End) && !wants(Expected::Number) {
        return say("every needs from: 1 hour window every 24 hours from 14 days ago");
    }
    if lower.starts_with("includ") || lower.starts_with("exclud") {
        return say(
            "only windows are chosen by days: write a width first, such as 1 hour window every 24 hours from 14 days ago",
        );
    }
    None
}

/// A phrase of several words that stands here with other blanks than it should.
fn spaced_phrase(rest: &str) -> Option<&'static str> {
    const PHRASES: [&str; 6] = [
        "starting from",
        "for every",
        "this day of week",
        "this day of the week",
        "current day of week",
        "current day of the week",
    ];
    // Only the beginning matters; a selector may be long.
    let words = rest.split_ascii_whitespace().take(5);
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    PHRASES.into_iter().find(|phrase| {
        let count = phrase.split(' ').count();
        let same = words.len() >= count
            && phrase
                .split(' ')
                .eq(words[..count].iter().map(String::as_str));
        let end = rest.get(..phrase.len());
        same && !end.is_some_and(|start| start.eq_ignore_ascii_case(phrase))
    })
}
