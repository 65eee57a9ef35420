//! The line editor: completion, hints, colours and the end of a statement, handed to rustyline.

mod highlight;
mod hint;

pub use highlight::highlight;
pub use hint::{Hint, hint};

use super::complete::complete;
use super::session::Session;
use crate::diagnostic::{Style, paint};
use crate::syntax::is_incomplete;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::SearchDirection;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use std::borrow::Cow;

/// What the editor asks while a line is typed.
pub struct ShellHelper<'a> {
    /// Where variables, functions and events are.
    pub session: &'a Session,
    /// Whether the terminal shows colours.
    pub colors: bool,
}

impl Helper for ShellHelper<'_> {}

impl Completer for ShellHelper<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = complete(self.session, line, pos);
        let pairs = found.candidates.into_iter().map(|candidate| Pair {
            display: candidate.shown().to_string(),
            replacement: candidate.text,
        });
        Ok((found.replaces.start, pairs.collect()))
    }
}

impl Hinter for ShellHelper<'_> {
    type Hint = Hint;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Hint> {
        // Without colours nobody could tell a hint from what is typed.
        if pos < line.len() || line.is_empty() || !self.colors {
            return None;
        }
        if let Some(hint) = hint(self.session, line) {
            return Some(hint);
        }
        // What was typed before and begins like this, as fish offers it.
        let history = context.history();
        let from = history.len().checked_sub(1)?;
        let found = history
            .starts_with(line, from, SearchDirection::Reverse)
            .ok()??;
        let rest = found.entry.get(line.len()..)?;
        if rest.is_empty() || rest.contains('\n') {
            return None;
        }
        Some(Hint {
            display: rest.to_string(),
            insertable: true,
        })
    }
}

impl Validator for ShellHelper<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_incomplete(context.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Highlighter for ShellHelper<'_> {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.colors {
            return Cow::Borrowed(line);
        }
        Cow::Owned(highlight(self.session, line, Some(pos)))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if !self.colors {
            return Cow::Borrowed(hint);
        }
        Cow::Owned(paint(Style::Quiet, hint).to_string())
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.colors
    }
}
