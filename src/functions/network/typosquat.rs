//! Names that look like a name or come of a slip of the finger.
//!
//! The ways of making them are those of Metron, which follow dnstwist (github.com/elceef/dnstwist) and
//! bitsquatting as A. Dinaburg described it in 2011.

use super::super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, optional};
use super::idn::{to_ascii, to_unicode};
use super::string_or_null;
use crate::diagnostic::Outcome;
use crate::eval::collections::{Elements, Set};
use crate::eval::text::check_length;
use crate::eval::{Call, Value};
use indexmap::IndexSet;

pub(super) const DOMAIN_TYPOSQUAT: FunctionSpec = FunctionSpec {
    name: "DOMAIN_TYPOSQUAT",
    family: Family::Network,
    summary: "Makes the names that somebody could register to catch those who mistype or misread a domain.",
    details: "Give the name alone, without subdomains and suffix. Made are: a letter added, one bit flipped, letters that look alike (also in their ASCII form, xn--…), \
              hyphens put in, keys beside the right one pressed as well or instead (on QWERTY, QWERTZ and AZERTY), letters left out, doubled, swapped, \
              a point put in, vowels exchanged. The name itself is not among them. To test many names, put the result into a Bloom filter once.",
    parameters: &[optional(
        "domain",
        Kind::Text,
        "the name, such as example for www.example.org",
    )],
    returns: "a set of strings; null for null",
    errors: &[
        "the argument is neither a string nor null",
        "the name is longer than names can be, 253 characters",
        "the names would take more room than [limits] allows",
    ],
    examples: &[
        example("'examlpe' in DOMAIN_TYPOSQUAT('example')", "true"),
        example("'xn--exampe-7db' in DOMAIN_TYPOSQUAT('example')", "true"),
        example("'example' in DOMAIN_TYPOSQUAT('example')", "false"),
        example("DOMAIN_TYPOSQUAT(null)", "null"),
        fails("DOMAIN_TYPOSQUAT(5)", "E0203"),
    ],
    see: &["DOMAIN_REMOVE_TLD", "DOMAIN_REMOVE_SUBDOMAINS", "BLOOM_ADD"],
    words: &[
        "phishing",
        "lookalike",
        "homoglyph",
        "bitsquatting",
        "dnstwist",
        "similar",
    ],
    run: typosquat,
    ..SPEC
};

/// A name in UTF-16 units, as Metron takes it apart.
type Units = Vec<u16>;

/// Letters and what looks like them, a letter a line; the table of dnstwist as Metron has it.
const HOMOGLYPHS: &str = include_str!("homoglyphs.txt");

/// Keys and those around them, by keyboard.
const KEYBOARDS: &[&[(char, &str)]] = &[QWERTY, QWERTZ, AZERTY];

#[rustfmt::skip]
const QWERTY: &[(char, &str)] = &[
    ('1', "2q"), ('2', "3wq1"), ('3', "4ew2"), ('4', "5re3"), ('5', "6tr4"), ('6', "7yt5"), ('7', "8uy6"),
    ('8', "9iu7"), ('9', "0oi8"), ('0', "po9"), ('q', "12wa"), ('w', "3esaq2"), ('e', "4rdsw3"),
    ('r', "5tfde4"), ('t', "6ygfr5"), ('y', "7uhgt6"), ('u', "8ijhy7"), ('i', "9okju8"), ('o', "0plki9"),
    ('p', "lo0"), ('a', "qwsz"), ('s', "edxzaw"), ('d', "rfcxse"), ('f', "tgvcdr"), ('g', "yhbvft"),
    ('h', "ujnbgy"), ('j', "ikmnhu"), ('k', "olmji"), ('l', "kop"), ('z', "asx"), ('x', "zsdc"),
    ('c', "xdfv"), ('v', "cfgb"), ('b', "vghn"), ('n', "bhjm"), ('m', "njk"),
];

/// The keys that differ from QWERTY.
#[rustfmt::skip]
const QWERTZ: &[(char, &str)] = &[
    ('6', "7zt5"), ('7', "8uz6"), ('t', "6zgfr5"), ('z', "7uhgt6"), ('u', "8ijhz7"), ('a', "qwsy"),
    ('s', "edxyaw"), ('g', "zhbvft"), ('h', "ujnbgz"), ('y', "asx"), ('x', "ysdc"),
];

/// The keys that differ from QWERTY.
#[rustfmt::skip]
const AZERTY: &[(char, &str)] = &[
    ('1', "2a"), ('2', "3za1"), ('3', "4ez2"), ('a', "2zq1"), ('z', "3esqa2"), ('e', "4rdsz3"), ('q', "zswa"),
    ('s', "edxwqz"), ('w', "sxq"), ('j', "iknhu"), ('k', "olji"), ('l', "kopm"), ('m', "lp"), ('p', "lo0m"),
    ('n', "bhj"),
];

/// Collects the names, without the one that they are made of.
struct Names<'a, 'c, 'm> {
    call: &'a Call<'c, 'm>,
    original: Units,
    all: IndexSet<Units, ahash::RandomState>,
    size: usize,
}

impl Names<'_, '_, '_> {
    fn add(&mut self, name: Units) -> Outcome<()> {
        self.call.step()?;
        if name == self.original {
            return Ok(());
        }
        let length = name.len();
        if self.all.insert(name) {
            self.size += length;
            check_length(self.size, self.call.context().limits.string)?;
        }
        Ok(())
    }

    /// The name with `parts` in the place of what stands from `start` to `end`.
    fn put(&mut self, start: usize, end: usize, parts: &[u16]) -> Outcome<()> {
        let original = &self.original;
        let (before, behind) = (original.get(..start), original.get(end..));
        let (Some(before), Some(behind)) = (before, behind) else {
            return Ok(());
        };
        let name = [before, parts, behind].concat();
        self.add(name)
    }
}

fn typosquat(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(domain) = string_or_null(call, 0)? else {
        return Ok(Value::Null);
    };
    let original: Units = domain.encode_utf16().take(254).collect();
    if original.len() > 253 {
        return Err(call.wrong_value(0, "a domain name has 253 characters at most"));
    }
    let mut names = Names {
        call,
        original,
        all: IndexSet::default(),
        size: 0,
    };
    // Every name has its end, so an empty one gets letters too.
    let end = names.original.len();
    for letter in 'a'..='z' {
        names.put(end, end, &[letter as u16])?;
    }
    for place in 0..end {
        let unit = names.original.get(place).copied().unwrap_or(0);
        one_place(&mut names, place, unit)?;
    }
    homoglyphs(&mut names, domain)?;
    let limits = &call.context().limits;
    let set = Set::new(Elements::default());
    for name in &names.all {
        set.add(
            Value::string(String::from_utf16_lossy(name)),
            limits.collection,
        )?;
    }
    Ok(Value::Set(set))
}

/// What can go wrong with the character at one place.
fn one_place(names: &mut Names<'_, '_, '_>, place: usize, unit: u16) -> Outcome<()> {
    let behind = place + 1;
    let is = |unit: u16, any: &str| any.encode_utf16().any(|u| u == unit);
    // One bit flipped; what comes of it must be a letter of names.
    for bit in 0..8 {
        let flipped = unit ^ (1 << bit);
        if matches!(u8::try_from(flipped), Ok(b'0'..=b'9' | b'a'..=b'z' | b'-')) {
            names.put(place, behind, &[flipped])?;
        }
    }
    // Left out, doubled.
    names.put(place, behind, &[])?;
    if is_letter(unit) {
        names.put(place, behind, &[unit, unit])?;
    }
    // Another key pressed instead or, inside of the name, as well.
    let inside = place > 0 && behind < names.original.len();
    for keyboard in KEYBOARDS {
        let Some((_, around)) = keyboard.iter().find(|(key, _)| *key as u16 == unit) else {
            continue;
        };
        for near in around.encode_utf16() {
            names.put(place, behind, &[near])?;
            if inside {
                names.put(place, behind, &[near, unit])?;
                names.put(place, behind, &[unit, near])?;
            }
        }
    }
    if is(unit, "aeiou") {
        for vowel in "aeiou".encode_utf16() {
            names.put(place, behind, &[vowel])?;
        }
    }
    // Swapped with the next one.
    if let Some(next) = names.original.get(behind).copied() {
        names.put(place, behind + 1, &[next, unit])?;
    }
    // A hyphen or a point before it.
    if let Some(before) = place.checked_sub(1).and_then(|p| names.original.get(p)) {
        let splits = !is(unit, "-.") && !is(*before, "-.");
        names.put(place, place, &[u16::from(b'-')])?;
        if splits {
            names.put(place, place, &[u16::from(b'.')])?;
        }
    }
    Ok(())
}

/// As `Character.isLetter` of a UTF-16 unit: half a surrogate pair is none.
fn is_letter(unit: u16) -> bool {
    char::from_u32(u32::from(unit)).is_some_and(|c| {
        use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
        c.general_category_group() == GeneralCategoryGroup::Letter
    })
}

/// Neighbouring occurrences of one letter replaced by what looks like it, in the name and in its ASCII form.
///
/// Metron goes through all parts of the name but the whole, and replaces all of a letter in each.
fn homoglyphs(names: &mut Names<'_, '_, '_>, domain: &str) -> Outcome<()> {
    let domain = match is_ascii_form(domain) {
        true => to_unicode(domain),
        false => domain.to_string(),
    };
    let length = domain.chars().map(char::len_utf16).sum::<usize>();
    for line in HOMOGLYPHS.lines() {
        let mut words = line.split(' ');
        let Some(letter) = words.next().and_then(|w| w.chars().next()) else {
            continue;
        };
        let places: Vec<usize> = domain.match_indices(letter).map(|(at, _)| at).collect();
        for glyph in words {
            for (index, start) in places.iter().enumerate() {
                for end in places.iter().skip(index) {
                    let part = domain.get(*start..=*end).unwrap_or("");
                    if part.encode_utf16().count() == length {
                        continue;
                    }
                    let (before, behind) = (domain.get(..*start), domain.get(end + 1..));
                    let name = [
                        before.unwrap_or(""),
                        &part.replace(letter, glyph),
                        behind.unwrap_or(""),
                    ]
                    .concat();
                    let ascii = match is_ascii_form(&name) {
                        true => None,
                        false => to_ascii(&name, true),
                    };
                    names.add(name.encode_utf16().collect())?;
                    if let Some(ascii) = ascii {
                        names.add(ascii.encode_utf16().collect())?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn is_ascii_form(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with("xn--") || name.contains(".xn--")
}
