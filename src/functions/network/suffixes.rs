//! The public suffix list.

/// A sentence that says which list it is. The crate is released whenever the list changes; its day is that of the release.
macro_rules! list_date {
    () => {
        "The public suffix list is that of 2026-11-05 (crate psl 2.1.247)."
    };
}
pub(crate) use list_date;

/// How many bytes of a name in small letters are its public suffix; `None` where no rule of the list fits.
pub fn suffix_length(name: &str) -> Option<usize> {
    let suffix = psl::suffix(name.as_bytes())?;
    suffix.is_known().then_some(suffix.as_bytes().len())
}

/// What stands in ICANN's part of the list without being in the root zone: Tor's names (RFC 7686), and
/// spellings of countries' names in their own letters that were considered and not delegated.
const NOT_DELEGATED: &[&str] = &[
    "onion",
    "xn--mgb2ddes",
    "xn--mgba3a4fra",
    "xn--mgbai9a5eva00b",
    "xn--mgberp4a5d4a87g",
    "xn--mgbqly7c0a67fbc",
    "xn--mgbqly7cvafr",
    "xn--mgbtf8fl",
    "xn--mix082f",
    "xn--nnx388a",
];

/// Whether a label in small ASCII letters is a top-level domain.
///
/// ICANN's part of the list follows the root zone: new domains are merged into it day by day.
pub fn is_top_level(label: &str) -> bool {
    if NOT_DELEGATED.contains(&label) {
        return false;
    }
    // Some countries have rules for the names below only, hence the name in front.
    let mut name = String::with_capacity(label.len() + 2);
    name.push_str("a.");
    name.push_str(label);
    psl::suffix(name.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.typ() == Some(psl::Type::Icann))
}
