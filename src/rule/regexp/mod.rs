//! Regular expressions in the dialect of Go's package regexp, which is RE2's: linear in the length of the text,
//! without look-around and back-references.
//!
//! The parser knows Go's dialect; the search is that of `regex-automata`. `\w`, `\d`, `\s` and `\b` know ASCII only,
//! `(?i)` folds all of Unicode, a byte that is no UTF-8 counts as one U+FFFD. Two things differ from Go 1.26: the
//! Unicode tables are those of `regex-syntax` (newer), and `\p{Old_Italic}` and other scripts of two words are known.

mod class;
mod escape;
mod names;
mod parse;
mod patient;
#[cfg(test)]
mod tests;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use patient::Patient;
use regex_automata::meta;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The longest pattern in bytes.
pub const MAX_PATTERN: usize = 64 << 10;

/// Bytes that one compiled pattern may take; searching takes at most [`MAX_CACHE`] for each thread that searches.
pub const MAX_PROGRAM: usize = 10 << 20;

/// Bytes of the states that a search keeps from one text to the next.
pub const MAX_CACHE: usize = 1 << 20;

/// Bytes of a program multiplied by bytes of a text up to which a search is quick in any case.
const QUICK_WORK: usize = 400_000_000;

/// A compiled regular expression. Cheap to clone, and shared by threads.
#[derive(Debug, Clone)]
pub struct Regexp {
    search: meta::Regex,
    pattern: Arc<str>,
    /// Bytes of the program.
    size: usize,
    /// For texts that a search could take long for, made when the first one comes.
    patient: Arc<OnceLock<Option<Patient>>>,
}

/// Compiles a pattern in Go's dialect; `E0209` with the place when it is none, `E0309` when it is too large.
pub fn compile(pattern: &str) -> Outcome<Regexp> {
    let hir = parse::parse(pattern).map_err(|problem| problem.fault(pattern))?;
    let config = meta::Config::new()
        .nfa_size_limit(Some(MAX_PROGRAM))
        .onepass_size_limit(Some(MAX_CACHE))
        .hybrid_cache_capacity(MAX_CACHE);
    let search = meta::Builder::new()
        .configure(config)
        .build_from_hir(&hir)
        .map_err(|_| large(pattern))?;
    Ok(Regexp {
        size: search.memory_usage(),
        search,
        pattern: pattern.into(),
        patient: Arc::default(),
    })
}

impl Regexp {
    /// Whether the expression fits anywhere in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.search.is_match(repaired(text).as_ref())
    }

    /// Whether the expression fits anywhere in the text; `None` when `go_on` says no before that is known. Quick
    /// searches do not ask. A search is quick when the sizes of program and text multiply to little, for then even
    /// an expression that needs all its states at every byte is done soon.
    pub fn is_match_while(&self, text: &[u8], go_on: impl FnMut() -> bool) -> Option<bool> {
        if self.is_quick(text) {
            return Some(self.is_match(text));
        }
        let patient = self.patient.get_or_init(|| Patient::new(&self.pattern));
        match patient {
            Some(patient) => patient.is_match_while(repaired(text).as_ref(), go_on),
            None => Some(self.is_match(text)),
        }
    }

    /// Whether the expression fits anywhere in the text; `None` when that could take long.
    #[inline]
    pub fn is_match_quickly(&self, text: &str) -> Option<bool> {
        self.is_quick(text.as_bytes())
            .then(|| self.search.is_match(text))
    }

    fn is_quick(&self, text: &[u8]) -> bool {
        text.len().saturating_mul(self.memory()) <= QUICK_WORK
    }

    /// The leftmost place where the expression fits.
    pub fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let whole = repaired(text);
        let found = self.search.find(whole.as_ref())?.range();
        Some(match whole {
            Cow::Borrowed(_) => found,
            Cow::Owned(_) => original(text, found.start)..original(text, found.end),
        })
    }

    /// The pattern as it was given.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Bytes it takes, without what searches keep.
    pub fn memory(&self) -> usize {
        self.size + self.pattern.len()
    }
}

/// What is wrong with a pattern, and where.
#[derive(Debug)]
struct Problem {
    span: Span,
    what: &'static str,
    help: Option<&'static str>,
    large: bool,
}

impl Problem {
    fn fault(self, pattern: &str) -> Fault {
        let code = match self.large {
            true => Code::RegexSize,
            false => Code::BadRegex,
        };
        let message = format!("malformed regular expression: {}", self.what);
        let fault = Diagnostic::at(code, self.span, message)
            .in_source(&Arc::new(Source::expression(pattern)));
        match self.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

fn large(pattern: &str) -> Fault {
    let problem = Problem {
        span: Span::new(0, pattern.len()),
        what: "it takes too much memory",
        help: Some("repeat less, or repeat smaller classes"),
        large: true,
    };
    problem.fault(pattern)
}

/// The text with every byte that is no UTF-8 replaced by U+FFFD, one for one, as Go reads it.
fn repaired(text: &[u8]) -> Cow<'_, [u8]> {
    if simdutf8::basic::from_utf8(text).is_ok() {
        return Cow::Borrowed(text);
    }
    let mut whole = Vec::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        whole.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            whole.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
    Cow::Owned(whole)
}

/// The place in a text that became `place` when the text was repaired.
fn original(text: &[u8], place: usize) -> usize {
    let (mut new, mut old) = (0, 0);
    for chunk in text.utf8_chunks() {
        if place <= new + chunk.valid().len() {
            return old + (place - new);
        }
        new += chunk.valid().len();
        old += chunk.valid().len();
        for _ in chunk.invalid() {
            if place <= new {
                return old;
            }
            new += '\u{FFFD}'.len_utf8();
            old += 1;
        }
    }
    old
}
