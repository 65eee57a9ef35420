//! Matches texts in lower case by formats, as Python's `strptime` does in the C locale.

/// One part of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// This character.
    Exactly(char),
    /// One blank or more.
    Blanks,
    /// `%` and a letter.
    Field(char),
}

/// What a text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    pub year: i32,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub afternoon: Option<bool>,
    /// Seconds east of UTC.
    pub east: Option<i32>,
}

/// A format in parts; `%o` is a day with `st`, `nd`, `rd` or `th`.
pub fn compile(format: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '%' => Token::Field(chars.next().unwrap_or('%')),
            ' ' => Token::Blanks,
            other => Token::Exactly(other.to_ascii_lowercase()),
        });
    }
    tokens
}

/// Reads `text` by `tokens`, where `then` holds for the rest; with the rest. Of several ways the first counts, where
/// longer numbers come first.
pub fn matches<'a>(
    tokens: &[Token],
    text: &'a str,
    parts: Parts,
    then: &dyn Fn(&str) -> bool,
) -> Option<(Parts, &'a str)> {
    let Some((token, tokens)) = tokens.split_first() else {
        return then(text).then_some((parts, text));
    };
    match token {
        Token::Exactly(c) => matches(tokens, text.strip_prefix(*c)?, parts, then),
        Token::Blanks => {
            let rest = text.trim_start();
            if rest.len() == text.len() {
                return None;
            }
            matches(tokens, rest, parts, then)
        }
        Token::Field(letter) => field(*letter, text, parts, &mut |parts, rest| {
            matches(tokens, rest, parts, then)
        }),
    }
}

type Go<'g, 'a> = &'g mut dyn FnMut(Parts, &'a str) -> Option<(Parts, &'a str)>;

fn field<'a>(
    letter: char,
    text: &'a str,
    parts: Parts,
    go: Go<'_, 'a>,
) -> Option<(Parts, &'a str)> {
    match letter {
        'Y' => number(text, &[4], 0, 9999, go, |year| Parts {
            year: year as i32,
            ..parts.clone()
        }),
        'y' => number(text, &[2], 0, 99, go, |year| Parts {
            year: year as i32 + if year <= 68 { 2000 } else { 1900 },
            ..parts.clone()
        }),
        'm' => number(text, &[2, 1], 1, 12, go, |month| Parts {
            month,
            ..parts.clone()
        }),
        'd' => {
            let of = |day| Parts {
                day,
                ..parts.clone()
            };
            let found = number(text, &[2, 1], 1, 31, go, of);
            found.or_else(|| number(text.strip_prefix(' ')?, &[1], 1, 9, go, of))
        }
        'o' => field('d', text, parts, &mut |parts, rest| {
            let ends = ["st", "nd", "rd", "th"];
            let rest = ends.iter().find_map(|end| rest.strip_prefix(end))?;
            go(parts, rest)
        }),
        'H' => number(text, &[2, 1], 0, 23, go, |hour| Parts {
            hour,
            ..parts.clone()
        }),
        'I' => number(text, &[2, 1], 1, 12, go, |hour| Parts {
            hour,
            ..parts.clone()
        }),
        'M' => number(text, &[2, 1], 0, 59, go, |minute| Parts {
            minute,
            ..parts.clone()
        }),
        'S' => number(text, &[2, 1], 0, 61, go, |second| Parts {
            second,
            ..parts.clone()
        }),
        'p' => {
            let afternoon = text.starts_with('p');
            let rest = text.strip_prefix(['a', 'p'])?.strip_prefix('m')?;
            let afternoon = Some(afternoon);
            go(Parts { afternoon, ..parts }, rest)
        }
        'a' => {
            let mut days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter();
            go(parts, days.find_map(|day| text.strip_prefix(day))?)
        }
        'b' | 'B' => {
            let (number, rest) = (1..).zip(MONTHS).find_map(|(number, name)| {
                let name = match letter {
                    'b' => name.get(..3)?,
                    _ => name,
                };
                Some((number, text.strip_prefix(name)?))
            })?;
            let month = number;
            go(Parts { month, ..parts }, rest)
        }
        'z' | 'Z' => {
            let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
            let (east, rest) = offset(text).filter(|_| named == (letter == 'Z'))?;
            let east = Some(east);
            go(Parts { east, ..parts }, rest)
        }
        _ => None,
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Tries numbers of these lengths within bounds.
fn number<'a>(
    text: &'a str,
    lengths: &[usize],
    least: u32,
    most: u32,
    go: Go<'_, 'a>,
    set: impl Fn(u32) -> Parts,
) -> Option<(Parts, &'a str)> {
    lengths.iter().find_map(|length| {
        let (digits, rest) = text.split_at_checked(*length)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: u32 = digits.parse().ok()?;
        match (least..=most).contains(&number) {
            true => go(set(number), rest),
            false => None,
        }
    })
}

/// Names of zones that mean one offset, in minutes.
const NAMES: &[(&str, i32)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("ut", 0),
    ("z", 0),
    ("wet", 0),
    ("west", 60),
    ("cet", 60),
    ("cest", 120),
    ("eet", 120),
    ("eest", 180),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
];

/// The seconds east of UTC that a text begins with, as `+hhmm`, `+hh:mm`, with seconds, or by name; and the rest.
pub fn offset(text: &str) -> Option<(i32, &str)> {
    let letters = text.find(|c: char| !c.is_ascii_alphabetic());
    let (name, rest) = text.split_at_checked(letters.unwrap_or(text.len()))?;
    if !name.is_empty() {
        let (_, minutes) = NAMES.iter().find(|(known, _)| *known == name)?;
        return Some((minutes * 60, rest));
    }
    let (west, rest) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return None,
    };
    let two = |text: &str, most: i32| -> Option<i32> {
        let digits = text.get(..2)?;
        let digits = digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then_some(digits)?;
        digits.parse().ok().filter(|n| *n <= most)
    };
    let hours = two(rest, 99)?;
    let rest = rest.get(2..)?;
    let colon = rest.starts_with(':');
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = two(rest, 59)?;
    let mut rest = rest.get(2..)?;
    let mut seconds = 0;
    let behind = match colon {
        true => rest.strip_prefix(':'),
        false => Some(rest),
    };
    if let Some((behind, more)) = behind.and_then(|behind| Some((behind, two(behind, 59)?))) {
        (seconds, rest) = (more, behind.get(2..)?);
    }
    let total = hours * 3600 + minutes * 60 + seconds;
    // Nowhere on Earth is the clock a day apart.
    let total = Some(total).filter(|total| *total < 86_400)?;
    Some((if west { -total } else { total }, rest))
}
