//! Which characters make words: Java's idea and that of the linear engine differ a little.

use std::sync::OnceLock;

use super::program::CharSet;

/// The sets behind `\b`.
pub(super) struct Kinds {
    pub java_word: CharSet,
    pub java_letter_or_digit: CharSet,
    pub mark: CharSet,
    pub unicode_word: CharSet,
    /// Where the two engines may place a boundary differently.
    disputed: CharSet,
}

pub(super) fn kinds() -> &'static Kinds {
    static KINDS: OnceLock<Kinds> = OnceLock::new();
    KINDS.get_or_init(|| Kinds {
        java_word: CharSet::new(r"[\p{L}\p{Nd}_]"),
        java_letter_or_digit: CharSet::new(r"[\p{L}\p{Nd}]"),
        mark: CharSet::new(r"[\p{Mn}]"),
        unicode_word: CharSet::new(r"[\w]"),
        disputed: CharSet::new(r"[[\w&&[^\p{L}\p{Nd}_]]\p{Mn}]"),
    })
}

/// Whether the linear engine places every `\b` in the text where Java does.
pub(super) fn undisputed(text: &str) -> bool {
    text.is_ascii() || !text.chars().any(|c| kinds().disputed.contains(c))
}
