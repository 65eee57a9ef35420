//! Class items in the syntax of `regex-syntax`: ranges, shorthands and named properties.

use std::fmt::Write as _;
use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::ast::Case;
use super::blocks;

/// A class nothing belongs to.
pub(super) const NEVER: &str = r"[^\x{0}-\x{10FFFF}]";

/// The single characters of `\R`.
pub(super) const LINE_BREAK: &str = r"[\n-\r\x{85}\x{2028}\x{2029}]";

const IGNORABLE: &str = r"\x{0}-\x{8}\x{E}-\x{1B}\x{7F}-\x{9F}\p{Cf}";
const WHITE: &str = r"\x{9}-\x{D}\x{20}";

/// The general categories Java knows by short name.
const CATEGORIES: &str = " Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf Co Pd Ps Pe Pc Po Sm \
                          Sc Sk So Pi Pf L M N Z C P S ";

/// `\d \w \s \h \v` and their opposites.
pub(super) fn shorthand(letter: char, unicode: bool) -> String {
    let items = match (letter.to_ascii_lowercase(), unicode) {
        ('d', false) => "0-9",
        ('d', true) => r"\p{Nd}",
        ('w', false) => "a-zA-Z0-9_",
        ('w', true) => r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}",
        ('s', false) => WHITE,
        ('s', true) => r"\p{White_Space}",
        ('h', _) => r"\x{20}\t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}",
        _ => r"\x{A}-\x{D}\x{85}\x{2028}\x{2029}",
    };
    match letter.is_ascii_uppercase() {
        true => format!("[^{items}]"),
        false => items.to_owned(),
    }
}

/// One character as class items, with the other cases of its letter.
pub(super) fn char_items(code: u32, case: Case) -> String {
    // Java folds by way of the upper case letter, and sharp s has none of its own.
    let case = if code == 0xDF { Case::Exact } else { case };
    range_items(code, code, case)
}

/// A range as class items, with the other cases of its letters.
pub(super) fn range_items(low: u32, high: u32, case: Case) -> String {
    let mut ranges = Vec::new();
    // Text here has no lone surrogates, so they drop out of the range.
    for (a, b) in [
        (low, high.min(0xD7FF)),
        (low.max(0xE000), high.min(0x10FFFF)),
    ] {
        if let (Some(a), Some(b)) = (char::from_u32(a), char::from_u32(b))
            && a <= b
        {
            ranges.push(ClassUnicodeRange::new(a, b));
        }
    }
    let mut class = ClassUnicode::new(ranges);
    match case {
        Case::Exact => {}
        Case::Ascii => {
            let mut ascii = class.clone();
            ascii.intersect(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7F')]));
            ascii.case_fold_simple();
            ascii.intersect(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7F')]));
            class.union(&ascii);
        }
        Case::Unicode => {
            // Java takes dotted and dotless i for one letter with i.
            let dots = ['I', 'i', '\u{130}', '\u{131}'];
            let touches = |c: &char| class.iter().any(|r| r.start() <= *c && *c <= r.end());
            if dots.iter().any(touches) {
                class.union(&ClassUnicode::new(
                    dots.map(|c| ClassUnicodeRange::new(c, c)),
                ));
            }
            // Folding walks over every character, so only those with a case are given to it.
            let mut cased = class.clone();
            cased.intersect(cased_letters());
            cased.case_fold_simple();
            class.union(&cased);
        }
    }
    let mut out = String::new();
    for range in class.iter() {
        let (a, b) = (range.start(), range.end());
        push_char(&mut out, a);
        if a < b {
            out.push('-');
            push_char(&mut out, b);
        }
    }
    match out.is_empty() {
        true => NEVER.to_owned(),
        false => out,
    }
}

fn cased_letters() -> &'static ClassUnicode {
    static CASED: OnceLock<ClassUnicode> = OnceLock::new();
    CASED.get_or_init(|| parse_class(r"[\p{Changes_When_Casemapped}]"))
}

/// The ranges of a class written for `regex-syntax`.
pub(super) fn parse_class(class: &str) -> ClassUnicode {
    let mut ranges = ClassUnicode::empty();
    let Ok(hir) = regex_syntax::parse(class) else {
        return ranges;
    };
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => ranges = class.clone(),
        HirKind::Class(Class::Bytes(class)) => {
            for r in class.iter() {
                ranges.push(ClassUnicodeRange::new(r.start() as char, r.end() as char));
            }
        }
        // A class of one character is turned into that character.
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).unwrap_or_default();
            if let Some(c) = text.chars().next() {
                ranges.push(ClassUnicodeRange::new(c, c));
            }
        }
        _ => {}
    }
    ranges
}

/// Writes a character so that it stands for itself in a pattern and in a class.
pub(super) fn push_char(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{{{:X}}}", c as u32);
    }
}

/// The items of `\p{name}`.
pub(super) fn property(name: &str, any_case: bool, unicode: bool) -> Option<String> {
    if let Some((key, value)) = name.split_once('=') {
        return match key.to_ascii_lowercase().as_str() {
            "sc" | "script" => script(value),
            "blk" | "block" => block(value),
            "gc" | "general_category" => general(value, any_case),
            _ => None,
        };
    }
    if let Some(name) = name.strip_prefix("In") {
        return block(name);
    }
    if let Some(name) = name.strip_prefix("Is") {
        return binary(name, any_case)
            .map(str::to_owned)
            .or_else(|| general(name, any_case))
            .or_else(|| script(name));
    }
    if unicode && let Some(items) = posix_unicode(name, any_case) {
        return Some(items.to_owned());
    }
    general(name, any_case)
}

fn block(name: &str) -> Option<String> {
    let (low, high) = blocks::block(name)?;
    Some(range_items(low, high, Case::Exact))
}

fn script(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let items = format!("\\p{{sc={name}}}");
    regex_syntax::parse(&items).ok().map(|_| items)
}

/// General categories, the ASCII classes of POSIX and Java's own.
fn general(name: &str, any_case: bool) -> Option<String> {
    const CASED: &str = r"\p{Lu}\p{Ll}\p{Lt}";
    if any_case {
        match name {
            "Lu" | "Ll" | "Lt" => return Some(CASED.to_owned()),
            "Lower" | "Upper" => return Some("a-zA-Z".to_owned()),
            "javaLowerCase" | "javaUpperCase" | "javaTitleCase" => {
                return Some(r"\p{Lowercase}\p{Uppercase}\p{Lt}".to_owned());
            }
            _ => {}
        }
    }
    let items = match name {
        "LC" => CASED,
        "LD" | "javaLetterOrDigit" => r"\p{L}\p{Nd}",
        "L1" => r"\x{0}-\x{FF}",
        "all" => r"\x{0}-\x{10FFFF}",
        "Cs" => NEVER,
        "ASCII" => r"\x{0}-\x{7F}",
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => r"\x{21}-\x{2F}\x{3A}-\x{40}\x{5B}-\x{60}\x{7B}-\x{7E}",
        "Graph" => r"\x{21}-\x{7E}",
        "Print" => r"\x{20}-\x{7E}",
        "Blank" => r"\x{20}\t",
        "Cntrl" => r"\x{0}-\x{1F}\x{7F}",
        "XDigit" => "0-9a-fA-F",
        "Space" => WHITE,
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaTitleCase" => r"\p{Lt}",
        "javaAlphabetic" => r"\p{Alphabetic}",
        "javaIdeographic" => r"\p{Ideographic}",
        "javaDigit" => r"\p{Nd}",
        "javaDefined" => r"\P{Cn}",
        "javaLetter" => r"\p{L}",
        "javaJavaIdentifierStart" => r"\p{L}\p{Nl}\p{Sc}\p{Pc}",
        "javaJavaIdentifierPart" => {
            let letters = r"\p{L}\p{Nl}\p{Nd}\p{Sc}\p{Pc}\p{Mn}\p{Mc}";
            return Some(format!("{letters}{IGNORABLE}"));
        }
        "javaUnicodeIdentifierStart" => r"\p{ID_Start}",
        "javaUnicodeIdentifierPart" => return Some(format!(r"\p{{ID_Continue}}{IGNORABLE}")),
        "javaIdentifierIgnorable" => IGNORABLE,
        "javaSpaceChar" => r"\p{Z}",
        "javaWhitespace" => r"[\p{Z}&&[^\x{A0}\x{2007}\x{202F}]]\x{9}-\x{D}\x{1C}-\x{1F}",
        "javaISOControl" => r"\x{0}-\x{1F}\x{7F}-\x{9F}",
        _ if !name.contains(' ') && CATEGORIES.contains(&format!(" {name} ")) => {
            return Some(format!("\\p{{{name}}}"));
        }
        _ => return None,
    };
    Some(items.to_owned())
}

/// The properties Java knows after `Is`.
fn binary(name: &str, any_case: bool) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    if any_case && matches!(name.as_str(), "LOWERCASE" | "UPPERCASE" | "TITLECASE") {
        return Some(r"\p{Lowercase}\p{Uppercase}\p{Lt}");
    }
    Some(match name.as_str() {
        "ALPHABETIC" => r"\p{Alphabetic}",
        "LETTER" => r"\p{L}",
        "IDEOGRAPHIC" => r"\p{Ideographic}",
        "LOWERCASE" => r"\p{Lowercase}",
        "UPPERCASE" => r"\p{Uppercase}",
        "TITLECASE" => r"\p{Lt}",
        "WHITE_SPACE" | "WHITESPACE" => r"\p{White_Space}",
        "CONTROL" => r"\p{Cc}",
        "PUNCTUATION" => r"\p{P}",
        "HEX_DIGIT" | "HEXDIGIT" => r"\p{Nd}\p{Hex_Digit}",
        "ASSIGNED" => r"\P{Cn}",
        "NONCHARACTER_CODE_POINT" | "NONCHARACTERCODEPOINT" => r"\p{Noncharacter_Code_Point}",
        "DIGIT" => r"\p{Nd}",
        "ALNUM" => r"\p{Alphabetic}\p{Nd}",
        "BLANK" => r"\p{Zs}\t",
        "GRAPH" => r"[^\p{White_Space}\p{Cc}\p{Cn}]",
        "PRINT" => r"[[^\p{White_Space}\p{Cc}\p{Cn}]\p{Zs}]",
        "WORD" => r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}",
        "JOIN_CONTROL" | "JOINCONTROL" => r"\p{Join_Control}",
        _ => return None,
    })
}

/// The POSIX names under `(?U)`.
fn posix_unicode(name: &str, any_case: bool) -> Option<&'static str> {
    let long = match name {
        "Alpha" => "ALPHABETIC",
        "Lower" => "LOWERCASE",
        "Upper" => "UPPERCASE",
        "Space" => "WHITE_SPACE",
        "Punct" => "PUNCTUATION",
        "XDigit" => "HEX_DIGIT",
        "Alnum" => "ALNUM",
        "Cntrl" => "CONTROL",
        "Digit" => "DIGIT",
        "Blank" => "BLANK",
        "Graph" => "GRAPH",
        "Print" => "PRINT",
        _ => return None,
    };
    binary(long, any_case)
}
