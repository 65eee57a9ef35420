//! What names mean in the text of a rule, as far as its tokens tell.

use super::read::Reader;
use crate::rule::lua::source::{Kind, literal};
use smol_str::SmolStr;

impl Reader<'_> {
    /// How many blocks open or close at a token. `while` and `for` open one with their `do`, `elseif` none of its own.
    pub(super) fn nests(&self, at: usize) -> (usize, usize) {
        match self.word(at) {
            "function" | "if" | "do" | "repeat" => (1, 0),
            "end" | "until" => (0, 1),
            _ => (0, 0),
        }
    }

    /// Where `on_logline` is named in `function on_logline(e)`: once, and in no block.
    pub(super) fn head(&self) -> Option<usize> {
        let mut named = (0..self.tokens.len()).filter(|at| self.word(*at) == "on_logline");
        let head = named.next()?;
        let once = named.next().is_none() && !self.modules.contains("on_logline");
        let before = head.checked_sub(1)?;
        let global = before == 0 || self.word(before - 1) != "local";
        let shape = self.word(before) == "function"
            && self.word(head + 1) == "("
            && self.kind(head + 2) == Kind::Name
            && self.word(head + 3) == ")";
        let (opened, closed) = (0..before)
            .map(|at| self.nests(at))
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        (once && global && shape && opened == closed).then_some(head)
    }

    /// Whether a name means what it means to begin with: it is called everywhere, or names a field or method.
    pub(super) fn is_built_in(&self, name: &str) -> bool {
        let called = |at: usize| {
            let before = at.checked_sub(1).map_or("", |before| self.word(before));
            matches!(before, "." | ":") || (self.word(at + 1) == "(" && before != "function")
        };
        let mut named = (0..self.tokens.len()).filter(|at| self.word(*at) == name);
        named.all(called) && !self.modules.contains(name)
    }

    /// A text as it stands here, or by a name that holds nothing else.
    pub(super) fn constant(&mut self) -> Option<SmolStr> {
        if let Some(text) = self.literal() {
            return Some(text);
        }
        let name = self.word(self.at);
        if self.kind(self.at) != Kind::Name || self.slot(name).is_some() || name == self.event {
            return None;
        }
        let text = self.defined(name)?;
        self.at += 1;
        Some(text)
    }

    /// A text that is given a name before the function, in no block, and nowhere else.
    pub(super) fn defined(&self, name: &str) -> Option<SmolStr> {
        let mut named = (0..self.at).filter(|at| self.word(*at) == name);
        let first = named.next()?;
        let (opened, closed) = (0..first)
            .map(|at| self.nests(at))
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let value = first + 2;
        let statement = self.word(first + 1) == "="
            && opened == closed
            && first
                .checked_sub(1)
                .is_none_or(|before| !matches!(self.word(before), "," | "." | ":" | "{"));
        // The next token begins a statement.
        let over = matches!(self.kind(value + 1), Kind::Name)
            || matches!(self.word(value + 1), "local" | "function" | ";");
        if !statement || !over || self.modules.contains(name) {
            return None;
        }
        let only_read = |at: usize| {
            let (before, behind) = (self.word(at.wrapping_sub(1)), self.word(at + 1));
            let given = matches!(behind, "=" | "," | "in")
                || matches!(before, "local" | "function" | "for")
                || before == "," && self.kind(at + 1) != Kind::Sign;
            matches!(before, "." | ":") || !given
        };
        let mut others = (first + 1..self.tokens.len()).filter(|at| self.word(*at) == name);
        others.all(only_read).then(|| self.text_at(value))?
    }

    pub(super) fn literal(&mut self) -> Option<SmolStr> {
        let text = self.text_at(self.at)?;
        self.at += 1;
        Some(text)
    }

    pub(super) fn text_at(&self, at: usize) -> Option<SmolStr> {
        let token = self.tokens.get(at)?;
        let quoted = self.text.get(token.start..token.end)?;
        literal(token.kind, quoted, self.escapes).map(SmolStr::from)
    }
}
