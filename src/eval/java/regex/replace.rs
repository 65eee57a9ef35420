//! Finding match after match, and Java's replacement text.

use std::time::{Duration, Instant};

use super::ast::too_big;
use super::backtrack::{Run, too_many_steps};
use super::linear::Search;
use super::{JavaRegex, RegexError, RegexErrorKind};

/// Searches of the linear engine between two looks at the clock.
const CLOCK_EVERY: u32 = 256;
/// Linear searches can scan the rest of the text for each match. So much time is granted in any case ...
const BASE_TIME: Duration = Duration::from_millis(100);
/// ... and then for ever, as long as so many bytes a millisecond are got through: a busy machine is no reason to
/// give up, a scan of the whole rest for each match gets through some ten.
const BYTES_PER_MS: u128 = 50;

/// Finds one match after the other.
pub(super) struct Finder<'a> {
    regex: &'a JavaRegex,
    text: &'a str,
    linear: Option<(&'a Search, regex::CaptureLocations)>,
    run: Option<Run<'a>>,
    searches: u32,
    start: Instant,
    from_run: bool,
}

impl<'a> Finder<'a> {
    pub fn new(regex: &'a JavaRegex, text: &'a str) -> Self {
        let linear = regex.linear_search(text);
        Finder {
            regex,
            text,
            linear: linear.map(|s| (s, s.regex.capture_locations())),
            run: None,
            searches: 0,
            start: Instant::now(),
            from_run: false,
        }
    }

    /// The first match at or after `from`; `last_end` is the end of the one before.
    pub fn next(
        &mut self,
        from: usize,
        last_end: usize,
    ) -> Result<Option<(usize, usize)>, RegexError> {
        self.from_run = false;
        if let Some((search, found)) = &mut self.linear {
            self.searches += 1;
            if self.searches.is_multiple_of(CLOCK_EVERY) {
                let elapsed = self.start.elapsed();
                if elapsed > BASE_TIME && (from as u128) < BYTES_PER_MS * elapsed.as_millis() {
                    return Err(too_many_steps());
                }
            }
            let hit = search.regex.captures_read_at(found, self.text, from);
            let span = match (hit, search.shifted) {
                (Some(m), false) => Some((m.start(), m.end())),
                (Some(_), true) => found.get(1),
                (None, _) => None,
            };
            let Some((start, end)) = span else {
                return Ok(None);
            };
            // Between \r and \n there is no end of a line, so the found one may be wrong.
            let (before, after) = self.text.split_at(end);
            if !(search.shifted && before.ends_with('\r') && after.starts_with('\n')) {
                return Ok(Some((start, end)));
            }
        }
        self.from_run = true;
        let run = self.run.get_or_insert_with(|| {
            Run::new(self.regex.program(), self.text, false, self.regex.steps())
        });
        run.find(from, last_end)
    }

    /// Where a group of the last match is.
    pub fn span(&self, group: usize) -> Option<(usize, usize)> {
        match (&self.run, &self.linear) {
            (Some(run), _) if self.from_run => run.group(group),
            (_, Some((search, found))) => found.get(group + usize::from(search.shifted)),
            _ => None,
        }
    }

    /// A group of the last match.
    fn group(&self, group: usize) -> Option<&'a str> {
        self.span(group).and_then(|(a, b)| self.text.get(a..b))
    }
}

/// A part of the replacement.
enum Piece {
    Text(String),
    Group(usize),
}

/// Java's `replaceAll`.
pub(super) fn replace_all(
    regex: &JavaRegex,
    text: &str,
    replacement: &str,
    max_len: usize,
) -> Result<String, RegexError> {
    let mut finder = Finder::new(regex, text);
    let mut out = String::new();
    let mut pieces = None;
    let (mut from, mut copied) = (0, 0);
    while let Some((start, end)) = finder.next(from, copied)? {
        // As in Java, a bad replacement is only noticed when there is something to replace.
        let pieces = match &mut pieces {
            Some(pieces) => pieces,
            empty => empty.insert(parse(regex, replacement)?),
        };
        append(
            &mut out,
            text.get(copied..start).unwrap_or_default(),
            max_len,
        )?;
        for piece in pieces.iter() {
            match piece {
                Piece::Text(part) => append(&mut out, part, max_len)?,
                Piece::Group(n) => {
                    append(&mut out, finder.group(*n).unwrap_or_default(), max_len)?;
                }
            }
        }
        copied = end;
        from = end;
        if start == end {
            match text.get(end..).and_then(|rest| rest.chars().next()) {
                Some(c) => from += c.len_utf8(),
                None => break,
            }
        }
    }
    append(&mut out, text.get(copied..).unwrap_or_default(), max_len)?;
    Ok(out)
}

fn append(out: &mut String, part: &str, max_len: usize) -> Result<(), RegexError> {
    if out.len() + part.len() > max_len {
        return Err(too_big(format!("the result exceeds {max_len} bytes")));
    }
    out.push_str(part);
    Ok(())
}

fn parse(regex: &JavaRegex, replacement: &str) -> Result<Vec<Piece>, RegexError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' {
            match chars.next() {
                Some(c) => text.push(c),
                None => return Err(bad("character to be escaped is missing")),
            }
            continue;
        }
        if c != '$' {
            text.push(c);
            continue;
        }
        let group = match chars.next() {
            None => return Err(bad("Illegal group reference: group index is missing")),
            Some('{') => named(regex, &mut chars)?,
            Some(c) => match c.to_digit(10) {
                Some(digit) => numbered(regex, digit as usize, &mut chars)?,
                None => return Err(bad("Illegal group reference")),
            },
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Group(group));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn named(regex: &JavaRegex, chars: &mut Chars<'_>) -> Result<usize, RegexError> {
    let mut name = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_alphanumeric) {
        name.push(c);
    }
    if name.is_empty() {
        return Err(bad("named capturing group has 0 length name"));
    }
    if chars.next() != Some('}') {
        return Err(bad("named capturing group is missing trailing '}'"));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad(format!(
            "capturing group name {{{name}}} starts with digit character"
        )));
    }
    match regex.names.iter().find(|(n, _)| *n == name) {
        Some(&(_, group)) => Ok(group as usize),
        None => Err(bad(format!("No group with name {{{name}}}"))),
    }
}

/// Takes as many digits as name an existing group.
fn numbered(regex: &JavaRegex, first: usize, chars: &mut Chars<'_>) -> Result<usize, RegexError> {
    let mut group = first;
    if group > regex.group_count() {
        return Err(bad(format!("No group {group}")));
    }
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        let longer = group * 10 + digit as usize;
        if longer > regex.group_count() {
            break;
        }
        group = longer;
        chars.next();
    }
    Ok(group)
}

fn bad(message: impl Into<String>) -> RegexError {
    RegexError {
        kind: RegexErrorKind::Syntax,
        message: message.into(),
        offset: None,
    }
}
