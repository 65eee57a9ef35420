//! Sets of characters: Perl's, POSIX's and Unicode's classes, and folding.

use super::names::{self, Named};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// The last character there is.
const LAST: u32 = 0x10FFFF;

/// The set of all characters from `low` to `high`; halves of surrogate pairs are in no text and so in no set.
pub(super) fn range(low: u32, high: u32) -> ClassUnicode {
    let low = match low {
        0xD800..=0xDFFF => 0xE000,
        other => other,
    };
    let high = match high {
        0xD800..=0xDFFF => 0xD7FF,
        other => other.min(LAST),
    };
    match (char::from_u32(low), char::from_u32(high)) {
        (Some(low), Some(high)) if low <= high => {
            ClassUnicode::new([ClassUnicodeRange::new(low, high)])
        }
        _ => ClassUnicode::empty(),
    }
}

/// Adds to a set whatever differs from its members in case only.
pub(super) fn fold(set: &mut ClassUnicode) {
    // Without the tables of Unicode, which are always built in, there would be nothing to add.
    let _ = set.try_case_fold_simple();
}

/// A set made of ASCII ranges.
fn ascii(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(
        ranges
            .iter()
            .map(|&(low, high)| ClassUnicodeRange::new(low, high)),
    )
}

/// The class after a backslash: d, s, w or their opposites.
pub(super) fn perl(letter: u8, folded: bool) -> Option<ClassUnicode> {
    let set = match letter.to_ascii_lowercase() {
        b'd' => ascii(&[('0', '9')]),
        b's' => ascii(&[('\t', '\n'), ('\x0C', '\r'), (' ', ' ')]),
        b'w' => ascii(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        _ => return None,
    };
    Some(finished(set, folded, letter.is_ascii_uppercase()))
}

/// The class between `[:` and `:]`, with its leading `^`.
pub(super) fn posix(name: &str, folded: bool) -> Option<ClassUnicode> {
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let set: &[(char, char)] = match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7F')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1F'), ('\x7F', '\x7F')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some(finished(ascii(set), folded, negated))
}

/// The class of a name in `\p{…}`.
pub(super) fn unicode(name: &str, folded: bool, negated: bool) -> Option<ClassUnicode> {
    let set = match names::find(name)? {
        Named::Any => range(0, LAST),
        Named::Ascii => range(0, 0x7F),
        Named::Surrogate => ClassUnicode::empty(),
        Named::Assigned => {
            let mut set = property("gc", "Cn")?;
            set.negate();
            set
        }
        Named::Category(name) => property("gc", name)?,
        Named::Script(name) => property("sc", name)?,
    };
    Some(finished(set, folded, negated))
}

/// Folding comes first, so that the opposite of a folded class holds none of its letters.
fn finished(mut set: ClassUnicode, folded: bool, negated: bool) -> ClassUnicode {
    if folded {
        fold(&mut set);
    }
    if negated {
        set.negate();
    }
    set
}

/// A table of `regex-syntax`.
fn property(kind: &str, name: &str) -> Option<ClassUnicode> {
    let name = match name {
        "LC" => "Cased_Letter",
        other => other,
    };
    let hir: Hir = regex_syntax::parse(&format!(r"\p{{{kind}={name}}}")).ok()?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(set)) => Some(set),
        // A set of one character is read as that character.
        HirKind::Literal(literal) => {
            let one = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(range(u32::from(one), u32::from(one)))
        }
        _ => None,
    }
}
