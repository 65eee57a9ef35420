//! From the tree of a selector to a window that can be asked.

use super::days::Days;
use super::tree::Selector;
use crate::diagnostic::Outcome;

/// A selector with its lengths computed, its dates and countries looked up.
#[derive(Debug)]
pub struct Window {
    /// What was written.
    pub selector: Selector,
    /// How long before now the older end lies, in milliseconds.
    pub(super) older: i64,
    /// How long before now the newer end lies.
    pub(super) newer: i64,
    pub(super) width: i64,
    pub(super) every: Option<i64>,
    pub(super) include: Days,
    pub(super) exclude: Days,
}

impl Window {
    /// Makes a window ready. Errors: E0221 for a date that cannot be read and for an unknown country, E0210 for a
    /// malformed date pattern, with their places in the selector.
    pub fn compile(selector: Selector) -> Outcome<Window> {
        let (older, newer) = match (selector.reach, selector.width) {
            (Some(reach), _) => {
                let from = reach.from.millis();
                let to = reach.to.map_or(0, |to| to.millis());
                // Either may be the older one.
                (from.max(to), from.min(to))
            }
            (None, width) => (width.map_or(0, |width| width.millis()), 0),
        };
        let days = |specifiers: &[_]| {
            Days::compile(specifiers).map_err(|fault| fault.in_source(&selector.source))
        };
        Ok(Window {
            older,
            newer,
            width: selector.width.map_or(older - newer, |w| w.millis()),
            every: selector.every.map(|every| every.millis()),
            include: days(&selector.include)?,
            exclude: days(&selector.exclude)?,
            selector,
        })
    }

    /// The older and the newer end of where windows may lie.
    pub fn bounds(&self, now: i64) -> (i64, i64) {
        (
            now.saturating_sub(self.older),
            now.saturating_sub(self.newer),
        )
    }
}
